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


class TooOften(Exception):
    """The limit of an hour is reached: of which act, how many, and when it goes on."""

    def __init__(self, action: str, most: int, until: dt.datetime):
        super().__init__(action)
        self.action, self.most, self.until = action, most, until


def check(session: Session, user_id: int | None, action: str, most: int, coming: int = 1) -> None:
    """:param coming: how many entries the act will leave; more than ``most`` at once go through in an hour with nothing else.
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


def tries(session: Session, user_id: int | None) -> set[tuple[str, str, str]]:
    """Whom an account asked about in the last hour that another school has: child, name and birth date as they were typed."""
    asked = select(AuditEntry.row_id, AuditValue.changes).join(AuditValue, AuditValue.entry_id == AuditEntry.id)
    asked = asked.where(AuditEntry.user_id == user_id, AuditEntry.action == "probe", AuditEntry.at > utcnow() - WINDOW)
    return {(row_id, what["姓名"][1], what["出生日期"][1]) for row_id, what in session.execute(asked)}
