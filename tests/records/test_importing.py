"""A ledger into the register: all or nothing, twice the same, nobody else's child."""

from __future__ import annotations

import datetime as dt
import io
from functools import partial

import openpyxl
import pytest
from sqlalchemy import func, select

from admin_app import models as m
from admin_app.access import SYSTEM, known_elsewhere, scope_in
from admin_app.db import db, session_with
from admin_app.records import bulk, entering, importing
from admin_app.rules import Complaint
from bench import statements
from tests import factories as make

START = dt.date(2025, 9, 1)
HEADER = [
    "姓名",
    "性别",
    "民族",
    "出生年月",
    "身份证号",
    "年级",
    "班级",
    "父亲姓名",
    "父亲务工地",
    "父亲电话",
    "母亲姓名",
    "母亲务工地",
    "监护人姓名",
    "与儿童关系",
    "包保责任人",
]


def workbook(*rows, header=HEADER):
    book = openpyxl.Workbook()
    for row in (header, *rows):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def row(name="普小龙", born=dt.date(2016, 3, 4), number=None, **more):
    values = {
        "姓名": name, "性别": "男", "民族": "彝族", "出生年月": born.isoformat(), "身份证号": number or make.id_number(born), "年级": "三年级",
        "班级": "1班", "父亲姓名": "普大山", "父亲务工地": "广东东莞", "父亲电话": "19911112222", "母亲姓名": "李小花", "母亲务工地": "浙江义乌",
        "监护人姓名": "普奶奶", "与儿童关系": "奶奶", "包保责任人": "新来的",
    } | more  # fmt: skip
    return [values[h] for h in HEADER]


def asking(session):
    """Who of some people is registered elsewhere, as the session's actor may be told."""
    return partial(known_elsewhere, session_with, scope_in(session))


def plan_for(session, content, school_id):
    entries = importing.read_ledger(content, "台账.xlsx")
    return importing.check_rows(session, asking(session), entries, session.get(m.School, school_id), START)


def test_the_tidy_ledger_goes_in_whole_and_a_second_time_changes_nothing(open_as, ids, ledgers):
    content = (ledgers / "台账-整洁.xlsx").read_bytes()
    with open_as("secretary_a") as session:
        plan = plan_for(session, content, ids.a)
        assert plan.counts == {"new": 60, "changed": 0, "unchanged": 0, "repaired": 0, "unsure": 0, "refused": 0}
        assert entering.save(session, plan, "台账.xlsx") == 60
        session.commit()
        assert session.scalar(select(func.count(m.Enrolment.id)).where(m.Enrolment.start == START)) >= 60
        again = plan_for(session, content, ids.a)
        assert again.counts["unchanged"] == 60 and not again.changes


def test_a_changed_phone_is_shown_old_and_new_and_only_that_is_written(open_as, ids):
    number = make.id_number(dt.date(2016, 3, 4))
    with open_as("secretary_a") as session:
        entering.save(session, plan_for(session, workbook(row(number=number)), ids.a), "一")
        session.commit()
        plan = plan_for(session, workbook(row(number=number, 父亲电话="19933334444", 班级=None)), ids.a)
        assert plan.rows[0].changes == {"father.phone": ("19911112222", "19933334444")}
        entering.save(session, plan, "二")
        session.commit()
        child = session.scalar(select(m.Child).where(m.Child.id_number_key == number))
        assert child.class_name == "1班", "an empty cell clears nothing"
        assert {p.phone for p in child.parents if p.side is m.Side.FATHER} == {"19933334444"}


def test_one_refused_row_holds_everything_back(open_as, ids):
    with open_as("secretary_a") as session:
        before = session.scalar(select(func.count(m.Child.id)))
        plan = plan_for(session, workbook(row(), row(name="李二", 身份证号="539999201603040011")), ids.a)
        assert plan.counts["refused"] == 1 and plan.rows[1].problems[0].cell == "E3"
        with pytest.raises(Complaint):
            entering.save(session, plan, "x")
        assert session.scalar(select(func.count(m.Child.id))) == before


def test_a_child_of_another_school_is_neither_shown_nor_changed(open_as, app, ids):
    with session_with(SYSTEM) as system:
        b = system.get(m.Child, ids.child_b)
        number, born, name = b.id_number, b.birth_date, b.name
    with open_as("secretary_a") as session:
        same = plan_for(session, workbook(row(name=name, born=born, number=number)), ids.a)
        assert same.rows[0].status == "unsure" and "已在县内登记" in same.rows[0].problems[-1].text
        other = plan_for(session, workbook(row(name="试一试", born=born, number=number)), ids.a)
        assert other.rows[0].status == "refused" and "青松" not in str(other.as_json()) + str(same.as_json())


