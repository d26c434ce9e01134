"""A school's year in the browser, from the census in September to the roll-over, and a gap list that is empty at the end.

The server runs on a clock that the test sets, so that everything is entered on its own day.
"""

from __future__ import annotations

import datetime as dt
import re

import pytest

from tests.browser import Desk, follow, free_port, served, set_clock
from tests.databases import ON_POSTGRES

pytestmark = [pytest.mark.browser, pytest.mark.skipif(ON_POSTGRES, reason="serves a SQLite file of its own")]
AUTUMN = ["2025-09-15", "2025-10-15", "2025-11-14", "2025-12-15", "2026-01-15"]
WITHOUT_EVENINGS = ("A6.4 体育艺术、社会实践、班队、晚间安排 责任落实", "3", "2.50")
"""Full too: a day school has no evenings, and half a point leaves the item's maximum."""
SPRING = ["2026-03-16", "2026-04-15", "2026-05-15", "2026-06-15", "2026-07-03"]


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """The served county: its address, and how to set its clock."""
    folder, port = tmp_path_factory.mktemp("year"), free_port()
    clock = folder / "clock"
    with served(port, "tests.year_server", str(port), str(clock), "year") as address:
        yield address, lambda day: set_clock(clock, day)


@pytest.fixture
def desks(county, chromium):
    address, today_is = county
    made = {name: Desk(chromium, address, name) for name in ("secretary", "sender", "junior", "office")}
    yield made, today_is
    for desk in made.values():
        desk.context.close()


def child_id(page):
    return re.search(r"id=(\d+)", page.url).group(1)


def test_a_schools_year_ends_with_an_empty_list_of_gaps(desks):
    people, today_is = desks
    we, office = people["secretary"], people["office"]
    today_is("2025-09-03")
    first = census(we)
    organisation(we, office)
    today_is("2025-09-05")
    second = a_transfer(people["sender"], we)
    papers(we, first, second, today_is)
    for day in AUTUMN:
        a_month(we, today_is, day)
    a_term(we, "第一学期", "2026-01-10", today_is, (first, second))
    handed_over(we, "2026年寒假", "2026-01-20", today_is, back="2026-03-02")
    spring_confirmed(we, office, today_is)
    for day in SPRING:
        a_month(we, today_is, day)
    a_term(we, "第二学期", "2026-07-01", today_is, (first, second), states=True)
    handed_over(we, "2026年暑假", "2026-07-09", today_is)
    rooms_open(we, today_is)
    the_office_looks(office, today_is)
    rolled_over(we, people["junior"], today_is)
    today_is("2026-08-31")
    page = we.open("/gaps/")
    assert "没有缺项" in page.content(), (
        page.locator(".gaplist summary").all_inner_texts() + page.locator(".gaplist td").all_inner_texts()
    )
    office.open("/assessment/")
    follow(office.page, "a:has-text('晨光小学')")
    rows = [row.inner_text().split("\t") for row in office.page.locator("table.scores tbody tr:not(.sum)").all()]
    computed = [(row[0], row[1], row[4]) for row in rows if re.fullmatch(r"[\d.]+", row[4])]
    assert len(computed) >= 25 and [row for row in computed if float(row[1]) != float(row[2])] == [WITHOUT_EVENINGS]


def census(we):
    """September: a child with its whole dossier, the responsible person, the card."""
    page = we.write("/child/new/", name="甲毕业", sex="男", birth_date="2014-03-05", ethnic="彝族", id_kind="其他", grade="六年级",
                    class_name="六(1)班", home_address="和平村3组", special_requests="无", enrolled_on="2025-09-01")  # fmt: skip
    pk = child_id(page)
    for side, name in (("父亲", "甲大"), ("母亲", "甲妈")):
        we.write(f"/parent/new/?child={pk}", side=side, bond="亲生", name=name, phone="19900000001")
    parents = {"甲大", "甲妈"}
    for name in parents:
        we.write(f"/parent_status/new/?child={pk}", parent=name, state="外出务工", place="广东东莞", start="2024-02-01")
    we.write(f"/carer/new/?child={pk}", name="甲奶奶", relation="祖母", age="60", occupation="务农", phone="19900000002",
             address="和平村3组", start="2024-02-01")  # fmt: skip
    we.write(f"/responsibility/new/?child={pk}", staff="杨师傅", start="2025-09-03")
    we.open(f"/cards/?child={pk}")
    assert "已登记发卡 1 张" in we.click("登记发卡")[0]
    we.open("/census/")
    assert "已上报" in we.click("上报")[0]
    return pk


