"""The assessment: where a round stands and its ranking, one school's sheet, the explanation of a score, and the workbooks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from .. import audit, rules
from ..access import SYSTEM, Action
from ..assessment import anomalies, facts, freezing, gaps, locking, results, schemes, workbooks, workflow
from ..assessment.results import Results
from ..assessment.scoring import Card, Status
from ..db import session_with
from ..models import (
    Adjustment,
    AdjustmentKind,
    Appeal,
    Approval,
    Child,
    Evidence,
    Indicator,
    Inspection,
    OfficeScore,
    Resource,
    Round,
    RoundState,
    School,
    SchoolGroup,
    SelfScore,
    Sheet,
    SheetMove,
)
from ..records import approvals, county
from ..rules import Complaint
from .fields import number_or_none
from .gate import current_scope, note
from .score_workbooks import ScoreWorkbooks

GROUP = "年度考核"
SCORING = "考核评分"
SHOWN = frozenset({RoundState.PUBLICITY, RoundState.APPEAL, RoundState.PUBLISHED, RoundState.APPLIED})
"""States in which every school may see every total."""


@dataclass(frozen=True)
class Beside:
    """Which of a round's sheets this is, and those before and after it: rows with ``id`` and ``name``."""

    place: int
    all: int
    before: Any | None
    after: Any | None


