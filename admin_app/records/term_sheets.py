"""A term's talks, home visits and participants as sheets to be edited offline and uploaded again, like the ledger: existing records
take over only typed cells, new lines become new records, an empty cell clears nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from .. import labels, rules
from ..access import scope_in, shown
from ..models import (
    BY_CLASS,
    Activity,
    Attention,
    BatchKind,
    CareKind,
    CareRecord,
    CareWay,
    Child,
    Definition,
    Effect,
    School,
    Staff,
    Term,
)
from ..rules import Complaint
from ..sheets.offline import Field, Sheet
from ..sheets.reader import Grid, Unreadable, address
from . import bulk, definitions, enrolling, pasting, rosters, roundtrip
from .importing import Plan, PlannedRow
from .ledger import Problem

TALK_KEYS = (
    "class_name",
    "name",
    "on",
    "way",
    "place",
    "staff",
    "needs",
    "content",
    "measures",
    "effect",
    "attention",
    "follow_up_on",
)
VISIT_KEYS = (
    "class_name", "name", "on", "way", "staff", "partner", "home", "behaviour", "wishes", "needs", "content", "measures", "effect", "follow_up_on",
)  # fmt: skip
ACTIVITY_KEYS = ("on", "title", "kind", "children")
CARE = {"谈心": (CareKind.TALK, TALK_KEYS), "家访": (CareKind.VISIT, VISIT_KEYS)}
ACTIVITIES = "参加活动"
TITLES = {"class_name": "班级", "name": "姓名", "staff": "教师", "children": "参加儿童", "title": "主题", "kind": "类别"} | {
    key: labels.label(CareRecord, key) for key in {*TALK_KEYS, *VISIT_KEYS} - {"class_name", "name", "staff"}
}
OF_WHOM = ("class_name", "name")
CHOICES: dict[str, Any] = {"way": CareWay, "effect": Effect, "attention": Attention}
WIDTHS = {"content": 40, "measures": 24, "home": 28, "behaviour": 24, "wishes": 24, "children": 60, "title": 30, "needs": 16}
GUIDE = (
    "这份表可以在没有网络时填写，填好后在“导入”里上传，选同一所学校。",
    "已有的记录：只有改动过的单元格会写入；导出以后别人也改过的，上传时两个值并排列出，由您决定。",
    "新的记录：在备好姓名的行里填日期、教师、内容，或在后面的空行填写；没有填日期和内容的行不算。",
    "“参加活动”里在“参加儿童”一格改名单，姓名之间用顿号；同名的写作 姓名（班级）。新的活动请先在系统里登记。",
    "空单元格不清除原值。最后一列（隐藏）记着每行是哪条记录，请不要改动。",
)
SHOWN_CHARACTERS = 80


@dataclass(slots=True)
class TermRow(PlannedRow):
    """A line that knows how to write itself."""

    write: Callable[[], Any] | None = None


@dataclass
class TermPlan(Plan):
    @property
    def keys(self) -> list[str]:
        filled = {key for row in self.rows for key in (*row.values, *row.changes)}
        return [key for key in dict.fromkeys((*ACTIVITY_KEYS, *TALK_KEYS, *VISIT_KEYS)) if key in filled]

    @property
    def titles(self) -> Mapping[str, str]:
        return TITLES

    @staticmethod
    def words(_key: str, value: Any) -> str:
        text = labels.text(value) if value is not None else "（空）"
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


# --- out ---


def sheets(session: Session, school: School, term: Term) -> list[Sheet]:
    """The three sheets of a school's term."""
    teachers = tuple(dict.fromkeys(_staff(session, school)))
    made = [
        Sheet(title, [_field(key, teachers) for key in keys], list(_care_rows(session, school, term, kind, keys)))
        for title, (kind, keys) in CARE.items()
    ]
    fields = [
        Field(TITLES[key], WIDTHS.get(key, 12), "date" if key == "on" else "text", fixed=key != "children") for key in ACTIVITY_KEYS
    ]
    return [*made, Sheet(ACTIVITIES, fields, list(_activity_rows(session, school, term)), room=0)]


def _field(key: str, teachers: tuple[str, ...]) -> Field:
    title, width = TITLES[key], WIDTHS.get(key, 12)
    if key in CHOICES:
        return Field(title, width, "choice", tuple(member.label for member in CHOICES[key]))
    if key == "staff" and teachers:
        return Field(title, width, "choice", teachers)
    if key in ("on", "follow_up_on"):
        return Field(title, width, "date")
    return Field(title, width, longest=1000 if key in ("content", "measures", "home", "behaviour", "wishes") else 0)


def _staff(session: Session, school: School) -> Iterable[str]:
    unit = enrolling.unit_of(session, school.id)
    return session.scalars(select(Staff.name).where(Staff.school_id.in_(unit)).order_by(Staff.name_order))


