"""The rest of the register, as the three people use it: real requests, and what must not be seen."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import literal, select, union_all

from admin_app import models as m
from admin_app.access import SYSTEM
from admin_app.db import session_with
from admin_app.orm import utcnow
from tests import factories as make

TODAY = dt.date.today()


def rows(app, model, *conditions):
    with app.app_context(), session_with(SYSTEM) as session:
        return list(session.scalars(select(model).where(*conditions)))


# --- who sees what ---


def test_the_counsellors_text_is_read_by_the_counsellor_and_the_headteacher_alone(ids, person):
    path = f"/counselling/details/?id={ids.counselling_a}"
    assert "甲小雨的秘密" in person("counsellor_a").get(path).text
    assert "甲小雨的秘密" in person("principal_a").get(path).text
    page = person("secretary_a").get(path)
    assert page.status_code == 200 and "秘密" not in page.text and "（仅本校可见）" in page.text
    for who in ("office", "leader", "admin"):
        assert person(who).get(path).status_code == 403
    assert "秘密" not in person("secretary_a").get(f"/child/details/?id={ids.child_a}").text


def test_a_restricted_category_is_not_told_to_the_leader(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.add(m.Category(child_id=ids.child_a, school_id=ids.a, kind=m.CategoryKind.K09, start=dt.date(2025, 9, 1)))
        session.commit()
    for path in ("/child_category/", f"/child/details/?id={ids.child_a}"):
        page = person("leader").get(path)
        assert page.status_code == 200 and "艾滋病" not in page.text.split("<main")[1] and "（受限）" in page.text
    assert "艾滋病" in person("secretary_a").get(f"/child/details/?id={ids.child_a}").text
    assert b"\xe8\x89\xbe" not in person("leader").get("/child_category/export/xlsx/").data


def test_a_mandatory_report_is_told_to_police_first_and_never_exported(ids, person):
    page = person("secretary_a").get("/mandatory_report/new/")
    assert "先拨打 110" in page.text
    for who in ("secretary_a", "office", "leader", "principal_a"):
        assert person(who).get("/mandatory_report/export/xlsx/").status_code == 403
    assert person("leader").get("/mandatory_report/").status_code == 403


def test_a_statement_of_several_tables_passes_the_row_filter_in_each_part(open_as, ids):
    query = union_all(
        *(select(literal(model.__tablename__), model.id) for model in (m.CareRecord, m.Activity, m.Counselling, m.Agreement))
    )
    with open_as("secretary_b", writes=False) as session:
        found = dict(session.execute(query).all())
    assert found == {
        "care_record": ids.care_record_b, "activity": ids.activity_b, "counselling": ids.counselling_b, "agreement": ids.agreement_b,
    }  # fmt: skip


# --- one child ---


def test_the_timeline_shows_every_kind_of_record_and_filters(ids, person):
    page = person("secretary_a").get(f"/child/details/?id={ids.child_a}").text
    for kind in (
        "谈心",
        "感恩书信",
        "手拉手结对",
        "多元评价",
        "帮扶计划",
        "重点关注",
        "假期交接",
        "控辍保学",
        "资助",
        "委托照护",
        "联系卡",
    ):
        assert f"<b>{kind}</b>" in page, kind
    only = person("secretary_a").get(f"/child/details/?id={ids.child_a}&only=感恩书信").text
    assert "<b>感恩书信</b>" in only and "<b>手拉手结对</b>" not in only


def test_a_talk_in_need_of_attention_raises_a_flag_and_the_next_one_follows_it_up(app, ids, person):
    secretary = person("secretary_a")
    stay = f"{ids.enrolment_a}"
    before = {flag.id for flag in rows(app, m.Flag)}
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.get(m.Flag, ids.flag_a).closed_on = TODAY
        session.commit()
    data = {"enrolment": stay, "kind": "talk", "way": "face", "role": "responsible", "attention": "focus", "content": "不想上学"}
    day = TODAY - dt.timedelta(days=5)
    assert secretary.post("/care_record/new/", data | {"on": day.isoformat()}).status_code == 302
    (flag,) = [flag for flag in rows(app, m.Flag) if flag.id not in before]
    assert (flag.on, flag.level, flag.followed_on) == (day, m.Attention.FOCUS, None)
    secretary.post("/care_record/new/", data | {"on": TODAY.isoformat(), "attention": "normal"})
    assert rows(app, m.Flag, m.Flag.id == flag.id)[0].followed_on == TODAY


@pytest.mark.parametrize(
    ("path", "data", "sentence"),
    [
        ("/carer/new/", {"child": "{child_a}", "name": "小叔", "relation": "83", "age": "16", "start": "2025-09-01"}, "未满18周岁"),
        ("/carer/new/", {"child": "{child_a}", "name": "无人监护", "relation": "00", "start": "2025-09-01"}, "强制报告"),
        ("/agreement/new/", {"carer": "{carer_a}", "kind": "care", "principals": "父", "signed_on": "2025-10-10", "signed_by": "unreachable",
                             "start": "2025-10-10"}, "听取儿童意见"),
    ],
)  # fmt: skip
def test_what_is_unusual_is_said_and_saved_all_the_same(path, data, sentence, ids, person):
    data = {key: value.format(**vars(ids)) for key, value in data.items()}
    answer = person("secretary_a").post(path, data, follow_redirects=True)
    assert answer.status_code == 200 and "保存成功" in answer.text and sentence in answer.text


def test_a_child_of_17_in_primary_school_is_asked_about(ids, person):
    data = {"school": f"{ids.a}", "name": "高个子", "sex": "1", "birth_date": "2009-01-05", "ethnic": "07", "id_kind": "Z", "grade": "P3",
            "class_name": "1班"}  # fmt: skip
    page = person("secretary_a").post("/child/new/", data, follow_redirects=True)
    assert "请核对出生日期和年级" in page.text


@pytest.mark.parametrize(
    ("path", "data", "sentence"),
    [
        ("/letter/new/", {"enrolment": "{enrolment_a}", "term": "{term}", "on": "2026-04-01", "way": "letter"}, "日期应在"),
        ("/evaluation/new/", {"enrolment": "{enrolment_a}", "term": "{term}", "rater": "peer", "on": "2026-04-01"}, "日期应在"),
        ("/care_record/new/", {"enrolment": "{enrolment_a}", "kind": "talk", "way": "face", "role": "other", "attention": "normal",
                               "on": "2025-08-01"}, "早于就读起始日"),
        ("/responsibility/new/", {"child": "{child_a}", "staff": "{staff_a}", "start": "2025-11-01"}, "时间重叠"),
        ("/child_category/new/", {"child": "{child_a}", "kind": "H01", "start": "2025-11-01"}, "时间重叠"),
        ("/dropout_case/new/", {"enrolment": "{enrolment_a}", "found_on": "2025-11-01", "grade": "H1", "reason": "work"}, "义务教育阶段"),
        ("/evening_slot/new/", {"school": "{a_site}", "term": "{term}", "weekday": "1", "hours": "19:00", "content": "阅读"}, "住宿制"),
        ("/activity/new/?of=opening", {"school": "{a}", "title": "开放", "kind": "{opening}", "on": "2025-11-01"}, "须选场所"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_sentence_and_nothing_is_lost(path, data, sentence, app, ids, person):
    with app.app_context(), session_with(SYSTEM) as session:
        term = session.scalar(select(m.Term.id).where(m.Term.code == "2025-1"))
        opening = session.scalar(select(m.Code.id).where(m.Code.code == "O01"))
    data = {key: value.format(**vars(ids), term=term, opening=opening) for key, value in data.items()}
    answer = person("secretary_a").post(path, data)
    assert answer.status_code == 200 and sentence in answer.text and "保存成功" not in answer.text


# --- many children ---


def test_cards_are_printed_four_to_a_page_without_the_word_and_then_registered(app, ids, person):
    secretary = person("secretary_a")
    page = secretary.get(f"/cards/?child={ids.child_a}").text
    card = page.split("ccard")[1].split("</article>")[0]
    assert "家校联系卡" in card and "甲小雨" in card and "留守" not in card
    assert secretary.post("/cards/issue/", {"id": f"{ids.child_a}"}).status_code == 302
    newest = max(rows(app, m.ContactCard, m.ContactCard.child_id == ids.child_a), key=lambda card: card.number)
    assert (newest.number, newest.issued_on) == (2, TODAY)


def of_yesterday(session, child_id):
    """The child's newest card, as if issued a day earlier."""
    cards = select(m.ContactCard).where(m.ContactCard.child_id == child_id).order_by(m.ContactCard.number.desc())
    session.scalars(cards).first().issued_on = TODAY - dt.timedelta(days=1)


