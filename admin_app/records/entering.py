"""A checked ledger into the register: all of it in one transaction, part by part, with as few flushes as its references allow."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from .. import audit
from ..models import BatchKind, Carer, Child, IdKind, Kinship, Parent, ParentStatus, Responsibility, School, Side, Staff
from . import bulk, enrolling, informing
from .importing import CHILD_KEYS, Plan, PlannedRow, carer_now, in_parts, place_now, state_of

PART = 1000
"""Rows written at a time: what is written need not stay in memory."""


def save(session: Session, plan: Plan, file_name: str, *, good_only: bool = False) -> int:
    """Write a plan as one batch that can be undone. Returns how many children were added or changed.

    :raises Complaint: see ``Plan.to_write``.
    """
    return max(writing(session, plan, file_name, good_only=good_only))


def writing(session: Session, plan: Plan, file_name: str, *, good_only: bool = False) -> Iterator[int]:
    """The same step by step: yields how many rows are written so far. Whoever leaves before the end rolls back."""
    rows = plan.to_write(good_only=good_only)
    words = f"{file_name[:120]}：{len(rows)} 名儿童"
    if plan.one_unit is None:
        yield from _write(session, plan, rows, file_name)  # several units: no one school's to undo
        return
    with bulk.recorded(session, BatchKind.IMPORT, plan.one_unit, words):
        yield from _write(session, plan, rows, file_name)


def _write(session: Session, plan: Plan, rows: list[PlannedRow], file_name: str) -> Iterator[int]:
    staff, written = _StaffBook(session, rows, plan.start), 0
    for part in in_parts(rows, PART):
        _write_part(session, part, staff, plan)
        gc.collect(1)  # rows and their families hold each other: a server's calm collector would let many parts pile up
        written += len(part)
        yield written
    said = {"告知书": str(plan.told or "尚未签收，留作待办")} if plan.untold else {}
    audit.note(session, "import", "child", "", rows[0].school_id, 文件=file_name, 行数=len(rows), **said)


def _write_part(session: Session, rows: list[PlannedRow], staff: _StaffBook, plan: Plan) -> None:
    known = _known(session, [row.child_id for row in rows if row.child_id])
    families = [_Family(session, row, known.get(row.child_id or 0), plan) for row in rows]
    session.flush()  # the children's ids
    for family in families:
        family.enter_people()
    session.flush()  # the parents' ids
    for family in families:
        family.enter_what_holds(staff)
    session.flush()


def _known(session: Session, ids: list[int]) -> dict[int, Child]:
    """The children to be changed, with their families, in a few statements."""
    found: dict[int, Child] = {}
    loaded = select(Child).options(selectinload(Child.parents).selectinload(Parent.statuses), selectinload(Child.carers))
    for part in in_parts(ids):
        rows = session.scalars(loaded.where(Child.id.in_(part)), execution_options={"populate_existing": True})
        found |= {child.id: child for child in rows}
    return found


class _StaffBook:
    """Staff of each school by name; an unknown one is entered as 待确认."""

    def __init__(self, session: Session, rows: list[PlannedRow], start: dt.date):
        self.rows = {(s.name, s.school_id): s for s in session.scalars(select(Staff))}
        self.centre_of = dict(session.execute(select(School.id, School.centre_id)).all())
        for row in rows:
            name = row.written.get("responsible")
            if name and row.school_id and self.get(name, row.school_id) is None:
                new = Staff(name=name, school_id=row.school_id, start=start, confirmed=False)
                session.add(new)
                self.rows[name, row.school_id] = new

    def get(self, name: str, school_id: int) -> Staff | None:
        units = (school_id, self.centre_of.get(school_id))
        return next((self.rows[name, unit] for unit in units if (name, unit) in self.rows), None)


class _Family:
    """One row on its way into the register: first the child, then parents, then where they are and who answers."""

    def __init__(self, session: Session, row: PlannedRow, child: Child | None, plan: Plan):
        self.session, self.start = session, plan.start
        self.is_new = child is None
        self.values = row.written
        self.child = child or Child(school_id=row.school_id, class_name="", id_kind=IdKind.RESIDENT)
        self.parents = {} if self.is_new else {p.side: p for p in self.child.parents}
        self.carer = None if self.is_new else carer_now(self.child)
        for key in CHILD_KEYS:
            if key in self.values and getattr(self.child, key) != self.values[key]:
                setattr(self.child, key, self.values[key])
        if self.is_new and not self.child.id_number:
            self.child.id_kind = IdKind.NONE
        elif self.child.id_number and self.child.id_kind is IdKind.NONE:
            self.child.id_kind = IdKind.RESIDENT
        if self.is_new and plan.told and informing.is_young(self.child.birth_date, dt.date.today()):
            plan.told.enter(self.child)
        session.add(self.child)

    def _of_child(self) -> dict[str, Any]:
        return {"child_id": self.child.id, "school_id": self.child.school_id}

    def _given(self, who: str, *names: str) -> dict[str, Any]:
        return {name: self.values[f"{who}.{name}"] for name in names if self.values.get(f"{who}.{name}") is not None}

    def enter_people(self) -> None:
        if self.is_new:
            enrolling.open_enrolment(self.session, self.child, self.start)
        for side in Side:
            given = self._given(side.value, "name", "phone")
            if side not in self.parents and (given or self._given(side.value, "place")):
                self.parents[side] = Parent(side=side, name="不详", **self._of_child())
                self.session.add(self.parents[side])
            for name, value in given.items():
                if getattr(self.parents[side], name) != value:
                    setattr(self.parents[side], name, value)
        self._enter_carer()

    def _enter_carer(self) -> None:
        """A new name is another carer from today on; without a name the rest goes to the carer there is."""
        given = self._given("carer", "name", "relation", "age", "phone", "quality")
        start = self.start
        if self.carer is not None and given.get("name", self.carer.name) != self.carer.name:
            self.carer.end = start = max(dt.date.today(), self.carer.start)
            self.carer = None
        if self.carer is None:
            if "name" not in given:
                return
            self.carer = Carer(start=start, relation=Kinship.OTHER_KIN, **self._of_child())
            self.session.add(self.carer)
        for name, value in given.items():
            if getattr(self.carer, name) != value:
                setattr(self.carer, name, value)
                if name == "age":
                    self.carer.age_on = dt.date.today()

    def enter_what_holds(self, staff: _StaffBook) -> None:
        for side, parent in self.parents.items():
            place = self.values.get(f"{side.value}.place")
            if place and (self.is_new or state_of(place) != state_of(place_now(parent))):
                self._move(parent, place)
        teacher = staff.get(self.values["responsible"], self.child.school_id) if self.values.get("responsible") else None
        if teacher is not None:
            self._hand_to(teacher)

    def _move(self, parent: Parent, place: str) -> None:
        """Where the parent is from now on. A first entry is taken to hold since the children's start."""
        state, where = state_of(place)
        before = [] if self.is_new else list(parent.statuses)
        now = next((s for s in before if s.end is None), None)
        since = max([self.start, *(s.end for s in before if s.end is not None)])
        if now is not None:
            now.end = since = max(dt.date.today(), now.start)
        status = ParentStatus(parent_id=parent.id, state=state, place=where, start=since, evidence="台账导入", **self._of_child())
        self.session.add(status)

    def _hand_to(self, teacher: Staff) -> None:
        since = self.start
        if not self.is_new:
            serving = select(Responsibility).where(Responsibility.child_id == self.child.id, Responsibility.end.is_(None))
            held = self.session.scalars(serving).first()
            if held is not None and held.staff_id == teacher.id:
                return
            if held is not None:
                held.end = since = max(dt.date.today(), held.start)
        self.session.add(Responsibility(staff_id=teacher.id, start=since, **self._of_child()))
