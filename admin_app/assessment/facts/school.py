"""School work: the two groups, papers, census, guardians' training, boarding, opinion, the office's samples."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select

from ...models import (
    Attendance,
    Body,
    Carer,
    CensusReturn,
    CensusRound,
    Child,
    Code,
    Enrolment,
    Inspection,
    Opinion,
    Paper,
    PaperKind,
    PaperState,
    Post,
    SignedHow,
    Term,
    TrainingSession,
)
from ..scoring import Fact, Line
from .catalogue import (
    ONE,
    ZERO,
    ByUnit,
    events,
    for_each_unit,
    grouped,
    metric,
    of_each,
    share,
    shares,
    still,
    tally,
    ticked,
    total,
)
from .window import CHINA, DAY, KINDERGARTEN, WITH_TRASH, Site, Window, midnight, once

GROUPS = (Body.LEADING, Body.WORKING)
CENSUS_GRACE = 7
LATE_DEDUCTIONS, MISSED_DEDUCTIONS = 1, 3
"""A2.1 in half points (ruling 7): handed in within 7 days after the last day, and later or never."""
SESSION_KINDS = ("T1", "T2", "T3")
ATTENDANCE_KINDS = (*SESSION_KINDS, "T4")
BOARDERS_A_COUNSELLOR = 50
"""F18: full marks at so many boarders for each life counsellor."""
NO_COUNSELLOR = Decimal(999999)
"""F18 without a life counsellor: beyond every step, so that it earns nothing (ruling 14)."""
SMALLEST_SAMPLE = 10
"""F20: a sample of fewer children, unless it is all of C, is refused (ruling 14)."""


# --- the two groups


class Seat(NamedTuple):
    """A post in one of the groups, or that of a life counsellor, from a day to a day."""

    id: int
    unit: int
    body: Body
    name: str
    start: dt.date
    end: dt.date | None


@once
def _seats(window: Window) -> dict[tuple[int, Body], list[Seat]]:
    asked = select(Post.id, Post.school_id, Post.body, Post.name, Post.start, Post.end)
    asked = asked.where(Post.body.in_((*GROUPS, Body.LIFE)), Post.start <= window.cut_off, window.entered(Post)).order_by(
        Post.start, Post.id
    )
    found: dict[tuple[int, Body], list[Seat]] = defaultdict(list)
    for key, school, *rest in window.session.execute(asked, execution_options=WITH_TRASH):
        seat = Seat(key, window.unit_of[school], *rest)
        found[seat.unit, seat.body].append(seat)
    return found


def _stands(window: Window, seats: Iterable[Seat]) -> bool:
    return any(seat.end is None or seat.end > window.cut_off for seat in seats)


@metric("groups_exist", "领导小组、工作小组健全", "有成员的小组", "应有小组", "三(一) 成立领导小组和工作小组", place="post")
def groups_exist(window: Window) -> ByUnit:
    """Both groups have a member on the cut-off (ruling 6)."""
    seats = _seats(window)

    def of(site: Site) -> Fact:
        there = {body: _stands(window, seats.get((site.unit, body), ())) for body in GROUPS}
        return share([ticked(b.value, b.label, has, "" if has else "没有登记现任成员") for b, has in there.items()])

    return for_each_unit(window, of)


@metric("groups_renewed", "小组人员变动及时调整", "按期补齐的变动", "成员离任", "三(一) 领导小组和工作小组；按期调整", place="post")
def groups_renewed(window: Window) -> ByUnit:
    """Each member who left in the round was replaced in time; nothing when a group is missing (ruling 6)."""
    seats = _seats(window)

    def of(site: Site) -> Fact:
        of_body = {body: seats.get((site.unit, body), []) for body in GROUPS}
        if missing := [body for body, held in of_body.items() if not _stands(window, held)]:
            return share([ticked(body.value, body.label, False, "没有登记现任成员") for body in missing])
        lines = [line for body, held in of_body.items() for line in _replacements(window, body, held)]
        return share(lines) if lines else Fact(ONE)

    return for_each_unit(window, of)


def _replacements(window: Window, body: Body, seats: list[Seat]) -> Iterator[Line]:
    """Who left a group in the round, and whether somebody new came within the days before or after; one for one.

    A founding member replaces nobody. A change whose days are not over at the cut-off is not held against the school.
    """
    limit = window.setting("replacement_days") * DAY
    founded = min(seat.start for seat in seats)
    new = [seat for seat in seats if seat.start > founded]
    for seat in sorted(seats, key=lambda s: s.end or dt.date.max):
        if seat.end is None or not window.start <= seat.end <= window.end:
            continue
        came = next((s for s in new if s.id != seat.id and abs(s.start - seat.end) <= limit), None)
        if came is not None:
            new.remove(came)
            yield ticked(seat.id, f"{body.label} {seat.name}", True, f"{seat.end} 离任，{came.name} {came.start} 接任")
        elif window.is_over(seat.end + limit):
            yield ticked(seat.id, f"{body.label} {seat.name}", False, f"{seat.end} 离任，应于 {seat.end + limit} 前补齐")


# --- papers and the census


SUMMARIES = (PaperKind.TERM_SUMMARY, PaperKind.YEAR_SUMMARY)
COUNTED_PAPERS = (PaperKind.PROGRAMME, PaperKind.PLAN, *SUMMARIES)


@once
def _papers(window: Window) -> dict[int, set[tuple[PaperKind, int | None]]]:
    """(kind, term) of the papers that count: filed, or handed in by the cut-off and not answered (ruling 6).

    The term's own paper counts for the term in its column, or that of its day; the year's, when its day lies in the round.
    """
    asked = select(Paper.school_id, Paper.kind, Paper.term_id, Paper.on).where(
        Paper.kind.in_(COUNTED_PAPERS),
        Paper.state.in_((PaperState.FILED, PaperState.SUBMITTED)),
        func.coalesce(Paper.submitted_on, Paper.on) <= window.cut_off,
        window.entered(Paper),
    )
    terms = {term.id for term in window.terms}
    found: dict[int, set[tuple[PaperKind, int | None]]] = defaultdict(set)
    for school, kind, term_id, on in window.session.execute(asked, execution_options=WITH_TRASH):
        if kind in (PaperKind.PROGRAMME, PaperKind.YEAR_SUMMARY):
            if window.start <= on <= window.end:
                found[window.unit_of[school]].add((kind, None))
            continue
        by_day = window.term_on(on)
        term = term_id or (by_day.id if by_day else None)
        if term in terms:
            found[window.unit_of[school]].add((kind, term))
    return found


@metric(
    "plans_filed", "实施方案、工作计划报备", "已报备份数", "应报备份数", "三(一) 制定工作计划和方案", place="paper", shape="count"
)
def plans_filed(window: Window) -> ByUnit:
    """The year's programme and a plan for each term (ruling 6)."""
    papers = _papers(window)
    wanted = [(PaperKind.PROGRAMME, None), *((PaperKind.PLAN, term) for term in window.terms)]

    def of(site: Site) -> Fact:
        there = papers.get(site.unit, set())
        lines = [_paper_line(kind, term, (kind, term.id if term else None) in there) for kind, term in wanted]
        n = sum((line.counted for line in lines), ZERO)
        return Fact(n, n, Decimal(len(lines)), tuple(lines))

    return for_each_unit(window, of)


