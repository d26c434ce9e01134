"""Engine and sessions: pragmas, BEGIN, the session class with access and audit built in, ``session_with(scope)``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from . import access, audit, row_security
from .access import Scope
from .assessment import locking
from .orm import Base
from .records import bulk, upkeep
from .settings import Settings


class RowSession(FlaskSession):
    """A session that knows its actor: reads pass the row filter, writes the owner check, and every change is logged.

    With ``info["writes"]`` its transactions begin as writers (see ``tune_sqlite``), at the first statement and not
    before: what takes long (reading a workbook, hashing) is done while nobody waits.
    """

    def get_bind(self, *args: Any, **kwargs: Any) -> Any:
        engine = super().get_bind(*args, **kwargs)
        if not self.info.get("writes"):
            return engine
        return self.info.setdefault("writing_engine", engine.execution_options(writes=True))


upkeep.watch(RowSession)
bulk.watch(RowSession)
access.guard(RowSession)
locking.watch(RowSession)
audit.watch(RowSession)
event.listen(RowSession, "after_begin", row_security.tell_on_begin, propagate=True)

db = SQLAlchemy(model_class=Base, session_options={"class_": RowSession}, engine_options={"hide_parameters": True})


def init(app: Flask, settings: Settings) -> None:
    """Connect the app to its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    options: dict[str, Any] = {"pool_pre_ping": True}
    if not settings.is_sqlite:
        options["connect_args"] = {"prepare_threshold": None}  # pgbouncer in transaction mode
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        if settings.is_sqlite:
            tune_sqlite(db.engine)
        else:
            event.listen(db.engine, "handle_error", row_security.refused)


def tune_sqlite(engine: Engine) -> None:
    """WAL, full sync, foreign keys; and BEGIN said by us: IMMEDIATE for who may write, so that no writer is turned away."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "cache_size=-32000"):
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


def is_alive() -> bool:
    with db.engine.connect() as connection:
        return connection.execute(text("select 1")).scalar() == 1


def analyse() -> None:
    """Fresh statistics after a large import (SQLite keeps none by itself; PostgreSQL's daemon may lag)."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA optimize=0x10002" if connection.dialect.name == "sqlite" else "ANALYZE")
        connection.commit()
