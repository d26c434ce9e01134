"""reports kept as they were counted, comparisons with the lists of others"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("basis", sa.String(length=120), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("handed_in_at", sa.DateTime(), nullable=True),
        sa.Column("handed_in_by", sa.String(length=30), nullable=True),
        *_row(),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_report_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    op.create_table(
        "comparison",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("civil_file", sa.String(length=200), nullable=True),
        sa.Column("roll_file", sa.String(length=200), nullable=True),
        sa.Column("unread", sa.String(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=30), nullable=False),
        *_row(),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_comparison_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison")),
    )
    op.create_table(
        "comparison_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("comparison_id", sa.Integer(), nullable=False),
        sa.Column("match", sa.String(length=16), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("sex", sa.String(length=16), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("id_number", sa.String(length=200), nullable=True),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("civil", sa.Boolean(), nullable=False),
        sa.Column("roll", sa.Boolean(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("differences", sa.String(), nullable=True),
        sa.Column("explained", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("remark", sa.String(length=100), nullable=True),
        *_row(),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_comparison_row_school_id")),
        sa.ForeignKeyConstraint(["comparison_id"], ["comparison.id"], name=op.f("fk_comparison_row_comparison_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison_row")),
    )
    op.create_table(
        "export_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("address", sa.String(length=600), nullable=False),
        sa.Column("said", sa.String(length=400), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=100), nullable=False),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        *_row(),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_export_request_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_request")),
    )
    for table, column in (
        ("report", "school_id"),
        ("export_request", "school_id"),
        ("comparison", "school_id"),
        ("comparison_row", "school_id"),
        ("comparison_row", "comparison_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _row() -> list[sa.Column]:
    """What every table has; a fresh column each time."""
    return [
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def downgrade() -> None:
    for table in ("comparison_row", "comparison", "export_request", "report"):
        op.drop_table(table)
