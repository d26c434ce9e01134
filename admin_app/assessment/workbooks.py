"""The score sheet of one school and the county summary, as such offices sign them (xlsxwriter; rubric §5.8)."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from xlsxwriter.workbook import Workbook

from ..labels import local
from ..models import Indicator, ItemScore, Round, RoundState, School, Sheet
from ..records import county
from ..sheets import writer
from .scoring import Card, Fact, Item, Status
from .workflow import Results

STATUS_WORDS = {Status.NA: "不适用", Status.MISSING: "待评"}
SHEET_COLUMNS = ("一级指标", "二级指标", "分值", "评分标准", "自评分", "系统分", "核查分", "审定分", "扣分原因", "佐证材料")
PRINT_SCALE = 76
SHEET_WIDTHS = (13, 24, 6, 34, 8, 8, 8, 8, 26, 14)


@dataclass(frozen=True)
class Book:
    """Everything a workbook of a round prints, read once."""

    round_: Round
    results: Results
    heads: list[Indicator]
    items: dict[int, list[Indicator]]
    schools: dict[int, School]
    reasons: dict[tuple[int, int], ItemScore]
    unit_name: str
    receipt: dict[str, str]

    @classmethod
    def of(cls, session: Session, round_: Round, results: Results, who: str) -> Book:
        """:param session: bound to SYSTEM or to a scope that holds every school printed."""
        rows = list(session.scalars(select(Indicator).where(Indicator.scheme_id == round_.scheme_id).order_by(Indicator.position)))
        scores = session.scalars(select(ItemScore).join(Sheet, Sheet.id == ItemScore.sheet_id).where(Sheet.round_id == round_.id))
        heads = [row for row in rows if row.parent_id is None]
        frozen = local(round_.frozen_at).strftime("%Y-%m-%d %H:%M") if round_.frozen_at else "未冻结（试算）"
        return cls(
            round_=round_,
            results=results,
            heads=heads,
            items={head.id: [row for row in rows if row.parent_id == head.id] for head in heads},
            schools={school.id: school for school in session.scalars(select(School))},
            reasons={(item.school_id, item.indicator_id): item for item in scores},
            unit_name=county.word(session, "bureau"),
            receipt={
                "导出人": who,
                "导出时间": local(dt.datetime.now(dt.UTC)).strftime("%Y-%m-%d %H:%M"),
                "轮次": round_.title,
                "方案": f"{round_.scheme.title} {round_.scheme.document or ''}",
                "口径": round_.scheme.definition.label,
                "统计截止日期": paper_date(round_.cut_off),
                "冻结时间": frozen,
            },
        )


def paper_date(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


class _Styles:
    def __init__(self, book: Workbook):
        box = {"border": 1, "valign": "vcenter", "font_name": writer.BODY, "font_size": 9, "text_wrap": True}
        score = {**box, "align": "right", "num_format": "0.00"}
        self.title = book.add_format(
            {"font_name": writer.HEADING, "font_size": 16, "bold": True, "align": "center", "valign": "vcenter"}
        )
        self.meta = book.add_format({"font_name": writer.PAPER, "font_size": 11, "valign": "vcenter"})
        self.head = book.add_format({**box, "font_name": writer.HEADING, "bold": True, "align": "center", "bg_color": "#F2F2F2"})
        self.group = book.add_format({**box, "font_name": writer.HEADING, "align": "center"})
        self.text = book.add_format(box)
        self.centre = book.add_format({**box, "align": "center"})
        self.score = book.add_format(score)
        self.total_words = book.add_format({**box, "font_name": writer.HEADING, "bold": True, "align": "center"})
        self.total = book.add_format({**score, "bold": True})
        self.sign = book.add_format({**box, "font_name": writer.PAPER, "font_size": 11, "valign": "top"})


def school_sheet(book: Book, school_id: int) -> bytes:
    """单校评分表: A4 landscape, merged first-level cells, live totals with cached values, signature boxes."""
    card = book.results.by_school[school_id]
    buffer = io.BytesIO()
    with writer.open_book(buffer) as out:
        styles = _Styles(out)
        sheet = out.add_worksheet("评分表")
        for column, width in enumerate(SHEET_WIDTHS):
            sheet.set_column(column, column, width)
        writer.paper(sheet, landscape=True)
        sheet.set_print_scale(PRINT_SCALE)  # not "fit to width": Excel ignores page breaks then
        sheet.repeat_rows(2)
        sheet.freeze_panes(3, 0)
        sheet.merge_range(0, 0, 0, 9, f"{book.round_.title}评分表", styles.title)
        sheet.set_row(0, 30)
        school = book.schools[school_id]
        sheet.merge_range(1, 0, 1, 2, f"学校（盖章）：{school.name}", styles.meta)
        state = "" if book.round_.state is not RoundState.OPEN else "（未冻结，试算）"
        sheet.merge_range(1, 3, 1, 7, f"组别：{card.group}　截止：{paper_date(book.round_.cut_off)}{state}", styles.meta)
        sheet.merge_range(1, 8, 1, 9, f"口径：{book.round_.scheme.definition.value}", styles.meta)
        for column, words in enumerate(SHEET_COLUMNS):
            sheet.write_string(2, column, words, styles.head)
        row = _sheet_rows(book, card, sheet, styles)
        _sheet_totals(out, book, card, sheet, styles, row)
        _parameters(out, book, styles)
        _missing_lists(out, book, card, styles)
        writer.add_receipt(out, book.receipt | {"学校": school.name, "儿童名单": "缺项名单见“缺项名单”页，仅限校内与德育股使用"})
    return buffer.getvalue()


def _sheet_rows(book: Book, card: Card, sheet: Any, styles: _Styles) -> int:
    """The indicators, from row 4 on; the page breaks between two groups. Returns the first free row."""
    by_code = {item.code: item for item in card.items}
    row, half = 3, len(card.items) // 2
    for head in book.heads:
        rows = book.items[head.id]
        if row - 3 >= half > 0:
            sheet.set_h_pagebreaks([row])
            half = 0
        words = f"{head.title}\n（{head.points} 分）"
        if len(rows) > 1:
            sheet.merge_range(row, 0, row + len(rows) - 1, 0, words, styles.group)
        elif rows:
            sheet.write_string(row, 0, words, styles.group)
        for indicator in rows:
            _sheet_row(book, card, by_code[indicator.code], indicator, sheet, styles, row)
            row += 1
    return row


def _sheet_row(book: Book, card: Card, item: Item, indicator: Indicator, sheet: Any, styles: _Styles, row: int) -> None:
    kept = book.reasons.get((card.school_id, indicator.id))
    sheet.write_string(row, 1, f"{indicator.code} {indicator.title}", styles.text)
    sheet.write_number(row, 2, number(indicator.points), styles.centre)
    sheet.write_string(row, 3, indicator.standard or "", styles.text)
    state = STATUS_WORDS.get(item.status)
    values = (kept.self_score if kept else None, item.auto, kept.check_score if kept else None, item.score)
    for column, value in enumerate(values, 4):
        if value is not None:
            sheet.write_number(row, column, number(value), styles.score)
        elif state and column in (5, 7):
            sheet.write_string(row, column, state, styles.centre)
        else:
            sheet.write_string(row, column, "—", styles.centre)
    writer.write_text(sheet, row, 8, reason_words(item, kept), styles.text)
    sheet.write_string(row, 9, indicator.evidence or "", styles.text)
    longest = max(len(indicator.title) / 10, len(indicator.standard or "") / 16, len(reason_words(item, kept)) / 12)
    sheet.set_row(row, 14 * max(2, int(longest) + 1))


def reason_words(item: Item, kept: ItemScore | None) -> str:
    """Why points were lost: the office's words, else the numbers behind the computed score."""
    if kept is not None and kept.reason:
        return kept.reason
    if item.status is Status.AUTO and item.score is not None and item.score < item.max and item.denominator:
        return f"{plain(item.numerator)}/{plain(item.denominator)}"
    return ""


