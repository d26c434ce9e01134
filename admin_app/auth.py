"""Login, passwords, throttling and session records; binds the actor's scope to the request's session. Closed by default."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, Response, current_app, flash, g, redirect, request, session as cookie, url_for
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import validate_csrf
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import SecurityError
from wtforms.validators import ValidationError

from . import access, audit, once
from .access import NOTHING, SYSTEM, Action, Scope
from .db import db, session_with, writing
from .models import Draft, Grant, LoginFailure, LoginSession, Resource, Role, School, User
from .orm import keyring, utcnow
from .rules import Complaint
from .settings import Settings

OPEN_ENDPOINTS = {"sign_in.login", "static", "admin.static", "status.healthz", "status.readyz"}
"""What answers without login. Everything else redirects to it."""
BEFORE_CHANGING = {"sign_in.password", "sign_in.logout"}

MAX_FAILURES, MAX_FAILURES_OF_ADDRESS, LOCKED_FOR = 5, 50, dt.timedelta(minutes=15)
UNUSED_FOR = dt.timedelta(days=90)
"""Logging in touches the account's row; one that was not touched for so long is closed."""
FIRST_PASSWORD_LASTS = dt.timedelta(hours=72)
CLOCK_SLACK = dt.timedelta(minutes=1)
"""By so much a clock may be set back unnoticed. Sessions from further in the future have ended: they would last the longer."""
MIN_PASSWORD, MAX_PASSWORD = 12, 128
DRAFT_LASTS, LARGEST_DRAFT, MOST_DRAFTS = dt.timedelta(hours=24), 200 * 1024, 5
DRAFT_KEPT = "登录已过期，您填写的内容已保存在服务器，重新登录后可继续。"
_CONTEXT_WORDS = ("password", "qwerty", "123456", "abcdef", "新平", "xinping", "教育局", "留守儿童", "身份证")

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
    school_name: str
    last_login_at: dt.datetime | None

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
    app.config["THROTTLE"] = settings.rate_limits
    app.before_request(_enter)


def _enter() -> Response | None:
    """Load the actor in a session of its own, then bind the request's session: its first act."""
    if isinstance(request.routing_exception, SecurityError):  # a host name that is not ours
        raise request.routing_exception
    if request.endpoint in OPEN_ENDPOINTS:
        access.bind(db.session(), NOTHING)
        return None
    if not current_user.is_authenticated:
        if request.method == "POST" and keep_draft():
            flash(DRAFT_KEPT, "draft")
        return redirect(url_for("sign_in.login"))
    if current_user.must_change and request.endpoint not in BEFORE_CHANGING:
        return redirect(url_for("sign_in.password"))
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
        held = session.scalar(select(LoginSession).where(LoginSession.token_hash == _hash(token), LoginSession.ended_at.is_(None)))
        now = utcnow()
        if held is None or not _lasts(held, now):
            return None
        user = session.get(User, held.user_id)
        if user is None or not user.active:
            return None
        actor = _actor(session, user, token)
        stale = now - held.seen_at > dt.timedelta(minutes=1)
        held_id = held.id
    if stale:
        _see(held_id, now)
    return actor


def _lasts(held: LoginSession, now: dt.datetime) -> bool:
    quiet, age = now - held.seen_at, now - held.started_at
    return -CLOCK_SLACK <= quiet <= current_app.config["IDLE"] and -CLOCK_SLACK <= age <= current_app.config["LONGEST"]


def _see(session_id: int, now: dt.datetime) -> None:
    """Note that somebody is still there. Where nothing can be written (a full disk) reading goes on; the session ends the sooner."""
    try:
        with writing(SYSTEM) as session:
            session.get_one(LoginSession, session_id).seen_at = now
    except OperationalError as e:
        current_app.logger.warning("a session was not prolonged: %s", type(e.orig).__name__)


def _actor(session: Session, user: User, token: str) -> Actor:
    sites = session.scalars(select(School.id).where(School.centre_id == user.school_id)) if user.school_id else ()
    school = session.get(School, user.school_id) if user.school_id else None
    return Actor(
        token=token,
        user_id=user.id,
        username=user.username,
        name=user.name,
        scope=access.scope_of(user, frozenset(sites), address()),
        locale=user.locale,
        must_change=user.must_change,
        school_name=school.name if school else "",
        last_login_at=user.last_login_at,
    )


def address() -> str:
    return request.remote_addr or "" if request else ""


# --- logging in and out ---


