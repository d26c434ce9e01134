"""State facts: what holds for the children of C on the cut-off."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from sqlalchemy import case, func, select

from ...models import (
    Agreement,
    Category,
    Child,
    Code,
    ContactCard,
    Pairing,
    ParentState,
    ParentStatus,
    Responsibility,
    Staff,
    Subsidy,
)
from ...records import aid, cards, completeness, definitions
from .catalogue import ByUnit, metric, of_children
from .window import WITH_TRASH, Key, Member, Window, once


@metric("F1", "建档率", "档案完整的儿童", "口径内儿童", "三(三) 一人一档", place="child")
def complete_dossiers(window: Window) -> ByUnit:
    """Share of C whose dossier holds every required field and a note of each state in the current term."""
    asked = completeness.lacking(window.cut_off, window.current_term, window.counts)
    lacking: dict[int, list[int]] = defaultdict(list)
    for child, n in window.session.execute(asked, execution_options=WITH_TRASH).all():
        lacking[child].append(n)

    def met(member: Member) -> tuple[bool, str]:
        missing = lacking.get(member.child_id, ())
        return not missing, "缺：" + "、".join(completeness.REQUIREMENTS[n].label for n in sorted(missing)) if missing else ""

    return of_children(window, met)


@metric("F2", "一卡一责任人落实率", "有有效联系卡和一名责任人的儿童", "口径内儿童", "三(三) 一卡一责任人", place="contact_card")
def cards_and_responsibles(window: Window) -> ByUnit:
    """A card of the present unit not older than the last change of a phone on it, and exactly one responsible person."""
    on, issued = window.cut_off, _issued(window)
    changed = dict(window.session.execute(cards.phone_changes(on)).all())
    answerable: dict[int, list[bool]] = defaultdict(list)
    serving = (
        select(Responsibility.child_id, definitions.holds(Staff, on))
        .join(Staff, Staff.id == Responsibility.staff_id)
        .where(window.valid(Responsibility))
    )
    for child, employed in window.session.execute(serving):
        answerable[child].append(employed)

    def met(member: Member) -> tuple[bool, str]:
        notes = []
        day = issued.get(member.key)
        if day is None:
            notes.append("未发联系卡")
        elif (last := changed.get(member.child_id)) is not None and day < last:
            notes.append(f"电话 {last} 变更后未换卡")
        held = answerable.get(member.child_id, [])
        if not held:
            notes.append("无包保责任人")
        elif len(held) > 1:
            notes.append(f"有 {len(held)} 名包保责任人")
        elif not held[0]:
            notes.append("责任人已离任")
        return not notes, "；".join(notes)

    return of_children(window, met)


def _issued(window: Window) -> dict[Key, dt.date]:
    """The last card each unit issued to a child."""
    issued = (
        select(ContactCard.child_id, ContactCard.issued_by_id, func.max(ContactCard.issued_on))
        .where(ContactCard.issued_on <= window.cut_off, window.entered(ContactCard))
        .group_by(ContactCard.child_id, ContactCard.issued_by_id)
    )
    found: dict[Key, dt.date] = {}
    for child, school, day in window.session.execute(issued, execution_options=WITH_TRASH):
        key = (child, window.unit_of[school])
        found[key] = max(day, found.get(key, day))
    return found


@once
def _present(window: Window) -> list[Any]:
    """(child, last confirmation, does it board or is it disabled) of every child, as it is now."""
    return list(window.session.execute(select(Child.id, Child.facts_confirmed_at, aid.needs_by_itself())))


@metric("F3", "信息更新率", "本学期确认过信息的儿童", "口径内儿童", "三(三) 实施流动管理；每学期确认", place="child")
def confirmed_facts(window: Window) -> ByUnit:
    """Share of C whose facts were confirmed between the first day of the current term and the cut-off."""
    term = window.current_term
    if term is None:
        return {}
    confirmed = {child: day for child, day, _in_need in _present(window)}

    def met(member: Member) -> tuple[bool, str]:
        day = confirmed.get(member.child_id)
        counts = day is not None and term.start <= day <= window.cut_off
        return counts, "" if counts else f"{term.name}未确认" + (f"（{day} 确认过）" if day else "")

    return of_children(window, met)


@metric(
    "F5",
    "委托照护确认书（协议）率",
    "有有效协议的儿童",
    "双亲外出、或在家一方无监护能力的儿童",
    "三(三) 委托监护人",
    place="agreement",
)
def agreements(window: Window) -> ByUnit:
    """Share of those in C who need an agreement with one valid on the cut-off; its own, narrower list (ruling 1)."""
    away, incapable = (
        func.sum(case((ParentStatus.state == state, 1), else_=0)) for state in (ParentState.AWAY, ParentState.INCAPABLE)
    )
    each = select(ParentStatus.child_id, away, incapable).where(window.valid(ParentStatus)).group_by(ParentStatus.child_id)
    parents = {child: (away, incapable) for child, away, incapable in window.session.execute(each)}
    valid = select(Agreement.child_id).where(window.valid(Agreement), window.entered(Agreement))
    signed = set(window.session.scalars(valid, execution_options=WITH_TRASH))

    def needed(member: Member) -> bool:
        away, incapable = parents.get(member.child_id, (0, 0))
        return away > 1 or (away == 1 and incapable > 0)

    def met(member: Member) -> tuple[bool, str]:
        has = member.child_id in signed
        return has, "" if has else "没有有效的委托照护确认书（协议）"

    return of_children(window, met, needed)


@metric("F14", "“手拉手”结对率", "现有结对已满期的儿童", "口径内儿童", "三(四) 学生之间“手拉手”互助互帮", place="pairing")
def pairs(window: Window) -> ByUnit:
    """Share of C with a pair of this unit that holds on the cut-off and has lasted its days, both ends counted (ruling 12)."""
    wanted = window.setting("pair_days")
    held = select(Pairing.child_id, Pairing.school_id, func.min(Pairing.start)).where(
        window.valid(Pairing), window.entered(Pairing)
    )
    held = held.group_by(Pairing.child_id, Pairing.school_id)
    since: dict[Key, dt.date] = {}
    for child, school, start in window.session.execute(held, execution_options=WITH_TRASH):
        key = (child, window.unit_of[school])
        since[key] = min(start, since.get(key, start))

    def met(member: Member) -> tuple[bool, str]:
        start = since.get(member.key)
        if start is None:
            return False, "没有结对"
        days = (window.cut_off - start).days + 1
        return days >= wanted, "" if days >= wanted else f"结对 {days} 日，不足 {wanted} 日"

    return of_children(window, met)


@metric("F17", "应助尽助率", "受资助的儿童", "应受资助的儿童", "三 不因贫困而失学", place="subsidy")
def aided(window: Window) -> ByUnit:
    """Share of the eligible in C with an aid of this unit that holds on the cut-off; Z01 and Z04 are none (ruling 14).

    Why a child is eligible is not told in the line: score sheets are read by people who may not know it.
    """
    eligible = {child for child, _day, needs in _present(window) if needs}
    in_need = select(Category.child_id).where(Category.kind.in_(aid.HELPED), window.valid(Category), window.entered(Category))
    eligible |= set(window.session.scalars(in_need, execution_options=WITH_TRASH))
    given = (
        select(Subsidy.child_id, Subsidy.school_id)
        .join(Code, Code.id == Subsidy.kind_id)
        .where(Code.code.not_in(aid.FOR_EVERYBODY), window.valid(Subsidy), window.entered(Subsidy))
    )
    receiving = {(child, window.unit_of[school]) for child, school in window.session.execute(given, execution_options=WITH_TRASH)}

    def met(member: Member) -> tuple[bool, str]:
        has = member.key in receiving
        return has, "" if has else "应受资助，未登记有效的资助"

    return of_children(window, met, lambda member: member.child_id in eligible)
