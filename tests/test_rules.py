"""One value at a time: what is accepted, what is tidied, what is shown."""

from __future__ import annotations

import calendar
import datetime as dt

import pytest
from hypothesis import assume, example, given, settings, strategies as st

from admin_app import rules

calm = settings(max_examples=50, deadline=None)

STANDARDS_EXAMPLE = "11010519491231002X"
DIGITS = "0123456789"


def with_check_digit(first: str) -> str:
    return first + rules.check_digit(first)


births = st.dates(rules.EARLIEST, dt.date(2025, 12, 31))
id_numbers = st.builds(lambda born, order: with_check_digit(f"539999{born:%Y%m%d}{order:03}"), births, st.integers(0, 999))


# --- ID numbers (GB 11643)


def test_the_example_printed_in_the_standard_is_valid():
    assert rules.check_digit(STANDARDS_EXAMPLE[:17]) == "X"
    assert rules.id_number(STANDARDS_EXAMPLE) is None
    assert rules.birth_of(STANDARDS_EXAMPLE) == dt.date(1949, 12, 31)
    assert not rules.is_male(STANDARDS_EXAMPLE)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 11010519491231002X ",
        "'11010519491231002X",
        "’11010519491231002X",
        "110105 19491231 002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105\u300019491231\u3000002X",
        "11010519491231002X\n",
    ],
)
def test_an_id_number_is_read_however_it_was_typed(typed):
    assert rules.tidy_number(typed) == STANDARDS_EXAMPLE
    assert rules.id_number(typed) is None


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("", "18 位"),
        ("110105491231002", "18 位"),
        ("1101051949123100", "18 位"),
        ("11010519491231002XX", "18 位"),
        ("X1010519491231002X", "18 位"),
        ("11010519491231002Y", "18 位"),
        ("无", "18 位"),
        ("110105194912310021", "校验位"),
        ("110105194902300025", "出生日期不存在"),
        ("110105194913310021", "出生日期不存在"),
        ("110105209912310021", "出生日期不存在"),
        ("110105189912310021", "出生日期不存在"),
        ("5.39999201510034E+17", "科学计数法"),
        ("539999201510034000.0", "科学计数法"),
    ],
)
def test_a_wrong_id_number_gets_a_complaint_that_says_why(typed, complaint):
    assert complaint in rules.id_number(typed)


@calm
@given(id_numbers)
def test_a_number_made_by_the_standard_is_accepted_and_tells_birth_and_sex(number):
    assert rules.id_number(number) is None
    assert rules.birth_of(number).strftime("%Y%m%d") == number[6:14]
    assert rules.is_male(number) == (number[16] in "13579")


@calm
@given(id_numbers, st.integers(0, 16), st.sampled_from(DIGITS))
def test_one_mistyped_digit_is_always_noticed(number, place, digit):
    assume(number[place] != digit)
    assert rules.id_number(number[:place] + digit + number[place + 1 :]) is not None


@calm
@given(id_numbers, st.integers(0, 15))
def test_two_neighbouring_digits_exchanged_are_always_noticed(number, place):
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert rules.id_number(swapped) is not None


@calm
@given(st.text(max_size=25))
def test_any_text_at_all_is_judged_as_an_id_number_without_an_error(text):
    assert rules.id_number(text) is None or rules.id_number(text).endswith("。")


def test_a_child_born_tomorrow_has_no_valid_number():
    tomorrow = dt.date.today() + dt.timedelta(days=1)
    assert "出生日期" in rules.id_number(with_check_digit(f"539999{tomorrow:%Y%m%d}001"))
    assert rules.id_number(with_check_digit(f"539999{dt.date.today():%Y%m%d}001")) is None


def test_digits_of_another_script_are_no_id_number():
    assert rules.id_number("1101051949123100\u0662X") is not None


@pytest.mark.parametrize("value", ["G11010519491231002X", "g11010519491231002x", "J110105194912310021", "Ｌ11010519491231002X"])
def test_a_roll_number_is_g_j_or_l_and_18_characters(value):
    assert rules.roll_number(value) is None


