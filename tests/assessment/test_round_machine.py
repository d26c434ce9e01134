"""Whatever seven people try, in whatever order: no role reaches a state or writes a value it may not, nothing that was said is
lost, and a circulated round never changes. Each acts below the screens, in a session with the own scope and no other.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from admin_app import models as m
from admin_app.access import SYSTEM, Refused
from admin_app.assessment import freezing, results, workflow
from admin_app.assessment.locking import NEXT
from admin_app.db import db, session_with
from admin_app.rules import Complaint
from tests.conftest import scope_of

S = m.RoundState
WHO = ("office", "leader", "secretary_a", "secretary_b", "principal_a", "counsellor_a", "admin")
CODES = ("A1.4", "A4.2", "A2.2", "A7.4")
SAID = (m.OfficeScore, m.SelfScore, m.SheetStep, m.RoundStep, m.Approval, m.AppealAnswer)
MAY = {
    "judge": {"office"}, "move": {"office"}, "send_back": {"office"}, "adjust": {"office"}, "answer": {"office"},
    "self": {"secretary_a"}, "decline": {"principal_a"}, "submit": {"secretary_a"}, "contest": {"secretary_a"}, "confirm": {"principal_a"},
    "settle": {"leader"}, "veto": {"leader"},
}  # fmt: skip
"""Who may do what to the sheet of school A, written down here apart from the product's own table."""
WHEN = {
    "judge": {S.OPEN, S.CHECK, S.ON_SITE, S.REVIEW, S.DECISION}, "self": {S.OPEN}, "submit": {S.OPEN}, "confirm": {S.OPEN},
    "send_back": {S.OPEN}, "decline": {S.OPEN}, "adjust": {S.OPEN, S.CHECK, S.ON_SITE, S.REVIEW, S.DECISION}, "contest": {S.PUBLICITY},
    "answer": {S.PUBLICITY, S.APPEAL}, "settle": {S.REVIEW}, "veto": {S.OPEN, S.CHECK, S.ON_SITE, S.REVIEW, S.DECISION},
}  # fmt: skip
BEFORE = ("self submit confirm send_back", "self submit decline", "submit confirm", "veto")


