"""Flow facts: what was done with the children in the terms, months and holidays of the round."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import String, case, cast, func, or_, select

from ... import labels
from ...models import (
    Attention,
    BackEntry,
    CareKind,
    CareRecord,
    CareWay,
    DropoutCase,
    Evaluation,
    Flag,
    Grade,
    Handover,
    Holiday,
    HolidayKind,
    Letter,
    Rater,
    TalkerRole,
    Term,
    Transfer,
    TransferKind,
    TransferState,
)
from ..scoring import Fact, Line
from .catalogue import (
    ONE,
    ZERO,
    ByUnit,
    Entry,
    events,
    for_each_unit,
    grouped,
    mean_over_parts,
    metric,
    of_each,
    of_months,
    of_terms,
    share,
    shares,
    ticked,
)
from .window import CHINA, DAY, WITH_TRASH, Key, Member, Window, once

HANDED_OVER = (HolidayKind.WINTER, HolidayKind.SUMMER)
"""F13 counts these, if the office says that the holiday asks for a handover."""
SIDES = ("conduct", "study", "health", "arts", "practice")
"""多元评价: the five sides."""
RATERS_WANTED = 2
COMPULSORY = tuple(grade for grade in Grade if grade.value[0] in "PM")
"""A7.1 counts grades 1 to 9 only (ruling 15)."""


# --- the months and terms of a child


@metric("F6", "家访覆盖率", "学期内有入户家访的儿童", "学期内口径内儿童", "三(三) 家访；每学期一次", place="care_record")
def home_visits(window: Window) -> ByUnit:
    """Mean over the terms of the share of C_t with enough visits at home in the term (ruling 10)."""
    wanted = window.setting("visits_a_term")
    visits = _days(window)[CareKind.VISIT]

    def met(member: Member, term: Term) -> tuple[Decimal, str]:
        first, last = term.start, term.last_day
        held = [weight for on, weight, _month in visits.get(member.key, ()) if first <= on <= last]
        note = "" if len(held) >= wanted else f"{term.name}入户家访 {len(held)} 次，应 {wanted} 次"
        return _enough(held, wanted), note

    return {unit: mean_over_parts(lines) for unit, lines in grouped(of_terms(window, met)).items()}


@metric("F7", "亲情联系", "有联系人月", "应联系人月", "三(三) 家长联系电话；亲情联系按月一次", place="care_record")
def monthly_contacts(window: Window) -> ByUnit:
    """Months with a recorded contact of child and parents, over the months each child was there 15 days."""
    return of_months(window, _months(_days(window)[CareKind.CONTACT], 1))


@metric("F9", "谈心落实率", "已谈人月", "应谈人月", "三(二) 班主任与包保责任人经常与留守儿童谈心；按月一次", place="care_record")
def monthly_talks(window: Window) -> ByUnit:
    """Months with talks enough by the class teacher or responsible person, over the months each child was there 15 days."""
    return of_months(window, _months(_days(window)[CareKind.TALK], window.setting("talks_a_month")))


COUNTING = {
    CareKind.VISIT: (CareRecord.kind == CareKind.VISIT) & (CareRecord.way == CareWay.HOME),
    CareKind.CONTACT: CareRecord.kind == CareKind.CONTACT,
    CareKind.TALK: (CareRecord.kind == CareKind.TALK) & CareRecord.role.in_((TalkerRole.RESPONSIBLE, TalkerRole.CLASS_TEACHER)),
}
"""Visits at home, any contact, talks by the class teacher or the responsible person."""
Held = tuple[dt.date, Decimal, tuple[int, int]]
"""(day, what it weighs, month): a care record that counts."""


@once
def _days(window: Window) -> dict[CareKind, dict[Key, list[Held]]]:
    """The care records that count, the best first (ruling 18), by kind and child, for the unit whose staff made them."""
    which = case(
        {kind.value: n for n, kind in enumerate(COUNTING)}, value=cast(CareRecord.kind, String)
    )  # a number is read fastest
    when = cast(CareRecord.on, String)
    if window.back_entry is not BackEntry.FULL:
        when = when + cast(CareRecord.created_at, String)
    counts = select(which.label("which"), CareRecord.child_id, CareRecord.school_id, when.label("day"))
    counts = counts.where(or_(*COUNTING.values()), window.within(CareRecord.on), window.entered(CareRecord)).subquery()
    each = (counts.c.which, counts.c.child_id, counts.c.school_id)
    asked = select(*each, func.aggregate_strings(counts.c.day, ",")).group_by(*each)  # one row a child: records are many
    found: list[dict[Key, list[Held]]] = [defaultdict(list) for _ in COUNTING]
    unit_of = window.unit_of

    @cache
    def read(day: str) -> Held:
        on, created = dt.date.fromisoformat(day[:10]), day[10:]
        weight = window.weight(on, dt.datetime.fromisoformat(created).replace(tzinfo=dt.UTC) if created else None)
        return on, weight, (on.year, on.month)

    for n, child, school, days in window.session.execute(asked, execution_options=WITH_TRASH):
        found[n][child, unit_of[school]] += map(read, days.split(","))
    if window.back_entry is not BackEntry.FULL:
        for held in chain.from_iterable(of_kind.values() for of_kind in found):
            held.sort(key=itemgetter(1), reverse=True)
    return dict(zip(COUNTING, found, strict=True))


def _enough(weights: list[Decimal], wanted: int) -> Decimal:
    """Nothing unless there are enough; else what the last of the best ones weighs (ruling 18)."""
    return weights[wanted - 1] if len(weights) >= wanted else ZERO


def _months(records: dict[Key, list[Held]], wanted: int) -> dict[Key, dict[tuple[int, int], Decimal]]:
    """The months in which there were enough, and what each weighs."""
    found: dict[Key, dict[tuple[int, int], Decimal]] = {}
    for key, held in records.items():
        so_far: dict[tuple[int, int], int] = {}
        found[key] = months = {}
        for _on, weight, month in held:
            so_far[month] = n = so_far.get(month, 0) + 1
            if n == wanted and weight:
                months[month] = weight
    return found


@metric("F15", "感恩书信", "学期内有书信的儿童", "学期内口径内儿童", "三(四) 每学期给其父母写一封感恩书信", place="letter")
def letters(window: Window) -> ByUnit:
    """Share of the C_t with a letter, drawing or voice message of the term; its term column decides (rulings 4, 12)."""
    sent = select(Letter.child_id, Letter.school_id, Letter.term_id, Letter.on, window.entry(Letter.created_at))
    sent = sent.where(window.counts(Letter))
    there: dict[tuple[int, int, int], Decimal] = {}
    for child, school, term_id, on, created in window.session.execute(sent, execution_options=WITH_TRASH):
        key = (child, window.unit_of[school], term_id)
        there[key] = max(window.weight(on, created), there.get(key, ZERO))

    def met(member: Member, term: Term) -> tuple[Decimal, str]:
        has = there.get((*member.key, term.id), ZERO)
        return has, "" if has else f"{term.name}没有书信"

    return shares(of_terms(window, met))


@metric("F16", "多元评价", "五方面、两类评价人齐全的儿童", "学期内口径内儿童", "三(四) 从多角度来评价学生", place="evaluation")
def evaluations(window: Window) -> ByUnit:
    """Share of the C_t whose evaluations of the term together cover five sides and two kinds of raters (rulings 4, 12)."""
    stay = (Evaluation.child_id, Evaluation.school_id, Evaluation.term_id)
    entered = (func.max(Evaluation.on), window.entry(func.min(Evaluation.created_at)))
    covered = [case((func.count(getattr(Evaluation, side)) > 0, 1 << n), else_=0) for n, side in enumerate(SIDES)]
    by = stay if window.back_entry is BackEntry.FULL else (*stay, Evaluation.rater)  # each rater's weighs as it was entered
    rater = cast(Evaluation.rater, String)
    asked = select(*stay, func.min(rater), func.max(rater), *entered, sum(covered[1:], covered[0]))  # the sides as bits of a number
    asked = asked.where(window.counts(Evaluation)).group_by(*by)
    sides: dict[tuple[int, int, int], int] = {}
    raters: dict[tuple[int, int, int], frozenset[str]] = {}
    weights: dict[tuple[int, int, int], Decimal] = {}
    unit_of, weight, together = window.unit_of, window.weight, cache(frozenset)
    for child, school, term_id, one, other, on, created, bits in window.session.execute(asked, execution_options=WITH_TRASH):
        key = (child, unit_of[school], term_id)
        raters[key] = together((one, other)) | raters.get(key, frozenset())
        weights[key] = max(weight(on, created), weights.get(key, ZERO))
        sides[key] = sides.get(key, 0) | bits
    words = {side: labels.label(Evaluation, side) for side in SIDES}
    every = (1 << len(SIDES)) - 1

    def met(member: Member, term: Term) -> tuple[bool | Decimal, str]:
        key = (member.child_id, member.unit, term.id)
        if key not in raters:
            return False, f"{term.name}没有评价"
        notes = []
        if sides[key] != every:
            notes.append("缺：" + "、".join(words[side] for n, side in enumerate(SIDES) if not sides[key] >> n & 1))
        if len(raters[key]) < RATERS_WANTED:
            notes.append(f"评价人只有{'、'.join(Rater(rater).label for rater in raters[key])}")
        return not notes and weights[key], "；".join(notes)

    return shares(of_terms(window, met))


@metric(
    "F13",
    "假期空档期交接率",
    "已交接销号（儿童 × 假期）",
    "应交接",
    "三(二) 假期管理的“空档期”，做好交接工作",
    place="holiday_handover",
)
def holiday_handovers(window: Window) -> ByUnit:
    """Winter and summer handovers of who was in the definition on the last day before the holiday (ruling 11).

    Back at school counts; handed over counts while the holiday is not over at the cut-off.
    """
    holidays = list(
        window.session.scalars(
            select(Holiday)
            .where(Holiday.kind.in_(HANDED_OVER), Holiday.handover, window.within(Holiday.start))
            .order_by(Holiday.start)
        )
    )
    done: dict[tuple[int, int, int], tuple[dt.date | None, dt.date | None]] = {}
    asked = select(Handover.child_id, Handover.school_id, Handover.holiday_id, Handover.done_on, Handover.back_on)
    for child, school, holiday_id, done_on, back_on in window.session.execute(
        asked.where(window.entered(Handover)), execution_options=WITH_TRASH
    ):
        done[child, window.unit_of[school], holiday_id] = (done_on, back_on)

    def entries() -> Iterator[Entry]:
        nothing = (None, None)
        for holiday in holidays:
            key, mark, name, over = holiday.id, f"/{holiday.code}", holiday.name, window.cut_off > holiday.last_day
            for child, _enrolment, _school, unit in window.on_the_books(holiday.start - DAY):
                found = done.get((child, unit, key), nothing)
                yield unit, child, mark, name, *_handed_over(window, name, over, *found)

    return shares(of_each(window, entries()))


def _handed_over(window: Window, holiday: str, over: bool, done_on: dt.date | None, back_on: dt.date | None) -> tuple[bool, str]:
    if window.by_now(back_on):
        return True, ""
    if not window.by_now(done_on):
        return False, f"{holiday}未交接"
    return not over, f"{holiday}未返校销号" if over else ""


# --- what must be answered within so many days


@metric("F11", "重点关注学生跟踪", "按期跟进", "提出的重点关注", "三(五) 专人全方位跟踪服务", place="flag")
def followed_flags(window: Window) -> ByUnit:
    """Flags raised in the round and followed up within their days; none raised is all done (ruling 11)."""
    limit = window.setting("follow_up_days")
    raised = select(Flag.id, Flag.child_id, Flag.school_id, Flag.on, Flag.followed_on).where(
        Flag.level.in_((Attention.WATCH, Attention.FOCUS)), window.within(Flag.on), window.entered(Flag)
    )
    lines = []
    for key, child, school, on, followed_on in window.session.execute(raised, execution_options=WITH_TRASH):
        due = on + limit * DAY
        followed = window.by_now(followed_on)
        if not followed and not window.is_over(due):
            continue
        in_time = followed and followed_on <= due
        note = "" if in_time else f"{on} 提出，应于 {due} 前跟进" + (f"，{followed_on} 才跟进" if followed else "，未跟进")
        lines.append((window.unit_of[school], ticked(key, window.name_of(child), in_time, note, "", child)))
    by_unit = grouped(lines)
    return for_each_unit(window, lambda site: share(by_unit[site.unit]) if by_unit.get(site.unit) else Fact(ONE))


@metric("F4", "转入转出档案交接", "按期交接的转学", "本校转出的转学", "三(三) 实施流动管理", place="transfer")
def transfers(window: Window) -> ByUnit:
    """Transfers begun in the round and closed within their working days, at the sending school (ruling 9).

    Inside a unit: not counted. Open with days left at the cut-off: left out. Sent back: not closed. Asked for and not yet
    released: not begun.
    """
    limit = window.setting("transfer_days")
    begun = select(Transfer).where(
        Transfer.state != TransferState.REQUESTED, window.within(Transfer.proposed_on), window.entered(Transfer)
    )
    lines = []
    for row in window.session.scalars(begun, execution_options=WITH_TRASH):
        unit, due = window.unit_of[row.school_id], window.after_workdays(row.proposed_on, limit)
        if unit == window.unit_of[row.to_school_id]:
            continue
        closed_on = _closed_on(row)
        closed = window.by_now(closed_on)
        if not closed and not window.is_over(due):
            continue
        in_time = closed and closed_on is not None and closed_on <= due
        note = "" if in_time else f"{row.proposed_on} 发起，应于 {due} 前交接，{f'{closed_on} 才交接' if closed else '未交接'}"
        lines.append((unit, ticked(row.id, row.child_name, in_time, note, "", row.child_id)))
    return shares(lines)


def _closed_on(row: Transfer) -> dt.date | None:
    """Accepted, or, out of the county, the 移交单 printed."""
    if row.kind is TransferKind.OUT:
        return row.printed_on
    return row.answered_on if row.state is TransferState.ACCEPTED else None


# --- who stays away


class Case(NamedTuple):
    """A dropout case as the facts see it."""

    id: int
    child_id: int
    unit: int
    found_on: dt.date
    returned_on: dt.date | None
    created_at: dt.datetime


@once
def _cases(window: Window) -> list[Case]:
    """The cases of grades 1 to 9 found in the round."""
    found = select(
        DropoutCase.id,
        DropoutCase.child_id,
        DropoutCase.school_id,
        DropoutCase.found_on,
        DropoutCase.returned_on,
        DropoutCase.created_at,
    ).where(DropoutCase.grade.in_(COMPULSORY), window.within(DropoutCase.found_on), window.entered(DropoutCase))
    rows = window.session.execute(found, execution_options=WITH_TRASH)
    return [Case(key, child, window.unit_of[school], *rest) for key, child, school, *rest in rows]


@metric("dropouts_unreturned", "期限内未返校", "未按期返校的学生", "", "三 义务教育控辍保学", place="dropout_case", shape="events")
def unreturned(window: Window) -> ByUnit:
    """Who was not back by day 30; a case whose days are not over at the cut-off costs nothing yet (ruling 13)."""
    limit = window.setting("dropout_days")

    def back(case: Case) -> tuple[bool, str]:
        due = case.found_on + limit * DAY
        returned = window.by_now(case.returned_on)
        in_time = case.returned_on <= due if returned and case.returned_on else not window.is_over(due)
        words = f"{case.returned_on} 才返校" if returned else "未返校"
        return in_time, "" if in_time else f"{case.found_on} 发现，应于 {due} 前返校，{words}"

    return _of_cases(window, back)


@metric("dropouts_late", "辍学迟报", "迟报的辍学", "", "三 义务教育控辍保学；及时上报", place="dropout_case", shape="events")
def reported_late(window: Window) -> ByUnit:
    """Cases entered more than so many working days after they were found (ruling 13)."""
    limit = window.setting("dropout_report_days")

    def told(case: Case) -> tuple[bool, str]:
        due, entered = window.after_workdays(case.found_on, limit), case.created_at.astimezone(CHINA).date()
        return entered <= due, "" if entered <= due else f"{case.found_on} 发现，应于 {due} 前录入，{entered} 才录入"

    return _of_cases(window, told)


def _of_cases(window: Window, met: Callable[[Case], tuple[bool, str]]) -> ByUnit:
    lines: list[tuple[int, Line]] = []
    for each in _cases(window):
        counts, note = met(each)
        lines.append((each.unit, ticked(each.id, window.name_of(each.child_id), counts, note, "", each.child_id)))
    by_unit = grouped(lines)
    return for_each_unit(window, lambda site: events(by_unit.get(site.unit, [])))
