"""A round walked from step to step, as the office and the leader would."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import results, workflow
from admin_app.db import session_with

S = m.RoundState
PATH = (S.SET_UP, S.OPEN, S.CHECK, S.ON_SITE, S.REVIEW, S.DECISION, S.PUBLICITY, S.PUBLISHED, S.APPLIED)
MONDAY = dt.date(2026, 9, 7)


def judge_everything(session, ids):
    """The round with marks for all that a person judges, on every sheet."""
    round_ = session.get(m.Round, ids.round)
    workflow.open_sheets(session, round_)
    found = results.score(session, round_)
    indicators = {i.code: i for i in session.scalars(select(m.Indicator))}
    for sheet in session.scalars(select(m.Sheet).where(m.Sheet.round_id == round_.id)):
        for item in found.by_school[sheet.school_id].items:
            if item.status == "missing":
                workflow.judge(session, sheet, indicators[item.code], item.by_hand - Decimal("0.5"), "材料不全")
    session.commit()
    return round_


def step(session, round_, to, *, words="逾期未报的按核查分计", document="新教发〔2026〕9号", on=MONDAY, by="股员"):
    """One step, committed."""
    with session_with(SYSTEM) as reading:
        act = workflow.Act(session, reading, session.merge(round_), by, on, words, document)
        workflow.advance(act, to)
        session.commit()


def walk(session, round_, to):
    """On to a state, with the leader's word and the days of the publicity in between."""
    while round_.state is not to:
        following = PATH[PATH.index(round_.state) + 1]
        if following is S.DECISION:
            workflow.settle(session, round_, approved=True, words="", by="局长")
            session.commit()
        on = round_.shown_until + dt.timedelta(days=1) if following is S.PUBLISHED else MONDAY
        step(session, round_, following, on=on)
        session.refresh(round_)
