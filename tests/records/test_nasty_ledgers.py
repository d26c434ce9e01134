"""The worst ledgers: what is read of each row, or why it is refused; and the command says of each what the page shows."""

from __future__ import annotations

import html
import io
import json
import random
import re

import pytest
from click.testing import CliRunner

from admin_app import commands, models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.records import importing, ledger
from admin_app.sheets import reader
from tests.records import layouts
from tests.records.nasty_ledgers import HEADER, LEDGERS, line, table
from tests.records.test_importing import plan_for


@pytest.mark.parametrize("name", LEDGERS)
def test_every_row_becomes_what_it_should(name):
    content, rows = LEDGERS[name]
    entries = {f"{entry.sheet}!{entry.number}": entry for entry in ledger.entries(reader.read(content, name))}
    assert list(entries) == list(rows)
    for place, told in rows.items():
        errors = [problem.text for problem in entries[place].problems if problem.level == "error"]
        if isinstance(told, str):
            assert len(errors) == 1 and told in errors[0], (place, errors)
        else:
            assert errors == [], place
            assert {key: entries[place].values.get(key) for key in told} == told, place


# --- the command and the page

SCHOOL = "2153990001"


def of_command(content, name, tmp_path):
    """What ``import-ledger --dry-run --json`` says, as the page puts it."""
    file = tmp_path / name
    file.write_bytes(content)
    done = CliRunner().invoke(commands.main, ["import-ledger", str(file), "--school", SCHOOL, "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    words, several = importing.STATUS_WORDS, len({row["sheet"] for row in answer["rows"]}) > 1
    rows = [
        (
            row["sheet"] if several else "",
            row["row"],
            words[row["status"]],
            [(problem["cell"], problem["text"]) for problem in row["problems"]],
        )
        for row in answer["rows"]
    ]
    assert sum(answer["counts"].values()) == len(rows) == len({row[:2] for row in rows})
    return {words[status]: count for status, count in answer["counts"].items()}, rows


ROW = re.compile(
    r'<tr><td class="ro">(\d+)(?:<br><small>([^<]*)</small>)?</td><td>(.*?)</td>\s*<td class="why[^"]*">(.*?)</td>', re.DOTALL
)


def of_page(content, name, person, school_id):
    """What the preview shows."""
    data = {"school": str(school_id), "start": "2025-09-01", "file": (io.BytesIO(content), name)}
    page = person("office").post("/imports/", data, content_type="multipart/form-data", follow_redirects=True).text
    counts = {
        word: int(count) for count, word in re.findall(r"<b>(\d+)</b>(\w+)</a>", page) if word in importing.STATUS_WORDS.values()
    }
    rows = []
    for number, sheet, status, why in ROW.findall(page):
        problems = [(cell, html.unescape(text)) for cell, text in re.findall(r"<div>(\S*) (.*?)</div>", why, re.DOTALL)]
        rows.append((sheet, int(number), re.sub("<[^>]*>", " ", status).split()[0], problems))
    return counts, rows


@pytest.fixture
def compared(app, ids, person, tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "running_app", lambda: app)

    def compare(content, name):
        assert of_command(content, name, tmp_path) == of_page(content, name, person, ids.a), name

    return compare


def test_the_command_says_of_a_schools_ledger_what_the_page_shows(compared, ledgers):
    for path in sorted(ledgers.glob("*.xlsx")):
        compared(path.read_bytes(), path.name)
    for name in ("duplicates_equal_and_different.xlsx", "names_numbers_and_dates_of_all_kinds.xlsx"):
        compared(LEDGERS[name][0], name)


def test_the_command_knows_a_schools_own_names_of_columns_too(compared, app, ids):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.add(m.LedgerName(school_id=ids.a, words="娃娃", key="name"))
        session.commit()
    compared(table(["娃娃" if title == "姓名" else title for title in HEADER], line(1)), "土表.xlsx")


@pytest.mark.matrix
def test_the_command_says_of_every_ledger_what_the_page_shows(compared):
    for name, (content, _rows) in LEDGERS.items():
        compared(content, name)
    for seed in range(40):
        chance = random.Random(seed)
        made = layouts.ledger_of(layouts.children(chance, 8), chance)
        compared(made.content, made.file_name)


@pytest.mark.matrix
def test_a_warning_changes_no_status(open_as, ids, ledgers, monkeypatch):
    contents = [path.read_bytes() for path in ledgers.glob("*.xlsx")] + [
        content for name, (content, _rows) in LEDGERS.items() if name.endswith("xlsx")
    ]

    def statuses(session):
        return [[row.status for row in plan_for(session, content, ids.a).rows] for content in contents]

    with open_as("secretary_a") as session:
        before = statuses(session)
        say = ledger.Entry.say
        monkeypatch.setattr(ledger.Entry, "say", lambda self, key, level, text: level != "warning" and say(self, key, level, text))
        assert statuses(session) == before


def test_of_two_rows_of_a_child_the_equal_is_refused_and_the_different_are_both_unsure(open_as, ids):
    with open_as("secretary_a") as session:
        rows = plan_for(session, LEDGERS["duplicates_equal_and_different.xlsx"][0], ids.a).rows
    assert [row.status for row in rows] == ["new", "refused", "unsure", "unsure"]
