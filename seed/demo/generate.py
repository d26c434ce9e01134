"""Makes the CSV files of the demo county: python3 seed/demo/generate.py. Deterministic; everybody in it is invented.

ID numbers lie in the unassigned area 539999, phones begin with 199000. Schools differ in how well they work, so that
scores differ. Here: schools, children, their files and care; moves, childfiles, schoolwork and office add the rest.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import childfiles
import moves
import office
import schoolwork
from county import AUTUMN, CITIES, MONTHS, PLACE_NAMES, SPRING, SURNAMES, TOWNSHIPS, VILLAGES, County, pupils_of, told

NOTES = {
    "thought": "守纪律，愿意帮助同学|集体活动参与积极|能听从教导，偶有拖拉",
    "mind": "情绪平稳，与同伴相处好|近期想念父母，已多关心|性格内向，逐渐开朗",
    "study": "作业按时，数学需辅导|阅读进步明显|基础较弱，课后有老师帮扶",
    "life": "自理能力较好|饮食正常，作息规律|住校适应，个人卫生需提醒",
}


REQUESTS = {"无": "", "希望周末有人辅导作业": "study", "想每周和妈妈视频": "company", "饮食清淡": "diet"}


def schools(c: County) -> list[dict[str, Any]]:
    """90 assessed schools and 160 sites: (row, grades taught, how many children, how well it works)."""
    found, names = [], iter([f"{a}{b}" for b in ("", "新", "东", "西") for a in PLACE_NAMES])
    site = 1
    sites_of = [3, 2] + [7] * 19 + [8, 8, 6]
    assert len(sites_of) == 24 and sum(sites_of) == 160

    def add(
        code: str, name: str, town: str, kind: str, group: str, grades: list[str], children: int, centre: str = "", **more: Any
    ) -> None:
        well = c.random.uniform(0.62, 1.0) if not centre else next(s["well"] for s in found if s["code"] == centre)
        row = {
            "code": code, "name": name, "township": town, "kind": kind, "centre": centre, "assessed": "0" if centre else "1",
            "affiliation": "county" if group in ("county_primary", "senior") else "township", "school_group": group, "boarding": more.get("boarding", "0"), "public": "1", "area": more.get("area", "village"),
            "pupils": children * c.random.randrange(5, 9),
        }  # fmt: skip
        c.add("school", **row)
        found.append(
            {
                "code": code,
                "town": town,
                "grades": grades,
                "children": children,
                "well": well,
                "centre": centre or code,
                "name": name,
                "row": row,
            }
        )

    primary = [f"P{n}" for n in range(1, 7)]
    for n in range(24):
        town = TOWNSHIPS[n % 12] if n > 1 else TOWNSHIPS[3 if n == 0 else 4]
        name = next(names)
        code = f"2153990{n + 1:03}"
        add(code, f"{town[1]}{name}小学", town[0], "centre", "primary", primary, c.random.randrange(20, 37), boarding="1")
        for k in range(sites_of[n]):
            kind = "point" if k % 3 == 2 else "village"
            village = VILLAGES[(n + k) % len(VILLAGES)]
            grades = primary[:3] if kind == "point" else primary
            add(f"215399{1000 + site:04}", f"{name}小学{village}{'教学点' if kind == 'point' else '完小'}", town[0], kind, "", grades,
                c.random.randrange(3, 11), centre=code)  # fmt: skip
            site += 1
    for n in range(6):
        add(f"2153990{n + 101:03}", f"县第{'一二三四五六'[n]}小学", TOWNSHIPS[n % 2][0], "primary", "county_primary", primary,
            c.random.randrange(10, 24), area="city")  # fmt: skip
    for n in range(14):
        town = TOWNSHIPS[n % 12]
        add(f"3153990{n + 1:03}", f"{town[1]}{'第二' if n > 11 else ''}中学", town[0], "junior", "junior", ["M1", "M2", "M3"],
            c.random.randrange(30, 48), boarding="1", area="town")  # fmt: skip
    for n in range(2):
        town = TOWNSHIPS[10 + n]
        add(f"3153990{n + 51:03}", f"{town[1]}九年一贯制学校", town[0], "nine_year", "junior", [*primary, "M1", "M2", "M3"], 26,
            boarding="1")  # fmt: skip
    for n, (kind, name) in enumerate(
        (("complete", "县第一中学"), ("complete", "县民族中学"), ("senior", "县高级中学"), ("vocational", "县职业高级中学"))
    ):
        grades = ["V1", "V2"] if kind == "vocational" else ["H1"] if kind == "senior" else ["M1", "M2", "M3", "H1"]
        code = f"3653990{n + 1:03}" if kind == "vocational" else f"3453990{n + 1:03}"
        add(code, name, TOWNSHIPS[0][0], kind, "senior", grades, c.random.randrange(12, 26), boarding="1", area="city")
    for n in range(40):
        town = TOWNSHIPS[n % 12]
        add(f"1153990{n + 1:03}", f"{town[1]}{PLACE_NAMES[n % 24]}{'第二' if n > 23 else ''}幼儿园", town[0], "kindergarten", "kindergarten",
            ["K1", "K2", "K3"], c.random.randrange(3, 10), area="town")  # fmt: skip
    c.add("school", code="9953990001", name="县外", kind="outside", assessed="0", boarding="0", public="1")
    return found


def age_in(grade: str) -> int:
    """A typical age on 1 September 2025."""
    return {"K": 2, "P": 5, "M": 11, "H": 14, "V": 14}[grade[0]] + int(grade[1])


def staff(c: County, school: dict[str, Any]) -> list[str]:
    codes = []
    for n in range(1 + school["children"] // 7):
        code = f"T{len(c.files.get('staff', [])) + 1:04}"
        c.add("staff", code=code, school=school["code"], name=c.person(), duty="德育主任" if n == 0 else "班主任", phone=c.phone(),
              phone_changed_on="2024-09-01", start="2019-09-01", end="")  # fmt: skip
        codes.append(code)
    return codes


def signed(number: int, start: dt.date) -> dict[str, Any]:
    """The notice that most guardians have signed when the child came; one in nine has not yet."""
    if number % 9 == 0:
        return {"consent": "", "informed_on": "", "informed_version": ""}
    return {"consent": "duty" if number % 23 == 0 else "given", "informed_on": start, "informed_version": "2025-1"}


def child(c: County, school: dict[str, Any], teachers: list[str]) -> None:
    r, well = c.random, school["well"]
    code = f"C{len(c.files.get('child', [])) + 1:05}"
    grade = r.choice(school["grades"])
    year = 2025 - age_in(grade)
    born = c.day(dt.date(year - 1, 9, 1), dt.date(year, 8, 31))
    male = c.chance(0.54)
    surname = r.choice(SURNAMES)
    village = r.choice(VILLAGES)
    teacher = r.choice(teachers)
    start = dt.date(2025, 9, 1) if c.chance(0.94) else c.day(dt.date(2025, 10, 8), dt.date(2026, 4, 20))
    complete = c.chance(0.55 + well * 0.45)
    address = f"{village}{r.randrange(1, 12)}组"
    c.add(
        "child", code=code, school=school["code"], name=c.person(surname), sex="1" if male else "2", birth_date=born,
        ethnic=r.choice(("07", "07", "07", "18", "18", "01", "16", "24")), id_kind="1", id_number=c.id_number(born, male), grade=grade,
        class_name=f"{r.choice((1, 1, 2))}班", class_teacher=teacher, boarding="1" if grade[0] in "MHV" else min(r.choice("001"), school["row"]["boarding"]),
        home_address=address, hukou="1", hukou_place=f"{village}", area="village", health="10",
        special_requests="" if not complete and c.chance(0.4) else r.choice(tuple(REQUESTS)),
        facts_confirmed_at="2026-03-10" if c.chance(well) else "",
    )  # fmt: skip
    c.files["child"][-1] |= signed(len(c.files["child"]), start)
    c.files["child"][-1]["request_kinds"] = REQUESTS.get(c.files["child"][-1]["special_requests"], "")
    leaves = c.chance(0.02)
    c.add("enrolment", child=code, school=school["code"], child_name=c.files["child"][-1]["name"], start=start,
          end=c.day(dt.date(2026, 4, 20), dt.date(2026, 7, 10)) if leaves else "", leave_reason="transfer" if leaves else "")  # fmt: skip
    parents(c, code, surname, well)
    carer(c, code, address, complete, well)
    if not leaves:
        file(c, code, school, teachers, teacher, well, complete, start)
    care(c, code, teacher, well, start)


def parents(c: County, code: str, surname: str, well: float) -> None:
    r = c.random
    kind = r.choices(("both", "one_unable", "one_home"), (82, 10, 8))[0]
    for side in ("father", "mother"):
        parent = f"{code}{side[0].upper()}"
        changed = c.day(dt.date(2025, 11, 1), dt.date(2026, 6, 1)) if c.chance(0.12) else dt.date(2024, 9, 1)
        c.add("parent", code=parent, child=code, side=side, bond="own", name=c.person(surname if side == "father" else ""), phone=c.phone(),
              phone_changed_on=changed, contact=r.choice("12233"))  # fmt: skip
        away = kind == "both" or side == "father"
        state = "away" if away else r.choice(("incapable", "dead", "missing")) if kind == "one_unable" else "home"
        since = c.day(dt.date(2021, 2, 1), dt.date(2025, 3, 1))
        back = kind == "both" and side == "mother" and c.chance(0.05)
        returned = c.day(dt.date(2026, 1, 20), dt.date(2026, 3, 20))
        c.add("parent_status", parent=parent, state=state, place=r.choice(CITIES) if state == "away" else "", start=since,
              end=returned if back else "")  # fmt: skip
        if back:
            c.add("parent_status", parent=parent, state="home", place="", start=returned, end="")


def carer(c: County, code: str, address: str, complete: bool, well: float) -> None:
    r = c.random
    kept = complete or c.chance(0.7)
    c.add(
        "carer", code=f"{code}G", child=code, name=c.person(), relation=r.choice(("61", "62", "62", "63", "64", "90", "81")), sex="",
        age=r.randrange(52, 76), age_on="2025-09-10", occupation="farming" if kept else "", phone=c.phone(), phone_changed_on="2024-09-01",
        address=address, health=r.choice(("good", "fair", "chronic")), quality=r.choice(("good", "good", "fair", "poor")),
        start="2024-09-01", end="",
    )  # fmt: skip


def file(
    c: County, code: str, school: dict[str, Any], teachers: list[str], teacher: str, well: float, complete: bool, start: dt.date
) -> None:
    """Responsible person, card and the four states."""
    r = c.random
    if c.chance(0.85 + well * 0.15):
        c.add("responsibility", child=code, staff=teacher, start=start, end="")
    if c.chance(0.82 + well * 0.18):
        on = start + dt.timedelta(days=r.randrange(5, 30))
        c.add("contact_card", child=code, number=1, issued_on=on, issued_by=school["code"], entered_at=on)
        if c.chance(well):
            on = c.day(dt.date(2026, 6, 2), dt.date(2026, 6, 30))
            c.add("contact_card", child=code, number=2, issued_on=on, issued_by=school["code"], entered_at=on)
    for side, texts in NOTES.items():
        if complete or c.chance(0.6):
            on = max(start, c.day(dt.date(2026, 3, 10), dt.date(2026, 6, 25)))
            c.add(
                "state_note", child=code, term="2025-2", side=side, on=on, **told(side, r.choice(texts.split("|"))), entered_at=on
            )


def care(c: County, code: str, teacher: str, well: float, start: dt.date) -> None:
    """A talk most months, a visit most terms, a call now and then."""
    r = c.random
    for year, month in MONTHS:
        if dt.date(year, month, 20) > start and c.chance(0.35 + well * 0.62):
            on = dt.date(
                year,
                month,
                r.randrange(3, 10)
                if month == 7
                else r.randrange(max(1, start.day if (year, month) == (start.year, start.month) else 1), 23),
            )
            c.add("care_record", child=code, kind="talk", on=on, way="face", staff=teacher, role=r.choice(("responsible", "class_teacher")),
                  entered_at=on)  # fmt: skip
    for first, last in (AUTUMN, SPRING):
        if last > start and c.chance(0.4 + well * 0.58):
            on = c.day(max(first, start), last)
            c.add("care_record", child=code, kind="visit", on=on, way=r.choice(("home", "home", "home", "home", "phone")), staff=teacher,
                  role="responsible", entered_at=on)  # fmt: skip
    if c.chance(0.3):
        on = c.day(max(dt.date(2026, 3, 5), start), dt.date(2026, 7, 5))
        c.add("care_record", child=code, kind="contact", on=on, way="video", staff=teacher, role="responsible", entered_at=on)


def work(c: County, school: dict[str, Any], pupils: list[tuple[str, str]]) -> None:
    """Drills each term, some activities with participants."""
    r, well = c.random, school["well"]
    titles = {
        "D1": "消防疏散演练",
        "D2": "防震减灾疏散演练",
        "D3": "防侵害自护演练",
        "A05": "安全教育课",
        "A17": "经典诵读",
        "A15": "感恩教育课",
    }
    for term, (first, last) in (("秋", AUTUMN), ("春", SPRING)):
        for kind, title in titles.items():
            if kind[0] == "A" and school["centre"] != school["code"]:
                continue
            if c.chance(0.45 + well * 0.55):
                on = c.day(first + dt.timedelta(days=10), last - dt.timedelta(days=5))
                code = f"A{len(c.files.get('activity', [])) + 1:05}"
                c.add("activity", code=code, school=school["code"], title=f"{term}季{title}", kind=kind, on=on, place="操场", leader=c.person(),
                      pupils=school["children"] * 5, entered_at=on)  # fmt: skip
                if kind in ("D1", "A15"):
                    for child_code, since in pupils:
                        if str(since) <= str(on) and c.chance(0.5):
                            c.add("participation", activity=code, child=child_code, entered_at=on)
    del r


def training(c: County, school: dict[str, Any], pupils: list[str]) -> None:
    r, well = c.random, school["well"]
    for n in range(r.choices((0, 1, 2, 3), (1 - well, 0.35, 0.8, 0.3))[0]):
        on = c.day(*(AUTUMN if n % 2 == 0 else SPRING))
        code = f"S{len(c.files.get('training_session', [])) + 1:04}"
        c.add("training_session", code=code, school=school["code"], title=f"第{n + 1}期隔代教育与安全监护讲座", kind=r.choice(("T1", "T3")), on=on,
              hours=2, place="多功能教室", speaker=c.person(), expected=len(pupils), entered_at=on)  # fmt: skip
        for child_code in pupils:
            if c.chance(0.2 + well * 0.45):
                c.add("attendance", session=code, child=child_code, carer=f"{child_code}G", how=r.choice(("present", "present", "present", "at_home")),
                      entered_at=on)  # fmt: skip


def main() -> None:
    c = County()
    found = schools(c)
    by_centre: dict[str, list[str]] = {}
    for school in found:
        teachers = school["teachers"] = staff(c, school)
        first = len(c.files.get("child", []))
        for _ in range(school["children"]):
            child(c, school, teachers)
        codes = [row["code"] for row in c.files["child"][first:]]
        stays = {row["child"]: row for row in c.files["enrolment"][first:]}
        here = [(code, stays[code]["start"]) for code in codes if not stays[code]["end"]]
        by_centre.setdefault(school["centre"], []).extend(code for code, _since in here)
        work(c, school, here)
    for school in found:
        if school["centre"] == school["code"]:
            training(c, school, by_centre[school["code"]])
    pupils = pupils_of(c, found)
    moves.moves(c, pupils, found)
    childfiles.everything(c, pupils)
    schoolwork.everything(c, found, pupils)
    office.everything(c, found, pupils)
    c.write()
    print({table: len(rows) for table, rows in c.files.items()})


if __name__ == "__main__":
    main()
