"""One click that changed many rows is taken back as one, and what somebody touched since stays and is named."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.models import (
    Batch,
    BatchKind,
    Child,
    Enrolment,
    Grade,
    Handover,
    HandoverState,
    LeaveReason,
    Responsibility,
    Role,
    Transfer,
    TransferState,
)
from admin_app.records import bulk, duty, handovers, rolling, transfers, trash
from admin_app.rules import Complaint
from tests import factories as make
from tests.conftest import scope_of
from tests.databases import by_hand

TODAY = dt.date.today()
BEGUN = dt.date(2025, 9, 1)
CONFIRMED = dt.date(2026, 3, 2)

BUGS: dict[str, str] = {}
"""Reported and not mended yet, by name. Mended: take it out."""


def known(name: str) -> Any:
    """Fails until the bug of this name is mended."""
    return pytest.mark.xfail(name in BUGS, strict=True, reason=BUGS.get(name, ""))


@pytest.fixture
def at_a(app, ids) -> Iterator[Any]:
    """The secretary of school A."""
    with app.app_context():
        yield scope_of(ids, "secretary_a")


@pytest.fixture
def office(app, ids) -> Iterator[Any]:
    with app.app_context():
        yield scope_of(ids, "office")


@pytest.fixture
def school(at_a, ids) -> Any:
    """School A with a class that goes up, one that goes on to another school, and a vocational one that leaves."""
    with writing(SYSTEM) as session:
        a = session.get(m.School, ids.a)
        teacher = make.staff(session, a, "赵老师")
        other = make.staff(session, a, "钱老师")
        ids.teacher, ids.other = teacher.id, other.id
        classes = {"stay": ("升", Grade.P4, "四(1)班"), "go": ("转", Grade.P6, "六(1)班"), "leave": ("毕", Grade.V3, "机电班")}
        for key, (word, grade, name) in classes.items():
            made = []
            for n in range(2):
                child = make.left_behind(
                    session, a, f"{word}{'一二'[n]}", grade=grade, class_name=name,
                    facts_confirmed_at=CONFIRMED, class_teacher_id=teacher.id,
                )  # fmt: skip
                make.responsible(session, child, teacher)
                made.append(child.id)
            setattr(ids, key, made)
    return ids


def raw(*models: type) -> dict[str, list[dict[str, Any]]]:
    """The rows as they lie in the database, but for who touched them last."""
    with by_hand(current_app) as connection:
        return {
            model.__tablename__: [
                {k: v for k, v in row.items() if k not in ("version", "updated_at", "updated_by")}
                for row in connection.execute(select(model.__table__).order_by(model.__table__.c.id)).mappings()
            ]
            for model in models
        }


def rolled(scope, ids) -> int:
    """P4 goes up, P6 is offered to school B, V3 leaves; the batch's id."""
    with writing(scope) as session:
        known = {(k.grade, k.school.id): k for k in rolling.classes(session)}
        wanted = {
            known[Grade.P4, ids.a].key: ("", rolling.STAY),
            known[Grade.P6, ids.a].key: ("", str(ids.b)),
            known[Grade.V3, ids.a].key: ("", rolling.LEAVE),
        }
        return rolling.roll(session, wanted, session.get(m.School, ids.a), TODAY).id


def undone(scope, batch_id: int) -> tuple[int, list[str]]:
    with writing(scope) as session:
        return bulk.undo(session, session.get(Batch, batch_id))


MOVED = (Child, Enrolment, Responsibility, m.Pairing)


def test_a_rollover_undone_puts_every_grade_class_and_stay_back(school, at_a):
    before = raw(*MOVED)
    batch = rolled(at_a, school)
    with session_with(SYSTEM) as session:
        up = [session.get(Child, pk) for pk in school.stay]
        assert [(c.grade, c.class_name, c.facts_confirmed_at) for c in up] == [(Grade.P5, "五(1)班", CONFIRMED)] * 2
        gone = session.scalars(select(Enrolment).where(Enrolment.child_id.in_(school.leave))).all()
        assert {(e.end, e.leave_reason) for e in gone} == {(TODAY, LeaveReason.GRADUATED)}
        offered = session.scalars(select(Transfer).where(Transfer.child_id.in_(school.go))).all()
        assert {(t.state, t.grade, t.to_school_id) for t in offered} == {(TransferState.PENDING, Grade.M1, school.b)}
        assert session.get(Batch, batch).count == len(session.get(Batch, batch).changes) == 2 + 2 + 2 + 2
    assert undone(at_a, batch) == (8, [])
    assert raw(*MOVED) == before
    with session_with(SYSTEM) as session:
        assert session.scalars(select(Transfer).where(Transfer.child_id.in_(school.go))).all() == []
    assert rolled(at_a, school)  # and it can be done again, rightly this time


