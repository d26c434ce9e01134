"""English can be chosen: every word of the screens has its English, and the compiled catalogue is the written one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from babel.messages.extract import extract_from_dir

from admin_app import labels, models as m
from admin_app.orm import Base, Choice
from admin_app.records import inventory
from admin_app.records.reports import definition, members
from tests.test_matrix import RIGHTS

ROOT = Path(__file__).parent.parent / "admin_app"
FOLDER = ROOT / "translations" / "en" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


@pytest.fixture(scope="module")
def english():
    with (FOLDER / "messages.mo").open("rb") as file:
        return {message.id: message.string for message in mofile.read_mo(file) if message.id}


def test_the_compiled_catalogue_is_the_written_one(english):
    with (FOLDER / "messages.po").open("rb") as file:
        written = {message.id: message.string for message in pofile.read_po(file) if message.id and message.string}
    assert english == written


@pytest.mark.matrix
def test_every_word_of_pages_and_views_is_translated(english):
    found = {
        text
        for _file, _line, text, *_ in extract_from_dir(
            str(ROOT), METHODS, keywords={"_": None, "gettext": None, "lazy_gettext": None}
        )
    }
    assert sorted(text for text in found if text and text not in english) == []


def test_every_label_of_a_column_and_every_choice_is_translated(english):
    words = {*labels.TABLES.values(), *labels.DEEDS.values()}
    for mapper in Base.registry.mappers:
        for prop in mapper.attrs:
            words |= {labels.label(mapper.class_, prop.key), labels.hint(mapper.class_, prop.key) or ""}
    for choices in Choice.__subclasses__():
        if choices is not m.Ethnic:
            words |= {member.label for member in choices}
    assert sorted(w for w in words if re.search("[\u4e00-\u9fff]", w) and w not in english) == []


AT_A_TERMINAL = {"backups.py", "commands.py", "keys.py", "settings.py", "chunks.py", "orm.py", "migrations"}
"""Modules whose sentences are said by commands, which speak Chinese."""


@pytest.mark.matrix
def test_every_fixed_sentence_that_refuses_an_entry_is_translated(english):
    found = set()
    for file in ROOT.rglob("*.py"):
        if AT_A_TERMINAL & {*file.parts}:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "Complaint"
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(node.args[0].value)
            if file.name == "rules.py" and isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
    sentences = {words for words in found if re.search("[\u4e00-\u9fff]", words)}
    assert len(sentences) > 100 and sorted(sentences - english.keys()) == []


def test_placeholders_survive_translation(english):
    for chinese, words in english.items():
        assert sorted(re.findall(r"%\(\w+\)[sd]", chinese)) == sorted(re.findall(r"%\(\w+\)[sd]", words)), chinese


def test_an_actor_may_choose_english(person):
    browser = person("office")
    assert browser.post("/language", {"locale": "en"}).status_code == 302
    page = browser.get("/").text
    assert '<html lang="en">' in page and "工作台" not in page


def of_reports() -> set[str]:
    """What the pages show of the definition files: titles, groups, columns, bases."""
    words = {trait.label for trait in members.TRAITS.values()} | set(definition.AXIS_WORDS.values())
    for report in definition.every():
        words |= {report.title, report.basis, report.to, *(title for _column, title in report.lists)}
        words |= {word for column in report.columns for word in (column.group, column.title) if word}
    return words | {basis for basis, _when in definition.POOLS.values()}


def test_every_word_of_the_report_definitions_is_translated(english):
    assert sorted(word for word in of_reports() if re.search("[\u4e00-\u9fff]", word) and word not in english) == []


def test_every_word_of_the_list_of_what_is_held_is_translated(english):
    words = {word for line in inventory.lines() for word in (line.table, line.column, line.who, line.kind, line.basis, line.kept)}
    words |= {word for line in inventory.lines() for word in (line.stored, *line.readers.split("、"))}
    assert sorted(word for word in words if word not in english) == []


@pytest.mark.matrix
def test_every_field_of_every_form_is_called_by_a_chinese_name_and_stands_there_once(person):
    asked = 0
    for who in ("office", "secretary_a", "counsellor_a", "admin"):
        browser = person(who)
        for screen in RIGHTS:
            answer = browser.get(f"/{screen}/new/")
            if answer.status_code != 200:
                continue
            asked += 1
            labels_shown = [
                re.sub("<[^>]+>", "", words).strip() for words in re.findall(r"<label[^>]*>(.*?)</label>", answer.text, re.S)
            ]
            assert [words for words in labels_shown if not re.search("[\u4e00-\u9fff]", words)] == [], screen
            ids = re.findall(r'<(?:input|select|textarea)[^>]*\bid="([^"]+)"', answer.text)
            assert sorted(set(ids)) == sorted(ids), screen
    assert asked > 50
