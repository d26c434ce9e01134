"""Folders of CSV files into the register, through the product's own parsing, checks, scope and log.

One file a record type, ``NAME.csv`` or ``NAME-*.csv``; columns are the fields' names; a reference is the code of the row it
points to (docs/demo-data.md). A ``code`` column that the table has not is the row's name inside the folder.
"""

from __future__ import annotations

import csv
import datetime as dt
import gc
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Date, Integer, insert, select
from sqlalchemy.orm import Session, class_mapper

from admin_app import labels
from admin_app.assessment import results, workflow
from admin_app.assessment.scoring import Card
from admin_app.models import (
    Activity,
    Adjustment,
    Agreement,
    Attendance,
    Carer,
    CareRecord,
    Category,
    CensusReturn,
    CensusRound,
    Child,
    Code,
    ContactCard,
    Counselling,
    Day,
    DropoutCase,
    DropoutStep,
    Enrolment,
    Evaluation,
    EveningSlot,
    Facility,
    Flag,
    Handover,
    HelpPlan,
    Holiday,
    Indicator,
    Inspection,
    Letter,
    MandatoryReport,
    Notice,
    NoticeReceipt,
    Opinion,
    Pairing,
    Paper,
    Parent,
    ParentStatus,
    Participation,
    Post,
    Responsibility,
    Round,
    Scheme,
    SchemeState,
    School,
    SchoolKind,
    Setting,
    Sheet,
    SheetMove,
    Staff,
    StateNote,
    Subsidy,
    Term,
    Township,
    TrainingSession,
    Transfer,
    Workday,
)
from admin_app.orm import Base, Exact, Moment, Row
from admin_app.rules import Complaint, at_age, months_before

HERE = Path(__file__).parent
REFERENCE = HERE / "reference"
DEMO = HERE / "demo"
DAYS_FROM, DAYS_TO = dt.date(1990, 1, 1), dt.date(2045, 12, 31)

ORDER: tuple[type[Base], ...] = (
    School, Staff, Post, Facility, Paper, EveningSlot, Child, Enrolment, Parent, ParentStatus, Carer, Responsibility, ContactCard,
    Agreement, Category, Transfer, StateNote, CareRecord, Counselling, Flag, HelpPlan, Letter, Pairing, Evaluation, Handover,
    DropoutCase, DropoutStep, Subsidy, MandatoryReport, Activity, Participation, TrainingSession, Attendance, CensusReturn,
    Opinion, Notice, NoticeReceipt, Round, Adjustment, Inspection,
)  # fmt: skip
"""References point back. Flags come after what would follow them up: their own dates say when that was."""
HAPPENED = (
    "on", "issued_on", "signed_on", "found_on", "found_at", "proposed_on", "family_on", "village_on", "start", "since", "read_at",
)  # fmt: skip
"""Where a row says when it happened; the first that is filled in counts."""
AT_ONCE = 2000
"""Rows a flush: what a session holds slows every flush that follows."""
Progress = Callable[[str, int], None]


def load_reference(session: Session) -> int:
    """Townships, code lists, terms, the calendar and the rubric, where they are not there yet. Returns how many rows."""
    count = 0
    for model in (Township, Term, Holiday, Workday):
        if session.scalar(select(model.id).limit(1)) is None:
            rows = list(_rows(REFERENCE, model.__tablename__))
            session.add_all(model(**dict(_parsed(model, where, row))) for where, row in rows)
            count += len(rows)
    count += _missing_codes(session) + _bureau(session) + _census(session)
    if session.scalar(select(Day.date).limit(1)) is None:
        days = list(_calendar())
        session.connection().execute(insert(Day.__table__), days)  # twenty thousand rows that nobody owns and no log follows
        count += len(days)
    if session.scalar(select(Scheme.id).limit(1)) is None:
        count += _load_rubric(session)
    session.flush()
    return count