@pytest.mark.parametrize("value", ["", "11010519491231002X", "A11010519491231002X", "G1101051949123100", "GG1010519491231002X"])
def test_what_is_no_roll_number_is_refused(value):
    assert rules.roll_number(value) == "学籍号为 G、J 或 L 加 18 位。"


# --- phones


@pytest.mark.parametrize(
    "value",
    [
        "13900004467", "19912345678", "139 0000 4467", "139-0000-4467", "１３９００００４４６７", "'13900004467",
        "0877-7012345", "08777012345", "010-12345678", "０８７７－７０１２３４５",
    ],
)  # fmt: skip
def test_mobiles_and_land_lines_with_area_code_are_phones(value):
    assert rules.phone(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "无",
        "12900004467",
        "1390000446",
        "139000044677",
        "7012345",
        "0877-701234",
        "087-123456789",
        "+8613900004467",
        "1.39E+10",
    ],
)
def test_what_cannot_be_dialled_from_the_county_is_no_phone(value):
    assert rules.phone(value) == "手机号应为 11 位，座机请写 区号-号码。"


def test_a_mobile_loses_its_dashes_and_a_land_line_keeps_the_one_after_its_area_code():
    assert rules.tidy_number("139-0000-4467") == "13900004467"
    assert rules.tidy_number("0877-7012345") == "0877-7012345"


@calm
@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.lists(st.integers(1, 10), max_size=3), st.sampled_from(" -"))
def test_a_mobile_is_the_same_however_it_is_grouped(number, places, sign):
    grouped = "".join(d + (sign if i in places else "") for i, d in enumerate(number, 1))
    assert rules.tidy_number(grouped) == number
    assert rules.phone(grouped) is None


# --- names


@pytest.mark.parametrize("dot", "·•・∙‧．")
def test_every_middle_dot_becomes_the_one_dot(dot):
    assert rules.tidy_name(f"艾力{dot}买买提") == "艾力·买买提"
    assert rules.person_name(f"艾力{dot}买买提") is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("施　怡", "施怡"), (" 张 三 丰 ", "张三丰"), ("刀\t云", "刀云"), ("Ｍａｒｙ", "Mary"), ("李\x07云", "李云")],
)
def test_blanks_inside_a_name_go(typed, kept):
    assert rules.tidy_name(typed) == kept


@pytest.mark.parametrize("name", ["张三", "欧阳小雨", "艾力·买买提", "𠮷田", "Mary", "诺" * 30])
def test_a_name_is_2_to_30_letters_and_middle_dots(name):
    assert rules.person_name(name) is None


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("", "2 至 30"), ("张", "2 至 30"), ("诺" * 31, "2 至 30"), ("张 ", "2 至 30"),
        ("张三1", "间隔号"), ("张三（父）", "间隔号"), ("张三/李四", "间隔号"), ("<b>张三</b>", "间隔号"),
    ],
)  # fmt: skip
def test_digits_and_signs_in_a_name_are_a_slip(name, complaint):
    assert complaint in rules.person_name(name)


def test_middle_dots_alone_are_no_name():
    assert rules.person_name("··") is not None


@calm
@given(st.text(max_size=40))
def test_tidying_a_name_twice_changes_nothing_more(text):
    once = rules.tidy_name(text)
    assert rules.tidy_name(once) == once
    assert not any(c.isspace() for c in once)


# --- texts


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("１３９ＡＢｃ", "139ABc"),
        ("　前后空格　", "前后空格"),
        ("和平村　３组", "和平村 3组"),
        ("响铃\x07\x00", "响铃"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("2018级（1）班", "2018级（1）班"),
        ("怕黑，爱画画；要早睡。“真的”吗？《论语》：学而！", "怕黑，爱画画；要早睡。“真的”吗？《论语》：学而！"),
        ("①㎡ﬁ", "①㎡ﬁ"),
        ("", ""),
    ],
)
def test_tidy_makes_letters_and_digits_half_width_and_leaves_chinese_punctuation_alone(typed, kept):
    assert rules.tidy(typed) == kept


