"""Who and what a report counts: populations on a day or over a time, each member with its traits. The only queries of the reports.

Rows pass the session's scope, so a school's report counts its own children and the bureau's those of the county.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ...models import (
    Activity,
    Agreement,
    AgreementKind,
    Attendance,
    CareKind,
    CareQuality,
    Carer,
    CareRecord,
    CareWay,
    Category,
    CategoryKind,
    Child,
    Code,
    CodeKind,
    Definition,
    DropoutCase,
    DropoutReason,
    DropoutStep,
    Enrolment,
    Ethnic,
    Grade,
    HandoverState,
    Health,
    Holiday,
    Hukou,
    Kinship,
    Letter,
    Parent,
    ParentState,
    ParentStatus,
    Reach,
    Responsibility,
    Sex,
    Side,
    SignedHow,
    StepKind,
    Subsidy,
    TrainingSession,
    Whereabouts,
)
from ...orm import Group
from .. import completeness, definitions, handovers
from ..definitions import holds

Value = str | int | frozenset[str]
"""What a member is under a trait: a code, a number (age), or several codes; an empty text is not known."""


@dataclass(frozen=True)
class Period:
    """A report counts states on ``on`` and what happened from ``since`` to it, both days included.

    ``holiday``: the one holiday it is about, by id and name; None: those that begin in the period.
    """

    since: dt.date
    on: dt.date
    holiday: tuple[int, str] | None = None


@dataclass(slots=True)
class Member:
    """One thing that is counted: where, whose, and what it is like."""

    school_id: int
    child_id: int | None
    name: str
    class_name: str
    traits: dict[str, Value]
    amounts: dict[str, Decimal | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Trait:
    """A trait: what it is called, and its codes in words, in the order in which they are printed."""

    label: str
    words: Mapping[str, str]

    def said(self, value: Value) -> str:
        if isinstance(value, int):
            return str(value)
        codes = sorted(value, key=list(self.words).index) if isinstance(value, frozenset) else [value]
        return "、".join(self.words.get(code, "") for code in codes) or UNKNOWN


UNKNOWN = "未填"
RESTRICTED = "restricted"
"""The categories that few may read (K07 K08 K09 K11) stand as one, for everybody: a report must not tell which."""
YES_NO = {"yes": "是", "no": "否"}
STAGES = {"K": "幼儿园", "P": "小学", "M": "初中", "H": "高中", "V": "中职"}
PLACES = {"kindergarten": "幼儿园", "primary": "小学", "junior": "初中", "senior": "高中", "vocational": "中职", "dropout": "辍学"}
_PLACE_OF = dict(zip(STAGES, PLACES, strict=False))
KINDS = {"both": "双亲外出", "incapable": "一方外出另一方无监护能力", "none": "不在口径内"}
GUARDIANS = {
    "grandparents": "（外）祖父母",
    "kin": "亲戚朋友",
    "nobody": "无人监护",
    "parent": "一方外出另一方无监护能力",
    "home": "父母在家照护",
    "unclear": "登记为父母照护，但父母都外出",
}
_OWN = (Kinship.FATHER, Kinship.MOTHER, Kinship.STEPFATHER, Kinship.STEPMOTHER)
_GRAND = (
    Kinship.GRANDFATHER, Kinship.GRANDMOTHER, Kinship.GRANDFATHER_M, Kinship.GRANDMOTHER_M, Kinship.GREAT_GRANDFATHER,
    Kinship.GREAT_GRANDMOTHER,
)  # fmt: skip


def _words(choices: Iterable[Any]) -> dict[str, str]:
    return {member.value: member.label for member in choices}


TRAITS: dict[str, Trait] = {
    "left_behind": Trait("是否农村留守儿童", YES_NO),
    "kind": Trait("留守类型", KINDS),
    "xj": Trait("学籍口径留守", {"0": "非留守", "1": "单亲留守", "2": "双亲留守"}),
    "stage": Trait("学段", STAGES),
    "place": Trait("就学情况", PLACES),
    "grade": Trait("年级", _words(Grade)),
    "sex": Trait("性别", _words(Sex)),
    "age": Trait("周岁", {}),
    "age_group": Trait("年龄段", {"0-5": "0—5 周岁", "6-13": "6—13 周岁", "14-15": "14—16 周岁（不含）", "16-": "16 周岁及以上"}),
    "ethnic": Trait("民族", _words(Ethnic)),
    "minority": Trait("少数民族", YES_NO),
    "boarding": Trait("寄宿", {"yes": "寄宿", "no": "走读"}),
    "guardian": Trait("监护类型", GUARDIANS),
    "quality": Trait("监护情况", _words(CareQuality)),
    "category": Trait(
        "困境与家庭类别",
        _words(kind for kind in CategoryKind if kind.group is not Group.INCIDENT) | {RESTRICTED: "受限类别"},
    ),
    "reach": Trait("务工地范围", _words(Reach)),
    "hukou": Trait("户口性质", _words(Hukou)),
    "registered": Trait("是否登记户口", YES_NO),
    "disabled": Trait("残疾", YES_NO),
    "ill": Trait("患病", YES_NO),
    "complete": Trait("档案完整", YES_NO),
    "agreement": Trait("签订确认书", YES_NO),
    "responsible": Trait("责任人落实", YES_NO),
    "reached": Trait("交接进度", _words(HandoverState)),
    "whereabouts": Trait("假期去向", _words(Whereabouts)),
    "found": Trait("发现", {"now": "本期发现", "before": "以前发现"}),
    "returned": Trait("返校", {"now": "本期返校", "no": "未返校"}),
    "reason": Trait("原因", _words(DropoutReason)),
    "steps": Trait("劝返步骤", _words(StepKind)),
    "care": Trait("类别", _words(CareKind)),
    "way": Trait("方式", _words(CareWay)),
    "area": Trait("记录", _words(CodeKind)),
    "code": Trait("代码", {}),
}
PIVOT = (
    "township", "school", "stage", "grade", "sex", "ethnic", "guardian", "kind", "boarding", "category", "reach", "age_group", "quality",
)  # fmt: skip
"""What any two of may be crossed, by the columns leaders ask for."""


# --- the children of a day ---


class _Day:
    """The register on a day, each question asked at most once and only when a trait needs it."""

    def __init__(self, session: Session, on: dt.date):
        self.session, self.on = session, on

    @cached_property
    def left_behind(self) -> frozenset[int]:
        return frozenset(self.session.scalars(definitions.left_behind(Definition.GF13, self.on)))

    @cached_property
    def parents(self) -> dict[int, dict[Side, tuple[ParentState, Reach | None]]]:
        found: dict[int, dict[Side, tuple[ParentState, Reach | None]]] = defaultdict(dict)
        rows = select(ParentStatus.child_id, Parent.side, ParentStatus.state, ParentStatus.reach)
        rows = rows.join(Parent, Parent.id == ParentStatus.parent_id).where(holds(ParentStatus, self.on))
        for child, side, state, reach in self.session.execute(rows.order_by(ParentStatus.start)):
            found[child][side] = (state, reach)
        return found

    def kind(self, child: int) -> str:
        if child not in self.left_behind:
            return "none"
        states = [state for state, _reach in self.parents[child].values()]
        return "both" if states.count(ParentState.AWAY) == 2 else "incapable"

    @cached_property
    def xj(self) -> dict[int, int]:
        return dict(self.session.execute(definitions.parents_long_away(self.on)).all())

    @cached_property
    def carers(self) -> dict[int, tuple[Kinship, CareQuality | None]]:
        rows = select(Carer.child_id, Carer.relation, Carer.quality).where(holds(Carer, self.on)).order_by(Carer.start, Carer.id)
        return {child: (relation, quality) for child, relation, quality in self.session.execute(rows)}

    def guardian(self, child: int) -> str:
        """Who cares, in the four groups of the national return of 2016; a carer not entered is not known."""
        carer = self.carers.get(child)
        if carer is None:
            return ""
        relation = carer[0]
        if relation in _OWN:
            return {"incapable": "parent", "both": "unclear", "none": "home"}[self.kind(child)]
        if relation in _GRAND:
            return "grandparents"
        return "nobody" if relation is Kinship.NOBODY else "kin"

    def quality(self, child: int) -> str:
        quality = self.carers[child][1] if child in self.carers else None
        return quality.value if quality else ""

    @cached_property
    def categories(self) -> dict[int, frozenset[str]]:
        found: dict[int, set[str]] = defaultdict(set)
        for child, kind in self.session.execute(select(Category.child_id, Category.kind).where(holds(Category, self.on))):
            found[child].add(RESTRICTED if kind.group is Group.INCIDENT else kind.value)
        return {child: frozenset(kinds) for child, kinds in found.items()}

    def reach(self, child: int) -> frozenset[str]:
        found = [reach or Reach.UNKNOWN for state, reach in self.parents[child].values() if state is ParentState.AWAY]
        return frozenset(reach.value for reach in found)

    @cached_property
    def dropped_out(self) -> frozenset[int]:
        open_ = or_(DropoutCase.returned_on.is_(None), DropoutCase.returned_on > self.on)
        return frozenset(self.session.scalars(select(DropoutCase.child_id).where(DropoutCase.found_on <= self.on, open_)))

    @cached_property
    def incomplete(self) -> frozenset[int]:
        term = completeness.current_term(self.session, self.on)
        return frozenset(child for child, _place in self.session.execute(completeness.lacking(self.on, term)))

    @cached_property
    def agreements(self) -> frozenset[int]:
        duty = select(Agreement.child_id).where(Agreement.kind == AgreementKind.DUTY, holds(Agreement, self.on))
        return frozenset(self.session.scalars(duty))

    @cached_property
    def responsible(self) -> frozenset[int]:
        return frozenset(self.session.scalars(select(Responsibility.child_id).where(holds(Responsibility, self.on))))


def _yes(condition: object) -> str:
    return "yes" if condition else "no"


def _age(born: dt.date, on: dt.date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _age_group(age: int) -> str:
    return "0-5" if age < 6 else "6-13" if age < 14 else "14-15" if age < 16 else "16-"


OF_A_CHILD: dict[str, Callable[[_Day, Any], Value]] = {
    "left_behind": lambda day, row: _yes(row.id in day.left_behind),
    "kind": lambda day, row: day.kind(row.id),
    "xj": lambda day, row: str(min(2, day.xj.get(row.id, 0))),
    "stage": lambda _day, row: row.grade.value[0],
    "place": lambda day, row: "dropout" if row.id in day.dropped_out else _PLACE_OF[row.grade.value[0]],
    "grade": lambda _day, row: row.grade.value,
    "sex": lambda _day, row: row.sex.value,
    "age": lambda day, row: _age(row.birth_date, day.on),
    "age_group": lambda day, row: _age_group(_age(row.birth_date, day.on)),
    "ethnic": lambda _day, row: row.ethnic.value,
    "minority": lambda _day, row: _yes(row.ethnic is not Ethnic.E01),
    "boarding": lambda _day, row: _yes(row.boarding),
    "guardian": lambda day, row: day.guardian(row.id),
    "quality": lambda day, row: day.quality(row.id),
    "category": lambda day, row: day.categories.get(row.id, frozenset()),
    "reach": lambda day, row: day.reach(row.id),
    "hukou": lambda _day, row: row.hukou.value if row.hukou else "",
    "registered": lambda _day, row: _yes(row.hukou_registered),
    "disabled": lambda _day, row: _yes(row.disability or row.health is Health.DISABLED),
    "ill": lambda _day, row: _yes(row.illness or row.health is Health.CHRONIC),
    "complete": lambda day, row: _yes(row.id not in day.incomplete),
    "agreement": lambda day, row: _yes(row.id in day.agreements),
    "responsible": lambda day, row: _yes(row.id in day.responsible),
}
"""Each trait of a child on a day. What has no dates of its own (boarding, hukou, health) is as it is now."""


def children(session: Session, period: Period, wanted: Collection[str]) -> list[Member]:
    """Every child enrolled on the day, with the wanted traits, in the order of the register."""
    on, day = period.on, _Day(session, period.on)
    enrolled = (
        select(
            Child.id, Enrolment.school_id, Child.name, Child.class_name, Child.grade, Child.sex, Child.birth_date, Child.ethnic,
            Child.boarding, Child.hukou, Child.hukou_registered, Child.disability, Child.health, Child.illness,
        )
        .join(Enrolment, Enrolment.child_id == Child.id)
        .where(holds(Enrolment, on))
        .order_by(Enrolment.school_id, Child.class_order, Child.name_order, Child.id)
    )  # fmt: skip
    return [
        Member(
            row.school_id,
            row.id,
            row.name,
            f"{row.grade}{row.class_name}",
            {trait: OF_A_CHILD[trait](day, row) for trait in wanted},
        )
        for row in session.execute(enrolled)
    ]


# --- what happened ---


def handed_over(session: Session, period: Period, _wanted: Collection[str]) -> list[Member]:
    """Every handover that is due in the holiday of the report, or in those that begin in its period, done or not."""
    asked = Holiday.start.between(period.since, period.on) if period.holiday is None else Holiday.id == period.holiday[0]
    holidays = select(Holiday).where(Holiday.handover, asked)
    order = list(HandoverState)
    found = []
    for holiday in session.scalars(holidays.order_by(Holiday.start)):
        for line in handovers.lines(session, holiday):
            reached = frozenset(state.value for state in order[1 : order.index(line.state) + 1])
            where = line.handover.whereabouts.value if line.handover and line.handover.whereabouts else ""
            traits: dict[str, Value] = {"reached": reached or frozenset({HandoverState.OPEN.value}), "whereabouts": where}
            stay = line.enrolment
            found.append(
                Member(stay.school_id, line.child.id, stay.child_name, f"{line.child.grade}{line.child.class_name}", traits)
            )
    return found


def dropouts(session: Session, period: Period, _wanted: Collection[str]) -> list[Member]:
    """Pupils away from school in the period: found in it or before, and not back before it began."""
    steps: dict[int, set[str]] = defaultdict(set)
    for case, step in session.execute(select(DropoutStep.case_id, DropoutStep.step).where(DropoutStep.on <= period.on)):
        steps[case].add(step.value)
    cases = (
        select(DropoutCase, Enrolment.child_name)
        .join(Enrolment, Enrolment.id == DropoutCase.enrolment_id)
        .where(
            DropoutCase.found_on <= period.on,
            or_(DropoutCase.returned_on.is_(None), DropoutCase.returned_on >= period.since),
        )
        .order_by(DropoutCase.school_id, DropoutCase.found_on)
    )
    return [
        Member(
            case.school_id,
            case.child_id,
            name,
            str(case.grade),
            {
                "found": "now" if case.found_on >= period.since else "before",
                "returned": "now" if case.returned_on is not None and case.returned_on <= period.on else "no",
                "reason": case.reason.value,
                "steps": frozenset(steps[case.id]),
            },
        )
        for case, name in session.execute(cases)
    ]


def care(session: Session, period: Period, _wanted: Collection[str]) -> list[Member]:
    """Talks, visits and contacts of the period."""
    rows = (
        select(CareRecord.school_id, CareRecord.child_id, Enrolment.child_name, CareRecord.kind, CareRecord.way)
        .join(Enrolment, Enrolment.id == CareRecord.enrolment_id)
        .where(CareRecord.on.between(period.since, period.on))
    )
    return [
        Member(school, child, name, "", {"care": kind.value, "way": way.value})
        for school, child, name, kind, way in session.execute(rows)
    ]


def letters(session: Session, period: Period, _wanted: Collection[str]) -> list[Member]:
    """Letters home of the period."""
    rows = select(Letter.school_id, Letter.child_id, Enrolment.child_name).join(Enrolment, Enrolment.id == Letter.enrolment_id)
    return [Member(*row, "", {}) for row in session.execute(rows.where(Letter.on.between(period.since, period.on)))]


def activities(session: Session, period: Period, _wanted: Collection[str]) -> list[Member]:
    """Lessons, drills, meetings, linkage events, publicity and openings of the period."""
    rows = (
        select(
            Activity.school_id, Activity.title, Code.kind, Code.code, Activity.pupils, Activity.parents, Activity.guardians,
            Activity.money,
        )
        .join(Code, Code.id == Activity.kind_id)
        .where(Activity.on.between(period.since, period.on))
    )  # fmt: skip
    return [
        Member(
            school,
            None,
            title,
            "",
            {"area": area.value, "code": code},
            {"pupils": pupils or 0, "families": (parents or 0) + (guardians or 0), "money": money or Decimal(0)},
        )
        for school, title, area, code, pupils, parents, guardians, money in session.execute(rows)
    ]


def trainings(session: Session, period: Period, _wanted: Collection[str]) -> list[Member]:
    """Trainings of the period, with how many came, sent somebody or were taught at home."""
    came = select(Attendance.session_id, func.count(Attendance.id)).where(Attendance.how != SignedHow.ABSENT)
    counted = dict(session.execute(came.group_by(Attendance.session_id)).all())
    rows = (
        select(TrainingSession.id, TrainingSession.school_id, TrainingSession.title, Code.code)
        .join(Code, Code.id == TrainingSession.kind_id)
        .where(TrainingSession.on.between(period.since, period.on))
    )
    return [
        Member(school, None, title, "", {"area": CodeKind.TRAINING.value, "code": code}, {"came": counted.get(pk, 0)})
        for pk, school, title, code in session.execute(rows)
    ]


def subsidies(session: Session, period: Period, _wanted: Collection[str]) -> list[Member]:
    """Aid that ran in the period."""
    rows = (
        select(Subsidy.school_id, Subsidy.child_id, Enrolment.child_name, Code.code, Subsidy.amount)
        .join(Code, Code.id == Subsidy.kind_id)
        .join(Enrolment, Enrolment.id == Subsidy.enrolment_id)
        .where(Subsidy.start <= period.on, or_(Subsidy.end.is_(None), Subsidy.end > period.since))
    )
    return [
        Member(school, child, name, "", {"area": CodeKind.SUBSIDY.value, "code": code}, {"amount": amount or Decimal(0)})
        for school, child, name, code, amount in session.execute(rows)
    ]


@dataclass(frozen=True)
class Population:
    """Something that can be counted: what one is called, how they are read, which traits and sums they have."""

    label: str
    read: Callable[[Session, Period, Collection[str]], list[Member]]
    traits: frozenset[str]
    amounts: frozenset[str] = frozenset()


POPULATIONS: dict[str, Population] = {
    "children": Population("在读儿童", children, frozenset(OF_A_CHILD)),
    "handovers": Population("应交接", handed_over, frozenset({"reached", "whereabouts"})),
    "dropouts": Population("辍学学生", dropouts, frozenset({"found", "returned", "reason", "steps"})),
    "care": Population("关爱记录", care, frozenset({"care", "way"})),
    "letters": Population("感恩书信", letters, frozenset()),
    "activities": Population("活动演练", activities, frozenset({"area", "code"}), frozenset({"pupils", "families", "money"})),
    "trainings": Population("培训", trainings, frozenset({"area", "code"}), frozenset({"came"})),
    "subsidies": Population("资助", subsidies, frozenset({"area", "code"}), frozenset({"amount"})),
}
