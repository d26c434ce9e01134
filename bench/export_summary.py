"""Times the county summary, the score sheets of all schools and their zip, from one scoring; and the memory they take."""

from __future__ import annotations

import argparse
import io
import multiprocessing
import sys
import tempfile
from pathlib import Path

from sqlalchemy import select

from admin_app import serving
from admin_app.access import SYSTEM
from admin_app.assessment import results, workbooks
from admin_app.db import session_with
from admin_app.models import Round, RoundState
from bench import Peak, app_in, load_demo, machine, spread, timed


def fill(folder: Path) -> None:
    with app_in(folder) as app, app.app_context():
        load_demo()


def measure(folder: Path, runs: int) -> None:
    with app_in(folder) as app, app.app_context(), session_with(SYSTEM) as session:
        round_ = session.scalars(select(Round).where(Round.state == RoundState.OPEN).order_by(Round.code.desc())).first()
        assert round_, "the demo has no open round"
        serving.calm_collector()  # as the server does
        print(machine())
        memory = Peak()
        took, found = timed(lambda: results.score(session, round_))
        reading, book = timed(lambda: workbooks.Book.of(session, round_, found, who="bench"))
        print(f"score of {len(found.cards)} schools {took:.0f} ms, reading the book {reading:.0f} ms, {memory}")

        memory = Peak()  # before the other books: what they free would hide what this takes
        zips = [timed(lambda: zipped(book)) for _ in range(runs)]
        print(f"zip of all sheets, {runs} runs: {spread([t for t, _ in zips])}, {zips[0][1] / 1024:.0f} KB, {memory}")

        memory = Peak()
        whole = [timed(lambda: workbooks.summary(book)) for _ in range(runs)]
        size = len(whole[0][1]) / 1024
        print(f"summary, {runs} runs: {spread([t for t, _ in whole])}, {size:.0f} KB, {memory}")

        memory = Peak()
        rounds, sizes = [], []
        for _ in range(runs):
            each = [timed(lambda card=card: len(workbooks.school_sheet(book, card.school_id))) for card in found.cards]
            rounds.append(sum(t for t, _ in each))
            sizes = [size / 1024 for _, size in each]
        print(
            f"{len(sizes)} score sheets, {runs} runs: {spread(rounds)}, {sum(rounds) / runs / len(sizes):.1f} ms a sheet, "
            f"{sum(sizes):.0f} KB ({min(sizes):.0f}-{max(sizes):.0f} a sheet), {memory}"
        )


def zipped(book: workbooks.Book) -> int:
    """Bytes of the zip; the file is gone afterwards."""
    with workbooks.all_sheets(book) as file:
        return file.seek(0, io.SEEK_END)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        # in a process of its own: loading takes more memory than what is measured, and a peak never falls
        loading = multiprocessing.get_context("spawn").Process(target=fill, args=(Path(folder),))
        loading.start()
        loading.join()
        if loading.exitcode:
            sys.exit("the demo county could not be loaded")
        measure(Path(folder), runs)


if __name__ == "__main__":
    main()
