"""The admin-app command, as scripts outside call it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import ON_POSTGRES

ROOT = Path(__file__).parent.parent
LEDGER = Path(__file__).parent / "ledgers" / "台账-整洁.xlsx"

pytestmark = [pytest.mark.matrix, pytest.mark.skipif(ON_POSTGRES, reason="runs the command on a SQLite file of its own")]


def command(folder, *words, stdin=""):
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "SECRET_KEY")}
    env |= {"DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-m", "admin_app", *words], cwd=ROOT, env=env, input=stdin, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """A register loaded from a small folder of CSV files."""
    folder = tmp_path_factory.mktemp("office")
    demo = tmp_path_factory.mktemp("csv")
    files = {
        "school": "code,name,kind,assessed,school_group,pupils\n2153990001,晨光小学,centre,1,primary,60\n",
        "staff": "code,school,name,start\nT1,2153990001,方晓燕,2020-09-01\n",
        "child": "code,school,name,sex,birth_date,ethnic,grade,class_name\nC1,2153990001,普小龙,1,2016-03-04,07,P3,1班\n",
        "enrolment": "child,school,child_name,start\nC1,2153990001,普小龙,2025-09-01\n",
        "assessment_round": "code,title,scheme,start,last_day,cut_off\n2026,2026 年度考核,2026,2025-09-01,2026-08-31,2026-08-31\n",
    }
    for name, text in files.items():
        (demo / f"{name}.csv").write_text(text, encoding="utf-8")
    done = command(folder, "load-demo", "--from", str(demo))
    assert done.returncode == 0, done.stderr
    return folder


def test_a_folder_loads_once(county):
    again = command(county, "load-demo")
    assert again.returncode == 1 and "已有儿童档案" in again.stderr and "Traceback" not in again.stderr


def test_a_ledger_is_tried_then_written_then_unchanged(county):
    tried = command(county, "import-ledger", str(LEDGER), "--school", "2153990001", "--dry-run", "--json")
    assert tried.returncode == 0 and json.loads(tried.stdout)["counts"]["new"] == 60
    unsaid = command(county, "import-ledger", str(LEDGER), "--school", "2153990001")
    assert unsaid.returncode == 2 and "--ground later" in unsaid.stderr  # whether the guardians were told must be said
    said = ("--ground", "given", "--informed-on", "2026-09-01")
    assert command(county, "import-ledger", str(LEDGER), "--school", "2153990001", *said).returncode == 0
    answer = json.loads(command(county, "import-ledger", str(LEDGER), "--school", "2153990001", "--json").stdout)
    assert answer["counts"] == {"new": 0, "changed": 0, "unchanged": 60, "repaired": 0, "unsure": 0, "refused": 0}
    assert len(answer["rows"]) == 60 and set(answer["rows"][0]) == {"sheet", "row", "status", "problems"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("import-ledger", str(LEDGER)), 2),
        (("import-ledger", str(LEDGER), "--school", "9999999999"), 1),
        (("import-ledger", str(ROOT / "README.md"), "--school", "2153990001"), 1),
        (("import-ledger", "no-such-file.xlsx"), 2),
        (("score", "--round", "1999"), 1),
        (("score",), 2),
        (("no-such-word",), 2),
    ],
)
def test_wrong_use_is_2_and_wrong_data_is_1(words, code, county):
    done = command(county, *words)
    assert done.returncode == code and "Traceback" not in done.stderr and (done.stderr or done.stdout)


def test_scores_come_as_one_json_document(county):
    answer = json.loads(command(county, "score", "--round", "2026", "--json").stdout)
    assert set(answer) == {"round", "cut_off", "frozen", "schools"} and len(answer["schools"][0]["items"]) == 35
    assert set(answer["schools"][0]) >= {
        "code",
        "name",
        "group",
        "earned",
        "applicable",
        "base",
        "bonus",
        "discipline",
        "total",
        "grade",
        "rank",
        "fold",
    }


def test_score_sheets_are_written(county, tmp_path):
    for words in ((), ("--school", "2153990001")):
        out = tmp_path / f"{len(words)}.xlsx"
        assert command(county, "export-scores", "--round", "2026", *words, "--out", str(out)).returncode == 0
        assert out.read_bytes()[:2] == b"PK"


def test_an_account_is_made_once_with_a_good_password(county):
    words = ("create-user", "luo", "--role", "secretary", "--school", "2153990001", "--password-stdin")
    assert command(county, *words, stdin="short\n").returncode == 1
    assert command(county, *words, stdin="shan qing shui xiu 8\n").returncode == 0
    assert "已存在" in command(county, *words, stdin="shan qing shui xiu 8\n").stderr


def test_an_account_is_unlocked_and_freed_of_codes_by_command(county):
    """The way back in for the only administrator; who did it is in the log."""
    with sqlite3.connect(county / "register.sqlite3") as register:
        register.execute("update user_account set otp_step = 5 where username = 'luo'")
    assert "没有锁定" in command(county, "unlock", "luo").stdout
    assert "已移除" in command(county, "remove-totp", "luo").stdout
    for words in (("unlock", "nobody"), ("remove-totp", "nobody")):
        done = command(county, *words)
        assert done.returncode == 1 and "没有账号 nobody" in done.stderr
    with sqlite3.connect(county / "register.sqlite3") as register:
        assert register.execute("select otp_step from user_account where username = 'luo'").fetchone() == (None,)
        logged = register.execute("select changes from audit_value order by entry_id desc limit 1").fetchone()[0]
    assert json.loads(logged) == {"动态口令": [None, "管理员移除"]}


def test_serve_refuses_a_demo_database(county):
    done = command(county, "serve")
    assert done.returncode == 2 and "演示" in done.stderr


def test_the_schema_is_what_the_models_say_and_the_log_is_whole(county):
    done = command(county, "db", "check")
    assert done.returncode == 0, done.stderr[-500:]


def test_who_was_there_before_is_sorted_and_found_by_sound_too(county):
    """The columns made of others are gone with the migration and filled again by it, for every row."""

    def kept():
        with sqlite3.connect(county / "register.sqlite3") as connection:
            child = "select id, name_order, name_sound, class_order from child order by id"
            named = "select 0, name_order, name_sound, '' from {} order by id"
            return [
                row for query in (child, *map(named.format, ("staff", "enrolment", "carer"))) for row in connection.execute(query)
            ]

    before = kept()
    assert before[0][1] == "pu3普xiao3小long2龙" and before[0][3] == "070001ban1班"
    assert command(county, "db", "downgrade", "0006").returncode == 0
    done = command(county, "db", "upgrade")
    assert done.returncode == 0, done.stderr[-500:]
    assert kept() == before and all(order and sound for _id, order, sound, _class in before)


def test_migrations_go_down_and_up_again(county, tmp_path):
    assert command(tmp_path, "db", "upgrade").returncode == 0
    assert command(county, "db", "downgrade", "base").returncode == 0
    assert command(county, "db", "upgrade").returncode == 0


def test_a_row_finds_the_stay_of_its_day_and_the_owner_of_what_it_points_to(tmp_path):
    """A child that moved has two stays: care hangs on that of its day, its file on the school where it sits now."""
    demo, data = tmp_path / "csv", tmp_path / "data"
    demo.mkdir()
    data.mkdir()
    old, new = "2153990001", "2153990002"
    files = {
        "school": f"code,name,kind,centre\n2153991001,和平教学点,point,{old}\n{old},晨光小学,centre,\n{new},青松小学,centre,\n",
        "child": f"code,school,name,sex,birth_date,ethnic,grade,class_name\nC1,{new},普小龙,1,2016-03-04,07,P3,1班\n",
        "enrolment": f"child,school,start,end,leave_reason\nC1,{new},2026-03-02,,\nC1,{old},2025-09-01,2026-03-02,transfer\n",
        "carer": "code,child,name,relation,start\nG1,C1,普正兴,祖父,2025-09-01\n",
        "agreement": "carer,principals,signed_on,start\nG1,普建国,2025-09-10,2025-09-10\n",
        "transfer": f"child,school,to_school,proposed_on,answered_on,state\nC1,{old},{new},2026-02-25,2026-03-02,accepted\n",
        "care_record": "child,kind,on,way\nC1,talk,2025-10-09,face\nC1,talk,2026-04-09,face\n",
        "dropout_case": "code,child,found_on,grade,reason\nD1,C1,2025-11-03,P3,weary\n",
        "dropout_step": "case,step,on\nD1,1,2025-11-05\n",
        "activity": "school,title,kind,on,agencies\n2153990001,联合走访,L01,2026-01-09,B03 B05\n",
        "opinion": f"school,found_at,source,summary\n{old},2026-03-05 06:30,家长群,反映拥堵\n",
    }
    for name, text in files.items():
        (demo / f"{name}.csv").write_text(text, encoding="utf-8")
    done = command(data, "load-demo", "--from", str(demo))
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(data / "register.sqlite3") as register:
        at = "select s.code, substr(x.created_at, 1, 10) from {} x join school s on s.id = x.school_id order by x.id"
        read = {
            table: register.execute(at.format(table)).fetchall()
            for table in ("care_record", "dropout_step", "agreement", "transfer")
        }
        assert read == {
            "care_record": [(old, "2025-10-09"), (new, "2026-04-09")],
            "dropout_step": [(old, "2025-11-05")],
            "agreement": [(new, "2025-09-10")],
            "transfer": [(old, "2026-02-25")],
        }
        assert register.execute("select agencies from activity").fetchall() == [("B03 B05",)]
        assert register.execute("select found_at from opinion").fetchall() == [("2026-03-04 22:30:00.000000",)]
    (demo / "agreement.csv").write_text("carer,principals,signed_on,start\nG9,普建国,2025-09-10,2025-09-10\n", encoding="utf-8")
    wrong = command(tmp_path, "load-demo", "--from", str(demo))
    assert wrong.returncode == 1 and "agreement.csv 第 2 行，列 carer：找不到 G9" in wrong.stderr
