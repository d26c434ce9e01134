"""Login, throttling, one-time codes and session records; binds the actor's scope to the request's session. Closed by default."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, Response, current_app, flash, g, redirect, request, session as cookie, url_for
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import validate_csrf
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import SecurityError
from wtforms.validators import ValidationError

from . import access, audit, once, one_time_codes, passwords
from .access import NOTHING, SCHOOL_ROLES, SYSTEM, Action, Scope
from .db import db, session_with, writing
from .models import AuditHead, Draft, Grant, LoginFailure, LoginSession, Resource, Role, School, User
from .orm import keyring, utcnow
from .passwords import MAX_PASSWORD
from .rules import Complaint
from .settings import Settings, Unusable

OPEN_ENDPOINTS = {"sign_in.login", "sign_in.code", "static", "admin.static", "status.healthz", "status.readyz"}
"""What answers without login. Everything else redirects to it."""
BEFORE_CHANGING = {"sign_in.password", "sign_in.logout"}
BEFORE_ENROLLING = BEFORE_CHANGING | {"sign_in.one_time_code", "sign_in.language"}

MAX_FAILURES, MAX_FAILURES_OF_ADDRESS, LOCKED_FOR = 5, 50, dt.timedelta(minutes=15)
LOCKED = "尝试次数过多，请 15 分钟后再试，或请管理员解除锁定。"
UNUSED_FOR = dt.timedelta(days=90)
"""An account that nobody logged in with for so long is closed, until the administrator resets its password."""
FIRST_PASSWORD_LASTS = dt.timedelta(hours=72)
CLOCK_SLACK = dt.timedelta(minutes=1)
"""By so much a clock may be set back unnoticed. Sessions from further in the future have ended: they would last the longer."""
HALF_IN_FOR = dt.timedelta(minutes=5)
"""So long a right password waits for its one-time code."""
CONFIRMED_FOR = dt.timedelta(minutes=10)
"""So long a password given in a browser stands for the acts that ask for it again (ASVS 7.5.3)."""
DRAFT_LASTS, LARGEST_DRAFT, MOST_DRAFTS = dt.timedelta(hours=24), 200 * 1024, 5
KEPT = "您填写的内容已保存在服务器，重新登录后可继续。"
DRAFT_KEPT = f"登录已过期，{KEPT}"
ELSEWHERE = "您的账号已在别处登录，这里已退出。"
PASSWORD_FIELDS = {"password", "confirm_password"}
"""Never kept with what somebody typed."""

_hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=2)
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""Verified when the account does not exist, so that the answer takes as long."""


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


def init(app: Flask, settings: Settings) -> None:
    manager = LoginManager(app)
    manager.user_loader(_load)
    app.config["IDLE"] = dt.timedelta(minutes=settings.idle_minutes)
    app.config["LONGEST"] = dt.timedelta(hours=settings.session_hours)
    app.config["CONFIRMED_FOR"] = CONFIRMED_FOR
    app.config["THROTTLE"] = settings.rate_limits
    app.config["MOST_SESSIONS"] = {"school": settings.school_sessions, "bureau": settings.bureau_sessions}
    app.config["REQUIRE_TOTP"] = _roles(settings.require_totp)
    app.before_request(_enter)


def _roles(codes: tuple[str, ...]) -> frozenset[Role]:
    """:raises Unusable: for a word that is no role."""
    try:
        return frozenset(map(Role, codes))
    except ValueError:
        raise Unusable(f"REQUIRE_TOTP 只能写 {'、'.join(role.value for role in Role)}，用逗号分开") from None


def _enter() -> Response | None:
    """Load the actor in a session of its own, then bind the request's session: its first act."""
    if isinstance(request.routing_exception, SecurityError):  # a host name that is not ours
        raise request.routing_exception
    if request.endpoint in OPEN_ENDPOINTS:
        access.bind(db.session(), NOTHING)
        return None
    if not current_user.is_authenticated:
        if request.method == "POST" and keep_draft():
            flash(KEPT if ended_elsewhere() else DRAFT_KEPT, "draft")
        return redirect(url_for("sign_in.login"))
    if current_user.must_change and request.endpoint not in BEFORE_CHANGING:
        return redirect(url_for("sign_in.password"))
    if current_user.must_enrol and not current_user.must_change and request.endpoint not in BEFORE_ENROLLING:
        return redirect(url_for("sign_in.one_time_code"))
    session = db.session()
    access.bind(session, current_user.scope)
    session.info["writes"] = request.method not in ("GET", "HEAD", "OPTIONS")
    return None


