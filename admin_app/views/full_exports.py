"""导出申请: a list with full numbers is asked for here, decided by the leader, and taken once."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import abort, current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from .. import rules
from ..access import Action
from ..models import ExportRequest, Resource
from ..records import full_exports
from ..records.reports import keeping
from ..rules import Complaint
from .base import RecordView, ToolView
from .exports import plain_address
from .fields import number_or_none
from .gate import current_scope

OFFERED = {"export": "列表", "ledger": "台账"}


class FullExportView(ToolView):
    resource = Resource.FULL_EXPORTS
    needs = {"ask": Action.CREATE}

    def __init__(self) -> None:
        super().__init__("完整号码导出", "full_export", "统计")

    @expose("/")
    def index(self) -> str:
        """Every request the actor may see, the newest first, with what can be done about it."""
        rows = list(self.db_session.scalars(select(ExportRequest).order_by(ExportRequest.id.desc()).limit(100)))
        return self.render(
            "full_exports/index.html",
            rows=list(zip(rows, full_exports.standings(self.db_session, rows), strict=True)),
            may_decide=current_scope().may(Action.CREATE, Resource.APPROVALS),
            me=current_user.user_id,
        )

    @expose("/ask/", methods=("GET", "POST"))
    def ask(self) -> Any:
        """What would be exported, and what for."""
        address = request.values.get("address", "")[:600]
        view, title, args = self._target(address)
        said, count = view.asked_for(args)
        if request.method == "POST":
            row = ExportRequest(
                school_id=keeping.unit_of(self.db_session).id,
                title=title,
                address=plain_address(urlsplit(address).path, args.items()),
                said=said[:400],
                count=count,
                purpose=request.form.get("purpose", ""),
                by=current_user.name,
            )
            try:
                full_exports.ask(self.db_session, row)
                self.db_session.commit()
                flash(_("已提交，领导同意后七天内可导出一次。"), "success")
                return redirect(self.get_url(".index"))
            except Complaint as e:
                self.db_session.rollback()
                flash(_(e.text), "danger")
        return self.render("full_exports/ask.html", address=address, title=title, said=said, count=count)

    def _target(self, address: str) -> tuple[RecordView, str, dict[str, str]]:
        """The list behind an address of ours, what it is called, and its conditions; 404 for anything else."""
        try:
            parts = urlsplit(address)
            endpoint, values = current_app.url_map.bind("").match(parts.path, method="POST")
        except (HTTPException, ValueError):
            abort(404)
        name, _dot, page = endpoint.rpartition(".")
        view = next((v for v in current_app.extensions["screens"]._views if v.endpoint == name), None)
        if (
            values.get("export_type", "xlsx") != "xlsx"
            or parts.netloc
            or not isinstance(view, RecordView)
            or page not in OFFERED
            or not view.has_numbers
        ):
            abort(404)
        if not current_scope().may(Action.EXPORT, view.resource) or not current_scope().may(Action.REVEAL, view.resource):
            return self.forbid()
        return view, f"{view.name}{_(OFFERED[page])}"[:60], dict(parse_qsl(parts.query))

    @expose("/decide/", methods=("POST",))
    def decide(self) -> Any:
        """The leader's word."""
        if not current_scope().may(Action.CREATE, Resource.APPROVALS):
            return self.forbid()
        number = number_or_none(request.form.get("id"))
        row = self.db_session.get(ExportRequest, number) if number else None
        if row is None:
            abort(404)
        try:
            words = rules.tidy(request.form.get("words", ""))[:200]
            approved = request.form.get("decision") == "approved"
            full_exports.decide(self.db_session, row, approved=approved, words=words, by=current_user.name)
            self.db_session.commit()
            flash(_("已同意。") if approved else _("已退回。"), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".index"))
