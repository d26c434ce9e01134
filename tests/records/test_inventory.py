"""The list of what is held on persons is made from the models: nothing new is left out of it, and nothing stands there without its class."""

from __future__ import annotations

import html
import json

import pytest
from sqlalchemy.orm import class_mapper

from admin_app import access, labels, models as m
from admin_app.models import Role
from admin_app.orm import Base, BlindIndex, Group, Sealed
from admin_app.records import informing, inventory

MODELS = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda model: model.__tablename__)
LINES = inventory.lines()


def of(table, column):
    return next(line for line in LINES if (line.table, line.column) == (table, column))


def test_every_table_is_placed_by_whom_it_is_about():
    assert {model.__tablename__ for model in MODELS} == inventory.TABLES.keys()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__tablename__)
def test_every_column_of_a_table_about_persons_is_listed_in_words_with_its_class(model):
    if inventory.TABLES[model.__tablename__] is None:
        return
    words = [inventory.called(model, name) for name in inventory.columns_of(model)]
    title = inventory.WORDS.get(model.__tablename__) or labels.of_table(model.__tablename__)
    assert words and [line.column for line in LINES if line.table == title] == words


def test_no_line_lacks_a_class_a_ground_readers_or_an_end():
    kinds = {inventory.OF_A_CHILD, inventory.GRAVE, inventory.COMMON}
    assert len(LINES) > 500
    assert [line for line in LINES if line.kind not in kinds or not all(line.as_json(3, 365).values())] == []


@pytest.mark.parametrize(
    "model", [model for model in MODELS if inventory.TABLES[model.__tablename__] is None], ids=lambda m: m.__tablename__
)
def test_a_table_about_nobody_holds_nothing_of_a_person(model):
    """No child, no number, nothing of a graver group than the roster, no name of a person."""
    columns = class_mapper(model).columns
    assert "child_id" not in columns
    for name, column in columns.items():
        if model is not m.AuditKey:  # the log's own key, sealed
            assert not isinstance(column.type, Sealed | BlindIndex), name
        assert labels.group(model, name) is Group.ROSTER, name
        assert labels.label(model, name) not in ("姓名", "负责人", "联系电话") or model is m.School, name


def test_what_is_held_on_a_child_is_sensitive_whatever_it_says():
    assert of("儿童", "性别").kind == inventory.OF_A_CHILD and of("教职工", "姓名").kind == inventory.COMMON
    assert "满 3 年" in of("儿童", "姓名").as_json(3, 365)["kept"] and "同意" in of("儿童", "姓名").basis


def test_readers_and_storage_are_those_of_the_role_table_and_the_column():
    assert of("心理辅导", "辅导记录").readers.split("、") == [Role.PRINCIPAL.label, Role.COUNSELLOR.label]
    number = of("儿童", "公民身份号码")
    assert number.stored == "加密" and Role.ADMIN.label not in number.readers and Role.COUNSELLOR.label not in number.readers
    assert of("账号", "密码").stored == "只存散列" and of("账号", "密码").readers == "不显示"
    for role in Role:
        assert (role in access.readers(m.Resource.REGISTER, Group.IDENTITY)) == (role.label in number.readers)


def test_a_new_column_would_be_missed_by_nobody(monkeypatch):
    monkeypatch.setitem(inventory.WORDS, "draft.path", "")
    monkeypatch.delitem(inventory.WORDS, "draft.fields")
    with pytest.raises(KeyError, match=r"draft\.fields"):
        inventory.lines()


@pytest.mark.matrix
def test_everybody_who_is_logged_in_reads_the_list_and_the_rules(person):
    for who in ("admin", "counsellor_a", "leader"):
        page = html.unescape(person(who).get("/privacy/inventory/").text)
        assert f"共 {len(LINES)} 栏" in page and "公民身份号码" in page and inventory.OF_A_CHILD in page
        assert 'href="/privacy/"' in person(who).get("/").text
    assert "信息清单" in person("admin").get("/session/permissions/").text


def test_the_rules_and_the_notice_that_is_signed_say_the_same(person):
    browser = person("secretary_a")
    rules, notice = (html.unescape(browser.get(path).text) for path in ("/privacy/", "/child/notice/"))
    for heading, text in informing.notice(3):
        assert text in rules and heading in rules and f"、{heading}。{text}" in notice
    assert informing.NOTICE in rules and informing.NOTICE in notice
    assert all(text in rules for _heading, text in informing.RULES) and "德育股" in rules


def test_the_list_can_be_read_by_other_programs():
    assert json.loads(json.dumps([line.as_json(3, 365) for line in LINES], ensure_ascii=False))[0].keys() >= {
        "table",
        "column",
        "kind",
        "basis",
    }
