"""A form that arrives after its session has run out comes back after login: to its author, and to nobody else."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3

import pytest
from sqlalchemy import select

from admin_app import auth, models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from tests import databases
from tests.test_bad_input import form_of_child
from tests.test_login import log_in

HALF_HOUR = dt.timedelta(minutes=30)
REMARK = "爷爷住院 GEHEIM"
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
LINK = re.compile(r'href="([^"]*draft=\d+)"')


@pytest.fixture(autouse=True)
def half_an_hour(app, ids, monkeypatch):
    monkeypatch.setitem(app.config, "IDLE", HALF_HOUR)
    monkeypatch.setitem(app.config, "LONGEST", dt.timedelta(hours=12))


@pytest.fixture
def expired(app, person):
    """Somebody with a form open whose session has run out meanwhile."""

    def sit(name="secretary_a", how="idle"):
        browser = person(name)
        page = browser.get("/password").text
        browser.token = TOKEN.search(page).group(1)
        with app.app_context(), writing(SYSTEM) as session:
            for held in session.scalars(select(m.LoginSession)):
                if how == "idle":
                    held.seen_at -= dt.timedelta(hours=1)
                elif how == "longest":
                    held.started_at -= dt.timedelta(hours=13)
                elif how == "logout":
                    held.ended_at = dt.datetime.now(dt.UTC)
        return browser

    return sit


def drafts(app):
    with app.app_context(), session_with(SYSTEM) as session:
        return [(d.user_id, d.path, dict(json.loads(d.fields))) for d in session.scalars(select(m.Draft).order_by(m.Draft.id))]


def test_a_new_record_comes_back_filled_in_and_is_saved(app, ids, expired):
    browser = expired()
    answer = browser.post("/child/new/?url=/child/&name=李某某", form_of_child(ids, remark=REMARK))
    assert (answer.status_code, answer.location) == (302, "/login")
    assert auth.DRAFT_KEPT in browser.get("/login").text
    ((user_id, path, fields),) = drafts(app)
    assert (user_id, path) == (ids.user_secretary_a, "/child/new/"), "no name in the address that is kept"
    assert fields["remark"] == REMARK and "csrf_token" not in fields

    assert log_in(browser.client, "secretary_a").location == "/"
    home = browser.get("/").text
    assert "您有一份未保存的内容" in home and "新增" in home and "继续填写" in home
    assert "您有一份未保存的内容" in browser.get("/child/new/").text, "also on the page itself"
    assert "您有一份未保存的内容" not in browser.get(f"/child/edit/?id={ids.child_a}").text
    address = LINK.search(home).group(1)
    form = browser.get(address).text
    assert REMARK in form and 'value="普小龙"' in form and "已填入您上次未保存的内容" in form and "继续填写" not in form

    browser.token = ""
    assert browser.post(address, form_of_child(ids, remark=REMARK)).status_code == 302
    assert drafts(app) == [] and "一份未保存" not in browser.get("/").text
    assert browser.get(address).status_code == 404
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalar(select(m.Child.remark).where(m.Child.name == "普小龙")) == REMARK


def test_a_change_comes_back_with_its_version(app, ids, expired):
    browser = expired(how="longest")
    form = form_of_child(ids, name="甲小雨", remark=REMARK, version="1")
    assert browser.post(f"/child/edit/?id={ids.child_a}", form).location == "/login"
    ((_user, path, fields),) = drafts(app)
    assert path == f"/child/edit/?id={ids.child_a}" and fields["version"] == "1"
    with app.app_context(), writing(SYSTEM) as session:
        session.get(m.Child, ids.child_a).class_name = "9班"  # a colleague was faster
    log_in(browser.client, "secretary_a")
    address = LINK.search(browser.get("/").text).group(1).replace("&amp;", "&")
    page = browser.get(address).text
    assert REMARK in page and 'name="version" type="hidden" value="1"' in page
    browser.token = ""
    answer = browser.post(address, form)
    assert "他人已先保存" in answer.text and len(drafts(app)) == 1, "nothing is lost yet"


def test_several_values_of_one_field_come_back(app, ids, expired):
    browser = expired()
    data = form_of_child(ids, income=["1", "2"])
    browser.post("/child/new/", data)
    with app.app_context(), session_with(SYSTEM) as session:
        pairs = json.loads(session.scalar(select(m.Draft.fields)))
    assert [v for k, v in pairs if k == "income"] == ["1", "2"]


def test_it_lies_sealed_and_nothing_of_it_is_logged(app, ids, expired, base, caplog):
    caplog.set_level(0)
    browser = expired()
    form = form_of_child(ids, remark=REMARK)
    browser.post("/child/new/", form)
    assert "GEHEIM" not in caplog.text and form["id_number"] not in caplog.text
    with app.app_context(), session_with(SYSTEM) as session:
        entries = {e.id: e.table_name for e in session.scalars(select(m.AuditEntry))}
        logged = [(entries[v.entry_id], v.changes) for v in session.scalars(select(m.AuditValue))]
    assert "GEHEIM" not in str(logged) and "普小龙" not in str(logged)
    assert "draft" not in {table for table, _changes in logged}
    if not databases.ON_POSTGRES:
        with sqlite3.connect(base.settings.data_dir / "register.sqlite3") as raw:
            (stored,) = raw.execute("select fields from draft").fetchone()
        raw.close()
        assert "GEHEIM" not in stored and "普" not in stored


def test_another_person_at_the_same_browser_neither_sees_nor_opens_it(app, ids, expired):
    browser = expired()
    browser.post("/child/new/", form_of_child(ids, remark=REMARK))
    log_in(browser.client, "secretary_b")
    assert "一份未保存" not in browser.get("/").text + browser.get("/child/new/").text
    with app.app_context(), session_with(SYSTEM) as session:
        number = session.scalar(select(m.Draft.id))
    browser.token = ""
    assert browser.get(f"/child/new/?draft={number}").status_code == 404
    assert browser.get(f"/drafts/?id={number}").status_code == 404
    assert browser.post("/drafts/drop/", {"id": number}).status_code == 404
    assert browser.post(f"/child/new/?draft={number}", form_of_child(ids, name="普小凤", school=ids.b)).status_code == 302
    assert len(drafts(app)) == 1, "saving a form of one's own drops nobody else's draft"


def test_a_draft_opens_on_its_own_page_only(app, ids, expired):
    browser = expired()
    browser.post(f"/child/edit/?id={ids.child_a}", form_of_child(ids))
    log_in(browser.client, "secretary_a")
    with app.app_context(), session_with(SYSTEM) as session:
        number = session.scalar(select(m.Draft.id))
    for path in (f"/child/edit/?id={ids.child_site}&draft={number}", f"/child/new/?draft={number}", "/child/new/?draft=abc"):
        assert browser.get(path).status_code == 404, path
    assert browser.get(f"/child/edit/?id={ids.child_a}&draft={number}").status_code == 200


def test_it_may_be_dropped(app, ids, expired):
    browser = expired()
    browser.post("/child/new/", form_of_child(ids))
    log_in(browser.client, "secretary_a")
    number = re.search(r'name="id" value="(\d+)"', browser.get("/").text).group(1)
    browser.token = ""
    assert browser.post("/drafts/drop/", {"id": number}).location == "/"
    assert drafts(app) == [] and "您有一份未保存的内容" not in browser.get("/").text
    assert browser.post("/drafts/drop/", {"id": number}).status_code == 404


def test_after_a_day_it_is_gone(app, ids, expired):
    browser = expired()
    browser.post("/child/new/", form_of_child(ids))
    with app.app_context(), writing(SYSTEM) as session:
        draft = session.scalar(select(m.Draft))
        draft.at -= dt.timedelta(hours=25)
        number = draft.id
    assert log_in(browser.client, "secretary_a").status_code == 302
    assert drafts(app) == [], "the next login sweeps"
    assert "一份未保存" not in browser.get("/").text and browser.get(f"/child/new/?draft={number}").status_code == 404


def test_a_page_without_a_form_of_its_own_shows_what_was_typed(app, ids, expired):
    browser = expired()
    browser.post("/child/reveal/", {"id": ids.child_a, "reason": "核对 GEHEIM"})
    log_in(browser.client, "secretary_a")
    home = browser.get("/").text
    address = re.search(r'href="(/drafts/\?id=\d+)"', home).group(1)
    assert "查看内容" in home and "核对 GEHEIM" in browser.get(address).text
    assert browser.get("/drafts/").status_code == 404


def test_the_same_page_keeps_its_newest_and_an_account_five(app, ids, expired):
    browser = expired()
    for remark in ("一", "二"):
        browser.post("/child/new/", form_of_child(ids, remark=remark))
    assert [fields["remark"] for _user, _path, fields in drafts(app)] == ["二"]
    for n in range(1, 8):
        browser.post(f"/child/edit/?id={n}", form_of_child(ids))
    assert [path for _user, path, _fields in drafts(app)] == [f"/child/edit/?id={n}" for n in range(3, 8)]


# --- what is not kept ---


@pytest.mark.parametrize(
    "how",
    ["logout", "disabled", "forged", "no token", "no cookie", "foreign cookie", "upload", "large", "password", "unknown page"],
)
def test_nothing_is_kept_for(how, app, ids, expired, person):
    browser = expired(how="logout" if how == "logout" else "idle")
    path, form, more = "/child/new/", form_of_child(ids), {}
    if how == "disabled":
        with app.app_context(), writing(SYSTEM) as session:
            session.get(m.User, ids.user_secretary_a).active = False
    elif how == "forged":
        browser.token = browser.token[:-3] + "abc"
    elif how == "no token":
        form["csrf_token"] = ""
    elif how == "no cookie":
        browser.client.delete_cookie("session")
    elif how == "foreign cookie":  # a token that another browser was given
        browser.token = TOKEN.search(person("anonymous").get("/login").text).group(1)
    elif how == "upload":
        more = {"content_type": "multipart/form-data"}
    elif how == "large":
        form["remark"] = "长" * 30_000
    elif how == "password":
        path, form = "/password", {"old": "chang-mi-ma-2026", "password": "x" * 14, "again": "x" * 14}
    elif how == "unknown page":
        path = "/nowhere/"
    answer = browser.post(path, form, **more)
    assert (answer.status_code, answer.location) == (302, "/login") and drafts(app) == []
    assert auth.DRAFT_KEPT not in browser.get("/login").text


def test_who_writes_nothing_leaves_no_draft(app, ids, expired):
    assert expired("leader").post("/child/new/", form_of_child(ids)).location == "/login" and drafts(app) == []


def test_a_live_session_keeps_no_draft(app, ids, person):
    assert person("secretary_a").post("/child/new/", form_of_child(ids, name="1")).status_code == 200
    assert drafts(app) == []


def test_an_old_token_is_forgiven_for_a_draft_and_for_nothing_else(app, ids, expired, monkeypatch):
    browser = expired()
    monkeypatch.setitem(app.config, "WTF_CSRF_TIME_LIMIT", -1)  # every token is too old
    assert browser.post("/child/new/", form_of_child(ids)).location == "/login" and len(drafts(app)) == 1
    with app.app_context(), writing(SYSTEM) as session:
        for held in session.scalars(select(m.LoginSession)):
            held.seen_at += dt.timedelta(hours=1)
    assert browser.post("/child/new/", form_of_child(ids)).status_code == 400


@pytest.mark.parametrize("path", ["/child/", "/care_record/ajax/lookup/"])
def test_what_was_only_searched_for_is_no_draft(path, app, ids, expired):
    assert expired().post(path, {"search": "539999201605069013"}).location == "/login"
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalars(select(m.Draft)).all() == []
