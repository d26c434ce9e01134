"""The workbooks of a round, read back with openpyxl: the cached values are the cards', the formulas are there, nobody is named."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from dataclasses import replace
from decimal import Decimal

import openpyxl
import pytest
import time_machine

from admin_app import models as m
from admin_app.assessment import results, workbooks
from admin_app.assessment.workbooks import book as reading
from admin_app.assessment.workbooks.book import Past, rank_words
from tests.assessment import books
from tests.assessment.rounds import step, walk

NEWER = "LET XLOOKUP FILTER UNIQUE SORT SEQUENCE IFS SWITCH TEXTJOIN CONCAT MAXIFS MINIFS XMATCH LAMBDA IFNA".split()


pytestmark = pytest.mark.matrix


@pytest.fixture
def book(system, judged):
    return workbooks.Book.of(system, judged, results.score(system, judged), "测试")


@pytest.fixture
def county(book):
    return books.county(book)


def load(content, values=True):
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


def named(workbook, name):
    sheet, cell = workbook.defined_names[name].attr_text.replace("'", "").replace("$", "").split("!")
    return workbook[sheet][cell].value


def lines(sheet, key="学校", head=3):
    """The sheet's rows as dictionaries, by school."""
    heads = [cell.value for cell in sheet[head]]
    rows = (dict(zip(heads, (cell.value for cell in row), strict=True)) for row in sheet.iter_rows(min_row=head + 1))
    return {row[key]: row for row in rows if row[key]}


def exact(value):
    return value if value is None or isinstance(value, str) else Decimal(str(value))


def texts(workbook):
    return [str(cell.value) for sheet in workbook for row in sheet.iter_rows() for cell in row if cell.value is not None]


# --- a school's sheet


def test_a_score_sheet_says_what_the_card_says_and_every_total_is_a_formula(book, ids):
    card, content = book.results.by_school[ids.a], workbooks.school_sheet(book, ids.a)
    values, formulas = load(content), load(content, values=False)
    assert values.sheetnames == ["评分表", "参数", "缺项名单", "加扣分", "计分底稿", "导出凭据"]
    for name in ("earned", "applicable", "base", "bonus", "discipline", "total", "fold"):
        assert exact(named(values, name)) == getattr(card, name), name
        assert str(named(formulas, name)).startswith("="), name
    assert named(values, "grade") == card.grade and named(values, "place") == "—" and card.rank is None
    column = [values["评分表"].cell(row, 8).value for row in range(4, 39)]
    assert sum(exact(v) for v in column if not isinstance(v, str)) == card.earned
    assert values["评分表"].print_title_rows == "$3:$3" and values["评分表"].page_setup.paperSize == 9
    assert values["评分表"].freeze_panes == "A4" and "第 &P 页" in formulas["评分表"].oddFooter.center.text


def test_simple_rules_keep_numerator_and_denominator_and_the_share_gives_the_score(book, ids):
    content = workbooks.school_sheet(book, ids.a)
    values, formulas = (lines(load(content, v)["计分底稿"], "编号", 1) for v in (True, False))
    items = {item.code: item for item in book.results.by_school[ids.a].items}
    for code, row in values.items():
        item = items[code]
        if item.score is None:
            assert row["得分"] in ("不适用", "待评")
            continue
        assert exact(row["得分"]) == item.score and exact(row["适用分"]) == item.max, code
        assert formulas[code]["得分"].startswith("=ROUND(") and formulas[code]["分值"].startswith("='参数'!")
    assert values["A2.2"]["计分方式"] == "比率" and formulas["A2.2"]["得分率"].startswith("=MAX(0,MIN(1,I")
    assert values["A1.2"]["计分方式"] == "按次得分" and values["A2.1"]["计分方式"] == "缺项扣分"
    assert values["A1.4"]["计分方式"] == "评定" and values["A1.3"]["计分方式"] == "综合得分率"


@pytest.mark.parametrize("case", books.CASES, ids=lambda case: case[0])
def test_every_kind_of_card_has_its_sheet(case, county):
    card = next(card for card in county.results.cards if card.name == case[0])
    sheet = load(workbooks.school_sheet(county, card.school_id))
    absent = "不参评" if card.grade == "不参评" else "待评"
    for name in ("earned", "applicable", "base", "bonus", "discipline", "total"):
        value = getattr(card, name)
        assert exact(named(sheet, name)) == (absent if value is None else value), name
    assert named(sheet, "grade") == (card.grade or "—")
    assert str(named(sheet, "place")) == rank_words(card, county.results.cards)


