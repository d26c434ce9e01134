"""历年对比: this round beside the last one that was frozen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ...sheets import writer
from ..scoring import Card
from .book import Book, rank_words, total_words
from .ranking import Ranking
from .styles import Styles

TITLE = "历年对比"
COLUMNS = (
    ("组别", 11), ("学校", 28), ("上轮总分", 10), ("本轮总分", 10), ("总分增减", 10), ("上轮名次", 10), ("本轮名次", 10),
    ("名次升降", 10), ("上轮等次", 10), ("本轮等次", 10),
)  # fmt: skip


def compare(sheet: Any, book: Book, styles: Styles, ranking: Ranking) -> None:
    """The earlier round's numbers as they were frozen, this one's from the ranking, the difference between them live."""
    last = len(COLUMNS) - 1
    writer.paper(sheet, landscape=True)
    for column, (words, width) in enumerate(COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, words, styles.head)
    sheet.merge_range(0, 0, 0, last, f"{book.round_.title}与上一轮对比", styles.title)
    sheet.set_row(0, 30)
    if book.previous is None:
        sheet.merge_range(1, 0, 1, last, "没有更早的已冻结轮次，本页无可比数据。", styles.meta)
        return
    sheet.merge_range(1, 0, 1, last, f"上轮：{book.previous.title}（按冻结成绩）；名次升为正、降为负", styles.meta)
    sheet.freeze_panes(3, 2)
    sheet.repeat_rows(2)
    for row, card in enumerate(book.ordered, 3):
        _line(sheet, book, styles, ranking, card, row)


def _line(sheet: Any, book: Book, styles: Styles, ranking: Ranking, card: Card, row: int) -> None:
    assert book.previous is not None
    past, r = book.previous.cards.get(card.school_id, {}), row + 1
    before, place = _number(past.get("total")), past.get("rank") if past.get("group") == card.group else None
    sheet.write_string(row, 0, card.group, styles.centre)
    writer.write_text(sheet, row, 1, card.name, styles.text)
    _past(sheet, row, 2, before, styles.score, styles)
    now = total_words(card) if card.total is None else card.total
    sheet.write_formula(row, 3, f"={ranking.cell(ranking.total, card)}", styles.score, now)
    grown = "—" if before is None or card.total is None else card.total - before
    sheet.write_formula(row, 4, f'=IF(AND(ISNUMBER(C{r}),ISNUMBER(D{r})),ROUND(D{r}-C{r},6),"—")', styles.signed, grown)
    _past(sheet, row, 5, place, styles.centre, styles)
    words = rank_words(card, book.results.cards)
    here = Decimal(words) if words.isdigit() else words
    sheet.write_formula(row, 6, f"={ranking.cell('A', card)}", styles.centre, here)
    # a shared place is text (2 并列); its number stands before the blank
    number = f'IF(ISNUMBER(G{r}),G{r},VALUE(LEFT(G{r},FIND(" ",G{r})-1)))'
    risen = "—" if place is None or card.rank is None else place - card.rank
    sheet.write_formula(row, 7, f'=IF(ISNUMBER(F{r}),IF(ISERROR({number}),"—",F{r}-{number}),"—")', styles.steps, risen)
    sheet.write_string(row, 8, past.get("grade") or "—", styles.centre)
    sheet.write_formula(row, 9, f"={ranking.cell(ranking.grade, card)}", styles.centre, card.grade or "—")


def _past(sheet: Any, row: int, column: int, value: Any, style: Any, styles: Styles) -> None:
    if value is None:
        sheet.write_string(row, column, "—", styles.centre)
    else:
        sheet.write_number(row, column, value, style)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
