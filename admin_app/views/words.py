"""Values as a person reads them on a screen."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from .. import labels


def screen_words(value: Any) -> str:
    """Machine words a person reads: yes and no, choices in the screen's language, dates."""
    if isinstance(value, str) and type(value) is str:
        return value
    if isinstance(value, tuple):
        return "、".join(screen_words(each) for each in value)
    text = labels.text(value)
    return _(text) if text and (isinstance(value, bool) or not isinstance(value, dt.date | int)) else text


def bare(value: Any) -> Any:
    return value.striptags() if isinstance(value, Markup) else value


def state(kind: str, words: str) -> Markup:
    """A state badge in a list cell; ``kind``: due, unsure, done, now or nothing."""
    return Markup('<span class="st {}">{}</span>').format(kind, words)


def looks_like_number(words: str) -> bool:
    """Six digits on end may be part of an ID number or a phone."""
    return re.search(r"[0-9]{6}", words) is not None
