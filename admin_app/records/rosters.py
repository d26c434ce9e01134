"""Lists of names on school work: who took part in an activity, who signed in at a training."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ..models import BY_CLASS, Activity, Attendance, Carer, Child, Enrolment, Participation, School, SignedHow, TrainingSession
from ..rules import Complaint
from . import trash
from .upkeep import attendance_of


def enrolled_on(session: Session, school_id: int, on: dt.date) -> list[tuple[Enrolment, Child]]:
    """The children of a unit and, of a centre school, of its sites on a day, class by class."""
    unit = func.coalesce(School.centre_id, School.id)
    of_unit = select(School.id).where(unit == select(unit).where(School.id == school_id).scalar_subquery())
    query = (
        select(Enrolment, Child)
        .join(Child, Child.id == Enrolment.child_id)
        .where(Enrolment.school_id.in_(of_unit), Enrolment.start <= on, or_(Enrolment.end.is_(None), Enrolment.end > on))
        .order_by(*BY_CLASS)
    )
    return list(session.execute(query))


def set_participants(session: Session, activity: Activity, enrolment_ids: set[int]) -> int:
    """Make these the children who took part; a child who has left since stays. Returns how many were named.

    :raises Complaint: when one of them was not at the school that day (or is not the actor's to name).
    """
    known = {enrolment.id: enrolment for enrolment, _ in enrolled_on(session, activity.school_id, activity.on)}
    _refuse_strangers(enrolment_ids - known.keys())
    now = {p.enrolment_id: p for p in session.scalars(select(Participation).where(Participation.activity_id == activity.id))}
    for gone in (now.keys() & known.keys()) - enrolment_ids:
        trash.put(session, now[gone], "从名单中去掉")
    for new in enrolment_ids - now.keys():
        e = known[new]
        session.add(
            Participation(
                activity_id=activity.id, enrolment_id=e.id, child_id=e.child_id, school_id=e.school_id, child_name=e.child_name
            )
        )
    return len(enrolment_ids)


def carers_on(session: Session, school_id: int, on: dt.date) -> list[tuple[Enrolment, Child, Carer]]:
    """The carers who can sign in at a training of this school on a day."""
    stays = {child.id: (enrolment, child) for enrolment, child in enrolled_on(session, school_id, on)}
    carers = session.scalars(
        select(Carer)
        .where(Carer.child_id.in_(stays), Carer.start <= on, or_(Carer.end.is_(None), Carer.end > on))
        .order_by(Carer.child_id, Carer.start)
    )
    by_child: dict[int, list[Carer]] = {}
    for carer in carers:
        by_child.setdefault(carer.child_id, []).append(carer)
    return [(*stays[child_id], carer) for child_id in stays for carer in by_child.get(child_id, [])]


def by_person(people: Iterable[tuple[Enrolment, Child, Carer]]) -> list[tuple[Carer, list[Child]]]:
    """Who signs on paper: each carer once, with all the children she looks after."""
    found: dict[object, tuple[Carer, list[Child]]] = {}
    for _enrolment, child, carer in people:
        found.setdefault(carer.person_key or carer.id, (carer, []))[1].append(child)
    return list(found.values())


def set_attendance(session: Session, training: TrainingSession, signed: Mapping[int, SignedHow]) -> int:
    """Make these the sign-in lines: carer id -> how; lines of children who have left stay. Returns how many were reached (present, delegate or at home).

    :raises Complaint: when a carer is not one of the school's that day.
    """
    known = {carer.id: (enrolment, carer) for enrolment, _child, carer in carers_on(session, training.school_id, training.on)}
    _refuse_strangers(set(signed) - known.keys())
    lines: dict[tuple[Any, Any], Attendance] = {
        (a.enrolment_id, a.person_key): a for a in session.scalars(select(Attendance).where(Attendance.session_id == training.id))
    }
    for carer_id, how in signed.items():
        enrolment, carer = known[carer_id]
        line = lines.pop((enrolment.id, carer.person_key), None)
        if line is None:
            line = attendance_of(training.id, enrolment, carer)
            session.add(line)
        line.how = how
    mine = {enrolment.id for enrolment, _child in enrolled_on(session, training.school_id, training.on)}
    for (enrolment_id, _person), gone in lines.items():
        if enrolment_id in mine:
            trash.put(session, gone, "从名单中去掉")
    return sum(how is not SignedHow.ABSENT for how in signed.values())


def _refuse_strangers(unknown: set[int]) -> None:
    if unknown:
        raise Complaint("名单中有不是有效的选项，未保存。请刷新后重新勾选。")
