"""Whoever asks whether somebody is registered at another school is told as little as can be, and is seen doing it."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import time_machine
from sqlalchemy import select

from admin_app import limits, models as m, rules
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.orm import utcnow
from admin_app.views import imports
from tests import factories as make
from tests.records.test_importing import row, workbook
from tests.test_bad_input import form_of_child

BORN = dt.date(2016, 5, 6)
"""Of B's child."""


@pytest.fixture
def number(app, ids):
    with app.app_context(), session_with(SYSTEM) as session:
        return session.get_one(m.Child, ids.child_b).id_number


def noted(app):
    """What the log holds of it: (numbers asked about, of them elsewhere) of a question, (child, its school, name) of an answer."""
    with app.app_context(), session_with(SYSTEM) as session:
        held = select(m.AuditEntry, m.AuditValue.changes).join(m.AuditValue, m.AuditValue.entry_id == m.AuditEntry.id)
        held = held.where(m.AuditEntry.action.in_(("probe", "stranger")), m.AuditEntry.user_name == "填报员a")
        return [
            (what["证件号"][1], what["在别校"][1]) if "指纹" in what else (e.row_id, e.school_id, what["姓名"][1])
            for e, what in session.execute(held.order_by(m.AuditEntry.id))
        ]


def typed(ids, number, name):
    return form_of_child(ids, id_number=number, name=name, birth_date=BORN.isoformat(), sex="1" if int(number[16]) % 2 else "2")


def upload(browser, ids, *people):
    """The address of the preview of a ledger with these (name, number)."""
    content = workbook(
        *(
            row(name=name, number=number, born=dt.date.fromisoformat(number[6:14]), 性别="男" if int(number[16]) % 2 else "女")
            for name, number in people
        )
    )
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
    assert noted(app) == [(1, 1), (child, at, "别的名"), (1, 1), (child, at, "丁不漏")]
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.get_one(m.Child, ids.child_a).name != "丁不漏"
        assert session.scalars(select(m.Child.id).where(m.Child.name == "别的名")).all() == []


def test_a_number_that_nobody_has_is_a_question_too(app, ids, person):
    child = typed(ids, make.id_number(BORN, order=877), "新同学")
    late = person("secretary_a").post("/child/new/", child | {"enrolled_on": "2199-01-01"})
    assert "不能晚于今天" in late.text and noted(app) == [(1, 0)]
    assert person("secretary_a").post("/child/new/", child).status_code == 302
    assert noted(app) == [(1, 0)], "the same once more is the same question"


@pytest.mark.matrix
def test_a_form_that_was_sent_already_is_no_way_to_ask_for_nothing(app, ids, person):
    browser = person("secretary_a")
    first = typed(ids, make.id_number(BORN, order=877), "新同学") | {"once": "a" * 32}
    assert browser.post("/child/new/", first).status_code == 302
    for order in (879, 881, 883):
        browser.post("/child/new/", typed(ids, make.id_number(BORN, order=order), "丁不漏") | {"once": "a" * 32})
    assert noted(app) == [(1, 0)] * 4


def test_whose_number_stays_as_it_is_nobody_is_asked_about(app, ids, person, number, monkeypatch):
    monkeypatch.setitem(app.config, "LIMITS", {"probe": 1})
    browser = person("secretary_a")
    browser.post("/transfer/ask/", asked(ids, number, "甲名"))
    with app.app_context(), session_with(SYSTEM) as session:
        child = session.get_one(m.Child, ids.child_a)
        own = form_of_child(ids, name=child.name, birth_date=child.birth_date.isoformat(), sex=child.sex.value)
        own |= {"id_number": rules.mask(child.id_number), "class_name": "9班", "version": "1"}
    assert browser.post(f"/child/edit/?id={ids.child_a}", own).status_code == 302, "a full hour does not lock the register"
    assert noted(app) == [("", ids.a, "甲名")]


@pytest.mark.matrix
def test_a_ledger_is_read_again_and_again_and_is_one_try(app, ids, person, number):
    browser, start = person("secretary_a"), utcnow()
    with time_machine.travel(start, tick=False) as clock:
        preview = upload(browser, ids, ("别的名", number), ("新同学", make.id_number(BORN, order=877)))
        for _ in range(3):
            page = browser.get(preview).text
            assert "校验位不对" in page and "青松" not in page
        browser.get(preview.replace("preview", "marked")).close()
        first = [(2, 1), (str(ids.child_b), ids.b, "别的名")]
        assert noted(app) == first
        browser.get(upload(browser, ids, ("又一名", number)))
        second = [(1, 1), (str(ids.child_b), ids.b, "又一名")]
        assert noted(app) == first + second, "another name for the same number is another try"
        browser.get(upload(browser, ids, ("新同学", make.id_number(BORN, order=879))))
        assert noted(app) == [*first, *second, (1, 0)], "who is nowhere is a try too"
        clock.shift(3601)
        browser.get(preview)
        assert noted(app) == [*first, *second, (1, 0), *first]


