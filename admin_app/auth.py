"""Who is at the browser: login with password and one-time code, the password again, logout; the actor of each request.

Binds the actor's scope to the request's session. Closed by default.
"""

from __future__ import annotations

import datetime as dt
import secrets

from flask import Flask, Response, current_app, flash, g, redirect, request, session as cookie, url_for
from flask_login import AnonymousUserMixin, LoginManager, current_user, login_user, logout_user
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import SecurityError

from . import access, accounts, audit, drafts, one_time_codes, passwords, sessions, tries
from .access import NOTHING, SYSTEM
from .db import db, session_with, writing
from .incoming import address, request_number
from .models import LoginSession, Role, School, User
from .orm import utcnow
from .records import attachments, expiry
from .rules import Complaint
from .sessions import Actor
from .settings import Settings, Unusable

OPEN_ENDPOINTS = {"sign_in.login", "sign_in.code", "static", "admin.static", "status.healthz", "status.readyz"}
"""What answers without login. Everything else redirects to it."""
BEFORE_CHANGING = {"sign_in.password", "sign_in.logout"}
BEFORE_ENROLLING = BEFORE_CHANGING | {"sign_in.one_time_code", "sign_in.language"}
HALF_IN_FOR = dt.timedelta(minutes=5)
"""So long a right password waits for its one-time code."""
CONFIRMED_FOR = dt.timedelta(minutes=10)
"""So long a password given in a browser stands for the acts that ask for it again (ASVS 7.5.3)."""
KEPT = "您填写的内容已保存在服务器，重新登录后可继续。"
DRAFT_KEPT = f"登录已过期，{KEPT}"
ELSEWHERE = "您的账号已在别处登录，这里已退出。"


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
        if request.method == "POST" and _keep_draft():
            flash(KEPT if sessions.ended_elsewhere() else DRAFT_KEPT, "draft")
        return redirect(url_for("sign_in.login"))
    if current_user.must_change and request.endpoint not in BEFORE_CHANGING:
        return redirect(url_for("sign_in.password"))
    if current_user.must_enrol and not current_user.must_change and request.endpoint not in BEFORE_ENROLLING:
        return redirect(url_for("sign_in.one_time_code"))
    session = db.session()
    access.bind(session, current_user.scope)
    session.info["reading"] = request.method in ("GET", "HEAD", "OPTIONS")
    session.info["writes"] = not session.info["reading"]
    return None


def _keep_draft() -> bool:
    """Keep a form whose login has run out for the account it belonged to. Was it kept?"""
    token = cookie.get("_user_id")
    if not isinstance(token, str) or not drafts.may_be_kept():
        return False
    with writing(SYSTEM) as session:
        user_id = sessions.was_logged_in(session, token)
        if user_id is not None:
            drafts.keep(session, user_id)
    return user_id is not None


def ask_no_more() -> None:
    """The page about a database that does not answer must not ask it who is looking."""
    if "_login_user" not in g:
        g._login_user = AnonymousUserMixin()


def _load(token: str) -> Actor | None:
    with session_with(SYSTEM) as session:
        now = utcnow()
        held = sessions.open_under(session, token)
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


def _actor(session: Session, user: User, token: str, confirmed_at: dt.datetime | None) -> Actor:
    school, scope = session.get(School, user.school_id) if user.school_id else None, _scope(session, user)
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


def _scope(session: Session, user: User) -> access.Scope:
    sites = session.scalars(select(School.id).where(School.centre_id == user.school_id)) if user.school_id else ()
    return access.scope_of(user, frozenset(sites), address(), request_number())


# --- logging in and out ---


def log_in(username: str, password: str) -> bool:
    """Check the password and start a session. Is the actor in? Otherwise the one-time code is waited for (``give_code``).

    :raises Complaint: with one sentence for an unknown account, a wrong password, a locked or a disabled account.
    """
    tried, nobody = tries.begin(username), passwords.of_nobody()
    with session_with(SYSTEM) as session:
        user = session.scalar(select(User).where(User.username == username))
        stored = user.password_hash if user else nobody
        user_id = user.id if user and user.active and accounts.shut(user) is None else None
        asks_code = user is not None and user.otp_secret is not None
    if not passwords.is_right(stored, password) or user_id is None:
        raise tries.refused(tried, "账号或密码不对", username)
    with writing(SYSTEM) as session:
        tries.take_back(session, tried)
        if passwords.is_outdated(stored):
            session.get_one(User, user_id).password_hash = stored = passwords.hashed(password)
    cookie.clear()
    if asks_code:
        cookie["half_in"] = [user_id, sessions.hash_of(stored), int(utcnow().timestamp())]
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
        return user if user and user.active and user.otp_secret and sessions.hash_of(user.password_hash) == stored else None


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
    token = secrets.token_urlsafe(32)
    with session_with(SYSTEM) as session:
        scope = _scope(session, session.get_one(User, user_id))
    with writing(access.on_behalf_of(scope, system=True)) as session:
        user = session.get_one(User, user_id, with_for_update=True)  # two logins with one account, one after the other
        gone = sessions.start(session, user, token)
        user.last_login_at = utcnow()
        actor = _actor(session, user, token, user.last_login_at)
        expiry.forget_old(session, attachments.folder_of(current_app.config["SETTINGS"].data_dir))
        audit.note(session, "login", "user_account", user_id, None, **({"退出别处": gone} if gone else {}))
    cookie.clear()
    login_user(actor)


