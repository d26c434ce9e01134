"""A report as its file describes it: rows, columns, conditions, check equations, sentences. One TOML file a report.

What a file may say is checked when it is read: a trait, a code or a column that is not there is an error of the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from .members import PIVOT, POPULATIONS, TRAITS, UNKNOWN, Member, Value

FOLDER = Path(__file__).parent
ORDER = ("civil_affairs", "county", "overview", "handovers", "dropouts", "yearly")
"""The reports, in the order of the page."""
AXIS_WORDS = {"township": "乡镇", "centre": "中心校", "school": "学校"}
AXES = tuple(AXIS_WORDS)
"""What the rows of a report may be; any trait of its members as well."""
UNNAMED = frozenset({""})
"""The codes of a member of which none is known."""
MEASURES = ("count", "children", "classes", "sum", "fact", "share")


@dataclass(frozen=True)
class Condition:
    """``trait`` is one of ``codes``; for an age a range from-to, both included."""

    trait: str
    codes: frozenset[str]
    least: int = 0
    most: int = 999
    never: bool = False
    """Turned round: none of them."""

    def holds(self, member: Member) -> bool:
        value = member.traits[self.trait]
        return self._is(value) is not self.never

    def _is(self, value: Value) -> bool:
        if isinstance(value, int):
            return self.least <= value <= self.most
        return bool((value or UNNAMED) & self.codes) if isinstance(value, frozenset) else value in self.codes


@dataclass(frozen=True)
class Column:
    """One column: what is printed above it and what it counts."""

    key: str
    title: str
    group: str
    population: str
    when: tuple[Condition, ...]
    measure: str = "count"
    of: tuple[str, ...] = ()
    """What the measure needs: the amount summed, the fact of a school, or the two columns of a share."""

    def takes(self, member: Member) -> bool:
        return all(condition.holds(member) for condition in self.when)


@dataclass(frozen=True)
class Equation:
    """表内勾稽: the columns on the left sum to those on the right."""

    left: tuple[str, ...]
    right: tuple[str, ...]

    def __str__(self) -> str:
        return f"{'＋'.join(self.left)}＝{'＋'.join(self.right)}"


@dataclass(frozen=True)
class Definition:
    """A report: what its file says."""

    key: str
    title: str
    to: str
    """Whom it goes to."""
    basis: str
    """口径: which children it counts, as it is printed."""
    axes: tuple[str, ...]
    columns: tuple[Column, ...]
    checks: tuple[Equation, ...] = ()
    sentences: tuple[str, ...] = ()
    spans: str = "day"
    """day: as of a day; month, year: what happened since its first day; holiday: one holiday."""
    layout: str = "table"
    signed: str = ""
    notes: tuple[str, ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    """(column, title): who stands behind a column is listed by name."""
    numbered: bool = False
    """Print the numbers of the columns below their titles."""
    source: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What the file says, to be kept beside the numbers."""

    def column(self, key: str) -> Column:
        return next(column for column in self.columns if column.key == key)

    def traits(self, population: str) -> frozenset[str]:
        """What must be known of the members to count them."""
        used = {c.trait for column in self.columns if column.population == population for c in column.when}
        return frozenset(used | {axis for axis in self.axes if axis not in AXES})

    def only(self, keys: Collection[str]) -> Definition:
        """The same with some of its columns, in its source as well: so it is kept."""
        groups = [
            {**group, "columns": [column for column in group["columns"] if str(column["key"]) in keys]}
            for group in self.source["groups"]
        ]
        return parsed(self.key, {**self.source, "groups": [group for group in groups if group["columns"]]})

    @property
    def populations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column.population for column in self.columns))


@cache
def of(key: str) -> Definition:
    """:raises KeyError: when there is no report of that key."""
    if key not in ORDER:
        raise KeyError(key)
    return parsed(key, tomllib.loads((FOLDER / f"{key}.toml").read_text(encoding="utf-8")))


def every() -> list[Definition]:
    return [of(key) for key in ORDER]


CROSSED = "pivot"
POOLS = {
    "gf13": ("国发〔2016〕13号（不满16周岁）", {"left_behind": "yes"}),
    "xj": ("学籍口径（一方或双方外出满三个月）", {"xj": ["1", "2"]}),
    "all": ("本系统登记在读的全部儿童", {}),
}
"""Of which children two traits are crossed: 口径 and condition."""


