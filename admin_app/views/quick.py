"""快速录入: one talk for many children of a class, a class confirmed with one click, a block pasted from a workbook."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from ..access import Action, shown
from ..models import (
    Activity,
    Batch,
    CareKind,
    CareWay,
    Effect,
    Resource,
    School,
    SignedHow,
    TalkerRole,
    TrainingSession,
)
from ..records import concerns, informing, pasting, quick
from ..rules import Complaint
from .base import ToolView
from .fields import SCHOOLS, Lookup, ids_in_form, number_or_none
from .gate import current_scope, note_names
from .words import screen_words

TOO_LATE = "资料刚被他人改动，未保存。请刷新后再试。"
NOT_SAVED = (Complaint, IntegrityError, StaleDataError)
ACTIVITIES = Lookup(Activity, search=("title",), order=("on",))
TRAININGS = Lookup(TrainingSession, search=("title",), order=("on",))


class QuickView(ToolView):
    """For whoever enters her rows in the evening: as few pages and clicks as there can be."""

    resource = Resource.CARE
    in_menu = False
    needs = dict.fromkeys(("index", "talks", "confirm", "paste"), Action.CREATE)

    def __init__(self) -> None:
        super().__init__("快速录入", "quick", "关爱")

    def is_accessible(self) -> bool:
        return current_scope().may(Action.CREATE, self.resource)

    @expose("/")
    def index(self) -> Any:
        return redirect(self.get_url(".talks"))

    def pages(self) -> list[tuple[str, str]]:
        """The ways of fast entry this actor has: (address, name)."""
        scope = current_scope()
        found = [(self.get_url(".talks"), _("一次登记多人"))]
        if scope.may(Action.UPDATE, Resource.REGISTER):
            found.append((self.get_url(".confirm"), _("全班确认")))
        return [*found, (self.get_url(".paste"), _("粘贴录入"))]

    # --- which school, which class ---

    def _school(self) -> School | None:
        """The school asked for; a school account that asks for none works on its own."""
        wanted = request.values.get("school", "")
        found = SCHOOLS.one(self.db_session, wanted) if wanted else None
        if found is None and not current_scope().reads_everywhere:
            held = sorted(current_scope().school_ids)
            found = SCHOOLS.one(self.db_session, held[0]) if held else None
        return found

    @staticmethod
    def _as_posted(school: School | None) -> School:
        """:raises Complaint: when the form named a school that is not on offer to the actor."""
        if school is None or request.form.get("school", "") not in ("", str(school.id)):
            raise Complaint("学校不是有效的选项。")
        return school

    def _klass(self, classes: list[quick.Klass]) -> quick.Klass | None:
        wanted = request.values.get("class", "")
        return next((k for k in classes if k.key == wanted or len(classes) == 1), None)

    def _where(self, done: Any) -> dict[str, Any]:
        """School, classes, the class and who is in it. The whole school is one page where it is small enough."""
        session, school = self.db_session, self._school()
        classes = quick.classes(session, school.id, done) if school is not None else []
        klass, total = self._klass(classes), sum(k.count for k in classes)
        every = klass is None and request.values.get("class") == "all" and total <= quick.MOST
        return {
            "school": school,
            "schools": SCHOOLS.options(session),
            "classes": classes,
            "klass": klass,
            "every": every,
            "may_every": len(classes) > 1 and total <= quick.MOST,
            "total": total,
            "pupils": quick.pupils(session, school.id, klass) if school is not None and (klass or every) else [],
        }

    @staticmethod
    def _place(where: dict[str, Any]) -> str:
        """The class in words, for the batch."""
        klass = where["klass"]
        return f"{klass.grade.label}{klass.name}" if klass is not None else str(where["school"])

    @staticmethod
    def _note_names(where: dict[str, Any]) -> None:
        note_names(len(where["pupils"]), where["school"].id if where["school"] is not None else None)

    def _back_to(self, endpoint: str, where: dict[str, Any], **more: Any) -> Any:
        klass = where["klass"].key if where["klass"] is not None else "all" if where["every"] else None
        return redirect(self.get_url(endpoint, school=where["school"].id, **{"class": klass}, **more))

    def _say_done(self, words: str, batch: Batch | None) -> None:
        """What was written, with the way to take it back."""
        if batch is None or batch.id is None:
            flash(words, "success")
            return
        link = Markup(' <a href="{}">{}</a>').format(self.get_url("batch.details_view", id=batch.id), _("查看或撤销"))
        flash(Markup("{}{}").format(words, link), "success")

    def _not_saved(self, error: Exception) -> None:
        self.db_session.rollback()
        flash(_(error.text) if isinstance(error, Complaint) else _(TOO_LATE), "danger")

    # --- one talk, many children ---

    @expose("/talks/", methods=("GET", "POST"))
    def talks(self) -> Any:
        """Tick the children of a class, write the talk once."""
        wrong: dict[str, str] = {}
        unfit: dict[int, str] = {}
        if request.method == "POST":
            try:
                return self._save_talks(wrong, unfit)
            except NOT_SAVED as e:
                self._not_saved(e)
        return self._talks_page(wrong, unfit)

    def _kind(self) -> CareKind | None:
        raw = request.values.get("kind", CareKind.TALK.value)
        return next((kind for kind in quick.KINDS if kind.value == raw), None)

    def _save_talks(self, wrong: dict[str, str], unfit: dict[int, str]) -> Any:
        session, kind = self.db_session, self._kind()
        if kind is None:
            raise Complaint("类别不是有效的选项。")
        where = self._where(quick.talked_since(kind, dt.date.today().replace(day=1)))
        school = self._as_posted(where["school"])
        children = quick.chosen(where["pupils"], ids_in_form("child"))
        values, found = quick.read_talk(request.form, quick.teachers(session, school.id, dt.date.today()))
        wrong.update(found)
        effects = quick.read_effects({p.stay.id: request.form.get(f"effect-{p.stay.id}", "") for p in children})
        if wrong:
            raise Complaint(f"未保存，有 {len(wrong)} 处要改。")
        unfit.update(quick.unfit(session, children, kind, values))
        if unfit:
            named = [f"{p.child.name}：{unfit[p.stay.id]}" for p in children if p.stay.id in unfit]
            raise Complaint(f"未保存。{''.join(named[:3])}" + (f"共 {len(named)} 人如此。" if len(named) > 3 else ""))
        rows, batch = quick.save_talks(session, school, self._place(where), children, kind, values, effects)
        unusual = list(concerns.about(rows[0], session))
        session.commit()
        self._say_done(_("已登记 %(n)d 人的%(kind)s。", n=len(rows), kind=_(kind.label)), batch)
        for sentence in unusual:
            flash(_(sentence), "warning")
        return self._back_to(".talks", where, kind=kind.value)

    def _talks_page(self, wrong: dict[str, str], unfit: dict[int, str]) -> str:
        session, today, kind = self.db_session, dt.date.today(), self._kind() or CareKind.TALK
        month = today.replace(day=1)
        where = self._where(quick.talked_since(kind, month))
        school = where["school"]
        self._note_names(where)
        staff = quick.teachers(session, school.id, today) if school is not None else []
        last = quick.last_days(session, [p.child.id for p in where["pupils"]], kind)
        missing = {p.stay.id for p in where["pupils"] if last.get(p.child.id, dt.date.min) < month}
        usual, role = quick.usual_teacher(session, staff)
        if request.method == "POST":
            typed, ticked = dict(request.form.items()), set()
            with suppress(Complaint):
                ticked = ids_in_form("child")
        else:
            typed = {"on": today.isoformat(), "way": quick.USUAL_WAY[kind].value, "role": role.value}
            typed["staff"] = str(usual.id) if usual is not None else ""
            tick = request.args.get("tick", "")
            ticked = missing if tick == "missing" else {p.stay.id for p in where["pupils"]} if tick == "all" else set()
        return self.render(
            "quick/talks.html", where=where, kind=kind, kinds=quick.KINDS, ways=list(CareWay), roles=list(TalkerRole),
            effects=list(Effect), usual=usual, staff=[s for s in staff if s is not usual], last=last, missing=missing, typed=typed,
            ticked=ticked, wrong=wrong, unfit=unfit, today=today,
        )  # fmt: skip

    # --- a class confirmed ---

    @expose("/confirm/", methods=("GET", "POST"))
    def confirm(self) -> Any:
        """The facts of a class, and one button that says they are as they were."""
        if not current_scope().may(Action.UPDATE, Resource.REGISTER):
            return self.forbid()
        session, today = self.db_session, dt.date.today()
        if request.method == "POST":
            try:
                return self._save_confirmation(today)
            except NOT_SAVED as e:
                self._not_saved(e)
        term, since = quick.term_began(session, today)
        where = self._where(quick.confirmed_since(since))
        self._note_names(where)
        found = quick.facts(session, where["pupils"], today) if where["pupils"] else {}
        ticked = {child_id for child_id, facts in found.items() if not facts.confirmed}
        if request.method == "POST":
            with suppress(Complaint):
                ticked = ids_in_form("child")
        return self.render(
            "quick/confirm.html", where=where, facts=found, ticked=ticked, term=term, since=since, word=self._word, today=today,
            grounds=informing.GROUNDS, typed=request.form, version=informing.NOTICE,
        )  # fmt: skip

    def _save_confirmation(self, today: dt.date) -> Any:
        _term, since = quick.term_began(self.db_session, today)
        where = self._where(quick.confirmed_since(since))
        self._as_posted(where["school"])
        children = quick.chosen(where["pupils"], ids_in_form("child"), "child")
        told = informing.read_told(request.form)
        batch, signed = quick.confirm(self.db_session, where["school"], self._place(where), children, today, told)
        self.db_session.commit()
        words = _("已确认 %(n)d 人的信息无变化。", n=len(children))
        self._say_done(words + (_("登记告知书 %(n)d 人；已登记过的没有改动。", n=signed) if told else ""), batch)
        return self._back_to(".confirm", where)

    @staticmethod
    def _word(row: Any, name: str) -> str:
        """One value as this actor may see it: phones masked."""
        return screen_words(shown(current_scope(), type(row), name, getattr(row, name), row.school_id))

    # --- a block pasted ---

    @expose("/paste/", methods=("GET", "POST"))
    def paste(self) -> Any:
        """A block into a grid, the grid corrected in place, all of it saved or nothing."""
        what = request.values.get("what", "talks")
        if what not in ("talks", "participants", "attendance"):
            abort(404)
        target = self._target(what)
        if request.method == "GET" or target is None:
            return self._block_page(what, target)
        sheet, refused = self._sheet(what, target)
        try:
            if "rows" in request.form:
                rows, ignored = self._typed_rows(sheet), []
            else:
                rows, ignored = pasting.read_block(request.form.get("block", ""), sheet.columns)
        except Complaint as e:
            self._not_saved(e)
            return self._block_page(what, self._target(what))
        lines = sheet.lines(rows)
        try:
            if refused:
                raise Complaint(refused)
            if "rows" in request.form:
                return self._save_lines(sheet, lines, target)
        except NOT_SAVED as e:
            self._not_saved(e)
            target = self._target(what)
        return self._grid_page(what, target, sheet, lines, ignored)

    def _target(self, what: str) -> Any:
        """What the list is for: a school, an activity, a training. None: it is still to be chosen."""
        if what == "talks":
            return self._school()
        if not current_scope().may(Action.UPDATE, Resource.WORK):
            return self.forbid()
        name, lookup = ("activity", ACTIVITIES) if what == "participants" else ("training", TRAININGS)
        raw = request.values.get(name)
        if raw is None:
            return None
        row = lookup.one(self.db_session, raw)
        if row is None:
            abort(404)
        if not current_scope().owns(row.school_id):
            return self.forbid()
        return row

    def _sheet(self, what: str, target: Any) -> tuple[pasting.Sheet, str]:
        """The list to be checked, and what holds it back: a school, kind or teacher that is not on offer."""
        session, refused = self.db_session, ""
        if what == "participants":
            return pasting.ParticipantSheet(session, target), refused
        if what == "attendance":
            return pasting.SignInSheet(session, target), refused
        kind, wanted = self._kind(), request.form.get("staff", "").strip()
        staff = next((s for s in quick.teachers(session, target.id, dt.date.today()) if str(s.id) == wanted), None)
        if kind is None:
            refused = "类别不是有效的选项。"
        elif request.form.get("school", "") not in ("", str(target.id)):
            refused = "学校不是有效的选项。"
        elif wanted and staff is None:
            refused = "教师不是有效的选项。"
        return pasting.TalkSheet(session, target, kind or CareKind.TALK, staff), refused

    @staticmethod
    def _typed_rows(sheet: pasting.Sheet) -> list[dict[str, str]]:
        """The grid as it came back, without the rows that were ticked away."""
        count = min(number_or_none(request.form.get("rows")) or 0, pasting.MOST_ROWS)
        kept = [n for n in range(count) if not request.form.get(f"drop-{n}")]
        rows = [{c.key: request.form.get(f"{c.key}-{n}", "") for c in sheet.columns} for n in kept]
        if not rows:
            raise Complaint("请先粘贴内容。")
        return rows

    def _save_lines(self, sheet: pasting.Sheet, lines: list[pasting.Line], target: Any) -> Any:
        session = self.db_session
        rows, batch = sheet.save(lines)
        of_each_day = {getattr(row, "on", None): row for row in rows}.values() if sheet.what == "talks" else ()
        unusual = dict.fromkeys(sentence for row in of_each_day for sentence in concerns.about(row, session))
        session.commit()
        left_out = len(lines) - len(rows)
        words = _("已保存 %(n)d 行。", n=len(rows))
        self._say_done(words + (_("已有的 %(n)d 行没有重复登记。", n=left_out) if left_out else ""), batch)
        for sentence in list(unusual)[:5]:
            flash(_(sentence), "warning")
        pages = {"participants": "activity.details_view", "attendance": "training_session.details_view"}
        if sheet.what in pages:
            return redirect(self.get_url(pages[sheet.what], id=target.id))
        return redirect(self.get_url(".paste", what="talks", school=target.id, kind=self._kind().value))

    def _block_page(self, what: str, target: Any) -> str:
        """Where the block is pasted; before that, what it belongs to."""
        recent = []
        if what != "talks" and target is None:
            recent = quick.latest(self.db_session, Activity if what == "participants" else TrainingSession)
        return self.render("quick/paste.html", recent=recent, block=request.form.get("block", ""), **self._for_paste(what, target))

    def _grid_page(self, what: str, target: Any, sheet: pasting.Sheet, lines: list[pasting.Line], ignored: list[str]) -> str:
        note_names(len(lines), target.id if isinstance(target, School) else target.school_id)
        wrong = sum(bool(cell.wrong) for line in lines for cell in line.cells.values())
        there = sum(bool(line.note) for line in lines)
        usual = {"way": list(CareWay), "effect": list(Effect), "how": list(SignedHow)}
        known = {c.key: usual[c.key] for c in sheet.columns if c.key in usual}
        return self.render(
            "quick/grid.html", sheet=sheet, lines=lines, ignored=ignored, wrong=wrong, there=there, known=known,
            ready=sum(not line.is_wrong and not line.note for line in lines), **self._for_paste(what, target),
        )  # fmt: skip

    def _for_paste(self, what: str, target: Any) -> dict[str, Any]:
        talks = what == "talks"
        columns = {"talks": pasting.TalkSheet, "participants": pasting.ParticipantSheet, "attendance": pasting.SignInSheet}[
            what
        ].columns
        session = self.db_session
        return {
            "what": what,
            "target": target,
            "columns": columns,
            "most": pasting.MOST_ROWS,
            "kind": self._kind() or CareKind.TALK,
            "kinds": quick.KINDS,
            "schools": SCHOOLS.options(session) if talks else [],
            "staff": quick.teachers(session, target.id, dt.date.today()) if talks and target is not None else [],
            "chosen_staff": request.form.get("staff", ""),
        }
