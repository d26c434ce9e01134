"""What may still be written of a scheme and of a round, in which state; held at every flush, whoever asks and by whatever way.

A locked scheme never changes. A round takes from the schools while they assess themselves, from the bureau until the
decision, answers to appeals after it, and nothing once it is circulated. What was said is never said otherwise: a second
thought is a second row (rubric §5.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from .. import labels
from ..access import OutOfScope
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
    SelfScore,
    Sheet,
    SheetStep,
    Stage,
)
from ..orm import Base
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
MEASURE = ("code", "scheme_id", "start", "last_day", "cut_off")
"""What a round is measured by: fixed by the freeze."""


def watch(session_class: type[Session]) -> None:
    event.listen(session_class, "before_flush", _before_flush, propagate=True)


def takes(kind: type[Base] | Stage, round_: Round) -> bool:
    """May rows of this kind (marks of this stage) be written while the round stands where it does?"""
    return round_.state in (MARKS[kind] if isinstance(kind, Stage) else TAKES[kind])


def _before_flush(session: Session, _context: Any, _instances: Any) -> None:
    changed = [row for row in session.dirty if session.is_modified(row)]
    for row in (*session.new, *changed, *session.deleted):
        if isinstance(row, Scheme | Indicator):
            _refuse_locked(session, row)
        elif isinstance(row, Round):
            _refuse_move(row, new=row in session.new)
        elif isinstance(row, (Sheet, OfficeScore, *TAKES)):
            _refuse_closed(session, row, new=row in session.new)
        if isinstance(row, NEVER_CHANGED) and row not in session.new:
            raise Complaint(f"{labels.of_table(row.__tablename__)}只增不改；要更正请另记一条。")


def _refuse_locked(session: Session, row: Scheme | Indicator) -> None:
    """:raises Complaint: when the scheme was locked before this flush."""
    scheme = row if isinstance(row, Scheme) else row.scheme or session.get(Scheme, row.scheme_id)
    if scheme is not None and scheme not in session.new and _was(scheme, "state") is SchemeState.LOCKED:
        raise Complaint("方案已锁定，不能再改。请复制为新版本，并写明修订原因。")


def _refuse_move(round_: Round, *, new: bool) -> None:
    """:raises Complaint: when a round skips a step or goes back, or is measured otherwise after the freeze."""
    if new:
        return
    was = _was(round_, "state")
    if round_.state is not was and round_.state not in NEXT[was]:
        raise Complaint(f"本轮现处“{was}”，不能转入“{round_.state}”。")
    if was not in (S.SET_UP, S.OPEN) and any(inspect(round_).attrs[name].history.has_changes() for name in MEASURE):
        raise Complaint("本轮已冻结，方案和日期不能再改。")


def _refuse_closed(session: Session, row: Any, *, new: bool) -> None:
    """:raises Complaint: when the round does not take this (any more), or not yet."""
    state = _was(_round_of(session, row), "state")
    if isinstance(row, Sheet):
        wrong = any(inspect(row).attrs[name].history.has_changes() and state not in when for name, when in RESULTS.items())
        wrong = wrong and not (new and row.decided is None and row.card is None)
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


def _was(row: Any, name: str) -> Any:
    """What a column holds in the database; of a new row, what it is about to hold."""
    history = inspect(row).attrs[name].history
    return (history.deleted or history.unchanged or history.added or [None])[0]


__all__ = ["MARKS", "NEXT", "NOT_YET_DECIDED", "TAKES", "takes", "watch"]
