"""A whole round in the browser with four people, from cloning the scheme to the circular, with one appeal won."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from tests.browser import Desk, follow, free_port, served, set_clock
from tests.databases import ON_POSTGRES

pytestmark = [pytest.mark.browser, pytest.mark.skipif(ON_POSTGRES, reason="serves a SQLite file of its own")]
JUDGED = {"A1.4": "3", "A4.2": "1.5", "A7.4": "1.5", "A8.1": "1"}
"""What a person judges at a day school, and the points of it (of A7.4 as this year's scheme has them)."""


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("round"), free_port()
    clock = folder / "clock"
    set_later = lambda day: set_clock(clock, day)  # noqa: E731
    with served(port, "tests.year_server", str(port), str(clock), "round") as address:
        yield address, set_later


@pytest.fixture
def desks(county, chromium):
    made = {name: Desk(chromium, county[0], name) for name in ("office", "leader", "secretary", "principal")}
    yield made, county[1]
    for desk in made.values():
        desk.context.close()
    assert [complaint for desk in made.values() for complaint in desk.complaints] == []


def test_a_round_from_the_scheme_to_the_circular(desks, tmp_path):
    people, today_is = desks
    office, leader, secretary, principal = (people[name] for name in ("office", "leader", "secretary", "principal"))
    today_is("2026-08-20")
    a_new_scheme(office, leader)
    opened(office)
    self_assessed(secretary, principal, office, tmp_path)
    today_is("2026-09-01")
    frozen_and_checked(office)
    on_the_spot(office)
    reviewed(office, leader)
    decided(office, leader)
    shown = result_of(secretary)
    contested(secretary, office, shown)
    today_is("2026-09-14")
    circulated(office, leader, secretary, shown)


def a_new_scheme(office, leader):
    """Last year's sheet cloned, two weights changed, approved and locked."""
    office.open("/scheme/")
    follow(office.page, "td a:has-text('方案')")
    office.page.click("summary:has-text('复制为新方案')")
    office.fill(code="2027", title="2027 年度考核方案", reason="调整两项分值")
    assert "已复制为草稿" in office.click("复制")[0]
    page = office.page
    for code, points in (("A7.4", "1.5"), ("A7.2", "2.5")):
        follow(page, "a:has-text('编辑指标')")
        follow(page, f"a:has-text('{code}')")
        page.fill("[name=points]", points)
        follow(page, "[data-key=save]")
        office.open("/scheme/?search=2027")
        follow(page, "td a:has-text('2027')")
    assert "已送审" in office.click("送领导审批")[0]
    home = leader.open("/").content()
    assert "考核方案待审批" in home
    leader.open("/scheme/")
    follow(leader.page, "td a:has-text('2027')")
    assert "已同意" in leader.click("同意")[0]
    office.page.reload()
    office.page.fill("#document", "新教发〔2026〕7号")
    assert "已锁定" in office.click("锁定")[0]
    follow(office.page, "a:has-text('对比')")
    assert "A7.2" in office.page.content() and "A7.3" not in office.page.locator("table").first.inner_text()


def opened(office):
    office.write("/assessment_round/new/", code="2026", title="2026 年度考核", scheme="2027 年度考核方案", start="2025-09-01",
                 last_day="2026-08-31", cut_off="2026-08-31", self_due="2026-08-28")  # fmt: skip
    office.open("/assessment/")
    assert "方案发布" in office.page.locator("#next h2").inner_text()
    assert "学校自评" in office.click("开始学校自评")[0]


def box(page, code):
    return page.locator(f"tr:has(a:text-matches('^{re.escape(code)} ')) input.score")


def why(page, code):
    return page.locator(f"tr:has(a:text-matches('^{re.escape(code)} ')) input[name^=reason-]")


def self_assessed(secretary, principal, office, tmp_path):
    """Filled in with evidence, handed in, confirmed; sent back once and handed in again."""
    page = secretary.open("/assessment/")
    assert "自评中" in page.content()
    assert "没有自评" in secretary.click("提交自评")[0]
    for code, points in JUDGED.items():
        box(page, code).fill(points)
    box(page, "A1.4").fill("2")
    assert "请写自查问题" in secretary.click("保存自评")[0]
    assert box(page, "A4.2").input_value() == "1.5", "what was typed comes back"
    why(page, "A1.4").fill("值班制度缺签字")
    assert "保存成功" in secretary.click("保存自评")[0]
    follow(page, "a:has-text('A1.4')")
    follow(page, "a:has-text('加材料')")
    secretary.fill(title="六项制度汇编", place="档案室 3 号柜")
    follow(page, "[data-key=save]")
    paper = tmp_path / "制度.png"
    Image.new("RGB", (60, 40), "white").save(paper)
    page.set_input_files("input[type=file]", str(paper))
    follow(page, "button:has-text('上传')")
    assert "已上传 1 份附件" in page.locator(".alert").first.inner_text() and "制度.png" in page.content()
    secretary.open("/assessment/")
    assert "请校长确认" in secretary.click("提交自评")[0]
    assert not page.locator("input.score").count()
    principal.open("/")
    assert "自评待校长确认" in principal.page.content()
    principal.open("/assessment/")
    assert "已确认" in principal.click("确认自评")[0]
    page = office.open("/assessment/")
    assert "1 / 3" in page.locator("#next").inner_text()
    follow(page, "a:has-text('晨光小学')")
    page.click("summary:has-text('退回学校修改自评')")
    page.fill("#words", "A7.4 按新方案满分 1.5")
    assert "已退回" in office.click("退回修改")[0]
    page = secretary.open("/assessment/")
    assert "A7.4 按新方案满分 1.5" in page.locator(".alert-warning").first.inner_text()
    box(page, "A7.4").fill("1")
    why(page, "A7.4").fill("留样登记缺两天")
    assert "请校长确认" in secretary.click("提交自评")[0]
    principal.open("/assessment/")
    assert "已确认" in principal.click("确认自评")[0]


def frozen_and_checked(office):
    page = office.open("/assessment/")
    assert "写明怎样处理" in office.click("截止自评并冻结")[0]
    page.fill("[name=words]", "青松、白鹭逾期未报，按系统分和核查分计")
    assert "初核" in office.click("截止自评并冻结")[0]
    follow(page, "a:has-text('晨光小学')")
    box(page, "A1.4").fill("0.5")
    assert "请写扣分原因" in office.click("保存评分")[0]
    why(page, "A1.4").fill("六项中五项没有执行记录")
    assert "保存成功" in office.click("保存评分")[0]
    page = office.open("/assessment/differences/")
    row = page.locator("tbody tr").first.inner_text()
    assert "A1.4" in row and "2.00" in row and "0.50" in row and "−1.50" in row


def on_the_spot(office):
    page = office.open("/assessment/")
    assert "实地核查" in office.click("转入实地核查")[0]
    office.write("/inspection/new/", round="2026", school="晨光小学", on="2026-09-01", lot="0901", inspectors="股员、督学")
    assert "已抽出 10 名儿童" in office.click("抽取")[0]
    drawn = page.locator("form table tbody tr td:first-child").all_inner_texts()
    follow(page, "a:has-text('打印核查表')")
    paper = page.locator("section.paper").inner_text()
    assert len(drawn) == 10 and all(name in paper for name in drawn)
    follow(page, "a:has-text('返回')")
    for n, row in enumerate(page.locator("form table tbody tr").all()):
        row.locator("[name^='wrong-']").first.fill("2" if n == 0 else "0")
        row.locator("select").select_option(label="满意" if n else "不满意")
    assert "写明是哪几栏" in office.click("保存结果")[0]
    page.locator("[name^='wrong-words-']").first.fill("父亲去向、班级")
    assert "保存成功" in office.click("保存结果")[0]
    office.open("/assessment/")
    follow(page, "a:has-text('晨光小学')")
    assert "148/150" in page.locator("tr:has-text('A10.1')").inner_text()
    box(page, "A1.4").fill("1")
    why(page, "A1.4").fill("到校见到两项记录")
    assert "保存成功" in office.click("保存评分")[0]


def reviewed(office, leader):
    office.open("/assessment/")
    assert "复核" in office.click("报分管领导复核")[0]
    leader.open("/")
    assert "核查结果待复核" in leader.page.content()
    page = leader.open("/assessment/")
    assert "写明" in leader.click("退回重新核查")[0]
    page.fill("#settle", "晨光小学 A1.4 请再核一次")
    assert "已退回" in leader.click("退回重新核查")[0]
    office.open("/assessment/")
    assert "实地核查" in office.click("退回重新核查")[0]
    assert "晨光小学 A1.4 请再核一次" in office.page.locator("#next").inner_text()
    assert "复核" in office.click("报分管领导复核")[0]
    leader.open("/assessment/")
    assert "已同意" in leader.click("同意核查结果")[0]
    office.open("/assessment/")
    assert "审定" in office.click("转入审定")[0]


def decided(office, leader):
    """Everything judged, a bonus, a veto that the leader confirms, the minutes."""
    page = office.page
    for _school in range(3):
        office.open("/assessment/")
        waiting = page.locator("tr:has-text('待评') a")
        if not waiting.count():
            break
        follow(page, waiting.first)
        for each in page.locator("input.score").all():
            if not each.input_value():
                each.fill("0.5")
                page.fill(f"[name=reason-{each.get_attribute('name').removeprefix('score-')}]", "材料不全")
        assert "保存成功" in office.click("保存评分")[0]
    office.write(
        "/adjustment/new/", round="2026", school="晨光小学", kind="加分", matter="市级先进", points="1", document="表彰决定"
    )
    office.write("/adjustment/new/", round="2026", school="青松小学", kind="一票否决", cause="V5", matter="辍学未采取措施", document="通报〔2026〕1号")  # fmt: skip
    page = office.open("/assessment/")
    page.fill("[name=document]", "领导小组会议纪要〔2026〕3号")
    assert "没有经分管领导确认：青松小学" in office.click("存定成绩并公示")[0]
    page = leader.open("/assessment/")
    assert "已确认否决" in leader.click("确认一票否决")[0]
    page = office.open("/assessment/")
    page.fill("[name=document]", "领导小组会议纪要〔2026〕3号")
    assert "公示" in office.click("存定成绩并公示")[0]
    assert "2026-09-01 — 2026-09-07" in page.locator("#next").inner_text()


def result_of(secretary):
    """The public page: three schools with their totals, and no child."""
    secretary.open("/")
    assert "考核结果公示" in secretary.page.content()
    page = secretary.open("/assessment/result/")
    text = page.locator("main").inner_text()
    assert all(name in text for name in ("晨光小学", "青松小学", "白鹭小学")) and "甲子" not in text
    return float(page.locator("tr:has-text('晨光小学') td").nth(2).inner_text())


def contested(secretary, office, shown):
    page = secretary.page
    follow(page, "a:has-text('提出申诉')")
    secretary.fill(indicator="A1.4", wanted="2", reason="另有两项制度的执行记录在村小，核查时没有看到")
    follow(page, "[data-key=save]")
    assert "待答复，还有" in page.content()
    page = office.open("/appeal/")
    follow(page, "td a:has-text('制度')")
    page.check("[name=changed][value='1']")
    page.fill("[name=points]", "4")
    page.fill("#words", "到村小补核，四项有记录")
    assert "应在 0 至 3 之间" in office.click("答复")[0]
    page.check("[name=changed][value='1']")
    page.fill("[name=points]", "2")
    assert "已答复" in office.click("答复")[0]
    page = secretary.open("/assessment/result/")
    row = page.locator("tr:has-text('晨光小学')").inner_text()
    assert f"公示时 {shown:.2f}" in row and float(page.locator("tr:has-text('晨光小学') td b").inner_text()) > shown
    secretary.open("/assessment/")
    assert "1.00 → 2" in page.locator("section:has(h2:text('申诉'))").inner_text()


def circulated(office, leader, secretary, shown):
    page = office.open("/assessment/")
    page.fill("[name=document]", "新教通〔2026〕40号")
    assert "通报" in office.click("发出通报")[0]
    page = secretary.open("/assessment/")
    final = float(page.locator(".kpi:has-text('总分') b").last.inner_text())
    assert final > shown and not page.locator("input.score").count() and not page.locator("a:has-text('提出申诉')").count()
    follow(page, "a:has-text('A1.4')")
    trail = page.locator("section:has(h2:text('谁评了多少'))").inner_text()
    for words in ("自评分", "初核分", "核查分", "复查分", "六项中五项没有执行记录", "到校见到两项记录", "补核，四项有记录"):
        assert words in trail
    page = leader.open("/assessment/")
    page.click("summary:has-text('导出')")
    with page.expect_download() as caught:
        page.click("a:has-text('导出汇总')")
    book = openpyxl.load_workbook(io.BytesIO(Path(caught.value.path()).read_bytes()), data_only=True)
    row = next(row for row in book["汇总"].iter_rows(values_only=True) if "晨光小学" in [str(cell) for cell in row])
    assert final in [round(float(cell), 2) for cell in row if isinstance(cell, int | float)]
