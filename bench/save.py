"""Times saving and listing with the row scope, the audit chain and sealed numbers against the same work without the three.

Both sides work in turn on the same SQLite file with the same pragmas: ours as a school's secretary through the product's session,
the other through a plain SQLAlchemy session over the same tables, numbers in the clear, nothing checked, stamped or logged.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_app import models as m
from admin_app.access import Scope
from admin_app.db import db, session_with, tune_sqlite, writing
from bench import empty_app, machine, spread, statements, timed
from bench.list_page import PAGE, fill

SCHOOL = 1
SECRETARY = Scope(1, "填报员", frozenset({m.Role.SECRETARY}), frozenset({SCHOOL}))


class Plain:
    """SQLAlchemy as its manual shows it, on the same file: mapped from the tables as they are."""

    def __init__(self, url: str) -> None:
        self.app = Flask("plain")
        self.app.config.update(SQLALCHEMY_DATABASE_URI=url)
        plain = SQLAlchemy(self.app)
        with self.app.app_context():
            self.engine = plain.engine
            tune_sqlite(self.engine)
            plain.metadata.reflect(self.engine, only=["child", "care_record", "school", "staff"])
        tables = plain.metadata.tables

        class Child(plain.Model):
            __table__ = tables["child"]

        class CareRecord(plain.Model):
            __table__ = tables["care_record"]

        self.Child, self.CareRecord = Child, CareRecord

    @contextmanager
    def session(self, *, writes: bool) -> Iterator[Session]:
        with Session(self.engine.execution_options(writes=writes)) as session:
            yield session
            session.commit()


def change(session: Session, child: type[Any], pk: int, n: int) -> None:
    row = session.get_one(child, pk)
    row.remark, row.handy_phone = f"第 {n} 次", f"1380000{n:04}"


def talk(session: Session, record: type[Any], pk: int, n: int, **plain: Any) -> None:
    session.add(record(child_id=pk, enrolment_id=pk, school_id=SCHOOL, on=dt.date(2026, 9, 7), content=f"第 {n} 次谈心", **plain))


def page(session: Session, child: type[Any], _pk: int, n: int) -> None:
    """A page of the school's children by name, each with its number: read and opened on our side, read as it lies on the other."""
    found = select(child).where(child.school_id == SCHOOL).order_by(child.name_order, child.id).offset(n % 3 * PAGE).limit(PAGE)
    assert len([(row.name, row.birth_date, row.id_number) for row in session.scalars(found)]) == PAGE


def report(name: str, rounds: int, ours: Callable[[int], Any], theirs: Callable[[int], Any]) -> None:
    ours(0), theirs(0)  # warm: statements compiled
    with statements(db.engine) as sent:
        ours(rounds + 1)
    mine, yours = [], []
    for n in range(1, rounds + 1):
        mine.append(timed(lambda n=n: ours(n))[0])
        yours.append(timed(lambda n=n: theirs(n))[0])
    ratio = statistics.median(mine) / statistics.median(yours)
    print(
        f"{name:20} ours {spread(mine)}  plain {spread(yours)}  ours/plain {ratio:.2f}  statements of ours {len(sent)}", flush=True
    )


def measure(plain: Plain, ids: list[int], rounds: int) -> None:
    half = len(ids) // 2  # the plain side leaves numbers in the clear, which ours could not open

    def ours(work: Callable[..., Any], model: type[Any], **more: Any) -> Callable[[int], None]:
        def once(n: int) -> None:
            with (session_with if work is page else writing)(SECRETARY) as session:
                work(session, model, ids[n % half], n, **more)

        return once

    def theirs(work: Callable[..., Any], model: type[Any], **more: Any) -> Callable[[int], None]:
        def once(n: int) -> None:
            with plain.session(writes=work is not page) as session:
                work(session, model, ids[half + n % half], n, **more)

        return once

    then = dt.datetime(2026, 9, 7)
    said = {"kind": "talk", "way": "face", "role": "responsible", "attention": "normal"}
    report("page of 50 children", rounds, ours(page, m.Child), theirs(page, plain.Child))
    report("change of a child", rounds, ours(change, m.Child), theirs(change, plain.Child))
    report(
        "a talk", rounds, ours(talk, m.CareRecord, kind=m.CareKind.TALK, way=m.CareWay.FACE),
        theirs(talk, plain.CareRecord, **said, created_at=then, updated_at=then, version=1),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    with empty_app() as app, app.app_context():
        fill(given.children)
        plain = Plain(app.config["SQLALCHEMY_DATABASE_URI"])
        with session_with(SECRETARY) as session:
            ids = list(session.scalars(select(m.Child.id).where(m.Child.school_id == SCHOOL)))
        print(f"{machine()}; {given.children} children, {len(ids)} in the school; {given.rounds} rounds")
        measure(plain, ids, given.rounds)


if __name__ == "__main__":
    main()
