"""应助尽助: who should be aided, and who of them is not (the plan, 三 不因贫困而失学; ruling 14 of the rubric)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from ..models import Category, CategoryKind, Child, Code, Enrolment, Health, Subsidy

HELPED = (CategoryKind.H01, CategoryKind.H02, CategoryKind.H03, CategoryKind.K01)
"""低保、特困、建档立卡、孤儿."""
FOR_EVERYBODY = ("Z01", "Z04")
"""Given to all, so no aid in this sense."""


def needs_by_itself() -> ColumnElement[bool]:
    """Who is to be aided whatever the household: who boards, who is disabled."""
    return or_(Child.boarding, Child.disability.is_not(None), func.coalesce(Child.health == Health.DISABLED, false()))


def unaided(on: dt.date) -> Select[Any]:
    """The ids of children at school who should be aided and have no aid on a day, left behind or not."""
    holds = lambda row: and_(row.start <= on, or_(row.end.is_(None), row.end > on))  # noqa: E731
    in_need = select(Category.child_id).where(Category.kind.in_(HELPED), holds(Category))
    given = select(Subsidy.child_id).join(Code, Code.id == Subsidy.kind_id).where(Code.code.not_in(FOR_EVERYBODY), holds(Subsidy))
    here = select(Enrolment.child_id).where(Enrolment.end.is_(None))
    return select(Child.id).where(Child.id.in_(here), or_(needs_by_itself(), Child.id.in_(in_need)), Child.id.not_in(given))
