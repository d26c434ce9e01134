"""A ledger into the register: check every row, show what would happen, then write all of it or nothing.

A row finds its child by the hidden mark of our own export, else by ID number, else by name, birth date and a parent's name.
An empty cell never clears a value. Importing the same file twice changes nothing.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, load_only, selectinload

from .. import access, labels, rules
from ..access import scope_in
from ..models import (
    Carer,
    Child,
    LedgerName,
    Parent,
    ParentState,
    ParentStatus,
    Responsibility,
    School,
    Side,
    Staff,
    Term,
    Township,
)
from ..rules import Complaint
from ..sheets import reader
from . import informing, ledger
from .informing import Told
from .ledger import TITLES, Entry, Problem

STATUS_WORDS = {
    "new": "新增",
    "changed": "变更",
    "unchanged": "无变化",
    "repaired": "自动修复",
    "unsure": "待确认",
    "refused": "拒绝",
}
CHILD_KEYS = (
    "name",
    "sex",
    "ethnic",
    "birth_date",
    "id_number",
    "grade",
    "class_name",
    "hukou_place",
    "home_address",
    "boarding",
    "remark",
)


PART = 400
"""Children read at a time: what has been compared need not stay in memory."""
T = TypeVar("T")


def in_parts(values: Iterable[T], size: int = PART) -> Iterator[list[T]]:
    each = iter(values)
    while part := list(itertools.islice(each, size)):
        yield part


@dataclass(slots=True)
class PlannedRow:
    """What a data row would do: its status, its complaints, and each cell's old and new value."""

    sheet: str
    number: int
    status: str
    problems: list[Problem]
    values: dict[str, Any]
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    child_id: int | None = None
    school_id: int | None = None
    asks: bool = False
    """Unsure for a reason that a person can settle by saying yes."""
    accepted: bool = False
    place: str = ""
    """The cell of the name: where what is said of a cell that is not there is put."""

    @property
    def key(self) -> str:
        return f"{self.sheet}!{self.number}"

    @property
    def holds_back(self) -> bool:
        return self.status == "refused" or (self.status == "unsure" and not self.accepted)

    @property
    def writes(self) -> bool:
        written = self.status in ("new", "changed", "repaired") or self.accepted
        return written and (self.child_id is None or bool(self.changes))

    @property
    def written(self) -> dict[str, Any]:
        """What goes into the register: of a new child everything, else the cells that change something."""
        return self.values if self.child_id is None else {key: new for key, (_old, new) in self.changes.items()}

    def said_of(self, key: str) -> str:
        """How a cell is coloured: its gravest problem, else nothing."""
        levels = {p.level for p in self.problems if p.key == key}
        return next((level for level in ("error", "warning", "repair") if level in levels), "")


