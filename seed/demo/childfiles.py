"""The second half of each child's file: agreements, categories, flags, letters, pairs, handovers, aid."""

from __future__ import annotations

import datetime as dt
from typing import Any

from county import AUTUMN, DAY, LAST, MONTHS, SECRETARY, SPRING, TERMS, County, Pupil

HOLIDAYS = {"2025-winter": (dt.date(2026, 1, 24), dt.date(2026, 3, 1)), "2026-summer": (dt.date(2026, 7, 11), LAST)}
DIMENSIONS = ("conduct", "study", "health", "arts", "practice")
FIRST_DAY_BACK = dt.date(2026, 3, 2)
CARE_SIGNS = ("person",) * 14 + ("phone",) * 5 + ("proxy",) * 2 + ("unreachable",)
HOUSEHOLDS = (
    ("H01", 0.08, "低保证（演示）", "县民政局"), ("H03", 0.1, "脱贫户系统（演示）", "乡村振兴办"), ("H04", 0.02, "监测户系统（演示）", "乡村振兴办"),
    ("H05", 0.015, "残疾人证（演示）", "县残联"), ("K01", 0.003, "孤儿证（演示）", "县民政局"), ("K02", 0.01, "民政部门认定（演示）", "县民政局"),
    ("K04", 0.006, "县医院诊断证明（演示）", "县医保局"), ("K05", 0.008, "残疾人证（演示）", "县残联"), ("K06", 0.02, "学校家庭经济困难认定", "学校"),
    ("K12", 0.006, "村委会证明（演示）", "村（居）委会"),
)  # fmt: skip
RESTRICTED = {"K07": 5, "K08": 3, "K09": 2}
"""How many children in the county; only their school and the office may read it."""
FOUND_BY = "班级观察|同伴反映|家长反映|心理筛查|假期联系"
WHY_WATCHED = (
    "近期情绪低落，少与同伴来往|多次提到想念父母，夜间哭泣|上课走神，作业连续未交|与照护人争吵后离家半日|沉迷手机，作息紊乱"
)
FOLLOWED = "面谈并联系父母，约定每周视频|家访后与照护人商定作息，情绪好转|转介心理辅导，安排同伴陪伴|与班主任商定课后辅导，继续观察"
NEEDS = {
    "EMO": "每周安排一次亲情视频，班主任多陪伴|参加留守儿童之家周末活动，结对同学陪伴",
    "PSY": "心理教师每月辅导一次，班主任观察记录|参加团体辅导，鼓励参加兴趣小组",
    "LIFE": "生活辅导员指导内务，申请寄宿生补助|联系村委会，落实照护人日常照料",
    "SAFE": "与照护人签订防溺水告知书，假期每周联系|上下学编入路队，教师护送到路口",
    "STUDY": "课后服务时间辅导数学，同桌互助|每周检查作业两次，任课教师面批",
}


def everything(c: County, pupils: list[Pupil]) -> None:
    agreements(c, pupils)
    categories(c, pupils)
    contacts(c, pupils)
    flags(c, pupils)
    plans(c, pupils)
    letters_and_marks(c, pupils)
    pairs(c, pupils)
    handovers(c, pupils)
    dropouts(c, pupils)
    aid(c, pupils)
    reports(c, pupils)
    other_phones(c)


# --- papers and categories of a child


def other_phones(c: County) -> None:
    """Some have a second number, for when the first does not answer."""
    c.draw("other phones")
    for row in (*c.files["parent"], *c.files["carer"]):
        row["other_phone"] = c.phone() if row.get("phone") and c.chance(0.15) else ""


