"""附件: putting files on a record, fetching them, taking them off. The record's own screen says who may."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, abort, current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _

from .. import rules
from ..models import Attachment, Resource
from ..records import attachments, uploads
from ..records.uploads import Upload
from ..rules import Complaint
from .base import RecordView, ToolView
from .fields import number_or_none
from .gate import current_scope, note

LARGEST_REQUEST = 64 * 1024 * 1024
"""Several files at once; each may have ``uploads.LARGEST``. Every other address keeps the app's own limit."""
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


class AttachmentView(ToolView):
    resource = Resource.SCHOOLS
    """Open to whoever may look at records with files: each method asks the screen of the record, and its row."""
    in_menu = False

    def __init__(self) -> None:
        super().__init__("附件", "attachments")

    def is_accessible(self) -> bool:
        return any(screen.is_accessible() for screen in _screens())

    def create_blueprint(self, admin: Any) -> Any:
        blueprint = super().create_blueprint(admin)
        blueprint.url_value_preprocessor(_allow_several)  # before anything reads the form
        return blueprint

    @expose("/")
    def index(self) -> Any:
        abort(404)  # files are listed on their records

    @expose("/add/", methods=("POST",))
    def add(self) -> Any:
        """Several files on one record: all of them or none."""
        screen = self._screen(request.form.get("table", ""))
        files, complaint = [], ""
        if screen.can_edit and attachments.changeable(current_scope()):
            files, complaint = _checked()  # slow, so before the database is touched
        row = self._changeable(screen, request.form.get("id"))
        address = _page_of(screen, row.id)
        try:
            if complaint:
                raise Complaint(complaint)
            for upload in files:
                attachments.put(self.db_session, _folder(), row, upload)
            self.db_session.commit()
            flash(_("已上传 %(n)d 份附件。", n=len(files)), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        except OSError:
            self.db_session.rollback()
            current_app.logger.exception("an attachment could not be written")
            flash(_("服务器磁盘不能写入，附件未保存，请联系管理员。"), "danger")
        return redirect(address)

    @expose("/get/")
    def get(self) -> Any:
        """The file, to be saved and never shown by the browser itself."""
        kept, screen, row = self._found(request.args.get("id"))
        try:
            content = attachments.content_of(_folder(), kept)
        except Complaint as e:
            current_app.logger.error("attachment %s cannot be read", kept.id)
            flash(_(e.text), "danger")
            return redirect(_page_of(screen, row.id))
        note("download", "attachment", kept.id, kept.school_id, name=kept.name)
        response = Response(content, mimetype=kept.media_type)
        extension = kept.name.rpartition(".")[2]
        names = f"filename=\"{kept.id}.{extension}\"; filename*=UTF-8''{quote(kept.name, safe='')}"  # RFC 5987
        response.headers["Content-Disposition"] = f"attachment; {names}"
        response.headers["Content-Security-Policy"] = SANDBOX
        response.headers["Cache-Control"] = "no-store"
        return response

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        kept, screen, row = self._found(request.form.get("id"))
        if not (screen.may_change(row) and attachments.changeable(current_scope())):
            abort(403)
        address = _page_of(screen, row.id)
        try:
            attachments.remove(self.db_session, kept, rules.tidy(request.form.get("reason", ""))[:200])
            self.db_session.commit()
            flash(_("已删除附件，可由德育股恢复。"), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(address)

    # --- the record of a file decides ---

    def _screen(self, table: str) -> RecordView:
        """The screen of a table whose records take files: 404 when there is none, 403 when it is closed to the actor."""
        screen = next((v for v in _screens() if v.endpoint == table), None)
        if screen is None:
            abort(404)
        if not screen.is_accessible():
            abort(403)
        return screen

    def _changeable(self, screen: RecordView, pk: Any) -> Any:
        if not screen.can_edit or not attachments.changeable(current_scope()):
            abort(403)
        row = screen.get_one(pk)
        if not screen.may_change(row) or not attachments.readable(current_scope(), row):
            abort(403)
        return row

    def _found(self, pk: Any) -> tuple[Attachment, RecordView, Any]:
        """A file together with its record, both through the actor's own session."""
        number = number_or_none(pk)
        kept = attachments.one(self.db_session, number) if number else None
        if kept is None:
            abort(404)
        screen = self._screen(kept.table_name)
        row = screen.get_one(kept.row_id)
        if not attachments.readable(current_scope(), row):
            abort(403)
        return kept, screen, row


def _screens() -> list[RecordView]:
    return [view for view in current_app.extensions["screens"]._views if getattr(view, "attachable", False)]


def _checked() -> tuple[list[Upload], str]:
    """The files of the form, and what is wrong with the first that cannot be kept."""
    sent = [file for file in request.files.getlist("files") if file.filename]
    if not sent:
        return [], _("请选择要上传的文件。")
    if len(sent) > attachments.MOST:
        return [], _("每条记录最多 12 份附件，请先删除不用的，或合并成一个 PDF。")
    files = []
    for file in sent:
        name = file.filename or ""
        try:
            files.append(uploads.check(name, file.read(uploads.LARGEST + 1)))
        except Complaint as e:
            return [], _("“%(name)s”没有上传：%(why)s", name=uploads.tidy_name(name), why=_(e.text))
    return files, ""


def _folder() -> Any:
    return attachments.folder_of(current_app.config["SETTINGS"].data_dir)


def _page_of(screen: RecordView, row_id: int) -> str:
    return screen.get_url(f"{screen.endpoint}.details_view", id=row_id)


def _allow_several(endpoint: str | None, _values: Any) -> None:
    if endpoint == "attachments.add":
        request.max_content_length = LARGEST_REQUEST
