"""Bringing a database to the schema of this release, while processes of the previous one go on serving."""

import asyncio
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from backend.core.errors import ConfigurationError
from backend.db.conflicts import sqlstate_of, translated
from backend.db.releases import Schema, is_newer, schema_of

ADVISORY_LOCK = 0x646F63656E74  # "docent"
LOCK_SECONDS = 2
"""How long a revision waits for a table. Whoever asks for the table after it waits as long, so it gives up and tries again."""
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 600.0
IN_THE_WAY = frozenset({"55P03", "40P01"})  # lock_not_available, deadlock_detected

# The wheel carries the revisions inside the package; in a checkout they lie beside it.
PACKAGED = Path(__file__).parent.parent / "_alembic"
SCRIPTS = PACKAGED if PACKAGED.is_dir() else Path(__file__).parent.parent.parent / "alembic"


def revisions() -> list[str]:
    """Return this release's revisions, oldest first, from the names of their files (a test compares them with their chain)."""
    return [path.name.split("_")[3] for path in sorted((SCRIPTS / "versions").glob("[0-9]*.py"))]


async def migrate(url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Upgrade the database under an advisory lock, so that many processes may call this at once; return whether it changed.

    A database that is up to date costs one query, and Alembic is not even imported. One that a newer release has migrated is left
    as it is, where this release works with it. Each revision is a transaction of its own: what was done before a failure stays.

    Raises:
        ConfigurationError: A newer release has written this database, or others held its tables for too long.
        DatabaseUnavailableError: PostgreSQL does not answer.
    """
    engine = create_async_engine(url)
    try:
        with translated():
            async with engine.connect() as connection:
                if await _serves(connection):
                    return False
                await connection.execute(text("select pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
                await connection.commit()
                try:
                    if await _serves(connection):
                        return False
                    await _gone(connection, "head", patience_seconds)
                finally:
                    await connection.rollback()
                    await connection.execute(text("select pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
                return True
    finally:
        await engine.dispose()


async def reach(url: str, revision: str) -> None:
    """Bring a database to a revision, upwards or downwards; what later ones have added goes, with its rows.

    Raises:
        ConfigurationError: A newer release has written this database, or does not know the revision.
        DatabaseUnavailableError: PostgreSQL does not answer.
    """
    known = revisions()
    if revision not in known:
        raise ConfigurationError(f"This release does not know the revision {revision}. Upgrade Docent.")
    engine = create_async_engine(url)
    try:
        with translated():
            async with engine.connect() as connection:
                await connection.execute(text("select pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
                await connection.commit()
                try:
                    found = await schema_of(connection)
                    if found is not None and found.revision not in known:
                        raise ConfigurationError(
                            f"This database was written by a newer release (revision {found.revision}). Upgrade Docent."
                        )
                    back = found is not None and known.index(found.revision) > known.index(revision)
                    await _gone(connection, revision, PATIENCE_SECONDS, back=back)
                finally:
                    await connection.rollback()
                    await connection.execute(text("select pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
    finally:
        await engine.dispose()


async def assert_current(url: str) -> Schema:
    """Return what the database says of its schema, if that is the one of this release or a newer one that works with it.

    Raises:
        ConfigurationError: It has an older one, or a newer one that does not work with this release.
        DatabaseUnavailableError: PostgreSQL does not answer.
    """
    engine = create_async_engine(url)
    try:
        with translated():
            async with engine.connect() as connection:
                found = await schema_of(connection)
                if found is None or not _is_served(found):
                    raise ConfigurationError("The database has the schema of an older release. Run `docent migrate` first.")
                return found
    finally:
        await engine.dispose()


async def _serves(connection: AsyncConnection) -> bool:
    found = await schema_of(connection)
    return found is not None and _is_served(found)


def _is_served(schema: Schema) -> bool:
    known = revisions()
    return is_newer(schema, known) or schema.revision == known[-1]


async def _gone(connection: AsyncConnection, revision: str, patience_seconds: float, *, back: bool = False) -> None:
    """Go to a revision. One that others keep from its tables is tried again, and lets them through meanwhile."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_seconds
    while True:
        try:
            await connection.run_sync(_go, revision, back=back)
            await connection.commit()
        except DBAPIError as error:
            await connection.rollback()
            if sqlstate_of(error) not in IN_THE_WAY:
                raise
            if loop.time() > deadline:
                raise ConfigurationError(
                    f"The database was not migrated: for {patience_seconds:.0f} seconds others held a table that it changes."
                    " End what runs so long in it (pg_stat_activity tells), then try again."
                ) from error
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return


def _go(connection: Connection, revision: str, *, back: bool) -> None:
    # Deferred: a start that has nothing to migrate does not pay for the import.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if back:
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
