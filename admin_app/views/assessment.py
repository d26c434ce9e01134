"""The assessment: ranking, one school's sheet, the explanation of a score, freezing, publishing and the workbooks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import abort, flash, redirect, request, send_file
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from .. import audit, rules
from ..access import SYSTEM, Action
from ..assessment import anomalies, facts, workbooks, workflow
from ..assessment.scoring import Card, Status
from ..db import session_with
from ..models import (
    Adjustment,
    AdjustmentKind,
    Child,
    Indicator,
    Inspection,
    ItemScore,
    Resource,
    Round,
    RoundState,
    Scheme,
    SchemeState,
    School,
    Sheet,
)
from ..records import census
from ..rules import Complaint
from .base import RecordView, ToolView
from .fields import Lookup, number_or_none
from .gate import current_scope, note
from .lists import workbook_response

GROUP = "年度考核"
ASSESSED = Lookup(School, search=("name", "code"), only=lambda query, _session: query.where(School.assessed), order=("code",))
ROUNDS = Lookup(Round, search=("title",))
SCORING, SETUP = "考核评分", "考核设置"
SCHEMES = Lookup(Scheme)


class AssessmentView(ToolView):
    resource = Resource.SCORES
    section = SCORING
    needs = {
        "judge": Action.UPDATE,
        "freeze": Action.UPDATE,
        "publish": Action.UPDATE,
        "export_summary": Action.EXPORT,
        "export_sheet": Action.EXPORT,
        "export_all": Action.EXPORT,
        "export_publicity": Action.EXPORT,
        "export_self_form": Action.EXPORT,
    }

    def __init__(self) -> None:
        super().__init__("考核评分", "assessment", GROUP)

    # --- what the address names, always through the session's scope ---

    def _round(self) -> Round:
        number = number_or_none(request.values.get("round"))
        if "round" in request.values and number is None:
            abort(404)
        query = select(Round).where(Round.id == number) if number else select(Round).order_by(Round.start.desc()).limit(1)
        round_ = self.db_session.scalar(query)
        if round_ is None and number:
            abort(404)
        return round_

    def _sheet(self) -> Sheet:
        number = number_or_none(request.values.get("sheet"))
        sheet = self.db_session.scalar(select(Sheet).where(Sheet.id == number)) if number else None
        if sheet is None:
            abort(404)
        return sheet

    def _indicator(self, sheet: Sheet) -> Indicator:
        number = number_or_none(request.values.get("indicator"))
        found = select(Indicator).where(Indicator.id == number, Indicator.scheme_id == sheet.round.scheme_id)
        indicator = self.db_session.scalar(found) if number else None
        if indicator is None or indicator.pattern is None:
            abort(404)
        return indicator

    def _results(self, round_: Round, *, lines: bool = False) -> workflow.Results:
        with session_with(SYSTEM) as session:
            return workflow.score(session, session.get_one(Round, round_.id), lines=lines)

    def _see_all(self) -> bool:
        """School accounts see their own card; the county's table is the office's and the leader's."""
        return current_scope().reads_everywhere

    # --- pages ---

    @expose("/")
    def index(self) -> Any:
        """The round: ranked by group for the county, the own sheet for a school."""
        round_ = self._round()
        if round_ is None:
            return self.render("assessment/none.html")
        sheets = {s.school_id: s for s in self.db_session.scalars(select(Sheet).where(Sheet.round_id == round_.id))}
        results = self._results(round_)
        cards = [card for card in results.cards if card.school_id in sheets]
        if not self._see_all() and len(cards) == 1:
            return redirect(self.get_url(".sheet", sheet=sheets[cards[0].school_id].id))
        heads = list(self.db_session.scalars(_heads(round_)))
        by_head = {h.id: [i.code for i in self.db_session.scalars(_items(h))] for h in heads}
        return self.render(
            "assessment/ranking.html",
            round=round_,
            groups=workbooks.by_group(cards),
            sheets=sheets,
            heads=heads,
            subtotal=lambda card, head: workbooks.subtotal([i for i in card.items if i.code in by_head[head.id]]),
            rank_words=lambda card: workbooks.rank_words(card, results.cards),
            waiting=sum(card.waiting for card in cards),
            may_judge=current_scope().may(Action.UPDATE, Resource.SCORES),
            rounds=list(self.db_session.scalars(select(Round).order_by(Round.start.desc()))),
        )

    @expose("/sheet/")
    def sheet(self) -> Any:
        """One school: every item with its numbers; the office judges here."""
        sheet = self._sheet()
        round_ = sheet.round
        card = self._card(round_, sheet)
        kept = {row.indicator_id: row for row in self.db_session.scalars(select(ItemScore).where(ItemScore.sheet_id == sheet.id))}
        heads = list(self.db_session.scalars(_heads(round_)))
        items = {item.code: item for item in card.items}
        note("open", "sheet", sheet.id, sheet.school_id)
        return self.render(
            "assessment/sheet.html",
            sheet=sheet,
            round=round_,
            card=card,
            heads=[(head, [(i, items[i.code], kept.get(i.id)) for i in self.db_session.scalars(_items(head))]) for head in heads],
            rule_of=workflow.rule_of,
            adjustments=workflow.adjustments(self.db_session, round_).get(sheet.school_id, []),
            may_judge=current_scope().may(Action.UPDATE, Resource.SCORES) and round_.state is RoundState.OPEN,
            Status=Status,
            plain=workbooks.plain,
            filled=request.form,
        )

    def _card(self, round_: Round, sheet: Sheet) -> Card:
        card = self._results(round_).by_school.get(sheet.school_id)
        if card is None:
            abort(404)
        return card

    @expose("/judge/", methods=("POST",))
    def judge(self) -> Any:
        """Save the judged items of a sheet, all or none; what was typed comes back with the complaints."""
        sheet = self._sheet()
        indicators = {
            i.id: i for i in self.db_session.scalars(select(Indicator).where(Indicator.scheme_id == sheet.round.scheme_id))
        }
        complaints = []
        for key, raw in request.form.items():
            indicator = indicators.get(number_or_none(key.removeprefix("score-")) or 0) if key.startswith("score-") else None
            if indicator is None:
                continue
            try:
                points = _points(raw, indicator)
                workflow.judge(self.db_session, sheet, indicator, points, request.form.get(f"reason-{indicator.id}", "")[:300])
            except Complaint as e:
                complaints.append(e.text)
        if complaints:
            self.db_session.rollback()
            for text in complaints[:6]:
                flash(_(text), "danger")
            return self.sheet()
        self.db_session.commit()
        flash(_("保存成功。"), "success")
        return redirect(self.get_url(".sheet", sheet=number_or_none(request.form.get("sheet"))))

    @expose("/item/")
    def item(self) -> Any:
        """Why this score: the formula in words, its numbers, and the names behind them."""
        sheet = self._sheet()
        indicator = self._indicator(sheet)
        results = self._results(sheet.round, lines=True)
        card = results.by_school.get(sheet.school_id)
        if card is None:
            abort(404)
        rule = workflow.rule_of(indicator)
        known = results.facts.get(sheet.school_id, {})
        parts = [(described, known[m]) for m in rule.metrics if m in known and (described := facts.find(m)) is not None]
        children = {line.child_id for _metric, fact in parts for line in fact.lines if line.child_id}
        here = set(self.db_session.scalars(select(Child.id).where(Child.id.in_(children))))
        note("open", "item_score", indicator.code, sheet.school_id)
        return self.render(
            "assessment/item.html",
            sheet=sheet,
            round=sheet.round,
            indicator=indicator,
            rule=rule,
            item=next(i for i in card.items if i.code == indicator.code),
            parts=parts,
            here=here,
            show=request.args.get("show", "missing"),
            plain=workbooks.plain,
            Status=Status,
        )

    @expose("/anomalies/")
    def anomalies(self) -> Any:
        """What to look at before a result is published; for those who see the county."""
        if not self._see_all():
            abort(403)
        round_ = self._round()
        if round_ is None:
            return self.render("assessment/none.html")
        with session_with(SYSTEM) as session:
            same = session.get_one(Round, round_.id)
            found = anomalies.of(session, same, workflow.score(session, same, lines=False).cards)
        schools = {s.id: s for s in self.db_session.scalars(select(School).where(School.assessed))}
        sheets = {s.school_id: s for s in self.db_session.scalars(select(Sheet).where(Sheet.round_id == round_.id))}
        return self.render(
            "assessment/anomalies.html", round=round_, found=[a for a in found if a.unit in schools], schools=schools, sheets=sheets,
            why=anomalies.WHY, kinds=list(anomalies.Kind),
        )  # fmt: skip

    # --- acts ---

    @expose("/freeze/", methods=("POST",))
    def freeze(self) -> Any:
        self._may_publish()
        round_ = self._round()
        try:
            with session_with(SYSTEM) as system:
                count = workflow.freeze(self.db_session, system, round_)
            audit.note(self.db_session, "freeze", "assessment_round", round_.id, None, 学校数=count)
            self.db_session.commit()
            flash(_("已冻结 %(n)d 所学校的成绩，此后不再重算。", n=count), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".index", round=number_or_none(request.form.get("round"))))

    @expose("/publish/", methods=("POST",))
    def publish(self) -> Any:
        self._may_publish()
        round_ = self._round()
        try:
            workflow.publish(round_)
            audit.note(self.db_session, "publish", "assessment_round", round_.id)
            self.db_session.commit()
            flash(_("已公布。"), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".index", round=number_or_none(request.form.get("round"))))

    def _may_publish(self) -> None:
        if not current_scope().may(Action.PUBLISH, Resource.RUBRIC):
            abort(403)

    @expose("/export/")
    def export_summary(self) -> Any:
        """The county summary; only for those who see the county."""
        round_ = self._county_round()
        return self._workbook(round_, None, workbooks.summary, "全县汇总", f"{round_.code}年度考核汇总.xlsx")

    @expose("/export-sheet/")
    def export_sheet(self) -> Any:
        sheet = self._sheet()
        name = f"{sheet.round.code}年度考核评分表-{sheet.school}.xlsx"
        return self._workbook(
            sheet.round, sheet, lambda book: workbooks.school_sheet(book, sheet.school_id), str(sheet.school), name
        )

    @expose("/export-publicity/")
    def export_publicity(self) -> Any:
        """公示表: names no child."""
        round_ = self._county_round()
        return self._workbook(round_, None, workbooks.publicity, "公示表", f"{round_.code}年度考核结果公示.xlsx")

    @expose("/export-self-form/")
    def export_self_form(self) -> Any:
        """The self-assessment form of a school's sheet; without one, the office's form for all schools."""
        sheet = self._sheet() if "sheet" in request.args else None
        round_ = sheet.round if sheet else self._county_round()
        name = str(sheet.school) if sheet else "通用"
        words = f"{round_.code}年度考核自评表-{name}.xlsx"
        school_id = sheet.school_id if sheet else None
        return self._workbook(round_, sheet, lambda book: workbooks.self_form(book, school_id), f"自评表 {name}", words)

    @expose("/export-all/")
    def export_all(self) -> Any:
        """Every school's sheet in one zip, sent from a temporary file."""
        round_ = self._county_round()
        with self._book(round_) as book:
            file = workbooks.all_sheets(book)
            count = len(book.ordered)
        note("export", "sheet", "", None, 轮次=round_.code, 内容=f"全部评分表 {count} 份")
        name = f"{round_.code}年度考核评分表.zip"
        response = send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)
        response.content_length = file.seek(0, io.SEEK_END)
        file.seek(0)
        return response

    def _county_round(self) -> Round:
        if not self._see_all():
            abort(403)
        round_ = self._round()
        if round_ is None:
            abort(404)
        return round_

    @contextmanager
    def _book(self, round_: Round) -> Iterator[workbooks.Book]:
        with session_with(SYSTEM) as session:
            same = session.get_one(Round, round_.id)
            yield workbooks.Book.of(session, same, workflow.score(session, same), current_user.name)

    def _workbook(self, round_: Round, sheet: Sheet | None, write: Callable[[workbooks.Book], bytes], what: str, name: str) -> Any:
        with self._book(round_) as book:
            content = write(book)
        note("export", "sheet", sheet.id if sheet else "", sheet.school_id if sheet else None, 轮次=round_.code, 内容=what)
        return workbook_response(content, name)


