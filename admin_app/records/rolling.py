"""升级: the year's roll-over on 1 September, class by class, shown before it is done and undoable as one.

Grade +1 where the school teaches the next grade; who finishes the school goes on to another one (P6 to M1) or leaves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import BY_TOWNSHIP, Batch, BatchKind, Child, Enrolment, Grade, LeaveReason, School, SchoolKind, TransferKind
from ..rules import Complaint
from . import bulk, transfers

STAGES: dict[SchoolKind, str] = {
    SchoolKind.KINDERGARTEN: "K",
    SchoolKind.POINT: "P",
    SchoolKind.VILLAGE: "P",
    SchoolKind.CENTRE: "P",
    SchoolKind.PRIMARY: "P",
    SchoolKind.NINE_YEAR: "PM",
    SchoolKind.JUNIOR: "M",
    SchoolKind.COMPLETE: "MH",
    SchoolKind.SENIOR: "H",
    SchoolKind.VOCATIONAL: "V",
    SchoolKind.SPECIAL: "KPMH",
}
"""Which stages a kind of school teaches."""
AFTER = {Grade.K3: Grade.P1, Grade.K4: Grade.P1, Grade.P6: Grade.M1, Grade.M3: Grade.H1}
"""The grade that follows the last one of a stage; after H3 and V3 there is none."""
MUST_GO_ON = (Grade.P6,)
"""Compulsory education goes on: a primary leaver is never simply dismissed."""
NUMERALS = "一二三四五六七八九"

STAY, LEAVE = "", "leave"


@dataclass(frozen=True)
class Klass:
    """One class: where it is, how many are in it, and what the next year holds for it."""

    school: School
    grade: Grade
    name: str
    count: int
    next_grade: Grade | None
    goes_on_here: bool

    @property
    def key(self) -> str:
        return f"{self.school.id}-{self.grade.value}-{self.name}"

    @property
    def next_name(self) -> str:
        return next_class_name(self.name, self.grade, self.next_grade) if self.next_grade else self.name

    @property
    def must_go_on(self) -> bool:
        return not self.goes_on_here and self.grade in MUST_GO_ON


def next_grade(grade: Grade) -> Grade | None:
    """The grade of the following year, or None after the last."""
    if grade in AFTER:
        return AFTER[grade]
    following = f"{grade.value[0]}{int(grade.value[1]) + 1}"
    return Grade(following) if following in {g.value for g in Grade} else None


def next_class_name(name: str, old: Grade, new: Grade) -> str:
    """三(1)班 becomes 四(1)班; 1班 and 2017级1班 stay."""
    before, after = _ordinal(old), _ordinal(new)
    if name and before and after and name[0] == before:
        return after + name[1:]
    return name


def _ordinal(grade: Grade) -> str:
    n = int(grade.value[1]) + (6 if grade.value[0] == "M" else 0)
    return NUMERALS[n - 1] if grade.value[0] in "PM" else ""


def classes(session: Session) -> list[Klass]:
    """Every class of enrolled children the session may see, with what comes next."""
    query = (
        select(Child.school_id, Child.grade, Child.class_name, func.count(Child.id))
        .join(Enrolment, Enrolment.child_id == Child.id)
        .where(Enrolment.end.is_(None))
        .group_by(Child.school_id, Child.grade, Child.class_name, Child.class_order)
        .order_by(Child.class_order, Child.class_name)
    )
    rows = session.execute(query).all()
    there = session.scalars(select(School).where(School.id.in_({row[0] for row in rows})).order_by(*BY_TOWNSHIP))
    schools = {school.id: (place, school) for place, school in enumerate(there)}
    found = [_klass(schools[school_id][1], grade, name, count) for school_id, grade, name, count in rows]
    order = {grade: n for n, grade in enumerate(Grade)}
    return sorted(found, key=lambda k: (schools[k.school.id][0], -order[k.grade]))


def _klass(school: School, grade: Grade, name: str, count: int) -> Klass:
    following = next_grade(grade)
    here = following is not None and following.value[0] in STAGES.get(school.kind, "")
    return Klass(school, grade, name, count, following, here)


def done_since(session: Session, school_ids: set[int], since: dt.date) -> list[Batch]:
    """Roll-overs of these schools that stand since a day: twice in a year is a mistake."""
    moment = dt.datetime.combine(since, dt.time(), dt.UTC)
    standing = select(Batch).where(
        Batch.kind == BatchKind.ROLLOVER, Batch.school_id.in_(school_ids), Batch.undone_at.is_(None), Batch.created_at >= moment
    )
    return list(session.scalars(standing))


def year_start(on: dt.date) -> dt.date:
    """The July from which a roll-over belongs to the coming school year."""
    return dt.date(on.year if on.month >= 7 else on.year - 1, 7, 1)


def roll(session: Session, wanted: Mapping[str, tuple[str, str]], unit: School, on: dt.date) -> Batch:
    """Carry the roll-over out for the classes named.

    :param wanted: class key -> (new class name, where to: "" on at this school, "leave", or the id of another school).
    :raises Complaint: when a class is not there (any more), was rolled already, or a primary leaver has nowhere to go.
    """
    known = {klass.key: klass for klass in classes(session)}
    if unknown := set(wanted) - known.keys():
        raise Complaint(f"班级有变动，请刷新后重新核对（{len(unknown)} 个班）。")
    schools = {known[key].school.id for key in wanted}
    if done_since(session, schools | {unit.id}, year_start(on)):
        raise Complaint("本学年已升级。如需重做，请先在“批量操作”中撤销。")
    with bulk.recorded(session, BatchKind.ROLLOVER, unit.id, f"{on.year}年升级，{len(wanted)} 个班") as batch:
        for key, (class_name, to) in wanted.items():
            _roll_class(session, known[key], class_name, to, on)
    if batch.id is None:
        raise Complaint("没有要变动的班级：所选班级都是“逐人办理”。")
    return batch


def _roll_class(session: Session, klass: Klass, class_name: str, to: str, on: dt.date) -> None:
    children = pupils(session, klass)
    if klass.goes_on_here and to == STAY:
        for child in children:
            child.grade, child.class_name = klass.next_grade, class_name or klass.next_name
        return
    if to == LEAVE:
        if klass.must_go_on or klass.goes_on_here:
            raise Complaint(f"{klass.school} {klass.grade}{klass.name}：应升入本校或选升入学校，去向不一的请逐人办理转学。")
        for child in children:
            try:
                transfers.leave(session, child, on, LeaveReason.GRADUATED)
            except Complaint as e:
                raise Complaint(f"{child.name}：{e.text}", e.field) from None
        return
    if to == STAY:
        return  # nothing chosen: these are moved one by one
    target = session.get(School, int(to)) if to.isdecimal() and len(to) < 10 else None
    if target is None:
        raise Complaint(f"{klass.school} {klass.grade}{klass.name}：升入学校不是有效的选项。")
    transfers.propose_class(session, children, target, on, klass.next_grade, TransferKind.PROMOTION)


def pupils(session: Session, klass: Klass) -> list[Child]:
    """The enrolled children of a class."""
    inside = (
        select(Child)
        .join(Enrolment, Enrolment.child_id == Child.id)
        .where(Enrolment.end.is_(None), Child.school_id == klass.school.id, Child.grade == klass.grade)
        .where(Child.class_name == klass.name)
        .order_by(Child.name_order, Child.id)
    )
    return list(session.scalars(inside))
