"""Care of a child: talks, home visits, contacts, states, flags, counselling, help plans, evaluations, pairs, letters."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import request
from flask_admin import expose
from sqlalchemy import select

from ..access import Action
from ..models import (
    CareKind,
    CareRecord,
    CareWay,
    Counselling,
    Evaluation,
    Flag,
    HelpPlan,
    Letter,
    Pairing,
    StateNote,
    Term,
)
from ..records import enrolling, papers
from ..rules import Complaint
from .events import OfChild, by_child
from .filters import by_township
from .gate import current_scope
from .lists import Line
from .lookups import ENROLMENTS, STAFF, TERMS

GROUP = "关爱"
TALKS, TERMLY = "谈心家访", "帮扶评价"
USUAL_WAY = {
    CareKind.TALK: CareWay.FACE,
    CareKind.VISIT: CareWay.HOME,
    CareKind.CONTACT: CareWay.PHONE,
    CareKind.HOLIDAY: CareWay.PHONE,
}
ONLY_FOR = {
    "home": (CareKind.VISIT,),
    "behaviour": (CareKind.VISIT,),
    "wishes": (CareKind.VISIT,),
    "minutes": (CareKind.CONTACT, CareKind.HOLIDAY),
}
"""Questions that a form asks for some kinds of record only."""


class CareRecordView(OfChild):
    model = CareRecord
    group = GROUP
    section = TALKS
    title = "谈心家访联系"
    column_list = (
        "enrolment.child_name",
        "kind",
        "on",
        "way",
        "staff.name",
        "role",
        "partner",
        "effect",
        "attention",
        "follow_up_on",
    )
    form_columns = (
        "enrolment", "kind", "on", "way", "staff", "role", "place", "partner", "minutes", "needs", "content", "home", "behaviour", "wishes",
        "measures", "effect", "attention", "follow_up_on",
    )  # fmt: skip
    column_details_list = form_columns
    filters = (by_child(CareRecord), "kind", "way", by_township(CareRecord), "on", "effect")
    lookups = {"enrolment": ENROLMENTS, "staff": STAFF}
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"
    list_template = "care/records.html"

    def create_form(self, obj: Any = None) -> Any:
        return self._only_questions(super().create_form(obj))

    def edit_form(self, obj: Any = None) -> Any:
        return self._only_questions(super().edit_form(obj))

    def _only_questions(self, form: Any) -> Any:
        kind = form.kind.data
        for name, kinds in ONLY_FOR.items():
            if name in form and kind is not None and kind not in kinds and not form[name].data:
                delattr(form, name)
        return form

    def offer(self, form: Any) -> None:
        super().offer(form)
        kind = form.kind.data
        if form.way.data is None and kind is not None:
            form.way.data = USUAL_WAY[kind]
        if form.staff.data is None and form.enrolment.data is not None:
            form.staff.data = enrolling.responsible_for(self.db_session, form.enrolment.data.child_id, dt.date.today())


class FlagView(OfChild):
    model = Flag
    group = GROUP
    section = TALKS
    title = "重点关注"
    column_list = ("enrolment.child_name", "on", "level", "source", "followed_on", "closed_on")
    form_columns = ("enrolment", "on", "level", "source", "reason", "followed_on", "follow_up", "closed_on")
    column_details_list = form_columns
    filters = (by_child(Flag), by_township(Flag), "on", "followed_on")
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"

    def before_save(self, form: Any, row: Flag, created: bool) -> None:
        super().before_save(form, row, created)
        for name in ("followed_on", "closed_on"):
            day = getattr(row, name)
            if day is not None and row.on is not None and day < row.on:
                raise Complaint("日期不能早于提出日期。", name)


class CounsellingView(OfChild):
    """The text is the counsellor's and the headteacher's; others at the school see date and level. Never exported."""

    model = Counselling
    group = GROUP
    section = TALKS
    title = "心理辅导"
    column_list = ("enrolment.child_name", "on", "counsellor", "way", "minutes", "level")
    form_columns = ("enrolment", "on", "counsellor", "way", "minutes", "level", "body", "plan")
    column_details_list = form_columns
    filters = (by_child(Counselling), "on", "level")
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"

    def before_save(self, form: Any, row: Counselling, created: bool) -> None:
        super().before_save(form, row, created)
        if row.enrolment is not None:
            row.child_id, row.school_id = row.enrolment.child_id, row.enrolment.school_id

    def offer(self, form: Any) -> None:
        super().offer(form)
        if not form.counsellor.data:
            form.counsellor.data = current_scope().name


class StateNoteView(OfChild):
    model = StateNote
    group = GROUP
    section = TALKS
    title = "四项状况"
    column_list = ("enrolment.child_name", "term.name", "side", "rating", "on", "staff_name", "text", "mind")
    form_columns = ("enrolment", "term", "side", "on", "staff_name", "rating", "text", "mind")
    column_details_list = form_columns
    filters = (by_child(StateNote), "term", "side", "rating", by_township(StateNote), "on")
    lookups = {"enrolment": ENROLMENTS, "term": TERMS}
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"

    def decorate(self, lines: list[Line]) -> None:
        for line in lines:
            for name in ("text", "mind"):
                words = line.values.get(name) or ""
                line.values[name] = (words if len(words) <= 40 else words[:40] + "…") or None

    def before_save(self, form: Any, row: StateNote, created: bool) -> None:
        super().before_save(form, row, created)
        if not getattr(row, row.said):
            raise Complaint("请填写状况。", row.said)
        if getattr(row, "text" if row.said == "mind" else "mind"):
            raise Complaint("心理状况写在“心理状况”栏，其余三方面写在另一栏。", row.said)


class HelpPlanView(OfChild):
    model = HelpPlan
    group = GROUP
    section = TERMLY
    title = "帮扶计划"
    day = "reviewed_on"
    column_list = ("enrolment.child_name", "term.name", "need", "plan", "outcome", "reviewed_on")
    form_columns = ("enrolment", "term", "need", "plan", "outcome", "reviewed_on")
    filters = (by_child(HelpPlan), "term", "need", "outcome", by_township(HelpPlan))
    lookups = {"enrolment": ENROLMENTS, "term": TERMS}
    default_sort = (("id", True),)
    link_column = "enrolment.child_name"
    list_template = "care/plans.html"
    needs = OfChild.needs | {"effects": Action.READ}

    @expose("/effects/")
    def effects(self) -> str:
        """帮扶效果: what came of the plans of a term, school by school."""
        terms = list(self.db_session.scalars(select(Term).where(Term.start <= dt.date.today()).order_by(Term.start.desc())))
        wanted = request.args.get("term", "")
        term = next((t for t in terms if str(t.id) == wanted), terms[0] if terms else None)
        rows = papers.effects(self.db_session, term.id) if term else []
        return self.render("care/effects.html", terms=terms, term=term, rows=rows)

    def offer(self, form: Any) -> None:
        super().offer(form)
        form.reviewed_on.data = None

    def before_save(self, form: Any, row: HelpPlan, created: bool) -> None:
        if row.outcome is not None and row.reviewed_on is None:
            row.reviewed_on = dt.date.today()


class EvaluationView(OfChild):
    model = Evaluation
    group = GROUP
    section = TERMLY
    title = "多元评价"
    in_term = True
    column_list = ("enrolment.child_name", "term.name", "rater", "conduct", "study", "health", "arts", "practice", "on")
    form_columns = ("enrolment", "term", "rater", "on", "conduct", "study", "health", "arts", "practice", "comment")
    column_details_list = form_columns
    filters = (by_child(Evaluation), "term", "rater", by_township(Evaluation))
    lookups = {"enrolment": ENROLMENTS, "term": TERMS}
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"


class PairingView(OfChild):
    model = Pairing
    group = GROUP
    section = TERMLY
    title = "手拉手结对"
    day = "start"
    column_list = ("enrolment.child_name", "partner", "partner_class", "start", "end", "goals")
    form_columns = ("enrolment", "partner", "partner_class", "start", "end", "goals", "results")
    column_details_list = form_columns
    filters = (by_child(Pairing), by_township(Pairing), "start")
    default_sort = (("start", True),)
    link_column = "enrolment.child_name"


class LetterView(OfChild):
    """Dates only: neither text nor scan of a letter is ever kept."""

    model = Letter
    group = GROUP
    section = TERMLY
    title = "感恩书信"
    in_term = True
    basis = "只登记事实，不保存书信内容（未成年人保护法：书信属隐私）"
    column_list = ("enrolment.child_name", "term.name", "on", "way", "replied_on")
    form_columns = ("enrolment", "term", "on", "way", "replied_on")
    filters = (by_child(Letter), "term", "way", by_township(Letter))
    lookups = {"enrolment": ENROLMENTS, "term": TERMS}
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"