def test_the_same_child_twice_in_a_file_is_refused_and_names_the_first(open_as, ids):
    number = make.id_number(dt.date(2016, 3, 4))
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook(row(number=number), row(number=number)), ids.a)
        assert [r.status for r in plan.rows] == ["new", "refused"] and "A2" in plan.rows[1].problems[0].text


def test_an_unknown_responsible_person_becomes_staff_to_confirm(open_as, ids):
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook(row()), ids.a)
        assert [p.level for p in plan.rows[0].problems] == ["warning"]
        entering.save(session, plan, "x")
        session.commit()
        assert session.scalar(select(m.Staff).where(m.Staff.name == "新来的")).confirmed is False


def test_the_kind_of_being_left_is_compared_and_never_taken_over(open_as, ids):
    content = workbook([*row(), "单亲外出"], header=[*HEADER, "留守类型"])
    with open_as("secretary_a") as session:
        plan = plan_for(session, content, ids.a)
        assert plan.rows[0].status == "new" and any("双亲外出" in p.text for p in plan.rows[0].problems)


def test_the_column_school_decides_where_no_school_is_named(open_as, ids):
    content = workbook([*row(), "晨光小学和平村完小"], [*row(name="李二"), "青松小学"], header=[*HEADER, "学校"])
    with open_as("secretary_a") as session:
        entries = importing.read_ledger(content, "台账.xlsx")
        plan = importing.check_rows(session, asking(session), entries, None, START)
        assert plan.rows[0].school_id == ids.a_site and plan.rows[1].status == "refused"


@pytest.mark.parametrize(
    ("who", "schools", "undone"),
    [
        ("secretary_a", ["晨光小学", "晨光小学"], True),
        ("secretary_a", ["晨光小学和平村完小", "晨光小学和平村完小"], True),
        ("secretary_a", ["晨光小学", "晨光小学和平村完小"], True),
        ("office", ["晨光小学", "青松小学"], False),
    ],
)
def test_a_file_is_undone_in_one_go_where_it_writes_to_one_school_and_its_sites(who, schools, undone, open_as, ids):
    content = workbook([*row(), schools[0]], [*row(name="李二"), schools[1]], header=[*HEADER, "学校"])
    with open_as(who) as session:
        entries = importing.read_ledger(content, "台账.xlsx")
        plan = importing.check_rows(session, asking(session), entries, None, START)
        entering.save(session, plan, "台账.xlsx")
        session.commit()
        kept = session.scalars(select(m.Batch).where(m.Batch.kind == m.BatchKind.IMPORT)).all()
        named = {name: at for name, at in session.execute(select(m.Child.name, m.Child.school_id))}
    at = {"晨光小学": ids.a, "晨光小学和平村完小": ids.a_site, "青松小学": ids.b}
    assert [named["普小龙"], named["李二"]] == [at[school] for school in schools]
    assert [batch.school_id for batch in kept] == ([at[schools[0]] if schools[0] == schools[1] else ids.a] if undone else [])
    if undone:
        with open_as("secretary_a") as session:
            bulk.undo(session, session.get(m.Batch, kept[0].id))
            session.commit()
            assert not session.scalars(select(m.Child.id).where(m.Child.name.in_(("普小龙", "李二")))).all()


def test_of_a_file_for_one_school_a_row_goes_where_it_says_within_the_unit_and_nowhere_else(open_as, ids):
    lines = [
        ("普一", "晨光小学"),
        ("普二", "晨光小学和平村完小"),
        ("普三", None),
        ("普四", "青松小学"),
        ("普五", "晨光小学本部"),
        ("普六", "晨光小学本部"),
    ]
    content = workbook(*([*row(name=name), school] for name, school in lines), header=[*HEADER, "学校"])
    with open_as("secretary_a") as session:
        plan = plan_for(session, content, ids.a)
        assert [r.school_id for r in plan.rows] == [ids.a, ids.a_site, ids.a, ids.a, ids.a, ids.a]
        assert [r.status == "refused" for r in plan.rows] == [False, False, False, True, False, False]
        said = {r.values["name"]: [p.text for p in r.problems if p.key == "school"] for r in plan.rows}
        assert said["普四"] == ["这一行是“青松小学”的，不属于所选的学校：请分校上传。"]
        assert said["普二"] == ["写明“晨光小学和平村完小”的行都归这所学校，不归上面所选的学校。"] and said["普一"] == []
        assert said["普五"] == ["没有名为“晨光小学本部”的学校，都按所选的学校读入。"] and said["普六"] == []
        assert "school" in plan.keys
    with open_as("secretary_a") as session:
        plan = plan_for(session, content, ids.a_site)
        assert plan.rows[0].school_id == ids.a, "a site's file may name its centre"


