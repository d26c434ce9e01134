"""A round from open to published: judged, frozen, and never computed again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import workflow
from admin_app.db import session_with
from admin_app.rules import Complaint
from tests import factories as make


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
