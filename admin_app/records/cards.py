"""一卡: the 家校联系卡, four to an A4 page; out of date as soon as a phone on it changes or the school does."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select, union_all
from sqlalchemy.orm import Session, joinedload, selectinload

from ..models import (
    BY_CLASS,
    BatchKind,
    Body,
    Carer,
    Child,
    ContactCard,
    Definition,
    Enrolment,
    Parent,
    Post,
    Responsibility,
    Staff,
)
from . import bulk
from .definitions import holds, left_behind


@dataclass(frozen=True)
class Face:
    """What is printed on one card."""

    child: Child
    number: int
    first_on: dt.date | None
    """When the child's first card was issued; None: this is the first."""
    responsible: Staff | None
    carer: Carer | None
    village: Post | None


def phone_changes(on: dt.date, child_id: int | None = None) -> Select[Any]:
    """Rows (child_id, last): when, up to a day, a phone printed on a child's card changed last; of every child, or of one.

    Printed are the phones of the parents, the present carers, the class teacher and the responsible persons (ruling 8).
    """
    of_teacher = select(Child.id, Staff.phone_changed_on).join(Staff, Staff.id == Child.class_teacher_id)
    of_responsible = select(Responsibility.child_id, Staff.phone_changed_on).join(Staff, Staff.id == Responsibility.staff_id)
    printed = union_all(
        select(Parent.child_id.label("child_id"), Parent.phone_changed_on.label("changed")),
        select(Carer.child_id, Carer.phone_changed_on).where(holds(Carer, on)),
        of_teacher,
        of_responsible.where(holds(Responsibility, on)),
    ).subquery()
    changes = select(printed.c.child_id, func.max(printed.c.changed).label("last")).where(printed.c.changed <= on)
    of_one = printed.c.child_id == child_id
    return (changes if child_id is None else changes.where(of_one)).group_by(printed.c.child_id)


def without_valid_card(on: dt.date) -> Select[Any]:
    """Ids of the left-behind children without a card of their school, or whose card is older than a phone on it."""
    changes, issued = phone_changes(on).subquery(), func.max(ContactCard.issued_on)
    valid = (
        select(ContactCard.child_id)
        .join(Child, Child.id == ContactCard.child_id)
        .outerjoin(changes, changes.c.child_id == ContactCard.child_id)
        .where(ContactCard.issued_by_id == Child.school_id)
        .group_by(ContactCard.child_id, changes.c.last)
        .having(or_(changes.c.last.is_(None), changes.c.last <= issued))
    )
    return select(Child.id).where(Child.id.in_(left_behind(Definition.GF13, on)), Child.id.not_in(valid))


def faces(session: Session, child_ids: list[int], on: dt.date) -> list[Face]:
    """The cards of some children, class by class, in a fixed number of statements."""
    family = (
        selectinload(Child.parents).selectinload(Parent.statuses),
        selectinload(Child.carers),
        joinedload(Child.class_teacher),
        joinedload(Child.school),
    )
    children = session.scalars(select(Child).where(Child.id.in_(child_ids)).options(*family).order_by(*BY_CLASS)).all()
    serving = (
        select(Responsibility.child_id, Staff)
        .join(Staff, Staff.id == Responsibility.staff_id)
        .where(Responsibility.child_id.in_(child_ids), holds(Responsibility, on))
    )
    staff = dict(session.execute(serving).all())
    issued = select(ContactCard.child_id, func.max(ContactCard.number), func.min(ContactCard.issued_on))
    issued = issued.where(ContactCard.child_id.in_(child_ids)).group_by(ContactCard.child_id)
    earlier = {child_id: (number, first_on) for child_id, number, first_on in session.execute(issued)}
    posts = select(Post).where(Post.body == Body.VILLAGE, or_(Post.end.is_(None), Post.end > on))
    villages: dict[int, list[Post]] = {}
    for post in session.scalars(posts):
        villages.setdefault(post.school_id, []).append(post)
    return [
        Face(
            child,
            earlier.get(child.id, (0, None))[0] + 1,
            earlier.get(child.id, (0, None))[1],
            staff.get(child.id),
            next((c for c in reversed(child.carers) if c.end is None), None),
            _officer(villages.get(child.school_id, []), child),
        )
        for child in children
    ]


def _officer(posts: list[Post], child: Child) -> Post | None:
    """The village officer whose village stands in the child's address."""
    return next((p for p in posts if p.title and child.home_address and p.title in child.home_address), None)


def issue(session: Session, child_ids: list[int], on: dt.date) -> int:
    """Register cards as issued today, the next number of each child. Returns how many."""
    found = faces(session, child_ids, on)
    enrolled = set(session.scalars(select(Enrolment.child_id).where(Enrolment.child_id.in_(child_ids), Enrolment.end.is_(None))))
    found = [face for face in found if face.child.id in enrolled]
    if not found:
        return 0
    with bulk.recorded(session, BatchKind.CARDS, found[0].child.school_id, f"发卡 {len(found)} 张"):
        for face in found:
            at = face.child.school_id
            session.add(ContactCard(child_id=face.child.id, school_id=at, number=face.number, issued_on=on, issued_by_id=at))
    return len(found)
