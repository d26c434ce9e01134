"""Getting in, staying in and being put out."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import select

from admin_app import auth, models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.models import Role
from admin_app.rules import Complaint
from tests.conftest import PASSWORD, PEOPLE
from tests.databases import by_hand


def log_in(client, username, password=PASSWORD):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text).group(1)
    return client.post("/login", data={"username": username, "password": password, "csrf_token": token})


def test_a_right_password_leads_home_and_leaves_a_new_session(app, ids):
    client = app.test_client()
    answer = log_in(client, "office")
    assert (answer.status_code, answer.location) == (302, "/")
    assert "工作台" in client.get("/").text


def test_a_wrong_password_and_an_unknown_account_get_the_same_sentence(app, ids):
    wrong, unknown = log_in(app.test_client(), "office", "x" * 14), log_in(app.test_client(), "nobody", "x" * 14)
    assert wrong.status_code == unknown.status_code == 200
    sentence = re.search(r'role="alert"><span>([^<]+)', wrong.text).group(1)
    assert sentence in unknown.text and "账号或密码不对" in sentence


def test_after_five_failures_even_the_right_password_waits(app, ids):
    for _ in range(5):
        log_in(app.test_client(), "office", "wrong-password-1")
    assert "15 分钟" in log_in(app.test_client(), "office").text
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for failure in session.scalars(select(m.LoginFailure)):
            failure.at -= dt.timedelta(minutes=16)
        session.commit()
    assert log_in(app.test_client(), "office").status_code == 302


@pytest.mark.parametrize("change", ["disabled", "role", "reset", "ended"])
def test_a_changed_account_is_out_at_once(change, app, ids, person):
    browser = person("secretary_a")
    assert browser.get("/child/").status_code == 200
    with app.app_context(), writing(SYSTEM) as session:
        user = session.get(m.User, ids.user_secretary_a)
        if change == "disabled":
            user.active = False
        elif change == "reset":
            auth.reset_password(session, user)
        else:
            auth.end_sessions(session, user.id)
    assert browser.get("/child/").location == "/login"


def test_an_idle_session_ends(app, ids, person):
    with app.app_context(), writing(SYSTEM) as session:
        for held in session.scalars(select(m.LoginSession)):
            held.seen_at -= dt.timedelta(days=4000)
    assert person("office").get("/child/").location == "/login"


def test_logging_out_kills_the_cookie_that_was_kept(app, ids, person):
    browser, thief = person("office"), person("office")
    assert browser.post("/logout").location == "/login"
    assert thief.get("/child/").location == "/login"
    assert browser.client.get("/logout").status_code in (302, 405)


def test_a_first_password_must_be_changed_before_any_other_page(app, ids, person):
    with app.app_context(), writing(SYSTEM) as session:
        session.get(m.User, ids.user_office).must_change = True
    browser = person("office")
    assert {browser.get(path).location for path in ("/", "/child/", "/child/export/xlsx/")} == {"/password"}
    again = {"old": PASSWORD, "password": "shan qing shui xiu 8", "again": "shan qing shui xiu 8"}
    assert browser.post("/password", again).location == "/"
    assert browser.get("/child/").status_code == 200


@pytest.mark.parametrize(
    "weak", ["short", "aaaaaaaaaaaaaaa", "password-1234", "office-office-office", "新平县教育局2026新平", "x" * 200]
)
def test_a_weak_password_is_refused_with_a_sentence(weak):
    with pytest.raises(Complaint):
        auth.check_password(weak, "office")


def test_a_long_chinese_sentence_is_a_good_password():
    auth.check_password("青山绿水之间的孩子们一起读书", "office")


def test_passwords_are_kept_as_argon2id(app, ids):
    with app.app_context(), writing(SYSTEM) as session:
        user = auth.create_user(session, "new", "新来的", [Role.OFFICE], None, "yi er san si wu liu")
        assert user.password_hash.startswith("$argon2id$v=19$m=65536,t=3")


def test_an_account_of_a_school_role_needs_a_school(app, ids):
    with app.app_context(), session_with(SYSTEM) as session, pytest.raises(Complaint):
        auth.create_user(session, "new", "新来的", [Role.SECRETARY], None, "yi er san si wu liu")


def test_a_fresh_database_has_no_account_of_its_own(app, ids):
    with app.app_context(), session_with(SYSTEM) as session:
        assert {u.username for u in session.scalars(select(m.User))} == set(PEOPLE)


def test_the_administrator_makes_an_account_with_several_roles(app, ids, person):
    browser = person("admin")
    form = {"username": "luo", "name": "罗老师", "school": ids.b, "active": "y", "roles": ["secretary", "principal"]}
    assert browser.post("/user_account/new/", form).status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        user = session.scalar(select(m.User).where(m.User.username == "luo"))
        assert {g.role for g in user.grants} == {Role.SECRETARY, Role.PRINCIPAL} and user.must_change


def test_headers_close_the_page(person):
    answer = person("office").get("/child/")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_foreign_host_name_is_refused(app, ids):
    assert app.test_client().get("/login", headers={"Host": "evil.example"}).status_code == 400


def test_the_server_tells_that_it_lives(app, ids):
    client = app.test_client()
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200)


def sessions_on(page: str) -> list[str]:
    return re.findall(r'name="id" value="(\d+)"', page)


def test_everybody_sees_and_ends_the_own_other_browsers(app, ids):
    here, there, stranger = (app.test_client() for _ in range(3))
    log_in(here, "secretary_a")
    log_in(there, "secretary_a")
    log_in(stranger, "secretary_b")
    page = here.get("/session/").text
    assert "本次登录" in page and "secretary_b" not in page
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)[1]
    others = sessions_on(page)
    for number in others:
        assert here.post("/session/end/", data={"csrf_token": token, "id": number}).status_code == 302
    assert there.get("/child/").status_code == 302 and here.get("/child/").status_code == 200
    assert stranger.get("/child/").status_code == 200


def test_nobody_but_the_administrator_ends_the_browser_of_another(app, ids):
    own, other, admin = (app.test_client() for _ in range(3))
    log_in(own, "secretary_a")
    log_in(other, "secretary_b")
    log_in(admin, "admin")
    with app.app_context(), session_with(SYSTEM) as session:
        newest = select(m.LoginSession.id).where(m.LoginSession.user_id == ids.user_secretary_b).order_by(m.LoginSession.id.desc())
        target = session.scalars(newest).first()
    for browser, status in ((own, 404), (admin, 302)):
        token = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/session/").text)[1]
        assert browser.post("/session/end/", data={"csrf_token": token, "id": str(target)}).status_code == status
    assert other.get("/child/").status_code == 302


@pytest.mark.parametrize(("days", "status"), [(89, 302), (91, 200)])
def test_an_account_that_nobody_used_for_ninety_days_is_closed_until_it_is_reset(days, status, app, ids):
    table, long_ago = m.User.__table__, dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    with by_hand(app) as connection:  # past the stamp of a save
        connection.execute(table.update().where(table.c.username == "office").values(updated_at=long_ago))
    answer = log_in(app.test_client(), "office")
    assert answer.status_code == status
    assert status == 302 or "账号或密码不对" in answer.text
    with app.app_context(), writing(SYSTEM) as session:
        first = auth.reset_password(session, session.get_one(m.User, ids.user_office))
    assert log_in(app.test_client(), "office", first).status_code == 302


def test_the_table_of_rights_is_printed_as_the_product_holds_it(app, person):
    from admin_app.access import RIGHTS, permissions

    rows = permissions()
    assert {(row["role"], row["resource"]) for row in rows} == {
        (r.value, s.value) for r in RIGHTS for s, acts in RIGHTS[r].items() if acts
    }
    page = person("secretary_a").get("/session/permissions/").text
    assert "权限表" in page and "完整号码导出" in page and "显示完整号码" in page
