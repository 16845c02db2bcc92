"""Which part of a list is wanted."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from backend.core.values.page import Cursor


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a list is wanted."""

    limit: int
    after: Cursor | None


async def _slice(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(min_length=1, max_length=200, description="`next_cursor` of the part before.")] = None,
) -> Slice:
    return Slice(limit, None if cursor is None else Cursor.decode(cursor))


Page = Annotated[Slice, Depends(_slice)]


Days = Annotated[int, Query(ge=1, le=366, description="How many days, with today.")]
