"""Archive and erasure: who is due, what goes, what stays, and that no name is left where a machine can find it."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import quote_plus

import pytest
import pyzipper
from openpyxl import load_workbook
from PIL import Image
from sqlalchemy import func, select

from admin_app import audit, labels, models as m, rules, spelling
from admin_app.access import SYSTEM, Refused
from admin_app.assessment import snapshots
from admin_app.db import session_with, writing
from admin_app.orm import Base, Sealed
from admin_app.records import attachments, compliance, enrolling, erasure, trash
from admin_app.rules import Complaint
from tests import factories as make
from tests.conftest import PASSWORD, scope_of
from tests.databases import ON_POSTGRES, by_hand

TODAY, LEFT, ARCHIVED = dt.date(2026, 11, 2), dt.date(2023, 7, 10), dt.date(2026, 10, 1)
NAME, MARK, PHONE = "甲小雨", "只有她家才有的话", "13900007777"


@contextmanager
def acting(app, ids, name):
    """A session of one of the people, in a context that ends with it, so that requests may follow."""
    with app.app_context(), session_with(scope_of(ids, name) if name else SYSTEM, writes=True) as session:
        yield session


def folder(app):
    return attachments.folder_of(app.config["SETTINGS"].data_dir)


@pytest.fixture
def left(app, ids):
    """Child A long gone: words, numbers and a file in its tables; the log and the kept lists know its name."""
    with acting(app, ids, "secretary_a") as session:
        child, carer = session.get(m.Child, ids.child_a), session.get(m.Carer, ids.carer_a)
        child.remark = child.home_address = MARK
        carer.name, carer.id_number, carer.phone = MARK[:6], make.id_number(dt.date(1955, 3, 4), order=877), PHONE
        session.get(m.CareRecord, ids.care_record_a).content = f"{NAME}说{MARK}"
        audit.note(session, "search", "child", "", None, 搜索=NAME)
        session.commit()
    with acting(app, ids, "") as session:
        picture = io.BytesIO()
        Image.new("RGB", (30, 20), "red").save(picture, "PNG")
        file = attachments.keep(session, folder(app), session.get(m.Child, ids.child_a), f"{NAME}的照片.png", picture.getvalue())
        kept = snapshots.take(session, m.Definition.GF13, dt.date(2026, 1, 5), "快照", "施老师")
        report = session.get(m.Report, ids.report_a)
        lists = {"某名单": [[ids.child_a, NAME, "晨光小学", "三年级1班", "原因"]]}
        report.content = json.dumps(json.loads(report.content) | {"lists": lists}, ensure_ascii=False)
        sheet = select(m.ItemScore).where(m.ItemScore.sheet_id == ids.sheet_a)
        assert session.scalar(sheet) is None
        asked = {
            "title": "儿童台账",
            "address": f"/child/?search={quote_plus(NAME)}",
            "said": f"搜索 {NAME}",
            "purpose": f"{NAME}转学",
        }
        session.add(m.ExportRequest(school_id=ids.a, count=1, by="施老师", **asked))
        lines = {"F6": [[f"child-{ids.child_a}", NAME, "0", "1", f"{NAME}未谈", "", ids.child_a]]}
        item = m.ItemScore(sheet_id=ids.sheet_a, indicator_id=1, school_id=ids.a, facts={"F6": ["1", "0", "1"]}, lists=lines)
        session.add(item)
        for row in session.scalars(select(m.MandatoryReport)):
            row.child_id = None
        for stay in session.scalars(select(m.Enrolment).where(m.Enrolment.child_id == ids.child_a)):
            stay.end, stay.leave_reason, stay.start = LEFT, m.LeaveReason.GRADUATED, dt.date(2020, 9, 1)
        session.commit()
        return SimpleNamespace(stored=file.stored, snapshot=kept.id, item=item.id)


def archived(app, ids):
    with acting(app, ids, "office") as session:
        erasure.archive(session, session.get(m.Child, ids.child_a), ARCHIVED)
        session.commit()


def erased(app, ids, who="office", today=TODAY):
    with app.app_context():
        return erasure.erase(writing, scope_of(ids, who), {ids.child_a}, "离校满三年", folder(app), today)


def long_since_asked(app):
    """Nobody's password was given lately."""
    with by_hand(app) as connection:
        connection.execute(m.LoginSession.__table__.update().values(confirmed_at=None))


