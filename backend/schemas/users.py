"""Accounts as administrators see them, on the wire."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from backend.core.values.audit import AuditEvent
from backend.core.values.page import Page
from backend.core.values.user import Role, Tier, User
from backend.schemas.auth import RegisterIn, UserOut
from backend.schemas.base import RequestModel, ResponseModel
from backend.schemas.page import PageOut, cursor_of


class UserIn(RegisterIn):
    """A new account, made by an administrator."""

    role: Role = "user"
    tier: Tier = "free"


class UserPatch(RequestModel):
    """What an administrator may change about an account."""

    role: Role | None = None
    tier: Tier | None = None
    is_active: Annotated[bool | None, Field(description="A disabled account loses every credential at once.")] = None


class UserPage(PageOut[UserOut]):
    """Accounts, newest first."""

    @classmethod
    def of(cls, page: Page[User]) -> "UserPage":
        """Build it from the service's answer."""
        return cls(items=[UserOut.of(user) for user in page.items], next_cursor=cursor_of(page))


class ResetLinkOut(ResponseModel):
    """The token of a link that sets a new password, once, within a day. Hand it to its user in a way that you trust."""

    token: str


class AuditEventOut(ResponseModel):
    """A security event. It names ids, and never a secret."""

    id: UUID
    occurred_at: datetime
    kind: str
    actor_id: UUID | None
    subject_id: UUID | None
    address: str | None
    details: dict[str, Any]


class AuditPage(PageOut[AuditEventOut]):
    """Security events, newest first."""

    @classmethod
    def of(cls, page: Page[AuditEvent]) -> "AuditPage":
        """Build it from the service's answer."""
        return cls(items=[AuditEventOut.model_validate(event) for event in page.items], next_cursor=cursor_of(page))
