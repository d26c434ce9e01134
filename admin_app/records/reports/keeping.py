"""A counted report kept as it was: to text and back, its workbook, and what is handed in."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ... import labels
from ...access import scope_in
from ...models import BY_TOWNSHIP, Report, School, SchoolKind
from ...orm import utcnow
from ...rules import Complaint
from ...sheets import statistics
from .. import county
from . import definition as definitions, protecting
from .counting import Cell, Checked, Counted, Culprit, Line
from .definition import AXIS_WORDS, Definition, Equation
from .members import TRAITS, Period

KIND = {"sum": "money", "share": "share"}


def unit_of(session: Session) -> School:
    """Whose report it is: the actor's school (the centre of its sites), else the bureau."""
    scope = scope_in(session)
    if scope.reads_everywhere:
        return session.scalars(select(School).where(School.kind == SchoolKind.BUREAU)).one()
    own = session.scalars(select(School).where(School.id.in_(scope.school_ids)).order_by(School.code)).all()
    if not own:
        raise Complaint("没有可统计的学校。")
    return next((school for school in own if school.centre_id not in scope.school_ids), own[0])


def unit_name(session: Session) -> str:
    """As it stands on its seal: the school, or the bureau in full."""
    if scope_in(session).reads_everywhere:
        return county.word(session, "bureau")
    return str(unit_of(session))


def keep(session: Session, counted: Counted, by: str) -> Report:
    """Keep a report as it stands. It can be opened and exported again, whatever the register says later."""
    kept = Report(
        school_id=unit_of(session).id,
        kind=counted.definition.key,
        title=title_of(counted),
        since=counted.period.since,
        on=counted.period.on,
        basis=counted.definition.basis,
        content=json.dumps(_plain(counted), ensure_ascii=False),
        failing=len(counted.failing),
        by=by,
    )
    session.add(kept)
    return kept


def hand_in(kept: Report, by: str) -> None:
    """上报: from here on it stands as handed in.

    :raises Complaint: while a check equation fails, or when it was handed in already.
    """
    if kept.kind == definitions.CROSSED:
        raise Complaint("交叉统计只供查看，不用上报。")
    if kept.handed_in_at is not None:
        raise Complaint("这份报表已经上报过了。")
    if kept.failing:
        raise Complaint(f"表内勾稽关系有 {kept.failing} 条不平，不能上报：请按差异名单改好台账后重新统计。")
    kept.handed_in_at, kept.handed_in_by = utcnow(), by


@dataclass(frozen=True)
class Standing:
    """One assessed school, and the report that it handed in last."""

    school: School
    report: Report | None


def standings(session: Session, kind: str, since: dt.date) -> list[Standing]:
    """Which of the assessed schools the session may see have handed a report of this kind in since a day (by the county's clock):
    those that have not come first.
    """
    midnight = dt.datetime.combine(since, dt.time(), labels.COUNTY_CLOCK)
    handed = select(Report).where(Report.kind == kind, Report.handed_in_at >= midnight).order_by(Report.handed_in_at)
    newest = {report.school_id: report for report in session.scalars(handed)}
    scope, schools = scope_in(session), session.scalars(select(School).where(School.assessed).order_by(*BY_TOWNSHIP))
    rows = [Standing(s, newest.get(s.id)) for s in schools if scope.reads_everywhere or s.id in scope.school_ids]
    return sorted(rows, key=lambda row: row.report is not None)


def opened(kept: Report) -> Counted:
    """The report as it was kept, read with the definition of its kind as it was then."""
    raw = json.loads(kept.content)
    found = definitions.parsed(kept.kind, raw["definition"])
    return Counted(
        found,
        Period(kept.since, kept.on, tuple(raw["holiday"]) if raw["holiday"] else None),
        raw["unit"],
        [Line(key, label, level, [_cell(value) for value in cells]) for key, label, level, cells in raw["lines"]],
        [
            Checked(Equation(tuple(left), tuple(right)), a, b, [Culprit(*culprit) for culprit in culprits])
            for left, right, a, b, culprits in raw["checks"]
        ],
        {title: [Culprit(*each) for each in people] for title, people in raw["lists"].items()},
        tuple(raw["remarks"]),
    )


def _plain(counted: Counted) -> dict[str, Any]:
    return {
        "definition": counted.definition.source,
        "unit": counted.unit,
        "holiday": counted.period.holiday,
        "lines": [(line.key, line.label, line.level, [_number(cell) for cell in line.cells]) for line in counted.lines],
        "checks": [
            (check.equation.left, check.equation.right, check.left, check.right, [_culprit(c) for c in check.culprits])
            for check in counted.checks
        ],
        "remarks": counted.remarks,
        "lists": {title: [_culprit(each) for each in people] for title, people in counted.lists.items()},
    }


def _culprit(who: Culprit) -> tuple[Any, ...]:
    return who.child_id, who.name, who.school, who.class_name, who.why


def _number(value: Cell) -> int | str | None:
    return str(value) if isinstance(value, Decimal) else value


def _cell(value: int | str | None) -> Cell:
    return Decimal(value) if isinstance(value, str) else value