@dataclass
class Plan:
    rows: list[PlannedRow]
    start: dt.date
    centres: Mapping[int, int | None] = field(default_factory=dict)
    """School -> the centre school that it is a site of."""
    told: Told | None = None
    """What the guardians of the new children under fourteen signed."""

    @property
    def counts(self) -> dict[str, int]:
        seen = Counter(row.status for row in self.rows)
        return {status: seen[status] for status in STATUS_WORDS}

    @property
    def blocked(self) -> bool:
        """All or nothing: a refused or unsure row holds the whole file back."""
        return any(row.holds_back for row in self.rows)

    def to_write(self, *, good_only: bool) -> list[PlannedRow]:
        """The rows that go into the register.

        :param good_only: leave the refused and unsure rows out and write the others.
        :raises Complaint: when a row is refused or unsure and not left out, or there is nothing to write.
        """
        if self.blocked and not good_only:
            raise Complaint("还有拒绝或待确认的行，未写入任何数据。请改正原表后重新上传，或只写入可导入的行。")
        rows = [row for row in self.rows if row.writes]
        if not rows:
            raise Complaint("没有可写入的行。")
        return rows

    @property
    def schools(self) -> set[int | None]:
        return {row.school_id for row in self.rows if row.writes or row.asks}

    @property
    def one_unit(self) -> int | None:
        """The only school that the file writes to, or the centre school of them all: what is written can then be undone in one
        go by its secretary. None where it is several units."""
        units = self.schools if len(self.schools) == 1 else {at and (self.centres.get(at) or at) for at in self.schools}
        return next(iter(units)) if len(units) == 1 else None

    @property
    def untold(self) -> list[PlannedRow]:
        """The rows that would enter a child under fourteen: whether its guardian signed the notice must be said."""
        today = dt.date.today()
        fresh = (row for row in self.rows if row.child_id is None and (row.writes or row.asks))
        return [row for row in fresh if informing.is_young(row.values.get("birth_date"), today)]

    def tell(self, typed: Mapping[str, str]) -> None:
        """Take down what was said of the notice, where it has to be said.

        :raises Complaint: see ``informing.decided``.
        """
        self.told = informing.decided(typed) if self.untold else None

    def accept(self, keys: Collection[str]) -> None:
        """Somebody has said yes to these rows (sheet!number); one that cannot be settled so stays as it is."""
        for row in self.rows:
            row.accepted = row.status == "unsure" and row.asks and row.key in keys

    @property
    def changes(self) -> bool:
        return any(row.writes for row in self.rows)

    @property
    def keys(self) -> list[str]:
        """The columns to show: every one the file fills, in the ledger's order."""
        filled = {key for row in self.rows for key in row.values}
        return [column.key for column in ledger.COLUMNS if column.key in filled - {"kind"}]

    @property
    def titles(self) -> Mapping[str, str]:
        return TITLES

    @staticmethod
    def words(key: str, value: Any) -> str:
        return preview_text(key, value)

    @property
    def several_sheets(self) -> bool:
        return len({row.sheet for row in self.rows}) > 1

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": self.counts,
            "rows": [
                {
                    "sheet": row.sheet,
                    "row": row.number,
                    "status": row.status,
                    "problems": [{"cell": p.cell, "level": p.level, "text": p.text} for p in row.problems],
                }
                for row in self.rows
            ],
        }


def read_ledger(content: bytes, file_name: str, own: Mapping[str, str] = MappingProxyType({})) -> list[Entry]:
    """:param own: the school's own names of columns (``own_names``).
    :raises Unreadable: when the file is no ledger."""
    return ledger.entries(reader.read(content, file_name), own)


def own_names(session: Session, school_id: int | None) -> dict[str, str]:
    """What a school calls the columns of its ledger: squeezed words -> our key, blank for a column it leaves out."""
    rows = select(LedgerName.words, LedgerName.key).where(LedgerName.school_id == school_id)
    return dict(session.execute(rows).all()) if school_id is not None else {}


def learn_names(session: Session, school_id: int, chosen: Collection[tuple[str, str, str]]) -> None:
    """Remember how a school calls its columns.

    :param chosen: (sheet, what its header says, our key or blank for a column that is left out).
    :raises Complaint: when a sheet names one of our columns twice or lacks one that must be there, or there is none of that key.
    """
    if any(key not in TITLES for _sheet, _words, key in chosen if key):
        raise Complaint("不是有效的选项。")
    by_sheet: dict[str, list[str]] = {}
    for sheet, _words, key in chosen:
        by_sheet.setdefault(sheet, []).extend([key] if key else [])
    for sheet, taken in by_sheet.items():
        if twice := next((key for key in taken if taken.count(key) > 1), None):
            raise Complaint(f"工作表“{sheet}”的“{TITLES[twice]}”选了两列，只能选一列。")
        if taken and (missing := [TITLES[key] for key in ledger.REQUIRED if key not in taken]):
            raise Complaint(f"工作表“{sheet}”还没有指定：{'、'.join(missing)}。")
    if not any(by_sheet.values()):
        raise Complaint("请先指定各列对应的栏目。")
    named = {words[:60]: key for _sheet, words, key in chosen}
    there = {row.words: row for row in session.scalars(select(LedgerName).where(LedgerName.school_id == school_id))}
    for words, key in named.items():
        if words in there:
            there[words].key = key
        else:
            session.add(LedgerName(school_id=school_id, words=words, key=key))


def names_schools(entries: list[Entry]) -> bool:
    return any("school" in entry.columns for entry in entries)


