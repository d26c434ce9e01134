"""Getting in, staying in and being put out."""

from __future__ import annotations

import datetime as dt
import re
import threading
import time

import pytest
from sqlalchemy import func, select

from admin_app import accounts, auth, models as m, passwords, sessions, tries
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.models import Role
from admin_app.orm import utcnow
from admin_app.rules import Complaint
from tests.conftest import PASSWORD, PEOPLE
from tests.test_audit import entries


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
        said = [changes for _entry, changes in entries(session, "refused", "user_account")]
        assert len(said) == 6 and [("锁定中" in changes) for changes in said] == [False] * 5 + [True]
        for failure in session.scalars(select(m.LoginFailure)):
            failure.at -= dt.timedelta(minutes=16)
        session.commit()
    assert log_in(app.test_client(), "office").status_code == 302


def test_who_changes_the_password_is_in_and_every_other_browser_of_the_account_out(app, ids):
    first, other = app.test_client(), app.test_client()
    for client in (first, other):
        log_in(client, "office")
    token = re.search(r'name="csrf_token" value="([^"]+)"', first.get("/password").text).group(1)
    again = {"old": PASSWORD, "password": "shan qing shui xiu 8", "again": "shan qing shui xiu 8", "csrf_token": token}
    assert first.post("/password", data=again).location == "/"
    assert (first.get("/child/").status_code, other.get("/child/").location) == (200, "/login")
    with app.app_context(), session_with(SYSTEM) as session:
        entry = session.scalars(select(m.AuditEntry).order_by(m.AuditEntry.id.desc()).limit(1)).one()
        assert (entry.action, entry.table_name, entry.row_id, entry.user_id) == (
            "update", "user_account", str(ids.user_office), ids.user_office
        )  # fmt: skip


def test_from_one_address_no_more_than_fifty_tries_whatever_the_account(app, ids, monkeypatch):
    assert tries.MAX_FAILURES_OF_ADDRESS == 50
    monkeypatch.setattr(tries, "MAX_FAILURES_OF_ADDRESS", 6)
    for number in range(6):
        assert "账号或密码不对" in log_in(app.test_client(), f"nobody{number}").text
    assert "尝试次数过多" in log_in(app.test_client(), "office").text
    elsewhere = app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "10.0.0.9"
    assert log_in(elsewhere, "office").status_code == 302


@pytest.mark.parametrize("change", ["disabled", "role", "reset", "ended"])
def test_a_changed_account_is_out_at_once(change, app, ids, person):
    browser = person("secretary_a")
    assert browser.get("/child/").status_code == 200
    with app.app_context(), writing(SYSTEM) as session:
        user = session.get(m.User, ids.user_secretary_a)
        if change == "disabled":
            user.active = False
        elif change == "reset":
            accounts.reset_password(session, user)
        else:
            sessions.end_all(session, user.id)
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
    posts = ("/child/new/", "/child/ajax/lookup/", f"/child/edit/?id={ids.child_a}", "/imports/")
    assert {browser.post(path, {}).location for path in posts} == {"/password"}
    again = {"old": PASSWORD, "password": "shan qing shui xiu 8", "again": "shan qing shui xiu 8"}
    assert browser.post("/password", again).location == "/"
    assert browser.get("/child/").status_code == 200


WEAK = [
    "short", "x" * 200, "aaaaaaaaaaaaaaa", "123456789012", "13888881234567", "530427199003041234", "53042719900304123X", "qwertyuiop123",
    "1qaz2wsx3edc", "zaq12wsxcde3", "password-1234", "P@ssw0rd2026!", "admin123admin123", "iloveyou1314520", "woaini1314520", "wodemima123456",
    "密码密码密码密码密码密码", "我爱你我爱你我爱你我爱你", "好好学习天天向上2026", "床前明月光，疑是地上霜", "xinping2026xinping", "新平县教育局2026新平",
    "secretary_fang2026", "方晓燕方晓燕方晓燕123", "fangxiaoyan1990", "19900304fangxiaoyan", "晨光小学晨光小学2026", "chenguangxiaoxue1",
    "2153990001chenguang",
]  # fmt: skip
GOOD = [
    "青山绿水之间的孩子们一起读书", "山高水长路远我们慢慢走回家", "红河水流过漠沙的甘蔗地了", "奶奶种的橘子今年特别甜啊", "晨光小学门口那棵老榕树开花了", "下雨天我喜欢泡一壶普洱茶",
    "the river bends behind our school", "correct horse battery staple", "yi er san si wu liu", "shan qing shui xiu 8", "WlYhMx-73-kTq",
]  # fmt: skip
FANG = ("secretary_fang", "方晓燕", "晨光小学", "2153990001")


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_password_is_refused_with_a_sentence(weak):
    with pytest.raises(Complaint, match="密码"):
        passwords.check(weak, *FANG)


@pytest.mark.parametrize("good", GOOD)
def test_a_long_sentence_is_a_good_password(good):
    passwords.check(good, *FANG)


