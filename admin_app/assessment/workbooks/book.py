"""Everything a workbook of a round prints, read once; and the words and numbers they share."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...labels import local
from ...models import (
    Adjustment,
    AdjustmentKind,
    Evidence,
    Indicator,
    Round,
    RoundState,
    School,
    SchoolGroup,
    SelfScore,
    Sheet,
    VetoEffect,
)
from ...records import county
from .. import freezing, patterns, results as rounds, scoring, workflow
from ..patterns import ZERO
from ..results import CHECKS, Results, adjustments, rule_of
from ..scoring import Card, Item, Judgement, Rule, Status

STATUS_WORDS = {Status.NA: "不适用", Status.MISSING: "待评"}
NO_VETO = "无"


@dataclass(frozen=True)
class Past:
    """An earlier round as it was frozen, for a comparison: the stored cards by school."""

    title: str
    cards: dict[int, dict[str, Any]]


class Beside(NamedTuple):
    """What people said of an item, beside what was computed: the newest of each step."""

    self_score: Decimal | None = None
    self_words: str = ""
    check_score: Decimal | None = None
    judged: Decimal | None = None
    reason: str = ""
    evidence: tuple[str, ...] = ()


NOTHING = Beside()


@dataclass(frozen=True)
class Book:
    """Everything a workbook of a round prints, read once."""

    round_: Round
    results: Results
    heads: list[Indicator]
    items: dict[int, list[Indicator]]
    rules: dict[int, Rule]
    schools: dict[int, School]
    beside: dict[tuple[int, int], Beside]
    adjustments: dict[int, list[Adjustment]]
    previous: Past | None
    publicity_days: int
    unit_name: str
    taken_at: dt.datetime
    receipt: dict[str, str]

    @classmethod
    def of(cls, session: Session, round_: Round, results: Results, who: str) -> Book:
        """:param session: bound to SYSTEM or to a scope that holds every school printed."""
        rows = list(session.scalars(select(Indicator).where(Indicator.scheme_id == round_.scheme_id).order_by(Indicator.position)))
        rules = {row.id: rule_of(row) for row in rows if row.parent_id is not None}
        heads = [row for row in rows if row.parent_id is None]
        now = local(dt.datetime.now(dt.UTC))
        return cls(
            round_=round_,
            results=results,
            heads=heads,
            items={head.id: [row for row in rows if row.parent_id == head.id] for head in heads},
            rules=rules,
            schools={school.id: school for school in session.scalars(select(School))},
            beside=_beside(session, round_, results, rules),
            adjustments=adjustments(session, round_),
            previous=_previous(session, round_),
            publicity_days=county.number(session, "publicity_days"),
            unit_name=county.word(session, "bureau"),
            taken_at=now,
            receipt=_receipt(round_, who, now),
        )

    @property
    def indicators(self) -> list[Indicator]:
        """The second-level indicators, in order."""
        return [indicator for head in self.heads for indicator in self.items[head.id]]

    @property
    def is_open(self) -> bool:
        return not self.round_.is_frozen

    def said(self, card: Card, indicator: Indicator) -> Beside:
        return self.beside.get((card.school_id, indicator.id), NOTHING)

    @property
    def ordered(self) -> list[Card]:
        """Every card, by group, each group ranked."""
        return [card for _group, cards in by_group(self.results.cards) for card in cards]


def _receipt(round_: Round, who: str, now: dt.datetime) -> dict[str, str]:
    return {
        "导出人": who,
        "导出时间": now.strftime("%Y-%m-%d %H:%M"),
        "轮次": round_.title,
        "方案": f"{round_.scheme.title} {round_.scheme.document or ''}",
        "方案版本": round_.scheme.code,
        "口径": round_.scheme.definition.label,
        "统计截止日期": paper_date(round_.cut_off),
        "冻结时间": local(round_.frozen_at).strftime("%Y-%m-%d %H:%M") if round_.frozen_at else "未冻结（试算）",
    }


def _beside(session: Session, round_: Round, results: Results, rules: dict[int, Rule]) -> dict[tuple[int, int], Beside]:
    """What schools and the bureau said of every item, in six statements."""
    found: dict[tuple[int, int], dict[str, Any]] = {}

    def of(school: int, indicator: int) -> dict[str, Any]:
        return found.setdefault((school, indicator), {})

    codes = {rule.code: key for key, rule in rules.items()}
    for step in workflow.standing(session, round_).values():
        for item in freezing.read_card(step.card).items if step.card else ():
            of(step.school_id, codes[item.code])["self_score"] = item.score
    own = select(SelfScore).join(Sheet, Sheet.id == SelfScore.sheet_id).where(Sheet.round_id == round_.id).order_by(SelfScore.id)
    for row in session.scalars(own):
        of(row.school_id, row.indicator_id)["self_words"] = row.words or ""
    for mark in rounds.marks(session, round_):
        said = of(mark.school_id, mark.indicator_id)
        said |= {"judged": mark.points, "reason": mark.reason or ""}
        if mark.stage in CHECKS and mark.points is not None:
            given = Judgement(mark.points, mark.whole)
            item = scoring.score_item(rules[mark.indicator_id], results.facts.get(mark.school_id, {}), given)
            said["check_score"] = item.score
    shown = select(Evidence).join(Sheet, Sheet.id == Evidence.sheet_id).where(Sheet.round_id == round_.id).order_by(Evidence.id)
    for row in session.scalars(shown):
        said = of(row.school_id, row.indicator_id)
        said["evidence"] = (*said.get("evidence", ()), row.title)
    return {key: Beside(**said) for key, said in found.items()}


def _previous(session: Session, round_: Round) -> Past | None:
    final = Round.state.in_((RoundState.PUBLISHED, RoundState.APPLIED))
    earlier = select(Round).where(Round.start < round_.start, final).order_by(Round.start.desc()).limit(1)
    past = session.scalar(earlier)
    if past is None:
        return None
    stored = session.execute(select(Sheet.school_id, Sheet.card).where(Sheet.round_id == past.id))
    return Past(past.title, {school: card for school, card in stored if card})


@dataclass(frozen=True)
class Adjusted:
    """What a school's card adds and takes away, line by line, so that a sheet can add it up again."""

    lines: list[tuple[str, str, Decimal, str, str]]
    """(kind, matter, points that count before the cap, effect, document)."""

    @property
    def bonus(self) -> Decimal:
        return sum((points for kind, _m, points, _e, _d in self.lines if kind == AdjustmentKind.BONUS.label), ZERO)