@metric("summaries", "工作总结", "已报总结份数", "应报份数", "三(一) 制定工作计划和方案，并组织实施", place="paper", shape="count")
def summaries(window: Window) -> ByUnit:
    """The summaries of the terms and of the year: two are wanted (ruling 6)."""
    papers = _papers(window)
    terms = {term.id: term for term in window.terms}

    def of(site: Site) -> Fact:
        told = [paper for paper in papers.get(site.unit, ()) if paper[0] in SUMMARIES]
        there = sorted(told, key=lambda paper: (paper[0].value, paper[1] or 0))
        done = [_paper_line(kind, terms.get(term or 0), True) for kind, term in there]
        return tally(done, 2, "还应报一份工作总结")

    return for_each_unit(window, of)


def _paper_line(kind: PaperKind, term: Term | None, there: bool) -> Line:
    name = f"{term.name} {kind.label}" if term else kind.label
    return ticked(f"{kind.value}/{term.code if term else ''}", name, there, "" if there else "未报备")


@metric("census_late", "摸底迟报扣分次数", "扣分次数（每次半分）", "", "三(三) 充分调查摸底", place="census_return", shape="events")
def census_late(window: Window) -> ByUnit:
    """Half points to deduct, over the terms: handed in on time 0, up to seven days late 1, later or never 3 (ruling 7)."""
    terms = {term.id: term for term in window.terms}
    counts = and_(CensusReturn.census_id == CensusRound.id, CensusReturn.on <= window.cut_off, window.entered(CensusReturn))
    asked = select(CensusRound, CensusReturn.school_id, CensusReturn.on).outerjoin(CensusReturn, counts)
    asked = asked.where(CensusRound.term_id.in_(terms)).order_by(CensusRound.start)
    rounds: dict[int, CensusRound] = {}
    first: dict[tuple[int, int], dt.date] = {}
    for census, school, on in window.session.execute(asked, execution_options=WITH_TRASH):
        rounds[census.id] = census
        if school is not None and window.sites[school].unit == school:
            first[school, census.id] = min(on, first.get((school, census.id), on))

    def of(site: Site) -> Fact:
        return events(
            line
            for census in rounds.values()
            if (line := _census_line(window, census, first.get((site.unit, census.id)), terms[census.term_id].name)) is not None
        )

    return for_each_unit(window, of) if rounds else {}


