"""What the product fills in and checks itself before each flush: phone dates, person keys, periods that must not overlap."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import event, inspect, or_, select
from sqlalchemy.orm import Session

from ..access import scope_in
from ..models import (
    Attendance,
    Attention,
    Carer,
    CareRecord,
    Child,
    Counselling,
    Enrolment,
    Flag,
    Handover,
    HandoverState,
    Parent,
    Staff,
)
from ..orm import Base, Kept, Period, changed_rows
from ..rules import Complaint, tidy_name, tidy_number


def watch(session_class: type[Session]) -> None:
    event.listen(session_class, "before_flush", _before_flush, propagate=True)
    event.listen(session_class, "after_flush", _after_flush, propagate=True)


def _before_flush(session: Session, _context: Any, _instances: Any) -> None:
    if scope_in(session).erasing:  # nothing follows from words that are taken away
        return
    for row in (*session.new, *changed_rows(session)):
        if isinstance(row, Parent | Carer | Staff) and _changed(row, "phone"):
            dated = row.phone_changed_on if row in session.new else _changed(row, "phone_changed_on")  # an undo puts both back
            row.phone_changed_on = row.phone_changed_on if dated else _today(row)
        if isinstance(row, Carer):
            row.person_key = person_key(row)
        if isinstance(row, Child) and row.id and _changed(row, "name"):
            _rename_enrolment(session, row)
        if isinstance(row, Handover):
            row.state = handover_state(row)
    _raise_and_follow_flags(session)


def _after_flush(session: Session, _context: Any) -> None:
    """Periods are checked once the foreign keys are set, against what now lies in the database."""
    for row in (*session.new, *session.dirty):
        if isinstance(row, Period) and not (isinstance(row, Kept) and row.deleted_at):
            _check_period(session, row)


def person_key(carer: Carer) -> str:
    """Which person this is: the ID number, else name and phone. Two rows with one key are one person in counts."""
    if carer.id_number:
        return tidy_number(carer.id_number)
    return f"{tidy_name(carer.name or '')}/{tidy_number(carer.phone or '')}"


def handover_state(row: Handover) -> HandoverState:
    """How far a handover is, from its dates; the last step reached counts (the plan, 三(二): household, village, carer)."""
    steps = (
        (row.back_on, HandoverState.BACK),
        (row.done_on, HandoverState.DONE),
        (row.village_on, HandoverState.VILLAGE),
        (row.family_on, HandoverState.FAMILY),
    )
    return next((state for reached, state in steps if reached), HandoverState.OPEN)


def _raise_and_follow_flags(session: Session) -> None:
    """A talk, visit or counselling that finds a child in need of attention raises a flag; the next one follows it up."""
    records = [row for row in session.new if isinstance(row, CareRecord | Counselling) and row.on is not None]
    stays = {row: _stay(row) for row in records}
    if not records:
        return
    with session.no_autoflush:
        children = list({stay[1] for stay in stays.values()})
        found = [
            flag
            for at in range(0, len(children), 400)
            for flag in session.scalars(select(Flag).where(Flag.child_id.in_(children[at : at + 400]), Flag.closed_on.is_(None)))
        ]
    open_flags = {flag.child_id: flag for flag in found}
    for row in sorted(records, key=lambda each: each.on):
        enrolment_id, child_id, school_id = stays[row]
        flag = open_flags.get(child_id)
        if flag is not None and flag.followed_on is None and row.on > flag.on:
            flag.followed_on = row.on
        level = row.attention if isinstance(row, CareRecord) else row.level
        if flag is None and level not in (None, Attention.NORMAL):
            source = "心理辅导" if isinstance(row, Counselling) else str(row.kind)
            flag = Flag(
                enrolment_id=enrolment_id, child_id=child_id, school_id=school_id, on=row.on, level=level, source=source,
                created_at=row.created_at,
            )  # fmt: skip
            session.add(flag)
            open_flags[child_id] = flag


def _stay(row: CareRecord | Counselling) -> tuple[int, int, int]:
    """(enrolment, child, school) of a record, whether it was given by key or by relation."""
    stay = row.enrolment
    return (stay.id, stay.child_id, stay.school_id) if stay is not None else (row.enrolment_id, row.child_id, row.school_id)


def attendance_of(session_id: int, enrolment: Enrolment, carer: Carer) -> Attendance:
    """A sign-in line for one carer; name and relation are kept as text, for the file may move on."""
    return Attendance(
        session_id=session_id,
        enrolment_id=enrolment.id,
        child_id=enrolment.child_id,
        school_id=enrolment.school_id,
        child_name=enrolment.child_name,
        carer_name=carer.name,
        relation=carer.relation,
        person_key=carer.person_key,
    )


def _changed(row: Base, name: str) -> bool:
    history = inspect(row).attrs[name].history
    old = history.deleted[0] if history.deleted else None
    return bool(history.added) and history.added[0] != old


def _today(row: Any) -> dt.date | None:
    return dt.date.today() if row.phone else None


def _rename_enrolment(session: Session, child: Child) -> None:
    still_here = select(Enrolment).where(Enrolment.child_id == child.id, Enrolment.end.is_(None))
    for enrolment in session.scalars(still_here):
        enrolment.child_name = child.name


def _check_period(session: Session, row: Any) -> None:
    """``[start, end)`` runs forward, and no two rows of one kind overlap where the model says NO_OVERLAP."""
    if row.end is not None and row.end < row.start:
        raise Complaint("终止日不能早于起始日。", "end")
    keys = getattr(row, "NO_OVERLAP", ())
    if not keys:
        return
    model = type(row)
    others = select(model).where(
        *(getattr(model, key) == getattr(row, key) for key in keys),
        or_(model.end.is_(None), model.end > row.start),
        model.id != row.id,
    )
    if row.end is not None:
        others = others.where(model.start < row.end)
    other = session.scalars(others.limit(1)).first()
    if other is not None:
        raise Complaint(f"与 {other.start} 起的“{other}”时间重叠，请先填上一条的终止日。", "start")
