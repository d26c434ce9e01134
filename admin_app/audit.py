"""Every saved change leaves an entry, in the same transaction, linked to the one before by HMAC.

Collected in after_flush, written in before_commit: the head row is the last lock of a transaction (taken at the flush
it deadlocks). Reads that matter (a dossier, an export, a revealed number) are noted by ``note``.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import bindparam, event, insert, inspect, select, update
from sqlalchemy.orm import Session, UOWTransaction, class_mapper

from . import rules
from .access import UNLOGGED, Scope, scope_in
from .models import AuditEntry, AuditHead, AuditKey, AuditValue, School, User
from .orm import Base, Choice, Derived, Kept, Part, Row, Sealed, changed_rows, changes_of, keyring, utcnow

AT_ONCE = 2000
"""Entries sent to the database at a time."""
_BOOKKEEPING = {
    "id",
    "last_login_at",
    "locale",
    "version",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "seen_at",
    "password_hash",
    "opened_at",
    "otp_secret",
    "otp_step",
}
FIRST_MAC = "0" * 64


def watch(session_class: type[Session]) -> None:
    """Have every session of this class keep the log."""
    event.listen(session_class, "before_flush", _stamp, propagate=True)
    event.listen(session_class, "after_flush", _collect, propagate=True)
    event.listen(session_class, "before_commit", _write, propagate=True)
    event.listen(session_class, "after_soft_rollback", _forget, propagate=True)


def note(session: Session, action: str, table_name: str, row_id: object = "", school_id: int | None = None, **what: Any) -> None:
    """Leave an entry that is not a change of a row: a read, an export, a login. ``session``: committed by the caller."""
    _pend(session, utcnow(), action, table_name, str(row_id), school_id, {k: [None, _plain(v)] for k, v in what.items()})


def verify(session: Session) -> tuple[int, str | None]:
    """Walk the chain.

    :returns: how many entries hold, and what is wrong with the next one (None when the chain is whole).
    """
    last, seq, former = FIRST_MAC, 0, _former_keys(session)
    missing: set[int] = set()
    signed = [getattr(AuditEntry, name) for name in (*_LINK, *_SINCE_0010, "mac")]
    rows = select(*signed, AuditValue.salt, AuditValue.changes).outerjoin(AuditValue, AuditValue.entry_id == AuditEntry.id)
    with session.execute(rows.order_by(AuditEntry.id).execution_options(yield_per=AT_ONCE)) as entries:
        for entry in entries.mappings():
            seq += 1
            if former and former[0].until < seq:
                former.pop(0)
            key = former[0].key if former else ""
            if entry["id"] != seq:
                return seq - 1, f"第 {seq} 条缺失"
            if entry["salt"] is None:
                missing.add(seq)
            elif keyring.sign(entry["salt"] + _as_text(entry["changes"]), key) != entry["digest"]:
                return seq - 1, f"第 {seq} 条的内容被改动"
            elif entry["action"] == "forget":
                missing -= _numbers(entry["changes"]["条目"][1])
            if _mac(last, entry, key) != entry["mac"]:
                return seq - 1, f"第 {seq} 条被改动或顺序不对"
            last = entry["mac"]
    head = session.get(AuditHead, 1)
    if head is None or head.seq != seq or head.mac != last:
        return seq, "末尾有条目被删除"
    if missing:
        return min(missing) - 1, f"第 {min(missing)} 条的内容被删除（共 {len(missing)} 条）"
    return seq, None


def forget(session: Session, entry_ids: set[int]) -> None:
    """Take away what entries say, and leave one that names them: whatever else is missing was taken by somebody else."""
    if not entry_ids:
        return
    numbers = sorted(entry_ids)
    for at in range(0, len(numbers), AT_ONCE):
        for value in session.scalars(select(AuditValue).where(AuditValue.entry_id.in_(numbers[at : at + AT_ONCE]))):
            session.delete(value)
    note(session, "forget", AuditEntry.__tablename__, "", None, 条目=_spans(entry_ids))


def _spans(numbers: set[int]) -> str:
    """1-3 7 9-12"""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _numbers(spans: str) -> set[int]:
    ends = ([int(end) for end in span.split("-")] for span in spans.split())
    return {number for span in ends for number in range(span[0], span[-1] + 1)}


def _former_keys(session: Session) -> list[AuditKey]:
    """What signed the older parts of the chain, oldest first."""
    return list(session.scalars(select(AuditKey).order_by(AuditKey.until)))


def _stamp(session: Session, _context: Any, _instances: Any) -> None:
    scope = scope_in(session)
    for row in session.new:
        if isinstance(row, Row):
            row.created_by = row.updated_by = scope.user_id
    for row in changed_rows(session):
        if isinstance(row, Row):
            row.updated_by, row.updated_at = scope.user_id, utcnow()


def _collect(session: Session, context: UOWTransaction) -> None:
    if scope_in(session).erasing:  # what is taken away is not put into the log; one entry says that it was (records/erasure.py)
        return
    changed = [(row, action) for action, rows in _changed_rows(session, context) for row in rows if not isinstance(row, UNLOGGED)]
    now = utcnow()
    for row, action in sorted(changed, key=lambda pair: (type(pair[0]).__tablename__, inspect(pair[0]).identity or ())):
        changes = dict(_changes(row, action))
        if action == "update" and not changes:
            continue
        if isinstance(row, Kept) and "deleted_at" in changes:
            action = "delete" if row.deleted_at else "restore"
        _pend(session, now, action, type(row).__tablename__, str(row.id), _school_of(row), changes)


def _changed_rows(session: Session, context: UOWTransaction) -> Iterator[tuple[str, list[Any]]]:
    yield "create", list(session.new)
    yield "update", changed_rows(session)
    # a role that left its account's list is deleted by the flush itself, and is not among session.deleted
    gone = [state.obj() for state, (deleted, only_listed) in context.states.items() if deleted and not only_listed]
    yield "erase", [row for row in gone if not isinstance(row, Part)]
    yield "remove", [row for row in gone if isinstance(row, Part)]


def _changes(row: Base, action: str) -> Iterator[tuple[str, list[Any]]]:
    """``{column: [old, new]}`` with sealed values masked and derived columns left out."""
    if action != "update":
        yield from ((key, [None, value] if action == "create" else [value, None]) for key, value in _held(row))
        return
    logged = _logged(type(row))
    for name, history in changes_of(row).items():
        if name in logged:
            old = history.deleted[0] if history.deleted else None
            new = getattr(row, name)
            yield name, [v if v is None else rules.mask(v) if logged[name] else _plain(v) for v in (old, new)]


@cache
def _logged(model: type[Base]) -> dict[str, bool]:
    """Column -> is it sealed, of what the log keeps of a table: worked out once, for a load makes a hundred thousand rows."""
    attrs = class_mapper(model).column_attrs
    kept = [a for a in attrs if a.key not in _BOOKKEEPING and not isinstance(a.columns[0].type, Derived)]
    return {a.key: isinstance(a.columns[0].type, Sealed) for a in kept}


def _held(row: Base) -> Iterator[tuple[str, Any]]:
    """What a row that was made, or is taken away, holds."""
    values = row.__dict__
    for key, sealed in _logged(type(row)).items():
        if (value := values.get(key)) is not None:
            yield key, rules.mask(value) if sealed else _plain(value)


def _school_of(row: Any) -> int | None:
    return row.id if isinstance(row, School) else row.school_id if hasattr(row, "school_id") and not isinstance(row, User) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Choice):
        return value.value
    if isinstance(value, dt.date | Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _pend(
    session: Session, at: dt.datetime, action: str, table: str, row_id: str, school_id: int | None, changes: dict[str, Any]
) -> None:
    """Noted in as little memory as can be, for an import waits with 160,000 until it is committed."""
    text = _as_text(changes).encode()
    session.info.setdefault("audit", []).append((at, school_id, action, table, row_id, text))


def _write(session: Session) -> None:
    session.flush()  # the event comes before the commit's own flush
    pending = session.info.pop("audit", None)
    if not pending:
        return
    connection = session.connection()
    seq, last = connection.execute(_THE_END).one()
    scope: Scope = scope_in(session)
    roles = " ".join(sorted(role.value for role in scope.signed)) or None
    for at in range(0, len(pending), AT_ONCE):
        entries, values = [], []
        for moment, school_id, action, table, row_id, text in pending[at : at + AT_ONCE]:
            seq += 1
            salt, changes = secrets.token_hex(8), text.decode()
            entry = {
                "id": seq,
                "at": moment,
                "user_id": scope.user_id,
                "user_name": scope.name,
                "school_id": school_id,
                "action": action,
                "table_name": table,
                "row_id": row_id,
                "address": scope.address,
                "roles": roles,
                "request": scope.request or None,
                "digest": keyring.sign(salt + changes),
            }
            entry["mac"] = last = _mac(last, entry)
            entries.append(entry)
            values.append({"entry_id": seq, "salt": salt, "changes": json.loads(changes)})
        connection.execute(_ADD_ENTRIES, entries)
        connection.execute(_ADD_VALUES, values)
    connection.execute(_MOVE_THE_END, {"to": seq, "by": last})


_head = AuditHead.__table__.c
_THE_END = select(_head.seq, _head.mac).where(_head.id == 1).with_for_update()
_MOVE_THE_END = update(AuditHead.__table__).where(_head.id == 1).values(seq=bindparam("to"), mac=bindparam("by"))
_ADD_ENTRIES, _ADD_VALUES = insert(AuditEntry.__table__), insert(AuditValue.__table__)
"""Made once: every save sends them, and building a statement costs as much as running it."""


def _forget(session: Session, _previous: Any) -> None:
    session.info.pop("audit", None)


_LINK = ("id", "at", "user_id", "user_name", "school_id", "action", "table_name", "row_id", "address", "digest")
_SINCE_0010 = ("roles", "request")
"""Signed by name where they are there, so that the entries from before these columns hold as they were."""


def _mac(last: str, entry: Mapping[str, Any], key: str = "") -> str:
    at: dt.datetime = entry["at"]
    words = [last] + [at.astimezone(dt.UTC).isoformat() if name == "at" else str(entry[name]) for name in _LINK]
    words += [f"{name}={entry[name]}" for name in _SINCE_0010 if entry[name] is not None]
    return keyring.sign("\x1f".join(word.replace("\x1f", "\\x1f") for word in words), key)


def _as_text(changes: dict[str, Any]) -> str:
    return json.dumps(changes, ensure_ascii=False, sort_keys=True)
