"""Runs migrations on the connection that `docent migrate` hands over, or on the one that the settings name."""

import asyncio

from alembic import context
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from backend.core.config import Settings, asyncpg_url
from backend.db.migrations import LOCK_SECONDS
from backend.db.releases import oldest_release, record
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


def applied(*, ctx: MigrationContext, heads: set[str], **_: object) -> None:
    """In the transaction of each revision: who may read what is new, and which releases may work on it."""
    if ctx.as_sql or ctx.connection is None or not heads:
        return
    script = context.script
    chain = reversed(list(script.iterate_revisions(tuple(heads), "base")))
    oldest = oldest_release((revision.revision, getattr(revision.module, "works_with", None)) for revision in chain)
    ctx.connection.execute(text(GRANTS))
    ctx.connection.execute(text(record(oldest)))


def run(connection: Connection) -> None:
    # The policies are forced on the tables' owner too: a migration that touches rows has to see them all. And whoever asks for a
    # table that a revision waits for waits behind it: so it does not wait for long.
    connection.execute(text("select set_config('docent.mode', 'system', false)"))
    connection.execute(text(f"select set_config('lock_timeout', '{LOCK_SECONDS}s', false)"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        compare_server_default=False,
        transaction_per_migration=True,  # Locks are held for one revision at a time.
        on_version_apply=applied,
    )
    with context.begin_transaction():
        context.run_migrations()


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
