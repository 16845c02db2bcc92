"""From rows to the frozen dataclasses that the floors hand to each other."""

from dataclasses import fields
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Label, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.models import Base

T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]


class Repository:
    """Queries on one connection. It never commits; every method that concerns a user takes the owner and puts it in the WHERE."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection


def columns(table: type[Base], value: type[Any]) -> list[Label[Any]]:
    """Return the table's columns that the dataclass has fields for, under the fields' names."""
    return [getattr(table, field.name).label(field.name) for field in fields(value) if hasattr(table, field.name)]


def read(value: type[T], row: AnyRow, **converted: object) -> T:
    """Build the dataclass from a row of ``columns``; ``converted`` replaces or adds fields."""
    return value(**{**row._mapping, **converted})
