"""Guardianship and welfare: entrusted care, categories of difficulty, subsidies, pupils who stay away."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, request, url_for
from flask_admin import expose
from sqlalchemy import select

from ..access import Action
from ..models import Agreement, AgreementKind, Carer, Category, Child, CodeKind, DropoutCase, DropoutStep, Parent, Subsidy
from ..records import concerns, definitions, enrolling, handovers
from ..rules import Complaint
from .base import RecordView
from .events import OfChild, by_child
from .exports import reason_to_reveal
from .filters import by_township
from .gate import current_scope, note
from .lookups import CARERS, CHILDREN, DROPOUTS, ENROLMENTS, codes
from .words import paper_words

GROUP = "儿童"
SECTION = "照护与资助"


class AgreementView(RecordView):
    model = Agreement
    group = GROUP
    section = SECTION
    title = "委托照护"
    attachable = True
    column_list = (
        "child.name",
        "kind",
        "number",
        "principals",
        "carer.name",
        "signed_on",
        "signed_by",
        "start",
        "end",
        "ended_how",
    )
    form_columns = (
        "carer", "kind", "number", "principals", "signed_on", "signed_by", "start", "end", "ended_how", "heard", "fitness_checked_on",
        "told_school_on", "told_village_on",
    )  # fmt: skip
    column_details_list = form_columns
    filters = ("kind", by_township(Agreement), "signed_on", "signed_by", "end")
    lookups = {"carer": CARERS}
    default_sort = (("signed_on", True),)
    link_column = "child.name"
    details_template = "welfare/agreement_details.html"

    def before_save(self, form: Any, row: Agreement, created: bool) -> None:
        if row.carer is not None:
            row.child_id, row.school_id = row.carer.child_id, row.carer.school_id
        if row.ended_how is not None and row.end is None:
            raise Complaint("提前终止的协议须填终止日。", "end")

    @expose("/paper/", methods=("GET", "POST"))
    def paper(self) -> Any:
        """The agreement to print and sign: as recorded, or of a child (?child=) before there is a record, with the dates blank.

        Its parties are to check their own phones: who may reveal numbers posts a reason and prints them in full.
        """
        row = None if "child" in request.args else self.get_one(request.args.get("id", ""))
        child = row.child if row else CHILDREN.one(self.db_session, request.args["child"])
        if child is None:
            abort(404)
        today, kinds = dt.date.today(), {kind.value: kind for kind in AgreementKind}
        now = select(Carer).where(Carer.child_id == child.id, definitions.holds(Carer, today)).order_by(Carer.start.desc())
        family = select(Parent).where(Parent.child_id == child.id).order_by(Parent.side)
        may_reveal = current_scope().may(Action.REVEAL, self.resource) and current_scope().owns(child.school_id)
        reason = reason_to_reveal(may_reveal)
        said = {"儿童": child.id} | ({"用途": reason} if reason else {})
        note("reveal" if reason else "print", "agreement", row.id if row else "", child.school_id, **said)
        return self.render(
            "welfare/agreement.html", row=row, child=child, today=today, kinds=kinds,
            carer=row.carer if row else self.db_session.scalar(now.limit(1)), parents=list(self.db_session.scalars(family)),
            kind=row.kind if row else kinds.get(request.args.get("kind", ""), AgreementKind.CARE),
            committee=handovers.committee_of(child.home_address), may_reveal=may_reveal, revealed=bool(reason),
            word=lambda record, name: paper_words(record, name, revealed=bool(reason)),
        )  # fmt: skip


class CategoryView(RecordView):
    model = Category
    group = GROUP
    section = SECTION
    title = "困境与家庭类别"
    attachable = True
    column_list = ("child.name", "kind", "start", "end", "evidence", "confirmed_by")
    form_columns = ("child", "kind", "start", "end", "evidence", "confirmed_by")
    filters = ("kind", by_township(Category), "start")
    lookups = {"child": CHILDREN}
    default_sort = (("school_id", False), ("start", True))
    link_column = "child.name"


class SubsidyView(OfChild):
    model = Subsidy
    group = GROUP
    section = SECTION
    title = "资助"
    day = "start"
    column_list = ("enrolment.child_name", "kind.name", "start", "end", "amount", "paid_on", "paid_by")
    form_columns = ("enrolment", "kind", "start", "end", "amount", "paid_on", "paid_by")
    column_details_list = form_columns
    filters = (by_child(Subsidy), "kind", by_township(Subsidy), "start")
    lookups = {"enrolment": ENROLMENTS, "kind": codes(CodeKind.SUBSIDY)}
    default_sort = (("start", True),)
    link_column = "enrolment.child_name"

    def before_save(self, form: Any, row: Subsidy, created: bool) -> None:
        """An aid may have begun before the child came to this school."""
        if row.amount is not None and row.amount < 0:
            raise Complaint("金额不能为负。", "amount")


class DropoutCaseView(OfChild):
    model = DropoutCase
    group = GROUP
    section = SECTION
    title = "控辍保学"
    day = "found_on"
    attachable = True
    column_list = ("enrolment.child_name", "found_on", "grade", "reason", "persuaders", "returned_on")
    form_columns = ("enrolment", "found_on", "grade", "reason", "persuaders", "returned_on", "outcome")
    column_details_list = form_columns
    filters = (by_child(DropoutCase), by_township(DropoutCase), "grade", "found_on", "returned_on")
    default_sort = (("found_on", True),)
    link_column = "enrolment.child_name"
    details_template = "welfare/dropout.html"

    def offer(self, form: Any) -> None:
        super().offer(form)
        if form.grade.data is None and form.enrolment.data is not None:
            child = self.db_session.scalar(select(Child).where(Child.id == form.enrolment.data.child_id))
            form.grade.data = child.grade if child is not None else None

    def before_save(self, form: Any, row: DropoutCase, created: bool) -> None:
        super().before_save(form, row, created)
        if row.grade is not None and not concerns.is_compulsory(row.grade):
            raise Complaint("控辍保学只登记义务教育阶段（一至九年级）。", "grade")
        if row.returned_on is not None and row.found_on is not None and row.returned_on < row.found_on:
            raise Complaint("返校日期不能早于发现日期。", "returned_on")

    def steps(self, row: DropoutCase) -> list[DropoutStep]:
        return list(self.db_session.scalars(select(DropoutStep).where(DropoutStep.case_id == row.id).order_by(DropoutStep.on)))


class DropoutStepView(RecordView):
    model = DropoutStep
    group = GROUP
    section = SECTION
    in_menu = False
    title = "劝返步骤"
    column_list = ("enrolment.child_name", "step", "on", "document", "actor")
    form_columns = ("case", "step", "on", "document", "actor")
    lookups = {"case": DROPOUTS}
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"

    def before_save(self, form: Any, row: DropoutStep, created: bool) -> None:
        if row.case is not None:
            row.enrolment = row.case.enrolment
            if row.on is not None:
                enrolling.check_within(row.enrolment, row.on)
                if row.on < row.case.found_on:
                    raise Complaint("日期不能早于发现日期。", "on")

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return url_for("dropout_case.details_view", id=model.case_id)
