"""The second wall: what PostgreSQL itself refuses when the program's own filter is gone."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import cache
from types import SimpleNamespace

import pytest
from sqlalchemy import MetaData, create_engine, event, func, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from admin_app import access, models as m, row_security
from admin_app.access import NOTHING, SYSTEM, Action, OutOfScope
from admin_app.db import db, session_with
from admin_app.orm import Base, Between, ChildFile, History, OnRecord, SchoolOwned
from tests import filling
from tests.conftest import PEOPLE, scope_of
from tests.databases import ON_POSTGRES, PROGRAM, by_hand

OWNED = sorted(
    (
        mapper.class_
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, SchoolOwned | ChildFile | OnRecord | History | Between)
    ),
    key=lambda model: model.__name__,
)
EVERY = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda model: model.__name__)
LOG = (m.AuditEntry, m.AuditValue, m.AuditHead, m.AuditKey, m.UsedForm)
"""Tables with rules of their own: everybody's transaction adds to them."""
needs_postgres = pytest.mark.skipif(not ON_POSTGRES, reason="SQLite has no row-level security")


@pytest.fixture
def connected(app, ids):
    """A connection past the ORM and past every filter of ours, telling the database whose it is."""

    @cache
    def connect(who):
        connection = opened.enter_context(db.engine.connect())
        row_security.tell(connection, who if isinstance(who, access.Scope) else scope_of(ids, who))
        return connection

    with app.app_context(), ExitStack() as opened:
        yield connect


@pytest.fixture
def filled(app, ids):
    """Every owned table has a row of school A and one of school B, whatever it points to, and every other table one row."""
    with by_hand(app) as connection:
        connection.execute(text("set session_replication_role = replica"))  # keys are not checked
        tables = MetaData()
        tables.reflect(connection)
        for table in (tables.tables[model.__tablename__] for model in EVERY if model not in (*OWNED, *LOG)):
            if connection.execute(select(table).limit(1)).first() is None:
                connection.execute(table.insert().values(filling.row(table, 1, filling.GIVEN)))
        for table in (tables.tables[model.__tablename__] for model in OWNED):
            there = set(connection.scalars(select(table.c.school_id)))
            for n, school, child in ((1, ids.a, ids.child_a), (3, ids.b, ids.child_b)):
                if school not in there:
                    own = {"school_id": school} | ({"child_id": child} if "child_id" in table.c else {})
                    connection.execute(table.insert().values(filling.row(table, n, filling.GIVEN) | own))


def test_every_table_has_its_four_policies():
    written = {}
    for policy in row_security.policies():
        written.setdefault(policy.table, []).append(policy.command)
    assert len(EVERY) > 80 and set(written) == {model.__tablename__ for model in EVERY}
    assert all(commands == ["delete", "insert", "select", "update"] for commands in written.values())


@needs_postgres
def test_the_database_has_the_policies_of_the_models_and_the_program_owns_nothing(app):
    with app.app_context(), db.engine.connect() as connection:
        assert row_security.standing(connection) == {(each.table, each.name) for each in row_security.policies()}
        assert row_security.is_built(connection) and row_security.holds(connection)


@needs_postgres
def test_a_policy_that_somebody_took_away_is_missed_and_put_back(base, app):
    owner = create_engine(base.settings.owner_url)
    with owner.begin() as connection:
        name = connection.scalar(text("select policyname from pg_policies where tablename = 'child' and cmd = 'SELECT'"))
        connection.execute(text(f"drop policy {name} on child"))
        connection.execute(text("create policy open on child for select using (true)"))
        connection.execute(text("alter table parent disable row level security"))
    with app.app_context():
        with db.engine.connect() as connection:
            assert not row_security.is_built(connection)
        row_security.build(base.settings.owner_url, base.settings.database_url)
        with db.engine.connect() as connection:
            assert row_security.is_built(connection)
    with owner.connect() as connection:
        assert not row_security.holds(connection)
    owner.dispose()


@needs_postgres
def test_rights_that_somebody_gave_are_taken_back_at_the_next_start_and_lost_ones_given_again(base, app):
    with by_hand(app) as connection:
        right = row_security.granted(connection, PROGRAM)
        connection.execute(text(f"grant all on audit_entry, audit_key, child to {PROGRAM}"))
        connection.execute(text("grant truncate on school to public"))
        connection.execute(text(f"revoke select on parent from {PROGRAM}"))
        assert row_security.granted(connection, PROGRAM) != right
    row_security.build(base.settings.owner_url, base.settings.database_url)
    with by_hand(app) as connection:
        assert row_security.granted(connection, PROGRAM) == right
    assert {each for _, _, each in right} == row_security.EVERYDAY
    assert not {each for _, table, each in right if table == "audit_key"} - {"SELECT"}


