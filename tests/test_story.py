"""The main job in a real browser: a secretary, the office and the leader on the demo county."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import openpyxl
import pytest

from tests.browser import PASSWORD, Desk, follow, free_port, served
from tests.databases import ON_POSTGRES

pytestmark = [pytest.mark.browser, pytest.mark.skipif(ON_POSTGRES, reason="serves a SQLite file of its own")]
LEDGER = Path(__file__).parent / "ledgers" / "台账-整洁.xlsx"
SHOTS = os.environ.get("SHOTS")
"""A folder for the screenshots of the README: SHOTS=docs/screens python3 manage.py test tests/test_story.py"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The demo county, served as README's first command does."""
    port = free_port()
    with served(
        port, "admin_app", "demo", DATA_DIR=str(tmp_path_factory.mktemp("demo")), PORT=str(port), DEMO_PASSWORD=PASSWORD
    ) as at:
        yield at


@pytest.fixture
def sit_down(server, chromium):
    """Log in as somebody; every complaint of the browser is a failure."""
    desks = []

    def log_in(name, width=1366, height=768):
        desks.append(Desk(chromium, server, name, width, height))
        return desks[-1].open("/")

    yield log_in
    for desk in desks:
        desk.context.close()
    assert [complaint for desk in desks for complaint in desk.complaints] == []


def shot(page, name, full=False):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=full)


def alert(page):
    return page.locator(".alert").first.inner_text()


def test_1_the_secretary_brings_her_ledger_in_and_keeps_records(sit_down):
    page = sit_down("secretary")
    shot(page, "home-secretary")
    page.goto("/imports/")
    page.select_option("#school", index=0)
    page.set_input_files("#file", str(LEDGER))
    follow(page, "button:has-text('上传并核对')")
    assert page.locator(".tabs-n a").nth(1).inner_text().split() == ["60", "新增"]
    shot(page, "import-preview")
    page.check("input[name=consent][value=given]")  # whether the guardians were told must be said
    page.fill("#informed_on", "2026-09-01")
    follow(page, "button:has-text('全部写入')")
    assert "60" in alert(page)
    page.goto("/imports/")
    page.set_input_files("#file", str(LEDGER))
    follow(page, "button:has-text('上传并核对')")
    assert "没有要写入的内容" in page.locator(".actbar").inner_text()

    page.goto("/child/?search=施雨然")
    shot(page, "list")
    follow(page, "a.nm")
    assert "单亲外出" in page.locator(".person").inner_text() and "还缺" in page.locator(".person").inner_text()
    shot(page, "dossier")

    follow(page, page.locator("section:has(h2:text('父母')) a:text-is('改')").first)
    assert page.input_value("#phone") == "139****8343"
    page.fill("#phone", "19955556666")
    follow(page, "button:has-text('保存')")
    assert "199****6666" in page.content()

    follow(page, "a:has-text('记谈心')")
    page.fill("#content", "聊了周末和妈妈视频的事")
    follow(page, "button.btn-primary:has-text('保存')")
    assert "谈心" in page.locator(".line").inner_text()


def test_2_an_activity_with_its_children_and_a_training_with_its_sign_in_list(sit_down):
    page = sit_down("secretary")
    page.goto("/activity/new/")
    page.select_option("#school", index=1)
    page.fill("#title", "秋季消防疏散演练")
    page.select_option("#kind", label="防火演练")
    follow(page, "button.btn-primary:has-text('保存')")
    page.locator("input[name=child]").nth(0).check()
    page.locator("input[name=child]").nth(3).check()
    shot(page, "roster")
    follow(page, "button:has-text('保存名单')")
    assert "2 人" in alert(page)

    page.goto("/training_session/new/")
    page.select_option("#school", index=1)
    page.fill("#title", "隔代教育讲座")
    page.select_option("#kind", label="监护人家庭教育讲座")
    follow(page, "button.btn-primary:has-text('保存')")
    page.locator("select[name^=carer-]").nth(0).select_option("present")
    page.locator("select[name^=carer-]").nth(1).select_option("at_home")
    page.locator("select[name^=carer-]").nth(2).select_option("absent")
    follow(page, "button:has-text('保存签到')")
    assert "实到 2 人" in alert(page)


