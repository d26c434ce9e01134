"""A ledger out and back: only what was typed is taken over, whatever the register did meanwhile, and nobody's row becomes another's."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace

import pytest
from hypothesis import given, settings, strategies as st
from openpyxl import load_workbook
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.records import entering, importing, ledger, offline_ledger, roundtrip
from admin_app.sheets import offline
from tests import factories as make
from tests.records.test_importing import asking

KEYS = ledger.OFFLINE_KEYS
TITLES = [ledger.TITLES[key] for key in KEYS]


@pytest.fixture
def school(system) -> m.School:
    school = make.school(system, "2153990078", "云岭小学")
    for name in ("普小云", "李小山", "罗小河"):
        child = make.left_behind(system, school, name, born=dt.date(2016, 5, 6), remark="旧备注")
        make.carer(system, child)
    system.flush()
    return school


def taken_out(session, school):
    page = offline_ledger.sheet(session, school)
    content = offline.workbook([page], roundtrip.HEADING, offline_ledger.GUIDE, {"导出人": "施老师"})
    return load_workbook(io.BytesIO(content))


def cell(book, name: str, key: str):
    """The cell of a child in the workbook, by its column's title."""
    sheet = book["台账"]
    heads = [c.value for c in sheet[1]]
    row = next(r for r in sheet.iter_rows(min_row=2) if r[heads.index("姓名")].value == name)
    return row[heads.index(ledger.TITLES[key] if key != "mark" else roundtrip.HEADING)]


def back(session, school, book) -> importing.Plan:
    out = io.BytesIO()
    book.save(out)
    entries = importing.read_ledger(out.getvalue(), "离线台账.xlsx")
    return importing.check_rows(session, asking(session), entries, school, dt.date(2025, 9, 1))


def child(session, name: str) -> m.Child:
    return session.scalars(select(m.Child).where(m.Child.name == name)).one()


def changed(plan) -> dict[str, dict]:
    return {row.values["name"]: row.changes for row in plan.rows if row.changes}


def test_a_file_that_comes_back_as_it_went_out_changes_nothing(system, school):
    plan = back(system, school, taken_out(system, school))
    assert plan.counts["unchanged"] == 3 == len(plan.rows)


def test_only_the_cells_that_were_typed_are_taken_over(system, school):
    book = taken_out(system, school)
    cell(book, "普小云", "remark").value = "新备注"
    cell(book, "李小山", "father.phone").value = "13900001111"
    plan = back(system, school, book)
    assert changed(plan) == {
        "普小云": {"remark": ("旧备注", "新备注")},
        "李小山": {"father.phone": (child(system, "李小山").parents[0].phone, "13900001111")},
    }


def test_a_cell_nobody_typed_in_does_not_undo_what_the_register_learnt_meanwhile(system, school):
    book = taken_out(system, school)
    child(system, "普小云").home_address = "新村5组"
    child(system, "普小云").name = "普晓云"
    system.flush()
    cell(book, "普小云", "remark").value = "新备注"
    plan = back(system, school, book)
    (row,) = [row for row in plan.rows if row.changes]
    assert row.status == "changed" and row.changes == {"remark": ("旧备注", "新备注")}
    entering.save(system, plan, "离线台账.xlsx")
    kept = child(system, "普晓云")
    assert (kept.home_address, kept.remark) == ("新村5组", "新备注")


def test_a_cell_changed_on_both_sides_is_shown_side_by_side_and_asked_about(system, school):
    book = taken_out(system, school)
    child(system, "普小云").remark = "别人的备注"
    system.flush()
    cell(book, "普小云", "remark").value = "我的备注"
    plan = back(system, school, book)
    row = next(row for row in plan.rows if row.changes)
    assert row.status == "unsure" and row.asks and plan.blocked
    assert row.changes["remark"] == ("别人的备注", "我的备注")
    assert any("导出后已有人改为“别人的备注”，您填“我的备注”" in p.text and p.cell for p in row.problems)
    plan.accept([row.key])
    entering.save(system, plan, "离线台账.xlsx")
    assert child(system, "普小云").remark == "我的备注"


def test_both_sides_typing_the_same_is_no_conflict(system, school):
    book = taken_out(system, school)
    child(system, "普小云").remark = "同样的备注"
    system.flush()
    cell(book, "普小云", "remark").value = "同样的备注"
    assert back(system, school, book).counts["unchanged"] == 3


def test_the_row_finds_its_child_when_name_and_number_were_corrected_one_at_a_time(system, school):
    book = taken_out(system, school)
    cell(book, "普小云", "id_number").value = make.id_number(dt.date(2016, 5, 6), order=955)
    plan = back(system, school, book)
    row = next(row for row in plan.rows if row.changes)
    assert row.child_id == child(system, "普小云").id and set(row.changes) == {"id_number"}


