"""Fast entry: a talk for many children at once, a class confirmed with one click, a block pasted from a workbook."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import event, select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import db, session_with
from admin_app.records import pasting
from admin_app.rules import Complaint
from tests import factories as make
from tests.test_audit import entries

TODAY = dt.date.today()
TALKS, CONFIRM, PASTE = "/quick/talks/", "/quick/confirm/", "/quick/paste/"


@pytest.fixture
def at_work(app):
    """A system session apart from the browser's, that commits."""

    def run(work):
        with app.app_context(), session_with(SYSTEM, writes=True) as session:
            found = work(session)
            session.commit()
            return found

    return run


@pytest.fixture
def classmates(at_work, ids):
    """Two more children in 甲小雨's class and one of her name in another; by name, their stay and id."""

    def enter(session):
        a = session.get(m.School, ids.a)
        found = {}
        for name, more in (("周小月", {}), ("吴大江", {"start": dt.date(2026, 9, 1)}), ("甲小雨", {"class_name": "2班"})):
            child = make.left_behind(session, a, name, **more)
            found[name + more.get("class_name", "")] = (make.enrolment(session, child).id, child.id)
        return found

    return at_work(enter)


def rows(at_work, model, *conditions):
    """The live rows of a kind, as plain values by column."""

    def read(session):
        found = session.scalars(select(model).where(*conditions).order_by(model.id)).all()
        return [{c.key: getattr(r, c.key) for c in model.__mapper__.column_attrs} for r in found]

    return at_work(read)


def new_talks(at_work):
    return rows(at_work, m.CareRecord, m.CareRecord.on > dt.date(2025, 9, 30))


def form_of_talk(ids, children, **more):
    return {
        "school": ids.a, "class": "P3-1班", "kind": "talk", "on": "2026-11-20", "way": "face", "role": "class_teacher", "staff": ids.staff_a,
        "place": "操场", "content": "说想家", "measures": "", "child": children,
    } | more  # fmt: skip


def undo_at(page):
    return re.search(r"/batch/details/\?id=(\d+)", page).group(1)


# --- one talk, many children ---


def test_one_talk_is_written_for_the_ticked_children_only(person, ids, classmates, at_work):
    browser = person("secretary_a")
    stays = [classmates["吴大江"][0], classmates["周小月"][0]]
    answer = browser.post(TALKS, form_of_talk(ids, stays, **{f"effect-{stays[1]}": "better"}), follow_redirects=True)
    assert "已登记 2 人的谈心" in answer.text
    found = new_talks(at_work)
    assert {r["enrolment_id"]: r["effect"] for r in found} == {stays[0]: None, stays[1]: m.Effect.BETTER} and len(found) == 2
    assert {(r["on"], r["content"], r["place"], r["staff_id"], r["role"], r["created_by"]) for r in found} == {
        (dt.date(2026, 11, 20), "说想家", "操场", ids.staff_a, m.TalkerRole.CLASS_TEACHER, ids.user_secretary_a)
    }
    [batch] = rows(at_work, m.Batch, m.Batch.created_by.is_not(None))
    assert batch["count"] == 2 and str(batch["id"]) == undo_at(answer.text)


def test_the_talks_of_one_click_are_taken_back_with_one_click(person, ids, classmates, at_work):
    browser = person("secretary_a")
    answer = browser.post(TALKS, form_of_talk(ids, [classmates["吴大江"][0], classmates["周小月"][0]]), follow_redirects=True)
    assert "已撤销 2 条" in browser.post("/batch/undo/", {"id": undo_at(answer.text)}, follow_redirects=True).text
    assert new_talks(at_work) == []


def test_the_class_shows_who_is_missing_this_month_and_can_tick_only_those(person, ids, classmates, at_work):
    at_work(lambda s: make.talk(s, s.get(m.Child, ids.child_a), TODAY.replace(day=1)))
    page = person("secretary_a").get(f"{TALKS}?school={ids.a}&class=P3-1班&tick=missing").text
    boxes = dict(re.findall(r'name="child" value="(\d+)"[^>]*?( checked)?>', page))
    assert boxes == {str(ids.enrolment_a): "", **{str(classmates[n][0]): " checked" for n in ("周小月", "吴大江")}}
    assert "本月未谈 <b>2</b>" in page and TODAY.replace(day=1).isoformat() in page
    assert "checked" not in person("secretary_a").get(f"{TALKS}?school={ids.a}&class=P3-1班").text


