"""What is known of the request that is being answered: from where it comes, and its number."""

from __future__ import annotations

import secrets

from flask import g, request


def address() -> str:
    return request.remote_addr or "" if request else ""


def request_number() -> str:
    """The number of this request: on its error page and in every entry of the log that it leaves (ASVS 16.2.1)."""
    if not request:
        return ""
    if "number" not in g:
        g.number = f"{secrets.randbelow(10**8):08}"
    return str(g.number)
