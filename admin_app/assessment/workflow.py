"""What may happen to a round, and in which state: sheets opened, items judged, frozen, published. Never commits."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import (
    Adjustment,
    AdjustmentKind,
    Indicator,
    ItemScore,
    Round,
    RoundState,
    School,
    SchoolKind,
    Sheet,
)
from ..orm import utcnow
from ..rules import Complaint
from . import facts, freezing, patterns, scoring
from .facts import Window
from .scoring import Card, Fact, Rule

STAGES: dict[SchoolKind, frozenset[str]] = {
    SchoolKind.KINDERGARTEN: frozenset({"幼儿园"}),
    SchoolKind.NINE_YEAR: frozenset({"小学", "初中"}),
    SchoolKind.JUNIOR: frozenset({"初中"}),
    SchoolKind.COMPLETE: frozenset({"初中", "高中"}),
    SchoolKind.SENIOR: frozenset({"高中"}),
    SchoolKind.VOCATIONAL: frozenset({"高中"}),
    SchoolKind.SPECIAL: frozenset({"小学", "初中"}),
}
"""Which stages a kind of school teaches; the others are primary schools."""


def rules_of(session: Session, round_: Round) -> list[tuple[Indicator, Rule]]:
    """The round's second-level indicators, in order, with the rule the engine reads."""
    rows = session.scalars(
        select(Indicator)
        .where(Indicator.scheme_id == round_.scheme_id, Indicator.pattern.is_not(None))
        .order_by(Indicator.position)
    )
    return [(indicator, rule_of(indicator)) for indicator in rows]


def rule_of(indicator: Indicator) -> Rule:
    pattern = indicator.pattern.value if indicator.pattern else ""
    return Rule(indicator.code, indicator.points, pattern, indicator.params or {}, indicator.applies or "")


def assessed(session: Session) -> list[School]:
    return list(session.scalars(select(School).where(School.assessed).order_by(School.school_group, School.code)))


def open_sheets(session: Session, round_: Round) -> int:
    """A sheet for every assessed school that has none yet. Returns how many were made."""
    there = set(session.scalars(select(Sheet.school_id).where(Sheet.round_id == round_.id)))
    new = [Sheet(round_id=round_.id, school_id=school.id) for school in assessed(session) if school.id not in there]
    session.add_all(new)
    session.flush()
    return len(new)


def judge(
    session: Session, sheet: Sheet, indicator: Indicator, points: Decimal | None, reason: str, *, known_new: bool = False
) -> None:
    """Enter the office's points for an item, or take them back (None). ``known_new``: there is no earlier entry to look for.

    :raises Complaint: above the maximum, below zero, below the maximum without a reason, or in a frozen round.
    """
    if sheet.round.state is not RoundState.OPEN:
        raise Complaint("本轮已冻结，不能再改分。")
    most = rule_of(indicator).judged_points or indicator.points  # of a partly computed item a person judges its part
    if points is not None:
        if not 0 <= points <= most:
            raise Complaint(f"{indicator.code} 的分数应在 0 至 {most} 之间。")
        if patterns.cents(points) != points:
            raise Complaint(f"{indicator.code} 的分数最多两位小数。")
        if points < most and not reason.strip():
            raise Complaint(f"{indicator.code} 低于满分，请写扣分原因。")
    same = select(ItemScore).where(ItemScore.sheet_id == sheet.id, ItemScore.indicator_id == indicator.id)
    item = None if known_new else session.scalar(same)
    if item is None:
        if points is None:
            return
        item = ItemScore(sheet_id=sheet.id, indicator_id=indicator.id, school_id=sheet.school_id)
        session.add(item)
    item.final = points
    item.reason = reason.strip() or None


class Results:
    """A round's cards with the facts behind them."""

    def __init__(self, cards: list[Card], by_unit: dict[int, dict[str, Fact]]):
        self.cards = cards
        self.facts = by_unit
        self.by_school = {card.school_id: card for card in cards}


def score(session: Session, round_: Round, *, lines: bool = True) -> Results:
    """Score a round for all schools. ``session``: bound to SYSTEM. A frozen round is read, never computed again.

    :param lines: are the lists behind the facts asked for? Without them there are the numbers alone, in less time.
    """
    if round_.state is not RoundState.OPEN:
        return Results(*freezing.read(session, round_))
    rules = rules_of(session, round_)
    schools = assessed(session)
    wanted = facts.known(code for _indicator, rule in rules for code in rule.metrics)
    by_unit = facts.compute(Window.of(session, round_, lines=lines), [school.id for school in schools], wanted)
    add_places(by_unit, [rule for _indicator, rule in rules], schools)
    judged = _judged(session, round_)
    adjusted = adjustments(session, round_)
    cards = [_card(school, rules, by_unit[school.id], judged, adjusted.get(school.id, ()), round_) for school in schools]
    return Results(scoring.rank_groups(cards, round_.scheme.quota), by_unit)


def add_places(by_unit: dict[int, dict[str, Fact]], rules: Iterable[Rule], schools: Iterable[School]) -> None:
    """For rules scored by rank: each school's place in its group, a fact beside the metric it is a place by."""
    groups = {school.id: str(school.school_group) for school in schools}
    for metric in {metric for rule in rules if rule.ranks for metric in rule.metrics}:
        values = {school: known[metric].value for school, known in by_unit.items() if metric in known}
        for school, place in scoring.places(values, groups).items():
            by_unit[school][scoring.place_of(metric)] = Fact(place)


