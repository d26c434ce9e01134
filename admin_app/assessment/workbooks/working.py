"""计分底稿: one line a school and indicator, from the numbers counted to the points, as formulas.

Simple rules stand as they are (分子 ÷ 分母, 次数 × 每次); of a rule in parts, or judged by hand, its share of the maximum is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any, NamedTuple

from xlsxwriter.workbook import Workbook

from ...models import Indicator
from ...sheets import writer
from .. import scoring
from ..patterns import ONE, ZERO, cents
from ..scoring import Card, Fact, Item, Rule, Status
from .book import STATUS_WORDS, Book
from .formulas import at
from .parameters import Parameters
from .styles import Styles

TITLE = "计分底稿"
HEADS = (
    ("组别", 10), ("学校", 22), ("编号", 7), ("指标", 28), ("计分方式", 13), ("分值", 7), ("适用比例", 9), ("适用分", 8),
    ("分子/次数", 9), ("分母", 8), ("封顶率/每次", 9), ("得分率", 9), ("得分", 8), ("失分", 8),
)  # fmt: skip
MAXIMUM, SCORE, LOST = "H", "M", "N"
"""The columns other sheets read."""


class Basis(NamedTuple):
    """How an item's share of its maximum comes about."""

    words: str
    share: Decimal
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    unit: Decimal | None = None
    formula: str = ""
    """Over the cells of its row ``{r}``; blank: the share is a number."""


def basis(book: Book, card: Card, indicator: Indicator, item: Item) -> Basis:
    """The simplest account of an item that gives the product's score; at worst the score's own share of the maximum."""
    rule, said = book.rules[indicator.id], book.said(card, indicator)
    facts = book.results.facts.get(card.school_id, {})
    assert item.score is not None
    if item.status is Status.AUTO and item.final is None and item.max:
        known = set(rule.metrics) <= facts.keys()
        for found in (_simple(rule, item, facts), _composite(rule, facts, said.judged)) if known else ():
            if found is not None and cents(found.share * item.max) == item.score:
                return found
    words = "评定" if item.status is Status.JUDGED else "审定"
    return Basis(words, item.score / item.max if item.max else ZERO)


def _simple(rule: Rule, item: Item, facts: dict[str, Fact]) -> Basis | None:
    """A rule of one metric whose numbers stand on the sheet."""
    fact = facts.get(rule.params.get("metric", ""))
    if fact is None or fact.value is None or "when" in rule.params:
        return None

    def number(name: str) -> Decimal:
        return Decimal(str(rule.params.get(name, ONE)))

    def within(value: Decimal) -> Decimal:
        return max(ZERO, min(value, ONE))

    match rule.pattern:
        case "RATE" if "floor" not in rule.params and fact.denominator and number("ceiling"):
            share, top = fact.numerator / fact.denominator, number("ceiling")
            return Basis("比率", within(share / top), fact.numerator, fact.denominator, top, "=MAX(0,MIN(1,I{r}/J{r}/K{r}))")
        case "COUNT":
            formula = "=IF(H{r}=0,0,MAX(0,MIN(1,I{r}*K{r}/H{r})))"
            return Basis("按次得分", within(fact.value * number("per") / item.max), fact.value, None, number("per"), formula)
        case "LACK":
            formula = "=IF(H{r}=0,0,MAX(0,MIN(1,1-I{r}*K{r}/H{r})))"
            return Basis("缺项扣分", within(ONE - fact.value * number("per") / item.max), fact.value, None, number("per"), formula)
        case "ALLNONE":
            there = ONE if fact.value >= number("at_least") else ZERO
            return Basis("有无", there, fact.value, None, number("at_least"), "=IF(I{r}>=K{r},1,0)")
    return None


