"""信息清单: every column that holds something of a person, made from the models and the role table (个人信息保护法 art. 28, 51, 55;
儿童个人信息网络保护规定; 未成年人网络保护条例 art. 36).

Only whom a table is about is written down here. A new column is listed by itself; a table nobody placed, or a column without
words, fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import class_mapper

from .. import access, labels
from ..orm import Base, BlindIndex, Derived, Group, Sealed


@dataclass(frozen=True)
class About:
    """Whom a table is about: on what ground it is kept, and until when."""

    who: str
    basis: str
    kept: str
    is_child: bool = False


_DUTY = "履行法定职责（未成年人保护法、国发〔2016〕13号、新教发〔2018〕29号）"
_FILE = "离开全县学校满 %(years)d 年归档，再清除；删除的满 %(days)d 天可清除"
_WORK = "随工作档案留存"
CHILD = About("儿童", f"{_DUTY}；不满14周岁须监护人同意或告知监护人", _FILE, is_child=True)
GUARDIAN = About("父母和照护人", f"{_DUTY}；告知监护人", f"随儿童档案：{_FILE}")
STAFF = About("教职工和经办人", "履行法定职责、人事管理所必需", _WORK)
USER = About("使用人", "网络安全法、网络数据安全管理条例要求的登录与留痕", "账号停用后保留，操作日志长期留存（不少于六个月）")
NOBODY = None
"""No person stands in it but who entered a row."""

_OF = {
    CHILD: "child enrolment responsibility contact_card transfer agreement child_category state_note care_record flag counselling help_plan "
    "letter pairing evaluation holiday_handover dropout_case dropout_step subsidy mandatory_report opinion participation attachment inspected "
    "item_score snapshot_part report batch export_request comparison comparison_row import_batch audit_value",
    GUARDIAN: "parent parent_status carer attendance",
    STAFF: "staff post activity training_session facility evening_slot paper census_return evidence notice_receipt approval round_step "
    "sheet_step office_score self_score appeal appeal_answer adjustment inspection snapshot",
    USER: "user_account user_role login_session login_failure draft used_form audit_entry",
    NOBODY: "township school code term holiday workday census_round setting scheme indicator assessment_round sheet day ledger_name notice "
    "audit_head audit_key",
}
TABLES: dict[str, About | None] = {table: about for about, tables in _OF.items() for table in tables.split()}
"""Every table, by whom it is about."""
KEPT = {
    "mandatory_report": "依法长期留存，不清除",
    "draft": "24 小时",
    "login_failure": "180 天，更换钥匙时清空",
    "login_session": "180 天",
    "used_form": "两天",
    "import_batch": "写入、放弃或 24 小时没有确认，即删去文件内容",
    "audit_value": "长期留存；清除儿童信息时删去其中的旧值",
    "export_request": "长期留存；清除儿童信息时删去其中的姓名",
}
"""Tables that are kept for another time than what they are about."""
ONLY_AUTHOR = frozenset({"draft", "used_form", "login_session", "login_failure"})
"""Read by no screen of a table: the account's own, by itself; the administrator sees who is logged in."""
WORDS = {
    "audit_value": "操作日志的改动内容",
    "draft": "草稿",
    "login_failure": "登录失败",
    "login_session": "登录",
    "used_form": "已提交的表单",
    "carer.person_key": "同一人的标记",
    "attendance.person_key": "同一人的标记",
    "audit_value.changes": "改动前后的值（号码已遮蔽）",
    "draft.path": "页面",
    "draft.fields": "未保存的表单",
    "draft.at": "时间",
    "draft.user_id": "使用人",
    "login_failure.who": "输入的账号",
    "login_failure.address": "网络地址",
    "login_failure.at": "时间",
    "login_failure.forgiven": "已解除锁定",
    "login_session.address": "网络地址",
    "login_session.token_hash": "登录凭据",
    "login_session.user_id": "使用人",
    "login_session.started_at": "登录时间",
    "login_session.seen_at": "最后使用时间",
    "login_session.ended_at": "退出时间",
    "login_session.gave_way": "因在别处登录而退出",
    "login_session.confirmed_at": "最近输入密码的时间",
    "used_form.key": "一次性编号",
    "used_form.location": "保存后去的页面",
    "used_form.at": "时间",
    "user_account.password_hash": "密码",
    "user_account.otp_secret": "动态口令密钥",  # nosec B105 # the word for it
    "user_account.otp_step": "动态口令的序号",
    "user_account.opened_at": "开通时间",
}
"""What a table or a column without a label of its own is called."""
_SEARCHED = "（检索、排序用）"
_HASHED = frozenset({"password_hash", "token_hash", "who"})
_ABOUT_THE_ROW = frozenset(
    "id created_at created_by updated_at updated_by version deleted_at deleted_by delete_reason entry_id salt digest mac".split()
)
"""Who entered a row and when, and what keeps the log whole: the same in every table, and nothing of the person it is about."""
_SECRETS = frozenset({"password_hash", "otp_secret", "token_hash"})
_GRAVE = frozenset({Group.IDENTITY, Group.FAMILY, Group.MIND, Group.COUNSELLING, Group.INCIDENT})
OF_A_CHILD, GRAVE, COMMON = "不满14周岁未成年人的敏感个人信息", "敏感个人信息", "一般个人信息"


