"""公示表: what the public may see of a round: school, place, total, grade. No child, no item, no number behind a score."""

from __future__ import annotations

import io
from typing import Any

from ...sheets import writer
from .book import Book, by_group, paper_date, rank_words, total_words
from .styles import Styles

COLUMNS = (("名次", 14), ("学校", 46), ("总分", 14), ("等次", 16))
BLANK_DAY = "＿＿＿＿年＿＿月＿＿日"


def publicity(book: Book) -> bytes:
    """A4 portrait, one block a group, the days it is shown and whom to tell; nothing of it is confidential."""
    buffer = io.BytesIO()
    with writer.open_book(buffer) as out:
        styles = Styles(out)
        sheet = out.add_worksheet("公示表")
        writer.paper(sheet, landscape=False, warning="")
        for column, (_words, width) in enumerate(COLUMNS):
            sheet.set_column(column, column, width)
        _lead(book, sheet, styles)
        row = 4
        for group, cards in by_group(book.results.cards):
            sheet.merge_range(row, 0, row, 3, f"{group}（{len(cards)} 所）", styles.large_head)
            row += 1
            for card in cards:
                _line(sheet, styles, row, book, card)
                row += 1
        _foot(book, sheet, styles, row)
        writer.add_receipt(out, book.receipt | {"学校数": str(len(book.results.cards))}, warning="公示表不含儿童信息")
    return buffer.getvalue()


def _lead(book: Book, sheet: Any, styles: Styles) -> None:
    sheet.merge_range(0, 0, 0, 3, f"{book.round_.title}结果公示", styles.title)
    sheet.set_row(0, 34)
    first, last = book.round_.shown_from, book.round_.shown_until
    days = f"{paper_date(first) if first else BLANK_DAY}至{paper_date(last) if last else BLANK_DAY}"
    draft = "" if book.round_.decided_at else "（未经审定，不得公示）"
    words = f"现将{book.round_.title}结果予以公示{draft}。公示期：{days}（{book.publicity_days} 个工作日）。"
    sheet.merge_range(1, 0, 1, 3, words, styles.line)
    sheet.set_row(1, 34)
    sheet.merge_range(2, 0, 2, 3, "对结果有异议的，请在公示期内书面反映，并写明学校、指标和理由。", styles.line)
    for column, (words, _width) in enumerate(COLUMNS):
        sheet.write_string(3, column, words, styles.large_head)
    sheet.freeze_panes(4, 0)
    sheet.repeat_rows(3)


def _line(sheet: Any, styles: Styles, row: int, book: Book, card: Any) -> None:
    sheet.write_string(row, 0, rank_words(card, book.results.cards), styles.large)
    writer.write_text(sheet, row, 1, card.name, styles.large_left)
    if card.total is None:
        sheet.write_string(row, 2, total_words(card), styles.large)
    else:
        sheet.write_number(row, 2, card.total, styles.large_score)
    sheet.write_string(row, 3, (card.grade or "—") + ("（一票否决）" if card.veto else ""), styles.large)
    sheet.set_row(row, 20)


def _foot(book: Book, sheet: Any, styles: Styles, row: int) -> None:
    lines = (
        "说明：同组内排名；并列的占同一名次，其后名次顺延；不足 4 所的组只评等次不排名；适用满分不足的不参评。",
        f"受理单位：{book.unit_name}　　联系人：＿＿＿＿＿＿　　联系电话：＿＿＿＿＿＿＿＿＿＿",
        f"{book.unit_name}（盖章）　　　　年　　月　　日",
    )
    for n, words in enumerate(lines, row + 1):
        sheet.merge_range(n, 0, n, 3, words, styles.line)
        sheet.set_row(n, 34)
