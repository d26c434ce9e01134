"""Everything on one child, in a fixed number of statements however many records there are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from ..models import (
    Attendance,
    Carer,
    CareRecord,
    Child,
    ContactCard,
    Enrolment,
    Parent,
    Participation,
    Responsibility,
    StateNote,
    StateSide,
    Term,
)
from . import completeness, definitions
from .completeness import REQUIREMENTS, Requirement
from .definitions import Finding

LATEST = 200
"""A timeline shows this many records of a kind; the rest are behind the list."""


@dataclass(frozen=True)
class Event:
    """One line of the timeline."""

    on: dt.date
    kind: str
    words: str
    table: str
    row_id: int
    school_id: int
    detail: str = ""


@dataclass(frozen=True)
class Dossier:
    child: Child
    finding: Finding
    missing: list[Requirement]
    parents: list[Parent]
    carers: list[Carer]
    responsible: Responsibility | None
    card: ContactCard | None
    card_state: str
    states: list[tuple[Term, dict[StateSide, StateNote]]]
    enrolments: list[Enrolment]
    events: list[Event]
    term: Term | None

    @property
    def filled(self) -> int:
        return len(REQUIREMENTS) - len(self.missing)

    @property
    def wanted(self) -> int:
        return len(REQUIREMENTS)


def of(session: Session, child: Child, on: dt.date) -> Dossier:
    """The dossier of a child as of a day."""
    parents = list(
        session.scalars(
            select(Parent).where(Parent.child_id == child.id).options(selectinload(Parent.statuses)).order_by(Parent.side)
        )
    )
    carers = list(session.scalars(select(Carer).where(Carer.child_id == child.id).order_by(Carer.start.desc())))
    responsible = session.scalar(
        select(Responsibility)
        .where(
            Responsibility.child_id == child.id,
            Responsibility.start <= on,
            or_(Responsibility.end.is_(None), Responsibility.end > on),
        )
        .options(joinedload(Responsibility.staff))
        .order_by(Responsibility.start.desc())
        .limit(1)
    )
    card = session.scalar(
        select(ContactCard).where(ContactCard.child_id == child.id).order_by(ContactCard.issued_on.desc()).limit(1)
    )
    term = completeness.current_term(session, on)
    return Dossier(
        child=child,
        finding=definitions.findings(session, [child.id], on)[child.id],
        missing=completeness.missing(session, [child.id], on).get(child.id, list(REQUIREMENTS)),
        parents=parents,
        carers=carers,
        responsible=responsible,
        card=card,
        card_state=_card_state(card, child, parents, carers, responsible),
        states=_states(session, child.id),
        enrolments=list(
            session.scalars(
                select(Enrolment)
                .where(Enrolment.child_id == child.id)
                .options(joinedload(Enrolment.school))
                .order_by(Enrolment.start.desc())
            )
        ),
        events=_events(session, child.id),
        term=term,
    )


def _card_state(
    card: ContactCard | None, child: Child, parents: list[Parent], carers: list[Carer], held: Responsibility | None
) -> str:
    """有效, 待换 (a phone on it changed since, or another school issued it) or 未发."""
    if card is None:
        return "未发"
    days = [p.phone_changed_on for p in parents] + [c.phone_changed_on for c in carers if c.end is None]
    days += [held.staff.phone_changed_on] if held else []
    changed = max((day for day in days if day), default=None)
    return "待换" if card.issued_by_id != child.school_id or (changed and changed > card.issued_on) else "有效"


def _states(session: Session, child_id: int) -> list[tuple[Term, dict[StateSide, StateNote]]]:
    notes = select(StateNote).where(StateNote.child_id == child_id).options(joinedload(StateNote.term)).order_by(StateNote.on)
    by_term: dict[int, tuple[Term, dict[StateSide, StateNote]]] = {}
    for note in session.scalars(notes):
        by_term.setdefault(note.term_id, (note.term, {}))[1][note.side] = note
    return sorted(by_term.values(), key=lambda pair: pair[0].start, reverse=True)


def _events(session: Session, child_id: int) -> list[Event]:
    care = select(CareRecord).where(CareRecord.child_id == child_id).options(joinedload(CareRecord.staff))
    events = [_care(record) for record in session.scalars(care.order_by(CareRecord.on.desc()).limit(LATEST))]
    took_part = select(Participation).where(Participation.child_id == child_id).options(joinedload(Participation.activity))
    events += [
        Event(p.activity.on, "活动", p.activity.title, "activity", p.activity_id, p.school_id)
        for p in session.scalars(took_part.limit(LATEST))
        if p.activity is not None
    ]
    signed = select(Attendance).where(Attendance.child_id == child_id).options(joinedload(Attendance.session))
    events += [
        Event(a.session.on, "培训", f"{a.session.title} · {a.carer_name} {a.how}", "training_session", a.session_id, a.school_id)
        for a in session.scalars(signed.limit(LATEST))
        if a.session is not None
    ]
    return sorted(events, key=lambda event: event.on, reverse=True)


def _care(record: CareRecord) -> Event:
    parts: list[Any] = [record.way, record.staff.name if record.staff else "", record.partner or "", record.effect or ""]
    words = " · ".join(str(part) for part in parts if part)
    return Event(record.on, str(record.kind), words, "care_record", record.id, record.school_id, record.content or "")
