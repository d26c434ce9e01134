"""The words models.py is written in: Base, field(), Choice, Sealed, and the kinds of ownership of a row."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache, partial
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Date, DateTime, ForeignKey, ForeignKeyConstraint, Index, Integer, MetaData, String, Text, event, inspect
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedColumn,
    PassiveFlag,
    Session,
    declared_attr,
    mapped_column,
    registry,
    relationship,
)
from sqlalchemy.orm.attributes import History as Changes
from sqlalchemy.types import TypeDecorator, TypeEngine

Check = Callable[[str], str | None]
"""Is this one value acceptable? A complaint in Chinese, or None."""


class Group(StrEnum):
    """Field groups G1-G6: what kind of knowledge a column holds. The role table in access.py grants by group."""

    ROSTER = "G1"
    CONTACT = "G2"
    IDENTITY = "G3"
    FAMILY = "G4"
    MIND = "G5"
    COUNSELLING = "G5c"
    """The counsellor's own notes: of G5, the part that teachers do not read."""
    INCIDENT = "G6"


def utcnow() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


# --- Base and columns ---


class Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        )
    )


def field(
    label: str,
    *args: Any,
    check: Check | None = None,
    group: Group = Group.ROSTER,
    hint: str = "",
    sorted_by: Callable[[Any], Sequence[Any]] | None = None,
    sound_in: str | None = None,
    **kwargs: Any,
) -> MappedColumn[Any]:
    """A column that says once what it is called, what it accepts and how sensitive it is.

    ``sorted_by``: given the model, the columns that a list sorted by this one is sorted by, where its own values will not do.
    ``sound_in``: the derived column in which typed pinyin is looked for.

    ``active_history`` makes the old value of every change known; without it the owner check and the audit are blind
    to a value set after a commit.
    """
    info = {"label": label, "check": check, "group": group, "hint": hint, "sorted_by": sorted_by, "sound_in": sound_in}
    kwargs.setdefault("active_history", True)
    return mapped_column(*args, info=info, **kwargs)


def derived(make: Callable[..., Any], *sources: str, kind: TypeEngine[Any] | None = None, **kwargs: Any) -> MappedColumn[Any]:
    """A column worked out of others of its row whenever one of them is set, and never by hand.

    It is neither shown nor logged nor taken back by an undo: it follows its sources.

    :param make: given the values of ``sources``, the value; of Spelt unless ``kind`` says otherwise.
    """
    info = {"make": make, "sources": sources}
    if kind is None:
        kind, kwargs["server_default"] = Spelt(), ""
    return mapped_column(kind, info=info, active_history=True, **kwargs)


def link(label: str, *args: Any, **kwargs: Any) -> Any:
    """A relationship with the label its form field and list column carry."""
    return relationship(*args, info={"label": label}, **kwargs)


class Choice(str, Enum):
    """A list fixed by a law or standard. ``NAME = code, label, *aliases``; the code is stored, the label is shown."""

    label: str
    aliases: tuple[str, ...]

    def __new__(cls, code: str, label: str = "", *aliases: str) -> Self:
        self = str.__new__(cls, code)
        self._value_ = code
        self.label = label or code
        self.aliases = aliases
        return self

    def __str__(self) -> str:
        return self.label

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """The member whose code, label or alias this is, else None."""
        return _words_of(cls).get(text.strip())


@cache
def _words_of(choices: type[Choice]) -> dict[str, Any]:
    """Code, label or alias -> member. What two share is the first one's."""
    return {word: member for member in reversed(choices) for word in (member.value, member.label, *member.aliases)}


class Coded(TypeDecorator[Choice]):
    """Stores a Choice by its code."""

    impl = String
    cache_ok = True

    def __init__(self, choices: type[Choice]):
        self.choices = choices
        self._by_code = {member.value: member for member in choices}
        super().__init__(16)

    def process_bind_param(self, value: Any, _dialect: Any) -> str | None:
        return None if value is None else self.choices(value).value

    def process_result_value(self, value: str | None, _dialect: Any) -> Choice | None:
        return None if value is None else self._by_code.get(value) or self.choices(value)


class Several(TypeDecorator[tuple[str, ...]]):
    """Several codes in one column, in the order of their list. ``choices`` None: codes of the county's own code table."""

    impl = String
    cache_ok = True

    def __init__(self, choices: type[Choice] | None = None):
        self.choices = choices
        self._by_code = {member.value: member for member in choices or ()}
        super().__init__(200)

    def process_bind_param(self, value: Any, _dialect: Any) -> str | None:
        return " ".join(str(getattr(v, "value", v)) for v in value) if value else None

    def process_result_value(self, value: str | None, _dialect: Any) -> tuple[str, ...] | None:
        return tuple(self._by_code.get(v) or (self.choices(v) if self.choices else v) for v in value.split()) if value else None


