"""A file under a password: a ZIP with AES-256 as 7-Zip and WinZip write it (AE-2), and the passwords for it."""

from __future__ import annotations

import io
import secrets

import pyzipper

PARTS = 5


def locked(content: bytes, name: str, password: str) -> bytes:
    """A file alone in an encrypted ZIP. The names of what is in a ZIP stay readable: what must not be read goes in as a ZIP itself.

    :param password: ASCII: programs do not agree on the bytes of anything else.
    """
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode("ascii"))
        archive.writestr(name, content)
    return buffer.getvalue()


def new_password() -> str:
    """Twenty random digits in groups of four: easy to read out on the telephone, 66 bits hard to guess."""
    return "-".join(f"{secrets.randbelow(10_000):04}" for _part in range(PARTS))
