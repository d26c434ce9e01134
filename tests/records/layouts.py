"""The same children in the many layouts of schools' ledgers: a random one each time, to be read back as what they were.

``ledger_of`` takes children as the reader should give them (our keys) and returns a file; all chance comes from ``chance``.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import openpyxl
import xlsxwriter
import xlwt

from admin_app import rules
from admin_app.models import CareQuality, Ethnic, Grade, Kinship, Sex
from admin_app.records import ledger

Child = dict[str, Any]
Merge = tuple[int, int, int, int]

# --- children


def children(chance: random.Random, count: int) -> list[Child]:
    return [_child(chance, n) for n in range(count)]


def _child(chance: random.Random, order: int) -> Child:
    born = dt.date(2010, 1, 1) + dt.timedelta(days=chance.randrange(4000))
    sex = chance.choice(list(Sex))
    first = f"539999{born:%Y%m%d}{order * 2 + (sex is Sex.MALE):03}"
    grade = chance.choice([Grade.P1, Grade.P3, Grade.P6, Grade.M1])
    name = chance.choice(["阿依·买买提", "普小龙", "刀玉香", "白云", "欧阳春晓"])
    child = {
        "name": name, "sex": sex, "ethnic": chance.choice([Ethnic.E01, Ethnic.E07, Ethnic.E03]), "birth_date": born,
        "id_number": first + rules.check_digit(first), "grade": grade, "class_name": chance.choice(["1班", "(2)班", f"{grade.label[0]}(2)班"]),
        "hukou_place": "漠沙镇曼竜村", "home_address": f"曼竜村{order + 1}组", "boarding": chance.choice([True, False]), "kind": "双亲外出",
        "father.name": "普大山", "father.place": chance.choice(["广东东莞", "在家", "去世"]), "father.phone": f"1990000{order:04}",
        "mother.name": "李·阿妹", "mother.place": "昆明市", "mother.phone": "0877-7012345",
        "carer.name": "普奶奶", "carer.relation": chance.choice([Kinship.GRANDMOTHER, Kinship.FATHER, Kinship.GRANDFATHER_M]),
        "carer.age": chance.randrange(40, 80), "carer.phone": f"1991111{order:04}", "carer.quality": chance.choice(list(CareQuality)), "responsible": "李文芳", "remark": "低保户，需随访",
    }  # fmt: skip
    needed = (*ledger.REQUIRED, "ethnic")
    return {key: value for key, value in child.items() if key in needed or chance.random() < 0.85}


# --- how a value is written

FULL_WIDTH = {ord(c): ord(c) + 0xFEE0 for c in "0123456789X"}
Manner = Callable[[Any], Any]


def _spaced(text: str) -> str:
    return text[0] + "\u3000" + text[1:]


def _trailing(text: str) -> str:
    return f"{text}\u00a0\u200b "


def _full_width(text: Any) -> str:
    return str(text).translate(FULL_WIDTH)


PHONES: list[Manner] = [str, _full_width, _trailing, lambda v: int(v) if v.isdigit() and v[0] == "1" else v,
                        lambda v: f"{v[:3]}-{v[3:7]}-{v[7:]}" if v[0] == "1" else v, lambda v: f"{v[:4]} {v[4:]}"]  # fmt: skip
NAMES: list[Manner] = [
    str,
    _spaced,
    _trailing,
    lambda v: v.replace("·", "•"),
    lambda v: v.replace("·", "・"),
    lambda v: v.replace("·", "."),
]
PLAIN: list[Manner] = [str, str, _trailing]
MANNERS: dict[str, list[Manner]] = {
    "name": NAMES,
    "sex": [str, _trailing],
    "ethnic": [str, lambda v: v.label.removesuffix("族"), _trailing],
    "birth_date": [
        lambda v: v, lambda v: v, str, lambda v: f"{v.year}.{v.month}.{v.day}", lambda v: f"{v.year}年{v.month}月{v.day}日", lambda v: f"{v:%Y%m%d}",
        lambda v: f"{v.year}/{v.month}/{v.day}", lambda v: f"{v:%Y}．{v.month}．{v.day}", lambda v: f"{v} 00:00:00", lambda v: _full_width(f"{v:%Y}年{v.month}月{v.day}日"),
    ],
    "id_number": [str, lambda v: "'" + v, lambda v: "’’" + v, _full_width, _trailing, str.lower, lambda v: f"{v[:6]} {v[6:14]} {v[14:]}"],
    "grade": [str, lambda v: v.aliases[0], _spaced],
    "boarding": [lambda v: "是" if v else "否", lambda v: "√" if v else "×", lambda v: v, int, lambda v: "住校" if v else "走读"],
    "father.name": NAMES,
    "mother.name": NAMES,
    "carer.name": NAMES,
    "father.phone": PHONES,
    "mother.phone": PHONES,
    "carer.phone": PHONES,
    "carer.relation": [str, lambda v: v.aliases[0], _trailing],
    "carer.quality": [str],
    "carer.age": [int, str, _full_width, lambda v: f"{v}岁"],
    "responsible": [str, lambda v: f"{v}老师", _spaced],
    "home_address": [*PLAIN, lambda v: v[:3] + "\n" + v[3:]],
    "remark": [str],
}  # fmt: skip
NOTHING = [None, None, "", " ", "无", "/", "—", "——"]
NOT_SAID = {*ledger.REQUIRED, "ethnic", "boarding", "remark"}
"""Where 无 is something else than nothing."""


def _cells_of(child: Child, keys: list[str], chance: random.Random, day_zero: dt.date) -> dict[str, Any]:
    cells = {}
    for key in keys:
        if key not in child:
            cells[key] = (
                None if key in NOT_SAID else "0" if key.endswith(".phone") and chance.random() < 0.1 else chance.choice(NOTHING)
            )
        else:
            cells[key] = chance.choice(MANNERS.get(key, PLAIN))(child[key])
    born, number = child["birth_date"], "id_number" in child and "id_number" in keys
    if chance.random() < 0.15:
        cells["birth_date"] = (born - day_zero).days
    elif number and chance.random() < 0.15:
        cells["birth_date"] = chance.choice(
            [f"{born.year}.{born.month}", f"{born.year}年{born.month:02}月", float(f"{born.year}.{born.month:02}")]
        )
    class_name = child.get("class_name", "")
    if class_name[:1] == child["grade"].label[:1] and "class_name" in keys and chance.random() < 0.5:
        cells["grade"], cells["class_name"] = class_name, None
    return cells


# --- a sheet


@dataclass
class Sheet:
    """Rows of cells as they will be written; ``where``: the row of each child."""

    name: str
    hidden: bool = False
    rows: list[list[Any]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    where: list[int] = field(default_factory=list)

    def merge(self, top: int, left: int, bottom: int, right: int) -> None:
        if (top, left) != (bottom, right):
            self.merges.append((top, left, bottom, right))


IN_GROUP = {
    "name": ["姓名"],
    "place": ["务工地", "务工地点", "去向"],
    "phone": ["电话", "联系电话", "手机号"],
    "relation": ["与儿童关系", "关系"],
    "age": ["年龄"],
    "quality": ["监护情况", "监护情况评估"],
}
GROUPS = {"father": ["父亲", "父亲情况", "父"], "mother": ["母亲", "母亲基本信息"], "carer": ["监护人", "监护人（委托监护人）", "实际照护人", "照护人情况"]}  # fmt: skip
UNKNOWN = {"序号": lambda n: n + 1, "兴趣爱好": lambda _n: "画画", "家庭人口": lambda _n: 5, "是否低保": lambda _n: "√"}
OF_FATHER = "父亲证件"
"""A column that is the father's own: below the group it is called as the child's is."""
TITLES = {column.key: (column.title, *column.aliases) for column in ledger.COLUMNS if column.key != "guardian.name"}


def _columns(chance: random.Random) -> list[str]:
    """Keys, and words of columns that are none of ours, in any order, but each person's beside each other."""
    own = [key for key in TITLES if "." not in key and key != "school"]
    optional = [key for key in own if key not in (*ledger.REQUIRED, "ethnic") and chance.random() < 0.2]
    blocks = [[key] for key in own if key not in optional] + [[words] for words in UNKNOWN if chance.random() < 0.4]
    for person in GROUPS:
        keys = [key for key in TITLES if key.startswith(f"{person}.")]
        chance.shuffle(keys)
        blocks.append(
            [key for key in keys if chance.random() < 0.9] + ([OF_FATHER] if person == "father" and chance.random() < 0.3 else [])
        )
    chance.shuffle(blocks)
    return [key for block in blocks for key in block]


