"""Tries at a login: written down before anything is verified, counted per account and per address by all processes together."""

from __future__ import annotations

import datetime as dt

from flask import current_app
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from . import audit, limits
from .access import SYSTEM
from .db import writing
from .incoming import address
from .models import AuditHead, LoginFailure, User
from .orm import keyring, utcnow
from .rules import Complaint

MAX_FAILURES, MAX_FAILURES_OF_ADDRESS, LOCKED_FOR = 5, 50, dt.timedelta(minutes=15)
LOCKED = "尝试次数过多，请 15 分钟后再试，或请管理员解除锁定。"


def begin(username: str) -> int | None:
    """Write a try down before anything is verified, so that tries of one instant count each other (ASVS 6.3.1).

    :returns: its id, to be taken back when it was right; None where nothing is limited.
    :raises Complaint: when there were too many with this account or from this address.
    """
    if not current_app.config["THROTTLE"]:
        return None
    who = keyring.index(username)
    with writing(SYSTEM) as session:
        session.execute(select(AuditHead.id).with_for_update())  # PostgreSQL: who holds the end of the log counts alone
        if len(_counted(session, who)) < MAX_FAILURES and _counted_of_address(session) < MAX_FAILURES_OF_ADDRESS:
            tried = LoginFailure(who=who, address=address())
            session.add(tried)
            session.flush()
            return tried.id
        if limits.full_until(session, None, "refused", limits.DENIED) is None:  # of very many in an hour the first ones
            audit.note(session, "refused", "user_account", _account(session, username), None, address=address(), 锁定中="是")
    raise Complaint(LOCKED)


def take_back(session: Session, tried: int | None) -> None:
    if tried is not None and (row := session.get(LoginFailure, tried)) is not None:
        session.delete(row)


def _account(session: Session, username: str) -> object:
    """The account that was tried, if there is one of that name."""
    return session.scalar(select(User.id).where(User.username == username)) or ""


def refused(tried: int | None, why: str, username: str) -> Complaint:
    """Note a refused try in the log, with the account; the sentence, with how many are left."""
    if tried is None:
        return Complaint(f"{why}。")
    with writing(SYSTEM) as session:
        audit.note(session, "refused", "user_account", _account(session, username), None, address=address())
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


def _counted(session: Session, who: str) -> list[LoginFailure]:
    """The tries that count against an account now."""
    return list(session.scalars(select(LoginFailure).where(LoginFailure.who == who, *_lately())))


def _counted_of_address(session: Session) -> int:
    return session.scalar(select(func.count(LoginFailure.id)).where(LoginFailure.address == address(), *_lately())) or 0


def _lately() -> tuple[ColumnElement[bool], ...]:
    """Of a try: it still counts."""
    return LoginFailure.at > utcnow() - LOCKED_FOR, LoginFailure.forgiven.is_(False)


def locked(session: Session) -> set[str]:
    """The names (as ``LoginFailure.who`` has them) that are locked now."""
    tries = select(LoginFailure.who).where(*_lately()).group_by(LoginFailure.who).having(func.count() >= MAX_FAILURES)
    return set(session.scalars(tries))


def refused_since(session: Session, username: str, at: dt.datetime) -> int:
    """How many tries with this account were refused since."""
    refused = select(func.count(LoginFailure.id)).where(LoginFailure.who == keyring.index(username), LoginFailure.at > at)
    return session.scalar(refused) or 0
