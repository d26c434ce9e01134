"""汇总: one block a group; A1…A10, base, bonus, discipline, total, fold, grade, remark."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook

from ...models import VetoEffect
from ...sheets import writer
from ..scoring import Card
from . import formulas
from .book import Book, by_group, paper_date, rank_words, state_words, subtotal, total_words
from .details import Details
from .formulas import at
from .styles import Styles

RANKING = "汇总"
VETO_REMARKS = {VetoEffect.FAIL: "一票否决：不合格", VetoEffect.NO_HONOUR: "一票否决：取消评优"}


class Ranking:
    """The sheet, laid out before it is written: the analyses and charts ask where a school stands."""

    def __init__(self, out: Workbook, book: Book, styles: Styles):
        self.book, self._styles = book, styles
        self._sheet = out.add_worksheet(RANKING)
        first = 2 + len(book.heads)
        self._first = first
        self.base, self.bonus, self.discipline, self.total, self.fold, self.grade = (xl_col_to_name(first + n) for n in range(6))
        self.last = first + 6
        self.groups = by_group(book.results.cards)
        self.rows: dict[int, int] = {}
        row = 4
        for _group, cards in self.groups:
            for place, card in enumerate(cards, 1):
                self.rows[card.school_id] = row + place
            row += len(cards) + 1
        self._end = row - 1

    def cell(self, column: str, card: Card) -> str:
        return at(RANKING, f"{column}{self.rows[card.school_id]}")

    def group(self, column: str, cards: list[Card]) -> str:
        """A column of a whole group, its cards in the sheet's order."""
        return at(RANKING, self._span(column, cards))

    def _span(self, column: str, cards: list[Card]) -> str:
        return f"${column}${self.rows[cards[0].school_id]}:${column}${self.rows[cards[-1].school_id]}"

    def write(self, details: Details) -> None:
        self._heading()
        sheet, styles = self._sheet, self._styles
        for group, cards in self.groups:
            sheet.merge_range(self.rows[cards[0].school_id] - 2, 0, self.rows[cards[0].school_id] - 2, self.last,
                              f"{group}（{len(cards)} 所）", styles.group)  # fmt: skip
            for card in cards:
                self._line(card, cards, details)
        signs = (("制表：", 0, 1), ("审核：", 2, self.last // 2), ("分管领导（签字）：", self.last // 2 + 1, self.last))
        for words, first, end in signs:
            sheet.merge_range(self._end, first, self._end, end, words, styles.sign)
        sheet.set_row(self._end, 34)

    def _heading(self) -> None:
        sheet, styles, last, book = self._sheet, self._styles, self.last, self.book
        columns = ["名次", "学校", *(head.code for head in book.heads), "基础分", "加分", "扣分", "总分", "折算分", "等次", "备注"]
        writer.paper(sheet, landscape=True)
        sheet.merge_range(0, 0, 0, last, f"{book.round_.title}汇总排名表", styles.title)
        sheet.set_row(0, 30)
        scheme, day = book.round_.scheme, paper_date(book.round_.cut_off)
        basis = (
            f"{book.unit_name}　方案：{scheme.code} 版　口径：{scheme.definition.label}　统计截止日期：{day}（{state_words(book)}）"
        )
        sheet.merge_range(1, 0, 1, last, basis, styles.meta)
        sheet.set_column(0, 0, 8)
        sheet.set_column(1, 1, 28)
        sheet.set_column(2, last - 1, 7)
        sheet.set_column(last, last, 17)
        for column, words in enumerate(columns):
            sheet.write_string(2, column, words, styles.head)
        sheet.freeze_panes(3, 2)
        sheet.repeat_rows(2)

    def _line(self, card: Card, cards: list[Card], details: Details) -> None:
        sheet, styles, row = self._sheet, self._styles, self.rows[card.school_id] - 1
        writer.write_text(sheet, row, 1, card.name, styles.text)
        by_code = {item.code: item for item in card.items}
        for column, head in enumerate(self.book.heads, 2):
            codes = [indicator.code for indicator in self.book.items[head.id]]
            if not codes:
                sheet.write_string(row, column, "—", styles.centre)
                continue
            value, whole = subtotal([by_code[code] for code in codes]), details.items(card, codes)
            formula = f'=IF(OR(COUNTIF({whole},"待评")>0,COUNT({whole})=0),"—",ROUND(SUM({whole}),2))'
            sheet.write_formula(row, column, formula, styles.score, "—" if value is None else value)
        for column, formula, value in self._sums(card, cards, details):
            words = column in (0, self._first + 5, self.last)
            sheet.write_formula(row, column, formula, styles.centre if words else styles.score, value)

    def _sums(self, card: Card, cards: list[Card], details: Details) -> list[tuple[int, str, Any]]:
        """(column, formula, the product's value) of a school's totals, grade and place."""

        def own(column: str) -> str:
            return f"{column}{self.rows[card.school_id]}"

        def of(column: str) -> str:
            return details.cell(column, card)

        total, totals = own(self.total), self._span(self.total, cards)
        size, above, level = f"COUNT({totals})", f'COUNTIF({totals},">"&{total})', f"COUNTIF({totals},{total})"
        free = f'COUNTIFS({totals},">"&{total},{details.group(details.veto, cards)},"无")'
        values = (
            formulas.base(of(details.earned), of(details.applicable), of(details.waiting)),
            formulas.bonus(of(details.awards)),
            f"={of(details.discipline)}",
            formulas.total(own(self.base), own(self.bonus), own(self.discipline)),
            formulas.fold(total),
            formulas.grade(total, of(details.veto), free, size),
            self._remark_formula(of(details.veto), of(details.waiting)),
        )
        absent, none = total_words(card), "—" if card.fold is None else card.fold
        shown = (card.base, card.bonus, card.discipline, card.total, none, card.grade or "—", _remark(card))
        place = rank_words(card, self.book.results.cards)
        return [(0, formulas.rank(total, above, level, size), Decimal(place) if place.isdigit() else place)] + [
            (self._first + n, formula, absent if value is None else value)
            for n, (formula, value) in enumerate(zip(values, shown, strict=True))
        ]

    @staticmethod
    def _remark_formula(veto: str, waiting: str) -> str:
        formula = f'IF({waiting}>0,"待评 "&{waiting}&" 项","")'
        for effect, words in VETO_REMARKS.items():
            formula = f'IF({veto}="{effect.label}","{words}",{formula})'
        return f"={formula}"


def _remark(card: Card) -> str:
    if card.veto:
        return VETO_REMARKS[VetoEffect(card.veto)]
    return f"待评 {card.waiting} 项" if card.waiting else ""
