"""The only reader of the words, checks and sensitivity that models.py keeps on its columns."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Date
from sqlalchemy.orm import ColumnProperty, RelationshipProperty, class_mapper

from . import models, rules
from .orm import Base, BlindIndex, Check, Choice, Coded, Group, Sealed, Several

TABLES: dict[str, str] = {
    "township": "乡镇",
    "school": "学校",
    "code": "代码",
    "term": "学期",
    "holiday": "假期",
    "workday": "调休",
    "census_round": "摸底",
    "setting": "设置",
    "staff": "教职工",
    "child": "儿童",
    "enrolment": "就读",
    "parent": "父母",
    "parent_status": "父母去向",
    "carer": "照护人",
    "responsibility": "包保责任人",
    "contact_card": "联系卡",
    "transfer": "转学",
    "agreement": "委托照护",
    "child_category": "困境与家庭类别",
    "state_note": "四项状况",
    "care_record": "关爱记录",
    "flag": "重点关注",
    "counselling": "心理辅导",
    "help_plan": "帮扶计划",
    "letter": "感恩书信",
    "pairing": "手拉手结对",
    "evaluation": "多元评价",
    "holiday_handover": "假期交接",
    "dropout_case": "控辍保学",
    "dropout_step": "劝返步骤",
    "subsidy": "资助",
    "mandatory_report": "强制报告",
    "facility": "阵地设施",
    "activity": "活动演练",
    "participation": "参加儿童",
    "training_session": "培训",
    "attendance": "培训签到",
    "post": "任职分工",
    "paper": "文件材料",
    "evening_slot": "晚间安排",
    "census_return": "摸底上报",
    "opinion": "舆情",
    "notice": "通知",
    "notice_receipt": "阅知",
    "attachment": "附件",
    "batch": "批量操作",
    "scheme": "考核方案",
    "approval": "审批",
    "indicator": "指标",
    "assessment_round": "考核轮次",
    "round_step": "考核流转",
    "sheet": "评分表",
    "item_score": "系统得分",
    "office_score": "评分",
    "self_score": "自评",
    "sheet_step": "自评报送",
    "evidence": "佐证材料",
    "appeal": "申诉",
    "appeal_answer": "申诉答复",
    "adjustment": "加减分",
    "inspection": "抽查",
    "inspected": "抽查儿童",
    "snapshot": "快照",
    "snapshot_part": "快照名单",
    "report": "报表",
    "export_request": "导出申请",
    "comparison": "三方比对",
    "comparison_row": "比对结果",
    "user_account": "账号",
    "user_role": "角色",
    "import_batch": "导入",
    "ledger_name": "列名",
    "audit_entry": "操作日志",
    "audit_key": "钥匙",
    "audit_head": "备份",
    "trash": "回收站",
}
"""What a record of each table is called on screens and in the log."""


RESOURCES: dict[str, str] = {
    "schools": "学校与乡镇", "staff": "教职工", "register": "儿童档案", "care": "关爱记录", "counselling": "心理辅导",
    "incidents": "强制报告与舆情", "work": "活动、培训、任职、文件", "notices": "通知", "rubric": "考核设置与代码", "approvals": "审批",
    "matching": "三方比对", "full_exports": "完整号码导出", "scores": "考核评分", "self": "自评与申诉", "confirmations": "自评确认",
    "accounts": "账号", "audit": "操作日志", "retention": "归档与清除",
}  # fmt: skip
"""What the role table grants rights on, in words."""
ACTIONS: dict[str, str] = {
    "read": "查看", "create": "新建", "update": "修改", "delete": "删除", "export": "导出", "reveal": "显示完整号码", "publish": "推进考核",
}  # fmt: skip
DEEDS: dict[str, str] = {
    "create": "新增", "update": "修改", "delete": "移入回收站", "restore": "恢复", "erase": "清除", "remove": "移除", "open": "查看",
    "search": "查询", "export": "导出", "reveal": "显示完整", "print": "打印", "download": "下载", "request": "申请转入", "import": "导入", "login": "登录",
    "logout": "退出", "refused": "登录失败", "move": "考核流转", "freeze": "冻结", "publish": "公布", "backup": "备份", "rotate": "更换钥匙",
    "unlock": "解除锁定", "probe": "跨校查重", "stranger": "查到别校儿童", "forget": "清除日志内容", "denied": "拒绝访问", "lookup": "即时查找",
}  # fmt: skip
"""What the log calls a deed."""
GROUPS: dict[str, str] = {
    "G1": "名册", "G2": "联系方式", "G3": "证件号", "G4": "家庭情况", "G5": "谈心与心理文字", "G5c": "心理辅导正文", "G6": "受限类别与事件",
}  # fmt: skip


@cache
def _info(model: type[Base], name: str) -> dict[str, Any]:
    prop = class_mapper(model).get_property(name)
    if isinstance(prop, RelationshipProperty):
        return dict(prop.info)
    assert isinstance(prop, ColumnProperty)
    return dict(prop.columns[0].info)


def label(model: type[Base], name: str) -> str:
    """What a column or relationship is called, in Chinese; ``a.b`` is what b is called at the far end of a,
    but for a name or title: there it is what a is called."""
    head, _, rest = name.partition(".")
    if rest:
        far = class_mapper(model).relationships[head].mapper.class_
        return label(far, rest) if rest not in ("name", "title") else label(model, head)
    return str(_info(model, head).get("label") or name)


@cache
def check(model: type[Base], name: str) -> Check | None:
    """The check of a column; a date without one of its own must at least lie in living memory."""
    own = _info(model, name).get("check")
    columns = class_mapper(model).columns
    return own or (rules.sensible_date if name in columns and isinstance(columns[name].type, Date) else None)


def group(model: type[Base], name: str) -> Group:
    head, _, rest = name.partition(".")
    if rest:
        return group(class_mapper(model).relationships[head].mapper.class_, rest)
    info = _info(model, name)
    if sources := info.get("sources"):  # what is derived from a column is as grave as the column
        return group(model, sources[0])
    return info.get("group") or Group.ROSTER


def hint(model: type[Base], name: str) -> str:
    return _info(model, name).get("hint") or ""


def column(model: type[Base], name: str) -> Any:
    """The attribute behind a name; ``a.b`` is b at the far end of a."""
    return getattr(*_far(model, name))


def sorted_by(model: type[Base], name: str) -> tuple[Any, ...]:
    """The columns that a list sorted by a column (``a.b`` too) is sorted by: those it names, else itself."""
    far, last = _far(model, name)
    named = _info(far, last).get("sorted_by")
    return tuple(named(far)) if named else (getattr(far, last),)


def sound(model: type[Base], name: str) -> Any:
    """The column in which typed pinyin is looked for beside a column (``a.b`` too), or None."""
    far, last = _far(model, name)
    where = _info(far, last).get("sound_in")
    return getattr(far, where) if where else None


def _far(model: type[Base], name: str) -> tuple[type[Base], str]:
    head, _, rest = name.partition(".")
    return (class_mapper(model).relationships[head].mapper.class_, rest) if rest else (model, name)


@cache
def column_type(model: type[Base], name: str) -> Any:
    return class_mapper(model).columns[name].type


def far_type(model: type[Base], name: str) -> Any:
    """The type of a column, also of one at the far end of a relationship (``a.b``)."""
    head, _, rest = name.partition(".")
    return column_type(class_mapper(model).relationships[head].mapper.class_, rest) if rest else column_type(model, name)


def is_sealed(model: type[Base], name: str) -> bool:
    head, _, rest = name.partition(".")
    if rest:
        return is_sealed(class_mapper(model).relationships[head].mapper.class_, rest)
    mapper = class_mapper(model)
    return head in mapper.columns and isinstance(mapper.columns[head].type, Sealed | BlindIndex)


def is_open(model: type[Base], name: str) -> bool:
    """May every reader of the row read this column, whatever its value? Then it can be sorted and shown without asking."""
    if is_sealed(model, name) or group(model, name) in (Group.MIND, Group.COUNSELLING, Group.INCIDENT):
        return False
    head, _, rest = name.partition(".")
    far = class_mapper(model).relationships[head].mapper.class_ if rest else model
    columns = class_mapper(far).columns
    kind = columns[rest or head].type if (rest or head) in columns else None
    return not (isinstance(kind, Coded) and any(hasattr(member, "group") for member in kind.choices))


def choices(model: type[Base], name: str) -> type[Choice] | None:
    kind = column_type(model, name)
    return kind.choices if isinstance(kind, Coded) else None


def text(value: Any) -> str:
    """A value as it is read on a screen or a sheet: dates ISO, yes and no in words, a Choice by its label."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, tuple):
        return "、".join(str(v) for v in value)
    if isinstance(value, dt.datetime):
        return local(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


def day(value: dt.date | None) -> str:
    """A date as Chinese papers write it."""
    return f"{value.year}年{value.month}月{value.day}日" if value is not None else ""


def parsed_for_form(model: type[Base], name: str, raw: str) -> tuple[Any, str | None]:
    """As ``parse``, with days as days: what a bulk form gives for one column."""
    if not isinstance(column_type(model, name), Date) or not rules.tidy(raw):
        return parse(model, name, raw)
    try:
        day = dt.date.fromisoformat(rules.tidy(raw))
    except ValueError:
        return None, "日期应写作 年-月-日，如 2026-09-01。"
    complaint = complain(model, name, day.isoformat())
    return (None, complaint) if complaint else (day, None)


COUNTY_CLOCK = dt.timezone(dt.timedelta(hours=8))
"""China has one zone and no summer time."""


def local(moment: dt.datetime) -> dt.datetime:
    """A point in time on the county's clock."""
    return moment.astimezone(COUNTY_CLOCK)


def parse(model: type[Base], name: str, raw: str) -> tuple[Any, str | None]:
    """A text as typed or read from a sheet, into what the column keeps.

    :returns: the value and None, or None and the complaint. An empty text is None without complaint.
    """
    raw = rules.tidy(raw)
    if not raw:
        return None, None
    kind = column_type(model, name)
    if isinstance(kind, Coded):
        member = kind.choices.from_text(raw)
        return member, None if member else f"“{_short(raw)}”不在可选范围内。"
    if isinstance(kind, Several):
        return _several(kind, raw)
    if isinstance(kind, Boolean):
        if raw in rules.YES_WORDS:
            return True, None
        return (False, None) if raw in rules.NO_WORDS else (None, f"“{_short(raw)}”应填 是 或 否。")
    complaint = complain(model, name, raw)
    return (None, complaint) if complaint else (tidied(model, name, raw), None)


def _short(text: str) -> str:
    """Enough to know it again: a cell holds up to 32,767 characters, and a file 50,000 rows of them."""
    return text if len(text) <= 30 else f"{text[:30]}…"


def _several(kind: Several, raw: str) -> tuple[Any, str | None]:
    """Several words with 、 or a comma between them."""
    words = [word for word in re.split(r"[、,，;；\s]+", raw) if word]
    found = [kind.choices.from_text(word) if kind.choices else word for word in words]
    unknown = next((word for word, value in zip(words, found, strict=True) if value is None), None)
    return (None, f"“{_short(unknown)}”不在可选范围内。") if unknown else (tuple(found), None)


def tidied(model: type[Base], name: str, value: str) -> str:
    """A text in the form the column keeps: names without blanks, numbers half-width."""
    rule = check(model, name)
    if rule is rules.person_name:
        return rules.tidy_name(value)
    if rule in (rules.phone, rules.id_number, rules.roll_number):
        return rules.tidy_number(value)
    return rules.tidy(value)


def complain(model: type[Base], name: str, value: str) -> str | None:
    """What is wrong with a text for this column: its own check, then its length."""
    rule = check(model, name)
    if rule and (complaint := rule(value)):
        return complaint
    kind = column_type(model, name)
    length = getattr(kind, "length", None)
    if length and not isinstance(kind, Sealed) and len(value) > length:
        return f"最多 {length} 个字，现有 {len(value)} 个。"
    return None


def of_table(table_name: str) -> str:
    return TABLES.get(table_name, table_name)


def model_of(table_name: str) -> type[Base] | None:
    return next((m.class_ for m in models.Base.registry.mappers if m.class_.__tablename__ == table_name), None)


DAYS = ("on", "found_on", "issued_on", "signed_on", "proposed_on", "start", "done_on")
"""Where a record says when it was; the first that is filled in names it."""
NAMED = ("parent", "carer", "responsibility")
"""Records of a child that are known by a name of their own."""


def heading(row: Any) -> str:
    """What a page or a message calls a row. A child's record by the child, its kind and its day: nothing that is guarded."""
    stay, child = getattr(row, "enrolment", None), getattr(row, "child", None)
    who = getattr(row, "child_name", None) or getattr(stay, "child_name", None) or getattr(child, "name", None)
    if who is None or isinstance(row, models.Enrolment):
        return str(row)
    kind = of_table(row.__tablename__)
    if row.__tablename__ in NAMED:
        return f"{who} · {kind} {row}"
    day = next((text(value) for name in DAYS if (value := getattr(row, name, None)) is not None), "")
    return f"{who} · {kind} {day}".rstrip()
