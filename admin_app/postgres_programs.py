"""PostgreSQL's own programs: dump, restore, a database for a drill. Passwords reach them by the environment alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url

from .chunks import CHUNK, Part
from .rules import Complaint

INSTALL = "请安装与数据库同版本的 PostgreSQL 客户端（如 postgresql-client），并放进 PATH。"


def dump(url: str, snapshot: str, part: Part) -> None:
    """The database as a transaction exported it, into a part of a backup.

    :raises Complaint: when pg_dump is not there or fails.
    """
    words = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    address, env = _for_libpq(url)
    with tempfile.TemporaryFile() as complaints:
        command = [_program(words[0]), *words[1:], f"--dbname={address}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, env=env) as running:  # noqa: S603
            assert running.stdout
            shutil.copyfileobj(running.stdout, part, CHUNK)
        if running.returncode:
            complaints.seek(0)
            raise Complaint(_failed("pg_dump", complaints.read()))


def restore(file: Path, url: str) -> None:
    """:raises Complaint: when pg_restore is not there or fails; the database is then as it was."""
    _run(["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"], "--dbname", url, str(file))


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """A database of its own beside ``url``'s, dropped afterwards.

    :raises Complaint: when it cannot be made.
    """
    name = f"register_drill_{os.getpid()}"
    _run(["createdb"], "--maintenance-db", url, name)
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        _run(["dropdb", "--force"], "--maintenance-db", url, name)


def _run(words: list[str], address_option: str, url: str, *more: str) -> None:
    address, env = _for_libpq(url)
    command = [_program(words[0]), *words[1:], f"{address_option}={address}", *more]
    done = subprocess.run(command, capture_output=True, env=env, check=False)  # noqa: S603
    if done.returncode:
        raise Complaint(_failed(words[0], done.stderr))


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Complaint(f"没有找到 {name}：{INSTALL}")
    return found


def _failed(name: str, complaints: bytes) -> str:
    """The first line only: what follows may quote a row."""
    first = complaints.decode(errors="replace").strip().partition("\n")[0]
    if "version mismatch" in first:
        return f"{name} 比数据库旧：{INSTALL}"
    return f"{name} 没有做成：{first}"


def _for_libpq(url: str) -> tuple[str, dict[str, str]]:
    """The address without its password, which every account of the machine could read, and the environment with it."""
    given = make_url(url)
    address = URL.create("postgresql", given.username, None, given.host, given.port, given.database, given.query)
    return str(address), {**os.environ, **({"PGPASSWORD": str(given.password)} if given.password else {})}