def title_of(counted: Counted) -> str:
    """The title, with the holiday it is about."""
    holiday = counted.period.holiday
    return f"{counted.definition.title}（{holiday[1]}）" if holiday else counted.definition.title


def said(counted: Counted) -> str:
    """The line below the title: who fills it in, for whom, by which definition, as of when."""
    found, period = counted.definition, counted.period
    when = f"统计截止日期：{labels.day(period.on)}"
    if period.since != period.on:
        when = f"统计时间：{labels.day(period.since)}至{labels.day(period.on)}"
    return f"填报单位（盖章）：{counted.unit}　　{when}　　报送：{found.to}　　口径：{found.basis}　　单位：人"


def row_title(found: Definition) -> str:
    """What stands above the labels of the rows."""
    return "、".join(AXIS_WORDS.get(axis) or TRAITS[axis].label for axis in found.axes)


OUTSIDE = "（对外）"
STAR = "＊"


def workbook(counted: Counted, receipt: Mapping[str, str], *, outside: bool = False) -> bytes:
    """The report as .xlsx: sums, shares and check equations live, differences by name, who took it when.

    :param outside: for readers outside the bureau: no names, small numbers hidden, no formula that would tell them.
    """
    found = counted.definition
    place = {column.key: n for n, column in enumerate(found.columns)}
    if outside:
        return _sheets(found, _outside(counted), receipt)
    table = statistics.Table(
        title_of(counted),
        said(counted),
        row_title(found),
        [(column.group, column.title) for column in found.columns],
        [statistics.Line(line.label, line.level, _entries(counted, n, place)) for n, line in enumerate(counted.lines)],
        numbers=[column.key for column in found.columns] if found.numbered else [],
        checks=[
            statistics.Check(_words(counted, check), *(tuple(place[key] for key in side) for side in (check.left, check.right)))
            for check in found.checks
        ],
        notes=(*found.notes, *counted.remarks),
        signed=found.signed,
        sentences=tuple(counted.sentences),
        names=_names(counted),
    )
    return _sheets(found, table, receipt)


def _sheets(found: Definition, table: statistics.Table, receipt: Mapping[str, str]) -> bytes:
    return statistics.page(table, receipt) if found.layout == "page" else statistics.workbook(table, receipt)


def _outside(counted: Counted) -> statistics.Table:
    found, gone = counted.definition, protecting.hidden(counted)
    kinds = [KIND.get(column.measure, "count") for column in found.columns]
    return statistics.Table(
        title_of(counted) + OUTSIDE,
        said(counted),
        row_title(found),
        [(column.group, column.title) for column in found.columns],
        [
            statistics.Line(
                line.label,
                line.level,
                [statistics.Entry(STAR if (n, at) in gone else value, kinds[at]) for at, value in enumerate(line.cells)],
            )
            for n, line in enumerate(counted.lines)
        ],
        numbers=[column.key for column in found.columns] if found.numbered else [],
        notes=(*found.notes, *counted.remarks, f"为保护儿童，小于 {protecting.LEAST} 的人数和能推算出它们的数以“{STAR}”代替。"),
        signed=found.signed,
    )


def _words(counted: Counted, check: Equation) -> str:
    """An equation as it is printed: by the numbers of the columns, else by their titles."""
    return str(check) if counted.definition.numbered else equation_words(counted, check)


def equation_words(counted: Counted, check: Equation) -> str:
    """An equation by the titles of its columns; those that are called alike by their groups as well."""
    sides = [[counted.definition.column(key) for key in side] for side in (check.left, check.right)]
    titles = [column.title for side in sides for column in side]
    return "＝".join("＋".join(f"{c.group} {c.title}" if titles.count(c.title) > 1 else c.title for c in side) for side in sides)


def _entries(counted: Counted, number: int, place: Mapping[str, int]) -> list[statistics.Entry]:
    below = protecting.lines_below(counted, number)
    found = []
    for column, value in zip(counted.definition.columns, counted.lines[number].cells, strict=True):
        at = place[column.key]
        if column.measure == "share":
            found.append(statistics.Entry(value, "share", ratio=(place[column.of[0]], place[column.of[1]])))
            continue
        summed = sum((counted.lines[n].cells[at] or 0 for n in below), 0) if below else None
        kind = "money" if isinstance(value, Decimal) else "count"
        found.append(statistics.Entry(value, kind, sums=tuple(below) if summed == value else ()))
    return found


def _names(counted: Counted) -> list[statistics.Names]:
    people = ("姓名", "学校", "班级")
    rows = [
        (_words(counted, check.equation), who.name, who.school, who.class_name, who.why)
        for check in counted.checks
        for who in check.culprits
    ]
    sheets = [statistics.Names("差异名单", ("等式", *people, "原因"), rows, (30, 12, 26, 14, 50))] if rows else []
    for title, listed in counted.lists.items():
        lines = [(who.name, who.school, who.class_name, who.why) for who in listed]
        sheets.append(statistics.Names(title, (*people, "说明"), lines, (12, 30, 16, 40)))
    return sheets