def default_start(session: Session) -> dt.date:
    """When children of a ledger are taken to have begun: the first day of the running school year."""
    first = select(func.max(Term.start)).where(Term.start <= dt.date.today(), Term.code.endswith("-1"))
    return session.scalar(first) or dt.date.today()


# --- checking ---


Ask = Callable[[list[access.Person]], Mapping[access.Person, access.Found]]
"""Who of some people is registered where the actor may not look (``access.known_elsewhere``)."""


def check_rows(session: Session, ask: Ask, entries: list[Entry], school: School | None, start: dt.date) -> Plan:
    """What each row would do. Writes nothing.

    :param school: whose the rows are that do not name a school of the same unit themselves; None: each has to.
    """
    schools, written_otherwise = _Schools(session, school), _townships(session)
    for entry in entries:
        _name_townships(entry, written_otherwise)
    known = _Known(session, entries)
    people = (_person(entry) for entry in entries)
    strangers = ask([who for who in people if who[0] and who[0] not in known.by_number])
    twice = _twice(entries, known)
    staff = set(session.scalars(select(Staff.name)))
    rows = []
    for part in in_parts(entries):
        families = _Families(session, [who.id for entry in part if (who := known.find(entry)[0])])
        for entry in part:
            unit = schools.of(entry)
            child, doubtful = known.find(entry)
            clash = twice.get(id(entry), "")
            stranger = strangers.get(_person(entry))
            told = stranger and stranger.answer
            if told is access.Elsewhere.CLASH:
                entry.say("id_number", "error", told.value)
            if entry.origin is not None and entry.origin.row_id not in known.by_id:
                entry.say("name", "error", "这名儿童不在本校名册：可能已转出或删除，或这份表是别的学校的。本行不写入。")
            status = "refused" if entry.refused else "unsure" if told else ""
            if status == "unsure" and told:
                entry.say("id_number", "warning", told.value)
            if doubtful and not status:
                status = "unsure"
                entry.say("name", "warning", "已有同名同生日的儿童，分不清是不是同一人：请补上证件号或父母姓名。")
            if child is None and not status and "ethnic" not in entry.values:
                status = "refused"
                entry.say("ethnic", "error", "民族必填。")
            if child is not None and unit is not None and child.school_id != unit and not status:
                status = "unsure"
                entry.say("name", "warning", "该儿童已在本单位的另一所学校登记，请先办理转学。")
            if clash and not status:
                status = "unsure"
                entry.say("name", "warning", clash)
            if child is not None and _renames(entry, child):
                entry.ask("name", f"登记的姓名是“{child.name}”：确认后改名为“{entry.values['name']}”。")
            row = PlannedRow(entry.sheet, entry.number, status, entry.problems, entry.values, {}, child.id if child else None, unit)
            row.place = entry.cell("name") or f"A{entry.number}"
            if not status:
                row.changes = families.changes(child.id, entry) if child else {}
                _compare_kind(entry)
                _warn_new_staff(entry, unit, staff)
                row.asks = entry.asks and (child is None or bool(row.changes))
                row.status = "unsure" if row.asks else _status(child, row.changes, entry)
            rows.append(row)
    return Plan(rows, start, schools.centres)


OF_A_PLACE = ("school", "hukou_place", "home_address")


def _townships(session: Session) -> dict[str, str]:
    """Other ways to write a township (者龙乡, 杨武镇) -> its name; the longest first."""
    found = {
        alias: name
        for name, aliases in session.execute(select(Township.name, Township.aliases))
        for alias in (aliases or "").split()
        if alias.endswith(("乡", "镇", "街道"))  # without it the word may be a village's
    }
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _name_townships(entry: Entry, written_otherwise: Mapping[str, str]) -> None:
    """A township under its own name, so that schools and villages are found again."""
    for key in OF_A_PLACE:
        text = entry.values.get(key) or ""
        alias = next((alias for alias, name in written_otherwise.items() if alias in text and name not in text), None)
        if alias is not None:
            entry.values[key] = text.replace(alias, written_otherwise[alias], 1)
            entry.say(key, "repair", f"“{alias}”按“{written_otherwise[alias]}”读入。")


