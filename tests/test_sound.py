"""Sorted and found by sound, as people see it: lists, look-ups, print-outs, and who may find whom."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.records import duty, handovers, quick, rolling, rosters
from admin_app.views.children import ChildView
from tests import factories as make

CHILDREN = [
    ("单小明", m.Grade.P3, "三(10)班"), ("章波", m.Grade.P3, "三(2)班"), ("张安", m.Grade.P3, "三(2)班"), ("曾琪", m.Grade.P3, "三(2)班"),
    ("仇大海", m.Grade.K3, "大班"), ("区志强", m.Grade.M1, "七(1)班"), ("吕小绿", m.Grade.H1, "高一(1)班"),
]  # fmt: skip
IN_ORDER = ["仇大海", "曾琪", "张安", "章波", "单小明", "区志强", "吕小绿"]


@pytest.fixture
def school(app, ids):
    """Children of many classes at school A, entered in no order."""
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        at = session.get(m.School, ids.a)
        for name, grade, class_name in CHILDREN:
            make.left_behind(session, at, name, grade=grade, class_name=class_name)
        session.commit()
    return ids.a


def order_in(page, names=IN_ORDER):
    """The names of these children as they follow each other on a page."""
    return sorted((name for name in names if name in page), key=page.index)


# --- order ---


def test_the_register_stands_class_by_class_in_the_offices_order(school, person):
    assert order_in(person("secretary_a").get("/child/").text) == IN_ORDER


@pytest.mark.parametrize(
    "column, wanted",
    [
        ("name", ["吕小绿", "区志强", "仇大海", "单小明", "曾琪", "张安", "章波"]),
        ("grade", IN_ORDER),
        ("class_name", IN_ORDER),
    ],
)
def test_a_list_sorted_by_a_column_goes_by_sound_and_by_class(column, wanted, school, person):
    at = f"/child/?sort={ChildView.column_list.index(column)}"
    assert order_in(person("secretary_a").get(at).text) == wanted
    assert order_in(person("secretary_a").get(f"{at}&desc=1").text) == wanted[::-1]


def test_every_list_of_a_class_stands_in_the_same_order(school, open_as, ids):
    day = dt.date(2025, 10, 9)
    with open_as("secretary_a") as session:
        mine = set(IN_ORDER)
        assert [c.name for _e, c in rosters.enrolled_on(session, ids.a, day) if c.name in mine] == IN_ORDER
        assert [p.child.name for p in quick.pupils(session, ids.a, None) if p.child.name in mine] == IN_ORDER
        holiday = session.scalar(select(m.Holiday).where(m.Holiday.code == "2025-winter"))
        assert [
            line.child.name for line in handovers.lines(session, holiday, school_id=ids.a) if line.child.name in mine
        ] == IN_ORDER
        names = [klass.name for klass in quick.classes(session, ids.a, quick.confirmed_since(day))]
        assert names == ["大班", "1班", "三(2)班", "三(10)班", "七(1)班", "高一(1)班"]
        assert [k.name for k in rolling.classes(session) if k.school.id == ids.a and k.grade is m.Grade.P3][1:] == [
            "三(2)班",
            "三(10)班",
        ]


def test_teachers_stand_by_sound(open_as, ids):
    with open_as("secretary_a") as session:
        at = session.get(m.School, ids.a)
        chief = make.staff(session, at, "主任甲")
        for name in ("曾老师", "任老师", "盖老师", "安老师"):
            make.staff(session, at, name)
        names = [s.name for s in duty.colleagues(session, chief, dt.date(2025, 10, 9))]
    assert [n for n in names if n in ("曾老师", "任老师", "盖老师", "安老师")] == ["安老师", "盖老师", "任老师", "曾老师"]


def test_schools_stand_township_by_township_wherever_they_are_offered(app, ids, person):
    """The later township was entered first, with the smaller code."""
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        first, *_between, last = session.scalars(select(m.Township).order_by(m.Township.position))
        make.school(session, "2153990007", "丙校", township_id=last.id)
        make.school(session, "2153990009", "乙校", township_id=first.id)
        make.school(session, "2153990008", "甲校", township_id=first.id)
        session.commit()
    names = ["甲校", "乙校", "晨光小学", "丙校"]
    for path in ("/child/", "/school/", "/transfer/ask/", "/child/new/"):
        page = person("office").get(path).text
        offered = [name for name in names if f">{name}<" in page]
        assert len(offered) >= 3 and order_in(page, offered) == offered, path


# --- search ---


@pytest.mark.parametrize("typed", ["zq", "ZengQi", "zeng qi", "曾琪", "zeng", "cengqi", "Q", "曾 qi"])
def test_a_child_is_found_however_its_name_is_typed(typed, school, person):
    page = person("secretary_a").get("/child/", query_string={"search": typed}).text
    assert "曾琪" in page and "张安" not in page and "单小明" not in page


@pytest.mark.parametrize("typed", ["lvxiaolv", "luxiaolu", "LÜ", "lxl", "lü xiao lü"])
def test_u_with_dots_is_typed_as_v_or_u(typed, school, person):
    assert order_in(person("secretary_a").get("/child/", query_string={"search": typed}).text) == ["吕小绿"]


def test_records_of_a_child_are_found_by_its_sound(app, school, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        child = session.scalar(select(m.Child).where(m.Child.name == "曾琪"))
        make.talk(session, child, dt.date(2025, 10, 9))
        make.carer(session, child, "解大娘")
        session.commit()
    secretary = person("secretary_a")
    assert (
        "曾琪" in secretary.get("/care_record/?search=zengq").text and "曾琪" not in secretary.get("/care_record/?search=sxm").text
    )
    assert "解大娘" in secretary.get("/carer/?search=xiedn").text
    assert "曾琪" in secretary.get("/care_record/?child=zq").text


@pytest.mark.parametrize("screen, field", [("care_record", "enrolment"), ("carer", "child"), ("contact_card", "child")])
def test_a_look_up_finds_by_initials_and_only_ones_own(screen, field, school, person):
    def offered(who, typed):
        return str(person(who).post(f"/{screen}/ajax/lookup/", {"name": field, "query": typed}).json)

    assert "单小明" in offered("secretary_a", "sxm") and "单小明" in offered("secretary_a", "Shan XM")
    assert "单小明" not in offered("secretary_a", "zq")
    assert "单小明" not in offered("secretary_b", "sxm") and "单小明" not in offered("secretary_b", "shan")


def test_a_secretary_finds_no_child_of_another_school(school, person):
    assert "单小明" not in person("secretary_b").get("/child/?search=sxm").text
    assert "单小明" in person("leader").get("/child/?search=sxm").text


# --- columns that follow ---


def test_the_keys_follow_every_change_and_leave_no_trace(app, ids, person):
    secretary = person("secretary_a")
    page = secretary.get(f"/child/edit/?id={ids.child_a}").text
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        child = session.get(m.Child, ids.child_a)
        child.name, child.grade, child.class_name = "解小雨", m.Grade.P4, "四(2)班"
        session.commit()
        assert (child.name_order, child.class_order) == ("xie4解xiao3小yu3雨", "080002ban1班") and " xiexy" in child.name_sound
        newest = session.scalars(select(m.AuditEntry.id).where(m.AuditEntry.table_name == "child").order_by(m.AuditEntry.id.desc()))
        changes = session.get(m.AuditValue, newest.first()).changes
    assert set(changes) == {"name", "grade", "class_name"}
    assert "name_order" not in page and "class_order" not in page


def test_a_roll_over_taken_back_takes_its_order_back(app, ids):
    from admin_app.models import Batch, BatchKind
    from admin_app.records import bulk

    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        child = session.get(m.Child, ids.child_a)
        before = child.class_order
        with bulk.recorded(session, BatchKind.ROLLOVER, ids.a, "升级") as batch:
            child.grade = m.Grade.P6
        session.commit()
        assert child.class_order != before
        bulk.undo(session, session.get(Batch, batch.id))
        session.commit()
        assert child.class_order == before
