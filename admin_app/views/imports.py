"""The ledger import: upload, preview cell by cell, save all or nothing. The file waits on the server, sealed."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from .. import rules
from ..access import Action
from ..db import analyse, session_with
from ..models import ImportBatch, ImportState, Resource, School, SchoolKind
from ..records import entering, importing, ledger
from ..rules import Complaint
from ..sheets import writer
from ..sheets.reader import Unreadable
from .base import ToolView
from .fields import SCHOOLS, number_or_none
from .gate import current_scope
from .lists import workbook_response

SHOWN_ROWS = 300


class ImportView(ToolView):
    resource = Resource.REGISTER
    in_menu = False  # reached from the register and the first page
    needs = {"index": Action.CREATE, "preview": Action.CREATE, "save": Action.CREATE, "template": Action.READ}

    def __init__(self) -> None:
        super().__init__("导入台账", "imports", "儿童")

    def is_accessible(self) -> bool:
        return current_scope().may(Action.CREATE, self.resource)

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """Choose school and file."""
        if request.method == "POST":
            try:
                return self._upload()
            except (Complaint, Unreadable) as e:
                self.db_session.rollback()
                flash(_(str(e)), "danger")
        recent = select(ImportBatch).where(ImportBatch.state == ImportState.SAVED).order_by(ImportBatch.id.desc()).limit(8)
        return self.render(
            "imports/upload.html",
            schools=[s for s in SCHOOLS.find(self.db_session, "", 400) if s.kind not in (SchoolKind.BUREAU, SchoolKind.OUTSIDE)],
            start=importing.default_start(self.db_session),
            recent=list(self.db_session.scalars(recent)),
            columns=[c.title for c in ledger.COLUMNS if c.key != "school"],
        )

    def _upload(self) -> Any:
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            raise Complaint("请选择要导入的文件。")
        content = upload.read()
        importing.read_ledger(content, upload.filename)  # unreadable files stop here, before anything is kept
        school = SCHOOLS.one(self.db_session, request.form.get("school", ""))
        if school is None:
            raise Complaint("学校不是有效的选项。")
        batch = ImportBatch(
            school_id=school.id,
            file_name=upload.filename.replace("\0", "")[-200:],
            start=_start(request.form.get("start", "")),
            content=base64.b64encode(content).decode(),
        )
        self.db_session.add(batch)
        self.db_session.commit()
        return redirect(self.get_url(".preview", id=batch.id))

    def _batch(self) -> ImportBatch:
        number = number_or_none(request.values.get("id"))
        batch = self.db_session.scalar(select(ImportBatch).where(ImportBatch.id == number)) if number else None
        if batch is None:
            abort(404)
        return batch

    def _plan(self, batch: ImportBatch) -> importing.Plan:
        entries = importing.read_ledger(base64.b64decode(batch.content or ""), batch.file_name)
        return importing.check_rows(
            self.db_session, session_with, entries, self.db_session.get(School, batch.school_id), batch.start
        )

    @expose("/preview/")
    def preview(self) -> Any:
        """What each row would do, cell by cell."""
        batch = self._batch()
        if batch.state is not ImportState.WAITING:
            flash(_("这份文件已经处理过了。"), "info")
            return redirect(self.get_url(".index"))
        try:
            plan = self._plan(batch)
        except Unreadable as e:
            flash(_(str(e)), "danger")
            return redirect(self.get_url(".index"))
        only = request.args.get("only", "")
        rows = [row for row in plan.rows if not only or row.status == only]
        return self.render(
            "imports/preview.html",
            batch=batch,
            plan=plan,
            rows=rows[:SHOWN_ROWS],
            hidden=max(0, len(rows) - SHOWN_ROWS),
            only=only,
            keys=plan.keys,
            titles=ledger.TITLES,
            words=importing.preview_text,
            status_words=importing.STATUS_WORDS,
        )

    @expose("/save/", methods=("POST",))
    def save(self) -> Any:
        """Write the whole file, or nothing; or give it up."""
        batch = self._batch()
        if batch.state is not ImportState.WAITING:
            flash(_("这份文件已经处理过了。"), "info")
            return redirect(self.get_url(".index"))
        if request.form.get("drop"):
            batch.state, batch.content = ImportState.DROPPED, None
            self.db_session.commit()
            return redirect(self.get_url(".index"))
        plan = self._plan(batch)
        try:
            written = entering.save(self.db_session, plan, batch.file_name)
        except (Complaint, IntegrityError, StaleDataError) as e:
            self.db_session.rollback()
            flash(_(e.text if isinstance(e, Complaint) else "资料刚被他人改动，未写入。请重新核对后再写入。"), "danger")
            return redirect(self.get_url(".preview", id=number_or_none(request.form.get("id"))))
        batch.state, batch.content, batch.counts = ImportState.SAVED, None, plan.counts
        self.db_session.commit()
        analyse()
        flash(_("已写入 %(n)d 名儿童的资料。", n=written), "success")
        return redirect(self.get_url("child.index_view"))

    @expose("/template/")
    def template(self) -> Any:
        """An empty ledger with the columns the import knows."""
        titles = [c.title for c in ledger.COLUMNS if c.key != "school"]
        return workbook_response(writer.blank("台账", titles), "台账模板.xlsx")


def _start(raw: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(raw)
        if complaint := rules.sensible_date(day.isoformat()):
            raise Complaint(complaint)
        return day
    except ValueError:
        raise Complaint("就读起始日应写作 年-月-日，如 2026-09-01。") from None
