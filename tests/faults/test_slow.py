"""Many connections whose requests come in drops: a person is still answered, and the drops come to an end."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from admin_app import serving
from tests.faults.server import Office, wait_until

MANY = 300
START = b"POST /login HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


def open_slowly(address: tuple[str, int]) -> socket.socket:
    dripping = socket.create_connection(address, timeout=30)
    dripping.sendall(START)
    return dripping


def still_open(dripping: socket.socket) -> bool:
    """One more byte; a connection that the other side closed refuses it, or has told us so."""
    try:
        dripping.sendall(b"a")
        dripping.setblocking(False)
        return dripping.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def alive(slow: list[socket.socket]) -> int:
    """How many are open; each gets its byte."""
    return sum(still_open(each) for each in slow)


@pytest.mark.slow
def test_a_person_is_answered_beside_hundreds_of_slow_connections_and_those_are_closed(sqlite_office: Office) -> None:
    with sqlite_office.served() as server:
        slow = [open_slowly(server.address) for _each in range(MANY)]
        assert alive(slow) == MANY
        assert server.status("/login") == 200
        took = wait_until(lambda: not alive(slow), seconds=3 * serving.HEAD_WITHIN)
        print(f"{MANY} slow connections: a page meanwhile, all closed after {took:.0f} s")
        assert server.status("/login") == 200
        assert server.stop()[0] == 0
        for each in slow:
            each.close()


def coming(*, whole_head: bool, requests: int = 0) -> SimpleNamespace:
    return SimpleNamespace(request=Request(whole_head), requests=[object()] * requests, will_close=False)


class Request:
    def __init__(self, headers_finished: bool):
        self.headers_finished = headers_finished


@pytest.mark.parametrize(
    ("channel", "after"),
    [
        (coming(whole_head=False), serving.HEAD_WITHIN),
        (coming(whole_head=True), serving.WHOLE_WITHIN),
        (coming(whole_head=False, requests=1), None),
        (SimpleNamespace(request=None, requests=[], will_close=False), None),
        (SimpleNamespace(accepting=True, will_close=False), None),
    ],
    ids=["no whole head", "no whole form", "the one before is being answered", "asks nothing", "listens"],
)
def test_a_request_has_its_time_to_come(channel: SimpleNamespace, after: int | None) -> None:
    late, closed = serving.Latecomers(), None
    for second in range(1, 2 * serving.WHOLE_WITHIN):
        late.close({1: channel}, second)
        if channel.will_close and closed is None:
            closed = second
    assert closed == (after + 2 if after else None)


def test_a_second_request_on_a_connection_has_its_own_time() -> None:
    late, channel = serving.Latecomers(), coming(whole_head=False)
    for second in range(1, 10 * serving.HEAD_WITHIN):
        if second % serving.HEAD_WITHIN == 0:
            channel.request = Request(False)
        late.close({1: channel}, second)
    assert not channel.will_close
