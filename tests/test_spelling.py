"""How names are put in order and found: readings, surnames, classes."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from admin_app import spelling
from admin_app.models import Grade, class_order

UNREAD = "兙兡嗧桛烪瓧瓰瓱瓼甅"
"""Signs of Japanese measures, which have no reading and stand in no name."""
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5, exclude_characters=UNREAD), min_size=1, max_size=4)

SURNAMES = [
    ("单晓明", "shan4", "shanxm"), ("曾琪", "zeng1", "zq"), ("仇大海", "qiu2", "qiudahai"), ("解放", "xie4", "xief"),
    ("乐小天", "yue4", "lext"), ("区志强", "ou1", "ouzq"), ("查小雨", "zha1", "zhaxy"), ("朴永春", "piao2", "piaoyongchun"),
    ("任飞", "ren2", "rf"), ("盖小山", "ge3", "gaixs"), ("缪兰", "miao4", "miaolan"), ("覃小凤", "qin2", "tanxf"),
    ("翟军", "zhai2", "dijun"), ("员大力", "yun4", "yundl"), ("洗星", "xian3", "xianx"), ("冼星", "xian3", "xianx"),
    ("华小光", "hua4", "huaxg"), ("燕青", "yan1", "yanqing"), ("宁远", "ning2", "ny"), ("逄春", "pang2", "pangc"),
    ("谌龙", "chen2", "shenl"), ("么红", "yao1", "yaoh"), ("黑小虎", "he4", "heixh"), ("折克", "she2", "shek"),
    ("繁星", "po2", "pox"), ("秘文", "bi4", "biw"), ("召南", "shao4", "shaon"), ("能文", "nai4", "naiw"),
    ("那英子", "na1", "nayz"), ("葛明", "ge3", "gem"), ("肖云", "xiao1", "xiaoy"), ("尉迟小文", "yu4", "yuchixw"),
    ("尉小文", "wei4", "weixw"), ("万俟春", "mo4", "moqichun"), ("万春", "wan4", "wanc"), ("长孙明", "zhang3", "zhangsunm"),
    ("澹台明", "tan2", "tantaim"), ("令狐小冲", "ling2", "linghuxc"), ("欧阳明", "ou1", "oym"), ("皇甫林", "huang2", "huangful"),
    ("吕小绿", "lu8", "lvxl"), ("吕小绿", "lu8", "luxl"),
]  # fmt: skip


def found(name: str, typed: str) -> bool:
    """As the search does it: every word typed begins one in the sound."""
    return all(f" {spelling.heard(word)}" in spelling.sound(name) for word in typed.split())


@pytest.mark.parametrize("name, key, typed", SURNAMES)
def test_a_surname_is_read_as_a_surname(name, key, typed):
    assert spelling.order(name).startswith(key + name[0])
    assert found(name, typed)


@pytest.mark.parametrize("typed", ["zengqi", "ZengQi", "zeng qi", "ZENG", "zq", "zengq", "qi", "zēng", "cengqi", "cq"])
def test_who_types_any_part_of_a_name_finds_it(typed):
    assert found("曾琪", typed)


@pytest.mark.parametrize("typed", ["eng", "qz", "zengqian", "zengx"])
def test_what_begins_no_syllable_finds_nothing(typed):
    assert not found("曾琪", typed)


def test_typed_letters_are_heard_without_tones_case_and_apostrophe():
    assert [spelling.heard(t) for t in ("Xi'an", "LÜ", "lǚ", "lv", "ＺＱ")] == ["xian", "lu", "lu", "lv", "zq"]
    assert [spelling.heard(t) for t in ("曾", "2153990001", "三(2)班", "", "zq1")] == [""] * 5


def test_names_stand_as_in_a_dictionary():
    """By syllable, tone, character: 张 together before 章; lü between lu and luan; a shorter name before a longer one."""
    ordered = [
        "安小文",
        "李安",
        "李安安",
        "连翔",
        "卢玉",
        "吕玉",
        "栾玉",
        "任飞",
        "单晓明",
        "曾琪",
        "翟军",
        "张安",
        "张成",
        "章波",
        "仉玉",
    ]
    assert sorted(set(ordered), key=spelling.order) == ordered


def test_a_name_with_a_middle_dot_has_no_surname_and_is_found_by_each_part():
    name = "阿依古丽·买买提"
    assert spelling.order("解放·买买提").startswith("jie3")
    assert all(found(name, typed) for typed in ("ayigulimaimaiti", "aygl", "gulimaimaiti", "maimaiti", "mmt"))


def test_classes_stand_from_the_youngest_up_and_by_number():
    classes = [
        (Grade.K0, "托班"), (Grade.K1, "小一班"), (Grade.K1, "小二班"), (Grade.K3, "大班"), (Grade.K4, "学前班"),
        (Grade.P1, "一(1)班"), (Grade.P3, "一班"), (Grade.P3, "三（2）班"), (Grade.P3, "三班"), (Grade.P3, "三(10)班"), (Grade.P3, "蓝天班"),
        (Grade.P3, "向日葵班"), (Grade.M1, "七(1)班"), (Grade.M3, "初三(12)班"), (Grade.H1, "高一(1)班"), (Grade.V1, "1班"), (Grade.V1, "十二班"),
    ]  # fmt: skip
    assert sorted(set(classes), key=lambda c: class_order(*c)) == classes


@pytest.mark.parametrize("written", ["三(2)班", "三（2）班", "三年级二班", "三年级(2)班", "２班", "二班", "三 2 班"])
def test_a_class_is_one_however_it_is_written(written):
    assert class_order(Grade.P3, written) == class_order(Grade.P3, "2班")


@given(st.integers(1, 199))
def test_chinese_numerals_count_as_arabic_ones(n):
    digits = "零一二三四五六七八九"
    hundreds, tens, ones = n // 100, n // 10 % 10, n % 10
    written = "一百" * hundreds
    written += (digits[tens] * (tens > 1 or hundreds > 0) + "十") if tens else "零" * (hundreds > 0 and ones > 0)
    written += digits[ones] * (ones > 0)
    assert spelling.natural(f"{written}班") == spelling.natural(f"{n}班")


@given(HAN, HAN)
def test_two_names_never_share_a_key(one, other):
    assert (spelling.order(one) == spelling.order(other)) == (one == other)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=30))
def test_the_longest_name_fits_into_an_index_entry(name):
    assert sum(len(text.encode()) for text in (spelling.order(name), spelling.sound(name), name)) < 2600


@given(HAN)
def test_everybody_is_found_by_the_pinyin_the_name_is_sorted_by(name):
    syllables = "".join(c if c.isascii() else " " for c in spelling.order(name)).split()
    letters = [syllable.rstrip("0123456789") for syllable in syllables]
    assert found(name, "".join(letters)) and found(name, " ".join(letters)) and found(name, "".join(s[0] for s in letters))
