"""归档与清除: the files of those who have long left, everything held on one child, and what lies in the trash for too long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path
from typing import Any

from flask import abort, current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from .. import labels, rules
from ..access import Action
from ..db import db, settle, writing
from ..models import Child, Resource
from ..orm import utcnow
from ..records import attachments, county, erasure, held
from ..rules import Complaint
from .base import ToolView
from .exports import logged, package_password, packed
from .fields import ids_in_form, number_or_none
from .gate import current_scope, note, note_names


class RetentionView(ToolView):
    resource = Resource.RETENTION
    section = "回收与撤销"
    needs = {
        "archive": Action.UPDATE, "take_back": Action.UPDATE, "erase": Action.DELETE, "purge": Action.DELETE, "held": Action.DELETE,
    }  # fmt: skip

    grave = frozenset({"erase", "purge", "held"})

    def __init__(self) -> None:
        super().__init__("归档与清除", "retention", "管理")

    @expose("/")
    def index(self) -> str:
        return self._page(number_or_none(request.args.get("child")))

    def _page(self, number: int | None, reason: str = "", ticked: Collection[int] = ()) -> str:
        """:param number: the child whose guardian asks.
        :param reason: what was typed, where it comes back with a complaint; ``ticked``: the children whose boxes were.
        """
        session, today = self.db_session, dt.date.today()
        due, archived, chosen = erasure.due(session, today), erasure.archived(session), self._child(number) if number else None
        note_names(len(due) + len(archived))
        if chosen is not None:
            note("open", Child.__tablename__, chosen.id, chosen.school_id)
        return self.render(
            "retention/index.html",
            due=due,
            archived=archived,
            chosen=chosen,
            reason=reason,
            ticked=ticked,
            trashed=erasure.waiting_in_trash(session, utcnow()),
            days=county.number(session, "trash_days"),
            years=county.number(session, "retention_years"),
            waits=erasure.WAITS.days,
            today=today,
        )

    @expose("/archive/", methods=("POST",))
    def archive(self) -> Any:
        """Out of the lists; taken back by one click."""
        try:
            children = self._ticked()
            for child in children:
                erasure.archive(self.db_session, child, dt.date.today())
            self.db_session.commit()
            flash(_("已归档 %(n)d 人，%(days)d 天后可以清除。", n=len(children), days=erasure.WAITS.days), "success")
        except Complaint as e:
            return self._refused(e)
        return redirect(self.get_url(".index"))

    @expose("/take-back/", methods=("POST",))
    def take_back(self) -> Any:
        try:
            for child in self._ticked():
                erasure.take_back(child)
            self.db_session.commit()
            flash(_("已恢复到台账。"), "success")
        except Complaint as e:
            return self._refused(e)
        return redirect(self.get_url(".index"))

    @expose("/erase/", methods=("POST",))
    def erase(self) -> Any:
        """For good: with a reason, and the password when it was not given lately."""
        try:
            ids, reason = ids_in_form("child"), rules.tidy(request.form.get("reason", ""))[:100]
            if not ids or not reason:
                raise Complaint("请勾选要清除的儿童，并填写原因。")
            done = erasure.erase(writing, current_scope(), ids, reason, self._folder(), dt.date.today())
            self._unlink(done)
            flash(
                _("已清除 %(n)d 人，共 %(rows)d 条记录、%(files)d 份附件。", n=len(ids), rows=done.rows, files=len(done.files)),
                "success",
            )
            if done.mentioned:
                flash(_("别的记录里还写有姓名，请打开核对：%(rows)s", rows="、".join(done.mentioned[:20])), "warning")
        except Complaint as e:
            return self._refused(e)
        return redirect(self.get_url(".index"))

    @expose("/purge/", methods=("POST",))
    def purge(self) -> Any:
        """The words of what has lain in the trash for too long."""
        done = erasure.purge_trash(writing, current_scope(), self._folder(), utcnow())
        self._unlink(done)
        flash(_("已清除回收站里 %(n)d 条记录的内容。", n=done.rows), "success")
        return redirect(self.get_url(".index"))

    @expose("/held/", methods=("POST",))
    def held(self) -> Any:
        """Everything held on one child, for a guardian who asks to see it: with full numbers, so with a reason."""
        child = self._child(number_or_none(request.form.get("id")))
        reason = rules.tidy(request.form.get("reason", ""))[:100]
        try:
            if not reason:
                raise Complaint("请填写用途，例如哪位监护人何时申请查阅。")
            package_password()
        except Complaint as e:
            return self._refused(e)
        receipt = {"儿童": child.name, "导出人": current_user.name, "导出时间": labels.text(utcnow()), "用途": reason}
        content = held.package(self.db_session, child, self._folder(), receipt)
        content, name, packing = packed(content, f"全部信息-{child.id}-{dt.date.today():%Y%m%d}.zip")
        return logged(content, name, "child", child.id, child.school_id, 用途=reason, 内容="全部信息", 压缩包=packing)

    # --- what several pages need ---

    def _child(self, number: int | None) -> Child:
        child = self.db_session.scalar(select(Child).where(Child.id == number)) if number else None
        if child is None or child.erased_on:
            abort(404)
        return child

    def _ticked(self) -> list[Child]:
        """:raises Complaint: when nobody is ticked; 404 for who is not there."""
        ids = ids_in_form("child")
        if not ids:
            raise Complaint("请勾选儿童。")
        found = list(self.db_session.scalars(select(Child).where(Child.id.in_(ids))))
        if len(found) != len(ids):
            abort(404)
        return found

    def _refused(self, why: Complaint) -> str:
        """The page again with the sentence, and with what was ticked and typed."""
        self.db_session.rollback()
        flash(_(why.text), "danger")
        number = number_or_none(request.form.get("asked")) or number_or_none(request.form.get("id"))
        ticked = {row_id for raw in request.form.getlist("child") if (row_id := number_or_none(raw))}
        return self._page(number, request.form.get("reason", ""), ticked)

    @staticmethod
    def _folder() -> Path:
        return attachments.folder_of(current_app.config["SETTINGS"].data_dir)

    @staticmethod
    def _unlink(done: erasure.Erased) -> None:
        """After it is saved: a file whose row stands would be missed, one without a row is not."""
        for path in done.files:
            path.unlink(missing_ok=True)
        db.session().rollback()
        settle()
