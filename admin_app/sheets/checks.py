"""Is a file safe to read? Answered before anything parses it: a reader lays out the whole rectangle of a sheet, so that a few
bytes, an archive that unpacks to gigabytes or one stray cell far out, would take all memory. Limits are ours."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

EXCEL_EPOCH, MAC_EPOCH = dt.date(1899, 12, 30), dt.date(1904, 1, 1)
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_BYTES = 10 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_PARTS = 2000
MAX_RATIO = 200
MAX_ROWS = 50_000
MAX_CELLS = 2_000_000
"""In the rectangles of all sheets together; each takes up to 80 bytes while it is read."""
PIECE, LONGEST_TAG, HEAD = 1 << 20, 1 << 16, 1 << 21


class Unreadable(Exception):
    """The file cannot be read as a ledger; the text says why and what to do."""


END_OF_ARCHIVE = b"PK\x05\x06"
OF_OTHERS = frozenset({"mimetype", "content.xml", "xl/workbook.bin"})
"""Parts by which the reader takes an archive for a workbook of another kind (.ods, .xlsb), whose size is not looked at here."""
EMBEDDED = "文件里嵌有别的文件。请只留表格，另存为 .xlsx 后再上传。"
DAMAGED = "文件打不开：可能已损坏或加了密码。请去掉密码，另存为 .xlsx 后再上传。"
LOCKED = "文件加了打开密码。请在 Excel 或 WPS 里取消密码，保存后再上传。"


class Facts(NamedTuple):
    """What a reader of values does not tell."""

    day_zero: dt.date = EXCEL_EPOCH
    """Day 0 of bare numbers: a workbook begun on a Mac may count from 1904."""
    errors: dict[str, list[tuple[int, int]]] = {}
    """Sheet -> (row, column), from 1, of the cells whose formula failed (.xlsx only)."""


def check(content: bytes) -> Facts:
    """Refuse what is no workbook, or not safe to read.

    :raises Unreadable: with what to do.
    """
    if content.startswith(ZIP):
        return _check_archive(content)
    if content.startswith(OLE):
        if END_OF_ARCHIVE in content:  # a reader that cannot make out the one looks for the other
            raise Unreadable(EMBEDDED)
        return _check_old(content)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise Unreadable(
            "这不是 Excel 或 WPS 表格，是网页格式（系统导出的 .xls 常是这样）。请用 Excel 或 WPS 打开，另存为 .xlsx 后再上传。"
        )
    raise Unreadable("这不是 Excel 或 WPS 表格。请另存为 .xlsx 后再上传。")


def _check_archive(content: bytes) -> Facts:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(len(content), 10_000):
                raise Unreadable("文件展开后过大，不像一份台账。请删去多余的工作表和空行，另存后再上传。")
            names = {name.lower().replace("\\", "/") for name in archive.namelist()}
            if "xl/workbook.xml" not in names or names & OF_OTHERS:
                raise Unreadable("文件打不开：不是 Excel 或 WPS 表格。请另存为 .xlsx 后再上传。")
            cells, sheets, errors = 0, _sheet_names(archive), {}
            for part in parts:  # a sheet may lie anywhere in the archive
                rows = columns = 0
                with archive.open(part) as stream:
                    for row, column, failed in _cells_of_xml(stream):
                        rows, columns = max(rows, row), max(columns, column)
                        if failed and len(known := errors.setdefault(sheets.get(part.filename, ""), [])) < MAX_ROWS:
                            known.append((row, column))
                cells = _add(cells, rows, columns)
            mac = re.search(rb"""date1904=["'](1|true)["']""", _head(archive, "xl/workbook.xml"))
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, RuntimeError, EOFError, OSError, zlib.error):
        raise Unreadable(DAMAGED) from None
    return Facts(MAC_EPOCH if mac else EXCEL_EPOCH, errors)


def _add(cells: int, rows: int, columns: int) -> int:
    """:returns: the cells so far with a sheet more."""
    if rows > MAX_ROWS:
        raise Unreadable(f"工作表在第 {rows} 行还有内容，超过 {MAX_ROWS} 行。请删去多余的行，或分成几个文件。")
    if cells + rows * columns > MAX_CELLS:
        raise Unreadable("工作表太大，或右边、下边很远处还有内容。请删去多余的行和列，或分成几个文件。")
    return cells + rows * columns


# --- .xlsx

_TAG = re.compile(rb"<(?:[\w.-]+:)?(c|row)(?=[\s/>])([^<>]*)(.?)", re.DOTALL)
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)0*([0-9]{1,9})["']""")
_ATTRIBUTE = re.compile(rb"""(?<![\w:])(?:\w+:)?(\w+)\s*=\s*["']([^"']*)["']""")
_ERROR = re.compile(rb"""\st\s*=\s*["']e["']""")


