"""一卡: the 家校联系卡, four to an A4 page; out of date as soon as a phone on it changes or the school does."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from ..models import (
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
from .definitions import left_behind


@dataclass(frozen=True)
class Face:
    """What is printed on one card."""

    child: Child
    number: int
    responsible: Staff | None
    carer: Carer | None
    village: Post | None


def without_valid_card(on: dt.date) -> Select[Any]:
    """Ids of the left-behind children without a card of their school, or whose card is older than a phone on it."""
    newest = (
        select(func.max(ContactCard.issued_on))
        .where(ContactCard.child_id == Child.id, ContactCard.issued_by_id == Child.school_id, ContactCard.deleted_at.is_(None))
        .correlate(Child)
        .scalar_subquery()
    )
    parent = exists().where(Parent.child_id == Child.id, Parent.deleted_at.is_(None), Parent.phone_changed_on > newest)
    carer = exists().where(
        Carer.child_id == Child.id, Carer.deleted_at.is_(None), Carer.end.is_(None), Carer.phone_changed_on > newest
    )
    staff = exists().where(
        Responsibility.child_id == Child.id,
        Responsibility.deleted_at.is_(None),
        Responsibility.end.is_(None),
        Staff.id == Responsibility.staff_id,
        Staff.phone_changed_on > newest,
    )
    return select(Child.id).where(Child.id.in_(left_behind(Definition.GF13, on)), or_(newest.is_(None), parent, carer, staff))


def faces(session: Session, child_ids: list[int], on: dt.date) -> list[Face]:
    """The cards of some children, class by class, in a fixed number of statements."""
    family = (selectinload(Child.parents), selectinload(Child.carers), joinedload(Child.class_teacher), joinedload(Child.school))
    children = session.scalars(
        select(Child)
        .where(Child.id.in_(child_ids))
        .options(*family)
        .order_by(Child.school_id, Child.grade, Child.class_name, Child.name)
    ).all()
    serving = (
        select(Responsibility.child_id, Staff)
        .join(Staff, Staff.id == Responsibility.staff_id)
        .where(Responsibility.child_id.in_(child_ids), Responsibility.start <= on)
        .where(or_(Responsibility.end.is_(None), Responsibility.end > on))
    )
    staff = dict(session.execute(serving).all())
    last = select(ContactCard.child_id, func.max(ContactCard.number)).where(ContactCard.child_id.in_(child_ids))
    numbers = dict(session.execute(last.group_by(ContactCard.child_id)).all())
    posts = select(Post).where(Post.body == Body.VILLAGE, or_(Post.end.is_(None), Post.end > on))
    villages: dict[int, list[Post]] = {}
    for post in session.scalars(posts):
        villages.setdefault(post.school_id, []).append(post)
    return [
        Face(
            child,
            numbers.get(child.id, 0) + 1,
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
