"""Small cells in tables that leave the bureau: none below three is shown, and none can be worked out by subtraction."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from hypothesis import given, settings, strategies as st
from openpyxl import load_workbook

from admin_app.records.reports import definition as definitions, keeping, protecting
from admin_app.records.reports.counting import Checked, Counted, Culprit, Line
from admin_app.records.reports.members import Period

pytestmark = pytest.mark.matrix

ON = dt.date(2026, 6, 30)
FOUND = definitions.of("civil_affairs")
PEOPLE = [n for n, column in enumerate(FOUND.columns) if column.measure in protecting.PEOPLE]


@st.composite
def tables(draw):
    """The civil affairs' table for a county: towns and schools with small numbers, whose sums and equations hold."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    schools = [[_line(draw) for _ in range(count)] for count in shape]
    lines = []
    for town, below in enumerate(schools):
        lines += [
            Line(f"t{town}", "乡镇", 1, _added(below)),
            *(Line(f"s{town}-{n}", "学校", 2, cells) for n, cells in enumerate(below)),
        ]
    total = Line("total", "合计", 0, _added([line.cells for line in lines if line.level == 1]))
    listed = {"名单": [Culprit(1, "甲小雨", "某小学", "一班", "原因")]}
    checks = [Checked(check, 1, 1, [Culprit(1, "甲小雨", "某小学", "一班", "原因")]) for check in FOUND.checks[:1]]
    return Counted(FOUND, Period(ON, ON), "县教育局", [total, *lines], checks, listed)


def _line(draw):
    values = {column.key: draw(st.integers(0, 6)) if n in PEOPLE else 0 for n, column in enumerate(FOUND.columns)}
    for check in FOUND.checks:  # a side of one column is the sum of the other side
        if len(check.left) == 1:
            values[check.left[0]] = sum(values[key] for key in check.right)
    return [values[column.key] for column in FOUND.columns]


def _added(lines):
    return [sum(column) for column in zip(*lines, strict=True)]


def worked_out(counted, gone):
    """What a reader finds who knows every sum and equation and solves whatever has one unknown, again and again."""
    unknown, relations = set(gone), list(protecting.sums(counted))
    while True:
        found = {place for relation in relations if len(open_ := unknown.intersection(relation)) == 1 for place in open_}
        if not found:
            return set(gone) - unknown
        unknown -= found


@settings(max_examples=60, deadline=None)
@given(tables())
def test_no_number_below_three_is_shown_or_can_be_worked_out(counted):
    gone = protecting.hidden(counted)
    for number, line in enumerate(counted.lines):
        for column in PEOPLE:
            assert (number, column) in gone or not 0 < line.cells[column] < 3
    assert worked_out(counted, {place for place in gone if place[1] in PEOPLE}) == set()


@settings(max_examples=60, deadline=None)
@given(tables())
def test_a_table_without_small_numbers_hides_nothing(counted):
    large = [Line(line.key, line.label, line.level, [value * 3 for value in line.cells]) for line in counted.lines]
    assert protecting.hidden(Counted(FOUND, counted.period, "县教育局", large, [], {})) == frozenset()


@settings(max_examples=10, deadline=None)
@given(tables())
def test_the_workbook_for_outside_holds_no_name_no_formula_and_no_small_number(counted):
    book = load_workbook(io.BytesIO(keeping.workbook(counted, {"用途": "对外"}, outside=True)))
    assert book.sheetnames == ["报表", "导出凭据"]
    sheet = book["报表"]
    assert "（对外）" in sheet["A1"].value
    rows = list(sheet.iter_rows(min_row=6, max_row=5 + len(counted.lines), min_col=2, max_col=1 + len(FOUND.columns)))
    for line, row in zip(counted.lines, rows, strict=True):
        for column in PEOPLE:
            cell = row[column]
            assert cell.data_type != "f" and cell.value not in (1, 2)
            assert cell.value == keeping.STAR or cell.value == line.cells[column]
    assert "甲小雨" not in {cell.value for each in book for line in each.iter_rows() for cell in line}


@pytest.mark.parametrize("key", ["county", "handovers", "yearly"])
def test_a_column_of_all_but_one_is_hidden_and_what_divides_a_column_is_known(key):
    """Whatever report: where a column counts nine of ten, or two columns share ten as nine and one, none of it is told."""
    found = definitions.of(key)
    people = [n for n, column in enumerate(found.columns) if column.measure in protecting.PEOPLE]
    line = Line("total", "合计", 0, [10 if n in people else 0 for n in range(len(found.columns))])
    counted = Counted(found, Period(ON, ON), "县教育局", [line], [], {})
    parts = list(protecting._parts(counted))
    assert parts
    for whole, part, _trait in parts:
        line.cells[part] = 9
        assert (0, part) in protecting.hidden(counted), (whole, part)
        line.cells[part] = 10


def test_the_office_exports_the_version_for_outside_and_the_log_says_so(app, ids, person):
    answer = person("office").get("/report/export/?kind=county&outside=1&purpose=公开")
    book = load_workbook(io.BytesIO(answer.data))
    assert "（对外）" in book["报表"]["A1"].value and "勾稽关系" not in book.sheetnames
    receipt = {row[0].value: row[1].value for row in book["导出凭据"].iter_rows()}
    assert "不含姓名" in receipt["版本"]
