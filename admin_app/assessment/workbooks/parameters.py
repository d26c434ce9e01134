"""参数: the numbers a scheme decides, each a cell that every formula of the workbook reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook

from ...models import Indicator
from ...sheets import writer
from ..patterns import HUNDRED
from ..scoring import SMALLEST_RANKED_GROUP, TOP_TOTAL
from .book import Book, paper_date
from .formulas import at
from .styles import Styles

TITLE = "参数"
EXPLAINED = "黄底单元格可以改：改后各表的得分、总分、名次、等次随之重算，仅供试算；正式成绩以系统为准。学校的先后次序不随改动重排。"
Line = tuple[str, Any, str]
"""(words, value, defined name or blank)."""
SHARES = {"quota"}


def _plain_lines(book: Book) -> list[Line]:
    scheme = book.round_.scheme
    return [
        ("方案", scheme.title, ""),
        ("文号", scheme.document or "", ""),
        ("考核期", f"{paper_date(book.round_.start)}—{paper_date(book.round_.last_day)}", ""),
        ("统计截止日期", paper_date(book.round_.cut_off), ""),
        ("口径", scheme.definition.label, ""),
    ]


def _number_lines(book: Book) -> list[Line]:
    scheme = book.round_.scheme
    return [
        ("优秀比例", scheme.quota, "quota"),
        ("折算分值", scheme.weight, "fold_weight"),
        ("加分封顶", scheme.bonus_cap, "bonus_cap"),
        ("参评最低适用分", scheme.minimum, "minimum"),
        ("总分封顶", TOP_TOTAL, "top_total"),
        ("折算满分", HUNDRED, "full_total"),
        ("优秀线", Decimal(90), "line_excellent"),
        ("良好线", Decimal(80), "line_good"),
        ("合格线", Decimal(60), "line_pass"),
        ("参加排名的最少校数", Decimal(SMALLEST_RANKED_GROUP), "least_ranked"),
    ]


class Parameters:
    """The sheet, laid out before it is written: other sheets ask where an indicator's points stand."""

    def __init__(self, out: Workbook, book: Book, styles: Styles, own: list[Line] | None = None):
        """:param own: numbers of one school's place in its group, which do not move with the rest."""
        self._out, self._book, self._styles = out, book, styles
        self._sheet = out.add_worksheet(TITLE)
        self._own = own or []
        self._first = len(_plain_lines(book)) + len(_number_lines(book)) + len(self._own) + 3
        self._rows = {indicator.code: row for row, indicator in enumerate(book.indicators, self._first)}

    def points_at(self, indicator: Indicator) -> str:
        return at(TITLE, xl_rowcol_to_cell(self._rows[indicator.code], 2, row_abs=True, col_abs=True))

    def write(self) -> None:
        sheet, styles = self._sheet, self._styles
        for column, width in enumerate((26, 50, 10)):
            sheet.set_column(column, column, width)
        writer.paper(sheet, landscape=False)
        row = self._lines(0, _plain_lines(self._book), styles.number)
        row = self._lines(row, _number_lines(self._book), styles.points)
        row = self._lines(row, self._own, styles.centre)
        sheet.merge_range(row, 0, row, 2, EXPLAINED, styles.note)
        sheet.set_row(row, 34)
        for column, words in enumerate(("编号", "指标", "分值")):
            sheet.write_string(self._first - 1, column, words, styles.head)
        for indicator in self._book.indicators:
            row = self._rows[indicator.code]
            sheet.write_string(row, 0, indicator.code, styles.centre)
            writer.write_text(sheet, row, 1, indicator.title, styles.text)
            sheet.write_number(row, 2, indicator.points, styles.points)
        last = self._first + len(self._rows)
        sheet.write_string(last, 1, "合计", styles.total_words)
        points = sum((indicator.points for indicator in self._book.indicators), Decimal(0))
        sheet.write_formula(last, 2, f"=SUM(C{self._first + 1}:C{last})", styles.verdict, points)
        sheet.data_validation(self._first, 2, last - 1, 2, {"validate": "decimal", "criteria": ">=", "value": 0})

    def _lines(self, row: int, lines: list[Line], style: Any) -> int:
        for words, value, name in lines:
            self._sheet.write_string(row, 0, words, self._styles.group)
            if isinstance(value, Decimal):
                self._sheet.write_number(row, 1, value, self._styles.input_share if name in SHARES else style)
            else:
                writer.write_text(self._sheet, row, 1, value, self._styles.text)
            if name:
                self._out.define_name(name, f"={at(TITLE, f'$B${row + 1}')}")
            row += 1
        return row
