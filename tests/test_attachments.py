"""Files on records: what is taken, how it lies on the disk, who may put, fetch and remove it."""

from __future__ import annotations

import datetime as dt
import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image, ImageOps
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with, writing
from admin_app.orm import Group
from admin_app.records import attachments, uploads
from admin_app.rules import Complaint
from tests.conftest import scope_of

GPS, MAKE = 0x8825, 0x010F


def photo(size=(3000, 2000), kind="JPEG", **more) -> bytes:
    """As a phone writes it: turned by EXIF, with the place, a comment and a maker."""
    exif = Image.Exif()
    exif[MAKE] = "GEHEIMPHONE"
    exif[0x0112] = 6
    exif.get_ifd(GPS)[2] = (24.0, 4.0, 11.5)
    exif.get_ifd(GPS)[1] = "N"
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, exif=exif, comment=b"GEHEIM", **more)
    return out.getvalue()


def package(*names: str, contents: bytes = b"<Types/>", **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", contents)
        for name in names:
            archive.writestr(name, more.get("body", b"<x/>"))
    return out.getvalue()


def pdf(inside: bytes = b"1 0 obj <</Type/Catalog>> endobj") -> bytes:
    return b"%PDF-1.7\n" + inside + b"\ntrailer <</Root 1 0 R>>\n%%EOF\n"


def packed_pdf(objects: bytes) -> bytes:
    body = zlib.compress(objects)
    head = b"5 0 obj <</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n" % len(body)
    return pdf(head + body + b"\nendstream endobj")


def ole(*streams: str) -> bytes:
    entries = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + entries


def png_of(width: int, height: int) -> bytes:
    """A few bytes that claim to be a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"\0" * 100_000)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def papers(app, ids) -> SimpleNamespace:
    with app.app_context(), writing(SYSTEM) as session:
        rows = [
            m.Paper(school_id=school, kind=m.PaperKind.EVIDENCE, title=f"{key}校佐证", on=dt.date(2025, 9, 3))
            for key, school in (("甲", ids.a), ("青", ids.b))
        ]
        session.add_all(rows)
        session.flush()
        return SimpleNamespace(a=rows[0].id, b=rows[1].id)


@pytest.fixture
def folder(base):
    return attachments.folder_of(base.settings.data_dir)


def send(browser, row_id, *files, table="paper", **kwargs):
    sent = [FileStorage(io.BytesIO(content), name, "files") for name, content in files]
    return multipart(browser, "/attachments/add/", {"table": table, "id": str(row_id), "files": sent}, **kwargs)


def multipart(browser, path, data, **kwargs):
    """Encoded here: the client's own temporary file of a large body would be left open."""
    if not browser.token:
        browser.post("/nowhere")
    boundary, body = encode_multipart({"csrf_token": browser.token, **data})
    return browser.client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}", **kwargs)


def kept(app, **where):
    with app.app_context(), session_with(SYSTEM) as session:
        of_the_cast = m.Attachment.table_name == "post"
        found = list(session.scalars(select(m.Attachment).filter_by(**where).where(~of_the_cast).order_by(m.Attachment.id)))
        session.expunge_all()
        return found


