"""Pages of lists on the wire."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import Field

from backend.core.values.page import Page
from backend.schemas.base import ResponseModel

T = TypeVar("T")


class PageOut(ResponseModel, Generic[T]):
    """A part of a list. Hand ``next_cursor`` back as ``cursor`` for the next part; it is null on the last one."""

    items: Sequence[T]
    next_cursor: str | None = Field(description="Opaque.")


def cursor_of(page: Page[T]) -> str | None:
    """Return where the next part begins, as clients hand it back."""
    return page.next_cursor.encode() if page.next_cursor else None
