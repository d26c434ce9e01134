"""Folders of CSV files into the register, through the product's own parsing, checks, scope and log.

One file a record type, ``NAME.csv`` or ``NAME-*.csv``; columns are the fields' names; a reference is the code of the row it
points to (docs/demo-data.md). A ``code`` column that the table has not is the row's name inside the folder.
"""

from __future__ import annotations

import csv
import datetime as dt
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Date, Integer, select
from sqlalchemy.orm import Session, class_mapper

from admin_app import labels
from admin_app.assessment import workflow
from admin_app.models import (
    Activity,
    Adjustment,
    Attendance,
    Carer,
    CareRecord,
    Child,
    Code,
    ContactCard,
    Day,
    Enrolment,
    Indicator,
    Parent,
    ParentStatus,
    Participation,
    Responsibility,
    Round,
    Scheme,
    School,
    Setting,
    Sheet,
    Staff,
    StateNote,
    Term,
    Township,
    TrainingSession,
)
from admin_app.orm import Base, Coded, Exact, Row
from admin_app.rules import Complaint, at_age, months_before

HERE = Path(__file__).parent
REFERENCE = HERE / "reference"
DEMO = HERE / "demo"
DAYS_FROM, DAYS_TO = dt.date(1990, 1, 1), dt.date(2045, 12, 31)

ORDER: tuple[type[Base], ...] = (
    School, Staff, Child, Enrolment, Parent, ParentStatus, Carer, Responsibility, ContactCard, StateNote, CareRecord,
    Activity, Participation, TrainingSession, Attendance, Round, Adjustment,
)  # fmt: skip
Progress = Callable[[str, int], None]


def load_reference(session: Session) -> int:
    """Townships, code lists, terms, the calendar and the rubric, where they are not there yet. Returns how many rows."""
    count = 0
    for model in (Township, Term, Code):
        if session.scalar(select(model.id).limit(1)) is None:
            rows = list(_rows(REFERENCE, model.__tablename__))
            session.add_all(model(**dict(_parsed(model, where, row))) for where, row in rows)
            count += len(rows)
    if session.scalar(select(Day.date).limit(1)) is None:
        days = list(_calendar())
        session.add_all(days)
        count += len(days)
    if session.scalar(select(Scheme.id).limit(1)) is None:
        count += _load_rubric(session)
    session.flush()
    return count


def _calendar() -> Iterator[Day]:
    day, n = DAYS_FROM, 0
    while day <= DAYS_TO:
        yield Day(
            date=day, n=n, month=12 * day.year + day.month, after_3_months=months_before(day, -3), after_16_years=at_age(day, 16)
        )
        day, n = day + dt.timedelta(days=1), n + 1


def _load_rubric(session: Session) -> int:
    rubric = tomllib.loads((REFERENCE / "rubric.toml").read_text(encoding="utf-8"))
    groups = rubric.pop("level1")
    scheme = Scheme(**{k: _value(Scheme, k, v) for k, v in rubric.items()})
    session.add(scheme)
    session.flush()
    position = 0
    for group in groups:
        items = group.pop("item")
        position += 1
        head = Indicator(scheme_id=scheme.id, position=position, **{k: _value(Indicator, k, v) for k, v in group.items()})
        session.add(head)
        session.flush()
        for item in items:
            position += 1
            params = item.pop("params", {})
            fields = {k: _value(Indicator, k, v) for k, v in item.items()}
            session.add(Indicator(scheme_id=scheme.id, parent_id=head.id, position=position, params=params, **fields))
    return position + 1