def test_the_teacher_written_down_last_is_offered_first(person, ids, classmates, at_work):
    other = at_work(lambda s: make.staff(s, s.get(m.School, ids.a), "白老师").id)
    browser = person("secretary_a")
    browser.post(TALKS, form_of_talk(ids, [ids.enrolment_a], staff=other, role="other"))
    page = browser.get(f"{TALKS}?school={ids.a}&class=P3-1班").text
    assert f'<option value=""></option><option value="{other}" selected>' in page
    assert '<option value="other" selected>' in page


def test_a_date_before_a_child_came_names_the_child_and_keeps_what_was_typed(person, ids, classmates, at_work):
    stay = classmates["吴大江"][0]
    form = form_of_talk(ids, [ids.enrolment_a, stay], on="2026-03-05", content="开学第一课之后", **{f"effect-{stay}": "same"})
    answer = person("secretary_a").post(TALKS, form)
    assert answer.status_code == 200 and "吴大江：日期早于就读起始日 2026-09-01。" in answer.text
    assert "开学第一课之后" in answer.text and 'value="2026-03-05"' in answer.text
    assert f'value="{stay}" id="c{stay}" data-missing checked' in answer.text and '<option value="same" selected>' in answer.text
    assert new_talks(at_work) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"on": ""}, "此项必填"),
        ({"on": "2026-13-45"}, "日期应写作"),
        ({"on": "2126-01-01"}, "日期不能晚于今天"),
        ({"way": "fax"}, "不在可选范围内"),
        ({"role": ""}, "此项必填"),
        ({"staff": "foreign"}, "不是有效的选项"),
        ({"staff": "x"}, "不是有效的选项"),
        ({"kind": "visit"}, "类别不是有效的选项"),
        ({"content": "长" * 1001}, "最多 1000 个字"),
        ({"place": "远" * 61}, "最多 60 个字"),
        ({"child": []}, "请先勾选儿童"),
        ({"child": ["abc"]}, "名单中有不是有效的选项"),
        ({"effect": "wonderful"}, "效果不是有效的选项"),
        ({"school": "foreign"}, "学校不是有效的选项"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_a_wrong_field_brings_the_class_back_and_saves_nothing(change, sentence, person, ids, at_work):
    foreign = {"staff": ids.staff_b, "school": ids.b}
    change = {k: foreign[k] if v == "foreign" else v for k, v in change.items()}
    if "effect" in change:
        change = {f"effect-{ids.enrolment_a}": change["effect"]}
    answer = person("secretary_a").post(TALKS, form_of_talk(ids, [ids.enrolment_a], measures="多陪伴") | change)
    assert answer.status_code == 200 and sentence in answer.text and "多陪伴" in answer.text
    assert new_talks(at_work) == [] and rows(at_work, m.Batch, m.Batch.created_by.is_not(None)) == []


def test_a_child_of_another_school_cannot_be_ticked(person, ids, at_work):
    answer = person("secretary_a").post(TALKS, form_of_talk(ids, [ids.enrolment_a, ids.enrolment_b]))
    assert answer.status_code == 200 and "名单中有不是有效的选项" in answer.text and "丁不漏" not in answer.text
    assert new_talks(at_work) == []
    page = person("secretary_a").get(f"{TALKS}?school={ids.b}&class=P3-1班")
    assert page.status_code == 200 and "丁不漏" not in page.text


def test_the_same_talk_sent_twice_is_written_once(person, ids, at_work):
    browser = person("secretary_a")
    form = form_of_talk(ids, [ids.enrolment_a], content="第一行\r\n第二行")
    assert browser.post(TALKS, form).status_code == 302
    assert "已有内容相同的谈心" in browser.post(TALKS, form).text
    assert len(new_talks(at_work)) == 1


def test_a_talk_outside_every_term_is_saved_and_said(person, ids, at_work):
    answer = person("secretary_a").post(TALKS, form_of_talk(ids, [ids.enrolment_a], on="2026-08-05"), follow_redirects=True)
    assert "不在任何学期内" in answer.text and len(new_talks(at_work)) == 1


# --- a class confirmed ---


def test_a_class_is_confirmed_with_one_click_and_undone(person, ids, classmates, at_work):
    browser = person("secretary_a")
    page = browser.get(f"{CONFIRM}?school={ids.a}&class=P3-1班").text
    ticked = re.findall(r'name="child" value="(\d+)"[^>]* checked', page)
    assert len(ticked) == 3 and "甲奶奶" in page and "外出务工 广东东莞" in page and "晨师傅" in page
    answer = browser.post(CONFIRM, {"school": ids.a, "class": "P3-1班", "child": ticked}, follow_redirects=True)
    assert "已确认 3 人的信息无变化" in answer.text and not re.findall(r'name="child"[^>]* checked', answer.text)
    days = lambda: {r["name"]: r["facts_confirmed_at"] for r in rows(at_work, m.Child, m.Child.class_name == "1班")}  # noqa: E731
    assert [days()[n] for n in ("甲小雨", "周小月", "吴大江", "丁不漏")] == [TODAY, TODAY, TODAY, None]
    assert "已撤销 3 条" in browser.post("/batch/undo/", {"id": undo_at(answer.text)}, follow_redirects=True).text
    assert set(days().values()) == {None}


def test_phones_are_masked_and_an_incomplete_dossier_is_linked(person, ids, at_work):
    [carer] = rows(at_work, m.Carer, m.Carer.child_id == ids.child_a)
    page = person("secretary_a").get(f"{CONFIRM}?school={ids.a}&class=P3-1班").text
    assert carer["phone"] not in page and f"{carer['phone'][:3]}****{carer['phone'][-4:]}" in page
    assert f'<a class="n due" href="/child/details/?id={ids.child_a}">缺' in page


def test_a_child_of_another_school_cannot_be_confirmed(person, ids, at_work):
    answer = person("secretary_a").post(CONFIRM, {"school": ids.a, "class": "P3-1班", "child": [ids.child_a, ids.child_b]})
    assert answer.status_code == 200 and "名单中有不是有效的选项" in answer.text
    assert {r["facts_confirmed_at"] for r in rows(at_work, m.Child)} == {None}


# --- a block pasted ---


def cells(page):
    """The grid as it came back, to be corrected and sent again."""
    form = dict(re.findall(r'<input type="hidden" name="(what|kind|school|activity|training|rows)" value="([^"]*)"', page))
    form |= dict(re.findall(r'name="((?:name|class_name|on|way|staff|effect|carer|how)-\d+)" value="([^"]*)"', page))
    return form | dict(re.findall(r'<textarea[^>]* name="(content-\d+)"[^>]*>\n(.*?)</textarea>', page, re.S))


def wrong_cells(page):
    return set(re.findall(r'class="wrong" id="w-([a-z_]+-\d+)"', page))


def test_a_pasted_block_says_which_cell_is_wrong_and_keeps_the_rest(person, ids, classmates, at_work):
    browser = person("secretary_a")
    block = (
        "序号\t姓名\t班级\t日期\t方式\t教师\t内容\t效果\r\n"
        '1\t周小月\t三（1）班\t2026年11月5日\t面谈\t晨师傅\t"第一行说想家，\n第二行说""很想"""\t好转\r\n'
        "2\t周小目\t三年级1班\t2026/11/5\t微信\t李四\t在校情况\t\r\n"
        "3\t甲小雨\t\t2026-11-31\t电话\t晨师傅\t\t很好\r\n"
        "4\t吴大江\t3.1班\t2026-3-5\t\t晨师傅老师\t\t\r\n\r\n\t\t\r\n"
    )
    page = browser.post(PASTE, {"what": "talks", "school": ids.a, "kind": "talk", "block": block}).text
    assert wrong_cells(page) == {"name-1", "way-1", "staff-1", "on-2", "class_name-2", "effect-2", "on-3"}
    for sentence in ("是否为周小月（三年级1班）", "没有“2026-11-31”这一天", "有 2 名“甲小雨”，请写明班级：三年级1班、三年级2班",
                     "“微信”不在可选范围内", "名册中没有“李四”", "日期早于就读起始日 2026-09-01", "没有读入的列：序号"):  # fmt: skip
        assert sentence in page, sentence
    read = at_work(lambda session: [what for _entry, what in entries(session, "open", "quick")])
    assert read == [{"人数": [None, 4]}], "who may be meant is shown: that leaves who asked"
    form = cells(page)
    assert (
        form["content-0"] == "第一行说想家，\n第二行说&#34;很想&#34;"
        and form["way-3"] == "面谈"
        and form["content-1"] == "在校情况"
    )
    form["content-0"] = '第一行说想家，\r\n第二行说"很想"'
    half = form | {"name-1": "周小月", "way-1": "电话", "staff-1": ""}
    page = browser.post(PASTE, half).text
    assert "未保存，有 5 格要改" in page and "请写教师姓名，或在上面选一位" in page and new_talks(at_work) == []
    whole = half | {"staff": ids.staff_a, "on-2": "2026.11.23", "class_name-2": "3(2)班", "effect-2": "", "on-3": "46336"}
    answer = browser.post(PASTE, whole, follow_redirects=True)
    assert "已保存 4 行" in answer.text, wrong_cells(answer.text)
    found = [(r["child_id"], r["on"], r["way"].value, r["content"], r["role"].value, r["staff_id"]) for r in new_talks(at_work)]
    moon, river, other = (classmates[n][1] for n in ("周小月", "吴大江", "甲小雨2班"))
    assert found == [
        (moon, dt.date(2026, 11, 5), "face", '第一行说想家，\n第二行说"很想"', "other", ids.staff_a),
        (moon, dt.date(2026, 11, 5), "phone", "在校情况", "other", ids.staff_a),
        (other, dt.date(2026, 11, 23), "phone", None, "other", ids.staff_a),
        (river, dt.date(2026, 11, 10), "face", None, "other", ids.staff_a),
    ]
    assert "已撤销 4 条" in browser.post("/batch/undo/", {"id": undo_at(answer.text)}, follow_redirects=True).text


def test_a_row_that_is_there_already_is_marked_and_left_out(person, ids, at_work):
    browser = person("secretary_a")
    block = "甲小雨\t\t2026-11-05\t面谈\t晨师傅\t想家\n甲小雨\t\t2026/11/5\t面谈\t晨师傅\t想 家\n甲小雨\t\t2026-11-06\t面谈\t晨师傅\t想家"
    form = {"what": "talks", "school": ids.a, "block": block}
    assert "与第 1 行相同" in (page := browser.post(PASTE, form).text) and not wrong_cells(page)
    assert "已保存 2 行。已有的 1 行没有重复登记" in browser.post(PASTE, cells(page), follow_redirects=True).text
    page = browser.post(PASTE, form).text
    assert page.count(">已有</span>") == 3 and "可保存 0 行" in page
    assert "都已登记过" in browser.post(PASTE, cells(page)).text
    assert [r["role"] for r in new_talks(at_work)] == [m.TalkerRole.RESPONSIBLE] * 2


def test_a_row_ticked_away_is_not_saved(person, ids, classmates, at_work):
    browser = person("secretary_a")
    block = "无此人\t\t2026-11-05\t\t晨师傅\n周小月\t\t2026-11-05\t\t晨师傅"
    page = browser.post(PASTE, {"what": "talks", "block": block}).text
    assert "已保存 1 行" in browser.post(PASTE, cells(page) | {"drop-0": "1"}, follow_redirects=True).text
    assert [r["child_id"] for r in new_talks(at_work)] == [classmates["周小月"][1]]


def test_names_are_pasted_into_the_list_of_an_activity(person, ids, classmates, at_work):
    browser = person("secretary_a")
    at_work(lambda s: setattr(s.get(m.Activity, ids.activity_a), "on", dt.date(2026, 11, 10)))
    address = f"{PASTE}?what=participants&activity={ids.activity_a}"
    assert "晨光小学演练" in browser.get(f"{PASTE}?what=participants").text and browser.get(address).status_code == 200
    page = browser.post(address, {"block": "姓名；班级\n周小月；\n吴大江\u3000三1班\n甲小雨；三年级2班\n丁不漏；"}).text
    assert wrong_cells(page) == {"name-3"} and "青松" not in page
    form = cells(page) | {"name-3": "甲小雨", "class_name-3": "1班"}
    assert "已保存 4 行" in browser.post(PASTE, form, follow_redirects=True).text
    listed = {r["enrolment_id"] for r in rows(at_work, m.Participation)}
    assert listed == {ids.enrolment_a, *(stay for stay, _child in classmates.values())}
    assert browser.post(address, {"block": "周小月\n乙大山"}).text.count(">已有</span>") == 1


def test_a_sign_in_list_is_pasted_for_a_training(person, ids, classmates, at_work):
    def more(session):
        session.get(m.TrainingSession, ids.training_session_a).on = dt.date(2026, 11, 12)
        make.carer(session, session.get(m.Child, classmates["周小月"][1]), "周爷爷")

    at_work(more)
    browser, address = person("secretary_a"), f"{PASTE}?what=attendance&training={ids.training_session_a}"
    block = "监护人姓名\t学生姓名\t班级\t签到\n甲奶奶\t甲小雨\t1班\t√\n周奶奶\t周小月\t\t代签\n周爷爷\t周小月\t\t来了\n吴爷爷\t吴大江\t\t缺席"
    page = browser.post(address, {"block": block}).text
    assert wrong_cells(page) == {"carer-1", "how-2", "carer-3"}
    assert "登记的照护人是周爷爷" in page and "没有登记照护人" in page and "可填：到会签到" in page
    form = cells(page) | {"how-2": "送教上门", "drop-1": "1", "drop-3": "1"}
    assert "已保存 2 行" in browser.post(PASTE, form, follow_redirects=True).text
    signed = [(r["carer_name"], r["child_name"], r["how"]) for r in rows(at_work, m.Attendance)]
    assert signed == [("甲奶奶", "甲小雨", m.SignedHow.PRESENT), ("周爷爷", "周小月", m.SignedHow.AT_HOME)]
    assert "已有（送教上门）" in browser.post(address, {"block": "周爷爷\t周小月"}).text


def test_too_many_rows_or_none_bring_the_block_back(person, ids):
    browser = person("secretary_a")
    long = "\n".join(f"甲小雨\t\t2026-11-05\t\t\t第{n}次" for n in range(201))
    page = browser.post(PASTE, {"what": "talks", "block": long})
    assert page.status_code == 200 and "一次最多 200 行，现有 201 行" in page.text and "第200次" in page.text
    assert "请先粘贴内容" in browser.post(PASTE, {"what": "talks", "block": " \t\n"}).text


@pytest.mark.parametrize("change", [{"school": "foreign"}, {"staff": "foreign"}, {"kind": "visit"}], ids=str)
def test_what_is_not_on_offer_brings_the_grid_back(change, person, ids, at_work):
    foreign = {"school": ids.b, "staff": ids.staff_b}
    grid = {"what": "talks", "school": ids.a, "kind": "talk", "rows": "1", "name-0": "甲小雨", "class_name-0": "", "on-0": "2026-11-05",
            "way-0": "", "staff-0": "晨师傅", "content-0": "别丢了我", "effect-0": ""}  # fmt: skip
    answer = person("secretary_a").post(PASTE, grid | {k: foreign.get(k, v) for k, v in change.items()})
    assert answer.status_code == 200 and "不是有效的选项" in answer.text and "别丢了我" in answer.text
    assert new_talks(at_work) == []


def test_a_foreign_activity_or_training_is_not_there(person, ids):
    for path in (f"what=participants&activity={ids.activity_b}", f"what=attendance&training={ids.training_session_b}",
                 "what=participants&activity=x", "what=nothing"):  # fmt: skip
        assert person("secretary_a").get(f"{PASTE}?{path}").status_code == 404, path


# --- who may ---


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        #           admin office leader sec_a sec_b principal counsellor
        ("/quick/", (403, 302, 403, 302, 302, 403, 302)),
        (TALKS, (403, 200, 403, 200, 200, 403, 200)),
        (CONFIRM, (403, 200, 403, 200, 200, 403, 403)),
        (PASTE, (403, 200, 403, 200, 200, 403, 200)),
        (PASTE + "?what=participants&activity={activity_a}", (403, 200, 403, 200, 404, 403, 403)),
        (PASTE + "?what=attendance&training={training_session_a}", (403, 200, 403, 200, 404, 403, 403)),
    ],
)
def test_only_who_writes_care_records_enters_them_fast(path, wanted, person, ids):
    people = ("admin", "office", "leader", "secretary_a", "secretary_b", "principal_a", "counsellor_a")
    assert tuple(person(who).get(path.format(**vars(ids))).status_code for who in people) == wanted


