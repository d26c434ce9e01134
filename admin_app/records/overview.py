"""What waits to be done with the children, as sets of rows: a home page counts them, the register opens them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from ..models import CareKind, CareRecord, Child, ContactCard, Definition, Responsibility
from . import completeness
from .definitions import left_behind


@dataclass(frozen=True)
class Gap:
    """Something every left-behind child should have: its name, why, and the condition that it is missing."""

    key: str
    label: str
    why: str
    grave: bool
    missing: Callable[[Session, dt.date], ColumnElement[bool]]


def _holds(model: Any, on: dt.date) -> ColumnElement[bool]:
    return and_(model.deleted_at.is_(None), model.start <= on, or_(model.end.is_(None), model.end > on))


def _no_responsible(_session: Session, on: dt.date) -> ColumnElement[bool]:
    return ~exists().where(Responsibility.child_id == Child.id, _holds(Responsibility, on))


def _no_card(_session: Session, _on: dt.date) -> ColumnElement[bool]:
    of_school = ContactCard.issued_by_id == Child.school_id
    return ~exists().where(ContactCard.child_id == Child.id, of_school, ContactCard.deleted_at.is_(None))


def _no_talk(_session: Session, on: dt.date) -> ColumnElement[bool]:
    this_month = (CareRecord.on >= on.replace(day=1)) & (CareRecord.on <= on)
    return ~exists().where(
        CareRecord.child_id == Child.id, CareRecord.kind == CareKind.TALK, this_month, CareRecord.deleted_at.is_(None)
    )


def _incomplete(session: Session, on: dt.date) -> ColumnElement[bool]:
    term = completeness.current_term(session, on)
    return ~and_(*(r.met(on, term, completeness.there) for r in completeness.REQUIREMENTS))


GAPS: tuple[Gap, ...] = (
    Gap("responsible", "无包保责任人", "每名儿童须有且只有一名责任人", True, _no_responsible),
    Gap("card", "未发联系卡", "一人一卡；转入后须由现学校发卡", True, _no_card),
    Gap("talk", "本月未谈心", "班主任或包保责任人每月至少一次", True, _no_talk),
    Gap("dossier", "档案有缺项", "点姓名可见缺哪几项", False, _incomplete),
)


def children_with(session: Session, key: str, on: dt.date) -> Select[Any]:
    """The ids of the left-behind children who lack one thing on a day.

    :raises KeyError: for a gap that is not there.
    """
    gap = next((g for g in GAPS if g.key == key), None)
    if gap is None:
        raise KeyError(key)
    return select(Child.id).where(Child.id.in_(left_behind(Definition.GF13, on)), gap.missing(session, on))


def counts(session: Session, on: dt.date) -> dict[str, int]:
    """How many left-behind children there are, and how many lack each thing; a handful of statements."""
    found = {"children": session.scalar(select(func.count(Child.id)).where(Child.id.in_(left_behind(Definition.GF13, on)))) or 0}
    for gap in GAPS:
        lacking = children_with(session, gap.key, on)
        found[gap.key] = session.scalar(select(func.count(Child.id)).where(Child.id.in_(lacking))) or 0
    return found
