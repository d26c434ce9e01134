"""What guardians were told about a child's data and what they signed (个人信息保护法 art. 31; 儿童个人信息网络保护规定 art. 9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from .. import labels, rules
from ..models import Child, Consent
from ..rules import Complaint

NOTICE = "2026-1"
"""The version of the printed notice that guardians sign; another wording is another version."""
GROUNDS = (Consent.GIVEN, Consent.DUTY)
"""On what ground many children are entered at once; who refused or took it back is entered one by one."""
LATER = "later"
GROWN = 14
"""Below this age a child's data are sensitive whatever they say, and the guardian is asked (art. 28, 31)."""


def notice(years: int) -> list[tuple[str, str]]:
    """(heading, text) of what the printed notice and the page of rules both say. Another wording is another ``NOTICE``.

    :param years: after leaving, until a file is archived.
    """
    return [
        (
            "登记什么",
            "孩子的姓名、性别、出生日期、证件号、住址、就读和健康情况；父母和照护人的姓名、电话、去向；老师谈心、家访、活动、假期交接等关爱记录。"
            "谈心内容只有本校看得到，心理辅导正文只有心理教师和校长看得到；亲情书信只记日期，不登记内容。",
        ),
        (
            "用来做什么",
            "只用于关爱保护、控辍保学、资助帮扶、强制报告等法定职责和本县年度考核统计，不用于其他目的，不公开张贴，不提供给企业。",
        ),
        (
            "谁能看到",
            "本校填报员、校长，教育体育局德育股、分管领导；本校心理教师看名册和心理记录；转学时随档案转到接收学校。证件号和电话在系统中加密，"
            "默认只显示首尾，查看完整号码须写明用途并留下记录。依法需要向民政等部门报送的，只报规定的栏目。",
        ),
        (
            "保存多久",
            f"孩子离开本县学校满 {years} 年后归档，清除姓名、号码、住址和文字，只留统计数字；依法强制报告过的，按规定留存。",
        ),
        (
            "您的权利",
            "您可以向学校或教育体育局查阅、复制、更正孩子的信息，可以要求清除，也可以撤回同意；撤回不影响此前的处理，也不影响孩子依法享有的关爱和资助。",
        ),
    ]


RULES = (
    (
        "专门规则",
        "不满 14 周岁未成年人的个人信息都是敏感个人信息。依据个人信息保护法第二十八条、第三十一条和儿童个人信息网络保护规定，本规则专为他们制定，"
        "与工作人员、家长的信息分开。只登记关爱保护需要的栏目，逐栏的类别、依据、可看的人和保存期限见“信息清单”。",
    ),
    (
        "依据和同意",
        "学校和教育体育局依法履行农村留守儿童关爱保护职责；超出职责所必需的，须监护人同意。监护人签收告知书的日期、版本和意见登记在档案里，"
        "不同意、已撤回的照样登记，不因批量登记或导入台账改动。不满 14 周岁还没签收的，一直列在待办里。",
    ),
    (
        "怎样保护",
        "按最小范围授权，一所学校看不到别校的孩子；查看、导出、打印都留痕，完整号码成批导出须分管领导同意，文件默认加密；每年自查一次合规情况。"
        "发生泄露的，立即补救，报告主管部门并告知监护人。",
    ),
)
"""What the rules for minors under fourteen say besides (个人信息保护法 art. 28, 31, 51, 57; 未成年人网络保护条例 art. 36, 37)."""


@dataclass(frozen=True)
class Told:
    """What several guardians signed: when, which version of the notice, and the ground on which data are kept."""

    on: dt.date
    version: str
    consent: Consent

    def __str__(self) -> str:
        return "，".join(filter(None, (f"{self.on} 签收", self.version and f"版本 {self.version}", self.consent.label)))

    def enter(self, child: Child) -> None:
        child.informed_on, child.informed_version, child.consent = self.on, self.version or None, self.consent


def read_told(typed: Mapping[str, str]) -> Told | None:
    """What was typed about the notice; None when nothing was.

    :raises Complaint: for a day that is none, or in the future, or without a ground.
    """
    on, version, ground = (rules.tidy(typed.get(name, "")) for name in ("informed_on", "informed_version", "consent"))
    if not (on or ground):
        return None
    day, wrong = labels.parsed_for_form(Child, "informed_on", on)
    if wrong or day is None:
        raise Complaint(f"告知书签收日：{wrong or '请填写。'}")
    consent = Consent.from_text(ground)
    if consent not in GROUNDS:
        raise Complaint("请选择个人信息处理依据。")
    return Told(day, version[:20], consent)


def decided(typed: Mapping[str, str]) -> Told | None:
    """As ``read_told`` where something must be said: None when it was said that nothing is signed yet.

    :raises Complaint: when nothing was said, and as ``read_told``.
    """
    if typed.get("consent") == LATER:
        return None
    told = read_told(typed)
    if told is None:
        raise Complaint("请选择：新增的不满 14 周岁儿童，监护人是否已签收告知书。")
    return told


def signs(child: Child, told: Told) -> bool:
    """Does what many signed hold for this child? A refusal stays, and so does the day this version was signed."""
    if child.consent in (Consent.REFUSED, Consent.WITHDRAWN):
        return False
    return child.consent is None or (bool(told.version) and child.informed_version != told.version)


def is_young(birth: dt.date | None, on: dt.date) -> bool:
    """Is who was born then under fourteen? Nobody knows without a birth date: then it is not asked."""
    return birth is not None and rules.at_age(birth, GROWN) > on
