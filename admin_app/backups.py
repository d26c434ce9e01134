"""Backups: one encrypted file with the database, the attachments and a manifest; made online, checked, restored.

The file: a line of magic, a line of JSON (how its key is made), then the PARTS in order, each in chunks (chunks.py).
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, func, inspect, make_url, select, table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from . import __version__, audit, postgres_programs
from .chunks import CHUNK, PARTS, Chunks, Keys, Opened, Part
from .db import engine_at, known_revisions, revision
from .models import Attachment, AuditHead
from .orm import Base, Sealed, keyring
from .records import attachments
from .rules import Complaint
from .settings import Settings, Unusable, sync

MAGIC = b"register backup 1\n"
NAME = re.compile(r"register-\d{8}-\d{6}\.backup")
BEFORE = re.compile(r"register-\d{8}-\d{6}-schema-\w+\.backup")
"""What is made before the schema changes, called after the schema it holds."""
SAMPLE = 50
"""Sealed values of a column, and attachments, that a check opens."""
SPARE = 32 << 20
LEFT_OVER = 24 * 3600
"""Seconds after which what a killed run left behind is cleared away."""

OF_DISKS = {
    errno.ENOSPC: "磁盘满了",
    errno.EACCES: "没有写入这个文件夹的权限",
    errno.EROFS: "磁盘是只读的",
    errno.EEXIST: "另一次备份正在进行",
}

OF_SQLITE = {"database or disk is full": "磁盘满了", "database is locked": "别的程序正在写数据库，请先停止服务"}

Sink = Callable[[Part], None]


@contextmanager
def told(what: str) -> Iterator[None]:
    """Whatever a disk or a database refuses becomes a sentence.

    :raises Complaint: ``what`` and why; of a statement only its kind, for its words could quote a row.
    """
    try:
        yield
    except (OSError, sqlite3.Error, SQLAlchemyError) as e:
        raise Complaint(f"{what}：{_reason(e)}") from None


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", error)
    if isinstance(cause, OSError):
        return OF_DISKS.get(cause.errno or 0, cause.strerror or type(cause).__name__)
    if isinstance(cause, sqlite3.Error):
        return OF_SQLITE.get(str(cause), str(cause))
    return f"数据库连不上或出错（{type(error).__name__}）"


# --- making ---


@dataclass(frozen=True)
class Made:
    path: Path
    size: int
    manifest: dict[str, Any]


@told("备份没有做成，以前的备份都在")
def make(settings: Settings, folder: Path, passphrase: bytes | None, schema: str = "") -> Made:
    """One backup, while the server goes on writing; whole or not at all. The keyring is unlocked with the settings' key.

    :param folder: made when it is not there.
    :param schema: the revision about to be changed, for the file's name; blank for an ordinary backup.
    :raises Complaint: when the disk is too full, the key does not fit the database, or something fails; nothing is left behind.
    """
    path = folder / f"register-{_now():%Y%m%d-%H%M%S}{schema and f'-schema-{schema}'}.backup"
    half = folder / f".{path.name}.part"
    if settings.is_sqlite and not sqlite_file(settings).exists():
        raise Complaint(f"没有数据库文件 {sqlite_file(settings)}：DATA_DIR 对吗？")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear_left_over(folder, ".register-*.part")
    _clear_left_over(settings.data_dir, ".backup-*")
    if path.exists():
        raise Complaint("同一秒内已有一份备份，请再试一次。")
    _check_room(settings, folder)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            manifest = _write(out, settings, passphrase)
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
        sync(folder)
    finally:
        half.unlink(missing_ok=True)
    return Made(path, path.stat().st_size, manifest)


def retain(folder: Path, keep: int, newest: Path) -> list[Path]:
    """Remove the oldest backups but ``keep`` (``newest`` is one of them); nothing but finished backups of its kind.

    :returns: the removed.
    """
    kind = NAME if NAME.fullmatch(newest.name) else BEFORE
    old = [path for path in finished(folder, kind) if path != newest]
    gone = old[: max(len(old) - (keep - 1), 0)]
    for path in gone:
        path.unlink()
    return gone


def finished(folder: Path, kind: re.Pattern[str] = NAME) -> list[Path]:
    """The backups in a folder whose names are of this kind, oldest first."""
    return sorted(path for path in folder.glob("register-*.backup") if kind.fullmatch(path.name) and _is_backup(path))


def _is_backup(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _write(out: IO[bytes], settings: Settings, passphrase: bytes | None) -> dict[str, Any]:
    keys = Keys(settings.field_key, passphrase)
    head = {"key": "passphrase" if passphrase else "field", "key_id": keys.key_id, "salt": os.urandom(32).hex()}
    first = MAGIC + json.dumps(head).encode() + b"\n"
    out.write(first)
    chunks = Chunks(keys.of_file(head), first)
    parts = {name: Part(out, chunks, name) for name in PARTS}
    with (
        tempfile.TemporaryDirectory(prefix=".backup-", dir=settings.data_dir) as scratch,
        _as_of_now(settings, Path(scratch)) as (connection, dump),
    ):
        try:
            open_sample(connection)
        except ValueError:
            raise Complaint("现在的 field_key 打不开数据库里的号码，没有备份：请先放回原来的 field_key。") from None
        manifest = _describe(connection)
        known = set(connection.scalars(select(Attachment.stored))) if Attachment.__tablename__ in manifest["rows"] else set()
        dump(parts["database"])
        written = {"database": parts["database"].end()}
    # after the database: a file is on the disk before its row is committed, so every row's file is there
    packed = _pack(attachments.folder_of(settings.data_dir), parts["attachments"])
    written["attachments"] = parts["attachments"].end()
    manifest |= {
        "product": __version__,
        "database": "sqlite" if settings.is_sqlite else "postgresql",
        "key_id": keys.key_id,
        "attachments": len(packed),
        "missing": len(known - packed),
        "parts": written,
    }
    parts["manifest"].write(json.dumps(manifest, ensure_ascii=False).encode())
    parts["manifest"].end()
    return manifest


@contextmanager
def _as_of_now(settings: Settings, scratch: Path) -> Iterator[tuple[Connection, Sink]]:
    """The database of one moment: a connection that sees it, and what writes it into a part."""
    if not settings.is_sqlite:
        with engine_at(settings.owner_url).connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            snapshot = connection.scalar(select(func.pg_export_snapshot()))
            yield connection, lambda part: postgres_programs.dump(settings.owner_url, snapshot, part)
        return
    copy = scratch / "register.sqlite3"
    with (
        closing(sqlite3.connect(f"{sqlite_file(settings).as_uri()}?mode=rw", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)  # in one step: a reader of the WAL, which keeps no writer waiting
        target.execute("PRAGMA journal_mode=DELETE")
    with engine_at(f"sqlite:///{copy}").connect() as connection, copy.open("rb") as file:
        yield connection, lambda part: shutil.copyfileobj(file, part, CHUNK)


def _describe(connection: Connection) -> dict[str, Any]:
    seq, mac = connection.execute(select(AuditHead.seq, AuditHead.mac)).one()
    return {
        "made_at": _now().isoformat(timespec="seconds"),
        "revision": revision(connection),
        "rows": _counts(connection),
        "audit": {"seq": seq, "mac": mac},
    }


def _counts(connection: Connection) -> dict[str, int]:
    names = inspect(connection).get_table_names()
    return {name: connection.scalar(select(func.count()).select_from(table(name))) or 0 for name in sorted(names)}


def _pack(folder: Path, part: Part) -> set[str]:
    packed = set()
    with tarfile.open(fileobj=part, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in attachments.files(folder):
            with suppress(FileNotFoundError), path.open("rb") as file:
                entry = tarfile.TarInfo(f"{path.parent.name}/{path.name}")
                entry.size = os.fstat(file.fileno()).st_size
                tar.addfile(entry, file)
                packed.add(path.name)
                tar.members.clear()  # it would remember every one
    return packed


def _check_room(settings: Settings, folder: Path) -> None:
    """:raises Complaint: when the backup, or the copy it is made from, will not fit."""
    files = sum(path.stat().st_size for path in attachments.files(attachments.folder_of(settings.data_dir)))
    if settings.is_sqlite:
        file = sqlite_file(settings)
        data = sum(path.stat().st_size for path in (file, file.with_name(file.name + "-wal")) if path.exists())
        same = folder.stat().st_dev == settings.data_dir.stat().st_dev
        check_room(settings.data_dir, data * (2 if same else 1) + (files if same else 0))
    else:
        with engine_at(settings.owner_url).connect() as connection:
            data = connection.scalar(select(func.pg_database_size(func.current_database()))) or 0
    check_room(folder, data + files)


def check_room(folder: Path, needed: int) -> None:
    """:raises Complaint: when ``needed`` bytes and some to spare are not free where ``folder`` lies."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise Complaint(f"{folder} 所在磁盘只剩 {free >> 20} MB，需要约 {needed + SPARE >> 20} MB：请先清理磁盘，或换一个位置。")