def test_a_copied_line_with_another_name_and_number_is_a_new_child(system, school):
    child(system, "普小云").id_number = make.id_number(dt.date(2016, 5, 6), order=957)
    system.flush()
    book = taken_out(system, school)
    sheet = book["台账"]
    line = [c.value for c in cell(book, "普小云", "name").parent[cell(book, "普小云", "name").row]]
    line[KEYS.index("name")], line[KEYS.index("id_number")] = "普小雪", make.id_number(dt.date(2016, 5, 6), order=959)
    sheet.append(line)
    plan = back(system, school, book)
    assert plan.counts["new"] == 1 and plan.counts["unchanged"] == 3


def test_a_line_whose_child_has_gone_is_refused(system, school):
    book = taken_out(system, school)
    child(system, "普小云").deleted_at = dt.datetime.now(dt.UTC)
    system.flush()
    row = next(row for row in back(system, school, book).rows if row.values["name"] == "普小云")
    assert row.status == "refused" and "不在本校名册" in row.problems[0].text


@pytest.mark.parametrize("spoiled", ["7", "x.y.z", "1.00.ff", " "])
def test_a_spoiled_mark_is_said_and_the_child_is_found_as_ever(system, school, spoiled):
    book = taken_out(system, school)
    cell(book, "普小云", "mark").value = spoiled
    row = next(row for row in back(system, school, book).rows if row.values["name"] == "普小云")
    assert row.status == "unchanged" and row.child_id == child(system, "普小云").id
    assert any("系统列被改动" in p.text for p in row.problems) or not spoiled.strip()


def test_a_mark_moved_to_another_childs_line_changes_nobody(system, school):
    book = taken_out(system, school)
    cell(book, "普小云", "mark").value = cell(book, "李小山", "mark").value
    plan = back(system, school, book)
    assert plan.blocked and not any(row.writes for row in plan.rows if row.values["name"] == "普小云")


def test_rows_may_be_sorted_and_columns_moved(system, school):
    book = taken_out(system, school)
    sheet = book["台账"]
    rows = [[c.value for c in row] for row in sheet.iter_rows()]
    head, *lines = rows
    order = list(reversed(range(len(head))))
    sheet.delete_rows(1, sheet.max_row)
    for line in [head, *lines[::-1]]:
        sheet.append([line[n] for n in order])
    cell(book, "普小云", "remark").value = "新备注"
    assert changed(back(system, school, book)) == {"普小云": {"remark": ("旧备注", "新备注")}}


def test_the_workbook_offers_choices_and_keeps_long_numbers_as_text(system, school):
    book = taken_out(system, school)
    sheet = book["台账"]
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    letter = sheet.cell(1, KEYS.index("ethnic") + 1).column_letter
    ethnic = next(rule for span, rule in rules.items() if span.startswith(f"{letter}2:"))
    assert ethnic.type == "list" and "选项" in ethnic.formula1
    assert sheet.column_dimensions[sheet.cell(1, len(KEYS) + 1).column_letter].hidden
    assert cell(book, "普小云", "father.phone").value.count("*") == 4
    assert cell(book, "普小云", "birth_date").is_date
    assert book["选项"].sheet_state == "hidden"


def test_the_mark_tells_nothing_and_belongs_to_one_row(system, school):
    book = taken_out(system, school)
    text = cell(book, "普小云", "mark").value
    assert "普" not in text and child(system, "普小云").parents[0].phone not in text
    found = roundtrip.origin("child", text, KEYS)
    assert found.says("name", "普小云") and not found.says("name", "李小山")
    assert roundtrip.origin("care_record", text, KEYS) is None and roundtrip.origin("child", text, KEYS[:-1]) is None


VALUES = st.dictionaries(st.sampled_from(KEYS), st.text(max_size=20) | st.booleans() | st.dates() | st.none(), max_size=8)


@given(st.integers(1, 10**6), VALUES, VALUES)
@settings(max_examples=100, deadline=None)
def test_a_cell_says_what_it_said_and_nothing_else(row_id, said, other):
    from admin_app import labels

    found = roundtrip.origin("child", roundtrip.mark("child", row_id, said, KEYS), KEYS)
    assert found is not None and found.row_id == row_id
    for key in KEYS:
        assert found.says(key, said.get(key))
        assert found.says(key, other.get(key)) == (labels.text(said.get(key)) == labels.text(other.get(key)))


def test_a_secretary_takes_her_ledger_out_and_brings_it_back_through_the_pages(person, app, ids: SimpleNamespace):
    secretary = person("secretary_a")
    book = load_workbook(io.BytesIO(secretary.get(f"/imports/offline/?school={ids.a}").data))
    cell(book, "甲小雨", "remark").value = "改过的备注"
    out = io.BytesIO()
    book.save(out)
    form = {"school": str(ids.a), "start": "2025-09-01", "file": (io.BytesIO(out.getvalue()), "离线台账.xlsx")}
    preview = secretary.post("/imports/", form).headers["Location"]
    page = secretary.get(preview).text
    assert "改过的备注" in page and "系统列（请勿改动）" not in page
    secretary.post("/imports/save/", {"id": preview.rpartition("=")[2]})
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.get_one(m.Child, ids.child_a).remark == "改过的备注"
        assert session.scalar(select(m.Batch).order_by(m.Batch.id.desc())).kind is m.BatchKind.IMPORT