def _missing_codes(session: Session) -> int:
    """Entries of the code lists that are not there yet: a newer version may bring some; what the office changed stays."""
    there = set(session.execute(select(Code.kind, Code.code)).all())
    rows = [Code(**dict(_parsed(Code, where, row))) for where, row in _rows(REFERENCE, "code")]
    missing = [row for row in rows if (row.kind, row.code) not in there]
    session.add_all(missing)
    return len(missing)


def _bureau(session: Session) -> int:
    """The bureau itself is a row among the schools: its own leading group, meetings and papers hang on it."""
    if session.scalar(select(School.id).where(School.kind == SchoolKind.BUREAU)) is not None:
        return 0
    session.add_all(School(**dict(_parsed(School, where, row))) for where, row in _rows(REFERENCE, "school"))
    return 1


def _census(session: Session) -> int:
    if session.scalar(select(CensusRound.id).limit(1)) is not None:
        return 0
    session.flush()
    terms = {term.code: term.id for term in session.scalars(select(Term))}
    rows = [(where, row) for where, row in _rows(REFERENCE, "census_round") if row["term"] in terms]
    for where, row in rows:
        term = terms[row.pop("term")]
        session.add(CensusRound(term_id=term, **dict(_parsed(CensusRound, where, row))))
    return len(rows)


def _calendar() -> Iterator[dict[str, Any]]:
    day, n = DAYS_FROM, 0
    while day <= DAYS_TO:
        month = 12 * day.year + day.month
        yield {"date": day, "n": n, "month": month, "after_3_months": months_before(day, -3), "after_16_years": at_age(day, 16)}
        day, n = day + dt.timedelta(days=1), n + 1


def _load_rubric(session: Session) -> int:
    rubric = tomllib.loads((REFERENCE / "rubric.toml").read_text(encoding="utf-8"))
    groups, state = rubric.pop("level1"), SchemeState(rubric.pop("state"))
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
    session.flush()
    scheme.state = state  # last: what is locked takes no more indicators
    return position + 1


class Named(NamedTuple):
    """A row that others may point to: its id, and what a row that hangs on the same child takes over from it."""

    id: int
    owner: dict[str, Any]


class Known:
    """What the rows of a folder may refer to: rows by code, the stays of each child, and how its carer signs."""

    def __init__(self, session: Session) -> None:
        self.tables: dict[str, dict[str, Named]] = {}
        self.stays: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self.signatures: dict[str, dict[str, Any]] = {}
        for model in (Township, School, Term, Holiday, Code, Scheme, Round):
            self.tables[model.__tablename__] = {row.code: Named(row.id, {}) for row in session.scalars(select(model))}
        census = session.execute(select(Term.code, CensusRound.id).join(Term, Term.id == CensusRound.term_id))
        self.tables[CensusRound.__tablename__] = {term: Named(key, {}) for term, key in census}

    def find(self, table: str, code: str) -> Named:
        found = self.tables.get(table, {}).get(code)
        if found is None:
            raise Complaint(f"找不到 {code}。")
        return found

    def stay(self, child: str, day: str) -> dict[str, Any]:
        """The child's stay on a day, else its first: one who moved has several."""
        stays = self.stays.get(child)
        if not stays:
            raise Complaint(f"{child} 没有就读。")
        return next((owner for start, owner in reversed(stays) if start <= day), stays[0][1])

    def add(self, row: dict[str, str], record: Any) -> None:
        """Remember a row that has been saved."""
        if isinstance(record, Enrolment):
            owner = {"enrolment_id": record.id, **_picked(record, "child_id", "school_id", "child_name")}
            self.stays.setdefault(row["child"], []).append((row["start"], owner))
            self.stays[row["child"]].sort(key=lambda stay: stay[0])
        if isinstance(record, Carer):
            self.signatures[row["code"]] = {"carer_name": record.name, **_picked(record, "relation", "person_key")}
        if code := row.get("code"):
            owner = _picked(record, "enrolment_id", "child_id", "school_id") if hasattr(record, "child_id") else {}
            if isinstance(record, Child):
                owner = {"child_id": record.id, "school_id": record.school_id, "child_name": record.name}
            self.tables.setdefault(record.__tablename__, {})[code] = Named(record.id, owner)


