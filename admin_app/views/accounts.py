"""Accounts and their roles: made, disabled and reset by the administrator; every change puts the account out at once."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _, lazy_gettext
from flask_login import current_user
from sqlalchemy import select
from wtforms import SelectMultipleField, widgets
from wtforms.fields.choices import SelectChoice

from .. import auth
from ..access import SCHOOL_ROLES, Action
from ..models import Grant, Role, School, User
from ..rules import Complaint
from .base import RecordView
from .fields import Lookup


class RoleTicks(SelectMultipleField):
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class UserView(RecordView):
    model = User
    group = "管理"
    title = "账号"
    column_list = ("username", "name", "roles", "school.name", "active", "must_change", "last_login_at")
    extra_columns = {"roles": "角色"}
    form_columns = ("username", "name", "school", "active")
    column_details_list = ("username", "name", "school.name", "active", "last_login_at")
    filters = ("school", "active")
    lookups = {"school": Lookup(School, search=("name", "code"), order=("name",))}
    search = ("username", "name")
    default_sort = (("username", False),)
    link_column = "username"
    edit_template = "accounts/edit.html"
    needs = RecordView.needs | {"reset": Action.UPDATE}

    def scaffold_form(self) -> Any:
        form = super().scaffold_form()
        form.roles = RoleTicks(lazy_gettext("角色"), choices=[SelectChoice(role.value, lazy_gettext(role.label)) for role in Role])
        return form

    def decorate(self, lines: list[Any]) -> None:
        held: dict[int, list[str]] = {}
        for user_id, role in self.db_session.execute(select(Grant.user_id, Grant.role).order_by(Grant.id)):
            held.setdefault(user_id, []).append(_(role.label))
        for line in lines:
            line.values["roles"] = "、".join(held.get(line.id, []))

    def details(self, row: Any) -> list[tuple[str, str]]:
        return [*super().details(row), (_("角色"), "、".join(_(grant.role.label) for grant in row.grants))]

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if request.method == "GET":
            form.roles.data = [grant.role.value for grant in obj.grants]
        return form

    def _save(self, form: Any, row: Any, *, created: bool) -> bool:
        roles = [Role(value) for value in form.roles.data or []]
        del form.roles  # not a column: applied in before_save
        self._roles = roles
        try:
            return super()._save(form, row, created=created)
        finally:
            form.roles = None

    def before_save(self, form: Any, row: User, created: bool) -> None:
        roles = [Role(value) for value in request.form.getlist("roles")]
        if not roles:
            raise Complaint("至少选一个角色。")
        if SCHOOL_ROLES.intersection(roles) and row.school is None:
            raise Complaint("学校填报员、校长、心理教师须指定学校。", "school")
        if row.id == current_user.user_id:
            raise Complaint("不能修改自己的账号，请由另一位管理员修改。")
        if created:
            self.first = auth.reset_password(self.db_session, row)
        for grant in [g for g in row.grants if g.role not in roles]:
            row.grants.remove(grant)
        held = {g.role for g in row.grants}
        row.grants.extend(Grant(role=role) for role in roles if role not in held)

    def after_save(self, form: Any, row: User, created: bool) -> None:
        auth.end_sessions(self.db_session, row.id)

    @expose("/reset/", methods=("POST",))
    def reset(self) -> Any:
        row = self.get_one(request.form.get("id", ""))
        if row.id == current_user.user_id:
            flash(_("自己的密码请在右上角“修改密码”中修改。"), "warning")
            return redirect(self.get_url(".edit_view", id=row.id))
        password = auth.reset_password(self.db_session, row)
        self.db_session.commit()
        flash(
            _("%(name)s 的初始密码：%(password)s（72 小时内首次登录有效，只显示这一次）", name=row.username, password=password),
            "info",
        )
        return redirect(self.get_url(".edit_view", id=row.id))
