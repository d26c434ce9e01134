"""What a round keeps: at the freeze what was counted and whom, at the decision and the circular the cards; read back as stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Indicator, ItemScore, Round, Sheet
from .scoring import Card, Fact, Item, Line, Rule, Status

_DECIMALS = {"earned", "applicable", "bonus", "discipline", "base", "total", "fold"}


Facts = Mapping[int, Mapping[str, Fact]]
Rules = list[tuple[Indicator, Rule]]


def keep(session: Session, round_: Round, by_unit: Facts, applying: frozenset[tuple[int, str]], rules: Rules) -> None:
    """Store the numbers and names behind every item that applies to a school; that there is a row says that it does."""
    for sheet in session.scalars(select(Sheet).where(Sheet.round_id == round_.id)):
        known = by_unit.get(sheet.school_id, {})
        for indicator, rule in rules:
            if (sheet.school_id, rule.code) in applying:
                row = ItemScore(sheet_id=sheet.id, indicator_id=indicator.id, school_id=sheet.school_id, facts={}, lists={})
                _fill(row, known, [code for code in rule.metrics if code in known])
                session.add(row)


def renew(session: Session, round_: Round, by_unit: Facts, rules: Rules, metrics: frozenset[str]) -> None:
    """Store some metrics over what was kept before: the bureau's own, at the decision."""
    of_rule = {indicator.id: rule for indicator, rule in rules}
    rows = select(ItemScore).join(Sheet, Sheet.id == ItemScore.sheet_id).where(Sheet.round_id == round_.id)
    for row in session.scalars(rows.where(ItemScore.indicator_id.in_(of_rule))):
        _fill(row, by_unit.get(row.school_id, {}), [code for code in of_rule[row.indicator_id].metrics if code in metrics])


def _fill(row: ItemScore, known: Mapping[str, Fact], codes: list[str]) -> None:
    if codes:
        row.facts = row.facts | {code: _numbers(known[code]) for code in codes}
        row.lists = row.lists | {code: _lines(known[code]) for code in codes}


def applying(session: Session, round_: Round) -> frozenset[tuple[int, str]]:
    """(school, item) of the items that applied at the freeze."""
    rows = (
        select(ItemScore.school_id, Indicator.code)
        .join(Sheet, Sheet.id == ItemScore.sheet_id)
        .join(Indicator, Indicator.id == ItemScore.indicator_id)
        .where(Sheet.round_id == round_.id)
    )
    return frozenset((school, code) for school, code in session.execute(rows))


def facts(session: Session, round_: Round, *, lines: bool, school_id: int | None = None) -> dict[int, dict[str, Fact]]:
    """The facts as kept: {school: {metric: fact}}; without ``lines`` the numbers alone, which are read at once."""
    columns = (ItemScore.school_id, ItemScore.facts, *((ItemScore.lists,) if lines else ()))
    asked = select(*columns).join(Sheet, Sheet.id == ItemScore.sheet_id).where(Sheet.round_id == round_.id)
    if school_id is not None:
        asked = asked.where(ItemScore.school_id == school_id)
    found: dict[int, dict[str, Fact]] = {}
    for school, numbers, *rest in session.execute(asked):
        of_school = found.setdefault(school, {})
        for code, (value, numerator, denominator) in numbers.items():
            behind = tuple(_line(plain) for plain in rest[0].get(code, ())) if rest else ()
            of_school[code] = Fact(_decimal(value), Decimal(numerator), Decimal(denominator), behind)
    return found


def keep_cards(session: Session, round_: Round, cards: Iterable[Card], column: str) -> None:
    """Store every school's card as ``decided``, or as it is circulated (``card``)."""
    sheets = {sheet.school_id: sheet for sheet in session.scalars(select(Sheet).where(Sheet.round_id == round_.id))}
    for card in cards:
        setattr(sheets[card.school_id], column, plain_card(card))


def cards(session: Session, round_: Round, column: str = "card") -> list[Card]:
    """The cards of a round exactly as stored, each group ranked."""
    stored = session.scalars(select(getattr(Sheet, column)).where(Sheet.round_id == round_.id))
    found = [read_card(plain) for plain in stored if plain]
    return sorted(found, key=lambda c: (c.group, c.total is None, -(c.total or 0), c.code))


def plain_card(card: Card) -> dict[str, Any]:
    return _plain(card) | {"items": [_plain(item) for item in card.items]}


def read_card(plain: dict[str, Any]) -> Card:
    known = {f.name for f in fields(Card)}
    values = {k: Decimal(v) if k in _DECIMALS and v is not None else v for k, v in plain.items() if k in known and k != "items"}
    return Card(items=tuple(_item(item) for item in plain["items"]), **values)


def _item(plain: dict[str, Any]) -> Item:
    numbers = {k: _decimal(v) for k, v in plain.items() if k not in ("code", "status")}
    return Item(code=plain["code"], status=Status(plain["status"]), **numbers)  # type: ignore[arg-type]


def _plain(thing: Card | Item) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in asdict(thing).items() if k != "items"}


def _numbers(fact: Fact) -> list[str | None]:
    return [None if fact.value is None else str(fact.value), str(fact.numerator), str(fact.denominator)]


def _lines(fact: Fact) -> list[list[Any]]:
    return [[x.key, x.name, str(x.counted), str(x.expected), x.note, x.part, x.child_id] for x in fact.lines]


def _line(plain: list[Any]) -> Line:
    key, name, counted, expected, note, part, child = plain
    return Line(key, name, Decimal(counted), Decimal(expected), note, part, child)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
