"""A statistical table as a workbook: grouped headers, sums and shares as live formulas, check equations that say 平 or 不平."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from . import writer
from .reader import address

EVEN, UNEVEN = "平", "不平"
WIDE = 18
"""More columns than these go on A3, and are narrow."""
WIDTHS = {"count": 5.4, "money": 11, "share": 7.4}
ROOMY = 9


class Entry(NamedTuple):
    """A cell: its value (a text where a number is not told), how it is shown (count, money, share), and what it follows from.

    ``sums``: the lines it adds up; ``ratio``: the columns of part and whole on its own line. Both count from 0.
    """

    value: int | Decimal | str | None
    kind: str = "count"
    sums: tuple[int, ...] = ()
    ratio: tuple[int, int] | None = None


class Line(NamedTuple):
    label: str
    level: int
    entries: list[Entry]


class Check(NamedTuple):
    """The columns on the left sum to those on the right, on every line."""

    words: str
    left: tuple[int, ...]
    right: tuple[int, ...]


@dataclass(frozen=True)
class Names:
    """A list of names that belongs to the table, on a sheet of its own."""

    title: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]
    widths: tuple[int, ...] = ()
    wide: bool = False
    """Printed across."""


@dataclass(frozen=True)
class Table:
    title: str
    said: str
    label: str
    heads: list[tuple[str, str]]
    """(group, title) of each column; a blank group stands alone."""
    lines: list[Line]
    numbers: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    signed: str = ""
    sentences: tuple[str, ...] = ()
    names: list[Names] = field(default_factory=list)


class _Styles:
    def __init__(self, book: Workbook):
        box = {"border": 1, "font_size": 9, "valign": "vcenter", "font_name": writer.BODY}
        head = box | {"bold": True, "font_name": writer.HEADING, "bg_color": "#F2F4F7", "align": "center", "text_wrap": True}
        self.title = book.add_format(
            {"bold": True, "font_name": writer.HEADING, "font_size": 16, "align": "center", "valign": "vcenter"}
        )
        self.said = book.add_format({"font_name": writer.BODY, "font_size": 10, "text_wrap": True, "valign": "vcenter"})
        self.head = book.add_format(head)
        self.number = book.add_format(head | {"bold": False, "font_size": 8, "font_color": "#5A6573"})
        formats = {"count": "#,##0", "money": "#,##0.00", "share": "0.00%", "text": "General"}
        self.cells = {
            (kind, level): book.add_format(
                box
                | {"num_format": form, "align": "left" if kind == "text" else "right", "text_wrap": kind == "text"}
                | ({"bold": True, "font_name": writer.HEADING} if level == 0 else {})
                | ({"indent": level - 1} if kind == "text" and level > 1 else {})
            )
            for kind, form in formats.items()
            for level in (0, 1, 2)
        }
        self.verdict = book.add_format(box | {"align": "center"})
        self.wrong = book.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006"})


FIRST_LINE = 5
"""Below title, said, groups, titles and numbers."""


def workbook(table: Table, receipt: Mapping[str, str]) -> bytes:
    """The table, its check equations, its lists of names and the receipt."""
    buffer = io.BytesIO()
    with writer.open_book(buffer) as book:
        styles = _Styles(book)
        sheet = book.add_worksheet("报表")
        _lead(sheet, table, styles)
        for number, line in enumerate(table.lines):
            _line(sheet, number, line, styles)
        _verdicts(sheet, table, styles)
        _foot(sheet, table, styles)
        if table.checks:
            _equations(book, table, styles)
        for names in table.names:
            _names(book, names, styles)
        writer.add_receipt(book, receipt)
    return buffer.getvalue()


def _width(table: Table) -> int:
    """The last column: the label, the columns, and the verdict where there are checks."""
    return len(table.heads) + bool(table.checks)


def _lead(sheet: Worksheet, table: Table, styles: _Styles) -> None:
    last = _width(table)
    sheet.set_column(0, 0, 22)
    for column, entry in enumerate(table.lines[0].entries, 1):
        sheet.set_column(column, column, max(WIDTHS[entry.kind], ROOMY if len(table.heads) <= WIDE else 0))
    sheet.merge_range(0, 0, 0, last, table.title, styles.title)
    sheet.set_row(0, 30)
    sheet.merge_range(1, 0, 1, last, table.said, styles.said)
    sheet.set_row(1, 30)
    narrow = len(table.heads) > WIDE
    sheet.set_row(3, 15 + 12 * max(len(title) for _group, title in table.heads) // (3 if narrow else 5))
    sheet.merge_range(2, 0, 4 if table.numbers else 3, 0, table.label, styles.head)
    column = 1
    for group, heads in groupby(table.heads, key=lambda head: head[0]):
        titles = [title for _group, title in heads]
        if not group:
            for n, title in enumerate(titles, column):
                sheet.merge_range(2, n, 3, n, title, styles.head)
        else:
            _over(sheet, 2, column, column + len(titles) - 1, group, styles.head)
            for n, title in enumerate(titles, column):
                sheet.write_string(3, n, title, styles.head)
        column += len(titles)
    if table.checks:
        sheet.merge_range(2, last, 4 if table.numbers else 3, last, "勾稽", styles.head)
    for n, number in enumerate(table.numbers, 1):
        sheet.write_string(4, n, number, styles.number)
    if not table.numbers:
        sheet.set_row(4, None, None, {"hidden": True})
    sheet.freeze_panes(FIRST_LINE, 1)
    writer.paper(sheet, landscape=True)
    if len(table.heads) > WIDE:
        sheet.set_paper(8)
    sheet.repeat_rows(2, 4)


def _over(sheet: Worksheet, row: int, first: int, last: int, words: str, style: Format) -> None:
    if first == last:
        sheet.write_string(row, first, words, style)
    else:
        sheet.merge_range(row, first, row, last, words, style)


def _line(sheet: Worksheet, number: int, line: Line, styles: _Styles) -> None:
    row = FIRST_LINE + number
    sheet.set_row(row, 17)
    writer.write_text(sheet, row, 0, line.label, styles.cells["text", line.level])
    for column, entry in enumerate(line.entries, 1):
        style = styles.cells[entry.kind, line.level]
        if isinstance(entry.value, str):
            sheet.write_string(row, column, entry.value, style)
        elif entry.ratio is not None:
            part, whole = (xl_rowcol_to_cell(row, n + 1) for n in entry.ratio)
            shown = "—" if entry.value is None else entry.value
            sheet.write_formula(row, column, f'=IF({whole}=0,"—",ROUND({part}/{whole},4))', style, shown)
        elif entry.sums and entry.value is not None:
            summed = "+".join(_runs(entry.sums, column))
            sheet.write_formula(row, column, f"={summed}", style, entry.value)
        elif entry.value is None:
            sheet.write_string(row, column, "—", style)
        else:
            sheet.write_number(row, column, entry.value, style)


def _runs(lines: Sequence[int], column: int) -> list[str]:
    """SUM over each unbroken run of lines; single lines of several runs are named alone."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    cell = lambda line: xl_rowcol_to_cell(FIRST_LINE + line, column)  # noqa: E731
    return [f"SUM({cell(first)}:{cell(last)})" if first != last else cell(first) for first, last in runs]


