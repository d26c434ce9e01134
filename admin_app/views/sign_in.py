"""Login, logout, password and language; and the two addresses that tell whether the server lives."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from .. import accounts, auth, labels, one_time_codes, sessions
from ..db import is_ready
from ..orm import keyring
from ..rules import Complaint
from . import gate

blueprint = Blueprint("sign_in", __name__)
status = Blueprint("status", __name__)


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Response | str:
    if current_user.is_authenticated:
        return redirect("/")
    complaint = ""
    if request.method == "POST":
        try:
            if not auth.log_in(request.form.get("username", "").strip()[:100], request.form.get("password", "")):
                return redirect(url_for("sign_in.code"))
            return _come_in()
        except Complaint as e:
            complaint = e.text
    elsewhere = auth.ELSEWHERE if sessions.ended_elsewhere() else ""
    username = request.form.get("username", "")[:100]
    return render_template("sign_in/login.html", complaint=complaint, elsewhere=elsewhere, username=username)


@blueprint.route("/login/code", methods=["GET", "POST"])
def code() -> Response | str:
    """The second half of a login with a one-time code."""
    complaint = ""
    if request.method == "POST":
        try:
            auth.give_code(request.form.get("code", ""))
            return _come_in()
        except Complaint as e:
            complaint = e.text
    user = auth.half_in()
    if user is None:
        return redirect("/" if current_user.is_authenticated else url_for("sign_in.login"))
    return render_template("sign_in/code.html", complaint=complaint, name=user.name)


def _come_in() -> Response:
    """Home, with the login before this one told: who knows it was not theirs finds out."""
    if before := sessions.login_before(current_user):
        at = labels.text(before.at)
        flash(_("上次登录：%(at)s，地址 %(address)s。", at=at, address=before.address or "—"), "info")
        if before.refused:
            flash(
                _("此后有 %(n)d 次密码或动态口令不对。不是您本人的，请修改密码并告诉管理员。", n=before.refused),
                "warning",
            )
    return redirect("/")


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
            auth.change_password(current_user, form.get("old", ""), form.get("password", ""))
            flash(_("密码已修改，其他设备上的登录已失效。"), "success")
            return redirect("/")
        except Complaint as e:
            complaint = e.text
    return render_template("sign_in/password.html", complaint=complaint, must=current_user.must_change)


@blueprint.route("/one-time-code", methods=["GET", "POST"])
def one_time_code() -> Response | str:
    """Set up the codes of a phone for the own account, or stop them."""
    if (page := gate.asked_again()) is not None:
        return page
    act, secret, complaint = request.form.get("act", ""), "", ""
    try:
        if act in ("show", "stop") and current_user.has_codes:
            auth.check_code(current_user, request.form.get("code", ""))
        if act == "show":
            secret = one_time_codes.new_secret()
        elif act == "start":
            secret = _unsealed(request.form.get("sealed", ""))
            auth.set_up_codes(current_user, secret, request.form.get("code", ""))
            flash(_("动态口令已启用，下次登录时除密码外还要输入手机上的 6 位数字。"), "success")
            return redirect("/")
        elif act == "stop":
            auth.stop_codes(current_user)
            flash(_("动态口令已停用。"), "success")
            return redirect("/")
    except Complaint as e:
        complaint = e.text
    return render_template("sign_in/one_time_code.html", complaint=complaint, **(_to_scan(secret) if secret else {}))


def _to_scan(secret: str) -> dict[str, str]:
    """What the page shows of a new secret; it comes back sealed, bound to its account, with the first code."""
    picture = one_time_codes.picture(secret, current_user.username)
    return {"picture": picture, "secret": one_time_codes.in_fours(secret), "sealed": keyring.seal(secret, _place())}


def _unsealed(given: str) -> str:
    try:
        return keyring.open(given, _place())
    except ValueError:
        raise Complaint("设置已失效，请重新开始。") from None


def _place() -> str:
    return f"one-time code of {current_user.user_id}"


@blueprint.route("/language", methods=["POST"])
def language() -> Response:
    locale = request.form.get("locale", "")
    if locale in ("zh_Hans_CN", "en"):
        accounts.use_language(current_user.user_id, locale)
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
