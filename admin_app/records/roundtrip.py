"""A row on its way out to a workbook and back: which record it is and what each cell said then, signed, in one hidden cell.

A cell that comes back as it went out was not touched, whatever the register says by now; one that was touched and has changed
in the register as well is a conflict. The mark tells nothing by itself: digests are keyed, and of one row and cell alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import labels
from ..orm import keyring

HEADING = "系统列（请勿改动）"
DIGITS = 8


@dataclass(frozen=True)
class Origin:
    """Where a row came from: its record, and the digest of each cell as it went out."""

    row_id: int
    table: str
    digests: Mapping[str, str]

    def says(self, key: str, value: Any) -> bool:
        """Did the cell say this when it went out?"""
        return self.digests.get(key) == _digest(self.table, self.row_id, key, value)


def mark(table: str, row_id: int, values: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The hidden cell of a row. ``keys``: the columns of the sheet, always in one order."""
    body = f"{row_id}.{''.join(_digest(table, row_id, key, values.get(key)) for key in keys)}"
    return f"{body}.{_seal(table, body, keys)}"


def origin(table: str, text: str, keys: Sequence[str]) -> Origin | None:
    """What a hidden cell says; None when it was changed, cut, or made for another kind of sheet."""
    body, _dot, seal = text.strip().rpartition(".")
    number, _dot, digests = body.partition(".")
    if not body or not number.isdecimal() or seal != _seal(table, body, keys) or len(digests) != DIGITS * len(keys):
        return None
    cut = (digests[at : at + DIGITS] for at in range(0, len(digests), DIGITS))
    return Origin(int(number), table, dict(zip(keys, cut, strict=True)))


def _digest(table: str, row_id: int, key: str, value: Any) -> str:
    return keyring.sign_row(f"{table}|{row_id}|{key}|{labels.text(value)}")[:DIGITS]


def _seal(table: str, body: str, keys: Sequence[str]) -> str:
    return keyring.sign_row(f"{table}|{','.join(keys)}|{body}")[:16]