class AssessmentView(ScoreWorkbooks):
    resource = Resource.SCORES
    section = SCORING
    needs = {
        "judge": Action.UPDATE,
        "move": Action.UPDATE,
        "send_back": Action.UPDATE,
    } | ScoreWorkbooks.needs

    def __init__(self) -> None:
        super().__init__("考核评分", "assessment", GROUP)

    # --- what the address names, always through the session's scope ---

    def _round(self) -> Round:
        number = number_or_none(request.values.get("round"))
        if "round" in request.values and number is None:
            abort(404)
        round_ = self.db_session.get(Round, number) if number else results.newest(self.db_session)
        if round_ is None and number:
            abort(404)
        return round_

    def _sheet(self) -> Sheet:
        number = number_or_none(request.values.get("sheet"))
        sheet = self.db_session.scalar(select(Sheet).where(Sheet.id == number)) if number else None
        if sheet is None:
            abort(404)
        return sheet

    def _indicator(self, sheet: Sheet) -> Indicator:
        number = number_or_none(request.values.get("indicator"))
        found = select(Indicator).where(Indicator.id == number, Indicator.scheme_id == sheet.round.scheme_id)
        indicator = self.db_session.scalar(found) if number else None
        if indicator is None or indicator.pattern is None:
            abort(404)
        return indicator

    def _results(self, round_: Round, *, lines: bool = False) -> Results:
        with session_with(SYSTEM) as session:
            return results.score(session, session.get_one(Round, round_.id), lines=lines)

    def _tree(self, round_: Round) -> list[tuple[Indicator, list[Indicator]]]:
        """First-level indicators with those below them, in order."""
        heads, items = schemes.indicators(self.db_session, round_.scheme)
        return [(head, [item for item in items if item.parent_id == head.id]) for head in heads]

    def _see_all(self) -> bool:
        """School accounts see their own card; the county's table is the office's and the leader's."""
        return current_scope().reads_everywhere

    def _beside(self, sheet: Sheet) -> Beside | None:
        """The schools before and after this one, for whoever reads all: by group and code, an order that no mark changes."""
        if not self._see_all():
            return None
        groups = list(SchoolGroup)
        found = select(Sheet.id, School.name, School.school_group, School.code).join(School).where(Sheet.round_id == sheet.round_id)
        rows = sorted(
            self.db_session.execute(found),
            key=lambda row: (groups.index(row.school_group) if row.school_group else len(groups), row.code),
        )
        at = [row.id for row in rows].index(sheet.id)
        return Beside(at + 1, len(rows), rows[at - 1] if at else None, rows[at + 1] if at + 1 < len(rows) else None)

    # --- pages ---

    @expose("/")
    def index(self) -> Any:
        """Where the round stands, what comes next, and the ranking by group; a school is led to its own sheet."""
        round_ = self._round()
        if round_ is None:
            return self.render("assessment/none.html")
        sheets = {s.school_id: s for s in self.db_session.scalars(select(Sheet).where(Sheet.round_id == round_.id))}
        if not self._see_all() and len(sheets) == 1:
            return redirect(self.get_url(".sheet", sheet=next(iter(sheets.values())).id))
        found = self._results(round_)
        cards = [card for card in found.cards if card.school_id in sheets]
        tree = self._tree(round_)
        by_head = {head.id: {item.code for item in items} for head, items in tree}
        scope = current_scope()
        return self.render(
            "assessment/ranking.html",
            round=round_,
            groups=workbooks.by_group(cards),
            sheets=sheets,
            standing=workflow.standing(self.db_session, round_),
            heads=[head for head, _items in tree],
            subtotal=lambda card, head: workbooks.subtotal([i for i in card.items if i.code in by_head[head.id]]),
            rank_words=lambda card: workbooks.rank_words(card, found.cards),
            waiting=sum(card.waiting for card in cards if card.grade != "不参评"),
            rounds=list(self.db_session.scalars(select(Round).order_by(Round.start.desc()))),
            states=list(RoundState),
            following=locking.NEXT[round_.state],
            trail=workflow.trail(self.db_session, round_) if self._see_all() else [],
            may_move=scope.may(Action.PUBLISH, Resource.RUBRIC),
            may_settle=scope.may(Action.CREATE, Resource.APPROVALS),
            word=workflow.leaders_word(self.db_session, round_) if self._see_all() else None,
            vetoes=workflow.unconfirmed_vetoes(self.db_session, round_),
            appeals=workflow.unanswered(self.db_session, round_),
            inspected=self.db_session.scalar(
                select(func.count(func.distinct(Inspection.school_id))).where(Inspection.round_id == round_.id)
            ),
            today=dt.date.today(),
            SheetMove=SheetMove,
            typed=request.form,
        )

    @expose("/result/")
    def result(self) -> Any:
        """公示: names, totals and grades of all schools, for everybody who has a sheet; no child, no item."""
        round_ = self._round()
        if round_ is None:
            return self.render("assessment/none.html")
        if round_.state not in SHOWN:
            abort(404)
        found, values = self._results(round_), county.values(self.db_session)
        with session_with(SYSTEM) as session:
            decided = {card.school_id: card for card in freezing.cards(session, session.get_one(Round, round_.id), "decided")}
        return self.render(
            "assessment/result.html",
            round=round_,
            groups=workbooks.by_group(found.cards),
            decided=decided,
            rank_words=lambda card: workbooks.rank_words(card, found.cards),
            unit=values["bureau"],
            appeal_days=values["appeal_days"],
            own=self.db_session.scalar(select(Sheet).where(Sheet.round_id == round_.id).limit(1)) if not self._see_all() else None,
            today=dt.date.today(),
        )

    @expose("/differences/")
    def differences(self) -> Any:
        """初核: where what a school gave itself is far from what the system and the bureau find."""
        round_ = self._county_round()
        most = county.number(self.db_session, "self_difference")
        found = self._results(round_)
        sheets = {s.id: s for s in self.db_session.scalars(select(Sheet).where(Sheet.round_id == round_.id))}
        titles = {i.code: i for i, _rule in results.rules_of(self.db_session, round_)}
        rows = []
        for step in workflow.standing(self.db_session, round_).values():
            card = found.by_school.get(step.school_id)
            if step.card is None or card is None:
                continue
            now = {item.code: item for item in card.items}
            for own in freezing.read_card(step.card).items:
                item = now.get(own.code)
                if item is None or own.score is None or item.score is None or abs(own.score - item.score) <= most:
                    continue
                rows.append((sheets[step.sheet_id], titles[own.code], own, item))
        rows.sort(key=lambda row: (-abs(row[2].score - row[3].score), row[0].school.code))
        return self.render("assessment/differences.html", round=round_, rows=rows, most=most, plain=workbooks.plain)

    @expose("/sheet/")
    def sheet(self) -> Any:
        """One school: every item with its numbers, what it gave itself and what the bureau gives; filled in here by either."""
        sheet = self._sheet()
        note("open", "sheet", sheet.id, sheet.school_id)
        return self._sheet_page(sheet, {})

    def _sheet_page(self, sheet: Sheet, filled: Any, wrong: frozenset[int] = frozenset()) -> Any:
        round_, session, scope = sheet.round, self.db_session, current_scope()
        card = self._card(round_, sheet)
        step = workflow.handed_in(session, sheet)
        own = {row.indicator_id: row for row in session.scalars(_of(SelfScore, sheet))}
        marks = {row.indicator_id: row for row in session.scalars(_of(OfficeScore, sheet))}
        own_card = freezing.read_card(step.card) if step and step.card else None
        handed_in = {item.code: item for item in own_card.items} if own_card else {}
        items = {item.code: item for item in card.items}
        filling = workflow.is_filling(session, sheet) and scope.may(Action.CREATE, Resource.SELF) and scope.owns(sheet.school_id)
        stage = workflow.stage_of(round_) if scope.may(Action.UPDATE, Resource.SCORES) else None
        confirmed = approvals.approved(session, Adjustment.__tablename__)
        return self.render(
            "assessment/sheet.html",
            sheet=sheet,
            beside=self._beside(sheet),
            round=round_,
            card=card,
            heads=[(head, [(i, items[i.code]) for i in below if i.code in items]) for head, below in self._tree(round_)],
            rule_of=results.rule_of,
            own=own,
            marks=marks,
            handed_in=handed_in,
            own_card=own_card,
            by_tag=_by_tag(results.rules_of(session, round_), items),
            step=step,
            evidence=_count_by(session, Evidence, sheet),
            appeals=list(session.scalars(select(Appeal).where(Appeal.sheet_id == sheet.id).order_by(Appeal.id))),
            adjustments=[
                (a, a.kind is not AdjustmentKind.VETO or a.id in confirmed)
                for a in results.adjustments(session, round_).get(sheet.school_id, [])
            ],
            editing="self" if filling else "judge" if stage else "",
            stage=stage,
            seen=max((row.id for row in (own if filling else marks).values()), default=0),
            may_submit=filling,
            may_confirm=step is not None
            and step.move is SheetMove.SUBMITTED
            and round_.state is RoundState.OPEN
            and scope.may(Action.CREATE, Resource.CONFIRMATIONS)
            and scope.owns(sheet.school_id),
            may_send_back=step is not None
            and not step.is_open
            and round_.state is RoundState.OPEN
            and scope.may(Action.UPDATE, Resource.SCORES),
            may_appeal=round_.state is RoundState.PUBLICITY
            and scope.may(Action.CREATE, Resource.SELF)
            and scope.owns(sheet.school_id),
            shown=round_.state in SHOWN,
            Status=Status,
            plain=workbooks.plain,
            filled=filled,
            wrong=wrong,
            provisional=not self._see_all() and round_.state not in SHOWN,
            own_filled=(sum(row.points is not None for row in own.values()), sum(item.by_hand > 0 for item in card.items)),
        )

    def _card(self, round_: Round, sheet: Sheet) -> Card:
        card = self._results(round_).by_school.get(sheet.school_id)
        if card is None:
            abort(404)
        return card

    @expose("/judge/", methods=("POST",))
    def judge(self) -> Any:
        """Give marks on a sheet, all or none, and go on to the next school if asked; what was typed comes back with the complaints."""
        sheet, session, by = self._sheet(), self.db_session, current_user.name
        wrong = self._save_scores(
            sheet, OfficeScore, lambda item, points, words: workflow.judge(session, sheet, item, points, words, by)
        )
        if wrong is not None:
            return wrong
        beside = self._beside(sheet) if "go_on" in request.form else None
        return self._done(_("%(school)s的评分保存成功。", school=sheet.school), beside.after if beside and beside.after else sheet)

    def _save_scores(self, sheet: Sheet, kind: type[Any], give: Callable[[Indicator, Decimal | None, str], None]) -> Any:
        """Save the rows of the form that were changed; the page again, when one is refused. What somebody else gave since the form
        was opened is shown, not passed over."""
        indicators = {i.id: i for i, _rule in results.rules_of(self.db_session, sheet.round)}
        seen = number_or_none(request.form.get("seen")) or 0
        newer = {row.indicator_id: row for row in self.db_session.scalars(_of(kind, sheet)) if row.id > seen}
        complaints: list[tuple[int, str]] = []
        for key, raw in request.form.items():
            indicator = indicators.get(number_or_none(key.removeprefix("score-")) or 0) if key.startswith("score-") else None
            if indicator is None:
                continue
            words = rules.tidy(request.form.get(f"reason-{indicator.id}", ""))[:300]
            if request.form.get(f"was-{indicator.id}") == f"{raw.strip()}|{words}":
                continue
            try:
                points = _points(raw, indicator)
                if (other := newer.get(indicator.id)) is not None and (other.points, _words(other)) != (points, words):
                    shown = workbooks.plain(other.points)
                    raise Complaint(
                        f"{indicator.code} 刚由{other.by or '他人'}填为 {shown or '空'}（{_words(other)}），请核对后再保存。"
                    )
                give(indicator, points, words)
            except Complaint as e:
                complaints.append((indicator.id, e.text))
        if complaints:
            self.db_session.rollback()
            for _item, text in complaints[:6]:
                flash(_(text), "danger")
            if "indicator" in request.form:
                return self.item()
            return self._sheet_page(self._sheet(), request.form, frozenset(item for item, _text in complaints))
        self.db_session.commit()
        return None

    @expose("/self/", methods=("POST",))
    def assess_self(self) -> Any:
        """A school's own points, all or none; ``submit`` hands them in."""
        sheet, session, by = self._own_sheet(Resource.SELF), self.db_session, current_user.name
        wrong = self._save_scores(
            sheet, SelfScore, lambda item, points, words: workflow.assess_self(session, sheet, item, points, words, by)
        )
        if wrong is not None or "submit" not in request.form:
            return wrong or self._done(_("保存成功。"), sheet)
        with session_with(SYSTEM) as system:
            card = results.self_cards(system, system.get_one(Round, sheet.round_id), school_id=sheet.school_id).get(sheet.school_id)
        if card is None:
            abort(404)
        return self._act(sheet, lambda: workflow.submit(session, sheet, card, by), _("已提交，请校长确认。"))

    @expose("/confirm/", methods=("POST",))
    def confirm(self) -> Any:
        """The headteacher stands for the self-assessment, or sends it back to the secretary."""
        sheet, session, by = self._own_sheet(Resource.CONFIRMATIONS), self.db_session, current_user.name
        if "decline" in request.form:
            words = rules.tidy(request.form.get("words", ""))[:200]
            return self._act(sheet, lambda: workflow.decline(session, sheet, words, by), _("已退回填报员修改。"))
        return self._act(sheet, lambda: workflow.confirm(session, sheet, by), _("已确认，自评报送德育股。"))

    @expose("/send-back/", methods=("POST",))
    def send_back(self) -> Any:
        sheet, words = self._sheet(), rules.tidy(request.form.get("words", ""))[:200]
        return self._act(sheet, lambda: workflow.send_back(self.db_session, sheet, words, current_user.name), _("已退回学校修改。"))

    def _own_sheet(self, resource: Resource) -> Sheet:
        if not current_scope().may(Action.CREATE, resource):
            abort(403)
        sheet = self._sheet()
        if not current_scope().owns(sheet.school_id):
            abort(403)
        return sheet

    def _act(self, sheet: Sheet, act: Callable[[], Any], said: str) -> Any:
        try:
            act()
            return self._done(said, sheet)
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
        return redirect(self.get_url(".sheet", sheet=number_or_none(request.form.get("sheet"))))

    def _done(self, said: str, sheet: Any) -> Any:
        """``sheet``: what is shown next, or a row with its ``id``."""
        number = sheet.id
        self.db_session.commit()
        flash(said, "success")
        return redirect(self.get_url(".sheet", sheet=number))

    @expose("/item/")
    def item(self) -> Any:
        """Why this score: the formula in words, its numbers, the names behind them, what would raise it, and who said what."""
        sheet = self._sheet()
        indicator = self._indicator(sheet)
        found = self._item_results(sheet)
        card = found.by_school.get(sheet.school_id)
        if card is None:
            abort(404)
        rule = results.rule_of(indicator)
        known = found.facts.get(sheet.school_id, {})
        parts = [(described, known[m]) for m in rule.metrics if m in known and (described := facts.find(m)) is not None]
        children = {line.child_id for _metric, fact in parts for line in fact.lines if line.child_id}
        here = set(self.db_session.scalars(select(Child.id).where(Child.id.in_(children))))
        item = next(i for i in card.items if i.code == indicator.code)
        note("open", "item_score", indicator.code, sheet.school_id)
        scope = current_scope()
        return self.render(
            "assessment/item.html",
            sheet=sheet,
            beside=self._beside(sheet),
            round=sheet.round,
            indicator=indicator,
            rule=rule,
            item=item,
            parts=parts,
            here=here,
            raises=gaps.of_rule(rule, indicator.title, known) if item.status is not Status.NA else (),
            trail=self._trail(sheet, indicator),
            evidence=list(self.db_session.scalars(_about(Evidence, sheet, indicator))),
            may_show=workflow.is_filling(self.db_session, sheet)
            and scope.may(Action.CREATE, Resource.SELF)
            and scope.owns(sheet.school_id),
            stage=workflow.stage_of(sheet.round),
            may_override=workflow.stage_of(sheet.round) is not None
            and not item.by_hand
            and item.status is not Status.NA
            and scope.may(Action.UPDATE, Resource.SCORES),
            mark=workflow.newest_mark(self.db_session, sheet, indicator),
            seen=self.db_session.scalar(select(func.max(OfficeScore.id)).where(OfficeScore.sheet_id == sheet.id)) or 0,
            filled=request.form,
            show=request.args.get("show", "missing"),
            plain=workbooks.plain,
            Status=Status,
        )

    def _item_results(self, sheet: Sheet) -> Results:
        """The results with the names of this one school: those of a frozen round take long to read for all."""
        round_ = sheet.round
        found = self._results(round_, lines=not round_.is_frozen)
        if round_.is_frozen:
            with session_with(SYSTEM) as session:
                kept = freezing.facts(session, session.get_one(Round, round_.id), lines=True, school_id=sheet.school_id)
            found.facts[sheet.school_id] = found.facts.get(sheet.school_id, {}) | kept.get(sheet.school_id, {})
        return found

    def _trail(self, sheet: Sheet, indicator: Indicator) -> list[tuple[Any, str, str, Decimal | None, str]]:
        """(when, step, who, points, words) of everything that was ever said of an item, the oldest first."""
        own = [
            (r.created_at, _("自评分"), r.by, r.points, r.words or "")
            for r in self.db_session.scalars(_about(SelfScore, sheet, indicator))
        ]
        given = [
            (r.created_at, _(r.stage.label), r.by, r.points, r.reason or "")
            for r in self.db_session.scalars(_about(OfficeScore, sheet, indicator))
        ]
        return sorted([*own, *given], key=lambda line: line[0])

    @expose("/anomalies/")
    def anomalies(self) -> Any:
        """What to look at before a result is published; for those who see the county."""
        if not self._see_all():
            abort(403)
        round_ = self._round()
        if round_ is None:
            return self.render("assessment/none.html")
        with session_with(SYSTEM) as session:
            same = session.get_one(Round, round_.id)
            found = anomalies.of(session, same, results.score(session, same, lines=False).cards)
        schools = {s.id: s for s in self.db_session.scalars(select(School).where(School.assessed))}
        sheets = {s.school_id: s for s in self.db_session.scalars(select(Sheet).where(Sheet.round_id == round_.id))}
        return self.render(
            "assessment/anomalies.html", round=round_, found=[a for a in found if a.unit in schools], schools=schools, sheets=sheets,
            why=anomalies.WHY, kinds=list(anomalies.Kind),
        )  # fmt: skip

    # --- acts ---

    @expose("/move/", methods=("POST",))
    def move(self) -> Any:
        """The office moves the round on."""
        round_ = self._round()
        to = RoundState.from_text(request.form.get("to", ""))
        if round_ is None or to is None:
            abort(404)
        words, document = (rules.tidy(request.form.get(name, ""))[:most] for name, most in (("words", 200), ("document", 60)))

        def step() -> None:
            with session_with(SYSTEM) as system:
                act = workflow.Act(self.db_session, system, round_, current_user.name, dt.date.today(), words, document)
                workflow.advance(act, to)
            audit.note(self.db_session, "move", "assessment_round", round_.id, None, 转入=to.label)

        return self._on_round(round_, step, _("本轮已转入“%(state)s”。", state=_(to.label)))

    @expose("/settle/", methods=("POST",))
    def settle(self) -> Any:
        """The leader agrees to the checked results, or sends them back."""
        round_, approved, words = self._decision()
        by = current_user.name
        return self._on_round(
            round_,
            lambda: workflow.settle(self.db_session, round_, approved=approved, words=words, by=by),
            _("已同意。") if approved else _("已退回。"),
        )

    @expose("/veto/", methods=("POST",))
    def veto(self) -> Any:
        """The leader confirms a veto, or refuses it."""
        round_, approved, words = self._decision()
        number = number_or_none(request.form.get("id"))
        row = self.db_session.scalar(select(Adjustment).where(Adjustment.id == number, Adjustment.round_id == round_.id))
        if row is None:
            abort(404)
        by = current_user.name
        return self._on_round(
            round_,
            lambda: workflow.confirm_veto(self.db_session, row, approved=approved, words=words, by=by),
            _("已确认否决。") if approved else _("已记下：不认定一票否决。"),
        )

    def _decision(self) -> tuple[Round, bool, str]:
        if not current_scope().may(Action.CREATE, Approval.RESOURCE):
            abort(403)
        round_ = self._round()
        if round_ is None:
            abort(404)
        return round_, request.form.get("approved") == "1", rules.tidy(request.form.get("words", ""))[:200]

    def _on_round(self, round_: Round, act: Callable[[], None], said: str) -> Any:
        """Two people at once: the second is told, nothing is saved half; what was typed comes back with a complaint."""
        number = round_.id
        try:
            act()
            self.db_session.commit()
            flash(said, "success")
        except Complaint as e:
            self.db_session.rollback()
            flash(_(e.text), "danger")
            return self.index()
        except (StaleDataError, IntegrityError):
            self.db_session.rollback()
            flash(_("他人刚办理了这一步，请看现在的状态。"), "warning")
        return redirect(self.get_url(".index", round=number))


