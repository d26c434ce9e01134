"""What is kept for a while and then forgotten: one place that knows how long, one function that forgets (个人信息保护法 art. 19, 47).

What a person wrote for good has its own way out (erasure.py); the log has none.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Attachment, AuditEntry, Draft, ImportBatch, ImportState, LoginFailure, LoginSession, UsedForm
from ..orm import utcnow
from . import attachments

DRAFTS = dt.timedelta(hours=24)
"""A form that came too late waits so long for its author."""
UPLOADS = dt.timedelta(hours=24)
"""A ledger that was uploaded and never confirmed: all its numbers lie in it."""
ORPHANS = dt.timedelta(days=1)
"""A file that no row knows: its row was erased, or never saved."""
FORMS = dt.timedelta(days=2)
"""The number of a form that was used: nobody sends it again later."""
LOGINS = dt.timedelta(days=180)
"""Sessions and refused tries: what the owner of an account is told at the next login, at most after 90 days; then as long as a log."""
AT_ONCE = 2000
"""Rows of a table forgotten at a time; the others wait for the next time."""
_AGES: tuple[tuple[Any, dt.timedelta], ...] = (
    (Draft.at, DRAFTS),
    (UsedForm.at, FORMS),
    (LoginFailure.at, LOGINS),
    (LoginSession.started_at, LOGINS),
)


def forget_old(session: Session, folder: Path) -> None:
    """Forget everything whose time is up. Called at the start of the server and at each login.

    :param session: one that sees everything; committed by the caller. ``folder``: where the attachments lie.
    """
    now = utcnow()
    for at, lasts in _AGES:
        for row in session.scalars(select(at.class_).where(at < now - lasts).order_by(at).limit(AT_ONCE)):
            session.delete(row)
    waiting = select(ImportBatch).where(ImportBatch.state == ImportState.WAITING, ImportBatch.created_at < now - UPLOADS)
    for batch in session.scalars(waiting.limit(AT_ONCE)):
        batch.state, batch.content = ImportState.DROPPED, None
    for path in _orphans(session, folder):
        path.unlink(missing_ok=True)


def _orphans(session: Session, folder: Path) -> list[Path]:
    """Files to unlink: none where more files lie than this database ever took in, for then it is not the one they belong to."""
    left_over = attachments.orphans(session, folder, ORPHANS)
    if not left_over:
        return []
    taken = select(func.count(AuditEntry.id)).where(
        AuditEntry.table_name == Attachment.__tablename__, AuditEntry.action == "create"
    )
    return left_over if len(list(attachments.files(folder))) <= (session.scalar(taken) or 0) else []
