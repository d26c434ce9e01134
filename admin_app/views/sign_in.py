"""Login, logout, password and language; and the two addresses that tell whether the server lives."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from .. import auth
from ..db import is_ready
from ..rules import Complaint

blueprint = Blueprint("sign_in", __name__)
status = Blueprint("status", __name__)


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Response | str:
    if current_user.is_authenticated:
        return redirect("/")
    complaint = ""
    if request.method == "POST":
        try:
            auth.log_in(request.form.get("username", "").strip()[:100], request.form.get("password", ""))
            return redirect("/")
        except Complaint as e:
            complaint = e.text
    return render_template("sign_in/login.html", complaint=complaint, username=request.form.get("username", "")[:100])


@blueprint.route("/logout", methods=["POST"])
def logout() -> Response:
    auth.log_out()
    response = redirect(url_for("sign_in.login"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> Response | str:
    complaint = ""
    if request.method == "POST":
        form = request.form
        try:
            if form.get("password", "") != form.get("again", ""):
                raise Complaint("两次输入的新密码不一致。")
            auth.change_password(current_user.user_id, form.get("old", ""), form.get("password", ""), current_user.token)
            flash(_("密码已修改，其他设备上的登录已失效。"), "success")
            return redirect("/")
        except Complaint as e:
            complaint = e.text
    return render_template("sign_in/password.html", complaint=complaint, must=current_user.must_change)


@blueprint.route("/language", methods=["POST"])
def language() -> Response:
    locale = request.form.get("locale", "")
    if locale in ("zh_Hans_CN", "en"):
        auth.use_language(current_user.user_id, locale)
    return redirect("/")


@status.route("/healthz")
def healthz() -> tuple[str, int]:
    return "ok", 200


@status.route("/readyz")
def readyz() -> tuple[str, int]:
    """For whoever watches the server: may people be sent here? Why not stands in the log."""
    try:
        ready = is_ready(current_app.config["SETTINGS"].data_dir)
    except Exception as e:
        current_app.logger.error("not ready: %s", type(getattr(e, "orig", e)).__name__)
        ready = False
    return ("ready", 200) if ready else ("not ready", 503)
