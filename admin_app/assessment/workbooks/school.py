"""单校评分表: as such offices sign it, every total a formula over the lines above."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from xlsxwriter.workbook import Workbook

from ...models import AdjustmentKind, Indicator, VetoEffect
from ...sheets import writer
from ..scoring import Card, Fact, Item
from . import formulas
from .book import (
    NO_VETO,
    STATUS_WORDS,
    Book,
    adjusted,
    is_tied,
    paper_date,
    reason_words,
    state_words,
    total_words,
    veto_words,
)
from .formulas import at
from .parameters import Parameters
from .styles import Styles
from .working import MAXIMUM, SCORE, Working

SHEET_COLUMNS = ("一级指标", "二级指标", "分值", "评分标准", "自评分", "系统分", "核查分", "审定分", "扣分原因", "佐证材料")
SHEET_WIDTHS = (13, 25, 6, 32, 7, 7, 7, 7, 24, 13)
PRINT_SCALE = 70
FIRST = 3
SPARE_LINES = 10
"""Empty lines among bonus and discipline, for trying out."""
ADDED = "加扣分"


def school_sheet(book: Book, school_id: int) -> bytes:
    """A4 landscape, merged first-level cells, live totals with cached values, signature boxes."""
    card = book.results.by_school[school_id]
    buffer = io.BytesIO()
    with writer.open_book(buffer) as out:
        styles = Styles(out)
        sheet = out.add_worksheet("评分表")
        parameters = Parameters(out, book, styles, _place_in_group(book, card))
        _missing_lists(out, book, card, styles)
        _adjustments(out, book, card, styles)
        working = Working(out, book, [card], styles)
        _heading(book, card, sheet, styles)
        row = _Rows(book, card, sheet, styles, parameters, working).write()
        row = _totals(out, book, card, sheet, styles, working, row)
        _signatures(sheet, styles, row)
        parameters.write()
        working.write(parameters)
        children = book.results.facts.get(school_id, {}).get("F1")
        counts = {"学校": card.name, "指标数": str(len(card.items)), "儿童人数": f"{children.denominator:f}" if children else "—"}
        writer.add_receipt(out, book.receipt | counts | {"儿童名单": "缺项名单见“缺项名单”页，仅限校内与德育股使用"})
    return buffer.getvalue()


def _place_in_group(book: Book, card: Card) -> list[tuple[str, Any, str]]:
    """What the grade and the rank need of the other schools, as counts: their totals are not this school's business."""
    group = [c for c in book.results.cards if c.group == card.group and c.takes_part and c.total is not None]
    above = [c for c in group if card.total is not None and c.total is not None and c.total > card.total]
    return [
        ("同组参评学校数（导出时）", Decimal(len(group)), "group_size"),
        ("总分高于本校的（导出时）", Decimal(len(above)), "schools_above"),
        ("其中未被否决的（导出时）", Decimal(sum(not c.veto for c in above)), "free_above"),
        ("与本校同分的，含本校（导出时）", Decimal(sum(c.total == card.total for c in group)), "schools_level"),
    ]


def _heading(book: Book, card: Card, sheet: Any, styles: Styles) -> None:
    for column, width in enumerate(SHEET_WIDTHS):
        sheet.set_column(column, column, width)
    writer.paper(sheet, landscape=True)
    sheet.center_horizontally()
    sheet.set_print_scale(PRINT_SCALE)  # not "fit to width": Excel ignores page breaks then
    sheet.repeat_rows(2)
    sheet.freeze_panes(FIRST, 0)
    sheet.merge_range(0, 0, 0, 9, f"{book.round_.title}评分表", styles.title)
    sheet.set_row(0, 30)
    sheet.merge_range(1, 0, 1, 2, f"学校（盖章）：{card.name}", styles.meta)
    state = "" if book.round_.is_final else f"（{state_words(book)}）"
    sheet.merge_range(1, 3, 1, 7, f"组别：{card.group}　截止：{paper_date(book.round_.cut_off)}{state}", styles.meta)
    scheme = book.round_.scheme
    sheet.merge_range(1, 8, 1, 9, f"方案：{scheme.code} 版　口径：{scheme.definition.label}", styles.meta)
    for column, words in enumerate(SHEET_COLUMNS):
        sheet.write_string(2, column, words, styles.head)


