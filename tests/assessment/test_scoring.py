"""From facts to a card and from cards to ranks; the worked example of the rubric to the cent."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from admin_app.assessment import patterns, scoring
from admin_app.assessment.patterns import Points
from admin_app.assessment.scoring import Card, Fact, Item, Judgement, Rule, Status

calm = settings(max_examples=50, deadline=None)

RUBRIC = tomllib.loads((Path(__file__).parents[2] / "seed/reference/rubric.toml").read_text("utf-8"))
HEADS = RUBRIC["level1"]
RULES = {
    item["code"]: Rule(item["code"], D(item["points"]), item["pattern"], item.get("params", {}), item.get("applies", ""))
    for head in HEADS
    for item in head["item"]
}


def score_item(rule, facts, judged, **more):
    """One item scored, with what a person gave it, if anything."""
    return scoring.score_item(rule, facts, None if judged is None else Judgement(judged), **more)


QUOTA, WEIGHT, MINIMUM = D(RUBRIC["quota"]), D(RUBRIC["weight"]), D(RUBRIC["minimum"])


def share(counted: int, of: int) -> Fact:
    return Fact(D(counted) / D(of), D(counted), D(of))


def number(value: str) -> Fact:
    return Fact(D(value), D(value))


NOTHING = Fact(None)

FACTS = {
    "groups_exist": number("1"), "groups_renewed": number("1"), "plans_filed": number("3"), "meetings": number("3"),
    "summaries": number("2"), "census_late": number("1"),
    "F1": share(18, 20), "F2": share(19, 20), "F3": share(20, 20), "F4": NOTHING,
    "F5": share(15, 16), "F6": Fact((D(20) / D(20) + D(17) / D(20)) / 2, D(37), D(40)), "F7": share(120, 190),
    "F8.sessions": share(2, 2), "F8.carers": share(12, 18),
    "F9": share(171, 190), "F10": share(30, 36), "F11": share(2, 2),
    "F12": share(5, 6), "safety_lessons": number("4"), "law_days": number("1"), "F13": share(38, 40),
    "F14": share(16, 20), "gratitude_terms": number("2"), "F15": share(36, 40), "reading_months": number("6"),
    "festivals": number("1"), "practice": number("1"), "class_meetings": number("8"), "boards": number("1"), "F16": share(30, 40),
    "dropouts_unreturned": number("0"), "dropouts_late": number("0"), "F17": share(9, 9), "F18": number("70"),
    "F19": number("0.8"), "palace_openings": NOTHING, "agencies": number("3"),
    "publicity": number("5"), "opinion_failures": number("0"),
    "F20": share(19, 20), "F21": NOTHING,
}  # fmt: skip
"""The data of the worked example. F19 is 0.6 of 36/36 term openings and 0.4 of 5/10 holiday openings."""

JUDGED = {"A1.4": D("2.5"), "A4.2": D("1.2"), "A6.4": D("0.5"), "A7.3": D("0.7"), "A7.4": D("1.8"), "A8.1": D(1)}

TABLE = {
    "A1.1": "2.00", "A1.2": "3.00", "A1.3": "1.75", "A1.4": "2.50",
    "A2.1": "2.50", "A2.2": "4.50", "A2.3": "3.80", "A2.4": "3.00", "A2.5": None,
    "A3.1": "3.75", "A3.2": "2.78", "A3.3": "1.26", "A3.4": "2.75",
    "A4.1": "4.50", "A4.2": "2.45", "A4.3": "2.00",
    "A5.1": "3.33", "A5.2": "3.00", "A5.3": "4.75",
    "A6.1": "1.60", "A6.2": "2.80", "A6.3": "1.50", "A6.4": "3.00", "A6.5": "1.50",
    "A7.1": "4.00", "A7.2": "2.00", "A7.3": "1.40", "A7.4": "1.80",
    "A8.1": "2.60", "A8.2": None, "A8.3": "3.00",
    "A9.1": "1.25", "A9.2": "2.00",
    "A10.1": "1.90", "A10.2": None,
}  # fmt: skip


def scored(code: str, **facts: Fact) -> Item:
    return score_item(RULES[code], FACTS | facts, JUDGED.get(code))


def card_of(items: list[Item], **more: D) -> Card:
    earned = sum((item.score for item in items if item.score is not None), D(0))
    return Card(1, "2153990001", "晨光小学", "小学组", tuple(items), earned, sum((item.max for item in items), D(0)), **more)


def worked_example() -> Card:
    return card_of([scored(code) for code in RULES], bonus=patterns.bonus([("市级表彰", D(1))], D(RUBRIC["bonus_cap"])))


# --- the rubric


def test_the_rubric_has_10_heads_35_items_and_100_points():
    assert len(HEADS) == 10
    assert len(RULES) == sum(len(head["item"]) for head in HEADS) == 35
    assert sum(rule.points for rule in RULES.values()) == 100
    assert [D(head["points"]) for head in HEADS] == [10, 18, 12, 10, 12, 12, 10, 8, 4, 4]


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head["code"])
def test_the_items_of_a_head_add_up_to_its_points(head):
    assert sum(D(item["points"]) for item in head["item"]) == D(head["points"])
    assert all(item["code"].startswith(head["code"] + ".") for item in head["item"])


def test_the_parts_of_an_item_add_up_to_its_points():
    for rule in RULES.values():
        for name in ("parts", "items"):
            if name in rule.params:
                assert sum(D(part["points"]) for part in rule.params[name]) == rule.points, rule.code


def test_the_facts_of_the_example_are_all_the_metrics_the_rubric_asks_for():
    asked = Counter(metric for rule in RULES.values() for metric in rule.metrics)
    assert set(asked) == set(FACTS)
    assert max(asked.values()) == 1


def test_only_the_manual_parts_of_the_rubric_are_judged():
    judged = {code: rule.judged_points for code, rule in RULES.items() if rule.judged_points}
    assert judged == {"A1.4": 3, "A4.2": D("1.5"), "A6.4": D("0.5"), "A7.3": 1, "A7.4": 2, "A8.1": 1}
    assert judged.keys() == JUDGED.keys()


# --- the worked example


@pytest.mark.parametrize(("code", "score"), TABLE.items())
def test_every_item_of_the_worked_example_is_scored_as_in_the_table(code, score):
    item = scored(code)
    if score is None:
        assert (item.status, item.max, item.score) == (Status.NA, 0, None)
    else:
        assert (str(item.score), item.max) == (score, RULES[code].points)
        assert item.status is (Status.JUDGED if RULES[code].pattern == "MANUAL" else Status.AUTO)


def test_the_worked_example_earns_83_97_of_93_and_ends_at_91_29_excellent():
    card = worked_example()
    assert (card.earned, card.applicable) == (D("83.97"), D(93))
    card = scoring.total_up(card, MINIMUM, WEIGHT)
    assert (str(card.base), str(card.total), str(card.fold)) == ("90.29", "91.29", "4.56")
    (ranked,) = scoring.rank_groups([card], QUOTA)
    assert ranked.grade == "优秀"
    assert ranked.rank is None
    assert (ranked.base, ranked.total, ranked.fold) == (card.base, card.total, card.fold)


def test_no_float_gets_into_the_worked_example():
    card = scoring.total_up(worked_example(), MINIMUM, WEIGHT)
    numbers = [card.base, card.total, card.fold, card.earned, card.applicable]
    numbers += [n for item in card.items for n in (item.max, item.auto, item.score, item.final, item.numerator, item.denominator)]
    assert {type(n) for n in numbers} <= {D, type(None)}


def test_half_a_cent_is_rounded_once_after_the_parts_were_added():
    assert scored("A3.2").score == D("2.78")
    item = scored("A1.3", meetings=Fact(D("2.5")), summaries=Fact(D("0.25")))
    assert item.score == D("0.75")


def test_the_sheet_prints_the_numbers_of_the_last_metric():
    item = scored("A3.4")
    assert (item.numerator, item.denominator) == (12, 18)
    assert (scored("A6.2").numerator, scored("A6.2").denominator) == (36, 40)
    assert scored("A1.4").numerator is None


# --- one item


def test_without_carers_the_sessions_count_double():
    item = scored("A3.4", **{"F8.carers": NOTHING, "F8.sessions": share(1, 2)})
    assert (item.score, item.max) == (D("1.50"), 3)


@pytest.mark.parametrize("judged", [None, D("0.5"), D("2.5")])
def test_at_a_day_school_the_evenings_of_a6_4_need_not_be_judged_and_leave_its_maximum(judged):
    item = score_item(RULES["A6.4"], FACTS | {"boards": NOTHING}, judged)
    assert (item.status, item.score, item.max) == (Status.AUTO, D("2.50"), D("2.5"))


def test_at_a_boarding_school_a6_4_waits_for_its_evenings():
    assert score_item(RULES["A6.4"], FACTS, None).status is Status.MISSING
    assert score_item(RULES["A6.4"], FACTS, D("0.3")).score == D("2.80")


@pytest.mark.parametrize(("code", "metric"), [("A4.2", "F10"), ("A8.1", "F19")])
def test_a_room_that_a_school_needs_not_have_makes_its_item_na_and_is_not_judged(code, metric):
    assert score_item(RULES[code], FACTS | {metric: NOTHING}, None) == Item(code, D(0), Status.NA)


def test_a_room_that_is_missing_is_judged_and_opened_never():
    item = score_item(RULES["A8.1"], FACTS | {"F19": number("0")}, D(0))
    assert (item.score, item.max) == (0, 3)


def test_a_condition_makes_a_tick_an_event_or_a_whole_rule_not_apply():
    tick = Rule("X", D(2), "CHECK", {"items": [{"metric": "F1", "points": "1"}, {"metric": "F3", "points": "1", "when": "F4"}]})
    assert score_item(tick, FACTS | {"F1": number("1")}, None).max == 1
    event = Rule("X", D(2), "EVENT", {"events": [{"metric": "census_late", "per": "1", "when": "F4"}]})
    assert score_item(event, FACTS, None).status is Status.NA
    manual = Rule("X", D(2), "MANUAL", {"when": "F4"})
    assert (manual.metrics, score_item(manual, FACTS, D(1)).status) == (("F4",), Status.NA)
    assert score_item(manual, {}, D(1)).status is Status.JUDGED


def test_an_item_says_how_many_of_its_points_a_person_judges_at_this_school():
    assert (scored("A6.4").by_hand, scored("A6.4", boards=NOTHING).by_hand) == (D("0.5"), 0)
    assert (scored("A1.4").by_hand, scored("A2.2").by_hand) == (3, 0)


def test_a_rule_asks_for_its_conditions_first_and_each_metric_once():
    assert RULES["A6.4"].metrics == ("boards", "festivals", "practice", "class_meetings")
    assert RULES["A8.1"].metrics == ("F19",)


def test_an_item_that_does_not_apply_is_na_whatever_was_judged():
    assert score_item(RULES["A7.1"], FACTS, D(3), applies=False) == Item("A7.1", D(0), Status.NA)


def test_a_manual_item_waits_until_it_is_judged():
    assert score_item(RULES["A1.4"], FACTS, None) == Item("A1.4", D(3), Status.MISSING, by_hand=D(3))
    assert score_item(RULES["A1.4"], FACTS, D("2.5")) == Item(
        "A1.4", D(3), Status.JUDGED, final=D("2.50"), score=D("2.50"), by_hand=D(3)
    )


def test_a_judged_score_never_passes_the_maximum():
    assert score_item(RULES["A1.4"], FACTS, D(9)).score == 3
    assert score_item(RULES["A2.2"], FACTS, D(9)).score == 5


def test_an_item_with_a_judged_part_waits_and_already_shows_its_numbers():
    item = score_item(RULES["A4.2"], FACTS, None)
    assert (item.status, item.score, item.max) == (Status.MISSING, None, 3)
    assert (item.numerator, item.denominator) == (30, 36)


def test_a_rule_whose_metric_is_not_computed_is_judged_as_a_whole():
    facts = {name: fact for name, fact in FACTS.items() if name != "F2"}
    assert score_item(RULES["A2.3"], facts, None).status is Status.MISSING
    item = score_item(RULES["A2.3"], facts, D("3.5"))
    assert (item.status, item.score, item.max, item.auto) == (Status.JUDGED, D("3.50"), 4, None)


def test_a_decided_score_stands_over_the_computed_one_and_both_are_kept():
    item = score_item(RULES["A2.2"], FACTS, D(4))
    assert (item.auto, item.final, item.score) == (D("4.50"), D("4.00"), D("4.00"))


def test_an_appeal_that_was_won_gives_the_whole_item_also_where_a_part_is_judged():
    item = scoring.score_item(RULES["A4.2"], FACTS, Judgement(D("2.9"), whole=True))
    assert (item.status, item.score, item.max, item.auto) == (Status.JUDGED, D("2.90"), D(3), D("1.25"))
    assert scoring.score_item(RULES["A4.2"], FACTS, Judgement(D(9), whole=True)).score == 3


def test_a_decided_score_of_zero_counts():
    assert score_item(RULES["A2.2"], FACTS, D(0)).score == 0


def test_a_decided_score_is_never_below_zero():
    assert score_item(RULES["A2.2"], FACTS, D(-1)).score == 0


def test_a_rank_pattern_reads_its_place_beside_its_metric():
    rule = Rule("X", D(8), "RANK", {"metric": "F9", "by_place": ["8", "6", "4"]})
    place = scoring.place_of("F9")
    assert score_item(rule, {"F9": number("0.9"), place: number("2")}, None).score == 6
    assert score_item(rule, {"F9": number("0.9"), place: number("9")}, None).score == 4
    assert score_item(rule, {"F9": NOTHING}, None).status is Status.NA


def test_places_are_counted_inside_the_group_and_ties_share_one():
    values = {1: D("0.9"), 2: D("0.8"), 3: D("0.9"), 4: D("0.7"), 5: None, 6: D("0.1")}
    assert scoring.places(values, {1: "a", 2: "a", 3: "a", 4: "a", 5: "a", 6: "b"}) == {1: 1, 3: 1, 2: 3, 4: 4, 6: 1}


def test_an_unknown_pattern_is_an_error_of_the_rubric():
    with pytest.raises(ValueError, match="GUESS"):
        scoring.evaluate("GUESS", D(1), {}, {}, None)


@calm
@given(judged=st.decimals(0, 20, places=2), code=st.sampled_from(sorted(RULES)))
def test_whatever_is_judged_the_score_lies_between_zero_and_the_maximum(judged, code):
    item = score_item(RULES[code], FACTS, judged)
    assert item.score is None or 0 <= item.score <= item.max
    assert item.score is None or item.score == patterns.cents(item.score)


@pytest.mark.parametrize(
    ("applies", "stages", "boarding", "does"),
    [
        ("", {"幼儿园"}, False, True),
        ("小学 初中", {"小学"}, False, True),
        ("小学 初中", {"初中", "高中"}, False, True),
        ("小学 初中", {"幼儿园"}, True, False),
        ("小学 初中", {"幼儿园", "小学"}, False, True),
        ("小学 初中 高中 寄宿", {"小学"}, False, False),
        ("小学 初中 高中 寄宿", {"小学"}, True, True),
        ("小学 初中 高中 寄宿", {"幼儿园"}, True, False),
        ("寄宿", {"幼儿园"}, True, True),
        ("寄宿", {"小学"}, False, False),
        ("小学", set(), True, False),
    ],
)
def test_an_item_applies_if_it_applies_to_any_grade_taught(applies, stages, boarding, does):
    assert scoring.applies_to(Rule("X", D(1), "MANUAL", applies=applies), frozenset(stages), boarding=boarding) is does


def test_a_fact_tells_which_lines_are_missing():
    lines = (
        scoring.Line("1", "甲小雨", D(1), D(1)),
        scoring.Line("2", "丁不漏", D(3), D(9)),
        scoring.Line("3", "乙大山", D(0), D(1)),
    )
    fact = Fact(D("0.5"), lines=lines)
    assert [line.name for line in fact.missing] == ["丁不漏", "乙大山"]
    assert [line.name for line in fact.counted] == ["甲小雨", "丁不漏"]


# --- one card


def test_while_an_item_waits_there_is_no_total():
    items = [scored(code) for code in RULES]
    items[3] = score_item(RULES["A1.4"], FACTS, None)
    card = scoring.total_up(card_of(items), MINIMUM, WEIGHT)
    assert (card.waiting, card.base, card.total, card.fold, card.grade) == (1, None, None, None, "")
    assert not card.takes_part
    assert scoring.rank_groups([card], QUOTA) == [card]


def plain(applicable: str, earned: str, **more: D) -> Card:
    return Card(1, "1", "校", "组", (), D(earned), D(applicable), **more)


def test_below_60_applicable_points_a_school_does_not_take_part():
    card = scoring.total_up(plain("59.5", "59.5"), MINIMUM, WEIGHT)
    assert (card.grade, card.total, card.base, card.fold, card.takes_part) == ("不参评", None, None, None, False)
    assert scoring.total_up(plain("60", "60"), MINIMUM, WEIGHT).total == 100


@pytest.mark.parametrize(
    ("earned", "bonus", "discipline", "total", "fold"),
    [
        ("100", "5", "0", "105", "5.00"),
        ("100", "9", "0", "105", "5.00"),
        ("100", "5", "5", "100", "5.00"),
        ("2", "0", "5", "0", "0.00"),
        ("80", "0.5", "3", "77.50", "3.88"),
    ],
)
def test_a_total_lies_between_0_and_105_and_100_of_it_are_folded(earned, bonus, discipline, total, fold):
    card = scoring.total_up(plain("100", earned, bonus=D(bonus), discipline=D(discipline)), MINIMUM, WEIGHT)
    assert (card.total, card.fold) == (D(total), D(fold))


# --- ranks and grades


def at(total: str | None, code: str, group: str = "小学组", **more: str) -> Card:
    return Card(int(code), code, f"第{code}小学", group, (), D(0), D(100), total=None if total is None else D(total), **more)


def ranked(*totals: str, quota: str = "0.3", vetoes: dict[int, str] | None = None) -> list[tuple[int | None, str]]:
    """Rank and grade of each, in the order given."""
    cards = [at(t, str(i), veto=(vetoes or {}).get(i)) for i, t in enumerate(totals)]
    found = {card.school_id: card for card in scoring.rank_groups(cards, D(quota))}
    return [(found[i].rank, found[i].grade) for i in range(len(totals))]


def test_ties_share_a_rank_and_the_next_is_skipped():
    assert [rank for rank, _ in ranked("95", "90", "90", "80")] == [1, 2, 2, 4]
    assert [rank for rank, _ in ranked("80", "95", "95", "95", "70")] == [4, 1, 1, 1, 5]


def test_totals_that_look_the_same_rank_the_same():
    assert [rank for rank, _ in ranked("90.0", "90.00", "85", "84")] == [1, 1, 3, 4]


def test_a_group_below_four_has_grades_and_no_ranks():
    assert ranked("95", "85", "50") == [(None, "优秀"), (None, "良好"), (None, "不合格")]


def test_a_school_that_does_not_take_part_neither_ranks_nor_fills_its_group():
    cards = [at(t, str(i)) for i, t in enumerate(["95", "85", "75"])] + [at(None, "9", grade="不参评")]
    found = scoring.rank_groups(cards, QUOTA)
    assert [card.rank for card in found] == [None] * 4
    assert (found[-1].code, found[-1].grade) == ("9", "不参评")


@pytest.mark.parametrize(("schools", "places"), [(1, 1), (3, 1), (4, 1), (6, 1), (7, 2), (10, 3), (13, 3), (14, 4)])
def test_three_in_ten_may_be_excellent_rounded_down_but_at_least_one(schools, places):
    grades = [grade for _, grade in ranked(*(str(D("99") - D(i) / 10) for i in range(schools)))]
    assert grades == ["优秀"] * places + ["良好"] * (schools - places)


def test_ties_at_the_last_place_are_all_excellent():
    assert [grade for _, grade in ranked("95", "95", "95", "92")] == ["优秀", "优秀", "优秀", "良好"]


def test_below_90_nobody_is_excellent_even_with_free_places():
    assert [grade for _, grade in ranked("89.99", "80", "79.99", "60", "59.99")] == ["良好", "良好", "合格", "合格", "不合格"]


def test_a_failed_school_keeps_its_rank_and_uses_no_place():
    assert ranked("99", "95", "92", "85", vetoes={0: "fail"}) == [(1, "不合格"), (2, "优秀"), (3, "良好"), (4, "良好")]


def test_a_school_barred_from_honours_is_at_most_passed():
    assert ranked("99", "95", "92", "85", vetoes={0: "no_honour"})[:2] == [(1, "合格"), (2, "优秀")]
    assert scoring.grade_of(D(50), "no_honour", in_quota=True) == "不合格"


def test_vetoed_schools_count_for_the_size_of_the_quota():
    totals = [str(99 - i) for i in range(7)]
    assert [grade for _, grade in ranked(*totals, vetoes={6: "fail"})][:3] == ["优秀", "优秀", "良好"]


def test_schools_rank_inside_their_group_only():
    cards = [at(str(70 + i), str(i), "小学组") for i in range(4)] + [at(str(90 + i), str(10 + i), "初中组") for i in range(4)]
    found = {card.code: card.rank for card in scoring.rank_groups(cards, QUOTA)}
    assert (found["3"], found["0"], found["13"], found["10"]) == (1, 4, 1, 4)


def test_a_group_is_listed_from_the_best_down_and_those_without_a_total_last():
    cards = [at(None, "1"), at("80", "2"), at("90", "3"), at("90", "0")]
    assert [card.code for card in scoring.rank_groups(cards, QUOTA)] == ["0", "3", "2", "1"]


counties = st.lists(
    st.tuples(
        st.none() | st.decimals(0, 105, places=1),
        st.sampled_from(["小学组", "初中组"]),
        st.sampled_from([None, None, None, "fail", "no_honour"]),
    ),
    max_size=12,
).map(
    lambda rows: [
        at(None if total is None else str(total), str(i), group, veto=veto) for i, (total, group, veto) in enumerate(rows)
    ]
)


@calm
@given(counties, st.randoms(use_true_random=False))
def test_ranking_does_not_depend_on_the_order_of_the_cards(cards, chance):
    shuffled = list(cards)
    chance.shuffle(shuffled)
    assert {c.code: c for c in scoring.rank_groups(cards, QUOTA)} == {c.code: c for c in scoring.rank_groups(shuffled, QUOTA)}


@calm
@given(counties)
def test_a_rank_is_one_more_than_the_number_of_better_schools(cards):
    found = scoring.rank_groups(cards, QUOTA)
    assert len(found) == len(cards)
    for card in found:
        group = [c for c in found if c.group == card.group and c.total is not None]
        if card.total is None or len(group) < 4:
            assert card.rank is None
        else:
            assert card.rank == 1 + sum(c.total > card.total for c in group)


@calm
@given(counties)
def test_ranking_changes_nothing_but_rank_and_grade(cards):
    before = {c.code: replace(c, rank=None, grade="") for c in cards}
    assert {c.code: replace(c, rank=None, grade="") for c in scoring.rank_groups(cards, QUOTA)} == before


def test_points_that_do_not_apply_have_no_maximum():
    assert not Points(D(0), D(0)).applies
    assert Points(D(0), D(1)).applies
