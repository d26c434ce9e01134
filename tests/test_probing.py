"""Whoever asks whether somebody is registered at another school is told as little as can be, and is seen doing it."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import time_machine
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.orm import utcnow
from tests import factories as make
from tests.records.test_importing import row, workbook
from tests.test_bad_input import form_of_child

BORN = dt.date(2016, 5, 6)
"""Of B's child."""


@pytest.fixture
def number(app, ids):
    with app.app_context(), session_with(SYSTEM) as session:
        return session.get_one(m.Child, ids.child_b).id_number


def tries(app):
    """(who, child, its school, name that was typed) of each try in the log."""
    with app.app_context(), session_with(SYSTEM) as session:
        noted = select(m.AuditEntry, m.AuditValue.changes).join(m.AuditValue, m.AuditValue.entry_id == m.AuditEntry.id)
        noted = noted.where(m.AuditEntry.action == "probe").order_by(m.AuditEntry.id)
        return [(e.user_name, e.row_id, e.school_id, what["姓名"][1]) for e, what in session.execute(noted)]


def typed(ids, number, name):
    return form_of_child(ids, id_number=number, name=name, birth_date=BORN.isoformat(), sex="1" if int(number[16]) % 2 else "2")


def upload(browser, ids, *people):
    """The address of the preview of a ledger with these (name, number)."""
    content = workbook(*(row(name=name, number=number, 性别="男" if int(number[16]) % 2 else "女") for name, number in people))
    data = {"file": (io.BytesIO(content), "台账.xlsx"), "school": ids.a, "start": "2025-09-01"}
    return browser.post("/imports/", data, content_type="multipart/form-data").location


def asked(ids, number, name, born=BORN):
    return {"school": ids.a, "number": number, "name": name, "birth": born.isoformat()}


def test_a_number_typed_into_a_form_is_a_try_and_nothing_is_saved(app, ids, person, number):
    browser = person("secretary_a")
    page = browser.post("/child/new/", typed(ids, number, "别的名")).text
    assert "校验位不对" in page and "青松" not in page and "丁不漏" not in page
    page = browser.post(f"/child/edit/?id={ids.child_a}", typed(ids, number, "丁不漏") | {"version": "1"}).text
    assert "已在县内登记" in page and "青松" not in page
    child, at = str(ids.child_b), ids.b
    assert tries(app) == [("填报员a", child, at, "别的名"), ("填报员a", child, at, "丁不漏")]
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.get_one(m.Child, ids.child_a).name != "丁不漏"
        assert session.scalars(select(m.Child.id).where(m.Child.name == "别的名")).all() == []


def test_a_number_that_nobody_has_is_no_try(app, ids, person):
    person("secretary_a").post("/child/new/", typed(ids, make.id_number(BORN, order=877), "新同学"))
    assert tries(app) == []


def test_a_ledger_is_read_again_and_again_and_each_of_its_people_is_one_try(app, ids, person, number):
    browser, start = person("secretary_a"), utcnow()
    with time_machine.travel(start, tick=False) as clock:
        preview = upload(browser, ids, ("别的名", number), ("新同学", make.id_number(BORN, order=877)))
        for _ in range(3):
            page = browser.get(preview).text
            assert "校验位不对" in page and "青松" not in page
        browser.get(preview.replace("preview", "marked")).close()
        assert tries(app) == [("填报员a", str(ids.child_b), ids.b, "别的名")]
        browser.get(upload(browser, ids, ("又一名", number)))
        assert [name for *_rest, name in tries(app)] == ["别的名", "又一名"], "another name for the same number is another try"
        clock.shift(3601)
        browser.get(preview)
        assert len(tries(app)) == 3


@pytest.mark.parametrize("good", [{}, {"good": "1"}])
def test_a_ledger_written_unseen_leaves_its_tries_too(app, ids, person, number, good):
    browser = person("secretary_a")
    preview = upload(browser, ids, ("别的名", number), ("新同学", make.id_number(dt.date(2016, 3, 4), order=877)))
    said = {"id": preview.partition("id=")[2], "consent": "later"} | good
    browser.post("/imports/save/", said).close()
    assert tries(app) == [("填报员a", str(ids.child_b), ids.b, "别的名")]
    with app.app_context(), session_with(SYSTEM) as session:
        written = session.scalars(select(m.Child.name).where(m.Child.name.in_(("别的名", "新同学")))).all()
    assert written == (["新同学"] if good else [])


def test_who_asks_for_a_child_without_knowing_it_is_noted_and_waits_after_so_many(app, ids, person, number, monkeypatch):
    monkeypatch.setitem(app.config, "LIMITS", {"probe": 3})
    browser = person("secretary_a")
    for name in ("甲名", "乙名", "丙名"):
        assert "未找到" in browser.post("/transfer/ask/", asked(ids, number, name)).text
    right = browser.post("/transfer/ask/", asked(ids, number, "丁不漏"))
    assert right.status_code == 429 and "“跨校查重”每小时至多 3 次" in right.text, (
        "not even the right name is told from a wrong one"
    )
    assert tries(app) == [("填报员a", "", ids.a, name) for name in ("甲名", "乙名", "丙名")]
    for answer in (
        browser.post("/child/new/", typed(ids, number, "别的名")),
        browser.get(upload(browser, ids, ("别的名", number))),
    ):
        assert answer.status_code == 429
    save = browser.post(
        "/imports/save/", {"id": upload(browser, ids, ("别的名", number)).partition("id=")[2]}, follow_redirects=True
    )
    assert "每小时至多 3 次" in save.text
    assert person("secretary_b").post("/child/new/", typed(ids, number, "别的名")).status_code == 200
    assert browser.post("/child/new/", typed(ids, make.id_number(BORN, order=877), "新同学")).status_code == 302


def test_where_a_child_is_is_told_when_its_school_has_let_it_go(app, ids, person, number):
    asker, holder = person("secretary_a"), person("secretary_b")
    assert asker.post("/transfer/ask/", asked(ids, number, "丁不漏")).status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        pk = session.scalar(select(m.Transfer.id).where(m.Transfer.child_id == ids.child_b))
    places = ("/transfer/?search=丁不漏", f"/transfer/details/?id={pk}")
    for path in places:
        page = asker.get(path).text
        assert "丁不漏" in page and "青松" not in page and "（仅本校可见）" in page, path
        assert "青松" in holder.get(path).text and "青松" in person("office").get(path).text
    assert asker.get(f"/transfer/paper/?id={pk}").status_code == 403
    assert holder.get(f"/transfer/paper/?id={pk}").status_code == 200
    holder.post("/transfer/back/", {"id": pk, "answer": "仍在本校就读"})
    assert not any("青松" in asker.get(path).text for path in places)
    with app.app_context(), writing(SYSTEM) as session:
        session.get_one(m.Transfer, pk).state = m.TransferState.PENDING
    assert all("青松" in asker.get(path).text for path in places)
    assert asker.get(f"/transfer/paper/?id={pk}").status_code == 200
