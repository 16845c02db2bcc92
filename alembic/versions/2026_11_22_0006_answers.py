"""What conversations know of themselves: strictness, titles, answers that were given anew, and what people think of them.
And the languages of what was uploaded.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


COUNTED = ("lexemes", ["owner_id", "lexeme"]), ("corpus_sizes", ["owner_id"])


def upgrade() -> None:
    op.add_column("chat_sessions", sa.Column("strict", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("chat_sessions", sa.Column("titled", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("messages", sa.Column("superseded", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("messages", sa.Column("searched_for", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("invented_markers", sa.Integer(), server_default="0", nullable=False))
    op.add_column("messages", sa.Column("feedback", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("feedback_comment", sa.String(), nullable=True))
    op.create_check_constraint(op.f("ck_messages_feedback"), "messages", "feedback in ('up', 'down')")
    # Whatever was indexed before was indexed as English, and stays so until it is indexed anew.
    op.add_column("documents", sa.Column("language", sa.String(), nullable=True))
    for table in ("chunks", "lexemes", "corpus_sizes"):
        op.add_column(table, sa.Column("language", sa.String(), server_default="english", nullable=False))
    for table, (owner, *rest) in COUNTED:
        op.drop_constraint(op.f(f"pk_{table}"), table, type_="primary")
        op.create_primary_key(op.f(f"pk_{table}"), table, [owner, "language", *rest])
    op.execute("select set_config('docent.mode', 'system', true)")
    op.execute("delete from corpus_sizes where chunks = 0")


def downgrade() -> None:
    # The previous release searches everything as English.
    op.execute("select set_config('docent.mode', 'system', true)")
    op.execute(
        "update chunks c set tsv = t.tsv,"
        "       length = (select coalesce(sum(coalesce(cardinality(l.positions), 1)), 0) from unnest(t.tsv) l)"
        "  from chunks o cross join lateral (select to_tsvector('english', o.search_text) as tsv) t"
        " where o.id = c.id and c.language <> 'english'"
    )
    op.execute("delete from lexemes")
    op.execute("delete from corpus_sizes")
    for table, columns in COUNTED:
        op.drop_constraint(op.f(f"pk_{table}"), table, type_="primary")
        op.create_primary_key(op.f(f"pk_{table}"), table, columns)
    for table in ("documents", "chunks", "lexemes", "corpus_sizes"):
        op.drop_column(table, "language")
    live = "chunks c join documents d on d.id = c.document_id and d.live_version = c.version"
    op.execute(
        "insert into lexemes (owner_id, lexeme, frequency) select c.owner_id, l.lexeme, count(*)"  # noqa: S608 - our own words
        f"  from {live} cross join lateral unnest(c.tsv) l group by c.owner_id, l.lexeme"
    )
    op.execute(
        "insert into corpus_sizes (owner_id, chunks, total_length) select c.owner_id, count(*), sum(c.length)"  # noqa: S608 - our own words
        f"  from {live} group by c.owner_id"
    )
    op.drop_constraint(op.f("ck_messages_feedback"), "messages", type_="check")
    for column in ("feedback_comment", "feedback", "invented_markers", "searched_for", "superseded"):
        op.drop_column("messages", column)
    for column in ("titled", "strict"):
        op.drop_column("chat_sessions", column)
