"""The list of a record screen: columns, search, filters, order, pages, look-ups and export.

Reads columns, not objects, in one statement for a page; every statement passes the session's scope.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import quote

from flask import Response, abort, current_app, flash, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import class_mapper

from .. import labels, rules
from ..access import shown
from ..models import School
from ..orm import Base
from ..sheets import writer
from . import filters as conditions
from .fields import SCHOOLS, Lookup, says
from .gate import Gate, current_scope, note
from .words import bare, looks_like_number, screen_words

PAGE_SIZE = 50
COUNT_CAP = 10_000
"""Counting stops here: 10,000 条以上."""
EXPORT_CAP = 200_000


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
    """Blind indexes: a whole number typed into the search box is compared with these."""
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
        """A computed column cannot be sorted; a sealed or confidential one may not: the order would tell its values."""
        return name not in self.extra_columns and labels.is_open(self.model, name)

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

    # --- the list ---

    def rows(self) -> Select[Any]:
        """The statement behind list and export: id, school and the listed columns, joined as far as they reach."""
        model = self.model
        columns: list[Any] = [model.id.label("id")]
        if hasattr(model, "school_id"):
            columns.append(model.school_id.label("_school"))
        joined: dict[str, Any] = {}
        for name in self.column_list:
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
            exact = [getattr(self.model, c) == term for c in self.search_exact if len(term) >= 15]
            query = query.where(or_(*(exact or (says(self.model, c, term) for c in self.search))))
        for condition, value in active:
            query = condition.apply(query, value)
        return query

    def ordered(self, query: Select[Any], sort: int | None, desc: bool) -> Select[Any]:
        if sort is not None and 0 <= sort < len(self.column_list) and self.is_sortable(self.column_list[sort]):
            wanted: Sequence[tuple[str, bool]] = [(self.column_list[sort], desc)]
        else:
            wanted = self.default_sort
        for name, down in wanted:
            query = query.order_by(*(c.desc() if down else c for c in labels.sorted_by(self.model, name)))
        return query.order_by(self.model.id)  # always a last word, or pages overlap

    def decorate(self, lines: list[Line]) -> None:
        """Fill the extra columns of one page of rows, in a few statements for the whole page."""

    def lines(self, query: Select[Any]) -> list[Line]:
        lines = []
        for row in self.db_session.execute(query):
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
        """The page's values in the words of the screen; the rules of a column are looked up once, not per row."""
        scope, by_column = current_scope(), []
        for name in self.column_list:
            if name in self.extra_columns:
                by_column.append([line.values.get(name, "") for line in lines])
                continue
            seen = labels.is_open(self.model, name) and scope.sees(labels.group(self.model, name), None)
            words: dict[Any, str] = {}
            column = []
            for line in lines:
                value = line.values[name]
                if not seen:
                    value = shown(scope, self.model, name, value, line.school_id)
                if value not in words:
                    words[value] = screen_words(value)
                column.append(words[value])
            by_column.append(column)
        return [list(row) for row in zip(*by_column, strict=True)] if lines else []

    def _active(self) -> list[tuple[conditions.Filter, str, Any]]:
        """The conditions in the address: filter, raw text, value. One that cannot be used is said and left out."""
        found = []
        for name, condition in self.conditions.items():
            raw = request.args.get(name, "")
            if not raw:
                continue
            try:
                found.append((condition, raw, condition.parse(raw)))
            except (ValueError, KeyError):
                flash(_("条件“%(label)s”的值无效，已忽略。", label=_(condition.label)), "warning")
        return found

    def _view_of_list(self) -> SimpleNamespace:
        args = request.args
        search = args.get("search", "")[:100].replace("\0", "")
        sort = args.get("sort", type=int)
        return SimpleNamespace(
            page=min(max(args.get("page", 0, type=int) or 0, 0), 10**6),
            sort=sort,
            desc=args.get("desc", type=int) == 1,
            search=search,
            active=self._active(),
        )

    def _address(self, seen: SimpleNamespace, **changes: Any) -> str:
        wanted = {"page": seen.page or None, "sort": seen.sort, "desc": 1 if seen.desc else None, "search": seen.search or None}
        wanted |= {c.name: raw for c, raw, _value in seen.active}
        return self.get_url(".index_view", **{k: v for k, v in (wanted | changes).items() if v is not None})

    @expose("/")
    def index_view(self) -> str:
        seen = self._view_of_list()
        query = self.narrow(self.rows(), seen.search, [(c, v) for c, _raw, v in seen.active])
        page = self.ordered(query, seen.sort, seen.desc).limit(self.page_size + 1).offset(seen.page * self.page_size)
        lines = self.lines(page)
        more = len(lines) > self.page_size
        lines = lines[: self.page_size]
        if seen.search or seen.active:
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
        note("search", self.model.__tablename__, **self._conditions_said(seen))

    def _conditions_said(self, seen: SimpleNamespace) -> dict[str, str]:
        """What was searched and filtered for, in words; what may be a number of a person only masked."""
        words = {c.label: c.words(self.db_session, raw) for c, raw, _value in seen.active}
        if seen.search:
            words["搜索"] = seen.search
        return {k: rules.mask(v) if looks_like_number(v) else v for k, v in words.items()}

    # --- export ---

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        if export_type != "xlsx":
            abort(404)
        seen = self._view_of_list()
        query = self.narrow(self.rows(), seen.search, [(c, v) for c, _raw, v in seen.active])
        lines = self.lines(self.ordered(query, seen.sort, seen.desc).limit(EXPORT_CAP))
        table = labels.of_table(self.model.__tablename__)
        said = "；".join(f"{words}：{value}" for words, value in self._conditions_said(seen).items())
        receipt = receipt_of(said or "全部", len(lines))
        note("export", self.model.__tablename__, **receipt)
        headers = [str(self.column_labels[n]) for n in self.column_list]
        content = writer.table(table, headers, self.typed(lines), receipt)
        return workbook_response(content, f"{table}-{dt.date.today():%Y%m%d}.xlsx")

    def typed(self, lines: list[Line]) -> Iterable[Sequence[Any]]:
        """The export's rows: dates and numbers as such, everything else as text; masked as on the screen."""
        columns = []
        for name, cells in zip(self.column_list, zip(*self.cells(lines), strict=True), strict=False):
            raw = [line.values.get(name) for line in lines]
            typed = all(v is None or (isinstance(v, dt.date | int) and not isinstance(v, bool)) for v in raw)
            columns.append(raw if typed else [bare(cell) for cell in cells])
        return zip(*columns, strict=True)

    # --- look-ups ---

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Any:
        name = request.args.get("name", "")
        if name not in self.form_columns or name not in class_mapper(self.model).relationships:
            abort(404)
        lookup = self.lookup(name)
        found = lookup.find(self.db_session, request.args.get("query", "")[:40])
        return current_app.json.response([[row.id, lookup.words(row)] for row in found])


def receipt_of(conditions_said: str, rows: int) -> dict[str, str]:
    """What every exported file says of itself."""
    return {
        "导出人": current_user.name,
        "导出时间": labels.local(dt.datetime.now(dt.UTC)).strftime("%Y-%m-%d %H:%M"),
        "条件": conditions_said,
        "行数": str(rows),
    }


def workbook_response(content: bytes, file_name: str) -> Response:
    response = Response(content, mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file_name)}"  # RFC 5987
    return response