def ask_no_more() -> None:
    """The page about a database that does not answer must not ask it who is looking."""
    if "_login_user" not in g:
        g._login_user = AnonymousUserMixin()


def _load(token: str) -> Actor | None:
    with session_with(SYSTEM) as session:
        now = utcnow()
        held = session.scalar(select(LoginSession).where(LoginSession.token_hash == _hash(token), *_still_open(now)))
        user = session.get(User, held.user_id) if held else None
        if held is None or user is None or not user.active:
            return None
        actor = _actor(session, user, token, held.confirmed_at)
        stale = now - held.seen_at > dt.timedelta(minutes=1)
        held_id = held.id
    if stale:
        _see(held_id, now)
    return actor


def _see(session_id: int, now: dt.datetime) -> None:
    """Note that somebody is still there. Where nothing can be written (a full disk) reading goes on; the session ends the sooner."""
    try:
        with writing(SYSTEM) as session:
            session.get_one(LoginSession, session_id).seen_at = now
    except OperationalError as e:
        current_app.logger.warning("a session was not prolonged: %s", type(e.orig).__name__)


def _still_open(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """Of a session: it was not ended, is not idle, not older than a day's work (ASVS 7.3.1, 7.3.2), and not of the future."""
    return (
        LoginSession.ended_at.is_(None),
        LoginSession.seen_at.between(now - current_app.config["IDLE"], now + CLOCK_SLACK),
        LoginSession.started_at.between(now - current_app.config["LONGEST"], now + CLOCK_SLACK),
    )


def _actor(session: Session, user: User, token: str, confirmed_at: dt.datetime | None) -> Actor:
    sites = session.scalars(select(School.id).where(School.centre_id == user.school_id)) if user.school_id else ()
    school = session.get(School, user.school_id) if user.school_id else None
    scope = access.scope_of(user, frozenset(sites), address(), request_number())
    return Actor(
        token=token,
        user_id=user.id,
        username=user.username,
        name=user.name,
        scope=scope,
        locale=user.locale,
        must_change=user.must_change,
        must_enrol=user.otp_secret is None and bool(scope.roles & current_app.config["REQUIRE_TOTP"]),
        has_codes=user.otp_secret is not None,
        confirmed_at=confirmed_at,
        school_name=school.name if school else "",
    )


def address() -> str:
    return request.remote_addr or "" if request else ""


def request_number() -> str:
    """The number of this request: on its error page and in every entry of the log that it leaves (ASVS 16.2.1)."""
    if not request:
        return ""
    if "number" not in g:
        g.number = f"{secrets.randbelow(10**8):08}"
    return str(g.number)


# --- logging in and out ---


def log_in(username: str, password: str) -> bool:
    """Check the password and start a session. Is the actor in? Otherwise the one-time code is waited for (``give_code``).

    :raises Complaint: with one sentence for an unknown account, a wrong password, a locked or a disabled account.
    """
    tried = _try(username)
    with session_with(SYSTEM) as session:
        user = session.scalar(select(User).where(User.username == username))
        stored = user.password_hash if user else _NOBODY
        user_id = user.id if user and user.active and _shut(user) is None else None
        asks_code = user is not None and user.otp_secret is not None
    if len(password) > MAX_PASSWORD or not _verify(stored, password) or user_id is None:
        raise _refused(tried, "账号或密码不对")
    with writing(SYSTEM) as session:
        _take_back(session, tried)
        if _hasher.check_needs_rehash(stored):
            session.get_one(User, user_id).password_hash = stored = _hasher.hash(password)
    cookie.clear()
    if asks_code:
        cookie["half_in"] = [user_id, _hash(stored), int(utcnow().timestamp())]
        return False
    _start(user_id)
    return True


def half_in() -> User | None:
    """Whose right password waits for its code in this browser: not for long, and not when the password was changed since."""
    user_id, stored, at = cookie.get("half_in") or (0, "", 0)
    if utcnow().timestamp() - at > HALF_IN_FOR.total_seconds():
        return None
    with session_with(SYSTEM) as session:
        user = session.get(User, user_id)
        return user if user and user.active and user.otp_secret and _hash(user.password_hash) == stored else None


def give_code(code: str) -> None:
    """The second half of a login; tries count like those of a password (ASVS 6.5.5, 6.3.1).

    :raises Complaint: when the code is wrong or used, was tried too often, or the password was given too long ago.
    """
    user = half_in()
    if user is None:
        raise Complaint("登录已超时，请重新输入账号和密码。")
    _spend_code(user.id, user.username, code)
    _start(user.id)


def _start(user_id: int) -> None:
    """A new session under a new token, whatever the browser held before; of too many, those longest unused give way."""
    token, now = secrets.token_urlsafe(32), utcnow()
    with writing(SYSTEM) as session:
        user = session.get_one(User, user_id, with_for_update=True)  # two logins with one account, one after the other
        gone = _make_room(session, user, now)
        actor = _actor(session, user, token, now)
        user.last_login_at = now
        _forget_old_drafts(session)
        once.forget_old(session)
        session.add(LoginSession(token_hash=_hash(token), user_id=user.id, address=address(), confirmed_at=now))
    with writing(actor.scope) as session:
        audit.note(session, "login", "user_account", user_id, None, **({"退出别处": gone} if gone else {}))
    cookie.clear()
    login_user(actor)


def _make_room(session: Session, user: User, now: dt.datetime) -> int:
    """End the sessions of an account until one more may begin (ASVS 7.1.2). How many ended?"""
    of_school = all(grant.role in SCHOOL_ROLES for grant in user.grants)
    most = current_app.config["MOST_SESSIONS"]["school" if of_school else "bureau"]
    own = select(LoginSession).where(LoginSession.user_id == user.id, *_still_open(now))
    gone = session.scalars(own.order_by(LoginSession.seen_at.desc(), LoginSession.id.desc()).offset(most - 1)).all()
    for held in gone:
        held.ended_at, held.gave_way = now, True
    return len(gone)


def ended_elsewhere() -> bool:
    """Did this browser's session give way to a login somewhere else, lately?"""
    token = cookie.get("_user_id")
    if not isinstance(token, str):
        return False
    lately = utcnow() - current_app.config["LONGEST"]
    gone = select(LoginSession.id).where(
        LoginSession.token_hash == _hash(token), LoginSession.gave_way, LoginSession.ended_at > lately
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
    others = select(LoginSession).where(LoginSession.user_id == actor.user_id, LoginSession.token_hash != _hash(actor.token))
    with session_with(SYSTEM) as session:
        last = session.scalar(others.order_by(LoginSession.id.desc()).limit(1))
        if last is None:
            return None
        since = (LoginFailure.who == keyring.index(actor.username), LoginFailure.at > last.started_at)
        return Before(last.started_at, last.address, session.scalar(select(func.count(LoginFailure.id)).where(*since)) or 0)


def log_out() -> None:
    token = current_user.token
    with writing(SYSTEM) as session:
        held = session.scalar(select(LoginSession).where(LoginSession.token_hash == _hash(token)))
        if held:
            held.ended_at = utcnow()
    with writing(current_user.scope) as session:
        audit.note(session, "logout", "user_account", current_user.user_id)
    logout_user()
    cookie.clear()


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


def open_sessions(actor: Actor, *, everybody: bool) -> list[Held]:
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
                held.token_hash == _hash(actor.token),
            )
            for held, name, username in session.execute(open_)
        ]


