"""Values as a person reads them on a screen."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from .. import labels
from ..access import shown
from .gate import current_scope


def screen_words(value: Any) -> str:
    """Machine words a person reads: yes and no, choices in the screen's language, dates."""
    if isinstance(value, str) and type(value) is str:
        return value
    if isinstance(value, tuple):
        return "、".join(screen_words(each) for each in value)
    text = labels.text(value)
    return _(text) if text and (isinstance(value, bool) or not isinstance(value, dt.date | int)) else text


def paper_words(record: Any, name: str, *, revealed: bool = False) -> str:
    """One value of a record as it is printed: as this actor may see it, days as papers write them."""
    value = shown(current_scope(), type(record), name, getattr(record, name), record.school_id, revealed=revealed)
    return labels.day(value) if isinstance(value, dt.date) else screen_words(value)


def unlabelled(words: str) -> str:
    """For what children and classmates see: no child is called 留守."""
    return words.replace("农村留守", "").replace("留守", "")


def bare(value: Any) -> Any:
    """A cell without its markup: what a file says."""
    return _stripped(value) if isinstance(value, Markup) else value


@lru_cache(1000)  # a list says the same few states over and over
def _stripped(value: Markup) -> str:
    return value.striptags()


def state(kind: str, words: str) -> Markup:
    """A state badge in a list cell; ``kind``: due, unsure, done, now or nothing."""
    return Markup('<span class="st {}">{}</span>').format(kind, words)


def looks_like_number(words: str) -> bool:
    """Six digits on end may be part of an ID number or a phone."""
    return re.search(r"[0-9]{6}", words) is not None
