"""SCREENS: the menu, one line a screen; and what all pages share (language, headers, errors)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import flask_wtf.csrf
from flask import Flask, Response, abort, has_request_context, render_template, request
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme
from flask_babel import Babel, gettext as _
from flask_login import current_user
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException, SecurityError

from .. import auth, incoming, labels
from ..access import Action, Refused
from ..db import db, status_of
from ..drafts import typed
from ..limits import TooOften
from ..orm import utcnow
from ..sheets import packages
from . import (
    accounts,
    activities,
    appeals,
    assessment,
    attachments,
    audit,
    care,
    census,
    children,
    county,
    drafts,
    duty,
    full_exports,
    gaps,
    holidays,
    home,
    imports,
    incidents,
    matching,
    notices,
    privacy,
    quick,
    reports,
    retention,
    rounds,
    schemes,
    schools,
    sessions,
    sign_in,
    snapshots,
    training,
    transfers,
    trash,
    welfare,
    work,
)
from .gate import current_scope, limit_words, note_denied

SCREENS = (
    home.HomeView,
    gaps.GapView,
    notices.NoticeView,
    children.ChildView,
    children.ParentView,
    children.ParentStatusView,
    children.CarerView,
    children.EnrolmentView,
    children.ResponsibilityView,
    duty.StaffHandoverView,
    children.ContactCardView,
    duty.CardsView,
    welfare.AgreementView,
    welfare.CategoryView,
    welfare.SubsidyView,
    welfare.DropoutCaseView,
    welfare.DropoutStepView,
    transfers.TransferView,
    transfers.RolloverView,
    imports.ImportView,
    care.CareRecordView,
    quick.QuickView,
    care.FlagView,
    care.CounsellingView,
    care.StateNoteView,
    care.HelpPlanView,
    care.EvaluationView,
    care.PairingView,
    care.LetterView,
    holidays.HolidayBoard,
    holidays.HandoverView,
    incidents.MandatoryReportView,
    incidents.OpinionView,
    activities.ActivityView,
    training.TrainingView,
    work.PostView,
    work.PaperView,
    work.FacilityView,
    work.EveningSlotView,
    schools.StaffView,
    census.CensusView,
    census.CensusReturnView,
    reports.ReportView,
    matching.MatchingView,
    full_exports.FullExportView,
    assessment.AssessmentView,
    appeals.AppealView,
    appeals.EvidenceView,
    rounds.AdjustmentView,
    rounds.InspectionView,
    snapshots.SnapshotView,
    rounds.RoundView,
    schemes.SchemeView,
    schemes.IndicatorView,
    schools.SchoolView,
    schools.TownshipView,
    schools.TermView,
    county.HolidayView,
    county.WorkdayView,
    census.CensusRoundView,
    schools.CodeView,
    county.SettingsView,
    trash.TrashView,
    retention.RetentionView,
    trash.BatchView,
    accounts.UserView,
    sessions.SessionView,
    privacy.PrivacyView,
    audit.AuditView,
    audit.ComplianceView,
    attachments.AttachmentView,
    drafts.DraftView,
)
"""Every screen, in the order of the menu. A screen without ``in_menu`` is reached from another one."""

LOCALES = ("zh_Hans_CN", "en")
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SENTENCES = {
    400: "请求不完整或已过期，请返回上一页刷新后再试。",
    403: "您没有此项权限，请联系德育股。",
    404: "未找到该记录，或不在您的查看范围。",
    405: "不支持这样的访问方式。",
    413: "文件太大，最多 10 MB。",
    500: "系统出错，未保存。请把编号告诉管理员。",
    503: "系统正忙，请稍候再点一次；已填内容还在浏览器中。",
    507: "服务器磁盘不能写入，未保存；打开要留痕的页面也暂时打不开。请告诉管理员，已填内容还在浏览器中。",
}


def init(app: Flask) -> None:
    Babel(app, locale_selector=_locale)
    app.before_request(_from_our_pages)
    flask_wtf.csrf.CSRFProtect(app)
    app.register_blueprint(sign_in.blueprint)
    app.register_blueprint(sign_in.status)
    first, *others = SCREENS
    admin = Admin(
        app,
        name="农村留守儿童关爱保护工作平台",
        index_view=first(),
        theme=Bootstrap4Theme(base_template="admin/app_base.html", fluid=True),
    )
    for screen in others:
        admin.add_view(screen())
    app.extensions["screens"] = admin
    settings = app.config["SETTINGS"]
    app.config["LIMITS"] = settings.limits if settings.rate_limits else {}
    app.context_processor(_for_templates)
    app.jinja_env.filters["words"] = labels.text
    app.jinja_env.filters["unquoted"] = unquote_plus
    app.jinja_env.filters["day"] = labels.day
    app.jinja_env.filters["say"] = _  # a sentence that holds what was typed: the template's own _() reads its % as a placeholder
    app.jinja_env.globals["label"] = labels.label
    app.jinja_env.globals["new_package_password"] = packages.new_password
    app.jinja_env.globals["gettext"] = _said
    app.after_request(_headers)
    app.register_error_handler(Exception, _failed)


def _locale() -> str:
    if not has_request_context() or not current_user.is_authenticated:
        return LOCALES[0]
    return current_user.locale if current_user.locale in LOCALES else LOCALES[0]


def _said(sentence: str, **values: Any) -> Markup:
    """The templates' ``_()``: words somebody typed stay text too (the library's own trusts them, and reads their % as a placeholder)."""
    words = escape(_(sentence))
    return words % values if values else words


def _for_templates() -> dict[str, Any]:
    return {
        "menu": _menu,
        "tabs": _tabs,
        "drafts": drafts.offered,
        "scope": current_scope(),
        "can": lambda action, resource: current_scope().may(Action(action), resource),
        "demo": _settings().demo,
        "html_lang": "en" if _locale() == "en" else "zh-CN",
        "moment": labels.text(utcnow()),
    }


def _settings() -> Any:
    from flask import current_app

    return current_app.config["SETTINGS"]


def _menu() -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The side menu of this actor: groups of (name, address, is this page)."""
    groups: dict[str, dict[str, tuple[str, str, bool]]] = {}
    for view in _offered():
        entries, name = groups.setdefault(view.group, {}), _(view.section) if view.section else str(view.name)
        first = entries.get(name, (name, _front(view), False))
        entries[name] = (*first[:2], first[2] or request.blueprint == view.blueprint.name)
    return [(group, list(entries.values())) for group, entries in groups.items()]