@pytest.mark.matrix
@pytest.mark.parametrize("good", [{}, {"good": "1"}])
def test_a_ledger_written_unseen_leaves_its_try_too(app, ids, person, number, good):
    browser = person("secretary_a")
    preview = upload(browser, ids, ("别的名", number), ("新同学", make.id_number(dt.date(2016, 3, 4), order=877)))
    said = {"id": preview.partition("id=")[2], "consent": "later"} | good
    browser.post("/imports/save/", said).close()
    assert noted(app) == [(2, 1), (str(ids.child_b), ids.b, "别的名")]
    with app.app_context(), session_with(SYSTEM) as session:
        written = session.scalars(select(m.Child.name).where(m.Child.name.in_(("别的名", "新同学")))).all()
    assert written == (["新同学"] if good else [])


@pytest.mark.matrix
def test_a_list_that_tries_numbers_out_is_told_nothing(app, ids, person, number):
    """Name and birth date are known, the number is not: one of these is it."""
    browser = person("secretary_a")
    tried = [("丁不漏", make.id_number(BORN, order=order)) for order in range(1, 18, 2)]
    preview = upload(browser, ids, *tried, ("丁不漏", number))
    assert "同一天出生" in browser.get(preview, follow_redirects=True).text and noted(app) == []
    assert "已在县内登记" in browser.get(upload(browser, ids, *tried[:7], ("丁不漏", number))).text
    assert noted(app) == [(8, 1), (str(ids.child_b), ids.b, "丁不漏")]


@pytest.mark.matrix
def test_a_list_of_many_children_of_other_schools_goes_by_the_class(app, ids, person, number, monkeypatch):
    monkeypatch.setattr(limits, "STRANGERS", 0)
    browser = person("secretary_a")
    page = browser.get(upload(browser, ids, ("丁不漏", number)), follow_redirects=True).text
    assert "整班转出" in page and "丁不漏" not in page and noted(app) == [(1, 1)]


@pytest.mark.matrix
def test_sixty_questions_are_sixty_whatever_they_found(app, ids, person, number, monkeypatch):
    monkeypatch.setitem(app.config, "LIMITS", {"probe": 6})
    browser = person("secretary_a")
    for name in ("甲一", "甲二", "甲三", "甲四", "甲五", "甲六"):
        assert "校验位不对" in browser.post("/child/new/", typed(ids, number, name)).text
    assert browser.post("/child/new/", typed(ids, number, "甲七")).status_code == 429


def test_a_file_that_was_given_up_while_it_was_read_is_not_written(app, ids, person, number, monkeypatch):
    browser = person("secretary_a")
    preview = upload(browser, ids, ("丁不漏", number), ("新同学", make.id_number(dt.date(2016, 3, 4), order=877)))
    said = {"id": preview.partition("id=")[2], "consent": "later", "good": "1"}
    asking = imports.ask_elsewhere

    def given_up_meanwhile(own, people):
        found = asking(own, people)
        with writing(SYSTEM) as session:
            session.get_one(m.ImportBatch, int(said["id"])).state = m.ImportState.DROPPED
        return found

    monkeypatch.setattr(imports, "ask_elsewhere", given_up_meanwhile)
    browser.post("/imports/save/", said).close()
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalar(select(m.Child.id).where(m.Child.name == "新同学")) is None


@pytest.mark.matrix
def test_a_full_hour_answers_nobody_who_is_there(app, ids, person, number, monkeypatch):
    monkeypatch.setitem(app.config, "LIMITS", {"probe": 3})
    browser, nobody = person("secretary_a"), make.id_number(BORN, order=877)
    for name in ("甲名", "乙名", "丙名"):
        assert "未找到" in browser.post("/transfer/ask/", asked(ids, number, name)).text
    assert len(noted_asks(app)) == 3
    right = browser.post("/transfer/ask/", asked(ids, number, "丁不漏"))
    assert right.status_code == 429 and "“跨校查重”每小时至多 3 次" in right.text, (
        "not even the right name is told from a wrong one"
    )
    for who in (number, nobody):
        assert browser.post("/child/new/", typed(ids, who, "别的名")).status_code == 429
        preview = upload(browser, ids, ("别的名", who))
        assert browser.get(preview).status_code == 429
        save = browser.post("/imports/save/", {"id": preview.partition("id=")[2], "consent": "later"}, follow_redirects=True)
        assert save.status_code == 429 or "每小时至多 3 次" in save.text
    assert person("secretary_b").post("/child/new/", typed(ids, number, "别的名")).status_code == 200
    with app.app_context(), session_with(SYSTEM) as session:
        refused = session.scalars(select(m.AuditEntry.user_name).where(m.AuditEntry.action == "denied")).all()
    assert refused.count("填报员a") > 4, "that it was refused is noted"


def noted_asks(app):
    with app.app_context(), session_with(SYSTEM) as session:
        return session.scalars(select(m.AuditEntry.id).where(m.AuditEntry.action == "probe")).all()


@pytest.mark.parametrize("name", ["长" * 100_000, "1", ""])
def test_what_can_be_no_name_is_refused_and_kept_out_of_the_log(name, app, ids, person, number):
    page = person("secretary_a").post("/transfer/ask/", asked(ids, number, name)).text
    assert "姓名应为 2 至 30 个字" in page and noted(app) == []


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
