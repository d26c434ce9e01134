"""What a ledger (台账) looks like: its columns and their other names, where its header stands, what a cell means."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from .. import labels, rules
from ..models import Carer, Child, Parent, ParentStatus, Staff
from ..orm import Base
from ..sheets.reader import EXCEL_EPOCH, Grid, Unreadable, address
from .roundtrip import HEADING, Origin, origin

HEADER_WITHIN = 15
LONGEST_WORD, LONGEST = 200, 1000
"""Characters of a title or a choice that are looked at, and of a value that can be any of ours."""
GROUP_ROWS = 2
"""How many rows of groups (父亲, 母亲) may stand above the row of the columns' own names."""
FOOTER = re.compile(
    r"^(合计|总计|小计|共计|(单位|学校)?负责人|校长|[复审]核人|填[表报]人|制表人|经办人|注\d*[:：]|(填表)?说明|备注[:：])|(合|小|总|共)计[:：]?$"
)


@dataclass(frozen=True)
class Column:
    """One column of a ledger: our key, its printed name, the other names schools use."""

    key: str
    title: str
    aliases: tuple[str, ...] = ()


_PHONE = ("电话", "联系电话", "手机", "手机号", "手机号码", "联系方式")


def _of(*people: str, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(person + word for person in people for word in words)


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
    Column("father.phone", "父亲电话", _of("父亲", words=_PHONE)),
    Column("mother.name", "母亲姓名"),
    Column("mother.place", "母亲务工地", ("母亲务工地点", "母亲去向")),
    Column("mother.phone", "母亲电话", _of("母亲", words=_PHONE)),
    Column("guardian.name", "监护人姓名", ("监护人", "法定监护人", "法定监护人姓名")),
    Column(
        "carer.name",
        "照护人姓名",
        ("实际照护人", "照护人", "委托监护人姓名", "委托监护人", "实际监护人", "实际监护人姓名", "现监护人", "受委托照护人"),
    ),
    Column("carer.relation", "与儿童关系", ("与学生关系", "关系", "监护人关系", "照护人关系", "监护人与学生关系")),
    Column("carer.age", "监护人年龄", ("照护人年龄",)),
    Column("carer.phone", "监护人电话", _of("监护人", "照护人", words=_PHONE)),
    Column("carer.quality", "监护情况", ("监护情况评估", "监护评估")),
    Column("responsible", "包保责任人", ("责任人", "包保教师")),
    Column("remark", "备注"),
)
TITLES = {column.key: column.title for column in COLUMNS}
_BY_NAME = {name: column.key for column in COLUMNS for name in (column.title, *column.aliases)}
ORIGIN = "origin"
_BY_NAME[HEADING] = ORIGIN
_PERSONS = {
    "父亲": ("父亲", "父", "爸爸"),
    "母亲": ("母亲", "母", "妈妈"),
    "监护人": ("监护人", "监护人（委托监护人）", "监护人(委托监护人)", "委托监护人", "现监护人", "法定监护人"),
    "照护人": ("照护人", "实际照护人", "受委托照护人", "实际监护人"),
}
_GROUPS = {words: person for person, all_words in _PERSONS.items() for words in all_words}
_ANYBODYS = {
    name
    for name, key in _BY_NAME.items()
    if key in ("name", "sex", "ethnic", "birth_date", "id_number", "hukou_place", "home_address")
}
"""Words that below a group are of that person: 身份证号 below 父亲 is not the child's."""
OFFLINE_KEYS = tuple(column.key for column in COLUMNS if column.key not in ("school", "kind", "guardian.name"))
"""The columns of a ledger that is edited offline; their order is part of the mark of each row."""


def column_of(key: str) -> tuple[type[Base] | None, str]:
    """Where a value stands in the register, which decides who may see it."""
    of, _dot, name = key.rpartition(".")
    if of in ("father", "mother"):
        return (ParentStatus if name == "place" else Parent), name
    if of == "carer":
        return Carer, name
    if key.startswith("responsible"):
        return Staff, name if of else "name"
    return (Child, key) if key in Child.__mapper__.columns else (None, key)


REQUIRED = ("name", "sex", "birth_date", "grade")


@dataclass(slots=True)
class Problem:
    cell: str
    level: str
    """error, warning or repair."""
    text: str
    key: str = ""


