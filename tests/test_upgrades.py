"""An upgrade loses nothing: a backup comes first, it happens wholly or not at all, and from every older schema all is there after it."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from alembic import command as alembic
from click.testing import CliRunner
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from admin_app import audit, backups, chunks, commands, create_app, locks, upgrading
from admin_app.db import db, known_revisions
from admin_app.orm import Base, BlindIndex, keyring
from admin_app.rules import Complaint
from admin_app.settings import Unusable, read
from tests import filling
from tests.conftest import WIDE_AWAKE
from tests.databases import ON_POSTGRES, another, programs_of_its_version

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).parent.parent
NEWEST, *OLDER = known_revisions()
THE_ONE_BEFORE, THE_FIRST = OLDER[0], OLDER[-1]


@pytest.fixture(autouse=True, scope="module")
def programs_of_the_servers_version():
    with programs_of_its_version() as there:
        if not there:
            pytest.skip("no pg_dump of the server's version")
        yield


@pytest.fixture(scope="module")
def installation(tmp_path_factory, request):
    """A data folder with its keys, and a database of its own."""
    folder = tmp_path_factory.mktemp("office")
    own = request.getfixturevalue("base").settings.owner_url if ON_POSTGRES else ""
    with another(own, folder) as named:
        env = {"DATA_DIR": str(folder)} | named
        (folder / "field_key").write_text(filling.FIELD_KEY)
        (folder / "field_key").chmod(0o600)
        settings = read(env)
        yield SimpleNamespace(settings=settings, url=settings.owner_url, env=env, app=cache(lambda: create_app(settings)))


@pytest.fixture
def office(installation):
    """The installation with an empty database."""
    held = dict(vars(keyring))
    keyring.unlock(installation.settings.field_key)
    shutil.rmtree(installation.settings.backups, ignore_errors=True)
    for file in installation.settings.data_dir.glob("register.sqlite3*"):
        file.unlink()
    if ON_POSTGRES:
        execute(installation, "drop schema public cascade; create schema public")
    yield installation
    vars(keyring).update(held)


def execute(office, statement, **values):
    with sa.create_engine(office.url, poolclass=NullPool).begin() as connection:
        return connection.execute(sa.text(statement).bindparams(**values))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """Revision -> (a SQLite file of that schema, filled; what it holds), as far as a test has asked for it."""
    return tmp_path_factory.mktemp("filled"), {}


@pytest.fixture
def filled_at(office, made_once):
    """Make the register of a version whose schema that was; tells what it holds."""

    def fill(revision):
        folder, known = made_once
        if revision in known:
            shutil.copy(folder / revision, office.settings.data_dir / "register.sqlite3")
            return deepcopy(known[revision])
        alembic.upgrade(upgrading.alembic_config(office.url), revision)
        filling.fill(office.url)
        held = filling.contents(office.url)
        if not ON_POSTGRES:
            shutil.copy(office.settings.data_dir / "register.sqlite3", folder / revision)
            known[revision] = deepcopy(held)
        return held

    return fill


def revision(office):
    return backups.revision_at(office.url)


def kept_before(office):
    return backups.finished(office.settings.backups, backups.BEFORE)


# --- a backup first ---


def test_before_an_upgrade_a_backup_is_made_and_said(office, filled_at, capsys, tmp_path):
    filled_at(THE_FIRST)
    upgrading.migrate(office.settings)
    (kept,) = kept_before(office)
    said = capsys.readouterr()
    assert kept.name.endswith(f"-schema-{THE_FIRST}.backup") and str(kept) in said.err and not said.out
    assert revision(office) == NEWEST and f"从 {THE_FIRST} 升级到 {NEWEST}" in said.err
    back = backups.unpack(kept, chunks.Keys(office.settings.field_key), tmp_path)
    assert back.manifest["revision"] == THE_FIRST and back.manifest["rows"]["child"] == len(filling.ROWS)
    upgrading.migrate(office.settings)
    assert kept_before(office) == [kept], "where nothing is to be changed, nothing is backed up"


def test_without_room_for_a_backup_nothing_is_upgraded_until_somebody_says_so(office, filled_at, monkeypatch):
    before = filled_at(THE_ONE_BEFORE)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage(1 << 40, 1 << 40, 1 << 20))
    with pytest.raises(Complaint, match=r"没有改动.*只剩 1 MB.*db upgrade --no-backup"):
        upgrading.migrate(office.settings)
    assert revision(office) == THE_ONE_BEFORE and filling.contents(office.url) == before
    upgrading.migrate(office.settings, backed_up=True)
    assert revision(office) == NEWEST and not kept_before(office)


@pytest.mark.skipif(os.name == "nt", reason="no locks of this kind there")
def test_while_the_service_runs_its_schema_is_not_changed(office, filled_at):
    before = filled_at(THE_ONE_BEFORE)
    with (
        locks.at_work(office.settings.data_dir),
        pytest.raises(Unusable, match="服务还在运行"),
    ):
        upgrading.migrate(office.settings)
    assert filling.contents(office.url) == before and not kept_before(office)


@pytest.mark.skipif(not ON_POSTGRES, reason="SQLite needs no program beside")
def test_without_pg_dump_nothing_is_upgraded(office, filled_at, monkeypatch):
    filled_at(THE_ONE_BEFORE)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Complaint, match=r"没有找到 pg_dump.*--no-backup"):
        upgrading.migrate(office.settings)
    assert revision(office) == THE_ONE_BEFORE


def test_daily_backups_and_those_before_upgrades_are_counted_apart(tmp_path):
    daily = [f"register-2026010{day}-020000.backup" for day in range(1, 5)]
    before = [f"register-2025010{day}-020000-schema-000{day}.backup" for day in range(1, 5)]
    for name in (*daily, *before):
        (tmp_path / name).write_bytes(backups.MAGIC)
    assert [path.name for path in backups.retain(tmp_path, 3, tmp_path / daily[-1])] == daily[:1]
    assert [path.name for path in backups.retain(tmp_path, 2, tmp_path / before[-1])] == before[:2]
    assert [path.name for path in backups.finished(tmp_path)] == daily[1:]


# --- the wrong version ---


def made_by_a_newer_version(office):
    execute(office, "update alembic_version set version_num = '9999'")


def test_a_database_of_a_newer_version_is_left_alone(office, filled_at):
    filled_at(THE_FIRST)
    made_by_a_newer_version(office)
    before = filling.contents(office.url)
    with pytest.raises(Unusable, match=rf"9999.*{NEWEST}.*什么都没有改"):
        commands.ready_app(office.settings)
    assert filling.contents(office.url) == before and not kept_before(office)


@pytest.fixture
def command(office, monkeypatch):
    """Run a command: its exit code, and what it said to whom sat there."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "SECRET_KEY", "BACKUP_DIR"):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        done = CliRunner().invoke(commands.main, words, env=office.env)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def test_the_commands_refuse_back_up_and_say_what_to_do(office, filled_at, command):
    filled_at(NEWEST)
    code, said = command("db", "downgrade")
    assert code == 0 and f"schema-{NEWEST}.backup" in said and revision(office) == THE_ONE_BEFORE
    code, said = command("db", "downgrade", NEWEST)
    assert code == 2 and THE_FIRST in said
    code, said = command("db", "check")
    assert code == 1 and "请运行 db upgrade" in said
    assert command("db", "upgrade", "--no-backup")[0] == 0 and len(kept_before(office)) == 1
    made_by_a_newer_version(office)
    for words in (("serve",), ("db", "upgrade"), ("db", "downgrade"), ("db", "check")):
        code, said = command(*words)
        assert code == 2 and "9999" in said
    code, said = command("check")
    assert code == 1 and "9999" in said and "请用新版程序" in said


