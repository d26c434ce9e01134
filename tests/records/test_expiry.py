"""What is kept for a while only: a ledger nobody confirmed, a form nobody took up again, files nobody knows."""

from __future__ import annotations

import base64
import datetime as dt
import os

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import writing
from admin_app.orm import utcnow
from admin_app.records import attachments, expiry
from tests.test_login import log_in

HOURS = dt.timedelta(hours=1)


@pytest.fixture
def folder(base, app):
    """The attachments' folder with the files of this database and none that another test left; afterwards as it was."""
    folder = attachments.folder_of(base.settings.data_dir)
    with app.app_context(), writing(SYSTEM) as session:
        for path in attachments.orphans(session, folder, dt.timedelta(days=-1)):
            path.unlink()
    before = {path: path.read_bytes() for path in attachments.files(folder)}
    yield folder
    for path in set(attachments.files(folder)) - before.keys():
        path.unlink()
    for path, content in before.items():
        attachments.write(path, content)


def lie(folder, name, *, days):
    path = attachments.path_of(folder, name * 4)
    attachments.write(path, b"sealed")
    long_ago = (utcnow() - dt.timedelta(days=days)).timestamp()
    os.utime(path, (long_ago, long_ago))
    return path


def uploaded(session, ids, age):
    batch = m.ImportBatch(
        school_id=ids.a, file_name="台账.xlsx", start=dt.date(2025, 9, 1), content=base64.b64encode(b"539999201605069010").decode()
    )
    session.add(batch)
    session.flush()
    batch.created_at = utcnow() - age
    session.flush()
    return batch


def test_a_ledger_that_nobody_confirmed_is_forgotten_after_a_day_and_its_page_says_so(app, ids, person, folder):
    with app.app_context(), writing(SYSTEM) as session:
        old, new = uploaded(session, ids, 25 * HOURS).id, uploaded(session, ids, 23 * HOURS).id
    with app.app_context(), writing(SYSTEM) as session:
        expiry.forget_old(session, folder)
    with app.app_context(), writing(SYSTEM) as session:
        gone, waits = session.get(m.ImportBatch, old), session.get(m.ImportBatch, new)
        assert (gone.state, gone.content) == (m.ImportState.DROPPED, None) and waits.content
    browser = person("secretary_a")
    page = browser.get(f"/imports/preview/?id={old}", follow_redirects=True).text
    assert "超过24小时没有确认，内容已清除" in page


def test_a_login_forgets_all_that_is_too_old_and_nothing_younger(app, ids, person, folder):
    now, who = utcnow(), "f" * 64
    ages = {m.Draft: expiry.DRAFTS, m.UsedForm: expiry.FORMS, m.LoginFailure: expiry.LOGINS, m.LoginSession: expiry.LOGINS}
    made = {
        m.Draft: lambda at, n: m.Draft(user_id=ids.user_office, path=f"/{n}", fields="[]", at=at),
        m.UsedForm: lambda at, n: m.UsedForm(key=n * 64, location="/", at=at),
        m.LoginFailure: lambda at, _n: m.LoginFailure(who=who, address="10.0.0.1", at=at),
        m.LoginSession: lambda at, n: m.LoginSession(token_hash=n * 64, user_id=ids.user_office, started_at=at, seen_at=at),
    }
    with app.app_context(), writing(SYSTEM) as session:
        for model, lasts in ages.items():
            session.add_all([made[model](now - lasts - HOURS, "1"), made[model](now - lasts + HOURS, "2")])
        left = uploaded(session, ids, 25 * HOURS).id
    assert log_in(app.test_client(), "office").status_code == 302
    with app.app_context(), writing(SYSTEM) as session:
        assert session.get(m.ImportBatch, left).content is None
        for model, lasts in ages.items():
            at = model.started_at if model is m.LoginSession else model.at
            kept = session.scalars(select(at).where(at < now - lasts + 2 * HOURS)).all()
            assert kept == [now - lasts + HOURS], model


def test_files_of_an_erasure_that_was_cut_off_are_unlinked(app, ids, folder, system):
    (row,) = system.scalars(select(m.Attachment))
    path = attachments.path_of(folder, row.stored)
    system.delete(row)
    system.commit()
    expiry.forget_old(system, folder)
    assert path.exists(), "a day has not gone by"
    os.utime(path, (1, 1))
    expiry.forget_old(system, folder)
    assert not path.exists()


def test_a_database_that_never_took_these_files_in_leaves_them_alone(app, ids, folder, system):
    """Another database at this folder, or an older one restored beside newer files: they are somebody's."""
    (row,) = system.scalars(select(m.Attachment))
    stranger = lie(folder, "abcdef01", days=30)
    expiry.forget_old(system, folder)
    assert stranger.exists() and attachments.path_of(folder, row.stored).exists()
    assert stranger in attachments.orphans(system, folder)