def where(app, *words):
    """Every place of the database that holds one of these words, sealed values opened, as its file would be searched."""
    found = set()
    as_stored = {*words, *(json.dumps(word)[1:-1] for word in words)}
    with by_hand(app) as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.exec_driver_sql(f'select * from "{table.name}"').mappings():
                shown = " ".join(map(str, row.values()))
                if any(word in shown for word in as_stored):
                    found |= {f"{table.name}.{name}" for name, held in row.items() if any(word in str(held) for word in as_stored)}
            for column in (each for each in table.columns if isinstance(each.type, Sealed)):
                values = connection.scalars(select(column).where(column.is_not(None))).all()
                found |= {f"{table.name}.{column.name}" for value in values for word in words if word in value}
    return sorted(found)


def counts(app, ids):
    with acting(app, ids, "") as session:
        rows = {
            mapper.class_.__tablename__: session.scalar(select(func.count()).select_from(mapper.class_))
            for mapper in Base.registry.mappers
            if not mapper.class_.__tablename__.startswith(("audit_", "attachment"))
        }
        children = session.execute(select(m.Child.school_id, m.Child.sex, m.Child.grade, func.count()).group_by(
            m.Child.school_id, m.Child.sex, m.Child.grade)).all()  # fmt: skip
        persons = session.scalar(select(func.count(func.distinct(m.Carer.person_key))))
        return rows, sorted(map(str, children)), persons


def test_who_left_three_years_ago_is_due_and_nobody_else(app, left, ids):
    with acting(app, ids, "office") as session:
        assert [gone.child.name for gone in erasure.due(session, TODAY)] == [NAME]
        assert erasure.due(session, LEFT.replace(year=2026) - dt.timedelta(days=1)) == []


def test_a_child_at_a_school_is_not_archived(app, ids):
    with acting(app, ids, "office") as session, pytest.raises(Complaint, match="还在校"):
        erasure.archive(session, session.get(m.Child, ids.child_b), TODAY)


def test_an_archived_child_is_out_of_the_list_and_comes_back(app, left, ids, person):
    archived(app, ids)
    with acting(app, ids, "office") as session:
        (gone,) = erasure.archived(session)
        assert gone.erasable_on == ARCHIVED + erasure.WAITS
        erasure.take_back(session.get(m.Child, ids.child_a))
        session.commit()
    with acting(app, ids, "office") as session:
        assert erasure.archived(session) == [] and len(erasure.due(session, TODAY)) == 1


def test_after_erasure_no_word_of_the_child_is_left_and_all_counts_stand(app, left, ids):
    archived(app, ids)
    before = counts(app, ids)
    assert len(where(app, NAME)) > 5 and where(app, MARK) and where(app, PHONE)
    done = erased(app, ids)
    for path in done.files:
        path.unlink()
    assert where(app, NAME, quote_plus(NAME), MARK, PHONE) == []
    assert counts(app, ids) == before
    assert done.rows > 20 and [path.name for path in done.files] == [left.stored] and not done.files[0].exists()
    with acting(app, ids, "") as session:
        child = session.get(m.Child, ids.child_a)
        assert (child.name, child.birth_date.day, child.erased_on) == (erasure.WORDS, 1, TODAY)
        assert (
            child.id_number is None
            and child.id_number_key is None
            and child.id_number_tail is None
            and child.name_sound == spelling.sound(erasure.WORDS)
        )
        assert session.scalar(select(m.Attachment).where(m.Attachment.table_name == "child")) is None
        kept = session.get(m.ItemScore, left.item)
        assert kept.facts == {"F6": ["1", "0", "1"]} and kept.lists["F6"][0][1] == erasure.WORDS
        assert audit.verify(session)[1] is None
        last = session.scalars(select(m.AuditEntry).order_by(m.AuditEntry.id.desc()).limit(1)).one()
        assert (last.action, last.table_name, last.row_id, last.user_name) == ("erase", "child", str(ids.child_a), "office")


