"""The worked example of the rubric: a boarding primary school, and the records of its year.

``build`` reads like the example's table, item by item; the methods of ``Example`` turn each entry into records. Beside what
counts stands here and there what just does not: an agreement that ended, a pair too young, a visit by phone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_app import models as m
from admin_app.assessment import results, schemes, workflow
from admin_app.assessment.scoring import Status
from admin_app.models import Body, CareKind, CareWay, CategoryKind, FacilityKind, PaperKind, ParentState, Rater, Side
from admin_app.records import upkeep
from tests import factories as make
from tests.assessment.rounds import PATH

START, CUT_OFF = dt.date(2025, 9, 1), dt.date(2026, 8, 31)
AUTUMN = (dt.date(2025, 9, 1), dt.date(2026, 1, 9))
"""19 school weeks."""
SPRING = (dt.date(2026, 3, 2), dt.date(2026, 6, 26))
"""17 school weeks."""
DAY = dt.timedelta(days=1)
WEEK = 7 * DAY
MONDAYS = [*(AUTUMN[0] + n * WEEK for n in range(19)), *(SPRING[0] + n * WEEK for n in range(17))]
MONTHS = [(2025, 9), (2025, 10), (2025, 11), (2025, 12), (2026, 1), (2026, 3), (2026, 4), (2026, 5), (2026, 6), (2026, 7)]
"""The ten months that carry a monthly duty."""
NAMES = (
    "白小禾 方小树 李小满 刀小云 普小岩 王小溪 杨小竹 罗小星 张小鹿 周小雨 "
    "段小川 施小莲 鲁小松 钱小梅 马小舟 岳小桥 邱小亮 陶小青 夏小荷 文小山"
).split()


def build(session: Session) -> Example:
    """The school of the example, with everything its table names; every item of every sheet judged."""
    calendar(session)
    at = Example(session, scheme(session))
    at.children(all_year=10, since_20_september=10, able_parent_at_home=4, incapable_parent_at_home=2, carers=18)
    at.others()
    at.boarders(of_c=4, others=136)
    # A1
    at.groups()
    at.papers((PaperKind.PROGRAMME, 1), (PaperKind.PLAN, 2), (PaperKind.TERM_SUMMARY, 2))
    at.activities("M01", dt.date(2025, 9, 8), dt.date(2025, 11, 10), dt.date(2026, 3, 9))
    # A2
    at.census(days_late=(0, 5))
    at.dossiers(complete=18)
    at.cards(valid=19)
    at.confirm(20)
    # A3
    at.agreements(valid=15)
    at.visits(autumn=20, spring=17)
    at.contacts(months=120)
    at.trainings(dt.date(2025, 11, 12), dt.date(2026, 4, 15), carers=12)
    # A4
    at.talks(months=171)
    at.room(FacilityKind.COUNSEL, "A02", [monday + DAY for monday in MONDAYS[:30]])
    at.flags(dt.date(2025, 10, 13), dt.date(2026, 4, 13))
    # A5
    at.drills(autumn=("D1", "D2", "D3"), spring=("D1", "D2"))
    at.activities("A05", dt.date(2025, 9, 12), dt.date(2026, 3, 13))
    at.activities("A06", dt.date(2025, 12, 4), dt.date(2026, 4, 15))
    at.activities("A23", dt.date(2025, 12, 4), agencies=("B07", "B08"))
    at.handovers(winter=19, summer=19)
    # A6
    at.pairs(long_enough=16)
    at.activities("A15", dt.date(2025, 11, 27), dt.date(2026, 5, 10))
    at.letters(autumn=18, spring=18)
    at.activities("A17", *(dt.date(2025, month, 20) for month in (9, 10, 11)), *(dt.date(2026, month, 20) for month in (3, 4, 5)))
    at.activities("A10", dt.date(2025, 12, 31))
    at.activities("A11", dt.date(2026, 4, 22), agencies=("B04", "B07"))
    at.activities("A07", *(monday + 4 * DAY for monday in MONDAYS[:5]))
    at.activities("A08", *(monday + 4 * DAY for monday in MONDAYS[20:23]))
    at.evaluations(autumn=15, spring=15)
    # A7
    at.grants(H01=2, H02=1, H03=1, disabled=1)
    at.posts(Body.LIFE, "晚间甲", "晚间乙")
    # A8
    in_holidays = (dt.date(2026, 1, 14), dt.date(2026, 1, 21), dt.date(2026, 7, 8), dt.date(2026, 7, 15), dt.date(2026, 7, 22))
    at.room(FacilityKind.HOME, "O01", [*(monday + 2 * DAY for monday in MONDAYS), *in_holidays])
    # A9, A10
    at.activities("P01", dt.date(2025, 10, 16), dt.date(2026, 3, 5), dt.date(2026, 5, 29))
    at.activities("P02", dt.date(2026, 5, 15))
    at.activities("P03", dt.date(2026, 6, 12))
    at.sample(children=10, checked=20, wrong=1)
    at.judge({"A1.4": "2.50", "A4.2": "1.2", "A6.4": "0.5", "A7.3": "0.7", "A7.4": "1.80", "A8.1": "1"})
    at.bonus("市级表彰", 1)
    session.commit()
    return at


def calendar(session: Session) -> None:
    """The county's terms, shortened to 19 and 17 weeks, and the holidays that follow them."""
    for code, (first, last) in {"2025-1": AUTUMN, "2025-2": SPRING}.items():
        term = session.scalar(select(m.Term).where(m.Term.code == code))
        term.start, term.last_day = first, last
    for code, first in {"2025-winter": AUTUMN[1] + DAY, "2026-summer": SPRING[1] + DAY}.items():
        session.scalar(select(m.Holiday).where(m.Holiday.code == code)).start = first
    session.flush()


