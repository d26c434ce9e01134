"""RecordView and ToolView: what every screen shares, and every surprise of Flask-Admin contained once.

A RecordView is configuration: which columns, which fields, which filters. Lists read columns, not objects, and pass the
session's scope; forms come from the columns' own words and checks; deleting is soft; what may be done comes from the
role table.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from flask import abort, flash, redirect, request
from flask_admin import BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.helpers import get_redirect_target, is_form_submitted
from flask_babel import gettext as _, lazy_gettext
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, class_mapper
from sqlalchemy.orm.exc import StaleDataError

from .. import drafts, labels, once, rules
from ..access import Action, Refused, shown
from ..db import db, session_with
from ..models import Attachment, Child, Resource
from ..once import SentTwice
from ..orm import Base, ChildFile, History, Kept, OnRecord
from ..records import attachments, concerns, trash
from ..rules import Complaint
from .fields import AdminForm, ColumnCheck, Converter, Lookup, OnceField, VersionField, number_or_none
from .filters import by_school
from .gate import Gate, current_scope, note
from .lists import Listing
from .words import screen_words

log = logging.getLogger(__name__)

OF_A_CHILD = ("enrolment.child_name", "child.name")
"""The first column of the lists of children's records."""
UNIQUE_WORDS = {
    "id_number_key": "该证件号已登记，请核对；如儿童在县内其他学校，可申请转入。",
    "username": "该账号已存在。",
    "code": "该代码已存在。",
    "side": "该儿童的这一方父母已登记，请直接修改原记录。",
    "end": "该儿童已有一段未结束的就读。",
}


class ToolView(Gate, BaseView):
    """A page of its own. Its methods do four things at most: read input, call one function, commit, render."""

    in_menu = True
    group = ""
    section = ""

    def __init__(self, name: str, endpoint: str, group: str = "", url: str | None = None):
        self.group = group
        super().__init__(name=lazy_gettext(name), endpoint=endpoint, category=group, url=url or f"/{endpoint}")

    @property
    def db_session(self) -> Session:
        return db.session()


