"""A second reader of workbooks: LibreOffice opens each, computes every formula anew and saves it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess

import openpyxl
import pytest

IN_CI = os.environ.get("CI") == "true"
NEEDED = pytest.mark.skipif(not shutil.which("soffice") and not IN_CI, reason="LibreOffice is not installed")
# A file from elsewhere is not computed when it is opened, unless the profile says: always (0).
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def load(content: bytes) -> openpyxl.Workbook:
    """With the values, not the formulas."""
    return openpyxl.load_workbook(io.BytesIO(content), data_only=True)


@pytest.fixture(scope="module")
def recalculated(tmp_path_factory):
    """Workbooks by name, as LibreOffice saves them after computing them."""
    profile = tmp_path_factory.mktemp("profile")
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")

    def compute(contents):
        folder = tmp_path_factory.mktemp("books")
        for number, content in enumerate(contents.values()):
            (folder / f"{number}.xlsx").write_bytes(content)
        files = [str(folder / f"{number}.xlsx") for number in range(len(contents))]
        words = ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", "xlsx", "--outdir"]
        subprocess.run([*words, str(folder / "out"), *files], check=True, capture_output=True, timeout=570)
        return {name: load((folder / "out" / f"{n}.xlsx").read_bytes()) for n, name in enumerate(contents)}

    return compute
