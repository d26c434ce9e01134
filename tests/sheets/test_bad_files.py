"""A bad file gets one sentence that says what to do, soon, and takes no more memory than a ledger does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sheets.bad_files import BAD, LARGE

ROOT = Path(__file__).parents[2]
MOST_MEMORY, MOST_SECONDS = 300, 30
READS = """
import json, re, sys, time
from admin_app.sheets import reader
start = time.perf_counter()
try:
    told = len(reader.read(open(sys.argv[1], "rb").read(), sys.argv[2])[0].rows)
except reader.Unreadable as e:
    told = str(e)
seconds = time.perf_counter() - start
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())  # getrusage's holds the parent's too
print(json.dumps([told, int(peak[1]) // 1024, seconds]))
"""


def told_in_a_process_of_its_own(content, name, tmp_path):
    """What is said of a file, or how many rows it has; how many MB and seconds that took."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak is read from /proc")
    (tmp_path / "file").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", READS, tmp_path / "file", name], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_expected(told, expected):
    if isinstance(expected, int):
        return told == expected
    return expected in str(told) and str(told).endswith("。")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told_what_to_do(name):
    from admin_app.sheets import reader

    content, expected = BAD[name]
    try:
        told = len(reader.read(content, name)[0].rows)
    except reader.Unreadable as e:
        told = str(e)
    assert as_expected(told, expected), told


@pytest.mark.matrix
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_takes_little(name, tmp_path):
    content, expected = BAD[name]
    told, megabytes, seconds = told_in_a_process_of_its_own(content, name, tmp_path)
    assert as_expected(told, expected), told
    assert megabytes < MOST_MEMORY and seconds < MOST_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("make", LARGE)
def test_a_large_file_takes_no_more_than_a_ledger(make, tmp_path):
    content, expected = make()
    told, megabytes, seconds = told_in_a_process_of_its_own(content, "a.csv" if "csv" in make.__name__ else "a.xlsx", tmp_path)
    print(make.__name__, f"{len(content) // 1024} KB", told, f"{megabytes} MB {seconds:.1f} s")
    assert as_expected(told, expected), told
    assert megabytes < MOST_MEMORY and seconds < MOST_SECONDS
