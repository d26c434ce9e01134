"""What schools held: so many in a year, so many in a term, the openings of their rooms."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from admin_app import models as m
from tests import factories as make

OCTOBER, APRIL = dt.date(2025, 10, 9), dt.date(2026, 4, 8)
JANUARY_HOLIDAY = dt.date(2026, 2, 3)


def days(first, n):
    return [first + dt.timedelta(days=i) for i in range(n)]


def site_of(system, school):
    return make.school(
        system, "2153991009", "白鹭小学新寨教学点", kind=m.SchoolKind.POINT, assessed=False, school_group=None, centre_id=school.id
    )


def room(system, school, kind, **more):
    return make.of_school(system, m.Facility, school, kind=m.FacilityKind(kind), name="一楼", **more)


def opening(system, school, of, on, **more):
    return make.activity(system, school, "O01", on, facility_id=of.id, **more)


# --- so many in a year


@pytest.mark.parametrize(
    ("metric", "codes", "target"),
    [
        ("safety_lessons", ["A05", "A06"], 4),
        ("law_days", ["A23"], 1),
        ("festivals", ["A10"], 1),
        ("practice", ["A11"], 1),
        ("class_meetings", ["A07", "A08"], 8),
        ("publicity", ["P01", "P02", "P03"], 8),
    ],
)
def test_activities_of_centre_and_sites_count_together_and_others_do_not(metric, codes, target, system, school, found):
    for at in (school, site_of(system, school)):
        for code in codes:
            make.activity(system, at, code, OCTOBER)
    make.activity(system, school, "A99", OCTOBER)
    make.activity(system, school, codes[0], dt.date(2025, 8, 31))
    fact, n = found(metric), 2 * len(codes)
    assert (fact.value, fact.denominator, len(fact.missing)) == (n, target, max(0, target - n))


@pytest.mark.parametrize(
    "metric", ["safety_lessons", "law_days", "festivals", "practice", "class_meetings", "publicity", "reading_months", "agencies"]
)
def test_a_school_that_held_nothing_has_a_line_for_each_thing_still_to_be_done(metric, found):
    fact = found(metric)
    assert fact.value == 0 and len(fact.missing) == fact.denominator and fact.missing[0].name.startswith("还应")


def test_reading_counts_once_a_calendar_month(system, school, found):
    for on in (OCTOBER, dt.date(2025, 10, 30), dt.date(2025, 11, 3), dt.date(2026, 10, 5)):
        make.activity(system, school, "A17", on)
    assert (found("reading_months").value, len(found("reading_months").missing)) == (2, 6)


def test_an_agency_counts_once_whatever_was_done_together(system, school, found):
    make.activity(system, school, "L01", OCTOBER, agencies=("B03", "B05"))
    make.activity(system, school, "D1", APRIL, agencies=("B07", "B03"))
    fact = found("agencies")
    assert fact.value == 3 and {line.name for line in fact.counted} == {"妇联", "关工委", "公安局（派出所）"}


# --- so many in a term


def test_at_most_two_meetings_a_term_count_and_none_in_the_holidays(system, school, found):
    for on in (*days(OCTOBER, 3), JANUARY_HOLIDAY, APRIL):
        make.activity(system, school, "M01", on)
    fact = found("meetings")
    assert (fact.value, fact.denominator) == (3, 4)
    assert [(line.name, line.part[-4:]) for line in fact.missing] == [("还应开一次专题会议", "第二学期")]


def test_a_gratitude_lesson_counts_once_a_term(system, school, found):
    for on in days(OCTOBER, 3):
        make.activity(system, school, "A15", on)
    assert (found("gratitude_terms").value, len(found("gratitude_terms").missing)) == (1, 1)


def test_before_the_second_term_only_the_first_is_asked_for(system, school, found):
    assert found("meetings", cut_off=dt.date(2026, 1, 10)).denominator == 2


# --- rooms


def test_without_a_counselling_room_f10_is_0_and_at_a_kindergarten_it_does_not_apply(system, school, found):
    fact = found("F10")
    assert fact.value == 0 and [line.name for line in fact.missing] == ["没有登记心理咨询室"]
    school.kind = m.SchoolKind.KINDERGARTEN
    assert found("F10").value is None
    room(system, school, "counsel")
    assert found("F10").value == 0


def test_f10_counts_weeks_from_monday_to_sunday_with_a_term_day(system, school, found):
    counsel = room(system, school, "counsel")
    for on in (dt.date(2025, 9, 1), dt.date(2025, 9, 7), dt.date(2025, 9, 8), dt.date(2026, 1, 25), JANUARY_HOLIDAY):
        opening(system, school, counsel, on)
    fact = found("F10")
    assert (fact.numerator, fact.denominator) == (3, 21 + 19)
    assert fact.missing[0].name == "2025-09-15 至 2025-09-21"


def test_a_week_begins_to_count_with_its_monday(system, school, found):
    opening(system, school, room(system, school, "counsel"), dt.date(2025, 9, 2))
    assert found("F10", cut_off=dt.date(2025, 9, 14)).denominator == 2
    assert found("F10", cut_off=dt.date(2025, 9, 15)).denominator == 3


def test_an_opening_of_another_room_is_none_of_the_counselling_room(system, school, found):
    room(system, school, "counsel")
    opening(system, school, room(system, school, "library"), OCTOBER)
    assert found("F10").numerator == 0


def test_f19_weighs_the_openings_in_term_and_in_the_holidays_one_a_day(system, school, found):
    home = room(system, site_of(system, school), "home")
    for on in (*days(OCTOBER, 18), OCTOBER, *days(JANUARY_HOLIDAY, 5)):
        opening(system, school, home, on)
    fact = found("F19")
    assert fact.value == Decimal("0.6") / 2 + Decimal("0.4") / 2
    assert [(line.name, line.expected) for line in fact.missing] == [("学期内还应开放 18 次", 18), ("假期还应开放 5 次", 5)]


def test_f19_is_full_with_36_openings_in_term_and_10_in_the_holidays_and_never_more(system, school, found):
    home = room(system, school, "home")
    for on in (*days(OCTOBER, 40), *days(JANUARY_HOLIDAY, 12)):
        opening(system, school, home, on)
    assert (found("F19").value, found("F19").missing) == (1, ())


def test_without_a_home_f19_is_0_and_at_a_senior_school_it_does_not_apply(system, school, found):
    assert (found("F19").value, found("F19").missing[0].name) == (0, "没有登记留守儿童之家")
    school.kind = m.SchoolKind.SENIOR
    assert found("F19").value is None
    room(system, school, "home")
    assert found("F19").value == 0


def test_a_palace_opens_once_a_day_and_without_one_there_is_nothing_to_count(system, school, found):
    assert found("palace_openings").value is None
    palace = room(system, school, "palace")
    for on in (OCTOBER, OCTOBER, JANUARY_HOLIDAY):
        opening(system, school, palace, on)
    fact = found("palace_openings")
    assert (fact.value, fact.denominator, fact.missing[0].name) == (2, 20, "还应开放 18 次")


@pytest.mark.parametrize(
    ("more", "there"),
    [
        ({"closed_on": dt.date(2025, 9, 1)}, False),
        ({"closed_on": dt.date(2025, 9, 2)}, True),
        ({"since": dt.date(2026, 9, 1)}, False),
        ({"since": dt.date(2026, 8, 31)}, True),
        ({"created_at": dt.datetime(2026, 9, 5, tzinfo=dt.UTC)}, False),
    ],
)
def test_a_room_counts_when_it_was_there_on_some_day_of_the_round_and_registered_in_time(more, there, system, school, found):
    room(system, school, "palace", **more)
    assert (found("palace_openings").value is not None) is there


# --- the cut-off


@pytest.mark.parametrize(
    ("metric", "code"),
    [
        ("safety_lessons", "A05"),
        ("publicity", "P01"),
        ("reading_months", "A17"),
        ("meetings", "M01"),
        ("gratitude_terms", "A15"),
        ("F12", "D1"),
        ("agencies", "L01"),
    ],
)
def test_what_is_entered_after_the_cut_off_does_not_count_and_what_is_deleted_after_it_does(
    metric, code, system, school, found, late
):
    row = make.activity(system, school, code, OCTOBER, agencies=("B03",) if metric == "agencies" else None)
    row.deleted_at = late
    assert found(metric).numerator == 1
    row.deleted_at, row.created_at = None, late
    assert found(metric).numerator == 0


@pytest.mark.parametrize("metric", ["F10", "F19", "palace_openings"])
def test_an_opening_entered_after_the_cut_off_does_not_count(metric, system, school, found, late):
    kind = {"F10": "counsel", "F19": "home", "palace_openings": "palace"}[metric]
    opening(system, school, room(system, school, kind), OCTOBER, created_at=late)
    assert found(metric).value == 0
