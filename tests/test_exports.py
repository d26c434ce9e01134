"""What leaves as a file: with its purpose, masked, and with full numbers only by the leader's word, once."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import io
import re

import pytest
import pyzipper
import time_machine
from openpyxl import load_workbook
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from tests.conftest import PASSWORD

LIST, LEDGER = "/child/export/xlsx/", "/child/ledger/"
PURPOSE = "报县民政局核对名单"


def book(answer):
    assert answer.status_code == 200, answer.text[:300]
    return load_workbook(io.BytesIO(answer.data))


def texts(workbook) -> str:
    return "\n".join(str(cell.value) for sheet in workbook for row in sheet.iter_rows() for cell in row if cell.value is not None)


def number_of(app, child_id: int) -> str:
    with app.app_context(), session_with(SYSTEM) as session:
        return session.get_one(m.Child, child_id).id_number


def last(app, model):
    with app.app_context(), session_with(SYSTEM) as session:
        return session.scalars(select(model).order_by(model.id.desc())).first()


def ask(at, address: str = LIST, purpose: str = PURPOSE) -> None:
    answer = at.post("/full_export/ask/", {"address": address, "purpose": purpose}, follow_redirects=True)
    assert "已提交" in answer.text, re.findall(r'class="alert[^>]*>(.*?)</div>', answer.text, re.S)


def decide(at, request_id: int, decision: str = "approved", words: str = "") -> str:
    return at.post("/full_export/decide/", {"id": request_id, "decision": decision, "words": words}, follow_redirects=True).text


def take(at, row, password: str = PASSWORD, address: str = "", **more):
    return at.post(address or row.address, {"request": row.id, "password": password, "package_open": "1"} | more)


def test_an_export_says_what_it_is_for_on_its_receipt_and_in_the_log(person, app):
    found = book(person("secretary_a").get(f"{LIST}?purpose=校内核对"))
    assert "校内核对" in texts(found)
    with app.app_context(), session_with(SYSTEM) as session:
        entry = session.scalars(
            select(m.AuditEntry).where(m.AuditEntry.action == "export").order_by(m.AuditEntry.id.desc())
        ).first()
        assert session.get(m.AuditValue, entry.id).changes["用途"] == [None, "校内核对"]


def test_the_export_button_asks_for_the_purpose_and_keeps_the_conditions(person):
    page = person("secretary_a").get("/child/?definition=GF13&search=甲小雨").text
    form = re.search(rf'<form class="panel" method="get" action="{LIST}">.*?</form>', page, re.S)[0]
    assert 'name="definition" value="GF13"' in form and 'name="search" value="甲小雨"' in form and 'name="purpose"' in form


def test_all_fields_can_be_exported_and_numbers_stay_masked(person, app, ids):
    few, all_ = (book(person("secretary_a").get(f"{LIST}?purpose=x{more}")).worksheets[0] for more in ("", "&columns=all"))
    heads = [cell.value for cell in all_[1]]
    assert all_.max_column >= 30 > few.max_column and {"健康状况", "班主任", "个性化要求", "学籍号"} <= set(heads)
    assert number_of(app, ids.child_a) not in texts(
        load_workbook(io.BytesIO(person("secretary_a").get(f"{LIST}?columns=all").data))
    )


def test_days_are_days_and_numbers_numbers_in_every_row(person, ids):
    sheet = book(person("office").get(LIST)).worksheets[0]
    at = [cell.value for cell in sheet[1]].index("出生日期") + 1
    days = [sheet.cell(row, at).value for row in range(2, sheet.max_row + 1)]
    assert days and all(isinstance(day, dt.datetime) for day in days)


@pytest.mark.matrix
@pytest.mark.parametrize("address", [LIST, LEDGER, f"{LEDGER}?definition=GF13", f"{LIST}?sort=1&desc=1&columns=all"])
def test_full_numbers_go_out_when_the_leader_has_agreed(person, app, ids, address):
    secretary = person("secretary_a")
    ask(secretary, address)
    row = last(app, m.ExportRequest)
    assert "已同意。" in decide(person("leader"), row.id)
    answer = take(secretary, row)
    found = texts(book(answer))
    assert number_of(app, ids.child_a) in found and number_of(app, ids.child_b) not in found
    assert PURPOSE in found and "完整" in found
    taken = last(app, m.ExportRequest)
    assert taken.digest == hashlib.sha256(answer.data).hexdigest() and taken.taken_at is not None
    assert number_of(app, ids.child_a) not in texts(book(secretary.get(address)))


def test_the_file_with_full_numbers_is_taken_once(person, app):
    secretary = person("secretary_a")
    ask(secretary)
    row = last(app, m.ExportRequest)
    decide(person("leader"), row.id)
    assert take(secretary, row).status_code == 200
    assert take(secretary, row).status_code == 302
    assert "已导出" in secretary.get("/full_export/").text


@pytest.mark.matrix
@pytest.mark.parametrize("how", ["waiting", "refused", "another", "other address", "wrong password", "lapsed", "no request"])
def test_without_the_leaders_word_on_this_very_list_nothing_goes_out(person, app, how):
    secretary = person("secretary_a")
    ask(secretary)
    row = last(app, m.ExportRequest)
    leader, at, address, password = person("leader"), secretary, "", PASSWORD
    if how == "refused":
        decide(leader, row.id, "refused", "没有必要")
    elif how != "waiting":
        decide(leader, row.id)
    if how == "another":
        at = person("office")
    if how == "other address":
        address = f"{LIST}?grade=P3"
    if how == "wrong password":
        password = "bu-shi-zhe-ge"
    later = dt.timedelta(days=8 if how == "lapsed" else 0)
    with time_machine.travel(dt.datetime.now(dt.UTC) + later, tick=True):
        at.token = ""
        answer = (
            at.post(LIST, {"password": password, "package_open": "1"}) if how == "no request" else take(at, row, password, address)
        )
    assert answer.status_code == 302 and answer.headers["Location"].endswith("/full_export/")


def test_a_request_needs_a_purpose_and_the_leaders_no_a_reason(person, app):
    secretary = person("secretary_a")
    page = secretary.post("/full_export/ask/", {"address": LIST, "purpose": "看"}).text
    assert "请写明用途" in page and 'value="看"' in page
    ask(secretary)
    row = last(app, m.ExportRequest)
    assert "须写明理由" in decide(person("leader"), row.id, "refused")
    assert "待审批" in secretary.get("/full_export/").text


@pytest.mark.parametrize(
    "address",
    ["/school/export/xlsx/", "/child/", "/nothing/", "https://example.com/child/export/xlsx/", "http://[", "", "/child/reveal/"],
)
def test_only_a_list_with_numbers_can_be_asked_for(person, address):
    assert person("secretary_a").get("/full_export/ask/", query_string={"address": address}).status_code == 404


def test_who_may_ask_who_may_decide(person, app, ids):
    ask(person("secretary_a"))
    row = last(app, m.ExportRequest)
    assert str(row.purpose) in person("leader").get("/full_export/").text
    assert row.purpose not in person("secretary_b").get("/full_export/").text
    assert person("secretary_b").post("/full_export/decide/", {"id": row.id, "decision": "approved"}).status_code == 403
    assert person("office").post("/full_export/decide/", {"id": row.id, "decision": "approved"}).status_code == 403
    assert person("leader").get("/full_export/ask/", query_string={"address": LIST}).status_code == 403
    assert "完整号码导出待审批" in html.unescape(person("leader").get("/").text)


def test_the_leader_cannot_export_full_numbers_even_with_somebodys_request(person, app):
    ask(person("secretary_a"))
    row = last(app, m.ExportRequest)
    decide(person("leader"), row.id)
    assert take(person("leader"), row).status_code == 302


@pytest.mark.parametrize("address", [LIST, f"{LIST}?columns=all", LEDGER, "/report/export/?kind=county", "/staff/export/xlsx/"])
def test_the_same_data_at_the_same_moment_make_the_same_file(person, address):
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False):
        first, second = (person("secretary_a").get(address).data for _ in range(2))
    assert first == second and first[:2] == b"PK"


def test_a_request_does_not_follow_its_asker_to_another_post(person, app, ids):
    """Asked for as a school's secretary, an approval does not serve the whole county when the account joins the office."""
    secretary = person("secretary_a")
    ask(secretary)
    row = last(app, m.ExportRequest)
    decide(person("leader"), row.id)
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.scalar(select(m.Grant).where(m.Grant.user_id == ids.user_secretary_a)).role = m.Role.OFFICE
        session.get_one(m.User, ids.user_secretary_a).school_id = None
        session.commit()
    answer = take(secretary, row)
    assert answer.status_code == 302 and answer.headers["Location"].endswith("/full_export/")


