"""应助尽助: who should be aided, and who of them is not (the plan, 三 不因贫困而失学; ruling 14 of the rubric)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select

from ..models import Category, CategoryKind, Child, Code, Enrolment, Health, Subsidy
from .definitions import holds

HELPED = (
    CategoryKind.H01,
    CategoryKind.H02,
    CategoryKind.H03,
    CategoryKind.K01,
    CategoryKind.K03,
    CategoryKind.K05,
)
"""低保、特困、建档立卡的户；孤儿、特困儿童、重残儿童."""
FOR_EVERYBODY = ("Z01", "Z04")
"""Given to all, so no aid in this sense."""


def needs_by_itself() -> ColumnElement[bool]:
    """Who is to be aided whatever the household: who boards, who is disabled."""
    return or_(Child.boarding, Child.disability.is_not(None), func.coalesce(Child.health == Health.DISABLED, false()))


def unaided(on: dt.date) -> Select[Any]:
    """The ids of children at school who should be aided and have no aid on a day, left behind or not."""
    in_need = select(Category.child_id).where(Category.kind.in_(HELPED), holds(Category, on))
    given = select(Subsidy.child_id).join(Code, Code.id == Subsidy.kind_id)
    given = given.where(Code.code.not_in(FOR_EVERYBODY), holds(Subsidy, on))
    here = select(Enrolment.child_id).where(Enrolment.end.is_(None))
    return select(Child.id).where(Child.id.in_(here), or_(needs_by_itself(), Child.id.in_(in_need)), Child.id.not_in(given))