class Moment(TypeDecorator[dt.datetime]):
    """A point in time, stored as UTC without a zone (SQLite keeps none), always aware in Python."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, _dialect: Any) -> dt.datetime | None:
        return None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, _dialect: Any) -> dt.datetime | None:
        return None if value is None else value.replace(tzinfo=dt.UTC)


class Exact(TypeDecorator[Decimal]):
    """A Decimal kept digit by digit (SQLite would make it a float). Not for sums or order in SQL."""

    impl = String
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(40)

    def process_bind_param(self, value: Any, _dialect: Any) -> str | None:
        return None if value is None else str(Decimal(value))

    def process_result_value(self, value: str | None, _dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value)


# --- sealed columns ---


class Keyring:
    """The keys of the sealed columns: AES-256-GCM for reading, HMAC-SHA256 for exact search. Set once at start.

    A sealed value begins with the id of its key, so that while keys are changed the former one still opens what it sealed.
    """

    def __init__(self) -> None:
        self._ciphers: dict[str, AESGCM] = {}
        self._indexing = b""
        self.key_id = ""

    def unlock(self, master: bytes, *former: bytes) -> None:
        """``master``: 32 bytes or more, kept outside the database. ``former``: keys that only open."""
        self._ciphers = {key_id_of(each): AESGCM(hmac.digest(each, b"seal", "sha256")) for each in (master, *former)}
        self._indexing = hmac.digest(master, b"blind index", "sha256")
        self.key_id = key_id_of(master)

    @property
    def _sealing(self) -> AESGCM:
        assert self._ciphers, "the keyring is locked"
        return self._ciphers[self.key_id]

    def seal(self, plain: str, place: str) -> str:
        nonce = os.urandom(12)
        body = nonce + self._sealing.encrypt(nonce, plain.encode(), place.encode())
        return f"{self.key_id}:{base64.b64encode(body).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """Raises ValueError when the key is another one or the value was moved from another column."""
        assert self._ciphers, "the keyring is locked"
        key_id, _, body = sealed.partition(":")
        raw = base64.b64decode(body)
        try:
            return self._ciphers[key_id].decrypt(raw[:12], raw[12:], place.encode()).decode()
        except (InvalidTag, KeyError):
            raise ValueError(f"cannot open a value of {place}: another key, or moved from another column") from None

    def seal_bytes(self, plain: bytes, place: str) -> bytes:
        """A file as it lies on the disk: key id, nonce, ciphertext; bound to the name it is stored under."""
        nonce = os.urandom(12)
        return self.key_id.encode() + b":" + nonce + self._sealing.encrypt(nonce, plain, place.encode())

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """Raises ValueError when the key is another one, or the file was changed or stored under another name."""
        assert self._ciphers, "the keyring is locked"
        key_id, _, body = sealed.partition(b":")
        try:
            return self._ciphers[key_id.decode()].decrypt(body[:12], body[12:], place.encode())
        except (InvalidTag, KeyError, ValueError):
            raise ValueError("cannot open a file: another key, changed, or stored under another name") from None

    @property
    def log_key(self) -> str:
        """What signs the audit chain, in hexadecimal: kept sealed in ``audit_key`` when the key is changed."""
        return self._indexing.hex()

    def sign(self, message: str, log_key: str = "") -> str:
        """The MAC of a link of the audit chain. ``log_key``: of links from before a change of keys."""
        key = bytes.fromhex(log_key) if log_key else self._indexing
        return hmac.digest(key, b"audit" + message.encode(), "sha256").hex()

    def sign_row(self, message: str) -> str:
        """The MAC of what a workbook carries out and back."""
        return hmac.digest(self._indexing, b"row" + message.encode(), "sha256").hex()

    def index(self, plain: str) -> str:
        tidy = "".join(unicodedata.normalize("NFKC", plain).split()).upper()
        return hmac.digest(self._indexing, tidy.encode(), "sha256").hex()


def key_id_of(master: bytes) -> str:
    return hashlib.sha256(b"key id" + master).hexdigest()[:8]


keyring = Keyring()


class Sealed(TypeDecorator[str]):
    """Text encrypted at rest, bound to its table and column. It cannot be sorted, searched in part or filtered."""

    impl = String
    cache_ok = True

    def __init__(self, place: str, length: int | None = 200):
        self.place, self.length = place, length
        super().__init__(length)

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else keyring.seal(value, self.place)

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else keyring.open(value, self.place)


class Hashed(str):
    """A value read back from a blind index: hashing it again would be wrong."""


class Derived(TypeDecorator[str]):
    """The type of a column that only follows others."""

    __abstract__ = True


class Spelt(Derived):
    """A key to sort by or a text to search in (spelling.py); compared byte by byte on either database."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())


class BlindIndex(Derived):
    """The keyed hash of a sealed column, so that ``Child.id_number_key == "5399..."`` finds the row."""

    impl = String
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(64)

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        if value is None or isinstance(value, Hashed):
            return value
        return keyring.index(value)

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else Hashed(value)

    def answers(self, term: str) -> bool:
        """Is what was typed a whole number, which this index can find?"""
        return bool(re.fullmatch(r"[A-Za-z]?\d{10,}[\dXx]?", term))


