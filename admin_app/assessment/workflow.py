"""A round from its scheme to its circular: who moves it on, what must be done before, and what each step leaves behind.

The eleven states of the rubric; which state may follow which, and what each takes, is in ``locking``. Never commits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..access import Action, Refused, scope_in
from ..models import (
    Adjustment,
    AdjustmentKind,
    Appeal,
    AppealAnswer,
    Approval,
    Decision,
    Indicator,
    OfficeScore,
    Round,
    RoundState,
    RoundStep,
    SelfScore,
    Sheet,
    SheetMove,
    SheetStep,
    Stage,
)
from ..orm import utcnow
from ..records import approvals, county
from ..rules import Complaint
from . import causes, freezing, patterns, results, snapshots
from .facts import Window
from .locking import MARKS, NEXT
from .results import Results, rule_of
from .scoring import Card, Status

S = RoundState
DAY = dt.timedelta(days=1)


# --- the round moves on


@dataclass(frozen=True)
class Act:
    """One step of a round: who takes it, on which day, and what is said with it.

    ``system``: a session bound to SYSTEM, for what is counted; ``session`` is the actor's, which writes.
    """

    session: Session
    system: Session
    round_: Round
    by: str
    today: dt.date
    words: str = ""
    document: str = ""
    """The minutes of the deciding meeting; at the circular, its number."""


def advance(act: Act, to: RoundState) -> RoundStep:
    """Move a round on.

    :raises Refused: for who may not.
    :raises Complaint: when it cannot go there from where it stands, or something must be done first; nothing is changed then.
    """
    if not scope_in(act.session).may(Action.PUBLISH, Round.RESOURCE):
        raise Refused("no right to move a round on")
    if to not in NEXT[act.round_.state]:
        raise Complaint(f"本轮现处“{act.round_.state}”，不能转入“{to}”。")
    if needed := BEFORE.get((act.round_.state, to)) or BEFORE.get((None, to)):
        needed(act)
    act.round_.state = to
    step = RoundStep(round_id=act.round_.id, state=to, words=act.words or None, by=act.by)
    act.session.add(step)
    return step


def _open(act: Act) -> None:
    open_sheets(act.session, act.round_)


def _freeze(act: Act) -> None:
    """The self-assessment closes: store every number and list of the round, and the children it counted."""
    open_sheets(act.session, act.round_)
    late = unconfirmed(act.session, act.round_)
    if late and not act.words:
        raise Complaint(f"还有 {late} 所学校的自评没有经校长确认；确要截止，请写明怎样处理。", "words")
    rules, schools = results.rules_of(act.system, act.round_), results.assessed(act.system)
    known = results.counted(act.system, act.system.get_one(Round, act.round_.id), schools, rules, lines=True)
    freezing.keep(act.session, act.round_, known.facts, known.applying, rules)
    act.round_.frozen_at = utcnow()
    snapshots.take(act.session, act.round_.scheme.definition, act.round_.cut_off, f"{act.round_.title}冻结", act.by, act.round_)


def _settled(act: Act) -> None:
    word = leaders_word(act.session, act.round_)
    if word is None or word.decision is not Decision.APPROVED:
        raise Complaint("分管领导还没有同意核查结果（同意后又改了复核分的要重新同意），不能转入审定。")


def _sent_back(act: Act) -> None:
    word = leaders_word(act.session, act.round_)
    if word is None or word.decision is not Decision.REFUSED:
        raise Complaint("分管领导没有退回，不能重新核查。")


def _decide(act: Act) -> None:
    """The leading group has decided: everything judged, every veto confirmed; the results are stored and shown."""
    if not act.document:
        raise Complaint("请填审定会议纪要的文号或名称。", "document")
    vetoes = unconfirmed_vetoes(act.session, act.round_)
    if vetoes:
        raise Complaint(f"还有 {len(vetoes)} 项一票否决没有经分管领导确认：{'、'.join(str(v.school) for v in vetoes[:5])}。")
    if cheats := causes.repeated_fraud(act.session, act.round_):
        raise Complaint(f"{'、'.join(cheats[:5])}两次弄虚作假，须登记一票否决，经分管领导确认。")
    found = results.score(act.system, act.system.get_one(Round, act.round_.id))
    _refuse_waiting(found)
    rules = results.rules_of(act.session, act.round_)
    own = frozenset(code for _i, rule in rules for code in rule.metrics if results.is_bureaus(code))
    freezing.renew(act.session, act.round_, found.facts, rules, own)
    freezing.keep_cards(act.session, act.round_, found.cards, "decided")
    calendar, days = Window.of(act.session, act.round_), county.number(act.session, "publicity_days")
    act.round_.minutes, act.round_.decided_at = act.document, utcnow()
    act.round_.shown_from = calendar.after_workdays(act.today - DAY, 1)
    act.round_.shown_until = calendar.after_workdays(act.round_.shown_from - DAY, days)


def _refuse_waiting(found: Results) -> None:
    waiting = [card for card in found.cards if card.waiting and card.grade != "不参评"]
    if waiting:
        names = "、".join(f"{card.name}（{card.waiting} 项）" for card in waiting[:5])
        raise Complaint(f"还有 {len(waiting)} 所学校有待评项，不能审定：{names}" + ("等。" if len(waiting) > 5 else "。"))


def _shown(act: Act) -> None:
    """:raises Complaint: while the publicity lasts."""
    if act.round_.shown_until is not None and act.today <= act.round_.shown_until:
        raise Complaint(f"公示到 {act.round_.shown_until} 为止，期满后再办。")


def _to_appeals(act: Act) -> None:
    _shown(act)
    if not unanswered(act.session, act.round_):
        raise Complaint("没有待答复的申诉，可以直接通报。")


def _applied(act: Act) -> None:
    if not act.words:
        raise Complaint("请写明结果怎样运用，如：已折算进年度考核，约谈 2 所。", "words")


def _circulate(act: Act) -> None:
    """The last word: every appeal answered, the final results stored under the number of the circular."""
    _shown(act)
    if n := unanswered(act.session, act.round_):
        raise Complaint(f"还有 {n} 件申诉没有答复，不能通报。")
    if not act.document:
        raise Complaint("请填通报的文号。", "document")
    found = results.score(act.system, act.system.get_one(Round, act.round_.id), lines=False)
    freezing.keep_cards(act.session, act.round_, found.cards, "card")
    act.round_.document, act.round_.published_at = act.document, utcnow()


BEFORE: Mapping[tuple[RoundState | None, RoundState], Callable[[Act], None]] = {
    (None, S.OPEN): _open,
    (None, S.CHECK): _freeze,
    (None, S.DECISION): _settled,
    (S.REVIEW, S.ON_SITE): _sent_back,
    (None, S.PUBLICITY): _decide,
    (None, S.APPEAL): _to_appeals,
    (None, S.PUBLISHED): _circulate,
    (None, S.APPLIED): _applied,
}
"""What a step asks for and does, by where the round comes from (None: from anywhere) and goes to."""


def open_sheets(session: Session, round_: Round) -> int:
    """A sheet for every assessed school that has none yet. Returns how many were made."""
    there = set(session.scalars(select(Sheet.school_id).where(Sheet.round_id == round_.id)))
    schools = results.assessed(session)
    new = [Sheet(round_id=round_.id, school_id=school.id) for school in schools if school.id not in there]
    session.add_all(new)
    session.flush()
    return len(new)


def trail(session: Session, round_: Round) -> list[tuple[dt.datetime, str, str, str]]:
    """How the round came to where it stands: (when, what, who, words), the leader's words among the office's steps."""
    moved = session.scalars(select(RoundStep).where(RoundStep.round_id == round_.id))
    found = [(step.created_at, step.state.label, step.by, step.words or "") for step in moved]
    found += [(said.created_at, f"分管领导{said.decision}", said.by, said.words or "") for said in approvals.of(session, round_)]
    return sorted(found)


def leaders_word(session: Session, round_: Round) -> Approval | None:
    """The leader's last word on the checked results since they were laid before them, or since a mark was changed after that."""
    laid = select(func.max(RoundStep.created_at)).where(RoundStep.round_id == round_.id, RoundStep.state == S.REVIEW)
    marked = (
        select(func.max(OfficeScore.created_at))
        .join(Sheet, Sheet.id == OfficeScore.sheet_id)
        .where(Sheet.round_id == round_.id, OfficeScore.stage == Stage.REVIEW)
    )
    since = max((at for at in (session.scalar(laid), session.scalar(marked)) if at), default=None)
    return approvals.word_on(session, round_, since)