def _write_table(sheet: Sheet, some: list[Child], chance: random.Random, merging: bool, day_zero: dt.date) -> list[Child]:
    """A header and its children. Returns them as far as the columns hold them."""
    columns = _columns(chance)
    _write_header(sheet, columns, chance, merging)
    if chance.random() < 0.2:
        sheet.rows.append(list(range(1, len(columns) + 1)))
    first = len(sheet.rows)
    for number, child in enumerate(some):
        cells = _cells_of(child, columns, chance, day_zero)
        sheet.where.append(len(sheet.rows) + 1)
        sheet.rows.append([_other(key, number) if key in UNKNOWN or key == OF_FATHER else cells[key] for key in columns])
        if chance.random() < 0.2 and not merging:
            sheet.rows.append(chance.choice([[], [None, " "], ["本页小计", number + 1, 3], ["以下为本学期转入"]]))
    if merging and "class_name" in columns and chance.random() < 0.5:
        _merge_down(sheet, columns.index("class_name"), first)
    return [{key: value for key, value in child.items() if key in columns} for child in some]


def _other(key: str, number: int) -> Any:
    return "53999919800101001X" if key == OF_FATHER else UNKNOWN[key](number)


def _merge_down(sheet: Sheet, column: int, first: int) -> None:
    """One cell for neighbours that say the same, as the names of classes."""
    top = first
    for row in range(first + 1, len(sheet.rows) + 1):
        if row == len(sheet.rows) or sheet.rows[row][column] != sheet.rows[top][column] or sheet.rows[row][column] is None:
            for below in range(top + 1, row):
                sheet.rows[below][column] = None
            sheet.merge(top, column, row - 1, column)
            top = row