@dataclass(slots=True)
class Entry:
    """One data row of a ledger: parsed values by column key, the columns they came from, and what was wrong with them."""

    sheet: str
    number: int
    columns: Mapping[str, int] = field(default_factory=dict)
    """Key -> where it stands; one for all rows under a header."""
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    day_zero: dt.date = EXCEL_EPOCH
    asks: bool = False
    """Is there something that only a person can decide?"""
    origin: Origin | None = None
    """Which row of the register it was when the file went out."""

    def cell(self, key: str) -> str:
        """The address of a value, blank for a column that is not there."""
        return address(self.number, self.columns[key]) if key in self.columns else ""

    def say(self, key: str, level: str, text: str) -> None:
        self.problems.append(Problem(self.cell(key), level, text, key))

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
    header = _header(grid, own, range(1, HEADER_WITHIN + 1))
    row = header.row if header else _fullest_row(grid)
    keys = header.keys if header else _keys_at(grid, row, own)
    heads = []
    for column, names in _names_at(grid, row).items():
        if keys.get(column) == ORIGIN:
            continue
        below = [grid.cell(number, column) for number in range(row + 1, min(row + 30, len(grid.rows)) + 1)]
        sample = tuple(_glimpse(value) for value in below if value is not None)[:3]
        if sample:
            heads.append(Heading(address(row, column), names[0], keys.get(column, ""), sample))
    return heads


def _glimpse(value: Any) -> str:
    """Enough of a value to see what a column holds; long numbers masked as everywhere."""
    text = str(value)[:20]
    return rules.mask(text) if re.fullmatch(r"\d{6,}[\dXx]", text) else text


def _fullest_row(grid: Grid) -> int:
    rows = range(1, min(HEADER_WITHIN, len(grid.rows)) + 1)
    return max(rows, key=lambda row: len({_squeezed(v) for v in grid.rows[row - 1] if isinstance(v, str)}), default=1)


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
        headers = _headers(grid, own)
        any_header = any_header or bool(headers)
        ends = [*(header.first for header in headers[1:]), len(grid.rows) + 1]
        for header, end in zip(headers, ends, strict=False):
            columns = {key: column for column, key in header.keys.items()}
            found += [_entry(grid, number, columns, required) for number in _data_rows(grid, range(header.row + 1, end), columns)]
    if not any_header:
        unnamed = any(headings(grid, own) for grid in grids)
        raise (NoHeader if unnamed else Unreadable)(
            "没有找到表头：应有“姓名”“性别”“出生年月”“年级”等列名。请对照模板检查后再上传。"
        )
    if not found:
        raise Unreadable("表头下面没有数据行。")
    return found


class _Header(NamedTuple):
    """One header of a sheet: its first and its last row, and column -> key."""

    first: int
    row: int
    keys: dict[int, str]


def _headers(grid: Grid, own: Mapping[str, str]) -> list[_Header]:
    """The header near the top, and those of further tables below it: a second class with a header of its own."""
    found = _header(grid, own, range(1, HEADER_WITHIN + 1))
    if found is None:
        return []
    headers, names = [found], {words for words, key in (_BY_NAME | dict(own)).items() if key == "name"}
    for number in range(found.row + 1, len(grid.rows) + 1):
        named = any(isinstance(value, str) and "".join(value[:LONGEST_WORD].split()) in names for value in grid.rows[number - 1])
        if named and number > headers[-1].row:
            first = number
            while number - first < GROUP_ROWS and _is_group_row(grid, first - 1, headers[-1]):
                first -= 1
            if (again := _header(grid, own, range(number, number + GROUP_ROWS + 1), first)) is not None:
                headers.append(again)
    return headers


def _is_group_row(grid: Grid, row: int, last: _Header) -> bool:
    """Does a row hold groups (父亲, 母亲) of a header below, and no child? A child's row may say 父亲 too: as who looks after it."""
    told = [column for column, key in last.keys.items() if key in REQUIRED and grid.cell(row, column) is not None]
    return row > last.row and len(told) < 2 and any(_person(_squeezed(value)) for value in grid.rows[row - 1])


def _header(grid: Grid, own: Mapping[str, str], rows: range, first: int = 1) -> _Header | None:
    """The first of these rows that is a header; of a header of several rows the one that names most columns: it has the groups above."""
    for row in rows:
        if (top := _header_at(grid, own, row, first)) is not None:
            needed = {column: key for column, key in top.keys.items() if key in REQUIRED}
            lower = (_header_at(grid, own, below, first) for below in range(row + 1, row + GROUP_ROWS + 1))
            same = [header for header in lower if header and needed.items() <= header.keys.items()]  # else another table's
            return max([top, *same], key=lambda header: len(header.keys))
    return None


def _header_at(grid: Grid, own: Mapping[str, str], row: int, first: int) -> _Header | None:
    keys = _keys_at(grid, row, own, first) if row <= len(grid.rows) else {}
    return _Header(first, row, keys) if "name" in keys.values() and len(keys) >= 4 else None


def _keys_at(grid: Grid, row: int, own: Mapping[str, str], first: int = 1) -> dict[int, str]:
    known = _BY_NAME | dict(own)
    keys: dict[int, str] = {}
    for column, names in _names_at(grid, row, first).items():
        key = next((known[name] for name in names if name in known), None)
        if key and key not in keys.values():
            keys[column] = key
    return keys


