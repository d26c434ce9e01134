"""The server is killed in the middle of writing, again and again: what was acknowledged is there, nothing is there by half."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
import threading
import time
from contextlib import suppress

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage

from admin_app import audit, models as m
from tests import factories as make
from tests.faults import load
from tests.faults.load import Browser, Cut, Ledger
from tests.faults.server import OF_THE_CLASS, PEOPLE, Office, wait_until
from tests.records.test_importing import row, workbook

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


CHILDREN, KILLS = 1200, 5


def test_a_server_killed_while_it_writes_a_ledger_has_written_none_of_it_and_the_file_waits(office: Office) -> None:
    names = [load.Writer._number() for _ in range(CHILDREN)]
    born = [dt.date(2014, 1, 1) + dt.timedelta(days=number) for number in range(CHILDREN)]
    lines = (row(name=f"普{name}", born=day, number=make.id_number(day, order=801)) for name, day in zip(names, born, strict=True))
    file = FileStorage(io.BytesIO(workbook(*lines)), filename="台账.xlsx")
    moments = random.Random(60)
    with office.served() as server:
        secretary = Browser(server.address)
        secretary.log_in(PEOPLE[0])
        school = re.search(r'<option value="(\d+)"[^>]*>晨光小学', secretary.get("/imports/").text)[1]
        preview = secretary.post("/imports/", {"school": school, "start": "2025-09-01", "file": file}).location
        number = re.search(r"id=(\d+)", preview)[1]
        assert "全部写入" in secretary.get(preview).text
        for _ in range(KILLS):
            began = threading.Thread(target=_save, args=(secretary, number))
            began.start()
            time.sleep(moments.uniform(0.3, 2.5))
            server.kill()
            began.join()
            assert _written(office, number) == (len(OF_THE_CLASS), m.ImportState.WAITING, 0, None)
            server.start()
        assert secretary.post("/imports/save/", {"id": number, "consent": "later"}).status == 302
    assert _written(office, number) == (len(OF_THE_CLASS) + CHILDREN, m.ImportState.SAVED, 1, None)


def _save(secretary: Browser, number: str) -> None:
    with suppress(Cut):
        secretary.post("/imports/save/", {"id": number, "consent": "later"})


def _written(office: Office, number: str) -> tuple[int, m.ImportState, int, str | None]:
    """Children, what became of the file, how many batches there are, what is wrong with the log."""
    with office.reading() as session:
        count = lambda model: session.scalar(select(func.count(model.id))) or 0  # noqa: E731
        return count(m.Child), session.get_one(m.ImportBatch, int(number)).state, count(m.Batch), audit.verify(session)[1]