def _write_header(sheet: Sheet, columns: list[str], chance: random.Random, merging: bool) -> None:
    """One row with full names; or two with groups above; or three with 家庭情况 above the groups."""
    depth = chance.choice([1, 2, 3]) if merging else chance.choice([1, 2])
    at = len(sheet.rows)
    sheet.rows += [[None] * len(columns) for _ in range(depth)]
    if depth == 1:
        sheet.rows[at] = [
            OF_FATHER if key == OF_FATHER else _broken(chance.choice(TITLES.get(key, (key,))), chance) for key in columns
        ]
        return
    left = 0
    while left < len(columns):
        person = "father" if columns[left] == OF_FATHER else columns[left].partition(".")[0]
        right = left
        while (
            person in GROUPS
            and right + 1 < len(columns)
            and (columns[right + 1].startswith(f"{person}.") or columns[right + 1] == OF_FATHER)
        ):
            right += 1
        if person in GROUPS:
            sheet.rows[at + depth - 2][left] = chance.choice(GROUPS[person])
            sheet.merge(at + depth - 2, left, at + depth - 2, right)
            for column in range(left, right + 1):
                inner = columns[column].partition(".")[2]
                sheet.rows[at + depth - 1][column] = "身份证号" if columns[column] == OF_FATHER else chance.choice(IN_GROUP[inner])
            if depth == 3:
                sheet.rows[at][left] = "家庭情况"
                sheet.merge(at, left, at, right)
        else:
            sheet.rows[at][left] = _broken(chance.choice(TITLES.get(columns[left], (columns[left],))), chance)
            sheet.merge(at, left, at + depth - 1, left)
        left = right + 1


def _broken(words: str, chance: random.Random) -> str:
    """A title as it is squeezed into a narrow column."""
    middle = len(words) // 2
    return words[:middle] + chance.choice(["", "", "\n", " "]) + words[middle:]


def _sheet_of(some: list[Child], name: str, chance: random.Random, merging: bool, day_zero: dt.date) -> tuple[Sheet, list[Child]]:
    sheet, read = Sheet(name), []
    for words in (["晨光小学农村留守儿童台账"], ["填报单位（盖章）：", None, None, "填报时间：2026年9月20日"], []):
        if chance.random() < 0.6:
            sheet.rows.append(words)
            if merging and len(words) == 1:
                sheet.merge(len(sheet.rows) - 1, 0, len(sheet.rows) - 1, 9)
    cut = chance.randrange(1, len(some)) if len(some) > 1 and chance.random() < 0.3 else len(some)
    for table in filter(None, (some[:cut], some[cut:])):
        read += _write_table(sheet, table, chance, merging, day_zero)
        if chance.random() < 0.6:
            sheet.rows += [[], [chance.choice(["合计", "总 计", "小计", "一年级合计"]), len(table), 12, 7]]
    if chance.random() < 0.7:
        sheet.rows += [["单位负责人（签名）：", None, None, "复核人：", None, "填表人："], ["注：1.没有身份证号的填“无”。"]]
    return sheet, read


