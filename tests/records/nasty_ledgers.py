"""Ledgers as bad as schools send them, each with what is to become of every row. ``LEDGERS``: file name -> (content, rows).

``rows``: "sheet!row" -> the values that must be read (our keys), or words of the complaint for which the row is refused.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import xlsxwriter
import xlwt
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image as Picture

from admin_app import rules
from admin_app.models import Ethnic, Grade, Sex

Rows = dict[str, dict[str, Any] | str]
HEADER = ["序号", "姓名", "性别", "民族", "出生年月", "身份证号", "年级", "班级", "现住址", "父亲姓名", "父亲务工地", "父亲电话", "监护人姓名", "与儿童关系", "监护人电话"]  # fmt: skip
BORN = dt.date(2015, 10, 3)


def number(n: int, born: dt.date = BORN, male: bool = True) -> str:
    first = f"539999{born:%Y%m%d}{n * 2 + male:03}"
    return first + rules.check_digit(first)


def line(n: int, **changes: Any) -> list[Any]:
    """A boy's row, the n-th of the file."""
    told = {
        "序号": n, "姓名": f"普小{'一二三四五六七八九十'[n - 1]}", "性别": "男", "民族": "彝族", "出生年月": BORN, "身份证号": number(n), "年级": "五年级",
        "班级": "2班", "现住址": "曼竜村3组", "父亲姓名": "普大山", "父亲务工地": "广东东莞", "父亲电话": f"1990000000{n % 10}", "监护人姓名": "普奶奶",
        "与儿童关系": "奶奶", "监护人电话": "0877-7012345",
    } | changes  # fmt: skip
    return [told[title] for title in HEADER]


def book(fill: Callable[[Worksheet], None]) -> bytes:
    made = openpyxl.Workbook()
    made.active.title = "台账"
    fill(made.active)
    return saved(made)


