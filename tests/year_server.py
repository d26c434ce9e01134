"""Serves a small county whose clock the test sets: python -m tests.year_server PORT CLOCK_FILE (DATA_DIR from the environment).

School A (a day primary school with a P6 child), school C (from which a child moves to A) and the junior school J next door.
"""

from __future__ import annotations

import datetime as dt
import sys
import threading
import time
from pathlib import Path

import time_machine

from tests.browser import PASSWORD

START = dt.datetime(2025, 9, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def county() -> None:
    from sqlalchemy import select

    from admin_app import auth, models as m
    from admin_app.access import SYSTEM
    from admin_app.assessment import workflow
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
            auth.create_user(session, name, {"office": "股员", "secretary": "方老师", "sender": "罗老师", "junior": "高老师"}[name],
                             [m.Role(role)], school, PASSWORD, must_change=False)  # fmt: skip
        round_ = (
            m.Round(
                code="2026", title="2026 年度考核", scheme_id=session.scalar(select(m.Scheme.id)), start=dt.date(2025, 9, 1),
                last_day=dt.date(2026, 8, 31), cut_off=dt.date(2026, 8, 31), state=m.RoundState.OPEN,
            )
        )  # fmt: skip
        session.add(round_)
        session.flush()
        workflow.open_sheets(session, round_)


def main() -> None:
    port, clock = int(sys.argv[1]), Path(sys.argv[2])
    with time_machine.travel(START) as traveller:
        from admin_app import commands, settings

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
