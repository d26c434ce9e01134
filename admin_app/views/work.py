"""How a school is organised: posts and duties, papers that are filed, rooms and grounds, evenings of boarders."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import select

from ..access import Action, Role
from ..models import EveningSlot, Facility, Paper, PaperKind, PaperState, Post, School
from ..records import boarding, papers
from ..rules import Complaint, tidy
from .base import RecordView
from .fields import number_or_none, own_schools, school_asked
from .filters import by_township
from .gate import current_scope
from .lists import Line
from .lookups import TERMS
from .words import state

GROUP, SECTION = "学校工作", "组织与文件"
STATE_MARK = {PaperState.DRAFT: "unsure", PaperState.SUBMITTED: "now", PaperState.RETURNED: "due", PaperState.FILED: "done"}


class PostView(RecordView):
    """领导小组、工作小组 with their duties; dossier keeper, counsellor, life counsellor, legal vice-head."""

    model = Post
    group = GROUP
    section = SECTION
    title = "任职分工"
    attachable = True
    column_list = ("name", "body", "rank", "title", "school.name", "phone", "start", "end")
    form_columns = (
        "school",
        "body",
        "rank",
        "name",
        "title",
        "duties",
        "phone",
        "source",
        "certificate",
        "checked_on",
        "start",
        "end",
    )
    column_details_list = form_columns
    filters = ("body", "rank", by_township(Post), "school", "end")
    search = ("name",)
    default_sort = (("school_id", False), ("body", False), ("start", False))
    link_column = "name"
    list_template = "work/posts.html"
    needs = RecordView.needs | {"duties": Action.READ}

    @expose("/duties/")
    def duties(self) -> str:
        """职责分工表: both groups of one school, to print."""
        school = school_asked(self.db_session)
        people = papers.duty_table(self.db_session, school.id, dt.date.today()) if school is not None else []
        return self.render(
            "work/duties.html", school=school, people=people, today=dt.date.today(), back=self.get_url(".index_view")
        )


class PaperView(RecordView):
    """草稿 → 已提交 → 已备案 or 退回修改. What is filed is no longer changed."""

    model = Paper
    group = GROUP
    section = SECTION
    title = "文件材料"
    attachable = True
    column_list = ("title", "kind", "school.name", "term.name", "on", "status", "submitted_on", "answer")
    extra_columns = {"status": "状态"}
    form_columns = ("school", "kind", "title", "number", "term", "rule", "support", "on", "revised_on", "summary")
    column_details_list = (*form_columns, "state", "submitted_on", "answered_on", "answer")
    filters = ("kind", "state", "rule", "support", "term", by_township(Paper), "school", "on")
    lookups = {"term": TERMS}
    search = ("title",)
    default_sort = (("on", True),)
    link_column = "title"
    details_template = "work/paper.html"
    list_template = "work/papers.html"
    needs = RecordView.needs | {"submit": Action.UPDATE, "answer": Action.UPDATE, "reconfirm": Action.UPDATE}

    def offer(self, form: Any) -> None:
        if form.on.data is None:
            form.on.data = dt.date.today()

    def decorate(self, lines: list[Line]) -> None:
        states = papers.states(self.db_session, [line.id for line in lines])
        for line in lines:
            line.values["status"] = state(STATE_MARK[states[line.id]], _(states[line.id].label))

    def may_change(self, row: Any) -> bool:
        return super().may_change(row) and not (row.state is PaperState.FILED and Role.OFFICE not in current_scope().roles)

    def before_save(self, form: Any, row: Paper, created: bool) -> None:
        if row.kind in (PaperKind.PLAN, PaperKind.TERM_SUMMARY) and row.term is None:
            raise Complaint("学期计划、学期总结须选学期。", "term")
        if row.kind is PaperKind.RULE and row.rule is None:
            raise Complaint("制度须选制度类别。", "rule")

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".details_view", id=model.id)

    @property
    def answers(self) -> bool:
        """May this actor file or return a paper? The office, not the school that wrote it."""
        return Role.OFFICE in current_scope().roles

    @expose("/submit/", methods=("POST",))
    def submit(self) -> Any:
        row = self.get_one(request.form.get("id", ""))
        if not self.may_change(row):
            return self.forbid()
        return self._done(row, lambda: papers.submit(row, dt.date.today()), _("已提交，等待德育股备案。"))

    def lacking(self) -> list[tuple[School, list[Any]]]:
        """Which of the six rules the actor's own schools lack."""
        mine = own_schools(select(School).where(School.assessed), self.db_session)
        if current_scope().reads_everywhere:
            return []
        found = [(school, papers.rules_lacking(self.db_session, school.id)) for school in self.db_session.scalars(mine)]
        return [(school, kinds) for school, kinds in found if kinds]

    @expose("/reconfirm/", methods=("POST",))
    def reconfirm(self) -> Any:
        """A rule still holds: once a year, also when it is filed."""
        row = self.get_one(request.form.get("id", ""))
        if not current_scope().owns(row.school_id):
            return self.forbid()
        return self._done(row, lambda: papers.reconfirm(row, dt.date.today()), _("已确认制度继续有效。"))

    @expose("/answer/", methods=("POST",))
    def answer(self) -> Any:
        row = self.get_one(request.form.get("id", ""))
        if not self.answers:
            return self.forbid()
        filed, words = request.form.get("filed") == "1", tidy(request.form.get("answer", ""))[:200]
        said = _("已备案。") if filed else _("已退回学校修改。")
        return self._done(row, lambda: papers.answer(row, filed=filed, words=words, on=dt.date.today()), said)

    def _done(self, row: Paper, act: Any, said: str) -> Any:
        try:
            act()
            self.db_session.commit()
            flash(said, "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".details_view", id=row.id))


class FacilityView(RecordView):
    model = Facility
    group = GROUP
    section = SECTION
    title = "阵地设施"
    attachable = True
    column_list = ("name", "kind", "school.name", "keeper", "beds", "since", "closed_on")
    form_columns = ("school", "kind", "name", "place", "keeper", "since", "hours", "beds", "equipment", "closed_on")
    column_details_list = form_columns
    filters = ("kind", by_township(Facility), "school")
    search = ("name",)
    default_sort = (("school_id", False), ("kind", False))
    link_column = "name"
    list_template = "work/facilities.html"
    details_template = "work/facility.html"
    needs = RecordView.needs | {"beds": Action.READ}

    @expose("/beds/")
    def beds(self) -> str:
        """住校需求与床位, with life counsellors: who wants a bed, how many there are, who looks after the boarders."""
        return self.render("work/beds.html", rows=boarding.demand(self.db_session, dt.date.today()), today=dt.date.today())

    def openings(self, row: Facility) -> Any:
        return boarding.openings(self.db_session, row.id)


class EveningSlotView(RecordView):
    model = EveningSlot
    group = GROUP
    section = SECTION
    title = "晚间安排"
    basis = "住宿制学校填写：晚间的学习和娱乐"
    column_list = ("school.name", "term.name", "weekday", "hours", "kind", "content", "teacher", "attending")
    form_columns = ("school", "term", "weekday", "hours", "kind", "content", "teacher", "attending")
    column_details_list = form_columns
    filters = ("term", "weekday", "kind", by_township(EveningSlot), "school")
    lookups = {"term": TERMS}
    default_sort = (("school_id", False), ("term_id", True), ("weekday", False), ("hours", False))
    link_column = "content"
    list_template = "work/evenings.html"
    details_template = "work/evening.html"
    needs = RecordView.needs | {"night": Action.UPDATE}

    @expose("/night/", methods=("GET", "POST"))
    def night(self) -> Any:
        """Who came to the slots of one evening: one line a slot, one click."""
        raw, complaint = request.values.get("on", ""), None
        try:
            on = dt.date.fromisoformat(raw) if raw else dt.date.today()
        except ValueError:
            on, complaint = dt.date.today(), Complaint("日期应写作 年-月-日，如 2026-09-01。", "on")
        typed = {int(k[6:]): tidy(v) for k, v in request.form.items() if k.startswith("count-") and number_or_none(k[6:])}
        teachers = {pk: tidy(request.form.get(f"teacher-{pk}", "")) for pk in typed}
        if request.method == "POST" and complaint is None:
            try:
                n = boarding.write_evening(self.db_session, on, {pk: (typed[pk], teachers[pk]) for pk in typed})
                self.db_session.commit()
                flash(_("已登记 %(n)d 个时段。", n=n), "success")
                return redirect(self.get_url(".night", on=on.isoformat()))
            except Complaint as e:
                self.db_session.rollback()
                complaint = e
        if complaint is not None:
            flash(_(complaint.text), "danger")
        lines = boarding.evening(self.db_session, on)
        wrong = complaint.field if complaint is not None else None
        return self.render(
            "work/night.html", on=on, lines=lines, typed=typed, teachers=teachers, wrong=wrong, today=dt.date.today()
        )

    def nights(self, row: EveningSlot) -> Any:
        return boarding.nights(self.db_session, row.id)

    def before_save(self, form: Any, row: EveningSlot, created: bool) -> None:
        if row.school is not None and not row.school.boarding:
            raise Complaint("晚间安排只由住宿制学校填写；请先在学校资料中勾选“是否寄宿制”。", "school")
