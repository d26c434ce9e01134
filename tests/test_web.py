"""What a browser is told and what it may send: headers, cookies, hosts, other sites' pages, return addresses, errors, sizes."""

from __future__ import annotations

import datetime as dt
import re
import socket
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from admin_app import accounts, create_app, models as m, serving, settings as configuration
from admin_app.access import SYSTEM
from admin_app.db import db, session_with, writing
from admin_app.orm import keyring
from tests.conftest import PASSWORD
from tests.databases import by_hand
from tests.test_login import log_in

pytestmark = pytest.mark.matrix

# --- pages of other sites ---


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        ({}, 302),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 302),
        ({"Sec-Fetch-Site": "none"}, 302),
        ({"Sec-Fetch-Site": "cross-site"}, 400),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 400),
        ({"Origin": "http://localhost"}, 302),
        ({"Origin": "http://localhost:8001"}, 400),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "http://localhost.evil.example"}, 400),
        ({"Origin": "null"}, 400),
    ],
)
def test_a_form_of_another_sites_page_is_refused_even_with_its_token(head, answer, person):
    assert person("office").post("/language", {"locale": "en"}, headers=head).status_code == answer


def test_logging_out_is_a_post_and_empties_the_browser(person):
    browser = person("office")
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout").headers["Clear-Site-Data"] == '"cache"'


def test_logging_in_needs_the_token_of_the_page(app, ids):
    answer = app.test_client().post("/login", data={"username": "office", "password": PASSWORD})
    assert answer.status_code == 400


# --- return addresses ---

ELSEWHERE = [
    "https://evil.example", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "https:evil.example", "https:/evil.example", "http:///evil.example", "//evil.example/child/", "//localhost@evil.example", "https://localhost@evil.example",
    "https://localhost.evil.example", "https://localhost:80@evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)",
    "\tjavascript:alert(1)", "data:text/html,x", "vbscript:x", "/\t/evil.example", "\x00//evil.example", "//evil%2eexample", "///\\;@evil.example", " //evil.example",
]  # fmt: skip


def is_ours(target: str) -> bool:
    """Does a browser that follows this from a page of ours stay with us? Browsers drop tabs and line ends, and read \\ as /."""
    read = re.sub(r"[\t\r\n]", "", target).strip("\0\x01 ").replace("\\", "/")
    parts = urlsplit(read)
    return not read.startswith("//") and (parts.scheme in ("", "http", "https")) and (parts.netloc in ("", "localhost"))


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_return_address_leads_elsewhere(target, person, app, ids):
    browser, sent = person("secretary_a"), quote(target)
    answers = [
        browser.get(f"{path}url={sent}&next={sent}") for path in ("/activity/new/?", f"/activity/details/?id={ids.activity_a}&")
    ]
    links = [link for answer in answers for link in re.findall(r'(?:href|action)="([^"]*)"', answer.text)]
    assert links and [link for link in links if not is_ours(link)] == []
    form = {"school": ids.a, "title": "演练", "kind": 27, "on": "2025-10-10"}
    saved = browser.post(f"/activity/new/?url={sent}&next={sent}", form)
    gone = browser.post("/activity/delete/", {"id": ids.activity_a, "reason": "重复", "url": target})
    for answer in (saved, gone):
        assert answer.status_code == 302 and is_ours(answer.location)
    assert log_in_with_next(app, sent) == "/"


def log_in_with_next(app, sent: str) -> str:
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(f"/login?next={sent}").text).group(1)
    return client.post(f"/login?next={sent}", data={"username": "office", "password": PASSWORD, "csrf_token": token}).location


# --- hosts, cookies, the proxy ---


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost@evil.example", "", "a b", "[::2]"]
)
def test_only_our_own_host_names_are_served(host, app, ids):
    for path in ("/login", "/", "/static/app.css", "/nowhere"):
        assert app.test_client().get(path, headers={"Host": host}).status_code == 400


def test_a_proxys_word_is_taken_only_from_the_proxy_that_was_named(tmp_path):
    env = {"DATA_DIR": str(tmp_path)}
    assert serving.behind(configuration.read(env)) == {}
    told = serving.behind(configuration.read(env | {"TRUSTED_PROXY": "10.0.0.2"}))
    assert (told["trusted_proxy"], told["trusted_proxy_count"]) == ("10.0.0.2", 1)
    assert told["trusted_proxy_headers"] == {"x-forwarded-for", "x-forwarded-proto"}


def test_an_address_that_the_browser_made_up_is_not_logged(app, ids):
    liar = app.test_client()
    liar.environ_base["HTTP_X_FORWARDED_FOR"] = "6.6.6.6"
    log_in(liar, "office")
    with app.app_context(), session_with(SYSTEM) as session:
        addresses = set(session.scalars(select(m.AuditEntry.address).where(m.AuditEntry.action == "login")))
    assert addresses == {"127.0.0.1"}


