"""Why 312 became 305: counts kept as of a day, compared child by child, each with its reason."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import snapshots
from admin_app.db import session_with
from tests import factories as make
from tests.assessment.rounds import step

GF13 = m.Definition.GF13
MARCH, JULY = dt.date(2026, 3, 1), dt.date(2026, 7, 1)


@pytest.fixture
def school(system, ids):
    return make.school(system, "2153990009", "白鹭小学")


def compared(system, before, until=JULY):
    system.flush()
    then, now = snapshots.of(system, before), snapshots.now(system, GF13, until)
    return snapshots.compare(system, GF13, then, now, before.on, until)


def why(changes):
    return {change.child.name: change.why for change in changes}


def test_a_snapshot_stays_as_it_was_whatever_the_register_says_later(system, ids, school):
    child = make.left_behind(system, school, "戊一")
    kept = snapshots.take(system, GF13, MARCH, "三月", "股员")
    system.flush()
    before = snapshots.of(system, kept)
    child.name = "改名"
    make.left_behind(system, school, "戊二")
    system.flush()
    assert snapshots.of(system, kept) == before and kept.count == len(before)
    assert before[child.id].name == "戊一"


def test_who_left_and_who_came_each_with_a_reason(system, ids, school):
    grown = make.left_behind(system, school, "己满十六", born=dt.date(2010, 5, 6))
    home = make.left_behind(system, school, "己父返乡")
    gone = make.left_behind(system, school, "己毕业")
    binned = make.left_behind(system, school, "己重复")
    before = snapshots.take(system, GF13, MARCH, "三月", "股员")
    system.flush()
    father = system.scalar(select(m.ParentStatus).where(m.ParentStatus.child_id == home.id).order_by(m.ParentStatus.id))
    father.end = dt.date(2026, 4, 1)
    system.add(
        m.ParentStatus(
            child_id=home.id, school_id=school.id, parent_id=father.parent_id, state=m.ParentState.HOME, start=father.end
        )
    )
    stay = make.enrolment(system, gone)
    stay.end, stay.leave_reason = dt.date(2026, 6, 30), m.LeaveReason.GRADUATED
    for row in (binned, make.enrolment(system, binned)):
        row.deleted_at, row.delete_reason = dt.datetime(2026, 5, 1, tzinfo=dt.UTC), "重复建档"
    make.left_behind(system, school, "己新来", start=dt.date(2026, 4, 10))
    make.left_behind(system, school, "己补录", start=dt.date(2025, 9, 1))
    found = compared(system, before)
    assert why(found.left) == {
        grown.name: "满16周岁", "己父返乡": "父母去向变化（返乡等）", "己毕业": "毕业离校", "己重复": "档案已删除（重复建档）",
    }  # fmt: skip
    assert why(found.came) == {"己新来": "新入学或转入", "己补录": "补录或更正后符合口径"}
    assert found.after - found.before == len(found.came) - len(found.left)
    assert found.reasons(found.left)[0][1] == 1


def test_the_freeze_of_a_round_keeps_its_children(system, ids, judged):
    expected = len(snapshots.now(system, judged.scheme.definition, judged.cut_off))
    step(system, judged, m.RoundState.CHECK)
    kept = system.scalars(select(m.Snapshot).where(m.Snapshot.round_id == judged.id)).one()
    assert kept.count == len(snapshots.of(system, kept)) == expected > 0


def kept(app, *definitions, then=lambda _session: None):
    """Snapshots of March, and what happens to the register afterwards."""
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for definition in definitions:
            snapshots.take(session, definition, MARCH, f"三月{definition.value}", "股员")
        session.commit()
        then(session)
        session.commit()


def test_a_school_compares_its_own_children_and_sees_no_other(app, person, ids):
    def both_deleted(session):
        for child in (ids.child_a, ids.child_b):
            row = session.get(m.Child, child)
            row.deleted_at, row.delete_reason = dt.datetime(2026, 5, 1, tzinfo=dt.UTC), "测试"
            stay = make.enrolment(session, row)
            stay.deleted_at, stay.delete_reason = row.deleted_at, "测试"

    kept(app, GF13, then=both_deleted)
    for who, sees in (("secretary_a", {"甲小雨"}), ("secretary_b", {"丁不漏"}), ("office", {"甲小雨", "丁不漏"})):
        page = person(who).get("/snapshot/?before=1&after=today").text
        assert {name for name in ("甲小雨", "丁不漏") if name in page} == sees, who


def test_two_definitions_are_not_compared(app, person):
    kept(app, GF13, m.Definition.XJ)
    office = person("office")
    assert "口径不同" in office.get("/snapshot/?before=1&after=2").text
    assert office.get("/snapshot/?before=99&after=today").status_code == 404
    assert "已统计" in office.post("/snapshot/take/", {"title": "九月", "definition": "GF13"}, follow_redirects=True).text
