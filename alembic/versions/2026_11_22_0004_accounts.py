"""Accounts: API keys, tiers, usage, idempotency, reset links and the audit log.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OWNED = ("api_keys", "usage", "idempotency_keys", "reset_links")

POLICY = """
create policy {table}_owner on {table} using (
  owner_id = (select nullif(current_setting('docent.owner_id', true), '')::uuid)
  or (select current_setting('docent.mode', true)) = 'system'
)
"""
# Everybody's transactions may add to the log; only the system's view reads it.
AUDIT_POLICY = """
create policy audit_events_system on audit_events
  using ((select current_setting('docent.mode', true)) = 'system') with check (true)
"""
# requests a minute, concurrent streams, documents, stored bytes, tokens a day
TIERS = (
    ("free", 60, 2, 100, 1_000_000_000, 200_000),
    ("pro", 300, 8, 2_000, 20_000_000_000, 5_000_000),
    ("enterprise", 3_000, 64, 100_000, 2_000_000_000_000, 200_000_000),
)


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index(op.f("ix_audit_events_occurred_at_id"), "audit_events", ["occurred_at", "id"], unique=False)
    op.create_index(op.f("ix_audit_events_subject_id_occurred_at"), "audit_events", ["subject_id", "occurred_at"], unique=False)
    op.create_table(
        "tiers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer(), nullable=False),
        sa.Column("concurrent_streams", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("tokens_per_day", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tiers")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("document_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_api_keys_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("owner_id", "id", name=op.f("uq_api_keys_owner_id_id")),
    )
    op.create_index(op.f("ix_api_keys_owner_id_created_at_id"), "api_keys", ["owner_id", "created_at", "id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_idempotency_keys_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "reset_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_reset_links_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reset_links")),
    )
    op.create_index(op.f("ix_reset_links_owner_id"), "reset_links", ["owner_id"], unique=False)
    op.create_table(
        "usage",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_usage_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", "day", name=op.f("pk_usage")),
    )
    op.add_column("chat_sessions", sa.Column("api_key_id", sa.Uuid(), nullable=True))
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("username", "email"):
        op.drop_index(f"uq_users_{name}", "users")
        op.execute(f"create unique index uq_users_{name} on users (lower({name})) where deleted_at is null")
    for table in (*OWNED, "audit_events"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
    for table in OWNED:
        op.execute(POLICY.format(table=table))
    op.execute(AUDIT_POLICY)
    columns = ("name", "requests_per_minute", "concurrent_streams", "documents", "stored_bytes", "tokens_per_day")
    tiers = sa.table("tiers", *(sa.column(column) for column in columns))
    op.bulk_insert(tiers, [dict(zip(columns, tier, strict=True)) for tier in TIERS])


def downgrade() -> None:
    for name in ("username", "email"):
        op.drop_index(f"uq_users_{name}", "users")
        op.execute(f"create unique index uq_users_{name} on users (lower({name}))")
    op.drop_column("users", "deleted_at")
    op.drop_column("chat_sessions", "api_key_id")
    op.drop_table("usage")
    op.drop_index(op.f("ix_reset_links_owner_id"), table_name="reset_links")
    op.drop_table("reset_links")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(op.f("ix_api_keys_owner_id_created_at_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("tiers")
    op.drop_index(op.f("ix_audit_events_subject_id_occurred_at"), table_name="audit_events")
    op.drop_index(op.f("ix_audit_events_occurred_at_id"), table_name="audit_events")
    op.drop_table("audit_events")
