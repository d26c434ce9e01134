"""Who counts as left behind: the statement against the words of the rule, child by child."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select

from admin_app import models as m, rules
from admin_app.models import Area, Definition, Hukou, ParentState, Side
from admin_app.records.definitions import CANNOT_GUARD, findings, left_behind
from tests import factories as make

ON = dt.date(2026, 5, 20)
AWAY, HOME = ParentState.AWAY, ParentState.HOME


def holds(system, child, definition=Definition.GF13, on=ON):
    return child.id in set(system.scalars(left_behind(definition, on)))


def family(system, ids, father, mother, **more):
    child = make.child(system, system.get(m.School, ids.b), "普小龙", **more)
    make.parent(system, child, Side.FATHER, father)
    make.parent(system, child, Side.MOTHER, mother)
    return child


@pytest.mark.parametrize("mother", ParentState)
def test_one_parent_away_counts_only_with_the_other_away_or_unable(mother, system, ids):
    assert holds(system, family(system, ids, AWAY, mother)) is (mother is AWAY or mother in CANNOT_GUARD)


def test_nobody_away_never_counts(system, ids):
    assert not holds(system, family(system, ids, ParentState.DEAD, ParentState.IMPRISONED))


def test_the_sixteenth_birthday_ends_it(system, ids):
    born = dt.date(2010, 5, 21)
    child = family(system, ids, AWAY, AWAY, born=born)
    assert holds(system, child, on=dt.date(2026, 5, 20)) and not holds(system, child, on=dt.date(2026, 5, 21))


@pytest.mark.parametrize(
    ("hukou", "area", "counts"),
    [
        (Hukou.FARM, Area.CITY, True),
        (Hukou.CITY, Area.VILLAGE, False),
        (Hukou.RESIDENT, Area.VILLAGE, True),
        (Hukou.RESIDENT, Area.TOWN, True),
        (Hukou.RESIDENT, Area.CITY, False),
        (None, None, True),
    ],
)
def test_the_hukou_decides_with_the_address(hukou, area, counts, system, ids):
    assert holds(system, family(system, ids, AWAY, AWAY, hukou=hukou, area=area)) is counts


def test_who_is_not_enrolled_does_not_count(system, ids):
    child = family(system, ids, AWAY, AWAY)
    make.enrolment(system, child).end = dt.date(2026, 3, 1)
    system.flush()
    assert holds(system, child, on=dt.date(2026, 2, 28)) and not holds(system, child)


def test_the_register_definition_needs_three_months_and_one_parent(system, ids):
    child = make.child(system, system.get(m.School, ids.b), "普小龙")
    make.parent(system, child, Side.FATHER, AWAY, since=dt.date(2026, 2, 28))
    make.parent(system, child, Side.MOTHER, HOME)
    assert not holds(system, child, Definition.XJ, dt.date(2026, 5, 27))
    assert holds(system, child, Definition.XJ, dt.date(2026, 5, 28))


def test_the_reason_stands_in_words(system, ids):
    child = family(system, ids, AWAY, AWAY)
    found = findings(system, [child.id], ON)[child.id]
    assert found.holds and found.kind == "双亲外出"
    assert found.reason == "双亲外出（父亲2024-02起在广东东莞，母亲2024-02起在广东东莞）"


def test_a_child_without_statuses_is_said_to_be_incomplete(system, ids):
    child = make.child(system, system.get(m.School, ids.b), "普小龙")
    assert findings(system, [child.id], ON)[child.id].kind == "未填全"


day = st.dates(dt.date(2024, 1, 1), dt.date(2026, 12, 31))
histories = st.lists(st.tuples(day, st.sampled_from(list(ParentState))), min_size=1, max_size=4, unique_by=lambda pair: pair[0])


@pytest.mark.matrix
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(father=histories, mother=histories, born=st.dates(dt.date(2008, 1, 1), dt.date(2016, 12, 31)), on=day)
def test_the_statement_agrees_with_the_rule_for_any_history(father, mother, born, on, system, ids):
    child = make.child(system, system.get(m.School, ids.b), "普小龙", born=born, start=dt.date(2025, 1, 1))
    for side, history in ((Side.FATHER, father), (Side.MOTHER, mother)):
        parent = make.parent(system, child, side)
        system.delete(system.scalar(select(m.ParentStatus).where(m.ParentStatus.parent_id == parent.id)))
        system.flush()
        starts = sorted(history)
        for n, (start, state) in enumerate(starts):
            end = starts[n + 1][0] if n + 1 < len(starts) else None
            system.add(m.ParentStatus(child_id=child.id, school_id=ids.b, parent_id=parent.id, state=state, start=start, end=end))
    system.flush()
    states = [state_on(father, on), state_on(mother, on)]
    away = states.count(AWAY)
    able = away == 2 or (away == 1 and any(s in CANNOT_GUARD for s in states))
    assert holds(system, child, on=on) is (able and on >= dt.date(2025, 1, 1) and on < rules.at_age(born, 16))
    system.rollback()


def state_on(history, on):
    begun = [state for start, state in sorted(history) if start <= on]
    return begun[-1] if begun else None
