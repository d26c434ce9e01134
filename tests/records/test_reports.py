"""The reports that go up: every number from the register, every difference by the child behind it, kept as it was."""

from __future__ import annotations

import datetime as dt
import io
import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from hypothesis import given, settings, strategies as st
from openpyxl import load_workbook
from sqlalchemy import select

from admin_app import labels, models as m
from admin_app.records.reports import counting, definition as definitions, keeping, members
from admin_app.records.reports.counting import TOTAL, Count
from admin_app.records.reports.members import Member, Period
from tests import factories as make

ON = dt.date(2026, 6, 30)
DAY = Period(ON, ON)


@pytest.fixture
def school(system) -> m.School:
    township = system.scalar(select(m.Township).where(m.Township.name == "新化乡"))
    return make.school(system, "2153990077", "云岭小学", township_id=township.id, pupils=200)


def count(session, key: str, period: Period = DAY) -> counting.Counted:
    return Count(session, definitions.of(key), period, "县教育局德育股").counted()


def line(counted: counting.Counted, label: str) -> dict[str, counting.Cell]:
    found = next(each for each in counted.lines if each.label == label)
    return dict(zip((c.key for c in counted.definition.columns), found.cells, strict=True))


def family(
    system, school, name="普小云", *, born=dt.date(2016, 5, 6), quality=m.CareQuality.GOOD, relation=m.Kinship.GRANDMOTHER, **more
):
    child = make.left_behind(system, school, name, born=born, **more)
    make.carer(system, child, relation=relation, quality=quality)
    return child


# --- the definition files ---


@pytest.mark.parametrize("key", definitions.ORDER)
def test_every_definition_file_names_only_what_is_there(key):
    found = definitions.of(key)
    assert found.title and found.basis and found.columns


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('when = { height = "1" }', "height"),
        ('when = { sex = "3" }', "sex"),
        ('measure = "median"', "median"),
        ('measure = "sum:money"', "money"),
        ('measure = "share:a/nobody"', "nobody"),
    ],
)
def test_a_definition_that_names_what_is_not_there_is_refused(wrong, said):
    text = f'title="t"\nto="t"\nbasis="b"\npopulation="children"\naxes=["school"]\n[[groups]]\ncolumns=[{{key="a", title="A", {wrong}}}]'
    with pytest.raises(ValueError, match=said):
        definitions.parsed("own", tomllib.loads(text))


# --- the 32 columns for civil affairs ---


def test_the_civil_affairs_return_counts_each_child_once_in_every_split(system, school):
    family(system, school, "普小云", sex=m.Sex.FEMALE, boarding=True)
    family(
        system, school, "白幼苗", born=dt.date(2021, 3, 1), grade=m.Grade.K2, quality=m.CareQuality.POOR, relation=m.Kinship.UNCLE
    )
    family(
        system, school, "李少年", born=dt.date(2011, 9, 1), grade=m.Grade.M3, quality=m.CareQuality.FAIR, relation=m.Kinship.NOBODY
    )
    alone = make.child(system, school, "罗独居")
    make.parent(system, alone, m.Side.FATHER)
    make.parent(system, alone, m.Side.MOTHER, m.ParentState.INCAPABLE)
    make.carer(system, alone, relation=m.Kinship.MOTHER, quality=m.CareQuality.POOR)
    counted = count(system, "civil_affairs")
    row = line(counted, "新化乡")
    wanted = {
        "1": 4, "2": 1, "3": 1, "4": 0, "5": 2, "6": 1, "7": 1, "8": 1, "9": 1, "10": 0, "11": 1, "13": 2, "14": 1, "17": 0,
        "19": 3, "20": 1, "21": 1, "24": 1, "25": 2, "26": 1, "27": 1, "28": 1, "29": 1, "30": 1, "31": 1, "32": 2,
    }  # fmt: skip
    assert {key: row[key] for key in wanted} == wanted


