"""What an uploaded file really is, by its content: a tidy name, its type and clean bytes, or a sentence of refusal."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image

from ..rules import Complaint

LARGEST = 10 * 1024 * 1024
LONGEST_NAME = 120
MOST_PIXELS = {"JPEG": 50_000_000, "PNG": 25_000_000}
"""Four bytes each and twice in memory; a JPEG is decoded smaller from the start."""
LONGEST_EDGE = 1600
_UNPACKED, _PARTS = 200 * 1024 * 1024, 2000
_INFLATED, _PACKS_AT_MOST = 50 * 1024 * 1024, 5000

_WORD, _SHEET = "application/msword", "application/vnd.ms-excel"
_OOXML = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "docx": _OOXML + "wordprocessingml.document",
    "xlsx": _OOXML + "spreadsheetml.sheet",
    "doc": _WORD,
    "xls": _SHEET,
}
"""What is taken, by extension; anything else is to be made a PDF first."""
ACCEPT = ",".join(f".{extension}" for extension in MEDIA_TYPES)

_DAMAGED = "文件已损坏或不完整，请在电脑上确认能打开后再上传。"
_LOCKED = "文件加了密码，请去掉密码后再上传。"
_MACROS = "文件含宏，不能上传，请另存为不含宏的 .docx 或 .xlsx。"
_ACTIVE = "PDF 中带有脚本、附件或启动程序的动作，不能上传，请用“打印为 PDF”重新生成。"


@dataclass(frozen=True)
class Upload:
    """A file that may be kept: checked, named tidily, pictures shrunk and without metadata."""

    name: str
    media_type: str
    content: bytes


def check(name: str, content: bytes) -> Upload:
    """:raises Complaint: when the file is too large, of another kind than its name says, or carries what may run."""
    name = tidy_name(name)
    if not content:
        raise Complaint("文件是空的，请重新选择。")
    if len(content) > LARGEST:
        raise Complaint("文件超过 10 MB，请压缩或拆分后再上传。")
    wanted = MEDIA_TYPES.get(name.rpartition(".")[2].lower())
    if wanted is None:
        raise Complaint("只收 PDF、JPG、PNG、Word、Excel 文件，其他材料请另存为 PDF 再上传。")
    found = _kind(content)
    if found != wanted:
        raise Complaint("文件内容与扩展名不符，请用原软件另存为正确的格式再上传。")
    if found.startswith("image/"):
        content = _clean_picture(content, found)
    elif found == MEDIA_TYPES["pdf"]:
        _check_pdf(content)
    return Upload(name, found, content)


def tidy_name(raw: str) -> str:
    """The name alone, without folders, control and direction signs or what a disk refuses; Chinese is kept."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", raw)[-1])
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    name = " ".join(re.sub(r'[<>:"|?*]', "_", name).split()).strip(". ")
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return name[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(extension[:10]) - 1].strip() or '附件'}.{extension[:10]}"


def _kind(content: bytes) -> str | None:
    """The media type by magic bytes and structure; the sender's word counts for nothing."""
    if content.startswith(b"\xff\xd8\xff"):
        return MEDIA_TYPES["jpg"]
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return MEDIA_TYPES["png"]
    if content.startswith(b"%PDF-"):
        return MEDIA_TYPES["pdf"]
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _kind_of_ole(content)
    return _kind_of_package(content) if content.startswith(b"PK\x03\x04") else None


def _kind_of_ole(content: bytes) -> str | None:
    """Old Word and Excel: the file's directory names its streams in UTF-16, one every 128 bytes."""

    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in content

    def lists(stream: str) -> bool:
        entry = re.escape((stream + "\0").encode("utf-16-le"))
        return any(found.start() % 128 == 0 for found in re.finditer(entry, content))

    if has("EncryptedPackage"):
        raise Complaint(_LOCKED)
    if has("_VBA_PROJECT") or has("\x01Ole10Native"):
        raise Complaint(_MACROS)
    _refuse_hidden_archive(content)
    return _WORD if lists("WordDocument") else _SHEET if lists("Workbook") or lists("Book") else None


