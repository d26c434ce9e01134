"""Records of a kind, counted in one of four ways: what an office invents needs no code."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.assessment import facts
from admin_app.assessment.facts import Window
from tests import factories as make


@pytest.fixture
def county(system):
    """One school with two children; a lesson with one of them, a lesson without, one after the cut-off."""
    school = make.school(system, "2153990009", "石桥小学")
    children = [make.left_behind(system, school, name) for name in ("冬一", "冬二")]
    code = system.scalar(select(m.Code.id).where(m.Code.code == "A25"))
    entered = dt.datetime(2025, 12, 1, tzinfo=dt.UTC)
    lessons = [
        m.Activity(school_id=school.id, kind_id=code, title=f"防溺水 {day}", on=day, created_at=entered)
        for day in (dt.date(2025, 10, 8), dt.date(2025, 10, 20), dt.date(2025, 11, 3))
    ]
    lessons.append(
        m.Activity(
            school_id=school.id,
            kind_id=code,
            title="太晚",
            on=dt.date(2026, 6, 1),
            created_at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
        )
    )
    system.add_all(lessons)
    system.flush()
    stay = system.scalar(select(m.Enrolment).where(m.Enrolment.child_id == children[0].id))
    system.add(
        m.Participation(
            activity_id=lessons[0].id, enrolment_id=stay.id, child_id=children[0].id, school_id=school.id, child_name="冬一",
            created_at=entered,
        )
    )  # fmt: skip
    scheme = system.scalar(select(m.Scheme))
    round_ = m.Round(
        code="r", title="r", scheme=scheme, start=dt.date(2025, 9, 1), last_day=dt.date(2026, 8, 31), cut_off=dt.date(2026, 8, 31)
    )
    system.add(round_)
    system.flush()
    return Window.of(system, round_), school


@pytest.mark.parametrize(
    ("code", "numerator", "denominator", "missing"),
    [
        ("count:activity:A25:events:4", 3, 4, ["还应有一次活动“A25”"]),
        ("count:activity:A25:events", 3, 0, []),
        ("count:activity:A25:months:2", 2, 2, []),
        ("count:activity:A25:children", 1, 2, ["冬二"]),
        ("count:activity:A25:share", 1, 2, ["冬二"]),
        ("count:activity:A05:events:1", 0, 1, ["还应有一次活动“A05”"]),
        ("count:activity:*:events:3", 3, 3, []),
    ],
)
def test_records_are_counted_as_the_code_says(county, code, numerator, denominator, missing):
    window, school = county
    fact = facts.compute(window, [school.id], [code])[school.id][code]
    assert (fact.numerator, fact.denominator, [line.name for line in fact.missing]) == (numerator, denominator, missing)


@pytest.mark.parametrize("record", facts.counted.TYPES)
@pytest.mark.parametrize("way", facts.counted.WAYS)
def test_every_record_can_be_counted_in_every_way_it_allows(county, record, way):
    window, school = county
    code = f"count:{record}:*:{way}"
    if facts.counted.TYPES[record].child is None and way in ("children", "share"):
        assert facts.find(code) is None
        return
    fact = facts.compute(window, [school.id], [code])[school.id][code]
    assert fact.numerator >= 0 and facts.find(code).title
