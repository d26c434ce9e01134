"""Papers handed in and answered, the duty table, what came of the help plans."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from ..models import BY_TOWNSHIP, Body, HelpPlan, Outcome, Paper, PaperKind, PaperState, Post, RuleKind, School
from ..rules import Complaint, years_before


def states(session: Session, ids: list[int]) -> dict[int, PaperState]:
    return dict(session.execute(select(Paper.id, Paper.state).where(Paper.id.in_(ids))).all())


def submit(paper: Paper, on: dt.date) -> None:
    """Hand a draft or a returned paper in.

    :raises Complaint: when it has been handed in already.
    """
    if paper.state not in (PaperState.DRAFT, PaperState.RETURNED):
        raise Complaint("该文件已提交，不必再交。")
    paper.state, paper.submitted_on = PaperState.SUBMITTED, on
    paper.answered_on = paper.answer = None


def answer(paper: Paper, *, filed: bool, words: str, on: dt.date) -> None:
    """File a paper that was handed in, or return it with what to change.

    :raises Complaint: when it was not handed in, or is returned without a word.
    """
    if paper.state is not PaperState.SUBMITTED:
        raise Complaint("只有已提交的文件可以备案或退回。")
    if not filed and not words:
        raise Complaint("退回须写明要改什么。")
    paper.state = PaperState.FILED if filed else PaperState.RETURNED
    paper.answered_on, paper.answer = on, words or None


def duty_table(session: Session, school_id: int, on: dt.date) -> list[Post]:
    """Who holds which post at a school on a day, by group and rank (the plan, 三(一) 明确工作职责)."""
    held = select(Post).where(Post.school_id == school_id, Post.start <= on, or_(Post.end.is_(None), Post.end > on))
    order = {body: n for n, body in enumerate(Body)}
    rank = ["head", "deputy", "office", "member", None]
    return sorted(session.scalars(held), key=lambda p: (order[p.body], rank.index(p.rank.value if p.rank else None), p.start, p.id))


def reconfirm(paper: Paper, on: dt.date) -> None:
    """A rule that still holds is confirmed once a year (the plan, 四 长效机制); its text stays as filed.

    :raises Complaint: for anything but a rule.
    """
    if paper.kind is not PaperKind.RULE:
        raise Complaint("只有制度需要每年确认。")
    paper.revised_on = on


def rules_lacking(session: Session, school_id: int) -> list[RuleKind]:
    """Which of the six rules a school has not written down."""
    written = set(session.scalars(select(Paper.rule).where(Paper.school_id == school_id, Paper.kind == PaperKind.RULE)))
    return [kind for kind in RuleKind if kind is not RuleKind.OTHER and kind not in written]


def rules_to_confirm(on: dt.date) -> Select[Any]:
    """Rules neither written nor confirmed for a year."""
    return select(Paper.id).where(Paper.kind == PaperKind.RULE, func.coalesce(Paper.revised_on, Paper.on) < years_before(on, 1))


@dataclass(frozen=True)
class Effect:
    """What came of the help plans of one school in one term."""

    school: School
    plans: int
    better: int
    same: int
    worse: int

    @property
    def open(self) -> int:
        return self.plans - self.better - self.same - self.worse


def effects(session: Session, term_id: int) -> list[Effect]:
    """帮扶效果 by school: plans of a term and their outcome (the plan, 二 and 四)."""
    counted = select(HelpPlan.school_id, HelpPlan.outcome, func.count(HelpPlan.id)).where(HelpPlan.term_id == term_id)
    found: dict[int, Counter[Outcome | None]] = {}
    for school, outcome, n in session.execute(counted.group_by(HelpPlan.school_id, HelpPlan.outcome)):
        found.setdefault(school, Counter())[outcome] += n
    schools = session.scalars(select(School).where(School.id.in_(found)).order_by(*BY_TOWNSHIP))
    order = (Outcome.BETTER, Outcome.SAME, Outcome.WORSE)
    return [Effect(s, found[s.id].total(), *(found[s.id][each] for each in order)) for s in schools]
