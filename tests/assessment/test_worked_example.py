"""The worked example of the rubric from the records of a school to its grade and its printed sheet.

The numbers here are those of its table, written down by hand; nothing is computed on this side.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import results, scoring, workbooks
from admin_app.db import db, session_with
from admin_app.models import CareKind, CareWay
from tests.assessment import worked_example
from tests.assessment.test_workbooks import exact, lines, load, named
from tests.assessment.worked_example import noon

pytestmark = pytest.mark.matrix

# item: score, maximum, numerator and denominator as a sheet shows them; None: not applicable, or nothing to count
TABLE = {
    "A1.1": ("2.00", 2, 1, 1),  # both groups, one change and it was made good
    "A1.2": ("3.00", 3, 3, 3),
    "A1.3": ("1.75", 2, 2, 2),  # and 3 meetings
    "A1.4": ("2.50", 3, None, None),
    "A2.1": ("2.50", 3, 1, 0),  # half points to deduct
    "A2.2": ("4.50", 5, 18, 20),
    "A2.3": ("3.80", 4, 19, 20),
    "A2.4": ("3.00", 3, 20, 20),
    "A2.5": (None, 0, None, None),
    "A3.1": ("3.75", 4, 15, 16),
    "A3.2": ("2.78", 3, 37, 40),  # the mean of 20/20 and 17/20
    "A3.3": ("1.26", 2, 120, 190),
    "A3.4": ("2.75", 3, 12, 18),
    "A4.1": ("4.50", 5, 171, 190),
    "A4.2": ("2.45", 3, 30, 36),
    "A4.3": ("2.00", 2, 2, 2),
    "A5.1": ("3.33", 4, 5, 6),
    "A5.2": ("3.00", 3, 1, 1),  # the law day, and 4 lessons
    "A5.3": ("4.75", 5, 38, 40),
    "A6.1": ("1.60", 2, 16, 20),
    "A6.2": ("2.80", 3, 36, 40),
    "A6.3": ("1.50", 2, 6, 8),
    "A6.4": ("3.00", 3, 8, 8),
    "A6.5": ("1.50", 2, 30, 40),
    "A7.1": ("4.00", 4, 0, 0),
    "A7.2": ("2.00", 2, 9, 9),
    "A7.3": ("1.40", 2, 140, 2),  # 70 boarders a counsellor
    "A7.4": ("1.80", 2, None, None),
    "A8.1": ("2.60", 3, Decimal("0.8"), 1),  # 0.6 × 36/36 + 0.4 × 5/10
    "A8.2": (None, 0, None, None),
    "A8.3": ("3.00", 3, 3, 3),
    "A9.1": ("1.25", 2, 5, 8),
    "A9.2": ("2.00", 2, 0, 0),
    "A10.1": ("1.90", 2, 19, 20),
    "A10.2": (None, 0, None, None),
}
TOTALS = {
    "earned": Decimal("83.97"),
    "applicable": Decimal(93),
    "base": Decimal("90.29"),
    "bonus": Decimal(1),
    "discipline": Decimal(0),
    "total": Decimal("91.29"),
    "grade": "优秀",
    "fold": Decimal("4.56"),
}
# beside the number a sheet shows, the others that the table names: metric: numerator, denominator
BEHIND = {
    "groups_exist": (2, 2),
    "meetings": (3, 4),
    "F8.sessions": (2, 2),
    "safety_lessons": (4, 4),
    "gratitude_terms": (2, 2),
    "festivals": (1, 1),
    "practice": (1, 1),
    "dropouts_unreturned": (0, 0),
}


@pytest.fixture(scope="module")
def built(base):
    """The school, built once; a test that changes something is rolled back."""
    with base.app.app_context():
        db.session.remove()
        db.engine.dispose()
        base.template.restore()
        with session_with(SYSTEM, writes=True) as session:
            yield worked_example.build(session)
        db.engine.dispose()


@pytest.fixture(scope="module")
def before(built):
    """What the card says while nothing is changed."""
    return seen(built.results())


@pytest.fixture
def example(built, before):
    yield built
    built.session.rollback()


def seen(results):
    """The card in the form of TABLE."""
    return {
        code: (None if item.score is None else str(item.score), item.max, item.numerator, item.denominator)
        for code, item in results.items.items()
    }


def totals(card):
    return {name: getattr(card, name) for name in TOTALS}


def test_every_item_is_that_of_the_table(before):
    assert before == TABLE


def test_the_totals_are_those_of_the_text(example):
    assert totals(example.results().card) == TOTALS


def test_outside_the_quota_the_same_total_is_only_good(example):
    """Three schools have one place; a fourth in the group does not make a second."""
    results = example.results()
    assert len(results.all.cards) == 3
    better = replace(results.card, school_id=0, code="0", total=results.card.total + 1, grade="")
    ranked = {card.school_id: card.grade for card in scoring.rank_groups([*results.all.cards, better], example.round.scheme.quota)}
    assert (ranked[0], ranked[example.school.id]) == ("优秀", "良好")


def test_the_lists_behind_the_items_have_the_numbers_of_the_table(example):
    facts = example.results().facts
    assert {metric: (facts[metric].numerator, facts[metric].denominator) for metric in BEHIND} == BEHIND
    in_term = [sum(line.counted for line in facts["F6"].lines if line.part == term.name) for term in example.terms]
    assert in_term == [20, 17]
    openings = [sum(line.counted for line in facts["F19"].lines if line.part == part) for part in ("学期内", "假期")]
    assert openings == [36, 5]
    months = {line.name: line.expected for line in facts["F9"].lines}
    assert [months[child.name] for child in example.c] == [10] * 10 + [9] * 10


# --- each item can fail, and fails alone


def kind(example, code, **more):
    """What an activity of a kind looks like."""
    return {"kind_id": example.codes[code], **more}


CHANGES = {
    "a member is replaced on the 31st day": (
        "A1.1", ("1.00", 2, 0, 1), lambda e: e.change(m.Post, {"name": "组员丁"}, start=dt.date(2026, 4, 2))),
    "a plan is sent back": (
        "A1.2", ("2.00", 3, 2, 3), lambda e: e.change(m.Paper, {"kind": m.PaperKind.PLAN}, state=m.PaperState.RETURNED)),
    "a meeting less": ("A1.3", ("1.50", 2, 2, 2), lambda e: e.lose(m.Activity, **kind(e, "M01"))),
    "the census eight days late": (
        "A2.1", ("1.50", 3, 3, 0), lambda e: e.change(m.CensusReturn, {"on": dt.date(2026, 3, 25)}, on=dt.date(2026, 3, 28))),
    "an address less": ("A2.2", ("4.25", 5, 17, 20), lambda e: e.change(m.Child, {"name": "白小禾"}, home_address=None)),
    "a card less": ("A2.3", ("3.60", 4, 18, 20), lambda e: e.lose(m.ContactCard)),
    "confirmed in autumn only": (
        "A2.4", ("2.85", 3, 19, 20), lambda e: e.change(m.Child, {"name": "白小禾"}, facts_confirmed_at=dt.date(2026, 3, 1))),
    "a transfer nobody answers": ("A2.5", ("0.00", 3, 0, 1), lambda e: e.transfer(dt.date(2026, 5, 6))),
    "an agreement ends": ("A3.1", ("3.50", 4, 14, 16), lambda e: e.change(m.Agreement, {"end": None}, end=dt.date(2026, 8, 31))),
    "a visit by phone": (
        "A3.2", ("2.70", 3, 36, 40), lambda e: e.change(m.CareRecord, {"way": CareWay.HOME}, way=CareWay.PHONE)),
    "a contact less": ("A3.3", ("1.25", 2, 119, 190), lambda e: e.lose(m.CareRecord, kind=CareKind.CONTACT)),
    "a carer less": ("A3.4", ("2.65", 3, 11, 18), lambda e: e.lose(m.Attendance, how=m.SignedHow.AT_HOME)),
    "a talk less": ("A4.1", ("4.47", 5, 170, 190), lambda e: e.lose(m.CareRecord, kind=CareKind.TALK)),
    "a week without counselling": ("A4.2", ("2.41", 3, 29, 36), lambda e: e.lose(m.Activity, **kind(e, "A02"))),
    "followed up on the 15th day": (
        "A4.3", ("1.00", 2, 1, 2), lambda e: e.change(m.Flag, {"on": dt.date(2025, 10, 13)}, followed_on=dt.date(2025, 10, 28))),
    "a drill less": ("A5.1", ("2.67", 4, 4, 6), lambda e: e.lose(m.Activity, **kind(e, "D3"))),
    "a lesson less": ("A5.2", ("2.50", 3, 1, 1), lambda e: e.lose(m.Activity, **kind(e, "A05"))),
    "not back from the holiday": (
        "A5.3", ("4.63", 5, 37, 40), lambda e: e.change(m.Handover, {"back_on": dt.date(2026, 3, 2)}, back_on=None)),
    "a pair is over": ("A6.1", ("1.50", 2, 15, 20), lambda e: e.change(m.Pairing, {}, end=dt.date(2026, 8, 31))),
    "a letter less": ("A6.2", ("2.75", 3, 35, 40), lambda e: e.lose(m.Letter)),
    "a month without reading": ("A6.3", ("1.25", 2, 5, 8), lambda e: e.lose(m.Activity, **kind(e, "A17"))),
    "a class meeting less": ("A6.4", ("2.50", 3, 7, 8), lambda e: e.lose(m.Activity, **kind(e, "A07"))),
    "a side less": (
        "A6.5", ("1.45", 2, 29, 40), lambda e: e.change(m.Evaluation, {"rater": m.Rater.PEER}, arts=None)),
    "a child stays away": ("A7.1", ("3.00", 4, 0, 0), lambda e: e.dropout(dt.date(2026, 5, 6), None)),
    "a grant ends": ("A7.2", ("1.78", 2, 8, 9), lambda e: e.change(m.Subsidy, {}, end=dt.date(2026, 8, 31))),
    "one counsellor for all": (
        "A7.3", ("0.70", 2, 140, 1), lambda e: e.change(m.Post, {"body": m.Body.LIFE}, end=dt.date(2026, 8, 31))),
    "a holiday opening less": (
        "A8.1", ("2.52", 3, Decimal("0.76"), 1), lambda e: e.lose(m.Activity, **kind(e, "O01", on=dt.date(2026, 7, 22)))),
    "a palace that never opens": (
        "A8.2", ("0.00", 2, 0, 20), lambda e: e.room(m.FacilityKind.PALACE, "A22", [])),
    "an agency less": ("A8.3", ("2.00", 3, 2, 3), lambda e: e.change(m.Activity, kind(e, "A23"), agencies=("B07",))),
    "a report less": ("A9.1", ("1.00", 2, 4, 8), lambda e: e.lose(m.Activity, **kind(e, "P03"))),
    "an opinion told on the next day": ("A9.2", ("1.00", 2, 1, 0), lambda e: e.opinion(dt.date(2026, 4, 8), dt.timedelta(hours=25))),
    "a second wrong field": ("A10.1", ("1.80", 2, 18, 20), lambda e: e.change(m.Inspection, {}, fields_wrong=2)),
    "twenty are asked": ("A10.2", ("1.80", 2, 18, 20), lambda e: e.change(m.Inspection, {}, answers=20, satisfied=18)),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_one_record_changes_its_item_alone(example, before, what):
    code, row, change = CHANGES[what]
    change(example)
    assert {code: now for code, now in seen(example.results()).items() if now != before[code]} == {code: row}


def test_every_computed_item_is_changed_by_something():
    assert {code for code, _row, _change in CHANGES.values()} == TABLE.keys() - {"A1.4", "A7.4"}


def test_a_talk_less_lowers_the_total(example):
    example.lose(m.CareRecord, kind=CareKind.TALK)
    card = example.results().card
    assert (card.earned, card.base, card.total, card.grade) == (Decimal("83.94"), Decimal("90.26"), Decimal("91.26"), "优秀")


def test_what_the_rulings_leave_out_changes_nothing(example):
    e, first, last = example, example.c[0], example.c[-1]
    may, late = dt.date(2026, 5, 20), noon(dt.date(2026, 9, 1))
    e.care(last, CareKind.TALK, CareWay.FACE, may, created_at=late)  # entered after the cut-off
    e.care(last, CareKind.TALK, CareWay.FACE, dt.date(2026, 2, 4))  # no duty in February
    e.care(first, CareKind.TALK, CareWay.FACE, may)  # the second of its month
    e.care(last, CareKind.TALK, CareWay.FACE, dt.date(2025, 9, 25))  # eleven days in September
    e.activities("M01", dt.date(2025, 12, 15))  # the third of its term
    e.activities("D4", may)  # no drill of the plan
    e.activities("A17", may - dt.timedelta(days=2))  # the second of its month
    e.activities("O01", dt.date(2026, 7, 22), facility_id=e.one(m.Facility, kind=m.FacilityKind.HOME).id)  # the second of its day
    e.dropout(dt.date(2026, 5, 6), dt.date(2026, 6, 5))  # back on day 30
    e.opinion(dt.date(2026, 4, 8), dt.timedelta(hours=24))
    e.bonus("市级表彰", 1)  # the same matter
    found = e.results()
    assert seen(found) == TABLE and totals(found.card) == TOTALS


# --- the same numbers, wherever they are read


def test_the_answer_of_the_command_carries_the_strings_of_the_table(example):
    answer = json.loads(json.dumps(results.as_json(example.round, example.results().all.cards)))
    assert (answer["round"], answer["cut_off"], answer["frozen"]) == ("2026-XJ", "2026-08-31", False)
    school = next(school for school in answer["schools"] if school["code"] == example.school.code)
    assert {item["code"]: item["score"] for item in school["items"]} == {code: row[0] for code, row in TABLE.items()}
    texts = {"earned": "83.97", "base": "90.29", "bonus": "1", "total": "91.29", "grade": "优秀", "fold": "4.56"}
    assert {name: school[name] for name in texts} == texts and Decimal(school["applicable"]) == 93
    talks = next(item for item in school["items"] if item["code"] == "A4.1")
    assert (talks["numerator"], talks["denominator"], talks["status"]) == ("171", "190", "auto")


@pytest.fixture
def book(example):
    return workbooks.Book.of(example.session, example.round, example.results().all, "测试")


def test_the_score_sheet_prints_the_table(example, book):
    sheet = load(workbooks.school_sheet(book, example.school.id))
    assert {name: exact(named(sheet, name)) for name in TOTALS} == TOTALS
    printed = [sheet["评分表"].cell(row, 8).value for row in range(4, 4 + len(TABLE))]
    assert [exact(value) for value in printed] == ["不适用" if row[0] is None else Decimal(row[0]) for row in TABLE.values()]


def test_the_county_summary_prints_the_total(example, book):
    sheet = load(workbooks.summary(book))
    row, details = lines(sheet["汇总"])[example.school.name], lines(sheet["评分表"], head=1)[example.school.name]
    names = {"基础分": "base", "加分": "bonus", "扣分": "discipline", "总分": "total", "折算分": "fold", "等次": "grade"}
    assert {name: exact(row[name]) for name in names} == {name: TOTALS[key] for name, key in names.items()}
    assert (exact(details["得分"]), exact(details["适用满分"])) == (TOTALS["earned"], TOTALS["applicable"])


def test_a_frozen_round_reads_the_same_card(example):
    before = example.results()
    example.walk(m.RoundState.CHECK)
    example.lose(m.CareRecord, kind=CareKind.TALK)
    example.session.expire_all()
    after = example.results()
    assert after.card == before.card and seen(after) == TABLE and totals(after.card) == TOTALS
    assert after.facts["F9"] == before.facts["F9"]
    example.walk(m.RoundState.PUBLISHED)
    example.session.expire_all()
    assert example.results().card == before.card