def last_word(session: Session, round_: Round) -> Approval | None:
    """What the leader said last of a round, to whatever question."""
    return next(iter(approvals.of(session, round_)), None)


def settle(session: Session, round_: Round, *, approved: bool, words: str, by: str) -> None:
    """The leader agrees to what was checked, or sends it back.

    :raises Complaint: when the round is not in review, or goes back without a reason.
    """
    if round_.state is not S.REVIEW:
        raise Complaint("本轮不在复核阶段。")
    approvals.decide(session, round_, approved=approved, words=words, by=by)


def confirm_veto(session: Session, veto: Adjustment, *, approved: bool, words: str, by: str) -> None:
    """A veto bites when the leader confirms it (the rubric: a document and the leader's confirmation, not a clerk's tick).

    :raises Complaint: for what is no veto, after the decision, or for a no without a reason.
    """
    if veto.kind is not AdjustmentKind.VETO:
        raise Complaint("只有一票否决须经分管领导确认。")
    if veto.round.decided_at is not None:
        raise Complaint("本轮已审定，不能再改。")
    approvals.decide(session, veto, approved=approved, words=words, by=by)


def unconfirmed_vetoes(session: Session, round_: Round) -> list[Adjustment]:
    """Vetoes the leader has not decided on yet; one that was refused waits no more."""
    vetoes = session.scalars(select(Adjustment).where(Adjustment.round_id == round_.id, Adjustment.kind == AdjustmentKind.VETO))
    said = approvals.words(session, Adjustment.__tablename__)
    return [veto for veto in vetoes if veto.id not in said]


