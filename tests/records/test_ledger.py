"""Ledgers as schools keep them: where the header stands, what a cell means, what is refused and why."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings, strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from admin_app import rules
from admin_app.models import Ethnic, Grade, Kinship, Sex
from admin_app.records import ledger
from admin_app.records.ledger import Entry
from admin_app.sheets import reader
from admin_app.sheets.reader import Grid, Unreadable

pytestmark = pytest.mark.matrix

calm = settings(max_examples=100, deadline=None)

LEDGERS = Path(__file__).parents[1] / "ledgers"
BORN = dt.date(2015, 10, 3)


def id_number(born: dt.date = BORN, order: str = "443") -> str:
    """An odd order is a boy's."""
    first = f"539999{born:%Y%m%d}{order}"
    return first + rules.check_digit(first)


BOY, GIRL = id_number(), id_number(order="442")
CHILD: dict[str, Any] = {
    "姓名": "甲小雨", "性别": "男", "民族": "彝族", "出生年月": BORN, "身份证号": BOY, "年级": "五年级", "班级": "2班",
    "现住址": "和平村3组", "是否寄宿": "否", "父亲姓名": "甲大山", "父亲电话": "13900004467", "监护人姓名": "祖大娘",
    "与儿童关系": "奶奶", "监护人年龄": 62, "监护人电话": "0877-7012345", "包保责任人": "施老师",
}  # fmt: skip
TITLES = list(CHILD)


def grid_of(*children: dict[str, Any], name: str = "五年级") -> Grid:
    return Grid(name, [TITLES, *([child.get(title) for title in TITLES] for child in children)])


def only(**changes: Any) -> Entry:
    """The entry of the child with these cells changed."""
    (entry,) = ledger.entries([grid_of(CHILD | changes)])
    return entry


def said(entry: Entry, level: str = "error") -> list[tuple[str, str]]:
    return [(p.cell, p.text) for p in entry.problems if p.level == level]


def cell(title: str, row: int = 2) -> str:
    return reader.address(row, TITLES.index(title))


# --- real workbooks


def test_the_tidy_ledger_gives_60_children_without_an_error():
    entries = ledger.entries(reader.read((LEDGERS / "台账-整洁.xlsx").read_bytes(), "台账-整洁.xlsx"))
    assert len(entries) == 60
    assert [p for entry in entries for p in entry.problems if p.level != "repair"] == []
    assert all({"name", "sex", "ethnic", "birth_date", "id_number", "grade"} <= entry.values.keys() for entry in entries)
    first = entries[0]
    assert (first.sheet, first.number, first.values["name"], first.values["birth_date"]) == ("台账", 2, "张然", BORN)
    assert first.values["responsible"] == "李文芳"


def test_a_ledger_as_reported_has_six_sheets_and_refuses_numbers_that_lost_their_end():
    entries = ledger.entries(reader.read((LEDGERS / "台账-学校上报.xlsx").read_bytes(), "台账-学校上报.xlsx"))
    assert len({entry.sheet for entry in entries}) == 6
    fourth = next(e for e in entries if (e.sheet, e.values["name"]) == ("一年级", "方梅"))
    assert ("F8", "科学计数法，后几位已丢失，请在原表改为文本。") in said(fourth)


# --- the header


def test_a_complete_row_is_read_without_a_word():
    entry = only()
    assert entry.problems == []
    assert entry.values == {
        "name": "甲小雨", "sex": Sex.MALE, "ethnic": Ethnic.from_text("彝族"), "birth_date": BORN, "id_number": BOY, "grade": Grade.P5,
        "class_name": "2班", "home_address": "和平村3组", "boarding": False, "father.name": "甲大山", "father.phone": "13900004467",
        "carer.name": "祖大娘", "carer.relation": Kinship.GRANDMOTHER, "carer.age": 62, "carer.phone": "0877-7012345", "responsible": "施老师",
    }  # fmt: skip
    assert entry.cell("name") == "A2"


