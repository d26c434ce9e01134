"""Engine and sessions: pragmas, BEGIN, the session class with access and audit built in, ``session_with(scope)``; is it all there?"""

from __future__ import annotations

import errno
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from . import access, audit, row_security
from .access import Scope
from .assessment import locking
from .orm import Base
from .records import bulk, upkeep
from .settings import PATIENCE, Settings


class RowSession(FlaskSession):
    """A session that knows its actor: reads pass the row filter, writes the owner check, and every change is logged.

    With ``info["writes"]`` its transactions begin as writers (see ``tune_sqlite``), at the first statement and not
    before: what takes long (reading a workbook, hashing) is done while nobody waits.
    """

    def get_bind(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("bind") is not None:
            return kwargs["bind"]
        if "engine" not in self.info:  # asked for every statement, and there is but one
            engine = super().get_bind(*args, **kwargs)
            self.info["engine"] = engine.execution_options(writes=True) if self.info.get("writes") else engine
        return self.info["engine"]


upkeep.watch(RowSession)
bulk.watch(RowSession)
access.guard(RowSession)
locking.watch(RowSession)
audit.watch(RowSession)
event.listen(RowSession, "after_begin", row_security.tell_on_begin, propagate=True)

db = SQLAlchemy(model_class=Base, session_options={"class_": RowSession}, engine_options={"hide_parameters": True})

log = logging.getLogger(__name__)
ROOM = 1 << 20
"""What must still fit beside the data for the server to call itself ready."""
BUSY, FULL = 503, 507
_OF_SQLITE = {5: BUSY, 6: BUSY, 8: FULL, 10: FULL, 13: FULL}
"""BUSY, LOCKED; READONLY, IOERR (a full disk's other name), FULL."""
_OF_POSTGRES = {"08": BUSY, "40": BUSY, "53": BUSY, "55": BUSY, "57": BUSY, "53100": FULL, "25006": FULL}
"""SQLSTATEs or their classes: connection, rolled back, resources, locks, shut down; the disk is full, nothing may be written."""


def init(app: Flask, settings: Settings) -> None:
    """Connect the app to its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    options: dict[str, Any] = {"pool_pre_ping": True}
    if not settings.is_sqlite:
        options["connect_args"] = {"prepare_threshold": None}  # pgbouncer in transaction mode
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    app.teardown_appcontext(_let_go)  # the last that is registered is the first that runs
    with app.app_context():
        if settings.is_sqlite:
            tune_sqlite(db.engine)
        else:
            event.listen(db.engine, "handle_error", row_security.refused)


def _let_go(_error: BaseException | None) -> None:
    """The request's session, when the answer is made: a connection that broke since is no reason to take the answer back."""
    try:
        db.session.remove()
    except DBAPIError:
        db.session.registry.clear()


def tune_sqlite(engine: Engine) -> None:
    """WAL, full sync, foreign keys; and BEGIN said by us: IMMEDIATE for who may write, so that no writer is turned away."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={PATIENCE * 1000}",
            "cache_size=-32000",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


@contextmanager
def session_with(scope: Scope, *, writes: bool = False) -> Iterator[Session]:
    """A session of its own, bound to a scope, apart from the request's. The caller commits."""
    with db.session.session_factory() as session:
        access.bind(session, scope)
        session.info["writes"] = writes
        yield session


@contextmanager
def writing(scope: Scope) -> Iterator[Session]:
    """A session of its own that writes and commits when its block ends well."""
    with session_with(scope, writes=True) as session:
        yield session
        session.commit()


def take_turn(session: Session) -> None:
    """Begin a writing transaction now, so that what is looked at next is not overtaken by the same account's other request."""
    session.connection()


def is_ready(data_dir: Path) -> bool:
    """Does the database answer, with this version's schema, open to writing, and is there room beside the data?

    The room is really taken for a moment: what a quota or a read-only disk forbids does not show in figures.
    """
    with db.engine.connect() as connection:
        if revision(connection) != known_revisions()[0]:
            return False
        if connection.dialect.name == "postgresql" and connection.scalar(text("show transaction_read_only")) != "off":
            return False
    with tempfile.TemporaryFile(dir=data_dir, buffering=0) as probe:
        return probe.write(bytes(ROOM)) == ROOM


def engine_at(url: str) -> Engine:
    """An engine for one errand past the sessions: the schema, the policies, keys, backups. No statement's values in its errors."""
    return create_engine(url, poolclass=NullPool, hide_parameters=True)


def revision(connection: Connection) -> str | None:
    """The schema's revision of a database."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def known_revisions() -> list[str]:
    """Every revision this version knows, newest first."""
    return [each.revision for each in ScriptDirectory(str(Path(__file__).parent / "migrations")).walk_revisions()]


def status_of(error: Exception) -> int:
    """What a browser is told of an error: 503 the database is busy or gone for a moment, 507 its disk is full, 500 all others."""
    if isinstance(error, OSError):
        return FULL if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS) else 500
    if not isinstance(error, DBAPIError):
        return 500
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return _OF_SQLITE.get(code & 0xFF, 500)
    state = getattr(error.orig, "sqlstate", None) or "08"  # the driver could not connect
    return _OF_POSTGRES.get(state) or _OF_POSTGRES.get(state[:2], 500)


def settle() -> None:
    """What was erased leaves the log of SQLite too, not only its tables (``secure_delete`` overwrites it there): at once, unless
    somebody is reading; then the next checkpoint takes it.
    """
    if db.engine.dialect.name != "sqlite":
        return
    connection = db.engine.raw_connection()
    run = lambda pragma: connection.cursor().execute(f"PRAGMA {pragma}").fetchone()  # noqa: E731
    try:
        run("busy_timeout=1000")
        if run("wal_checkpoint(TRUNCATE)")[0]:
            log.warning("the log of the database is still being read: what was erased stays in it for a while")
    finally:
        run(f"busy_timeout={PATIENCE * 1000}")
        connection.close()


def analyse() -> None:
    """Fresh statistics after a large import (SQLite keeps none by itself; PostgreSQL's daemon may lag)."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA optimize=0x10002" if connection.dialect.name == "sqlite" else "ANALYZE")
        connection.commit()