def log_in(username: str, password: str) -> None:
    """Check the password and start a session.

    :raises Complaint: with one sentence for an unknown account, a wrong password, a locked or a disabled account.
    """
    throttled = current_app.config["THROTTLE"]
    if throttled and _locked(username):
        raise Complaint("尝试次数过多，请 15 分钟后再试，或请德育股重置密码。")
    with session_with(SYSTEM) as session:
        user = session.scalar(select(User).where(User.username == username))
        stored = user.password_hash if user else _NOBODY
        user_id = user.id if user and user.active and not _expired(user) else None
    right = len(password) <= MAX_PASSWORD and _verify(stored, password)
    if not right or user_id is None:
        left = _count_failure(username) if throttled else MAX_FAILURES
        raise Complaint(f"账号或密码不对。再错 {left} 次将锁定 15 分钟。" if left > 0 else "账号或密码不对，已锁定 15 分钟。")
    token = secrets.token_urlsafe(32)
    with writing(SYSTEM) as session:
        user = session.get_one(User, user_id)
        if _hasher.check_needs_rehash(user.password_hash):
            user.password_hash = _hasher.hash(password)
        actor = _actor(session, user, token)
        user.last_login_at = utcnow()
        _forget_old_drafts(session)
        once.forget_old(session)
        session.add(LoginSession(token_hash=_hash(token), user_id=user.id, address=address()))
    with writing(actor.scope) as session:
        audit.note(session, "login", "user_account", user_id)
    cookie.clear()
    login_user(actor)


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
    now = utcnow()
    open_ = (
        select(LoginSession, User.name, User.username)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.ended_at.is_(None),
            LoginSession.seen_at.between(now - current_app.config["IDLE"], now + CLOCK_SLACK),
            LoginSession.started_at > now - current_app.config["LONGEST"],
        )
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


def _locked(username: str) -> bool:
    since = utcnow() - LOCKED_FOR
    with session_with(SYSTEM) as session:
        of_name = (
            session.query(LoginFailure.id).filter(LoginFailure.who == keyring.index(username), LoginFailure.at > since).count()
        )
        of_place = session.query(LoginFailure.id).filter(LoginFailure.address == address(), LoginFailure.at > since).count()
    return of_name >= MAX_FAILURES or of_place >= MAX_FAILURES_OF_ADDRESS


def _count_failure(username: str) -> int:
    """Note a refused login; returns how many tries are left."""
    who = keyring.index(username)
    with writing(SYSTEM) as session:
        session.add(LoginFailure(who=who, address=address()))
        audit.note(session, "refused", "user_account", "", None, address=address())
        session.flush()
        since = utcnow() - LOCKED_FOR
        tried = session.scalar(select(func.count(LoginFailure.id)).where(LoginFailure.who == who, LoginFailure.at > since))
    return max(0, MAX_FAILURES - (tried or 0))


def _expired(user: User) -> bool:
    """A first password is too old, or nobody has used the account for long (the administrator resets its password)."""
    first = user.must_change and user.password_expires_at is not None and user.password_expires_at < utcnow()
    return first or utcnow() - user.updated_at > UNUSED_FOR


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
    fields = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
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
    """Whose session this was: one that ran out by itself, of an account that is open and may write something."""
    held = session.scalar(select(LoginSession).where(LoginSession.token_hash == _hash(token), LoginSession.ended_at.is_(None)))
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


def check_password(password: str, username: str = "") -> None:
    """:raises Complaint: when a password is too short, too long or easy to guess."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Complaint(f"密码应为 {MIN_PASSWORD} 至 {MAX_PASSWORD} 个字符，可以是一句话。", "password")
    low = password.lower()
    if len(set(low)) < 5 or any(word in low for word in _CONTEXT_WORDS) or (username and username.lower() in low):
        raise Complaint("密码太容易猜到：不要含账号、县名、连续数字或重复字符。", "password")


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
    """A random first password; the old one and all sessions are dead. Returns it, to be told once."""
    password = first_password()
    user.password_hash = _hasher.hash(password)
    user.must_change = True
    user.password_expires_at = utcnow() + FIRST_PASSWORD_LASTS
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
    throttled = current_app.config["THROTTLE"]
    with session_with(SYSTEM) as session:
        user = session.get_one(User, user_id)
        username, stored = user.username, user.password_hash
    if throttled and _locked(username):
        raise Complaint("尝试次数过多，请 15 分钟后再试，或请德育股重置密码。")
    if len(password) > MAX_PASSWORD or not _verify(stored, password):
        if throttled:
            _count_failure(username)
        raise otherwise


def change_password(user_id: int, old: str, new: str, token: str) -> None:
    """:raises Complaint: when the old password is wrong or the new one is not acceptable."""
    confirm(user_id, old, Complaint("原密码不对。", "old"))
    with writing(SYSTEM) as session:
        user = session.get_one(User, user_id)
        check_password(new, user.username)
        if old == new:
            raise Complaint("新密码不能与原密码相同。", "password")
        user.password_hash = _hasher.hash(new)
        user.must_change = False
        user.password_expires_at = None
        end_sessions(session, user_id, but=token)


def use_language(user_id: int, locale: str) -> None:
    with writing(SYSTEM) as session:
        session.get_one(User, user_id).locale = locale
