"""The cast: two schools that must never see each other, and six people who look at them.

One app and one database file for the whole run; each test starts from the same copied state.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_app import commands, create_app, models as m, passwords, settings as configuration, upgrading
from admin_app.access import SYSTEM, Scope
from admin_app.db import db, session_with
from admin_app.models import Role
from admin_app.orm import keyring, utcnow
from admin_app.records import attachments
from admin_app.records.reports import definition, keeping
from admin_app.records.reports.counting import Count
from admin_app.records.reports.members import Period
from tests import databases, factories as make
from tests.browser import QUIET


def _only_this_machine(event: str, args: tuple[Any, ...]) -> None:
    """The product speaks to nobody: a connection that leaves this machine fails the test that makes it."""
    if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in ("127.0.0.1", "::1", "localhost"):
        raise AssertionError(f"a connection to {args[1][0]}")


sys.addaudithook(_only_this_machine)

PASSWORD = "chang-mi-ma-2026"
REAL_HASHER, passwords._hasher = passwords._hasher, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""A real hash takes a tenth of a second and more, a login several; the tests that are about them ask for ``real_hasher``."""
PEOPLE = ("admin", "office", "leader", "secretary_a", "secretary_b", "principal_a", "counsellor_a")
WIDE_AWAKE = dt.timedelta(days=3650)


@pytest.fixture(scope="session")
def base() -> Iterator[SimpleNamespace]:
    """The migrated database with the reference data and the cast, made once; kept as a template."""
    # not pytest's own folder: another run beside this one would clear it away
    with (
        tempfile.TemporaryDirectory(prefix="register-", dir=databases.in_memory()) as name,
        databases.made_for(Path(name)) as named,
    ):
        folder = Path(name)
        settings = configuration.read({"DATA_DIR": str(folder), "RATE_LIMITS": "on"} | named)
        upgrading.migrate(settings)
        app = create_app(settings)
        app.config.update(TESTING=False, IDLE=WIDE_AWAKE, LONGEST=WIDE_AWAKE, CONFIRMED_FOR=WIDE_AWAKE)
        with app.app_context():
            commands.load_reference()
            with session_with(SYSTEM, writes=True) as session:
                ids = _county(session)
                _file_on_a_post(session, ids, attachments.folder_of(settings.data_dir))
                session.commit()
            db.session.remove()
            db.engine.dispose()
            template = databases.Template(settings.owner_url, folder)
        yield SimpleNamespace(app=app, settings=settings, ids=ids, template=template)
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(base: SimpleNamespace) -> Iterator[Flask]:
    with base.app.app_context():
        db.session.remove()
        db.engine.dispose()
    base.template.restore()
    keyring.unlock(base.settings.field_key)  # whatever key the test before worked with
    yield base.app
    with base.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def ids(base: SimpleNamespace, app: Flask) -> SimpleNamespace:
    """The rows of the cast, by name."""
    return base.ids


@pytest.fixture
def system(app: Flask) -> Iterator[Session]:
    """A session that sees and may do everything."""
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        yield session


@pytest.fixture
def open_as(app: Flask, ids: SimpleNamespace) -> Iterator[Callable[..., Any]]:
    """Own sessions with the scope of one of the people."""
    with app.app_context():
        yield lambda name, writes=True: session_with(scope_of(ids, name), writes=writes)


def scope_of(ids: SimpleNamespace, name: str) -> Scope:
    held = {ids.b} if name.endswith("_b") else {ids.a, ids.a_site} if name.endswith("_a") else set()
    return Scope(1, name, frozenset({Role(name.split("_")[0])}), frozenset(held))


