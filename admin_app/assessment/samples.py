"""抽查: children of a school drawn by lot, compared on the spot and asked; what is found makes up F20 and F21.

The lot decides alone: who draws again with the same number gets the same children, with no program at hand but a hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from .. import labels
from ..access import scope_in, shown
from ..models import (
    Carer,
    Child,
    ContactCard,
    Enrolment,
    Inspected,
    Inspection,
    Parent,
    ParentStatus,
    Responsibility,
    Round,
    Side,
)
from ..records.definitions import findings as left_behind
from ..rules import Complaint
from .facts import Window
from .facts.school import SMALLEST_SAMPLE
from .facts.window import Member

FIELDS = (
    "性别", "民族", "出生日期", "年级班级", "就读方式", "现住址", "父亲姓名", "父亲去向", "母亲姓名", "母亲去向", "留守类型",
    "照护人", "与儿童关系", "包保责任人", "联系卡发卡日期",
)  # fmt: skip
"""What is compared with the child, its carer and the paper, one by one."""


@dataclass(frozen=True)
class Finding:
    """What was found with one child. ``checked`` None: the child was not met."""

    checked: int | None
    wrong: int | None
    words: str
    satisfied: bool | None


def eligible(system: Session, round_: Round, school_id: int) -> list[Member]:
    """C of a unit (ruling 3), whom a sample may draw. ``system``: bound to SYSTEM."""
    return [member for member in Window.of(system, round_).children if member.unit == school_id]


def least(system: Session, round_: Round, school_id: int) -> int:
    """The smallest sample that is not refused (ruling 14): ten children, or all."""
    return min(SMALLEST_SAMPLE, len(eligible(system, round_, school_id)))


def draw(session: Session, system: Session, inspection: Inspection, wanted: int) -> list[Inspected]:
    """Draw the children of an inspection by its lot, as many as wanted and no fewer than the least.

    :raises Complaint: when it was drawn already, has no lot, or the school has no child to draw.
    """
    if inspection.sample:
        raise Complaint("已经抽过。要重抽请另建一次抽查，换抽签号。")
    if inspection.children or inspection.fields_checked or inspection.answers:
        raise Complaint("已经填了合计。要抽取儿童逐人填，请另建一次抽查。")
    if not inspection.lot:
        raise Complaint("请先填抽签号（当场抽取或商定的数字）。", "lot")
    members = eligible(system, inspection.round, inspection.school_id)
    if not members:
        raise Complaint("该校没有纳入考核的留守儿童，不用抽查。")
    count = max(wanted, min(SMALLEST_SAMPLE, len(members)))
    chosen = drawn(inspection, members)[:count]
    ids = [m.child_id for m in chosen]
    classes = dict(session.execute(select(Child.id, Child.class_name).where(Child.id.in_(ids))).all())
    names = dict(session.execute(select(Enrolment.id, Enrolment.child_name).where(Enrolment.child_id.in_(ids))).all())
    rows = [
        Inspected(
            inspection_id=inspection.id, enrolment_id=m.enrolment_id, child_id=m.child_id, school_id=m.school_id,
            child_name=names[m.enrolment_id], class_name=classes.get(m.child_id),
        )
        for m in chosen
    ]  # fmt: skip
    session.add_all(rows)
    return rows


def drawn(inspection: Inspection, members: Iterable[Member]) -> list[Member]:
    """All of them in the order of the lot: by the hash of lot, round, school and child."""
    lot = f"{inspection.lot}/{inspection.round.code}/{inspection.school.code}"
    return sorted(members, key=lambda m: hashlib.sha256(f"{lot}/{m.child_id}".encode()).hexdigest())


def record(inspection: Inspection, found: Mapping[int, Finding]) -> None:
    """Enter what was found with each child of a sample, and add it up in the inspection.

    :raises Complaint: naming the child whose numbers cannot be.
    """
    if not inspection.sample:
        raise Complaint("这次抽查没有抽取儿童，结果填在合计里。")
    for row in inspection.sample:
        finding = found.get(row.id)
        if finding is None:
            continue
        if finding.wrong is None and finding.checked is not None:
            raise Complaint(f"{row.child_name}：请填不符项数，没有不符的填 0；没有见到的都不填。")
        if finding.wrong is not None and finding.checked is None:
            finding = replace(finding, checked=len(FIELDS))
        if finding.checked is not None and finding.wrong is not None:
            if not 0 < finding.checked <= 60:
                raise Complaint(f"{row.child_name}：核对项数应为 1 至 60。")
            if not 0 <= finding.wrong <= finding.checked:
                raise Complaint(f"{row.child_name}：不符项数不能多于核对项数。")
            if finding.wrong and not finding.words:
                raise Complaint(f"{row.child_name}：有不符的，请写明是哪几栏。")
        row.fields_checked, row.fields_wrong, row.wrong = finding.checked, finding.wrong, finding.words or None
        row.satisfied = finding.satisfied
    met = [row for row in inspection.sample if row.fields_checked is not None]
    asked = [row for row in inspection.sample if row.satisfied is not None]
    inspection.children = len(met)
    inspection.fields_checked = sum(row.fields_checked or 0 for row in met)
    inspection.fields_wrong = sum(row.fields_wrong or 0 for row in met)
    inspection.answers, inspection.satisfied = len(asked), sum(bool(row.satisfied) for row in asked)


def paper(session: Session, inspection: Inspection) -> list[tuple[Inspected, list[tuple[str, str]]]]:
    """The drawn children with what the register says of each, to be compared on the spot."""
    rows = list(session.scalars(select(Inspected).where(Inspected.inspection_id == inspection.id).order_by(Inspected.id)))
    ids = [row.child_id for row in rows]
    children = {c.id: c for c in session.scalars(select(Child).where(Child.id.in_(ids)))}
    family = _family(session, ids, inspection.on)
    kinds = left_behind(session, ids, inspection.on)
    found = []
    for row in rows:
        child = children.get(row.child_id)
        said = family.get(row.child_id, {})
        if child is not None:
            said |= {
                "性别": str(child.sex), "民族": str(child.ethnic or ""), "出生日期": labels.day(child.birth_date),
                "年级班级": f"{child.grade or ''} {child.class_name or ''}".strip(), "现住址": child.home_address or "",
                "就读方式": "" if child.boarding is None else "住校" if child.boarding else "走读", "留守类型": kinds[child.id].kind,
            }  # fmt: skip
        found.append((row, [(name, said.get(name, "")) for name in FIELDS]))
    return found


def _family(session: Session, ids: list[int], on: Any) -> dict[int, dict[str, str]]:
    """Parents, carer, responsible person and card of some children, in five statements."""
    found: dict[int, dict[str, str]] = {child: {} for child in ids}
    sides = {Side.FATHER: "父亲", Side.MOTHER: "母亲"}
    parents = {p.id: p for p in session.scalars(select(Parent).where(Parent.child_id.in_(ids)))}
    for parent in parents.values():
        found[parent.child_id][f"{sides[parent.side]}姓名"] = parent.name
    scope = scope_in(session)
    for state in session.scalars(_current(ParentStatus, ids, on)):
        words = [shown(scope, ParentStatus, name, getattr(state, name), state.school_id) for name in ("state", "place")]
        where = "，".join(str(each) for each in words if each)
        found[state.child_id][f"{sides[parents[state.parent_id].side]}去向"] = where
    for carer in session.scalars(_current(Carer, ids, on)):
        found[carer.child_id] |= {"照护人": carer.name, "与儿童关系": str(carer.relation)}
    for duty in session.scalars(_current(Responsibility, ids, on).options(joinedload(Responsibility.staff))):
        found[duty.child_id]["包保责任人"] = duty.staff.name
    for card in session.scalars(select(ContactCard).where(ContactCard.child_id.in_(ids)).order_by(ContactCard.issued_on)):
        found[card.child_id]["联系卡发卡日期"] = labels.day(card.issued_on)
    return found


def _current(model: Any, ids: list[int], on: Any) -> Any:
    return (
        select(model)
        .where(model.child_id.in_(ids), model.start <= on, (model.end.is_(None)) | (model.end > on))
        .order_by(model.start)
    )


__all__ = ["FIELDS", "Finding", "draw", "drawn", "eligible", "least", "paper", "record"]
