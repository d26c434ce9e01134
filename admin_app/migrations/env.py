"""Alembic's environment: an engine of its own, without the app's pragmas.

SQLite rebuilds a table to alter it; with foreign keys on, that fails, so they are off from before BEGIN and checked at
the end.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, event, pool, text

from admin_app.models import Base
from admin_app.orm import Coded, Derived, Exact, Moment, Sealed, Several

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
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=_as_stored,
        compare_type=False,
    )
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"{len(broken)} rows point to nothing after this migration")