class BlindTail(BlindIndex):
    """The keyed hash of the last four characters of a sealed column: all that can be looked up of it in part."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return super().process_bind_param(value if value is None or isinstance(value, Hashed) else f"tail|{value}", dialect)

    def answers(self, term: str) -> bool:
        return bool(re.fullmatch(r"\d{3}[\dXx]", term))


@event.listens_for(Base, "attribute_instrument", propagate=True)
def _derived_follow(cls: Any, key: str, attr: Any) -> None:
    for column in cls.__table__.columns:
        if key in column.info.get("sources", ()):
            event.listen(attr, "set", partial(_derive, column.key, column.info, key), propagate=True)


def _derive(target: str, info: dict[str, Any], key: str, row: Any, value: Any, _old: Any, _how: Any) -> None:
    values = (value if source == key else getattr(row, source) for source in info["sources"])
    setattr(row, target, info["make"](*values))


# --- what every table has ---


class Row(Base):
    """Who made and changed a row, and its version: a save over a newer version is refused."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-10)
    created_at: Mapped[dt.datetime] = field("录入时间", Moment, default=utcnow, sort_order=90)
    created_by: Mapped[int | None] = field("录入人", Integer, sort_order=91)
    updated_at: Mapped[dt.datetime] = field("修改时间", Moment, default=utcnow, sort_order=92)
    updated_by: Mapped[int | None] = field("修改人", Integer, sort_order=93)
    version: Mapped[int] = field("版本", Integer, default=1, sort_order=94)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version} if hasattr(cls, "__table__") else {}


def changes_of(row: Base) -> dict[str, Changes]:
    """What this row's next flush changes: attribute -> its history. Asks only what was set, not every column of a wide table."""
    state = inspect(row)
    histories = {name: state.get_history(name, PassiveFlag.PASSIVE_NO_INITIALIZE) for name in state.committed_state}
    return {name: history for name, history in histories.items() if history.has_changes()}


def changed_rows(session: Session) -> list[Any]:
    """The rows of a session that its next flush changes."""
    return [row for row in session.dirty if changes_of(row)]


class Kept(Row):
    """A record that is never really deleted: it goes to the trash with a reason, and the office can bring it back."""

    __abstract__ = True

    deleted_at: Mapped[dt.datetime | None] = field("删除时间", Moment, sort_order=95)
    deleted_by: Mapped[int | None] = field("删除人", Integer, sort_order=96)
    delete_reason: Mapped[str | None] = field("删除原因", String(200), sort_order=97)


class Period:
    """Holds from ``start`` (that day counts) to ``end`` (that day does not): ``[start, end)``."""

    start: Mapped[dt.date] = field("起始日", Date)
    end: Mapped[dt.date | None] = field("终止日", Date, hint="填首个不再有效的日子；空为至今")


# --- who owns a row (access.py reads these; a table must be exactly one of them) ---


class Shared:
    """Read by everybody who is logged in (school names, terms, code lists, the scheme); written by the office."""


class Private:
    """Accounts and their sessions: nobody's rows but the administrator's."""


class Part:
    """Besides its owner: a part of another record (a role of an account). Who may change that record may take it away."""


class SchoolOwned:
    """Belongs to one school for ever."""

    school_id: Mapped[int] = field("学校", ForeignKey("school.id"), index=True, sort_order=-5)


class _FollowsChild:
    """When the child moves, the database takes the row along (ON UPDATE CASCADE)."""

    child_id: Mapped[int] = field("儿童", Integer, sort_order=-6)
    school_id: Mapped[int] = field("学校", Integer, index=True, sort_order=-5)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            ForeignKeyConstraint(["child_id", "school_id"], ["child.id", "child.school_id"], onupdate="CASCADE"),
            # one index on both: with two, SQLite without statistics joins by school and a page takes seconds
            Index(None, "child_id", "school_id"),
            *getattr(cls, "ALSO", ()),
        )


class ChildFile(_FollowsChild):
    """Belongs to the file of a child, and follows the child."""


class OnRecord(_FollowsChild):
    """Belongs to a record of any table: owned as that record is. Of a record that is read by all, it is read by all."""

    table_name: Mapped[str] = field("所属记录", String(40))
    row_id: Mapped[int] = field("所属编号", Integer)


class History:
    """Stays with the school it happened at; read also by the school where the child is now."""

    child_id: Mapped[int] = field("儿童", Integer, index=True, sort_order=-6)
    school_id: Mapped[int] = field("学校", Integer, index=True, sort_order=-5)


class CareEvent(History):
    """A History that hangs on the enrolment under which it happened, which never changes."""

    enrolment_id: Mapped[int] = field("就读", Integer, index=True, sort_order=-7)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        three = ["enrolment_id", "child_id", "school_id"]
        return (
            ForeignKeyConstraint(three, ["enrolment.id", "enrolment.child_id", "enrolment.school_id"]),
            *getattr(cls, "ALSO", ()),
        )


class Between:
    """Concerns two schools: the sender (``school_id``) and the one it is addressed to."""

    school_id: Mapped[int] = field("转出学校", ForeignKey("school.id"), index=True, sort_order=-5)
    to_school_id: Mapped[int] = field("接收学校", ForeignKey("school.id"), index=True, sort_order=-4)


LongText = Text