def _names_at(grid: Grid, row: int, first: int = 1) -> dict[int, list[str]]:
    """What a header calls each column, with the group above it (父亲姓名) before its own word alone (姓名)."""
    above = [_groups_in(grid, upper) for upper in range(max(first, row - GROUP_ROWS), row)]
    width = max((len(line) for line in grid.rows[max(0, row - 1 - GROUP_ROWS) : row]), default=0)
    found = {}
    for column in range(width):
        uppers = [words for words in (groups.get(column, "") for groups in reversed(above)) if words]
        titles = [_squeezed(grid.shown(upper, column)) for upper in range(row, max(first, row - GROUP_ROWS) - 1, -1)]
        if own := next(filter(None, titles), ""):
            person = next(filter(None, map(_person, (words for words in uppers if words != own))), "")
            found[column] = [name for name in (person and person + own, own if not person or own not in _ANYBODYS else "") if name]
    return found


def _groups_in(grid: Grid, row: int) -> dict[int, str]:
    """The words of a row above each column: those of a merged cell above all it covers, others up to the next ones."""
    found, words, spread = {}, "", True
    for column in range(max(map(len, grid.rows[row - 1 : row + GROUP_ROWS]))):
        if own := _squeezed(grid.shown(row, column)):
            words, spread = own, not grid.is_merged(row, column)
        elif not spread:
            words = ""
        found[column] = words
    return found


def _person(words: str) -> str:
    """Whose columns stand below these words of a header, if a person's."""
    return _GROUPS.get(re.sub("(基本)?(情况|信息|资料)$", "", words), "")


def _squeezed(value: Any) -> str:
    return "".join(rules.tidy(str(value)[:LONGEST_WORD]).split()) if value is not None else ""


def _data_rows(grid: Grid, rows: range, columns: Mapping[str, int]) -> Iterator[int]:
    for number in rows:
        filled = [v for v in grid.rows[number - 1] if v is not None]
        if not filled or FOOTER.search(_squeezed(filled[0])) or FOOTER.search(_squeezed(grid.cell(number, columns["name"]))):
            continue
        if [str(v) for v in filled] == [str(n) for n in range(1, len(filled) + 1)]:  # the columns numbered below the header
            continue
        if sum(grid.cell(number, column) is not None for column in columns.values()) >= 2:
            yield number


def _entry(grid: Grid, number: int, columns: Mapping[str, int], required: Collection[str]) -> Entry:
    entry = Entry(grid.name, number, columns, day_zero=grid.day_zero)
    for key, column in columns.items():
        raw = grid.held(number, column)
        if raw is not None:
            _read_cell(entry, key, raw)
    for key in required:
        if key not in entry.values and not any(p.key == key for p in entry.problems if p.level == "error"):
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
        entry.values["carer.name"] = guardian
        for problem in entry.problems:
            problem.key = "carer.name" if problem.key == "guardian.name" else problem.key
    elif carer != guardian:
        entry.ask("guardian.name", f"监护人“{guardian}”与实际照护人“{carer}”不是同一人：确认后按“{carer}”登记照护人。")


BROKEN = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"}


def _says_none(key: str, text: str) -> bool:
    """无 and a dash mean nobody and nothing, but for boarding, where 无 is no, and for remarks, which are free; so does 0 for a phone."""
    if key == "remark" or (key == "boarding" and text in rules.NO_WORDS):
        return False
    return rules.tidy(text) in rules.NONE_WORDS or (key.endswith(".phone") and text == "0")


def _read_cell(entry: Entry, key: str, raw: Any) -> None:
    text = str(raw).upper() if isinstance(raw, bool) else str(raw).strip()
    if len(text) > LONGEST:
        entry.say(key, "error", "本格的文字太长，请缩短。")
        return
    if key != "remark" and ("\n" in text or "\r" in text):  # broken over the lines of its cell
        text = "".join(part.strip() for part in text.splitlines())
    if text in BROKEN:
        entry.say(key, "error", "本格是公式的错误值，请在原表改正。")
    elif not (rules.is_masked(text) or _says_none(key, text)):  # masked as in our own files: nothing is said
        _read_value(entry, key, raw, text)


def _read_origin(entry: Entry, text: str) -> None:
    entry.origin = origin("child", text, OFFLINE_KEYS)
    if entry.origin is None:
        entry.say(ORIGIN, "warning", "隐藏的系统列被改动，本行改按证件号、姓名对人。")


