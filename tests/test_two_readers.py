"""Every file that leaves says the same to two readers that know nothing of each other: openpyxl and LibreOffice."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from admin_app.records.reports import definition
from tests import libreoffice

pytestmark = [pytest.mark.slow, libreoffice.NEEDED]
recalculated = libreoffice.recalculated
REPORTS = {key: f"/report/export/?kind={key}&on=2026-06-30" for key in definition.ORDER}


def cells(book) -> dict[tuple[str, str], object]:
    """(sheet, address) -> value, numbers as numbers and days as days, of what says anything."""
    found = {}
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value not in (None, ""):
                    found[sheet.title, cell.coordinate] = plain(cell.value)
    return found


def plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value)).quantize(Decimal("0.0001"))
    return str(value).replace("\r\n", "\n")


def test_what_leaves_reads_the_same_in_two_programs(person, ids, recalculated):
    addresses = REPORTS | {
        "cross": "/report/export/?kind=pivot&rows=township&columns=ethnic&on=2026-06-30",
        "list": "/child/export/xlsx/",
        "all fields": "/child/export/xlsx/?columns=all",
        "ledger": "/child/ledger/?definition=GF13",
        "offline": f"/imports/offline/?school={ids.a}",
        "term": f"/imports/term/?school={ids.a}&term=1",
        "staff": "/staff/export/xlsx/",
        "template": "/imports/template/",
    }
    office = person("office")
    contents = {name: office.get(address).data for name, address in addresses.items()}
    again = recalculated(contents)
    for name, content in contents.items():
        mine, theirs = cells(libreoffice.load(content)), cells(again[name])
        different = {place: (value, theirs.get(place)) for place, value in mine.items() if theirs.get(place) != value}
        assert not different, (name, dict(list(different.items())[:5]))
        assert mine.keys() == theirs.keys(), name
