"""Times the register's list against Flask-Admin's own list of the same table, page by page in turn, in one process.

The stock view shows 13 columns in our order, 50 a page, and does less: no login, no row filter, no trash, no log of
searches, no csrf token, no columns computed from other tables. For the ID number it has an equality filter on the hash.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import re
import statistics
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, insert, select

from admin_app import accounts, models as m, spelling
from admin_app.access import SYSTEM
from admin_app.db import analyse, db, session_with, tune_sqlite, writing
from admin_app.views.children import ChildView
from bench import empty_app, machine, spread, statements, timed

SCHOOLS, PAGE, PASSWORD = 90, 50, "chang-mi-ma-2026"
FAMILY, GIVEN = "李王张刘陈杨普方罗施白刀", "晓文志国秀英春华建明丽芳红梅小龙军强玉珍海燕兴正思雨"
LOADING_USER = ("login_session", "user_account", "user_role")
SEARCH, SORT_BY = "晓文", ChildView.column_list.index("birth_date")
STOCK_COLUMNS = (
    "name", "sex", "school.name", "grade", "class_name", "id_number", "birth_date", "ethnic", "hukou", "boarding", "health",
    "class_teacher.name", "facts_confirmed_at",
)  # fmt: skip


# --- the register ---


def fill(children: int) -> None:
    """Schools, children with both parents and their whereabouts, a carer and an enrolment each; past the sessions."""
    rng = random.Random(2026)
    with db.engine.execution_options(writes=True).begin() as connection:
        schools = [
            {"code": f"2{i:09}", "name": f"第{i}小学", "kind": m.SchoolKind.PRIMARY, "assessed": True}
            for i in range(1, SCHOOLS + 1)
        ]
        connection.execute(insert(m.School.__table__), schools)
        for first in range(1, children + 1, 10_000):
            ids = range(first, min(first + 10_000, children + 1))
            for model, rows in _files(rng, ids):
                connection.execute(insert(model.__table__), rows)
    analyse()


def _files(rng: random.Random, ids: range) -> Iterator[tuple[type[m.Base], list[dict[str, Any]]]]:
    school = {i: rng.randint(1, SCHOOLS) for i in ids}
    name = {i: rng.choice(FAMILY) + "".join(rng.choices(GIVEN, k=rng.randint(1, 2))) for i in ids}
    owned = [{"child_id": i, "school_id": school[i]} for i in ids]
    grades, since = list(m.Grade)[5:14], dt.date(2025, 9, 1)
    yield m.Child, [_child(rng, i, name[i], school[i], rng.choice(grades)) for i in ids]
    yield m.Enrolment, [{**row, "child_name": name[row["child_id"]], "start": since} for row in owned]
    for n, side in enumerate(m.Side):
        yield m.Parent, [{**row, "id": 2 * row["child_id"] + n, "side": side, "name": rng.choice(FAMILY) + "某"} for row in owned]
        states = rng.choices((m.ParentState.AWAY, m.ParentState.HOME), (3, 1), k=len(owned))
        yield (
            m.ParentStatus,
            [
                {**row, "parent_id": 2 * row["child_id"] + n, "state": state, "place": "浙江省", "start": since}
                for row, state in zip(owned, states, strict=True)
            ],
        )
    yield (
        m.Carer,
        [
            {
                **row,
                "name": rng.choice(FAMILY) + "奶奶",
                "relation": m.Kinship.GRANDMOTHER,
                "start": since,
                "person_key": f"{row['child_id']}",
            }
            for row in owned
        ],
    )


def _child(rng: random.Random, i: int, name: str, school: int, grade: m.Grade) -> dict[str, Any]:
    class_name = f"{rng.randint(1, 6)}班"
    return {
        "id": i, "school_id": school, "name": name, "name_order": spelling.order(name), "name_sound": spelling.sound(name),
        "sex": rng.choice(list(m.Sex)), "ethnic": m.Ethnic.E07, "grade": grade, "class_name": class_name,
        "class_order": m.class_order(grade, class_name), "birth_date": dt.date(2011, 1, 1) + dt.timedelta(days=rng.randrange(3000)),
        "hukou": m.Hukou.FARM, "id_number": id_number(i), "id_number_key": id_number(i),
    }  # fmt: skip


def id_number(i: int) -> str:
    return f"53042720150101{i % 10_000:04}" if i < 10_000 else f"530427{i:012}"


def log_in(app: Flask, role: m.Role) -> FlaskClient:
    with app.app_context(), writing(SYSTEM) as session:
        school = session.get(m.School, 1) if role is m.Role.SECRETARY else None
        accounts.create(session, role.value, role.label, [role], school, PASSWORD, must_change=False)
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    answer = client.post("/login", data={"username": role.value, "password": PASSWORD, "csrf_token": token[1]})
    assert answer.status_code == 302, answer.status
    return client


# --- Flask-Admin's own list ---


def stock_app(url: str) -> Flask:
    """Flask-Admin as its manual shows it, on the same file: mapped from the tables as they are."""
    app = Flask("stock")
    app.config.update(SECRET_KEY="stock", SQLALCHEMY_DATABASE_URI=url)
    Babel(app, default_locale="zh_Hans_CN")
    stock = SQLAlchemy(app)
    with app.app_context():
        tune_sqlite(stock.engine)
        stock.metadata.reflect(stock.engine, only=["child", "school", "staff"])
    tables = stock.metadata.tables

    class School(stock.Model):
        __table__ = tables["school"]

    class Staff(stock.Model):
        __table__ = tables["staff"]

    class Child(stock.Model):
        __table__ = tables["child"]
        school = stock.relationship(School)
        class_teacher = stock.relationship(Staff, foreign_keys=tables["child"].c.class_teacher_id)

    class StockView(ModelView):
        page_size = PAGE
        column_list = STOCK_COLUMNS
        column_searchable_list = ("name",)
        column_filters = ("school.name", "id_number_key")
        column_sortable_list = ("name", "birth_date")
        column_default_sort = [*ChildView.default_sort]
        form_columns = ("name",)

    admin = Admin(app, name="stock", url="/")
    admin.add_view(StockView(Child, stock, endpoint="child"))
    return app


def equals(app: Flask, column: str, value: str) -> dict[str, str]:
    """The address of an equality filter: Flask-Admin numbers them."""
    view = next(v for v in app.extensions["admin"][0]._views if v.endpoint == "child")
    for number, condition in enumerate(view._filters):
        if condition.column.name == column and type(condition).__name__ == "FilterEqual":
            return {f"flt0_{number}": value}
    raise LookupError(column)


# --- the comparison ---


def pages(children: int, stock: Flask, key: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """What is looked at: name -> the query of our list and of the stock list."""
    last = {"page": (children - 1) // PAGE}
    return {
        "first page": ({}, {}),
        "last page": (last, last),
        "name, 2 characters": ({"search": SEARCH}, {"search": SEARCH}),
        "surname": ({"search": "zhang"}, {"search": "张"}),
        "ID number": ({"search": id_number(children // 2)}, equals(stock, "id_number_key", key)),
        "one school": ({"school": 7}, equals(stock, "name", "第7小学")),
        "sort by birth date": ({"sort": SORT_BY}, {"sort": STOCK_COLUMNS.index("birth_date")}),
        "sort by name": ({"sort": 0}, {"sort": STOCK_COLUMNS.index("name")}),
    }


def get(client: FlaskClient, query: dict[str, Any]) -> str:
    answer = client.get("/child/?" + urlencode(query))
    assert answer.status_code == 200, answer.status
    return answer.text


def rows_in(html: str) -> int:
    body = html[html.index("</thead>") : html.rindex("</table>")]
    return len(re.findall(r"<tr[\s>]", body))


def report(name: str, runs: int, engine: Engine, ours: Callable[[], str], theirs: Callable[[], str]) -> None:
    mine, yours, sent = [], [], []
    here, there = ours(), theirs()  # warm: statements and templates compiled
    assert rows_in(here) == rows_in(there), (name, rows_in(here), rows_in(there))
    for _ in range(runs):
        with statements(engine) as counted:
            mine.append(timed(ours)[0])
        sent.append((len(counted), sum(any(t in s for t in LOADING_USER) for s in counted)))
        yours.append(timed(theirs)[0])
    every, user = statistics.multimode(sent)[0]
    ratio = statistics.median(mine) / statistics.median(yours)
    print(
        f"{name:28} ours {spread(mine)}  stock {spread(yours)}  ours/stock {ratio:.2f}  "
        f"HTML {len(here.encode()) / 1024:.0f}/{len(there.encode()) / 1024:.0f} KB  rows {rows_in(here)}  "
        f"statements {every} ({user} of them load the user)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=25)
    given = parser.parse_args()
    with empty_app() as app:
        with app.app_context():
            engine = db.engine
            took, _none = timed(lambda: fill(given.children))
            with session_with(SYSTEM) as session:
                key = str(session.scalar(select(m.Child.id_number_key).where(m.Child.id == given.children // 2)))
        print(f"{machine()}; {given.children} children in {SCHOOLS} schools, filled in {took / 1000:.0f} s; {given.runs} runs")
        office, secretary = log_in(app, m.Role.OFFICE), log_in(app, m.Role.SECRETARY)
        stock = stock_app(app.config["SQLALCHEMY_DATABASE_URI"])
        visitor = stock.test_client()
        for name, (here, there) in pages(given.children, stock, key).items():
            report(name, given.runs, engine, lambda q=here: get(office, q), lambda q=there: get(visitor, q))
        report("first page, row filter on", given.runs, engine, lambda: get(secretary, {}), lambda: get(visitor, {}))


if __name__ == "__main__":
    main()
