"""What a ledger (台账) looks like: its columns and their other names, where its header stands, what a cell means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .. import labels, rules
from ..models import Carer, Child, Parent, ParentStatus, Staff
from ..sheets.reader import EXCEL_EPOCH, Grid, Unreadable, address

HEADER_WITHIN = 15
FOOTER = re.compile(r"^(合计|总计|小计|单位负责人|复核人|填表人|注[:：]|说明|备注[:：])")


@dataclass(frozen=True)
class Column:
    """One column of a ledger: our key, its printed name, the other names schools use."""

    key: str
    title: str
    aliases: tuple[str, ...] = ()


COLUMNS: tuple[Column, ...] = (
    Column("school", "学校", ("学校名称", "就读学校", "所在学校")),
    Column("name", "姓名", ("学生姓名", "儿童姓名", "学生基本情况姓名")),
    Column("sex", "性别"),
    Column("ethnic", "民族"),
    Column("birth_date", "出生年月", ("出生日期", "出生年月日", "生日")),
    Column("id_number", "身份证号", ("身份证号码", "公民身份号码", "证件号", "证件号码")),
    Column("grade", "年级"),
    Column("class_name", "班级", ("班",)),
    Column("hukou_place", "户籍地", ("户籍所在地",)),
    Column("home_address", "现住址", ("家庭住址", "现住址(村组)", "现住址（村组）", "详细地址", "住址", "现居住地")),
    Column("boarding", "是否寄宿", ("是否住校", "寄宿", "就读方式")),
    Column("kind", "留守类型"),
    Column("father.name", "父亲姓名"),
    Column("father.place", "父亲务工地", ("父亲务工地点", "父亲去向")),
    Column("father.phone", "父亲电话", ("父亲联系电话",)),
    Column("mother.name", "母亲姓名"),
    Column("mother.place", "母亲务工地", ("母亲务工地点", "母亲去向")),
    Column("mother.phone", "母亲电话", ("母亲联系电话",)),
    Column("guardian.name", "监护人姓名", ("监护人", "法定监护人", "法定监护人姓名")),
    Column(
        "carer.name",
        "照护人姓名",
        ("实际照护人", "照护人", "委托监护人姓名", "委托监护人", "实际监护人", "实际监护人姓名", "现监护人", "受委托照护人"),
    ),
    Column("carer.relation", "与儿童关系", ("与学生关系", "关系", "监护人关系")),
    Column("carer.age", "监护人年龄", ("照护人年龄",)),
    Column("carer.phone", "监护人电话", ("照护人电话", "监护人联系电话")),
    Column("responsible", "包保责任人", ("责任人", "包保教师")),
    Column("remark", "备注"),
)
TITLES = {column.key: column.title for column in COLUMNS}
_BY_NAME = {name: column.key for column in COLUMNS for name in (column.title, *column.aliases)}
_GROUPS = {
    "父亲": "父亲",
    "母亲": "母亲",
    "监护人": "监护人",
    "监护人（委托监护人）": "监护人",
    "监护人(委托监护人)": "监护人",
    "委托监护人": "监护人",
}
REQUIRED = ("name", "sex", "birth_date", "grade")


@dataclass
class Problem:
    cell: str
    level: str
    """error, warning or repair."""
    text: str
    key: str = ""


@dataclass
class Entry:
    """One data row of a ledger: parsed values by column key, the cells they came from, and what was wrong with them."""

    sheet: str
    number: int
    values: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    day_zero: dt.date = EXCEL_EPOCH
    asks: bool = False
    """Is there something that only a person can decide?"""

    def say(self, key: str, level: str, text: str) -> None:
        self.problems.append(Problem(self.cells.get(key, ""), level, text, key))

    def ask(self, key: str, text: str) -> None:
        """Something that may be right and may be wrong: the row waits until a person says so."""
        self.say(key, "warning", text)
        self.asks = True

    @property
    def refused(self) -> bool:
        return any(p.level == "error" for p in self.problems)

    @property
    def repaired(self) -> bool:
        return any(p.level == "repair" for p in self.problems)


@dataclass(frozen=True)
class Heading:
    """A column of a file as its header calls it, which of ours it is taken for, and a few values below it."""

    cell: str
    words: str
    key: str
    sample: tuple[str, ...]


def headings(grid: Grid, own: Mapping[str, str]) -> list[Heading]:
    """How the columns of a sheet are read; of a sheet whose header is not recognised, its fullest row among the first ones."""
    found = _header(grid, own)
    row = found[0] if found is not None else _fullest_row(grid)
    columns = found[1] if found is not None else _names_at(grid, row, own) if grid.rows else {}
    heads = []
    for column in range(len(grid.rows[row - 1]) if grid.rows else 0):
        words = _words_at(grid, row, column)
        below = [grid.cell(number, column) for number in range(row + 1, min(row + 30, len(grid.rows)) + 1)]
        sample = tuple(_glimpse(value) for value in below if value is not None)[:3]
        if words and sample:
            heads.append(Heading(address(row, column), words, columns.get(column, ""), sample))
    return heads


def _glimpse(value: Any) -> str:
    """Enough of a value to see what a column holds; long numbers masked as everywhere."""
    text = str(value)[:20]
    return rules.mask(text) if re.fullmatch(r"\d{6,}[\dXx]", text) else text


def _fullest_row(grid: Grid) -> int:
    rows = range(1, min(HEADER_WITHIN, len(grid.rows)) + 1)
    return max(rows, key=lambda row: len({_squeezed(v) for v in grid.rows[row - 1] if isinstance(v, str)}), default=1)


def _words_at(grid: Grid, row: int, column: int) -> str:
    """What the header says of a column: its own words, with the group above them where there is one."""
    own, above = _squeezed(grid.cell(row, column)), ""
    for left in range(column, -1, -1):
        above = above or (_squeezed(grid.cell(row - 1, left)) if row > 1 else "")
    return own and (_GROUPS.get(above, "") + own)


class NoHeader(Unreadable):
    """There are rows, but no header that is recognised: a person may say which column is which."""


def entries(grids: list[Grid], own: Mapping[str, str] = MappingProxyType({}), required: Collection[str] = REQUIRED) -> list[Entry]:
    """Every data row of every sheet that has a ledger's header.

    :param own: the school's own names of columns: squeezed words -> our key, blank for a column that is left out.
    :param required: what every row must hold; a list that others made holds less than a ledger.
    :raises NoHeader: when no sheet has one, but some has columns a person could name.
    :raises Unreadable: when there are no columns, or nothing below them.
    """
    found, any_header = [], False
    for grid in grids:
        header = _header(grid, own)
        if header is None:
            continue
        any_header = True
        row, columns = header
        found += [_entry(grid, number, columns, required) for number in _data_rows(grid, row, columns)]
    if not any_header:
        unnamed = any(headings(grid, own) for grid in grids)
        raise (NoHeader if unnamed else Unreadable)(
            "没有找到表头：应有“姓名”“性别”“出生年月”“年级”等列名。请对照模板检查后再上传。"
        )
    if not found:
        raise Unreadable("表头下面没有数据行。")
    return found


def _header(grid: Grid, own: Mapping[str, str]) -> tuple[int, dict[int, str]] | None:
    """The row of the column names, and column index -> key; one or two header rows, the upper one with groups."""
    best: tuple[int, dict[int, str]] | None = None
    for row in range(1, min(HEADER_WITHIN, len(grid.rows)) + 1):
        columns = _names_at(grid, row, own)
        if "name" in columns.values() and len(columns) >= 4 and (best is None or len(columns) > len(best[1])):
            best = (row, columns)
    return best


def _names_at(grid: Grid, row: int, ours: Mapping[str, str]) -> dict[int, str]:
    known = _BY_NAME | dict(ours)
    columns: dict[int, str] = {}
    group = ""
    width = max(len(grid.rows[row - 1]), len(grid.rows[row - 2]) if row > 1 else 0)
    for column in range(width):
        above = _squeezed(grid.cell(row - 1, column)) if row > 1 else ""
        if above:
            group = above
        own = _squeezed(grid.cell(row, column))
        names = (_GROUPS.get(group, "") + own, own) if own else (above,)
        key = next((known[name] for name in names if name in known), None)
        if key and key not in columns.values():
            columns[column] = key
    return columns


def _squeezed(value: Any) -> str:
    return "".join(rules.tidy(str(value)).split()) if value is not None else ""


def _data_rows(grid: Grid, header: int, columns: dict[int, str]) -> Iterator[int]:
    by_key = {key: column for column, key in columns.items()}
    for number in range(header + 1, len(grid.rows) + 1):
        filled = [v for v in grid.rows[number - 1] if v is not None]
        if not filled or FOOTER.match(_squeezed(filled[0])) or FOOTER.match(_squeezed(grid.cell(number, by_key["name"]))):
            continue
        if sum(grid.cell(number, c) is not None for c in columns) >= 2:
            yield number


def _entry(grid: Grid, number: int, columns: dict[int, str], required: Collection[str]) -> Entry:
    entry = Entry(grid.name, number, day_zero=grid.day_zero)
    for column, key in columns.items():
        entry.cells[key] = address(number, column)
        raw = grid.cell(number, column)
        if raw is not None:
            _read_cell(entry, key, raw)
    for key in required:
        if key not in entry.values and not any(p.cell == entry.cells.get(key) for p in entry.problems if p.level == "error"):
            entry.say(key, "error", f"{TITLES[key]}必填。")
    _check_number(entry)
    _who_cares(entry)
    return entry


def _who_cares(entry: Entry) -> None:
    """监护人 and 实际照护人 are not the same: one name alone is taken for who cares, two that differ are asked about."""
    guardian = entry.values.pop("guardian.name", None)
    if guardian is None:
        return
    carer = entry.values.get("carer.name")
    if carer is None:
        entry.values["carer.name"], entry.cells["carer.name"] = guardian, entry.cells["guardian.name"]
        for problem in entry.problems:
            problem.key = "carer.name" if problem.key == "guardian.name" else problem.key
    elif carer != guardian:
        entry.ask("guardian.name", f"监护人“{guardian}”与实际照护人“{carer}”不是同一人：确认后按“{carer}”登记照护人。")


def _read_cell(entry: Entry, key: str, raw: Any) -> None:
    text = str(raw).strip()
    if rules.is_masked(text):  # as our own files show what their reader may not see: nothing is said
        return
    if key == "birth_date":
        _read_birth(entry, raw)
    elif key == "id_number":
        _read_number(entry, raw)
    elif key in ("father.phone", "mother.phone", "carer.phone"):
        _read_checked(entry, key, Parent, "phone", text)
    elif key in ("father.name", "mother.name", "carer.name", "guardian.name", "name"):
        if key != "name" and text in rules.NONE_WORDS:
            return
        _read_checked(entry, key, Child if key == "name" else Parent, "name", text)
    elif key == "carer.relation":
        _read_choice(entry, key, Carer, "relation", text)
    elif key == "carer.age":
        _read_checked(entry, key, Carer, "age", text)
    elif key == "grade":
        _read_grade(entry, text)
    elif key in ("sex", "ethnic"):
        _read_choice(entry, key, Child, key, text)
    elif key == "boarding":
        value, complaint = labels.parse(Child, "boarding", text)
        if complaint:
            entry.say(key, "error", complaint)
        else:
            entry.values[key] = value
            if text in ("√", "☑", "✔"):
                entry.say(key, "repair", f"“{text}”按“是”读入。")
    elif key == "responsible":
        _read_checked(entry, key, Staff, "name", re.sub(r"(?<=..)(老师|教师)$", "", rules.tidy_name(text)))
    elif key.endswith(".place"):
        _read_checked(entry, key, ParentStatus, "place", text)
    elif text not in rules.NONE_WORDS or key == "remark":
        value = rules.tidy(text)
        complaint = labels.complain(Child, key, value) if key in Child.__mapper__.columns else None
        if complaint:
            entry.say(key, "error", complaint)
        elif value:
            entry.values[key] = value


_CLASS_IN_GRADE = re.compile(r"([一二三四五六七八九]|[1-9]|初[一二三]|高[一二三])(?:年级)?[(（]?(\d{1,2})[)）]?班")


def _read_grade(entry: Entry, text: str) -> None:
    """A grade; a class that stands in its column (三(1)班) is taken apart."""
    squeezed = _squeezed(text)
    if (both := _CLASS_IN_GRADE.fullmatch(squeezed)) is None:
        return _read_choice(entry, "grade", Child, "grade", text)
    digits = "一二三四五六七八九"
    grade = f"{digits[int(both[1]) - 1]}年级" if both[1].isdigit() else both[1] if len(both[1]) > 1 else f"{both[1]}年级"
    _read_choice(entry, "grade", Child, "grade", grade)
    if "grade" in entry.values:
        entry.values["class_name"] = squeezed
        entry.say("grade", "repair", f"“{text}”读作{entry.values['grade']}，班级 {squeezed}。")
    return None


def _read_choice(entry: Entry, key: str, model: Any, column: str, text: str) -> None:
    squeezed = _squeezed(text)
    value, complaint = labels.parse(model, column, squeezed)
    if complaint:
        entry.say(key, "error", complaint)
        return
    if value is None:
        return
    entry.values[key] = value
    if key == "ethnic" and squeezed != value.label:
        entry.say(key, "repair", f"“{text}”按“{value.label}”读入。")


def _read_checked(entry: Entry, key: str, model: Any, column: str, text: str) -> None:
    tidied = labels.tidied(model, column, text)
    if not tidied:
        return
    complaint = labels.complain(model, column, tidied)
    if complaint:
        entry.say(key, "error", complaint)
        return
    entry.values[key] = int(tidied) if column == "age" else tidied
    if tidied != text and key != "responsible":
        shown = rules.mask(tidied) if column == "phone" else tidied
        entry.say(key, "repair", f"已整理为“{shown}”。")


def _read_number(entry: Entry, raw: Any) -> None:
    if isinstance(raw, int | float):
        entry.say("id_number", "error", "科学计数法，后几位已丢失，请在原表改为文本。")
        return
    text = str(raw)
    if rules.tidy(text) in rules.NONE_WORDS:
        return
    tidied = rules.tidy_number(text)
    complaint = rules.id_number(tidied)
    if complaint:
        entry.say("id_number", "error", complaint)
        return
    entry.values["id_number"] = tidied
    if tidied != text.strip():
        entry.say("id_number", "repair", "已去掉多余符号。")


_WHOLE_DATE = re.compile(r"([0-9]{4})([-./年])([0-9]{1,2})[-./月]([0-9]{1,2})日?|([0-9]{4})([0-9]{2})([0-9]{2})")
_YEAR_MONTH = re.compile(r"([0-9]{4})[-./年]([0-9]{1,2})月?")


def _read_birth(entry: Entry, raw: Any) -> None:
    if isinstance(raw, dt.date):
        _keep_birth(entry, raw)
    elif isinstance(raw, int) and 20_000 < raw < 60_000:
        born = entry.day_zero + dt.timedelta(days=raw)
        _keep_birth(entry, born, f"{raw} 按日期读作 {born}。")
    else:
        _read_birth_text(entry, rules.tidy(str(raw)))


def _read_birth_text(entry: Entry, text: str) -> None:
    if month := _YEAR_MONTH.fullmatch(text):
        entry.values["birth_month"] = tuple(map(int, month.groups()))
        return
    whole = _WHOLE_DATE.fullmatch(text)
    if whole is None:
        entry.say("birth_date", "error", f"看不懂日期“{text[:20]}”，请写作 2015-10-03。")
        return
    year, mark, month_, day, *squeezed = whole.groups()
    try:
        born = dt.date(*map(int, squeezed)) if year is None else dt.date(int(year), int(month_), int(day))
    except ValueError:
        entry.say("birth_date", "error", f"没有“{text}”这一天，请核对。")
        return
    _keep_birth(entry, born, "" if mark == "-" else f"“{text}”读作 {born}。")


def _keep_birth(entry: Entry, born: dt.date, repair: str = "") -> None:
    """A child's birth lies between 1900 and today."""
    if not rules.EARLIEST <= born <= dt.date.today():
        entry.say("birth_date", "error", f"出生日期 {born} 超出范围，请核对。")
        return
    entry.values["birth_date"] = born
    if repair:
        entry.say("birth_date", "repair", repair)


def _check_number(entry: Entry) -> None:
    """The ID number against birth date and sex; a birth month is completed from it."""
    v = entry.values
    number = v.get("id_number")
    born = rules.birth_of(number) if number else None
    month = v.pop("birth_month", None)
    if month is not None:
        entry.problems = [p for p in entry.problems if p.text != f"{TITLES['birth_date']}必填。"]
        if born is not None and (born.year, born.month) == month:
            v["birth_date"] = born
            entry.say("birth_date", "repair", f"只有年月，按证件号补为 {born}。")
        else:
            entry.say("birth_date", "error", "只有年月，请写明日期。")
    if number and born and "birth_date" in v and born != v["birth_date"]:
        entry.say("birth_date", "error", f"与证件号中的出生日期 {born} 不一致，请核对户口簿。")
    if number and "sex" in v and rules.is_male(number) != (v["sex"].value == "1"):
        entry.say("sex", "error", "与证件号中的性别不一致，请核对户口簿。")
