"""Two servers on one database, sixteen people who write for a minute, somebody who reads all the time: nobody is turned away."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select

from admin_app import models as m
from tests.faults import load
from tests.faults.load import Browser, Ledger
from tests.faults.server import PEOPLE, Office, Server

pytestmark = pytest.mark.slow
SECONDS = 60


@contextmanager
def exporting(server: Server, name: str) -> Iterator[Counter[int]]:
    """Somebody takes the register with her, again and again; how often each status was answered."""
    browser, answers, stop = Browser(server.address), Counter[int](), threading.Event()
    browser.log_in(name)

    def export() -> None:
        while not stop.is_set():
            answers[browser.get("/child/export/xlsx/").status] += 1

    thread = threading.Thread(target=export)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join()


def test_sixteen_people_on_two_servers_write_for_a_minute_and_nobody_is_turned_away(office: Office) -> None:
    ledger = Ledger()
    with office.served() as one, office.served() as other:
        people = load.writers(one, PEOPLE[:8], ledger) + load.writers(other, PEOPLE[8:16], ledger)
        with exporting(one, PEOPLE[16]) as exports, office.reading() as long_reader:
            seen = long_reader.scalar(select(func.count(m.Child.id)))
            with load.at_work(people):
                time.sleep(SECONDS)
            again = long_reader.scalar(select(func.count(m.Child.id)))
        logs = one.log + other.log
        assert load.wrong_with(office, ledger) == []
    print(f"{ledger.count} acknowledged, slowest {ledger.slowest:.1f} s, {dict(ledger.answers)}, {exports.total()} exports")
    assert set(ledger.answers) == {302} and ledger.cut == 0 and [answer.words for answer in ledger.refusals] == []
    assert set(exports) == {200} and exports.total() > 1
    assert "locked" not in logs and "incident" not in logs
    assert not office.settings.is_sqlite or again == seen, "the reader looked at one state all the time"
