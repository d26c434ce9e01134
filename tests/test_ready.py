"""Ready is said when it is true; trouble with the database has its status, and a database that may lose rows is not served."""

from __future__ import annotations

import errno
import sqlite3
import tempfile
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from admin_app import db as database, selfcheck
from admin_app.db import status_of
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


def test_a_database_that_would_lose_rows_at_a_power_cut_is_not_served(base, app, monkeypatch):
    found = [Finding(OK, "断电不丢", "都开着")]
    monkeypatch.setattr(selfcheck, "_durability", lambda _settings: found)
    selfcheck.refuse_to_lose(base.settings)
    found.append(Finding(WRONG, "断电不丢", "fsync 关着，请打开"))
    with pytest.raises(Unusable, match="fsync 关着"):
        selfcheck.refuse_to_lose(base.settings)


@pytest.mark.skipif(not ON_POSTGRES, reason="asks a PostgreSQL server")
def test_a_real_server_with_fsync_off_is_refused(base, app):
    """The tests' own server is one: what a test wrote need not survive a power cut."""
    with app.app_context(), pytest.raises(Unusable, match="fsync"):
        selfcheck.refuse_to_lose(base.settings)
