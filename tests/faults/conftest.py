"""A furnished register for each test: on SQLite, on PostgreSQL, or on both in turn."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from admin_app.orm import keyring
from tests import databases
from tests.faults.server import Office


@pytest.fixture(autouse=True, scope="session")
def the_keys_of_the_other_tests_afterwards() -> Iterator[None]:
    held = dict(vars(keyring))
    yield
    vars(keyring).update(held)


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def on_sqlite(place: Path) -> Office:
    """Furnished once, to be copied."""
    office = Office(place / "furnished-sqlite" / "data")
    office.furnish()
    return office


@pytest.fixture(scope="session")
def postgres(place: Path) -> Iterator[Any]:
    with databases.lasting_postgres(place) as server:
        yield server


@pytest.fixture(scope="session")
def on_postgres(place: Path, postgres: Any) -> Office:
    postgres.psql("create database furnished")
    office = Office(place / "furnished-postgres" / "data", postgres.get_uri("furnished"))
    office.furnish()
    return office


def copy_of(office: Office, folder: Path, postgres: Any = None) -> Office:
    """The same register somewhere else: its keys, its rows.

    Files are copied, not logged: a sequence copied through the log and a crash later gives out its numbers a second time.
    """
    shutil.copytree(office.folder, folder, dirs_exist_ok=True)
    if postgres is None:
        return Office(folder)
    name = f"register_{uuid.uuid4().hex[:12]}"
    postgres.psql(f"create database {name} template furnished strategy file_copy")
    return Office(folder, postgres.get_uri(name))


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    """A register of the test's own."""
    if request.param == "sqlite":
        return copy_of(request.getfixturevalue("on_sqlite"), tmp_path / "data")
    return copy_of(request.getfixturevalue("on_postgres"), tmp_path / "data", request.getfixturevalue("postgres"))


@pytest.fixture
def sqlite_office(on_sqlite: Office, tmp_path: Path) -> Office:
    return copy_of(on_sqlite, tmp_path / "data")


@pytest.fixture
def postgres_office(on_postgres: Office, postgres: Any, tmp_path: Path) -> Office:
    return copy_of(on_postgres, tmp_path / "data", postgres)
