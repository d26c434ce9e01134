"""Files that are no ledgers, or want to do harm. ``BAD``: name of the file -> (content, words of the sentence, or rows when it is read)."""

from __future__ import annotations

import io
import random
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import xlsxwriter
import xlwt
from PIL import Image

Told = tuple[bytes, str | int]
HEAD = b'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
SHEET = "xl/worksheets/sheet1.xml"


def written(fill: Callable[[Any], None], sheets: int = 1) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        for number in range(sheets):
            fill(book.add_worksheet(f"表{number + 1}"))
    return buffer.getvalue()


def _line(sheet: Any) -> None:
    sheet.write_row(0, 0, ["姓名", "性别", "年级"])


PLAIN = written(_line)


def with_part(name: str, part: bytes, content: bytes = PLAIN) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for each in {*old.namelist(), name}:
            new.writestr(each, part if each == name else old.read(each))
    return buffer.getvalue()


def with_sheet(data: bytes) -> bytes:
    return with_part(SHEET, HEAD + data + TAIL)


def old(*cells: tuple[int, int]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("台账")
    for row, column in ((0, 0), *cells):
        sheet.write(row, column, "姓名")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((60, 60), 90).save(buffer, "PNG")
    return buffer.getvalue()


def _zip(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def _renamed_stream(name: str) -> bytes:
    """An OLE file whose stream has another name: an encrypted .xlsx is one with EncryptedPackage in it."""
    before = "Workbook".encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 18)
    return old().replace(before, name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(name) + 2))


def _with_password() -> bytes:
    """The record after the first is FILEPASS."""
    content = bytearray(old())
    (size,) = struct.unpack_from("<H", content, 514)
    struct.pack_into("<H", content, 516 + size, 0x002F)
    return bytes(content)


