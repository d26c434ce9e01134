"""全县汇总: the ranking by group and every school's items, live, with the analyses behind them."""

from __future__ import annotations

import io

from ...sheets import writer
from . import analysis, charts, history
from .book import Book
from .details import Details
from .parameters import Parameters
from .ranking import Ranking
from .styles import Styles
from .working import Working


def summary(book: Book) -> bytes:
    """全县汇总排名表 with 评分表, 参数 and the analyses; every number of a school follows the sheet 参数."""
    buffer = io.BytesIO()
    with writer.open_book(buffer) as out:
        styles = Styles(out)
        ranking = Ranking(out, book, styles)
        details = Details(out, book, styles)
        parameters = Parameters(out, book, styles)
        grades = analysis.Grades(out, book, styles)
        losses = analysis.Losses(out, book, styles)
        matrix = analysis.Matrix(out, book, styles)
        comparison = out.add_worksheet(history.TITLE)
        drawing = out.add_worksheet("图表")
        working = Working(out, book, book.ordered, styles)
        ranking.write(details)
        details.write(working)
        parameters.write()
        working.write(parameters)
        grades.write(ranking)
        losses.write(working, parameters)
        matrix.write(working)
        history.compare(comparison, book, styles, ranking)
        charts.draw(out, drawing, book, styles, ranking, grades, losses)
        writer.add_receipt(out, book.receipt | {"学校数": str(len(book.results.cards)), "指标数": str(len(book.indicators))})
    return buffer.getvalue()
