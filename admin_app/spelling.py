"""How Chinese names are put in order and found: pinyin keys to sort by, spelt texts to search in. Pure; pinyin by pypinyin."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # read at import: names are no phrases, and these take 40 MB

import pypinyin

pypinyin.load_single_dict({ord("晟"): "shèng,chéng"})  # in given names; the library has the surname first

_SURNAMES = dict(
    entry.split(":")
    for entry in """
    曾:zeng1 单:shan4 仇:qiu2 解:xie4 乐:yue4/le4 区:ou1 查:zha1 朴:piao2 任:ren2 盖:ge3/gai4 缪:miao4 覃:qin2/tan2
    翟:zhai2/di2 员:yun4 贠:yun4 洗:xian3 华:hua4 燕:yan1 谌:chen2/shen4 么:yao1 黑:he4/hei1 折:she2 繁:po2 秘:bi4 召:shao4
    能:nai4 那:na1 哈:ha3 都:du1 薄:bo2 重:chong2 种:chong2 费:fei4/bi4 过:guo1 纪:ji3 粘:nian2 肖:xiao1 祭:zhai4 占:zhan1
    要:yao1 佴:nai4 撒:sa3 干:gan1 卜:bu3 句:gou1 郇:xun2/huan2 乜:nie4 於:yu1 少:shao4 葛:ge3 阚:kan4 炅:gui4 角:jue2
    晟:cheng2 尉迟:yu4-chi2 万俟:mo4-qi2 澹台:tan2-tai2 令狐:ling2-hu2 夹谷:jia2-gu3 子车:zi3-ju1 乐正:yue4-zheng4
    宰父:zai3-fu3 中行:zhong1-hang2
    """.split()
)
"""The surnames whose first reading in the library is another word's; / between two that families use.

Readings: 《现代汉语词典》第7版, the senses marked 姓; 黑 and the compounds after 《中国姓氏大辞典》.
"""
_COMPOUND = frozenset(
    """
    欧阳 司马 上官 诸葛 东方 皇甫 公孙 慕容 司徒 司空 夏侯 长孙 宇文 轩辕 端木 南宫 呼延 赫连 钟离 濮阳 淳于 太叔 申屠 闻人 公羊 公冶
    宗政 仲孙 鲜于 闾丘 亓官 司寇 颛孙 巫马 公西 漆雕 壤驷 公良 拓跋 榖梁 谷梁 段干 百里 东郭 南门 羊舌 梁丘 左丘 东门 西门 第五 微生
    纳兰 完颜 耶律 独孤 贺兰 哥舒
    """.split()
) | {surname for surname in _SURNAMES if len(surname) == 2}

READINGS = 3
"""Of a character as many readings are searched for; the library's further ones are of old books."""
WAYS = 48
"""A name is spelt in at most this many ways, divided by its length: 16 for three characters."""
STARTS = 12
"""A search may begin at this many syllables of a name: an index entry of PostgreSQL holds 2,700 bytes, and names 30 letters."""
_NUMBER = re.compile("[0-9]+|[〇零一二三四五六七八九十百]+")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0}


@lru_cache(50_000)  # names repeat, and the lists behind a score are sorted by the thousand
def order(name: str) -> str:
    """The key a name is sorted by: character by character pinyin, tone, the character itself (曾琪 -> zeng1曾qi2琪).

    The tone's digit sorts before every letter, so li stands before lian; ü follows u (lu4, lü3, luan4).
    """
    _length, letters, spelt = _spelt(name)
    return "".join(_key(readings[0]) + letter for letter, readings in zip(letters, spelt, strict=True))


def sound(name: str) -> str:
    """The text a name is found in: each spelling begins after a blank (曾琪 -> " cengqi cq qi zengqi zq").

    For every reading: the whole, from each syllable to the end, the initials of these, and surname with initials. ``heard``
    says how typed letters stand in it.
    """
    length, _letters, spelt = _spelt(name)
    words: set[str] = set()
    for way in _ways(spelt):
        initials = "".join(syllable[:1] for syllable in way)
        words.add("".join(way[:length]) + initials[length:])
        for at in range(len(way))[:STARTS]:
            words |= {"".join(way[at:]), initials[at:]}
    ordered = [*sorted(words), ""]
    # one that another begins with is found in it
    return "".join(f" {word}" for word, after in pairwise(ordered) if not after.startswith(word))


