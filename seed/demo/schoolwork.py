"""What schools and the office do: posts, papers, rooms and their openings, lessons, linkage, census, notices, samples."""

from __future__ import annotations

import datetime as dt
from typing import Any

from childfiles import DAY, SECRETARY
from county import AUTUMN, SPRING, County, Pupil

School = dict[str, Any]
BUREAU = "0000000001"
TERMS = {"2025-1": AUTUMN, "2025-2": SPRING}
CENSUS = {"2025-1": (dt.date(2025, 9, 1), dt.date(2025, 9, 20)), "2025-2": (dt.date(2026, 3, 2), dt.date(2026, 3, 20))}
TITLES = {"head": "校长", "deputy": "副校长", "office": "德育主任", "member": "班主任"}
RULES = {
    "talk": "谈心制度",
    "visit": "家访制度",
    "handover": "假期交接制度",
    "secrecy": "档案保密制度",
    "duty": "值班制度",
    "report": "强制报告制度",
}
READINGS = "晨诵经典|古诗词诵读|读书节|班级图书漂流|亲子共读分享"
CLASS_MEETINGS = (
    ("A07", "主题班会：我爱我家", "class"),
    ("A08", "少先队活动日", "pioneers"),
    ("A07", "班会：与爸爸妈妈通话", "class"),
)
LINKED = (
    ("L01", "联合走访慰问留守儿童", ("B03", "B05")), ("L02", "校园安全联合检查", ("B07",)), ("L04", "法治宣讲进校园", ("B08", "B09")),
    ("L01", "“六一”慰问", ("B04",)), ("L03", "台账比对", ("B06",)), ("L99", "健康体检", ("B11",)), ("L04", "家庭教育巡讲", ("B03",)),
)  # fmt: skip
CHECKS = {"C01": "学习管理检查", "C02": "安全管理检查", "C03": "生活管理检查", "C04": "食堂与膳食检查", "C05": "宿舍夜间值班检查"}
FOUND = "个别班级记录不全，已补|消防通道堆放杂物，已清理|两间宿舍被褥偏薄，已添置|值班签到漏签一次，已提醒"
EVENINGS = ("作业辅导", "课外阅读", "亲情视频", "文娱活动", "作业辅导", "看电影", "作业辅导")
JUDGED = (("A1.4", 3.0), ("A4.2", 1.5), ("A6.4", 0.5), ("A7.3", 1.0), ("A7.4", 2.0), ("A8.1", 1.0))
"""What a person still judges, and how many points of it."""
JUDGED_WHOLE = ("A1.4", "A7.4")
BOARDERS_ONLY = ("A6.4", "A7.3")
WHY = "部分材料不全|记录不够规范|个别时段未开展|抽查发现缺项|设施较旧，使用登记不全"
WAITING_AT = {"2153990001": ("A1.4", "A7.4"), "2153990005": ("A7.4",), "3153990003": ("A1.4",)}
"""Left for the office to judge, so that the demo shows work to do."""


def everything(c: County, schools: list[School], pupils: list[Pupil]) -> None:
    units = [s for s in schools if s["centre"] == s["code"]]
    posts(c, units, pupils)
    counselling(c, units, pupils)
    papers(c, units)
    rooms(c, units)
    lessons(c, units)
    evenings(c, units)
    census(c, units, pupils)
    opinions(c, units)
    notices(c, units)
    assessment(c, units, pupils)


def good(school: School) -> float:
    """How well a school works, from 0 (the worst) to 1."""
    return float((school["well"] - 0.62) / 0.38)


def boards(school: School) -> bool:
    return school["row"]["boarding"] == "1"


# --- people and papers


