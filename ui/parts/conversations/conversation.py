"""A conversation as the API tells it, and when it was last used in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Self

from ui.client import unreadable

GROUPS = ("Today", "Yesterday", "This week", "Earlier")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its messages. ``knows_models`` tells whether it can have a ``model`` of its own; without it None."""

    id: str
    title: str
    updated_at: datetime
    document_ids: tuple[str, ...]
    strict: bool
    model: str | None
    knows_models: bool

    @classmethod
    def of(cls, told: Any) -> Self:
        """Read one. Raises ApiError for what is none."""
        try:
            return cls(
                id=str(told["id"]),
                title=str(told["title"]),
                updated_at=datetime.fromisoformat(told["updated_at"]),
                document_ids=tuple(str(each) for each in told["document_ids"] or ()),
                strict=bool(told["strict"]),
                model=told.get("model"),
                knows_models="model" in told,
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise unreadable() from error


def group(moment: datetime, now: datetime) -> str:
    """Return which group a moment belongs to; both in the zone of who looks. A week is the last seven days."""
    days = (now.date() - moment.date()).days
    return GROUPS[0] if days <= 0 else GROUPS[1] if days == 1 else GROUPS[2] if days < 7 else GROUPS[3]


def grouped(conversations: Sequence[Conversation], now: datetime) -> list[tuple[str, list[Conversation]]]:
    """Return them in groups, in their order."""
    parts = groupby(conversations, key=lambda one: group(one.updated_at.astimezone(now.tzinfo), now))
    return [(name, list(members)) for name, members in parts]
