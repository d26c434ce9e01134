"""佐证材料 and 申诉: what a school shows for its self-assessment, and what it contests of a result that is shown."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from .. import rules
from ..access import SYSTEM, Action, scope_in
from ..assessment import freezing, locking, workflow
from ..db import session_with
from ..models import Appeal, AppealAnswer, Evidence, Indicator, Resource, Round, RoundState, Sheet
from ..rules import Complaint
from .base import RecordView
from .fields import Lookup
from .gate import current_scope
from .lists import Line

GROUP, SECTION = "年度考核", "考核评分"


def _sheets(*states: RoundState) -> Lookup:
    """The own sheets of rounds in some states."""

    def only(query: Select[Any], session: Session) -> Select[Any]:
        there = query.where(Sheet.round_id.in_(select(Round.id).where(Round.state.in_(states))))
        scope = scope_in(session)
        return there if scope.reads_everywhere else there.where(Sheet.school_id.in_(sorted(scope.school_ids)))

    return Lookup(Sheet, search=("id",), only=only)


def _indicators(*states: RoundState) -> Lookup:
    def only(query: Select[Any], _session: Session) -> Select[Any]:
        schemes = select(Round.scheme_id).where(Round.state.in_(states))
        return query.where(Indicator.scheme_id.in_(schemes), Indicator.parent_id.is_not(None))

    return Lookup(Indicator, search=("code", "title"), only=only, order=("scheme_id", "position"))


SHOWN_SHEETS = _sheets(RoundState.PUBLICITY)


class EvidenceView(RecordView):
    """佐证材料 of one item, its papers as attachments; from the page of the item."""

    model = Evidence
    group = GROUP
    section = SECTION
    in_menu = False
    attachable = True
    title = "佐证材料"
    column_list = ("school.name", "indicator.title", "title", "place", "created_at")
    form_columns = ("sheet", "indicator", "title", "place")
    column_details_list = form_columns
    lookups = {"sheet": _sheets(RoundState.OPEN), "indicator": _indicators(RoundState.OPEN)}
    search = ("title",)
    default_sort = (("id", True),)
    link_column = "title"

    def may_change(self, row: Any) -> bool:
        return super().may_change(row) and workflow.is_filling(self.db_session, row.sheet)

    def before_save(self, form: Any, row: Evidence, created: bool) -> None:
        if row.sheet is not None:
            row.school_id = row.sheet.school_id
            if not workflow.is_filling(self.db_session, row.sheet):
                raise Complaint("自评已经提交，不能再改；要改请联系德育股退回。")
        if row.indicator is not None and row.sheet is not None and row.indicator.scheme_id != row.sheet.round.scheme_id:
            raise Complaint("该指标不属于这一轮的方案。", "indicator")

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".details_view", id=model.id)


class AppealView(RecordView):
    """申诉: filed by the school within the publicity, answered by the office in so many working days; the clock is shown."""

    model = Appeal
    group = GROUP
    section = SECTION
    attachable = True
    column_list = ("school.name", "indicator.code", "indicator.title", "on", "due_on", "standing", "result")
    extra_columns = {"standing": "状态", "result": "原得分 → 复查得分"}
    form_columns = ("sheet", "indicator", "wanted", "reason")
    column_details_list = ("sheet", "indicator", "on", "wanted", "reason", "due_on")
    lookups = {"sheet": SHOWN_SHEETS, "indicator": _indicators(RoundState.PUBLICITY)}
    default_sort = (("id", True),)
    link_column = "indicator.title"
    details_template = "appeals/details.html"
    needs = RecordView.needs | {"answer": Action.READ}

    @property
    def can_create(self) -> bool:
        return super().can_create and SHOWN_SHEETS.few(self.db_session) != []

    def may_change(self, row: Any) -> bool:
        return super().may_change(row) and not row.answers and locking.takes(Appeal, row.sheet.round)

    def before_save(self, form: Any, row: Appeal, created: bool) -> None:
        if row.sheet is None or row.indicator is None:
            return
        if row.answers:
            raise Complaint("该申诉已经答复，不能再改。")
        workflow.appeal(self.db_session, row, dt.date.today())

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".details_view", id=model.id)

    def decorate(self, lines: list[Line]) -> None:
        asked = select(Appeal).where(Appeal.id.in_([line.id for line in lines])).options(selectinload(Appeal.answers))
        rows = {row.id: row for row in self.db_session.scalars(asked)}
        for line in lines:
            row = rows[line.id]
            line.values["standing"] = _(clock(row, dt.date.today()))
            answer = row.answers[0] if row.answers else None
            line.values["result"] = "" if answer is None else _result(answer)

    @expose("/details/")
    def details_view(self) -> str:
        row = self.get_one(request.args.get("id", ""))
        return self._page(row)

    def _page(self, row: Appeal) -> str:
        scope, round_ = current_scope(), row.sheet.round
        decided = freezing.read_card(row.sheet.decided) if row.sheet.decided else None
        item = next((item for item in decided.items if item.code == row.indicator.code), None) if decided else None
        return self.render(
            self.details_template, row=row, pairs=self.details(row), may_change=self.may_change(row), return_url=self._back(),
            item=item, clock=clock(row, dt.date.today()), filled=request.form,
            may_answer=not row.answers and scope.may(Action.CREATE, Resource.SCORES) and round_.state in (RoundState.PUBLICITY, RoundState.APPEAL),
        )  # fmt: skip

    @expose("/answer/", methods=("POST",))
    def answer(self) -> Any:
        if not current_scope().may(Action.CREATE, Resource.SCORES):
            return self.forbid()
        row = self.get_one(request.form.get("id", ""))
        page, words = row.id, rules.tidy(request.form.get("words", ""))[:500]
        try:
            points = _given(request.form.get("changed") == "1", request.form.get("points", ""))
            with session_with(SYSTEM) as system:
                workflow.answer(self.db_session, system, row, points=points, words=words, by=current_user.name)
            self.db_session.commit()
            flash(_("已答复。"), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            return self._page(self.get_one(page))
        except IntegrityError:
            self.db_session.rollback()
            flash(_("他人刚答复了这件申诉。"), "warning")
        return redirect(self.get_url(".details_view", id=page))


def clock(row: Appeal, today: dt.date) -> str:
    """How much time is left to answer, or that it is answered."""
    if row.answers:
        return "已答复"
    if row.due_on is None:
        return "待答复"
    left = (row.due_on - today).days
    return f"待答复，已超期 {-left} 天" if left < 0 else "待答复，今天到期" if left == 0 else f"待答复，还有 {left} 天"


def _result(answer: AppealAnswer) -> str:
    """The old score and the new one; a dash where the item had none, as at a school that is not ranked."""
    was, now = ("—" if score is None else str(score) for score in (answer.was, answer.now))
    return f"{was} → {now}" if answer.changed else _("维持 %(p)s", p=was)


def _given(changed: bool, raw: str) -> Decimal | None:
    """:raises Complaint: when it is not clear whether the points change: an answer is given once."""
    if not changed and raw.strip():
        raise Complaint("填了复查得分，请选“改为”；维持原得分的不填分数。", "points")
    return _points(raw) if changed else None


def _points(raw: str) -> Decimal:
    try:
        points = rules.plain_number(raw)
    except ValueError:
        points = None
    if points is None:
        raise Complaint("请填复查得分，如 2.5。", "points")
    return points
