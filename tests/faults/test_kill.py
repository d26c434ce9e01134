"""The server is killed in the middle of writing, again and again: what was acknowledged is there, nothing is there by half."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults import load
from tests.faults.load import Ledger
from tests.faults.server import PEOPLE, Office, wait_until

pytestmark = pytest.mark.slow
ROUNDS, WRITERS = 20, 4


def test_a_server_killed_twenty_times_while_four_people_write_loses_nothing_it_acknowledged(office: Office) -> None:
    ledger, moments = Ledger(), random.Random(84)
    with office.served() as server:
        people = load.writers(server, PEOPLE[:WRITERS], ledger)
        for number in range(ROUNDS):
            before = ledger.count
            with load.at_work(people):
                wait_until(lambda before=before: ledger.count > before)
                time.sleep(moments.uniform(0, 1.5))
                server.kill()
            assert load.wrong_with(office, ledger) == [], f"round {number}"
            server.start()
        assert load.wrong_with(office, ledger) == []
    print(f"{ROUNDS} rounds, {ledger.count} acknowledged, {ledger.cut} cut off, {dict(ledger.answers)}")
    assert ledger.cut >= ROUNDS
    assert {answer.words for answer in ledger.refusals} == set()
