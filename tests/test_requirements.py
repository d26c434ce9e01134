"""What is installed: every package pinned, with its fingerprints, and on a list with its licence.

The list is there to be read (docs/software.md) and for programs (docs/software.cdx.json, CycloneDX 1.6, which vulnerability
scanners read). ``python -m tests.test_requirements`` writes both anew, from the pins and from what is installed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from admin_app import __version__

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BASE = PROJECT["project"]["dependencies"]
POSTGRES = BASE + PROJECT["project"]["optional-dependencies"]["postgres"]
TESTS = POSTGRES + [each for group in PROJECT["dependency-groups"].values() for each in group]
SOFTWARE, INVENTORY = ROOT / "docs" / "software.md", ROOT / "docs" / "software.cdx.json"
NOT_HERE = {"tzdata": "Apache-2.0"}
"""Installed on Windows only: what its own page says."""


def pins(name: str) -> dict[str, tuple[str, list[str]]]:
    """Of a list: package -> (version, its fingerprints)."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)==(\S+)[^\n]*((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)*)", text, re.M)
    return {package: (version, re.findall(r"sha256:(\w+)", hashes)) for package, version, hashes in found}


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


def inventory() -> dict[str, Any]:
    """The product and what is installed with it as CycloneDX 1.6 (ECMA-424); the same input gives the same bytes."""
    own = f"pkg:pypi/admin-app@{__version__}"
    there = {name: component(name, version, hashes) for name, (version, hashes) in pins("postgres").items()}
    asked = sorted({there[canonicalize_name(Requirement(each).name)]["bom-ref"] for each in POSTGRES})
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "admin-app",
                "version": __version__,
                "purl": own,
                "licenses": [{"license": {"id": PROJECT["project"]["license"]["text"]}}],
            }
        },
        "components": list(there.values()),
        "dependencies": [{"ref": own, "dependsOn": asked}],
    }


def component(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    """One package: any of the fingerprints is one of its files, for one system or another."""
    purl = f"pkg:pypi/{name}@{version}"
    by_expression = name in NOT_HERE or metadata(name)["License-Expression"]
    files = [{"alg": "SHA-256", "content": each} for each in hashes]
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "scope": "required" if name in pins("base") else "optional",
        "licenses": [{"expression": licence(name)} if by_expression else {"license": {"name": licence(name)}}],
        "externalReferences": [{"type": "distribution", "url": f"https://pypi.org/simple/{name}/", "hashes": files}],
    }


def as_text(inventory: dict[str, Any]) -> str:
    return json.dumps(inventory, ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize(("name", "asked"), [("base", BASE), ("postgres", POSTGRES), ("tests", TESTS)])
def test_every_package_is_pinned_within_what_the_project_asks_and_by_its_fingerprints(name, asked):
    pinned = pins(name)
    wrong = [str(each) for each in map(Requirement, asked) if not each.specifier.contains(pinned[canonicalize_name(each.name)][0])]
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert wrong == [] and all(hashes for _version, hashes in pinned.values())
    assert text.count("--hash=sha256:") == sum(len(hashes) for _version, hashes in pinned.values()) and "://" not in text


def test_one_package_has_one_version_in_all_lists():
    assert pins("base").items() <= pins("postgres").items() <= pins("tests").items()


def test_the_list_of_software_says_what_is_installed_and_under_what_licence():
    assert SOFTWARE.read_text(encoding="utf-8") == software()


def test_the_same_list_is_there_for_programs():
    text = INVENTORY.read_text(encoding="utf-8")
    assert text == as_text(inventory())
    listed = {each["name"]: each for each in json.loads(text)["components"]}
    assert listed.keys() == pins("postgres").keys()
    assert all(each["licenses"][0] and each["externalReferences"][0]["hashes"] for each in listed.values())


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pip-audit"), reason="pip-audit is not installed (pipx install pip-audit)")
def test_no_package_has_a_known_vulnerability():
    """Asks the public list of vulnerabilities: the one test that leaves this machine, so never a condition of another."""
    words = ["pip-audit", "--disable-pip", "--require-hashes", "--format=json", "--progress-spinner=off", "--timeout=15"]
    done = subprocess.run([*words, "-r", "requirements/tests.txt"], cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        said = json.loads(done.stdout)["dependencies"]
    except ValueError:
        pytest.skip(f"the list of vulnerabilities cannot be reached: {done.stderr.strip().splitlines()[-1:]}")
    if not (asked := [each for each in said if "vulns" in each]):
        pytest.skip("the list of vulnerabilities knows none of the packages: it cannot be reached from here")
    assert len(asked) == len(said) and {each["name"]: each["vulns"] for each in asked if each["vulns"]} == {}


if __name__ == "__main__":
    SOFTWARE.write_text(software(), encoding="utf-8")
    INVENTORY.write_text(as_text(inventory()), encoding="utf-8")
