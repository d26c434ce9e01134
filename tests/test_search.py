"""A number is typed into a search box and found, and stands in no address afterwards: not in a link, not in the history, not in a log."""

import datetime as dt
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from sqlalchemy import select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from tests import factories as make
from tests.conftest import PASSWORD

NUMBER = make.id_number(dt.date(2016, 5, 6), order=901)
"""甲小雨's."""
ADDRESS = re.compile(r'(?:href|action|data-lookup-at)="([^"]*)"')
EXPORT_INPUT = re.compile(r'<input type="hidden" name="search" value="(~[^"]+)">')
BROKEN = "打不开：它是别的账号的，或已失效"


def searched(browser, screen="child", **typed):
    """What the search box of a list answers with: the address of what was found."""
    answer = browser.post(f"/{screen}/", typed)
    assert answer.status_code == 302
    return answer.location


@pytest.mark.parametrize("typed", [NUMBER, NUMBER[-4:], NUMBER.lower(), f"甲小雨 {NUMBER[-4:]}", NUMBER[:6] + " " + NUMBER[6:]])
def test_a_searched_number_never_stands_in_an_address(typed, person):
    browser = person("secretary_a")
    at = searched(browser, search=typed)
    page = browser.get(at).text
    digits = [part for part in re.findall(r"\w{4,}", typed) if part.isascii()]
    assert f'value="{typed}"' in page, "the box says what was typed"
    for address in (at, *ADDRESS.findall(page)):
        assert not [part for part in digits if part in unquote(address)], address
    assert ("甲小雨" in page) == (" " not in typed or "甲" in typed)


def test_a_name_is_searched_for_by_an_address_that_can_be_read(person):
    at = searched(person("secretary_a"), search="甲小雨")
    assert unquote(at) == "/child/?search=甲小雨"


def test_the_last_four_with_an_x_are_a_number_too(person):
    at = searched(person("secretary_a"), search="012x")
    assert "012" not in at and 'value="012x"' in person("secretary_a").get(at).text


def test_conditions_stay_with_the_search_and_the_search_with_the_conditions(person):
    browser = person("secretary_a")
    at = searched(browser, search=NUMBER, sex="2", class_name="13900001234")
    asked = parse_qs(urlsplit(at).query)
    assert asked["sex"] == ["2"] and asked["search"][0].startswith("~") and "1390000" not in at
    page = browser.get(at).text
    assert 'value="13900001234"' in page and f'value="{NUMBER}"' in page
    assert asked["search"][0] not in ("", NUMBER)


def test_other_pages_of_what_was_found_and_its_export_find_the_same(app, ids, person):
    browser = person("secretary_a")
    page = browser.get(searched(browser, search=NUMBER)).text
    token = EXPORT_INPUT.search(page)[1]
    with browser.client.get("/child/export/xlsx/", query_string={"search": token, "purpose": "核对"}) as answer:
        assert answer.status_code == 200
    with app.app_context(), session_with(SYSTEM) as session:
        entry = session.scalar(select(m.AuditEntry.id).where(m.AuditEntry.action == "export").order_by(m.AuditEntry.id.desc()))
        said = session.get(m.AuditValue, entry).changes
    assert said["行数"] == [None, "1"] and NUMBER not in str(said) and "5399****" in str(said)


@pytest.mark.parametrize("path", ["/child/", "/child/export/xlsx/", "/child/ledger/", "/child/papers/"])
def test_a_copied_address_opens_nothing_for_somebody_else(path, person):
    token = parse_qs(urlsplit(searched(person("secretary_a"), search=NUMBER)).query)["search"][0]
    stranger = person("office")
    answer = stranger.client.get(path, query_string={"search": token})
    assert (answer.status_code, answer.location) == (302, "/child/")
    assert BROKEN in stranger.get("/child/").text


@pytest.mark.parametrize("token", ["~", "~~", "~abc", "~长", "~" + "A" * 400, "~AAAA:", "~%00", "~\ud800"])
def test_a_broken_address_is_a_sentence(token, person):
    browser = person("secretary_a")
    answer = browser.client.get("/child/", query_string={"search": token.encode("utf-8", "replace")})
    assert answer.status_code == 302 and BROKEN in browser.get("/child/").text


def test_words_that_begin_as_a_sealed_number_does_are_searched_for_as_they_are(person):
    browser = person("secretary_a")
    page = browser.get(searched(browser, search="~小雨"))
    assert page.status_code == 200 and 'value="~小雨"' in page.text and BROKEN not in page.text


def test_a_number_can_be_asked_for_in_full_under_its_sealed_address(app, ids, person):
    """Asked for, agreed to and taken: the address of the request is the sealed one all the way."""
    browser = person("secretary_a")
    address = "/child/export/xlsx/?" + urlsplit(searched(browser, search=NUMBER)).query
    browser.post("/full_export/ask/", {"address": address, "purpose": "报县民政局核对名单"})
    with app.app_context(), session_with(SYSTEM) as session:
        asked = session.scalars(select(m.ExportRequest)).one()
        assert NUMBER not in asked.address and NUMBER not in asked.said and asked.count == 1
        number, at = asked.id, asked.address
    person("leader").post("/full_export/decide/", {"id": str(number), "decision": "approved", "words": "同意"})
    with browser.post(at, {"request": str(number), "password": PASSWORD, "package_open": "1"}) as answer:
        assert answer.status_code == 200 and len(answer.data) > 1000


@pytest.mark.parametrize("who", ["office", "secretary_a"])
def test_no_form_of_a_list_sends_what_is_typed_in_its_address(who, person):
    """Every box for free text on these pages is posted, but for the purpose of an export."""
    for path in ("/child/", "/parent/", "/care_record/", "/carer/", "/"):
        for form in re.findall(r"<form.*?</form>", person(who).get(path).text, re.S):
            boxes = set(re.findall(r'<input (?:class="[^"]*" )?(?:type="text" )?name="(\w+)"', form)) - {"purpose", "columns"}
            assert not boxes or 'method="post"' in form, form
