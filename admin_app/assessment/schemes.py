"""考核方案 made on screens: what each scoring pattern asks, whether a rule can be scored, versions and what differs between two.

A rule is data (pattern, points, params); here it is read from typed words, checked, put into a sentence and tried on a round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Approval, Decision, Indicator, Round, Scheme, SchemeState, School
from ..orm import utcnow
from ..records import approvals
from ..rules import Complaint, tidy
from . import facts, results, scoring
from .facts import Window
from .patterns import HUNDRED, ONE, ZERO, cents
from .scoring import Rule

SIMPLE = ("RATE", "STEP", "COUNT", "LACK", "ALLNONE", "RANK", "MANUAL")
"""Patterns that stand alone, and of which a mix is made."""
OFFERED = (*SIMPLE, "CHECK", "EVENT", "WEIGHTED")
"""What an indicator may be scored by. BONUS and VETO are entered for a school, not for an indicator."""
ASKED: dict[str, tuple[str, ...]] = {
    "RATE": ("metric", "floor", "ceiling"),
    "STEP": ("metric", "steps", "at_most"),
    "COUNT": ("metric", "per"),
    "LACK": ("metric", "per"),
    "ALLNONE": ("metric", "at_least"),
    "RANK": ("metric", "by_place"),
    "MANUAL": (),
}
PARTS = {"CHECK": "items", "EVENT": "events", "WEIGHTED": "parts"}
ASKED_OF_PART = {"CHECK": ("metric", "points", "at_least"), "EVENT": ("metric", "per")}
DEFAULTS = {"floor": "0", "ceiling": "1", "per": "1", "at_least": "1"}
MOST_PARTS = 8
BY_RECORDS = "records"
"""Instead of a metric of the catalogue: records of a kind, counted as the form says."""
SHARES = ("RATE",)
"""Patterns whose metric must be a share; COUNT and LACK want a number of things."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a scheme or a rule. ``field`` names the input, ``code`` the indicator."""

    text: str
    field: str = ""
    code: str = ""


# --- a rule, typed and read


def typed_of(pattern: str, params: Mapping[str, Any]) -> dict[str, str]:
    """The inputs of a form that stand for these parameters; the inverse of ``parsed``."""
    if pattern not in PARTS:
        return _typed(params, 0)
    typed: dict[str, str] = {"empty": "share"} if params.get("empty") == "share" else {}
    for n, part in enumerate(params.get(PARTS[pattern], ())):
        typed |= _typed(part, n)
    return typed


def _typed(part: Mapping[str, Any], n: int) -> dict[str, str]:
    typed = {f"{n}-{name}": str(part[name]) for name in ("pattern", "metric", "points", "per", "at_least", "when") if name in part}
    if (asked := facts.counted.parse(part.get("metric", ""))) is not None:
        typed |= {f"{n}-metric": BY_RECORDS, f"{n}-of": f"{asked.type}:{asked.kind}", f"{n}-way": asked.way}
        typed |= {f"{n}-target": str(asked.target)} if asked.target is not None else {}
    typed |= {f"{n}-{name}": _percent(Decimal(str(part[name]))) for name in ("floor", "ceiling") if name in part}
    if "steps" in part:
        typed[f"{n}-steps"] = "；".join(f"{limit}={points}" for limit, points in part["steps"])
    if "by_place" in part:
        typed[f"{n}-by_place"] = " ".join(part["by_place"])
    if part.get("at_most"):
        typed[f"{n}-at_most"] = "1"
    return typed


def _percent(value: Decimal) -> str:
    return f"{(value * HUNDRED).normalize():f}%"


