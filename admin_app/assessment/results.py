"""The numbers of a round: facts and what people judged, to cards and ranks. Computed from the records until the freeze, from
what was kept then until the results are circulated, and read as circulated for ever after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Adjustment, AdjustmentKind, Indicator, OfficeScore, Round, School, SelfScore, Sheet, Stage
from ..records import approvals
from . import facts, freezing, patterns, scoring
from .facts import Window
from .scoring import Card, Fact, Judgement, Rule

CHECKS = frozenset({Stage.CHECK, Stage.ON_SITE, Stage.REVIEW})
"""What was found before the decision."""
Judged = Mapping[tuple[int, str], Judgement]
"""(school, indicator) -> what a person gave."""


class Results:
    """A round's cards with the facts behind them."""

    def __init__(self, cards: list[Card], by_unit: dict[int, dict[str, Fact]]):
        self.cards = cards
        self.facts = by_unit
        self.by_school = {card.school_id: card for card in cards}


# --- what a round asks, of whom


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


def applies(rule: Rule, window: Window, unit: int) -> bool:
    """Does an indicator apply to a unit, by the stages it teaches and whether it boards (ruling 15)?"""
    return scoring.applies_to(rule, window.stages[unit], boarding=unit in window.boarding)


# --- what people gave


def marks(session: Session, round_: Round, stages: Iterable[Stage] = tuple(Stage)) -> list[OfficeScore]:
    """What the bureau gave in a round, the oldest first."""
    mine = (
        select(OfficeScore)
        .join(Sheet, Sheet.id == OfficeScore.sheet_id)
        .where(Sheet.round_id == round_.id, OfficeScore.stage.in_(stages))
    )
    return list(session.scalars(mine.order_by(OfficeScore.id)))


def judged(session: Session, round_: Round, stages: Iterable[Stage] = tuple(Stage)) -> Judged:
    """The newest mark of every item, whatever its step: one that was taken back is none."""
    rows = session.execute(
        select(OfficeScore.school_id, Indicator.code, OfficeScore.points, OfficeScore.whole)
        .join(Sheet, Sheet.id == OfficeScore.sheet_id)
        .join(Indicator, Indicator.id == OfficeScore.indicator_id)
        .where(Sheet.round_id == round_.id, OfficeScore.stage.in_(stages))
        .order_by(OfficeScore.id)
    )
    last = {(school, code): (points, whole) for school, code, points, whole in rows}
    return {key: Judgement(points, whole) for key, (points, whole) in last.items() if points is not None}


def self_judged(session: Session, round_: Round) -> Judged:
    """What the schools give themselves, where a person judges."""
    rows = session.execute(
        select(SelfScore.school_id, Indicator.code, SelfScore.points)
        .join(Sheet, Sheet.id == SelfScore.sheet_id)
        .join(Indicator, Indicator.id == SelfScore.indicator_id)
        .where(Sheet.round_id == round_.id)
        .order_by(SelfScore.id)
    )
    last = {(school, code): points for school, code, points in rows}
    return {key: Judgement(points) for key, points in last.items() if points is not None}


def adjustments(session: Session, round_: Round) -> dict[int, list[Adjustment]]:
    """Bonus, discipline and vetoes of a round, by school."""
    found: dict[int, list[Adjustment]] = {}
    for row in session.scalars(select(Adjustment).where(Adjustment.round_id == round_.id).order_by(Adjustment.id)):
        found.setdefault(row.school_id, []).append(row)
    return found


# --- the cards


class Counted(NamedTuple):
    """What a round counts before anybody judges: the facts by unit and metric, and which items apply to which unit."""

    facts: dict[int, dict[str, Fact]]
    applying: frozenset[tuple[int, str]]


def score(session: Session, round_: Round, *, lines: bool = True, stages: Iterable[Stage] = tuple(Stage)) -> Results:
    """The cards of a round for all schools. ``session``: bound to SYSTEM.

    :param lines: are the lists behind the facts asked for? Without them there are the numbers alone, in less time.
    :param stages: which steps' marks count: all, or those before the decision.
    """
    if round_.is_final:
        return Results(freezing.cards(session, round_), freezing.facts(session, round_, lines=lines))
    schools, rules = taking_part(session, round_), rules_of(session, round_)
    known = counted(session, round_, schools, rules, lines=lines)
    given, added = judged(session, round_, stages), adjustments(session, round_)
    vetoes = approvals.approved(session, Adjustment.__tablename__)
    cards = [card_of(school, rules, known, given, added.get(school.id, ()), vetoes, round_) for school in schools]
    return Results(scoring.rank_groups(cards, round_.scheme.quota), known.facts)


