"""What the screens of a child's dated records share: the stay they hang on, its dates, the term, the name filter."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from flask import request
from sqlalchemy import func, select

from ..models import Enrolment, Term
from ..records import enrolling
from ..rules import Complaint
from .base import RecordView
from .fields import number_or_none, says
from .filters import Filter
from .lookups import ENROLMENTS


def by_child(model: Any) -> Filter:
    in_name = lambda value: select(Enrolment.id).where(says(Enrolment, "child_name", value))  # noqa: E731
    return Filter("child", "儿童姓名", lambda query, value: query.where(model.enrolment_id.in_(in_name(value))))


class OfChild(RecordView):
    """A record that hangs on an enrolment. ``day`` names its date; a record with a term lies inside it."""

    day: ClassVar[str] = "on"
    in_term: ClassVar[bool] = False
    lookups = {"enrolment": ENROLMENTS}

    def before_save(self, form: Any, row: Any, created: bool) -> None:
        day = getattr(row, self.day) if self.day else None
        if row.enrolment is not None and day is not None:
            enrolling.check_within(row.enrolment, day, self.day)
        if self.in_term and row.term is not None and day is not None and not row.term.start <= day <= row.term.last_day:
            raise Complaint(f"日期应在{row.term.name}内（{row.term.start} 至 {row.term.last_day}）。", self.day)

    def offer(self, form: Any) -> None:
        if "enrolment" in form and form.enrolment.data is None and (child := number_or_none(request.args.get("child"))):
            here = select(Enrolment).where(Enrolment.child_id == child, Enrolment.end.is_(None))
            form.enrolment.data = self.db_session.scalar(here)
        if self.day in form and form[self.day].data is None:
            form[self.day].data = dt.date.today()
        if "term" in form and form.term.data is None:
            form.term.data = self.db_session.scalar(
                select(Term).where(Term.start <= func.current_date()).order_by(Term.start.desc()).limit(1)
            )