def posts(c: County, units: list[School], pupils: list[Pupil]) -> None:
    c.draw("posts")
    start = dt.date(2025, 8, 28)

    def add(school: str, body: str, rank: str = "", **more: Any) -> None:
        c.add("post", **{"school": school, "body": body, "rank": rank, "name": c.person(), "title": TITLES.get(rank, "教师"), "phone": c.phone(),
                         "source": "side", "start": start, "end": ""} | more)  # fmt: skip

    add(BUREAU, "leading", "head", title="局长")
    add(BUREAU, "leading", "deputy", title="副局长")
    add(BUREAU, "leading", "office", title="德育股股长")
    for office in ("基础教育股", "学生资助中心", "学校安全股", "计财股"):
        add(BUREAU, "leading", "member", title=f"{office}负责人")
    boarders: dict[str, int] = {}
    for pupil in pupils:
        if pupil.now is not None and pupil.row["boarding"] == "1":
            boarders[pupil.now.school["centre"]] = boarders.get(pupil.now.school["centre"], 0) + 1
    for school in units:
        code, small = school["code"], school["row"]["kind"] == "kindergarten"
        for rank in ("head", "deputy", "office", *["member"] * (1 if small else 2)):
            add(code, "leading", rank, duties="统筹本校留守儿童关爱保护工作" if rank == "head" else "")
        if school is not units[-7]:  # one kindergarten never set its working group up
            for rank in ("head", *["member"] * (2 if small else 3)):
                add(code, "working", rank, title="德育主任" if rank == "head" else "班主任")
        if code in ("2153990008", "3153990005", "2153990013"):  # members left: replaced late, late, in time
            left = next(r for r in c.files["post"] if r["school"] == code and r["body"] == "leading" and r["rank"] == "deputy")
            left["end"] = dt.date(2026, 2, 20)
            add(code, "leading", "deputy", start=left["end"] + (12 if code == "2153990013" else 58) * DAY)
        if c.chance(0.7 + 0.3 * good(school)):
            add(code, "keeper", duties="保管留守儿童档案，教职工变动时办理移交")
        if not small or c.chance(0.1):
            school["counsellor"] = c.person()
            add(code, "counsellor", name=school["counsellor"], title="心理健康教师", source=c.random.choice(("full", "side", "side")),
                certificate="心理健康教育 C 证（演示）" if c.chance(0.6) else "", checked_on=start)  # fmt: skip
        add(code, "legal", title="派出所民警", checked_on=start)
        if boards(school):
            wanted = -(-boarders.get(code, 0) // 50)
            for _ in range(max(0, wanted - (1 if c.chance(0.4 - 0.35 * good(school)) else 0))):
                add(
                    code,
                    "life",
                    title="生活辅导员",
                    source=c.random.choice(("reassigned", "hired", "hired", "side")),
                    checked_on=start,
                )


def counselling(c: County, units: list[School], pupils: list[Pupil]) -> None:
    """One child in 25 sees the counsellor."""
    c.draw("counselling")
    by_unit = {s["code"]: s for s in units}
    able = [p for p in pupils if p.now is not None and len(p.stays) == 1 and "counsellor" in by_unit[p.now.school["centre"]]]
    mine = [p for p in able if p.stays[0].school["code"] == SECRETARY]
    for pupil in [*c.random.sample(able, len(able) // 32), *mine[3:9]]:
        school = by_unit[pupil.stays[0].school["centre"]]
        on = c.day(max(pupil.stays[0].start, dt.date(2025, 10, 9)), dt.date(2026, 6, 26))
        c.add("counselling", child=pupil.code, on=on, counsellor=school["counsellor"], way="face", minutes=c.random.randrange(20, 46),
              body=c.pick("来访谈到想念父母，表达后情绪缓和|因同伴矛盾来访，练习表达感受|考试焦虑，学习放松方法|入睡困难，商定作息"),
              plan=c.pick("两周后再约|与班主任沟通，继续观察|结束辅导"))  # fmt: skip


def papers(c: County, units: list[School]) -> None:
    c.draw("papers")

    def add(school: str, kind: str, title: str, on: dt.date, **more: Any) -> None:
        if "state" not in more:
            more |= {"state": "filed", "submitted_on": on + 2 * DAY, "answered_on": on + 8 * DAY}
        c.add("paper", school=school, kind=kind, title=title, on=on, **more)

    add(BUREAU, "founding", "关于成立农村留守儿童关爱保护工作领导小组的通知", dt.date(2025, 8, 27), number="新教发〔2025〕31号")
    add(BUREAU, "programme", "2025—2026 学年农村留守儿童关爱保护工作实施方案", dt.date(2025, 8, 29), number="新教发〔2025〕32号")
    for school in units:
        code, well = school["code"], good(school)

        def state(on: dt.date, chance: float) -> dict[str, Any]:
            """Filed, or waiting, or sent back; None when the school never wrote it."""
            if c.chance(chance):
                return {}
            return c.random.choice((
                {"state": "submitted", "submitted_on": on + 3 * DAY}, {"state": "draft"},
                {"state": "returned", "submitted_on": on + 3 * DAY, "answered_on": on + 10 * DAY, "answer": "缺少责任分工和时间安排，请补充后重报。"},
            ))  # fmt: skip

        add(code, "founding", f"{school['name']}领导小组、工作小组成立文件", dt.date(2025, 8, 28), support="organisation")
        on = dt.date(2025, 9, 8)
        add(code, "programme", "2025—2026 学年留守儿童关爱保护实施方案", on, support="organisation", **state(on, 0.8 + 0.2 * well))
        for term, (first, last) in TERMS.items():
            words = "秋季" if term == "2025-1" else "春季"
            on = first + c.random.randrange(3, 18) * DAY
            returned = code == SECRETARY and term == "2025-2"
            sent_back = {
                "state": "returned",
                "submitted_on": on + 2 * DAY,
                "answered_on": on + 9 * DAY,
                "answer": "请补充假期交接的时间安排和责任人。",
            }
            add(
                code,
                "plan",
                f"{words}学期留守儿童工作计划",
                on,
                term=term,
                **(sent_back if returned else state(on, 0.65 + 0.35 * well)),
            )
            if c.chance(0.5 + 0.5 * well):
                on = last - c.random.randrange(0, 6) * DAY
                add(code, "term_summary", f"{words}学期留守儿童工作总结", on, term=term, **state(on, 0.7 + 0.3 * well))
        for rule, title in RULES.items():
            if c.chance(0.6 + 0.4 * well):
                confirmed = dt.date(2025, 9, 5) if c.chance(well) else ""
                add(code, "rule", f"留守儿童{title}", c.day(dt.date(2022, 9, 1), dt.date(2025, 3, 1)), rule=rule, revised_on=confirmed, support="guardianship",
                    state="filed")  # fmt: skip
        if c.chance(well * 0.6):
            add(
                code,
                "evidence",
                "留守儿童关爱活动照片与简报目录",
                dt.date(2026, 6, 24),
                support="education",
                state="submitted",
                submitted_on=dt.date(2026, 6, 25),
            )


# --- rooms and what is held


def rooms(c: County, units: list[School]) -> None:
    """A home for the children nearly everywhere; rooms of the larger schools; how often they open tells schools apart."""
    c.draw("rooms")
    for school in units:
        kind, well = school["row"]["kind"], good(school)
        small, senior = kind == "kindergarten", school["row"]["school_group"] == "senior"

        home = (
            room(
                c,
                school,
                "home",
                "留守儿童之家",
                place="教学楼一楼",
                hours="周三、周五 16:30—18:00",
                equipment="图书、电脑、亲情视频",
            )
            if c.chance(0.25 if senior else 0.96)
            else ""
        )
        counsel = (
            room(c, school, "counsel", "心理咨询室", place="综合楼二楼", hours="周二、周四 12:30—14:00", equipment="沙盘、宣泄角")
            if "counsellor" in school
            else ""
        )
        palace = (
            room(c, school, "palace", "乡村学校少年宫", place="操场旁", hours="周末 9:00—11:30")
            if kind in ("centre", "nine_year") and c.chance(0.6)
            else ""
        )
        if boards(school):
            for n, beds in enumerate((60 if kind == "centre" else 180, 60)[: 1 if well < 0.3 else 2]):
                room(c, school, "dorm", f"{'男女'[n]}生宿舍", beds=beds, equipment="每室 8 床，有热水")
        if not small:
            room(c, school, "canteen", "学生食堂", equipment="明厨亮灶")
            if c.chance(0.5):
                room(c, school, "calls", "亲情视频室", equipment="平板 2 台")
        if c.chance(0.5):
            room(c, school, "library", "图书室")
        if c.chance(0.3):
            room(c, school, "sport", "运动场")
        openings(c, school, home, counsel, palace)


def room(c: County, school: School, kind: str, name: str, **more: Any) -> str:
    code = c.code("facility", "F", 4)
    c.add("facility", code=code, school=school["code"], kind=kind, name=name, keeper=c.person(), since=dt.date(2021, 9, 1), **more)
    return code


def openings(c: County, school: School, home: str, counsel: str, palace: str) -> None:
    """Weekly at the best schools, now and then at the others."""
    well = good(school)
    often = 0.22 + 0.16 * well if well < 0.72 else 0.6 + 1.4 * (well - 0.72)
    for room, name, hours in (
        (home, "留守儿童之家开放", "16:30—18:00"),
        (counsel, "心理咨询室开放", "12:30—14:00"),
        (palace, "少年宫活动", "9:00—11:30"),
    ):
        if not room:
            continue
        for first, last in (AUTUMN, SPRING):
            day = first + (5 if room == palace else 2) * DAY
            while day <= last:
                if c.chance(min(0.98, often * (0.55 if room == palace else 1))):
                    opening(c, school, room, name, day, hours)
                day += 7 * DAY
        if room == home:
            for n in range(10):
                if c.chance(min(0.97, 0.2 + 0.8 * well)):
                    day = dt.date(2026, 1, 28) + 4 * n * DAY if n < 3 else dt.date(2026, 7, 15) + 6 * (n - 3) * DAY
                    opening(c, school, room, "假期开放", day, "9:00—11:30")


def opening(c: County, school: School, room: str, name: str, on: dt.date, hours: str) -> None:
    c.add(
        "activity",
        school=school["code"],
        title=name,
        kind="O01",
        on=on,
        facility=room,
        opened=hours,
        pupils=c.random.randrange(4, 26),
        entered_at=on,
    )


def event(c: County, school: School, kind: str, title: str, on: dt.date, **more: Any) -> None:
    c.add("activity", school=school["code"], title=title, kind=kind, on=on, entered_at=on, **more)


def lessons(c: County, units: list[School]) -> None:
    """Meetings, lessons, festivals, linkage, publicity and checks."""
    c.draw("lessons")
    for school in units:
        well, pupils = good(school), school["children"] * 5
        for term, (first, last) in TERMS.items():
            words = "秋季" if term == "2025-1" else "春季"
            middle = first + (last - first) / 2
            for n, (start, end) in enumerate(((first, middle), (middle + DAY, last))):
                if c.chance(0.55 + 0.45 * well):
                    event(
                        c,
                        school,
                        "M01",
                        f"{words}学期第{'一二'[n]}次留守儿童工作专题会议",
                        c.day(start, end),
                        leader=c.person(),
                        summary="研究摸底、包保和安全工作，明确分工。",
                    )
            if c.chance(0.5 + 0.5 * well):
                event(
                    c,
                    school,
                    "A06",
                    f"{words}法治教育课",
                    c.day(first + 5 * DAY, last),
                    leader=c.person(),
                    pupils=pupils,
                    spheres="school society",
                )
            if c.chance(0.3 + 0.4 * well):
                event(
                    c,
                    school,
                    "A05",
                    "防溺水、交通安全教育课",
                    c.day(first + 5 * DAY, last),
                    leader=c.person(),
                    pupils=pupils,
                    carrier="class",
                )
            if c.chance(0.4 + 0.5 * well):
                event(c, school, c.random.choice(list(CHECKS)[: 5 if boards(school) else 4]), "学期管理检查", c.day(first, last), leader=c.person(),
                      problems=c.pick(FOUND))  # fmt: skip
            if c.chance(0.5 * well):
                event(c, school, "M02", f"{words}家长会", c.day(first, last), adults=school["children"], spheres="school family")
            for kind, title, carrier in (CLASS_MEETINGS * 2)[:5]:
                if c.chance(0.6 + 0.38 * well):
                    event(c, school, kind, title, c.day(first + 3 * DAY, last - 3 * DAY), carrier=carrier, pupils=pupils // 4)
        for year, month in ((2025, 9), (2025, 10), (2025, 11), (2025, 12), (2026, 3), (2026, 4), (2026, 5), (2026, 6)):
            if c.chance(0.35 + 0.62 * well):
                event(c, school, "A17", c.pick(READINGS), dt.date(year, month, c.random.randrange(8, 28)), pupils=pupils)
        if c.chance(0.6 + 0.4 * well):
            event(
                c,
                school,
                "A10",
                "校园体育艺术节",
                c.day(dt.date(2026, 5, 6), dt.date(2026, 6, 12)),
                pupils=pupils,
                summary="田径、合唱、书画，留守儿童全员参加。",
            )
        if c.chance(0.55 + 0.45 * well):
            event(
                c,
                school,
                "A11",
                "社会实践：走进茶山",
                c.day(dt.date(2026, 3, 20), dt.date(2026, 5, 28)),
                pupils=pupils // 2,
                spheres="school society",
            )
        if c.chance(0.5 + 0.5 * well):
            event(c, school, "A23", "以案说法，法律宣传进校园", c.day(dt.date(2025, 11, 3), dt.date(2025, 12, 18)), pupils=pupils, adults=school["children"],
                  agencies=c.random.choice(("B07", "B08", "B07 B08", "B09")), expert="派出所民警")  # fmt: skip
        if c.chance(0.3 * well):
            event(
                c, school, "A16", "感恩教育专题讲座", c.day(*SPRING), pupils=pupils, expert="县关工委宣讲员（演示）", agencies="B05"
            )
        for kind, title, agencies in c.random.sample(LINKED, min(len(LINKED), int(c.random.random() * 2 + 3.4 * well))):
            event(c, school, kind, title, c.day(dt.date(2025, 9, 15), dt.date(2026, 6, 30)), agencies=" ".join(agencies), spheres="society",
                  money=c.random.choice(("", "2000", "5000")) if kind == "L01" else "")  # fmt: skip
        for n in range(min(8, int(1 + c.random.random() * 2 + 6.5 * well))):
            kind, title = (("P01", "未成年人保护法宣传"), ("P02", "爱心教师事迹"), ("P03", "留守儿童工作简报"))[n % 3]
            event(c, school, kind, f"{title}（{n // 3 + 1}）", c.day(dt.date(2025, 9, 8), dt.date(2026, 6, 30)), media=c.pick("学校公众号|县融媒体中心|校园广播|宣传栏"),
                  level=c.random.choice("11122"))  # fmt: skip


def evenings(c: County, units: list[School]) -> None:
    c.draw("evenings")
    for school in units:
        if not boards(school):
            continue
        for weekday in range(1, 6):
            if c.chance(0.7 + 0.3 * good(school)):
                c.add("evening_slot", school=school["code"], term="2025-2", weekday=weekday, hours="19:00—20:30", content=EVENINGS[weekday - 1], teacher=c.person(),
                      attending=c.random.randrange(20, 60), entered_at=dt.date(2026, 3, 9))  # fmt: skip


# --- the office


def census(c: County, units: list[School], pupils: list[Pupil]) -> None:
    """Both terms; most on time, some late, one never."""
    c.draw("census")
    for term, (first, last) in CENSUS.items():
        counts: dict[str, list[int]] = {}
        for pupil in pupils:
            stay = pupil.at(last)
            if stay is not None and pupil.left_behind(last):
                both = counts.setdefault(stay.school["centre"], [0, 0])
                both[0] += 1
                both[1] += pupil.row["sex"] == "2"
        for school in units:
            late = c.chance(0.2 - 0.18 * good(school)) and school["code"] != SECRETARY
            if term == "2025-2" and school["code"] == "1153990012":
                continue
            on = last + c.random.randrange(3, 11) * DAY if late else c.day(first + 4 * DAY, last)
            children, girls = counts.get(school["code"], [0, 0])
            c.add("census_return", census=term, school=school["code"], on=on, children=children, girls=girls, by=c.person())


def opinions(c: County, units: list[School]) -> None:
    c.draw("opinions")
    of = {s["code"] for s in units}
    for school, found, reported, level, words, closed in (
        (
            "2153990001",
            "2026-04-02 09:10",
            "2026-04-02 11:00",
            "normal",
            "短视频称校门口无人护学，经查为放学后一小时拍摄。",
            "2026-04-08",
        ),
        ("2153990006", "2025-10-21 16:30", "2025-10-21 17:20", "normal", "家长群反映营养餐分量不足。", "2025-10-30"),
        ("2153990012", "2026-05-12 08:00", "2026-05-14 10:00", "watch", "网帖称学生夜间翻墙外出。", "2026-05-25"),
        ("3153990007", "2026-03-17 20:15", "2026-03-18 08:30", "watch", "网传学生冲突视频。", "2026-03-27"),
        ("3453990002", "2025-12-09 12:00", "2025-12-09 13:10", "normal", "论坛反映宿舍热水不足。", "2025-12-19"),
        ("1153990003", "2026-06-25 18:00", "2026-06-26 09:00", "normal", "家长反映接送区拥堵。", ""),
    ):
        assert school in of
        c.add("opinion", school=school, found_at=found, reported_at=reported, source=c.pick("短视频平台|家长群|网络论坛|12345 热线"), level=level, summary=words,
              handling="已核实并公开回应，与家长沟通，落实整改。" if closed else "正在核实。", closed_on=closed)  # fmt: skip


def notices(c: County, units: list[School]) -> None:
    c.draw("notices")
    everyone = [s["code"] for s in units]
    written = (
        ("policy", "新平县农村留守儿童关爱保护工作实施方案", "新教发〔2018〕29号", "2025-09-01", "", everyone, "现将实施方案印发给你们，请认真组织实施。"),
        ("notice", "关于做好 2025 年秋季开学摸底工作的通知", "新教通〔2025〕46号", "2025-09-01", "2025-09-20", everyone, "请于 9 月 20 日前完成摸底并上报，教学点、村完小由中心校一并上报。"),
        ("notice", "关于做好 2026 年寒假留守儿童交接工作的通知", "新教通〔2026〕3号", "2026-01-08", "2026-01-23", everyone, "请逐人联系家庭、委托照护人和村组，签收安全告知书。"),
        ("notice", "关于做好 2026 年春季开学摸底工作的通知", "新教通〔2026〕11号", "2026-03-02", "2026-03-20", everyone, "请核对父母去向变化，完成返校销号。"),
        ("chase", "关于补报学期工作计划的催办", "", "2026-04-15", "2026-04-22", everyone[4:24], "下列学校尚未报备春季学期工作计划，请于限期内补报。"),
        ("notice", "关于开展防溺水专项教育的通知", "新教通〔2026〕19号", "2026-04-20", "2026-05-15", everyone, "每校至少一次专题教育，并告知家长和照护人。"),
        ("chase", "关于更换过期联系卡的催办", "", "2026-06-01", "2026-06-30", everyone[24:46], "电话变更后须重新发卡，请核对缺项清单。"),
        ("notice", "关于做好 2026 年暑假交接和年度考核自查的通知", "新教通〔2026〕31号", "2026-07-01", "2026-07-10", everyone, "暑假前完成交接；考核统计截止日为 8 月 31 日。"),
    )  # fmt: skip
    for kind, title, number, on, due, to, body in written:
        code = c.code("notice", "N", 2)
        c.add("notice", code=code, kind=kind, title=title, number=number, on=on, due_on=due, body=body)
        last = code == "N08"
        for school in to:
            unread = (last and school == SECRETARY) or c.chance(0.12 if last else 0.03)
            day = dt.date.fromisoformat(on) + c.random.randrange(0, 4) * DAY
            c.add("notice_receipt", notice=code, school=school, read_at="" if unread else f"{day} {c.random.randrange(8, 18):02}:{c.random.randrange(60):02}",
                  read_by="" if unread else c.person())  # fmt: skip


def assessment(c: County, units: list[School], pupils: list[Pupil]) -> None:
    """The round with what people judged, the office's samples, honours and one deduction."""
    c.draw("assessment")
    c.add("assessment_round", code="2026", title="2026 年度农村留守儿童关爱保护工作考核", scheme="2026", start="2025-09-01",
          last_day="2026-08-31", cut_off="2026-08-31", state="open")  # fmt: skip
    rooms = {(row["school"], row["kind"]) for row in c.files["facility"]}
    there: dict[str, int] = {}
    for pupil in pupils:
        if pupil.now is not None:
            there[pupil.now.school["centre"]] = there.get(pupil.now.school["centre"], 0) + 1
    for school in units:
        code, well, kind = school["code"], good(school), school["row"]["kind"]
        for item, top in JUDGED:
            if item in WAITING_AT.get(code, ()) or (item in BOARDERS_ONLY and not boards(school)):
                continue
            room = {"A4.2": "counsel", "A8.1": "home"}.get(item, "")
            if room and (code, room) not in rooms and (kind == "kindergarten" or school["row"]["school_group"] == "senior"):
                continue
            full = c.chance(0.25 + 0.7 * well)
            points = top if full else round(top * c.random.choice((0.9, 0.8, 0.7, 0.6 if well < 0.6 else 0.8)), 1)
            if room and (code, room) not in rooms:
                points, full = 0.0, False
            c.add(
                "item_score",
                round="2026",
                school=code,
                indicator=item,
                final=points,
                reason=c.pick(WHY) if not full else "" if item in JUDGED_WHOLE else "评定部分满分",
            )
        n = there.get(code, 0)
        sample = n if n < 10 else max(10, n // 3)
        if sample:
            fields, answers = sample * 15, sample * 2
            wrong = sum(c.chance(0.01 + 0.07 * (1 - well)) for _ in range(fields))
            satisfied = sum(c.chance(0.82 + 0.17 * well) for _ in range(answers))
            c.add("inspection", round="2026", school=code, on=c.day(dt.date(2026, 6, 15), dt.date(2026, 7, 9)), children=sample, fields_checked=fields,
                  fields_wrong=wrong, answers=answers, satisfied=satisfied, inspectors=f"{c.person()}、{c.person()}", document="抽查表（演示）")  # fmt: skip
    for code, matter, worth in (
        ("2153990003", "市级留守儿童关爱先进集体", "1"),
        ("3153990002", "省级乡村学校少年宫示范校", "2"),
        ("2153990002", "县级先进", "0.5"),
    ):
        c.add(
            "adjustment",
            round="2026",
            school=code,
            kind="bonus",
            matter=matter,
            points=worth,
            effect="",
            document="表彰决定（演示）",
        )
    c.add(
        "adjustment",
        round="2026",
        school="1153990009",
        kind="discipline",
        matter="迟报统计表",
        points="0.5",
        effect="",
        document="通报（演示）",
    )