class RecordView(Listing, ModelView):
    """The screens of one model: list, search, filters, details, create, edit, trash, export, look-ups."""

    model: ClassVar[type[Base]]
    group: ClassVar[str] = ""
    section: ClassVar[str] = ""
    """Screens of one section share one entry of the menu and stand side by side as tabs."""
    in_menu: ClassVar[bool] = True
    menu_for: ClassVar[Action] = Action.READ
    """The right that puts the screen into an actor's menu; a screen one may only read is reached by links."""
    title: ClassVar[str] = ""
    column_list: ClassVar[Sequence[str]]
    form_columns: ClassVar[Sequence[str]]
    column_details_list: ClassVar[Sequence[str]] = ()
    link_column: ClassVar[str] = ""
    later: ClassVar[Sequence[str]] = ()
    """Fields that a form folds away: what must be known comes first, the rest when there is time."""
    basis: ClassVar[str] = ""
    attachable: ClassVar[bool] = False
    """Records of this screen take files (附件); the details page then shows them."""
    needs = {
        "create_view": Action.CREATE,
        "edit_view": Action.READ,  # a row that may be read but not changed opens read-only; posting is checked there
        "delete_view": Action.DELETE,
        "export": Action.EXPORT,
    }

    can_view_details = True
    can_set_page_size = False
    column_display_pk = False
    model_form_converter = Converter
    form_base_class = AdminForm
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
        if cls.column_list[0] in OF_A_CHILD:
            cls._name_the_school()
        wanted = {*cls.column_list, *cls.form_columns, *cls.column_details_list} - set(cls.extra_columns)
        cls.column_labels = {n: lazy_gettext(labels.label(cls.model, n)) for n in wanted}
        cls.column_labels |= {n: lazy_gettext(words) for n, words in cls.extra_columns.items()}
        cls.column_descriptions = {n: lazy_gettext(h) for n in cls.form_columns if (h := labels.hint(cls.model, n))}
        columns = class_mapper(cls.model).columns
        cls.form_args = {n: {"validators": [ColumnCheck(cls.model, n)]} for n in cls.form_columns if n in columns}

    @classmethod
    def _name_the_school(cls) -> None:
        """A list of children's records says at which school, and finds a child by name: names repeat across a county."""
        child, *rest = cls.column_list
        cls.column_list = (child, "school_name", *rest)
        cls.extra_columns = {"school_name": "学校", **cls.extra_columns}
        cls.search = cls.search or (child,)
        cls.filters = (*cls.filters, by_school(cls.model))

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

    def attachments(self, row: Any) -> list[tuple[Attachment, str]] | None:
        """The files on a row, each with who put it there; None when this actor may not read them."""
        if not attachments.readable(current_scope(), row):
            return None
        found = attachments.of(self.db_session, row)
        names = attachments.uploaders(session_with, found)
        return [(each, names.get(each.created_by, "")) for each in found]

    def _back(self) -> str:
        target = get_redirect_target() or ""
        return target if target.isprintable() and target else self.get_url(".index_view")

    # --- forms ---

    def scaffold_form(self) -> Any:
        form = super().scaffold_form()
        form.version = VersionField()
        form.once = OnceField()
        return form

    def create_form(self, obj: Any = None) -> Any:
        form = super().create_form(obj)
        if not is_form_submitted() and not self._fill_from_draft(form, obj):
            for name in self.form_columns:
                if name in request.args and name in form:
                    with suppress(ValueError):  # a value that cannot be used leaves the field empty
                        form[name].process_formdata([request.args[name]])
            self.offer(form)
        self.only_choice(form)
        return form

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.once  # a row is changed by its version
        if not is_form_submitted():
            form.version.data = obj.version
            self._fill_from_draft(form, obj)
        self.only_choice(form)
        owner, columns = getattr(obj, "school_id", None), class_mapper(self.model).columns
        for name in self.form_columns:  # what this actor may not read is neither shown nor overwritten
            if name in form and name in columns and not current_scope().sees(labels.group(self.model, name), owner):
                delattr(form, name)
        return form

    def heading(self, row: Any) -> str:
        return labels.heading(row)

    def _fill_from_draft(self, form: Any, obj: Any) -> bool:
        """What its author typed before the session ran out (?draft=): 404 on another page or for anybody else."""
        if "draft" not in request.args:
            return False
        kept = drafts.take(current_user.user_id, number_or_none(request.args["draft"]))
        if kept is None or kept[0] != drafts.page():
            abort(404)
        form.process(kept[1], obj=obj)
        return True

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
        if not self.can_create:
            return self.forbid()
        form = self.create_form()
        try:
            if self.validate_form(form) and (row := self.create_model(form)):
                flash(_("保存成功。"), "success")
                return redirect(self._next(row))
        except SentTwice as e:
            flash(_("这张表已经保存过，没有重复登记。"), "success")
            return redirect(e.location)
        self._note_chosen(form)
        return self.render(self.create_template, form=form, return_url=self._back())

    def _note_chosen(self, form: Any) -> None:
        """A form that comes with a child, or somebody of its family, already chosen shows who that is."""
        chosen = [form[name].data for name in self.form_columns if name in form and name in class_mapper(self.model).relationships]
        for row in chosen:
            if isinstance(row, Child | OnRecord | History | ChildFile):
                note("open", type(row).__tablename__, row.id, row.school_id)

    def _next(self, row: Any) -> str:
        """Where the author of a new row goes: to an empty form, or where this screen leads."""
        if "_add_another" in request.form:
            return self.get_url(".create_view", url=self._back())
        return self.get_save_return_url(row, is_created=True)

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
        note("open", self.model.__tablename__, row.id, getattr(row, "school_id", None))
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
        for name in (name for name in self.form_columns if name in form):
            mine, theirs = form[name].data, getattr(row, name)
            if (mine or None) != (theirs or None) and not getattr(form[name], "unchanged", False):
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
            unusual = list(concerns.about(row, self.db_session))
            if created:
                once.claim(self.db_session, current_user.user_id, form.once.data or "", self._next(row))
            self.db_session.commit()
            if "draft" in request.args:
                drafts.drop(current_user.user_id, number_or_none(request.args["draft"]))
            for sentence in unusual:
                flash(_(sentence), "warning")
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

    def options_of(self, name: str) -> Callable[[], list[tuple[str, str]]]:
        """The (code, words) of a column that holds several codes of the county's own lists."""
        raise NotImplementedError(name)

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
            self.db_session.commit()
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            return redirect(self.get_url(".edit_view", id=number_or_none(request.form.get("id"))))
        flash(_("已移入回收站，可由德育股恢复。"), "success")
        return redirect(self._back())

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        abort(404)  # no bulk actions: Flask-Admin's compares text ids and skips the row checks

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Any:
        abort(404)  # editing in the list ignores can_edit upstream


def constraint_words(error: IntegrityError) -> str:
    """The Chinese sentence for a constraint that the database refused. Never its text: that holds values."""
    text = str(error.orig)
    for column, words in UNIQUE_WORDS.items():
        if column in text:
            return words
    log.warning("constraint refused: %s", type(error.orig).__name__)
    return "与已有记录冲突，未保存，请核对后再试。"