def _renames(entry: Entry, child: _Person) -> bool:
    """Does the row say another name, and was that typed (not only written out before the register changed)?"""
    name = entry.values.get("name")
    return name not in (None, child.name) and not (entry.origin and entry.origin.says("name", name))


def _status(child: _Person | None, changes: dict[str, Any], entry: Entry) -> str:
    if child is not None and not changes:
        return "unchanged"
    if entry.repaired:
        return "repaired"
    return "new" if child is None else "changed"


class _Schools:
    """Whose a row is: the column 学校 says it, else the school that the file was uploaded for."""

    def __init__(self, session: Session, chosen: School | None):
        scope = scope_in(session)
        rows = session.execute(select(School.name, School.code, School.id, School.centre_id)).all()
        self.by_name = {key: pk for name, code, pk, _centre in rows for key in (name, code)}
        self.centres = {pk: centre for _name, _code, pk, centre in rows}
        self.chosen = chosen.id if chosen else None
        self.allowed = {pk for pk in self.centres if scope.owns(pk) and (chosen is None or self._unit(pk) == self._unit(chosen.id))}
        self.told: set[str] = set()

    def _unit(self, school_id: int) -> int:
        return self.centres.get(school_id) or school_id

    def of(self, entry: Entry) -> int | None:
        named = entry.values.get("school", "")[:30]
        if not named and self.chosen is None:
            entry.say("school", "error", "学校必填。")
        if not named:
            return self.chosen
        found = self.by_name.get(named)
        if found in self.allowed:
            if self.chosen is not None and found != self.chosen:
                self._once(entry, named, f"写明“{named}”的行都归这所学校，不归上面所选的学校。")
            return found
        if self.chosen is None:
            entry.say("school", "error", f"没有名为“{named}”的学校，或不在您的范围。")
            return None
        if found is not None:
            entry.say("school", "error", f"这一行是“{named}”的，不属于所选的学校：请分校上传。")
        else:
            self._once(entry, named, f"没有名为“{named}”的学校，都按所选的学校读入。")
        return self.chosen

    def _once(self, entry: Entry, named: str, words: str) -> None:
        """Of many rows it is said at the first."""
        if named not in self.told:
            self.told.add(named)
            entry.say("school", "warning", words)


class _Person(NamedTuple):
    """All that tells who a child of the register is."""

    id: int
    school_id: int
    name: str
    birth_date: dt.date
    id_number: str | None


_PERSON = select(*(getattr(Child, name) for name in _Person._fields))


class _Known:
    """The children the actor may see that a file may mean, by ID number and by name and birth date: no others are read."""

    def __init__(self, session: Session, entries: list[Entry]):
        numbers = {e.values["id_number"] for e in entries if e.values.get("id_number")}
        found = self._people(session, (Child.id_number_key.in_(part) for part in in_parts(numbers)))
        self.by_number = {who.id_number: who for who in found}
        marked = {e.origin.row_id for e in entries if e.origin}
        self.by_id = {who.id: who for who in self._people(session, (Child.id.in_(part) for part in in_parts(marked)))}
        others = [e.values for e in entries if e.values.get("id_number") not in self.by_number]
        births = {(v["name"], v["birth_date"]) for v in others if {"name", "birth_date"} <= v.keys()}
        self.by_birth: dict[tuple[str, dt.date], list[_Person]] = {}
        for who in self._people(session, (tuple_(Child.name, Child.birth_date).in_(part) for part in in_parts(births))):
            self.by_birth.setdefault((who.name, who.birth_date), []).append(who)
        self.parents: dict[int, set[str]] = {}
        for part in in_parts({who.id for entry in entries for who in self._alike(entry)}):
            for child_id, name in session.execute(select(Parent.child_id, Parent.name).where(Parent.child_id.in_(part))):
                self.parents.setdefault(child_id, set()).add(name)

    @staticmethod
    def _people(session: Session, wanted: Iterable[Any]) -> list[_Person]:
        return [_Person._make(row) for which in wanted for row in session.execute(_PERSON.where(which))]

    def find(self, entry: Entry) -> tuple[_Person | None, bool]:
        """The child of a row, and whether it is in doubt: same name and birth date, and nothing that settles it."""
        if (who := self._marked(entry)) is not None:
            return who, False
        if (who := self.by_number.get(entry.values.get("id_number"))) is not None:
            return who, False
        alike = self._alike(entry)
        parents = {entry.values.get("father.name"), entry.values.get("mother.name")} - {None}
        matches = [who for who in alike if parents & self.parents.get(who.id, set())]
        return (matches[0], False) if len(matches) == 1 else (None, bool(alike))

    def _marked(self, entry: Entry) -> _Person | None:
        """The child whose line this was when the file went out; a copied line with another name and number is another child."""
        who = self.by_id.get(entry.origin.row_id) if entry.origin else None
        if who is None:
            return None
        v = entry.values
        other = v.get("name") not in (None, who.name) and v.get("id_number") not in (None, who.id_number)
        return None if other else who

    def _alike(self, entry: Entry) -> list[_Person]:
        v = entry.values
        if v.get("id_number") in self.by_number:
            return []
        alike = self.by_birth.get((v.get("name", ""), v.get("birth_date", dt.date.min)), [])
        return [who for who in alike if not (who.id_number and v.get("id_number"))]  # two numbers are two children


