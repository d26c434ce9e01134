"""What waits to be done with the children, as sets of rows: a home page counts them, the register opens them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from ..access import scope_in
from ..models import (
    Body,
    CareKind,
    CareRecord,
    Child,
    Definition,
    Flag,
    Paper,
    PaperState,
    Post,
    Responsibility,
    School,
    Staff,
    TalkerRole,
    Transfer,
    TransferState,
)
from ..rules import years_before
from . import cards, census, completeness, county, handovers, informing, papers
from .definitions import left_behind


@dataclass(frozen=True)
class Gap:
    """Something every left-behind child should have: its name, why, and the condition that it is missing."""

    key: str
    label: str
    why: str
    grave: bool
    missing: Callable[[Session, dt.date], ColumnElement[bool]]


def _holds(model: Any, on: dt.date) -> ColumnElement[bool]:
    return and_(model.deleted_at.is_(None), model.start <= on, or_(model.end.is_(None), model.end > on))


def _no_responsible(_session: Session, on: dt.date) -> ColumnElement[bool]:
    return ~exists().where(Responsibility.child_id == Child.id, _holds(Responsibility, on))


def _no_card(_session: Session, on: dt.date) -> ColumnElement[bool]:
    return Child.id.in_(cards.without_valid_card(on))


def _no_talk(session: Session, on: dt.date) -> ColumnElement[bool]:
    """Fewer talks this month, by class teacher or responsible person, than the county asks for."""
    this_month = (CareRecord.on >= on.replace(day=1)) & (CareRecord.on <= on)
    of_child = CareRecord.child_id == Child.id
    talks = select(func.count(CareRecord.id)).where(
        of_child, CareRecord.kind == CareKind.TALK, CareRecord.role != TalkerRole.OTHER, this_month, CareRecord.deleted_at.is_(None)
    )
    return talks.correlate(Child).scalar_subquery() < county.number(session, "talks_a_month")


def _incomplete(session: Session, on: dt.date) -> ColumnElement[bool]:
    term = completeness.current_term(session, on)
    return ~and_(*(r.met(on, term, completeness.there) for r in completeness.REQUIREMENTS))


def no_consent(_session: Session, on: dt.date) -> ColumnElement[bool]:
    """Under fourteen and no ground written down (个人信息保护法 art. 31)."""
    return Child.consent.is_(None) & (Child.birth_date > years_before(on, informing.GROWN))


GAPS: tuple[Gap, ...] = (
    Gap("responsible", "无包保责任人", "每名儿童须有且只有一名责任人", True, _no_responsible),
    Gap("card", "联系卡未发或待换", "一人一卡；电话变更、转入后须换卡", True, _no_card),
    Gap("talk", "本月未谈心", "班主任或包保责任人每月至少一次", True, _no_talk),
    Gap("dossier", "档案有缺项", "点姓名可见缺哪几项", False, _incomplete),
    Gap("consent", "未登记个人信息告知", "不满14周岁须监护人签收告知书", False, no_consent),
)


@dataclass(frozen=True)
class Waiting:
    """Work that waits besides the children's own gaps: what, how many, how grave. ``key`` says which screen opens it."""

    key: str
    label: str
    why: str
    count: int
    grave: bool = False


def waiting(session: Session, on: dt.date) -> list[Waiting]:
    """What waits for this actor today; one statement each, only what is there."""
    scope = scope_in(session)
    mine = sorted(scope.school_ids) or [-1]
    here = lambda column: column.in_(mine) if not scope.reads_everywhere else column.is_not(None)  # noqa: E731
    pending, asked = Transfer.state == TransferState.PENDING, Transfer.state == TransferState.REQUESTED
    since = on - dt.timedelta(days=county.number(session, "follow_up_days"))
    left = select(Staff.id).where(Staff.end <= on)
    keepers = select(Post.school_id).where(Post.body == Body.KEEPER, Post.start <= on, or_(Post.end.is_(None), Post.end > on))
    holiday = handovers.red_list_due(session, on)
    found = [
        Waiting("transfer_in", "待接收的转学", "接收前原学校仍负责", _n(session, Transfer.id, pending, here(Transfer.to_school_id)), True),
        Waiting("transfer_asked", "申请转入待放行", "核对后放行或退回", _n(session, Transfer.id, asked, here(Transfer.school_id))),
        Waiting("left_behind_by_staff", "责任人已离任", "名下儿童须移交", _n(session, Responsibility.id, _serving(on), Responsibility.staff_id.in_(left)), True),
        Waiting("flags", "重点关注超期未跟进", "提出后未在期限内跟进", _n(session, Flag.id, Flag.followed_on.is_(None), Flag.closed_on.is_(None), Flag.on < since), True),
        Waiting("papers_back", "退回修改的文件", "按退回意见修改后再提交", _n(session, Paper.id, Paper.state == PaperState.RETURNED)),
        Waiting("papers_in", "待备案的文件", "学校已提交", _n(session, Paper.id, Paper.state == PaperState.SUBMITTED) if scope.reads_everywhere else 0),
        Waiting("rules", "制度待年度确认", "每年确认一次是否继续有效", _n(session, Paper.id, Paper.id.in_(papers.rules_to_confirm(on)))),
        Waiting("keeper", "未登记档案管理员", "安排专人管理档案，登记在任职分工", _n(session, School.id, School.assessed, here(School.id), School.id.not_in(keepers))),
        Waiting("staff", "教职工待确认", "导入台账时新出现的教师", _n(session, Staff.id, Staff.confirmed.is_(False))),
    ]  # fmt: skip
    if holiday is not None:
        words = f"{holiday.name}未返校销号" if on > holiday.last_day else f"{holiday.name}未交接"
        found.append(Waiting("handover", words, "逐人与家庭、村组交接", handovers.open_count(session, holiday, on), True))
    due = census.current(session, on)
    if due is not None and not scope.reads_everywhere:
        short = sum(row.handed_in is None and scope.owns(row.school.id) for row in census.standings(session, due, on))
        found.append(Waiting("census", f"{due.title}未上报", f"截止 {due.last_day}", short, on > due.last_day))
    return [each for each in found if each.count]


def _serving(on: dt.date) -> ColumnElement[bool]:
    return and_(Responsibility.start <= on, or_(Responsibility.end.is_(None), Responsibility.end > on))


def _n(session: Session, column: Any, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(column)).where(*conditions)) or 0


def children_with(session: Session, key: str, on: dt.date) -> Select[Any]:
    """The ids of the left-behind children who lack one thing on a day.

    :raises KeyError: for a gap that is not there.
    """
    gap = next((g for g in GAPS if g.key == key), None)
    if gap is None:
        raise KeyError(key)
    return select(Child.id).where(Child.id.in_(left_behind(Definition.GF13, on)), gap.missing(session, on))


def counts(session: Session, on: dt.date) -> dict[str, int]:
    """How many left-behind children there are, and how many lack each thing; a handful of statements."""
    found = {"children": session.scalar(select(func.count(Child.id)).where(Child.id.in_(left_behind(Definition.GF13, on)))) or 0}
    for gap in GAPS:
        lacking = children_with(session, gap.key, on)
        found[gap.key] = session.scalar(select(func.count(Child.id)).where(Child.id.in_(lacking))) or 0
    return found