def _heads(round_: Round) -> Any:
    return (
        select(Indicator).where(Indicator.scheme_id == round_.scheme_id, Indicator.parent_id.is_(None)).order_by(Indicator.position)
    )


def _items(head: Indicator) -> Any:
    return select(Indicator).where(Indicator.parent_id == head.id).order_by(Indicator.position)


def _points(raw: str, indicator: Indicator) -> Decimal | None:
    raw = rules.tidy(raw)
    if not raw:
        return None
    try:
        points = Decimal(raw)
    except InvalidOperation:
        raise Complaint(f"{indicator.code} 的分数“{raw[:12]}”不是数字。") from None
    if not points.is_finite():
        raise Complaint(f"{indicator.code} 的分数“{raw[:12]}”不是数字。")
    return points


class RoundView(RecordView):
    model = Round
    group = GROUP
    section = SETUP
    title = "考核轮次"
    menu_for = Action.UPDATE
    column_list = ("title", "code", "scheme.title", "start", "last_day", "cut_off", "state", "frozen_at")
    form_columns = ("code", "title", "scheme", "start", "last_day", "cut_off")
    lookups = {"scheme": SCHEMES}
    default_sort = (("start", True),)
    link_column = "title"

    def before_save(self, form: Any, row: Round, created: bool) -> None:
        if row.scheme is not None and row.scheme.state is not SchemeState.LOCKED:
            raise Complaint("考核方案还没有锁定；先送审，经分管领导同意后锁定。", "scheme")
        if not created and row.state is not RoundState.OPEN:
            raise Complaint("本轮已冻结，不能再改。")
        if row.start and row.last_day and row.last_day <= row.start:
            raise Complaint("考核期止应晚于考核期起。", "last_day")
        if row.start and row.cut_off and row.cut_off <= row.start:
            raise Complaint("统计截止日应晚于考核期起。", "cut_off")

    def after_save(self, form: Any, row: Round, created: bool) -> None:
        workflow.open_sheets(self.db_session, row)


