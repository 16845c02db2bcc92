"""The check that row-level security really stands before anything is served."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.core.errors import ConfigurationError
from backend.db.conflicts import translated

CHECK = text(
    "select current_user as name, rolsuper or rolbypassrls as above,"
    " row_security_active('documents') and row_security_active('messages') and row_security_active('users') as active"
    " from pg_roles where rolname = current_user"
)


async def assert_walls(engine: AsyncEngine) -> None:
    """Return if the policies bind the role that the product runs as.

    Raises:
        ConfigurationError: The role is above them, or they are off.
    """
    with translated():
        async with engine.connect() as connection:
            row = (await connection.execute(CHECK)).one()
    if row.above or not row.active:
        raise ConfigurationError(
            f"The database role {row.name!r} is not bound by row-level security, so owners would not be kept apart. "
            "Use a role that is neither a superuser nor BYPASSRLS in DATABASE_URL."
        )
