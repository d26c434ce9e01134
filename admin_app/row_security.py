"""The second wall: PostgreSQL's row-level security, the rules of access.py once more, written from the models.

It holds where the first wall fails: a forgotten filter, a statement past the ORM, SQL smuggled in. Each transaction tells
the database whose it is (``tell``); a connection that tells nothing sees no row. The owner of the tables passes all of it
(migrations and dumps need that), so it is a wall only for a program that logs in as somebody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, ExceptionContext, create_engine, func, make_url, select, text
from sqlalchemy.orm import Session

from .access import READ_BY_ALL, Action, OutOfScope, Scope, scope_in
from .models import AuditEntry, AuditHead, AuditValue, Resource, Role, UsedForm
from .orm import Base, Between, ChildFile, History, OnRecord, Private, SchoolOwned

READS, WRITES, PRIVATE = "app.reads", "app.writes", "app.private"
EVERYTHING = "*"
ALWAYS = "true"
PATIENCE = "30s"
"""As long as SQLite's writers wait."""
INSUFFICIENT_PRIVILEGE = "42501"
ADDED_TO_BY_ALL = (AuditEntry, AuditValue, AuditHead, UsedForm)
"""Everybody's transaction leaves rows here, and few read them."""
NEVER = {
    "audit_entry": "update, delete",
    "audit_value": "update",
    "audit_head": "insert, delete",
    "alembic_version": "insert, update, delete",
}
"""What the program may not do to a table, whoever is logged in: the log is only added to."""


@dataclass(frozen=True)
class Policy:
    """One command on one table, and the rows it may touch. The name holds a digest of the rule: other rule, other name."""

    table: str
    command: str
    using: str = ""
    check: str = ""

    @property
    def name(self) -> str:
        return f"{self.command}_{hashlib.sha256(f'{self.using}|{self.check}'.encode()).hexdigest()[:12]}"

    @property
    def ddl(self) -> str:
        using = f" using ({self.using})" if self.using else ""
        check = f" with check ({self.check})" if self.check else ""
        return f"create policy {self.name} on {self.table} for {self.command}{using}{check}"


# --- what the database is told ---


def tell(connection: Connection, scope: Scope, *, in_turn: int | None = None) -> None:
    """Say for the rest of this transaction whose it is: schools read, schools written, private resources read.

    :param in_turn: an account whose writing transactions follow each other (SQLite's all do), so that what looks first and
        then writes is not overtaken by its own second click.
    """
    schools = ",".join(str(each) for each in sorted(scope.school_ids))
    private = ",".join(each.value for each in Resource if scope.may(Action.READ, each))
    values = {
        READS: EVERYTHING if scope.reads_everywhere else schools,
        WRITES: EVERYTHING if scope.system or Role.OFFICE in scope.roles else schools,
        PRIVATE: EVERYTHING if scope.system else private,
    }
    if in_turn:
        values["lock_timeout"] = PATIENCE
    told = [func.set_config(name, value, True) for name, value in values.items()]
    connection.execute(select(*told, *([func.pg_advisory_xact_lock(in_turn)] if in_turn else [])))


