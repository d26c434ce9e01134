"""the whole register"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holiday",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("handover", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday")),
        sa.UniqueConstraint("code", name=op.f("uq_holiday_code")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_table(
        "workday",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workday")),
        sa.UniqueConstraint("date", name=op.f("uq_workday_date")),
    )
    op.create_table(
        "census_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_census_round_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_census_round")),
        sa.UniqueConstraint("term_id", name=op.f("uq_census_round_term_id")),
    )
    op.create_table(
        "dropout_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("grade", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("persuaders", sa.String(length=80), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_dropout_case_enrolment_id_child_id_school_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dropout_case")),
    )
    with op.batch_alter_table("dropout_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dropout_case_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dropout_case_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dropout_case_found_on"), ["found_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_dropout_case_school_id"), ["school_id"], unique=False)

    op.create_table(
        "evaluation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("rater", sa.String(length=16), nullable=False),
        sa.Column("conduct", sa.String(length=16), nullable=True),
        sa.Column("study", sa.String(length=16), nullable=True),
        sa.Column("health", sa.String(length=16), nullable=True),
        sa.Column("arts", sa.String(length=16), nullable=True),
        sa.Column("practice", sa.String(length=16), nullable=True),
        sa.Column("comment", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_evaluation_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_evaluation_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
    )
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evaluation_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evaluation_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_evaluation_enrolment_id_term_id_rater"),
            ["enrolment_id", "term_id", "rater"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_evaluation_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evaluation_term_id"), ["term_id"], unique=False)

    op.create_table(
        "flag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("followed_on", sa.Date(), nullable=True),
        sa.Column("follow_up", sa.Text(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_flag_enrolment_id_child_id_school_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
    )
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_flag_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_flag_on"), ["on"], unique=False)
        batch_op.create_index(batch_op.f("ix_flag_school_id"), ["school_id"], unique=False)

    op.create_table(
        "help_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("need", sa.String(length=16), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reviewed_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_help_plan_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_help_plan_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_plan")),
    )
    with op.batch_alter_table("help_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_help_plan_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_help_plan_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_help_plan_enrolment_id_term_id_need"),
            ["enrolment_id", "term_id", "need"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_help_plan_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_help_plan_term_id"), ["term_id"], unique=False)

    op.create_table(
        "holiday_handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("holiday_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("whereabouts", sa.String(length=16), nullable=True),
        sa.Column("place", sa.String(length=80), nullable=True),
        sa.Column("carer_name", sa.String(length=30), nullable=True),
        sa.Column("carer_relation", sa.String(length=16), nullable=True),
        sa.Column("carer_phone", sa.String(length=200), nullable=True),
        sa.Column("family_on", sa.Date(), nullable=True),
        sa.Column("family_way", sa.String(length=16), nullable=True),
        sa.Column("carer_on", sa.Date(), nullable=True),
        sa.Column("village_on", sa.Date(), nullable=True),
        sa.Column("village_person", sa.String(length=30), nullable=True),
        sa.Column("village_phone", sa.String(length=200), nullable=True),
        sa.Column("notice_on", sa.Date(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("handed_by", sa.String(length=30), nullable=True),
        sa.Column("received_by", sa.String(length=30), nullable=True),
        sa.Column("back_on", sa.Date(), nullable=True),
        sa.Column("back_state", sa.String(length=16), nullable=True),
        sa.Column("back_note", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_holiday_handover_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["holiday_id"], ["holiday.id"], name=op.f("fk_holiday_handover_holiday_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday_handover")),
    )
    with op.batch_alter_table("holiday_handover", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holiday_handover_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_holiday_handover_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_holiday_handover_holiday_id"), ["holiday_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_holiday_handover_holiday_id_enrolment_id"),
            ["holiday_id", "enrolment_id"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_holiday_handover_school_id"), ["school_id"], unique=False)

    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("replied_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_letter_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_letter_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_letter_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_letter_term_id"), ["term_id"], unique=False)

    op.create_table(
        "pairing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("partner", sa.String(length=30), nullable=False),
        sa.Column("partner_class", sa.String(length=30), nullable=True),
        sa.Column("goals", sa.String(length=200), nullable=True),
        sa.Column("results", sa.String(length=300), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_pairing_enrolment_id_child_id_school_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairing")),
    )
    with op.batch_alter_table("pairing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pairing_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pairing_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pairing_school_id"), ["school_id"], unique=False)

    op.create_table(
        "subsidy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.String(length=40), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_by", sa.String(length=30), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_subsidy_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["kind_id"], ["code.id"], name=op.f("fk_subsidy_kind_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsidy")),
    )
    with op.batch_alter_table("subsidy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subsidy_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_subsidy_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_subsidy_kind_id"), ["kind_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_subsidy_school_id"), ["school_id"], unique=False)

    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("undone_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_batch_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_school_id"), ["school_id"], unique=False)

    op.create_table(
        "census_return",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("census_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("girls", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["census_id"], ["census_round.id"], name=op.f("fk_census_return_census_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_census_return_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_census_return")),
    )
    with op.batch_alter_table("census_return", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_census_return_census_id"), ["census_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_census_return_census_id_school_id"),
            ["census_id", "school_id"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_census_return_school_id"), ["school_id"], unique=False)

    op.create_table(
        "counselling",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("counsellor", sa.String(length=30), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_counselling_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_counselling_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counselling")),
    )
    with op.batch_alter_table("counselling", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_counselling_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_counselling_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_counselling_on"), ["on"], unique=False)
        batch_op.create_index(batch_op.f("ix_counselling_school_id"), ["school_id"], unique=False)

    op.create_table(
        "dropout_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("document", sa.String(length=40), nullable=True),
        sa.Column("actor", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["dropout_case.id"], name=op.f("fk_dropout_step_case_id")),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_dropout_step_enrolment_id_child_id_school_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dropout_step")),
    )
    with op.batch_alter_table("dropout_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dropout_step_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dropout_step_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dropout_step_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dropout_step_school_id"), ["school_id"], unique=False)

    op.create_table(
        "evening_slot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.String(length=16), nullable=False),
        sa.Column("hours", sa.String(length=20), nullable=False),
        sa.Column("content", sa.String(length=100), nullable=False),
        sa.Column("teacher", sa.String(length=30), nullable=True),
        sa.Column("attending", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_evening_slot_school_id")),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_evening_slot_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evening_slot")),
    )
    with op.batch_alter_table("evening_slot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evening_slot_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evening_slot_term_id"), ["term_id"], unique=False)

    op.create_table(
        "facility",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.Column("keeper", sa.String(length=30), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("hours", sa.String(length=60), nullable=True),
        sa.Column("beds", sa.Integer(), nullable=True),
        sa.Column("equipment", sa.Text(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_facility_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
    )
    with op.batch_alter_table("facility", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_facility_school_id"), ["school_id"], unique=False)

    op.create_table(
        "inspection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("fields_checked", sa.Integer(), nullable=False),
        sa.Column("fields_wrong", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("satisfied", sa.Integer(), nullable=False),
        sa.Column("inspectors", sa.String(length=60), nullable=True),
        sa.Column("document", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["assessment_round.id"], name=op.f("fk_inspection_round_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_inspection_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
    )
    with op.batch_alter_table("inspection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inspection_round_id"), ["round_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inspection_school_id"), ["school_id"], unique=False)

    op.create_table(
        "notice_receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(), nullable=True),
        sa.Column("read_by", sa.String(length=30), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_receipt_notice_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_notice_receipt_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_receipt")),
        sa.UniqueConstraint("notice_id", "school_id", name=op.f("uq_notice_receipt_notice_id_school_id")),
    )
    with op.batch_alter_table("notice_receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_receipt_notice_id"), ["notice_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_receipt_school_id"), ["school_id"], unique=False)

    op.create_table(
        "opinion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(), nullable=True),
        sa.Column("handling", sa.Text(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_opinion_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion")),
    )
    with op.batch_alter_table("opinion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opinion_school_id"), ["school_id"], unique=False)

    op.create_table(
        "paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("term_id", sa.Integer(), nullable=True),
        sa.Column("rule", sa.String(length=16), nullable=True),
        sa.Column("support", sa.String(length=16), nullable=True),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("revised_on", sa.Date(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("answer", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_paper_school_id")),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_paper_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
    )
    with op.batch_alter_table("paper", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_paper_school_id"), ["school_id"], unique=False)

    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(length=16), nullable=False),
        sa.Column("rank", sa.String(length=16), nullable=True),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=True),
        sa.Column("duties", sa.Text(), nullable=True),
        sa.Column("phone", sa.String(length=200), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=True),
        sa.Column("certificate", sa.String(length=60), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_post_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
    )
    with op.batch_alter_table("post", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_post_school_id"), ["school_id"], unique=False)

    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("fields", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_draft_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_user_id"), ["user_id"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=True),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("stored", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id", "school_id"],
            ["child.id", "child.school_id"],
            name=op.f("fk_attachment_child_id_school_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_attachment_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("stored", name=op.f("uq_attachment_stored")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_child_id_school_id"), ["child_id", "school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_table_name_row_id"), ["table_name", "row_id"], unique=False)

    op.create_table(
        "child_category",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.String(length=100), nullable=True),
        sa.Column("confirmed_by", sa.String(length=30), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id", "school_id"],
            ["child.id", "child.school_id"],
            name=op.f("fk_child_category_child_id_school_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_child_category")),
    )
    with op.batch_alter_table("child_category", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_child_category_child_id_school_id"), ["child_id", "school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_child_category_school_id"), ["school_id"], unique=False)

    op.create_table(
        "mandatory_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=True),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.Column("finder", sa.String(length=30), nullable=False),
        sa.Column("situation", sa.String(length=16), nullable=False),
        sa.Column("reported_at", sa.DateTime(), nullable=True),
        sa.Column("station", sa.String(length=60), nullable=True),
        sa.Column("receipt", sa.String(length=40), nullable=True),
        sa.Column("bureau_at", sa.DateTime(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_mandatory_report_child_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_mandatory_report_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandatory_report")),
    )
    with op.batch_alter_table("mandatory_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mandatory_report_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mandatory_report_school_id"), ["school_id"], unique=False)

    op.create_table(
        "agreement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("carer_id", sa.Integer(), nullable=False),
        sa.Column("principals", sa.String(length=60), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("signed_by", sa.String(length=16), nullable=False),
        sa.Column("heard", sa.Boolean(), nullable=False),
        sa.Column("fitness_checked_on", sa.Date(), nullable=True),
        sa.Column("told_school_on", sa.Date(), nullable=True),
        sa.Column("told_village_on", sa.Date(), nullable=True),
        sa.Column("ended_how", sa.String(length=16), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["carer_id"], ["carer.id"], name=op.f("fk_agreement_carer_id")),
        sa.ForeignKeyConstraint(
            ["child_id", "school_id"],
            ["child.id", "child.school_id"],
            name=op.f("fk_agreement_child_id_school_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
    )
    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agreement_carer_id"), ["carer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_agreement_child_id_school_id"), ["child_id", "school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_agreement_school_id"), ["school_id"], unique=False)

    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("facility_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("opened", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("spheres", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("agencies", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("expert", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("seconds", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("problems", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("media", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("level", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("web", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("money", sa.String(length=40), nullable=True))
        batch_op.create_index(batch_op.f("ix_activity_facility_id"), ["facility_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_kind_id_on"), ["kind_id", "on"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_activity_facility_id"), "facility", ["facility_id"], ["id"])

    with op.batch_alter_table("care_record", schema=None) as batch_op:
        batch_op.add_column(sa.Column("minutes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("needs", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("home", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("behaviour", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("wishes", sa.Text(), nullable=True))

    with op.batch_alter_table("child", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hukou_registered", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("distance", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("travel", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("boarding_wanted", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("illness", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("disability", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("disability_grade", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("income", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("handy_contact", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("handy_phone", sa.String(length=200), nullable=True))

    with op.batch_alter_table("parent", schema=None) as batch_op:
        batch_op.add_column(sa.Column("homecoming", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("unreachable", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("marriage", sa.String(length=16), nullable=True))

    with op.batch_alter_table("state_note", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rating", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("mind", sa.Text(), nullable=True))
        batch_op.alter_column("text", existing_type=sa.Text(), nullable=True)

    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=16), nullable=False, server_default="move"))
        batch_op.add_column(sa.Column("to_place", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("grade", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("answer", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("printed_on", sa.Date(), nullable=True))

    # what is said of a child's mind moves to a column of its own
    note = sa.table("state_note", sa.column("side", sa.String), sa.column("text", sa.Text), sa.column("mind", sa.Text))
    op.execute(note.update().where(note.c.side == "mind").values(mind=note.c.text, text=None))


def downgrade() -> None:
    note = sa.table("state_note", sa.column("side", sa.String), sa.column("text", sa.Text), sa.column("mind", sa.Text))
    op.execute(note.update().where(note.c.side == "mind").values(text=sa.func.coalesce(note.c.mind, "")))
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.drop_column("printed_on")
        batch_op.drop_column("answer")
        batch_op.drop_column("grade")
        batch_op.drop_column("to_place")
        batch_op.drop_column("kind")

    with op.batch_alter_table("state_note", schema=None) as batch_op:
        batch_op.alter_column("text", existing_type=sa.Text(), nullable=False)
        batch_op.drop_column("mind")
        batch_op.drop_column("rating")

    with op.batch_alter_table("parent", schema=None) as batch_op:
        batch_op.drop_column("marriage")
        batch_op.drop_column("unreachable")
        batch_op.drop_column("homecoming")

    with op.batch_alter_table("child", schema=None) as batch_op:
        batch_op.drop_column("handy_phone")
        batch_op.drop_column("handy_contact")
        batch_op.drop_column("income")
        batch_op.drop_column("disability_grade")
        batch_op.drop_column("disability")
        batch_op.drop_column("illness")
        batch_op.drop_column("boarding_wanted")
        batch_op.drop_column("travel")
        batch_op.drop_column("distance")
        batch_op.drop_column("hukou_registered")

    with op.batch_alter_table("care_record", schema=None) as batch_op:
        batch_op.drop_column("wishes")
        batch_op.drop_column("behaviour")
        batch_op.drop_column("home")
        batch_op.drop_column("needs")
        batch_op.drop_column("minutes")

    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_activity_facility_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_activity_kind_id_on"))
        batch_op.drop_index(batch_op.f("ix_activity_facility_id"))
        batch_op.drop_column("money")
        batch_op.drop_column("web")
        batch_op.drop_column("level")
        batch_op.drop_column("media")
        batch_op.drop_column("problems")
        batch_op.drop_column("seconds")
        batch_op.drop_column("expert")
        batch_op.drop_column("agencies")
        batch_op.drop_column("spheres")
        batch_op.drop_column("opened")
        batch_op.drop_column("facility_id")

    with op.batch_alter_table("agreement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agreement_school_id"))
        batch_op.drop_index(batch_op.f("ix_agreement_child_id_school_id"))
        batch_op.drop_index(batch_op.f("ix_agreement_carer_id"))

    op.drop_table("agreement")
    with op.batch_alter_table("mandatory_report", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mandatory_report_school_id"))
        batch_op.drop_index(batch_op.f("ix_mandatory_report_child_id"))

    op.drop_table("mandatory_report")
    with op.batch_alter_table("child_category", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_child_category_school_id"))
        batch_op.drop_index(batch_op.f("ix_child_category_child_id_school_id"))

    op.drop_table("child_category")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_table_name_row_id"))
        batch_op.drop_index(batch_op.f("ix_attachment_school_id"))
        batch_op.drop_index(batch_op.f("ix_attachment_child_id_school_id"))

    op.drop_table("attachment")
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draft_user_id"))

    op.drop_table("draft")
    with op.batch_alter_table("post", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_post_school_id"))

    op.drop_table("post")
    with op.batch_alter_table("paper", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_paper_school_id"))

    op.drop_table("paper")
    with op.batch_alter_table("opinion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_opinion_school_id"))

    op.drop_table("opinion")
    with op.batch_alter_table("notice_receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_receipt_school_id"))
        batch_op.drop_index(batch_op.f("ix_notice_receipt_notice_id"))

    op.drop_table("notice_receipt")
    with op.batch_alter_table("inspection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inspection_school_id"))
        batch_op.drop_index(batch_op.f("ix_inspection_round_id"))

    op.drop_table("inspection")
    with op.batch_alter_table("facility", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_facility_school_id"))

    op.drop_table("facility")
    with op.batch_alter_table("evening_slot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evening_slot_term_id"))
        batch_op.drop_index(batch_op.f("ix_evening_slot_school_id"))

    op.drop_table("evening_slot")
    with op.batch_alter_table("dropout_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dropout_step_school_id"))
        batch_op.drop_index(batch_op.f("ix_dropout_step_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_dropout_step_child_id"))
        batch_op.drop_index(batch_op.f("ix_dropout_step_case_id"))

    op.drop_table("dropout_step")
    with op.batch_alter_table("counselling", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_counselling_school_id"))
        batch_op.drop_index(batch_op.f("ix_counselling_on"))
        batch_op.drop_index(batch_op.f("ix_counselling_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_counselling_child_id"))

    op.drop_table("counselling")
    with op.batch_alter_table("census_return", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_census_return_school_id"))
        batch_op.drop_index(
            batch_op.f("ix_census_return_census_id_school_id"),
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_census_return_census_id"))

    op.drop_table("census_return")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_school_id"))

    op.drop_table("batch")
    with op.batch_alter_table("subsidy", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subsidy_school_id"))
        batch_op.drop_index(batch_op.f("ix_subsidy_kind_id"))
        batch_op.drop_index(batch_op.f("ix_subsidy_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_subsidy_child_id"))

    op.drop_table("subsidy")
    with op.batch_alter_table("pairing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pairing_school_id"))
        batch_op.drop_index(batch_op.f("ix_pairing_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_pairing_child_id"))

    op.drop_table("pairing")
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_letter_term_id"))
        batch_op.drop_index(batch_op.f("ix_letter_school_id"))
        batch_op.drop_index(batch_op.f("ix_letter_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_letter_child_id"))

    op.drop_table("letter")
    with op.batch_alter_table("holiday_handover", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holiday_handover_school_id"))
        batch_op.drop_index(
            batch_op.f("ix_holiday_handover_holiday_id_enrolment_id"),
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_holiday_handover_holiday_id"))
        batch_op.drop_index(batch_op.f("ix_holiday_handover_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_holiday_handover_child_id"))

    op.drop_table("holiday_handover")
    with op.batch_alter_table("help_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_help_plan_term_id"))
        batch_op.drop_index(batch_op.f("ix_help_plan_school_id"))
        batch_op.drop_index(
            batch_op.f("ix_help_plan_enrolment_id_term_id_need"),
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_help_plan_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_help_plan_child_id"))

    op.drop_table("help_plan")
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flag_school_id"))
        batch_op.drop_index(batch_op.f("ix_flag_on"))
        batch_op.drop_index(batch_op.f("ix_flag_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_flag_child_id"))

    op.drop_table("flag")
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evaluation_term_id"))
        batch_op.drop_index(batch_op.f("ix_evaluation_school_id"))
        batch_op.drop_index(
            batch_op.f("ix_evaluation_enrolment_id_term_id_rater"),
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_evaluation_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_evaluation_child_id"))

    op.drop_table("evaluation")
    with op.batch_alter_table("dropout_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dropout_case_school_id"))
        batch_op.drop_index(batch_op.f("ix_dropout_case_found_on"))
        batch_op.drop_index(batch_op.f("ix_dropout_case_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_dropout_case_child_id"))

    op.drop_table("dropout_case")
    op.drop_table("census_round")
    op.drop_table("workday")
    op.drop_table("notice")
    op.drop_table("holiday")
