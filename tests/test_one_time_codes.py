"""A second factor: the codes of a phone, each once, for who wants them and for the roles that must."""

from __future__ import annotations

import datetime as dt
import re
import threading

import pyotp
import pytest
import time_machine
from flask import session as cookie
from sqlalchemy import select

from admin_app import accounts, auth, models as m, one_time_codes, sessions, tries
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.models import Role
from admin_app.orm import utcnow
from admin_app.rules import Complaint
from admin_app.settings import Unusable
from tests.conftest import PASSWORD
from tests.databases import by_hand
from tests.test_login import log_in

PAGE = "/one-time-code"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(utcnow())


def next_code(secret: str) -> str:
    """The one after the code that was used a moment ago."""
    return pyotp.TOTP(secret).at(utcnow() + dt.timedelta(seconds=30))


def scanned(page: str) -> tuple[str, str]:
    """What a phone takes from the page: the secret, and the sealed one that the form sends back."""
    secret = re.search(r'class="secret">([^<]+)<', page)[1].replace(" ", "")
    return secret, re.search(r'name="sealed" value="([^"]+)"', page)[1]


def set_up(browser) -> str:
    secret, sealed = scanned(browser.post(PAGE, {"act": "show"}).text)
    assert browser.post(PAGE, {"act": "start", "sealed": sealed, "code": code_of(secret)}).status_code == 302
    return secret


def give(client, code: str):
    token = TOKEN.search(client.get("/login/code").text)[1]
    return client.post("/login/code", data={"csrf_token": token, "code": code})


@pytest.fixture
def moving():
    """A clock that a test sets on."""
    with time_machine.travel(utcnow(), tick=False) as clock:
        yield clock


def test_a_login_asks_for_the_code_of_the_phone_and_a_code_counts_once(app, ids, person, moving):
    secret = set_up(person("office"))
    moving.shift(60)
    code = code_of(secret)
    here, thief = app.test_client(), app.test_client()
    for client in (here, thief):
        assert log_in(client, "office").location == "/login/code"
        assert client.get("/child/").location == "/login"
    assert give(here, code).location == "/" and here.get("/child/").status_code == 200
    assert "已用过" in give(thief, code).text and thief.get("/child/").location == "/login"
    moving.shift(30)
    assert give(thief, code_of(secret)).location == "/"