def test_a_changed_phone_puts_the_card_on_the_list_to_print(app, ids, person):
    secretary = person("secretary_a")
    secretary.post("/cards/issue/", {"id": f"{ids.child_a}"})
    assert "甲小雨" not in secretary.get("/child/?gap=card").text
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        of_yesterday(session, ids.child_a)
        session.get(m.Parent, ids.parent_a).phone_changed_on = TODAY
        session.commit()
    assert "甲小雨" in secretary.get("/child/?gap=card").text and "甲小雨" in secretary.get("/cards/").text


def test_a_new_phone_of_the_class_teacher_outdates_the_card_one_in_the_trash_does_not(app, ids, person):
    secretary = person("secretary_a")
    secretary.post("/cards/issue/", {"id": f"{ids.child_a}"})
    screens = "/child/?gap=card", f"/child/details/?id={ids.child_a}"

    def outdated():
        listed, dossier = (secretary.get(path).text for path in screens)
        return "甲小雨" in listed, "待换" in dossier

    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        of_yesterday(session, ids.child_a)
        carer = make.carer(session, session.get(m.Child, ids.child_a))
        carer.phone_changed_on, carer.deleted_at = TODAY, utcnow()
        session.commit()
    assert outdated() == (False, False)
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        child = session.get(m.Child, ids.child_a)
        teacher = make.staff(session, child.school, "新班主任")
        child.class_teacher_id, teacher.phone_changed_on = teacher.id, TODAY
        session.commit()
    assert outdated() == (True, True)


