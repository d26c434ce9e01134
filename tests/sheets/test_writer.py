"""Workbooks we hand out, read back with openpyxl: text is text, nothing is a formula, every file says who took it."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings, strategies as st

from admin_app.sheets import reader, writer

calm = settings(max_examples=30, deadline=None)

RECEIPT = {"导出人": "股员乙", "时间": "2026-09-20 08:00", "范围": "全部"}
HEADERS = ["姓名", "证件号"]


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def back(*values, receipt=None) -> list[openpyxl.cell.Cell]:
    """The values written in one row, as cells read back."""
    sheet = opened(writer.table("名册", [f"列{i}" for i in range(len(values))], [values], receipt or RECEIPT)).worksheets[0]
    return list(sheet[2])


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "=HYPERLINK(\"http://x.cn\",\"点我\")", "{=1+1}", "+86", "-1", "@x", "@SUM(A1)", "<script>alert(1)</script>", "&lt;", "\"引号\"",
        "http://x.cn", "mailto:a@x.cn", "internal:A1", "539999201510034432", "53999920170512645X", "0877", "1e5", "1.0", "2015-10-03",
        "TRUE", "#REF!", "无", "第一行\n第二行", "𠮷䶮", "👧",
    ],
)  # fmt: skip
def test_a_text_cell_stays_the_text_it_was(text):
    (cell,) = back(text)
    assert (cell.value, cell.data_type) == (text, "s")
    assert cell.hyperlink is None


@pytest.mark.matrix
@calm
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1),
        min_size=1,
        max_size=8,
    )
)
def test_no_text_becomes_a_formula_or_another_text(texts):
    texts = ["=" + texts[0], "x" + texts[0], *[t for t in texts if not t.startswith("<r>")]]
    cells = back(*texts)
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value.replace("_x005F_", "_") for cell in cells] == [t.replace("_x005F_", "_") for t in texts]


@pytest.mark.parametrize("text", ["<r>备注</r>", "<r>1 < 2 & 3</r>"])
def test_a_text_in_the_dress_of_rich_text_stays_text(text):
    (cell,) = back(text)
    assert cell.value == text


def test_dates_are_dates_and_whole_numbers_are_numbers():
    born, moment, age, none = back(dt.date(2015, 10, 3), dt.datetime(2026, 9, 20, 8, 30), 58, 0)
    assert (born.value, born.data_type, born.is_date, born.number_format) == (dt.datetime(2015, 10, 3), "d", True, "yyyy-mm-dd")
    assert moment.value == dt.datetime(2026, 9, 20)
    assert (age.value, age.data_type) == (58, "n")
    assert (none.value, none.data_type) == (0, "n")


def test_29_february_comes_back_as_29_february():
    assert back(dt.date(2012, 2, 29))[0].value == dt.datetime(2012, 2, 29)


def test_nothing_is_an_empty_cell():
    assert [cell.value for cell in back(None, "", "尾")] == [None, None, "尾"]


def test_a_decimal_is_printed_as_it_stands():
    (cell,) = back(Decimal("83.97"))
    assert (cell.value, cell.data_type) == ("83.97", "s")


def test_zero_points_are_not_an_empty_cell():
    assert back(Decimal("0.00"))[0].value == "0.00"


def test_a_text_longer_than_a_cell_is_cut():
    assert len(back("长" * 40_000)[0].value) == 32_767


def test_the_headers_stand_in_the_first_row_and_are_texts_too():
    sheet = opened(writer.table("名册", ["=1+1", "姓名"], [], RECEIPT)).worksheets[0]
    assert [(cell.value, cell.data_type) for cell in sheet[1]] == [("=1+1", "s"), ("姓名", "s")]


def test_rows_keep_their_order_and_may_be_a_generator():
    content = writer.table("名册", ["号", "名"], ((i, f"第{i}个") for i in range(500)), RECEIPT)
    rows = list(opened(content).worksheets[0].iter_rows(min_row=2, values_only=True))
    assert rows == [(i, f"第{i}个") for i in range(500)]


def test_what_we_write_our_reader_reads():
    rows = [["甲小雨", dt.date(2015, 10, 3), 58, "539999201510034432"], ["=丁", dt.date(2016, 2, 29), 0, "0877-7012345"]]
    grid, receipt = reader.read(writer.table("名册", ["姓名", "生日", "年龄", "号"], rows, RECEIPT), "名册.xlsx")
    assert grid.rows[1:] == rows
    assert receipt.name == "导出凭据"


def test_a_long_title_is_cut_to_what_a_sheet_may_be_called():
    assert opened(writer.table("名" * 40, HEADERS, [], RECEIPT)).sheetnames[0] == "名" * 31


# --- the receipt


def test_the_second_sheet_says_who_took_what_and_when():
    book = opened(writer.table("名册", HEADERS, [["甲小雨", "1"]], RECEIPT))
    assert book.sheetnames == ["名册", "导出凭据"]
    rows = list(book["导出凭据"].iter_rows(values_only=True))
    assert rows[0][0] == writer.WARNING
    assert dict(rows[2:]) == RECEIPT


def test_the_properties_of_the_file_say_it_too():
    properties = opened(writer.table("名册", HEADERS, [], RECEIPT)).properties
    assert properties.title == writer.WARNING
    assert "股员乙" in properties.description


def test_a_search_that_looks_like_a_formula_is_text_in_the_receipt_too():
    receipt = {"范围": "=cmd|' /C calc'!A0", "@备注": "+1"}
    sheet = opened(writer.table("名册", HEADERS, [], receipt))["导出凭据"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}


# --- on paper


def test_a_list_prints_on_a4_across_with_its_header_on_every_page():
    sheet = opened(writer.table("名册", HEADERS, [["甲小雨", "1"]], RECEIPT)).worksheets[0]
    assert sheet.page_setup.paperSize == 9
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)


def test_every_page_carries_its_number_and_the_warning():
    for sheet in opened(writer.table("名册", HEADERS, [], RECEIPT)):
        assert writer.WARNING in sheet.oddFooter.left.text
        assert "&P" in sheet.oddFooter.center.text or "Page" in sheet.oddFooter.center.text
        assert sheet.page_setup.paperSize == 9


def test_the_header_stays_in_sight_and_filters():
    sheet = opened(writer.table("名册", HEADERS, [["甲小雨", "1"]], RECEIPT)).worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B1"


# --- the empty form


def test_a_blank_form_has_its_headers_and_text_columns_below():
    sheet = opened(writer.blank("台账", HEADERS)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == HEADERS
    assert sheet.column_dimensions["A"].number_format == "@"
    assert sheet.page_setup.paperSize == 9
    assert sheet.freeze_panes == "A2"
