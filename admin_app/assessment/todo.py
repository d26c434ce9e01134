"""What of the assessment waits for this actor: a self-assessment to fill in, a result to confirm, an appeal to answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..access import Action, scope_in
from ..models import Appeal, Decision, Resource, Round, RoundState, Scheme, SchemeState, Sheet, SheetMove
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
        return [each for each in found if each.count]
    if scope.school_ids:
        found += _of_school(session, round_, on)
    if scope.may(Action.UPDATE, Resource.SCORES):
        found += _of_office(session, round_, on)
    return [each for each in found if each.count]


def _of_school(session: Session, round_: Round, on: dt.date) -> Iterator[Waiting]:
    scope = scope_in(session)
    mine = session.scalars(select(Sheet).where(Sheet.round_id == round_.id, Sheet.school_id.in_(sorted(scope.school_ids))))
    sheets = {sheet.id for sheet in mine}
    steps = {key: step for key, step in workflow.standing(session, round_).items() if key in sheets}
    if round_.state is RoundState.OPEN and scope.may(Action.CREATE, Resource.SELF):
        filling = len(sheets) - sum(not step.is_open for step in steps.values())
        why = f"截止 {round_.self_due}" if round_.self_due else "填好后提交，由校长确认"
        back = any(step.is_open for step in steps.values())
        late = round_.self_due is not None and on > round_.self_due - SOON
        yield Waiting("self", "自评被退回，请修改" if back else "年度考核自评未提交", why, filling, back or late)
        waits = sum(step.move is SheetMove.SUBMITTED for step in steps.values())
        yield Waiting("self", "自评已提交，待校长确认", "校长在考核评分中确认", waits)
    if round_.state is RoundState.OPEN and scope.may(Action.CREATE, Resource.CONFIRMATIONS):
        submitted = sum(step.move is SheetMove.SUBMITTED for step in steps.values())
        yield Waiting("self", "自评待校长确认", "核对后确认，报送德育股", submitted, True)
    if round_.state is RoundState.PUBLICITY and round_.shown_until is not None and on <= round_.shown_until:
        yield Waiting("result", "考核结果公示", f"有异议的在 {round_.shown_until} 前申诉", len(sheets))
    if round_.state in (RoundState.PUBLICITY, RoundState.APPEAL):
        answered = select(func.count(Appeal.id)).where(Appeal.sheet_id.in_(sheets), Appeal.answers.any())
        yield Waiting("appeals", "申诉已答复", "看答复和复查得分", session.scalar(answered) or 0)


def _of_office(session: Session, round_: Round, on: dt.date) -> Iterator[Waiting]:
    waits = select(func.count(Appeal.id)).where(~Appeal.answers.any())
    late = session.scalar(waits.where(Appeal.due_on < on)) or 0
    yield Waiting("appeals", "申诉待答复", f"{late} 件已超期" if late else "期限见申诉", session.scalar(waits) or 0, bool(late))
    if words := _next_step(session, round_, on):
        yield Waiting("round", f"{round_.state}：{words}", round_.title, 1)
    if round_.state is RoundState.OPEN and round_.self_due is not None and on > round_.self_due:
        yield Waiting("round", "自评逾期未提交", f"截止 {round_.self_due}", workflow.unconfirmed(session, round_), True)


def _next_step(session: Session, round_: Round, on: dt.date) -> str:
    """Whose turn it is, when it is the office's: one line a state."""
    match round_.state:
        case RoundState.SET_UP:
            return "可以开始学校自评"
        case RoundState.CHECK:
            return "填初核分，查明自评差异"
        case RoundState.ON_SITE:
            last = workflow.last_word(session, round_)
            again = last is not None and last.decision is Decision.REFUSED
            return "分管领导退回，请重新核查" if again else "到校抽查，填核查分"
        case RoundState.REVIEW:
            word = workflow.leaders_word(session, round_)
            return (
                ""
                if word is None
                else "分管领导已同意，可转入审定"
                if word.decision is Decision.APPROVED
                else "分管领导已退回，请转回核查"
            )
        case RoundState.DECISION:
            return "填审定分，存定成绩并公示"
        case RoundState.PUBLICITY | RoundState.APPEAL:
            over = round_.shown_until is not None and on > round_.shown_until
            return "公示期满，答复完申诉后可以通报" if over else ""
    return ""


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
