"""Every address that can be read, as every role: nothing changes, nothing leaks, nothing breaks, all headers are there."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from openpyxl import load_workbook
from sqlalchemy import func, select

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.orm import Base, Coded, Derived, Exact, Moment, Sealed, Several
from admin_app.views.base import RecordView
from tests.conftest import PEOPLE
from tests.databases import by_hand
from tests.test_matrix import PAGES, RIGHTS, record_requests

pytestmark = pytest.mark.matrix

CLOSED = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
OPEN = ("/login", "/healthz", "/readyz", "/static/app.css", "/nowhere")
KEEPS_ITS_OWN = ("audit_", "login_session", "login_failure", "notice_receipt")
"""Tables that a look may write to: who looked, when this browser was last seen, and that a school has read a notice."""

PRINTED_IN_FULL = ("/cards/", "/handover/villages/")
"""Papers that are there to be called by: the contact card and the list for the village. Each print is logged."""


def addresses(ids) -> list[str]:
    """All there is to read, of A's rows: what is not here fails ``test_every_endpoint_is_in_the_matrix``."""
    names = vars(ids) | {"indicator": 3}
    pages = [path.format(**names) for method, path, *_ in PAGES.values() if method == "GET"]
    screens = [path for screen in RIGHTS for method, path, _ in record_requests(screen, ids).values() if method == "GET"]
    return sorted({*pages, *screens, *OPEN})


def all_rows(app) -> dict[str, str]:
    """A digest of every table but the log."""
    with by_hand(app) as connection:
        return {
            table.name: hashlib.sha256(
                repr(connection.execute(select(table).order_by(*table.primary_key)).all()).encode()
            ).hexdigest()
            for table in Base.metadata.sorted_tables
            if not table.name.startswith(KEEPS_ITS_OWN)
        }


def numbers_of_persons(app) -> set[str]:
    with app.app_context(), session_with(SYSTEM) as session:
        columns = (m.Child.id_number, m.Parent.phone, m.Carer.phone)
        return {number for column in columns for number in session.scalars(select(column)) if number}


def told(answer) -> str:
    """All that an answer says: its head, with the name of a file, and its page or the cells of its workbook."""
    words = str(answer.headers)
    if answer.mimetype == "text/html":
        words += answer.text
    elif is_workbook(answer):
        words += "".join(str(cell.value) for cell in cells_of(answer.data))
    return words


def is_workbook(answer) -> bool:
    return answer.data[:2] == b"PK" and not answer.request.path.startswith("/attachments/")


def cells_of(content: bytes) -> Iterator[Any]:
    """The cells of the workbook that was sent, or of each of the packed ones."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        packed = [archive.read(name) for name in archive.namelist() if name.endswith(".xlsx")]
    for each in packed or [content]:
        for sheet in load_workbook(io.BytesIO(each)):
            yield from (cell for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("who", [*sorted({*PEOPLE} - {"secretary_b"}), "anonymous"])
def test_to_look_changes_nothing_tells_no_number_and_every_answer_is_closed_by_its_headers(who, app, ids, person, caplog):
    before, browser, numbers = all_rows(app), person(who), numbers_of_persons(app)
    assert len(numbers) > 5
    caplog.set_level("DEBUG")
    for path in addresses(ids):
        with browser.get(path) as answer:
            assert answer.status_code < 500, path
            said = str(answer.headers) if path.startswith(PRINTED_IN_FULL) else told(answer)
            assert [n for n in numbers if n in said] == [], path
            head = answer.headers
            policy = head["Content-Security-Policy"]
            assert policy == CLOSED or "sandbox" in policy, path
            assert head["X-Content-Type-Options"] == "nosniff" and head["Referrer-Policy"] == "same-origin", path
            assert head["Cross-Origin-Opener-Policy"] == "same-origin" and "camera=()" in head["Permissions-Policy"], path
            assert head["Cache-Control"] == ("public, max-age=86400" if path.startswith("/static") else "no-store"), path
    after = all_rows(app)
    assert [name for name in before if before[name] != after[name]] == []
    assert [n for n in numbers if n in caplog.text] == []


# --- who read the names of children stands in the log ---


def entries_now(app) -> int:
    with app.app_context(), session_with(SYSTEM) as session:
        return session.scalar(select(func.count(m.AuditEntry.id)))


def names_of_children(app) -> set[str]:
    with app.app_context(), session_with(SYSTEM) as session:
        return {*session.scalars(select(m.Child.name)), *session.scalars(select(m.Enrolment.child_name))} - {None}


def is_list_as_it_stands(app, path: str) -> bool:
    """The first page of a record screen, neither searched nor filtered nor in another order: not noted (S79: a list with
    filters); whoever goes on from it is. And an empty form, which offers the few that may be chosen."""
    screens = {view.url for view in app.extensions["screens"]._views if isinstance(view, RecordView)}
    return path.rstrip("/") in screens or path.endswith("/new/")


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_every_page_that_names_a_child_leaves_who_read_it(who, app, ids, person):
    names, browser, silent, noted = names_of_children(app), person(who), [], 0
    for path in addresses(ids):
        before = entries_now(app)
        with browser.get(path) as answer:
            page = answer.text if answer.mimetype == "text/html" and answer.status_code == 200 else ""
        if not any(name in page for name in names) or is_list_as_it_stands(app, path):
            continue
        noted += 1
        if entries_now(app) == before:
            silent.append(path)
    assert silent == [] and (noted > 5 or who == "admin"), noted


# --- what was typed stays text, on every page and in every workbook ---

MARK = """=1+<i x=y>"'"""
"""Of use to whoever finds a page that does not escape, an attribute that is not quoted, or a cell that computes."""
ADDRESSED_BY = {
    "code",
    "key",
    "username",
    "otp_secret",
    "token_hash",
    "who",
    "table_name",
    "locale",
    "path",
    "digest",
    "stored_as",
    "media_type",
}
"""What the product itself looks rows up by: no words of a user."""
FILED = {"report.kind", "report.content", "import_batch.content", "comparison.unread"}
"""Where a whole file or report lies, in a form of its own."""


