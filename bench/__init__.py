"""Measurements anybody can repeat: ``python -m bench.list_page``. Each makes its own register and throws it away."""

from __future__ import annotations

import gc
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy
from flask import Flask
from sqlalchemy import Engine, event

from admin_app import commands, serving, settings
from admin_app.access import SYSTEM
from admin_app.db import analyse, db, writing


@contextmanager
def empty_app(*, postgres: bool = False) -> Iterator[Flask]:
    """A migrated app with the reference data, in a folder that is deleted afterwards; on SQLite or a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with _server_in(folder) if postgres else nullcontext("") as url, app_in(folder, url) as app:
            yield app


def _server_in(folder: Path) -> AbstractContextManager[str]:
    from tests.databases import postgres_server

    return postgres_server(folder)


@contextmanager
def app_in(folder: Path, url: str = "") -> Iterator[Flask]:
    app = commands.ready_app(settings.read({"DATA_DIR": str(folder), "DATABASE_URL": url, "RATE_LIMITS": "off"}))
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
    serving.calm_collector()  # as the server does once it has started
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


class Peak:
    """The most memory held since it was made, over what was held then, in MB. Linux; the start-up's own peak is forgotten."""

    def __init__(self) -> None:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        self.before = self.now()

    @staticmethod
    def now() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def __str__(self) -> str:
        return f"peak memory +{self.now() - self.before:.1f} MB over {self.before:.0f} MB"


def spread(times: list[float]) -> str:
    return f"{statistics.median(times):8.1f} ms ({min(times):.1f}-{max(times):.1f})"


def machine() -> str:
    return f"{os.cpu_count()} cores, SQLAlchemy {sqlalchemy.__version__}, SQLite {sqlite3.sqlite_version}"
