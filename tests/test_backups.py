"""A backup holds everything, nothing else opens it, one changed byte is noticed, and a register restored from it works."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic import command as alembic
from flask import current_app
from sqlalchemy import create_engine, delete, func, make_url, select
from sqlalchemy.orm import Session

from admin_app import audit, backups, chunks, create_app, models as m, postgres_programs, selfcheck, upgrading
from admin_app.access import SYSTEM
from admin_app.backups import Keys
from admin_app.db import db, known_revisions, session_with
from admin_app.orm import keyring
from admin_app.records import attachments
from admin_app.rules import Complaint
from admin_app.settings import Unusable
from tests.conftest import WIDE_AWAKE
from tests.databases import ON_POSTGRES, by_hand, in_memory, named, programs_of_its_version, unguard_the_log

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def the_same_keys_afterwards():
    held = dict(vars(keyring))
    yield
    vars(keyring).update(held)


@pytest.fixture(autouse=True, scope="module")
def programs_of_the_servers_version():
    with programs_of_its_version() as there:
        if not there:
            pytest.skip("no pg_dump of the server's version")
        yield


@pytest.fixture
def office(base, app):
    """The register of the cast, as the commands see it; what uploads of other tests left on the disk is taken away."""
    with app.app_context():
        folder = attachments.folder_of(base.settings.data_dir)
        with session_with(SYSTEM) as session:
            kept = {attachments.path_of(folder, name) for name in session.scalars(select(m.Attachment.stored))}
        for file in set(attachments.files(folder)) - kept:
            file.unlink()
        yield SimpleNamespace(settings=base.settings, keys=Keys(base.settings.field_key))


@pytest.fixture
def place():
    """Where a restored database goes: blank for SQLite, else an empty database beside the tests' own."""
    if not ON_POSTGRES:
        yield lambda _settings: ""
        return
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(postgres_programs.scratch_database(settings.owner_url))


def made(office, folder, passphrase=None):
    return backups.make(office.settings, folder, passphrase)


def restored(office, file, folder, url, keys=None):
    return backups.restore(file, keys or office.keys, folder, url, upgrading.build)


def at(url, folder):
    return url or f"sqlite:///{folder / 'register.sqlite3'}"


