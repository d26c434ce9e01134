"""what a school calls the columns of its ledger"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_ledger_name_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_name")),
        sa.UniqueConstraint("school_id", "words", name=op.f("uq_ledger_name_school_id_words")),
    )
    with op.batch_alter_table("ledger_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_name_school_id"), ["school_id"], unique=False)


def downgrade() -> None:
    op.drop_table("ledger_name")
