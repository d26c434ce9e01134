"""What a person decides of a ledger: which column is which, which doubtful row is right, the good rows alone, all of it back."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest
from sqlalchemy import func, select

from admin_app import models as m
from admin_app.records import bulk, entering
from admin_app.rules import Complaint
from admin_app.sheets import marking, reader
from tests import factories as make
from tests.records.test_importing import HEADER, plan_for, row, workbook

BORN = dt.date(2016, 3, 4)


def statuses(plan):
    return [each.status for each in plan.rows]


def texts(plan, n=0):
    return " ".join(problem.text for problem in plan.rows[n].problems)


# --- questions


def test_a_new_name_under_a_known_number_waits_for_a_yes(open_as, ids):
    number = make.id_number(BORN)
    with open_as("secretary_a") as session:
        entering.save(session, plan_for(session, workbook(row(number=number)), ids.a), "台账.xlsx")
        session.commit()
        plan = plan_for(session, workbook(row(name="普大龙", number=number)), ids.a)
        assert statuses(plan) == ["unsure"] and "登记的姓名是“普小龙”：确认后改名为“普大龙”" in texts(plan)
        with pytest.raises(Complaint, match="待确认"):
            entering.save(session, plan, "台账.xlsx")
        plan.accept([plan.rows[0].key])
        assert entering.save(session, plan, "台账.xlsx") == 1
        assert session.scalar(select(m.Child.name).where(m.Child.id_number_key == number)) == "普大龙"


@pytest.mark.parametrize(
    ("carer", "status", "kept"), [("普爷爷", "unsure", "普爷爷"), ("普奶奶", "new", "普奶奶"), (None, "new", "普奶奶")]
)
def test_guardian_and_carer_are_not_the_same_person_without_being_asked(carer, status, kept, open_as, ids):
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook([*row(), carer], header=[*HEADER, "实际照护人"]), ids.a)
        assert statuses(plan) == [status]
        plan.accept([each.key for each in plan.rows])
        entering.save(session, plan, "台账.xlsx")
        assert session.scalars(select(m.Carer.name).order_by(m.Carer.id.desc()).limit(1)).one() == kept


def test_a_child_in_two_rows_that_differ_is_unsure_in_both_and_no_yes_settles_it(open_as, ids):
    number = make.id_number(BORN)
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook(row(number=number), row(number=number, 班级="2班")), ids.a)
        assert statuses(plan) == ["unsure", "unsure"]
        assert "台账!A3 是同一名儿童" in texts(plan).replace("Sheet", "台账") and "A2 是同一名儿童" in texts(plan, 1)
        plan.accept([each.key for each in plan.rows])
        assert plan.blocked
        same = plan_for(session, workbook(row(number=number), row(number=number)), ids.a)
        assert statuses(same) == ["new", "refused"]


def test_a_class_in_the_column_of_grades_is_taken_apart(open_as, ids):
    with open_as("secretary_a") as session:
        for typed, grade, name in (
            ("三(1)班", "三年级", "三(1)班"),
            ("4年级2班", "四年级", "4年级2班"),
            ("初一（3）班", "七年级", "初一(3)班"),
        ):
            plan = plan_for(session, workbook(row(年级=typed, 班级=None)), ids.a)
            got = plan.rows[0].values
            assert (statuses(plan), str(got["grade"]), got["class_name"].replace("（", "(").replace("）", ")")) == (
                ["repaired"],
                grade,
                name,
            )


# --- the good rows alone, and all of it back


def test_good_rows_are_written_alone_by_choice(open_as, ids):
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook(row(), row(name="李四", 性别="女", number=make.id_number(BORN, order=123))), ids.a)
        assert statuses(plan) == ["new", "refused"]
        with pytest.raises(Complaint, match="只写入可导入的行"):
            entering.save(session, plan, "台账.xlsx")
        assert entering.save(session, plan, "台账.xlsx", good_only=True) == 1
        only_bad = plan_for(session, workbook(row(name="李四", 性别="女", number=make.id_number(BORN, order=123))), ids.a)
        with pytest.raises(Complaint, match="没有可写入"):
            entering.save(session, only_bad, "台账.xlsx", good_only=True)


def test_a_whole_import_is_taken_back_but_for_what_changed_since(open_as, ids):
    def count(session):
        return session.scalar(select(func.count(m.Child.id)))

    with open_as("secretary_a") as session:
        before = count(session)
        numbers = [make.id_number(BORN, order=n) for n in (101, 103, 105)]
        content = workbook(*(row(name=f"普{name}", number=number) for name, number in zip("一二三", numbers, strict=True)))
        entering.save(session, plan_for(session, content, ids.a), "台账.xlsx")
        session.commit()
        batch = session.scalars(select(m.Batch).where(m.Batch.kind == m.BatchKind.IMPORT)).one()
        assert count(session) == before + 3 and "台账.xlsx：3 名儿童" in batch.words
        changed = session.scalar(select(m.Child).where(m.Child.id_number_key == numbers[0]))
        changed.class_name = "9班"
        session.commit()
        _done, kept = bulk.undo(session, batch)
        session.commit()
        assert any("普一" in words for words in kept)
        left = set(session.scalars(select(m.Child.name).where(m.Child.id_number_key.in_(numbers))))
        assert left == {"普一"}


# --- own names of columns


ODD = [
    "娃娃",
    "男女",
    "族",
    "生于",
    "身份证",
    "读几年级",
    "哪个班",
    "爹",
    "爹在哪",
    "爹电话",
    "妈",
    "妈在哪",
    "带养人",
    "是娃的",
    "管的老师",
]
MEANS = dict(zip(ODD, ("name", "sex", "ethnic", "birth_date", "id_number", "grade", "class_name", "father.name", "father.place", "father.phone",
                       "mother.name", "mother.place", "carer.name", "carer.relation", "responsible"), strict=True))  # fmt: skip


def test_a_school_says_once_what_its_columns_are(person, app, ids):
    secretary = person("secretary_a")

    def upload():
        data = {"school": str(ids.a), "start": "2025-09-01", "file": (io.BytesIO(workbook(row(), header=ODD)), "土表.xlsx")}
        return secretary.post("/imports/", data, content_type="multipart/form-data")

    answer = upload()
    assert "/imports/columns/" in answer.location
    page = secretary.get(answer.location).text
    assert all(words in page for words in ODD) and "普小龙" in page
    said = {"sheet": ["Sheet"] * len(ODD), "words": ODD}
    assert "只能选一列" in secretary.post(answer.location, said | {"key": ["name"] * len(ODD)}).text
    keys = [MEANS[words] for words in ODD]
    short = secretary.post(answer.location, said | {"key": ["" if key == "birth_date" else key for key in keys]}).text
    assert "还没有指定：出生年月" in short and 'value="name" selected' in short, "what was chosen stays"
    answer = secretary.post(answer.location, said | {"key": keys})
    assert "新增" in secretary.get(answer.location).text
    again = upload()
    assert "/imports/preview/" in again.location, "remembered"
    assert (
        "/imports/columns/"
        in person("secretary_b")
        .post(
            "/imports/",
            {"school": str(ids.b), "start": "2025-09-01", "file": (io.BytesIO(workbook(row(), header=ODD)), "土表.xlsx")},
            content_type="multipart/form-data",
        )
        .location
    )


def test_columns_whose_names_are_known_are_chosen_already(person, ids):
    header = ["孩子名字", *HEADER[1:]]
    data = {"school": str(ids.a), "start": "2025-09-01", "file": (io.BytesIO(workbook(row(), header=header)), "表.xlsx")}
    page = person("secretary_a").post("/imports/", data, content_type="multipart/form-data", follow_redirects=True).text
    assert "199****2222" in page and "19911112222" not in page
    assert "核对列名" in page and 'value="sex" selected' in page and 'value="name" selected' not in page


# --- the own file, marked


def test_the_file_comes_back_with_its_faulty_cells_marked_and_nothing_else_changed(open_as, ids, ledgers):
    content = (ledgers / "台账-学校上报.xlsx").read_bytes()
    with open_as("secretary_a") as session:
        plan = plan_for(session, content, ids.a)
        said = [marking.Remark(r.sheet, p.cell or r.place, p.level, p.text) for r in plan.rows for p in r.problems]
        back = openpyxl.load_workbook(io.BytesIO(marking.marked(content, reader.read(content, "台账.xlsx"), said, to_sender=True)))
    was = openpyxl.load_workbook(io.BytesIO(content))
    assert back.sheetnames == was.sheetnames
    for old, new in zip(was, back, strict=True):
        assert [[c.value for c in line] for line in old] == [[c.value for c in line] for line in new]
        assert [[c.number_format for c in line] for line in old] == [[c.number_format for c in line] for line in new]
        assert sorted(map(str, old.merged_cells.ranges)) == sorted(map(str, new.merged_cells.ranges))
        assert {k: d.width for k, d in old.column_dimensions.items()} == {k: d.width for k, d in new.column_dimensions.items()}
    cell = back["一年级"]["F8"]
    assert "后几位已丢失" in cell.comment.text and cell.fill.fgColor.rgb == marking.COLOURS["error"]
    touched = {(s.title, c.coordinate) for s in back for line in s for c in line if c.comment and c.comment.author == marking.WHO}
    assert touched == {(r.sheet, r.cell) for r in said}


@pytest.mark.parametrize("name", ["台账.csv", "台账.xls"])
def test_a_file_that_is_no_xlsx_comes_back_as_one(name):
    content = "姓名,性别\n=1+1,男\n".encode("gb18030")
    file = marking.marked(
        content,
        [reader.Grid("CSV", [["姓名", "性别"], ["=1+1", "男"]])],
        [marking.Remark("CSV", "A2", "error", "错")],
        to_sender=True,
    )
    cell = openpyxl.load_workbook(io.BytesIO(file))["CSV"]["A2"]
    assert (cell.value, cell.data_type, cell.comment.text) == ("=1+1", "s", "错")


def test_whoever_did_not_send_a_file_gets_its_values_only():
    book = openpyxl.Workbook()
    book.active.append(["姓名", "=1+1"])
    book.active["A1"].hyperlink = "https://example.invalid/"
    out = io.BytesIO()
    book.save(out)
    content = out.getvalue()
    grids = [reader.Grid("Sheet", [["姓名", 2]])]
    said = [marking.Remark("Sheet", "A1", "error", "错")]
    for to_sender, value, link in ((True, "=1+1", True), (False, 2, False)):
        sheet = openpyxl.load_workbook(io.BytesIO(marking.marked(content, grids, said, to_sender=to_sender))).active
        assert (sheet["B1"].value, bool(sheet["A1"].hyperlink), sheet["A1"].comment.text) == (value, link, "错")


def test_the_marked_file_is_the_schools_own_to_take(person, ids):
    secretary = person("secretary_a")
    data = {"school": str(ids.a), "start": "2025-09-01", "file": (io.BytesIO(workbook(row(性别="女"))), "九月台账.xlsx")}
    answer = secretary.post("/imports/", data, content_type="multipart/form-data")
    number = answer.location.rpartition("=")[2]
    page = secretary.get(answer.location).text
    assert "下载标注的原表" in page and "cell-no" in page
    file = secretary.get(f"/imports/marked/?id={number}")
    assert openpyxl.load_workbook(io.BytesIO(file.data)).active["B2"].comment is not None
    assert person("secretary_b").get(f"/imports/marked/?id={number}").status_code == 404
    assert "九月台账.xlsx" in secretary.get("/imports/").text, "a file that waits is found again"


@pytest.mark.parametrize(
    ("written", "kept", "said"),
    [
        ("者龙乡曼竜村3组", "者竜乡曼竜村3组", "“者龙乡”按“者竜乡”读入"),
        ("新平县杨武镇大开门", "新平县扬武镇大开门", "“杨武镇”按“扬武镇”读入"),
        ("者竜乡曼竜村3组", "者竜乡曼竜村3组", ""),
        ("者龙村3组", "者龙村3组", ""),
    ],
)
def test_a_township_is_read_under_its_own_name(written, kept, said, open_as, ids):
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook([*row(), written], header=[*HEADER, "现住址"]), ids.a)
        assert plan.rows[0].values["home_address"] == kept
        assert (said in texts(plan)) if said else "读入" not in texts(plan)
