"""自评表: the form a school fills in itself beside what the system counted; once it is handed in, as it was handed in."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

from ...models import Indicator
from ...sheets import writer
from ..scoring import Card
from .book import NOTHING, STATUS_WORDS, Book, paper_date
from .school import first_level
from .styles import Styles

COLUMNS = (
    ("一级指标", 13),
    ("二级指标", 26),
    ("分值", 6),
    ("评分标准", 36),
    ("佐证材料", 16),
    ("系统分", 9),
    ("自评分", 9),
    ("自评说明（亮点、问题、扣分原因）", 44),
)
FIRST = 3
HOW = "填表说明：自评分填在黄底格内，不超过分值，最多两位小数；不适用的不填；低于满分的写明原因；佐证材料按指标编号装订。"


def self_form(book: Book, school_id: int | None = None) -> bytes:
    """A4 landscape. Without a school: the form for any school, without the system's scores. Names no child."""
    card = book.results.by_school[school_id] if school_id is not None else None
    buffer = io.BytesIO()
    with writer.open_book(buffer) as out:
        styles = Styles(out)
        sheet = out.add_worksheet("自评表")
        _heading(book, card, sheet, styles)
        row = FIRST
        for head in book.heads:
            rows = book.items[head.id]
            first_level(sheet, row, rows, head, styles)
            for indicator in rows:
                _line(book, sheet, styles, row, indicator, card)
                row += 1
        _foot(book, sheet, styles, row, card)
        writer.add_receipt(out, book.receipt | {"学校": card.name if card else "各校通用", "指标数": str(row - FIRST)})
    return buffer.getvalue()


def _heading(book: Book, card: Card | None, sheet: Any, styles: Styles) -> None:
    writer.paper(sheet, landscape=True)
    sheet.merge_range(0, 0, 0, 7, f"{book.round_.title}自评表", styles.title)
    sheet.set_row(0, 30)
    name, group = (card.name, card.group) if card else ("＿＿＿＿＿＿＿＿＿＿＿＿", "＿＿＿＿＿＿")
    sheet.merge_range(1, 0, 1, 3, f"学校（盖章）：{name}　　组别：{group}", styles.meta)
    scheme = book.round_.scheme
    basis = f"方案：{scheme.code} 版　口径：{scheme.definition.label}　统计截止日期：{paper_date(book.round_.cut_off)}"
    sheet.merge_range(1, 4, 1, 7, basis, styles.meta)
    for column, (words, width) in enumerate(COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, words, styles.head)
    sheet.freeze_panes(FIRST, 0)
    sheet.repeat_rows(2)


def _line(book: Book, sheet: Any, styles: Styles, row: int, indicator: Indicator, card: Card | None) -> None:
    writer.write_text(sheet, row, 1, f"{indicator.code} {indicator.title}", styles.text)
    sheet.write_number(row, 2, indicator.points, styles.centre)
    writer.write_text(sheet, row, 3, indicator.standard or "", styles.text)
    writer.write_text(sheet, row, 4, indicator.evidence or "", styles.text)
    item = next((item for item in card.items if item.code == indicator.code), None) if card else None
    if item is not None and item.auto is not None:
        sheet.write_number(row, 5, item.auto, styles.score)
    else:
        sheet.write_string(row, 5, STATUS_WORDS.get(item.status, "人工评定") if item else "", styles.centre)
    said = book.said(card, indicator) if card else NOTHING
    if said.self_score is None:
        sheet.write_blank(row, 6, None, styles.input)
    else:
        sheet.write_number(row, 6, said.self_score, styles.input)
    writer.write_text(sheet, row, 7, said.self_words, styles.text)
    limits = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": f"=$C${row + 1}",
              "error_title": "自评分", "error_message": "自评分应在 0 至分值之间。"}  # fmt: skip
    sheet.data_validation(row, 6, row, 6, limits)
    longest = max(len(indicator.title) / 11, len(indicator.standard or "") / 17, len(indicator.evidence or "") / 7)
    sheet.set_row(row, 14 * max(2, int(longest) + 1))


def _sum(scores: list[Decimal]) -> Decimal | str:
    return sum(scores, Decimal(0)) if scores else ""


def _foot(book: Book, sheet: Any, styles: Styles, row: int, card: Card | None) -> None:
    sheet.merge_range(row, 0, row, 1, "合计", styles.total_words)
    points, scores = f"C{FIRST + 1}:C{row}", f"{{0}}{FIRST + 1}:{{0}}{row}"
    counted = [item.auto for item in card.items if item.auto is not None] if card else []
    sheet.write_formula(row, 2, f"=SUM({points})", styles.total_words, sum((i.points for i in book.indicators), Decimal(0)))
    sheet.merge_range(row, 3, row, 4, "", styles.total_words)
    own = [score for i in book.indicators if card and (score := book.said(card, i).self_score) is not None]
    for column, name, value in ((5, "F", _sum(counted)), (6, "G", _sum(own))):
        span = scores.format(name)
        formula = f'=IF(COUNT({span})=0,"",ROUND(SUM({span}),2))'
        sheet.write_formula(row, column, formula, styles.total, value)
    sheet.write_blank(row, 7, None, styles.total_words)
    sheet.set_row(row, 22)
    sheet.merge_range(row + 1, 0, row + 1, 7, HOW, styles.note)
    sheet.set_row(row + 1, 22)
    signs = (
        (0, 2, "填表人（签字）："),
        (3, 3, "校长（签字）："),
        (4, 6, "学校（盖章）："),
        (7, 7, "日期：\n\n　　　　年　　月　　日"),
    )
    for first, last, words in signs:
        if last > first:
            sheet.merge_range(row + 2, first, row + 2, last, words, styles.sign)
        else:
            sheet.write_string(row + 2, first, words, styles.sign)
    sheet.set_row(row + 2, 60)