def _overlapping(times: int) -> bytes:
    """One packed member of 5 MB, named again and again in the directory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/a0000.xml", b" " * (5 << 20))
        archive.writestr("xl/workbook.xml", b"<workbook/>")
    content = buffer.getvalue()
    at, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    first = content[at : content.index(b"PK\x01\x02", at + 4)]
    again = b"".join(first.replace(b"a0000", b"a%04d" % n) for n in range(1, times))
    last = bytearray(content[end:])
    struct.pack_into("<HHI", last, 8, times + 1, times + 1, end - at + len(again))
    return content[:end] + again + bytes(last)


def _behind_ole(content: bytes) -> bytes:
    """An archive behind the beginning of an .xls: what takes it for the one hands it to the reader of the other."""
    return old()[:512] + bytes(4096) + content


def _open_document(repeated: bytes) -> bytes:
    """A spreadsheet of another kind, which says in a few bytes how often its cells are repeated."""
    space = 'xmlns:%s="urn:oasis:names:tc:opendocument:xmlns:%s:1.0"'
    spaces = " ".join(space % (each, each) for each in ("office", "table", "text")).encode()
    body = b"<office:body><office:spreadsheet><table:table>%s</table:table></office:spreadsheet></office:body>" % repeated
    return _zip(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": b'<?xml version="1.0"?><office:document-content ' + spaces + b">" + body + b"</office:document-content>",
            "META-INF/manifest.xml": b"<manifest/>",
            "xl/workbook.xml": b"<nothing/>",
        }
    )


LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY l0 "ha">' + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12)) + b"]>"
)
STRING = b'<?xml version="1.0"?>%s<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
CORNER = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c %s><v>1</v></c></row>'
FAR, MUCH, PASSWORD, BROKEN, FORMAT = "行还有内容", "很远处还有内容", "取消密码", "打不开", "不是 Excel 或 WPS 表格"

BAD: dict[str, Told] = {
    "empty.xlsx": (b"", "文件是空的"),
    "picture.xlsx": (_png(), FORMAT),
    "paper.xlsx": (b"%PDF-1.7\n" + bytes(500), FORMAT),
    "letter.xlsx": (_zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}), FORMAT),
    "binary.xlsx": (_zip({"xl/workbook.bin": b"\x83\x01"}), FORMAT),
    "nested.xlsx": (_zip({"a.zip": _zip({"b.zip": _zip({"c": bytes(1 << 20)})})}), FORMAT),
    "web.xls": ("<html><meta charset=gbk><table><tr><td>姓名</td></tr></table></html>".encode("gbk"), "网页格式"),
    "web with blanks.xls": (b"\xef\xbb\xbf\r\n <!DOCTYPE html><table></table>", "网页格式"),
    "xml 2003.xls": (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "网页格式"),
    "locked.xlsx": (_renamed_stream("EncryptedPackage"), PASSWORD),
    "locked.xls": (_with_password(), PASSWORD),
    "letter.xls": (_renamed_stream("WordDocument"), BROKEN),
    **{f"cut {part}.xlsx": (PLAIN[: len(PLAIN) * part // 100], BROKEN) for part in (2, 30, 60, 90, 99)},
    **{f"cut {part}.xls": (old()[: len(old()) * part // 100], BROKEN) for part in (5, 20)},
    "overlapping.xlsx": (_overlapping(1000), "展开后过大"),
    "laughs.xlsx": (with_part("xl/sharedStrings.xml", STRING % (LAUGHS, b"&l11;")), BROKEN),
    "laughs in sheet.xlsx": (with_part(SHEET, HEAD.replace(b"<worksheet", LAUGHS + b"<worksheet") + b'<row r="1"><c r="A1" t="str"><v>&l11;</v></c></row>' + TAIL), BROKEN),
    "file of the server.xlsx": (with_part("xl/sharedStrings.xml", STRING % (b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>', b"&f;")), BROKEN),
    "far.xlsx": (with_sheet(CORNER % b'r="XFD1048576"'), FAR),
    "far with other quotes.xlsx": (with_sheet(CORNER % b"r = 'XFD1048576'"), FAR),
    "far behind a sign.xlsx": (with_sheet(CORNER % b'x=">" r="XFD1048576"'), BROKEN),
    "far behind another sign.xlsx": (with_sheet(CORNER % b'x="<" r="XFD1048576"'), BROKEN),
    "far behind noughts.xlsx": (with_sheet(CORNER % b'r="XFD00000000001048576"'), FAR),
    "beyond all numbers.xlsx": (with_sheet(CORNER % b'r="XFD%s"' % (b"9" * 5000)), FAR),
    "quotes.xlsx": (with_sheet(b"<c " + b"""'<c "' "<c '" """ * 60_000 + b">"), BROKEN),
    "words.xlsx": (with_part("xl/workbook.xml", b"<workbook><sheets><sheet " + b"a" * 1_500_000 + b"/></sheets></workbook>"), BROKEN),
    "far in small letters.xlsx": (with_sheet(CORNER % b'r="xfd1048576"'), FAR),
    "far without address.xlsx": (with_sheet(CORNER % b""), FAR),
    "far with a prefix.xlsx": (with_part(SHEET, re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", HEAD + CORNER % b'r="XFD1048576"' + TAIL).replace(b"xmlns=", b"xmlns:x=")), FAR),
    "wide.xlsx": (with_sheet(b'<row r="1"><c r="A1"><v>1</v></c></row><row r="49999"><c r="XFD49999"><v>1</v></c></row>'), MUCH),
    "many corners.xlsx": (written(lambda sheet: (sheet.write(0, 0, "姓名"), sheet.write(40_000, 10, "x")), sheets=6), MUCH),
    "endless tag.xlsx": (with_sheet(b"<row " + random.Random(1).randbytes(1 << 20).hex().encode() + b">"), BROKEN),
    "far.xls": (old((65_535, 255)), FAR),
    "archive behind another.xls": (_behind_ole(with_sheet(CORNER % b'r="XFD1048576"')), "嵌有别的文件"),
    "document.xlsx": (_open_document(b'<table:table-row table:number-rows-repeated="49000"><table:table-cell table:number-columns-repeated="1000"><text:p>1</text:p></table:table-cell></table:table-row>'), FORMAT),
    "wide.xls": (old((49_999, 255)), MUCH),
    "many columns.xlsx": (written(lambda sheet: sheet.write_row(0, 0, ["姓名"] * 230)), 1),
    "long cell.xlsx": (written(lambda sheet: sheet.write(0, 0, "长" * 32_767)), 1),
    "styled.xlsx": (with_sheet(b'<row r="1"><c r="A1"><v>1</v></c></row>' + b"".join(b'<row r="%d" s="0"><c r="XFD%d" s="0"/></row>' % (n, n) for n in range(60_000, 61_000))), 1),
    "one line.csv": (b"a," * (4 << 20), 1),
    "one cell.csv": (b'"' + b"a" * (4 << 20) + b'"', "CSV 文件的格式不对"),
    "empty lines.csv": (b"\n" * (8 << 20), "超过 50000 行"),
    "nuls.csv": (b"\0" * (4 << 20), "没有内容"),
    "utf-16.csv": ("姓名\t性别\r\n甲\t男\r\n".encode("utf-16"), 2),
}  # fmt: skip


# --- large: each takes seconds


def styled_rows() -> Told:
    """A million rows with a style and nothing in them below one child, as a column formatted to the end."""
    return with_sheet(
        b'<row r="1"><c r="A1"><v>1</v></c></row>'
        + b"".join(b'<row r="%d" s="1" customFormat="1"/>' % n for n in range(2, 1_048_577))
    ), 1


def styled_cells() -> Told:
    rows = b"".join(b'<row r="%d"><c r="A%d" s="1"/><c r="B%d" s="1"/></row>' % (n, n, n) for n in range(2, 1_048_577))
    return with_sheet(b'<row r="1"><c r="A1"><v>1</v></c></row>' + rows), 1


def five_hundred_sheets() -> Told:
    return written(_line, sheets=500), 1


def many_rows() -> Told:
    return written(lambda sheet: [sheet.write_row(row, 0, ["甲小雨", "男"]) for row in range(50_001)]), "第 50001 行"


def full() -> Told:
    """As many cells as are allowed, each with a text of its own."""
    return written(
        lambda sheet: [sheet.write_row(row, 0, [f"{row}-{column}" for column in range(30)]) for row in range(20_000)]
    ), 20_000


def one_text() -> Told:
    text = b"a" * (110 << 20)
    return with_sheet(b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + text + b"</t></is></c></row>"), "展开后过大"


def texts() -> Told:
    """The most text that is let through: random, so that it packs badly."""
    chance = random.Random(1)
    cell = b'<c t="inlineStr"><is><t>%s</t></is></c>'
    rows = (b"<row>" + b"".join(cell % chance.randbytes(150).hex().encode() for _ in range(30)) + b"</row>" for _ in range(1500))
    return with_sheet(b"".join(rows)), 1500


def errors() -> Told:
    rows = (
        b'<row r="%d">' % n + b"".join(b'<c r="%s%d" t="e"><v>#N/A</v></c>' % (c, n) for c in (b"A", b"M", b"AN")) + b"</row>"
        for n in range(1, 16_001)
    )
    return with_sheet(b"".join(rows)), 16_000


def rectangle() -> Told:
    """One cell in each of two corners: the largest rectangle that is let through."""
    return with_sheet(b'<row r="1"><c r="A1"><v>1</v></c></row><row r="50000"><c r="AN50000"><v>1</v></c></row>'), 50_000


def old_rectangle() -> Told:
    return old((49_999, 39)), 50_000


def commas_csv() -> Told:
    return (b"," * 199 + b"a\n") * 50_000, 50_000


def lines_csv() -> Told:
    return b"\n" * (9 << 20), "超过 50000 行"


LARGE = (
    commas_csv,
    lines_csv,
    styled_rows,
    styled_cells,
    five_hundred_sheets,
    many_rows,
    full,
    one_text,
    texts,
    errors,
    rectangle,
    old_rectangle,
)
