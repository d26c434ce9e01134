"""The ledger import: upload, preview cell by cell, save all or nothing. The file waits on the server, sealed."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import Response, abort, flash, redirect, request, stream_with_context
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.datastructures import MultiDict

from .. import rules
from ..access import Action, Scope
from ..db import analyse, session_with
from ..limits import TooOften
from ..models import ImportBatch, ImportState, Resource, School, SchoolKind
from ..records import entering, importing, informing, ledger, offline_ledger, roundtrip, term_sheets
from ..rules import Complaint
from ..sheets import marking, offline, reader, writer
from ..sheets.reader import Unreadable
from .base import ToolView
from .exports import file_response, logged, receipt_of
from .fields import SCHOOLS, number_or_none
from .gate import ask_elsewhere, current_scope, limit_words, note_denied, note_names
from .lookups import TERMS

SHOWN_ROWS = 300
TOLD = ("consent", "informed_on", "informed_version")
"""What the form says of the notice: no word of a child, so it may stand in the address of the preview."""


class ImportView(ToolView):
    resource = Resource.REGISTER
    in_menu = False  # reached from the register and the first page
    needs = {
        "index": Action.CREATE,
        "columns": Action.CREATE,
        "preview": Action.CREATE,
        "save": Action.CREATE,
        "marked": Action.CREATE,
        "template": Action.READ,
        "offline": Action.EXPORT,
        "term": Action.EXPORT,
        "done": Action.CREATE,
    }

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
        newest = select(ImportBatch).order_by(ImportBatch.id.desc()).limit(8)
        return self.render(
            "imports/upload.html",
            schools=[s for s in SCHOOLS.find(self.db_session, "", 400) if s.kind not in (SchoolKind.BUREAU, SchoolKind.OUTSIDE)],
            start=importing.default_start(self.db_session),
            recent=list(self.db_session.scalars(newest.where(ImportBatch.state == ImportState.SAVED))),
            waiting=list(self.db_session.scalars(newest.where(ImportBatch.state == ImportState.WAITING))),
            columns=[c.title for c in ledger.COLUMNS if c.key != "school"],
            terms=TERMS.find(self.db_session, "", 12),
        )

    def _upload(self) -> Any:
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            raise Complaint("请选择要导入的文件。")
        content = upload.read()
        grids = reader.read(content, upload.filename)  # before the first statement: nobody waits for the database meanwhile
        school = SCHOOLS.one(self.db_session, request.form.get("school", ""))
        if school is None:
            raise Complaint("学校不是有效的选项。")
        page = ".preview"
        try:
            if not term_sheets.is_one(grids):
                ledger.entries(grids, importing.own_names(self.db_session, school.id))
        except ledger.NoHeader:
            page = ".columns"
        batch = ImportBatch(
            school_id=school.id,
            file_name=upload.filename.replace("\0", "")[-200:],
            start=rules.day(request.form.get("start", ""), rules.sensible_date),
            content=base64.b64encode(content).decode(),
        )
        self.db_session.add(batch)
        self.db_session.commit()
        return redirect(self.get_url(page, id=batch.id))

    def _batch(self) -> ImportBatch:
        number = number_or_none(request.values.get("id"))
        batch = self.db_session.scalar(select(ImportBatch).where(ImportBatch.id == number)) if number else None
        if batch is None:
            abort(404)
        return batch

    def _waiting(self) -> ImportBatch | None:
        """The batch of the address, if it still waits to be written."""
        batch = self._batch()
        if batch.state is ImportState.WAITING:
            return batch
        dropped = batch.state is ImportState.DROPPED
        flash(
            _("这份文件已放弃，或超过24小时没有确认，内容已清除，请重新上传。") if dropped else _("这份文件已经处理过了。"), "info"
        )
        return None

    @staticmethod
    def _file(batch: ImportBatch) -> tuple[bytes, str]:
        return base64.b64decode(batch.content or ""), batch.file_name

    @staticmethod
    def _plan(session: Session, batch: ImportBatch, grids: list[reader.Grid]) -> importing.Plan:
        """What a waiting file would do: a ledger, or the sheets of a term."""
        school = session.get_one(School, batch.school_id)
        if term_sheets.is_one(grids):
            return term_sheets.check(session, grids, school)
        entries = ledger.entries(grids, importing.own_names(session, batch.school_id))
        return importing.check_rows(session, partial(ask_elsewhere, session), entries, school, batch.start)

    @expose("/columns/", methods=("GET", "POST"))
    def columns(self) -> Any:
        """Which column is which: what the header says, what it is taken for, and what stands below. Remembered for the school."""
        batch = self._waiting()
        if batch is None:
            return redirect(self.get_url(".index"))
        number, own = batch.id, importing.own_names(self.db_session, batch.school_id)
        if request.method == "POST":
            try:
                importing.learn_names(self.db_session, batch.school_id, _chosen())
                self.db_session.commit()
                return redirect(self.get_url(".preview", id=number))
            except Complaint as e:
                self.db_session.rollback()
                flash(_(e.text), "danger")
        batch = self._batch()
        grids = reader.read(base64.b64decode(batch.content or ""), batch.file_name)
        typed = {(sheet, words): key for sheet, words, key in _chosen()}
        return self.render(
            "imports/columns.html",
            batch=batch,
            sheets=[(grid.name, heads) for grid in grids if (heads := ledger.headings(grid, own))],
            typed=typed,
            columns=ledger.COLUMNS,
            required=ledger.REQUIRED,
        )

    @expose("/preview/")
    def preview(self) -> Any:
        """What each row would do, cell by cell."""
        batch = self._waiting()
        if batch is None:
            return redirect(self.get_url(".index"))
        try:
            plan = self._plan(self.db_session, batch, reader.read(*self._file(batch)))
        except ledger.NoHeader as e:
            flash(_(str(e)), "danger")
            return redirect(self.get_url(".columns", id=batch.id))
        except (Unreadable, Complaint) as e:
            flash(_(str(e)), "danger")
            return redirect(self.get_url(".index"))
        only = request.args.get("only", "")
        rows = [row for row in plan.rows if not only or row.status == only]
        rows.sort(key=lambda row: row.status == "unchanged")  # what there is to look at comes first
        note_names(len(plan.rows), batch.school_id, batch.id)
        return self.render(
            "imports/preview.html",
            batch=batch,
            plan=plan,
            rows=rows[:SHOWN_ROWS],
            hidden=max(0, len(rows) - SHOWN_ROWS),
            only=only,
            keys=plan.keys,
            titles=plan.titles,
            words=plan.words,
            of_ledger=not isinstance(plan, term_sheets.TermPlan),
            status_words=importing.STATUS_WORDS,
            typed=request.args,
            grounds=informing.GROUNDS,
            version=informing.NOTICE,
            today=dt.date.today().isoformat(),
        )

    @expose("/save/", methods=("POST",))
    def save(self) -> Any:
        """Write the whole file, or nothing; or give it up."""
        batch = self._waiting()
        if batch is None:
            return redirect(self.get_url(".index"))
        if request.form.get("drop"):
            batch.state, batch.content = ImportState.DROPPED, None
            self.db_session.commit()
            return redirect(self.get_url(".index"))
        file, typed = self._file(batch), request.form.copy()
        steps = self._steps(batch.id, current_scope(), file, typed, good_only="good" in typed)
        self.db_session.commit()  # the writing has a session of its own, which outlives this one when it is followed step by step
        if request.headers.get("X-Progress"):
            lines = (json.dumps(step, ensure_ascii=False) + "\n" for step in steps)
            return Response(stream_with_context(lines), mimetype="application/x-ndjson")
        *_before, last = steps
        if "error" in last:
            flash(last["error"], "danger")
            said = {name: request.form.get(name, "")[:20] or None for name in TOLD}
            return redirect(self.get_url(".preview", id=number_or_none(request.form.get("id")), **said))
        return redirect(last["to"])

    def _steps(
        self, number: int, scope: Scope, file: tuple[bytes, str], typed: MultiDict[str, str], *, good_only: bool
    ) -> Iterator[dict[str, Any]]:
        """How far the writing is, then where to go on, or why nothing was written. Left before its end, nothing is kept."""
        done = {"to": self.get_url(".done", id=number)}
        if not file[0]:  # sent twice: the other one has written it by now, or given it up
            yield done
            return
        try:
            grids = reader.read(*file)  # before the session: nobody waits for the database meanwhile
        except Unreadable as e:
            yield {"error": _(str(e))}
            return
        with session_with(scope, writes=True) as session:
            batch = session.get_one(ImportBatch, number)
            try:
                plan = self._plan(session, batch, grids)
                session.refresh(batch)  # what was asked about strangers may have been noted, and the turn given up for it
                if batch.state is not ImportState.WAITING:
                    yield done
                    return
                plan.accept(typed.getlist("accept"))
                plan.tell(typed)
                every, written = sum(row.writes for row in plan.rows), 0
                write = term_sheets.writing if isinstance(plan, term_sheets.TermPlan) else entering.writing
                for written in write(session, plan, batch.file_name, good_only=good_only):
                    yield {"done": written, "all": every}
                left = sum(row.holds_back for row in plan.rows)
                batch.state, batch.content, batch.counts = ImportState.SAVED, None, plan.counts | {"written": written, "left": left}
                session.commit()
            except TooOften as e:
                session.rollback()
                note_denied(429)
                yield {"error": limit_words(e)}
                return
            except (Complaint, Unreadable, IntegrityError, StaleDataError) as e:
                session.rollback()
                said = str(e) if isinstance(e, Complaint | Unreadable) else "资料刚被他人改动，未写入。请重新核对后再写入。"
                yield {"error": _(said)}
                return
        analyse()
        yield done

    @expose("/done/")
    def done(self) -> Any:
        """What was written, said on the list that holds it."""
        batch = self._batch()
        if batch.state is not ImportState.SAVED:
            return redirect(self.get_url(".preview", id=batch.id))
        flash(_("已写入 %(n)d 行。", n=batch.counts.get("written", 0)), "success")
        if left := batch.counts.get("left"):
            flash(_("另有 %(n)d 行没有写入，请在原表改好后再导入。", n=left), "warning")
        return redirect(self.get_url("child.index_view"))

    @expose("/marked/")
    def marked(self) -> Any:
        """The user's own file, its faulty cells coloured with a comment."""
        batch = self._waiting()
        if batch is None:
            return redirect(self.get_url(".index"))
        try:
            grids = reader.read(*self._file(batch))
            plan = self._plan(self.db_session, batch, grids)
            said = [marking.Remark(row.sheet, p.cell or row.place, p.level, p.text) for row in plan.rows for p in row.problems]
            file = marking.marked(self._file(batch)[0], grids, said, to_sender=batch.created_by == current_user.user_id)
        except (Unreadable, Complaint) as e:
            flash(_(str(e)), "danger")
            return redirect(self.get_url(".preview", id=batch.id))
        name = f"{batch.file_name.rpartition('.')[0] or batch.file_name}-已标注.xlsx"
        return logged(file, name, "import_batch", batch.id, batch.school_id, 内容="标注的原表")

    @expose("/template/")
    def template(self) -> Any:
        """An empty ledger with the columns the import knows."""
        titles = [c.title for c in ledger.COLUMNS if c.key != "school"]
        return file_response(writer.blank("台账", titles), "台账模板.xlsx")

    @expose("/offline/")
    def offline(self) -> Any:
        """A school's ledger to be edited without a connection and uploaded again."""
        school = SCHOOLS.one(self.db_session, request.args.get("school", ""))
        if school is None or not current_scope().owns(school.id):
            abort(404)
        page = offline_ledger.sheet(self.db_session, school)
        page = page._replace(rows=list(page.rows))
        receipt = receipt_of(f"离线台账 {school}", len(page.rows))
        content = offline.workbook([page], roundtrip.HEADING, offline_ledger.GUIDE, receipt)
        name = f"离线台账-{school}-{dt.date.today():%Y%m%d}.xlsx"
        return logged(content, name, "child", "", school.id, 内容="离线台账", **receipt)

    @expose("/term/")
    def term(self) -> Any:
        """The talks, visits and participants of a school's term, to be edited without a connection and uploaded again."""
        school, term = (
            SCHOOLS.one(self.db_session, request.args.get("school", "")),
            TERMS.one(self.db_session, request.args.get("term", "")),
        )
        if school is None or term is None or not current_scope().owns(school.id):
            abort(404)
        pages = term_sheets.sheets(self.db_session, school, term)
        receipt = receipt_of(f"学期记录表 {school} {term}", sum(len(page.rows) for page in pages))
        content = offline.workbook(pages, roundtrip.HEADING, term_sheets.GUIDE, receipt)
        name = f"学期记录表-{school}-{term}-{dt.date.today():%Y%m%d}.xlsx"
        return logged(content, name, "care_record", "", school.id, 内容="学期记录表", **receipt)


def _chosen() -> list[tuple[str, str, str]]:
    """(sheet, words of the header, chosen key) of the form."""
    return list(zip(*(request.form.getlist(name) for name in ("sheet", "words", "key")), strict=False))
