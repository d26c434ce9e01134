"""One click that changes many rows is recorded as one batch, and can be undone as one.

``recorded`` notes what the session's flushes create and change while it is open; ``undo`` takes it back row by row and
leaves alone, and names, what somebody has changed since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, event, inspect, or_, select
from sqlalchemy.orm import Session, class_mapper

from .. import labels
from ..access import Action, scope_in
from ..models import Batch, BatchKind, Child, Enrolment, Transfer, TransferState
from ..orm import (
    Base,
    ChildFile,
    Choice,
    Coded,
    Derived,
    Exact,
    Kept,
    Moment,
    OnRecord,
    Row,
    Sealed,
    Several,
    changed_rows,
    changes_of,
    utcnow,
)
from ..rules import Complaint
from . import trash

_OWN = {"id", "version", "created_at", "created_by", "updated_at", "updated_by"}
"""Bookkeeping that undoing does not turn back."""


def watch(session_class: type[Session]) -> None:
    event.listen(session_class, "after_flush", _collect, propagate=True)
    event.listen(session_class, "after_soft_rollback", _forget, propagate=True)


@contextmanager
def recorded(session: Session, kind: BatchKind, school_id: int, words: str) -> Iterator[Batch]:
    """Everything saved inside the block is one batch. Nothing saved leaves no batch, and so does an actor who keeps none
    (a counsellor writes care records, not school work): there the rows stand alone.
    """
    if not scope_in(session).may(Action.CREATE, Batch.RESOURCE):
        yield Batch(kind=kind, school_id=school_id, words=words[:200])
        session.flush()
        return
    session.flush()
    changes = session.info["batch"] = []
    batch = Batch(kind=kind, school_id=school_id, words=words[:200])
    yield batch
    session.flush()
    session.info.pop("batch", None)
    if changes:
        batch.changes, batch.count = changes, len(changes)
        session.add(batch)
        session.flush()


def undo(session: Session, batch: Batch) -> tuple[int, list[str]]:
    """Take a batch back, last change first.

    :returns: how many rows were taken back, and the words of those that were changed since and stay as they are.
    :raises Complaint: when it has been undone already.
    """
    if batch.undone_at is not None:
        raise Complaint("该操作已撤销。")
    models = {m.class_.__tablename__: m.class_ for m in Base.registry.mappers}
    done, kept = 0, []
    for table, row_id, change, version in reversed(batch.changes):
        model = models[table]
        row = session.scalar(select(model).where(model.id == row_id))
        if row is None:
            kept.append(f"{labels.of_table(table)} {row_id}（在回收站）")
            continue
        if change is None:
            taken_back = _trash_new(session, row, version)
        else:
            taken_back = not _in_the_way(session, batch, row, change) and _turn_back(row, change)
        if taken_back:
            done += 1
            session.flush()  # one at a time: an open stay can only be opened again once the newer one is gone
        else:
            kept.append(labels.heading(row))
    if done or not kept:  # a batch of which nothing could be taken back may be tried again, once what came later is undone
        batch.undone_at = utcnow()
    return done, kept


def _trash_new(session: Session, row: Any, version: int) -> bool:
    if not isinstance(row, Kept) or row.version != version:
        return False
    trash.put(session, row, "撤销批量操作")
    return True


def _in_the_way(session: Session, batch: Batch, row: Any, change: dict[str, list[Any]]) -> bool:
    """Has the child moved or come back since, or would a period that opens again overlap a newer one?"""
    if isinstance(row, Child | Enrolment | ChildFile | OnRecord):
        child = session.get(Child, row.id if isinstance(row, Child) else row.child_id)
        if child is None:
            return True
        came = select(Enrolment.id).where(Enrolment.child_id == child.id, Enrolment.created_at > batch.created_at)
        moved = select(Transfer.id).where(
            Transfer.child_id == child.id, Transfer.state == TransferState.ACCEPTED, Transfer.updated_at > batch.created_at
        )
        if session.scalar(came.limit(1)) is not None or session.scalar(moved.limit(1)) is not None:
            return True
    keys = getattr(row, "NO_OVERLAP", ())
    if "end" not in change or not keys:
        return False
    model, old_end = type(row), _value(class_mapper(type(row)).columns["end"].type, change["end"][0])
    others = select(model.id).where(
        *(getattr(model, key) == getattr(row, key) for key in keys),
        model.id != row.id,
        or_(model.end.is_(None), model.end > row.start),
    )
    if old_end is not None:
        others = others.where(model.start < old_end)
    return session.scalar(others.limit(1)) is not None


def _turn_back(row: Any, change: dict[str, list[Any]]) -> bool:
    mapper = class_mapper(type(row))
    kinds = {name: mapper.columns[name].type for name in change}
    if any(_plain(kinds[name], getattr(row, name)) != _comparable(kinds[name], new) for name, (_old, new) in change.items()):
        return False
    for name, (old, _new) in change.items():
        setattr(row, name, _value(kinds[name], old))
    return True


def _collect(session: Session, _context: Any) -> None:
    changes = session.info.get("batch")
    if changes is None:
        return
    for row in session.new:
        if isinstance(row, Row) and not isinstance(row, Batch):
            changes.append([row.__tablename__, row.id, None, row.version])
    for row in changed_rows(session):
        if isinstance(row, Row) and (change := _changes(row)):
            _add_change(changes, row, change)


def _add_change(changes: list[Any], row: Any, change: dict[str, list[Any]]) -> None:
    """A row made inside the same batch stays "made", with its newer version; one changed twice keeps its first old values."""
    for entry in changes:
        if entry[:2] == [row.__tablename__, row.id]:
            if entry[2] is not None:
                for name, (old, new) in change.items():
                    entry[2][name] = [entry[2].get(name, [old])[0], new]
            entry[3] = row.version
            return
    changes.append([row.__tablename__, row.id, change, row.version])


def _changes(row: Any) -> dict[str, list[Any]]:
    found, columns = {}, inspect(row).mapper.columns
    for name, history in changes_of(row).items():
        if name in _OWN or name not in columns or isinstance(kind := columns[name].type, Derived):
            continue
        old = history.deleted[0] if history.deleted else None
        found[name] = [_sealed(kind, _plain(kind, value)) for value in (old, getattr(row, name))]
    return found


def _plain(kind: Any, value: Any) -> Any:
    """A value as JSON keeps it."""
    if isinstance(kind, Several) and value is not None:
        return [str(getattr(each, "value", each)) for each in value]
    if isinstance(value, Choice):
        return value.value
    return str(value) if isinstance(value, dt.date | Decimal) else value


def _sealed(kind: Any, value: Any) -> Any:
    return kind.process_bind_param(value, None) if isinstance(kind, Sealed) else value


def _comparable(kind: Any, stored: Any) -> Any:
    return kind.process_result_value(stored, None) if isinstance(kind, Sealed) else stored


def _value(kind: Any, stored: Any) -> Any:
    """Back from JSON into what the column takes."""
    if stored is None:
        return None
    if isinstance(kind, Coded):
        return kind.choices(stored)
    if isinstance(kind, Several):
        return tuple(stored)
    if isinstance(kind, Exact):
        return Decimal(stored)
    if isinstance(kind, Sealed):
        return kind.process_result_value(stored, None)
    if isinstance(kind, Moment):
        return dt.datetime.fromisoformat(stored)
    return dt.date.fromisoformat(stored) if isinstance(kind, Date) else stored


def _forget(session: Session, _previous: Any) -> None:
    session.info.pop("batch", None)
