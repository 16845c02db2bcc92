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
                    await connection.run_sync(_upgrade)
                    await connection.commit()
                finally:
                    await connection.rollback()
                    await connection.execute(text("select pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
                return True
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
    try:
        found = (await connection.execute(text("select version_num from alembic_version"))).scalar_one_or_none()
    except DBAPIError as error:
        await connection.rollback()
        if sqlstate_of(error) == UNDEFINED_TABLE:
            return False
        raise
    await connection.rollback()
    known = revisions()
    if found is not None and found not in known:
        raise ConfigurationError(f"This database was written by a newer release (revision {found}). Upgrade Docent.")
    return bool(found == known[-1])


def _upgrade(connection: Connection) -> None:
    # Deferred: a start that has nothing to migrate does not pay for the import.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
