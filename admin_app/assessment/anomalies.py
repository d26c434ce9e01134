"""异常核查 before a result is published: what often goes with padded records. A hint to look, never a judgement.

No text of a talk is shown: how often the same words occur says enough, and the office may not read them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Attachment, CareRecord, Round, Staff
from .facts import Window
from .facts.window import CHINA, WITH_TRASH
from .scoring import Card, Status

SAME_TEXT, SHORTEST_TEXT = 8, 6
"""So many records with the very same words; shorter notes ("正常") say the same by nature."""
ON_ONE_DAY = 30
"""So many records of one teacher on one day."""
LATE_DAYS, LATE_LEAST, LATE_ONE_IN = 30, 10, 5
"""Entered more than 30 days after it happened; reported from ten records and a fifth of all on."""
SAME_FILE = 3


class Kind(Enum):
    """What is unusual, and why it is worth a look."""

    TEXT = "内容相同"
    DAY = "一天过多"
    LATE = "事后补录"
    FILE = "附件重复"
    FULL = "项项满分"


WHY = {
    Kind.TEXT: f"同一所学校有 {SAME_TEXT} 条以上关爱记录内容一字不差",
    Kind.DAY: f"同一名教师一天登记 {ON_ONE_DAY} 条以上",
    Kind.LATE: f"事情发生 {LATE_DAYS} 天以后才录入的，达 {LATE_LEAST} 条且占两成以上",
    Kind.FILE: f"同一个文件作为 {SAME_FILE} 条以上记录的附件",
    Kind.FULL: "适用的指标全部满分",
}


@dataclass(frozen=True)
class Anomaly:
    """One thing to look at in one assessed school. ``on``: the day, where it is about a day."""

    unit: int
    kind: Kind
    words: str
    count: int
    on: dt.date | None = None


def of(session: Session, round_: Round, cards: Iterable[Card]) -> list[Anomaly]:
    """Everything unusual in a round, the most numerous first, in four statements. ``session``: bound to SYSTEM."""
    window = Window.of(session, round_)
    found = [*_same_text(window), *_one_day(window), *_late(window), *_same_file(window), *_full(cards)]
    order = list(Kind)
    return sorted(found, key=lambda a: (order.index(a.kind), -a.count, a.unit))


def _counting(window: Window, *columns: Any) -> Any:
    return select(*columns).where(window.within(CareRecord.on), window.entered(CareRecord))


def _same_text(window: Window) -> Iterator[Anomaly]:
    asked = _counting(window, CareRecord.school_id, CareRecord.kind, func.count(CareRecord.id))
    asked = asked.where(func.length(CareRecord.content) >= SHORTEST_TEXT)
    asked = asked.group_by(CareRecord.school_id, CareRecord.kind, CareRecord.content).having(func.count(CareRecord.id) >= SAME_TEXT)
    for school, kind, n in window.session.execute(asked, execution_options=WITH_TRASH):
        yield Anomaly(window.unit_of[school], Kind.TEXT, f"{kind.label} {n} 条内容相同（{window.sites[school].name}）", n)


def _one_day(window: Window) -> Iterator[Anomaly]:
    asked = _counting(window, CareRecord.school_id, Staff.name, CareRecord.on, func.count(CareRecord.id))
    asked = asked.join(Staff, Staff.id == CareRecord.staff_id).group_by(
        CareRecord.school_id, CareRecord.staff_id, Staff.name, CareRecord.on
    )
    for school, name, on, n in window.session.execute(
        asked.having(func.count(CareRecord.id) >= ON_ONE_DAY), execution_options=WITH_TRASH
    ):
        yield Anomaly(window.unit_of[school], Kind.DAY, f"{name} {on} 登记 {n} 条（{window.sites[school].name}）", n, on)


def _late(window: Window) -> Iterator[Anomaly]:
    rows = _counting(window, CareRecord.school_id, CareRecord.on, CareRecord.created_at)
    late: dict[int, int] = defaultdict(int)
    every: dict[int, int] = defaultdict(int)
    for school, on, created in window.session.execute(rows, execution_options=WITH_TRASH):
        unit = window.unit_of[school]
        every[unit] += 1
        late[unit] += (created.astimezone(CHINA).date() - on).days > LATE_DAYS
    for unit, n in late.items():
        if n >= LATE_LEAST and n * LATE_ONE_IN >= every[unit]:
            yield Anomaly(unit, Kind.LATE, f"{every[unit]} 条关爱记录中有 {n} 条", n)


def _same_file(window: Window) -> Iterator[Anomaly]:
    asked = (
        select(Attachment.school_id, func.min(Attachment.name), func.count(Attachment.id))
        .where(window.entered(Attachment))
        .group_by(Attachment.school_id, Attachment.digest)
        .having(func.count(Attachment.id) >= SAME_FILE)
    )
    for school, name, n in window.session.execute(asked, execution_options=WITH_TRASH):
        yield Anomaly(window.unit_of[school], Kind.FILE, f"“{name}”用在 {n} 处", n)


def _full(cards: Iterable[Card]) -> Iterator[Anomaly]:
    for card in cards:
        scored = [item for item in card.items if item.status is not Status.NA]
        if scored and all(item.score == item.max for item in scored):
            yield Anomaly(card.school_id, Kind.FULL, f"{len(scored)} 项全部满分", len(scored))
