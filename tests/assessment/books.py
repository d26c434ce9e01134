"""A county of invented cards for the workbooks: ties, vetoes, caps, small groups, waiting and not taking part."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from admin_app import models as m
from admin_app.assessment import scoring
from admin_app.assessment.results import Results
from admin_app.assessment.scoring import Card, Item, Status
from admin_app.assessment.workbooks import Book

PRIMARY, JUNIOR, SENIOR = "小学组", "初中组", "高中组"
# name, group, lost in A2.2, more of the card
CASES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("甲校", PRIMARY, "0", {"bonus": Decimal(5), "raw": Decimal("8.5")}),
    ("乙校", PRIMARY, "1.5", {}),
    ("丙校", PRIMARY, "1.5", {}),
    ("丁校", PRIMARY, "4.2", {"discipline": Decimal("0.5")}),
    ("戊校", PRIMARY, "0", {"veto": "fail"}),
    ("己校", PRIMARY, "0.3", {"veto": "no_honour"}),
    ("庚校", PRIMARY, "3", {"discipline": Decimal("120")}),
    ("辛校", PRIMARY, "3", {"wait": True}),
    ("=1+1", PRIMARY, "3", {"few": True}),
    ("癸校", PRIMARY, "2.1", {"bonus": Decimal("0.5"), "override": Decimal("0.85")}),
    ("一中", JUNIOR, "0", {}),
    ("二中", JUNIOR, "1", {}),
    ("三中", JUNIOR, "2", {}),
    ("一高", SENIOR, "1", {}),
    ("二高", SENIOR, "1", {}),
    ("三高", SENIOR, "1", {}),
    ("四高", SENIOR, "1", {}),
]


def county(book: Book) -> Book:
    """The book with the cards of CASES instead of its own, scored, ranked and graded by the engine."""
    cards = [_card(book, number, *case) for number, case in enumerate(CASES, 1001)]
    scheme = book.round_.scheme
    totalled = [scoring.total_up(card, scheme.minimum, scheme.weight) for card in cards]
    ranked = scoring.rank_groups(totalled, scheme.quota)
    adjustments = {card.school_id: _lines(case[3]) for card, case in zip(cards, CASES, strict=True)}
    return replace(book, results=Results(ranked, {}), adjustments=adjustments, beside={})


def _card(book: Book, number: int, name: str, group: str, lost: str, more: dict[str, Any]) -> Card:
    items = tuple(_item(i, Decimal(lost), more) for i in book.indicators)
    return Card(
        school_id=number,
        code=str(number),
        name=name,
        group=group,
        items=items,
        earned=sum((i.score for i in items if i.score is not None), Decimal(0)),
        applicable=sum((i.max for i in items), Decimal(0)),
        bonus=more.get("bonus", Decimal(0)),
        discipline=more.get("discipline", Decimal(0)),
        veto=more.get("veto"),
    )


def _item(indicator: m.Indicator, lost: Decimal, more: dict[str, Any]) -> Item:
    top = indicator.points
    if indicator.code == "A2.5" or ("few" in more and indicator.code.startswith(("A2", "A3", "A4", "A5"))):
        return Item(indicator.code, Decimal(0), Status.NA)
    if "wait" in more and indicator.code == "A1.4":
        return Item(indicator.code, top, Status.MISSING, by_hand=top)
    if "override" in more and indicator.code == "A3.3":
        return Item(indicator.code, top, Status.AUTO, top, Decimal(1), Decimal(1), more["override"], more["override"])
    if indicator.code == "A6.4":  # a part of it does not apply
        top = Decimal("2.5")
    score = top - lost if indicator.code == "A2.2" else top if indicator.code < "A7" else top - Decimal("0.07")
    return Item(indicator.code, top, Status.AUTO, score, Decimal(1), Decimal(3), None, score)


def _lines(more: dict[str, Any]) -> list[m.Adjustment]:
    kinds, found = m.AdjustmentKind, []
    if "bonus" in more:
        points = more.get("raw", more["bonus"])
        found.append(m.Adjustment(kind=kinds.BONUS, matter="表彰", points=points, document="决定"))
        found.append(m.Adjustment(kind=kinds.BONUS, matter="表彰", points=points / 2, document="同一事项，就高"))
    if "discipline" in more:
        found.append(m.Adjustment(kind=kinds.DISCIPLINE, matter="迟报", points=more["discipline"], document="通报"))
    if "veto" in more:
        effect = m.VetoEffect(more["veto"])
        found.append(m.Adjustment(kind=kinds.VETO, matter="否决", points=Decimal(0), effect=effect, document="文件"))
    return found