def _picked(record: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names if hasattr(record, name)}


def load_folder(session: Session, folder: Path, progress: Progress = lambda _name, _n: None) -> dict[str, int]:
    """Load a folder into an empty register.

    :returns: rows by table.
    :raises Complaint: naming file, row and column of the first thing that cannot be loaded.
    """
    if not folder.is_dir():
        raise Complaint(f"没有这个文件夹：{folder}")
    known = Known(session)
    counts: dict[str, int] = {}
    with _young_garbage_only():
        for model in ORDER:
            name = model.__tablename__
            counts[name] = 0
            for part in _parts(model, list(_rows(folder, name))):
                _load_part(session, model, part, known)
                counts[name] += len(part)
                gc.collect(1)
            progress(labels.of_table(name), counts[name])
        for name, count in _assessment(session, folder, known).items():
            counts[name] = count
            progress(labels.of_table(name), count)
    if session.scalar(select(Setting).where(Setting.key == "demo")) is None:
        session.add(Setting(key="demo", value="1"))
    session.flush()
    return counts


def _load_part(session: Session, model: type[Base], part: list[tuple[str, dict[str, str]]], known: Known) -> None:
    records = [model(**_fields(model, where, row, known)) for where, row in part]
    session.add_all(records)
    session.flush()
    for (_where, row), record in zip(part, records, strict=True):
        known.add(row, record)
    session.expunge_all()


@contextmanager
def _young_garbage_only() -> Iterator[None]:
    """Python's collector would walk all that the log keeps until the commit again and again: a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parts(model: type[Base], rows: list[tuple[str, dict[str, str]]]) -> Iterator[list[tuple[str, dict[str, str]]]]:
    """What is flushed at once. Centres come before the sites that point to them."""
    if model is School:
        yield [(where, row) for where, row in rows if not row.get("centre")]
        rows = [(where, row) for where, row in rows if row.get("centre")]
    for first in range(0, len(rows), AT_ONCE):
        yield rows[first : first + AT_ONCE]


ASSESSMENT = ("item_score", "self_score", "sheet_step")
"""What was said on the sheets of a round: by the office, by the schools, and how far their self-assessments are."""


def _assessment(session: Session, folder: Path, known: Known) -> dict[str, int]:
    """Sheets for every round and what was said on them. Rows name round and school, scores also the indicator."""
    sheets, indicators = _sheets(session, known)
    cards = _Cards(session)
    counts = dict.fromkeys(ASSESSMENT, 0)
    for table in ASSESSMENT:
        for where, row in _rows(folder, table):
            try:
                sheet = sheets[row["round"], row["school"]]
                indicator = indicators[sheet.round_id, row["indicator"]] if "indicator" in row else None
                _said(session, table, row, sheet, indicator, cards)
            except (KeyError, ArithmeticError) as e:
                raise Complaint(f"{where}：找不到 {e.args[0]}。") from None
            except Complaint as e:
                raise Complaint(f"{where}：{e.text}") from None
            counts[table] += 1
        session.flush()
    return counts


class _Cards:
    """The schools' own cards, worked out when the first is handed in."""

    def __init__(self, session: Session) -> None:
        self._session, self._known = session, {}

    def of(self, sheet: Sheet) -> Card:
        if sheet.round_id not in self._known:
            self._known[sheet.round_id] = results.self_cards(self._session, sheet.round)
        return self._known[sheet.round_id][sheet.school_id]


def _said(session: Session, table: str, row: dict[str, str], sheet: Sheet, indicator: Indicator | None, cards: _Cards) -> None:
    words, by = row.get("words", ""), row.get("by", "")
    if table == "item_score":
        assert indicator is not None
        workflow.judge(session, sheet, indicator, Decimal(row["final"]), row.get("reason", ""), "德育股", known_new=True)
    elif table == "self_score":
        assert indicator is not None
        workflow.assess_self(session, sheet, indicator, Decimal(row["points"]), words, by)
    elif row["move"] == SheetMove.SUBMITTED:
        workflow.submit(session, sheet, cards.of(sheet), by)
    elif row["move"] == SheetMove.CONFIRMED:
        workflow.confirm(session, sheet, by)
    else:
        workflow.send_back(session, sheet, words, by)