@pytest.mark.parametrize(
    ("who", "talks", "confirm", "paste"),
    [
        ("admin", 403, 403, 403),
        ("office", 302, 302, 302),
        ("leader", 403, 403, 403),
        ("principal_a", 403, 403, 403),
        ("counsellor_a", 302, 403, 302),
        ("secretary_a", 302, 302, 302),
        ("secretary_b", 200, 200, 200),
    ],
)
def test_what_is_posted_is_saved_for_who_may_write_it(who, talks, confirm, paste, person, ids, at_work):
    browser = person(who)
    line = {"what": "talks", "school": ids.a, "kind": "talk", "rows": "1", "name-0": "甲小雨", "class_name-0": "", "on-0": "2026-11-05",
            "way-0": "", "staff-0": "晨师傅", "content-0": "", "effect-0": ""}  # fmt: skip
    assert browser.post(TALKS, form_of_talk(ids, [ids.enrolment_a])).status_code == talks
    assert browser.post(CONFIRM, {"school": ids.a, "class": "P3-1班", "child": ids.child_a}).status_code == confirm
    assert browser.post(PASTE, line).status_code == paste
    assert len(new_talks(at_work)) == [talks, paste].count(302)
    assert len(rows(at_work, m.Batch, m.Batch.created_by.is_not(None))) == (
        0 if who == "counsellor_a" else [talks, confirm, paste].count(302)
    )


