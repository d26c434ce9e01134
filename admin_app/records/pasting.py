"""A block pasted from a workbook: cut into rows and cells, checked cell by cell, saved all or nothing.

``read_block`` knows how Excel and WPS write a block to the clipboard; a ``Sheet`` knows one kind of list (talks, children of
an activity, sign-in lines of a training): its columns, what each cell must be, and the rows it makes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from .. import labels, rules
from ..access import scope_in
from ..models import (
    Activity,
    Attendance,
    Batch,
    BatchKind,
    CareKind,
    Carer,
    CareRecord,
    Child,
    Enrolment,
    Participation,
    Responsibility,
    School,
    SignedHow,
    Staff,
    TalkerRole,
    TrainingSession,
)
from ..rules import Complaint
from ..sheets import reader
from . import enrolling, importing, ledger, quick, rosters
from .upkeep import attendance_of

MOST_ROWS = 200
WIDEST = 40
"""Cells of a line that are read; a register's list has seven."""


# --- a block into cells ---


@dataclass(frozen=True)
class Column:
    """One column of a pasted list: our key, its name, the other names schools write above it."""

    key: str
    title: str
    aliases: tuple[str, ...] = ()


NAME = Column("name", "姓名", ("学生姓名", "儿童姓名", "学生", "谈心对象"))
CLASS = Column("class_name", "班级", ("班", "年级班级", "所在班级"))


def cells_of(block: str) -> list[list[str]]:
    """The lines of a block with their cells; empty lines are left out.

    Tabs as Excel writes them (a cell with a line break stands in quotes); without any tab ；or wide blanks part the cells.
    """
    block = block.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if "\t" in block or re.search(r'(?m)^"', block):
        lines = _quoted(block)
    else:
        lines = [re.split(r"[；;]" if re.search(r"[；;]", line) else r"\u3000+|  +", line.strip()) for line in _lines(block)]
    tidied = [[rules.tidy(cell) for cell in line[:WIDEST]] for line in lines]
    return [line for line in tidied if any(line)]


def _lines(block: str) -> list[str]:
    return [line for line in block.split("\n") if line.strip()]


def _quoted(block: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(block, newline=""), delimiter="\t", strict=True))
    except csv.Error:  # a quotation mark that a person typed, not one of Excel's
        return [line.split("\t") for line in _lines(block)]


def read_block(block: str, columns: tuple[Column, ...]) -> tuple[list[dict[str, str]], list[str]]:
    """Rows by column key, and the titles of columns that are none of ours.

    :raises Complaint: for an empty block, or one that is too long.
    """
    lines = cells_of(block)
    header = _header(lines[0], columns) if lines else None
    ignored: list[str] = []
    if header is not None:
        titles, lines = lines[0], lines[1:]
        ignored = [title for at, title in enumerate(titles) if title and at not in header]
    if not lines:
        raise Complaint("请先粘贴内容。")
    if len(lines) > MOST_ROWS:
        raise Complaint(f"一次最多 {MOST_ROWS} 行，现有 {len(lines)} 行。请分几次粘贴。")
    if header is None:
        lines = _without_numbers(lines)
        header = {at: column.key for at, column in enumerate(columns[: max(map(len, lines))])}
        if any(cell for line in lines for cell in line[len(columns) :]):
            ignored = [f"第 {len(columns)} 列以后"]
    return [{key: line[at] if at < len(line) else "" for at, key in header.items()} for line in lines], ignored


def _header(line: list[str], columns: tuple[Column, ...]) -> dict[int, str] | None:
    """Cell index -> column key, when a line holds the names of columns and no child's."""
    names = {name: column.key for column in columns for name in (column.title, *column.aliases)}
    found: dict[int, str] = {}
    for at, cell in enumerate(line):
        key = names.get("".join(cell.split()))
        if key and key not in found.values():
            found[at] = key
    return found if len(found) > 1 or {"name", "carer"} & set(found.values()) else None


