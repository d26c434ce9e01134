"""A term's talks, visits and participants out and back: typed cells alone, new lines as new records, nothing cleared."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.records import roundtrip, term_sheets
from admin_app.rules import Complaint
from admin_app.sheets import offline, reader
from tests import factories as make

DAY = dt.date(2025, 10, 9)


@pytest.fixture
def school(system) -> m.School:
    school = make.school(system, "2153990079", "云岭小学")
    teacher = make.staff(system, school, "施师傅")
    for name in ("普小云", "李小山", "罗小河"):
        child = make.left_behind(system, school, name)
        make.responsible(system, child, teacher)
    make.talk(system, child_of(system, "普小云"), DAY, content="想家", staff_id=teacher.id)
    make.talk(system, child_of(system, "李小山"), DAY, content="算术难", staff_id=teacher.id)
    activity = make.activity(system, school, "A01", dt.date(2025, 10, 20), title="国庆讲故事")
    make.event(system, m.Participation, child_of(system, "普小云"), activity_id=activity.id, child_name="普小云")
    system.flush()
    return school


def child_of(session, name: str) -> m.Child:
    return session.scalars(select(m.Child).where(m.Child.name == name)).one()


def taken_out(session, school):
    term = session.scalar(select(m.Term).where(m.Term.code == "2025-1"))
    content = offline.workbook(
        term_sheets.sheets(session, school, term), roundtrip.HEADING, term_sheets.GUIDE, {"导出人": "施师傅"}
    )
    return load_workbook(io.BytesIO(content))


def cell(book, title: str, name: str, column: str, *, new: bool = False):
    sheet = book[title]
    heads = [c.value for c in sheet[1]]
    mark, who = heads.index(roundtrip.HEADING), heads.index("主题" if title == "参加活动" else "姓名")
    rows = (r for r in sheet.iter_rows(min_row=2) if r[who].value == name and bool(r[mark].value) is not new)
    return next(rows)[heads.index(column)]


def back(session, school, book) -> term_sheets.TermPlan:
    out = io.BytesIO()
    book.save(out)
    grids = reader.read(out.getvalue(), "学期记录表.xlsx")
    assert term_sheets.is_one(grids)
    return term_sheets.check(session, grids, school)


def write(session, plan, **how) -> int:
    *_before, written = term_sheets.writing(session, plan, "学期记录表.xlsx", **how)
    session.flush()
    return written


def talks(session, name: str) -> list[m.CareRecord]:
    rows = select(m.CareRecord).where(m.CareRecord.child_id == child_of(session, name).id).order_by(m.CareRecord.on)
    return list(session.scalars(rows))


def test_the_sheets_come_back_unchanged_and_change_nothing(system, school):
    plan = back(system, school, taken_out(system, school))
    assert {row.status for row in plan.rows} == {"unchanged"} and len(plan.rows) == 3
    with pytest.raises(Complaint, match="没有可写入"):
        write(system, plan)


def test_every_left_behind_child_has_a_line_made_ready(system, school):
    book = taken_out(system, school)
    for title in ("谈心", "家访"):
        assert cell(book, title, "罗小河", "班级", new=True).value == "三年级1班"


def test_a_line_filled_in_is_a_new_talk_of_that_child(system, school):
    book = taken_out(system, school)
    cell(book, "谈心", "罗小河", "日期", new=True).value = dt.date(2025, 11, 3)
    cell(book, "谈心", "罗小河", "教师", new=True).value = "施师傅"
    cell(book, "谈心", "罗小河", "内容", new=True).value = "和同学和好了"
    cell(book, "谈心", "罗小河", "存在的问题（五缺）", new=True).value = "感情缺失、学习缺教"
    cell(book, "谈心", "罗小河", "关注等级", new=True).value = "关注"
    plan = back(system, school, book)
    assert plan.counts["new"] == 1 and not plan.blocked
    assert write(system, plan) == 1
    (talk,) = talks(system, "罗小河")
    assert (talk.on, talk.content, talk.role, talk.attention) == (
        dt.date(2025, 11, 3), "和同学和好了", m.TalkerRole.RESPONSIBLE, m.Attention.WATCH,
    )  # fmt: skip
    assert set(talk.needs) == {m.Need.EMO, m.Need.STUDY}
    assert back(system, school, book).counts["unchanged"] == 4  # uploaded twice


def test_a_typed_cell_of_a_record_is_taken_over_alone(system, school):
    book = taken_out(system, school)
    cell(book, "谈心", "普小云", "措施").value = "每周通一次电话"
    (stale,) = talks(system, "普小云")
    stale.place = "操场"
    system.flush()
    plan = back(system, school, book)
    assert [row.changes for row in plan.rows if row.changes] == [{"measures": (None, "每周通一次电话")}]
    write(system, plan)
    assert (stale.measures, stale.place, stale.content) == ("每周通一次电话", "操场", "想家")


def test_a_record_changed_on_both_sides_is_asked_about(system, school):
    book = taken_out(system, school)
    talks(system, "普小云")[0].content = "别人补写的"
    system.flush()
    cell(book, "谈心", "普小云", "内容").value = "我补写的"
    plan = back(system, school, book)
    (row,) = [row for row in plan.rows if row.changes]
    assert row.status == "unsure" and row.asks and "别人补写的" in row.problems[0].text and row.problems[0].cell
    with pytest.raises(Complaint):
        write(system, plan)
    plan.accept([row.key])
    write(system, plan)
    assert talks(system, "普小云")[0].content == "我补写的"


@pytest.mark.parametrize(
    ("title", "column", "value", "said"),
    [
        ("谈心", "日期", "2125-01-01", "不能晚于今天"),
        ("谈心", "日期", "昨天", "看不懂日期"),
        ("谈心", "教师", "没有的人", "教职工名册中没有"),
        ("谈心", "方式", "飞鸽", "不在可选范围内"),
        ("谈心", "关注等级", "很高", "不在可选范围内"),
        ("谈心", "姓名", "查无此人", "已有记录的儿童不能改"),
        ("参加活动", "参加儿童", "普小云、查无此人", "没有“查无此人”"),
    ],
)
def test_what_cannot_be_is_said_at_its_cell_and_nothing_is_written(system, school, title, column, value, said):
    book = taken_out(system, school)
    name = "国庆讲故事" if title == "参加活动" else "普小云"
    target = cell(book, title, name, column)
    target.value = value
    plan = back(system, school, book)
    (row,) = [row for row in plan.rows if row.status == "refused"]
    assert any(said in p.text and p.cell == target.coordinate for p in row.problems), row.problems
    assert not any(row.writes for row in plan.rows)


def test_names_typed_into_an_activity_become_its_participants(system, school):
    book = taken_out(system, school)
    assert cell(book, "参加活动", "国庆讲故事", "参加儿童").value == "普小云"
    cell(book, "参加活动", "国庆讲故事", "参加儿童").value = "李小山，罗小河（三年级1班）"
    plan = back(system, school, book)
    assert plan.counts["changed"] == 1
    write(system, plan)
    there = select(m.Participation.child_name).join(m.Activity).where(m.Activity.title == "国庆讲故事")
    assert set(system.scalars(there)) == {"李小山", "罗小河"} or set(
        system.scalars(there.where(m.Participation.deleted_at.is_(None)))
    ) == {"李小山", "罗小河"}


def test_a_file_of_another_school_changes_nothing_there_or_here(system, school, ids):
    book = taken_out(system, school)
    cell(book, "谈心", "普小云", "内容").value = "我改别校的"
    plan = back(system, system.get(m.School, ids.a), book)
    assert plan.counts["refused"] == len(plan.rows)
    assert talks(system, "普小云")[0].content == "想家"


def test_what_the_office_may_not_read_stands_withheld_and_is_not_taken_for_text(open_as, system, school):
    system.commit()
    with open_as("office") as session:
        at = session.scalars(select(m.School).where(m.School.code == "2153990079")).one()
        book = taken_out(session, at)
        assert cell(book, "谈心", "普小云", "内容").value == "（仅本校可见）"
        assert {row.status for row in back(session, at, book).rows} == {"unchanged"}


def test_the_office_neither_sees_nor_overwrites_what_only_the_school_may_read(open_as, system, school):
    system.commit()
    with open_as("office") as session:
        at = session.scalars(select(m.School).where(m.School.code == "2153990079")).one()
        book = taken_out(session, at)
        cell(book, "谈心", "普小云", "内容").value = "x"
        plan = back(session, at, book)
        (row,) = [row for row in plan.rows if row.status == "refused"]
        assert not row.changes and "仅本校可见" in row.problems[0].text and "想家" not in repr(row.problems)
        with pytest.raises(Complaint, match="没有可写入"):
            write(session, plan, good_only=True)
    assert talks(system, "普小云")[0].content == "想家"


def count_of(app) -> str:
    with app.app_context(), session_with(SYSTEM) as session:
        return json.dumps(session.scalars(select(m.ImportBatch).order_by(m.ImportBatch.id.desc())).first().counts)


@pytest.mark.matrix
def test_a_secretary_takes_her_term_out_and_back_and_sees_how_far_it_is(person, app, ids, monkeypatch):
    secretary = person("secretary_a")
    with app.app_context(), session_with(SYSTEM) as session:
        term = session.scalar(select(m.Term.id).where(m.Term.code == "2025-1"))
    book = load_workbook(io.BytesIO(secretary.get(f"/imports/term/?school={ids.a}&term={term}").data))
    cell(book, "谈心", "甲小雨", "内容").value = "甲小雨不想家了"
    out = io.BytesIO()
    book.save(out)
    form = {"school": str(ids.a), "start": "2025-09-01", "file": (io.BytesIO(out.getvalue()), "学期记录表.xlsx")}
    preview = secretary.post("/imports/", form).headers["Location"]
    page = secretary.get(preview).text
    assert "甲小雨不想家了" in page and "核对列名" not in page
    answer = secretary.post("/imports/save/", {"id": preview.rpartition("=")[2]}, headers={"X-Progress": "1"})
    steps = [line for line in answer.text.splitlines() if line]
    assert answer.mimetype == "application/x-ndjson" and '"done": 1, "all": 1' in steps[0] and "/imports/done/" in steps[-1]
    assert "已写入 1 行。" in secretary.get(f"/imports/done/?{preview.partition('?')[2]}", follow_redirects=True).text
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.get_one(m.CareRecord, ids.care_record_a).content == "甲小雨不想家了"
    monkeypatch.setattr("admin_app.views.imports.ImportView._waiting", lambda view: view._batch())  # both saw it waiting
    again = secretary.post("/imports/save/", {"id": preview.rpartition("=")[2]})
    assert "/imports/done/" in again.location and '"written": 1' in count_of(app)