def test_two_header_rows_give_the_columns_of_father_mother_and_carer():
    grid = Grid(
        "一年级",
        [
            ["晨光小学农村留守儿童台账"],
            ["填报单位（盖章）：", None, None, "填报时间：2026年9月20日"],
            [
                "序号",
                "学生基本情况",
                None,
                None,
                None,
                "留守类型",
                "父亲",
                None,
                "母亲",
                None,
                "监护人（委托监护人）",
                None,
                None,
                "包保责任人",
            ],
            [None, "姓名", "性别", "出生年月", "年级", None, "姓名", "电话", "姓名", "电话", "姓名", "关系", "年龄", None],
            [
                1,
                "甲小雨",
                "男",
                BORN,
                "五年级",
                "双亲外出",
                "甲大山",
                "13900004467",
                "丁小某",
                "13900004468",
                "祖大娘",
                "奶奶",
                62,
                "施云",
            ],
        ],
    )
    (entry,) = ledger.entries([grid])
    v = entry.values
    assert entry.problems == []
    assert (v["name"], v["father.name"], v["mother.name"], v["carer.name"]) == ("甲小雨", "甲大山", "丁小某", "祖大娘")
    assert (v["father.phone"], v["mother.phone"], v["carer.relation"], v["carer.age"]) == (
        "13900004467",
        "13900004468",
        Kinship.GRANDMOTHER,
        62,
    )
    assert (v["kind"], v["responsible"]) == ("双亲外出", "施云")
    assert (entry.number, entry.cell("father.name"), entry.cell("kind")) == (5, "G5", "F5")


@pytest.mark.parametrize(
    ("title", "key"),
    [("学生姓名", "name"), ("儿童 姓名", "name"), ("出生日期", "birth_date"), ("公民身份号码", "id_number"), ("家庭住址", "home_address"),
     ("现住址（村组）", "home_address"), ("是否住校", "boarding"), ("现监护人", "carer.name"), ("与学生关系", "carer.relation"), ("学校名称", "school")],
)  # fmt: skip
def test_a_column_is_known_by_the_names_schools_use(title, key):
    others = [
        t for t, k in (("姓名", "name"), ("性别", "sex"), ("民族", "ethnic"), ("年级", "grade"), ("班级", "class_name")) if k != key
    ]
    (entry,) = ledger.entries([Grid("表", [[title, *others], ["甲", "乙", "丙", "丁", "戊"]])])
    assert entry.cell(key) == "A2"


def test_a_header_may_stand_as_low_as_row_15_and_no_lower():
    rows = grid_of(CHILD).rows
    assert ledger.entries([Grid("表", [["说明"]] * 14 + rows)])[0].number == 16
    with pytest.raises(Unreadable, match="表头"):
        ledger.entries([Grid("表", [["说明"]] * 15 + rows)])


def test_unknown_columns_are_passed_over():
    grid = grid_of(CHILD)
    rows = [["编号", *grid.rows[0], "兴趣"], [1, *grid.rows[1], "画画"]]
    (entry,) = ledger.entries([Grid("表", rows)])
    assert entry.problems == []
    assert entry.cell("name") == "B2"


def test_a_workbook_without_a_header_is_unreadable():
    for rows in ([], [["说明"]], [["姓名", "性别"], ["甲小雨", "男"]], [["性别", "民族", "年级", "班级"], ["男", "彝", "一", "1"]]):
        with pytest.raises(Unreadable, match="没有找到表头"):
            ledger.entries([Grid("表", rows)])
    with pytest.raises(Unreadable, match="没有找到表头"):
        ledger.entries([])


def test_a_header_without_rows_is_unreadable():
    with pytest.raises(Unreadable, match="没有数据行"):
        ledger.entries([grid_of()])


def test_sheets_without_a_header_are_passed_over_and_the_others_read():
    entries = ledger.entries([Grid("封面", [["台账"]]), grid_of(CHILD, name="五年级"), grid_of(CHILD, name="六年级")])
    assert [entry.sheet for entry in entries] == ["五年级", "六年级"]


@pytest.mark.parametrize(
    "words", ["合计", "总计：1人", "小计", "单位负责人：", "复核人：", "填表人：施云", "注：本表一式两份", "说明 如下", "备注：无"]
)
def test_what_stands_below_the_children_is_no_child(words):
    grid = grid_of(CHILD)
    footers = [[words, "1人", "2人", "3人"], [None, None, words, "1人", "2人"]]
    assert len(ledger.entries([Grid("表", grid.rows + footers)])) == 1


def test_empty_rows_between_children_are_passed_over():
    grid = grid_of(CHILD, {}, CHILD)
    assert [entry.number for entry in ledger.entries([grid])] == [2, 4]


def test_a_row_with_nothing_but_its_number_is_no_child():
    grid = grid_of(CHILD)
    rows = [["序号", *grid.rows[0]], [1, *grid.rows[1]], [2], [3, "  "]]
    assert len(ledger.entries([Grid("表", rows)])) == 1


# --- what must be there