def _care_rows(session: Session, school: School, term: Term, kind: CareKind, keys: Sequence[str]) -> Iterator[list[Any]]:
    """The records of the term by day, then a line made ready for every left-behind child."""
    records = (
        select(CareRecord, Child)
        .join(Child, Child.id == CareRecord.child_id)
        .where(CareRecord.school_id.in_([school.id]), CareRecord.kind == kind, CareRecord.on.between(term.start, term.last_day))
        .options(joinedload(CareRecord.staff))
        .order_by(CareRecord.on, *BY_CLASS)
    )
    scope = scope_in(session)
    for record, child in session.execute(records):
        says = _says(record, child, keys)
        cells = [_cell(scope, record, key, says[key]) for key in keys]
        yield [*cells, roundtrip.mark(CareRecord.__tablename__, record.id, says, keys)]
    today = min(dt.date.today(), term.last_day)
    for child in session.scalars(
        select(Child)
        .where(Child.school_id.in_([school.id]), Child.id.in_(definitions.left_behind(Definition.GF13, today)))
        .order_by(*BY_CLASS)
    ):
        yield [pasting.class_words(child), child.name, *[""] * (len(keys) - 2), ""]


def _says(record: CareRecord, child: Child, keys: Sequence[str]) -> dict[str, Any]:
    said = {"class_name": pasting.class_words(child), "name": child.name, "staff": record.staff.name if record.staff else None}
    return said | {key: _plain(getattr(record, key)) for key in keys if key not in said}


def _plain(value: Any) -> Any:
    return labels.text(value) if isinstance(value, tuple) else value


def _cell(scope: Any, record: CareRecord, key: str, value: Any) -> Any:
    if key in ("class_name", "name", "staff"):
        return value
    seen = shown(scope, CareRecord, key, value, record.school_id)
    return seen if isinstance(seen, dt.date) else labels.text(seen)


def _activity_rows(session: Session, school: School, term: Term) -> Iterator[list[Any]]:
    query = select(Activity).where(Activity.school_id.in_([school.id]), Activity.on.between(term.start, term.last_day))
    for activity in session.scalars(query.options(joinedload(Activity.kind)).order_by(Activity.on, Activity.id)):
        says = _activity_says(session, activity)
        yield [*(says[key] for key in ACTIVITY_KEYS), roundtrip.mark(Activity.__tablename__, activity.id, says, ACTIVITY_KEYS)]


def _activity_says(session: Session, activity: Activity) -> dict[str, Any]:
    stays = {p.enrolment_id for p in activity.participants if p.deleted_at is None}
    children = [child for stay, child in rosters.enrolled_on(session, activity.school_id, activity.on) if stay.id in stays]
    return {"on": activity.on, "title": activity.title, "kind": str(activity.kind), "children": names_of(children)}


def names_of(children: Sequence[Child]) -> str:
    """A list of names in one cell; of namesakes each with its class."""
    named = [child.name for child in children]
    return "、".join(f"{c.name}（{pasting.class_words(c)}）" if named.count(c.name) > 1 else c.name for c in children)


# --- back ---


def is_one(grids: Sequence[Grid]) -> bool:
    """Is a file one of ours, by its sheets and its hidden column?"""
    return any(_heads(grid) is not None for grid in grids)


def _heads(grid: Grid) -> tuple[int, dict[str, int]] | None:
    """The row of the headings and key -> column, of a sheet with one of our names."""
    keys = ACTIVITY_KEYS if grid.name == ACTIVITIES else CARE[grid.name][1] if grid.name in CARE else ()
    titles = {TITLES[key]: key for key in keys} | {roundtrip.HEADING: "mark"}
    for row in range(1, min(5, len(grid.rows)) + 1):
        found: dict[str, int] = {}
        for column, value in enumerate(grid.rows[row - 1]):
            key = titles.get(str(value).strip()) if value is not None else None
            if key:
                found.setdefault(key, column)
        if keys and "mark" in found and len(found) > 2:
            return row, found
    return None


@dataclass
class _Line:
    """One line of a sheet: its texts by key, where they stand, and what is wrong with them."""

    grid: Grid
    number: int
    columns: Mapping[str, int]
    problems: list[Problem] = field(default_factory=list)

    def text(self, key: str) -> str:
        value = self.grid.cell(self.number, self.columns[key]) if key in self.columns else None
        if isinstance(value, dt.date):
            return value.isoformat()
        text = "" if value is None else str(value).strip()
        return "" if rules.is_masked(text) else text

    def cell(self, key: str) -> str:
        return address(self.number, self.columns[key]) if key in self.columns else ""

    def say(self, key: str, level: str, text: str) -> None:
        self.problems.append(Problem(self.cell(key), level, text, key))

    @property
    def refused(self) -> bool:
        return any(problem.level == "error" for problem in self.problems)


