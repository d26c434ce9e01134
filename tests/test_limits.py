"""How often an account may search, look up, open, export, print and reveal in an hour; and what a refusal leaves in the log."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from sqlalchemy import select, text

from admin_app import limits, models as m, settings as configuration
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.orm import utcnow
from admin_app.settings import LIMITS, Unusable
from admin_app.views import gate
from tests import factories as make
from tests.databases import ON_POSTGRES, PROGRAM, by_hand, unguard_the_log
from tests.test_audit import entries

ACTS = {
    "search": ("GET", "/child/?search=甲", {}),
    "lookup": ("POST", "/care_record/ajax/lookup/", {"name": "enrolment", "query": "甲"}),
    "open": ("GET", "/child/details/?id={child_a}", {}),
    "export": ("GET", "/child/export/xlsx/?purpose=核对", {}),
    "print": ("GET", "/child/paper/?id={child_a}", {}),
    "download": ("GET", "/attachments/get/?id={attachment_a}", {}),
    "reveal": ("POST", "/child/reveal/", {"id": "{child_a}", "reason": "核对户口簿"}),
    "probe": (
        "POST",
        "/transfer/ask/",
        {"school": "{a}", "number": make.id_number(dt.date(2016, 3, 4)), "name": "无此人", "birth": "2016-03-04"},
    ),
}


def do(browser, act, ids):
    method, path, data = ACTS[act]
    path, data = path.format(**vars(ids)), {k: v.format(**vars(ids)) for k, v in data.items()}
    answer = browser.get(path) if method == "GET" else browser.post(path, data)
    answer.close()
    return answer


def times(act):
    """How often it may be done where the limit is three."""
    return 3 * limits.LOOKUPS if act == "lookup" else 3


@pytest.fixture
def three_each(app, ids, monkeypatch):
    monkeypatch.setattr(limits, "LOOKUPS", 5)
    monkeypatch.setitem(app.config, "LIMITS", {act: times(act) for act in LIMITS})
    gate._looked_up.clear()


def test_every_limit_has_its_act():
    assert ACTS.keys() == LIMITS.keys()


@pytest.mark.parametrize("act", ACTS)
def test_after_so_many_in_an_hour_it_waits_and_then_goes_on(act, app, ids, person, three_each):
    browser, start = person("secretary_a"), utcnow()
    with time_machine.travel(start, tick=False) as clock:
        assert {do(browser, act, ids).status_code for _ in range(times(act))} == {200}
        clock.shift(600)
        answer = do(browser, act, ids)
        assert answer.status_code == 429 and answer.headers["Retry-After"] == "3000"
        goes_on = (start + dt.timedelta(hours=9)).strftime("%H:%M")
        assert f"每小时至多 {times(act)} 次，{goes_on} 以后可以继续" in answer.text
        assert do(person("office"), act, ids).status_code == 200, "the limit is an account's own"
        clock.shift(3001)
        assert do(browser, act, ids).status_code == 200


def test_what_was_typed_is_on_the_page_that_refuses(app, ids, person, three_each):
    browser = person("secretary_a")
    for _ in range(3):
        do(browser, "reveal", ids)
    page = do(browser, "reveal", ids).text
    assert '<form method="post" action="/child/reveal/">' in page and 'name="reason" value="核对户口簿"' in page
    with app.app_context(), session_with(SYSTEM) as session:
        number = session.get_one(m.Child, ids.child_a).id_number
        assert number not in page and len(entries(session, "reveal", "child")) == 3


def test_the_others_go_on_when_one_is_full(app, ids, person, three_each):
    browser = person("secretary_a")
    for _ in range(4):
        do(browser, "export", ids)
    assert {act: do(browser, act, ids).status_code for act in ACTS if act != "export"} == dict.fromkeys(
        ACTS.keys() - {"export"}, 200
    )


def test_a_pile_of_prints_counts_each_sheet(app, ids, person, monkeypatch):
    monkeypatch.setitem(app.config, "LIMITS", {"print": 5})
    answers = [person("office").get("/child/papers/").status_code for _ in range(2)]
    with app.app_context(), session_with(SYSTEM) as session:
        assert (answers, len(entries(session, "print", "child"))) == ([200, 429], 4)


def test_of_ten_requests_at_once_no_more_pass_than_the_limit_allows(app, ids, person, three_each):
    browsers = [person("secretary_a") for _ in range(10)]
    with ThreadPoolExecutor(len(browsers)) as at_once:
        answers = Counter(each.status_code for each in at_once.map(lambda browser: do(browser, "open", ids), browsers))
    assert answers == {200: 3, 429: 7}


def test_nothing_is_limited_where_that_is_switched_off(app, ids, person, three_each, monkeypatch):
    monkeypatch.setitem(app.config, "LIMITS", {})
    browser = person("secretary_a")
    assert {do(browser, "reveal", ids).status_code for _ in range(5)} == {200}


def test_a_limit_is_set_by_the_environment_and_by_a_number_only(tmp_path):
    read = configuration.read({"DATA_DIR": str(tmp_path), "LIMIT_EXPORT": "7"})
    assert (read.limits["export"], read.limits["reveal"]) == (7, LIMITS["reveal"])
    for wrong in ("x", "0", "-1", "1.5"):
        with pytest.raises(Unusable, match="LIMIT_EXPORT"):
            configuration.read({"DATA_DIR": str(tmp_path), "LIMIT_EXPORT": wrong})


# --- what is refused ---


def denied(app):
    with app.app_context(), session_with(SYSTEM) as session:
        rows = session.execute(
            select(m.AuditEntry, m.AuditValue.changes)
            .join(m.AuditValue, m.AuditValue.entry_id == m.AuditEntry.id)
            .where(m.AuditEntry.action == "denied")
            .order_by(m.AuditEntry.id)
        )
        return [(e.user_name, e.table_name, e.row_id, changes["答复"][1], e.roles, e.request) for e, changes in rows]


def test_a_refused_page_and_a_foreign_record_leave_who_what_and_the_number_on_the_page(app, ids, person):
    browser = person("secretary_a")
    pages = [
        browser.get(f"/child/details/?id={ids.child_b}"),
        browser.get("/user_account/"),
        browser.post(f"/child/edit/?id={ids.child_b}", {"name": "改"}),
    ]
    assert [page.status_code for page in pages] == [404, 403, 404]
    numbers = [re.search(r"\d{8}", page.text)[0] for page in pages]
    foreign = str(ids.child_b)
    assert denied(app) == [
        ("填报员a", "child", foreign, 404, "secretary", numbers[0]),
        ("填报员a", "user_account", "", 403, "secretary", numbers[1]),
        ("填报员a", "child", foreign, 404, "secretary", numbers[2]),
    ]
    found = person("office").get(f"/audit_entry/?request={numbers[0]}").text
    assert found.count("<tr") == 2 and "拒绝访问" in found
    entry = re.search(r"/audit_entry/details/\?id=(\d+)", found)[1]
    details = person("office").get(f"/audit_entry/details/?id={entry}").text
    assert "学校填报员" in details and numbers[0] in details


def test_an_address_that_is_nothing_of_ours_and_a_stranger_leave_no_entry(app, ids, person):
    person("secretary_a").get("/nowhere/")
    person("anonymous").get(f"/child/details/?id={ids.child_b}")
    person("secretary_a").get("/child/")
    assert denied(app) == []


def test_nobody_floods_the_log_with_refusals(app, ids, person):
    browser = person("secretary_a")
    for _ in range(limits.DENIED + 5):
        assert browser.get("/user_account/").status_code == 403
    assert len(denied(app)) == limits.DENIED
    assert person("secretary_b").get("/user_account/").status_code == 403 and len(denied(app)) == limits.DENIED + 1


def test_what_comes_with_a_refused_form_is_not_kept(app, ids, person):
    """The entry names the record; what else was sent may be anything."""
    person("secretary_a").post("/child/delete/", {"id": "5399 甲小雨", "reason": "530427199003041234"})
    with app.app_context(), session_with(SYSTEM) as session:
        (entry,) = session.scalars(select(m.AuditEntry).where(m.AuditEntry.action == "denied"))
        assert entry.row_id == "" and "530427199003041234" not in html.unescape(
            str(session.get_one(m.AuditValue, entry.id).changes)
        )


def test_an_entry_from_before_still_holds_and_its_role_cannot_be_put_in_later(app, ids, person):
    """The role is signed where it is there; to add, change or take it out breaks the chain at that entry."""
    from admin_app import audit

    do(person("office"), "open", ids)
    with by_hand(app) as connection:
        unguard_the_log(connection)
        if ON_POSTGRES:
            connection.execute(text(f"grant update on audit_entry to {PROGRAM}"))
    for wrong in ({"roles": "admin"}, {"roles": None}, {"request": None}, {"roles": None, "request": "office"}):
        with app.app_context(), writing(SYSTEM) as session:
            assert audit.verify(session)[1] is None
            last = session.scalars(select(m.AuditEntry).order_by(m.AuditEntry.id.desc()).limit(1)).one()
            held, at = {name: getattr(last, name) for name in wrong}, last.id
            for name, value in wrong.items():
                setattr(last, name, value)
            session.flush()
            assert audit.verify(session)[1] == f"第 {at} 条被改动或顺序不对"
            for name, value in held.items():
                setattr(last, name, value)
