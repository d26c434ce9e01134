"""下发通知、催办: to which schools a notice goes, and who has read it by when."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ..access import scope_in
from ..models import Notice, NoticeReceipt, School, SchoolKind
from ..orm import utcnow
from ..rules import Complaint


def addressable() -> Select[tuple[School]]:
    """Who can be sent a notice: assessed schools; their sites read them through the centre."""
    return select(School).where(School.assessed, School.kind.not_in((SchoolKind.OUTSIDE, SchoolKind.BUREAU)))


def send(session: Session, notice: Notice, school_ids: set[int]) -> int:
    """Address a notice to schools; those it already went to are left alone. Returns how many are new.

    :raises Complaint: when no school is named.
    """
    known = set(session.scalars(addressable().with_only_columns(School.id).where(School.id.in_(school_ids))))
    if not known or known != school_ids:
        raise Complaint("请选择接收学校。")
    already = set(session.scalars(select(NoticeReceipt.school_id).where(NoticeReceipt.notice_id == notice.id)))
    session.add_all(NoticeReceipt(notice_id=notice.id, school_id=school_id) for school_id in sorted(known - already))
    return len(known - already)


def for_me(session: Session) -> Select[tuple[NoticeReceipt]]:
    """The receipts of the actor's own schools, newest notice first."""
    mine = sorted(scope_in(session).school_ids) or [-1]
    return (
        select(NoticeReceipt)
        .join(Notice, Notice.id == NoticeReceipt.notice_id)
        .where(NoticeReceipt.school_id.in_(mine), Notice.deleted_at.is_(None))
        .order_by(NoticeReceipt.read_at.is_not(None), Notice.on.desc(), Notice.id.desc())
    )


def mark_read(session: Session, notice: Notice, by: str) -> None:
    """Somebody of an addressed school has opened it: the first time counts."""
    mine = sorted(scope_in(session).school_ids) or [-1]
    unread = select(NoticeReceipt).where(
        NoticeReceipt.notice_id == notice.id, NoticeReceipt.school_id.in_(mine), NoticeReceipt.read_at.is_(None)
    )
    for receipt in session.scalars(unread):
        receipt.read_at, receipt.read_by = utcnow(), by


def readership(session: Session, ids: list[int]) -> dict[int, tuple[int, int]]:
    """Of some notices: (how many schools have read it, to how many it went)."""
    counted = select(NoticeReceipt.notice_id, func.count(NoticeReceipt.read_at), func.count(NoticeReceipt.id))
    rows = session.execute(counted.where(NoticeReceipt.notice_id.in_(ids)).group_by(NoticeReceipt.notice_id))
    return {notice: (read, all_of) for notice, read, all_of in rows}
