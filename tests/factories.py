"""Plain functions that make rows. Everybody is invented; ID numbers lie in the unassigned area 539999."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from sqlalchemy.orm import Session

from admin_app import models as m, rules
from admin_app.models import ParentState

_serial = itertools.count(1)
ENTERED = dt.datetime(2025, 9, 10, tzinfo=dt.UTC)
"""When old records were entered: before any cut-off."""


def id_number(born: dt.date, *, male: bool = True, order: int | None = None) -> str:
    order = next(_serial) % 400 * 2 + int(male) if order is None else order  # 900 and more belong to the cast
    first = f"539999{born:%Y%m%d}{order:03}"
    return first + rules.check_digit(first)


def phone() -> str:
    return f"199{next(_serial):08}"


def school(session: Session, code: str, name: str, **more: Any) -> m.School:
    defaults: dict[str, Any] = {"kind": m.SchoolKind.CENTRE, "assessed": True, "school_group": m.SchoolGroup.PRIMARY, "pupils": 100}
    row = m.School(code=code, name=name, **(defaults | more))
    session.add(row)
    session.flush()
    return row


def staff(session: Session, at: m.School, name: str = "施老师", **more: Any) -> m.Staff:
    row = m.Staff(
        school_id=at.id, name=name, start=dt.date(2020, 9, 1), phone=phone(), phone_changed_on=dt.date(2024, 9, 1), **more
    )
    session.add(row)
    session.flush()
    return row


def child(session: Session, at: m.School, name: str, *, born: dt.date = dt.date(2016, 5, 6), **more: Any) -> m.Child:
    """A boy, enrolled since autumn 2025, without an ID number or a family yet."""
    start = more.pop("start", dt.date(2025, 9, 1))
    defaults: dict[str, Any] = {
        "sex": m.Sex.MALE,
        "ethnic": m.Ethnic.E07,
        "grade": m.Grade.P3,
        "class_name": "1班",
        "hukou": m.Hukou.FARM,
        "home_address": "和平村3组",
    }
    row = m.Child(school_id=at.id, name=name, birth_date=born, **(defaults | more))
    session.add(row)
    session.flush()
    session.add(m.Enrolment(child_id=row.id, school_id=at.id, child_name=name, start=start))
    session.flush()
    return row


def parent(
    session: Session,
    of: m.Child,
    side: m.Side,
    state: ParentState = ParentState.AWAY,
    since: dt.date = dt.date(2024, 2, 1),
    **more: Any,
) -> m.Parent:
    name = f"{of.name[0]}{'大' if side is m.Side.FATHER else '小'}某"
    row = m.Parent(
        child_id=of.id, school_id=of.school_id, side=side, name=name, phone=phone(), phone_changed_on=dt.date(2024, 9, 1)
    )
    session.add(row)
    session.flush()
    session.add(
        m.ParentStatus(
            child_id=of.id,
            school_id=of.school_id,
            parent_id=row.id,
            state=state,
            start=since,
            end=more.get("until"),
            place="广东东莞",
        )
    )
    session.flush()
    return row


def left_behind(session: Session, at: m.School, name: str, **more: Any) -> m.Child:
    """A child whose parents are both away: GF13."""
    row = child(session, at, name, **more)
    for side in m.Side:
        parent(session, row, side)
    return row


def carer(session: Session, of: m.Child, name: str = "祖大娘", **more: Any) -> m.Carer:
    defaults: dict[str, Any] = {"relation": m.Kinship.GRANDMOTHER, "phone": phone(), "age": 62, "occupation": m.Occupation.FARMING}
    row = m.Carer(
        child_id=of.id, school_id=of.school_id, name=name, start=dt.date(2024, 9, 1), address="和平村3组",
        phone_changed_on=dt.date(2024, 9, 1), **(defaults | more),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def enrolment(session: Session, of: m.Child) -> m.Enrolment:
    return session.query(m.Enrolment).filter(m.Enrolment.child_id == of.id).order_by(m.Enrolment.start.desc()).first()


def event(session: Session, model: type, of: m.Child, **more: Any) -> Any:
    """A CareEvent of a child, entered in time unless said otherwise."""
    stay = enrolment(session, of)
    row = model(enrolment_id=stay.id, child_id=of.id, school_id=stay.school_id, **({"created_at": ENTERED} | more))
    session.add(row)
    session.flush()
    return row


def talk(session: Session, of: m.Child, on: dt.date, **more: Any) -> m.CareRecord:
    return event(session, m.CareRecord, of, **({"kind": m.CareKind.TALK, "way": m.CareWay.FACE, "on": on} | more))


def responsible(session: Session, of: m.Child, by: m.Staff, **more: Any) -> m.Responsibility:
    row = m.Responsibility(child_id=of.id, school_id=of.school_id, staff_id=by.id, **({"start": dt.date(2025, 9, 1)} | more))
    session.add(row)
    session.flush()
    return row


def card(session: Session, of: m.Child, on: dt.date = dt.date(2025, 9, 20), **more: Any) -> m.ContactCard:
    row = m.ContactCard(
        child_id=of.id, school_id=of.school_id, issued_on=on, **({"issued_by_id": of.school_id, "created_at": ENTERED} | more)
    )
    session.add(row)
    session.flush()
    return row


def code_id(session: Session, code: str) -> int:
    return session.query(m.Code.id).filter(m.Code.code == code).scalar()


def term_id(session: Session, code: str) -> int:
    return session.query(m.Term.id).filter(m.Term.code == code).scalar()


def of_school(session: Session, model: type, at: m.School, **more: Any) -> Any:
    """A record of a school's work, entered in time unless said otherwise."""
    row = model(school_id=at.id, **({"created_at": ENTERED} | more))
    session.add(row)
    session.flush()
    return row


def of_file(session: Session, model: type, of: m.Child, **more: Any) -> Any:
    """A record that follows the child, entered in time unless said otherwise."""
    return of_school(session, model, of.school, child_id=of.id, **more)


def activity(session: Session, at: m.School, code: str, on: dt.date, **more: Any) -> m.Activity:
    return of_school(
        session, m.Activity, at, **({"title": f"{at.name} {code}", "kind_id": code_id(session, code), "on": on} | more)
    )


def transfer(session: Session, of: m.Child, to: m.School, on: dt.date, **more: Any) -> m.Transfer:
    return of_file(session, m.Transfer, of, to_school_id=to.id, child_name=of.name, proposed_on=on, **more)