def typed_columns(table):
    """Columns that hold words somebody typed."""
    for column in table.columns:
        kind = column.type
        made = isinstance(kind, Coded | Several | Moment | Exact | Derived)
        words = isinstance(kind, Sealed) or (not made and getattr(kind, "length", None) and kind.python_type is str)
        if words and not (column.unique or column.foreign_keys or column.name in ADDRESSED_BY or str(column) in FILED):
            yield column


def mark_everything(app) -> int:
    """The mark into every column of words, past all checks; how many values now hold it."""
    held = 0
    with by_hand(app) as connection:
        for table in Base.metadata.sorted_tables:
            if table.name.startswith(("audit_", "login_", "setting")):
                continue
            for column in typed_columns(table):
                if isinstance(column.type, Sealed) or (column.type.length or 0) >= len(MARK):
                    held += connection.execute(table.update().values({column: MARK})).rowcount
    return held


@pytest.mark.parametrize("who", ["office", "secretary_a", "counsellor_a"])
def test_whatever_was_typed_is_text_on_every_page_and_in_every_cell(who, app, ids, person):
    assert mark_everything(app) > 100
    browser, escaped, cells = person(who), 0, 0
    for path in addresses(ids):
        with browser.get(path) as answer:
            assert answer.status_code < 500, path
            if answer.mimetype == "text/html":
                assert "<i x=y>" not in answer.text, path
                escaped += answer.text.count("&lt;i x=y&gt;")
            elif is_workbook(answer):
                typed = [cell for cell in cells_of(answer.data) if "<i x=y>" in str(cell.value)]
                assert [cell.coordinate for cell in typed if cell.data_type == "f" or cell.hyperlink] == [], path
                cells += len(typed)
    assert escaped > 20 and (cells > 20 or who == "counsellor_a"), (escaped, cells)


# --- broken addresses ---

JUNK = ["", "abc", "-1", "0", "1,2", "1" + "0" * 20, "9" * 400, "1%00", "%00", "%ff%fe", "%E4%BD", "%ED%A0%80", "' or 1=1 --", "１", "<script>",
        "NaN", "1e400", "2026-02-30", "0000-00-00", "99999-01-01", "10000-01-01", "2026-W53-7", "%F0%9F%98%80", "a" * 3000, "%25s", "{0}", "../..", "[]"]  # fmt: skip
WORDS = re.compile(r"""args(?:\.get(?:list)?\(|\[)\s*"(\w+)"|number_of\("(\w+)"|_args\("(\w+)""")
NAMES = sorted(
    {"page", "page_size", "sort", "desc", "search", "id", "on", "from", "until", "draft"}
    | {
        name
        for file in (Path(__file__).parent.parent / "admin_app" / "views").glob("*.py")
        for found in WORDS.findall(file.read_text(encoding="utf-8"))
        for name in found
        if name
    }
)


def filters_of(app, path: str) -> list[str]:
    """The names a screen filters by, with the two ends of a day."""
    view = next((v for v in app.extensions["screens"]._views if v.blueprint.name == path.split("/")[1]), None)
    names = [getattr(f, "name", f) for f in getattr(view, "filters", ())]
    return [name + end for name in names for end in ("", "_from", "_until", "_to")]


@pytest.mark.parametrize("who", ["office", "secretary_a"])
def test_a_broken_parameter_is_never_an_error_of_ours(who, app, ids, person):
    browser = person(who)
    paths = [path.split("?")[0] for path in addresses(ids)]
    value = st.sampled_from(JUNK) | st.text(max_size=30).map(lambda text: quote(text, errors="surrogatepass"))

    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def asked(data):
        path = data.draw(st.sampled_from(paths))
        names = data.draw(st.lists(st.sampled_from(NAMES + filters_of(app, path) * 3), min_size=1, max_size=4))
        query = "&".join(f"{name}={data.draw(value)}" for name in names)
        with browser.get(f"{path}?{query}") as answer:
            assert answer.status_code < 500, f"{path}?{query}"

    asked()


@pytest.mark.parametrize("who", ["office", "secretary_a"])
def test_a_broken_form_is_never_an_error_of_ours(who, ids, person):
    """Every address that is posted to, with junk where a row, a day or a number is meant."""
    browser = person(who)
    named = vars(ids) | {"indicator": 3}
    posts = [(path.format(**named), data) for method, path, data, _ in PAGES.values() if method == "POST" and path != "/logout"]
    posts += [(path, data) for screen in RIGHTS for method, path, data in record_requests(screen, ids).values() if method == "POST"]
    for path, data in posts:
        for junk in ("", "1" + "0" * 20, "a\0b长" * 200):
            answer = browser.post(path, dict.fromkeys(data or {"id": "", "on": ""}, junk))
            assert answer.status_code < 500, (path, data, junk)


def test_an_unknown_way_of_asking_is_refused(ids, person):
    for who in ("office", "anonymous"):
        for method in ("TRACE", "PUT", "DELETE", "PATCH", "PROPFIND"):
            answer = person(who).client.open("/child/", method=method)
            assert answer.status_code in ((400, 405) if who == "office" else (302, 400, 405)) and "甲小雨" not in answer.text
