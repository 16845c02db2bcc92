"""Versions of documents, the coverage of their vectors, and generations that retire.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The body of the function names the version that answers; its owner, and with it what it may see, stays as it is.
CANDIDATES = """
create or replace function docent_lexical_candidates(query tsquery, within uuid[], n int) returns table (chunk_id uuid, rank real)
language sql stable {security} set search_path = pg_catalog, pg_temp as $$
  select c.id, pg_catalog.ts_rank(c.tsv, query, 1) as rank
    from public.chunks c join public.documents d on d.id = c.document_id
   where c.owner_id = nullif(pg_catalog.current_setting('docent.owner_id', true), '')::uuid
     and d.owner_id = c.owner_id and {answers} and d.deleted_at is null
     and c.tsv operator(pg_catalog.@@) query
     and (within is null or c.document_id = any (within))
   order by rank desc, c.id
   limit n
$$
"""
SECURITY = "select prosecdef from pg_proc where oid = 'docent_lexical_candidates(tsquery, uuid[], int)'::regprocedure"


def upgrade() -> None:
    # Under forced policies the owner of the tables, too, sees only what the mode lets it see.
    op.execute("select set_config('docent.mode', 'system', true)")
    op.add_column("documents", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("documents", sa.Column("live_version", sa.Integer(), nullable=True))
    op.add_column("documents", sa.Column("stage", sa.String(), nullable=True))
    op.add_column("documents", sa.Column("tokens_extracted", sa.Integer(), nullable=True))
    op.add_column("documents", sa.Column("tokens_embedded", sa.Integer(), nullable=True))
    op.add_column("documents", sa.Column("notes", sa.ARRAY(sa.String()), server_default="{}", nullable=False))
    op.add_column("documents", sa.Column("file_lost", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("documents", sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False))
    op.execute("update documents set queued_at = created_at, live_version = case when status = 'ready' then 1 end")

    op.add_column("document_texts", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.drop_constraint(op.f("pk_document_texts"), "document_texts", type_="primary")
    op.create_primary_key(op.f("pk_document_texts"), "document_texts", ["document_id", "version"])

    op.add_column("chunks", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.drop_constraint(op.f("uq_chunks_document_id_ordinal"), "chunks", type_="unique")
    op.create_unique_constraint(op.f("uq_chunks_document_id_version_ordinal"), "chunks", ["document_id", "version", "ordinal"])

    op.add_column("message_sources", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.alter_column("chunk_vectors", "vector", existing_type=sa.LargeBinary(), nullable=True)

    op.add_column("index_generations", sa.Column("removed", sa.Integer(), server_default="0", nullable=False))
    op.drop_constraint(op.f("ck_index_generations_state"), "index_generations", type_="check")
    op.create_check_constraint(
        op.f("ck_index_generations_state"), "index_generations", "state in ('building', 'ready', 'retired', 'broken')"
    )
    op.create_index(
        "uq_index_generations_ready", "index_generations", ["owner_id"], unique=True, postgresql_where=sa.text("state = 'ready'")
    )
    _answers_with("d.live_version = c.version")


def downgrade() -> None:
    op.execute("select set_config('docent.mode', 'system', true)")
    _answers_with("d.status = 'ready'")
    op.drop_index("uq_index_generations_ready", table_name="index_generations")
    op.drop_constraint(op.f("ck_index_generations_state"), "index_generations", type_="check")
    op.execute("update index_generations set state = 'building' where state = 'retired'")
    op.create_check_constraint(op.f("ck_index_generations_state"), "index_generations", "state in ('building', 'ready', 'broken')")
    op.drop_column("index_generations", "removed")
    op.execute("delete from chunk_vectors where vector is null")
    op.alter_column("chunk_vectors", "vector", existing_type=sa.LargeBinary(), nullable=False)
    op.drop_column("message_sources", "version")
    # The previous release knows one version of a document: the newest.
    op.execute("delete from chunks c using documents d where d.id = c.document_id and c.version <> d.version")
    # Its statistics are of the documents that are ready; those whose newer version was being read are read again.
    op.execute("delete from lexemes")
    op.execute(
        "insert into lexemes (owner_id, lexeme, frequency) select c.owner_id, l.lexeme, count(*)"
        "  from chunks c join documents d on d.id = c.document_id and d.status = 'ready' cross join lateral unnest(c.tsv) l"
        " group by c.owner_id, l.lexeme"
    )
    op.execute("update corpus_sizes set chunks = 0, total_length = 0")
    op.execute(
        "update corpus_sizes s set chunks = n.chunks, total_length = n.total_length from"
        " (select c.owner_id, count(*) as chunks, sum(c.length) as total_length from chunks c"
        "    join documents d on d.id = c.document_id and d.status = 'ready' group by c.owner_id) n where n.owner_id = s.owner_id"
    )
    op.execute("delete from document_texts t using documents d where d.id = t.document_id and t.version <> d.version")
    op.drop_constraint(op.f("uq_chunks_document_id_version_ordinal"), "chunks", type_="unique")
    op.create_unique_constraint(op.f("uq_chunks_document_id_ordinal"), "chunks", ["document_id", "ordinal"])
    op.drop_column("chunks", "version")
    op.drop_constraint(op.f("pk_document_texts"), "document_texts", type_="primary")
    op.create_primary_key(op.f("pk_document_texts"), "document_texts", ["document_id"])
    op.drop_column("document_texts", "version")
    for column in ("file_lost", "notes", "tokens_embedded", "tokens_extracted", "stage", "live_version", "version", "queued_at"):
        op.drop_column("documents", column)


def _answers_with(condition: str) -> None:
    definer = op.get_bind().execute(sa.text(SECURITY)).scalar()
    op.execute(CANDIDATES.format(security="security definer" if definer else "security invoker", answers=condition))
