"""what the plan asks besides"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.alter_column("adults", existing_type=sa.Integer(), new_column_name="parents")
        batch_op.add_column(sa.Column("guardians", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("lesson", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("slot_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_activity_slot_id"), ["slot_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_activity_slot_id"), "evening_slot", ["slot_id"], ["id"])

    with op.batch_alter_table("carer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("other_phone", sa.String(length=200), nullable=True))

    with op.batch_alter_table("child", schema=None) as batch_op:
        batch_op.add_column(sa.Column("request_kinds", sa.String(length=200), nullable=True))

    with op.batch_alter_table("evening_slot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=16), nullable=False, server_default="study"))

    with op.batch_alter_table("parent", schema=None) as batch_op:
        batch_op.add_column(sa.Column("other_phone", sa.String(length=200), nullable=True))

    with op.batch_alter_table("scheme", schema=None) as batch_op:
        batch_op.add_column(sa.Column("policy_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_scheme_policy_id"), "notice", ["policy_id"], ["id"])

    with op.batch_alter_table("school", schema=None) as batch_op:
        batch_op.add_column(sa.Column("affiliation", sa.String(length=16), nullable=True))

    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.create_index(
            "uq_transfer_pending",
            ["child_id"],
            unique=True,
            sqlite_where=sa.text("state = 'pending' AND deleted_at IS NULL"),
            postgresql_where=sa.text("state = 'pending' AND deleted_at IS NULL"),
        )

    # what the kind of a school says of it; the office corrects the rest
    school = sa.table("school", sa.column("kind", sa.String), sa.column("affiliation", sa.String))
    op.execute(school.update().where(school.c.kind.not_in(["outside", "bureau"])).values(affiliation="township"))
    county = ["primary", "complete", "senior", "vocational", "special"]
    op.execute(school.update().where(school.c.kind.in_(county)).values(affiliation="county"))


def downgrade() -> None:
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_transfer_pending",
            sqlite_where=sa.text("state = 'pending' AND deleted_at IS NULL"),
            postgresql_where=sa.text("state = 'pending' AND deleted_at IS NULL"),
        )

    with op.batch_alter_table("school", schema=None) as batch_op:
        batch_op.drop_column("affiliation")

    with op.batch_alter_table("scheme", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_scheme_policy_id"), type_="foreignkey")
        batch_op.drop_column("policy_id")

    with op.batch_alter_table("parent", schema=None) as batch_op:
        batch_op.drop_column("other_phone")

    with op.batch_alter_table("evening_slot", schema=None) as batch_op:
        batch_op.drop_column("kind")

    with op.batch_alter_table("child", schema=None) as batch_op:
        batch_op.drop_column("request_kinds")

    with op.batch_alter_table("carer", schema=None) as batch_op:
        batch_op.drop_column("other_phone")

    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.alter_column("parents", existing_type=sa.Integer(), new_column_name="adults")
        batch_op.drop_constraint(batch_op.f("fk_activity_slot_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_activity_slot_id"))
        batch_op.drop_column("slot_id")
        batch_op.drop_column("lesson")
        batch_op.drop_column("guardians")
