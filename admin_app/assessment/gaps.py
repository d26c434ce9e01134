"""缺项清单: what is missing or due, in the order of the points it would earn. The same facts as the score, no query of its own.

For every indicator and every metric it asks for: the points if nothing of that metric were missing, less the points now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from ..models import Round, RoundState, School
from . import facts, results, scoring
from .facts import Window
from .facts.catalogue import Shape
from .patterns import ONE, ZERO, cents
from .scoring import Fact, Line, Rule


@dataclass(frozen=True)
class Gap:
    """One thing a school lacks: the indicator, the metric, the lines that are short, and the points all of them would earn."""

    code: str
    title: str
    metric: str
    what: str
    clause: str
    missing: tuple[Line, ...]
    points: Decimal

    @property
    def each(self) -> Decimal:
        """About what one of them earns."""
        return cents(self.points / len(self.missing)) if self.missing else ZERO


@dataclass(frozen=True)
class SchoolGaps:
    school: School
    gaps: tuple[Gap, ...]

    @property
    def points(self) -> Decimal:
        return sum((gap.points for gap in self.gaps), ZERO)

    @property
    def count(self) -> int:
        return sum(len(gap.missing) for gap in self.gaps)


def open_round(session: Session) -> Round | None:
    """The newest round that still counts what the schools enter."""
    newest = select(Round).where(Round.state.in_((RoundState.SET_UP, RoundState.OPEN))).order_by(Round.start.desc()).limit(1)
    return session.scalar(newest.options(joinedload(Round.scheme)))


def of(session: Session, round_: Round, on: dt.date, schools: Iterable[School] | None = None) -> list[SchoolGaps]:
    """Every school's gaps on a day in the round, the most points first. ``session``: bound to SYSTEM.

    The cut-off is the day asked for, until the round's own is past.
    """
    wanted = list(schools) if schools is not None else results.assessed(session)
    window = replace(Window.of(session, round_), cut_off=min(on, round_.cut_off))
    rules = [(indicator, rule) for indicator, rule in results.rules_of(session, round_) if rule.metrics]
    computed = facts.known(code for _indicator, rule in rules for code in rule.metrics)
    by_unit = facts.compute(window, [school.id for school in wanted], computed)
    titles = {indicator.code: indicator.title for indicator, _rule in rules}
    found = []
    for school in wanted:
        applying = [rule for _indicator, rule in rules if results.applies(rule, window, school.id)]
        found.append(SchoolGaps(school, _of_school(applying, titles, by_unit[school.id])))
    return found


def _of_school(rules: list[Rule], titles: dict[str, str], known: dict[str, Fact]) -> tuple[Gap, ...]:
    found = [gap for rule in rules for gap in of_rule(rule, titles[rule.code], known)]
    return tuple(sorted(found, key=lambda gap: (-gap.points, gap.code)))


def of_rule(rule: Rule, title: str, known: Mapping[str, Fact]) -> tuple[Gap, ...]:
    """What one indicator lacks at a school, metric by metric, and what each would raise it by."""
    if not set(rule.metrics) <= known.keys():
        return ()
    now, found = _earned(rule, known), []
    for code in rule.metrics:
        described, missing = facts.find(code), known[code].missing
        if described is None or known[code].value is None or not missing:
            continue
        points = cents(_earned(rule, {**known, code: _full(described.shape, known[code])}) - now)
        found.append(Gap(rule.code, title, code, described.title, described.clause, missing, points))
    return tuple(found)


def _earned(rule: Rule, known: Mapping[str, Fact]) -> Decimal:
    return scoring.evaluate(rule.pattern, rule.points, rule.params, known, ZERO).earned


def _full(shape: Shape, fact: Fact) -> Fact:
    """The fact with nothing missing."""
    match shape:
        case "events":
            return replace(fact, value=ZERO)
        case "count":
            short = sum((line.expected - line.counted for line in fact.missing), ZERO)
            return replace(fact, value=(fact.value or ZERO) + short)
    return replace(fact, value=ONE)
