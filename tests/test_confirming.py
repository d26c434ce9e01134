"""What changes who may do what asks for the password again, and loses nothing that was typed."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import select

from admin_app import auth, models as m, tries
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.models import Role
from admin_app.orm import utcnow
from tests.conftest import PASSWORD
from tests.test_login import log_in

ASKED = "请再输一次密码"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
LUO = {"username": "luo", "name": "罗老师", "active": "y", "roles": ["secretary", "principal"]}


@pytest.fixture(autouse=True)
def long_ago(app, ids, monkeypatch):
    """Everybody logged in a while ago."""
    monkeypatch.setitem(app.config, "CONFIRMED_FOR", auth.CONFIRMED_FOR)
    since(app, auth.CONFIRMED_FOR * 2)


def since(app, ago) -> None:
    with app.app_context(), writing(SYSTEM) as session:
        for held in session.scalars(select(m.LoginSession)):
            held.confirmed_at = utcnow() - ago


def carried(page: str) -> dict[str, list[str]]:
    """The fields that the page of the password sends along."""
    fields: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(page):
        fields.setdefault(html.unescape(name), []).append(html.unescape(value))
    return fields


def accounts(app) -> set[str]:
    with app.app_context(), session_with(SYSTEM) as session:
        return set(session.scalars(select(m.User.username)))


def test_a_new_account_is_made_with_all_that_was_typed_once_the_password_was_given(app, ids, person):
    admin = person("admin")
    page = admin.post("/user_account/new/?url=/user_account/", LUO | {"school": ids.b}).text
    assert ASKED in page and 'action="/user_account/new/?url=/user_account/"' in page and "luo" not in accounts(app)
    form = carried(page)
    wrong = admin.post("/user_account/new/?url=/user_account/", form | {"confirm_password": "wrong-password-1"}).text
    assert "密码不对" in wrong and carried(wrong).keys() == form.keys() and "luo" not in accounts(app)
    saved = admin.post("/user_account/new/?url=/user_account/", carried(wrong) | {"confirm_password": PASSWORD})
    assert saved.location == "/user_account/"
    with app.app_context(), session_with(SYSTEM) as session:
        user = session.scalars(select(m.User).where(m.User.username == "luo")).one()
        assert (user.name, user.school_id) == ("罗老师", ids.b) and {g.role for g in user.grants} == {
            Role.SECRETARY,
            Role.PRINCIPAL,
        }


def test_it_is_not_asked_again_for_ten_minutes_in_this_browser(app, ids, person):
    admin, reset = person("admin"), {"id": ids.user_secretary_a}
    assert admin.post("/user_account/reset/", reset | {"confirm_password": PASSWORD}).status_code == 302
    assert admin.post("/user_account/reset/", reset).status_code == 302
    since(app, auth.CONFIRMED_FOR * 2)
    assert ASKED in admin.post("/user_account/reset/", reset).text


def test_who_has_just_logged_in_is_not_asked(app, ids):
    admin = app.test_client()
    log_in(admin, "admin")
    token = re.search(r'name="csrf-token" content="([^"]+)"', admin.get("/session/").text)[1]
    assert admin.post("/user_account/reset/", data={"csrf_token": token, "id": ids.user_secretary_a}).status_code == 302


@pytest.mark.parametrize("act", ["edit/?id={user}", "reset/", "unlock/", "remove-codes/"])
def test_every_act_on_an_account_asks_and_does_nothing_before(app, ids, person, act):
    before = state(app, ids)
    path = "/user_account/" + act.format(user=ids.user_secretary_a)
    form = LUO | {"username": "secretary_a", "school": ids.a, "id": ids.user_secretary_a, "version": 1}
    page = person("admin").post(path, form).text
    assert ASKED in page and state(app, ids) == before


def test_to_put_somebody_else_out_asks_and_to_leave_oneself_does_not(app, ids, person):
    with app.app_context(), session_with(SYSTEM) as session:
        hers = session.scalars(select(m.LoginSession.id).where(m.LoginSession.user_id == ids.user_office)).one()
    assert ASKED in person("admin").post("/session/end/", {"id": hers}).text and person("office").get("/").status_code == 200
    assert person("office").post("/session/end/", {"id": hers}).status_code == 302


def test_the_page_is_no_way_to_guess_a_password(app, ids, person):
    admin, reset = person("admin"), {"id": ids.user_secretary_a}
    for n in range(5):
        admin.post("/user_account/reset/", reset | {"confirm_password": f"wrong-password-{n}"})
    assert tries.LOCKED in admin.post("/user_account/reset/", reset | {"confirm_password": PASSWORD}).text


def test_who_has_no_right_is_refused_before_any_password(ids, person):
    assert person("office").post("/user_account/reset/", {"id": ids.user_secretary_a}).status_code == 403


def test_a_password_typed_here_is_in_no_draft(app, ids, person, monkeypatch):
    """The office may keep a draft; the field of the password is not part of it."""
    browser = person("office")
    browser.post("/activity/new/", {"title": "演练"})
    with app.app_context(), writing(SYSTEM) as session:
        for held in session.scalars(select(m.LoginSession)):
            held.ended_at, held.gave_way = utcnow(), True
    browser.post("/activity/new/", {"title": "演练", "confirm_password": PASSWORD, "password": PASSWORD})
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalars(select(m.Draft.fields)).one() == '[["title", "演练"]]'


def state(app, ids):
    with app.app_context(), session_with(SYSTEM) as session:
        user = session.get_one(m.User, ids.user_secretary_a)
        held = session.scalars(select(m.LoginSession.ended_at).where(m.LoginSession.user_id == user.id)).all()
        return user.name, user.password_hash, user.active, held
