"""One-time codes of a phone (RFC 6238): secret, picture to scan, and which step a code belongs to. Pure, and without any network."""

from __future__ import annotations

import hmac
import unicodedata

import pyotp
import segno

STEP = 30
"""Seconds a code stands."""
ISSUER = "liushou"
"""What the phone calls it; in letters, for Chinese ones make the picture too fine for an old camera."""


def new_secret() -> str:
    return pyotp.random_base32()


def picture(secret: str, username: str) -> str:
    """The address of the image (``data:``, an SVG) that a phone's authenticator scans."""
    address = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)
    return segno.make(address, error="l", micro=False).svg_data_uri(scale=4, border=4)


def in_fours(secret: str) -> str:
    """The secret as it is read from a screen and typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def step_of(secret: str, code: str, last: int | None, now: float) -> int | None:
    """The step of the code: this one, or the one before or after for a clock that is wrong by half a minute (RFC 6238, 5.2).

    :param last: the step that was used last; it and those before count no more (ASVS 6.5.1).
    :param now: seconds since 1970.
    :returns: None for a code that is wrong, too old, or used.
    """
    typed = "".join(unicodedata.normalize("NFKC", code).split())[:12]
    codes, here = pyotp.TOTP(secret, interval=STEP), int(now) // STEP
    for step in (here - 1, here, here + 1):
        if hmac.compare_digest(codes.generate_otp(step).encode(), typed.encode()) and step > (last or 0):
            return step
    return None
