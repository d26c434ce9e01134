"""Every branch of the modules that decide who may do what, and what is acceptable, is taken by a quick test.

A module is here with the tests that are its own, not with the whole suite: what only passes through it proves nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
POLICY = ("access", "rules", "limits", "passwords", "row_security", "audit")
ON_SQLITE = (
    "test_access",
    "test_rules",
    "test_limits",
    "test_probing",
    "test_login",
    "test_audit",
    "test_keys",
    "records/test_erasure",
)
ON_POSTGRES = ("test_row_security",)


def measure(data: Path, tests: tuple[str, ...], **env: str) -> None:
    """Add to ``data`` what these tests run through."""
    files = ",".join(f"admin_app/{name}.py" for name in POLICY)
    command = [sys.executable, "-m", "coverage", "run", "--append", "--branch", f"--include={files}", "-m", "pytest"]
    command += ["-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist", *(f"tests/{name}.py" for name in tests)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "TEST_POSTGRES"))}
    there = {"COVERAGE_FILE": str(data), "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, cwd=ROOT, env=clean | there | env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.slow
def test_no_branch_of_the_policy_is_untested(tmp_path):
    data, report = tmp_path / "coverage", tmp_path / "coverage.json"
    measure(data, ON_SQLITE)
    measure(data, ON_POSTGRES, TEST_POSTGRES="1")
    words = [sys.executable, "-m", "coverage", "json", "-q", f"--data-file={data}", "-o", str(report)]
    subprocess.run(words, cwd=ROOT, check=True)
    files = json.loads(report.read_text())["files"]
    assert {Path(name).stem for name in files} == set(POLICY)
    untested = {name: found["missing_lines"] + found["missing_branches"] for name, found in files.items()}
    assert not any(untested.values()), untested