def test_the_other_childs_words_stay(app, left, ids):
    archived(app, ids)
    with acting(app, ids, "") as session:
        kept = [session.get(m.Child, ids.child_b).name, session.get(m.Child, ids.child_b).id_number]
        part = session.scalar(select(m.SnapshotPart.children).where(m.SnapshotPart.school_id == ids.b))
    erased(app, ids)
    with acting(app, ids, "") as session:
        child = session.get(m.Child, ids.child_b)
        assert [child.name, child.id_number] == kept
        assert session.scalar(select(m.SnapshotPart.children).where(m.SnapshotPart.school_id == ids.b)) == part


def test_where_somebody_wrote_the_name_into_other_words_the_office_is_told(app, left, ids):
    archived(app, ids)
    with acting(app, ids, "secretary_a") as session:
        session.get(m.Activity, ids.activity_a).summary = f"{NAME}发言"
        session.commit()
    assert erased(app, ids).mentioned == (f"活动演练 {ids.activity_a}",)


@pytest.mark.parametrize("who", ["leader", "secretary_a", "admin"])
def test_nobody_but_the_office_erases(app, who, left, ids):
    archived(app, ids)
    with pytest.raises(Refused):
        erased(app, ids, who)


def test_the_log_loses_what_named_the_child_and_nothing_else(app, left, ids):
    """Not a longer name that holds it, not who exported; least of all when a child is called like a word of the log."""
    archived(app, ids)
    with acting(app, ids, "") as session:
        session.get(m.Child, ids.child_a).former_name = "导出人"
        session.commit()
        audit.note(session, "search", "child", "", None, 搜索=f"{NAME}花")
        audit.note(session, "export", "child", "", None, 导出人=NAME, 条件="学校：晨光小学", 用途="核对")
        audit.note(session, "export", "child", "", None, 导出人="股员乙", 条件=f"搜索：{NAME}；学校：晨光小学", 用途="核对")
        session.commit()
        last = session.scalar(select(func.max(m.AuditEntry.id)))
    erased(app, ids)
    with acting(app, ids, "") as session:
        kept = set(session.scalars(select(m.AuditValue.entry_id).where(m.AuditValue.entry_id > last - 3)))
        assert kept >= {last - 2, last - 1} and last not in kept
        assert audit.verify(session)[1] is None


def test_a_kept_ledger_loses_the_line_of_the_child_and_no_other(app, left, ids):
    archived(app, ids)
    lines = [
        [ids.child_a, "青松小学", "三年级", "1班", "丁不漏", ["day", "2016-05-06"]],
        [2, "晨光小学", "三年级", "1班", NAME, ["day", "2016-05-06"]],
    ]
    with acting(app, ids, "") as session:
        content = json.dumps({"said": "", "columns": [], "rows": lines, "signed": ""}, ensure_ascii=False)
        kept = m.Report(school_id=ids.a, kind="ledger", title="台账", basis="x", since=TODAY, on=TODAY, content=content, by="x")
        session.add(kept)
        session.commit()
        number = kept.id
    erased(app, ids)
    with acting(app, ids, "") as session:
        first, second = json.loads(session.get(m.Report, number).content)["rows"]
        assert first == lines[0] and second == [2, *[erasure.WORDS] * 4, None]


def test_who_came_back_is_not_erased(app, left, ids):
    archived(app, ids)
    with acting(app, ids, "") as session:
        enrolling.open_enrolment(session, session.get(m.Child, ids.child_a), TODAY)
        session.commit()
        assert session.get(m.Child, ids.child_a).archived_on is None
        session.get(m.Child, ids.child_a).archived_on = ARCHIVED  # as if by a page that was opened before
        session.commit()
    with pytest.raises(Complaint, match="又在校"):
        erased(app, ids)


def test_nothing_is_erased_before_its_time(app, left, ids):
    with pytest.raises(Complaint, match="归档未满"):
        erased(app, ids)
    archived(app, ids)
    with pytest.raises(Complaint, match="归档未满"):
        erased(app, ids, today=ARCHIVED + erasure.WAITS - dt.timedelta(days=1))
    assert where(app, NAME)