def _sheets(session: Session, known: Known) -> tuple[dict[tuple[str, str], Sheet], dict[tuple[int, str], Indicator]]:
    """By code: the sheets of every round, and the indicators of its scheme. Vetoes that are loaded are taken to be confirmed."""
    codes = {school.id: code for code, school in known.tables["school"].items()}
    sheets, indicators = {}, {}
    for round_ in session.scalars(select(Round)):
        workflow.open_sheets(session, round_)
        for sheet in session.scalars(select(Sheet).where(Sheet.round_id == round_.id)):
            sheets[round_.code, codes[sheet.school_id]] = sheet
        for indicator in session.scalars(select(Indicator).where(Indicator.scheme_id == round_.scheme_id)):
            indicators[round_.id, indicator.code] = indicator
        for veto in workflow.unconfirmed_vetoes(session, round_):
            workflow.confirm_veto(session, veto, approved=True, words="随文件装入", by="分管领导")
    return sheets, indicators


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


def _fields(model: type[Base], where: str, row: dict[str, str], known: Known) -> dict[str, Any]:
    """The fields of a row: texts parsed, references turned into ids, and whose row it is."""
    columns = class_mapper(model).columns
    happened = next((row[name] for name in HAPPENED if row.get(name)), "")
    owner: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for name, raw in row.items():
        if raw == "" or name == "entered_at":
            continue
        try:
            if name == "child":
                on_stay = "enrolment_id" in columns
                owner |= known.stay(raw, happened or row.get("entered_at") or "9999") if on_stay else known.find("child", raw).owner
            elif name == "carer" and model is Attendance:
                fields |= known.signatures[raw]
            elif reference := _reference(model, name):
                column, table = reference
                found = known.find(table, raw)
                fields[column] = found.id
                owner |= found.owner
            elif name in columns:
                fields[name] = _value(model, name, raw)
            elif name != "code":
                raise Complaint("没有这一列。")
        except (Complaint, ValueError, KeyError) as e:
            raise Complaint(f"{where}，列 {name}：{e}") from None
    entered = row.get("entered_at") or happened
    if entered and entered[:10] <= dt.date.today().isoformat() and "created_at" in columns:
        fields["created_at"] = _entered(entered[:10])
    return {name: value for name, value in owner.items() if name in columns} | fields


@cache
def _reference(model: type[Base], name: str) -> tuple[str, str] | None:
    """(column, table) where a column of the file names a row of another table."""
    mapper = class_mapper(model)
    if name not in mapper.relationships:
        return None
    relation = mapper.relationships[name]
    column = next(c.name for c in relation.local_columns if c.name != "school_id" or name == "school")
    return str(column), relation.mapper.class_.__tablename__


@cache
def _entered(day: str) -> dt.datetime:
    """Old records are taken to have been entered on their own day, at noon."""
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(12), labels.COUNTY_CLOCK)


@lru_cache(20_000)
def _value(model: type[Base], name: str, raw: Any) -> Any:
    """A text into what the column keeps; the column's own check guards it."""
    if not isinstance(raw, str):
        return raw
    value, complaint = labels.parse(model, name, raw)
    if complaint:
        raise Complaint(complaint)
    kind = labels.column_type(model, name)
    if not isinstance(value, str):
        return value
    if isinstance(kind, Integer):
        return int(value)
    if isinstance(kind, Exact):
        return Decimal(value)
    if isinstance(kind, Moment):
        return dt.datetime.fromisoformat(value).replace(tzinfo=labels.COUNTY_CLOCK)
    return dt.date.fromisoformat(value) if isinstance(kind, Date) else value


__all__ = ["DEMO", "Row", "load_folder", "load_reference"]