def _by_tag(rules: list[tuple[Indicator, Any]], items: dict[str, Any]) -> list[tuple[str, Decimal, Decimal]]:
    """责任落实 and 帮扶效果, the plan's two words: earned and applicable of each."""
    found: dict[str, list[Decimal]] = {}
    for indicator, _rule in rules:
        if indicator.tag is not None and indicator.code in items:
            item, both = items[indicator.code], found.setdefault(indicator.tag.label, [Decimal(0), Decimal(0)])
            both[0] += item.score or 0
            both[1] += item.max
    return [(label, earned, most) for label, (earned, most) in found.items()]


def _of(kind: type[Any], sheet: Sheet) -> Any:
    """Everything said on a sheet, the oldest first: put in a dictionary by indicator, the newest stays."""
    return select(kind).where(kind.sheet_id == sheet.id).order_by(kind.id)


def _about(kind: type[Any], sheet: Sheet, indicator: Indicator) -> Any:
    return _of(kind, sheet).where(kind.indicator_id == indicator.id)


def _count_by(session: Any, kind: type[Any], sheet: Sheet) -> dict[int, int]:
    return dict(
        session.execute(select(kind.indicator_id, func.count()).where(kind.sheet_id == sheet.id).group_by(kind.indicator_id)).all()
    )


def _words(row: Any) -> str:
    return (row.words if isinstance(row, SelfScore) else row.reason) or ""


def _points(raw: str, indicator: Indicator) -> Decimal | None:
    try:
        return rules.plain_number(raw)
    except ValueError:
        raise Complaint(f"{indicator.code} 的分数“{rules.tidy(raw)[:12]}”不是数字。") from None
