"""A round as the facts see it: its dates, its calendar, its schools, and the days each child was on the books.

What several metrics need is read once and kept: schools, terms, settings, activities, rooms, stretches of days.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, wraps
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, literal, or_, select
from sqlalchemy.orm import Session

from ...models import (
    Activity,
    BackEntry,
    Code,
    CodeKind,
    Definition,
    Enrolment,
    Facility,
    FacilityKind,
    Round,
    School,
    SchoolKind,
    Term,
    Workday,
)
from ...records import county, definitions

MIN_DAYS_IN_ROUND = 30
"""Ruling 3: a child belongs to C after this many days on the books."""
MIN_DAYS_IN_MONTH = 15
"""m(c): a month counts for a child who was there this many of its days."""
IDLE_MONTHS = (2, 8)
"""February and August carry no monthly duty."""
CHINA = dt.timezone(dt.timedelta(hours=8))
WITH_TRASH = {"include_deleted": True}
"""What was deleted after the cut-off still counts; ``Window.entered`` says which."""
DAY = dt.timedelta(days=1)
ONE = Decimal(1)
PRIMARY, KINDERGARTEN, SENIOR = frozenset({"小学"}), frozenset({"幼儿园"}), frozenset({"高中"})
STAGES: dict[SchoolKind, frozenset[str]] = {
    SchoolKind.KINDERGARTEN: KINDERGARTEN,
    SchoolKind.NINE_YEAR: frozenset({"小学", "初中"}),
    SchoolKind.JUNIOR: frozenset({"初中"}),
    SchoolKind.COMPLETE: frozenset({"初中", "高中"}),
    SchoolKind.SENIOR: SENIOR,
    SchoolKind.VOCATIONAL: SENIOR,
    SchoolKind.SPECIAL: frozenset({"小学", "初中"}),
}
"""Which stages a kind of school teaches; the others are primary schools."""

Key = tuple[int, int]
"""(child, unit): a child as one assessed school knows it."""
Stay = tuple[dt.date, dt.date, int, int]
"""(first, stop, enrolment, school): a stretch of days in the definition."""


class Member(NamedTuple):
    """A child in C or C_t: where it is enrolled on the day that counts."""

    child_id: int
    enrolment_id: int
    school_id: int
    unit: int

    @property
    def key(self) -> Key:
        return self.child_id, self.unit


class Site(NamedTuple):
    """A school or site, with what the facts ask of it."""

    id: int
    name: str
    unit: int
    kind: SchoolKind
    boarding: bool
    pupils: int | None


class Done(NamedTuple):
    """An activity of the round: what kind, where, and the room it opened, if it opened one."""

    id: int
    unit: int
    school_id: int
    code: str
    kind: CodeKind
    on: dt.date
    title: str
    room: FacilityKind | None
    agencies: tuple[str, ...]
    weight: Decimal
    """What it counts: less than one when it was entered long after it happened."""


T = TypeVar("T")


def once(read: Callable[[Window], T]) -> Callable[[Window], T]:
    """A query that several metrics share: asked once a window."""

    @wraps(read)
    def asked(window: Window) -> T:
        kept = window.__dict__.setdefault("_asked", {})
        if read not in kept:
            kept[read] = read(window)
        return kept[read]

    return asked


@dataclass(frozen=True)
class Window:
    """A round as the facts see it."""

    session: Session
    start: dt.date
    last_day: dt.date
    cut_off: dt.date
    definition: Definition
    round_id: int
    back_entry: BackEntry = BackEntry.FULL
    back_entry_days: int = 30
    lines: bool = True
    """Are the lines behind the facts asked for, or the numbers alone? Making and sorting them takes half again as long."""

    @classmethod
    def of(cls, session: Session, round_: Round, *, lines: bool = True) -> Window:
        scheme = round_.scheme
        return cls(
            session, round_.start, round_.last_day, round_.cut_off, scheme.definition, round_.id, scheme.back_entry, scheme.back_entry_days,
            lines,
        )  # fmt: skip

    # --- which records count

    @property
    def end(self) -> dt.date:
        """min(e, f): nothing after it counts."""
        return min(self.last_day, self.cut_off)

    @property
    def entered_by(self) -> dt.datetime:
        """The end of the cut-off day on the county's clock."""
        return midnight(self.cut_off + DAY)

    def entered(self, model: Any) -> ColumnElement[bool]:
        """Entered by the cut-off and not in the trash then."""
        kept = or_(model.deleted_at.is_(None), model.deleted_at >= self.entered_by)
        return (model.created_at < self.entered_by) & kept

    def counts(self, model: Any) -> ColumnElement[bool]:
        """A record of the round: it happened in it and was entered by the cut-off."""
        return self.within(model.on) & self.entered(model)

    def entry(self, created_at: Any) -> Any:
        """The column that says when a record was entered; nothing to read where that makes no difference."""
        return literal(None) if self.back_entry is BackEntry.FULL else created_at

    def weight(self, on: dt.date, created: Any) -> Decimal:
        """What an event counts that happened on a day and was entered at a moment, as ``entry`` gave it (ruling 18)."""
        if self.back_entry is BackEntry.FULL or (created.astimezone(CHINA).date() - on).days <= self.back_entry_days:
            return ONE
        return self.back_entry.share

    def within(self, column: Any) -> ColumnElement[bool]:
        return (column >= self.start) & (column <= self.end)

    def valid(self, model: Any) -> ColumnElement[bool]:
        """A dated state that held on the cut-off: start <= f < end."""
        return definitions.holds(model, self.cut_off)

    def by_now(self, day: dt.date | None) -> bool:
        """Has it happened by the cut-off?"""
        return day is not None and day <= self.cut_off

    def is_over(self, day: dt.date) -> bool:
        """Has a last day been spent by the end of the cut-off?"""
        return day <= self.cut_off

    # --- the county: settings, calendar, lists, schools

    @cached_property
    def _settings(self) -> dict[str, str]:
        return county.values(self.session)

    def setting(self, key: str) -> int:
        """What the county decided (records/county.py)."""
        return int(self._settings[key])

    @cached_property
    def _calendar(self) -> list[Term]:
        """The county's terms with a day in the round, also one begun before it."""
        reach = (Term.start <= self.end) & (Term.last_day >= self.start)
        return list(self.session.scalars(select(Term).where(reach).order_by(Term.start)))

    @cached_property
    def terms(self) -> list[Term]:
        """Ruling 4: a term belongs to the round when its first day does."""
        return [term for term in self._calendar if term.start >= self.start]

    @property
    def current_term(self) -> Term | None:
        """Ruling 4: the last term of the round begun on or before the cut-off."""
        return self.terms[-1] if self.terms else None

    def term_on(self, day: dt.date) -> Term | None:
        """The term of a day of the round, whether or not it belongs to the round."""
        return next((term for term in self._calendar if term.start <= day <= term.last_day), None)

    @cached_property
    def weeks(self) -> dict[dt.date, Term]:
        """Ruling 10: Monday -> its term, for the weeks (Monday to Sunday) with a term day in the round."""
        found = {}
        for term in self._calendar:
            first = max(term.start, self.start)
            monday = first - first.weekday() * DAY
            while monday <= min(term.last_day, self.end):
                found[monday] = term
                monday += 7 * DAY
        return found

    @cached_property
    def months(self) -> list[tuple[dt.date, dt.date]]:
        """The months of the round that carry a monthly duty, each cut to the round."""
        found, day = [], self.start.replace(day=1)
        while day <= self.end:
            following = (day.replace(day=28) + 4 * DAY).replace(day=1)
            if day.month not in IDLE_MONTHS:
                found.append((max(day, self.start), min(following - DAY, self.end)))
            day = following
        return found

    @cached_property
    def _workdays(self) -> dict[dt.date, bool]:
        return dict(self.session.execute(select(Workday.date, Workday.works)).all())

    def after_workdays(self, day: dt.date, n: int) -> dt.date:
        """The n-th working day after a day (ruling 9): Monday to Friday less public holidays plus make-up days."""
        while n > 0:
            day += DAY
            n -= self._workdays.get(day, day.weekday() < 5)
        return day

    @cached_property
    def _codes(self) -> list[Any]:
        return list(self.session.execute(select(Code.id, Code.kind, Code.code, Code.name)))

    @cached_property
    def words(self) -> dict[tuple[CodeKind, str], str]:
        """(list, code) -> name, from the county's own code lists."""
        return {(kind, code): name for _id, kind, code, name in self._codes}

    @cached_property
    def sites(self) -> dict[int, Site]:
        rows = self.session.execute(
            select(School.id, School.name, School.centre_id, School.kind, School.boarding, School.pupils).order_by(School.code)
        )
        return {row.id: Site(row.id, row.name, row.centre_id or row.id, *row[3:]) for row in rows}

    @cached_property
    def unit_of(self) -> dict[int, int]:
        """Site -> the assessed school it adds to."""
        return {site.id: site.unit for site in self.sites.values()}

    @cached_property
    def units(self) -> list[Site]:
        return [site for site in self.sites.values() if site.id == site.unit]

    @cached_property
    def stages(self) -> dict[int, frozenset[str]]:
        """Unit -> the stages taught at the centre and its sites (ruling 15)."""
        found: dict[int, frozenset[str]] = defaultdict(frozenset)
        for site in self.sites.values():
            found[site.unit] |= STAGES.get(site.kind, PRIMARY)
        return found

    @cached_property
    def boarding(self) -> set[int]:
        """The units that board: the centre or one of its sites does."""
        return {site.unit for site in self.sites.values() if site.boarding}

    # --- what schools did

    @cached_property
    def activities(self) -> list[Done]:
        """The activities of the round, oldest first."""
        kinds = {key: (code, kind) for key, kind, code, _name in self._codes}
        rooms = {key: kind for key, _school, kind, _there in self._facilities}
        rows = self.session.execute(
            select(
                Activity.id,
                Activity.school_id,
                Activity.kind_id,
                Activity.on,
                Activity.title,
                Activity.facility_id,
                Activity.agencies,
                self.entry(Activity.created_at),
            )
            .where(self.within(Activity.on), self.entered(Activity))
            .order_by(Activity.on, Activity.id),
            execution_options=WITH_TRASH,
        )
        return [
            Done(
                key,
                self.unit_of[school],
                school,
                *kinds[kind],
                on,
                title,
                rooms.get(room),
                agencies or (),
                self.weight(on, created),
            )
            for key, school, kind, on, title, room, agencies, created in rows
        ]

    @cached_property
    def rooms(self) -> set[tuple[int, FacilityKind]]:
        """(unit, kind of room) of the rooms that were there at some time of the round."""
        return {(self.unit_of[school], kind) for _key, school, kind, there in self._facilities if there}

    @cached_property
    def _facilities(self) -> list[Any]:
        """(room, school, kind, was it there in the round), the trash included: openings may have been held in it."""
        there = and_(
            or_(Facility.since.is_(None), Facility.since <= self.end),
            or_(Facility.closed_on.is_(None), Facility.closed_on > self.start),
            self.entered(Facility),
        )
        asked = select(Facility.id, Facility.school_id, Facility.kind, there)
        return list(self.session.execute(asked, execution_options=WITH_TRASH))

    # --- the children

    @cached_property
    def stays(self) -> dict[Key, list[Stay]]:
        """(child, unit) -> its stretches in the definition, merged."""
        found: dict[Key, list[Stay]] = defaultdict(list)
        for child, enrolment, school, first, stop in self.session.execute(definitions.spans(self.definition)):
            found[child, self.unit_of[school]].append((first, stop, enrolment, school))
        return {key: _merged(rows) for key, rows in found.items()}

    def days(self, key: Key, first: dt.date, last: dt.date) -> int:
        """How many days of [first, last] a child was on the books of a unit."""
        stop, n = last + DAY, 0
        for begun, ended, _enrolment, _school in self.stays[key]:
            if begun <= first and stop <= ended:
                return (stop - first).days
            n += max(0, (min(ended, stop) - max(begun, first)).days)
        return n

    def on_the_books(self, on: dt.date) -> list[Member]:
        """Enrolled and in the definition on a day."""
        return [
            Member(key[0], enrolment, school, key[1])
            for key, rows in self.stays.items()
            for first, stop, enrolment, school in rows
            if first <= on < stop
        ]

    def members(self, on: dt.date, first: dt.date, last: dt.date) -> list[Member]:
        """In the definition on a day, and at least 30 days on the books within a stretch."""
        return [m for m in self.on_the_books(on) if self.days(m.key, first, last) >= MIN_DAYS_IN_ROUND]

    @cached_property
    def children(self) -> list[Member]:
        """C: the children of the round."""
        return self.members(self.cut_off, self.start, self.end)

    @cached_property
    def by_term(self) -> list[tuple[Term, list[Member]]]:
        """C_t: the children of each term; who left counts only in the terms it ended."""
        lasts = [(term, min(term.last_day, self.end)) for term in self.terms]
        return [(term, self.members(last, max(term.start, self.start), last)) for term, last in lasts]

    @cached_property
    def months_due(self) -> dict[Key, list[tuple[int, int]]]:
        """m(c) of each child of C: the months in which it was on the unit's books 15 days."""
        if not self.months:
            return {m.key: [] for m in self.children}
        first, last = self.months[0][0], self.months[-1][1]
        length = (last - first).days + 1
        always = [(a.year, a.month) for a, b in self.months if (b - a).days + 1 >= MIN_DAYS_IN_MONTH]

        def due(key: Key) -> list[tuple[int, int]]:
            if self.days(key, first, last) == length:  # most were there all the time
                return always
            return [(a.year, a.month) for a, b in self.months if self.days(key, a, b) >= MIN_DAYS_IN_MONTH]

        return {m.key: due(m.key) for m in self.children}

    @cached_property
    def names(self) -> dict[int, str]:
        """Child -> name, as it was last; from enrolments, so that who moved away has a name too."""
        rows = self.session.execute(select(Enrolment.child_id, Enrolment.child_name).order_by(Enrolment.start))
        return {child: name for child, name in rows}

    def name_of(self, child_id: int) -> str:
        return self.names.get(child_id, "") if self.lines else ""


def midnight(day: dt.date) -> dt.datetime:
    """The first moment of a day on the county's clock."""
    return dt.datetime.combine(day, dt.time(), CHINA)


def _merged(rows: list[Stay]) -> list[Stay]:
    """Stretches of one child at one unit without overlaps, so that no day counts twice."""
    merged: list[Stay] = []
    for first, stop, enrolment, school in sorted(rows):
        if merged and first < merged[-1][1]:
            first = merged[-1][1]
            if first >= stop:
                continue
        merged.append((first, stop, enrolment, school))
    return merged
