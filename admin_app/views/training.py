"""Training sessions, with the sign-in list of the carers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import func, select

from .. import spelling
from ..access import Action, shown
from ..models import Attendance, Carer, CodeKind, SignedHow, TrainingSession
from ..records import rosters
from ..rules import Complaint
from .base import RecordView
from .fields import number_or_none, school_asked
from .filters import by_township
from .gate import current_scope, note, note_names
from .lists import Line
from .lookups import codes
from .words import unlabelled


class TrainingView(RecordView):
    model = TrainingSession
    group = "学校工作"
    section = "活动与培训"
    attachable = True
    title = "监护人培训"
    column_list = ("title", "kind.name", "on", "school.name", "speaker", "expected", "present")
    extra_columns = {"present": "实到"}
    form_columns = ("school", "title", "kind", "on", "hours", "place", "speaker", "speaker_unit", "topic", "expected")
    column_details_list = ("school.name", "kind.name", *form_columns[3:])
    filters = (by_township(TrainingSession), "school", "kind", "on")
    lookups = {"kind": codes(CodeKind.TRAINING)}
    search = ("title",)
    default_sort = (("on", True),)
    link_column = "title"
    details_template = "training/details.html"
    list_template = "training/list.html"
    needs = RecordView.needs | {"sign_in": Action.UPDATE}

    def decorate(self, lines: list[Line]) -> None:
        counted = select(Attendance.session_id, func.count(Attendance.id)).where(
            Attendance.session_id.in_([line.id for line in lines]), Attendance.how != SignedHow.ABSENT
        )
        counts = dict(self.db_session.execute(counted.group_by(Attendance.session_id)).all())
        for line in lines:
            line.values["present"] = counts.get(line.id, 0)

    def offer(self, form: Any) -> None:
        if form.on.data is None:
            form.on.data = dt.date.today()

    def signed(self, row: TrainingSession) -> list[Attendance]:
        lines = self.db_session.scalars(select(Attendance).where(Attendance.session_id == row.id).order_by(Attendance.id))
        return sorted(lines, key=lambda line: spelling.order(line.child_name))

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".sign_in", id=model.id) if is_created else self.get_url(".details_view", id=model.id)

    @expose("/sign-in/", methods=("GET", "POST"))
    def sign_in(self) -> Any:
        """The sign-in list: each carer present, represented, taught at home or absent."""
        row = self.get_one(request.args.get("id", ""))
        if not self.may_change(row):
            return self.forbid()
        if request.method == "POST":
            try:
                count = rosters.set_attendance(self.db_session, row, _signed_in_form())
                self.db_session.commit()
                flash(_("签到已保存，实到 %(n)d 人。", n=count), "success")
                return redirect(self.get_url(".details_view", id=row.id))
            except Complaint as e:
                self.db_session.rollback()
                flash(_(e.text), "danger")
        held = {(a.enrolment_id, a.person_key): a.how for a in self.signed(row)}
        people = rosters.carers_on(self.db_session, row.school_id, row.on)
        note_names(len(people), row.school_id, row.id)
        return self.render("training/sign_in.html", row=row, people=people, held=held, hows=list(SignedHow))

    @expose("/sheet/")
    def sheet(self) -> str:
        """签到表 to sign by hand: of a recorded training, or of one to come (?school=), with the carers of the day."""
        row = self.get_one(request.args["id"]) if "id" in request.args else None
        school, on = (row.school, row.on) if row else (school_asked(self.db_session), dt.date.today())
        people = rosters.by_person(rosters.carers_on(self.db_session, school.id, on)) if school else []
        if school:
            note("print", "training_session", row.id if row else "", school.id, 人数=len(people))
        lines = [
            (carer.name, _(carer.relation.label), "、".join(f"{c.name}（{_(c.grade.label)}{c.class_name}）" for c in children),
             shown(current_scope(), Carer, "phone", carer.phone, carer.school_id))
            for carer, children in people
        ]  # fmt: skip
        return self.render(
            "training/sheet.html",
            row=row,
            school=school,
            lines=lines,
            title=unlabelled(row.title) if row else "",
            back=self.get_url(".details_view", id=row.id) if row else self.get_url(".index_view"),
        )


def _signed_in_form() -> dict[int, SignedHow]:
    signed = {}
    for key, value in request.form.items():
        carer_id = number_or_none(key.removeprefix("carer-")) if key.startswith("carer-") else None
        if carer_id and value:
            try:
                signed[carer_id] = SignedHow(value)
            except ValueError:
                raise Complaint("签到方式不是有效的选项。") from None
    return signed