@pytest.mark.skipif(ON_POSTGRES, reason="the demo's own file")
def test_where_only_the_demo_is_there_the_commands_mean_the_demo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    Path("instance/demo").mkdir(parents=True)
    assert CliRunner().invoke(commands.main, ("db", "upgrade")).exit_code == 0
    assert Path("instance/demo/register.sqlite3").exists() and not Path("instance/data").exists()


# --- from every older schema ---


def minds_have_a_column(held):
    for note in held["state_note"].values():
        if note["side"] == "mind":
            note["mind"], note["text"] = note["text"], None


def adults_are_called_parents(held):
    for activity in held["activity"].values():
        activity["parents"] = activity.pop("adults")


def scores_are_marks_facts_and_lists(held):
    """What was judged is a mark; numbers and names of a fact stand apart; rows without either are not needed."""
    sheets, rounds = held["sheet"], held["assessment_round"]
    kept = ("school_id", "sheet_id", "indicator_id", "created_at", "created_by", "updated_at", "updated_by", "version")
    held["office_score"] = {}
    for key, score in list(held["item_score"].items()):
        old = {
            name: score.pop(name) for name in ("auto", "numerator", "denominator", "self_score", "check_score", "final", "reason")
        }
        if old["final"] is not None:
            state = rounds[(sheets[(score["sheet_id"],)]["round_id"],)]["state"]
            mark = {"points": old["final"], "reason": old["reason"], "stage": "check" if state == "open" else "final"}
            held["office_score"][(len(held["office_score"]) + 1,)] = mark | {name: score[name] for name in kept}
        if score["lists"] is None:
            del held["item_score"][key]
            continue
        facts = score["lists"]
        score["facts"] = {code: [fact["value"], fact["numerator"], fact["denominator"]] for code, fact in facts.items()}
        score["lists"] = {code: fact["lines"] for code, fact in facts.items()}
    for sheet in sheets.values():
        circulated = rounds[(sheet["round_id"],)]["state"] == "published"
        sheet["decided"], sheet["card"] = (sheet["card"], sheet["card"]) if circulated else (None, None)
    for round_ in rounds.values():
        round_["decided_at"] = round_["published_at"] if round_["state"] == "published" else None
        round_["state"] = {"frozen": "decision"}.get(round_["state"], round_["state"])


