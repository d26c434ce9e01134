"""开学摸底: a school hands its count in with one click; the office sees who has not."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from ..access import Action, Role
from ..models import CensusReturn, CensusRound, Resource, School
from ..records import census
from ..rules import Complaint
from .base import RecordView, ToolView
from .fields import number_or_none, own_schools
from .gate import current_scope
from .lookups import CENSUSES, TERMS


class CensusView(ToolView):
    resource = Resource.WORK
    section = "组织与文件"
    needs = {"hand_in": Action.CREATE}

    def __init__(self) -> None:
        super().__init__("开学摸底", "census", "学校工作")

    def _census(self) -> CensusRound | None:
        if wanted := request.values.get("census"):
            return CENSUSES.one(self.db_session, wanted) or abort(404)
        return census.current(self.db_session, dt.date.today())

    @expose("/")
    def index(self) -> str:
        here, today, session = self._census(), dt.date.today(), self.db_session
        every = list(session.scalars(select(CensusRound).order_by(CensusRound.start.desc())))
        rows = census.standings(session, here, today) if here else []
        scope = current_scope()
        if not scope.reads_everywhere:
            rows = [row for row in rows if scope.owns(row.school.id)]
        counts = {row.school.id: census.count(session, row.school.id, today) for row in rows} if len(rows) == 1 else {}
        return self.render("census/index.html", census=here, every=every, rows=rows, counts=counts, today=today)

    @expose("/hand-in/", methods=("POST",))
    def hand_in(self) -> Any:
        here = self._census()
        held = own_schools(select(School).where(School.id == (number_or_none(request.form.get("school")) or -1)), self.db_session)
        school = self.db_session.scalar(held)
        try:
            if here is None or school is None:
                raise Complaint("不是有效的选项。")
            row = census.hand_in(self.db_session, here, school, current_user.name, dt.date.today())
            self.db_session.commit()
            flash(_("已上报：留守儿童 %(n)d 人，其中女 %(g)d 人。", n=row.children, g=row.girls), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".index", census=here.id if here else None))


class CensusRoundView(RecordView):
    model = CensusRound
    group = "管理"
    section = "日历与代码"
    title = "摸底批次"
    menu_for = Action.UPDATE
    column_list = ("title", "term.name", "start", "last_day")
    form_columns = ("term", "title", "start", "last_day")
    lookups = {"term": TERMS}
    default_sort = (("start", True),)
    link_column = "title"

    def before_save(self, form: Any, row: CensusRound, created: bool) -> None:
        if row.start and row.last_day and row.last_day < row.start:
            raise Complaint("截止日不能早于开始日。", "last_day")


class CensusReturnView(RecordView):
    """What was handed in: read, corrected by the office; handing in is a click on the census page."""

    model = CensusReturn
    group = "学校工作"
    in_menu = False
    title = "摸底上报"
    column_list = ("census.title", "school.name", "on", "children", "girls", "by", "remark")
    form_columns = ("census", "school", "on", "children", "girls", "by", "remark")
    filters = ("census", "school")
    lookups = {"census": CENSUSES}
    default_sort = (("on", True),)
    link_column = "school.name"

    @property
    def can_create(self) -> bool:
        return super().can_create and Role.OFFICE in current_scope().roles

    @property
    def can_edit(self) -> bool:
        return super().can_edit and Role.OFFICE in current_scope().roles

    def before_save(self, form: Any, row: CensusReturn, created: bool) -> None:
        if row.on is not None and row.on > dt.date.today():
            raise Complaint("日期不能晚于今天。", "on")
        if row.girls is not None and row.children is not None and row.girls > row.children:
            raise Complaint("其中女不能多于总数。", "girls")
