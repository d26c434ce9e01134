"""草稿: the forms that arrived after their session had run out, offered to their author again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import abort, current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import HTTPException

from .. import drafts
from ..models import Resource
from .base import ToolView
from .fields import number_or_none

FORMS = (".create_view", ".edit_view")


@dataclass(frozen=True)
class Offer:
    """A draft as its author finds it: when, of which page, and where to go on."""

    id: int
    at: dt.datetime
    page: str
    address: str
    fills: bool
    """The address is the form itself, filled in; else a page that shows what was typed."""


def offered() -> list[Offer]:
    """The drafts to speak of on this page: all of them at home, its own on a form."""
    endpoint = request.endpoint or ""
    home = endpoint == "admin.index"
    if request.method != "GET" or "draft" in request.args or not (home or endpoint.endswith(FORMS)):
        return []
    if not current_user.is_authenticated:
        return []
    here = drafts.page()
    return [_offer(*each) for each in drafts.waiting(current_user.user_id) if home or each[1] == here]


def _offer(number: int, path: str, at: dt.datetime) -> Offer:
    endpoint = _endpoint(path)
    blueprint, _dot, function = endpoint.partition(".")
    views = current_app.extensions["screens"]._views
    name = next((str(view.name) for view in views if view.blueprint.name == blueprint), path.partition("?")[0])
    fills = endpoint.endswith(FORMS)
    if fills:
        name = f"{name}·{_('新增') if function == 'create_view' else _('修改')}"
        return Offer(number, at, name, f"{path}{'&' if '?' in path else '?'}draft={number}", fills)
    return Offer(number, at, name, f"/drafts/?id={number}", fills)


def _endpoint(path: str) -> str:
    addresses = current_app.url_map.bind("")
    for method in ("GET", "POST"):
        try:
            return str(addresses.match(path.partition("?")[0], method)[0])
        except HTTPException:
            continue
    return ""


class DraftView(ToolView):
    resource = Resource.SCHOOLS
    """Open to whoever is logged in; there is nothing here but one's own."""
    in_menu = False

    def __init__(self) -> None:
        super().__init__("草稿", "drafts")

    @expose("/")
    def index(self) -> Any:
        """What was typed on a page that cannot be filled in again by itself: to read and copy."""
        number = number_or_none(request.args.get("id"))
        kept = drafts.take(current_user.user_id, number)
        if kept is None:
            abort(404)
        path, fields = kept
        at = next(at for each, _path, at in drafts.waiting(current_user.user_id) if each == number)
        shown = [(name, value) for name, value in fields.items(multi=True) if value.strip() and name not in ("version", "id")]
        return self.render("drafts/draft.html", offer=_offer(number or 0, path, at), shown=shown)

    @expose("/drop/", methods=("POST",))
    def drop(self) -> Any:
        if not drafts.drop(current_user.user_id, number_or_none(request.form.get("id"))):
            abort(404)
        flash(_("已丢弃未保存的内容。"), "success")
        return redirect("/")
