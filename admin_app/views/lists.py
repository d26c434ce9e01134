"""The list of a record screen: columns, search, filters, order, pages, look-ups and export.

Reads columns, not objects, in one statement for a page; every statement passes the session's scope.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar

from flask import abort, current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import Boolean, Date, Integer, Select, func, or_, select
from sqlalchemy.orm import class_mapper

from .. import labels, rules
from ..access import shown
from ..models import School
from ..orm import Base
from ..rules import Complaint
from ..sheets import writer
from . import addresses, filters as conditions
from .exports import carried_out, handed_out, receipt_of, refused
from .fields import SCHOOLS, Lookup, says
from .gate import Gate, current_scope, note, note_lookup
from .words import bare, looks_like_number, screen_words

PAGE_SIZE = 50
COUNT_CAP = 10_000
"""Counting stops here: 10,000 条以上."""
LONGEST = 100
"""What is read of one thing typed."""
EXPORT_CAP, PART = 200_000, 1000
"""Rows of an export at most, and read at a time."""


@dataclass
class Line:
    """One row of a list: its id and school, its values by column name, and what the view adds."""

    id: Any
    school_id: int | None
    values: dict[str, Any] = field(default_factory=dict)


class Listing(Gate):
    """What a RecordView's list offers. The attributes are the view's configuration."""

    model: ClassVar[type[Base]]
    column_list: ClassVar[Sequence[str]]
    form_columns: ClassVar[Sequence[str]]
    extra_columns: ClassVar[dict[str, str]] = {}
    """Columns the view computes for a page of rows in ``decorate``: name -> label."""
    filters: ClassVar[Sequence[str | conditions.Filter]] = ()
    lookups: ClassVar[dict[str, Lookup]] = {}
    search: ClassVar[Sequence[str]] = ()
    search_exact: ClassVar[Sequence[str]] = ()
    """Blind indexes: a number typed into the search box, whole or its last four digits, is compared with these."""
    default_sort: ClassVar[Sequence[tuple[str, bool]]] = ()
    page_size = PAGE_SIZE
    list_template = "admin/model/list.html"

    # --- columns ---

    def lookup(self, name: str) -> Lookup:
        if name in self.lookups:
            return self.lookups[name]
        far = class_mapper(self.model).relationships[name].mapper.class_
        return SCHOOLS if far is School else Lookup(far)

    def scaffold_sortable_columns(self) -> dict[str, Any]:
        return {}

    def is_sortable(self, name: str) -> bool:
        """A computed column cannot be sorted; a sealed or confidential one may not, nor one that the actor may not read: the order
        would tell its values."""
        if name in self.extra_columns or not labels.is_open(self.model, name):
            return False
        return current_scope().sees(labels.group(self.model, name), None)

    @cached_property
    def conditions(self) -> dict[str, conditions.Filter]:
        found: dict[str, conditions.Filter] = {}
        for item in self.filters:
            if isinstance(item, conditions.Filter):
                found[item.name] = item
                continue
            relation = item in class_mapper(self.model).relationships
            for each in conditions.for_column(self.model, item, self.lookup(item) if relation else None):
                found[each.name] = each
        return found

    def offered(self) -> dict[str, conditions.Filter]:
        """The conditions on what this actor may read."""
        scope = current_scope()
        return {name: each for name, each in self.conditions.items() if scope.sees_some(each.group)}

    # --- the list ---

    def rows(self, names: Sequence[str] | None = None) -> Select[Any]:
        """The statement behind list and export: id, school and the columns (those listed), joined as far as they reach."""
        model = self.model
        columns: list[Any] = [model.id.label("id")]
        if hasattr(model, "school_id"):
            columns.append(model.school_id.label("_school"))
        joined: dict[str, Any] = {}
        for name in names or self.column_list:
            if name in self.extra_columns:
                continue
            head, _dot, rest = name.partition(".")
            if rest:
                joined.setdefault(head, getattr(model, head))
                far = class_mapper(model).relationships[head].mapper.class_
                columns.append(getattr(far, rest).label(name))
            else:
                columns.append(getattr(model, name).label(name))
        query = select(*columns)
        for relation in joined.values():
            query = query.outerjoin(relation)
        return query

    def narrow(self, query: Select[Any], search: str, active: Iterable[tuple[conditions.Filter, Any]]) -> Select[Any]:
        """Apply the search box and the conditions."""
        for term in rules.tidy(search).split()[:4]:
            readable = (name for name in self.search_exact if current_scope().sees(labels.group(self.model, name), None))
            exact = [c == term for c in (getattr(self.model, name) for name in readable) if c.type.answers(term)]
            if looked_at := exact or [says(self.model, c, term) for c in self.search]:
                query = query.where(or_(*looked_at))
        for condition, value in active:
            query = condition.narrow(query, self.model, value)
        return query

    def ordered(self, query: Select[Any], sort: int | None, desc: bool) -> Select[Any]:
        if sort is not None:
            wanted: Sequence[tuple[str, bool]] = [(self.column_list[sort], desc)]
        else:
            wanted = self.default_sort
        for name, down in wanted:
            query = query.order_by(*(c.desc() if down else c for c in labels.sorted_by(self.model, name)))
        return query.order_by(self.model.id)  # always a last word, or pages overlap

    def decorate(self, lines: list[Line]) -> None:
        """Fill the extra columns of one page of rows, in a few statements for the whole page."""

    def lines(self, query: Select[Any]) -> list[Line]:
        return self._lines(self.db_session.execute(query))

    def _lines(self, rows: Iterable[Any]) -> list[Line]:
        lines = []
        for row in rows:
            values = dict(row._mapping)
            lines.append(Line(values.pop("id"), values.pop("_school", None), values))
        self.decorate(lines)
        if "school_name" in self.extra_columns and lines and "school_name" not in lines[0].values:
            ids = {line.school_id for line in lines}
            names = dict(self.db_session.execute(select(School.id, School.name).where(School.id.in_(ids))).all())
            for line in lines:
                line.values["school_name"] = names.get(line.school_id, "")
        return lines

    def cells(self, lines: list[Line]) -> list[list[str]]:
        """The page's values in the words of the screen."""
        columns = self._columns(lines, self.column_list, full=False)
        return [list(row) for row in zip(*columns, strict=True)] if lines else []

    def _columns(self, lines: list[Line], names: Sequence[str], *, full: bool) -> list[list[str]]:
        """The same column by column: the rules of a column are looked up once, not per row."""
        scope, by_column = current_scope(), []
        for name in names:
            if name in self.extra_columns:
                by_column.append([line.values.get(name, "") for line in lines])
                continue
            seen = labels.is_open(self.model, name) and scope.sees(labels.group(self.model, name), None)
            words: dict[Any, str] = {}
            column = []
            for line in lines:
                value = line.values[name]
                if not seen:
                    value = shown(scope, self.model, name, value, line.school_id, revealed=full)
                if value not in words:
                    words[value] = screen_words(value)
                column.append(words[value])
            by_column.append(column)
        return by_column

    def _active(self, args: Mapping[str, str]) -> list[tuple[conditions.Filter, str, Any]]:
        """The conditions in the address: filter, raw text, value. One that cannot be used is said and left out."""
        found = []
        for name, condition in self.offered().items():
            raw = self._asked(args, name)
            if not raw:
                continue
            try:
                found.append((condition, raw, condition.parse(raw)))
            except (ValueError, KeyError):
                flash(_("条件“%(label)s”的值无效，已忽略。", label=_(condition.label)), "warning")
        return found

    def _view_of_list(self, args: Mapping[str, str] | None = None) -> SimpleNamespace:
        """What an address asks of the list: the request's own, or another's."""
        args = request.args if args is None else args
        return SimpleNamespace(
            page=_count_from_0(args.get("page")) or 0,
            sort=self._sorted_by(args.get("sort")),
            desc=args.get("desc") == "1",
            search=self._asked(args, "search")[:LONGEST].replace("\0", ""),
            active=self._active(args),
        )

    def _sorted_by(self, raw: str | None) -> int | None:
        """The column of an address, if it is one by which this actor may sort."""
        at = _count_from_0(raw)
        return at if at is not None and at < len(self.column_list) and self.is_sortable(self.column_list[at]) else None

    def _is_words(self, name: str) -> bool:
        """Is this part of an address typed by hand, and so perhaps a number of a person?"""
        return name == "search" or (name in self.conditions and self.conditions[name].kind == "text")

    def _asked(self, args: Mapping[str, str], name: str) -> str:
        """A part of an address as it was typed or chosen. One that opens nothing here leads to the whole list, with the reason."""
        raw = args.get(name, "")
        try:
            return addresses.opened(raw) if self._is_words(name) else raw
        except ValueError:
            flash(_("这个地址里的搜索内容打不开：它是别的账号的，或已失效。请重新搜索。"), "warning")
            abort(redirect(self.get_url(".index_view")))

    def asked_for(self, args: Mapping[str, str]) -> tuple[str, int]:
        """What an export with this address would hold: its conditions in words, and how many rows."""
        seen = self._view_of_list(args)
        query = self.narrow(self.rows(), seen.search, [(c, v) for c, _raw, v in seen.active])
        ids = query.with_only_columns(self.model.id, maintain_column_froms=True).order_by(None).limit(EXPORT_CAP)
        count = self.db_session.scalar(select(func.count(self.model.id)).where(self.model.id.in_(ids))) or 0
        return self._said(seen) + ("；全部栏目" if args.get("columns") == "all" else ""), count

    def _said(self, seen: SimpleNamespace) -> str:
        return "；".join(f"{words}：{value}" for words, value in self._conditions_said(seen).items()) or "全部"

    @property
    def has_numbers(self) -> bool:
        """Does its export mask anything that an approved request would show?"""
        return any(name not in self.extra_columns and labels.is_sealed(self.model, name) for name in self.exported("all"))

    def _address(self, seen: SimpleNamespace, **changes: Any) -> str:
        wanted = {"page": seen.page or None, "sort": seen.sort, "desc": 1 if seen.desc else None, "search": seen.search or None}
        wanted |= {c.name: raw for c, raw, _value in seen.active}
        return self._asking(wanted | changes)

    def _asking(self, wanted: Mapping[str, Any]) -> str:
        """The address of the list that asks for this. What is typed goes sealed when it holds a number."""
        kept = {name: value for name, value in wanted.items() if value not in (None, "")}
        said = {name: addresses.sealed(value[:LONGEST]) if self._is_words(name) else value for name, value in kept.items()}
        return self.get_url(".index_view", **said)

    @expose("/", methods=("GET", "POST"))
    def index_view(self) -> Any:
        """The list that the address asks for. What is typed is posted, and answered by the address that asks for it."""
        if request.method == "POST":
            return redirect(self._asking({name: request.form.get(name) for name in ("search", *self.offered())}))
        seen = self._view_of_list()
        query = self.narrow(self.rows(), seen.search, [(c, v) for c, _raw, v in seen.active])
        page = self.ordered(query, seen.sort, seen.desc).limit(self.page_size + 1).offset(seen.page * self.page_size)
        lines = self.lines(page)
        more = len(lines) > self.page_size
        lines = lines[: self.page_size]
        if seen.search or seen.active or seen.page or seen.sort is not None:
            self._note_search(seen)
        return self.render(
            self.list_template,
            seen=seen,
            lines=lines,
            cells=self.cells(lines),
            count=self._count(query, seen, len(lines), more),
            cap=COUNT_CAP,
            more=more,
            columns=[(n, self.column_labels[n], self.is_sortable(n)) for n in self.column_list],
            address=lambda **changes: self._address(seen, **changes),
            return_url=self._address(seen),
        )

    def _count(self, query: Select[Any], seen: SimpleNamespace, here: int, more: bool) -> int:
        """How many rows there are, up to the cap; no statement when the page itself tells."""
        if not more and (here or seen.page == 0):
            return seen.page * self.page_size + here
        if not (seen.search or seen.active):
            beyond = select(self.model.id).offset(COUNT_CAP).limit(1)
            if self.db_session.scalar(beyond) is not None:
                return COUNT_CAP + 1
        ids = query.with_only_columns(self.model.id, maintain_column_froms=True).order_by(None).limit(COUNT_CAP + 1)
        return self.db_session.scalar(select(func.count(self.model.id)).where(self.model.id.in_(ids))) or 0

    def _note_search(self, seen: SimpleNamespace) -> None:
        """One entry for a search, another order, and each page after the first: whoever leafs through all of it shows (ASVS 16.3)."""
        page = {"页": seen.page + 1} if seen.page else {}
        if seen.sort is not None:
            page["排序"] = labels.label(self.model, self.column_list[seen.sort]) + ("，降序" if seen.desc else "")
        note("search", self.model.__tablename__, **self._conditions_said(seen), **page)

    def _conditions_said(self, seen: SimpleNamespace) -> dict[str, str]:
        """What was searched and filtered for, in words; what may be a number of a person only masked."""
        words = {c.label: c.words(self.db_session, raw) for c, raw, _value in seen.active}
        if seen.search:
            words["搜索"] = seen.search
        return {k: rules.mask(v) if looks_like_number(v) else v for k, v in words.items()}

    # --- export ---

    def exported(self, asked: str) -> Sequence[str]:
        """The columns of an export: those of the list, or with ``all`` every field a form of the record has as well."""
        if asked != "all":
            return self.column_list
        mapper = class_mapper(self.model)
        heads = {name.partition(".")[0] for name in self.column_list}
        fields = [n for n in self.form_columns if n not in heads and (n in mapper.columns or n in mapper.relationships)]
        return (*self.column_list, *(n if n in mapper.columns else self._named(n) for n in fields))

    def _named(self, relation: str) -> str:
        """A relationship by the column that names its far end."""
        far = class_mapper(self.model).relationships[relation].mapper
        return next((f"{relation}.{name}" for name in ("name", "title", "child_name") if name in far.columns), f"{relation}.id")

    @expose("/export/<export_type>/", methods=("GET", "POST"))
    def export(self, export_type: str) -> Any:
        """The list as it is filtered and sorted. Posted, it carries out an approved request for full numbers."""
        if export_type != "xlsx":
            abort(404)
        try:
            grant = carried_out()
        except Complaint as e:
            return refused(e)
        seen, names = self._view_of_list(), self.exported(request.args.get("columns", ""))
        query = self.narrow(self.rows(names), seen.search, [(c, v) for c, _raw, v in seen.active])
        query = self.ordered(query, seen.sort, seen.desc).limit(EXPORT_CAP)
        table, receipt = labels.of_table(self.model.__tablename__), receipt_of(self._said(seen), 0, grant)
        headers = [str(self.column_labels.get(n) or _(labels.label(self.model, n))) for n in names]
        content = writer.table(table, headers, self.typed(query, names, receipt, full=grant is not None), receipt)
        return handed_out(content, f"{table}-{dt.date.today():%Y%m%d}.xlsx", self.model.__tablename__, receipt, grant)

    def typed(self, query: Select[Any], names: Sequence[str], receipt: dict[str, str], *, full: bool) -> Iterator[Sequence[Any]]:
        """The export's rows, part by part: dates and numbers as such, everything else as text; counted on the receipt."""
        count, typed = 0, {name for name in names if self._is_typed(name)}
        for rows in self.db_session.execute(query, execution_options={"yield_per": PART}).partitions():
            lines = self._lines(rows)
            columns = [
                [line.values[name] for line in lines] if name in typed else [bare(cell) for cell in cells]
                for name, cells in zip(names, self._columns(lines, names, full=full), strict=True)
            ]
            count += len(lines)
            yield from zip(*columns, strict=True)
        receipt["行数"] = str(count)

    def _is_typed(self, name: str) -> bool:
        """Does a column hold days or whole numbers that every reader of the row may read?"""
        if name in self.extra_columns or not labels.is_open(self.model, name):
            return False
        if not current_scope().sees(labels.group(self.model, name), None):
            return False
        kind = labels.far_type(self.model, name)
        return isinstance(kind, Date | Integer) and not isinstance(kind, Boolean)

    # --- look-ups ---

    @expose("/ajax/lookup/", methods=("POST",))
    def ajax_lookup(self) -> Any:
        """The rows a form offers for a few letters: posted, so that they stand in no address; it changes nothing."""
        self.db_session.info["writes"] = False
        name = request.form.get("name", "")
        if name not in self.form_columns or name not in class_mapper(self.model).relationships:
            abort(404)
        note_lookup(self.model.__tablename__)
        lookup = self.lookup(name)
        found = lookup.find(self.db_session, request.form.get("query", "")[:40])
        return current_app.json.response([[row.id, lookup.words(row)] for row in found])


def _count_from_0(raw: str | None) -> int | None:
    """A page or a column of an address; None for anything else."""
    return int(raw) if raw and raw.isascii() and raw.isdecimal() and len(raw) < 7 else None