_COMPARED = (
    load_only(*(getattr(Child, key) for key in CHILD_KEYS)),
    selectinload(Child.parents).load_only(Parent.side, Parent.name, Parent.phone),
    selectinload(Child.parents).selectinload(Parent.statuses).load_only(ParentStatus.state, ParentStatus.place, ParentStatus.end),
    selectinload(Child.carers).load_only(Carer.name, Carer.relation, Carer.age, Carer.phone, Carer.quality, Carer.end),
)
"""Of a child and its family the columns of a ledger: the others take half the time, for some are sealed."""


class _Families:
    """What a ledger compares of some children: themselves, their families and who answers for them."""

    def __init__(self, session: Session, ids: list[int]):
        loaded = select(Child).options(*_COMPARED)
        self.children = {child.id: child for child in session.scalars(loaded.where(Child.id.in_(ids)))} if ids else {}
        serving = select(Responsibility.child_id, Staff.name).join(Staff, Staff.id == Responsibility.staff_id)
        serving = serving.where(Responsibility.end.is_(None), Responsibility.child_id.in_(ids))
        self.responsible = dict(session.execute(serving).all()) if ids else {}

    def changes(self, child_id: int, entry: Entry) -> dict[str, tuple[Any, Any]]:
        """What a row would change: key -> (old, new). Empty cells are not in the entry, so they change nothing."""
        child = self.children[child_id]
        old = register_says(child)
        if carer_now(child) is None and "carer.name" not in entry.values:
            for key in [key for key in entry.values if key.startswith("carer.")]:
                entry.say(key, "warning", "没有监护人姓名，本格不写入。")
                old.pop(key, None)
        old["responsible"] = self.responsible.get(child_id)
        changed = {
            key: (old.get(key), new)
            for key, new in entry.values.items()
            if key in old and new is not None and not _same(key, old[key], new)
        }
        return _touched(entry, changed) if entry.origin and entry.origin.row_id == child_id else changed


