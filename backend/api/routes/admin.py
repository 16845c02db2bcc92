"""What only administrators see."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from backend.api.deps import Admin, Audit, Page
from backend.api.errors import problems
from backend.core.errors import AdminOnlyError, TokenInvalidError
from backend.schemas.base import Text
from backend.schemas.users import AuditPage

router = APIRouter(prefix="/admin", tags=["admin"], responses=problems(TokenInvalidError, AdminOnlyError))


@router.get("/audit")
async def list_audit_events(
    _admin: Admin,
    audit: Audit,
    page: Page,
    kind: Annotated[Text | None, Query(min_length=1, max_length=50, description="Such as `sign_in_failed`.")] = None,
    user_id: Annotated[UUID | None, Query(description="Events about this account only.")] = None,
) -> AuditPage:
    """List security events, newest first."""
    return AuditPage.of(await audit.page(limit=page.limit, after=page.after, kind=kind, subject_id=user_id))