def test_a_backup_is_one_private_file_that_says_what_is_in_it(office, tmp_path):
    done = made(office, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == [done.path] and backups.NAME.fullmatch(done.path.name)
    assert done.path.stat().st_mode & 0o777 == 0o600
    with session_with(SYSTEM) as session:
        head = session.get(m.AuditHead, 1)
        assert done.manifest["audit"] == {"seq": head.seq, "mac": head.mac}
        assert done.manifest["rows"]["child"] == session.scalar(select(func.count(m.Child.id)))
    assert done.manifest["revision"] == known_revisions()[0] and done.manifest["missing"] == 0
    content = done.path.read_bytes()
    assert "甲小雨".encode() not in content and b"SQLite format" not in content and office.settings.field_key not in content
    assert not list(office.settings.data_dir.glob(".backup-*"))


def test_a_restored_register_opens_a_page_with_a_sealed_number(office, place, ids, tmp_path):
    file, url = made(office, tmp_path).path, place(office.settings)
    _unpacked, said = restored(office, file, tmp_path / "new", url)
    assert any("附件 1 份，抽查 1 份" in line for line in said) and any("操作日志" in line for line in said)
    for name in ("field_key", "secret_key"):
        shutil.copy(office.settings.data_dir / name, tmp_path / "new" / name)
    database = at(url, tmp_path / "new")
    settings = replace(office.settings, data_dir=tmp_path / "new", database_url=database, owner_url=database)
    app = create_app(settings)
    app.config.update(IDLE=WIDE_AWAKE, LONGEST=WIDE_AWAKE)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = "token-office", True
    with app.app_context():
        page = client.get(f"/child/details/?id={ids.child_a}")
        with session_with(SYSTEM) as session:
            number = session.get(m.Child, ids.child_a).id_number
            kept = session.get(m.Attachment, ids.attachment_a)
            assert attachments.content_of(attachments.folder_of(settings.data_dir), kept)[:4] == b"\x89PNG"
        db.session.remove()
        db.engine.dispose()
    assert page.status_code == 200 and number[-4:] in page.text and number not in page.text


def test_parts_longer_than_a_chunk_come_back_byte_by_byte(office, place, tmp_path, monkeypatch):
    """Chunks so small that each part has many, of every length about the border."""
    folder = attachments.folder_of(office.settings.data_dir)
    for chunk in (4096, 10_240, 65_537):
        monkeypatch.setattr(backups, "CHUNK", chunk)
        scratch = tmp_path / f"{chunk}"
        scratch.mkdir()
        back = backups.unpack(made(office, scratch / "kept").path, office.keys, scratch)
        assert back.database.stat().st_size == back.manifest["parts"]["database"]["size"]
        files = list(attachments.files(back.attachments))
        assert [f.read_bytes() for f in files] == [f.read_bytes() for f in attachments.files(folder)] and files


def test_only_an_empty_folder_is_restored_into(office, place, tmp_path):
    file = made(office, tmp_path).path
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("等一等")
    with pytest.raises(Unusable, match="不是空文件夹"):
        restored(office, file, full, "")
    assert [path.name for path in full.iterdir()] == ["letter.txt"]
    with pytest.raises(Unusable, match="--database-url"):
        restored(office, file, tmp_path / "new", "" if ON_POSTGRES else "postgresql+psycopg://nobody@/nothing")
    if ON_POSTGRES:
        with pytest.raises(Unusable, match="不是空的"):
            restored(office, file, tmp_path / "newer", office.settings.owner_url)
    assert not any((tmp_path / "new").iterdir())


# --- damage ---


def frames(content):
    """[(part, where the chunk's sealed bytes begin, how many)] as they lie in the file."""
    at = content.index(b"\n", len(backups.MAGIC)) + 1
    found, names = [], iter(chunks.PARTS)
    name = next(names)
    while at < len(content):
        last, length = chunks.FRAME.unpack_from(content, at)
        found.append((name, at + chunks.FRAME.size, length))
        at += chunks.FRAME.size + length
        name = next(names, "") if last else name
    return found


def test_one_changed_byte_anywhere_is_noticed_and_the_part_is_named(office, tmp_path):
    file = made(office, tmp_path).path
    whole = file.read_bytes()
    places = [(3, "文件头"), (len(backups.MAGIC) + 12, "文件头"), (whole.index(b"salt") + 9, "文件头")]
    for name, begin, length in frames(whole):
        words = chunks.PARTS[name]
        places += [(begin + shift, words) for shift in (-chunks.FRAME.size, -1, 0, length // 2, length - 1)]
    for at, words in places:
        for bit in (1, 2):
            assert words in damage(office, whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :], tmp_path), at
    assert "末尾" in damage(office, whole + b"\0", tmp_path)
    assert "清单" in damage(office, whole[:-1], tmp_path)
    first, second = frames(whole)[:2]
    moved = whole[: first[1] - 5] + whole[second[1] - 5 : second[1] + second[2]] + whole[first[1] - 5 :]
    assert "数据库" in damage(office, moved, tmp_path)


def damage(office, content, folder):
    """What is said of a file with this content."""
    file = folder / "damaged.backup"
    file.write_bytes(content)
    scratch = folder / "scratch"
    scratch.mkdir()
    with pytest.raises(Complaint) as told:
        backups.unpack(file, office.keys, scratch)
    shutil.rmtree(scratch)
    return told.value.text


def test_another_key_opens_nothing(office, tmp_path):
    file = made(office, tmp_path).path
    for keys, words in ((Keys(b"x" * 32), "钥匙不对"), (Keys(), "没有钥匙"), (Keys(passphrase=b"a long enough one"), "没有钥匙")):
        with pytest.raises(Complaint, match=words):
            backups.unpack(file, keys, tmp_path)


def test_a_passphrase_opens_it_without_the_key_and_then_the_numbers_stay_closed(office, place, tmp_path):
    file = made(office, tmp_path, b"shan qing shui xiu").path
    for keys, words in ((office.keys, "口令"), (Keys(passphrase=b"another passphrase"), "口令不对")):
        (tmp_path / words).mkdir()
        with pytest.raises(Complaint, match=words):
            backups.unpack(file, keys, tmp_path / words)
    url = place(office.settings)
    unpacked, said = restored(office, file, tmp_path / "new", url, Keys(passphrase=b"shan qing shui xiu"))
    assert "未核对" in said[-1]
    with pytest.raises(Complaint, match="field_key 不对"):
        backups.examine(unpacked, at(url, tmp_path / "new"), Keys(b"x" * 32), upgrading.build)


@pytest.mark.skipif(ON_POSTGRES, reason="the same steps; a second migrated PostgreSQL database takes long")
def test_a_backup_of_an_older_schema_is_restored_to_this_one(office, tmp_path):
    """A new version's first backup comes before its migration; and a drill two versions later must not fail."""
    old = tmp_path / "old"
    shutil.copytree(office.settings.data_dir, old)
    url = at("", old)
    alembic.downgrade(upgrading.alembic_config(url), "0006")
    settings = replace(office.settings, data_dir=old, database_url=url, owner_url=url)
    done = backups.make(settings, tmp_path / "kept", None)
    assert done.manifest["revision"] == "0006"
    restored(office, done.path, tmp_path / "new", "")
    with create_engine(at("", tmp_path / "new")).connect() as connection:
        assert backups.revision(connection) == known_revisions()[0]


def test_a_backup_of_a_newer_version_says_so(office, tmp_path, monkeypatch):
    file = made(office, tmp_path).path
    monkeypatch.setattr(backups, "known_revisions", lambda: ["0001"])
    with pytest.raises(Complaint, match="请先升级程序"):
        backups.examine(unpacked(office, file, tmp_path / "new"), office.settings.database_url, office.keys, upgrading.build)


def unpacked(office, file, folder):
    folder.mkdir()
    return backups.unpack(file, office.keys, folder)


def test_a_log_cut_before_the_backup_is_noticed_in_the_drill(office, place, tmp_path):
    entries, values = m.AuditEntry.__table__, m.AuditValue.__table__
    with by_hand(current_app) as connection:
        unguard_the_log(connection)
        last = connection.scalar(select(func.max(entries.c.id)))
        connection.execute(delete(values).where(values.c.entry_id == last))
        connection.execute(delete(entries).where(entries.c.id == last))
    with pytest.raises(Complaint, match="操作日志不完整"):
        restored(office, made(office, tmp_path).path, tmp_path / "new", place(office.settings))


def test_no_backup_is_made_with_a_key_that_does_not_open_the_numbers(office, tmp_path):
    keyring.unlock(b"z" * 32)
    with pytest.raises(Complaint, match="放回原来的 field_key"):
        made(office, tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())


# --- room ---


def test_a_full_disk_is_said_before_anything_is_written(office, tmp_path, monkeypatch):
    kept = made(office, tmp_path / "kept").path
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage(1 << 40, 1 << 40, 1 << 20))
    time.sleep(1)
    with pytest.raises(Complaint, match="只剩 1 MB"):
        made(office, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == [kept]


def test_a_disk_that_fills_up_meanwhile_leaves_nothing_half(office, tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Complaint, match="以前的备份都在"):
        made(office, tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir()) and not list(office.settings.data_dir.glob(".backup-*"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_really_full_disk_leaves_nothing_half(office, tmp_path, monkeypatch):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        monkeypatch.setattr(backups, "_check_room", lambda *_: None)
        with pytest.raises(Complaint, match="磁盘满了"):
            made(office, disk)
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_newest_stay_and_nothing_foreign_goes(tmp_path):
    names = [f"register-2026010{day}-020000.backup" for day in range(1, 6)]
    for name in names:
        (tmp_path / name).write_bytes(backups.MAGIC)
    foreign = ["register-20250101-020000.backup", "register-2025.backup", ".register-20250101-020000.backup.part", "照片.zip"]
    for name in foreign:
        (tmp_path / name).write_bytes(b"somebody else's")
    gone = backups.retain(tmp_path, 2, tmp_path / names[0])  # the clock was put back: the one just made bears the oldest name
    assert [path.name for path in gone] == names[1:4]
    assert {path.name for path in tmp_path.iterdir()} == {names[0], names[4], *foreign}


# --- the state of the installation ---


@pytest.fixture
def fresh(tmp_path):
    """A data folder with two good keys."""
    for name in ("field_key", "secret_key"):
        (tmp_path / name).write_text("ab" * 32)
        (tmp_path / name).chmod(0o600)
    return tmp_path


BAD = {
    "no key": ({}, lambda folder: (folder / "field_key").unlink(), "field_key"),
    "a key all can read": ({}, lambda folder: (folder / "field_key").chmod(0o644), "field_key"),
    "half a key": ({}, lambda folder: (folder / "secret_key").write_text("ab"), "secret_key"),
    "a short secret": ({"SECRET_KEY": "short"}, None, "SECRET_KEY"),
    "plain http to the world": ({"HOST": "0.0.0.0"}, None, "设置"),
    "plain http asked for": ({"HOST": "0.0.0.0", "ALLOW_HTTP": "1"}, None, "网络"),
    "debug": ({"FLASK_DEBUG": "1"}, None, "调试"),
    "no limits": ({"RATE_LIMITS": "off"}, None, "登录次数"),
    "no backup yet": ({"BACKUP_DIR": "."}, None, "备份"),
    "no database": ({}, None, "数据库"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_configuration_is_wrong(case, fresh):
    env, spoil, what = BAD[case]
    if spoil:
        spoil(fresh)
    there = set(fresh.iterdir())
    env = {"DATA_DIR": str(fresh)} | env | ({"BACKUP_DIR": str(fresh)} if "BACKUP_DIR" in env else {})
    found = list(selfcheck.look(env))
    assert what in [each.what for each in found if each.state == selfcheck.WRONG]
    assert set(fresh.iterdir()) == there


def looked(office, **more):
    url = named(office.settings)
    found = list(selfcheck.look({"DATA_DIR": str(office.settings.data_dir)} | url | more))
    return {each.what: each for each in found}


def test_a_sound_installation_is_sound_and_what_breaks_is_named(office, tmp_path):
    done = made(office, tmp_path)
    good = looked(office, BACKUP_DIR=str(tmp_path))
    wrong = {each.what for each in good.values() if each.state == selfcheck.WRONG}
    assert wrong == ({"断电不丢"} if ON_POSTGRES else set())  # the tests' own server need not survive a power cut
    assert done.path.name in good["备份"].text and "登记的都在" in good["附件"].text
    assert good["第二道防线"].state == (selfcheck.OK if ON_POSTGRES else selfcheck.NOTE)
    (file,) = attachments.files(attachments.folder_of(office.settings.data_dir))
    away = shutil.move(file, tmp_path / "away")
    old = time.time() - 3 * 86400
    os.utime(done.path, (old, old))
    with session_with(SYSTEM, writes=True) as session:
        session.get(m.AuditHead, 1).seq += 1
        session.commit()
    try:
        bad = looked(office, BACKUP_DIR=str(tmp_path))
    finally:
        shutil.move(away, file)
    assert {each.what for each in bad.values() if each.state == selfcheck.WRONG} - {"断电不丢"} == {"备份", "操作日志", "附件"}


@pytest.mark.skipif(not in_memory(), reason="there is no other disk to be sure of")
def test_a_backup_beside_the_data_is_told(office, tmp_path):
    told = []
    with tempfile.TemporaryDirectory(dir=office.settings.data_dir) as beside:
        for folder in (Path(beside), tmp_path):
            made(office, folder)
            found = selfcheck._backups(replace(office.settings, backup_dir=folder))
            told.append([each.what for each in found if each.state != selfcheck.OK])
    assert told == [["备份的位置"], []]


# --- as commands ---


def command(office, *words, **more):
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "SECRET_KEY", "BACKUP_DIR")}
    env |= {"DATA_DIR": str(office.settings.data_dir), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"} | more
    env |= named(office.settings)
    words = [sys.executable, "-m", "admin_app", *map(str, words)]
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_the_commands_say_what_they_did_and_end_with_the_right_code(office, tmp_path, place):
    done = command(office, "backup", "--to", tmp_path / "kept", "--keep", "1")
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "kept").iterdir()
    seq, mac = re.search(r"第 (\d+) 条，校验码 ([0-9a-f]{64})", done.stdout).groups()
    assert str(file) in done.stdout and f"{file.stat().st_size:,}" in done.stdout
    with session_with(SYSTEM) as session:
        entry = session.scalars(select(m.AuditEntry).order_by(m.AuditEntry.id.desc()).limit(1)).one()
        assert entry.action == "backup" and entry.id == int(seq) + 1 and audit.verify(session)[1] is None
    drill = command(office, "verify-backup", file)
    assert drill.returncode == 0 and mac in drill.stdout and "抽查加密的号码" in drill.stdout, drill.stderr
    content = bytearray(file.read_bytes())
    content[-9] ^= 1
    (tmp_path / "bad.backup").write_bytes(content)
    bad = command(office, "verify-backup", tmp_path / "bad.backup")
    assert bad.returncode == 1 and "清单" in bad.stderr and "Traceback" not in bad.stderr
    more = ["--database-url", place(office.settings)] if ON_POSTGRES else []
    back = command(office, "restore", file, "--to", tmp_path / "new", *more)
    assert back.returncode == 0 and "field_key" in back.stdout and not (tmp_path / "new" / "field_key").exists(), back.stderr
    assert command(office, "restore", file, "--to", tmp_path / "new", *more).returncode == 2
    state = command(office, "check", "--json", BACKUP_DIR=str(tmp_path / "kept"))
    told = json.loads(state.stdout)
    assert told["ok"] is (not ON_POSTGRES) and state.returncode == int(ON_POSTGRES)
    assert {"state", "what", "text"} == set(told["checks"][0])


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a process is killed the way of POSIX")
def test_a_killed_backup_leaves_the_older_ones_and_is_cleared_away_the_next_day(office, tmp_path):
    kept = made(office, tmp_path / "kept").path
    env = {**os.environ, "DATA_DIR": str(office.settings.data_dir), "PYTHONPATH": str(ROOT)}
    env |= named(office.settings)
    stuck = "import sys, time; from admin_app import backups, commands; backups._pack = lambda *_: time.sleep(60); commands.main(sys.argv[1:])"
    with subprocess.Popen([sys.executable, "-c", stuck, "backup", "--to", str(tmp_path / "kept")], env=env, cwd=ROOT) as running:
        while not list((tmp_path / "kept").glob(".register-*.part")):
            assert running.poll() is None
            time.sleep(0.1)
        running.kill()
    assert backups.finished(tmp_path / "kept") == [kept]
    left = [*(tmp_path / "kept").glob(".*"), *office.settings.data_dir.glob(".backup-*")]
    for path in left:
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    again = made(office, tmp_path / "kept").path
    assert left and set((tmp_path / "kept").iterdir()) == {kept, again} and not list(office.settings.data_dir.glob(".backup-*"))


def test_without_its_key_nothing_is_backed_up_and_no_new_key_is_made(tmp_path):
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    there = SimpleNamespace(settings=SimpleNamespace(data_dir=tmp_path, database_url=nowhere, owner_url=nowhere))
    done = command(there, "backup", "--to", tmp_path / "kept")
    assert done.returncode == 2 and "field_key" in done.stderr and not list(tmp_path.iterdir())


WRITER = """
import datetime as dt, sys
from admin_app import create_app, models as m
from admin_app.access import SYSTEM
from admin_app.db import writing

with create_app().app_context():
    for n in range(1, 100_000):
        with writing(SYSTEM) as session:
            notice = m.Notice(title=f"{n}", on=dt.date(2026, 1, 1), body="第一行")
            session.add(notice)
            session.flush()
            session.add(m.NoticeReceipt(notice_id=notice.id, school_id=int(sys.argv[1])))
        print(n, flush=True)
"""


@pytest.mark.slow
def test_what_was_saved_before_a_backup_is_in_it_while_somebody_goes_on_writing(office, ids, place, tmp_path):
    env = {**os.environ, "DATA_DIR": str(office.settings.data_dir), "PYTHONPATH": str(ROOT)}
    env |= named(office.settings)
    said = tmp_path / "said"
    with (
        said.open("w") as out,
        subprocess.Popen([sys.executable, "-c", WRITER, str(ids.a)], env=env, cwd=ROOT, stdout=out) as writer,
    ):
        try:
            files = []
            for _ in range(3):
                seen = len(said.read_text().split())
                begun = time.monotonic()
                while len(said.read_text().split()) < seen + 30 or time.monotonic() < begun + 1.1:
                    assert writer.poll() is None
                    time.sleep(0.05)
                before = int(said.read_text().rpartition("\n")[0].split()[-1])
                files.append((made(office, tmp_path / "kept").path, before))
            during = int(said.read_text().rpartition("\n")[0].split()[-1])
        finally:
            writer.kill()
    assert during > files[-1][1], "the writer went on"
    for n, (file, before) in enumerate(files):
        url = place(office.settings) if n == 2 or not ON_POSTGRES else None
        if url is None:
            continue
        unpacked, _said = restored(office, file, tmp_path / f"new{n}", url)  # with it the chain, the counts, the foreign keys
        engine = create_engine(at(url, tmp_path / f"new{n}"))
        with Session(engine) as session:
            written = {int(t) for t in session.scalars(select(m.Notice.title)) if t.isdigit()}
            halves = session.scalar(select(func.count()).select_from(m.Notice).where(m.Notice.body == "第一行")) or 0
            receipts = session.scalar(select(func.count()).select_from(m.NoticeReceipt)) or 0
        engine.dispose()
        assert written == set(range(1, len(written) + 1)) and len(written) >= before
        assert receipts - 1 == halves == len(written)  # the cast has one receipt
        assert unpacked.manifest["rows"]["notice_receipt"] == receipts


@pytest.mark.skipif(ON_POSTGRES, reason="said where there is no PostgreSQL")
def test_without_postgresqls_programs_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Complaint, match="postgresql-client"):
        postgres_programs.restore(Path("dump"), "postgresql+psycopg://nobody:secret@localhost/nothing")


def test_an_older_pg_dump_is_told_apart():
    assert "同版本" in postgres_programs._failed(
        "pg_dump", b"pg_dump: error: aborting because of server version mismatch\npg_dump: detail: x"
    )
    assert postgres_programs._failed("pg_dump", "pg_dump: error: 甲\nDETAIL: 甲小雨".encode()).endswith("甲")


def test_a_password_is_not_among_the_words_of_a_program():
    address, env = postgres_programs._for_libpq("postgresql+psycopg://lin:se%40cret@db.example:5433/register?sslmode=require")
    assert "cret" not in address and env["PGPASSWORD"] == "se@cret"
    assert make_url(address).query["sslmode"] == "require" and address.startswith("postgresql://lin@db.example:5433/register")