def test_a_rollover_stands_once_a_year(school, at_a):
    rolled(at_a, school)
    with pytest.raises(Complaint, match="已升级"), writing(at_a) as session:
        again = next(k for k in rolling.classes(session) if k.goes_on_here)
        rolling.roll(session, {again.key: ("", rolling.STAY)}, session.get(m.School, school.a), TODAY)


def test_a_child_changed_by_hand_since_stays_as_it_is_and_is_named(school, at_a):
    batch = rolled(at_a, school)
    mine, other = school.stay
    with writing(at_a) as session:
        session.get(Child, mine).class_name = "五(2)班"
    done, kept = undone(at_a, batch)
    assert done == 7 and len(kept) == 1 and kept[0].endswith("升一")
    with session_with(SYSTEM) as session:
        one, two = session.get(Child, mine), session.get(Child, other)
        assert (one.grade, one.class_name) == (Grade.P5, "五(2)班")
        assert (two.grade, two.class_name, two.facts_confirmed_at) == (Grade.P4, "四(1)班", CONFIRMED)


def test_what_was_changed_beside_the_batch_is_no_hindrance_and_is_not_lost(school, at_a):
    batch = rolled(at_a, school)
    with writing(at_a) as session:
        session.get(Child, school.stay[0]).home_address = "新居3组"
    assert undone(at_a, batch) == (8, [])
    with session_with(SYSTEM) as session:
        child = session.get(Child, school.stay[0])
        assert (child.grade, child.home_address) == (Grade.P4, "新居3组")


def test_an_offer_that_was_answered_since_stays_and_is_named(school, at_a):
    batch = rolled(at_a, school)
    with session_with(SYSTEM) as session:
        first = session.scalar(select(Transfer.id).where(Transfer.child_id == school.go[0]))
    transfers.accept(writing, scope_of(school, "secretary_b"), first, TODAY)
    done, kept = undone(at_a, batch)
    assert done == 7 and len(kept) == 1 and kept[0].startswith("转一 · 转学")
    with session_with(SYSTEM) as session:
        child = session.get(Child, school.go[0])
        assert (child.school_id, child.grade) == (school.b, Grade.M1)


def test_undoing_twice_is_refused_with_a_sentence(school, at_a, office):
    batch = rolled(at_a, school)
    undone(at_a, batch)
    lies = raw(*MOVED, Transfer, Batch)
    for scope in (at_a, office):
        with pytest.raises(Complaint, match="已撤销"):
            undone(scope, batch)
    assert raw(*MOVED, Transfer, Batch) == lies


def test_nothing_saved_leaves_no_batch(school, at_a):
    count = len(raw(Batch)["batch"])
    with writing(at_a) as session, bulk.recorded(session, BatchKind.CONFIRM, school.a, "空"):
        session.get(Child, school.stay[0]).grade = Grade.P4  # as it was
    assert len(raw(Batch)["batch"]) == count


def test_what_failed_half_way_leaves_neither_rows_nor_a_batch_nor_a_listening_session(school, at_a):
    lies = raw(*MOVED, Batch)
    with session_with(at_a, writes=True) as session:
        with pytest.raises(Complaint), bulk.recorded(session, BatchKind.CONFIRM, school.a, "半途"):
            session.get(Child, school.stay[0]).grade = Grade.P5
            session.flush()
            raise Complaint("不行")
        session.rollback()
        session.get(Child, school.stay[1]).interests = "下棋"
        session.commit()
    after = raw(*MOVED, Batch)
    assert after["batch"] == lies["batch"] and after["enrolment"] == lies["enrolment"]
    assert [c["grade"] for c in after["child"]] == [c["grade"] for c in lies["child"]]


# --- sealed columns ---


