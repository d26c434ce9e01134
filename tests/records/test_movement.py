"""Children on the move: whatever is clicked in whatever order, every child sits at one school and nothing is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, current_app
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from admin_app import access, models as m
from admin_app.access import SYSTEM, OutOfScope, Refused, Scope
from admin_app.db import db, session_with, writing
from admin_app.models import (
    Child,
    Definition,
    Enrolment,
    Grade,
    LeaveReason,
    Responsibility,
    Role,
    Transfer,
    TransferKind,
    TransferState,
)
from admin_app.orm import Base, CareEvent, Row
from admin_app.records import bulk, duty, overview, rolling, rosters, transfers, trash
from admin_app.records.definitions import left_behind
from admin_app.rules import Complaint
from tests import factories as make
from tests.databases import by_hand

TODAY = dt.date.today()
WORDS = {"休学": LeaveReason.SUSPENDED, "辍学": LeaveReason.DROPPED, "其他": LeaveReason.OTHER}

BUGS: dict[str, str] = {}
"""Reported and not mended yet, by name. The machine goes around them; a test of its own shows each. Mended: take it out."""


def known(name: str) -> Any:
    """Fails until the bug of this name is mended."""
    return pytest.mark.xfail(name in BUGS, strict=True, reason=BUGS.get(name, ""))


# --- the county ---


def secretary(*school_ids: int) -> Scope:
    return Scope(7, "填报员", frozenset({Role.SECRETARY}), frozenset(school_ids))


OFFICE = Scope(8, "股员", frozenset({Role.OFFICE}))


def county(ids: SimpleNamespace) -> SimpleNamespace:
    """The cast, and beside it a junior school and three more children of the last primary year, each with teacher and talk."""
    with writing(SYSTEM) as session:
        junior = make.school(session, "2153990009", "漠沙中学", kind=m.SchoolKind.JUNIOR, school_group=m.SchoolGroup.JUNIOR)
        outside = session.scalar(select(m.School.id).where(m.School.kind == m.SchoolKind.OUTSIDE))
        teachers = {at: [make.staff(session, session.get(m.School, at), f"{word}老师") for word in words]
                    for at, words in ((ids.a, "赵钱"), (ids.b, "孙"), (junior.id, "李"))}  # fmt: skip
        leavers = []
        for name in ("陈一", "陈二", "陈三"):
            child = make.left_behind(
                session, session.get(m.School, ids.a), name, grade=Grade.P6, class_name="六(1)班",
                id_number=make.id_number(dt.date(2015, 5, 6)), born=dt.date(2015, 5, 6), class_teacher_id=teachers[ids.a][0].id,
            )  # fmt: skip
            make.responsible(session, child, teachers[ids.a][0])
            make.talk(session, child, dt.date(2025, 9, 15))
            make.event(session, m.Pairing, child, partner="同桌", start=dt.date(2025, 10, 1))
            leavers.append(child.id)
        moved = select(Transfer).where(Transfer.id == ids.transfer_b)
        stranger = session.get(Child, session.scalar(moved).child_id)
        stranger.id_number = make.id_number(stranger.birth_date)
        session.get(Child, ids.child_site).id_number = make.id_number(dt.date(2016, 5, 6))
        found = SimpleNamespace(a=ids.a, a_site=ids.a_site, b=ids.b, junior=junior.id, outside=outside, leavers=leavers, cast=ids)
        found.teacher = {at: [t.id for t in held] for at, held in teachers.items()}
    found.holders = {"a": secretary(ids.a, ids.a_site), "b": secretary(ids.b), "junior": secretary(found.junior)}
    found.holder_of = {ids.a: found.holders["a"], ids.a_site: found.holders["a"], ids.b: found.holders["b"],
                       found.junior: found.holders["junior"], outside: OFFICE}  # fmt: skip
    return found


@pytest.fixture
def world(app: Flask, ids: SimpleNamespace) -> Iterator[SimpleNamespace]:
    with app.app_context():
        yield county(ids)


# --- what must hold at any moment ---

MOVED = (Child, Enrolment, Responsibility, Transfer, m.Pairing, m.Staff, m.Batch)
ROWS = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Row)]
EVENTS = [model for model in ROWS if issubclass(model, CareEvent)]


def snapshot() -> dict[str, list[Any]]:
    """Every row that a step may change, past the session and its filter."""
    with by_hand(current_app) as connection:
        return {
            model.__tablename__: [tuple(row) for row in connection.execute(select(model.__table__).order_by(model.__table__.c.id))]
            for model in MOVED
        }


def counted() -> dict[str, int]:
    """How many rows each table holds, the trash included."""
    each = [select(literal(model.__tablename__), func.count()).select_from(model.__table__) for model in ROWS]
    with by_hand(current_app) as connection:
        return {name: n for name, n in connection.execute(union_all(*each))}


def care() -> dict[tuple[str, int], tuple[int, int, int]]:
    """Under which stay, of which child, at which school each care record was made."""
    each = [
        select(literal(t.name), t.c.id, t.c.enrolment_id, t.c.child_id, t.c.school_id)
        for t in (model.__table__ for model in EVENTS)
    ]
    with by_hand(current_app) as connection:
        return {(name, pk): tuple(where) for name, pk, *where in connection.execute(union_all(*each))}


def check(session: Session) -> None:
    """What is true of the whole county after every step."""
    children = {c.id: c for c in session.scalars(select(Child))}
    assert all(child.school_id for child in children.values())
    stays: dict[int, list[Enrolment]] = {pk: [] for pk in children}
    for stay in session.scalars(select(Enrolment).order_by(Enrolment.start, Enrolment.id)):
        stays[stay.child_id].append(stay)
    here: set[int] = set()
    for pk, held in stays.items():
        still = [stay for stay in held if stay.end is None]
        assert len(still) <= 1, f"{children[pk]} is enrolled twice"
        if still:
            here.add(pk)
            assert still[0].school_id == children[pk].school_id, f"{children[pk]} is enrolled where it does not sit"
        lasting = sorted((s for s in held if s.end is None or s.end > s.start), key=lambda s: s.start)
        for before, after in pairwise(lasting):
            assert before.end is not None and before.end <= after.start, f"stays of {children[pk]} overlap"
    _check_responsible(session, children, here)
    waiting = session.scalars(select(Transfer.child_id).where(Transfer.state.in_(transfers.WAITING))).all()
    assert len(waiting) == len(set(waiting)), "two transfers wait for one child"


def _check_responsible(session: Session, children: dict[int, Child], here: set[int]) -> None:
    unit = {s.id: s.centre_id or s.id for s in session.scalars(select(m.School))}
    staff = {s.id: s for s in session.scalars(select(m.Staff))}
    holds: dict[int, list[Responsibility]] = {pk: [] for pk in children}
    for row in session.scalars(select(Responsibility)):
        assert row.school_id == children[row.child_id].school_id, "a file did not follow its child"
        if row.start <= TODAY and (row.end is None or row.end > TODAY):
            holds[row.child_id].append(row)
    left = set(session.scalars(left_behind(Definition.GF13, TODAY)))
    red = set(session.scalars(overview.children_with(session, "responsible", TODAY)))
    assert left <= here
    for pk, rows in holds.items():
        assert len(rows) <= 1, f"two answer for {children[pk]}"
        assert (pk in red) is (pk in left and not rows), f"{children[pk]} and the red list"
        for row in rows:
            teacher = staff[row.staff_id]
            assert pk in here, f"{teacher} answers for {children[pk]}, who is not enrolled"
            assert unit[teacher.school_id] == unit[children[pk].school_id], f"{teacher} of another school answers"


def check_scopes(world: SimpleNamespace) -> None:
    """A school reads the children at its schools, all of them, and no other child or file of one."""
    with session_with(SYSTEM) as session:
        everywhere = dict(session.execute(select(Child.id, Child.school_id)).all())
    for scope in world.holders.values():
        with session_with(scope) as session:
            mine = {pk for pk, at in everywhere.items() if at in scope.school_ids}
            assert set(session.scalars(select(Child.id))) == mine
            assert set(session.scalars(select(m.Parent.child_id))) <= mine
            assert set(session.scalars(select(Responsibility.child_id))) <= mine


# --- the machine ---

DAYS = st.one_of(st.integers(0, 12), st.sampled_from([40, 300, 449, 460])).map(lambda n: TODAY - dt.timedelta(days=n))
"""Mostly of late, so that days meet; some before the children came."""
PICK = st.integers(0, 30)


class Movement(RuleBasedStateMachine):
    """People at four desks click on; Complaints and refusals are answers like others, but then nothing may have changed."""

    reset: Callable[[], SimpleNamespace]

    @initialize()
    def begin(self) -> None:
        self.world = type(self).reset()
        self.counts, self.care = counted(), care()
        self.after_batch: Any = None

    @contextmanager
    def attempt(self) -> Iterator[None]:
        before = snapshot()
        try:
            yield
        except (Complaint, Refused):
            assert snapshot() == before, "a refused step left something behind"

    def any_of(self, statement: Any, pick: int, **seen: Any) -> Any:
        """One of the ids a statement finds."""
        with session_with(SYSTEM) as session:
            found = sorted(session.scalars(statement, execution_options=seen))
        return found[pick % len(found)] if found else None

    def child(self, pick: int, *, enrolled: bool | None = None) -> tuple[int, Scope]:
        """A child (mostly one that is enrolled, or is not), and who holds it."""
        here = Child.id.in_(select(Enrolment.child_id).where(Enrolment.end.is_(None)))
        which = select(Child.id)
        if enrolled is not None and pick % 7:
            which = which.where(here if enrolled else ~here)
        pk = self.any_of(which, pick) or self.any_of(select(Child.id), pick)
        with session_with(SYSTEM) as session:
            return pk, self.world.holder_of[session.get(Child, pk).school_id]

    def school(self, pick: int) -> int:
        w = self.world
        return (w.a, w.b, w.junior, w.a_site, w.outside)[pick % 5]

    def transfer(self, pick: int, *states: TransferState) -> Transfer | None:
        """A transfer as it is, mostly one in the states named."""
        named = select(Transfer.id).where(Transfer.state.in_(states)) if pick % 7 else select(Transfer.id)
        pk = self.any_of(named, pick)
        with session_with(SYSTEM) as session:
            return session.get(Transfer, pk) if pk else None

    @rule(who=PICK, to=PICK, on=DAYS)
    def propose(self, who: int, to: int, on: dt.date) -> None:
        pk, actor = self.child(who)
        with self.attempt(), writing(actor) as session:
            target = session.get(m.School, self.school(to))
            transfers.propose(
                session, session.get(Child, pk), target, on, to_place="四川成都" if target.id == self.world.outside else None
            )

    @rule(which=PICK, on=DAYS, with_teacher=st.booleans())
    def accept(self, which: int, on: dt.date, with_teacher: bool) -> None:
        transfer = self.transfer(which, TransferState.PENDING)
        if transfer is None:
            return
        on = TODAY if "overlap" in BUGS else on
        away = transfer.to_school_id == self.world.outside
        teachers = self.world.teacher.get(transfer.to_school_id, [])
        with self.attempt():
            transfers.accept(
                writing, self.world.holder_of[transfer.school_id if away else transfer.to_school_id], transfer.id, on,
                staff_id=teachers[-1] if teachers and with_teacher else None,
            )  # fmt: skip

    @rule(which=PICK, by_receiver=st.booleans())
    def send_back(self, which: int, by_receiver: bool) -> None:
        transfer = self.transfer(which, *transfers.WAITING)
        if transfer is None:
            return
        actor = self.world.holder_of[transfer.to_school_id if by_receiver else transfer.school_id]
        with self.attempt(), writing(actor) as session:
            transfers.send_back(session.get(Transfer, transfer.id), "名字不符", TODAY)

    @rule(who=PICK, to=PICK)
    def request(self, who: int, to: int) -> None:
        pk, _holder = self.child(who)
        to_school = self.school(to % 4)
        with session_with(SYSTEM) as session:
            child = session.get(Child, pk)
        with self.attempt():
            actor = self.world.holder_of[to_school]
            transfers.request(writing, actor, child.id_number or "无", child.name, child.birth_date, to_school)

    @rule(which=PICK)
    def release(self, which: int) -> None:
        transfer = self.transfer(which, TransferState.REQUESTED)
        if transfer is None:
            return
        with self.attempt(), writing(self.world.holder_of[transfer.school_id]) as session:
            transfers.release(session.get(Transfer, transfer.id))

    @rule(who=PICK, on=DAYS, why=st.sampled_from(sorted(WORDS)))
    def leave(self, who: int, on: dt.date, why: str) -> None:
        pk, actor = self.child(who, enrolled=True)
        with self.attempt(), writing(actor) as session:
            transfers.leave(session, session.get(Child, pk), on, WORDS[why])

    @rule(who=PICK, on=DAYS)
    def come_back(self, who: int, on: dt.date) -> None:
        pk, actor = self.child(who, enrolled=False)
        on = TODAY if "overlap" in BUGS else on
        if actor is OFFICE:
            return  # from outside the county a child comes by a transfer
        with self.attempt(), writing(actor) as session:
            transfers.come_back(session, session.get(Child, pk), on)

    @rule(who=PICK, to=PICK, on=DAYS, leaves=st.booleans(), keep=st.integers(0, 3))
    def staff_handover(self, who: int, to: int, on: dt.date, leaves: bool, keep: int) -> None:
        on = TODAY if "handover" in BUGS else on
        pk = self.any_of(select(m.Staff.id), who)
        with session_with(SYSTEM) as session:
            actor = self.world.holder_of[session.get(m.Staff, pk).school_id]
        with self.attempt(), writing(actor) as session:
            staff = session.get(m.Staff, pk)
            held, able = duty.children_of(session, staff, on), duty.colleagues(session, staff, on)
            chosen = {row.id: able[to % len(able)].id for row, _child in held[keep // 3 :]} if able else {}
            leaves = leaves and not (pk in self.world.teacher[self.world.a] and to % 2)  # somebody should stay
            duty.hand_over(session, staff, chosen, on, leaves=leaves)
            if leaves:
                still = session.scalars(select(Responsibility).where(Responsibility.staff_id == pk)).all()
                assert all(row.end is not None and row.end <= on for row in still), "who left still answers for a child"
        self.after_batch = snapshot()

    @rule(at=st.sampled_from(["a", "b", "junior"]), to=PICK, on=DAYS)
    def roll(self, at: str, to: int, on: dt.date) -> None:
        unit = getattr(self.world, at)
        with self.attempt(), writing(self.world.holder_of[unit]) as session:
            going: dict[str, tuple[str, str]] = {}
            for n, klass in enumerate(rolling.classes(session)):
                where = [rolling.STAY, rolling.LEAVE, str(self.school(n + to)), str(self.world.junior)][(to + n) % 4]
                going[klass.key] = ("", rolling.STAY if klass.goes_on_here else where)
            rolling.roll(session, going, session.get(m.School, unit), on)
        self.after_batch = snapshot()

    @rule(which=PICK, by_office=st.booleans())
    def undo(self, which: int, by_office: bool) -> None:
        pk = self.any_of(select(m.Batch.id).where(m.Batch.count > 0), which)
        if pk is None or ("undo" in BUGS and self.after_batch != snapshot()):
            return
        with session_with(SYSTEM) as session:
            actor = OFFICE if by_office else self.world.holder_of[session.get(m.Batch, pk).school_id]
        with self.attempt(), writing(actor) as session:
            bulk.undo(session, session.get(m.Batch, pk))

    @rule(which=PICK)
    def delete_transfer(self, which: int) -> None:
        transfer = self.transfer(which, *transfers.WAITING)
        if transfer is None:
            return
        with self.attempt(), writing(self.world.holder_of[transfer.school_id]) as session:
            trash.put(session, session.get(Transfer, transfer.id), "误建")

    @precondition(lambda self: "restored" not in BUGS)
    @rule(which=PICK)
    def restore_transfer(self, which: int) -> None:
        lying = select(Transfer.id).where(Transfer.deleted_at.is_not(None))
        pk = self.any_of(lying, which, include_deleted=True)
        if pk is None:
            return
        with self.attempt(), writing(OFFICE) as session:
            assert trash.restore(session, Transfer, pk) == 1

    @rule(who=PICK)
    def talk(self, who: int) -> None:
        pk, actor = self.child(who)
        with writing(actor) as session:
            stay = session.scalar(select(Enrolment).where(Enrolment.child_id == pk, Enrolment.end.is_(None)))
            if stay is not None and actor is not OFFICE:
                make.event(
                    session,
                    m.CareRecord,
                    session.get(Child, pk),
                    kind=m.CareKind.TALK,
                    way=m.CareWay.FACE,
                    on=max(stay.start, TODAY),
                )

    @invariant()
    def all_is_well(self) -> None:
        with session_with(SYSTEM) as session:
            check(session)
        check_scopes(self.world)
        counts, records = counted(), care()
        assert all(counts[name] >= n for name, n in self.counts.items()), "a record is lost"
        assert self.care.items() <= records.items(), "the past moved"
        self.counts, self.care = counts, records


@pytest.mark.matrix
def test_whatever_is_clicked_every_child_sits_at_one_school_and_nothing_is_lost(app, ids, base):
    def reset() -> SimpleNamespace:
        db.session.remove()
        db.engine.dispose()
        base.template.restore()
        return county(ids)

    with app.app_context():
        Movement.reset = staticmethod(reset)
        run_state_machine_as_test(
            Movement,
            settings=settings(
                max_examples=25,
                stateful_step_count=12,
                deadline=None,
                phases=[Phase.explicit, Phase.reuse, Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )


# --- the stories ---


def offer(world: SimpleNamespace, pk: int, to: int, **more: Any) -> int:
    """Its school offers the child; the transfer's id."""
    with session_with(SYSTEM) as session:
        holder = world.holder_of[session.get(Child, pk).school_id]
    with writing(holder) as session:
        return transfers.propose(session, session.get(Child, pk), session.get(m.School, to), TODAY, **more).id


