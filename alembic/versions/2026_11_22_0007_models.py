"""Which models a tier may name.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tiers", sa.Column("models", ARRAY(sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("tiers", "models")
