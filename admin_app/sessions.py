"""The browsers that are logged in: kept on the server, so that each can be seen and ended (ASVS 7.4)."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from flask import current_app, session as cookie
from flask_login import UserMixin
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from . import access, audit, tries
from .access import SCHOOL_ROLES, SYSTEM, Action, Scope
from .db import session_with, writing
from .incoming import address
from .models import LoginSession, Resource, Role, User
from .orm import utcnow

CLOCK_SLACK = dt.timedelta(minutes=1)
"""By so much a clock may be set back unnoticed; more, and no server starts (selfcheck.py). Sessions from further in the future have ended: they would last the longer."""


@dataclass
class Actor(UserMixin):
    """Who is logged in, as the request sees it."""

    token: str
    user_id: int
    username: str
    name: str
    scope: Scope
    locale: str
    must_change: bool
    must_enrol: bool
    """One of the roles takes one-time codes, and none are set up yet."""
    has_codes: bool
    confirmed_at: dt.datetime | None
    school_name: str

    def get_id(self) -> str:
        return self.token

    @property
    def roles(self) -> list[Role]:
        return [role for role in Role if role in self.scope.roles]


def start(session: Session, user: User, token: str) -> int:
    """A browser is let in under this token; of too many, those longest unused give way. How many did?"""
    now = utcnow()
    gone = _make_room(session, user, now)
    session.add(LoginSession(token_hash=hash_of(token), user_id=user.id, address=address(), confirmed_at=now))
    return gone


def _make_room(session: Session, user: User, now: dt.datetime) -> int:
    """End the sessions of an account until one more may begin (ASVS 7.1.2). How many ended?"""
    of_school = all(grant.role in SCHOOL_ROLES for grant in user.grants)
    most = current_app.config["MOST_SESSIONS"]["school" if of_school else "bureau"]
    own = select(LoginSession).where(LoginSession.user_id == user.id, *_still_open(now))
    gone = session.scalars(own.order_by(LoginSession.seen_at.desc(), LoginSession.id.desc()).offset(most - 1)).all()
    for held in gone:
        held.ended_at, held.gave_way = now, True
    return len(gone)


def open_under(session: Session, token: str) -> LoginSession | None:
    """The session that this token opens now."""
    return session.scalar(select(LoginSession).where(LoginSession.token_hash == hash_of(token), *_still_open(utcnow())))


def held_under(session: Session, token: str) -> LoginSession | None:
    """The session this token was given for, open or not."""
    return session.scalar(select(LoginSession).where(LoginSession.token_hash == hash_of(token)))


def _still_open(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """Of a session: it was not ended, is not idle, not older than a day's work (ASVS 7.3.1, 7.3.2), and not of the future."""
    return (
        LoginSession.ended_at.is_(None),
        LoginSession.seen_at.between(now - current_app.config["IDLE"], now + CLOCK_SLACK),
        LoginSession.started_at.between(now - current_app.config["LONGEST"], now + CLOCK_SLACK),
    )


def ended_elsewhere() -> bool:
    """Did this browser's session give way to a login somewhere else, lately?"""
    token = cookie.get("_user_id")
    if not isinstance(token, str):
        return False
    lately = utcnow() - current_app.config["LONGEST"]
    gone = select(LoginSession.id).where(
        LoginSession.token_hash == hash_of(token), LoginSession.gave_way, LoginSession.ended_at > lately
    )
    with session_with(SYSTEM) as session:
        return session.scalar(gone) is not None


@dataclass(frozen=True)
class Before:
    """The login before this one, and how many tries with this account were refused since."""

    at: dt.datetime
    address: str
    refused: int


def login_before(actor: Actor) -> Before | None:
    """What lets somebody notice a stranger (ASVS 6.3.5); None at the first login."""
    others = select(LoginSession).where(LoginSession.user_id == actor.user_id, LoginSession.token_hash != hash_of(actor.token))
    with session_with(SYSTEM) as session:
        last = session.scalar(others.order_by(LoginSession.id.desc()).limit(1))
        if last is None:
            return None
        return Before(last.started_at, last.address, tries.refused_since(session, actor.username, last.started_at))


@dataclass(frozen=True)
class Held:
    """A browser that is logged in: whose, from where, since when, and whether it is the one that asks."""

    id: int
    user_id: int
    user: str
    address: str
    started_at: dt.datetime
    seen_at: dt.datetime
    mine: bool


def listed(actor: Actor, *, everybody: bool) -> list[Held]:
    """Who is logged in, the last seen first: the actor's own browsers, or everybody's for the administrator."""
    open_ = (
        select(LoginSession, User.name, User.username)
        .join(User, User.id == LoginSession.user_id)
        .where(*_still_open(utcnow()))
        .order_by(LoginSession.seen_at.desc())
    )
    if not everybody:
        open_ = open_.where(LoginSession.user_id == actor.user_id)
    with session_with(SYSTEM) as session:
        return [
            Held(
                held.id,
                held.user_id,
                f"{name}（{username}）",
                held.address,
                held.started_at,
                held.seen_at,
                held.token_hash == hash_of(actor.token),
            )
            for held, name, username in session.execute(open_)
        ]


def end(actor: Actor, session_id: int | None, *, everybody: bool) -> bool:
    """Put one browser out: one's own, or anybody's for the administrator. Was there one?"""
    found = next((held for held in listed(actor, everybody=everybody) if held.id == session_id), None)
    if found is None:
        return False
    with writing(access.on_behalf_of(actor.scope, system=True)) as session:
        session.get_one(LoginSession, found.id).ended_at = utcnow()
        audit.note(
            session, "logout", "user_account", found.user_id, None, 由="本人" if found.user_id == actor.user_id else "管理员"
        )
    return True


def end_all(session: Session, user_id: int, but: str = "") -> None:
    """Put an account out everywhere at once (disabled, other roles, another password). ``but``: a token that stays."""
    for held in session.scalars(select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))):
        if held.token_hash != hash_of(but):
            held.ended_at = utcnow()


def was_logged_in(session: Session, token: str) -> int | None:
    """Whose session this was: one that ran out by itself or gave way, of an account that is open and may write something."""
    unasked = or_(LoginSession.ended_at.is_(None), LoginSession.gave_way)
    held = session.scalar(select(LoginSession).where(LoginSession.token_hash == hash_of(token), unasked))
    user = session.get(User, held.user_id) if held else None
    if user is None or not user.active:
        return None
    scope = access.scope_of(user, frozenset())
    may_write = any(
        scope.may(action, resource)
        for action in (Action.CREATE, Action.UPDATE)
        for resource in Resource
        if resource is not Resource.APPROVALS
    )
    return user.id if may_write else None


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