class _Rows:
    """The indicators, from row 4 on; the page breaks between two groups."""

    def __init__(self, book: Book, card: Card, sheet: Any, styles: Styles, parameters: Parameters, working: Working):
        self._book, self._card, self._sheet, self._styles = book, card, sheet, styles
        self._parameters, self._working = parameters, working
        self._items = {item.code: item for item in card.items}

    def write(self) -> int:
        """Returns the first free row."""
        row, half = FIRST, len(self._items) // 2
        for head in self._book.heads:
            rows = self._book.items[head.id]
            if row - FIRST >= half > 0:
                self._sheet.set_h_pagebreaks([row])
                half = 0
            first_level(self._sheet, row, rows, head, self._styles)
            for indicator in rows:
                self._line(row, indicator, self._items[indicator.code])
                row += 1
        return row

    def _line(self, row: int, indicator: Indicator, item: Item) -> None:
        sheet, styles = self._sheet, self._styles
        said = self._book.said(self._card, indicator)
        writer.write_text(sheet, row, 1, f"{indicator.code} {indicator.title}", styles.text)
        sheet.write_formula(row, 2, f"={self._parameters.points_at(indicator)}", styles.centre, indicator.points)
        writer.write_text(sheet, row, 3, indicator.standard or "", styles.text)
        live = f"={self._working.cell(SCORE, self._card, indicator.code)}"
        self._score(row, 4, said.self_score, item)
        self._score(row, 5, item.auto, item, live if item.final is None else "")
        self._score(row, 6, said.check_score, item)
        self._score(row, 7, item.score, item, live)
        why = reason_words(item, said)
        writer.write_text(sheet, row, 8, why, styles.text)
        writer.write_text(sheet, row, 9, "；".join(said.evidence) or indicator.evidence or "", styles.text)
        longest = max(len(indicator.title) / 10, len(indicator.standard or "") / 16, len(why) / 12)
        sheet.set_row(row, 14 * max(2, int(longest) + 1))

    def _score(self, row: int, column: int, value: Decimal | None, item: Item, live: str = "") -> None:
        sheet, styles = self._sheet, self._styles
        if value is None:
            words = STATUS_WORDS.get(item.status, "—") if column in (5, 7) else "—"
            sheet.write_string(row, column, words, styles.centre)
        elif live:
            sheet.write_formula(row, column, live, styles.score, value)
        else:
            sheet.write_number(row, column, value, styles.score)


def first_level(sheet: Any, row: int, rows: list[Indicator], head: Indicator, styles: Styles) -> None:
    """The merged cell of a first-level indicator."""
    words = f"{head.title}\n（{head.points} 分）"
    if len(rows) > 1:
        sheet.merge_range(row, 0, row + len(rows) - 1, 0, words, styles.group)
    elif rows:
        writer.write_text(sheet, row, 0, words, styles.group)


def _totals(out: Workbook, book: Book, card: Card, sheet: Any, styles: Styles, working: Working, row: int) -> int:
    """Earned, applicable, base, total, fold, grade and place, each a named cell. Returns the first free row."""
    scores, absent = f"H{FIRST + 1}:H{row}", total_words(card)
    kinds, counts, effects = (at(ADDED, f"${c}$2:${c}${_last_line(book, card)}") for c in "ACD")
    veto = f'IF(COUNTIF({effects},"{{0}}")>0,"{{0}}",{{1}})'
    no_honour = veto.format(VetoEffect.NO_HONOUR.label, f'"{NO_VETO}"')
    place = formulas.rank("total", "schools_above", "schools_level", "group_size")
    lines: list[tuple[str, str, Any, str]] = [
        ("得分合计", "earned", card.earned, f"=ROUND(SUM({scores}),2)"),
        ("适用满分", "applicable", card.applicable, f"=ROUND(SUM({working.block(MAXIMUM, card)}),6)"),
        ("基础分（得分合计÷适用满分×100）", "base", card.base, formulas.base("earned", "applicable", f'COUNTIF({scores},"待评")')),
        ("加分（封顶后）", "bonus", card.bonus, formulas.bonus(f'SUMIF({kinds},"{AdjustmentKind.BONUS.label}",{counts})')),
        ("扣分", "discipline", card.discipline, f'=SUMIF({kinds},"{AdjustmentKind.DISCIPLINE.label}",{counts})'),
        ("一票否决", "veto", veto_words(card), "=" + veto.format(VetoEffect.FAIL.label, no_honour)),
        ("总分", "total", card.total, formulas.total("base", "bonus", "discipline")),
        ("折算分", "fold", "—" if card.fold is None else card.fold, formulas.fold("total")),
        ("等次", "grade", card.grade or "—", formulas.grade("total", "veto", "free_above", "group_size")),
        ("组内名次", "place", _place(book, card), place),
    ]
    for words, name, value, formula in lines:
        sheet.merge_range(row, 0, row, 6, words, styles.total_words)
        style = styles.verdict if name in ("veto", "grade", "place") else styles.total
        sheet.write_formula(row, 7, formula, style, absent if value is None else value)
        out.define_name(name, f"={at('评分表', f'$H${row + 1}')}")
        sheet.merge_range(row, 8, row, 9, _beside(name, book), styles.text)
        sheet.set_row(row, 17)
        row += 1
    return row