def _sum(row: int, columns: Sequence[int], sheet: str = "") -> str:
    return "+".join(f"{sheet}{xl_rowcol_to_cell(row, column + 1)}" for column in columns)


def _total(line: Line, columns: Sequence[int]) -> int | Decimal:
    return sum(value for column in columns if isinstance(value := line.entries[column].value, int | Decimal))


def _verdicts(sheet: Worksheet, table: Table, styles: _Styles) -> None:
    if not table.checks:
        return
    last = _width(table)
    for number, line in enumerate(table.lines):
        row = FIRST_LINE + number
        equal = ",".join(f"{_sum(row, check.left)}={_sum(row, check.right)}" for check in table.checks)
        even = all(_total(line, check.left) == _total(line, check.right) for check in table.checks)
        sheet.write_formula(row, last, f'=IF(AND({equal}),"{EVEN}","{UNEVEN}")', styles.verdict, EVEN if even else UNEVEN)
    cells = (FIRST_LINE, last, FIRST_LINE + len(table.lines) - 1, last)
    sheet.conditional_format(*cells, {"type": "cell", "criteria": "==", "value": f'"{UNEVEN}"', "format": styles.wrong})


def _foot(sheet: Worksheet, table: Table, styles: _Styles) -> None:
    row, last = FIRST_LINE + len(table.lines), _width(table)
    for note in table.notes:
        sheet.merge_range(row, 0, row, last, f"说明：{note}", styles.said)
        sheet.set_row(row, 15 * (1 + len(note) // max(20, last * 4)))
        row += 1
    if table.signed:
        sheet.merge_range(row + 1, 0, row + 1, last, table.signed, styles.said)
    sheet.print_area(0, 0, row + 1, len(table.heads))  # the verdicts are for whoever fills it in


def _equations(book: Workbook, table: Table, styles: _Styles) -> None:
    """Both sides of every equation, from the cells of the first line."""
    sheet, first = book.add_worksheet("勾稽关系"), table.lines[0]
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, 4, 11)
    for column, words in enumerate(("等式", "左边", "右边", "差", "结论")):
        sheet.write_string(0, column, words, styles.head)
    count = styles.cells["count", 2]
    for row, check in enumerate(table.checks, 1):
        left, right = _total(first, check.left), _total(first, check.right)
        writer.write_text(sheet, row, 0, check.words, styles.cells["text", 2])
        sheet.write_formula(row, 1, f"={_sum(FIRST_LINE, check.left, '报表!')}", count, left)
        sheet.write_formula(row, 2, f"={_sum(FIRST_LINE, check.right, '报表!')}", count, right)
        sheet.write_formula(row, 3, f"={address(row + 1, 1)}-{address(row + 1, 2)}", count, left - right)
        even = EVEN if left == right else UNEVEN
        sheet.write_formula(row, 4, f'=IF({address(row + 1, 3)}=0,"{EVEN}","{UNEVEN}")', styles.verdict, even)
    wrong = {"type": "cell", "criteria": "==", "value": f'"{UNEVEN}"', "format": styles.wrong}
    sheet.conditional_format(1, 4, len(table.checks), 4, wrong)
    writer.paper(sheet, landscape=False)


def _names(book: Workbook, names: Names, styles: _Styles) -> None:
    sheet = book.add_worksheet(names.title[:31])
    for column, words in enumerate(names.heads):
        sheet.set_column(column, column, names.widths[column] if names.widths else 16)
        sheet.write_string(0, column, words, styles.head)
    for row, values in enumerate(names.rows, 1):
        for column, value in enumerate(values):
            writer.write_text(sheet, row, column, value, styles.cells["text", 2])
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    writer.paper(sheet, landscape=names.wide)


def page(table: Table, receipt: Mapping[str, str]) -> bytes:
    """The same numbers one below the other, with ready sentences: the data page behind a typed summary."""
    buffer = io.BytesIO()
    with writer.open_book(buffer) as book:
        styles = _Styles(book)
        sheet = book.add_worksheet("数据页")
        for column, width in enumerate((24, 34, 18)):
            sheet.set_column(column, column, width)
        sheet.merge_range(0, 0, 0, 2, table.title, styles.title)
        sheet.set_row(0, 30)
        sheet.merge_range(1, 0, 1, 2, table.said, styles.said)
        sheet.set_row(1, 44)
        for column, words in enumerate(("类别", "项目", "数值")):
            sheet.write_string(2, column, words, styles.head)
        for row, ((group, title), entry) in enumerate(zip(table.heads, table.lines[0].entries, strict=True), 3):
            writer.write_text(sheet, row, 0, group, styles.cells["text", 2])
            writer.write_text(sheet, row, 1, title, styles.cells["text", 2])
            style = styles.cells[entry.kind, 2]
            if isinstance(entry.value, str):
                sheet.write_string(row, 2, entry.value, style)
            elif entry.ratio is not None:
                part, whole = (address(n + 4, 2) for n in entry.ratio)
                shown = "—" if entry.value is None else entry.value
                sheet.write_formula(row, 2, f'=IF({whole}=0,"—",ROUND({part}/{whole},4))', style, shown)
            else:
                sheet.write_number(row, 2, entry.value or 0, style)
        row = 3 + len(table.heads) + 1
        if table.sentences:
            sheet.write_string(row, 0, "可直接引用的文字", styles.head)
        for n, sentence in enumerate(table.sentences, row + 1):
            sheet.merge_range(n, 0, n, 2, sentence, styles.said)
            sheet.set_row(n, 15 * (1 + len(sentence) // 36))
        sheet.freeze_panes(3, 0)
        sheet.repeat_rows(2)
        writer.paper(sheet, landscape=False)
        writer.add_receipt(book, receipt)
    return buffer.getvalue()
