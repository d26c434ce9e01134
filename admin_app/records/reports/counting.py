"""A definition counted: the rows and cells of a report, who stands behind each number, and whom a check equation stumbles over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ... import labels
from ...access import scope_in
from ...models import Child, Enrolment, School, SchoolKind, Township
from ..definitions import holds
from .definition import AXES, Column, Definition, Equation
from .members import POPULATIONS, TRAITS, UNKNOWN, Member, Period

Cell = int | Decimal | None
"""A whole number, a sum of money or a share (0.5444); None: there is nothing to divide by."""
TOTAL = "total"
SHARE = Decimal("0.0001")


@dataclass(frozen=True)
class Line:
    """A row of a report. ``level`` 0: the sum of all; a row of level 1 holds those of level 2 below it."""

    key: str
    label: str
    level: int
    cells: list[Cell]


@dataclass(frozen=True)
class Culprit:
    """Somebody a check equation stumbles over: who, where, and why."""

    child_id: int | None
    name: str
    school: str
    class_name: str
    why: str


@dataclass(frozen=True)
class Checked:
    """A check equation with both its sides in the row of the total, and who makes them differ."""

    equation: Equation
    left: int
    right: int
    culprits: list[Culprit]

    @property
    def holds(self) -> bool:
        return self.left == self.right and not self.culprits


@dataclass(frozen=True)
class Counted:
    """A report as it stands on a day."""

    definition: Definition
    period: Period
    unit: str
    lines: list[Line]
    checks: list[Checked]
    lists: dict[str, list[Culprit]]
    """Title -> the people behind a column that the report lists by name."""
    remarks: tuple[str, ...] = ()
    """What this count in particular leaves out or takes from today."""

    @property
    def failing(self) -> list[Checked]:
        return [check for check in self.checks if not check.holds]

    @property
    def total(self) -> dict[str, Cell]:
        """The cells of the first row by column."""
        return dict(zip((column.key for column in self.definition.columns), self.lines[0].cells, strict=True))

    def without_empty(self) -> Counted:
        """Without the columns in which nobody stands, but for the first: of many codes few are met with."""
        kept = [n for n, cell in enumerate(self.lines[0].cells) if cell or n == 0]
        found = self.definition.only({self.definition.columns[n].key for n in kept})
        return replace(self, definition=found, lines=[replace(line, cells=[line.cells[n] for n in kept]) for line in self.lines])

    @property
    def sentences(self) -> list[str]:
        """Ready sentences with the numbers of the total."""
        said = {key: words(self.definition.column(key), value) for key, value in self.total.items()}
        return [
            sentence.format(**said, year=self.period.on.year, on=labels.day(self.period.on))
            for sentence in self.definition.sentences
        ]


def words(column: Column, value: Cell) -> str:
    """A cell as it is read: shares in percent, money without needless zeros."""
    if value is None:
        return "—"
    if column.measure == "share":
        return f"{value * 100:.2f}%"
    return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"


class Count:
    """One report being counted for the actor of a session."""

    def __init__(self, session: Session, definition: Definition, period: Period, unit: str):
        self.session = session
        self.definition, self.period, self.unit = definition, period, unit
        self.places = Places(session)
        self.members = {
            name: [
                member
                for member in POPULATIONS[name].read(session, period, definition.traits(name))
                if member.school_id in self.places.schools
            ]
            for name in definition.populations
        }

    def counted(self) -> Counted:
        rows = [(TOTAL, "合计", 0), *self.places.rows(self.definition.axes, self._every())]
        lines = [Line(key, label, level, self._cells(key)) for key, label, level in rows]
        counted = Counted(self.definition, self.period, self.unit, lines, [], {}, tuple(self._remarks()))
        return replace(counted, checks=self._checks(counted.total), lists=dict(self._lists()))

    def _remarks(self) -> Iterable[str]:
        """A report of a past day takes what has no dates from today, and a school no longer sees who has moved on."""
        if "children" not in self.members or self.period.on >= dt.date.today():
            return
        yield f"年级、班级、寄宿、户口、健康等没有起止日期的情况，按 {labels.day(dt.date.today())} 的登记。"
        if gone := moved_on(self.session, self.period.on, self.places.schools):
            yield f"另有 {gone} 名当日在读的儿童此后转出，档案已随人转走，不在本表内；全县数以德育股统计为准。"

    def _lists(self) -> Iterable[tuple[str, list[Culprit]]]:
        for key, title in self.definition.lists:
            yield title, [self.named(member) for member in self.behind(TOTAL, key)]

    def named(self, member: Member) -> Culprit:
        """A member by name, with what is known of it."""
        known = (f"{TRAITS[trait].label} {TRAITS[trait].said(value) or UNKNOWN}" for trait, value in member.traits.items())
        return Culprit(member.child_id, member.name, self.school_of(member), member.class_name, "；".join(known))

    def _every(self) -> list[Member]:
        return [member for members in self.members.values() for member in members]

    def _cells(self, row: str) -> list[Cell]:
        within = self.places.within(row)
        here = {name: [m for m in members if within(m)] for name, members in self.members.items()}
        found: dict[str, Cell] = {}
        for column in self.definition.columns:
            if column.measure == "share":
                part, whole = (found[key] for key in column.of)
                found[column.key] = share(part, whole)
            elif column.measure == "fact":
                found[column.key] = self.places.fact(row, column.of[0])
            else:
                found[column.key] = _measured(column, [m for m in here[column.population] if column.takes(m)])
        return [found[column.key] for column in self.definition.columns]

    def behind(self, row: str, column_key: str) -> list[Member]:
        """Who stands behind a number.

        :raises KeyError: for a column that is not there or counts nobody.
        """
        column = next((c for c in self.definition.columns if c.key == column_key), None)
        if column is None or column.measure in ("share", "fact"):
            raise KeyError(column_key)
        within = self.places.within(row)
        return [m for m in self.members[column.population] if within(m) and column.takes(m)]

    def label_of(self, row: str) -> str:
        """What a row is called; blank for the total or a row that is not there."""
        rows = self.places.rows(self.definition.axes, self._every())
        return next((label for key, label, _level in rows if key == row), "")

    def school_of(self, member: Member) -> str:
        return self.places.schools[member.school_id].name

    def _checks(self, total: dict[str, Cell]) -> list[Checked]:
        return [
            Checked(
                check,
                sum(int(total[key] or 0) for key in check.left),
                sum(int(total[key] or 0) for key in check.right),
                list(self._culprits(check)),
            )
            for check in self.definition.checks
        ]

    def _culprits(self, check: Equation) -> Iterable[Culprit]:
        """Everybody who is counted more often on one side than on the other."""
        left, right = ([self.definition.column(key) for key in keys] for keys in (check.left, check.right))
        common = {c.trait for c in left[0].when} & {c.trait for c in right[0].when}
        asked = dict.fromkeys(c.trait for column in (*left, *right) for c in column.when if c.trait not in common)
        for member in self.members[left[0].population]:
            if sum(c.takes(member) for c in left) != sum(c.takes(member) for c in right):
                why = "；".join(f"{TRAITS[trait].label} {TRAITS[trait].said(member.traits[trait]) or UNKNOWN}" for trait in asked)
                yield Culprit(member.child_id, member.name, self.school_of(member), member.class_name, why)


def moved_on(session: Session, on: dt.date, schools: Mapping[int, School]) -> int:
    """How many were enrolled at these schools on a day whose file the actor does not see any more."""
    stays = select(Enrolment.child_id).where(holds(Enrolment, on), Enrolment.school_id.in_(schools))
    return (
        session.scalar(select(func.count()).select_from(stays.where(Enrolment.child_id.not_in(select(Child.id))).subquery())) or 0
    )


def share(part: Cell, whole: Cell) -> Cell:
    """A part of a whole in 1/10000, half up; None of nothing."""
    return (Decimal(part or 0) / Decimal(whole)).quantize(SHARE, ROUND_HALF_UP) if whole else None


def _measured(column: Column, members: list[Member]) -> Cell:
    if column.measure == "sum":
        return sum((m.amounts[column.of[0]] for m in members), Decimal(0) if column.of[0] in ("money", "amount") else 0)
    if column.measure == "children":
        return len({m.child_id for m in members})
    if column.measure == "classes":
        return len({(m.school_id, m.class_name) for m in members})
    return len(members)


class Places:
    """The schools the actor may count, and how they stand under townships and centres, in the office's order."""

    def __init__(self, session: Session):
        scope = scope_in(session)
        listed = select(School).where(School.kind.not_in((SchoolKind.OUTSIDE, SchoolKind.BUREAU)))
        order = (func.coalesce(Township.position, 999), School.code)
        listed = listed.outerjoin(Township, Township.id == School.township_id).order_by(*order)
        schools = [s for s in session.scalars(listed) if scope.reads_everywhere or scope.owns(s.id)]
        self.schools = {school.id: school for school in schools}
        self.townships = {t.id: t.name for t in session.scalars(select(Township).order_by(Township.position))}

    def rows(self, axes: tuple[str, ...], members: list[Member]) -> Iterable[tuple[str, str, int]]:
        """(key, label, level) of the rows below the total."""
        if not axes:
            return
        first, *rest = axes
        for key, label in self._of(first, members):
            yield f"{first}:{key}", label, 1
            for axis in rest:
                inside = self.within(f"{first}:{key}")
                for key2, label2 in self._of(axis, members):
                    if any(inside(_standing(school)) for school in self._schools(axis, key2)):
                        yield f"{axis}:{key2}", label2, 2

    def _of(self, axis: str, members: list[Member]) -> list[tuple[str, str]]:
        if axis == "township":
            there = {self._township(school) for school in self.schools.values()}
            named = [(str(pk), name) for pk, name in self.townships.items() if pk in there]
            return [*named, ("0", "县直")] if None in there else named
        if axis == "centre":
            return list(dict.fromkeys((str(self._centre(s)), self._centre_name(s)) for s in self.schools.values()))
        if axis == "school":
            return [(str(school.id), school.name) for school in self.schools.values()]
        found = {code for m in members for code in codes(m, axis)}
        listed = [(code, label) for code, label in TRAITS[axis].words.items() if code in found]
        return [*listed, ("", UNKNOWN)] if "" in found else listed

    def _schools(self, axis: str, key: str) -> list[School]:
        if axis == "centre":
            return [s for s in self.schools.values() if str(self._centre(s)) == key]
        return [s for s in self.schools.values() if str(s.id) == key]

    def _township(self, school: School) -> int | None:
        """A site is counted with its centre, also where it lies across the border."""
        return self.schools.get(self._centre(school), school).township_id

    @staticmethod
    def _centre(school: School) -> int:
        return school.centre_id or school.id

    def _centre_name(self, school: School) -> str:
        centre = self.schools.get(self._centre(school), school)
        return centre.name

    def within(self, row: str) -> Callable[[Member], bool]:
        """Does a member belong into a row?"""
        axis, _colon, key = row.partition(":")
        if row == TOTAL:
            return lambda _member: True
        if axis == "township":
            return lambda member: str(self._township(self.schools[member.school_id]) or 0) == key
        if axis == "centre":
            return lambda member: str(self._centre(self.schools[member.school_id])) == key
        if axis == "school":
            return lambda member: str(member.school_id) == key
        return lambda member: key in codes(member, axis)

    def fact(self, row: str, name: str) -> int:
        """A number that stands with the schools themselves: their pupils; a trait has none."""
        within = self.within(row)
        if row != TOTAL and row.partition(":")[0] not in AXES:
            return 0
        return sum(getattr(school, name) or 0 for school in self.schools.values() if within(_standing(school)))


def codes(member: Member, trait: str) -> frozenset[str]:
    """The codes of a member under a trait; one without any is under the blank one."""
    value: Any = member.traits[trait]
    return (value or frozenset({""})) if isinstance(value, frozenset) else frozenset({str(value)})


def _standing(school: School) -> Member:
    """A school as if it were a member of itself, to ask in which row it stands."""
    return Member(school.id, None, school.name, "", {})
