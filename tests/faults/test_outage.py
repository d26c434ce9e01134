"""PostgreSQL goes away under load and comes back: it is said, it mends itself, nothing acknowledged is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from sqlalchemy import make_url

from tests import databases
from tests.browser import ROOT
from tests.faults import load
from tests.faults.load import Ledger
from tests.faults.server import PEOPLE, Office, wait_until

pytestmark = pytest.mark.slow


def test_a_database_that_stops_under_load_is_said_and_its_return_needs_nobody(postgres_office: Office, postgres: Any) -> None:
    ledger, back = Ledger(), []
    with postgres_office.served() as server:
        people = load.writers(server, PEOPLE[:6], ledger)
        with load.at_work(people):
            for _outage in range(3):
                saved = ledger.count
                wait_until(lambda saved=saved: ledger.count > saved + 5)
                databases.stop_at_once(postgres)
                assert (server.status("/readyz"), server.status("/healthz"), server.status("/login")) == (503, 200, 200)
                time.sleep(1)
                databases.start_again(postgres)
                back.append(wait_until(lambda: server.status("/readyz") == 200))
                saved = ledger.count
                wait_until(lambda saved=saved: ledger.count > saved + 5)
        assert load.wrong_with(postgres_office, ledger) == []
    print(f"{len(back)} outages, ready again after {back}, {ledger.count} acknowledged, {dict(ledger.answers)}")
    assert {answer.words for answer in ledger.refusals} == {"系统正忙，请稍候再点一次；已填内容还在浏览器中。"}
    assert set(ledger.answers) == {302, 503} and ledger.cut == 0


def test_a_postgresql_that_may_forget_what_it_acknowledged_is_not_served(postgres_office: Office, postgres: Any) -> None:
    name = make_url(postgres_office.url).database
    postgres.psql(f"alter database {name} set synchronous_commit = off")
    command, env = [sys.executable, "-m", "admin_app", "serve"], {"PYTHONPATH": str(ROOT), **postgres_office.env}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and "synchronous_commit 关着，请打开" in done.stderr and "Traceback" not in done.stderr
