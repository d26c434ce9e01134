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
