"""Who may open a view, and the actor of the request."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any, ClassVar, NoReturn

from flask import abort, has_app_context, request
from flask_login import current_user

from .. import audit
from ..access import NOTHING, Action, Scope, scope_in
from ..db import db, writing
from ..models import Resource


def current_scope() -> Scope:
    """The scope of the request, asked through its session: one source."""
    return scope_in(db.session()) if has_app_context() and request else NOTHING


def note(action: str, table_name: str, row_id: object = "", school_id: int | None = None, **what: Any) -> None:
    """Leave a log entry for a read, in a short transaction of its own, before the answer is sent."""
    note_each(action, table_name, [(row_id, school_id)], **what)


def note_each(action: str, table_name: str, rows: Iterable[tuple[object, int | None]], **what: Any) -> None:
    """The same entry for several rows (id, school), in one transaction.

    A request that may write holds SQLite's only write lock itself, so there its own session takes the entry.
    """
    own = db.session()
    with nullcontext(own) if own.info.get("writes") else writing(current_scope()) as session:
        for row_id, school_id in rows:
            audit.note(session, action, table_name, row_id, school_id, **what)
        session.commit()


class Gate:
    """Who may open a view: closed unless the role table says otherwise; 403 for no right."""

    resource: ClassVar[Resource]
    needs: ClassVar[dict[str, Action]] = {}
    """Endpoint function -> the right it takes; what is not listed takes READ."""

    def is_accessible(self) -> bool:
        return current_scope().may(Action.READ, self.resource)

    def _handle_view(self, name: str, **_kwargs: Any) -> None:
        if not current_user.is_authenticated or not self.is_accessible():
            abort(403)
        if not current_scope().may(self.needs.get(name, Action.READ), self.resource):
            abort(403)

    @staticmethod
    def forbid() -> NoReturn:
        abort(403)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # upstream calls the view a second time on any TypeError, which hides the true error
        return fn(self, *args, **kwargs)