# --- what is taken ---


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("方案.pdf", pdf(), "application/pdf"),
        ("方案.PDF", packed_pdf(b"1 0 <</Type/Page>>"), "application/pdf"),
        ("总结.docx", package("word/document.xml"), uploads.MEDIA_TYPES["docx"]),
        ("花名册.xlsx", package("xl/workbook.xml"), uploads.MEDIA_TYPES["xlsx"]),
        ("旧方案.doc", ole("Root Entry", "WordDocument"), "application/msword"),
        ("旧表.xls", ole("Root Entry", "Workbook"), "application/vnd.ms-excel"),
        ("照片.jpg", photo(), "image/jpeg"),
        ("照片.jpeg", photo((20, 10)), "image/jpeg"),
        ("图.png", photo(kind="PNG"), "image/png"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_the_agreed_kinds_are_taken_by_their_content(name, content, media_type):
    assert uploads.check(name, content).media_type == media_type


HIDDEN = b"1 0 <</S/JavaScript/JS(app.alert)>>"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("空.pdf", b"", "文件是空的"),
        ("程序.pdf", b"MZ\x90\0" * 100, "与扩展名不符"),
        ("程序.exe", b"MZ\x90\0", "只收 PDF"),
        ("页.html", b"<script>1</script>", "只收 PDF"),
        ("图.svg", b"<svg onload=alert(1)>", "只收 PDF"),
        ("压缩.zip", package("word/document.xml"), "只收 PDF"),
        ("无名", b"x", "只收 PDF"),
        ("压缩.docx", package("readme.txt"), "与扩展名不符"),
        ("照片.png", photo(), "与扩展名不符"),
        ("表.docx", package("xl/workbook.xml"), "与扩展名不符"),
        ("宏.docm", package("word/document.xml", "word/vbaProject.bin"), "只收 PDF"),
        ("宏.docx", package("word/document.xml", "word/vbaProject.bin"), "含宏"),
        (
            "宏.xlsx",
            package("xl/workbook.xml", "xl/other.bin", contents=b"<x ct='application/vnd.ms-excel.sheet.macroEnabled'/>"),
            "含宏",
        ),
        ("宏.doc", ole("WordDocument", "_VBA_PROJECT"), "含宏"),
        ("密.docx", ole("EncryptedPackage"), "加了密码"),
        ("密.pdf", pdf(b"<</Encrypt 5 0 R>>"), "加了密码"),
        ("幻灯.doc", ole("PowerPoint Document"), "与扩展名不符"),
        ("坏.docx", package("word/document.xml")[:-30], "已损坏"),
        ("脚本.pdf", pdf(b"<</S/JavaScript/JS(x)>>"), "脚本"),
        ("脚本.pdf", pdf(b"<</S/Java#53cript/JS(x)>>"), "脚本"),
        ("启动.pdf", pdf(b"<</S/Launch/F(cmd.exe)>>"), "脚本"),
        ("夹带.pdf", pdf(b"<</EmbeddedFiles 3 0 R>>"), "脚本"),
        ("藏.pdf", packed_pdf(HIDDEN), "脚本"),
        ("藏.pdf", pdf(b"5 0 obj <</Type/ObjStm %stream\n>>\nstream\n" + zlib.compress(HIDDEN)), "脚本"),
        ("藏.pdf", pdf(b"5 0 obj <</Type/ObjStm>>\rstream\r" + zlib.compress(HIDDEN)), "脚本"),
        ("胀.pdf", packed_pdf(b"\0" * 60_000_000), "脚本"),
        ("断.pdf", b"%PDF-1.7\nhalf", "已损坏"),
        ("双.pdf", pdf() + package("word/document.xml"), "夹带了压缩包"),
        ("断.jpg", photo()[:-4000], "已损坏"),
        ("假.jpg", b"\xff\xd8\xff\xe0<html>", "已损坏"),
        ("炸弹.png", png_of(6000, 6000), "像素过大"),
        ("炸弹.png", png_of(11_000, 11_000), "像素过大"),
        ("炸弹.png", png_of(60_000, 60_000), "像素过大"),
        ("大.pdf", b"%PDF-" + bytes(10 * 1024 * 1024), "超过 10 MB"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_anything_else_is_refused_with_a_sentence(name, content, sentence):
    with pytest.raises(Complaint, match=sentence):
        uploads.check(name, content)


def test_an_archive_that_swells_is_refused_unopened():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _ in range(210):
                part.write(bytes(1024 * 1024))
    assert len(out.getvalue()) < 1024 * 1024
    with pytest.raises(Complaint, match="解压后过大"):
        uploads.check("弹.docx", out.getvalue())


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "照片.jpg"), ("PNG", "照片.png")])
def test_a_picture_is_shrunk_upright_and_without_its_place(kind, name):
    before = photo(kind=kind)
    assert b"GEHEIMPHONE" in before
    clean = uploads.check(name, before + b"<html><script>behind</script>").content
    with Image.open(io.BytesIO(clean)) as picture:
        assert (picture.format, picture.size) == (kind, (1067, 1600)), "turned upright, the longest edge 1600"
        assert not picture.getexif() and not {"exif", "comment", "icc_profile"} & set(picture.info)
    assert not any(word in clean for word in (b"GEHEIM", b"Exif", b"script"))


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_turn_of_a_camera_is_set_upright(turn):
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = turn
    before = Image.new("RGB", (40, 20), "white")
    before.paste("black", (0, 0, 20, 10))
    before.save(out, "PNG", exif=exif)
    with Image.open(io.BytesIO(uploads.check("图.png", out.getvalue()).content)) as clean:
        wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(out.getvalue()))).convert("RGB")
        assert clean.size == wanted.size and clean.convert("RGB").tobytes() == wanted.tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_pictures_of_every_mode_are_taken(mode):
    out = io.BytesIO()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (1700, 10)).save(out, kind)
    clean = uploads.check("图.jpg" if mode == "CMYK" else "图.png", out.getvalue()).content
    with Image.open(io.BytesIO(clean)) as picture:
        assert picture.size == (1600, 9)


