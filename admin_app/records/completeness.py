"""一人一档: when is a dossier complete? One list, shared by the dossier page, fact F1 and the gap list.

The fourteen fields named by the plan, 三(三), with sex, birth, ethnic group, school and grade, and a note of each of the
four states dated in the current term. What a person entered on purpose as 无 is filled; an empty cell is not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, literal, not_, or_, select, union_all
from sqlalchemy.orm import Session

from ..models import Carer, Child, Parent, Responsibility, StateNote, StateSide, Term
from .definitions import holds

Met = Callable[[dt.date, Term | None, "Counts"], ColumnElement[bool]]
Counts = Callable[[Any], ColumnElement[bool]]
"""Which dated records count: those not in the trash, or, for a round, those of its days entered by its cut-off."""


@dataclass(frozen=True)
class Requirement:
    """One thing a complete dossier holds: its name, where it is filled in, and the condition that it is there."""

    key: str
    label: str
    place: str
    met: Met


def there(model: Any) -> ColumnElement[bool]:
    return model.deleted_at.is_(None)


def _filled(column: Any) -> ColumnElement[bool]:
    return column.is_not(None) & (func.trim(column) != "")


def _child(key: str, label: str, column: Any) -> Requirement:
    return Requirement(key, label, "child", lambda _on, _term, _counts: _filled(column))


def _parent(key: str, label: str, column: Any) -> Requirement:
    return Requirement(
        key,
        label,
        "parent",
        lambda _on, _term, _counts: exists().where(Parent.child_id == Child.id, there(Parent), _filled(column)),
    )


def _carer(key: str, label: str, *columns: Any) -> Requirement:
    def met(on: dt.date, _term: Term | None, _counts: Counts) -> ColumnElement[bool]:
        filled = or_(*(c.is_not(None) for c in columns))
        return exists().where(Carer.child_id == Child.id, there(Carer), holds(Carer, on), filled)

    return Requirement(key, label, "carer", met)


def _state(side: StateSide) -> Requirement:
    def met(_on: dt.date, term: Term | None, counts: Counts) -> ColumnElement[bool]:
        within = (StateNote.on >= term.start) & (StateNote.on <= term.last_day) if term else StateNote.id.is_(None)
        return exists().where(StateNote.child_id == Child.id, counts(StateNote), StateNote.side == side, within)

    return Requirement(side.value, f"{side.label}状况", "state", met)


def _responsible(on: dt.date, _term: Term | None, _counts: Counts) -> ColumnElement[bool]:
    return exists().where(Responsibility.child_id == Child.id, there(Responsibility), holds(Responsibility, on))


REQUIREMENTS: tuple[Requirement, ...] = (
    *(_state(side) for side in StateSide),
    Requirement("sex", "性别", "child", lambda _on, _t, _counts: Child.sex.is_not(None)),
    Requirement("birth_date", "出生日期", "child", lambda _on, _t, _counts: Child.birth_date.is_not(None)),
    Requirement("ethnic", "民族", "child", lambda _on, _t, _counts: Child.ethnic.is_not(None)),
    Requirement("grade", "年级", "child", lambda _on, _t, _counts: Child.grade.is_not(None)),
    _parent("parent_name", "家长姓名", Parent.name),
    _child("home_address", "家庭住址", Child.home_address),
    _parent("parent_phone", "家长联系电话", Parent.phone),
    _carer("carer_occupation", "照护人职业", Carer.occupation),
    _carer("carer_age", "照护人年龄", Carer.birth_date, Carer.age),
    _carer("carer_address", "照护人住址", Carer.address),
    _carer("carer_phone", "照护人电话", Carer.phone),
    _child("special_requests", "个性化要求", Child.special_requests),
    Requirement("responsible", "包保责任人", "responsibility", _responsible),
)


def current_term(session: Session, on: dt.date) -> Term | None:
    """The last term begun on or before a day."""
    return session.scalar(select(Term).where(Term.start <= on).order_by(Term.start.desc()).limit(1))


def statement(on: dt.date, term: Term | None, counts: Counts = there) -> Any:
    """Rows (id, one boolean a requirement) for all children the session may see; one statement."""
    return select(Child.id, *(r.met(on, term, counts).label(r.key) for r in REQUIREMENTS))


def lacking(on: dt.date, term: Term | None, counts: Counts = there) -> Any:
    """Rows (id, place in REQUIREMENTS), one for each thing a dossier still lacks, of all children the session may see; one
    statement. What is there gives no row: of a province that is most.
    """
    unmet = (select(Child.id, literal(n)).where(not_(r.met(on, term, counts))) for n, r in enumerate(REQUIREMENTS))
    return union_all(*(each.where(there(Child)) for each in unmet))


def missing_in(row: Row[Any]) -> list[Requirement]:
    return [r for r, met in zip(REQUIREMENTS, row[1:], strict=True) if not met]


def missing(session: Session, child_ids: list[int], on: dt.date) -> dict[int, list[Requirement]]:
    """What each of some children's dossiers still lacks on a day."""
    rows = session.execute(statement(on, current_term(session, on)).where(Child.id.in_(child_ids)))
    return {row[0]: missing_in(row) for row in rows}