def _without_numbers(lines: list[list[str]]) -> list[list[str]]:
    """A column of running numbers before the names is no part of the list."""
    if lines and all(len(line) > 1 and re.fullmatch(r"[0-9]{1,4}\.?", line[0]) for line in lines):
        return [line[1:] for line in lines]
    return lines


# --- what a cell may say ---

_SHORT_DATE = re.compile(r"([0-9]{1,2})[-./月]([0-9]{1,2})日?")
_SERIAL = re.compile(r"([2-5][0-9]{4})(?:\.0+)?")
_CLOCK = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9.]+)?$")


def day_of(text: str, year_began: dt.date) -> dt.date:
    """A day as people and workbooks write it; one without a year lies in the school year.

    :raises Complaint: when it cannot be read, does not exist or lies ahead.
    """
    text = "".join(_CLOCK.sub("", unicodedata.normalize("NFKC", rules.tidy(text))).split())
    if serial := _SERIAL.fullmatch(text):
        day = reader.EXCEL_EPOCH + dt.timedelta(days=int(serial[1]))
    elif whole := ledger.WHOLE_DATE.fullmatch(text):
        year, _mark, month, number, *run = whole.groups()
        day = _day(text, *(run if year is None else (year, month, number)))
    elif short := _SHORT_DATE.fullmatch(text):
        month, number = short.groups()
        over = (int(month), int(number)) < (year_began.month, year_began.day)
        day = _day(text, str(year_began.year + over), month, number)
        if day > dt.date.today():
            raise Complaint(f"没写年份，按本学年读作 {day}，晚于今天，请写明年份。")
    else:
        raise Complaint(f"看不懂日期“{text[:20]}”，请写作 2026-03-05。")
    if complaint := rules.not_in_future(day.isoformat()):
        raise Complaint(complaint)
    return day


def _day(text: str, year: str, month: str, number: str) -> dt.date:
    try:
        return dt.date(int(year), int(month), int(number))
    except ValueError:
        raise Complaint(f"没有“{text[:20]}”这一天，请核对。") from None


_NUMERALS = "〇一二三四五六七八九"


def _numeral(found: re.Match[str]) -> str:
    """二十一 -> 21, 十 -> 10; numerals without a ten stand one by one: 三一班 is 3.1班."""
    tens, ten, ones = found[0].partition("十")
    digits = [str(_NUMERALS.index(c)) for c in found[0] if c != "十"]
    if not ten:
        return "".join(digits)
    return "".join(digits) if tens and ones else "1" + digits[-1] if ones else digits[0] + "0" if tens else "10"


def class_key(text: str) -> str:
    """三（1）班, 三年级1班, 3.1班 -> 31: how a class is written does not matter."""
    text = unicodedata.normalize("NFKC", rules.tidy(text)).replace("小学", "")
    text = re.sub(f"[{_NUMERALS}]?十?[{_NUMERALS}]*", lambda found: _numeral(found) if found[0] else "", text)
    text = re.sub(r"[\s()（）【】\[\].·、,，_-]|第", "", text).removesuffix("班")
    return text if text.endswith("年级") else text.replace("年级", "").replace("班", "")


def class_words(child: Child) -> str:
    return f"{child.grade.label}{child.class_name}"


def _class_keys(child: Child) -> set[str]:
    grades = (child.grade.label, *child.grade.aliases)
    whole = {class_key(grade) for grade in grades if len(grade) > 1}  # 三年级, not the bare 三 of 三班
    return {class_key(child.class_name), *whole, *(class_key(grade + child.class_name) for grade in grades)}


def is_near(one: str, other: str) -> bool:
    """Do two names differ by one character written wrongly, left out, or too many?"""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    short, long = sorted((one, other), key=len)
    at = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


# --- lines, checked ---


@dataclass
class Cell:
    """One cell as typed, what is wrong with it, and what may have been meant."""

    text: str = ""
    wrong: str = ""
    offers: tuple[str, ...] = ()


