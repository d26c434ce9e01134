"""补录 (ruling 18): what was entered long after it happened counts as the scheme says; a month or term takes its best; states are not discounted."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.assessment import facts
from admin_app.assessment.facts import Window
from tests import factories as make

ON = dt.date(2025, 10, 8)
SHARES = {m.BackEntry.FULL: D(1), m.BackEntry.HALF: D("0.5"), m.BackEntry.NONE: D(0)}


def entered(on: dt.date, days: int) -> dt.datetime:
    return dt.datetime.combine(on + dt.timedelta(days=days), dt.time(4), dt.UTC)


@pytest.fixture
def county(system):
    """A school with one child; everything about it happened on one day, entered 31 days later (or as a test says)."""
    school = make.school(system, "2153990009", "石桥小学")
    child = make.left_behind(system, school, "冬一")
    stay = system.scalar(select(m.Enrolment).where(m.Enrolment.child_id == child.id))
    term = system.scalar(select(m.Term).where(m.Term.code == "2025-1"))
    codes = {code.code: code.id for code in system.scalars(select(m.Code))}
    of_child = {"enrolment_id": stay.id, "child_id": child.id, "school_id": school.id}

    raters = iter([(m.Rater.SELF, m.Rater.TEACHER), (m.Rater.PEER, m.Rater.PARENT)])  # each rates once a term

    def enter(days: int, on: dt.date = ON) -> None:
        at = {"created_at": entered(on, days)}
        common = of_child | at
        training = m.TrainingSession(school_id=school.id, title="讲座", kind_id=codes["T1"], on=on, **at)
        system.add_all(
            [
                m.CareRecord(kind=m.CareKind.TALK, way=m.CareWay.FACE, on=on, **common),
                m.CareRecord(kind=m.CareKind.VISIT, way=m.CareWay.HOME, on=on, **common),
                m.Activity(school_id=school.id, kind_id=codes["D1"], title="消防演练", on=on, **at),
                m.Activity(school_id=school.id, kind_id=codes["A05"], title="安全课", on=on, **at),
                m.Letter(term_id=term.id, on=on, **common),
                *(m.Evaluation(term_id=term.id, on=on, rater=rater, conduct="A", study="A", health="A", arts="A", practice="A", **common)
                  for rater in next(raters)),
                training,
            ]
        )  # fmt: skip
        system.flush()

    scheme = system.scalar(select(m.Scheme))
    last = dt.date(2026, 1, 10)
    round_ = m.Round(code="r", title="r", scheme=scheme, start=dt.date(2025, 9, 1), last_day=last, cut_off=last)
    system.add(round_)
    system.flush()

    def numerator(code: str, back_entry: m.BackEntry) -> D:
        window = replace(Window.of(system, round_), back_entry=back_entry)
        return facts.compute(window, [school.id], [code])[school.id][code].numerator

    return enter, numerator


EVENTS = ("F6", "F9", "F12", "F15", "F16", "F8.sessions", "safety_lessons", "count:letter:*:share", "count:activity:A05:events",
          "count:care_record:talk:months", "count:letter:*:children")  # fmt: skip


@pytest.mark.parametrize("code", EVENTS)
@pytest.mark.parametrize("back_entry", SHARES)
def test_an_event_entered_late_weighs_what_the_scheme_says(county, code, back_entry):
    enter, numerator = county
    enter(31)
    assert numerator(code, back_entry) == SHARES[back_entry]


@pytest.mark.parametrize("code", EVENTS)
def test_thirty_days_are_not_late(county, code):
    enter, numerator = county
    enter(30)
    assert numerator(code, m.BackEntry.NONE) == 1


@pytest.mark.parametrize("code", ["F6", "F9", "F12", "F15", "F16", "count:care_record:talk:months"])
def test_a_month_or_term_takes_its_best_event(county, code):
    enter, numerator = county
    enter(60)
    enter(3, ON + dt.timedelta(days=1))
    assert numerator(code, m.BackEntry.HALF) == 1


def test_two_events_add_up(county):
    enter, numerator = county
    enter(60)
    enter(3, ON + dt.timedelta(days=1))
    assert numerator("safety_lessons", m.BackEntry.HALF) == D("1.5")
    assert numerator("F8.sessions", m.BackEntry.HALF) == D("1.5")


def test_the_names_say_why_an_event_counts_less(county, system):
    enter, _numerator = county
    enter(31)
    window = replace(Window.of(system, system.scalar(select(m.Round).where(m.Round.code == "r"))), back_entry=m.BackEntry.HALF)
    school = system.scalar(select(m.School.id).where(m.School.code == "2153990009"))
    talks, lessons = (facts.compute(window, [school], [code])[school][code] for code in ("F9", "safety_lessons"))
    assert "补录少计：2025-10" in talks.lines[0].note
    assert (
        "补录，按 50% 计" in lessons.lines[0].note and lessons.lines[0] in lessons.missing and lessons.lines[0] in lessons.counted
    )