def test_a_child_with_a_mandatory_report_is_kept(app, left, ids):
    archived(app, ids)
    with acting(app, ids, "") as session:
        session.get(m.MandatoryReport, ids.mandatory_report_a).child_id = ids.child_a
        session.commit()
    with pytest.raises(Complaint, match="强制报告"):
        erased(app, ids)


def test_what_lay_in_the_trash_for_long_loses_its_words_and_stays_there(app, ids):
    with acting(app, ids, "secretary_a") as session:
        row = session.get(m.CareRecord, ids.care_record_a)
        row.content = MARK
        session.commit()
        trash.put(session, row, "重复")
        session.commit()
        at = row.deleted_at
    with app.app_context():
        now = at + dt.timedelta(days=400)
        assert (
            erasure.purge_trash(writing, scope_of(ids, "office"), folder(app), now).rows == 0
        )  # of a child with a mandatory report
    with acting(app, ids, "") as session:
        session.get(m.MandatoryReport, ids.mandatory_report_a).child_id = None
        session.commit()
    with app.app_context():
        for days, rows in ((365, 0), (366, 1)):
            now = at + dt.timedelta(days=days, seconds=-1)
            assert erasure.purge_trash(writing, scope_of(ids, "office"), folder(app), now).rows == rows
    assert where(app, MARK) == []
    with acting(app, ids, "office") as session:
        assert erasure.waiting_in_trash(session, at + dt.timedelta(days=400)) == 0
        assert [row.id for row in trash.contents(session, "care_record")] == [ids.care_record_a]


def test_a_child_deleted_long_ago_leaves_no_word_anywhere_and_does_not_come_back(app, ids):
    """What never goes to the trash (a counsellor's notes, a transfer that was answered, frozen lists) goes with its child."""
    with acting(app, ids, "") as session:
        child = session.get(m.Child, ids.child_a)
        child.name, session.get(m.Enrolment, ids.enrolment_a).child_name = NAME, NAME
        session.get(m.MandatoryReport, ids.mandatory_report_a).child_id = None
        session.get(m.Counselling, ids.counselling_a).body = MARK
        lines = {"F6": [[f"child-{ids.child_a}", NAME, "0", "1", f"{NAME}未谈", "", ids.child_a]]}
        session.add(m.ItemScore(sheet_id=ids.sheet_a, indicator_id=1, school_id=ids.a, facts={"F6": ["1", "0", "1"]}, lists=lines))
        to = session.get(m.School, ids.b)
        make.transfer(session, child, to, dt.date(2025, 12, 1), state=m.TransferState.RETURNED)
        session.commit()
    assert set(where(app, NAME, MARK)) >= {"child.name", "transfer.child_name", "counselling.body", "item_score.lists"}
    with acting(app, ids, "office") as session:
        child = session.get(m.Child, ids.child_a)
        trash.put(session, child, "重复建档")
        session.commit()
        at = child.deleted_at
    with app.app_context():
        assert erasure.purge_trash(writing, scope_of(ids, "office"), folder(app), at + dt.timedelta(days=400)).rows
    assert where(app, NAME, MARK) == []
    with acting(app, ids, "office") as session, pytest.raises(Complaint, match="已经清除"):
        trash.restore(session, m.Child, ids.child_a)
    with acting(app, ids, "") as session:
        assert audit.verify(session)[1] is None


# --- from the office's chair ---