@needs_postgres
def test_a_start_on_a_wall_that_is_right_changes_nothing(base, app):
    owner, ran = create_engine(base.settings.owner_url), []
    with owner.begin() as connection:
        event.listen(connection, "before_cursor_execute", lambda _c, _cur, statement, *_: ran.append(statement))
        row_security.bring(connection, PROGRAM)
    owner.dispose()
    assert ran and all(statement.startswith("select") for statement in ran)


@needs_postgres
@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_both_walls_show_each_person_the_same_rows(model, connected, filled, ids):
    alive = inspect(model).local_table.c.get("deleted_at")
    rows = select(inspect(model).local_table.c.id)
    seen = {}
    for who in PEOPLE:
        with session_with(scope_of(ids, who)) as session:
            first = set(session.scalars(select(model.id)))
        second = connected(who).scalars(rows if alive is None else rows.where(alive.is_(None)))
        assert set(second) == first, who
        seen[who] = first
    assert seen["office"] == seen["leader"] >= seen["secretary_a"] and seen["admin"] == set()
    assert seen["secretary_a"] and (seen["secretary_a"] < seen["office"] or model is m.Transfer)
    assert connected(NOTHING).scalars(rows).all() == []
    with db.engine.connect() as silent:
        assert silent.scalars(rows).all() == []


@needs_postgres
@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_past_every_filter_of_ours_a_row_of_another_school_is_neither_changed_nor_taken_nor_made(model, connected, filled, ids):
    table = inspect(model).local_table
    (theirs,) = connected(SYSTEM).execute(select(table).where(table.c.school_id == ids.b).limit(1)).mappings()
    for who in ("secretary_a", "leader", "admin"):
        connection = connected(who)
        where = table.c.id == theirs["id"]
        of_both = issubclass(model, Between) and who == "secretary_a"  # the receiver answers, and does no more
        assert connection.execute(table.update().where(where).values(school_id=theirs["school_id"])).rowcount == of_both
        assert connection.execute(table.delete().where(where)).rowcount == 0
        with pytest.raises((OutOfScope, DBAPIError)) as refused:
            connection.execute(table.insert().values({k: v for k, v in theirs.items() if k != "id"}))
        assert isinstance(refused.value, OutOfScope), refused.value


def test_only_what_lacks_the_right_is_refused_like_at_the_first_wall():
    def failed(state):
        return SimpleNamespace(original_exception=SimpleNamespace(sqlstate=state))

    row_security.refused(failed("23505"))  # another fault goes its own way
    with pytest.raises(OutOfScope):
        row_security.refused(failed("42501"))


@needs_postgres
def test_with_one_account_for_all_the_wall_stands_and_says_that_it_holds_nobody(base, app):
    url = base.settings.owner_url
    row_security.build(url, url)
    with by_hand(app) as connection:
        assert row_security.is_built(connection) and not row_security.holds(connection)


def done(connection, table, row, action):
    """Does the database let this transaction do it to this row? Nothing of it stays."""
    here = [column == row[column.name] for column in table.primary_key]
    statement = {
        Action.CREATE: table.insert().inline().values({k: v for k, v in row.items() if k != "id"}),
        Action.UPDATE: table.update().where(*here).values({c.name: row[c.name] for c in table.primary_key}),
        Action.DELETE: table.delete().where(*here),
    }[action]
    try:
        with connection.begin_nested() as tried:
            changed = connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount
            tried.rollback()
            return changed == 1
    except OutOfScope:
        return False
    except IntegrityError:  # let through, and stopped by what any program meets: a key that is taken or points here
        return True


@needs_postgres
def test_both_walls_let_each_role_do_the_same_to_each_table(connected, filled, ids):
    slips, tried = [], 0
    for model in (each for each in EVERY if each not in LOG):
        table = inspect(model).local_table
        mine = [table.c.school_id == ids.a] if model in OWNED else []
        (row,) = connected(SYSTEM).execute(select(table).where(*mine).limit(1)).mappings()
        resource = access.resource_of(model(**{name: row[name] for name in ("move",) if name in row}))
        for who in PEOPLE:
            scope = scope_of(ids, who)
            for action in (Action.CREATE, Action.UPDATE, Action.DELETE):
                first = scope.may(access.needed(model, action), resource) and (not mine or scope.owns(ids.a))
                tried += 1
                if done(connected(who), table, row, action) != first:
                    slips.append(f"{who} {action} {table.name}: the first wall says {first}")
    assert slips == [] and tried > 1500


