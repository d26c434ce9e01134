"""归档与清除: when a child has long left, its file goes out of the lists, and later the words in it are taken away for good.

What identifies a person is blanked (names, numbers, addresses, every text somebody wrote, files, the log's old values); what
is counted stays (school, grade, sex, month of birth, dates, codes), so that statistics and frozen results stand.
个人信息保护法 art. 19, 47; 儿童个人信息网络保护规定 art. 20.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from sqlalchemy import Select, String, Text, cast, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, class_mapper

from .. import audit, labels
from ..access import OpenSession, Scope, erasing
from ..models import (
    Attachment,
    Attendance,
    AuditEntry,
    AuditValue,
    Batch,
    Carer,
    Child,
    Comparison,
    Enrolment,
    ExportRequest,
    ItemScore,
    MandatoryReport,
    Report,
    School,
    SnapshotPart,
    Transfer,
    TransferState,
)
from ..orm import Base, Kept, Sealed
from ..rules import Complaint, years_before
from . import attachments, county, filed_ledger

WORDS = "（已清除）"
WAITS = dt.timedelta(days=15)
"""From archive to erasure: time to notice a mistake."""
AT_ONCE = 500
_RECEIPT = {"导出人", "导出时间", "行数", "指纹", "审批", "号码"}
"""What an export's entry says besides its conditions and its purpose: never a reason to drop it."""
_STAYS = {"class_name", "table_name", "stored", "media_type", "digest"}
"""Text that tells of a class or a file and not of a person."""
_LOOKS = ("search", "export", "print", "reveal", "open", "download", "request", "import", "probe", "stranger")
"""Entries of the log that hold typed words and no change of a row."""
_LISTS = (ItemScore, SnapshotPart, Report, Batch, ExportRequest)
"""Tables that keep names as they were."""
_WAITING = (TransferState.PENDING, TransferState.REQUESTED)
_DELETED = {"include_deleted": True}


@dataclass(frozen=True)
class Gone:
    """Somebody whose time is up: who, where last, since when, and when the words may be taken away."""

    child: Child
    left_on: dt.date | None

    @property
    def erasable_on(self) -> dt.date | None:
        return self.child.archived_on + WAITS if self.child.archived_on else None


@dataclass(frozen=True)
class Erased:
    """What an erasure did: rows blanked, files to unlink once it is saved, and where a name still stands in other words."""

    rows: int
    files: tuple[Path, ...]
    mentioned: tuple[str, ...]


# --- who ---


def due(session: Session, today: dt.date) -> list[Gone]:
    """Who left every school of the county so long ago (setting ``retention_years``) that the file is to be archived."""
    years = county.number(session, "retention_years")
    return _gone(session, Child.archived_on.is_(None), until=years_before(today, years))


def archived(session: Session) -> list[Gone]:
    """Whose file is archived and still readable."""
    return _gone(session, Child.archived_on.is_not(None))


def _gone(session: Session, *criteria: Any, until: dt.date | None = None) -> list[Gone]:
    last = select(func.max(Enrolment.end)).where(Enrolment.child_id == Child.id).correlate(Child).scalar_subquery()
    stays = exists().where(Enrolment.child_id == Child.id, Enrolment.end.is_(None), Enrolment.deleted_at.is_(None))
    found: Select[Any] = select(Child, last).where(Child.erased_on.is_(None), ~stays, *criteria)
    if until is not None:
        found = found.where(last <= until)
    return [Gone(child, left) for child, left in session.execute(found.order_by(last, Child.id).limit(AT_ONCE))]


def archive(session: Session, child: Child, today: dt.date) -> None:
    """Out of the lists; nothing is lost yet.

    :raises Complaint: for a child who is still at a school.
    """
    open_ = select(Enrolment.id).where(Enrolment.child_id == child.id, Enrolment.end.is_(None))
    if session.scalar(open_.limit(1)) is not None:
        raise Complaint(f"{child.name}还在校，不能归档：请先登记离校。")
    child.archived_on = today


def take_back(child: Child) -> None:
    """:raises Complaint: when there is nothing left to take back."""
    if child.erased_on:
        raise Complaint("已经清除，不能恢复。")
    child.archived_on = None


# --- erasing ---