def _touched(entry: Entry, changed: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Of a line that went out and came back only the cells that somebody typed in; what has changed meanwhile is asked about."""
    origin = entry.origin
    assert origin is not None
    typed = {key: (old, new) for key, (old, new) in changed.items() if not origin.says(key, new)}
    for key, (old, new) in typed.items():
        if not origin.says(key, old):
            text = (
                f"{TITLES[key]}：导出后已有人改为“{preview_text(key, old)}”，您填“{preview_text(key, new)}”；确认后按您填的写入。"
            )
            entry.ask(key, text)
    return typed


def _person(entry: Entry) -> access.Person:
    return entry.values.get("id_number", ""), entry.values.get("name", ""), entry.values.get("birth_date")


def _twice(entries: list[Entry], known: _Known) -> dict[int, str]:
    """A child that stands in the file twice: one that adds nothing is refused and names the first; two that differ are both unsure.

    :returns: id of an entry -> why it is unsure; what is refused is said on the entry.
    """
    first: dict[Any, Entry] = {}
    unsure: dict[int, str] = {}
    for entry in entries:
        keys = _identities(entry, known)
        other = next((first[key] for key in keys if key in first and not _two_children(key, entry, first[key])), None)
        if other is None:
            for key in keys:
                first.setdefault(key, entry)
        elif _told(entry).items() <= _told(other).items():
            entry.say("name", "error", f"与 {_place(other)} 重复，是同一名儿童。")
        else:
            unsure[id(entry)] = f"与 {_place(other)} 是同一名儿童，但内容不同：请只留一行。"
            unsure.setdefault(id(other), f"与 {_place(entry)} 是同一名儿童，但内容不同：请只留一行。")
    return unsure


def _identities(entry: Entry, known: _Known) -> list[Any]:
    v = entry.values
    if not v.get("name"):
        return []
    child, _doubtful = known.find(entry)
    found = [("child", child.id) if child else None, ("number", v["id_number"]) if v.get("id_number") else None]
    return [*filter(None, found), ("person", v["name"], v.get("birth_date"))]


def _two_children(key: Any, one: Entry, other: Entry) -> bool:
    """Same name and birth date, and two numbers: two children."""
    numbers = one.values.get("id_number"), other.values.get("id_number")
    return bool(key[0] == "person" and all(numbers) and numbers[0] != numbers[1])


def _told(entry: Entry) -> dict[str, Any]:
    return {key: value for key, value in entry.values.items() if value is not None}


def _place(entry: Entry) -> str:
    return f"{entry.sheet}!{entry.cell('name')}"


def register_says(child: Child) -> dict[str, Any]:
    """What the register holds today under the columns of a ledger, but for the responsible person. ``child``: with its family loaded."""
    says: dict[str, Any] = {key: getattr(child, key) for key in CHILD_KEYS}
    for side in Side:
        parent = next((p for p in child.parents if p.side is side), None)
        says[f"{side.value}.name"] = parent.name if parent else None
        says[f"{side.value}.phone"] = parent.phone if parent else None
        says[f"{side.value}.place"] = place_now(parent)
    carer = carer_now(child)
    for name in ("name", "relation", "age", "phone", "quality"):
        says[f"carer.{name}"] = getattr(carer, name) if carer else None
    return says


def _same(key: str, old: Any, new: Any) -> bool:
    return state_of(old) == state_of(new) if key.endswith(".place") else old == new


def place_now(parent: Parent | None) -> str | None:
    status = next((s for s in (parent.statuses if parent else []) if s.end is None), None)
    if status is None:
        return None
    return status.place if status.state is ParentState.AWAY and status.place else status.state.label


def state_of(place: str | None) -> tuple[ParentState, str | None]:
    """What a cell 务工地 says: a state word, or a place where the parent is away."""
    known = ParentState.from_text(place or "")
    if known is not None:
        return known, None
    return (ParentState.AWAY, place) if place else (ParentState.UNKNOWN, None)


def carer_now(child: Child) -> Carer | None:
    return next((c for c in reversed(child.carers) if c.end is None), None)


def _compare_kind(entry: Entry) -> None:
    """留守类型 is never taken over, only compared with what the parents' places say."""
    said = entry.values.get("kind")
    places = [entry.values.get("father.place"), entry.values.get("mother.place")]
    if not said or None in places:
        return
    away = sum(state_of(place)[0] is ParentState.AWAY for place in places)
    expected = {2: "双亲外出", 1: "单亲外出"}.get(away, "不属留守")
    if said in ("双亲外出", "单亲外出", "一方外出") and said.replace("一方", "单亲") != expected:
        entry.say("kind", "warning", f"填“{said}”，但按父母务工地应为“{expected}”；以务工地为准。")


def _warn_new_staff(entry: Entry, unit: int | None, staff: Collection[str]) -> None:
    name = entry.values.get("responsible")
    if name and unit is not None and name not in staff:
        entry.say("responsible", "warning", f"“{name}”不在教职工名册，将先登记为待确认。")


def preview_text(key: str, value: Any) -> str:
    """A value of the preview: numbers and phones masked, choices in words."""
    if value is None:
        return "（空）"
    text = labels.text(value)
    return rules.mask(text) if key == "id_number" or key.endswith(".phone") else text


__all__ = ["TITLES", "Plan", "check_rows", "read_ledger"]
