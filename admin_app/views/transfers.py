"""转学 and 升级: children on the move, one by one, by the class, and at the turn of the school year."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from .. import rules
from ..access import Action, OutOfScope, scope_in, tells_sender
from ..db import db, writing
from ..models import (
    BY_TOWNSHIP,
    BatchKind,
    CareRecord,
    Child,
    Grade,
    LeaveReason,
    Resource,
    School,
    SchoolKind,
    Staff,
    StateNote,
    Transfer,
    TransferKind,
    TransferState,
)
from ..records import bulk, rolling, transfers
from ..rules import Complaint, tidy
from .base import RecordView, ToolView
from .fields import ids_in_form, number_or_none, own_schools
from .filters import Filter
from .gate import current_scope, note, note_names, within_limits
from .lists import Line
from .lookups import ANY_SCHOOL, CHILDREN
from .words import state

GROUP, SECTION = "儿童", "转学与升级"
MARK = {
    TransferState.REQUESTED: "unsure",
    TransferState.PENDING: "now",
    TransferState.ACCEPTED: "done",
    TransferState.RETURNED: "",
}
SIDES = {"in": "待我接收", "asked": "待我放行", "out": "待对方接收"}


def _side(query: Select[Any], value: str) -> Select[Any]:
    return query.where(*_waiting(value))


def _waiting(value: str) -> list[Any]:
    scope = scope_in(db.session())
    if value == "asked":
        asked = [Transfer.state == TransferState.REQUESTED]
        return asked if scope.reads_everywhere else [*asked, Transfer.school_id.in_(sorted(scope.school_ids) or [-1])]
    pending = [Transfer.state == TransferState.PENDING]
    if scope.reads_everywhere:
        return pending
    end = Transfer.to_school_id if value == "in" else Transfer.school_id
    return [*pending, end.in_(sorted(scope.school_ids) or [-1])]


def _known_side(raw: str) -> str:
    if raw not in SIDES:
        raise ValueError(raw)
    return raw


BY_SIDE = Filter("side", "待办", _side, _known_side, lambda _s: [(k, _(w)) for k, w in SIDES.items()], "choice")


def day_in_form(name: str = "on") -> dt.date:
    """A day typed into a small form; today when empty.

    :raises Complaint: when it is no day, or later than today.
    """
    raw = tidy(request.form.get(name, ""))
    try:
        day = dt.date.fromisoformat(raw) if raw else dt.date.today()
    except ValueError:
        raise Complaint("日期应写作 年-月-日，如 2026-09-01。", name) from None
    if complaint := rules.not_in_future(day.isoformat()):
        raise Complaint(complaint, name)
    return day


class TransferView(RecordView):
    model = Transfer
    group = GROUP
    section = SECTION
    title = "转学"
    column_list = ("child_name", "kind", "school_name", "to_school_name", "proposed_on", "answered_on", "status", "answer")
    extra_columns = {"school_name": "转出学校", "to_school_name": "接收学校", "status": "状态"}
    form_columns = ("child", "to_school", "proposed_on", "grade", "to_place")
    column_details_list = (
        "child_name",
        "kind",
        "school",
        "to_school",
        "to_place",
        "proposed_on",
        "state",
        "answered_on",
        "answer",
        "printed_on",
    )
    filters = (BY_SIDE, "state", "kind", "proposed_on")
    lookups = {"child": CHILDREN, "to_school": ANY_SCHOOL}
    search = ("child_name",)
    default_sort = (("proposed_on", True),)
    link_column = "child_name"
    list_template = "transfers/list.html"
    details_template = "transfers/details.html"
    needs = RecordView.needs | dict.fromkeys(("accept", "send_back", "release", "leave_county"), Action.UPDATE) | {
        "ask": Action.CREATE, "school_class": Action.CREATE, "paper": Action.READ,
    }  # fmt: skip
    sides = SIDES

    def decorate(self, lines: list[Line]) -> None:
        rows = {t.id: t for t in self.db_session.scalars(select(Transfer).where(Transfer.id.in_([line.id for line in lines])))}
        scope = current_scope()
        ids = {t.school_id for t in rows.values()} | {t.to_school_id for t in rows.values()}
        names = dict(self.db_session.execute(select(School.id, School.name).where(School.id.in_(ids))).all())
        for line in lines:
            row = rows[line.id]
            sender = names[row.school_id] if tells_sender(scope, row) else _(rules.WITHHELD[0])
            line.values["school_name"], line.values["to_school_name"] = sender, names[row.to_school_id]
            line.values["status"] = state(MARK[row.state], _(row.state.label))

    def words(self, row: Transfer, name: str) -> str:
        told = name != "school" or tells_sender(current_scope(), row)
        return super().words(row, name) if told else _(rules.WITHHELD[0])

    def offer(self, form: Any) -> None:
        if form.proposed_on.data is None:
            form.proposed_on.data = dt.date.today()

    def may_change(self, row: Transfer) -> bool:
        return super().may_change(row) and row.state is TransferState.PENDING

    def may_answer(self, row: Transfer) -> bool:
        """The receiving school, while the offer waits."""
        mine = current_scope().owns(row.to_school_id) and current_scope().may(Action.UPDATE, self.resource)
        return mine and row.state is TransferState.PENDING and row.to_school.kind is not SchoolKind.OUTSIDE

    def may_release(self, row: Transfer) -> bool:
        mine = current_scope().owns(row.school_id) and current_scope().may(Action.UPDATE, self.resource)
        return mine and row.state is TransferState.REQUESTED

    def may_print(self, row: Transfer) -> bool:
        return tells_sender(current_scope(), row)

    def may_see_off(self, row: Transfer) -> bool:
        return self.may_change(row) and row.to_school.kind is SchoolKind.OUTSIDE

    def before_save(self, form: Any, row: Transfer, created: bool) -> None:
        if row.child is None or row.to_school is None:
            return
        if created:
            transfers.check_offer(self.db_session, row.child, row.to_school, row.proposed_on)
            row.school_id, row.child_name = row.child.school_id, row.child.name
        if row.to_school.kind is SchoolKind.OUTSIDE:
            row.kind = TransferKind.OUT
            if not row.to_place:
                raise Complaint("转出县外须填去向（省、市、学校）。", "to_place")

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.child, form.to_school  # the ends of a transfer do not change
        return form

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".details_view", id=model.id)

    def teachers(self, row: Transfer) -> list[Staff]:
        """Who may become the responsible person at the new school."""
        unit = select(School.id).where(or_(School.id == row.to_school_id, School.id == row.to_school.centre_id))
        return list(
            self.db_session.scalars(select(Staff).where(Staff.school_id.in_(unit), Staff.end.is_(None)).order_by(Staff.name_order))
        )

    def past(self, row: Transfer) -> dict[str, int]:
        """Counts of the child's records, for the paper that goes along; the receiver cannot count them before it has the child."""
        if row.state is not TransferState.ACCEPTED and not current_scope().owns(row.school_id):
            return {}
        count = lambda model: self.db_session.scalar(select(func.count(model.id)).where(model.child_id == row.child_id)) or 0  # noqa: E731
        return {"谈心家访联系": count(CareRecord), "四项状况": count(StateNote)}

    def _answered(self, row: Transfer, act: Any, said: str) -> Any:
        try:
            act()
            flash(said, "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        except OutOfScope:
            return self.forbid()
        return redirect(self._back() if request.args.get("url") else self.get_url(".index_view"))

    @expose("/accept/", methods=("POST",))
    def accept(self) -> Any:
        """Take one child in, or all that are ticked."""
        try:
            ids = sorted(ids_in_form("id"))
        except Complaint as e:
            flash(_(e.text), "danger")
            return redirect(self.get_url(".index_view"))
        rows = [self.get_one(pk) for pk in ids]
        if rows and all(row.state is TransferState.ACCEPTED and current_scope().owns(row.to_school_id) for row in rows):
            flash(_("已经接收，不必再办。"), "info")  # a double click
            return redirect(self.get_url(".index_view"))
        if not rows or not all(self.may_answer(row) for row in rows):
            return self.forbid()
        staff = number_or_none(request.form.get("staff"))
        actor, class_name = current_scope(), tidy(request.form.get("class_name", ""))[:20]

        def act() -> None:
            on = day_in_form()
            self.db_session.rollback()  # the request's own session holds SQLite's only write lock no longer
            for pk in ids:
                transfers.accept(writing, actor, pk, on, class_name=class_name, staff_id=staff)

        return self._answered(rows[0], act, _("已接收 %(n)d 人。请发新联系卡、核对档案并指定包保责任人。", n=len(ids)))

    @expose("/back/", methods=("POST",))
    def send_back(self) -> Any:
        row = self.get_one(request.form.get("id", ""))
        if not (self.may_answer(row) or self.may_release(row)):
            return self.forbid()

        def act() -> None:
            transfers.send_back(row, tidy(request.form.get("answer", ""))[:200], dt.date.today())
            self.db_session.commit()

        return self._answered(row, act, _("已退回。"))

    @expose("/release/", methods=("POST",))
    def release(self) -> Any:
        row = self.get_one(request.form.get("id", ""))
        if not self.may_release(row):
            return self.forbid()

        def act() -> None:
            transfers.release(row)
            self.db_session.commit()

        return self._answered(row, act, _("已放行，等待对方接收。"))

    @expose("/leave-county/", methods=("POST",))
    def leave_county(self) -> Any:
        """The 移交单 is printed and handed over: the child has left the county."""
        row = self.get_one(request.form.get("id", ""))
        if not self.may_see_off(row):
            return self.forbid()
        pk, actor = row.id, current_scope()

        def act() -> None:
            on = day_in_form()
            self.db_session.rollback()
            transfers.accept(writing, actor, pk, on)

        return self._answered(row, act, _("已转出县外，移交单已登记。"))

    @expose("/paper/")
    def paper(self) -> str:
        """档案移交单, to print."""
        row = self.get_one(request.args.get("id", ""))
        if not self.may_print(row):
            return self.forbid()
        child = self.db_session.scalar(select(Child).where(Child.id == row.child_id))
        note("print", "transfer", row.id, row.school_id)
        return self.render("transfers/paper.html", row=row, child=child, past=self.past(row), today=dt.date.today(),
                           may_see_off=self.may_see_off(row), back=self.get_url(".details_view", id=row.id))  # fmt: skip

    @expose("/ask/", methods=("GET", "POST"))
    def ask(self) -> Any:
        """申请转入: number, name and birth date of a child that is registered elsewhere."""
        form = {name: tidy(request.form.get(name, "")) for name in ("number", "name", "birth", "school")}
        schools = list(self.db_session.scalars(own_schools(select(School), self.db_session).order_by(*BY_TOWNSHIP).limit(400)))
        if request.method == "POST":
            try:
                school = next((s for s in schools if str(s.id) == form["school"]), None)
                if school is None:
                    raise Complaint("请选择转入学校。")
                if complaint := rules.id_number(form["number"]) or rules.person_name(form["name"]):
                    raise Complaint(complaint)
                self._ask_for(form, dt.date.fromisoformat(form["birth"]), school.id)
                flash(_("申请已发出，原学校放行后在“待我接收”中接收。"), "success")
                return redirect(self.get_url(".index_view"))
            except Complaint as e:
                flash(_(e.text), "danger")
            except ValueError:
                flash(_("日期应写作 年-月-日，如 2026-09-01。"), "danger")
        schools = list(self.db_session.scalars(own_schools(select(School), self.db_session).order_by(*BY_TOWNSHIP).limit(400)))
        return self.render("transfers/ask.html", form=form, schools=schools)

    def _ask_for(self, form: dict[str, str], birth: dt.date, to: int) -> None:
        """Each request that names nobody is a try, like those of the register and its imports."""
        actor, number, name = current_scope(), rules.tidy_number(form["number"]), rules.tidy_name(form["name"])
        self.db_session.rollback()
        within_limits("probe")
        try:
            transfers.request(writing, actor, number, name, birth, to)
        except Complaint:
            note("probe", Child.__tablename__, "", to, 姓名=name, 出生日期=birth, 证件号=rules.mask(number))
            raise
        note("request", "transfer", "", to)

    @expose("/class/", methods=("GET", "POST"))
    def school_class(self) -> Any:
        """A whole class to another school on one screen."""
        classes = {klass.key: klass for klass in rolling.classes(self.db_session)}
        chosen = classes.get(request.values.get("class", ""))
        children = rolling.pupils(self.db_session, chosen) if chosen else []
        if request.method == "POST" and chosen:
            try:
                ticked = ids_in_form("child")
                going = [child for child in children if child.id in ticked]
                to = ANY_SCHOOL.one(self.db_session, request.form.get("to_school"))
                if to is None or len(going) != len(ticked) or not going:
                    raise Complaint("请勾选儿童并选择接收学校。")
                grade = Grade(request.form["grade"]) if request.form.get("grade") in {g.value for g in Grade} else None
                kind = TransferKind.PROMOTION if grade and grade is not chosen.grade else TransferKind.MOVE
                with bulk.recorded(self.db_session, BatchKind.TRANSFER, chosen.school.id, f"{chosen.grade}{chosen.name} → {to}"):
                    count = transfers.propose_class(self.db_session, going, to, day_in_form(), grade, kind)
                self.db_session.commit()
                flash(_("已发起 %(n)d 人的转学，等待对方接收。", n=count), "success")
                return redirect(self.get_url(".index_view", side="out"))
            except Complaint as e:
                self.db_session.rollback()
                flash(_(e.text), "danger")
                return redirect(self.get_url(".school_class", **{"class": chosen.key}))
        note_names(len(children), chosen.school.id if chosen else None)
        schools = self.db_session.execute(
            select(School.id, School.name).where(School.kind != SchoolKind.BUREAU).order_by(*BY_TOWNSHIP)
        ).all()
        return self.render("transfers/class.html", classes=list(classes.values()), chosen=chosen, children=children, schools=schools,
                           grades=list(Grade), following=chosen.next_grade if chosen else None, today=dt.date.today())  # fmt: skip


class RolloverView(ToolView):
    """升级: preview class by class, carried out in one go, undone in one go."""

    resource = Resource.REGISTER
    section = SECTION
    menu_for = Action.UPDATE
    needs = {"index": Action.UPDATE, "roll": Action.UPDATE, "leave": Action.UPDATE, "come_back": Action.UPDATE}

    def __init__(self) -> None:
        super().__init__("学年升级", "rollover", GROUP)

    def _unit(self, session: Session) -> School | None:
        """The assessed school whose classes (and sites) are rolled: the own one, or the one the office chose."""
        held = own_schools(select(School).where(School.assessed), session)
        wanted = number_or_none(request.values.get("school"))
        if wanted:
            held = held.where(School.id == wanted)
        elif current_scope().reads_everywhere:
            return None
        return session.scalar(held.order_by(School.code).limit(1))

    def _classes(self, session: Session, unit: School | None) -> list[rolling.Klass]:
        return [k for k in rolling.classes(session) if unit is not None and unit.id in (k.school.id, k.school.centre_id)]

    @expose("/")
    def index(self) -> str:
        session = self.db_session
        unit = self._unit(session)
        classes = self._classes(session, unit)
        today = dt.date.today()
        schools = session.execute(
            select(School.id, School.name).where(School.kind != SchoolKind.BUREAU).order_by(*BY_TOWNSHIP)
        ).all()
        ids = {k.school.id for k in classes} | ({unit.id} if unit else set())
        return self.render("transfers/rollover.html", unit=unit, classes=classes, schools=schools, today=today,
                           done=rolling.done_since(session, ids, rolling.year_start(today)), units=self._units(session))  # fmt: skip

    def _units(self, session: Session) -> list[Any]:
        held = own_schools(select(School).where(School.assessed).order_by(*BY_TOWNSHIP), session)
        return list(session.scalars(held)) if current_scope().reads_everywhere else []

    @expose("/roll/", methods=("POST",))
    def roll(self) -> Any:
        unit = self._unit(self.db_session)
        if unit is None:
            return self.forbid()
        wanted = {
            klass.key: (tidy(request.form.get(f"name-{klass.key}", ""))[:20], request.form.get(f"to-{klass.key}", ""))
            for klass in self._classes(self.db_session, unit)
            if request.form.get(f"roll-{klass.key}")
        }
        try:
            if not wanted:
                raise Complaint("请勾选要升级的班级。")
            batch = rolling.roll(self.db_session, wanted, unit, dt.date.today())
            self.db_session.commit()
            flash(_("已升级 %(n)d 个班，可在“批量操作”中整体撤销。", n=len(wanted)), "success")
            return redirect(url_for("batch.details_view", id=batch.id))
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            return redirect(self.get_url(".index", school=request.form.get("school")))

    def _child(self) -> Child:
        child = CHILDREN.one(self.db_session, request.form.get("id"))
        if child is None:
            abort(404)
        if not current_scope().owns(child.school_id):
            self.forbid()
        return child

    @expose("/leave/", methods=("POST",))
    def leave(self) -> Any:
        """离校: graduated, suspended, dropped out."""
        child = self._child()
        return self._moved(child, lambda on: transfers.leave(self.db_session, child, on, _reason()), _("已登记离校。"))

    @expose("/come-back/", methods=("POST",))
    def come_back(self) -> Any:
        """复学."""
        child = self._child()
        return self._moved(child, lambda on: transfers.come_back(self.db_session, child, on), _("已登记复学。请指定包保责任人。"))

    def _moved(self, child: Child, act: Any, said: str) -> Any:
        pk = child.id
        try:
            act(day_in_form())
            self.db_session.commit()
            flash(said, "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(url_for("child.details_view", id=pk))


def _reason() -> LeaveReason:
    try:
        reason = LeaveReason(request.form.get("reason", ""))
    except ValueError:
        raise Complaint("请选择离校原因。") from None
    if reason is LeaveReason.TRANSFER:
        raise Complaint("转学请在“转学”中办理。")
    return reason
