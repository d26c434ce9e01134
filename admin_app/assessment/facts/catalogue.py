"""The catalogue of metrics, and the few ways a list of lines becomes a fact."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ... import spelling
from ...models import Term
from ..scoring import Fact, Line
from .window import Key, Member, Site, Window

ZERO, ONE = Decimal(0), Decimal(1)

ByUnit = dict[int, Fact]
Metric = Callable[[Window], ByUnit]
Shape = Literal["share", "count", "events"]
Met = bool | Decimal
"""Is it there? Between no and yes lies what was entered long after it happened (ruling 18)."""
Notes = Callable[[Member], tuple[Met, str]]
TermNotes = Callable[[Member, Term], tuple[Met, str]]


@dataclass(frozen=True)
class Described:
    """A metric in words: what it is called, what its two numbers are, the clause of the plan it comes from.

    ``shape``: is its value a share (numerator over denominator), a count up to a target, or a number of bad events?
    ``place``: the screen on which what is missing is mended; blank for a condition.
    ``bureau``: is it the bureau that enters it? Then it binds at the decision, not at the freeze (ruling 18).
    """

    title: str
    counted: str
    expected: str
    clause: str
    place: str
    shape: Shape
    compute: Metric
    bureau: bool = False


METRICS: dict[str, Described] = {}
"""Code -> metric. A rule that names a metric not in here is judged by hand."""


def metric(
    code: str, title: str, counted: str, expected: str, clause: str, *, place: str, shape: Shape = "share", bureau: bool = False
) -> Callable[[Metric], Metric]:
    def register(compute: Metric) -> Metric:
        METRICS[code] = Described(title, counted, expected, clause, place, shape, compute, bureau)
        return compute

    return register


# --- lines


def ticked(key: object, name: str, met: Met, note: str = "", part: str = "", child_id: int | None = None) -> Line:
    """One thing that is there or is not, or is there and counts less."""
    counted = met if isinstance(met, Decimal) else ONE if met else ZERO
    return Line(str(key), name, counted, ONE, note + discounted(counted) if counted is not ONE else note, part, child_id)


def discounted(counted: Decimal) -> str:
    """Why a thing that is there counts less than one."""
    return f"（补录，按 {counted * 100:.0f}% 计）" if ZERO < counted < ONE else ""


def still(n: int, what: str, part: str = "") -> list[Line]:
    """So many things still to be done."""
    return [Line(f"-{part}{i}", what, ZERO, ONE, "", part) for i in range(n)]


def grouped(lines: Iterable[tuple[int, Line]]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = defaultdict(list)
    for unit, line in lines:
        found[unit].append(line)
    return found


Entry = tuple[int, int, str, str, Met, str]
"""(unit, child, mark, part, is it there, note): what the line of a child says; the mark tells its lines apart."""


def of_each(window: Window, entries: Iterable[Entry]) -> Iterator[tuple[int, Line]]:
    """A line for each of very many children; where the numbers alone are asked for their sum, one line a unit and part."""
    if window.lines:
        for unit, child, mark, part, met, note in entries:
            yield unit, ticked(f"{child}{mark}", window.name_of(child), met, note, part, child)
        return
    alike = Counter((unit, part, met) for unit, _child, _mark, part, met, _note in entries)
    for (unit, part, met), n in alike.items():
        yield unit, Line("", "", met * n if isinstance(met, Decimal) else Decimal(n if met else 0), Decimal(n), "", part)


# --- facts


def share(lines: list[Line]) -> Fact:
    """Numerator over denominator; None when nothing is expected."""
    numerator = sum((line.counted for line in lines), ZERO)
    denominator = sum((line.expected for line in lines), ZERO)
    return Fact(numerator / denominator if denominator else None, numerator, denominator, in_order(lines))


def shares(lines: Iterable[tuple[int, Line]]) -> ByUnit:
    return {unit: share(of_unit) for unit, of_unit in grouped(lines).items()}


def mean_over_parts(lines: list[Line]) -> Fact:
    """The mean of the shares of the parts (terms) in which something is expected (ruling 10)."""
    values = [fact.value for fact in (share(part) for part in _parts(lines)) if fact.value is not None]
    whole = share(lines)
    return Fact(sum(values, ZERO) / len(values) if values else None, whole.numerator, whole.denominator, whole.lines)


def tally(done: Collection[Line], target: int, to_do: str) -> Fact:
    """A count up to a target: what was done, and a line for each thing still to be done."""
    n = total(done)
    return Fact(n, n, Decimal(target), (*done, *still(math.ceil(target - n), to_do)))


def total(lines: Iterable[Line]) -> Decimal:
    return sum((line.counted for line in lines), ZERO)


def events(lines: Iterable[Line]) -> Fact:
    """How many bad events; a line that is short is one of them."""
    kept = in_order(lines)
    bad = sum((line.expected - line.counted for line in kept), ZERO)
    return Fact(bad, bad, ZERO, kept)


def for_each_unit(window: Window, make: Callable[[Site], Fact]) -> ByUnit:
    """A fact for every unit, also for one that has no record at all."""
    return {site.unit: make(site) for site in window.units}


def of_children(window: Window, met: Notes, needed: Callable[[Member], bool] = lambda _member: True) -> ByUnit:
    """A share of C, or of those in C who need a thing: one line a child."""
    members = filter(needed, window.children)
    return shares(of_each(window, ((m.unit, m.child_id, "", "", *met(m)) for m in members)))


def of_terms(window: Window, met: TermNotes) -> list[tuple[int, Line]]:
    """One line for each child of C_t in each term."""

    def entries() -> Iterator[Entry]:
        for term, members in window.by_term:
            mark, name = f"/{term.code}", term.name
            for m in members:
                yield m.unit, m.child_id, mark, name, *met(m, term)

    return list(of_each(window, entries()))


def of_months(window: Window, held: Mapping[Key, Mapping[tuple[int, int], Decimal]]) -> ByUnit:
    """Child-months over those due: one line a child of C, the months it lacks in the note (ruling 5)."""
    nothing: dict[tuple[int, int], Decimal] = {}

    def counts() -> Iterator[tuple[int, int, Decimal, int]]:
        for (child, unit), due in window.months_due.items():
            has = held.get((child, unit), nothing)
            yield child, unit, sum([has[month] for month in due if month in has], ZERO), len(due)

    def note(child: int, unit: int) -> str:
        due, has = window.months_due[child, unit], held.get((child, unit), nothing)
        short = [f"{year}-{month:02}" for year, month in due if (year, month) not in has]
        less = [f"{year}-{month:02}" for year, month in due if has.get((year, month), ONE) < ONE]
        return "；".join(words + "、".join(months) for words, months in (("缺：", short), ("补录少计：", less)) if months)

    if window.lines:
        return shares(
            (unit, Line(str(child), window.name_of(child), n, Decimal(due), "" if n == due else note(child, unit), "", child))
            for child, unit, n, due in counts()
        )
    sums: dict[int, tuple[Decimal, int]] = {}
    for _child, unit, n, due in counts():
        there = sums.get(unit, (ZERO, 0))
        sums[unit] = (there[0] + n, there[1] + due)
    return shares((unit, Line("", "", n, Decimal(due))) for unit, (n, due) in sums.items())


def in_order(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: (line.part, spelling.order(line.name), line.key)))


def _parts(lines: list[Line]) -> Iterator[list[Line]]:
    by_part: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_part[line.part].append(line)
    yield from by_part.values()
