"""Every saved change leaves an entry, and the chain shows whether anybody touched the log."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from sqlalchemy import delete, func, select, update

from admin_app import audit, labels, models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.orm import Base, utcnow
from admin_app.views.audit import _summary as audit_words
from tests.conftest import PASSWORD, scope_of
from tests.databases import by_hand, unguard_the_log


def entries(session, action, table):
    rows = session.execute(
        select(m.AuditEntry, m.AuditValue.changes)
        .join(m.AuditValue, m.AuditValue.entry_id == m.AuditEntry.id)
        .where(m.AuditEntry.action == action, m.AuditEntry.table_name == table)
        .order_by(m.AuditEntry.id)
    )
    return [(entry, changes) for entry, changes in rows]


def test_a_change_leaves_who_when_and_what_with_numbers_masked(open_as, ids):
    with open_as("secretary_a") as session:
        session.get(m.Parent, ids.parent_a).phone = "19912345678"
        session.get(m.Child, ids.child_a).interests = "篮球"
        session.commit()
    with session_with(SYSTEM) as session:
        entry, changes = entries(session, "update", "parent")[-1]
        assert (entry.user_name, entry.school_id, entry.row_id) == ("secretary_a", ids.a, str(ids.parent_a))
        assert changes["phone"][1] == "199****5678" and "19912345678" not in str(changes)
        assert entries(session, "update", "child")[-1][1] == {"interests": [None, "篮球"]}


def test_a_rollback_takes_its_entries_along(open_as, ids):
    with open_as("secretary_a") as session:
        before = held(session)
        session.get(m.Child, ids.child_a).interests = "篮球"
        session.flush()
        session.rollback()
        session.get(m.Child, ids.child_a).remark = "无"
        session.commit()
        assert held(session) == before + 1


def held(_session):
    with session_with(SYSTEM) as session:
        return audit.verify(session)[0]


def test_the_trash_is_logged_as_such(open_as, ids):
    from admin_app.records import trash

    with open_as("secretary_a") as session:
        trash.put(session, session.get(m.CareRecord, ids.care_record_a), "录错")
        session.commit()
    with session_with(SYSTEM) as session:
        assert entries(session, "delete", "care_record")[-1][1]["delete_reason"] == [None, "录错"]


def test_several_values_are_written_one_by_one(open_as, ids):
    with open_as("secretary_a") as session:
        session.get(m.Child, ids.child_a).income = ("labour", "aid")
        session.commit()
    with session_with(SYSTEM) as session:
        assert entries(session, "update", "child")[-1][1]["income"] == [None, ["labour", "aid"]]


def test_a_role_that_is_taken_away_is_named_in_the_log_with_whose_it_was(app, person, ids):
    form = {"username": "office", "name": "股员乙", "active": "y", "roles": ["leader"], "version": 1}
    assert person("admin").post(f"/user_account/edit/?id={ids.user_office}", form).status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        assert [grant.role for grant in session.get(m.User, ids.user_office).grants] == [m.Role.LEADER]
        taken, given = (entries(session, deed, "user_role")[-1][1] for deed in ("remove", "create"))
    assert taken == {"user_id": [ids.user_office, None], "role": ["office", None]}
    assert given == {"user_id": [None, ids.user_office], "role": [None, "leader"]}
    with app.app_context():
        assert "角色：德育股 → （空）" in audit_words(SYSTEM, "user_role", taken, None)


def test_an_untouched_chain_holds(app, ids):
    with app.app_context(), session_with(SYSTEM) as session:
        count, wrong = audit.verify(session)
        assert wrong is None and count > 50


ENTRY, VALUE, HEAD = (model.__table__ for model in (m.AuditEntry, m.AuditValue, m.AuditHead))
ERASED = delete(VALUE).where(VALUE.c.entry_id == 7)


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        ([update(ENTRY).where(ENTRY.c.id == 7).values(user_name="别人")], "第 7 条"),
        ([update(VALUE).where(VALUE.c.entry_id == 7).values(changes={"x": [1, 2]})], "第 7 条的内容"),
        ([ERASED], "第 7 条的内容被删除（共 1 条）"),
        ([delete(VALUE)], "第 1 条的内容被删除"),
        ([ERASED, delete(ENTRY).where(ENTRY.c.id == 7)], "第 7 条缺失"),
        ([update(HEAD).values(seq=3)], "末尾"),
    ],
    ids=["another name", "another content", "content erased", "all contents erased", "taken out", "tail cut"],
)
def test_tampering_is_named(tamper, words, app, ids):
    with app.app_context():
        with by_hand(app) as connection:
            unguard_the_log(connection)
            for statement in tamper:
                connection.execute(statement)
        with session_with(SYSTEM) as session:
            _count, wrong = audit.verify(session)
    assert (wrong is None) if words is None else words in wrong


def test_what_is_taken_away_by_right_is_named_and_nothing_else_may_be_missing(app, ids):
    with app.app_context():
        with session_with(SYSTEM, writes=True) as session:
            audit.forget(session, {3, 4, 5, 9})
            session.commit()
            assert audit.verify(session)[1] is None
            (_entry, what) = entries(session, "forget", "audit_entry")[0]
            assert what == {"条目": [None, "3-5 9"]}
            last = session.scalar(select(m.AuditEntry.id).order_by(m.AuditEntry.id.desc()))
        for taken in (11, last):
            with by_hand(app) as connection:
                connection.execute(delete(VALUE).where(VALUE.c.entry_id == taken))
            with session_with(SYSTEM) as session:
                assert "的内容被删除" in audit.verify(session)[1], "also of the entry that names the others"


@pytest.mark.parametrize("numbers", [{1}, {1, 2, 3}, {4, 6, 7, 900, 901}])
def test_spans_of_entries_are_read_as_they_are_written(numbers):
    assert audit._numbers(audit._spans(numbers)) == numbers


def test_no_two_ways_to_share_words_out_over_fields_have_one_seal():
    entry = dict.fromkeys(audit._LINK, "") | {"at": utcnow(), "roles": "secretary", "request": "94599324"}
    assert audit._mac("", entry) != audit._mac("", entry | {"roles": "secretary\x1frequest=94599324", "request": None})


def test_the_office_reads_in_the_log_no_words_that_it_may_not_read_in_the_record(person, app, ids):
    words = "夜里常哭，只对老师说"
    with app.app_context(), writing(scope_of(ids, "secretary_a")) as session:
        session.get_one(m.StateNote, ids.state_note_a).mind = words
    page = person("office").get("/audit_entry/").text
    assert words not in page and "（仅本校可见）" in page


def test_of_no_column_the_log_says_more_than_the_record_does(app, ids):
    office, asked = scope_of(ids, "office"), 0
    with app.test_request_context():
        for mapper in Base.registry.mappers:
            for name in mapper.column_attrs.keys():  # noqa: SIM118 - not a dictionary
                if not office.sees(labels.group(mapper.class_, name), ids.a) and not labels.choices(mapper.class_, name):
                    said = audit_words(office, mapper.class_.__tablename__, {name: [None, "GEHEIM"]}, ids.a)
                    asked += 1
                    assert "GEHEIM" not in said, (mapper.class_, name)
    assert asked > 3


def test_a_row_opened_in_its_form_and_a_list_in_another_order_are_noted(person, app, ids):
    browser = person("secretary_a")
    browser.get(f"/child/edit/?id={ids.child_a}")
    browser.get("/child/?sort=0&desc=1")
    with app.app_context(), session_with(SYSTEM) as session:
        assert entries(session, "open", "child")[-1][0].row_id == str(ids.child_a)
        assert entries(session, "search", "child")[-1][1] == {"排序": [None, "姓名，降序"]}


def test_a_printed_card_is_an_entry_of_its_child(person, app, ids):
    person("secretary_a").get(f"/cards/?child={ids.child_a}")
    with app.app_context(), session_with(SYSTEM) as session:
        entry, said = entries(session, "print", "child")[-1]
        assert (entry.row_id, entry.school_id, said["内容"]) == (str(ids.child_a), ids.a, [None, "联系卡"])


def test_opening_a_dossier_and_searching_are_noted(person, app, ids):
    browser = person("secretary_a")
    browser.get(f"/child/details/?id={ids.child_a}")
    browser.get("/child/?search=甲")
    with app.app_context(), session_with(SYSTEM) as session:
        assert entries(session, "open", "child")[-1][0].user_name == "填报员a"
        assert entries(session, "search", "child")[-1][1] == {"搜索": [None, "甲"]}


@pytest.mark.parametrize(
    ("screen", "path", "row"),
    [
        ("gaps", "/gaps/?school={a}", ""),
        ("handover", "/handover/?school={a}", ""),
        ("staff_handover", "/staff_handover/of/?staff={staff_a}", "{staff_a}"),
        ("quick", "/quick/talks/?class=all", ""),
        ("quick", "/quick/confirm/?class=all", ""),
        ("transfer", "/transfer/class/?class={a}-P3-1班", ""),
        ("report", "/report/show/?kind=county", ""),
    ],
)
def test_a_working_page_says_who_opened_it_and_how_many_names_were_on_it(screen, path, row, person, app, ids):
    for _ in range(2):
        page = person("secretary_a").get(path.format(**vars(ids))).text
    with app.app_context(), session_with(SYSTEM) as session:
        names = {name for name in session.scalars(select(m.Child.name)) if name in page}
        twice = [(entry.user_name, entry.row_id, what) for entry, what in entries(session, "open", screen)]
    assert names and twice == [("填报员a", row.format(**vars(ids)), {"人数": [None, len(names)]})] * 2


def test_a_working_page_without_names_leaves_nothing(person, app, ids):
    person("secretary_a").get("/transfer/class/")
    person("office").get("/handover/")
    with app.app_context(), session_with(SYSTEM) as session:
        assert entries(session, "open", "transfer") == entries(session, "open", "handover") == []


def test_who_leafs_through_a_list_leaves_an_entry_for_each_page_after_the_first(person, app, ids):
    browser = person("office")
    with app.app_context(), session_with(SYSTEM) as session:
        before = len(entries(session, "search", "child"))
    for address in ("/child/", "/child/?page=1", "/child/?page=2", "/child/?page=x", "/child/?search=甲&page=1"):
        assert browser.get(address).status_code == 200
    with app.app_context(), session_with(SYSTEM) as session:
        said = [changes for _entry, changes in entries(session, "search", "child")[before:]]
    assert said == [{"页": [None, 2]}, {"页": [None, 3]}, {"搜索": [None, "甲"], "页": [None, 2]}]


def test_leafing_counts_as_searching_and_waits_like_it(person, app, ids, monkeypatch):
    monkeypatch.setitem(app.config, "LIMITS", {"search": 2})
    browser = person("office")
    assert [browser.get(f"/child/?page={n}").status_code for n in (1, 2, 3, 0)] == [200, 200, 429, 200]


def test_a_revealed_number_needs_a_reason_and_leaves_it(person, app, ids):
    browser = person("secretary_a")
    assert browser.post("/child/reveal/", {"id": ids.child_a, "reason": ""}).status_code == 302
    page = browser.post("/child/reveal/", {"id": ids.child_a, "reason": "核对户口簿"})
    with app.app_context(), session_with(SYSTEM) as session:
        assert session.get(m.Child, ids.child_a).id_number in page.text
        assert entries(session, "reveal", "child")[-1][1] == {"用途": [None, "核对户口簿"]}


def test_a_card_that_was_stored_is_not_spelt_out_in_the_log(app, person, ids):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        card = {"applicable": "100", "items": []}
        session.add(m.SheetStep(sheet_id=ids.sheet_a, school_id=ids.a, move=m.SheetMove.SUBMITTED, by="方老师", card=card))
        session.commit()
    page = person("office").get("/audit_entry/").text
    assert "方老师" in page and "（明细）" in page and "applicable" not in page


# --- what is done, and the one entry it leaves ---

TALK = {"on": "2025-10-15", "kind": "talk", "way": "face", "role": "other", "attention": "normal", "enrolment": "{enrolment_a}"}
DONE: dict[str, tuple[str, str, str, dict[str, str], dict[str, int]]] = {
    "looked at": ("secretary_a", "GET", "/child/details/?id={child_a}", {}, {"open child": 1}),
    "opened to change": ("secretary_a", "GET", "/child/edit/?id={child_a}", {}, {"open child": 1}),
    "read by a change that is refused": ("secretary_a", "POST", "/child/edit/?id={child_a}", {}, {"open child": 1}),
    "read by a form that has chosen it": ("office", "GET", "/care_record/new/?child={child_a}", {}, {"open enrolment": 1}),
    "searched": ("secretary_a", "GET", "/child/?search=甲", {}, {"search child": 1}),
    "filtered": ("secretary_a", "GET", "/child/?sex=2", {}, {"search child": 1}),
    "sorted": ("secretary_a", "GET", "/child/?sort=0", {}, {"search child": 1}),
    "shown in full": ("secretary_a", "POST", "/child/reveal/", {"id": "{child_a}", "reason": "核对"}, {"reveal child": 1}),
    "exported": ("secretary_a", "GET", "/child/export/xlsx/?purpose=核对", {}, {"export child": 1}),
    "printed": ("secretary_a", "GET", "/child/paper/?id={child_a}", {}, {"print child": 1}),
    "downloaded": ("secretary_a", "GET", "/attachments/get/?id={attachment_a}", {}, {"download attachment": 1}),
    "made": ("secretary_a", "POST", "/care_record/new/", TALK, {"create care_record": 1, "update flag": 1}),
    "changed": ("secretary_a", "POST", "/care_record/edit/?id={care_record_a}", {**TALK, "version": "1"}, {"update care_record": 1}),
    "put into the trash": ("secretary_a", "POST", "/care_record/delete/", {"id": "{care_record_a}", "reason": "错"}, {"delete care_record": 1}),
    "settings changed": ("office", "POST", "/county/save/", {"talks_a_month": "2"}, {"create setting": 1}),
    "refused": ("secretary_a", "GET", "/user_account/", {}, {"denied user_account": 1}),
    "foreign": ("secretary_a", "GET", "/child/details/?id={child_b}", {}, {"denied child": 1}),
    "asked for": ("secretary_a", "POST", "/transfer/ask/", {"school": "{a}", "number": "539999201603040011", "name": "无此人", "birth": "2016-03-04"}, {}),
    "left": ("secretary_a", "POST", "/logout", {}, {"logout user_account": 1}),
}  # fmt: skip


@pytest.mark.matrix
@pytest.mark.parametrize("what", DONE)
def test_each_thing_that_is_done_leaves_the_entry_agreed_and_no_other(what, app, ids, person):
    who, method, path, data, agreed = DONE[what]
    browser, named = person(who), vars(ids)
    browser.get("/login")  # its token is there
    with app.app_context(), session_with(SYSTEM) as session:
        before = session.scalar(select(func.max(m.AuditEntry.id)))
    path, data = path.format(**named), {key: value.format(**named) for key, value in data.items()}
    answer = browser.get(path) if method == "GET" else browser.post(path, data)
    answer.close()
    with app.app_context(), session_with(SYSTEM) as session:
        left = session.scalars(select(m.AuditEntry).where(m.AuditEntry.id > before)).all()
        assert Counter(f"{entry.action} {entry.table_name}" for entry in left) == agreed, answer.status_code
        assert all(entry.user_id and entry.address and entry.roles and entry.request for entry in left)


def test_a_login_and_a_refused_one_name_the_account(app, ids):
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)[1]
    for username, password in (("office", "wrong"), ("nobody", "wrong"), ("office", PASSWORD)):
        client.post("/login", data={"username": username, "password": password, "csrf_token": token})
    with app.app_context(), session_with(SYSTEM) as session:
        account = str(ids.user_office)
        assert [entry.row_id for entry, _what in entries(session, "refused", "user_account")] == [account, ""]
        assert [(e.row_id, e.user_id) for e, _what in entries(session, "login", "user_account")] == [(account, ids.user_office)]