def organisation(we, office):
    for body in ("领导小组", "工作小组"):
        we.write("/post/new/", body=body, rank="组长", name="校长甲", start="2025-09-01")
    for kind, name in (("心理咨询室", "心语屋"), ("留守儿童之家", "阳光之家")):
        we.write("/facility/new/", kind=kind, name=name, since="2025-09-01")
    for kind, title, term in (("年度实施方案", "实施方案", ""), ("学期工作计划", "秋季计划", "2025—2026学年 第一学期")):
        filed(we, office, kind, title, term)


def filed(we, office, kind, title, term):
    page = we.write("/paper/new/", kind=kind, title=title, **({"term": term} if term else {}))
    assert "已提交" in we.click("提交备案")[0]
    office.open(f"/paper/details/?id={child_id(page)}")
    assert "已备案" in office.click("备案")[0]


def a_transfer(sender, we):
    """乙转来 moves from 青松小学 to us within two days."""
    sender.write("/transfer/new/", child="乙转来", to_school="晨光小学", proposed_on="2025-09-05")
    page = we.open("/transfer/?side=in")
    follow(page, "a:has-text('乙转来')")
    page.select_option("#staff", label="杨师傅")
    page.fill("#class_name", "三(1)班")
    assert "已接收 1 人" in we.click("接收")[0]
    page = we.open("/child/?search=乙转来")
    follow(page, "a.nm")
    pk = child_id(page)
    we.open(f"/cards/?child={pk}")
    we.click("登记发卡")
    return pk


def papers(we, first, second, today_is):
    """Agreements, pairs, and the year's activities of one day each."""
    today_is("2025-09-12")
    for pk, carer in ((first, "甲奶奶"), (second, "乙奶奶")):
        we.write("/agreement/new/", carer=carer, kind="委托照护协议", principals="父母", signed_on="2025-09-10", signed_by="本人",
                 start="2025-09-10")  # fmt: skip
        we.write(f"/pairing/new/?child={pk}", partner="同桌甲", start="2025-09-10")


def activity(we, of, kind, on, **more):
    we.write(f"/activity/new/?of={of}", title=kind, kind=kind, on=on, **more)


def a_month(we, today_is, day):
    """One talk and one call for each child, in two forms; reading; the class meeting."""
    today_is(day)
    for kind in ("talk", "contact"):
        talk(we, kind, day)
    activity(we, "activity", "诵读经典", day)
    activity(we, "activity", "班队活动", day)
    activity(we, "publicity", "工作简报", day)


def talk(we, kind, day):
    page = we.open(f"/quick/talks/?class=all&kind={kind}")
    for box in page.locator("input[name=child]").all():
        box.check()
    page.fill("[name=on]", day)
    page.fill("[name=content]", f"{day} 聊了近况")
    follow(page, "[data-key=save]")
    assert "2 人" in page.locator(".alert").first.inner_text()


