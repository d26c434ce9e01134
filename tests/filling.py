"""A register as an older version left it: every table of any schema filled by plain SQL, and all of it read again.

Row n of a table points to row n of every other, so that all keys fit. Of three rows the first has every column filled, the
second lies in the trash, the third has every column empty that may be. Everybody is invented; ID numbers lie in 539999.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from admin_app import rules
from admin_app.orm import Base, BlindIndex, Coded, Exact, Moment, Sealed, Several, keyring

FILLED, IN_THE_TRASH, SPARSE = ROWS = 1, 2, 3
LEFT_TO_THE_PRODUCT = {"alembic_version", "audit_entry", "audit_head", "audit_key", "audit_value", "day"}
FIELD_KEY = "ab" * 32
TOKEN = "token-office"
NOON = dt.datetime(2025, 9, 10, 4, 0, 0, 123456)
NAMES = ("甲小雨", "欧阳𠮷·买买提", "曾一")

_ITEM = {"code": "A1.1", "max": "10", "status": "auto", "numerator": "1", "denominator": "2", "final": None}
_CARD = {
    "code": "2153990001", "name": "晨光小学", "group": "primary", "earned": "91.50", "applicable": "100", "bonus": "0",
    "discipline": "0", "veto": None, "base": "91.50", "total": "91.50", "grade": "优秀", "rank": 1, "fold": "4.58",
    "items": [_ITEM | {"auto": "9.15", "score": "9.15"}],
}  # fmt: skip
"""As the first version kept a school's result."""
_FACT = {"value": "0.5", "numerator": "1", "denominator": "2", "lines": [["1", "甲小雨", "1", "1", "", "", 1]]}
ANYWHERE = {
    "end": (None, dt.date(2026, 3, 2), None),
    "deleted_at": (None, NOON, None),
    "table_name": ("child",) * 3,
}
"""Column -> its values in the three rows, in every table."""
GIVEN: dict[str, tuple[Any, ...]] = {
    "batch.changes": ([], [], []),
    "child.archived_on": (None,) * 3,  # out of the lists
    "child.erased_on": (None,) * 3,
    "item_score.auto": ("9.50", "0", None),
    "item_score.numerator": ("1", "0", None),
    "item_score.denominator": ("2", "0", None),
    "item_score.final": ("9.50", "0", None),
    "item_score.reason": ("缺两次家访", None, None),
    "item_score.self_score": (None,) * 3,  # no version ever wrote these two
    "item_score.check_score": (None,) * 3,
    "login_session.ended_at": (None,) * 3,
    "login_session.token_hash": tuple(hashlib.sha256(f"{TOKEN}{n}".encode()).hexdigest() for n in ("", 2, 3)),
    "parent.side": ("father",) * 3,
    "sheet.card": tuple(_CARD | {"school_id": n} for n in ROWS),
    "snapshot_part.children": ([[1, "甲小雨", "1班"]], [], []),
    "state_note.side": ("mind", "study", "mind"),
    "transfer.state": ("pending", "accepted", "returned"),
    "user_account.active": (True, True, False),
    "user_account.must_change": (False,) * 3,
    "user_role.role": ("office", "admin", "secretary"),
}
"""Table.column -> its values in the three rows, where any value of the type will not do."""
BEFORE_THE_WHOLE_ROUND = {
    "assessment_round.state": ("open", "frozen", "published"),
    "item_score.lists": ({"F1": _FACT}, {"F2": _FACT | {"value": None, "lines": []}}, None),
}
SINCE_THE_WHOLE_ROUND = {
    "assessment_round.state": ("open", "decision", "published"),
    "item_score.facts": ({"F1": ["0.5", "1", "2"]}, {}, {}),
    "item_score.lists": ({"F1": _FACT["lines"]}, {}, {}),
}

Contents = dict[str, dict[Any, dict[str, Any]]]


def fill(url: str) -> None:
    """Fill the database at ``url``, migrated to any revision and empty. The keyring is unlocked."""
    with _connected(url) as connection, connection.begin():
        tables = _reflected(connection)
        wholly = SINCE_THE_WHOLE_ROUND if "round_step" in tables.tables else BEFORE_THE_WHOLE_ROUND
        for table in tables.sorted_tables:
            if table.name not in LEFT_TO_THE_PRODUCT:
                for n in ROWS:
                    connection.execute(sa.insert(table).values(row(table, n, GIVEN | wholly)))
        _log(connection, tables)


def contents(url: str) -> Contents:
    """Table -> key -> column -> value of every row."""
    with _connected(url) as connection:
        tables = _reflected(connection).tables.values()
        return {table.name: dict(_rows(connection, table)) for table in tables}