@dataclass
class Person:
    """Somebody at a browser: real requests, with the token the page gave."""

    client: FlaskClient
    token: str = ""

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.client.get(path, **kwargs)

    def post(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        if not self.token:
            page = self.client.get("/password").text or self.client.get("/login").text
            found = re.search(r'name="csrf-token" content="([^"]+)"', page)
            self.token = found.group(1) if found else ""
        return self.client.post(path, data={"csrf_token": self.token, **(data or {})}, **kwargs)


@pytest.fixture
def person(app: Flask, ids: SimpleNamespace) -> Callable[[str], Person]:
    """Who is at the browser: admin, office, leader, secretary_a, secretary_b, or anonymous."""

    def sit_down(name: str) -> Person:
        client = app.test_client()
        if name != "anonymous":
            with client.session_transaction() as cookie:
                cookie["_user_id"] = f"token-{name}"
                cookie["_fresh"] = True
        return Person(client)

    return sit_down


def _county(session: Session) -> SimpleNamespace:
    """School A (a centre with a village site) and school B, each with a child, its family and one of every record."""
    township = session.scalar(select(m.Township).where(m.Township.name == "漠沙镇"))
    a = make.school(session, "2153990001", "晨光小学", township_id=township.id, boarding=True)
    a_site = make.school(
        session,
        "2153991001",
        "晨光小学和平村完小",
        kind=m.SchoolKind.VILLAGE,
        assessed=False,
        school_group=None,
        centre_id=a.id,
        pupils=20,
    )
    b = make.school(session, "2153990002", "青松小学")
    outside = make.school(session, "9953990001", "县外", kind=m.SchoolKind.OUTSIDE, assessed=False, school_group=None)
    ids = SimpleNamespace(a=a.id, a_site=a_site.id, b=b.id)
    round_ = m.Round(
        code="2026", title="2026 年度考核", scheme_id=session.scalar(select(m.Scheme.id)), start=dt.date(2025, 9, 1),
        last_day=dt.date(2026, 8, 31), cut_off=dt.date(2026, 8, 31), state=m.RoundState.OPEN,
    )  # fmt: skip
    session.add(round_)
    session.flush()
    ids.round = round_.id
    earlier = m.Round(
        code="last", title="上一年度考核", scheme_id=round_.scheme_id, start=dt.date(2024, 9, 1), last_day=dt.date(2025, 8, 31),
        cut_off=dt.date(2025, 8, 31), state=m.RoundState.PUBLICITY, shown_from=dt.date(2025, 12, 1), shown_until=dt.date(2025, 12, 5),
    )  # fmt: skip
    session.add(earlier)
    session.flush()
    ids.shown_round = earlier.id
    for key, at, name in (("a", a, "甲小雨"), ("b", b, "丁不漏")):
        _one_of_each(session, ids, key, at, name, round_)
        _on_the_sheets(session, ids, key, at, earlier)
    ids.child_site = make.left_behind(session, a_site, "乙大山").id
    leaving = make.left_behind(session, b, "丙远行")
    transfer = m.Transfer(
        school_id=b.id, to_school_id=a.id, child_id=leaving.id, child_name=leaving.name, proposed_on=dt.date(2025, 12, 1)
    )
    going = m.Transfer(
        school_id=a_site.id, to_school_id=outside.id, child_id=ids.child_site, child_name="乙大山", proposed_on=dt.date(2025, 12, 1),
        kind=m.TransferKind.OUT, to_place="四川成都",
    )  # fmt: skip
    notice = m.Notice(title="关于开学摸底的通知", on=dt.date(2025, 9, 1), body="请按时上报")
    draft = m.Scheme(code="2099", title="2099 年度方案", reason="草稿")
    session.add_all([transfer, going, notice, draft])
    session.flush()
    ids.draft_scheme = draft.id
    session.add(m.NoticeReceipt(notice_id=notice.id, school_id=a.id))
    ids.transfer_a, ids.transfer_b, ids.notice = going.id, transfer.id, notice.id
    for name in PEOPLE:
        _account(session, ids, name)
    session.flush()
    return ids


def _file_on_a_post(session: Session, ids: SimpleNamespace, folder: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")
    ids.attachment_a = attachments.keep(session, folder, session.get(m.Post, ids.post_a), "成立文件.png", picture.getvalue()).id


def _one_of_each(session: Session, ids: SimpleNamespace, key: str, at: m.School, name: str, round_: m.Round) -> None:
    def keep(what: str, row: Any) -> Any:
        setattr(ids, f"{what}_{key}", row.id)
        return row

    child = keep(
        "child",
        make.left_behind(
            session,
            at,
            name,
            home_address=f"{at.name}后山",
            id_number=make.id_number(dt.date(2016, 5, 6), order={"a": 901, "b": 903}[key]),
        ),
    )
    term = session.scalar(select(m.Term).where(m.Term.code == "2025-1"))
    teacher = keep("staff", make.staff(session, at, f"{at.name[0]}师傅"))
    ids.__dict__[f"enrolment_{key}"] = make.enrolment(session, child).id
    keep("parent", child_parent(session, child))
    keep("parent_status", session.scalar(select(m.ParentStatus).where(m.ParentStatus.child_id == child.id)))
    keep("carer", make.carer(session, child, f"{name[0]}奶奶"))
    keep("responsibility", make.responsible(session, child, teacher))
    keep("contact_card", make.card(session, child))
    keep("care_record", make.talk(session, child, dt.date(2025, 9, 15), content=f"{name}说想家", staff_id=teacher.id))
    keep(
        "state_note",
        make.event(
            session, m.StateNote, child, term_id=term.id, side=m.StateSide.MIND, on=dt.date(2025, 9, 16), mind=f"{name}想妈妈"
        ),
    )
    code = {c.code: c.id for c in session.scalars(select(m.Code))}
    activity = keep("activity", m.Activity(school_id=at.id, title=f"{at.name}演练", kind_id=code["D1"], on=dt.date(2025, 9, 20)))
    training = keep(
        "training_session", m.TrainingSession(school_id=at.id, title=f"{at.name}培训", kind_id=code["T1"], on=dt.date(2025, 9, 25))
    )
    batch = m.ImportBatch(school_id=at.id, file_name=f"{at.name}.xlsx", start=dt.date(2025, 9, 1), content="")
    sheet = m.Sheet(round_id=round_.id, school_id=at.id)
    adjustment = m.Adjustment(
        round_id=round_.id, school_id=at.id, kind=m.AdjustmentKind.BONUS, matter="县级先进", points="0.5", document="表彰决定"
    )
    counted = Count(session, definition.of("county"), Period(dt.date(2025, 9, 1), dt.date(2025, 9, 1)), at.name).counted()
    report = keeping.keep(session, counted, "施老师")
    report.school_id = at.id
    session.add_all([activity, training, batch, sheet, adjustment])
    session.flush()
    _one_of_each_care(session, keep, at, child, term)
    for what, row in (
        ("activity", activity),
        ("training_session", training),
        ("import_batch", batch),
        ("sheet", sheet),
        ("adjustment", adjustment),
        ("report", report),
    ):
        keep(what, row)


def _one_of_each_care(session: Session, keep: Any, at: m.School, child: m.Child, term: m.Term) -> None:
    """The rest of the register: one row of every kind, of this school and this child."""
    day, code = dt.date(2025, 10, 9), {c.code: c.id for c in session.scalars(select(m.Code))}
    holiday = session.scalar(select(m.Holiday).where(m.Holiday.code == "2025-winter"))
    carer = session.scalar(select(m.Carer).where(m.Carer.child_id == child.id))
    of_child = {"child_id": child.id, "school_id": at.id}
    event = lambda model, **more: make.event(session, model, child, **more)  # noqa: E731
    case = event(m.DropoutCase, found_on=day, grade=m.Grade.P3, reason=m.DropoutReason.WEARY)
    rows = {
        "agreement": m.Agreement(carer_id=carer.id, principals="父母", signed_on=day, start=day, **of_child),
        "child_category": m.Category(kind=m.CategoryKind.H01, start=day, **of_child),
        "flag": event(m.Flag, on=day, source="谈心", reason=f"{child.name}夜里哭"),
        "counselling": m.Counselling(
            enrolment_id=make.enrolment(session, child).id, on=day, counsellor="心理教师", body=f"{child.name}的秘密", **of_child
        ),
        "help_plan": event(m.HelpPlan, term_id=term.id, need=m.Need.EMO, plan="每周视频"),
        "letter": event(m.Letter, term_id=term.id, on=day),
        "pairing": event(m.Pairing, partner="同桌甲", start=day),
        "evaluation": event(m.Evaluation, term_id=term.id, on=day, conduct=m.Mark.GOOD),
        "holiday_handover": event(m.Handover, holiday_id=holiday.id, family_on=day),
        "dropout_case": case,
        "dropout_step": event(m.DropoutStep, case_id=case.id, step=m.StepKind.EDUCATE, on=day),
        "subsidy": event(m.Subsidy, kind_id=code["Z02"], start=day),
        "mandatory_report": m.MandatoryReport(
            school_id=at.id,
            child_id=child.id,
            found_at=make.ENTERED,
            finder="施老师",
            situation=m.Situation.UNATTENDED,
            details="细节",
        ),
        "opinion": m.Opinion(school_id=at.id, found_at=make.ENTERED, source="论坛", summary=f"{at.name}的传言"),
        "facility": m.Facility(school_id=at.id, kind=m.FacilityKind.HOME, name=f"{at.name}之家"),
        "post": m.Post(school_id=at.id, body=m.Body.LEADING, name="组长甲", start=day),
        "paper": m.Paper(school_id=at.id, kind=m.PaperKind.PROGRAMME, title=f"{at.name}方案", on=day),
        "evening_slot": m.EveningSlot(school_id=at.id, term_id=term.id, weekday=m.Weekday.MON, hours="19:00", content="阅读"),
        "census_return": m.CensusReturn(
            school_id=at.id, census_id=session.scalar(select(m.CensusRound.id)), on=day, children=1, girls=0, by="填报员"
        ),
        "batch": m.Batch(school_id=at.id, kind=m.BatchKind.CONFIRM, words=f"{at.name}确认"),
        "inspection": m.Inspection(
            school_id=at.id, round_id=session.scalar(select(m.Round.id).where(m.Round.code == "2026")), on=day, children=10
        ),
    }
    session.add_all(rows.values())
    session.flush()
    for what, row in rows.items():
        keep(what, row)


def _on_the_sheets(session: Session, ids: SimpleNamespace, key: str, at: m.School, earlier: m.Round) -> None:
    """What a school showed for this year's sheet, and what it contests of last year's."""
    item = session.scalar(select(m.Indicator.id).where(m.Indicator.code == "A1.4"))
    shown = m.Sheet(round_id=earlier.id, school_id=at.id)
    proof = m.Evidence(sheet_id=getattr(ids, f"sheet_{key}"), indicator_id=item, school_id=at.id, title=f"{at.name}制度汇编")
    session.add_all([shown, proof])
    session.flush()
    appeal = m.Appeal(sheet_id=shown.id, indicator_id=item, school_id=at.id, reason=f"{at.name}漏计", due_on=dt.date(2025, 12, 12))
    session.add(appeal)
    session.flush()
    for what, row in (("shown_sheet", shown), ("evidence", proof), ("appeal", appeal)):
        setattr(ids, f"{what}_{key}", row.id)


def child_parent(session: Session, child: m.Child) -> m.Parent:
    return session.scalar(select(m.Parent).where(m.Parent.child_id == child.id).order_by(m.Parent.id))


def _account(session: Session, ids: SimpleNamespace, name: str) -> None:
    role = Role(name.split("_")[0])
    school_id = {"secretary_b": ids.b}.get(name) or (ids.a if name.endswith("_a") else None)
    user = m.User(
        username=name, name={"admin": "管理员甲", "office": "股员乙", "leader": "局长丙"}.get(name, {"principal_a": "校长己", "counsellor_a": "心理教师庚"}.get(name, f"填报员{name[-1]}")),
        password_hash=passwords.hashed(PASSWORD), must_change=False, school_id=school_id, grants=[m.Grant(role=role)],
    )  # fmt: skip
    session.add(user)
    session.flush()
    token = hashlib.sha256(f"token-{name}".encode()).hexdigest()
    session.add(m.LoginSession(token_hash=token, user_id=user.id, confirmed_at=utcnow()))
    setattr(ids, f"user_{name}", user.id)


@pytest.fixture
def real_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as the product does."""
    monkeypatch.setattr(passwords, "_hasher", REAL_HASHER)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def ledgers() -> Path:
    return Path(__file__).parent / "ledgers"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is not installed is skipped with its reason; under CI it fails. The stories come first: each is minutes for one worker."""
    items.sort(key=lambda item: not item.get_closest_marker("browser"))
    if not shutil.which("chromium"):
        for item in items:
            if item.get_closest_marker("browser") and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason="chromium is not installed"))