def test_formulas_tags_and_long_names_stay_what_they_are(open_as, ids):
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook(row(班级="=1+1", 监护人姓名="<script>"), row(name="长" * 300)), ids.a)
        assert [r.status for r in plan.rows] == ["refused", "refused"]
        plan = plan_for(session, workbook(row(班级="=1+1")), ids.a)
        assert plan.rows[0].values.get("class_name") in ("=1+1", None)


def test_a_child_without_number_and_parents_is_not_made_twice(open_as, ids):
    bare = row(父亲姓名=None, 父亲务工地=None, 父亲电话=None, 母亲姓名=None, 母亲务工地=None)
    bare[4] = None
    with open_as("secretary_a") as session:
        entering.save(session, plan_for(session, workbook(bare), ids.a), "一")
        session.commit()
        again = plan_for(session, workbook(bare), ids.a)
        assert again.rows[0].status == "unsure" and "分不清" in again.rows[0].problems[-1].text


def test_one_child_in_two_rows_with_and_without_number_is_refused(open_as, ids):
    number = make.id_number(dt.date(2016, 3, 4))
    without = row()
    without[4] = None
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook(row(number=number), without), ids.a)
        assert [r.status for r in plan.rows] == ["new", "refused"]


def test_a_carers_phone_without_the_name_is_written_to_the_carer_there_is(open_as, ids):
    number = make.id_number(dt.date(2016, 3, 4))
    header = [*HEADER, "监护人电话"]
    with open_as("secretary_a") as session:
        entering.save(session, plan_for(session, workbook([*row(number=number), "19911110000"], header=header), ids.a), "一")
        session.commit()
        content = workbook([*row(number=number, 监护人姓名=None), "19911112222"], header=header)
        entering.save(session, plan_for(session, content, ids.a), "二")
        session.commit()
        assert not plan_for(session, content, ids.a).changes
        assert session.scalars(select(m.Carer.phone).where(m.Carer.name == "普奶奶")).all() == ["19911112222"]


def test_every_change_of_the_preview_is_written_and_every_written_one_shown(open_as, ids):
    number = make.id_number(dt.date(2016, 3, 4))
    with open_as("secretary_a") as session:
        entering.save(session, plan_for(session, workbook(row(number=number)), ids.a), "一")
        session.commit()
        content = workbook(row(number=number, 民族="傣族", 班级="2班", 父亲姓名="普二山", 母亲务工地="在家", 与儿童关系="外婆"))
        plan = plan_for(session, content, ids.a)
        assert (
            set(plan.rows[0].changes) == {"ethnic", "class_name", "father.name", "mother.place", "carer.relation"} <= set(plan.keys)
        )
        entering.save(session, plan, "二")
        session.commit()
        assert plan_for(session, content, ids.a).counts["unchanged"] == 1


def test_a_new_child_without_ethnic_group_is_refused_in_words(open_as, ids):
    with open_as("secretary_a") as session:
        plan = plan_for(session, workbook(row(民族=None)), ids.a)
        assert plan.rows[0].status == "refused" and plan.rows[0].problems[-1].text == "民族必填。"


def test_a_passport_is_not_taken_away_by_an_import(open_as, ids):
    bare = row()
    bare[4] = None
    with open_as("secretary_a") as session:
        entering.save(session, plan_for(session, workbook(bare), ids.a), "一")
        session.commit()
        child = session.scalar(select(m.Child).where(m.Child.name == "普小龙"))
        child.id_kind = m.IdKind.PASSPORT
        session.commit()
        bare[6] = "2班"
        entering.save(session, plan_for(session, workbook(bare), ids.a), "二")
        session.commit()
        assert child.id_kind is m.IdKind.PASSPORT and child.class_name == "2班"


def test_a_preview_reads_the_children_of_the_file_and_no_others_in_few_statements(open_as, ids, app):
    numbers = [make.id_number(dt.date(2016, 3, 4), order=order) for order in range(1, 100, 2)]
    content = workbook(*(row(number=number) for number in numbers))
    with open_as("secretary_a") as session:
        entering.save(session, plan_for(session, content, ids.a), "一")
        session.commit()
    with open_as("secretary_a") as session:
        assert plan_for(session, content, ids.a).counts["unchanged"] == len(numbers)  # the reference data is asked for once
        with statements(db.engine) as few:
            plan_for(session, workbook(row(number=numbers[0])), ids.a)
        with statements(db.engine) as many:
            plan_for(session, content, ids.a)
        assert len(many) <= len(few) + 2
        asked = [statement for statement in many if "FROM child" in statement]
        assert asked and all(" IN (" in statement for statement in asked)
