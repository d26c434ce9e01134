"""Files as schools send them: read as they were meant, or refused in Chinese; never another exception."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import example, given, settings, strategies as st

from admin_app.sheets import checks, reader
from admin_app.sheets.reader import Grid, Unreadable

pytestmark = pytest.mark.matrix

calm = settings(max_examples=50, deadline=None)

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NUMBER = "539999201510034432"


def workbook(*rows: list[Any], name: str = "台账") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def written(write: Callable[[Any], None]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        write(book.add_worksheet("台账"))
    return buffer.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refusal(content: bytes, name: str = "台账.xlsx") -> str:
    with pytest.raises(Unreadable) as caught:
        reader.read(content, name)
    words = str(caught.value)
    assert re.search("[\u4e00-\u9fff]", words)
    assert words.endswith("。")
    return words


SMALL = workbook(["姓名", "性别", "年级"], ["甲小雨", "男", 3], ["丁不漏", "女", 4.5])


# --- what is in a cell


def test_cells_keep_their_kind():
    rows = reader.read(workbook(["甲小雨", dt.date(2015, 10, 3), 58, 3.5, True, None, NUMBER]), "台账.xlsx")[0].rows
    assert rows == [["甲小雨", dt.date(2015, 10, 3), 58, 3.5, True, None, NUMBER]]
    assert [type(v) for v in rows[0]] == [str, dt.date, int, float, bool, type(None), str]


def test_a_date_with_a_clock_is_read_as_its_day():
    assert reader.read(workbook([dt.datetime(2015, 10, 3, 23, 59)]), "a.xlsx")[0].rows == [[dt.date(2015, 10, 3)]]


def test_a_date_without_a_date_format_stays_a_serial_number():
    assert reader.read(written(lambda sheet: sheet.write_number(0, 0, 42280)), "a.xlsx")[0].rows == [[42280]]


def test_a_chinese_date_format_is_a_date():
    book = openpyxl.Workbook()
    book.active["A1"] = dt.date(2015, 10, 3)
    book.active["A1"].number_format = 'yyyy"年"m"月"d"日"'
    assert reader.read(saved(book), "a.xlsx")[0].rows == [[dt.date(2015, 10, 3)]]


def test_a_whole_number_loses_its_point_and_an_id_number_stored_as_a_number_stays_a_float():
    (row,) = reader.read(workbook([3.0, 13900004467, 539999201510034432, -2.0]), "a.xlsx")[0].rows
    assert row[:2] == [3, 13900004467]
    assert isinstance(row[2], float)
    assert row[3] == -2


def test_text_that_looks_like_a_number_stays_text():
    def write(sheet: Any) -> None:
        for column, text in enumerate(["0877", NUMBER, "1e5", "2015-10-03", "=1+1"]):
            sheet.write_string(0, column, text)

    assert reader.read(written(write), "a.xlsx")[0].rows == [["0877", NUMBER, "1e5", "2015-10-03", "=1+1"]]


def test_blank_cells_are_none():
    assert reader.read(workbook(["甲", " ", "\u3000", "\n", "尾"]), "a.xlsx")[0].rows == [["甲", None, None, None, "尾"]]


def test_a_formula_is_read_as_the_value_it_last_had():
    assert reader.read(written(lambda sheet: sheet.write_formula(0, 0, "=1+1", None, 2)), "a.xlsx")[0].rows == [[2]]


def test_rows_and_columns_count_from_the_corner_of_the_sheet():
    (grid,) = reader.read(written(lambda sheet: sheet.write_string(2, 3, "姓名")), "a.xlsx")
    assert grid.cell(3, 3) == "姓名"
    assert grid.cell(1, 0) is None
    assert len(grid.rows) == 3


def test_outside_the_sheet_there_is_nothing():
    grid = Grid("表", [["甲"]])
    assert grid.cell(1, 0) == "甲"
    assert [grid.cell(0, 0), grid.cell(2, 0), grid.cell(1, 1), grid.cell(-1, 0)] == [None] * 4


def test_empty_sheets_are_left_out_and_empty_rows_at_the_end_too():
    book = openpyxl.Workbook()
    book.active.title = "空"
    full = book.create_sheet("一年级")
    full.append(["姓名"])
    full["A9"] = " "
    grids = reader.read(saved(book), "a.xlsx")
    assert [(grid.name, grid.rows) for grid in grids] == [("一年级", [["姓名"]])]


def test_columns_beyond_the_limit_are_left_out():
    (grid,) = reader.read(workbook([f"列{i}" for i in range(230)]), "a.xlsx")
    assert len(grid.rows[0]) == reader.MAX_COLUMNS


def test_the_kind_of_file_is_told_from_its_content_not_its_name():
    assert reader.read(SMALL, "台账.xls")[0].rows[1] == ["甲小雨", "男", 3]
    assert reader.read(SMALL, "台账")[0].name == "台账"


@pytest.mark.parametrize(
    ("row", "column", "name"),
    [(1, 0, "A1"), (3, 25, "Z3"), (3, 26, "AA3"), (10, 51, "AZ10"), (10, 52, "BA10"), (1, 701, "ZZ1"), (1, 702, "AAA1")],
)
def test_a_cell_is_called_as_in_excel(row, column, name):
    assert reader.address(row, column) == name


# --- csv


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "gbk"])
def test_a_chinese_csv_is_read_in_the_encodings_excel_and_wps_write(encoding):
    text = f'姓名,性别,证件号\r\n施怡,女,{NUMBER}\r\n"刀,云",男,\r\n'
    (grid,) = reader.read(text.encode(encoding), "台账.CSV")
    assert grid.rows == [["姓名", "性别", "证件号"], ["施怡", "女", NUMBER], ["刀,云", "男", None]]


def test_a_rare_character_survives_gb18030():
    (grid,) = reader.read("姓名\n𠮷䶮\n".encode("gb18030"), "a.csv")
    assert grid.rows[1] == ["𠮷䶮"]


def test_a_line_break_in_quotes_stays_in_its_cell():
    (grid,) = reader.read('姓名,住址\r\n施怡,"和平村\r\n3组"\r\n'.encode(), "a.csv")
    assert grid.rows[1] == ["施怡", "和平村\r\n3组"]


def test_a_csv_in_no_chinese_encoding_is_refused():
    assert "编码" in refusal(b"\xff\xff\xff,\xff\xff", "a.csv")


def test_a_csv_cell_beyond_all_measure_is_refused():
    assert "格式不对" in refusal(b'"' + b"a" * 200_000 + b'"', "a.csv")


def test_a_csv_with_too_many_rows_is_refused():
    assert str(checks.MAX_ROWS) in refusal("甲,1\n".encode() * (checks.MAX_ROWS + 1), "a.csv")
    assert len(reader.read("甲,1\n".encode() * checks.MAX_ROWS, "a.csv")[0].rows) == checks.MAX_ROWS


# --- what is refused


def test_an_empty_file_is_refused():
    assert refusal(b"") == "文件是空的，请重新选择。"
    assert refusal(b"", "a.csv") == "文件是空的，请重新选择。"


def test_a_workbook_with_nothing_in_it_is_refused():
    assert "没有内容" in refusal(saved(openpyxl.Workbook()))


@pytest.mark.parametrize(
    "content", ["姓名,性别\n施怡,女\n".encode(), b"%PDF-1.7", b"<html><table>", b"\x89PNG\r\n\x1a\n", b"PK", b" "]
)
def test_a_text_or_picture_renamed_xlsx_is_refused(content):
    assert "这不是 Excel 或 WPS 表格" in refusal(content)


def test_a_file_beyond_ten_megabytes_is_refused_unread():
    assert "10 MB" in refusal(ZIP + bytes(checks.MAX_BYTES))
    assert "10 MB" in refusal(b"a" * (checks.MAX_BYTES + 1), "a.csv")


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A real workbook with one member of 300 MB of blanks, some 300 KB packed."""
    buffer = io.BytesIO(SMALL)
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/media/bombing.xml", "w") as member,
    ):
        blanks = bytes(4 << 20)
        for _ in range(75):
            member.write(blanks)
    return buffer.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(bomb):
    assert len(bomb) < 2 << 20
    assert "展开后过大" in refusal(bomb)


