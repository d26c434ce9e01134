"""Writers at their browsers, and the ledger of what they were told is saved."""

from __future__ import annotations

import datetime as dt
import hashlib
import http.client
import io
import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from admin_app import audit, models as m
from admin_app.records import attachments
from tests.browser import PASSWORD
from tests.faults.server import CLASS, OF_THE_CLASS, Office, Server

TRACE = ("Traceback", "sqlite3", "psycopg", "sqlalchemy", "OSError")
_NUMBERS = itertools.count(1)
_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")


class Closed(Exception):
    """Nobody listens: the request was never sent."""


class Cut(Exception):
    """The request was sent, or begun, and no whole answer came."""


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    location: str

    @property
    def words(self) -> str:
        """What the page says of what was sent, or its heading."""
        said = re.findall(r'class="alert[^>]*>\s*<span>(.*?)</span>|<h1>(.*?)</h1>', self.text, re.S)
        return " ".join(alert or heading for alert, heading in said)


@dataclass
class Browser:
    """One person: a cookie, the token of the page, a connection for each request."""

    address: tuple[str, int]
    cookie: str = ""
    token: str = ""

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, fields: dict[str, Any]) -> Answer:
        boundary, body = encode_multipart(MultiDict({"csrf_token": self.token, **fields}))
        return self._ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def log_in(self, name: str) -> None:
        self.token = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/login").text)[1]
        assert self.post("/login", {"username": name, "password": PASSWORD}).status == 302
        self.token = re.search(r'name="csrf-token" content="([^"]+)"', self.get("/password").text)[1]

    def _ask(self, method: str, path: str, body: bytes | None = None, head: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            connection.connect()
        except OSError as e:
            raise Closed from e
        try:
            connection.request(method, path, body, {"Cookie": self.cookie, "Connection": "close", **(head or {})})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as e:
            raise Cut from e
        finally:
            connection.close()
        if kept := re.search(r"session=[^;]+", answer.getheader("Set-Cookie") or ""):
            self.cookie = kept[0]
        return Answer(answer.status, text, answer.getheader("Location") or "")


@dataclass
class Ledger:
    """What was acknowledged, by kind; how often each status was answered; what broke in between."""

    saved: dict[str, set[str]] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    slowest: float = 0.0
    refusals: list[Answer] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(keys) for keys in self.saved.values())

    def lost(self, session: Session) -> dict[str, set[str]]:
        """What was acknowledged and is not there."""
        there = {
            "child": set(session.scalars(select(m.Child.name))),
            "carer": set(session.scalars(select(m.Carer.name))),
            "talk": set(session.scalars(select(m.CareRecord.content))),
            "attachment": set(session.scalars(select(m.Attachment.name))),
        }
        return {kind: missing for kind, keys in self.saved.items() if (missing := keys - there[kind])}


