"""A sample drawn by lot: the same lot, the same children; what is found makes up the two items it feeds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import results, samples
from admin_app.assessment.samples import Finding
from admin_app.db import session_with
from admin_app.rules import Complaint
from tests import factories as make

ALL_RIGHT = Finding(15, 0, "", True)


@pytest.fixture
def visit(system, ids):
    """A visit to school A, with fourteen left-behind children there and at its site."""
    for n in range(12):
        make.left_behind(system, system.get(m.School, (ids.a, ids.a_site)[n % 2]), f"抽查{'甲乙丙丁戊己庚辛壬癸子丑'[n]}")
    row = m.Inspection(round_id=ids.round, school_id=ids.a, on=dt.date(2026, 6, 20), lot="0317", inspectors="甲、乙")
    system.add(row)
    system.commit()
    return row


def draw(system, row, wanted=10):
    with session_with(SYSTEM) as reading:
        drawn = samples.draw(system, reading, row, wanted)
        system.commit()
    system.refresh(row)
    return [each.child_id for each in drawn]


def item(system, ids, code):
    card = results.score(system, system.get(m.Round, ids.round)).by_school[ids.a]
    return next(each for each in card.items if each.code == code)


def test_the_same_lot_draws_the_same_children_and_another_lot_others(system, ids, visit):
    first = draw(system, visit)
    assert len(first) == len(set(first)) == 10
    again = m.Inspection(round_id=ids.round, school_id=ids.a, on=visit.on, lot="0317")
    other = m.Inspection(round_id=ids.round, school_id=ids.a, on=visit.on, lot="0318")
    system.add_all([again, other])
    system.flush()
    assert draw(system, again) == first and draw(system, other) != first
    sites = {system.get(m.Child, child).school_id for child in first}
    assert sites <= {ids.a, ids.a_site}, "a centre is sampled with its sites, and no stranger"


def test_a_sample_is_never_smaller_than_ten_and_of_few_children_takes_all(system, ids, visit):
    assert len(draw(system, visit, wanted=3)) == 10
    few = m.Inspection(round_id=ids.round, school_id=ids.b, on=visit.on, lot="1")
    system.add(few)
    system.flush()
    everybody = set(system.scalars(select(m.Child.id).where(m.Child.school_id == ids.b)))
    assert set(draw(system, few)) == everybody and len(everybody) < 10


def test_a_sample_needs_its_lot_and_is_drawn_once(system, ids, visit):
    bare = m.Inspection(round_id=ids.round, school_id=ids.a, on=visit.on)
    system.add(bare)
    system.flush()
    with session_with(SYSTEM) as reading, pytest.raises(Complaint, match="先填抽签号"):
        samples.draw(system, reading, bare, 10)
    draw(system, visit)
    with session_with(SYSTEM) as reading, pytest.raises(Complaint, match="已经抽过"):
        samples.draw(system, reading, visit, 10)


def test_what_is_found_adds_up_in_the_visit_and_feeds_both_items(system, ids, visit):
    draw(system, visit)
    found = {row.id: ALL_RIGHT for row in visit.sample}
    ordered = [row.id for row in visit.sample]
    found[ordered[0]] = Finding(15, 3, "父亲去向、照护人、班级", False)
    found[ordered[1]] = Finding(15, 0, "", None)
    samples.record(visit, found)
    system.commit()
    assert (visit.children, visit.fields_checked, visit.fields_wrong, visit.answers, visit.satisfied) == (10, 150, 3, 9, 8)
    assert item(system, ids, "A10.1").score == Decimal("1.96")
    assert item(system, ids, "A10.2").score == Decimal("1.78")


def test_a_child_who_was_not_met_makes_the_sample_too_small(system, ids, visit):
    draw(system, visit)
    found = {row.id: ALL_RIGHT for row in visit.sample}
    found[visit.sample[0].id] = Finding(None, None, "", None)
    samples.record(visit, found)
    system.commit()
    assert visit.children == 9 and item(system, ids, "A10.1").status.value == "na"


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Finding(15, None, "", None), "请填不符项数"),
        (Finding(15, 16, "x", None), "不能多于核对项数"),
        (Finding(61, 0, "", None), "1 至 60"),
        (Finding(15, 1, "", None), "写明是哪几栏"),
    ],
)
def test_a_finding_that_cannot_be_is_refused_with_the_childs_name(finding, words, system, visit):
    draw(system, visit)
    with pytest.raises(Complaint, match=f"{visit.sample[0].child_name}.*{words}"):
        samples.record(visit, {visit.sample[0].id: finding})


def test_the_paper_says_of_each_child_what_the_register_says(open_as, system, ids, visit):
    draw(system, visit)
    with open_as("office", writes=False) as session:
        said = dict(samples.paper(session, session.get(m.Inspection, visit.id))[0][1])
        assert tuple(said) == samples.FIELDS and said["留守类型"] == "双亲外出" and said["父亲去向"].startswith("外出务工")


def test_the_office_draws_prints_and_keys_in_on_its_screens(app, person, ids):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for n in range(12):
            make.left_behind(session, session.get(m.School, ids.a), f"抽查{'甲乙丙丁戊己庚辛壬癸子丑'[n]}")
        visit = m.Inspection(round_id=ids.round, school_id=ids.a, on=dt.date(2026, 6, 20), lot="0317")
        session.add(visit)
        session.commit()
        number = visit.id
    office, page = person("office"), f"/inspection/details/?id={number}"
    assert "抽取儿童" in office.get(page).text
    assert "已抽出 10 名儿童" in office.post("/inspection/draw/", {"id": number, "wanted": "10"}, follow_redirects=True).text
    paper = office.get(f"/inspection/paper/?id={number}").text
    with app.app_context(), session_with(SYSTEM) as session:
        sample = {row.id: row.child_name for row in session.get(m.Inspection, number).sample}
    assert all(name in paper for name in sample.values()) and "0317" in paper and "严禁外传" in paper
    keyed = {f"checked-{key}": "15" for key in sample} | {f"wrong-{key}": "0" for key in sample}
    mistyped = keyed | {f"wrong-{min(sample)}": "二"}
    wrong = office.post("/inspection/findings/", {"id": number, **mistyped}, follow_redirects=True).text
    assert "应填整数" in wrong and 'value="二"' in wrong, "what was typed comes back"
    keyed |= {f"satisfied-{key}": "1" for key in sample}
    assert "保存成功" in office.post("/inspection/findings/", {"id": number, **keyed}, follow_redirects=True).text
    assert "打印核查表" not in person("secretary_a").get(page).text and person("secretary_b").get(page).status_code == 404