def _sheet_totals(out: Workbook, book: Book, card: Card, sheet: Any, styles: _Styles, row: int) -> None:
    """Earned, applicable, base and total as formulas over the rows above, each with its value kept beside it."""
    na = sum((i.points for items in book.items.values() for i in items), Decimal(0)) - card.applicable
    lines: list[tuple[str, str, Decimal | None, str]] = [
        ("得分合计", "earned", card.earned, f"=SUM(H4:H{row})"),
        ("适用满分", "applicable", card.applicable, f"=SUM(C4:C{row})-{number(na)}"),
        ("基础分（得分合计÷适用满分×100）", "base", card.base, "=ROUND(earned/applicable*100,2)"),
        ("加分", "bonus", card.bonus, ""),
        ("扣分", "discipline", card.discipline, ""),
        ("总分", "total", card.total, "=MAX(0,MIN(base+bonus-discipline,105))"),
    ]
    for words, name, value, formula in lines:
        sheet.merge_range(row, 0, row, 6, words, styles.total_words)
        if value is None:
            sheet.write_string(row, 7, "待评" if card.waiting else "不参评", styles.total_words)
        elif formula:
            sheet.write_formula(row, 7, formula, styles.total, number(value))
        else:
            sheet.write_number(row, 7, number(value), styles.total)
        out.define_name(name, f"='评分表'!$H${row + 1}")
        words = {"total": f"等次：{card.grade or '—'}", "base": f"名次：{card.rank or '—'}"}.get(name, "")
        sheet.merge_range(row, 8, row, 9, words, styles.total_words)
        sheet.set_row(row, 20)
        row += 1
    for first, last, words in (
        (0, 2, "考核组（签字）：\n\n\n　　　年　月　日"),
        (3, 5, "学校意见（盖章）：\n\n\n　　　年　月　日"),
        (6, 9, "德育股（签字）：\n\n\n　　　年　月　日"),
    ):
        sheet.merge_range(row, first, row, last, words, styles.sign)
    sheet.set_row(row, 72)


