"""包保责任人: who answers for whom, how many each has, and a leaving teacher's children handed to others in one go.

Three words, always the same: holiday handover (假期交接), transfer (转学), staff handover (责任人移交).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from ..models import BY_CLASS, BatchKind, Child, Responsibility, Staff
from ..rules import Complaint
from . import bulk, enrolling


@dataclass(frozen=True)
class Load:
    staff: Staff
    children: int

    @property
    def has_left(self) -> bool:
        """悬空: the holder has left and still answers for children."""
        return self.staff.end is not None and self.staff.end <= dt.date.today() and self.children > 0


def loads(session: Session, on: dt.date) -> list[Load]:
    """Every teacher the session may see with the number of children answered for; who has left and still does, first."""
    counted = select(Responsibility.staff_id, func.count(Responsibility.id)).where(_serving(on)).group_by(Responsibility.staff_id)
    counts = dict(session.execute(counted).all())
    staff = session.scalars(
        select(Staff).where(or_(Staff.end.is_(None), Staff.id.in_(counts))).order_by(Staff.school_id, Staff.name_order)
    )
    return sorted((Load(s, counts.get(s.id, 0)) for s in staff), key=lambda load: (not load.has_left, -load.children))


def children_of(session: Session, staff: Staff, on: dt.date) -> list[tuple[Responsibility, Child]]:
    """Whom a teacher answers for on a day, class by class."""
    held = (
        select(Responsibility, Child)
        .join(Child, Child.id == Responsibility.child_id)
        .where(Responsibility.staff_id == staff.id, _serving(on))
        .order_by(*BY_CLASS)
    )
    return list(session.execute(held).all())


def colleagues(session: Session, staff: Staff, on: dt.date) -> list[Staff]:
    """Who may take over: the staff of the same unit who have not left."""
    same_unit = enrolling.unit_of(session, staff.school_id)
    there = select(Staff).where(Staff.school_id.in_(same_unit), Staff.id != staff.id, Staff.start <= on)
    return list(session.scalars(there.where(or_(Staff.end.is_(None), Staff.end > on)).order_by(Staff.name_order)))


def hand_over(session: Session, staff: Staff, to: Mapping[int, int], on: dt.date, *, leaves: bool) -> int:
    """Give children to other teachers from a day on.

    :param to: responsibility id -> the new teacher's id.
    :param leaves: the teacher leaves the school on that day; nobody may be left behind.
    :returns: how many children were handed over.
    :raises Complaint: for a stranger, a day before a responsibility began, or a leaver who keeps children.
    """
    held = {r.id: (r, child) for r, child in children_of(session, staff, on)}
    able = {s.id: s for s in colleagues(session, staff, on)}
    if set(to) - held.keys() or set(to.values()) - able.keys():
        raise Complaint("名单或接收人不是有效的选项，请刷新后重新选择。")
    if leaves and set(held) - set(to):
        raise Complaint(f"还有 {len(set(held) - set(to))} 名儿童没有选接收人，不能办理离任。")
    if leaves and (later := session.scalar(_later(staff, on))):
        raise Complaint(f"{staff.name}从 {later} 起还有负责的儿童，离任日期不能早于此。", "on")
    with bulk.recorded(session, BatchKind.STAFF, staff.school_id, f"{staff.name} 移交 {len(to)} 人"):
        for pk, staff_id in to.items():
            row, child = held[pk]
            if on < row.start:
                raise Complaint(f"{child.name}：移交日期早于责任起始日 {row.start}。", "on")
            until, row.end = row.end, on  # handed over as far as it was held: not again for a child that has left since
            session.flush()
            session.add(Responsibility(child_id=child.id, school_id=child.school_id, staff_id=staff_id, start=on, end=until))
            if child.class_teacher_id == staff.id:
                child.class_teacher_id = staff_id
        if leaves:
            staff.end = on
    return len(to)


def _later(staff: Staff, on: dt.date) -> Select[tuple[dt.date]]:
    """The last day on which a responsibility began that goes on beyond a day it was not yet there."""
    goes_on = or_(Responsibility.end.is_(None), Responsibility.end > Responsibility.start)
    return select(func.max(Responsibility.start)).where(Responsibility.staff_id == staff.id, Responsibility.start > on, goes_on)


def _serving(on: dt.date) -> ColumnElement[bool]:
    return (Responsibility.start <= on) & or_(Responsibility.end.is_(None), Responsibility.end > on)


def handed(session: Session, staff: Staff, on: dt.date) -> list[tuple[Child, Staff | None]]:
    """The children a teacher gave away on a day, each with who answers for it since."""
    gone = (
        select(Child)
        .join(Responsibility, Responsibility.child_id == Child.id)
        .where(Responsibility.staff_id == staff.id, Responsibility.end == on)
        .order_by(*BY_CLASS)
    )
    children = list(session.scalars(gone))
    since = (
        select(Responsibility.child_id, Staff)
        .join(Staff, Staff.id == Responsibility.staff_id)
        .where(Responsibility.child_id.in_([c.id for c in children]), Responsibility.start == on)
    )
    new = dict(session.execute(since).all())
    return [(child, new.get(child.id)) for child in children]