def _clear_left_over(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        if path.stat().st_mtime < time.time() - LEFT_OVER:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


# --- opening and checking ---


@dataclass(frozen=True)
class Unpacked:
    """A backup taken apart into a folder; every chunk and hash is right."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def database(self) -> Path:
        return self.folder / "database"

    @property
    def attachments(self) -> Path:
        return attachments.folder_of(self.folder)


@told("备份打不开")
def unpack(file: Path, keys: Keys, folder: Path) -> Unpacked:
    """:raises Complaint: when the key is another one or a byte of the file is not what was written; says which part."""
    check_room(folder, file.stat().st_size)
    with file.open("rb") as source:
        first = source.readline(100) + source.readline(1000)
        try:
            head = json.loads(first.removeprefix(MAGIC)) if first.startswith(MAGIC) else {}
            key = keys.of_file(head)
        except (KeyError, ValueError, TypeError):
            raise Complaint(f"{file.name} 不是本系统的备份，或文件头被改动。请换一份备份。") from None
        chunks = Chunks(key, first)
        parts = {name: Opened(source, chunks, name) for name in PARTS}
        with (folder / "database").open("xb") as out:
            shutil.copyfileobj(parts["database"], out, CHUNK)
        found = {"database": parts["database"].end()}
        _unpack_files(parts["attachments"], attachments.folder_of(folder))
        found["attachments"] = parts["attachments"].end()
        text = b"".join(iter(parts["manifest"].read, b""))
        if source.read(1):
            raise Complaint("备份文件末尾多出内容。请换一份备份。")
    manifest = json.loads(text)
    for name, digest in found.items():
        if manifest["parts"][name]["sha256"] != digest:
            raise Complaint(f"备份打不开：{PARTS[name]}与清单中的摘要不符。请换一份备份。")
    return Unpacked(folder, manifest)


def _unpack_files(part: Opened, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with tarfile.open(fileobj=part, mode="r|") as tar:
        for entry in tar:
            place = attachments.path_of(folder, Path(entry.name).name)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            content = tar.extractfile(entry)
            assert content, "only files are packed"
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                shutil.copyfileobj(content, out, CHUNK)
            tar.members.clear()


@told("恢复出来的数据库打不开")
def examine(unpacked: Unpacked, url: str, keys: Keys, migrate: Callable[[str], None]) -> list[str]:
    """Is the restored database at ``url`` what the manifest says, its log whole, its files there, its numbers readable?

    :param migrate: brings a database to this version's schema; the models read no other.
    :returns: what was found in order, in words.
    :raises Complaint: at the first thing that is not.
    """
    manifest, engine = unpacked.manifest, engine_at(url)
    if manifest["revision"] not in known_revisions():
        raise Complaint(f"备份来自更新的版本（{manifest['product']}），请先升级程序。")
    with engine.connect() as connection:
        counts = _counts(connection)
    wrong = [name for name, count in manifest["rows"].items() if counts.get(name) != count]
    if wrong:
        raise Complaint(f"行数与清单不符：{'、'.join(wrong)}")
    said = [f"{len(counts)} 张表共 {sum(counts.values())} 行，与清单相符"]
    if keys.field_key is None:
        return [*said, "没有 field_key：操作日志、加密的号码、附件未核对"]
    if manifest["key_id"] != keys.key_id:
        raise Complaint(f"field_key 不对：这份备份里的号码是用编号 {manifest['key_id']} 的钥匙加密的，现在的是 {keys.key_id}。")
    keyring.unlock(keys.field_key)
    migrate(url)
    with Session(engine) as session:
        held, broken = audit.verify(session)
        head = session.get_one(AuditHead, 1)
        if broken or {"seq": head.seq, "mac": head.mac} != manifest["audit"]:
            raise Complaint(f"操作日志不完整：{broken or '末尾与清单不符'}（前 {held} 条完好）")
        said.append(f"操作日志 {held} 条，完好")
        try:
            said.append(f"抽查加密的号码 {open_sample(session.connection())} 个，都能打开")
        except ValueError:
            raise Complaint("加密的号码打不开：钥匙不对，或数据被改动。") from None
        said.append(_examine_files(session, unpacked))
    return said


def _examine_files(session: Session, unpacked: Unpacked) -> str:
    there = {path.name for path in attachments.files(unpacked.attachments)}
    missing = set(session.scalars(select(Attachment.stored))) - there
    if len(missing) != unpacked.manifest["missing"]:
        raise Complaint(f"有 {len(missing)} 份附件没有文件，清单上是 {unpacked.manifest['missing']} 份。")
    newest = session.scalars(select(Attachment).order_by(Attachment.id.desc()).limit(SAMPLE))
    opened = [row for row in newest if row.stored in there]
    for row in opened:
        if hashlib.sha256(attachments.content_of(unpacked.attachments, row)).hexdigest() != row.digest:
            raise Complaint(f"附件第 {row.id} 号与登记时不同。")
    lost = f"，另有 {len(missing)} 份在备份以前就没有文件" if missing else ""
    return f"附件 {len(there)} 份，抽查 {len(opened)} 份，都能打开{lost}"


def open_sample(connection: Connection) -> int:
    """Open some sealed values of each sealed column that the database has. Returns how many.

    :raises ValueError: when the key is another one, or a value was changed.
    """
    opened, there = 0, inspect(connection)
    for each in (t for t in Base.metadata.sorted_tables if there.has_table(t.name)):
        names = {column["name"] for column in there.get_columns(each.name)}
        for column in (c for c in each.columns if isinstance(c.type, Sealed) and c.name in names):
            opened += len(connection.execute(select(column).where(column.is_not(None)).limit(SAMPLE)).all())
    return opened


@told("数据库文件损坏")
def check_sqlite(file: Path) -> str:
    """:raises Complaint: when the database file is damaged or a row points to nothing."""
    with closing(sqlite3.connect(file)) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if found != "ok":
        raise Complaint(f"数据库文件损坏：{found}")
    if broken:
        raise Complaint(f"数据库中有 {len(broken)} 行指向不存在的记录（{broken[0][0]}）。")
    return "数据库文件完好，没有指向不存在的记录的行"


# --- restoring ---


def refuse_filled(folder: Path) -> None:
    """:raises Unusable: unless the folder is absent or empty; the two keys may lie there already."""
    if folder.exists() and not (folder.is_dir() and {path.name for path in folder.iterdir()} <= {"field_key", "secret_key"}):
        raise Unusable(f"{folder} 不是空文件夹，没有恢复：请用 --to 指定一个空的或还没有的文件夹。")


@told("--database-url 指定的数据库打不开")
def refuse_filled_database(url: str) -> None:
    """:raises Unusable: unless this PostgreSQL database is empty."""
    with engine_at(url).connect() as connection:
        if inspect(connection).get_table_names():
            raise Unusable("--database-url 指定的数据库不是空的，没有恢复：请新建一个空数据库。")


@told("没有恢复")
def restore(file: Path, keys: Keys, folder: Path, url: str, migrate: Callable[[str], None]) -> tuple[Unpacked, list[str]]:
    """Database and attachments into a folder (``url``: a PostgreSQL database instead of a file there), checked like a drill.

    :raises Complaint: when the backup is not whole; nothing of it is then in the folder.
    :raises Unusable: when the folder or the database is not empty, or the backup is of the other kind of database.
    """
    refuse_filled(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=folder) as scratch:
        unpacked = unpack(file, keys, Path(scratch))
        if (unpacked.manifest["database"] == "postgresql") != bool(url):
            raise Unusable("PostgreSQL 的备份要用 --database-url 指定一个空数据库；SQLite 的备份不要这一项。")
        if url:
            refuse_filled_database(url)
            postgres_programs.restore(unpacked.database, url)
            said = []
        else:
            said = [check_sqlite(unpacked.database)]
        said += examine(unpacked, url or f"sqlite:///{unpacked.database}", keys, migrate)
        unpacked.attachments.rename(attachments.folder_of(folder))
        if not url:
            unpacked.database.chmod(0o600)
            unpacked.database.rename(folder / "register.sqlite3")
    return unpacked, said


# --- the database ---


def sqlite_file(settings: Settings) -> Path:
    """Where a SQLite register lies."""
    return Path(str(make_url(settings.database_url).database)).resolve()


@told("数据库打不开")
def revision_at(url: str) -> str | None:
    """The schema's revision of the database at an address; None where there is none yet.

    :raises Complaint: when the database cannot be opened.
    """
    with engine_at(url).connect() as connection:
        return revision(connection)


def _now() -> dt.datetime:
    return dt.datetime.now().astimezone()