def _read_value(entry: Entry, key: str, raw: Any, text: str) -> None:
    if key == ORIGIN:
        _read_origin(entry, text)
    elif key == "birth_date":
        _read_birth(entry, raw, text)
    elif key == "id_number":
        _read_number(entry, raw)
    elif key.endswith(".phone"):
        _read_checked(entry, key, Parent, "phone", text)
    elif key in ("father.name", "mother.name", "carer.name", "guardian.name", "name"):
        _read_checked(entry, key, Child if key == "name" else Parent, "name", text)
    elif key == "carer.quality":
        _read_choice(entry, key, Carer, "quality", text)
    elif key == "carer.relation":
        _read_choice(entry, key, Carer, "relation", text)
    elif key == "carer.age":
        _read_checked(entry, key, Carer, "age", text.removesuffix("岁"))
    elif key == "grade":
        _read_grade(entry, text)
    elif key in ("sex", "ethnic"):
        _read_choice(entry, key, Child, key, text)
    elif key == "boarding":
        value, complaint = labels.parse(Child, "boarding", text)
        if complaint:
            entry.say(key, "error", complaint)
        elif value is not None:
            entry.values[key] = value
            if text in ("√", "☑", "✔"):
                entry.say(key, "repair", f"“{text}”按“是”读入。")
    elif key == "responsible":
        _read_checked(entry, key, Staff, "name", re.sub(r"(?<=..)(老师|教师)$", "", rules.tidy_name(text)))
    elif key.endswith(".place"):
        _read_checked(entry, key, ParentStatus, "place", text)
    else:
        value = rules.tidy(text)
        complaint = labels.complain(Child, key, value) if key in Child.__mapper__.columns else None
        if complaint:
            entry.say(key, "error", complaint)
        elif value:
            entry.values[key] = value


_CLASS_IN_GRADE = re.compile(
    r"([一二三四五六七八九]|[1-9]|初[一二三]|高[一二三])(?:年级)?[(（]?(\d{1,2}|[一二三四五六七八九十])[)）]?班"
)


def _read_grade(entry: Entry, text: str) -> None:
    """A grade; a class that stands in its column (三(1)班) is taken apart."""
    squeezed = _squeezed(text)
    if (both := _CLASS_IN_GRADE.fullmatch(squeezed)) is None:
        return _read_choice(entry, "grade", Child, "grade", text)
    digits = "一二三四五六七八九"
    grade = f"{digits[int(both[1]) - 1]}年级" if both[1].isdigit() else both[1] if len(both[1]) > 1 else f"{both[1]}年级"
    _read_choice(entry, "grade", Child, "grade", grade)
    if "grade" in entry.values:
        entry.values.setdefault("class_name", squeezed)
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
    tidied = rules.tidy_number(text)
    complaint = rules.id_number(tidied)
    if complaint:
        entry.say("id_number", "error", complaint)
        return
    entry.values["id_number"] = tidied
    if tidied != text.strip():
        entry.say("id_number", "repair", "已去掉多余符号。")


WHOLE_DATE = re.compile(r"([0-9]{4})([-./年])([0-9]{1,2})[-./月]([0-9]{1,2})[日号.]?|([0-9]{4})([0-9]{2})([0-9]{2})")
_YEAR_MONTH = re.compile(r"([0-9]{4})[-./年]([0-9]{1,2})月?")
_MIDNIGHT = re.compile(r"[ T]0?0:00(:00)?$")
"""The clock that exported dates carry."""


def _read_birth(entry: Entry, raw: Any, text: str) -> None:
    text = "".join(_MIDNIGHT.sub("", unicodedata.normalize("NFKC", rules.tidy(text))).split())
    if isinstance(raw, dt.date):
        _keep_birth(entry, raw)
    elif re.fullmatch("[2-5][0-9]{4}", text):
        born = entry.day_zero + dt.timedelta(days=int(text))
        _keep_birth(entry, born, f"{text} 按日期读作 {born}。")
    elif month := _YEAR_MONTH.fullmatch(text):
        tenth = text.endswith(".1")  # 2015.10 typed as a number
        entry.values["birth_month"] = (int(month[1]), {int(month[2]), 10 if tenth else int(month[2])})
    else:
        _read_birth_text(entry, text)


def _read_birth_text(entry: Entry, text: str) -> None:
    whole = WHOLE_DATE.fullmatch(text)
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
        if born is not None and born.year == month[0] and born.month in month[1]:
            v["birth_date"] = born
            entry.say("birth_date", "repair", f"只有年月，按证件号补为 {born}。")
        else:
            entry.say("birth_date", "error", "只有年月，请写明日期。")
    if number and born and "birth_date" in v and born != v["birth_date"]:
        entry.say("birth_date", "error", f"与证件号中的出生日期 {born} 不一致，请核对户口簿。")
    if number and "sex" in v and rules.is_male(number) != (v["sex"].value == "1"):
        entry.say("sex", "error", "与证件号中的性别不一致，请核对户口簿。")
