"""The same form sent twice at the same moment, as an impatient hand or a repeating proxy does it."""

from __future__ import annotations

import datetime as dt
import io
import threading
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage

from admin_app import models as m
from tests import factories as make
from tests.faults import load
from tests.faults.load import Answer, Ledger, Writer
from tests.faults.server import PEOPLE, Office

pytestmark = pytest.mark.slow
TWICE = "重小复"
ONCE = "the-number-of-one-form"
BORN, DAY = dt.date(2016, 5, 6), dt.date.today().isoformat()
NUMBER = make.id_number(BORN, order=905)


def child(writer: Writer, **more: str) -> dict[str, Any]:
    return {
        "school": writer.school, "name": TWICE, "sex": "1", "birth_date": BORN.isoformat(), "ethnic": "07", "id_kind": "Z",
        "grade": "P4", "class_name": "2班", "hukou": "1", "home_address": "和平村3组", "once": ONCE,
    } | more  # fmt: skip


def talk(writer: Writer) -> dict[str, Any]:
    return {
        "class": "P3-1班", "kind": "talk", "on": DAY, "way": "face", "role": "class_teacher", "content": TWICE, "staff": writer.staff,
        "child": writer.stays[:1],
    }  # fmt: skip


def record(writer: Writer) -> dict[str, Any]:
    return {"enrolment": writer.stays[0], "kind": "talk", "way": "face", "role": "other", "attention": "normal", "on": DAY,
            "content": TWICE, "once": ONCE}  # fmt: skip


def paper(writer: Writer) -> dict[str, Any]:
    writer.child()
    file = FileStorage(io.BytesIO(load.picture()), filename=f"{TWICE}.png", content_type="image/png")
    return {"table": "child", "id": writer.child_id, "files": file}


FORMS = [
    pytest.param("/child/new/", lambda w: child(w, id_kind="1", id_number=NUMBER), m.Child.name, id="child-with-a-number"),
    pytest.param("/quick/talks/", talk, m.CareRecord.content, id="quick-talk"),
    pytest.param("/attachments/add/", paper, m.Attachment.name, id="attachment"),
    pytest.param("/child/new/", child, m.Child.name, id="child-without-a-number"),
    pytest.param("/care_record/new/", record, m.CareRecord.content, id="care-record"),
]


@pytest.mark.parametrize(("path", "fields", "column"), FORMS)
def test_the_same_form_twice_at_once_makes_one_row(path: str, fields: Any, column: Any, office: Office) -> None:
    with office.served() as server:
        [writer] = load.writers(server, PEOPLE[:1], Ledger())
        answers = at_once(writer, path, fields(writer))
        assert {answer.status for answer in answers} <= {200, 302}, [answer.words for answer in answers]
        with office.reading() as session:
            assert session.scalar(select(func.count(column)).where(column.startswith(TWICE))) == 1


def at_once(writer: Writer, path: str, form: dict[str, Any]) -> list[Answer]:
    answers: list[Answer] = []
    body = {k: copied(v) for k, v in form.items()}
    threads = [threading.Thread(target=lambda f=f: answers.append(writer.browser.post(path, f))) for f in (form, body)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def copied(value: Any) -> Any:
    """A file is read once, so the second form has its own."""
    if not isinstance(value, FileStorage):
        return value
    content = value.stream.getvalue()
    return FileStorage(io.BytesIO(content), filename=value.filename, content_type=value.content_type)
