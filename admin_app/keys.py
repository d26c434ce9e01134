"""The field key: does it belong to this database, and changing it while the service stands still.

A change goes on from wherever it was interrupted: the new key lies in ``field_key.new`` until every value and file is
sealed with it, and a sealed value says which key it takes. The former key stays in ``field_key.old``, for older backups.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from . import row_security
from .access import SYSTEM
from .models import Attendance, AuditHead, AuditKey, Carer, LoginFailure, Setting
from .orm import Base, BlindIndex, Sealed, keyring
from .records import attachments, erasure, upkeep
from .settings import Settings, Unusable, field_key

AT_ONCE, FILES_AT_ONCE = 500, 10
"""Rows sealed in one transaction; of tables that hold whole files and reports, fewer."""
CANARY, PLACE = "canary", "setting.canary"
WRONG = "field_key 不是这个数据库的钥匙：号码打不开。请放回原来的 field_key。"

Progress = Callable[[str, int], None]


def prove(connection: Connection) -> None:
    """Open the value that was sealed when this database was new; seal one where there is none yet.

    :raises Unusable: when the key is another one: new numbers must not be sealed with it.
    """
    kept = Setting.__table__
    sealed = connection.scalar(select(kept.c.value).where(kept.c.key == CANARY))
    try:
        if sealed is not None:
            keyring.open(sealed, PLACE)
            return
        for _table, columns in _sealed_tables():
            for column in columns:
                connection.execute(select(column).where(column.is_not(None)).limit(1)).all()
    except ValueError:
        raise Unusable(WRONG) from None
    connection.execute(insert(kept).values(key=CANARY, value=keyring.seal(CANARY, PLACE), created_by=None, updated_by=None))


def rotate(settings: Settings, progress: Progress) -> str:
    """Seal everything with a new key, or go on where a change was interrupted.

    :param progress: told the name of each table, and how many rows of it were sealed anew.
    :returns: the id of the new key.
    :raises Unusable: when the key at hand is not this database's, or the one before it still lies there, or when somebody
        sealed with the former key meanwhile; both keys then stay, and the next change goes on.
    """
    fresh = settings.data_dir / "field_key.new"
    if not fresh.exists() and (settings.data_dir / "field_key.old").exists():
        raise Unusable("上次换下的 field_key.old 还在数据文件夹里：以前的备份还要用它，请先移到保管处，再换钥匙。")
    new, engine = field_key(fresh), _engine(settings.owner_url)
    keyring.unlock(settings.field_key, new)
    log_key = keyring.log_key
    try:
        with engine.connect() as connection:
            prove(connection)
            connection.commit()
            keyring.unlock(new, settings.field_key)
            for table, columns in _sealed_tables():
                progress(table.name, _reseal(connection, table, columns))
            progress("附件", _reseal_files(attachments.folder_of(settings.data_dir)))
            _turn(connection, log_key)
            _refuse_leftovers(connection, settings.data_dir)
    finally:
        engine.dispose()
    _swap(settings.data_dir / "field_key", fresh)
    return keyring.key_id


def _engine(url: str) -> Engine:
    """As whoever owns the tables; told apart from anybody, should the account be held by the row policies."""
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "postgresql":
        event.listen(engine, "begin", lambda connection: row_security.tell(connection, SYSTEM))
    return engine


def _sealed_tables() -> Iterator[tuple[Table, list[Any]]]:
    for table in Base.metadata.sorted_tables:
        if columns := [column for column in table.columns if isinstance(column.type, Sealed)]:
            yield table, columns


def _reseal(connection: Connection, table: Table, columns: list[Any]) -> int:
    """Read and write every row that still holds a value of the former key, with the indexes made of it; a batch a transaction."""
    (pk,) = table.primary_key
    derived = [c for c in table.columns if isinstance(c.type, BlindIndex) and c.info.get("sources")]
    at_once = FILES_AT_ONCE if any(column.type.length is None for column in columns) else AT_ONCE
    batch = select(pk, *columns).where(_under_another_key(columns)).order_by(pk).limit(at_once)
    change = update(table).where(pk == bindparam("row")).values({c.name: bindparam(f"new_{c.name}") for c in (*columns, *derived)})
    done = 0
    while rows := connection.execute(batch).mappings().all():
        connection.execute(change, [{"row": row[pk.name]} | _anew(row, columns, derived) for row in rows])
        connection.commit()
        done += len(rows)
    return done


def _anew(row: Any, columns: list[Any], derived: list[Any]) -> dict[str, Any]:
    made = {f"new_{c.name}": c.info["make"](*(row[source] for source in c.info["sources"])) for c in derived}
    return made | {f"new_{c.name}": row[c.name] for c in columns}


def _as_stored(column: Any) -> Any:
    """A sealed column as the database holds it."""
    return type_coerce(column, String)


def _under_another_key(columns: list[Any]) -> ColumnElement[bool]:
    """Of a row: it holds a value that the new key does not open."""
    return or_(*(column.is_not(None) & ~_as_stored(column).startswith(f"{keyring.key_id}:") for column in columns))


def _reseal_files(folder: Path) -> int:
    done = 0
    for path in _files_under_another_key(folder):
        attachments.write(path, keyring.seal_bytes(keyring.open_bytes(path.read_bytes(), path.name), path.name))
        done += 1
    return done


def _files_under_another_key(folder: Path) -> Iterator[Path]:
    new = keyring.key_id.encode() + b":"
    for path in attachments.files(folder):
        with path.open("rb") as sealed:
            if sealed.read(len(new)) != new:
                yield path


def _refuse_leftovers(connection: Connection, data_dir: Path) -> None:
    """The last look before the former key is put away: whoever wrote from elsewhere meanwhile must not lose what was written."""
    left = [
        table.name
        for table, columns in _sealed_tables()
        if connection.execute(select(*table.primary_key).where(_under_another_key(columns)).limit(1)).first()
    ]
    left += ["附件"] if any(_files_under_another_key(attachments.folder_of(data_dir))) else []
    if left:
        raise Unusable(
            f"{'、'.join(left)} 里又有旧钥匙封的内容：换钥匙时别处还有人在写。旧钥匙还留着；都停下以后，再运行 rotate-key。"
        )


def _turn(connection: Connection, log_key: str) -> None:
    """What must change in one moment: who is the same person, the signature of the log, the value that proves the key."""
    kept, head = Setting.__table__, AuditHead.__table__
    sealed = connection.scalar(select(kept.c.value).where(kept.c.key == CANARY))
    if sealed.startswith(f"{keyring.key_id}:"):
        return
    _same_persons(connection)
    connection.execute(delete(LoginFailure.__table__))  # by the hash of a name, for a quarter of an hour
    seq, signed = connection.scalar(select(head.c.seq).where(head.c.id == 1)) or 0, AuditKey.__table__
    if seq > (connection.scalar(select(func.max(signed.c.until))) or 0):  # else the former key signed nothing
        connection.execute(insert(signed).values(until=seq, key=log_key))
    connection.execute(update(kept).where(kept.c.key == CANARY).values(value=keyring.seal(CANARY, PLACE)))
    connection.commit()


def _same_persons(connection: Connection) -> None:
    """The key that says that two rows are one person, of carers and of their lines on sign-in lists.

    A line whose carer has changed since gets a new key made of its former one: what belonged together still does.
    """
    carers = Carer.__table__
    rows = connection.execute(select(carers).order_by(carers.c.id)).mappings().all()
    known = [row for row in rows if row["name"] != erasure.WORDS]  # who was erased is told apart by the former key alone
    anew = {row["person_key"]: upkeep.person_key(Carer(**{k: row[k] for k in ("id_number", "name", "phone")})) for row in known}
    for table in (carers, Attendance.__table__):
        held = connection.scalars(select(table.c.person_key).where(table.c.person_key.is_not(None)).distinct()).all()
        changed = [{"former": key, "new": anew.get(key) or f"former|{key}"} for key in held]
        if changed:
            where = table.c.person_key == bindparam("former")
            connection.execute(update(table).where(where).values(person_key=bindparam("new")), changed)


def _swap(key: Path, fresh: Path) -> None:
    """At no moment is there no ``field_key``: a start would make one."""
    old = key.with_name("field_key.old")
    with os.fdopen(os.open(old, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(key.read_text())
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(key)
