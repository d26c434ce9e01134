"""How long it took from finding to reporting."""

from __future__ import annotations

import datetime as dt


def latency(found: dt.datetime | None, reported: dt.datetime | None) -> str:
    """In words, hours and minutes; an open report says so."""
    if found is None or reported is None:
        return "未报告"
    minutes = int((reported - found).total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} 小时 {rest} 分" if hours else f"{rest} 分钟"