@dataclass
class Line:
    """One line of the grid. ``note``: why it is left out (it is there already); ``found``: what its cells stand for."""

    cells: dict[str, Cell]
    note: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    def say(self, key: str, words: str, offers: Iterable[str] = ()) -> None:
        if not self.cells[key].wrong:
            self.cells[key].wrong, self.cells[key].offers = words, tuple(offers)

    def text(self, key: str) -> str:
        return self.cells[key].text

    @property
    def is_wrong(self) -> bool:
        return any(cell.wrong for cell in self.cells.values())


@dataclass
class Pupil:
    """A child that a line may name, with its stays."""

    child: Child
    stays: list[Enrolment]

    def stay_on(self, on: dt.date) -> Enrolment | None:
        return next((s for s in self.stays if s.start <= on and (s.end is None or s.end > on)), None)


def serving(known: list[Staff], on: dt.date | None) -> Staff:
    """Of teachers with one name the one who served on a day; where that does not decide, the newest."""
    return next((s for s in known if on is None or (s.start <= on and (s.end is None or s.end > on))), known[0])


class Sheet(ABC):
    """One kind of pasted list."""

    what: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    roster: ClassVar[str] = "当日在读名册"
    school: School

    def __init__(self, session: Session):
        self.session = session
        self.pool: dict[str, list[Pupil]] = {}

    def lines(self, rows: list[dict[str, str]]) -> list[Line]:
        """The rows checked; those that are there already carry a note."""
        lines = [Line({c.key: Cell(self.filled(c.key, row)) for c in self.columns}) for row in rows]
        for line in lines:
            self.check(line)
        self.compare([line for line in lines if not line.is_wrong])
        self._within(lines)
        return lines

    def filled(self, key: str, row: dict[str, str]) -> str:
        """The text of a cell; a column that the block does not have may have a usual value."""
        return row.get(key, "").replace("\r\n", "\n").strip()

    @abstractmethod
    def check(self, line: Line) -> None:
        """Say what is wrong in the cells of a line."""

    @abstractmethod
    def compare(self, lines: list[Line]) -> None:
        """Mark the lines that are there already."""

    @abstractmethod
    def same(self, line: Line) -> Any:
        """What makes two lines one and the same."""

    @abstractmethod
    def row(self, line: Line) -> Any:
        """The record of a checked line."""

    def save(self, lines: list[Line]) -> tuple[list[Any], Batch | None]:
        """Write what is not there yet.

        :returns: the rows that were written, and their batch.
        :raises Complaint: when a cell is wrong, or there is nothing to write.
        """
        wrong = sum(bool(cell.wrong) for line in lines for cell in line.cells.values())
        if wrong:
            raise Complaint(f"未保存，有 {wrong} 格要改。")
        rows = [self.row(line) for line in lines if not line.note]
        if not rows:
            raise Complaint("都已登记过，没有要保存的内容。")
        return rows, quick.keep(self.session, BatchKind.PASTE, self.school.id, self.words(len(rows)), rows)

    @abstractmethod
    def words(self, count: int) -> str:
        """What the batch is called in the list of batches."""

    def _within(self, lines: list[Line]) -> None:
        """A line that stands twice in the block is written once."""
        first: dict[Any, int] = {}
        for number, line in enumerate(lines, 1):
            if line.is_wrong or line.note:
                continue
            before = first.setdefault(self.same(line), number)
            if before != number:
                line.note = f"与第 {before} 行相同"

    def add(self, child: Child, stay: Enrolment) -> None:
        if not scope_in(self.session).owns(stay.school_id):
            return
        same_name = self.pool.setdefault(rules.tidy_name(child.name), [])
        known = next((p for p in same_name if p.child.id == child.id), None)
        if known is None:
            same_name.append(Pupil(child, [stay]))
        else:
            known.stays.append(stay)

    def find(self, line: Line, on: dt.date | None, name_key: str = "name") -> Pupil | None:
        """The child of a line; else the cells say what is wrong and who may have been meant."""
        name, klass = rules.tidy_name(line.text(name_key)), class_key(line.text("class_name"))
        if not name:
            line.say(name_key, "此格必填。")
            return None
        of_name = self.pool.get(name, [])
        if not of_name:
            self._say_unknown(line, name_key, name, klass)
            return None
        fits = [p for p in of_name if klass in _class_keys(p.child)] if klass else of_name
        if not fits:
            known = [class_words(p.child) for p in of_name[:3]]
            line.say("class_name", f"“{name[:30]}”登记在{'、'.join(known)}，请核对班级。", known)
            return None
        if on is not None and len(fits) > 1:
            fits = [p for p in fits if p.stay_on(on)] or fits
        if len(fits) == 1:
            return fits[0]
        known = list(dict.fromkeys(class_words(p.child) for p in sorted(fits, key=lambda p: p.child.class_order)))
        if klass or len(known) == 1:
            line.say(name_key, f"同班有 {len(fits)} 名“{name[:30]}”，请从儿童台账中单独登记。")
        else:
            line.say("class_name", f"有 {len(fits)} 名“{name[:30]}”，请写明班级：{'、'.join(known[:4])}。", known)
        return None

    def _say_unknown(self, line: Line, key: str, name: str, klass: str) -> None:
        near = [p for other, there in self.pool.items() if is_near(name, other) for p in there]
        of_class = [p for p in near if klass and klass in _class_keys(p.child)]
        meant = (of_class or near)[:3]
        words = "、".join(f"{p.child.name}（{class_words(p.child)}）" for p in meant)
        line.say(
            key,
            f"{self.roster}中没有“{name[:30]}”，是否为{words}？"
            if meant
            else f"{self.roster}中没有“{name[:30]}”，请核对姓名和学校。",
            dict.fromkeys(p.child.name for p in meant),
        )

    def pick(self, line: Line, key: str, model: Any, column: str) -> Any:
        """The choice that a cell names."""
        value, complaint = labels.parse(model, column, line.text(key))
        if complaint:
            names = [member.label for member in labels.choices(model, column) or ()]
            line.say(key, f"“{line.text(key)[:20]}”不在可选范围内，可填：{'、'.join(names)}。", names)
        return value


