"""A frozen round: what was counted, for whom and from whom, kept as it stood; read back without computing anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Indicator, ItemScore, Round, Sheet
from .scoring import Card, Fact, Item, Line, Rule, Status

_DECIMALS = {"earned", "applicable", "bonus", "discipline", "base", "total", "fold"}


def store(
    session: Session,
    round_: Round,
    cards: Iterable[Card],
    facts: dict[int, dict[str, Fact]],
    rules: list[tuple[Indicator, Rule]],
) -> None:
    """Keep every card, item and list of a round. Existing item rows keep what was judged and why."""
    sheets = {sheet.school_id: sheet for sheet in session.scalars(select(Sheet).where(Sheet.round_id == round_.id))}
    of_sheet = select(ItemScore).join(Sheet, Sheet.id == ItemScore.sheet_id).where(Sheet.round_id == round_.id)
    held = {(item.sheet_id, item.indicator_id): item for item in session.scalars(of_sheet)}
    for card in cards:
        sheet = sheets[card.school_id]
        sheet.card = _plain(card)
        for (indicator, rule), item in zip(rules, card.items, strict=True):
            row = held.get((sheet.id, indicator.id))
            if row is None:
                row = ItemScore(sheet_id=sheet.id, indicator_id=indicator.id, school_id=sheet.school_id)
                session.add(row)
            row.auto, row.numerator, row.denominator = item.auto, item.numerator, item.denominator
            known = facts.get(card.school_id, {})
            row.lists = {m: _fact(known[m]) for m in rule.metrics if m in known} or None


def read(session: Session, round_: Round) -> tuple[list[Card], dict[int, dict[str, Fact]]]:
    """The cards and facts of a frozen round, exactly as stored."""
    cards, facts = [], {}
    for sheet in session.scalars(select(Sheet).where(Sheet.round_id == round_.id)):
        if sheet.card:
            cards.append(_card(sheet.card))
            facts[sheet.school_id] = {}
    lists = (
        select(ItemScore.school_id, ItemScore.lists).join(Sheet, Sheet.id == ItemScore.sheet_id).where(Sheet.round_id == round_.id)
    )
    for school, stored in session.execute(lists):
        for metric, plain in (stored or {}).items():
            facts[school][metric] = _read_fact(plain)
    return sorted(cards, key=lambda c: (c.group, c.total is None, -(c.total or 0), c.code)), facts


def _plain(card: Card) -> dict[str, Any]:
    return {k: _text(v) if isinstance(v, Decimal) else v for k, v in asdict(card).items() if k != "items"} | {
        "items": [{k: _text(v) if isinstance(v, Decimal) else v for k, v in asdict(item).items()} for item in card.items]
    }


def _card(plain: dict[str, Any]) -> Card:
    known = {f.name for f in fields(Card)}
    values = {k: Decimal(v) if k in _DECIMALS and v is not None else v for k, v in plain.items() if k in known and k != "items"}
    return Card(items=tuple(_item(item) for item in plain["items"]), **values)


def _item(plain: dict[str, Any]) -> Item:
    numbers = {k: Decimal(v) if v is not None else None for k, v in plain.items() if k not in ("code", "status")}
    return Item(code=plain["code"], status=Status(plain["status"]), **numbers)  # type: ignore[arg-type]


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "value": None if fact.value is None else _text(fact.value),
        "numerator": _text(fact.numerator),
        "denominator": _text(fact.denominator),
        "lines": [[x.key, x.name, _text(x.counted), _text(x.expected), x.note, x.part, x.child_id] for x in fact.lines],
    }


def _read_fact(plain: dict[str, Any]) -> Fact:
    lines = tuple(Line(k, name, Decimal(c), Decimal(e), note, part, child) for k, name, c, e, note, part, child in plain["lines"])
    value = None if plain["value"] is None else Decimal(plain["value"])
    return Fact(value, Decimal(plain["numerator"]), Decimal(plain["denominator"]), lines)


def _text(value: Decimal) -> str:
    return str(value)
