"""A file back to who sent it, with what is wrong marked in its own cells: coloured, and said in a comment. Nothing else changes."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from .reader import Grid, Unreadable

MOST_CELLS = 400_000
"""A larger file takes too much memory to be written again."""
COLOURS = {"error": "FFFFC7CE", "warning": "FFFFEB9C", "repair": "FFDDEBF7"}
WHO = "核对结果"


class Remark(NamedTuple):
    """What is said of one cell. ``level``: error, warning or repair; the gravest gives the colour."""

    sheet: str
    cell: str
    level: str
    text: str


def marked(content: bytes, grids: list[Grid], remarks: Iterable[Remark], *, to_sender: bool) -> bytes:
    """The file as .xlsx with its cells marked. One that is no .xlsx is written anew from its values.

    :param to_sender: anybody else gets the values only: no formulas, links or drawings of another's making.
    :raises Unreadable: for a file too large to be written again.
    """
    if sum(len(row) for grid in grids for row in grid.rows) > MOST_CELLS:
        raise Unreadable("文件太大，不能在原表上标注；请按页面上的说明逐行修改。")
    book = load_workbook(io.BytesIO(content), keep_links=False) if to_sender and content[:4] == b"PK\x03\x04" else _anew(grids)
    for (sheet, cell), said in _by_cell(remarks).items():
        if sheet in book.sheetnames:
            _mark(book[sheet], cell, said)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _by_cell(remarks: Iterable[Remark]) -> dict[tuple[str, str], list[Remark]]:
    found: dict[tuple[str, str], list[Remark]] = {}
    for remark in remarks:
        found.setdefault((remark.sheet, remark.cell), []).append(remark)
    return found


def _mark(sheet: Worksheet, address: str, said: list[Remark]) -> None:
    cell = sheet[address]
    if isinstance(cell, MergedCell):  # the words of a merged block stand in its first cell
        block = next(each for each in sheet.merged_cells.ranges if address in each)
        cell = sheet.cell(block.min_row, block.min_col)
    gravest = next(level for level in COLOURS if any(remark.level == level for remark in said))
    cell.fill = PatternFill("solid", fgColor=COLOURS[gravest])
    words = [cell.comment.text] if cell.comment else []
    cell.comment = Comment("\n".join([*words, *(remark.text for remark in said)]), WHO, height=90, width=260)


def _anew(grids: list[Grid]) -> Workbook:
    book = Workbook()
    book.remove(book.active)
    for grid in grids:
        sheet = book.create_sheet(grid.name[:31])
        for row, values in enumerate(grid.rows, 1):
            for column, value in enumerate(values, 1):
                if value is not None:
                    cell = sheet.cell(row, column, value)
                    if isinstance(value, str):
                        cell.data_type = "s"  # text that looks like a formula stays text
    return book