def test_age_is_counted_on_the_cut_off(system, school):
    family(system, school, born=dt.date(2020, 7, 1))
    assert line(count(system, "civil_affairs"), "新化乡")["2"] == 1
    the_day = Period(dt.date(2026, 7, 1), dt.date(2026, 7, 1))
    assert line(count(system, "civil_affairs", the_day), "新化乡")["5"] == 1


def test_a_child_without_a_carer_breaks_the_equations_and_is_named(system, school):
    family(system, school)
    make.left_behind(system, school, "普漏填")
    failing = {str(check.equation): check for check in count(system, "civil_affairs").failing}
    broken = failing["1＝26＋27＋28＋29"]
    mine = [who for who in broken.culprits if who.school == "云岭小学"]
    assert [(who.name, who.why) for who in mine] == [("普漏填", "监护类型 未填")]
    assert "1＝30＋31＋32" in failing and "1＝2＋5＋8" not in failing


def test_a_dropout_stands_under_dropouts_and_not_under_its_stage(system, school):
    child = family(system, school)
    make.event(system, m.DropoutCase, child, found_on=dt.date(2026, 5, 1), grade=m.Grade.P3, reason=m.DropoutReason.WEARY)
    row = line(count(system, "civil_affairs"), "新化乡")
    assert (row["13"], row["17"], row["23"], row["24"], row["25"]) == (0, 1, 1, 0, 0)


# --- the others ---


def test_the_county_summary_shares_are_of_the_pupils_of_the_school(system, school):
    family(system, school, sex=m.Sex.FEMALE)
    family(system, school, "李小山", ethnic=m.Ethnic.E01)
    counted = count(system, "county")
    row = line(counted, "云岭小学")
    assert (row["children"], row["girls"], row["pupils"], row["share"]) == (2, 1, 200, Decimal("0.0100"))
    assert (row["han"], row["yi"], row["others"], row["xj2"]) == (1, 1, 0, 2)
    levels = [each.level for each in counted.lines]
    assert levels[0] == 0 and {1, 2} == set(levels[1:])


def test_sites_are_counted_with_their_centre(system, ids):
    row = line(count(system, "county"), "晨光小学")
    site = system.get(m.School, ids.a_site)
    assert row["pupils"] == 100 + site.pupils and row["children"] == 2


def test_the_overview_counts_classes_of_every_grade(system, school):
    family(system, school, class_name="1班")
    family(system, school, "李小山", class_name="1班")
    make.child(system, school, "罗小河", class_name="2班", grade=m.Grade.P3)
    before = line(count(system, "overview"), "三年级")
    assert before["pupils"] >= 3 and before["boys"] + before["girls"] == before["pupils"]
    make.child(system, school, "白小溪", class_name="3班", grade=m.Grade.P3)
    after = line(count(system, "overview"), "三年级")
    assert (after["classes"], after["pupils"]) == (before["classes"] + 1, before["pupils"] + 1)


def test_handovers_count_a_later_step_in_the_earlier_ones_and_list_who_is_left(system, school):
    holiday = system.scalar(select(m.Holiday).where(m.Holiday.code == "2025-winter"))
    done, started, _open = (family(system, school, name) for name in ("普小云", "李小山", "罗小河"))
    day = dt.date(2026, 1, 10)
    make.event(system, m.Handover, done, holiday_id=holiday.id, family_on=day, carer_on=day, village_on=day, notice_on=day, done_on=day, whereabouts=m.Whereabouts.PARENTS)  # fmt: skip
    make.event(system, m.Handover, started, holiday_id=holiday.id, family_on=day)
    counted = count(system, "handovers", Period(ON, ON, (holiday.id, holiday.name)))
    row = line(counted, "云岭小学")
    assert (row["due"], row["family"], row["village"], row["done"], row["parents"], row["open"]) == (3, 2, 1, 1, 1, 2)
    assert {who.name for who in counted.lists["未交接名单"] if who.school == "云岭小学"} == {"李小山", "罗小河"}


