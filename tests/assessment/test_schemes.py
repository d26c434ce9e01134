"""考核方案 made on screens: every rule of the rubric reads back as it was typed, and what cannot be scored is refused in words."""

from __future__ import annotations

import tomllib
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import example, given, strategies as st
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.assessment import schemes, scoring
from admin_app.assessment.scoring import Rule
from admin_app.db import session_with
from admin_app.rules import Complaint

RUBRIC = tomllib.loads((Path(__file__).parents[2] / "seed/reference/rubric.toml").read_text(encoding="utf-8"))
ITEMS = [item for head in RUBRIC["level1"] for item in head["item"]]
RULES = [Rule(i["code"], D(i["points"]), i["pattern"], i.get("params", {})) for i in ITEMS]


def same(params):
    """Parameters without the order of steps, which the engine sorts itself."""
    return {
        k: sorted(v) if k == "steps" else [same(part) for part in v] if isinstance(v, list) and v and isinstance(v[0], dict) else v
        for k, v in params.items()
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_of_the_rubric_reads_back_as_it_was_typed(rule):
    params, problems = schemes.parsed(rule.pattern, schemes.typed_of(rule.pattern, rule.params))
    assert (same(params), problems, schemes.problems_of(rule)) == (same(rule.params), [], [])
    assert "？" not in schemes.in_words(rule)


@pytest.mark.parametrize(
    ("pattern", "points", "typed", "sentence"),
    [
        ("RATE", "5", {}, "请选取数"),
        ("RATE", "5", {"0-metric": "F99"}, "没有“F99”这项取数"),
        ("RATE", "5", {"0-metric": "publicity"}, "是次数，不能按率得分"),
        ("COUNT", "5", {"0-metric": "F1", "0-per": "1"}, "是比率，不能按次计"),
        ("RATE", "5", {"0-metric": "F1", "0-floor": "90%", "0-ceiling": "80%"}, "起分率应低于满分率"),
        ("RATE", "5", {"0-metric": "F1", "0-ceiling": "0"}, "满分率应大于 0"),
        ("RATE", "5", {"0-metric": "F1", "0-ceiling": "全部"}, "应填数字"),
        ("RATE", "0.005", {"0-metric": "F1"}, "最多两位小数"),
        ("STEP", "5", {"0-metric": "F1"}, "请填分段"),
        ("STEP", "5", {"0-metric": "F1", "0-steps": "95%-100%=5；80%-90%=4"}, "分段有空档"),
        ("STEP", "5", {"0-metric": "F1", "0-steps": "90%-100%=5；80%-95%=4"}, "分段重叠"),
        ("STEP", "5", {"0-metric": "F1", "0-steps": "90%=5；90%=4"}, "写了两次"),
        ("STEP", "5", {"0-metric": "F1", "0-steps": "90%=4；80%=3"}, "最高一段得 4 分"),
        ("STEP", "5", {"0-metric": "F1", "0-steps": "很高=5"}, "应写作"),
        ("COUNT", "5", {"0-metric": "publicity", "0-per": "0"}, "应大于 0"),
        ("RANK", "8", {"0-metric": "F1", "0-by_place": "8 4 6"}, "依次不增"),
        ("CHECK", "2", {"0-metric": "groups_exist", "0-points": "1"}, "合计 1 分，与分值 2 分不符"),
        ("WEIGHTED", "3", {"0-pattern": "MANUAL", "0-points": "1", "1-pattern": "RATE", "1-points": "1", "1-metric": "F1"}, "合计 2 分"),
        ("WEIGHTED", "3", {"0-metric": "F1", "0-points": "3"}, "请选计分方式"),
        ("EVENT", "3", {"0-metric": "opinion_failures", "0-per": "0"}, "每次扣分应大于 0"),
        ("EVENT", "3", {}, "至少填一部分"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_scored_is_refused_in_words(pattern, points, typed, sentence):
    params, problems = schemes.parsed(pattern, typed)
    problems += schemes.problems_of(Rule("X", D(points), pattern, params))
    assert any(sentence in p.text for p in problems), problems


def test_steps_may_be_typed_as_ranges_or_as_thresholds():
    for typed in ("95%-100%=5；90%-95%=4；0-90%=1", "95%=5 90%=4 0=1", "0.9=4，0.95=5，0=1"):
        params, problems = schemes.parsed("STEP", {"0-metric": "F1", "0-steps": typed})
        assert problems == [] and params["steps"] == [["0.95", "5"], ["0.9", "4"], ["0", "1"]]


@pytest.mark.parametrize(
    ("of", "way", "target", "code", "words"),
    [
        ("activity:A25", "events", "4", "count:activity:A25:events:4", "活动“A25”次数"),
        ("care_record:visit", "share", "", "count:care_record:visit:share", "谈心家访联系“家访”覆盖率"),
        ("letter:*", "children", "", "count:letter:*:children", "书信覆盖的儿童数"),
        ("training:T2", "months", "3", "count:training:T2:months:3", "培训“T2”有记录的月份数"),
    ],
)
def test_a_metric_of_the_offices_own_is_put_together_from_a_record_and_a_way(of, way, target, code, words):
    typed = {"0-metric": schemes.BY_RECORDS, "0-of": of, "0-way": way, "0-target": target, "0-per": "0.5"}
    pattern = "RATE" if way == "share" else "COUNT"
    params, problems = schemes.parsed(pattern, typed)
    assert (params["metric"], problems, schemes.problems_of(Rule("X", D(2), pattern, params))) == (code, [], [])
    assert words in schemes.in_words(Rule("X", D(2), pattern, params))
    assert schemes.parsed(pattern, schemes.typed_of(pattern, params)) == (params, [])


@pytest.mark.parametrize(
    ("of", "way", "target"),
    [("", "events", ""), ("activity:A25", "", ""), ("paper:plan", "share", ""), ("activity:A25", "events", "很多"), ("paper:nonsense", "events", ""),
     ("user_account:*", "events", ""), ("activity:A25", "events", "0"), ("activity:A25:x", "events", "")],
)  # fmt: skip
def test_a_metric_that_cannot_be_counted_is_refused(of, way, target):
    typed = {"0-metric": schemes.BY_RECORDS, "0-of": of, "0-way": way, "0-target": target}
    assert "请选哪种记录" in schemes.parsed("COUNT", typed)[1][0].text


WORDS = st.text(st.sampled_from("0123456789.%％-=；; F一eE+"), max_size=12)


@given(
    pattern=st.sampled_from(schemes.OFFERED),
    typed=st.dictionaries(
        st.builds(
            "{}-{}".format,
            st.integers(0, 3),
            st.sampled_from(["metric", "per", "steps", "floor", "ceiling", "points", "pattern", "at_least", "by_place", "when"]),
        ),
        st.one_of(WORDS, st.sampled_from(["F1", "F9", "publicity", "RATE", "COUNT", "MANUAL", "STEP", "1", "2"])),
    ),
    points=st.decimals(0, 20, places=2),
)
@example(pattern="EVENT", typed={"0-metric": "publicity"}, points=D(2))
def test_whatever_is_typed_is_read_or_refused_and_what_is_accepted_can_be_scored(pattern, typed, points):
    params, problems = schemes.parsed(pattern, typed)
    rule = Rule("X", points, pattern, params)
    if problems or schemes.problems_of(rule):
        return
    facts = {code: scoring.Fact(D("0.5"), D(1), D(2)) for code in rule.metrics}
    facts |= {scoring.place_of(code): scoring.Fact(D(2)) for code in rule.metrics}
    part = rule.judged_at(facts)
    item = scoring.score_item(rule, facts, scoring.Judgement(part) if part else None)
    assert item.score is None or 0 <= item.score <= points
    assert schemes.in_words(rule)


# --- versions: the office writes, the leader approves, what is locked never changes


@pytest.fixture
def draft(app, person):
    """A copy of the rubric, as the office makes it."""
    answer = person("office").post("/scheme/clone/", {"id": "1", "code": "2027", "title": "2027 年度方案", "reason": "新年度"})
    return int(answer.location.rpartition("=")[2])


def found(app, model, *conditions):
    with app.app_context(), session_with(SYSTEM) as session:
        return list(session.scalars(select(model).where(*conditions).order_by(model.id)))


def item(app, scheme, code):
    return found(app, m.Indicator, m.Indicator.scheme_id == scheme, m.Indicator.code == code)[0]


def form_of(app, scheme, code, **changed):
    row = item(app, scheme, code)
    typed = schemes.typed_of(row.pattern.value, row.params)
    own = {
        "code": row.code,
        "title": row.title,
        "points": str(row.points),
        "position": str(row.position),
        "pattern": row.pattern.value,
    }
    return {"id": str(scheme), "indicator": str(row.id)} | own | typed | changed


def test_a_copy_holds_every_indicator_and_differs_in_nothing(app, draft):
    with app.app_context(), session_with(SYSTEM) as session:
        old, new = session.get_one(m.Scheme, 1), session.get_one(m.Scheme, draft)
        assert schemes.differences(session, old, new) == [] and schemes.check(session, new) == []
        heads, items = schemes.indicators(session, new)
        assert (len(heads), len(items), new.state, new.based_on_id) == (10, 35, m.SchemeState.DRAFT, 1)


def test_a_scheme_goes_from_the_office_by_the_leader_to_the_lock(app, person, draft):
    office, leader, page = person("office"), person("leader"), f"/scheme/details/?id={draft}"
    assert office.post("/scheme/editor/", form_of(app, draft, "A2.4", points="2.5")).status_code == 302
    assert "A2 下属合计 17.5 分，与一级 18 分差 0.5" in office.get(f"/scheme/editor/?id={draft}").text
    assert "不能送审" in office.post("/scheme/submit/", {"id": str(draft)}, follow_redirects=True).text
    office.post("/scheme/editor/", form_of(app, draft, "A2.5", points="3.5"))
    assert "已送审" in office.post("/scheme/submit/", {"id": str(draft)}, follow_redirects=True).text
    refused = office.post("/scheme/lock/", {"id": str(draft), "document": "新教发〔2027〕1号"}, follow_redirects=True)
    assert "分管领导还没有同意" in refused.text
    assert "退回须写明" in leader.post("/scheme/decide/", {"id": str(draft), "approved": "0"}, follow_redirects=True).text
    leader.post("/scheme/decide/", {"id": str(draft), "approved": "0", "words": "A2.5 再议"})
    assert "还没有同意" in office.post("/scheme/lock/", {"id": str(draft), "document": "x"}, follow_redirects=True).text
    office.post("/scheme/take-back/", {"id": str(draft)})
    office.post("/scheme/submit/", {"id": str(draft)})
    assert "退回" in office.get(page).text and "A2.5 再议" in office.get(page).text
    leader.post("/scheme/decide/", {"id": str(draft), "approved": "1"})
    assert "请填印发的文号" in office.post("/scheme/lock/", {"id": str(draft)}, follow_redirects=True).text
    office.post("/scheme/lock/", {"id": str(draft), "document": "新教发〔2027〕1号"})
    (scheme,) = found(app, m.Scheme, m.Scheme.id == draft)
    assert (scheme.state, scheme.document) == (m.SchemeState.LOCKED, "新教发〔2027〕1号")
    compared = office.get(f"/scheme/compare/?id={draft}&old=1").text
    assert "2.5" in compared and "A2.4" in compared and "A2.2" not in compared


def test_an_approval_of_an_earlier_text_does_not_lock_a_later_one(app, person, draft):
    office, leader = person("office"), person("leader")
    office.post("/scheme/submit/", {"id": str(draft)})
    leader.post("/scheme/decide/", {"id": str(draft), "approved": "1"})
    office.post("/scheme/take-back/", {"id": str(draft)})
    office.post("/scheme/editor/", form_of(app, draft, "A2.4", title="改过的指标"))
    office.post("/scheme/submit/", {"id": str(draft)})
    assert "还没有同意" in office.post("/scheme/lock/", {"id": str(draft), "document": "x"}, follow_redirects=True).text


def test_a_locked_scheme_never_changes_by_whatever_way(app, person):
    row = item(app, 1, "A2.4")
    assert person("office").post("/scheme/editor/", form_of(app, 1, "A2.4", points="1")).status_code == 403
    assert person("office").post("/scheme/remove/", {"id": "1", "indicator": str(row.id)}).status_code == 403
    assert person("office").post("/scheme/edit/?id=1", {"title": "别的"}).status_code == 403
    for change in (
        lambda s: setattr(s.get_one(m.Indicator, row.id), "points", D(1)),
        lambda s: setattr(s.get_one(m.Scheme, 1), "weight", D(9)),
        lambda s: setattr(s.get_one(m.Scheme, 1), "state", m.SchemeState.DRAFT),
        lambda s: s.delete(s.get_one(m.Indicator, row.id)),
        lambda s: s.add(m.Indicator(scheme_id=1, code="A9.9", title="多一项", position=99, points=D(1), params={})),
    ):
        with app.app_context(), session_with(SYSTEM, writes=True) as session:
            change(session)
            with pytest.raises(Complaint, match="已锁定"):
                session.flush()


def test_a_round_runs_only_by_a_locked_scheme(app, person, draft):
    form = {"code": "2027", "title": "2027 年度考核", "scheme": str(draft), "start": "2026-09-01", "last_day": "2027-08-31",
            "cut_off": "2027-08-31"}  # fmt: skip
    page = person("office").post("/assessment_round/new/", form)
    assert "考核方案还没有锁定" in page.text and found(app, m.Round, m.Round.code == "2027") == []


def test_only_the_leader_approves_and_only_the_office_writes(person, draft):
    for who in ("secretary_a", "principal_a", "office"):
        assert person(who).post("/scheme/decide/", {"id": str(draft), "approved": "1"}).status_code == 403
    for path in ("submit", "take-back", "lock", "remove", "clone"):
        for who in ("leader", "secretary_a", "principal_a"):
            assert person(who).post(f"/scheme/{path}/", {"id": str(draft)}).status_code == 403
    assert person("leader").post("/scheme/editor/", {"id": str(draft)}).status_code == 403


def test_an_indicator_is_tried_on_a_round_and_nothing_is_saved(app, ids, person, draft):
    typed = form_of(app, draft, "A2.4", points="2") | {"_try": "1", "round": str(ids.round)}
    page = person("office").post("/scheme/editor/", typed).text
    assert "试算，不保存" in page and "2026 年度考核" in page
    assert item(app, draft, "A2.4").points == 3
    wrong = person("office").post("/scheme/editor/", typed | {"0-metric": "publicity"}).text
    assert "是次数，不能按率得分" in wrong and "试算，不保存" not in wrong


def test_what_was_typed_comes_back_with_the_complaint(app, person, draft):
    typed = form_of(app, draft, "A2.4", points="很多", title="新名称")
    page = person("office").post("/scheme/editor/", typed).text
    assert "分值应为 0 至 100 之间的数" in page and 'value="很多"' in page and 'value="新名称"' in page
    assert item(app, draft, "A2.4").title != "新名称"


def test_indicators_are_added_and_removed_in_a_draft(app, person, draft):
    office = person("office")
    head = item(app, draft, "A10")
    new = {"id": str(draft), "of": str(head.id), "code": "A10.3", "title": "防溺水", "points": "2", "pattern": "COUNT", "0-metric": "publicity",
           "0-per": "0.5"}  # fmt: skip
    assert office.post("/scheme/editor/", new).status_code == 302
    added = item(app, draft, "A10.3")
    assert (added.parent_id, added.params) == (head.id, {"metric": "publicity", "per": "0.5"})
    assert "请先移走" in office.post("/scheme/remove/", {"id": str(draft), "indicator": str(head.id)}, follow_redirects=True).text
    office.post("/scheme/remove/", {"id": str(draft), "indicator": str(added.id)})
    assert found(app, m.Indicator, m.Indicator.scheme_id == draft, m.Indicator.code == "A10.3") == []
    other = item(app, 1, "A2.4")
    assert office.post("/scheme/editor/", new | {"indicator": str(other.id)}).status_code == 404


def test_a_used_version_or_no_reason_is_refused(app, person):
    for form, sentence in (
        ({"code": "2026", "title": "t", "reason": "r"}, "已有"),
        ({"code": "2030", "title": "t"}, "修订原因"),
        ({}, "版本"),
    ):
        assert sentence in person("office").post("/scheme/clone/", {"id": "1"} | form, follow_redirects=True).text
    assert [scheme.code for scheme in found(app, m.Scheme)] == ["2026", "2099"]
