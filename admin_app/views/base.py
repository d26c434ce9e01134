"""RecordView and ToolView: what every screen shares, and every surprise of Flask-Admin contained once.

A RecordView is configuration: which columns, which fields, which filters. Lists read columns, not objects, and pass the
session's scope; forms come from the columns' own words and checks; deleting is soft; what may be done comes from the
role table.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar, NoReturn
from urllib.parse import quote

from flask import Response, abort, current_app, flash, has_app_context, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.helpers import get_redirect_target, is_form_submitted
from flask_babel import gettext as _, lazy_gettext
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, class_mapper
from sqlalchemy.orm.exc import StaleDataError
from wtforms import HiddenField

from .. import audit, labels, rules
from ..access import NOTHING, Action, Refused, Scope, scope_in, shown
from ..db import db, session_with, writing
from ..models import Resource, School
from ..orm import Base, BlindIndex, Group, Kept, Sealed
from ..records import trash
from ..rules import Complaint
from ..sheets import writer
from . import filters as conditions
from .fields import SCHOOLS, AdminForm, ColumnCheck, Converter, Lookup

log = logging.getLogger(__name__)

PAGE_SIZE = 50
COUNT_CAP = 10_000
"""Counting stops here: 10,000 条以上."""
EXPORT_CAP = 200_000
UNIQUE_WORDS = {
    "id_number_key": "该证件号已登记，请核对；如儿童在县内其他学校，可申请转入。",
    "username": "该账号已存在。",
    "code": "该代码已存在。",
    "side": "该儿童的这一方父母已登记，请直接修改原记录。",
    "end": "该儿童已有一段未结束的就读。",
}


def current_scope() -> Scope:
    """The scope of the request, asked through its session: one source."""
    return scope_in(db.session()) if has_app_context() and request else NOTHING


def note(action: str, table_name: str, row_id: object = "", school_id: int | None = None, **what: Any) -> None:
    """Leave a log entry for a read, in a short transaction of its own, before the answer is sent.

    A request that may write holds SQLite's only write lock itself, so there its own session takes the entry.
    """
    own = db.session()
    if own.info.get("writes"):
        audit.note(own, action, table_name, row_id, school_id, **what)
        own.commit()
        return
    with writing(current_scope()) as session:
        audit.note(session, action, table_name, row_id, school_id, **what)


class Gate:
    """Who may open a view: closed unless the role table says otherwise; 403 for no right."""

    resource: ClassVar[Resource]
    needs: ClassVar[dict[str, Action]] = {}
    """Endpoint function -> the right it takes; what is not listed takes READ."""

    def is_accessible(self) -> bool:
        return current_scope().may(Action.READ, self.resource)

    def _handle_view(self, name: str, **_kwargs: Any) -> None:
        if not current_user.is_authenticated or not self.is_accessible():
            abort(403)
        if not current_scope().may(self.needs.get(name, Action.READ), self.resource):
            abort(403)

    @staticmethod
    def forbid() -> NoReturn:
        abort(403)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # upstream calls the view a second time on any TypeError, which hides the true error
        return fn(self, *args, **kwargs)


class ToolView(Gate, BaseView):
    """A page of its own. Its methods do four things at most: read input, call one function, commit, render."""

    in_menu = True
    group = ""

    def __init__(self, name: str, endpoint: str, group: str = "", url: str | None = None):
        self.group = group
        super().__init__(name=lazy_gettext(name), endpoint=endpoint, category=group, url=url or f"/{endpoint}")

    @property
    def db_session(self) -> Session:
        return db.session()


@dataclass
class Line:
    """One row of a list: its id and school, its values by column name, and what the view adds."""

    id: Any
    school_id: int | None
    values: dict[str, Any] = field(default_factory=dict)


class RecordView(Gate, ModelView):
    """The screens of one model: list, search, filters, details, create, edit, trash, export, look-ups."""

    model: ClassVar[type[Base]]
    group: ClassVar[str] = ""
    in_menu: ClassVar[bool] = True
    menu_for: ClassVar[Action] = Action.READ
    """The right that puts the screen into an actor's menu; a screen one may only read is reached by links."""
    title: ClassVar[str] = ""
    column_list: ClassVar[Sequence[str]]
    form_columns: ClassVar[Sequence[str]]
    column_details_list: ClassVar[Sequence[str]] = ()
    extra_columns: ClassVar[dict[str, str]] = {}
    """Columns the view computes for a page of rows in ``decorate``: name -> label."""
    filters: ClassVar[Sequence[str | conditions.Filter]] = ()
    lookups: ClassVar[dict[str, Lookup]] = {}
    search: ClassVar[Sequence[str]] = ()
    search_exact: ClassVar[Sequence[str]] = ()
    """Blind indexes: a whole number typed into the search box is compared with these."""
    default_sort: ClassVar[Sequence[tuple[str, bool]]] = ()
    link_column: ClassVar[str] = ""
    basis: ClassVar[str] = ""
    needs = {
        "create_view": Action.CREATE,
        "edit_view": Action.READ,  # a row that may be read but not changed opens read-only; posting is checked there
        "delete_view": Action.DELETE,
        "export": Action.EXPORT,
    }

    page_size = PAGE_SIZE
    can_view_details = True
    can_set_page_size = False
    column_display_pk = False
    model_form_converter = Converter
    form_base_class = AdminForm
    list_template = "admin/model/list.html"
    edit_template = "admin/model/edit.html"
    create_template = "admin/model/create.html"
    details_template = "admin/model/details.html"
    column_editable_list = ()
    column_filters = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "model" not in cls.__dict__:
            return
        for name in ("column_list", "form_columns"):
            if name not in cls.__dict__:
                raise TypeError(f"{cls.__name__} must say its {name}: nothing is shown or asked by default")
        cls.resource = cls.model.RESOURCE
        wanted = {*cls.column_list, *cls.form_columns, *cls.column_details_list} - set(cls.extra_columns)
        cls.column_labels = {n: lazy_gettext(labels.label(cls.model, n)) for n in wanted}
        cls.column_labels |= {n: lazy_gettext(words) for n, words in cls.extra_columns.items()}
        cls.column_descriptions = {n: lazy_gettext(h) for n in cls.form_columns if (h := labels.hint(cls.model, n))}
        columns = class_mapper(cls.model).columns
        cls.form_args = {n: {"validators": [ColumnCheck(cls.model, n)]} for n in cls.form_columns if n in columns}

    def __init__(self) -> None:
        name = self.title or labels.of_table(self.model.__tablename__)
        super().__init__(self.model, db, name=lazy_gettext(name), endpoint=self.model.__tablename__, category=self.group)
        missing = [n for n in self.form_columns if not hasattr(self._create_form_class, n)]
        assert not missing, f"{type(self).__name__}: no field for {missing}"

    @property
    def db_session(self) -> Session:
        """The request's own session (upstream's ``session`` is the extension object)."""
        return db.session()

    # --- rights: read at each request, never kept on the view ---

    @property
    def can_create(self) -> bool:
        return bool(self.form_columns) and current_scope().may(Action.CREATE, self.resource)

    @property
    def can_edit(self) -> bool:
        return bool(self.form_columns) and current_scope().may(Action.UPDATE, self.resource)

    @property
    def can_delete(self) -> bool:
        return issubclass(self.model, Kept) and current_scope().may(Action.DELETE, self.resource)

    @property
    def can_export(self) -> bool:
        return current_scope().may(Action.EXPORT, self.resource)

    def may_change(self, row: Any) -> bool:
        """A row may be readable (a record of the child's former school) and still not be the actor's to change."""
        owned = not hasattr(row, "school_id") or self.resource is Resource.ACCOUNTS or current_scope().owns(row.school_id)
        return self.can_edit and owned

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
        if name in self.extra_columns or labels.is_sealed(self.model, name):
            return False
        return labels.group(self.model, name) not in (Group.MIND, Group.INCIDENT)

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
            if exact:
                query = query.where(or_(*exact))
            else:
                query = query.where(or_(*(getattr(self.model, c).contains(term, autoescape=True) for c in self.search)))
        for condition, value in active:
            query = condition.apply(query, value)
        return query

    def ordered(self, query: Select[Any], sort: int | None, desc: bool) -> Select[Any]:
        if sort is not None and 0 <= sort < len(self.column_list) and self.is_sortable(self.column_list[sort]):
            column = self._column(self.column_list[sort])
            query = query.order_by(column.desc() if desc else column)
        else:
            for name, down in self.default_sort:
                column = self._column(name)
                query = query.order_by(column.desc() if down else column)
        return query.order_by(self.model.id)  # always a last word, or pages overlap

    def _column(self, name: str) -> Any:
        head, _dot, rest = name.partition(".")
        if not rest:
            return getattr(self.model, name)
        return getattr(class_mapper(self.model).relationships[head].mapper.class_, rest)

    def decorate(self, lines: list[Line]) -> None:
        """Fill the extra columns of one page of rows, in a few statements for the whole page."""

    def lines(self, query: Select[Any]) -> list[Line]:
        lines = []
        for row in self.db_session.execute(query):
            values = dict(row._mapping)
            lines.append(Line(values.pop("id"), values.pop("_school", None), values))
        self.decorate(lines)
        return lines

    def cells(self, lines: list[Line]) -> list[list[str]]:
        """The page's values in the words of the screen; the rules of a column are looked up once, not per row."""
        scope, by_column = current_scope(), []
        for name in self.column_list:
            if name in self.extra_columns:
                by_column.append([line.values.get(name, "") for line in lines])
                continue
            plain = not labels.is_sealed(self.model, name) and labels.group(self.model, name) not in (Group.MIND, Group.INCIDENT)
            seen = plain and scope.sees(labels.group(self.model, name), None)
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

    # --- one row ---

    def get_one(self, pk: Any) -> Any:
        """The row, or 404: the same for one that does not exist and one of another school."""
        row = Lookup(self.model).one(self.db_session, pk)
        if row is None:
            abort(404)
        return row

    @expose("/details/")
    def details_view(self) -> str:
        row = self.get_one(request.args.get("id", ""))
        note("open", self.model.__tablename__, row.id, getattr(row, "school_id", None))
        return self.render(
            self.details_template, row=row, pairs=self.details(row), may_change=self.may_change(row), return_url=self._back()
        )

    def details(self, row: Any) -> list[tuple[str, str]]:
        names = self.column_details_list or [n for n in self.column_list if n not in self.extra_columns]
        return [(str(self.column_labels[n]), self.words(row, n)) for n in names]

    def words(self, row: Any, name: str) -> str:
        """One value of one row, as this actor may see it."""
        value: Any = row
        owner = getattr(row, "school_id", None)
        for part in name.split("."):
            value = getattr(value, part) if value is not None else None
        if name in class_mapper(self.model).relationships:
            return "" if value is None else str(value)
        return screen_words(shown(current_scope(), self.model, name, value, owner))

    def _back(self) -> str:
        return get_redirect_target() or self.get_url(".index_view")

    # --- forms ---

    def scaffold_form(self) -> Any:
        form = super().scaffold_form()
        form.version = HiddenField()
        return form

    def create_form(self, obj: Any = None) -> Any:
        form = super().create_form(obj)
        if not is_form_submitted():
            for name in self.form_columns:
                if name in request.args and name in form:
                    with suppress(ValueError):  # a value that cannot be used leaves the field empty
                        form[name].process_formdata([request.args[name]])
            self.offer(form)
        self.only_choice(form)
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if not is_form_submitted():
            form.version.data = obj.version
        self.only_choice(form)
        return form

    def offer(self, form: Any) -> None:
        """Last values and defaults for an empty form."""

    def only_choice(self, form: Any) -> None:
        """A school account of one school is not asked which school."""
        scope = current_scope()
        if "school" in form and not scope.reads_everywhere and len(scope.school_ids) == 1:
            form.school.data = self.lookup("school").one(self.db_session, next(iter(scope.school_ids)))
            form.school.unknown = False

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        if not self.form_columns:
            abort(404)
        form = self.create_form()
        if self.validate_form(form) and (row := self.create_model(form)):
            flash(_("保存成功。"), "success")
            again = "_add_another" in request.form
            return redirect(
                self.get_url(".create_view", url=self._back()) if again else self.get_save_return_url(row, is_created=True)
            )
        return self.render(self.create_template, form=form, return_url=self._back())

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        if not self.form_columns:
            abort(404)
        row = self.get_one(request.args.get("id", ""))
        if not self.may_change(row):
            if request.method == "POST":
                abort(403)
            return redirect(self.get_url(".details_view", id=row.id))
        form = self.edit_form(obj=row)
        if self.validate_form(form) and self.update_model(form, row):
            flash(_("保存成功。"), "success")
            return redirect(self.get_save_return_url(row))
        return self.render(self.edit_template, model=row, form=form, return_url=self._back())

    def validate_form(self, form: Any) -> bool:
        valid = super().validate_form(form)
        if is_form_submitted() and not valid:
            self._say_errors(form)
        return valid

    def _say_errors(self, form: Any) -> None:
        wrong = [f for f in form if f.errors]
        links = Markup("、").join(Markup('<a href="#{}">{}</a>').format(f.id, f.label.text) for f in wrong)
        flash(Markup("<b>{}</b> {}").format(_("未保存，有 %(n)d 处要改：", n=len(wrong)), links), "danger")

    def create_model(self, form: Any) -> Any:
        row = self.model()
        return row if self._save(form, row, created=True) else False

    def update_model(self, form: Any, model: Any) -> bool:
        if not self._same_version(form, model):
            return False
        return self._save(form, model, created=False)

    def _same_version(self, form: Any, row: Any) -> bool:
        """Somebody saved since this form was opened: show both values, lose neither."""
        if form.version.data in (None, "", str(row.version)):
            return True
        lines = []
        for name in self.form_columns:
            mine, theirs = form[name].data, getattr(row, name)
            if mine != theirs and not getattr(form[name], "unchanged", False):
                lines.append(_("%(field)s：现存“%(theirs)s”，您填“%(mine)s”", field=str(form[name].label.text),
                               theirs=self.words(row, name), mine=screen_words(mine)))  # fmt: skip
        form.version.data = str(row.version)
        text = "；".join(lines) or _("内容相同")
        flash(_("他人已先保存，请逐项核对保留哪个，再点保存。%(lines)s", lines=text), "warning")
        return False

    def _save(self, form: Any, row: Any, *, created: bool) -> bool:
        try:
            with self.db_session.no_autoflush:
                form.populate_obj(row)
                if created:
                    row.version = None
                    self.db_session.add(row)
                self.before_save(form, row, created)
            self.db_session.flush()
            self.after_save(form, row, created)
            self.db_session.commit()
        except Complaint as e:
            self.db_session.rollback()
            if e.field and e.field in form:
                form[e.field].errors = [*form[e.field].errors, _(e.text)]
            flash(_(e.text), "danger")
            return False
        except Refused:
            self.db_session.rollback()
            abort(403)
        except StaleDataError:
            self.db_session.rollback()
            flash(_("他人已先保存，请重新打开后再改。"), "warning")
            return False
        except IntegrityError as e:
            self.db_session.rollback()
            flash(_(constraint_words(e)), "danger")
            return False
        return True

    def before_save(self, form: Any, row: Any, created: bool) -> None:
        """Cross-field rules, before the flush. Raises Complaint."""

    def after_save(self, form: Any, row: Any, created: bool) -> None:
        """What belongs to the same transaction and needs the row's id."""

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self._back()

    # --- trash ---

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> Any:
        if not issubclass(self.model, Kept) or not self.form_columns:
            abort(404)
        row = self.get_one(request.form.get("id", ""))
        if not self.may_change(row):
            abort(403)
        reason = rules.tidy(request.form.get("reason", ""))[:200]
        if not reason:
            flash(_("请填写删除原因。"), "danger")
            return redirect(self.get_url(".edit_view", id=row.id))
        try:
            trash.put(self.db_session, row, reason)
        except Complaint as e:
            flash(_(e.text), "danger")
            return redirect(self.get_url(".edit_view", id=row.id))
        self.db_session.commit()
        flash(_("已移入回收站，可由德育股恢复。"), "success")
        return redirect(self._back())

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        abort(404)  # no bulk actions: Flask-Admin's compares text ids and skips the row checks

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Any:
        abort(404)  # editing in the list ignores can_edit upstream

    # --- look-ups and export ---

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Any:
        name = request.args.get("name", "")
        if name not in self.form_columns or name not in class_mapper(self.model).relationships:
            abort(404)
        lookup = self.lookup(name)
        found = lookup.find(self.db_session, request.args.get("query", "")[:40])
        return current_app.json.response([[row.id, lookup.words(row)] for row in found])

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
            columns.append(raw if typed else [_bare(cell) for cell in cells])
        return zip(*columns, strict=True)