def _kind_of_package(content: bytes) -> str | None:
    """Word and Excel since 2007: an archive with its table of contents, never unpacked as a whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
            if any(part.flag_bits & 1 for part in parts):
                raise Complaint(_LOCKED)
            if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED:
                raise Complaint("文件解压后过大，请检查内容或另存为 PDF 再上传。")
            names = {part.filename.lower() for part in parts}
            if "[content_types].xml" not in names:
                return None
            with package.open("[Content_Types].xml") as contents:
                listed = contents.read(1024 * 1024).replace(b"\0", b"").lower()
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        raise Complaint(_DAMAGED) from None
    running = ("vbaproject", "activex/", "oleobject", ".exe", ".dll", ".vbs", ".bat")
    if any(word in name for name in names for word in running) or b"macroenabled" in listed or b"vbaproject" in listed:
        raise Complaint(_MACROS)
    if any(name.startswith("word/") for name in names):
        return MEDIA_TYPES["docx"]
    return MEDIA_TYPES["xlsx"] if any(name.startswith("xl/") for name in names) else None


def _spelled(word: bytes) -> bytes:
    """A name of a PDF in every spelling: each letter may be written as #xx."""
    return b"/" + b"".join(b"(?:%c|#%02x|#%02X)" % (letter, letter, letter) for letter in word)


_ACTIONS = re.compile(b"|".join(_spelled(word) for word in (b"JavaScript", b"Launch", b"EmbeddedFile", b"RichMedia")))
_ENCRYPTED, _PACKS = re.compile(_spelled(b"Encrypt")), re.compile(_spelled(b"ObjStm"))
_PACKED = re.compile(rb"/ObjStm.{0,2000}?stream\r?\n", re.DOTALL)


def _check_pdf(content: bytes) -> None:
    """A simple scan: names of actions, also written with #xx and inside compressed object streams."""
    _refuse_hidden_archive(content)
    if b"%%EOF" not in content[-2048:]:
        raise Complaint(_DAMAGED)
    if _ENCRYPTED.search(content):
        raise Complaint(_LOCKED)
    packs = len(_PACKS.findall(content))
    packed = [found.end() for found in _PACKED.finditer(content)] if packs <= _PACKS_AT_MOST else []
    if _ACTIONS.search(content) or packs != len(packed):
        raise Complaint(_ACTIVE)
    room = _INFLATED
    for start in packed:
        objects = _inflated(content, start, room)
        room -= len(objects)
        if _ACTIONS.search(objects):
            raise Complaint(_ACTIVE)


def _inflated(content: bytes, start: int, room: int) -> bytes:
    """An object stream, in small bites: what cannot be read, or swells too much, is refused."""
    inflater, objects = zlib.decompressobj(), bytearray()
    try:
        while not inflater.eof and start < len(content):
            objects += inflater.decompress(content[start : start + 16384])
            start += 16384
            if len(objects) > room:
                raise Complaint(_ACTIVE)
    except zlib.error:
        raise Complaint(_ACTIVE) from None
    return bytes(objects)


def _refuse_hidden_archive(content: bytes) -> None:
    """One file that is two: a document with an archive behind it."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        raise Complaint("文件后面夹带了压缩包，不能上传，请重新生成后再上传。")


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what sets the picture upright (as in Pillow's exif_transpose, which would copy it at full size)."""


def _clean_picture(content: bytes, media_type: str) -> bytes:
    """The picture drawn anew: upright, at most 1600 px, nothing left of EXIF, GPS, comments or what hung behind it."""
    kind = "JPEG" if media_type == MEDIA_TYPES["jpg"] else "PNG"
    try:
        with Image.open(io.BytesIO(content), formats=(kind,)) as picture:
            if picture.width * picture.height > MOST_PIXELS[kind]:
                raise Image.DecompressionBombError
            picture.verify()
        with Image.open(io.BytesIO(content), formats=(kind,)) as picture:
            picture.draft(None, (2 * LONGEST_EDGE, 2 * LONGEST_EDGE))  # a JPEG is decoded at half or a quarter already
            turn = picture.getexif().get(ExifTags.Base.Orientation)
            small = picture
            if kind == "JPEG":
                small = picture.convert("L" if picture.mode == "L" else "RGB")
            elif picture.mode not in ("L", "RGB", "RGBA"):
                small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
            small.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
            upright = small.transpose(_TURNS[turn]) if turn in _TURNS else small.copy()
            upright.info.clear()
            clean = io.BytesIO()
            upright.save(clean, kind, **({"quality": 85} if kind == "JPEG" else {"optimize": True}))
            return clean.getvalue()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Complaint("图片像素过大，请用手机或看图软件缩小后再上传。") from None
    except (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, OverflowError):
        raise Complaint(_DAMAGED) from None