def test_what_is_known_about_the_account_counts_where_a_password_is_changed(app, ids, person):
    """The same words are fine for somebody who is not called so and works elsewhere."""
    browser, words = person("secretary_a"), "chenguangxiaoxue 7 ban"
    page = browser.post("/password", {"old": PASSWORD, "password": words, "again": words})
    assert "密码太容易猜到" in page.text
    assert person("office").post("/password", {"old": PASSWORD, "password": words, "again": words}).location == "/"


def test_passwords_are_kept_as_argon2id(app, ids, real_hasher):
    with app.app_context(), writing(SYSTEM) as session:
        user = accounts.create(session, "new", "新来的", [Role.OFFICE], None, "yi er san si wu liu")
        assert user.password_hash.startswith("$argon2id$v=19$m=65536,t=3")


def test_an_account_of_a_school_role_needs_a_school(app, ids):
    with app.app_context(), session_with(SYSTEM) as session, pytest.raises(Complaint):
        accounts.create(session, "new", "新来的", [Role.SECRETARY], None, "yi er san si wu liu")


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


@pytest.mark.matrix
def test_everybody_sees_and_ends_the_own_other_browsers(app, ids):
    here, there, stranger = (app.test_client() for _ in range(3))
    log_in(here, "office")
    log_in(there, "office")
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


def weeks_ago(app, username, days):
    """As if the account had been made, and last been logged in with, so many days ago."""
    with app.app_context(), writing(SYSTEM) as session:
        user = session.scalars(select(m.User).where(m.User.username == username)).one()
        user.opened_at = user.last_login_at = utcnow() - dt.timedelta(days=days)


def standing(page: str, name: str) -> str:
    row = re.search(rf">{name}</a>.*?</tr>", page, re.S)[0]
    return re.findall(r"<td>(.*?)</td>", row)[3]


@pytest.mark.parametrize(("days", "status"), [(89, 302), (91, 200)])
def test_an_account_that_nobody_used_for_ninety_days_is_closed_until_it_is_reset(days, status, app, ids):
    weeks_ago(app, "office", days)
    answer = log_in(app.test_client(), "office")
    assert answer.status_code == status
    assert status == 302 or "账号或密码不对" in answer.text
    with app.app_context(), writing(SYSTEM) as session:
        first = accounts.reset_password(session, session.get_one(m.User, ids.user_office))
    assert log_in(app.test_client(), "office", first).status_code == 302


def test_the_list_says_that_an_account_is_closed_and_an_edit_does_not_open_it(app, ids, person):
    weeks_ago(app, "secretary_a", 91)
    admin = person("admin")
    assert standing(admin.get("/user_account/").text, "secretary_a") == "长期未用已停"
    assert standing(admin.get("/user_account/").text, "secretary_b") == "启用"
    form = {"username": "secretary_a", "name": "填报员新", "school": ids.a, "active": "y", "roles": ["secretary"], "version": 2}
    assert admin.post(f"/user_account/edit/?id={ids.user_secretary_a}", form).status_code == 302
    assert standing(admin.get("/user_account/").text, "secretary_a") == "长期未用已停"
    assert log_in(app.test_client(), "secretary_a").status_code == 200


# --- tries of one instant, and unlocking ---


def test_twenty_tries_of_one_instant_are_five_verifications(app, ids, monkeypatch):
    """Each writes itself down before it is verified, so that none slips by while another is being counted."""
    verified, all_here, answers = [], threading.Barrier(20), []
    monkeypatch.setattr(passwords, "is_right", lambda *_args: verified.append(1) or time.sleep(0.05))

    def guess(n):
        with app.test_request_context("/login"):
            all_here.wait()
            try:
                auth.log_in("office", f"wrong-password-{n}")
            except Complaint as e:
                answers.append(e.text)

    guessers = [threading.Thread(target=guess, args=(n,)) for n in range(20)]
    for each in guessers:
        each.start()
    for each in guessers:
        each.join()
    assert len(verified) == 5 and len(answers) == 20
    assert answers.count(tries.LOCKED) == 15


def test_a_right_password_is_no_try(app, ids):
    for _ in range(7):
        assert log_in(app.test_client(), "office").status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalars(select(m.LoginFailure)).all() == []


def locked(app, username="secretary_a"):
    for n in range(6):
        answer = log_in(app.test_client(), username, f"wrong-password-{n}")
    assert tries.LOCKED in answer.text


def test_the_administrator_unlocks_an_account_at_once(app, ids, person):
    locked(app)
    admin = person("admin")
    assert standing(admin.get("/user_account/").text, "secretary_a") == "已锁定"
    assert "/user_account/unlock/" in admin.get(f"/user_account/edit/?id={ids.user_secretary_a}").text
    assert admin.post("/user_account/unlock/", {"id": ids.user_secretary_a}).status_code == 302
    assert log_in(app.test_client(), "secretary_a").status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        entry = session.scalars(select(m.AuditEntry).where(m.AuditEntry.action == "unlock")).one()
        assert (entry.user_name, entry.row_id) == ("管理员甲", str(ids.user_secretary_a))