def _head(archive: zipfile.ZipFile, name: str) -> bytes:
    """As much of a part as says what sheets there are; behind it may stand megabytes of forgotten names."""
    with archive.open(name) as stream:
        return stream.read(HEAD)


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Part of the archive -> name of the sheet in it."""
    links = "xl/_rels/workbook.xml.rels"
    parts = _tags(b"Relationship", _head(archive, links)) if links in archive.namelist() else []
    paths = {part.get("Id"): part.get("Target", "") for part in parts}
    sheets = [
        (paths.get(sheet.get("id"), ""), sheet.get("name", "")) for sheet in _tags(b"sheet", _head(archive, "xl/workbook.xml"))
    ]
    return {path.lstrip("/") if path.startswith("/") else f"xl/{path}": name for path, name in sheets}


def _tags(name: bytes, xml: bytes) -> list[dict[str, str]]:
    """The attributes of each tag of this name."""
    found = re.findall(rb"<(?:[\w.-]+:)?" + name + rb"\s([^<>]*)>", xml)
    return [{key.decode(): html.unescape(value.decode()) for key, value in _ATTRIBUTE.findall(tag)} for tag in found]


def _cells_of_xml(stream: IO[bytes]) -> Iterator[tuple[int, int, bool]]:
    """(row, column, is it an error) of the cells that hold something. One without a reference stands right of the one before."""
    row = column = 0
    for piece in _pieces(stream):
        for kind, attributes, end in _TAG.findall(piece):
            if end != b">" or attributes.count(b'"') % 2 or attributes.count(b"'") % 2:  # a sign in quotes, to hide what follows
                raise Unreadable(DAMAGED)
            reference = _REFERENCE.search(attributes)
            if kind == b"row":
                row, column = int(reference[2]) if reference else row + 1, 0
                continue
            column = _column(reference[1]) if reference else column + 1
            if not attributes.endswith(b"/"):
                yield int(reference[2]) if reference else row, column, _ERROR.search(attributes) is not None


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """An XML part bit by bit, cut between tags."""
    rest = b""
    while piece := stream.read(PIECE):
        whole, _, rest = (rest + piece).rpartition(b"<")
        yield whole
        if len(rest) > LONGEST_TAG:
            if b">" not in rest:
                raise Unreadable(DAMAGED)
            rest = b""  # a long text: its tag is over
        else:
            rest = b"<" + rest
    yield rest


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:4]:
        number = number * 26 + letter - 64
    return number


# --- .xls: a file system of its own (OLE), in it a stream of records (BIFF)

_CELLS = {0x0006, 0x00BD, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E}
"""Formula, several numbers, text with fonts, text, number, label, truth or error, number."""
_MANY_NUMBERS, _BEGIN, _PASSWORD, _CALENDAR = 0x00BD, 0x0809, 0x002F, 0x0022
_END = 0xFFFFFFFA
"""Sector numbers from here on are no sectors."""


def _check_old(content: bytes) -> Facts:
    try:
        streams = _streams(content)
    except (struct.error, IndexError, ValueError):
        raise Unreadable(DAMAGED) from None
    if "EncryptedPackage" in streams:
        raise Unreadable(LOCKED)
    book = streams.get("Workbook", streams.get("Book", b""))
    at = cells = rows = columns = 0
    day_zero = EXCEL_EPOCH
    while at + 4 <= len(book):
        kind, size = struct.unpack_from("<HH", book, at)
        body = book[at + 4 : at + 4 + size]
        at += 4 + size
        if kind == _PASSWORD:
            raise Unreadable(LOCKED)
        if kind == _BEGIN:  # the next sheet
            cells, rows, columns = _add(cells, rows, columns), 0, 0
        elif kind == _CALENDAR and body[:1] == b"\x01":
            day_zero = MAC_EPOCH
        elif kind in _CELLS and len(body) >= 4:
            row, column = struct.unpack_from("<HH", body)
            column = max(column, struct.unpack("<H", body[-2:])[0] if kind == _MANY_NUMBERS else 0)
            rows, columns = max(rows, row + 1), max(columns, column + 1)
    _add(cells, rows, columns)
    return Facts(day_zero)


def _streams(content: bytes) -> dict[str, bytes]:
    """The files in an OLE file system that say what it is: a workbook, or one that is encrypted."""
    size = 1 << struct.unpack_from("<H", content, 30)[0]
    (first_directory,) = struct.unpack_from("<I", content, 48)
    smallest, first_mini = struct.unpack_from("<II", content, 56)
    (more,) = struct.unpack_from("<I", content, 68)
    tables = list(struct.unpack_from("<109I", content, 76))
    while more < _END and len(tables) < len(content) // 4:
        *further, more = _numbers(content[(more + 1) * size : (more + 2) * size])
        tables += further
    table = [
        number for sector in tables if sector < _END for number in _numbers(content[(sector + 1) * size : (sector + 2) * size])
    ]
    directory = _chain(content[size:], first_directory, table, size)
    entries = {}
    for at in range(0, len(directory) - 127, 128):
        (length,) = struct.unpack_from("<H", directory, at + 64)
        start, long = struct.unpack_from("<II", directory, at + 116)
        entries[directory[at : at + max(0, length - 2)].decode("utf-16-le", "replace")] = (start, long)
    root = _chain(content[size:], entries.get("Root Entry", (_END, 0))[0], table, size)
    minis = _numbers(_chain(content[size:], first_mini, table, size))
    found = {}
    for name in entries.keys() & {"Workbook", "Book", "EncryptedPackage"}:
        start, long = entries[name]
        found[name] = (
            _chain(root, start, minis, 64)[:long] if long < smallest else _chain(content[size:], start, table, size)[:long]
        )
    return found


def _numbers(sectors: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(sectors) // 4}I", sectors[: len(sectors) // 4 * 4])


def _chain(sectors: bytes, first: int, following: Iterable[int], size: int) -> bytes:
    """What lies in a chain of sectors; one that runs in a circle ends where it meets itself."""
    following, at, seen = list(following), first, {}
    while at < len(following) and at not in seen:
        seen[at] = sectors[at * size : (at + 1) * size]
        at = following[at]
    return b"".join(seen.values())