def _composite(rule: Rule, facts: dict[str, Fact], judged: Decimal | None) -> Basis | None:
    """A rule in parts: its share before anything is rounded."""
    try:
        points = scoring.evaluate(rule.pattern, rule.points, rule.params, facts, judged if rule.judged_at(facts) else None)
        return Basis("综合得分率", points.earned / points.maximum)
    except (DivisionByZero, InvalidOperation):
        return None


class Working:
    """The sheet, laid out before it is written: other sheets ask in which row an item stands."""

    def __init__(self, out: Workbook, book: Book, cards: Iterable[Card], styles: Styles):
        self._book, self._styles, self._cards = book, styles, list(cards)
        self._sheet = out.add_worksheet(TITLE)
        count = len(book.indicators)
        self._starts = {card.school_id: 2 + place * count for place, card in enumerate(self._cards)}
        self._offsets = {indicator.code: n for n, indicator in enumerate(book.indicators)}
        self.last = 1 + len(self._cards) * count

    def cell(self, column: str, card: Card, code: str) -> str:
        return at(TITLE, f"{column}{self._starts[card.school_id] + self._offsets[code]}")

    def block(self, column: str, card: Card) -> str:
        """All items of a school."""
        first = self._starts[card.school_id]
        return at(TITLE, f"{column}{first}:{column}{first + len(self._offsets) - 1}")

    def column(self, name: str) -> str:
        return at(TITLE, f"${name}$2:${name}${self.last}")

    def write(self, parameters: Parameters) -> None:
        sheet = self._sheet
        for column, (words, width) in enumerate(HEADS):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, words, self._styles.head)
        sheet.freeze_panes(1, 4)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, self.last - 1, len(HEADS) - 1)
        writer.paper(sheet, landscape=True)
        points = {indicator.code: parameters.points_at(indicator) for indicator in self._book.indicators}
        for card in self._cards:
            items = {item.code: item for item in card.items}
            for indicator in self._book.indicators:
                self._line(card, indicator, items[indicator.code], points[indicator.code])

    def _line(self, card: Card, indicator: Indicator, item: Item, points: str) -> None:
        sheet, styles = self._sheet, self._styles
        row = self._starts[card.school_id] + self._offsets[indicator.code] - 1
        r = row + 1
        sheet.write_string(row, 0, card.group, styles.centre)
        writer.write_text(sheet, row, 1, card.name, styles.text)
        sheet.write_string(row, 2, indicator.code, styles.centre)
        writer.write_text(sheet, row, 3, indicator.title, styles.text)
        sheet.write_formula(row, 5, f"={points}", styles.number, indicator.points)
        sheet.write_number(row, 6, item.max / indicator.points if indicator.points else ONE, styles.part)
        sheet.write_formula(row, 7, f"=ROUND(F{r}*G{r},6)", styles.number, item.max)
        if item.score is None:
            self._absent(row, STATUS_WORDS[item.status])
            return
        found = basis(self._book, card, indicator, item)
        sheet.write_string(row, 4, found.words, styles.centre)
        for column, value in enumerate((found.numerator, found.denominator, found.unit), 8):
            _number_or_blank(sheet, row, column, value, styles.number)
        if found.formula:
            sheet.write_formula(row, 11, found.formula.replace("{r}", str(r)), styles.percent, +found.share)
        else:
            sheet.write_number(row, 11, found.share, styles.percent)
        sheet.write_formula(row, 12, f"=ROUND(ROUND(H{r}*L{r},9),2)", styles.score, item.score)
        sheet.write_formula(row, 13, f"=ROUND(H{r}-M{r},6)", styles.score, item.max - item.score)

    def _absent(self, row: int, words: str) -> None:
        for column in (4, 8, 9, 10, 11, 13):
            self._sheet.write_blank(row, column, None, self._styles.text)
        self._sheet.write_string(row, 12, words, self._styles.centre)


def _number_or_blank(sheet: Any, row: int, column: int, value: Decimal | None, style: Any) -> None:
    if value is None:
        sheet.write_blank(row, column, None, style)
    else:
        sheet.write_number(row, column, value, style)