def _connected(url: str) -> sa.Connection:
    return sa.create_engine(url, poolclass=NullPool).connect()


def _reflected(connection: sa.Connection) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(connection)
    return found


def _rows(connection: sa.Connection, table: sa.Table) -> Iterator[tuple[Any, dict[str, Any]]]:
    for row in connection.execute(sa.select(table)).mappings():
        yield tuple(row[column.name] for column in table.primary_key) or tuple(row.values()), dict(row)


# --- one row ---


def row(table: sa.Table, n: int, given: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
    """Row n (1 to 3) of a table as the database stores it."""
    made: dict[str, Any] = {}
    for column in table.columns:
        fixed = given.get(f"{table.name}.{column.name}") or ANYWHERE.get(column.name)
        if fixed:
            made[column.name] = fixed[n - 1]
        elif not _left_empty(column, n):
            made[column.name] = _value(column, n)
    derived = [column for column in map(_as_modelled, table.columns) if "make" in column.info]
    made |= {column.name: _made(column, made) for column in derived}
    return {name: _stored(f"{table.name}.{name}", value) for name, value in made.items()}


def _left_empty(column: sa.Column[Any], n: int) -> bool:
    first_of_its_kind = n == FILLED and any(key.column.table is column.table for key in column.foreign_keys)
    counted_by_the_database = column.primary_key and column.name == "id"
    return counted_by_the_database or first_of_its_kind or bool(column.nullable and n == SPARSE)


def _as_modelled(column: sa.Column[Any]) -> sa.Column[Any]:
    """The column as today's models know it; itself where they do not."""
    table = Base.metadata.tables.get(column.table.name)
    known = table.columns.get(column.name) if table is not None else None
    return column if known is None else known


def _value(column: sa.Column[Any], n: int) -> Any:
    if any(key.column.table is column.table for key in column.foreign_keys):
        return n - 1
    match _as_modelled(column).type:
        case Coded() as kind:
            return _of(list(kind.choices), n).value
        case Several() as kind:
            return " ".join(each.value for each in list(kind.choices)[:n]) if kind.choices else "B01 B02"
        case Sealed():
            return Plain(id_number(n) if column.name == "id_number" else f"199{n:08}")
        case BlindIndex():
            return keyring.index(f"{n}")
        case Exact():
            return f"{n}.50"
        case sa.Boolean():
            return n % 2 == 1
        case sa.Integer():
            return n
        case sa.DateTime() | Moment():
            return NOON + dt.timedelta(days=n)
        case sa.Date():
            return dt.date(2025, 9, n)
        case sa.JSON():
            return {"说明": f"第{n}项", "空": None}
        case _:
            words = _of(NAMES, n) if column.name.endswith("name") else f"{n}𠮷é“一”'; --\n"
            return words[: column.type.length]


def _of(values: Any, n: int) -> Any:
    return values[(n - 1) % len(values)]


def id_number(n: int) -> str:
    first = f"53999920160506{n:03}"
    return first + rules.check_digit(first)


class Plain(str):
    """What is to be sealed: kept in clear until what is derived of it is made."""


def _made(column: sa.Column[Any], row: dict[str, Any]) -> Any:
    value = column.info["make"](*(row.get(source) for source in column.info["sources"]))
    return column.type.process_bind_param(value, None) if isinstance(column.type, BlindIndex) else value


def _stored(place: str, value: Any) -> Any:
    return keyring.seal(value, place) if isinstance(value, Plain) else value


# --- the log, linked as the first version linked it ---


def _log(connection: sa.Connection, tables: sa.MetaData) -> None:
    entry, value, head = (tables.tables[name] for name in ("audit_entry", "audit_value", "audit_head"))
    last = "0" * 64
    for n in ROWS:
        changes = {"name": [None, _of(NAMES, n)], "id_number": [None, "539999********001X"]}
        link = {
            "id": n, "at": NOON + dt.timedelta(minutes=n), "user_id": n if n > 1 else None, "user_name": "普玉珍", "school_id": None,
            "action": "create", "table_name": "child", "row_id": str(n), "address": "127.0.0.1",
            "digest": keyring.sign(f"salt{n}" + json.dumps(changes, ensure_ascii=False, sort_keys=True)),
        }  # fmt: skip
        words = [last, *(f"{v.isoformat()}+00:00" if k == "at" else str(v) for k, v in link.items())]
        last = keyring.sign("\x1f".join(words))
        connection.execute(sa.insert(entry).values(**link, mac=last))
        connection.execute(sa.insert(value).values(entry_id=n, salt=f"salt{n}", changes=changes))
    connection.execute(sa.update(head).values(seq=SPARSE, mac=last))
