"""A file under a password: what other programs open, and the passwords it is given."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile

import pytest
import pyzipper

from admin_app import passwords
from admin_app.sheets import packages

PASSWORD = "0716-9420-3385-1127-6604"


def test_it_opens_with_its_password_and_with_no_other():
    content = packages.locked("张三 539999".encode() * 100, "台账.xlsx", PASSWORD)
    with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
        for wrong in (b"", b"0716-9420-3385-1127-6605"):
            with pytest.raises(RuntimeError, match="password"):
                archive.read("台账.xlsx", pwd=wrong or None)
        assert archive.read("台账.xlsx", pwd=PASSWORD.encode()).startswith("张三".encode())
    assert b"539999" not in content


def test_it_is_the_strong_kind_of_encryption_and_one_changed_byte_is_noticed():
    content = packages.locked(bytes(5000), "a.xlsx", PASSWORD)
    (entry,) = zipfile.ZipFile(io.BytesIO(content)).infolist()
    assert entry.flag_bits & 1 and entry.compress_type == 99  # AES, as WinZip and 7-Zip write it
    assert entry.extra[:2] == b"\x01\x99" and entry.extra[8] == 3 and entry.CRC == 0  # 256 bits; AE-2 tells no checksum
    changed = bytearray(content)
    changed[90] ^= 1
    with pytest.raises(Exception, match=r"."), pyzipper.AESZipFile(io.BytesIO(bytes(changed))) as archive:
        archive.read("a.xlsx", pwd=PASSWORD.encode())


def test_every_password_that_is_offered_is_taken():
    offered = {packages.new_password() for _n in range(60)}
    assert len(offered) == 60
    for password in offered:
        passwords.check(password)


@pytest.mark.skipif(not shutil.which("7z"), reason="7z is not installed")
def test_7z_opens_it(tmp_path):
    (tmp_path / "a.zip").write_bytes(packages.locked(b"words", "台账.xlsx", PASSWORD))
    done = subprocess.run(["7z", "t", f"-p{PASSWORD}", "a.zip"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