def test_a_look_at_the_head_of_an_export_is_no_wrong_password(person, app):
    assert person("secretary_a").client.head(LEDGER).status_code == 200
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalar(select(m.LoginFailure)) is None


def test_the_leader_reads_that_all_fields_are_asked_for(person, app):
    ask(person("secretary_a"), f"{LIST}?columns=all")
    assert last(app, m.ExportRequest).said.endswith("；全部栏目")
    assert person("secretary_a").get("/full_export/ask/?address=/child/export/csv/").status_code == 404


def test_who_asked_hears_of_the_answer(person, app):
    secretary = person("secretary_a")
    ask(secretary)
    decide(person("leader"), last(app, m.ExportRequest).id)
    assert "完整号码导出已同意" in html.unescape(secretary.get("/").text)


def test_nobody_approves_the_own_request(person, app):
    """An account that holds two offices is still one person."""
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        her = session.scalars(select(m.User).where(m.User.username == "office")).one()
        her.grants.append(m.Grant(role=m.Role.LEADER))
        session.commit()
    at = person("office")
    ask(at)
    asked = last(app, m.ExportRequest)
    assert 'name="decision"' not in at.get("/full_export/").text
    assert "不能审批自己的申请" in decide(at, asked.id)
    assert last(app, m.Approval) is None
    assert "已同意" in decide(person("leader"), asked.id)


