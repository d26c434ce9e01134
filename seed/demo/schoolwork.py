"""What schools do: posts, papers, rooms and their openings, lessons, linkage, evenings."""

from __future__ import annotations

import datetime as dt
from typing import Any

from county import AUTUMN, BUREAU, DAY, SECRETARY, SPRING, TERMS, County, Pupil, School, boards, good

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
LEISURE = ("亲情视频", "文娱活动", "看电影")
EVENINGS = ("作业辅导", "课外阅读", "亲情视频", "文娱活动", "作业辅导", "看电影", "作业辅导")


def everything(c: County, schools: list[School], pupils: list[Pupil]) -> None:
    units = [s for s in schools if s["centre"] == s["code"]]
    posts(c, units, pupils)
    counselling(c, units, pupils)
    papers(c, units)
    rooms(c, units)
    lessons(c, units)
    evenings(c, units)


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
    for pupil in [*c.random.sample(able, len(able) // 22), *mine[3:9]]:
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
                event(c, school, "M02", f"{words}家长会", c.day(first, last), spheres="school family", **grown_up(school))
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
            event(c, school, "A23", "以案说法，法律宣传进校园", c.day(dt.date(2025, 11, 3), dt.date(2025, 12, 18)), pupils=pupils, **grown_up(school),
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


def grown_up(school: School) -> dict[str, int]:
    """Of the grown-ups who came most were grandparents: the parents are away."""
    parents = school["children"] // 3
    return {"parents": parents, "guardians": school["children"] - parents}


def evenings(c: County, units: list[School]) -> None:
    c.draw("evenings")
    for school in units:
        if not boards(school):
            continue
        for weekday in range(1, 6):
            if c.chance(0.7 + 0.3 * good(school)):
                content = EVENINGS[weekday - 1]
                c.add("evening_slot", code=c.code("evening_slot", "W", 4), school=school["code"], term="2025-2", weekday=weekday, hours="19:00—20:30",
                      kind="leisure" if content in LEISURE else "study", content=content, teacher=c.person(),
                      attending=c.random.randrange(20, 60), entered_at=dt.date(2026, 3, 9))  # fmt: skip
    c.draw("nights")
    for slot in c.files["evening_slot"]:
        for week in range(2):
            on = dt.date(2026, 6, 7 + 7 * week + int(slot["weekday"]))
            if c.chance(0.8):
                event(c, {"code": slot["school"]}, "A14" if slot["kind"] == "leisure" else "A13", slot["content"], on, slot=slot["code"],
                      opened=slot["hours"], leader=slot["teacher"], pupils=slot["attending"] - c.random.randrange(0, 4))  # fmt: skip
