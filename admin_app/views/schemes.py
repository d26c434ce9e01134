"""考核方案: the indicators of a year written on a screen, checked while they are written, tried, approved and locked."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select

from ..access import SYSTEM, Action
from ..assessment import facts, results, schemes
from ..assessment.schemes import Problem
from ..assessment.scoring import Rule
from ..db import session_with
from ..models import Approval, Code, Indicator, Notice, NoticeKind, Pattern, Round, Scheme, SchemeState, Tag
from ..records import approvals
from ..rules import Complaint, tidy
from .base import RecordView
from .fields import Lookup, number_or_none
from .gate import current_scope

GROUP, SECTION = "年度考核", "考核设置"
SCHEMES = Lookup(Scheme)
POLICIES = Lookup(Notice, only=lambda query, _s: query.where(Notice.kind == NoticeKind.POLICY), order=("on",))
STAGES = ("幼儿园", "小学", "初中", "高中", "寄宿")
EXPLAINED = {
    "RATE": "满分 × 率，可设起分率和满分率",
    "STEP": "如 ≥95％ 得 5，≥90％ 得 4",
    "COUNT": "每次 x 分，最多满分",
    "LACK": "每缺一项扣 x 分，扣完为止",
    "ALLNONE": "达到得满分，否则 0 分",
    "RANK": "组内从高到低得 8、6、4 分",
    "MANUAL": "由考核组酌情评定",
    "CHECK": "几项各得几分",
    "EVENT": "每发生一次扣 x 分",
    "WEIGHTED": "几部分各用各的方式，相加",
}
LENGTHS = {"code": 8, "title": 60, "standard": 200, "evidence": 100}


class SchemeView(RecordView):
    model = Scheme
    group = GROUP
    section = SECTION
    title = "考核方案"
    menu_for = Action.UPDATE
    column_list = ("title", "code", "document", "state", "definition", "quota", "weight", "bonus_cap", "minimum")
    form_columns = (
        "code",
        "title",
        "policy",
        "definition",
        "quota",
        "weight",
        "bonus_cap",
        "minimum",
        "back_entry",
        "back_entry_days",
    )
    column_details_list = (
        "code",
        "title",
        "document",
        *form_columns[2:],
        "state",
        "based_on",
        "reason",
        "submitted_at",
        "locked_at",
    )
    lookups = {"policy": POLICIES}
    default_sort = (("code", True),)
    link_column = "title"
    details_template = "schemes/details.html"
    needs = RecordView.needs | {
        "editor": Action.READ,
        "remove": Action.UPDATE,
        "clone": Action.CREATE,
        "submit": Action.UPDATE,
        "take_back": Action.UPDATE,
        "lock": Action.UPDATE,
        "decide": Action.READ,
        "compare": Action.READ,
    }

    def may_change(self, row: Any) -> bool:
        return super().may_change(row) and row.state is SchemeState.DRAFT

    def before_save(self, form: Any, row: Scheme, created: bool) -> None:
        for name, low, high in (
            ("quota", 0, 1),
            ("weight", 0, 100),
            ("bonus_cap", 0, 5),
            ("minimum", 0, 100),
            ("back_entry_days", 1, 365),
        ):
            value = getattr(row, name)
            if value is not None and not low <= value <= high:
                raise Complaint(f"应在 {low} 至 {high} 之间。", name)

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".details_view", id=model.id)

    @expose("/details/")
    def details_view(self) -> str:
        row = self.get_one(request.args.get("id", ""))
        heads, items = schemes.indicators(self.db_session, row)
        reads_approvals = current_scope().may(Action.READ, Approval.RESOURCE)
        return self.render(
            self.details_template,
            row=row,
            pairs=self.details(row),
            may_change=self.may_change(row),
            return_url=self._back(),
            tree=[(head, [item for item in items if item.parent_id == head.id]) for head in heads],
            problems=schemes.check(self.db_session, row) if row.state is SchemeState.DRAFT else [],
            approvals=approvals.of(self.db_session, row) if reads_approvals else [],
            approved=schemes.is_approved(self.db_session, row),
            may_decide=row.state is SchemeState.SUBMITTED and current_scope().may(Action.CREATE, Approval.RESOURCE),
            others=list(self.db_session.scalars(select(Scheme).where(Scheme.id != row.id).order_by(Scheme.code.desc()))),
            total=sum((head.points for head in heads), Decimal(0)),
            whole=sum((item.points for item in items), Decimal(0)),
            Pattern=Pattern,
        )

    # --- the editor: the tree at the left, one indicator at the right

    @expose("/editor/", methods=("GET", "POST"))
    def editor(self) -> Any:
        """One indicator of a draft: typed, checked, tried, saved."""
        scheme = self.get_one(request.values.get("id", ""))
        indicator = self._indicator(scheme)
        if not self.may_change(scheme):
            return redirect(self.get_url(".details_view", id=scheme.id)) if request.method == "GET" else self.forbid()
        head = indicator.parent_id is None if indicator.id else request.values.get("of") is None
        typed = dict(request.form) if request.method == "POST" else _typed_of(indicator)
        problems: list[Problem] = []
        trial = None
        if request.method == "POST" and "_again" not in request.form:
            rule = _read(indicator, typed, head, problems)
            if not problems and "_try" in request.form and rule is not None:
                trial = self._tried(rule, problems)
            elif not problems:
                self.db_session.add(indicator)
                self.db_session.commit()
                flash(_("保存成功。"), "success")
                return redirect(self.get_url(".editor", id=scheme.id, indicator=indicator.id))
        if request.method == "POST":
            self.db_session.rollback()  # what was typed lives in the form alone until it is saved
        for problem in problems:
            flash(_(problem.text), "danger")
        heads, items = schemes.indicators(self.db_session, scheme)
        return self.render(
            "schemes/editor.html",
            scheme=scheme,
            indicator=indicator,
            head=head,
            of=request.values.get("of", ""),
            tree=[(each, [item for item in items if item.parent_id == each.id]) for each in heads],
            balance=schemes.balance(heads, items),
            typed=typed,
            wrong={problem.field for problem in problems},
            pattern=typed.get("pattern", ""),
            patterns=[(code, Pattern(code), EXPLAINED[code]) for code in schemes.OFFERED],
            asked=schemes.ASKED,
            asked_of_part=schemes.ASKED_OF_PART,
            simple=[Pattern(code) for code in schemes.SIMPLE],
            shown=_parts_shown(typed),
            parts=schemes.PARTS,
            metrics=[(code, m) for code, m in facts.METRICS.items() if m.place],
            conditions=[(code, m) for code, m in facts.METRICS.items()],
            by_records=schemes.BY_RECORDS,
            record_kinds=self._record_kinds(),
            ways=[(way, words) for way, (words, _shape) in facts.counted.WAYS.items()],
            stages=STAGES,
            tags=list(Tag),
            words=schemes.in_words(results.rule_of(indicator)) if indicator.pattern and not request.form else "",
            trial=trial,
            rounds=list(self.db_session.scalars(select(Round).order_by(Round.start.desc()))),
        )

    def _record_kinds(self) -> list[tuple[str, str]]:
        """(code, words) of every kind of record that can be counted, the county's own lists among them."""
        rows = self.db_session.execute(
            select(Code.kind, Code.code, Code.name).where(Code.active).order_by(Code.kind, Code.position)
        )
        listed: dict[Any, list[tuple[str, str]]] = {}
        for kind, code, name in rows:
            listed.setdefault(kind, []).append((code, f"{code} {name}"))
        found = []
        for key, record in facts.counted.TYPES.items():
            found.append((f"{key}:{facts.counted.ANY}", f"{_(record.label)} · {_('全部')}"))
            of_kind = [pair for kind in record.kinds for pair in listed.get(kind, ())]
            of_kind += [(member.value, _(member.label)) for member in record.choices or ()]
            found += [(f"{key}:{code}", f"{_(record.label)} · {words}") for code, words in of_kind]
        return found

    def _indicator(self, scheme: Scheme) -> Indicator:
        """The one that is edited, or a new one; never one of another scheme."""
        raw = request.values.get("indicator")
        if raw:
            found = self.db_session.scalar(
                select(Indicator).where(Indicator.id == number_or_none(raw), Indicator.scheme_id == scheme.id)
            )
            if found is None:
                abort(404)
            return found
        parent = number_or_none(request.values.get("of"))
        heads, items = schemes.indicators(self.db_session, scheme)
        if parent is not None and parent not in {head.id for head in heads}:
            abort(404)
        last = max((row.position for row in (*heads, *items)), default=0)
        if parent is None and raw is None and heads and "new" not in request.values:
            return (items or heads)[0]
        return Indicator(scheme_id=scheme.id, parent_id=parent, position=last + 1, params={}, points=Decimal(0))

    def _tried(self, rule: Rule, problems: list[Problem]) -> Any:
        number = number_or_none(request.form.get("round"))
        with session_with(SYSTEM) as system:
            round_ = system.get(Round, number) if number else None
            if round_ is None:
                problems.append(Problem("请选用哪一轮的数据试算。", "round"))
                return None
            try:
                found = schemes.tried(system, round_, rule)
                return {
                    "round": round_.title,
                    "rows": [(t.school.name, t.numerator, t.denominator, t.points, t.now) for t in found],
                }
            except Complaint as e:
                problems.append(Problem(e.text))
                return None

    @expose("/remove/", methods=("POST",))
    def remove(self) -> Any:
        """An indicator out of a draft; a first-level one only when nothing is left below it."""
        scheme = self.get_one(request.form.get("id", ""))
        if not self.may_change(scheme):
            return self.forbid()
        indicator = self._indicator(scheme)
        below = select(func.count(Indicator.id)).where(Indicator.parent_id == indicator.id)
        if self.db_session.scalar(below):
            flash(_("请先移走它下面的二级指标。"), "danger")
        else:
            self.db_session.delete(indicator)
            self.db_session.commit()
            flash(_("已删除指标。"), "success")
        return redirect(self.get_url(".editor", id=scheme.id))

    # --- versions

    @expose("/clone/", methods=("POST",))
    def clone(self) -> Any:
        scheme = self.get_one(request.form.get("id", ""))
        code, title, reason = (
            tidy(request.form.get(name, ""))[:most] for name, most in (("code", 20), ("title", 80), ("reason", 200))
        )
        return self._act(
            scheme,
            lambda: schemes.clone(self.db_session, scheme, code, title, reason),
            _("已复制为草稿，可以修改。"),
            to_result=True,
        )

    @expose("/compare/")
    def compare(self) -> str:
        """What changed between two versions."""
        new, old = (self.get_one(request.args.get(name, "")) for name in ("id", "old"))
        return self.render("schemes/compare.html", new=new, old=old, rows=schemes.differences(self.db_session, old, new))

    @expose("/submit/", methods=("POST",))
    def submit(self) -> Any:
        scheme = self.get_one(request.form.get("id", ""))
        return self._act(scheme, lambda: schemes.submit(self.db_session, scheme), _("已送审，等待分管领导审批。"))

    @expose("/take-back/", methods=("POST",))
    def take_back(self) -> Any:
        scheme = self.get_one(request.form.get("id", ""))
        return self._act(scheme, lambda: schemes.take_back(scheme), _("已撤回，可以修改。"))

    @expose("/decide/", methods=("POST",))
    def decide(self) -> Any:
        """The leader approves or returns."""
        if not current_scope().may(Action.CREATE, Approval.RESOURCE):
            return self.forbid()
        scheme = self.get_one(request.form.get("id", ""))
        approved, words = request.form.get("approved") == "1", tidy(request.form.get("words", ""))[:200]
        said = _("已同意。") if approved else _("已退回。")
        return self._act(
            scheme,
            lambda: schemes.decide(self.db_session, scheme, approved=approved, words=words, by=current_user.name),
            said,
        )

    @expose("/lock/", methods=("POST",))
    def lock(self) -> Any:
        scheme = self.get_one(request.form.get("id", ""))
        document = tidy(request.form.get("document", ""))[:40]
        return self._act(scheme, lambda: schemes.lock(self.db_session, scheme, document), _("已锁定，可以按它开展考核。"))

    def _act(self, scheme: Scheme, act: Any, said: str, *, to_result: bool = False) -> Any:
        page = scheme.id
        try:
            result = act()
            self.db_session.commit()
            page = result.id if to_result else page
            flash(said, "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".details_view", id=page))


def _typed_of(indicator: Indicator) -> dict[str, str]:
    pattern = indicator.pattern.value if indicator.pattern else ""
    typed = {name: str(getattr(indicator, name) or "") for name in (*LENGTHS, "position")}
    typed |= {"points": f"{indicator.points:f}" if indicator.points else "", "tag": indicator.tag.value if indicator.tag else ""}
    typed |= {f"stage-{stage}": "1" for stage in (indicator.applies or "").split()}
    return typed | {"pattern": pattern} | (schemes.typed_of(pattern, indicator.params or {}) if pattern else {})


def _parts_shown(typed: dict[str, str]) -> int:
    """The parts that are filled in, and one more."""
    used = [n for n in range(schemes.MOST_PARTS) if typed.get(f"{n}-metric") or typed.get(f"{n}-pattern")]
    return min(schemes.MOST_PARTS, max(used, default=-1) + 2)


def _read(indicator: Indicator, typed: dict[str, str], head: bool, problems: list[Problem]) -> Rule | None:
    """What was typed into the indicator; a second-level one also gives the rule it now is."""
    for name, most in LENGTHS.items():
        value = tidy(typed.get(name, ""))
        if len(value) > most:
            problems.append(Problem(f"最多 {most} 个字，现有 {len(value)} 个。", name))
        setattr(indicator, name, value[:most] or None)
    if not indicator.code or not indicator.title:
        problems.append(Problem("请填编号和指标名称。", "code" if not indicator.code else "title"))
        indicator.code, indicator.title = indicator.code or "？", indicator.title or "？"
    try:
        indicator.points = Decimal(tidy(typed.get("points", "")))
        if not indicator.points.is_finite() or not 0 < indicator.points <= 100:
            raise InvalidOperation
    except InvalidOperation:
        indicator.points = Decimal(0)
        problems.append(Problem("分值应为 0 至 100 之间的数。", "points"))
    position = tidy(typed.get("position", ""))
    indicator.position = (
        int(position) if position.isascii() and position.isdigit() and int(position) < 10**6 else indicator.position
    )
    if head:
        return None
    indicator.tag = Tag(typed["tag"]) if typed.get("tag") in {tag.value for tag in Tag} else None
    indicator.applies = " ".join(stage for stage in STAGES if typed.get(f"stage-{stage}")) or None
    pattern = typed.get("pattern", "")
    if pattern not in schemes.OFFERED:
        problems.append(Problem("请选计分方式。", "pattern"))
        return None
    params, unread = schemes.parsed(pattern, typed)
    indicator.pattern, indicator.params = Pattern(pattern), params
    rule = results.rule_of(indicator)
    problems.extend(unread or (schemes.problems_of(rule) if not problems else ()))
    return rule


class IndicatorView(RecordView):
    """Read only: indicators are written in the editor of their scheme."""

    model = Indicator
    group = GROUP
    section = SECTION
    title = "考核指标"
    menu_for = Action.UPDATE
    column_list = ("code", "title", "points", "tag", "pattern", "standard", "evidence", "applies", "scheme.code")
    form_columns = ()
    column_details_list = ("code", "title", "points", "tag", "pattern", "standard", "evidence", "applies")
    filters = ("scheme", "tag", "pattern")
    lookups = {"scheme": SCHEMES}
    search = ("title", "code")
    default_sort = (("scheme_id", True), ("position", False))
    link_column = "title"