@needs_postgres
@pytest.mark.parametrize(
    "statement",
    ["update school set centre_id = :mine where id = :theirs", "update school set centre_id = null where id = :site",
     "insert into approval (table_name, row_id, decision, by, created_at, updated_at, version) "
     "values ('export_request', 1, 'approved', '局长丙', now(), now(), 1)",
     "update assessment_round set state = 'open'", "delete from round_step", "update setting set value = '99'",
     "update scheme set title = '方案'"],
)  # fmt: skip
def test_a_smuggled_statement_cannot_give_a_school_another_centre_nor_a_round_another_state(statement, connected, filled, ids):
    values = {"mine": ids.a, "theirs": ids.b, "site": ids.a_site}
    bound = text(statement).bindparams(**{k: v for k, v in values.items() if f":{k}" in statement})
    for who in ("secretary_a", "principal_a", "counsellor_a", "admin", NOTHING):
        with suppress(OutOfScope):  # of an insert it is said aloud
            assert connected(who).execute(bound).rowcount == 0, who
    assert connected(SYSTEM).execute(bound).rowcount > 0


@needs_postgres
def test_a_step_of_a_sheet_is_confirmed_by_the_headteacher_alone(connected, filled, ids):
    table = inspect(m.SheetStep).local_table
    (row,) = connected(SYSTEM).execute(select(table).where(table.c.school_id == ids.a).limit(1)).mappings()
    who_may = {"submitted": {"secretary_a"}, "confirmed": {"principal_a"}, "declined": {"principal_a"}, "returned": {"office"}}
    for move, people in who_may.items():
        new = dict(row) | {"move": move}
        assert {who for who in PEOPLE if done(connected(who), table, new, Action.CREATE)} == people, move


@needs_postgres
def test_from_the_trash_the_office_brings_back_even_what_a_school_alone_writes(app, connected, ids):
    bring_back = text("update evidence set deleted_at = null where id = :id").bindparams(id=ids.evidence_a)
    assert connected("office").execute(bring_back).rowcount == 0  # it is not there, and the school's own
    with by_hand(app) as connection:
        connection.execute(text("update evidence set deleted_at = now() where id = :id"), {"id": ids.evidence_a})
    assert connected("principal_a").execute(bring_back).rowcount == 0
    assert connected("office").execute(bring_back).rowcount == 1


@needs_postgres
def test_accounts_and_the_log_are_closed_too(connected):
    assert connected("secretary_a").scalar(select(func.count()).select_from(m.User.__table__)) == 0
    assert connected("leader").scalar(select(func.count()).select_from(m.AuditValue.__table__)) == 0
    assert connected("admin").scalar(select(func.count()).select_from(m.User.__table__)) == len(PEOPLE)


@needs_postgres
@pytest.mark.parametrize(
    "statement",
    ["update audit_entry set action = 'x'", "delete from audit_entry", "update audit_value set salt = 'x'", "delete from audit_head",
     "insert into audit_head (id, seq, mac) values (2, 0, 'x')", "insert into audit_key (until, key) values (1, 'x')",
     "delete from audit_key", "update alembic_version set version_num = 'x'", "drop table child",
     "alter table child disable row level security", "truncate child"],
)  # fmt: skip
def test_not_even_the_program_at_its_most_powerful_rewrites_the_log_or_the_wall(statement, connected):
    with pytest.raises(OutOfScope):
        connected(SYSTEM).execute(text(statement))


@needs_postgres
def test_without_the_first_wall_a_secretary_still_sees_no_child_of_another_school(app, ids, person, monkeypatch):
    monkeypatch.setattr(access.Scope, "criteria", ())
    browser = person("secretary_a")
    assert "甲小雨" in browser.get("/child/").text and "丁不漏" not in browser.get("/child/").text
    assert browser.get(f"/child/details/?id={ids.child_b}").status_code == 404
    assert "丁不漏" in person("office").get("/child/").text


@needs_postgres
def test_what_the_second_wall_refuses_is_answered_like_what_the_first_refuses(app, ids, person, monkeypatch):
    monkeypatch.setattr(access, "_own", lambda *_: None)
    with app.app_context(), session_with(scope_of(ids, "secretary_a"), writes=True) as session:
        session.add(m.Opinion(school_id=ids.b, found_at=m.utcnow(), source="论坛", summary="传言"))
        with pytest.raises(OutOfScope):
            session.flush()
