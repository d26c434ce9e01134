"""Facts and indicators to a score card, and cards to ranks. Pure: no session, no clock, no float.

Sources: the totals, grades, quota and ties of the plan's rubric, read by rulings 15-20 of docs/rubric.md.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from . import patterns
from .patterns import HUNDRED, NOT_APPLICABLE, ONE, ZERO, Points, cents

TOP_TOTAL = Decimal(105)
SMALLEST_RANKED_GROUP = 4


class Judgement(NamedTuple):
    """What a person gave for an item: for its judged part, or ``whole``."""

    points: Decimal
    whole: bool = False


class Line(NamedTuple):
    """One entry of a fact's lists: a child, a carer, a drill. ``counted`` of ``expected``; what is short is missing."""

    key: str
    name: str
    counted: Decimal
    expected: Decimal
    note: str = ""
    part: str = ""
    """The term, where a fact is a mean over terms."""
    child_id: int | None = None


@dataclass(frozen=True)
class Fact:
    """One metric of one school. ``value`` None: there is nothing to count (the metric's empty case)."""

    value: Decimal | None
    numerator: Decimal = ZERO
    denominator: Decimal = ZERO
    lines: tuple[Line, ...] = ()

    @property
    def missing(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.counted < line.expected)

    @property
    def counted(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.counted > 0)


class Status(StrEnum):
    AUTO = "auto"
    JUDGED = "judged"
    MISSING = "missing"
    NA = "na"


@dataclass(frozen=True)
class Rule:
    """An indicator as the engine reads it."""

    code: str
    points: Decimal
    pattern: str
    params: Mapping[str, Any] = field(default_factory=dict)
    applies: str = ""
    """Stages of schooling and conditions, blank for all: 幼儿园 小学 初中 高中 寄宿."""

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Every metric the rule asks for, each once: first its conditions, then what is scored, in order."""
        return tuple(dict.fromkeys((*_named(self.params, "when"), *_named(self.params, "metric"))))

    @property
    def ranks(self) -> bool:
        """Is it, or a part of it, scored by the place in the group?"""
        return self.pattern == "RANK" or any(part.get("pattern") == "RANK" for part in self.params.get("parts", ()))

    @property
    def judged_points(self) -> Decimal:
        """How many of its points a person judges at a school to which all of it applies."""
        return _judged(self.pattern, self.points, self.params, None)

    def judged_at(self, facts: Mapping[str, Fact]) -> Decimal:
        """How many of its points a person judges at the school of these facts."""
        return _judged(self.pattern, self.points, self.params, facts)


def _named(params: Mapping[str, Any], key: str) -> Iterable[str]:
    if key in params:
        yield params[key]
    for name in ("parts", "items", "events"):
        for part in params.get(name, ()):
            yield from _named(part, key)


def _holds(params: Mapping[str, Any], facts: Mapping[str, Fact] | None) -> bool:
    """A part with the key ``when`` applies where that metric has a value; without facts every part does."""
    return facts is None or "when" not in params or facts[params["when"]].value is not None


def _judged(pattern: str, points: Decimal, params: Mapping[str, Any], facts: Mapping[str, Fact] | None) -> Decimal:
    if not _holds(params, facts):
        return ZERO
    if pattern == "MANUAL":
        return points
    parts = params.get("parts", ())
    return sum((_judged(p["pattern"], Decimal(p["points"]), p, facts) for p in parts), ZERO)


@dataclass(frozen=True)
class Item:
    """One indicator of one school, scored. ``auto``: what was computed; ``final``: what the office decided; ``score``: what counts."""

    code: str
    max: Decimal
    status: Status
    auto: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    final: Decimal | None = None
    score: Decimal | None = None
    by_hand: Decimal = ZERO
    """How many of its points a person judges at this school."""


@dataclass(frozen=True)
class Card:
    """One school's result in a round. Totals are None while an item waits to be judged."""

    school_id: int
    code: str
    name: str
    group: str
    items: tuple[Item, ...]
    earned: Decimal
    applicable: Decimal
    bonus: Decimal = ZERO
    discipline: Decimal = ZERO
    veto: str | None = None
    base: Decimal | None = None
    total: Decimal | None = None
    grade: str = ""
    rank: int | None = None
    fold: Decimal | None = None

    @property
    def takes_part(self) -> bool:
        return self.total is not None and self.grade != "不参评"

    @property
    def waiting(self) -> int:
        return sum(item.status is Status.MISSING for item in self.items)