@calm
@given(st.text())
def test_tidy_is_stable_and_leaves_no_outer_blank_nor_full_width_digit(text):
    once = rules.tidy(text)
    assert rules.tidy(once) == once == once.strip()
    assert not set(once) & set("０１２３４５６７８９\x00\x07\x7f\u3000")


# --- masks


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("539999201510030120", "5399****0120"),
        ("13900004467", "139****4467"),
        ("0877-7012345", "087****2345"),
        ("1234567", "123****4567"),
        ("123456", "****"),
        ("", "****"),
    ],
)
def test_a_mask_shows_enough_to_recognise(value, shown):
    assert rules.mask(value) == shown


@calm
@given(st.text(alphabet=DIGITS + "X", max_size=19))
def test_a_mask_never_shows_more_than_eight_characters(value):
    shown = rules.mask(value)
    assert "****" in shown
    assert len(shown) <= 12
    assert value not in shown or not value


# --- dates


@pytest.mark.parametrize(
    ("birth", "years", "day"),
    [
        (dt.date(2010, 9, 1), 16, dt.date(2026, 9, 1)),
        (dt.date(2012, 2, 29), 16, dt.date(2028, 2, 29)),
        (dt.date(2012, 2, 29), 14, dt.date(2026, 3, 1)),
        (dt.date(2012, 2, 29), 0, dt.date(2012, 2, 29)),
        (dt.date(2011, 2, 28), 1, dt.date(2012, 2, 28)),
    ],
)
def test_a_child_of_29_february_is_a_year_older_on_1_march_of_other_years(birth, years, day):
    assert rules.at_age(birth, years) == day


@calm
@given(births, st.integers(0, 120))
def test_the_day_before_a_birthday_the_years_are_not_completed(birth, years):
    day = rules.at_age(birth, years)
    assert day.year == birth.year + years
    assert (day.month, day.day) == (birth.month, birth.day) or (birth.month, birth.day, day.month, day.day) == (2, 29, 3, 1)
    assert (day - dt.timedelta(days=1)).timetuple()[:3] < (birth.year + years, birth.month, birth.day)


@calm
@given(births, st.integers(1, 110), st.integers(-400, 400))
@example(dt.date(2014, 3, 1), 14, -1)
@example(dt.date(2012, 6, 30), 14, 0)
def test_who_was_born_after_the_day_some_years_before_has_not_completed_them(birth, years, off):
    day = rules.at_age(birth, years) + dt.timedelta(days=off)
    assert (birth > rules.years_before(day, years)) == (rules.at_age(birth, years) > day)


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (dt.date(2026, 9, 15), 0, dt.date(2026, 9, 15)),
        (dt.date(2026, 9, 15), 6, dt.date(2026, 3, 15)),
        (dt.date(2026, 1, 31), 1, dt.date(2025, 12, 31)),
        (dt.date(2026, 3, 31), 1, dt.date(2026, 2, 28)),
        (dt.date(2024, 3, 31), 1, dt.date(2024, 2, 29)),
        (dt.date(2024, 2, 29), 12, dt.date(2023, 2, 28)),
        (dt.date(2026, 12, 31), 12, dt.date(2025, 12, 31)),
        (dt.date(2026, 12, 31), 13, dt.date(2025, 11, 30)),
    ],
)
def test_some_months_earlier_is_the_same_day_or_that_months_last(day, months, earlier):
    assert rules.months_before(day, months) == earlier


@calm
@given(st.dates(dt.date(1950, 1, 1), dt.date(2090, 12, 31)), st.integers(0, 300))
def test_months_before_counts_whole_months(day, months):
    earlier = rules.months_before(day, months)
    assert (day.year - earlier.year) * 12 + day.month - earlier.month == months
    assert earlier.day == min(day.day, calendar.monthrange(earlier.year, earlier.month)[1])


def test_today_is_not_in_the_future_and_tomorrow_is():
    today = dt.date.today()
    assert rules.not_in_future(today.isoformat()) is None
    assert rules.not_in_future((today + dt.timedelta(days=1)).isoformat()) == "日期不能晚于今天。"


