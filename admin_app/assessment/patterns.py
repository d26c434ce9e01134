"""The twelve ways a score sheet turns facts into points. Pure functions over Decimal; nothing is rounded here.

A result is (earned, maximum); a part that does not apply has maximum 0 and leaves the item's maximum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)


class Points(NamedTuple):
    earned: Decimal
    maximum: Decimal

    @property
    def applies(self) -> bool:
        return self.maximum > 0


NOT_APPLICABLE = Points(ZERO, ZERO)


def cents(value: Decimal) -> Decimal:
    """Two places, half up: what is seen is what ranks. A third of a third that is an exact half cent rounds up too."""
    return value.quantize(Decimal("1E-12"), ROUND_HALF_UP).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _within(value: Decimal, maximum: Decimal) -> Decimal:
    return max(ZERO, min(value, maximum))


def all_or_none(maximum: Decimal, value: Decimal | None, at_least: Decimal = ONE) -> Points:
    """ALLNONE, 有得x分，无不得分."""
    if value is None:
        return NOT_APPLICABLE
    return Points(maximum if value >= at_least else ZERO, maximum)


def ticks(items: Iterable[tuple[Decimal | None, Decimal, Decimal]]) -> Points:
    """CHECK, 每项x分: (value, at least, points) each; a value of None does not apply and leaves the maximum."""
    there = [(value, least, points) for value, least, points in items if value is not None]
    return Points(sum((p for v, least, p in there if v >= least), ZERO), sum((p for _v, _l, p in there), ZERO))


def lack(maximum: Decimal, missing: Decimal | None, per: Decimal) -> Points:
    """LACK, 每缺一项扣x分，扣完为止."""
    return NOT_APPLICABLE if missing is None else Points(_within(maximum - per * missing, maximum), maximum)


def rate(maximum: Decimal, value: Decimal | None, floor: Decimal = ZERO, ceiling: Decimal = ONE) -> Points:
    """RATE, 满分×率: full from the ceiling on, nothing below the floor."""
    if value is None:
        return NOT_APPLICABLE
    if value < floor:
        return Points(ZERO, maximum)
    return Points(maximum if value >= ceiling else maximum * value / ceiling, maximum)


def step(maximum: Decimal, value: Decimal | None, steps: Sequence[tuple[Decimal, Decimal]], *, at_most: bool = False) -> Points:
    """STEP, ≥95%得5, 90–95得4…: (threshold, points), the first that fits; ``at_most`` turns the comparison round."""
    if value is None:
        return NOT_APPLICABLE
    ordered = sorted(steps, reverse=not at_most)
    fits = (points for limit, points in ordered if (value <= limit if at_most else value >= limit))
    return Points(_within(next(fits, ZERO), maximum), maximum)


def count(maximum: Decimal, value: Decimal | None, per: Decimal) -> Points:
    """COUNT, 每次x分，最多y分."""
    return NOT_APPLICABLE if value is None else Points(_within(per * value, maximum), maximum)


def event(maximum: Decimal, events: Iterable[tuple[Decimal | None, Decimal]]) -> Points:
    """EVENT, 发生一次扣x分: (how many, points each)."""
    happened = list(events)
    if all(n is None for n, _per in happened):
        return NOT_APPLICABLE
    return Points(_within(maximum - sum(((n or ZERO) * per for n, per in happened), ZERO), maximum), maximum)


def rank(maximum: Decimal, place: int | None, by_place: Sequence[Decimal]) -> Points:
    """RANK, 按从高到低得8、6、4分: the last entry holds for all places after it."""
    if place is None or not by_place:
        return NOT_APPLICABLE
    return Points(_within(by_place[min(place, len(by_place)) - 1], maximum), maximum)


def manual(maximum: Decimal, judged: Decimal) -> Points:
    """MANUAL, 酌情."""
    return Points(_within(judged, maximum), maximum)


def weighted(parts: Iterable[Points], *, share_empty: bool = False, maximum: Decimal = ZERO) -> Points:
    """WEIGHTED: parts added exactly. ``share_empty``: what does not apply leaves its points to the others (F8)."""
    there = [part for part in parts if part.applies]
    if not there:
        return NOT_APPLICABLE
    earned, top = sum((p.earned for p in there), ZERO), sum((p.maximum for p in there), ZERO)
    return Points(earned * maximum / top, maximum) if share_empty and maximum else Points(earned, top)


def bonus(awards: Iterable[tuple[str, Decimal]], cap: Decimal) -> Decimal:
    """BONUS, 加分封顶、就高不重复: one matter counts once, at its highest level."""
    highest: dict[str, Decimal] = {}
    for matter, points in awards:
        highest[matter] = max(points, highest.get(matter, ZERO))
    return _within(sum(highest.values(), ZERO), cap)


def veto(effects: Iterable[str]) -> str | None:
    """VETO, 一票否决: the gravest effect, ``fail`` before ``no_honour``, or None."""
    found = set(effects)
    return next((effect for effect in ("fail", "no_honour") if effect in found), None)
