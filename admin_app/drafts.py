"""草稿: forms that came after their login had run out, kept sealed for their own author for a day."""

from __future__ import annotations

import datetime as dt
import json
import re
from urllib.parse import urlencode

from flask import request
from flask_wtf.csrf import validate_csrf
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms.validators import ValidationError

from .access import SYSTEM
from .db import session_with, writing
from .models import Draft
from .orm import utcnow
from .records import expiry

LARGEST, MOST = 200 * 1024, 5
PASSWORD_FIELDS = {"password", "confirm_password"}
"""Never kept with what somebody typed."""
PACKAGE_PASSWORD = "package_password"  # noqa: S105 # nosec B105 # the name of a field
"""Of a file that leaves: sent along when a form is sent again, but kept nowhere."""


def may_be_kept() -> bool:
    """Is what arrived a form from a page of ours, and not too large?

    The check of the page's token comes after this one, so it is made here: of a forgotten form its age alone is forgiven,
    and a page of another origin, which knows no token of this browser, plants nothing.
    """
    is_form = request.mimetype == "application/x-www-form-urlencoded" and 0 < (request.content_length or 0) <= LARGEST
    if not (is_form and request.endpoint) or request.blueprint == "sign_in" or request.endpoint.endswith(ASKS):
        return False
    try:
        validate_csrf(request.form.get("csrf_token"), time_limit=10**9)
    except ValidationError:
        return False
    return True


def keep(session: Session, user_id: int) -> None:
    """Keep the form of this request, in place of an earlier one of the same page or of the oldest of many."""
    others = session.scalars(select(Draft).where(Draft.user_id == user_id).order_by(Draft.id.desc())).all()
    for at, other in enumerate(others, start=1):
        if other.path == page() or at >= MOST:
            session.delete(other)
    fields = [(name, value) for name, value in typed() if name != PACKAGE_PASSWORD]
    session.add(Draft(user_id=user_id, path=page(), fields=json.dumps(fields, ensure_ascii=False)))


def typed() -> list[tuple[str, str]]:
    """What was filled into the form of this request, without its token and without a password."""
    return [(name, value) for name, value in request.form.items(multi=True) if name not in {"csrf_token", *PASSWORD_FIELDS}]


def waiting(user_id: int) -> list[tuple[int, str, dt.datetime]]:
    """(id, page, when) of the forms that wait for their author, newest first."""
    own = select(Draft.id, Draft.path, Draft.at).where(Draft.user_id == user_id, Draft.at > utcnow() - expiry.DRAFTS)
    with session_with(SYSTEM) as session:
        return [(number, path, at) for number, path, at in session.execute(own.order_by(Draft.id.desc()))]


def take(user_id: int, draft_id: int | None) -> tuple[str, MultiDict[str, str]] | None:
    """The page and fields of one's own draft. It stays until its form is saved or dropped."""
    with session_with(SYSTEM) as session:
        draft = _own(session, user_id, draft_id)
        return (draft.path, MultiDict((name, value) for name, value in json.loads(draft.fields))) if draft else None


def drop(user_id: int, draft_id: int | None) -> bool:
    with writing(SYSTEM) as session:
        draft = _own(session, user_id, draft_id)
        if draft is not None:
            session.delete(draft)
        return draft is not None


def page() -> str:
    """This page's address with the ids and codes that choose it; a name or a number of a person is never among them."""
    plain = [(k, v) for k, v in request.args.items(multi=True) if _PLAIN.fullmatch(v) and re.fullmatch("[a-z_]{1,30}", k)]
    chosen = [(k, v) for k, v in plain if k not in ("draft", "url", "search")][:5]
    return request.path + (f"?{urlencode(chosen)}" if chosen else "")


ASKS = (".index_view", ".ajax_lookup")
"""Posted to as well, but only to ask for something: there is nothing to keep."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,12}")


def _own(session: Session, user_id: int, draft_id: int | None) -> Draft | None:
    own = (Draft.id == draft_id, Draft.user_id == user_id, Draft.at > utcnow() - expiry.DRAFTS)
    return session.scalar(select(Draft).where(*own)) if draft_id else None
