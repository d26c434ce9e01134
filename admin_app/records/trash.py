"""The trash: deleting marks a row with who, when and why; the office can bring it back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ..access import scope_in
from ..models import (
    Activity,
    Attendance,
    Child,
    DropoutCase,
    DropoutStep,
    Inspected,
    Inspection,
    Parent,
    ParentStatus,
    Participation,
    Responsibility,
    Staff,
    TrainingSession,
    Transfer,
    TransferState,
)
from ..orm import Base, CareEvent, ChildFile, History, Kept, OnRecord, utcnow
from ..rules import Complaint


def put(session: Session, row: Kept, reason: str) -> int:
    """Move a row to the trash, and with it what cannot stand without it (a child's whole file). Returns how many rows.

    :raises Complaint: for a teacher who still answers for a child; for what carries records of another school.
    """
    if isinstance(row, Staff):
        _refuse_answerable(session, row)
    at = utcnow()
    rows = [row, *_dependants(session, row)]
    if not all(scope_in(session).owns(each.school_id) for each in rows if hasattr(each, "school_id")):
        raise Complaint("其中有其他学校的记录，请由德育股删除。")
    for each in rows:
        each.deleted_at, each.deleted_by, each.delete_reason = at, scope_in(session).user_id, reason
    return len(rows)


SHOWN = 200
"""Rows the trash shows at once, newest first."""


def tables() -> dict[str, type[Kept]]:
    """Every kind of record that goes to the trash, by table name."""
    return {m.class_.__tablename__: m.class_ for m in Base.registry.mappers if issubclass(m.class_, Kept)}


def contents(session: Session, table: str | None = None) -> list[Kept]:
    """What lies in the trash, newest first; of one table, or one row for each thing that was put there by itself."""
    kinds = [tables()[table]] if table in tables() else list(tables().values())
    found: list[Kept] = []
    for kind in kinds:
        lying = select(kind).where(kind.deleted_at.is_not(None)).order_by(kind.deleted_at.desc()).limit(SHOWN)
        found += session.scalars(lying, execution_options={"include_deleted": True})
    newest = sorted(found, key=lambda row: (row.deleted_at, _rank(row)), reverse=True)
    heads = newest if table else [row for n, row in enumerate(newest) if n == 0 or row.deleted_at != newest[n - 1].deleted_at]
    return heads[:SHOWN]


def _rank(row: Kept) -> int:
    """A child stands for its whole file, an activity for its list of names."""
    return (
        2 if isinstance(row, Child) else 1 if isinstance(row, Parent | Activity | TrainingSession | DropoutCase | Inspection) else 0
    )


def restore(session: Session, model: type[Kept], row_id: int) -> int:
    """Bring a row back with everything that went into the trash together with it. Returns how many rows.

    Only the office's session sees the trash (access.py).

    :raises Complaint: when its words were taken away, or a waiting transfer has become impossible.
    """
    seen = {"include_deleted": True}
    row = session.scalar(select(model).where(model.id == row_id), execution_options=seen)
    if row is None or row.deleted_at is None:
        return 0
    if row.delete_reason is None:  # erasure.purge_trash took the reason along
        raise Complaint("这条记录的内容已经清除，不能恢复。")
    if isinstance(row, Transfer):
        _refuse_second(session, row)
    at, count = row.deleted_at, 0
    for kind in (m.class_ for m in Base.registry.mappers if issubclass(m.class_, Kept)):
        for each in session.scalars(select(kind).where(kind.deleted_at == at), execution_options=seen):
            each.deleted_at = each.deleted_by = each.delete_reason = None
            count += 1
    return count


def _refuse_answerable(session: Session, staff: Staff) -> None:
    held = select(Responsibility.id).where(
        Responsibility.staff_id == staff.id, or_(Responsibility.end.is_(None), Responsibility.end > dt.date.today())
    )
    if session.scalar(held.limit(1)) is not None:
        raise Complaint("该教师还是儿童的包保责任人，请先移交责任，再填离任日或删除。")


def _refuse_second(session: Session, transfer: Transfer) -> None:
    """A waiting transfer comes back only while its child is still there and nothing else waits for it."""
    if transfer.state not in (TransferState.PENDING, TransferState.REQUESTED):
        return
    child = session.get(Child, transfer.child_id)
    if child is None or child.school_id != transfer.school_id:
        raise Complaint("该儿童已不在转出学校，这条转学不能恢复。")
    others = select(Transfer.id).where(
        Transfer.child_id == child.id, Transfer.state.in_((TransferState.PENDING, TransferState.REQUESTED))
    )
    if session.scalar(others.limit(1)) is not None:
        raise Complaint("该儿童已有一条待接收的转学。")


def _dependants(session: Session, row: Kept) -> list[Kept]:
    if isinstance(row, Child):
        kinds = [m.class_ for m in Base.registry.mappers if issubclass(m.class_, ChildFile | OnRecord | History | CareEvent)]
        waiting = Transfer.state.in_((TransferState.PENDING, TransferState.REQUESTED))
        moves = session.scalars(select(Transfer).where(Transfer.child_id == row.id, waiting))
        kinds.remove(Inspected)  # what was drawn and found is the round's, not the child's
        return [*moves, *(r for kind in kinds for r in session.scalars(select(kind).where(kind.child_id == row.id)))]
    if isinstance(row, Parent):
        return list(session.scalars(select(ParentStatus).where(ParentStatus.parent_id == row.id)))
    if isinstance(row, Activity):
        return list(session.scalars(select(Participation).where(Participation.activity_id == row.id)))
    if isinstance(row, DropoutCase):
        return list(session.scalars(select(DropoutStep).where(DropoutStep.case_id == row.id)))
    if isinstance(row, Inspection):
        return list(session.scalars(select(Inspected).where(Inspected.inspection_id == row.id)))
    if isinstance(row, TrainingSession):
        return list(session.scalars(select(Attendance).where(Attendance.session_id == row.id)))
    return []
