"""Where the log ended is written down outside the database, so that a log cut back to an older, whole state is noticed."""

from __future__ import annotations

import datetime as dt
import stat

import pytest
import time_machine
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from admin_app import anchors, audit, models as m, selfcheck
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.orm import utcnow
from admin_app.rules import Complaint
from tests.databases import by_hand, unguard_the_log


def act(session):
    audit.note(session, "print", "child")
    session.commit()


def cut_back(app, to):
    """As somebody would who works on the database by hand: the newest entries gone, the head as it was then."""
    entry, value, head = (model.__table__ for model in (m.AuditEntry, m.AuditValue, m.AuditHead))
    with by_hand(app) as connection:
        unguard_the_log(connection)
        mac = connection.scalar(select(entry.c.mac).where(entry.c.id == to))
        connection.execute(delete(value).where(value.c.entry_id > to))
        connection.execute(delete(entry).where(entry.c.id > to))
        connection.execute(update(head).values(seq=to, mac=mac))


def test_a_line_says_where_the_log_ends_and_nobody_else_may_read_it(system, tmp_path):
    act(system)
    anchors.add(system, tmp_path / "away")
    (line,) = anchors.written(tmp_path / "away")
    head = system.get_one(m.AuditHead, 1)
    assert (line.seq, line.mac) == (head.seq, head.mac)
    assert stat.S_IMODE((tmp_path / "away" / anchors.NAME).stat().st_mode) == 0o600


def test_a_log_that_only_grew_fits_all_that_was_written_down(system, tmp_path):
    for _line in range(3):
        anchors.add(system, tmp_path)
        act(system)
    assert len(anchors.written(tmp_path)) == 3 and anchors.first_misfit(system, tmp_path) is None


def test_a_log_cut_back_to_a_whole_older_state_is_found_by_the_line_alone(app, ids, tmp_path):
    with app.app_context():
        with session_with(SYSTEM, writes=True) as session:
            anchors.add(session, tmp_path)
            to = anchors.written(tmp_path)[0].seq
            act(session)
            anchors.add(session, tmp_path)
            act(session)
        cut_back(app, to)
        with session_with(SYSTEM, writes=True) as session:
            assert audit.verify(session) == (to, None), "the chain itself shows nothing"
            assert f"第 {to + 1} 条，这一条已不在" in anchors.first_misfit(session, tmp_path)
            act(session)
            assert audit.verify(session) == (to + 1, None)
            assert f"第 {to + 1} 条，这一条与当时不同" in anchors.first_misfit(session, tmp_path)


def test_the_day_gets_one_line_and_the_next_day_another(system, tmp_path):
    morning = dt.datetime(2026, 9, 1, 7, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    for hours in (0, 1, 16, 18, 23):  # midnight of the county is after 17
        with time_machine.travel(morning + dt.timedelta(hours=hours)):
            anchors.add_of_the_day(system, tmp_path)
    assert [line.at[:13] for line in anchors.written(tmp_path)] == ["2026-09-01T07", "2026-09-02T01"]


def test_half_a_line_of_a_power_cut_spoils_no_other(system, tmp_path):
    anchors.add(system, tmp_path)
    with (tmp_path / anchors.NAME).open("a") as file:
        file.write("2026-09-01T07:00:00+08:00 12")
    anchors.add(system, tmp_path)
    assert len(anchors.written(tmp_path)) == 2 and anchors.first_misfit(system, tmp_path) is None


def test_a_folder_that_refuses_is_said(system, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Complaint, match="没有写下操作日志的末尾"):
        anchors.add(system, tmp_path / "file")


def test_a_server_writes_its_line_beside_itself_and_a_folder_that_refuses_is_told(app, ids, tmp_path, monkeypatch):
    class AtOnce:
        def __init__(self, target, **_how):
            self.start = target

    def enough(_seconds):
        raise StopIteration

    told = []
    monkeypatch.setattr(anchors.threading, "Thread", AtOnce)
    monkeypatch.setattr(anchors.time, "sleep", enough)
    (tmp_path / "file").write_text("")
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(StopIteration):
            anchors.add_daily(app, folder, told.append)
    assert len(anchors.written(tmp_path)) == 1 and len(told) == 1


def test_the_check_names_the_first_line_that_does_not_fit_and_where_the_lines_should_lie(base, app, system, monkeypatch):
    class Elsewhere:
        anchors = base.settings.data_dir / "anchors-of-the-check"
        data_dir = base.settings.data_dir

    def look():
        return selfcheck._log_ends(system, Elsewhere)

    assert look().state == selfcheck.NOTE and "还没有写下过" in look().text
    anchors.add(system, Elsewhere.anchors)
    assert look().state == selfcheck.NOTE and "ANCHOR_DIR" in look().text
    monkeypatch.setattr(selfcheck, "_on_one_disk", lambda *_: False)
    assert look().state == selfcheck.OK
    file = Elsewhere.anchors / anchors.NAME
    file.write_text(f"2026-09-01T07:00:00+08:00 {10**6} {'a' * 64}\n")
    assert look().state == selfcheck.WRONG and "2026-09-01T07:00:00+08:00 写下的末尾" in look().text
    file.unlink()


def test_nothing_takes_an_entry_out_of_the_log(app, ids):
    """The database refuses the owner himself: entries are kept for good, and so for the six months of the law."""
    for statement in (
        delete(m.AuditEntry.__table__),
        update(m.AuditEntry.__table__).values(at=utcnow()),
        update(m.AuditValue.__table__).values(salt="x"),
    ):
        with pytest.raises(DBAPIError, match="only added to"), by_hand(app) as connection:
            connection.execute(statement)
