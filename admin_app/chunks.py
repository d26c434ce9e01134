"""An encrypted file of several parts, written and read chunk by chunk: whatever its size, one chunk is held in memory.

Each chunk is ``last?, length, AES-256-GCM``, bound to the head of the file, its part, its number and whether it is the last one,
so that none can be changed, left out, doubled or moved.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from .orm import Keyring
from .rules import Complaint

PARTS = {"database": "数据库", "attachments": "附件", "manifest": "清单"}
CHUNK = 1 << 20
TAG = 16
FRAME = struct.Struct(">BI")


@dataclass(frozen=True)
class Keys:
    """What opens a backup: the register's field key, or a passphrase (then the field key only opens what lies in it)."""

    field_key: bytes | None = None
    passphrase: bytes | None = None

    @property
    def key_id(self) -> str:
        if self.field_key is None:
            return ""
        ring = Keyring()
        ring.unlock(self.field_key)
        return ring.key_id

    def of_file(self, head: dict[str, str]) -> bytes:
        """The key of one file. ``head``: its first lines.

        :raises Complaint: when the key it was made with is not here.
        """
        salt = bytes.fromhex(head["salt"])
        if head["key"] == "passphrase":
            if self.passphrase is None:
                raise Complaint("这份备份是用备份口令加密的，请用 --passphrase-file 指定写着它的文件。")
            return Scrypt(salt, length=32, n=1 << 17, r=8, p=1).derive(self.passphrase)
        if self.field_key is None:
            raise Complaint("没有钥匙，打不开备份。请用 --key-file 指定保管的 field_key 文件。")
        if head["key_id"] != self.key_id:
            raise Complaint(f"钥匙不对，或备份的文件头被改动：备份用的钥匙编号是 {head['key_id']}，现在的是 {self.key_id}。")
        return HKDF(SHA256(), length=32, salt=salt, info=b"register backup").derive(self.field_key)


class Chunks:
    """Seals and opens the chunks of one file, counting them: the key is this file's own, so a number is a good nonce."""

    def __init__(self, key: bytes, head: bytes):
        self._aead, self._head, self.number = AESGCM(key), hashlib.sha256(head).digest(), 0

    def _next(self, part: str, last: int) -> tuple[bytes, bytes]:
        self.number += 1
        nonce = self.number.to_bytes(12, "big")
        return nonce, b"|".join((self._head, part.encode(), nonce, bytes([last])))

    def seal(self, part: str, last: int, plain: bytes) -> bytes:
        nonce, bound = self._next(part, last)
        sealed = self._aead.encrypt(nonce, plain, bound)
        return FRAME.pack(last, len(sealed)) + sealed

    def open(self, part: str, last: int, sealed: bytes) -> bytes:
        nonce, bound = self._next(part, last)
        return self._aead.decrypt(nonce, sealed, bound)


class Part:
    """One part being written."""

    def __init__(self, out: IO[bytes], chunks: Chunks, name: str):
        self._out, self._chunks, self._name, self._held = out, chunks, name, bytearray()
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self._size += len(data)
        self._held += data
        while len(self._held) > CHUNK:
            self._out.write(self._chunks.seal(self._name, 0, bytes(self._held[:CHUNK])))
            del self._held[:CHUNK]
        return len(data)

    def end(self) -> dict[str, Any]:
        """Writes the last chunk; what the manifest says of the part."""
        self._out.write(self._chunks.seal(self._name, 1, bytes(self._held)))
        return {"sha256": self._digest.hexdigest(), "size": self._size}


class Opened:
    """One part being read; ``read`` raises a Complaint that names the part and chunk that are not as they were written."""

    def __init__(self, source: IO[bytes], chunks: Chunks, name: str):
        self._source, self._chunks, self._name = source, chunks, name
        self._held, self._last, self._digest, self._count = memoryview(b""), 0, hashlib.sha256(), 0

    def read(self, size: int = CHUNK) -> bytes:
        while not self._held and not self._last:
            self._held = memoryview(self._chunk())
        taken, self._held = bytes(self._held[:size]), self._held[size:]
        self._digest.update(taken)
        return taken

    def end(self) -> str:
        """The SHA-256 of the whole part."""
        while self.read():
            pass
        return self._digest.hexdigest()

    def _chunk(self) -> bytes:
        at = self._source.tell()
        self._count += 1
        try:
            self._last, length = FRAME.unpack(self._source.read(FRAME.size))
            sealed = self._source.read(min(length, CHUNK + TAG))
            if len(sealed) != length:
                raise ValueError
            return self._chunks.open(self._name, self._last, sealed)
        except (struct.error, ValueError, InvalidTag):
            first = "钥匙或备份口令不对，或文件头、" if self._chunks.number <= 1 else ""
            raise Complaint(
                f"备份打不开：{first}{PARTS[self._name]}第 {self._count} 块（文件第 {at} 字节起）与备份时不同。请换一份备份。"
            ) from None
