"""Every parameter that a page reads and every field of every form, broken one at a time; and requests no browser would send.

Longer than the samples of ``test_crawl.py``. What a page reads is seen while it is asked for, not looked up in the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import cycle, islice
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from werkzeug.datastructures import ImmutableMultiDict

from admin_app.db import db
from tests.test_crawl import JUNK, addresses
from tests.test_matrix import PAGES, RIGHTS, record_requests

pytestmark = pytest.mark.slow
EACH = 4
"""Junk values for each parameter; they take turns, so that each meets many parameters."""


class Asked(ImmutableMultiDict):
    """The parameters of a request, which note by what names they are asked."""

    names: ClassVar[set[str]] = set()

    def __getitem__(self, name: str) -> Any:
        Asked.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        Asked.names.add(str(name))
        return super().__contains__(name)

    def getlist(self, name: str, *more: Any) -> Any:
        Asked.names.add(name)
        return super().getlist(name, *more)


class Forms(HTMLParser):
    """The forms of a page that are posted: where to, and the fields as the browser would send them untouched."""

    def __init__(self, page: str, address: str):
        super().__init__()
        self.address, self.found, self.fields, self.within = address, [], None, ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag == "form" and said.get("method") == "post":
            self.fields = {}
            self.found.append((said.get("action") or self.address, self.fields))
        elif tag == "option" and self.within:
            if self.fields[self.within] is None or "selected" in said:
                self.fields[self.within] = said.get("value", "")
        elif self.fields is not None and "name" in said and tag in ("input", "select", "textarea", "button"):
            self.fields.setdefault(said["name"], None if tag == "select" else said.get("value", ""))
            self.within = said["name"] if tag == "select" else ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("form", "select"):
            self.within = ""
        if tag == "form":
            self.fields = None


def forms_of(browser, paths: list[str]) -> dict[tuple[str, frozenset[str]], tuple[str, dict[str, str]]]:
    """One of each form there is, by its address and its fields."""
    found = {}
    for path in paths:
        with browser.get(path) as answer:
            if answer.mimetype == "text/html":
                for address, fields in Forms(answer.text, path).found:
                    found.setdefault((address.split("?")[0], frozenset(fields)), (address, fields))
    return {key: form for key, form in found.items() if key[0] not in ("/logout", "/language")}


def encoded(fields: dict[str, str | None], name: str, junk: str) -> str:
    rest = {key: value for key, value in fields.items() if key != name}
    return "&".join([*(f"{quote(key)}={quote(value or '')}" for key, value in rest.items()), f"{quote(name)}={junk}"])


def as_at_first(base) -> None:
    with base.app.app_context():
        db.session.remove()
        db.engine.dispose()
    base.template.restore()


@pytest.fixture
def office(person):
    return person("office")


def test_each_parameter_that_a_page_reads_may_be_broken(app, ids, office, monkeypatch):
    monkeypatch.setattr(app.request_class, "parameter_storage_class", Asked)
    turns, tried, wrong = cycle(JUNK), 0, []
    for path in addresses(ids):
        Asked.names.clear()
        office.get(path).close()
        at, _mark, given = path.partition("?")
        for name in sorted(Asked.names - {"csrf_token"}):
            kept = [pair for pair in given.split("&") if pair and pair.partition("=")[0] != name]
            for junk in islice(turns, EACH):
                address = f"{at}?{'&'.join([*kept, f'{quote(name)}={junk}'])}"
                with office.get(address) as answer:
                    wrong += [address] if answer.status_code >= 500 else []
                tried += 1
    assert wrong == [] and tried > 5000, tried


def test_each_field_of_each_form_may_be_broken(app, ids, office, base):
    """All other fields hold what the page gave, so that the broken one is reached."""
    turns, tried, reached, wrong = cycle(JUNK), 0, 0, []
    for address, fields in forms_of(office, addresses(ids)).values():
        as_at_first(base)
        for name in fields.keys() - {"csrf_token"}:
            for junk in islice(turns, EACH):
                body = encoded(fields, name, junk)
                answer = office.client.post(address, data=body, content_type="application/x-www-form-urlencoded")
                wrong += [(address, name, junk)] if answer.status_code >= 500 else []
                reached += answer.status_code in (200, 302)
                tried += 1
    assert wrong == [] and reached > tried / 2 > 500, (reached, tried)


BODIES = {
    "application/json": [b"{}", b"[" * 5000, b'{"id": 1e999}', b"\xff\xfe"],
    "text/plain": [b"id=1"],
    "": [b"id=1"],
    "multipart/form-data": [b"--x\r\n\r\n"],
    "multipart/form-data; boundary=x": [
        b"--y", b"--x\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n1", b'--x\r\nContent-Disposition: form-data; name="id"; filename="a"\r\n\r\n1\r\n--x--\r\n',
        b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n", b"\0" * 100,
    ],
    "application/x-www-form-urlencoded; charset=utf-16": [b"i\0d\0=\0001\0"],
    "application/x-www-form-urlencoded": [b"&&==%&%zz", b"id=1&id=2&id=" + b"9" * 100_000, b"id=" + b"&" * 5000],
}  # fmt: skip


def posts(ids) -> Iterator[str]:
    named = vars(ids) | {"indicator": 3}
    yield from (path.format(**named) for method, path, *_ in PAGES.values() if method == "POST" and path != "/logout")
    yield from (path for screen in RIGHTS for method, path, _ in record_requests(screen, ids).values() if method == "POST")


def test_a_body_of_any_kind_is_never_an_error_of_ours(ids, office):
    office.post("/language", {"locale": "zh_Hans_CN"})
    head, wrong = {"X-CSRFToken": office.token}, []
    for path in posts(ids):
        for kind, bodies in BODIES.items():
            for body in bodies:
                answer = office.client.post(path, data=body, content_type=kind, headers=head)
                wrong += [(path, kind, body[:80])] if answer.status_code >= 500 else []
    assert wrong == []


def test_any_method_at_any_address_is_never_an_error_of_ours(app, ids, office):
    office.post("/language", {"locale": "zh_Hans_CN"})
    head, wrong = {"X-CSRFToken": office.token}, []
    for path in sorted({*addresses(ids), *posts(ids)}):
        for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "GET", "POST", "PROPFIND", "get"):
            with office.client.open(path, method=method, headers=head) as answer:
                wrong += [(method, path, answer.status_code)] if answer.status_code >= 500 else []
    assert wrong == []


PATHS = ["/child/export/{}/", "/static/{}", "/admin/static/{}", "/{}", "/child/{}/", "/child/details/{}"]
HEADERS = {
    "Accept-Language": ["\xff", "zh;q=9" * 500, "*", "xx-" * 300], "Referer": ["http://[", "\xff", "javascript:1"], "Range": ["bytes=9-1", "x"],
    "Cookie": ["session=%00", "session=" + "a" * 4000, "=;;=", "session=.eJw.x"], "If-None-Match": ['"', "\xff"], "Content-Type": ["\xff", "a" * 3000],
    "If-Modified-Since": ["yesterday"], "Origin": ["null", "http://["], "Sec-Fetch-Site": ["\xff"], "User-Agent": ["\xff" * 500], "X-Progress": ["\xff"],
    "Authorization": ["Basic ==="], "X-Forwarded-For": ["1.1.1.1, \xff"], "Content-Length": ["-1", "abc", "9" * 30],
}  # fmt: skip


def test_an_odd_path_or_head_is_never_an_error_of_ours(office):
    wrong = []
    for path in [form.format(junk) for form in PATHS for junk in [*JUNK, "x" * 100_000, "%2e%2e/%2e%2e/etc/passwd", "a%2Fb"]]:
        with office.get(path) as answer:
            wrong += [path[:80]] if answer.status_code >= 500 else []
    for path in ("/child/?search=" + "a" * 1_000_000, "/child/?" + "&".join(f"a{n}=1" for n in range(100_000))):
        assert office.get(path).status_code < 500
    for name, values in HEADERS.items():
        for value in values:
            for path in ("/child/", "/login", "/static/app.css", "/child/export/xlsx/"):
                with office.get(path, headers={name: value}) as answer:
                    wrong += [(path, name, value[:40])] if answer.status_code >= 500 else []
    assert wrong == []