def test_a_secretary_of_a_centre_enters_the_children_of_its_sites(person, ids, at_work):
    browser = person("secretary_a")
    stay = at_work(lambda s: make.enrolment(s, s.get(m.Child, ids.child_site)).id)
    form = form_of_talk(ids, [stay], school=ids.a_site)
    assert browser.post(TALKS, form).status_code == 302
    page = browser.post(PASTE, {"what": "talks", "school": ids.a, "block": "乙大山\t\t2026-11-05\t\t晨师傅"}).text
    assert not wrong_cells(page)
    assert "已保存 1 行" in browser.post(PASTE, cells(page), follow_redirects=True).text
    assert {r["school_id"] for r in new_talks(at_work)} == {ids.a_site}


# --- how much it takes ---


@pytest.fixture
def counted(app):
    """How many questions a request asks the database. Each record is written by a statement of its own all the same: a
    versioned row is updated alone, and SQLite hands back the numbers of new rows one at a time."""

    def statements(ask):
        seen = []

        def listen(_connection, _cursor, statement, *_rest):
            if statement.startswith("SELECT") and "audit_" not in statement:
                seen.append(statement)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", listen)
        try:
            answer = ask()
        finally:
            event.remove(engine, "before_cursor_execute", listen)
        return answer, len(seen)

    return statements