ON_PURPOSE = {"0002": minds_have_a_column, "0003": adults_are_called_parents, "0005": scores_are_marks_facts_and_lists}
"""Revision -> what it makes of the rows that are there already. Whatever is not told here must be as it was."""


def assert_all_is_there(office, before, since):
    """Every row and value of ``before``, the contents at the revision ``since``, is in the database or became what was meant."""
    for each in reversed(OLDER[: OLDER.index(since)] if since in OLDER else []):
        ON_PURPOSE.get(each, lambda _held: None)(before)
    ON_PURPOSE.get(NEWEST, lambda _held: None)(before)
    after = filling.contents(office.url)
    del before["alembic_version"]
    for table, rows in before.items():
        assert set(rows) <= set(after[table]), table
        for key, row in rows.items():
            assert {name: after[table][key].get(name, "the column is gone") for name in row} == row, (table, key)


def assert_sound(office):
    """The schema is the models', the log is whole, every key points to a row, and what follows other columns follows them."""
    alembic.check(upgrading.alembic_config(office.url))
    engine = sa.create_engine(office.url, poolclass=NullPool)
    with Session(engine) as session:
        assert audit.verify(session)[1] is None
        if not ON_POSTGRES:
            assert session.execute(sa.text("PRAGMA foreign_key_check")).all() == []
            assert session.scalar(sa.text("PRAGMA integrity_check")) == "ok"
        for mapper in Base.registry.mappers:
            for column in (c for c in mapper.local_table.columns if "make" in c.info):
                for row in session.scalars(sa.select(mapper.class_)):
                    made = column.info["make"](*(getattr(row, source) for source in column.info["sources"]))
                    wanted = column.type.process_bind_param(made, None) if isinstance(column.type, BlindIndex) else made
                    assert getattr(row, column.name) == wanted, (column, row.id)


def assert_pages_open(office, number):
    app = office.app()
    app.config.update(IDLE=WIDE_AWAKE, LONGEST=WIDE_AWAKE)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = filling.TOKEN, True
    pages = {path: client.get(path) for path in ("/", "/child/", f"/child/details/?id={filling.FILLED}", "/audit_entry/")}
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    assert {page.status_code for page in pages.values()} == {200}
    everybody, dossier, log = list(pages.values())[1:]
    listed = set(re.findall(r"/child/details/\?id=(\d+)", everybody.text))
    assert listed == {f"{filling.FILLED}", f"{filling.SPARSE}"}, "and not what lies in the trash"
    assert filling.NAMES[0] in dossier.text and number[-4:] in dossier.text and number not in dossier.text
    assert "普玉珍" in log.text


@pytest.mark.parametrize("since", OLDER)
def test_from_every_older_schema_nothing_is_lost_and_the_pages_open(since, office, filled_at):
    before = filled_at(since)
    upgrading.migrate(office.settings, backed_up=True)
    assert_all_is_there(office, before, since)
    assert_sound(office)
    assert_pages_open(office, filling.id_number(filling.FILLED))


@pytest.mark.parametrize("since", [THE_FIRST, NEWEST])
def test_down_to_the_first_schema_and_up_again_keeps_what_that_schema_holds(since, office, filled_at):
    before = filled_at(since)
    upgrading.migrate(office.settings, backed_up=True)
    alembic.downgrade(upgrading.alembic_config(office.url), THE_FIRST)
    before = before if since == THE_FIRST else filling.contents(office.url)
    upgrading.migrate(office.settings, backed_up=True)
    assert_all_is_there(office, before, THE_FIRST)
    assert_sound(office)


