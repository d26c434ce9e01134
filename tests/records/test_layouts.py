"""Whatever the layout a school chose, the children in it are read back as they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from admin_app.records import ledger
from admin_app.sheets import reader
from tests.records import layouts

pytestmark = pytest.mark.matrix

chances = st.randoms(use_true_random=False)


def read_back(chance, count):
    some = layouts.children(chance, count)
    written = layouts.ledger_of(some, chance)
    entries = ledger.entries(reader.read(written.content, written.file_name))
    assert [(p.cell, p.text) for entry in entries for p in entry.problems if p.level != "repair"] == []
    assert [(entry.sheet, entry.number, entry.values) for entry in entries] == written.expected


@settings(max_examples=25, deadline=None)
@given(chances, st.integers(1, 6))
def test_a_ledger_in_any_layout_gives_the_same_children(chance, count):
    read_back(chance, count)


@settings(max_examples=400, deadline=None)
@given(chances, st.integers(1, 12))
def test_a_ledger_in_many_layouts_gives_the_same_children(chance, count):
    read_back(chance, count)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(chances, st.integers(1, 12))
def test_a_ledger_in_thousands_of_layouts_gives_the_same_children(chance, count):
    read_back(chance, count)
