"""台账 as a school hands it in: what its reader may see, in the printed order; the import reads it back and changes nothing."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest
from sqlalchemy import select

from admin_app import labels, models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.records import entering, filed_ledger, importing
from admin_app.sheets import reader
from tests.records.test_importing import START, asking, plan_for

pytestmark = pytest.mark.matrix

HEADER_ROW = 3


def read_back(session, book):
    """What the import would do with a workbook, its column 学校 saying whose."""
    content = io.BytesIO()
    book.save(content)
    entries = importing.read_ledger(content.getvalue(), "台账.xlsx")
    return importing.check_rows(session, asking(session), entries, None, START)


def as_shown(answer):
    """(the workbook, its children as dicts by header)."""
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    lines = list(book.worksheets[0].iter_rows(min_row=HEADER_ROW, values_only=True))
    filled = [dict(zip(lines[0], line, strict=True)) for line in lines[1:] if line[1]]
    return book, filled


@pytest.fixture
def filled(app, ids, ledgers):
    """School A as its own ledger says, of the sample that schools send."""
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        plan = plan_for(session, (ledgers / "台账-整洁.xlsx").read_bytes(), ids.a)
        entering.save(session, plan, "台账.xlsx")
        session.commit()
        return len(plan.rows)


def test_the_file_has_the_columns_of_the_printed_sheet_and_its_lines_for_signatures(person, filled):
    answer = person("secretary_a").get("/child/ledger/?definition=GF13")
    book, lines = as_shown(answer)
    sheet = book.worksheets[0]
    assert len(lines[0]) == 30 and sheet["A1"].value == "农村留守儿童台账" and "口径：国发〔2016〕13号" in sheet["A2"].value
    everybody, lines = as_shown(person("secretary_a").get("/child/ledger/"))
    assert everybody.worksheets[0]["A1"].value == "儿童台账" and "含非留守儿童" in everybody.worksheets[0]["A2"].value
    assert "填报单位（盖章）：晨光小学" in sheet["A2"].value and f"统计截止日期：{labels.day(dt.date.today())}" in sheet["A2"].value
    assert [line["序号"] for line in lines] == list(range(1, len(lines) + 1)) and len(lines) > filled
    assert "填表人（签名）" in sheet.cell(sheet.max_row, 1).value
    assert sheet.page_setup.orientation == "landscape" and sheet.print_title_rows == "$3:$3"
    assert all(isinstance(line["出生年月"], dt.datetime) for line in lines)
    assert "导出凭据" in book.sheetnames


def test_who_reads_it_sees_what_the_screens_show(person, app, ids, filled):
    with app.app_context(), session_with(SYSTEM) as session:
        numbers = [n for n in session.scalars(select(m.Child.id_number)) if n]
        phones = [p for p in session.scalars(select(m.Parent.phone)) if p]
    for who in ("secretary_a", "office", "leader"):
        book, lines = as_shown(person(who).get("/child/ledger/"))
        words = {str(value) for sheet in book for row in sheet.iter_rows(values_only=True) for value in row if value is not None}
        assert not words & {*numbers, *phones}, who
        assert any("****" in (line["身份证号"] or "") for line in lines)
    assert not any(line["姓名"].startswith("丁") for line in as_shown(person("secretary_a").get("/child/ledger/"))[1])
    with app.app_context(), session_with(SYSTEM) as session:
        noted = session.scalars(select(m.AuditEntry).where(m.AuditEntry.action == "export")).all()
        assert len(noted) == 4


def test_the_filter_of_the_list_is_the_filter_of_the_file(person, filled):
    sheet, lines = as_shown(person("office").get("/child/ledger/?grade=P1"))
    assert lines and {line["年级"] for line in lines} == {"一年级"} and "一年级" in sheet.worksheets[0]["A2"].value


def test_read_back_it_changes_nothing_and_one_changed_cell_changes_that_alone(open_as, person, ids, filled, app):
    book, lines = as_shown(person("secretary_a").get("/child/ledger/?search="))
    sheet = book.worksheets[0]
    with open_as("secretary_a") as session:
        plan = read_back(session, book)
        assert len(plan.rows) == len(lines)
        assert {each.status for each in plan.rows} == {"unchanged"}, [p.text for r in plan.rows for p in r.problems]
    headers = [cell.value for cell in sheet[HEADER_ROW]]
    sheet.cell(HEADER_ROW + 1, headers.index("现住址") + 1).value = "漠沙镇曼竜村三组"
    with open_as("secretary_a") as session:
        plan = read_back(session, book)
        changed = [each for each in plan.rows if each.status != "unchanged"]
        assert [each.status for each in changed] == ["changed"] and set(changed[0].changes) == {"home_address"}


def test_a_masked_cell_says_nothing(open_as, ids):
    for text in ("5399****0120", "139****4467", "****", "（仅本校可见）", "（受限）"):
        grid = reader.Grid(
            "表",
            [
                ["姓名", "性别", "出生年月", "年级", "身份证号", "父亲电话"],
                ["普小龙", "男", dt.date(2016, 3, 4), "一年级", text, text],
            ],
        )
        (entry,) = filed_ledger.ledger.entries([grid])
        assert not {"id_number", "father.phone"} & set(entry.values) and not entry.problems


def test_a_ledger_is_kept_as_it_was_handed_in(person, app, ids):
    secretary = person("secretary_a")
    kept = secretary.post("/child/ledger/keep/?definition=GF13").headers["Location"]
    number = kept.rpartition("=")[2]
    first = secretary.get(f"/report/export/?id={number}")
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.get_one(m.Child, ids.child_a).home_address = "搬走了"
        session.commit()
    page, again = secretary.get(kept).text, secretary.get(f"/report/export/?id={number}")
    assert "甲小雨" in page and "搬走了" not in page and "5399****" in page
    rows = [[[c.value for c in row] for row in as_shown(answer)[0].worksheets[0].iter_rows()] for answer in (first, again)]
    assert rows[0] == rows[1] and rows[0][0][0] == "农村留守儿童台账"
    assert person("secretary_b").get(kept).status_code == 404 and person("office").get(kept).status_code == 200
    assert "已标为上报" in secretary.post("/report/hand-in/", {"id": number}, follow_redirects=True).text
