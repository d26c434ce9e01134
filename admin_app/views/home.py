"""The first page of each role: what to do next, with counts that open their rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import url_for
from flask_admin import AdminIndexView, expose
from flask_babel import lazy_gettext
from flask_login import current_user
from sqlalchemy import func, select

from ..access import SYSTEM, Action, Role
from ..assessment import results, todo, workbooks
from ..db import db, session_with
from ..models import Child, Definition, Resource, Round, School, Sheet, Township
from ..records import definitions, full_exports, notices, overview
from .gate import Gate, current_scope


class HomeView(Gate, AdminIndexView):
    resource = Resource.SCHOOLS
    in_menu = True
    group = ""
    section = ""

    def __init__(self) -> None:
        super().__init__(name=lazy_gettext("首页"), url="/")

    def is_accessible(self) -> bool:
        return current_user.is_authenticated

    def _handle_view(self, name: str, **kwargs: Any) -> None:
        return None

    @expose("/")
    def index(self) -> str:
        scope, session, today = current_scope(), db.session(), dt.date.today()
        if not scope.may(Action.READ, Resource.REGISTER):
            return self.render("home/admin.html", today=today)
        scores = scope.may(Action.READ, Resource.SCORES)
        round_ = results.newest(session) if scores else None
        return self.render(
            "home/home.html",
            today=today,
            counts=overview.counts(session, today),
            gaps=overview.GAPS,
            schools=session.scalar(select(func.count(School.id)).where(School.assessed)),
            waiting=[(each, _opens(each.key)) for each in self._waiting(today)],
            unread=list(session.scalars(notices.for_me(session).limit(5))) if scope.school_ids else [],
            townships=self._townships(today) if scope.reads_everywhere else [],
            round=round_,
            results=self._results(round_) if round_ and round_.is_frozen else None,
            office=Role.OFFICE in scope.roles,
            own=self._own_sheet(round_) if round_ else None,
            by_group=workbooks.by_group,
            rank_words=workbooks.rank_words,
            subtotal=workbooks.subtotal,
        )

    def _waiting(self, today: dt.date) -> list[overview.Waiting]:
        """What this actor can do something about: a leader decides, and does not work off the lists of others."""
        session = db.session()
        writes = current_scope().may(Action.UPDATE, Resource.REGISTER)
        found = [*todo.waiting(session, today), *full_exports.waiting(session)]
        return found + (overview.waiting(session, today) if writes else [])

    def _results(self, round_: Round) -> Any:
        """Of a frozen round, which is read; a trial of an open one takes its time and is made on its own page."""
        with session_with(SYSTEM) as session:
            return results.score(session, session.get_one(Round, round_.id), lines=False)

    def _own_sheet(self, round_: Round) -> Sheet | None:
        """The sheet of a school account's own assessed school."""
        if current_scope().reads_everywhere:
            return None
        return db.session().scalar(select(Sheet).where(Sheet.round_id == round_.id).limit(1))

    def _townships(self, today: dt.date) -> list[tuple[Township, int, int]]:
        """Each township with its left-behind children and how many have no responsible person."""
        session = db.session()
        here = definitions.left_behind(Definition.GF13, today)
        per = select(School.township_id, func.count(Child.id)).join(School, School.id == Child.school_id)
        all_of = dict(session.execute(per.where(Child.id.in_(here)).group_by(School.township_id)).all())
        lacking = overview.children_with(session, "responsible", today)
        short = dict(session.execute(per.where(Child.id.in_(lacking)).group_by(School.township_id)).all())
        rows = session.scalars(select(Township).order_by(Township.position))
        return [(t, all_of.get(t.id, 0), short.get(t.id, 0)) for t in rows]


def _opens(key: str) -> str:
    """The screen where waiting work is done."""
    places = {
        "transfer_in": ("transfer.index_view", {"side": "in"}),
        "transfer_asked": ("transfer.index_view", {"side": "asked"}),
        "left_behind_by_staff": ("staff_handover.index", {}),
        "flags": ("flag.index_view", {}),
        "papers_back": ("paper.index_view", {"state": "returned"}),
        "papers_in": ("paper.index_view", {"state": "submitted"}),
        "rules": ("paper.index_view", {"kind": "rule"}),
        "keeper": ("post.index_view", {"body": "keeper"}),
        "staff": ("staff.index_view", {"confirmed": "0"}),
        "handover": ("handover.index", {}),
        "census": ("census.index", {}),
        "self": ("assessment.index", {}),
        "round": ("assessment.index", {}),
        "result": ("assessment.result", {}),
        "appeals": ("appeal.index_view", {}),
        "schemes": ("scheme.index_view", {}),
        "full_exports": ("full_export.index", {}),
    }
    endpoint, more = places[key]
    return url_for(endpoint, **more)
