"""Who may see and change which rows: Scope, the role table, and the session hooks that hold them. The only place.

Reads: every ORM select passes ``_limit_rows``; anything else (Core tables, text(), bulk statements) is refused.
Writes: the old owner is checked before the flush, the new one after it. With no scope bound nothing is shown or saved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, NamedTuple

from sqlalchemy import event, inspect, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, class_mapper, with_loader_criteria

from . import labels, rules
from .models import (
    AuditEntry,
    AuditHead,
    AuditKey,
    AuditValue,
    Child,
    Day,
    Draft,
    LoginFailure,
    LoginSession,
    Notice,
    Resource,
    Role,
    School,
    SchoolKind,
    Transfer,
    TransferKind,
    TransferState,
    UsedForm,
    User,
)
from .orm import (
    Base,
    Between,
    ChildFile,
    Group,
    History,
    Kept,
    OnRecord,
    Part,
    Private,
    SchoolOwned,
    changed_rows,
    changes_of,
)

OpenSession = Callable[["Scope"], AbstractContextManager[Session]]


class Action(StrEnum):
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    EXPORT = "export"
    REVEAL = "reveal"
    """Show one full ID number or phone, with a reason, logged."""
    PUBLISH = "publish"
    """Move a round on: open, freeze, decide, show, circulate."""


R, C, U, D = Action.READ, Action.CREATE, Action.UPDATE, Action.DELETE
X, V, P = Action.EXPORT, Action.REVEAL, Action.PUBLISH

_NOT_A_SCHOOLS = (
    Resource.ACCOUNTS,
    Resource.AUDIT,
    Resource.RETENTION,
    Resource.APPROVALS,
    Resource.MATCHING,
    Resource.FULL_EXPORTS,
)
_NOT_A_LEADERS = (Resource.ACCOUNTS, Resource.AUDIT, Resource.COUNSELLING, Resource.INCIDENTS)
RIGHTS: dict[Role, dict[Resource, frozenset[Action]]] = {
    Role.ADMIN: {
        Resource.ACCOUNTS: frozenset({R, C, U}),
        Resource.SCHOOLS: frozenset({R}),
        Resource.AUDIT: frozenset({R}),
    },
    Role.OFFICE: {
        Resource.SCHOOLS: frozenset({R, C, U, X}),
        Resource.STAFF: frozenset({R, C, U, D, X}),
        Resource.REGISTER: frozenset({R, C, U, D, X, V}),
        Resource.CARE: frozenset({R, C, U, D, X}),
        Resource.INCIDENTS: frozenset({R, C, U}),
        Resource.WORK: frozenset({R, C, U, D, X}),
        Resource.NOTICES: frozenset({R, C, U, D, X}),
        Resource.RUBRIC: frozenset({R, C, U, D, X, P}),
        Resource.APPROVALS: frozenset({R}),
        Resource.SCORES: frozenset({R, C, U, D, X}),
        Resource.SELF: frozenset({R, X}),
        Resource.CONFIRMATIONS: frozenset({R}),
        Resource.MATCHING: frozenset({R, C, U, X}),
        Resource.FULL_EXPORTS: frozenset({R, C, U}),
        Resource.AUDIT: frozenset({R}),
        Resource.RETENTION: frozenset({R, U, D}),
    },
    Role.LEADER: {resource: frozenset({R, X}) for resource in Resource if resource not in _NOT_A_LEADERS}
    | {Resource.APPROVALS: frozenset({R, C})},
    Role.SECRETARY: {
        Resource.SCHOOLS: frozenset({R}),
        Resource.STAFF: frozenset({R, C, U, D, X}),
        Resource.REGISTER: frozenset({R, C, U, D, X, V}),
        Resource.CARE: frozenset({R, C, U, D, X}),
        Resource.COUNSELLING: frozenset({R}),
        Resource.INCIDENTS: frozenset({R, C, U}),
        Resource.WORK: frozenset({R, C, U, D, X}),
        Resource.NOTICES: frozenset({R}),
        Resource.RUBRIC: frozenset({R}),
        Resource.SCORES: frozenset({R, X}),
        Resource.SELF: frozenset({R, C, U, D, X}),
        Resource.CONFIRMATIONS: frozenset({R}),
        Resource.FULL_EXPORTS: frozenset({R, C, U}),
    },
    Role.PRINCIPAL: {resource: frozenset({R}) for resource in Resource if resource not in _NOT_A_SCHOOLS}
    | {
        Resource.INCIDENTS: frozenset({R, C, U}),
        Resource.CONFIRMATIONS: frozenset({R, C}),
        Resource.SCORES: frozenset({R, X}),
        Resource.SELF: frozenset({R, X}),
    },
    Role.COUNSELLOR: {
        Resource.SCHOOLS: frozenset({R}),
        Resource.REGISTER: frozenset({R}),
        Resource.CARE: frozenset({R, C, U}),
        Resource.COUNSELLING: frozenset({R, C, U, D}),
        Resource.NOTICES: frozenset({R}),
        Resource.RUBRIC: frozenset({R}),
    },
}
"""Role × resource × action. What is not here is refused."""

_COMMON = frozenset({Group.ROSTER, Group.CONTACT, Group.IDENTITY, Group.FAMILY})
SEES: dict[Role, frozenset[Group]] = {
    Role.ADMIN: frozenset({Group.ROSTER}),
    Role.OFFICE: _COMMON | {Group.INCIDENT},
    Role.LEADER: _COMMON,
    Role.SECRETARY: _COMMON | {Group.MIND, Group.INCIDENT},
    Role.PRINCIPAL: _COMMON | {Group.MIND, Group.COUNSELLING, Group.INCIDENT},
    Role.COUNSELLOR: frozenset({Group.ROSTER, Group.MIND, Group.COUNSELLING}),
}
"""Role × field group. G5 (what a child said) is read at the school that wrote it and nowhere else, the counsellor's notes
by the counsellor and the headteacher alone, incidents by the school and the office; sealed columns are masked for
everybody until revealed."""


def permissions() -> list[dict[str, str]]:
    """The two tables above, a row for each role and resource it may touch: role, resource, actions, and the role's field groups."""
    return [
        {
            "role": role.value,
            "resource": resource.value,
            "actions": " ".join(action.value for action in Action if action in rights),
            "groups": " ".join(group.value for group in Group if group in SEES[role]),
        }
        for role in Role
        for resource, rights in RIGHTS[role].items()
        if rights
    ]


