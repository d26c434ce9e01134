"""the first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("user_name", sa.String(length=40), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_action"), ["action"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_table_name_row_id"), ["table_name", "row_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_user_id"), ["user_id"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("aliases", sa.String(length=100), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code")),
        sa.UniqueConstraint("kind", "code", name=op.f("uq_code_kind_code")),
    )
    op.create_table(
        "day",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("after_3_months", sa.Date(), nullable=False),
        sa.Column("after_16_years", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_day")),
    )
    with op.batch_alter_table("day", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_day_month"), ["month"], unique=False)
        batch_op.create_index(batch_op.f("ix_day_n"), ["n"], unique=False)

    op.create_table(
        "enrolment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("child_name", sa.String(length=30), nullable=False),
        sa.Column("leave_reason", sa.String(length=16), nullable=True),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("id", "child_id", "school_id", name=op.f("uq_enrolment_id_child_id_school_id")),
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_school_id"), ["school_id"], unique=False)
        batch_op.create_index(
            "uq_enrolment_open",
            ["child_id"],
            unique=True,
            sqlite_where=sa.text('"end" IS NULL AND deleted_at IS NULL'),
            postgresql_where=sa.text('"end" IS NULL AND deleted_at IS NULL'),
        )

    op.create_table(
        "login_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    with op.batch_alter_table("login_failure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_failure_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_failure_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_failure_who"), ["who"], unique=False)

    op.create_table(
        "scheme",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("document", sa.String(length=40), nullable=True),
        sa.Column("definition", sa.String(length=16), nullable=False),
        sa.Column("quota", sa.String(length=40), nullable=False),
        sa.Column("weight", sa.String(length=40), nullable=False),
        sa.Column("bonus_cap", sa.String(length=40), nullable=False),
        sa.Column("minimum", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme")),
        sa.UniqueConstraint("code", name=op.f("uq_scheme_code")),
    )
    op.create_table(
        "setting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting")),
        sa.UniqueConstraint("key", name=op.f("uq_setting_key")),
    )
    op.create_table(
        "term",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("code", name=op.f("uq_term_code")),
    )
    op.create_table(
        "township",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("aliases", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_township")),
        sa.UniqueConstraint("code", name=op.f("uq_township_code")),
        sa.UniqueConstraint("name", name=op.f("uq_township_name")),
    )
    op.create_table(
        "assessment_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("scheme_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("cut_off", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("frozen_at", sa.DateTime(), nullable=True),
        sa.Column("published_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name=op.f("fk_assessment_round_scheme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_round")),
        sa.UniqueConstraint("code", name=op.f("uq_assessment_round_code")),
    )
    op.create_table(
        "audit_value",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_value_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_value")),
    )
    op.create_table(
        "indicator",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scheme_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("points", sa.String(length=40), nullable=False),
        sa.Column("tag", sa.String(length=16), nullable=True),
        sa.Column("standard", sa.String(length=200), nullable=True),
        sa.Column("evidence", sa.String(length=100), nullable=True),
        sa.Column("pattern", sa.String(length=16), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("applies", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["indicator.id"], name=op.f("fk_indicator_parent_id")),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name=op.f("fk_indicator_scheme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indicator")),
        sa.UniqueConstraint("scheme_id", "code", name=op.f("uq_indicator_scheme_id_code")),
    )
    with op.batch_alter_table("indicator", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_indicator_scheme_id"), ["scheme_id"], unique=False)

    op.create_table(
        "school",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("township_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("centre_id", sa.Integer(), nullable=True),
        sa.Column("assessed", sa.Boolean(), nullable=False),
        sa.Column("school_group", sa.String(length=16), nullable=True),
        sa.Column("boarding", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("area", sa.String(length=16), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["school.id"], name=op.f("fk_school_centre_id")),
        sa.ForeignKeyConstraint(["township_id"], ["township.id"], name=op.f("fk_school_township_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school")),
        sa.UniqueConstraint("code", name=op.f("uq_school_code")),
    )
    with op.batch_alter_table("school", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_school_centre_id"), ["centre_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_school_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_school_township_id"), ["township_id"], unique=False)

    op.create_table(
        "state_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("staff_name", sa.String(length=30), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
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
            name=op.f("fk_state_note_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_state_note_term_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_note")),
    )
    with op.batch_alter_table("state_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_state_note_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_state_note_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_state_note_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_state_note_term_id"), ["term_id"], unique=False)

    op.create_table(
        "activity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("kind_id", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(length=16), nullable=True),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.Column("leader", sa.String(length=30), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=True),
        sa.Column("adults", sa.Integer(), nullable=True),
        sa.Column("partners", sa.String(length=100), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["kind_id"], ["code.id"], name=op.f("fk_activity_kind_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_activity_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_kind_id"), ["kind_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_on"), ["on"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_school_id"), ["school_id"], unique=False)

    op.create_table(
        "adjustment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("matter", sa.String(length=100), nullable=False),
        sa.Column("points", sa.String(length=40), nullable=False),
        sa.Column("effect", sa.String(length=16), nullable=True),
        sa.Column("document", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["assessment_round.id"], name=op.f("fk_adjustment_round_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_adjustment_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
    )
    with op.batch_alter_table("adjustment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_adjustment_round_id"), ["round_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_adjustment_school_id"), ["school_id"], unique=False)

    op.create_table(
        "import_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("content", sa.String(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_import_batch_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_batch_school_id"), ["school_id"], unique=False)

    op.create_table(
        "sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["assessment_round.id"], name=op.f("fk_sheet_round_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_sheet_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet")),
        sa.UniqueConstraint("round_id", "school_id", name=op.f("uq_sheet_round_id_school_id")),
    )
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sheet_school_id"), ["school_id"], unique=False)

    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("duty", sa.String(length=40), nullable=True),
        sa.Column("phone", sa.String(length=200), nullable=True),
        sa.Column("phone_changed_on", sa.Date(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
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
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_staff_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
    )
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_staff_school_id"), ["school_id"], unique=False)

    op.create_table(
        "training_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("kind_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=True),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.Column("speaker", sa.String(length=30), nullable=True),
        sa.Column("speaker_unit", sa.String(length=60), nullable=True),
        sa.Column("topic", sa.String(length=200), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["kind_id"], ["code.id"], name=op.f("fk_training_session_kind_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_training_session_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_session")),
    )
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_session_kind_id"), ["kind_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_training_session_on"), ["on"], unique=False)
        batch_op.create_index(batch_op.f("ix_training_session_school_id"), ["school_id"], unique=False)

    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("password_expires_at", sa.DateTime(), nullable=True),
        sa.Column("last_login_at", sa.DateTime(), nullable=True),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_user_account_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("username", name=op.f("uq_user_account_username")),
    )
    op.create_table(
        "attendance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("child_name", sa.String(length=30), nullable=False),
        sa.Column("carer_name", sa.String(length=30), nullable=False),
        sa.Column("relation", sa.String(length=16), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("person_key", sa.String(length=64), nullable=True),
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
            name=op.f("fk_attendance_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["session_id"], ["training_session.id"], name=op.f("fk_attendance_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
    )
    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attendance_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attendance_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attendance_person_key"), ["person_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_attendance_school_id"), ["school_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_attendance_session_id_enrolment_id_person_key"),
            ["session_id", "enrolment_id", "person_key"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "care_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("partner", sa.String(length=40), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("measures", sa.Text(), nullable=True),
        sa.Column("effect", sa.String(length=16), nullable=True),
        sa.Column("attention", sa.String(length=16), nullable=False),
        sa.Column("follow_up_on", sa.Date(), nullable=True),
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
            name=op.f("fk_care_record_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_care_record_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_record")),
    )
    with op.batch_alter_table("care_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_care_record_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_care_record_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_care_record_kind_on"), ["kind", "on"], unique=False)
        batch_op.create_index(batch_op.f("ix_care_record_on"), ["on"], unique=False)
        batch_op.create_index(batch_op.f("ix_care_record_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_care_record_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "child",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("former_name", sa.String(length=30), nullable=True),
        sa.Column("sex", sa.String(length=16), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("ethnic", sa.String(length=16), nullable=False),
        sa.Column("id_kind", sa.String(length=16), nullable=False),
        sa.Column("id_number", sa.String(length=200), nullable=True),
        sa.Column("id_number_key", sa.String(length=64), nullable=True),
        sa.Column("roll_number", sa.String(length=200), nullable=True),
        sa.Column("hukou", sa.String(length=16), nullable=True),
        sa.Column("hukou_place", sa.String(length=100), nullable=True),
        sa.Column("home_address", sa.String(length=100), nullable=True),
        sa.Column("area", sa.String(length=16), nullable=True),
        sa.Column("grade", sa.String(length=16), nullable=False),
        sa.Column("class_name", sa.String(length=20), nullable=False),
        sa.Column("class_teacher_id", sa.Integer(), nullable=True),
        sa.Column("boarding", sa.Boolean(), nullable=False),
        sa.Column("health", sa.String(length=16), nullable=True),
        sa.Column("special_requests", sa.Text(), nullable=True),
        sa.Column("interests", sa.String(length=200), nullable=True),
        sa.Column("facts_confirmed_at", sa.Date(), nullable=True),
        sa.Column("remark", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["class_teacher_id"], ["staff.id"], name=op.f("fk_child_class_teacher_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_child_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_child")),
        sa.UniqueConstraint("id", "school_id", name=op.f("uq_child_id_school_id")),
    )
    with op.batch_alter_table("child", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_child_birth_date"), ["birth_date"], unique=False)
        batch_op.create_index(batch_op.f("ix_child_class_teacher_id"), ["class_teacher_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_child_id_number_key"),
            ["id_number_key"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL AND id_number_key IS NOT NULL"),
            postgresql_where=sa.text("deleted_at IS NULL AND id_number_key IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_child_in_order",
            ["school_id", "grade", "class_name", "name"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_child_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_child_school_id"), ["school_id"], unique=False)

    op.create_table(
        "item_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=False),
        sa.Column("auto", sa.String(length=40), nullable=True),
        sa.Column("numerator", sa.String(length=40), nullable=True),
        sa.Column("denominator", sa.String(length=40), nullable=True),
        sa.Column("self_score", sa.String(length=40), nullable=True),
        sa.Column("check_score", sa.String(length=40), nullable=True),
        sa.Column("final", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("lists", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["indicator_id"], ["indicator.id"], name=op.f("fk_item_score_indicator_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_item_score_school_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name=op.f("fk_item_score_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_score")),
        sa.UniqueConstraint("sheet_id", "indicator_id", name=op.f("uq_item_score_sheet_id_indicator_id")),
    )
    with op.batch_alter_table("item_score", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_score_school_id"), ["school_id"], unique=False)

    op.create_table(
        "login_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_login_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "participation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("child_name", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_participation_activity_id")),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"],
            ["enrolment.id", "enrolment.child_id", "enrolment.school_id"],
            name=op.f("fk_participation_enrolment_id_child_id_school_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participation")),
    )
    with op.batch_alter_table("participation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_participation_activity_id_enrolment_id"),
            ["activity_id", "enrolment_id"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_participation_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_participation_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_participation_school_id"), ["school_id"], unique=False)

    op.create_table(
        "user_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_user_role_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_role")),
        sa.UniqueConstraint("user_id", "role", name=op.f("uq_user_role_user_id_role")),
    )
    op.create_table(
        "carer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("relation", sa.String(length=16), nullable=False),
        sa.Column("sex", sa.String(length=16), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("age_on", sa.Date(), nullable=True),
        sa.Column("id_number", sa.String(length=200), nullable=True),
        sa.Column("phone", sa.String(length=200), nullable=True),
        sa.Column("phone_changed_on", sa.Date(), nullable=True),
        sa.Column("address", sa.String(length=100), nullable=True),
        sa.Column("occupation", sa.String(length=16), nullable=True),
        sa.Column("schooling", sa.String(length=16), nullable=True),
        sa.Column("health", sa.String(length=16), nullable=True),
        sa.Column("lives_with", sa.Boolean(), nullable=False),
        sa.Column("quality", sa.String(length=16), nullable=True),
        sa.Column("person_key", sa.String(length=64), nullable=True),
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
            ["child_id", "school_id"], ["child.id", "child.school_id"], name=op.f("fk_carer_child_id_school_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carer")),
    )
    with op.batch_alter_table("carer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carer_child_id_school_id"), ["child_id", "school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_carer_person_key"), ["person_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_carer_school_id"), ["school_id"], unique=False)

    op.create_table(
        "contact_card",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_by_id", sa.Integer(), nullable=False),
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
            name=op.f("fk_contact_card_child_id_school_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["issued_by_id"], ["school.id"], name=op.f("fk_contact_card_issued_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_card")),
    )
    with op.batch_alter_table("contact_card", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_card_child_id_school_id"), ["child_id", "school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_card_school_id"), ["school_id"], unique=False)

    op.create_table(
        "parent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("bond", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("phone", sa.String(length=200), nullable=True),
        sa.Column("phone_changed_on", sa.Date(), nullable=True),
        sa.Column("id_number", sa.String(length=200), nullable=True),
        sa.Column("employer", sa.String(length=100), nullable=True),
        sa.Column("contact", sa.String(length=16), nullable=True),
        sa.Column("last_home", sa.Date(), nullable=True),
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
            name=op.f("fk_parent_child_id_school_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parent")),
    )
    with op.batch_alter_table("parent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parent_child_id_school_id"), ["child_id", "school_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_parent_child_id_side"),
            ["child_id", "side"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_parent_school_id"), ["school_id"], unique=False)

    op.create_table(
        "responsibility",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
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
            name=op.f("fk_responsibility_child_id_school_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_responsibility_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responsibility")),
    )
    with op.batch_alter_table("responsibility", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_responsibility_child_id_school_id"), ["child_id", "school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_responsibility_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_responsibility_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("to_school_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("child_name", sa.String(length=30), nullable=False),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_transfer_child_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_transfer_school_id")),
        sa.ForeignKeyConstraint(["to_school_id"], ["school.id"], name=op.f("fk_transfer_to_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transfer_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_transfer_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_transfer_to_school_id"), ["to_school_id"], unique=False)

    op.create_table(
        "parent_status",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.Column("reach", sa.String(length=16), nullable=True),
        sa.Column("evidence", sa.String(length=100), nullable=True),
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
            name=op.f("fk_parent_status_child_id_school_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["parent.id"], name=op.f("fk_parent_status_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parent_status")),
    )
    with op.batch_alter_table("parent_status", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parent_status_child_id_school_id"), ["child_id", "school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_parent_status_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_parent_status_school_id"), ["school_id"], unique=False)
    op.execute("INSERT INTO audit_head (id, seq, mac) VALUES (1, 0, '" + "0" * 64 + "')")  # nosec B608 # from nowhere but here


def downgrade() -> None:
    with op.batch_alter_table("parent_status", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parent_status_school_id"))
        batch_op.drop_index(batch_op.f("ix_parent_status_parent_id"))
        batch_op.drop_index(batch_op.f("ix_parent_status_child_id_school_id"))

    op.drop_table("parent_status")
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_transfer_to_school_id"))
        batch_op.drop_index(batch_op.f("ix_transfer_school_id"))
        batch_op.drop_index(batch_op.f("ix_transfer_child_id"))

    op.drop_table("transfer")
    with op.batch_alter_table("responsibility", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_responsibility_staff_id"))
        batch_op.drop_index(batch_op.f("ix_responsibility_school_id"))
        batch_op.drop_index(batch_op.f("ix_responsibility_child_id_school_id"))

    op.drop_table("responsibility")
    with op.batch_alter_table("parent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parent_school_id"))
        batch_op.drop_index(
            batch_op.f("ix_parent_child_id_side"),
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_parent_child_id_school_id"))

    op.drop_table("parent")
    with op.batch_alter_table("contact_card", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_card_school_id"))
        batch_op.drop_index(batch_op.f("ix_contact_card_child_id_school_id"))

    op.drop_table("contact_card")
    with op.batch_alter_table("carer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carer_school_id"))
        batch_op.drop_index(batch_op.f("ix_carer_person_key"))
        batch_op.drop_index(batch_op.f("ix_carer_child_id_school_id"))

    op.drop_table("carer")
    op.drop_table("user_role")
    with op.batch_alter_table("participation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_participation_school_id"))
        batch_op.drop_index(batch_op.f("ix_participation_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_participation_child_id"))
        batch_op.drop_index(
            batch_op.f("ix_participation_activity_id_enrolment_id"),
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.drop_table("participation")
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_session_user_id"))

    op.drop_table("login_session")
    with op.batch_alter_table("item_score", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_item_score_school_id"))

    op.drop_table("item_score")
    with op.batch_alter_table("child", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_child_school_id"))
        batch_op.drop_index(batch_op.f("ix_child_name"))
        batch_op.drop_index(
            "ix_child_in_order", sqlite_where=sa.text("deleted_at IS NULL"), postgresql_where=sa.text("deleted_at IS NULL")
        )
        batch_op.drop_index(
            batch_op.f("ix_child_id_number_key"),
            sqlite_where=sa.text("deleted_at IS NULL AND id_number_key IS NOT NULL"),
            postgresql_where=sa.text("deleted_at IS NULL AND id_number_key IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_child_class_teacher_id"))
        batch_op.drop_index(batch_op.f("ix_child_birth_date"))

    op.drop_table("child")
    with op.batch_alter_table("care_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_care_record_staff_id"))
        batch_op.drop_index(batch_op.f("ix_care_record_school_id"))
        batch_op.drop_index(batch_op.f("ix_care_record_on"))
        batch_op.drop_index(batch_op.f("ix_care_record_kind_on"))
        batch_op.drop_index(batch_op.f("ix_care_record_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_care_record_child_id"))

    op.drop_table("care_record")
    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_attendance_session_id_enrolment_id_person_key"),
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_attendance_school_id"))
        batch_op.drop_index(batch_op.f("ix_attendance_person_key"))
        batch_op.drop_index(batch_op.f("ix_attendance_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_attendance_child_id"))

    op.drop_table("attendance")
    op.drop_table("user_account")
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_training_session_school_id"))
        batch_op.drop_index(batch_op.f("ix_training_session_on"))
        batch_op.drop_index(batch_op.f("ix_training_session_kind_id"))

    op.drop_table("training_session")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_school_id"))
        batch_op.drop_index(batch_op.f("ix_staff_name"))

    op.drop_table("staff")
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_school_id"))

    op.drop_table("sheet")
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_batch_school_id"))

    op.drop_table("import_batch")
    with op.batch_alter_table("adjustment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_adjustment_school_id"))
        batch_op.drop_index(batch_op.f("ix_adjustment_round_id"))

    op.drop_table("adjustment")
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_school_id"))
        batch_op.drop_index(batch_op.f("ix_activity_on"))
        batch_op.drop_index(batch_op.f("ix_activity_kind_id"))

    op.drop_table("activity")
    with op.batch_alter_table("state_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_state_note_term_id"))
        batch_op.drop_index(batch_op.f("ix_state_note_school_id"))
        batch_op.drop_index(batch_op.f("ix_state_note_enrolment_id"))
        batch_op.drop_index(batch_op.f("ix_state_note_child_id"))

    op.drop_table("state_note")
    with op.batch_alter_table("school", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_school_township_id"))
        batch_op.drop_index(batch_op.f("ix_school_name"))
        batch_op.drop_index(batch_op.f("ix_school_centre_id"))

    op.drop_table("school")
    with op.batch_alter_table("indicator", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_indicator_scheme_id"))

    op.drop_table("indicator")
    op.drop_table("audit_value")
    op.drop_table("assessment_round")
    op.drop_table("township")
    op.drop_table("term")
    op.drop_table("setting")
    op.drop_table("scheme")
    with op.batch_alter_table("login_failure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_failure_who"))
        batch_op.drop_index(batch_op.f("ix_login_failure_at"))
        batch_op.drop_index(batch_op.f("ix_login_failure_address"))

    op.drop_table("login_failure")
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_enrolment_open",
            sqlite_where=sa.text('"end" IS NULL AND deleted_at IS NULL'),
            postgresql_where=sa.text('"end" IS NULL AND deleted_at IS NULL'),
        )
        batch_op.drop_index(batch_op.f("ix_enrolment_school_id"))
        batch_op.drop_index(batch_op.f("ix_enrolment_child_id"))

    op.drop_table("enrolment")
    with op.batch_alter_table("day", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_day_n"))
        batch_op.drop_index(batch_op.f("ix_day_month"))

    op.drop_table("day")
    op.drop_table("code")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entry_user_id"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_table_name_row_id"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_school_id"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_at"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_action"))

    op.drop_table("audit_entry")
