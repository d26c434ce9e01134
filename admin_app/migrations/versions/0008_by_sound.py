"""names, classes and schools are sorted and found by how they sound"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from admin_app import spelling
from admin_app.models import class_order

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

AT_ONCE = 5000


def _named(name: str) -> dict[str, tuple[Callable[..., str], ...]]:
    return {"name_order": (spelling.order, name), "name_sound": (spelling.sound, name)}


COLUMNS: dict[str, dict[str, Any]] = {
    "school": {"name_sound": (spelling.sound, "name")},
    "staff": _named("name"),
    "child": _named("name") | {"class_order": (class_order, "grade", "class_name")},
    "enrolment": _named("child_name"),
    "parent": _named("name"),
    "carer": _named("name"),
    "transfer": _named("child_name"),
}
"""Table -> derived column -> how it is made, and of which columns. Worked out as the models do it today."""
ALIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    kind = sa.Text(collation="C") if op.get_bind().dialect.name == "postgresql" else sa.Text()
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, sa.Column(column, kind, server_default="", nullable=False))
        _fill(table, columns)
    _reindex("class_order", "name_order", "id", "name", "name_sound")
    op.drop_index("ix_child_name", table_name="child")
    op.create_index("ix_child_by_name", "child", ["name_order"], sqlite_where=ALIVE, postgresql_where=ALIVE)


def downgrade() -> None:
    op.drop_index("ix_child_by_name", table_name="child")
    op.create_index("ix_child_name", "child", ["name"])
    _reindex("grade", "class_name", "name")
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table) as batch_op:
            for column in columns:
                batch_op.drop_column(column)


def _fill(table: str, columns: dict[str, Any]) -> None:
    """Row by row in Python, a batch at a time by id."""
    sources = {source for _make, *made_of in columns.values() for source in made_of}
    there = sa.table(table, *map(sa.column, ("id", *sources, *columns)))
    query = sa.select(there.c.id, *(there.c[source] for source in sources)).order_by(there.c.id).limit(AT_ONCE)
    change = sa.update(there).where(there.c.id == sa.bindparam("row")).values({c: sa.bindparam(c) for c in columns})
    connection, last = op.get_bind(), 0
    while rows := connection.execute(query.where(there.c.id > last)).mappings().all():
        made = [{c: make(*(row[source] for source in made_of)) for c, (make, *made_of) in columns.items()} for row in rows]
        connection.execute(change, [{"row": row["id"], **values} for row, values in zip(rows, made, strict=True)])
        last = rows[-1]["id"]


def _reindex(*columns: str) -> None:
    op.drop_index("ix_child_in_order", table_name="child")
    op.create_index("ix_child_in_order", "child", ["school_id", *columns], sqlite_where=ALIVE, postgresql_where=ALIVE)
