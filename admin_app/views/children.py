"""The child and the file: register, dossier, parents and where they are, carers, responsible persons, cards."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _, lazy_gettext
from flask_login import current_user
from sqlalchemy import func, select
from wtforms.validators import Optional

from .. import labels, rules
from ..access import Action, shown
from ..db import db
from ..models import (
    BY_CLASS,
    CareKind,
    Carer,
    CareRecord,
    Child,
    ContactCard,
    Definition,
    Enrolment,
    IdKind,
    LeaveReason,
    Parent,
    ParentStatus,
    Responsibility,
    School,
    Staff,
    StateSide,
)
from ..orm import Base, Group
from ..records import aid, concerns, county, definitions, dossier, enrolling, filed_ledger, informing, overview
from ..records.definitions import left_behind
from ..rules import Complaint
from .base import RecordView
from .exports import carried_out, handed_out, reason_to_reveal, receipt_of, refused
from .fields import DateField
from .filters import Filter, by_township
from .gate import ask_elsewhere, current_scope, note, note_each
from .lists import EXPORT_CAP, Line
from .lookups import CHILDREN, PARENTS, STAFF
from .words import paper_words, screen_words, state

GROUP = "儿童"
DOSSIERS_AT_ONCE = 50
"""Dossiers printed at once: a class, or a hundred pages."""


def _in_definition(query: Any, value: str) -> Any:
    today = dt.date.today()
    if value == "no":
        return query.where(Child.id.not_in(left_behind(Definition.GF13, today)))
    return query.where(Child.id.in_(left_behind(Definition(value), today)))


def _definition_options(_session: Any) -> list[tuple[str, str]]:
    return [*((d.value, _(d.label)) for d in Definition), ("no", _("不在国发13号口径内"))]


def _known_option(options: Any) -> Any:
    def parse(raw: str) -> str:
        if raw not in dict(options(None)):
            raise ValueError(raw)
        return raw

    return parse


def _gap_options(_session: Any) -> list[tuple[str, str]]:
    return [(gap.key, _(gap.label)) for gap in overview.GAPS]


def _age_options(_session: Any) -> list[tuple[str, str]]:
    return [(key, _(words)) for key, (words, _from, _to) in concerns.CARER_AGES.items()]


def _aid_options(_session: Any) -> list[tuple[str, str]]:
    return [("due", _("应助未助"))]


BY_DEFINITION = Filter("definition", "留守口径", _in_definition, _known_option(_definition_options), _definition_options, "choice")
BY_GAP = Filter(
    "gap",
    "待办",
    lambda query, value: query.where(Child.id.in_(overview.children_with(db.session(), value, dt.date.today()))),
    _known_option(_gap_options),
    _gap_options,
    "choice",
)
BY_CARER_AGE = Filter(
    "carer_age",
    "照护人年龄",
    lambda query, value: query.where(Child.id.in_(concerns.by_age_of_carer(value, dt.date.today()))),
    _known_option(_age_options),
    _age_options,
    "choice",
    group=Group.FAMILY,
)
BY_AID = Filter(
    "aid",
    "资助",
    lambda query, value: query.where(Child.id.in_(aid.unaided(dt.date.today()))),
    _known_option(_aid_options),
    _aid_options,
    "choice",
    group=Group.FAMILY,
)


MORE = (
    ("evaluation", "记评价"),
    ("letter", "记书信"),
    ("pairing", "记结对"),
    ("help_plan", "写帮扶计划"),
    ("counselling", "记心理辅导"),
    ("flag", "列为重点关注"),
    ("holiday_handover", "记假期交接"),
    ("subsidy", "记资助"),
    ("dropout_case", "记控辍保学"),
    ("transfer", "转出"),
    ("mandatory_report", "强制报告"),
)
"""What else a dossier page offers to write down for the child."""
RIGHTS_OF = {m.class_.__tablename__: m.class_.RESOURCE for m in Base.registry.mappers}


def _beside(ids: list[int], today: dt.date) -> Any:
    """What stands beside each child of a page, in one statement: carer, responsible person, last card, talk this month."""
    carer = select(Carer.name).where(Carer.child_id == Child.id, Carer.end.is_(None)).order_by(Carer.start.desc()).limit(1)
    serving = select(Staff.name).join(Responsibility, Responsibility.staff_id == Staff.id)
    serving = serving.where(Responsibility.child_id == Child.id, Responsibility.end.is_(None)).limit(1)
    issued = select(func.max(ContactCard.issued_on)).where(ContactCard.child_id == Child.id)
    talked = select(func.max(CareRecord.on)).where(
        CareRecord.child_id == Child.id, CareRecord.kind == CareKind.TALK, CareRecord.on >= today.replace(day=1)
    )
    return select(Child.id, *(s.correlate(Child).scalar_subquery() for s in (carer, serving, issued, talked))).where(
        Child.id.in_(ids)
    )


class ChildView(RecordView):
    model = Child
    group = GROUP
    title = "儿童台账"
    attachable = True
    column_list = (
        "name", "sex", "school.name", "grade", "class_name", "id_number", "birth_date", "ethnic", "kind", "carer", "responsible", "card", "talk",
    )  # fmt: skip
    form_columns = [
        "school",
        "name",
        "sex",
        "birth_date",
        "ethnic",
        "id_kind",
        "id_number",
        "grade",
        "class_name",
        "class_teacher",
        "boarding",
        "home_address",
        "special_requests",
        "request_kinds",
        "hukou",
        "hukou_place",
        "hukou_registered",
        "area",
        "boarding_wanted",
        "distance",
        "travel",
        "health",
        "illness",
        "disability",
        "disability_grade",
        "income",
        "handy_contact",
        "handy_phone",
        "interests",
        "roll_number",
        "former_name",
        "facts_confirmed_at",
        "consent",
        "informed_on",
        "informed_version",
        "remark",
    ]
    column_details_list = tuple(form_columns)
    later = tuple(form_columns[13:])
    extra_columns = {"kind": "留守类型", "carer": "照护人", "responsible": "包保责任人", "card": "联系卡", "talk": "本月谈心"}
    basis = "口径 国发〔2016〕13号（不满16周岁） · 截止今日"
    details_template = "children/dossier.html"
    list_template = "children/list.html"
    needs = RecordView.needs | {
        "reveal": Action.REVEAL, "confirm": Action.UPDATE, "ledger": Action.EXPORT, "keep_ledger": Action.CREATE, "papers": Action.EXPORT,
    }  # fmt: skip
    filters = (
        by_township(Child),
        BY_DEFINITION,
        BY_GAP,
        "school",
        "grade",
        "class_name",
        "sex",
        "ethnic",
        "boarding",
        "boarding_wanted",
        "birth_date",
        BY_CARER_AGE,
        BY_AID,
        "request_kinds",
    )
    lookups = {"class_teacher": STAFF}
    search = ("name",)
    search_exact = ("id_number_key", "id_number_tail")
    default_sort = (("school_id", False), ("class_order", False), ("name_order", False))
    link_column = "name"

    def rows(self, names: Any = None) -> Any:
        """Archived files are out of the list (归档与清除 shows them)."""
        return super().rows(names).where(Child.archived_on.is_(None))

    def scaffold_form(self) -> Any:
        form = super().scaffold_form()
        form.enrolled_on = DateField(lazy_gettext("就读起始日"), [Optional()])
        return form

    def _save(self, form: Any, row: Child, *, created: bool) -> bool:
        """A number that is new here is asked about first, before the row is put into the session."""
        number = "" if form.id_number.unchanged else rules.tidy_number(form.id_number.data or "")
        if number and number != row.id_number:
            person = (number, rules.tidy_name(form.name.data or ""), form.birth_date.data)
            for told in ask_elsewhere(self.db_session, [person]).values():
                form.id_number.errors = [*form.id_number.errors, _(told.answer)]
                flash(_(told.answer), "danger")
                return False
        return super()._save(form, row, created=created)

    def before_save(self, form: Any, row: Child, created: bool) -> None:
        if row.id_number and row.birth_date and rules.birth_of(row.id_number) != row.birth_date:
            raise Complaint("出生日期与证件号不一致，请核对户口簿。", "birth_date")
        if row.id_number and row.sex and rules.is_male(row.id_number) != (row.sex.value == "1"):
            raise Complaint("性别与证件号不一致，请核对户口簿。", "sex")
        if not row.id_number and row.id_kind is IdKind.RESIDENT and created:
            row.id_kind = IdKind.NONE
        if created and form.enrolled_on.data and (complaint := rules.not_in_future(form.enrolled_on.data.isoformat())):
            raise Complaint(complaint, "enrolled_on")

    def after_save(self, form: Any, row: Child, created: bool) -> None:
        if created:
            enrolling.open_enrolment(self.db_session, row, form.enrolled_on.data or dt.date.today())

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.enrolled_on  # the stay is there already
        return form

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        return self.get_url(".details_view", id=model.id)

    def decorate(self, lines: list[Line]) -> None:
        today = dt.date.today()
        found = definitions.findings(self.db_session, [line.id for line in lines], today)
        beside = {row[0]: row[1:] for row in self.db_session.execute(_beside([line.id for line in lines], today))}
        kinds = {kind: _(kind) for kind in {finding.kind for finding in found.values()}}
        lacking = {
            True: [state("due", words) for words in (_("未指定"), _("未发"), _("未谈"))],
            False: [state("", _("不适用"))] * 3,
        }
        told = current_scope().sees(Group.FAMILY, None)
        has_card, has_talk = state("done", _("已发")), state("done", _("已谈"))
        for line in lines:
            carer, responsible, issued, talked = beside[line.id]
            nobody, no_card, no_talk = lacking[found[line.id].holds]
            line.values["kind"] = kinds[found[line.id].kind] if told else _(rules.WITHHELD[0])
            line.values["carer"] = carer or ""
            line.values["responsible"] = responsible or nobody
            line.values["card"] = has_card if issued else no_card
            line.values["talk"] = has_talk if talked else no_talk

    def gap_views(self) -> list[tuple[str, str]]:
        return _gap_options(None)

    @expose("/details/")
    def details_view(self) -> str:
        """The dossier: one page, everything on the child."""
        child = self.get_one(request.args.get("id", ""))
        note("open", "child", child.id, child.school_id)
        d, only = dossier.of(self.db_session, child, dt.date.today()), request.args.get("only", "")
        return self.render(
            self.details_template,
            row=child,
            d=d,
            only=only if only in d.kinds else "",
            events=[event for event in d.events if only not in d.kinds or event.kind == only],
            may_change=self.may_change(child),
            word=lambda record, name: screen_words(
                shown(current_scope(), type(record), name, getattr(record, name), record.school_id)
            ),
            sides=list(StateSide),
            age_of=lambda carer: concerns.age_of_carer(carer, dt.date.today()),
            more=[(table, _(words)) for table, words in MORE],
            rights=RIGHTS_OF,
            opens=lambda table: current_scope().may(Action.READ, RIGHTS_OF[table]),
            leave_reasons=[reason for reason in LeaveReason if reason is not LeaveReason.TRANSFER],
            return_url=self._back(),
        )

    @expose("/paper/", methods=("GET", "POST"))
    def paper(self) -> Any:
        """档案表 of one child, to print."""
        child = self.get_one(request.args.get("id", ""))
        return self._print([child], 1, self.get_url(".details_view", id=child.id))

    @expose("/notice/")
    def notice(self) -> str:
        """个人信息告知书, to print and have signed."""
        return self.render(
            "children/notice.html",
            bureau=county.word(self.db_session, "bureau"),
            said=informing.notice(county.number(self.db_session, "retention_years")),
            version=informing.NOTICE,
        )

    @expose("/papers/", methods=("GET", "POST"))
    def papers(self) -> Any:
        """档案表 of the children in the list, class by class, each on pages of its own."""
        seen = self._view_of_list()
        query = self.narrow(self.rows(), seen.search, [(c, v) for c, _raw, v in seen.active])
        wanted = query.with_only_columns(Child.id).order_by(*BY_CLASS)
        ids = list(self.db_session.scalars(wanted.limit(DOSSIERS_AT_ONCE)))
        children = list(self.db_session.scalars(select(Child).where(Child.id.in_(ids)).order_by(*BY_CLASS)))
        count = self.db_session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
        return self._print(children, count, self._address(seen))

    def _print(self, children: list[Child], count: int, back: str) -> Any:
        """Numbers are masked; in full they are printed when that is posted with a reason, and logged like a reveal."""
        scope, today = current_scope(), dt.date.today()
        one = len(children) == 1  # a whole class in full takes the leader's word (导出申请)
        may_reveal = one and scope.may(Action.REVEAL, self.resource) and scope.owns(children[0].school_id)
        reason = reason_to_reveal(may_reveal)
        revealed = bool(reason)
        rows = [(child.id, child.school_id) for child in children]
        note_each("reveal" if revealed else "print", "child", rows, **({"用途": reason} if revealed else {}))
        return self.render(
            "children/paper.html", dossiers=[dossier.of(self.db_session, child, today) for child in children], count=count,
            limit=DOSSIERS_AT_ONCE, back=back, today=today, sides=list(StateSide), may_reveal=may_reveal, revealed=revealed,
            word=lambda record, name: paper_words(record, name, revealed=revealed),
            age_of=lambda carer: concerns.age_of_carer(carer, today),
        )  # fmt: skip

    @expose("/reveal/", methods=("POST",))
    def reveal(self) -> Any:
        """One full number, for a reason, logged. Answered to the page that asked; nothing is kept."""
        child = self.get_one(request.form.get("id", ""))
        reason = rules.tidy(request.form.get("reason", ""))[:100]
        if not current_scope().owns(child.school_id):
            return self.forbid()
        if not reason:
            flash(_("显示完整证件号将被记录，请填写用途。"), "warning")
            return redirect(self.get_url(".details_view", id=child.id))
        note("reveal", "child", child.id, child.school_id, 用途=reason)
        numbers = [(_("公民身份号码"), child.id_number), (_("学籍号"), child.roll_number)]
        people = [*self.db_session.scalars(select(Parent).where(Parent.child_id == child.id))]
        people += [*self.db_session.scalars(select(Carer).where(Carer.child_id == child.id))]
        numbers += [(f"{p.name} {_('联系电话')}", p.phone) for p in people]
        numbers += [(f"{p.name} {_('备用电话')}", p.other_phone) for p in people]
        return self.render("children/reveal.html", row=child, numbers=[(w, v) for w, v in numbers if v], reason=reason)

    @expose("/ledger/", methods=("GET", "POST"))
    def ledger(self) -> Any:
        """台账 of the children in the list, as a school hands it in; masked unless an approved request is carried out."""
        try:
            grant = carried_out()
        except Complaint as e:
            return refused(e)
        filed, unit, _basis, said, count = self._filed(full=grant is not None)
        receipt = receipt_of(said, count, grant)
        name = f"{filed.title}-{unit}-{dt.date.today():%Y%m%d}.xlsx"
        return handed_out(filed_ledger.workbook(filed, receipt), name, "child", receipt, grant, 内容="台账")

    @expose("/ledger/keep/", methods=("POST",))
    def keep_ledger(self) -> Any:
        """The same kept as it stands, masked, beside the other reports."""
        filed, _unit, basis, _said, count = self._filed(full=False)
        if not count:
            flash(_("没有符合条件的记录。去掉条件再看。"), "warning")
            return redirect(self.get_url(".index_view"))
        kept = filed_ledger.keep(self.db_session, filed, dt.date.today(), basis, current_user.name)
        self.db_session.commit()
        flash(_("已保存，可随时打开和再次导出。"), "success")
        return redirect(url_for("report.kept", id=kept.id))

    def _filed(self, *, full: bool) -> tuple[filed_ledger.Filed, str, str, str, int]:
        """The ledger of the list as it is filtered: itself, its unit, its definition, its conditions and how many lines."""
        seen, today = self._view_of_list(), dt.date.today()
        query = self.narrow(self.rows(), seen.search, [(c, v) for c, _raw, v in seen.active])
        ids = list(self.db_session.scalars(query.with_only_columns(Child.id).order_by(*BY_CLASS).limit(EXPORT_CAP)))
        said, unit = self._said(seen), self._unit(query)
        definition = next((value for c, _raw, value in seen.active if c.name == "definition"), "")
        is_gf13 = definition == Definition.GF13.value
        basis = Definition.GF13.label if is_gf13 else "按范围所列条件，含非留守儿童"
        below = (
            f"填报单位（盖章）：{unit}　　统计截止日期：{labels.day(today)}　　口径：{basis}　　范围：{said}　　人数：{len(ids)}"
        )
        lines = filed_ledger.rows(self.db_session, ids, today, full=full)
        return filed_ledger.filed("农村留守儿童台账" if is_gf13 else "儿童台账", below, lines), unit, basis, said, len(ids)

    def _unit(self, query: Any) -> str:
        """Who hands a ledger in: the school (of a site its centre), or the bureau for children of several."""
        there = School.id.in_(query.with_only_columns(Child.school_id))
        units = select(func.coalesce(School.centre_id, School.id)).where(there).distinct()
        names = list(self.db_session.scalars(select(School.name).where(School.id.in_(units)).limit(2)))
        return names[0] if len(names) == 1 else county.word(self.db_session, "bureau")

    @expose("/confirm/", methods=("POST",))
    def confirm(self) -> Any:
        """No change this term: the facts are confirmed as of today."""
        child = self.get_one(request.form.get("id", ""))
        if not self.may_change(child):
            return self.forbid()
        child.facts_confirmed_at = dt.date.today()
        self.db_session.commit()
        flash(_("已确认本学期信息无变化。"), "success")
        return redirect(self.get_url(".details_view", id=child.id))


class ParentView(RecordView):
    model = Parent
    group = GROUP
    in_menu = False
    column_list = ("child.name", "side", "name", "phone", "employer", "contact", "last_home")
    form_columns = (
        "child", "side", "bond", "name", "phone", "other_phone", "unreachable", "employer", "contact", "homecoming", "last_home", "marriage", "id_number",
    )  # fmt: skip
    filters = ("side", "contact")
    lookups = {"child": CHILDREN}
    search = ("name",)
    search_exact = ("phone_key",)
    default_sort = (("school_id", False), ("child_id", False), ("side", False))
    link_column = "name"


class ParentStatusView(RecordView):
    model = ParentStatus
    group = GROUP
    in_menu = False
    column_list = ("parent.name", "state", "place", "reach", "start", "end")
    form_columns = ("parent", "state", "place", "reach", "start", "end", "evidence")
    filters = ("state", "reach")
    lookups = {"parent": PARENTS}
    default_sort = (("start", True),)
    link_column = "state"

    def before_save(self, form: Any, row: ParentStatus, created: bool) -> None:
        if row.parent is not None:
            row.child_id, row.school_id = row.parent.child_id, row.parent.school_id


class CarerView(RecordView):
    model = Carer
    group = GROUP
    in_menu = False
    column_list = ("child.name", "name", "relation", "phone", "occupation", "quality", "start", "end")
    form_columns = [
        "child",
        "name",
        "relation",
        "sex",
        "birth_date",
        "age",
        "age_on",
        "occupation",
        "phone",
        "other_phone",
        "address",
        "schooling",
        "health",
        "lives_with",
        "quality",
        "id_number",
        "start",
        "end",
    ]
    filters = ("relation", "quality")
    lookups = {"child": CHILDREN}
    search = ("name",)
    search_exact = ("phone_key",)
    default_sort = (("school_id", False), ("name", False))
    link_column = "name"

    def before_save(self, form: Any, row: Carer, created: bool) -> None:
        if row.age and not row.age_on:
            row.age_on = dt.date.today()


class EnrolmentView(RecordView):
    """Read only: an enrolment opens with the child and ends with a transfer."""

    model = Enrolment
    group = GROUP
    in_menu = False
    column_list = ("child_name", "school.name", "start", "end", "leave_reason")
    form_columns = ()
    search = ("child_name",)
    default_sort = (("start", True),)


class ResponsibilityView(RecordView):
    model = Responsibility
    group = GROUP
    section = "责任人与联系卡"
    title = "包保责任人"
    column_list = ("child.name", "child.grade", "child.class_name", "staff.name", "start", "end")
    form_columns = ("child", "staff", "start", "end")
    filters = ("staff",)
    lookups = {"child": CHILDREN, "staff": STAFF}
    default_sort = (("school_id", False), ("start", True))
    link_column = "staff.name"

    def before_save(self, form: Any, row: Responsibility, created: bool) -> None:
        if row.child is not None and row.staff is not None:
            enrolling.check_responsible(self.db_session, row.child.school_id, row.staff)


class ContactCardView(RecordView):
    model = ContactCard
    group = GROUP
    section = "责任人与联系卡"
    title = "联系卡"
    column_list = ("child.name", "child.grade", "child.class_name", "number", "issued_on")
    form_columns = ("child", "issued_on")
    lookups = {"child": CHILDREN}
    default_sort = (("issued_on", True),)
    link_column = "child.name"
    details_template = "children/card.html"

    def before_save(self, form: Any, row: ContactCard, created: bool) -> None:
        if created and row.child is not None:
            earlier = self.db_session.scalars(select(ContactCard.number).where(ContactCard.child_id == row.child.id)).all()
            row.number, row.issued_by_id = max(earlier, default=0) + 1, row.child.school_id
