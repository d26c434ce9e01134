"""A bad file gets one sentence that says what to do, soon, and takes no more memory than a ledger does."""

from __future__ import annotations

import datetime as dt
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import xlsxwriter

from tests.sheets.bad_files import BAD, LARGE, written

ROOT = Path(__file__).parents[2]
MOST_MEMORY, MOST_SECONDS = 300, 30
READS = """
import json, re, resource, sys, time
from admin_app.sheets import reader
start = time.perf_counter()
try:
    told = len(reader.read(open(sys.argv[1], "rb").read(), sys.argv[2])[0].rows)
except reader.Unreadable as e:
    told = str(e)
seconds = time.perf_counter() - start
own = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])  # getrusage's holds the parent's too
apart = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([told, max(own, apart) // 1024, seconds]))
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


@pytest.mark.matrix
@pytest.mark.parametrize("harm", ["takes all memory", "takes for ever", "dies"])
def test_a_file_that_ends_its_reader_ends_nothing_else(harm, monkeypatch):
    from admin_app.sheets import apart, reader

    acts = {"takes all memory": "x = bytearray(8 << 30)", "takes for ever": "while True: pass", "dies": "import os; os.abort()"}
    limited = f"import sys; sys.path.insert(0, {str(apart.PACKAGE)!r}); from sheets import apart; apart._limit_memory(); "
    monkeypatch.setattr(apart, "START", limited + "\n" + acts[harm])
    monkeypatch.setattr(apart, "SECONDS", 2)
    with pytest.raises(reader.Unreadable, match="文件读不完"):
        reader.read(BAD["many columns.xlsx"][0], "a.xlsx")


def test_what_is_read_apart_is_what_is_read_here():
    from admin_app.sheets import reader

    def fill(sheet):
        sheet.write_row(0, 0, ["姓名", 1, 2.5, True, "\U0001f600", "=1"])
        sheet.write_datetime(1, 1, dt.datetime(2016, 3, 4), book_format)
        sheet.write_datetime(1, 2, dt.datetime(2016, 3, 4, 12, 30), book_format)
        sheet.merge_range(2, 0, 3, 2, "合并", book_format)

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        book_format = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        fill(book.add_worksheet("表"))
    here = reader.read_book(buffer.getvalue())
    assert reader.read(buffer.getvalue(), "a.xlsx") == here
    assert dt.date(2016, 3, 4) in here[0].rows[1] and here[0].merged[(3, 2)] == (3, 0)


def test_few_bytes_that_say_too_much_are_refused_before_the_server_holds_them(monkeypatch):
    from admin_app.sheets import apart, reader

    monkeypatch.setattr(apart, "START", apart.START.replace("apart.answer()", "apart.MOST = 1000; apart.answer()"))
    text = written(lambda sheet: [sheet.write(row, 0, "长" * 500) for row in range(10)])
    with pytest.raises(reader.Unreadable, match="文件读不完"):
        reader.read(text, "a.xlsx")
