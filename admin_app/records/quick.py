"""快速录入: a class at a time. One talk written for many children, the facts of a whole class confirmed.

Everything is asked and saved for the class as a set; nothing here takes a statement a child.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from .. import labels, rules
from ..access import scope_in
from ..models import (
    BY_CLASS,
    Activity,
    Batch,
    BatchKind,
    CareKind,
    Carer,
    CareRecord,
    CareWay,
    Child,
    Effect,
    Enrolment,
    Grade,
    Parent,
    ParentStatus,
    Responsibility,
    School,
    Staff,
    TalkerRole,
    Term,
    TrainingSession,
)
from ..rules import Complaint
from . import bulk, completeness, enrolling, informing
from .completeness import Requirement
from .informing import Told

MOST = 300
"""Children shown at once; a larger school is entered class by class."""
KINDS = (CareKind.TALK, CareKind.CONTACT, CareKind.HOLIDAY)
USUAL_WAY = {CareKind.TALK: CareWay.FACE, CareKind.CONTACT: CareWay.PHONE, CareKind.HOLIDAY: CareWay.PHONE}
LONGEST = 1000
"""Characters of one content or measure, as the forms say."""
RECENT = 20


@dataclass(frozen=True)
class Klass:
    """One class of a school: how many children, and for how many of them it is done already."""

    grade: Grade
    name: str
    count: int
    done: int

    @property
    def key(self) -> str:
        return f"{self.grade.value}-{self.name}"


@dataclass(frozen=True)
class Pupil:
    """A child at the school now, with the stay that its records hang on."""

    stay: Enrolment
    child: Child


# --- classes and who is in them ---


def talked_since(kind: CareKind, since: dt.date) -> ColumnElement[bool]:
    recorded = exists().where(CareRecord.child_id == Child.id, CareRecord.kind == kind, CareRecord.on >= since)
    return recorded.where(CareRecord.deleted_at.is_(None))


def confirmed_since(since: dt.date) -> ColumnElement[bool]:
    return Child.facts_confirmed_at.is_not(None) & (Child.facts_confirmed_at >= since)


def classes(session: Session, school_id: int, done: ColumnElement[bool]) -> list[Klass]:
    """The classes of a school with children in them now, from the lowest grade up."""
    counted = (
        select(Child.grade, Child.class_name, func.count(Child.id), func.sum(case((done, 1), else_=0)))
        .join(Enrolment, Enrolment.child_id == Child.id)
        .where(Enrolment.school_id == school_id, Enrolment.end.is_(None))
        .group_by(Child.grade, Child.class_name, Child.class_order)
        .order_by(Child.class_order, Child.class_name)
    )
    return [Klass(grade, name, count, ready or 0) for grade, name, count, ready in session.execute(counted)]


def pupils(session: Session, school_id: int, klass: Klass | None) -> list[Pupil]:
    """Who is in a class now; without a class the whole school, as far as one page holds it."""
    query = (
        select(Enrolment, Child)
        .join(Child, Child.id == Enrolment.child_id)
        .where(Enrolment.school_id == school_id, Enrolment.end.is_(None))
        .order_by(*BY_CLASS)
    )
    if klass is not None:
        query = query.where(Child.grade == klass.grade, Child.class_name == klass.name)
    return [Pupil(stay, child) for stay, child in session.execute(query.limit(MOST))]


def latest(session: Session, model: type[Activity] | type[TrainingSession]) -> list[Any]:
    """The newest activities or trainings, to choose one from."""
    return list(session.scalars(select(model).order_by(model.on.desc(), model.id.desc()).limit(RECENT)))


def term_began(session: Session, on: dt.date) -> tuple[Term | None, dt.date]:
    """The term of a day and the day from which "this term" counts."""
    term = completeness.current_term(session, on)
    return term, term.start if term is not None else on.replace(month=1, day=1)


# --- one talk for many children ---


def last_days(session: Session, child_ids: Iterable[int], kind: CareKind) -> dict[int, dt.date]:
    """The day of each child's last record of a kind."""
    newest = select(CareRecord.child_id, func.max(CareRecord.on)).where(
        CareRecord.child_id.in_(list(child_ids)), CareRecord.kind == kind
    )
    return dict(session.execute(newest.group_by(CareRecord.child_id)).all())