class AdjustmentView(RecordView):
    model = Adjustment
    group = GROUP
    section = SCORING
    title = "加分扣分"
    menu_for = Action.UPDATE
    column_list = ("school.name", "kind", "matter", "points", "effect", "document", "round.code")
    form_columns = ("round", "school", "kind", "matter", "points", "effect", "document")
    filters = ("kind", "school")
    lookups = {"round": ROUNDS, "school": ASSESSED}
    default_sort = (("school_id", False),)
    link_column = "matter"

    def before_save(self, form: Any, row: Adjustment, created: bool) -> None:
        if row.round is not None and row.round.state is not RoundState.OPEN:
            raise Complaint("本轮已冻结，不能再加减分。")
        if row.kind is AdjustmentKind.VETO and row.effect is None:
            raise Complaint("一票否决须选否决后果。", "effect")
        if row.points is not None and row.points < 0:
            raise Complaint("分值填正数；扣分由类别决定。", "points")


class InspectionView(RecordView):
    """抽查: fields compared and answers asked at a school; the office enters, the school reads."""

    model = Inspection
    group = GROUP
    section = SCORING
    title = "抽查核验"
    column_list = ("school.name", "round.title", "on", "children", "fields_checked", "fields_wrong", "answers", "satisfied")
    form_columns = (
        "round", "school", "on", "children", "fields_checked", "fields_wrong", "answers", "satisfied", "inspectors", "document",
    )  # fmt: skip
    column_details_list = form_columns
    filters = ("round", "school")
    lookups = {"round": ROUNDS}
    default_sort = (("on", True),)
    link_column = "school.name"

    def before_save(self, form: Any, row: Inspection, created: bool) -> None:
        if row.fields_wrong > row.fields_checked:
            raise Complaint("不符项数不能多于核对项数。", "fields_wrong")
        if row.satisfied > row.answers:
            raise Complaint("满意数不能多于有效问卷数。", "satisfied")
        if row.fields_checked and row.round is not None and row.school is not None:
            least = min(10, census.count(self.db_session, row.school.id, row.round.cut_off)[0])
            if row.children < least:
                raise Complaint(f"抽查儿童不得少于 {least} 人（10 人，不足 10 人的全部）。", "children")
