"""The second wall: PostgreSQL's row-level security, the rules of access.py once more, written from the models.

Which rows: by the kind of ownership of a table. Which acts: by its resource in the role table, for tables that all read too.
It holds where the first wall fails: a forgotten filter, a statement past the ORM, SQL smuggled in. Each transaction tells
the database whose it is (``tell``); a connection that tells nothing sees no row. The owner of the tables passes all of it
(migrations and dumps need that), so it is a wall only for a program that logs in as somebody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, ExceptionContext, bindparam, create_engine, func, make_url, select, text
from sqlalchemy.orm import Session

from .access import READ_BY_ALL, Action, OutOfScope, Scope, needed, scope_in
from .models import AuditEntry, AuditHead, AuditValue, Resource, Role, UsedForm
from .orm import Base, Between, History, Kept, OnRecord, Private, Shared
from .settings import PATIENCE

READS, WRITES, ACTS = "app.reads", "app.writes", "app.acts"
EVERYTHING = "*"
ALWAYS = "true"
TOLD = (Action.READ, Action.CREATE, Action.UPDATE, Action.DELETE)
"""The acts that are statements on a table; the others are acts on a page."""
BACK = "restore"
"""One more, which only who sees the trash has: taking a row out of it."""
INSUFFICIENT_PRIVILEGE = "42501"
ADDED_TO_BY_ALL = (AuditEntry, AuditValue, AuditHead, UsedForm)
"""Everybody's transaction leaves rows here, and few read them."""
EVERYDAY = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
"""What the program does to tables; emptying one at a stroke, which no policy is asked about, is not among it."""
NEVER = {
    "audit_entry": frozenset({"UPDATE", "DELETE"}),
    "audit_value": frozenset({"UPDATE"}),
    "audit_head": frozenset({"INSERT", "DELETE"}),
    "audit_key": frozenset({"INSERT", "UPDATE", "DELETE"}),
    "alembic_version": frozenset({"INSERT", "UPDATE", "DELETE"}),
}
"""What the program may not do to a table, whoever is logged in: the log is only added to, its keys change with the field key."""


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
    """Say for the rest of this transaction whose it is: schools read, schools written, and the acts that the roles allow.

    :param in_turn: an account whose writing transactions follow each other (SQLite's all do), so that what looks first and
        then writes is not overtaken by its own second click.
    """
    schools = ",".join(str(each) for each in sorted(scope.school_ids))
    values = {
        "reads": EVERYTHING if scope.reads_everywhere else schools,
        "writes": EVERYTHING if scope.system or Role.OFFICE in scope.roles else schools,
        "acts": EVERYTHING if scope.system else _acts(scope.roles),
    }
    connection.execute(_IN_TURN if in_turn else _TELLING, values | ({"turn": in_turn} if in_turn else {}))


_TOLD = [func.set_config(name, bindparam(name.removeprefix("app.")), True) for name in (READS, WRITES, ACTS)]
_TELLING = select(*_TOLD)
_IN_TURN = select(*_TOLD, func.set_config("lock_timeout", f"{PATIENCE}s", True), func.pg_advisory_xact_lock(bindparam("turn")))
"""Made once: every transaction begins with one of them."""


@cache
def _acts(roles: frozenset[Role]) -> str:
    """``resource:act`` for everything that the role table lets somebody in these roles do to rows."""
    scope = Scope(roles=roles)
    found = [f"{resource.value}:{action.value}" for resource in Resource for action in TOLD if scope.may(action, resource)]
    if scope.sees_trash:
        found += [f"{resource.value}:{BACK}" for resource in Resource if scope.may(Action.READ, resource)]
    return ",".join(found)


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
    """The policies of every table, table by table."""
    return [policy for mapper in Base.registry.mappers for policy in sorted(_of(mapper.class_), key=lambda each: each.command)]


def _of(model: type[Base]) -> Iterator[Policy]:
    table, (read, written, answered) = model.__tablename__, _rows(model)
    new, old = _changing(model)
    yield Policy(table, "select", using=read)
    yield Policy(table, "insert", check=_both(written, _may(model, needed(model, Action.CREATE))))
    yield Policy(table, "update", using=_both(answered, old), check=_both(answered, new))
    yield Policy(table, "delete", using=_both(written, _may(model, needed(model, Action.DELETE))))


def _rows(model: type[Base]) -> tuple[str, str, str]:
    """Which rows of a table are read, which are written, and which may be changed though they are another school's."""
    if issubclass(model, Private):  # nobody sees accounts but the administrator; the head of the log everybody moves on
        return ALWAYS if model is AuditHead else _may(model, Action.READ), ALWAYS, ALWAYS
    if issubclass(model, Shared):
        return ALWAYS, ALWAYS, ALWAYS
    reads, writes = _held(READS, "school_id"), _held(WRITES, "school_id")
    if issubclass(model, History):
        reads += " or child_id in (select id from child)"  # read through the child's own policy
    if issubclass(model, OnRecord):
        reads += " or table_name in ({})".format(", ".join(f"'{name}'" for name in sorted(READ_BY_ALL)))
    if issubclass(model, Between):
        return f"{reads} or {_held(READS, 'to_school_id')}", writes, f"{writes} or {_held(WRITES, 'to_school_id')}"
    return reads, writes, writes