class TalkSheet(Sheet):
    """Talks and contacts of one school, whoever had them."""

    what = "talks"
    roster = "本校名册"
    columns = (
        NAME,
        CLASS,
        Column("on", "日期", ("谈心日期", "谈话日期", "联系日期", "时间", "谈心时间")),
        Column("way", "方式", ("谈心方式", "联系方式", "谈话方式")),
        Column("staff", "教师", ("谈心教师", "教师姓名", "谈话教师", "谈心人", "责任人", "包保责任人")),
        Column("content", "内容", ("谈心内容", "谈话内容", "联系内容", "主要内容")),
        Column("effect", "效果", ("谈心效果", "成效")),
    )

    def __init__(self, session: Session, school: School, kind: CareKind, staff: Staff | None):
        super().__init__(session)
        self.school, self.kind, self.staff = school, kind, staff
        self.year_began = importing.default_start(session)
        here = select(School.id).where(or_(School.id == school.id, School.centre_id == school.id))
        stays = select(Enrolment, Child).join(Child, Child.id == Enrolment.child_id).where(Enrolment.school_id.in_(here))
        for stay, child in session.execute(stays.order_by(Enrolment.start)):
            self.add(child, stay)
        self.staff_named: dict[str, list[Staff]] = {}
        unit = enrolling.unit_of(session, school.id)
        for teacher in session.scalars(select(Staff).where(Staff.school_id.in_(unit)).order_by(Staff.start.desc())):
            self.staff_named.setdefault(rules.tidy_name(teacher.name), []).append(teacher)

    def words(self, count: int) -> str:
        return f"{self.kind} 粘贴录入 {count} 条"

    def filled(self, key: str, row: dict[str, str]) -> str:
        text = super().filled(key, row)
        if key == "way" and not text:
            return quick.USUAL_WAY[self.kind].label
        return text

    def check(self, line: Line) -> None:
        on = self._day(line)
        pupil = self.find(line, on)
        line.found["way"] = self.pick(line, "way", CareRecord, "way")
        line.found["effect"] = self.pick(line, "effect", CareRecord, "effect")
        line.found["staff"] = self._teacher(line, on)
        content = line.text("content")
        if len(content) > quick.LONGEST:
            line.say("content", f"最多 {quick.LONGEST} 个字，现有 {len(content)} 个。")
        if pupil is None or on is None:
            return
        stay = pupil.stay_on(on)
        if stay is None:
            nearest = next((s for s in reversed(pupil.stays) if s.start <= on), pupil.stays[0])
            try:
                enrolling.check_within(nearest, on)
            except Complaint as e:
                line.say("on", e.text)
            return
        line.found |= {"child": pupil.child, "stay": stay, "on": on}

    def _day(self, line: Line) -> dt.date | None:
        if not line.text("on"):
            line.say("on", "此格必填。")
            return None
        try:
            return day_of(line.text("on"), self.year_began)
        except Complaint as e:
            line.say("on", e.text)
            return None

    def _teacher(self, line: Line, on: dt.date | None) -> Staff | None:
        name = re.sub(r"(?<=..)(老师|教师)$", "", rules.tidy_name(line.text("staff")))
        if not name:
            if self.staff is None:
                line.say("staff", "请写教师姓名，或在上面选一位。")
            return self.staff
        known = self.staff_named.get(name, [])
        if not known:
            near = [other for other in self.staff_named if is_near(name, other)][:3]
            meant = f"是否为{'、'.join(near)}？" if near else "请先登记，或核对姓名。"
            line.say("staff", f"教职工名册中没有“{name[:30]}”，{meant}", near)
            return None
        return serving(known, on)

    def compare(self, lines: list[Line]) -> None:
        """What is there already, and as what the teacher spoke: two statements."""
        children = list({line.found["child"].id for line in lines})
        there = select(CareRecord.child_id, CareRecord.on, CareRecord.content).where(
            CareRecord.kind == self.kind, CareRecord.child_id.in_(children)
        )
        written = {(child, on, quick.squeezed(text)) for child, on, text in self.session.execute(there)}
        held = select(Responsibility).where(Responsibility.child_id.in_(children))
        responsible = list(self.session.scalars(held))
        for line in lines:
            if self.same(line) in written:
                line.note = "已有"
            line.found["role"] = self._role(line, responsible)

    def _role(self, line: Line, responsible: list[Responsibility]) -> TalkerRole:
        child, staff, on = line.found["child"], line.found["staff"], line.found["on"]
        for r in responsible:
            if (r.child_id, r.staff_id) == (child.id, staff.id) and r.start <= on and (r.end is None or r.end > on):
                return TalkerRole.RESPONSIBLE
        return TalkerRole.CLASS_TEACHER if child.class_teacher_id == staff.id else TalkerRole.OTHER

    def same(self, line: Line) -> Any:
        return line.found["child"].id, line.found["on"], quick.squeezed(line.text("content"))

    def row(self, line: Line) -> CareRecord:
        found, stay = line.found, line.found["stay"]
        return CareRecord(
            enrolment=stay,
            child_id=stay.child_id,
            school_id=stay.school_id,
            kind=self.kind,
            on=found["on"],
            way=found["way"],
            staff_id=found["staff"].id,
            role=found["role"],
            content=rules.tidy(line.text("content")) or None,
            effect=found["effect"],
        )


