"""Times the export of the register with every field against xlsxwriter alone writing the same cells, in one process.

Ours reads a county's children from the database, passes the row filter, opens sealed numbers and masks them, computes the columns
beside the child, and adds the receipt; xlsxwriter alone gets a thousand finished rows over and over, in constant memory too.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import re

from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import update
from xlsxwriter.workbook import Workbook

from admin_app import models as m
from admin_app.db import db
from admin_app.sheets import writer
from bench import Peak, empty_app, machine, spread, timed
from bench.list_page import fill, log_in

ADDRESS = "/child/export/xlsx/?columns=all&purpose=bench"
KEPT_ROWS = 1000
FILLED = {
    "home_address": "晨光镇和平村3组", "hukou_place": "新平县晨光镇和平村3组", "hukou": m.Hukou.FARM, "boarding": True,
    "boarding_wanted": True, "special_requests": "希望周末能与父母视频", "area": m.Area.VILLAGE, "distance": 4, "travel": m.Travel.WALK,
    "health": m.Health.GOOD, "interests": "开朗，喜欢画画和篮球", "handy_contact": "村小组长 施某", "former_name": "小石头",
    "facts_confirmed_at": dt.date(2026, 9, 3), "remark": "与祖母同住", "request_kinds": ("company",), "income": ("labour",),
}  # fmt: skip
"""What a register that is kept well holds besides."""


def ours(client: FlaskClient) -> bytes:
    answer = client.get(ADDRESS)
    assert answer.status_code == 200, answer.status
    return answer.data


def raw(rows: list[list[object]], times: int) -> int:
    """xlsxwriter alone: the same kinds of cells in the same formats, row by row in constant memory. Returns the size of the file."""
    buffer = io.BytesIO()
    with Workbook(buffer, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        sheet, body = book.add_worksheet(), book.add_format({"font_name": writer.BODY, "font_size": 10})
        day = book.add_format({"font_name": writer.BODY, "font_size": 10, "num_format": "yyyy-mm-dd", "align": "left"})
        number = 0
        for _ in range(times):
            for row in rows:
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        sheet.write_string(number, column, value, body)
                    elif isinstance(value, int):
                        sheet.write_number(number, column, value, body)
                    elif value is not None:
                        sheet.write_datetime(number, column, value, day)
                number += 1
    return len(buffer.getvalue())


def first_rows(content: bytes) -> list[list[object]]:
    sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    return [list(row) for row in sheet.iter_rows(min_row=2, max_row=KEPT_ROWS + 1, values_only=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with empty_app() as app:
        with app.app_context():
            fill(asked.children)
            with db.engine.execution_options(writes=True).begin() as connection:
                connection.execute(update(m.Child.__table__).values(**FILLED))
            db.session.remove()
        client = log_in(app, m.Role.OFFICE)
        ours(client)  # what is set up once
        peak = Peak()
        took, content = timed(lambda: ours(client))
        growth, rows = str(peak), first_rows(content)
        columns = len(rows[0])
        mine, alone = [took], []
        for _ in range(asked.rounds):
            alone.append(timed(lambda: raw(rows, asked.children // KEPT_ROWS))[0])
            mine.append(timed(lambda: ours(client))[0])
    cells = asked.children * columns
    share = min(alone) / min(mine)
    print(f"{machine()}; {asked.children:,} children, {columns} columns, {cells:,} cells, {len(content) / 2**20:.1f} MB")
    print(f"  ours            {spread(mine)}  {cells / min(mine):,.0f} cells/ms")
    print(f"  xlsxwriter only {spread(alone)}  {cells / min(alone):,.0f} cells/ms")
    print(f"  ours reaches {share:.1%} of xlsxwriter alone; {re.sub('peak memory ', 'peak growth ', growth)}")


if __name__ == "__main__":
    main()
