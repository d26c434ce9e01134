"""SQL statements from loading the actor to the answer: few, and the same however many rows there are."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import event

from admin_app import auth, models as m
from admin_app.access import SYSTEM
from admin_app.assessment import workflow
from admin_app.db import db, session_with
from tests import factories as make

pytestmark = pytest.mark.matrix

LISTS = ["child", "parent", "carer", "responsibility", "contact_card", "care_record", "state_note", "activity", "training_session", "staff",
         "school", "assessment_round", "indicator", "adjustment", "inspection", "appeal", "evidence", "enrolment", "term", "code"]  # fmt: skip


@pytest.fixture
def counted(app, ids, person, monkeypatch):
    """How many statements a page takes, without loading the actor and the log's own short transaction."""

    def statements(path, who="secretary_a", data=None):
        seen, loading = [], []
        load = auth._load

        def quiet(token):
            loading.append(1)
            try:
                return load(token)
            finally:
                loading.pop()

        def listen(_connection, _cursor, statement, *_rest):
            if (
                not loading
                and not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SELECT set_config"))
                and "audit_" not in statement
            ):
                seen.append(statement)

        monkeypatch.setattr(app.login_manager, "_user_callback", quiet)
        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", listen)
        try:
            assert (person(who).get(path) if data is None else person(who).post(path, data)).status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", listen)
        return seen

    return statements


@pytest.mark.parametrize("screen", LISTS)
def test_a_list_takes_at_most_six_statements(screen, counted):
    assert len(counted(f"/{screen}/", "office")) <= 6


def test_a_list_takes_the_same_for_two_rows_or_fifty(counted, app, ids):
    few = len(counted("/child/"))
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        school = session.get(m.School, ids.a)
        for n in range(40):
            make.left_behind(session, school, f"普小{'一二三四五六七八九十'[n % 10]}")
        session.commit()
    assert len(counted("/child/")) == few


def test_the_dossier_takes_the_same_for_two_or_two_hundred_records(counted, app, ids):
    path = f"/child/details/?id={ids.child_a}"
    few = len(counted(path))
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        child = session.get(m.Child, ids.child_a)
        for n in range(200):
            make.talk(session, child, dt.date(2025, 9, 1) + dt.timedelta(days=n))
        session.commit()
    assert len(counted(path)) == few <= 24


def test_the_pages_of_a_round_take_a_fixed_number(counted, app, ids):
    """Before the freeze the facts are asked for (some forty statements); after it they are read as kept."""
    pages = {
        "ranking": "/assessment/", "sheet": f"/assessment/sheet/?sheet={ids.sheet_a}", "item": f"/assessment/item/?sheet={ids.sheet_a}&indicator=5",
        "differences": "/assessment/differences/", "snapshots": "/snapshot/", "inspection": f"/inspection/details/?id={ids.inspection_a}",
        "appeal": f"/appeal/details/?id={ids.appeal_a}", "result": f"/assessment/result/?round={ids.shown_round}",
    }  # fmt: skip
    live = {name: len(counted(path, "office")) for name, path in pages.items()}
    with app.app_context(), session_with(SYSTEM, writes=True) as session, session_with(SYSTEM) as system:
        round_ = session.get(m.Round, ids.round)
        workflow.advance(workflow.Act(session, system, round_, "股员", dt.date(2026, 9, 1), words="逾期"), m.RoundState.CHECK)
        session.commit()
    frozen = {name: len(counted(path, "office")) for name, path in pages.items()}
    assert max(live.values()) <= 75 and max(frozen.values()) <= 40, (live, frozen)


def test_the_first_page_takes_a_fixed_number(counted):
    assert len(counted("/", "office")) <= 60 and len(counted("/")) <= 60


@pytest.mark.parametrize("path", ["/quick/talks/?class=all", "/quick/confirm/?class=all", "/activity/roster/?id={activity_a}"])
def test_a_form_that_is_refused_comes_back_for_as_little_as_it_came(path, counted, app, ids):
    """Its entry in the log is saved in between: the rows of the page are not read once more for it, one by one."""
    path = path.format(**vars(ids))
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        school = session.get_one(m.School, ids.a)
        for number in range(30):
            make.left_behind(session, school, f"同学{chr(0x4E00 + number)}")
        session.commit()
    looked, refused = len(counted(path)), len(counted(path, data={"child": "x", "class": "all"}))
    assert refused <= looked + 8, (looked, refused)
