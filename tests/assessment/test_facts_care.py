"""What was done with the children in time: contacts, letters, evaluations, handovers, flags, transfers, dropouts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import select

from admin_app import models as m
from tests import factories as make

CHINA = dt.timezone(dt.timedelta(hours=8))
AUTUMN, SPRING = "2025-1", "2025-2"
OCTOBER = dt.date(2025, 10, 9)


@pytest.fixture
def child(system, school):
    return make.left_behind(system, school, "普小龙")


def contact(system, child, on=OCTOBER, **more):
    return make.talk(system, child, on, kind=m.CareKind.CONTACT, way=m.CareWay.PHONE, **more)


def letter(system, child, term=AUTUMN, on=OCTOBER, **more):
    return make.event(system, m.Letter, child, term_id=make.term_id(system, term), on=on, **more)


def evaluation(system, child, rater, *sides, term=AUTUMN, **more):
    marks = dict.fromkeys(sides, m.Mark.GOOD)
    return make.event(
        system, m.Evaluation, child, term_id=make.term_id(system, term), on=OCTOBER, rater=m.Rater(rater), **(marks | more)
    )


def flag(system, child, on=OCTOBER, **more):
    return make.event(system, m.Flag, child, on=on, source="谈心", **more)


def handover(system, child, holiday="2025-winter", **more):
    row = system.scalar(select(m.Holiday).where(m.Holiday.code == holiday))
    return make.event(system, m.Handover, child, holiday_id=row.id, **more)


def case(system, child, on=OCTOBER, grade=m.Grade.P3, **more):
    entered = dt.datetime.combine(on, dt.time(12), CHINA)
    return make.event(
        system, m.DropoutCase, child, found_on=on, grade=grade, reason=m.DropoutReason.WEARY, **({"created_at": entered} | more)
    )


# --- months and terms


def test_two_contacts_in_a_month_are_one_month_and_a_talk_is_none(system, child, found):
    for day in (OCTOBER, dt.date(2025, 10, 20), dt.date(2025, 11, 3), dt.date(2026, 2, 3)):
        contact(system, child, day)
    make.talk(system, child, dt.date(2025, 12, 1))
    fact = found("F7")
    assert (fact.numerator, fact.denominator) == (2, 10) and "2025-12" in fact.missing[0].note


def test_the_county_may_ask_for_two_talks_a_month_and_two_visits_a_term(system, child, found, county_says):
    for day in (OCTOBER, dt.date(2025, 10, 20), dt.date(2025, 11, 3)):
        make.talk(system, child, day)
        make.talk(system, child, day, kind=m.CareKind.VISIT, way=m.CareWay.HOME)
    make.talk(system, child, dt.date(2026, 4, 1), kind=m.CareKind.VISIT, way=m.CareWay.HOME)
    assert (found("F9").numerator, found("F6").value) == (2, 1)
    county_says("talks_a_month", 2)
    county_says("visits_a_term", 2)
    assert (found("F9").numerator, found("F6").value) == (1, Decimal("0.5"))


def test_a_letter_belongs_to_the_term_it_says(system, school, child, found):
    letter(system, child, AUTUMN)
    letter(system, child, AUTUMN, dt.date(2025, 12, 1))
    letter(system, child, "2024-2")
    other = make.left_behind(system, school, "李小云")
    letter(system, other, SPRING, dt.date(2026, 4, 1))
    fact = found("F15")
    assert (fact.numerator, fact.denominator) == (2, 4)
    assert {(line.name, line.part[-4:]) for line in fact.missing} == {("普小龙", "第二学期"), ("李小云", "第一学期")}


def test_sides_and_raters_of_an_evaluation_are_united_over_the_term(system, child, found):
    evaluation(system, child, "teacher", "conduct", "study", "health")
    evaluation(system, child, "peer", "arts", "practice")
    assert [line.counted for line in found("F16").lines] == [1, 0]


def test_an_evaluation_wants_all_five_sides_and_two_kinds_of_raters(system, school, child, found):
    evaluation(system, child, "teacher", "conduct", "study", "health", "arts", "practice")
    other = make.left_behind(system, school, "李小云")
    evaluation(system, other, "teacher", "conduct", "study", "health")
    evaluation(system, other, "self", "conduct", "arts", term=AUTUMN)
    evaluation(system, other, "parent", "practice", term=SPRING)
    said = {(line.name, line.part[-4:]): line.note for line in found("F16").missing}
    assert said["普小龙", "第一学期"] == "评价人只有教师"
    assert said["李小云", "第一学期"] == "缺：劳动与社会实践"
    assert "没有评价" in said["普小龙", "第二学期"]


# --- holidays


def test_back_at_school_closes_a_handover_and_handed_over_is_enough_while_the_holiday_lasts(system, school, child, found):
    handover(system, child, done_on=dt.date(2026, 1, 20))
    handover(system, child, "2026-summer", done_on=dt.date(2026, 7, 9))
    back = make.left_behind(system, school, "李小云")
    handover(system, back, back_on=dt.date(2026, 3, 2))
    handover(system, back, "2026-summer", family_on=dt.date(2026, 7, 1))
    counted = {(line.name, line.part): line.counted for line in found("F13").lines}
    assert counted == {
        ("普小龙", "2026年寒假"): 0,
        ("普小龙", "2026年暑假"): 1,
        ("李小云", "2026年寒假"): 1,
        ("李小云", "2026年暑假"): 0,
    }
    assert {line.note for line in found("F13").missing} == {"2026年寒假未返校销号", "2026年暑假未交接"}


def test_a_holiday_is_over_when_the_cut_off_is_past_its_last_day(system, child, found):
    handover(system, child, done_on=dt.date(2026, 1, 20))
    assert found("F13", cut_off=dt.date(2026, 3, 1)).value == 1
    assert found("F13", cut_off=dt.date(2026, 3, 2)).value == 0


def test_a_handover_is_due_for_who_was_there_on_the_last_day_before_the_holiday(system, school, found):
    make.left_behind(system, school, "普小龙", start=dt.date(2026, 1, 23))
    make.left_behind(system, school, "李小云", start=dt.date(2026, 1, 24))
    left = make.left_behind(system, school, "白小花")
    make.enrolment(system, left).end = dt.date(2026, 1, 24)
    winter = [line.name for line in found("F13").lines if line.part == "2026年寒假"]
    assert winter == ["白小花", "普小龙"]


def test_national_holidays_and_those_the_office_exempts_ask_for_no_handover(system, child, found):
    assert found("F13").denominator == 2
    for holiday in system.scalars(select(m.Holiday)):
        holiday.handover = holiday.kind in (m.HolidayKind.NATIONAL, m.HolidayKind.MAY)
    assert found("F13").value is None


# --- flags


@pytest.mark.parametrize(("followed", "value"), [(14, 1), (15, 0), (None, 0)])
def test_a_flag_is_day_0_and_followed_up_by_day_14(followed, value, system, child, found):
    flag(system, child, followed_on=followed and OCTOBER + dt.timedelta(days=followed))
    assert found("F11").value == value


def test_a_flag_whose_days_are_not_over_is_left_out_until_it_is_followed_up(system, child, found):
    row = flag(system, child)
    assert found("F11", cut_off=OCTOBER + dt.timedelta(days=13)).denominator == 0
    assert found("F11", cut_off=OCTOBER + dt.timedelta(days=14)).value == 0
    row.followed_on = OCTOBER + dt.timedelta(days=2)
    assert found("F11", cut_off=OCTOBER + dt.timedelta(days=13)).denominator == 1


def test_no_flag_is_all_done_and_a_normal_one_is_none(system, child, found):
    flag(system, child, level=m.Attention.NORMAL)
    assert (found("F11").value, found("F11").denominator) == (1, 0)


def test_the_county_may_allow_a_follow_up_another_time(system, child, found, county_says):
    flag(system, child, followed_on=OCTOBER + dt.timedelta(days=8))
    county_says("follow_up_days", 7)
    assert found("F11").value == 0


# --- transfers

APRIL_24, DAY_15 = dt.date(2026, 4, 24), dt.date(2026, 5, 19)
"""A Friday, and its fifteenth working day: over May Day with its make-up Saturday."""


def accepted(system, ids, child, answered=DAY_15, **more):
    state = {"state": m.TransferState.ACCEPTED, "answered_on": answered}
    return make.transfer(system, child, system.get(m.School, ids.b), APRIL_24, **(state | more))


def test_without_a_transfer_f4_does_not_apply(child, found):
    assert found("F4").value is None


def test_a_transfer_closed_on_the_fifteenth_working_day_counts(system, ids, child, found):
    accepted(system, ids, child)
    assert found("F4").value == 1


def test_a_transfer_closed_a_day_later_does_not_and_says_when_it_was_due(system, ids, child, found):
    accepted(system, ids, child, DAY_15 + dt.timedelta(days=1))
    fact = found("F4")
    assert fact.value == 0 and "应于 2026-05-19 前交接，2026-05-20 才交接" in fact.missing[0].note
    assert fact.missing[0].child_id == child.id


def test_an_open_transfer_is_left_out_until_its_days_are_over(system, ids, child, found):
    accepted(system, ids, child, None, state=m.TransferState.PENDING)
    assert found("F4", cut_off=DAY_15 - dt.timedelta(days=1)).value is None
    assert found("F4", cut_off=DAY_15).value == 0


def test_a_transfer_sent_back_is_not_closed_and_one_asked_for_has_not_begun(system, ids, child, found):
    row = accepted(system, ids, child, dt.date(2026, 4, 27), state=m.TransferState.RETURNED)
    assert found("F4").value == 0
    row.state = m.TransferState.REQUESTED
    assert found("F4").value is None


def test_out_of_the_county_a_transfer_is_closed_when_its_paper_is_printed(system, child, found):
    outside = system.scalar(select(m.School).where(m.School.kind == m.SchoolKind.OUTSIDE))
    row = make.transfer(system, child, outside, APRIL_24, kind=m.TransferKind.OUT)
    assert found("F4").value == 0
    row.printed_on = DAY_15
    assert found("F4").value == 1


def test_a_transfer_counts_at_the_sending_school_and_not_inside_a_unit(system, ids, school, child, found):
    accepted(system, ids, child)
    assert found("F4", at=system.get(m.School, ids.b)).value is None
    site = make.school(
        system, "2153991009", "白鹭小学新寨教学点", kind=m.SchoolKind.POINT, assessed=False, school_group=None, centre_id=school.id
    )
    make.transfer(system, make.left_behind(system, site, "李小云"), school, APRIL_24)
    assert found("F4").denominator == 1


# --- dropouts


@pytest.mark.parametrize(("back", "cost"), [(30, 0), (31, 1), (None, 1)])
def test_who_is_back_by_day_30_costs_nothing(back, cost, system, child, found):
    case(system, child, returned_on=back and OCTOBER + dt.timedelta(days=back))
    fact = found("dropouts_unreturned")
    assert (fact.value, len(fact.missing)) == (cost, cost)


def test_a_case_whose_30_days_are_not_over_costs_nothing_yet(system, child, found):
    case(system, child)
    assert found("dropouts_unreturned", cut_off=OCTOBER + dt.timedelta(days=29)).value == 0
    assert found("dropouts_unreturned", cut_off=OCTOBER + dt.timedelta(days=30)).value == 1


def test_only_grades_1_to_9_and_cases_found_in_the_round_count(system, child, found):
    case(system, child, grade=m.Grade.H1)
    case(system, child, dt.date(2025, 8, 20))
    assert (found("dropouts_unreturned").value, found("dropouts_late").value) == (0, 0)


def test_a_case_is_late_when_it_is_entered_after_the_third_working_day(system, child, found):
    friday = dt.date(2026, 4, 10)
    row = case(system, child, friday, created_at=dt.datetime(2026, 4, 15, 23, 59, tzinfo=CHINA))
    assert found("dropouts_late").value == 0
    row.created_at = dt.datetime(2026, 4, 16, 0, 1, tzinfo=CHINA)
    fact = found("dropouts_late")
    assert fact.value == 1 and "应于 2026-04-15 前录入" in fact.missing[0].note and fact.missing[0].child_id == child.id


def test_a_school_without_a_dropout_has_none_unreturned_and_none_late(child, found):
    assert (found("dropouts_unreturned").value, found("dropouts_late").value) == (0, 0)


# --- the cut-off


def both_raters(system, child):
    evaluation(system, child, "teacher", "conduct", "study", "health", "arts", "practice")
    return evaluation(system, child, "self")


RECORDS = {
    "F7": contact,
    "F15": letter,
    "F16": both_raters,
    "F13": lambda system, child: handover(system, child, back_on=dt.date(2026, 3, 2)),
    "dropouts_unreturned": case,
}


@pytest.mark.parametrize(("metric", "record"), RECORDS.items(), ids=RECORDS)
def test_what_is_entered_after_the_cut_off_does_not_count_and_what_is_deleted_after_it_does(
    metric, record, system, child, found, late
):
    row = record(system, child)
    row.deleted_at = late
    assert found(metric).numerator == 1
    row.deleted_at, row.created_at = None, late
    assert found(metric).numerator == 0


def test_a_flag_or_transfer_entered_after_the_cut_off_is_not_there_at_all(system, ids, child, found, late):
    flag(system, child, created_at=late)
    accepted(system, ids, child, created_at=late)
    assert (found("F11").denominator, found("F4").value) == (0, None)


@pytest.mark.parametrize("metric", ["F7", "F13", "F15", "F16"])
def test_a_school_without_children_has_nothing_due(metric, found):
    assert found(metric).value is None