def erase(open_session: OpenSession, actor: Scope, ids: Collection[int], reason: str, folder: Path, today: dt.date) -> Erased:
    """Take the words of archived children away for good. The log keeps that it was done, by whom and why, and still verifies.

    :param folder: where the attachments lie; the files named in the answer are the caller's to unlink, after this is saved.
    :raises Complaint: for who is not archived long enough, or whose file a duty of report still needs; nothing is then changed.
    :raises Refused: for an actor who may not.
    """
    with erasing(open_session, actor) as session:
        children = list(session.scalars(select(Child).where(Child.id.in_(ids)), execution_options=_DELETED))
        for child in children:
            _refuse_early(session, child, today)
        names = _names(session, children)
        rows = list(_rows_of(session, {child.id for child in children}))
        files = _attachments(session, rows)
        _forget_values(session, [*rows, *files], names)
        _drop(session, files)
        _blank_lists(session, {child.id for child in children}, names)
        _blank_batches(session, rows)
        _blank(rows)
        for child in children:
            child.erased_on = today
            audit.note(session, "erase", "child", child.id, child.school_id, 原因=reason, 记录=len(rows), 附件=len(files))
        session.flush()
        mentioned = tuple(_mentions(session, names))
    return Erased(len(rows), _paths(folder, files), mentioned)


def purge_trash(open_session: OpenSession, actor: Scope, folder: Path, now: dt.datetime) -> Erased:
    """The same for what has lain in the trash for long (setting ``trash_days``): the rows stay there, their words go; of a child
    also what hangs on it and never went there (a counsellor's notes, answered transfers), and the lists it is named in.
    """
    with erasing(open_session, actor) as session:
        rows = _long_in_trash(session, now)
        children = [row for row in rows if isinstance(row, Child)]
        ids, names = {child.id for child in children}, _names(session, children)
        rows = list({id(row): row for row in (*rows, *_rows_of(session, ids))}.values())
        files = _attachments(session, rows)
        _forget_values(session, [*rows, *files], names)
        _blank_batches(session, rows)
        if children:
            _blank_lists(session, ids, names)
        _drop(session, files)
        _blank(row for row in rows if not isinstance(row, Attachment))
        if rows:
            audit.note(session, "erase", "trash", "", None, 记录=len(rows), 附件=len(files))
    return Erased(len(rows), _paths(folder, files), ())


def waiting_in_trash(session: Session, now: dt.datetime) -> int:
    """How many rows ``purge_trash`` would blank."""
    return len(_long_in_trash(session, now))


def _long_in_trash(session: Session, now: dt.datetime) -> list[Any]:
    before, rows = now - dt.timedelta(days=county.number(session, "trash_days")), []
    for model in _models(Kept):
        lying = select(model).where(model.deleted_at < before)
        rows += [row for row in session.scalars(lying, execution_options=_DELETED) if not _is_blank(row)]
    kept = _reported(session)
    return [row for row in rows if (row.id if isinstance(row, Child) else getattr(row, "child_id", None)) not in kept]


def _refuse_early(session: Session, child: Child, today: dt.date) -> None:
    if child.erased_on:
        raise Complaint(f"第 {child.id} 号档案已经清除过了。")
    if child.archived_on is None or today < child.archived_on + WAITS:
        raise Complaint(f"{child.name}的档案归档未满 {WAITS.days} 天，还不能清除。")
    if session.scalar(select(Enrolment.id).where(Enrolment.child_id == child.id, Enrolment.end.is_(None)).limit(1)) is not None:
        raise Complaint(f"{child.name}又在校了，不能清除。")
    if session.scalar(select(Transfer.id).where(Transfer.child_id == child.id, Transfer.state.in_(_WAITING)).limit(1)) is not None:
        raise Complaint(f"{child.name}有待办的转学，不能清除：请先办完或退回。")
    if child.id in _reported(session):
        raise Complaint(f"{child.name}有强制报告，依法须留存，不能清除。")


def _reported(session: Session) -> set[int | None]:
    """Children with a mandatory report, whose files the law wants kept."""
    return set(session.scalars(select(MandatoryReport.child_id), execution_options=_DELETED))


