"""What may still be written of a scheme and of a round, in which state; held at every flush, whoever asks and by whatever way.

A locked scheme never changes. A round takes from the schools while they assess themselves, from the bureau until the
decision, answers to appeals after it, and nothing once it is circulated. What was said is never said otherwise: a second
thought is a second row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from .. import labels
from ..access import OutOfScope, scope_in
from ..models import (
    Adjustment,
    Appeal,
    AppealAnswer,
    Approval,
    Evidence,
    Indicator,
    Inspected,
    Inspection,
    ItemScore,
    OfficeScore,
    Round,
    RoundState,
    RoundStep,
    Scheme,
    SchemeState,
    School,
    SelfScore,
    Sheet,
    SheetStep,
    Stage,
)
from ..orm import Base, changed_rows
from ..rules import Complaint

S = RoundState
NEXT: Mapping[RoundState, tuple[RoundState, ...]] = {
    S.SET_UP: (S.OPEN,),
    S.OPEN: (S.CHECK,),
    S.CHECK: (S.ON_SITE,),
    S.ON_SITE: (S.REVIEW,),
    S.REVIEW: (S.DECISION, S.ON_SITE),
    S.DECISION: (S.PUBLICITY,),
    S.PUBLICITY: (S.APPEAL, S.PUBLISHED),
    S.APPEAL: (S.PUBLISHED,),
    S.PUBLISHED: (S.APPLIED,),
    S.APPLIED: (),
}
"""Where a round may go from where it stands."""
NOT_YET_DECIDED = frozenset({S.OPEN, S.CHECK, S.ON_SITE, S.REVIEW, S.DECISION})
NOT_YET_CIRCULATED = (NOT_YET_DECIDED - {S.OPEN}) | {S.PUBLICITY, S.APPEAL}
"""Frozen, and its ranking not final."""
TAKES: Mapping[type[Base], frozenset[RoundState]] = {
    SelfScore: frozenset({S.OPEN}),
    SheetStep: frozenset({S.OPEN}),
    Evidence: frozenset({S.OPEN}),
    ItemScore: frozenset({S.OPEN, S.DECISION}),
    Inspection: NOT_YET_DECIDED,
    Inspected: NOT_YET_DECIDED,
    Adjustment: NOT_YET_DECIDED,
    Appeal: frozenset({S.PUBLICITY}),
    AppealAnswer: frozenset({S.PUBLICITY, S.APPEAL}),
}
"""In which states of its round a row may be written. Of the counted scores: at the freeze, and the bureau's own at the decision."""
MARKS: Mapping[Stage, frozenset[RoundState]] = {
    Stage.CHECK: frozenset({S.OPEN, S.CHECK}),
    Stage.ON_SITE: frozenset({S.ON_SITE}),
    Stage.REVIEW: frozenset({S.REVIEW}),
    Stage.FINAL: frozenset({S.DECISION}),
    Stage.APPEAL: frozenset({S.PUBLICITY, S.APPEAL}),
}
RESULTS = {"decided": frozenset({S.DECISION}), "card": frozenset({S.PUBLICITY, S.APPEAL})}
"""When the results on a sheet are filled in, each once."""
NEVER_CHANGED = (Approval, RoundStep, SheetStep, SelfScore, OfficeScore, AppealAnswer)
ABOUT_ITEMS = (SelfScore, SheetStep, OfficeScore, Evidence)
"""What is said about the items of a scheme: from then on the round keeps it."""
MEASURE = ("code", "scheme_id", "start", "last_day", "cut_off")
"""What a round is measured by: fixed by the freeze."""


def watch(session_class: type[Session]) -> None:
    event.listen(session_class, "before_flush", _before_flush, propagate=True)


def takes(kind: type[Base] | Stage, round_: Round) -> bool:
    """May rows of this kind (marks of this stage) be written while the round stands where it does?"""
    return round_.state in (MARKS[kind] if isinstance(kind, Stage) else TAKES[kind])


def _before_flush(session: Session, _context: Any, _instances: Any) -> None:
    if scope_in(session).erasing:  # names go out of frozen lists; no number changes
        return
    for row in (*session.new, *changed_rows(session), *session.deleted):
        if isinstance(row, Scheme | Indicator):
            _refuse_locked(session, row)
        elif isinstance(row, Round):
            _refuse_move(session, row, new=row in session.new)
        elif isinstance(row, School):
            _refuse_regrouping(session, row)
        elif isinstance(row, (Sheet, OfficeScore, *TAKES)):
            _refuse_closed(session, row, new=row in session.new)
        if isinstance(row, NEVER_CHANGED) and row not in session.new:
            raise Complaint(f"{labels.of_table(row.__tablename__)}只增不改；要更正请另记一条。")


