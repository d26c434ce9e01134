"""Who sees and changes which rows, asked of the session itself: below every view."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import class_mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from admin_app import access, models as m
from admin_app.access import SYSTEM, Action, OutOfScope, Refused, Scope, Unscoped
from admin_app.db import session_with, writing
from admin_app.models import Child, Parent, Resource, Role
from admin_app.orm import Base, CareEvent, ChildFile, Group, History, Private, SchoolOwned, Shared
from admin_app.records import transfers
from tests import factories as make

OWNED = sorted(
    (mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, SchoolOwned | ChildFile | History)),
    key=lambda model: model.__name__,
)


def test_every_table_says_who_owns_its_rows():
    assert access.every_table_has_an_owner() == []


def test_every_table_belongs_to_a_resource_of_the_role_table():
    assert all(mapper.class_.RESOURCE in Resource for mapper in Base.registry.mappers)


# What each role may do with each resource, and which fields it reads: written down by hand, apart from the product's own tables.
# R look, C make, U change, D trash, X export, V show a number in full, P publish; "-": nothing.
AGREED = {
    #                admin  office     leader  secretary  principal counsellor
    "schools":       ("R"  , "RCUX"   , "RX" , "R"      , "R"  , "R"   ),
    "staff":         ("-"  , "RCUDX"  , "RX" , "RCUDX"  , "R"  , "-"   ),
    "register":      ("-"  , "RCUDXV" , "RX" , "RCUDXV" , "R"  , "R"   ),
    "care":          ("-"  , "RCUDX"  , "RX" , "RCUDX"  , "R"  , "RCU" ),
    "counselling":   ("-"  , "-"      , "-"  , "R"      , "R"  , "RCUD"),
    "incidents":     ("-"  , "RCU"    , "-"  , "RCU"    , "RCU", "-"   ),
    "work":          ("-"  , "RCUDX"  , "RX" , "RCUDX"  , "R"  , "-"   ),
    "notices":       ("-"  , "RCUDX"  , "RX" , "R"      , "R"  , "R"   ),
    "rubric":        ("-"  , "RCUDXP" , "RX" , "R"      , "R"  , "R"   ),
    "approvals":     ("-"  , "R"      , "RC" , "-"      , "-"  , "-"   ),
    "matching":      ("-"  , "RCUX"   , "RX" , "-"      , "-"  , "-"   ),
    "full_exports":  ("-"  , "RCU"    , "RX" , "RCU"    , "-"  , "-"   ),
    "scores":        ("-"  , "RCUDX"  , "RX" , "RX"     , "RX" , "-"   ),
    "self":          ("-"  , "RX"     , "RX" , "RCUDX"  , "RX" , "-"   ),
    "confirmations": ("-"  , "R"      , "RX" , "R"      , "RC" , "-"   ),
    "accounts":      ("RCU", "-"      , "-"  , "-"      , "-"  , "-"   ),
    "audit":         ("R"  , "R"      , "-"  , "-"      , "-"  , "-"   ),
}  # fmt: skip
READS = {"admin": "G1", "office": "G1 G2 G3 G4 G6", "leader": "G1 G2 G3 G4", "secretary": "G1 G2 G3 G4 G5 G6",
         "principal": "G1 G2 G3 G4 G5 G5c G6", "counsellor": "G1 G5 G5c"}  # fmt: skip
LETTERS = dict(zip("RCUDXVP", Action, strict=True))


def slips_in_the_role_tables() -> list[str]:
    """Where the product's two tables differ from what was agreed, asked through a scope as everybody asks."""
    slips = []
    for n, role in enumerate(READS):
        scope = Scope(1, "", frozenset({Role(role)}), frozenset({7}))
        slips += [
            f"{role} {letter} {resource}"
            for resource in Resource
            for letter, action in LETTERS.items()
            if scope.may(action, resource) != (letter in AGREED[resource.value][n])
        ]
        slips += [f"{role} {group}" for group in Group if scope.sees(group, 7) != (group.value in READS[role].split())]
    return slips


def test_the_role_tables_say_what_was_agreed():
    assert slips_in_the_role_tables() == []


def test_no_entry_of_the_role_tables_can_be_added_or_taken_out_unnoticed(monkeypatch):
    for role in Role:
        for resource in Resource:
            held = access.RIGHTS[role].get(resource, frozenset())
            for action in Action:
                with monkeypatch.context() as change:
                    change.setitem(access.RIGHTS[role], resource, held ^ {action})
                    assert len(slips_in_the_role_tables()) == 1, (role, resource, action)
        for group in Group:
            with monkeypatch.context() as change:
                change.setitem(access.SEES, role, access.SEES[role] ^ {group})
                assert len(slips_in_the_role_tables()) == 1, (role, group)


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_with_no_scope_bound_no_row_is_shown(model, app, ids):
    with app.app_context(), session_with(access.NOTHING) as session:
        assert session.scalars(select(model)).all() == []


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_a_secretary_reads_rows_of_her_own_school_only(model, open_as, ids):
    with open_as("secretary_a") as session:
        assert {row.school_id for row in session.scalars(select(model))} <= {ids.a, ids.a_site}


