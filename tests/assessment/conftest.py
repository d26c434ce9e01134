"""A school with nothing in it, and what its round says of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from admin_app import models as m
from admin_app.assessment import facts
from admin_app.assessment.facts import Window
from tests import factories as make
from tests.assessment.rounds import judge_everything


@pytest.fixture
def school(system, ids):
    return make.school(system, "2153990009", "白鹭小学")


@pytest.fixture
def found(system, ids, school):
    """One metric of a school, counted anew; the same when its numbers alone are asked for."""

    def count(metric, at=None, cut_off=None):
        system.flush()
        window = Window.of(system, system.get(m.Round, ids.round))
        window = replace(window, cut_off=cut_off) if cut_off else window
        unit = (at or school).id
        fact = facts.compute(window, [unit], [metric])[unit][metric]
        assert facts.compute(replace(window, lines=False), [unit], [metric])[unit][metric] == replace(fact, lines=())
        return fact

    return count


@pytest.fixture
def late():
    """After the cut-off."""
    return dt.datetime(2026, 9, 5, tzinfo=dt.UTC)


@pytest.fixture
def county_says(system):
    """Change a setting of the county."""

    def say(key, value):
        system.add(m.Setting(key=key, value=str(value)))

    return say


@pytest.fixture
def judged(system, ids):
    """The round with every item of every sheet judged."""
    return judge_everything(system, ids)
