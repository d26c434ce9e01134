"""三方比对: the register's list of a day against those of 民政 and 学籍, child by child (domain: three-way reconciliation).

A child is the same one by ID number, else by name, birth date and sex, else by name and birth date, else by name and father's name.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import labels, rules
from ..models import (
    Child,
    Comparison,
    ComparisonRow,
    Definition,
    Match,
    MatchReason,
    Parent,
    School,
    SchoolKind,
    Sex,
    Side,
)
from ..rules import Complaint
from ..sheets import reader, statistics
from . import definitions, ledger

OURS, CIVIL, ROLL = "ours", "civil", "roll"
WORDS = {OURS: "本系统", CIVIL: "民政", ROLL: "学籍"}
ONLY = {OURS: Match.OURS, CIVIL: Match.CIVIL, ROLL: Match.ROLL}
REQUIRED = ("name",)
WORST_FIRST = (Match.DIFFERENT, Match.OURS, Match.CIVIL, Match.ROLL, Match.TWO, Match.SAME)
COLUMNS = (
    "match", "name", "sex", "birth_date", "id_number", "ours", "civil", "roll", "place", "differences", "explained", "reason", "remark",
)  # fmt: skip
WIDTHS = (15, 10, 5, 11, 14, 6, 6, 6, 26, 40, 34, 20, 16)
OTHER_NAMES = {
    "是否留守儿童": "kind",
    "是否留守": "kind",
    "留守儿童类型": "kind",
    "户籍地址": "hukou_place",
    "所在村": "home_address",
    "村委会": "home_address",
    "村（居）委会": "home_address",
    "所属村": "home_address",
    "乡镇村组": "home_address",
    "父亲": "father.name",
    "所属学校": "school",
    "学生学校": "school",
    "身份证件号": "id_number",
    "学生身份证号": "id_number",
}
"""What those lists call their columns besides the names a ledger may have."""
NOT_LEFT_BEHIND = ("0", "否", "非留守", "非留守儿童", "不是", "无")
"""学籍's own field: 0 非留守, 1 单亲留守, 2 双亲留守."""
AT_ONCE = 400


@dataclass
class Person:
    """A child as one list has it."""

    source: str
    name: str
    sex: Sex | None = None
    birth: dt.date | None = None
    number: str | None = None
    father: str | None = None
    place: str = ""
    child_id: int | None = None


@dataclass(frozen=True)
class Registered:
    """What the register says of a child that is not on its list of the day."""

    child_id: int
    kind: str
    why: str


@dataclass
class Found:
    """One child, and how each list that has it writes it."""

    people: dict[str, Person] = field(default_factory=dict)
    registered: Registered | None = None
    namesake: str = ""
    """The one child of the same name that stands in other lists only, in words: perhaps the same, with a slip."""

    @property
    def first(self) -> Person:
        return next(iter(self.people.values()))

    def said(self, what: str) -> Any:
        """The first list's word on it that says anything."""
        return next((value for person in self.people.values() if (value := getattr(person, what))), None)


# --- the lists ---


def read(source: str, content: bytes, file_name: str) -> tuple[list[Person], list[str]]:
    """The children of a list that others made, and what was not read, each with its cell and why.

    :raises Unreadable: when the file is no list.
    """
    people, unread = [], []
    for entry in ledger.entries(reader.read(content, file_name), OTHER_NAMES, REQUIRED):
        v = entry.values
        if str(v.get("kind", "")).strip() in NOT_LEFT_BEHIND and "kind" in v:
            continue
        grave = [p for p in entry.problems if p.level == "error"]
        unread += [f"{WORDS[source]}名单 {entry.sheet}!{p.cell or entry.number} {p.text}" for p in grave]
        if "name" not in v:
            continue
        born = v.get("birth_date") or (rules.birth_of(v["id_number"]) if v.get("id_number") else None)
        place = v.get("school") or v.get("home_address") or v.get("hukou_place") or ""
        people.append(Person(source, v["name"], v.get("sex"), born, v.get("id_number"), v.get("father.name"), place[:200]))
    return people, unread


