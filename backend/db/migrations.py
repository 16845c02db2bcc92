"""Bringing a database to the schema of this release."""

from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from backend.core.errors import ConfigurationError
from backend.db.conflicts import sqlstate_of, translated

ADVISORY_LOCK = 0x646F63656E74  # "docent"
UNDEFINED_TABLE = "42P01"

# The wheel carries the revisions inside the package; in a checkout they lie beside it.
PACKAGED = Path(__file__).parent.parent / "_alembic"
SCRIPTS = PACKAGED if PACKAGED.is_dir() else Path(__file__).parent.parent.parent / "alembic"


def revisions() -> list[str]:
    """Return this release's revisions, oldest first, from the names of their files (a test compares them with their chain)."""
    return [path.name.split("_")[3] for path in sorted((SCRIPTS / "versions").glob("[0-9]*.py"))]


async def migrate(url: str) -> bool:
    """Upgrade the database under an advisory lock, so that many processes may call this at once; return whether it changed.

    A database that is up to date costs one query, and Alembic is not even imported.

    Raises:
        ConfigurationError: A newer release has written this database.
        DatabaseUnavailableError: PostgreSQL does not answer.
    """
    engine = create_async_engine(url)
    try:
        with translated():
            async with engine.connect() as connection:
                if await _is_current(connection):
                    return False
                await connection.execute(text("select pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
                await connection.commit()
                try:
                    if await _is_current(connection):
                        return False
                    await connection.run_sync(_go, "head", back=False)
                    await connection.commit()
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
                    found = await _revision(connection)
                    await connection.run_sync(_go, revision, back=found is not None and known.index(found) > known.index(revision))
                    await connection.commit()
                finally:
                    await connection.rollback()
                    await connection.execute(text("select pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
    finally:
        await engine.dispose()


async def assert_current(url: str) -> None:
    """Return if the database has the schema of this release.

    Raises:
        ConfigurationError: It has an older or a newer one.
        DatabaseUnavailableError: PostgreSQL does not answer.
    """
    engine = create_async_engine(url)
    try:
        with translated():
            async with engine.connect() as connection:
                if not await _is_current(connection):
                    raise ConfigurationError("The database has the schema of an older release. Run `docent migrate` first.")
    finally:
        await engine.dispose()


async def _is_current(connection: AsyncConnection) -> bool:
    return await _revision(connection) == revisions()[-1]


async def _revision(connection: AsyncConnection) -> str | None:
    """Return the database's revision, ``None`` if it has none yet."""
    try:
        found: str | None = (await connection.execute(text("select version_num from alembic_version"))).scalar_one_or_none()
    except DBAPIError as error:
        await connection.rollback()
        if sqlstate_of(error) == UNDEFINED_TABLE:
            return None
        raise
    await connection.rollback()
    if found is not None and found not in revisions():
        raise ConfigurationError(f"This database was written by a newer release (revision {found}). Upgrade Docent.")
    return found


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