def test_a_whole_class_goes_from_p6_to_the_junior_school_and_sits_in_m1(world):
    with writing(world.holders["a"]) as session:
        klass = next(k for k in rolling.classes(session) if k.grade is Grade.P6)
        assert klass.must_go_on and klass.count == 3
        junior = session.get(m.School, world.junior)
        assert (
            transfers.propose_class(
                session, rolling.pupils(session, klass), junior, TODAY, klass.next_grade, TransferKind.PROMOTION
            )
            == 3
        )
    with session_with(world.holders["junior"]) as session:
        assert session.scalars(select(Child.id)).all() == []  # an offer shows no file yet
        offered = session.scalars(select(Transfer.id).where(Transfer.to_school_id == world.junior)).all()
    teacher = world.teacher[world.junior][0]
    for pk in offered:
        transfers.accept(writing, world.holders["junior"], pk, TODAY, class_name="七(2)班", staff_id=teacher)
    with session_with(world.holders["junior"]) as session:
        children = session.scalars(select(Child).order_by(Child.id)).all()
        assert [(c.id, c.grade, c.class_name, c.class_teacher_id) for c in children] == [
            (pk, Grade.M1, "七(2)班", None) for pk in world.leavers
        ]
        holding = session.scalars(select(Responsibility).where(Responsibility.end.is_(None))).all()
        assert [(r.staff_id, r.start) for r in holding] == [(teacher, TODAY)] * 3
        assert {t.state for t in session.scalars(select(Transfer))} == {TransferState.ACCEPTED}
    with session_with(SYSTEM) as session:
        check(session)
        stays = session.scalars(select(Enrolment).where(Enrolment.child_id.in_(world.leavers), Enrolment.end.is_not(None))).all()
        assert {(s.school_id, s.end, s.leave_reason) for s in stays} == {(world.a, TODAY, LeaveReason.GRADUATED)}
        pairs = session.scalars(select(m.Pairing).where(m.Pairing.child_id.in_(world.leavers))).all()
        assert [p.end for p in pairs] == [TODAY] * 3