def ours(session: Session, on: dt.date) -> list[Person]:
    """The children who are left behind on a day (GF13) as the register has them."""
    fathers = dict(session.execute(select(Parent.child_id, Parent.name).where(Parent.side == Side.FATHER)).all())
    rows = (
        select(Child.id, Child.name, Child.sex, Child.birth_date, Child.id_number, School.name)
        .join(School, School.id == Child.school_id)
        .where(Child.id.in_(definitions.left_behind(Definition.GF13, on)))
        .order_by(School.code, Child.class_order, Child.name_order, Child.id)
    )
    return [
        Person(OURS, name, sex, birth, number, fathers.get(pk), school, pk)
        for pk, name, sex, birth, number, school in session.execute(rows)
    ]


# --- matching: pure ---


def match(*lists: Iterable[Person]) -> list[Found]:
    """Every child of the lists once, in the order of the lists. Of two that could be meant, neither is taken.

    A whole list is compared by the surest key before the next one, so that no weaker likeness takes a child from its own number.
    """
    found: list[Found] = []
    for people in lists:
        loose, own = list(people), {}
        sources = {person.source for person in loose}
        for key_of in KEYS:
            by_key = _by_key((each for each in found if not sources & each.people.keys()), key_of)
            for n, person in enumerate(loose):
                if n not in own and (same := _same(person, by_key.get(key_of(person), ()), weakest=key_of is KEYS[-1])):
                    own[n] = same
                    same.people[person.source] = person
        for n, person in enumerate(loose):
            if n not in own:
                found.append(Found({person.source: person}))
    note_namesakes(found)
    return found


KEYS: tuple[Callable[[Person], Any], ...] = (
    lambda p: p.number,
    lambda p: (p.name, p.birth, p.sex) if p.birth and p.sex else None,
    lambda p: (p.name, p.birth) if p.birth else None,
    lambda p: (p.name, p.father) if p.father else None,
)
"""What two lists know a child by, the surest first; None where a list does not say it."""


def _by_key(found: Iterable[Found], key_of: Callable[[Person], Any]) -> dict[Any, list[Found]]:
    by_key: dict[Any, list[Found]] = defaultdict(list)
    for each in found:
        for key in {key_of(person) for person in each.people.values()} - {None}:
            by_key[key].append(each)
    return by_key


def _same(person: Person, alike: Iterable[Found], *, weakest: bool) -> Found | None:
    """The one child that this is, if there is exactly one that the person's own list has not yet named."""
    fits = list(islice((each for each in alike if _may_be(person, each, weakest=weakest)), 2))
    return fits[0] if len(fits) == 1 else None


def _may_be(person: Person, found: Found, *, weakest: bool) -> bool:
    """By the weakest key, two numbers or two birthdays are two children."""
    return person.source not in found.people and not (weakest and _contradicts(person, found))


def _contradicts(person: Person, found: Found) -> bool:
    pairs = ((person.number, found.said("number")), (person.birth, found.said("birth")))
    return any(mine and theirs and mine != theirs for mine, theirs in pairs)


KEY_FIELDS = (("name", "姓名"), ("number", "证件号"), ("birth", "出生日期"), ("sex", "性别"), ("father", "父亲姓名"))


def differences(found: Found) -> str:
    """The key fields that the lists write differently, side by side; numbers masked."""
    said = []
    for name, words in KEY_FIELDS:
        values = {WORDS[source]: getattr(person, name) for source, person in found.people.items() if getattr(person, name)}
        if len(set(values.values())) > 1:
            said.append(f"{words}：" + "，".join(f"{source} {_shown(name, value)}" for source, value in values.items()))
    return "；".join(said)


def _shown(name: str, value: Any) -> str:
    return rules.mask(value) if name == "number" else labels.text(value)


def verdict(found: Found, sources: frozenset[str]) -> Match:
    """:param sources: the lists that were compared."""
    if len(found.people) > 1 and differences(found):
        return Match.DIFFERENT
    if found.people.keys() == sources:
        return Match.SAME
    return ONLY[found.first.source] if len(found.people) == 1 else Match.TWO


# --- a comparison ---


@dataclass(frozen=True)
class Compared:
    """What a comparison found, ready to be kept."""

    on: dt.date
    names: Mapping[str, str]
    """``civil``, ``roll`` -> file name."""
    found: list[Found]
    unread: list[str]
    reasons: Mapping[Any, tuple[MatchReason | None, str | None, bool]]