def tell_on_begin(session: Session, _transaction: Any, connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        scope = scope_in(session)
        tell(connection, scope, in_turn=scope.user_id if session.info.get("writes") else None)


def refused(context: ExceptionContext) -> None:
    """What this wall turns away is refused like at the first one, in the same words and with the same answer."""
    if getattr(context.original_exception, "sqlstate", "") == INSUFFICIENT_PRIVILEGE:
        raise OutOfScope("the database refused it") from None


# --- the rules ---


def policies() -> list[Policy]:
    """The policies of every table that is not read by all, table by table."""
    return [policy for mapper in Base.registry.mappers for policy in sorted(_of(mapper.class_), key=lambda each: each.command)]


def _of(model: type[Base]) -> Iterator[Policy]:
    if issubclass(model, Private):
        yield from _private(model)
        return
    if not issubclass(model, SchoolOwned | ChildFile | OnRecord | History | Between):
        return
    table, reads, writes = model.__tablename__, _held(READS, "school_id"), _held(WRITES, "school_id")
    if issubclass(model, History):
        reads += " or child_id in (select id from child)"  # read through the child's own policy
    if issubclass(model, OnRecord):
        reads += " or table_name in ({})".format(", ".join(f"'{name}'" for name in sorted(READ_BY_ALL)))
    received = writes
    if issubclass(model, Between):
        reads += f" or {_held(READS, 'to_school_id')}"
        received += f" or {_held(WRITES, 'to_school_id')}"
    yield Policy(table, "select", using=reads)
    yield Policy(table, "insert", check=writes)
    yield Policy(table, "update", using=received, check=received)
    yield Policy(table, "delete", using=writes)


def _private(model: type[Base]) -> Iterator[Policy]:
    """Accounts and the log, whose head every transaction moves on."""
    table = model.__tablename__
    mine = f"{_everything(PRIVATE)} or '{model.RESOURCE.value}' = any ({_list(PRIVATE)}::text[])"
    log, head = model in ADDED_TO_BY_ALL, model is AuditHead
    yield Policy(table, "select", using=ALWAYS if head else mine)
    yield Policy(table, "insert", check=ALWAYS if log else mine)
    yield Policy(table, "update", using=ALWAYS if head else mine, check=ALWAYS if head else mine)
    yield Policy(table, "delete", using=_everything(PRIVATE) if log else mine)


def _held(setting: str, column: str) -> str:
    return f"{_everything(setting)} or {column} = any ({_list(setting)}::int[])"


def _everything(setting: str) -> str:
    return f"(select current_setting('{setting}', true)) = '{EVERYTHING}'"


def _list(setting: str) -> str:
    """A sub-query, so that it is worked out once a statement and not once a row."""
    return f"(select string_to_array(nullif(current_setting('{setting}', true), '{EVERYTHING}'), ','))"


# --- building and looking ---


def build(owner_url: str, program_url: str) -> None:
    """Bring the policies of the database to those of the models, and let the program's own account use the tables.

    Changes nothing that is right already, so every start may call it. SQLite has no second wall.

    :param owner_url: the account that owns the tables; ``program_url``: the one the program runs as, maybe the same.
    """
    engine = create_engine(owner_url, hide_parameters=True)
    try:
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                _rebuild(connection)
                program, owner = make_url(program_url).username, make_url(owner_url).username
                if program and program != owner:
                    _grant(connection, program)
    finally:
        engine.dispose()


def _rebuild(connection: Connection) -> None:
    wanted = {(each.table, each.name): each for each in policies()}
    there = standing(connection)
    for table, name in there - wanted.keys():
        connection.execute(text(f'drop policy "{name}" on "{table}"'))
    for table in sorted({each.table for each in wanted.values()} - _closed(connection)):
        connection.execute(text(f'alter table "{table}" enable row level security'))
    for key in wanted.keys() - there:
        connection.execute(text(wanted[key].ddl))


def standing(connection: Connection) -> set[tuple[str, str]]:
    """(table, name) of the policies that the database has."""
    found = text("select tablename, policyname from pg_policies where schemaname = current_schema()")
    return {(table, name) for table, name in connection.execute(found)}


def _closed(connection: Connection) -> set[str]:
    """The tables on which row-level security is on."""
    found = text("select relname from pg_class where relrowsecurity and relnamespace = current_schema()::regnamespace")
    return set(connection.scalars(found))


def _grant(connection: Connection, program: str) -> None:
    role = connection.dialect.identifier_preparer.quote(program)
    lacking = text(
        "select count(*) from pg_tables where schemaname = current_schema() and not has_table_privilege(:role, "
        "quote_ident(schemaname) || '.' || quote_ident(tablename), 'select')"
    )
    if not connection.scalar(lacking, {"role": program}):
        return
    schema = connection.scalar(text("select quote_ident(current_schema())"))
    connection.execute(text(f"grant usage on schema {schema} to {role}"))
    connection.execute(text(f"grant select, insert, update, delete on all tables in schema {schema} to {role}"))
    connection.execute(text(f"grant usage, select on all sequences in schema {schema} to {role}"))
    for table, commands in NEVER.items():
        connection.execute(text(f"revoke {commands} on {table} from {role}"))


def is_built(connection: Connection) -> bool:
    """Are the policies in this PostgreSQL database those of the models, on every table?"""
    wanted = {(each.table, each.name) for each in policies()}
    return standing(connection) == wanted and {table for table, _ in wanted} <= _closed(connection)


def holds(connection: Connection) -> bool:
    """Does it hold this connection's account, which then neither owns the tables nor may pass by?"""
    passes = text(
        "select rolsuper or rolbypassrls or exists (select from pg_tables where schemaname = current_schema() "
        "and pg_has_role(current_user, tableowner, 'member')) from pg_roles where rolname = current_user"
    )
    return not connection.scalar(passes)
