"""The owner's wall: row-level security, and the lexical candidates behind it.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OWNED = {
    "users": "id",
    "auth_sessions": "owner_id",
    "chat_sessions": "owner_id",
    "messages": "owner_id",
    "message_sources": "owner_id",
    "documents": "owner_id",
    "document_texts": "owner_id",
    "chunks": "owner_id",
    "lexemes": "owner_id",
    "corpus_sizes": "owner_id",
    "index_generations": "owner_id",
    "chunk_vectors": "owner_id",
}

# nullif: after a transaction that set it, the setting is '' and not NULL on that connection. (select ...): evaluated once a query.
# FORCE: a DATABASE_URL whose role owns the tables is behind the same wall.
POLICY = """
alter table {table} enable row level security;
alter table {table} force row level security;
create policy {table}_owner on {table} using (
  {column} = (select nullif(current_setting('docent.owner_id', true), '')::uuid)
  or (select current_setting('docent.mode', true)) = 'system'
);
"""

# `@@` is not leakproof, so under a policy it cannot use its index. This function looks past the policy and reads the owner from the
# setting itself, so the wall stands: no setting, no rows.
CANDIDATES = """
create function docent_lexical_candidates(query tsquery, within uuid[], n int) returns table (chunk_id uuid, rank real)
language sql stable {security} set search_path = pg_catalog, pg_temp as $$
  select c.id, pg_catalog.ts_rank(c.tsv, query, 1) as rank
    from public.chunks c join public.documents d on d.id = c.document_id
   where c.owner_id = nullif(pg_catalog.current_setting('docent.owner_id', true), '')::uuid
     and d.owner_id = c.owner_id and d.status = 'ready' and d.deleted_at is null
     and c.tsv operator(pg_catalog.@@) query
     and (within is null or c.document_id = any (within))
   order by rank desc, c.id
   limit n
$$
"""

# A managed PostgreSQL may have no such role: the function then runs as its caller, behind the policy, and is slower.
DEFINER = """
do $do$ begin
  if exists (select from pg_roles where rolname = 'docent_definer' and rolbypassrls)
     and pg_has_role(current_user, 'docent_definer', 'member') then
    grant select on chunks, documents to docent_definer;
    alter function docent_lexical_candidates(tsquery, uuid[], int) security definer;
    revoke all on function docent_lexical_candidates(tsquery, uuid[], int) from public;
    if exists (select from pg_roles where rolname = 'docent_app') then
      grant execute on function docent_lexical_candidates(tsquery, uuid[], int) to docent_app;
    end if;
    grant execute on function docent_lexical_candidates(tsquery, uuid[], int) to current_user;
    alter function docent_lexical_candidates(tsquery, uuid[], int) owner to docent_definer;
  end if;
end $do$
"""


def upgrade() -> None:
    for table, column in OWNED.items():
        for statement in POLICY.format(table=table, column=column).split(";\n"):
            if statement.strip():
                op.execute(statement)
    op.execute(CANDIDATES.format(security="security invoker"))
    op.execute(DEFINER)


def downgrade() -> None:
    op.execute("drop function docent_lexical_candidates(tsquery, uuid[], int)")
    for table in OWNED:
        op.execute(f"drop policy {table}_owner on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