def test_the_office_archives_and_erases_with_its_password_and_a_reason(app, left, ids, person):
    office = person("office")
    assert NAME in office.get("/retention/").text and NAME in office.get("/child/").text
    office.post("/retention/archive/", {"child": ids.child_a})
    assert NAME not in office.get("/child/").text
    with by_hand(app) as connection:
        connection.execute(m.Child.__table__.update().where(m.Child.id == ids.child_a).values(archived_on=dt.date(2026, 1, 1)))
    long_since_asked(app)
    for data in (
        {"reason": "满三年", "confirm_password": "wrong-wrong-wrong"},
        {"reason": "满三年"},
        {"reason": "", "confirm_password": PASSWORD},
    ):
        office.post("/retention/erase/", {"child": ids.child_a} | data)
        assert where(app, NAME)
    page = office.post("/retention/erase/", {"child": ids.child_a, "reason": "满三年"}, follow_redirects=True)  # given a moment ago
    assert "已清除 1 人" in page.text and where(app, NAME) == []
    if not ON_POSTGRES:
        lying = b"".join(file.read_bytes() for file in app.config["SETTINGS"].data_dir.glob("register.sqlite3*"))
        assert len(lying) > 100_000 and [word for word in (NAME, MARK) if word.encode() in lying] == [], "not even in a freed page"
    assert office.get(f"/retention/?child={ids.child_a}").status_code == 404


def test_everything_held_on_a_child_is_one_file_with_its_attachments_and_its_readers(app, left, ids, person):
    office = person("office")
    office.get(f"/child/details/?id={ids.child_a}")
    asked = {"id": ids.child_a, "reason": "监护人申请查阅", "package_password": "0716-9420-3385-1127-6604"}
    long_since_asked(app)
    page = office.post("/retention/held/", asked).text
    assert 'name="reason" value="监护人申请查阅"' in page  # asked for the password, nothing lost
    answer = office.post("/retention/held/", asked | {"confirm_password": PASSWORD})
    with pyzipper.AESZipFile(io.BytesIO(answer.data)) as package:
        package.setpassword(asked["package_password"].encode())
        (inside,) = package.namelist()  # what it is called may be read without the password: a number of ours, no name
        with zipfile.ZipFile(io.BytesIO(package.read(inside))) as archive:
            names = archive.namelist()
            book = load_workbook(io.BytesIO(archive.read("全部信息.xlsx")))
    assert re.fullmatch(r"全部信息-\d+-\d{8}\.zip", inside)
    assert [name for name in names if "照片" in name]
    cells = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row}
    with acting(app, ids, "") as session:
        assert session.get(m.Child, ids.child_a).id_number in cells and "股员乙" in cells
        assert PHONE not in cells and rules.mask(PHONE) in cells  # an adult's: it is not the one who asks for certain
        held = {
            labels.of_table(model.__tablename__)
            for model in (mapper.class_ for mapper in Base.registry.mappers)
            if hasattr(model, "child_id") and session.scalar(select(model.id).where(model.child_id == ids.child_a))
        }
    withheld = {row[1].value for row in book["未列入"].iter_rows(min_row=2)}
    assert withheld == {"心理辅导"} and held - withheld - {"附件"} <= set(book.sheetnames)  # files lie in a folder beside it
    told = [
        row for sheet in book for row in sheet.iter_rows(values_only=True) if row[1] in ("学校", "教师", "责任人", "学期", "假期")
    ]
    assert len(told) > 10 and not [row for row in told if str(row[2]).isdigit()]  # names, not numbers of ours
    assert f"{NAME}说{MARK}" not in cells  # what a child said is told at its school, not by the office
    assert "丁不漏" not in cells


def test_without_a_password_nothing_leaves_and_the_reason_stays(app, left, ids, person):
    asked = {"id": ids.child_a, "reason": "监护人申请查阅"}
    page = person("office").post("/retention/held/", asked).text
    assert "压缩包的密码" in page and 'value="监护人申请查阅"' in page
    with person("office").post("/retention/held/", asked | {"package_open": "1"}) as answer:
        assert zipfile.ZipFile(io.BytesIO(answer.data)).namelist()[0] == "全部信息.xlsx"