def _parameters(out: Workbook, book: Book, styles: _Styles) -> None:
    sheet = out.add_worksheet("参数")
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 50)
    scheme = book.round_.scheme
    rows: list[tuple[str, Any]] = [
        ("方案", scheme.title),
        ("文号", scheme.document or ""),
        ("考核期", f"{paper_date(book.round_.start)}—{paper_date(book.round_.last_day)}"),
        ("统计截止日期", paper_date(book.round_.cut_off)),
        ("口径", scheme.definition.label),
        ("优秀比例", scheme.quota),
        ("折算分值", scheme.weight),
        ("加分封顶", scheme.bonus_cap),
        ("参评最低适用分", scheme.minimum),
    ]
    for row, (words, value) in enumerate(rows):
        sheet.write_string(row, 0, words, styles.group)
        if isinstance(value, Decimal):
            sheet.write_number(row, 1, number(value), styles.text)
        else:
            sheet.write_string(row, 1, value, styles.text)
    writer.paper(sheet, landscape=False)


def _missing_lists(out: Workbook, book: Book, card: Card, styles: _Styles) -> None:
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
            sheet.write_string(row, 0, f"{indicator.code} {indicator.title}", styles.text)
            writer.write_text(sheet, row, 1, line.name, styles.text)
            sheet.write_number(row, 2, number(line.counted), styles.centre)
            sheet.write_number(row, 3, number(line.expected), styles.centre)
            writer.write_text(sheet, row, 4, line.note, styles.text)
            row += 1
    writer.paper(sheet, landscape=True)


def _facts(book: Book, card: Card) -> Iterator[tuple[Indicator, Fact]]:
    from .workflow import rule_of

    for items in book.items.values():
        for indicator in items:
            for metric in rule_of(indicator).metrics:
                fact = book.results.facts.get(card.school_id, {}).get(metric)
                if fact is not None:
                    yield indicator, fact


