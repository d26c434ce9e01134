"""Rows to workbooks (xlsxwriter): typed cells, text as text, A4 print set-up, a receipt sheet."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

BODY, HEADING, PAPER = "宋体", "黑体", "仿宋_GB2312"
LONGEST = 32767
"""What a cell can hold."""
WARNING = "含未成年人个人信息，严禁外传"


class _Sheet(Worksheet):
    """xlsxwriter searches every formula for thirty functions younger than Excel 2010; ours use none (half the time of a workbook)."""

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        return formula.removeprefix("=")


class _Book(Workbook):
    def __init__(self, *words: Any):
        super().__init__(*words)
        self.worksheet_class = _Sheet


def open_book(buffer: io.BytesIO, *, streaming: bool = False) -> Workbook:
    """A workbook that never turns text into a formula or a link."""
    return _Book(
        buffer,
        {
            "constant_memory": streaming,
            "in_memory": not streaming,  # a small book needs no files; with streaming it would undo the saving
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
        },
    )


def table(title: str, headers: list[str], rows: Iterable[Sequence[Any]], receipt: Mapping[str, str]) -> bytes:
    """A list as a workbook: one sheet of rows, one receipt. Memory does not grow with the rows.

    ``rows``: dates and ints become real cells, anything else text.
    """
    return tables([(title, headers, rows)], receipt)


def tables(
    parts: Iterable[tuple[str, list[str], Iterable[Sequence[Any]]]], receipt: Mapping[str, str], widths: Sequence[float] = ()
) -> bytes:
    """Several lists (title, headers, rows), a sheet each, and one receipt.

    :param widths: of the columns, where the sheets are to be read on paper: text is wrapped, pages stand upright.
    """
    buffer = io.BytesIO()
    with open_book(buffer, streaming=True) as book:
        head = book.add_format({"bold": True, "font_name": HEADING, "bg_color": "#F2F4F7", "border": 1, "align": "center"})
        body = book.add_format({"font_name": BODY, "font_size": 10} | ({"text_wrap": True, "valign": "top"} if widths else {}))
        day = book.add_format({"font_name": BODY, "font_size": 10, "num_format": "yyyy-mm-dd", "align": "left"})
        for title, headers, rows in parts:
            sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31])
            for column in range(len(headers)):
                sheet.set_column(column, column, widths[column] if widths else 14, body)
            sheet.freeze_panes(1, 0)
            if not widths:
                sheet.autofilter(0, 0, 0, max(0, len(headers) - 1))
            paper(sheet, landscape=not widths)
            sheet.repeat_rows(0)
            for column, words in enumerate(headers):
                sheet.write_string(0, column, words, head)
            _write_rows(sheet, rows, body, day)
        add_receipt(book, receipt)
    return buffer.getvalue()


def _write_rows(sheet: Worksheet, rows: Iterable[Sequence[Any]], body: Format, day: Format) -> None:
    write_string = sheet.write_string
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            if type(value) is str and len(value) < LONGEST and value[:3] != "<r>":  # of a long list nearly every cell
                if value:
                    write_string(number, column, value, body)
            elif value is not None:
                _write(sheet, number, column, value, day if isinstance(value, dt.date) else body)


def form(
    title: str,
    said: str,
    columns: Sequence[tuple[str, float]],
    rows: Iterable[Sequence[Any]],
    signed: str,
    receipt: Mapping[str, str],
) -> bytes:
    """A list as it is handed in on paper: title, a line on whom and when, bordered rows, signatures; A3 across, headers on every page.

    :param columns: (header, width in characters) each.
    :param rows: dates and ints become real cells, anything else text.
    """
    buffer, last = io.BytesIO(), len(columns) - 1
    with open_book(buffer, streaming=True) as book:
        sheet = book.add_worksheet(title[:31])
        shape = {"border": 1, "text_wrap": True, "valign": "vcenter", "font_size": 9}
        head = book.add_format(shape | {"bold": True, "font_name": HEADING, "bg_color": "#F2F4F7", "align": "center"})
        body = book.add_format(shape | {"font_name": BODY})
        count = book.add_format(shape | {"font_name": BODY, "align": "center"})
        day = book.add_format(shape | {"font_name": BODY, "num_format": "yyyy-mm-dd", "align": "left"})
        for column, (_words, width) in enumerate(columns):
            sheet.set_column(column, column, width)
        sheet.set_row(0, 28)
        sheet.merge_range(
            0, 0, 0, last, title, book.add_format({"bold": True, "font_name": HEADING, "font_size": 16, "align": "center"})
        )
        sheet.merge_range(1, 0, 1, last, said, book.add_format({"font_name": BODY, "font_size": 10}))
        sheet.set_row(2, 30)
        for column, (words, _width) in enumerate(columns):
            sheet.write_string(2, column, words, head)
        number = 2
        for number, row in enumerate(rows, 3):
            lines = max(_lines(value, width) for value, (_words, width) in zip(row, columns, strict=True))
            sheet.set_row(number, 3 + 12 * lines)
            for column, value in enumerate(row):
                style = day if isinstance(value, dt.date) else count if isinstance(value, int) else body
                _write(sheet, number, column, "" if value is None else value, style)
        sheet.merge_range(number + 2, 0, number + 2, last, signed, book.add_format({"font_name": BODY, "font_size": 10}))
        sheet.freeze_panes(3, 5)
        paper(sheet, landscape=True)
        sheet.set_paper(8)
        sheet.repeat_rows(2)
        add_receipt(book, receipt)
    return buffer.getvalue()


def _write(sheet: Worksheet, row: int, column: int, value: Any, style: Format) -> None:
    """Dates and ints as such, anything else as text."""
    if isinstance(value, dt.date):
        sheet.write_datetime(row, column, dt.datetime(value.year, value.month, value.day), style)
    elif isinstance(value, int):
        sheet.write_number(row, column, value, style)
    else:
        write_text(sheet, row, column, value, style)


def _lines(value: Any, width: float) -> int:
    """How many lines a text takes in a column; a Chinese character is as wide as two digits."""
    text = value if isinstance(value, str) else ""
    return max(1, math.ceil(sum(1 if char.isascii() else 2 for char in text) * 0.9 / width))


def write_text(sheet: Worksheet, row: int, column: int, value: object, style: Format) -> None:
    """Text as it is. xlsxwriter takes ``<r>…</r>`` for markup of its own; cut in pieces it stays text."""
    text = value if type(value) is str else str(value)
    if len(text) > LONGEST:
        text = text[:LONGEST]
    if text[:3] == "<r>" and text[-4:] == "</r>":
        sheet.write_rich_string(row, column, text[:1], text[1:2], text[2:], style)
    else:
        sheet.write_string(row, column, text, style)


def paper(sheet: Worksheet, *, landscape: bool, warning: str = WARNING) -> None:
    """A4, one page wide, page x of y and the warning on every page; blank on what is made for the public."""
    sheet.set_paper(9)
    if landscape:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    today = dt.date.today()  # as words: &D would print in the reader's own manner, and anew on every day
    _foot(sheet, warning, f"导出 {today.year}年{today.month}月{today.day}日")


def _foot(sheet: Worksheet, warning: str, said: str) -> None:
    sheet.set_footer(f"&L&8{warning}&C&9第 &P 页 共 &N 页&R&8{said.replace('&', '&&')}")


def add_receipt(book: Workbook, receipt: Mapping[str, str], *, warning: str = WARNING) -> None:
    """Who took what, when: a sheet of its own, the foot of every page and the file's properties."""
    sheet = book.add_worksheet("导出凭据")
    bold = book.add_format({"bold": True, "font_name": HEADING})
    body = book.add_format({"font_name": BODY, "text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 70)
    sheet.write_string(0, 0, warning, bold)
    for row, (name, value) in enumerate(receipt.items(), 2):
        sheet.write_string(row, 0, name, bold)
        write_text(sheet, row, 1, value, body)
    paper(sheet, landscape=False, warning=warning)
    if warning and "导出人" in receipt:
        for each in book.worksheets():
            _foot(each, warning, f"{receipt['导出人']} {receipt.get('导出时间', '')} 导出")
    book.set_properties({"title": warning, "comments": "；".join(f"{k}：{v}" for k, v in receipt.items())[:250]})


def blank(title: str, headers: list[str]) -> bytes:
    """An empty form: the headers, and text cells below so that long numbers survive."""
    buffer = io.BytesIO()
    with open_book(buffer) as book:
        sheet = book.add_worksheet(title)
        head = book.add_format({"bold": True, "font_name": HEADING, "bg_color": "#F2F4F7", "border": 1, "align": "center"})
        text = book.add_format({"font_name": BODY, "num_format": "@"})
        sheet.set_column(0, len(headers) - 1, 13, text)
        for column, words in enumerate(headers):
            sheet.write_string(0, column, words, head)
        sheet.freeze_panes(1, 0)
        paper(sheet, landscape=True)
    return buffer.getvalue()
