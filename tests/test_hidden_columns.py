"""What somebody may not read in a row is not found out by searching, filtering or sorting either: asked of every screen."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import class_mapper

from admin_app import labels, models as m
from admin_app.access import SYSTEM
from admin_app.db import db, writing
from admin_app.orm import BlindIndex, Group
from admin_app.views.base import RecordView
from tests.conftest import PEOPLE, scope_of

pytestmark = pytest.mark.matrix
HIDDEN = {
    "office": {Group.MIND, Group.COUNSELLING},
    "leader": {Group.MIND, Group.COUNSELLING, Group.INCIDENT},
    "counsellor_a": {Group.CONTACT, Group.IDENTITY, Group.FAMILY, Group.INCIDENT},
    "secretary_a": {Group.COUNSELLING},
}


def screens(app):
    return [view for view in app.extensions["screens"]._views if isinstance(view, RecordView)]


def told_by(view, name: str) -> Group:
    """The group of the column that a condition of this name is about, worked out here."""
    columns = class_mapper(view.model).columns
    for column in (name, name.removesuffix("_from").removesuffix("_to"), f"{name}_id"):
        if column in columns:
            return labels.group(view.model, column)
    return Group.ROSTER


@pytest.mark.parametrize("who", HIDDEN)
def test_no_condition_search_or_order_is_on_what_the_actor_may_not_read(who, app, ids):
    looked_at = 0
    with app.test_request_context():
        db.session().info["scope"] = scope_of(ids, who)
        for view in screens(app):
            offered = [(view.endpoint, name) for name in view.offered() if told_by(view, name) in HIDDEN[who]]
            sorted_by = [n for n in view.column_list if view.is_sortable(n) and labels.group(view.model, n) in HIDDEN[who]]
            assert (offered, sorted_by) == ([], []), view.endpoint
            looked_at += len(view.conditions) + len(view.column_list)
    assert looked_at > 300


def test_an_index_is_as_grave_as_what_it_indexes():
    indexes = [
        (mapper.class_, column.key)
        for mapper in m.Child.registry.mappers
        for column in mapper.columns
        if isinstance(column.type, BlindIndex)
    ]
    found = {f"{model.__tablename__}.{key}": labels.group(model, key) for model, key in indexes if key.endswith(("_key", "_tail"))}
    assert found["child.id_number_key"] is found["child.id_number_tail"] is Group.IDENTITY
    assert found["parent.phone_key"] is found["carer.phone_key"] is Group.CONTACT


@pytest.fixture
def child(app, ids):
    with app.app_context(), writing(SYSTEM) as session:
        child = session.get_one(m.Child, ids.child_a)
        note = session.scalar(select(m.StateNote).where(m.StateNote.school_id == ids.a))
        note.rating, note.side = m.Rating.CARE, m.StateSide.MIND
        parent = session.scalar(select(m.Parent).where(m.Parent.child_id == child.id, m.Parent.phone.is_not(None)))
        return child.name, child.id_number, parent.name, parent.phone


@pytest.mark.parametrize("who", ["office", "leader"])
def test_a_rating_that_is_withheld_is_not_found_by_its_value(who, person, child):
    for path in ("/state_note/?rating={}", "/state_note/export/xlsx/?rating={}&purpose=x"):
        answers = []
        for value in ("care", "good"):
            with person(who).get(path.format(value)) as answer:
                answers.append(answer.text.count(child[0]) if "export" not in path else len(answer.data) // 100)
        assert answers[0] == answers[1], path
    assert 'name="rating"' not in person(who).get("/state_note/").text


def test_the_school_that_wrote_it_filters_by_it(person, child):
    assert child[0] in person("secretary_a").get("/state_note/?rating=care").text
    assert child[0] not in person("secretary_a").get("/state_note/?rating=good").text


def test_of_a_record_of_the_former_school_the_new_one_finds_nothing_out(app, ids, person):
    with app.app_context(), writing(SYSTEM) as session:
        moving = session.get_one(m.Transfer, ids.transfer_b).child_id
        stay = session.scalar(select(m.Enrolment).where(m.Enrolment.child_id == moving, m.Enrolment.end.is_(None)))
        term = session.scalar(select(m.Term).where(m.Term.start <= stay.start).order_by(m.Term.start.desc()))
        of_stay = {"enrolment_id": stay.id, "child_id": moving, "school_id": stay.school_id, "term_id": term.id}
        session.add(m.StateNote(**of_stay, side=m.StateSide.MIND, on=stay.start, rating=m.Rating.CARE, mind="夜里常哭"))
        name = stay.child.name
    secretary = person("secretary_a")
    assert secretary.post("/transfer/accept/", {"id": ids.transfer_b}).status_code == 302
    page = secretary.get("/state_note/").text
    assert name in page and "（仅本校可见）" in page and "夜里常哭" not in page, "she may read that there is one"
    assert name not in secretary.get("/state_note/?rating=care").text


def test_a_counsellor_finds_no_child_by_its_numbers_and_no_parent_by_the_telephone(person, child):
    name, number, parent, phone = child
    seen = lambda who, path, sought, what: what in person(who).post(path, {"search": sought}, follow_redirects=True).text  # noqa: E731
    for sought in (number, number[-4:]):
        assert seen("secretary_a", "/child/", sought, f">{name}<")
        assert not seen("counsellor_a", "/child/", sought, f">{name}<")
    assert seen("secretary_a", "/parent/", phone, parent) and not seen("counsellor_a", "/parent/", phone, parent)
    assert seen("counsellor_a", "/child/", name, f">{name}<"), "by the name she does"


def test_the_kind_of_a_family_is_withheld_in_the_list_as_in_the_dossier(person):
    assert "双亲外出" in person("secretary_a").get("/child/").text
    assert "双亲外出" not in person("counsellor_a").get("/child/").text


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_every_column_of_every_list_may_be_asked_to_sort_it(who, app, person):
    with app.test_request_context():
        asked = [(view.url, len(view.column_list) + 1) for view in screens(app)]
    for url, columns in asked:
        for column in range(columns):
            assert person(who).get(f"{url}/?sort={column}").status_code in (200, 403), (url, column)
