"""Workbooks as schools send them (.xlsx, .xls, .csv) to rows of values with their addresses."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import python_calamine

from . import apart
from .checks import DAMAGED, EXCEL_EPOCH, MAX_BYTES, MAX_ROWS, OLE, ZIP, Facts, Unreadable, check

MAX_COLUMNS = 200
FAILED = "#N/A"
"""Stands for the value of a formula that failed."""
EXHAUSTING = "文件读不完：可能已损坏，或太大、太复杂。请只留台账那一张工作表，另存为 .xlsx 后再上传。"
MAX_MERGED = 200_000
"""Cells that are merged with others. In a file with more, which is no ledger, they are read one by one."""


@dataclass(frozen=True)
class Grid:
    """One sheet: its name and its cells, row by row from row 1."""

    name: str
    rows: list[list[Any]]
    day_zero: dt.date = EXCEL_EPOCH
    """Day 0 of dates that were left as bare numbers."""
    merged: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """(row, column) of a cell that is merged with others -> the first of them, which holds their value."""

    def cell(self, row: int, column: int) -> Any:
        """The value at row (1-based) and column (0-based), None outside."""
        line = self.rows[row - 1] if 0 < row <= len(self.rows) else []
        return line[column] if column < len(line) else None

    def shown(self, row: int, column: int) -> Any:
        """The value that is seen there: of a merged cell the one it has as a whole."""
        return self.cell(*self.merged.get((row, column), (row, column)))

    def held(self, row: int, column: int) -> Any:
        """The value that holds there: of a cell merged downwards the one above. Across, it is one thing said of nothing in particular."""
        first, left = self.merged.get((row, column), (row, column))
        return self.cell(first if left == column else row, column)

    def is_merged(self, row: int, column: int) -> bool:
        return (row, column) in self.merged


def read(content: bytes, file_name: str) -> list[Grid]:
    """The sheets that hold anything; hidden ones are left alone.

    :raises Unreadable: for a file that is empty, too large, packed like a bomb, protected, or no table at all.
    """
    if not content:
        raise Unreadable("文件是空的，请重新选择。")
    if len(content) > MAX_BYTES:
        raise Unreadable("文件太大，最多 10 MB。请分成几个文件。")
    text = file_name.lower().endswith((".csv", ".txt")) and not content.startswith((ZIP, OLE))
    grids = [grid for grid in ([_read_csv(content)] if text else _read_apart(content)) if grid.rows]
    if not grids:
        raise Unreadable("表格里没有内容，请检查是否选错了文件。")
    return grids


def _read_apart(content: bytes) -> list[Grid]:
    try:
        found = apart.read(content)
    except apart.Failed as e:
        raise Unreadable(e.said or EXHAUSTING) from None
    return [
        Grid(g["name"], g["rows"], dt.date.fromisoformat(g["day_zero"]), {tuple(at): tuple(first) for at, first in g["merged"]})
        for g in found
    ]


def read_book(content: bytes) -> list[Grid]:
    """The sheets of a workbook, in this process.

    :raises Unreadable: see ``read``.
    """
    facts = check(content)
    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        shown = [m.name for m in book.sheets_metadata if m.visible == python_calamine.SheetVisibleEnum.Visible]
        return [_grid(book, name, facts) for name in shown]
    except (python_calamine.CalamineError, ValueError, OSError):
        raise Unreadable(DAMAGED) from None


def _grid(book: Any, name: str, facts: Facts) -> Grid:
    sheet = book.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False, nrows=MAX_ROWS + 1)
    if len(rows) > MAX_ROWS:
        raise Unreadable(f"工作表“{name}”超过 {MAX_ROWS} 行，请分成几个文件。")
    for number, row in enumerate(rows):
        rows[number] = [_value(v) for v in row[:MAX_COLUMNS]]
    for number, column in facts.errors.get(name, ()):
        if number <= len(rows) and column <= len(rows[number - 1]):
            rows[number - 1][column - 1] = FAILED
    _trim(rows)
    return Grid(name, rows, facts.day_zero, _merged(sheet.merged_cell_ranges or [], rows))


def _merged(ranges: list[Any], rows: list[list[Any]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Every cell of merged ranges -> the first of its range, as far as the sheet reaches."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    width, cells = max(map(len, rows), default=0), 0
    for (top, left), (bottom, right) in ranges:
        bottom, right = min(bottom, len(rows) - 1), min(right, width - 1)
        cells += max(0, bottom - top + 1) * max(0, right - left + 1)
        if cells > MAX_MERGED:
            return {}
        first = (top + 1, left)
        found |= {(row + 1, column): first for row in range(top, bottom + 1) for column in range(left, right + 1)}
    return found


def _trim(rows: list[list[Any]]) -> None:
    """Empty rows at the end away."""
    while rows and not any(v is not None for v in rows[-1]):
        rows.pop()


def _value(value: Any) -> Any:
    """Blank cells None, dates without a clock as dates, whole numbers as int."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, str):
        return value if value.strip() else None
    return value


def _read_csv(content: bytes) -> Grid:
    """Text with commas or, as Excel's “Unicode text”, tabs between its cells."""
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding).replace("\0", "")
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Unreadable("CSV 文件的编码认不出来，请另存为 .xlsx 后再上传。")
    mark = max(",\t;", key=text[:4096].count)
    try:
        lines = itertools.islice(csv.reader(io.StringIO(text), delimiter=mark), MAX_ROWS + 1)
        rows = [[_value(v) for v in row[:MAX_COLUMNS]] for row in lines]
    except csv.Error:
        raise Unreadable("CSV 文件的格式不对，请另存为 .xlsx 后再上传。") from None
    if len(rows) > MAX_ROWS:
        raise Unreadable(f"超过 {MAX_ROWS} 行，请分成几个文件。")
    _trim(rows)
    return Grid("CSV", rows)


def address(row: int, column: int) -> str:
    """Excel's name of a cell: row 1-based, column 0-based."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
