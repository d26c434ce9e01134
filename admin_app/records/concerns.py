"""What needs a person's attention but is no reason to refuse: real life has exceptions (an uncle of 17, an able grandmother
of 75). Each is a sentence that says what is unusual and what to do; the record is saved all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import singledispatch
from typing import Any

from sqlalchemy import Select, extract, func, or_, select
from sqlalchemy.orm import Session

from ..models import (
    Agreement,
    CareKind,
    Carer,
    CareRecord,
    CarerHealth,
    Child,
    Grade,
    Handover,
    Holiday,
    Kinship,
    MandatoryReport,
    ParentState,
    ParentStatus,
    StateNote,
    Term,
)
from ..rules import at_age, years_before

ADULT, AGED, OLD = 18, 60, 70
CARER_AGES = {"60": ("60 岁及以上", AGED, 200), "70": ("70 岁及以上", OLD, 200), "18": ("未满 18 岁", 0, ADULT)}
"""Ages of a carer that one looks for: code -> words, from this age, to before that age."""
LATEST_AGE = {"K": 7, "P": 14, "M": 17, "H": 20, "V": 22}
"""The highest age one expects at a stage; above it somebody should look again."""
EARLIEST_AGE = {"K": 1, "P": 5, "M": 10, "H": 13, "V": 13}

Concerns = Iterator[str]


@singledispatch
def about(row: Any, _session: Session) -> Concerns:
    """The sentences about a row that has just been saved."""
    return iter(())


@about.register
def _child(child: Child, _session: Session) -> Concerns:
    years = age_on(child.birth_date, dt.date.today())
    stage = child.grade.value[0]
    if years > LATEST_AGE[stage] or years < EARLIEST_AGE[stage]:
        yield f"该儿童 {years} 岁，在读{child.grade}，请核对出生日期和年级。"


@about.register
def _carer(carer: Carer, _session: Session) -> Concerns:
    if carer.relation is Kinship.NOBODY:
        yield "登记为无人监护：未满16周岁不得独自生活，属于强制报告情形，请立即按“强制报告”办理并落实临时照护。"
        return
    years = age_of_carer(carer, dt.date.today())
    if years is not None and years < ADULT:
        yield f"照护人 {years} 岁，未满18周岁：受委托照护人应为完全民事行为能力人，请尽快与家长商定成年照护人。"
    if years is not None and years >= OLD:
        yield f"照护人 {years} 岁，请评估其照护能力，并在“监护情况评估”中如实填写。"
    elif years is not None and years >= AGED:
        yield f"照护人 {years} 岁，已满60岁，请留意其照护能力。"
    if carer.health in (CarerHealth.SERIOUS, CarerHealth.DISABLED):
        yield "照护人患重病或残疾，请评估其照护能力。"


@about.register
def _care_record(record: CareRecord, session: Session) -> Concerns:
    if record.kind is CareKind.TALK and term_of(session, record.on) is None:
        yield f"{record.on} 不在任何学期内；假期中的联系请选“假期联系”。"
    if record.kind is CareKind.HOLIDAY and holiday_of(session, record.on) is None:
        yield f"{record.on} 不在任何假期内，请核对日期。"
    if record.attention is not None and record.attention.value != "normal":
        yield "已列为重点关注，请在期限内跟进（再次谈心、家访或辅导会自动记为跟进）。"


@about.register
def _state_note(note: StateNote, session: Session) -> Concerns:
    term = session.get(Term, note.term_id)
    if term is not None and not term.start <= note.on <= term.last_day:
        yield f"{note.on} 不在{term.name}内，不计入该学期。"


@about.register
def _agreement(agreement: Agreement, session: Session) -> Concerns:
    carer = session.get(Carer, agreement.carer_id)
    if carer is not None and carer.end is not None and carer.end <= dt.date.today():
        yield f"{carer.name}已于 {carer.end} 不再照护，协议是否应同时终止？"
    if carer is not None and (years := age_of_carer(carer, agreement.start)) is not None and years < ADULT:
        yield f"受委托人 {years} 岁，未满18周岁，不宜受托。"
    if not agreement.heard:
        yield "尚未听取儿童意见（未成年人保护法第二十二条）。"
    if agreement.end is not None and agreement.end <= dt.date.today():
        yield "该协议已到期，请续签。"
    away = select(ParentStatus.id).where(
        ParentStatus.child_id == agreement.child_id, ParentStatus.state != ParentState.HOME, ParentStatus.end.is_(None)
    )
    if session.scalar(away.limit(1)) is None:
        yield "登记的父母去向均为在家，请核对是否仍需委托照护。"


@about.register
def _handover(handover: Handover, session: Session) -> Concerns:
    holiday = session.get(Holiday, handover.holiday_id)
    if holiday is None:
        return
    if handover.done_on is not None and handover.done_on > holiday.start + dt.timedelta(days=7):
        yield f"交接完成日在放假（{holiday.start}）一周以后，请核对。"
    if handover.back_on is not None and handover.back_on < holiday.start:
        yield f"返校日期早于假期（{holiday.start}），请核对。"


@about.register
def _report(report: MandatoryReport, _session: Session) -> Concerns:
    if report.reported_at is None:
        yield "尚未填写向公安机关报告的时间：请先拨打 110。"


def age_on(born: dt.date, day: dt.date) -> int:
    """Completed years on a day."""
    years = day.year - born.year
    return years if at_age(born, years) <= day else years - 1


def age_of_carer(carer: Carer, day: dt.date) -> int | None:
    """From the birth date, else from the age that was typed and the day it was typed."""
    if carer.birth_date is not None:
        return age_on(carer.birth_date, day)
    if carer.age is None:
        return None
    return carer.age + (day.year - carer.age_on.year if carer.age_on else 0)


def by_age_of_carer(key: str, day: dt.date) -> Select[Any]:
    """The ids of children whose present carer is of an age on a day (``CARER_AGES``), by birth date or by the age typed.

    :raises KeyError: for a key that is not there.
    """
    _words, lowest, below = CARER_AGES[key]
    grown = Carer.age + day.year - extract("year", func.coalesce(Carer.age_on, day))
    born = (
        Carer.birth_date.is_not(None)
        & (Carer.birth_date <= years_before(day, lowest))
        & (Carer.birth_date > years_before(day, below))
    )
    typed = Carer.birth_date.is_(None) & (grown >= lowest) & (grown < below)
    return select(Carer.child_id).where(or_(born, typed), Carer.start <= day, or_(Carer.end.is_(None), Carer.end > day))


def term_of(session: Session, day: dt.date) -> Term | None:
    return session.scalar(select(Term).where(Term.start <= day, Term.last_day >= day).limit(1))


def holiday_of(session: Session, day: dt.date) -> Holiday | None:
    return session.scalar(select(Holiday).where(Holiday.start <= day, Holiday.last_day >= day).limit(1))


def is_compulsory(grade: Grade) -> bool:
    """Grades 1 to 9: whoever stays away there is a dropout case (义务教育法)."""
    return grade.value[0] in "PM"