def scheme(session: Session) -> m.Scheme:
    """The reference rubric with the definition XJ: copied, approved and locked as the office does it."""
    new = schemes.clone(
        session, session.scalar(select(m.Scheme).where(m.Scheme.code == "2026")), "2026-XJ", "学籍口径", "按学籍口径"
    )
    new.definition = m.Definition.XJ
    schemes.submit(session, new)
    session.flush()
    schemes.decide(session, new, approved=True, words="", by="局长丙")
    session.flush()
    schemes.lock(session, new, "新教发〔2026〕1号")
    session.flush()
    return new


class Example:
    """A school in a round of its own, and what is entered there. Records are entered on the day they tell of."""

    def __init__(self, session: Session, of: m.Scheme):
        self.session = session
        self.round = m.Round(
            code="2026-XJ", title="2026 年度考核", scheme_id=of.id, start=START, last_day=CUT_OFF, cut_off=CUT_OFF, state=m.RoundState.OPEN,
        )  # fmt: skip
        session.add(self.round)
        self.school = make.school(session, "2153990021", "云杉小学", boarding=True, pupils=320)
        self.teacher = make.staff(session, self.school)
        self.terms = list(session.scalars(select(m.Term).where(m.Term.code.in_(("2025-1", "2025-2"))).order_by(m.Term.code)))
        self.codes = dict(session.execute(select(m.Code.code, m.Code.id)).all())
        self.c: list[m.Child] = []
        self.carers: list[m.Carer] = []
        self.stays: dict[int, m.Enrolment] = {}

    # --- the ways a row is made

    def add(self, model: type, on: dt.date, /, **more: Any) -> Any:
        """A record of the school's work."""
        row = model(school_id=self.school.id, **({"created_at": noon(on)} | more))
        self.session.add(row)
        return row

    def of(self, child: m.Child, model: type, on: dt.date, /, **more: Any) -> Any:
        """A record of a child's file."""
        return self.add(model, on, child_id=child.id, **more)

    def event(self, child: m.Child, model: type, on: dt.date, /, **more: Any) -> Any:
        """A record that hangs on the child's stay."""
        return self.of(child, model, on, enrolment_id=self.stays[child.id].id, **more)

    def care(self, child: m.Child, kind: CareKind, way: CareWay, on: dt.date, **more: Any) -> m.CareRecord:
        return self.event(child, m.CareRecord, on, kind=kind, way=way, on=on, **more)

    def activities(self, code: str, *days: dt.date, **more: Any) -> None:
        for on in days:
            self.add(m.Activity, on, kind_id=self.codes[code], on=on, title=f"{on:%m月%d日}活动", **more)

    def posts(self, body: Body, *names: str, start: dt.date = START, end: dt.date | None = None) -> None:
        for name in names:
            self.add(m.Post, start, body=body, name=name, start=start, end=end)

    # --- the children and their families

    def children(
        self, *, all_year: int, since_20_september: int, able_parent_at_home: int, incapable_parent_at_home: int, carers: int
    ) -> None:
        """C, every father away; by the mother, those who are both away first. Siblings share one grandmother."""
        days = [START] * all_year + [dt.date(2025, 9, 20)] * since_20_september
        at_home = [ParentState.INCAPABLE] * incapable_parent_at_home + [ParentState.HOME] * able_parent_at_home
        mothers = [ParentState.AWAY] * (len(days) - len(at_home)) + at_home
        phones = [make.phone() for _ in range(carers)]
        for n, (name, start, mother) in enumerate(zip(NAMES, days, mothers, strict=True)):
            child = make.child(self.session, self.school, name, start=start, special_requests="无")
            make.parent(self.session, child, Side.FATHER)
            make.parent(self.session, child, Side.MOTHER, mother)
            self.carers.append(make.carer(self.session, child, f"{n % carers}号奶奶", phone=phones[n % carers]))
            self.stays[child.id] = make.enrolment(self.session, child)
            make.responsible(self.session, child, self.teacher, start=start)
            self.c.append(child)

    def others(self) -> None:
        """Who is not left behind: both parents at home; a father away for two months; a father who came back in December."""
        home, away, long_ago, back = ParentState.HOME, ParentState.AWAY, dt.date(2024, 2, 1), dt.date(2025, 12, 1)
        families = {
            "岩在家": (home, long_ago, None),
            "沈新去": (away, dt.date(2026, 7, 1), None),
            "尹回来": (away, long_ago, back),
        }
        for name, (father, since, until) in families.items():
            child = make.child(self.session, self.school, name)
            make.parent(self.session, child, Side.FATHER, father, since, until=until)
            make.parent(self.session, child, Side.MOTHER, home)

    def boarders(self, *, of_c: int, others: int) -> None:
        """Boarders among C, and those who are not left behind."""
        for child in self.c[:of_c]:
            child.boarding = True
        more = [
            m.Child(
                school_id=self.school.id, name=f"住校生{n}", sex=m.Sex.FEMALE, birth_date=dt.date(2015, 3, 4), ethnic=m.Ethnic.E01,
                grade=m.Grade.P4, class_name="2班", boarding=True,
            )
            for n in range(others)
        ]  # fmt: skip
        self.session.add_all(more)
        self.session.flush()
        for child in more:
            self.of(child, m.Enrolment, START, child_name=child.name, start=START)
        self.session.flush()

    # --- A1 organisation, A2 dossiers

    def groups(self) -> None:
        """Both groups; a member left and was replaced two weeks later."""
        self.posts(Body.LEADING, "组长甲")
        self.posts(Body.WORKING, "组员乙")
        self.posts(Body.WORKING, "组员丙", end=dt.date(2026, 3, 2))
        self.posts(Body.WORKING, "组员丁", start=dt.date(2026, 3, 16))

    def papers(self, *wanted: tuple[PaperKind, int]) -> None:
        for kind, n in wanted:
            for term in self.terms[:n]:
                on = term.last_day if kind is PaperKind.TERM_SUMMARY else term.start
                named = {} if kind is PaperKind.PROGRAMME else {"term_id": term.id}
                self.add(m.Paper, on, kind=kind, title=kind.label, on=on, submitted_on=on, state=m.PaperState.FILED, **named)

    def census(self, *, days_late: tuple[int, int]) -> None:
        for term, late in zip(self.terms, days_late, strict=True):
            asked = self.session.scalar(select(m.CensusRound).where(m.CensusRound.term_id == term.id))
            on = asked.last_day + late * DAY
            self.add(m.CensusReturn, on, census_id=asked.id, on=on, children=len(self.c), girls=0, by="填报员")

    def dossiers(self, *, complete: int) -> None:
        """The four states in both terms. The next dossier lacks what the family asks for, those after it the mind of this term."""
        self.c[complete].special_requests = None
        without_mind = self.c[complete + 1 :]
        for term in self.terms:
            on = term.start + 3 * WEEK
            for child in self.c:
                for side in m.StateSide:
                    if not (side is m.StateSide.MIND and term is self.terms[-1] and child in without_mind):
                        self.event(child, m.StateNote, on, term_id=term.id, side=side, on=on)

    def cards(self, *, valid: int) -> None:
        """Everybody's card; then phones change."""
        for child in self.c:
            self.of(child, m.ContactCard, dt.date(2025, 9, 25), issued_on=dt.date(2025, 9, 25), issued_by_id=self.school.id)
        self.session.flush()
        for child in self.c[valid:]:
            father = self.session.scalar(select(m.Parent).where(m.Parent.child_id == child.id, m.Parent.side == Side.FATHER))
            father.phone, father.phone_changed_on = make.phone(), dt.date(2026, 4, 10)

    def confirm(self, n: int) -> None:
        for child in self.c[:n]:
            child.facts_confirmed_at = dt.date(2026, 3, 10)

    # --- A3 family

    def agreements(self, *, valid: int) -> None:
        """The next one in need had one that ended; and one with an able parent at home has one, which nobody asks for."""
        on = dt.date(2025, 9, 26)
        for n in (*range(valid + 1), len(self.c) - 1):
            end = dt.date(2026, 6, 1) if n == valid else None
            self.of(self.c[n], m.Agreement, on, carer_id=self.carers[n].id, principals="父母", signed_on=on, start=on, end=end)

    def visits(self, *, autumn: int, spring: int) -> None:
        """Who was not visited at home was phoned."""
        for on, n in ((dt.date(2025, 11, 22), autumn), (dt.date(2026, 5, 23), spring)):
            for place, child in enumerate(self.c):
                self.care(child, CareKind.VISIT, CareWay.HOME if place < n else CareWay.PHONE, on)

    def contacts(self, *, months: int) -> None:
        """As many months for each child, the last ones of the year."""
        each = months // len(self.c)
        for child in self.c:
            for year, month in MONTHS[-each:]:
                self.care(child, CareKind.CONTACT, CareWay.VIDEO, dt.date(year, month, 6))

    def trainings(self, *days: dt.date, carers: int) -> None:
        """Half of the carers at the first session; the others at the second, but for the last, who is taught at home.

        The next carer signed up and did not come. The sister of the first child has the same grandmother.
        """
        half = carers // 2
        here = [(0, *range(half), 18), range(half - 1, carers - 1)]
        lists = [*zip("13", days, here, strict=True), ("4", days[-1] + WEEK, [carers - 1])]
        for kind, on, came in lists:
            session = self.add(m.TrainingSession, on, title="家长课堂", kind_id=self.codes[f"T{kind}"], on=on)
            self.session.flush()
            for n in sorted(set(came)):
                self._signed(session, n, m.SignedHow.AT_HOME if kind == "4" else m.SignedHow.PRESENT)
            if kind == "3":
                self._signed(session, carers, m.SignedHow.ABSENT)

    def _signed(self, session: m.TrainingSession, n: int, how: m.SignedHow) -> None:
        line = upkeep.attendance_of(session.id, self.stays[self.c[n].id], self.carers[n])
        line.how, line.created_at = how, noon(session.on)
        self.session.add(line)

    # --- A4 talks

    def talks(self, *, months: int) -> None:
        """Each child in each month it owes, but for some in May, with whom another teacher spoke."""
        due = [(child, month) for child in self.c for month in (MONTHS if self.stays[child.id].start == START else MONTHS[1:])]
        without = {child.id for child in self.c[len(self.c) - (len(due) - months) :]}
        for child, (year, month) in due:
            kept = child.id not in without or (year, month) != (2026, 5)
            role = m.TalkerRole.CLASS_TEACHER if kept else m.TalkerRole.OTHER
            self.care(child, CareKind.TALK, CareWay.FACE, dt.date(year, month, 3), role=role, staff_id=self.teacher.id)

    def room(self, kind: FacilityKind, code: str, days: Iterable[dt.date]) -> None:
        room = self.add(m.Facility, START, kind=kind, name=kind.label, since=dt.date(2024, 9, 1))
        self.session.flush()
        self.activities(code, *days, facility_id=room.id)

    def flags(self, *days: dt.date) -> None:
        """Each followed up on the last day for it."""
        self.session.flush()
        for child, on in zip(self.c, days, strict=False):
            level = m.Attention.FOCUS
            self.event(child, m.Flag, on, on=on, level=level, source="谈心", followed_on=on + 14 * DAY, closed_on=on + 60 * DAY)

    # --- A5 safety and holidays

    def drills(self, *, autumn: Iterable[str], spring: Iterable[str]) -> None:
        for (first, _last), held in ((AUTUMN, autumn), (SPRING, spring)):
            for n, code in enumerate(held, 1):
                self.activities(code, first + n * WEEK)

    def handovers(self, *, winter: int, summer: int) -> None:
        """Back from the winter holiday, and handed over for the summer, which is not over; the others stopped one step before."""
        codes = ("2025-winter", "2026-summer")
        for n, code, term in zip((winter, summer), codes, self.terms, strict=True):
            holiday = self.session.scalar(select(m.Holiday).where(m.Holiday.code == code))
            for place, child in enumerate(self.c):
                done = {"family_on": term.last_day, "village_on": term.last_day}
                if place < n or code == codes[0]:
                    done["done_on"] = term.last_day
                if place < n and code == codes[0]:
                    done["back_on"] = SPRING[0]
                self.event(child, m.Handover, term.last_day, holiday_id=holiday.id, **done)

    # --- A6 activities with children

    def pairs(self, *, long_enough: int) -> None:
        """To the cut-off 60 days, both counted; the others are a day younger."""
        for place, child in enumerate(self.c):
            start = CUT_OFF - (59 if place < long_enough else 58) * DAY
            self.event(child, m.Pairing, start, partner=f"同学{place}", start=start)

    def letters(self, *, autumn: int, spring: int) -> None:
        for term, n in zip(self.terms, (autumn, spring), strict=True):
            for child in self.c[:n]:
                on = term.start + 10 * WEEK
                self.event(child, m.Letter, on, term_id=term.id, on=on)

    def evaluations(self, *, autumn: int, spring: int) -> None:
        """Three sides by the teacher and two by a classmate; the others by the teacher alone, on all five."""
        by_teacher, by_peer = ("conduct", "study", "health"), ("arts", "practice")
        for term, n in zip(self.terms, (autumn, spring), strict=True):
            on = term.last_day - WEEK
            for place, child in enumerate(self.c):
                told = {Rater.TEACHER: by_teacher, Rater.PEER: by_peer} if place < n else {Rater.TEACHER: by_teacher + by_peer}
                for rater, sides in told.items():
                    self.event(child, m.Evaluation, on, term_id=term.id, on=on, rater=rater, **dict.fromkeys(sides, m.Mark.GOOD))

    # --- A7 welfare

    def grants(self, *, disabled: int, **households: int) -> None:
        """Aid for the boarders of C and for who comes after them; the next child only eats with everybody."""
        on = dt.date(2025, 9, 28)
        boarding, waiting = [child for child in self.c if child.boarding], [child for child in self.c if not child.boarding]
        aided = [(child, "Z02") for child in boarding]
        for kind, n in households.items():
            for _ in range(n):
                aided.append((child := waiting.pop(0), "Z09"))
                self.of(child, m.Category, on, kind=CategoryKind(kind), start=on)
        for _ in range(disabled):
            aided.append((child := waiting.pop(0), "Z11"))
            child.disability = m.Disability.LIMB
        for child, code in (*aided, (waiting[0], "Z04")):
            self.event(child, m.Subsidy, on, kind_id=self.codes[code], start=on)

    # --- what the bureau enters

    def sample(self, *, children: int, checked: int, wrong: int) -> None:
        """Compared with the children; nobody was asked whether they are satisfied."""
        on, told = dt.date(2026, 9, 3), {"children": children, "fields_checked": checked, "fields_wrong": wrong}
        self.session.flush()
        self.add(m.Inspection, on, round_id=self.round.id, on=on, **told)

    def judge(self, points: dict[str, str]) -> None:
        """The school's judged items and parts; the other schools of the county get half a point less than all."""
        self.session.flush()
        workflow.open_sheets(self.session, self.round)
        found = results.score(self.session, self.round)
        indicators = {indicator.code: indicator for indicator, _rule in results.rules_of(self.session, self.round)}
        for sheet in self.session.scalars(select(m.Sheet).where(m.Sheet.round_id == self.round.id)):
            for item in found.by_school[sheet.school_id].items:
                if item.status is Status.MISSING:
                    others = item.by_hand - Decimal("0.5")
                    given = Decimal(points[item.code]) if sheet.school_id == self.school.id else others
                    workflow.judge(self.session, sheet, indicators[item.code], given, "现场评定")

    def bonus(self, matter: str, points: int) -> None:
        self.add(
            m.Adjustment, CUT_OFF, round_id=self.round.id, kind=m.AdjustmentKind.BONUS, matter=matter, points=Decimal(points),
            document="表彰决定",
        )  # fmt: skip

    # --- what may be otherwise

    def one(self, model: type, **by: Any) -> Any:
        """The school's first record of a kind that looks like this."""
        self.session.flush()
        alike = (getattr(model, name) == value for name, value in by.items())
        return self.session.scalars(select(model).where(model.school_id == self.school.id, *alike).order_by(model.id)).first()

    def change(self, model: type, by: dict[str, Any], **values: Any) -> None:
        row = self.one(model, **by)
        for name, value in values.items():
            setattr(row, name, value)

    def lose(self, model: type, **by: Any) -> None:
        """To the trash before the cut-off."""
        self.one(model, **by).deleted_at = noon(dt.date(2026, 8, 1))

    def transfer(self, on: dt.date) -> None:
        elsewhere = self.session.scalar(select(m.School).where(m.School.assessed, m.School.id != self.school.id))
        self.of(self.c[0], m.Transfer, on, to_school_id=elsewhere.id, child_name=self.c[0].name, proposed_on=on)

    def dropout(self, found_on: dt.date, returned_on: dt.date | None) -> None:
        reason = m.DropoutReason.WEARY
        self.event(self.c[0], m.DropoutCase, found_on, found_on=found_on, returned_on=returned_on, grade=m.Grade.P3, reason=reason)

    def opinion(self, on: dt.date, told_after: dt.timedelta) -> None:
        self.add(m.Opinion, on, found_at=noon(on), reported_at=noon(on) + told_after, source="论坛", summary="传言")

    # --- what comes of it

    def walk(self, to: m.RoundState) -> None:
        """On to a state, in the one transaction that is taken back at the end."""
        while self.round.state is not to:
            following = PATH[PATH.index(self.round.state) + 1]
            if following is m.RoundState.DECISION:
                workflow.settle(self.session, self.round, approved=True, words="", by="局长")
            on = self.round.shown_until + dt.timedelta(days=1) if following is m.RoundState.PUBLISHED else CUT_OFF
            act = workflow.Act(self.session, self.session, self.round, "股员", on, "逾期未报的按核查分计", "文号")
            workflow.advance(act, following)
            self.session.flush()

    def results(self) -> SimpleNamespace:
        """The school's card, its items and facts by code, and all cards of the round."""
        self.session.flush()
        found = results.score(self.session, self.round)
        card = found.by_school[self.school.id]
        items = {item.code: item for item in card.items}
        return SimpleNamespace(all=found, card=card, items=items, facts=found.facts[self.school.id])


def noon(on: dt.date) -> dt.datetime:
    """Noon of a day on the county's clock."""
    return dt.datetime.combine(on, dt.time(4), dt.UTC)
