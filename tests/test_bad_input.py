"""Broken addresses and forms: a clear sentence, never a 500, nothing lost, text kept as text."""

from __future__ import annotations

import datetime as dt
import io
import re
from urllib.parse import quote

import openpyxl
import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from tests import factories as make
from tests.test_broken_requests import Forms, encoded

pytestmark = pytest.mark.matrix

JUNK = ["abc", "-1", "1,2", "99999999999999999999999", "1%00", "%ff", "' or 1=1 --", "１", "<script>", "0x10", ""]


@pytest.mark.parametrize("junk", JUNK)
def test_a_junk_id_is_an_absent_record(junk, person):
    browser = person("secretary_a")
    for path in (
        "/child/details/?id=",
        "/child/edit/?id=",
        "/assessment/sheet/?sheet=",
        "/activity/roster/?id=",
        "/imports/preview/?id=",
    ):
        wanted = {404} if junk != "１" else {404, 200, 302}  # a full-width one is still a one
        assert browser.get(path + junk).status_code in wanted, path


def test_a_foreign_record_and_an_absent_one_look_the_same(person, ids):
    import re

    browser = person("secretary_a")
    foreign, absent = (browser.get(f"/child/details/?id={i}") for i in (ids.child_b, 987654))
    strip = lambda text: re.sub(r"\d{8}", "", text)  # noqa: E731
    assert foreign.status_code == absent.status_code == 404 and strip(foreign.text) == strip(absent.text)


@pytest.mark.parametrize("query", ["page=-1", "page=99999999999999999999", "page=x", "sort=99", "sort=-3", "sort=x", "search=%00", "search=%25",
                                   "search=" + "长" * 500, "sex=9", "grade=zz", "school=x", "birth_date_from=2026-13-40", "gap=nothing",
                                   "definition=PC", "township=99999999999999999999", "boarding=7", "unknown=1"])  # fmt: skip
def test_a_junk_page_sort_filter_or_search_still_shows_the_list(query, person):
    for who in ("secretary_a", "office"):
        answer = person(who).get(f"/child/?{query}")
        assert answer.status_code == 200 and "<table" in answer.text
        if who == "secretary_a":
            assert "丁不漏" not in answer.text


def test_a_percent_sign_finds_only_itself(person):
    assert "甲小雨" not in person("secretary_a").get("/child/?search=%25").text


