"""The twelve scoring patterns: exact cases from the score sheets, and what must hold for any numbers."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given, settings, strategies as st

from admin_app.assessment import patterns
from admin_app.assessment.patterns import NOT_APPLICABLE, Points

calm = settings(max_examples=50, deadline=None)

STEPS = [(D("0.95"), D(5)), (D("0.9"), D(4)), (D("0.8"), D(2))]
BOARDERS = [(D(50), D(1)), (D(80), D("0.7")), (D(120), D("0.4"))]
PLACES = [D(8), D(6), D(4)]

amounts = st.decimals(0, 10, places=2)
values = st.decimals(-3, 150, places=4)
shares = st.decimals(0, 2, places=4)

UP, DOWN = 1, -1
SCORERS = {
    "ALLNONE": (UP, lambda top, v: patterns.all_or_none(top, v)),
    "CHECK": (UP, lambda top, v: patterns.ticks([(v, D(1), top), (v, D(8), top)])),
    "LACK": (DOWN, lambda top, v: patterns.lack(top, v, D("0.5"))),
    "RATE": (UP, lambda top, v: patterns.rate(top, v)),
    "RATE with floor and ceiling": (UP, lambda top, v: patterns.rate(top, v, D("0.6"), D("0.8"))),
    "STEP": (UP, lambda top, v: patterns.step(top, v, STEPS)),
    "STEP at most": (DOWN, lambda top, v: patterns.step(top, v, BOARDERS, at_most=True)),
    "COUNT": (UP, lambda top, v: patterns.count(top, v, D("0.25"))),
    "EVENT": (DOWN, lambda top, v: patterns.event(top, [(v, D("0.5"))])),
    "RANK": (DOWN, lambda top, v: patterns.rank(top, None if v is None else abs(int(v)) + 1, PLACES)),
    "MANUAL": (UP, lambda top, v: NOT_APPLICABLE if v is None else patterns.manual(top, v)),
    "WEIGHTED": (UP, lambda top, v: patterns.weighted([patterns.rate(top, v), patterns.count(top, v, D("0.1"))])),
}
every_pattern = pytest.mark.parametrize(("direction", "score"), SCORERS.values(), ids=SCORERS)


@every_pattern
@calm
@given(top=amounts, value=values)
def test_nobody_earns_less_than_nothing_or_more_than_the_maximum(direction, score, top, value):
    earned, maximum = score(top, value)
    assert 0 <= earned <= maximum


@every_pattern
@calm
@given(top=amounts, one=values, other=values)
def test_a_better_number_never_earns_less(direction, score, top, one, other):
    if score is SCORERS["RANK"][1]:
        one, other = abs(one), abs(other)
    low, high = sorted([one, other])
    assert direction * (score(top, high).earned - score(top, low).earned) >= 0


@every_pattern
@calm
@given(top=amounts)
def test_what_has_nothing_to_count_leaves_the_maximum(direction, score, top):
    assert score(top, None) == NOT_APPLICABLE
    assert not score(top, None).applies


@every_pattern
@calm
@given(top=amounts, value=st.none() | values)
def test_points_are_decimals_and_never_floats(direction, score, top, value):
    assert [type(p) for p in score(top, value)] == [D, D]


# --- one by one


@pytest.mark.parametrize(("value", "earned"), [("0", "0"), ("0.9", "0"), ("1", "3"), ("7", "3")])
def test_all_or_none_gives_all_points_or_none(value, earned):
    assert patterns.all_or_none(D(3), D(value)) == Points(D(earned), D(3))


def test_all_or_none_can_ask_for_more_than_one():
    assert patterns.all_or_none(D(3), D(7), D(8)) == Points(D(0), D(3))
    assert patterns.all_or_none(D(3), D(8), D(8)) == Points(D(3), D(3))


def test_ticks_add_up_and_each_has_its_own_threshold():
    festivals, practice, meetings, evenings = [
        (D(2), D(1), D(1)),
        (D(0), D(1), D(1)),
        (D(8), D(8), D("0.5")),
        (D(1), D(1), D("0.5")),
    ]
    assert patterns.ticks([festivals, practice, meetings, evenings]) == Points(D(2), D(3))


def test_a_day_school_without_evenings_is_scored_on_two_and_a_half_points():
    assert patterns.ticks([(D(1), D(1), D(1)), (D(1), D(1), D(1)), (D(8), D(8), D("0.5")), (None, D(1), D("0.5"))]) == Points(
        D("2.5"), D("2.5")
    )


def test_ticks_without_an_item_do_not_apply():
    assert patterns.ticks([]) == NOT_APPLICABLE


@pytest.mark.parametrize(("missing", "earned"), [("0", "3"), ("1", "2.5"), ("6", "0"), ("7", "0")])
def test_each_thing_lacking_costs_until_nothing_is_left(missing, earned):
    assert patterns.lack(D(3), D(missing), D("0.5")) == Points(D(earned), D(3))


@pytest.mark.parametrize(("value", "earned"), [("0", "0"), ("0.925", "2.775"), ("1", "3"), ("1.2", "3"), ("-0.1", "0")])
def test_a_rate_is_points_times_rate_and_is_not_rounded(value, earned):
    assert patterns.rate(D(3), D(value)) == Points(D(earned), D(3))


@pytest.mark.parametrize(("value", "earned"), [("0.59", "0"), ("0.6", "1.5"), ("0.72", "1.8"), ("0.8", "2"), ("0.9", "2")])
def test_a_rate_is_nothing_below_its_floor_and_full_from_its_ceiling(value, earned):
    assert patterns.rate(D(2), D(value), D("0.6"), D("0.8")) == Points(D(earned), D(2))


def test_a_third_that_makes_an_exact_half_cent_is_rounded_up():
    """3 x 101/600 is 0.505 exactly."""
    assert patterns.cents(patterns.rate(D(3), D(101) / D(600)).earned) == D("0.51")


@pytest.mark.parametrize(
    ("value", "earned"), [("1", "5"), ("0.95", "5"), ("0.9499", "4"), ("0.9", "4"), ("0.85", "2"), ("0.79", "0")]
)
def test_steps_give_the_points_of_the_first_threshold_reached(value, earned):
    assert patterns.step(D(5), D(value), STEPS) == Points(D(earned), D(5))
    assert patterns.step(D(5), D(value), STEPS[::-1]) == Points(D(earned), D(5))


@pytest.mark.parametrize(
    ("value", "earned"), [("0", "1"), ("50", "1"), ("50.1", "0.7"), ("70", "0.7"), ("80", "0.7"), ("120", "0.4"), ("121", "0")]
)
def test_steps_turned_round_give_more_for_fewer_boarders_to_a_counsellor(value, earned):
    assert patterns.step(D(1), D(value), BOARDERS, at_most=True) == Points(D(earned), D(1))


def test_steps_never_give_more_than_the_maximum():
    assert patterns.step(D(3), D(1), STEPS) == Points(D(3), D(3))


@pytest.mark.parametrize(("value", "earned"), [("0", "0"), ("6", "1.5"), ("8", "2"), ("9", "2")])
def test_each_time_counts_up_to_the_maximum(value, earned):
    assert patterns.count(D(2), D(value), D("0.25")) == Points(D(earned), D(2))


def test_two_kinds_of_event_cost_together_and_never_below_zero():
    assert patterns.event(D(4), [(D(2), D(1)), (D(1), D("0.5"))]) == Points(D("1.5"), D(4))
    assert patterns.event(D(4), [(D(0), D(1)), (D(0), D("0.5"))]) == Points(D(4), D(4))
    assert patterns.event(D(4), [(D(9), D(1))]) == Points(D(0), D(4))


def test_events_of_which_one_kind_cannot_be_counted_still_apply():
    assert patterns.event(D(4), [(None, D(1)), (D(2), D("0.5"))]) == Points(D(3), D(4))
    assert patterns.event(D(4), [(None, D(1)), (None, D("0.5"))]) == NOT_APPLICABLE


@pytest.mark.parametrize(("place", "earned"), [(1, "8"), (2, "6"), (3, "4"), (4, "4"), (40, "4")])
def test_the_last_entry_of_a_rank_holds_for_all_places_after_it(place, earned):
    assert patterns.rank(D(8), place, PLACES) == Points(D(earned), D(8))


def test_a_rank_without_places_does_not_apply():
    assert patterns.rank(D(8), 1, []) == NOT_APPLICABLE


@pytest.mark.parametrize(("judged", "earned"), [("0", "0"), ("2.5", "2.5"), ("3", "3"), ("3.1", "3"), ("-1", "0")])
def test_what_is_judged_stays_between_nothing_and_the_maximum(judged, earned):
    assert patterns.manual(D(3), D(judged)) == Points(D(earned), D(3))


def test_weighted_parts_are_added_exactly():
    parts = [patterns.manual(D("1.5"), D("1.2")), patterns.rate(D("1.5"), D("0.333"))]
    assert patterns.weighted(parts) == Points(D("1.6995"), D(3))


def test_a_weighted_part_that_does_not_apply_leaves_the_maximum():
    assert patterns.weighted([Points(D(1), D("1.5")), NOT_APPLICABLE]) == Points(D(1), D("1.5"))


def test_a_weighted_part_that_does_not_apply_can_leave_its_points_to_the_others():
    """F8: no carers, so the sessions count double."""
    assert patterns.weighted([Points(D("0.75"), D("1.5")), NOT_APPLICABLE], share_empty=True, maximum=D(3)) == Points(
        D("1.5"), D(3)
    )
    assert patterns.weighted([NOT_APPLICABLE, NOT_APPLICABLE], share_empty=True, maximum=D(3)) == NOT_APPLICABLE


@calm
@given(st.lists(st.tuples(amounts, shares).map(lambda p: patterns.rate(p[0], p[1])), max_size=5))
def test_sharing_keeps_the_proportion_and_stays_within_the_maximum(parts):
    plain, shared = patterns.weighted(parts), patterns.weighted(parts, share_empty=True, maximum=D(3))
    assert 0 <= shared.earned <= shared.maximum
    assert shared.applies == plain.applies
    assert abs(shared.earned * plain.maximum - plain.earned * shared.maximum) < D("1e-20")


def test_one_matter_is_honoured_once_at_its_highest_level():
    assert patterns.bonus([("巾帼奖", D("0.5")), ("巾帼奖", D(2)), ("巾帼奖", D(1)), ("典型经验", D(1))], D(5)) == D(3)


def test_the_bonus_ends_at_its_cap():
    assert patterns.bonus([("甲", D(3)), ("乙", D(2)), ("丙", D(1))], D(5)) == D(5)
    assert patterns.bonus([], D(5)) == 0


awards = st.lists(st.tuples(st.sampled_from("甲乙丙"), st.decimals(0, 3, places=1)), max_size=6)


@calm
@given(awards, awards)
def test_another_award_never_lowers_the_bonus_and_order_does_not_matter(first, more):
    cap = D(5)
    assert 0 <= patterns.bonus(first, cap) <= patterns.bonus(first + more, cap) <= cap
    assert patterns.bonus(first + more, cap) == patterns.bonus(more + first, cap)
    assert type(patterns.bonus(first, cap)) is D


@pytest.mark.parametrize(
    ("effects", "gravest"),
    [
        ([], None),
        (["no_honour"], "no_honour"),
        (["fail"], "fail"),
        (["no_honour", "fail"], "fail"),
        (["fail", "no_honour"], "fail"),
    ],
)
def test_the_gravest_veto_holds(effects, gravest):
    assert patterns.veto(effects) == gravest


@pytest.mark.parametrize(
    ("exact", "seen"), [("2.775", "2.78"), ("2.774999", "2.77"), ("0.005", "0.01"), ("1", "1.00"), ("90.285", "90.29")]
)
def test_cents_are_rounded_half_up(exact, seen):
    assert str(patterns.cents(D(exact))) == seen