def unanswered(session: Session, round_: Round) -> int:
    """How many appeals of a round wait for an answer."""
    mine = select(func.count(Appeal.id)).join(Sheet, Sheet.id == Appeal.sheet_id).where(Sheet.round_id == round_.id)
    return session.scalar(mine.where(~Appeal.answers.any())) or 0


# --- a school assesses itself


def standing(session: Session, round_: Round) -> dict[int, SheetStep]:
    """The last step of each sheet that has taken one; the others are still being filled in."""
    mine = select(SheetStep).join(Sheet, Sheet.id == SheetStep.sheet_id).where(Sheet.round_id == round_.id)
    return {step.sheet_id: step for step in session.scalars(mine.order_by(SheetStep.id))}


def handed_in(session: Session, sheet: Sheet) -> SheetStep | None:
    return standing(session, sheet.round).get(sheet.id)


def unconfirmed(session: Session, round_: Round) -> int:
    """How many schools' self-assessments no headteacher has confirmed."""
    sheets = session.scalar(select(func.count(Sheet.id)).where(Sheet.round_id == round_.id)) or 0
    return sheets - sum(step.move is SheetMove.CONFIRMED for step in standing(session, round_).values())


def is_filling(session: Session, sheet: Sheet) -> bool:
    """May the school still write its self-assessment?"""
    step = handed_in(session, sheet)
    return sheet.round.state is S.OPEN and (step is None or step.is_open)


def assess_self(session: Session, sheet: Sheet, indicator: Indicator, points: Decimal | None, words: str, by: str) -> None:
    """A school's own points where a person judges; computed items are not its to score.

    :raises Complaint: once it is handed in, for what is computed, out of bounds, or below the maximum without an account.
    """
    if not is_filling(session, sheet):
        raise Complaint("自评已经提交，不能再改；要改请联系德育股退回。")
    _refuse_heading(indicator)
    most = rule_of(indicator).judged_points
    if not most:
        raise Complaint(f"{indicator.code} 由系统计算，不能自评。")
    _bounds(indicator, points, most, words, "请写自查问题")
    last = session.scalar(
        select(SelfScore)
        .where(SelfScore.sheet_id == sheet.id, SelfScore.indicator_id == indicator.id)
        .order_by(SelfScore.id.desc())
        .limit(1)
    )
    if (last.points if last else None, (last.words if last else None) or "") != (points, words):
        session.add(
            SelfScore(
                sheet_id=sheet.id, indicator_id=indicator.id, school_id=sheet.school_id, points=points, words=words or None, by=by
            )
        )