class ParticipantSheet(Sheet):
    """The children who took part in one activity."""

    what = "participants"
    columns = (NAME, CLASS)

    def __init__(self, session: Session, activity: Activity):
        super().__init__(session)
        self.activity, self.school = activity, activity.school
        for stay, child in rosters.enrolled_on(session, activity.school_id, activity.on):
            self.add(child, stay)
        listed = select(Participation.enrolment_id).where(Participation.activity_id == activity.id)
        self.listed = set(session.scalars(listed))

    def words(self, count: int) -> str:
        return f"{self.activity.title} 参加儿童 {count} 人"

    def check(self, line: Line) -> None:
        pupil = self.find(line, self.activity.on)
        if pupil is not None:
            line.found["stay"] = pupil.stays[0]

    def compare(self, lines: list[Line]) -> None:
        for line in lines:
            if line.found["stay"].id in self.listed:
                line.note = "已有"

    def same(self, line: Line) -> Any:
        return line.found["stay"].id

    def row(self, line: Line) -> Participation:
        stay = line.found["stay"]
        return Participation(
            activity_id=self.activity.id,
            enrolment_id=stay.id,
            child_id=stay.child_id,
            school_id=stay.school_id,
            child_name=stay.child_name,
        )


class SignInSheet(Sheet):
    """The sign-in list of one training."""

    what = "attendance"
    columns = (
        Column("carer", "监护人姓名", ("照护人姓名", "监护人", "照护人", "家长姓名", "签到人")),
        Column("name", "学生姓名", ("姓名", "儿童姓名", "学生")),
        CLASS,
        Column("how", "签到", ("签到方式", "签到情况", "签名", "是否签到")),
    )

    def __init__(self, session: Session, training: TrainingSession):
        super().__init__(session)
        self.training, self.school = training, training.school
        self.carers: dict[int, list[Carer]] = {}
        for stay, child in rosters.enrolled_on(session, training.school_id, training.on):
            self.add(child, stay)
        for _stay, child, carer in rosters.carers_on(session, training.school_id, training.on):
            self.carers.setdefault(child.id, []).append(carer)
        listed = select(Attendance).where(Attendance.session_id == training.id)
        self.listed = {(a.enrolment_id, a.person_key): a.how for a in session.scalars(listed)}

    def words(self, count: int) -> str:
        return f"{self.training.title} 签到 {count} 人"

    def filled(self, key: str, row: dict[str, str]) -> str:
        text = super().filled(key, row)
        if key == "how" and key not in row:  # a list without that column is a list of who came
            return SignedHow.PRESENT.label
        return text

    def check(self, line: Line) -> None:
        line.found["how"] = self._how(line)
        pupil = self.find(line, self.training.on)
        name = rules.tidy_name(line.text("carer"))
        if not name:
            line.say("carer", "此格必填。")
        if pupil is None or not name:
            return
        carers = self.carers.get(pupil.child.id, [])
        signed = next((c for c in carers if rules.tidy_name(c.name) == name), None)
        if signed is not None:
            line.found |= {"stay": pupil.stays[0], "carer": signed}
        elif carers:
            known = list(dict.fromkeys(c.name for c in carers))
            line.say("carer", f"该儿童当日登记的照护人是{'、'.join(known)}，请核对。", known)
        else:
            line.say("carer", "该儿童当日没有登记照护人，请先在儿童台账中登记。")

    def _how(self, line: Line) -> SignedHow | None:
        text = line.text("how")
        if not text:
            line.say("how", "此格必填。", [how.label for how in SignedHow])
            return None
        if text in rules.YES_WORDS or text in ("到", "已到", "签到", "本人"):
            return SignedHow.PRESENT
        if text in rules.NO_WORDS or text in ("未到", "缺", "未签到"):
            return SignedHow.ABSENT
        return self.pick(line, "how", Attendance, "how")

    def compare(self, lines: list[Line]) -> None:
        for line in lines:
            how = self.listed.get(self.same(line))
            if how is not None:
                line.note = "已有" if how is line.found["how"] else f"已有（{how}）"

    def same(self, line: Line) -> Any:
        return line.found["stay"].id, line.found["carer"].person_key

    def row(self, line: Line) -> Attendance:
        attendance = attendance_of(self.training.id, line.found["stay"], line.found["carer"])
        attendance.how = line.found["how"]
        return attendance