def agreements(c: County, pupils: list[Pupil]) -> None:
    c.draw("agreements")
    for pupil in pupils:
        if pupil.now is None or not c.chance(0.45 + 0.55 * pupil.well):
            continue
        signed = max(c.day(dt.date(2025, 9, 3), dt.date(2025, 10, 20)), pupil.stays[0].start)
        parents = "、".join(
            row["name"] for side, row in pupil.parents.items() if pupil.state(side, signed) not in ("dead", "missing")
        )
        over = c.chance(0.03)
        c.add("agreement", carer=pupil.carer["code"], kind=c.random.choice(("care", "care", "care", "duty")),
              number=f"委托〔2025〕{len(c.files.get('agreement', [])) + 1:04}号", principals=parents, signed_on=signed, signed_by=c.random.choice(CARE_SIGNS),
              heard=int(c.chance(0.6 + 0.4 * pupil.well)), fitness_checked_on=signed if c.chance(pupil.well) else "", told_school_on=signed,
              told_village_on=signed + 2 * DAY if c.chance(0.8) else "", start=signed, end=dt.date(2026, 6, 1) if over else dt.date(2027, 9, 1),
              ended_how="dissolved" if over and c.chance(0.3) else "")  # fmt: skip


def categories(c: County, pupils: list[Pupil]) -> None:
    c.draw("categories")

    def add(pupil: Pupil, kind: str, evidence: str, by: str) -> None:
        pupil.row.setdefault("_kinds", set()).add(kind)
        c.add("child_category", child=pupil.code, kind=kind, start=c.day(dt.date(2023, 3, 1), dt.date(2025, 10, 30)), end="", evidence=evidence,
              confirmed_by=by)  # fmt: skip

    here = [p for p in pupils if p.now is not None]
    for pupil in here:
        for kind, share, evidence, by in HOUSEHOLDS:
            if c.chance(share):
                add(pupil, kind, evidence, by)
        states = {pupil.state(side, LAST) for side in ("father", "mother")}
        if states & {"dead", "missing"} and c.chance(0.5):
            add(pupil, "K14", "村委会证明（演示）", "村（居）委会")
        kinds = pupil.row.get("_kinds", set())
        if "K04" in kinds:
            pupil.row |= {"health": "30", "illness": c.pick("先天性心脏病|慢性肾病|癫痫")}
        if "K05" in kinds:
            pupil.row |= {"health": "50", "disability": c.random.choice("2445"), "disability_grade": c.random.choice("1234")}
        if pupil.row["boarding"] != "1" and pupil.grade[0] in "PM" and c.chance(0.08):
            pupil.row["boarding_wanted"] = "1"
    for kind, n in RESTRICTED.items():
        for pupil in c.random.sample(here, n):
            add(pupil, kind, "部门通报（演示）", "县未保办")


# --- care


def care(c: County, pupil: Pupil, kind: str, on: dt.date, **more: Any) -> None:
    stay = pupil.at(on)
    if stay is not None:
        c.add("care_record", child=pupil.code, kind=kind, on=on, staff=stay.teacher, role="responsible", entered_at=on, **more)
        pupil.cared.append(on)


def contacts(c: County, pupils: list[Pupil]) -> None:
    """A call a month at the better schools; in the holidays at the secretary's; some talks in full words."""
    c.draw("contacts")
    of = {p.code: p for p in pupils}
    for row in c.files["care_record"]:
        of[row["child"]].cared.append(row["on"])
        if of[row["child"]].stays[-1].school["centre"] == SECRETARY and row["kind"] == "talk" and c.chance(0.5):
            row |= {"content": c.pick("聊了近期的学习和生活，情绪稳定|谈到想念父母，鼓励每周视频|谈同伴相处，愿意参加班级活动|作业有进步，给予表扬"),
                    "measures": c.pick("继续关注|周末与照护人联系|安排同伴互助"), "effect": c.random.choice(("better", "better", "changed", "same"))}  # fmt: skip
    for pupil in pupils:
        keeps = pupil.well > 0.9
        for year, month in MONTHS:
            on = dt.date(year, month, c.random.randrange(2, 9) if month == 7 else c.random.randrange(2, 23))
            stay = pupil.at(on)
            if keeps and stay is not None and c.chance(0.9):
                care(c, pupil, "contact", on, way=c.random.choice(("video", "phone")), partner=c.random.choice(("父亲", "母亲")),
                     minutes=c.random.randrange(5, 25))  # fmt: skip
        if pupil.stays[-1].school["centre"] == SECRETARY:
            for on in (
                dt.date(2026, 2, 5),
                dt.date(2026, 2, 20),
                dt.date(2026, 7, 22),
                dt.date(2026, 8, 3),
                dt.date(2026, 8, 14),
                dt.date(2026, 8, 24),
            ):
                if c.chance(0.75):
                    care(c, pupil, "holiday", on, way="phone", partner="照护人")