@pytest.mark.matrix
def test_a_class_of_sixty_asks_no_more_of_the_database_than_one_of_six(person, ids, at_work, counted):
    signs = [a + b for a in "甲乙丙丁戊己庚辛" for b in "一二三四五六七八"]

    def fill(count, name):
        def enter(session):
            school = session.get(m.School, ids.a)
            children = [make.left_behind(session, school, f"钱{sign}", class_name=name) for sign in signs[:count]]
            return [(make.enrolment(session, child).id, child.id) for child in children]

        return at_work(enter)

    browser, taken = person("secretary_a"), {}
    for name, count in (("6班", 6), ("7班", 60)):
        known = fill(count, name)
        at = {"school": ids.a, "class": f"P3-{name}"}
        block = "\n".join(f"钱{sign}\t{name}\t2026-11-05\t\t晨师傅\t想家" for sign in signs[:count])
        page = browser.post(PASTE, {"what": "talks", "block": block}).text
        asked = [
            lambda at=at: browser.get(TALKS, query_string=at),
            lambda at=at: browser.get(CONFIRM, query_string=at),
            lambda at=at, known=known: browser.post(TALKS, form_of_talk(ids, [stay for stay, _child in known], **at)),
            lambda at=at, known=known: browser.post(CONFIRM, {"child": [child for _stay, child in known], **at}),
            lambda block=block: browser.post(PASTE, {"what": "talks", "block": block}),
            lambda page=page: browser.post(PASTE, cells(page)),
        ]
        answers = [counted(ask) for ask in asked]
        assert [answer.status_code for answer, _n in answers] == [200, 200, 302, 302, 200, 302]
        taken[count] = [n for _answer, n in answers]
    assert taken[60] == taken[6] and max(taken[60]) <= 30, taken