def readers(resource: Resource, group: Group) -> list[Role]:
    """The roles that may read a column of this group in a table of this resource, each in the rows of its own scope."""
    return [role for role in Role if R in RIGHTS[role].get(resource, ()) and group in SEES[role]]


READ_BY_ALL = frozenset({Notice.__tablename__})
"""Shared tables whose records have files: who reads the record reads its files, whoever put them there."""
EVERYWHERE_READERS = frozenset({Role.OFFICE, Role.LEADER})
SCHOOL_ROLES = frozenset({Role.SECRETARY, Role.PRINCIPAL, Role.COUNSELLOR})


class Refused(Exception):
    """The actor has no right to do this."""


class OutOfScope(Refused):
    """The row belongs to a school the actor does not hold."""


class Unscoped(Exception):
    """A programming error: a statement the row filter cannot see."""


@dataclass(frozen=True)
class Scope:
    """What one actor may touch, for the life of a session."""

    user_id: int | None = None
    name: str = ""
    roles: frozenset[Role] = frozenset()
    school_ids: frozenset[int] = frozenset()
    system: bool = False
    address: str = ""
    erasing: bool = False
    """This session takes words away for good: past what locks frozen rows, and without old values in the log (see ``erasing``)."""
    request: str = ""
    """The number of the request, which an error page tells and the log keeps."""
    moving: int | None = None
    """The child whose transfer this session carries out, and no other (see ``moving``)."""
    signing: frozenset[Role] | None = None
    """The roles of whom this session acts for, where its rights are others (see ``on_behalf_of``)."""

    @property
    def signed(self) -> frozenset[Role]:
        """The roles that the log tells: those the actor really holds."""
        return self.roles if self.signing is None else self.signing

    @property
    def reads_everywhere(self) -> bool:
        return self.system or bool(self.roles & EVERYWHERE_READERS)

    @property
    def sees_trash(self) -> bool:
        return self.system or Role.OFFICE in self.roles

    def may(self, action: Action, resource: Resource) -> bool:
        return self.system or any(action in RIGHTS[role].get(resource, ()) for role in self.roles)

    def owns(self, school_id: int | None) -> bool:
        """May the actor change rows of this school?"""
        return self.system or Role.OFFICE in self.roles or school_id in self.school_ids

    def sees(self, group: Group, school_id: int | None) -> bool:
        """May the actor read fields of this group in a row of this school?"""
        if self.system:
            return True
        if group in (Group.MIND, Group.COUNSELLING) and school_id not in self.school_ids:
            return False
        if group is Group.INCIDENT and not self.owns(school_id):
            return False
        return any(group in SEES[role] for role in self.roles)

    def sees_some(self, group: Group) -> bool:
        """May the actor read fields of this group in any row at all?"""
        return self.sees(group, None) or any(self.sees(group, school_id) for school_id in self.school_ids)

    @cached_property
    def criteria(self) -> tuple[Any, ...]:
        """The row filter. Built once a scope: the lambdas' closures become bound parameters of one cached statement."""
        options = {"include_aliases": True, "propagate_to_loaders": False}
        if self.reads_everywhere:
            return ()
        mine = sorted(self.school_ids) or [-1]
        child = Child.__table__  # a Core select: no criteria inside criteria
        now_mine = select(child.c.id).where(child.c.school_id.in_(mine))
        return (
            *(with_loader_criteria(kind, lambda row: row.school_id.in_(mine), **options) for kind in (SchoolOwned, ChildFile)),
            with_loader_criteria(OnRecord, lambda row: or_(row.school_id.in_(mine), row.table_name.in_(READ_BY_ALL)), **options),
            with_loader_criteria(History, lambda row: or_(row.school_id.in_(mine), row.child_id.in_(now_mine)), **options),
            with_loader_criteria(Between, lambda row: or_(row.school_id.in_(mine), row.to_school_id.in_(mine)), **options),
        )