def compare(session: Session, on: dt.date, files: Mapping[str, tuple[str, bytes]]) -> Compared:
    """The register's list of a day against the files. Writes nothing: it may take a while, and others are to go on writing.

    :param files: ``civil``, ``roll`` or both -> (file name, content).
    :raises Complaint: without a file. :raises Unreadable: for a file that is no list.
    """
    if not files:
        raise Complaint("请至少选择一份名单：民政或学籍。")
    lists = {source: read(source, content, name) for source, (name, content) in files.items()}
    found = match(ours(session, on), *(people for people, _unread in lists.values()))
    _look_up(session, [each for each in found if OURS not in each.people], on)
    unread = [line for _people, lines in lists.values() for line in lines]
    return Compared(on, {source: name[-200:] for source, (name, _c) in files.items()}, found, unread, _given_before(session))


def keep(session: Session, compared: Compared, by: str) -> Comparison:
    """Keep every child's result; the files are not kept."""
    kept = Comparison(
        school_id=session.scalars(select(School.id).where(School.kind == SchoolKind.BUREAU)).one(),
        on=compared.on,
        civil_file=compared.names.get(CIVIL),
        roll_file=compared.names.get(ROLL),
        unread="\n".join(compared.unread) or None,
        by=by,
    )
    session.add(kept)
    session.flush()
    rows = [_row(kept, each, compared) for each in compared.found]
    kept.counts = {match.value: sum(row.match is match for row in rows) for match in Match}
    session.add_all(rows)
    return kept


def _look_up(session: Session, found: list[Found], on: dt.date) -> None:
    """Note on each find the child that the register has all the same, and why it does not count."""
    numbers = {number: each for each in found if (number := each.said("number"))}
    children: dict[int, Found] = {}
    listed = list(numbers)
    for at in range(0, len(listed), AT_ONCE):
        part = listed[at : at + AT_ONCE]
        for pk, number in session.execute(select(Child.id, Child.id_number).where(Child.id_number_key.in_(part))):
            children[pk] = numbers[number]
    seen = set(map(id, children.values()))
    left = {(each.first.name, each.said("birth")): each for each in found if id(each) not in seen}
    names = sorted({name for name, birth in left if birth})
    for at in range(0, len(names), AT_ONCE):
        rows = select(Child.id, Child.name, Child.birth_date).where(Child.name.in_(names[at : at + AT_ONCE]))
        for pk, name, birth in session.execute(rows):
            if (name, birth) in left:
                children[pk] = left[name, birth]
    ids = list(children)
    for at in range(0, len(ids), AT_ONCE):
        for pk, finding in definitions.findings(session, ids[at : at + AT_ONCE], on).items():
            children[pk].registered = Registered(pk, finding.kind, finding.reason)


def note_namesakes(found: list[Found]) -> None:
    """Of leftovers that share a name across lists, say so when there is exactly one each way: one field may be a slip."""
    alone: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        if len(each.people) == 1:
            alone[each.first.name].append(each)
    for pair in alone.values():
        if len(pair) == 2 and pair[0].first.source != pair[1].first.source:
            for one, other in (pair, pair[::-1]):
                person = other.first
                facts = (WORDS[person.source], person.place, labels.text(person.birth), labels.text(person.sex))
                one.namesake = "同名：" + " ".join(filter(None, facts))


def _given_before(session: Session) -> dict[tuple[str, dt.date | None, Match], tuple[MatchReason | None, str | None, bool]]:
    """The reasons of the comparison before: a child that differs as it did keeps its reason."""
    before = select(func.max(Comparison.id)).scalar_subquery()
    rows = session.scalars(select(ComparisonRow).where(ComparisonRow.comparison_id == before, ComparisonRow.confirmed))
    return {(row.name, row.birth_date, row.match): (row.reason, row.remark, True) for row in rows}


_BY_KIND = {
    "单亲外出": MatchReason.ONE_PARENT,
    "未填全": MatchReason.UNKNOWN_PARENTS,
    "不属留守": MatchReason.HOME,
    "不计入": MatchReason.NOT_RURAL,
}


def guess(found: Found, result: Match, on: dt.date) -> MatchReason | None:
    """The likely reason, for a person to confirm; None when nothing speaks for one."""
    born = found.said("birth")
    if result is Match.SAME or found.namesake:
        return None
    if result is Match.DIFFERENT:
        return MatchReason.SLIP
    if OURS in found.people:
        return MatchReason.NEW if result is Match.OURS else None
    if born and rules.at_age(born, 16) <= on:
        return MatchReason.OVER_16
    if found.registered is not None:
        return _BY_KIND.get(found.registered.kind, MatchReason.SLIP)  # one that counts here stands elsewhere with a slip
    if result is Match.CIVIL and born:
        return MatchReason.TOO_YOUNG if rules.at_age(born, 6) > on else MatchReason.ELSEWHERE
    return None


