"""Workbooks as schools send them (.xlsx, .xls, .csv) to rows of values with their addresses. Limits are ours."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

import python_calamine

EXCEL_EPOCH, MAC_EPOCH = dt.date(1899, 12, 30), dt.date(1904, 1, 1)
MAX_BYTES = 10 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_PARTS = 2000
MAX_RATIO = 200
MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_CELLS = 5_000_000


class Unreadable(Exception):
    """The file cannot be read as a ledger; the text says why and what to do."""


@dataclass(frozen=True)
class Grid:
    """One sheet: its name and its cells, row by row from row 1."""

    name: str
    rows: list[list[Any]]
    day_zero: dt.date = EXCEL_EPOCH
    """Day 0 of dates that were left as bare numbers."""

    def cell(self, row: int, column: int) -> Any:
        """The value at row (1-based) and column (0-based), None outside."""
        line = self.rows[row - 1] if 0 < row <= len(self.rows) else []
        return line[column] if column < len(line) else None


def read(content: bytes, file_name: str) -> list[Grid]:
    """The sheets that hold anything; hidden ones are left alone.

    :raises Unreadable: for a file that is empty, too large, packed like a bomb, protected, or no table at all.
    """
    if not content:
        raise Unreadable("文件是空的，请重新选择。")
    if len(content) > MAX_BYTES:
        raise Unreadable("文件太大，最多 10 MB。请分成几个文件。")
    if file_name.lower().endswith(".csv"):
        return [_read_csv(content)]
    day_zero = EXCEL_EPOCH
    if content[:4] == b"PK\x03\x04":
        day_zero = _check_archive(content)
    elif content[:8] != b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Unreadable("这不是 Excel 或 WPS 表格。请另存为 .xlsx 后再上传。")
    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        shown = [m.name for m in book.sheets_metadata if m.visible == python_calamine.SheetVisibleEnum.Visible]
        grids = [_grid(book, name, day_zero) for name in shown]
    except (python_calamine.CalamineError, ValueError, OSError):
        raise Unreadable("文件打不开：可能已损坏或加了密码。请去掉密码，另存为 .xlsx 后再上传。") from None
    grids = [grid for grid in grids if grid.rows]
    if not grids:
        raise Unreadable("表格里没有内容，请检查是否选错了文件。")
    return grids


def _grid(book: Any, name: str, day_zero: dt.date) -> Grid:
    rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=MAX_ROWS + 1)
    if len(rows) > MAX_ROWS:
        raise Unreadable(f"工作表“{name}”超过 {MAX_ROWS} 行，请分成几个文件。")
    rows = [[_value(v) for v in row[:MAX_COLUMNS]] for row in rows]
    while rows and not any(v is not None for v in rows[-1]):
        rows.pop()
    return Grid(name, rows, day_zero)


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
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Unreadable("CSV 文件的编码认不出来，请另存为 .xlsx 后再上传。")
    try:
        rows = [[_value(v) for v in row[:MAX_COLUMNS]] for row in csv.reader(io.StringIO(text.replace("\0", "")))]
    except csv.Error:
        raise Unreadable("CSV 文件的格式不对，请另存为 .xlsx 后再上传。") from None
    if len(rows) > MAX_ROWS:
        raise Unreadable(f"超过 {MAX_ROWS} 行，请分成几个文件。")
    return Grid("CSV", rows)


def _check_archive(content: bytes) -> dt.date:
    """Refuse an archive that would unpack to far more than a ledger can be. Returns the workbook's day 0: one begun on a Mac may
    count from 1904."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            _check_size(content, parts)
            if "xl/workbook.xml" not in names:
                raise Unreadable("文件打不开：不是 Excel 或 WPS 表格。请另存为 .xlsx 后再上传。")
            for part in parts:
                if part.filename.startswith("xl/worksheets/"):
                    _check_extent(archive.read(part))
            mac = re.search(rb'date1904="(1|true)"', archive.read("xl/workbook.xml"))
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, RuntimeError, EOFError, OSError, zlib.error):
        raise Unreadable("文件已损坏或加了密码，请重新保存后再上传。") from None
    return MAC_EPOCH if mac else EXCEL_EPOCH


def _check_size(content: bytes, parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(len(content), 10_000):
        raise Unreadable("文件展开后过大，不像一份台账。请只保留需要的工作表，另存后再上传。")


_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*?(/?)>')


def _check_extent(sheet_xml: bytes) -> None:
    """Refuse a stray value far out: a reader lays out the whole rectangle, and a few bytes would take all memory."""
    rows = columns = 0
    for cell in _CELL.finditer(sheet_xml):
        letters, row, empty = cell.groups()
        if not empty:
            rows, columns = max(rows, int(row)), max(columns, _column(letters))
    if rows > MAX_ROWS:
        raise Unreadable(f"工作表在第 {rows} 行还有内容，超过 {MAX_ROWS} 行。请删去多余的行，或分成几个文件。")
    if rows * columns > MAX_CELLS:
        raise Unreadable("工作表的右边很远处还有内容，请删去多余的列后再上传。")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def address(row: int, column: int) -> str:
    """Excel's name of a cell: row 1-based, column 0-based."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