def parsed(pattern: str, typed: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """The parameters that were typed, and what cannot be read."""
    problems: list[Problem] = []
    if pattern in ASKED:
        return _part(ASKED[pattern], typed, 0, problems), problems
    parts = []
    for n in range(MOST_PARTS):
        kind = typed.get(f"{n}-pattern", "")
        if not typed.get(f"{n}-metric") and kind != "MANUAL":
            continue
        asked = ("points", *ASKED.get(kind, ("metric",))) if pattern == "WEIGHTED" else ASKED_OF_PART[pattern]
        if pattern == "WEIGHTED" and kind not in SIMPLE:
            problems.append(Problem(f"第 {n + 1} 部分请选计分方式。", f"{n}-pattern"))
            continue
        part = _part((*asked, "when"), typed, n, problems)
        parts.append({"pattern": kind} | part if pattern == "WEIGHTED" else part)
    if not parts:
        problems.append(Problem("至少填一部分。", "0-metric"))
    params: dict[str, Any] = {PARTS[pattern]: parts}
    if pattern == "WEIGHTED" and typed.get("empty") == "share":
        params["empty"] = "share"
    return params, problems


def _part(asked: Iterable[str], typed: Mapping[str, str], n: int, problems: list[Problem]) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for name in asked:
        raw = tidy(typed.get(f"{n}-{name}", ""))
        if name == "metric" and raw == BY_RECORDS:
            part[name] = _by_records(typed, n, problems)
        elif name in ("metric", "when"):
            if raw:
                part[name] = raw
        elif name == "at_most":
            if raw:
                part[name] = True
        elif name == "steps":
            part[name] = _steps(raw, f"{n}-{name}", problems)
            if typed.get(f"{n}-at_most"):
                part[name].reverse()
        elif name == "by_place":
            each = [_number(token, f"{n}-{name}", problems) for token in re.split(r"[；;，,、\s]+", raw)]
            part[name] = [f"{value.normalize():f}" for value in each if value is not None]
        elif raw or name == "points":
            value = _number(raw, f"{n}-{name}", problems)
            if value is not None and not (name in DEFAULTS and value == Decimal(DEFAULTS[name]) and name in ("floor", "ceiling")):
                part[name] = f"{value.normalize():f}"
    return part


def _by_records(typed: Mapping[str, str], n: int, problems: list[Problem]) -> str:
    """The code of a metric that was put together from a kind of record, a way of counting and a target."""
    target = tidy(typed.get(f"{n}-target", ""))
    code = ":".join(
        (facts.counted.PREFIX, typed.get(f"{n}-of") or "-", typed.get(f"{n}-way") or "-", *((target,) if target else ()))
    )
    if facts.counted.parse(code) is None:
        problems.append(Problem("请选哪种记录、怎样计；应有数填 1 至 1000 的整数，这种记录不到人的不能计儿童。", f"{n}-of"))
    return code


def _number(raw: str, field: str, problems: list[Problem]) -> Decimal | None:
    """``0.5`` or ``50%``."""
    try:
        value = Decimal(raw.rstrip("%％")) / (HUNDRED if raw[-1:] in ("%", "％") else ONE)
        if value.is_finite() and 0 <= value < 10**6:
            return value
    except InvalidOperation:
        pass
    problems.append(Problem(f"“{raw[:12]}”应填数字，如 0.5 或 80%。" if raw else "请填数字。", field))
    return None


STEP = re.compile(r"(?P<low>[\d.]+[%％]?)(?:[-~—至]+(?P<high>[\d.]+[%％]?))?[=＝:：得]+(?P<points>[\d.]+)分?")


def _steps(raw: str, field: str, problems: list[Problem]) -> list[list[str]]:
    """``95%=5；90%=4``: from 95 % on 5 points, from 90 % on 4. Ranges (``90%-95%=4``) must join without holes."""
    found, before = [], len(problems)
    for token in re.split(r"[；;，,、\s]+", raw):
        match = STEP.fullmatch(token) if token else None
        if token and match is None:
            problems.append(Problem(f"“{token[:20]}”应写作 门槛=得分，如 95%=5；90%=4。", field))
        if match is not None:
            low, points = _number(match["low"], field, problems), _number(match["points"], field, problems)
            high = _number(match["high"], field, problems) if match["high"] else None
            if low is not None and points is not None:
                found.append((low, high, points))
    if len(problems) == before and (complaint := _uneven(found)):
        problems.append(Problem(complaint, field))
    return [[f"{low.normalize():f}", f"{points.normalize():f}"] for low, _high, points in sorted(found, reverse=True)]


def _uneven(steps: list[tuple[Decimal, Decimal | None, Decimal]]) -> str:
    """Holes, overlaps and steps that reward less for more."""
    if not steps:
        return "请填分段，如 95%=5；90%=4。"
    ordered = sorted(steps, key=lambda s: s[0])
    for (low, high, _p), (following, _h, _q) in pairwise(ordered):
        if low == following:
            return f"门槛 {low:f} 写了两次，请合并。"
        if high is not None and high < following:
            return f"分段有空档：{high:f} 至 {following:f} 没有得分。"
        if high is not None and high > following:
            return f"分段重叠：{following:f} 至 {high:f} 有两个得分。"
    return ""


# --- is it a rule that can be scored?


def problems_of(rule: Rule) -> list[Problem]:
    """What keeps a rule from being scored as it stands, each with the indicator's code."""
    found = list(_wrong(rule.pattern, rule.points, rule.params, 0))
    return [Problem(p.text, p.field, rule.code) for p in found]


def _wrong(pattern: str, points: Decimal, params: Mapping[str, Any], n: int) -> Iterable[Problem]:
    if points <= 0 or cents(points) != points:
        yield Problem("分值应大于 0，最多两位小数。", f"{n}-points")
    if pattern not in OFFERED:
        yield Problem("请选计分方式。", "pattern")
    elif pattern in PARTS:
        yield from _wrong_parts(pattern, points, params)
    elif pattern != "MANUAL":
        yield from _wrong_metric(pattern, params, n)
        yield from _wrong_numbers(pattern, points, params, n)


def _wrong_parts(pattern: str, points: Decimal, params: Mapping[str, Any]) -> Iterable[Problem]:
    parts = params.get(PARTS[pattern], ())
    for n, part in enumerate(parts):
        yield from _wrong_metric(pattern, part, n) if pattern != "WEIGHTED" else ()
        if pattern == "WEIGHTED":
            yield from _wrong(part.get("pattern", ""), Decimal(str(part.get("points", 0))), part, n)
        if pattern == "EVENT" and Decimal(str(part.get("per", 1))) <= 0:
            yield Problem("每次扣分应大于 0。", f"{n}-per")
    if pattern != "EVENT" and parts:
        whole = sum((Decimal(str(part.get("points", 0))) for part in parts), ZERO)
        if whole != points:
            yield Problem(f"各部分合计 {whole:f} 分，与分值 {points:f} 分不符。", "0-points")


def _wrong_metric(pattern: str, part: Mapping[str, Any], n: int) -> Iterable[Problem]:
    for name in ("metric", "when"):
        code = part.get(name)
        if code is None and name == "metric":
            yield Problem("请选取数。", f"{n}-metric")
        elif code is not None and facts.find(code) is None:
            yield Problem(f"没有“{code}”这项取数，请重新选择。", f"{n}-{name}")
    described = facts.find(part.get("metric", ""))
    if described is not None and pattern in SHARES and described.shape != "share":
        yield Problem(f"“{described.title}”是次数，不能按率得分；请改用按次得分或按缺项扣分。", f"{n}-metric")
    if described is not None and pattern in ("COUNT", "LACK", "EVENT") and described.shape == "share":
        yield Problem(f"“{described.title}”是比率，不能按次计；请改用按率得分或分段得分。", f"{n}-metric")


def _wrong_numbers(pattern: str, points: Decimal, params: Mapping[str, Any], n: int) -> Iterable[Problem]:
    def number(name: str) -> Decimal:
        return Decimal(str(params.get(name, DEFAULTS.get(name, 0))))

    if pattern in ("COUNT", "LACK") and number("per") <= 0:
        yield Problem("每次得分（扣分）应大于 0。", f"{n}-per")
    if pattern == "RATE" and not ZERO <= number("floor") < number("ceiling"):
        yield Problem("起分率应低于满分率，满分率应大于 0。", f"{n}-ceiling")
    if pattern == "RANK":
        places = [Decimal(p) for p in params.get("by_place", ())]
        if not places or places[0] != points or any(a < b for a, b in pairwise(places)):
            yield Problem(f"按名次得分应从 {points:f} 分起，依次不增，如 8 6 4。", f"{n}-by_place")
    if pattern == "STEP":
        highest = max((Decimal(str(p)) for _limit, p in params.get("steps", ())), default=ZERO)
        if not params.get("steps"):
            yield Problem("请填分段，如 95%=5；90%=4。", f"{n}-steps")
        elif highest != points:
            yield Problem(f"最高一段得 {highest:f} 分，与分值 {points:f} 分不符。", f"{n}-steps")


def balance(heads: Iterable[Indicator], items: Iterable[Indicator]) -> list[Problem]:
    """Do the points add up: second level to first, first level to 100?"""
    heads, items, found = list(heads), list(items), []
    top = sum((head.points for head in heads), ZERO)
    if top != HUNDRED:
        found.append(Problem(f"一级指标合计 {top:f} 分，应为 100 分，相差 {abs(HUNDRED - top):f}。"))
    for head in heads:
        below = sum((item.points for item in items if item.parent_id == head.id), ZERO)
        if below != head.points:
            words = f"{head.code} 下属合计 {below:f} 分，与一级 {head.points:f} 分差 {abs(head.points - below):f}。"
            found.append(Problem(words, "points", head.code))
    codes = [each.code for each in (*heads, *items)]
    found += [Problem(f"编号 {code} 用了两次。", "code", code) for code in sorted({c for c in codes if codes.count(c) > 1})]
    return found


def indicators(session: Session, scheme: Scheme) -> tuple[list[Indicator], list[Indicator]]:
    """First-level and second-level indicators, in order."""
    rows = list(
        session.scalars(select(Indicator).where(Indicator.scheme_id == scheme.id).order_by(Indicator.position, Indicator.id))
    )
    return [row for row in rows if row.parent_id is None], [row for row in rows if row.parent_id is not None]


def check(session: Session, scheme: Scheme) -> list[Problem]:
    """Everything that keeps a scheme from being sent to the leader."""
    heads, items = indicators(session, scheme)
    found = balance(heads, items)
    for item in items:
        found += problems_of(results.rule_of(item))
    return found


# --- a rule in words


def in_words(rule: Rule) -> str:
    """The rule as a person reads it aloud."""
    return f"满分 {rule.points:f}：" + _said(rule.pattern, rule.points, rule.params)


def _said(pattern: str, points: Decimal, params: Mapping[str, Any]) -> str:
    if pattern in PARTS:
        return "；".join(_said_part(pattern, part) for part in params.get(PARTS[pattern], ()))
    what = _called(params.get("metric", ""))
    match pattern:
        case "RATE":
            floor, ceiling = Decimal(str(params.get("floor", 0))), Decimal(str(params.get("ceiling", 1)))
            more = (f"，低于 {_percent(floor)} 不得分" if floor else "") + (
                f"，达到 {_percent(ceiling)} 得满分" if ceiling != 1 else ""
            )
            return f"{points:f} × {what}" + ("÷" + _percent(ceiling) if ceiling != 1 else "") + more
        case "STEP":
            sign = "≤" if params.get("at_most") else "≥"
            return f"{what}：" + "，".join(f"{sign}{limit} 得 {got}" for limit, got in params.get("steps", ())) + "，其余 0"
        case "COUNT":
            return f"{what}每次 {params.get('per', 1)} 分，最多 {points:f} 分"
        case "LACK":
            return f"{what}每项扣 {params.get('per', 1)} 分，扣完 {points:f} 分为止"
        case "ALLNONE":
            return f"{what}达到 {params.get('at_least', 1)} 得 {points:f} 分，否则 0 分"
        case "RANK":
            return f"{what}组内从高到低依次得 {'、'.join(params.get('by_place', ()))} 分，以后同末位"
        case "MANUAL":
            return f"人工评定，最多 {points:f} 分"
    return "还没有计分方式"


def _said_part(pattern: str, part: Mapping[str, Any]) -> str:
    when = f"（仅限有“{_called(part['when'])}”的学校）" if "when" in part else ""
    if pattern == "WEIGHTED":
        return _said(part.get("pattern", ""), Decimal(str(part.get("points", 0))), part) + when
    if pattern == "CHECK":
        return f"{_called(part.get('metric', ''))}达到 {part.get('at_least', 1)} 得 {part.get('points', 0)} 分{when}"
    return f"{_called(part.get('metric', ''))}每次扣 {part.get('per', 1)} 分{when}"


def _called(code: str) -> str:
    described = facts.find(code)
    return described.title if described is not None else (code or "？")


# --- tried on a round


@dataclass(frozen=True)
class Try:
    """What a rule would give one school, beside what its scheme gives it now."""

    school: School
    numerator: Decimal | None
    denominator: Decimal | None
    points: Decimal | None
    now: Decimal | None


def tried(session: Session, round_: Round, rule: Rule) -> list[Try]:
    """A rule that is not saved yet, on the records of a round. ``session``: bound to SYSTEM. Judged parts count as full.

    :raises Complaint: when the rule cannot be scored.
    """
    if wrong := problems_of(rule):
        raise Complaint("不能试算：" + wrong[0].text)
    present = {each.code: each for _indicator, each in results.rules_of(session, round_)}.get(rule.code)
    schools = results.assessed(session)
    metrics = facts.known((*rule.metrics, *(present.metrics if present else ())))
    window = Window.of(session, round_, lines=False)
    by_unit = facts.compute(window, [school.id for school in schools], metrics)
    results.add_places(by_unit, [each for each in (rule, present) if each], schools)
    found = []
    for school in schools:
        known = by_unit[school.id]
        item = _full_marks_by_hand(rule, known, applies=results.applies(rule, window, school.id))
        now = _full_marks_by_hand(present, known, applies=results.applies(present, window, school.id)) if present else None
        found.append(Try(school, item.numerator, item.denominator, item.score, now.score if now else None))
    return found


def _full_marks_by_hand(rule: Rule, known: Mapping[str, scoring.Fact], *, applies: bool) -> scoring.Item:
    judged = rule.judged_at(known) if set(rule.metrics) <= known.keys() else rule.points
    return scoring.score_item(rule, known, scoring.Judgement(judged) if judged else None, applies=applies)


# --- versions


COPIED = ("definition", "quota", "weight", "bonus_cap", "minimum", "back_entry", "back_entry_days", "policy_id")
INDICATOR_COPIED = (
    "code", "title", "position", "points", "tag", "standard", "evidence", "pattern", "params", "applies",
)  # fmt: skip


def clone(session: Session, scheme: Scheme, code: str, title: str, reason: str) -> Scheme:
    """A new draft with all indicators of a scheme.

    :raises Complaint: for an empty or used code, or a new version of a locked scheme without a reason.
    """
    if not code or not title:
        raise Complaint("请填新方案的版本和名称。", "code")
    if session.scalar(select(Scheme.id).where(Scheme.code == code)) is not None:
        raise Complaint(f"版本 {code} 已有，请换一个。", "code")
    if not reason:
        raise Complaint("请写明修订原因，如 2027 年度、更正 A4.3 分值。", "reason")
    new = Scheme(code=code, title=title, reason=reason, based_on_id=scheme.id, **{n: getattr(scheme, n) for n in COPIED})
    session.add(new)
    session.flush()
    heads, items = indicators(session, scheme)
    copies: dict[int | None, int] = {}
    for rows in (heads, items):
        made = [(row.id, _copy(row, new.id, copies.get(row.parent_id))) for row in rows]
        session.add_all(copy for _old, copy in made)
        session.flush()
        copies |= {old: copy.id for old, copy in made}
    return new


def _copy(row: Indicator, scheme_id: int, parent_id: int | None) -> Indicator:
    return Indicator(scheme_id=scheme_id, parent_id=parent_id, **{name: getattr(row, name) for name in INDICATOR_COPIED})


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same in two schemes: of an indicator (``code``) or of the scheme itself."""

    code: str
    what: str
    before: str
    after: str


def differences(session: Session, old: Scheme, new: Scheme) -> list[Difference]:
    """What changed from one scheme to another, in the order of the newer one."""
    found = [
        Difference("", words, str(getattr(old, name)), str(getattr(new, name)))
        for name, words in (("definition", "口径"), ("quota", "优秀比例"), ("weight", "折算分值"), ("bonus_cap", "加分封顶"), ("minimum", "参评最低适用分"), ("back_entry", "补录"), ("back_entry_days", "补录天数"))
        if getattr(old, name) != getattr(new, name)
    ]  # fmt: skip
    before, after = ({row.code: row for level in indicators(session, each) for row in level} for each in (old, new))
    for code, row in after.items():
        if code not in before:
            found.append(Difference(code, "新增", "", f"{row.title}（{row.points:f} 分）"))
            continue
        was, now = _seen(before[code]), _seen(row)
        found += [Difference(code, what, was[what], now[what]) for what in now if was[what] != now[what]]
    found += [
        Difference(code, "取消", f"{row.title}（{row.points:f} 分）", "") for code, row in before.items() if code not in after
    ]
    return found


def _seen(row: Indicator) -> dict[str, str]:
    return {
        "指标": row.title,
        "分值": f"{row.points:f}",
        "标签": row.tag.label if row.tag else "",
        "评分标准": row.standard or "",
        "佐证材料": row.evidence or "",
        "适用": row.applies or "",
        "计分": in_words(results.rule_of(row)) if row.pattern else "",
    }


# --- from draft to lock


def submit(session: Session, scheme: Scheme) -> None:
    """Lay a draft before the leader.

    :raises Complaint: when it is no draft, or does not add up.
    """
    if scheme.state is not SchemeState.DRAFT:
        raise Complaint("只有草稿可以送审。")
    if wrong := check(session, scheme):
        raise Complaint(f"有 {len(wrong)} 处不符，不能送审：" + "".join(f"{p.code} {p.text}" for p in wrong[:3]))
    scheme.state, scheme.submitted_at = SchemeState.SUBMITTED, utcnow()


def take_back(scheme: Scheme) -> None:
    """:raises Complaint: when it does not wait for the leader."""
    if scheme.state is not SchemeState.SUBMITTED:
        raise Complaint("只有待审批的方案可以撤回修改。")
    scheme.state, scheme.submitted_at = SchemeState.DRAFT, None


def decide(session: Session, scheme: Scheme, *, approved: bool, words: str, by: str) -> Approval:
    """The leader's word on a scheme that waits for it.

    :raises Complaint: when it does not wait, or is returned without saying why.
    """
    if scheme.state is not SchemeState.SUBMITTED:
        raise Complaint("该方案不在待审批状态。")
    return approvals.decide(session, scheme, approved=approved, words=words, by=by)


def is_approved(session: Session, scheme: Scheme) -> bool:
    """Has the leader agreed since the scheme was laid before them?"""
    word = approvals.word_on(session, scheme, scheme.submitted_at)
    return word is not None and word.decision is Decision.APPROVED


def lock(session: Session, scheme: Scheme, document: str) -> None:
    """Lock an approved scheme under its document number; from then on it never changes.

    :raises Complaint: without the leader's approval, or without a number.
    """
    if scheme.state is not SchemeState.SUBMITTED:
        raise Complaint("先送审，经分管领导同意后再锁定。")
    if not is_approved(session, scheme):
        raise Complaint("分管领导还没有同意，不能锁定。")
    if not document:
        raise Complaint("请填印发的文号。", "document")
    scheme.document, scheme.state, scheme.locked_at = document, SchemeState.LOCKED, utcnow()
