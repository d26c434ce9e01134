"""What was deleted and can be brought back; what one click changed and can be taken back."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from .. import labels
from ..access import Action, Role
from ..models import Batch, Resource
from ..records import bulk, trash
from ..rules import Complaint
from .base import RecordView, ToolView, constraint_words
from .fields import number_or_none
from .gate import current_scope, note


class TrashView(ToolView):
    """The office's trash."""

    resource = Resource.REGISTER
    section = "回收与撤销"
    menu_for = Action.DELETE
    needs = {"index": Action.DELETE, "restore": Action.DELETE}

    def __init__(self) -> None:
        super().__init__("回收站", "trash", "管理")

    def is_accessible(self) -> bool:
        return Role.OFFICE in current_scope().roles

    @expose("/")
    def index(self) -> str:
        table = request.args.get("table", "")
        rows = trash.contents(self.db_session, table or None)
        if rows:
            note("open", "trash", 条数=len(rows))
        return self.render(
            "trash/index.html", rows=rows, tables=trash.tables(), table=table, words=labels.of_table, heading=labels.heading
        )

    @expose("/restore/", methods=("POST",))
    def restore(self) -> Any:
        model = trash.tables().get(request.form.get("table", ""))
        row_id = number_or_none(request.form.get("id"))
        try:
            count = trash.restore(self.db_session, model, row_id) if model is not None and row_id else 0
            if not count:
                abort(404)
            self.db_session.commit()
            flash(_("已恢复 %(n)d 条记录。", n=count), "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        except IntegrityError as e:  # what was entered again since stands in the way
            self.db_session.rollback()
            flash(_(constraint_words(e)), "danger")
        return redirect(self.get_url(".index", table=request.form.get("table") or None))


class BatchView(RecordView):
    """批量操作: what was changed in one go, by whom, and the button that takes it back."""

    model = Batch
    group = "管理"
    section = "回收与撤销"
    title = "批量操作"
    menu_for = Action.UPDATE
    column_list = ("created_at", "kind", "words", "count", "school.name", "undone_at")
    form_columns = ()
    column_details_list = ("created_at", "kind", "words", "count", "school.name", "undone_at")
    filters = ("kind", "school")
    default_sort = (("id", True),)
    link_column = "created_at"
    details_template = "trash/batch.html"
    needs = RecordView.needs | {"undo": Action.UPDATE}

    def may_undo(self, row: Batch) -> bool:
        return row.undone_at is None and current_scope().may(Action.UPDATE, self.resource) and current_scope().owns(row.school_id)

    @expose("/undo/", methods=("POST",))
    def undo(self) -> Any:
        row = self.get_one(request.form.get("id", ""))
        if not current_scope().owns(row.school_id):
            return self.forbid()
        try:
            count, kept = bulk.undo(self.db_session, row)
            self.db_session.commit()
            if count or not kept:
                flash(_("已撤销 %(n)d 条。", n=count), "success")
            else:
                flash(_("没有可撤销的，请先撤销后来的操作。"), "warning")
            if kept:
                flash(_("以下记录后来又有改动，保持现状：%(rows)s", rows="、".join(kept[:20])), "warning")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        except IntegrityError as e:  # what was entered again since stands in the way
            self.db_session.rollback()
            flash(_(constraint_words(e)), "danger")
        return redirect(self.get_url(".details_view", id=row.id))