def _refuse_locked(session: Session, row: Scheme | Indicator) -> None:
    """:raises Complaint: when the scheme was locked before this flush."""
    scheme = row if isinstance(row, Scheme) else row.scheme or session.get(Scheme, row.scheme_id)
    if scheme is not None and scheme not in session.new and _was(scheme, "state") is SchemeState.LOCKED:
        raise Complaint("方案已锁定，不能再改。请复制为新版本，并写明修订原因。")


def _refuse_move(session: Session, round_: Round, *, new: bool) -> None:
    """:raises Complaint: when a round skips a step or goes back, is measured otherwise after the freeze, or by another scheme once
    something was said about its items."""
    if new:
        return
    was = _was(round_, "state")
    if round_.state is not was and round_.state not in NEXT[was]:
        raise Complaint(f"本轮现处“{was}”，不能转入“{round_.state}”。")
    if was not in (S.SET_UP, S.OPEN) and any(_is_changed(round_, name) for name in MEASURE):
        raise Complaint("本轮已冻结，方案和日期不能再改。")
    if _is_changed(round_, "scheme_id") and any(_has(session, kind, Sheet.round_id == round_.id) for kind in ABOUT_ITEMS):
        raise Complaint("本轮已有自评、评分或佐证材料，不能再换方案。")


def _refuse_regrouping(session: Session, school: School) -> None:
    """:raises Complaint: when a school leaves its group, or the assessment, while the results of a round depend on it."""
    if not (_is_changed(school, "assessed") or _is_changed(school, "school_group")):
        return
    mine = (Sheet.school_id == school.id, Sheet.round_id == Round.id)
    if _has(session, Round, *mine, Round.state.in_(NOT_YET_CIRCULATED)):
        raise Complaint("本校正在考核：冻结以后、通报以前，考核单位和考核组别不能改，否则名次随之变动。请在通报后再改。")
    if not school.assessed and _has(session, SheetStep, *mine, Round.state == S.OPEN):
        raise Complaint("本校已经提交自评，通报以前仍是考核单位。")


def _has(session: Session, kind: type[Base], *criteria: Any) -> bool:
    """Is there any such row? Of what was said about a sheet, joined to it."""
    asked = select(kind.id).where(*criteria)  # type: ignore[attr-defined]
    with session.no_autoflush:
        return session.scalar((asked if kind is Round else asked.where(kind.sheet_id == Sheet.id)).limit(1)) is not None  # type: ignore[attr-defined]


def _refuse_closed(session: Session, row: Any, *, new: bool) -> None:
    """:raises Complaint: when the round does not take this (any more), or not yet."""
    state = _was(_round_of(session, row), "state")
    if isinstance(row, Sheet):
        wrong = any(_is_changed(row, name) and state not in when for name, when in RESULTS.items())
        wrong = wrong and not (new and row.decided is None and row.card is None)
    elif isinstance(row, Inspection) and row.sample and any(_is_changed(row, name) for name in ("round_id", "school_id", "lot")):
        raise Complaint("已经抽取了儿童，轮次、学校、抽签号不能再改；要重抽请另建一次抽查。")
    else:
        wrong = state not in (MARKS[row.stage] if isinstance(row, OfficeScore) else TAKES[type(row)])
    if wrong:
        what = row.stage.label if isinstance(row, OfficeScore) else labels.of_table(row.__tablename__)
        raise Complaint(f"本轮现处“{state}”，不能登记或改动{what}。")


def _round_of(session: Session, row: Any) -> Round:
    """The round a row belongs to, by its own key, its sheet's, its inspection's or its appeal's.

    :raises OutOfScope: when it hangs on a row the actor cannot see.
    """
    for name, model in (("sheet", Sheet), ("inspection", Inspection), ("appeal", Appeal), ("round", Round)):
        if hasattr(row, f"{name}_id"):
            with session.no_autoflush:
                above = getattr(row, name, None) or session.get(model, getattr(row, f"{name}_id"))
            if above is None:
                raise OutOfScope("a row of another school")
            return above if isinstance(above, Round) else _round_of(session, above)
    raise AssertionError(f"{row} belongs to no round")


def _is_changed(row: Any, name: str) -> bool:
    """Is the column about to change? A key also when its row was set instead: it follows during the flush only."""
    attributes = inspect(row).attrs
    both = (attributes[name], attributes.get(name.removesuffix("_id")))
    return any(each.load_history().has_changes() for each in both if each is not None)


def _was(row: Any, name: str) -> Any:
    """What a column holds in the database; of a new row, what it is about to hold."""
    history = inspect(row).attrs[name].load_history()
    return (history.deleted or history.unchanged or history.added or [None])[0]


__all__ = ["MARKS", "NEXT", "NOT_YET_DECIDED", "TAKES", "takes", "watch"]
