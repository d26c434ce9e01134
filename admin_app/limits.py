"""How often an account may do what is logged: the entries of the last hour are the count, shared by all processes (ASVS 2.4.1)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import AuditEntry, AuditValue
from .orm import utcnow

WINDOW = dt.timedelta(hours=1)
LOOKUPS = 50
"""Look-ups come with every few letters that are typed: so many of them leave one entry."""


DENIED = 60
"""So many refusals in an hour leave an entry each; more of them say nothing new, and would flood the log."""
BORN_ON_A_DAY = 8
"""So many new children of one day a school may have; a list with more of them tries numbers out."""
STRANGERS = 60
"""So many children of other schools one list may name; more of them move by the class, or by the office."""


class TooOften(Exception):
    """The limit of an hour is reached: of which act, how many, and when it goes on."""

    def __init__(self, action: str, most: int, until: dt.datetime):
        super().__init__(action)
        self.action, self.most, self.until = action, most, until


def check(session: Session, user_id: int | None, action: str, most: int, coming: int = 1) -> None:
    """:param coming: how many entries of this act will be left; more than ``most`` at once go through in an hour with nothing else.
    :raises TooOften: when they would be more in an hour than ``most``.
    """
    if until := full_until(session, user_id, action, max(1, (most // LOOKUPS) if action == "lookup" else most), coming):
        raise TooOften(action, most, until)


def full_until(session: Session, user_id: int | None, action: str, most: int, coming: int = 1) -> dt.datetime | None:
    """Until when the hour of this account is full; None while there is room."""
    own = (AuditEntry.user_id == user_id, AuditEntry.action == action, AuditEntry.at > utcnow() - WINDOW)
    newest = select(AuditEntry.at).where(*own).order_by(AuditEntry.at.desc())
    at = session.scalar(newest.offset(max(most - coming, 0)).limit(1))
    return at + WINDOW if at else None


def questions(session: Session, user_id: int | None) -> set[str]:
    """What an account asked about children of other schools in the last hour: the fingerprints of its questions."""
    asked = select(AuditValue.changes).join(AuditEntry, AuditValue.entry_id == AuditEntry.id)
    asked = asked.where(AuditEntry.user_id == user_id, AuditEntry.action == "probe", AuditEntry.at > utcnow() - WINDOW)
    return {what["指纹"][1] for what in session.scalars(asked) if "指纹" in what}