def a_term(we, term, day, today_is, children, states=False):
    today_is(day)
    for kind in ("防火演练", "防震演练", "防侵害演练"):
        activity(we, "drill", kind, day)
    for kind in ("安全教育", "法治教育", "感恩教育课", "体育艺术节", "社会实践", "以案说法"):
        activity(we, "activity", kind, day)
    for _ in range(2):
        activity(we, "meeting", "专题会议", day)
    for agency in ("B01", "B03", "B07"):
        activity(we, "linkage", "联合走访", day, agencies=agency)
    page = we.write("/training_session/new/", title=f"{term}讲座", kind="家庭教育讲座", on=day)
    for box in page.locator("select[name^=carer-]").all():
        box.select_option("present")
    we.click("保存签到")
    we.write("/paper/new/", kind="学期工作总结", title=f"{term}总结", term=f"2025—2026学年 {term}", on=day)
    we.click("提交备案")
    for pk in children:
        we.write(f"/care_record/new/?child={pk}&kind=visit", on=day)
        we.write(f"/letter/new/?child={pk}", term=f"2025—2026学年 {term}", on=day)
        for rater in ("教师", "自评"):
            we.write(f"/evaluation/new/?child={pk}", term=f"2025—2026学年 {term}", rater=rater, on=day, conduct="优", study="良", health="优",
                     arts="良", practice="优")  # fmt: skip
        for side in ("思想", "心理", "学习", "生活") if states else ():
            field = {"心理": "mind"}.get(side, "text")
            we.write(f"/state_note/new/?child={pk}", term=f"2025—2026学年 {term}", side=side, on=day, **{field: "平稳"})


def handed_over(we, holiday, day, today_is, back=""):
    today_is(day)
    page = we.open("/handover/")
    follow(page, f"a:has-text('{holiday}')")
    page.check("[data-tick-all]")
    for box in page.locator("input[name=enrolment]").all():
        box.check()
    page.select_option("#whereabouts", label="留在本村")
    for name in ("family_on", "village_on", "done_on"):
        page.fill(f"#{name}", day)
    assert "2 人的假期交接" in we.click("登记")[0]
    if back:
        today_is(back)
        page = we.open("/handover/")
        follow(page, f"a:has-text('{holiday}')")
        for box in page.locator("input[name=enrolment]").all():
            box.check()
        page.fill("#back_on", back)
        assert "2 人" in we.click("登记")[0]


def spring_confirmed(we, office, today_is):
    today_is("2026-03-05")
    we.open("/census/")
    assert "已上报" in we.click("上报")[0]
    filed(we, office, "学期工作计划", "春季计划", "2025—2026学年 第二学期")
    for name in ("甲毕业", "乙转来"):
        follow(we.open(f"/child/?search={name}"), "a.nm")
        assert "无变化" in we.click("无变化，确认")[0]


def rooms_open(we, today_is):
    """The counselling room every school week and the children's home all year: the same form, sent by the page's own request."""
    today_is("2026-08-20")
    page = we.open("/activity/new/?of=opening")
    token = page.locator("meta[name=csrf-token]").get_attribute("content")
    rooms = {o.inner_text().split(" · ")[0]: o.get_attribute("value") for o in page.locator("[name=facility] option").all()}
    kind = page.locator("[name=kind] option", has_text="日常开放").get_attribute("value")
    school = page.locator("[name=school]").first.evaluate("e => e.value || [...e.options].find(o => o.value)?.value")
    weeks = [dt.date(2025, 9, 3) + dt.timedelta(weeks=n) for n in range(51)]
    for day in weeks:
        for room in rooms:
            if room:
                form = {
                    "csrf_token": token,
                    "school": school,
                    "title": room,
                    "kind": kind,
                    "on": day.isoformat(),
                    "facility": rooms[room],
                }
                answer = page.request.post("/activity/new/?of=opening", form=form, max_redirects=0)
                assert answer.status == 302, answer.text()[-2000:]


def the_office_looks(office, today_is):
    today_is("2026-08-25")
    office.write("/inspection/new/", round="2026", school="晨光小学", on="2026-08-25", children="2", fields_checked="30", fields_wrong="0",
                 answers="4", satisfied="4")  # fmt: skip


def rolled_over(we, junior, today_is):
    today_is("2026-08-28")
    page = we.open("/rollover/")
    page.select_option("select[name^=to-]", label="升入 漠沙中学")
    assert "已升级 2 个班" in we.click("升级")[0]
    page = junior.open("/transfer/?side=in")
    follow(page, "a:has-text('甲毕业')")
    assert "已接收 1 人" in junior.click("接收")[0]
    assert "七年级" in junior.open("/child/?search=甲毕业").content()
    assert "四年级" in we.open("/child/?search=乙转来").content()
