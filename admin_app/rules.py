"""Is this one value acceptable? Pure functions: a value in, a complaint in Chinese or None out."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal

NONE_WORDS = {"无", "/", "-", "—", "－", "／", "——", "--", "没有", "暂无", "无号"}
YES_WORDS = {"√", "☑", "✔", "是", "1", "Y", "y", "有", "已签", "住校", "寄宿", "TRUE"}
NO_WORDS = {"否", "0", "N", "n", "×", "不", "走读", "未签", "无", "FALSE"}

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_HALF = {
    ord(c): unicodedata.normalize("NFKC", c) for c in map(chr, [0x3000, *range(0xFF10, 0xFF5B)]) if c == "\u3000" or c.isalnum()
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_DOTS = str.maketrans(dict.fromkeys("•・･∙⋅‧．.", "·"))
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2100, 1, 1)


def tidy(text: str) -> str:
    """Full-width to half-width for letters and digits, control and zero-width characters and outer blanks away."""
    return _CONTROL.sub("", text).translate(_HALF).strip()


def plain_number(text: str) -> Decimal | None:
    """A number as people type it, full-width too; None for a blank.

    :raises ValueError: for anything else, and for what is written with an exponent or has more than six digits before the point.
    """
    text = unicodedata.normalize("NFKC", tidy(text))
    if not text:
        return None
    if not re.fullmatch(r"[+-]?\d{1,6}(\.\d{0,9})?", text, re.ASCII):
        raise ValueError(text)
    return Decimal(text) + 0  # of "-0" as well


def tidy_name(text: str) -> str:
    """A person's name: no blanks inside, one kind of middle dot."""
    return "".join(tidy(text).translate(_DOTS).split())


def tidy_number(text: str) -> str:
    """An ID, roll or phone number: half-width, upper-case, no blanks, apostrophes or dashes (an area code keeps one)."""
    text = unicodedata.normalize("NFKC", tidy(text)).upper()
    text = "".join(text.split()).strip("'‘’`")
    if re.fullmatch(r"1[0-9-]{10,14}", text):
        return text.replace("-", "")
    return text


def check_digit(first_17: str) -> str:
    """ISO 7064 MOD 11-2 over 17 digits (GB 11643-1999): the 18th character."""
    return _CHECK_DIGITS[sum(w * int(d) for w, d in zip(_WEIGHTS, first_17, strict=True)) % 11]


WRONG_CHECK_DIGIT = "证件号校验位不对，请核对户口簿；确实无误的，请联系德育股。"


def id_number(value: str) -> str | None:
    """A resident's 18-character number (GB 11643). The region code is not checked against a list."""
    value = tidy_number(value)
    if "E+" in value or re.fullmatch(r"[0-9]{17}0{1,3}\.0", value):
        return "科学计数法，后几位已丢失，请在原表改为文本。"
    if not re.fullmatch(r"[0-9]{17}[0-9X]", value):
        return "证件号应为 18 位数字，末位可为 X。"
    if birth_of(value) is None:
        return "证件号中的出生日期不存在，请核对户口簿。"
    if check_digit(value[:17]) != value[17]:
        return WRONG_CHECK_DIGIT
    return None


def birth_of(number: str) -> dt.date | None:
    """The birth date in a resident's number, or None when there is none."""
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return born if EARLIEST <= born <= dt.date.today() else None


def is_male(number: str) -> bool:
    """The 17th digit is odd for a male."""
    return int(number[16]) % 2 == 1


def roll_number(value: str) -> str | None:
    """学籍号: G, J or L and 18 characters."""
    if not re.fullmatch(r"[GJL][0-9]{17}[0-9X]", tidy_number(value)):
        return "学籍号为 G、J 或 L 加 18 位。"
    return None


def phone(value: str) -> str | None:
    """A mobile number, or a land line with its area code."""
    value = tidy_number(value)
    if re.fullmatch(r"1[3-9][0-9]{9}", value) or re.fullmatch(r"0[0-9]{2,3}-?[0-9]{7,8}", value):
        return None
    return "手机号应为 11 位，座机请写 区号-号码。"


def person_name(value: str) -> str | None:
    """2 to 30 characters, letters and the middle dot; digits and signs are a slip."""
    value = tidy_name(value)
    if not 2 <= len(value) <= 30:
        return "姓名应为 2 至 30 个字。"
    if not all(c.isalpha() or c == "·" for c in value) or value.strip("·") != value:
        return "姓名只能有文字和间隔号“·”。"
    return None


def school_code(value: str) -> str | None:
    if not re.fullmatch(r"[0-9]{10}", value):
        return "学校标识码为 10 位数字。"
    return None


def age(value: str) -> str | None:
    if not (re.fullmatch(r"[0-9]{1,3}", value) and 0 < int(value) < 120):
        return "年龄应为 1 至 119 的整数。"
    return None


def not_in_future(value: str) -> str | None:
    """``value``: an ISO date, not before 1900 either."""
    if dt.date.fromisoformat(value) < EARLIEST:
        return "日期超出范围，请核对年份。"
    if dt.date.fromisoformat(value) > dt.date.today():
        return "日期不能晚于今天。"
    return None


def day(raw: str, check: Callable[[str], str | None]) -> dt.date:
    """A day as a date field sends it.

    :param check: ``not_in_future`` or ``sensible_date``. :raises Complaint: when it is none, or the check complains.
    """
    try:
        found = dt.date.fromisoformat(tidy(raw))
    except ValueError:
        raise Complaint("日期应写作 年-月-日，如 2026-09-01。") from None
    if complaint := check(found.isoformat()):
        raise Complaint(complaint)
    return found


def sensible_date(value: str) -> str | None:
    if not EARLIEST <= dt.date.fromisoformat(value) <= LATEST:
        return "日期超出范围，请核对年份。"
    return None


def web_address(value: str) -> str | None:
    """A link that is shown as text and opened by hand: http or https, no spaces."""
    if not re.fullmatch(r"https?://[^\s<>\"']{4,190}", value):
        return "链接应以 http:// 或 https:// 开头。"
    return None


WITHHELD = ("（仅本校可见）", "（受限）")
"""What stands for a value that its reader may not see at all."""


def mask(value: str) -> str:
    """5399****0120, 139****4467: enough to recognise, not enough to use."""
    if len(value) >= 15:
        return f"{value[:4]}****{value[-4:]}"
    if len(value) >= 7:
        return f"{value[:3]}****{value[-4:]}"
    return "****"


def is_masked(text: str) -> bool:
    """Was this written by ``mask`` (or does it say that the reader may not see it)?"""
    return bool(re.fullmatch(r"(\d{3,4}\*{4}[\dX]{4}|\*{4})", text)) or text in WITHHELD


def at_age(birth: dt.date, years: int) -> dt.date:
    """The day on which this many years are completed; 29 February counts as 1 March in other years."""
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return dt.date(birth.year + years, 3, 1)


def years_before(day: dt.date, years: int) -> dt.date:
    """Who was born after this day has not completed so many years on ``day``: ``at_age`` the other way round."""
    return months_before(day, 12 * years)


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day some months earlier, or that month's last day."""
    index = day.year * 12 + day.month - 1 - months
    first = dt.date(index // 12, index % 12 + 1, 1)
    following = dt.date((index + 1) // 12, (index + 1) % 12 + 1, 1)
    return first + dt.timedelta(days=min(day.day, (following - first).days) - 1)


class Complaint(Exception):
    """Something a person typed cannot be saved; the text says what to do. ``field`` names the form field, if one."""

    def __init__(self, text: str, field: str = ""):
        super().__init__(text)
        self.text, self.field = text, field