@pytest.mark.parametrize(
    "what", ["insert into audit_key (until, key) values (1, 'x')", "update child set erased_on = '2026-01-01' where id = 1"]
)
def test_what_an_older_schema_could_not_keep_is_not_taken_back(what, office, filled_at):
    """The log would no longer verify, and an erased file would be one of a child called （已清除）."""
    filled_at(NEWEST)
    with sa.create_engine(office.url, poolclass=NullPool).begin() as connection:
        connection.execute(sa.text("delete from audit_key"))
        connection.execute(sa.text("update child set erased_on = null"))
        connection.execute(sa.text(what))
    with pytest.raises(Complaint, match="不能退回"):
        upgrading.lower(office.settings, "0008", backed_up=True)
    assert revision(office) == NEWEST


# --- stopped half-way ---


class Stopped(Exception):
    """Something that no migration expects."""


def statements(office, at=0):
    """Upgrade, and count the statements; raise at number ``at``."""
    seen = 0

    def count(*_):
        nonlocal seen
        seen += 1
        if seen == at:
            raise Stopped

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        upgrading.migrate(office.settings, backed_up=True)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)
    return seen


def test_an_upgrade_that_fails_anywhere_leaves_every_table_and_row_as_it_was(office, filled_at):
    before = filled_at(THE_FIRST)
    for at in (60, 250, 420):
        with pytest.raises(Complaint, match="还是原来的样子") as told:
            statements(office, at)
        assert isinstance(told.value.__cause__, Stopped)
        assert filling.contents(office.url) == before and revision(office) == THE_FIRST
    assert statements(office) > at
    assert_all_is_there(office, before, THE_FIRST)


@pytest.mark.skipif(ON_POSTGRES, reason="PostgreSQL sees to it itself")
def test_rows_that_would_point_to_nothing_and_a_full_disk_stop_it_too(office, filled_at):
    before = filled_at(THE_FIRST)

    def small(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    sa.event.listen(sa.Engine, "connect", small)
    try:
        with pytest.raises(Complaint, match="还是原来的样子：磁盘满了"):
            upgrading.migrate(office.settings, backed_up=True)
    finally:
        sa.event.remove(sa.Engine, "connect", small)
    assert filling.contents(office.url) == before
    execute(office, "delete from township where id = 1")
    with pytest.raises(Complaint, match="1 行指向不存在的记录（school）"):
        upgrading.migrate(office.settings, backed_up=True)
    assert revision(office) == THE_FIRST


KILLED = """
import os, signal, sys, threading
from sqlalchemy import Engine, event
from admin_app import upgrading
from admin_app.settings import read

how, when = sys.argv[1], float(sys.argv[2])
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
seen = 0

def count(*_):
    global seen
    seen += 1
    if how == "statement" and seen == when:
        kill()
    if how == "seconds" and seen == 1:
        threading.Timer(when, kill).start()

event.listen(Engine, "before_cursor_execute", count)
if how == "commit":
    event.listen(Engine, "commit", kill)
upgrading.migrate(read(), backed_up=True)
"""


def killed(office, how, when=0.0):
    env = {**os.environ, "PYTHONPATH": str(ROOT)} | office.env
    done = subprocess.run([sys.executable, "-c", KILLED, how, str(when)], cwd=ROOT, env=env, capture_output=True, check=False)
    return done.returncode == -9


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a process is killed the way of POSIX")
@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_a_killed_upgrade_has_done_nothing_and_the_next_one_does_it_all(office, filled_at, journal):
    before = filled_at(THE_FIRST)
    if ON_POSTGRES and journal == "DELETE":
        pytest.skip("SQLite's")
    if not ON_POSTGRES:
        with sa.create_engine(office.url, poolclass=NullPool).connect() as connection:
            assert connection.exec_driver_sql(f"PRAGMA journal_mode={journal}").scalar() == journal.lower()
    for at in (30, 120, 300, 450):
        assert killed(office, "statement", at) and filling.contents(office.url) == before
    assert killed(office, "commit") and filling.contents(office.url) == before
    for _ in range(5):
        whole = not killed(office, "seconds", random.uniform(0.02, 0.6)) or revision(office) == NEWEST
        if whole:
            break
        assert filling.contents(office.url) == before
    upgrading.migrate(office.settings, backed_up=True)
    assert_all_is_there(office, before, THE_FIRST)
    assert_sound(office)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="two starts at once wait for each other on POSIX")
def test_two_upgrades_at_once_wait_for_each_other(office, filled_at):
    before = filled_at(THE_FIRST)
    env = {**os.environ, "PYTHONPATH": str(ROOT)} | office.env
    words = [sys.executable, "-m", "admin_app", "db", "upgrade"]
    both = [subprocess.Popen(words, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate()[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert len(kept_before(office)) == 1 and sum("已从" in each for each in said) == 1
    assert_all_is_there(office, before, THE_FIRST)
