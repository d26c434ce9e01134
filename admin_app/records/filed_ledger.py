"""台账 as a school hands it in: one line per child, thirty columns in the order schools print them (domain: the register sheet).

What the reader may not see stands masked, as on the screens. The import reads the file back and finds nothing to change.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from .. import labels
from ..access import scope_in, shown
from ..models import Agreement, AgreementKind, Category, Child, Parent, Responsibility, School, Staff
from . import definitions, ledger
from .importing import carer_now, register_says

AT_ONCE = 500
COLUMNS = (
    "serial", "school", "grade", "class_name", "name", "sex", "ethnic", "birth_date", "id_number", "hukou_place", "home_address",
    "boarding", "kind", "father.name", "father.place", "father.phone", "mother.name", "mother.place", "mother.phone", "carer.name",
    "carer.relation", "carer.age", "carer.phone", "quality", "agreement", "responsible", "responsible.phone", "hardship", "health",
    "remark",
)  # fmt: skip
TITLES = ledger.TITLES | {
    "serial": "序号",
    "quality": "监护情况",
    "agreement": "是否签订确认书",
    "responsible.phone": "包保责任人电话",
    "hardship": "困境、低保等",
    "health": "健康状况",
}
WIDTHS = {
    "serial": 4, "school": 11, "grade": 6, "class_name": 6, "sex": 4, "ethnic": 6, "birth_date": 9, "id_number": 12, "hukou_place": 12,
    "home_address": 14, "boarding": 5, "carer.age": 5, "father.phone": 10, "mother.phone": 10, "carer.phone": 10,
    "responsible.phone": 10, "agreement": 6, "remark": 10,
}  # fmt: skip
OTHERWISE = 8
SIGNED = "单位负责人（签名）：　　　　　　　　复核人（签名）：　　　　　　　　填表人（签名）："


def rows(session: Session, child_ids: Sequence[int], on: dt.date, *, full: bool = False) -> Iterator[list[Any]]:
    """The line of every child, in the order asked for; what the session's actor may not see is masked or left out.

    ``child_ids``: of children the session sees. Dates and numbers as such, anything else as words.
    ``full``: an approved request is being carried out, numbers are not masked.
    """
    serial = 0
    for first in range(0, len(child_ids), AT_ONCE):
        ids = list(child_ids[first : first + AT_ONCE])
        lines = _lines(session, ids, on, full)
        for child_id in ids:
            if child_id in lines:
                serial += 1
                yield [serial, *(lines[child_id].get(key) for key in COLUMNS[1:])]


def _lines(session: Session, ids: list[int], on: dt.date, full: bool) -> dict[int, dict[str, Any]]:
    family = selectinload(Child.parents).selectinload(Parent.statuses), selectinload(Child.carers)
    children = list(session.scalars(select(Child).where(Child.id.in_(ids)).options(*family)))
    schools = dict(session.execute(select(School.id, School.name).where(School.id.in_({c.school_id for c in children}))).all())
    kinds, papers = definitions.findings(session, ids, on), _papers(session, ids, on)
    hardships, staff = _hardships(session, ids, on), _responsible(session, ids, on)
    found = {}
    for child in children:
        carer, teacher = carer_now(child), staff.get(child.id)
        said = register_says(child) | {
            "kind": kinds[child.id].kind if kinds[child.id].holds else "",
            "quality": carer.quality if carer else None,
            "agreement": child.id in papers,
            "responsible": teacher.name if teacher else None,
            "responsible.phone": teacher.phone if teacher else None,
            "health": child.health,
        }
        line = {key: _cell(session, child, key, value, full) for key, value in said.items()}
        found[child.id] = line | {"school": schools[child.school_id], "hardship": hardships.get(child.id, "")}
    return found


def _cell(session: Session, child: Child, key: str, value: Any, full: bool) -> Any:
    model, name = ledger.column_of(key)
    seen = value if model is None else shown(scope_in(session), model, name, value, child.school_id, revealed=full)
    return seen if isinstance(seen, dt.date) or (isinstance(seen, int) and not isinstance(seen, bool)) else labels.text(seen)


def _papers(session: Session, ids: list[int], on: dt.date) -> set[int]:
    """The children with a 委托监护责任确认书 in force."""
    duty = select(Agreement.child_id).where(Agreement.child_id.in_(ids), Agreement.kind == AgreementKind.DUTY)
    return set(session.scalars(duty.where(definitions.holds(Agreement, on))))


def _responsible(session: Session, ids: list[int], on: dt.date) -> dict[int, Staff]:
    serving = select(Responsibility.child_id, Staff).join(Staff, Staff.id == Responsibility.staff_id)
    return dict(session.execute(serving.where(Responsibility.child_id.in_(ids), definitions.holds(Responsibility, on))).all())


def _hardships(session: Session, ids: list[int], on: dt.date) -> dict[int, str]:
    scope, found = scope_in(session), defaultdict(list)
    held = select(Category).where(Category.child_id.in_(ids), definitions.holds(Category, on)).order_by(Category.kind)
    for row in session.scalars(held):
        words = labels.text(shown(scope, Category, "kind", row.kind, row.school_id))
        if words not in found[row.child_id]:
            found[row.child_id].append(words)
    return {child_id: "、".join(words) for child_id, words in found.items()}


__all__ = ["COLUMNS", "OTHERWISE", "SIGNED", "TITLES", "WIDTHS", "rows"]
