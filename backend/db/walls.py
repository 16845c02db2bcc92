"""The check that row-level security really stands before anything is served."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.core.errors import ConfigurationError
from backend.db.conflicts import translated
from backend.models import Base

WITHOUT_OWNER_ID = {"users", "audit_events"}
OWNED = [table.name for table in Base.metadata.sorted_tables if "owner_id" in table.columns or table.name in WITHOUT_OWNER_ID]
CHECK = text(
    "select current_user as name, rolsuper or rolbypassrls as above,"
    " (select bool_and(row_security_active(owned)) from unnest(cast(:tables as text[])) owned) as active"
    " from pg_roles where rolname = current_user"
)


async def assert_walls(engine: AsyncEngine) -> None:
    """Return if the policies bind the role that the product runs as.

    Raises:
        ConfigurationError: The role is above them, or they are off for a table that has owners.
    """
    with translated():
        async with engine.connect() as connection:
            row = (await connection.execute(CHECK, {"tables": OWNED})).one()
    if row.above or not row.active:
        raise ConfigurationError(
            f"The database role {row.name!r} is not bound by row-level security, so owners would not be kept apart. "
            "Use a role that is neither a superuser nor BYPASSRLS in DATABASE_URL."
        )
