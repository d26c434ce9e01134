"""What the plan leaves open and a county decides: one list of settings with its default, changed by the office on a screen.

Defaults: the practice of schools and the later law, for what the plan only calls 经常 (often) or 定期 (regularly).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Setting
from ..rules import Complaint, tidy


@dataclass(frozen=True)
class Open:
    """One open point: its key, what it is called, its default, and why the default is what it is."""

    key: str
    label: str
    default: str
    why: str
    least: int | None = None
    """A whole number from here to ``most``; None for a text."""
    most: int = 365

    @property
    def is_number(self) -> bool:
        return self.least is not None


SETTINGS: tuple[Open, ...] = (
    Open("bureau", "发文单位全称", "新平彝族傣族自治县教育体育局", "印在报表、台账、评分表、比对结果和告知书上"),
    Open("card_title", "联系卡卡面标题", "家校联系卡", "卡面不出现“留守”字样，不给孩子贴标签"),
    Open("talks_a_month", "每月谈心次数", "1", "方案写“经常”；学校通行做法是每月一次", 1, 8),
    Open("visits_a_term", "每学期入户家访次数", "1", "每学期至少一次入户，谁去都算", 1, 8),
    Open("trainings_a_year", "每年监护人培训场次", "2", "方案写“定期”；每学期一场", 1, 12),
    Open("follow_up_days", "重点关注跟进期限（天）", "14", "提出当日为第 0 天", 1, 60),
    Open("transfer_days", "转学档案交接期限（工作日）", "15", "从发起次日起算，扣除法定假日", 1, 60),
    Open("handover_lead_days", "假期前提醒天数", "10", "假期前多少天起在首页列未交接名单", 1, 60),
    Open("winter_contacts", "寒假联系次数", "2", "假期中至少联系的次数", 0, 30),
    Open("summer_contacts", "暑假联系次数", "4", "假期中至少联系的次数", 0, 60),
    Open("replacement_days", "小组成员离任后补齐期限（天）", "30", "领导小组、工作小组", 1, 120),
    Open("dropout_days", "辍学劝返期限（天）", "30", "超过未返校的计入扣分", 1, 120),
    Open("dropout_report_days", "辍学上报期限（工作日）", "3", "发现后录入系统的期限", 1, 30),
    Open("opinion_hours", "舆情报告期限（小时）", "24", "发现后报告的期限", 1, 168),
    Open("self_difference", "自评差异提示（分）", "1", "自评分与现在的得分相差超过此数的单独列出", 0, 20),
    Open("publicity_days", "考核结果公示期（工作日）", "5", "公示期内学校可以申诉", 1, 30),
    Open("appeal_days", "申诉答复期限（工作日）", "5", "从提出次日起算", 1, 30),
    Open(
        "retention_years",
        "离校几年后归档",
        "3",
        "离开全县学校满几年，档案退出台账，再清除姓名、号码、住址等文字；统计数字保留",
        1,
        20,
    ),
    Open("trash_days", "回收站保留天数", "365", "满此天数的删除记录可以清除内容", 30, 3650),
    Open("pair_days", "结对满多少天计入", "60", "首尾两天都算", 1, 365),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}


def values(session: Session) -> dict[str, str]:
    """Every setting, the county's own value or the default; one statement."""
    own = dict(session.execute(select(Setting.key, Setting.value).where(Setting.key.in_(_BY_KEY))).all())
    return {key: own.get(key, setting.default) for key, setting in _BY_KEY.items()}


def number(session: Session, key: str) -> int:
    return int(values(session)[key])


def word(session: Session, key: str) -> str:
    return values(session)[key]


def change(session: Session, wanted: dict[str, str]) -> int:
    """Save what differs. Returns how many settings changed.

    :raises Complaint: naming the setting whose value cannot be used.
    """
    now = values(session)
    changed = {key: _checked(_BY_KEY[key], raw) for key, raw in wanted.items() if key in _BY_KEY}
    changed = {key: value for key, value in changed.items() if value != now[key]}
    rows = {row.key: row for row in session.scalars(select(Setting).where(Setting.key.in_(changed)))}
    for key, value in changed.items():
        if key in rows:
            rows[key].value = value
        else:
            session.add(Setting(key=key, value=value))
    return len(changed)


def _checked(setting: Open, raw: str) -> str:
    value = tidy(raw)
    if not value:
        raise Complaint(f"“{setting.label}”不能为空；默认是 {setting.default}。", setting.key)
    if setting.least is None:
        if len(value) > 60:
            raise Complaint(f"“{setting.label}”最多 60 个字。", setting.key)
        return value
    if not value.isdecimal() or not setting.least <= int(value) <= setting.most:
        raise Complaint(f"“{setting.label}”应为 {setting.least} 至 {setting.most} 的整数。", setting.key)
    return str(int(value))
