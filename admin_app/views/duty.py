"""责任人移交 and the contact cards to print: screens over many children at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import select

from ..access import Action
from ..models import BY_CLASS, Child, Resource, Staff
from ..records import cards, concerns, county, duty
from ..rules import Complaint, sensible_date, tidy
from .base import ToolView
from .fields import ids_in_form, number_or_none
from .gate import current_scope, note, note_each, note_names
from .lookups import STAFF

GROUP, SECTION = "儿童", "责任人与联系卡"
PER_PRINT = 200
"""Cards printed at once: fifty pages."""


class StaffHandoverView(ToolView):
    """Who answers for how many; the children of one teacher handed to others on one screen."""

    resource = Resource.REGISTER
    section = SECTION
    needs = {"save": Action.UPDATE}

    def __init__(self) -> None:
        super().__init__("责任人移交", "staff_handover", GROUP)

    def is_accessible(self) -> bool:
        return super().is_accessible() and current_scope().may(Action.READ, Resource.STAFF)

    def _staff(self) -> Staff | None:
        return STAFF.one(self.db_session, request.values.get("staff"))

    @expose("/")
    def index(self) -> str:
        return self.render("duty/loads.html", loads=duty.loads(self.db_session, dt.date.today()), today=dt.date.today())

    @expose("/of/")
    def of(self) -> Any:
        staff = self._staff()
        if staff is None:
            return redirect(self.get_url(".index"))
        today = dt.date.today()
        held = duty.children_of(self.db_session, staff, today)
        note_names(len(held), staff.school_id, staff.id)
        return self.render(
            "duty/handover.html", staff=staff, held=held,
            able=duty.colleagues(self.db_session, staff, today), today=today, may=current_scope().owns(staff.school_id),
        )  # fmt: skip

    @expose("/save/", methods=("POST",))
    def save(self) -> Any:
        staff = self._staff()
        if staff is None or not current_scope().owns(staff.school_id):
            return self.forbid()
        pk = staff.id
        try:
            everybody = _one("everybody")
            on = _day(request.form.get("on", ""))
            held = duty.children_of(self.db_session, staff, on)
            chosen = {r.id: _one(f"to-{r.id}") or everybody for r, _child in held}
            to = {key: value for key, value in chosen.items() if value}
            if not to:
                raise Complaint("请选择接收人。")
            count = duty.hand_over(self.db_session, staff, to, on, leaves=bool(request.form.get("leaves")))
            self.db_session.commit()
            flash(_("已移交 %(n)d 名儿童，可打印移交清单。", n=count), "success")
            return redirect(self.get_url(".paper", staff=pk, on=on.isoformat()))
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            return redirect(self.get_url(".of", staff=pk))

    @expose("/paper/")
    def paper(self) -> Any:
        """档案移交清单 of a teacher: who went to whom on a day."""
        staff = self._staff()
        if staff is None:
            return redirect(self.get_url(".index"))
        on = _day_or_today(request.args.get("on", ""))
        note("print", "responsibility", staff.id, staff.school_id)
        return self.render("duty/paper.html", staff=staff, rows=duty.handed(self.db_session, staff, on), on=on, today=dt.date.today(),
                           back=self.get_url(".index"))  # fmt: skip


class CardsView(ToolView):
    """Cards to print, four to an A4 page; printing is followed by registering them as issued."""

    resource = Resource.REGISTER
    section = SECTION
    menu_for = Action.REVEAL  # a card carries full phone numbers
    needs = {"index": Action.REVEAL, "issue": Action.CREATE}

    def __init__(self) -> None:
        super().__init__("打印联系卡", "cards", GROUP)

    def _ids(self) -> list[int]:
        """One child, one school, or all whose card is missing or out of date."""
        one, school = number_or_none(request.values.get("child")), number_or_none(request.values.get("school"))
        ids = select(Child.id)
        ids = ids.where(Child.id == one) if one else ids.where(Child.id.in_(cards.without_valid_card(dt.date.today())))
        if school:
            ids = ids.where(Child.school_id.in_([school]))
        return list(self.db_session.scalars(ids.order_by(*BY_CLASS).limit(PER_PRINT)))

    @expose("/")
    def index(self) -> str:
        ids = self._ids()
        found = cards.faces(self.db_session, ids, dt.date.today()) if ids else []
        if found:
            note_each("print", "child", [(face.child.id, face.child.school_id) for face in found], 内容="联系卡")
        values = county.values(self.db_session)
        return self.render("duty/cards.html", faces=found, today=dt.date.today(), title=values["card_title"],
                           age_of=lambda carer: concerns.age_of_carer(carer, dt.date.today()),
                           one=request.args.get("child"), school=request.args.get("school"), limit=PER_PRINT)  # fmt: skip

    @expose("/issue/", methods=("POST",))
    def issue(self) -> Any:
        try:
            ids = ids_in_form("id")
            own = [
                pk
                for pk, at in self.db_session.execute(select(Child.id, Child.school_id).where(Child.id.in_(ids)))
                if current_scope().owns(at)
            ]
            if not own or len(own) != len(ids):
                raise Complaint("名单中有不是有效的选项，未保存。")
            count = cards.issue(self.db_session, own, dt.date.today())
            self.db_session.commit()
            flash(_("已登记发卡 %(n)d 张。", n=count), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(url_for("contact_card.index_view"))


def _one(name: str) -> int | None:
    """The row that was chosen, if one was.

    :raises Complaint: for what cannot be a row.
    """
    raw = tidy(request.form.get(name, ""))
    if raw and number_or_none(raw) is None:
        raise Complaint("不是有效的选项。", name)
    return number_or_none(raw)


def _day(raw: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(tidy(raw)) if tidy(raw) else dt.date.today()
        if complaint := sensible_date(day.isoformat()):
            raise Complaint(complaint, "on")
        return day
    except ValueError:
        raise Complaint("日期应写作 年-月-日，如 2026-09-01。", "on") from None


def _day_or_today(raw: str) -> dt.date:
    try:
        return _day(raw)
    except Complaint:
        return dt.date.today()