def test_one_child_of_a_class_that_cannot_go_stops_the_class_and_is_named(world):
    offer(world, world.leavers[1], world.b)
    before = snapshot()
    with pytest.raises(Complaint, match=r"^陈二："), writing(world.holders["a"]) as session:
        klass = next(k for k in rolling.classes(session) if k.grade is Grade.P6)
        transfers.propose_class(
            session, rolling.pupils(session, klass), session.get(m.School, world.junior), TODAY, Grade.M1, TransferKind.PROMOTION
        )
    assert snapshot() == before


def test_out_of_the_county_and_back_it_is_the_same_child(world):
    pk, week = world.leavers[0], dt.timedelta(days=7)
    with session_with(SYSTEM) as session:
        child = session.get(Child, pk)
        number, name, born = child.id_number, child.name, child.birth_date
    away = offer(world, pk, world.outside, to_place="四川成都某小学")
    with pytest.raises(OutOfScope):
        transfers.accept(writing, world.holders["b"], away, TODAY - week)
    transfers.accept(writing, world.holders["a"], away, TODAY - week)
    with session_with(world.holders["a"]) as session:
        assert session.get(Child, pk) is None
        assert session.get(Transfer, away).printed_on == TODAY - week
    with session_with(SYSTEM) as session:
        assert pk not in set(session.scalars(left_behind(Definition.GF13, TODAY)))

    with pytest.raises(Complaint):
        transfers.request(writing, world.holders["b"], number, "陈别人", born, world.b)
    transfers.request(writing, world.holders["b"], number, name, born, world.b)
    with session_with(world.holders["b"]) as session:
        asked = session.scalars(select(Transfer).where(Transfer.to_school_id == world.b, Transfer.child_id == pk)).one()
        assert (asked.kind, asked.state) == (TransferKind.MOVE, TransferState.REQUESTED), "not told before it is let go"
        assert session.get(Child, pk) is None
        asked = asked.id
    with pytest.raises(OutOfScope):
        transfers.accept(writing, world.holders["b"], asked, TODAY)  # not released yet
    with writing(OFFICE) as session:
        transfers.release(session.get(Transfer, asked))
        assert session.get(Transfer, asked).kind is TransferKind.BACK
    transfers.accept(writing, world.holders["b"], asked, TODAY, staff_id=world.teacher[world.b][0])

    with session_with(world.holders["b"]) as session:
        child = session.get(Child, pk)
        assert (child.id, child.id_number, child.school_id) == (pk, number, world.b)
        assert session.scalar(select(func.count(m.Parent.id)).where(m.Parent.child_id == pk)) == 2
        assert session.scalar(select(func.count(m.CareRecord.id)).where(m.CareRecord.child_id == pk)) == 1
        old = session.scalars(select(m.CareRecord).where(m.CareRecord.child_id == pk)).one()
        assert (
            old.school_id == world.a and access.shown(world.holders["b"], m.CareRecord, "content", "想家", old.school_id) != "想家"
        )
        stays = session.scalars(select(Enrolment).where(Enrolment.child_id == pk).order_by(Enrolment.start)).all()
        assert [(s.school_id, s.end) for s in stays] == [(world.a, TODAY - week), (world.b, None)]
    with session_with(SYSTEM) as session:
        check(session)