def log_out() -> None:
    token = current_user.token
    with writing(access.on_behalf_of(current_user.scope, system=True)) as session:
        if held := sessions.held_under(session, token):
            held.ended_at = utcnow()
        audit.note(session, "logout", "user_account", current_user.user_id)
    logout_user()
    cookie.clear()


# --- once more ---


def confirm(user_id: int, password: str, otherwise: Complaint) -> None:
    """Ask for the password again before something grave; failures count as those of a login.

    :raises Complaint: ``otherwise`` when it is wrong, another when it was wrong too often.
    """
    with session_with(SYSTEM) as session:
        user = session.get_one(User, user_id)
        username, stored = user.username, user.password_hash
    tried = tries.begin(username)
    if not passwords.is_right(stored, password):
        tries.refused(tried, "", username)
        raise otherwise
    with writing(SYSTEM) as session:
        tries.take_back(session, tried)


def lately_confirmed(actor: Actor) -> bool:
    """Was the password given in this browser a short while ago, at login or since?"""
    return actor.confirmed_at is not None and utcnow() - actor.confirmed_at <= current_app.config["CONFIRMED_FOR"]


def confirm_again(actor: Actor, password: str) -> None:
    """Take the password once more, for the next ten minutes of this browser (ASVS 7.5.3).

    :raises Complaint: when it is wrong, or was wrong too often.
    """
    confirm(actor.user_id, password, Complaint("密码不对。"))
    with writing(SYSTEM) as session:
        if held := sessions.held_under(session, actor.token):
            held.confirmed_at = utcnow()


def change_password(actor: Actor, old: str, new: str) -> None:
    """The own one; every other browser of the account is put out.

    :raises Complaint: when the old password is wrong or the new one is not acceptable.
    """
    user_id = actor.user_id
    confirm(user_id, old, Complaint("原密码不对。", "old"))
    with writing(access.on_behalf_of(actor.scope, system=True)) as session:
        user = session.get_one(User, user_id)
        passwords.check(new, *accounts.known_by(user.username, user.name, user.school))
        if old == new:
            raise Complaint("新密码不能与原密码相同。", "password")
        user.password_hash = passwords.hashed(new)
        user.must_change = False
        user.password_expires_at = None
        sessions.end_all(session, user_id, but=actor.token)
        audit.note(session, "update", "user_account", user_id, None, 密码="本人修改")


# --- one-time codes ---


def check_code(actor: Actor, code: str) -> None:
    """The phone at hand is asked before it is replaced or given up: a browser left open and the password are not enough.

    :raises Complaint: when the code is wrong or used, or was tried too often.
    """
    _spend_code(actor.user_id, actor.username, code)


def _spend_code(user_id: int, username: str, code: str) -> None:
    """:raises Complaint: when the code is wrong or used, or was tried too often."""
    tried = tries.begin(username)
    with writing(SYSTEM) as session:
        right = _use_code(session.get_one(User, user_id, with_for_update=True), code)
        if right:
            tries.take_back(session, tried)
    if not right:
        raise tries.refused(tried, "动态口令不对或已用过", username)


def set_up_codes(actor: Actor, secret: str, code: str) -> None:
    """Ask this account for one-time codes from now on; its other browsers are logged out (ASVS 7.4.3).

    :raises Complaint: when the code is not one of this secret: the phone would never get in.
    """
    with writing(access.on_behalf_of(actor.scope, system=True)) as session:
        user = session.get_one(User, actor.user_id, with_for_update=True)
        user.otp_secret, user.otp_step = secret, None
        if not _use_code(user, code):
            raise Complaint("动态口令不对。请核对手机和服务器的时间，再输入新的一组。", "code")
        sessions.end_all(session, user.id, but=actor.token)
        audit.note(session, "update", "user_account", actor.user_id, None, 动态口令="启用")


def stop_codes(actor: Actor) -> None:
    """Its owner wants no codes any more.

    :raises Complaint: when a role of the actor takes them.
    """
    if actor.scope.roles & current_app.config["REQUIRE_TOTP"]:
        raise Complaint("您的角色必须使用动态口令，不能停用。")
    with writing(access.on_behalf_of(actor.scope, system=True)) as session:
        accounts.forget_codes(session, session.get_one(User, actor.user_id), but=actor.token)
        audit.note(session, "update", "user_account", actor.user_id, None, 动态口令="停用")


def _use_code(user: User, code: str) -> bool:
    """Is it the code of now? It counts once. The account's row is held, so that of two at the same time one is refused."""
    if user.otp_secret is None:  # removed a moment ago
        return False
    step = one_time_codes.step_of(user.otp_secret, code, user.otp_step, utcnow().timestamp())
    if step is not None:
        user.otp_step = step
    return step is not None