def summary(book: Book) -> bytes:
    """全县汇总排名表: one block a group, A1…A10, base, bonus, discipline, total, grade, remark."""
    columns = ["名次", "学校", *(head.code for head in book.heads), "基础分", "加分", "扣分", "总分", "等次", "备注"]
    buffer = io.BytesIO()
    with writer.open_book(buffer) as out:
        styles = _Styles(out)
        sheet = out.add_worksheet("汇总")
        writer.paper(sheet, landscape=True)
        last = len(columns) - 1
        sheet.merge_range(0, 0, 0, last, f"{book.round_.title}汇总排名表", styles.title)
        sheet.set_row(0, 30)
        state = "已冻结" if book.round_.state is not RoundState.OPEN else "未冻结，试算"
        basis = f"{book.unit_name}　口径：{book.round_.scheme.definition.label}　统计截止日期：{paper_date(book.round_.cut_off)}（{state}）"
        sheet.merge_range(1, 0, 1, last, basis, styles.meta)
        sheet.set_column(0, 0, 7)
        sheet.set_column(1, 1, 30)
        sheet.set_column(2, last, 8)
        sheet.set_column(last, last, 12)
        for column, words in enumerate(columns):
            sheet.write_string(2, column, words, styles.head)
        sheet.freeze_panes(3, 2)
        sheet.repeat_rows(2)
        row = 3
        for group, cards in by_group(book.results.cards):
            sheet.merge_range(row, 0, row, last, f"{group}（{len(cards)} 所）", styles.group)
            row += 1
            for card in cards:
                _summary_row(book, card, sheet, styles, row)
                row += 1
        signs = (("制表：", 0, 1), ("审核：", 2, last // 2), ("分管领导（签字）：", last // 2 + 1, last))
        for words, first, end in signs:
            sheet.merge_range(row, first, row, end, words, styles.sign)
        sheet.set_row(row, 34)
        _details(out, book, styles)
        _parameters(out, book, styles)
        writer.add_receipt(out, book.receipt | {"学校数": str(len(book.results.cards))})
    return buffer.getvalue()


def _summary_row(book: Book, card: Card, sheet: Any, styles: _Styles, row: int) -> None:
    by_code = {item.code: item for item in card.items}
    sheet.write_string(row, 0, rank_words(card, book.results.cards), styles.centre)
    writer.write_text(sheet, row, 1, card.name, styles.text)
    for column, head in enumerate(book.heads, 2):
        items = [by_code[i.code] for i in book.items[head.id]]
        _score_cell(sheet, row, column, subtotal(items), styles)
    column = 2 + len(book.heads)
    for value in (card.base, card.bonus, card.discipline, card.total):
        _score_cell(sheet, row, column, value, styles, absent="待评" if card.waiting else "—")
        column += 1
    sheet.write_string(row, column, card.grade or "—", styles.centre)
    remark = {"fail": "一票否决：不合格", "no_honour": "一票否决：取消评优"}.get(card.veto or "", "")
    sheet.write_string(row, column + 1, remark or (f"待评 {card.waiting} 项" if card.waiting else ""), styles.text)


def _details(out: Workbook, book: Book, styles: _Styles) -> None:
    """评分表: every school × every indicator, one line a school."""
    sheet = out.add_worksheet("评分表")
    indicators = [i for head in book.heads for i in book.items[head.id]]
    sheet.set_column(0, 0, 10)
    sheet.set_column(1, 1, 30)
    sheet.set_column(2, 1 + len(indicators), 7)
    for column, words in enumerate(["组别", "学校", *(i.code for i in indicators), "得分", "适用满分"]):
        sheet.write_string(0, column, words, styles.head)
    sheet.freeze_panes(1, 2)
    sheet.repeat_rows(0)
    for row, card in enumerate((card for _group, cards in by_group(book.results.cards) for card in cards), 1):
        sheet.write_string(row, 0, card.group, styles.centre)
        writer.write_text(sheet, row, 1, card.name, styles.text)
        by_code = {item.code: item for item in card.items}
        for column, indicator in enumerate(indicators, 2):
            item = by_code[indicator.code]
            _score_cell(sheet, row, column, item.score, styles, absent=STATUS_WORDS.get(item.status, "—"))
        _score_cell(sheet, row, 2 + len(indicators), card.earned, styles)
        _score_cell(sheet, row, 3 + len(indicators), card.applicable, styles)
    writer.paper(sheet, landscape=True)


def _score_cell(sheet: Any, row: int, column: int, value: Decimal | None, styles: _Styles, absent: str = "—") -> None:
    if value is None:
        sheet.write_string(row, column, absent, styles.centre)
    else:
        sheet.write_number(row, column, number(value), styles.score)


def by_group(cards: list[Card]) -> list[tuple[str, list[Card]]]:
    """Groups in the office's order, each ranked."""
    from ..models import SchoolGroup

    found = {group.label: [c for c in cards if c.group == group.label] for group in SchoolGroup}
    return [(group, sorted(of, key=lambda c: (c.total is None, -(c.total or 0), c.code))) for group, of in found.items() if of]


def subtotal(items: list[Item]) -> Decimal | None:
    """A first-level indicator's points; None when nothing of it applies or something waits."""
    if any(item.status is Status.MISSING for item in items) or all(item.status is Status.NA for item in items):
        return None
    return sum((item.score for item in items if item.score is not None), Decimal(0))


def rank_words(card: Card, cards: list[Card]) -> str:
    if card.rank is None:
        return card.grade if card.grade == "不参评" else "—"
    shared = sum(other.group == card.group and other.rank == card.rank for other in cards) > 1
    return f"{card.rank} 并列" if shared else str(card.rank)


def number(value: Decimal) -> Any:
    """A Decimal for a cell: xlsxwriter writes its digits as they are."""
    return value


def plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
