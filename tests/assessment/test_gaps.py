"""缺项清单: what is missing, in the order of the points it would earn."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import event

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import gaps, results
from admin_app.db import db, session_with
from tests import factories as make

pytestmark = pytest.mark.matrix


@pytest.fixture
def of_a(system, ids):
    def found(on=dt.date(2026, 8, 31)):
        round_ = system.get(m.Round, ids.round)
        (of,) = gaps.of(system, round_, on, [system.get(m.School, ids.a)])
        return of

    return found


def test_the_list_is_ordered_by_points_and_each_gap_names_what_is_missing(of_a):
    of = of_a()
    assert [gap.points for gap in of.gaps] == sorted((gap.points for gap in of.gaps), reverse=True)
    talks = next(gap for gap in of.gaps if gap.metric == "F9")
    assert "甲小雨" in {line.name for line in talks.missing} and 0 < talks.points <= 5


def test_what_mends_a_gap_earns_the_points_it_promised(of_a, system, ids):
    drills = next(gap for gap in of_a().gaps if gap.metric == "F12")
    round_ = system.get(m.Round, ids.round)
    before = next(i for i in results.score(system, round_).by_school[ids.a].items if i.code == "A5.1").score
    codes = {c.code: c.id for c in system.query(m.Code)}
    for school in (ids.a, ids.a_site):
        for kind in ("D1", "D2", "D3"):
            for day in (dt.date(2025, 10, 10), dt.date(2026, 4, 10)):
                system.add(m.Activity(school_id=school, title="演练", kind_id=codes[kind], on=day, created_at=make.ENTERED))
    system.flush()
    after = next(i for i in results.score(system, round_).by_school[ids.a].items if i.code == "A5.1").score
    assert after - before == drills.points and "F12" not in {gap.metric for gap in of_a().gaps}


def test_before_the_cut_off_the_day_asked_for_is_the_cut_off(of_a):
    names = {line.name for gap in of_a(dt.date(2025, 10, 31)).gaps if gap.metric == "F6" for line in gap.missing}
    assert names and not any("第二学期" in line.part for gap in of_a(dt.date(2025, 10, 31)).gaps for line in gap.missing)


def test_the_whole_county_takes_at_most_forty_statements(app, ids):
    with app.app_context(), session_with(SYSTEM) as session:
        round_ = gaps.open_round(session)
        seen = []
        listen = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        try:
            assert len(gaps.of(session, round_, dt.date.today())) == 2
        finally:
            event.remove(db.engine, "before_cursor_execute", listen)
    assert len(seen) <= 40