def _census_line(window: Window, census: CensusRound, handed_in: dt.date | None, part: str) -> Line | None:
    """What one census costs; nothing is said of one that may still be handed in on time."""
    key, full = str(census.id), Decimal(MISSED_DEDUCTIONS)
    if handed_in is None:
        if window.cut_off < census.last_day:
            return None
        return Line(key, census.title, ZERO, full, f"应于 {census.last_day} 前上报，未上报", part)
    late = max(0, (handed_in - census.last_day).days)
    cost = 0 if not late else LATE_DEDUCTIONS if late <= CENSUS_GRACE else MISSED_DEDUCTIONS
    return Line(key, census.title, full - cost, full, f"{handed_in} 上报" + (f"，迟 {late} 日" if late else ""), part)


# --- guardians' training


@metric("F8.sessions", "监护人培训场次", "已办场次", "应办场次", "三(五) 定期组织知识讲座，培训监护人", place="training_session")
def trainings_held(window: Window) -> ByUnit:
    """Sessions of kinds T1-T3 over those wanted in a year."""
    wanted = window.setting("trainings_a_year")
    held = (
        select(
            TrainingSession.school_id,
            TrainingSession.title,
            TrainingSession.on,
            TrainingSession.id,
            window.entry(TrainingSession.created_at),
        )
        .join(Code, Code.id == TrainingSession.kind_id)
        .where(Code.code.in_(SESSION_KINDS), window.within(TrainingSession.on), window.entered(TrainingSession))
        .order_by(TrainingSession.on)
    )
    by_unit = grouped(
        (window.unit_of[school], ticked(key, title, window.weight(on, created), f"{on}"))
        for school, title, on, key, created in window.session.execute(held, execution_options=WITH_TRASH)
    )

    def of(site: Site) -> Fact:
        lines = by_unit.get(site.unit, [])
        done = total(lines)
        return Fact(
            min(ONE, done / wanted), done, Decimal(wanted), (*lines, *still(math.ceil(wanted - done), "还应办一场监护人培训"))
        )

    return for_each_unit(window, of)


@metric(
    "F8.carers", "监护人参训覆盖率", "参训或送教上门的照护人", "口径内儿童的照护人", "三(五) 培训监护人", place="training_session"
)
def carers_reached(window: Window) -> ByUnit:
    """Distinct carers of C with an attendance of T1-T4, over all of them. The rule asks for four in five."""
    unit_of_child = {m.child_id: m.unit for m in window.children}
    carers: dict[tuple[int, str], list[tuple[str, int]]] = defaultdict(list)
    for child, key, name in window.session.execute(select(Carer.child_id, Carer.person_key, Carer.name).where(window.valid(Carer))):
        if child in unit_of_child:
            carers[unit_of_child[child], key].append((name, child))
    attended = (
        select(TrainingSession.school_id, Attendance.person_key, TrainingSession.on, window.entry(func.min(Attendance.created_at)))
        .join(Attendance, Attendance.session_id == TrainingSession.id)
        .join(Code, Code.id == TrainingSession.kind_id)
        .where(
            Code.code.in_(ATTENDANCE_KINDS),
            Attendance.how != SignedHow.ABSENT,
            window.within(TrainingSession.on),
            window.entered(TrainingSession),
            window.entered(Attendance),
        )
        .group_by(TrainingSession.school_id, Attendance.person_key, TrainingSession.on)
    )
    reached: dict[tuple[int, str], Decimal] = {}
    for school, key, on, entered in window.session.execute(attended, execution_options=WITH_TRASH):
        carer = (window.unit_of[school], key)
        reached[carer] = max(window.weight(on, entered), reached.get(carer, ZERO))
    if not window.lines:
        return shares(of_each(window, ((unit, 0, "", "", reached.get((unit, key), ZERO), "") for unit, key in carers)))
    lines = []
    for (unit, key), rows in carers.items():
        name, child = rows[0]
        of = "、".join(window.name_of(c) for _name, c in rows)
        lines.append((unit, ticked(key, name, reached.get((unit, key), ZERO), f"{of}的照护人", "", child)))
    return shares(lines)


# --- boarding


@metric("boards", "寄宿制学校", "寄宿制", "", "三(四) 住宿制学校晚上的学习和娱乐", place="", shape="count")
def boards(window: Window) -> ByUnit:
    """A condition: 1 for a unit that boards, nothing for others and for kindergartens."""
    return {unit: Fact(ONE, ONE, ONE) for unit in window.boarding if window.stages[unit] != KINDERGARTEN}