def saved(made: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def table(*rows: list[Any]) -> bytes:
    def fill(sheet: Worksheet) -> None:
        for row in rows:
            sheet.append(row)

    return book(fill)


def repacked(content: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The parts of a workbook changed one by one; None leaves a part out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if (part := change(name, old.read(name))) is not None:
                new.writestr(name, part)
    return buffer.getvalue()


# --- where things stand


def classes_merged_over_their_children() -> tuple[bytes, Rows]:
    def fill(sheet: Worksheet) -> None:
        for row in (
            HEADER,
            line(1, 年级="五年级", 班级="1班"),
            *(line(n, 年级=None, 班级=None) for n in (2, 3)),
            line(4, 班级="2班"),
            line(5, 班级=None),
        ):
            sheet.append(row)
        for block in ("G2:G4", "H2:H4", "H5:H6"):
            sheet.merge_cells(block)

    told = {
        f"台账!{row}": {"class_name": name, "grade": Grade.P5}
        for row, name in zip(range(2, 7), ["1班"] * 3 + ["2班"] * 2, strict=True)
    }
    return book(fill), told


def a_class_merged_on_over_empty_lines() -> tuple[bytes, Rows]:
    def fill(sheet: Worksheet) -> None:
        for row in (HEADER, line(1), line(2, 年级=None, 班级=None), [], []):
            sheet.append(row)
        sheet.merge_cells("G2:G5")
        sheet.merge_cells("H2:H5")

    return book(fill), {"台账!2": {"class_name": "2班"}, "台账!3": {"class_name": "2班", "grade": Grade.P5}}


def a_header_in_row_12() -> tuple[bytes, Rows]:
    return table(*[["填表说明：请如实填写。"]] * 11, HEADER, line(1)), {"台账!13": {"name": "普小一"}}


def a_header_of_three_rows_and_two_columns_of_each_name() -> tuple[bytes, Rows]:
    def fill(sheet: Worksheet) -> None:
        sheet.append(["农村留守儿童台账", *[None] * 11])
        sheet.append(["序号", "学生信息", None, None, None, None, "家庭情况", None, None, None, None, None])
        sheet.append([None, "姓名", "性别", "民族", "出生\n年月", "年级", "父亲", None, None, "母亲", None, None])
        sheet.append([None, None, None, None, None, None, "姓名", "联系电话", "身份证号", "姓名", "联系电话", "身份证号"])
        sheet.append([1, "普小一", "男", "彝", BORN, "五", "普大山", 19900000001, number(400), "李小花", 19900000002, number(401)])
        for block in ("A1:L1", "A2:A4", "B2:F2", "G2:L2", "G3:I3", "J3:L3", *(f"{c}3:{c}4" for c in "BCDEF")):
            sheet.merge_cells(block)

    told = {"name": "普小一", "father.name": "普大山", "father.phone": "19900000001", "mother.name": "李小花", "mother.phone": "19900000002",
            "id_number": None, "ethnic": Ethnic.E07, "grade": Grade.P5}  # fmt: skip
    return book(fill), {"台账!5": told}


def two_tables_in_a_sheet() -> tuple[bytes, Rows]:
    other = ["姓名", "身份证号", "性别", "民族", "出生年月", "班级", "年级"]
    second = ["刀小二", number(2), "男", "傣族", BORN, "6班", "六年级"]
    content = table(["五年级一班"], HEADER, line(1, 与儿童关系="父亲"), ["六年级六班"], other, second, ["合计", 1, 2, 3, 4])
    return content, {"台账!3": {"name": "普小一"}, "台账!6": {"name": "刀小二", "class_name": "6班", "id_number": number(2)}}


def notes_and_totals_between_children() -> tuple[bytes, Rows]:
    rows = [HEADER, [*range(1, 16)], line(1), ["以下为本学期转入"], ["小计", 1, 1, 0, 42280, 12, 5, 2], line(2), ["五年级合计", "2人", "男2", "彝2"],
            [None, "合 计", 2, 2, 42280, 3, 3, 3], ["单位负责人：", None, None, "填表人："], ["注：1.无证件号的填“无”。", None, None, "2.按学期更新"]]  # fmt: skip
    return table(*rows), {"台账!3": {"name": "普小一"}, "台账!6": {"name": "普小二"}}


def hidden_rows_and_columns_and_a_filter() -> tuple[bytes, Rows]:
    def fill(sheet: Worksheet) -> None:
        for row in (HEADER, line(1), line(2), line(3)):
            sheet.append(row)
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["F"].hidden = True
        sheet.auto_filter.ref = "A1:O4"

    return book(fill), {f"台账!{n + 1}": {"name": line(n)[1], "id_number": number(n)} for n in (1, 2, 3)}


# --- what is in a cell


def names_numbers_and_dates_of_all_kinds() -> tuple[bytes, Rows]:
    born = dt.date(2014, 3, 12)
    with_x = next(each for n in range(400) if (each := number(n)).endswith("X"))
    rows: list[tuple[list[Any], dict[str, Any] | str]] = [
        (line(1, 姓名="阿依•买买提"), {"name": "阿依·买买提"}),
        (line(2, 姓名="阿依・买买提"), {"name": "阿依·买买提"}),
        (line(3, 姓名="阿依.买买提"), {"name": "阿依·买买提"}),
        (line(4, 姓名="阿依，买买提"), "姓名只能有文字和间隔号"),
        (line(5, 现住址="漠沙镇曼竜村", 父亲务工地="曼龙"), {"home_address": "漠沙镇曼竜村", "father.place": "曼龙"}),
        (line(6, 身份证号=float(number(6)[:17] + "0")), "科学计数法"),
        (line(7, 身份证号=with_x.lower()), {"id_number": with_x}),
        (line(8, 出生年月="2015"), "看不懂日期"),
        (line(9, 出生年月=2014.3, 身份证号=number(9, born)), {"birth_date": born}),
        (line(10, 出生年月="2015年10月"), {"birth_date": BORN}),
        (line(1, 姓名="刀 小\n明", 身份证号=number(11), 现住址="漠沙镇\n曼竜村"), {"name": "刀小明", "home_address": "漠沙镇曼竜村"}),
        (line(2, 姓名="刀小兰\u00a0\u200b", 身份证号=f"\u200b{number(12)}\u00a0 "), {"name": "刀小兰", "id_number": number(12)}),
        (line(3, 姓名="刀小竹", 身份证号=number(13), 父亲姓名="无", 父亲务工地="—", 父亲电话=0), {"father.name": None, "father.place": None, "father.phone": None}),
        (line(4, 姓名="刀小菊", 身份证号=number(14), 父亲姓名="——", 监护人电话="／", 与儿童关系="/"), {"father.name": None, "carer.phone": None, "carer.relation": None}),
        (line(5, 姓名="刀小梅", 身份证号=number(15), 父亲电话=True), "手机号应为 11 位"),
        (line(6, 姓名="刀小桃", 身份证号=number(16), 年级=0.05), "不在可选范围"),
        (line(7, 姓名="刀小李", 身份证号=number(17), 现住址="#N/A"), "公式的错误值"),
        (line(8, 姓名="普小一", 身份证号=number(1)), {"name": "普小一"}),
    ]  # fmt: skip
    rows[0] = (line(1, 姓名="阿依•买买提"), {"name": "阿依·买买提"})
    return table(HEADER, *(row for row, _told in rows)), {f"台账!{n}": told for n, (_row, told) in enumerate(rows, 2)}


def formulas_and_errors() -> tuple[bytes, Rows]:
    """Values of formulas are used as they were last computed; errors are named; a formula never computed holds nothing."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as made:
        sheet, day = made.add_worksheet("台账"), made.add_format({"num_format": "yyyy-mm-dd"})
        for row, cells in enumerate([HEADER, line(1), line(2), line(3), line(4)]):
            for column, value in enumerate(cells):
                sheet.write(row, column, value, *([day] if isinstance(value, dt.date) else []))
        sheet.write_formula("B2", '="普"&"小一"', None, "普小一")
        sheet.write_formula("E2", "=DATE(2015,10,3)", day, 42280)
        sheet.write_formula("B3", "=VLOOKUP(1,[别的表.xlsx]Sheet1!A:B,2)", None, "#N/A")
        sheet.write_formula("L4", "=Z99", None, "#REF!")
        sheet.write_formula("L5", "=A1", None, "")
    return buffer.getvalue(), {
        "台账!2": {"name": "普小一", "birth_date": BORN},
        "台账!3": "公式的错误值",
        "台账!4": "公式的错误值",
        "台账!5": {"father.phone": None, "name": "普小四"},
    }


def comments_and_a_picture() -> tuple[bytes, Rows]:
    def fill(sheet: Worksheet) -> None:
        for row in (HEADER, line(1)):
            sheet.append(row)
        sheet["B2"].comment = Comment("在家", "班主任")
        picture = io.BytesIO()
        Picture.new("RGB", (20, 20), "red").save(picture, "PNG")
        sheet.add_image(Image(picture), "D2")

    return book(fill), {"台账!2": {"name": "普小一"}}


def duplicates_equal_and_different() -> tuple[bytes, Rows]:
    """What is said of them is said once the file is compared: here all are read."""
    return table(HEADER, line(1), line(1), line(2), line(2, 班级="3班")), {f"台账!{n}": {} for n in range(2, 6)}


# --- how the file was made


def _plain() -> bytes:
    return table(HEADER, line(1), line(2))


_TWO: Rows = {"台账!2": {"name": "普小一", "sex": Sex.MALE}, "台账!3": {"name": "普小二"}}


def strings_in_their_cells_and_no_dimension() -> tuple[bytes, Rows]:
    """As some WPS and web exports write: no sharedStrings, no <dimension>, paths from the root."""

    def change(name: str, part: bytes) -> bytes:
        if name.endswith("sheet1.xml"):
            assert b"inlineStr" in part
            return re.sub(rb"<dimension[^>]*>", b"", part)
        if name.endswith("workbook.xml.rels"):
            return re.sub(rb'Target="/?(?:xl/)?worksheets', b'Target="/xl/worksheets', part)
        return part

    return repacked(_plain(), change), _TWO


def cells_without_addresses() -> tuple[bytes, Rows]:
    return repacked(_plain(), lambda name, part: re.sub(rb'(<(?:c|row)) r="\w+"', rb"\1", part) if "sheet1" in name else part), _TWO


def strict_ooxml() -> tuple[bytes, Rows]:
    spaces = {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": b"http://purl.oclc.org/ooxml/officeDocument/relationships",
    }

    def change(_name: str, part: bytes) -> bytes:
        for old, new in spaces.items():
            part = part.replace(old, new)
        return part

    return repacked(_plain(), change), _TWO


def with_macros() -> tuple[bytes, Rows]:
    """Macros are no reason to refuse a ledger: nothing here runs them."""
    content = io.BytesIO(_plain())
    with zipfile.ZipFile(content, "a") as parts:
        parts.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + bytes(500))
    return content.getvalue(), _TWO


def an_old_workbook() -> tuple[bytes, Rows]:
    made = xlwt.Workbook()
    sheet = made.add_sheet("台账")
    for row, cells in enumerate([HEADER, line(1, 出生年月="2015.10.3"), line(2, 身份证号=float(number(2)[:17] + "0"))]):
        for column, value in enumerate(cells):
            sheet.write(
                row,
                column,
                value,
                xlwt.easyxf(num_format_str="yyyy-mm-dd") if isinstance(value, dt.date) else xlwt.Style.default_style,
            )
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue(), {"台账!2": {"name": "普小一", "birth_date": BORN}, "台账!3": "科学计数法"}


def excels_unicode_text() -> tuple[bytes, Rows]:
    rows = [HEADER, line(1, 出生年月="2015/10/3", 姓名="刀䶮"), line(2, 出生年月="2015/10/3")]
    text = "\r\n".join("\t".join(map(str, row)) for row in rows)
    return text.encode("utf-16"), {"CSV!2": {"name": "刀䶮", "birth_date": BORN}, "CSV!3": {"name": "普小二"}}


def a_csv_with_nuls() -> tuple[bytes, Rows]:
    rows = [HEADER, line(1, 姓名="普\0小一"), line(2)]
    return "\n".join(",".join(map(str, row)) for row in rows).encode(), {"CSV!2": {"name": "普小一"}, "CSV!3": {"name": "普小二"}}


LEDGERS: dict[str, tuple[bytes, Rows]] = {
    f"{make.__name__}.{ending}": make()
    for ending, makers in {
        "xlsx": (classes_merged_over_their_children, a_class_merged_on_over_empty_lines, a_header_in_row_12, two_tables_in_a_sheet,
                 a_header_of_three_rows_and_two_columns_of_each_name, notes_and_totals_between_children, hidden_rows_and_columns_and_a_filter,
                 names_numbers_and_dates_of_all_kinds, formulas_and_errors, comments_and_a_picture, duplicates_equal_and_different,
                 strings_in_their_cells_and_no_dimension, cells_without_addresses, strict_ooxml, with_macros),
        "xls": (an_old_workbook,),
        "txt": (excels_unicode_text,),
        "csv": (a_csv_with_nuls,),
    }.items()
    for make in makers
}  # fmt: skip