def load_folder(session: Session, folder: Path, progress: Progress = lambda _name, _n: None) -> dict[str, int]:
    """Load a folder into an empty register.

    :returns: rows by table.
    :raises Complaint: naming file, row and column of the first thing that cannot be loaded.
    """
    if not folder.is_dir():
        raise Complaint(f"没有这个文件夹：{folder}")
    known = _known(session)
    counts: dict[str, int] = {}
    for model in ORDER:
        name = model.__tablename__
        made: list[tuple[str, Any]] = []
        for where, row in _rows(folder, name):
            code = row.get("code") or row.get("title") or ""
            record = model(**dict(_resolved(model, where, row, known)))
            made.append((code, record))
        if model is School:
            _schools_by_rank(session, made, known, folder)
        else:
            session.add_all(record for _code, record in made)
            session.flush()
        known[name] = known.get(name, {}) | {code: record.id for code, record in made if code}
        if model is Child:
            known["child_school"] = {code: child.school_id for code, child in made}
        if model is Parent:
            known["parent_of"] = {code: (("child_id", p.child_id), ("school_id", p.school_id)) for code, p in made}
        if model is Enrolment:
            known["stay"] = {child: (e.id, e.child_id, e.school_id, e.child_name) for child, e in _by_child(made, folder)}
        if model is Carer:
            known["carer_row"] = {code: record for code, record in made}
        counts[name] = len(made)
        progress(labels.of_table(name), len(made))
        if model in (CareRecord, StateNote, Participation):
            session.expunge_all()
    counts["item_score"] = _judgements(session, folder, known)
    progress(labels.of_table("item_score"), counts["item_score"])
    if session.scalar(select(Setting).where(Setting.key == "demo")) is None:
        session.add(Setting(key="demo", value="1"))
    session.flush()
    return counts


def _judgements(session: Session, folder: Path, known: dict[str, dict[str, Any]]) -> int:
    """Sheets for every round, and what the office judged by hand (item_score.csv: round, school, indicator, final, reason)."""
    sheets: dict[tuple[str, str], Sheet] = {}
    indicators: dict[tuple[int, str], Indicator] = {}
    codes = {school_id: code for code, school_id in known["school"].items()}
    for round_ in session.scalars(select(Round)):
        workflow.open_sheets(session, round_)
        for sheet in session.scalars(select(Sheet).where(Sheet.round_id == round_.id)):
            sheets[round_.code, codes[sheet.school_id]] = sheet
        for indicator in session.scalars(select(Indicator).where(Indicator.scheme_id == round_.scheme_id)):
            indicators[round_.id, indicator.code] = indicator
    count = 0
    for where, row in _rows(folder, "item_score"):
        try:
            sheet = sheets[row["round"], row["school"]]
            indicator = indicators[sheet.round_id, row["indicator"]]
        except KeyError as e:
            raise Complaint(f"{where}：找不到 {e.args[0]}。") from None
        workflow.judge(session, sheet, indicator, Decimal(row["final"]), row.get("reason", ""), known_new=True)
        count += 1
    session.flush()
    return count


def _schools_by_rank(session: Session, made: list[tuple[str, Any]], known: dict[str, dict[str, Any]], folder: Path) -> None:
    """Centres first: a site points to one."""
    centre_of = {row["code"]: row.get("centre", "") for _where, row in _rows(folder, "school")}
    first = [record for code, record in made if not centre_of[code]]
    session.add_all(first)
    session.flush()
    ids = known.get("school", {}) | {r.code: r.id for r in first}
    for code, record in made:
        if centre_of[code]:
            if centre_of[code] not in ids:
                raise Complaint(f"school.csv：学校 {code} 的上级中心校 {centre_of[code]} 不存在。")
            record.centre_id = ids[centre_of[code]]
            session.add(record)
    session.flush()


def _by_child(made: list[tuple[str, Any]], folder: Path) -> Iterator[tuple[str, Enrolment]]:
    for (_code, enrolment), (_where, row) in zip(made, _rows(folder, "enrolment"), strict=True):
        yield row["child"], enrolment


def _known(session: Session) -> dict[str, dict[str, Any]]:
    """What a reference may name that is there already."""
    return {
        "township": {t.code: t.id for t in session.scalars(select(Township))},
        "school": {s.code: s.id for s in session.scalars(select(School))},
        "term": {t.code: t.id for t in session.scalars(select(Term))},
        "code": {c.code: c.id for c in session.scalars(select(Code))},
        "scheme": {s.code: s.id for s in session.scalars(select(Scheme))},
        "assessment_round": {r.code: r.id for r in session.scalars(select(Round))},
    }