def heard(typed: str) -> str:
    """Typed letters as they stand in a sound: ZENG, zēng -> zeng, Xi'an -> xian, lü -> lu; "" for what is not pinyin."""
    parts = unicodedata.normalize("NFKD", typed.lower())
    plain = "".join(c for c in parts if not unicodedata.combining(c) and c not in "'’")
    return plain if plain.isascii() and plain.isalpha() else ""


def natural(text: str) -> str:
    """The key of a text with numbers, Chinese or Arabic: 2班 before 十班 before 蓝天班; brackets and blanks do not count."""
    found, at = [], 0
    text = unicodedata.normalize("NFKC", text)
    for match in _NUMBER.finditer(text):
        found += [order(text[at : match.start()]), f"{_value(match[0]):04}"]
        at = match.end()
    return "".join([*found, order(text[at:])])


def class_order(position: int, class_name: str, grade_words: Sequence[str]) -> str:
    """The key of a class: the grade's position, then the class.

    :param grade_words: how the grade is written; before a number it is left out, so that 三(2)班, 三年级二班 and 2班 are one.
    """
    plain = "".join(unicodedata.normalize("NFKC", class_name).split())
    for word in sorted(grade_words, key=len, reverse=True):
        if plain.startswith(word) and _NUMBER.search(plain, len(word)):
            plain = plain[len(word) :]
            break
    return f"{position:02}{natural(plain)}"


def _spelt(name: str) -> tuple[int, str, list[tuple[str, ...]]]:
    """How many letters are the surname, the letters, and of each its readings, the likeliest first."""
    letters = "".join(c for c in name if c.isalnum())
    length = 0 if "·" in name else 2 if len(letters) > 2 and letters[:2] in _COMPOUND else 1
    surname = _SURNAMES.get(letters[:length])
    as_surname = [tuple(each.split("/")) for each in surname.split("-")] if surname else []
    spelt = [_readings(letter) for letter in letters]
    return length, letters, [(*first, *rest) for first, rest in zip(as_surname, spelt, strict=False)] + spelt[len(as_surname) :]


@cache
def _readings(letter: str) -> tuple[str, ...]:
    """zeng1, lv3 ...: of a letter that has no pinyin the letter. A toneless reading (子 zi) is never the first of several."""
    found = pypinyin.pinyin(letter, pypinyin.Style.TONE3, heteronym=True, errors="ignore", neutral_tone_with_five=True)
    readings = found[0] if found else [letter.lower()]
    return tuple(sorted(readings, key=lambda reading: reading.endswith("5")))


def _key(reading: str) -> str:
    """lv3 -> lu8: the tones of ü follow those of u."""
    if "v" in reading and reading[-1].isdigit():
        return f"{reading[:-1].replace('v', 'u')}{min(int(reading[-1]) + 5, 9)}"
    return reading


def _ways(spelt: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The syllables of a name, without tones, in every likely way: the first letters' readings are kept longest."""
    ways: list[tuple[str, ...]] = [()]
    most = max(WAYS // max(len(spelt), 1), 1)
    for readings in spelt:
        plain = list(dict.fromkeys(reading.rstrip("12345") for reading in readings))[:READINGS]
        plain += [syllable.replace("v", "u") for syllable in plain if "v" in syllable]
        ways = [(*way, syllable) for syllable in plain for way in ways][:most]
    return ways


def _value(number: str) -> int:
    """12, 十二, 二十, 一百零三, 一二 -> 12, 12, 20, 103, 12."""
    if number.isdigit() and number.isascii():
        return int(number)
    if not set(number) & set("十百"):
        return int("".join(str(_DIGITS[c]) for c in number))
    value = digit = 0
    for c in number:
        if c in "十百":
            value, digit = value + (digit or 1) * (10 if c == "十" else 100), 0
        else:
            digit = _DIGITS[c]
    return value + digit
