"""docs/security.md answers every requirement once, and the tests it calls as witnesses exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TABLE = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if re.match(r"\| S\d\d \|", line)]
MET, OTHERWISE, PART, OPEN, NONE = STATES = ("达到", "以别的方式达到", "部分达到", "未做", "不适用")


@cache
def names_in(file: str) -> set[str]:
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_requirement_is_answered_once_and_in_order():
    assert [row[0] for row in TABLE] == [f"S{n:02}" for n in range(1, 98)]
    assert {len(row) for row in TABLE} == {5}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_an_answer_is_one_of_five_and_its_witnesses_exist(row):
    _number, what, state, how, witnesses = row
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", witnesses)
    assert state in STATES and what and len(named) == witnesses.count("::")
    assert [(file, name) for file, name in named if name not in names_in(file)] == []
    assert named or state in (PART, OPEN, NONE)
    assert how != "—" or state == OPEN
    assert state != PART or "缺" in how, "what is missing is said"


def test_all_that_is_open_is_listed_at_the_end():
    listed = set(re.findall(r"S\d\d", TEXT.rpartition("## 尚未做到的")[2]))
    assert listed == {row[0] for row in TABLE if row[2] in (PART, OPEN)}


def test_what_stands_in_the_code_is_named_as_it_is_called_there():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "admin_app").rglob("*.py"))
    named = re.findall(r"`(?:\w+\.)*(\w+)`", " ".join(row[3] for row in TABLE))
    assert sorted({name for name in named if name != "txt" and not re.search(rf"\b{name}\b", code)}) == []
