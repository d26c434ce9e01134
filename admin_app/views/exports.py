"""What leaves as a file: its receipt, its purpose, full numbers by an approved request, and those under a password."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from .. import auth, labels, passwords, rules
from ..db import db
from ..drafts import PACKAGE_PASSWORD
from ..models import ExportRequest
from ..records import full_exports
from ..rules import Complaint
from ..sheets import packages
from .fields import number_or_none
from .gate import note, within_limits

MIME_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "zip": "application/zip"}


def receipt_of(conditions_said: str, rows: int, grant: ExportRequest | None = None) -> dict[str, str]:
    """What every exported file says of itself."""
    receipt = {
        "导出人": current_user.name,
        "导出时间": labels.local(dt.datetime.now(dt.UTC)).strftime("%Y-%m-%d %H:%M"),
        "条件": conditions_said,
        "行数": str(rows),
        "用途": grant.purpose if grant else rules.tidy(request.args.get("purpose", ""))[:100] or "未填写",
    }
    if grant is not None:
        said = full_exports.standing(db.session(), grant).said
        receipt |= {"号码": "完整", "审批": f"{said.by} {labels.text(said.created_at)} 同意，申请第 {grant.id} 号" if said else ""}
    return receipt


# --- full numbers: an approved request, carried out by a POST of the very address it was asked for ---


def reason_to_reveal(may_reveal: bool) -> str:
    """The reason posted for printing a paper with full numbers; blank when none are asked for, or no reason was given."""
    if request.method != "POST":
        return ""
    if not may_reveal:
        abort(403)
    reason = rules.tidy(request.form.get("reason", ""))[:100]
    if not reason:
        flash(_("印出完整号码将被记录，请填写用途。"), "warning")
    return reason


def plain_address(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    """An address without what does not change its content, in one spelling."""
    kept = sorted((name, value) for name, value in pairs if name not in ("purpose", "page") and value)
    return f"{path}?{urlencode(kept)}" if kept else path


def carried_out() -> ExportRequest | None:
    """The approved request that this POST carries out; None for a GET, which gets masked numbers.

    :raises Complaint: when the password is wrong, or there is no such request for this actor and this address, or the package's
        password cannot be used.
    :raises TooOften: when the account has exported too often in an hour: before the work, not after it.
    """
    within_limits("export")
    if request.method != "POST":
        return None
    package_password()
    auth.confirm(current_user.user_id, request.form.get("password", ""), Complaint("密码不对，未导出。"))
    number = number_or_none(request.form.get("request"))
    return full_exports.granted(
        db.session(), number, plain_address(request.path, request.args.items(multi=True)), current_user.user_id
    )


def package_password() -> str | None:
    """The password that was posted for the package; None when it was ticked that it goes out without one.

    It is neither logged nor kept: who forgets it exports again.

    :raises Complaint: for none, one that is easy to guess, or one in letters that other programs read in another way.
    """
    if request.form.get("package_open"):
        return None
    password = request.form.get(PACKAGE_PASSWORD, "")
    try:
        if not password.isascii() or not password.isprintable():
            raise Complaint("只用字母、数字和符号：别的软件认不准汉字。")
        passwords.check(password, current_user.username, current_user.name)
    except Complaint as e:
        raise Complaint(f"压缩包的密码：{e.text}") from None
    return password


def packed(content: bytes, name: str) -> tuple[bytes, str, str]:
    """A file with full numbers under the password that was posted with it: content, name, and for the log what was done.

    :raises Complaint: as ``package_password``.
    """
    password = package_password()
    if password is None:
        return content, name, "未加密"
    return packages.locked(content, name, password), f"{name.rpartition('.')[0]}-加密.zip", "加密"


def refused(why: Complaint) -> Any:
    """Back to the requests, with the sentence."""
    db.session().rollback()
    flash(_(why.text), "danger")
    return redirect(url_for("full_export.index"))


def handed_out(
    content: bytes, name: str, table: str, receipt: dict[str, str], grant: ExportRequest | None, **more: str
) -> Response:
    """A list on its way out: in the log, and with full numbers also on its request."""
    if grant is not None:
        content, name, more["压缩包"] = packed(content, name)
        full_exports.take(grant, content)
    about = (grant.id, grant.school_id) if grant else ("", None)
    return logged(content, name, table, *about, **more, **receipt)


def logged(content: bytes, name: str, table: str, row_id: object = "", school_id: int | None = None, **what: Any) -> Response:
    """A file with children's data on its way out. The log keeps its fingerprint, so that a file can be told by it."""
    note("export", table, row_id, school_id, **what, 指纹=hashlib.sha256(content).hexdigest())
    return file_response(content, name)


def file_response(content: bytes, file_name: str) -> Response:
    response = Response(content, mimetype=MIME_TYPES[file_name.rpartition(".")[2]])
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file_name)}"  # RFC 5987
    return response
