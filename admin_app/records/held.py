"""Everything that is held on one child, as the actor may see it, in one file: the right to look (个人信息保护法 art. 45).

A table of the register is a sheet; what the actor may not see is marked as withheld, never left out in silence. The child's own
numbers stand in full; those of adults are masked: the file is handed to one of them, and each knows the own.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, class_mapper

from .. import labels
from ..access import Action, scope_in, shown
from ..models import Attachment, AuditEntry, Child, ComparisonRow, MandatoryReport, School
from ..orm import Base, Derived
from ..sheets import writer
from . import attachments

_OWN = {"id", "child_id", "enrolment_id", "version", "created_by", "updated_by", "updated_at", "deleted_by"}
LOG = "查看记录"
WIDTHS = (9, 22, 70)
NEVER = (Attachment, MandatoryReport, ComparisonRow)
"""Files have a folder of their own; who reported what to the police is told to nobody; what other offices list is theirs to tell."""


def package(session: Session, child: Child, folder: Path, receipt: Mapping[str, str]) -> bytes:
    """A zip: the workbook with a sheet for each table, and the attached files. ``folder``: where they lie."""
    held, buffer = _held(session, child), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("全部信息.xlsx", writer.tables(_tables(session, child, held), receipt, WIDTHS))
        for n, file in enumerate(_files(session, held), 1):
            archive.writestr(f"附件/{n:02}-{file.name}", attachments.content_of(folder, file))
    return buffer.getvalue()


def _held(session: Session, child: Child) -> list[tuple[Any, list[Any]]]:
    """Each table that the actor may read and its rows on the child."""
    found = []
    for model in _models():
        if scope_in(session).may(Action.READ, model.RESOURCE):
            mine = model.id == child.id if model is Child else model.child_id == child.id
            found.append((model, list(session.scalars(select(model).where(mine).order_by(model.id)))))
    return [(model, rows) for model, rows in found if rows]


def _tables(session: Session, child: Child, held: list[tuple[Any, list[Any]]]) -> Iterator[tuple[str, list[str], list[list[Any]]]]:
    """(title, headers, rows) of each table, the child's own row first: record by record, one line for each thing that is held."""
    for model, rows in held:
        lines = [line for number, row in enumerate(rows, 1) for line in _lines(session, number, row)]
        yield labels.of_table(model.__tablename__), ["第几条", "栏目", "内容"], lines
    closed = [model for model in _models() if not scope_in(session).may(Action.READ, model.RESOURCE)]
    if closed:
        lines = [["", labels.of_table(model.__tablename__), "导出人无权查看，请向学校申请"] for model in closed]
        yield "未列入", ["", "记录", "说明"], lines
    if scope_in(session).may(Action.READ, AuditEntry.RESOURCE):
        yield LOG, ["操作", "操作人", "时间"], _looks(session, child)


def _models() -> list[Any]:
    """The tables with something on one child, in the order in which they are written down."""
    others = [m.class_ for m in Base.registry.mappers if hasattr(m.class_, "child_id") and m.class_ not in NEVER]
    return [Child, *sorted(others, key=lambda model: labels.of_table(model.__tablename__))]


def _is_told(attr: Any) -> bool:
    column = attr.columns[0]
    return attr.key not in _OWN and not isinstance(column.type, Derived) and bool(column.info.get("label"))


def _lines(session: Session, number: int, row: Any) -> Iterator[list[Any]]:
    scope, model = scope_in(session), type(row)
    for name in (attr.key for attr in class_mapper(model).column_attrs if _is_told(attr)):
        value = _named(session, model, name, getattr(row, name))
        value = shown(scope, model, name, value, row.school_id, revealed=model is Child)
        if value not in (None, ""):
            yield [number, labels.label(model, name), labels.text(value)]


def _named(session: Session, model: Any, name: str, value: Any) -> Any:
    """A key as the name of what it points to: nobody outside can read a number of ours."""
    far = _points_to(model, name)
    other = session.get(far, value) if far is not None and value is not None else None
    return value if far is None else str(other) if other is not None else None


@cache
def _points_to(model: Any, name: str) -> Any:
    """The model a key column leads to by itself; every ``school_id`` is a school's, whatever else it is part of."""
    if name == "school_id":
        return School
    alone = [key.column.table.name for key in class_mapper(model).columns[name].foreign_keys if len(key.constraint.elements) == 1]
    return labels.model_of(alone[0]) if alone else None


def _looks(session: Session, child: Child) -> list[list[Any]]:
    """Who looked at the file or changed it, newest first."""
    of_child = (AuditEntry.table_name == Child.__tablename__, AuditEntry.row_id == str(child.id))
    entries = session.scalars(select(AuditEntry).where(*of_child).order_by(AuditEntry.id.desc()))
    return [[labels.DEEDS.get(entry.action, entry.action), entry.user_name, labels.text(entry.at)] for entry in entries]


def _files(session: Session, held: list[tuple[Any, list[Any]]]) -> Iterator[Attachment]:
    for model, rows in held:
        ids = [row.id for row in rows if attachments.readable(scope_in(session), row)]
        of_rows = (Attachment.table_name == model.__tablename__, Attachment.row_id.in_(ids))
        yield from session.scalars(select(Attachment).where(*of_rows).order_by(Attachment.id))
