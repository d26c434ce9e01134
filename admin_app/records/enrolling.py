"""A child's stay at a unit, and who answers for the child there."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from ..models import Child, Enrolment, Responsibility, School, Staff
from ..rules import Complaint


def open_enrolment(session: Session, child: Child, start: dt.date) -> Enrolment:
    """Begin the child's stay at the school where it is now. The child must have been flushed; an archived file is one again."""
    child.archived_on = None
    enrolment = Enrolment(child_id=child.id, school_id=child.school_id, child_name=child.name, start=start)
    session.add(enrolment)
    return enrolment


def unit_of(session: Session, school_id: int) -> Select[Any]:
    """The ids of a unit: its centre and all its sites, whichever of them is named."""
    centre = session.scalar(select(func.coalesce(School.centre_id, School.id)).where(School.id == school_id))
    return select(School.id).where(or_(School.id == centre, School.centre_id == centre))


def check_responsible(session: Session, school_id: int, staff: Staff) -> None:
    """Staff of the child's school, its centre or one of its sites may be the responsible person (plan 三(三)).

    :raises Complaint: for anybody else.
    """
    family = session.execute(select(School.id, School.centre_id))
    centre_of = dict(family.all())
    unit = centre_of.get(school_id) or school_id
    if (centre_of.get(staff.school_id) or staff.school_id) != unit:
        raise Complaint("包保责任人应为本校、上级中心校或所属教学点的教职工。", "staff")
    if staff.end is not None and staff.end <= dt.date.today():
        raise Complaint(f"{staff.name}已于 {staff.end} 离任。", "staff")


def check_within(enrolment: Enrolment, on: dt.date, field: str = "on") -> None:
    """A care record lies inside the stay it hangs on.

    :raises Complaint: when the day is before the child came or after it left.
    """
    if on < enrolment.start:
        raise Complaint(f"日期早于就读起始日 {enrolment.start}。", field)
    if enrolment.end is not None and on >= enrolment.end:
        raise Complaint(f"该儿童已于 {enrolment.end} 离校，日期应在此之前。", field)


def responsible_for(session: Session, child_id: int, on: dt.date) -> Staff | None:
    """Who answered for the child on that day."""
    return session.scalar(
        select(Staff)
        .join(Responsibility, Responsibility.staff_id == Staff.id)
        .where(
            Responsibility.child_id == child_id,
            Responsibility.start <= on,
            or_(Responsibility.end.is_(None), Responsibility.end > on),
        )
        .order_by(Responsibility.start.desc())
        .limit(1)
    )