def applies_to(rule: Rule, stages: frozenset[str], *, boarding: bool) -> bool:
    """Applicability follows the grades taught: an item applies if it applies to any of them (ruling 15)."""
    words = set(rule.applies.split())
    if "寄宿" in words and not boarding:
        return False
    wanted = words - {"寄宿"}
    return not wanted or bool(wanted & stages)


def score_item(rule: Rule, facts: Mapping[str, Fact], given: Judgement | None, *, applies: bool = True) -> Item:
    """Score one indicator.

    :param facts: the facts that can be computed; a rule that asks for another is judged by hand as a whole.
    :param given: what the office entered: for a rule with a judged part that part and never more, whether or not it applies
        here; over an item that is computed as a whole, or where it says so, the decided score.
    """
    judged = given.points if given else None
    known = set(rule.metrics) <= facts.keys()
    if not applies or (known and not _holds(rule.params, facts)):
        return Item(rule.code, ZERO, Status.NA)
    if rule.pattern == "MANUAL" or not known:
        if judged is None:
            return Item(rule.code, rule.points, Status.MISSING, by_hand=rule.points)
        score = cents(patterns.manual(rule.points, judged).earned)
        return Item(rule.code, rule.points, Status.JUDGED, final=score, score=score, by_hand=rule.points)
    numerator, denominator = _shown(rule, facts)
    part = rule.judged_at(facts)
    if part and given is not None and given.whole:
        result = evaluate(rule.pattern, rule.points, rule.params, facts, ZERO)
        final = cents(max(ZERO, min(given.points, result.maximum)))
        return Item(rule.code, result.maximum, Status.JUDGED, cents(result.earned), numerator, denominator, final, final, part)
    result = evaluate(rule.pattern, rule.points, rule.params, facts, (judged or ZERO) if part else None)
    if not result.applies:
        return Item(rule.code, ZERO, Status.NA)
    if part and judged is None:
        return Item(rule.code, result.maximum, Status.MISSING, None, numerator, denominator, by_hand=part)
    auto = cents(result.earned)
    if rule.judged_points or judged is None:
        return Item(rule.code, result.maximum, Status.AUTO, auto, numerator, denominator, None, auto, part)
    final = cents(max(ZERO, min(judged, result.maximum)))
    return Item(rule.code, result.maximum, Status.AUTO, auto, numerator, denominator, final, final)


def evaluate(pattern: str, points: Decimal, params: Mapping[str, Any], facts: Mapping[str, Fact], judged: Decimal | None) -> Points:
    """One scoring pattern over the facts it names. ``judged``: for its MANUAL part."""
    if not _holds(params, facts):
        return NOT_APPLICABLE

    def value(of: Mapping[str, Any]) -> Decimal | None:
        return facts[of["metric"]].value if _holds(of, facts) else None

    def number(name: str, default: Decimal) -> Decimal:
        return Decimal(str(params[name])) if name in params else default

    match pattern:
        case "ALLNONE":
            return patterns.all_or_none(points, value(params), number("at_least", ONE))
        case "CHECK":
            items = [(value(i), Decimal(str(i.get("at_least", 1))), Decimal(str(i["points"]))) for i in params["items"]]
            return patterns.ticks(items)
        case "LACK":
            return patterns.lack(points, value(params), number("per", ONE))
        case "RATE":
            return patterns.rate(points, value(params), number("floor", ZERO), number("ceiling", ONE))
        case "STEP":
            steps = [(Decimal(str(limit)), Decimal(str(p))) for limit, p in params["steps"]]
            return patterns.step(points, value(params), steps, at_most=bool(params.get("at_most")))
        case "COUNT":
            return patterns.count(points, value(params), number("per", ONE))
        case "EVENT":
            return patterns.event(points, [(value(e), Decimal(str(e.get("per", 1)))) for e in params["events"]])
        case "RANK":
            place = facts[place_of(params["metric"])].value if place_of(params["metric"]) in facts else None
            return patterns.rank(points, None if place is None else int(place), [Decimal(str(p)) for p in params["by_place"]])
        case "MANUAL":
            return NOT_APPLICABLE if judged is None else patterns.manual(points, judged)
        case "WEIGHTED":
            parts = [evaluate(p["pattern"], Decimal(str(p["points"])), p, facts, judged) for p in params["parts"]]
            return patterns.weighted(parts, share_empty=params.get("empty") == "share", maximum=points)
    raise ValueError(f"no such scoring pattern: {pattern}")


