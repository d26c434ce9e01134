"""Places and people of schools: townships, schools and sites, staff, terms, code lists."""

from __future__ import annotations

from typing import Any

from ..access import Action
from ..models import Code, School, Staff, Term, Township
from ..rules import Complaint
from .base import RecordView
from .lookups import CENTRES, TOWNSHIPS

GROUP = "管理"


class SchoolView(RecordView):
    model = School
    group = GROUP
    section = "学校"
    title = "学校"
    menu_for = Action.UPDATE
    column_list = (
        "name",
        "code",
        "township.name",
        "kind",
        "affiliation",
        "centre_name",
        "assessed",
        "school_group",
        "boarding",
        "pupils",
    )
    extra_columns = {"centre_name": "上级中心校"}
    form_columns = [
        "code",
        "name",
        "township",
        "kind",
        "affiliation",
        "centre",
        "assessed",
        "school_group",
        "boarding",
        "public",
        "area",
        "pupils",
        "phone",
    ]
    column_details_list = tuple(form_columns)
    filters = ("township", "kind", "affiliation", "school_group", "assessed", "boarding")
    lookups = {"centre": CENTRES, "township": TOWNSHIPS}
    search = ("name", "code")
    default_sort = (("name", False),)
    link_column = "name"

    def decorate(self, lines: list[Any]) -> None:
        names = dict(self.db_session.execute(self._centres([line.id for line in lines])).all())
        for line in lines:
            line.values["centre_name"] = names.get(line.id, "")

    @staticmethod
    def _centres(ids: list[int]) -> Any:
        from sqlalchemy import select
        from sqlalchemy.orm import aliased

        centre = aliased(School)
        return select(School.id, centre.name).join(centre, centre.id == School.centre_id).where(School.id.in_(ids or [-1]))

    def before_save(self, form: Any, row: School, created: bool) -> None:
        if row.centre is not None and row.centre is row:
            raise Complaint("上级中心校不能是本校。", "centre")
        if row.assessed and row.centre is not None:
            raise Complaint("考核单位不能再有上级中心校：教学点、村完小并入中心校考核。", "assessed")
        if row.assessed and row.school_group is None:
            raise Complaint("考核单位须填考核组别。", "school_group")


class StaffView(RecordView):
    model = Staff
    group = "学校工作"
    section = "组织与文件"
    title = "教职工"
    column_list = ("name", "school.name", "duty", "phone", "start", "end", "confirmed")
    form_columns = ("school", "name", "duty", "phone", "start", "end", "confirmed")
    filters = ("school", "confirmed")
    search = ("name",)
    default_sort = (("school_id", False), ("name", False))
    link_column = "name"


class TownshipView(RecordView):
    model = Township
    group = GROUP
    section = "学校"
    title = "乡镇"
    menu_for = Action.UPDATE
    column_list = ("position", "name", "code", "kind", "aliases")
    form_columns = ("position", "name", "code", "kind", "aliases")
    default_sort = (("position", False),)
    link_column = "name"


class TermView(RecordView):
    model = Term
    group = GROUP
    section = "日历与代码"
    title = "学期"
    menu_for = Action.UPDATE
    column_list = ("name", "code", "start", "last_day")
    form_columns = ("code", "name", "start", "last_day")
    default_sort = (("start", True),)
    link_column = "name"

    def before_save(self, form: Any, row: Term, created: bool) -> None:
        if row.start and row.last_day and row.last_day <= row.start:
            raise Complaint("放假前最后一天应晚于开学日。", "last_day")


class CodeView(RecordView):
    model = Code
    group = GROUP
    section = "日历与代码"
    title = "代码表"
    menu_for = Action.UPDATE
    column_list = ("kind", "code", "name", "aliases", "position", "active")
    form_columns = ("kind", "code", "name", "aliases", "position", "active")
    filters = ("kind", "active")
    search = ("name", "code")
    default_sort = (("kind", False), ("position", False))
    link_column = "name"
