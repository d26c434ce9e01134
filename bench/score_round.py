"""Times the scoring of a round: in all, its shared facts, and each metric on warm shared facts (numbers alone).

Of the demo county; or, with ``--schools`` and ``--children``, of the county many times over.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections import defaultdict

from sqlalchemy import func, select

from admin_app.access import SYSTEM
from admin_app.assessment import results
from admin_app.assessment.facts import METRICS, Window, compute
from admin_app.db import analyse, db, session_with
from admin_app.models import Child, Round, RoundState, School
from bench import Peak, empty_app, load_demo, machine, province, spread, statements, timed

SHARED = (
    "terms", "sites", "unit_of", "words", "activities", "rooms", "stays", "names", "children", "by_term", "months_due",
)  # fmt: skip
"""What the metrics share: computed once a round, on first use."""


def score_once(code: str, *, lines: bool) -> tuple[float, int, int]:
    """Milliseconds, statements and schools of one scoring: its numbers alone, as the ranking and the command ``score`` ask for
    them, or with the lists behind them, as for a freeze.
    """
    with session_with(SYSTEM) as session, statements(db.engine) as sent:
        round_ = session.scalars(select(Round).where(Round.code == code)).one()
        sent.clear()
        took, found = timed(lambda: results.score(session, round_, lines=lines))
        return took, len(sent), len(found.cards)


def parts_once(code: str, times: dict[str, list[float]], counts: dict[str, int]) -> None:
    with session_with(SYSTEM) as session, statements(db.engine) as sent:
        round_ = session.scalars(select(Round).where(Round.code == code)).one()
        window = Window.of(session, round_, lines=False)

        def note(name: str, took: float) -> None:
            times[name].append(took)
            counts[name] = len(sent)

        for name in SHARED:
            sent.clear()
            note(f"shared {name}", timed(lambda name=name: getattr(window, name))[0])
        for metric, described in METRICS.items():
            sent.clear()
            note(f"{metric} {described.title}", timed(lambda metric=metric: compute(window, (), [metric]))[0])


def multiply(code: str, schools: int, children: int) -> None:
    """The demo county as often as it takes to have so many assessed schools and so many left-behind children."""
    with session_with(SYSTEM) as session:
        round_ = session.scalars(select(Round).where(Round.code == code)).one()
        here = len(results.assessed(session)), len(Window.of(session, round_).children)
    copies = [math.ceil(wanted / there) for wanted, there in zip((schools, children), here, strict=True)]
    with db.engine.execution_options(writes=True).begin() as connection:
        took, _stride = timed(lambda: province.multiply(connection, copies[0], max(copies)))
    analyse()
    with session_with(SYSTEM) as session:
        there = [session.scalar(select(func.count()).select_from(model)) for model in (School, Child)]
        left_behind = len(Window.of(session, session.scalars(select(Round).where(Round.code == code)).one()).children)
    print(
        f"the county's schools {copies[0]} times, its children {max(copies)} times, in {took / 1000:.0f} s: "
        f"{there[0]} schools and sites, {there[1]} children, {left_behind} of them left behind on the cut-off"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, help="default 9; of a province 2")
    parser.add_argument("--postgres", action="store_true", help="on a temporary PostgreSQL instead of SQLite")
    parser.add_argument("--schools", type=int, default=0, help="at least so many assessed schools")
    parser.add_argument("--children", type=int, default=0, help="at least so many left-behind children")
    parser.add_argument("--quick", action="store_true", help="a tenth of the schools and children asked for")
    asked = parser.parse_args()
    wanted = [n // 10 if asked.quick else n for n in (asked.schools, asked.children)]
    runs = asked.runs or (2 if any(wanted) else 9)
    with empty_app(postgres=asked.postgres) as app, app.app_context():
        counts = load_demo()
        print(machine(), flush=True)
        print(f"demo county: {counts['child']} children, {counts['care_record']} care records, {sum(counts.values())} rows")
        with session_with(SYSTEM) as session:
            code = session.scalars(select(Round.code).where(Round.state == RoundState.OPEN).order_by(Round.code.desc())).first()
        assert code, "the demo has no open round"
        if any(wanted):
            multiply(code, *wanted)
        else:
            score_once(code, lines=True)  # the first one compiles the statements
        for lines, words in ((False, "numbers alone"), (True, "with all lists")):
            memory, used = Peak(), time.process_time()
            scored = [score_once(code, lines=lines) for _ in range(runs)]
            took, sent, schools = [s[0] for s in scored], scored[0][1], scored[0][2]
            cpu = (time.process_time() - used) / runs
            print(
                f"score, {words}, round {code}, {schools} schools, {runs} runs: {spread(took)}, {cpu:.2f} s of this process, "
                f"{sent} statements, {memory}",
                flush=True,
            )
        times: dict[str, list[float]] = defaultdict(list)
        per_part: dict[str, int] = {}
        for _ in range(runs):
            parts_once(code, times, per_part)
        whole = sum(statistics.median(each) for each in times.values())
        for name, each in times.items():
            print(f"  {spread(each)}  {statistics.median(each) / whole:4.0%}  {per_part[name]} statements  {name}")


if __name__ == "__main__":
    main()