def _names(session: Session, children: Iterable[Child]) -> set[str]:
    """Every name the children go by here, one-character ones left out: they would be found everywhere."""
    ids = [child.id for child in children]
    stays = session.scalars(select(Enrolment.child_name).where(Enrolment.child_id.in_(ids)), execution_options=_DELETED)
    own = {name for child in children for name in (child.name, child.former_name) if name}
    return {name for name in own | set(stays) if len(name) > 1}


def _models(kind: type) -> list[Any]:
    return [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, kind)]


def _rows_of(session: Session, ids: set[int]) -> Iterator[Any]:
    """The children themselves and every row that hangs on them, whatever its table, in the trash or not."""
    yield from session.scalars(select(Child).where(Child.id.in_(ids)), execution_options=_DELETED)
    for model in _models(Base):
        if hasattr(model, "child_id") and model is not Attachment:
            yield from session.scalars(select(model).where(model.child_id.in_(ids)), execution_options=_DELETED)


@cache
def personal(model: type[Base]) -> tuple[str, ...]:
    """The columns of a table whose words may tell who somebody is: all that is free text or sealed, but for what ``_STAYS``."""
    kinds = {attr.key: attr.columns[0] for attr in class_mapper(model).column_attrs}
    return tuple(
        name
        for name, column in kinds.items()
        if (type(column.type) in (String, Text) or isinstance(column.type, Sealed))
        and name not in _STAYS
        and not column.foreign_keys
        and not column.primary_key
    )


def _blank(rows: Iterable[Any]) -> None:
    """Words go, dates of birth keep their month, and who was one person in a count still is one, nobody knows who."""
    persons: dict[str | None, str] = {}
    for row in rows:
        columns = class_mapper(type(row)).columns
        for name in personal(type(row)):
            if getattr(row, name) is not None:
                setattr(row, name, None if columns[name].nullable else WORDS)
        if getattr(row, "birth_date", None):
            row.birth_date = row.birth_date.replace(day=1)
        if isinstance(row, Carer | Attendance) and row.person_key:
            row.person_key = persons.setdefault(row.person_key, f"erased|{secrets.token_hex(16)}")


def _is_blank(row: Any) -> bool:
    return all(getattr(row, name) in (None, WORDS) for name in personal(type(row)))


def _attachments(session: Session, rows: Iterable[Any]) -> list[Attachment]:
    """The attachments of these rows, in the trash or not."""
    keys = [(type(row).__tablename__, row.id) for row in rows]
    found = {row.id: row for row in rows if isinstance(row, Attachment)}
    for part in _parts(keys):
        of_rows = select(Attachment).where(tuple_(Attachment.table_name, Attachment.row_id).in_(part))
        found |= {row.id: row for row in session.scalars(of_rows, execution_options=_DELETED)}
    return list(found.values())


def _paths(folder: Path, files: Iterable[Attachment]) -> tuple[Path, ...]:
    return tuple(attachments.path_of(folder, row.stored) for row in files)


def _drop(session: Session, rows: Iterable[Any]) -> None:
    for row in rows:
        session.delete(row)


def _forget_values(session: Session, rows: Iterable[Any], names: set[str]) -> None:
    """What the log holds of these rows' values, of searches for these names and of lists with them. The entries stay: the chain holds."""
    keys = [(type(row).__tablename__, str(row.id)) for row in rows]
    gone: set[int] = set()
    for part in _parts(keys):
        entries = select(AuditEntry.id).where(tuple_(AuditEntry.table_name, AuditEntry.row_id).in_(part))
        gone |= {*session.scalars(select(AuditValue.entry_id).where(AuditValue.entry_id.in_(entries)))}
    looked = AuditEntry.action.in_(_LOOKS) | AuditEntry.table_name.in_([model.__tablename__ for model in _LISTS])
    held = select(AuditValue).join(AuditEntry, AuditEntry.id == AuditValue.entry_id)
    for name in names:
        stored = json.dumps(name)[1:-1]
        said = or_(*(cast(AuditValue.changes, Text).contains(each, autoescape=True) for each in {name, stored}))
        gone |= {value.entry_id for value in session.scalars(held.where(looked, said)) if _typed(value.changes, name)}
    audit.forget(session, gone)


def _typed(changes: dict[str, Any], name: str) -> bool:
    """Was the name itself searched for, or kept in a list? Not a word that holds it, nor who exported what for which purpose."""
    own = {key: value for key, value in changes.items() if key not in _RECEIPT}
    words = re.split(r"[^\w·]+", unquote_plus(json.dumps(own, ensure_ascii=False)))
    return name in words


