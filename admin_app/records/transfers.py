"""转学: the old school proposes, the new one accepts; then the file moves, and the past stays where it happened.

Until acceptance the old school stays responsible. Out of the county a transfer is closed by printing the 移交单; a child who
comes back is asked for by the new school, released, and is the same person again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ..access import OpenSession, Scope, moving, requesting
from ..models import (
    Child,
    Enrolment,
    Grade,
    LeaveReason,
    Pairing,
    Responsibility,
    School,
    SchoolKind,
    Staff,
    Transfer,
    TransferKind,
    TransferState,
)
from ..rules import Complaint
from . import enrolling

WAITING = (TransferState.PENDING, TransferState.REQUESTED)


def propose(
    session: Session,
    child: Child,
    to: School,
    on: dt.date,
    *,
    kind: TransferKind = TransferKind.MOVE,
    grade: Grade | None = None,
    to_place: str | None = None,
) -> Transfer:
    """Offer a child to another school (or out of the county). Until it accepts, this school stays responsible.

    :raises Complaint: to the same school or the bureau, out of the county without a place, or while another offer waits.
    """
    check_offer(session, child, to, on)
    if to.kind is SchoolKind.OUTSIDE:
        kind = TransferKind.OUT
        if not to_place:
            raise Complaint("转出县外须填去向（省、市、学校）。", "to_place")
    transfer = Transfer(
        school_id=child.school_id,
        to_school_id=to.id,
        child_id=child.id,
        child_name=child.name,
        kind=kind,
        proposed_on=on,
        grade=grade,
        to_place=to_place,
        state=TransferState.PENDING,
    )
    session.add(transfer)
    session.flush()
    return transfer


def check_offer(session: Session, child: Child, to: School, on: dt.date) -> None:
    """:raises Complaint: when the child cannot be offered to this school."""
    if child.school_id == to.id:
        raise Complaint("转入学校与现学校相同。", "to_school")
    if to.kind is SchoolKind.BUREAU:
        raise Complaint("请选择学校。", "to_school")
    if on > dt.date.today():
        raise Complaint("日期不能晚于今天。", "proposed_on")
    waiting = select(Transfer.id).where(Transfer.child_id == child.id, Transfer.state.in_(WAITING))
    if session.scalar(waiting.limit(1)) is not None:
        raise Complaint("该儿童已有一条待接收的转学。")


def release(transfer: Transfer) -> None:
    """The school that holds the child agrees to let it go: what was asked for becomes an offer.

    :raises Complaint: when it was not asked for.
    """
    if transfer.state is not TransferState.REQUESTED:
        raise Complaint("该转学不是待放行的申请。")
    transfer.state = TransferState.PENDING
    if transfer.school.kind is SchoolKind.OUTSIDE:
        transfer.kind = TransferKind.BACK


def send_back(transfer: Transfer, why: str, on: dt.date) -> None:
    """Refuse an offer or a request, with the reason.

    :raises Complaint: without a reason, or when it has been answered already.
    """
    if transfer.state not in WAITING:
        raise Complaint("该转学已答复。")
    if not why:
        raise Complaint("请填写退回原因。", "answer")
    transfer.state, transfer.answered_on, transfer.answer = TransferState.RETURNED, on, why


def request(open_session: OpenSession, actor: Scope, number: str, name: str, birth: dt.date, to_school_id: int) -> None:
    """Ask for a child registered elsewhere, known by number, name and birth date; no other fact of it is told.

    :raises Complaint: when no such child is registered, or one of the three is wrong (the same sentence for all).
    """
    if not requesting(open_session, actor, number, name, birth, to_school_id):
        raise Complaint("未找到证件号、姓名、出生日期都一致的在册儿童，或已有待办的转学。请核对户口簿；确未登记的请直接新建。")


def accept(
    open_session: OpenSession,
    actor: Scope,
    transfer_id: int,
    on: dt.date,
    *,
    class_name: str = "",
    staff_id: int | None = None,
) -> None:
    """Take the child in, in a session of its own.

    :param open_session: opens a session that writes and commits when its block ends well (``db.writing``).
    :param staff_id: the new responsible person, a member of the new school; None leaves the child on the red list.
    :raises OutOfScope: when the transfer is not pending or not addressed to a school of the actor.
    :raises Complaint: before the child came to its old school, or for a teacher of another school.
    """
    with moving(open_session, actor, transfer_id) as (session, transfer):
        child = session.get_one(Child, transfer.child_id)
        leaves = LeaveReason.GRADUATED if transfer.kind is TransferKind.PROMOTION else LeaveReason.TRANSFER
        check_after_stays(session, child, on)
        close_stay(session, child, on, leaves)
        child.class_teacher_id = None
        session.flush()
        child.school_id = transfer.to_school_id
        if transfer.grade is not None:
            child.grade = transfer.grade
        if class_name:
            child.class_name = class_name
        child.facts_confirmed_at = None
        session.flush()
        transfer.state, transfer.answered_on = TransferState.ACCEPTED, on
        if transfer.kind is TransferKind.OUT:
            transfer.printed_on = on
            return
        enrolling.open_enrolment(session, child, on)
        if staff_id is not None:
            staff = session.get(Staff, staff_id)
            if staff is None:
                raise Complaint("不是有效的选项。", "staff")
            enrolling.check_responsible(session, child.school_id, staff)
            session.add(Responsibility(child_id=child.id, school_id=child.school_id, staff_id=staff.id, start=on))


def close_stay(session: Session, child: Child, on: dt.date, reason: LeaveReason) -> None:
    """End the child's stay, its responsible person and its pair on a day; the stay keeps the name as left.

    :raises Complaint: for a day before the stay began.
    """
    stay = session.scalar(select(Enrolment).where(Enrolment.child_id == child.id, Enrolment.end.is_(None)))
    if stay is not None:
        if on < stay.start:
            raise Complaint(f"日期早于就读起始日 {stay.start}。", "on")
        stay.end, stay.leave_reason, stay.child_name = on, reason, child.name
    still = lambda model: or_(model.end.is_(None), model.end > on)  # noqa: E731
    for held in session.scalars(select(Responsibility).where(Responsibility.child_id == child.id, still(Responsibility))):
        held.end = max(on, held.start)
    for pair in session.scalars(select(Pairing).where(Pairing.child_id == child.id, still(Pairing))):
        pair.end = max(on, pair.start)


def leave(session: Session, child: Child, on: dt.date, reason: LeaveReason) -> None:
    """The child leaves without going to another school of the county: graduated, suspended, dropped out.

    :raises Complaint: when it is not enrolled, or while a transfer waits.
    """
    stay = session.scalar(select(Enrolment.id).where(Enrolment.child_id == child.id, Enrolment.end.is_(None)))
    if stay is None:
        raise Complaint("该儿童现在不在读。")
    waiting = select(Transfer.id).where(Transfer.child_id == child.id, Transfer.state.in_(WAITING))
    if session.scalar(waiting.limit(1)) is not None:
        raise Complaint("该儿童有待办的转学，请先办结。")
    close_stay(session, child, on, reason)


def come_back(session: Session, child: Child, on: dt.date) -> Enrolment:
    """The child is enrolled again at the school where it sits: back from suspension or from staying away.

    :raises Complaint: while it is enrolled, or before it left.
    """
    if session.scalar(select(Enrolment.id).where(Enrolment.child_id == child.id, Enrolment.end.is_(None))) is not None:
        raise Complaint("该儿童在读，不必复学。")
    check_after_stays(session, child, on)
    return enrolling.open_enrolment(session, child, on)


def check_after_stays(session: Session, child: Child, on: dt.date) -> None:
    """:raises Complaint: when a new stay would begin before the last one ended."""
    last = session.scalar(select(func.max(Enrolment.end)).where(Enrolment.child_id == child.id))
    if last is not None and on < last:
        raise Complaint(f"日期早于离校日 {last}。", "on")


def propose_class(
    session: Session, children: Iterable[Child], to: School, on: dt.date, grade: Grade | None, kind: TransferKind
) -> int:
    """A whole class to one school (P6 to M1 in July). Returns how many.

    :raises Complaint: naming the child that cannot be offered.
    """
    count = 0
    for child in children:
        try:
            propose(session, child, to, on, kind=kind, grade=grade, to_place="县外" if to.kind is SchoolKind.OUTSIDE else None)
        except Complaint as e:
            raise Complaint(f"{child.name}：{e.text}", e.field) from None
        count += 1
    return count
