"""Which releases may work on a database: it says so itself, beside its revision, where older releases can read it too."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.core.errors import ConfigurationError
from backend.db.conflicts import sqlstate_of

UNDEFINED_TABLE = "42P01"
FOUND = text("select version_num, obj_description('alembic_version'::regclass, 'pg_class') from alembic_version")
RECORD = re.compile(r"docent: works with releases from revision (\w+) on")


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database says of itself. ``oldest`` is the revision of the oldest release whose code may still work on it."""

    revision: str
    oldest: str | None


async def schema_of(connection: AsyncConnection) -> Schema | None:
    """Return what the database says, or ``None`` if it has no schema yet. Leaves no transaction open."""
    try:
        row = (await connection.execute(FOUND)).one_or_none()
    except DBAPIError as error:
        await connection.rollback()
        if sqlstate_of(error) == UNDEFINED_TABLE:
            return None
        raise
    await connection.rollback()
    if row is None:
        return None
    record = RECORD.fullmatch(row[1] or "")
    return Schema(row[0], record[1] if record else None)


def is_newer(schema: Schema, known: Iterable[str]) -> bool:
    """Return whether a newer release has migrated the database, in such a way that the one that knows these revisions still works.

    Raises:
        ConfigurationError: A newer release has, and it no longer works with this one.
    """
    known = set(known)
    if schema.revision in known:
        return False
    if schema.oldest in known:
        return True
    bound = f" It works with releases from revision {schema.oldest} on." if schema.oldest else ""
    raise ConfigurationError(f"This database was written by a newer release (revision {schema.revision}). Upgrade Docent.{bound}")


def oldest_release(chain: Iterable[tuple[str, str | None]]) -> str:
    """Return the oldest revision whose code works on the schema at the end of a chain.

    The chain names each revision, oldest first, with its ``works_with``; one without it works with nothing older than itself.
    """
    revisions = list(chain)
    places = {revision: place for place, (revision, _) in enumerate(revisions)}
    return revisions[max(places[works_with or revision] for revision, works_with in revisions)][0]


def record(oldest: str) -> str:
    """Return the statement that notes it. Only the role that owns the tables can execute it."""
    return f"comment on table alembic_version is 'docent: works with releases from revision {oldest} on'"
