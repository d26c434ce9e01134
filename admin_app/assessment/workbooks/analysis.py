"""What a county reads from a round: grades by group, where points are lost, and the matrix of schools and indicators."""

from __future__ import annotations

from decimal import Decimal

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook

from ...models import Indicator
from ...sheets import writer
from ..patterns import ZERO
from ..scoring import Card, Item
from .book import Book, by_group
from .parameters import Parameters
from .ranking import Ranking
from .styles import Styles
from .working import LOST, MAXIMUM, SCORE, Working

GRADES = ("优秀", "良好", "合格", "不合格", "不参评")
BOTTOM = 5


class Grades:
    """等次统计: how many schools of each group in each grade."""

    TITLE = "等次统计"

    def __init__(self, out: Workbook, book: Book, styles: Styles):
        self._book, self._styles = book, styles
        self._sheet = out.add_worksheet(self.TITLE)
        self.groups = by_group(book.results.cards)

    def write(self, ranking: Ranking) -> None:
        sheet, styles = self._sheet, self._styles
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, len(GRADES) + 4, 9)
        sheet.merge_range(0, 0, 0, len(GRADES) + 4, f"{self._book.round_.title}等次统计", styles.title)
        sheet.set_row(0, 30)
        for column, words in enumerate(["组别", "学校数", "参评数", "优秀名额", *GRADES, "待评"]):
            sheet.write_string(1, column, words, styles.head)
        for row, (group, cards) in enumerate(self.groups, 2):
            sheet.write_string(row, 0, group, styles.group)
            for column, (formula, value) in enumerate(self._counts(row + 1, cards, ranking), 1):
                sheet.write_formula(row, column, formula, styles.centre, value)
        last = 2 + len(self.groups)
        sheet.write_string(last, 0, "合计", styles.total_words)
        for column in range(1, len(GRADES) + 5):
            name = xl_col_to_name(column)
            value = sum(self._counts(3, cards, ranking)[column - 1][1] for _group, cards in self.groups)
            sheet.write_formula(last, column, f"=SUM({name}3:{name}{last})", styles.total_words, value)
        sheet.freeze_panes(2, 1)
        sheet.repeat_rows(1)
        writer.paper(sheet, landscape=True)

    def _counts(self, r: int, cards: list[Card], ranking: Ranking) -> list[tuple[str, int]]:
        """(formula, value) from the number of schools to the number waiting."""
        grades, totals = ranking.group(ranking.grade, cards), ranking.group(ranking.total, cards)
        taking = sum(card.takes_part for card in cards)
        places = max(1, int(self._book.round_.scheme.quota * taking))
        counted = [(f'=COUNTIF({grades},"{grade}")', sum(c.grade == grade for c in cards)) for grade in GRADES]
        return [
            (f"=ROWS({grades})", len(cards)),
            (f"=COUNT({totals})", taking),
            (f"=IF(C{r}=0,0,MAX(1,INT(ROUND(quota*C{r},9))))", places if taking else 0),
            *counted,
            (f'=COUNTIF({totals},"待评")', sum(c.total is None and c.grade != "不参评" for c in cards)),
        ]


