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

GRACE = 18
"""Seconds that what was asked has to end once the server is told to stop."""
CONNECTIONS = 500
"""At once; a process may open 1024 files on most systems, and Windows waits for 512 sockets at most."""
HEAD_WITHIN, WHOLE_WITHIN = 20, 300
"""Seconds in which a request's head, and all of it, must have come: 12 MB at half a megabit a second take 200."""
ASKS_NOTHING = 60
"""Seconds after which a connection that asks nothing is closed."""
LARGEST = 64 << 20
"""What is longer is not even received; what is shorter and too long is told so by the application."""


def listen(app: Flask, settings: Settings) -> dict[int, Any]:
    """The sockets of a server that may be connected to from now on."""
    sockets: dict[int, Any] = {}
    waitress.create_server(
        app, sockets, host=settings.host, port=settings.port, threads=6, ident=None, connection_limit=CONNECTIONS,
        channel_timeout=ASKS_NOTHING, cleanup_interval=10, max_request_body_size=LARGEST, **behind(settings),
    )  # fmt: skip
    return sockets


def answer(settings: Settings, sockets: dict[int, Any]) -> int:
    """Serve until SIGTERM or Ctrl-C, then finish what was asked. A second signal ends at once.

    :returns: how many requests there was no time left to answer.
    """
    calm_collector()
    with locks.at_work(settings.data_dir):
        told: list[int] = []

        def stop(number: int, _frame: Any) -> None:
            signal.signal(number, signal.SIG_DFL)
            told.append(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        late = Latecomers()
        while not told:
            wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=1)
            late.close(sockets, time.monotonic())
        return _finish(sockets)


class Latecomers:
    """Requests that come in drops: the server takes each drop for a sign of life, and its places would fill up with them."""

    def __init__(self) -> None:
        self._since: dict[Any, float] = {}
        self._looked = 0.0

    def close(self, sockets: dict[int, Any], now: float) -> None:
        """Once a second, close the connections whose request has not come in its time.

        :param now: seconds of a clock that is not set.
        """
        if now - self._looked < 1:
            return
        coming = [each for each in sockets.values() if getattr(each, "request", None) and not each.requests]
        self._looked, self._since = now, {each.request: self._since.get(each.request, now) for each in coming}
        for each in coming:
            within = WHOLE_WITHIN if each.request.headers_finished else HEAD_WITHIN
            if now - self._since[each.request] > within:
                each.will_close = True


def _finish(sockets: dict[int, Any]) -> int:
    """Let nobody in any more, answer who is in. (The server's own way of stopping drops the requests that wait for a thread.)"""
    for listening in [each for each in sockets.values() if each.accepting]:
        for _place in range(listening.adj.backlog):  # who stands in the queue is in
            listening.handle_accept()
        wasyncore.dispatcher.close(listening)
    until = time.monotonic() + GRACE
    while (channels := [each for each in sockets.values() if hasattr(each, "requests")]) and time.monotonic() < until:
        for channel in channels:
            _last_answer(channel)
        wasyncore.loop(timeout=0.1, use_poll=True, map=sockets, count=1)
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
