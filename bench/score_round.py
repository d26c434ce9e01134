"""Times the scoring of the demo county's round: in all, its shared facts, and each metric on warm shared facts."""

from __future__ import annotations

import argparse
from collections import defaultdict

from sqlalchemy import select

from admin_app.access import SYSTEM
from admin_app.assessment import results
from admin_app.assessment.facts import METRICS, Window
from admin_app.db import db, session_with
from admin_app.models import Round, RoundState
from bench import empty_app, load_demo, machine, spread, statements, timed

SHARED = (
    "terms", "sites", "unit_of", "words", "activities", "rooms", "stays", "names", "children", "by_term", "months_due",
)  # fmt: skip
"""What the metrics share: computed once a round, on first use."""


def score_once(code: str) -> tuple[float, int, int]:
    """Milliseconds, statements and schools of one scoring, as the command ``score`` does it."""
    with session_with(SYSTEM) as session, statements(db.engine) as sent:
        round_ = session.scalars(select(Round).where(Round.code == code)).one()
        sent.clear()
        took, found = timed(lambda: results.score(session, round_))
        return took, len(sent), len(found.cards)


def parts_once(code: str, times: dict[str, list[float]], counts: dict[str, int]) -> None:
    with session_with(SYSTEM) as session, statements(db.engine) as sent:
        round_ = session.scalars(select(Round).where(Round.code == code)).one()
        window = Window.of(session, round_)

        def note(name: str, took: float) -> None:
            times[name].append(took)
            counts[name] = len(sent)

        for name in SHARED:
            sent.clear()
            note(f"shared {name}", timed(lambda name=name: getattr(window, name))[0])
        for metric, described in METRICS.items():
            sent.clear()
            note(f"{metric} {described.title}", timed(lambda described=described: described.compute(window))[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    with empty_app() as app, app.app_context():
        counts = load_demo()
        print(machine())
        print(f"demo county: {counts['child']} children, {counts['care_record']} care records, {sum(counts.values())} rows")
        with session_with(SYSTEM) as session:
            code = session.scalars(select(Round.code).where(Round.state == RoundState.OPEN).order_by(Round.code.desc())).first()
        assert code, "the demo has no open round"
        score_once(code)  # the first one compiles the statements
        scored = [score_once(code) for _ in range(runs)]
        took, sent, schools = [s[0] for s in scored], scored[0][1], scored[0][2]
        print(f"score, round {code}, {schools} schools, {runs} runs: {spread(took)}, {sent} statements")
        times: dict[str, list[float]] = defaultdict(list)
        per_part: dict[str, int] = {}
        for _ in range(runs):
            parts_once(code, times, per_part)
        for name, each in times.items():
            print(f"  {spread(each)}  {per_part[name]} statements  {name}")


if __name__ == "__main__":
    main()