def applies(rule: Rule, school: School) -> bool:
    """Does an indicator apply to a school, by the stages it teaches and whether it boards (ruling 15)?"""
    return scoring.applies_to(rule, STAGES.get(school.kind, frozenset({"小学"})), boarding=school.boarding)


def _judged(session: Session, round_: Round) -> dict[tuple[int, str], Decimal]:
    rows = session.execute(
        select(ItemScore.school_id, Indicator.code, ItemScore.final)
        .join(Sheet, Sheet.id == ItemScore.sheet_id)
        .join(Indicator, Indicator.id == ItemScore.indicator_id)
        .where(Sheet.round_id == round_.id, ItemScore.final.is_not(None))
    )
    return {(school, code): final for school, code, final in rows}


def adjustments(session: Session, round_: Round) -> dict[int, list[Adjustment]]:
    """Bonus, discipline and vetoes of a round, by school."""
    found: dict[int, list[Adjustment]] = {}
    for row in session.scalars(select(Adjustment).where(Adjustment.round_id == round_.id).order_by(Adjustment.id)):
        found.setdefault(row.school_id, []).append(row)
    return found


def _card(
    school: School,
    rules: list[tuple[Indicator, Rule]],
    of_school: dict[str, Fact],
    judged: dict[tuple[int, str], Decimal],
    adjustments: Iterable[Adjustment],
    round_: Round,
) -> Card:
    items = tuple(
        scoring.score_item(rule, of_school, judged.get((school.id, rule.code)), applies=applies(rule, school))
        for _indicator, rule in rules
    )
    of_kind: dict[AdjustmentKind, list[Adjustment]] = {kind: [] for kind in AdjustmentKind}
    for row in adjustments:
        of_kind[row.kind].append(row)
    card = Card(
        school_id=school.id,
        code=school.code,
        name=school.name,
        group=school.school_group.label if school.school_group else "",
        items=items,
        earned=sum((item.score for item in items if item.score is not None), patterns.ZERO),
        applicable=sum((item.max for item in items), patterns.ZERO),
        bonus=patterns.bonus([(a.matter, a.points) for a in of_kind[AdjustmentKind.BONUS]], round_.scheme.bonus_cap),
        discipline=sum((a.points for a in of_kind[AdjustmentKind.DISCIPLINE]), patterns.ZERO),
        veto=patterns.veto(a.effect.value for a in of_kind[AdjustmentKind.VETO] if a.effect),
    )
    return scoring.total_up(card, round_.scheme.minimum, round_.scheme.weight)


def freeze(session: Session, system: Session, round_: Round) -> int:
    """Store every value, numerator, denominator and list of the round, in one transaction. Returns how many sheets.

    :param system: a session bound to SYSTEM, for the facts; ``session`` is the office's, which writes.
    :raises Complaint: when the round is frozen already, or a school that takes part has items waiting to be judged.
    """
    if round_.state is not RoundState.OPEN:
        raise Complaint("本轮已经冻结。")
    open_sheets(session, round_)
    results = score(system, system.get_one(Round, round_.id))
    waiting = [card for card in results.cards if card.waiting and card.grade != "不参评"]
    if waiting:
        names = "、".join(f"{card.name}（{card.waiting} 项）" for card in waiting[:5])
        raise Complaint(f"还有 {len(waiting)} 所学校有待评项，不能冻结：{names}" + ("等。" if len(waiting) > 5 else "。"))
    freezing.store(session, round_, results.cards, results.facts, rules_of(session, round_))
    round_.state = RoundState.FROZEN
    round_.frozen_at = utcnow()
    return len(results.cards)


def publish(round_: Round) -> None:
    """:raises Complaint: when the round is not frozen, or published already."""
    if round_.state is not RoundState.FROZEN:
        raise Complaint("先冻结，再公布。" if round_.state is RoundState.OPEN else "本轮已经公布。")
    round_.state = RoundState.PUBLISHED
    round_.published_at = utcnow()


def as_json(round_: Round, cards: Iterable[Card]) -> dict[str, Any]:
    """The answer of ``admin-app score --json``: decimals as strings."""

    def text(value: Decimal | None) -> str | None:
        return None if value is None else str(value)

    return {
        "round": round_.code,
        "cut_off": round_.cut_off.isoformat(),
        "frozen": round_.state is not RoundState.OPEN,
        "schools": [
            {
                "code": card.code,
                "name": card.name,
                "group": card.group,
                **{n: text(getattr(card, n)) for n in ("earned", "applicable", "base", "bonus", "discipline", "total")},
                "grade": card.grade or None,
                "rank": card.rank,
                "fold": text(card.fold),
                "items": [
                    {
                        "code": item.code,
                        "max": str(item.max),
                        "status": item.status.value,
                        **{n: text(getattr(item, n)) for n in ("auto", "numerator", "denominator", "final", "score")},
                    }
                    for item in card.items
                ],
            }
            for card in cards
        ],
    }


__all__ = ["Results", "freeze", "judge", "open_sheets", "publish", "score"]