def form_of_child(ids, **more):
    born = dt.date(2016, 3, 4)
    return {
        "school": ids.a, "name": "普小龙", "sex": "1", "birth_date": born.isoformat(), "ethnic": "07", "id_kind": "1",
        "id_number": make.id_number(born), "grade": "P3", "class_name": "1班",
    } | more  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "长" * 300}, "姓名应为 2 至 30 个字"),
        ({"name": "a\x00b<script>"}, "姓名只能有文字"),
        ({"name": "😀😀"}, "姓名只能有文字"),
        ({"birth_date": "2026-02-31"}, "日期应写作"),
        ({"birth_date": "2016-03-05"}, "出生日期与证件号不一致"),
        ({"sex": "2"}, "性别与证件号不一致"),
        ({"id_number": "539999201603040011"}, "校验位不对"),
        ({"class_name": "班" * 40}, "最多 20 个字"),
        ({"grade": "P9"}, "不是有效的选项"),
        ({"school": "b"}, "不是有效的选项"),
        ({"school": "foreign"}, "不是有效的选项"),
        ({"class_teacher": "foreign"}, "不是有效的选项"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_a_wrong_field_brings_the_form_back_with_a_sentence(change, sentence, person, ids, app):
    values = {"school": {"foreign": ids.b}, "class_teacher": {"foreign": ids.staff_b}}
    change = {k: values.get(k, {}).get(v, v) for k, v in change.items()}
    answer = person("secretary_a").post("/child/new/", form_of_child(ids, **change))
    assert answer.status_code == 200 and sentence in answer.text
    assert ("1班" if "class_name" not in change else "班班") in answer.text, "what was typed is still there"
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalar(select(m.Child).where(m.Child.name == "普小龙")) is None


def test_text_that_looks_like_code_is_kept_and_exported_as_text(person, ids, app):
    browser = person("secretary_a")
    nasty = "=1+1<script>alert(1)</script>"
    assert browser.post("/child/new/", form_of_child(ids, class_name="=1+1", remark=nasty)).status_code == 302
    page = browser.get("/child/?search=普小龙")
    assert "=1+1" in page.text and "<script>alert" not in page.text
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/child/export/xlsx/").data))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert any(cell.value == "=1+1" and cell.data_type == "s" for cell in cells)
    assert not any(cell.data_type == "f" for cell in cells)


def test_an_export_holds_own_rows_only_with_numbers_masked_and_a_receipt(person):
    book = openpyxl.load_workbook(io.BytesIO(person("secretary_a").get("/child/export/xlsx/").data))
    words = " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    assert "甲小雨" in words and "丁不漏" not in words and "****" in words and "填报员a" in words


def test_a_stale_save_shows_both_values_and_loses_neither(person, ids, app):
    browser = person("secretary_a")
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        child = session.get(m.Child, ids.child_a)
        form = {
            "school": ids.a, "name": "甲小雨", "sex": "1", "birth_date": child.birth_date.isoformat(), "ethnic": "07", "id_kind": "1",
            "id_number": "5399****" + child.id_number[-4:], "grade": "P3", "class_name": "9班", "version": child.version,
            "home_address": child.home_address, "hukou": "1",
        }  # fmt: skip
        child.class_name = "8班"
        session.commit()
    answer = browser.post(f"/child/edit/?id={ids.child_a}", form)
    assert "他人已先保存" in answer.text and "8班" in answer.text and 'value="9班"' in answer.text
    with app.app_context(), session_with(SYSTEM) as session:
        child = session.get(m.Child, ids.child_a)
        assert child.class_name == "8班"
        form["version"] = child.version
    assert browser.post(f"/child/edit/?id={ids.child_a}", form).status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        child = session.get(m.Child, ids.child_a)
        assert child.class_name == "9班" and not child.id_number.count("*"), "a masked number left alone is kept whole"


def test_two_parents_of_one_side_are_refused_in_words(person, ids):
    form = {"child": ids.child_a, "side": "father", "bond": "own", "name": "又一个"}
    answer = person("secretary_a").post("/parent/new/", form)
    assert answer.status_code == 200 and "已登记" in answer.text and "UNIQUE" not in answer.text and "duplicate" not in answer.text


def test_overlapping_responsible_persons_are_refused_in_words(person, ids):
    form = {"child": ids.child_a, "staff": ids.staff_a, "start": "2026-01-01"}
    assert "时间重叠" in person("secretary_a").post("/responsibility/new/", form).text


def test_a_talk_before_the_child_came_is_refused_in_words(person, ids):
    form = {
        "enrolment": ids.enrolment_a,
        "kind": "talk",
        "way": "face",
        "role": "responsible",
        "on": "2024-01-01",
        "attention": "normal",
    }
    assert "早于就读起始日" in person("secretary_a").post("/care_record/new/", form).text


@pytest.mark.parametrize("blank", ["", "   ", "\u3000", "\0"])
@pytest.mark.parametrize(
    "who, path, name", [("office", "/school/edit/?id={a}", "name"), ("secretary_a", "/activity/edit/?id={activity_a}", "title")]
)
def test_blanks_alone_are_no_text(who, path, name, blank, person, ids):
    path, browser = path.format(**vars(ids)), person(who)
    given = next(fields for _at, fields in Forms(browser.get(path).text, path).found if name in fields)
    answer = browser.client.post(path, data=encoded(given, name, quote(blank)), content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200 and f'<a href="#{name}">' in answer.text, "only this field is wrong"


def test_a_number_of_another_school_is_told_in_the_words_of_a_slip(person, ids, app):
    with app.app_context(), session_with(SYSTEM) as session:
        number, born = session.get(m.Child, ids.child_b).id_number, session.get(m.Child, ids.child_b).birth_date
    form = form_of_child(ids, id_number=number, birth_date=born.isoformat())
    answer = person("secretary_a").post("/child/new/", form)
    assert "校验位不对" in answer.text and "青松" not in answer.text


@pytest.mark.parametrize("name", ["坏.xlsx", "空.csv", "空行.csv", "图片.png", "只有一行.xlsx"])
def test_a_file_that_is_no_ledger_is_refused_in_words(name, person, ids):
    content = {
        "坏.xlsx": book_of(["甲", "乙", "丙"])[:300],
        "空.csv": b"",
        "空行.csv": b"\n\n",
        "只有一行.xlsx": book_of(["甲", "乙", "丙"]),
        "图片.png": b"\x89PNG\r\n\x1a\n" + b"0" * 99,
    }[name]
    data = {"file": (io.BytesIO(content), name), "school": ids.a, "start": "2025-09-01"}
    answer = person("secretary_a").post("/imports/", data, content_type="multipart/form-data")
    assert answer.status_code == 200 and 'class="alert alert-danger"' in answer.text


def book_of(*lines) -> bytes:
    buffer = io.BytesIO()
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    book.save(buffer)
    return buffer.getvalue()


def test_a_table_with_headings_nobody_knows_asks_which_they_are(person, ids):
    data = {"file": (io.BytesIO(book_of(["甲", "乙", "丙"], [1, 2, 3])), "无此表头.xlsx"), "school": ids.a, "start": "2025-09-01"}
    answer = person("secretary_a").post("/imports/", data, content_type="multipart/form-data", follow_redirects=True)
    assert answer.status_code == 200 and "核对列名" in answer.text and "甲" in answer.text


def test_a_foreign_school_in_the_upload_is_refused(person, ids, ledgers):
    data = {"file": (io.BytesIO((ledgers / "台账-整洁.xlsx").read_bytes()), "台账.xlsx"), "school": ids.b, "start": "2025-09-01"}
    assert "不是有效的选项" in person("secretary_a").post("/imports/", data, content_type="multipart/form-data").text


def test_look_ups_offer_own_rows_only(person):
    found = person("secretary_a").post("/care_record/ajax/lookup/?limit=-1", {"name": "enrolment", "query": "不漏"}).get_json()
    assert found == []
    assert (
        person("secretary_a")
        .post("/care_record/ajax/lookup/", {"name": "enrolment", "query": "小雨"})
        .get_json()[0][1]
        .startswith("甲小雨")
    )


def test_a_name_from_another_school_in_a_roster_is_refused(person, ids, app):
    answer = person("secretary_a").post(f"/activity/roster/?id={ids.activity_a}", {"child": [ids.enrolment_a, ids.enrolment_b]})
    assert "不是有效的选项" in answer.text
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalars(select(m.Participation)).all() == []


@pytest.mark.parametrize("raw", ["abc", "99", "-1", "NaN", "1e9", "2.555", "１"])
def test_a_junk_score_is_refused_and_what_was_typed_stays(raw, person, ids, app):
    with app.app_context(), session_with(SYSTEM) as session:
        indicator = session.scalar(select(m.Indicator).where(m.Indicator.code == "A1.4")).id
    form = {"sheet": ids.sheet_a, f"score-{indicator}": raw, f"reason-{indicator}": "缺制度"}
    answer = person("office").post("/assessment/judge/", form)
    assert answer.status_code == (302 if raw == "１" else 200)
    if raw != "１":
        assert "缺制度" in answer.text and "A1.4" in answer.text


def test_a_searched_number_stays_masked_in_the_export_and_the_log(person, app, ids):
    number = make.id_number(dt.date(2016, 3, 4))
    content = person("secretary_a").get(f"/child/export/xlsx/?search={number}").data
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(number.encode() in archive.read(part) for part in archive.namelist())
    with app.app_context(), session_with(SYSTEM) as session:
        assert number not in str(session.scalars(select(m.AuditValue.changes)).all())


@pytest.mark.parametrize("query", ["on=abc", "kind=zzz", "enrolment=x", "staff=99999999999999"])
def test_a_junk_value_offered_to_a_form_leaves_the_field_empty(query, person):
    assert person("secretary_a").get(f"/care_record/new/?{query}").status_code == 200


@pytest.mark.parametrize("pupils", ["9" * 25, "-5", "abc", "1.5"])
def test_a_number_out_of_range_is_refused_in_words(pupils, person, ids):
    form = {"school": ids.a, "title": "演练", "kind": 27, "on": "2025-10-10", "pupils": pupils}
    answer = person("secretary_a").post("/activity/new/", form)
    assert answer.status_code == 200 and 'class="wrong"' in answer.text and "Failed" not in answer.text


def test_what_a_reader_may_not_see_cannot_be_guessed_by_sorting(person):
    page = person("office").get("/care_record/").text
    assert "sort=8" in page and "sort=9" not in page  # 关注等级 is the tenth column


def test_a_teacher_who_answers_for_a_child_cannot_be_deleted(person, ids):
    browser = person("secretary_a")
    answer = browser.post("/staff/delete/", {"id": ids.staff_a, "reason": "调离"}, follow_redirects=True)
    assert "请先移交责任" in answer.text


def test_deleting_a_parent_takes_the_statuses_along(person, app, ids):
    assert person("secretary_a").post("/parent/delete/", {"id": ids.parent_a, "reason": "录错"}).status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.scalars(select(m.ParentStatus).where(m.ParentStatus.parent_id == ids.parent_a)).all() == []


def test_a_form_sent_twice_makes_one_row_and_leads_where_the_first_led(app, ids, person):
    secretary = person("secretary_a")
    page = secretary.get(f"/care_record/new/?enrolment={ids.enrolment_a}&kind=talk").text
    once = re.search(r'name="once"[^>]*value="([\w-]{20,})"', page).group(1)
    form = {"enrolment": ids.enrolment_a, "kind": "talk", "way": "face", "role": "other", "attention": "normal", "on": "2025-10-20",
            "content": "只说一次", "once": once}  # fmt: skip
    refused = secretary.post("/care_record/new/", form | {"on": "明天"})
    assert f'value="{once}"' in refused.text  # a form that is corrected stays the same form
    first, second = (secretary.post("/care_record/new/", form) for _ in range(2))
    assert first.status_code == second.status_code == 302 and first.location == second.location
    assert "没有重复登记" in secretary.get(second.location).text
    assert secretary.post("/care_record/new/", form | {"once": once[:-1] + "-"}).status_code == 302  # another form
    assert (
        person("secretary_b").post("/care_record/new/", form).status_code == 200
    )  # the number is its author's: refused for the child
    with app.app_context(), session_with(SYSTEM) as session:
        assert len(session.scalars(select(m.CareRecord).where(m.CareRecord.content == "只说一次")).all()) == 2