NOTHING = Scope()
SYSTEM = Scope(name="系统", system=True)

_ALIVE = with_loader_criteria(Kept, lambda row: row.deleted_at.is_(None), include_aliases=True, propagate_to_loaders=False)
_OWNED = (SchoolOwned, ChildFile, OnRecord, History, Between)


def scope_of(user: User, site_ids: frozenset[int], address: str = "", request: str = "") -> Scope:
    """The scope of an account. ``site_ids``: the sites of its school, when that is a centre school."""
    roles = frozenset(grant.role for grant in user.grants)
    held = frozenset({user.school_id} | site_ids) if user.school_id and roles & SCHOOL_ROLES else frozenset()
    return Scope(user.id, user.name, roles, held, address=address, request=request)


def on_behalf_of(actor: Scope, **rights: Any) -> Scope:
    """A scope with these rights and no others of the actor's; the log tells who the actor is, in which roles, from where and when."""
    return Scope(actor.user_id, actor.name, address=actor.address, request=actor.request, signing=actor.signed, **rights)


def bind(session: Session, scope: Scope) -> None:
    """Give a session its scope: its first act, once, so that nothing was loaded outside it."""
    if "scope" in session.info or session.identity_map.values() or session.in_transaction():
        raise Unscoped("a session is bound once, before its first statement")
    session.info["scope"] = scope


