"""Who counts as left behind: the definitions GF13 and XJ as statements over the parents' dated status.

One statement a definition, ``spans``: the stretches of days on which an enrolled child meets it. A list asks it for one
day (``left_behind``), the assessment for a period; so they cannot disagree.
Sources: 国发〔2016〕13号; the pupil register's field 是否留守儿童.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from ..models import Area, Child, Day, Definition, Enrolment, Hukou, Parent, ParentState, ParentStatus, Side
from ..rules import LATEST

CANNOT_GUARD = (
    ParentState.INCAPABLE,
    ParentState.DEAD,
    ParentState.MISSING,
    ParentState.IMPRISONED,
    ParentState.DETOX,
)
"""One parent away and the other one of these makes a child GF13. Divorced or unknown needs a person's finding."""


def later(a: Any, b: Any) -> ColumnElement[dt.date]:
    return case((a > b, a), else_=b)


def earlier(a: Any, b: Any) -> ColumnElement[dt.date]:
    return case((a < b, a), else_=b)


def holds(row: Any, on: dt.date) -> ColumnElement[bool]:
    """A dated state that holds on a day: start <= day < end."""
    return (row.start <= on) & or_(row.end.is_(None), row.end > on)


def _until(row: Any) -> ColumnElement[dt.date]:
    return func.coalesce(row.end, literal(LATEST))


@cache
def spans(definition: Definition) -> Select[Any]:
    """Rows (child_id, enrolment_id, school_id, first, stop): enrolled and in the definition from first to before stop.

    Rows of one child may overlap (XJ: both parents away, or one at several places); whoever counts days merges them.
    """
    family = (_gf13() if definition is Definition.GF13 else _xj()).subquery()
    first = later(Enrolment.start, family.c.first)
    stop = earlier(_until(Enrolment), family.c.stop)
    return (
        select(
            Enrolment.child_id.label("child_id"),
            Enrolment.id.label("enrolment_id"),
            Enrolment.school_id.label("school_id"),
            first.label("first"),
            stop.label("stop"),
        )
        .join(family, family.c.child_id == Enrolment.child_id)
        .where(first < stop)
    )


def left_behind(definition: Definition, on: dt.date) -> Select[Any]:
    """The ids of the children who are enrolled and meet the definition on a day."""
    every = spans(definition).subquery()
    return select(every.c.child_id).where(every.c.first <= on, every.c.stop > on)


def _gf13() -> Select[Any]:
    """Both parents away, or one away and the other unable; farm hukou or resident outside the city; under 16."""
    father, mother = aliased(ParentStatus), aliased(ParentStatus)
    his, hers = aliased(Parent), aliased(Parent)
    born = aliased(Day)
    first = later(father.start, mother.start)
    stop = earlier(earlier(_until(father), _until(mother)), born.after_16_years)
    away = ParentState.AWAY
    return (
        select(father.child_id.label("child_id"), first.label("first"), stop.label("stop"))
        .join(his, his.id == father.parent_id)
        .join(mother, mother.child_id == father.child_id)
        .join(hers, hers.id == mother.parent_id)
        .join(Child, Child.id == father.child_id)
        .join(born, born.date == Child.birth_date)
        .where(
            his.side == Side.FATHER,
            hers.side == Side.MOTHER,
            or_(
                (father.state == away) & mother.state.in_((away, *CANNOT_GUARD)),
                (mother.state == away) & father.state.in_(CANNOT_GUARD),
            ),
            _rural(),
            first < stop,
        )
    )


def _rural() -> ColumnElement[bool]:
    """农业, or 居民户 living in a village or township town. Not filled in counts as rural: the register is one of villages."""
    return or_(
        Child.hukou.is_(None),
        Child.hukou == Hukou.FARM,
        (Child.hukou == Hukou.RESIDENT) & or_(Child.area.is_(None), Child.area != Area.CITY),
    )


def _xj() -> Select[Any]:
    """One parent away or both, for three months on end; no age but that of a pupil."""
    absence, since = _absences().subquery(), aliased(Day)
    return (
        select(absence.c.child_id, since.after_3_months.label("first"), absence.c.stop)
        .join(since, since.date == absence.c.start)
        .where(since.after_3_months < absence.c.stop)
    )


def _absences() -> Select[Any]:
    """Rows (child_id, start, stop) of parents 外出: one that starts by the day the former ends goes on with that absence."""
    row, stop = ParentStatus, _until(ParentStatus)
    before = func.max(stop).over(partition_by=row.parent_id, order_by=row.start, rows=(None, -1))
    begun = case((or_(before.is_(None), before < row.start), row.start)).label("begun")
    away = row.state == ParentState.AWAY
    each = select(row.child_id, row.parent_id, row.start, stop.label("stop"), begun).where(away).subquery()
    start = func.max(each.c.begun).over(partition_by=each.c.parent_id, order_by=each.c.start)
    return select(each.c.child_id, each.c.parent_id, start.label("start"), each.c.stop)


def parents_long_away(on: dt.date) -> Select[Any]:
    """Rows (child_id, how many of its parents have been away for three months on end on a day)."""
    absence, since = _absences().subquery(), aliased(Day)
    return (
        select(absence.c.child_id, func.count(absence.c.parent_id.distinct()))
        .join(since, since.date == absence.c.start)
        .where(since.after_3_months <= on, absence.c.stop > on)
        .group_by(absence.c.child_id)
    )


@dataclass(frozen=True)
class Finding:
    """Is a child left behind on a day, which kind, and why, in words."""

    holds: bool
    kind: str
    reason: str


def findings(session: Session, child_ids: list[int], on: dt.date) -> dict[int, Finding]:
    """GF13's finding for each of some children (a page of a list, a dossier), in two statements."""
    # the page's ids go inside: else SQLite works out the whole county for a page of fifty
    every = spans(Definition.GF13).where(Enrolment.child_id.in_(child_ids)).subquery()
    meeting = set(session.scalars(select(every.c.child_id).where(every.c.first <= on, every.c.stop > on)))
    rows = session.execute(
        select(ParentStatus.child_id, Parent.side, ParentStatus.state, ParentStatus.start, ParentStatus.place)
        .join(Parent, Parent.id == ParentStatus.parent_id)
        .where(ParentStatus.child_id.in_(child_ids), holds(ParentStatus, on))
        .order_by(Parent.side, ParentStatus.start)
    )
    where: dict[int, dict[Side, tuple[ParentState, str]]] = defaultdict(dict)
    for child_id, side, state, start, place in rows:
        words = f"{side}{start:%Y-%m}起{'在' + place if place and state is ParentState.AWAY else state.label}"
        where[child_id][side] = (state, words)
    return {child_id: _finding(where[child_id], child_id in meeting) for child_id in child_ids}


def _finding(where: dict[Side, tuple[ParentState, str]], holds: bool) -> Finding:
    states = [state for state, _words in where.values()]
    words = "，".join(words for _state, words in where.values())
    if len(where) < 2:
        return Finding(False, "未填全", f"父母去向未填全（{words}）" if words else "父母去向未填")
    away = states.count(ParentState.AWAY)
    if holds:
        kind = "双亲外出" if away == 2 else "一方外出另一方无监护能力"
        return Finding(True, kind, f"{kind}（{words}）")
    if away == 2:
        return Finding(False, "不计入", f"双亲外出，但已满16周岁、未在读或非农村户籍（{words}）")
    return Finding(False, "单亲外出" if away == 1 else "不属留守", words)


__all__ = ["CANNOT_GUARD", "Finding", "findings", "holds", "left_behind", "spans"]