def teachers(session: Session, school_id: int, on: dt.date) -> list[Staff]:
    """Who may have talked: the staff of the unit on a day."""
    unit = enrolling.unit_of(session, school_id)
    serving = select(Staff).where(Staff.school_id.in_(unit), Staff.start <= on, or_(Staff.end.is_(None), Staff.end > on))
    return list(session.scalars(serving.order_by(Staff.name_order, Staff.id)))


def usual_teacher(session: Session, offered: list[Staff]) -> tuple[Staff | None, TalkerRole]:
    """The teacher this actor wrote down last, and as what; else the teacher of the actor's own name."""
    scope = scope_in(session)
    last = None
    if scope.user_id is not None:
        own = select(CareRecord).where(CareRecord.created_by == scope.user_id, CareRecord.staff_id.is_not(None))
        last = session.scalar(own.order_by(CareRecord.id.desc()).limit(1))
    if last is not None:
        return next((s for s in offered if s.id == last.staff_id), None), last.role
    return next((s for s in offered if s.name == scope.name), None), TalkerRole.RESPONSIBLE


def read_talk(typed: Mapping[str, str], offered: list[Staff]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the children of a class share, as typed.

    :returns: the values by column, and by field what is wrong.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in ("on", "way", "role", "place", "content", "measures"):
        raw = typed.get(name, "").replace("\r\n", "\n")
        value, complaint = labels.parsed_for_form(CareRecord, name, raw)
        if complaint is None and isinstance(value, str) and len(value) > LONGEST and name in ("content", "measures"):
            complaint = f"最多 {LONGEST} 个字，现有 {len(value)} 个。"
        if complaint is None and value is None and name in ("on", "way", "role"):
            complaint = "此项必填。"
        if complaint:
            wrong[name] = complaint
        values[name] = value
    raw = typed.get("staff", "").strip()
    staff = next((s for s in offered if str(s.id) == raw), None)
    if raw and staff is None:
        wrong["staff"] = "不是有效的选项。"
    values["staff_id"] = staff.id if staff is not None else None
    return values, wrong


def read_effects(typed: Mapping[int, str]) -> dict[int, Effect | None]:
    """:raises Complaint: for an effect that is none of ours."""
    codes = {effect.value: effect for effect in Effect}
    if any(raw and raw not in codes for raw in typed.values()):
        raise Complaint("效果不是有效的选项。")
    return {stay_id: codes.get(raw) for stay_id, raw in typed.items()}


def chosen(found: list[Pupil], ticked: set[int], key: str = "stay") -> list[Pupil]:
    """The ticked ones of a class.

    :raises Complaint: when none is ticked, or one that is not in this class.
    """
    if not ticked:
        raise Complaint("请先勾选儿童。")
    known = {getattr(pupil, key).id: pupil for pupil in found}
    if ticked - known.keys():
        raise Complaint("名单中有不是有效的选项，未保存。请刷新后重新勾选。")
    return [pupil for pk, pupil in known.items() if pk in ticked]


def unfit(session: Session, children: list[Pupil], kind: CareKind, values: Mapping[str, Any]) -> dict[int, str]:
    """Enrolment id -> why this talk cannot be this child's: outside its stay, or written down already."""
    on, content = values["on"], squeezed(values["content"])
    same = select(CareRecord.enrolment_id, CareRecord.content).where(
        CareRecord.kind == kind, CareRecord.on == on, CareRecord.enrolment_id.in_([p.stay.id for p in children])
    )
    there = {(stay_id, squeezed(text)) for stay_id, text in session.execute(same)}
    found: dict[int, str] = {}
    for pupil in children:
        try:
            enrolling.check_within(pupil.stay, on)
        except Complaint as e:
            found[pupil.stay.id] = e.text
            continue
        if (pupil.stay.id, content) in there:
            found[pupil.stay.id] = f"{on} 已有内容相同的{kind}。"
    return found


def squeezed(text: str | None) -> str:
    """A text to compare: without blanks and line ends, which forms and workbooks write differently."""
    return "".join(rules.tidy(text or "").split())


def save_talks(
    session: Session,
    school: School,
    where: str,
    children: list[Pupil],
    kind: CareKind,
    values: Mapping[str, Any],
    effects: Mapping[int, Effect | None],
) -> tuple[list[CareRecord], Batch | None]:
    """One record a child, all in one transaction and, where the actor may keep batches, one batch.

    :param where: the class, for the words of the batch.
    """
    rows = [
        CareRecord(
            enrolment=pupil.stay,
            child_id=pupil.stay.child_id,
            school_id=pupil.stay.school_id,
            kind=kind,
            effect=effects.get(pupil.stay.id),
            **values,
        )
        for pupil in children
    ]
    words = f"{where} {kind} {values['on']} {len(rows)} 人"
    return rows, keep(session, BatchKind.TALKS, school.id, words, rows)


def keep(session: Session, kind: BatchKind, school_id: int, words: str, rows: list[Any]) -> Batch | None:
    """Add rows as one batch; None where the actor keeps none."""
    with bulk.recorded(session, kind, school_id, words) as batch:
        session.add_all(rows)
    return batch if batch.id else None


# --- a class confirmed ---


@dataclass(frozen=True)
class Facts:
    """What one looks at before saying "no change": carer, where the parents are, who answers, what is missing."""

    carer: Carer | None
    parents: list[tuple[Parent, ParentStatus | None]]
    responsible: str | None
    missing: list[Requirement]
    confirmed_on: dt.date | None
    confirmed: bool


def facts(session: Session, children: list[Pupil], on: dt.date) -> dict[int, Facts]:
    """The key facts of some children, by child; six statements."""
    ids = [pupil.child.id for pupil in children]
    _term, since = term_began(session, on)
    carers = {c.child_id: c for c in session.scalars(_held(Carer, ids, on).order_by(Carer.start))}
    parents: dict[int, list[Parent]] = {}
    for parent in session.scalars(select(Parent).where(Parent.child_id.in_(ids)).order_by(Parent.side)):
        parents.setdefault(parent.child_id, []).append(parent)
    where = {s.parent_id: s for s in session.scalars(_held(ParentStatus, ids, on).order_by(ParentStatus.start))}
    serving = _held(Responsibility, ids, on).options(joinedload(Responsibility.staff)).order_by(Responsibility.start)
    responsible = {r.child_id: r.staff.name for r in session.scalars(serving) if r.staff is not None}
    missing = completeness.missing(session, ids, on)
    return {
        child.id: Facts(
            carer=carers.get(child.id),
            parents=[(parent, where.get(parent.id)) for parent in parents.get(child.id, [])],
            responsible=responsible.get(child.id),
            missing=missing.get(child.id, []),
            confirmed_on=child.facts_confirmed_at,
            confirmed=child.facts_confirmed_at is not None and child.facts_confirmed_at >= since,
        )
        for child in (pupil.child for pupil in children)
    }


def _held(model: Any, child_ids: list[int], on: dt.date) -> Any:
    return select(model).where(model.child_id.in_(child_ids), model.start <= on, or_(model.end.is_(None), model.end > on))


def confirm(
    session: Session, school: School, where: str, children: list[Pupil], on: dt.date, told: Told | None = None
) -> tuple[Batch, int]:
    """The facts of these children are as they were: confirmed as of a day, undoable as one; with it what was signed.

    :returns: the batch, and for how many of them the notice was entered.
    """
    signing = [pupil.child for pupil in children if told and informing.signs(pupil.child, told)]
    words = f"{where} 信息确认 {len(children)} 人" + (f"，告知书 {len(signing)} 人" if told else "")
    with bulk.recorded(session, BatchKind.CONFIRM, school.id, words) as batch:
        for pupil in children:
            pupil.child.facts_confirmed_at = on
        for child in signing if told else ():
            told.enter(child)
    return batch, len(signing)
