"""a form that is sent twice makes one row"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_form",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("location", sa.String(300), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_used_form"),
    )
    op.create_index("ix_used_form_at", "used_form", ["at"])


def downgrade() -> None:
    op.drop_table("used_form")