def check(session: Session, grids: Sequence[Grid], school: School) -> TermPlan:
    """What each line would do. Writes nothing.

    :raises Unreadable: when no line says anything.
    """
    rows: list[PlannedRow] = []
    for grid in grids:
        found = _heads(grid)
        if found is None:
            continue
        head, columns = found
        lines = [_Line(grid, number, columns) for number in range(head + 1, len(grid.rows) + 1)]
        if grid.name == ACTIVITIES:
            rows += [_check_activity(session, line, school) for line in lines if line.text("mark") or line.text("title")]
        else:
            rows += _Care(session, school, *CARE[grid.name]).rows(lines)
    if not rows:
        raise Unreadable("表里没有填写内容。")
    return TermPlan(rows, dt.date.today())


class _Care:
    """The talks or the visits of a file."""

    def __init__(self, session: Session, school: School, kind: CareKind, keys: Sequence[str]):
        self.session, self.school, self.kind, self.keys = session, school, kind, keys
        self.sheet = pasting.TalkSheet(session, school, kind, None)

    def rows(self, lines: list[_Line]) -> Iterator[TermRow]:
        told = [line for line in lines if line.text("mark") or any(line.text(key) for key in self.keys if key not in OF_WHOM)]
        origins = {id(line): roundtrip.origin(CareRecord.__tablename__, line.text("mark"), self.keys) for line in told}
        ids = [origin.row_id for origin in origins.values() if origin]
        loaded = select(CareRecord, Child).join(Child, Child.id == CareRecord.child_id).options(joinedload(CareRecord.staff))
        mine = loaded.where(CareRecord.id.in_(ids), CareRecord.school_id.in_([self.school.id]), CareRecord.kind == self.kind)
        known = {record.id: (record, child) for record, child in self.session.execute(mine)} if ids else {}
        fresh = [line for line in told if not line.text("mark")]
        checked = self.sheet.lines([{c.key: line.text(c.key) for c in self.sheet.columns} for line in fresh]) if fresh else []
        made = dict(zip(map(id, fresh), checked, strict=True))
        for line in told:
            if id(line) in made:
                yield self._new(line, made[id(line)])
            else:
                origin = origins[id(line)]
                yield self._old(line, origin, known.get(origin.row_id) if origin else None)

    def _new(self, line: _Line, checked: pasting.Line) -> TermRow:
        for key, cell in checked.cells.items():
            if cell.wrong:
                line.say(key, "error", cell.wrong)
        more = self._parsed(line, [key for key in self.keys if key not in checked.cells], None)
        values = {key: text for key in self.keys if (text := line.text(key))}
        status = "refused" if line.refused else "unchanged" if checked.note else "new"
        if checked.note:
            line.say("name", "warning", f"{checked.note}，不再写入。")
        write = partial(self._add, checked, more) if status == "new" else None
        return _row(line, status, values, {}, None, self.school.id, write)

    def _add(self, checked: pasting.Line, more: Mapping[str, Any]) -> None:
        record = self.sheet.row(checked)
        for key, value in more.items():
            setattr(record, key, value)
        self.session.add(record)

    def _old(self, line: _Line, origin: roundtrip.Origin | None, known: tuple[CareRecord, Child] | None) -> TermRow:
        values = {key: text for key in self.keys if (text := line.text(key))}
        if origin is None or known is None:
            why = "这条记录已删除，或不属于这所学校，本行不写入。" if origin else "隐藏的系统列被改动，请重新下载后再填。"
            line.say("name", "error", why)
            return _row(line, "refused", values, {}, None, self.school.id, None)
        record, child = known
        says = _says(record, child, self.keys)
        for key in OF_WHOM:
            if line.text(key) and not origin.says(key, line.text(key)):
                line.say(key, "error", "已有记录的儿童不能改，请另起一行填写。")
        parsed = self._parsed(line, [key for key in self.keys if key not in OF_WHOM], record.on)
        changes, asks = {}, False
        for key, new in parsed.items():
            shown_new = new.name if isinstance(new, Staff) else _plain(new)
            if origin.says(key, shown_new) or labels.text(says[key]) == labels.text(shown_new):
                continue
            if key != "staff" and not scope_in(self.session).sees(labels.group(CareRecord, key), record.school_id):
                line.say(key, "error", f"{TITLES[key]}：仅本校可见，您不能改，请恢复原样。")
                continue
            changes[key] = (says[key], shown_new)
            if not origin.says(key, says[key]):
                asks = True
                now, mine = TermPlan.words(key, says[key]), TermPlan.words(key, shown_new)
                line.say(key, "warning", f"{TITLES[key]}：导出后已有人改为“{now}”，您填“{mine}”；确认后按您填的写入。")
        status = "refused" if line.refused else "unsure" if asks else "changed" if changes else "unchanged"
        write = partial(_change, record, {key: parsed[key] for key in changes})
        row = _row(line, status, values, changes, record.child_id, record.school_id, write)
        row.asks = asks
        return row

    def _parsed(self, line: _Line, keys: Iterable[str], on: dt.date | None) -> dict[str, Any]:
        """The values of some cells that say something; what is wrong is said at its cell.

        :param on: the day of the record, by which a teacher's name is read where the line writes no other.
        """
        found: dict[str, Any] = {}
        for key in keys:
            text = line.text(key)
            if not text:
                continue
            try:
                found[key] = self._value(key, text, found.get("on", on))
            except Complaint as e:
                line.say(key, "error", e.text)
        return found

    def _value(self, key: str, text: str, on: dt.date | None) -> Any:
        if key == "on":
            return pasting.day_of(text, self.sheet.year_began)
        if key == "staff":
            known = self.sheet.staff_named.get(rules.tidy_name(text), [])
            if not known:
                raise Complaint(f"教职工名册中没有“{text[:30]}”，请先登记，或核对姓名。")
            return pasting.serving(known, on)
        parse = labels.parsed_for_form if key == "follow_up_on" else labels.parse
        value, complaint = parse(CareRecord, key, text)
        if complaint:
            raise Complaint(complaint)
        return value


