"""The server's clock jumps: no session lasts longer for it, no lock is lifted by setting it back, the log keeps its order."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import select

from admin_app import audit, auth, models as m, sessions, tries
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.orm import utcnow
from tests.test_login import log_in

NOON = dt.datetime(2026, 3, 4, 12, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.fixture
def hours(app):
    """Sessions last as they do in an office."""
    held = app.config["IDLE"], app.config["LONGEST"]
    app.config.update(IDLE=dt.timedelta(minutes=30), LONGEST=dt.timedelta(hours=12))
    yield
    app.config.update(IDLE=held[0], LONGEST=held[1])


def used_now(app):
    """The accounts were used at this moment, so none is closed for having slept."""
    with app.app_context(), writing(SYSTEM) as session:
        for user in session.scalars(select(m.User)):
            user.last_login_at = utcnow()


@pytest.mark.parametrize(
    ("jump", "status"),
    [
        (dt.timedelta(seconds=-30), 200),  # a clock that is put right by a little puts nobody out
        (dt.timedelta(minutes=-2), 302),
        (dt.timedelta(days=-1), 302),
        (dt.timedelta(minutes=29), 200),
        (dt.timedelta(minutes=31), 302),
        (dt.timedelta(days=400), 302),
    ],
    ids=str,
)
def test_a_clock_that_jumps_makes_no_session_longer(jump, status, app, ids, hours):
    with time_machine.travel(NOON, tick=False) as clock:
        used_now(app)
        browser = app.test_client()
        assert log_in(browser, "office").status_code == 302
        browser.get("/child/")  # the first page signs the cookie, which from the future is refused by itself
        clock.shift(dt.timedelta(minutes=10))
        assert browser.get("/child/").status_code == 200
        clock.shift(jump)
        assert browser.get("/child/").status_code == status


def test_a_session_from_the_future_is_not_listed_among_those_that_are_open(app, ids, hours):
    with time_machine.travel(NOON, tick=False) as clock:
        used_now(app)
        log_in(app.test_client(), "office")
        clock.shift(dt.timedelta(hours=-1))
        here = app.test_client()
        log_in(here, "office")
        assert here.get("/session/").text.count("本次登录") == 1
        with app.app_context(), session_with(SYSTEM) as session:
            user = session.scalars(select(m.User).where(m.User.username == "office")).one()
            actor = auth._actor(session, user, "", None)
            assert [held.started_at for held in sessions.listed(actor, everybody=False)] == [utcnow()]


def test_setting_the_clock_back_lifts_no_lock(app, ids):
    with time_machine.travel(NOON, tick=False) as clock:
        used_now(app)
        for _ in range(tries.MAX_FAILURES):
            log_in(app.test_client(), "office", "wrong-password-1")
        for jump in (-60, -60 * 24, 60 * 24 + 60 + 14):
            clock.shift(dt.timedelta(minutes=jump))
            assert "15 分钟" in log_in(app.test_client(), "office").text
        clock.shift(dt.timedelta(minutes=2))
        assert log_in(app.test_client(), "office").status_code == 302


def test_the_order_of_the_log_is_that_of_its_numbers_whatever_the_clock_said(app, ids):
    with time_machine.travel(NOON, tick=False) as clock, app.app_context():
        for jump in (0, -3, 5, -400):
            clock.shift(dt.timedelta(days=jump))
            with writing(SYSTEM) as session:
                audit.note(session, "export", "child", jump=jump)
        with session_with(SYSTEM) as session:
            assert audit.verify(session)[1] is None
            entries = session.scalars(select(m.AuditEntry).order_by(m.AuditEntry.id.desc()).limit(4)).all()
            days = [(entry.at - NOON).days for entry in reversed(entries)]
            assert days == [0, -3, 2, -398]