def test_who_sends_a_child_away_cannot_open_it_after_acceptance(world):
    pk = world.leavers[0]
    sent = offer(world, pk, world.b)
    with session_with(world.holders["a"]) as session:
        assert session.get(Child, pk) is not None  # until then the old school answers for it
        stay = make.enrolment(session, session.get(Child, pk)).id
    transfers.accept(writing, world.holders["b"], sent, TODAY)
    with session_with(world.holders["a"]) as session:
        assert session.get(Child, pk) is None
        for model in (m.Parent, m.ParentStatus, Responsibility, m.Carer):
            assert session.scalars(select(model).where(model.child_id == pk)).all() == []
        kept = session.get(Enrolment, stay)
        assert (kept.child_name, kept.end, kept.child) == ("陈一", TODAY, None)  # its own past it keeps
        assert session.get(Transfer, sent).child is None


def test_who_took_part_is_kept_when_the_list_is_saved_again_after_a_move(world):
    """The roster of the day no longer offers the child who has left; it took part all the same."""
    pk = world.leavers[0]
    with writing(SYSTEM) as session:
        activity = make.activity(session, session.get(m.School, world.a), "A01", dt.date(2025, 9, 20)).id
        for each in world.leavers[:2]:
            child = session.get(Child, each)
            make.event(session, m.Participation, child, activity_id=activity, child_name=child.name)
    transfers.accept(writing, world.holders["b"], offer(world, pk, world.b), TODAY)
    with writing(world.holders["a"]) as session:
        rosters.set_participants(session, session.get_one(m.Activity, activity), set())
    with session_with(SYSTEM) as session:
        there = session.scalars(select(m.Participation).where(m.Participation.activity_id == activity)).all()
    assert [(row.child_name, row.deleted_at) for row in there] == [("陈一", None)]


