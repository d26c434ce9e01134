"""人数变化: counts kept as of a day, and why 312 became 305: who left, who came, with the reason of each."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from .. import rules
from ..access import Action
from ..assessment import snapshots
from ..models import Child, Definition, Resource, School, Snapshot
from .base import ToolView
from .fields import number_or_none
from .gate import current_scope, note

TODAY = "today"
"""Instead of a snapshot: the register as it is now, counted for today."""


class SnapshotView(ToolView):
    resource = Resource.REGISTER
    section = "考核评分"
    needs = {"take": Action.READ}

    def __init__(self) -> None:
        super().__init__("人数变化", "snapshot", "年度考核")

    def is_accessible(self) -> bool:
        return super().is_accessible() and current_scope().may(Action.READ, Resource.SCORES)

    def _all(self) -> list[Snapshot]:
        return list(self.db_session.scalars(select(Snapshot).order_by(Snapshot.id.desc())))

    @expose("/")
    def index(self) -> Any:
        """The snapshots there are, and the comparison of two of them."""
        kept = self._all()
        before, after = request.args.get("before", ""), request.args.get("after", "")
        return self.render(
            "snapshots/index.html",
            kept=kept,
            may_take=current_scope().may(Action.CREATE, Snapshot.RESOURCE),
            definitions=list(Definition),
            today=dt.date.today(),
            before=before or (str(kept[0].id) if kept else ""),
            after=after or TODAY,
            found=self._compare(before, after) if before and after else None,
            TODAY=TODAY,
        )

    def _compare(self, before: str, after: str) -> dict[str, Any]:
        first = self._one(before)
        second = None if after == TODAY else self._one(after)
        if second is not None and second.definition is not first.definition:
            flash(_("两次统计的口径不同，不能逐人比对。"), "warning")
            return {}
        today = dt.date.today()
        then = snapshots.of(self.db_session, first)
        now = snapshots.of(self.db_session, second) if second else snapshots.now(self.db_session, first.definition, today)
        until = second.on if second else today
        compared = snapshots.compare(self.db_session, first.definition, then, now, min(first.on, until), max(first.on, until))
        note("open", "snapshot", first.id, None, 对比=second.title if second else str(today))
        ids = {change.child.child_id for change in (*compared.left, *compared.came)}
        return {
            "compared": compared,
            "first": first,
            "second": second,
            "here": set(self.db_session.scalars(select(Child.id).where(Child.id.in_(ids)))),
            "schools": {s.id: s.name for s in self.db_session.scalars(select(School))},
        }

    def _one(self, raw: str) -> Snapshot:
        number = number_or_none(raw)
        found = self.db_session.get(Snapshot, number) if number else None
        if found is None:
            abort(404)
        return found

    @expose("/take/", methods=("POST",))
    def take(self) -> Any:
        """Count today and keep it."""
        if not current_scope().may(Action.CREATE, Snapshot.RESOURCE):
            return self.forbid()
        definition = Definition.from_text(request.form.get("definition", "")) or Definition.GF13
        today = dt.date.today()
        title = rules.tidy(request.form.get("title", ""))[:80] or f"{today} 统计"
        kept = snapshots.take(self.db_session, definition, today, title, current_user.name)
        self.db_session.commit()
        flash(_("已统计：%(n)d 人。", n=kept.count), "success")
        return redirect(self.get_url(".index"))