def test_a_reset_unlocks_too(app, ids):
    locked(app)
    with app.app_context(), writing(SYSTEM) as session:
        first = accounts.reset_password(session, session.get_one(m.User, ids.user_secretary_a))
    assert log_in(app.test_client(), "secretary_a", first).status_code == 302


# --- at how many places, and who was here before ---


def test_a_school_account_that_logs_in_at_home_is_out_at_school(app, ids):
    at_school, at_home = app.test_client(), app.test_client()
    log_in(at_school, "secretary_a")
    log_in(at_home, "secretary_a")
    assert at_school.get("/child/").location == "/login"
    assert auth.ELSEWHERE in at_school.get("/login").text
    assert at_home.get("/child/").status_code == 200 and auth.ELSEWHERE not in app.test_client().get("/login").text


def test_what_was_being_typed_at_school_waits_for_the_next_login(app, ids):
    at_school, at_home = app.test_client(), app.test_client()
    log_in(at_school, "secretary_a")
    token = re.search(r'name="csrf-token" content="([^"]+)"', at_school.get("/activity/new/").text)[1]
    log_in(at_home, "secretary_a")
    at_school.post("/activity/new/", data={"csrf_token": token, "title": "秋季运动会"})
    assert auth.KEPT in at_school.get("/login").text
    assert "您有一份未保存的内容" in at_home.get("/").text


def test_the_bureau_logs_in_at_three_places(app, ids):
    desks = [app.test_client() for _ in range(4)]
    with app.app_context(), writing(SYSTEM) as session:
        sessions.end_all(session, ids.user_office)
    for desk in desks:
        log_in(desk, "office")
    assert [desk.get("/child/").status_code for desk in desks] == [302, 200, 200, 200]


def test_who_logs_in_reads_when_and_where_it_was_last_done_and_what_failed_since(app, ids):
    stranger = app.test_client()
    stranger.environ_base["REMOTE_ADDR"] = "10.9.8.7"
    log_in(stranger, "secretary_a")
    for n in range(2):
        log_in(app.test_client(), "secretary_b", f"wrong-password-{n}")
        log_in(app.test_client(), "secretary_a", f"wrong-password-{n}")
    own = app.test_client()
    log_in(own, "secretary_a")
    page = own.get("/").text
    assert re.search(r"上次登录：\d{4}-\d\d-\d\d \d\d:\d\d，地址 10.9.8.7。", page)
    assert "此后有 2 次密码或动态口令不对" in page and "上次登录" not in own.get("/").text


def test_the_table_of_rights_is_printed_as_the_product_holds_it(app, person):
    from admin_app.access import RIGHTS, permissions

    rows = permissions()
    assert {(row["role"], row["resource"]) for row in rows} == {
        (r.value, s.value) for r in RIGHTS for s, acts in RIGHTS[r].items() if acts
    }
    page = person("secretary_a").get("/session/permissions/").text
    assert "权限表" in page and "完整号码导出" in page and "显示完整号码" in page


def test_a_login_that_cannot_be_logged_lets_nobody_in(app, ids, monkeypatch):
    """The session and its entry are one transaction."""

    def full(*_words, **_what):
        raise Complaint("日志写不进去。")

    monkeypatch.setattr(auth.audit, "note", full)
    with app.app_context(), session_with(SYSTEM) as session:
        before = session.scalar(select(func.count(m.LoginSession.id)))
    assert log_in(app.test_client(), "office").status_code == 200
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalar(select(func.count(m.LoginSession.id))) == before
        assert session.get_one(m.User, ids.user_office).last_login_at is None


def test_there_is_always_an_administrator(app, ids, person):
    """Two who take each other's rights at one moment: the second is told."""
    with app.app_context(), writing(SYSTEM) as session:
        office = session.get_one(m.User, ids.user_office)
        office.grants.append(m.Grant(role=Role.ADMIN))
        assert accounts.administrators(session) == 2
    form = {"username": "office", "name": "股员乙", "roles": ["office"], "active": "y", "confirm_password": PASSWORD}
    with app.app_context(), session_with(SYSTEM) as session:
        form["version"] = session.get_one(m.User, ids.user_office).version
    admin = person("admin")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("admin_app.accounts.administrators", lambda session: 0)
        page = admin.post(f"/user_account/edit/?id={ids.user_office}", form).text
    assert "没有可用的管理员账号" in page
    with app.app_context(), session_with(SYSTEM) as session:
        assert accounts.administrators(session) == 2, "nothing was saved"
    with app.app_context(), writing(SYSTEM) as session:
        session.scalars(select(m.User).where(m.User.username == "admin")).one().active = False
    with app.app_context(), session_with(SYSTEM) as session:
        assert accounts.administrators(session) == 1


def test_who_has_to_change_the_password_first_can_leave(app, ids, person):
    with app.app_context(), writing(SYSTEM) as session:
        session.get(m.User, ids.user_office).must_change = True
    page = person("office").get("/password").text
    assert 'action="/logout"' in page
    assert person("office").post("/logout", {}).location == "/login"