def end_session(actor: Actor, session_id: int | None, *, everybody: bool) -> bool:
    """Put one browser out: one's own, or anybody's for the administrator. Was there one?"""
    found = next((held for held in open_sessions(actor, everybody=everybody) if held.id == session_id), None)
    if found is None:
        return False
    with writing(SYSTEM) as session:
        session.get_one(LoginSession, found.id).ended_at = utcnow()
    with writing(actor.scope) as session:
        audit.note(
            session, "logout", "user_account", found.user_id, None, 由="本人" if found.user_id == actor.user_id else "管理员"
        )
    return True


def end_sessions(session: Session, user_id: int, but: str = "") -> None:
    """Put an account out everywhere at once (disabled, other roles, another password). ``but``: a token that stays."""
    for held in session.scalars(select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))):
        if held.token_hash != _hash(but):
            held.ended_at = utcnow()


# --- tries ---


def _try(username: str) -> int | None:
    """Write a try down before anything is verified, so that tries of one instant count each other (ASVS 6.3.1).

    :returns: its id, to be taken back when it was right; None where nothing is limited.
    :raises Complaint: when there were too many with this account or from this address.
    """
    if not current_app.config["THROTTLE"]:
        return None
    who = keyring.index(username)
    with writing(SYSTEM) as session:
        session.execute(select(AuditHead.id).with_for_update())  # PostgreSQL: who holds the end of the log counts alone
        if len(_counted(session, who)) >= MAX_FAILURES or _counted_of_address(session) >= MAX_FAILURES_OF_ADDRESS:
            raise Complaint(LOCKED)
        tried = LoginFailure(who=who, address=address())
        session.add(tried)
        session.flush()
        return tried.id


