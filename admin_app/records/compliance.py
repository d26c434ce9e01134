"""年度合规小结: who looked at, exported and changed what in a year, and how far the duties towards the data are met.

未成年人网络保护条例 art. 36 (access by few, logged), art. 37 (a check every year); 个人信息保护法 art. 54.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from .. import audit, labels
from ..access import Action, scope_in
from ..models import AuditEntry, Child, Enrolment, ExportRequest, Grant, Role
from ..orm import utcnow
from .overview import no_consent

LOOKED = ("open", "search", "reveal", "print", "export", "download", "probe")
CHANGED = ("create", "update", "delete", "restore", "import", "erase")


@dataclass(frozen=True)
class Person:
    """What one account did in the year: deed -> how often; ``children``: how many dossiers it opened."""

    name: str
    roles: str
    deeds: Counter[str]
    children: int


@dataclass(frozen=True)
class Summary:
    year: int
    deeds: Counter[str]
    people: list[Person]
    duties: list[tuple[str, str]]
    exports: list[tuple[Any, ...]]
    """Requests for full numbers: asked at, by, list, lines, purpose, taken at."""


def years(session: Session) -> list[int]:
    """The years there is a log of, the newest first."""
    first = session.scalar(select(func.min(AuditEntry.at)))
    this = labels.local(utcnow()).year
    return list(range(this, (labels.local(first).year if first else this) - 1, -1))


def summary(session: Session, year: int, *, walked: bool = False) -> Summary:
    """A year by the county's calendar.

    :param walked: verify the chain of the log, entry by entry: half a minute with a long one.
    """
    at = _within(year)
    counted = select(AuditEntry.user_id, AuditEntry.user_name, AuditEntry.action, func.count()).where(*at)
    deeds: Counter[str] = Counter()
    of_person: dict[tuple[int | None, str], Counter[str]] = defaultdict(Counter)
    for user_id, name, action, count in session.execute(
        counted.group_by(AuditEntry.user_id, AuditEntry.user_name, AuditEntry.action)
    ):
        deeds[action] += count
        of_person[user_id, name][action] += count
    opened, roles = _opened(session, at), _roles(session, at)
    people = [Person(name, roles.get(user_id, ""), did, opened.get(user_id, 0)) for (user_id, name), did in of_person.items()]
    people.sort(key=lambda person: (-sum(person.deeds[deed] for deed in LOOKED), person.name))
    return Summary(year, deeds, people, list(_duties(session, at, deeds, walked=walked)), list(_exports(session, year)))


def _within(year: int) -> tuple[Any, Any]:
    start, end = (dt.datetime(y, 1, 1, tzinfo=labels.COUNTY_CLOCK) for y in (year, year + 1))
    return AuditEntry.at >= start, AuditEntry.at < end


def _opened(session: Session, at: tuple[Any, ...]) -> dict[int | None, int]:
    """How many different dossiers each account opened."""
    seen = select(AuditEntry.user_id, func.count(func.distinct(AuditEntry.row_id))).where(
        *at, AuditEntry.action == "open", AuditEntry.table_name == Child.__tablename__
    )
    return {user_id: count for user_id, count in session.execute(seen.group_by(AuditEntry.user_id))}


def _roles(session: Session, at: tuple[Any, ...]) -> dict[int | None, str]:
    """The roles in which an account acted."""
    acted = select(AuditEntry.user_id, AuditEntry.roles).where(*at, AuditEntry.roles.is_not(None)).distinct()
    held: dict[int | None, set[str]] = defaultdict(set)
    for user_id, roles in session.execute(acted):
        held[user_id] |= set(roles.split())
    return {user_id: "、".join(role.label for role in Role if role.value in roles) for user_id, roles in held.items()}


def _duties(session: Session, at: tuple[Any, ...], deeds: Counter[str], *, walked: bool) -> Iterator[tuple[str, str]]:
    first, count = session.execute(select(func.min(AuditEntry.at), func.count())).one()
    yield "操作日志", f"共 {count} 条，自 {labels.text(first)} 起留存" + (f"，逐条核对{_verdict(session)}" if walked else "")
    yield "登录", f"登录 {deeds['login']} 次，失败 {deeds['refused']} 次，退出 {deeds['logout']} 次"
    yield "备份", f"{deeds['backup']} 次"
    yield "更换钥匙", f"{deeds['rotate']} 次"
    accounts = select(AuditEntry.action, func.count()).where(*at, AuditEntry.table_name == "user_account")
    changed = dict(session.execute(accounts.group_by(AuditEntry.action)).all())
    roles = session.scalar(select(func.count()).select_from(AuditEntry).where(*at, AuditEntry.table_name == Grant.__tablename__))
    yield "账号", f"新增 {changed.get('create', 0)} 个，改动 {changed.get('update', 0)} 次，角色授予和移除 {roles} 次"
    if scope_in(session).may(Action.READ, Child.RESOURCE):
        yield from _of_children(session)


def _verdict(session: Session) -> str:
    held, wrong = audit.verify(session)
    return "完好" if wrong is None else f"有误：{wrong}（前 {held} 条完好）"


def _of_children(session: Session) -> Iterator[tuple[str, str]]:
    today = dt.date.today()
    here = exists().where(Enrolment.child_id == Child.id, Enrolment.end.is_(None), Enrolment.deleted_at.is_(None))
    alive = select(func.count(Child.id)).where(here)
    open_ = session.scalar(alive.where(no_consent(session, today))) or 0
    yield "个人信息告知", f"在读 {session.scalar(alive)} 人，不满14周岁未登记告知 {open_} 人"
    archived = session.scalar(select(func.count(Child.id)).where(Child.archived_on.is_not(None), Child.erased_on.is_(None)))
    erased = session.scalar(select(func.count(Child.id)).where(Child.erased_on.is_not(None)))
    yield "归档与清除", f"已归档待清除 {archived} 人，已清除 {erased} 人"


def _exports(session: Session, year: int) -> Iterator[tuple[Any, ...]]:
    if not scope_in(session).may(Action.READ, ExportRequest.RESOURCE):
        return
    start, end = (dt.datetime(y, 1, 1, tzinfo=labels.COUNTY_CLOCK) for y in (year, year + 1))
    asked = (
        select(ExportRequest).where(ExportRequest.created_at >= start, ExportRequest.created_at < end).order_by(ExportRequest.id)
    )
    for row in session.scalars(asked):
        taken = labels.text(row.taken_at) if row.taken_at else "未导出"
        yield labels.text(row.created_at), row.by, row.title, row.count, row.purpose, taken


def tables(found: Summary) -> list[tuple[str, list[str], list[list[Any]]]]:
    """The summary as lists for a workbook: (title, headers, rows)."""
    shown = (*LOOKED, *CHANGED)
    return [
        ("概况", ["项目", "情况"], [["年度", str(found.year)], *map(list, found.duties)]),
        ("操作次数", ["操作", "次数"], [[labels.DEEDS.get(deed, deed), count] for deed, count in found.deeds.most_common()]),
        (
            "按人",
            ["操作人", "角色", "打开过的档案数", *(labels.DEEDS[deed] for deed in shown)],
            [[p.name, p.roles, p.children, *(p.deeds[deed] for deed in shown)] for p in found.people],
        ),
        ("完整号码导出", ["申请时间", "申请人", "列表", "行数", "用途", "导出时间"], [list(row) for row in found.exports]),
    ]
