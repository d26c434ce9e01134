"""What a round is made of: its dates and scheme, bonus and discipline, visits to schools with their drawn samples."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import inspect, select

from .. import rules
from ..access import SYSTEM, Action
from ..assessment import causes, locking, patterns, samples, workflow
from ..db import session_with
from ..models import Adjustment, AdjustmentKind, Inspection, Round, RoundState, RoundStep, Scheme, SchemeState, School
from ..records import approvals
from ..rules import Complaint
from .base import RecordView
from .fields import Lookup, number_or_none
from .gate import current_scope, note
from .lists import Line

GROUP = "年度考核"
SCORING, SETUP = "考核评分", "考核设置"
ASSESSED = Lookup(School, search=("name", "code"), only=lambda query, _session: query.where(School.assessed), order=("name",))
SCHEMES = Lookup(Scheme)
UNDECIDED = Lookup(
    Round, search=("title",), only=lambda query, _s: query.where(Round.state.in_(locking.NOT_YET_DECIDED)), order=("start",)
)
"""Rounds that still take what the bureau enters."""


class OfAnUndecidedRound(RecordView):
    """What the bureau enters for a round until it is decided: afterwards there is nothing to enter it for."""

    @property
    def can_create(self) -> bool:
        return super().can_create and UNDECIDED.few(self.db_session) != []


class RoundView(RecordView):
    model = Round
    group = GROUP
    section = SETUP
    title = "考核轮次"
    menu_for = Action.UPDATE
    column_list = ("title", "code", "scheme.title", "start", "last_day", "cut_off", "state", "frozen_at")
    form_columns = ("code", "title", "scheme", "start", "last_day", "cut_off", "self_due")
    column_details_list = (
        "code", "title", "scheme", "start", "last_day", "cut_off", "self_due", "state", "frozen_at", "minutes", "decided_at",
        "shown_from", "shown_until", "document", "published_at",
    )  # fmt: skip
    lookups = {"scheme": SCHEMES}
    default_sort = (("start", True),)
    link_column = "title"

    def may_change(self, row: Any) -> bool:
        return super().may_change(row) and not row.is_frozen

    def before_save(self, form: Any, row: Round, created: bool) -> None:
        if row.scheme is not None and row.scheme.state is not SchemeState.LOCKED:
            raise Complaint("考核方案还没有锁定；先送审，经分管领导同意后锁定。", "scheme")
        if row.start and row.last_day and row.last_day <= row.start:
            raise Complaint("考核期止应晚于考核期起。", "last_day")
        if row.start and row.cut_off and row.cut_off <= row.start:
            raise Complaint("统计截止日应晚于考核期起。", "cut_off")
        if row.self_due and row.start and row.self_due <= row.start:
            raise Complaint("自评截止日应晚于考核期起。", "self_due")

    def after_save(self, form: Any, row: Round, created: bool) -> None:
        if created:
            self.db_session.add(RoundStep(round_id=row.id, state=RoundState.SET_UP, by=current_user.name))
        workflow.open_sheets(self.db_session, row)


class AdjustmentView(OfAnUndecidedRound):
    model = Adjustment
    group = GROUP
    section = SCORING
    title = "加分扣分"
    menu_for = Action.UPDATE
    column_list = ("school.name", "kind", "cause", "matter", "points", "effect", "document", "confirmed", "round.code")
    extra_columns = {"confirmed": "领导确认"}
    form_columns = ("round", "school", "kind", "cause", "matter", "points", "effect", "document")
    filters = ("kind", "school")
    lookups = {"round": UNDECIDED, "school": ASSESSED}
    default_sort = (("school_id", False),)
    link_column = "matter"

    def may_change(self, row: Any) -> bool:
        return super().may_change(row) and locking.takes(Adjustment, row.round)

    def decorate(self, lines: list[Line]) -> None:
        """A veto bites once the leader has confirmed it; the list says how far it is."""
        ids = [line.id for line in lines]
        of_kind = select(Adjustment.id).where(Adjustment.id.in_(ids), Adjustment.kind == AdjustmentKind.VETO)
        vetoes, said = set(self.db_session.scalars(of_kind)), approvals.words(self.db_session, Adjustment.__tablename__)
        for line in lines:
            if line.id in vetoes:
                line.values["confirmed"] = _(said[line.id].label) if line.id in said else _("待确认")

    def before_save(self, form: Any, row: Adjustment, created: bool) -> None:
        causes.fill_in(row)
        if row.points != patterns.cents(row.points):
            raise Complaint("分值最多两位小数。", "points")
        if not created and approvals.of(self.db_session, row):
            raise Complaint("分管领导已对这项否决表态，不能再改；要更正请移入回收站后另记。")


class InspectionView(OfAnUndecidedRound):
    """抽查: a visit to a school. The office draws the children, prints the list, keys in what was found; the school reads."""

    model = Inspection
    group = GROUP
    section = SCORING
    title = "抽查核验"
    column_list = ("school.name", "round.title", "on", "children", "fields_checked", "fields_wrong", "answers", "satisfied")
    form_columns = (
        "round", "school", "on", "lot", "inspectors", "document", "children", "fields_checked", "fields_wrong", "answers",
        "satisfied",
    )  # fmt: skip
    later = ("children", "fields_checked", "fields_wrong", "answers", "satisfied")
    column_details_list = form_columns
    filters = ("round", "school")
    lookups = {"round": UNDECIDED, "school": ASSESSED}
    default_sort = (("on", True),)
    link_column = "school.name"
    details_template = "inspections/details.html"
    needs = RecordView.needs | {"draw": Action.UPDATE, "paper": Action.UPDATE, "findings": Action.UPDATE}

    def may_change(self, row: Any) -> bool:
        return super().may_change(row) and locking.takes(Inspection, row.round)

    def may_see(self) -> bool:
        """Whom the lot may be told, and who was drawn: not the school that is to be visited."""
        return current_scope().reads_everywhere

    def details(self, row: Any) -> list[tuple[str, str]]:
        pairs = super().details(row)
        return pairs if self.may_see() else [pair for pair in pairs if pair[0] != str(self.column_labels["lot"])]

    def heading(self, row: Any) -> str:
        return f"{row.school} · {_('抽查')} {row.on}"

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".details_view", id=model.id)

    def before_save(self, form: Any, row: Inspection, created: bool) -> None:
        if row.sample and any(inspect(row).attrs[name].history.has_changes() for name in self.later):
            raise Complaint("这次抽查有抽取的儿童，合计由各人的结果加出，请在下面逐人填。")
        if row.fields_wrong > row.fields_checked:
            raise Complaint("不符项数不能多于核对项数。", "fields_wrong")
        if row.satisfied > row.answers:
            raise Complaint("满意数不能多于有效问卷数。", "satisfied")
        if row.fields_checked and row.round is not None and row.school is not None:
            with session_with(SYSTEM) as system:
                least = samples.least(system, system.get_one(Round, row.round.id), row.school.id)
            if row.children < least:
                raise Complaint(f"抽查儿童不得少于 {least} 人（10 人，不足 10 人的全部）。", "children")

    @expose("/draw/", methods=("POST",))
    def draw(self) -> Any:
        row, wanted = self._mine(), number_or_none(request.form.get("wanted")) or 0

        def act() -> str:
            with session_with(SYSTEM) as system:
                return _("已抽出 %(n)d 名儿童，可打印核查表。", n=len(samples.draw(self.db_session, system, row, wanted)))

        return self._act(row, act)

    @expose("/paper/")
    def paper(self) -> Any:
        """核查表: the drawn children with what the register says of them, to be taken along and ticked."""
        row = self.get_one(request.args.get("id", ""))
        if not current_scope().owns(row.school_id):
            return self.forbid()
        note("print", "inspection", row.id, row.school_id, 人数=len(row.sample))
        return self.render("inspections/paper.html", row=row, children=samples.paper(self.db_session, row), today=dt.date.today(),
                           back=self.get_url(".details_view", id=row.id))  # fmt: skip

    @expose("/findings/", methods=("POST",))
    def findings(self) -> Any:
        row = self._mine()

        def act() -> str:
            samples.record(row, {each.id: _finding(each.id, each.child_name) for each in row.sample})
            return _("保存成功。")

        return self._act(row, act)

    def _mine(self) -> Inspection:
        row = self.get_one(request.form.get("id", ""))
        return row if self.may_change(row) else self.forbid()

    def _act(self, row: Inspection, act: Any) -> Any:
        page = row.id
        try:
            said = act()
            self.db_session.commit()
            flash(said, "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            return self.details_view(page)
        return redirect(self.get_url(".details_view", id=page))

    @expose("/details/")
    def details_view(self, pk: int | None = None) -> str:
        row = self.get_one(pk or request.args.get("id", ""))
        note("open", "inspection", row.id, row.school_id)
        return self.render(
            self.details_template, row=row, pairs=self.details(row), may_change=self.may_change(row), return_url=self._back(),
            fields=samples.FIELDS, filled=request.form, may_see=self.may_see(),
        )  # fmt: skip


def _finding(row_id: int, name: str) -> samples.Finding:
    def number(key: str) -> int | None:
        raw = rules.tidy(request.form.get(f"{key}-{row_id}", ""))
        if raw and not (raw.isascii() and raw.isdigit() and len(raw) < 4):
            raise Complaint(f"{name}：“{raw[:8]}”应填整数。")
        return int(raw) if raw else None

    answer = {"1": True, "0": False}.get(request.form.get(f"satisfied-{row_id}", ""))
    words = rules.tidy(request.form.get(f"wrong-words-{row_id}", ""))[:200]
    return samples.Finding(number("checked"), number("wrong"), words, answer)
