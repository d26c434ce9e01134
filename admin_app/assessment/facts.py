"""The facts: one function a metric, for all schools at once. The only queries of the assessment.

Run in a session bound to SYSTEM: a secretary's scope would make ranks wrong. A record counts when its day lies in the
round, it was entered by the cut-off and not deleted by then (rulings 1-5). Sites add up to their centre school.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from ..models import (
    Activity,
    Attendance,
    CareKind,
    Carer,
    CareRecord,
    CareWay,
    Child,
    Code,
    ContactCard,
    Definition,
    Enrolment,
    Parent,
    Responsibility,
    Round,
    School,
    SignedHow,
    Staff,
    TalkerRole,
    Term,
    TrainingSession,
)
from ..records import completeness, definitions
from .scoring import Fact, Line

MIN_DAYS_IN_ROUND = 30
"""Ruling 3: a child belongs to C after this many days on the books."""
MIN_DAYS_IN_MONTH = 15
"""m(c): a month counts for a child who was there this many of its days."""
IDLE_MONTHS = (2, 8)
"""February and August carry no monthly duty."""
COUNTED_DRILLS = ("D1", "D2", "D3")
SESSION_KINDS = ("T1", "T2", "T3")
ATTENDANCE_KINDS = (*SESSION_KINDS, "T4")
SESSIONS_WANTED = 2

ZERO, ONE = Decimal(0), Decimal(1)
_WITH_TRASH = {"include_deleted": True}


class Member(NamedTuple):
    """A child in C or C_t: where it is enrolled on the day that counts."""

    child_id: int
    enrolment_id: int
    school_id: int
    unit: int


@dataclass(frozen=True)
class Window:
    """A round as the facts see it: its dates, its terms and the stretches of days each child was on the books."""

    session: Session
    start: dt.date
    last_day: dt.date
    cut_off: dt.date
    definition: Definition

    @classmethod
    def of(cls, session: Session, round_: Round) -> Window:
        return cls(session, round_.start, round_.last_day, round_.cut_off, round_.scheme.definition)

    @property
    def end(self) -> dt.date:
        """min(e, f): nothing after it counts."""
        return min(self.last_day, self.cut_off)

    @property
    def entered_by(self) -> dt.datetime:
        """The end of the cut-off day on the county's clock."""
        china = dt.timezone(dt.timedelta(hours=8))
        return dt.datetime.combine(self.cut_off + dt.timedelta(days=1), dt.time(), china)

    def entered(self, model: Any) -> ColumnElement[bool]:
        """Entered by the cut-off and not in the trash then."""
        kept = or_(model.deleted_at.is_(None), model.deleted_at >= self.entered_by)
        return (model.created_at < self.entered_by) & kept

    def within(self, column: Any) -> ColumnElement[bool]:
        return (column >= self.start) & (column <= self.end)

    @cached_property
    def terms(self) -> list[Term]:
        """Ruling 4: a term belongs to the round when its first day does."""
        return list(self.session.scalars(select(Term).where(self.within(Term.start)).order_by(Term.start)))

    @cached_property
    def unit_of(self) -> dict[int, int]:
        """Site -> the assessed school it adds to."""
        rows = self.session.execute(select(School.id, func.coalesce(School.centre_id, School.id)))
        return dict(rows.all())

    @cached_property
    def stays(self) -> dict[tuple[int, int], list[tuple[dt.date, dt.date, int, int]]]:
        """(child, unit) -> its stretches in the definition, merged: (first, stop, enrolment, school)."""
        found: dict[tuple[int, int], list[tuple[dt.date, dt.date, int, int]]] = defaultdict(list)
        for child, enrolment, school, first, stop in self.session.execute(definitions.spans(self.definition)):
            found[child, self.unit_of[school]].append((first, stop, enrolment, school))
        return {key: _merged(rows) for key, rows in found.items()}

    def days(self, key: tuple[int, int], first: dt.date, last: dt.date) -> int:
        """How many days of [first, last] a child was on the books of a unit."""
        stop = last + dt.timedelta(days=1)
        return sum(max(0, (min(b, stop) - max(a, first)).days) for a, b, _e, _s in self.stays[key])

    def members(self, on: dt.date, first: dt.date, last: dt.date) -> list[Member]:
        """In the definition on a day, and at least 30 days on the books within a stretch."""
        return [
            Member(key[0], enrolment, school, key[1])
            for key, rows in self.stays.items()
            for a, b, enrolment, school in rows
            if a <= on < b and self.days(key, first, last) >= MIN_DAYS_IN_ROUND
        ]

    @cached_property
    def children(self) -> list[Member]:
        """C: the children of the round."""
        return self.members(self.cut_off, self.start, self.end)

    def in_term(self, term: Term) -> list[Member]:
        """C_t: the children of a term; who left counts only in the terms it ended."""
        last = min(term.last_day, self.end)
        return self.members(last, max(term.start, self.start), last)

    @cached_property
    def names(self) -> dict[int, str]:
        """Child -> name and class, as they were last; from enrolments, so that who moved away has a name too."""
        rows = self.session.execute(select(Enrolment.child_id, Enrolment.child_name).order_by(Enrolment.start))
        return {child: name for child, name in rows}

    @cached_property
    def months(self) -> list[tuple[dt.date, dt.date]]:
        """The months of the round that carry a monthly duty, each cut to the round."""
        found, day = [], self.start.replace(day=1)
        while day <= self.end:
            following = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
            if day.month not in IDLE_MONTHS:
                found.append((max(day, self.start), min(following - dt.timedelta(days=1), self.end)))
            day = following
        return found