def crossed(rows: str, columns: str, pool: str) -> Definition:
    """Any two traits against each other: one on the rows (townships and schools as well), one on the columns.

    :raises KeyError: for a trait or a pool that is not offered.
    """
    if rows not in PIVOT or columns not in PIVOT or columns in AXES or rows == columns:
        raise KeyError(columns)
    basis, when = POOLS[pool]
    trait = TRAITS[columns]
    named = [*trait.words.items(), ("", UNKNOWN)]
    row_words = AXIS_WORDS.get(rows) or TRAITS[rows].label
    return parsed(
        CROSSED,
        {
            "title": f"{row_words}与{trait.label}交叉统计",
            "to": "德育股",
            "basis": basis,
            "population": "children",
            "axes": [rows],
            "groups": [
                {"columns": [{"key": "all", "title": "合计", "when": when}]},
                {
                    "title": trait.label,
                    "columns": [{"key": f"is{code}", "title": words, "when": when | {columns: code}} for code, words in named],
                },
            ],
        },
    )


def parsed(key: str, raw: Mapping[str, Any]) -> Definition:
    """:raises ValueError: for a file that names what is not there."""
    columns = tuple(column for group in raw["groups"] for column in _columns(raw, group))
    known = {column.key for column in columns}
    if len(known) != len(columns):
        raise ValueError(f"{key}: a column stands twice")
    checks = tuple(Equation(tuple(check[0]), tuple(check[1])) for check in raw.get("checks", ()))
    named = {name for check in checks for name in (*check.left, *check.right)}
    named |= {name for column in columns if column.measure == "share" for name in column.of} | set(raw.get("lists", ()))
    if named - known:
        raise ValueError(f"{key}: no column {sorted(named - known)}")
    words = {name: raw[name] for name in ("title", "to", "basis", "spans", "layout", "signed", "numbered") if name in raw}
    found = Definition(key, axes=tuple(raw["axes"]), columns=columns, checks=checks, **words)
    unknown = [axis for axis in found.axes if axis not in AXES and axis not in TRAITS]
    if unknown:
        raise ValueError(f"{key}: no rows {unknown}")
    lists = tuple((name, title) for name, title in raw.get("lists", {}).items())
    return replace(found, sentences=tuple(raw.get("sentences", ())), notes=tuple(raw.get("notes", ())), lists=lists, source=raw)


def _columns(raw: Mapping[str, Any], group: Mapping[str, Any]) -> list[Column]:
    found = []
    for each in group["columns"]:
        population = each.get("population") or group.get("population") or raw["population"]
        merged = {**group.get("when", {}), **each.get("when", {})}
        never = {**group.get("unless", {}), **each.get("unless", {})}
        when = [condition(population, trait, value) for trait, value in merged.items()]
        when += [replace(condition(population, trait, value), never=True) for trait, value in never.items()]
        measure, _colon, of_what = each.get("measure", "count").partition(":")
        if measure not in MEASURES:
            raise ValueError(f"no measure {measure}")
        if measure == "sum" and of_what not in POPULATIONS[population].amounts:
            raise ValueError(f"{population} have no {of_what}")
        parts = tuple(of_what.split("/")) if of_what else ()
        found.append(Column(str(each["key"]), each["title"], group.get("title", ""), population, tuple(when), measure, parts))
    return found


def condition(population: str, trait: str, value: Any) -> Condition:
    """``trait = "code"``, ``["code", ...]``, or for an age ``"6-13"``.

    :raises ValueError: when the population has no such trait, or the trait no such code.
    """
    if trait not in POPULATIONS[population].traits:
        raise ValueError(f"{population} have no {trait}")
    if trait == "age":
        least, _dash, most = str(value).partition("-")
        return Condition(trait, frozenset(), int(least), int(most or 999))
    codes = frozenset([value] if isinstance(value, str) else value)
    words = TRAITS[trait].words
    if words and codes - words.keys() - {""}:
        raise ValueError(f"{trait} has no {sorted(codes - words.keys())}")
    return Condition(trait, codes)
