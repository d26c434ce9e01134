"""A second opinion: the annual assessment worked out again, from the text of the rubric alone.

Plain rows and plain Python: no SQL, nothing of admin_app. One function a formula, each with the clause it comes from
(numbers in brackets: the rulings of docs/rubric.md; where the text still leaves two readings: decision 0011).
Exact fractions inside, cents at the end, half up.
"""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

COUNTY_TIME = dt.timezone(dt.timedelta(hours=8))
EARLY = dt.datetime(2024, 8, 20, 2, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ZERO, ONE = Fraction(0), Fraction(1)


# --- the rows, named and coded as in the register


@dataclass(kw_only=True)
class Row:
    id: int = 0
    created_at: dt.datetime = EARLY
    deleted_at: dt.datetime | None = None


@dataclass(kw_only=True)
class Lasting(Row):
    start: dt.date
    end: dt.date | None = None

    def covers(self, day: dt.date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(kw_only=True)
class School(Row):
    code: str
    name: str
    kind: str = "centre"
    centre_id: int | None = None
    assessed: bool = True
    school_group: str | None = "primary"
    boarding: bool = False
    pupils: int | None = 100


@dataclass(kw_only=True)
class Staff(Lasting):
    school_id: int
    name: str = "施老师"
    phone: str | None = None
    phone_changed_on: dt.date | None = None


@dataclass(kw_only=True)
class Child(Row):
    school_id: int
    name: str
    birth_date: dt.date
    sex: str = "1"
    ethnic: str = "07"
    hukou: str | None = "1"
    area: str | None = None
    grade: str = "P3"
    class_name: str = "1班"
    home_address: str | None = "和平村3组"
    special_requests: str | None = "无"
    class_teacher_id: int | None = None
    boarding: bool = False
    health: str | None = None
    disability: str | None = None
    facts_confirmed_at: dt.date | None = None


@dataclass(kw_only=True)
class OfChild:
    child_id: int
    school_id: int


@dataclass(kw_only=True)
class Event(OfChild):
    """Hangs on the enrolment under which it happened; ``school_id`` is the unit whose staff made it."""

    enrolment_id: int


@dataclass(kw_only=True)
class Enrolment(OfChild, Lasting):
    child_name: str = "某某"
    leave_reason: str | None = None


@dataclass(kw_only=True)
class Parent(OfChild, Row):
    side: str
    name: str
    phone: str | None = None
    phone_changed_on: dt.date | None = None
    unreachable: str | None = None


@dataclass(kw_only=True)
class ParentStatus(OfChild, Lasting):
    parent_id: int
    state: str


@dataclass(kw_only=True)
class Carer(OfChild, Lasting):
    name: str
    relation: str = "62"
    phone: str | None = None
    phone_changed_on: dt.date | None = None
    age: int | None = None
    birth_date: dt.date | None = None
    address: str | None = None
    occupation: str | None = None

    @property
    def person(self) -> str:
        return f"{self.name}/{self.phone or ''}"


@dataclass(kw_only=True)
class Responsibility(OfChild, Lasting):
    staff_id: int


@dataclass(kw_only=True)
class ContactCard(OfChild, Row):
    issued_on: dt.date
    issued_by_id: int


@dataclass(kw_only=True)
class Agreement(OfChild, Lasting):
    carer_id: int
    signed_on: dt.date
    principals: str = "父母"
    ended_how: str | None = None


@dataclass(kw_only=True)
class Category(OfChild, Lasting):
    kind: str


@dataclass(kw_only=True)
class Transfer(OfChild, Row):
    to_school_id: int
    proposed_on: dt.date
    child_name: str = "某某"
    kind: str = "move"
    state: str = "pending"
    answered_on: dt.date | None = None
    printed_on: dt.date | None = None


@dataclass(kw_only=True)
class StateNote(Event, Row):
    term_id: int
    side: str
    on: dt.date
    text: str | None = None
    mind: str | None = None


@dataclass(kw_only=True)
class CareRecord(Event, Row):
    kind: str
    on: dt.date
    way: str = "face"
    role: str = "responsible"


@dataclass(kw_only=True)
class Flag(Event, Row):
    on: dt.date
    level: str = "watch"
    source: str = "谈心"
    followed_on: dt.date | None = None
    closed_on: dt.date | None = None


@dataclass(kw_only=True)
class Letter(Event, Row):
    term_id: int
    on: dt.date


@dataclass(kw_only=True)
class Pairing(Event, Lasting):
    partner: str = "同桌甲"


@dataclass(kw_only=True)
class Evaluation(Event, Row):
    term_id: int
    on: dt.date
    rater: str
    conduct: str | None = None
    study: str | None = None
    health: str | None = None
    arts: str | None = None
    practice: str | None = None


@dataclass(kw_only=True)
class Handover(Event, Row):
    holiday_id: int
    family_on: dt.date | None = None
    village_on: dt.date | None = None
    done_on: dt.date | None = None
    back_on: dt.date | None = None


@dataclass(kw_only=True)
class DropoutCase(Event, Row):
    found_on: dt.date
    grade: str
    reason: str = "weary"
    returned_on: dt.date | None = None


@dataclass(kw_only=True)
class Subsidy(Event, Lasting):
    kind: str
    """The code of its kind: Z01 ..."""


@dataclass(kw_only=True)
class Opinion(Row):
    school_id: int
    found_at: dt.datetime
    reported_at: dt.datetime | None = None
    hidden: bool = False
    source: str = "论坛"
    summary: str = "传言"


@dataclass(kw_only=True)
class Facility(Row):
    school_id: int
    kind: str
    name: str = "室"
    since: dt.date | None = None
    closed_on: dt.date | None = None


@dataclass(kw_only=True)
class Activity(Row):
    school_id: int
    kind: str
    """The code of its kind: A05, D1, M01, L01, P01, O01 ..."""
    on: dt.date
    title: str = "活动"
    facility_id: int | None = None
    agencies: tuple[str, ...] = ()


@dataclass(kw_only=True)
class TrainingSession(Row):
    school_id: int
    kind: str
    on: dt.date
    title: str = "培训"


@dataclass(kw_only=True)
class Attendance(Event, Row):
    session_id: int
    carer_name: str
    person_key: str
    relation: str = "62"
    how: str = "present"
    child_name: str = "某某"


@dataclass(kw_only=True)
class Post(Lasting):
    school_id: int
    body: str
    name: str = "组长甲"


@dataclass(kw_only=True)
class Paper(Row):
    school_id: int
    kind: str
    on: dt.date
    title: str = "材料"
    term_id: int | None = None
    state: str = "draft"
    submitted_on: dt.date | None = None
    answered_on: dt.date | None = None


@dataclass(kw_only=True)
class CensusReturn(Row):
    school_id: int
    census_id: int
    on: dt.date
    children: int = 1
    girls: int = 0
    by: str = "填报员"


@dataclass(kw_only=True)
class Inspection(Row):
    school_id: int
    on: dt.date
    round_id: int = 0
    children: int = 0
    fields_checked: int = 0
    fields_wrong: int = 0
    answers: int = 0
    satisfied: int = 0


@dataclass(kw_only=True)
class Adjustment(Row):
    school_id: int
    kind: str
    matter: str
    round_id: int = 0
    points: Decimal = Decimal(0)
    effect: str | None = None
    document: str = "文件"


@dataclass(kw_only=True)
class Judged(Row):
    """What the office gave an item: of a partly computed one, for its judged part."""

    school_id: int
    item: str
    points: Decimal


# --- the county's calendar and the round


@dataclass(frozen=True)
class Stretch:
    """A term or a holiday, both ends counted."""

    id: int
    code: str
    start: dt.date
    last_day: dt.date
    kind: str = ""
    handover: bool = False

    def has(self, day: dt.date) -> bool:
        return self.start <= day <= self.last_day


@dataclass(frozen=True)
class Census:
    id: int
    term_id: int
    last_day: dt.date


@dataclass(frozen=True)
class Round:
    start: dt.date
    last_day: dt.date
    cut_off: dt.date
    definition: str = "GF13"
    quota: Decimal = Decimal("0.3")
    weight: Decimal = Decimal(5)
    bonus_cap: Decimal = Decimal(5)
    minimum: Decimal = Decimal(60)


SETTINGS = {
    "talks_a_month": 1, "visits_a_term": 1, "trainings_a_year": 2, "follow_up_days": 14, "transfer_days": 15,
    "replacement_days": 30, "dropout_days": 30, "dropout_report_days": 3, "opinion_hours": 24, "pair_days": 60,
}  # fmt: skip
"""What a county may set, with its defaults."""


@dataclass
class Calendar:
    terms: list[Stretch]
    holidays: list[Stretch]
    censuses: list[Census]
    workdays: dict[dt.date, bool]


@dataclass
class County:
    """Everything the schools and the office entered."""

    rows: dict[type[Row], list[Any]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: Any) -> Any:
        self.rows[type(row)].append(row)
        return row

    def of(self, kind: type[Any]) -> list[Any]:
        return self.rows[kind]


@dataclass(frozen=True)
class Fact:
    """``value`` None: not applicable."""

    value: Fraction | None
    numerator: Fraction | None = None
    denominator: Fraction | None = None


NA = Fact(None)


def share(numerator: int, denominator: int) -> Fact:
    """Numerator ÷ denominator; an empty denominator is not applicable."""
    if not denominator:
        return Fact(None, ZERO, ZERO)
    return Fact(Fraction(numerator, denominator), Fraction(numerator), Fraction(denominator))


def number(value: int | Fraction) -> Fact:
    return Fact(Fraction(value))


def cents(value: Fraction) -> Decimal:
    """Two places, half up; exact."""
    doubled = value * 200
    whole = (abs(doubled.numerator) + doubled.denominator) // (2 * doubled.denominator)
    return Decimal(whole if value >= 0 else -whole) / 100


def after_years(day: dt.date, years: int) -> dt.date:
    """[1] 29 February = 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)


def after_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


STATES = (Child, Parent, ParentStatus, Enrolment, Carer, Responsibility, Staff)
"""What a child's file and a school's staff say of a day."""


class Book:
    """The county as it stands for one round, indexed for reading."""

    def __init__(
        self,
        county: County,
        round_: Round,
        calendar_: Calendar,
        settings: dict[str, int] | None = None,
    ):
        self.county, self.round, self.calendar = county, round_, calendar_
        self.settings = SETTINGS | (settings or {})
        self.s, self.e, self.f = round_.start, round_.last_day, round_.cut_off
        self.until = min(self.e, self.f)
        self.closing = dt.datetime.combine(self.f + DAY, dt.time(), COUNTY_TIME)
        self._days: dict[int, set[dt.date]] = {}
        self._by_child: dict[type[Any], dict[int, list[Any]]] = {}
        self._stays: dict[tuple[int, int], set[dt.date]] = {}

    # what counts at all

    def known(self, row: Row) -> bool:
        """Entered after f does not count, nor what was deleted by then; a state counts by its validity (decision 0011)."""
        if isinstance(row, STATES):
            return row.deleted_at is None
        return row.created_at < self.closing and (row.deleted_at is None or row.deleted_at >= self.closing)

    def all(self, kind: type[Any]) -> list[Any]:
        return [row for row in self.county.of(kind) if self.known(row)]

    def of_child(self, kind: type[Any], child_id: int) -> list[Any]:
        if kind not in self._by_child:
            index = self._by_child[kind] = defaultdict(list)
            for row in self.all(kind):
                index[row.child_id].append(row)
        return self._by_child[kind].get(child_id, [])

    def done_by(self, kind: type[Any], unit: int) -> list[Any]:
        """[5] Counts for the unit whose staff made it; [12] COUNT items pool centre and sites."""
        inside = self.schools_of(unit)
        return [row for row in self.all(kind) if row.school_id in inside]

    def is_over(self, last: dt.date) -> bool:
        """A last day is over at the end of f, when f is seen; only of a holiday [11] says that f must be past it."""
        return last <= self.f

    def in_period(self, day: dt.date) -> bool:
        return self.s <= day <= self.until

    # units

    @cached_property
    def schools(self) -> dict[int, School]:
        return {school.id: school for school in self.county.of(School)}

    def unit_of(self, school_id: int) -> int:
        return self.schools[school_id].centre_id or school_id

    def schools_of(self, unit: int) -> set[int]:
        """Sites add to their centre."""
        return {school.id for school in self.schools.values() if self.unit_of(school.id) == unit}

    # the calendar

    @cached_property
    def terms(self) -> list[Stretch]:
        """[4] Of the round: the first day lies in [s, min(e, f)]."""
        return sorted((t for t in self.calendar.terms if self.in_period(t.start)), key=lambda t: t.start)

    @cached_property
    def current_term(self) -> Stretch | None:
        """[4] The last of these begun on or before f."""
        return self.terms[-1] if self.terms else None

    def in_term(self, term: Stretch, day: dt.date) -> bool:
        """[4] A term's events count only inside [s, min(e, f)]."""
        return term.has(day) and self.in_period(day)

    @cached_property
    def months(self) -> list[tuple[int, int]]:
        """Sep-Jan and Mar-Jul; February and August skipped."""
        found, day = [], self.s.replace(day=1)
        while day <= self.until:
            if day.month not in (2, 8):
                found.append((day.year, day.month))
            day = after_months(day, 1)
        return found

    def works(self, day: dt.date) -> bool:
        """[9] Monday to Friday less public holidays plus make-up days."""
        return self.calendar.workdays.get(day, day.weekday() < 5)

    def workday_after(self, day: dt.date, n: int) -> dt.date:
        """[9] Day 1 is the next working day."""
        while n:
            day += DAY
            n -= self.works(day)
        return day

    # children

    @cached_property
    def children(self) -> dict[int, Child]:
        return {child.id: child for child in self.all(Child)}

    def definition_days(self, child: Child) -> set[dt.date]:
        """[1] The days from s to max(e, f) on which the child is left behind."""
        if child.id not in self._days:
            first, last = self.s, max(self.e, self.f)
            statuses = self.of_child(ParentStatus, child.id)
            turns = {first, after_years(child.birth_date, 16)}
            for row in statuses:
                turns |= {row.start, after_months(row.start, 3)} | ({row.end} if row.end else set())
            stops = [*sorted(t for t in turns if first <= t <= last), last + DAY]
            days: set[dt.date] = set()
            for begin, stop in itertools.pairwise(stops):
                if self.left_behind(child, begin):
                    days.update(begin + n * DAY for n in range((stop - begin).days))
            self._days[child.id] = days
        return self._days[child.id]

    def left_behind(self, child: Child, day: dt.date) -> bool:
        return self.is_xj(child, day) if self.round.definition == "XJ" else self.is_gf13(child, day)

    def state_of(self, child: Child, side: str, day: dt.date) -> str | None:
        parents = {p.id for p in self.of_child(Parent, child.id) if p.side == side}
        found = [r.state for r in self.of_child(ParentStatus, child.id) if r.parent_id in parents and r.covers(day)]
        return found[0] if found else None

    def is_gf13(self, child: Child, day: dt.date) -> bool:
        """[1] Both away, or one away and the other unable; rural; under 16."""
        if day >= after_years(child.birth_date, 16):
            return False
        rural = child.hukou in (None, "1") or (child.hukou == "3" and child.area in (None, "town", "village"))  # decision 0003
        states = {self.state_of(child, "father", day), self.state_of(child, "mother", day)}
        unable = {"incapable", "dead", "missing", "imprisoned", "detox"}
        return rural and "away" in states and states <= {"away"} | unable

    def is_xj(self, child: Child, day: dt.date) -> bool:
        """One or both parents away for 3 months; without a break, whatever the place."""
        for parent in self.of_child(Parent, child.id):
            away = [r for r in self.of_child(ParentStatus, child.id) if r.parent_id == parent.id and r.state == "away"]
            since = next((r.start for r in away if r.covers(day)), None)
            while since and (before := next((r for r in away if r.end == since and r.start < since), None)):
                since = before.start
            if since and after_months(since, 3) <= day:
                return True
        return False

    def enrolled_days(self, child: Child, unit: int) -> set[dt.date]:
        """[2] 在册: an enrolment of the unit covers the day and the child meets the definition that day."""
        key = (child.id, unit)
        if key not in self._stays:
            inside = self.schools_of(unit)
            stays = [r for r in self.of_child(Enrolment, child.id) if r.school_id in inside]
            self._stays[key] = {d for d in self.definition_days(child) if any(r.covers(d) for r in stays)}
        return self._stays[key]

    def counted_on(self, unit: int, day: dt.date, since: dt.date, to: dt.date) -> list[Child]:
        """[3] In the unit and the definition on a day, with at least 30 days of it from ``since`` to ``to``."""
        found = []
        for child in self.children.values():
            days = self.enrolled_days(child, unit)
            if day in days and sum(since <= d <= to for d in days) >= 30:
                found.append(child)
        return found

    def C(self, unit: int) -> list[Child]:
        """[3] On f, with at least 30 days in [s, min(e, f)]."""
        return self.counted_on(unit, self.f, self.s, self.until)

    def C_t(self, unit: int, term: Stretch) -> list[Child]:
        """[3] On min(last day of t, e, f), with at least 30 days within t."""
        last = min(term.last_day, self.until)
        return self.counted_on(unit, last, term.start, last)

    def m(self, child: Child, unit: int) -> set[tuple[int, int]]:
        """[5]: the months with at least 15 days 在册 in this unit."""
        days = defaultdict(int)
        for day in self.enrolled_days(child, unit):
            if self.in_period(day):
                days[day.year, day.month] += 1
        return {month for month in self.months if days[month] >= 15}


# --- F1-F21


def F1(book: Book, unit: int) -> Fact:
    """Dossiers: 14 seed fields, the basic ones, and a note of each of four sides dated in the current term [7]."""
    children = book.C(unit)
    return share(sum(_dossier_complete(book, child) for child in children), len(children))


def _dossier_complete(book: Book, child: Child) -> bool:
    """[7] Of parents' names and phones one is asked; a carer's four fields may stand with several carers."""
    term = book.current_term
    parents = book.of_child(Parent, child.id)
    carers = [r for r in book.of_child(Carer, child.id) if r.covers(book.f)]
    notes = {n.side for n in book.of_child(StateNote, child.id) if term and book.in_term(term, n.on)}
    asked = (
        notes >= {"thought", "mind", "study", "life"},
        child.sex and child.birth_date and child.ethnic and child.grade,
        any(p.name for p in parents),
        any(p.phone for p in parents),
        child.home_address,
        child.special_requests,
        any(c.occupation for c in carers),
        any(c.birth_date or c.age is not None for c in carers),
        any(c.address for c in carers),
        any(c.phone for c in carers),
        any(r.covers(book.f) for r in book.of_child(Responsibility, child.id)),
    )
    return all(asked)


def F2(book: Book, unit: int) -> Fact:
    """A valid card, and exactly one current responsible person who is still employed [8]."""
    children = book.C(unit)
    return share(sum(_card_valid(book, unit, c) and _one_answers(book, c) for c in children), len(children))


def _answering(book: Book, child: Child) -> list[Responsibility]:
    return [r for r in book.of_child(Responsibility, child.id) if r.covers(book.f)]


def _one_answers(book: Book, child: Child) -> bool:
    staff = {s.id: s for s in book.all(Staff)}
    current = _answering(book, child)
    return len(current) == 1 and current[0].staff_id in staff and staff[current[0].staff_id].covers(book.f)


def _card_valid(book: Book, unit: int, child: Child) -> bool:
    """[8] Issued by the present unit on or after the last change of a phone printed on it."""
    inside = book.schools_of(unit)
    issued = [c.issued_on for c in book.of_child(ContactCard, child.id) if c.issued_by_id in inside and c.issued_on <= book.f]
    staff = {s.id: s for s in book.all(Staff)}
    teachers = {r.staff_id for r in _answering(book, child)} | {child.class_teacher_id}
    printed: list[Any] = [staff[i] for i in teachers if i in staff]
    printed += book.of_child(Parent, child.id)
    printed += [r for r in book.of_child(Carer, child.id) if r.covers(book.f)]
    changes = [p.phone_changed_on for p in printed if p.phone_changed_on and p.phone_changed_on <= book.f]
    return bool(issued) and max(issued) >= max(changes, default=dt.date.min)


def F3(book: Book, unit: int) -> Fact:
    """Facts confirmed since the start of the current term; before the first there is nothing to confirm (decision 0011)."""
    children, term = book.C(unit), book.current_term
    if term is None:
        return NA
    fresh = [c for c in children if c.facts_confirmed_at and term.start <= c.facts_confirmed_at <= book.f]
    return share(len(fresh), len(children))


def F4(book: Book, unit: int) -> Fact:
    """[9] Transfers at the sending school closed within 15 working days."""
    inside, closed, all_ = book.schools_of(unit), 0, 0
    for row in book.done_by(Transfer, unit):
        if not book.in_period(row.proposed_on) or row.to_school_id in inside:
            continue
        out = book.schools[row.to_school_id].kind == "outside"
        closing = row.printed_on if out else row.answered_on if row.state == "accepted" else None
        if closing and closing > book.f:
            closing = None
        last = book.workday_after(row.proposed_on, book.settings["transfer_days"])
        if closing is None and not book.is_over(last):
            continue
        all_ += 1
        closed += closing is not None and closing <= last
    return share(closed, all_)


def F5(book: Book, unit: int) -> Fact:
    """A valid agreement on f, of those with both parents away or the one at home incapable [1]."""
    need = [c for c in book.C(unit) if _needs_agreement(book, c)]
    signed = [c for c in need if any(a.covers(book.f) for a in book.of_child(Agreement, c.id))]
    return share(len(signed), len(need))


def _needs_agreement(book: Book, child: Child) -> bool:
    states = sorted(filter(None, (book.state_of(child, side, book.f) for side in ("father", "mother"))))
    return states in (["away", "away"], ["away", "incapable"])


def F6(book: Book, unit: int) -> Fact:
    """The mean over terms of children visited at home [10]."""
    counts = []
    for term in book.terms:
        children = book.C_t(unit, term)
        if children:
            counts.append((sum(_visited(book, unit, c, term) for c in children), len(children)))
    if not counts:
        return Fact(None, ZERO, ZERO)
    mean = sum((Fraction(n, d) for n, d in counts), ZERO) / len(counts)
    return Fact(mean, Fraction(sum(n for n, _ in counts)), Fraction(sum(d for _, d in counts)))


def _care(book: Book, unit: int, child: Child, kind: str) -> list[CareRecord]:
    inside = book.schools_of(unit)
    return [r for r in book.of_child(CareRecord, child.id) if r.kind == kind and r.school_id in inside and book.in_period(r.on)]


def _visited(book: Book, unit: int, child: Child, term: Stretch) -> bool:
    visits = [r for r in _care(book, unit, child, "visit") if r.way == "home" and book.in_term(term, r.on)]
    return len(visits) >= book.settings["visits_a_term"]


def _months_with(book: Book, unit: int, records: dict[int, list[CareRecord]], times: int) -> Fact:
    """[5] Months of m(c) with enough records."""
    met = due = 0
    for child in book.C(unit):
        months = book.m(child, unit)
        per_month = defaultdict(int)
        for record in records[child.id]:
            per_month[record.on.year, record.on.month] += 1
        due += len(months)
        met += sum(per_month[month] >= times for month in months)
    return share(met, due)


def F7(book: Book, unit: int) -> Fact:
    """Months with a contact of parent and child."""
    return _months_with(book, unit, {c.id: _care(book, unit, c, "contact") for c in book.C(unit)}, 1)


def F8_sessions(book: Book, unit: int) -> Fact:
    """[10] T1-T3 are sessions, T4 is none; two a year."""
    held = [t for t in book.done_by(TrainingSession, unit) if t.kind in ("T1", "T2", "T3") and book.in_period(t.on)]
    asked = book.settings["trainings_a_year"]
    return Fact(min(ONE, Fraction(len(held), asked)), Fraction(len(held)), Fraction(asked))


def F8_carers(book: Book, unit: int) -> Fact:
    """[10] Distinct persons with a carer link on f, and those of them who attended T1-T4."""
    carers = {r.person for c in book.C(unit) for r in book.of_child(Carer, c.id) if r.covers(book.f)}
    sessions = {t.id for t in book.done_by(TrainingSession, unit) if t.kind in ("T1", "T2", "T3", "T4") and book.in_period(t.on)}
    came = {a.person_key for a in book.all(Attendance) if a.session_id in sessions and a.how != "absent"}
    return share(len(carers & came), len(carers))


def F9(book: Book, unit: int) -> Fact:
    """Months with a talk by class teacher or responsible person."""
    talks = {c.id: [r for r in _care(book, unit, c, "talk") if r.role in ("responsible", "class_teacher")] for c in book.C(unit)}
    return _months_with(book, unit, talks, book.settings["talks_a_month"])


def _rooms(book: Book, unit: int, kind: str) -> list[Facility]:
    """There on some day of the period up to f. (The formula only says "room absent"; a room closed in the year was not absent.)"""
    rooms = [r for r in book.done_by(Facility, unit) if r.kind == kind]
    return [r for r in rooms if (r.since or book.s) <= book.until and (r.closed_on is None or r.closed_on > book.s)]


def _openings(book: Book, unit: int, kind: str) -> list[dt.date]:
    """Days on which a room of this kind was open, one a day [10]."""
    rooms = {r.id for r in book.county.of(Facility) if r.kind == kind}  # also one that went into the trash since
    opened = [a for a in book.done_by(Activity, unit) if a.facility_id in rooms and book.in_period(a.on)]
    return sorted({a.on for a in opened})


def _week(day: dt.date) -> dt.date:
    return day - day.weekday() * DAY


def F10(book: Book, unit: int) -> Fact:
    """[10] School weeks in which the counselling room was open; no room: 0, at a kindergarten N/A."""
    if not _rooms(book, unit, "counsel"):
        return NA if stages(book, unit) == {"幼儿园"} else number(0)
    days = [book.s + n * DAY for n in range((book.until - book.s).days + 1)]
    weeks = {_week(d) for d in days if any(t.has(d) for t in book.calendar.terms)}
    return share(len(weeks & {_week(d) for d in _openings(book, unit, "counsel")}), len(weeks))


def F11(book: Book, unit: int) -> Fact:
    """[11] Flags followed up within 14 days; none at all: full."""
    days = book.settings["follow_up_days"] * DAY
    followed = raised = 0
    for flag in book.done_by(Flag, unit):
        if flag.level not in ("watch", "focus") or not book.in_period(flag.on):
            continue
        first = flag.followed_on if flag.followed_on and flag.followed_on <= book.f else None
        if first is None and not book.is_over(flag.on + days):
            continue
        raised += 1
        followed += first is not None and first <= flag.on + days
    return share(followed, raised) if raised else Fact(ONE, ZERO, ZERO)


def F12(book: Book, unit: int) -> Fact:
    """[11] Three kinds of drill in each term at each data unit with pupils."""
    stays = [r for r in book.all(Enrolment) if r.start <= book.until and (r.end is None or r.end > book.s)]
    attended = {r.school_id for r in stays} | {i for i, school in book.schools.items() if school.pupils}
    units = {i for i in book.schools_of(unit) if i == unit or i in attended}
    done = {
        (a.school_id, a.kind, t.id)
        for a in book.done_by(Activity, unit)
        for t in book.terms
        if a.kind in ("D1", "D2", "D3") and a.school_id in units and book.in_term(t, a.on)
    }
    return share(len(done), 3 * len(book.terms) * len(units))


def F13(book: Book, unit: int) -> Fact:
    """[11] Holiday handovers: back, or done while the holiday is not over at f; of whom it is asked: decision 0011."""
    inside, good, all_ = book.schools_of(unit), 0, 0
    for holiday in book.calendar.holidays:
        if holiday.kind not in ("winter", "summer") or not book.in_period(holiday.start):
            continue
        day = holiday.start - DAY
        while not any(t.has(day) for t in book.calendar.terms):
            day -= DAY
        if day < book.s:
            continue
        for child in (c for c in book.children.values() if day in book.enrolled_days(c, unit)):
            own = [h for h in book.of_child(Handover, child.id) if h.holiday_id == holiday.id and h.school_id in inside]
            back = any(h.back_on and h.back_on <= book.f for h in own)
            done = any(h.done_on and h.done_on <= book.f for h in own)
            all_ += 1
            good += back or (done and book.f <= holiday.last_day)
    return share(good, all_)


def F14(book: Book, unit: int) -> Fact:
    """[12] A current pair that has lasted 60 days, both ends counted."""
    inside, children = book.schools_of(unit), book.C(unit)

    def paired(child: Child) -> bool:
        own = [p for p in book.of_child(Pairing, child.id) if p.school_id in inside and p.covers(book.f)]
        return any((book.f - p.start).days + 1 >= book.settings["pair_days"] for p in own)

    return share(sum(map(paired, children)), len(children))


def _per_term(book: Book, unit: int, met: Any) -> Fact:
    counts = [[met(child, term) for child in book.C_t(unit, term)] for term in book.terms]
    return share(sum(map(sum, counts)), sum(map(len, counts)))


def F15(book: Book, unit: int) -> Fact:
    """[12] A letter in each term, by its term column."""
    inside = book.schools_of(unit)

    def wrote(child: Child, term: Stretch) -> bool:
        own = [r for r in book.of_child(Letter, child.id) if r.school_id in inside]
        return any(r.term_id == term.id and book.in_term(term, r.on) for r in own)

    return _per_term(book, unit, wrote)


FIVE = ("conduct", "study", "health", "arts", "practice")


def F16(book: Book, unit: int) -> Fact:
    """[12] Five sides by two kinds of rater, united over the term."""
    inside = book.schools_of(unit)

    def judged(child: Child, term: Stretch) -> bool:
        own = [
            r for r in book.of_child(Evaluation, child.id)
            if r.term_id == term.id and r.school_id in inside and book.in_term(term, r.on)
        ]  # fmt: skip
        sides = {side for r in own for side in FIVE if getattr(r, side)}
        return len(sides) == 5 and len({r.rater for r in own}) >= 2

    return _per_term(book, unit, judged)


def F17(book: Book, unit: int) -> Fact:
    """[14] Eligible and aided on f; Z01 and Z04 are not aid. [5] The unit's own grants."""
    inside = book.schools_of(unit)
    helped = {"H01", "H02", "H03", "K01", "K03", "K05"}

    def eligible(child: Child) -> bool:
        kinds = {r.kind for r in book.of_child(Category, child.id) if r.covers(book.f)}
        disabled = bool(child.disability) or child.health == "50"
        return child.boarding or disabled or bool(kinds & helped)

    def aided(child: Child) -> bool:
        grants = [r for r in book.of_child(Subsidy, child.id) if r.kind not in ("Z01", "Z04") and r.school_id in inside]
        return any(r.covers(book.f) for r in grants)

    children = [c for c in book.C(unit) if eligible(c)]
    return share(sum(map(aided, children)), len(children))


def F18(book: Book, unit: int) -> Fact:
    """[14] All boarders of the unit ÷ its life counsellors. Infinite (a big number) without a counsellor."""
    inside = book.schools_of(unit)
    boarders = [
        c for c in book.children.values()
        if c.boarding and any(r.school_id in inside and r.covers(book.f) for r in book.of_child(Enrolment, c.id))
    ]  # fmt: skip
    if not boarders:
        return NA
    counsellors = [p for p in book.done_by(Post, unit) if p.body == "life" and p.covers(book.f)]
    return number(Fraction(len(boarders), len(counsellors)) if counsellors else 10**9)


def F19(book: Book, unit: int) -> Fact:
    """Openings of the home: 36 in term, 10 in holidays; no home: 0, at a senior school N/A [15]."""
    if not _rooms(book, unit, "home"):
        return NA if stages(book, unit) == {"高中"} else number(0)
    days = _openings(book, unit, "home")
    term = [d for d in days if any(t.has(d) for t in book.calendar.terms)]
    holiday = [d for d in days if d not in term]
    return number(Fraction(6, 10) * min(ONE, Fraction(len(term), 36)) + Fraction(4, 10) * min(ONE, Fraction(len(holiday), 10)))


def F20(book: Book, unit: int) -> Fact:
    """[14], [18]: the office's sample binds whenever it was entered; one below min(10, #C) is refused."""
    rows = [r for r in _inspections(book, unit) if r.fields_checked]
    if not rows or sum(r.children for r in rows) < min(10, len(book.C(unit))):
        return NA
    checked, wrong = sum(r.fields_checked for r in rows), sum(r.fields_wrong for r in rows)
    return share(checked - wrong, checked)


def _inspections(book: Book, unit: int) -> list[Inspection]:
    inside = book.schools_of(unit)
    return [r for r in book.county.of(Inspection) if r.deleted_at is None and r.school_id in inside]


def F21(book: Book, unit: int) -> Fact:
    rows = _inspections(book, unit)
    return share(sum(r.satisfied for r in rows), sum(r.answers for r in rows))


# --- the counts


def groups_exist(book: Book, unit: int) -> Fact:
    """[6] Both groups exist on f."""
    bodies = {p.body for p in book.done_by(Post, unit) if p.covers(book.f)}
    return number(int({"leading", "working"} <= bodies))


def groups_renewed(book: Book, unit: int) -> Fact:
    """[6] Each member who left was replaced within 30 days; 0 when a group is missing."""
    if not groups_exist(book, unit).value:
        return number(0)
    grace = book.settings["replacement_days"]
    for body in ("leading", "working"):
        posts = [p for p in book.done_by(Post, unit) if p.body == body]
        founded = min(p.start for p in posts)  # a founding member replaces nobody; who came before the other left may
        came = sorted((p.start, p.id) for p in posts if founded < p.start <= book.f)
        for end, own in sorted((p.end, p.id) for p in posts if p.end and book.in_period(p.end)):
            fit = next((c for c in came if c[1] != own and abs((c[0] - end).days) <= grace), None)
            if fit is not None:
                came.remove(fit)
            elif book.is_over(end + grace * DAY):
                return number(0)
    return number(1)


def _handed_in(book: Book, unit: int, *kinds: str) -> list[Paper]:
    """[6] A paper counts when filed, or submitted before f and not answered."""
    return [
        p for p in book.done_by(Paper, unit)
        if p.kind in kinds and p.state in ("submitted", "filed") and (p.submitted_on is None or p.submitted_on <= book.f)
    ]  # fmt: skip


def plans_filed(book: Book, unit: int) -> Fact:
    """A1.2: the yearly plan and one plan for each term."""
    yearly = any(book.in_period(p.on) for p in _handed_in(book, unit, "programme"))
    terms = {p.term_id for p in _handed_in(book, unit, "plan")}
    return number(int(yearly) + sum(t.id in terms for t in book.terms))


def meetings(book: Book, unit: int) -> Fact:
    """A1.3, [6]: at most two meetings a term."""
    held = [a for a in book.done_by(Activity, unit) if a.kind == "M01"]
    return number(sum(min(2, sum(book.in_term(t, a.on) for a in held)) for t in book.terms))


def summaries(book: Book, unit: int) -> Fact:
    """A1.3: two summaries."""
    mine = {t.id for t in book.terms}
    terms = {p.term_id for p in _handed_in(book, unit, "term_summary")} & mine
    yearly = any(book.in_period(p.on) for p in _handed_in(book, unit, "year_summary"))
    return number(len(terms) + int(yearly))


def census_late(book: Book, unit: int) -> Fact:
    """A2.1, [7]: half points lost: 1 when up to 7 calendar days late, 3 when later. The centre hands in for its sites."""
    due = [c for c in book.calendar.censuses if c.term_id in {t.id for t in book.terms}]
    lost = 0
    for census in due:
        days = [r.on for r in book.all(CensusReturn) if r.school_id == unit and r.census_id == census.id and r.on <= book.f]
        if not days:  # nothing handed in earns nothing, once the last day is over
            lost += 3 * book.is_over(census.last_day)
            continue
        late = (min(days) - census.last_day).days
        lost += 0 if late <= 0 else 1 if late <= 7 else 3
    return number(lost) if due else NA


def _held(book: Book, unit: int, *kinds: str) -> list[Activity]:
    return [a for a in book.done_by(Activity, unit) if a.kind in kinds and book.in_period(a.on)]


def safety_lessons(book: Book, unit: int) -> Fact:
    return number(len(_held(book, unit, "A05", "A06")))


def law_days(book: Book, unit: int) -> Fact:
    return number(len(_held(book, unit, "A23")))


def gratitude_terms(book: Book, unit: int) -> Fact:
    """A6.2: terms with a gratitude lesson."""
    return number(sum(any(book.in_term(t, a.on) for a in _held(book, unit, "A15")) for t in book.terms))


def reading_months(book: Book, unit: int) -> Fact:
    """[12] At most one A17 a calendar month."""
    return number(len({(a.on.year, a.on.month) for a in _held(book, unit, "A17")}))


def festivals(book: Book, unit: int) -> Fact:
    return number(len(_held(book, unit, "A10")))


def practice(book: Book, unit: int) -> Fact:
    return number(len(_held(book, unit, "A11")))


def class_meetings(book: Book, unit: int) -> Fact:
    """[12] A07 + A08."""
    return number(len(_held(book, unit, "A07", "A08")))


def dropouts_unreturned(book: Book, unit: int) -> Fact:
    """[13] Back after day 30, or not at all; a case whose 30 days are not over at f costs nothing yet."""
    days = book.settings["dropout_days"] * DAY
    failed = 0
    for case in _dropouts(book, unit):
        back = case.returned_on if case.returned_on and case.returned_on <= book.f else None
        failed += back > case.found_on + days if back else book.is_over(case.found_on + days)
    return number(failed)


def _dropouts(book: Book, unit: int) -> list[DropoutCase]:
    """[13], [15]: found in the period, grades 1-9."""
    return [c for c in book.done_by(DropoutCase, unit) if book.in_period(c.found_on) and c.grade[0] in "PM"]


def dropouts_late(book: Book, unit: int) -> Fact:
    """[13] Entered more than 3 working days after it was found."""
    days = book.settings["dropout_report_days"]
    cases = _dropouts(book, unit)
    return number(sum(c.created_at.astimezone(COUNTY_TIME).date() > book.workday_after(c.found_on, days) for c in cases))


def palace_openings(book: Book, unit: int) -> Fact:
    """A8.2: N/A without a palace."""
    return number(len(_openings(book, unit, "palace"))) if _rooms(book, unit, "palace") else NA


def agencies(book: Book, unit: int) -> Fact:
    """A8.3: different agencies."""
    return number(len({g for a in book.done_by(Activity, unit) if book.in_period(a.on) for g in a.agencies}))


def publicity(book: Book, unit: int) -> Fact:
    return number(len(_held(book, unit, "P01", "P02", "P03")))


def opinion_failures(book: Book, unit: int) -> Fact:
    """[13] Reported more than 24 hours after it was found, or hidden; an event costs 1 once."""
    failed, limit = 0, dt.timedelta(hours=book.settings["opinion_hours"])
    inside = book.schools_of(unit)
    for row in book.county.of(Opinion):
        known = book.known(row) or (row.hidden and row.deleted_at is None)  # [18] what the office finds hidden, binds
        if row.school_id not in inside or not known or not book.in_period(row.found_at.astimezone(COUNTY_TIME).date()):
            continue
        if row.reported_at and row.reported_at < book.closing:
            late = row.reported_at > row.found_at + limit
        else:
            late = row.found_at + limit < book.closing
        failed += row.hidden or late
    return number(failed)


def stages(book: Book, unit: int) -> set[str]:
    """[15] Applicability follows the grades taught."""
    taught = {
        "kindergarten": {"幼儿园"},
        "nine_year": {"小学", "初中"},
        "special": {"小学", "初中"},
        "junior": {"初中"},
        "complete": {"初中", "高中"},
        "senior": {"高中"},
        "vocational": {"高中"},
    }
    return set().union(*(taught.get(book.schools[i].kind, {"小学"}) for i in book.schools_of(unit)))


def boards(book: Book, unit: int) -> bool:
    return any(book.schools[i].boarding for i in book.schools_of(unit))


FACTS = {
    "F1": F1, "F2": F2, "F3": F3, "F4": F4, "F5": F5, "F6": F6, "F7": F7, "F8.sessions": F8_sessions, "F8.carers": F8_carers,
    "F9": F9, "F10": F10, "F11": F11, "F12": F12, "F13": F13, "F14": F14, "F15": F15, "F16": F16, "F17": F17, "F18": F18,
    "F19": F19, "F20": F20, "F21": F21, "groups_exist": groups_exist, "groups_renewed": groups_renewed,
    "plans_filed": plans_filed, "meetings": meetings, "summaries": summaries, "census_late": census_late,
    "safety_lessons": safety_lessons, "law_days": law_days, "gratitude_terms": gratitude_terms,
    "reading_months": reading_months, "festivals": festivals, "practice": practice, "class_meetings": class_meetings,
    "dropouts_unreturned": dropouts_unreturned, "dropouts_late": dropouts_late, "palace_openings": palace_openings,
    "agencies": agencies, "publicity": publicity, "opinion_failures": opinion_failures,
}  # fmt: skip


# --- the 35 items


@dataclass(frozen=True)
class Mark:
    """``maximum`` 0: not applicable. ``score`` None: waits to be judged."""

    maximum: Fraction
    score: Decimal | None = None


def _part(points: str | Fraction | int, value: Fraction | None) -> tuple[Fraction, Fraction]:
    """(points that apply, points earned): a value cut to 0..1; None leaves the maximum [16]."""
    worth = Fraction(points)
    return (ZERO, ZERO) if value is None else (worth, worth * min(ONE, max(ZERO, value)))


def _count(points: str, per: str, times: Fraction | None) -> tuple[Fraction, Fraction]:
    return (ZERO, ZERO) if times is None else (Fraction(points), min(Fraction(points), Fraction(per) * times))


JUDGED_PARTS = {"A1.4": "3", "A4.2": "1.5", "A6.4": "0.5", "A7.3": "1", "A7.4": "2", "A8.1": "1"}
"""The points a person gives. A1.4, A7.4 wholly; A10.2 is asked by questionnaire (F21)."""


POINTS = dict(
    zip(
        "A1.1 A1.2 A1.3 A1.4 A2.1 A2.2 A2.3 A2.4 A2.5 A3.1 A3.2 A3.3 A3.4 A4.1 A4.2 A4.3 A5.1 A5.2 A5.3 A6.1 A6.2 A6.3 A6.4 A6.5"
        " A7.1 A7.2 A7.3 A7.4 A8.1 A8.2 A8.3 A9.1 A9.2 A10.1 A10.2".split(),
        (2, 3, 2, 3, 3, 5, 4, 3, 3, 4, 3, 2, 3, 5, 3, 2, 4, 3, 5, 2, 3, 2, 3, 2, 4, 2, 2, 2, 3, 2, 3, 2, 2, 2, 2),
        strict=True,
    )
)


def items(book: Book, unit: int, facts: dict[str, Fact], judged: dict[str, Decimal]) -> dict[str, Mark]:
    """Each item by its line, its applicability by [15], [16]."""
    v = {code: fact.value for code, fact in facts.items()}
    taught, boarding = stages(book, unit), boards(book, unit)
    schooling = bool(taught & {"小学", "初中"})
    yes = {name: Fraction(int((v[name] or 0) >= least)) for name, least in
           (("law_days", 1), ("festivals", 1), ("practice", 1), ("class_meetings", 8))}  # fmt: skip
    hand = {code: _part(points, _hand_rate(points, judged.get(code))) for code, points in JUDGED_PARTS.items()}
    room, home = v["F10"] is not None, v["F19"] is not None
    ratio = v["F18"]
    ladder = (
        None
        if ratio is None
        else next((Fraction(p) for limit, p in ((50, "1"), (80, "0.7"), (120, "0.4")) if ratio <= limit), ZERO)
    )
    half = _part("1.5", v["F8.sessions"])
    carers = _part("1.5", None if v["F8.carers"] is None else v["F8.carers"] / Fraction(8, 10))
    parts: dict[str, list[tuple[Fraction, Fraction]]] = {
        "A1.1": [_part(1, v["groups_exist"]), _part(1, v["groups_renewed"])],
        "A1.2": [_count("3", "1", v["plans_filed"])],
        "A1.3": [_count("1", "0.25", v["meetings"]), _count("1", "0.5", v["summaries"])],
        "A1.4": [hand["A1.4"]],
        "A2.1": [] if v["census_late"] is None else [(Fraction(3), max(ZERO, 3 - Fraction(1, 2) * v["census_late"]))],
        "A2.2": [_part(5, v["F1"])],
        "A2.3": [_part(4, v["F2"])],
        "A2.4": [_part(3, v["F3"])],
        "A2.5": [_part(3, v["F4"])],
        "A3.1": [_part(4, v["F5"])],
        "A3.2": [_part(3, v["F6"])],
        "A3.3": [_part(2, v["F7"])],
        "A3.4": [half, carers] if v["F8.carers"] is not None else [_part(3, v["F8.sessions"])],
        "A4.1": [_part(5, v["F9"])],
        "A4.2": [hand["A4.2"], _part("1.5", v["F10"])] if room else [],
        "A4.3": [_part(2, v["F11"])],
        "A5.1": [_part(4, v["F12"])],
        "A5.2": [_count("2", "0.5", v["safety_lessons"]), _part(1, yes["law_days"])],
        "A5.3": [_part(5, v["F13"])],
        "A6.1": [_part(2, v["F14"])],
        "A6.2": [_count("1", "0.5", v["gratitude_terms"]), _part(2, v["F15"])],
        "A6.3": [_count("2", "0.25", v["reading_months"])],
        "A6.4": [_part(1, yes["festivals"]), _part(1, yes["practice"]), _part("0.5", yes["class_meetings"])]
        + ([hand["A6.4"]] if boarding and taught != {"幼儿园"} else []),
        "A6.5": [_part(2, v["F16"])],
        "A7.1": [(Fraction(4), max(ZERO, 4 - v["dropouts_unreturned"] - Fraction(1, 2) * v["dropouts_late"]))] if schooling else [],
        "A7.2": [_part(2, v["F17"])],
        "A7.3": [_part(1, ladder), hand["A7.3"]] if boarding and taught != {"幼儿园"} else [],
        "A7.4": [hand["A7.4"]],
        "A8.1": [hand["A8.1"], _part(2, v["F19"])] if home else [],
        "A8.2": [_count("2", "0.1", v["palace_openings"])] if schooling else [],
        "A8.3": [_count("3", "1", v["agencies"])],
        "A9.1": [_count("2", "0.25", v["publicity"])],
        "A9.2": [(Fraction(2), max(ZERO, 2 - v["opinion_failures"]))],
        "A10.1": [_part(2, v["F20"])],
        "A10.2": [_part(2, v["F21"])],
    }  # fmt: skip
    return {code: _mark(code, own, judged, hand) for code, own in parts.items()}


def _hand_rate(points: str, judged: Decimal | None) -> Fraction:
    return ZERO if judged is None else Fraction(judged) / Fraction(points)


def _mark(code: str, parts: list[tuple[Fraction, Fraction]], judged: dict[str, Decimal], hand: dict[str, Any]) -> Mark:
    """[17] Parts are added exactly, the item rounded once; one not yet judged waits."""
    maximum = sum((worth for worth, _ in parts), ZERO)
    if not maximum:
        return Mark(ZERO)
    if code in hand and code not in judged and any(part is hand[code] for part in parts):
        return Mark(maximum)
    if code not in hand and code in judged:  # the office decided otherwise than the system
        return Mark(maximum, cents(min(maximum, max(ZERO, Fraction(judged[code])))))
    return Mark(maximum, cents(sum((earned for _, earned in parts), ZERO)))


# --- totals, grades, ranks: [16]-[20]


@dataclass
class Result:
    school: School
    facts: dict[str, Fact]
    items: dict[str, Mark]
    earned: Decimal = Decimal(0)
    applicable: Fraction = ZERO
    bonus: Decimal = Decimal(0)
    discipline: Decimal = Decimal(0)
    veto: str | None = None
    base: Decimal | None = None
    total: Decimal | None = None
    grade: str = ""
    rank: int | None = None
    fold: Decimal | None = None

    @property
    def waits(self) -> bool:
        return any(mark.maximum and mark.score is None for mark in self.items.values())


def assess(book: Book) -> dict[int, Result]:
    """Every assessed school's result."""
    results = {s.id: _result(book, s) for s in book.schools.values() if s.assessed}
    groups = defaultdict(list)
    for result in results.values():
        groups[result.school.school_group].append(result)
    for group in groups.values():
        _rank(group, book.round.quota)
    return results


def _result(book: Book, school: School) -> Result:
    facts = {code: formula(book, school.id) for code, formula in FACTS.items()}
    judged = {j.item: j.points for j in book.county.of(Judged) if j.school_id == school.id}
    result = Result(school, facts, items(book, school.id, facts, judged))
    result.earned = sum((m.score for m in result.items.values() if m.score is not None), Decimal(0))
    result.applicable = sum((m.maximum for m in result.items.values()), ZERO)
    _adjust(book, result)
    if result.applicable < Fraction(book.round.minimum):
        result.grade = "不参评"
    elif not result.waits:
        result.base = cents(Fraction(result.earned) / result.applicable * 100)
        result.total = max(Decimal(0), min(Decimal(105), result.base + result.bonus - result.discipline))
        result.fold = cents(Fraction(min(result.total, Decimal(100))) / 100 * Fraction(book.round.weight))
    return result


def _adjust(book: Book, result: Result) -> None:
    """[18] Binds whenever entered; [19] one matter, its highest level; the cap."""
    own = [a for a in book.county.of(Adjustment) if a.school_id == result.school.id and a.deleted_at is None]
    matters: dict[str, Decimal] = {}
    for row in own:
        if row.kind == "bonus":
            matters[row.matter] = max(matters.get(row.matter, Decimal(0)), row.points)
    result.bonus = min(book.round.bonus_cap, sum(matters.values(), Decimal(0)))
    result.discipline = sum((a.points for a in own if a.kind == "discipline"), Decimal(0))
    effects = {a.effect for a in own if a.kind == "veto"}
    result.veto = "fail" if "fail" in effects else "no_honour" if "no_honour" in effects else None


def _rank(group: list[Result], quota: Decimal) -> None:
    """[19]: 1, 2, 2, 4; a quota rounded down but at least one, ties at its last place all in; vetoed use no place."""
    taking_part = [r for r in group if r.total is not None]
    free = sorted((r.total for r in taking_part if not r.veto), reverse=True)
    places = max(1, int(quota * len(taking_part)))
    bar = free[min(places, len(free)) - 1] if free else None
    for result in taking_part:
        if len(taking_part) >= 4:
            result.rank = 1 + sum(other.total > result.total for other in taking_part)
        if result.veto == "fail" or result.total < 60:
            result.grade = "不合格"
        elif result.veto == "no_honour" or result.total < 80:
            result.grade = "合格"
        else:
            result.grade = "优秀" if result.total >= 90 and bar is not None and result.total >= bar else "良好"
