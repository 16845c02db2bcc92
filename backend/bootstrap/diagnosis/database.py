"""PostgreSQL: whether it answers, its version, schema, walls, clock and connections."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.bootstrap.servers import Addresses, without_credentials
from backend.core.config import Settings, plain_url
from backend.core.errors import ConfigurationError, DocentError
from backend.core.values.finding import Finding
from backend.db.conflicts import translated
from backend.db.engine import make_engine
from backend.db.migrations import assert_current, revisions
from backend.db.walls import assert_walls

OLDEST = 16
"""The oldest major version that the tests know."""
SKEW_SECONDS = 2.0
FACTS = text(
    "select current_setting('server_version') as version, current_setting('server_version_num')::int / 10000 as major,"
    " current_setting('max_connections')::int as connections, clock_timestamp() as clock, pg_is_in_recovery() as standby"
)


async def examined_database(settings: Settings, at: Addresses) -> AsyncIterator[Finding]:
    """Look at the database. One that does not answer is one finding; the last one of another is about its schema."""
    engine = make_engine(at.app_url, pool_size=1, pooled=at.pooled)
    try:
        async for finding in _facts(settings, at, engine):
            yield finding
        yield await _schema(settings, at, engine)
    except DocentError as error:
        mend = "Start it, or correct DATABASE_URL." if settings.database_url else f"Its log is in {settings.data_dir}/logs."
        if "startup parameter" in str(error.__cause__):
            mend = "A pooler refuses the settings of a session: set DATABASE_DIRECT_URL to the address that leads past it."
        yield Finding("wrong", "PostgreSQL", f"{_shown(at)}: {error.message}", mend)
    finally:
        await engine.dispose()


async def _schema(settings: Settings, at: Addresses, engine: AsyncEngine) -> Finding:
    try:
        schema = await assert_current(at.session_url)
    except ConfigurationError as error:
        by_hand = settings.production and settings.database_url is not None
        mend = (
            "Run `docent migrate`, or the release that wrote it." if by_hand else "`docent serve` brings an older one up to date."
        )
        return Finding("wrong" if by_hand else "warning", "Schema", error.message, mend)
    try:
        await assert_walls(engine)
    except ConfigurationError as error:
        return Finding("wrong", "Schema", error.message, "deploy/postgres-init.sql makes the roles.")
    if schema.revision != revisions()[-1]:
        sentence = f"A newer release has migrated it (revision {schema.revision}); this one works on it, from {schema.oldest} on."
        return Finding("warning", "Schema", sentence, "Upgrade this process too.")
    return Finding("fine", "Schema", "that of this release, and row-level security binds the role that serves")


async def _facts(settings: Settings, at: Addresses, engine: AsyncEngine) -> AsyncIterator[Finding]:
    asked = datetime.now(UTC)
    with translated():
        async with engine.connect() as connection:
            facts = (await connection.execute(FACTS)).one()
    where = _shown(at)
    yield Finding("fine", "PostgreSQL", f"{facts.version} at {where}")
    if facts.major < OLDEST:
        yield Finding("wrong", "PostgreSQL", f"Version {facts.version} is too old.", f"Use PostgreSQL {OLDEST} or newer.")
    if facts.standby:
        yield Finding(
            "wrong", "PostgreSQL", "This server is a standby: nothing can be written.", "Let DATABASE_URL name the primary."
        )
    needed = settings.database_pool_size + 10
    if facts.connections < needed:
        sentence = f"It takes {facts.connections} connections, and each process may want {needed}."
        yield Finding("warning", "PostgreSQL", sentence, "Raise max_connections, or lower DATABASE_POOL_SIZE.")
    skew = abs((facts.clock - asked).total_seconds())
    if skew > SKEW_SECONDS + (datetime.now(UTC) - asked).total_seconds():
        sentence = f"Its clock and this machine's differ by {skew:.0f} seconds: tokens, limits and backups go by both."
        yield Finding("warning", "Clock", sentence, "Let both machines keep their time by NTP.")


def _shown(at: Addresses) -> str:
    return without_credentials(plain_url(at.app_url))
