"""Times the county's list of gaps over the demo county: everything missing, ordered by points, for every assessed school."""

from __future__ import annotations

import argparse
import datetime as dt

from admin_app.access import SYSTEM
from admin_app.assessment import gaps
from admin_app.db import db, session_with
from bench import empty_app, load_demo, machine, spread, statements, timed


def once() -> tuple[float, int, int, int]:
    """Milliseconds, statements, schools and lines of one list, in a session of its own, as the page makes it."""
    with session_with(SYSTEM) as session, statements(db.engine) as sent:
        took, found = timed(lambda: gaps.of(session, gaps.open_round(session), dt.date.today()))
        return took, len(sent), len(found), sum(of.count for of in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    with empty_app() as app, app.app_context():
        counts = load_demo()
        print(machine())
        print(f"demo county: {counts['child']} children, {sum(counts.values())} rows")
        once()  # the first one compiles the statements
        measured = [once() for _ in range(runs)]
        _took, sent, schools, lines = measured[0]
        print(f"gap list, {schools} schools, {lines} missing, {runs} runs: {spread([m[0] for m in measured])}, {sent} statements")


if __name__ == "__main__":
    main()