class Losses:
    """指标失分分析: the mean rate of each indicator, the points lost, and who lost most."""

    TITLE = "指标失分分析"
    COLUMNS = (
        ("一级指标", 13), ("编号", 7), ("指标", 28), ("分值", 6), ("计分校数", 8), ("平均得分率", 9), ("失分合计", 9), ("校均失分", 8),
        ("得分率最低的学校", 62),
    )  # fmt: skip

    def __init__(self, out: Workbook, book: Book, styles: Styles):
        self._book, self._styles = book, styles
        self._sheet = out.add_worksheet(self.TITLE)
        self._found = {indicator.code: _scored(book, indicator) for indicator in book.indicators}
        row, self.heads = 2, {}
        for head in book.heads:
            count = len(book.items[head.id])
            self.heads[head.id] = (row, row + count - 1)
            row += count
        self.summary = row + 3
        """The first line of the small table of first-level indicators."""

    def write(self, working: Working, parameters: Parameters) -> None:
        sheet, styles = self._sheet, self._styles
        for column, (words, width) in enumerate(self.COLUMNS):
            sheet.set_column(column, column, width)
            sheet.write_string(1, column, words, styles.head)
        sheet.merge_range(0, 0, 0, len(self.COLUMNS) - 1, f"{self._book.round_.title}指标失分分析", styles.title)
        sheet.set_row(0, 30)
        sheet.freeze_panes(2, 3)
        sheet.repeat_rows(1)
        writer.paper(sheet, landscape=True)
        for head in self._book.heads:
            first, last = self.heads[head.id]
            if last > first:
                sheet.merge_range(first, 0, last, 0, head.title, styles.group)
            elif last == first:
                writer.write_text(sheet, first, 0, head.title, styles.group)
            for row, indicator in enumerate(self._book.items[head.id], first):
                self._line(row, indicator, working, parameters)
        self._by_head()

    def _line(self, row: int, indicator: Indicator, working: Working, parameters: Parameters) -> None:
        sheet, styles, r = self._sheet, self._styles, row + 1
        found = self._found[indicator.code]
        earned, lost = _sums(found)
        codes = working.column("C")
        sheet.write_string(row, 1, indicator.code, styles.centre)
        writer.write_text(sheet, row, 2, indicator.title, styles.text)
        sheet.write_formula(row, 3, f"={parameters.points_at(indicator)}", styles.centre, indicator.points)
        counting = f'=COUNTIFS({codes},B{r},{working.column(SCORE)},">=0")'
        sheet.write_formula(row, 4, counting, styles.centre, len(found))
        scores, losses = (f"SUMIFS({working.column(name)},{codes},B{r})" for name in (SCORE, LOST))
        rate = f'=IF({scores}+G{r}=0,"—",{scores}/({scores}+G{r}))'
        sheet.write_formula(row, 5, rate, styles.percent, earned / (earned + lost) if earned + lost else "—")
        sheet.write_formula(row, 6, f"=ROUND({losses},2)", styles.middle, lost)
        each = f'=IF(E{r}=0,"—",G{r}/E{r})'
        sheet.write_formula(row, 7, each, styles.middle, lost / len(found) if found else "—")
        writer.write_text(sheet, row, 8, _lowest(found), styles.text)
        sheet.set_row(row, 30)

    def _by_head(self) -> None:
        """The first-level indicators: the chart of mean losses draws these."""
        sheet, styles, row = self._sheet, self._styles, self.summary
        schools = len(self._book.ordered)
        sheet.merge_range(row - 2, 0, row - 2, 8, "一级指标失分（校均失分按全部考核学校平均）", styles.heading)
        for column, words in enumerate(("编号", "", "一级指标", "分值", "", "", "失分合计", "校均失分")):
            sheet.write_string(row - 1, column, words, styles.head)
        for head in self._book.heads:
            first, last = self.heads[head.id]
            lost = sum((_sums(self._found[i.code])[1] for i in self._book.items[head.id]), ZERO)
            points = sum((i.points for i in self._book.items[head.id]), ZERO)
            sheet.write_string(row, 0, head.code, styles.centre)
            for column in (1, 4, 5):
                sheet.write_blank(row, column, None, styles.text)
            writer.write_text(sheet, row, 2, head.title, styles.text)
            span = f"{first + 1}:{{0}}{last + 1}"
            if last >= first:
                sheet.write_formula(row, 3, f"=SUM(D{span.format('D')})", styles.centre, points)
                sheet.write_formula(row, 6, f"=SUM(G{span.format('G')})", styles.middle, lost)
                each = f"=G{row + 1}/{schools}" if schools else "=0"
                sheet.write_formula(row, 7, each, styles.middle, lost / schools if schools else ZERO)
            row += 1
        words = f"平均得分率＝计分学校得分合计÷适用分合计；待评和不适用的不计。最低的学校至多列 {BOTTOM} 所，按导出时成绩，改“参数”后不随动。"
        sheet.merge_range(row + 1, 0, row + 1, 8, words, styles.note)
        sheet.set_row(row + 1, 30)


def _scored(book: Book, indicator: Indicator) -> list[tuple[Card, Item]]:
    """Every school that has points for it."""
    pairs = ((card, next(item for item in card.items if item.code == indicator.code)) for card in book.ordered)
    return [(card, item) for card, item in pairs if item.score is not None and item.max]


def _sums(found: list[tuple[Card, Item]]) -> tuple[Decimal, Decimal]:
    earned = sum((item.score for _card, item in found if item.score is not None), ZERO)
    return earned, sum((item.max for _card, item in found), ZERO) - earned


def _share(item: Item) -> Decimal:
    assert item.score is not None
    return item.score / item.max


def _lowest(found: list[tuple[Card, Item]]) -> str:
    short = sorted(((_share(item), card.code, card.name) for card, item in found if _share(item) < 1))[:BOTTOM]
    return "、".join(f"{name} {share * 100:.1f}%" for share, _code, name in short)


class Matrix:
    """指标矩阵: every school × every indicator as a share of its maximum, coloured."""

    TITLE = "指标矩阵"

    def __init__(self, out: Workbook, book: Book, styles: Styles):
        self._book, self._styles = book, styles
        self._sheet = out.add_worksheet(self.TITLE)

    def write(self, working: Working) -> None:
        sheet, styles, book = self._sheet, self._styles, self._book
        cards, indicators = book.ordered, book.indicators
        sheet.set_column(0, 0, 9)
        sheet.set_column(1, 1, 22)
        sheet.set_column(2, 1 + len(indicators), 4)
        for column, words in enumerate(["组别", "学校", *(indicator.code for indicator in indicators)]):
            sheet.write_string(0, column, words, styles.head)
        for row, card in enumerate(cards, 1):
            sheet.write_string(row, 0, card.group, styles.centre)
            writer.write_text(sheet, row, 1, card.name, styles.text)
            items = {item.code: item for item in card.items}
            for column, indicator in enumerate(indicators, 2):
                self._cell(row, column, card, items[indicator.code], working)
        if cards:
            scale = {
                "type": "3_color_scale", "min_type": "num", "mid_type": "num", "max_type": "num", "min_value": 0, "max_value": 1,
                "mid_value": Decimal("0.7"), "min_color": "#F8696B", "mid_color": "#FFEB84", "max_color": "#63BE7B",
            }  # fmt: skip
            sheet.conditional_format(1, 2, len(cards), 1 + len(indicators), scale)
        sheet.freeze_panes(1, 2)
        sheet.repeat_rows(0)
        writer.paper(sheet, landscape=True)

    def _cell(self, row: int, column: int, card: Card, item: Item, working: Working) -> None:
        if item.score is None or not item.max:
            self._sheet.write_string(row, column, "待评" if item.max else "—", self._styles.centre)
            return
        top, score = working.cell(MAXIMUM, card, item.code), working.cell(SCORE, card, item.code)
        self._sheet.write_formula(row, column, f'=IF({top}=0,"—",{score}/{top})', self._styles.share, _share(item))
