"""A workbook is read in a process of its own, with its own memory and a time limit: a file that was made to exhaust its reader
ends that process, and takes nobody's work along. What is read comes back as JSON, which runs nothing."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY = 1 << 30
"""Address space of the process: three times what the largest file that ``checks`` lets through may take."""
SECONDS = 30
MOST = 32 << 20
"""Bytes of an answer: a ledger of 20,000 children in 22 columns has 5.4 million."""
AT_ONCE = 2
PACKAGE = Path(__file__).parent.parent
START = f"import sys; sys.path.insert(0, {str(PACKAGE)!r}); from sheets import apart; apart.answer()"
"""The package by itself: the product around it takes a second to load."""
SAID, TOO_MUCH = 3, 4
"""The process ends with these when the file is refused with a sentence, and when it says more than anybody can use."""
_READ: dict[str, Callable[[str], Any]] = {
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": lambda seconds: dt.timedelta(seconds=float(seconds)),
}
_turns = threading.BoundedSemaphore(AT_ONCE)


class Failed(Exception):
    """Nothing was read. ``said``: why, where the reader could tell."""

    def __init__(self, said: str = ""):
        super().__init__(said)
        self.said = said


def read(content: bytes) -> list[dict[str, Any]]:
    """The sheets of a workbook: the fields of a ``reader.Grid`` each.

    :raises Failed: when the reader refuses the file, or does not come to an end.
    """
    with _turns:
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and our own words
                [sys.executable, "-I", "-c", START], input=content, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Failed from None
        if done.returncode == SAID:
            raise Failed(done.stdout.decode())
        if done.returncode:
            raise Failed
        return _sheets(done.stdout)


def _sheets(answer: bytes) -> list[dict[str, Any]]:
    sheets: list[dict[str, Any]] = json.loads(answer)
    for sheet in sheets:
        rows = sheet["rows"]
        for row, column, kind, text in sheet.pop("times"):
            rows[row][column] = _READ[kind](text)
    return sheets


def answer() -> None:
    """What the process does: the file from its standard input, the sheets or the sentence to its standard output."""
    _limit_memory()
    from . import reader

    try:
        grids = reader.read_book(sys.stdin.buffer.read())
    except reader.Unreadable as e:
        sys.stdout.buffer.write(str(e).encode())
        sys.exit(SAID)
    sheets = [
        {
            "name": g.name,
            "day_zero": g.day_zero.isoformat(),
            "merged": [*g.merged.items()],
            "times": _taken_out(g.rows),
            "rows": g.rows,
        }
        for g in grids
    ]
    said = json.dumps(sheets, ensure_ascii=False).encode(errors="surrogatepass")
    if len(said) > MOST:
        sys.exit(TOO_MUCH)
    sys.stdout.buffer.write(said)


def _taken_out(rows: list[list[Any]]) -> list[tuple[int, int, str, str]]:
    """The days and times of a sheet, which JSON does not know, by row and column."""
    found = []
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, dt.date | dt.time | dt.timedelta):
                text = str(value.total_seconds()) if isinstance(value, dt.timedelta) else value.isoformat()
                found.append((number, column, type(value).__name__, text))
                row[column] = None
    return found


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows: there is the time limit alone
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