def test_the_receiver_cannot_forge_an_offer_or_change_its_ends(world):
    pk = world.leavers[0]
    between = {"school_id": world.a, "to_school_id": world.b, "child_id": pk, "child_name": "陈一", "proposed_on": TODAY}
    for state in (TransferState.PENDING, TransferState.REQUESTED, TransferState.ACCEPTED):
        with pytest.raises(OutOfScope), writing(world.holders["b"]) as session:
            session.add(Transfer(**between, state=state))
    with session_with(SYSTEM) as session:
        number, born = session.get(Child, pk).id_number, session.get(Child, pk).birth_date
    transfers.request(writing, world.holders["b"], number, "陈一", born, world.b)
    with session_with(SYSTEM) as session:
        asked = session.scalars(select(Transfer.id).where(Transfer.child_id == pk)).one()
    changes: list[dict[str, Any]] = [
        {"state": TransferState.PENDING},
        {"state": TransferState.ACCEPTED},
        {"to_school_id": world.junior},
        {"school_id": world.b},
        {"school_id": world.b, "state": TransferState.PENDING},
        {"child_id": world.leavers[1], "state": TransferState.RETURNED},
        {"grade": Grade.M1},
    ]
    for change in changes:
        with pytest.raises(OutOfScope), writing(world.holders["b"]) as session:
            row = session.get(Transfer, asked)
            for name, value in change.items():
                setattr(row, name, value)
    with pytest.raises(OutOfScope), writing(world.holders["b"]) as session:
        session.get(Transfer, asked).school = session.get(m.School, world.b)
    with pytest.raises(OutOfScope):
        transfers.accept(writing, world.holders["b"], asked, TODAY)
    with writing(world.holders["b"]) as session:  # to take the request back is its right; to make it an offer then is not
        transfers.send_back(session.get(Transfer, asked), "不来了", TODAY)
    with pytest.raises(OutOfScope), writing(world.holders["b"]) as session:
        session.get(Transfer, asked).state = TransferState.PENDING
    for sender in ("to_school_id", "school_id", "child_id"):  # nor does the sender turn an offer round
        with pytest.raises(OutOfScope), writing(world.holders["a"]) as session:
            setattr(session.get(Transfer, asked), sender, world.leavers[1] if sender == "child_id" else world.a_site)


