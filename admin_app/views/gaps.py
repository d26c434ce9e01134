"""缺项清单: a school's missing things by points, each a link to where it is mended; the county's schools, to be chased."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, request, url_for
from flask_admin import expose
from sqlalchemy import select

from ..access import SYSTEM, Action
from ..assessment import facts, gaps
from ..assessment.scoring import Line
from ..db import session_with
from ..models import Resource, Round, School
from .base import ToolView
from .fields import number_or_none, own_schools
from .gate import current_scope, note_names

MENDS: dict[str, tuple[str, dict[str, str]]] = {
    "F6": ("care_record.create_view", {"kind": "visit", "way": "home"}),
    "F7": ("care_record.create_view", {"kind": "contact"}),
    "F9": ("care_record.create_view", {"kind": "talk"}),
    "F13": ("handover.index", {}),
    "F14": ("pairing.create_view", {}),
    "F15": ("letter.create_view", {}),
    "F16": ("evaluation.create_view", {}),
    "F17": ("subsidy.create_view", {}),
}
"""Metrics whose missing child opens a form that is filled in for that child; the others open the dossier, or the screen."""
OF_KIND = {
    "F12": "drill", "safety_lessons": "activity", "law_days": "activity", "gratitude_terms": "activity", "reading_months": "activity",
    "festivals": "activity", "practice": "activity", "class_meetings": "activity", "meetings": "meeting", "agencies": "linkage",
    "publicity": "publicity", "F10": "opening", "F19": "opening", "palace_openings": "opening",
}  # fmt: skip
"""Metrics of school work: the form of that kind of activity."""
SHOWN = 40
"""Names shown of one gap; the rest is counted."""


class GapView(ToolView):
    resource = Resource.SCORES
    needs = {"index": Action.READ}

    def __init__(self) -> None:
        super().__init__("缺项清单", "gaps")

    def _round(self) -> Round | None:
        wanted = number_or_none(request.args.get("round"))
        session = self.db_session
        return session.get(Round, wanted) if wanted else gaps.open_round(session)

    @expose("/")
    def index(self) -> Any:
        """One school's list, or, for who reads the county, every school with what it could still earn."""
        round_, today = self._round(), dt.date.today()
        if round_ is None:
            return self.render("gaps/none.html")
        school_id = number_or_none(request.args.get("school"))
        held = own_schools(select(School.id).where(School.assessed), self.db_session)
        mine = set(self.db_session.scalars(held))
        if school_id is None and not current_scope().reads_everywhere and mine:
            school_id = min(mine)
        if school_id is not None and school_id not in mine:
            abort(404)
        on = min(today, round_.cut_off)
        if school_id is None:
            return self._county(round_, on)
        with session_with(SYSTEM) as system:
            found = gaps.of(system, system.get_one(Round, round_.id), today, [system.get_one(School, school_id)])
            note_names(len({line.child_id for gap in found[0].gaps for line in gap.missing} - {None}), school_id)
            return self.render(
                "gaps/school.html", round=round_, of=found[0], on=on, shown=SHOWN, mend=self._mend, past=today > round_.cut_off
            )

    def _county(self, round_: Round, on: dt.date) -> str:
        with session_with(SYSTEM) as system:
            found = gaps.of(system, system.get_one(Round, round_.id), on)
            ordered = sorted(found, key=lambda of: -of.points)
            totals: dict[str, tuple[str, int, Any]] = {}
            for of in ordered:
                for gap in of.gaps:
                    title, count, points = totals.get(gap.metric, (gap.what, 0, 0))
                    totals[gap.metric] = (title, count + len(gap.missing), points + gap.points)
            by_metric = sorted(totals.values(), key=lambda row: -row[2])
            return self.render("gaps/county.html", round=round_, found=ordered, by_metric=by_metric, on=on)

    def _mend(self, gap: gaps.Gap, line: Line) -> str:
        """The address of the place that mends one line."""
        here = request.full_path
        if line.child_id is not None:
            endpoint, more = MENDS.get(gap.metric, ("child.details_view", {}))
            if not current_scope().may(Action.CREATE, Resource.CARE):
                return url_for("child.details_view", id=line.child_id)
            if not endpoint.endswith(".create_view"):
                return url_for(endpoint, **more) if gap.metric in MENDS else url_for(endpoint, id=line.child_id)
            return url_for(endpoint, child=line.child_id, url=here, **more)
        if gap.metric in OF_KIND and current_scope().may(Action.CREATE, Resource.WORK):
            return url_for("activity.create_view", of=OF_KIND[gap.metric], url=here)
        described = facts.find(gap.metric)
        assert described is not None, gap.metric
        return _screen(described.place)


def _screen(place: str) -> str:
    """The first page of a screen, whatever kind of view it is."""
    return {"census_return": url_for("census.index"), "holiday_handover": url_for("handover.index")}.get(place) or url_for(
        f"{place}.index_view"
    )
