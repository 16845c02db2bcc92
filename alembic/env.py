"""Runs migrations on the connection that `docent migrate` hands over, or on the one that the settings name."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from backend.core.config import Settings, asyncpg_url
from backend.models import Base


def include_name(name: str | None, type_: str, _parents: object) -> bool:
    """Leave the queue's own tables out of the comparison: its package brings its schema."""
    return not (type_ == "table" and (name or "").startswith("procrastinate_"))


# The launcher sets default privileges in the embedded shape; elsewhere whoever made the role may have forgotten them.
GRANTS = """
do $do$ begin
  if exists (select from pg_roles where rolname = 'docent_app') and current_user <> 'docent_app' then
    grant usage on schema public to docent_app;
    grant select, insert, update, delete on all tables in schema public to docent_app;
    grant usage on all sequences in schema public to docent_app;
    revoke insert, update, delete on alembic_version from docent_app;
  end if;
end $do$
"""


def run(connection: Connection) -> None:
    # The policies are forced on the tables' owner too: a migration that touches rows has to see them all.
    connection.execute(text("select set_config('docent.mode', 'system', false)"))
    connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata, include_name=include_name, compare_server_default=False)
    with context.begin_transaction():
        context.run_migrations()
        if not context.is_offline_mode() and context.get_context().get_current_revision() is not None:
            connection.execute(text(GRANTS))


async def connect_and_run() -> None:
    settings = Settings()
    url = settings.database_owner_url or settings.database_url
    if url is None:
        raise SystemExit("Set DATABASE_OWNER_URL or DATABASE_URL, or use `docent migrate`.")
    engine = create_async_engine(asyncpg_url(url.get_secret_value()))
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    asyncio.run(connect_and_run())
