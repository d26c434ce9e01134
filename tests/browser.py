"""People at a real browser: a server process of the test's own, Chromium, and desks that wait for the page they click to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PASSWORD = "lv-shui-qing-shan-9"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=zh-CN")  # fmt: skip


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def served(port: int, *words: str, **env: str) -> Iterator[str]:
    """A process of ``python -m words`` that serves on the port; its address, once it answers."""
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "SECRET_KEY")}
    process = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=ROOT, env=clean | {"PYTHONPATH": str(ROOT)} | env, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1500):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=2)
                break
            except OSError:
                assert process.poll() is None, process.stdout.read()[-2000:]
                time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def set_clock(clock: Path, day: str) -> None:
    """Nine in the morning of a day, in a server that follows this file (``tests.year_server``)."""
    moment = f"{day}T09:00:00+08:00"
    clock.write_text(moment)
    for _ in range(200):
        if clock.with_suffix(".done").exists() and clock.with_suffix(".done").read_text() == moment:
            return
        time.sleep(0.05)
    raise AssertionError("the clock does not follow")


def follow(page: Any, what: Any) -> None:
    """Click what leads to another page, and wait until that page is there: looking at once sees the old one."""
    target = page.locator(what).first if isinstance(what, str) else what
    with page.expect_navigation():
        target.click()


class Desk:
    """One person at one browser, who logs in again whenever the session has run out. What the browser complains of is kept."""

    def __init__(self, browser: Any, address: str, name: str, width: int = 1366, height: int = 768):
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", accept_downloads=True, base_url=address
        )
        self.page, self.name = self.context.new_page(), name
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", lambda dialog: dialog.accept())

    def open(self, path: str) -> Any:
        self.page.goto(path)
        if "/login" in self.page.url:
            self.page.fill("#u", self.name)
            self.page.fill("#p", PASSWORD)
            follow(self.page, "button[type=submit]")
            self.page.goto(path)
        return self.page

    def fill(self, **fields: str) -> None:
        """Fill boxes of the form that is open: a choice by words of its label, ticks by their values."""
        for name, value in fields.items():
            box = self.page.locator(f"[name='{name}']").first
            if box.evaluate("e => !!e.closest('details:not([open])')"):
                box.evaluate("e => e.closest('details').open = true")
            kind = box.evaluate("e => e.tagName + (e.type || '')")
            if kind.startswith("SELECT"):
                options = box.locator("option").all_inner_texts()
                box.select_option(label=next((o for o in options if value in o), value))
            elif kind.endswith("checkbox"):
                for each in value.split():
                    self.page.check(f"[name='{name}'][value='{each}']")
            else:
                box.fill(value)

    def write(self, path: str, **fields: str) -> Any:
        """Fill a record form in and save it."""
        page = self.open(path)
        self.fill(**fields)
        follow(page, "[data-key=save]")
        said = page.locator(".alert-success").first
        assert said.count(), f"{path}: {page.locator('.alert').all_inner_texts()} {page.locator('.wrong').all_inner_texts()}"
        return page

    def click(self, words: str) -> list[str]:
        """Press the first button that says so; what the next page answers."""
        follow(self.page, f"button:has-text('{words}')")
        return self.page.locator(".alert").all_inner_texts()