@pytest.mark.parametrize("title", ["姓名", "性别", "出生年月", "年级"])
def test_a_row_without_what_is_required_is_refused_at_its_cell(title):
    entry = only(**{title: None})
    assert said(entry) == [(cell(title), f"{title}必填。")]
    assert entry.refused


def test_a_required_column_that_is_not_there_is_missed_once():
    (entry,) = ledger.entries([Grid("表", [["姓名", "性别", "民族", "出生年月"], ["甲小雨", "男", "彝族", BORN]])])
    assert said(entry) == [("", "年级必填。")]


@pytest.mark.parametrize(
    ("title", "value", "words"),
    [
        ("姓名", "甲", "2 至 30"), ("姓名", "甲小雨3", "间隔号"), ("姓名", 7, "2 至 30"), ("性别", "男孩", "不在可选范围"),
        ("年级", "十三年级", "不在可选范围"), ("年级", 5, "不在可选范围"), ("民族", "火星族", "不在可选范围"), ("与儿童关系", "邻居的狗", "不在可选范围"),
        ("是否寄宿", "也许", "是 或 否"), ("父亲电话", "139", "11 位"), ("监护人年龄", "六十", "1 至 119"), ("监护人年龄", 58.5, "1 至 119"),
        ("班级", "长" * 21, "最多 20 个字"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_at_its_cell_and_only_once(title, value, words):
    ((place, text),) = said(only(**{title: value}))
    assert place == cell(title)
    assert words in text


# --- the ID number


@pytest.mark.parametrize("value", [539999201510034432.0, 5.39999201510034e17, 53999920151003])
def test_an_id_number_stored_as_a_number_is_refused_at_its_cell(value):
    entry = only(身份证号=value)
    assert said(entry) == [(cell("身份证号"), "科学计数法，后几位已丢失，请在原表改为文本。")]
    assert "id_number" not in entry.values


def test_an_id_number_in_scientific_notation_as_text_is_refused_too():
    assert "科学计数法" in said(only(身份证号="5.39999201510034E+17"))[0][1]


def test_a_wrong_check_digit_is_refused():
    wrong = BOY[:17] + ("1" if BOY[17] != "1" else "2")
    assert said(only(身份证号=wrong)) == [(cell("身份证号"), rules.WRONG_CHECK_DIGIT)]


def test_an_id_number_of_another_birth_date_is_refused_at_the_birth_date():
    entry = only(出生年月=dt.date(2015, 10, 4))
    assert said(entry) == [(cell("出生年月"), "与证件号中的出生日期 2015-10-03 不一致，请核对户口簿。")]


def test_an_id_number_of_the_other_sex_is_refused_at_the_sex():
    assert said(only(性别="女")) == [(cell("性别"), "与证件号中的性别不一致，请核对户口簿。")]
    assert only(性别="女", 身份证号=GIRL).problems == []


@pytest.mark.parametrize(
    "typed", [f"'{BOY}", f"’{BOY}", f"{BOY[:6]} {BOY[6:14]} {BOY[14:]}", "".join(chr(ord(c) + 0xFEE0) for c in BOY)]
)
def test_an_id_number_with_signs_around_it_is_repaired(typed):
    entry = only(身份证号=typed)
    assert entry.values["id_number"] == BOY
    assert said(entry, "repair") == [(cell("身份证号"), "已去掉多余符号。")]
    assert entry.repaired
    assert not entry.refused


@pytest.mark.parametrize("none", [None, "无", "/", "—", "没有"])
def test_a_child_without_an_id_number_is_taken(none):
    entry = only(身份证号=none)
    assert "id_number" not in entry.values
    assert not entry.refused


# --- birth dates


@pytest.mark.parametrize(
    "typed", ["2015.10.3", "2015/10/03", "2015年10月3日", "20151003", 20151003, "２０１５．１０．０３".replace("．", "."), 42280]
)
def test_a_birth_date_in_another_form_is_repaired(typed):
    entry = only(出生年月=typed)
    assert entry.values["birth_date"] == BORN
    assert [place for place, _ in said(entry, "repair")] == [cell("出生年月")]
    assert not entry.refused


def test_a_serial_number_is_read_as_excel_counts_days():
    entry = only(出生年月=42280)
    assert said(entry, "repair") == [(cell("出生年月"), "42280 按日期读作 2015-10-03。")]


@pytest.mark.parametrize(("epoch", "serial"), [(CALENDAR_WINDOWS_1900, 42280), (CALENDAR_MAC_1904, 42280 - 1462)])
def test_days_are_counted_from_where_the_workbook_counts_them(epoch, serial):
    book = openpyxl.Workbook()
    book.epoch = epoch
    book.active.append(["姓名", "性别", "出生年月", "年级"])
    book.active.append(["甲小雨", "男", BORN, "五年级"])
    book.active.append(["甲大雨", "男", serial, "五年级"])
    content = io.BytesIO()
    book.save(content)
    read = ledger.entries(reader.read(content.getvalue(), "台账.xlsx"))
    assert [entry.values["birth_date"] for entry in read] == [BORN, BORN]


def test_an_iso_date_needs_no_repair():
    assert only(出生年月="2015-10-03").problems == []


@pytest.mark.parametrize("typed", ["2015-2-30", "2015.13.01", "20150231"])
def test_a_day_that_does_not_exist_is_refused(typed):
    ((place, text),) = said(only(出生年月=typed))
    assert (place, text) == (cell("出生年月"), f"没有“{typed}”这一天，请核对。")


@pytest.mark.parametrize("typed", ["秋天", "十月三日", 7, 2015, True, "15.10.3", "2015-10-03 上午"])
def test_a_date_that_is_none_is_refused_with_an_example(typed):
    ((place, text),) = said(only(出生年月=typed))
    assert place == cell("出生年月")
    assert "2015-10-03" in text


SEPTEMBER = dt.date(2015, 9, 7)
MONTHS = ["2015.9", "2015-9", "2015年9月", 2015.9]
LATE_MONTHS = ["2015年10月", "2015.10", "2015-10", "2015/10", "2015年10"]


@pytest.mark.parametrize("typed", MONTHS)
def test_a_birth_month_is_completed_from_the_id_number(typed):
    entry = only(出生年月=typed, 身份证号=id_number(SEPTEMBER))
    assert entry.values["birth_date"] == SEPTEMBER
    assert said(entry, "repair") == [(cell("出生年月"), "只有年月，按证件号补为 2015-09-07。")]
    assert not entry.refused
    assert "birth_month" not in entry.values


@pytest.mark.parametrize("typed", LATE_MONTHS)
def test_october_is_completed_from_the_id_number_too(typed):
    entry = only(出生年月=typed)
    assert entry.values.get("birth_date") == BORN
    assert not entry.refused


@pytest.mark.parametrize("typed", ["2015.12", "2015-12", "2015/11", "2015年12", "201512", 2015.12])
def test_the_twelfth_month_is_never_the_second_of_january(typed):
    entry = only(出生年月=typed, 身份证号=None)
    assert "birth_date" not in entry.values
    assert entry.refused


def test_a_birth_month_without_an_id_number_is_refused_once():
    assert said(only(出生年月="2015.9", 身份证号=None)) == [(cell("出生年月"), "只有年月，请写明日期。")]


def test_a_birth_month_of_another_id_number_is_refused():
    assert said(only(出生年月="2015.8")) == [(cell("出生年月"), "只有年月，请写明日期。")]


def test_a_serial_number_with_a_clock_is_no_date_in_the_year_4227():
    entry = only(出生年月=42278.5, 身份证号=None)
    assert entry.refused or entry.values["birth_date"] == dt.date(2015, 10, 1)


@pytest.mark.parametrize("typed", [dt.date(2099, 1, 1), "2099-01-01", "0015-10-03"])
def test_a_birth_date_to_come_or_of_antiquity_is_refused(typed):
    assert only(出生年月=typed, 身份证号=None).refused


# --- other cells


@pytest.mark.parametrize("tick", ["√", "☑", "✔"])
def test_a_tick_means_boarding_and_is_mentioned(tick):
    entry = only(是否寄宿=tick)
    assert entry.values["boarding"] is True
    assert said(entry, "repair") == [(cell("是否寄宿"), f"“{tick}”按“是”读入。")]


@pytest.mark.parametrize(
    ("typed", "value"),
    [("是", True), ("住校", True), (1, True), ("Y", True), ("否", False), ("走读", False), (0, False), ("×", False)],
)
def test_words_for_yes_and_no_are_understood(typed, value):
    entry = only(是否寄宿=typed)
    assert entry.values["boarding"] is value
    assert entry.problems == []


def test_an_empty_cell_says_nothing_about_boarding():
    assert "boarding" not in only(是否寄宿=None).values


def test_a_short_ethnic_name_is_repaired():
    entry = only(民族="彝")
    assert entry.values["ethnic"] is Ethnic.from_text("彝族")
    assert said(entry, "repair") == [(cell("民族"), "“彝”按“彝族”读入。")]


@pytest.mark.parametrize(
    ("typed", "grade"),
    [
        ("五年级", Grade.P5),
        ("小学五年级", Grade.P5),
        ("五", Grade.P5),
        ("初一", Grade.M1),
        ("七年级", Grade.M1),
        (" 大 班 ", Grade.K3),
    ],
)
def test_a_grade_has_several_names(typed, grade):
    assert only(年级=typed).values["grade"] is grade


def test_blanks_inside_a_name_go_and_are_mentioned():
    entry = only(姓名="甲　小雨")
    assert entry.values["name"] == "甲小雨"
    assert said(entry, "repair") == [(cell("姓名"), "已整理为“甲小雨”。")]


def test_a_repaired_phone_is_mentioned_behind_its_mask():
    entry = only(父亲电话="１３９ ００００ ４４６７")
    assert entry.values["father.phone"] == "13900004467"
    assert said(entry, "repair") == [(cell("父亲电话"), "已整理为“139****4467”。")]


def test_a_phone_stored_as_a_number_is_a_phone():
    assert only(父亲电话=13900004467).values["father.phone"] == "13900004467"


@pytest.mark.parametrize("none", ["无", "/", "—", "－"])
def test_a_dash_for_a_parent_is_nobody_and_no_error(none):
    entry = only(父亲姓名=none, 现住址=none)
    assert not {"father.name", "home_address"} & entry.values.keys()
    assert not entry.refused


@pytest.mark.parametrize("typed", ["李文芳", "李文芳老师", "李文芳教师", "李 文芳 老师"])
def test_a_responsible_teacher_is_known_without_the_title(typed):
    assert only(包保责任人=typed).values["responsible"] == "李文芳"


def test_a_warning_neither_refuses_nor_repairs():
    entry = Entry("表", 2)
    entry.say("name", "warning", "可能重复。")
    assert (entry.refused, entry.repaired, entry.problems[0].cell) == (False, False, "")


@pytest.mark.parametrize("text", ["长" * 32_767, "字" + " " * 32_765 + "字", "\u200b" * 32_767])
def test_texts_as_long_as_a_cell_can_hold_are_refused_soon_and_in_few_words(text):
    """A file of 100 KB can hold a million of them."""
    grid = Grid("表", [TITLES, *[[text] * len(TITLES)] * 2000])
    for entry in ledger.entries([grid]):
        assert entry.refused and all(len(problem.text) < 60 for problem in entry.problems)


def test_a_title_as_long_as_a_cell_can_hold_does_no_harm():
    with pytest.raises(Unreadable, match="没有找到表头"):
        ledger.entries([Grid("表", [["长" * 32_767] * 200] * 100)])


@pytest.mark.parametrize("blank", ["\u200b", "\ufeff ", "\u2060"])
def test_a_cell_of_nothing_but_zero_width_characters_is_empty(blank):
    entry = only(是否寄宿=blank, 父亲电话=blank, 现住址=blank)
    assert entry.problems == [] and not {"boarding", "father.phone", "home_address"} & entry.values.keys()


# --- anything at all


@pytest.mark.parametrize("title", ["民族", "性别"])
def test_a_control_character_alone_in_a_cell_does_not_end_the_import(title):
    only(**{title: "\x07"})


def test_a_control_character_alone_does_not_fill_a_required_cell():
    assert only(年级="\x07").refused


def test_an_odd_digit_in_the_age_does_not_end_the_import():
    assert only(监护人年龄="²").refused


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.text(max_size=30),
    st.sampled_from(["无", "√", "合计", "姓名", "男", "女", "一年级", "2015.10", BOY, GIRL, "13900004467", "=1+1", "<script>"]),
)


@calm
@given(st.dictionaries(st.sampled_from(TITLES), junk, min_size=1))
def test_no_cell_whatever_it_holds_raises(changes):
    try:
        entries = ledger.entries([grid_of(CHILD | changes)])
    except Unreadable as e:
        assert str(e).endswith("。")
        return
    for entry in entries:
        assert all(p.text.endswith("。") and p.level in ("error", "warning", "repair") for p in entry.problems)
        assert entry.refused or {"name", "sex", "birth_date", "grade"} <= entry.values.keys()


@calm
@given(st.lists(st.lists(junk, max_size=8), max_size=20))
def test_no_grid_whatever_it_holds_raises(rows):
    for grid in (Grid("表", rows), Grid("表", [["姓名", "性别", "出生年月", "年级", "民族", "身份证号", "是否寄宿"], *rows])):
        try:
            assert all(entry.number <= len(grid.rows) for entry in ledger.entries([grid]))
        except Unreadable as e:
            assert str(e).endswith("。")
