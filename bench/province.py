"""A province: the demo county many times over, its rows copied in SQL with new ids. SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Column, Connection, Table, text

from admin_app.models import Resource
from admin_app.orm import Base

NOT_COPIED = (Resource.ACCOUNTS, Resource.AUDIT)
"""Who signs in and what was logged: no score asks for either."""
TARGETS = {"child_id": "child", "school_id": "school", "enrolment_id": "enrolment"}
"""Where the name says what a column refers to: an enrolment stays when the child's row goes, so it has no foreign keys."""
NEW_VALUES = {
    "school.code": "cast(7000000000 + id + n * :stride as varchar(10))",
    "school.name": "name || '（' || n || '）'",
    "child.id_number_key": "null",
    "carer.person_key": "substr(person_key, 1, 60) || n",
    "attendance.person_key": "substr(person_key, 1, 60) || n",
}
"""What is one thing in the county is one in each copy. An ID number is found by its first copy only."""
FAST = (
    "session_replication_role = replica",  # the copies refer to each other as the originals do: nothing to check
    "synchronous_commit = off",
    "maintenance_work_mem = '512MB'",
)


def multiply(connection: Connection, schools: int, children: int) -> int:
    """Copy until the schools and what they did are there so many times, the children and their records so many times;
    where there are more copies of the children, a school has the children of several.

    Returns the step between copies: a row and its copies have the same id modulo this.
    """
    assert children >= schools, "a copy of a school without children"
    tables = _copied()
    stride = 1 + max(connection.scalar(text(f"select coalesce(max(id), 0) from {name}")) for name in tables)
    with _without_indexes(connection, list(tables)):
        for table, of_children in tables.values():
            statement = _insert(table, {name: shift(many) for name, (_table, many) in tables.items()})
            values = {"stride": stride, "schools": schools, "copies": children if of_children else schools}
            connection.execute(text(statement), {key: n for key, n in values.items() if f":{key}" in statement})
    return stride


def shift(of_children: bool) -> str:
    """What is added to an id in copy n."""
    return "n * :stride" if of_children else "n % :schools * :stride"


def _copied() -> dict[str, tuple[Table, bool]]:
    """The tables of schools and all that hangs on them, each after those it refers to; does it hang on a child?"""
    skipped = {mapper.local_table.name for mapper in Base.registry.mappers if mapper.class_.RESOURCE in NOT_COPIED}
    found: dict[str, tuple[Table, bool]] = {}
    for table in Base.metadata.sorted_tables:
        refers = {target for column in table.columns if (target := _target(column)) is not None}
        if table.name == "school" or (table.name not in skipped and refers & {"school", "child", *found}):
            of_child = table.name == "child" or any(t == "child" or (t in found and found[t][1]) for t in refers)
            found[table.name] = (table, of_child)
    return found


def _target(column: Column) -> str | None:
    """The table whose ids a column holds; of a composite key each column has its own."""
    if column.name in TARGETS:
        return TARGETS[column.name]
    return next((key.column.table.name for key in column.foreign_keys), None)


def _insert(table: Table, shifts: dict[str, str]) -> str:
    values = {f'"{column.name}"': _value(column, shifts) for column in table.columns}
    return (
        "with recursive number(n) as (select 1 where 1 < :copies union all select n + 1 from number where n + 1 < :copies) "
        f"insert into {table.name} ({', '.join(values)}) select {', '.join(values.values())} "
        f"from number, {table.name} where id < :stride"
    )


def _value(column: Column, shifts: dict[str, str]) -> str:
    if (given := NEW_VALUES.get(str(column))) is not None:
        return given
    added = shifts.get(column.table.name if column.primary_key else _target(column) or "")
    return f'"{column.name}" + {added}' if added else f'"{column.name}"'


@contextmanager
def _without_indexes(connection: Connection, tables: list[str]) -> Iterator[None]:
    """On PostgreSQL: dropped before and made again after the rows, and no foreign key is checked; several times as fast."""
    if connection.dialect.name != "postgresql":
        yield
        return
    for setting in FAST:
        connection.execute(text(f"set {setting}"))
    asked = text(
        "select indexname, indexdef from pg_indexes where tablename = any(:tables) and schemaname = current_schema()"
        " and not exists (select from pg_constraint where conindid = quote_ident(indexname)::regclass)"
    )
    indexes = connection.execute(asked, {"tables": tables}).all()
    for name, _made in indexes:
        connection.execute(text(f'drop index "{name}"'))
    yield
    for _name, made in indexes:
        connection.exec_driver_sql(made.replace("%", "%%"))
    for setting in FAST:
        connection.execute(text(f"reset {setting.partition(' ')[0]}"))
