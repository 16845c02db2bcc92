"""From rows to the frozen dataclasses that the floors hand to each other."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import BindParameter, Label, Row, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.core.values.page import Cursor, CursorInvalidError
from backend.models import Base

T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
OWNER: BindParameter[Any] = bindparam("owner")
"""The owner in statements that are built once, as those of every turn are."""
_LIKE_SPECIAL = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Repository:
    """Queries on one connection. It never commits; every method that concerns a user takes the owner and puts it in the WHERE."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection


def position(after: Cursor) -> tuple[datetime, UUID]:
    """Return where a list that is ordered by a time goes on.

    Raises:
        CursorInvalidError: The cursor is of another list, or made up.
    """
    try:
        moment = datetime.fromisoformat(after.key)
        if moment.tzinfo is None:
            raise CursorInvalidError
        return moment.astimezone(UTC), after.id
    except (ValueError, OverflowError) as error:
        raise CursorInvalidError from error


def containing(text: str) -> str:
    """Return the pattern of ``like`` for whatever holds this text, in which nothing is special; its escape is the backslash."""
    return f"%{text.translate(_LIKE_SPECIAL)}%"


def columns(table: type[Base], value: type[Any]) -> list[Label[Any]]:
    """Return the table's columns that the dataclass has fields for, under the fields' names."""
    return [getattr(table, field.name).label(field.name) for field in fields(value) if hasattr(table, field.name)]


def read(value: type[T], row: AnyRow, **converted: object) -> T:
    """Build the dataclass from a row of ``columns``; ``converted`` replaces or adds fields."""
    return value(**{**row._mapping, **converted})
