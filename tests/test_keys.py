"""Changing the field key: everything stays readable, nothing is half done, and a foreign key is noticed at the start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from admin_app import audit, commands, keys, locks, models as m, settings as configuration
from admin_app.access import SYSTEM
from admin_app.db import db, session_with
from admin_app.orm import BlindIndex, Hashed, Sealed, keyring
from admin_app.records import attachments, erasure
from admin_app.settings import Unusable
from tests.databases import ON_POSTGRES, by_hand, unguard_the_log

ROOT = Path(__file__).parent.parent


@pytest.fixture
def office(base, app, ids, tmp_path):
    """The cast's database with files and a key of its own; the run's own key is back in place afterwards."""
    home = tmp_path / "data"
    home.mkdir()
    shutil.copy(base.settings.data_dir / "field_key", home)
    shutil.copytree(attachments.folder_of(base.settings.data_dir), attachments.folder_of(home))
    url = base.settings.database_url
    with app.app_context():
        yield replace(base.settings, data_dir=home, database_url=url)
    keyring.unlock(base.settings.field_key)


def changed(settings):
    return keys.rotate(settings, lambda *_: None)


def everything_sealed():
    """Every sealed value as it reads, by table, column and row."""
    with session_with(SYSTEM) as session:
        return {
            (table.name, column.name, pk): value
            for table, columns in keys._sealed_tables()
            for column in columns
            if table.name != "audit_key"
            for pk, value in session.connection().execute(select(*table.primary_key, column).where(column.is_not(None)))
        }


def same_persons():
    with session_with(SYSTEM) as session:
        keyed = [
            (row.id, row.person_key)
            for model in (m.Carer, m.Attendance)
            for row in session.scalars(select(model).order_by(model.id))
        ]
    return [[row for row, other in keyed if other == key] for _row, key in keyed]


def test_after_a_change_of_the_key_all_reads_as_before_and_the_old_key_opens_nothing(office, ids):
    before, persons = everything_sealed(), same_persons()
    former = keyring.key_id
    assert changed(office) != former
    assert everything_sealed() == before and len(before) > 10 and same_persons() == persons
    keyring.unlock(bytes.fromhex((office.data_dir / "field_key").read_text()))
    assert everything_sealed() == before
    with session_with(SYSTEM) as session:
        assert audit.verify(session)[1] is None
        (kept,) = session.scalars(select(m.Attachment))
        assert attachments.content_of(attachments.folder_of(office.data_dir), kept)[:4] == b"\x89PNG"
    keyring.unlock(office.field_key)
    with pytest.raises(ValueError, match="cannot open"):
        everything_sealed()
    assert (office.data_dir / "field_key.old").read_text() == office.field_key.hex()
    assert not (office.data_dir / "field_key.new").exists()


def test_after_a_change_of_the_key_a_child_is_found_by_its_number_and_a_second_one_is_refused(office, ids, person):
    with session_with(SYSTEM) as session:
        number = session.get(m.Child, ids.child_a).id_number
    changed(office)
    for typed in (number, number[-4:]):
        assert "甲小雨" in person("secretary_a").get(f"/child/?search={typed}").text
        db.session.remove()  # the fixture's context outlives the request
    with session_with(SYSTEM, writes=True) as session:
        again = session.get(m.Child, ids.child_b)
        again.id_number = number
        with pytest.raises(Exception, match=r"(?i)unique"):
            session.flush()


def test_the_log_goes_on_under_the_new_key_and_a_change_to_its_older_part_still_shows(office, app, ids):
    with session_with(SYSTEM, writes=True) as session:
        session.get(m.Child, ids.child_a).remark = "旧钥匙下改的"
        session.commit()
    for n in range(2):
        if n:
            with pytest.raises(Unusable, match="先移到保管处"):
                changed(office)
            (office.data_dir / "field_key.old").unlink()
        changed(office)
        office = replace(office, field_key=bytes.fromhex((office.data_dir / "field_key").read_text()))
        with session_with(SYSTEM, writes=True) as session:
            session.get(m.Child, ids.child_a).remark = f"新钥匙 {keyring.key_id}"
            session.commit()
    with session_with(SYSTEM) as session:
        held, wrong = audit.verify(session)
        assert wrong is None and held == session.get(m.AuditHead, 1).seq
        first, *_rest = session.scalars(select(m.AuditEntry.id).order_by(m.AuditEntry.id))
    with by_hand(app) as connection:
        unguard_the_log(connection)
        connection.execute(text("update audit_entry set user_name = 'x' where id = :id"), {"id": first})
    with session_with(SYSTEM) as session:
        assert audit.verify(session) == (0, f"第 {first} 条被改动或顺序不对")


@pytest.mark.parametrize("at", range(0, 14, 3))
def test_a_change_that_was_interrupted_goes_on_where_it_was(at, office, monkeypatch):
    before, persons, steps = everything_sealed(), same_persons(), []

    def fail(*_):
        steps.append(1)
        if len(steps) > at:
            raise KeyboardInterrupt

    monkeypatch.setattr(keys, "AT_ONCE", 2)
    with pytest.raises(KeyboardInterrupt):
        keys.rotate(office, fail)
    assert everything_sealed() == before  # both keys open meanwhile
    with pytest.raises(Unusable, match="没有做完"):
        configuration.read({"DATA_DIR": str(office.data_dir)})
    key_id = changed(office)
    keyring.unlock(bytes.fromhex((office.data_dir / "field_key").read_text()))
    assert keyring.key_id == key_id and everything_sealed() == before and same_persons() == persons
    with session_with(SYSTEM) as session:
        assert audit.verify(session)[1] is None


def test_a_change_that_was_all_but_done_is_not_done_twice(office, monkeypatch):
    before = everything_sealed()
    with monkeypatch.context() as change:
        change.setattr(keys, "_swap", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            changed(office)
    changed(office)
    keyring.unlock(bytes.fromhex((office.data_dir / "field_key").read_text()))
    assert everything_sealed() == before
    with session_with(SYSTEM) as session:
        assert audit.verify(session)[1] is None
        assert len(session.scalars(select(m.AuditKey)).all()) == 1


def test_a_key_of_another_database_is_noticed_before_anything_is_sealed_with_it(office):
    keyring.unlock(b"z" * 32)
    with session_with(SYSTEM) as session, pytest.raises(Unusable, match="不是这个数据库的钥匙"):
        keys.prove(session.connection())


def test_who_was_erased_is_still_told_apart_after_a_change_of_the_key(office, base, app, ids):
    """Two carers of one child, both on one sign-in list, their names gone: one key for both would break the list, and the counts."""
    with by_hand(app) as connection:
        carers = m.Carer.__table__
        connection.execute(carers.update().values(name=erasure.WORDS, phone=None, id_number=None))
    before = same_persons()
    assert len(before) > 1
    changed(office)
    assert same_persons() == before


@pytest.mark.parametrize("content", ["", "ab" * 31, "zz" * 32])
def test_a_key_file_that_was_cut_short_seals_nothing(content, office):
    (office.data_dir / "field_key.new").write_text(content)
    with pytest.raises(Unusable, match="不是一把完整的钥匙"):
        changed(office)
    (office.data_dir / "field_key").write_text(content)
    with pytest.raises(Unusable):
        configuration.read({"DATA_DIR": str(office.data_dir)}, rotating=True)


def test_the_key_is_not_changed_while_the_service_runs(office):
    pytest.importorskip("fcntl")
    with (
        locks.at_work(office.data_dir),
        pytest.raises(Unusable, match="请先停止服务"),
        locks.standing_still(office),
    ):
        pass


WRITERS = {
    "import-ledger": [str(ROOT / "tests" / "ledgers" / "台账-整洁.xlsx")],
    "load-demo": [],
    "backup": [],
    "serve": [],
    "create-user": ["ceshi", "--role", "admin"],
    "unlock": ["office"],
}


@pytest.fixture
def at_home(office, base, monkeypatch):
    """What the environment says when commands run on the cast's database."""
    if ON_POSTGRES:
        pytest.skip("the lock is the same file")
    monkeypatch.setenv("DATA_DIR", str(office.data_dir))
    shutil.copy(base.settings.data_dir / "register.sqlite3", office.data_dir)
    configuration.read()  # makes the key of the cookies, as the first start did
    return office


