"""the whole workflow of a round: self-assessment, checks, publicity, appeals"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GONE = ("auto", "numerator", "denominator", "self_score", "check_score", "final", "reason")
"""What stood beside the counted numbers; marks are rows of their own now."""
NEW_STATES = {"frozen": "decision"}
"""A frozen round waits for the decision; an open or published one is called as before."""
OLD_STATES = {
    "set_up": "open",
    **dict.fromkeys(("check", "on_site", "review", "decision", "publicity", "appeal"), "frozen"),
    "applied": "published",
}
ROW = ("created_at", "created_by", "updated_at", "updated_by", "version")


def upgrade() -> None:
    op.create_table(
        "round_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=True),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["assessment_round.id"], name=op.f("fk_round_step_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_step")),
    )
    with op.batch_alter_table("round_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_step_round_id"), ["round_id"], unique=False)

    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("definition", sa.String(length=16), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["assessment_round.id"], name=op.f("fk_snapshot_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
    )
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snapshot_round_id"), ["round_id"], unique=False)

    op.create_table(
        "appeal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("wanted", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["indicator_id"], ["indicator.id"], name=op.f("fk_appeal_indicator_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_appeal_school_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name=op.f("fk_appeal_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
    )
    with op.batch_alter_table("appeal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appeal_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_appeal_sheet_id"), ["sheet_id"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["indicator_id"], ["indicator.id"], name=op.f("fk_evidence_indicator_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_evidence_school_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name=op.f("fk_evidence_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_sheet_id"), ["sheet_id"], unique=False)

    op.create_table(
        "inspected",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("child_name", sa.String(length=40), nullable=False),
        sa.Column("class_name", sa.String(length=40), nullable=True),
        sa.Column("fields_checked", sa.Integer(), nullable=True),
        sa.Column("fields_wrong", sa.Integer(), nullable=True),
        sa.Column("wrong", sa.String(length=200), nullable=True),
        sa.Column("satisfied", sa.Boolean(), nullable=True),
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
            name=op.f("fk_inspected_enrolment_id_child_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name=op.f("fk_inspected_inspection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspected")),
    )
    with op.batch_alter_table("inspected", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inspected_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inspected_enrolment_id"), ["enrolment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inspected_inspection_id"), ["inspection_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_inspected_inspection_id_child_id"),
            ["inspection_id", "child_id"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_inspected_school_id"), ["school_id"], unique=False)

    op.create_table(
        "office_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("points", sa.String(length=40), nullable=True),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["indicator_id"], ["indicator.id"], name=op.f("fk_office_score_indicator_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_office_score_school_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name=op.f("fk_office_score_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_score")),
    )
    with op.batch_alter_table("office_score", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_office_score_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_office_score_sheet_id_indicator_id"), ["sheet_id", "indicator_id"], unique=False)

    op.create_table(
        "self_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=False),
        sa.Column("points", sa.String(length=40), nullable=True),
        sa.Column("words", sa.String(length=300), nullable=True),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["indicator_id"], ["indicator.id"], name=op.f("fk_self_score_indicator_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_self_score_school_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name=op.f("fk_self_score_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_score")),
    )
    with op.batch_alter_table("self_score", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_self_score_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_self_score_sheet_id_indicator_id"), ["sheet_id", "indicator_id"], unique=False)

    op.create_table(
        "sheet_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("move", sa.String(length=16), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=True),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("card", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_sheet_step_school_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name=op.f("fk_sheet_step_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_step")),
    )
    with op.batch_alter_table("sheet_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sheet_step_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheet_step_sheet_id"), ["sheet_id"], unique=False)

    op.create_table(
        "snapshot_part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("children", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_snapshot_part_school_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_snapshot_part_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot_part")),
        sa.UniqueConstraint("snapshot_id", "school_id", name=op.f("uq_snapshot_part_snapshot_id_school_id")),
    )
    with op.batch_alter_table("snapshot_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snapshot_part_school_id"), ["school_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_snapshot_part_snapshot_id"), ["snapshot_id"], unique=False)

    op.create_table(
        "appeal_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("appeal_id", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("was", sa.String(length=40), nullable=True),
        sa.Column("now", sa.String(length=40), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeal.id"], name=op.f("fk_appeal_answer_appeal_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_appeal_answer_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_answer")),
        sa.UniqueConstraint("appeal_id", name=op.f("uq_appeal_answer_appeal_id")),
    )
    with op.batch_alter_table("appeal_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appeal_answer_school_id"), ["school_id"], unique=False)

    with op.batch_alter_table("assessment_round", schema=None) as batch_op:
        batch_op.add_column(sa.Column("self_due", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("minutes", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("decided_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("shown_from", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("shown_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("document", sa.String(length=60), nullable=True))

    with op.batch_alter_table("inspection", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lot", sa.String(length=20), nullable=True))

    with op.batch_alter_table("adjustment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cause", sa.String(length=16), nullable=True))

    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.add_column(sa.Column("decided", sa.JSON(), nullable=True))

    with op.batch_alter_table("item_score", schema=None) as batch_op:
        batch_op.add_column(sa.Column("facts", sa.JSON(), nullable=False, server_default="{}"))
    _marks_from_scores()
    _facts_apart_from_lists()
    with op.batch_alter_table("item_score", schema=None) as batch_op:
        batch_op.alter_column("lists", existing_type=sa.JSON(), nullable=False)
        for name in GONE:
            batch_op.drop_column(name)
    _states(NEW_STATES)


def _states(renamed: dict[str, str]) -> None:
    for old, new in renamed.items():
        op.execute(sa.text("update assessment_round set state = :new where state = :old").bindparams(new=new, old=old))


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


def _marks_from_scores() -> None:
    """What the office judged becomes a mark: of the decision where the round was frozen, else of the first check."""
    bind = op.get_bind()
    scores, sheets, rounds, marks = (_table(name) for name in ("item_score", "sheet", "assessment_round", "office_score"))
    rows = bind.execute(
        sa.select(scores, rounds.c.state)
        .join(sheets, sheets.c.id == scores.c.sheet_id)
        .join(rounds, rounds.c.id == sheets.c.round_id)
        .where(scores.c.final.is_not(None))
        .order_by(scores.c.id)
    ).mappings()
    given = [
        {
            "school_id": row["school_id"], "sheet_id": row["sheet_id"], "indicator_id": row["indicator_id"], "points": row["final"],
            "reason": row["reason"], "stage": "check" if row["state"] == "open" else "final", "whole": False, "by": "",
            **{name: row[name] for name in ROW},
        }
        for row in rows
    ]  # fmt: skip
    if given:
        bind.execute(sa.insert(marks), given)
    bind.execute(
        sa.update(sheets)
        .where(sheets.c.round_id.in_(sa.select(rounds.c.id).where(rounds.c.state == "published")))
        .values(decided=sheets.c.card)
    )
    bind.execute(
        sa.update(sheets)
        .where(sheets.c.round_id.in_(sa.select(rounds.c.id).where(rounds.c.state != "published")))
        .values(card=sa.null())
    )
    bind.execute(sa.update(rounds).where(rounds.c.state == "published").values(decided_at=rounds.c.published_at))


def _facts_apart_from_lists() -> None:
    """The numbers apart from the names. Rows that held a judgement and nothing counted are not needed any more."""
    bind, scores = op.get_bind(), _table("item_score")
    bind.execute(sa.delete(scores).where(sa.or_(scores.c.lists.is_(None), sa.cast(scores.c.lists, sa.String) == "null")))
    for row in bind.execute(sa.select(scores.c.id, scores.c.lists)).all():
        kept: dict[str, Any] = _json(row.lists)
        numbers = {code: [fact["value"], fact["numerator"], fact["denominator"]] for code, fact in kept.items()}
        names = {code: fact["lines"] for code, fact in kept.items()}
        bind.execute(sa.update(scores).where(scores.c.id == row.id).values(facts=numbers, lists=names))


def _json(value: Any) -> dict[str, Any]:
    return json.loads(value) if isinstance(value, str) else value or {}


def downgrade() -> None:
    """Back to one row an item with the newest mark in it; self-scores, appeals and the trail of steps have no place there."""
    with op.batch_alter_table("item_score", schema=None) as batch_op:
        for name in GONE:
            batch_op.add_column(sa.Column(name, sa.String(length=300 if name == "reason" else 40), nullable=True))
        batch_op.alter_column("lists", existing_type=sa.JSON(), nullable=True)
    _scores_from_marks()
    with op.batch_alter_table("item_score", schema=None) as batch_op:
        batch_op.drop_column("facts")
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.drop_column("decided")
    with op.batch_alter_table("adjustment", schema=None) as batch_op:
        batch_op.drop_column("cause")
    with op.batch_alter_table("inspection", schema=None) as batch_op:
        batch_op.drop_column("lot")
    with op.batch_alter_table("assessment_round", schema=None) as batch_op:
        for name in ("document", "shown_until", "shown_from", "decided_at", "minutes", "self_due"):
            batch_op.drop_column(name)
    for table in (
        "appeal_answer",
        "snapshot_part",
        "sheet_step",
        "self_score",
        "office_score",
        "inspected",
        "evidence",
        "appeal",
        "snapshot",
        "round_step",
    ):
        op.drop_table(table)
    _states(OLD_STATES)


def _scores_from_marks() -> None:
    bind = op.get_bind()
    scores, sheets, marks = _table("item_score"), _table("sheet"), _table("office_score")
    for row in bind.execute(sa.select(scores.c.id, scores.c.facts, scores.c.lists)).all():
        facts, names = _json(row.facts), _json(row.lists)
        whole = {
            code: {"value": value, "numerator": numerator, "denominator": denominator, "lines": names.get(code, [])}
            for code, (value, numerator, denominator) in facts.items()
        }
        bind.execute(sa.update(scores).where(scores.c.id == row.id).values(lists=whole))
    there = {
        (r.sheet_id, r.indicator_id): r.id for r in bind.execute(sa.select(scores.c.id, scores.c.sheet_id, scores.c.indicator_id))
    }
    newest = {(row["sheet_id"], row["indicator_id"]): row for row in bind.execute(sa.select(marks).order_by(marks.c.id)).mappings()}
    for key, row in newest.items():
        said = {"final": row["points"], "reason": row["reason"]}
        if key in there:
            bind.execute(sa.update(scores).where(scores.c.id == there[key]).values(**said))
        else:
            values = {name: row[name] for name in (*ROW, "school_id", "sheet_id", "indicator_id")}
            bind.execute(sa.insert(scores).values(**values, **said, facts={}, lists=sa.null()))
    bind.execute(sa.update(sheets).where(sheets.c.card.is_(None)).values(card=sheets.c.decided))
