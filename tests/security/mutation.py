"""Mutants of the first wall: statements that have lost their owner's condition, made while SQL is compiled."""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Column, TextClause, event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression

IN_TEXT = re.compile(r"\b(?:\w+\.)?owner_id = :owner_id\b")


@dataclass(eq=False)
class Stripper:
    """Takes the owner's conditions out of one statement: the ``armed``-th of those that have any. ``seen`` counts them."""

    owner_id: UUID
    armed: int | None = None
    seen: int = 0

    def __call__(self, _connection: Any, statement: Any, many: Any, parameters: Any, _options: Any) -> tuple[Any, Any, Any]:
        """Be asked by SQLAlchemy what to execute instead of a statement."""
        without = _without_owner(statement, self.owner_id, parameters)
        if without is None:
            return statement, many, parameters
        armed = self.seen == self.armed
        self.seen += 1
        return without if armed else statement, many, parameters


@contextmanager
def stripping(engine: AsyncEngine, stripper: Stripper) -> Iterator[None]:
    """Execute what the stripper leaves of each statement."""
    event.listen(engine.sync_engine, "before_execute", stripper, retval=True)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "before_execute", stripper)


def _without_owner(statement: Any, owner_id: UUID, parameters: Any) -> Any:
    """Return the statement without any of its owner's conditions, or ``None`` if it has none."""
    if isinstance(statement, TextClause):
        stripped = IN_TEXT.sub("true", statement.text)
        return None if stripped == statement.text else text(stripped)
    criteria = getattr(statement, "_where_criteria", ())
    kept = tuple(criterion for criterion in criteria if not _is_owners(criterion, owner_id, parameters))
    conflict = getattr(statement, "_post_values_clause", None)
    overwrites = conflict is not None and _is_owners(getattr(conflict, "update_whereclause", None), owner_id, parameters)
    if len(kept) == len(criteria) and not overwrites:
        return None
    stripped = statement._generate()
    if criteria:
        stripped._where_criteria = kept
    if overwrites:
        stripped._post_values_clause = copy.copy(conflict)
        stripped._post_values_clause.update_whereclause = None
    return stripped


def _is_owners(criterion: Any, owner_id: UUID, parameters: Any) -> bool:
    if not isinstance(criterion, BinaryExpression) or criterion.operator is not operators.eq:
        return False
    column, value = criterion.left, criterion.right
    return (
        isinstance(column, Column)
        and isinstance(value, BindParameter)
        and owner_id in (value.value, parameters.get(value.key))
        and (column.name == "owner_id" or (str(column.table), column.name) == ("users", "id"))
    )
