"""Measurements anybody can repeat: ``python -m bench.list_page``. Each makes its own register and throws it away."""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from flask import Flask
from sqlalchemy import Engine, event

from admin_app import commands, settings
from admin_app.access import SYSTEM
from admin_app.db import analyse, db, writing


@contextmanager
def empty_app() -> Iterator[Flask]:
    """A migrated app with the reference data, in a folder that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, app_in(Path(folder)) as app:
        yield app


@contextmanager
def app_in(folder: Path) -> Iterator[Flask]:
    app = commands.ready_app(settings.read({"DATA_DIR": str(folder), "RATE_LIMITS": "off"}))
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()


def load_demo() -> dict[str, int]:
    """The demo county, as ``load-demo`` loads it. Returns rows by table."""
    from seed import load

    with writing(SYSTEM) as session:
        counts = load.load_folder(session, load.DEMO)
    analyse()
    commands.calm_collector()  # as the server does once it has started
    return counts


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The SQL statements sent while the block runs, but for BEGIN."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what the work gave."""
    start = time.perf_counter()
    result = work()
    return (time.perf_counter() - start) * 1000, result


def spread(times: list[float]) -> str:
    return f"{statistics.median(times):8.1f} ms ({min(times):.1f}-{max(times):.1f})"


def machine() -> str:
    return f"{os.cpu_count()} cores, SQLAlchemy {sqlalchemy.__version__}, SQLite {sqlite3.sqlite_version}"