@pytest.mark.parametrize(
    ("raw", "tidy"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\资料\\方案.pdf", "方案.pdf"),
        ("a\0b\r\nc.pdf", "abc.pdf"),
        ("照片\u202efdp.exe.pdf", "照片fdp.exe.pdf"),
        ('<a">.pdf', "_a__.pdf"),
        ("  方案（定稿） 2026.pdf ", "方案（定稿） 2026.pdf"),
        ("长" * 255 + ".pdf", "长" * 116 + ".pdf"),
        (".pdf", "pdf"),
        ("\ud800坏.pdf", "坏.pdf"),
    ],
)
def test_a_name_is_tidied_and_chinese_is_kept(raw, tidy):
    assert uploads.tidy_name(raw) == tidy


# --- how it lies on the disk ---


def test_a_file_at_rest_is_sealed_private_and_namelessly_stored(app, ids, papers, folder, person):
    content = pdf(b"%GEHEIM " * 50)
    assert send(person("secretary_a"), papers.a, ("甲小雨协议.pdf", content)).status_code == 302
    (row,) = kept(app)
    path = folder / row.stored[:2] / row.stored
    at_rest = path.read_bytes()
    assert b"GEHEIM" not in at_rest and b"%PDF" not in at_rest and len(row.stored) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (row.name, row.size, row.school_id, row.child_id) == ("甲小雨协议.pdf", len(content), ids.a, None)
    path.write_bytes(at_rest[:-1] + b"\0")
    with pytest.raises(Complaint, match="找不到这份附件"):
        attachments.content_of(folder, row)
    other = row.stored[::-1]
    (folder / other[:2]).mkdir(exist_ok=True)
    (folder / other[:2] / other).write_bytes(at_rest)
    row.stored = other
    with pytest.raises(Complaint):
        attachments.content_of(folder, row)  # moved to another name


def test_a_file_without_a_row_is_found(app, papers, folder, system):
    paper = system.get(m.Paper, papers.a)
    row = attachments.keep(system, folder, paper, "一.pdf", pdf())
    path = folder / row.stored[:2] / row.stored
    system.commit()
    system.rollback()
    attachments.keep(system, folder, paper, "二.pdf", pdf(b"2"))
    system.rollback()  # the transaction fails, the file stays
    for each in folder.glob("*/*"):
        os.utime(each, (1, 1))
    found = attachments.orphans(system, folder)
    assert path not in found and len(found) >= 1
    row = system.get(m.Attachment, row.id)
    attachments.remove(system, row, "传错")
    system.commit()
    assert path not in attachments.orphans(system, folder), "what lies in the trash is still known"
    for each in found:
        each.unlink()
    assert attachments.orphans(system, folder) == []


