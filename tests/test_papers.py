"""What a school prints and signs: what stands on each paper, who may see it, and that nothing of it is cut on A4."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.audit import AuditEntry, AuditValue
from admin_app.db import session_with
from admin_app.records import handovers
from admin_app.views import children
from tests import factories as make
from tests.browser import Desk, free_port, served, set_clock
from tests.databases import ON_POSTGRES
from tests.year_server import LONG


def paper(page):
    """The sheets of a page, without what the screen shows around them."""
    return "".join(re.findall(r'<(?:section|div) class="paper.*?</(?:section|main)>', page, re.S))


def logged(app, action, table):
    with app.app_context(), session_with(SYSTEM) as session:
        found = select(AuditEntry, AuditValue).outerjoin(AuditValue, AuditValue.entry_id == AuditEntry.id)
        found = found.where(AuditEntry.action == action, AuditEntry.table_name == table).order_by(AuditEntry.id)
        return [(entry.row_id, value.changes if value else {}) for entry, value in session.execute(found)]


def phone_of(app, model, pk):
    with app.app_context(), session_with(SYSTEM) as session:
        return session.get(model, pk).phone


# --- the dossier ---


def test_a_dossier_is_printed_whole_with_masked_numbers_and_logged(app, ids, person):
    answer = person("secretary_a").get(f"/child/paper/?id={ids.child_a}")
    words = paper(answer.text)
    for said in ("甲小雨", "甲奶奶", "外出务工 广东东莞", "师傅", "委托照护协议", "2025年9月15日", "甲小雨想妈妈",
                 "谈心", "还缺", "班主任（签名）", "学校负责人（签名、盖章）", "2016年5月6日"):  # fmt: skip
        assert said in words
    assert phone_of(app, m.Parent, ids.parent_a) not in words and "199****" in words and "5399****" in words
    assert re.search(r"\d{4}-\d\d-\d\d", words) is None
    assert logged(app, "print", "child") == [(str(ids.child_a), {})]


def test_full_numbers_are_printed_for_a_reason_by_who_may_reveal(app, ids, person):
    page, phone = f"/child/paper/?id={ids.child_a}", phone_of(app, m.Parent, ids.parent_a)
    secretary = person("secretary_a")
    assert phone not in secretary.post(page, {"reason": " "}).text
    assert phone in paper(secretary.post(page, {"reason": "归档"}).text)
    assert [what["用途"][1] for _row, what in logged(app, "reveal", "child")] == ["归档"]
    assert [person(who).post(page, {"reason": "归档"}).status_code for who in ("leader", "principal_a", "secretary_b")] == [
        403,
        403,
        404,
    ]


def test_what_a_reader_may_not_see_is_not_printed_either(ids, person):
    assert "甲小雨想妈妈" not in person("leader").get(f"/child/paper/?id={ids.child_a}").text
    counsellor = paper(person("counsellor_a").get(f"/child/paper/?id={ids.child_a}").text)
    assert "甲小雨想妈妈" in counsellor and "广东东莞" not in counsellor and "199****" not in counsellor


def test_the_dossiers_of_a_list_are_its_children_and_no_more_than_is_said(app, ids, person, monkeypatch):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for n in range(3):
            make.child(session, session.get(m.School, ids.a), f"全班{'一二三'[n]}", class_name="9班")
        session.commit()
    secretary = person("secretary_a")
    page = secretary.get("/child/papers/?class_name=9%E7%8F%AD").text
    assert page.count('<section class="paper"') == 3 and "丁不漏" not in page and "分批打印" not in page
    monkeypatch.setattr(children, "DOSSIERS_AT_ONCE", 2)
    page = secretary.get("/child/papers/?class_name=9%E7%8F%AD").text
    assert page.count('<section class="paper"') == 2 and "共 3 人，一次最多印 2 人" in page
    assert "没有符合条件的儿童" in secretary.get("/child/papers/?class_name=0").text


# --- the agreement ---


def test_an_agreement_is_filled_in_from_the_register(app, ids, person):
    words = paper(person("secretary_a").get(f"/agreement/paper/?id={ids.agreement_a}").text)
    for said in ("委托照护协议", "甲小雨", "甲奶奶", "祖母", "2025年10月9日", "甲方（委托人）", "乙方（受委托人）", "每周至少与儿童",
                 "民委员会（盖章）", "学校（盖章、留存）", "199****"):  # fmt: skip
        assert said in words
    assert "留守" not in words
    assert logged(app, "print", "agreement")[0][0] == str(ids.agreement_a)


def test_an_agreement_shows_full_phones_only_for_a_posted_reason(app, ids, person):
    page, phone = f"/agreement/paper/?id={ids.agreement_a}", phone_of(app, m.Carer, ids.carer_a)
    secretary = person("secretary_a")
    assert phone not in secretary.get(page).text and phone not in secretary.post(page, {"reason": " "}).text
    assert phone in paper(secretary.post(page, {"reason": "双方核对"}).text)
    assert [what["用途"][1] for _row, what in logged(app, "reveal", "agreement")] == ["双方核对"]
    assert [person(who).post(page, {"reason": "看"}).status_code for who in ("leader", "principal_a", "secretary_b")] == [
        403,
        403,
        404,
    ]


def test_an_agreement_is_printed_before_it_is_registered(ids, person):
    secretary = person("secretary_a")
    page = secretary.get(f"/agreement/paper/?child={ids.child_a}&kind=duty").text
    words = paper(page)
    assert "委托监护责任确认书" in words and "甲奶奶" in words and "甲大某" in words and "留守" not in words
    assert "2025年10月9日" not in words and "年　　月　　日 起" in words
    assert f"carer={ids.carer_a}" in page  # signed, it is registered from here
    assert [secretary.get(f"/agreement/paper/?child={pk}").status_code for pk in (ids.child_b, "", "x")] == [404] * 3
    assert secretary.get("/agreement/paper/").status_code == 404


@pytest.mark.parametrize(
    ("address", "committee"),
    [
        ("和平村3组", "和平村民委员会"),
        ("漠沙镇曼线村委会上寨", "漠沙镇曼线村民委员会"),
        ("戛洒镇新街社区", "戛洒镇新街社区居民委员会"),
        (None, "村（居）民委员会"),
    ],
)
def test_the_seal_of_a_village_has_its_own_words(address, committee):
    assert handovers.committee_of(address) == committee


# --- sign-in sheets ---


def test_a_training_is_signed_in_by_each_carer_once(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        twin = make.child(session, session.get(m.School, ids.a), "甲小雪")
        number = make.id_number(dt.date(1960, 3, 1))
        session.get(m.Carer, ids.carer_a).id_number = number
        make.carer(session, twin, "甲奶奶", id_number=number)
        session.get(m.TrainingSession, ids.training_session_a).title = "农村留守儿童监护人讲座"
        session.commit()
    words = paper(person("secretary_a").get(f"/training_session/sheet/?id={ids.training_session_a}").text)
    assert words.count("甲奶奶") == 1 and "甲小雪（三年级1班）、甲小雨（三年级1班）" in words  # xuě before yǔ
    assert "199****" in words and phone_of(app, m.Carer, ids.carer_a) not in words
    assert "儿童监护人讲座" in words and "留守" not in words and "2025年9月25日" in words
    assert logged(app, "print", "training_session")[0][0] == str(ids.training_session_a)


@pytest.mark.parametrize("screen", ["training_session", "activity"])
def test_a_sheet_is_printed_before_there_is_a_record(screen, ids, person):
    secretary = person("secretary_a")
    mine = paper(secretary.get(f"/{screen}/sheet/").text)
    assert "甲小雨" in mine and "丁不漏" not in mine and "　　　　年　　月　　日" in mine
    assert "请先在列表中按学校筛选" in person("office").get(f"/{screen}/sheet/").text
    assert "甲小雨" in person("office").get(f"/{screen}/sheet/?school={ids.a}").text
    assert "丁不漏" not in secretary.get(f"/{screen}/sheet/?school={ids.b}").text


def test_an_activity_is_signed_by_who_is_on_its_record_else_by_everybody(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        make.child(session, session.get(m.School, ids.a), "甲小雪")
        session.get(m.Activity, ids.activity_a).title = "留守儿童之家开放"
        session.commit()
    secretary, sheet = person("secretary_a"), f"/activity/sheet/?id={ids.activity_a}"
    words = paper(secretary.get(sheet).text)
    assert "甲小雪" in words and "儿童之家开放" in words and "留守" not in words
    secretary.post(f"/activity/roster/?id={ids.activity_a}", {"child": f"{ids.enrolment_a}"})
    words = paper(secretary.get(sheet).text)
    assert "甲小雨" in words and "甲小雪" not in words


# --- cards ---


def test_a_lost_card_is_printed_again_with_the_next_number_and_both_dates(ids, person):
    secretary = person("secretary_a")
    assert "补打联系卡" in secretary.get(f"/contact_card/details/?id={ids.contact_card_a}").text
    assert "补打联系卡" not in person("principal_a").get(f"/contact_card/details/?id={ids.contact_card_a}").text
    card = paper(secretary.get(f"/cards/?child={ids.child_a}").text)
    assert "第 2 张" in card and "发卡 2025年9月20日" in card and "更新 " in card and "广东东莞" in card and "留守" not in card


# --- A4, in Chromium ---


@pytest.fixture(scope="module")
def full_class(tmp_path_factory):
    """A school with a class of sixty pupils of long names, in January; served."""
    folder, port = tmp_path_factory.mktemp("paper"), free_port()
    with served(port, "tests.year_server", str(port), str(folder / "clock"), "class") as address:
        set_clock(folder / "clock", "2026-01-10")
        yield address


@pytest.mark.browser
@pytest.mark.skipif(ON_POSTGRES, reason="serves a SQLite file of its own")
@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext (poppler-utils) is not installed")
def test_every_paper_fits_a4(full_class, chromium, tmp_path):
    """Each paper: how many pages there may be, what stands at the head of every page of it, what may not be missing."""
    a_class = "grade=P6&class_name=9%E7%8F%AD"
    papers = {  # address: (fewest and most pages, on every page, somewhere)
        "/child/paper/?id=1": ((2, 4), ["档案表", LONG[0][:8]], ["学校负责人（签名、盖章）"]),
        f"/child/papers/?{a_class}": ((100, 200), ["档案表"], [LONG[3]]),
        "/agreement/paper/?child=1": ((1, 1), ["委托照护协议"], ["学校（盖章、留存）", "曼线村民委员会"]),
        "/cards/": ((15, 15), ["家校联系卡"], ["沿此线对折"]),
        "/training_session/sheet/?id=1": ((2, 6), ["序号", "监护人姓名", "签名"], ["学校（盖章）"]),
        "/activity/sheet/": ((2, 6), ["序号", "班级", "签名"], ["登记人（签名）"]),
        "/staff_handover/paper/?staff=2&on=2026-01-09": ((2, 3), ["序号", "档案盒号"], ["监交人（签名）"]),
        "/handover/villages/": ((2, 6), ["家校村交接名单", "序号", "假期照护人"], ["村组接收人"]),
        "/post/duties/": ((2, 3), ["岗位", "行政职务"], ["单位负责人（签名）"]),
        "/assessment/": ((2, 3), ["指标", "评分标准"], ["领导小组审定"]),
        "/transfer/paper/?id=1": ((1, 1), ["学生档案移交单"], ["接收学校（盖章）"]),
    }  # fmt: skip
    desk = Desk(chromium, full_class, "secretary")
    for path, ((fewest, most), heads, once) in papers.items():
        page = desk.open(path)
        page.emulate_media(media="print")
        cut = page.eval_on_selector_all(
            ".paper, .paper td, .paper th, .ccard", "all => all.filter(e => e.scrollWidth > e.clientWidth + 2 || e.matches('.ccard') &&"
            " e.scrollHeight > e.clientHeight + 1).map(e => e.className + ' ' + e.innerText.slice(0, 40))",
        )  # fmt: skip
        assert cut == [], path
        pdf = tmp_path / "paper.pdf"
        page.pdf(path=str(pdf), prefer_css_page_size=True)
        text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
        pages = [re.sub(r"\s", "", each) for each in text.rstrip("\f\n").split("\f")]
        assert fewest <= len(pages) <= most, (path, len(pages))
        for number, each in enumerate(pages, 1):
            assert [word for word in heads if word not in each] == [], (path, number)
            assert not any(word in each for word in ("菜单", "首页", "退出登录")), (path, number)
        assert [word for word in once if word not in "".join(pages)] == [], path
        size = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, text=True, check=True).stdout
        assert re.search(r"Page size: +(59[45][.\d]* x 84[12]|84[12][.\d]* x 59[45])", size), path
    desk.context.close()
    assert desk.complaints == []
