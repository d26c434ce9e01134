"""Who sees and changes which rows, asked of the session itself: below every view."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import event, func, insert, inspect, select, text, update
from sqlalchemy.orm import class_mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from admin_app import access, audit, models as m
from admin_app.access import SYSTEM, Action, OutOfScope, Refused, Scope, Unscoped
from admin_app.db import RowSession, db, session_with, writing
from admin_app.models import Child, Parent, Resource, Role
from admin_app.orm import Base, Between, CareEvent, ChildFile, Group, History, OnRecord, Private, SchoolOwned, Shared
from admin_app.records import transfers
from tests import factories as make
from tests.conftest import PEOPLE, scope_of

OWNED = sorted(
    (mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, SchoolOwned | ChildFile | OnRecord | History)),
    key=lambda model: model.__name__,
)


def test_every_table_says_who_owns_its_rows():
    kinds = (Shared, Private, SchoolOwned, ChildFile, OnRecord, History, Between)
    assert [m.class_.__name__ for m in Base.registry.mappers if sum(issubclass(m.class_, k) for k in kinds) != 1] == []


def test_what_is_about_a_child_says_at_which_school():
    tables = (mapper.class_ for mapper in Base.registry.mappers)
    assert [
        t.__name__ for t in tables if "child_id" in class_mapper(t).columns and "school_id" not in class_mapper(t).columns
    ] == []


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
    "retention":     ("-"  , "RUD"    , "RX" , "-"      , "-"  , "-"   ),
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


@pytest.mark.matrix
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


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_a_new_row_of_another_school_is_not_saved_whatever_its_table(model, open_as, ids):
    """Asked past the database: the rule looks at the row as the flush has left it."""
    row = model(school_id=ids.b)
    with open_as("secretary_a") as session, pytest.raises(OutOfScope):
        session.add(row)
        access._check_after(session, None)


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
    actor, same, clash = _scope(ids, "secretary_a"), access.Elsewhere.SAME_PERSON, access.Elsewhere.CLASH
    told = lambda *people: access.known_elsewhere(session_with, actor, list(people))  # noqa: E731
    right, wrong = (number, "丁不漏", born), (number, "别的名", born)
    assert told(right) == {right: (same, ids.child_b, ids.b)}
    assert told(wrong) == {wrong: (clash, ids.child_b, ids.b)}
    assert list(told(wrong, right).values()) == [(clash, ids.child_b, ids.b), (same, ids.child_b, ids.b)], "each its own answer"
    assert told((make.id_number(born), "无此人", born)) == {}
    from admin_app import rules

    assert access.Elsewhere.CLASH.value == rules.id_number(number[:17] + ("1" if number[17] != "1" else "2"))


# --- the other rules, each alone ---


def test_a_school_is_held_only_by_an_account_of_a_school_role():
    user = lambda role, school: m.User(id=1, name="x", school_id=school, grants=[m.Grant(role=role)])  # noqa: E731
    assert access.scope_of(user(Role.SECRETARY, 7), frozenset({8})).school_ids == {7, 8}
    assert access.scope_of(user(Role.SECRETARY, None), frozenset({8})).school_ids == frozenset()
    assert access.scope_of(user(Role.OFFICE, 7), frozenset({8})).school_ids == frozenset()


def test_a_session_that_has_begun_or_holds_a_row_is_not_bound(app):
    row = held()  # the session itself holds it weakly
    with app.app_context():
        for began in (lambda session: session.begin(), lambda session: (session.add(row), session.commit())):
            with db.session.session_factory() as session, pytest.raises(Unscoped):
                began(session)
                access.bind(session, SYSTEM)


def held() -> Child:
    row = Child(id=1)
    make_transient_to_detached(row)
    return row


def test_a_secretary_changes_her_own_child_where_it_is(open_as, ids):
    with open_as("secretary_a") as session:
        session.get(Child, ids.child_a).remark = "无"
        session.flush()


def test_every_session_is_held_to_its_scope():
    hooks = {"do_orm_execute": access._limit_rows, "before_flush": access._check_before, "after_flush": access._check_after}
    assert all(event.contains(RowSession, name, hook) for name, hook in hooks.items())


def test_a_number_is_shown_in_full_only_when_asked_for_by_who_may_and_owns(ids):
    number, masked = "539999201605060123", "5399****0123"
    shown = lambda who, school, revealed: access.shown(  # noqa: E731
        _scope(ids, who), Child, "id_number", number, school, revealed=revealed
    )
    assert shown("secretary_a", ids.a, True) == shown("office", ids.a, True) == number
    assert shown("secretary_a", ids.a, False) == shown("secretary_b", ids.a, True) == masked
    assert shown("leader", ids.a, True) == shown("principal_a", ids.a, True) == masked
    assert access.shown(_scope(ids, "counsellor_a"), Child, "id_number", number, ids.a) not in (number, masked)
    assert access.shown(_scope(ids, "leader"), Child, "id_number", None, ids.a) is None


def test_what_is_graver_than_its_column_is_withheld(ids):
    grave = next(kind for kind in m.CategoryKind if kind.group is Group.INCIDENT)
    assert access.shown(_scope(ids, "office"), m.Category, "kind", grave, ids.a) is grave
    assert access.shown(_scope(ids, "leader"), m.Category, "kind", grave, ids.a) is not grave


def test_incidents_are_read_by_their_school_and_the_office(ids):
    who = {name: _scope(ids, name).sees(Group.INCIDENT, ids.a) for name in ("secretary_a", "secretary_b", "office", "leader")}
    assert who == {"secretary_a": True, "secretary_b": False, "office": True, "leader": False}
    assert SYSTEM.sees(Group.COUNSELLING, ids.a)
    assert _scope(ids, "secretary_b").sees(Group.CONTACT, ids.a), "which rows one reads at all is the filter's, not this one's"


def test_the_administrator_reads_and_changes_accounts(open_as, ids):
    with open_as("admin") as session:
        session.get(m.User, ids.user_leader).name = "局长新"
        session.flush()


@pytest.mark.parametrize("how", ["changed", "trashed", "deleted"])
def test_to_read_is_not_to_change_and_to_change_not_to_delete(how, open_as, ids):
    who = "principal_a" if how == "changed" else "counsellor_a"
    with open_as(who) as session:
        row = session.get(m.CareRecord, ids.care_record_a)
        if how == "changed":
            row.place = row.place
            session.flush()  # nothing was changed: nothing is refused
            row.place = "操场"
        elif how == "trashed":
            row.deleted_at = make.ENTERED
        else:
            session.delete(row)
        with pytest.raises(Refused):
            session.flush()


def test_the_office_brings_back_what_only_a_school_may_write_and_sees_the_trash_when_it_asks(open_as, system, ids):
    from admin_app.records import trash

    trash.put(system, system.get(m.Evidence, ids.evidence_a), "重复")
    system.commit()
    count = select(func.count(m.Evidence.id))
    assert (system.scalar(count), system.scalar(count.execution_options(include_deleted=True))) == (1, 2)
    system.close()
    with open_as("office") as session:
        assert (session.scalar(count), session.scalar(count.execution_options(include_deleted=True))) == (1, 2)
        assert trash.restore(session, m.Evidence, ids.evidence_a) == 1
        session.flush()


def test_a_row_that_is_held_can_be_read_again_after_it_went_to_the_trash(open_as, ids):
    from admin_app.records import trash

    with open_as("secretary_a") as session:
        row = session.get(m.Activity, ids.activity_a)
        trash.put(session, row, "重复")
        session.commit()
        assert row.title


def test_files_and_transfers_are_read_at_their_own_ends(open_as, ids):
    with open_as("secretary_b") as session:
        assert session.get(m.Attachment, ids.attachment_a) is None
        assert {row.id for row in session.scalars(select(m.Transfer))} == {ids.transfer_b}
    with open_as("secretary_a") as session:
        assert session.get(m.Attachment, ids.attachment_a) is not None
        assert {row.id for row in session.scalars(select(m.Transfer))} == {ids.transfer_a, ids.transfer_b}


@pytest.mark.parametrize(
    ("who", "change"),
    [
        ("secretary_b", lambda row, ids: setattr(row, "to_school_id", ids.a_site)),
        ("secretary_b", lambda row, ids: setattr(row, "child_id", ids.child_b)),
        ("secretary_a", lambda row, ids: setattr(row, "state", m.TransferState.ACCEPTED)),
        ("secretary_a", lambda row, ids: setattr(row, "to_place", "别处")),
        ("secretary_a", lambda row, ids: inspect(row).session.delete(row)),
        ("secretary_a", lambda row, ids: inspect(row).session.add(m.Transfer(
            school_id=ids.b, to_school_id=ids.a, child_id=ids.child_b, child_name="丁不漏", proposed_on=dt.date(2026, 1, 1)))),
    ],
    ids=["another end", "another child", "accepted by hand", "another word", "deleted", "made for the other"],
)  # fmt: skip
def test_the_receiver_only_sends_back_and_the_ends_of_a_transfer_stay(who, change, open_as, ids):
    with open_as(who) as session:
        change(session.get(m.Transfer, ids.transfer_b), ids)
        with pytest.raises(OutOfScope):
            session.flush()


def test_what_was_sent_back_is_not_sent_back_again_and_a_stranger_sends_back_nothing(open_as, system, ids):
    with open_as("secretary_a") as session:
        session.get(m.Transfer, ids.transfer_b).state = m.TransferState.RETURNED
        session.commit()
        row = session.get(m.Transfer, ids.transfer_b)
        row.to_place = "别处"
        with pytest.raises(OutOfScope):
            session.flush()
    row = system.get(m.Transfer, ids.transfer_b)
    row.state = m.TransferState.ACCEPTED
    system.commit()
    with open_as("secretary_a") as session:
        session.get(m.Transfer, ids.transfer_b).state = m.TransferState.RETURNED
        with pytest.raises(OutOfScope):
            session.flush()
    row.state = m.TransferState.PENDING
    system.commit()
    system.close()
    stranger = Scope(1, "", frozenset({Role.SECRETARY, Role.LEADER}), frozenset({ids.a_site}))
    with session_with(stranger, writes=True) as session:
        session.get(m.Transfer, ids.transfer_b).state = m.TransferState.RETURNED
        with pytest.raises(OutOfScope):
            session.flush()


def test_only_who_may_write_the_register_and_is_addressed_moves_a_child(app, ids):
    with app.app_context():
        for who, transfer in (("principal_a", ids.transfer_b), ("secretary_b", ids.transfer_a), ("secretary_a", 999)):
            with pytest.raises(Refused), access.moving(writing, _scope(ids, who), transfer):
                pass
        with access.moving(writing, _scope(ids, "secretary_a"), ids.transfer_a) as (session, transfer):
            assert transfer.id == ids.transfer_a and session.info["scope"].moving == ids.child_site
            session.rollback()


def test_who_acts_with_other_rights_signs_the_log_with_the_roles_really_held(app, ids):
    office = replace(_scope(ids, "office"), user_id=ids.user_office, address="10.0.0.7", request="00000042")
    with app.app_context():
        with access.moving(writing, office, ids.transfer_b) as (session, transfer):
            lent = session.info["scope"]
            assert lent.roles == {Role.SECRETARY} and lent.school_ids == {ids.a, ids.b} and not lent.system and not lent.erasing
            transfer.to_place = "晨光小学"
        with access.erasing(writing, office) as session:
            audit.note(session, "erase", "trash")
        child = {"number": make.id_number(dt.date(2016, 5, 6), order=903), "name": "丁不漏", "birth": dt.date(2016, 5, 6)}
        assert access.requesting(writing, office, **child, to_school_id=ids.a)
        with session_with(SYSTEM) as session:
            entries = session.scalars(select(m.AuditEntry).order_by(m.AuditEntry.id.desc()).limit(3)).all()
        assert {(e.action, e.table_name) for e in entries} == {("update", "transfer"), ("erase", "trash"), ("create", "transfer")}
        signed = {(e.user_id, e.user_name, e.roles, e.address, e.request) for e in entries}
        assert signed == {(ids.user_office, "office", "office", "10.0.0.7", "00000042")}


@pytest.mark.parametrize("meanwhile", ["answered", "trashed", "moved"])
def test_what_happened_between_looking_and_moving_stops_the_move(meanwhile, app, ids):
    sessions = []

    def opening(scope):
        sessions.append(scope)
        if len(sessions) == 2:
            with writing(SYSTEM) as session:
                transfer = session.get(m.Transfer, ids.transfer_b)
                child = session.get(Child, transfer.child_id)
                if meanwhile == "answered":
                    transfer.state = m.TransferState.RETURNED
                elif meanwhile == "trashed":
                    child.deleted_at = make.ENTERED
                else:
                    session.info["scope"] = replace(SYSTEM, moving=child.id)
                    child.school_id = ids.a_site
        return writing(scope)

    with app.app_context(), pytest.raises(OutOfScope), access.moving(opening, _scope(ids, "secretary_a"), ids.transfer_b):
        pass


def test_a_child_is_asked_for_by_all_three_facts_once_and_by_who_may(system, app, ids):
    child = system.get(Child, ids.child_b)
    number, born, own = child.id_number, child.birth_date, system.get(Child, ids.child_a)
    mine = (own.id_number, own.name, own.birth_date)
    system.close()
    ask = lambda who, number, name, born, to: access.requesting(writing, _scope(ids, who), number, name, born, to)  # noqa: E731
    for who, to in (("principal_a", ids.a), ("secretary_a", ids.b)):
        with pytest.raises(Refused):
            ask(who, number, "丁不漏", born, to)
    assert not ask("secretary_a", make.id_number(born), "丁不漏", born, ids.a)
    assert not ask("secretary_a", number, "别的名", born, ids.a)
    assert not ask("secretary_a", *mine, ids.a)
    assert ask("secretary_a", number, "丁不漏", born, ids.a)
    assert not ask("secretary_a", number, "丁不漏", born, ids.a), "it waits already"
    with session_with(SYSTEM) as session:
        (asked,) = session.scalars(select(m.Transfer).where(m.Transfer.child_id == ids.child_b))
        assert (asked.state, asked.school_id, asked.to_school_id) == (m.TransferState.REQUESTED, ids.b, ids.a)
    assert access.known_elsewhere(session_with, _scope(ids, "secretary_a"), [mine]) == {}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (m.TransferState.REQUESTED, {"office", "leader", "secretary_b"}),
        (m.TransferState.RETURNED, {"office", "leader", "secretary_b"}),
        (m.TransferState.PENDING, {"office", "leader", "secretary_b", "secretary_a"}),
        (m.TransferState.ACCEPTED, {"office", "leader", "secretary_b", "secretary_a"}),
    ],
)
def test_where_a_child_is_is_told_to_who_asked_when_it_was_let_go(state, told, ids):
    transfer = m.Transfer(school_id=ids.b, to_school_id=ids.a, state=state)
    people = ("office", "leader", "secretary_a", "secretary_b")
    assert {who for who in people if access.tells_sender(_scope(ids, who), transfer)} == told


@pytest.mark.parametrize(
    ("who", "somewhere", "nowhere"),
    [
        ("office", {"ROSTER", "FAMILY", "INCIDENT"}, {"MIND", "COUNSELLING"}),
        ("leader", {"ROSTER", "FAMILY"}, {"MIND", "COUNSELLING", "INCIDENT"}),
        ("secretary_a", {"ROSTER", "FAMILY", "MIND", "INCIDENT"}, {"COUNSELLING"}),
        ("counsellor_a", {"ROSTER", "MIND", "COUNSELLING"}, {"FAMILY", "CONTACT", "IDENTITY", "INCIDENT"}),
    ],
)
def test_whether_a_group_is_read_in_any_row_at_all(who, somewhere, nowhere, ids):
    seen = {group.name for group in Group if _scope(ids, who).sees_some(group)}
    assert somewhere <= seen and not nowhere & seen


def test_a_session_that_only_looks_saves_nothing(open_as, ids):
    with open_as("secretary_a") as session:
        session.info["reading"] = True
        session.get(Child, ids.child_a).remark = "改"
        with pytest.raises(Unscoped):
            session.flush()


def _scope(ids, who):
    from tests.conftest import scope_of

    return scope_of(ids, who)


def test_kinds_of_ownership_hold_their_columns():
    assert all(hasattr(kind, "school_id") for kind in (SchoolOwned, ChildFile, History, CareEvent))
    assert not hasattr(Shared, "school_id") and not hasattr(Private, "school_id")


def test_a_field_that_may_not_be_read_is_not_overwritten(open_as, ids):
    """The office corrects the day of a talk; what the child said is not its to change."""
    with open_as("office") as session:
        talk = session.get_one(m.CareRecord, ids.care_record_a)
        talk.content = "x"
        with pytest.raises(OutOfScope):
            session.flush()
        session.rollback()
        talk.place = "办公室"
        session.flush()
    with open_as("secretary_a") as session:
        session.get_one(m.CareRecord, ids.care_record_a).content = "想家"
        session.flush()


@pytest.mark.parametrize("name", PEOPLE)
def test_nobody_but_the_office_takes_words_away_for_good(name, app, ids):
    actor = scope_of(ids, name)
    with app.app_context():
        if name == "office":
            with access.erasing(session_with, actor) as session:
                assert access.scope_in(session).erasing
        else:
            with pytest.raises(Refused), access.erasing(session_with, actor):
                pass


def test_who_reads_what_is_told_by_both_tables():
    """The rights to a table and to a group of fields: one without the other shows nothing."""
    see_numbers = {Role.OFFICE, Role.LEADER, Role.SECRETARY, Role.PRINCIPAL}
    assert set(access.readers(Resource.REGISTER, Group.IDENTITY)) == see_numbers
    assert set(access.readers(Resource.ACCOUNTS, Group.ROSTER)) == {Role.ADMIN}


def test_taking_a_role_away_is_a_change_of_its_account_and_giving_one_is_giving():
    taken = {action: access.needed(m.Grant, action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE)}
    assert taken == {Action.CREATE: Action.CREATE, Action.UPDATE: Action.UPDATE, Action.DELETE: Action.UPDATE}
