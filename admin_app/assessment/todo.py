"""What of the assessment waits for this actor: a self-assessment to fill in, a result to confirm, an appeal to answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..access import Action, scope_in
from ..models import Appeal, Resource, Round, RoundState, Scheme, SchemeState, Sheet, SheetMove
from ..records.overview import Waiting
from . import results, workflow

SOON = dt.timedelta(days=5)


def waiting(session: Session, on: dt.date) -> list[Waiting]:
    """Only what is there; by what the actor may do, not by who it is."""
    scope, round_ = scope_in(session), results.newest(session)
    if not scope.may(Action.READ, Resource.SCORES):
        return []
    found = list(_of_leader(session, round_)) if scope.may(Action.CREATE, Resource.APPROVALS) else []
    if round_ is None:
        return found
    if scope.school_ids:
        found += _of_school(session, round_, on)
    if scope.may(Action.UPDATE, Resource.SCORES):
        found += _of_office(session, round_, on)
    return [each for each in found if each.count]


def _of_school(session: Session, round_: Round, on: dt.date) -> Iterator[Waiting]:
    scope = scope_in(session)
    mine = session.scalars(select(Sheet).where(Sheet.round_id == round_.id, Sheet.school_id.in_(sorted(scope.school_ids))))
    sheets = {sheet.id for sheet in mine}
    standing = {key: step.move for key, step in workflow.standing(session, round_).items() if key in sheets}
    if round_.state is RoundState.OPEN and scope.may(Action.CREATE, Resource.SELF):
        filling = len(sheets) - sum(move is not SheetMove.RETURNED for move in standing.values())
        why = f"截止 {round_.self_due}" if round_.self_due else "填好后提交，由校长确认"
        back = any(move is SheetMove.RETURNED for move in standing.values())
        late = round_.self_due is not None and on > round_.self_due - SOON
        yield Waiting("self", "自评被退回，请修改" if back else "年度考核自评未提交", why, filling, back or late)
    if round_.state is RoundState.OPEN and scope.may(Action.CREATE, Resource.CONFIRMATIONS):
        submitted = sum(move is SheetMove.SUBMITTED for move in standing.values())
        yield Waiting("self", "自评待校长确认", "核对后确认，报送德育股", submitted, True)
    if round_.state is RoundState.PUBLICITY and round_.shown_until is not None and on <= round_.shown_until:
        yield Waiting("result", "考核结果公示", f"有异议的在 {round_.shown_until} 前申诉", len(sheets))


def _of_office(session: Session, round_: Round, on: dt.date) -> Iterator[Waiting]:
    waits = select(func.count(Appeal.id)).where(~Appeal.answers.any())
    late = session.scalar(waits.where(Appeal.due_on < on)) or 0
    yield Waiting("appeals", "申诉待答复", f"{late} 件已超期" if late else "期限见申诉", session.scalar(waits) or 0, bool(late))
    if round_.state is RoundState.OPEN and round_.self_due is not None and on > round_.self_due:
        yield Waiting("round", "自评逾期未提交", f"截止 {round_.self_due}", workflow.unconfirmed(session, round_), True)


def _of_leader(session: Session, round_: Round | None) -> Iterator[Waiting]:
    schemes = session.scalar(select(func.count(Scheme.id)).where(Scheme.state == SchemeState.SUBMITTED)) or 0
    yield Waiting("schemes", "考核方案待审批", "同意后由德育股锁定", schemes)
    if round_ is None:
        return
    in_review = round_.state is RoundState.REVIEW and workflow.leaders_word(session, round_) is None
    yield Waiting("round", "核查结果待复核", round_.title, int(in_review), True)
    yield Waiting(
        "round", "一票否决待确认", "须有文件，经分管领导确认才生效", len(workflow.unconfirmed_vetoes(session, round_)), True
    )