def _counted(session: Session, who: str) -> list[LoginFailure]:
    """The tries that count against an account now."""
    return list(session.scalars(select(LoginFailure).where(LoginFailure.who == who, *_lately())))


def _counted_of_address(session: Session) -> int:
    return session.scalar(select(func.count(LoginFailure.id)).where(LoginFailure.address == address(), *_lately())) or 0


def _lately() -> tuple[ColumnElement[bool], ...]:
    """Of a try: it still counts."""
    return LoginFailure.at > utcnow() - LOCKED_FOR, LoginFailure.forgiven.is_(False)


def _take_back(session: Session, tried: int | None) -> None:
    if tried is not None and (row := session.get(LoginFailure, tried)) is not None:
        session.delete(row)


def _refused(tried: int | None, why: str) -> Complaint:
    """Note a refused try in the log; the sentence, with how many are left."""
    if tried is None:
        return Complaint(f"{why}。")
    with writing(SYSTEM) as session:
        audit.note(session, "refused", "user_account", "", None, address=address())
        left = MAX_FAILURES - len(_counted(session, session.get_one(LoginFailure, tried).who))
    return Complaint(f"{why}。再错 {left} 次将锁定 15 分钟。" if left > 0 else f"{why}，已锁定 15 分钟。")


def unlock(session: Session, user: User) -> int:
    """Forgive the tries that lock an account (ASVS 6.1.1); they stay on record for its owner. How many were there?"""
    counted = _counted(session, keyring.index(user.username))
    for tried in counted:
        tried.forgiven = True
    if counted:
        audit.note(session, "unlock", "user_account", user.id, None, 次数=len(counted))
    return len(counted)


def standings(session: Session, users: Iterable[User]) -> dict[int, str]:
    """Account -> in one word, can somebody log in with it?"""
    tries = select(LoginFailure.who).where(*_lately()).group_by(LoginFailure.who).having(func.count() >= MAX_FAILURES)
    locked = set(session.scalars(tries))
    return {user.id: _standing(user, keyring.index(user.username) in locked) for user in users}


def _standing(user: User, locked: bool) -> str:
    if not user.active:
        return "已停用"
    return _shut(user) or ("已锁定" if locked else "启用")


def _shut(user: User) -> str | None:
    """Why nobody gets in until the administrator resets the password: it is a first one too old, or nobody came for long."""
    now = utcnow()
    if user.must_change and user.password_expires_at is not None and user.password_expires_at < now:
        return "初始密码已过期"
    return "长期未用已停" if now - max(user.opened_at, user.last_login_at or user.opened_at) > UNUSED_FOR else None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# --- forms that came too late ---


def keep_draft() -> bool:
    """Keep the form of a request whose login session has run out, sealed, for the account it belonged to. Was it kept?

    The check of the page's token comes after this one, so it is made here: of a forgotten form its age alone is forgiven,
    and a page of another origin, which knows no token of this browser, plants nothing.
    """
    is_form = request.mimetype == "application/x-www-form-urlencoded" and 0 < (request.content_length or 0) <= LARGEST_DRAFT
    token = cookie.get("_user_id")
    if not (is_form and isinstance(token, str) and request.endpoint) or request.blueprint == "sign_in":
        return False
    try:
        validate_csrf(request.form.get("csrf_token"), time_limit=10**9)
    except ValidationError:
        return False
    fields = typed()
    with writing(SYSTEM) as session:
        user_id = _was_logged_in(session, token)
        if user_id is None:
            return False
        _forget_old_drafts(session)
        others = session.scalars(select(Draft).where(Draft.user_id == user_id).order_by(Draft.id.desc())).all()
        for at, other in enumerate(others, start=1):
            if other.path == page() or at >= MOST_DRAFTS:
                session.delete(other)
        session.add(Draft(user_id=user_id, path=page(), fields=json.dumps(fields, ensure_ascii=False)))
    return True


def typed() -> list[tuple[str, str]]:
    """What was filled into the form of this request, without its token and without a password."""
    return [(name, value) for name, value in request.form.items(multi=True) if name not in {"csrf_token", *PASSWORD_FIELDS}]


