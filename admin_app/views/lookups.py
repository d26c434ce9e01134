"""Which rows a form offers for a relation, and in which words: one lookup a kind of row, used by all screens."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select
from sqlalchemy.orm import Session

from ..access import scope_in
from ..models import (
    Carer,
    CensusRound,
    Child,
    Code,
    CodeKind,
    DropoutCase,
    Enrolment,
    Facility,
    Holiday,
    Parent,
    School,
    Staff,
    Term,
    Township,
)
from .fields import Lookup


def child_words(child: Child) -> str:
    return f"{child.name} · {_(child.grade.label)} {child.class_name}"


def _own(query: Select[Any], session: Session) -> Select[Any]:
    """Records are written under the own school's enrolments; those of former schools are read only."""
    scope = scope_in(session)
    return query if scope.reads_everywhere else query.where(Enrolment.school_id.in_(sorted(scope.school_ids)))


def _own_cases(query: Select[Any], session: Session) -> Select[Any]:
    scope = scope_in(session)
    return query if scope.reads_everywhere else query.where(DropoutCase.school_id.in_(sorted(scope.school_ids)))


def enrolment_words(enrolment: Enrolment) -> str:
    return f"{enrolment.child_name} · {enrolment.school}" + ("" if enrolment.end is None else "（已离校）")


def codes(*kinds: CodeKind) -> Lookup:
    """The rows of the county's code lists that a form offers."""
    return Lookup(Code, only=lambda query, _s: query.where(Code.kind.in_(kinds), Code.active), order=("kind", "position"))


CHILDREN = Lookup(Child, words=child_words, order=("school_id", "class_order", "name_order"))
ENROLMENTS = Lookup(Enrolment, search=("child_name",), words=enrolment_words, only=_own, order=("school_id", "child_name"))
PARENTS = Lookup(Parent, words=lambda p: f"{p.child}的{p.side} {p.name}")
CARERS = Lookup(Carer, words=lambda c: f"{c.name}（{c.child}的{c.relation}）", order=("child_id", "start"))
STAFF = Lookup(Staff, words=lambda s: f"{s.name}（{s.duty}）" if s.duty else s.name, order=("school_id", "name"))
FACILITIES = Lookup(Facility, words=lambda f: f"{f.name} · {f.school}", order=("school_id", "kind"))
DROPOUTS = Lookup(
    DropoutCase, search=(), only=_own_cases, words=lambda d: f"{d.enrolment.child_name} · {d.found_on}", order=("found_on",)
)
TERMS = Lookup(Term, order=("start",))
HOLIDAYS = Lookup(Holiday, order=("start",))
CENSUSES = Lookup(CensusRound, search=("title",), order=("start",))
TOWNSHIPS = Lookup(Township, order=("position",))
CENTRES = Lookup(School, search=("name", "code"), only=lambda query, _session: query.where(School.assessed), order=("name",))
ANY_SCHOOL = Lookup(School, search=("name", "code"), order=("name",))
