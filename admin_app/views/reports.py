"""统计报表: each report counted for a day, who stands behind every number, kept and handed in, and any two traits crossed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from .. import labels, rules
from ..access import Action
from ..models import Child, Holiday, Report, Resource
from ..orm import Group
from ..records import filed_ledger, handovers
from ..records.reports import definition as definitions, keeping
from ..records.reports.counting import Count, Counted, words
from ..records.reports.definition import AXIS_WORDS, CROSSED, POOLS, Definition
from ..records.reports.members import PIVOT, TRAITS, Period
from ..rules import Complaint
from .base import ToolView
from .exports import logged, receipt_of
from .fields import number_or_none
from .gate import current_scope, note, note_names
from .lookups import HOLIDAYS

SHOWN_NAMES = 3000


def _said(page: Callable[..., Any]) -> Callable[..., Any]:
    """What cannot be counted is said in a sentence on the first page."""

    @wraps(page)
    def answer(view: ReportView) -> Any:
        try:
            return page(view)
        except Complaint as e:
            view.db_session.rollback()
            flash(_(e.text), "danger")
            return redirect(view.get_url(".index"))

    return answer


class ReportView(ToolView):
    resource = Resource.REGISTER
    needs = {"keep": Action.CREATE, "hand_in": Action.UPDATE, "export": Action.EXPORT}

    def __init__(self) -> None:
        super().__init__("统计报表", "report", "统计")

    def is_accessible(self) -> bool:
        """The numbers speak of families and of difficulties: whoever may not read those gets none of them."""
        return super().is_accessible() and current_scope().sees(Group.FAMILY, None)

    # --- what is asked for ---

    def _definition(self) -> Definition:
        asked = request.values
        try:
            if asked.get("kind") == CROSSED:
                return definitions.crossed(asked.get("rows", ""), asked.get("columns", ""), asked.get("pool", "gf13"))
            return definitions.of(asked.get("kind", ""))
        except KeyError:
            abort(404)

    def _period(self, found: Definition) -> Period:
        """:raises Complaint: for a day that is none, or lies ahead."""
        if found.spans == "holiday":
            holiday = self._holiday()
            if holiday is None:
                raise Complaint("还没有登记须交接的假期。")
            today = dt.date.today()
            return Period(today, today, (holiday.id, holiday.name))
        on = _day("on", dt.date.today())
        if found.spans == "month":
            return Period(on.replace(day=1), on)
        since = _day("since", rules.months_before(on, 12) + dt.timedelta(days=1)) if found.spans == "year" else on
        if since > on:
            raise Complaint("起始日不能晚于统计截止日期。")
        return Period(since, on)

    def _holiday(self) -> Holiday | None:
        if wanted := request.values.get("holiday"):
            return HOLIDAYS.one(self.db_session, wanted) or abort(404)
        return handovers.shown(self.db_session, dt.date.today())

    def _count(self) -> Count:
        found = self._definition()
        return Count(self.db_session, found, self._period(found), keeping.unit_name(self.db_session))

    def _counted(self) -> Counted:
        counted = self._count().counted()
        return counted.without_empty() if counted.definition.key == CROSSED else counted

    def _asked(self) -> dict[str, str]:
        """What the address asks for, to be asked again by the links of the page."""
        names = ("kind", "on", "since", "holiday", "rows", "columns", "pool")
        return {name: request.values[name] for name in names if request.values.get(name)}

    # --- pages ---

    @expose("/")
    def index(self) -> str:
        kept = self.db_session.scalars(select(Report).order_by(Report.id.desc()).limit(60))
        return self.render("reports/index.html", reports=definitions.every(), kept=list(kept), **_traits())

    @expose("/show/")
    @_said
    def show(self) -> Any:
        """A report as the register tells it now."""
        return self._page(self._counted(), None)

    @expose("/kept/")
    def kept(self) -> Any:
        """A report as it was when it was kept."""
        kept = self._kept()
        note("open", "report", kept.id, kept.school_id)
        if kept.kind == filed_ledger.KIND:
            return self.render("reports/ledger.html", kept=kept, filed=filed_ledger.opened(kept))
        return self._page(keeping.opened(kept), kept)

    def _page(self, counted: Counted, kept: Report | None) -> str:
        people = {who.child_id for check in counted.checks for who in check.culprits}
        people |= {who.child_id for listed in counted.lists.values() for who in listed}
        if kept is None:  # a kept one is noted as itself
            note_names(len(people))
        here = set(self.db_session.scalars(select(Child.id).where(Child.id.in_(people)))) if people else set()
        return self.render(
            "reports/show.html",
            found=counted.definition,
            counted=counted,
            kept=kept,
            asked=self._asked(),
            holidays=HOLIDAYS.few(self.db_session) or [],
            holiday=self._holiday() if counted.definition.spans == "holiday" and kept is None else None,
            words=words,
            equation=keeping.equation_words,
            row_title=keeping.row_title(counted.definition),
            title=keeping.title_of(counted),
            paper=keeping.said(counted),
            here=here,
            shown_names=SHOWN_NAMES,
            **_traits(),
        )

    def _kept(self) -> Report:
        number = number_or_none(request.values.get("id"))
        kept = self.db_session.scalar(select(Report).where(Report.id == number)) if number else None
        if kept is None:
            abort(404)
        return kept

    @expose("/names/")
    @_said
    def names(self) -> Any:
        """Who stands behind one number."""
        count, row, column = self._count(), request.args.get("row", ""), request.args.get("column", "")
        try:
            people = [count.named(member) for member in count.behind(row, column)]
        except KeyError:
            abort(404)
        found = count.definition
        said = " · ".join(filter(None, (found.column(column).group, found.column(column).title)))
        note("open", "report", "", None, 报表=found.title, 栏目=said, 人数=len(people))
        return self.render(
            "reports/names.html",
            found=found,
            people=people[:SHOWN_NAMES],
            count=len(people),
            said=said,
            asked=self._asked(),
            period=count.period,
            place=count.label_of(row),
        )

    @expose("/standings/")
    @_said
    def standings(self) -> Any:
        """Which schools have handed a report in since a day, and which have not."""
        kinds = {filed_ledger.KIND: "农村留守儿童台账"} | {found.key: found.title for found in definitions.every()}
        kind, since = request.args.get("kind", filed_ledger.KIND), _day("since", dt.date.today().replace(day=1))
        if kind not in kinds:
            abort(404)
        rows = keeping.standings(self.db_session, kind, since)
        return self.render("reports/standings.html", kinds=kinds, kind=kind, since=since, rows=rows, today=dt.date.today())

    @expose("/export/")
    @_said
    def export(self) -> Any:
        """The report as a workbook; a kept one as it was kept."""
        kept = self._kept() if request.args.get("id") else None
        if kept is not None and kept.kind == filed_ledger.KIND:
            return self._export_ledger(kept)
        counted = keeping.opened(kept) if kept is not None else self._counted()
        outside = request.args.get("outside") == "1"
        receipt = receipt_of(f"{keeping.title_of(counted)}，{counted.definition.basis}", len(counted.lines))
        receipt |= {"统计截止日期": counted.period.on.isoformat(), "统计时间": labels.text(kept.created_at) if kept else "导出时"}
        receipt |= {"版本": "对外：小于3的人数隐去，不含姓名"} if outside else {}
        name = f"{keeping.title_of(counted)}{keeping.OUTSIDE if outside else ''}-{counted.unit}-{counted.period.on:%Y%m%d}.xlsx"
        about = (kept.id, kept.school_id) if kept else ("", None)
        return logged(keeping.workbook(counted, receipt, outside=outside), name, "report", *about, **receipt)

    def _export_ledger(self, kept: Report) -> Any:
        filed = filed_ledger.opened(kept)
        receipt = receipt_of(filed.said, len(list(filed.rows)))
        name = f"{kept.title}-{kept.school}-{kept.on:%Y%m%d}.xlsx"
        return logged(filed_ledger.workbook(filed, receipt), name, "report", kept.id, kept.school_id, **receipt)

    @expose("/keep/", methods=("POST",))
    @_said
    def keep(self) -> Any:
        """Count now and keep it."""
        kept = keeping.keep(self.db_session, self._counted(), current_user.name)
        self.db_session.commit()
        flash(_("已保存，可随时打开和再次导出。"), "success")
        return redirect(self.get_url(".kept", id=kept.id))

    @expose("/hand-in/", methods=("POST",))
    def hand_in(self) -> Any:
        """上报: refused while a check equation fails."""
        kept = self._kept()
        try:
            keeping.hand_in(kept, current_user.name)
            self.db_session.commit()
            flash(_("已标为上报。"), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".kept", id=number_or_none(request.form.get("id"))))


def _day(name: str, otherwise: dt.date) -> dt.date:
    raw = request.values.get(name, "")
    return rules.day(raw, rules.not_in_future) if raw else otherwise


def _traits() -> dict[str, Any]:
    """What two traits may be chosen from."""
    said = {key: AXIS_WORDS.get(key) or TRAITS[key].label for key in PIVOT}
    return {
        "row_traits": list(said.items()),
        "column_traits": [(key, label) for key, label in said.items() if key not in AXIS_WORDS],
        "pools": [(key, basis) for key, (basis, _when) in POOLS.items()],
        "today": dt.date.today(),
        "dossier": lambda pk: url_for("child.details_view", id=pk),
    }