def test_the_yearly_summary_counts_what_each_person_looked_at(app, ids, person):
    secretary = person("secretary_a")
    for _ in range(2):
        secretary.get(f"/child/details/?id={ids.child_a}")
    secretary.post("/child/reveal/", {"id": ids.child_a, "reason": "核对户口簿"})
    with acting(app, ids, "office") as session:
        year = compliance.years(session)[0]
        found = compliance.summary(session, year)
        assert compliance.summary(session, year - 1).people == []
    (mine,) = (one for one in found.people if one.name == "填报员a")
    assert (mine.deeds["open"], mine.children, mine.deeds["reveal"], mine.roles) == (2, 1, 1, "学校填报员")
    page = person("office").get("/compliance/").text
    assert "填报员a" in page and "起留存" in page
    with person("admin").get("/compliance/export/?purpose=年度自查") as answer:
        book = load_workbook(io.BytesIO(answer.data))
    assert any("逐条核对完好" in str(row[1].value) for row in book["概况"].iter_rows())
    assert book.sheetnames == ["概况", "操作次数", "按人", "完整号码导出", "导出凭据"]


def test_a_class_signs_the_notice_in_one_go_and_it_can_be_taken_back(app, ids, person):
    secretary = person("secretary_a")
    data = {"school": ids.a, "child": ids.child_a, "informed_on": "2026-09-03", "informed_version": "2026-1", "consent": "given"}
    refused = secretary.post("/quick/confirm/", data | {"consent": ""})
    assert "请选择个人信息处理依据" in refused.text and 'value="2026-09-03"' in refused.text
    assert secretary.post("/quick/confirm/", data).status_code == 302
    with acting(app, ids, "secretary_a") as session:
        child = session.get(m.Child, ids.child_a)
        assert (child.informed_on, child.informed_version, child.consent) == (dt.date(2026, 9, 3), "2026-1", m.Consent.GIVEN)
    with acting(app, ids, "secretary_a") as session:  # what one family said before is not covered by a class
        session.get(m.Child, ids.child_a).consent = m.Consent.REFUSED
        session.commit()
    again = secretary.post(
        "/quick/confirm/", data | {"informed_on": "2026-09-04", "informed_version": "2026-2"}, follow_redirects=True
    )
    assert "登记告知书 0 人" in again.text
    with acting(app, ids, "secretary_a") as session:
        child = session.get(m.Child, ids.child_a)
        assert (child.informed_on, child.consent) == (dt.date(2026, 9, 3), m.Consent.REFUSED)
        child.consent = m.Consent.GIVEN
        session.commit()
    same = secretary.post("/quick/confirm/", data | {"informed_on": "2026-09-04"}, follow_redirects=True)
    newer = secretary.post(
        "/quick/confirm/", data | {"informed_on": "2026-09-05", "informed_version": "2026-2"}, follow_redirects=True
    )
    assert "登记告知书 0 人" in same.text and "登记告知书 1 人" in newer.text
    with acting(app, ids, "secretary_a") as session:
        newest = session.scalars(select(m.Batch).order_by(m.Batch.id.desc()).limit(1)).one()
    secretary.post("/batch/undo/", {"id": newest.id})
    with acting(app, ids, "secretary_a") as session:
        assert session.get(m.Child, ids.child_a).informed_on == dt.date(2026, 9, 3)
        session.get(m.Child, ids.child_a).consent = None
        session.commit()
    secretary.post("/quick/confirm/", data)
    with acting(app, ids, "secretary_a") as session:
        batch = session.scalars(select(m.Batch).order_by(m.Batch.id.desc()).limit(1)).one()
    secretary.post("/batch/undo/", {"id": batch.id})
    with acting(app, ids, "secretary_a") as session:
        assert session.get(m.Child, ids.child_a).consent is None


def test_what_was_ticked_and_typed_stands_on_the_page_that_refuses(app, left, ids, person):
    archived(app, ids)
    office = person("office")
    ticked = rf'name="child" value="{ids.child_a}" aria-label="{NAME}" checked'
    page = office.post("/retention/erase/", {"child": ids.child_a, "reason": ""}).text
    assert "填写原因" in page and re.search(ticked, page)
    page = office.post("/retention/erase/", {"reason": "满三年"}).text
    assert 'id="reason" name="reason" maxlength="100" value="满三年"' in page and not re.search(ticked, page)
    page = office.post("/retention/archive/", {"child": ids.child_b, "asked": ids.child_b}).text
    assert "还在校，不能归档" in page and "<h2>丁不漏" in page
