"""Care of a child: talks, home visits, contacts and the four states."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ..access import scope_in
from ..models import CareKind, CareRecord, CareWay, Enrolment, StateNote, Term
from ..records import enrolling
from .base import RecordView
from .children import STAFF
from .fields import Lookup
from .filters import Filter, by_township
from .lists import Line

GROUP = "关爱记录"


def _own(query: Select[Any], session: Session) -> Select[Any]:
    """Records are written under the own school's enrolments; those of former schools are read only."""
    scope = scope_in(session)
    return query if scope.reads_everywhere else query.where(Enrolment.school_id.in_(sorted(scope.school_ids)))


def enrolment_words(enrolment: Enrolment) -> str:
    return f"{enrolment.child_name} · {enrolment.school}" + ("" if enrolment.end is None else "（已离校）")


ENROLMENTS = Lookup(Enrolment, search=("child_name",), words=enrolment_words, only=_own, order=("school_id", "child_name"))
TERMS = Lookup(Term, order=("start",))


class OfChild(RecordView):
    """Shared by records that hang on an enrolment: the child's name and the dates of the stay."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    def before_save(self, form: Any, row: Any, created: bool) -> None:
        if row.enrolment is not None and row.on is not None:
            enrolling.check_within(row.enrolment, row.on)

    def offer(self, form: Any) -> None:
        if form.on.data is None:
            form.on.data = dt.date.today()


def by_child(model: Any) -> Filter:
    in_name = lambda value: select(Enrolment.id).where(Enrolment.child_name.contains(value, autoescape=True))  # noqa: E731
    return Filter("child", "儿童姓名", lambda query, value: query.where(model.enrolment_id.in_(in_name(value))))


class CareRecordView(OfChild):
    model = CareRecord
    group = GROUP
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
        "enrolment", "kind", "on", "way", "staff", "role", "place", "partner", "content", "measures", "effect", "attention", "follow_up_on",
    )  # fmt: skip
    column_details_list = form_columns
    filters = (by_child(CareRecord), "kind", "way", by_township(CareRecord), "on", "effect")
    lookups = {"enrolment": ENROLMENTS, "staff": STAFF}
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"

    def offer(self, form: Any) -> None:
        super().offer(form)
        kind = form.kind.data
        if form.way.data is None and kind is not None:
            form.way.data = {CareKind.TALK: CareWay.FACE, CareKind.VISIT: CareWay.HOME, CareKind.CONTACT: CareWay.PHONE}[kind]
        if form.staff.data is None and form.enrolment.data is not None:
            form.staff.data = enrolling.responsible_for(self.db_session, form.enrolment.data.child_id, dt.date.today())


class StateNoteView(OfChild):
    model = StateNote
    group = GROUP
    title = "四项状况"
    column_list = ("enrolment.child_name", "term.name", "side", "on", "staff_name", "text")
    form_columns = ("enrolment", "term", "side", "on", "staff_name", "text")
    filters = (by_child(StateNote), "term", "side", by_township(StateNote), "on")
    lookups = {"enrolment": ENROLMENTS, "term": TERMS}
    default_sort = (("on", True),)
    link_column = "enrolment.child_name"

    def decorate(self, lines: list[Line]) -> None:
        for line in lines:
            text = line.values.get("text") or ""
            line.values["text"] = text if len(text) <= 40 else text[:40] + "…"

    def offer(self, form: Any) -> None:
        super().offer(form)
        if form.term.data is None:
            form.term.data = self.db_session.scalar(
                select(Term).where(Term.start <= func.current_date()).order_by(Term.start.desc()).limit(1)
            )
