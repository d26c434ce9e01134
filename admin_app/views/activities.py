"""What a school does on a day: lessons, drills, meetings, linkage, publicity, openings, checks; and who took part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from flask import flash, has_request_context, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from .. import spelling
from ..access import Action
from ..models import Activity, Code, CodeKind, Participation
from ..records import rosters
from ..rules import Complaint
from .base import RecordView
from .fields import Lookup, ids_in_form, school_asked
from .filters import Filter, by_township
from .gate import note, note_names
from .lists import Line
from .lookups import FACILITIES
from .words import unlabelled

ALWAYS = ("school", "title", "kind", "on", "place", "leader")
ASKED: dict[CodeKind, tuple[str, ...]] = {
    CodeKind.ACTIVITY: (
        "lesson",
        "carrier",
        "until",
        "pupils",
        "parents",
        "guardians",
        "spheres",
        "expert",
        "agencies",
        "partners",
        "money",
        "summary",
    ),
    CodeKind.DRILL: ("opened", "pupils", "seconds", "problems", "agencies", "summary"),
    CodeKind.MEETING: ("parents", "guardians", "summary"),
    CodeKind.LINKAGE: ("agencies", "partners", "pupils", "parents", "guardians", "spheres", "money", "summary"),
    CodeKind.PUBLICITY: ("media", "level", "web", "summary"),
    CodeKind.OPENING: ("facility", "opened", "pupils", "summary"),
    CodeKind.CHECK: ("problems", "summary"),
}
"""What a form asks, by kind of activity; a drill is not asked for a newspaper."""
WORDS = {CodeKind.ACTIVITY: "活动", CodeKind.DRILL: "演练", CodeKind.MEETING: "会议", CodeKind.LINKAGE: "部门联动",
         CodeKind.PUBLICITY: "宣传报道", CodeKind.OPENING: "阵地开放", CodeKind.CHECK: "管理检查"}  # fmt: skip


def _asked_kind() -> CodeKind | None:
    """The kind named in the address (?of=drill), if it is one of ours."""
    raw = request.args.get("of", "") if has_request_context() else ""
    return CodeKind(raw) if raw in {kind.value for kind in ASKED} else None


def _offered(query: Select[Any], _session: Session) -> Select[Any]:
    kind = _asked_kind()
    return query.where(Code.kind.in_([kind] if kind else list(ASKED)), Code.active)


def _of_kind(query: Select[Any], value: CodeKind) -> Select[Any]:
    return query.where(Activity.kind_id.in_(select(Code.id).where(Code.kind == value)))


def _parse_kind(raw: str) -> CodeKind:
    if (kind := CodeKind(raw)) not in ASKED:
        raise ValueError(raw)
    return kind


BY_KIND = Filter("of", "种类", _of_kind, _parse_kind, lambda _s: [(k.value, _(w)) for k, w in WORDS.items()], "choice")


class ActivityView(RecordView):
    model = Activity
    group = "学校工作"
    section = "活动与培训"
    title = "活动演练"
    attachable = True
    column_list = ("title", "kind.name", "on", "school.name", "leader", "pupils", "children")
    extra_columns = {"children": "留守儿童"}
    form_columns = (
        *ALWAYS, "lesson", "carrier", "until", "opened", "facility", "pupils", "parents", "guardians", "spheres", "expert", "agencies", "partners", "seconds",
        "problems", "media", "level", "web", "money", "summary",
    )  # fmt: skip
    column_details_list = ("school.name", "kind.name", *form_columns[3:])
    filters = (BY_KIND, by_township(Activity), "school", "kind", "on", "spheres")
    lookups = {"kind": Lookup(Code, only=_offered, order=("kind", "position")), "facility": FACILITIES}
    search = ("title",)
    default_sort = (("on", True),)
    link_column = "title"
    list_template = "activities/list.html"
    details_template = "activities/details.html"
    needs = RecordView.needs | {"roster": Action.UPDATE}
    kinds = WORDS

    def options_of(self, name: str) -> Callable[[], list[tuple[str, str]]]:
        return self.agencies

    def agencies(self) -> list[tuple[str, str]]:
        listed = select(Code.code, Code.name).where(Code.kind == CodeKind.AGENCY, Code.active).order_by(Code.position)
        return [(code, name) for code, name in self.db_session.execute(listed)]

    def words(self, row: Activity, name: str) -> str:
        if name == "agencies":
            names = dict(self.agencies())
            return "、".join(names.get(code, code) for code in row.agencies or ())
        return super().words(row, name)

    def details(self, row: Activity) -> list[tuple[str, str]]:
        """A drill's page does not show a newspaper's empty lines."""
        asked = {"school.name", "kind.name", *ALWAYS, *ASKED[row.kind.kind]}
        wanted = [n for n in self.column_details_list if n in asked or getattr(row, n, None)]
        return [(str(self.column_labels[n]), self.words(row, n)) for n in wanted]

    def create_form(self, obj: Any = None) -> Any:
        return self._only_asked(super().create_form(obj), _asked_kind())

    def edit_form(self, obj: Any = None) -> Any:
        return self._only_asked(super().edit_form(obj), obj.kind.kind if _asked_kind() is None else _asked_kind())

    def _only_asked(self, form: Any, kind: CodeKind | None) -> Any:
        if kind is not None:
            for name in set(self.form_columns) - {*ALWAYS, *ASKED[kind]}:
                if not form[name].data:
                    delattr(form, name)
        return form

    def offer(self, form: Any) -> None:
        if form.on.data is None:
            form.on.data = dt.date.today()

    def before_save(self, form: Any, row: Activity, created: bool) -> None:
        if row.until and row.on and row.until < row.on:
            raise Complaint("结束日期不能早于开始日期。", "until")
        if row.kind is not None and row.kind.kind is CodeKind.OPENING and row.facility is None:
            raise Complaint("登记开放须选场所；没有的请先在“阵地设施”中登记。", "facility")
        if row.facility is not None and row.school is not None and row.facility.school_id != row.school.id:
            raise Complaint("场所不是这所学校的。", "facility")
        if row.money is not None and row.money < 0:
            raise Complaint("款物不能为负。", "money")

    def decorate(self, lines: list[Line]) -> None:
        ids = [line.id for line in lines]
        counted = select(Participation.activity_id, func.count(Participation.id)).where(Participation.activity_id.in_(ids))
        counts = dict(self.db_session.execute(counted.group_by(Participation.activity_id)).all())
        for line in lines:
            line.values["children"] = counts.get(line.id, 0)

    def names(self, row: Activity) -> list[str]:
        taking_part = select(Participation.child_name).where(Participation.activity_id == row.id)
        return sorted(self.db_session.scalars(taking_part), key=spelling.order)

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        with_children = model.kind.kind in (CodeKind.ACTIVITY, CodeKind.DRILL)
        return self.get_url(".roster" if is_created and with_children else ".details_view", id=model.id)

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
        people = rosters.enrolled_on(self.db_session, row.school_id, row.on)
        note_names(len(people), row.school_id, row.id)
        return self.render("activities/roster.html", row=row, people=people, ticked=ticked)

    @expose("/sheet/")
    def sheet(self) -> str:
        """签到表 to sign by hand: who is on the record, else everybody of the school that day; before a record by ?school=."""
        row = self.get_one(request.args["id"]) if "id" in request.args else None
        school, on = (row.school, row.on) if row else (school_asked(self.db_session), dt.date.today())
        people = rosters.enrolled_on(self.db_session, school.id, on) if school else []
        named = select(Participation.enrolment_id).where(Participation.activity_id == row.id) if row else None
        if named is not None and (ticked := set(self.db_session.scalars(named))):
            people = [(enrolment, child) for enrolment, child in people if enrolment.id in ticked]
        if school:
            note("print", "activity", row.id if row else "", school.id, 人数=len(people))
        return self.render(
            "activities/sheet.html", row=row, school=school, lines=[(f"{_(c.grade.label)} {c.class_name}", c.name) for _e, c in people],
            title=unlabelled(row.title) if row else "", back=self.get_url(".details_view", id=row.id) if row else self.get_url(".index_view"),
        )  # fmt: skip