def test_a_sealed_column_is_not_stored_in_clear_and_is_put_back(at_a, ids):
    old, new = "13987654321", "13912345678"
    pk = ids.holiday_handover_a
    with writing(at_a) as session:
        row = session.get(Handover, pk)
        row.carer_phone, row.village_phone = old, None
    with writing(at_a) as session:
        with bulk.recorded(session, BatchKind.HANDOVER, ids.a, "寒假") as batch:
            row = session.get(Handover, pk)
            row.carer_phone, row.village_phone, row.place = new, old, "和平村"
        batch_id = batch.id
    lies = next(row for row in raw(Batch)["batch"] if row["id"] == batch_id)["changes"]
    text = lies if isinstance(lies, str) else json.dumps(lies, ensure_ascii=False)
    assert old not in text and new not in text and "和平村" in text and "carer_phone" in text
    assert all(old not in str(row) and new not in str(row) for row in raw(Batch, Handover)["batch"])
    assert undone(at_a, batch_id) == (1, [])
    with session_with(at_a) as session:
        row = session.get(Handover, pk)
        assert (row.carer_phone, row.village_phone, row.place) == (old, None, None)


def test_a_sealed_column_changed_since_is_kept(at_a, ids):
    pk = ids.holiday_handover_a
    with writing(at_a) as session:
        with bulk.recorded(session, BatchKind.HANDOVER, ids.a, "寒假") as batch:
            session.get(Handover, pk).carer_phone = "13912345678"
        batch_id = batch.id
    with writing(at_a) as session:
        session.get(Handover, pk).carer_phone = "13700001111"
    done, kept = undone(at_a, batch_id)
    assert done == 0 and len(kept) == 1
    with session_with(at_a) as session:
        assert session.get(Handover, pk).carer_phone == "13700001111"


def test_an_id_number_put_back_is_found_again_by_its_index(school, at_a):
    pk, old, new = school.stay[0], make.id_number(dt.date(2016, 5, 6)), make.id_number(dt.date(2016, 5, 6))
    with writing(at_a) as session:
        session.get(Child, pk).id_number = old
    with writing(at_a) as session:
        with bulk.recorded(session, BatchKind.PASTE, school.a, "粘贴") as batch:
            session.get(Child, pk).id_number = new
        batch_id = batch.id
    assert new not in json.dumps(raw(Batch)["batch"], default=str) and old not in json.dumps(raw(Batch)["batch"], default=str)
    assert undone(at_a, batch_id) == (1, [])
    with session_with(at_a) as session:
        assert session.scalars(select(Child.id).where(Child.id_number_key == old)).all() == [pk]
        assert session.scalars(select(Child.id).where(Child.id_number_key == new)).all() == []


# --- what was made goes to the trash ---


def test_created_rows_go_to_the_trash_where_the_office_finds_them(school, at_a, office):
    with writing(at_a) as session:
        with bulk.recorded(session, BatchKind.TALKS, school.a, "谈心") as batch:
            talks = [
                make.event(session, m.CareRecord, session.get(Child, pk), kind=m.CareKind.TALK, way=m.CareWay.FACE, on=TODAY).id
                for pk in school.stay
            ]
        batch_id = batch.id
    assert undone(at_a, batch_id) == (2, [])
    with session_with(at_a) as session:
        assert session.scalars(select(m.CareRecord.id).where(m.CareRecord.id.in_(talks))).all() == []
        assert not {row.id for row in trash.contents(session, "care_record")} & set(talks)  # the trash is the office's
    with session_with(office) as session:
        found = [row for row in trash.contents(session, "care_record") if row.id in talks]
        assert {row.id for row in found} == set(talks) and {row.delete_reason for row in found} == {"撤销批量操作"}
    with writing(office) as session:
        assert trash.restore(session, m.CareRecord, talks[0]) == 1
    with session_with(at_a) as session:
        assert session.scalars(select(m.CareRecord.id).where(m.CareRecord.id.in_(talks))).all() == talks[:1]


def test_a_row_made_by_the_batch_and_changed_since_stays_and_is_named(school, at_a):
    with writing(at_a) as session:
        with bulk.recorded(session, BatchKind.TALKS, school.a, "谈心") as batch:
            talk = make.event(
                session, m.CareRecord, session.get(Child, school.stay[0]), kind=m.CareKind.TALK, way=m.CareWay.FACE, on=TODAY
            )
            session.flush()
            talk.place = "操场"  # still the batch's own
        batch_id, talk_id = batch.id, talk.id
    with writing(at_a) as session:
        session.get(m.CareRecord, talk_id).place = "教室"
    done, kept = undone(at_a, batch_id)
    assert done == 0 and len(kept) == 1
    with session_with(at_a) as session:
        assert session.get(m.CareRecord, talk_id).place == "教室"