def scope_in(session: Session) -> Scope:
    return session.info.get("scope", NOTHING)


def shown(scope: Scope, model: type[Base], name: str, value: Any, school_id: int | None, *, revealed: bool = False) -> Any:
    """A value as this actor may see it: hidden by field group, masked when sealed.

    :param revealed: the page was asked for in full (and logs it); that helps only who may reveal rows of this school.
    """
    if value is None:
        return None
    if not scope.sees(labels.group(model, name), school_id):
        return rules.WITHHELD[0]
    if not scope.sees(getattr(value, "group", Group.ROSTER), school_id):  # one value of a list may be graver than the rest
        return rules.WITHHELD[1]
    in_full = revealed and scope.may(Action.REVEAL, model.RESOURCE) and scope.owns(school_id)
    return rules.mask(str(value)) if labels.is_sealed(model, name) and not in_full else value


# --- the session hooks ---


def guard(session_class: type[Session]) -> None:
    """Hold every session of this class to the scope bound to it."""
    event.listen(session_class, "do_orm_execute", _limit_rows, propagate=True)
    event.listen(session_class, "before_flush", _check_before, propagate=True)
    event.listen(session_class, "after_flush", _check_after, propagate=True)


def _limit_rows(state: ORMExecuteState) -> None:
    scope = scope_in(state.session)
    if not state.is_select or not state.is_orm_statement:
        raise Unscoped("only ORM selects pass the row filter")
    if state.is_column_load:  # a row this session already holds is refreshed
        return
    if not scope.system:
        _refuse_private(state, scope)
    options = scope.criteria
    if not (scope.sees_trash and state.execution_options.get("include_deleted")):
        options = (*options, _ALIVE)
    state.statement = state.statement.options(*options)


def _refuse_private(state: ORMExecuteState, scope: Scope) -> None:
    for mapper in state.all_mappers:
        if issubclass(mapper.class_, Private) and not scope.may(Action.READ, mapper.class_.RESOURCE):
            raise Refused(f"no right to read {mapper.class_.__tablename__}")


def _check_before(session: Session, _context: Any, _instances: Any) -> None:
    scope = scope_in(session)
    if session.info.get("reading"):
        raise Unscoped("a request that only looks saves nothing")
    for row in session.new:
        _refuse_unless(scope.may(Action.CREATE, resource_of(row)))
    for row in (*changed_rows(session), *session.deleted):
        _refuse_unless(scope.may(_action_on(session, row), resource_of(row)))
        if isinstance(row, Between):
            _between(scope, row)
        elif isinstance(row, _OWNED):
            history = inspect(row).attrs.school_id.history
            _own(scope, *(history.deleted or history.unchanged))
        if isinstance(row, Child):
            _only_by_transfer(scope, row)
        _no_blind_change(scope, row)


def resource_of(row: Base) -> Resource:
    """Which right a row takes: its table's, but for the few whose own words decide (a step of a sheet)."""
    column, by = getattr(row, "RESOURCES", ("", {}))
    return by.get(getattr(row, column), row.RESOURCE) if column else row.RESOURCE


def needed(model: type[Base], action: Action) -> Action:
    """The right that making, changing or taking away a row asks for: who changes a record adds and takes its parts."""
    return Action.UPDATE if issubclass(model, Part) and action is Action.DELETE else action


def _action_on(session: Session, row: Base) -> Action:
    if row in session.deleted:
        return needed(type(row), Action.DELETE)
    trashed = isinstance(row, Kept) and inspect(row).attrs.deleted_at.history.has_changes()
    if trashed and row.deleted_at is None:
        return Action.READ  # back from the trash, which only the office sees: also what a school alone may write
    return Action.DELETE if trashed else Action.UPDATE