def _change(record: CareRecord, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if key == "staff":
            record.staff_id = value.id
        else:
            setattr(record, key, value)


_NAMED = re.compile(r"([^（(]+)(?:[（(](.+)[)）])?")


def _check_activity(session: Session, line: _Line, school: School) -> TermRow:
    values = {key: text for key in ACTIVITY_KEYS if (text := line.text(key))}
    origin = roundtrip.origin(Activity.__tablename__, line.text("mark"), ACTIVITY_KEYS)
    activity = session.get(Activity, origin.row_id) if origin else None
    if origin is None or activity is None or activity.school_id != school.id:
        line.say("title", "error", "没有对应的活动：新的活动请先在系统里登记，再下载这份表。")
        return _row(line, "refused", values, {}, None, school.id, None)
    now, text = _activity_says(session, activity)["children"], line.text("children")
    if not text or origin.says("children", text) or text == now:
        return _row(line, "unchanged", values, {}, None, school.id, None)
    stays, names = _stays(session, activity, line, text)
    row = _row(line, "refused" if line.refused else "changed", values, {"children": (now, names)}, None, school.id, None)
    if not line.refused:
        row.write = lambda: rosters.set_participants(session, activity, stays)
        if not origin.says("children", now):
            line.say("children", "warning", f"{TITLES['children']}：导出后已有人改为“{now}”，您填“{names}”；确认后按您填的写入。")
            row.status, row.asks = "unsure", True
    return row


def _stays(session: Session, activity: Activity, line: _Line, text: str) -> tuple[set[int], str]:
    """The stays of the children named in a cell, and the names as they will stand; who is not found is said."""
    sheet, found = pasting.ParticipantSheet(session, activity), {}
    for word in filter(None, (w.strip() for w in re.split(r"[、,，;；\s]+", text))):
        name, klass = (_NAMED.fullmatch(word) or re.fullmatch(r"(.*)()", word)).groups()  # type: ignore[union-attr]
        one = pasting.Line({"name": pasting.Cell(name), "class_name": pasting.Cell(klass or "")})
        sheet.check(one)
        for cell in one.cells.values():
            if cell.wrong:
                line.say("children", "error", cell.wrong)
        if "stay" in one.found:
            found[one.found["stay"].id] = one.found["stay"]
    children = [
        stay_child for stay, stay_child in rosters.enrolled_on(session, activity.school_id, activity.on) if stay.id in found
    ]
    return set(found), names_of(children)


def _row(
    line: _Line,
    status: str,
    values: dict[str, Any],
    changes: dict[str, tuple[Any, Any]],
    child_id: int | None,
    school_id: int,
    write: Any,
) -> TermRow:
    place = line.cell("name") or line.cell("title")
    return TermRow(
        line.grid.name, line.number, status, line.problems, values, changes, child_id, school_id, place=place, write=write
    )


def writing(session: Session, plan: TermPlan, file_name: str, *, good_only: bool = False) -> Iterator[int]:
    """Write a plan as one batch that can be undone, step by step: yields how many lines are written so far.

    :raises Complaint: see ``Plan.to_write``.
    """
    rows = plan.to_write(good_only=good_only)
    with bulk.recorded(session, BatchKind.IMPORT, rows[0].school_id or 0, f"{file_name[:120]}：{len(rows)} 条"):
        for written, row in enumerate(rows, 1):
            assert isinstance(row, TermRow) and row.write is not None
            row.write()
            if written % 200 == 0 or written == len(rows):
                session.flush()
                yield written
