"""假期交接: class by class at once, the list of records, one page a village, the summary of the schools."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _

from ..access import Action
from ..models import BatchKind, CareWay, Handover, Holiday, Outcome, Resource, Whereabouts
from ..records import bulk, handovers
from ..rules import Complaint
from .base import ToolView
from .events import OfChild, by_child
from .fields import ids_in_form, number_or_none
from .filters import by_township
from .gate import current_scope, note_each, note_names
from .lookups import ENROLMENTS, HOLIDAYS

GROUP, SECTION = "关爱", "假期交接"


class HolidayBoard(ToolView):
    """The working page: one holiday, one school, everybody a handover is due for."""

    resource = Resource.CARE
    section = SECTION
    needs = {"save": Action.CREATE}

    def __init__(self) -> None:
        super().__init__("交接办理", "handover", GROUP)

    def _holiday(self) -> Holiday | None:
        if wanted := request.values.get("holiday"):
            return HOLIDAYS.one(self.db_session, wanted) or abort(404)
        return handovers.shown(self.db_session, dt.date.today())

    def _lines(self, holiday: Holiday | None) -> list[handovers.Line]:
        """One school's lines; a county reader chooses the school first."""
        school = number_or_none(request.values.get("school"))
        if holiday is None or (school is None and current_scope().reads_everywhere):
            return []
        return handovers.lines(self.db_session, holiday, school_id=school)

    @expose("/")
    def index(self) -> str:
        return self._page(self._holiday(), {}, set())

    def _page(self, holiday: Holiday | None, typed: dict[str, str], ticked: set[int]) -> str:
        session = self.db_session
        found = self._lines(holiday)
        note_names(len(found), found[0].enrolment.school_id if found else None)
        sums = handovers.summary(session, holiday) if holiday and current_scope().reads_everywhere and not found else []
        return self.render(
            "holidays/board.html", holiday=holiday, holidays=HOLIDAYS.few(session) or [], lines=found, sums=sums, typed=typed,
            ticked=ticked, today=dt.date.today(), whereabouts=list(Whereabouts), ways=list(CareWay), outcomes=list(Outcome),
            wanted=handovers.contacts_wanted(session, holiday) if holiday else 0, school=request.values.get("school", ""),
        )  # fmt: skip

    @expose("/save/", methods=("POST",))
    def save(self) -> Any:
        """The ticked children get what was typed; what is filled in already stays unless asked otherwise."""
        holiday = self._holiday()
        typed = {name: request.form.get(name, "") for name in handovers.BULK_FIELDS}
        ticked: set[int] = set()
        try:
            ticked = ids_in_form("enrolment")
            chosen = [line for line in self._lines(holiday) if line.enrolment.id in ticked]
            if holiday is None or not chosen or len(chosen) != len(ticked):
                raise Complaint("请勾选要办理的儿童。")
            if not all(current_scope().owns(line.enrolment.school_id) for line in chosen):
                return self.forbid()
            values = handovers.parsed(typed)
            if not values:
                raise Complaint("请填写要登记的内容。")
            words = f"{holiday.name} {len(chosen)} 人"
            with bulk.recorded(self.db_session, BatchKind.HANDOVER, chosen[0].enrolment.school_id, words):
                only_empty = not request.form.get("overwrite")
                count = handovers.set_for(self.db_session, holiday, chosen, values, only_empty=only_empty)
            self.db_session.commit()
            flash(_("已登记 %(n)d 人的假期交接。", n=count), "success")
            return redirect(self.get_url(".index", holiday=holiday.id, school=request.form.get("school") or None))
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            return self._page(self._holiday(), typed, ticked)

    @expose("/villages/")
    def villages(self) -> str:
        """One page a village, to hand to the village officer; it carries full phone numbers."""
        if not current_scope().may(Action.REVEAL, Resource.REGISTER):
            return self.forbid()
        holiday = self._holiday()
        pages = handovers.by_village(self._lines(holiday))
        handed = [(line.enrolment.child_id, line.enrolment.school_id) for page in pages.values() for line in page]
        note_each("print", "child", handed, 内容="村组交接名单", 假期=holiday.name if holiday else "")
        back = self.get_url(".index", holiday=holiday.id if holiday else None, school=request.args.get("school"))
        return self.render("holidays/villages.html", holiday=holiday, pages=pages, today=dt.date.today(), back=back)


class HandoverView(OfChild):
    model = Handover
    group = GROUP
    section = SECTION
    title = "交接记录"
    day = ""
    attachable = True
    column_list = (
        "enrolment.child_name",
        "holiday.name",
        "state",
        "whereabouts",
        "carer_name",
        "family_on",
        "village_on",
        "done_on",
        "back_on",
    )
    form_columns = (
        "enrolment", "holiday", "whereabouts", "place", "carer_name", "carer_relation", "carer_phone", "family_on", "family_way",
        "carer_on", "village_on", "village_person", "village_phone", "notice_on", "done_on", "handed_by", "received_by", "back_on", "back_state",
        "back_note",
    )  # fmt: skip
    column_details_list = form_columns
    filters = (by_child(Handover), "holiday", "state", "whereabouts", by_township(Handover))
    lookups = {"enrolment": ENROLMENTS, "holiday": HOLIDAYS}
    default_sort = (("id", True),)
    link_column = "enrolment.child_name"

    def before_save(self, form: Any, row: Handover, created: bool) -> None:
        if row.enrolment is None or row.holiday is None:
            return
        day = handovers.school_day_before(row.holiday)
        if row.enrolment.start > day or (row.enrolment.end is not None and row.enrolment.end <= day):
            raise Complaint(f"该儿童在{row.holiday.name}前最后一天（{day}）不在本校就读。", "enrolment")
        if row.whereabouts is Whereabouts.PARENTS and not row.place:
            raise Complaint("到父母务工地须填地点。", "place")

    def offer(self, form: Any) -> None:
        super().offer(form)
        if form.holiday.data is None:
            form.holiday.data = handovers.shown(self.db_session, dt.date.today())