class Round(RuleBasedStateMachine):
    """``ids`` and ``restore`` are set by the test."""

    ids: Any
    restore: Any
    reached: ClassVar[set[Any]] = set()
    done: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.restore()
        self.today = dt.date(2026, 9, 7)
        self.state = S.OPEN
        self.said = self._count()
        self.circulated: Any = None
        self.spoken = 0

    def _act(self, who: str, what: str, act: Any) -> bool:
        """One attempt in the person's own session: done, or refused and nothing of it kept."""
        with session_with(scope_of(self.ids, who), writes=True) as session, session_with(SYSTEM) as system:
            try:
                act(session, system)
                session.commit()
            except (Complaint, Refused):
                session.rollback()
                return False
        self.done.add(what)
        assert who in MAY[what], f"{who} could {what}"
        assert what == "move" or self.state in WHEN[what], f"{who} could {what} in {self.state}"
        return True

    def _new_words(self) -> str:
        """Saying the same again is nothing new, and nobody is refused for it."""
        self.spoken += 1
        return f"理由{self.spoken}"

    def _count(self) -> dict[Any, int]:
        with session_with(SYSTEM) as session:
            return {kind: session.scalar(select(func.count(kind.id))) for kind in SAID}

    @initialize(steps=st.sampled_from((0, 0, 0, 0, *range(1, 9))), before=st.lists(st.sampled_from(BEFORE)), appealed=st.booleans())
    def somewhere_on_the_way(self, steps, before, appealed):
        """Random attempts alone would hardly ever come to the end, nor to what needs three people."""
        acts = {
            "self": lambda: self.assess("secretary_a", "A1.4", "1"),
            "submit": lambda: self.fill_in_and_submit("secretary_a"),
            "confirm": lambda: self.confirm("principal_a"),
            "decline": lambda: self.decline("principal_a"),
            "send_back": lambda: self.send_back("office"),
            "veto": lambda: self.adjust("office", m.AdjustmentKind.VETO),
        }
        for word in " ".join(before).split():
            acts[word]()
        for _step in range(steps):
            self._the_office_does_the_next_thing()
            if self.state is S.PUBLICITY:
                if appealed:
                    self.contest("secretary_a", "A1.4")
                self.today += dt.timedelta(days=8)

    # --- attempts

    @rule(who=st.sampled_from(WHO), code=st.sampled_from(CODES), points=st.sampled_from(("0.5", "1", "3", "9", "-1", "0.555")))
    def judge(self, who, code, points):
        self._act(
            who,
            "judge",
            lambda s, _y: workflow.judge(s, self._sheet(s), self._item(s, code), Decimal(points), self._new_words(), who),
        )

    @rule(who=st.sampled_from((*WHO, *["secretary_a"] * 5)), code=st.sampled_from(CODES), points=st.sampled_from(("0.5", "1", "9")))
    def assess(self, who, code, points):
        self._act(
            who,
            "self",
            lambda s, _y: workflow.assess_self(s, self._sheet(s), self._item(s, code), Decimal(points), self._new_words(), who),
        )

    @rule(who=st.sampled_from((*WHO, *["secretary_a"] * 5)))
    def fill_in_and_submit(self, who):
        def act(session, system):
            sheet = self._sheet(session)
            for code in ("A1.4", "A4.2", "A6.4", "A7.3", "A7.4", "A8.1"):
                item = self._item(session, code)
                workflow.assess_self(session, sheet, item, results.rule_of(item).judged_points, "", who)
            session.flush()
            card = results.self_cards(session, sheet.round)[sheet.school_id] if who == "office" else self._own_card(system, sheet)
            workflow.submit(session, sheet, card, who)

        self._act(who, "submit", act)

    def _own_card(self, system, sheet):
        """As if everything were filled in: the sum is not what is tried here."""
        card = results.self_cards(system, system.get(m.Round, sheet.round_id))[sheet.school_id]
        return freezing.read_card(freezing.plain_card(card) | {"items": []})

    @rule(who=st.sampled_from((*WHO, *["principal_a"] * 5)))
    def confirm(self, who):
        self._act(who, "confirm", lambda s, _y: workflow.confirm(s, self._sheet(s), who))

    @rule(who=st.sampled_from((*WHO, *["principal_a"] * 5)))
    def decline(self, who):
        self._act(who, "decline", lambda s, _y: workflow.decline(s, self._sheet(s), "请补", who))

    @rule(who=st.sampled_from((*WHO, *["office"] * 3)))
    def send_back(self, who):
        self._act(who, "send_back", lambda s, _y: workflow.send_back(s, self._sheet(s), "请补", who))

    @rule(who=st.sampled_from((*WHO, *["office"] * 3)), kind=st.sampled_from(list(m.AdjustmentKind)))
    def adjust(self, who, kind):
        effect = m.VetoEffect.NO_HONOUR if kind is m.AdjustmentKind.VETO else None
        row = {
            "round_id": self.ids.round,
            "school_id": self.ids.a,
            "kind": kind,
            "matter": "事",
            "points": 1,
            "effect": effect,
            "document": "文",
        }
        self._act(who, "adjust", lambda s, _y: s.add(m.Adjustment(**row)))

    @rule(who=st.sampled_from(WHO), approved=st.booleans())
    def settle(self, who, approved):
        self._act(
            who,
            "settle",
            lambda s, _y: workflow.settle(s, s.get_one(m.Round, self.ids.round), approved=approved, words="意见", by=who),
        )

    @rule(who=st.sampled_from((*WHO, *["leader"] * 3)))
    def confirm_vetoes(self, who):
        def act(session, _system):
            for veto in workflow.unconfirmed_vetoes(session, session.get_one(m.Round, self.ids.round)):
                workflow.confirm_veto(session, veto, approved=True, words="", by=who)
            if not session.new:
                raise Complaint("没有待确认的否决。")

        self._act(who, "veto", act)

    @rule(who=st.sampled_from(WHO), code=st.sampled_from(CODES))
    def contest(self, who, code):
        def act(session, _system):
            row = m.Appeal(sheet=self._sheet(session), indicator=self._item(session, code), reason="漏计")
            workflow.appeal(session, row, self.today)
            session.add(row)

        self._act(who, "contest", act)

    @rule(who=st.sampled_from(WHO), points=st.sampled_from((None, "0.3", "2", "9")))
    def answer(self, who, points):
        def act(session, system):
            row = session.scalar(select(m.Appeal).where(~m.Appeal.answers.any(), m.Appeal.sheet_id == self.ids.sheet_a))
            if row is None:
                raise Complaint("没有申诉。")
            workflow.answer(session, system, row, points=None if points is None else Decimal(points), words="复查", by=who)

        self._act(who, "answer", act)

    @rule(
        who=st.sampled_from((*WHO, "office", "office", "office")), to=st.sampled_from(list(S)), words=st.sampled_from(("", "理由"))
    )
    def move(self, who, to, words):
        def act(session, system):
            round_ = session.get_one(m.Round, self.ids.round)
            workflow.advance(workflow.Act(session, system, round_, who, self.today, words, "文号"), to)

        before = self.state
        if self._act(who, "move", act):
            assert to in NEXT[before]
            self.state = to
            self.reached.add(to)

    def _the_office_does_the_next_thing(self):
        self._judge_what_waits()
        self.settle("leader", True)
        self.confirm_vetoes("leader")
        if self.state is S.APPEAL:
            self.answer("office", "2")
        for to in NEXT[self.state]:
            self.move("office", to, "理由")

    def _judge_what_waits(self):
        if self.state not in WHEN["judge"]:
            return
        with session_with(SYSTEM) as system:
            cards = results.score(system, system.get_one(m.Round, self.ids.round), lines=False).cards
            waiting = [(card.school_id, item.code) for card in cards for item in card.items if item.status == "missing"]

        def act(session, _system):
            for school, code in waiting:
                sheet = session.scalar(select(m.Sheet).where(m.Sheet.round_id == self.ids.round, m.Sheet.school_id == school))
                workflow.judge(session, sheet, self._item(session, code), Decimal("0.5"), "理由", "office")

        self._act("office", "judge", act)

    @rule(days=st.integers(1, 9))
    def days_pass(self, days):
        self.today += dt.timedelta(days=days)

    @rule(who=st.sampled_from(WHO))
    def set_the_state_past_the_workflow(self, who):
        """The screens are not the wall: the session refuses what no step leads to."""
        wrong = next(to for to in S if to is not self.state and to not in NEXT[self.state])
        with session_with(scope_of(self.ids, who), writes=True) as session:
            session.get_one(m.Round, self.ids.round).state = wrong
            with pytest.raises((Complaint, Refused)):
                session.commit()
            session.rollback()

    # --- what always holds

    @invariant()
    def nothing_that_was_said_is_lost(self):
        now = self._count()
        assert all(now[kind] >= self.said[kind] for kind in SAID)
        self.said = now

    @invariant()
    def the_state_is_what_the_steps_say(self):
        with session_with(SYSTEM) as session:
            assert session.scalar(select(m.Round.state).where(m.Round.id == self.ids.round)) is self.state

    @invariant()
    def a_circulated_round_never_changes(self):
        if self.state in (S.PUBLISHED, S.APPLIED):
            with session_with(SYSTEM) as session:
                now = results.as_json(
                    session.get_one(m.Round, self.ids.round), results.score(session, session.get_one(m.Round, self.ids.round)).cards
                )
            self.circulated = self.circulated or now
            assert now == self.circulated

    def _sheet(self, session):
        sheet = session.get(m.Sheet, self.ids.sheet_a)
        if sheet is None:
            raise Complaint("看不到。")
        return sheet

    def _item(self, session, code):
        return session.scalar(select(m.Indicator).where(m.Indicator.code == code))


@pytest.mark.parametrize("examples", [4, pytest.param(70, marks=pytest.mark.matrix)])
def test_no_order_of_attempts_breaks_the_workflow(examples, app, base, ids):
    def restore():
        db.session.remove()
        db.engine.dispose()
        base.template.restore()
        with session_with(SYSTEM, writes=True) as session:
            workflow.open_sheets(session, session.get_one(m.Round, ids.round))
            session.commit()

    Round.ids, Round.restore = ids, staticmethod(restore)
    with app.app_context():
        run_state_machine_as_test(
            Round,
            settings=settings(
                max_examples=examples, stateful_step_count=30, deadline=None, database=None, derandomize=True,
                phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    if examples > 10:  # what was never tried with success was not tested
        assert Round.reached == set(S) - {S.SET_UP, S.OPEN}
        assert Round.done == set(MAY)
