"""schemes with versions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=True),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_table_name_row_id"), ["table_name", "row_id"], unique=False)

    with op.batch_alter_table("scheme", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(length=16), nullable=False, server_default="locked"))
        batch_op.add_column(sa.Column("back_entry", sa.String(length=16), nullable=False, server_default="100"))
        batch_op.add_column(sa.Column("back_entry_days", sa.Integer(), nullable=False, server_default="30"))
        batch_op.add_column(sa.Column("based_on_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("submitted_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("locked_at", sa.DateTime(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_scheme_based_on_id"), "scheme", ["based_on_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("scheme", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_scheme_based_on_id"), type_="foreignkey")
        batch_op.drop_column("locked_at")
        batch_op.drop_column("submitted_at")
        batch_op.drop_column("reason")
        batch_op.drop_column("based_on_id")
        batch_op.drop_column("back_entry_days")
        batch_op.drop_column("back_entry")
        batch_op.drop_column("state")

    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_table_name_row_id"))

    op.drop_table("approval")
