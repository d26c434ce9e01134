"""台账 as a school hands it in: one line per child, thirty columns in the order schools print them (domain: the register sheet).

What the reader may not see stands masked, as on the screens. The import reads the file back and finds nothing to change.
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from .. import labels
from ..access import scope_in, shown
from ..models import Agreement, AgreementKind, Category, Child, Parent, Report, Responsibility, School, Staff
from ..sheets import writer
from . import definitions, ledger
from .importing import register_says
from .reports.keeping import unit_of

AT_ONCE = 500
FILE = Path(__file__).with_suffix(".toml")
DEFINITION = tomllib.loads(FILE.read_text(encoding="utf-8"))
COLUMNS = tuple(column["key"] for column in DEFINITION["columns"])
KIND = "ledger"
"""Kept among the reports under this name."""


@dataclass(frozen=True)
class Filed:
    """A ledger as it is handed in: title, the line below it, (heading, width) of each column, rows, the line for signatures."""

    title: str
    said: str
    columns: list[tuple[str, float]]
    rows: Iterable[Sequence[Any]]
    signed: str


def filed(title: str, said: str, lines: Iterable[Sequence[Any]]) -> Filed:
    return Filed(title, said, [(c["title"], c["width"]) for c in DEFINITION["columns"]], lines, DEFINITION["signed"])


def workbook(sheet: Filed, receipt: Mapping[str, str]) -> bytes:
    return writer.form(sheet.title, sheet.said, sheet.columns, sheet.rows, sheet.signed, receipt)


def keep(session: Session, sheet: Filed, on: dt.date, basis: str, by: str) -> Report:
    """Keep a ledger as it stands, its numbers masked: it can be opened and exported again."""
    lines = [[["day", cell.isoformat()] if isinstance(cell, dt.date) else cell for cell in row] for row in sheet.rows]
    content = {"said": sheet.said, "columns": sheet.columns, "rows": lines, "signed": sheet.signed}
    row = Report(
        school_id=unit_of(session).id,
        kind=KIND,
        title=sheet.title,
        basis=basis,
        since=on,
        on=on,
        content=json.dumps(content, ensure_ascii=False),
        by=by,
    )
    session.add(row)
    return row


def opened(row: Report) -> Filed:
    """The ledger as it was kept."""
    raw = json.loads(row.content)
    lines = [[dt.date.fromisoformat(cell[1]) if isinstance(cell, list) else cell for cell in line] for line in raw["rows"]]
    return Filed(row.title, raw["said"], [(words, width) for words, width in raw["columns"]], lines, raw["signed"])


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
        teacher = staff.get(child.id)
        said = register_says(child) | {
            "kind": kinds[child.id].kind if kinds[child.id].holds else "",
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