def _changing(model: type[Base]) -> tuple[str, str]:
    """What an update asks of the new row and of the old one: of a kept record, going to the trash and coming back are updates."""
    if not issubclass(model, Kept):
        both = _may(model, Action.UPDATE)
        return both, both
    changed, back = _may(model, Action.UPDATE, Action.DELETE), _may(model, BACK)
    return f"{changed} or {back}", f"{changed} or (deleted_at is not null and {back})"


def _may(model: type[Base], *acts: str) -> str:
    """One of these acts is among those that the transaction was told of."""
    if (model in ADDED_TO_BY_ALL and acts == (Action.CREATE,)) or (model is AuditHead and acts == (Action.UPDATE,)):
        return ALWAYS
    asked = ", ".join(_right(model, act) for act in acts)
    return f"({_everything(ACTS)} or array[{asked}] && {_list(ACTS)}::text[])"


def _right(model: type[Base], act: str) -> str:
    """``resource:act``, the resource found like ``access.resource_of`` finds it."""
    column, by = getattr(model, "RESOURCES", ("", {}))
    if not by:
        return f"'{model.RESOURCE.value}:{act}'"
    cases = " ".join(f"when '{value.value}' then '{resource.value}'" for value, resource in by.items())
    return f"case {column} {cases} else '{model.RESOURCE.value}' end || ':{act}'"


def _both(*rules: str) -> str:
    asked = [rule for rule in rules if rule != ALWAYS]
    return " and ".join(f"({rule})" for rule in asked) if len(asked) > 1 else (*asked, ALWAYS)[0]


def _held(setting: str, column: str) -> str:
    return f"{_everything(setting)} or {column} = any ({_list(setting)}::int[])"


def _everything(setting: str) -> str:
    return f"(select current_setting('{setting}', true)) = '{EVERYTHING}'"


def _list(setting: str) -> str:
    """A sub-query, so that it is worked out once a statement and not once a row."""
    return f"(select string_to_array(nullif(current_setting('{setting}', true), '{EVERYTHING}'), ','))"


# --- building and looking ---


def build(owner_url: str, program_url: str) -> None:
    """Bring the policies of the database to those of the models, and the rights of the program's own account to what it needs.

    Changes nothing that is right already, so every start may call it. SQLite has no second wall.

    :param owner_url: the account that owns the tables; ``program_url``: the one the program runs as, maybe the same.
    """
    engine = create_engine(owner_url, hide_parameters=True)
    try:
        if engine.dialect.name == "postgresql":
            program, owner = make_url(program_url).username, make_url(owner_url).username
            with engine.begin() as connection:
                bring(connection, program if program != owner else None)
    finally:
        engine.dispose()


def bring(connection: Connection, program: str | None) -> None:
    """``build`` in a transaction of the owner's. ``program``: the other account, if there is one."""
    _rebuild(connection)
    if program:
        _grant(connection, program)


def _rebuild(connection: Connection) -> None:
    wanted = {(each.table, each.name): each for each in policies()}
    there = standing(connection)
    for table, name in there - wanted.keys():
        connection.execute(text(f'drop policy "{name}" on "{table}"'))
    for table in sorted({each.table for each in wanted.values()} - _closed(connection)):
        connection.execute(text(f'alter table "{table}" enable row level security'))
    for key in wanted.keys() - there:
        connection.exec_driver_sql(wanted[key].ddl)


def standing(connection: Connection) -> set[tuple[str, str]]:
    """(table, name) of the policies that the database has."""
    found = text("select tablename, policyname from pg_policies where schemaname = current_schema()")
    return {(table, name) for table, name in connection.execute(found)}


def _closed(connection: Connection) -> set[str]:
    """The tables on which row-level security is on."""
    found = text("select relname from pg_class where relrowsecurity and relnamespace = current_schema()::regnamespace")
    return set(connection.scalars(found))


def _grant(connection: Connection, program: str) -> None:
    """Give the program's account what it lacks, and take from it, and from everybody, what it shall not have."""
    role = connection.dialect.identifier_preparer.quote(program)
    schema = connection.scalar(text("select quote_ident(current_schema())"))
    there = granted(connection, program)
    wanted = {("", table, each) for table in _tables(connection) for each in EVERYDAY - NEVER.get(table, frozenset())}
    for everybody, table, each in sorted(there - wanted):
        connection.exec_driver_sql(f'revoke {each} on "{table}" from {everybody or role}')
    lacking = sorted(wanted - there)
    for _, table, each in lacking:
        connection.exec_driver_sql(f'grant {each} on "{table}" to {role}')
    if lacking:  # a new account, or new tables
        connection.exec_driver_sql(f"grant usage on schema {schema} to {role}")
        connection.exec_driver_sql(f"grant usage, select on all sequences in schema {schema} to {role}")


def granted(connection: Connection, program: str) -> set[tuple[str, str, str]]:
    """(``public`` where it is everybody's, table, right) of all that this account may do to the tables."""
    found = text(
        "select case each.grantee when 0 then 'public' else '' end, relname, privilege_type "
        "from pg_class, aclexplode(relacl) each where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace "
        "and (each.grantee = 0 or each.grantee = (select oid from pg_roles where rolname = :program))"
    )
    return {tuple(row) for row in connection.execute(found, {"program": program})}


def _tables(connection: Connection) -> list[str]:
    return list(connection.scalars(text("select tablename from pg_tables where schemaname = current_schema()")))


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