def _merged(rows: list[tuple[dt.date, dt.date, int, int]]) -> list[tuple[dt.date, dt.date, int, int]]:
    """Stretches of one child at one unit without overlaps, so that no day counts twice."""
    merged: list[tuple[dt.date, dt.date, int, int]] = []
    for first, stop, enrolment, school in sorted(rows):
        if merged and first < merged[-1][1]:
            first = merged[-1][1]
            if first >= stop:
                continue
        merged.append((first, stop, enrolment, school))
    return merged


ByUnit = dict[int, Fact]
Metric = Callable[["Window"], dict[int, Fact]]


@dataclass(frozen=True)
class Described:
    """A metric in words: what it is called, what its two numbers are, the clause of the plan it comes from."""

    title: str
    counted: str
    expected: str
    clause: str
    compute: Metric


METRICS: dict[str, Described] = {}
"""The catalogue: code -> metric. A rule that names a metric not in here is judged by hand."""


def metric(code: str, title: str, counted: str, expected: str, clause: str) -> Callable[[Metric], Metric]:
    def register(compute: Metric) -> Metric:
        METRICS[code] = Described(title, counted, expected, clause, compute)
        return compute

    return register


def compute(window: Window, units: Iterable[int], wanted: Iterable[str] | None = None) -> dict[int, dict[str, Fact]]:
    """Every metric for every unit: {unit: {metric: fact}}. The number of statements does not depend on the units."""
    found: dict[int, dict[str, Fact]] = {unit: {} for unit in units}
    for code in wanted if wanted is not None else METRICS:
        by_unit = METRICS[code].compute(window)
        for unit, facts in found.items():
            facts[code] = by_unit.get(unit, Fact(None))
    return found


