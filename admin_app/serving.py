"""The server: answers until it is told to stop, then finishes what was asked."""

from __future__ import annotations

import gc
import signal
import time
from typing import Any

import waitress
from flask import Flask
from waitress import wasyncore

from . import locks
from .settings import Settings

PATIENCE = 18
"""Seconds that what was asked has to end once the server is told to stop."""


def listen(app: Flask, settings: Settings) -> dict[int, Any]:
    """The sockets of a server that may be connected to from now on."""
    sockets: dict[int, Any] = {}
    waitress.create_server(app, sockets, host=settings.host, port=settings.port, threads=6, ident=None, **behind(settings))
    return sockets


def answer(settings: Settings, sockets: dict[int, Any]) -> int:
    """Serve until SIGTERM or Ctrl-C, then finish what was asked. A second signal ends at once.

    :returns: how many requests there was no time left to answer.
    """
    calm_collector()
    with locks.serving(settings):
        told: list[int] = []

        def stop(number: int, _frame: Any) -> None:
            signal.signal(number, signal.SIG_DFL)
            told.append(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        while not told:
            wasyncore.loop(timeout=1, map=sockets, count=1)
        return _finish(sockets)


def _finish(sockets: dict[int, Any]) -> int:
    """Let nobody in any more, answer who is in. (The server's own way of stopping drops the requests that wait for a thread.)"""
    for listening in [each for each in sockets.values() if each.accepting]:
        for _place in range(listening.adj.backlog):  # who stands in the queue is in
            listening.handle_accept()
        wasyncore.dispatcher.close(listening)
    until = time.monotonic() + PATIENCE
    while (channels := [each for each in sockets.values() if hasattr(each, "requests")]) and time.monotonic() < until:
        for channel in channels:
            _last_answer(channel)
        wasyncore.loop(timeout=0.1, map=sockets, count=1)
    return len(channels)


def _last_answer(channel: Any) -> None:
    """Tell a connection that it ends with this answer; close one that has asked nothing for a second."""
    for request in list(channel.requests):
        request.headers["CONNECTION"] = "close"
    if not channel.requests and channel.request is None and time.time() - channel.last_activity > 1:
        channel.close_when_flushed = True


def behind(settings: Settings) -> dict[str, Any]:
    """What the server takes from its proxy: who asked and by which scheme, from the last hop alone and from no other sender."""
    if not settings.trusted_proxy:
        return {}
    return {
        "trusted_proxy": settings.trusted_proxy,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
    }


def calm_collector() -> None:
    """What was loaded at the start stays, and a score makes a hundred thousand small rows without one cycle among them:
    Python's collector would walk all of it again and again, a quarter of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
