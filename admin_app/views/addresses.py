"""What was typed into a search box, as it stands in an address: a number of a person sealed, everything else as it is.

Addresses are kept by browsers, by the access log and by whoever a link is sent to. A sealed number opens for its own account alone.
"""

from __future__ import annotations

import base64
import re

from flask_login import current_user

from ..orm import keyring

MARK = "~"
_NUMBER = re.compile(r"(?:\d[\s\-－]*){3}[\dXxＸｘ]")
"""The least that a blind index answers: the last four characters of an ID number or a telephone, in one or with gaps."""


def sealed(typed: str) -> str:
    """:returns: what may stand in an address: sealed when it holds a number, or begins as a sealed one does."""
    if not (_NUMBER.search(typed) or typed.startswith(MARK)):
        return typed
    return MARK + base64.urlsafe_b64encode(keyring.seal_bytes(typed.encode(), _place())).decode()


def opened(raw: str) -> str:
    """What was typed, of a part of an address.

    :raises ValueError: when it was sealed for another account or with another key, or was changed.
    """
    if not raw.startswith(MARK):
        return raw
    return keyring.open_bytes(base64.urlsafe_b64decode(raw.removeprefix(MARK)), _place()).decode()


def _place() -> str:
    return f"search of {current_user.user_id}"