def _blank_lists(session: Session, ids: set[int], names: set[str]) -> None:
    """The lists of names that were kept as they were: behind frozen scores, in snapshots, reports and batches."""
    at = select(Enrolment.school_id).where(Enrolment.child_id.in_(ids))
    schools = set(session.scalars(at, execution_options=_DELETED))
    schools |= set(session.scalars(select(School.centre_id).where(School.id.in_(schools), School.centre_id.is_not(None))))
    for kept in session.scalars(select(ItemScore).where(ItemScore.school_id.in_(schools))):
        _replace(kept, "lists", _without(kept.lists, ids, names))
    for part in session.scalars(select(SnapshotPart).where(SnapshotPart.school_id.in_(schools))):
        _replace(part, "children", _without(part.children, ids, names))
    for report in session.scalars(select(Report)):
        raw = json.loads(report.content)
        is_ledger = report.kind == filed_ledger.KIND
        if (without := _without_lines(raw, names) if is_ledger else _without(raw, ids, names)) != raw:
            report.content = json.dumps(without, ensure_ascii=False)
    for asked in session.scalars(select(ExportRequest)):  # 查询 of a name may be what an export was asked for
        for name in ("title", "address", "said", "purpose"):
            _replace(asked, name, _unnamed(getattr(asked, name), names))
    for comparison in session.scalars(select(Comparison)):
        if comparison.unread and any(name in comparison.unread for name in names):
            comparison.unread = None


def _blank_batches(session: Session, rows: Iterable[Any]) -> None:
    """What one click changed of these rows is no longer there to be taken back."""
    gone = {(type(row).__tablename__, row.id) for row in rows}
    touched = [batch for batch in session.scalars(select(Batch)) if any((e[0], e[1]) in gone for e in batch.changes)]
    for batch in touched:
        batch.changes = [entry for entry in batch.changes if (entry[0], entry[1]) not in gone]
    _forget_values(session, touched, set())


def _without_lines(ledger: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """A kept ledger, which knows no ids: every line of one of these names loses its words, a namesake's too."""
    blanked = [
        [WORDS if isinstance(cell, str) else None if isinstance(cell, list) else cell for cell in line]
        if names & _words_in(line)
        else line
        for line in ledger["rows"]
    ]
    return ledger | {"rows": blanked}


def _words_in(line: list[Any]) -> set[str]:
    return {cell for cell in line if isinstance(cell, str)}


def _replace(row: Any, name: str, value: Any) -> None:
    if value != getattr(row, name):
        setattr(row, name, value)


def _without(kept: Any, ids: set[int], names: set[str]) -> Any:
    """A stored list with the lines of these children blanked. A line is a list that begins or ends with the child's id."""
    if isinstance(kept, dict):
        return {key: _without(value, ids, names) for key, value in kept.items()}
    if not isinstance(kept, list):
        return kept
    line = len(kept) > 2 and isinstance(kept[1], str) and any(type(end) is int and end in ids for end in (kept[0], kept[-1]))
    if not line:
        return [_without(value, ids, names) for value in kept]
    return [
        WORDS if n == 1 or (isinstance(value, str) and any(name in value for name in names)) else value
        for n, value in enumerate(kept)
    ]


def _unnamed(words: str, names: set[str]) -> str:
    for name in names:
        words = words.replace(name, WORDS).replace(quote_plus(name), WORDS)
    return words


def _mentions(session: Session, names: set[str]) -> Iterator[str]:
    """Where somebody wrote one of these names into words that are not the child's own, for a person to look at."""
    for model in _models(Base):
        columns = [getattr(model, name) for name in personal(model) if not isinstance(getattr(model, name).type, Sealed)]
        if not (names and columns and hasattr(model, "id")) or model in (AuditEntry,):
            continue
        said = or_(*(column.contains(name, autoescape=True) for column in columns for name in names))
        for row_id in session.scalars(select(model.id).where(said).limit(20), execution_options=_DELETED):
            yield f"{labels.of_table(model.__tablename__)} {row_id}"


def _parts(keys: list[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(keys), AT_ONCE):
        yield keys[at : at + AT_ONCE]