def test_a_flag_that_a_batch_of_talks_raised_goes_with_them(school, at_a):
    with writing(at_a) as session:
        with bulk.recorded(session, BatchKind.TALKS, school.a, "谈心") as batch:
            make.event(
                session, m.CareRecord, session.get(Child, school.stay[0]), kind=m.CareKind.TALK, way=m.CareWay.FACE, on=TODAY,
                attention=next(a for a in m.Attention if a is not m.Attention.NORMAL),
            )  # fmt: skip
        batch_id = batch.id
        assert session.scalar(select(m.Flag.id).where(m.Flag.child_id == school.stay[0])) is not None
    assert undone(at_a, batch_id) == (2, [])
    with session_with(SYSTEM) as session:
        assert session.scalar(select(m.Flag.id).where(m.Flag.child_id == school.stay[0])) is None


# --- what upkeep derives ---


def handed_over(scope, ids, **values: Any) -> int:
    """The holiday's list of school A with the same values for everybody; the batch's id."""
    with writing(scope) as session:
        holiday = session.scalar(select(m.Holiday).where(m.Holiday.code == "2025-winter"))
        lines = handovers.lines(session, holiday, school_id=ids.a)
        with bulk.recorded(session, BatchKind.HANDOVER, ids.a, "寒假") as batch:
            handovers.set_for(session, holiday, lines, values, only_empty=False)
        return batch.id


def test_an_undone_handover_is_as_far_as_its_dates_say(school, at_a):
    winter = dt.date(2026, 1, 20)
    first = handed_over(at_a, school, family_on=winter)
    second = handed_over(at_a, school, done_on=winter, village_on=winter)
    state = select(Handover.state).where(Handover.school_id == school.a)
    with session_with(at_a) as session:
        assert set(session.scalars(state)) == {HandoverState.DONE}
        count = len(session.scalars(state).all())
    assert undone(at_a, second) == (count, [])
    with session_with(at_a) as session:
        assert session.scalars(state).all() == [HandoverState.FAMILY] * count
    done, kept = undone(at_a, first)
    assert done + len(kept) == count
    with session_with(at_a) as session:
        rows = session.scalars(select(Handover).where(Handover.school_id == school.a)).all()
        assert all(row.state is (HandoverState.FAMILY if row.family_on else HandoverState.OPEN) for row in rows)


def test_a_handover_that_went_on_since_keeps_its_state_right(at_a, ids):
    pk, day = ids.holiday_handover_a, dt.date(2026, 1, 20)
    with writing(at_a) as session:
        with bulk.recorded(session, BatchKind.HANDOVER, ids.a, "寒假") as batch:
            session.get(Handover, pk).notice_on = day
        batch_id = batch.id
    with writing(at_a) as session:
        session.get(Handover, pk).back_on = day + dt.timedelta(days=30)
    assert undone(at_a, batch_id) == (1, [])
    with session_with(at_a) as session:
        row = session.get(Handover, pk)
        assert (row.notice_on, row.state) == (None, HandoverState.BACK)


@known("phone")
def test_a_phone_put_back_is_as_old_as_it_was(at_a, ids):
    with writing(at_a) as session:
        with bulk.recorded(session, BatchKind.PASTE, ids.a, "粘贴") as batch:
            session.get(m.Parent, ids.parent_a).phone = "13912345678"
        batch_id = batch.id
    with session_with(at_a) as session:
        assert session.get(m.Parent, ids.parent_a).phone_changed_on == TODAY
    undone(at_a, batch_id)
    with session_with(at_a) as session:
        assert session.get(m.Parent, ids.parent_a).phone_changed_on == dt.date(2024, 9, 1)


# --- a staff handover, and what lies in the way of undoing ---


def given(scope, ids, old: int, new: int, on: dt.date, *, leaves: bool = False, only: set[int] | None = None) -> int:
    with writing(scope) as session:
        staff = session.get(m.Staff, old)
        held = [(r, c) for r, c in duty.children_of(session, staff, on) if only is None or c.id in only]
        duty.hand_over(session, staff, {r.id: new for r, _child in held}, on, leaves=leaves)
    with session_with(SYSTEM) as session:
        return session.scalar(select(Batch.id).where(Batch.kind == BatchKind.STAFF).order_by(Batch.id.desc()).limit(1))