def test_3_the_office_opens_the_children_behind_a_number_judges_and_freezes(sit_down):
    page = sit_down("office")
    shot(page, "home-office")
    page.goto("/assessment/")
    for _school in range(8):
        waiting = page.locator("tr:has-text('待评') a")
        if not waiting.count():
            break
        follow(page, waiting.first)
        for box in page.locator("input[name^=score-]").all():
            if not box.input_value():
                box.fill("0.5")
                indicator = box.get_attribute("name").removeprefix("score-")
                page.fill(f"input[name=reason-{indicator}]", "抽查材料不全")
        shot(page, "sheet")
        follow(page, "button:has-text('保存评分')")
        assert "保存成功" in alert(page)
        page.goto("/assessment/")
    follow(page, page.locator("a:has-text('晨光小学')").first)
    follow(page, page.locator("tr:has-text('A4.1') a.n").first)
    assert re.search(r"已谈人月\s*\d+\s*÷", page.locator(".formula").first.inner_text())
    shot(page, "explain")
    follow(page, page.locator("td a[href*='/child/details/']").first)
    assert page.locator(".person h1").inner_text()
    page.goto("/assessment/")
    follow(page, "button:has-text('冻结')")
    assert "写明怎样处理" in alert(page)
    page.fill("#words-check", "逾期未报的按系统分和核查分计")
    follow(page, "button:has-text('冻结')")
    assert "初核" in alert(page)


def test_4_the_office_counts_a_report_opens_its_names_keeps_it_and_hands_it_in(sit_down):
    page = sit_down("office")
    page.goto("/report/show/?kind=civil_affairs")
    shot(page, "report")
    if page.locator("text=条不平").count():  # the ledger of the first story says nothing of how the children are cared for
        assert page.locator("td:has-text('监护情况 未填')").count()
    page.goto("/report/show/?kind=overview")
    number = page.locator("table.stat a.n").first
    wanted = number.inner_text()
    follow(page, number)
    assert f"{wanted.replace(',', '')} 人" in page.locator("h1").inner_text() and page.locator("tbody a").count()
    page.go_back()
    follow(page, "button:has-text('保存这份报表')")
    assert "已保存" in alert(page)
    page.on("dialog", lambda dialog: dialog.accept())
    follow(page, "button:text-is('上报')")
    assert "已标为上报" in alert(page) and page.locator("text=已上报").count()
    page.click("summary:has-text('导出 Excel')")
    page.fill("input[name=purpose]", "报县民政局")
    with page.expect_download() as caught:
        page.click("button:text-is('导出')")
    book = openpyxl.load_workbook(io.BytesIO(Path(caught.value.path()).read_bytes()))
    assert book.sheetnames[:2] == ["报表", "勾稽关系"] and "报县民政局" in str([c.value for c in book["导出凭据"]["B"]])


def test_5_the_leader_reads_the_ranking_and_takes_both_workbooks(sit_down):
    page = sit_down("leader")
    shot(page, "home-leader")
    page.goto("/assessment/")
    shot(page, "ranking")
    assert not page.locator("button:has-text('冻结')").count() and page.locator("tbody tr").count() == 90
    with page.expect_download() as caught:
        page.click("summary:has-text('导出')")
        page.click("a:has-text('导出汇总')")
    assert caught.value.suggested_filename == "2026年度考核汇总.xlsx"
    assert openpyxl.load_workbook(io.BytesIO(Path(caught.value.path()).read_bytes())).sheetnames[0] == "汇总"
    follow(page, page.locator("tbody a").first)
    with page.expect_download() as caught:
        page.click("a:has-text('下载评分表')")
    assert "评分表" in openpyxl.load_workbook(io.BytesIO(Path(caught.value.path()).read_bytes())).sheetnames
    page.goto("/child/")
    assert not page.locator("a:has-text('新建')").count()


def test_6_another_schools_secretary_gets_nowhere_by_address(sit_down):
    page = sit_down("secretary2")
    for path in ("/child/details/?id=1", "/child/edit/?id=1", "/assessment/sheet/?sheet=1", "/assessment/export-sheet/?sheet=1"):
        answer = page.request.get(path)
        assert answer.status == 404 and "晨光" not in answer.text()
    page.goto("/child/?search=施雨然")
    assert "没有符合条件的记录" in page.content()


def test_6_on_a_phone_no_page_scrolls_sideways(sit_down):
    page = sit_down("secretary", 360, 740)
    for path in ("/", "/child/", "/child/details/?id=3", "/care_record/new/?kind=talk", "/imports/"):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is {wide}px too wide"
        if path == "/child/details/?id=3":
            shot(page, "phone-dossier")
