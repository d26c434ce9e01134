"""What the office sees: the census, opinion, notices, the round with its samples and what people judged."""

from __future__ import annotations

import datetime as dt

from county import DAY, SECRETARY, County, Pupil, School, boards, good

CENSUS = {"2025-1": (dt.date(2025, 9, 1), dt.date(2025, 9, 20)), "2025-2": (dt.date(2026, 3, 2), dt.date(2026, 3, 20))}
JUDGED = (("A1.4", 3.0), ("A4.2", 1.5), ("A6.4", 0.5), ("A7.3", 1.0), ("A7.4", 2.0), ("A8.1", 1.0))
"""What a person still judges, and how many points of it."""
BOARDERS_ONLY = ("A6.4", "A7.3")
WHY = "部分材料不全|记录不够规范|个别时段未开展|抽查发现缺项|设施较旧，使用登记不全"
WHY_OWN = "台账有两处漏签|心理室周三下午未开放|个别值班记录补签|图书角登记不全"
WAITING_AT = {"2153990001": ("A1.4", "A7.4"), "2153990005": ("A7.4",), "3153990003": ("A1.4",)}
"""Left for the office to judge, so that the demo shows work to do."""


def everything(c: County, schools: list[School], pupils: list[Pupil]) -> None:
    units = [s for s in schools if s["centre"] == s["code"]]
    census(c, units, pupils)
    opinions(c, units)
    notices(c, units)
    assessment(c, units, pupils)
    self_assessments(c, units)


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
          last_day="2026-08-31", cut_off="2026-08-31", self_due="2026-09-20", state="open")  # fmt: skip
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
            room, unneeded = {
                "A4.2": ("counsel", kind == "kindergarten"),
                "A8.1": ("home", kind in ("senior", "vocational")),
            }.get(item, ("", False))
            lacking = bool(room) and (code, room) not in rooms
            if lacking and unneeded:
                continue
            full = c.chance(0.25 + 0.7 * well)
            points = top if full else round(top * c.random.choice((0.9, 0.8, 0.7, 0.6 if well < 0.6 else 0.8)), 1)
            if lacking:
                points, full = 0.0, False
            c.add(
                "item_score",
                round="2026",
                school=code,
                indicator=item,
                final=points,
                reason="" if full else c.pick(WHY),
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


def self_assessments(c: County, units: list[School]) -> None:
    """Most schools have given themselves points and handed them in; the demo's own school is in the middle of it."""
    c.draw("self-assessments")
    given = {(row["school"], row["indicator"]): (row["final"], row["reason"]) for row in c.files["item_score"]}
    for school in units:
        code, who, head = school["code"], c.person(), c.person()
        items = [(item, top) for item, top in JUDGED if (code, item) in given or item in WAITING_AT.get(code, ())]
        if code == SECRETARY:
            items = items[1:3]
        filling = code == SECRETARY or c.chance(0.15)
        for item, top in items:
            final, reason = given.get((code, item), (round(top * 0.9, 1), ""))
            points = top if final and c.chance(0.25) else min(top, final)
            c.add("self_score", round="2026", school=code, indicator=item, points=points, by=who,
                  words="" if points == top else reason or c.pick(WHY_OWN))  # fmt: skip
        if filling:
            continue
        c.add("sheet_step", round="2026", school=code, move="submitted", by=who, words="")
        if code == "2153990006":
            c.add(
                "sheet_step",
                round="2026",
                school=code,
                move="returned",
                by="普玉珍",
                words="A1.4 缺强制报告制度的执行记录，请补后再报。",
            )
        elif code != "2153990002" and c.chance(0.85):
            c.add("sheet_step", round="2026", school=code, move="confirmed", by=head, words="")