@dataclass
class Writer:
    """Somebody who enters one family after the other: child, carer, a paper on the dossier, a talk with a whole class."""

    name: str
    browser: Browser
    ledger: Ledger
    child_id: str = ""
    school: str = ""
    stays: list[str] = field(default_factory=list)
    staff: str = ""

    def arrive(self) -> None:
        """Log in, and see who is in the class and who teaches it."""
        self.browser.log_in(self.name)
        page = self.browser.get(f"/quick/talks/?class={quote(CLASS)}").text
        self.stays = re.findall(r'name="child" value="(\d+)"', page)
        self.school = re.search(r'name="school" value="(\d+)"', page)[1]
        self.staff = re.search(r'<option value="(\d+)"[^>]*>晨师傅', page)[1]

    def work(self, stop: threading.Event) -> None:
        jobs = itertools.cycle((self.child, self.carer, self.attachment, self.talk))
        while not stop.is_set():
            try:
                next(jobs)()
            except Closed:
                time.sleep(0.05)
            except Cut:
                self.ledger.cut += 1

    def child(self) -> None:
        self.child_id, name = "", f"写{self._number()}"
        form = {
            "school": self.school, "name": name, "sex": "1", "birth_date": "2016-05-06", "ethnic": "07", "id_kind": "Z", "grade": "P4", "class_name": "2班",
            "hukou": "1", "home_address": "和平村3组",
        }  # fmt: skip
        answer = self._save("child", name, "/child/new/", form)
        if answer.status == 302:
            self.child_id = re.search(r"id=(\d+)", answer.location)[1]

    def carer(self) -> None:
        if self.child_id:
            name = f"照{self._number()}"
            form = {"child": self.child_id, "name": name, "relation": "63", "age": "62", "start": "2025-09-01"}
            self._save("carer", name, "/carer/new/", form)

    def attachment(self) -> None:
        """Saved is what the next page says is saved."""
        if not self.child_id:
            return
        name = f"{self._number()}.png"
        file = FileStorage(io.BytesIO(picture()), filename=name, content_type="image/png")
        answer = self._timed("/attachments/add/", {"table": "child", "id": self.child_id, "files": file})
        page = self.browser.get(answer.location) if answer.status == 302 else answer
        if "已上传 1 份附件" in page.text:
            self.ledger.saved.setdefault("attachment", set()).add(name)
        elif answer.status == 302:
            self.ledger.refusals.append(page)

    def talk(self) -> None:
        """Six records and the batch that takes them back, in one transaction."""
        content = f"谈心{self._number()}"
        form = {
            "class": CLASS, "kind": "talk", "on": dt.date.today().isoformat(), "way": "face", "role": "class_teacher",
            "content": content, "child": self.stays, "staff": self.staff,
        }  # fmt: skip
        self._save("talk", content, "/quick/talks/", form)

    @staticmethod
    def _number() -> str:
        return str(next(_NUMBERS)).translate(_DIGITS)

    def _save(self, kind: str, key: str, path: str, form: dict[str, Any]) -> Answer:
        answer = self._timed(path, form)
        if answer.status == 302:
            self.ledger.saved.setdefault(kind, set()).add(key)
        return answer

    def _timed(self, path: str, form: dict[str, Any]) -> Answer:
        began = time.monotonic()
        answer = self.browser.post(path, form)
        self.ledger.slowest = max(self.ledger.slowest, time.monotonic() - began)
        self.ledger.answers[answer.status] += 1
        if answer.status != 302:
            self.ledger.refusals.append(answer)
        if answer.status >= 500:
            time.sleep(0.2)  # nobody clicks again at once
        return answer


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (next(_NUMBERS) % 256, 80, 90)).save(out, "PNG")
    return out.getvalue()


def writers(server: Server, names: tuple[str, ...], ledger: Ledger) -> list[Writer]:
    """People who have logged in and know the class they talk with."""
    found = [Writer(name, Browser(server.address), ledger) for name in names]
    for each in found:
        each.arrive()
    return found


@contextmanager
def at_work(people: list[Writer]) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=each.work, args=(stop,)) for each in people]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# --- what must hold afterwards ---


def wrong_with(office: Office, ledger: Ledger) -> list[str]:
    """Everything that is not as it must be: rows lost, halves, files missing, the log broken."""
    with office.reading() as session:
        found = [f"lost {kind}: {sorted(keys)[:3]}" for kind, keys in ledger.lost(session).items()]
        found += list(_halves(session))
        folder = attachments.folder_of(office.folder)
        found += [f"no file of {each.id}" for each in session.scalars(select(m.Attachment)) if not _opens(folder, each)]
        held, broken = audit.verify(session)
        found += [f"log: {broken} after {held}"] if broken else []
        if office.settings.is_sqlite:
            found += [
                f"{pragma}: {said}" for pragma in ("integrity_check", "foreign_key_check") if (said := _said(session, pragma))
            ]
    return found


def _halves(session: Session) -> Iterator[str]:
    """A row without its entry in the log or the other way round; a child that attends no school; part of a class talked with."""
    for model in (m.Child, m.Enrolment, m.Carer, m.CareRecord, m.Batch, m.Attachment):
        made = (m.AuditEntry.action == "create", m.AuditEntry.table_name == model.__tablename__)
        logged = Counter(session.scalars(select(m.AuditEntry.row_id).where(*made)))
        there = Counter(str(row_id) for row_id in session.scalars(select(model.id)))
        if logged != there:
            yield f"{model.__tablename__}: {len(there)} rows, {logged.total()} entries"
    if session.scalar(select(func.count(m.Child.id)).where(m.Child.id.not_in(select(m.Enrolment.child_id)))):
        yield "a child without a school"
    talks = session.execute(select(m.CareRecord.content, func.count()).group_by(m.CareRecord.content))
    yield from (f"{content}: {count} of {len(OF_THE_CLASS)}" for content, count in talks if count != len(OF_THE_CLASS))


def _opens(folder: Any, attachment: m.Attachment) -> bool:
    return hashlib.sha256(attachments.content_of(folder, attachment)).hexdigest() == attachment.digest


def _said(session: Session, pragma: str) -> str:
    rows = session.connection().exec_driver_sql(f"PRAGMA {pragma}")
    return ",".join(str(row[0]) for row in rows if row[0] != "ok")