def test_the_dropout_month_carries_over_finds_and_brings_back(system, school):
    june = Period(dt.date(2026, 6, 1), ON)
    said = {"grade": m.Grade.M1, "reason": m.DropoutReason.WORK}
    older, newer, gone = (family(system, school, name) for name in ("普小云", "李小山", "罗小河"))
    case = make.event(system, m.DropoutCase, older, found_on=dt.date(2026, 4, 2), **said)
    make.event(system, m.DropoutStep, older, case_id=case.id, step=m.StepKind.EDUCATE, on=dt.date(2026, 5, 1))
    make.event(system, m.DropoutStep, older, case_id=case.id, step=m.StepKind.ORDER, on=dt.date(2026, 7, 1))
    make.event(system, m.DropoutCase, newer, found_on=dt.date(2026, 6, 3), returned_on=dt.date(2026, 6, 20), **said)
    make.event(system, m.DropoutCase, gone, found_on=dt.date(2026, 4, 1), returned_on=dt.date(2026, 5, 31), **said)
    row = line(count(system, "dropouts", june), "云岭小学")
    assert {k: row[k] for k in ("all", "before", "found", "step1", "step2", "returned", "left", "work")} == {
        "all": 2, "before": 1, "found": 1, "step1": 1, "step2": 0, "returned": 1, "left": 1, "work": 1,
    }  # fmt: skip


def test_the_yearly_page_says_its_numbers_in_ready_sentences(system, school):
    child = family(system, school)
    make.talk(system, child, dt.date(2026, 5, 5))
    make.activity(system, school, "A01", dt.date(2026, 5, 6), pupils=30)
    counted = count(system, "yearly", Period(dt.date(2025, 7, 1), ON))
    total = counted.total
    assert total["talks"] >= 1 and total["lesson_pupils"] >= 30
    assert f"共有农村留守儿童{total['children']}人，其中女{total['girls']}人" in counted.sentences[0]
    assert not any("{" in sentence for sentence in counted.sentences)


def test_any_two_traits_can_be_crossed(system, school):
    family(system, school, ethnic=m.Ethnic.E18)
    counted = Count(system, definitions.crossed("township", "ethnic", "gf13"), DAY, "").counted().without_empty()
    assert line(counted, "新化乡")["is18"] == 1
    assert counted.total["all"] == sum(value for key, value in counted.total.items() if key != "all")
    for rows, columns in (("sex", "sex"), ("township", "school"), ("nothing", "sex"), ("sex", "id_number")):
        with pytest.raises(KeyError):
            definitions.crossed(rows, columns, "gf13")


def test_a_report_of_the_past_counts_who_was_there_then(system, school):
    child = family(system, school)
    for status in system.scalars(select(m.ParentStatus).where(m.ParentStatus.child_id == child.id)):
        status.end = dt.date(2026, 3, 1)
    system.flush()
    february = dt.date(2026, 2, 28)
    assert line(count(system, "civil_affairs", Period(february, february)), "新化乡")["1"] == 1
    assert line(count(system, "civil_affairs"), "新化乡")["1"] == 0


def test_a_parent_who_went_on_from_place_to_place_is_one_parent_away(system, school):
    child = make.child(system, school, "李小山")
    father = make.parent(system, child, m.Side.FATHER, since=dt.date(2025, 2, 1), until=dt.date(2026, 3, 1))
    system.add(
        m.ParentStatus(
            parent_id=father.id, child_id=child.id, school_id=school.id, state=m.ParentState.AWAY, start=dt.date(2026, 3, 1)
        )
    )
    make.parent(system, child, m.Side.MOTHER, m.ParentState.HOME)
    system.flush()
    for on in (dt.date(2025, 12, 1), dt.date(2026, 6, 30)):
        row = line(count(system, "county", Period(on, on)), "云岭小学")
        assert (row["xj1"], row["xj2"]) == (1, 0), on