def test_a_bomb_that_lies_about_its_size_does_no_harm(bomb):
    """Its strings unpack to 300 MB and it says 1,000 bytes."""
    size = (300 << 20).to_bytes(4, "little")
    lying = bomb.replace(size, (1000).to_bytes(4, "little")).replace(b"xl/sharedStrings.xml", b"xl/otherStrings.xml.")
    assert lying != bomb
    refusal_or_rows(lying.replace(b"xl/media/bombing.xml", b"xl/sharedStrings.xml"))


def test_an_archive_of_thousands_of_parts_is_refused():
    assert "展开后过大" in refusal(packed({f"xl/{i}.xml": b"" for i in range(checks.MAX_PARTS + 1)}))


@pytest.mark.parametrize("part", [5, 50, 95, 99])
def test_a_truncated_workbook_is_refused(part):
    assert "损坏" in refusal(SMALL[: len(SMALL) * part // 100])


def test_a_zip_that_is_no_workbook_is_refused():
    assert "打不开" in refusal(packed({"说明.txt": "你好".encode()}))


@pytest.mark.parametrize(
    "name", ["[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"]
)
def test_a_workbook_with_a_broken_part_is_refused_or_read_around(name):
    parts = members(SMALL)
    refusal_or_rows(packed(parts | {name: b"<broken"}))
    del parts[name]
    refusal_or_rows(packed(parts))


def test_an_old_workbook_that_is_only_a_header_is_refused():
    assert "打不开" in refusal(OLE + bytes(600), "台账.xls")


def test_too_many_rows_are_refused():
    words = refusal(written(lambda sheet: sheet.write_number(checks.MAX_ROWS, 0, 1)))
    assert str(checks.MAX_ROWS) in words
    assert f"第 {checks.MAX_ROWS + 1} 行" in words


# --- anything at all


def refusal_or_rows(content: bytes, name: str = "a.xlsx") -> None:
    try:
        grids = reader.read(content, name)
    except Unreadable as e:
        assert str(e).endswith("。")
    else:
        assert all(isinstance(grid, Grid) for grid in grids)


@calm
@given(
    st.binary(max_size=300), st.sampled_from(["a.xlsx", "a.xls", "a.csv", ""]), st.sampled_from([b"", ZIP, OLE, b"\xef\xbb\xbf"])
)
@example(b"\x00", "a.csv", b"")
@example(b'"', "a.csv", b"")
@example(b"a\rb", "a.csv", b"")
def test_random_bytes_are_read_or_refused(content, name, start):
    refusal_or_rows(start + content, name)


@calm
@given(st.text(max_size=200), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_random_text_is_a_csv_or_refused(text, encoding):
    refusal_or_rows(text.encode(encoding, "ignore"), "a.csv")


@pytest.mark.parametrize("seed", range(5))
def test_a_workbook_with_damaged_parts_is_read_or_refused(seed):
    chance, parts = random.Random(seed), members(SMALL)
    for _ in range(40):
        name = chance.choice(list(parts))
        damaged = bytearray(parts[name])
        for _ in range(chance.choice([1, 2, 5])):
            damaged[chance.randrange(len(damaged))] = chance.choice(b'0123456789<>/="ABZx \x00\xff')
        refusal_or_rows(packed(parts | {name: bytes(damaged)}))


@pytest.mark.parametrize("seed", range(5))
def test_a_workbook_with_bytes_damaged_on_the_way_is_read_or_refused(seed):
    """The directory at the end of the file is damaged in the tests below."""
    chance = random.Random(seed)
    for _ in range(40):
        damaged = bytearray(SMALL)
        for _ in range(chance.choice([1, 2, 10])):
            damaged[chance.randrange(damaged.find(b"PK\x01\x02"))] ^= chance.randrange(1, 256)
        refusal_or_rows(bytes(damaged))


def test_a_zip_of_a_later_version_is_refused():
    damaged = bytearray(SMALL)
    damaged[damaged.find(b"PK\x01\x02") + 6] = 99
    refusal(bytes(damaged))


def test_a_zip_with_an_undecodable_member_name_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("表.xml", b"")
    refusal(buffer.getvalue().replace("表".encode(), b"\xff\xff\xff"))


def test_one_cell_in_the_last_corner_does_not_end_the_process():
    """In a process of its own with 4 GB: a file of 5 KB, refused or read."""
    resource = pytest.importorskip("resource")
    content = written(lambda sheet: [sheet.write(0, 0, "姓名"), sheet.write(1_048_575, 16_383, "x")])
    program = (
        "import sys\nfrom admin_app.sheets import reader\n"
        "try:\n    reader.read(sys.stdin.buffer.read(), 'a.xlsx')\nexcept reader.Unreadable:\n    pass\nprint('alive')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=content, capture_output=True, check=False,
        preexec_fn=lambda: (resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)), resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))[0],
    )  # fmt: skip
    assert done.stdout.strip() == b"alive"
