"""The disk is full: it is said in words, what is there can be read, and after clearing up all goes on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.faults import load
from tests.faults.conftest import copy_of
from tests.faults.load import TRACE, Answer, Ledger, Writer
from tests.faults.server import PEOPLE, Office, Server

pytestmark = pytest.mark.slow
SENTENCE = "服务器磁盘不能写入，未保存；打开要留痕的页面也暂时打不开。请告诉管理员，已填内容还在浏览器中。"
OF_A_FILE = "服务器磁盘不能写入，附件未保存，请联系管理员。"
READ = ("/", "/child/", "/care_record/", "/child/new/", "/quick/talks/")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB; skipped where nobody may mount one."""
    disk = tmp_path / "data"
    disk.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, check=False)
    if not done or done.returncode:
        pytest.skip("mounting a small file system takes an administrator of the machine")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return ballast


def until_refused(writer: Writer) -> Answer:
    for _ in range(300):
        writer.child()
        if writer.ledger.refusals:
            return writer.ledger.refusals.pop()
    raise AssertionError("a full disk was never noticed")


def of_everything(writer: Writer) -> int:
    """How much of one round of work was saved."""
    before = writer.ledger.count
    for job in (writer.child, writer.carer, writer.attachment, writer.talk):
        job()
    return writer.ledger.count - before


def states(server: Server) -> tuple[int, int]:
    return server.status("/healthz"), server.status("/readyz")


def test_a_full_disk_is_said_in_words_reading_goes_on_and_so_does_writing_after_clearing_up(
    on_sqlite: Office, small_disk: Path
) -> None:
    shutil.copytree(on_sqlite.folder, small_disk, dirs_exist_ok=True)
    office, ledger = Office(small_disk), Ledger()
    with office.served() as server:
        [writer] = load.writers(server, PEOPLE[:1], ledger)
        assert of_everything(writer) == 4 and states(server) == (200, 200)
        child = writer.child_id
        ballast = fill(small_disk)
        refused = until_refused(writer)
        assert (refused.status, refused.words) == (507, SENTENCE)
        assert states(server) == (200, 503)
        assert {path: writer.browser.get(path).status for path in READ} == dict.fromkeys(READ, 200)
        writer.child_id = child
        for job in (writer.carer, writer.talk, writer.attachment):
            job()
        answers = [*ledger.refusals, writer.browser.get(f"/child/details/?id={child}")]
        assert {answer.words for answer in answers} <= {SENTENCE, OF_A_FILE} and len(answers) == 4
        assert not [word for word in TRACE if any(word in answer.text for answer in answers)]
        ballast.unlink()
        assert states(server) == (200, 200) and of_everything(writer) == 4
        server.kill()
        assert load.wrong_with(office, ledger) == []


def test_a_server_started_on_a_full_disk_and_freed_later_lost_nothing(on_sqlite: Office, small_disk: Path) -> None:
    shutil.copytree(on_sqlite.folder, small_disk, dirs_exist_ok=True)
    office, ledger = Office(small_disk), Ledger()
    with office.served() as server:
        [writer] = load.writers(server, PEOPLE[:1], ledger)
        assert of_everything(writer) == 4
        ballast = fill(small_disk)
        until_refused(writer)
        server.kill()
        ballast.unlink()
        server.start()
        assert of_everything(writer) == 4
        assert load.wrong_with(office, ledger) == []


def test_beside_postgresql_a_full_data_folder_refuses_files_and_nothing_else(
    on_postgres: Office, postgres: Any, small_disk: Path
) -> None:
    office, ledger = copy_of(on_postgres, small_disk, postgres), Ledger()
    with office.served() as server:
        [writer] = load.writers(server, PEOPLE[:1], ledger)
        assert of_everything(writer) == 4 and states(server) == (200, 200)
        ballast = fill(small_disk)
        assert of_everything(writer) == 3 and states(server) == (200, 503)
        [refused] = ledger.refusals
        assert OF_A_FILE in refused.words
        ballast.unlink()
        assert states(server) == (200, 200) and of_everything(writer) == 4
        assert load.wrong_with(office, ledger) == []
