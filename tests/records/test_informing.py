"""A ledger does not bring a child under fourteen in unless it was said whether the guardian signed the notice."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.records import informing
from tests import factories as make
from tests.records.test_importing import row, workbook

YOUNG, GROWN = dt.date(2016, 3, 4), dt.date(2009, 3, 4)
SIGNED = {"consent": "given", "informed_on": "2025-09-02", "informed_version": "2026-1"}


@pytest.fixture
def upload(person, ids):
    """A ledger of one child, waiting to be written: the secretary and the id of the file."""

    def put(content=None, born=YOUNG):
        secretary = person("secretary_a")
        file = content or workbook(row(born=born))
        data = {"school": str(ids.a), "start": "2025-09-01", "file": (io.BytesIO(file), "台账.xlsx")}
        return secretary, secretary.post("/imports/", data, content_type="multipart/form-data").location.rpartition("=")[2]

    return put


def entered(app, name="普小龙"):
    with app.app_context(), session_with(SYSTEM) as session:
        return session.scalar(select(m.Child).where(m.Child.name == name))


def noted(app):
    """What the log says of the last import."""
    with app.app_context(), session_with(SYSTEM) as session:
        entry = session.scalar(select(m.AuditEntry.id).where(m.AuditEntry.action == "import").order_by(m.AuditEntry.id.desc()))
        return session.get(m.AuditValue, entry).changes


def test_nothing_is_written_before_it_is_said_whether_the_guardians_signed(app, upload):
    secretary, number = upload()
    page = secretary.get(f"/imports/preview/?id={number}").text
    assert "不满 14 周岁儿童 1 人" in page and page.count('name="consent"') == 3 and "checked" not in page
    answer = secretary.post("/imports/save/", {"id": number, "informed_version": "2026-1"}, follow_redirects=True)
    assert "监护人是否已签收告知书" in answer.text and entered(app) is None


def test_what_was_signed_is_written_to_each_new_child_and_to_the_log(app, upload):
    secretary, number = upload()
    secretary.post("/imports/save/", {"id": number, **SIGNED})
    child = entered(app)
    assert (child.consent, child.informed_on, child.informed_version) == (m.Consent.GIVEN, dt.date(2025, 9, 2), "2026-1")
    assert noted(app)["告知书"] == [None, "2025-09-02 签收，版本 2026-1，监护人同意"]


def test_not_signed_yet_is_an_answer_too_and_the_child_stays_on_the_list_of_what_is_missing(app, upload):
    secretary, number = upload()
    secretary.post("/imports/save/", {"id": number, "consent": "later", "informed_on": ""})
    assert entered(app).consent is None and noted(app)["告知书"] == [None, "尚未签收，留作待办"]
    assert "普小龙" in secretary.get("/child/?gap=consent").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"informed_on": ""}, "告知书签收日"),
        ({"informed_on": "2026-02-30"}, "告知书签收日"),
        ({"informed_on": "2999-01-01"}, "告知书签收日"),
        ({"consent": "refused"}, "请选择个人信息处理依据"),
        ({"consent": "abc"}, "请选择个人信息处理依据"),
    ],
)
def test_a_wrong_answer_is_said_and_what_was_typed_stays(typed, said, app, upload):
    secretary, number = upload()
    page = secretary.post("/imports/save/", {"id": number} | SIGNED | typed, follow_redirects=True).text
    assert said in page and entered(app) is None
    assert f'value="{(SIGNED | typed)["informed_on"]}"' in page or not (SIGNED | typed)["informed_on"]
    if "consent" not in typed:
        assert 'value="given" required checked' in page


def test_step_by_step_it_is_asked_in_the_same_way(app, upload):
    secretary, number = upload()
    lines = secretary.post("/imports/save/", {"id": number}, headers={"X-Progress": "1"}).text.splitlines()
    assert "是否已签收" in json.loads(lines[-1])["error"] and entered(app) is None


def test_the_file_can_be_given_up_without_an_answer(upload):
    secretary, number = upload()
    assert 'value="1" formnovalidate' in secretary.get(f"/imports/preview/?id={number}").text
    assert secretary.post("/imports/save/", {"id": number, "drop": "1"}).location == "/imports/"


def test_of_who_is_fourteen_it_is_not_asked(app, upload):
    secretary, number = upload(born=GROWN)
    assert 'name="consent"' not in secretary.get(f"/imports/preview/?id={number}").text
    secretary.post("/imports/save/", {"id": number} | SIGNED)
    assert entered(app).consent is None and "告知书" not in noted(app)


@pytest.mark.parametrize("held", [m.Consent.REFUSED, m.Consent.WITHDRAWN, m.Consent.DUTY, None])
def test_what_a_family_said_before_is_never_written_over(held, app, upload):
    secretary, number = upload()
    secretary.post("/imports/save/", {"id": number, "consent": "later"})
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.scalars(select(m.Child).where(m.Child.name == "普小龙")).one().consent = held
        session.commit()
    known = make.id_number(YOUNG)
    both = workbook(
        row(number=known, 班级="2班"),
        row(name="普小凤", number=make.id_number(YOUNG, order=877)),
    )
    secretary, number = upload(both)
    secretary.post("/imports/save/", {"id": number} | SIGNED)
    assert entered(app).consent is held and entered(app, "普小凤").consent is m.Consent.GIVEN


def test_the_age_is_that_of_the_day_the_file_is_written():
    assert informing.is_young(dt.date(2012, 2, 29), dt.date(2026, 2, 28))
    assert not informing.is_young(dt.date(2012, 2, 29), dt.date(2026, 3, 1))
    assert not informing.is_young(None, dt.date(2026, 3, 1))
