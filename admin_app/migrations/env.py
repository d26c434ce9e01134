"""Alembic's environment: an engine of its own, without the app's pragmas.

All revisions of one run are one transaction, on SQLite too (Alembic would begin one a revision there): what is stopped
half-way leaves the schema as it was, which the backup made before and the program of before both fit.

SQLite rebuilds a table to alter it; with foreign keys on, that fails, so they are off from before BEGIN and checked
before COMMIT. On PostgreSQL a lock lets one migration of the database run at a time.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, event, func, pool, select, text

from admin_app.models import Base
from admin_app.orm import Coded, Derived, Exact, Moment, Sealed, Several
from admin_app.rules import Complaint

ONE_AT_A_TIME = 5399
"""The number of the lock; any will do that nobody else takes."""

url = context.config.get_main_option("sqlalchemy.url")
engine = create_engine(url.replace("%%", "%") if url else "", poolclass=pool.NullPool)
if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def _connect(connection, _record):
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _as_stored(kind, column_type, _autogen):
    """Our types are written into migrations as what the database stores."""
    if kind == "type" and isinstance(column_type, Coded | Exact | Sealed | Several | Derived | Moment):
        stored = column_type.impl_instance if hasattr(column_type, "impl_instance") else column_type.impl
        return f"sa.{type(stored).__name__}({'' if isinstance(column_type, Moment) or stored.length is None else f'length={stored.length}'})"
    return False


with engine.connect() as connection:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        render_item=_as_stored,
        compare_type=False,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if not sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
        context.run_migrations()
        if sqlite and (broken := connection.execute(text("PRAGMA foreign_key_check")).all()):
            raise Complaint(f"改好以后会有 {len(broken)} 行指向不存在的记录（{broken[0][0]}），没有改。")