def test_behind_https_the_browser_is_told_to_stay_there(app, monkeypatch, ids):
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], behind_tls=True))
    assert "max-age=31536000" in app.test_client().get("/login").headers["Strict-Transport-Security"]


def test_the_cookie_is_for_the_server_alone(app, ids):
    (cookie,) = app.test_client().get("/login").headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie


# --- errors and sizes ---


def test_an_error_tells_its_number_and_nothing_else(app, person, ids, monkeypatch, caplog):
    def broken(*_args, **_kwargs):
        with session_with(SYSTEM) as session:
            session.scalar(select(m.Child).where(m.Child.name == "甲小雨", m.Child.id == 2**70))
        raise RuntimeError("SELECT secret FROM child WHERE name='甲小雨'")

    monkeypatch.setattr("admin_app.views.audit.AuditView.decorate", broken)
    answer = person("office").get("/audit_entry/?user=SECRET-PARAMETER")
    assert answer.status_code == 500
    assert (
        "script-src 'self';" in answer.headers["Content-Security-Policy"] and answer.headers["X-Content-Type-Options"] == "nosniff"
    )
    assert "no-store" in answer.headers["Cache-Control"]
    number = re.search(r"\d{8}", answer.text).group()
    for word in ("SELECT", "Traceback", "甲小雨", "SECRET-PARAMETER", "RuntimeError", "sqlalchemy", "site-packages", ".py"):
        assert word not in answer.text, word
    assert number in caplog.text and "SECRET-PARAMETER" not in caplog.text


def test_whatever_the_environment_says_errors_are_not_shown_in_detail(tmp_path, monkeypatch):
    held = dict(vars(keyring))
    monkeypatch.setenv("FLASK_DEBUG", "1")
    try:
        assert create_app(configuration.read({"DATA_DIR": str(tmp_path)})).debug is False
    finally:
        vars(keyring).update(held)


def part(name: str, value: str) -> str:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("search=" + "x" * (13 * 2**20), "application/x-www-form-urlencoded"),
        ("".join(part(f"f{n}", "") for n in range(1100)) + "--x--\r\n", "multipart/form-data; boundary=x"),
        (part("text", "x" * (3 * 2**20)) + "--x--\r\n", "multipart/form-data; boundary=x"),
    ],
    ids=["too large", "too many parts", "one part too large"],
)
def test_too_much_is_refused_unread(body, kind, person):
    assert person("office").client.post("/activity/new/", data=body.encode(), content_type=kind).status_code == 413