def submit(session: Session, sheet: Sheet, card: Card, by: str) -> SheetStep:
    """Hand the self-assessment in, with a copy of the numbers of this moment.

    :param card: the school's own card (``results.self_cards``).
    :raises Complaint: when it is in already, or an item that a person judges has no self-score.
    """
    if not is_filling(session, sheet):
        raise Complaint("自评已经提交。")
    if card.waiting:
        codes = "、".join(item.code for item in card.items if item.status is Status.MISSING)
        raise Complaint(f"已保存，还不能提交：还有 {card.waiting} 项没有自评：{codes}。")
    return _step(session, sheet, SheetMove.SUBMITTED, "", by, freezing.plain_card(card))


def confirm(session: Session, sheet: Sheet, by: str) -> SheetStep:
    """The headteacher stands for it.

    :raises Complaint: when nothing waits for a confirmation.
    """
    step = handed_in(session, sheet)
    if step is None or step.move is not SheetMove.SUBMITTED:
        raise Complaint("没有待确认的自评。")
    return _step(session, sheet, SheetMove.CONFIRMED, "", by, step.card)


def decline(session: Session, sheet: Sheet, words: str, by: str) -> SheetStep:
    """The headteacher does not stand for it: back to the secretary.

    :raises Complaint: when nothing waits for a confirmation, or without a reason.
    """
    step = handed_in(session, sheet)
    if step is None or step.move is not SheetMove.SUBMITTED:
        raise Complaint("没有待确认的自评。")
    if not words:
        raise Complaint("退回须写明要改什么。", "words")
    return _step(session, sheet, SheetMove.DECLINED, words, by, None)


def send_back(session: Session, sheet: Sheet, words: str, by: str) -> SheetStep:
    """The bureau sends it back to be mended.

    :raises Complaint: when it is not in, the self-assessment is closed, or without a reason.
    """
    step = handed_in(session, sheet)
    if step is None or step.is_open:
        raise Complaint("该校没有提交自评。")
    if not words:
        raise Complaint("退回须写明要改什么。", "words")
    return _step(session, sheet, SheetMove.RETURNED, words, by, None)


def _step(session: Session, sheet: Sheet, move: SheetMove, words: str, by: str, card: dict[str, Any] | None) -> SheetStep:
    step = SheetStep(sheet_id=sheet.id, school_id=sheet.school_id, move=move, words=words or None, by=by, card=card)
    session.add(step)
    return step


# --- the bureau judges


def stage_of(round_: Round) -> Stage | None:
    """At which step the bureau's marks are given now; those of an appeal come with its answer."""
    return next((stage for stage, states in MARKS.items() if round_.state in states and stage is not Stage.APPEAL), None)


def judge(
    session: Session,
    sheet: Sheet,
    indicator: Indicator,
    points: Decimal | None,
    reason: str,
    by: str = "",
    *,
    known_new: bool = False,
) -> None:
    """Give the bureau's points for an item at the step the round is in, or take them back (None); the same again is nothing new.

    :param known_new: there is no earlier mark to look for.
    :raises Complaint: above the maximum, below zero, below the maximum without a reason, or when the round takes no marks.
    """
    _refuse_heading(indicator)
    stage = stage_of(sheet.round)
    if stage is None:
        raise Complaint(f"本轮现处“{sheet.round.state}”，不能评分。")
    most = rule_of(indicator).judged_points or indicator.points  # of a partly computed item a person judges its part
    _bounds(indicator, points, most, reason, "请写扣分原因")
    last = None if known_new else newest_mark(session, sheet, indicator)
    if last is None and points is None:
        return
    if last is not None and (last.points, last.reason or "") == (points, reason.strip()):
        return
    session.add(
        OfficeScore(
            sheet_id=sheet.id, indicator_id=indicator.id, school_id=sheet.school_id, stage=stage, points=points,
            reason=reason.strip() or None, by=by,
        )
    )  # fmt: skip


