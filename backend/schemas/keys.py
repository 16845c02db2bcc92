"""API keys on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.core.values.page import Page
from backend.core.values.user import ApiKey, Scope
from backend.schemas.base import DocumentIds, Moment, RequestModel, ResponseModel, Text
from backend.schemas.page import PageOut, cursor_of


class KeyIn(RequestModel):
    """A new key."""

    name: Annotated[Text, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)]
    document_ids: DocumentIds | None = Field(None, description="Reaches these documents only, and its own conversations only.")
    expires_at: Moment | None = None


class KeyOut(ResponseModel):
    """A key, without its secret."""

    id: UUID
    name: str
    prefix: str = Field(description="How the key begins, to recognise it by.")
    scopes: list[Scope]
    document_ids: list[UUID] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="Exact to a minute.")

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        """Build it from the service's answer."""
        return cls(
            id=key.id,
            name=key.name,
            prefix=f"dk_{key.id.hex}",
            scopes=list(key.scopes),
            document_ids=None if key.document_ids is None else list(key.document_ids),
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
        )


class NewKeyOut(KeyOut):
    """A key that was just made. ``key`` is shown this once: keep it now."""

    key: str

    @classmethod
    def made(cls, key: ApiKey, text: str) -> "NewKeyOut":
        """Build it from the service's answer."""
        return cls(**dict(KeyOut.of(key)), key=text)


class KeyPage(PageOut[KeyOut]):
    """Keys, newest first."""

    @classmethod
    def of(cls, page: Page[ApiKey]) -> "KeyPage":
        """Build it from the service's answer."""
        return cls(items=[KeyOut.of(key) for key in page.items], next_cursor=cursor_of(page))
