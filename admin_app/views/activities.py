"""Activities and drills, with the children who took part."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import func, select

from ..access import Action
from ..models import Activity, CodeKind, Participation
from ..records import rosters
from ..rules import Complaint
from .base import RecordView
from .fields import ids_in_form
from .filters import by_township
from .lists import Line
from .schools import codes


class ActivityView(RecordView):
    model = Activity
    group = "本校工作"
    title = "活动演练"
    column_list = ("title", "kind.name", "on", "school.name", "leader", "pupils", "children")
    extra_columns = {"children": "留守儿童"}
    form_columns = (
        "school",
        "title",
        "kind",
        "carrier",
        "on",
        "until",
        "place",
        "leader",
        "pupils",
        "adults",
        "partners",
        "summary",
    )
    column_details_list = ("school.name", "kind.name", *form_columns[3:])
    filters = (by_township(Activity), "school", "kind", "on")
    lookups = {"kind": codes(CodeKind.ACTIVITY, CodeKind.DRILL)}
    search = ("title",)
    default_sort = (("on", True),)
    link_column = "title"
    details_template = "activities/details.html"
    needs = RecordView.needs | {"roster": Action.UPDATE}

    def decorate(self, lines: list[Line]) -> None:
        ids = [line.id for line in lines]
        counted = select(Participation.activity_id, func.count(Participation.id)).where(Participation.activity_id.in_(ids))
        counts = dict(self.db_session.execute(counted.group_by(Participation.activity_id)).all())
        for line in lines:
            line.values["children"] = counts.get(line.id, 0)

    def before_save(self, form: Any, row: Activity, created: bool) -> None:
        if row.until and row.on and row.until < row.on:
            raise Complaint("结束日期不能早于开始日期。", "until")

    def offer(self, form: Any) -> None:
        if form.on.data is None:
            form.on.data = dt.date.today()

    def names(self, row: Activity) -> list[str]:
        taking_part = select(Participation.child_name).where(Participation.activity_id == row.id).order_by(Participation.child_name)
        return list(self.db_session.scalars(taking_part))

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".roster", id=model.id) if is_created else self.get_url(".details_view", id=model.id)

    @expose("/roster/", methods=("GET", "POST"))
    def roster(self) -> Any:
        """Tick the children who took part, class by class."""
        row = self.get_one(request.args.get("id", ""))
        if not self.may_change(row):
            return self.forbid()
        if request.method == "POST":
            try:
                count = rosters.set_participants(self.db_session, row, ids_in_form("child"))
                self.db_session.commit()
                flash(_("已登记参加儿童 %(n)d 人。", n=count), "success")
                return redirect(self.get_url(".details_view", id=row.id))
            except Complaint as e:
                self.db_session.rollback()
                flash(_(e.text), "danger")
        ticked = set(self.db_session.scalars(select(Participation.enrolment_id).where(Participation.activity_id == row.id)))
        return self.render(
            "activities/roster.html", row=row, people=rosters.enrolled_on(self.db_session, row.school_id, row.on), ticked=ticked
        )