@pytest.mark.parametrize(
    ("day", "good"),
    [("1899-12-31", False), ("1900-01-01", True), ("2026-09-01", True), ("2100-01-01", True), ("2100-01-02", False)],
)
def test_a_sensible_date_lies_between_1900_and_2100(day, good):
    assert (rules.sensible_date(day) is None) == good


# --- small numbers


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("1", True),
        ("58", True),
        ("119", True),
        ("0", False),
        ("120", False),
        ("五十", False),
        ("-3", False),
        ("58.5", False),
        ("", False),
    ],
)
def test_an_age_is_a_whole_number_from_1_to_119(value, good):
    assert (rules.age(value) is None) == good


def test_a_raised_two_is_no_age():
    assert rules.age("²") == "年龄应为 1 至 119 的整数。"


def test_a_number_of_5000_digits_is_no_age():
    assert rules.age("9" * 5000) == "年龄应为 1 至 119 的整数。"


@pytest.mark.parametrize(
    ("value", "good"), [("2153990001", True), ("215399000", False), ("21539900011", False), ("215399000X", False), ("", False)]
)
def test_a_school_code_has_ten_digits(value, good):
    assert (rules.school_code(value) is None) == good


def test_a_school_code_in_full_width_digits_is_refused():
    assert rules.school_code("２１５３９９０００１") is not None


def test_a_complaint_carries_its_text_and_its_field():
    complaint = rules.Complaint("请填写姓名。", "name")
    assert (complaint.text, complaint.field, str(complaint)) == ("请填写姓名。", "name", "请填写姓名。")


# --- numbers, days and links as people type them


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("", None),
        (" 　", None),
        ("１２．５", "12.5"),
        ("-0", "0"),
        ("+3", "3"),
        ("0.123456789", "0.123456789"),
        ("999999", "999999"),
    ],
)
def test_a_number_is_read_however_wide_it_was_typed(typed, number):
    found = rules.plain_number(typed)
    assert (found if found is None else str(found)) == number


@pytest.mark.parametrize("typed", ["1e3", "1234567", "0.1234567890", "1,5", "½", "٣", "nan", "--1", "9" * 5000])
def test_what_is_no_plain_number_is_refused(typed):
    with pytest.raises(ValueError):
        rules.plain_number(typed)


def test_a_day_is_read_and_looked_at():
    assert rules.day("　2024-02-29 ", rules.not_in_future) == dt.date(2024, 2, 29)


@pytest.mark.parametrize(
    ("typed", "look", "words"),
    [
        ("2025-02-29", rules.not_in_future, "日期应写作"),
        ("昨天", rules.sensible_date, "日期应写作"),
        ("", rules.not_in_future, "日期应写作"),
        ("1899-12-31", rules.not_in_future, "日期超出范围"),
        ("9999-01-01", rules.not_in_future, "不能晚于今天"),
        ("2101-01-01", rules.sensible_date, "日期超出范围"),
    ],
)
def test_what_is_no_day_or_one_that_cannot_be_gets_a_sentence(typed, look, words):
    with pytest.raises(rules.Complaint, match=words):
        rules.day(typed, look)


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("https://liushou.example/a?b=1", True),
        ("http://a.cn", True),
        ("ftp://liushou.example", False),
        ("javascript:alert(1)", False),
        ("https://a.cn/ b", False),
        ('https://a.cn/"onclick', False),
        ("https://a", False),
        ("https://" + "a" * 200, False),
        ("看 https://a.cn", False),
    ],
)
def test_a_link_is_http_or_https_and_nothing_else(value, good):
    assert (rules.web_address(value) is None) == good


@pytest.mark.parametrize("value", ["53999920160506901X", "13988884467", "0877-1234567", "123"])
def test_what_was_masked_is_known_as_masked_and_what_was_not_is_not(value):
    assert rules.is_masked(rules.mask(value)) and not rules.is_masked(value)
    assert all(rules.is_masked(words) for words in rules.WITHHELD)