def newest_mark(session: Session, sheet: Sheet, indicator: Indicator) -> OfficeScore | None:
    mine = select(OfficeScore).where(OfficeScore.sheet_id == sheet.id, OfficeScore.indicator_id == indicator.id)
    return session.scalar(mine.order_by(OfficeScore.id.desc()).limit(1))


def _refuse_heading(indicator: Indicator) -> None:
    if indicator.pattern is None:
        raise Complaint(f"{indicator.code} 是一级指标，分数由其下各项加出。")


def _bounds(indicator: Indicator, points: Decimal | None, most: Decimal, reason: str, why: str) -> None:
    if points is None:
        return
    if not 0 <= points <= most:
        raise Complaint(f"{indicator.code} 的分数应在 0 至 {most} 之间。")
    if patterns.cents(points) != points:
        raise Complaint(f"{indicator.code} 的分数最多两位小数。")
    if points < most and not reason.strip():
        raise Complaint(f"{indicator.code} 低于满分，{why}。")


# --- a school contests an item


def appeal(session: Session, row: Appeal, today: dt.date) -> None:
    """Fill in what an appeal needs to stand: its day, and by when it must be answered.

    :raises Complaint: outside the publicity, for an item that does not apply, or while another one waits for the same item.
    """
    round_ = row.sheet.round
    if round_.state is not S.PUBLICITY or round_.shown_until is None or today > round_.shown_until:
        until = f"，申诉期到 {round_.shown_until} 为止" if round_.shown_until else ""
        raise Complaint(f"只能在公示期内申诉{until}。")
    decided = freezing.read_card(row.sheet.decided) if row.sheet.decided else None
    item = next((item for item in decided.items if item.code == row.indicator.code), None) if decided else None
    if item is None or not item.max:
        raise Complaint("请选本校适用的指标。", "indicator")
    if row.wanted is not None and not 0 <= row.wanted <= item.max:
        raise Complaint(f"认为应得的分数应在 0 至 {item.max} 之间。", "wanted")
    same = select(Appeal.id).where(
        Appeal.sheet_id == row.sheet.id, Appeal.indicator_id == row.indicator.id, Appeal.id != (row.id or 0), ~Appeal.answers.any()
    )
    with session.no_autoflush:
        if session.scalar(same.limit(1)) is not None:
            raise Complaint("这一项已有待答复的申诉，请直接修改原申诉。", "indicator")
    days = county.number(session, "appeal_days")
    row.school_id = row.sheet.school_id
    row.on = row.on or today
    row.due_on = Window.of(session, round_).after_workdays(row.on, days)


def answer(session: Session, system: Session, row: Appeal, *, points: Decimal | None, words: str, by: str) -> AppealAnswer:
    """Answer an appeal: with the points the whole item now gets, or None to uphold. The old score stays beside the new one.

    :raises Complaint: when it is answered, the points are out of bounds or the same, or without words.
    """
    if row.answers:
        raise Complaint("该申诉已经答复。")
    if not words:
        raise Complaint("请写明复查情况和理由。", "words")
    sheet, indicator = row.sheet, row.indicator
    card = results.score(system, system.get_one(Round, sheet.round_id), lines=False).by_school[sheet.school_id]
    item = next(item for item in card.items if item.code == indicator.code)
    if points is not None:
        if not 0 <= points <= item.max or patterns.cents(points) != points:
            raise Complaint(f"复查得分应在 0 至 {item.max} 之间，最多两位小数。", "points")
        if points == item.score:
            raise Complaint("复查得分与原得分相同，请选维持。", "points")
        session.add(
            OfficeScore(
                sheet_id=sheet.id, indicator_id=indicator.id, school_id=sheet.school_id, stage=Stage.APPEAL, points=points,
                whole=True, reason=words[:300], by=by,
            )
        )  # fmt: skip
    given = AppealAnswer(
        appeal_id=row.id, school_id=row.school_id, changed=points is not None, was=item.score, now=points if points is not None else item.score,
        words=words, by=by,
    )  # fmt: skip
    session.add(given)
    return given


__all__ = ["Act", "advance", "answer", "appeal", "assess_self", "confirm", "judge", "open_sheets", "send_back", "settle", "submit"]
