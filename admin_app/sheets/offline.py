"""A workbook to be filled in without a connection and sent back: typed columns with drop-downs and checks, rows that know where
they came from in a hidden last column, room for new ones, and a page of instructions."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from xlsxwriter.utility import xl_range_abs
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from . import writer

ROOM = 300
"""Empty rows below, with the same checks."""
OPTIONS, GUIDE = "选项", "填写说明"


class Field(NamedTuple):
    """A column: its heading, how wide, and what may be typed: text, date, number, or one of some options."""

    title: str
    width: float = 12
    kind: str = "text"
    options: tuple[str, ...] = ()
    longest: int = 0
    fixed: bool = False
    """Shown grey: it tells which row this is and is not taken over."""


class Sheet(NamedTuple):
    """``rows``: the values of the fields, then the mark of the hidden column (blank: a row made ready, but new)."""

    title: str
    fields: Sequence[Field]
    rows: Iterable[Sequence[Any]]
    room: int = ROOM


def workbook(sheets: Sequence[Sheet], mark: str, guide: Sequence[str], receipt: Mapping[str, str]) -> bytes:
    """:param mark: the heading of the hidden column. :param guide: lines of instruction."""
    buffer = io.BytesIO()
    with writer.open_book(buffer) as book:
        made = [(sheet, book.add_worksheet(sheet.title)) for sheet in sheets]
        _guide(book, guide)
        lists = _Options(book)
        for sheet, page in made:
            _fill(book, page, sheet, mark, lists)
        writer.add_receipt(book, receipt)
    return buffer.getvalue()


class _Options:
    """The lists behind the drop-downs, a column each on a hidden sheet: in the cell they could only be short."""

    def __init__(self, book: Workbook):
        self.page, self.known = book.add_worksheet(OPTIONS), {}
        self.page.hide()

    def range(self, options: tuple[str, ...]) -> str:
        if options not in self.known:
            column = len(self.known)
            for row, words in enumerate(options):
                self.page.write_string(row, column, words)
            self.known[options] = f"={OPTIONS}!{xl_range_abs(0, column, len(options) - 1, column)}"
        return self.known[options]


def _fill(book: Workbook, page: Worksheet, sheet: Sheet, mark: str, lists: _Options) -> None:
    head = book.add_format(
        {"bold": True, "font_name": writer.HEADING, "bg_color": "#F2F4F7", "border": 1, "align": "center", "text_wrap": True}
    )
    shape = {"font_name": writer.BODY, "font_size": 10, "valign": "top", "text_wrap": True}
    text, day = book.add_format(shape | {"num_format": "@"}), book.add_format(shape | {"num_format": "yyyy-mm-dd", "align": "left"})
    count = book.add_format(shape | {"num_format": "0"})
    fixed = book.add_format(shape | {"num_format": "@", "bg_color": "#F2F4F7", "font_color": "#5A6573"})
    fixed_day = book.add_format(
        shape | {"num_format": "yyyy-mm-dd", "align": "left", "bg_color": "#F2F4F7", "font_color": "#5A6573"}
    )
    styles = {"date": day, "number": count}
    last = len(sheet.fields)
    for column, field in enumerate(sheet.fields):
        page.set_column(column, column, field.width, styles.get(field.kind, text))
        page.write_string(0, column, field.title, head)
    page.set_column(last, last, 10, text, {"hidden": True})
    page.write_string(0, last, mark, head)
    number = 0
    for number, row in enumerate(sheet.rows, 1):
        for column, value in enumerate(row):
            field = sheet.fields[column] if column < last else Field(mark)
            if isinstance(value, dt.date):
                style = fixed_day if field.fixed else day
                page.write_datetime(number, column, dt.datetime(value.year, value.month, value.day), style)
            elif isinstance(value, int) and not isinstance(value, bool):
                page.write_number(number, column, value, count)
            elif value:
                writer.write_text(page, number, column, value, fixed if field.fixed else text)
    for column, field in enumerate(sheet.fields):
        _validate(page, column, number + sheet.room, field, lists)
    page.freeze_panes(1, 2)
    page.autofilter(0, 0, number, last - 1)
    writer.paper(page, landscape=True)
    page.repeat_rows(0)


def _validate(page: Worksheet, column: int, last: int, field: Field, lists: _Options) -> None:
    rule: dict[str, Any] = {}
    if field.kind == "choice":
        rule = {"validate": "list", "source": lists.range(field.options), "error_message": "请从下拉列表中选择。"}
    elif field.kind == "date":
        span = {"minimum": dt.date(1900, 1, 1), "maximum": dt.date(2100, 1, 1)}
        rule = {"validate": "date", "criteria": "between", **span, "error_message": "日期应写作 年-月-日，如 2026-09-01。"}
    elif field.kind == "number":
        rule = {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": 999, "error_message": "请填整数。"}
    elif field.longest:
        words = f"最多 {field.longest} 个字。"
        rule = {"validate": "length", "criteria": "<=", "value": field.longest, "error_message": words}
    if rule and last:
        page.data_validation(1, column, last, column, rule | {"error_title": field.title[:30]})


def _guide(book: Workbook, lines: Sequence[str]) -> None:
    page = book.add_worksheet(GUIDE)
    page.set_column(0, 0, 90)
    style = book.add_format({"font_name": writer.BODY, "font_size": 11, "text_wrap": True, "valign": "top"})
    for row, line in enumerate(lines):
        writer.write_text(page, row, 0, line, style)
    writer.paper(page, landscape=False)
