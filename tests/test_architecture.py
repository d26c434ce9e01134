"""The house rules that imports alone cannot show."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(p for p in (ROOT / "admin_app").rglob("*.py") if "migrations" not in p.parts)
MAY_COMMIT = {"commands.py", "db.py", "keys.py"}
MAY_TALK_CORE = {"access.py", "audit.py", "db.py", "row_security.py", "keys.py", "once.py"}


@cache
def nodes(path):
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def calls(path):
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""), node


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_requests_and_commands_commit(path):
    if path.name not in MAY_COMMIT and "views" not in path.parts:
        assert "commit" not in [name for name, _node in calls(path)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_statements_past_the_row_filter_stand_in_few_modules_only(path):
    if path.name in MAY_TALK_CORE or path.name in ("models.py", "orm.py"):
        return
    forbidden = {"text", "begin_nested", "bulk_save_objects", "bulk_insert_mappings", "exec_driver_sql"}
    used = {name for name, node in calls(path) if not (name == "text" and isinstance(node.func, ast.Attribute))}
    assert not used & forbidden - ({"text"} if "text" in defined(path) else set())
    assert "__table__" not in path.read_text(encoding="utf-8")


def defined(path):
    return {n.name for n in nodes(path) if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize("path", [p for p in MODULES if "assessment" in p.parts and "views" not in p.parts], ids=lambda p: p.name)
def test_no_float_in_the_assessment(path):
    assert not [n for n in nodes(path) if isinstance(n, ast.Constant) and isinstance(n.value, float)]
    assert not [n for n in nodes(path) if isinstance(n, ast.Name) and n.id == "float"]


@pytest.mark.parametrize("path", sorted((ROOT / "admin_app" / "templates").rglob("*.html")), ids=lambda p: p.name)
def test_templates_have_no_inline_handler_style_or_unsafe_markup(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<[^>{]*\son\w+=|javascript:|\sstyle=|\|\s*safe|<script>", text)


def test_no_view_decides_about_rows():
    for path in (ROOT / "admin_app" / "views").glob("*.py"):
        assert "school_id ==" not in path.read_text(encoding="utf-8")


def test_the_layers_hold():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_code_is_formatted_and_linted():
    ruff = str(Path(sys.executable).parent / "ruff")
    for words in (["check", "."], ["format", "--check", "."]):
        done = subprocess.run([ruff, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]


def test_every_ruling_that_code_or_a_test_names_is_written_down():
    written = set(re.findall(r"^(\d+)\. ", (ROOT / "docs" / "rubric.md").read_text(encoding="utf-8"), re.M))
    named = set()
    for path in (*MODULES, *(ROOT / "tests").rglob("*.py")):
        for first, last in re.findall(r"[Rr]ulings? (\d+)(?:[-–](\d+))?", path.read_text(encoding="utf-8")):
            named |= set(map(str, range(int(first), int(last or first) + 1)))
    assert named and sorted(named - written) == []


COMPOSED = {"alert-success", "level-0", "level-2"}
"""Classes whose names a template puts together."""


def test_every_class_of_the_style_sheet_stands_on_a_page():
    sheet = (ROOT / "admin_app" / "static" / "app.css").read_text(encoding="utf-8")
    selectors = re.sub(r"/\*.*?\*/|\{[^{}]*\}", "{}", sheet, flags=re.S)
    pages = [*(ROOT / "admin_app").rglob("*.html"), *MODULES, ROOT / "admin_app" / "static" / "app.js"]
    words = set(re.findall(r"[\w-]+", "\n".join(path.read_text(encoding="utf-8") for path in pages)))
    assert sorted(set(re.findall(r"\.([a-zA-Z][\w-]*)", selectors)) - words - COMPOSED) == []
