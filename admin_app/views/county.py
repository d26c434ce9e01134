"""What the county decides: the settings for what the plan leaves open."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _

from ..access import Action
from ..models import Holiday, Resource, Workday
from ..records import county
from ..rules import Complaint
from .base import RecordView, ToolView

GROUP, SECTION = "管理", "日历与代码"


class HolidayView(RecordView):
    model = Holiday
    group = GROUP
    section = SECTION
    title = "假期"
    menu_for = Action.UPDATE
    column_list = ("name", "kind", "start", "last_day", "handover", "code")
    form_columns = ("code", "name", "kind", "start", "last_day", "handover")
    filters = ("kind", "handover")
    default_sort = (("start", True),)
    link_column = "name"

    def before_save(self, form: Any, row: Holiday, created: bool) -> None:
        if row.start and row.last_day and row.last_day < row.start:
            raise Complaint("假期最后一天不能早于第一天。", "last_day")


class WorkdayView(RecordView):
    model = Workday
    group = GROUP
    section = SECTION
    title = "调休日历"
    basis = "只登记与“周一至周五上班”不同的日子；转学交接、辍学上报的工作日按此计算"
    menu_for = Action.UPDATE
    column_list = ("date", "works", "name")
    form_columns = ("date", "works", "name")
    filters = ("date", "works")
    default_sort = (("date", True),)
    link_column = "date"


class SettingsView(ToolView):
    resource = Resource.RUBRIC
    section = SECTION
    menu_for = Action.UPDATE
    needs = {"save": Action.UPDATE}

    def __init__(self) -> None:
        super().__init__("县级设置", "county", GROUP)

    @expose("/")
    def index(self) -> str:
        return self.render("county/settings.html", settings=county.SETTINGS, values=county.values(self.db_session), wrong={})

    @expose("/save/", methods=("POST",))
    def save(self) -> Any:
        wanted = {setting.key: request.form[setting.key] for setting in county.SETTINGS if setting.key in request.form}
        try:
            count = county.change(self.db_session, wanted)
            self.db_session.commit()
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            now = county.values(self.db_session) | wanted
            return self.render("county/settings.html", settings=county.SETTINGS, values=now, wrong={e.field: e.text})
        flash(_("保存成功，改动 %(n)d 项。", n=count), "success")
        return redirect(self.get_url(".index"))
