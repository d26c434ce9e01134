"""What scanners that others wrote find: bandit and semgrep in the code, axe-core on the pages.

They are no part of the set-up: ``pipx install bandit``, ``pipx install semgrep``, ``npm install axe-core`` (or AXE=.../axe.min.js).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import PASSWORD, ROOT, Desk, free_port, served
from tests.databases import ON_POSTGRES

IN_CI = os.environ.get("CI") == "true"
CODE = ("admin_app", "seed", "manage.py")
RULES = Path(__file__).parent / "semgrep.yml"
AXE = Path(os.environ.get("AXE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))

pytestmark = [pytest.mark.slow, pytest.mark.skipif(ON_POSTGRES, reason="reads code and serves a SQLite file of its own")]


def needs(found: object, what: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not found and not IN_CI, reason=f"{what} is not installed")


with_bandit = needs(shutil.which("bandit"), "bandit")
with_semgrep = needs(shutil.which("semgrep"), "semgrep")
with_axe = needs(AXE.exists() and shutil.which("chromium"), "axe-core or chromium")


# --- the code ---


def bandit(*what: str) -> list[str]:
    words = ["bandit", "--quiet", "--format", "json", "--configfile", "pyproject.toml", "--recursive", *what]
    said = json.loads(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout)
    assert said["errors"] == [] and said["metrics"]["_totals"]["loc"]
    return [f"{each['filename']}:{each['line_number']} {each['test_id']}" for each in said["results"]]


@with_bandit
def test_bandit_has_nothing_to_say():
    assert bandit(*CODE) == []


@with_bandit
def test_what_bandit_is_told_to_let_pass_is_little(tmp_path):
    (tmp_path / "careless.py").write_text(
        "import hashlib, random, subprocess\nfrom markupsafe import Markup\n"
        "def act(db, name):\n    subprocess.run(name, shell=True)\n    db.execute('SELECT * FROM child WHERE name = %s' % name)\n"
        "    return Markup(name), random.random(), hashlib.md5(name)\n"
    )
    assert {found.rpartition(" ")[2] for found in bandit(str(tmp_path))} == {"B602", "B608", "B704", "B311", "B324"}


def semgrep(folder: Path, *what: str) -> dict[str, set[tuple[str, int]]]:
    """Where each rule of ours fires: file and line. Nothing is fetched or sent."""
    words = [
        "semgrep",
        "scan",
        "--quiet",
        "--metrics",
        "off",
        "--disable-version-check",
        "--no-git-ignore",
        "--jobs",
        "2",
        "--json",
    ]
    done = subprocess.run([*words, "--config", str(RULES), *what], cwd=folder, capture_output=True, text=True, check=False)
    said, found = json.loads(done.stdout), defaultdict(set)
    assert said["errors"] == [] and said["paths"]["scanned"], done.stderr[-2000:]
    for each in said["results"]:
        found[each["check_id"].rpartition(".")[2]].add((each["path"], each["start"]["line"]))
    return dict(found)


@with_semgrep
def test_nothing_in_the_code_is_as_the_rules_forbid():
    assert semgrep(ROOT, *CODE) == {}


IMPORTS = """import hashlib, os, pickle, random, shutil, sqlalchemy, ssl, subprocess, yaml
from pathlib import Path
from flask import Flask, redirect, render_template_string, request, send_file, url_for
from markupsafe import Markup
from sqlalchemy import text
from wtforms import widgets
"""
FORBIDDEN = {
    "data-as-markup": ["Markup(name)", "Markup(f'<b>{name}</b>')", "Markup('<b>' + name)", "Markup('<b>%s</b>' % name)"],
    "template-from-text": ["render_template_string(name)", "app.jinja_env.from_string(name)"],
    "sql-put-together": [
        "session.execute(text(f'SELECT {name}'))", "text('SELECT ' + name)", "db.exec_driver_sql('SELECT %s' % name)",
        "cursor.execute('SELECT {}'.format(name))",
    ],
    "sql-past-the-row-filter": ["text('SELECT 1')", "session.connection()", "db.engine", "Child.__table__"],
    "session-that-sees-everything": ["session_with(SYSTEM)", "writing(SYSTEM)", "session_with(SYSTEM, writes=True)"],
    "redirect-to-what-was-asked": [
        "redirect(request.args['next'])", "redirect(request.args.get('next', '/'))", "redirect(request.referrer)",
        "redirect('/' + request.form.get('url'))", "redirect(request.headers['Referer'])",
    ],
    "file-named-by-the-browser": [
        "open(request.args['name'])", "folder / upload.filename", "send_file(f'/data/{request.form.get(\"name\")}')",
        "Path(request.values.get('p'))",
    ],
    "code-from-data": ["eval(name)", "exec(name)", "pickle.loads(name)", "yaml.load(name)"],
    "through-a-shell": ["subprocess.run(name, shell=True)", "subprocess.Popen(name, shell=True, text=True)", "os.system(name)"],
    "call-to-the-outside": ["import requests", "from urllib.request import urlopen", "import urllib.request", "import smtplib"],
    "safeguard-switched-off": [
        "session.get(name, verify=False)", "ssl._create_unverified_context()", "app.run(debug=True)", "csrf.exempt(name)",
        "app.config['WTF_CSRF_ENABLED'] = False", "app.config.update(DEBUG=True)", "answer.set_cookie('a', name, httponly=False)",
    ],
    "weak-secret": ["random.choice(name)", "hashlib.md5(name)", "hashlib.sha1(name)"],
    "archive-unpacked-unseen": ["archive.extractall(name)", "shutil.unpack_archive(name)", "from lxml import etree"],
}  # fmt: skip
"""Lines for each rule to find. A rule that has none here fails."""
ALLOWED = [
    "Markup('<b>{}</b>').format(name)", "Markup(widgets.html_params(value=name))", "redirect(url_for('child.index_view', id=request.args['id']))",
    "redirect(url_for('child.index_view'))", "session.execute(select(Child).where(Child.name == name))", "open('/etc/hosts')",
    "subprocess.run(['pg_dump', name])", "session_with(current_scope())", "random_name(name)", "hashlib.sha256(name)", "yaml.safe_load(name)",
    "folder / attachment.stored",
]  # fmt: skip
FORBIDDEN_IN_TEMPLATES = ["{{ name|safe }}", "{{ name | safe }}", "{% autoescape false %}"]
ALLOWED_IN_TEMPLATES = ["{{ name|words }}", "是否 safe"]
OF_TEMPLATES = "template-past-the-escaping"


def samples() -> Iterator[tuple[str, str, str]]:
    """What is wrong with it, if anything; the line; how the name of its file ends."""
    for rule, lines in (FORBIDDEN | {"": ALLOWED}).items():
        yield from ((rule, line, ".py") for line in lines)
    for rule, lines in {OF_TEMPLATES: FORBIDDEN_IN_TEMPLATES, "": ALLOWED_IN_TEMPLATES}.items():
        yield from ((rule, line, ".html") for line in lines)


@with_semgrep
def test_each_rule_finds_what_it_is_for_and_no_more(tmp_path):
    folder, written = tmp_path / "admin_app" / "views", {}
    folder.mkdir(parents=True)
    for n, (rule, line, ending) in enumerate(samples()):
        (folder / f"{n}{ending}").write_text(f"{IMPORTS}def view(app, db, name):\n    {line}\n" if ending == ".py" else line)
        written[f"{n}{ending}"] = (rule, line)
    fired = {(rule, Path(path).name) for rule, where in semgrep(tmp_path, ".").items() for path, _line in where}
    assert [line for name, (rule, line) in written.items() if rule and (rule, name) not in fired] == []
    assert [(rule, written[name][1]) for rule, name in fired if not written[name][0]] == []
    assert {*FORBIDDEN, OF_TEMPLATES} == set(re.findall(r"- id: (\S+)", RULES.read_text(encoding="utf-8")))


# --- the pages ---

SAID = """async (unfolded) => {
  document.querySelectorAll('details').forEach((d) => { d.open = unfolded; });
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  const said = await axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']});
  return said.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)}`));
}"""
MORE = (
    "/child/details/?id=3", "/child/new/", "/child/edit/?id=3", "/care_record/new/?kind=talk", "/quick/talks/", "/quick/paste/?what=talks",
    "/quick/confirm/", "/activity/new/", "/activity/roster/?id=1", "/transfer/new/", "/school/details/?id=60", "/assessment/sheet/?sheet=1",
    "/assessment/item/?sheet=1&indicator=3", "/report/show/?kind=county", "/scheme/details/?id=1", "/password", "/nowhere",
)  # fmt: skip
"""Besides all that is in somebody's menu, which on a telephone is only sampled. Who may not open one is shown a page that says so, which is looked at too."""

ON_A_TELEPHONE = ("/", "/child/", "/care_record/", "/assessment/", "/handover/", "/imports/", "/session/", "/cards/")


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    port, folder = free_port(), str(tmp_path_factory.mktemp("demo"))
    with served(port, "admin_app", "demo", DATA_DIR=folder, PORT=str(port), DEMO_PASSWORD=PASSWORD) as at:
        yield at


def wrongs(page) -> list[str]:
    """What axe finds on the page as it comes, and with all that is folded unfolded."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return [found for unfolded in (False, True) for found in page.evaluate(SAID, unfolded)]


@with_axe
def test_axe_finds_what_is_wrong_with_a_page(chromium):
    page = chromium.new_page()
    page.set_content(
        "<html><body><img src=x><input><details><summary>更多</summary><a href=/></a></details><p style='color:#ccc'>浅灰的一句话"
    )
    rules = {found.partition(":")[0] for found in wrongs(page)}
    page.close()
    assert rules >= {"html-has-lang", "document-title", "image-alt", "label", "link-name", "color-contrast"}


@with_axe
@pytest.mark.parametrize("width", [1366, 360])
@pytest.mark.parametrize("who", ["office", "secretary", "leader"])
def test_axe_finds_nothing_wrong_with_any_page(who, width, county, chromium):
    desk = Desk(chromium, county, who, width)
    desk.page.goto("/login")
    found = {"/login": wrongs(desk.page)}
    menu = desk.open("/").evaluate("[...document.querySelectorAll('.side ul a')].map((a) => a.getAttribute('href'))")
    assert len(menu) > 10
    for path in [*menu, *MORE] if width > 1000 else [*ON_A_TELEPHONE, *MORE]:
        desk.page.goto(path)
        found[path] = wrongs(desk.page)
    desk.context.close()
    assert {path: words for path, words in found.items() if words} == {}