def test_an_export_ends_at_its_most_rows(person, monkeypatch):
    monkeypatch.setattr("admin_app.views.lists.EXPORT_CAP", 2)
    found = book(person("office").get("/school/export/xlsx/?purpose=核对"))
    assert found.worksheets[0].max_row == 3 and person("office").get("/school/").text.count("<tr") > 3


def test_a_file_can_be_told_by_its_fingerprint_in_the_log_and_says_on_every_page_who_took_it(app, person):
    content = person("office").get("/child/export/xlsx/?purpose=核对").data
    with app.app_context(), session_with(SYSTEM) as session:
        last = select(m.AuditValue.changes).join(m.AuditEntry, m.AuditEntry.id == m.AuditValue.entry_id)
        noted = session.scalars(last.where(m.AuditEntry.action == "export").order_by(m.AuditEntry.id.desc()).limit(1)).one()
    assert noted["指纹"] == [None, hashlib.sha256(content).hexdigest()]
    for sheet in load_workbook(io.BytesIO(content)):
        assert "股员乙" in sheet.oddFooter.right.text and "严禁外传" in sheet.oddFooter.left.text


def test_every_page_with_children_carries_who_looks_and_when(person):
    for path in ("/child/", "/care_record/", "/report/show/?kind=county"):
        page = person("leader").get(path).text
        assert re.search(r'class="watermark" aria-hidden="true"><span data-text="局长丙 \d{4}-\d\d-\d\d \d\d:\d\d', page), path


# --- under a password ---

OFFERED = re.compile(r'name="package_password" value="([^"]+)"')


def agreed(person, app):
    """A request the leader has agreed to, its asker, and the password their page offers for the package."""
    secretary = person("secretary_a")
    ask(secretary)
    row = last(app, m.ExportRequest)
    decide(person("leader"), row.id)
    return secretary, row, OFFERED.search(secretary.get("/full_export/").text)[1]


def test_full_numbers_leave_under_the_password_that_was_offered(person, app, ids):
    secretary, row, offered = agreed(person, app)
    answer = take(secretary, row, package_open="", package_password=offered)
    assert answer.mimetype == "application/zip" and number_of(app, ids.child_a).encode() not in answer.data
    with pyzipper.AESZipFile(io.BytesIO(answer.data)) as archive:
        (name,) = archive.namelist()
        with pytest.raises(RuntimeError, match="password"):
            archive.read(name)
        archive.setpassword(offered.encode())
        assert number_of(app, ids.child_a) in texts(load_workbook(io.BytesIO(archive.read(name))))


def test_the_fingerprint_is_that_of_the_package_and_its_password_is_written_down_nowhere(person, app, base, caplog):
    secretary, row, offered = agreed(person, app)
    answer = take(secretary, row, package_open="", package_password=offered)
    digest = hashlib.sha256(answer.data).hexdigest()
    assert last(app, m.ExportRequest).digest == digest
    with app.app_context(), session_with(SYSTEM) as session:
        entry = session.scalar(select(m.AuditEntry.id).where(m.AuditEntry.action == "export").order_by(m.AuditEntry.id.desc()))
        noted = session.get(m.AuditValue, entry).changes
        assert noted["指纹"] == [None, digest] and noted["压缩包"] == [None, "加密"]
        assert offered not in str(session.scalars(select(m.AuditValue.changes)).all()) + caplog.text
    assert offered not in secretary.get("/full_export/").text


def test_whoever_wants_none_ticks_it_and_the_log_says_so(person, app):
    secretary, row, _offered = agreed(person, app)
    assert book(take(secretary, row)).sheetnames
    with app.app_context(), session_with(SYSTEM) as session:
        entry = session.scalar(select(m.AuditEntry.id).where(m.AuditEntry.action == "export").order_by(m.AuditEntry.id.desc()))
        assert session.get(m.AuditValue, entry).changes["压缩包"] == [None, "未加密"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "12 至 128"),
        ("123456", "12 至 128"),
        ("Password1234", "太容易猜到"),
        ("1" * 20, "不能只用数字"),
        ("今天下午三点半在操场见面吧", "认不准汉字"),
    ],
)
def test_a_password_of_ones_own_must_be_hard_to_guess_and_nothing_is_spent(typed, said, person, app):
    secretary, row, _offered = agreed(person, app)
    assert take(secretary, row, package_open="", package_password=typed).status_code == 302
    assert said in html.unescape(secretary.get("/full_export/").text) and last(app, m.ExportRequest).taken_at is None


def test_a_password_of_ones_own_opens_the_package(person, app):
    secretary, row, _offered = agreed(person, app)
    answer = take(secretary, row, package_open="", package_password="Tie lu bian 7 ke shu!")
    with pyzipper.AESZipFile(io.BytesIO(answer.data)) as archive:
        archive.setpassword(b"Tie lu bian 7 ke shu!")
        assert archive.testzip() is None