def _row(kept: Comparison, found: Found, compared: Compared) -> ComparisonRow:
    result, registered = verdict(found, frozenset({OURS, *compared.names})), found.registered
    name, birth = found.first.name, found.said("birth")
    likely = guess(found, result, compared.on), None, False
    reason, remark, confirmed = compared.reasons.get((name, birth, result), likely)
    return ComparisonRow(
        school_id=kept.school_id,
        comparison_id=kept.id,
        match=result,
        child_id=found.said("child_id") or (registered.child_id if registered else None),
        name=name,
        sex=found.said("sex"),
        birth_date=birth,
        id_number=found.said("number"),
        place=found.said("place"),
        differences="；".join(filter(None, (differences(found), found.namesake))) or None,
        explained=registered.why[:200] if registered else None,
        reason=reason,
        confirmed=confirmed,
        remark=remark,
        **{source: source in found.people for source in WORDS},
    )


def explain(session: Session, comparison: Comparison, given: dict[int, tuple[str, str]]) -> int:
    """Write the reasons of some rows: id -> (code or blank, remark). Returns how many changed.

    :raises Complaint: for a reason that is not on the list, or a remark that is too long.
    """
    rows = session.scalars(select(ComparisonRow).where(ComparisonRow.comparison_id == comparison.id, ComparisonRow.id.in_(given)))
    changed = 0
    for row in rows:
        code, remark = given[row.id]
        reason, complaint = labels.parse(ComparisonRow, "reason", code)
        remark, too_long = labels.parse(ComparisonRow, "remark", remark)
        if complaint or too_long:
            raise Complaint(f"{row.name}：{complaint or too_long}")
        confirmed = reason is not None
        if (row.reason, row.remark, row.confirmed) != (reason, remark, confirmed):
            row.reason, row.remark, row.confirmed = reason, remark, confirmed
            changed += 1
    return changed


def workbook(
    kept: Comparison,
    rows: Sequence[ComparisonRow],
    lines: Sequence[tuple[Match, tuple[str, ...]]],
    unit: str,
    receipt: Mapping[str, str],
) -> bytes:
    """How many of each class and reason, with signatures; who differs; who does not.

    :param lines: (class, cells as the reader may see them in the order of COLUMNS) of each row.
    """
    heads = tuple(labels.label(ComparisonRow, name) for name in COLUMNS)
    reasons: list[MatchReason | None] = [*MatchReason, None]
    counts = Counter((row.match, row.reason) for row in rows)
    summary = [
        statistics.Line(
            str(match),
            1,
            [statistics.Entry(kept.counts.get(match.value, 0)), *(statistics.Entry(counts[match, reason]) for reason in reasons)],
        )
        for match in WORST_FIRST
    ]
    columns = range(len(reasons) + 1)
    total = [
        statistics.Entry(sum(int(line.entries[n].value or 0) for line in summary), sums=tuple(range(1, len(WORST_FIRST) + 1)))
        for n in columns
    ]
    open_ = sum(row.match is not Match.SAME and not row.confirmed for row in rows)
    table = statistics.Table(
        "农村留守儿童三方比对结果",
        f"比对单位（盖章）：{unit}　　统计截止日期：{labels.day(kept.on)}　　本系统口径：国发〔2016〕13号（不满16周岁）"
        f"　　民政名单：{kept.civil_file or '无'}　　学籍名单：{kept.roll_file or '无'}　　单位：人",
        "结果",
        [("", "合计"), *(("原因", str(reason) if reason else "一致或未填") for reason in reasons)],
        [statistics.Line("合计", 0, total), *summary],
        notes=(f"原因带“（推测）”的由系统按登记情况推测，尚未核实；未核实 {open_} 人。",),
        signed="单位负责人（签名）：　　　　　　　　填表人（签名）：　　　　　　　　　　　　年　　月　　日",
        names=[
            statistics.Names("差异名单", heads, [cells for match, cells in lines if match is not Match.SAME], WIDTHS, wide=True),
            statistics.Names("三方一致", heads[1:8], [cells[1:8] for match, cells in lines if match is Match.SAME], WIDTHS[1:8]),
        ],
    )
    return statistics.workbook(table, receipt)