@pytest.mark.parametrize("command", WRITERS)
def test_no_command_writes_while_the_key_is_changed(command, at_home):
    pytest.importorskip("fcntl")
    with locks.standing_still(at_home):
        said = CliRunner().invoke(commands.main, [command, *WRITERS[command]])
    assert said.exit_code == 2 and "正在更换钥匙" in said.output, said.output
    with locks.standing_still(at_home):
        pass  # and a command that was refused holds nothing up


def test_the_key_is_not_changed_while_a_command_writes(at_home, monkeypatch):
    pytest.importorskip("fcntl")
    said, account = [], commands._account

    def meanwhile(*asked):
        said.append(CliRunner().invoke(commands.main, ["rotate-key"]))
        return account(*asked)

    monkeypatch.setattr(commands, "_account", meanwhile)
    assert CliRunner().invoke(commands.main, ["unlock", "office"]).exit_code == 0
    (refused,) = said
    assert refused.exit_code == 2 and "别的命令还没有做完" in refused.output
    assert (at_home.data_dir / "field_key").read_text() == at_home.field_key.hex()


def test_what_was_sealed_with_the_former_key_meanwhile_keeps_that_key_in_place(office, app, ids, monkeypatch):
    former = keyring.seal("539999201605069010", "child.id_number")
    turn = keys._turn

    def meanwhile(connection, log_key):
        turn(connection, log_key)
        with by_hand(app) as another:
            another.execute(text("update child set id_number = :number where id = :id"), {"number": former, "id": ids.child_a})

    with monkeypatch.context() as change:
        change.setattr(keys, "_turn", meanwhile)
        with pytest.raises(Unusable, match="child 里又有旧钥匙封的内容"):
            changed(office)
    assert (office.data_dir / "field_key").read_text() == office.field_key.hex()
    changed(office)
    keyring.unlock(bytes.fromhex((office.data_dir / "field_key").read_text()))
    with session_with(SYSTEM) as session:
        assert session.get(m.Child, ids.child_a).id_number == "539999201605069010"