def test_the_filter_reaches_counts_joins_subqueries_and_aliases(open_as, ids):
    with open_as("secretary_a") as session:
        assert session.scalar(select(func.count(Child.id))) == 2
        names = session.scalars(select(Parent.name).join(Child, Child.id == Parent.child_id)).all()
        assert "丁大某" not in names and len(names) == 4
        inner = select(Child.id).subquery()
        assert len(session.execute(select(Parent.id).join(inner, inner.c.id == Parent.child_id)).all()) == 4
        assert session.get(Child, ids.child_b) is None


@pytest.mark.parametrize(
    "statement",
    [select(Child.__table__), text("select * from child"), update(Child).values(name="x"), insert(Child).values(name="x")],
    ids=["core select", "text", "bulk update", "bulk insert"],
)
def test_what_the_filter_cannot_see_is_refused_for_everybody(statement, open_as):
    for who in ("secretary_a", "office"):
        with open_as(who) as session, pytest.raises(Unscoped):
            session.execute(statement)


def test_a_session_is_bound_once_and_first(open_as):
    with open_as("secretary_a") as session, pytest.raises(Unscoped):
        access.bind(session, SYSTEM)


def test_a_row_of_another_school_cannot_be_made(open_as, ids):
    with open_as("secretary_a") as session:
        session.add(m.Staff(school_id=ids.b, name="混入者", start=dt.date(2025, 9, 1)))
        with pytest.raises(OutOfScope):
            session.flush()


@pytest.mark.parametrize("how", ["changed", "taken over", "deleted"])
@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_a_row_of_another_school_is_not_touched_whatever_its_table(model, how, open_as, ids):
    """Whoever got hold of such a row past the filter cannot save it: asked of every table, before anything is sent."""
    row = model(id=10**6)
    make_transient_to_detached(row)
    known = {"id": 10**6, "school_id": ids.b} | ({"move": m.SheetMove.SUBMITTED} if model is m.SheetStep else {})
    for attr in class_mapper(model).column_attrs:
        set_committed_value(row, attr.key, known.get(attr.key))
    with open_as("secretary_a") as session:
        session.add(row)
        if how == "deleted":
            session.delete(row)
        elif how == "taken over":
            row.school_id = ids.a
        else:
            row.created_by = 9
        with pytest.raises(Refused), session.no_autoflush:
            session.flush()


def test_a_row_cannot_be_handed_to_another_school_even_after_a_commit(open_as, ids):
    with open_as("secretary_a") as session:
        activity = session.get(m.Activity, ids.activity_a)
        session.commit()  # expires it: without active_history the old owner would be unknown
        activity.school_id = ids.b
        with pytest.raises(OutOfScope):
            session.flush()


def test_a_child_changes_school_only_by_a_transfer_even_inside_one_unit(open_as, ids):
    with open_as("secretary_a") as session:
        session.get(Child, ids.child_a).school_id = ids.a_site
        with pytest.raises(OutOfScope):
            session.flush()


def test_a_line_cannot_be_hung_on_a_foreign_enrolment(open_as, ids):
    with open_as("secretary_a") as session:
        session.add(
            m.CareRecord(
                enrolment_id=ids.enrolment_b,
                child_id=ids.child_b,
                school_id=ids.b,
                kind=m.CareKind.TALK,
                way=m.CareWay.FACE,
                on=dt.date(2025, 10, 1),
            )
        )
        with pytest.raises(OutOfScope):
            session.flush()


@pytest.mark.parametrize("who", ["leader", "admin"])
def test_a_reader_writes_no_record(who, open_as, ids):
    with open_as(who) as session:
        session.add(m.Activity(school_id=ids.a, title="x", kind_id=1, on=dt.date(2025, 10, 1)))
        with pytest.raises(Refused):
            session.flush()


@pytest.mark.parametrize("who", ["secretary_a", "leader", "office"])
def test_only_the_administrator_reads_accounts(who, open_as):
    with open_as(who) as session, pytest.raises(Refused):
        session.scalars(select(m.User)).all()


def test_a_secretary_cannot_write_her_own_score(open_as, ids):
    with open_as("secretary_a") as session:
        sheet = session.get(m.Sheet, ids.sheet_a)
        session.add(m.OfficeScore(sheet_id=sheet.id, indicator_id=3, school_id=ids.a, stage=m.Stage.CHECK, points="2", by=""))
        with pytest.raises(Refused):
            session.flush()


def test_the_trash_hides_a_row_everywhere_but_from_the_office(open_as, ids):
    from admin_app.records import trash

    with open_as("secretary_a") as session:
        trash.put(session, session.get(m.Activity, ids.activity_a), "重复")
        session.commit()
        assert session.get(m.Activity, ids.activity_a) is None or session.scalar(select(func.count(m.Activity.id))) == 0
        assert trash.restore(session, m.Activity, ids.activity_a) == 0
    with open_as("office") as session:
        assert trash.restore(session, m.Activity, ids.activity_a) == 1
        session.commit()
        assert session.scalar(select(func.count(m.Activity.id))) == 2


