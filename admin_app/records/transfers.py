"""转学: the old school proposes, the new one accepts; then the file moves, and the past stays where it happened."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..access import OpenSession, Scope, moving
from ..models import Child, Enrolment, LeaveReason, Responsibility, School, Transfer, TransferState
from ..rules import Complaint
from . import enrolling


def propose(session: Session, child: Child, to: School, on: dt.date) -> Transfer:
    """Offer a child to another school. Until it accepts, this school stays responsible.

    :raises Complaint: to the same school, or while another offer waits.
    """
    if child.school_id == to.id:
        raise Complaint("转入学校与现学校相同。", "to_school")
    waiting = select(Transfer.id).where(Transfer.child_id == child.id, Transfer.state == TransferState.PENDING)
    if session.scalar(waiting) is not None:
        raise Complaint("该儿童已有一条待接收的转学。")
    transfer = Transfer(
        school_id=child.school_id,
        to_school_id=to.id,
        child_id=child.id,
        child_name=child.name,
        proposed_on=on,
        state=TransferState.PENDING,
    )
    session.add(transfer)
    session.flush()
    return transfer


def accept(open_session: OpenSession, actor: Scope, transfer_id: int, on: dt.date) -> None:
    """Take the child in, in a session of its own.

    :param open_session: opens a session that writes and commits when its block ends well (``db.writing``).
    :raises OutOfScope: when the transfer is not pending or not addressed to a school of the actor.
    """
    with moving(open_session, actor, transfer_id) as (session, transfer):
        child = session.get_one(Child, transfer.child_id)
        old = session.scalar(select(Enrolment).where(Enrolment.child_id == child.id, Enrolment.end.is_(None)))
        if old is not None:
            old.end, old.leave_reason, old.child_name = max(on, old.start), LeaveReason.TRANSFER, child.name
        for held in session.scalars(
            select(Responsibility).where(Responsibility.child_id == child.id, Responsibility.end.is_(None))
        ):
            held.end = max(on, held.start)
        child.class_teacher_id = None
        session.flush()
        child.school_id = transfer.to_school_id
        session.flush()
        enrolling.open_enrolment(session, child, on)
        transfer.state, transfer.answered_on = TransferState.ACCEPTED, on
