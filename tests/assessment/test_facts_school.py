"""School work: groups, papers, census, training, boarding, opinion, the office's samples; and the catalogue as a whole."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.assessment import facts
from tests import factories as make

F = dt.date(2026, 8, 31)
OCTOBER = dt.date(2025, 10, 9)
AUTUMN, SPRING = "2025-1", "2025-2"


def post(system, school, body="leading", name="组长甲", start=dt.date(2025, 9, 1), **more):
    return make.of_school(system, m.Post, school, body=m.Body(body), name=name, start=start, **more)


def paper(system, school, kind, term=None, state="filed", on=OCTOBER, **more):
    row = {"title": "文件", "on": on, "submitted_on": on, "term_id": make.term_id(system, term) if term else None}
    return make.of_school(system, m.Paper, school, kind=m.PaperKind(kind), state=m.PaperState(state), **(row | more))


def handed_in(system, school, term, on, **more):
    census = system.scalar(select(m.CensusRound).join(m.Term, m.Term.id == m.CensusRound.term_id).where(m.Term.code == term))
    row = {"census_id": census.id, "on": on, "children": 1, "girls": 0, "by": "填报员"}
    return make.of_school(system, m.CensusReturn, school, **(row | more))


def opinion(system, school, found_at, reported_after=None, **more):
    reported = found_at + reported_after if reported_after is not None else None
    return make.of_school(system, m.Opinion, school, found_at=found_at, reported_at=reported, source="论坛", summary="传言", **more)


def sample(system, ids, school, **more):
    return make.of_school(system, m.Inspection, school, **({"round_id": ids.round, "on": OCTOBER, "children": 10} | more))


# --- the two groups


def test_both_groups_need_a_member_on_the_cut_off(system, school, found):
    post(system, school)
    post(system, school, "working", end=F)
    fact = found("groups_exist")
    assert fact.value < 1 and [line.name for line in fact.missing] == ["工作小组"]
    post(system, school, "working", "成员乙", end=F + dt.timedelta(days=1))
    assert found("groups_exist").value == 1


def test_a_school_that_registered_nobody_has_no_group_and_renewed_none(found):
    for metric in ("groups_exist", "groups_renewed"):
        assert found(metric).value == 0 and len(found(metric).missing) == 2


def test_groups_nobody_left_need_no_renewal(system, school, found):
    post(system, school)
    post(system, school, "working")
    assert found("groups_renewed").value == 1


@pytest.mark.parametrize(("came", "value"), [(30, 1), (31, 0), (0, 1), (-10, 1)])
def test_who_leaves_a_group_is_replaced_within_30_days(came, value, system, school, found):
    left = dt.date(2026, 3, 2)
    post(system, school, "working")
    post(system, school)
    post(system, school, name="张老师", end=left)
    post(system, school, name="李老师", start=left + dt.timedelta(days=came))
    fact = found("groups_renewed")
    assert fact.value == value and [line.name for line in fact.missing] == ([] if value else ["领导小组 张老师"])


def test_one_who_comes_replaces_one_who_left_and_a_member_of_the_other_group_or_a_founder_nobody(system, school, found):
    left = dt.date(2025, 9, 20)
    for body in ("leading", "working"):
        post(system, school, body)
    for name in ("张老师", "李老师"):
        post(system, school, name=name, end=left)
    post(system, school, name="新老师", start=left)
    post(system, school, "working", "别老师", start=left)
    fact = found("groups_renewed")
    assert (fact.numerator, fact.denominator) == (1, 2)


def test_a_change_less_than_30_days_before_the_cut_off_is_not_held_against_the_school(system, school, found):
    post(system, school, "working")
    post(system, school)
    post(system, school, name="张老师", end=F - dt.timedelta(days=29))
    assert found("groups_renewed").value == 1
    post(system, school, name="李老师", end=F - dt.timedelta(days=30))
    assert found("groups_renewed").value == 0


def test_a_missing_group_was_not_renewed(system, school, found):
    post(system, school)
    fact = found("groups_renewed")
    assert fact.value == 0 and [line.name for line in fact.missing] == ["工作小组"]


# --- papers


def test_one_programme_and_one_plan_a_term_count_three_at_most(system, school, found):
    for _twice in range(2):
        paper(system, school, "programme")
        paper(system, school, "plan", AUTUMN)
    fact = found("plans_filed")
    assert (fact.value, fact.denominator) == (2, 3) and "第二学期 学期工作计划" in fact.missing[0].name
    paper(system, school, "plan", SPRING)
    assert found("plans_filed").value == 3


@pytest.mark.parametrize(
    ("state", "submitted", "counts"),
    [
        ("filed", OCTOBER, 1),
        ("submitted", F, 1),
        ("submitted", F + dt.timedelta(1), 0),
        ("returned", OCTOBER, 0),
        ("draft", None, 0),
    ],
)
def test_a_paper_counts_when_it_is_filed_or_handed_in_by_the_cut_off_and_not_answered(
    state, submitted, counts, system, school, found
):
    paper(system, school, "plan", AUTUMN, state, submitted_on=submitted)
    assert found("plans_filed").value == counts


def test_a_paper_without_a_term_belongs_to_that_of_its_day_and_the_term_column_goes_first(system, school, found):
    paper(system, school, "plan", None)
    paper(system, school, "plan", SPRING, on=dt.date(2026, 2, 20))
    paper(system, school, "programme", on=dt.date(2025, 8, 20))
    assert {line.part or line.name for line in found("plans_filed").missing} == {"年度实施方案"}


def test_two_summaries_are_wanted_of_terms_or_year(system, school, found):
    paper(system, school, "term_summary", AUTUMN)
    assert [line.name for line in found("summaries").missing] == ["还应报一份工作总结"]
    paper(system, school, "year_summary")
    assert (found("summaries").value, found("summaries").missing) == (2, ())


def test_a_school_that_handed_in_nothing_lacks_every_paper(found):
    assert (found("plans_filed").value, len(found("plans_filed").missing)) == (0, 3)
    assert (found("summaries").value, len(found("summaries").missing)) == (0, 2)


# --- the census


@pytest.mark.parametrize(("days", "cost"), [(0, 0), (1, 1), (7, 1), (8, 3), (None, 3)])
def test_a_census_on_time_costs_nothing_a_week_late_half_a_point_and_later_all(days, cost, system, school, found):
    handed_in(system, school, SPRING, dt.date(2026, 3, 20))
    if days is not None:
        handed_in(system, school, AUTUMN, dt.date(2025, 9, 20) + dt.timedelta(days=days))
    assert found("census_late").value == cost


def test_the_first_hand_in_counts_and_the_centre_hands_in_for_its_sites(system, school, found):
    site = make.school(
        system, "2153991009", "白鹭小学新寨教学点", kind=m.SchoolKind.POINT, assessed=False, school_group=None, centre_id=school.id
    )
    handed_in(system, site, AUTUMN, dt.date(2025, 9, 10))
    handed_in(system, site, SPRING, dt.date(2026, 3, 10))
    fact = found("census_late")
    assert fact.value == 6 and len(fact.missing) == 2 and "未上报" in fact.missing[0].note


def test_a_census_that_may_still_be_handed_in_on_time_costs_nothing_yet(found):
    assert found("census_late", cut_off=dt.date(2025, 9, 19)).value == 0
    assert found("census_late", cut_off=dt.date(2025, 9, 20)).value == 3


def test_a_round_without_a_census_has_none_to_be_late_for(system, found):
    for census in system.scalars(select(m.CensusRound)):
        census.term_id = make.term_id(system, {"2025-1": "2024-1", "2025-2": "2024-2"}.get(census.term.code, census.term.code))
    assert found("census_late").value is None


# --- training, boarding


def test_how_many_sessions_a_year_is_the_county_s_word(system, school, found, county_says):
    make.of_school(system, m.TrainingSession, school, title="讲座", kind_id=make.code_id(system, "T1"), on=OCTOBER)
    assert (found("F8.sessions").value, len(found("F8.sessions").missing)) == (Decimal("0.5"), 1)
    county_says("trainings_a_year", 1)
    assert (found("F8.sessions").value, found("F8.sessions").missing) == (1, ())


def boarders(system, school, n):
    for i in range(n):
        make.child(system, school, f"普{'一二三四五六七八九'[i % 9]}", boarding=True)


def test_f18_is_boarders_of_the_unit_for_each_life_counsellor_on_the_cut_off(system, school, found):
    school.boarding = True
    site = make.school(
        system, "2153991009", "白鹭小学新寨教学点", kind=m.SchoolKind.POINT, assessed=False, school_group=None, centre_id=school.id
    )
    boarders(system, school, 2)
    boarders(system, site, 1)
    make.child(system, school, "走读")
    post(system, school, "life", "阿姨一")
    post(system, school, "life", "阿姨二", end=F)
    fact = found("F18")
    assert (fact.value, fact.numerator, fact.denominator, fact.missing) == (3, 3, 1, ())


def test_without_a_life_counsellor_the_ratio_is_beyond_every_step(system, school, found):
    school.boarding = True
    boarders(system, school, 51)
    fact = found("F18")
    assert fact.value > 120 and [line.name for line in fact.missing] == ["还应配一名生活辅导员"] * 2


def test_a_school_that_does_not_board_or_has_no_boarders_has_no_ratio(system, school, found):
    boarders(system, school, 1)
    assert found("F18").value is None
    school.boarding = True
    for child in system.scalars(select(m.Child).where(m.Child.school_id == school.id)):
        child.boarding = False
    assert found("F18").value is None


def test_boards_is_a_condition_of_boarding_schools_and_never_of_kindergartens(system, school, found):
    assert found("boards").value is None
    school.boarding = True
    assert found("boards").value == 1
    school.kind = m.SchoolKind.KINDERGARTEN
    assert found("boards").value is None


# --- opinion

MORNING = dt.datetime(2026, 4, 8, 2, tzinfo=dt.UTC)
DAY = dt.timedelta(hours=24)


@pytest.mark.parametrize(
    ("after", "hidden", "cost"),
    [(DAY, False, 0), (DAY + dt.timedelta(seconds=1), False, 1), (None, False, 1), (DAY * 2, True, 1), (DAY, True, 1)],
)
def test_an_opinion_reported_after_24_hours_never_or_hidden_costs_1_once(after, hidden, cost, system, school, found):
    opinion(system, school, MORNING, after, hidden=hidden)
    assert (found("opinion_failures").value, len(found("opinion_failures").missing)) == (cost, cost)


def test_an_opinion_that_may_still_be_reported_costs_nothing_yet(system, school, found):
    opinion(system, school, MORNING)
    assert found("opinion_failures", cut_off=dt.date(2026, 4, 8)).value == 0
    assert found("opinion_failures", cut_off=dt.date(2026, 4, 9)).value == 1


def test_an_opinion_is_found_on_the_county_s_day_and_outside_the_round_it_does_not_count(system, school, found):
    opinion(system, school, dt.datetime(2025, 8, 31, 15, 59, tzinfo=dt.UTC))
    assert found("opinion_failures").value == 0
    opinion(system, school, dt.datetime(2025, 8, 31, 16, 1, tzinfo=dt.UTC))
    assert found("opinion_failures").value == 1


def test_what_was_hidden_counts_whenever_the_office_found_it(system, school, found, late):
    row = opinion(system, school, MORNING, created_at=late)
    assert found("opinion_failures").value == 0
    row.hidden = True
    assert found("opinion_failures").value == 1
    row.deleted_at = late
    assert found("opinion_failures").value == 0


# --- the office's samples


def test_samples_of_a_round_add_up_and_the_cut_off_does_not_bind_the_office(system, ids, school, found, late):
    sample(system, ids, school, fields_checked=100, fields_wrong=5, answers=10, satisfied=9)
    sample(system, ids, school, fields_checked=100, fields_wrong=15, created_at=late, on=dt.date(2026, 9, 4))
    assert (found("F20").value, found("F21").value) == (Decimal("0.9"), Decimal("0.9"))


def test_not_sampled_or_not_asked_does_not_apply(system, ids, school, found):
    assert (found("F20").value, found("F21").value) == (None, None)
    sample(system, ids, school)
    assert (found("F20").value, found("F21").value) == (None, None)


def test_a_sample_below_ten_children_or_all_of_them_is_refused(system, ids, school, found):
    row = sample(system, ids, school, children=1, fields_checked=20)
    make.left_behind(system, school, "普小龙")
    assert found("F20").value == 1
    make.left_behind(system, school, "李小云")
    assert found("F20").value is None
    row.children = 2
    assert found("F20").value == 1


def test_a_sample_of_another_round_does_not_count(system, ids, school, found):
    other = m.Round(
        code="2025", title="2025 年度考核", scheme_id=system.get(m.Round, ids.round).scheme_id, start=dt.date(2024, 9, 1),
        last_day=dt.date(2025, 8, 31), cut_off=dt.date(2025, 8, 31), state=m.RoundState.OPEN,
    )  # fmt: skip
    system.add(other)
    system.flush()
    sample(system, ids, school, round_id=other.id, fields_checked=20)
    assert found("F20").value is None


# --- the cut-off


def teachers(system, school):
    post(system, school, "working")
    return post(system, school)


def one_of_two(system, school):
    handed_in(system, school, SPRING, dt.date(2026, 3, 20))
    return handed_in(system, school, AUTUMN, dt.date(2025, 9, 20))


def life(system, school):
    school.boarding = True
    boarders(system, school, 2)
    return post(system, school, "life", "阿姨一")


RECORDS = {
    "groups_exist": (teachers, 1),
    "groups_renewed": (teachers, 1),
    "plans_filed": (lambda system, school: paper(system, school, "programme"), 1),
    "summaries": (lambda system, school: paper(system, school, "year_summary"), 1),
    "census_late": (one_of_two, 0),
    "F18": (life, 2),
}


@pytest.mark.parametrize(("metric", "record"), RECORDS.items(), ids=RECORDS)
def test_what_is_entered_after_the_cut_off_does_not_count_and_what_is_deleted_after_it_does(
    metric, record, system, school, found, late
):
    make_it, value = record
    row = make_it(system, school)
    row.deleted_at = late
    assert found(metric).value == value
    row.deleted_at, row.created_at = None, late
    assert found(metric).value != value


# --- the catalogue

PLACES = {
    "child", "contact_card", "care_record", "flag", "holiday_handover", "letter", "pairing", "evaluation", "agreement", "subsidy",
    "transfer", "activity", "training_session", "post", "paper", "facility", "census_return", "dropout_case", "opinion", "inspection",
}  # fmt: skip


def test_every_metric_of_the_rubric_is_computed(system):
    asked = {
        metric
        for indicator in system.scalars(select(m.Indicator).where(m.Indicator.pattern.is_not(None)))
        for metric in facts_asked(indicator)
    }
    assert asked == facts.METRICS.keys()


def facts_asked(indicator):
    from admin_app.assessment import results

    return results.rule_of(indicator).metrics


@pytest.mark.parametrize("code", facts.METRICS)
def test_a_metric_says_where_what_is_missing_is_mended_and_what_its_value_is(code):
    described = facts.METRICS[code]
    assert described.shape in ("share", "count", "events")
    assert described.place in PLACES or code == "boards"


def test_a_value_is_what_its_shape_says_for_every_school_of_the_cast(system, ids):
    window = facts.Window.of(system, system.get(m.Round, ids.round))
    for unit, known in facts.compute(window, [ids.a, ids.b]).items():
        for code, fact in known.items():
            if fact.value is None or code in ("F6", "F18"):
                continue
            match facts.METRICS[code].shape:
                case "share":
                    assert fact.value == (fact.numerator / fact.denominator if fact.denominator else 1), (unit, code)
                case "count":
                    assert fact.value == fact.numerator == len(fact.counted) or code == "boards", (unit, code)
                case "events":
                    assert fact.value == sum(line.expected - line.counted for line in fact.missing), (unit, code)
