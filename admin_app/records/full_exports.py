"""A list with full numbers: asked for with a purpose, decided by the leader, taken once within a week by who asked."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import rules
from ..access import Action, scope_in
from ..models import Approval, Decision, ExportRequest, Resource
from ..orm import utcnow
from ..rules import Complaint
from . import approvals
from .overview import Waiting
from .reports.keeping import unit_of

VALID = dt.timedelta(days=7)
SHORTEST_PURPOSE = 4


@dataclass(frozen=True)
class Standing:
    """Where a request stands: in words, and who said what."""

    words: str
    kind: str
    said: Approval | None = None

    @property
    def waits(self) -> bool:
        return self.words == WAITING

    @property
    def may_be_taken(self) -> bool:
        return self.words == APPROVED


WAITING, APPROVED, REFUSED, TAKEN, LAPSED = "待审批", "已同意，可导出", "未同意", "已导出", "已过期"


def ask(session: Session, row: ExportRequest) -> ExportRequest:
    """Lay a request before the leader.

    :raises Complaint: for a purpose that says nothing, or a list without rows.
    """
    row.purpose = rules.tidy(row.purpose)
    if len(row.purpose) < SHORTEST_PURPOSE:
        raise Complaint("请写明用途，如“报县民政局核对名单”。", "purpose")
    if len(row.purpose) > 100:
        raise Complaint(f"最多 100 个字，现有 {len(row.purpose)} 个。", "purpose")
    if not row.count:
        raise Complaint("没有符合条件的记录，不用申请。")
    session.add(row)
    return row


def decide(session: Session, row: ExportRequest, *, approved: bool, words: str, by: str) -> None:
    """The leader's word on what somebody else asked for.

    :raises Complaint: when it was answered or has lapsed, is one's own, or is refused without words.
    """
    if not standing(session, row).waits:
        raise Complaint("这份申请已经处理过或已过期。")
    if row.created_by == scope_in(session).user_id:
        raise Complaint("不能审批自己的申请，请由另一位分管领导审批。")
    approvals.decide(session, row, approved=approved, words=words, by=by)


def standing(session: Session, row: ExportRequest) -> Standing:
    return standings(session, [row])[0]


def standings(session: Session, rows: Sequence[ExportRequest]) -> list[Standing]:
    """Where some requests stand; one statement."""
    mine = select(Approval).where(Approval.table_name == ExportRequest.__tablename__, Approval.row_id.in_([row.id for row in rows]))
    last = {said.row_id: said for said in session.scalars(mine.order_by(Approval.id))}
    return [_standing(row, last.get(row.id)) for row in rows]


def _standing(row: ExportRequest, said: Approval | None) -> Standing:
    if said is not None and said.decision is Decision.REFUSED:
        return Standing(REFUSED, "due", said)
    if row.taken_at is not None:
        return Standing(TAKEN, "done", said)
    since = row.created_at if said is None else said.created_at
    if utcnow() - since > VALID:
        return Standing(LAPSED, "", said)
    return Standing(APPROVED, "done", said) if said is not None else Standing(WAITING, "unsure")


def waiting(session: Session) -> list[Waiting]:
    """What waits for this actor: requests to decide, own ones that were answered."""
    scope, found = scope_in(session), []
    if scope.may(Action.CREATE, Resource.APPROVALS):
        fresh = select(ExportRequest).where(ExportRequest.created_at > utcnow() - VALID, ExportRequest.taken_at.is_(None))
        asked = sum(now.waits for now in standings(session, list(session.scalars(fresh))))
        found.append(Waiting("full_exports", "完整号码导出待审批", "看用途和行数后同意或不同意", asked, True))
    if scope.may(Action.CREATE, Resource.FULL_EXPORTS):
        mine = select(ExportRequest).where(
            ExportRequest.created_by == scope.user_id, ExportRequest.created_at > utcnow() - 2 * VALID
        )
        said = standings(session, list(session.scalars(mine)))
        ready, refused = sum(now.may_be_taken for now in said), sum(now.words == REFUSED for now in said)
        found.append(Waiting("full_exports", "完整号码导出已同意", "同意后七天内导出，只能一次", ready))
        found.append(Waiting("full_exports", "完整号码导出未同意", "看审批意见", refused))
    return [each for each in found if each.count]


def granted(session: Session, request_id: int | None, address: str, user_id: int | None) -> ExportRequest:
    """The request that allows this very list to this very person.

    :raises Complaint: when there is none, it is not approved, was taken already, or has lapsed.
    """
    row = session.get(ExportRequest, request_id) if request_id else None
    asked_elsewhere = row is not None and row.school_id != unit_of(session).id  # the account has another post now
    if row is None or row.created_by != user_id or row.address != address or asked_elsewhere:
        raise Complaint("没有对应的导出申请，请重新申请。")
    now = standing(session, row)
    if not now.may_be_taken:
        raise Complaint(f"这份申请{now.words}，不能导出。")
    return row


def take(row: ExportRequest, content: bytes) -> None:
    """Note that the file went out, with its fingerprint."""
    row.taken_at, row.digest = utcnow(), hashlib.sha256(content).hexdigest()
