"""A form makes one row, however often it is sent: an impatient second click, a proxy that repeats, a page reloaded (S89).

The form carries a number; the row and the number are saved in one transaction. Who comes second goes where the first went.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .access import SYSTEM
from .db import session_with
from .models import UsedForm
from .orm import utcnow


class SentTwice(Exception):
    """The form was saved before; ``location``: where its author went then."""

    def __init__(self, location: str):
        super().__init__(location)
        self.location = location


def number() -> str:
    """A number for an empty form."""
    return secrets.token_urlsafe(16)


def claim(session: Session, user_id: int, form: str, location: str) -> None:
    """Use up a form's number in this transaction. ``form``: the number; a form without one is taken as it comes.

    Two that come at the same moment wait for each other: for SQLite's only writer, or for the key in PostgreSQL.

    :raises SentTwice: when it is used up; this transaction is then rolled back already, with all that was changed in it.
    """
    if not form:
        return
    key, connection = hashlib.sha256(f"{user_id}|{form}".encode()).hexdigest(), session.connection()
    insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name]
    row = insert(UsedForm.__table__).values(key=key, location=location[:300], at=utcnow())
    if connection.execute(row.on_conflict_do_nothing().execution_options(preserve_rowcount=True)).rowcount != 1:
        session.rollback()
        with session_with(SYSTEM) as reading:
            raise SentTwice(reading.get_one(UsedForm, key).location)
