"""三方比对: each child of three lists once, in the class it belongs to, with what differs and why."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from hypothesis import given, settings, strategies as st
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from admin_app import models as m
from admin_app.models import Match, MatchReason, Sex
from admin_app.records import matching
from admin_app.records.matching import CIVIL, OURS, ROLL, Person
from admin_app.sheets.reader import Unreadable
from tests import factories as make

ON = dt.date(2026, 6, 30)
BORN = dt.date(2016, 5, 6)
ALL = frozenset({OURS, CIVIL, ROLL})


def person(source: str, name: str = "普小云", **more) -> Person:
    return Person(source, name, **({"sex": Sex.MALE, "birth": BORN} | more))


def verdicts(*lists: list[Person]) -> list[Match]:
    return [matching.verdict(found, ALL) for found in matching.match(*lists)]


@pytest.mark.parametrize(
    ("lists", "wanted"),
    [
        (([person(OURS)], [person(CIVIL)], [person(ROLL)]), [Match.SAME]),
        (([person(OURS)], [], []), [Match.OURS]),
        (([], [person(CIVIL)], []), [Match.CIVIL]),
        (([], [], [person(ROLL)]), [Match.ROLL]),
        (([person(OURS)], [person(CIVIL)], []), [Match.TWO]),
        (([person(OURS, number="A")], [person(CIVIL, "普晓云", number="A")], [person(ROLL)]), [Match.DIFFERENT]),
        (([person(OURS, number="A")], [person(CIVIL, number="B")], []), [Match.DIFFERENT]),
        (([person(OURS, number="A")], [person(CIVIL, birth=dt.date(2016, 5, 7), number="A")], []), [Match.DIFFERENT]),
        (([person(OURS, father="普大")], [person(CIVIL, birth=None, sex=None, father="普大")], []), [Match.TWO]),
        (([person(OURS, father="普大")], [person(CIVIL, birth=dt.date(2010, 1, 1), father="普大")], []), [Match.OURS, Match.CIVIL]),
    ],
)
def test_a_child_is_found_by_number_then_birth_then_father(lists, wanted):
    assert verdicts(*lists) == wanted


def test_of_two_who_could_be_meant_neither_is_taken():
    twins = [person(OURS, number="A"), person(OURS, number="B")]
    assert verdicts(twins, [person(CIVIL)], []) == [Match.OURS, Match.OURS, Match.CIVIL]


def test_the_difference_stands_side_by_side_with_the_number_masked():
    (found,) = matching.match([person(OURS, number="539999201605060017")], [person(CIVIL, "普晓云", number="539999201605060017")])
    assert matching.differences(found) == "姓名：本系统 普小云，民政 普晓云"
    (found,) = matching.match([person(OURS, number="539999201605060017")], [person(CIVIL, number="539999201605060033")])
    assert "证件号：本系统 5399****0017，民政 5399****0033" in matching.differences(found)


PEOPLE = st.lists(
    st.builds(
        dict,
        name=st.sampled_from(["普小云", "李小山", "罗小河"]),
        birth=st.sampled_from([BORN, dt.date(2015, 1, 1), None]),
        sex=st.sampled_from([Sex.MALE, Sex.FEMALE, None]),
        number=st.sampled_from(["A", "B", "C", None]),
        father=st.sampled_from(["普大", "李大", None]),
    ),
    max_size=8,
)


@given(PEOPLE, PEOPLE, PEOPLE)
@settings(max_examples=150, deadline=None)
def test_everybody_of_every_list_is_found_exactly_once(ours, civil, roll):
    lists = [[Person(source, **each) for each in people] for source, people in ((OURS, ours), (CIVIL, civil), (ROLL, roll))]
    found = matching.match(*lists)
    placed = [id(p) for each in found for p in each.people.values()]
    assert sorted(placed) == sorted(id(p) for people in lists for p in people)
    assert all(each.people.keys() == {p.source for p in each.people.values()} for each in found)


# --- with files ---


def sheet(*rows: list, heads=("序号", "姓名", "性别", "出生日期", "公民身份号码", "所属村", "父亲")) -> bytes:
    book = Workbook()
    book.active.append(["农村留守儿童登记表"])
    book.active.append(list(heads))
    for number, row in enumerate(rows, 1):
        book.active.append([number, *row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def children(system, ids):
    school = system.get(m.School, ids.a)
    number = make.id_number(dt.date(2016, 5, 6), order=951)
    both = make.left_behind(system, school, "普小云", id_number=number)
    one = make.child(system, school, "李半边", born=dt.date(2015, 3, 3))
    make.parent(system, one, m.Side.FATHER)
    make.parent(system, one, m.Side.MOTHER, m.ParentState.HOME)
    return both, one


def rows_of(session, kept) -> dict[str, m.ComparisonRow]:
    session.flush()
    return {row.name: row for row in session.scalars(select(m.ComparisonRow).where(m.ComparisonRow.comparison_id == kept.id))}


def compared(system, children) -> m.Comparison:
    both, _one = children
    civil = sheet(
        [both.name, "男", "2016-05-06", both.id_number, "晨光镇和平村", ""],
        ["白幼苗", "女", "2022-04-05", "", "晨光镇和平村", "白大"],
        ["错号码", "男", "2014-01-01", "539999201401010011", "", ""],
    )
    roll = sheet(
        [both.name, "男", "2016-05-06", both.id_number, "", "", "2"],
        ["李半边", "男", "2015-03-03", "", "", "", "1"],
        ["常在家", "女", "2015-03-04", "", "", "", "0"],
        heads=("序号", "姓名", "性别", "出生日期", "身份证件号", "所属村", "父亲", "是否留守儿童"),
    )
    found = matching.compare(system, ON, {CIVIL: ("民政.xlsx", civil), ROLL: ("学籍.xlsx", roll)})
    return matching.keep(system, found, "普玉珍")


def test_two_files_against_the_register_give_the_classes_and_the_likely_reasons(system, children):
    kept = compared(system, children)
    rows = rows_of(system, kept)
    assert rows["普小云"].match is Match.SAME and rows["普小云"].child_id == children[0].id
    assert (rows["白幼苗"].match, rows["白幼苗"].reason) == (Match.CIVIL, MatchReason.TOO_YOUNG)
    assert (rows["李半边"].match, rows["李半边"].reason) == (Match.ROLL, MatchReason.ONE_PARENT)
    assert rows["李半边"].child_id == children[1].id and "在广东" in rows["李半边"].explained
    assert "常在家" not in rows
    assert "校验位不对" in kept.unread and "民政名单" in kept.unread
    assert kept.counts[Match.SAME.value] == 1 and sum(kept.counts.values()) == len(rows)


def test_a_reason_given_once_is_kept_when_the_lists_are_compared_again(system, children):
    kept = compared(system, children)
    row = rows_of(system, kept)["白幼苗"]
    assert matching.explain(system, kept, {row.id: ("elsewhere", "随父母在昆明")}) == 1
    again = rows_of(system, compared(system, children))["白幼苗"]
    assert (again.reason, again.remark) == (MatchReason.ELSEWHERE, "随父母在昆明")


def test_a_slip_in_one_field_is_a_difference_and_a_namesake_is_pointed_out():
    (found,) = matching.match([person(OURS, number=None)], [person(CIVIL, sex=Sex.FEMALE)], [])
    assert matching.verdict(found, ALL) is Match.DIFFERENT and "性别：本系统 男，民政 女" in matching.differences(found)
    ours, civil = matching.match([person(OURS, place="云岭小学")], [person(CIVIL, birth=dt.date(2016, 5, 16))], [])
    assert ours.namesake == "同名：民政 2016-05-16 男" and civil.namesake == "同名：本系统 云岭小学 2016-05-06 男"
    assert matching.guess(civil, Match.CIVIL, ON) is None


def test_a_guess_is_marked_until_a_person_has_saved_it(system, children):
    kept = compared(system, children)
    row = rows_of(system, kept)["白幼苗"]
    assert row.reason is MatchReason.TOO_YOUNG and not row.confirmed
    matching.explain(system, kept, {row.id: ("too_young", "")})
    assert row.confirmed


@pytest.mark.parametrize(("reason", "remark"), [("nonsense", ""), ("other", "长" * 101)])
def test_a_reason_that_is_none_is_said(system, children, reason, remark):
    kept = compared(system, children)
    row = rows_of(system, kept)["白幼苗"]
    with pytest.raises(matching.Complaint, match="白幼苗"):
        matching.explain(system, kept, {row.id: (reason, remark)})


def test_a_comparison_needs_a_file_that_is_a_list(system):
    with pytest.raises(matching.Complaint, match="至少选择一份"):
        matching.compare(system, ON, {})
    with pytest.raises(Unreadable):
        matching.compare(system, ON, {CIVIL: ("图.xlsx", b"\x89PNG")})


def test_the_office_compares_reads_explains_and_exports(person):
    civil = sheet(["甲小雨", "男", "2016-05-06", "", "", ""], ["白幼苗", "女", "2022-04-05", "", "", ""])
    office = person("office")
    made = office.post("/matching/compare/", {"on": "2026-06-30", "civil": (io.BytesIO(civil), "民政.xlsx")})
    address = made.headers["Location"]
    page = office.get(address)
    assert page.status_code == 200 and "白幼苗" in page.text and "5399****" in page.text
    book = load_workbook(io.BytesIO(office.get(address.replace("show", "export")).data))
    lines = [[cell.value for cell in row] for row in book["差异名单"].iter_rows(min_row=2)]
    assert any(line[:2] == ["仅民政有", "白幼苗"] and line[11] == "未入园、未入学（推测）" for line in lines)
    assert "农村留守儿童三方比对结果" in book.worksheets[0]["A1"].value
    assert person("leader").get(address).status_code == 200
    assert person("leader").post("/matching/compare/", {"on": "2026-06-30"}).status_code == 403
    assert person("secretary_a").get(address).status_code == 403
    assert "至少选择一份" in office.post("/matching/compare/", {"on": "2026-06-30"}, follow_redirects=True).text
    picture = {"on": "2026-06-30", "roll": (io.BytesIO(b"\x89PNG"), "图.xlsx")}
    assert "不是 Excel" in office.post("/matching/compare/", picture, follow_redirects=True).text


def test_thousands_of_equal_rows_do_not_take_long(monkeypatch):
    """Each person looks at two candidates at most under each key, however many there are."""
    many, looks, may_be = 4000, [0], matching._may_be

    def counted(*args, **more):
        looks[0] += 1
        return may_be(*args, **more)

    monkeypatch.setattr(matching, "_may_be", counted)
    lists = [[Person(source, "普小云", father="普大") for _ in range(many)] for source in (CIVIL, ROLL)]
    assert len(matching.match(*lists)) == 2 * many
    assert 0 < looks[0] <= 2 * 2 * many


def test_a_weaker_likeness_takes_no_child_from_its_own_number():
    """The file's first row could be the child by its father; the second is, by its number."""
    number = "539999201605060011"
    child = Person(OURS, "李明", number=number, father="李强")
    rows = [Person(CIVIL, "李明", father="李强"), Person(CIVIL, "李明", number=number)]
    found = matching.match([child], rows)
    assert [each.people for each in found] == [{OURS: child, CIVIL: rows[1]}, {CIVIL: rows[0]}]