@dataclass(frozen=True)
class Held:
    """One line of the list: a column, its class, and what the role table and the retention rules make of it."""

    table: str
    column: str
    who: str
    group: str
    kind: str
    basis: str
    readers: str
    kept: str
    """With the county's %(years)d and %(days)d open."""
    stored: str

    def as_json(self, years: int, days: int) -> dict[str, str]:
        """:param years: after leaving, until a file is archived; ``days``: that a row stays in the trash: the county's."""
        return asdict(self) | {"kept": self.kept % {"years": years, "days": days}}


def lines() -> list[Held]:
    """Every column that holds something of a person, table by table in the order of the screens."""
    return [line for model in _models() if TABLES[model.__tablename__] is not None for line in _lines_of(model)]


def called(model: type[Base], name: str) -> str:
    """A column in words.

    :raises KeyError: when nobody said what it is called.
    """
    column = class_mapper(model).columns[name]
    if column.info.get("label"):
        return labels.label(model, name)
    if isinstance(column.type, Derived | BlindIndex) and (sources := column.info.get("sources")):
        return "、".join(called(model, source) for source in sources) + _SEARCHED
    return WORDS[f"{model.__tablename__}.{name}"]


def _models() -> list[Any]:
    order = list(labels.TABLES)
    found = [mapper.class_ for mapper in Base.registry.mappers]
    return sorted(found, key=lambda m: (order.index(m.__tablename__) if m.__tablename__ in order else len(order), m.__tablename__))


def _lines_of(model: Any) -> Iterator[Held]:
    about = TABLES[model.__tablename__]
    assert about is not None
    for name in columns_of(model):
        group = _group(model, name)
        yield Held(
            WORDS.get(model.__tablename__) or labels.of_table(model.__tablename__),
            called(model, name),
            about.who,
            group.value,
            OF_A_CHILD if about.is_child else GRAVE if group in _GRAVE or name in _SECRETS else COMMON,
            about.basis,
            _readers(model, name, group),
            KEPT.get(model.__tablename__, about.kept),
            _stored(model, name),
        )


def _group(model: Any, name: str) -> Group:
    """The field group of a column; of one that only follows others, theirs."""
    sources = class_mapper(model).columns[name].info.get("sources") or (name,)
    return labels.group(model, sources[0])


def _readers(model: Any, name: str, group: Group) -> str:
    if name in _SECRETS or class_mapper(model).columns[name].info.get("sources"):
        return "不显示"
    if model.__tablename__ in ONLY_AUTHOR:
        return "本人"
    return "、".join(role.label for role in access.readers(model.RESOURCE, group))


def columns_of(model: type[Base]) -> list[str]:
    """The columns of a table that say something of whom it is about."""
    return [attr.key for attr in class_mapper(model).column_attrs if attr.key not in _ABOUT_THE_ROW]


def _stored(model: type[Base], name: str) -> str:
    kind = class_mapper(model).columns[name].type
    if isinstance(kind, Sealed):
        return "加密"
    return "只存散列" if isinstance(kind, BlindIndex) or name in _HASHED else "明文"