# --- what was found by the machine, or beside it; each was a bug once ---


@known("receiver")
@pytest.mark.parametrize("was", [None, TransferState.ACCEPTED])
def test_the_receiver_sends_back_what_waits_and_nothing_else(was, world):
    pk = world.leavers[0]
    sent = offer(world, pk, world.b)
    transfers.accept(writing, world.holders["b"], sent, TODAY)
    with pytest.raises(OutOfScope), writing(world.holders["b"]) as session:
        if was is None:
            session.add(Transfer(school_id=world.a, to_school_id=world.b, child_id=world.leavers[1], child_name="陈二",
                                 proposed_on=TODAY, state=TransferState.RETURNED))  # fmt: skip
        else:
            session.get(Transfer, sent).state = TransferState.RETURNED


@known("twice")
def test_an_accepted_transfer_that_is_made_an_offer_again_moves_nobody(world):
    pk = world.leavers[0]
    sent = offer(world, pk, world.b)
    transfers.accept(writing, world.holders["b"], sent, TODAY)
    with suppress(Refused, Complaint), writing(world.holders["a"]) as session:
        session.get(Transfer, sent).state = TransferState.PENDING
    with pytest.raises((Refused, Complaint)):
        transfers.accept(writing, world.holders["b"], sent, TODAY)


