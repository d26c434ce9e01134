"""The rules of the totals (rulings 15-20) as formulas; scoring.py is what they must equal, to the cent.

Only functions that Excel 2010, WPS and LibreOffice share. A quotient of doubles may lie a hair under an exact half cent, so it is
rounded to nine places first. Text in a total (待评, 不参评) is not counted by COUNT and COUNTIF, and so takes no part.
"""

from __future__ import annotations


def cents(value: str) -> str:
    return f"ROUND(ROUND({value},9),2)"


def base(earned: str, applicable: str, waiting: str) -> str:
    """Not taking part comes before waiting, as in total_up."""
    scaled = cents(f"{earned}/{applicable}*100")
    return f'=IF(OR({applicable}<minimum,{applicable}<=0),"不参评",IF({waiting}>0,"待评",{scaled}))'


def bonus(awards: str) -> str:
    return f"=MAX(0,MIN({awards},bonus_cap))"


def total(base: str, bonus: str, discipline: str) -> str:
    """Between nothing and the highest total; six places take off what doubles add."""
    return f"=IF(ISNUMBER({base}),MAX(0,MIN(ROUND({base}+{bonus}-{discipline},6),top_total)),{base})"


def fold(total: str) -> str:
    return f'=IF(ISNUMBER({total}),{cents(f"MIN({total},full_total)/full_total*fold_weight")},"—")'


def grade(total: str, veto: str, better: str, size: str) -> str:
    """``better``: how many not vetoed of the group stand higher; ``size``: how many of it take part."""
    places = f"MAX(1,INT(ROUND(quota*{size},9)))"
    honoured = f'IF(AND({total}>=line_excellent,{better}<{places}),"优秀","良好")'
    fair = f'IF(OR({veto}="取消评优",{total}<line_good),"合格",{honoured})'
    graded = f'IF(OR({veto}="直接不合格",{total}<line_pass),"不合格",{fair})'
    return f'=IF(ISNUMBER({total}),{graded},IF({total}="不参评","不参评","—"))'


def rank(total: str, better: str, ties: str, size: str) -> str:
    """1, 2, 2, 4; a shared place says so; no place in a group too small to rank."""
    place = f'IF({ties}>1,{better}+1&" 并列",{better}+1)'
    return f'=IF(ISNUMBER({total}),IF({size}<least_ranked,"—",{place}),IF({total}="不参评","不参评","—"))'


def at(sheet: str, cell: str) -> str:
    return f"'{sheet}'!{cell}"
