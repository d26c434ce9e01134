"""Form fields: from a column's own words, checks and choices to what a person types into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.form import BaseForm
from flask_admin.model.form import converts
from flask_babel import get_locale, gettext as _
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session
from wtforms import fields, validators, widgets
from wtforms.i18n import get_translations
from wtforms.validators import ValidationError

from .. import labels, once, rules, spelling
from ..access import scope_in
from ..models import School
from ..orm import Base, Choice

MANY = 120
"""More options than this are searched for, not listed."""
LONGEST_NUMBER = 10
LONGEST_TEXT = 5000
LARGEST = 999_999
"""Counts of people and positions in a list stay below a million."""

_MISSING = {  # what WTForms' own Chinese catalogue lacks
    "Not a valid choice.": "不是有效的选项。",
    "Not a valid choice": "不是有效的选项。",
    "Not a valid week value.": "不是有效的周。",
    "This field cannot be edited.": "此项不可修改。",
    "This field is disabled and cannot have a value.": "此项不可填写。",
    "Not a valid date value.": "日期应写作 年-月-日，如 2026-09-01。",
    "Not a valid integer value.": "应填整数。",
    "Not a valid decimal value.": "应填数字。",
    "This field is required.": "此项必填。",
}


class Words:
    """WTForms' messages in the language of the screen."""

    def gettext(self, string: str) -> str:
        locale = get_locale()
        if locale is None or locale.language != "zh":
            return string
        return _MISSING.get(string) or get_translations(["zh"]).gettext(string)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        locale = get_locale()
        if locale is None or locale.language != "zh":
            return singular if n == 1 else plural
        return get_translations(["zh"]).ngettext(singular, plural, n)


class AdminForm(BaseForm):
    """The one base of all record forms. The token is Flask-WTF's, checked for every POST of the app."""

    class Meta:
        def get_translations(self, _form: Any) -> Words:
            return Words()


def says(model: type[Base], name: str, typed: str) -> ColumnElement[bool]:
    """Does a column (``a.b`` too) hold what was typed, or, where it has a sound, begin a syllable that sounds like it?"""
    sound, letters = labels.sound(model, name), spelling.heard(typed)
    holds: ColumnElement[bool] = labels.column(model, name).contains(typed, autoescape=True)
    return or_(holds, sound.contains(f" {letters}")) if sound is not None and letters else holds


@dataclass(frozen=True)
class Lookup:
    """How a row is found for a relation: what is searched, how it is called, which rows are offered.

    The session's scope applies to every statement, so a stranger's row is neither offered nor accepted.
    """

    model: type[Base]
    search: tuple[str, ...] = ("name",)
    """Columns a few typed letters are looked for in; those the model has not are left out."""
    words: Callable[[Any], str] = str
    only: Callable[[Select[Any], Session], Select[Any]] | None = None
    order: tuple[str, ...] = ("id",)
    """Columns; each by what it says it is sorted by."""

    def _select(self, session: Session) -> Select[Any]:
        query = select(self.model).order_by(*(c for name in self.order for c in labels.sorted_by(self.model, name)))
        return self.only(query, session) if self.only else query

    def few(self, session: Session) -> list[Any] | None:
        """All rows when they are few enough for a list, else None."""
        rows = list(session.scalars(self._select(session).limit(MANY + 1)))
        return rows if len(rows) <= MANY else None

    def options(self, session: Session, limit: int = 400) -> list[tuple[str, str]]:
        """(id, words) of the rows on offer; names alone are read where the name is all that is shown."""
        if self.words is not str or not hasattr(self.model, "name"):
            return [(str(row.id), self.words(row)) for row in session.scalars(self._select(session).limit(limit))]
        names = self._select(session).with_only_columns(self.model.id, self.model.name).limit(limit)
        return [(str(pk), name) for pk, name in session.execute(names)]

    @property
    def _searched(self) -> tuple[str, ...]:
        there = tuple(name for name in self.search if hasattr(self.model, name))
        return there or tuple(name for name in ("title", "code") if hasattr(self.model, name))

    def one(self, session: Session, pk: Any) -> Any:
        number = number_or_none(pk)
        if number is None:
            return None
        return session.scalar(self._select(session).where(self.model.id == number))

    def find(self, session: Session, text: str, limit: int = 20) -> list[Any]:
        query = self._select(session)
        for term in rules.tidy(text).split()[:4]:
            query = query.where(or_(*(says(self.model, c, term) for c in self._searched)))
        return list(session.scalars(query.limit(limit)))


