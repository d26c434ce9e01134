"""Times saving and listing with the row scope, the audit chain and sealed numbers against the same work without the three.

Both sides work in turn on the same SQLite file, through the same models and the same upkeep (derived columns, versions, locked rounds):
ours as a school's secretary through the product's session; the other through a session that checks no rights and logs nothing,
with numbers in the clear.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from admin_app import access, models as m, row_security
from admin_app.access import Scope
from admin_app.assessment import locking
from admin_app.db import RowSession, db, session_with, writing
from admin_app.orm import keyring
from admin_app.records import bulk, upkeep
from bench import empty_app, machine, spread, statements, timed
from bench.list_page import PAGE, fill, get, log_in, rows_in

SCHOOL = 1
SECRETARY = Scope(1, "填报员", frozenset({m.Role.SECRETARY}), frozenset({SCHOOL}))


class PlainSession(FlaskSession):
    """The product's session without row scope and log."""


upkeep.watch(PlainSession)
bulk.watch(PlainSession)
locking.watch(PlainSession)


IN_THE_CLEAR = {"seal": lambda plain, _place: plain, "open": lambda sealed, _place: sealed, "index": lambda plain: plain}


@contextmanager
def plain(*, writes: bool) -> Iterator[Session]:
    """A session without the three."""
    vars(keyring).update(IN_THE_CLEAR)
    try:
        with PlainSession(db) as session:
            session.bind = db.engine.execution_options(writes=writes)
            yield session
            session.commit()
    finally:
        for name in IN_THE_CLEAR:
            delattr(keyring, name)


def change(session: Session, pk: int, n: int) -> None:
    row = session.get_one(m.Child, pk)
    row.remark, row.handy_phone = f"第 {n} 次", f"1380000{n:04}"


def talk(session: Session, pk: int, n: int) -> None:
    said = {"kind": m.CareKind.TALK, "way": m.CareWay.FACE, "content": f"第 {n} 次谈心"}
    session.add(m.CareRecord(child_id=pk, enrolment_id=pk, school_id=SCHOOL, on=dt.date(2026, 9, 7), **said))


def page(session: Session, _pk: int, n: int) -> None:
    """A page of the school's children by name, each with its number: opened on our side, read as it lies on the other."""
    mine = select(m.Child).where(m.Child.school_id == SCHOOL)
    found = mine.order_by(m.Child.name_order, m.Child.id).offset(n % 3 * PAGE).limit(PAGE)
    assert len([(row.name, row.birth_date, row.id_number) for row in session.scalars(found)]) == PAGE


@contextmanager
def unguarded() -> Iterator[None]:
    """Requests too do without the three; the filter on the page says whose children are listed."""
    hooks = ((RowSession, "do_orm_execute", access._limit_rows), (RowSession, "after_begin", row_security.tell_on_begin))
    vars(keyring).update(IN_THE_CLEAR)
    for hook in hooks:
        event.remove(*hook)
    try:
        yield
    finally:
        for hook in hooks:
            event.listen(*hook, propagate=True)
        for name in IN_THE_CLEAR:
            delattr(keyring, name)


def shown(browser: FlaskClient, n: int) -> None:
    """The list as a browser gets it, from the login to the last line."""
    assert rows_in(get(browser, {"school": SCHOOL, "page": n % 3})) == PAGE


def shown_unguarded(browser: FlaskClient, n: int) -> None:
    with unguarded():
        shown(browser, n)


def report(name: str, engine: Engine, rounds: int, ours: Callable[[int], Any], theirs: Callable[[int], Any]) -> None:
    ours(0), theirs(0)  # warm: statements compiled
    with statements(engine) as sent:
        ours(rounds + 1)
    mine, yours = [], []
    for n in range(1, rounds + 1):
        mine.append(timed(lambda n=n: ours(n))[0])
        yours.append(timed(lambda n=n: theirs(n))[0])
    ratio = statistics.median(mine) / statistics.median(yours)
    print(
        f"{name:20} ours {spread(mine)}  plain {spread(yours)}  ours/plain {ratio:.2f}  statements of ours {len(sent)}", flush=True
    )


def measure_sessions(app: Flask, children: int, rounds: int) -> None:
    with app.app_context():
        fill(children)
        with session_with(SECRETARY) as session:
            ids = list(session.scalars(select(m.Child.id).where(m.Child.school_id == SCHOOL)))
        print(f"{machine()}; {children} children, {len(ids)} in the school; {rounds} rounds")
        _measure(ids, rounds)


def _measure(ids: list[int], rounds: int) -> None:
    half = len(ids) // 2  # the plain side leaves numbers in the clear, which ours could not open

    def ours(work: Callable[..., None]) -> Callable[[int], None]:
        def once(n: int) -> None:
            with (session_with if work is page else writing)(SECRETARY) as session:
                work(session, ids[n % half], n)

        return once

    def theirs(work: Callable[..., None]) -> Callable[[int], None]:
        def once(n: int) -> None:
            with plain(writes=work is not page) as session:
                work(session, ids[half + n % half], n)

        return once

    for name, work in (("page of 50 children", page), ("change of a child", change), ("a talk", talk)):
        report(name, db.engine, rounds, ours(work), theirs(work))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    given = parser.parse_args()
    with empty_app(postgres=given.postgres) as app:
        measure_sessions(app, given.children, given.rounds)
        browser = log_in(app, m.Role.SECRETARY)
        measured = lambda n: shown(browser, n), lambda n: shown_unguarded(browser, n)
        with app.app_context():
            engine = db.engine
        report("that page in a browser", engine, given.rounds, *measured)


if __name__ == "__main__":
    main()
