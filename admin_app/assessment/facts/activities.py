"""What schools held: lessons, drills, meetings, openings of rooms, work with others. All from the round's activities, read once."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal

from sqlalchemy import or_, select

from ...models import CodeKind, Enrolment, FacilityKind
from ..scoring import Fact, Line
from .catalogue import ONE, ZERO, ByUnit, for_each_unit, metric, share, shares, still, tally, ticked, total
from .window import DAY, KINDERGARTEN, SENIOR, Done, Window

COUNTED_DRILLS = ("D1", "D2", "D3")
MEETINGS_A_TERM = 2
"""Ruling 6: at most so many count in a term."""
OPENINGS_IN_TERM, OPENINGS_IN_HOLIDAYS = 36, 10
"""F19: as many openings are full marks."""
TERM_WEIGHT, HOLIDAY_WEIGHT = Decimal("0.6"), Decimal("0.4")


def _by_unit(window: Window, which: Callable[[Done], bool]) -> dict[int, list[Done]]:
    found: dict[int, list[Done]] = defaultdict(list)
    for done in window.activities:
        if which(done):
            found[done.unit].append(done)
    return found


def _of_kinds(window: Window, *codes: str) -> dict[int, list[Done]]:
    return _by_unit(window, lambda done: done.code in codes)


def _line(done: Done, part: str = "") -> Line:
    return ticked(done.id, done.title, done.weight, f"{done.on}" + ("" if done.weight else "（补录，不计）"), part)


def _best(held: Iterable[Done]) -> list[Done]:
    """Those that count most first, so that a month, a term or a day takes its best (ruling 18)."""
    return sorted(held, key=lambda done: -done.weight)


def _tallied(window: Window, held: dict[int, list[Done]], target: int, to_do: str) -> ByUnit:
    """How many of some activities, centre and sites together (ruling 11)."""
    return for_each_unit(window, lambda site: tally([_line(done) for done in held.get(site.unit, ())], target, to_do))


# --- so many in a year


@metric("safety_lessons", "安全、法治教育课", "已上课次", "应上课次", "三(二) 安全教育和法制教育", place="activity", shape="count")
def safety_lessons(window: Window) -> ByUnit:
    """A05 and A06."""
    return _tallied(window, _of_kinds(window, "A05", "A06"), 4, "还应上一次安全或法治教育课")


@metric("law_days", "以案说法", "已办次数", "应办次数", "三 以案说法，法律宣传进校园", place="activity", shape="count")
def law_days(window: Window) -> ByUnit:
    """A23."""
    return _tallied(window, _of_kinds(window, "A23"), 1, "还应办一次以案说法")


@metric("festivals", "体育艺术节", "已办次数", "应办次数", "三(四) 校园体育艺术节", place="activity", shape="count")
def festivals(window: Window) -> ByUnit:
    """A10."""
    return _tallied(window, _of_kinds(window, "A10"), 1, "还应办一次体育艺术节")


@metric("practice", "社会实践", "已办次数", "应办次数", "三(四) 社会实践活动", place="activity", shape="count")
def practice(window: Window) -> ByUnit:
    """A11."""
    return _tallied(window, _of_kinds(window, "A11"), 1, "还应办一次社会实践活动")


@metric(
    "class_meetings", "班队、少先队活动", "已办次数", "应办次数", "三(四) 班队、少先队和共青团活动", place="activity", shape="count"
)
def class_meetings(window: Window) -> ByUnit:
    """A07 and A08 together (ruling 12)."""
    return _tallied(window, _of_kinds(window, "A07", "A08"), 8, "还应办一次班队或少先队活动")


@metric(
    "publicity", "政策宣传与典型报道", "已登记条数", "应有条数", "四 法律法规宣传、先进典型报道", place="activity", shape="count"
)
def publicity(window: Window) -> ByUnit:
    """Everything of the publicity list."""
    return _tallied(window, _by_unit(window, lambda done: done.kind is CodeKind.PUBLICITY), 8, "还应有一条宣传报道")


@metric(
    "reading_months", "诵读经典与书香校园", "有活动的月份", "应有月份", "三(四) 书香校园、诵读经典", place="activity", shape="count"
)
def reading_months(window: Window) -> ByUnit:
    """A17, at most one a calendar month (ruling 12)."""
    monthly = {
        unit: sorted({(done.on.year, done.on.month): done for done in reversed(_best(held))}.values(), key=lambda done: done.on)
        for unit, held in _of_kinds(window, "A17").items()
    }
    return _tallied(window, monthly, 8, "还应有一个月开展诵读活动")


@metric(
    "agencies",
    "部门协同",
    "联合过的部门",
    "应联合部门",
    "三(五) 文明办、工会、妇联、团委、关工委等",
    place="activity",
    shape="count",
)
def agencies(window: Window) -> ByUnit:
    """The distinct agencies of all activities."""
    met: dict[int, dict[str, Done]] = defaultdict(dict)
    for done in _best(window.activities):
        for agency in done.agencies:
            met[done.unit].setdefault(agency, done)
    words = window.words

    def of(unit: int) -> list[Line]:
        return [
            ticked(agency, words.get((CodeKind.AGENCY, agency), agency), done.weight, f"{done.on} {done.title}")
            for agency, done in sorted(met.get(unit, {}).items())
        ]

    return for_each_unit(window, lambda site: tally(of(site.unit), 3, "还应与一个部门联合开展活动"))


# --- so many in a term


@metric("meetings", "专题会议", "已开次数", "应开次数", "三(一) 制度化、规范化、常态化", place="activity", shape="count")
def meetings(window: Window) -> ByUnit:
    """M01, at most two a term (ruling 6)."""
    return _a_term(window, _of_kinds(window, "M01"), MEETINGS_A_TERM, "还应开一次专题会议")


@metric("gratitude_terms", "感恩教育课", "已上课的学期", "学期", "三(四) 开设好感恩教育课", place="activity", shape="count")
def gratitude_terms(window: Window) -> ByUnit:
    """Terms with a lesson A15."""
    return _a_term(window, _of_kinds(window, "A15"), 1, "还应上一次感恩教育课")


def _a_term(window: Window, held: dict[int, list[Done]], most: int, to_do: str) -> ByUnit:
    """How many of some activities, so many in each term at most; outside the terms none counts."""

    def of(unit: int) -> Fact:
        lines = []
        for term in window.terms:
            done = _best(d for d in held.get(unit, ()) if term.start <= d.on <= term.last_day)[:most]
            lines += [*(_line(d, term.name) for d in done), *still(most - len(done), to_do, term.name)]
        n = total(lines)
        return Fact(n, n, Decimal(most * len(window.terms)), tuple(lines))

    return for_each_unit(window, lambda site: of(site.unit))


@metric(
    "F12",
    "防火、防震、防侵害演练",
    "已演练（类别 × 学期 × 办学点）",
    "应演练",
    "三(二) 防火、防震、防侵害等安全演练",
    place="activity",
)
def drills(window: Window) -> ByUnit:
    """The three drills of the plan, each term, at each site with pupils (ruling 11). Never without a denominator."""
    done: dict[tuple[int, str, str], Decimal] = {}
    for drill in window.activities:
        if drill.code in COUNTED_DRILLS and (term := window.term_on(drill.on)) is not None:
            key = (drill.school_id, drill.code, term.code)
            done[key] = max(drill.weight, done.get(key, ZERO))
    attended = _sites_with_children(window)
    lines = []
    for site in window.sites.values():
        if site.id != site.unit and not site.pupils and site.id not in attended:
            continue
        for term in window.terms:
            for kind in COUNTED_DRILLS:
                there = done.get((site.id, kind, term.code), ZERO)
                name = f"{window.words.get((CodeKind.DRILL, kind), kind)} · {site.name}"
                note = "" if there else f"{site.name} {term.name}未演练"
                lines.append((site.unit, ticked(f"{site.id}/{kind}/{term.code}", name, there, note, term.name)))
    return shares(lines)


def _sites_with_children(window: Window) -> set[int]:
    there = select(Enrolment.school_id).where(
        Enrolment.start <= window.end, or_(Enrolment.end.is_(None), Enrolment.end > window.start)
    )
    return set(window.session.scalars(there.distinct()))


# --- the openings of rooms


def _opened(window: Window, room: FacilityKind) -> dict[int, dict[dt.date, Done]]:
    """The days on which a unit opened a kind of room: one opening a day (ruling 10)."""
    found: dict[int, dict[dt.date, Done]] = defaultdict(dict)
    for done in _best(window.activities):
        if done.room is room:
            found[done.unit].setdefault(done.on, done)
    return found


def _day_lines(opened: Iterable[Done], part: str = "") -> list[Line]:
    return [ticked(done.id, f"{done.on}", done.weight, done.title, part) for done in sorted(opened, key=lambda done: done.on)]


def _short(target: int, done: Iterable[Line], part: str = "") -> list[Line]:
    n = math.ceil(target - total(done))
    return [Line(f"-{part}", f"{part}还应开放 {n} 次", ZERO, Decimal(n), "", part)] if n > 0 else []


@metric("F10", "心理咨询室开放", "有开放的教学周", "教学周", "三(二) 开设好心理咨询室", place="activity")
def counselling_room(window: Window) -> ByUnit:
    """School weeks with an opening. No room is 0, but at a kindergarten, which needs none."""
    opened: dict[int, dict[dt.date, Decimal]] = defaultdict(dict)
    for unit, days in _opened(window, FacilityKind.COUNSEL).items():
        for day, done in days.items():
            monday = day - day.weekday() * DAY
            opened[unit][monday] = max(done.weight, opened[unit].get(monday, ZERO))

    def of(unit: int) -> list[Line]:
        if (unit, FacilityKind.COUNSEL) not in window.rooms:
            return [Line("-", "没有登记心理咨询室", ZERO, Decimal(len(window.weeks)))]
        there = opened[unit]
        return [
            ticked(
                monday, f"{monday} 至 {monday + 6 * DAY}", there.get(monday, ZERO), "" if monday in there else "未开放", term.name
            )
            for monday, term in window.weeks.items()
        ]

    return {
        site.unit: share(of(site.unit))
        for site in window.units
        if window.stages[site.unit] != KINDERGARTEN or (site.unit, FacilityKind.COUNSEL) in window.rooms
    }


@metric(
    "F19",
    "留守儿童之家开放",
    "开放折算（学期内 0.6、假期 0.4）",
    "满分折算",
    "三 “留守儿童之家”，填补假期断档期",
    place="activity",
)
def home_openings(window: Window) -> ByUnit:
    """0.6 for the openings in term and 0.4 for those in the holidays. No home is 0, but at a school that teaches 高中 alone."""
    opened = _opened(window, FacilityKind.HOME)

    def of(unit: int) -> Fact:
        if (unit, FacilityKind.HOME) not in window.rooms:
            return Fact(ZERO, ZERO, ONE, (ticked("-", "没有登记留守儿童之家", False),))
        days = opened.get(unit, {}).values()
        in_term = _day_lines((done for done in days if window.term_on(done.on)), "学期内")
        outside = _day_lines((done for done in days if not window.term_on(done.on)), "假期")
        value = TERM_WEIGHT * min(ONE, total(in_term) / OPENINGS_IN_TERM)
        value += HOLIDAY_WEIGHT * min(ONE, total(outside) / OPENINGS_IN_HOLIDAYS)
        short = (*_short(OPENINGS_IN_TERM, in_term, "学期内"), *_short(OPENINGS_IN_HOLIDAYS, outside, "假期"))
        return Fact(value, value, ONE, (*in_term, *outside, *short))

    return {
        site.unit: of(site.unit)
        for site in window.units
        if window.stages[site.unit] != SENIOR or (site.unit, FacilityKind.HOME) in window.rooms
    }


@metric("palace_openings", "乡村学校少年宫活动", "已开放次数", "应开放次数", "三 “乡村学校少年宫”", place="activity", shape="count")
def palace_openings(window: Window) -> ByUnit:
    """One opening a day. Without a palace there is nothing to count."""
    opened, target = _opened(window, FacilityKind.PALACE), 20

    def of(unit: int) -> Fact:
        lines = _day_lines(opened.get(unit, {}).values())
        n = total(lines)
        return Fact(n, n, Decimal(target), (*lines, *_short(target, lines)))

    return {site.unit: of(site.unit) for site in window.units if (site.unit, FacilityKind.PALACE) in window.rooms}