def adjusted(book: Book, card: Card) -> Adjusted:
    """The school's lines, each matter once at its highest; of a card frozen otherwise, its sums."""
    lines, highest = [], _highest(book.adjustments.get(card.school_id, []))
    for row in book.adjustments.get(card.school_id, []):
        counts = row.points if row.kind is AdjustmentKind.DISCIPLINE else ZERO
        if row.kind is AdjustmentKind.BONUS and highest.get(row.matter) is row:
            counts = row.points
        lines.append((row.kind.label, row.matter, counts, row.effect.label if row.effect else "", row.document))
    found = Adjusted(lines)
    return found if _is_of(found, book, card) else Adjusted(_sums(card))


def _highest(rows: list[Adjustment]) -> dict[str, Adjustment]:
    """就高不重复: the one line of a matter that counts."""
    best: dict[str, Adjustment] = {}
    for row in rows:
        if row.kind is AdjustmentKind.BONUS and (row.matter not in best or row.points > best[row.matter].points):
            best[row.matter] = row
    return best


def _is_of(found: Adjusted, book: Book, card: Card) -> bool:
    bonus = max(ZERO, min(found.bonus, book.round_.scheme.bonus_cap))
    taken = sum((points for kind, _m, points, _e, _d in found.lines if kind == AdjustmentKind.DISCIPLINE.label), ZERO)
    effects = (
        row.effect.value for row in book.adjustments.get(card.school_id, []) if row.kind is AdjustmentKind.VETO and row.effect
    )
    return (bonus, taken, patterns.veto(effects)) == (card.bonus, card.discipline, card.veto)


def _sums(card: Card) -> list[tuple[str, str, Decimal, str, str]]:
    lines = [
        (AdjustmentKind.BONUS.label, "合计", card.bonus, "", ""),
        (AdjustmentKind.DISCIPLINE.label, "合计", card.discipline, "", ""),
    ]
    if card.veto:
        lines.append((AdjustmentKind.VETO.label, "一票否决", ZERO, veto_words(card), ""))
    return [line for line in lines if line[2] or line[3]]


def veto_words(card: Card) -> str:
    return VetoEffect(card.veto).label if card.veto else NO_VETO


def state_words(book: Book) -> str:
    if book.is_open:
        return "未冻结，试算"
    return "通报" if book.round_.is_final else "审定" if book.round_.decided_at else "已冻结，未审定"


def paper_date(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def reason_words(item: Item, said: Beside) -> str:
    """Why points were lost: the office's words, else the numbers behind the computed score."""
    if said.reason:
        return said.reason
    if item.status is Status.AUTO and item.score is not None and item.score < item.max and item.denominator:
        return f"{short(item.numerator)}/{plain(item.denominator)}"
    return ""


def by_group(cards: list[Card]) -> list[tuple[str, list[Card]]]:
    """Groups in the office's order, each ranked."""
    found = {group.label: [c for c in cards if c.group == group.label] for group in SchoolGroup}
    return [(group, sorted(of, key=lambda c: (c.total is None, -(c.total or 0), c.code))) for group, of in found.items() if of]


def subtotal(items: list[Item]) -> Decimal | None:
    """A first-level indicator's points; None when nothing of it applies or something waits."""
    if any(item.status is Status.MISSING for item in items) or all(item.status is Status.NA for item in items):
        return None
    return sum((item.score for item in items if item.score is not None), Decimal(0))


def is_tied(card: Card, cards: list[Card]) -> bool:
    return card.rank is not None and sum(other.group == card.group and other.rank == card.rank for other in cards) > 1


def rank_words(card: Card, cards: list[Card]) -> str:
    if card.rank is None:
        return card.grade if card.grade == "不参评" else "—"
    return f"{card.rank} 并列" if is_tied(card, cards) else str(card.rank)


def total_words(card: Card) -> str:
    """What stands where a total would: the order is the engine's, not taking part comes first."""
    return "不参评" if card.grade == "不参评" else "待评"


def short(value: Decimal | None) -> str:
    """A numerator that is itself a mean, in four places at most."""
    return plain(value if value is None else round(value, 4))


def plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
