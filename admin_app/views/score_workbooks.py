"""The workbooks of a round that a screen hands out: county summary, score sheets, publicity, forms for the self-assessment."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import abort, request, send_file
from flask_admin import expose
from flask_login import current_user

from ..access import SYSTEM, Action
from ..assessment import results, workbooks
from ..assessment.scoring import Card
from ..db import session_with
from ..models import Round, Sheet
from .base import ToolView
from .exports import logged
from .gate import note


class ScoreWorkbooks(ToolView):
    """What the assessment's screen offers to take along. The screen itself says which round and sheet its address names."""

    needs = dict.fromkeys(("export_summary", "export_sheet", "export_all", "export_publicity", "export_self_form"), Action.EXPORT)

    _round: Callable[[], Round | None]
    _sheet: Callable[[], Sheet]
    _card: Callable[[Round, Sheet], Card]
    _see_all: Callable[[], bool]

    @expose("/export/")
    def export_summary(self) -> Any:
        """The county summary; only for those who see the county."""
        round_ = self._county_round()
        return self._workbook(round_, None, workbooks.summary, "全县汇总", f"{round_.code}年度考核汇总.xlsx")

    @expose("/export-sheet/")
    def export_sheet(self) -> Any:
        sheet = self._sheet()
        self._card(sheet.round, sheet)
        name = f"{sheet.round.code}年度考核评分表-{sheet.school}.xlsx"
        return self._workbook(
            sheet.round, sheet, lambda book: workbooks.school_sheet(book, sheet.school_id), str(sheet.school), name
        )

    @expose("/export-publicity/")
    def export_publicity(self) -> Any:
        """公示表: names no child."""
        round_ = self._county_round()
        return self._workbook(round_, None, workbooks.publicity, "公示表", f"{round_.code}年度考核结果公示.xlsx")

    @expose("/export-self-form/")
    def export_self_form(self) -> Any:
        """The self-assessment form of a school's sheet; without one, the office's form for all schools."""
        sheet = self._sheet() if "sheet" in request.args else None
        round_ = sheet.round if sheet else self._county_round()
        name = str(sheet.school) if sheet else "通用"
        words = f"{round_.code}年度考核自评表-{name}.xlsx"
        school_id = sheet.school_id if sheet else None
        return self._workbook(round_, sheet, lambda book: workbooks.self_form(book, school_id), f"自评表 {name}", words)

    @expose("/export-all/")
    def export_all(self) -> Any:
        """Every school's sheet in one zip, sent from a temporary file; noted first, so that who may not any more makes none."""
        round_ = self._county_round()
        with self._book(round_) as book:
            note("export", "sheet", "", None, 轮次=round_.code, 内容=f"全部评分表 {len(book.ordered)} 份")
            file = workbooks.all_sheets(book)
        name = f"{round_.code}年度考核评分表.zip"
        response = send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)
        response.content_length = file.seek(0, io.SEEK_END)
        file.seek(0)
        return response

    def _county_round(self) -> Round:
        if not self._see_all():
            abort(403)
        round_ = self._round()
        if round_ is None:
            abort(404)
        return round_

    @contextmanager
    def _book(self, round_: Round) -> Iterator[workbooks.Book]:
        with session_with(SYSTEM) as session:
            same = session.get_one(Round, round_.id)
            yield workbooks.Book.of(session, same, results.score(session, same), current_user.name)

    def _workbook(self, round_: Round, sheet: Sheet | None, write: Callable[[workbooks.Book], bytes], what: str, name: str) -> Any:
        with self._book(round_) as book:
            content = write(book)
        about = (sheet.id, sheet.school_id) if sheet else ("", None)
        return logged(content, name, "sheet", *about, 轮次=round_.code, 内容=what)
