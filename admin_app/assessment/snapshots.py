"""Snapshots of who was counted, and why a number became another: who came, who left, and the reason of each.

A snapshot keeps the children a definition held on a day as the register told it then; two of them, or one and the register
of today, are compared child by child.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from .. import spelling
from ..models import Child, Definition, Enrolment, LeaveReason, ParentStatus, Round, Snapshot, SnapshotPart
from ..records import definitions
from ..rules import at_age
from .facts.window import WITH_TRASH

UNDER = 16
"""GF13 ends with the day before the 16th birthday (ruling 1)."""


@dataclass(frozen=True)
class Counted:
    """A child that was counted: where, and what it was called then."""

    child_id: int
    school_id: int
    name: str
    class_name: str


@dataclass(frozen=True)
class Change:
    """A child in one count and not in the other, and why."""

    child: Counted
    why: str


@dataclass(frozen=True)
class Comparison:
    """What led from one count to the other."""

    before: int
    after: int
    left: tuple[Change, ...]
    came: tuple[Change, ...]

    def reasons(self, of: Iterable[Change]) -> list[tuple[str, int]]:
        """Why, and how many; the most frequent first."""
        tally: dict[str, int] = defaultdict(int)
        for change in of:
            tally[change.why] += 1
        return sorted(tally.items(), key=lambda pair: (-pair[1], pair[0]))


def take(session: Session, definition: Definition, on: dt.date, title: str, by: str, round_: Round | None = None) -> Snapshot:
    """Count the children of a day and keep them, school by school. ``session``: one that sees every school."""
    counted = now(session, definition, on)
    kept = Snapshot(title=title, definition=definition, on=on, by=by, round_id=round_.id if round_ else None, count=len(counted))
    session.add(kept)
    session.flush()
    by_school: dict[int, list[list[object]]] = defaultdict(list)
    for child in _in_order(counted.values()):
        by_school[child.school_id].append([child.child_id, child.name, child.class_name])
    session.add_all(SnapshotPart(snapshot_id=kept.id, school_id=school, children=rows) for school, rows in by_school.items())
    return kept


def now(session: Session, definition: Definition, on: dt.date) -> dict[int, Counted]:
    """The children counted on a day as the register tells it today; as many as the actor may see."""
    every = definitions.spans(definition).subquery()
    rows = session.execute(
        select(every.c.child_id, every.c.school_id, Enrolment.child_name, Child.class_name)
        .join(Enrolment, Enrolment.id == every.c.enrolment_id)
        .outerjoin(Child, Child.id == every.c.child_id)
        .where(every.c.first <= on, every.c.stop > on)
    )
    return {child: Counted(child, school, name, class_name or "") for child, school, name, class_name in rows}


def of(session: Session, snapshot: Snapshot) -> dict[int, Counted]:
    """The children of a snapshot, as many as the actor may see."""
    rows = session.execute(select(SnapshotPart.school_id, SnapshotPart.children).where(SnapshotPart.snapshot_id == snapshot.id))
    return {row[0]: Counted(row[0], school, row[1], row[2]) for school, children in rows for row in children}


def compare(
    session: Session, definition: Definition, before: dict[int, Counted], after: dict[int, Counted], since: dt.date, until: dt.date
) -> Comparison:
    """Who left and who came between two counts, each with the reason the register gives."""
    left = [child for key, child in before.items() if key not in after]
    came = [child for key, child in after.items() if key not in before]
    known = _Known(session, definition, [c.child_id for c in (*left, *came)], since, until)
    return Comparison(
        len(before),
        len(after),
        tuple(Change(child, known.why_left(child)) for child in _in_order(left)),
        tuple(Change(child, known.why_came(child)) for child in _in_order(came)),
    )


def _in_order(children: Iterable[Counted]) -> list[Counted]:
    """As far as a snapshot knows: it keeps the class without the grade."""
    key = lambda c: (c.school_id, spelling.natural(c.class_name), spelling.order(c.name), c.child_id)  # noqa: E731
    return sorted(children, key=key)


LEFT = {
    LeaveReason.TRANSFER: "转到其他学校",
    LeaveReason.GRADUATED: "毕业离校",
}


class _Known:
    """What the register knows of some children between two days, read in three statements."""

    def __init__(self, session: Session, definition: Definition, ids: list[int], since: dt.date, until: dt.date):
        self.definition, self.since, self.until = definition, since, until
        some = ids or [-1]
        self.children = {
            row.id: row for row in session.scalars(select(Child).where(Child.id.in_(some)), execution_options=WITH_TRASH)
        }
        self.stays: dict[int, list[Enrolment]] = defaultdict(list)
        stays = select(Enrolment).where(Enrolment.child_id.in_(some)).order_by(Enrolment.start)
        for stay in session.scalars(stays, execution_options=WITH_TRASH):
            self.stays[stay.child_id].append(stay)
        between = or_(ParentStatus.start.between(since, until), ParentStatus.end.between(since, until))
        moved = select(ParentStatus.child_id).where(ParentStatus.child_id.in_(some), between)
        self.parents_moved = set(session.scalars(moved))

    def why_left(self, child: Counted) -> str:
        row, stays = self.children.get(child.child_id), self.stays[child.child_id]
        if row is None:
            return LEFT[LeaveReason.TRANSFER] if stays else "档案已删除"
        if row.deleted_at is not None:
            return f"档案已删除（{row.delete_reason or '未写原因'}）"
        if self.definition is Definition.GF13 and at_age(row.birth_date, UNDER) <= self.until:
            return "满16周岁"
        ended = next((s for s in reversed(stays) if s.end is not None and s.end <= self.until), None)
        if ended is not None and not any(s.end is None or s.end > self.until for s in stays):
            return LEFT.get(ended.leave_reason, f"离校（{ended.leave_reason}）") if ended.leave_reason else "离校"
        if child.child_id in self.parents_moved:
            return "父母去向变化（返乡等）"
        return "档案更正后不再符合口径"

    def why_came(self, child: Counted) -> str:
        stays = [s for s in self.stays[child.child_id] if s.deleted_at is None]
        if stays and all(s.start > self.since for s in stays):
            return "新入学或转入"
        if any(self.since < s.start <= self.until for s in stays):
            return "转入或返校"
        if child.child_id in self.parents_moved:
            return "父母外出"
        return "补录或更正后符合口径"
