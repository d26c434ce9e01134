"""The facts: one function a metric, for all schools at once. The only queries of the assessment.

Run in a session bound to SYSTEM: a secretary's scope would make ranks wrong. A record counts when its day lies in the
round, it was entered by the cut-off and not deleted by then (rulings 1-5). Sites add up to their centre school.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..scoring import Fact, Line
from . import activities, care, children, counted, school
from .catalogue import METRICS, Described
from .window import Member, Window


def find(code: str) -> Described | None:
    """The metric of a code: one of the catalogue, or records counted as the code says; None when there is none."""
    return METRICS.get(code) or counted.find(code)


def known(codes: Iterable[str]) -> list[str]:
    """Of some codes those that can be computed, each once, in a fixed order."""
    return sorted(code for code in set(codes) if find(code) is not None)


def compute(window: Window, units: Iterable[int], wanted: Iterable[str] | None = None) -> dict[int, dict[str, Fact]]:
    """Every metric for every unit: {unit: {metric: fact}}. The number of statements does not depend on the units.

    Of a window without lines the facts are numbers alone.
    """
    found: dict[int, dict[str, Fact]] = {unit: {} for unit in units}
    with _collector_at_rest():
        for code in wanted if wanted is not None else METRICS:
            described = find(code)
            assert described is not None, code
            by_unit = described.compute(window)
            for unit, facts in found.items():
                fact = by_unit.get(unit, Fact(None))
                facts[code] = fact if window.lines else Fact(fact.value, fact.numerator, fact.denominator)
    return found


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """What is read of a province are millions of small tuples without one cycle: walking them takes a quarter of the time."""
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_at_work:
            gc.enable()


__all__ = [
    "METRICS",
    "Described",
    "Fact",
    "Line",
    "Member",
    "Window",
    "activities",
    "care",
    "children",
    "compute",
    "counted",
    "find",
    "known",
    "school",
]