def own_schools(query: Select[Any], session: Session) -> Select[Any]:
    """School names are open to all; a form offers only those whose rows the actor may write."""
    scope = scope_in(session)
    return query if scope.reads_everywhere else query.where(School.id.in_(sorted(scope.school_ids) or [-1]))


SCHOOLS = Lookup(School, search=("name", "code"), only=own_schools, order=("name",))


def school_asked(session: Session) -> School | None:
    """Whose paper is asked for: ?school=, or the actor's own school (before its sites); who reads everywhere has to say."""
    asked, held = number_or_none(request.args.get("school")), own_schools(select(School), session)
    if asked is None and scope_in(session).reads_everywhere:
        return None
    held = held.where(School.id == asked) if asked is not None else held
    return session.scalar(held.order_by(School.centre_id.is_not(None), School.id).limit(1))


class PickWidget:
    """A native list for few options; a search box that asks the server for many."""

    def __call__(self, field: RowPick, **kwargs: Any) -> Any:
        kwargs.setdefault("id", field.id)
        options = field.lookup.few(field.db_session())
        if options is not None:
            choices = [] if field.required and field.data else [("", "")]
            choices += [(str(row.id), field.lookup.words(row)) for row in options]
            chosen = str(field.data.id) if field.data is not None else ""
            option = Markup('<option value="{}"{}>{}</option>')
            html = Markup("").join(option.format(v, Markup(" selected") if v == chosen else "", words) for v, words in choices)
            kwargs["class"] = "custom-select " + kwargs.pop("class", "").replace("form-control", "")
            return Markup("<select {}>{}</select>").format(Markup(widgets.html_params(name=field.name, **kwargs)), html)
        shown = field.lookup.words(field.data) if field.data is not None else ""
        box = Markup(
            widgets.html_params(
                type="text", value=shown, autocomplete="off", role="combobox", placeholder=_("输入姓名或名称查找"),
                **{"data-lookup": field.name, "data-nothing": _("没有找到"), "aria-expanded": "false", **kwargs},
            )
        )  # fmt: skip
        held = str(field.data.id) if field.data is not None else ""
        hidden = Markup(widgets.html_params(type="hidden", name=field.name, value=held))
        return Markup("<span class=pick><input {}><input {}></span>").format(box, hidden)