def test_a_leaving_teachers_children_go_to_others_on_one_screen(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        new = make.staff(session, session.get(m.School, ids.a), "接手师傅").id
        session.commit()
    secretary = person("secretary_a")
    page = secretary.get(f"/staff_handover/of/?staff={ids.staff_a}")
    assert "甲小雨" in page.text and "接手师傅" in page.text
    answer = secretary.post(
        "/staff_handover/save/", {"staff": f"{ids.staff_a}", "everybody": f"{new}", "on": TODAY.isoformat(), "leaves": "1"}
    )
    assert answer.status_code == 302
    paper = secretary.get(answer.location).text
    assert "甲小雨" in paper and "接手师傅" in paper
    held = {r.staff_id: (r.start, r.end) for r in rows(app, m.Responsibility, m.Responsibility.child_id == ids.child_a)}
    assert held[new] == (TODAY, None) and held[ids.staff_a][1] == TODAY
    assert rows(app, m.Staff, m.Staff.id == ids.staff_a)[0].end == TODAY


def test_nobody_is_left_behind_when_a_teacher_leaves(ids, person):
    answer = person("secretary_a").post(
        "/staff_handover/save/", {"staff": f"{ids.staff_a}", "leaves": "1", "on": TODAY.isoformat()}, follow_redirects=True
    )
    assert "请选择接收人" in answer.text


def holiday(app, code="2025-winter"):
    return rows(app, m.Holiday, m.Holiday.code == code)[0]


def test_a_class_is_handed_over_for_the_holiday_at_once(app, ids, person):
    winter, secretary = holiday(app), person("secretary_a")
    page = secretary.get(f"/handover/?holiday={winter.id}").text
    assert "甲小雨" in page and "丁不漏" not in page
    data = {"holiday": f"{winter.id}", "enrolment": f"{ids.enrolment_a}", "whereabouts": "village", "village_on": "2026-01-20",
            "village_person": "村主任", "done_on": "2026-01-22"}  # fmt: skip
    assert secretary.post("/handover/save/", data).status_code == 302
    (row,) = rows(app, m.Handover, m.Handover.enrolment_id == ids.enrolment_a)
    assert (row.state, row.village_person) == (m.HandoverState.DONE, "村主任")
    secretary.post("/handover/save/", {"holiday": f"{winter.id}", "enrolment": f"{ids.enrolment_a}", "back_on": "2026-03-02"})
    assert rows(app, m.Handover, m.Handover.id == row.id)[0].state is m.HandoverState.BACK
    village = secretary.get(f"/handover/villages/?holiday={winter.id}").text
    assert "村组接收人" in village and "甲小雨" in village


def test_a_child_who_goes_to_its_parents_needs_a_place(app, ids, person):
    winter = holiday(app)
    data = {"holiday": f"{winter.id}", "enrolment": f"{ids.enrolment_a}", "whereabouts": "parents", "overwrite": "1"}
    page = person("secretary_a").post("/handover/save/", data)
    assert "须填地点" in page.text and 'value="parents" selected' in page.text


def test_another_schools_child_cannot_be_handed_over(app, ids, person):
    winter = holiday(app)
    page = person("secretary_a").post(
        "/handover/save/", {"holiday": f"{winter.id}", "enrolment": f"{ids.enrolment_b}", "done_on": "2026-01-22"}
    )
    assert "请勾选要办理的儿童" in page.text
    assert all(row.done_on is None for row in rows(app, m.Handover, m.Handover.enrolment_id == ids.enrolment_b))


# --- the school and the office ---


def test_a_plan_is_handed_in_returned_corrected_and_filed(app, ids, person):
    secretary, office = person("secretary_a"), person("office")
    pk = {"id": f"{ids.paper_a}"}
    secretary.post("/paper/submit/", pk)
    assert "退回须写明" in office.post("/paper/answer/", pk | {"filed": "0"}, follow_redirects=True).text
    office.post("/paper/answer/", pk | {"filed": "0", "answer": "补上责任分工"})
    assert rows(app, m.Paper, m.Paper.id == ids.paper_a)[0].state is m.PaperState.RETURNED
    assert "退回修改的文件" in secretary.get("/").text
    secretary.post("/paper/submit/", pk)
    office.post("/paper/answer/", pk | {"filed": "1"})
    assert rows(app, m.Paper, m.Paper.id == ids.paper_a)[0].state is m.PaperState.FILED
    assert secretary.get(f"/paper/edit/?id={ids.paper_a}").status_code == 302


def test_a_notice_is_sent_read_and_the_office_sees_by_whom(app, ids, person):
    office, secretary = person("office"), person("secretary_b")
    office.post("/notice/send/", {"id": f"{ids.notice}", "school": f"{ids.b}"})
    assert "关于开学摸底的通知" in secretary.get("/").text
    assert "未阅" in office.get(f"/notice/details/?id={ids.notice}").text
    secretary.get(f"/notice/details/?id={ids.notice}")
    receipt = rows(app, m.NoticeReceipt, m.NoticeReceipt.school_id == ids.b)[0]
    assert receipt.read_by == "填报员b" and receipt.read_at is not None


def test_the_office_chases_schools_from_the_list_of_gaps(app, ids, person):
    office = person("office")
    page = office.get("/gaps/")
    assert "晨光小学" in page.text and "可得分" in page.text
    answer = office.post("/notice/chase/", {"school": f"{ids.a}", "words": "请补齐九月谈心"})
    assert answer.status_code == 302 and "/notice/details/" in answer.location
    assert "催办" in person("secretary_a").get("/").text


def test_a_school_sees_its_own_gaps_by_points_each_with_its_place(ids, person):
    page = person("secretary_a").get("/gaps/").text
    assert "补齐可得" in page and "甲小雨" in page and "丁不漏" not in page
    assert "/care_record/new/?child=" in page
    assert person("secretary_a").get(f"/gaps/?school={ids.b}").status_code == 404


def test_the_census_is_handed_in_once(app, ids, person):
    secretary = person("secretary_b")
    with app.app_context(), session_with(SYSTEM) as session:
        from admin_app.records import census

        here = census.current(session, TODAY)
    data = {"census": f"{here.id}", "school": f"{ids.b}"}
    assert "已上报" in secretary.post("/census/hand-in/", data, follow_redirects=True).text
    assert "本次摸底已上报" in secretary.post("/census/hand-in/", data, follow_redirects=True).text
    assert "不是有效的选项" in secretary.post("/census/hand-in/", data | {"school": f"{ids.a}"}, follow_redirects=True).text


def test_a_setting_that_cannot_be_is_refused_and_what_was_typed_stays(app, ids, person):
    office = person("office")
    page = office.post("/county/save/", {"talks_a_month": "许多", "bureau": "某县教育局"})
    assert "应为 1 至 8 的整数" in page.text and "许多" in page.text and "某县教育局" in page.text
    assert office.post("/county/save/", {"talks_a_month": "2"}).status_code == 302
    assert rows(app, m.Setting, m.Setting.key == "talks_a_month")[0].value == "2"


def test_the_office_brings_back_what_was_deleted(app, ids, person):
    person("secretary_a").post("/letter/delete/", {"id": f"{ids.letter_a}", "reason": "点错了"})
    assert rows(app, m.Letter, m.Letter.id == ids.letter_a) == []
    office = person("office")
    assert "点错了" in office.get("/trash/").text
    office.post("/trash/restore/", {"table": "letter", "id": f"{ids.letter_a}"})
    assert rows(app, m.Letter, m.Letter.id == ids.letter_a)


# --- moving ---


def test_a_child_moves_with_its_file_and_the_old_school_keeps_its_past(app, ids, person):
    office_of_b, taker = person("secretary_b"), person("secretary_a")
    pk = f"{ids.transfer_b}"
    assert "接收" in taker.get(f"/transfer/details/?id={pk}").text
    taker.post("/transfer/accept/", {"id": pk, "class_name": "2班", "staff": f"{ids.staff_a}", "on": "2025-12-05"})
    (transfer,) = rows(app, m.Transfer, m.Transfer.id == ids.transfer_b)
    (child,) = rows(app, m.Child, m.Child.id == transfer.child_id)
    assert (transfer.state, child.school_id, child.class_name) == (m.TransferState.ACCEPTED, ids.a, "2班")
    assert [
        r.staff_id for r in rows(app, m.Responsibility, m.Responsibility.child_id == child.id, m.Responsibility.end.is_(None))
    ] == [ids.staff_a]
    assert office_of_b.get(f"/child/details/?id={child.id}").status_code == 404
    assert taker.get(f"/child/details/?id={child.id}").status_code == 200


def test_a_school_asks_for_a_child_registered_elsewhere_by_all_three_facts(app, ids, person):
    (child,) = rows(app, m.Child, m.Child.id == ids.child_b)
    asker, holder = person("secretary_a"), person("secretary_b")
    data = {"school": f"{ids.a}", "number": child.id_number, "name": child.name, "birth": child.birth_date.isoformat()}
    wrong = asker.post("/transfer/ask/", data | {"birth": "2016-05-07"})
    assert "未找到" in wrong.text and "青松" not in wrong.text
    assert asker.post("/transfer/ask/", data).status_code == 302
    (asked,) = rows(app, m.Transfer, m.Transfer.child_id == ids.child_b)
    assert asked.state is m.TransferState.REQUESTED
    assert asker.post("/transfer/release/", {"id": f"{asked.id}"}).status_code == 403
    assert asker.post("/transfer/accept/", {"id": f"{asked.id}"}).status_code == 403
    assert "申请转入待放行" in holder.get("/").text
    holder.post("/transfer/release/", {"id": f"{asked.id}"})
    asker.post("/transfer/accept/", {"id": f"{asked.id}"})
    assert rows(app, m.Child, m.Child.id == ids.child_b)[0].school_id == ids.a


def test_the_years_roll_over_is_shown_done_once_and_undone(app, ids, person):
    secretary = person("secretary_a")
    page = secretary.get("/rollover/").text
    assert "四年级" in page
    keys = [f"{ids.a}-P3-1班", f"{ids.a_site}-P3-1班"]
    answer = secretary.post("/rollover/roll/", {f"roll-{key}": "1" for key in keys})
    assert answer.status_code == 302 and "/batch/details/" in answer.location
    assert rows(app, m.Child, m.Child.id == ids.child_a)[0].grade is m.Grade.P4
    again = secretary.post("/rollover/roll/", {f"roll-{ids.a}-P4-1班": "1"}, follow_redirects=True)
    assert "本学年已升级" in again.text
    batch = rows(app, m.Batch, m.Batch.kind == m.BatchKind.ROLLOVER)[0]
    secretary.post("/batch/undo/", {"id": f"{batch.id}"})
    assert rows(app, m.Child, m.Child.id == ids.child_a)[0].grade is m.Grade.P3


# --- evenings of boarders, beds, aid ---


@pytest.fixture
def evenings(app, ids):
    """School A boards; on Tuesdays of the term there are reading and a film."""
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        term = session.scalar(select(m.Term.id).where(m.Term.code == "2025-1"))
        slots = [
            m.EveningSlot(
                school_id=ids.a, term_id=term, weekday=m.Weekday.TUE, kind=kind, hours=hours, content=words, teacher="王值班"
            )
            for kind, hours, words in (
                (m.EveningKind.STUDY, "19:00—20:00", "阅读"),
                (m.EveningKind.LEISURE, "20:00—20:40", "看电影"),
            )
        ]
        session.add_all(slots)
        session.commit()
        return "2025-12-02", [slot.id for slot in slots]


def test_a_secretary_writes_down_who_came_in_the_evening_and_corrects_it(app, ids, person, evenings):
    on, (reading, film) = evenings
    secretary, path = person("secretary_a"), "/evening_slot/night/"
    page = secretary.get(f"{path}?on={on}").text
    assert "阅读" in page and "看电影" in page and page.count("未登记") == 2
    answer = secretary.post(path, {"on": on, f"count-{reading}": "31", f"teacher-{reading}": "李值班", f"count-{film}": ""})
    assert answer.status_code == 302
    (held,) = rows(app, m.Activity, m.Activity.slot_id == reading)
    assert (held.pupils, held.leader, held.opened, held.on.isoformat()) == (31, "李值班", "19:00—20:00", on)
    secretary.post(path, {"on": on, f"count-{reading}": "30", f"teacher-{reading}": "", f"count-{film}": "12"})
    assert [(a.pupils, a.leader) for a in rows(app, m.Activity, m.Activity.slot_id == reading)] == [(30, "王值班")]
    with app.app_context(), session_with(SYSTEM) as session:
        kinds = select(m.Code.code).join(m.Activity, m.Activity.kind_id == m.Code.id).where(m.Activity.slot_id.in_([reading, film]))
        assert set(session.scalars(kinds)) == {"A13", "A14"}
    assert "30" in secretary.get(f"/evening_slot/details/?id={reading}").text


@pytest.mark.parametrize("typed", ["十人", "-1", "99999"])
def test_a_count_that_is_none_is_refused_and_what_was_typed_stays(app, typed, person, evenings):
    on, (reading, film) = evenings
    page = person("secretary_a").post("/evening_slot/night/", {"on": on, f"count-{reading}": typed, f"count-{film}": "12"})
    assert page.status_code == 200 and "到场人数应填" in page.text and f'value="{typed}"' in page.text and 'value="12"' in page.text
    assert rows(app, m.Activity, m.Activity.slot_id.in_([reading, film])) == []


def test_another_schools_evening_cannot_be_written_down(app, person, evenings):
    on, (reading, _film) = evenings
    person("secretary_b").post("/evening_slot/night/", {"on": on, f"count-{reading}": "31"})
    assert rows(app, m.Activity, m.Activity.slot_id == reading) == []
    assert "日期不能晚于今天" in person("secretary_a").post("/evening_slot/night/", {"on": "2044-12-06"}).text


def test_the_register_finds_children_with_aged_carers(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        carer = session.get(m.Carer, ids.carer_a)
        carer.birth_date, carer.age, carer.age_on = None, 68, TODAY.replace(year=TODAY.year - 3, day=1)
        session.commit()
    name = rows(app, m.Child, m.Child.id == ids.child_a)[0].name
    shown = {key: name in person("secretary_a").get(f"/child/?carer_age={key}").text for key in ("60", "70", "18")}
    assert shown == {"60": True, "70": True, "18": False}
    assert person("secretary_a").get("/child/?carer_age=99").status_code == 200


def test_a_child_at_risk_who_is_not_aided_is_listed_though_not_left_behind(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for aid in session.scalars(select(m.Subsidy).where(m.Subsidy.child_id == ids.child_a)):
            aid.end = aid.start + dt.timedelta(days=1)
        for status in session.scalars(select(m.ParentStatus).where(m.ParentStatus.child_id == ids.child_a)):
            status.state = m.ParentState.HOME
        child = session.get(m.Child, ids.child_a)
        child.boarding = True
        name = child.name
        session.commit()
    assert name in person("secretary_a").get("/child/?aid=due").text
    assert name not in person("secretary_a").get("/child/?aid=due&definition=GF13").text
    assert name not in person("secretary_b").get("/child/?aid=due").text
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        code = session.scalar(select(m.Code.id).where(m.Code.code == "Z03"))
        session.add(
            m.Subsidy(
                enrolment_id=ids.enrolment_a,
                child_id=ids.child_a,
                school_id=ids.a,
                kind_id=code,
                start=TODAY - dt.timedelta(days=9),
            )
        )
        session.commit()
    assert name not in person("secretary_a").get("/child/?aid=due").text


def test_a_request_of_the_family_is_found_again_by_its_kind(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        child = session.get(m.Child, ids.child_a)
        child.request_kinds, name = (m.RequestKind.MEDICAL, m.RequestKind.COMPANY), child.name
        session.commit()
    browser = person("secretary_a")
    assert name in browser.get("/child/?request_kinds=company").text and name in browser.get("/child/?request_kinds=medical").text
    assert name not in browser.get("/child/?request_kinds=diet").text


def test_a_school_without_a_dossier_keeper_is_told_so(app, ids, person):
    assert "未登记档案管理员" in person("secretary_a").get("/").text
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.add(m.Post(school_id=ids.a, body=m.Body.KEEPER, name="张管理", start=TODAY - dt.timedelta(days=30)))
        session.commit()
    assert "未登记档案管理员" not in person("secretary_a").get("/").text


# --- two people, one row; forms that hold back what may not be read ---


def talk_form(ids, **more):
    return {
        "enrolment": str(ids.enrolment_a),
        "kind": "talk",
        "way": "face",
        "role": "responsible",
        "attention": "normal",
        "on": "2025-10-08",
    } | more


def test_two_people_saving_one_row_from_their_forms_do_not_overwrite_each_other(app, ids, person):
    path, browser = f"/care_record/edit/?id={ids.care_record_a}", person("secretary_a")
    opened = rows(app, m.CareRecord, m.CareRecord.id == ids.care_record_a)[0].version
    first = browser.post(path, talk_form(ids, version=str(opened), content="第一个人写的"))
    second = browser.post(path, talk_form(ids, version=str(opened), content="第二个人写的"))
    assert first.status_code == 302 and second.status_code == 200
    assert "他人已先保存" in second.text and "第一个人写的" in second.text and "第二个人写的" in second.text
    (row,) = rows(app, m.CareRecord, m.CareRecord.id == ids.care_record_a)
    assert (row.content, row.version) == ("第一个人写的", opened + 1)


@pytest.mark.parametrize("version", ["zzz", "0", "9" * 30])
def test_a_version_that_is_none_is_a_conflict_and_nothing_else(app, ids, person, version):
    page = person("secretary_a").post(
        f"/care_record/edit/?id={ids.care_record_a}", talk_form(ids, version=version, content="新写的")
    )
    assert page.status_code == 200 and "新写的" in page.text
    assert rows(app, m.CareRecord, m.CareRecord.id == ids.care_record_a)[0].content != "新写的"


def test_undo_keeps_a_row_that_was_changed_by_its_form_since(app, ids, person):
    secretary = person("secretary_a")
    secretary.post("/quick/talks/", {"kind": "talk", "on": TODAY.isoformat(), "way": "face", "role": "responsible", "child": [str(ids.enrolment_a)],
                                     "content": "一起谈", "school": str(ids.a), "class": "all"})  # fmt: skip
    batch = max(rows(app, m.Batch), key=lambda row: row.id)
    (talk,) = rows(app, m.CareRecord, m.CareRecord.content == "一起谈")
    form = talk_form(ids, on=TODAY.isoformat(), version=str(talk.version), content="后来补充的")
    assert secretary.post(f"/care_record/edit/?id={talk.id}", form).status_code == 302
    page = secretary.post("/batch/undo/", {"id": str(batch.id)}, follow_redirects=True).text
    assert "以下记录后来又有改动" in page and "甲小雨 · 关爱记录" in page
    assert rows(app, m.CareRecord, m.CareRecord.id == talk.id)[0].content == "后来补充的"


def test_a_form_neither_shows_nor_overwrites_what_the_actor_may_not_read(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.get(m.CareRecord, ids.care_record_a).content = "孩子的秘密"
        session.get(m.HelpPlan, ids.help_plan_a).plan = "家里的难处"
        session.commit()
    page = person("office").get(f"/care_record/edit/?id={ids.care_record_a}").text
    assert "秘密" not in page and 'name="content"' not in page
    version = rows(app, m.CareRecord, m.CareRecord.id == ids.care_record_a)[0].version
    changed = talk_form(ids, version=str(version), content="改掉", place="操场")
    assert person("office").post(f"/care_record/edit/?id={ids.care_record_a}", changed).status_code == 302
    (row,) = rows(app, m.CareRecord, m.CareRecord.id == ids.care_record_a)
    assert (row.content, row.place) == ("孩子的秘密", "操场")
    assert "难处" not in person("counsellor_a").get(f"/help_plan/edit/?id={ids.help_plan_a}").text


def test_the_title_of_a_page_tells_nothing_that_its_fields_hold_back(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for kind in (m.CategoryKind.K07, m.CategoryKind.K09):
            session.add(m.Category(child_id=ids.child_a, school_id=ids.a, kind=kind, start=dt.date(2025, 9, 1)))
        session.get(m.Flag, ids.flag_a).level = m.Attention.FOCUS
        session.commit()
    for row in rows(app, m.Category, m.Category.kind.in_([m.CategoryKind.K07, m.CategoryKind.K09])):
        page = person("leader").get(f"/child_category/details/?id={row.id}").text
        assert "艾滋病" not in page and "监护缺失" not in page and "甲小雨 · 困境与家庭类别" in page
    assert "重点</" not in person("leader").get(f"/flag/details/?id={ids.flag_a}").text


def test_the_counsellor_is_not_told_of_the_family_on_the_dossier(ids, person):
    page = person("counsellor_a").get(f"/child/details/?id={ids.child_a}").text.split("<main")[1]
    assert "外出务工" not in page and "双亲外出（" not in page and "（受限）" in page


@pytest.mark.parametrize("situation", list(m.Situation))
def test_every_situation_of_a_mandatory_report_can_be_saved(ids, person, situation):
    form = {
        "school": str(ids.a),
        "child": str(ids.child_a),
        "found_at": "2025-10-08T09:00",
        "finder": "王老师",
        "situation": situation.value,
    }
    assert person("secretary_a").post("/mandatory_report/new/", form).status_code == 302


def test_a_school_cannot_write_its_census_return_by_hand(app, ids, person):
    form = {"census": "1", "school": str(ids.a_site), "on": "2020-01-01", "children": "999", "girls": "1", "by": "x"}
    assert person("secretary_a").post("/census_return/new/", form).status_code == 403
    assert person("secretary_a").post(f"/census_return/edit/?id={ids.census_return_a}", form).status_code == 403


# --- trash, undo and moves that meet something in the way ---


def test_restoring_what_was_entered_again_since_is_refused_in_words(app, ids, person):
    parent = rows(app, m.Parent, m.Parent.id == ids.parent_a)[0]
    person("secretary_a").post("/parent/delete/", {"id": str(parent.id), "reason": "重录"})
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        session.add(m.Parent(child_id=parent.child_id, school_id=parent.school_id, side=parent.side, name="又录"))
        session.commit()
    page = person("office").post("/trash/restore/", {"table": "parent", "id": str(parent.id)}, follow_redirects=True)
    assert page.status_code == 200 and "该儿童的这一方父母已登记" in page.text


def test_a_child_with_counselling_records_can_be_deleted_and_they_stay_with_the_counsellor(app, ids, person):
    assert person("secretary_a").post("/child/delete/", {"id": str(ids.child_a), "reason": "重复"}).status_code == 302
    assert rows(app, m.Child, m.Child.id == ids.child_a) == []
    assert len(rows(app, m.Counselling, m.Counselling.id == ids.counselling_a)) == 1


def test_deleting_a_child_takes_its_waiting_transfer_along(app, ids, person):
    (transfer,) = rows(app, m.Transfer, m.Transfer.id == ids.transfer_b)
    assert person("secretary_b").post("/child/delete/", {"id": str(transfer.child_id), "reason": "重复"}).status_code == 302
    assert rows(app, m.Transfer, m.Transfer.id == ids.transfer_b) == []
    assert person("secretary_a").post("/transfer/accept/", {"id": str(ids.transfer_b)}).status_code == 404


def test_a_teacher_who_answers_until_some_day_to_come_is_not_deleted(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for held in session.scalars(select(m.Responsibility).where(m.Responsibility.staff_id == ids.staff_a)):
            held.end = TODAY + dt.timedelta(days=200)
        session.commit()
    page = person("secretary_a").post("/staff/delete/", {"id": str(ids.staff_a), "reason": "离任"}, follow_redirects=True)
    assert "请先移交责任" in page.text and len(rows(app, m.Staff, m.Staff.id == ids.staff_a)) == 1


def test_the_counsellor_hands_a_child_over_for_the_holiday(app, ids, person):
    (handover,) = rows(app, m.Handover, m.Handover.id == ids.holiday_handover_a)
    form = {
        "holiday": str(handover.holiday_id),
        "school": str(ids.a),
        "enrolment": str(handover.enrolment_id),
        "village_person": "李主任",
        "overwrite": "1",
    }
    assert person("counsellor_a").post("/handover/save/", form).status_code == 302
    assert rows(app, m.Handover, m.Handover.id == handover.id)[0].village_person == "李主任"


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("POST", "/handover/save/", {"holiday": "99999"}),
        ("POST", "/census/hand-in/", {"census": "9999", "school": "{a}"}),
    ],
)
def test_an_unknown_row_is_not_taken_for_another(method, path, data, ids, person):
    data = {k: v.format(**vars(ids)) for k, v in data.items()}
    assert person("secretary_a").post(path, data).status_code == 404


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/transfer/accept/", {"id": "abc"}),
        ("/transfer/accept/", {"id": "9" * 40}),
        ("/mandatory_report/new/", {"school": "{a}", "finder": "王老师", "situation": "1", "found_at": "0001-01-01T00:00"}),
        ("/opinion/new/", {"school": "{a}", "source": "微信", "summary": "x", "level": "normal", "found_at": "0026-01-01T00:00"}),
        ("/mandatory_report/new/", {"school": "{a}", "finder": "王老师", "situation": "1", "found_at": "9999-12-31T23:59"}),
        ("/child/edit/?id={child_a}", {"distance": "9" * 400}),
        ("/transfer/new/", {"child": "{child_a}", "to_school": "{b}", "kind": "move", "proposed_on": "0001-01-01"}),
        ("/evening_slot/night/", {"on": "2025-12-02", "count-1": "9" * 5000}),
        ("/staff_handover/save/", {"staff": "{staff_a}", "on": "9999-12-31", "everybody": "{staff_a}"}),
        ("/staff_handover/save/", {"staff": "{staff_a}", "on": "2025-12-02", "everybody": "abc"}),
    ],
)
def test_odd_input_is_a_sentence_and_never_an_error(path, data, ids, person, app):
    data = {k: v.format(**vars(ids)) for k, v in data.items()}
    before = len(rows(app, m.Transfer)), len(rows(app, m.MandatoryReport)), len(rows(app, m.Opinion))
    assert person("secretary_a").post(path.format(**vars(ids)), data).status_code in (200, 302)
    assert before == (len(rows(app, m.Transfer)), len(rows(app, m.MandatoryReport)), len(rows(app, m.Opinion)))


@pytest.mark.parametrize("screen, name", [("assessment_round", "scheme"), ("scheme", "policy")])
def test_every_look_up_answers(screen, name, person):
    assert person("office").post(f"/{screen}/ajax/lookup/", {"name": name, "query": "和"}).status_code == 200


def test_a_broken_return_address_does_not_make_a_save_look_failed(app, ids, person):
    version = rows(app, m.Parent, m.Parent.id == ids.parent_a)[0].version
    form = {"child": str(ids.child_a), "side": "father", "bond": "own", "name": "新名字", "version": str(version)}
    answer = person("secretary_a").post(f"/parent/edit/?id={ids.parent_a}&url=/child/%0D%0AX", form)
    assert answer.status_code == 302 and "\n" not in answer.location


def test_a_second_click_on_accept_says_that_it_is_done(app, ids, person):
    secretary, form = person("secretary_a"), {"id": str(ids.transfer_b)}
    assert "已接收" in secretary.post("/transfer/accept/", form, follow_redirects=True).text
    assert "已经接收，不必再办" in secretary.post("/transfer/accept/", form, follow_redirects=True).text


def test_lists_of_childrens_records_say_the_school_and_find_a_child_by_name(ids, person):
    page = person("office").get("/letter/?search=甲小雨").text
    assert "甲小雨" in page and "丁不漏" not in page and "<td>晨光小学</td>" in page
    assert "丁不漏" not in person("office").get(f"/responsibility/?school={ids.a}").text
    assert "甲小雨" not in person("secretary_b").get(f"/letter/?school={ids.a}&search=甲").text.split("<main")[1].replace(
        'value="甲', ""
    )


def test_who_may_only_read_is_led_from_a_gap_to_the_child_and_not_to_a_form(ids, person):
    page = person("leader").get(f"/gaps/?school={ids.a}").text
    assert "/new/" not in page.split("<main")[1]


def test_a_ledger_is_never_read_into_the_bureau_by_one_click(person):
    page = person("office").get("/imports/").text
    assert "县教育局德育股" not in page.split("<main")[1] and '<option value=""></option>' in page


def test_a_page_says_no_less_than_its_line_in_the_list(ids, person):
    person("office").get(f"/child/details/?id={ids.child_a}")
    page = person("office").get("/audit_entry/details/?id=1").text
    assert all(f"<dt>{words}</dt>" in page for words in ("操作", "对象", "学校", "内容"))
    assert "学校填报员" in person("admin").get(f"/user_account/details/?id={ids.user_secretary_a}").text.split("<main")[1]


def test_a_child_who_is_not_left_behind_is_not_said_to_lack_a_talk(app, ids, person):
    with app.app_context(), session_with(SYSTEM, writes=True) as session:
        for status in session.scalars(select(m.ParentStatus)):
            status.state = m.ParentState.HOME
        session.commit()
    page = person("secretary_a").get("/child/").text
    assert "不适用" in page and "未谈</span>" not in page


def test_the_version_travels_with_a_form_unseen(ids, person):
    page = person("secretary_a").get(f"/parent/edit/?id={ids.parent_a}").text
    assert page.count('name="version"') == 1 and "Version" not in page.split("<main")[1]
