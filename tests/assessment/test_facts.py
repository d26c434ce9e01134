"""The facts, each against a small county counted by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from admin_app import models as m
from admin_app.assessment import facts, results
from admin_app.assessment.facts import Window
from admin_app.db import db
from tests import factories as make

LATE = dt.datetime(2026, 9, 5, tzinfo=dt.UTC)
"""After the cut-off."""


@pytest.fixture
def school(system, ids):
    """A third assessed school with nothing in it."""
    return make.school(system, "2153990009", "白鹭小学")


def fact(system, ids, school, metric):
    window = Window.of(system, system.get(m.Round, ids.round))
    return facts.METRICS[metric].compute(window).get(school.id, facts.Fact(None))


def term(system, code):
    return system.scalar(select(m.Term).where(m.Term.code == code))


def complete(system, school, name="普小龙"):
    """A left-behind child whose dossier lacks nothing on the cut-off."""
    child = make.left_behind(system, school, name, special_requests="无")
    make.carer(system, child)
    make.responsible(system, child, make.staff(system, school))
    spring = term(system, "2025-2")
    for side in m.StateSide:
        make.event(system, m.StateNote, child, term_id=spring.id, side=side, on=dt.date(2026, 4, 1), text="好")
    return child


def test_a_school_without_children_has_nothing_to_count(system, ids, school):
    for metric in ("F1", "F2", "F6", "F8.carers", "F9"):
        assert fact(system, ids, school, metric).value is None


def test_f1_counts_whole_dossiers_and_names_what_is_missing(system, ids, school):
    complete(system, school)
    other = complete(system, school, "李小云")
    other.special_requests = "  "
    system.flush()
    found = fact(system, ids, school, "F1")
    assert (found.numerator, found.denominator) == (1, 2)
    assert [(line.name, line.note) for line in found.missing] == [("李小云", "缺：个性化要求")]


def test_f1_asks_for_a_note_of_each_state_in_the_current_term(system, ids, school):
    child = complete(system, school)
    note = system.scalars(select(m.StateNote).where(m.StateNote.child_id == child.id, m.StateNote.side == m.StateSide.MIND)).one()
    note.on = dt.date(2025, 12, 1)
    system.flush()
    assert fact(system, ids, school, "F1").missing[0].note == "缺：心理状况"


@pytest.mark.parametrize(
    ("spoil", "note"),
    [
        (lambda s, c: None, ""),
        (lambda s, c: [setattr(p, "phone_changed_on", dt.date(2026, 1, 5)) for p in s.scalars(select(m.Parent).where(m.Parent.child_id == c.id))], "换卡"),
        (lambda s, c: [setattr(r, "end", dt.date(2026, 8, 1)) for r in s.scalars(select(m.Responsibility).where(m.Responsibility.child_id == c.id))], "无包保责任人"),
        (lambda s, c: [setattr(r.staff, "end", dt.date(2026, 8, 1)) for r in s.scalars(select(m.Responsibility).where(m.Responsibility.child_id == c.id))], "离任"),
        (lambda s, c: [setattr(r, "created_at", LATE) for r in s.scalars(select(m.ContactCard).where(m.ContactCard.child_id == c.id))], "未发"),
    ],
    ids=["all there", "phone changed", "nobody answers", "who answers has left", "card entered late"],
)  # fmt: skip
def test_f2_wants_a_valid_card_and_exactly_one_responsible_person(spoil, note, system, ids, school):
    child = complete(system, school)
    make.card(system, child)
    spoil(system, child)
    system.flush()
    found = fact(system, ids, school, "F2")
    assert found.numerator == (0 if note else 1) and note in (found.missing[0].note if note else "")


def visit(system, child, on, way=m.CareWay.HOME, **more):
    return make.talk(system, child, on, kind=m.CareKind.VISIT, way=way, **more)


def test_f6_is_the_mean_of_the_two_terms_and_counts_visits_at_home_only(system, ids, school):
    one, two = make.left_behind(system, school, "普小龙"), make.left_behind(system, school, "李小云")
    visit(system, one, dt.date(2025, 10, 1))
    visit(system, one, dt.date(2026, 4, 1))
    visit(system, two, dt.date(2025, 10, 1))
    visit(system, two, dt.date(2026, 4, 1), way=m.CareWay.PHONE)
    assert fact(system, ids, school, "F6").value == Decimal("0.75")


def test_a_record_entered_after_the_cut_off_does_not_count_and_one_deleted_after_it_does(system, ids, school):
    child = make.left_behind(system, school, "普小龙")
    visit(system, child, dt.date(2025, 10, 1), created_at=LATE)
    visit(system, child, dt.date(2026, 4, 1)).deleted_at = LATE
    system.flush()
    assert [line.counted for line in fact(system, ids, school, "F6").lines] == [0, 1]


def test_f8_counts_two_sessions_and_each_person_once(system, ids, school):
    kinds = {c.code: c.id for c in system.scalars(select(m.Code))}
    one, two = make.left_behind(system, school, "普小龙"), make.left_behind(system, school, "普小云")
    grandmother = {"name": "普奶奶", "phone": "19900001111"}
    carers = [make.carer(system, child, **grandmother) for child in (one, two)]
    make.carer(system, make.left_behind(system, school, "李小花"), "李爷爷")
    for kind in ("T1", "T4", "T5"):
        session = m.TrainingSession(
            school_id=school.id, title=kind, kind_id=kinds[kind], on=dt.date(2025, 11, 1), created_at=make.ENTERED
        )
        system.add(session)
        system.flush()
        if kind == "T4":
            make.event(system, m.Attendance, one, session_id=session.id, child_name="普小龙", carer_name="普奶奶",
                       relation=m.Kinship.GRANDMOTHER, how=m.SignedHow.AT_HOME, person_key=carers[0].person_key)  # fmt: skip
    sessions, reached = fact(system, ids, school, "F8.sessions"), fact(system, ids, school, "F8.carers")
    assert (sessions.numerator, sessions.denominator, sessions.value) == (1, 2, Decimal("0.5"))
    assert (reached.numerator, reached.denominator) == (1, 2)


def test_f9_counts_one_talk_a_month_by_who_may_talk(system, ids, school):
    child = make.left_behind(system, school, "普小龙")
    for day, role in ((1, "responsible"), (20, "class_teacher")):
        make.talk(system, child, dt.date(2025, 9, day), role=m.TalkerRole(role))
    make.talk(system, child, dt.date(2025, 10, 5), role=m.TalkerRole.OTHER)
    make.talk(system, child, dt.date(2026, 2, 5))
    found = fact(system, ids, school, "F9")
    assert (found.numerator, found.denominator) == (1, 10)
    assert "2025-10" in found.missing[0].note and "2026-02" not in found.missing[0].note


def test_a_month_counts_for_a_child_who_was_there_fifteen_days_of_it(system, ids, school):
    make.left_behind(system, school, "普小龙", start=dt.date(2025, 9, 16))
    make.left_behind(system, school, "李小云", start=dt.date(2025, 9, 17))
    assert [line.expected for line in fact(system, ids, school, "F9").lines] == [9, 10]


def test_a_child_there_less_than_thirty_days_is_not_counted(system, ids, school):
    make.left_behind(system, school, "普小龙", start=dt.date(2026, 8, 2))
    make.left_behind(system, school, "李小云", start=dt.date(2026, 8, 3))
    assert fact(system, ids, school, "F9").lines[0].name == "普小龙" and len(fact(system, ids, school, "F9").lines) == 1


def test_f12_wants_three_drills_a_term_at_every_site_with_pupils(system, ids, school):
    kinds = {c.code: c.id for c in system.scalars(select(m.Code))}
    make.school(
        system,
        "2153991009",
        "白鹭小学新寨教学点",
        kind=m.SchoolKind.POINT,
        assessed=False,
        school_group=None,
        centre_id=school.id,
        pupils=9,
    )
    for kind in ("D1", "D2", "D3", "D4"):
        system.add(
            m.Activity(school_id=school.id, title=kind, kind_id=kinds[kind], on=dt.date(2025, 10, 9), created_at=make.ENTERED)
        )
    system.flush()
    found = fact(system, ids, school, "F12")
    assert (found.numerator, found.denominator) == (3, 12) and len(found.missing) == 9


def test_a_village_site_adds_to_its_centre_school(system, ids):
    window = Window.of(system, system.get(m.Round, ids.round))
    a = facts.METRICS["F9"].compute(window)[ids.a]
    assert {line.child_id for line in a.lines} == {ids.child_a, ids.child_site} and ids.a_site not in facts.METRICS["F9"].compute(
        window
    )


def test_the_number_of_statements_does_not_depend_on_the_number_of_schools(system, ids, app):
    def statements():
        count = []
        listen = lambda *_args: count.append(1)  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        try:
            results.score(system, system.get(m.Round, ids.round))
        finally:
            event.remove(db.engine, "before_cursor_execute", listen)
        return len(count)

    statements()  # what is read once a session
    few = statements()
    for n in range(30):
        school = make.school(system, f"21539901{n:02}", f"新校{n:02}")
        make.left_behind(system, school, "普小龙")
    assert statements() == few <= 60


def test_f1_does_not_count_a_note_written_after_the_cut_off_for_an_earlier_day(system, ids, school):
    child = complete(system, school)
    for note in system.scalars(select(m.StateNote).where(m.StateNote.child_id == child.id)):
        note.created_at = LATE
    system.flush()
    assert fact(system, ids, school, "F1").numerator == 0
