"""An office's register on a data folder of its own, and the product as a process that serves it: started, killed, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from admin_app import accounts, commands, create_app, models as m, settings as configuration
from admin_app.access import SYSTEM
from admin_app.db import db, session_with, writing
from admin_app.settings import Settings
from tests import factories as make
from tests.browser import PASSWORD, ROOT, free_port

CLASS, OF_THE_CLASS = "P3-1班", "甲乙丙丁戊己"
PEOPLE = tuple(f"secretary{n}" for n in range(17))


@dataclass
class Office:
    """A register: where its data lie. What stands in it is read in this process, what is written goes through a server."""

    folder: Path
    url: str = ""
    port: int = field(default_factory=free_port)

    @property
    def env(self) -> dict[str, str]:
        given = {"DATA_DIR": str(self.folder), "RATE_LIMITS": "off", "PORT": str(self.port)}
        return given | ({"DATABASE_URL": self.url} if self.url else {})

    @property
    def settings(self) -> Settings:
        return configuration.read(self.env)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with _used(create_app(self.settings)), session_with(SYSTEM) as session:
            yield session

    @contextmanager
    def served(self, **env: str) -> Iterator[Server]:
        """One more server on this register; another one takes a port of its own."""
        server = Server(replace(self, port=free_port()), env)
        server.start()
        try:
            yield server
        finally:
            server.kill()

    def furnish(self) -> None:
        """A school, a class of six, and an account for everybody."""
        with _used(commands.ready_app(self.settings)), writing(SYSTEM) as session:
            at = make.school(session, "2153990001", "晨光小学")
            make.staff(session, at, "晨师傅")
            for each in OF_THE_CLASS:
                make.left_behind(session, at, f"{each}小雨")
            for name in PEOPLE:
                accounts.create(session, name, name, [m.Role.SECRETARY], at, PASSWORD, must_change=False)


@contextmanager
def _used(app: Flask) -> Iterator[None]:
    """The app's database is let go of afterwards: a file about to be copied, a template about to be used."""
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


@dataclass
class Server:
    """``admin-app serve`` as its own process."""

    office: Office
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.office.port

    def start(self) -> None:
        clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "SECRET_KEY")}
        log = (self.office.folder.parent / f"server-{self.office.port}.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin_app", "serve"], cwd=ROOT, stdout=log, stderr=log, text=True,
            env=clean | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"} | self.office.env | self.env,
        )  # fmt: skip
        log.close()
        wait_until(lambda: self.status("/healthz") == 200 or self._fell())

    def _fell(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log[-2000:]
        return False

    @property
    def log(self) -> str:
        return (self.office.folder.parent / f"server-{self.office.port}.log").read_text()

    def status(self, path: str) -> int:
        """What a page answers; 0 when nobody does."""
        try:
            with urllib.request.urlopen("http://{}:{}{}".format(*self.address, path), timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as e:
            with e:
                return e.code
        except OSError:
            return 0

    def kill(self) -> None:
        """As a power cut does it: nothing is asked, nothing is finished."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """(exit code, seconds it took)"""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout=30), time.monotonic() - began


def wait_until(holds, seconds: float = 60) -> float:
    """How long it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it never came true"
        time.sleep(0.05)
    return time.monotonic() - began