class RowPick(fields.Field):
    """One row of another table. An id that is not offered is refused, never dropped."""

    widget = PickWidget()

    def __init__(self, lookup: Lookup, session: Callable[[], Session], required: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.lookup, self.db_session, self.required = lookup, session, required
        self.unknown = False

    def process_formdata(self, valuelist: list[str]) -> None:
        raw = valuelist[0].strip() if valuelist else ""
        self.data = self.lookup.one(self.db_session(), raw) if raw else None
        self.unknown = bool(raw) and self.data is None

    def pre_validate(self, _form: Any) -> None:
        if self.unknown:
            raise validators.StopValidation(_("不是有效的选项。"))


class ChoiceField(fields.SelectField):
    """A Choice column as a native list with Chinese labels."""

    def __init__(self, choices_of: type[Choice], required: bool, **kwargs: Any):
        self.choices_of, self.required = choices_of, required
        super().__init__(coerce=self._coerce, choices=[], validate_choice=False, **kwargs)

    def _coerce(self, value: Any) -> Any:
        return None if value in (None, "", "None") else self.choices_of(value)

    def iter_choices(self) -> Iterator[fields.choices.Choice]:
        if not self.required or self.data is None:
            yield fields.choices.Choice("", "", self.data is None, {})
        for member in self.choices_of:
            yield fields.choices.Choice(member.value, _(member.label), member is self.data, {})

    def has_groups(self) -> bool:
        return False

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            self.data = self._coerce(valuelist[0]) if valuelist else None
        except ValueError:
            self.data = None
            raise ValueError(_("不是有效的选项。")) from None


class Ticks(fields.SelectMultipleField):
    """Several codes as tick boxes; ``options``: (code, words) at the time of the request."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def __init__(self, options: Callable[[], list[tuple[str, str]]], **kwargs: Any):
        self.options = options
        super().__init__(coerce=str, choices=options, **kwargs)

    def process_data(self, value: Any) -> None:
        self.data = [getattr(v, "value", v) for v in value or ()]

    def populate_obj(self, obj: Any, name: str) -> None:
        setattr(obj, name, tuple(code for code, _words in self.options() if code in (self.data or ())) or None)


class MomentField(fields.DateTimeLocalField):
    """A point in time on the county's clock; kept as UTC."""

    def process_data(self, value: Any) -> None:
        self.data = labels.local(value).replace(tzinfo=None) if value is not None else None

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and (complaint := rules.sensible_date(self.data.date().isoformat())):
            self.data = None
            raise ValueError(_(complaint))

    def populate_obj(self, obj: Any, name: str) -> None:
        setattr(obj, name, self.data.replace(tzinfo=labels.COUNTY_CLOCK) if self.data is not None else None)


class SealedField(fields.StringField):
    """A number shown masked; left as it stands it is kept, typed over it is replaced. The page never holds the whole."""

    def process_data(self, value: Any) -> None:
        self.kept = value
        self.data = rules.mask(value) if value else value

    def _value(self) -> str:
        return self.data or ""

    @property
    def unchanged(self) -> bool:
        return bool(self.kept) and self.data == rules.mask(self.kept)

    def populate_obj(self, obj: Any, name: str) -> None:
        if not self.unchanged:
            setattr(obj, name, self.data or None)


class VersionField(fields.HiddenField):
    """The version a form was opened at: compared, never written. Whoever sets it by hand keeps SQLAlchemy from counting up."""

    def populate_obj(self, obj: Any, name: str) -> None:
        pass


class OnceField(VersionField):
    """The number of an empty form; kept while it is corrected, written beside the row."""

    def __init__(self, **kwargs: Any):
        super().__init__(default=once.number, **kwargs)


class WholeField(fields.IntegerField):
    """A count. A number too long to be one is a typing error, not something to calculate with."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and len(valuelist[0].strip()) > LONGEST_NUMBER:
            self.data = None
            raise ValueError(_("应填整数。"))
        super().process_formdata(valuelist)


class DateField(fields.DateField):
    widget = widgets.DateInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        raw = [rules.tidy(v).replace("/", "-").replace(".", "-") for v in valuelist]
        super().process_formdata([v for v in raw if v])


class ExactField(fields.StringField):
    def _value(self) -> str:
        return "" if self.data is None else str(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        try:
            self.data = rules.plain_number(valuelist[0] if valuelist else "")
        except ValueError:
            raise ValueError(_("应填数字。")) from None


class JSONField(fields.TextAreaField):
    def _value(self) -> str:
        return self.raw_data[0] if self.raw_data else json.dumps(self.data or {}, ensure_ascii=False, indent=1)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            self.data = json.loads(valuelist[0] or "{}") if valuelist else {}
        except (ValueError, RecursionError):
            raise ValueError(_("参数不是有效的 JSON。")) from None


class ColumnCheck:
    """The column's own check, run on the form: the same that guards the import."""

    def __init__(self, model: type[Base], name: str):
        self.model, self.name = model, name

    def __call__(self, _form: Any, field: Any) -> None:
        value = field.data
        if value is None or value == "" or isinstance(value, Choice) or (isinstance(field, SealedField) and field.unchanged):
            return
        text = str(value)
        complaint = labels.complain(self.model, self.name, labels.tidied(self.model, self.name, text))
        if not complaint and isinstance(value, str) and len(value) > LONGEST_TEXT:
            complaint = f"最多 {LONGEST_TEXT} 个字，现有 {len(value)} 个。"
        if complaint:
            raise ValidationError(_(complaint))


class Converter(AdminModelConverter):
    """Columns to fields. The view says which; the column says everything else."""

    def _convert_relation(self, name: str, prop: Any, _proxy: bool, kwargs: dict[str, Any]) -> Any:
        local = [c for c in prop.local_columns if c.foreign_keys]
        required = not any(c.nullable for c in local)
        given = kwargs["validators"]
        kwargs = {
            "label": self._get_label(name, kwargs),
            "description": self._get_description(name, kwargs),
            "validators": [*given, validators.InputRequired() if required else validators.Optional()],
        }
        return RowPick(self.view.lookup(name), lambda: self.view.db_session, required, **kwargs)

    @converts("Coded")
    def coded(self, column: Any, field_args: dict[str, Any], **_extra: Any) -> Any:
        required = not column.nullable
        if not required:
            field_args["validators"].append(validators.Optional())
        return ChoiceField(column.type.choices, required, **field_args)

    @converts("Sealed")
    def sealed(self, field_args: dict[str, Any], **_extra: Any) -> Any:
        field_args["filters"] = [_tidy_number]
        return SealedField(**field_args)

    @converts("Several")
    def several(self, column: Any, field_args: dict[str, Any], **_extra: Any) -> Any:
        choices = column.type.choices
        options = self.view.options_of(column.key) if choices is None else lambda: [(m.value, _(m.label)) for m in choices]
        field_args["validators"] = [validators.Optional()]
        return Ticks(options, **field_args)

    @converts("Moment")
    def moment(self, column: Any, field_args: dict[str, Any], **_extra: Any) -> Any:
        if column.nullable:
            field_args["validators"].append(validators.Optional())
        field_args["validators"] = [v for v in field_args["validators"] if not isinstance(v, ColumnCheck)]
        return MomentField(format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], **field_args)

    @converts("Exact")
    def exact(self, column: Any, field_args: dict[str, Any], **_extra: Any) -> Any:
        if column.nullable:
            field_args["validators"].append(validators.Optional())
        return ExactField(**field_args)

    @converts("Integer")
    def integer(self, column: Any, field_args: dict[str, Any], **_extra: Any) -> Any:
        if column.nullable:
            field_args["validators"].append(validators.Optional())
        field_args["validators"].append(validators.NumberRange(0, LARGEST))
        return WholeField(**field_args)

    @converts("JSON")
    def json(self, field_args: dict[str, Any], **_extra: Any) -> Any:
        return JSONField(**field_args)

    @converts("Date")
    def date(self, column: Any, field_args: dict[str, Any], **_extra: Any) -> Any:
        if column.nullable:
            field_args["validators"].append(validators.Optional())
        return DateField(**field_args)

    @converts("String")
    def conv_String(self, column: Any, field_args: dict[str, Any], **_extra: Any) -> Any:
        check = column.info.get("check")
        field_args["filters"] = [_tidy_name if check is rules.person_name else _tidy]
        return fields.StringField(**_words(column, field_args))

    @converts("Text")
    def conv_Text(self, column: Any, field_args: dict[str, Any], **_extra: Any) -> Any:
        field_args["filters"] = [_tidy]
        return fields.TextAreaField(**_words(column, field_args))