def place_of(metric: str) -> str:
    """The key of a school's place in its group by a metric, beside the metric's own fact."""
    return f"place:{metric}"


def places(values: Mapping[int, Decimal | None], groups: Mapping[int, str]) -> dict[int, Decimal]:
    """The place of each school inside its group, the highest value first; ties share one, the next is skipped."""
    there = {school: value for school, value in values.items() if value is not None}
    ordered: dict[str, list[Decimal]] = {group: [] for group in groups.values()}
    for school, value in there.items():
        insort(ordered[groups[school]], value)
    return {school: Decimal(1 + _above(value, ordered[groups[school]])) for school, value in there.items()}


def _above(value: Decimal, ordered: Sequence[Decimal]) -> int:
    """How many are greater; ``ordered``: the smallest first."""
    return len(ordered) - bisect_right(ordered, value)


def _shown(rule: Rule, facts: Mapping[str, Fact]) -> tuple[Decimal | None, Decimal | None]:
    """The numerator and denominator a sheet prints: those of the rule's last metric (of F8, the carers)."""
    if not rule.metrics:
        return None, None
    fact = facts[rule.metrics[-1]]
    return fact.numerator, fact.denominator


def total_up(card: Card, minimum: Decimal, weight: Decimal) -> Card:
    """Base, total and fold of one card; nothing while an item waits (ruling 17)."""
    if card.applicable < minimum or card.applicable <= 0:
        return replace(card, grade="不参评")
    if card.waiting:
        return card
    base = cents(card.earned / card.applicable * HUNDRED)
    total = max(ZERO, min(base + card.bonus - card.discipline, TOP_TOTAL))
    return replace(card, base=base, total=total, fold=cents(min(total, HUNDRED) / HUNDRED * weight))


def rank_groups(cards: Iterable[Card], quota: Decimal) -> list[Card]:
    """Ranks and grades inside each group (rulings 19): ties share a rank, the next is skipped (1, 2, 2, 4)."""
    groups: dict[str, list[Card]] = {}
    for card in cards:
        groups.setdefault(card.group, []).append(card)
    return [ranked for group in groups.values() for ranked in _rank(group, quota)]


def _rank(group: Sequence[Card], quota: Decimal) -> list[Card]:
    totals = sorted(card.total for card in group if card.takes_part and card.total is not None)
    free = sorted(card.total for card in group if card.takes_part and card.total is not None and not card.veto)
    places = max(1, int((quota * len(totals)).to_integral_value(ROUND_DOWN)))
    ranked = []
    for card in group:
        if not card.takes_part or card.total is None:
            ranked.append(card)
            continue
        honoured = _above(card.total, free) < places
        rank = _above(card.total, totals) + 1 if len(totals) >= SMALLEST_RANKED_GROUP else None
        ranked.append(replace(card, rank=rank, grade=grade_of(card.total, card.veto, in_quota=honoured)))
    return sorted(ranked, key=lambda c: (c.total is None, -(c.total or ZERO), c.code))


def grade_of(total: Decimal, veto: str | None, *, in_quota: bool) -> str:
    """优秀 needs 90 and a place in the quota; a veto fails the school or bars it from honours."""
    if veto == "fail" or total < 60:
        return "不合格"
    if veto == "no_honour" or total < 80:
        return "合格"
    return "优秀" if total >= 90 and in_quota else "良好"
