"""Passwords: how they are kept (Argon2id), and whether one is hard to guess.

Lists, keyboard walks, dates and repeats are zxcvbn's; the county's and the account's words ours.
"""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from . import spelling
from .rules import Complaint

MIN_PASSWORD, MAX_PASSWORD = 12, 128
HARD = 10**10
"""Guesses that a good password takes: the line of zxcvbn's best grade."""
READ = 72
"""As many characters are looked at: its time grows with the square, and what is hard to guess so far is hard."""
_hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=2)
_one_at_a_time = Lock()  # zxcvbn keeps the words it is given in a table of the module


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(password)


@cache
def of_nobody() -> str:
    """Verified when an account does not exist, so that the answer takes as long."""
    return hashed(secrets.token_hex(16))


def is_right(stored: str, password: str) -> bool:
    """Is it the password that ``stored`` was made of? One too long is not looked at."""
    try:
        return len(password) <= MAX_PASSWORD and _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Was it made with weaker settings than today's?"""
    return _hasher.check_needs_rehash(stored)


def check(password: str, *about: str) -> None:
    """Refuse a password that is on the lists or built of what is known about its owner (OWASP ASVS 6.2.4, 6.2.11, 6.1.2).

    :param about: what the account is known by: its name, the person's, the school's and its code.
    :raises Complaint: when it is too short, too long or easy to guess.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Complaint(f"密码应为 {MIN_PASSWORD} 至 {MAX_PASSWORD} 个字符，可以是一句话。", "password")
    if sum(not letter.isdigit() for letter in password) < 4:  # a phone, an ID number, a birthday
        raise Complaint("密码不能只用数字：电话、证件号、生日都容易猜到。请换一句话。", "password")
    if _guesses(password, about) < HARD:
        raise Complaint(
            "密码太容易猜到：不要用常见密码、姓名、账号、校名、县名、日期、重复或键盘上相邻的字符。请换一句只有自己会说的话。",
            "password",
        )


def _guesses(password: str, about: tuple[str, ...]) -> float:
    words = [*_spelt(about), *_listed()]
    with _one_at_a_time:
        return float(zxcvbn(password[:READ], words)["guesses"])


def _spelt(about: tuple[str, ...]) -> list[str]:
    """Each word as it is written and in pinyin."""
    sounds = (sound for word in about for sound in spelling.sound(word).split() if len(sound) > 3)
    return list(dict.fromkeys([*filter(None, about), *sounds]))


@cache
def _listed() -> list[str]:
    """Words and numbers of Chinese passwords, this county and this product, which zxcvbn's lists have not."""
    return Path(__file__).with_name("guessable.txt").read_text(encoding="utf-8").split()