def _place(book: Book, card: Card) -> Any:
    if card.rank is None:
        return "不参评" if card.grade == "不参评" else "—"
    return f"{card.rank} 并列" if is_tied(card, book.results.cards) else Decimal(card.rank)


def _beside(name: str, book: Book) -> str:
    scheme = book.round_.scheme
    return {
        "applicable": f"低于 {scheme.minimum:f} 分不参评",
        "bonus": f"封顶 {scheme.bonus_cap:f} 分，就高不重复，明细见“{ADDED}”页",
        "total": "基础分＋加分−扣分，最低 0 分",
        "fold": f"总分（至多 100）÷100×{scheme.weight:f}",
        "place": "依据导出时同组各校成绩",
    }.get(name, "")


def _signatures(sheet: Any, styles: Styles, row: int) -> None:
    for first, last, words in (
        (0, 2, "考核组（签字）：\n\n\n　　　年　月　日"),
        (3, 5, "学校意见（盖章）：\n\n\n　　　年　月　日"),
        (6, 9, "德育股（签字）：\n\n\n　　　年　月　日"),
    ):
        sheet.merge_range(row, first, row, last, words, styles.sign)
    sheet.set_row(row, 66)


def _last_line(book: Book, card: Card) -> int:
    return 1 + len(adjusted(book, card).lines) + SPARE_LINES


def _adjustments(out: Workbook, book: Book, card: Card, styles: Styles) -> None:
    """加分、扣分、一票否决, with empty lines below that count too."""
    sheet = out.add_worksheet(ADDED)
    for column, (words, width) in enumerate((("类别", 10), ("事项", 40), ("计入分值", 10), ("否决后果", 14), ("依据文件", 36))):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, words, styles.head)
    for row, (kind, matter, points, effect, document) in enumerate(adjusted(book, card).lines, 1):
        sheet.write_string(row, 0, kind, styles.centre)
        writer.write_text(sheet, row, 1, matter, styles.text)
        sheet.write_number(row, 2, points, styles.input)
        sheet.write_string(row, 3, effect, styles.centre)
        writer.write_text(sheet, row, 4, document, styles.text)
    last = _last_line(book, card)
    for row in range(last - SPARE_LINES, last):
        for column in range(5):
            sheet.write_blank(row, column, None, styles.blank)
    choices = ((0, [kind.label for kind in AdjustmentKind]), (3, [effect.label for effect in VetoEffect]))
    for column, words in choices:
        sheet.data_validation(1, column, last - 1, column, {"validate": "list", "source": words})
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    writer.paper(sheet, landscape=True)


def _missing_lists(out: Workbook, book: Book, card: Card, styles: Styles) -> None:
    """缺项名单: behind each computed item, who or what is missing."""
    sheet = out.add_worksheet("缺项名单")
    for column, (words, width) in enumerate((("指标", 26), ("缺项", 22), ("已计", 8), ("应计", 8), ("说明", 50))):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, words, styles.head)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    row = 1
    for indicator, fact in _facts(book, card):
        for line in fact.missing:
            writer.write_text(sheet, row, 0, f"{indicator.code} {indicator.title}", styles.text)
            writer.write_text(sheet, row, 1, line.name, styles.text)
            sheet.write_number(row, 2, line.counted, styles.centre)
            sheet.write_number(row, 3, line.expected, styles.centre)
            writer.write_text(sheet, row, 4, line.note, styles.text)
            row += 1
    writer.paper(sheet, landscape=True)


def _facts(book: Book, card: Card) -> Iterator[tuple[Indicator, Fact]]:
    known = book.results.facts.get(card.school_id, {})
    for indicator in book.indicators:
        for metric in book.rules[indicator.id].metrics:
            if metric in known:
                yield indicator, known[metric]
