"""List conditions: from a column to a control, a statement and the words on a chip."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Boolean, Date, Select, String, select
from sqlalchemy.orm import Session

from .. import labels
from ..access import scope_in
from ..db import db
from ..models import BY_TOWNSHIP, School
from ..orm import Base, Coded, Group, Several
from .fields import Lookup, own_schools

Options = Callable[[Session], list[tuple[str, str]]]


@dataclass(frozen=True)
class Filter:
    """One condition a list offers, as a query parameter ``name=value``."""

    name: str
    label: str
    apply: Callable[[Select[Any], Any], Select[Any]]
    parse: Callable[[str], Any] = str
    """:raises ValueError: when the value in the address cannot be used."""
    options: Options | None = None
    kind: str = "text"
    shown: Callable[[Session, str], str] | None = field(default=None)
    group: Group = Group.ROSTER
    """What it tells of a row: it is offered to who may read that, and finds rows in which the actor may."""

    def narrow(self, query: Select[Any], model: Any, value: Any) -> Select[Any]:
        """The rows it holds for, and no row whose value the actor may not read."""
        scope = scope_in(db.session())
        if not scope.sees(self.group, None):
            query = query.where(model.school_id.in_([at for at in scope.school_ids if scope.sees(self.group, at)] or [-1]))
        return self.apply(query, value)

    def words(self, session: Session, raw: str) -> str:
        """The condition as it stands on its chip."""
        if self.shown:
            return self.shown(session, raw)
        if self.options:
            return dict(self.options(session)).get(raw, raw)
        return raw


def number(raw: str) -> int:
    value = int(raw)
    if not 0 < value < 2**31:
        raise ValueError("out of range")
    return value


def by_choice(model: type[Base], name: str) -> Filter:
    """A graver value than the rest of its list (a restricted category) is not searched for."""
    column, choices = getattr(model, name), labels.choices(model, name)
    assert choices
    offered = [member for member in choices if getattr(member, "group", None) is not Group.INCIDENT]

    def parse(raw: str) -> Any:
        if (value := choices(raw)) not in offered:
            raise ValueError(raw)
        return value

    return Filter(
        name,
        labels.label(model, name),
        lambda query, value: query.where(column == value),
        parse,
        lambda _session: [(member.value, _(member.label)) for member in offered],
        "choice",
        group=labels.group(model, name),
    )


def by_one_of_several(model: type[Base], name: str) -> Filter:
    """Rows whose column holds this code, among others or alone."""
    column, choices = getattr(model, name), labels.column_type(model, name).choices
    return Filter(
        name,
        labels.label(model, name),
        lambda query, value: query.where((" " + column.cast(String) + " ").contains(f" {value} ")),
        lambda raw: choices(raw).value,
        lambda _session: [(member.value, _(member.label)) for member in choices],
        "choice",
        group=labels.group(model, name),
    )


def by_flag(model: type[Base], name: str) -> Filter:
    column = getattr(model, name)
    return Filter(
        name,
        labels.label(model, name),
        lambda query, value: query.where(column.is_(value)),
        lambda raw: {"1": True, "0": False}[raw],
        lambda _session: [("1", _("是")), ("0", _("否"))],
        "choice",
        group=labels.group(model, name),
    )


def by_row(model: type[Base], name: str, lookup: Lookup) -> Filter:
    """A condition on a relation; its options are the rows the actor may see."""
    column = getattr(model, f"{name}_id")
    return Filter(
        name,
        labels.label(model, name),
        lambda query, value: query.where(column == value),
        number,
        lookup.options,
        "choice",
        shown=lambda session, raw: _row_words(session, lookup, raw),
    )


def _row_words(session: Session, lookup: Lookup, raw: str) -> str:
    row = lookup.one(session, raw)
    return lookup.words(row) if row is not None else raw


def by_text(model: type[Base], name: str) -> Filter:
    column = getattr(model, name)

    def contains(query: Select[Any], value: str) -> Select[Any]:
        return query.where(column.contains(value, autoescape=True))

    return Filter(name, labels.label(model, name), contains, _short_text, group=labels.group(model, name))


def _short_text(raw: str) -> str:
    if len(raw) > 60 or "\0" in raw:
        raise ValueError("too long")
    return raw


def by_dates(model: type[Base], name: str) -> tuple[Filter, Filter]:
    column, label, group = getattr(model, name), labels.label(model, name), labels.group(model, name)
    day, since, until = dt.date.fromisoformat, lambda q, value: q.where(column >= value), lambda q, value: q.where(column <= value)
    return (
        Filter(f"{name}_from", f"{label}{_('从')}", since, day, kind="date", group=group),
        Filter(f"{name}_to", f"{label}{_('到')}", until, day, kind="date", group=group),
    )


def by_school(model: type[Base]) -> Filter:
    """Rows of one school or site, among those whose rows the actor may see."""

    def options(session: Session) -> list[tuple[str, str]]:
        query = own_schools(select(School.id, School.name).order_by(*BY_TOWNSHIP), session)
        return [(str(pk), name) for pk, name in session.execute(query)]

    return Filter("school", "学校", lambda query, value: query.where(model.school_id.in_([value])), number, options, "choice")


def by_township(model: type[Base]) -> Filter:
    """Rows of the schools of one township."""
    from ..models import Township

    def options(session: Session) -> list[tuple[str, str]]:
        query = select(Township.id, Township.name).order_by(Township.position)
        if not scope_in(session).reads_everywhere:
            query = query.where(Township.id.in_(own_schools(select(School.township_id), session)))
        return [(str(pk), name) for pk, name in session.execute(query)]

    in_township = lambda value: select(School.id).where(School.township_id == value)  # noqa: E731
    return Filter(
        "township", "乡镇", lambda query, value: query.where(model.school_id.in_(in_township(value))), number, options, "choice"
    )


def for_column(model: type[Base], name: str, lookup: Lookup | None) -> tuple[Filter, ...]:
    """The conditions a column or relation offers by its type."""
    if lookup is not None:
        return (by_row(model, name, lookup),)
    kind = labels.column_type(model, name)
    if isinstance(kind, Coded):
        return (by_choice(model, name),)
    if isinstance(kind, Several):
        return (by_one_of_several(model, name),)
    if isinstance(kind, Boolean):
        return (by_flag(model, name),)
    if isinstance(kind, Date):
        return by_dates(model, name)
    return (by_text(model, name),)