def test_which_restricted_category_a_child_has_stands_in_no_report(system, school):
    child = family(system, school)
    make.of_file(system, m.Category, child, kind=m.CategoryKind.K09, start=dt.date(2025, 9, 1))
    counter = Count(system, definitions.crossed("school", "category", "gf13"), DAY, "")
    counted = counter.counted().without_empty()
    assert line(counted, "云岭小学")["isrestricted"] == 1 and "isK09" not in counted.total
    assert "受限类别" in counter.named(counter.behind(TOTAL, "isrestricted")[0]).why
    assert line(count(system, "county"), "云岭小学")["hardship"] == 1
    content = keeping.workbook(counted, {"导出人": "施老师"})
    assert "艾滋" not in "".join(str(c.value) for s in load_workbook(io.BytesIO(content)) for r in s.iter_rows() for c in r)


@pytest.mark.parametrize("columns", [key for key in members.PIVOT if key not in definitions.AXES])
def test_a_kept_cross_table_shows_what_it_showed(system, school, columns):
    family(system, school)
    rows = "township" if columns != "sex" else "grade"
    counted = Count(system, definitions.crossed(rows, columns, "all"), DAY, "").counted().without_empty()
    kept = keeping.keep(system, counted, "普玉珍")
    again = keeping.opened(kept)
    assert again.lines == counted.lines and again.total == counted.total
    assert all(len(each.cells) == len(again.definition.columns) for each in again.lines)
    assert keeping.workbook(again, {"导出人": "施老师"})[:2] == b"PK"
    with pytest.raises(keeping.Complaint, match="不用上报"):
        keeping.hand_in(kept, "普玉珍")


def test_a_cross_table_of_nobody_is_empty_and_can_be_exported(person):
    day = "kind=pivot&rows=township&columns=guardian&on=2004-02-29"
    assert (
        person("office").get(f"/report/export/?{day}").status_code
        == 200
        == person("office").get(f"/report/show/?{day}").status_code
    )


def test_a_school_is_told_whom_its_past_report_leaves_out(open_as, ids, system):
    moved = make.left_behind(system, system.get_one(m.School, ids.b), "走远方", start=dt.date(2026, 5, 1))
    earlier = {"start": dt.date(2025, 9, 1), "end": dt.date(2026, 5, 1), "leave_reason": m.LeaveReason.TRANSFER}
    system.add(m.Enrolment(child_id=moved.id, school_id=ids.a, child_name=moved.name, **earlier))
    system.commit()
    april = Period(dt.date(2026, 4, 1), dt.date(2026, 4, 1))
    with open_as("secretary_a") as session:
        mine = Count(session, definitions.of("county"), april, "").counted()
    with open_as("office") as session:
        every = Count(session, definitions.of("county"), april, "").counted()
    assert any("另有 1 名当日在读的儿童此后转出" in said for said in mine.remarks)
    assert not any("此后转出" in said for said in every.remarks) and any("按" in said for said in every.remarks)
    assert line(mine, "晨光小学")["children"] + 1 == line(every, "晨光小学")["children"]


def test_two_cases_of_one_pupil_are_one_dropout_of_the_year(system, school):
    child, year = family(system, school), Period(dt.date(2025, 7, 1), ON)
    before = count(system, "yearly", year).total["dropouts"]
    said = {"grade": m.Grade.P3, "reason": m.DropoutReason.WEARY}
    make.event(system, m.DropoutCase, child, found_on=dt.date(2025, 11, 1), returned_on=dt.date(2025, 12, 1), **said)
    make.event(system, m.DropoutCase, child, found_on=dt.date(2026, 4, 1), **said)
    assert count(system, "yearly", year).total["dropouts"] == before + 1


# --- properties ---

