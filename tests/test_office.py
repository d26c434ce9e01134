"""What the office does with the workbooks: opens them in LibreOffice and prints them on A4."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess

import pytest

from admin_app import models as m
from admin_app.assessment import results, workbooks, workflow

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")]


@pytest.fixture
def printed(system, ids, tmp_path):
    """A workbook as the text of its printed pages."""

    def show(content):
        (tmp_path / "book.xlsx").write_bytes(content)
        profile = f"-env:UserInstallation=file://{tmp_path}/profile"
        subprocess.run(
            ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "book.xlsx")],
            check=True,
            capture_output=True,
            timeout=120,
        )
        text = subprocess.run(
            ["pdftotext", "-layout", str(tmp_path / "book.pdf"), "-"], check=True, capture_output=True, text=True
        ).stdout
        return text.split("\f")

    return show


def book(system, ids):
    round_ = system.get(m.Round, ids.round)
    workflow.open_sheets(system, round_)
    return workbooks.Book.of(system, round_, results.score(system, round_), "测试")


def test_a_score_sheet_prints_on_two_pages_with_its_heads_repeated_and_room_to_sign(system, ids, printed):
    pages = printed(workbooks.school_sheet(book(system, ids), ids.a))
    assert all("评分标准" in page for page in pages[:2])
    assert "A1.1" in pages[0] and "A10.2" in pages[1] and "考核组（签字）" in pages[1] and "考核组" not in pages[2]


def test_a_county_summary_prints_with_its_basis_and_its_page_numbers(system, ids, printed):
    pages = printed(workbooks.summary(book(system, ids)))
    assert "晨光小学" in pages[0] and "统计截止日期" in pages[0] and "第1页" in "".join(pages[0].split())
    assert str(dt.date.today().year) in "".join(pages)
