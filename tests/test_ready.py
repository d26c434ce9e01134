"""Ready is said when it is true; trouble with the database has its status, and a database that may lose rows is not served."""

from __future__ import annotations

import datetime as dt
import errno
import sqlite3
import tempfile
from types import SimpleNamespace

import pytest
import time_machine
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from admin_app import audit, db as database, selfcheck
from admin_app.db import status_of
from admin_app.orm import utcnow
from admin_app.selfcheck import OK, WRONG, Finding
from admin_app.settings import Unusable
from tests.databases import ON_POSTGRES, by_hand


def ready(app):
    answer = app.test_client().get("/readyz")
    return answer.status_code, answer.text


def test_a_server_on_a_database_of_another_version_is_not_ready(app, ids):
    assert ready(app) == (200, "ready")
    with by_hand(app) as connection:
        connection.execute(text("update alembic_version set version_num = 'elsewhere'"))
    assert ready(app) == (503, "not ready")


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_server_that_cannot_write_beside_its_data_is_not_ready(reason, app, ids, monkeypatch):
    def refuse(**_where):
        raise OSError(reason, "no")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert ready(app) == (503, "not ready")


def test_a_server_whose_database_does_not_answer_is_not_ready_and_tells_nobody_why(app, ids, monkeypatch):
    def fall(_connection):
        raise OperationalError("select 1", {}, sqlite3.OperationalError("unable to open /secret/place"))

    monkeypatch.setattr(database, "revision", fall)
    assert ready(app) == (503, "not ready")


def of_sqlite(code):
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    return OperationalError("insert", {}, error)


def of_postgres(state):
    return OperationalError("insert", {}, SimpleNamespace(sqlstate=state))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (of_sqlite(sqlite3.SQLITE_BUSY), 503),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), 503),
        (of_sqlite(sqlite3.SQLITE_FULL), 507),
        (of_sqlite(sqlite3.SQLITE_IOERR_SHMSIZE), 507),
        (of_sqlite(sqlite3.SQLITE_READONLY), 507),
        (of_sqlite(sqlite3.SQLITE_ERROR), 500),
        (of_postgres(None), 503),
        (of_postgres("57P01"), 503),
        (of_postgres("40P01"), 503),
        (of_postgres("53300"), 503),
        (of_postgres("53100"), 507),
        (of_postgres("25006"), 507),
        (of_postgres("42P01"), 500),
        (OSError(errno.ENOSPC, "no"), 507),
        (OSError(errno.ENOENT, "no"), 500),
        (IntegrityError("insert", {}, SimpleNamespace(sqlstate="23505")), 500),
        (ValueError("no"), 500),
    ],
    ids=str,
)
def test_trouble_that_passes_and_a_full_disk_are_told_apart_from_a_fault(error, status):
    assert status_of(error) == status


@pytest.fixture
def refused(base, app, system):
    """What keeps this register from being served, in words; blank for nothing."""

    def look():
        try:
            selfcheck.before_serving(base.settings, system)
        except Unusable as e:
            return str(e)
        return ""

    return look


def test_a_database_that_would_lose_rows_at_a_power_cut_is_not_served(refused, monkeypatch):
    found = [Finding(OK, "断电不丢", "都开着")]
    monkeypatch.setattr(selfcheck, "_durability", lambda _settings: found)
    assert refused() == ""
    found.append(Finding(WRONG, "断电不丢", "fsync 关着，请打开"))
    assert "fsync 关着" in refused()


@pytest.mark.skipif(not ON_POSTGRES, reason="asks a PostgreSQL server")
def test_a_real_server_with_fsync_off_is_refused(refused):
    """The tests' own server is one: what a test wrote need not survive a power cut."""
    assert "fsync" in refused()


@pytest.mark.parametrize(("behind", "wrong"), [(30, False), (90, True), (-3600, False)], ids=["half a minute", "more", "ahead"])
def test_a_clock_behind_the_log_is_not_served(behind, wrong, refused, system, monkeypatch):
    monkeypatch.setattr(selfcheck, "_durability", lambda _settings: [])
    audit.note(system, "print", "child")
    system.commit()
    with time_machine.travel(utcnow() - dt.timedelta(seconds=behind), tick=False):
        assert ("操作日志最后一条" in refused()) == wrong


def test_after_a_fast_clock_was_put_right_one_entry_lets_it_be_served_again(refused, system, monkeypatch):
    monkeypatch.setattr(selfcheck, "_durability", lambda _settings: [])
    with time_machine.travel(utcnow() + dt.timedelta(days=365)):
        audit.note(system, "print", "child")
        system.commit()
    assert "先运行 backup" in refused()
    audit.note(system, "backup", "audit_head")
    system.commit()
    assert refused() == ""