def test_a_failing_disk_saves_nothing(app, papers, person, monkeypatch):
    def full(_path, _content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(attachments, "write", full)
    answer = send(person("secretary_a"), papers.a, ("一.pdf", pdf()), follow_redirects=True)
    assert "磁盘不能写入" in answer.text and kept(app) == []


# --- which records ---


def test_the_files_of_a_notice_are_put_by_the_office_and_read_by_every_school(app, ids, person):
    assert send(person("office"), ids.notice, ("实施方案.pdf", pdf()), table="notice").status_code == 302
    with app.app_context(), session_with(SYSTEM) as session:
        (file,) = session.scalars(select(m.Attachment).where(m.Attachment.table_name == "notice"))
        assert session.get_one(m.School, file.school_id).kind is m.SchoolKind.BUREAU
    for who in ("secretary_a", "secretary_b", "leader"):
        assert "实施方案.pdf" in person(who).get(f"/notice/details/?id={ids.notice}").text
        assert person(who).get(f"/attachments/get/?id={file.id}").data == pdf()
    assert person("admin").get(f"/attachments/get/?id={file.id}").status_code == 403
    for who in ("secretary_a", "leader"):
        assert send(person(who), ids.notice, ("别的.pdf", pdf()), table="notice").status_code == 403
        assert person(who).post("/attachments/remove/", {"id": str(file.id), "reason": "x"}).status_code == 403


def test_letters_and_counselling_never_have_files():
    with pytest.raises(Complaint, match="未成年人保护法"):
        attachments.refuse(m.Letter)
    with pytest.raises(Complaint, match="心理辅导记录不收附件"):
        attachments.refuse(m.Counselling)
    for model in (m.School, m.User, m.Scheme, m.Attachment, m.Sheet):
        with pytest.raises(Complaint):
            attachments.refuse(model)


def test_the_file_of_a_childs_record_follows_the_child(ids, folder, system):
    for row in (system.get(m.Child, ids.child_a), system.get(m.Carer, ids.carer_a)):
        assert attachments.put(system, folder, row, uploads.check("一.pdf", pdf())).child_id == ids.child_a
    talk = system.get(m.CareRecord, ids.care_record_a)
    assert attachments.keep(system, folder, talk, "一.pdf", pdf()).child_id is None


def test_who_may_not_read_a_field_of_a_record_may_not_read_its_files(ids, system):
    talk, carer = system.get(m.CareRecord, ids.care_record_a), system.get(m.Carer, ids.carer_a)
    agreement = m.Agreement(school_id=ids.a, child_id=ids.child_a)
    neglect = m.Category(school_id=ids.a, child_id=ids.child_a, kind=m.CategoryKind.K07)
    poor = m.Category(school_id=ids.a, child_id=ids.child_a, kind=m.CategoryKind.H01)
    rows = {"talk": talk, "carer": carer, "agreement": agreement, "neglect": neglect, "poor": poor}
    read = {
        who: {k for k, row in rows.items() if attachments.readable(scope_of(ids, who), row)}
        for who in ("leader", "office", "secretary_a")
    }
    assert read == {
        "leader": {"carer", "agreement", "poor"},
        "office": {"carer", "agreement", "poor", "neglect"},
        "secretary_a": set(rows),
    }
    assert Group.FAMILY in attachments._groups(agreement)


@pytest.mark.parametrize("table", ["letter", "counselling", "user_account", "school", "state_note", "nothing", "attachment", ""])
def test_a_screen_without_files_takes_none(table, person, ids, app):
    row = ids.state_note_a if table == "state_note" else 1
    assert send(person("secretary_a"), row, ("一.pdf", pdf()), table=table).status_code == 404
    assert kept(app) == []


# --- real requests ---


def test_several_files_are_added_listed_and_fetched(app, papers, person):
    browser = person("secretary_a")
    answer = send(browser, papers.a, ("../../方案（定稿）.pdf", pdf()), ("照片.jpg", photo()))
    assert (answer.status_code, answer.location) == (302, f"/paper/details/?id={papers.a}")
    page = browser.get(answer.location).text
    assert "已上传 2 份附件" in page and "方案（定稿）.pdf" in page and "照片.jpg" in page and "填报员a" in page
    first, second = kept(app)
    got = browser.get(f"/attachments/get/?id={first.id}")
    assert got.data == pdf() and got.mimetype == "application/pdf"
    assert got.headers["Content-Disposition"] == (
        f"attachment; filename=\"{first.id}.pdf\"; filename*=UTF-8''%E6%96%B9%E6%A1%88%EF%BC%88%E5%AE%9A%E7%A8%BF%EF%BC%89.pdf"
    )
    assert got.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert (got.headers["X-Content-Type-Options"], got.headers["Cache-Control"]) == ("nosniff", "no-store")
    with Image.open(io.BytesIO(browser.get(f"/attachments/get/?id={second.id}").data)) as picture:
        assert max(picture.size) == 1600
    with app.app_context(), session_with(SYSTEM) as session:
        notes = session.scalars(select(m.AuditEntry).where(m.AuditEntry.action == "download")).all()
        assert [(n.table_name, n.row_id) for n in notes] == [("attachment", str(first.id)), ("attachment", str(second.id))]


def test_one_bad_file_among_several_keeps_none_and_says_which(app, papers, person):
    answer = send(person("secretary_a"), papers.a, ("好.pdf", pdf()), ("坏<b>.pdf", b"MZ"), follow_redirects=True)
    assert "“坏_b_.pdf”没有上传：文件内容与扩展名不符" in answer.text and kept(app) == []
    assert "请选择要上传的文件" in send(person("secretary_a"), papers.a, follow_redirects=True).text


def test_the_same_form_twice_makes_one_file_and_the_same_name_may_come_again(app, papers, person):
    browser = person("secretary_a")
    for content in (pdf(), pdf(), pdf(b"other")):
        send(browser, papers.a, ("方案.pdf", content))
    assert [row.name for row in kept(app)] == ["方案.pdf", "方案.pdf"]


def test_a_record_has_twelve_files_at_most(app, papers, person):
    browser = person("secretary_a")
    send(browser, papers.a, *((f"{n}.pdf", pdf(b"%d" % n)) for n in range(12)))
    assert len(kept(app)) == 12
    assert "最多 12 份附件" in send(browser, papers.a, ("13.pdf", pdf(b"13")), follow_redirects=True).text
    assert len(kept(app)) == 12


def test_too_large_is_a_sentence_not_a_crash(app, papers, person):
    browser = person("secretary_a")
    answer = send(browser, papers.a, ("大.pdf", b"%PDF-" + bytes(30 * 1024 * 1024)), follow_redirects=True)
    assert answer.status_code == 200 and "超过 10 MB" in answer.text
    assert send(browser, papers.a, ("巨.pdf", bytes(66 * 1024 * 1024))).status_code == 413
    sheet = {"school": "1", "file": FileStorage(io.BytesIO(bytes(13 * 1024 * 1024)), "台账.xlsx", "file")}
    assert multipart(browser, "/imports/", sheet).status_code == 413, "the import's limit is as before"
    assert kept(app) == []


def test_a_removed_file_is_gone_from_the_page_and_comes_back_from_the_trash(app, papers, person):
    browser = person("secretary_a")
    send(browser, papers.a, ("方案.pdf", pdf()))
    (row,) = kept(app)
    assert "请填写删除原因" in browser.post("/attachments/remove/", {"id": row.id}, follow_redirects=True).text
    answer = browser.post("/attachments/remove/", {"id": row.id, "reason": "传错了"})
    assert answer.location == f"/paper/details/?id={papers.a}"
    assert "方案.pdf" not in browser.get(answer.location).text
    assert {person(who).get(f"/attachments/get/?id={row.id}").status_code for who in ("secretary_a", "office")} == {404}


def test_the_file_of_a_trashed_record_is_not_there(app, papers, person):
    browser = person("secretary_a")
    send(browser, papers.a, ("方案.pdf", pdf()))
    (row,) = kept(app)
    assert browser.post("/paper/delete/", {"id": papers.a, "reason": "重复"}).status_code == 302
    assert {person(who).get(f"/attachments/get/?id={row.id}").status_code for who in ("secretary_a", "office", "leader")} == {404}


@pytest.mark.parametrize(
    ("who", "get", "add", "remove"),
    [
        ("admin", 403, 403, 403),
        ("office", 200, 302, 302),
        ("leader", 200, 403, 403),
        ("secretary_a", 200, 302, 302),
        ("secretary_b", 404, 404, 404),
        ("principal_a", 200, 403, 403),
        ("anonymous", 302, 302, 302),
    ],
)
def test_each_person_gets_the_agreed_answer(who, get, add, remove, app, papers, person):
    send(person("secretary_a"), papers.a, ("方案.pdf", pdf()))
    (row,) = kept(app)
    browser = person(who)
    answers = [
        browser.get(f"/attachments/get/?id={row.id}"),
        send(browser, papers.a, ("又.pdf", pdf(b"2"))),
        browser.post("/attachments/remove/", {"id": row.id, "reason": "x"}),
    ]
    assert [a.status_code for a in answers] == [get, add, remove]
    if who == "anonymous":
        assert {a.location for a in answers} == {"/login"}
    assert len(kept(app)) == {"office": 1, "secretary_a": 1}.get(who, 1)
    assert bool(kept(app, name="又.pdf")) is (who in ("office", "secretary_a"))
    assert bool(kept(app, name="方案.pdf")) is (who not in ("office", "secretary_a"))


@pytest.mark.parametrize("junk", ["abc", "-1", "99999999999999999999", "", "1%00"])
def test_a_junk_id_is_an_absent_file(junk, person):
    assert person("secretary_a").get(f"/attachments/get/?id={junk}").status_code == 404
    assert person("secretary_a").post("/attachments/remove/", {"id": junk, "reason": "x"}).status_code == 404
    assert person("secretary_a").get("/attachments/").status_code == 404


def test_a_bad_file_for_a_foreign_record_tells_no_more_than_a_good_one(papers, person):
    assert send(person("secretary_b"), papers.a, ("坏.pdf", b"MZ")).status_code == 404


def test_what_is_filed_takes_no_more_files(app, papers, person):
    with app.app_context(), writing(SYSTEM) as session:
        session.get(m.Paper, papers.a).state = m.PaperState.FILED
    browser = person("secretary_a")
    assert send(browser, papers.a, ("又.pdf", pdf())).status_code == 403
    assert "上传附件" not in browser.get(f"/paper/details/?id={papers.a}").text


def test_the_page_offers_upload_to_who_may_only(papers, person):
    pages = {who: person(who).get(f"/paper/details/?id={papers.a}").text for who in ("office", "leader", "secretary_a")}
    assert {who for who, page in pages.items() if 'type="file"' in page} == {"office", "secretary_a"}
    assert f'accept="{uploads.ACCEPT}"' in pages["office"], "the page and the check name the same kinds"
    assert "还没有附件" in pages["leader"]


def test_a_page_without_files_shows_no_panel(ids, person):
    assert 'id="attachments"' not in person("secretary_a").get(f"/state_note/details/?id={ids.state_note_a}").text


def test_a_forged_upload_is_refused(app, papers, person):
    browser = person("secretary_a")
    browser.token = "forged"
    assert send(browser, papers.a, ("方案.pdf", pdf())).status_code == 400 and kept(app) == []


def test_a_missing_file_is_a_sentence(app, papers, folder, person):
    browser = person("secretary_a")
    send(browser, papers.a, ("方案.pdf", pdf()))
    (row,) = kept(app)
    Path(folder / row.stored[:2] / row.stored).unlink()
    answer = browser.get(f"/attachments/get/?id={row.id}", follow_redirects=True)
    assert answer.status_code == 200 and "请联系管理员从备份恢复" in answer.text
