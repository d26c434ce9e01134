"""Harm to a child and public opinion: restricted to the school and the office, never exported, never searched by text."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ..access import Role
from ..labels import COUNTY_CLOCK
from ..models import MandatoryReport, Opinion
from ..orm import utcnow
from ..records import incidents
from ..rules import Complaint
from .base import RecordView
from .gate import current_scope
from .lists import Line
from .lookups import CHILDREN

GROUP, SECTION = "关爱", "强制报告与舆情"


class Restricted(RecordView):
    """Shared: no free-text search, and nobody holds the right to export; later than found, earlier than now."""

    group = GROUP
    section = SECTION

    def before_save(self, form: Any, row: Any, created: bool) -> None:
        if row.found_at is not None and row.found_at > utcnow() + dt.timedelta(minutes=5):
            raise Complaint("发现时间不能晚于现在。", "found_at")
        for name in ("reported_at", "bureau_at"):
            moment = getattr(row, name, None)
            if moment is not None and row.found_at is not None and moment < row.found_at:
                raise Complaint("报告时间不能早于发现时间。", name)

    def offer(self, form: Any) -> None:
        if form.found_at.data is None:
            form.found_at.data = dt.datetime.now(COUNTY_CLOCK).replace(tzinfo=None, second=0, microsecond=0)


class MandatoryReportView(Restricted):
    model = MandatoryReport
    title = "强制报告"
    column_list = ("found_at", "school.name", "situation", "finder", "reported_at", "latency", "station")
    extra_columns = {"latency": "报告用时"}
    form_columns = (
        "school", "child", "found_at", "finder", "situation", "reported_at", "station", "receipt", "bureau_at", "details",
    )  # fmt: skip
    column_details_list = form_columns
    filters = ("situation", "school")
    lookups = {"child": CHILDREN}
    default_sort = (("found_at", True),)
    link_column = "found_at"
    create_template = "incidents/report.html"

    def decorate(self, lines: list[Line]) -> None:
        for line in lines:
            line.values["latency"] = incidents.latency(line.values["found_at"], line.values["reported_at"])

    def before_save(self, form: Any, row: MandatoryReport, created: bool) -> None:
        super().before_save(form, row, created)
        if row.child is not None and row.school is not None and row.child.school_id != row.school.id:
            row.school = row.child.school


class OpinionView(Restricted):
    model = Opinion
    title = "舆情"
    column_list = ("found_at", "school.name", "source", "level", "reported_at", "latency", "closed_on")
    extra_columns = {"latency": "报告用时"}
    form_columns = ("school", "found_at", "source", "level", "summary", "reported_at", "handling", "closed_on", "hidden")
    column_details_list = form_columns
    filters = ("level", "school", "closed_on")
    default_sort = (("found_at", True),)
    link_column = "found_at"

    def decorate(self, lines: list[Line]) -> None:
        for line in lines:
            line.values["latency"] = incidents.latency(line.values["found_at"], line.values["reported_at"])

    def create_form(self, obj: Any = None) -> Any:
        return self._judged_by_the_office(super().create_form(obj))

    def edit_form(self, obj: Any = None) -> Any:
        return self._judged_by_the_office(super().edit_form(obj))

    @staticmethod
    def _judged_by_the_office(form: Any) -> Any:
        if Role.OFFICE not in current_scope().roles:
            del form.hidden
        return form
