"""评分表 of the county: every school × every indicator, one line a school; to its right what the ranking adds up."""

from __future__ import annotations

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook

from ...sheets import writer
from ..scoring import Card
from .book import STATUS_WORDS, Book, adjusted, veto_words
from .formulas import at
from .styles import Styles
from .working import MAXIMUM, SCORE, Working

DETAILS = "评分表"


class Details:
    """The sheet, laid out before it is written: the ranking asks where a school's sums stand."""

    def __init__(self, out: Workbook, book: Book, styles: Styles):
        self._book, self._styles = book, styles
        self._sheet = out.add_worksheet(DETAILS)
        self._rows = {card.school_id: row for row, card in enumerate(book.ordered, 2)}
        self._columns = {indicator.code: 2 + n for n, indicator in enumerate(book.indicators)}
        after = 2 + len(self._columns)
        self.earned, self.applicable, self.waiting, self.awards, self.discipline, self.veto = (
            xl_col_to_name(after + n) for n in range(6)
        )

    def cell(self, column: str, card: Card) -> str:
        return at(DETAILS, f"{column}{self._rows[card.school_id]}")

    def group(self, column: str, cards: list[Card]) -> str:
        """A column of a whole group, its cards in the sheet's order."""
        return at(DETAILS, f"${column}${self._rows[cards[0].school_id]}:${column}${self._rows[cards[-1].school_id]}")

    def items(self, card: Card, codes: list[str]) -> str:
        """A first-level indicator's items of one school; they stand side by side."""
        return at(DETAILS, self._span(card, codes))

    def _span(self, card: Card, codes: list[str]) -> str:
        row, columns = self._rows[card.school_id], [self._columns[code] for code in codes]
        return f"{xl_col_to_name(min(columns))}{row}:{xl_col_to_name(max(columns))}{row}"

    def write(self, working: Working) -> None:
        sheet, styles = self._sheet, self._styles
        after = 2 + len(self._columns)
        sheet.set_column(0, 0, 10)
        sheet.set_column(1, 1, 26)
        sheet.set_column(2, after - 1, 6)
        sheet.set_column(after, after + 4, 7)
        sheet.set_column(after + 5, after + 5, 10)
        more = ("得分", "适用满分", "待评项", "加分（未封顶）", "扣分", "一票否决")
        for column, words in enumerate(["组别", "学校", *self._columns, *more]):
            sheet.write_string(0, column, words, styles.head)
        sheet.set_row(0, 30)
        sheet.freeze_panes(1, 2)
        sheet.repeat_rows(0)
        for card in self._book.ordered:
            self._line(card, working)
        writer.paper(sheet, landscape=True)
        sheet.fit_to_pages(2, 0)  # on one page nobody reads 43 columns
        sheet.repeat_columns(0, 1)

    def _line(self, card: Card, working: Working) -> None:
        sheet, styles, row = self._sheet, self._styles, self._rows[card.school_id] - 1
        sheet.write_string(row, 0, card.group, styles.centre)
        writer.write_text(sheet, row, 1, card.name, styles.text)
        for item in card.items:
            column = self._columns[item.code]
            if item.score is None:
                sheet.write_string(row, column, STATUS_WORDS.get(item.status, "—"), styles.centre)
            else:
                sheet.write_formula(row, column, f"={working.cell(SCORE, card, item.code)}", styles.score, item.score)
        whole, after = self._span(card, list(self._columns)), 2 + len(self._columns)
        sheet.write_formula(row, after, f"=ROUND(SUM({whole}),2)", styles.score, card.earned)
        sheet.write_formula(row, after + 1, f"=ROUND(SUM({working.block(MAXIMUM, card)}),6)", styles.score, card.applicable)
        sheet.write_formula(row, after + 2, f'=COUNTIF({whole},"待评")', styles.centre, card.waiting)
        sheet.write_number(row, after + 3, adjusted(self._book, card).bonus, styles.input)
        sheet.write_number(row, after + 4, card.discipline, styles.input)
        sheet.write_string(row, after + 5, veto_words(card), styles.centre)