@metric("F18", "生活辅导员配备", "寄宿生", "生活辅导员", "三(五) 配齐生活辅导人员", place="post")
def boarders_a_counsellor(window: Window) -> ByUnit:
    """Boarders of the unit for each life counsellor on the cut-off; a ratio, the smaller the better (ruling 14)."""
    here = (
        select(Enrolment.school_id, func.count(Child.id))
        .join(Child, Child.id == Enrolment.child_id)
        .where(Child.boarding, window.valid(Enrolment))
        .group_by(Enrolment.school_id)
    )
    boarders: dict[int, int] = defaultdict(int)
    for school, n in window.session.execute(here):
        boarders[window.unit_of[school]] += n
    counsellors = {
        unit: [ticked(seat.id, seat.name, True) for seat in seats if seat.end is None or seat.end > window.cut_off]
        for (unit, body), seats in _seats(window).items()
        if body is Body.LIFE
    }

    def of(unit: int) -> Fact:
        pupils, there = Decimal(boarders[unit]), counsellors.get(unit, [])
        wanted = int((pupils / BOARDERS_A_COUNSELLOR).to_integral_value(ROUND_CEILING))
        lines = (*there, *still(wanted - len(there), "还应配一名生活辅导员"))
        return Fact(pupils / len(there) if there else NO_COUNSELLOR, pupils, Decimal(len(there)), lines)

    return {unit: of(unit) for unit in window.boarding if boarders[unit]}


# --- opinion, and what the office found


@metric("opinion_failures", "舆情迟报、瞒报", "迟报、瞒报的舆情", "", "四 舆情监测预警和应对机制", place="opinion", shape="events")
def opinion_failures(window: Window) -> ByUnit:
    """Events reported too late, never, or hidden; one costs 1 once (ruling 13). That it was hidden the office may find later.

    One whose hours are not over at the cut-off is not late yet.
    """
    limit = dt.timedelta(hours=window.setting("opinion_hours"))
    found = select(Opinion.id, Opinion.school_id, Opinion.found_at, Opinion.reported_at, Opinion.hidden).where(
        Opinion.found_at >= midnight(window.start),
        Opinion.found_at < midnight(window.end + DAY),
        or_(window.entered(Opinion), Opinion.hidden & Opinion.deleted_at.is_(None)),
    )
    lines = []
    for key, school, found_at, reported_at, hidden in window.session.execute(found, execution_options=WITH_TRASH):
        due = found_at + limit
        in_time = due >= window.entered_by or (reported_at is not None and reported_at <= due)
        day = found_at.astimezone(CHINA).date()
        note = "瞒报" if hidden else "" if in_time else "迟报" if reported_at else "未报告"
        lines.append((window.unit_of[school], ticked(key, f"{day} 发现的舆情", not note, note)))
    by_unit = grouped(lines)
    return for_each_unit(window, lambda site: events(by_unit.get(site.unit, [])))


@once
def _inspections(window: Window) -> list[tuple[int, Inspection]]:
    """(unit, what the office found there) of the round. The cut-off does not bind the office (ruling 18)."""
    asked = select(Inspection).where(Inspection.round_id == window.round_id).order_by(Inspection.on, Inspection.id)
    return [(window.unit_of[row.school_id], row) for row in window.session.scalars(asked)]


@metric("F20", "数据抽查准确率", "相符项", "核对项", "四 考核制度；抽查", place="inspection", bureau=True)
def sample_true(window: Window) -> ByUnit:
    """One less wrong fields over fields checked; a sample smaller than ten children, or all of them, is refused (ruling 14).

    Who was only asked a questionnaire is no part of the sample.
    """

    def line(row: Inspection) -> Line:
        right, checked = Decimal(row.fields_checked - row.fields_wrong), Decimal(row.fields_checked)
        return Line(str(row.id), f"{row.on} 抽查", right, checked, f"{row.children} 名儿童，不符 {row.fields_wrong} 项")

    there = Counter(member.unit for member in window.children)
    checked = [(unit, row) for unit, row in _inspections(window) if row.fields_checked]
    children: Counter[int] = Counter()
    for unit, row in checked:
        children[unit] += row.children
    by_unit = shares((unit, line(row)) for unit, row in checked)
    return {unit: fact for unit, fact in by_unit.items() if children[unit] >= min(SMALLEST_SAMPLE, there[unit])}


@metric("F21", "抽查满意度", "满意", "有效问卷", "四 考核制度；问卷", place="inspection", bureau=True)
def satisfied(window: Window) -> ByUnit:
    """Satisfied over valid answers."""

    def line(row: Inspection) -> Line:
        return Line(str(row.id), f"{row.on} 问卷", Decimal(row.satisfied), Decimal(row.answers))

    return shares((unit, line(row)) for unit, row in _inspections(window) if row.answers)