@known("twice")
def test_two_clicks_on_accept_take_the_child_in_once(world):
    pk = world.leavers[0]
    sent = offer(world, pk, world.b)
    opened = []

    @contextmanager
    def with_another_click_between(scope: Scope) -> Iterator[Session]:
        opened.append(scope)
        if len(opened) == 2:  # the offer was looked at, and now the other request comes first
            transfers.accept(writing, world.holders["b"], sent, TODAY, staff_id=world.teacher[world.b][0])
        with writing(scope) as session:
            yield session

    with pytest.raises(OutOfScope):
        transfers.accept(with_another_click_between, world.holders["b"], sent, TODAY)
    with session_with(SYSTEM) as session:
        assert session.scalar(select(func.count(Enrolment.id)).where(Enrolment.child_id == pk)) == 2
        check(session)


@known("restored")
def test_a_restored_offer_is_not_a_second_one(world):
    pk = world.leavers[0]
    first = offer(world, pk, world.b)
    with writing(world.holders["a"]) as session:
        trash.put(session, session.get(Transfer, first), "误建")
    offer(world, pk, world.junior)
    with pytest.raises(Complaint, match="已有"), writing(OFFICE) as session:
        trash.restore(session, Transfer, first)


@known("restored")
def test_an_offer_of_a_child_that_has_gone_meanwhile_is_not_restored(world):
    pk = world.leavers[0]
    first = offer(world, pk, world.b)
    with writing(world.holders["a"]) as session:
        trash.put(session, session.get(Transfer, first), "误建")
    transfers.accept(writing, world.holders["junior"], offer(world, pk, world.junior), TODAY)
    with pytest.raises(Complaint), writing(OFFICE) as session:
        trash.restore(session, Transfer, first)


@known("gone")
def test_the_offer_of_a_deleted_child_is_not_accepted(world):
    pk = world.leavers[0]
    sent = offer(world, pk, world.b)
    with writing(world.holders["a"]) as session:
        trash.put(session, session.get(Child, pk), "重复登记")
    with pytest.raises((Refused, Complaint)):
        transfers.accept(writing, world.holders["b"], sent, TODAY)


@known("overlap")
def test_nobody_comes_back_into_the_county_before_having_left_it(world):
    pk, day = world.leavers[0], dt.timedelta(days=1)
    transfers.accept(writing, world.holders["a"], offer(world, pk, world.outside, to_place="四川"), TODAY - day)
    back = offer(world, pk, world.b)
    with pytest.raises(Complaint, match="日期早于"):
        transfers.accept(writing, world.holders["b"], back, TODAY - 9 * day)


