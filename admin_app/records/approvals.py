"""审批: what the leader decides on what the office lays before them: a scheme, the checked results of a round, a
veto, a list with full numbers."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Approval, Decision
from ..orm import Row
from ..rules import Complaint


def decide(session: Session, row: Row, *, approved: bool, words: str, by: str) -> Approval:
    """The leader's word; a second thought is a second row.

    :raises Complaint: for a no without a reason.
    """
    if not approved and not words:
        raise Complaint("不同意须写明理由或要改什么。")
    decision = Decision.APPROVED if approved else Decision.REFUSED
    said = Approval(table_name=row.__tablename__, row_id=row.id, decision=decision, words=words or None, by=by)
    session.add(said)
    return said


def of(session: Session, row: Row) -> list[Approval]:
    """Every word on a row, the newest first."""
    mine = select(Approval).where(Approval.table_name == row.__tablename__, Approval.row_id == row.id)
    return list(session.scalars(mine.order_by(Approval.id.desc())))


def word_on(session: Session, row: Row, since: dt.datetime | None) -> Approval | None:
    """The last word since the row was laid before the leader; None when it was not, or nothing was said."""
    if since is None:
        return None
    return next((said for said in of(session, row) if said.created_at >= since), None)


def words(session: Session, table: str) -> dict[int, Decision]:
    """The last word on each row of a table of which something was said."""
    said = select(Approval.row_id, Approval.decision).where(Approval.table_name == table).order_by(Approval.id)
    return dict(session.execute(said).all())


def approved(session: Session, table: str) -> frozenset[int]:
    """The rows of a table whose last word is yes."""
    return frozenset(row_id for row_id, decision in words(session, table).items() if decision is Decision.APPROVED)
