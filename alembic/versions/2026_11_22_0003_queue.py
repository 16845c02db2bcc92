"""The job queue: the schema of Procrastinate 3.10, frozen beside this file, for a later version of the package may change its own.

Revision ID: 0003
Revises: 0002
"""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = Path(__file__).with_name("procrastinate_3_10.sql")


def upgrade() -> None:
    # Several commands in one string need asyncpg's simple protocol, in the same transaction as the rest of this revision.
    await_only(op.get_bind().connection.driver_connection.execute(SCHEMA.read_text(encoding="utf-8")))


def downgrade() -> None:
    op.execute("drop table procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers cascade")
    op.execute(
        "do $$ declare f record; begin"
        " for f in select oid::regprocedure as name from pg_proc where proname like 'procrastinate_%'"
        " loop execute 'drop function ' || f.name || ' cascade'; end loop; end $$"
    )
    op.execute("drop type procrastinate_job_to_defer_v1, procrastinate_job_status, procrastinate_job_event_type cascade")