def _no_blind_change(scope: Scope, row: Base) -> None:
    """What an actor may not read in a row that stands, the actor does not overwrite either (field groups)."""
    changes = changes_of(row)
    for name, group in _grouped(type(row)).items():
        if name in changes and not scope.sees(group, getattr(row, "school_id", None)):
            raise OutOfScope("a field that the actor may not read")


@cache
def _grouped(model: type[Base]) -> dict[str, Group]:
    """The columns of a table that not every reader of its rows may read."""
    groups = {attr.key: labels.group(model, attr.key) for attr in class_mapper(model).column_attrs}
    return {name: group for name, group in groups.items() if group is not Group.ROSTER}


def _only_by_transfer(scope: Scope, child: Child) -> None:
    moved = inspect(child).attrs.school_id.history.deleted
    if moved and scope.moving != child.id:
        raise OutOfScope("a child changes school only by a transfer")


def _check_after(session: Session, _context: Any) -> None:
    scope = scope_in(session)
    for row in (*session.new, *session.dirty):
        if isinstance(row, Between):
            _between(scope, row)
        elif isinstance(row, _OWNED):
            _own(scope, row.school_id)


def _between(scope: Scope, row: Any) -> None:
    """The sender writes; the receiver may only send a pending one back. Neither end of a transfer ever changes."""
    ends = [inspect(row).attrs[name].history for name in ("school_id", "to_school_id", "child_id")]
    if any(history.deleted and history.deleted[0] is not None and history.added for history in ends):
        raise OutOfScope("the ends of a transfer do not change")
    if scope.owns(row.school_id):
        return
    state = inspect(row).attrs.state.history
    waited = bool(state.deleted) and state.deleted[0] in (TransferState.PENDING, TransferState.REQUESTED)
    if not (scope.owns(row.to_school_id) and row.state is TransferState.RETURNED and waited):
        raise OutOfScope("a transfer of another school")


def tells_sender(scope: Scope, transfer: Transfer) -> bool:
    """May the actor read where a child is? The school that asks for it may not before the other has let it go."""
    released = transfer.state in (TransferState.PENDING, TransferState.ACCEPTED)
    return released or scope.reads_everywhere or scope.owns(transfer.school_id)


def _own(scope: Scope, *school_ids: int | None) -> None:
    if not all(scope.owns(school_id) for school_id in school_ids):
        raise OutOfScope("a row of another school")


def _refuse_unless(allowed: bool) -> None:
    if not allowed:
        raise Refused("no right to do this")


UNLOGGED = (AuditEntry, AuditValue, AuditHead, AuditKey, LoginSession, LoginFailure, Day, Draft, UsedForm)
"""Tables whose changes leave no audit entry: the log itself, and rows no person writes."""

# --- the four exceptions, and there are no others ---


@contextmanager
def moving(open_session: OpenSession, actor: Scope, transfer_id: int) -> Iterator[tuple[Session, Transfer]]:
    """A session of its own that holds both schools and moves exactly this child.

    :raises OutOfScope: when the transfer is not pending, or not addressed to a school the actor holds.
    """
    with open_session(actor) as own:
        transfer = own.get(Transfer, transfer_id)
        if transfer is None or transfer.state is not TransferState.PENDING or not _may_take(own, actor, transfer):
            raise OutOfScope("no pending transfer to a school of the actor")
        _refuse_unless(actor.may(Action.UPDATE, Resource.REGISTER))
        both = frozenset({transfer.school_id, transfer.to_school_id})
        child_id = transfer.child_id
    elevated = on_behalf_of(actor, roles=frozenset({Role.SECRETARY}), school_ids=both, moving=child_id)
    with open_session(elevated) as session:
        # asked again inside the transaction that moves: it may have been answered, or the child have gone, in between
        transfer, child = session.get(Transfer, transfer_id, with_for_update=True), session.get(Child, child_id)
        if (
            transfer is None
            or transfer.state is not TransferState.PENDING
            or child is None
            or child.school_id != transfer.school_id
        ):
            raise OutOfScope("no pending transfer of a child that is there")
        yield session, transfer


