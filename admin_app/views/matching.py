"""三方比对: two files against the register, the result of every child with its reason, and the workbook."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import case, select

from .. import labels, rules
from ..access import Action, shown
from ..db import session_with
from ..models import Comparison, ComparisonRow, Match, MatchReason, Resource
from ..records import county, matching
from ..records.matching import COLUMNS, WORST_FIRST
from ..rules import Complaint
from ..sheets.reader import Unreadable
from .base import ToolView
from .exports import logged, receipt_of
from .fields import number_or_none
from .gate import current_scope, note
from .words import screen_words

PAGE = 50


class MatchingView(ToolView):
    resource = Resource.MATCHING
    needs = {"compare": Action.CREATE, "explain": Action.UPDATE, "export": Action.EXPORT}

    def __init__(self) -> None:
        super().__init__("三方比对", "matching", "统计")

    @expose("/")
    def index(self) -> str:
        """Upload two lists; the comparisons there are."""
        kept = self.db_session.scalars(select(Comparison).order_by(Comparison.id.desc()).limit(40))
        return self.render(
            "matching/index.html",
            kept=list(kept),
            today=dt.date.today(),
            matches=list(Match),
            may_compare=current_scope().may(Action.CREATE, self.resource),
        )

    @expose("/compare/", methods=("POST",))
    def compare(self) -> Any:
        try:
            on, files = rules.day(request.form.get("on", ""), rules.not_in_future), _files()
            with session_with(current_scope()) as reading:  # nobody waits while lists are read and compared
                compared = matching.compare(reading, on, files)
            kept = matching.keep(self.db_session, compared, current_user.name)
            self.db_session.commit()
        except (Complaint, Unreadable) as e:
            self.db_session.rollback()
            flash(_(str(e)), "danger")
            return redirect(self.get_url(".index"))
        return redirect(self.get_url(".show", id=kept.id))

    @expose("/show/")
    def show(self) -> str:
        """One class of results at a time; what needs a reason comes first."""
        kept, only = self._one(), Match.from_text(request.args.get("only", ""))
        number = min(max(request.args.get("page", 0, type=int) or 0, 0), 1000)
        note("open", "comparison", kept.id, kept.school_id)
        rows = self._rows(kept, only).limit(PAGE + 1).offset(number * PAGE)
        found = list(self.db_session.scalars(rows))
        return self.render(
            "matching/show.html",
            kept=kept,
            rows=found[:PAGE],
            more=len(found) > PAGE,
            page=number,
            only=only,
            matches=list(Match),
            reasons=list(MatchReason),
            unread=(kept.unread or "").splitlines(),
            total=sum(kept.counts.values()),
            open=self._unexplained(kept),
            may_explain=current_scope().may(Action.UPDATE, self.resource),
            words=self._words,
        )

    def _unexplained(self, kept: Comparison) -> tuple[int, int]:
        """How many rows need a reason, and of how many a person has given it."""
        needs = select(ComparisonRow.confirmed).where(ComparisonRow.comparison_id == kept.id, ComparisonRow.match != Match.SAME)
        given = list(self.db_session.scalars(needs))
        return len(given), sum(given)

    def _rows(self, kept: Comparison, only: Match | None) -> Any:
        rows = select(ComparisonRow).where(ComparisonRow.comparison_id == kept.id)
        if only is not None:
            rows = rows.where(ComparisonRow.match == only)
        order = case({match.value: n for n, match in enumerate(WORST_FIRST)}, value=ComparisonRow.match)
        return rows.order_by(order, ComparisonRow.id)

    @staticmethod
    def _words(row: ComparisonRow, name: str) -> str:
        return screen_words(shown(current_scope(), ComparisonRow, name, getattr(row, name), row.school_id))

    def _one(self) -> Comparison:
        number = number_or_none(request.values.get("id"))
        kept = self.db_session.get(Comparison, number) if number else None
        if kept is None:
            abort(404)
        return kept

    @expose("/explain/", methods=("POST",))
    def explain(self) -> Any:
        """The reasons of a page, saved together."""
        kept, only = self._one(), request.form.get("only", "")
        number, page = kept.id, number_or_none(request.form.get("page")) or 0
        try:
            changed = matching.explain(self.db_session, kept, _given())
            self.db_session.commit()
            flash(_("保存成功，改动 %(n)d 项。", n=changed), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".show", id=number, only=only or None, page=page))

    @expose("/export/")
    def export(self) -> Any:
        """Every result with its reason."""
        kept = self._one()
        rows = list(self.db_session.scalars(self._rows(kept, None)))
        said = f"统计截止日 {kept.on}；民政名单 {kept.civil_file or '无'}；学籍名单 {kept.roll_file or '无'}"
        receipt = receipt_of(said, len(rows))
        lines = [(row.match, tuple(_cell(row, name) for name in COLUMNS)) for row in rows]
        content = matching.workbook(kept, rows, lines, county.word(self.db_session, "bureau"), receipt)
        return logged(content, f"三方比对-{kept.on:%Y%m%d}.xlsx", "comparison", kept.id, kept.school_id, **receipt)


def _cell(row: ComparisonRow, name: str) -> str:
    value = shown(current_scope(), ComparisonRow, name, getattr(row, name), row.school_id)
    if isinstance(value, bool):
        return "√" if value else ""
    guessed = name == "reason" and value is not None and not row.confirmed
    return f"{labels.text(value)}{'（推测）' if guessed else ''}"


def _files() -> dict[str, tuple[str, bytes]]:
    found = {}
    for source in (matching.CIVIL, matching.ROLL):
        upload = request.files.get(source)
        if upload is not None and upload.filename:
            found[source] = (upload.filename.replace("\0", ""), upload.read())
    return found


def _given() -> dict[int, tuple[str, str]]:
    """Row -> (reason, remark) of the form."""
    given = zip(*(request.form.getlist(name) for name in ("row", "reason", "remark")), strict=False)
    return {pk: (reason, remark) for raw, reason, remark in given if (pk := number_or_none(raw))}
