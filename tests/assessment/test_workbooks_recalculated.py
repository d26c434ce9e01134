"""LibreOffice computes every workbook anew: the formulas give the product's numbers, and a changed weight moves them."""

from __future__ import annotations

import io
import json
import multiprocessing
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from admin_app.assessment import results, workbooks
from admin_app.assessment.patterns import cents
from admin_app.assessment.workbooks import formulas
from tests import libreoffice
from tests.assessment import books
from tests.assessment.test_workbooks import exact, lines, load, named

pytestmark = [pytest.mark.slow, libreoffice.NEEDED]
recalculated = libreoffice.recalculated


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo county's workbooks and its cards; made in a process of its own, since a process has one register."""
    folder = tmp_path_factory.mktemp("demo")
    making = multiprocessing.get_context("spawn").Process(target=make_demo, args=(folder,))
    making.start()
    making.join()
    assert making.exitcode == 0
    return folder


def make_demo(folder: Path) -> None:
    from sqlalchemy import select

    from admin_app.access import SYSTEM
    from admin_app.db import session_with
    from admin_app.models import Round
    from bench import app_in, load_demo

    with app_in(folder) as app, app.app_context():
        load_demo()
        with session_with(SYSTEM) as session:
            round_ = session.scalars(select(Round).where(Round.code == "2026")).one()
            found = results.score(session, round_)
            book = workbooks.Book.of(session, round_, found, "测试")
            (folder / "summary.xlsx").write_bytes(workbooks.summary(book))
            with workbooks.all_sheets(book) as file:
                (folder / "all.zip").write_bytes(file.read())
            cards = results.as_json(round_, found.cards)["schools"]
            (folder / "cards.json").write_text(json.dumps(cards, ensure_ascii=False), encoding="utf-8")