def test_a_frozen_card_whose_lines_changed_since_keeps_its_own_sums(county):
    card = next(card for card in county.results.cards if card.name == "甲校")
    later = replace(county, adjustments={})
    found = reading.adjusted(later, card)
    assert found.bonus == card.bonus == 5 and [line[1] for line in found.lines] == ["合计"]
    assert reading.adjusted(county, card).bonus == Decimal("8.5")


# --- the county


def test_the_summary_ranks_and_grades_as_the_cards(county):
    content = workbooks.summary(county)
    values, formulas = load(content), load(content, values=False)
    assert values.sheetnames == [
        "汇总", "评分表", "参数", "等次统计", "指标失分分析", "指标矩阵", "历年对比", "图表", "计分底稿", "导出凭据"]  # fmt: skip
    rows, live, details = lines(values["汇总"]), lines(formulas["汇总"]), lines(values["评分表"], head=1)
    for card in county.results.cards:
        row, absent = rows[card.name], "不参评" if card.grade == "不参评" else "待评"
        wanted = {"基础分": card.base, "总分": card.total, "加分": card.bonus, "扣分": card.discipline}
        assert {name: exact(row[name]) for name in wanted} == {n: absent if v is None else v for n, v in wanted.items()}, card.name
        assert (str(row["名次"]), row["等次"]) == (rank_words(card, county.results.cards), card.grade or "—"), card.name
        assert exact(row["折算分"]) == ("—" if card.fold is None else card.fold)
        assert all(live[card.name][name].startswith("=") for name in ("A1", "A10", "基础分", "总分", "名次", "等次", "折算分"))
        assert exact(details[card.name]["得分"]) == card.earned and exact(details[card.name]["适用满分"]) == card.applicable
    assert rows["乙校"]["名次"] == rows["丙校"]["名次"] == "4 并列" and rows["戊校"]["备注"] == "一票否决：不合格"
    assert rows["甲校"]["总分"] > 100 and rows["庚校"]["总分"] == 0 and rows["一中"]["名次"] == "—"


def test_the_grades_are_counted_by_group(county):
    counted = lines(load(workbooks.summary(county))["等次统计"], "组别", 2)
    cards = county.results.cards
    assert counted["合计"]["优秀"] == sum(card.grade == "优秀" for card in cards)
    assert counted["小学组"] | {"学校数": 10, "参评数": 8, "优秀名额": 2, "不参评": 1, "待评": 1} == counted["小学组"]


def test_losses_are_the_points_not_earned_and_name_the_lowest(county):
    found = lines(load(workbooks.summary(county))["指标失分分析"], "编号", 2)
    items = [i for card in county.results.cards for i in card.items if i.code == "A2.2" and i.score is not None]
    assert exact(found["A2.2"]["失分合计"]) == sum(i.max - i.score for i in items) and found["A2.2"]["计分校数"] == len(items)
    assert found["A2.2"]["得分率最低的学校"].startswith("丁校 16.0%、") and found["A2.2"]["得分率最低的学校"].count("、") == 4
    assert found["A2.5"]["平均得分率"] == "—"


def test_the_matrix_is_coloured_and_the_charts_are_the_workbooks_own(county):
    content = workbooks.summary(county)
    book = openpyxl.load_workbook(io.BytesIO(content))
    rules = [rule for of in book["指标矩阵"].conditional_formatting for rule in of.rules]
    assert [rule.type for rule in rules] == ["colorScale"] and book["指标矩阵"].max_column == 37
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sum(name.startswith("xl/charts/chart") for name in archive.namelist()) == 2 + 3


def test_an_earlier_frozen_round_stands_beside_this_one(county):
    assert "没有更早的已冻结轮次" in "".join(texts(load(workbooks.summary(county))))
    past = {1001: {"total": "90.5", "rank": 3, "grade": "良好", "group": "小学组"}, 1010: {"total": None, "group": "小学组"}}
    row = lines(load(workbooks.summary(replace(county, previous=Past("2025 年度", past))))["历年对比"])
    card = county.results.by_school[1001]
    assert exact(row["甲校"]["总分增减"]) == card.total - Decimal("90.5") and row["甲校"]["名次升降"] == 3 - card.rank
    assert row["癸校"]["上轮总分"] == row["癸校"]["总分增减"] == "—" and row["癸校"]["本轮总分"]


def test_the_round_before_is_found_once_it_is_circulated(system, ids, judged):
    walk(system, judged, m.RoundState.PUBLISHED)
    days = dt.date(2026, 9, 1), dt.date(2027, 8, 31)
    following = m.Round(
        code="2027", title="2027 年度", scheme_id=judged.scheme_id, start=days[0], last_day=days[1], cut_off=days[1]
    )
    system.add(following)
    system.commit()
    assert workbooks.Book.of(system, judged, results.score(system, judged), "测试").previous is None
    found = workbooks.Book.of(system, following, results.score(system, following), "测试").previous
    assert found.title == judged.title and Decimal(found.cards[ids.a]["total"]) > 0


