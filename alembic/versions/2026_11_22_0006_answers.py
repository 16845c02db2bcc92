"""What conversations know of themselves: strictness, titles, answers that were given anew, and what people think of them.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chat_sessions", sa.Column("strict", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("chat_sessions", sa.Column("titled", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("messages", sa.Column("superseded", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("messages", sa.Column("searched_for", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("invented_markers", sa.Integer(), server_default="0", nullable=False))
    op.add_column("messages", sa.Column("feedback", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("feedback_comment", sa.String(), nullable=True))
    op.create_check_constraint(op.f("ck_messages_feedback"), "messages", "feedback in ('up', 'down')")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_messages_feedback"), "messages", type_="check")
    for column in ("feedback_comment", "feedback", "invented_markers", "searched_for", "superseded"):
        op.drop_column("messages", column)
    for column in ("titled", "strict"):
        op.drop_column("chat_sessions", column)
