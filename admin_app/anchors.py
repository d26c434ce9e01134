"""Where the log ended, written down outside the database: a log that was cut back to an older state no longer fits (ASVS 16.4.2).

The chain alone shows any change but that one. One line a day and one a backup, in a file that is only added to; the folder
is the office's choice, and on another disk it is out of reach of whoever can change the database.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from .access import SYSTEM
from .audit import FIRST_MAC
from .backups import told
from .db import session_with
from .labels import COUNTY_CLOCK
from .models import AuditEntry, AuditHead
from .rules import Complaint

NAME = "log-ends.txt"
LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\S+) (\d+) ([0-9a-f]{64})$", re.M)
LOOKS = 3600
"""Seconds between two looks whether the day has its line."""


@dataclass(frozen=True)
class Anchor:
    at: str
    seq: int
    mac: str


def written(folder: Path) -> list[Anchor]:
    """What was written down, oldest first. A line that a power cut left half is none."""
    path = folder / NAME
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return [Anchor(at, int(seq), mac) for at, seq, mac in LINE.findall(text)]


@told("没有写下操作日志的末尾")
def add(session: Session, folder: Path) -> None:
    """Write down where the log ends now; on the disk when this returns.

    :raises Complaint: when the folder or the database refuses.
    """
    seq, mac = session.execute(select(AuditHead.seq, AuditHead.mac)).one()
    line = f"{dt.datetime.now(COUNTY_CLOCK).isoformat(timespec='seconds')} {seq} {mac}\n"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / NAME
    cut_off = path.exists() and not path.read_bytes().endswith(b"\n")  # a power cut left half a line: begin a new one
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
        file.write("\n" * cut_off + line)
        file.flush()
        os.fsync(file.fileno())


@told("没有写下操作日志的末尾")
def add_of_the_day(session: Session, folder: Path) -> None:
    """A line where today has none yet.

    :raises Complaint: as ``add``.
    """
    today = dt.datetime.now(COUNTY_CLOCK).date().isoformat()
    if not any(anchor.at.startswith(today) for anchor in written(folder)[-1:]):
        add(session, folder)


def first_misfit(session: Session, folder: Path) -> str | None:
    """What was written down first and is not in the log (any more), in words; None when all fits."""
    for anchor in written(folder):
        mac = session.scalar(select(AuditEntry.mac).where(AuditEntry.id == anchor.seq)) if anchor.seq else FIRST_MAC
        if mac != anchor.mac:
            now = "已不在，日志被删短过" if mac is None else "与当时不同，日志被换过"
            return f"{anchor.at} 写下的末尾是第 {anchor.seq} 条，这一条{now}"
    return None


def add_daily(app: Flask, folder: Path, say: Callable[[str], None]) -> None:
    """A line a day while the server runs, beside it: a folder that hangs or is full holds nobody up, and ``say`` is told."""

    def look() -> None:
        while True:
            try:
                with app.app_context(), session_with(SYSTEM) as session:
                    add_of_the_day(session, folder)
            except Complaint as e:
                say(str(e))
            time.sleep(LOOKS)

    threading.Thread(target=look, name="anchors", daemon=True).start()