def _grouped(lines: Iterable[tuple[int, Line]]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = defaultdict(list)
    for unit, line in lines:
        found[unit].append(line)
    return found


def _share(lines: list[Line]) -> Fact:
    """Numerator over denominator; None when nothing is expected."""
    numerator = sum((line.counted for line in lines), ZERO)
    denominator = sum((line.expected for line in lines), ZERO)
    return Fact(numerator / denominator if denominator else None, numerator, denominator, _in_order(lines))


def _mean_over_parts(lines: list[Line]) -> Fact:
    """The mean of the shares of the parts (terms) in which something is expected (ruling 10)."""
    shares = [fact.value for fact in (_share(part) for part in _parts(lines)) if fact.value is not None]
    whole = _share(lines)
    return Fact(sum(shares, ZERO) / len(shares) if shares else None, whole.numerator, whole.denominator, whole.lines)


def _parts(lines: list[Line]) -> Iterator[list[Line]]:
    by_part: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_part[line.part].append(line)
    yield from by_part.values()


def _in_order(lines: list[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: (line.part, line.name, line.key)))


def _of_children(window: Window, met: Callable[[Member], tuple[bool, str]]) -> ByUnit:
    """A share of C: one line a child."""
    lines = []
    for member in window.children:
        holds, note = met(member)
        counted = ONE if holds else ZERO
        name = window.names[member.child_id]
        lines.append((member.unit, Line(str(member.child_id), name, counted, ONE, note, "", member.child_id)))
    return {unit: _share(of_unit) for unit, of_unit in _grouped(lines).items()}


# --- the metrics ---


@metric("F1", "建档率", "档案完整的儿童", "口径内儿童", "三(三) 一人一档")
def complete_dossiers(window: Window) -> ByUnit:
    """Share of C whose dossier holds every required field and a note of each state in the current term."""
    term = completeness.current_term(window.session, window.cut_off)
    asked = completeness.statement(window.cut_off, term, window.entered)
    rows = window.session.execute(asked.where(Child.deleted_at.is_(None)), execution_options=_WITH_TRASH)
    lacking = {row[0]: completeness.missing_in(row) for row in rows}

    def met(member: Member) -> tuple[bool, str]:
        missing = lacking.get(member.child_id, [])
        return not missing, "缺：" + "、".join(r.label for r in missing) if missing else ""

    return _of_children(window, met)


@metric("F2", "一卡一责任人落实率", "有有效联系卡和一名责任人的儿童", "口径内儿童", "三(三) 一卡一责任人")
def cards_and_responsibles(window: Window) -> ByUnit:
    """A card of the present unit not older than the last change of a phone on it, and exactly one responsible person."""
    session, on = window.session, window.cut_off
    cards: dict[tuple[int, int], dt.date] = {}
    issued = select(ContactCard.child_id, ContactCard.issued_by_id, func.max(ContactCard.issued_on)).where(
        ContactCard.issued_on <= on, window.entered(ContactCard)
    )
    issued = issued.group_by(ContactCard.child_id, ContactCard.issued_by_id)
    for child, school, day in session.execute(issued, execution_options=_WITH_TRASH):
        key = (child, window.unit_of[school])
        cards[key] = max(day, cards.get(key, day))
    changed: dict[int, dt.date] = {}
    for statement in (
        select(Parent.child_id, func.max(Parent.phone_changed_on)).group_by(Parent.child_id),
        select(Carer.child_id, func.max(Carer.phone_changed_on)).where(_holds(Carer, on)).group_by(Carer.child_id),
    ):
        for child, day in session.execute(statement):
            if day is not None:
                changed[child] = max(day, changed.get(child, day))
    answerable: dict[int, list[bool]] = defaultdict(list)
    serving = (
        select(Responsibility.child_id, Staff.start, Staff.end, Staff.phone_changed_on)
        .join(Staff, Staff.id == Responsibility.staff_id)
        .where(_holds(Responsibility, on))
    )
    for child, hired, left, phone_day in session.execute(serving):
        answerable[child].append(hired <= on and (left is None or left > on))
        if phone_day is not None:
            changed[child] = max(phone_day, changed.get(child, phone_day))

    def met(member: Member) -> tuple[bool, str]:
        notes = []
        day = cards.get((member.child_id, member.unit))
        if day is None:
            notes.append("未发联系卡")
        elif (last := changed.get(member.child_id)) is not None and day < last <= on:
            notes.append(f"电话 {last} 变更后未换卡")
        held = answerable.get(member.child_id, [])
        if not held:
            notes.append("无包保责任人")
        elif len(held) > 1:
            notes.append(f"有 {len(held)} 名包保责任人")
        elif not held[0]:
            notes.append("责任人已离任")
        return not notes, "；".join(notes)

    return _of_children(window, met)


@metric("F6", "家访覆盖率", "学期内有入户家访的儿童", "学期内口径内儿童", "三(三) 家访；每学期一次")
def home_visits(window: Window) -> ByUnit:
    """Mean over the terms of the share of C_t with a visit at home in the term."""
    visits: dict[tuple[int, int], list[dt.date]] = defaultdict(list)
    at_home = select(CareRecord.child_id, CareRecord.school_id, CareRecord.on).where(
        CareRecord.kind == CareKind.VISIT, CareRecord.way == CareWay.HOME, window.within(CareRecord.on), window.entered(CareRecord)
    )
    for child, school, on in window.session.execute(at_home, execution_options=_WITH_TRASH):
        visits[child, window.unit_of[school]].append(on)
    lines = []
    for term in window.terms:
        for m in window.in_term(term):
            seen = sum(term.start <= on <= term.last_day for on in visits.get((m.child_id, m.unit), ()))
            counted = ONE if seen else ZERO
            note = "" if seen else f"{term.name}未入户家访"
            line = Line(f"{m.child_id}/{term.code}", window.names[m.child_id], counted, ONE, note, term.name, m.child_id)
            lines.append((m.unit, line))
    return {unit: _mean_over_parts(of_unit) for unit, of_unit in _grouped(lines).items()}


@metric("F8.sessions", "监护人培训场次", "已办场次", f"应办 {SESSIONS_WANTED} 场", "三(五) 定期组织知识讲座，培训监护人")
def trainings_held(window: Window) -> ByUnit:
    """Sessions of kinds T1-T3 over the two wanted."""
    held = (
        select(TrainingSession.school_id, TrainingSession.title, TrainingSession.on, TrainingSession.id)
        .join(Code, Code.id == TrainingSession.kind_id)
        .where(Code.code.in_(SESSION_KINDS), window.within(TrainingSession.on), window.entered(TrainingSession))
        .order_by(TrainingSession.on)
    )
    by_unit: dict[int, list[Line]] = {unit: [] for unit in set(window.unit_of.values())}
    for school, title, on, key in window.session.execute(held, execution_options=_WITH_TRASH):
        by_unit[window.unit_of[school]].append(Line(str(key), title, ONE, ONE, f"{on}"))
    facts = {}
    for unit, lines in by_unit.items():
        short = [Line(f"-{n}", "还应办一场", ZERO, ONE) for n in range(SESSIONS_WANTED - len(lines))]
        done = Decimal(len(lines))
        facts[unit] = Fact(min(ONE, done / SESSIONS_WANTED), done, Decimal(SESSIONS_WANTED), (*lines, *short))
    return facts


@metric("F8.carers", "监护人参训覆盖率", "参训或送教上门的照护人", "口径内儿童的照护人", "三(五) 培训监护人")
def carers_reached(window: Window) -> ByUnit:
    """Distinct carers of C with an attendance of T1-T4, over all of them. The rule asks for four in five."""
    on = window.cut_off
    unit_of_child = {m.child_id: m.unit for m in window.children}
    carers: dict[tuple[int, str], list[tuple[str, int]]] = defaultdict(list)
    for child, key, name in window.session.execute(select(Carer.child_id, Carer.person_key, Carer.name).where(_holds(Carer, on))):
        if child in unit_of_child:
            carers[unit_of_child[child], key].append((name, child))
    attended = (
        select(TrainingSession.school_id, Attendance.person_key)
        .join(Attendance, Attendance.session_id == TrainingSession.id)
        .join(Code, Code.id == TrainingSession.kind_id)
        .where(
            Code.code.in_(ATTENDANCE_KINDS),
            Attendance.how != SignedHow.ABSENT,
            window.within(TrainingSession.on),
            window.entered(TrainingSession),
            window.entered(Attendance),
        )
        .distinct()
    )
    reached = {(window.unit_of[s], key) for s, key in window.session.execute(attended, execution_options=_WITH_TRASH)}
    lines = []
    for (unit, key), rows in carers.items():
        name, child = rows[0]
        of = "、".join(window.names[c] for _name, c in rows)
        counted = ONE if (unit, key) in reached else ZERO
        lines.append((unit, Line(key, name, counted, ONE, f"{of}的照护人", "", child)))
    return {unit: _share(of_unit) for unit, of_unit in _grouped(lines).items()}


@metric("F9", "谈心落实率", "已谈人月", "应谈人月", "三(二) 班主任与包保责任人经常与留守儿童谈心；按月一次")
def monthly_talks(window: Window) -> ByUnit:
    """Months with a talk by the class teacher or responsible person, over the months each child was there 15 days."""
    talks: dict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
    held = select(CareRecord.child_id, CareRecord.school_id, CareRecord.on).where(
        CareRecord.kind == CareKind.TALK,
        CareRecord.role.in_((TalkerRole.RESPONSIBLE, TalkerRole.CLASS_TEACHER)),
        window.within(CareRecord.on),
        window.entered(CareRecord),
    )
    for child, school, on in window.session.execute(held, execution_options=_WITH_TRASH):
        talks[child, window.unit_of[school]].add((on.year, on.month))
    present = {(m.child_id, m.unit) for m in window.children}
    lines = []
    for key in present:
        child, unit = key
        due = [(a.year, a.month) for a, b in window.months if window.days(key, a, b) >= MIN_DAYS_IN_MONTH]
        done = [month for month in due if month in talks.get(key, ())]
        short = [f"{y}-{m:02}" for y, m in due if (y, m) not in talks.get(key, ())]
        note = "缺：" + "、".join(short) if short else ""
        lines.append((unit, Line(str(child), window.names[child], Decimal(len(done)), Decimal(len(due)), note, "", child)))
    return {unit: _share(of_unit) for unit, of_unit in _grouped(lines).items()}


@metric("F12", "防火、防震、防侵害演练", "已演练（类别 × 学期 × 办学点）", "应演练", "三(二) 防火、防震、防侵害等安全演练")
def drills(window: Window) -> ByUnit:
    """The three drills of the plan, each term, at each site with pupils (ruling 11). Never without a denominator."""
    done: Counter[tuple[int, str, str]] = Counter()
    held = (
        select(Activity.school_id, Code.code, Activity.on)
        .join(Code, Code.id == Activity.kind_id)
        .where(Code.code.in_(COUNTED_DRILLS), window.within(Activity.on), window.entered(Activity))
    )
    for school, kind, on in window.session.execute(held, execution_options=_WITH_TRASH):
        for term in window.terms:
            if term.start <= on <= term.last_day:
                done[school, kind, term.code] += 1
    words = dict(window.session.execute(select(Code.code, Code.name).where(Code.code.in_(COUNTED_DRILLS))).all())
    attended = set(
        window.session.scalars(
            select(Enrolment.school_id)
            .where(Enrolment.start <= window.end, or_(Enrolment.end.is_(None), Enrolment.end > window.start))
            .distinct()
        )
    )
    lines = []
    for school, name, pupils in window.session.execute(select(School.id, School.name, School.pupils)):
        unit = window.unit_of[school]
        if school != unit and not pupils and school not in attended:
            continue
        for term in window.terms:
            for kind in COUNTED_DRILLS:
                n = done[school, kind, term.code]
                note = "" if n else f"{name} {term.name}未演练"
                line = Line(
                    f"{school}/{kind}/{term.code}", f"{words.get(kind, kind)} · {name}", Decimal(min(n, 1)), ONE, note, term.name
                )
                lines.append((unit, line))
    return {unit: _share(of_unit) for unit, of_unit in _grouped(lines).items()}


def _holds(model: Any, on: dt.date) -> ColumnElement[bool]:
    return (model.start <= on) & or_(model.end.is_(None), model.end > on)


__all__ = ["METRICS", "Child", "Window", "compute"]