def _words(column: Any, field_args: dict[str, Any]) -> dict[str, Any]:
    """A text that is required is so after it was tidied: blanks alone are none."""
    if column.nullable:
        field_args["validators"].append(validators.Optional())
    required = (validators.DataRequired() if isinstance(v, validators.InputRequired) else v for v in field_args["validators"])
    return field_args | {"validators": list(required)}


def _tidy(value: Any) -> Any:
    return (rules.tidy(value) or None) if isinstance(value, str) else value


def _tidy_name(value: Any) -> Any:
    return (rules.tidy_name(value) or None) if isinstance(value, str) else value


def _tidy_number(value: Any) -> Any:
    if isinstance(value, str) and "*" not in value:
        return rules.tidy_number(value) or None
    return value


def number_or_none(raw: Any) -> int | None:
    """A row id as typed in an address or a form, or None when it cannot be one."""
    try:
        value = int(raw)
    except (TypeError, ValueError):
        return None
    return value if 0 < value < 2**31 else None


def ids_in_form(name: str) -> set[int]:
    """The ticked row ids.

    :raises Complaint: when one is not a number.
    """
    ids = {number_or_none(raw) for raw in request.form.getlist(name)}
    if None in ids:
        raise rules.Complaint("名单中有不是有效的选项，未保存。")
    return {i for i in ids if i}