def _may_take(session: Session, actor: Scope, transfer: Transfer) -> bool:
    """The receiving school; out of the county there is none, so the sending school sees the child off itself."""
    if session.get_one(School, transfer.to_school_id).kind is SchoolKind.OUTSIDE:
        return actor.owns(transfer.school_id)
    return actor.owns(transfer.to_school_id)


@contextmanager
def erasing(open_session: OpenSession, actor: Scope) -> Iterator[Session]:
    """A session that reaches every table to take a person's words out of it, and commits as ``open_session`` does.

    :raises Refused: for who may not erase.
    """
    _refuse_unless(actor.may(Action.DELETE, Resource.RETENTION))
    with open_session(on_behalf_of(actor, system=True, erasing=True)) as session:
        yield session


def requesting(open_session: OpenSession, actor: Scope, number: str, name: str, birth: dt.date, to_school_id: int) -> bool:
    """Leave a request for a child at another school, known by number, name and birth date alike. Nothing is told but whether.

    Only the school that holds the child (the office, for one who left the county) can turn the request into an offer.
    """
    _refuse_unless(actor.may(Action.CREATE, Resource.REGISTER) and actor.owns(to_school_id))
    with open_session(SYSTEM) as session:
        child = session.scalar(select(Child).where(Child.id_number_key == number))
        if child is None or (child.name, child.birth_date) != (name, birth) or child.school_id == to_school_id:
            return False
        waiting = select(Transfer.id).where(
            Transfer.child_id == child.id, Transfer.state.in_((TransferState.PENDING, TransferState.REQUESTED))
        )
        if session.scalar(waiting.limit(1)) is not None:
            return False
        here, child_id, child_name = child.school_id, child.id, child.name
    both = frozenset({here, to_school_id})
    elevated = on_behalf_of(actor, roles=frozenset({Role.SECRETARY}), school_ids=both)
    with open_session(elevated) as session:
        session.add(
            Transfer(
                school_id=here,
                to_school_id=to_school_id,
                child_id=child_id,
                child_name=child_name,
                kind=TransferKind.MOVE,  # one who left the county comes back when it is released: not told before
                proposed_on=dt.date.today(),
                state=TransferState.REQUESTED,
            )
        )
    return True


Person = tuple[str, str, dt.date | None]
"""ID number, name, birth date: as somebody typed them."""


class Elsewhere(StrEnum):
    """What may be told about a child that the actor cannot see."""

    SAME_PERSON = "该儿童已在县内登记，可申请转入。"
    CLASH = rules.WRONG_CHECK_DIGIT
    """The very sentence of a number that fails its checks. Who works out check digits learns that it is taken: each try is
    counted and noted (``views.gate.ask_elsewhere``), and the office sees by the log whose number it was."""


class Found(NamedTuple):
    """What may be told about somebody; the child and its school are for the log, which the office reads."""

    answer: Elsewhere
    child_id: int
    school_id: int


def known_elsewhere(open_session: OpenSession, actor: Scope, people: list[Person]) -> dict[Person, Found]:
    """Which of these people are registered at a school outside the actor's scope?

    Returns only those there is something to say about: of two with one number each its own.
    """
    told: dict[Person, Found] = {}
    with open_session(SYSTEM) as session:
        for at in range(0, len(people), 400):
            part = people[at : at + 400]
            registered = session.scalars(select(Child).where(Child.id_number_key.in_({number for number, *_rest in part})))
            strangers = {child.id_number: child for child in registered if not actor.owns(child.school_id)}
            for person in part:
                if (found := strangers.get(person[0])) is not None:
                    same = (found.name, found.birth_date) == person[1:]
                    told[person] = Found(Elsewhere.SAME_PERSON if same else Elsewhere.CLASH, found.id, found.school_id)
    return told
