"""Who may open a view and how often, who has to give the password again, and the actor of the request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from flask import abort, current_app, has_app_context, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session

from .. import access, audit, auth, drafts, labels, limits
from ..access import NOTHING, SYSTEM, Action, Found, Person, Scope, on_behalf_of, scope_in
from ..db import db, session_with, take_turn, writing
from ..models import Child, Resource
from ..orm import keyring
from ..rules import Complaint


def current_scope() -> Scope:
    """The scope of the request, asked through its session: one source."""
    return scope_in(db.session()) if has_app_context() and request else NOTHING


def note(action: str, table_name: str, row_id: object = "", school_id: int | None = None, **what: Any) -> None:
    """Leave a log entry for a read, in a short transaction of its own, before the answer is sent."""
    note_each(action, table_name, [(row_id, school_id)], **what)


def note_each(action: str, table_name: str, rows: Iterable[tuple[object, int | None]], **what: Any) -> None:
    """The same entry for several rows (id, school), in one transaction.

    A request that may write holds SQLite's only write lock itself, so there its own session takes the entries and is committed. An
    account's writing transactions follow each other, so nothing comes between the count and the entries.

    :raises TooOften: when the account has done this too often in an hour.
    """
    _note_all(db.session(), action, [(table_name, row_id, school_id, what) for row_id, school_id in rows])


def note_names(count: int, school_id: int | None = None, row_id: object = "") -> None:
    """A working page that lists children by name: who opened it, and how many were on it. One without names leaves nothing."""
    if count:
        note("open", request.blueprint or "", row_id, school_id, 人数=count)


Entry = tuple[str, object, int | None, dict[str, Any]]
"""What an entry is about: table, row, school, and what is said of it."""


def _note_all(own: Session, action: str, entries: list[Entry]) -> None:
    user_id = scope_in(own).user_id
    if own.info.get("writes"):
        take_turn(own)
        within_limits(action, len(entries), user_id)
        _note_in(own, action, entries)
        own.expire_on_commit = False  # nothing of the page has changed: its rows are not read once more, one by one
        try:
            own.commit()
        finally:
            own.expire_on_commit = True
    else:
        with writing(on_behalf_of(scope_in(own), system=True)) as session:
            _within_limits(session, action, len(entries), user_id)
            _note_in(session, action, entries)


def _note_in(session: Session, action: str, entries: list[Entry]) -> None:
    for table_name, row_id, school_id, what in entries:
        audit.note(session, action, table_name, row_id, school_id, **what)


def within_limits(action: str, coming: int = 1, user_id: int | None = None) -> None:
    """What costs much asks at its beginning whether it may be done; it is asked again when it is noted.

    :param user_id: the account, where it is not the one of the request's own session.
    :raises TooOften: when the account has done this too often in an hour.
    """
    if action in current_app.config["LIMITS"]:
        with session_with(SYSTEM) as session:
            _within_limits(session, action, coming, user_id or current_scope().user_id)


def _within_limits(session: Session, action: str, coming: int, user_id: int | None) -> None:
    """``session``: one that reads the log."""
    if most := current_app.config["LIMITS"].get(action):
        limits.check(session, user_id, action, most, coming)


def ask_elsewhere(own: Session, people: list[Person]) -> dict[Person, Found]:
    """What may be told about children of other schools. Questions are counted (act "probe") and noted: how many numbers each asked
    about, and of every child that something is told of, who. The same question within the hour is the same one, for a preview is
    read again and again.

    :param own: the session that asks, before anything was put into it: one that may write takes the entries, and commits them.
    :raises TooOften: before anything is asked, so that it says nothing about who is there.
    :raises Complaint: for a list that is no school's: many born on one day, or many who are at other schools.
    """
    actor = scope_in(own)
    if actor.reads_everywhere or not people:
        return {}
    question = keyring.sign("|".join(sorted(map(repr, people))))[:32]
    with session_with(SYSTEM) as log:
        is_new = question not in limits.questions(log, actor.user_id)
    if is_new:
        within_limits("probe", user_id=actor.user_id)
    on_a_day = max(Counter(number[6:14] for number in {number for number, *_rest in people}).values())
    if on_a_day > limits.BORN_ON_A_DAY:
        raise Complaint(
            f"有 {on_a_day} 个证件号是同一天出生的，不像一所学校的名单，请核对证件号。确实无误的，请分批上传，或联系德育股。"
        )
    found = access.known_elsewhere(session_with, actor, people)
    if is_new:
        table, asked = Child.__tablename__, {"证件号": len(people), "在别校": len(found), "指纹": question}
        _note_all(own, "probe", [(table, "", None, asked)])
        if found:
            _note_all(own, "stranger", [_entry_of(person, told) for person, told in found.items()][: limits.STRANGERS])
    if len(found) > limits.STRANGERS:
        raise Complaint(f"名单里有 {limits.STRANGERS} 名以上儿童已在县内别的学校登记，请由原学校“整班转出”，或联系德育股。")
    return found


def _entry_of(person: Person, told: Found) -> Entry:
    _number, name, born = person
    return Child.__tablename__, told.child_id, told.school_id, {"姓名": name, "出生日期": born}


def limit_words(error: limits.TooOften) -> str:
    return _(
        "“%(act)s”每小时至多 %(most)d 次，%(time)s 以后可以继续。",
        act=_(labels.DEEDS[error.action]),
        most=error.most,
        time=labels.local(error.until).strftime("%H:%M"),
    )


_looked_up: Counter[int | None] = Counter()
"""Look-ups by account, in this process."""


def note_lookup(table_name: str) -> None:
    """Look-ups come with every few letters: one entry stands for ``limits.LOOKUPS`` of them."""
    within_limits("lookup")
    who = current_scope().user_id
    _looked_up[who] += 1
    if _looked_up[who] % limits.LOOKUPS == 0:
        note("lookup", table_name, 次数=limits.LOOKUPS)


def note_denied(code: int) -> None:
    """Leave an entry for a page or a record that was refused; of very many in an hour the first ones."""
    with session_with(SYSTEM) as session:
        if limits.full_until(session, current_scope().user_id, "denied", limits.DENIED):
            return
    row_id = request.values.get("id", "")
    note("denied", request.blueprint or "", row_id if row_id.isalnum() else "", None, 页面=request.endpoint, 答复=code)


def asked_again() -> str | None:
    """The page that asks for the password before a grave act (ASVS 7.5.3); None when it was given a short while ago, or now.

    It carries along what was filled in, and its button sends that again: nothing typed is lost.
    """
    if request.method != "POST" or auth.lately_confirmed(current_user):
        return None
    complaint, given = "", request.form.get("confirm_password")
    if given is not None:
        try:
            auth.confirm_again(current_user, given)
            return None
        except Complaint as e:
            complaint = _(e.text)
    return render_template(
        "sign_in/confirm.html", complaint=complaint, fields=drafts.typed(), address=request.full_path.rstrip("?")
    )


class Gate:
    """Who may open a view: closed unless the role table says otherwise; 403 for no right."""

    resource: ClassVar[Resource]
    needs: ClassVar[dict[str, Action]] = {}
    """Endpoint function -> the right it takes; what is not listed takes READ."""
    grave: ClassVar[frozenset[str]] = frozenset()
    """Endpoint functions whose posting asks for the password again: who may do what, erasure, all that is held on a child."""

    def is_accessible(self) -> bool:
        return current_scope().may(Action.READ, self.resource)

    def is_grave(self, name: str) -> bool:
        return name in self.grave

    def _handle_view(self, name: str, **_kwargs: Any) -> str | None:
        if not current_user.is_authenticated or not self.is_accessible():
            abort(403)
        if not current_scope().may(self.needs.get(name, Action.READ), self.resource):
            abort(403)
        return asked_again() if self.is_grave(name) else None

    @staticmethod
    def forbid() -> NoReturn:
        abort(403)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # upstream calls the view a second time on any TypeError, which hides the true error
        return fn(self, *args, **kwargs)
