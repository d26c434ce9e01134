"""Every school's score sheet in one zip."""

from __future__ import annotations

import re
import tempfile
import zipfile
from typing import IO

from .book import Book
from .school import school_sheet


def all_sheets(book: Book) -> IO[bytes]:
    """A temporary file, at its beginning, gone when closed. One sheet is made after the other, so memory does not grow with them.

    The entries bear the time of the export: the same data at the same time give the same bytes.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - who asked for it closes it
    try:
        cards = book.ordered
        width = max(2, len(str(len(cards))))
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # a workbook is packed already
            for place, card in enumerate(cards, 1):
                name = f"{place:0{width}d}-{_clean(card.group)}-{_clean(card.name)}.xlsx"
                entry = zipfile.ZipInfo(name, book.taken_at.timetuple()[:6])
                archive.writestr(entry, school_sheet(book, card.school_id))
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _clean(name: str) -> str:
    """What Windows accepts in a file name."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", name).strip(" .")