def test_formulas_use_only_what_every_office_program_knows(county, ids):
    for content in (workbooks.summary(county), workbooks.school_sheet(county, 1001), workbooks.self_form(county, 1001)):
        found = load(content, values=False)
        used = {f for text in texts(found) if text.startswith("=") for f in re.findall(r"\b([A-Z][A-Z.]+)\(", text)}
        assert used and not used & set(NEWER)
        names = set(found.defined_names)
        for text in texts(found):
            if text.startswith("=") and "!" not in text:
                assert set(re.findall(r"\b[a-z]+_[a-z]+\b", text)) <= names


def test_a_name_that_looks_like_a_formula_stays_text(county):
    sheets = openpyxl.load_workbook(io.BytesIO(workbooks.summary(county)))
    cells = [c for sheet in sheets for row in sheet.iter_rows() for c in row if c.value == "=1+1"]
    assert len(cells) >= 4 and all(cell.data_type != "f" for cell in cells)


# --- publicity, self-assessment, all sheets


def test_the_public_notice_names_schools_and_no_child(system, ids, judged, book):
    notice = load(workbooks.publicity(book))
    words = texts(notice)
    names = {child.name for child in system.query(m.Child)} | {person.name for person in system.query(m.Parent)}
    assert names and not [word for word in words if any(name in word for name in names)]
    assert "晨光小学" in words and any("不得公示" in word for word in words) and not any("缺项" in word for word in words)
    footer = notice["公示表"].oddFooter
    assert "严禁外传" not in str(footer.left.text) and "第 &P 页" in footer.center.text
    total = next(row[2].value for row in notice["公示表"].iter_rows() if row[1].value == "晨光小学")
    assert exact(total) == book.results.by_school[ids.a].total


def test_a_decided_round_says_its_five_working_days(system, ids, judged):
    walk(system, judged, m.RoundState.DECISION)
    step(system, judged, m.RoundState.PUBLICITY, on=dt.date(2026, 11, 19))  # a Thursday
    book = workbooks.Book.of(system, judged, results.score(system, judged), "测试")
    words = "".join(texts(load(workbooks.publicity(book))))
    assert "公示期：2026年11月19日至2026年11月25日（5 个工作日）" in words and "不得公示" not in words


def test_the_self_assessment_form_is_blank_where_the_school_writes(book, ids):
    for school in (ids.a, None):
        sheet = load(workbooks.self_form(book, school))["自评表"]
        rows = [row for row in sheet.iter_rows(min_row=4, max_row=38)]
        assert all(row[6].value is None and not row[7].value for row in rows)
        assert rows[0][1].value.startswith("A1.1") and rows[0][2].value == 2
        assert any(isinstance(row[5].value, int | float) for row in rows) is (school is not None)
        words = " ".join(str(c.value) for row in sheet.iter_rows(min_row=39) for c in row if c.value)
        assert "校长（签字）" in words and "学校（盖章）" in words and "日期" in words


def test_all_sheets_are_one_a_school_with_names_windows_reads(county):
    with workbooks.all_sheets(county) as file, zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        assert [info.filename for info in infos][:2] == ["01-高中组-一高.xlsx", "02-高中组-二高.xlsx"]
        assert len(infos) == len(books.CASES) and all(info.flag_bits & 0x800 for info in infos)
        card = next(card for card in county.results.cards if card.name == "甲校")
        entry = next(info for info in infos if "甲校" in info.filename)
        assert exact(named(load(archive.read(entry)), "total")) == card.total
        assert archive.testzip() is None


def test_the_same_data_at_the_same_time_gives_the_same_bytes(system, judged):
    def write():
        with time_machine.travel(dt.datetime(2026, 11, 20, 8, 30, tzinfo=dt.UTC), tick=False):
            book = books.county(workbooks.Book.of(system, judged, results.score(system, judged), "测试"))
            with workbooks.all_sheets(book) as file:
                return [workbooks.summary(book), workbooks.publicity(book), workbooks.self_form(book), file.read()]

    assert write() == write()


def test_a_receipt_says_who_when_which_round_scheme_and_day(county):
    for content in (workbooks.summary(county), workbooks.school_sheet(county, 1001), workbooks.publicity(county),
                    workbooks.self_form(county)):  # fmt: skip
        rows = {row[0].value: row[1].value for row in load(content)["导出凭据"].iter_rows() if row[0].value}
        assert rows["导出人"] == "测试" and {"导出时间", "轮次", "方案版本", "口径", "统计截止日期"} <= rows.keys()
        assert {"学校数", "指标数"} & rows.keys()
