"""Pages of long lists."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from backend.core.errors import InvalidError

T = TypeVar("T")


class CursorInvalidError(InvalidError):
    """The cursor did not come from a page of this list."""

    code = "cursor_invalid"
    message = "The cursor is not valid. Start again without one."


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list that is ordered by a sort key and, within it, by id."""

    key: str
    id: UUID

    def encode(self) -> str:
        """Return the opaque text that clients hand back."""
        return base64.urlsafe_b64encode(f"{self.id.hex}{self.key}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Read what ``encode`` wrote.

        Raises:
            CursorInvalidError: The text is something else.
        """
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
            return cls(key=raw[32:], id=UUID(hex=raw[:32]))
        except (ValueError, binascii.Error) as error:
            raise CursorInvalidError from error


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; ``next_cursor`` is ``None`` on the last page."""

    items: Sequence[T]
    next_cursor: Cursor | None