def _rows(folder: Path, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(where, row) of NAME.csv and NAME-*.csv; ``where`` is file and row number."""
    for path in [folder / f"{name}.csv", *sorted(folder.glob(f"{name}-*.csv"))]:
        if path.exists():
            with path.open(encoding="utf-8-sig", newline="") as file:
                for number, row in enumerate(csv.DictReader(file), 2):
                    yield f"{path.name} 第 {number} 行", {k: v or "" for k, v in row.items() if k}


def _parsed(model: type[Base], where: str, row: dict[str, str]) -> Iterator[tuple[str, Any]]:
    for name, raw in row.items():
        if raw != "":
            try:
                yield name, _value(model, name, raw)
            except (Complaint, ValueError, KeyError) as e:
                raise Complaint(f"{where}，列 {name}：{e}") from None


def _resolved(model: type[Base], where: str, row: dict[str, str], known: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The fields of a row, its references turned into ids."""
    mapper = class_mapper(model)
    plain: dict[str, str] = {}
    for name, raw in row.items():
        if raw == "" or (name == "centre" and model is School):
            continue
        if name == "entered_at":
            yield "created_at", _entered(where, raw)
        elif name == "enrolment" or (name == "child" and hasattr(model, "enrolment_id")):
            yield from _stay(model, where, raw, known)
        elif name == "child":
            yield from _child(model, where, raw, known)
        elif name == "carer" and model is Attendance:
            carer = _find(known, "carer_row", where, name, raw)
            yield from (("carer_name", carer.name), ("relation", carer.relation), ("person_key", carer.person_key))
        elif name in mapper.relationships or name == "issued_by":
            far = mapper.relationships[name].mapper.class_.__tablename__
            yield f"{_column(model, name)}", _find(known, far, where, name, raw)
            if name == "parent":
                yield from known["parent_of"][raw]
        elif name in mapper.columns or name == "on":
            plain[name] = raw
        elif name != "code":
            raise Complaint(f"{where}：没有 {name} 这一列。")
    if "entered_at" not in row and hasattr(model, "created_at"):
        yield from _entered_when_it_happened(row)
    yield from _parsed(model, where, plain)


def _column(model: type[Base], relation: str) -> str:
    return next(
        c.name for c in class_mapper(model).relationships[relation].local_columns if c.name != "school_id" or relation == "school"
    )


def _find(known: dict[str, dict[str, Any]], table: str, where: str, column: str, code: str) -> Any:
    try:
        return known[table][code]
    except KeyError:
        raise Complaint(f"{where}，列 {column}：找不到 {code}。") from None


def _stay(model: type[Base], where: str, child: str, known: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    enrolment, child_id, school_id, name = _find(known, "stay", where, "child", child)
    yield from (("enrolment_id", enrolment), ("child_id", child_id), ("school_id", school_id))
    if "child_name" in class_mapper(model).columns:
        yield "child_name", name


def _child(model: type[Base], where: str, code: str, known: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    yield "child_id", _find(known, "child", where, "child", code)
    if model is not Enrolment:
        yield "school_id", known["child_school"][code]


def _entered_when_it_happened(row: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Old records are taken to have been entered on their own day."""
    day = next((row[name] for name in ("on", "issued_on", "start") if row.get(name)), "")
    if day and day <= dt.date.today().isoformat():
        yield "created_at", _entered("", day)


def _entered(where: str, raw: str) -> dt.datetime:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(raw[:10]), dt.time(12), dt.UTC)
    except ValueError:
        raise Complaint(f"{where}，列 entered_at：“{raw}”不是日期。") from None


def _value(model: type[Base], name: str, raw: Any) -> Any:
    """A text into what the column keeps; the column's own check guards it."""
    if not isinstance(raw, str):
        return raw
    kind = labels.column_type(model, name)
    if isinstance(kind, Coded):
        member = kind.choices.from_text(raw)
        if member is None:
            raise Complaint(f"“{raw}”不在可选范围内。")
        return member
    if isinstance(kind, Boolean):
        return raw in ("1", "true", "是")
    if isinstance(kind, Integer):
        return int(raw)
    if isinstance(kind, Exact):
        return kind.process_result_value(raw, None)
    if complaint := labels.complain(model, name, raw):
        raise Complaint(complaint)
    return dt.date.fromisoformat(raw) if isinstance(kind, Date) else labels.tidied(model, name, raw)


__all__ = ["DEMO", "Row", "load_folder", "load_reference"]
