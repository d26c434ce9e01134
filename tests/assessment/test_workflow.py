"""A round from its scheme to its circular: who must do what first, and what never changes afterwards."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM, Refused
from admin_app.assessment import causes, freezing, results, workflow
from admin_app.db import session_with
from admin_app.rules import Complaint
from tests import factories as make
from tests.assessment.rounds import MONDAY, PATH, step, walk

S = m.RoundState
DAY = dt.timedelta(days=1)


@pytest.fixture
def round_(system, ids):
    found = system.get(m.Round, ids.round)
    workflow.open_sheets(system, found)
    system.commit()
    return found


@pytest.fixture
def judged_item(system, ids, round_):
    """Sheet of school A and the indicator A1.4, which a person judges as a whole."""
    return system.get(m.Sheet, ids.sheet_a), system.scalar(select(m.Indicator).where(m.Indicator.code == "A1.4"))


def indicator(system, code):
    return system.scalar(select(m.Indicator).where(m.Indicator.code == code))


def item_of(system, round_, school, code):
    return next(i for i in results.score(system, round_).by_school[school].items if i.code == code)


# --- what waits, and the freeze


def test_only_what_a_person_judges_waits_and_it_holds_the_total_back(system, ids):
    card = results.score(system, system.get(m.Round, ids.round)).by_school[ids.a]
    waiting = {item.code for item in card.items if item.status.value == "missing"}
    assert waiting == {"A1.4", "A4.2", "A6.4", "A7.3", "A7.4", "A8.1"}
    assert card.total is None and card.grade == "" and card.waiting == 6


def test_the_self_assessment_closes_with_a_reason_when_headteachers_have_not_confirmed(system, round_):
    with pytest.raises(Complaint, match="没有经校长确认"):
        step(system, round_, S.CHECK, words="")
    system.rollback()
    step(system, round_, S.CHECK, words="逾期未报的按系统分计")
    assert round_.frozen_at and workflow.trail(system, round_)[-1][3] == "逾期未报的按系统分计"


def test_a_frozen_round_keeps_its_numbers_and_names_whatever_the_schools_enter_later(system, ids, judged):
    before = results.as_json(judged, results.score(system, judged).cards)
    step(system, judged, S.CHECK)
    make.talk(system, system.get(m.Child, ids.child_a), dt.date(2025, 10, 3))
    make.left_behind(system, system.get(m.School, ids.a), "后来的")
    system.commit()
    after = results.as_json(judged, results.score(system, judged).cards)
    assert after["schools"] == before["schools"] and after["frozen"] and not before["frozen"]
    lists = results.score(system, judged).facts[ids.a]["F9"]
    assert {line.name for line in lists.lines} == {"甲小雨", "乙大山"} and lists.numerator == 1


def test_what_the_bureau_finds_on_the_spot_counts_until_the_decision(system, ids, judged):
    step(system, judged, S.CHECK)
    system.add(make.of_school(system, m.Inspection, system.get(m.School, ids.a), round_id=judged.id, on=dt.date(2026, 9, 1), children=10,
                              fields_checked=100, fields_wrong=10))  # fmt: skip
    system.commit()
    assert item_of(system, judged, ids.a, "A10.1").score == Decimal("1.80")
    walk(system, judged, S.PUBLICITY)
    kept = freezing.facts(system, judged, lines=True)[ids.a]["F20"]
    assert kept.numerator == 90 and kept.lines[-1].name == "2026-09-01 抽查"


# --- marks


def test_the_newest_mark_counts_and_none_is_ever_overwritten(system, ids, round_, judged_item):
    sheet, item = judged_item
    workflow.judge(system, sheet, item, Decimal(2), "缺两项制度", "甲")
    workflow.judge(system, sheet, item, Decimal("2.5"), "补来一项", "乙")
    workflow.judge(system, sheet, item, Decimal("2.5"), "补来一项", "丙")
    system.commit()
    assert [(mark.points, mark.by, mark.stage) for mark in results.marks(system, round_)] == [
        (Decimal(2), "甲", m.Stage.CHECK),
        (Decimal("2.5"), "乙", m.Stage.CHECK),
    ]
    assert item_of(system, round_, ids.a, "A1.4").score == Decimal("2.50")
    workflow.judge(system, sheet, item, None, "", "甲")
    system.flush()
    assert item_of(system, round_, ids.a, "A1.4").status.value == "missing"
    with pytest.raises(Complaint, match="只增不改"):
        results.marks(system, round_)[0].points = Decimal(3)
        system.flush()


@pytest.mark.parametrize(("points", "reason"), [("3.1", ""), ("-1", "x"), ("2", ""), ("2.555", "x")])
def test_a_judgement_out_of_bounds_or_without_its_reason_is_refused(points, reason, system, judged_item):
    with pytest.raises(Complaint):
        workflow.judge(system, *judged_item, Decimal(points), reason)


def test_each_step_has_marks_of_its_own_and_a_shown_result_takes_none(system, ids, judged, judged_item):
    sheet, item = judged_item
    for state, stage in ((S.ON_SITE, m.Stage.ON_SITE), (S.REVIEW, m.Stage.REVIEW), (S.DECISION, m.Stage.FINAL)):
        walk(system, judged, state)
        workflow.judge(system, sheet, item, Decimal(1), f"{stage}", "甲")
        system.commit()
        assert results.marks(system, judged)[-1].stage is stage
    walk(system, judged, S.PUBLICITY)
    with pytest.raises(Complaint, match="不能评分"):
        workflow.judge(system, sheet, item, Decimal(2), "改")
    system.add(
        m.OfficeScore(sheet_id=sheet.id, indicator_id=item.id, school_id=ids.a, stage=m.Stage.FINAL, points=Decimal(3), by="甲")
    )
    with pytest.raises(Complaint, match="现处“公示”"):
        system.flush()


# --- the way of a round


def test_no_step_is_skipped_and_none_is_taken_back(system, judged):
    for place, state in enumerate(PATH):
        for to in S:
            allowed = to in PATH[place + 1 : place + 2] or (state, to) in ((S.REVIEW, S.ON_SITE), (S.PUBLICITY, S.APPEAL))
            if not allowed and state is judged.state:
                with pytest.raises(Complaint, match="不能转入"):
                    step(system, judged, to)
                system.rollback()
        if state is not S.SET_UP and place + 1 < len(PATH):
            walk(system, judged, PATH[place + 1])


def test_a_state_that_is_set_past_the_workflow_is_refused_below_it(system, round_):
    round_.state = S.PUBLISHED
    with pytest.raises(Complaint, match="不能转入"):
        system.flush()


def test_after_the_freeze_a_round_is_not_measured_otherwise(system, judged):
    step(system, judged, S.CHECK)
    judged.cut_off = dt.date(2026, 7, 1)
    with pytest.raises(Complaint, match="不能再改"):
        system.flush()


def test_what_the_leader_sends_back_is_checked_again(system, judged):
    walk(system, judged, S.REVIEW)
    for to in (S.DECISION, S.ON_SITE):
        with pytest.raises(Complaint, match="分管领导"):
            step(system, judged, to)
        system.rollback()
    with pytest.raises(Complaint, match="须写明理由"):
        workflow.settle(system, judged, approved=False, words="", by="局长")
    workflow.settle(system, judged, approved=False, words="晨光小学 A1.4 重核", by="局长")
    system.commit()
    step(system, judged, S.ON_SITE)
    step(system, judged, S.REVIEW)
    assert workflow.leaders_word(system, judged) is None, "an old word does not answer a new question"


def test_the_decision_needs_minutes_every_item_judged_and_every_veto_confirmed(system, ids, judged):
    walk(system, judged, S.DECISION)
    with pytest.raises(Complaint, match="会议纪要"):
        step(system, judged, S.PUBLICITY, document="")
    system.rollback()
    veto = m.Adjustment(
        round_id=judged.id, school_id=ids.b, kind=m.AdjustmentKind.VETO, matter="V5", effect=m.VetoEffect.NO_HONOUR, document="通报"
    )
    system.add(veto)
    system.commit()
    with pytest.raises(Complaint, match="没有经分管领导确认：青松小学"):
        step(system, judged, S.PUBLICITY)
    system.rollback()
    assert results.score(system, judged).by_school[ids.b].veto is None
    workflow.confirm_veto(system, veto, approved=True, words="", by="局长")
    sheet = system.get(m.Sheet, ids.sheet_a)
    workflow.judge(system, sheet, indicator(system, "A1.4"), None, "", "甲")
    system.commit()
    with pytest.raises(Complaint, match=r"有待评项，不能审定：晨光小学（1 项）"):
        step(system, judged, S.PUBLICITY)
    system.rollback()
    workflow.judge(system, sheet, indicator(system, "A1.4"), Decimal(3), "", "甲")
    system.commit()
    step(system, judged, S.PUBLICITY)
    assert (judged.shown_from, judged.shown_until) == (MONDAY, dt.date(2026, 9, 11))
    assert {c.school_id: c.veto for c in freezing.cards(system, judged, "decided")}[ids.b] == "no_honour"


@pytest.mark.parametrize(
    ("kind", "cause", "points", "effect", "words"),
    [
        ("bonus", "D1", 0, None, "属于扣分"),
        ("veto", None, 0, None, "须选否决后果"),
        ("bonus", None, 0, None, "请填分值"),
        ("bonus", None, -1, None, "填正数"),
        ("discipline", None, 1, "fail", "只有一票否决"),
    ],
)
def test_an_adjustment_whose_parts_do_not_go_together_is_refused(kind, cause, points, effect, words):
    row = m.Adjustment(
        kind=m.AdjustmentKind(kind), cause=m.Cause(cause) if cause else None, points=Decimal(points),
        effect=m.VetoEffect(effect) if effect else None,
    )  # fmt: skip
    with pytest.raises(Complaint, match=words):
        causes.fill_in(row)


def test_a_cause_is_worth_what_the_rubric_says_where_nothing_else_is_typed():
    rows = [m.Adjustment(kind=worth.kind, cause=cause, points=Decimal(0)) for cause, worth in causes.TARIFF.items()]
    for row in rows:
        causes.fill_in(row)
    assert [str(row.points) for row in rows] == ["3", "2", "1", "0.5", "1", "1", "5", "0.5", "3", "0", "0", "0", "0", "0"]
    assert [row.effect for row in rows[-5:]] == [m.VetoEffect.FAIL] * 4 + [m.VetoEffect.NO_HONOUR]
    assert set(causes.TARIFF) == set(m.Cause)


def test_a_school_that_cheats_twice_is_not_decided_on_without_a_veto(system, ids, judged):
    walk(system, judged, S.DECISION)
    where = {"round_id": judged.id, "school_id": ids.b, "document": "通报"}
    fraud = {"kind": m.AdjustmentKind.DISCIPLINE, "cause": m.Cause.FRAUD, "points": Decimal(5)}
    system.add_all([m.Adjustment(**where, **fraud, matter=matter) for matter in ("一", "二")])
    system.commit()
    with pytest.raises(Complaint, match="青松小学两次弄虚作假"):
        step(system, judged, S.PUBLICITY)
    system.rollback()
    veto = m.Adjustment(**where, kind=m.AdjustmentKind.VETO, cause=m.Cause.V4, effect=m.VetoEffect.FAIL, matter="造假")
    system.add(veto)
    system.commit()
    workflow.confirm_veto(system, veto, approved=True, words="", by="局长")
    system.commit()
    step(system, judged, S.PUBLICITY)
    assert next(c for c in freezing.cards(system, judged, "decided") if c.school_id == ids.b).grade == "不合格"


def test_a_result_is_not_circulated_before_its_days_are_over_nor_without_a_number(system, judged):
    walk(system, judged, S.PUBLICITY)
    with pytest.raises(Complaint, match="公示到 2026-09-11 为止"):
        step(system, judged, S.PUBLISHED, on=judged.shown_until)
    system.rollback()
    with pytest.raises(Complaint, match="文号"):
        step(system, judged, S.PUBLISHED, on=judged.shown_until + DAY, document="")
    system.rollback()
    with pytest.raises(Complaint, match="没有待答复的申诉"):
        step(system, judged, S.APPEAL, on=judged.shown_until + DAY)


def test_a_circulated_round_is_read_as_it_was_stored_and_takes_nothing_more(system, ids, judged):
    walk(system, judged, S.PUBLISHED)
    before = results.as_json(judged, results.score(system, judged).cards)
    make.talk(system, system.get(m.Child, ids.child_a), dt.date(2025, 10, 3))
    system.get(m.School, ids.a).name = "改了名的小学"
    system.commit()
    assert results.as_json(judged, results.score(system, judged).cards) == before
    sheet, item = system.get(m.Sheet, ids.sheet_a), indicator(system, "A1.4")
    where = {"sheet_id": sheet.id, "indicator_id": item.id, "school_id": ids.a}
    late = [
        lambda: m.OfficeScore(**where, stage=m.Stage.APPEAL, points=Decimal(3), by=""),
        lambda: m.SelfScore(**where, points=Decimal(3), by=""),
        lambda: m.Evidence(**where, title="补"),
        lambda: m.Appeal(**where, reason="补"),
        lambda: m.SheetStep(sheet_id=sheet.id, school_id=ids.a, move=m.SheetMove.SUBMITTED, by=""),
        lambda: m.Adjustment(
            round_id=judged.id, school_id=ids.a, kind=m.AdjustmentKind.BONUS, matter="补", points=1, document="补"
        ),
        lambda: m.Inspection(round_id=judged.id, school_id=ids.a, on=MONDAY),
        lambda: m.ItemScore(sheet_id=sheet.id, indicator_id=item.id, school_id=ids.a),
    ]
    for make_row in late:
        system.add(make_row())
        with pytest.raises(Complaint, match="现处“通报”"):
            system.flush()
        system.rollback()
    sheet = system.get(m.Sheet, ids.sheet_a)
    sheet.card = None
    with pytest.raises(Complaint, match="现处“通报”"):
        system.flush()


def test_two_who_move_a_round_at_once_do_it_once(app, ids, judged, system):
    from sqlalchemy.orm.exc import StaleDataError

    first, second = (session_with(SYSTEM, writes=False) for _ in range(2))
    with first as one, second as two:
        mine, theirs = one.get(m.Round, ids.round), two.get(m.Round, ids.round)
        assert mine.state is theirs.state is S.OPEN
        one.rollback()
        two.rollback()
        step(one, mine, S.CHECK)
        with pytest.raises((StaleDataError, Complaint)):
            step(two, theirs, S.CHECK)


# --- a school assesses itself


def test_a_school_gives_itself_points_only_where_a_person_judges(system, round_, judged_item):
    sheet, item = judged_item
    with pytest.raises(Complaint, match="由系统计算"):
        workflow.assess_self(system, sheet, indicator(system, "A2.2"), Decimal(5), "", "方老师")
    with pytest.raises(Complaint, match="请写自查问题"):
        workflow.assess_self(system, sheet, item, Decimal(2), "", "方老师")
    with pytest.raises(Complaint, match=r"还有 6 项没有自评：A1\.4"):
        workflow.submit(system, sheet, results.self_cards(system, round_)[sheet.school_id], "方老师")


def all_assessed(system, round_, sheet):
    for code in ("A1.4", "A4.2", "A6.4", "A7.3", "A7.4", "A8.1"):
        item = indicator(system, code)
        workflow.assess_self(system, sheet, item, results.rule_of(item).judged_points, "", "方老师")
    system.commit()


def test_a_self_assessment_is_handed_in_confirmed_and_kept_as_it_was(system, ids, round_, judged_item):
    sheet, item = judged_item
    all_assessed(system, round_, sheet)
    workflow.submit(system, sheet, results.self_cards(system, round_)[ids.a], "方老师")
    system.commit()
    with pytest.raises(Complaint, match="已经提交"):
        workflow.assess_self(system, sheet, item, Decimal(3), "", "方老师")
    with pytest.raises(Complaint, match="没有待确认"):
        workflow.confirm(system, system.get(m.Sheet, ids.sheet_b), "校长")
    workflow.confirm(system, sheet, "校长")
    make.talk(system, system.get(m.Child, ids.child_a), dt.date(2025, 10, 3))
    system.commit()
    kept = freezing.read_card(workflow.handed_in(system, sheet).card)
    assert next(i for i in kept.items if i.code == "A1.4").score == 3 and kept.waiting == 0
    assert workflow.unconfirmed(system, round_) == 1
    with pytest.raises(Complaint, match="写明"):
        workflow.send_back(system, sheet, "", "股员")
    workflow.send_back(system, sheet, "A1.4 缺值班制度", "股员")
    workflow.assess_self(system, sheet, item, Decimal("2.5"), "缺值班制度", "方老师")
    system.commit()
    assert results.self_judged(system, round_)[ids.a, "A1.4"].points == Decimal("2.5")
    assert item_of(system, round_, ids.a, "A1.4").score is None, "a school's own points are not its score"


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("secretary_a", {"self", "submitted", "evidence"}),
        ("principal_a", {"confirmed", "declined"}),
        ("office", {"returned", "mark"}),
        ("leader", set()),
        ("secretary_b", set()),
    ],
)
def test_each_role_writes_its_own_part_and_no_other(who, may, open_as, ids, round_):
    rows = {
        "self": lambda: m.SelfScore(sheet_id=ids.sheet_a, indicator_id=3, school_id=ids.a, points=Decimal(1), by=""),
        "evidence": lambda: m.Evidence(sheet_id=ids.sheet_a, indicator_id=3, school_id=ids.a, title="x"),
        "mark": lambda: m.OfficeScore(sheet_id=ids.sheet_a, indicator_id=3, school_id=ids.a, stage=m.Stage.CHECK, points=Decimal(1), by=""),
        **{
            move.value: lambda move=move: m.SheetStep(sheet_id=ids.sheet_a, school_id=ids.a, move=move, by="")
            for move in m.SheetMove
        },
    }  # fmt: skip
    done = set()
    for name, make_row in rows.items():
        with open_as(who) as session:
            session.add(make_row())
            try:
                session.flush()
                done.add(name)
            except Refused:
                pass
            session.rollback()
    assert done == may


# --- appeals


@pytest.fixture
def shown(system, ids, judged):
    walk(system, judged, S.PUBLICITY)
    return judged


def contest(system, ids, code, on=MONDAY, **more):
    row = m.Appeal(sheet=system.get(m.Sheet, ids.sheet_a), indicator=indicator(system, code), reason="漏计", **more)
    workflow.appeal(system, row, on)
    system.add(row)
    system.commit()
    return row


def test_an_appeal_won_changes_score_rank_and_grade_beside_the_old_ones(system, ids, shown):
    before = results.score(system, shown).by_school[ids.a]
    row = contest(system, ids, "A4.2", wanted=Decimal(3))
    assert row.due_on == dt.date(2026, 9, 14) and row.school_id == ids.a
    old = next(i for i in before.items if i.code == "A4.2").score
    with session_with(SYSTEM) as reading:
        answer = workflow.answer(system, reading, row, points=Decimal("2.9"), words="补核开放记录 36 周", by="股员")
        system.commit()
    assert (answer.was, answer.now, answer.changed) == (old, Decimal("2.9"), True)
    after = results.score(system, shown).by_school[ids.a]
    assert after.earned == before.earned - old + Decimal("2.90")
    assert system.get(m.Sheet, ids.sheet_a).decided["earned"] == str(before.earned)
    system.refresh(shown)
    walk(system, shown, S.PUBLISHED)
    final = results.score(system, shown).by_school[ids.a]
    assert final == after and system.get(m.Sheet, ids.sheet_a).decided["earned"] == str(before.earned)


def test_an_appeal_is_refused_after_its_days_twice_or_for_what_does_not_apply(system, ids, shown):
    contest(system, ids, "A1.4")
    for code, on, words in (
        ("A2.2", shown.shown_until + DAY, "申诉期到 2026-09-11 为止"),
        ("A1.4", MONDAY, "已有待答复的申诉"),
        ("A2.5", MONDAY, "适用的指标"),
    ):
        with pytest.raises(Complaint, match=words):
            contest(system, ids, code, on=on)
        system.rollback()
    with pytest.raises(Complaint, match="应在 0 至 5 之间"):
        contest(system, ids, "A2.2", wanted=Decimal(6))


def test_an_appeal_is_answered_once_with_words_and_a_score_that_can_be(system, ids, shown):
    row = contest(system, ids, "A1.4")
    same = item_of(system, shown, ids.a, "A1.4").score
    with session_with(SYSTEM) as reading:
        for points, words, why in ((None, "", "写明"), (Decimal(4), "x", "应在 0 至 3"), (same, "x", "与原得分相同")):
            with pytest.raises(Complaint, match=why):
                workflow.answer(system, reading, row, points=points, words=words, by="股员")
        workflow.answer(system, reading, row, points=None, words="材料仍缺", by="股员")
        system.commit()
        system.refresh(row)
        with pytest.raises(Complaint, match="已经答复"):
            workflow.answer(system, reading, row, points=None, words="再答", by="股员")
    assert item_of(system, shown, ids.a, "A1.4").score == same


def test_open_appeals_hold_the_circular_back(system, ids, shown):
    row = contest(system, ids, "A1.4")
    after = shown.shown_until + DAY
    with pytest.raises(Complaint, match="1 件申诉没有答复"):
        step(system, shown, S.PUBLISHED, on=after)
    system.rollback()
    step(system, shown, S.APPEAL, on=after)
    with pytest.raises(Complaint, match="只能在公示期内"):
        contest(system, ids, "A2.2", on=after)
    system.rollback()
    with session_with(SYSTEM) as reading:
        workflow.answer(system, reading, row, points=Decimal(3), words="补核", by="股员")
        system.commit()
    step(system, shown, S.PUBLISHED, on=after)
    assert results.score(system, shown).by_school[ids.a].total is not None
