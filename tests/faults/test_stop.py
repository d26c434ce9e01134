"""The server is told to stop: whoever has asked is answered, nobody new is let in, and it ends in time."""

from __future__ import annotations

import http.client
import signal
import sqlite3
import threading
import time

import pytest

from tests.faults import load
from tests.faults.load import Ledger
from tests.faults.server import PEOPLE, Office

pytestmark = pytest.mark.slow
IN_TIME = 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["terminate", "ctrl-c"])
def test_everybody_who_is_in_is_answered_though_more_ask_than_there_are_threads(number: int, sqlite_office: Office) -> None:
    ledger = Ledger()
    with sqlite_office.served() as server:
        people = load.writers(server, PEOPLE[:12], ledger)
        with load.at_work(people):
            time.sleep(4)
            code, took = server.stop(number)
        assert (code, ledger.cut) == (0, 0) and took < IN_TIME, server.log
        assert load.wrong_with(sqlite_office, ledger) == []
    print(f"ended after {took:.1f} s, {ledger.count} acknowledged, {dict(ledger.answers)}")
    assert set(ledger.answers) == {302} and ledger.count > 12


def test_who_waits_for_the_database_while_the_server_is_told_to_stop_is_answered(sqlite_office: Office) -> None:
    ledger = Ledger()
    with sqlite_office.served() as server:
        people = load.writers(server, PEOPLE[:8], ledger)
        other = sqlite3.connect(sqlite_office.folder / "register.sqlite3", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threads = [threading.Thread(target=each.child) for each in people]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        threading.Timer(3, lambda: other.execute("ROLLBACK")).start()
        code, took = server.stop()
        for thread in threads:
            thread.join()
        other.close()
        assert (code, dict(ledger.answers)) == (0, {302: 8}) and 1 < took < IN_TIME
        assert load.wrong_with(sqlite_office, ledger) == []


def test_a_browser_that_keeps_its_connection_open_does_not_hold_up_the_end(sqlite_office: Office) -> None:
    with sqlite_office.served() as server:
        idle = http.client.HTTPConnection(*server.address, timeout=30)
        idle.request("GET", "/healthz")
        assert idle.getresponse().read() == b"ok"
        code, took = server.stop()
        assert code == 0 and took < 6
        idle.close()


def test_a_second_signal_ends_at_once(sqlite_office: Office) -> None:
    with sqlite_office.served() as server:
        half = http.client.HTTPConnection(*server.address, timeout=30)
        half.connect()
        half.sock.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nusername=")
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(3)
        assert server.process.poll() is None, "it waits for the rest of the form"
        code, took = server.stop()
        assert code == -signal.SIGTERM and took < 2
        half.close()
