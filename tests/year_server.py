"""Serves a small county whose clock the test sets: python -m tests.year_server PORT CLOCK_FILE COUNTY.

``year``: school A (a day primary school with a P6 child), school C (from which a child moves to A) and the junior school J next
door. ``round``: three schools with their children at the end of a year, before there is a round. ``class``: a class of sixty.
"""

from __future__ import annotations

import datetime as dt
import sys
import threading
import time
from pathlib import Path

import time_machine
from sqlalchemy.orm import Session

from tests.browser import PASSWORD

START = dt.datetime(2025, 9, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def year() -> None:
    from sqlalchemy import select

    from admin_app import accounts, models as m
    from admin_app.access import SYSTEM
    from admin_app.db import writing
    from tests import factories as make

    with writing(SYSTEM) as session:
        town = session.scalar(select(m.Township).where(m.Township.name == "漠沙镇"))
        a = make.school(session, "2153990001", "晨光小学", township_id=town.id)
        c = make.school(session, "2153990002", "青松小学", township_id=town.id)
        j = make.school(
            session, "3153990001", "漠沙中学", kind=m.SchoolKind.JUNIOR, school_group=m.SchoolGroup.JUNIOR, township_id=town.id
        )
        for school, name in ((a, "杨师傅"), (c, "李师傅"), (j, "白师傅")):
            make.staff(session, school, name)
        moving = make.left_behind(session, c, "乙转来", start=dt.date(2025, 9, 1), born=dt.date(2016, 5, 6))
        moving.special_requests = "无"
        make.carer(session, moving, "乙奶奶")
        for name, role, school in (
            ("office", "office", None),
            ("secretary", "secretary", a),
            ("sender", "secretary", c),
            ("junior", "secretary", j),
        ):
            accounts.create(session, name, {"office": "股员", "secretary": "方老师", "sender": "罗老师", "junior": "高老师"}[name],
                             [m.Role(role)], school, PASSWORD, must_change=False)  # fmt: skip
        a_round(session)


def a_round(session: Session) -> None:
    """The year's assessment, open, with a sheet for every school."""
    from sqlalchemy import select

    from admin_app import models as m
    from admin_app.assessment import workflow

    round_ = m.Round(
        code="2026", title="2026 年度考核", scheme_id=session.scalar(select(m.Scheme.id)), start=dt.date(2025, 9, 1),
        last_day=dt.date(2026, 8, 31), cut_off=dt.date(2026, 8, 31), state=m.RoundState.OPEN,
    )  # fmt: skip
    session.add(round_)
    session.flush()
    workflow.open_sheets(session, round_)


def end_of_a_year() -> None:
    """Twelve children at A, two at each of the others; every school has talked with its children once."""
    from sqlalchemy import select

    from admin_app import accounts, models as m
    from admin_app.access import SYSTEM
    from admin_app.db import writing
    from tests import factories as make

    with writing(SYSTEM) as session:
        town = session.scalar(select(m.Township).where(m.Township.name == "漠沙镇"))
        schools = [
            make.school(session, f"215399000{n}", name, township_id=town.id)
            for n, name in ((1, "晨光小学"), (2, "青松小学"), (3, "白鹭小学"))
        ]
        for school, surname, count in zip(schools, "甲乙丙", (12, 2, 2), strict=True):
            make.staff(session, school, f"{surname}师傅")
            for n in range(count):
                child = make.left_behind(session, school, f"{surname}{'子丑寅卯辰巳午未申酉戌亥'[n]}", start=dt.date(2025, 9, 1))
                make.talk(session, child, dt.date(2025, 10, 9))
        for name, words, role, school in (
            ("office", "股员", "office", None), ("leader", "局长", "leader", None), ("secretary", "方老师", "secretary", schools[0]),
            ("principal", "白校长", "principal", schools[0]),
        ):  # fmt: skip
            accounts.create(session, name, words, [m.Role(role)], school, PASSWORD, must_change=False)


LONG = ("岩温罕·玉香波罕帕雅·依坎罕", "阿依古丽娅·岩温香·玛哈依罕", "沙马阿木呷·吉克伍各莫", "王好")
"""Names as long as they get in the county, and a short one."""
ADDRESS = "漠沙镇曼线村委会大沐浴小组上寨子第11组半坡村小卖部后面第三家"
WORK = "广东省东莞市长安镇霄边社区某某精密电子科技有限公司第三分厂冲压车间"


def full_class() -> None:
    """One school with a class of sixty, everything as long as it gets: what paper has to hold."""
    from sqlalchemy import select

    from admin_app import accounts, models as m
    from admin_app.access import SYSTEM
    from admin_app.db import writing
    from tests import factories as make

    with writing(SYSTEM) as session:
        at, other = make.school(session, "2153990001", "晨光小学"), make.school(session, "2153990002", "青松小学")
        teacher, leaver = (make.staff(session, at, name) for name in LONG[:2])
        term = session.scalar(select(m.Term).where(m.Term.code == "2025-1"))
        for n in range(60):
            child = make.left_behind(
                session, at, LONG[n % 4], grade=m.Grade.P6, class_name="9班", home_address=ADDRESS, class_teacher_id=teacher.id,
                special_requests="希望周末能与父母视频，" * 8,
            )  # fmt: skip
            for parent in session.scalars(select(m.Parent).where(m.Parent.child_id == child.id)):
                parent.name, parent.employer = LONG[(n + 1) % 4], WORK
            make.carer(session, child, LONG[(n + 2) % 4], relation=m.Kinship.OTHER_KIN).address = ADDRESS
            make.responsible(session, child, leaver, end=dt.date(2026, 1, 9))
            make.responsible(session, child, teacher, start=dt.date(2026, 1, 9))
            for side in m.StateSide:
                said = {"mind" if side is m.StateSide.MIND else "text": "性格开朗，作业按时完成，" * 12}
                make.event(session, m.StateNote, child, term_id=term.id, side=side, on=dt.date(2025, 10, 9), **said)
            session.add(m.Post(school_id=at.id, body=m.Body.WORKING, name=LONG[n % 4], title="班主任", duties="负责谈心、家访。" * 3,
                               start=dt.date(2025, 9, 1)))  # fmt: skip
        session.add(m.Post(school_id=at.id, body=m.Body.VILLAGE, name=LONG[2], title="曼线村", start=dt.date(2025, 9, 1)))
        session.add(
            m.TrainingSession(school_id=at.id, title="家庭教育讲座", kind_id=make.code_id(session, "T1"), on=dt.date(2025, 12, 1))
        )
        session.add(m.Transfer(school_id=at.id, to_school_id=other.id, child_id=child.id, child_name=child.name, kind=m.TransferKind.MOVE,
                               proposed_on=dt.date(2026, 1, 8)))  # fmt: skip
        accounts.create(session, "secretary", "方老师", [m.Role.SECRETARY], at, PASSWORD, must_change=False)
        a_round(session)


COUNTIES = {"year": year, "round": end_of_a_year, "class": full_class}


def main() -> None:
    port, clock, county = int(sys.argv[1]), Path(sys.argv[2]), COUNTIES[sys.argv[3]]
    with time_machine.travel(START) as traveller:
        from admin_app import accounts, commands, settings

        accounts.UNUSED_FOR = dt.timedelta(days=400)  # the clock jumps over months in which these people would have logged in
        configuration = settings.read({"DATA_DIR": str(clock.parent), "RATE_LIMITS": "off"})
        app = commands.ready_app(configuration)
        with app.app_context():
            county()

        def follow() -> None:
            shown = ""
            while True:
                now = clock.read_text() if clock.exists() else ""
                if now and now != shown:
                    traveller.move_to(dt.datetime.fromisoformat(now))
                    shown = now
                    clock.with_suffix(".done").write_text(now)
                time.sleep(0.05)

        threading.Thread(target=follow, daemon=True).start()
        import waitress

        waitress.serve(app, host="127.0.0.1", port=port, threads=4)


if __name__ == "__main__":
    main()
