"""Before a result is published: what goes with padded records is named, without a word that a child said."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.assessment import anomalies
from admin_app.assessment.anomalies import Kind
from admin_app.assessment.patterns import ONE
from admin_app.assessment.scoring import Card, Item, Status
from tests import factories as make

DAY = dt.date(2025, 10, 8)


@pytest.fixture
def school(system):
    return make.school(system, "2153990009", "石桥小学")


@pytest.fixture
def round_(system):
    found = m.Round(
        code="r",
        title="r",
        scheme=system.scalar(select(m.Scheme)),
        start=dt.date(2025, 9, 1),
        last_day=dt.date(2026, 8, 31),
        cut_off=dt.date(2026, 8, 31),
    )
    system.add(found)
    system.flush()
    return found


def talks(system, school, n, *, words="谈了近期学习情况", on=DAY, days=1, entered_after=0):
    """n talks with one child, on so many days in turn, entered so many days later."""
    child = make.left_behind(system, school, "冬一")
    stay = system.scalar(select(m.Enrolment).where(m.Enrolment.child_id == child.id))
    teacher = m.Staff(school_id=school.id, name="龙老师", start=dt.date(2020, 9, 1))
    system.add(teacher)
    system.flush()
    for i in range(n):
        day = on + dt.timedelta(days=i % days)
        entered = dt.datetime.combine(day + dt.timedelta(days=entered_after), dt.time(9), dt.UTC)
        system.add(
            m.CareRecord(
                enrolment_id=stay.id,
                child_id=child.id,
                school_id=school.id,
                kind=m.CareKind.TALK,
                way=m.CareWay.FACE,
                staff_id=teacher.id,
                on=day,
                content=words.format(i),
                created_at=entered,
            )
        )
    system.flush()


def kinds(system, round_, cards=()):
    return {a.kind for a in anomalies.of(system, round_, cards)}


def test_the_same_words_in_many_talks_are_found_and_not_shown(system, school, round_):
    talks(system, school, anomalies.SAME_TEXT, words="孩子说想妈妈了", days=9)
    (found,) = anomalies.of(system, round_, [])
    assert (found.unit, found.kind, found.count) == (school.id, Kind.TEXT, anomalies.SAME_TEXT) and "妈妈" not in found.words


def test_words_of_their_own_and_short_notes_are_not_unusual(system, school, round_):
    talks(system, school, 12, words="第 {} 次谈心，内容不同", days=12)
    talks(system, make.school(system, "2153990010", "东风小学"), 12, words="正常", days=12)
    assert kinds(system, round_) == set()


def test_many_records_of_one_teacher_on_one_day_are_found(system, school, round_):
    talks(system, school, anomalies.ON_ONE_DAY, words="第 {} 次谈心，内容不同")
    (found,) = anomalies.of(system, round_, [])
    assert (found.kind, found.on, found.count) == (Kind.DAY, DAY, anomalies.ON_ONE_DAY) and "龙老师" in found.words


@pytest.mark.parametrize(("later", "there"), [(anomalies.LATE_DAYS, False), (anomalies.LATE_DAYS + 1, True)])
def test_what_was_entered_long_after_it_happened_is_found(system, school, round_, later, there):
    talks(system, school, anomalies.LATE_LEAST, words="第 {} 次谈心，内容不同", days=20, entered_after=later)
    assert (Kind.LATE in kinds(system, round_)) is there


def test_one_file_as_evidence_of_many_things_is_found(system, school, round_):
    for n in range(anomalies.SAME_FILE):
        system.add(
            m.Attachment(school_id=school.id, table_name="activity", row_id=n, name="照片.jpg", stored=f"s{n}", media_type="image/jpeg",
                         size=9, digest="d" * 64, created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        )  # fmt: skip
    system.flush()
    assert kinds(system, round_) == {Kind.FILE}


def test_full_marks_everywhere_are_worth_a_look(system, school, round_):
    full = Item("A1.1", ONE, Status.AUTO, score=ONE)
    less = Item("A1.2", ONE, Status.AUTO, score=ONE / 2)
    card = lambda *items: Card(school.id, "c", "n", "g", items, ONE, ONE)  # noqa: E731
    assert kinds(system, round_, [card(full, Item("A1.3", ONE * 0, Status.NA))]) == {Kind.FULL}
    assert kinds(system, round_, [card(full, less)]) == set()