def flags(c: County, pupils: list[Pupil]) -> None:
    """A child in thirty is watched; the school talks to it within a fortnight, or later, or not at all."""
    c.draw("flags")
    open_ = [p for p in pupils if p.now is not None and len(p.stays) == 1]
    late, *watched = [next(p for p in open_ if p.stays[0].school["code"] == SECRETARY), *c.random.sample(open_, len(open_) // 20)]
    for n, pupil in enumerate(p for p in watched if p is not late):
        on = c.day(max(pupil.stays[0].start + 5 * DAY, dt.date(2025, 9, 20)), dt.date(2026, 6, 20))
        if n % 4 == 0:  # a talk that raises the flag; the product does the rest
            care(c, pupil, "talk", on, way="face", content="情绪低落，需要关注", attention="watch")
        if c.chance(0.35 + 0.6 * pupil.well):
            words = {"content": "跟进谈心，了解近况", "measures": "继续跟进，联系家长", "effect": "better"}
            care(c, pupil, "talk", on + c.random.randrange(2, 13) * DAY, way="face", **words)
        if n % 4:
            add_flag(c, pupil, on)
    add_flag(c, late, max([dt.date(2026, 7, 8), *(day + DAY for day in late.cared)]))
    c.files["care_record"].sort(key=lambda row: (row["child"], row["on"]))


def add_flag(c: County, pupil: Pupil, on: dt.date) -> None:
    followed = min((day for day in pupil.cared if day > on), default=None)
    closed = followed + c.random.randrange(20, 45) * DAY if followed is not None and c.chance(0.6) else None
    c.add("flag", child=pupil.code, on=on, level=c.random.choice(("watch", "watch", "watch", "focus")), source=c.pick(FOUND_BY), reason=c.pick(WHY_WATCHED),
          followed_on=followed or "", follow_up=c.pick(FOLLOWED) if followed else "", closed_on=closed if closed and closed <= LAST else "")  # fmt: skip


def plans(c: County, pupils: list[Pupil]) -> None:
    c.draw("plans")
    for pupil in pupils:
        stay = pupil.at(SPRING[0])
        if stay is None or not c.chance(0.15):
            continue
        need = c.random.choice(list(NEEDS))
        done = c.chance(0.5 + 0.5 * pupil.well)
        start = c.day(dt.date(2026, 3, 9), dt.date(2026, 3, 27))
        c.add("help_plan", child=pupil.code, term="2025-2", need=need, plan=c.pick(NEEDS[need]), entered_at=start,
              outcome=c.random.choice(("better", "better", "better", "same", "worse")) if done else "",
              reviewed_on=c.day(dt.date(2026, 6, 22), dt.date(2026, 7, 8)) if done else "")  # fmt: skip


def letters_and_marks(c: County, pupils: list[Pupil]) -> None:
    """A letter a term; what the teacher and one more say of the child at the end of each term."""
    c.draw("letters")
    for pupil in pupils:
        for term, (_first, last) in TERMS.items():
            if pupil.at(last) is None or pupil.at(last - dt.timedelta(days=30)) is None:
                continue
            writes = c.chance(0.3 + 0.7 * pupil.well)
            on = c.day(last - dt.timedelta(days=40), last - dt.timedelta(days=5))
            if writes and pupil.at(on) is pupil.at(last):
                c.add("letter", child=pupil.code, term=term, on=on, way=c.random.choice(("drawing", "voice") if pupil.grade[0] == "K" else ("letter",)),
                      replied_on=on + 12 * DAY if c.chance(0.4) else "")  # fmt: skip
            on = last - c.random.randrange(1, 16) * DAY
            if not c.chance(0.15 + 0.8 * pupil.well) or pupil.at(on) is not pupil.at(last):
                continue
            second = c.random.choice(("self", "parent") if pupil.grade[0] == "K" else ("self", "peer", "peer", "parent"))
            for rater in ("teacher", second) if c.chance(0.94) else ("teacher",):
                marks = {side: c.random.choice("AABBBC") for side in DIMENSIONS}
                c.add("evaluation", child=pupil.code, term=term, on=on, rater=rater, **marks)


def pairs(c: County, pupils: list[Pupil]) -> None:
    c.draw("pairs")
    for pupil in pupils:
        if not c.chance(0.25 + 0.65 * pupil.well):
            continue
        stay = pupil.stays[0]
        start = max(stay.start + 3 * DAY, c.day(dt.date(2025, 9, 15), dt.date(2025, 10, 31)))
        if c.chance(0.05):
            start = dt.date(2026, 7, 7)
        if stay.covers(start):
            c.add("pairing", child=pupil.code, partner=c.person(), partner_class=pupil.row["class_name"], goals=c.pick("作业互助，课间同伴|一起阅读，周末结伴|文明礼仪，互相提醒"),
                  results=c.pick("作业按时完成|朋友多了，爱说话了|") if c.chance(0.5) else "", start=start, end=stay.end or "")  # fmt: skip


def handovers(c: County, pupils: list[Pupil]) -> None:
    """Every child before the winter and the summer holiday; at the end of the winter one it comes back."""
    c.draw("handovers")
    left_open = False
    for holiday, (start, _last) in HOLIDAYS.items():
        for pupil in pupils:
            stay = pupil.at(start - DAY)
            if stay is None:
                continue
            well, mine = stay.school["well"], stay.school["code"] == SECRETARY
            row: dict[str, Any] = {"child": pupil.code, "holiday": holiday}
            if mine and not left_open and holiday == "2026-summer":
                left_open = True
                c.add("holiday_handover", **row, entered_at=dt.date(2026, 7, 6))
                continue
            if not c.chance(0.6 + 0.4 * well):
                continue
            family = max(stay.start, start - c.random.randrange(2, 12) * DAY)
            row |= {"whereabouts": c.random.choices(("village", "parents", "kin", "other"), (70, 20, 8, 2))[0], "carer_name": pupil.carer["name"],
                    "carer_relation": pupil.carer["relation"], "family_on": family, "family_way": c.random.choice(("phone", "home", "face"))}  # fmt: skip
            if c.chance(0.75 + 0.25 * well):
                row |= {"village_on": family + DAY, "village_person": c.pick("村委会儿童主任|村民小组长"), "notice_on": start - DAY, "done_on": start - DAY,
                        "handed_by": c.pick("班主任|包保责任人"), "received_by": pupil.carer["name"]}  # fmt: skip
                if holiday == "2025-winter" and pupil.at(FIRST_DAY_BACK) is stay and c.chance(0.7 + 0.3 * well):
                    row |= {"back_on": FIRST_DAY_BACK if c.chance(0.9) else FIRST_DAY_BACK + 2 * DAY,
                            "back_state": c.random.choice(("same", "same", "same", "better", "worse"))}  # fmt: skip
                if holiday == "2026-summer" and c.chance(0.08):
                    row |= {"back_on": LAST, "back_state": "same"}
            if mine:
                row |= {"carer_phone": pupil.carer["phone"], "place": pupil.row["home_address"]}
            c.add("holiday_handover", **row)


def dropouts(c: County, pupils: list[Pupil]) -> None:
    c.draw("dropouts")
    able = [p for p in pupils if p.grade in ("P6", "M1", "M2", "M3") and len(p.stays) == 1 and p.now is not None]
    mine = next(p for p in able if p.stays[0].school["code"] == SECRETARY)
    for n, pupil in enumerate([*[p for p in c.random.sample(able, 12) if p is not mine][:11], mine]):
        found = c.day(dt.date(2025, 10, 9), dt.date(2026, 6, 1))
        back = None if n == 0 else found + (41 if n in (1, 2) else c.random.randrange(5, 28)) * DAY
        code = c.code("dropout_case", "D", 3)
        c.add("dropout_case", code=code, child=pupil.code, found_on=found, grade=pupil.grade, reason=c.random.choice(("work", "weary", "weary", "poverty", "other")),
              persuaders="校长、班主任、村委会干部", returned_on=back or "", outcome="已返校，跟班就读" if back else "随亲属外出，继续劝返",
              entered_at=found + (9 if n in (1, 5) else 1) * DAY)  # fmt: skip
        for step, after, actor in (("1", 3, "学校、村委会"), ("2", 12, "乡镇人民政府"), ("3", 35, "乡镇人民政府")):
            on = found + after * DAY
            if back is None or on < back:
                document = f"劝返〔2026〕{n + 1}-{step}号" if step != "1" else ""
                c.add("dropout_step", case=code, step=step, on=on, document=document, actor=actor)


def aid(c: County, pupils: list[Pupil]) -> None:
    """The boarders' and poor families' aid, in the kinds and amounts of the province."""
    c.draw("aid")
    start, end = AUTUMN[0], dt.date(2026, 9, 1)
    for pupil in pupils:
        stay, kinds = pupil.now, pupil.row.pop("_kinds", set())
        if stay is None:
            continue
        stage, boards = pupil.grade[0], pupil.row["boarding"] == "1"
        poor = bool(kinds & {"H01", "H02", "H03", "K01", "K05"})
        given: list[tuple[str, str]] = []
        if stage in "PM" and boards:
            given.append(("Z02", "1000" if stage == "P" else "1250"))
        elif stage in "HV" and (poor or boards):
            given.append(("Z07" if stage == "H" else "Z08", "2000"))
        elif poor:
            given.append(("Z06", "300") if stage == "K" else ("Z05", "500"))
        if "K01" in kinds:
            given.append(("Z10", "13200"))
        if "K05" in kinds:
            given.append(("Z11", "960"))
        if "H01" in kinds and c.chance(0.4):
            given.append(("Z09", "4800"))
        for kind, amount in given:
            if c.chance(0.55 + 0.45 * pupil.well):
                since = max(start, stay.start)
                c.add("subsidy", child=pupil.code, kind=kind, amount=amount, paid_on=max(since, dt.date(2025, 11, 20)), paid_by=c.pick("银行卡|银行卡|饭卡"),
                      start=since, end=end if kind != "Z10" else "")  # fmt: skip


def reports(c: County, pupils: list[Pupil]) -> None:
    """Three, of the kind that the law asks for; reported at once."""
    c.draw("reports")
    for centre, day, situation, details in (
        (SECRETARY, "2026-04-15", "6", "照护人住院，儿童独自在家两日，已由村委会安排临时照护。"),
        ("3153990006", "2025-11-20", "4", "手臂有多处淤青，自述被照护人责打，已送医并报警。"),
        ("2153990010", "2026-05-28", "9", "热线反映线索，派出所核查后排除。"),
    ):
        pupil = next(p for p in pupils if p.now is not None and p.stays[-1].school["code"] == centre)
        c.add("mandatory_report", child=pupil.code, school=centre, found_at=f"{day} 10:20", finder=c.person(), situation=situation, reported_at=f"{day} 10:40",
              station="辖区派出所", receipt=f"JJ{day.replace('-', '')}01", bureau_at=f"{day} 11:30", details=details)  # fmt: skip
