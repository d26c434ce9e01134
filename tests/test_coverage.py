"""docs/coverage.md says where every row of the plan is served: each row is there once, and what it names exists."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path

import pytest

from admin_app import models as m
from admin_app.assessment import facts
from admin_app.orm import Base
from admin_app.records import county

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
REFERENCE = ROOT / "seed" / "reference"
ROWS = 77
ENDPOINT = re.compile(r"[a-z_]+\.[a-z_]+")
MODEL = re.compile(r"[A-Z][A-Za-z]+")
METRIC = re.compile(r"指标 (\S+)")
SETTING = re.compile(r"[a-z_]+")
FILE = re.compile(r"[\w/]+/\w+\.py")
OURS = ("tests/test_coverage.py",)


def named(pattern: re.Pattern[str], text: str = TEXT) -> set[str]:
    """What stands in backticks and has this form."""
    found = (pattern.fullmatch(token) for token in re.findall(r"`([^`]+)`", text))
    return {match.group(match.lastindex or 0) for match in found if match}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


TABLE = [cells(line) for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line)]
ITEMS = {
    item["code"]: item
    for head in tomllib.loads((REFERENCE / "rubric.toml").read_text(encoding="utf-8"))["level1"]
    for item in head["item"]
}


def listed_codes() -> set[str]:
    with (REFERENCE / "code.csv").open(encoding="utf-8") as file:
        return {row["code"] for row in csv.DictReader(file)} | {kind.value for kind in m.CategoryKind}


def test_every_row_of_the_plan_is_there_once_and_in_order():
    assert [int(row[0]) for row in TABLE] == list(range(1, ROWS + 1))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_a_row_names_its_clause_a_screen_and_a_record(row):
    assert len(row) == 6 and all(row)
    _number, plan, how, screens, records, _report = row
    assert re.search(r"（(二|四|三\([一二三四]\)|三\(五\)～\(七\)|文号|主送|依据|引言)）$", plan)
    assert how.startswith("【部分】") == ("缺：" in how)
    assert named(ENDPOINT, screens)
    assert named(MODEL, records)


def test_nothing_in_backticks_goes_unchecked():
    kinds = (ENDPOINT, MODEL, METRIC, SETTING, FILE)
    assert [token for token in re.findall(r"`([^`]+)`", TEXT) if not any(kind.fullmatch(token) for kind in kinds)] == []


def test_the_screens_are_in_the_app(app):
    assert sorted(named(ENDPOINT) - {rule.endpoint for rule in app.url_map.iter_rules()}) == []


def test_the_records_are_mapped():
    assert (
        sorted(
            named(MODEL) - {mapper.class_.__name__ for mapper in Base.registry.mappers if mapper.class_.__module__ == m.__name__}
        )
        == []
    )


def test_the_metrics_are_computed():
    assert sorted(named(METRIC) - facts.METRICS.keys()) == []


def test_the_settings_are_the_countys():
    assert named(SETTING) == {setting.key for setting in county.SETTINGS}


def test_the_files_are_there():
    assert [name for name in named(FILE) if not (ROOT / name if name in OURS else ROOT / "admin_app" / name).exists()] == []


def test_the_indicators_take_their_points_from_the_metrics_named_beside_them():
    assert sorted(set(re.findall(r"A\d+\.\d", TEXT)) - ITEMS.keys()) == []
    beside = [(code, metric) for code, words in re.findall(r"(A\d+\.\d)（([^）]+)）", TEXT) for metric in named(METRIC, words)]
    assert beside
    assert [(code, metric) for code, metric in beside if f"'{metric}'" not in str(ITEMS[code]["params"])] == []


def test_the_codes_of_kinds_are_in_the_countys_lists():
    codes = {code for row in TABLE for code in re.findall(r"(?<![A-Za-z0-9.])[A-EH-Z]\d{1,2}(?![\d.])", row[2] + row[4])}
    assert sorted(codes - listed_codes()) == []


def test_what_is_served_in_part_is_listed_at_the_end():
    marked = [row[0] for row in TABLE if row[2].startswith("【部分】")]
    assert re.findall(r"\d+", TEXT.rpartition("## 尚未全部办到的行")[2]) == marked