def test_what_a_child_said_is_read_at_its_school_and_nowhere_else(ids):
    of_a = Scope(1, "", frozenset({Role.SECRETARY}), frozenset({ids.a}))
    office = Scope(2, "", frozenset({Role.OFFICE}))
    assert access.shown(of_a, m.CareRecord, "content", "想家", ids.a) == "想家"
    assert "想家" not in access.shown(of_a, m.CareRecord, "content", "想家", ids.b)
    assert "想家" not in access.shown(office, m.CareRecord, "content", "想家", ids.a)
    assert access.shown(office, Child, "id_number", "539999201605060123", ids.a) == "5399****0123"


def test_an_account_may_hold_several_roles(ids):
    both = Scope(1, "", frozenset({Role.LEADER, Role.SECRETARY}), frozenset({ids.a}))
    assert both.reads_everywhere and both.owns(ids.a) and not both.owns(ids.b)
    assert both.may(Action.CREATE, Resource.CARE) and not both.may(Action.UPDATE, Resource.SCORES)


# --- the one elevation: a transfer ---


def propose(system, ids):
    child = system.get(Child, ids.child_a)
    transfer = transfers.propose(system, child, system.get(m.School, ids.b), dt.date(2026, 3, 2))
    system.commit()
    return transfer.id


def test_a_transfer_takes_the_file_along_and_leaves_the_past(system, open_as, app, ids):
    transfer_id = propose(system, ids)
    system.close()
    with open_as("secretary_b") as before:
        assert before.get(Child, ids.child_a) is None
    transfers.accept(writing, _scope(ids, "secretary_b"), transfer_id, dt.date(2026, 3, 5))
    with open_as("secretary_b") as session:
        child = session.get(Child, ids.child_a)
        assert child.school_id == ids.b
        assert {p.school_id for p in session.scalars(select(Parent).where(Parent.child_id == child.id))} == {ids.b}
        stays = session.scalars(select(m.Enrolment).where(m.Enrolment.child_id == child.id).order_by(m.Enrolment.start)).all()
        assert [(e.school_id, e.end) for e in stays] == [(ids.a, dt.date(2026, 3, 5)), (ids.b, None)]
        old = session.scalars(select(m.CareRecord).where(m.CareRecord.child_id == child.id)).one()
        assert old.school_id == ids.a
        old.place = "改写"
        with pytest.raises(OutOfScope):
            session.flush()
    with open_as("secretary_a") as session:
        assert session.get(Child, ids.child_a) is None
        record = session.get(m.CareRecord, ids.care_record_a)
        assert record.enrolment.child_name == "甲小雨" and record.enrolment.child is None


def test_a_transfer_is_accepted_by_its_addressee_only_and_once(system, open_as, app, ids):
    transfer_id = propose(system, ids)
    system.close()
    for who in ("secretary_a", "leader"):
        with pytest.raises(Refused):
            transfers.accept(writing, _scope(ids, who), transfer_id, dt.date(2026, 3, 5))
    transfers.accept(writing, _scope(ids, "secretary_b"), transfer_id, dt.date(2026, 3, 5))
    with pytest.raises(Refused):
        transfers.accept(writing, _scope(ids, "secretary_b"), transfer_id, dt.date(2026, 3, 6))


def test_the_elevated_session_moves_this_child_and_no_other(system, app, ids):
    transfer_id = propose(system, ids)
    system.close()
    with app.app_context(), access.moving(writing, _scope(ids, "secretary_b"), transfer_id) as (session, _transfer):
        session.get(Child, ids.child_b).school_id = ids.a
        with pytest.raises(OutOfScope):
            session.flush()
        session.rollback()


def test_whether_a_child_is_known_elsewhere_tells_nothing_more(system, app, ids):
    number, born = system.get(Child, ids.child_b).id_number, system.get(Child, ids.child_b).birth_date
    system.close()
    opening = lambda scope: session_with(scope)  # noqa: E731
    actor = _scope(ids, "secretary_a")
    assert access.known_elsewhere(opening, actor, [(number, "丁不漏", born)]) == {number: access.Elsewhere.SAME_PERSON}
    assert access.known_elsewhere(opening, actor, [(number, "别的名", born)]) == {number: access.Elsewhere.CLASH}
    assert access.known_elsewhere(opening, actor, [(make.id_number(born), "无此人", born)]) == {}
    from admin_app import rules

    assert access.Elsewhere.CLASH.value == rules.id_number(number[:17] + ("1" if number[17] != "1" else "2"))


def _scope(ids, who):
    from tests.conftest import scope_of

    return scope_of(ids, who)


def test_kinds_of_ownership_hold_their_columns():
    assert all(hasattr(kind, "school_id") for kind in (SchoolOwned, ChildFile, History, CareEvent))
    assert not hasattr(Shared, "school_id") and not hasattr(Private, "school_id")
