"""Rooms, beds and evenings: who wants a bed and how many there are, when a room was open, what boarders do at night."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from ..access import scope_in
from ..models import (
    BY_TOWNSHIP,
    Activity,
    Body,
    Child,
    Code,
    CodeKind,
    Definition,
    Enrolment,
    EveningKind,
    EveningSlot,
    Facility,
    FacilityKind,
    Grade,
    Post,
    School,
    Term,
    Weekday,
)
from ..rules import Complaint
from .definitions import left_behind

UPPER = tuple(grade for grade in Grade if grade.value in ("P4", "P5", "P6", "M1", "M2", "M3"))
"""小学高年级和初中 (the plan, 三 住校需求), read as grades 4 to 9."""
CODE_OF = {EveningKind.STUDY: "A13", EveningKind.LEISURE: "A14"}
MOST = 2000
"""More children than this are a typing error."""


@dataclass(frozen=True)
class Boarding:
    """One school's boarders, wishes, beds and life counsellors; ``upper``: of the wishes, left-behind children of grades 4 to 9."""

    school: School
    boarders: int
    wanting: int
    upper: int
    beds: int
    counsellors: int

    @property
    def short(self) -> int:
        """Beds lacking for those who board and those who want to."""
        return max(0, self.boarders + self.wanting - self.beds)

    @property
    def ratio(self) -> str:
        if not self.boarders:
            return ""
        return f"{self.boarders / self.counsellors:.0f} : 1" if self.counsellors else "—"


def demand(session: Session, on: dt.date) -> list[Boarding]:
    """Demand against beds for every school that has boarders, wishes or beds (the plan, 三(五) 住校需求), in six statements."""
    enrolled = Child.id.in_(select(Enrolment.child_id).where(Enrolment.end.is_(None)))
    children = _per(Child.school_id, Child.id).where(enrolled)
    wish = children.where(Child.boarding_wanted, Child.boarding.is_(False))
    boarders = dict(session.execute(children.where(Child.boarding)).all())
    wanting = dict(session.execute(wish).all())
    upper = dict(session.execute(wish.where(Child.grade.in_(UPPER), Child.id.in_(left_behind(Definition.GF13, on)))).all())
    in_use = or_(Facility.closed_on.is_(None), Facility.closed_on > on)
    dorms = select(Facility.school_id, func.sum(Facility.beds)).where(Facility.kind == FacilityKind.DORM, in_use)
    beds = dict(session.execute(dorms.group_by(Facility.school_id)).all())
    serving = _per(Post.school_id, Post.id).where(Post.body == Body.LIFE, Post.start <= on, or_(Post.end.is_(None), Post.end > on))
    counsellors = dict(session.execute(serving).all())
    schools = session.scalars(select(School).where(School.id.in_({*boarders, *wanting, *beds})).order_by(*BY_TOWNSHIP))
    return [
        Boarding(s, boarders.get(s.id, 0), wanting.get(s.id, 0), upper.get(s.id, 0), beds.get(s.id) or 0, counsellors.get(s.id, 0))
        for s in schools
    ]


def _per(school: Any, row: Any) -> Any:
    return select(school, func.count(row)).group_by(school)


def openings(session: Session, facility_id: int) -> list[Activity]:
    """The opening log of a room, newest first."""
    log = select(Activity).join(Code, Code.id == Activity.kind_id)
    log = log.where(Activity.facility_id == facility_id, Code.kind == CodeKind.OPENING).order_by(Activity.on.desc()).limit(200)
    return list(session.scalars(log))


def nights(session: Session, slot_id: int) -> list[Activity]:
    """The evenings held in a slot, newest first."""
    return list(session.scalars(select(Activity).where(Activity.slot_id == slot_id).order_by(Activity.on.desc()).limit(200)))


def evening(session: Session, on: dt.date) -> list[tuple[EveningSlot, Activity | None]]:
    """The actor's own slots of one evening, each with what was written down of it (the plan, 三(四) 住宿制学校)."""
    mine = sorted(scope_in(session).school_ids) or [-1]
    planned = (
        select(EveningSlot)
        .join(Term, Term.id == EveningSlot.term_id)
        .where(EveningSlot.school_id.in_(mine), EveningSlot.weekday == Weekday(str(on.isoweekday())))
        .where(Term.start <= on, Term.last_day >= on)
        .options(joinedload(EveningSlot.school))
        .order_by(EveningSlot.school_id, EveningSlot.hours)
    )
    slots = list(session.scalars(planned))
    held = select(Activity).where(Activity.slot_id.in_([slot.id for slot in slots]), Activity.on == on)
    by_slot = {activity.slot_id: activity for activity in session.scalars(held)}
    return [(slot, by_slot.get(slot.id)) for slot in slots]


def write_evening(session: Session, on: dt.date, typed: dict[int, tuple[str, str]]) -> int:
    """Write one evening down: slot id -> (how many came, teacher on duty), as typed. An empty count leaves a slot alone.

    Returns how many slots were written.
    :raises Complaint: for a day to come, or a count that is none.
    """
    if on > dt.date.today():
        raise Complaint("日期不能晚于今天。", "on")
    slots = evening(session, on)
    if unknown := {pk for pk, (count, _teacher) in typed.items() if count} - {slot.id for slot, _held in slots}:
        raise Complaint("不是有效的选项：这一天没有这个时段。", f"count-{min(unknown)}")
    codes = {code.code: code for code in session.scalars(select(Code).where(Code.code.in_(CODE_OF.values())))}
    written = 0
    for slot, held in slots:
        count, teacher = typed.get(slot.id, ("", ""))
        if not count:
            continue
        if not (count.isascii() and count.isdigit() and len(count) < 6 and int(count) <= MOST):
            raise Complaint(f"{slot.hours} {slot.content}：到场人数应填 0 到 {MOST} 的整数。", f"count-{slot.id}")
        if held is None:
            held = Activity(school_id=slot.school_id, slot_id=slot.id, on=on, title=slot.content, kind=codes[CODE_OF[slot.kind]])
            session.add(held)
        held.pupils, held.leader, held.opened = int(count), teacher[:30] or slot.teacher, slot.hours
        written += 1
    return written