def _tabs() -> list[tuple[str, str, bool]]:
    """The screens of this page's section, when there are several."""
    from flask import current_app

    here = next((v for v in current_app.extensions["screens"]._views if v.blueprint.name == request.blueprint), None)
    if here is None or not getattr(here, "section", ""):
        return []
    found = [(str(v.name), _front(v), v is here) for v in _offered() if getattr(v, "section", "") == here.section]
    return found if len(found) > 1 else []


def _offered() -> Iterator[Any]:
    """The screens this actor finds in the menu, in its order."""
    from flask import current_app

    for view in current_app.extensions["screens"]._views:
        if view.in_menu and view.is_accessible() and current_scope().may(getattr(view, "menu_for", Action.READ), view.resource):
            yield view


def _front(view: Any) -> str:
    return view.get_url(f"{view.endpoint}.{view._default_view}")


def _from_our_pages() -> None:
    """What changes something is sent by a page of ours: the browser says where it comes from, whatever token came along."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = (request.host, *_settings().trusted_hosts)
    if site not in (None, "same-origin", "none") or (site is None and origin is not None and urlsplit(origin).netloc not in ours):
        abort(400)
    if (
        None in request.form or None in request.files
    ):  # a part without a name: no browser sends one, and no reader of forms expects it
        abort(400)


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CSP)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if request.is_secure or _settings().secure_cookies:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint and request.endpoint.endswith("static"):
        response.headers["Cache-Control"] = "public, max-age=86400"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def _failed(error: Exception) -> Any:
    """A neutral page with the request's number; the log has the rest, without parameters. A refusal is an entry of its own."""
    from flask import current_app

    if isinstance(error, TooOften):
        return _too_often(error)
    code = status_of(error)
    if isinstance(error, HTTPException):
        if error.code is not None and error.code < 400:
            return error
        code = error.code or 500
    elif isinstance(error, Refused):
        code = 403
    incident = incoming.request_number()
    if code >= 500:
        current_app.logger.error("incident %s at %s", incident, request.path, exc_info=error)
        auth.ask_no_more()
    if isinstance(error, SecurityError):  # a host name we do not serve: no address can be built for it
        return Response(SENTENCES[400], 400, mimetype="text/plain")
    if code in (403, 404) and request.endpoint and current_user.is_authenticated:
        db.session().rollback()
        note_denied(code)
    sentence = SENTENCES.get(code, SENTENCES[400] if code < 500 else SENTENCES[500])
    return render_template("error.html", code=code, sentence=_(sentence), incident=incident), code


def _too_often(error: TooOften) -> Any:
    """When it goes on; what was filled in is on the page and can be sent again from it."""
    db.session().rollback()
    note_denied(429)
    page = render_template(
        "error.html",
        code=429,
        sentence=limit_words(error),
        incident=incoming.request_number(),
        fields=typed() if request.method == "POST" else None,
        address=request.full_path.rstrip("?"),
    )
    return page, 429, {"Retry-After": str(max(1, int((error.until - utcnow()).total_seconds())))}