def taking_part(session: Session, round_: Round) -> list[School]:
    """The assessed schools; from the freeze on those that had a sheet then."""
    if not round_.is_frozen:
        return assessed(session)
    of_round = select(School).join(Sheet, Sheet.school_id == School.id).where(Sheet.round_id == round_.id)
    return list(session.scalars(of_round.order_by(School.school_group, School.code)))


def counted(session: Session, round_: Round, schools: list[School], rules: list[tuple[Indicator, Rule]], *, lines: bool) -> Counted:
    """The facts of a round that is not circulated yet: counted anew, or as kept at the freeze with the bureau's own beside them
    (ruling 18: what the bureau enters binds at the decision)."""
    wanted = facts.known(code for _indicator, rule in rules for code in rule.metrics)
    units, window = [school.id for school in schools], Window.of(session, round_, lines=lines)
    if not round_.is_frozen:
        known = facts.compute(window, units, wanted)
        applying = frozenset((unit, rule.code) for unit in units for _i, rule in rules if applies(rule, window, unit))
    else:
        kept = freezing.facts(session, round_, lines=lines)
        known, applying = {unit: dict(kept.get(unit, {})) for unit in units}, freezing.applying(session, round_)
        if round_.decided_at is None:
            for unit, found in facts.compute(window, units, [code for code in wanted if is_bureaus(code)]).items():
                known[unit] |= found
    add_places(known, [rule for _indicator, rule in rules], schools)
    return Counted(known, applying)


def is_bureaus(code: str) -> bool:
    """Is it the bureau that enters what this metric counts?"""
    described = facts.find(code)
    return described is not None and described.bureau


def add_places(by_unit: dict[int, dict[str, Fact]], rules: Iterable[Rule], schools: Iterable[School]) -> None:
    """For rules scored by rank: each school's place in its group, a fact beside the metric it is a place by."""
    groups = {school.id: str(school.school_group) for school in schools}
    for metric in {metric for rule in rules if rule.ranks for metric in rule.metrics}:
        values = {school: known[metric].value for school, known in by_unit.items() if metric in known}
        for school, place in scoring.places(values, groups).items():
            by_unit[school][scoring.place_of(metric)] = Fact(place)


def card_of(
    school: School,
    rules: list[tuple[Indicator, Rule]],
    known: Counted,
    given: Judged,
    added: Iterable[Adjustment],
    vetoes: frozenset[int],
    round_: Round,
) -> Card:
    """One school's card. ``vetoes``: those the leader has confirmed; another one does not bite yet."""
    items = tuple(
        scoring.score_item(
            rule, known.facts[school.id], given.get((school.id, rule.code)), applies=(school.id, rule.code) in known.applying
        )
        for _indicator, rule in rules
    )
    of_kind: dict[AdjustmentKind, list[Adjustment]] = {kind: [] for kind in AdjustmentKind}
    for row in added:
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
        veto=patterns.veto(a.effect.value for a in of_kind[AdjustmentKind.VETO] if a.effect and a.id in vetoes),
    )
    return scoring.total_up(card, round_.scheme.minimum, round_.scheme.weight)


def self_cards(session: Session, round_: Round, *, school_id: int | None = None) -> dict[int, Card]:
    """Every school's own card, or one school's: what is computed today and its self-scores. ``session``: bound to SYSTEM."""
    schools = [school for school in taking_part(session, round_) if school_id in (None, school.id)]
    rules = rules_of(session, round_)
    known, own = counted(session, round_, schools, rules, lines=False), self_judged(session, round_)
    return {school.id: card_of(school, rules, known, own, (), frozenset(), round_) for school in schools}


def as_json(round_: Round, cards: Iterable[Card]) -> dict[str, Any]:
    """The answer of ``admin-app score --json``: decimals as strings."""

    def text(value: Decimal | None) -> str | None:
        return None if value is None else str(value)

    return {
        "round": round_.code,
        "cut_off": round_.cut_off.isoformat(),
        "frozen": round_.is_frozen,
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


def newest(session: Session) -> Round | None:
    """The round that is worked on: the latest."""
    return session.scalar(select(Round).order_by(Round.start.desc(), Round.id.desc()).limit(1))