def test_a_number_is_found_by_its_last_four_digits_in_the_own_school_only(app, ids, person):
    with app.app_context(), session_with(SYSTEM) as session:
        tails = [session.get(m.Child, each).id_number[-4:] for each in (ids.child_a, ids.child_b)]
        stored = session.scalars(select(m.Child.id_number_tail).where(m.Child.id == ids.child_a)).one()
        assert isinstance(stored, Hashed) and tails[0] not in stored
    mine, theirs = (person("secretary_a").get(f"/child/?search={tail}").text for tail in tails)
    assert "甲小雨" in mine and "丁不漏" not in theirs


def test_a_parent_and_a_carer_are_found_by_their_telephone(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.get(m.Parent, ids.parent_a).phone = "13900005555"
        session.get(m.Carer, ids.carer_a).phone = "13900006666"
        session.commit()
        names = [session.get(m.Parent, ids.parent_a).name, session.get(m.Carer, ids.carer_a).name]
    browser = person("secretary_a")
    for screen, phone, name in (("parent", "13900005555", names[0]), ("carer", "13900006666", names[1])):
        assert name in browser.get(f"/{screen}/?search={phone}").text
        assert name not in browser.get(f"/{screen}/?search=13900000001").text
        assert name not in person("secretary_b").get(f"/{screen}/?search={phone}").text


def test_every_index_of_a_sealed_column_follows_it():
    """Those that are set by hand would be forgotten when the key is changed: ``keys._same_persons`` knows them all."""
    by_hand = [
        str(column)
        for table in m.Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, BlindIndex) and not column.info.get("sources")
    ]
    assert set(by_hand) == {"carer.person_key", "attendance.person_key"}
    sealed = [c for _t, columns in keys._sealed_tables() for c in columns]
    assert len(sealed) > 15 and all(isinstance(c.type, Sealed) for c in sealed)


@pytest.mark.slow
@pytest.mark.skipif(ON_POSTGRES or os.name == "nt", reason="kills a process that works on a SQLite file of its own")
@pytest.mark.parametrize("after", [0.3, 0.5, 0.8, 1.2])
def test_a_killed_change_of_the_key_is_taken_up_again(after, office, base, tmp_path):
    shutil.copy(base.settings.data_dir / "register.sqlite3", office.data_dir)
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"DATA_DIR": str(office.data_dir), "PYTHONPATH": str(ROOT)}
    slow = (
        "import time; from admin_app import commands, keys; anew = keys._anew; keys.AT_ONCE = 1; "
        "keys._anew = lambda *row: time.sleep(0.2) or anew(*row); commands.main(['rotate-key'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", slow], env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as first:
        while first.poll() is None and not (office.data_dir / "field_key.new").exists():
            pass
        with pytest.raises(subprocess.TimeoutExpired):
            first.wait(after)
        first.kill()
    assert (office.data_dir / "field_key.new").exists()
    words = [sys.executable, "-m", "admin_app"]
    done = subprocess.run([*words, "rotate-key"], env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    checked = subprocess.run([*words, "check"], env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "都能打开" in checked.stdout and "完好" in checked.stdout, checked.stdout
