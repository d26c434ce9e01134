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

from .. import accounts, sessions, tries
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
    column_list = ("username", "name", "roles", "school.name", "standing", "must_change", "codes", "last_login_at")
    extra_columns = {"roles": "角色", "standing": "状态", "codes": "动态口令"}
    form_columns = ("username", "name", "school", "active")
    column_details_list = ("username", "name", "school.name", "last_login_at")
    filters = ("school", "active")
    lookups = {"school": Lookup(School, search=("name", "code"), order=("name",))}
    search = ("username", "name")
    default_sort = (("username", False),)
    link_column = "username"
    edit_template = "accounts/edit.html"
    needs = RecordView.needs | dict.fromkeys(("reset", "unlock", "remove_codes"), Action.UPDATE)
    grave = frozenset({"create_view", "edit_view", "reset", "unlock", "remove_codes"})

    def scaffold_form(self) -> Any:
        form = super().scaffold_form()
        form.roles = RoleTicks(lazy_gettext("角色"), choices=[SelectChoice(role.value, lazy_gettext(role.label)) for role in Role])
        return form

    def decorate(self, lines: list[Any]) -> None:
        held: dict[int, list[str]] = {}
        for user_id, role in self.db_session.execute(select(Grant.user_id, Grant.role).order_by(Grant.id)):
            held.setdefault(user_id, []).append(_(role.label))
        ids = [line.id for line in lines]
        users = {user.id: user for user in self.db_session.scalars(select(User).where(User.id.in_(ids)))}
        standings = accounts.standings(self.db_session, users.values())
        for line in lines:
            line.values["roles"] = "、".join(held.get(line.id, []))
            line.values["standing"] = _(standings[line.id])
            line.values["codes"] = _("已启用") if users[line.id].otp_secret else ""

    def details(self, row: User) -> list[tuple[str, str]]:
        return [
            *super().details(row),
            (_("角色"), "、".join(_(grant.role.label) for grant in row.grants)),
            (_("状态"), _(self.standing(row))),
            (_("动态口令"), _("已启用") if row.otp_secret else _("未启用")),
        ]

    def standing(self, row: User) -> str:
        return accounts.standings(self.db_session, [row])[row.id]

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        if request.method == "GET":
            form.roles.data = [grant.role.value for grant in obj.grants]
        return form

    def _save(self, form: Any, row: Any, *, created: bool) -> bool:
        del form.roles  # not a column: applied in before_save
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
            accounts.reset_password(self.db_session, row)
        for grant in [g for g in row.grants if g.role not in roles]:
            row.grants.remove(grant)
        held = {g.role for g in row.grants}
        row.grants.extend(Grant(role=role) for role in roles if role not in held)

    def after_save(self, form: Any, row: User, created: bool) -> None:
        sessions.end_all(self.db_session, row.id)
        if not accounts.administrators(self.db_session):
            raise Complaint("这样就没有可用的管理员账号了，未保存。")

    @expose("/reset/", methods=("POST",))
    def reset(self) -> Any:
        row = self.get_one(request.form.get("id", ""))
        if row.id == current_user.user_id:
            flash(_("自己的密码请在右上角“密码与登录安全”中修改。"), "warning")
            return redirect(self.get_url(".edit_view", id=row.id))
        password = accounts.reset_password(self.db_session, row)
        self.db_session.commit()
        flash(
            _("%(name)s 的初始密码：%(password)s（72 小时内首次登录有效，只显示这一次）", name=row.username, password=password),
            "info",
        )
        return redirect(self.get_url(".edit_view", id=row.id))

    @expose("/unlock/", methods=("POST",))
    def unlock(self) -> Any:
        """Let somebody who was locked out try again at once."""
        row = self.get_one(request.form.get("id", ""))
        forgiven = tries.unlock(self.db_session, row)
        self.db_session.commit()
        flash(_("%(name)s 已解除锁定，可以马上登录。", name=row.username) if forgiven else _("这个账号没有锁定。"), "success")
        return redirect(self.get_url(".edit_view", id=row.id))

    @expose("/remove-codes/", methods=("POST",))
    def remove_codes(self) -> Any:
        """For somebody whose phone is lost; one's own are stopped on one's own page."""
        row = self.get_one(request.form.get("id", ""))
        if row.id == current_user.user_id:
            flash(_("自己的动态口令请在右上角“密码与登录安全”中停用。"), "warning")
        elif row.otp_secret is None:
            flash(_("这个账号没有启用动态口令。"), "warning")
        else:
            accounts.remove_codes(self.db_session, row)
            self.db_session.commit()
            flash(_("已移除 %(name)s 的动态口令，请本人登录后重新设置。", name=row.username), "success")
        return redirect(self.get_url(".edit_view", id=row.id))
