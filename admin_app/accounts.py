"""Accounts: made, disabled by disuse, reset, and helped out when a phone is lost."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import audit, passwords, sessions, tries
from .access import SCHOOL_ROLES, SYSTEM
from .db import writing
from .models import AuditHead, Grant, Role, School, User
from .orm import keyring, utcnow
from .rules import Complaint

UNUSED_FOR = dt.timedelta(days=90)
"""An account that nobody logged in with for so long is closed, until the administrator resets its password."""
FIRST_PASSWORD_LASTS = dt.timedelta(hours=72)


def create(
    session: Session, username: str, name: str, roles: list[Role], school: School | None, password: str, *, must_change: bool = True
) -> User:
    """A new account. ``password`` is taken as given; a first password lasts 72 hours.

    :raises Complaint: when the name is taken, or a school role has no school.
    """
    if session.scalar(select(User).where(User.username == username)):
        raise Complaint(f"账号 {username} 已存在。", "username")
    if SCHOOL_ROLES.intersection(roles) and school is None:
        raise Complaint("学校填报员、校长、心理教师须指定学校。", "school")
    user = User(
        username=username,
        name=name,
        school_id=school.id if school else None,
        password_hash=passwords.hashed(password),
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
    user.password_hash = passwords.hashed(password)
    user.must_change = True
    user.password_expires_at = utcnow() + FIRST_PASSWORD_LASTS
    user.opened_at = utcnow()
    tries.unlock(session, user)
    sessions.end_all(session, user.id)
    return password


def set_password(user: User, password: str) -> None:
    """A password taken as it is (demo accounts only)."""
    if not passwords.is_right(user.password_hash, password):
        user.password_hash = passwords.hashed(password)
    user.must_change = False
    user.password_expires_at = None


def known_by(username: str, name: str, school: School | None) -> tuple[str, ...]:
    """What anybody knows about an account, and its password may not be made of."""
    return (username, name, *((school.name, school.code) if school else ()))


def standings(session: Session, users: Iterable[User]) -> dict[int, str]:
    """Account -> in one word, can somebody log in with it?"""
    locked = tries.locked(session)
    return {user.id: _standing(user, keyring.index(user.username) in locked) for user in users}


def _standing(user: User, locked: bool) -> str:
    if not user.active:
        return "已停用"
    return shut(user) or ("已锁定" if locked else "启用")


def shut(user: User) -> str | None:
    """Why nobody gets in until the administrator resets the password: it is a first one too old, or nobody came for long."""
    now = utcnow()
    if user.must_change and user.password_expires_at is not None and user.password_expires_at < now:
        return "初始密码已过期"
    return "长期未用已停" if now - max(user.opened_at, user.last_login_at or user.opened_at) > UNUSED_FOR else None


def remove_codes(session: Session, user: User) -> None:
    """The administrator helps somebody whose phone is lost (ASVS 6.3.3): the account is out, and sets codes up anew where it must."""
    forget_codes(session, user)
    audit.note(session, "update", "user_account", user.id, None, 动态口令="管理员移除")


def forget_codes(session: Session, user: User, but: str = "") -> None:
    user.otp_secret = user.otp_step = None
    sessions.end_all(session, user.id, but=but)


def use_language(user_id: int, locale: str) -> None:
    with writing(SYSTEM) as session:
        session.get_one(User, user_id).locale = locale


def administrators(session: Session) -> int:
    """How many accounts can administer, as the session is about to leave them: two that take each other's rights wait for each other."""
    session.flush()
    session.execute(select(AuditHead.id).with_for_update())
    held = select(Grant.user_id).where(Grant.role == Role.ADMIN)
    return session.scalar(select(func.count(User.id)).where(User.active, User.id.in_(held))) or 0
