"""Times the import of a ledger of one school: reading and checking it (the preview), writing it, and the preview once it is written."""

from __future__ import annotations

import argparse
import datetime as dt
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from admin_app import rules, serving
from admin_app.access import SYSTEM, known_elsewhere, scope_in
from admin_app.db import session_with, writing
from admin_app.models import School
from admin_app.records import entering, importing
from admin_app.sheets.writer import open_book
from bench import Peak, empty_app, machine, timed
from tests import factories as make

HEADERS = [
    "姓名", "性别", "民族", "出生年月", "身份证号", "年级", "班级", "户籍地", "现住址", "是否寄宿", "父亲姓名", "父亲务工地", "父亲电话",
    "母亲姓名", "母亲务工地", "母亲电话", "监护人姓名", "与儿童关系", "监护人年龄", "监护人电话", "包保责任人", "备注",
]  # fmt: skip
SURNAMES, GIVEN = "普刀白李杨罗方施马龙陶矣沐者", "文欣子瑶梦春雨晓慧国建明海云"
GRADES = ["一年级", "二年级", "三年级", "四年级", "五年级", "六年级"]
FIRST = dt.date(2014, 9, 1)
START = dt.date(2025, 9, 1)


def children(count: int) -> Iterator[list[Any]]:
    """Invented rows, each another child, in the text a school would type."""
    for n in range(count):
        born = FIRST + dt.timedelta(days=n % 2000)
        first = f"539999{born:%Y%m%d}{100 + n // 2000:03d}"
        number = first + rules.check_digit(first)
        surname, given = SURNAMES[n % 14], GIVEN[n // 14 % 14] + GIVEN[n // 196 % 14]
        phone = f"199{n % 10**8:08d}"
        yield [
            surname + given, "男" if rules.is_male(number) else "女", "彝", born.isoformat(), number, GRADES[n % 6], f"{n % 4 + 1}班",
            "曼竜村", f"曼竜村{n % 12 + 1}组", "是" if n % 3 else "否", surname + "大" + given[0], "广东东莞", phone, "白" + given, "在家", phone,
            "普" + given, "祖母", 60 + n % 20, phone, f"{SURNAMES[n % 14]}老师傅", "",
        ]  # fmt: skip


def workbook(count: int) -> bytes:
    buffer = io.BytesIO()
    with open_book(buffer, streaming=True) as book:
        sheet = book.add_worksheet("台账")
        for number, row in enumerate([HEADERS, *children(count)]):
            for column, value in enumerate(row):
                sheet.write(number, column, value)
    return buffer.getvalue()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=20_000)
    count = asked.parse_args().rows
    content = workbook(count)
    with empty_app() as app, app.app_context():
        with writing(SYSTEM) as session:
            school = make.school(session, "2153990001", "晨光小学").id
        print(f"{machine()}; {count} rows, {len(content) / 1024:.0f} KB")
        serving.calm_collector()  # as the server does once it has started
        peak = Peak()

        def preview(session: Any) -> importing.Plan:
            entries = importing.read_ledger(content, "台账.xlsx")
            return importing.check_rows(
                session, partial(known_elsewhere, session_with, scope_in(session)), entries, session.get(School, school), START
            )

        with session_with(SYSTEM, writes=True) as session:
            took, plan = timed(lambda: preview(session))
            print(f"preview  {took / 1000:6.1f} s  {plan.counts}  {peak}")
            took, written = timed(lambda: (entering.save(session, plan, "台账.xlsx"), session.commit()))
            print(f"save     {took / 1000:6.1f} s  {written[0]} children  {peak}")
        del plan
        peak = Peak()
        with session_with(SYSTEM) as session:
            took, plan = timed(lambda: preview(session))
            print(f"again    {took / 1000:6.1f} s  {plan.counts}  {peak}")


if __name__ == "__main__":
    main()
