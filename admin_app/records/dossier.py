"""Everything on one child, in a fixed number of statements however many records there are."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, String, cast, literal, or_, select, union_all
from sqlalchemy.orm import Session, joinedload, selectinload

from .. import labels
from ..access import Action, scope_in, shown
from ..models import (
    Agreement,
    Attendance,
    Carer,
    CareRecord,
    Category,
    Child,
    ContactCard,
    Counselling,
    DropoutCase,
    DropoutStep,
    Enrolment,
    Evaluation,
    Flag,
    Handover,
    HelpPlan,
    Letter,
    Pairing,
    Parent,
    Participation,
    Responsibility,
    StateNote,
    StateSide,
    Subsidy,
    Term,
    Transfer,
    TransferState,
)
from . import cards, completeness, definitions
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
    agreement: Agreement | None
    categories: list[Category]
    transfer: Transfer | None

    @property
    def kinds(self) -> list[str]:
        """The kinds of events there are, the most frequent first: the timeline's filter."""
        return [kind for kind, _n in Counter(event.kind for event in self.events).most_common()]

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
        card_state=_card_state(session, child, card, on),
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
        agreement=session.scalar(
            select(Agreement)
            .where(Agreement.child_id == child.id, or_(Agreement.end.is_(None), Agreement.end > on))
            .options(joinedload(Agreement.carer))
            .order_by(Agreement.start.desc())
            .limit(1)
        ),
        categories=list(
            session.scalars(
                select(Category)
                .where(Category.child_id == child.id, or_(Category.end.is_(None), Category.end > on))
                .order_by(Category.kind)
            )
        ),
        transfer=session.scalar(
            select(Transfer)
            .where(Transfer.child_id == child.id, Transfer.state.in_((TransferState.PENDING, TransferState.REQUESTED)))
            .options(joinedload(Transfer.to_school))
            .limit(1)
        ),
    )


def _card_state(session: Session, child: Child, card: ContactCard | None, on: dt.date) -> str:
    """有效, 待换 (a phone on it changed since, or another school issued it) or 未发."""
    if card is None:
        return "未发"
    changed = dict(session.execute(cards.phone_changes(on, child.id)).all()).get(child.id)
    older = changed is not None and changed > card.issued_on
    return "待换" if older or card.issued_by_id != child.school_id else "有效"


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
    events += _other_events(session, child_id)
    return sorted(events, key=lambda event: event.on, reverse=True)


def _care(record: CareRecord) -> Event:
    parts: list[Any] = [record.way, record.staff.name if record.staff else "", record.partner or "", record.effect or ""]
    words = " · ".join(str(part) for part in parts if part)
    return Event(record.on, str(record.kind), words, "care_record", record.id, record.school_id, record.content or "")


@dataclass(frozen=True)
class Source:
    """A table on the timeline: the column of its date and up to three columns that say what happened."""

    model: type[Any]
    day: Any
    columns: tuple[Any, ...]


SOURCES: tuple[Source, ...] = (
    Source(Handover, Handover.created_at, (Handover.state, Handover.whereabouts)),
    Source(Evaluation, Evaluation.on, (Evaluation.rater,)),
    Source(Letter, Letter.on, (Letter.way,)),
    Source(Pairing, Pairing.start, (Pairing.partner, Pairing.goals)),
    Source(HelpPlan, HelpPlan.created_at, (HelpPlan.need, HelpPlan.outcome)),
    Source(Flag, Flag.on, (Flag.level, Flag.source)),
    Source(Counselling, Counselling.on, (Counselling.counsellor, Counselling.level)),
    Source(Subsidy, Subsidy.start, (Subsidy.paid_by,)),
    Source(DropoutCase, DropoutCase.found_on, (DropoutCase.reason,)),
    Source(DropoutStep, DropoutStep.on, (DropoutStep.step,)),
    Source(Agreement, Agreement.signed_on, (Agreement.kind, Agreement.principals)),
    Source(Category, Category.start, (Category.kind,)),
    Source(Transfer, Transfer.proposed_on, (Transfer.kind, Transfer.state)),
    Source(ContactCard, ContactCard.issued_on, (ContactCard.number,)),
)
"""What else happened to a child: read in one statement, each part of it through the row filter."""


def _other_events(session: Session, child_id: int) -> list[Event]:
    readable = [source for source in SOURCES if scope_in(session).may(Action.READ, source.model.RESOURCE)]
    if not readable:
        return []
    parts = [
        select(
            literal(source.model.__tablename__),
            source.model.id,
            source.model.school_id,
            cast(source.day, String),
            *(cast(c, String) for c in source.columns),
            *(literal(None, String) for _ in range(2 - len(source.columns))),
        ).where(source.model.child_id == child_id)
        for source in readable
    ]
    of_table = {source.model.__tablename__: source for source in readable}
    return [_other(session, of_table[row[0]], row) for row in session.execute(union_all(*parts))]


def _other(session: Session, source: Source, row: Any) -> Event:
    table, row_id, school_id, day, *values = row
    words = []
    for column, value in zip(source.columns, values, strict=False):
        choices = labels.choices(source.model, column.key)
        known = choices(value) if choices and value else value
        if value and isinstance(column.type, Integer):
            words.append(f"第 {value} 张")  # the only number on the timeline is a card's
        elif known not in (None, ""):
            words.append(str(shown(scope_in(session), source.model, column.key, known, school_id)))
    kind = labels.of_table(table)
    return Event(dt.date.fromisoformat(day[:10]), kind, " · ".join(words) or kind, table, row_id, school_id)
