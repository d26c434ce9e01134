"""Small cells: in a table that leaves the bureau a number below three may tell who it is, so it is hidden.

So is every number from which a hidden one could be worked out: where a sum has exactly one hidden part, another part goes
too. That is the usual cell suppression (primary and secondary), against subtraction in one sum or equation at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .counting import Counted

LEAST = 3
PEOPLE = ("count", "children")
Place = tuple[int, int]
"""Line and column, from 0."""
Sum = tuple[Place, ...]
"""Places whose numbers determine each other: with all but one known, the last one follows."""


def hidden(counted: Counted) -> frozenset[Place]:
    """The places of a report whose numbers are not shown outside. Names are never shown there."""
    small = {place for place in _people(counted) if _is_small(_value(counted, place))} | set(_of_nearly_all(counted))
    _hide_what_follows(counted, small)
    return frozenset(small | set(_of_the_same(counted, small)))


def _hide_what_follows(counted: Counted, gone: set[Place]) -> None:
    relations = list(sums(counted))
    changed = bool(gone)
    while changed:
        changed = False
        for relation in relations:
            if len(gone.intersection(relation)) == 1:
                gone.add(
                    min((p for p in relation if p not in gone), key=lambda p: (_value(counted, p) == 0, _value(counted, p), p))
                )
                changed = True


def _is_small(number: int) -> bool:
    return 0 < number < LEAST


def _of_nearly_all(counted: Counted) -> Iterator[Place]:
    """Columns that count all but one or two of another column: nine girls of ten children tell that there is one boy."""
    for whole, part, _trait in _parts(counted):
        for line in range(len(counted.lines)):
            if _is_small(_value(counted, (line, whole)) - _value(counted, (line, part))):
                yield line, part


def _parts(counted: Counted) -> Iterator[tuple[int, int, str]]:
    """(column, column that counts some of the same people, the trait they differ by where it is one)."""
    columns = [(n, column) for n, column in enumerate(counted.definition.columns) if column.measure in PEOPLE]
    for whole, all_of in columns:
        for part, some_of in columns:
            more = set(some_of.when) - set(all_of.when)
            if all_of.population == some_of.population and more and set(all_of.when) <= set(some_of.when):
                yield whole, part, next(iter(more)).trait if len(more) == 1 else ""


def _divisions(counted: Counted) -> Iterator[tuple[int, ...]]:
    """A column and those that divide it by one trait: all children, then by sex, by grade, done and not done."""
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    for whole, part, trait in _parts(counted):
        if trait:
            found[whole, trait].append(part)
    yield from ((whole, *parts) for (whole, _trait), parts in found.items())


def sums(counted: Counted) -> Iterator[Sum]:
    """Every sum of the table: a line and those below it, column by column; equations and divisions by a trait, line by line."""
    columns = [n for n, column in enumerate(counted.definition.columns) if column.measure in PEOPLE]
    for number in range(len(counted.lines)):
        if below := lines_below(counted, number):
            for column in columns:
                if sum(_value(counted, (n, column)) for n in below) == _value(counted, (number, column)):
                    yield ((number, column), *((n, column) for n in below))
    at = {column.key: n for n, column in enumerate(counted.definition.columns)}
    for check in counted.definition.checks:
        for number in range(len(counted.lines)):
            yield tuple((number, at[key]) for key in (*check.left, *check.right))
    for whole, *parts in _divisions(counted):
        for number in range(len(counted.lines)):
            if sum(_value(counted, (number, part)) for part in parts) == _value(counted, (number, whole)):
                yield tuple((number, column) for column in (whole, *parts))


def lines_below(counted: Counted, number: int) -> list[int]:
    """The lines that a line adds up: those one level deeper, until the next of its own level."""
    level, found = counted.lines[number].level, []
    for n in range(number + 1, len(counted.lines)):
        if counted.lines[n].level <= level:
            break
        if counted.lines[n].level == level + 1:
            found.append(n)
    return found


def _people(counted: Counted) -> Iterator[Place]:
    for column, found in enumerate(counted.definition.columns):
        if found.measure in PEOPLE:
            yield from ((line, column) for line in range(len(counted.lines)))


def _value(counted: Counted, place: Place) -> int:
    line, column = place
    return int(counted.lines[line].cells[column] or 0)


def _of_the_same(counted: Counted, gone: set[Place]) -> Iterator[Place]:
    """Shares of hidden numbers, and sums of money of lines in which somebody is hidden."""
    at = {column.key: n for n, column in enumerate(counted.definition.columns)}
    for number in range(len(counted.lines)):
        for column, found in enumerate(counted.definition.columns):
            share = found.measure == "share" and any((number, at[key]) in gone for key in found.of)
            money = found.measure == "sum" and any(line == number for line, _column in gone)
            if share or money:
                yield number, column