def answerable(pk: int, on: dt.date = TODAY) -> list[int]:
    with session_with(SYSTEM) as session:
        rows = session.scalars(select(Responsibility).where(Responsibility.child_id == pk)).all()
        return [r.staff_id for r in rows if r.start <= on and (r.end is None or r.end > on)]


def test_a_staff_handover_undone_gives_every_child_and_the_teacher_back(school, at_a):
    before = raw(Child, m.Staff)
    batch = given(at_a, school, school.teacher, school.other, TODAY, leaves=True)
    everybody = school.stay + school.go + school.leave
    assert [answerable(pk) for pk in everybody] == [[school.other]] * 6
    assert undone(at_a, batch)[1] == []
    assert [answerable(pk) for pk in everybody] == [[school.teacher]] * 6
    assert raw(Child, m.Staff) == before


@known("way")
def test_a_child_handed_on_since_stays_with_the_third_and_is_named(school, at_a):
    with writing(SYSTEM) as session:
        third = make.staff(session, session.get(m.School, school.a), "孙老师").id
    week = dt.timedelta(days=7)
    batch = given(at_a, school, school.teacher, school.other, TODAY - 2 * week)
    given(at_a, school, school.other, third, TODAY - week, only={school.stay[0]})
    _done, kept = undone(at_a, batch)
    assert kept
    assert answerable(school.stay[0]) == [third] and answerable(school.stay[1]) == [school.teacher]


@known("way")
def test_a_child_that_came_back_since_is_not_enrolled_twice_by_an_undo(school, at_a):
    batch = rolled(at_a, school)
    with writing(at_a) as session:
        transfers.come_back(session, session.get(Child, school.leave[0]), TODAY)
    _done, kept = undone(at_a, batch)
    assert kept
    with session_with(SYSTEM) as session:
        still = select(Enrolment).where(Enrolment.child_id.in_(school.leave), Enrolment.end.is_(None))
        found = {stay.child_id: stay.start for stay in session.scalars(still)}
        assert found == {school.leave[0]: TODAY, school.leave[1]: BEGUN}


@known("way")
@pytest.mark.parametrize("who", ["secretary_a", "office"])
@pytest.mark.parametrize("then", ["enrolled there", "left there"])
def test_a_child_that_went_to_another_school_since_stays_there(who, then, school, at_a):
    pk = school.leave[0]
    batch = rolled(at_a, school)
    with writing(at_a) as session:
        offer = transfers.propose(session, session.get(Child, pk), session.get(m.School, school.b), TODAY).id
    at_b = scope_of(school, "secretary_b")
    transfers.accept(writing, at_b, offer, TODAY, staff_id=school.staff_b)
    if then == "left there":
        with writing(at_b) as session:
            transfers.leave(session, session.get(Child, pk), TODAY, LeaveReason.SUSPENDED)
    undone(scope_of(school, who), batch)
    with session_with(SYSTEM) as session:
        stays = session.scalars(select(Enrolment).where(Enrolment.child_id == pk).order_by(Enrolment.id)).all()
        assert stays[0].end == TODAY and (stays[1].end is None) is (then == "enrolled there")
    assert answerable(pk) == ([school.staff_b] if then == "enrolled there" else [])


@known("way")
def test_the_grade_of_a_child_at_another_school_is_left_alone_by_the_offices_undo(school, at_a, office):
    pk = school.stay[0]
    batch = rolled(at_a, school)
    with writing(at_a) as session:
        offer = transfers.propose(session, session.get(Child, pk), session.get(m.School, school.b), TODAY).id
    transfers.accept(writing, scope_of(school, "secretary_b"), offer, TODAY)
    _done, kept = undone(office, batch)
    assert any(name.endswith("升一") for name in kept)
    with session_with(SYSTEM) as session:
        assert session.get(Child, pk).grade is Grade.P5


def test_another_school_undoes_nothing_and_does_not_see_the_batch(school, at_a):
    batch = rolled(at_a, school)
    with session_with(scope_of(school, "secretary_b")) as session:
        assert session.get(Batch, batch) is None
    assert scope_of(school, "secretary_a").roles == {Role.SECRETARY}
