"""How the cells look: 黑体 headings, 宋体 body, 仿宋 for the papers that are signed."""

from __future__ import annotations

from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

from ...sheets import writer

CHINESE = 134
"""The GB2312 character set: where a font is absent, the program takes another Chinese one."""
INPUT_COLOUR = "#FFF8DC"


class Styles:
    def __init__(self, book: Workbook):
        def style(font: str = writer.BODY, **more: Any) -> Format:
            return book.add_format({"font_name": font, "font_charset": CHINESE, "valign": "vcenter", **more})

        box: dict[str, Any] = {"border": 1, "font_size": 9, "text_wrap": True}
        score = {**box, "align": "right", "indent": 1, "num_format": "0.00"}
        self.title = style(writer.HEADING, font_size=16, bold=True, align="center")
        self.meta = style(writer.PAPER, font_size=11)
        self.note = style(writer.PAPER, font_size=10, text_wrap=True)
        self.heading = style(writer.HEADING, font_size=12, bold=True)
        self.head = style(writer.HEADING, **box, bold=True, align="center", bg_color="#F2F2F2")
        self.group = style(writer.HEADING, **box, align="center")
        self.text = style(**box)
        self.centre = style(**box, align="center")
        self.number = style(**{**box, "align": "right"})
        self.score = style(**score)
        self.middle = style(**{**box, "align": "center", "num_format": "0.00"})
        self.percent = style(**{**box, "align": "center", "num_format": "0.0%"})
        self.share = style(**{**score, "font_size": 8, "num_format": "0%", "align": "center", "indent": 0})
        self.signed = style(**{**score, "num_format": "+0.00;-0.00;0.00"})
        self.steps = style(**{**box, "align": "center", "num_format": "+0;-0;0"})
        self.points = style(**{**box, "align": "center"}, bg_color=INPUT_COLOUR)
        self.input = style(**score, bg_color=INPUT_COLOUR)
        self.input_share = style(**{**box, "align": "center", "num_format": "0%"}, bg_color=INPUT_COLOUR)
        self.part = style(**{**box, "align": "right", "num_format": "[=1]0;[=0]0;0.000"})
        self.blank = style(**box, bg_color=INPUT_COLOUR)
        self.total_words = style(writer.HEADING, **box, bold=True, align="center")
        self.total = style(**score, bold=True)
        self.verdict = style(**box, bold=True, align="center")
        self.sign = style(writer.PAPER, **{**box, "font_size": 11, "valign": "top", "indent": 1})
        self.line = style(writer.PAPER, font_size=11, text_wrap=True, valign="top")
        self.large = style(writer.PAPER, border=1, font_size=12, align="center", text_wrap=True)
        self.large_left = style(writer.PAPER, border=1, font_size=12, text_wrap=True)
        self.large_score = style(writer.PAPER, border=1, font_size=12, align="center", num_format="0.00")
        self.large_head = style(writer.HEADING, border=1, font_size=12, align="center", bg_color="#F2F2F2")
