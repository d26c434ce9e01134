"""What is installed: every package pinned, with its fingerprints, and on a list with its licence (docs/software.md).

``python -m tests.test_requirements`` writes that list anew, from what is installed.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BASE = PROJECT["project"]["dependencies"]
POSTGRES = BASE + PROJECT["project"]["optional-dependencies"]["postgres"]
TESTS = POSTGRES + [each for group in PROJECT["dependency-groups"].values() for each in group]
SOFTWARE = ROOT / "docs" / "software.md"
NOT_HERE = {"tzdata": "Apache-2.0"}
"""Installed on Windows only: what its own page says."""


def pins(name: str) -> dict[str, tuple[str, int]]:
    """Of a list: package -> (version, how many fingerprints)."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)==(\S+)[^\n]*((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)*)", text, re.M)
    return {package: (version, hashes.count("sha256:")) for package, version, hashes in found}


def licence(package: str) -> str:
    if package in NOT_HERE:
        return NOT_HERE[package]
    said = metadata(package)
    classes = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier") or [] if each.startswith("License")]
    return said["License-Expression"] or "、".join(classes)


def software() -> str:
    rows = [
        f"| {package} | {version} | {licence(package)} | {'' if package in pins('base') else '只在用 PostgreSQL 时'} |"
        for package, (version, _hashes) in pins("postgres").items()
    ]
    head = (
        "> Every package that is installed with the product, from what is installed: `python -m tests.test_requirements`.",
        "",
        "# 软件清单",
        "",
        "随本系统安装的全部软件，各固定一个版本，安装时逐个核对指纹（SHA-256，见 `requirements/`），不符的不装。另需 Python 3.11 或更高版本。",
        "",
        "| 软件 | 版本 | 许可 | |",
        "|---|---|---|---|",
    )
    return "\n".join([*head, *rows, ""])


@pytest.mark.parametrize(("name", "asked"), [("base", BASE), ("postgres", POSTGRES), ("tests", TESTS)])
def test_every_package_is_pinned_within_what_the_project_asks_and_by_its_fingerprints(name, asked):
    pinned = pins(name)
    wrong = [str(each) for each in map(Requirement, asked) if not each.specifier.contains(pinned[canonicalize_name(each.name)][0])]
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert wrong == [] and all(hashes for _version, hashes in pinned.values())
    assert text.count("--hash=sha256:") == sum(hashes for _version, hashes in pinned.values()) and "://" not in text


def test_one_package_has_one_version_in_all_lists():
    assert pins("base").items() <= pins("postgres").items() <= pins("tests").items()


def test_the_list_of_software_says_what_is_installed_and_under_what_licence():
    assert SOFTWARE.read_text(encoding="utf-8") == software()


if __name__ == "__main__":
    SOFTWARE.write_text(software(), encoding="utf-8")
