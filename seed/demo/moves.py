"""Who moves: out of the county, to another school, and who is on the way."""

from __future__ import annotations

import datetime as dt
from typing import Any

from county import LAST, OUTSIDE, SECRETARY, SPRING, County, Pupil, School, Stay, told


def moves(c: County, pupils: list[Pupil], schools: list[School]) -> None:
    """Who left went out of the county or to another school; some are on the way."""
    c.draw("moves")
    enrolments = {row["child"]: row for row in c.files["enrolment"]}
    for pupil in pupils:
        stay = pupil.stays[0]
        if stay.end is None:
            continue
        target = None if c.chance(0.3) else another(c, schools, pupil)
        late = c.chance(0.45 - 0.42 * stay.school["well"])
        proposed = max(stay.start, stay.end - dt.timedelta(days=c.random.randrange(27, 45) if late else c.random.randrange(2, 17)))
        common = {
            "child": pupil.code,
            "school": stay.school["code"],
            "proposed_on": proposed,
            "answered_on": stay.end,
            "state": "accepted",
        }
        if target is None:
            c.add("transfer", **common, to_school=OUTSIDE, kind="out", to_place=c.pick("云南省昆明市官渡区某小学|广东省东莞市某学校|浙江省义乌市某学校"),
                  printed_on=stay.end)  # fmt: skip
            pupil.row |= {"school": OUTSIDE, "class_teacher": "", "facts_confirmed_at": ""}
            continue
        c.add("transfer", **common, to_school=target["code"], kind="move", grade=pupil.grade)
        arrive(c, pupil, Stay(target, stay.end, None, c.random.choice(target["teachers"])), enrolments)
    _stop_care(c, pupils)
    on_the_way(c, pupils, schools)


def another(c: County, schools: list[School], pupil: Pupil) -> School | None:
    """A school of another unit that teaches the child's grade."""
    here = pupil.stays[-1].school
    fit = [s for s in schools if pupil.grade in s["grades"] and s["centre"] != here["centre"]]
    return c.random.choice(fit) if fit else None


def arrive(c: County, pupil: Pupil, stay: Stay, enrolments: dict[str, Any]) -> None:
    """The file at the new school: a stay, a responsible person, a card, the four states."""
    school, well = stay.school, stay.school["well"]
    pupil.stays.append(stay)
    confirmed = stay.start + dt.timedelta(days=c.random.randrange(3, 20)) if c.chance(well) else ""
    pupil.row |= {"school": school["code"], "class_teacher": stay.teacher, "class_name": "1班", "facts_confirmed_at": confirmed}
    c.add("enrolment", child=pupil.code, school=school["code"], child_name=pupil.row["name"], start=stay.start)
    if c.chance(0.7 + well * 0.3):
        c.add("responsibility", child=pupil.code, staff=stay.teacher, start=stay.start, end="")
    if c.chance(well):
        on = min(LAST, stay.start + dt.timedelta(days=c.random.randrange(4, 20)))
        c.add("contact_card", child=pupil.code, number=1, issued_on=on, issued_by=school["code"], entered_at=on)
    on = stay.start + dt.timedelta(days=2)
    if c.chance(well) and on <= SPRING[1]:
        for side, text in (
            ("thought", "守纪律，适应新班级"),
            ("mind", "情绪平稳"),
            ("study", "基础较好"),
            ("life", "自理能力较好"),
        ):
            c.add("state_note", child=pupil.code, term="2025-2", side=side, on=on, **told(side, text), entered_at=on)


def _stop_care(c: County, pupils: list[Pupil]) -> None:
    """What was done after a move was done by the new school; out of the county nothing was."""
    moved = {p.code: p for p in pupils if p.stays[0].end is not None}
    kept = []
    for row in c.files["care_record"]:
        pupil = moved.get(row["child"])
        stay = pupil.at(row["on"]) if pupil else None
        if pupil is None or stay is not None:
            kept.append(row if stay is None else row | {"staff": stay.teacher})
    c.files["care_record"] = kept


def on_the_way(c: County, pupils: list[Pupil], schools: list[School]) -> None:
    """Transfers that wait, were asked for, or came back; a class of sixth grade on its way to the middle school."""
    by_code = {s["code"]: s for s in schools}
    open_ = [p for p in pupils if len(p.stays) == 1 and p.now is not None]

    def propose(pupil: Pupil, to: str, on: dt.date, state: str, **more: Any) -> None:
        open_.remove(pupil)
        c.add("transfer", child=pupil.code, school=pupil.stays[0].school["code"], to_school=to, proposed_on=on, state=state,
              **{"kind": "move", "grade": pupil.grade} | more)  # fmt: skip

    def at(code: str, grade: str) -> Pupil:
        return next(p for p in open_ if p.stays[0].school["centre"] == code and p.grade == grade)

    propose(at("2153990002", "P3"), SECRETARY, dt.date(2026, 8, 24), "pending")
    propose(at("2153990007", "P4"), "2153990002", dt.date(2026, 6, 15), "pending")
    propose(at("2153990011", "P2"), "2153990104", dt.date(2026, 8, 20), "pending")
    propose(at("3153990004", "M1"), "3153990002", dt.date(2026, 8, 26), "pending")
    propose(at("2153990009", "P5"), "2153990003", dt.date(2026, 5, 11), "returned", answered_on=dt.date(2026, 5, 20),
            answer="学生未到校报到，请与家长核实后重新发起。")  # fmt: skip
    propose(at("2153990014", "P1"), "2153990016", dt.date(2026, 4, 7), "returned", answered_on=dt.date(2026, 4, 9),
            answer="接收学校选错，应为古城街道的学校。")  # fmt: skip
    propose(at(SECRETARY, "P4"), "2153990101", dt.date(2026, 8, 27), "requested")
    for _ in range(5):
        pupil = at("2153990004", "P6")
        propose(pupil, "3153990004", dt.date(2026, 8, 25), "pending", kind="promotion", grade="M1")
    assert all(row["to_school"] in by_code or row["to_school"] == OUTSIDE for row in c.files["transfer"])