@pytest.mark.parametrize("more", ["", '; filename="a"'], ids=["a field", "a file"])
@pytest.mark.parametrize("who", ["office", "anonymous"])
def test_a_part_without_a_name_is_refused(who, more, person):
    body = f"--x\r\nContent-Disposition: form-data{more}\r\n\r\n1\r\n--x--\r\n"
    answer = person(who).client.post("/login", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400


def test_a_page_of_a_list_has_its_length_whatever_is_asked(person):
    page = person("office").get("/code/?page_size=100000").text
    assert page.count("<tr") == 51  # the head and fifty


# --- passwords ---


@pytest.fixture
def verified(monkeypatch):
    """How often a password was hashed: what takes the time of a login."""
    count = SimpleNamespace(n=0)
    verify = PasswordHasher.verify

    def counted(*args):
        count.n += 1
        return verify(*args)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    return count


def test_unknown_wrong_disabled_and_expired_get_one_answer_after_the_same_work(app, ids, verified):
    with app.app_context(), writing(SYSTEM) as session:
        session.get(m.User, ids.user_leader).active = False
        late = session.get(m.User, ids.user_admin)
        late.must_change, late.password_expires_at = True, late.created_at.replace(year=2020)
    pages = []
    for name, password in (("nobody", PASSWORD), ("office", "x" * 14), ("leader", PASSWORD), ("admin", PASSWORD)):
        verified.n = 0
        page = log_in(app.test_client(), name, password).text
        assert verified.n == 1, name
        pages.append(re.sub(r'csrf[-_]token" (value|content)="[^"]+"|value="\w+"', "", page))
    assert len(set(pages)) == 1
    for name in ("nobody", "office"):
        for _ in range(5):
            page = log_in(app.test_client(), name, "x" * 14).text
        assert "尝试次数过多" in page


def test_the_old_password_is_not_guessed_on_the_page_that_changes_it(person, app, ids, verified):
    browser = person("office")
    form = {"password": "shan qing shui xiu 8", "again": "shan qing shui xiu 8"}
    assert "原密码不对" in browser.post("/password", form).text
    for n in range(5):
        browser.post("/password", form | {"old": f"wrong-password-{n}"})
    verified.n = 0
    assert "尝试次数过多" in browser.post("/password", form | {"old": PASSWORD}).text and verified.n == 0


def test_a_password_of_64_characters_counts_whole_and_one_of_ten_thousand_costs_nothing(app, ids, verified):
    long = ("青山绿水之间的孩子们一起读书" * 5)[:64]
    with app.app_context(), writing(SYSTEM) as session:
        accounts.set_password(session.get(m.User, ids.user_office), long)
    assert log_in(app.test_client(), "office", long[:-1]).status_code == 200
    verified.n = 0
    assert log_in(app.test_client(), "office", "长" * 10_000).status_code == 200 and verified.n == 0
    assert log_in(app.test_client(), "office", long).status_code == 302


def test_a_hash_of_old_settings_is_renewed_at_the_next_login(app, ids, real_hasher):
    with app.app_context(), writing(SYSTEM) as session:
        session.get(m.User, ids.user_office).password_hash = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    assert log_in(app.test_client(), "office").status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        assert "m=65536,t=3" in session.get(m.User, ids.user_office).password_hash


def test_a_cookie_from_before_the_login_is_nobody_after_it(app, ids):
    client = app.test_client()
    client.get("/login")
    before = client.get_cookie("session").value
    log_in(client, "office")
    assert client.get_cookie("session").value != before
    with client.session_transaction() as cookie:
        assert set(cookie) <= {"_user_id", "_fresh", "_id", "csrf_token", "_flashes"}
    thief = app.test_client()
    thief.set_cookie("session", before)
    assert thief.get("/child/").location == "/login"


def test_a_first_password_lasts_72_hours(app, ids):
    with app.app_context(), writing(SYSTEM) as session:
        user = session.get(m.User, ids.user_office)
        password = accounts.reset_password(session, user)
        user.password_expires_at -= dt.timedelta(hours=71)
    assert log_in(app.test_client(), "office", password).status_code == 302
    with app.app_context(), writing(SYSTEM) as session:
        session.get(m.User, ids.user_office).password_expires_at -= dt.timedelta(hours=1)
    assert log_in(app.test_client(), "office", password).status_code == 200


def test_the_administrators_page_puts_an_account_out_and_never_his_own(person, ids, app):
    browser, her = person("admin"), person("secretary_a")
    assert 'type="password"' not in browser.get(f"/user_account/edit/?id={ids.user_secretary_a}").text
    form = {"username": "secretary_a", "name": "填报员a", "school": ids.b, "active": "y", "roles": ["secretary"], "version": 1}
    assert browser.post(f"/user_account/edit/?id={ids.user_secretary_a}", form).status_code == 302
    assert her.get("/child/").location == "/login"
    own = {"username": "admin", "name": "管理员甲", "roles": ["admin", "office"], "active": "y", "version": 1}
    assert "不能修改自己的账号" in browser.post(f"/user_account/edit/?id={ids.user_admin}", own).text


def test_a_session_ends_after_its_longest_time_however_busy_it_was(app, ids, person, monkeypatch):
    monkeypatch.setitem(app.config, "LONGEST", dt.timedelta(hours=12))
    with app.app_context(), writing(SYSTEM) as session:
        for held in session.scalars(select(m.LoginSession)):
            held.started_at -= dt.timedelta(hours=13)
    assert person("office").get("/child/").location == "/login"


# --- the database ---


def test_every_connection_is_made_to_keep_what_it_acknowledged(app, ids):
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("pragmas are SQLite's")
        for _ in range(2):
            db.engine.dispose()
            with db.engine.connect() as connection:
                said = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys")
                ]
                assert said == ["wal", 2, 1] and connection.exec_driver_sql("PRAGMA busy_timeout").scalar() >= 5000


def test_a_sealed_value_is_unreadable_in_the_file_and_bound_to_its_column(app, ids):
    with app.app_context():
        with session_with(SYSTEM) as session:
            number = session.get(m.Child, ids.child_a).id_number
        with by_hand(app) as connection:
            stored = connection.exec_driver_sql(f"select id_number from child where id = {ids.child_a}").scalar()
            assert number[6:14] not in stored and stored.startswith(keyring.key_id)
            connection.exec_driver_sql(f"update parent set phone = '{stored}' where id = {ids.parent_a}")
        with session_with(SYSTEM) as session, pytest.raises(ValueError):
            session.scalars(select(m.Parent.phone).where(m.Parent.id == ids.parent_a)).one()


def test_the_tests_notice_a_connection_that_leaves_this_machine():
    """Every test of the product runs under this watch (S67)."""
    with socket.socket() as outgoing, pytest.raises(AssertionError, match="a connection to"):
        outgoing.connect(("192.0.2.1", 80))