def changed(content, cells):
    """The workbook with other numbers on 参数: {words or code: value}."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    left = dict(cells)
    for row in book["参数"].iter_rows():
        if row[0].value in left:
            column = 2 if str(row[0].value).startswith("A") else 1
            row[column].value = left.pop(row[0].value)
    assert not left
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def same(value, wanted):
    """To the cent: a number read back is the nearest double."""
    if isinstance(wanted, Decimal) and not isinstance(value, str) and value is not None:
        return abs(exact(value) - wanted) < Decimal("1E-9")
    return value == wanted


def ranked(cards):
    """What a rank cell says of each of the cards: a place, 并列, or why there is none."""
    places = [(card["group"], card["rank"]) for card in cards if card["rank"]]

    def words(card):
        if card["rank"] is None:
            return "不参评" if card["grade"] == "不参评" else "—"
        return f"{card['rank']} 并列" if places.count((card["group"], card["rank"])) > 1 else str(card["rank"])

    return {card["name"]: words(card) for card in cards}


def assert_summary(book, cards):
    rows, details = lines(book["汇总"]), lines(book["评分表"], head=1)
    words = ranked(cards)
    for card in cards:
        row, name = rows[card["name"]], card["name"]
        absent = "不参评" if card["grade"] == "不参评" else "待评"
        for head, key in (("基础分", "base"), ("加分", "bonus"), ("扣分", "discipline"), ("总分", "total"), ("折算分", "fold")):
            missing = "—" if key == "fold" else absent
            assert same(row[head], missing if card[key] is None else Decimal(card[key])), (name, head, row[head], card[key])
        assert str(row["名次"]) == words[name] and row["等次"] == (card["grade"] or "—"), (name, row["名次"], row["等次"])
        assert same(details[name]["得分"], Decimal(card["earned"])), name
        assert same(details[name]["适用满分"], Decimal(card["applicable"])), name
        for item in card["items"]:
            if item["score"] is not None:
                assert same(details[name][item["code"]], Decimal(item["score"])), (name, item["code"])


def assert_sheet(book, card, place):
    absent = "不参评" if card["grade"] == "不参评" else "待评"
    for name in ("earned", "applicable", "base", "bonus", "discipline", "total"):
        value = named(book, name)
        assert same(value, absent if card[name] is None else Decimal(card[name])), (card["name"], name, value, card[name])
    assert same(named(book, "fold"), "—" if card["fold"] is None else Decimal(card["fold"])), card["name"]
    assert named(book, "grade") == (card["grade"] or "—") and str(named(book, "place")) == place, card["name"]


def test_the_demo_county_computed_anew_is_the_same_to_the_cent(demo, recalculated):
    cards = json.loads((demo / "cards.json").read_text(encoding="utf-8"))
    # what is kept beside the formulas is spoilt first: only what is computed can be right
    contents = {"": without_values((demo / "summary.xlsx").read_bytes())}
    with zipfile.ZipFile(demo / "all.zip") as archive:
        contents |= {name[:-5].split("-", 2)[2]: without_values(archive.read(name)) for name in archive.namelist()}
    assert len(contents) == 91
    found, places = recalculated(contents), ranked(cards)
    assert_summary(found[""], cards)
    for card in cards:
        assert_sheet(found[card["name"]], card, places[card["name"]])


def without_values(content):
    """A workbook whose formulas have no values beside them: openpyxl does not keep them."""
    book, buffer = openpyxl.load_workbook(io.BytesIO(content)), io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.fixture
def county(system, judged):
    return books.county(workbooks.Book.of(system, judged, results.score(system, judged), "测试"))


def as_read(book):
    return results.as_json(book.round_, book.results.cards)["schools"]


def test_ties_vetoes_caps_small_groups_and_absences_are_computed_as_the_engine_does(county, recalculated):
    cards, names = as_read(county), {card.name: card.school_id for card in county.results.cards}
    contents = {name: without_values(workbooks.school_sheet(county, school)) for name, school in names.items()}
    found, places = recalculated(contents | {"": without_values(workbooks.summary(county))}), ranked(cards)
    assert_summary(found[""], cards)
    for card in cards:
        assert_sheet(found[card["name"]], card, places[card["name"]])


def test_no_cell_of_any_sheet_is_an_error_or_other_than_its_cached_value(county, recalculated):
    contents = {"summary": workbooks.summary(county), "sheet": workbooks.school_sheet(county, 1002)}
    contents["form"] = workbooks.self_form(county, 1002)
    for name, found in recalculated(contents).items():
        for sheet in load(contents[name]):
            for row in sheet.iter_rows():
                for cell in row:
                    now = found[sheet.title][cell.coordinate].value
                    wanted = Decimal(str(cell.value)) if isinstance(cell.value, int | float) else cell.value or None
                    assert same(now or None if isinstance(wanted, str | None) else now, wanted), (
                        name,
                        sheet.title,
                        cell.coordinate,
                    )


def test_a_changed_weight_moves_totals_places_and_grades(county, recalculated):
    content = workbooks.summary(county)
    found = recalculated(
        {
            "points": changed(content, {"A2.2": 50}),
            "cap": changed(content, {"加分封顶": 1}),
            "quota": changed(content, {"优秀比例": 1}),
            "minimum": changed(content, {"参评最低适用分": 98}),
            "fold": changed(content, {"折算分值": 10}),
            "own": changed(workbooks.school_sheet(county, 1002), {"A2.2": 50}),
        }
    )
    rows = {name: lines(book["汇总"]) for name, book in found.items() if name != "own"}
    before = {card.name: card for card in county.results.cards}
    # 乙校 lost 1.5 of 5 in A2.2: at 50 points it loses 15
    second = before["乙校"]
    earned, applicable = second.earned - Decimal("3.5") + 35, second.applicable + 45
    wanted = (earned / applicable * 100).quantize(Decimal("0.01"))
    assert same(rows["points"]["乙校"]["总分"], wanted) and same(named(found["own"], "total"), wanted)
    assert rows["points"]["甲校"]["名次"] == 1 and rows["points"]["乙校"]["等次"] != second.grade
    assert same(rows["cap"]["甲校"]["总分"], before["甲校"].base + 1)
    full = {name for name, row in rows["quota"].items() if row.get("等次") == "优秀"}
    assert full > {card.name for card in county.results.cards if card.grade == "优秀"}
    assert rows["minimum"]["乙校"]["等次"] == rows["minimum"]["乙校"]["名次"] == "不参评"
    assert same(rows["fold"]["乙校"]["折算分"], (second.total / 10).quantize(Decimal("0.01")))


def test_exact_half_cents_round_up_as_they_do_in_the_engine(recalculated):
    """Doubles lie beside most half cents: every base and every rate that falls on one, for the usual maxima."""
    half = Decimal("0.005")
    wholes = [Decimal(n) / 2 for n in range(120, 201)]
    bases = [(Decimal(e) / 100, a) for a in wholes for e in range(0, int(a * 100) + 1, 5) if on_half(Decimal(e) * 100, a)]
    tops = [Decimal(t) / 2 for t in (1, 2, 3, 4, 5, 6, 8, 10)]
    rates = [(t * n / d, t, n, d) for t in tops for d in range(1, 81) for n in range(d + 1) if on_half(t * n * 100, Decimal(d))]
    assert len(bases) > 500 and len(rates) > 500
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for row, (earned, applicable) in enumerate(bases):
            sheet.write_row(row, 0, [earned, applicable])
            sheet.write_formula(row, 2, "=" + formulas.cents(f"A{row + 1}/B{row + 1}*100"))
        for row, (_value, top, n, d) in enumerate(rates):
            sheet.write_row(row, 4, [top, n, d])
            sheet.write_formula(row, 7, f"=MAX(0,MIN(1,F{row + 1}/G{row + 1}/1))")
            sheet.write_formula(row, 8, f"=ROUND(ROUND(E{row + 1}*H{row + 1},9),2)")
    found = recalculated({"": buffer.getvalue()})[""].active
    for row, (earned, applicable) in enumerate(bases, 1):
        exactly = earned / applicable * 100
        assert same(found.cell(row, 3).value, cents(exactly)) and cents(exactly) == exactly + half
    for row, (value, *_rest) in enumerate(rates, 1):
        assert same(found.cell(row, 9).value, cents(value)), rates[row - 1]


def on_half(cents_of: Decimal, whole: Decimal) -> bool:
    """Is a quotient exactly a half above a whole number of cents?"""
    scaled = cents_of * 2 / whole
    return scaled == scaled.to_integral_value() and scaled % 2 == 1
