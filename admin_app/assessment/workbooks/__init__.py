"""The workbooks of a round: one small module each. All computed cells are live formulas with the product's number beside them."""

from __future__ import annotations

from .book import Book, by_group, plain, rank_words, subtotal
from .bundle import all_sheets
from .county import summary
from .publicity import publicity
from .school import school_sheet
from .selfform import self_form

__all__ = ["Book", "all_sheets", "by_group", "plain", "publicity", "rank_words", "school_sheet", "self_form", "subtotal", "summary"]
