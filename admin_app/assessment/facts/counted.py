"""The one metric with parameters: records of a kind, counted in one of four ways. What an office invents next year is mostly this.

Its code says all of it: ``count:activity:A25:events:4`` is activities of kind A25, counted one by one, four wanted.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, select

from ...models import (
    Activity,
    Attendance,
    CareKind,
    CareRecord,
    Code,
    CodeKind,
    Evaluation,
    Letter,
    Pairing,
    Paper,
    PaperKind,
    PaperState,
    Participation,
    SignedHow,
    Subsidy,
    TrainingSession,
)
from ..scoring import Fact
from .catalogue import ZERO, ByUnit, Described, Shape, for_each_unit, of_children, tally, ticked, total
from .window import WITH_TRASH, Key, Member, Window

PREFIX = "count"
WAYS: dict[str, tuple[str, Shape]] = {
    "events": ("次数", "count"),
    "months": ("有记录的月份数", "count"),
    "children": ("覆盖的儿童数", "count"),
    "share": ("覆盖率", "share"),
}
"""How records are counted: one by one, by the months that have one, by the children of C they reach, or by their share."""
LARGEST_TARGET = 1000


@dataclass(frozen=True)
class RecordType:
    """A kind of record that can be counted: where its day and its kind stand, and which children it reaches."""

    label: str
    model: Any
    day: Any
    kinds: tuple[CodeKind, ...] = ()
    choices: Any = None
    through: Any = None
    also: Callable[[], ColumnElement[bool]] | None = None

    @property
    def child(self) -> Any:
        """The column that names the child, on the record itself or on its list of participants; None when it reaches none."""
        return getattr(self.through or self.model, "child_id", None)


TYPES: dict[str, RecordType] = {
    "activity": RecordType(
        "活动",
        Activity,
        Activity.on,
        (
            CodeKind.ACTIVITY,
            CodeKind.DRILL,
            CodeKind.MEETING,
            CodeKind.LINKAGE,
            CodeKind.PUBLICITY,
            CodeKind.OPENING,
            CodeKind.CHECK,
        ),
        through=Participation,
    ),
    "training": RecordType("培训", TrainingSession, TrainingSession.on, (CodeKind.TRAINING,), through=Attendance),
    "care_record": RecordType("谈心家访联系", CareRecord, CareRecord.on, choices=CareKind),
    "letter": RecordType("书信", Letter, Letter.on),
    "evaluation": RecordType("评价", Evaluation, Evaluation.on),
    "pairing": RecordType("结对", Pairing, Pairing.start),
    "subsidy": RecordType("资助", Subsidy, Subsidy.start, (CodeKind.SUBSIDY,)),
    "paper": RecordType(
        "文件材料",
        Paper,
        Paper.on,
        choices=PaperKind,
        also=lambda: Paper.state.in_((PaperState.SUBMITTED, PaperState.FILED)),
    ),
}
ANY = "*"
"""Every kind."""


@dataclass(frozen=True)
class Counted:
    """What a code asks for."""

    type: str
    kind: str
    way: str
    target: int | None

    @property
    def record(self) -> RecordType:
        return TYPES[self.type]

    @property
    def code(self) -> str:
        return ":".join((PREFIX, self.type, self.kind, self.way, *((str(self.target),) if self.target is not None else ())))

    @property
    def what(self) -> str:
        named = self.record.choices(self.kind).label if self.record.choices and self.kind != ANY else self.kind
        return self.record.label if self.kind == ANY else f"{self.record.label}“{named}”"

    @property
    def title(self) -> str:
        return self.what + WAYS[self.way][0]


def parse(code: str) -> Counted | None:
    """What a code asks for, or None when it is not one of these."""
    prefix, *rest = code.split(":")
    if prefix != PREFIX or len(rest) not in (3, 4):
        return None
    record, way, target = TYPES.get(rest[0]), rest[2], rest[3] if len(rest) == 4 else None
    if (
        record is None
        or way not in WAYS
        or not _kind_is(record, rest[1])
        or (way in ("children", "share") and record.child is None)
    ):
        return None
    if target is not None and not (target.isascii() and target.isdigit() and 0 < int(target) <= LARGEST_TARGET):
        return None
    return Counted(rest[0], rest[1], way, int(target) if target else None)


def _kind_is(record: RecordType, kind: str) -> bool:
    if kind == ANY:
        return True
    if record.choices:
        return kind in {member.value for member in record.choices}
    return bool(record.kinds) and kind.isalnum() and len(kind) <= 8


def find(code: str) -> Described | None:
    """The metric a code stands for, described."""
    asked = parse(code)
    if asked is None:
        return None
    of_share = asked.way == "share"
    return Described(
        asked.title,
        "有记录的儿童" if of_share else "已有",
        "口径内儿童" if of_share else "应有",
        "考核方案自定",
        asked.record.model.__tablename__,
        WAYS[asked.way][1],
        partial(compute, asked=asked),
    )


def compute(window: Window, asked: Counted) -> ByUnit:
    """The fact of every unit: what was counted, and what is wanted of it."""
    if asked.way == "share":
        reached = _reached(window, asked)
        return of_children(
            window, lambda member: (reached.get(member.key, ZERO), "" if member.key in reached else f"没有{asked.what}")
        )
    if asked.way == "children":
        return _children(window, asked)
    return _tallied(window, asked)


def _statement(window: Window, asked: Counted, *columns: Any) -> Select[Any]:
    record = asked.record
    query = select(*columns).where(window.within(record.day), window.entered(record.model))
    if asked.kind != ANY and record.kinds:
        query = query.where(record.model.kind_id.in_(select(Code.id).where(Code.code == asked.kind, Code.kind.in_(record.kinds))))
    elif asked.kind != ANY:
        query = query.where(record.model.kind == record.choices(asked.kind))
    return query.where(record.also()) if record.also else query


def _reached(window: Window, asked: Counted) -> dict[Key, Decimal]:
    """The children the records reach, each as the unit whose staff made the record knows it (ruling 5), and what its best weighs."""
    record = asked.record
    query = _statement(window, asked, record.child, record.model.school_id, record.day, window.entry(record.model.created_at))
    if record.through is not None:
        query = query.join(record.through, _joined(record)).where(window.entered(record.through))
    found: dict[Key, Decimal] = {}
    for child, school, on, created in window.session.execute(query, execution_options=WITH_TRASH):
        key = (child, window.unit_of[school])
        found[key] = max(window.weight(on, created), found.get(key, ZERO))
    return found


def _joined(record: RecordType) -> ColumnElement[bool]:
    if record.through is Participation:
        return Participation.activity_id == Activity.id
    return (Attendance.session_id == TrainingSession.id) & (Attendance.how != SignedHow.ABSENT)


def _children(window: Window, asked: Counted) -> ByUnit:
    reached, by_unit = _reached(window, asked), defaultdict(list)
    for member in window.children:
        by_unit[member.unit].append(member)

    def fact(members: list[Member]) -> Fact:
        lines = tuple(ticked(m.child_id, window.name_of(m.child_id), reached.get(m.key, ZERO), "", "", m.child_id) for m in members)
        n = total(lines)
        return Fact(n, n, Decimal(asked.target or len(members)), lines)

    return for_each_unit(window, lambda site: fact(by_unit[site.unit]))


def _tallied(window: Window, asked: Counted) -> ByUnit:
    record = asked.record
    words = getattr(record.model, "title", None)
    told = literal("") if words is None else words
    query = _statement(
        window, asked, record.model.id, record.model.school_id, record.day, window.entry(record.model.created_at), told
    )
    done: dict[int, dict[Any, tuple[Decimal, dt.date, str]]] = defaultdict(dict)
    for key, school, on, created, title in window.session.execute(query.order_by(record.day), execution_options=WITH_TRASH):
        thing, held = key if asked.way == "events" else (on.year, on.month), done[window.unit_of[school]]
        weight = window.weight(on, created)
        if thing not in held or weight > held[thing][0]:
            held[thing] = (weight, on, title or record.label)
    target = asked.target or (len(window.months) if asked.way == "months" else 0)
    to_do = f"还应有一次{asked.what}" if asked.way == "events" else f"还应有一个月有{asked.what}"

    def fact(things: dict[Any, tuple[Decimal, dt.date, str]]) -> Fact:
        return tally([ticked(key, title, weight, f"{on}") for key, (weight, on, title) in things.items()], target, to_do)

    return for_each_unit(window, lambda site: fact(done[site.unit]))
