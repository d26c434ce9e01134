"""What the rubric names for bonus, discipline and veto, and what each is worth where the office types nothing else."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Adjustment, AdjustmentKind, Cause, Round, School, VetoEffect
from ..rules import Complaint

BONUS, DISCIPLINE, VETO = AdjustmentKind.BONUS, AdjustmentKind.DISCIPLINE, AdjustmentKind.VETO


class Worth(NamedTuple):
    kind: AdjustmentKind
    points: Decimal = Decimal(0)
    effect: VetoEffect | None = None


TARIFF: dict[Cause, Worth] = {
    Cause.NATIONAL: Worth(BONUS, Decimal(3)),
    Cause.PROVINCIAL: Worth(BONUS, Decimal(2)),
    Cause.MUNICIPAL: Worth(BONUS, Decimal(1)),
    Cause.COUNTY: Worth(BONUS, Decimal("0.5")),
    Cause.ADOPTED: Worth(BONUS, Decimal(1)),
    Cause.INNOVATION: Worth(BONUS, Decimal(1)),
    Cause.FRAUD: Worth(DISCIPLINE, Decimal(5)),
    Cause.LATE_TABLES: Worth(DISCIPLINE, Decimal("0.5")),
    Cause.LEAK: Worth(DISCIPLINE, Decimal(3)),
    Cause.V1: Worth(VETO, effect=VetoEffect.FAIL),
    Cause.V2: Worth(VETO, effect=VetoEffect.FAIL),
    Cause.V3: Worth(VETO, effect=VetoEffect.FAIL),
    Cause.V4: Worth(VETO, effect=VetoEffect.FAIL),
    Cause.V5: Worth(VETO, effect=VetoEffect.NO_HONOUR),
}


def fill_in(row: Adjustment) -> None:
    """What follows from the cause, where the office typed nothing else.

    :raises Complaint: when the parts of an adjustment do not go together.
    """
    worth = TARIFF.get(row.cause) if row.cause is not None else None
    if worth is not None and worth.kind is not row.kind:
        raise Complaint(f"“{row.cause}”属于{worth.kind}，请改类别或情形。", "cause")
    if worth is not None:
        row.points = row.points or worth.points
        row.effect = row.effect or worth.effect
    if row.points is not None and row.points < 0:
        raise Complaint("分值填正数；扣分由类别决定。", "points")
    if row.kind is VETO and row.effect is None:
        raise Complaint("一票否决须选否决后果。", "effect")
    if row.kind is not VETO and row.effect is not None:
        raise Complaint("只有一票否决才有否决后果。", "effect")
    if row.kind is not VETO and not row.points:
        raise Complaint("请填分值。", "points")


def repeated_fraud(session: Session, round_: Round) -> list[str]:
    """Schools that cheated twice and have no veto laid before the leader: repeated fraud fails a school (ruling 19)."""
    rows = session.execute(
        select(School.name, Adjustment.kind, Adjustment.cause)
        .join(School, School.id == Adjustment.school_id)
        .where(Adjustment.round_id == round_.id)
    ).all()
    frauds = Counter(name for name, _kind, cause in rows if cause is Cause.FRAUD)
    vetoed = {name for name, kind, _cause in rows if kind is VETO}
    return sorted(name for name, times in frauds.items() if times > 1 and name not in vetoed)
