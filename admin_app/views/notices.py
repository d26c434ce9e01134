"""Notices, reminders and policy documents: the office writes and addresses, schools read, the office sees who has."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from ..access import Action
from ..db import writing
from ..models import BY_TOWNSHIP, Notice, NoticeReceipt, School
from ..records import notices
from ..rules import Complaint, tidy
from .base import RecordView
from .fields import ids_in_form
from .gate import current_scope
from .lists import Line


class NoticeView(RecordView):
    model = Notice
    group = ""
    title = "通知公告"
    attachable = True
    column_list = ("title", "kind", "number", "on", "due_on", "readers")
    extra_columns = {"readers": "已阅"}
    form_columns = ("kind", "title", "number", "on", "due_on", "body")
    column_details_list = form_columns
    filters = ("kind", "on")
    search = ("title",)
    default_sort = (("on", True),)
    link_column = "title"
    details_template = "notices/details.html"
    needs = RecordView.needs | {"send": Action.UPDATE, "chase": Action.CREATE}

    def offer(self, form: Any) -> None:
        if form.on.data is None:
            form.on.data = dt.date.today()

    def decorate(self, lines: list[Line]) -> None:
        counts = notices.readership(self.db_session, [line.id for line in lines])
        for line in lines:
            read, all_of = counts.get(line.id, (0, 0))
            line.values["readers"] = (
                f"{read} / {all_of}" if current_scope().reads_everywhere else (_("已阅") if read else _("未阅") if all_of else "")
            )

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".details_view", id=model.id)

    @expose("/details/")
    def details_view(self) -> str:
        row = self.get_one(request.args.get("id", ""))
        if not current_scope().reads_everywhere and current_scope().may(Action.UPDATE, NoticeReceipt.RESOURCE):
            with writing(current_scope()) as session:
                notices.mark_read(session, session.get_one(Notice, row.id), current_user.name)
        receipts = select(NoticeReceipt).where(NoticeReceipt.notice_id == row.id).join(School, School.id == NoticeReceipt.school_id)
        sent = list(self.db_session.scalars(receipts.order_by(NoticeReceipt.read_at.is_not(None), *BY_TOWNSHIP)))
        schools = list(self.db_session.scalars(notices.addressable().order_by(*BY_TOWNSHIP))) if self.can_edit else []
        return self.render(
            self.details_template, row=row, pairs=self.details(row), may_change=self.can_edit, return_url=self._back(), sent=sent,
            schools=schools, addressed={receipt.school_id for receipt in sent},
        )  # fmt: skip

    @expose("/send/", methods=("POST",))
    def send(self) -> Any:
        row = self.get_one(request.form.get("id", ""))
        try:
            count = notices.send(self.db_session, row, ids_in_form("school"))
            self.db_session.commit()
            flash(_("已下发 %(n)d 所学校。", n=count), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".details_view", id=row.id))

    @expose("/chase/", methods=("POST",))
    def chase(self) -> Any:
        """催办 from a list of who lacks what: a reminder to the ticked schools, in one click."""
        words, about = request.form.get("words", "")[:1000].strip(), tidy(request.form.get("about", ""))[:40]
        try:
            if not words:
                raise Complaint("请写明催办内容。")
            row = Notice(kind="chase", title=_("催办：%(about)s", about=about or _("请补齐缺项")), on=dt.date.today(), body=words)
            self.db_session.add(row)
            self.db_session.flush()
            count = notices.send(self.db_session, row, ids_in_form("school"))
            self.db_session.commit()
            flash(_("已催办 %(n)d 所学校。", n=count), "success")
            return redirect(self.get_url(".details_view", id=row.id))
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            return redirect(self._back())
