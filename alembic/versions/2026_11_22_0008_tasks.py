"""Questions that are answered in the background.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

POLICY = """
create policy tasks_owner on tasks using (
  owner_id = (select nullif(current_setting('docent.owner_id', true), '')::uuid)
  or (select current_setting('docent.mode', true)) = 'system'
)
"""


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), server_default="queued", nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("characters", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waiting_for", sa.String(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_message", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_tasks_state")),
        sa.ForeignKeyConstraint(
            ["owner_id", "session_id"],
            ["chat_sessions.owner_id", "chat_sessions.id"],
            name=op.f("fk_tasks_owner_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id", "message_id"],
            ["messages.owner_id", "messages.id"],
            name=op.f("fk_tasks_owner_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("owner_id", "message_id", name=op.f("uq_tasks_owner_id_message_id")),
    )
    op.create_index(op.f("ix_tasks_owner_id_id"), "tasks", ["owner_id", "id"], unique=False)
    op.create_index(op.f("ix_tasks_owner_id_session_id"), "tasks", ["owner_id", "session_id"], unique=False)
    op.create_index("ix_tasks_live", "tasks", ["owner_id", "id"], postgresql_where=sa.text("state in ('queued', 'running')"))
    op.execute("alter table tasks enable row level security")
    op.execute("alter table tasks force row level security")
    op.execute(POLICY)


def downgrade() -> None:
    op.execute("select set_config('docent.mode', 'system', true)")
    # The previous release cannot go on with them.
    op.execute(
        "update messages m set status = 'incomplete', error_code = 'answer_cut' from tasks t"
        " where t.message_id = m.id and m.status = 'streaming'"
    )
    op.execute("delete from procrastinate_jobs where task_name = 'answer_task' and status = 'todo'")
    op.drop_table("tasks")