def screen_words(value: Any) -> str:
    """Machine words a person reads: yes and no, choices in the screen's language, dates."""
    if isinstance(value, str) and type(value) is str:
        return value
    text = labels.text(value)
    return _(text) if text and (isinstance(value, bool) or not isinstance(value, dt.date | int)) else text


def _bare(value: Any) -> Any:
    return value.striptags() if isinstance(value, Markup) else value


def state(kind: str, words: str) -> Markup:
    """A state badge in a list cell; ``kind``: due, unsure, done, now or nothing."""
    return Markup('<span class="st {}">{}</span>').format(kind, words)


def looks_like_number(words: str) -> bool:
    """Six digits on end may be part of an ID number or a phone."""
    return re.search(r"[0-9]{6}", words) is not None


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


def constraint_words(error: IntegrityError) -> str:
    """The Chinese sentence for a constraint that the database refused. Never its text: that holds values."""
    text = str(error.orig)
    for column, words in UNIQUE_WORDS.items():
        if column in text:
            return words
    log.warning("constraint refused: %s", type(error.orig).__name__)
    return "与已有记录冲突，未保存，请核对后再试。"


def is_plain_column(model: type[Base], name: str) -> bool:
    column = class_mapper(model).columns.get(name)
    return column is not None and not isinstance(column.type, Sealed | BlindIndex)


__all__ = ["Line", "RecordView", "ToolView", "current_scope", "note", "session_with", "url_for"]
