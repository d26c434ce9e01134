"""开学摸底: which schools have handed their count in, and what they would hand in today."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ..models import BY_TOWNSHIP, CensusReturn, CensusRound, Child, Definition, School, Sex
from ..rules import Complaint
from .definitions import left_behind


@dataclass(frozen=True)
class Standing:
    """One assessed school in one census."""

    school: School
    handed_in: CensusReturn | None
    days_late: int


def current(session: Session, on: dt.date) -> CensusRound | None:
    """The census begun last."""
    return session.scalar(select(CensusRound).where(CensusRound.start <= on).order_by(CensusRound.start.desc()).limit(1))


def standings(session: Session, census: CensusRound, on: dt.date) -> list[Standing]:
    """Every assessed school the session may see the returns of, those who have not handed in first."""
    returns = {r.school_id: r for r in session.scalars(select(CensusReturn).where(CensusReturn.census_id == census.id))}
    schools = session.scalars(select(School).where(School.assessed).order_by(*BY_TOWNSHIP))
    rows = [Standing(s, returns.get(s.id), days_late(census, returns.get(s.id), on)) for s in schools]
    return sorted(rows, key=lambda row: (row.handed_in is not None, -row.days_late))


def days_late(census: CensusRound, handed_in: CensusReturn | None, on: dt.date) -> int:
    """Calendar days after the last day; for who has not handed in, up to today."""
    day = handed_in.on if handed_in is not None else on
    return max(0, (day - census.last_day).days)


def count(session: Session, school_id: int, on: dt.date) -> tuple[int, int]:
    """(children, girls) in GF13 at a unit and its sites on a day."""
    unit = select(School.id).where(or_(School.id == school_id, School.centre_id == school_id))
    here = select(func.count(Child.id)).where(Child.school_id.in_(unit), Child.id.in_(left_behind(Definition.GF13, on)))
    return session.scalar(here) or 0, session.scalar(here.where(Child.sex == Sex.FEMALE)) or 0


def hand_in(session: Session, census: CensusRound, school: School, by: str, on: dt.date) -> CensusReturn:
    """Hand the count of a centre and its sites in.

    :raises Complaint: from a site, before the census begins, or a second time.
    """
    if not school.assessed:
        raise Complaint("教学点、村完小由上级中心校一并上报。")
    if on < census.start:
        raise Complaint(f"摸底从 {census.start} 开始。")
    there = select(CensusReturn.id).where(CensusReturn.census_id == census.id, CensusReturn.school_id == school.id)
    if session.scalar(there) is not None:
        raise Complaint("本次摸底已上报；数据有变化请直接修改儿童台账，不必重报。")
    children, girls = count(session, school.id, on)
    handed = CensusReturn(census_id=census.id, school_id=school.id, on=on, children=children, girls=girls, by=by)
    session.add(handed)
    return handed