@known("overlap")
def test_a_stay_of_no_day_does_not_hide_the_longer_one(world):
    pk, day = world.leavers[0], dt.timedelta(days=1)
    start = dt.date(2025, 9, 1)
    for left, returned in ((start, start), (TODAY - day, None)):
        with writing(world.holders["a"]) as session:
            transfers.leave(session, session.get(Child, pk), left, LeaveReason.SUSPENDED)
        if returned:
            with writing(world.holders["a"]) as session:
                transfers.come_back(session, session.get(Child, pk), returned)
    for held in range(2):  # whichever of the two rows the database gives first
        with pytest.raises(Complaint, match="日期早于"), writing(world.holders["a"]) as session:
            transfers.come_back(session, session.get(Child, pk), TODAY - (5 + held) * day)


@known("handover")
def test_a_staff_handover_dated_back_gives_nobody_a_child_that_has_left_since(world):
    pk, (old, new) = world.leavers[0], world.teacher[world.a]
    with writing(world.holders["a"]) as session:
        transfers.leave(session, session.get(Child, pk), TODAY - dt.timedelta(days=5), LeaveReason.SUSPENDED)
    with writing(world.holders["a"]) as session:
        staff, on = session.get(m.Staff, old), TODAY - dt.timedelta(days=10)
        duty.hand_over(session, staff, {r.id: new for r, _child in duty.children_of(session, staff, on)}, on, leaves=True)
    with session_with(SYSTEM) as session:
        check(session)


@known("handover")
def test_who_leaves_leaves_no_child_taken_over_later_behind(world):
    old, new = world.teacher[world.a]
    week = dt.timedelta(days=7)
    with writing(world.holders["a"]) as session:
        staff = session.get(m.Staff, old)
        duty.hand_over(
            session,
            staff,
            {r.id: new for r, _child in duty.children_of(session, staff, TODAY - week)[:1]},
            TODAY - week,
            leaves=False,
        )
    with pytest.raises(Complaint), writing(world.holders["a"]) as session:
        duty.hand_over(session, session.get(m.Staff, new), {}, TODAY - 2 * week, leaves=True)


@known("left")
def test_a_teacher_who_has_left_takes_over_no_child(world):
    sent = offer(world, world.leavers[0], world.b)
    with writing(world.holders["b"]) as session:
        session.get(m.Staff, world.teacher[world.b][0]).end = TODAY - dt.timedelta(days=30)
    with pytest.raises(Complaint):
        transfers.accept(writing, world.holders["b"], sent, TODAY, staff_id=world.teacher[world.b][0])


@known("dismissed")
def test_a_class_that_goes_on_here_is_not_dismissed(world):
    with pytest.raises(Complaint), writing(world.holders["a"]) as session:
        klass = next(k for k in rolling.classes(session) if k.grade is Grade.P3 and k.school.id == world.a)
        rolling.roll(session, {klass.key: ("", rolling.LEAVE)}, session.get(m.School, world.a), TODAY)


@known("unnamed")
def test_who_holds_up_a_leaving_class_is_named(world):
    with writing(SYSTEM) as session:
        senior = session.get(Child, world.leavers[0])
        senior.grade = Grade.V3
        session.get(m.School, world.a).kind = m.SchoolKind.VOCATIONAL
    offer(world, world.leavers[0], world.b)
    with pytest.raises(Complaint, match=r"^陈一："), writing(world.holders["a"]) as session:
        klass = next(k for k in rolling.classes(session) if k.grade is Grade.V3)
        rolling.roll(session, {klass.key: ("", rolling.LEAVE)}, session.get(m.School, world.a), TODAY)


@known("empty")
def test_a_rollover_in_which_nothing_is_chosen_is_no_rollover(world):
    with pytest.raises(Complaint), writing(world.holders["a"]) as session:
        klass = next(k for k in rolling.classes(session) if k.grade is Grade.P6)
        rolling.roll(session, {klass.key: ("", rolling.STAY)}, session.get(m.School, world.a), TODAY)


@known("past")
def test_a_child_with_a_past_elsewhere_is_deleted_by_the_office_alone_and_a_sentence_says_so(world):
    pk = world.leavers[0]
    transfers.accept(writing, world.holders["b"], offer(world, pk, world.b), TODAY)
    with pytest.raises(Complaint), writing(world.holders["b"]) as session:
        trash.put(session, session.get(Child, pk), "重复登记")
    with writing(OFFICE) as session:
        assert trash.put(session, session.get(Child, pk), "重复登记") > 1