def test_a_clock_may_be_wrong_by_half_a_minute_and_no_more():
    secret, now = one_time_codes.new_secret(), 1_800_000_015
    codes = {steps: pyotp.TOTP(secret).at(now, counter_offset=steps) for steps in (-2, -1, 0, 1, 2)}
    found = {steps: one_time_codes.step_of(secret, code, None, now) for steps, code in codes.items()}
    assert found == {-2: None, -1: now // 30 - 1, 0: now // 30, 1: now // 30 + 1, 2: None}
    assert one_time_codes.step_of(secret, codes[0], now // 30, now) is None
    assert one_time_codes.step_of(secret, "".join(chr(ord(c) + 0xFEE0) for c in codes[0]) + " ", None, now) == now // 30
    assert [one_time_codes.step_of(secret, junk, None, now) for junk in ("", "1" * 5000, "二")] == [None] * 3


def test_codes_are_guessed_five_times(app, ids, person, moving):
    secret = set_up(person("office"))
    moving.shift(60)
    client = app.test_client()
    log_in(client, "office")
    for n in range(5):
        assert "动态口令不对" in give(client, f"{n:06}").text
    assert tries.LOCKED in give(client, code_of(secret)).text
    assert tries.LOCKED in log_in(app.test_client(), "office").text


def test_a_right_password_waits_five_minutes_for_its_code(app, ids, person, moving):
    secret = set_up(person("office"))
    moving.shift(60)
    client = app.test_client()
    log_in(client, "office")
    token = TOKEN.search(client.get("/login/code").text)[1]
    moving.shift(301)
    late = client.post("/login/code", data={"csrf_token": token, "code": code_of(secret)})
    assert late.location == "/login" and client.get("/child/").location == "/login"


def test_a_half_login_ends_with_the_password(app, ids, person, moving):
    secret = set_up(person("office"))
    moving.shift(60)
    client = app.test_client()
    log_in(client, "office")
    token = TOKEN.search(client.get("/login/code").text)[1]
    with app.app_context(), writing(SYSTEM) as session:
        accounts.reset_password(session, session.get_one(m.User, ids.user_office))
    assert client.post("/login/code", data={"csrf_token": token, "code": code_of(secret)}).location == "/login"


def test_the_secret_lies_sealed_and_is_in_no_log(app, ids, person):
    secret = set_up(person("office"))
    with by_hand(app) as connection:
        stored = connection.exec_driver_sql("select otp_secret from user_account where username = 'office'").scalar()
        assert stored and secret not in stored
    with app.app_context(), session_with(SYSTEM) as session:
        logged = session.scalars(select(m.AuditValue.changes).order_by(m.AuditValue.entry_id.desc()).limit(3)).all()
    assert {"动态口令": [None, "启用"]} in logged and secret[:4] not in str(logged)


def test_a_wrong_first_code_sets_nothing_up_and_shows_the_same_picture(app, ids, person):
    browser = person("office")
    secret, sealed = scanned(browser.post(PAGE, {"act": "show"}).text)
    again = browser.post(PAGE, {"act": "start", "sealed": sealed, "code": "000000"}).text
    assert "动态口令不对" in again and scanned(again)[0] == secret
    assert re.search(r'<img class="qr" src="data:image/svg\+xml', again) and "<svg" not in again
    assert log_in(app.test_client(), "office").location == "/"


def test_what_another_account_was_shown_sets_nothing_up(ids, person):
    secret, sealed = scanned(person("office").post(PAGE, {"act": "show"}).text)
    for junk in (sealed, "", "x:y", "长"):
        answer = person("leader").post(PAGE, {"act": "start", "sealed": junk, "code": code_of(secret)})
        assert answer.status_code == 200 and "设置已失效" in answer.text


def test_a_role_that_must_sets_them_up_before_anything_else(app, ids, person, monkeypatch):
    monkeypatch.setitem(app.config, "REQUIRE_TOTP", frozenset({Role.OFFICE}))
    browser = person("office")
    assert {browser.get(path).location for path in ("/", "/child/", "/child/export/xlsx/", "/session/")} == {PAGE}
    assert "须用动态口令" in browser.get(PAGE).text and person("secretary_a").get("/").status_code == 200
    secret = set_up(browser)
    assert browser.get("/child/").status_code == 200
    assert "不能停用" in browser.post(PAGE, {"act": "stop", "code": next_code(secret)}).text


def test_who_set_them_up_freely_stops_them(app, ids, person):
    """With the phone at hand: a browser left open is not enough to stop them, nor to put another phone in its place."""
    browser = person("office")
    secret = set_up(browser)
    for act in ("stop", "show"):
        page = browser.post(PAGE, {"act": act, "code": "000000"}).text
        assert "动态口令不对" in page and 'class="secret"' not in page
    assert browser.post(PAGE, {"act": "stop", "code": next_code(secret)}).status_code == 302
    assert log_in(app.test_client(), "office").location == "/"


def test_the_administrator_removes_the_codes_of_a_lost_phone(app, ids, person, monkeypatch):
    """Logged, the account is out, and the administrator gives the own password for it."""
    monkeypatch.setitem(app.config, "CONFIRMED_FOR", auth.CONFIRMED_FOR)
    with app.app_context(), writing(SYSTEM) as session:
        session.get_one(m.User, ids.user_office).otp_secret = one_time_codes.new_secret()
        for held in session.scalars(select(m.LoginSession)):
            held.confirmed_at = utcnow() - auth.CONFIRMED_FOR * 2
    admin, lost = person("admin"), {"id": ids.user_office}
    assert "已启用" in admin.get("/user_account/").text
    assert "请再输一次密码" in admin.post("/user_account/remove-codes/", lost).text
    assert admin.post("/user_account/remove-codes/", lost | {"confirm_password": PASSWORD}).status_code == 302
    assert person("office").get("/child/").location == "/login" and log_in(app.test_client(), "office").location == "/"
    with app.app_context(), session_with(SYSTEM) as session:
        entry = session.scalars(
            select(m.AuditEntry).where(m.AuditEntry.user_name == "管理员甲").order_by(m.AuditEntry.id.desc())
        ).first()
        assert session.get_one(m.AuditValue, entry.id).changes == {"动态口令": [None, "管理员移除"]}


def test_of_two_who_give_one_code_at_the_same_instant_one_is_in(app, ids, person, moving):
    """The account's row is held while its code is looked at; whoever comes second finds it used."""
    secret = set_up(person("office"))
    moving.shift(60)
    with app.app_context(), session_with(SYSTEM) as session:
        stored = session.get_one(m.User, ids.user_office).password_hash
    both_here, answers = threading.Barrier(2), []

    def give_it():
        with app.test_request_context("/login/code"):
            cookie["half_in"] = [ids.user_office, sessions.hash_of(stored), int(utcnow().timestamp())]
            both_here.wait()
            try:
                auth.give_code(code_of(secret))
                answers.append("in")
            except Complaint as e:
                answers.append(e.text[:13])

    people = [threading.Thread(target=give_it) for _ in range(2)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert sorted(answers) == ["in", "动态口令不对或已用过。再错"]


def test_a_role_that_does_not_exist_stops_the_start():
    with pytest.raises(Unusable, match="REQUIRE_TOTP"):
        auth._roles(("office", "boss"))