def drafts_of(user_id: int) -> list[tuple[int, str, dt.datetime]]:
    """(id, page, when) of the forms that wait for their author, newest first."""
    waiting = select(Draft.id, Draft.path, Draft.at).where(Draft.user_id == user_id, Draft.at > utcnow() - DRAFT_LASTS)
    with session_with(SYSTEM) as session:
        return [(number, path, at) for number, path, at in session.execute(waiting.order_by(Draft.id.desc()))]


def take_draft(user_id: int, draft_id: int | None) -> tuple[str, MultiDict[str, str]] | None:
    """The page and fields of one's own draft. It stays until its form is saved or dropped."""
    with session_with(SYSTEM) as session:
        draft = _own_draft(session, user_id, draft_id)
        return (draft.path, MultiDict((name, value) for name, value in json.loads(draft.fields))) if draft else None


def drop_draft(user_id: int, draft_id: int | None) -> bool:
    with writing(SYSTEM) as session:
        draft = _own_draft(session, user_id, draft_id)
        if draft is not None:
            session.delete(draft)
        return draft is not None


def page() -> str:
    """This page's address with the ids and codes that choose it; a name or a number of a person is never among them."""
    plain = [(k, v) for k, v in request.args.items(multi=True) if _PLAIN.fullmatch(v) and re.fullmatch("[a-z_]{1,30}", k)]
    chosen = [(k, v) for k, v in plain if k not in ("draft", "url")][:5]
    return request.path + (f"?{urlencode(chosen)}" if chosen else "")


_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,12}")


def _own_draft(session: Session, user_id: int, draft_id: int | None) -> Draft | None:
    own = (Draft.id == draft_id, Draft.user_id == user_id, Draft.at > utcnow() - DRAFT_LASTS)
    return session.scalar(select(Draft).where(*own)) if draft_id else None


def _was_logged_in(session: Session, token: str) -> int | None:
    """Whose session this was: one that ran out by itself or gave way, of an account that is open and may write something."""
    unasked = or_(LoginSession.ended_at.is_(None), LoginSession.gave_way)
    held = session.scalar(select(LoginSession).where(LoginSession.token_hash == _hash(token), unasked))
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


def _forget_old_drafts(session: Session) -> None:
    for old in session.scalars(select(Draft).where(Draft.at <= utcnow() - DRAFT_LASTS)):
        session.delete(old)


# --- accounts ---


def create_user(
    session: Session, username: str, name: str, roles: list[Role], school: School | None, password: str, *, must_change: bool = True
) -> User:
    """A new account. ``password`` is taken as given; a first password lasts 72 hours.

    :raises Complaint: when the name is taken, or a school role has no school.
    """
    if session.scalar(select(User).where(User.username == username)):
        raise Complaint(f"账号 {username} 已存在。", "username")
    if access.SCHOOL_ROLES.intersection(roles) and school is None:
        raise Complaint("学校填报员、校长、心理教师须指定学校。", "school")
    user = User(
        username=username,
        name=name,
        school_id=school.id if school else None,
        password_hash=_hasher.hash(password),
        must_change=must_change,
        password_expires_at=utcnow() + FIRST_PASSWORD_LASTS if must_change else None,
        grants=[Grant(role=role) for role in dict.fromkeys(roles)],
    )
    session.add(user)
    return user


def first_password() -> str:
    return secrets.token_urlsafe(12)


def reset_password(session: Session, user: User) -> str:
    """A random first password; the old one and all sessions are dead, locks are off. Returns it, to be told once."""
    password = first_password()
    user.password_hash = _hasher.hash(password)
    user.must_change = True
    user.password_expires_at = utcnow() + FIRST_PASSWORD_LASTS
    user.opened_at = utcnow()
    unlock(session, user)
    end_sessions(session, user.id)
    return password


def set_password(user: User, password: str) -> None:
    """A password taken as it is (demo accounts only)."""
    if not _verify(user.password_hash, password):
        user.password_hash = _hasher.hash(password)
    user.must_change = False
    user.password_expires_at = None


def confirm(user_id: int, password: str, otherwise: Complaint) -> None:
    """Ask for the password again before something grave; failures count as those of a login.

    :raises Complaint: ``otherwise`` when it is wrong, another when it was wrong too often.
    """
    with session_with(SYSTEM) as session:
        user = session.get_one(User, user_id)
        username, stored = user.username, user.password_hash
    tried = _try(username)
    if len(password) > MAX_PASSWORD or not _verify(stored, password):
        _refused(tried, "")
        raise otherwise
    with writing(SYSTEM) as session:
        _take_back(session, tried)


