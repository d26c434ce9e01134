"""Files on records: which records may have them, who may read them, and how they lie on the disk, sealed.

The row in the database knows what a file is called and where it belongs; the file knows nothing but a random name.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, class_mapper

from .. import labels
from ..access import SYSTEM, Action, OpenSession, Scope
from ..models import Attachment, Child, Counselling, Letter, Notice, School, SchoolKind, User
from ..orm import ChildFile, Group, Kept, Private, Shared, keyring
from ..rules import Complaint
from . import trash, uploads
from .uploads import Upload

MOST = 12
_YOUNG = dt.timedelta(hours=1)
"""A file younger than this may belong to a request that has not committed yet."""


def folder_of(data_dir: Path) -> Path:
    return data_dir / "attachments"


# --- which records, which people ---


def refuse(model: type[Any]) -> None:
    """:raises Complaint: for records that never have files."""
    if issubclass(model, Letter):
        raise Complaint("书信属于儿童隐私，依照未成年人保护法只登记日期，不上传书信内容或图片。")
    if issubclass(model, Counselling):
        raise Complaint("心理辅导记录不收附件，请只在记录中写必要内容。")
    shared = issubclass(model, Shared | Private) and not issubclass(model, Notice)
    if not issubclass(model, Kept) or shared or issubclass(model, Attachment):
        raise Complaint("这类记录不收附件。")


def readable(scope: Scope, row: Any) -> bool:
    """A file may show whatever its record tells: to read it one must be allowed to read every field group of the record."""
    return all(scope.sees(group, getattr(row, "school_id", None)) for group in _groups(row))


def changeable(scope: Scope) -> bool:
    """May this actor add and remove files at all? Whether the record is theirs to change is asked of its screen."""
    return scope.may(Action.CREATE, Attachment.RESOURCE) and scope.may(Action.DELETE, Attachment.RESOURCE)


def _groups(row: Any) -> set[Group]:
    names = [attr.key for attr in class_mapper(type(row)).column_attrs]
    own = {labels.group(type(row), name) for name in names}
    return own | {group for name in names if isinstance(group := getattr(getattr(row, name), "group", None), Group)}


# --- keeping and reading ---


def keep(session: Session, folder: Path, row: Any, name: str, content: bytes) -> Attachment:
    """Check, clean and store a file of a record.

    :raises Complaint: when the record takes no files or no more of them, or the file is not acceptable.
    """
    return put(session, folder, row, uploads.check(name, content))


def put(session: Session, folder: Path, row: Any, upload: Upload) -> Attachment:
    """Store a checked file. The same file a second time (a form sent twice) is the first one.

    The row goes first: should the file fail, nothing is saved; should the transaction fail, a nameless file is left over.
    """
    refuse(type(row))
    digest = hashlib.sha256(upload.content).hexdigest()
    there = of(session, row)
    same = next((each for each in there if each.digest == digest and each.name == upload.name), None)
    if same is not None:
        return same
    if len(there) >= MOST:
        raise Complaint("每条记录最多 12 份附件，请先删除不用的，或合并成一个 PDF。")
    kept = Attachment(
        school_id=row.school_id if hasattr(row, "school_id") else _bureau(session),
        child_id=row.id if isinstance(row, Child) else row.child_id if isinstance(row, ChildFile) else None,
        table_name=type(row).__tablename__,
        row_id=row.id,
        name=upload.name,
        stored=secrets.token_hex(16),
        media_type=upload.media_type,
        size=len(upload.content),
        digest=digest,
    )
    session.add(kept)
    session.flush()
    write(path_of(folder, kept.stored), keyring.seal_bytes(upload.content, kept.stored))
    return kept


def _bureau(session: Session) -> int:
    """Who owns the files of a record that is nobody's: a notice is the bureau's."""
    return session.scalars(select(School.id).where(School.kind == SchoolKind.BUREAU)).one()


def of(session: Session, row: Any) -> list[Attachment]:
    """The files of a record, oldest first."""
    mine = (Attachment.table_name == type(row).__tablename__, Attachment.row_id == row.id)
    return list(session.scalars(select(Attachment).where(*mine).order_by(Attachment.id)))


def one(session: Session, attachment_id: int) -> Attachment | None:
    return session.scalar(select(Attachment).where(Attachment.id == attachment_id))


def uploaders(open_session: OpenSession, found: Iterable[Attachment]) -> dict[int | None, str]:
    """Account -> name of who put these files there. Accounts are closed to most; the name beside one's own record is not."""
    ids = {each.created_by for each in found if each.created_by}
    if not ids:
        return {}
    with open_session(SYSTEM) as session:
        return {user_id: name for user_id, name in session.execute(select(User.id, User.name).where(User.id.in_(ids)))}


def content_of(folder: Path, attachment: Attachment) -> bytes:
    """:raises Complaint: when the file is gone from the disk or was tampered with."""
    try:
        return keyring.open_bytes(path_of(folder, attachment.stored).read_bytes(), attachment.stored)
    except (OSError, ValueError):
        raise Complaint("服务器上找不到这份附件的文件，请联系管理员从备份恢复。") from None


def remove(session: Session, attachment: Attachment, reason: str) -> None:
    """Into the trash; the file stays until the trash is emptied.

    :raises Complaint: without a reason.
    """
    if not reason:
        raise Complaint("请填写删除原因。")
    trash.put(session, attachment, reason)


def orphans(session: Session, folder: Path, older: dt.timedelta = _YOUNG) -> list[Path]:
    """Files that no row knows: left over by a transaction that failed, or by an erasure that was cut off.

    :param session: one that sees everything. ``older``: no younger files than this.
    """
    before = dt.datetime.now(dt.UTC).timestamp() - older.total_seconds()
    known = set(session.scalars(select(Attachment.stored), execution_options={"include_deleted": True}))
    return [path for path in files(folder) if path.name not in known and path.stat().st_mtime < before]


def files(folder: Path) -> Iterator[Path]:
    """Every file that lies in the folder, in order."""
    return (path for path in sorted(folder.glob("*/*")) if path.is_file())


def path_of(folder: Path, stored: str) -> Path:
    """Where a file of this name lies."""
    return folder / stored[:2] / stored


def write(path: Path, content: bytes) -> None:
    """All or nothing, for the owner's eyes only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    if os.name != "nt":  # the new name, too, must survive a power cut
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
