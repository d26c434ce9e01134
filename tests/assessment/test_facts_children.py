"""What holds for the children on the cut-off: confirmed, entrusted, paired, aided."""

from __future__ import annotations

import datetime as dt

import pytest

from admin_app import models as m
from tests import factories as make

F = dt.date(2026, 8, 31)
"""The cut-off of the round."""


def notes(fact):
    return [(line.name, line.note) for line in fact.missing]


def agreement(system, child, **more):
    carer = make.carer(system, child)
    when = {"start": dt.date(2025, 9, 1), "signed_on": dt.date(2025, 9, 1)}
    return make.of_file(system, m.Agreement, child, carer_id=carer.id, principals="父母", **(when | more))


def pairing(system, child, start=dt.date(2025, 10, 1), **more):
    return make.event(system, m.Pairing, child, partner="同桌甲", start=start, **more)


def aid(system, child, code="Z14", **more):
    return make.event(system, m.Subsidy, child, kind_id=make.code_id(system, code), **({"start": dt.date(2025, 9, 1)} | more))


def poor(system, child, kind=m.CategoryKind.H01, **more):
    return make.of_file(system, m.Category, child, kind=kind, **({"start": dt.date(2025, 9, 1)} | more))


@pytest.mark.parametrize("metric", ["F3", "F5", "F14", "F17"])
def test_a_school_without_children_has_no_share_of_them(metric, found):
    assert found(metric).value is None


def test_f3_asks_for_a_confirmation_from_the_first_day_of_the_current_term_to_the_cut_off(system, school, found):
    days = [dt.date(2026, 3, 2), F, dt.date(2026, 3, 1), dt.date(2026, 9, 1), None]
    for day, name in zip(days, ("甲一", "甲二", "乙一", "乙二", "乙三"), strict=True):
        make.left_behind(system, school, name, facts_confirmed_at=day)
    fact = found("F3")
    assert (fact.numerator, fact.denominator) == (2, 5)
    assert [name for name, _note in notes(fact)] == ["乙二", "乙三", "乙一"] and "2026-03-01" in fact.missing[-1].note


def test_before_a_term_of_the_round_has_begun_nothing_is_to_be_confirmed(system, school, found):
    make.left_behind(system, school, "普小龙", start=dt.date(2025, 1, 1))
    assert found("F3", cut_off=dt.date(2025, 8, 31)).value is None


def test_an_agreement_counts_while_it_holds_and_its_last_day_is_the_one_before_its_end(system, school, found):
    ends = {"甲一": None, "甲二": dt.date(2026, 9, 1), "乙一": F}
    for name, end in ends.items():
        agreement(system, make.left_behind(system, school, name), end=end)
    fact = found("F5")
    assert (fact.numerator, fact.denominator, fact.missing[0].name) == (2, 3, "乙一")


def test_an_agreement_is_needed_when_both_are_away_or_who_is_at_home_is_unable_and_not_for_a_dead_parent(system, school, found):
    for name, state in (("甲一", m.ParentState.INCAPABLE), ("甲二", m.ParentState.DEAD), ("甲三", m.ParentState.IMPRISONED)):
        child = make.child(system, school, name)
        make.parent(system, child, m.Side.FATHER)
        make.parent(system, child, m.Side.MOTHER, state)
    make.left_behind(system, school, "甲四")
    assert [line.name for line in found("F5").lines] == ["甲四", "甲一"]
    assert found("F9").denominator == 40


def test_a_pair_begun_59_days_before_the_cut_off_has_lasted_60(system, school, found):
    pairing(system, make.left_behind(system, school, "甲一"), F - dt.timedelta(days=59))
    pairing(system, make.left_behind(system, school, "甲二"), F - dt.timedelta(days=58))
    pairing(system, make.left_behind(system, school, "甲三"), end=F)
    make.left_behind(system, school, "甲四")
    fact = found("F14")
    assert fact.numerator == 1
    assert notes(fact) == [("甲二", "结对 59 日，不足 60 日"), ("甲三", "没有结对"), ("甲四", "没有结对")]


def test_how_long_a_pair_must_last_is_the_county_s_word(system, school, found, county_says):
    pairing(system, make.left_behind(system, school, "甲一"), F - dt.timedelta(days=29))
    county_says("pair_days", 30)
    assert found("F14").value == 1


def test_a_pair_of_the_old_school_does_not_count_at_the_new_one(system, ids, school, found):
    child = make.left_behind(system, school, "甲一", start=dt.date(2025, 10, 1))
    before = m.Enrolment(child_id=child.id, school_id=ids.b, child_name="甲一", start=dt.date(2025, 9, 1), end=dt.date(2025, 10, 1))
    system.add(before)
    system.flush()
    row = pairing(system, child)
    assert found("F14").value == 1
    row.enrolment_id, row.school_id = before.id, ids.b
    assert found("F14").value == 0


def test_f17_counts_who_is_poor_disabled_an_orphan_or_a_boarder_and_nobody_else(system, school, found):
    kinds = [m.CategoryKind.H01, m.CategoryKind.H02, m.CategoryKind.H03, m.CategoryKind.K01, m.CategoryKind.K14, m.CategoryKind.H04]
    for n, kind in enumerate(kinds):
        poor(system, make.left_behind(system, school, f"贫{'一二三四五六'[n]}"), kind)
    make.left_behind(system, school, "残一", disability=m.Disability.LIMB)
    make.left_behind(system, school, "残二", health=m.Health.DISABLED)
    make.left_behind(system, school, "宿一", boarding=True)
    make.left_behind(system, school, "平常")
    poor(system, make.left_behind(system, school, "从前"), end=F)
    assert {line.name for line in found("F17").lines} == {"贫一", "贫二", "贫三", "贫四", "残一", "残二", "宿一"}


def test_what_everybody_gets_is_no_aid_and_an_aid_must_hold_on_the_cut_off(system, school, found):
    given = {
        "甲一": ("Z02", None),
        "甲二": ("Z01", None),
        "甲三": ("Z04", None),
        "甲四": ("Z02", F),
        "甲五": ("Z02", F + dt.timedelta(1)),
    }
    for name, (code, end) in given.items():
        aid(system, make.left_behind(system, school, name, boarding=True), code, end=end)
    fact = found("F17")
    assert {line.name for line in fact.counted} == {"甲一", "甲五"} and fact.denominator == 5


def test_the_list_of_the_unaided_does_not_say_why_a_child_is_eligible(system, school, found):
    poor(system, make.left_behind(system, school, "甲一"), m.CategoryKind.K01)
    assert notes(found("F17")) == [("甲一", "应受资助，未登记有效的资助")]


@pytest.mark.parametrize(("metric", "record"), [("F5", agreement), ("F14", pairing), ("F17", aid)])
def test_what_is_entered_after_the_cut_off_does_not_count_and_what_is_deleted_after_it_does(
    metric, record, system, school, found, late
):
    row = record(system, make.left_behind(system, school, "甲一", boarding=True))
    row.deleted_at = late
    assert found(metric).value == 1
    row.deleted_at, row.created_at = None, late
    assert found(metric).value == 0


def test_a_category_entered_after_the_cut_off_makes_nobody_eligible(system, school, found, late):
    poor(system, make.left_behind(system, school, "甲一"), created_at=late)
    assert found("F17").value is None