# --- a file


def _xlsxwriter(sheets: list[Sheet], mac: bool) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"date_1904": mac, "strings_to_numbers": False, "strings_to_formulas": False}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for each in sheets:
            sheet = book.add_worksheet(each.name)
            if each.hidden:
                sheet.hide()
            for top, left, bottom, right in each.merges:
                sheet.merge_range(top, left, bottom, right, "")
            for row, cells in enumerate(each.rows):
                for column, value in enumerate(cells):
                    if isinstance(value, dt.date):
                        sheet.write_datetime(row, column, dt.datetime(value.year, value.month, value.day), day)
                    elif value is not None:
                        sheet.write(row, column, value)
    return buffer.getvalue()


def _openpyxl(sheets: list[Sheet], mac: bool) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.epoch = dt.datetime(1904, 1, 1) if mac else dt.datetime(1899, 12, 30)
    for each in sheets:
        sheet = book.create_sheet(each.name)
        sheet.sheet_state = "hidden" if each.hidden else "visible"
        for row in each.rows:
            sheet.append(row)
        for top, left, bottom, right in each.merges:
            sheet.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _xlwt(sheets: list[Sheet], mac: bool) -> bytes:
    book = xlwt.Workbook()
    book.dates_1904 = mac
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for each in sheets:
        sheet = book.add_sheet(each.name)
        sheet.visibility = int(each.hidden)
        covered = {(top, left): (bottom, right) for top, left, bottom, right in each.merges}
        for row, cells in enumerate(each.rows):
            for column, value in enumerate(cells):
                style = (day,) if isinstance(value, dt.date) else ()
                if (row, column) in covered:
                    bottom, right = covered[row, column]
                    sheet.write_merge(row, bottom, column, right, value, *style)
                elif value is not None:
                    sheet.write(row, column, value, *style)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _csv(sheets: list[Sheet], encoding: str, mark: str = ",") -> bytes:
    text = io.StringIO()
    rows = [[str(value).upper() if isinstance(value, bool) else value for value in row] for row in sheets[0].rows]
    csv.writer(text, delimiter=mark).writerows(rows)
    return text.getvalue().encode(encoding)


@dataclass
class Ledger:
    """A file, and what is to be read from it: (sheet, row) and values of each child."""

    content: bytes
    file_name: str
    expected: list[tuple[str, int, Child]]


WORKBOOKS = {"a.xlsx": _xlsxwriter, "b.xlsx": _openpyxl, "c.xls": _xlwt}
TEXTS = {"utf-8": ",", "utf-8-sig": ",", "gb18030": ",", "utf-16": "\t"}


def ledger_of(some: list[Child], chance: random.Random) -> Ledger:
    """These children in a random layout and kind of file."""
    kind = chance.choice([*WORKBOOKS, *TEXTS])
    merging, mac = kind in WORKBOOKS, kind in WORKBOOKS and chance.random() < 0.2
    day_zero = dt.date(1904, 1, 1) if mac else dt.date(1899, 12, 30)
    cut = chance.randrange(1, len(some)) if merging and len(some) > 1 and chance.random() < 0.4 else len(some)
    sheets, expected = [], []
    for name, part in (("CSV" if not merging else "一年级", some[:cut]), ("二年级", some[cut:])):
        if part:
            sheet, read = _sheet_of(part, name, chance, merging, day_zero)
            sheets.append(sheet)
            expected += [(name, row, child) for row, child in zip(sheet.where, read, strict=True)]
    if not merging:
        return Ledger(_csv(sheets, kind, TEXTS[kind]), chance.choice(["台账.csv", "台账.txt"]), expected)
    if chance.random() < 0.4:
        sheets.append(Sheet("封面", rows=[["晨光小学台账"], ["2026年9月"]]))
        old, _read = _sheet_of(children(chance, 1), "旧台账", chance, merging, day_zero)
        old.hidden = True
        sheets.append(old)
    return Ledger(WORKBOOKS[kind](sheets, mac), kind, expected)
