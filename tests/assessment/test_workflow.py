"""A round from open to published: judged, frozen, and never computed again."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import workbooks, workflow
from admin_app.db import session_with
from admin_app.rules import Complaint
from tests import factories as make


@pytest.fixture
def judged(system, ids):
    """The round with every item of every sheet judged."""
    round_ = system.get(m.Round, ids.round)
    workflow.open_sheets(system, round_)
    results = workflow.score(system, round_)
    indicators = {i.code: i for i in system.scalars(select(m.Indicator))}
    for sheet in system.scalars(select(m.Sheet)):
        for item in results.by_school[sheet.school_id].items:
            if item.status == "missing":
                workflow.judge(system, sheet, indicators[item.code], item.by_hand - Decimal("0.5"), "材料不全")
    system.commit()
    return round_


def freeze(system, round_):
    with session_with(SYSTEM) as reading:
        count = workflow.freeze(system, reading, round_)
    system.commit()
    return count


def test_only_what_a_person_judges_waits_and_it_holds_the_total_back(system, ids):
    card = workflow.score(system, system.get(m.Round, ids.round)).by_school[ids.a]
    waiting = {item.code for item in card.items if item.status.value == "missing"}
    assert waiting == {"A1.4", "A4.2", "A6.4", "A7.3", "A7.4", "A8.1"}
    assert card.total is None and card.grade == "" and card.waiting == 6


def test_a_round_with_waiting_items_cannot_be_frozen(system, ids):
    with session_with(SYSTEM) as reading, pytest.raises(Complaint, match="待评"):
        workflow.freeze(system, reading, system.get(m.Round, ids.round))


def test_a_frozen_round_reads_back_to_the_same_numbers_whatever_changes_later(system, ids, judged):
    before = workflow.as_json(judged, workflow.score(system, judged).cards)
    assert freeze(system, judged) == 2
    make.talk(system, system.get(m.Child, ids.child_a), dt.date(2025, 10, 3))
    make.left_behind(system, system.get(m.School, ids.a), "后来的")
    system.commit()
    after = workflow.as_json(judged, workflow.score(system, judged).cards)
    assert after["schools"] == before["schools"] and after["frozen"] and not before["frozen"]
    lists = workflow.score(system, judged).facts[ids.a]["F9"]
    assert {line.name for line in lines(lists)} == {"甲小雨", "乙大山"} and lists.numerator == 1


def lines(fact):
    return fact.lines


def test_nothing_is_judged_or_frozen_twice(system, ids, judged):
    freeze(system, judged)
    sheet, indicator = system.get(m.Sheet, ids.sheet_a), system.scalar(select(m.Indicator).where(m.Indicator.code == "A1.4"))
    for attempt in (lambda: workflow.judge(system, sheet, indicator, Decimal(3), ""), lambda: freeze(system, judged)):
        with pytest.raises(Complaint):
            attempt()


def test_publishing_comes_after_freezing_and_once(system, ids, judged):
    with pytest.raises(Complaint):
        workflow.publish(judged)
    freeze(system, judged)
    workflow.publish(judged)
    with pytest.raises(Complaint):
        workflow.publish(judged)


@pytest.mark.parametrize(("points", "reason"), [("3.1", ""), ("-1", "x"), ("2", ""), ("2.555", "x")])
def test_a_judgement_out_of_bounds_or_without_its_reason_is_refused(points, reason, system, ids):
    sheet, indicator = system.get(m.Sheet, ids.sheet_a), system.scalar(select(m.Indicator).where(m.Indicator.code == "A1.4"))
    with pytest.raises(Complaint):
        workflow.judge(system, sheet, indicator, Decimal(points), reason)


def test_the_score_sheet_adds_up_by_its_own_formulas(system, ids, judged):
    results = workflow.score(system, judged)
    book = workbooks.Book.of(system, judged, results, "测试")
    card = results.by_school[ids.a]
    content = workbooks.school_sheet(book, ids.a)
    values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    assert values.sheetnames == ["评分表", "参数", "缺项名单", "导出凭据"]
    at = {
        name: values.defined_names[name].attr_text.replace("$", "").replace("'", "").split("!")[1]
        for name in ("earned", "applicable", "base", "total")
    }
    for name in at:
        assert Decimal(str(values["评分表"][at[name]].value)) == getattr(card, name)
        assert str(formulas["评分表"][at[name]].value).startswith("=")
    column = [values["评分表"].cell(row, 8).value for row in range(4, 39)]
    assert sum(Decimal(str(v)) for v in column if isinstance(v, int | float)) == card.earned
    assert values["评分表"].print_title_rows == "$3:$3" and values["评分表"].page_setup.paperSize == 9


def test_the_county_summary_ranks_inside_groups(system, ids, judged):
    book = workbooks.Book.of(system, judged, workflow.score(system, judged), "测试")
    sheets = openpyxl.load_workbook(io.BytesIO(workbooks.summary(book)))
    assert sheets.sheetnames[:3] == ["汇总", "评分表", "参数"]
    text = [str(cell.value) for row in sheets["汇总"].iter_rows() for cell in row if cell.value]
    assert "晨光小学" in text and "小学组（2 所）" in text and not any("甲小雨" in word for word in text)
