"""操作日志: read only, in Chinese; values stay masked, and the administrator sees who, when and what, not the values."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import select

from .. import labels
from ..access import SYSTEM, Role, Scope, shown
from ..db import session_with
from ..models import AuditEntry, AuditValue, Resource, School
from ..orm import Base, Choice
from ..records import compliance
from ..sheets import writer
from .base import RecordView, ToolView
from .exports import handed_out, receipt_of
from .fields import number_or_none
from .filters import Filter
from .gate import current_scope


class AuditView(RecordView):
    model = AuditEntry
    group = "管理"
    title = "操作日志"
    column_list = ("id", "at", "user_name", "what", "on", "school_name", "address", "changed")
    extra_columns = {"what": "操作", "on": "对象", "school_name": "学校", "changed": "内容"}
    form_columns = ()
    list_template = "audit/list.html"
    filters = (
        Filter(
            "action", "操作", lambda q, v: q.where(AuditEntry.action == v), options=lambda _s: [(k, _(v)) for k, v in labels.DEEDS.items()],
            kind="choice",
        ),
        Filter("user", "操作人", lambda q, v: q.where(AuditEntry.user_name.contains(v, autoescape=True))),
        Filter("request", "请求编号", lambda q, v: q.where(AuditEntry.request == v)),
    )  # fmt: skip
    default_sort = (("id", True),)

    def rows(self) -> Any:
        e = AuditEntry
        return select(e.id.label("id"), e.at, e.user_name, e.address, e.action, e.table_name, e.row_id, e.school_id.label("owner"))

    def lines(self, query: Any) -> Any:
        lines = super().lines(query)
        for line in lines:
            line.values["id"] = line.id
        return lines

    def details(self, row: Any) -> list[tuple[str, str]]:
        """What the list says of an entry, its page says too."""
        (line,) = self.lines(self.rows().where(AuditEntry.id == row.id))
        (cells,) = self.cells([line])
        said = [(str(self.column_labels[name]), cell) for name, cell in zip(self.column_list, cells, strict=True)]
        roles = "、".join(_(Role(code).label) for code in (row.roles or "").split())
        return [*said, (_("角色"), roles), (_("请求编号"), row.request or "")]

    def decorate(self, lines: list[Any]) -> None:
        with_values = Role.OFFICE in current_scope().roles
        ids = [line.id for line in lines]
        with session_with(SYSTEM) as session:
            of_entries = select(AuditValue.entry_id, AuditValue.changes).where(AuditValue.entry_id.in_(ids))
            values = dict(session.execute(of_entries).all())
            names = dict(session.execute(select(School.id, School.name)).all())
        screens = {view.endpoint: str(view.name) for view in self.admin._views if view.endpoint not in labels.TABLES}
        for line in lines:
            v = line.values
            v["what"] = _(labels.DEEDS.get(v["action"], v["action"]))
            v["on"] = f"{_(screens.get(v['table_name']) or labels.of_table(v['table_name']))} {v['row_id']}".strip()
            v["school_name"] = names.get(v["owner"], "")
            v["changed"] = _summary(current_scope(), v["table_name"], values.get(line.id, {}), v["owner"]) if with_values else ""


def _said(value: Any) -> Any:
    if value is None:
        return _("（空）")
    if isinstance(value, dict):  # a card as stored: read where it belongs, not here
        return _("（明细）")
    if isinstance(value, list):
        return "、".join(str(_said(each)) for each in value)
    return _(labels.text(value)) if isinstance(value, bool) else value


def _as_read(scope: Scope, model: type[Base], name: str, value: Any, school_id: int | None) -> Any:
    choices = labels.choices(model, name)
    held = choices(value) if choices and value is not None else value
    if not labels.is_sealed(model, name):  # those are masked as they were noted
        held = shown(scope, model, name, held, school_id)
    return _(held.label) if isinstance(held, Choice) else _said(held)


def _summary(scope: Scope, table_name: str, changes: dict[str, Any], school_id: int | None) -> str:
    """What changed, in words; of a value that the actor may not read in the record only that it changed."""
    model = labels.model_of(table_name)
    parts = []
    for name, (old, new) in sorted(changes.items(), key=lambda change: change[0] == "指纹")[:8]:  # read last, by who looks for it
        known = model is not None and name in model.__mapper__.column_attrs
        words = labels.label(model, name) if known and model else name
        before, after = (_as_read(scope, model, name, v, school_id) if known and model else _said(v) for v in (old, new))
        words = _(words)
        parts.append(f"{words}：{after}" if old is None else f"{words}：{before} → {after}")
    return "；".join(parts)[:300]


class ComplianceView(ToolView):
    """年度合规小结, on a page and as a workbook."""

    resource = Resource.AUDIT
    in_menu = False  # reached from the log

    def __init__(self) -> None:
        super().__init__("年度合规小结", "compliance", "管理")

    def _summary(self, *, walked: bool = False) -> compliance.Summary:
        known = compliance.years(self.db_session)
        asked = number_or_none(request.args.get("year"))
        return compliance.summary(self.db_session, asked if asked in known else known[0], walked=walked)

    @expose("/")
    def index(self) -> str:
        return self.render(
            "audit/compliance.html",
            found=self._summary(),
            years=compliance.years(self.db_session),
            looked=compliance.LOOKED,
            deed=lambda key: labels.DEEDS.get(key, key),
        )

    @expose("/export/")
    def export(self) -> Any:
        """As a workbook, the chain of the log walked for it."""
        found = self._summary(walked=True)
        receipt = receipt_of(f"{found.year} 年度", len(found.people))
        return handed_out(
            writer.tables(compliance.tables(found), receipt), f"{found.year}年度合规小结.xlsx", "audit_entry", receipt, None
        )