# --- any text at all ---


TYPED = st.text(max_size=40) | st.sampled_from(
    ["甲小雨", "三(1)班", "2026-11-05", "3月5日", "2月30日", "46000", "面谈", "晨师傅", '"', "姓名", "签到", "；", "日期"]
)


@pytest.mark.matrix
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=st.lists(st.lists(TYPED, max_size=9).map("\t".join), max_size=6).map("\n".join) | st.text(max_size=200))
def test_any_pasted_text_gives_a_page(block, person, ids):
    browser = person("secretary_a")
    for more in (
        {"what": "talks"},
        {"what": "participants", "activity": ids.activity_a},
        {"what": "attendance", "training": ids.training_session_a},
    ):
        answer = browser.post(PASTE, more | {"block": block})
        assert answer.status_code == 200
        if 'name="rows"' in answer.text:
            grid = more | {
                "rows": "2",
                "name-0": block,
                "class_name-0": block,
                "on-1": block,
                "staff-0": block,
                "how-0": block,
                "carer-1": block,
            }
            assert browser.post(PASTE, grid).status_code == 200


@given(st.text())
def test_any_text_is_a_day_or_a_complaint(text):
    try:
        assert isinstance(pasting.day_of(text, dt.date(2025, 9, 1)), dt.date)
    except Complaint as e:
        assert e.text.endswith("。")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-3-5", "2026-03-05"),
        ("2026/3/5", "2026-03-05"),
        ("2026年3月5日", "2026-03-05"),
        ("２０２６．3.5", "2026-03-05"),
        ("20260305", "2026-03-05"),
        ("2026-03-05 00:00:00", "2026-03-05"),
        ("46086", "2026-03-05"),
        ("3月5日", "2026-03-05"),
        ("9月5日", "2025-09-05"),
        ("10-8", "2025-10-08"),
    ],
)
def test_a_day_is_read_however_it_is_written(text, day):
    assert pasting.day_of(text, dt.date(2025, 9, 1)) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(
    "text", ["三（1）班", "三(1)班", "三年级1班", "三年级（一）班", "3.1", "3年级1班", "小学三年级1班", "1班", "三年级", " 三 1 班"]
)
def test_a_class_is_known_however_it_is_written(text):
    for class_name in ("1班", "三(1)班"):
        child = m.Child(grade=m.Grade.P3, class_name=class_name)
        if not (text == "1班" and class_name == "三(1)班"):
            assert pasting.class_key(text) in pasting._class_keys(child)
    assert pasting.class_key(text) not in pasting._class_keys(m.Child(grade=m.Grade.P4, class_name="2班"))


def test_twelve_classes_are_told_apart():
    assert pasting.class_key("六（十二）班") == pasting.class_key("六年级12班") == "612"
    assert pasting.class_key("六年级二十一班") == "621" and pasting.class_key("六年级十班") == "610"


@pytest.mark.parametrize(
    ("other", "near"),
    [("周小目", True), ("周月", True), ("周小月月", True), ("周小月", False), ("小周月", False), ("周目目", False)],
)
def test_a_slip_of_one_character_is_near(other, near):
    assert pasting.is_near("周小月", other) is near
