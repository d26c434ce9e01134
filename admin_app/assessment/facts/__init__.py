"""The facts: one function a metric, for all schools at once. The only queries of the assessment.

Run in a session bound to SYSTEM: a secretary's scope would make ranks wrong. A record counts when its day lies in the
round, it was entered by the cut-off and not deleted by then (rulings 1-5). Sites add up to their centre school.
"""

from __future__ import annotations

from ..scoring import Fact, Line
from . import activities, care, children, school
from .catalogue import METRICS, Described, compute
from .window import Member, Window

__all__ = ["METRICS", "Described", "Fact", "Line", "Member", "Window", "activities", "care", "children", "compute", "school"]