TRAITS = st.fixed_dictionaries(
    {
        "left_behind": st.sampled_from(["yes", "no"]),
        "sex": st.sampled_from(["1", "2"]),
        "age": st.integers(3, 18),
        "place": st.sampled_from(["kindergarten", "primary", "junior", "senior", "vocational", "dropout"]),
        "kind": st.sampled_from(["both", "incapable"]),
        "boarding": st.sampled_from(["yes", "no"]),
        "guardian": st.sampled_from(["", "grandparents", "kin", "nobody", "parent", "unclear"]),
        "quality": st.sampled_from(["", "good", "fair", "poor"]),
    }
)


@given(st.lists(TRAITS, max_size=25))
@settings(max_examples=60, deadline=None)
def test_whoever_makes_an_equation_fail_is_named_and_nobody_else(people):
    found = Count.__new__(Count)
    found.definition = definitions.of("civil_affairs")
    found.places = SimpleNamespace(within=lambda _row: lambda _member: True, schools={1: SimpleNamespace(name="云岭小学")})
    found.members = {"children": [Member(1, n, f"儿{n}", "", traits) for n, traits in enumerate(people)]}
    cells = dict(zip((c.key for c in found.definition.columns), found._cells(TOTAL), strict=True))
    for check in found._checks(cells):
        named = {who.child_id for who in check.culprits}
        rest = [traits for n, traits in enumerate(people) if n not in named]
        again = Count.__new__(Count)
        again.definition, again.places = found.definition, found.places
        again.members = {"children": [Member(1, n, "", "", traits) for n, traits in enumerate(rest)]}
        numbers = dict(zip(cells, again._cells(TOTAL), strict=True))
        assert sum(numbers[k] for k in check.equation.left) == sum(numbers[k] for k in check.equation.right)
        assert check.left - check.right == len(named) or check.equation.left != ("1",)


# --- kept, handed in, exported ---


@pytest.fixture
def kept(system, school) -> Iterator[m.Report]:
    make.left_behind(system, school, "普漏填")
    yield keeping.keep(system, count(system, "civil_affairs"), "普玉珍")


def test_a_kept_report_stays_as_it_was_when_the_register_goes_on(system, school, kept):
    system.flush()
    before = keeping.opened(kept)
    family(system, school, "李小山")
    again = keeping.opened(kept)
    assert again.lines == before.lines and again.checks == before.checks and again.definition == before.definition
    assert line(again, "新化乡")["1"] == 1 and line(count(system, "civil_affairs"), "新化乡")["1"] == 2
    receipt = {"导出人": "普玉珍"}
    first, second = (load_workbook(io.BytesIO(keeping.workbook(c, receipt))) for c in (before, again))
    values = [[[c.value for c in row] for row in sheet.iter_rows()] for book in (first, second) for sheet in book]
    assert values[: len(first.sheetnames)] == values[len(first.sheetnames) :]


def test_a_report_that_does_not_balance_cannot_be_handed_in(system, kept):
    system.flush()
    with pytest.raises(keeping.Complaint, match="不平，不能上报"):
        keeping.hand_in(kept, "普玉珍")
    kept.failing = 0
    keeping.hand_in(kept, "普玉珍")
    with pytest.raises(keeping.Complaint, match="已经上报过"):
        keeping.hand_in(kept, "普玉珍")


def test_the_names_in_a_kept_report_lie_sealed(system, kept):
    system.flush()
    stored = system.connection().exec_driver_sql(f"select content from report where id = {kept.id}").scalar()
    assert "普漏填" not in stored and "普漏填" in kept.content


def numbers_in(sheet, place: str) -> list[float]:
    """What stands in a cell or a range of them, texts left out as SUM does."""
    found = sheet[place]
    cells = [cell for row in found for cell in row] if isinstance(found, tuple) else [found]
    return [cell.value for cell in cells if isinstance(cell.value, int | float)]


