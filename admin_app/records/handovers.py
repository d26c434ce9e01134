"""假期交接: every left-behind child, every holiday, from the school to household, carer and village, and back.

The plan, 三(二): in the gap of a holiday the school goes to village, family and entrusted carer and hands over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from .. import labels, spelling
from ..models import (
    BY_CLASS,
    BY_TOWNSHIP,
    CareKind,
    Carer,
    CareRecord,
    Child,
    Definition,
    Enrolment,
    Handover,
    HandoverState,
    Holiday,
    HolidayKind,
    School,
    Whereabouts,
)
from ..rules import Complaint
from . import county
from .definitions import left_behind

BULK_FIELDS = (
    "whereabouts", "place", "family_on", "family_way", "carer_on", "village_on", "village_person", "village_phone", "notice_on", "done_on", "handed_by",
    "received_by", "back_on", "back_state",
)  # fmt: skip
"""What a whole class can be given at once."""


@dataclass(frozen=True)
class Line:
    """One child in one holiday: where it is enrolled, its handover if there is one, its carer."""

    enrolment: Enrolment
    child: Child
    handover: Handover | None
    carer: Carer | None
    contacts: int

    @property
    def state(self) -> HandoverState:
        return self.handover.state if self.handover is not None else HandoverState.OPEN


def shown(session: Session, on: dt.date) -> Holiday | None:
    """The holiday to work on: one that is on or near, else the last one."""
    lead = dt.timedelta(days=60)
    soon = select(Holiday).where(Holiday.handover, Holiday.start <= on + lead).order_by(Holiday.start.desc()).limit(1)
    return session.scalar(soon) or session.scalar(select(Holiday).where(Holiday.handover).order_by(Holiday.start).limit(1))


def school_day_before(holiday: Holiday) -> dt.date:
    return holiday.start - dt.timedelta(days=1)


def expected(holiday: Holiday) -> Select[Any]:
    """The enrolments that a handover is due for: in the definition on the last day before the holiday."""
    day = school_day_before(holiday)
    return select(Enrolment.id).where(
        Enrolment.start <= day,
        or_(Enrolment.end.is_(None), Enrolment.end > day),
        Enrolment.child_id.in_(left_behind(Definition.GF13, day)),
    )


def lines(session: Session, holiday: Holiday, *, school_id: int | None = None) -> list[Line]:
    """Every child a handover is due for, class by class, in a fixed number of statements."""
    query = (
        select(Enrolment, Child)
        .join(Child, Child.id == Enrolment.child_id)
        .where(Enrolment.id.in_(expected(holiday)))
        .order_by(Enrolment.school_id, *BY_CLASS)
    )
    if school_id is not None:
        query = query.where(Enrolment.school_id.in_([school_id]))
    pairs = session.execute(query).all()
    done = {h.enrolment_id: h for h in session.scalars(select(Handover).where(Handover.holiday_id == holiday.id))}
    now = select(Carer).where(Carer.end.is_(None)).order_by(Carer.start)
    carers = {c.child_id: c for c in session.scalars(now)} if pairs else {}
    in_touch = dict(session.execute(_contacts(holiday)).all())
    return [Line(e, c, done.get(e.id), carers.get(c.id), in_touch.get(e.id, 0)) for e, c in pairs]


def _contacts(holiday: Holiday) -> Select[Any]:
    counted = select(CareRecord.enrolment_id, func.count(CareRecord.id))
    within = (CareRecord.on >= holiday.start) & (CareRecord.on <= holiday.last_day)
    return counted.where(within, CareRecord.kind.in_((CareKind.HOLIDAY, CareKind.CONTACT))).group_by(CareRecord.enrolment_id)


def contacts_wanted(session: Session, holiday: Holiday) -> int:
    """How many contacts a holiday asks for (the county's setting)."""
    keys = {HolidayKind.WINTER: "winter_contacts", HolidayKind.SUMMER: "summer_contacts"}
    return county.number(session, keys[holiday.kind]) if holiday.kind in keys else 0


def set_for(session: Session, holiday: Holiday, chosen: Iterable[Line], values: Mapping[str, Any], *, only_empty: bool) -> int:
    """Write the same values into the handovers of some children; rows are made where there are none yet.

    :param only_empty: leave what is already filled in as it is.
    :raises Complaint: for a child that is to be back without having been handed over, naming it.
    """
    count = 0
    for line in chosen:
        row = line.handover or _new(holiday, line)
        for name, value in values.items():
            if value is not None and not (only_empty and getattr(row, name) is not None):
                setattr(row, name, value)
        if row.back_on is not None and row.back_on < holiday.start:
            raise Complaint(f"{line.child.name}：返校日期早于假期（{holiday.start}）。", "back_on")
        if row.whereabouts is Whereabouts.PARENTS and not row.place:
            raise Complaint(f"{line.child.name}：到父母务工地须填地点。", "place")
        session.add(row)
        count += 1
    return count


def _new(holiday: Holiday, line: Line) -> Handover:
    """A new handover takes the carer of the term as the holiday's, to be changed where it is another."""
    stay, carer = line.enrolment, line.carer
    row = Handover(holiday_id=holiday.id, enrolment_id=stay.id, child_id=stay.child_id, school_id=stay.school_id)
    if carer is not None:
        row.carer_name, row.carer_relation, row.carer_phone = carer.name, carer.relation, carer.phone
    return row


def red_list_due(session: Session, on: dt.date) -> Holiday | None:
    """The holiday whose open handovers belong on the home page today: from some days before until term begins again."""
    lead = dt.timedelta(days=county.number(session, "handover_lead_days"))
    near = select(Holiday).where(Holiday.handover, Holiday.start <= on + lead, Holiday.last_day >= on - dt.timedelta(days=20))
    return session.scalar(near.order_by(Holiday.start.desc()).limit(1))


def open_count(session: Session, holiday: Holiday, on: dt.date) -> int:
    """How many children are not handed over yet; once the holiday is over, how many are not back."""
    over = on > holiday.last_day
    enough = (HandoverState.BACK,) if over else (HandoverState.DONE, HandoverState.BACK)
    closed = select(Handover.enrolment_id).where(Handover.holiday_id == holiday.id, Handover.state.in_(enough))
    return (
        session.scalar(select(func.count(Enrolment.id)).where(Enrolment.id.in_(expected(holiday)), Enrolment.id.not_in(closed)))
        or 0
    )


def by_village(found: list[Line]) -> dict[str, list[Line]]:
    """One page a village: who stays there in the holiday (the village as written in the address up to 村 or 社区)."""
    pages: dict[str, list[Line]] = {}
    for line in found:
        where = line.handover.whereabouts if line.handover else None
        if where in (None, Whereabouts.VILLAGE, Whereabouts.KIN, Whereabouts.OTHER):
            pages.setdefault(village_of(line.child.home_address), []).append(line)
    return dict(sorted(pages.items(), key=lambda page: spelling.order(page[0])))


def village_of(address: str | None) -> str:
    """晨光镇和平村3组 -> 晨光镇和平村; without one the address's own first words."""
    text = address or ""
    for mark in ("社区", "居委会", "村委会", "村"):
        head, found, _rest = text.partition(mark)
        if found:
            return head + found
    return text[:12] or "住址未填"


def committee_of(address: str | None) -> str:
    """晨光镇和平村3组 -> 晨光镇和平村民委员会, as its seal says."""
    village = village_of(address)
    for mark, seal in (("村委会", "村民委员会"), ("居委会", "居民委员会"), ("社区", "社区居民委员会"), ("村", "村民委员会")):
        if village.endswith(mark):
            return village.removesuffix(mark) + seal
    return "村（居）民委员会"


@dataclass(frozen=True)
class Sum:
    """A school's handovers in one holiday: how many in each state."""

    school: School
    expected: int
    family: int
    village: int
    done: int
    back: int
    away: int

    @property
    def open(self) -> int:
        return self.expected - self.done


def summary(session: Session, holiday: Holiday) -> list[Sum]:
    """假期交接汇总 by school, each later step counted in the earlier ones; four statements."""
    due = dict(session.execute(_count_by_school(Enrolment.id.in_(expected(holiday)))).all())
    states = select(Handover.school_id, Handover.state, func.count(Handover.id)).where(
        Handover.holiday_id == holiday.id, Handover.enrolment_id.in_(expected(holiday))
    )
    counted: dict[int, dict[HandoverState, int]] = {}
    for school, state, n in session.execute(states.group_by(Handover.school_id, Handover.state)):
        counted.setdefault(school, {})[state] = n
    away = select(Handover.school_id, func.count(Handover.id)).where(
        Handover.holiday_id == holiday.id, Handover.whereabouts == Whereabouts.PARENTS
    )
    with_parents = dict(session.execute(away.group_by(Handover.school_id)).all())
    schools = session.scalars(select(School).where(School.id.in_(due)).order_by(*BY_TOWNSHIP))
    return [_sum(s, due[s.id], counted.get(s.id, {}), with_parents.get(s.id, 0)) for s in schools]


def _sum(school: School, due: int, counted: dict[HandoverState, int], away: int) -> Sum:
    order = [HandoverState.FAMILY, HandoverState.VILLAGE, HandoverState.DONE, HandoverState.BACK]
    reached = {state: sum(counted.get(later, 0) for later in order[n:]) for n, state in enumerate(order)}
    return Sum(school, due, *(reached[state] for state in order), away)


def _count_by_school(condition: Any) -> Select[Any]:
    return select(Enrolment.school_id, func.count(Enrolment.id)).where(condition).group_by(Enrolment.school_id)


def parsed(form: Mapping[str, str]) -> dict[str, Any]:
    """The values of a bulk form, each through its column's own check.

    :raises Complaint: naming the field that cannot be used.
    """
    values: dict[str, Any] = {}
    for name in BULK_FIELDS:
        value, complaint = labels.parsed_for_form(Handover, name, form.get(name, ""))
        if complaint:
            raise Complaint(f"{labels.label(Handover, name)}：{complaint}", name)
        if value is not None:
            values[name] = value
    return values