def lately_confirmed(actor: Actor) -> bool:
    """Was the password given in this browser a short while ago, at login or since?"""
    return actor.confirmed_at is not None and utcnow() - actor.confirmed_at <= current_app.config["CONFIRMED_FOR"]


def confirm_again(actor: Actor, password: str) -> None:
    """Take the password once more, for the next ten minutes of this browser (ASVS 7.5.3).

    :raises Complaint: when it is wrong, or was wrong too often.
    """
    confirm(actor.user_id, password, Complaint("密码不对。"))
    with writing(SYSTEM) as session:
        session.scalars(select(LoginSession).where(LoginSession.token_hash == _hash(actor.token))).one().confirmed_at = utcnow()


def change_password(user_id: int, old: str, new: str, token: str) -> None:
    """:raises Complaint: when the old password is wrong or the new one is not acceptable."""
    confirm(user_id, old, Complaint("原密码不对。", "old"))
    with writing(SYSTEM) as session:
        user = session.get_one(User, user_id)
        passwords.check(new, *known_by(user.username, user.name, user.school))
        if old == new:
            raise Complaint("新密码不能与原密码相同。", "password")
        user.password_hash = _hasher.hash(new)
        user.must_change = False
        user.password_expires_at = None
        end_sessions(session, user_id, but=token)


def known_by(username: str, name: str, school: School | None) -> tuple[str, ...]:
    """What anybody knows about an account, and its password may not be made of."""
    return (username, name, *((school.name, school.code) if school else ()))


# --- one-time codes ---


def check_code(actor: Actor, code: str) -> None:
    """The phone at hand is asked before it is replaced or given up: a browser left open and the password are not enough.

    :raises Complaint: when the code is wrong or used, or was tried too often.
    """
    _spend_code(actor.user_id, actor.username, code)


def _spend_code(user_id: int, username: str, code: str) -> None:
    """:raises Complaint: when the code is wrong or used, or was tried too often."""
    tried = _try(username)
    with writing(SYSTEM) as session:
        right = _use_code(session.get_one(User, user_id, with_for_update=True), code)
        if right:
            _take_back(session, tried)
    if not right:
        raise _refused(tried, "动态口令不对或已用过")


def set_up_codes(actor: Actor, secret: str, code: str) -> None:
    """Ask this account for one-time codes from now on; its other browsers are logged out (ASVS 7.4.3).

    :raises Complaint: when the code is not one of this secret: the phone would never get in.
    """
    with writing(SYSTEM) as session:
        user = session.get_one(User, actor.user_id, with_for_update=True)
        user.otp_secret, user.otp_step = secret, None
        if not _use_code(user, code):
            raise Complaint("动态口令不对。请核对手机和服务器的时间，再输入新的一组。", "code")
        end_sessions(session, user.id, but=actor.token)
    with writing(actor.scope) as session:
        audit.note(session, "update", "user_account", actor.user_id, None, 动态口令="启用")


def stop_codes(actor: Actor) -> None:
    """Its owner wants no codes any more.

    :raises Complaint: when a role of the actor takes them.
    """
    if actor.scope.roles & current_app.config["REQUIRE_TOTP"]:
        raise Complaint("您的角色必须使用动态口令，不能停用。")
    with writing(SYSTEM) as session:
        _forget_codes(session, session.get_one(User, actor.user_id), but=actor.token)
    with writing(actor.scope) as session:
        audit.note(session, "update", "user_account", actor.user_id, None, 动态口令="停用")


def remove_codes(session: Session, user: User) -> None:
    """The administrator helps somebody whose phone is lost (ASVS 6.3.3): the account is out, and sets codes up anew where it must."""
    _forget_codes(session, user)
    audit.note(session, "update", "user_account", user.id, None, 动态口令="管理员移除")


def _forget_codes(session: Session, user: User, but: str = "") -> None:
    user.otp_secret = user.otp_step = None
    end_sessions(session, user.id, but=but)


def _use_code(user: User, code: str) -> bool:
    """Is it the code of now? It counts once. The account's row is held, so that of two at the same time one is refused."""
    if user.otp_secret is None:  # removed a moment ago
        return False
    step = one_time_codes.step_of(user.otp_secret, code, user.otp_step, utcnow().timestamp())
    if step is not None:
        user.otp_step = step
    return step is not None


def use_language(user_id: int, locale: str) -> None:
    with writing(SYSTEM) as session:
        session.get_one(User, user_id).locale = locale