@pytest.mark.parametrize("key", definitions.ORDER)
def test_every_workbook_sums_and_checks_with_live_formulas(system, school, key):
    family(system, school)
    make.left_behind(system, school, "普漏填")
    holiday = system.scalar(select(m.Holiday).where(m.Holiday.code == "2025-winter"))
    period = {"handovers": Period(ON, ON, (holiday.id, holiday.name)), "yearly": Period(dt.date(2025, 7, 1), ON)}.get(key, DAY)
    content = keeping.workbook(count(system, key, period), {"导出人": "普玉珍"})
    live, shown = load_workbook(io.BytesIO(content)), load_workbook(io.BytesIO(content), data_only=True)
    sheet = live.worksheets[0]
    formulas = {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"}
    sums = {place: said for place, said in formulas.items() if re.fullmatch(r"=[A-Z0-9:SUM()+-]+", said)}
    assert formulas and (sums or key == "yearly")
    for place, said in sums.items():
        parts = re.fullmatch(r"=((?:SUM\([A-Z]+\d+:[A-Z]+\d+\)|[A-Z]+\d+)(?:\+|$))+", said)
        assert parts, said
        ranges = [part.removeprefix("SUM(").rstrip(")") for part in said[1:].split("+")]
        total = sum(number for each in ranges for number in numbers_in(shown.worksheets[0], each))
        assert shown.worksheets[0][place].value == total, (place, said)
    said = sheet["A2"].value
    assert "口径" in said and ("统计截止日期" in said or "统计时间" in said)
    if definitions.of(key).checks:
        assert "勾稽关系" in live.sheetnames


def test_the_workbook_names_the_children_behind_a_difference(kept):
    book = load_workbook(io.BytesIO(keeping.workbook(keeping.opened(kept), {"导出人": "普玉珍"})))
    rows = [[cell.value for cell in row] for row in book["差异名单"].iter_rows(min_row=2)]
    assert ["1＝26＋27＋28＋29", "普漏填", "云岭小学", "三年级1班", "监护类型 未填"] in rows
    assert book.worksheets[0].page_setup.paperSize == 8 and book.worksheets[0].print_title_rows == "$3:$5"


# --- who sees what ---


def test_a_school_counts_its_own_children_and_nobody_elses(open_as):
    with open_as("secretary_a") as session:
        mine = Count(session, definitions.of("county"), DAY, "").counted()
    with open_as("office") as session:
        every = Count(session, definitions.of("county"), DAY, "").counted()
    assert {each.label for each in mine.lines if each.level == 2} == {"晨光小学"}
    assert mine.total["children"] == 2 < every.total["children"]
    assert "青松小学" in {each.label for each in every.lines}


def test_a_kept_report_is_its_makers_and_the_offices(person):
    bureaus = person("office").post("/report/keep/", {"kind": "civil_affairs"}).headers["Location"]
    own = person("secretary_a").post("/report/keep/", {"kind": "county"}).headers["Location"]
    for who, address, status in (
        ("office", bureaus, 200), ("leader", bureaus, 200), ("secretary_a", bureaus, 404),
        ("office", own, 200), ("secretary_a", own, 200), ("secretary_b", own, 404),
    ):  # fmt: skip
        assert person(who).get(address).status_code == status, (who, address)
        number = address.rpartition("=")[2]
        assert person(who).get(f"/report/export/?id={number}").status_code == status


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["office", "secretary_a"])
@pytest.mark.parametrize("key", definitions.ORDER)
def test_every_number_on_a_report_opens_as_many_names(person, name, key):
    at = person(name)
    page = at.get(f"/report/show/?kind={key}&on=2026-06-30").text
    links = re.findall(r'href="\.\./(names/[^"]+)">([\d,]+)<', page)
    assert links
    for address, number in links[::3]:
        names = at.get("/report/" + address.replace("&amp;", "&")).text
        assert f" {number} 人</h1>" in names


