"""What somebody may try against a round: to see the sample beforehand, to shift a ranking, to make a workbook fail."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import samples, workflow
from admin_app.db import session_with
from admin_app.records import trash
from admin_app.rules import Complaint
from tests import factories as make
from tests.assessment.rounds import judge_everything, step, walk

pytestmark = pytest.mark.matrix

S = m.RoundState
VISIT = {"on": "2026-06-20", "lot": "0317", "inspectors": "甲、乙", "document": ""}
SUMS = {"children": 10, "fields_checked": 150, "fields_wrong": 0, "answers": 10, "satisfied": 10}


@pytest.fixture
def within(app):
    """The database past all scopes, for a moment between two requests; what was done there is kept."""

    @contextmanager
    def look():
        with app.app_context(), session_with(SYSTEM, writes=True) as session:
            yield session
            session.commit()

    return look


def drawn_visit(session, ids):
    """A visit to school A with a drawn sample of ten."""
    for letter in "甲乙丙丁戊己庚辛壬癸子丑":
        make.left_behind(session, session.get(m.School, ids.a), f"抽查{letter}")
    row = m.Inspection(round_id=ids.round, school_id=ids.a, on=dt.date(2026, 6, 20), lot="0317")
    session.add(row)
    session.commit()
    with session_with(SYSTEM) as reading:
        samples.draw(session, reading, row, 10)
        session.commit()
    session.refresh(row)
    return row


@pytest.fixture
def visit(within, ids):
    """(its id, the children drawn, their names)."""
    with within() as session:
        row = drawn_visit(session, ids)
        return row.id, [each.child_id for each in row.sample], [each.child_name for each in row.sample]


def count(within, model, *criteria):
    with within() as session:
        return session.scalar(select(func.count(model.id)).where(*criteria))


def item(session, code):
    return session.scalar(select(m.Indicator).where(m.Indicator.code == code))


# --- scores


@pytest.mark.parametrize(("address", "who"), [("judge", "office"), ("self", "secretary_a")])
def test_a_first_level_indicator_takes_no_score_and_the_workbook_stays_whole(address, who, person, within, ids):
    with within() as session:
        judge_everything(session, ids)
        heading = item(session, "A1")
        with pytest.raises(Complaint, match="一级指标"):
            workflow.judge(session, session.get(m.Sheet, ids.sheet_a), heading, Decimal(1), "x")
        number = heading.id
    before = count(within, m.OfficeScore), count(within, m.SelfScore)
    person(who).post(f"/assessment/{address}/", {"sheet": ids.sheet_a, f"score-{number}": "1", f"reason-{number}": "x"})
    assert (count(within, m.OfficeScore), count(within, m.SelfScore)) == before
    assert person("office").get(f"/assessment/export-sheet/?sheet={ids.sheet_a}").status_code == 200


@pytest.mark.parametrize(
    ("raw", "kept"), [("-0", "0"), ("２．５", "2.5"), *((raw, None) for raw in ("0e99999", "1e1", "0x1", "1_0", "٣"))]
)
def test_a_score_is_a_plain_number(raw, kept, person, within, ids):
    with within() as session:
        judge_everything(session, ids)
        number = item(session, "A1.4").id
    answer = person("office").post(
        "/assessment/judge/", {"sheet": ids.sheet_a, "seen": 10**6, f"score-{number}": raw, f"reason-{number}": "缺制度"}
    )
    assert kept or "不是数字" in answer.text
    with within() as session:
        mark = workflow.newest_mark(session, session.get(m.Sheet, ids.sheet_a), item(session, "A1.4"))
        assert (str(mark.points) if mark.reason == "缺制度" else None) == kept


def test_marks_changed_after_the_leader_agreed_need_the_leader_again(system, ids, judged):
    walk(system, judged, S.REVIEW)
    workflow.settle(system, judged, approved=True, words="", by="局长")
    system.commit()
    workflow.judge(system, system.get(m.Sheet, ids.sheet_a), item(system, "A1.4"), Decimal(0), "复核")
    system.commit()
    with pytest.raises(Complaint, match="同意后又改了复核分"):
        step(system, judged, S.DECISION)
    system.rollback()
    workflow.settle(system, judged, approved=True, words="", by="局长")
    system.commit()
    step(system, judged, S.DECISION)


def test_the_scheme_is_not_exchanged_under_what_was_said_by_it(system, ids, judged):
    other = m.Scheme(code="other", title="另一套", definition=m.Definition.GF13, quota=Decimal("0.2"), state=m.SchemeState.LOCKED)
    system.add(other)
    system.flush()
    for name, value in (("scheme_id", other.id), ("scheme", other)):
        setattr(judged, name, value)
        with pytest.raises(Complaint, match="不能再换方案"):
            system.flush()
        system.expire(judged)


def test_points_typed_beside_an_appeal_that_is_upheld_are_not_lost_in_silence(person, within, ids):
    with within() as session:
        round_ = judge_everything(session, ids)
        walk(session, round_, S.PUBLICITY)
        row = m.Appeal(sheet=session.get(m.Sheet, ids.sheet_a), indicator=item(session, "A1.4"), reason="漏")
        workflow.appeal(session, row, round_.shown_from)
        session.add(row)
        session.flush()
        number = row.id
    page = person("office").post("/appeal/answer/", {"id": number, "changed": "0", "points": "2.5", "words": "已复查"}).text
    assert "请选“改为”" in page and 'value="2.5"' in page
    assert count(within, m.AppealAnswer, m.AppealAnswer.appeal_id == number) == 0


def test_an_appeal_of_a_school_without_a_score_shows_a_dash(person, within, ids):
    with within() as session:
        round_ = judge_everything(session, ids)
        walk(session, round_, S.PUBLICITY)
        row = m.Appeal(sheet=session.get(m.Sheet, ids.sheet_a), indicator=item(session, "A1.4"), reason="漏")
        workflow.appeal(session, row, round_.shown_from)
        session.add(row)
        session.flush()
        session.add(m.AppealAnswer(appeal_id=row.id, school_id=row.school_id, changed=False, words="不参评，无分可改", by="股员"))
        number = row.id
    for address in ("/appeal/", f"/appeal/details/?id={number}"):
        page = person("office").get(address).text
        assert "维持 —" in page and "None" not in page, address


# --- the group a school is ranked in


@pytest.mark.parametrize("state", [S.CHECK, S.DECISION, S.PUBLICITY])
@pytest.mark.parametrize("change", [{"school_group": m.SchoolGroup.SENIOR}, {"assessed": False, "school_group": None}])
def test_no_school_leaves_its_group_between_the_freeze_and_the_circular(state, change, system, ids, judged):
    walk(system, judged, state)
    school = system.get(m.School, ids.a)
    for name, value in change.items():
        setattr(school, name, value)
    with pytest.raises(Complaint, match="通报以前"):
        system.commit()


def test_a_school_that_handed_in_stays_assessed_and_one_that_did_not_has_no_workbook(person, within, ids):
    with within() as session:
        judge_everything(session, ids)
        session.connection().execute(update(m.Round).where(m.Round.id == ids.shown_round).values(state=S.APPLIED))
        session.add(m.SheetStep(sheet_id=ids.sheet_a, school_id=ids.a, move=m.SheetMove.SUBMITTED, by="教师"))
    with within() as session:
        session.get(m.School, ids.a).assessed = False
        with pytest.raises(Complaint, match="已经提交自评"):
            session.flush()
        session.rollback()
        school = session.get(m.School, ids.b)
        school.assessed, school.school_group = False, None
        sheet = session.scalar(select(m.Sheet.id).where(m.Sheet.round_id == ids.round, m.Sheet.school_id == ids.b))
    office = person("office")
    for page in ("sheet", "export-sheet"):
        assert office.get(f"/assessment/{page}/?sheet={sheet}").status_code == 404
    assert office.get("/assessment/export/").status_code == 200


# --- the drawn sample


def test_a_school_learns_neither_the_lot_nor_who_was_drawn_before_the_visit(person, within, visit):
    number, _children, names = visit
    page = f"/inspection/details/?id={number}"
    assert "0317" in person("office").get(page).text
    for who in ("secretary_a", "principal_a"):
        for address in (page, "/inspection/"):
            text = person(who).get(address).text
            assert "0317" not in text and not any(name in text for name in names)
    with within() as session:
        row = session.get(m.Inspection, number)
        samples.record(row, {row.sample[0].id: samples.Finding(None, 0, "", True)})
    text = person("secretary_a").get(page).text
    assert names[0] in text and not any(name in text for name in names[1:]) and "0317" not in text


def test_deleting_a_child_tells_nothing_about_the_sample_and_leaves_it_whole(person, within, ids, visit):
    number, children, _names = visit
    with within() as session:
        other = session.scalar(select(m.Child.id).where(m.Child.school_id == ids.a, m.Child.id.not_in(children)))
    for each in (children[0], other):
        assert person("secretary_a").post("/child/delete/", {"id": each, "reason": "重复"}).status_code == 302
    assert count(within, m.Child, m.Child.id.in_((children[0], other))) == 0
    assert count(within, m.Inspected, m.Inspected.inspection_id == number) == 10


def test_a_visit_goes_to_the_trash_with_its_sample_and_comes_back_with_it(person, within, visit):
    number, children, _names = visit
    office = person("office")
    office.post("/inspection/delete/", {"id": number, "reason": "误建"})
    assert count(within, m.Inspection, m.Inspection.id == number) == 0
    assert count(within, m.Inspected, m.Inspected.inspection_id == number) == 0
    office.post("/trash/restore/", {"table": "inspection", "id": number})
    assert count(within, m.Inspected, m.Inspected.inspection_id == number) == 10
    assert office.post("/child/delete/", {"id": children[0], "reason": "重复"}).status_code == 302


def test_a_decided_round_keeps_its_visits_while_a_child_of_the_sample_may_go(person, within, ids, visit):
    number, children, _names = visit
    with within() as session:
        row = session.get(m.Inspection, number)
        samples.record(row, {each.id: samples.Finding(None, 0, "", True) for each in row.sample})
        session.commit()
        walk(session, judge_everything(session, ids), S.PUBLICITY)
        with pytest.raises(Complaint, match="现处“公示”"):
            trash.put(session, row, "误")
            session.flush()
        session.rollback()
    assert person("office").post("/child/delete/", {"id": children[0], "reason": "重复"}).status_code == 302
    assert count(within, m.Child, m.Child.id == children[0]) == 0


@pytest.mark.parametrize(("change", "words"), [("school", "不能再改"), ("lot", "不能再改"), ("sums", "逐人填")])
def test_what_a_sample_was_drawn_for_does_not_change_under_it(change, words, person, within, ids, visit):
    form = VISIT | {"round": ids.round, "school": ids.a, "version": 1} | dict.fromkeys(SUMS, 0)
    form |= {"school": {"school": ids.b}, "lot": {"lot": "9999"}, "sums": SUMS}[change]
    assert words in person("office").post(f"/inspection/edit/?id={visit[0]}", form).text
    with within() as session:
        row = session.get(m.Inspection, visit[0])
        assert (row.school_id, row.lot, row.children) == (ids.a, "0317", 0)


def test_sums_entered_by_hand_are_not_wiped_out_by_a_sample(system, ids):
    row = m.Inspection(round_id=ids.round, school_id=ids.b, on=dt.date(2026, 6, 20), lot="1", **SUMS)
    system.add(row)
    system.commit()
    with pytest.raises(Complaint, match="没有抽取儿童"):
        samples.record(row, {})
    with session_with(SYSTEM) as reading, pytest.raises(Complaint, match="已经填了合计"):
        samples.draw(system, reading, row, 10)


# --- bonus and veto


def test_a_confirmed_veto_is_not_turned_into_a_bonus_of_another_school(person, within, ids):
    with within() as session:
        judge_everything(session, ids)
        veto = m.Adjustment(
            round_id=ids.round,
            school_id=ids.a,
            kind=m.AdjustmentKind.VETO,
            matter="瞒报",
            effect=m.VetoEffect.NO_HONOUR,
            document="文",
        )
        session.add(veto)
        session.flush()
        workflow.confirm_veto(session, veto, approved=True, words="", by="局长")
        number = veto.id
    form = {
        "round": ids.round,
        "school": ids.b,
        "kind": "bonus",
        "matter": "瞒报",
        "points": "5",
        "effect": "",
        "document": "文",
        "version": 1,
    }
    assert "不能再改" in person("office").post(f"/adjustment/edit/?id={number}", form).text
    with within() as session:
        veto = session.get(m.Adjustment, number)
        assert (veto.kind, veto.school_id) == (m.AdjustmentKind.VETO, ids.a)


def test_a_bonus_has_two_decimals_at_most(person, within, ids):
    with within() as session:
        judge_everything(session, ids)
    form = {"round": ids.round, "school": ids.a, "kind": "bonus", "matter": "市级先进", "points": "1.234", "document": "文"}
    assert "最多两位小数" in person("office").post("/adjustment/new/", form).text
    assert count(within, m.Adjustment, m.Adjustment.matter == "市级先进") == 0


# --- what a school threw away


def test_the_office_brings_back_evidence_a_school_threw_away(person, within, ids):
    with within() as session:
        judge_everything(session, ids)
        row = m.Evidence(sheet_id=ids.sheet_a, indicator_id=item(session, "A1.4").id, school_id=ids.a, title="开放记录")
        session.add(row)
        session.flush()
        number = row.id
    assert person("secretary_a").post("/evidence/delete/", {"id": number, "reason": "误传"}).status_code == 302
    assert count(within, m.Evidence, m.Evidence.id == number) == 0
    answer = person("office").post("/trash/restore/", {"table": "evidence", "id": number}, follow_redirects=True)
    assert "已恢复" in answer.text and count(within, m.Evidence, m.Evidence.id == number) == 1


# --- what was said about others


def test_an_account_without_a_sheet_does_not_read_what_the_leader_said_of_others(person, within, ids):
    with within() as session:
        like = session.get(m.Round, ids.round)
        bare = m.Round(
            code="2030", title="2030年度", scheme_id=like.scheme_id, start=like.start, last_day=like.last_day,
            cut_off=like.cut_off, state=S.REVIEW,
        )  # fmt: skip
        session.add(bare)
        session.flush()
        workflow.settle(session, bare, approved=False, words="青松小学涉嫌虚报", by="局长")
        number = bare.id
    page = f"/assessment/?round={number}"
    assert "涉嫌虚报" in person("office").get(page).text
    assert "涉嫌虚报" not in person("secretary_a").get(page, follow_redirects=True).text


# --- from school to school ---


@pytest.fixture
def number(within):
    """The indicator A1.4, which a person judges."""
    with within() as session:
        return item(session, "A1.4").id


def test_the_office_saves_and_goes_on_to_the_next_school(ids, person, number):
    browser, form = person("office"), {"sheet": ids.sheet_a, f"score-{number}": "2", f"reason-{number}": "缺值班制度", "go_on": "1"}
    went = browser.post("/assessment/judge/", form)
    assert went.location == f"/assessment/sheet/?sheet={ids.sheet_b}"
    page = browser.get(went.location).text
    assert "晨光小学的评分保存成功" in page and 'title="晨光小学" rel="prev"' in page and 'rel="next"' not in page
    last = browser.post("/assessment/judge/", form | {"sheet": ids.sheet_b})
    assert last.location == f"/assessment/sheet/?sheet={ids.sheet_b}"


def test_a_mark_that_is_refused_stays_at_its_school(ids, person, number):
    form = {"sheet": ids.sheet_a, f"score-{number}": "99", f"reason-{number}": "缺值班制度", "go_on": "1"}
    page = person("office").post("/assessment/judge/", form)
    assert page.status_code == 200 and 'value="99"' in page.text and "<h1>晨光小学</h1>" in page.text


def test_an_item_is_compared_from_school_to_school_and_a_school_sees_no_neighbour(ids, person, number):
    address = f"/assessment/item/?sheet={ids.sheet_a}&indicator={number}"
    beside = f"/assessment/item/?sheet={ids.sheet_b}&amp;indicator={number}"
    assert beside in person("leader").get(address).text
    assert "青松小学" not in person("secretary_a").get(address).text
