"""图表: the workbook's own charts, drawn by Excel from the cells, so that they move with them."""

from __future__ import annotations

from typing import Any

from xlsxwriter.workbook import Workbook

from ...sheets import writer
from ..scoring import TOP_TOTAL
from .analysis import GRADES, Grades, Losses
from .book import Book
from .ranking import RANKING, Ranking
from .styles import Styles

WIDE, HIGH, LINE = 1000, 330, 20
"""Pixels; a sheet's line is twenty high."""
FONT = {"name": writer.BODY, "size": 9}
COLOURS = ("#2E7D5B", "#4C8BBF", "#E0B252", "#C0504D", "#A6A6A6")
LABELLED = 24
"""Columns at most whose numbers can be read beside each other."""


def draw(out: Workbook, sheet: Any, book: Book, styles: Styles, ranking: Ranking, grades: Grades, losses: Losses) -> None:
    """One chart under the other: losses, grades, then the totals of each group."""
    sheet.hide_gridlines(2)
    sheet.set_column(0, 15, 9)
    sheet.merge_range(0, 0, 0, 15, f"{book.round_.title}图表", styles.title)
    sheet.set_row(0, 30)
    writer.paper(sheet, landscape=True)
    drawn = [_losses(out, book, losses)]
    if grades.groups:
        drawn.append(_grades(out, grades))
    for group, cards in ranking.groups:
        drawn.append(_totals(out, ranking, group, cards))
    step = HIGH // LINE + 2
    for place, chart in enumerate(drawn):
        sheet.insert_chart(2 + place * step, 0, chart, {"object_position": 2})
        chart.set_size({"width": WIDE, "height": HIGH})
    sheet.set_h_pagebreaks([2 + place * step for place in range(2, len(drawn), 2)])
    sheet.print_area(0, 0, 2 + len(drawn) * step, 15)


def _dressed(chart: Any, title: str) -> Any:
    chart.set_title({"name": title, "name_font": {"name": writer.HEADING, "size": 12}})
    chart.set_x_axis({"num_font": FONT})
    chart.set_y_axis({"num_font": FONT, "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}})
    chart.set_legend({"none": True})
    return chart


def _losses(out: Workbook, book: Book, losses: Losses) -> Any:
    chart = _dressed(out.add_chart({"type": "bar"}), "一级指标校均失分")
    first, last = losses.summary, losses.summary + len(book.heads) - 1
    chart.add_series(
        {
            "name": "校均失分",
            "categories": [losses.TITLE, first, 2, last, 2],
            "values": [losses.TITLE, first, 7, last, 7],
            "fill": {"color": COLOURS[3]},
            "data_labels": {"value": True, "num_format": "0.00", "font": FONT},
        }
    )
    chart.set_y_axis({"reverse": True, "num_font": FONT})
    chart.set_x_axis({"num_font": FONT, "num_format": "0.0", "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}})
    return chart


def _grades(out: Workbook, grades: Grades) -> Any:
    chart = _dressed(out.add_chart({"type": "column", "subtype": "stacked"}), "各组等次")
    last = 1 + len(grades.groups)
    for n, (grade, colour) in enumerate(zip(GRADES, COLOURS, strict=True)):
        chart.add_series(
            {
                "name": grade,
                "categories": [grades.TITLE, 2, 0, last, 0],
                "values": [grades.TITLE, 2, 4 + n, last, 4 + n],
                "fill": {"color": colour},
            }
        )
    chart.set_legend({"position": "right", "font": FONT})
    return chart


def _totals(out: Workbook, ranking: Ranking, group: str, cards: list[Any]) -> Any:
    chart = _dressed(out.add_chart({"type": "column"}), f"{group}总分")
    first, last = ranking.rows[cards[0].school_id], ranking.rows[cards[-1].school_id]
    labels = {"value": True, "num_format": "0.0", "font": {**FONT, "size": 8}} if len(cards) <= LABELLED else {}
    chart.add_series(
        {
            "name": group,
            "categories": f"='{RANKING}'!$B${first}:$B${last}",
            "values": f"='{RANKING}'!${ranking.total}${first}:${ranking.total}${last}",
            "fill": {"color": COLOURS[1]},
            "gap": 60,
            "data_labels": labels,
        }
    )
    chart.set_x_axis({"num_font": {**FONT, "size": 8, "rotation": -60 if len(cards) > 6 else 0}})
    chart.set_y_axis(
        {"num_font": FONT, "min": 0, "max": int(TOP_TOTAL), "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}}
    )
    return chart