@pytest.mark.parametrize("query", ["kind=nothing", "kind=pivot&rows=sex&columns=sex", "kind=pivot&rows=sex&columns=grade&pool=x"])
def test_a_report_that_is_not_there_is_404(person, query):
    assert person("office").get(f"/report/show/?{query}").status_code == 404


@pytest.mark.parametrize("query", ["on=gestern", "on=2126-01-01", "on=0001-01-01"])
def test_a_day_that_cannot_be_is_said_in_a_sentence(person, query):
    at = person("office")
    answer = at.get(f"/report/show/?kind=county&{query}", follow_redirects=True)
    assert answer.status_code == 200 and re.search("日期应写作|日期不能晚于今天|日期超出范围", answer.text)


def test_an_export_leaves_an_entry_and_says_what_it_is(person, system):
    answer = person("leader").get("/report/export/?kind=county&on=2026-06-30")
    assert answer.status_code == 200 and "2026" in answer.headers["Content-Disposition"]
    entry = system.scalars(select(m.AuditEntry).where(m.AuditEntry.action == "export").order_by(m.AuditEntry.id.desc())).first()
    assert entry.table_name == "report"


def test_the_counsellor_gets_no_numbers_of_families(person):
    assert person("counsellor_a").get("/report/").status_code == 403


def test_ages_cannot_fall_between_the_columns():
    assert {members._age_group(age) for age in range(20)} == set(members.TRAITS["age_group"].words)


# --- who has handed in ---


def test_the_office_sees_which_school_has_handed_a_report_in_and_a_school_only_itself(app, ids, open_as):
    def hand_in(who, on, at):
        with open_as(who) as session:
            with time_machine.travel(at, tick=False):
                kept = keeping.keep(session, count(session, "dropouts", Period(on.replace(day=1), on)), who)
                session.flush()
                keeping.hand_in(kept, who)
            session.commit()
            return kept.id

    start = dt.datetime(2026, 5, 1, tzinfo=labels.COUNTY_CLOCK)
    hand_in("secretary_a", dt.date(2026, 3, 31), start - dt.timedelta(seconds=1))
    newest = [hand_in("secretary_a", dt.date(2026, 4, 30), start + dt.timedelta(days=days)) for days in (0, 3)][-1]
    with open_as("secretary_b") as session:
        keeping.keep(session, count(session, "dropouts", Period(dt.date(2026, 4, 1), dt.date(2026, 4, 30))), "b")
        session.commit()
    seen = lambda session, kind, since: [(s.school.id, s.report and s.report.id) for s in keeping.standings(session, kind, since)]  # noqa: E731
    with open_as("office") as session:
        assert seen(session, "dropouts", start.date()) == [(ids.b, None), (ids.a, newest)]
        assert seen(session, "handovers", start.date()) == [(ids.a, None), (ids.b, None)]
        assert seen(session, "dropouts", dt.date(2026, 5, 5)) == [(ids.a, None), (ids.b, None)]
    with open_as("secretary_b") as session:
        assert seen(session, "dropouts", start.date()) == [(ids.b, None)]


def test_who_has_not_handed_in_is_reminded_from_the_same_page(app, ids, person):
    office = person("office")
    page = office.get("/report/standings/?kind=dropouts").text
    assert "未上报 <b>2</b>" in page and page.count("checked") == 2
    about = re.search(r'name="about" value="([^"]+)"', page)[1]
    said = {"school": [ids.a, ids.b], "words": "请于月底前上报。", "about": about}
    assert "催办：请上报控辍保学月报表" in office.post("/notice/chase/", said, follow_redirects=True).text
    assert "催办：请上报控辍保学月报表" in person("secretary_a").get("/notice/").text
    assert 'name="school"' not in person("leader").get("/report/standings/?kind=dropouts").text
    for wrong in ("?kind=x", "?since=x&kind=x"):
        assert office.get(f"/report/standings/{wrong}").status_code in (302, 404)
