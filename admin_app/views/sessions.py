"""登录情况: the browsers that are logged in, which one may put out; and who may do what."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user

from .. import access, labels, sessions
from ..access import Action
from ..models import Resource, Role
from .base import ToolView
from .fields import number_or_none
from .gate import current_scope


class SessionView(ToolView):
    resource = Resource.SCHOOLS
    in_menu = False  # reached from the name at the top, and from the accounts

    def __init__(self) -> None:
        super().__init__("登录情况", "session", "管理")

    @property
    def everybody(self) -> bool:
        """The administrator sees and ends everybody's."""
        return current_scope().may(Action.UPDATE, Resource.ACCOUNTS)

    def is_grave(self, name: str) -> bool:
        """To put somebody else out takes the password again."""
        return name == "end" and self.everybody

    @expose("/")
    def index(self) -> str:
        held = sessions.listed(current_user, everybody=self.everybody)
        return self.render("sessions/index.html", held=held, everybody=self.everybody)

    @expose("/end/", methods=("POST",))
    def end(self) -> Any:
        """Put one browser out."""
        if not sessions.end(current_user, number_or_none(request.form.get("id")), everybody=self.everybody):
            abort(404)
        flash(_("已退出。"), "success")
        return redirect(self.get_url(".index"))

    @expose("/permissions/")
    def permissions(self) -> str:
        """Who may do what, as the product holds it."""
        rows: dict[str, list[tuple[str, str]]] = {}
        groups: dict[str, str] = {}
        for row in access.permissions():
            acts = "、".join(_(labels.ACTIONS[action]) for action in row["actions"].split())
            rows.setdefault(Role(row["role"]).label, []).append((labels.RESOURCES[row["resource"]], acts))
            groups[Role(row["role"]).label] = "、".join(_(labels.GROUPS[group]) for group in row["groups"].split())
        return self.render("sessions/permissions.html", rows=rows, groups=groups)
