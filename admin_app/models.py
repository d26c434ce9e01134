"""Every table, typed, in reading order: places, people, the child's file, care, school work, assessment, access.

A column says once what it is called, what it accepts and how sensitive it is (orm.field); who owns a row is its kind
(Shared, Private, SchoolOwned, ChildFile, History, CareEvent, Between). No behaviour beyond ``__str__``.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from . import rules, spelling
from .orm import (
    Base,
    Between,
    BlindIndex,
    BlindTail,
    CareEvent,
    ChildFile,
    Choice,
    Coded,
    Exact,
    Group,
    History,
    Kept,
    LongText,
    Moment,
    OnRecord,
    Part,
    Period,
    Private,
    Row,
    SchoolOwned,
    Sealed,
    Several,
    Shared,
    derived,
    field,
    link,
    utcnow,
)


class Resource(StrEnum):
    """What the role table in access.py grants rights on; each table belongs to one."""

    SCHOOLS = "schools"
    STAFF = "staff"
    REGISTER = "register"
    CARE = "care"
    COUNSELLING = "counselling"
    INCIDENTS = "incidents"
    WORK = "work"
    NOTICES = "notices"
    RUBRIC = "rubric"
    APPROVALS = "approvals"
    MATCHING = "matching"
    FULL_EXPORTS = "full_exports"
    SCORES = "scores"
    SELF = "self"
    CONFIRMATIONS = "confirmations"
    ACCOUNTS = "accounts"
    AUDIT = "audit"
    RETENTION = "retention"


def _live(*columns: str, also: str = "") -> Index:
    """Unique among the rows that are not in the trash."""
    alive = text(f"deleted_at IS NULL{also}")
    return Index(None, *columns, unique=True, sqlite_where=alive, postgresql_where=alive)


class Named:
    """What a person's ``name`` is sorted and found by."""

    name_order: Mapped[str] = derived(spelling.order, "name", sort_order=80)
    name_sound: Mapped[str] = derived(spelling.sound, "name", sort_order=81)


class ChildNamed:
    """The same of a ``child_name``: a record that keeps the name of its day."""

    name_order: Mapped[str] = derived(spelling.order, "child_name", sort_order=80)
    name_sound: Mapped[str] = derived(spelling.sound, "child_name", sort_order=81)


SPELT: Any = {"sorted_by": lambda model: [model.name_order], "sound_in": "name_sound"}


# --- places: who is where ---


class TownshipKind(Choice):
    STREET = "street", "街道"
    TOWN = "town", "镇"
    RURAL = "rural", "乡"


class Township(Row, Shared):
    """乡镇（街道）, in the county's administrative order."""

    __tablename__ = "township"
    RESOURCE = Resource.SCHOOLS

    code: Mapped[str] = field("代码", String(12), unique=True)
    name: Mapped[str] = field("名称", String(30), unique=True, sorted_by=lambda model: [model.position])
    kind: Mapped[TownshipKind] = field("类型", Coded(TownshipKind))
    position: Mapped[int] = field("顺序", Integer)
    aliases: Mapped[str | None] = field("别名", String(100), hint="导入时认得的其他写法，用空格隔开")

    def __str__(self) -> str:
        return self.name


class SchoolKind(Choice):
    KINDERGARTEN = "kindergarten", "幼儿园"
    POINT = "point", "教学点"
    VILLAGE = "village", "村完小", "完全小学", "村小"
    CENTRE = "centre", "中心小学", "中心校", "中心完小"
    PRIMARY = "primary", "县直小学", "小学"
    NINE_YEAR = "nine_year", "九年一贯制", "九年一贯制学校"
    JUNIOR = "junior", "初级中学", "初中"
    COMPLETE = "complete", "完全中学"
    SENIOR = "senior", "高级中学", "高中"
    VOCATIONAL = "vocational", "职业高级中学", "职中", "中职"
    SPECIAL = "special", "特殊教育学校", "特教"
    OUTSIDE = "outside", "县外"
    BUREAU = "bureau", "教育局"


class SchoolGroup(Choice):
    """考核组别: a school is ranked only inside its group."""

    SENIOR = "senior", "高中组"
    JUNIOR = "junior", "初中组"
    PRIMARY = "primary", "小学组"
    COUNTY_PRIMARY = "county_primary", "县直小学组"
    KINDERGARTEN = "kindergarten", "幼儿园组"


class Area(Choice):
    CITY = "city", "城区"
    TOWN = "town", "镇区"
    VILLAGE = "village", "乡村"


class Affiliation(Choice):
    """隶属: whose school it is (the plan's addressees: 各乡镇中、小学，县直各学校)."""

    TOWNSHIP = "township", "乡镇"
    COUNTY = "county", "县直"


class School(Row, Shared):
    """A school or one of its sites (教学点、村完小): the unit where a child sits. Out of the county is a row too (县外)."""

    __tablename__ = "school"
    RESOURCE = Resource.SCHOOLS

    code: Mapped[str] = field("学校标识码", String(10), unique=True, check=rules.school_code)
    name: Mapped[str] = field("学校名称", String(60), index=True, sorted_by=lambda _model: BY_TOWNSHIP, sound_in="name_sound")
    name_sound: Mapped[str] = derived(spelling.sound, "name")
    township_id: Mapped[int | None] = field("乡镇", ForeignKey("township.id"), index=True)
    kind: Mapped[SchoolKind] = field("办学类型", Coded(SchoolKind))
    affiliation: Mapped[Affiliation | None] = field("隶属", Coded(Affiliation))
    centre_id: Mapped[int | None] = field("上级中心校", ForeignKey("school.id"), index=True)
    assessed: Mapped[bool] = field("是否考核单位", Boolean, default=False)
    school_group: Mapped[SchoolGroup | None] = field("考核组别", Coded(SchoolGroup))
    boarding: Mapped[bool] = field("是否寄宿制", Boolean, default=False)
    public: Mapped[bool] = field("是否公办", Boolean, default=True)
    area: Mapped[Area | None] = field("城乡分类", Coded(Area))
    pupils: Mapped[int | None] = field("在校学生数", Integer)
    phone: Mapped[str | None] = field("学校电话", String(20), check=rules.phone)
    township: Mapped[Township | None] = link("乡镇")
    centre: Mapped[School | None] = link("上级中心校", remote_side="School.id")

    def __str__(self) -> str:
        return self.name


_of_school = aliased(Township)
_position = select(_of_school.position).where(_of_school.id == School.township_id).correlate(School).scalar_subquery()
BY_TOWNSHIP = (func.coalesce(_position, 9999), School.code)
"""The office's order of schools: township by township; of no township (the bureau, 县外) last."""


class CodeKind(Choice):
    ACTIVITY = "activity", "活动类别"
    DRILL = "drill", "演练类别"
    MEETING = "meeting", "会议类别"
    LINKAGE = "linkage", "联动类别"
    PUBLICITY = "publicity", "宣传类别"
    OPENING = "opening", "开放类别"
    CHECK = "check", "检查类别"
    TRAINING = "training", "培训类别"
    SUBSIDY = "subsidy", "资助类别"
    AGENCY = "agency", "联动部门"


class Code(Row, Shared):
    """A list that the county changes itself (kinds of activity, drill, training). A rule names a row by its code."""

    __tablename__ = "code"
    __table_args__ = (UniqueConstraint("kind", "code"),)
    RESOURCE = Resource.RUBRIC

    kind: Mapped[CodeKind] = field("代码表", Coded(CodeKind))
    code: Mapped[str] = field("代码", String(8))
    name: Mapped[str] = field("名称", String(40))
    aliases: Mapped[str | None] = field("别名", String(100), hint="导入时认得的其他写法，用空格隔开")
    position: Mapped[int] = field("顺序", Integer, default=0)
    active: Mapped[bool] = field("启用", Boolean, default=True)

    def __str__(self) -> str:
        return self.name


class Term(Row, Shared):
    """学期, from the county's calendar: never derived from the month."""

    __tablename__ = "term"
    RESOURCE = Resource.RUBRIC

    code: Mapped[str] = field("代码", String(10), unique=True, hint="如 2025-1")
    name: Mapped[str] = field("名称", String(40))
    start: Mapped[dt.date] = field("开学日", Date, check=rules.sensible_date)
    last_day: Mapped[dt.date] = field("放假前最后一天", Date, check=rules.sensible_date)

    def __str__(self) -> str:
        return self.name


class HolidayKind(Choice):
    WINTER = "winter", "寒假"
    SUMMER = "summer", "暑假"
    NATIONAL = "national", "国庆"
    MAY = "may", "五一"


class Holiday(Row, Shared):
    """假期, from the county's calendar. Winter and summer holidays ask for a handover; the office may add others."""

    __tablename__ = "holiday"
    RESOURCE = Resource.RUBRIC

    code: Mapped[str] = field("代码", String(20), unique=True, hint="如 2025-winter")
    name: Mapped[str] = field("名称", String(40))
    kind: Mapped[HolidayKind] = field("类型", Coded(HolidayKind))
    start: Mapped[dt.date] = field("假期第一天", Date, check=rules.sensible_date)
    last_day: Mapped[dt.date] = field("假期最后一天", Date, check=rules.sensible_date)
    handover: Mapped[bool] = field("须交接", Boolean, default=True)

    def __str__(self) -> str:
        return self.name


class Workday(Row, Shared):
    """调休: a public holiday on a weekday, or a weekend day that is worked. Any other day follows Monday to Friday."""

    __tablename__ = "workday"
    RESOURCE = Resource.RUBRIC

    date: Mapped[dt.date] = field("日期", Date, check=rules.sensible_date, unique=True)
    works: Mapped[bool] = field("上班", Boolean, default=False, hint="法定假日不勾，调休上班日勾")
    name: Mapped[str] = field("说明", String(40))

    def __str__(self) -> str:
        return self.name


class CensusRound(Row, Shared):
    """摸底: the count at the start of a term, with the last day for handing in."""

    __tablename__ = "census_round"
    RESOURCE = Resource.RUBRIC

    term_id: Mapped[int] = field("学期", ForeignKey("term.id"), unique=True)
    title: Mapped[str] = field("名称", String(60))
    start: Mapped[dt.date] = field("开始日", Date, check=rules.sensible_date)
    last_day: Mapped[dt.date] = field("截止日", Date, check=rules.sensible_date)
    term: Mapped[Term] = link("学期")

    def __str__(self) -> str:
        return self.title


class Setting(Row, Shared):
    """A value the county sets once (records/county.py names them), and the mark of a demo database."""

    __tablename__ = "setting"
    RESOURCE = Resource.RUBRIC

    key: Mapped[str] = field("名称", String(40), unique=True)
    value: Mapped[str] = field("值", String(200))

    def __str__(self) -> str:
        return self.key


class Day(Base, Shared):
    """The calendar with running numbers: days, months and ages become subtraction, the same SQL on both databases."""

    __tablename__ = "day"
    RESOURCE = Resource.RUBRIC

    date: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    n: Mapped[int] = mapped_column(Integer, index=True)
    month: Mapped[int] = mapped_column(Integer, index=True, doc="12 * year + month")
    after_3_months: Mapped[dt.date] = mapped_column(Date)
    after_16_years: Mapped[dt.date] = mapped_column(Date)


# --- people of a school ---


class Staff(Named, Kept, SchoolOwned, Period):
    """教职工 of one school, from being hired to leaving."""

    __tablename__ = "staff"
    RESOURCE = Resource.STAFF

    name: Mapped[str] = field("姓名", String(30), check=rules.person_name, index=True, **SPELT)
    duty: Mapped[str | None] = field("职务", String(40), hint="如 班主任、德育主任、生活辅导员")
    phone: Mapped[str | None] = field("联系电话", Sealed("staff.phone"), check=rules.phone, group=Group.CONTACT)
    phone_changed_on: Mapped[dt.date | None] = field("电话更新日", Date)
    confirmed: Mapped[bool] = field("已确认", Boolean, default=True, hint="导入台账时新出现的教师先标为待确认")
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return self.name


# --- the child and the file that follows the child ---


class Sex(Choice):
    MALE = "1", "男"
    FEMALE = "2", "女"


_ETHNIC_GROUPS = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
]
Ethnic: Any = Choice(
    "Ethnic",
    [(f"E{i:02}", (f"{i:02}", f"{name}族", name)) for i, name in enumerate(_ETHNIC_GROUPS, 1)]
    + [("OTHER", ("97", "其他")), ("FOREIGN", ("98", "外国血统", "外国血统中国籍人士"))],
)
"""GB/T 3304-1991."""


class IdKind(Choice):
    RESIDENT = "1", "居民身份证"
    PASSPORT = "A", "护照"
    NONE = "Z", "其他（无）", "无"


class Hukou(Choice):
    FARM = "1", "农业", "农业户口"
    CITY = "2", "非农业", "非农业户口"
    RESIDENT = "3", "居民户", "居民户口", "居民"


class Grade(Choice):
    K0 = "K0", "托班"
    K1 = "K1", "小班"
    K2 = "K2", "中班"
    K3 = "K3", "大班"
    K4 = "K4", "学前班"
    P1 = "P1", "一年级", "小学一年级", "一"
    P2 = "P2", "二年级", "小学二年级", "二"
    P3 = "P3", "三年级", "小学三年级", "三"
    P4 = "P4", "四年级", "小学四年级", "四"
    P5 = "P5", "五年级", "小学五年级", "五"
    P6 = "P6", "六年级", "小学六年级", "六"
    M1 = "M1", "七年级", "初一", "初中一年级", "七"
    M2 = "M2", "八年级", "初二", "初中二年级", "八"
    M3 = "M3", "九年级", "初三", "初中三年级", "九"
    H1 = "H1", "高一"
    H2 = "H2", "高二"
    H3 = "H3", "高三"
    V1 = "V1", "职高一", "中职一年级"
    V2 = "V2", "职高二", "中职二年级"
    V3 = "V3", "职高三", "中职三年级"


_POSITIONS = {grade: position for position, grade in enumerate(Grade)}


def class_order(grade: Grade | str | None, class_name: str | None) -> str:
    """The key of a class in the office's order: grades from the youngest up, 三(2)班 before 三(10)班.

    :param grade: itself or its code; None, as a name may be, while a new row has none yet.
    """
    if grade is None:
        return ""
    grade = Grade(grade)
    return spelling.class_order(_POSITIONS[grade], class_name or "", (grade.label, *grade.aliases))


def last_four(number: str | None) -> str | None:
    """What a sealed number is looked up by in part."""
    return number[-4:] if number else None


class Health(Choice):
    GOOD = "10", "健康或良好", "健康", "良好"
    WEAK = "20", "一般或较弱", "一般", "较弱"
    CHRONIC = "30", "有慢性病", "慢性病", "患病"
    IMPAIRED = "40", "有生理缺陷"
    DISABLED = "50", "残疾"


class Disability(Choice):
    SIGHT = "1", "视力"
    HEARING = "2", "听力"
    SPEECH = "3", "言语"
    LIMB = "4", "肢体"
    MIND = "5", "智力"
    SPIRIT = "6", "精神"
    SEVERAL = "7", "多重"
    OTHER = "8", "其他"


class DisabilityGrade(Choice):
    FIRST = "1", "一级"
    SECOND = "2", "二级"
    THIRD = "3", "三级"
    FOURTH = "4", "四级"


class Travel(Choice):
    WALK = "walk", "步行"
    BIKE = "bike", "自行车"
    BUS = "bus", "公交"
    FAMILY = "family", "家长接送"
    SCHOOL_BUS = "school_bus", "校车"
    MOTOR = "motor", "摩托"
    OTHER = "other", "其他"


class Income(Choice):
    LABOUR = "labour", "打工收入"
    FARMING = "farming", "种养殖业"
    AID = "aid", "政府救助"
    KIN = "kin", "亲朋接济"
    OTHER = "other", "其他"


class Need(Choice):
    """五缺, word for word from the plan, 二 工作目标."""

    EMO = "EMO", "感情缺失"
    PSY = "PSY", "心理失衡"
    LIFE = "LIFE", "生活失助"
    SAFE = "SAFE", "安全缺保"
    STUDY = "STUDY", "学习缺教"


_ALIVE = text("deleted_at IS NULL")
_ORDER_AND_NAMES = ("school_id", "class_order", "name_order", "id", "name", "name_sound")
_IN_ORDER = Index("ix_child_in_order", *_ORDER_AND_NAMES, sqlite_where=_ALIVE, postgresql_where=_ALIVE)
# the order of the register, so that no page of it is sorted; then what is searched, so that a search reads the index alone
_BY_NAME = Index("ix_child_by_name", "name_order", sqlite_where=_ALIVE, postgresql_where=_ALIVE)
"""Without ``IS NOT NULL`` in the unique index SQLite would walk the table in hash order for everything alive."""


class RequestKind(Choice):
    """What a child or family asks for, to be found again in a list."""

    DIET = "diet", "饮食"
    MEDICAL = "medical", "医疗"
    STUDY = "study", "学习"
    COMPANY = "company", "陪伴"
    OTHER = "other", "其他"


class Consent(Choice):
    """On what ground a child's data are kept (个人信息保护法 art. 13, 29, 31; 儿童个人信息网络保护规定 art. 9)."""

    GIVEN = "given", "监护人同意", "同意", "已同意"
    DUTY = "duty", "依法履职，已告知", "履行法定职责", "依法履职"
    REFUSED = "refused", "监护人不同意", "不同意"
    WITHDRAWN = "withdrawn", "已撤回同意", "撤回"


class Child(Named, Kept, SchoolOwned):
    """儿童. ``school_id`` is the unit where the child sits now; it changes only through a transfer.

    Whether the child is left behind is never stored: it is computed as of a date from the parents' dated status.
    """

    __tablename__ = "child"
    RESOURCE = Resource.REGISTER

    name: Mapped[str] = field("姓名", String(30), check=rules.person_name, **SPELT)
    former_name: Mapped[str | None] = field("曾用名", String(30), check=rules.person_name)
    sex: Mapped[Sex] = field("性别", Coded(Sex))
    birth_date: Mapped[dt.date] = field("出生日期", Date, check=rules.not_in_future, index=True)
    ethnic: Mapped[Ethnic] = field("民族", Coded(Ethnic))
    id_kind: Mapped[IdKind] = field("身份证件类型", Coded(IdKind), default=IdKind.RESIDENT)
    id_number: Mapped[str | None] = field(
        "公民身份号码",
        Sealed("child.id_number"),
        check=rules.id_number,
        group=Group.IDENTITY,
        hint="没有证件号可不填，证件类型选“其他（无）”",
    )
    id_number_key: Mapped[str | None] = derived(lambda number: number or None, "id_number", kind=BlindIndex())
    id_number_tail: Mapped[str | None] = derived(last_four, "id_number", kind=BlindTail(), index=True)
    roll_number: Mapped[str | None] = field(
        "学籍号", Sealed("child.roll_number"), check=rules.roll_number, group=Group.IDENTITY, hint="G、J 或 L 加 18 位"
    )
    hukou: Mapped[Hukou | None] = field("户口性质", Coded(Hukou))
    hukou_place: Mapped[str | None] = field("户籍所在地", String(100), group=Group.CONTACT)
    home_address: Mapped[str | None] = field("现居住地", String(100), group=Group.CONTACT, hint="写到村（居）委会、村民小组")
    area: Mapped[Area | None] = field("居住地城乡分类", Coded(Area))
    hukou_registered: Mapped[bool] = field("是否登记户口", Boolean, default=True)
    distance: Mapped[int | None] = field("上学路程（公里）", Integer)
    travel: Mapped[Travel | None] = field("上学方式", Coded(Travel))
    grade: Mapped[Grade] = field("年级", Coded(Grade), sorted_by=lambda _model: _CLASSES)
    class_name: Mapped[str] = field("班级", String(20), sorted_by=lambda _model: _CLASSES)
    class_order: Mapped[str] = derived(class_order, "grade", "class_name")
    class_teacher_id: Mapped[int | None] = field("班主任", ForeignKey("staff.id"), index=True)
    boarding: Mapped[bool] = field("是否寄宿", Boolean, default=False)
    boarding_wanted: Mapped[bool] = field("住校需求", Boolean, default=False, hint="希望住校而未住校也勾")
    health: Mapped[Health | None] = field("健康状况", Coded(Health))
    illness: Mapped[str | None] = field("重特大疾病", String(60), group=Group.FAMILY, hint="患病时填病名")
    disability: Mapped[Disability | None] = field("残疾类别", Coded(Disability), group=Group.FAMILY)
    disability_grade: Mapped[DisabilityGrade | None] = field("残疾等级", Coded(DisabilityGrade), group=Group.FAMILY)
    special_requests: Mapped[str | None] = field("个性化要求", LongText, hint="孩子或家庭提出的要求；确实没有请填“无”")
    request_kinds: Mapped[tuple[str, ...] | None] = field("要求类别", Several(RequestKind))
    interests: Mapped[str | None] = field("性格特征与兴趣爱好", String(200))
    income: Mapped[tuple[str, ...] | None] = field("家庭经济来源", Several(Income), group=Group.FAMILY)
    handy_contact: Mapped[str | None] = field("方便联系人", String(60), group=Group.CONTACT, hint="姓名与关系，如 村小组长 施某")
    handy_phone: Mapped[str | None] = field("方便联系人电话", Sealed("child.handy_phone"), check=rules.phone, group=Group.CONTACT)
    facts_confirmed_at: Mapped[dt.date | None] = field("本学期信息确认日", Date)
    consent: Mapped[Consent | None] = field("个人信息处理依据", Coded(Consent), hint="不满14周岁的须登记")
    informed_on: Mapped[dt.date | None] = field(
        "告知书签收日", Date, check=rules.not_in_future, hint="监护人签收个人信息告知书的日期"
    )
    informed_version: Mapped[str | None] = field("告知书版本", String(20), hint="印在告知书右上角")
    archived_on: Mapped[dt.date | None] = field("归档日", Date)
    erased_on: Mapped[dt.date | None] = field("清除日", Date)
    remark: Mapped[str | None] = field("备注", String(300))
    school: Mapped[School] = link("学校")
    class_teacher: Mapped[Staff | None] = link("班主任", foreign_keys="Child.class_teacher_id")
    parents: Mapped[list[Parent]] = link("父母", back_populates="child", order_by="Parent.side")
    carers: Mapped[list[Carer]] = link("照护人", back_populates="child", order_by="Carer.start")

    __table_args__ = (
        UniqueConstraint("id", "school_id"),
        _live("id_number_key", also=" AND id_number_key IS NOT NULL"),
        _IN_ORDER,
        _BY_NAME,
    )

    def __str__(self) -> str:
        return self.name


_CLASSES = (Child.class_order, Child.school_id, Child.name_order)
BY_CLASS = (Child.school_id, Child.class_order, Child.name_order, Child.id)
"""The office's order of children: school, grade and class, name. ``ix_child_in_order`` follows it."""


class LeaveReason(Choice):
    TRANSFER = "transfer", "转出"
    GRADUATED = "graduated", "毕业离校"
    DROPPED = "dropped", "辍学"
    SUSPENDED = "suspended", "休学"
    DEAD = "dead", "死亡"
    OTHER = "other", "其他"


class Enrolment(ChildNamed, Kept, History, Period):
    """就读: one stay of a child at one unit. Care records hang on it, so the past stays where it happened."""

    __tablename__ = "enrolment"
    RESOURCE = Resource.REGISTER

    child_name: Mapped[str] = field("儿童姓名", String(30), hint="离开时的姓名", **SPELT)
    leave_reason: Mapped[LeaveReason | None] = field("离开原因", Coded(LeaveReason))
    child: Mapped[Child | None] = link(
        "儿童", primaryjoin="Child.id == Enrolment.child_id", foreign_keys="Enrolment.child_id", viewonly=True
    )
    school: Mapped[School] = link(
        "学校", primaryjoin="School.id == Enrolment.school_id", foreign_keys="Enrolment.school_id", viewonly=True
    )

    __table_args__ = (
        UniqueConstraint("id", "child_id", "school_id"),
        Index(
            "uq_enrolment_open",
            "child_id",
            unique=True,
            sqlite_where=text('"end" IS NULL AND deleted_at IS NULL'),
            postgresql_where=text('"end" IS NULL AND deleted_at IS NULL'),
        ),
    )

    def __str__(self) -> str:
        return self.child_name


class Side(Choice):
    FATHER = "father", "父亲", "父"
    MOTHER = "mother", "母亲", "母"


class Bond(Choice):
    OWN = "own", "亲生"
    STEP = "step", "继父母"
    ADOPTIVE = "adoptive", "养父母"


class Contact(Choice):
    """How often a parent is in touch; the law asks for every week at least."""

    DAILY = "1", "每天"
    WEEKLY = "2", "每周"
    MONTHLY = "3", "每月"
    QUARTERLY = "4", "每季度"
    HALF_YEAR = "5", "半年"
    YEARLY = "6", "一年及以上"
    NEVER = "7", "无联系"
    UNKNOWN = "9", "不详"


class Marriage(Choice):
    MARRIED = "married", "在婚"
    DIVORCED = "divorced", "离异"
    WIDOWED = "widowed", "丧偶"
    SINGLE = "single", "未婚"
    REMARRIED = "remarried", "再婚"


class Parent(Named, Kept, ChildFile):
    """父母, one row a side. Where they are is the dated ParentStatus."""

    __tablename__ = "parent"
    RESOURCE = Resource.REGISTER

    side: Mapped[Side] = field("关系", Coded(Side))
    bond: Mapped[Bond] = field("亲缘", Coded(Bond), default=Bond.OWN)
    name: Mapped[str] = field("姓名", String(30), check=rules.person_name, hint="不知道可写“不详”", **SPELT)
    phone: Mapped[str | None] = field("联系电话", Sealed("parent.phone"), check=rules.phone, group=Group.CONTACT)
    phone_key: Mapped[str | None] = derived(lambda phone: phone or None, "phone", kind=BlindIndex(), index=True)
    phone_changed_on: Mapped[dt.date | None] = field("电话更新日", Date)
    other_phone: Mapped[str | None] = field(
        "备用电话",
        Sealed("parent.other_phone"),
        check=rules.phone,
        group=Group.CONTACT,
        hint="换号频繁或打不通时用，不印在联系卡上",
    )
    id_number: Mapped[str | None] = field("公民身份号码", Sealed("parent.id_number"), check=rules.id_number, group=Group.IDENTITY)
    employer: Mapped[str | None] = field("务工单位、详细地址", String(100), group=Group.FAMILY)
    contact: Mapped[Contact | None] = field("联系频率", Coded(Contact), group=Group.FAMILY)
    homecoming: Mapped[Contact | None] = field("回家频率", Coded(Contact), group=Group.FAMILY)
    last_home: Mapped[dt.date | None] = field("最近回家日期", Date, check=rules.not_in_future, group=Group.FAMILY)
    unreachable: Mapped[str | None] = field("无法联系的原因", String(60), group=Group.FAMILY)
    marriage: Mapped[Marriage | None] = field("婚姻状况", Coded(Marriage), group=Group.FAMILY)
    child: Mapped[Child] = link("儿童", back_populates="parents")
    statuses: Mapped[list[ParentStatus]] = link("去向", back_populates="parent", order_by="ParentStatus.start")

    ALSO = (_live("child_id", "side"),)

    def __str__(self) -> str:
        return self.name


class ParentState(Choice):
    AWAY = "away", "外出务工", "外出"
    HOME = "home", "在家"
    DEAD = "dead", "去世", "死亡"
    MISSING = "missing", "失联", "失踪"
    DIVORCED_ABSENT = "divorced_absent", "离异未共同生活", "离异"
    IMPRISONED = "imprisoned", "服刑"
    DETOX = "detox", "强制隔离戒毒", "强戒"
    INCAPABLE = "incapable", "无监护能力", "重病重残"
    UNKNOWN = "unknown", "不详"


class Reach(Choice):
    TOWNSHIP = "1", "乡镇外县内"
    COUNTY = "2", "县外市内"
    CITY = "3", "市外省内"
    PROVINCE = "4", "省外"
    ABROAD = "5", "境外"
    UNKNOWN = "9", "不详"


class ParentStatus(Kept, ChildFile, Period):
    """父母去向: where a parent is, from a day to a day. The definitions of 留守 are computed from these rows alone."""

    __tablename__ = "parent_status"
    RESOURCE = Resource.REGISTER
    NO_OVERLAP = ("parent_id",)

    parent_id: Mapped[int] = field("父或母", ForeignKey("parent.id"), index=True)
    state: Mapped[ParentState] = field("状态", Coded(ParentState), group=Group.FAMILY)
    place: Mapped[str | None] = field("务工地", String(60), group=Group.FAMILY, hint="写到省、市")
    reach: Mapped[Reach | None] = field("务工地范围", Coded(Reach), group=Group.FAMILY)
    evidence: Mapped[str | None] = field("依据", String(100), group=Group.FAMILY)
    parent: Mapped[Parent] = link("父或母", back_populates="statuses")
    child: Mapped[Child] = link("儿童", overlaps="child,parents")

    def __str__(self) -> str:
        return str(self.state)


class Kinship(Choice):
    """GB/T 4761, read as: the carer is the child's ..."""

    FATHER = "51", "父亲", "父", "爸爸"
    MOTHER = "52", "母亲", "母", "妈妈"
    STEPFATHER = "57", "继父或养父", "继父", "养父"
    STEPMOTHER = "58", "继母或养母", "继母", "养母"
    GRANDFATHER = "61", "祖父", "爷爷"
    GRANDMOTHER = "62", "祖母", "奶奶"
    GRANDFATHER_M = "63", "外祖父", "外公", "姥爷"
    GRANDMOTHER_M = "64", "外祖母", "外婆", "姥姥"
    GREAT_GRANDFATHER = "66", "曾祖父"
    GREAT_GRANDMOTHER = "67", "曾祖母"
    ELDER_BROTHER = "71", "兄", "哥哥"
    YOUNGER_BROTHER = "73", "弟", "弟弟"
    ELDER_SISTER = "75", "姐", "姐姐"
    YOUNGER_SISTER = "77", "妹", "妹妹"
    UNCLE_ELDER = "81", "伯父", "大伯", "大爹"
    UNCLE_ELDER_WIFE = "82", "伯母", "大妈"
    UNCLE = "83", "叔父", "叔叔", "二爹", "小爹", "叔伯"
    UNCLE_WIFE = "84", "婶母", "婶婶", "婶娘"
    UNCLE_M = "85", "舅父", "舅舅"
    UNCLE_M_WIFE = "86", "舅母", "舅妈"
    AUNT_M_HUSBAND = "87", "姨夫", "姨父"
    AUNT_M = "88", "姨母", "姨妈", "姨"
    AUNT_HUSBAND = "89", "姑父", "姑爹"
    AUNT = "90", "姑母", "姑妈", "姑姑"
    COUSIN = "91", "堂亲"
    COUSIN_M = "92", "表亲"
    OTHER_KIN = "97", "其他亲属"
    NO_KIN = "99", "非亲属"
    TEACHER = "A1", "教师（代理家长）", "代理家长"
    NEIGHBOUR = "A2", "邻居"
    VILLAGE = "A3", "村（居）委会", "村委会"
    HOME = "A4", "福利或救助机构"
    NOBODY = "00", "无人监护", "无人"


class Occupation(Choice):
    FARMING = "farming", "务农", "农民"
    LABOUR = "labour", "务工"
    TRADE = "trade", "个体"
    TEACHER = "teacher", "教师"
    NONE = "none", "无业", "无"
    RETIRED = "retired", "退休"
    OTHER = "other", "其他"


class Schooling(Choice):
    NONE = "none", "文盲"
    PRIMARY = "primary", "小学"
    JUNIOR = "junior", "初中"
    SENIOR = "senior", "高中"
    COLLEGE = "college", "大专以上"


class CarerHealth(Choice):
    GOOD = "good", "良好", "健康"
    FAIR = "fair", "一般"
    CHRONIC = "chronic", "慢性病"
    SERIOUS = "serious", "重病"
    DISABLED = "disabled", "残疾"


class CareQuality(Choice):
    """监护情况评估, with the official meaning of the 2016 national form."""

    GOOD = "good", "较好"
    FAIR = "fair", "一般"
    POOR = "poor", "差"


class Carer(Named, Kept, ChildFile, Period):
    """照护人: who does the daily care, one row a child. ``person_key`` says that two rows are one person."""

    __tablename__ = "carer"
    RESOURCE = Resource.REGISTER

    name: Mapped[str] = field("姓名", String(30), check=rules.person_name, **SPELT)
    relation: Mapped[Kinship] = field("与儿童关系", Coded(Kinship), hint="照护人是儿童的……")
    sex: Mapped[Sex | None] = field("性别", Coded(Sex))
    birth_date: Mapped[dt.date | None] = field("出生日期", Date, check=rules.not_in_future)
    age: Mapped[int | None] = field("年龄", Integer, check=rules.age, hint="不知道出生日期时填")
    age_on: Mapped[dt.date | None] = field("年龄登记日", Date)
    id_number: Mapped[str | None] = field("公民身份号码", Sealed("carer.id_number"), check=rules.id_number, group=Group.IDENTITY)
    phone: Mapped[str | None] = field("联系电话", Sealed("carer.phone"), check=rules.phone, group=Group.CONTACT)
    phone_key: Mapped[str | None] = derived(lambda phone: phone or None, "phone", kind=BlindIndex(), index=True)
    phone_changed_on: Mapped[dt.date | None] = field("电话更新日", Date)
    other_phone: Mapped[str | None] = field(
        "备用电话", Sealed("carer.other_phone"), check=rules.phone, group=Group.CONTACT, hint="换号频繁或打不通时用，不印在联系卡上"
    )
    address: Mapped[str | None] = field("详细住址", String(100), group=Group.CONTACT)
    occupation: Mapped[Occupation | None] = field("职业", Coded(Occupation))
    schooling: Mapped[Schooling | None] = field("文化程度", Coded(Schooling))
    health: Mapped[CarerHealth | None] = field("健康状况", Coded(CarerHealth), group=Group.FAMILY)
    lives_with: Mapped[bool] = field("是否同住", Boolean, default=True)
    quality: Mapped[CareQuality | None] = field("监护情况评估", Coded(CareQuality), group=Group.FAMILY)
    person_key: Mapped[str | None] = mapped_column(BlindIndex, index=True, active_history=True)
    child: Mapped[Child] = link("儿童", back_populates="carers")

    def __str__(self) -> str:
        return self.name


class Responsibility(Kept, ChildFile, Period):
    """包保责任人: the staff member answerable for a child, exactly one at a time."""

    __tablename__ = "responsibility"
    RESOURCE = Resource.REGISTER
    NO_OVERLAP = ("child_id",)

    staff_id: Mapped[int] = field("责任人", ForeignKey("staff.id"), index=True)
    staff: Mapped[Staff] = link("责任人")
    child: Mapped[Child] = link("儿童")

    def __str__(self) -> str:
        return str(self.staff)


class ContactCard(Kept, ChildFile):
    """一卡: the printed 家校联系卡; out of date as soon as a phone on it changes."""

    __tablename__ = "contact_card"
    RESOURCE = Resource.REGISTER

    number: Mapped[int] = field("第几张", Integer, default=1)
    issued_on: Mapped[dt.date] = field("发卡日期", Date, check=rules.not_in_future)
    issued_by_id: Mapped[int] = field("发卡学校", ForeignKey("school.id"))
    issued_by: Mapped[School] = link("发卡学校", foreign_keys="ContactCard.issued_by_id")
    child: Mapped[Child] = link("儿童")

    def __str__(self) -> str:
        return f"{self.number}"


class SignedBy(Choice):
    """How the parent signed: one who cannot come is no reason to leave a child without an agreement."""

    PERSON = "person", "本人签字"
    PHONE = "phone", "电话委托、村委见证"
    PROXY = "proxy", "代签"
    UNREACHABLE = "unreachable", "无法联系"


class AgreementKind(Choice):
    DUTY = "duty", "委托监护责任确认书"
    CARE = "care", "委托照护协议"


class AgreementEnd(Choice):
    DISSOLVED = "dissolved", "解除"
    VOID = "void", "失效"


class Agreement(Kept, ChildFile, Period):
    """委托照护: the paper by which parents who leave entrust a capable adult; the register records it."""

    __tablename__ = "agreement"
    RESOURCE = Resource.REGISTER

    kind: Mapped[AgreementKind] = field("类别", Coded(AgreementKind), default=AgreementKind.CARE)
    number: Mapped[str | None] = field("编号", String(40))
    carer_id: Mapped[int] = field("受委托人", ForeignKey("carer.id"), index=True)
    principals: Mapped[str] = field("委托人", String(60), hint="父、母姓名")
    signed_on: Mapped[dt.date] = field("签订日期", Date, check=rules.not_in_future)
    signed_by: Mapped[SignedBy] = field("签字方式", Coded(SignedBy), default=SignedBy.PERSON, group=Group.FAMILY)
    heard: Mapped[bool] = field("已听取儿童意见", Boolean, default=False)
    fitness_checked_on: Mapped[dt.date | None] = field("不适宜情形核查日", Date, check=rules.not_in_future, group=Group.FAMILY)
    told_school_on: Mapped[dt.date | None] = field("告知学校日期", Date, check=rules.not_in_future)
    told_village_on: Mapped[dt.date | None] = field("告知村（居）委会日期", Date, check=rules.not_in_future)
    ended_how: Mapped[AgreementEnd | None] = field("提前终止", Coded(AgreementEnd), hint="解除，或照护人去世等失效；并填终止日")
    carer: Mapped[Carer] = link("受委托人")
    child: Mapped[Child] = link("儿童", overlaps="carer")

    def __str__(self) -> str:
        return f"{self.kind}{self.number or ''}"


class CategoryKind(Choice):
    """困境类别（国发〔2016〕36号）and kinds of household. ``group``: who may read that a child is one of these."""

    K01 = "K01", "孤儿"
    K02 = "K02", "事实无人抚养儿童"
    K03 = "K03", "特困儿童"
    K04 = "K04", "重病儿童"
    K05 = "K05", "重残儿童"
    K06 = "K06", "贫困家庭儿童"
    K07 = "K07", "监护缺失或不当"
    K08 = "K08", "服刑或强戒人员子女"
    K09 = "K09", "受艾滋病影响儿童"
    K10 = "K10", "流浪儿童"
    K11 = "K11", "打拐解救儿童"
    K12 = "K12", "临时困境"
    K13 = "K13", "随迁或流动儿童"
    K14 = "K14", "单亲家庭儿童"
    H01 = "H01", "低保户", "低保"
    H02 = "H02", "特困供养户", "特困"
    H03 = "H03", "建档立卡户（脱贫户）", "建档立卡", "脱贫户"
    H04 = "H04", "监测户"
    H05 = "H05", "残疾人家庭"
    H06 = "H06", "军烈属"

    @property
    def group(self) -> Group:
        return Group.INCIDENT if self.value in ("K07", "K08", "K09", "K11") else Group.FAMILY


class Category(Kept, ChildFile, Period):
    """困境与家庭类别, with validity and evidence. Not a yes or no: a child may be several, each for a time."""

    __tablename__ = "child_category"
    RESOURCE = Resource.REGISTER
    NO_OVERLAP = ("child_id", "kind")

    kind: Mapped[CategoryKind] = field("类别", Coded(CategoryKind), group=Group.FAMILY)
    evidence: Mapped[str | None] = field("依据", String(100), group=Group.FAMILY)
    confirmed_by: Mapped[str | None] = field("认定人", String(30))
    child: Mapped[Child] = link("儿童")

    def __str__(self) -> str:
        return str(self.kind)


class TransferState(Choice):
    REQUESTED = "requested", "申请转入"
    PENDING = "pending", "待接收"
    ACCEPTED = "accepted", "已接收"
    RETURNED = "returned", "退回"


class TransferKind(Choice):
    MOVE = "move", "转学"
    PROMOTION = "promotion", "升学"
    OUT = "out", "转出县外"
    BACK = "back", "回流"


class Transfer(ChildNamed, Kept, Between):
    """转学: the old school proposes, the new one accepts; until then the old school stays responsible."""

    __tablename__ = "transfer"
    RESOURCE = Resource.REGISTER

    child_id: Mapped[int] = field("儿童", ForeignKey("child.id"), index=True)
    child_name: Mapped[str] = field("儿童姓名", String(30), **SPELT)
    kind: Mapped[TransferKind] = field("类型", Coded(TransferKind), default=TransferKind.MOVE)
    proposed_on: Mapped[dt.date] = field("发起日", Date)
    to_place: Mapped[str | None] = field("去向", String(80), hint="转出县外时填：省、市、学校")
    grade: Mapped[Grade | None] = field("转入年级", Coded(Grade))
    answered_on: Mapped[dt.date | None] = field("答复日", Date)
    answer: Mapped[str | None] = field("退回原因", String(200))
    printed_on: Mapped[dt.date | None] = field("移交单打印日", Date)
    state: Mapped[TransferState] = field("状态", Coded(TransferState), default=TransferState.PENDING)
    school: Mapped[School] = link("转出学校", foreign_keys="Transfer.school_id")
    to_school: Mapped[School] = link("接收学校", foreign_keys="Transfer.to_school_id")
    child: Mapped[Child] = link("儿童")

    __table_args__ = (
        Index(
            "uq_transfer_pending",
            "child_id",
            unique=True,
            sqlite_where=text("state = 'pending' AND deleted_at IS NULL"),
            postgresql_where=text("state = 'pending' AND deleted_at IS NULL"),
        ),
    )

    def __str__(self) -> str:
        return self.child_name


# --- care: what is done with a child ---


class StateSide(Choice):
    THOUGHT = "thought", "思想"
    MIND = "mind", "心理"
    STUDY = "study", "学习"
    LIFE = "life", "生活"


class Rating(Choice):
    GOOD = "good", "较好"
    FAIR = "fair", "一般"
    CARE = "care", "需关注"


class StateNote(Kept, CareEvent):
    """四项状况: one side of a child, observed on a day of a term. What is said of its mind is a column of its own: G5."""

    __tablename__ = "state_note"
    RESOURCE = Resource.CARE

    term_id: Mapped[int] = field("学期", ForeignKey("term.id"), index=True)
    side: Mapped[StateSide] = field("方面", Coded(StateSide))
    on: Mapped[dt.date] = field("日期", Date, check=rules.not_in_future)
    staff_name: Mapped[str | None] = field("填写人", String(30))
    rating: Mapped[Rating | None] = field("评级", Coded(Rating), group=Group.MIND, hint="只有本校可读")
    text: Mapped[str | None] = field("思想、学习、生活状况", LongText, group=Group.FAMILY)
    mind: Mapped[str | None] = field("心理状况", LongText, group=Group.MIND, hint="只有本校可读；其余三方面写在上一栏")
    term: Mapped[Term] = link("学期")
    enrolment: Mapped[Enrolment] = link("儿童")

    @property
    def said(self) -> str:
        """The column that holds what is said of this side."""
        return "mind" if self.side is StateSide.MIND else "text"

    def __str__(self) -> str:
        return str(self.side)


class CareKind(Choice):
    TALK = "talk", "谈心"
    VISIT = "visit", "家访"
    CONTACT = "contact", "亲情联系", "家校联系", "联系"
    HOLIDAY = "holiday", "假期联系"


class CareWay(Choice):
    FACE = "face", "面谈"
    HOME = "home", "入户"
    PHONE = "phone", "电话"
    VIDEO = "video", "视频"
    LETTER = "letter", "书信"
    VILLAGE = "village", "村委会约见"


class TalkerRole(Choice):
    """Who spoke, as of that day: only a class teacher's or responsible person's talk counts for A4.1."""

    RESPONSIBLE = "responsible", "包保责任人"
    CLASS_TEACHER = "class_teacher", "班主任"
    OTHER = "other", "其他教师"


class Attention(Choice):
    NORMAL = "normal", "一般"
    WATCH = "watch", "关注"
    FOCUS = "focus", "重点"


class Effect(Choice):
    BETTER = "better", "好转"
    CHANGED = "changed", "有变化"
    SAME = "same", "无变化"


class CareRecord(Kept, CareEvent):
    """谈心、家访、亲情联系: one talk, visit or contact with one child."""

    __tablename__ = "care_record"
    RESOURCE = Resource.CARE
    ALSO = (Index(None, "kind", "on"),)

    kind: Mapped[CareKind] = field("类别", Coded(CareKind))
    on: Mapped[dt.date] = field("日期", Date, check=rules.not_in_future, index=True)
    way: Mapped[CareWay] = field("方式", Coded(CareWay))
    place: Mapped[str | None] = field("地点", String(60))
    staff_id: Mapped[int | None] = field("教师", ForeignKey("staff.id"), index=True)
    role: Mapped[TalkerRole] = field("教师身份", Coded(TalkerRole), default=TalkerRole.RESPONSIBLE)
    partner: Mapped[str | None] = field("联系对象", String(40), hint="家访、联系时填：如 祖母、父亲")
    minutes: Mapped[int | None] = field("时长（分钟）", Integer)
    needs: Mapped[tuple[str, ...] | None] = field("存在的问题（五缺）", Several(Need), group=Group.MIND)
    home: Mapped[str | None] = field("家庭、居住与学习环境", LongText, group=Group.MIND)
    behaviour: Mapped[str | None] = field("在家表现", LongText, group=Group.MIND)
    wishes: Mapped[str | None] = field("教育需求与意见建议", LongText, group=Group.MIND)
    content: Mapped[str | None] = field("内容", LongText, group=Group.MIND, hint="不超过 1000 字")
    measures: Mapped[str | None] = field("措施", LongText, group=Group.MIND)
    effect: Mapped[Effect | None] = field("效果", Coded(Effect))
    attention: Mapped[Attention] = field("关注等级", Coded(Attention), default=Attention.NORMAL, group=Group.MIND)
    follow_up_on: Mapped[dt.date | None] = field("跟进日期", Date)
    staff: Mapped[Staff | None] = link("教师")
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return str(self.kind)


class Flag(Kept, CareEvent):
    """重点关注: raised by a talk, a visit or counselling; a follow-up is due within 14 days."""

    __tablename__ = "flag"
    RESOURCE = Resource.CARE

    on: Mapped[dt.date] = field("提出日期", Date, check=rules.not_in_future, index=True)
    level: Mapped[Attention] = field("关注等级", Coded(Attention), default=Attention.WATCH, group=Group.MIND)
    source: Mapped[str] = field("来源", String(30), hint="如 谈心、家访、心理辅导")
    reason: Mapped[str | None] = field("原因", LongText, group=Group.MIND)
    followed_on: Mapped[dt.date | None] = field("首次跟进日期", Date, check=rules.not_in_future)
    follow_up: Mapped[str | None] = field("跟进情况", LongText, group=Group.MIND)
    closed_on: Mapped[dt.date | None] = field("解除日期", Date, check=rules.not_in_future)
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return str(self.level)


class Counselling(Kept, SchoolOwned):
    """心理咨询与辅导. Stays with the school that wrote it: it does not follow the child. Its text is the counsellor's."""

    __tablename__ = "counselling"
    RESOURCE = Resource.COUNSELLING
    __table_args__ = (
        ForeignKeyConstraint(
            ["enrolment_id", "child_id", "school_id"], ["enrolment.id", "enrolment.child_id", "enrolment.school_id"]
        ),
    )

    enrolment_id: Mapped[int] = field("就读", Integer, index=True)
    child_id: Mapped[int] = field("儿童", Integer, index=True)
    on: Mapped[dt.date] = field("日期", Date, check=rules.not_in_future, index=True)
    counsellor: Mapped[str] = field("辅导教师", String(30), check=rules.person_name)
    way: Mapped[CareWay] = field("方式", Coded(CareWay), default=CareWay.FACE)
    minutes: Mapped[int | None] = field("时长（分钟）", Integer)
    level: Mapped[Attention] = field("关注等级", Coded(Attention), default=Attention.NORMAL)
    body: Mapped[str | None] = field("辅导记录", LongText, group=Group.COUNSELLING)
    plan: Mapped[str | None] = field("后续安排", LongText, group=Group.COUNSELLING)
    enrolment: Mapped[Enrolment] = link("儿童", overlaps="school")
    school: Mapped[School] = link("学校", overlaps="enrolment")

    def __str__(self) -> str:
        return f"{self.on}"


class Outcome(Choice):
    BETTER = "better", "改善"
    SAME = "same", "持平"
    WORSE = "worse", "变差"


class HelpPlan(Kept, CareEvent):
    """帮扶计划: one of the five needs of a child in a term, what is done about it, and what came of it."""

    __tablename__ = "help_plan"
    RESOURCE = Resource.CARE
    ALSO = (_live("enrolment_id", "term_id", "need"),)

    term_id: Mapped[int] = field("学期", ForeignKey("term.id"), index=True)
    need: Mapped[Need] = field("问题（五缺）", Coded(Need), group=Group.FAMILY)
    plan: Mapped[str] = field("帮扶措施", LongText, group=Group.FAMILY)
    outcome: Mapped[Outcome | None] = field("期末成效", Coded(Outcome))
    reviewed_on: Mapped[dt.date | None] = field("评估日期", Date, check=rules.not_in_future)
    term: Mapped[Term] = link("学期")
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return str(self.need)


class LetterWay(Choice):
    LETTER = "letter", "书信"
    DRAWING = "drawing", "图画"
    VOICE = "voice", "语音"


class Letter(Kept, CareEvent):
    """感恩书信: the fact that it was written, never its text or a scan (未成年人保护法: letters are private)."""

    __tablename__ = "letter"
    RESOURCE = Resource.CARE

    term_id: Mapped[int] = field("学期", ForeignKey("term.id"), index=True)
    on: Mapped[dt.date] = field("书写日期", Date, check=rules.not_in_future)
    way: Mapped[LetterWay] = field("形式", Coded(LetterWay), default=LetterWay.LETTER)
    replied_on: Mapped[dt.date | None] = field("回信日期", Date, check=rules.not_in_future)
    term: Mapped[Term] = link("学期")
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return str(self.way)


class Pairing(Kept, CareEvent, Period):
    """“手拉手”结对: a child and a partner pupil, from a day to a day."""

    __tablename__ = "pairing"
    RESOURCE = Resource.CARE

    partner: Mapped[str] = field("结对学生", String(30), check=rules.person_name)
    partner_class: Mapped[str | None] = field("结对学生班级", String(30))
    goals: Mapped[str | None] = field("互助内容", String(200))
    results: Mapped[str | None] = field("阶段成果", String(300))
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return self.partner


class Rater(Choice):
    SELF = "self", "自评"
    PEER = "peer", "同伴"
    TEACHER = "teacher", "教师"
    PARENT = "parent", "家长"


class Mark(Choice):
    EXCELLENT = "A", "优"
    GOOD = "B", "良"
    FAIR = "C", "合格"
    WEAK = "D", "待提高"


class Evaluation(Kept, CareEvent):
    """多元评价: what one rater says of a child in a term, on up to five sides."""

    __tablename__ = "evaluation"
    RESOURCE = Resource.CARE
    ALSO = (_live("enrolment_id", "term_id", "rater"),)

    term_id: Mapped[int] = field("学期", ForeignKey("term.id"), index=True)
    on: Mapped[dt.date] = field("评价日期", Date, check=rules.not_in_future)
    rater: Mapped[Rater] = field("评价人", Coded(Rater), default=Rater.TEACHER)
    conduct: Mapped[Mark | None] = field("品德", Coded(Mark))
    study: Mapped[Mark | None] = field("学业", Coded(Mark))
    health: Mapped[Mark | None] = field("身心", Coded(Mark))
    arts: Mapped[Mark | None] = field("艺术", Coded(Mark))
    practice: Mapped[Mark | None] = field("劳动与社会实践", Coded(Mark))
    comment: Mapped[str | None] = field("评语", String(300), group=Group.MIND)
    term: Mapped[Term] = link("学期")
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return str(self.rater)


class Whereabouts(Choice):
    VILLAGE = "village", "留在本村"
    PARENTS = "parents", "到父母务工地"
    KIN = "kin", "到亲属家"
    SCHOOL = "school", "留校"
    OTHER = "other", "其他"


class HandoverState(Choice):
    """Follows from the dates; kept so that a list can be filtered by it (upkeep fills it in)."""

    OPEN = "open", "未交接"
    FAMILY = "family", "已联系家庭"
    VILLAGE = "village", "已联系村组"
    DONE = "done", "交接完成"
    BACK = "back", "返校销号"


class Handover(Kept, CareEvent):
    """假期交接: one child, one holiday: from the school to the family or carer and to the village, and back."""

    __tablename__ = "holiday_handover"
    RESOURCE = Resource.CARE
    ALSO = (_live("holiday_id", "enrolment_id"),)

    holiday_id: Mapped[int] = field("假期", ForeignKey("holiday.id"), index=True)
    state: Mapped[HandoverState] = field("状态", Coded(HandoverState), default=HandoverState.OPEN)
    whereabouts: Mapped[Whereabouts | None] = field("假期去向", Coded(Whereabouts))
    place: Mapped[str | None] = field("去向地点", String(80), group=Group.CONTACT)
    carer_name: Mapped[str | None] = field("假期照护人", String(30), check=rules.person_name)
    carer_relation: Mapped[Kinship | None] = field("与儿童关系", Coded(Kinship))
    carer_phone: Mapped[str | None] = field(
        "照护人电话", Sealed("holiday_handover.carer_phone"), check=rules.phone, group=Group.CONTACT
    )
    family_on: Mapped[dt.date | None] = field("联系家庭日期", Date, check=rules.not_in_future)
    family_way: Mapped[CareWay | None] = field("联系方式", Coded(CareWay))
    carer_on: Mapped[dt.date | None] = field("联系照护人日期", Date, check=rules.not_in_future)
    village_on: Mapped[dt.date | None] = field("联系村组日期", Date, check=rules.not_in_future)
    village_person: Mapped[str | None] = field("村组接收人", String(30))
    village_phone: Mapped[str | None] = field(
        "村组电话", Sealed("holiday_handover.village_phone"), check=rules.phone, group=Group.CONTACT
    )
    notice_on: Mapped[dt.date | None] = field("安全告知书签收日", Date, check=rules.not_in_future)
    done_on: Mapped[dt.date | None] = field("交接完成日", Date, check=rules.not_in_future)
    handed_by: Mapped[str | None] = field("交出人", String(30))
    received_by: Mapped[str | None] = field("接收人", String(30))
    back_on: Mapped[dt.date | None] = field("返校日期", Date, check=rules.not_in_future)
    back_state: Mapped[Outcome | None] = field("返校身心状况", Coded(Outcome))
    back_note: Mapped[str | None] = field("返校变化", String(200), group=Group.FAMILY)
    holiday: Mapped[Holiday] = link("假期")
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return str(self.state)


class DropoutReason(Choice):
    WORK = "work", "外出务工"
    WEARY = "weary", "厌学"
    POVERTY = "poverty", "家庭困难"
    MARRIAGE = "marriage", "早婚"
    ILLNESS = "illness", "疾病残疾"
    OTHER = "other", "其他"


class DropoutCase(Kept, CareEvent):
    """控辍保学: a pupil of grades 1 to 9 who stays away, from being found to being back."""

    __tablename__ = "dropout_case"
    RESOURCE = Resource.CARE

    found_on: Mapped[dt.date] = field("发现日期", Date, check=rules.not_in_future, index=True)
    grade: Mapped[Grade] = field("年级", Coded(Grade))
    reason: Mapped[DropoutReason] = field("原因", Coded(DropoutReason), group=Group.FAMILY)
    persuaders: Mapped[str | None] = field("劝返人", String(80))
    returned_on: Mapped[dt.date | None] = field("返校日期", Date, check=rules.not_in_future)
    outcome: Mapped[str | None] = field("结果", String(200), group=Group.FAMILY)
    enrolment: Mapped[Enrolment] = link("儿童")
    steps: Mapped[list[DropoutStep]] = link("劝返步骤", back_populates="case", order_by="DropoutStep.on")

    def __str__(self) -> str:
        return f"{self.found_on}"


class StepKind(Choice):
    """云南省控辍保学四步法."""

    EDUCATE = "1", "宣传教育"
    ORDER = "2", "责令限期改正"
    PENALTY = "3", "行政处罚"
    ENFORCE = "4", "申请强制执行或提起诉讼"


class DropoutStep(Kept, CareEvent):
    """劝返步骤: one of the four steps, with its paper."""

    __tablename__ = "dropout_step"
    RESOURCE = Resource.CARE

    case_id: Mapped[int] = field("控辍保学", ForeignKey("dropout_case.id"), index=True)
    step: Mapped[StepKind] = field("步骤", Coded(StepKind))
    on: Mapped[dt.date] = field("日期", Date, check=rules.not_in_future)
    document: Mapped[str | None] = field("文书编号", String(40))
    actor: Mapped[str | None] = field("实施人", String(60))
    case: Mapped[DropoutCase] = link("控辍保学", back_populates="steps")
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return str(self.step)


class Subsidy(Kept, CareEvent, Period):
    """资助: one aid given to a child, for a time."""

    __tablename__ = "subsidy"
    RESOURCE = Resource.CARE

    kind_id: Mapped[int] = field("资助类别", ForeignKey("code.id"), index=True)
    amount: Mapped[Decimal | None] = field("金额（元）", Exact, group=Group.FAMILY)
    paid_on: Mapped[dt.date | None] = field("发放日期", Date, check=rules.not_in_future)
    paid_by: Mapped[str | None] = field("发放方式", String(30), hint="如 银行卡、饭卡、实物；不填卡号")
    kind: Mapped[Code] = link("资助类别")
    enrolment: Mapped[Enrolment] = link("儿童")

    def __str__(self) -> str:
        return str(self.kind)


class Situation(Choice):
    """应当强制报告的情形, after the opinion of nine organs of 2020."""

    PRIVATE = "1", "隐私部位非正常损伤"
    UNDER_14 = "2", "未满14周岁女性遭受性侵害、怀孕或流产"
    OVER_14 = "3", "已满14周岁因性侵害怀孕或流产"
    INJURIES = "4", "多处损伤、严重营养不良、意识不清，疑受暴力、欺凌、虐待"
    SELF_HARM = "5", "自杀、自残、中毒等非正常伤亡"
    UNATTENDED = "6", "被遗弃或长期无人照料"
    MISSING = "7", "来源不明、失踪或被拐卖"
    BEGGING = "8", "被组织乞讨"
    LEAD = "9", "热线或他人反映的线索"
    OTHER = "10", "其他严重侵害或面临危险"


class MandatoryReport(Kept, SchoolOwned):
    """强制报告: call 110 first, then this minimal record. Never exported, never searched."""

    __tablename__ = "mandatory_report"
    RESOURCE = Resource.INCIDENTS

    child_id: Mapped[int | None] = field("儿童", ForeignKey("child.id"), index=True)
    found_at: Mapped[dt.datetime] = field("发现时间", Moment)
    finder: Mapped[str] = field("发现人", String(30), check=rules.person_name)
    situation: Mapped[Situation] = field("情形", Coded(Situation), group=Group.INCIDENT)
    reported_at: Mapped[dt.datetime | None] = field("向公安机关报告时间", Moment)
    station: Mapped[str | None] = field("受理单位", String(60))
    receipt: Mapped[str | None] = field("受理编号", String(40), hint="接警回执号")
    bureau_at: Mapped[dt.datetime | None] = field("向教育局报告时间", Moment)
    details: Mapped[str | None] = field("补充说明", LongText, group=Group.INCIDENT, hint="只写必要事实；不导出、不可搜索")
    school: Mapped[School] = link("学校")
    child: Mapped[Child | None] = link("儿童")

    def __str__(self) -> str:
        return "强制报告"


# --- school work ---


class Carrier(Choice):
    CLASS = "class", "班队会"
    PIONEERS = "pioneers", "少先队"
    LEAGUE = "league", "共青团"
    SCHOOL = "school", "学校"
    OUTSIDE = "outside", "外单位"


class Sphere(Choice):
    """三位一体: whose action it is."""

    SCHOOL = "school", "学校"
    FAMILY = "family", "家庭"
    SOCIETY = "society", "社会"


class Level(Choice):
    SCHOOL = "1", "校级"
    COUNTY = "2", "县级"
    CITY = "3", "市级"
    PROVINCE = "4", "省级"
    NATION = "5", "国家级"


class FacilityKind(Choice):
    HOME = "home", "留守儿童之家"
    PALACE = "palace", "乡村学校少年宫"
    COUNSEL = "counsel", "心理咨询室"
    CALLS = "calls", "亲情电话（视频）室"
    DORM = "dorm", "宿舍"
    CANTEEN = "canteen", "食堂"
    SPORT = "sport", "运动场"
    LIBRARY = "library", "图书室"


class Facility(Kept, SchoolOwned):
    """阵地与设施: a room or ground for the children; its openings are activities."""

    __tablename__ = "facility"
    RESOURCE = Resource.WORK

    kind: Mapped[FacilityKind] = field("类别", Coded(FacilityKind))
    name: Mapped[str] = field("名称", String(60))
    place: Mapped[str | None] = field("位置", String(60))
    keeper: Mapped[str | None] = field("管理人", String(30))
    since: Mapped[dt.date | None] = field("启用日期", Date, check=rules.not_in_future)
    hours: Mapped[str | None] = field("开放时间", String(60), hint="如 周一至周五 16:30—18:00，假期每周三")
    beds: Mapped[int | None] = field("床位数", Integer, hint="宿舍填")
    equipment: Mapped[str | None] = field("设备与条件", LongText)
    closed_on: Mapped[dt.date | None] = field("停用日期", Date)
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return self.name


class Activity(Kept, SchoolOwned):
    """活动: lesson, drill, meeting, linkage event, publicity, opening of a room, check. What a school does on a day."""

    __tablename__ = "activity"
    RESOURCE = Resource.WORK
    __table_args__ = (Index(None, "kind_id", "on"),)

    title: Mapped[str] = field("主题", String(100))
    kind_id: Mapped[int] = field("类别", ForeignKey("code.id"), index=True)
    carrier: Mapped[Carrier | None] = field("载体", Coded(Carrier))
    on: Mapped[dt.date] = field("日期", Date, check=rules.not_in_future, index=True)
    until: Mapped[dt.date | None] = field("结束日期", Date)
    place: Mapped[str | None] = field("地点", String(60))
    leader: Mapped[str | None] = field("负责人", String(30))
    pupils: Mapped[int | None] = field("参加学生数", Integer)
    parents: Mapped[int | None] = field("参加家长数", Integer, hint="父母")
    guardians: Mapped[int | None] = field("参加监护人数", Integer, hint="祖辈、亲属等照护人，不含父母")
    lesson: Mapped[int | None] = field("课次", Integer, hint="本学期第几课")
    facility_id: Mapped[int | None] = field("场所", ForeignKey("facility.id"), index=True)
    slot_id: Mapped[int | None] = field("晚间时段", ForeignKey("evening_slot.id"), index=True)
    opened: Mapped[str | None] = field("起止时间", String(20), hint="如 14:00—17:00")
    spheres: Mapped[tuple[str, ...] | None] = field("体系", Several(Sphere))
    agencies: Mapped[tuple[str, ...] | None] = field("联合部门", Several())
    partners: Mapped[str | None] = field("其他联合单位", String(100))
    expert: Mapped[str | None] = field("邀请专家（姓名、单位）", String(60))
    seconds: Mapped[int | None] = field("疏散用时（秒）", Integer)
    problems: Mapped[str | None] = field("发现的问题与整改", LongText)
    media: Mapped[str | None] = field("媒体或平台", String(60))
    level: Mapped[Level | None] = field("级别", Coded(Level))
    web: Mapped[str | None] = field("报道链接", String(200), check=rules.web_address)
    money: Mapped[Decimal | None] = field("款物（元）", Exact)
    summary: Mapped[str | None] = field("过程与效果", LongText, hint="不超过 800 字")
    school: Mapped[School] = link("学校")
    kind: Mapped[Code] = link("类别")
    facility: Mapped[Facility | None] = link("场所")
    slot: Mapped[EveningSlot | None] = link("晚间时段")
    participants: Mapped[list[Participation]] = link("参加儿童", back_populates="activity")

    def __str__(self) -> str:
        return self.title


class Participation(Kept, CareEvent):
    """A child took part in an activity."""

    __tablename__ = "participation"
    RESOURCE = Resource.WORK
    ALSO = (_live("activity_id", "enrolment_id"),)

    activity_id: Mapped[int] = field("活动", ForeignKey("activity.id"))
    child_name: Mapped[str] = field("儿童姓名", String(30))
    activity: Mapped[Activity] = link("活动", back_populates="participants")
    enrolment: Mapped[Enrolment] = link("就读")

    def __str__(self) -> str:
        return self.child_name


class TrainingSession(Kept, SchoolOwned):
    """培训: a session for guardians (or staff), with its sign-in list."""

    __tablename__ = "training_session"
    RESOURCE = Resource.WORK

    title: Mapped[str] = field("培训名称", String(100))
    kind_id: Mapped[int] = field("类别", ForeignKey("code.id"), index=True)
    on: Mapped[dt.date] = field("日期", Date, check=rules.not_in_future, index=True)
    hours: Mapped[int | None] = field("课时", Integer)
    place: Mapped[str | None] = field("地点", String(60))
    speaker: Mapped[str | None] = field("主讲人", String(30))
    speaker_unit: Mapped[str | None] = field("主讲人单位、职称", String(60))
    topic: Mapped[str | None] = field("主题", String(200))
    expected: Mapped[int | None] = field("应到人数", Integer)
    school: Mapped[School] = link("学校")
    kind: Mapped[Code] = link("类别")
    attendance: Mapped[list[Attendance]] = link("签到", back_populates="session")

    def __str__(self) -> str:
        return self.title


class SignedHow(Choice):
    PRESENT = "present", "到会签到"
    DELEGATE = "delegate", "代签"
    AT_HOME = "at_home", "送教上门"
    ABSENT = "absent", "缺席"


class Attendance(Kept, CareEvent):
    """签到: one carer's line on a sign-in list. Name and relation are kept as text: the file may move on."""

    __tablename__ = "attendance"
    RESOURCE = Resource.WORK
    ALSO = (_live("session_id", "enrolment_id", "person_key"),)

    session_id: Mapped[int] = field("培训", ForeignKey("training_session.id"))
    child_name: Mapped[str] = field("学生", String(30))
    carer_name: Mapped[str] = field("监护人姓名", String(30))
    relation: Mapped[Kinship] = field("与学生关系", Coded(Kinship))
    how: Mapped[SignedHow] = field("签到", Coded(SignedHow), default=SignedHow.PRESENT)
    person_key: Mapped[str | None] = mapped_column(BlindIndex, index=True, active_history=True)
    session: Mapped[TrainingSession] = link("培训", back_populates="attendance")
    enrolment: Mapped[Enrolment] = link("就读")

    def __str__(self) -> str:
        return self.carer_name


class Body(Choice):
    """What a post belongs to."""

    LEADING = "leading", "领导小组"
    WORKING = "working", "工作小组"
    KEEPER = "keeper", "档案管理员"
    COUNSELLOR = "counsellor", "心理教师"
    LIFE = "life", "生活辅导员"
    LEGAL = "legal", "法治副校长"
    VILLAGE = "village", "村（居）儿童主任"


class Rank(Choice):
    HEAD = "head", "组长"
    DEPUTY = "deputy", "副组长"
    OFFICE = "office", "办公室主任"
    MEMBER = "member", "成员"


class PostSource(Choice):
    FULL = "full", "专职"
    SIDE = "side", "兼任"
    REASSIGNED = "reassigned", "富余教师转岗"
    HIRED = "hired", "政府购买服务"


class Post(Kept, SchoolOwned, Period):
    """任职: who holds which duty from when to when: members of the two groups, dossier keeper, counsellor, life counsellor."""

    __tablename__ = "post"
    RESOURCE = Resource.WORK

    body: Mapped[Body] = field("岗位", Coded(Body))
    rank: Mapped[Rank | None] = field("组内职务", Coded(Rank))
    name: Mapped[str] = field("姓名", String(30), check=rules.person_name)
    title: Mapped[str | None] = field("行政职务", String(40))
    duties: Mapped[str | None] = field("职责分工", LongText)
    phone: Mapped[str | None] = field("联系电话", Sealed("post.phone"), check=rules.phone, group=Group.CONTACT)
    source: Mapped[PostSource | None] = field("来源", Coded(PostSource))
    certificate: Mapped[str | None] = field("资格证书", String(60))
    checked_on: Mapped[dt.date | None] = field("从业背景查询日", Date, check=rules.not_in_future)
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return self.name


class PaperKind(Choice):
    PROGRAMME = "programme", "年度实施方案"
    PLAN = "plan", "学期工作计划"
    TERM_SUMMARY = "term_summary", "学期工作总结"
    YEAR_SUMMARY = "year_summary", "年度工作总结"
    RULE = "rule", "制度"
    FOUNDING = "founding", "成立文件与职责分工"
    EVIDENCE = "evidence", "佐证材料"
    OTHER = "other", "其他"


class PaperState(Choice):
    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "已提交"
    RETURNED = "returned", "退回修改"
    FILED = "filed", "已备案"


class RuleKind(Choice):
    """The six written rules the rubric asks for."""

    TALK = "talk", "谈心制度"
    VISIT = "visit", "家访制度"
    HANDOVER = "handover", "假期交接制度"
    SECRECY = "secrecy", "档案保密制度"
    DUTY = "duty", "值班制度"
    REPORT = "report", "强制报告制度"
    OTHER = "other", "其他制度"


class Support(Choice):
    """三个体系 of 三(五): the evidence folders."""

    ORGANISATION = "organisation", "组织保障体系"
    EDUCATION = "education", "教育保障体系"
    GUARDIANSHIP = "guardianship", "监护保障体系"


class Paper(Kept, SchoolOwned):
    """文件材料: programme, plan, summary, rule, evidence. A plan is handed in, then filed or returned by the office."""

    __tablename__ = "paper"
    RESOURCE = Resource.WORK

    kind: Mapped[PaperKind] = field("类别", Coded(PaperKind))
    title: Mapped[str] = field("标题", String(100))
    number: Mapped[str | None] = field("文号", String(40))
    term_id: Mapped[int | None] = field("学期", ForeignKey("term.id"), hint="学期计划、总结须填")
    rule: Mapped[RuleKind | None] = field("制度类别", Coded(RuleKind))
    support: Mapped[Support | None] = field("所属体系", Coded(Support))
    on: Mapped[dt.date] = field("制定日期", Date, check=rules.not_in_future)
    revised_on: Mapped[dt.date | None] = field("修订或确认日期", Date, check=rules.not_in_future)
    summary: Mapped[str | None] = field("内容摘要", LongText)
    state: Mapped[PaperState] = field("状态", Coded(PaperState), default=PaperState.DRAFT)
    submitted_on: Mapped[dt.date | None] = field("提交日期", Date)
    answered_on: Mapped[dt.date | None] = field("答复日期", Date)
    answer: Mapped[str | None] = field("退回意见", String(200))
    school: Mapped[School] = link("学校")
    term: Mapped[Term | None] = link("学期")

    def __str__(self) -> str:
        return self.title


class Weekday(Choice):
    MON = "1", "星期一"
    TUE = "2", "星期二"
    WED = "3", "星期三"
    THU = "4", "星期四"
    FRI = "5", "星期五"
    SAT = "6", "星期六"
    SUN = "7", "星期日"


class EveningKind(Choice):
    """晚上的学习和娱乐: the plan asks for both."""

    STUDY = "study", "学习"
    LEISURE = "leisure", "文娱"


class EveningSlot(Kept, SchoolOwned):
    """晚间安排 of a boarding school: what the children do on which evening, and who is on duty."""

    __tablename__ = "evening_slot"
    RESOURCE = Resource.WORK

    term_id: Mapped[int] = field("学期", ForeignKey("term.id"), index=True)
    weekday: Mapped[Weekday] = field("星期", Coded(Weekday))
    hours: Mapped[str] = field("时段", String(20), hint="如 19:00—20:00")
    kind: Mapped[EveningKind] = field("类别", Coded(EveningKind), default=EveningKind.STUDY)
    content: Mapped[str] = field("内容", String(100))
    teacher: Mapped[str | None] = field("值班教师", String(30))
    attending: Mapped[int | None] = field("应到人数", Integer)
    school: Mapped[School] = link("学校")
    term: Mapped[Term] = link("学期")

    def __str__(self) -> str:
        return self.content


class CensusReturn(Kept, SchoolOwned):
    """摸底上报: a centre hands its count in, for its sites too. The first submission counts."""

    __tablename__ = "census_return"
    RESOURCE = Resource.WORK
    __table_args__ = (_live("census_id", "school_id"),)

    census_id: Mapped[int] = field("摸底", ForeignKey("census_round.id"), index=True)
    on: Mapped[dt.date] = field("上报日期", Date)
    children: Mapped[int] = field("留守儿童数", Integer)
    girls: Mapped[int] = field("其中女", Integer)
    by: Mapped[str] = field("填表人", String(30))
    remark: Mapped[str | None] = field("备注", String(200))
    census: Mapped[CensusRound] = link("摸底")
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return f"{self.on}"


class Opinion(Kept, SchoolOwned):
    """舆情: found, reported, dealt with. Reported more than 24 hours after it was found counts against the school."""

    __tablename__ = "opinion"
    RESOURCE = Resource.INCIDENTS

    found_at: Mapped[dt.datetime] = field("发现时间", Moment)
    source: Mapped[str] = field("来源", String(60))
    level: Mapped[Attention] = field("级别", Coded(Attention), default=Attention.NORMAL)
    summary: Mapped[str] = field("摘要", LongText, group=Group.INCIDENT)
    reported_at: Mapped[dt.datetime | None] = field("报告时间", Moment)
    handling: Mapped[str | None] = field("处置情况", LongText, group=Group.INCIDENT)
    hidden: Mapped[bool] = field("瞒报（德育股认定）", Boolean, default=False)
    closed_on: Mapped[dt.date | None] = field("结案日期", Date, check=rules.not_in_future)
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return "舆情"


class NoticeKind(Choice):
    NOTICE = "notice", "通知"
    CHASE = "chase", "催办"
    POLICY = "policy", "政策文件"


class Notice(Kept, Shared):
    """下发通知: what the office tells schools; a policy document is one too. Who has read it stands in the receipts."""

    __tablename__ = "notice"
    RESOURCE = Resource.NOTICES

    kind: Mapped[NoticeKind] = field("类别", Coded(NoticeKind), default=NoticeKind.NOTICE)
    title: Mapped[str] = field("标题", String(100))
    number: Mapped[str | None] = field("文号", String(40))
    on: Mapped[dt.date] = field("发文日期", Date)
    due_on: Mapped[dt.date | None] = field("办理期限", Date)
    body: Mapped[str] = field("正文", LongText)

    def __str__(self) -> str:
        return self.title


class NoticeReceipt(Row, SchoolOwned):
    """阅知: a school to which a notice is addressed, and when it was read there first."""

    __tablename__ = "notice_receipt"
    __table_args__ = (UniqueConstraint("notice_id", "school_id"),)
    RESOURCE = Resource.WORK

    notice_id: Mapped[int] = field("通知", ForeignKey("notice.id"), index=True)
    read_at: Mapped[dt.datetime | None] = field("阅知时间", Moment)
    read_by: Mapped[str | None] = field("阅知人", String(30))
    notice: Mapped[Notice] = link("通知")
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return str(self.school)


class Attachment(Kept, OnRecord):
    """附件: a file on a record. With a child it follows the child; without one it stays with the school.

    The file lies outside the web root under a random name; this row knows what it is called and where it belongs.
    """

    __tablename__ = "attachment"
    RESOURCE = Resource.WORK
    ALSO = (ForeignKeyConstraint(["school_id"], ["school.id"]), Index(None, "table_name", "row_id"))

    child_id: Mapped[int | None] = field("儿童", Integer, sort_order=-6)
    name: Mapped[str] = field("文件名", String(200))
    stored: Mapped[str] = field("存放名", String(64), unique=True)
    media_type: Mapped[str] = field("类型", String(100))
    size: Mapped[int] = field("大小", Integer)
    digest: Mapped[str] = field("摘要", String(64))

    def __str__(self) -> str:
        return self.name


class BatchKind(Choice):
    ROLLOVER = "rollover", "升级"
    STAFF = "staff", "责任人移交"
    CONFIRM = "confirm", "全班确认"
    TALKS = "talks", "批量谈心"
    HANDOVER = "handover", "批量假期交接"
    CARDS = "cards", "批量发卡"
    PASTE = "paste", "粘贴录入"
    TRANSFER = "transfer", "批量转学"
    IMPORT = "import", "台账导入"


class Batch(Row, SchoolOwned):
    """批量操作: what one click changed in many rows, so that it can be undone as one."""

    __tablename__ = "batch"
    RESOURCE = Resource.WORK

    kind: Mapped[BatchKind] = field("操作", Coded(BatchKind))
    words: Mapped[str] = field("内容", String(200))
    changes: Mapped[list[Any]] = mapped_column(JSON, default=list, info={"label": "变动"})
    count: Mapped[int] = field("条数", Integer, default=0)
    undone_at: Mapped[dt.datetime | None] = field("撤销时间", Moment)
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return self.words


# --- the annual target assessment (年度综合目标考核) ---


class Definition(Choice):
    GF13 = "GF13", "国发〔2016〕13号（不满16周岁）"
    XJ = "XJ", "学籍口径（一方或双方外出满3个月）"


class BackEntry(Choice):
    """补录: what an event is worth that was entered long after it happened. States are never discounted."""

    FULL = "100", "全部计入"
    HALF = "50", "按一半计"
    NONE = "0", "不计"

    @property
    def share(self) -> Decimal:
        return Decimal(self.value) / 100


class SchemeState(Choice):
    """A scheme is written, sent to the leader, approved and then locked under its number: a locked one never changes."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待审批"
    LOCKED = "locked", "已锁定"


class Scheme(Row, Shared):
    """考核方案: a year's rubric with its rules, one version of it."""

    __tablename__ = "scheme"
    RESOURCE = Resource.RUBRIC

    code: Mapped[str] = field("版本", String(20), unique=True)
    title: Mapped[str] = field("名称", String(80))
    document: Mapped[str | None] = field("文号", String(40))
    policy_id: Mapped[int | None] = field("依据文件", ForeignKey("notice.id"), hint="先在“通知公告”中登记为政策文件")
    definition: Mapped[Definition] = field("口径", Coded(Definition), default=Definition.GF13)
    quota: Mapped[Decimal] = field("优秀比例", Exact, default=Decimal("0.3"))
    weight: Mapped[Decimal] = field("折算分值", Exact, default=Decimal(5))
    bonus_cap: Mapped[Decimal] = field("加分封顶", Exact, default=Decimal(5))
    minimum: Mapped[Decimal] = field("参评最低适用分", Exact, default=Decimal(60))
    back_entry: Mapped[BackEntry] = field("补录", Coded(BackEntry), default=BackEntry.FULL, hint="谈心、活动等在事后补录的怎样计分")
    back_entry_days: Mapped[int] = field("补录天数", Integer, default=30, hint="事后超过这些天才录入的算补录")
    state: Mapped[SchemeState] = field("状态", Coded(SchemeState), default=SchemeState.DRAFT)
    based_on_id: Mapped[int | None] = field("复制自", ForeignKey("scheme.id"))
    reason: Mapped[str | None] = field("修订原因", String(200))
    submitted_at: Mapped[dt.datetime | None] = field("送审时间", Moment)
    locked_at: Mapped[dt.datetime | None] = field("锁定时间", Moment)
    policy: Mapped[Notice | None] = link("依据文件")
    based_on: Mapped[Scheme | None] = link("复制自", remote_side="Scheme.id")
    indicators: Mapped[list[Indicator]] = link("指标", back_populates="scheme", order_by="Indicator.position")

    def __str__(self) -> str:
        return self.title


class Pattern(Choice):
    """How an indicator turns facts into points."""

    ALLNONE = "ALLNONE", "有得分，无不得分"
    CHECK = "CHECK", "逐项打钩"
    LACK = "LACK", "每缺一项扣分"
    RATE = "RATE", "按率得分"
    STEP = "STEP", "分段得分"
    COUNT = "COUNT", "按次得分"
    EVENT = "EVENT", "发生一次扣分"
    RANK = "RANK", "组内排名得分"
    MANUAL = "MANUAL", "评定"
    WEIGHTED = "WEIGHTED", "分部分计分"
    BONUS = "BONUS", "加分"
    VETO = "VETO", "一票否决"


class Tag(Choice):
    DUTY = "duty", "责任落实", "责"
    EFFECT = "effect", "帮扶效果", "效"


class Indicator(Row, Shared):
    """指标: a first-level indicator (no parent) groups second-level ones; the rule is pattern, metric and parameters."""

    __tablename__ = "indicator"
    __table_args__ = (UniqueConstraint("scheme_id", "code"),)
    RESOURCE = Resource.RUBRIC

    scheme_id: Mapped[int] = field("方案", ForeignKey("scheme.id"), index=True)
    parent_id: Mapped[int | None] = field("一级指标", ForeignKey("indicator.id"))
    code: Mapped[str] = field("编号", String(8))
    title: Mapped[str] = field("指标", String(60))
    position: Mapped[int] = field("顺序", Integer)
    points: Mapped[Decimal] = field("分值", Exact)
    tag: Mapped[Tag | None] = field("标签", Coded(Tag))
    standard: Mapped[str | None] = field("评分标准", String(200))
    evidence: Mapped[str | None] = field("佐证材料", String(100))
    pattern: Mapped[Pattern | None] = field("计分方式", Coded(Pattern))
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, info={"label": "参数"})
    applies: Mapped[str | None] = field("适用", String(100), hint="学段：幼儿园 小学 初中 高中；空为全部。加“寄宿”为仅寄宿制")
    scheme: Mapped[Scheme] = link("方案", back_populates="indicators")
    parent: Mapped[Indicator | None] = link("一级指标", remote_side="Indicator.id")

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class Decision(Choice):
    APPROVED = "approved", "同意"
    REFUSED = "refused", "退回"


class Approval(Row, Shared):
    """审批: what the leader decided on something the office laid before them. Never changed: a second thought is a second row."""

    __tablename__ = "approval"
    __table_args__ = (Index(None, "table_name", "row_id"),)
    RESOURCE = Resource.APPROVALS

    table_name: Mapped[str] = field("对象", String(40))
    row_id: Mapped[int] = field("编号", Integer)
    decision: Mapped[Decision] = field("意见", Coded(Decision))
    words: Mapped[str | None] = field("说明", String(200))
    by: Mapped[str] = field("审批人", String(30))

    def __str__(self) -> str:
        return str(self.decision)


class RoundState(Choice):
    """Where a round stands. The school's own step between 自评 and 初核, 已提交自评, is kept with its sheet."""

    SET_UP = "set_up", "方案发布"
    OPEN = "open", "学校自评"
    CHECK = "check", "初核"
    ON_SITE = "on_site", "实地核查"
    REVIEW = "review", "复核"
    DECISION = "decision", "审定"
    PUBLICITY = "publicity", "公示"
    APPEAL = "appeal", "申诉复查"
    PUBLISHED = "published", "通报"
    APPLIED = "applied", "结果运用"


class Round(Row, Shared):
    """考核轮次: a scheme applied to a period. Frozen when the self-assessment closes: what the schools entered is never counted again."""

    __tablename__ = "assessment_round"
    RESOURCE = Resource.RUBRIC

    code: Mapped[str] = field("年度", String(20), unique=True)
    title: Mapped[str] = field("名称", String(80))
    scheme_id: Mapped[int] = field("方案", ForeignKey("scheme.id"))
    start: Mapped[dt.date] = field("考核期起", Date, check=rules.sensible_date)
    last_day: Mapped[dt.date] = field("考核期止", Date, check=rules.sensible_date)
    cut_off: Mapped[dt.date] = field("统计截止日", Date, check=rules.sensible_date, hint="此日以后录入的不计")
    self_due: Mapped[dt.date | None] = field("自评截止日", Date, hint="学校在此日前提交自评，校长确认")
    state: Mapped[RoundState] = field("状态", Coded(RoundState), default=RoundState.SET_UP)
    frozen_at: Mapped[dt.datetime | None] = field("冻结时间", Moment)
    minutes: Mapped[str | None] = field("审定会议纪要", String(100))
    decided_at: Mapped[dt.datetime | None] = field("审定时间", Moment)
    shown_from: Mapped[dt.date | None] = field("公示起", Date)
    shown_until: Mapped[dt.date | None] = field("公示止", Date)
    document: Mapped[str | None] = field("通报文号", String(60))
    published_at: Mapped[dt.datetime | None] = field("通报时间", Moment)
    scheme: Mapped[Scheme] = link("方案")

    def __str__(self) -> str:
        return self.title

    @property
    def is_frozen(self) -> bool:
        return self.state not in (RoundState.SET_UP, RoundState.OPEN)

    @property
    def is_final(self) -> bool:
        return self.state in (RoundState.PUBLISHED, RoundState.APPLIED)


class RoundStep(Row, Shared):
    """流转记录: who moved a round on, when and why. Never changed."""

    __tablename__ = "round_step"
    RESOURCE = Resource.RUBRIC

    round_id: Mapped[int] = field("轮次", ForeignKey("assessment_round.id"), index=True)
    state: Mapped[RoundState] = field("转入", Coded(RoundState))
    words: Mapped[str | None] = field("说明", String(200))
    by: Mapped[str] = field("办理人", String(30))

    def __str__(self) -> str:
        return str(self.state)


class Sheet(Row, SchoolOwned):
    """评分表: one assessed school in one round, with its results as decided and, after the appeals, as circulated."""

    __tablename__ = "sheet"
    __table_args__ = (UniqueConstraint("round_id", "school_id"),)
    RESOURCE = Resource.SCORES

    round_id: Mapped[int] = field("轮次", ForeignKey("assessment_round.id"))
    decided: Mapped[dict[str, Any] | None] = mapped_column(JSON, info={"label": "审定成绩"})
    card: Mapped[dict[str, Any] | None] = mapped_column(JSON, info={"label": "通报成绩"})
    round: Mapped[Round] = link("轮次")
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return f"{self.round} {self.school}"


class ItemScore(Row, SchoolOwned):
    """系统得分: what was counted for one indicator on one sheet, and whom, as it stood at the freeze."""

    __tablename__ = "item_score"
    __table_args__ = (UniqueConstraint("sheet_id", "indicator_id"),)
    RESOURCE = Resource.SCORES

    sheet_id: Mapped[int] = field("评分表", ForeignKey("sheet.id"))
    indicator_id: Mapped[int] = field("指标", ForeignKey("indicator.id"))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, info={"label": "取数"})
    lists: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, deferred=True, info={"label": "名单"})
    indicator: Mapped[Indicator] = link("指标")

    def __str__(self) -> str:
        return str(self.indicator)


class Stage(Choice):
    """At which step the bureau gave a score. The newest counts; none is ever changed."""

    CHECK = "check", "初核分"
    ON_SITE = "on_site", "核查分"
    REVIEW = "review", "复核分"
    FINAL = "final", "审定分"
    APPEAL = "appeal", "复查分"


class OfficeScore(Row, SchoolOwned):
    """评分: the points the bureau gave for an indicator at one step, by whom and why. A second thought is a second row."""

    __tablename__ = "office_score"
    __table_args__ = (Index(None, "sheet_id", "indicator_id"),)
    RESOURCE = Resource.SCORES

    sheet_id: Mapped[int] = field("评分表", ForeignKey("sheet.id"))
    indicator_id: Mapped[int] = field("指标", ForeignKey("indicator.id"))
    stage: Mapped[Stage] = field("步骤", Coded(Stage))
    points: Mapped[Decimal | None] = field("分数", Exact)
    whole: Mapped[bool] = field("整项定分", Boolean, default=False)
    """For an item of which a part is computed: the points are the whole item's, not the judged part's."""
    reason: Mapped[str | None] = field("理由", String(300))
    by: Mapped[str] = field("评分人", String(30))
    sheet: Mapped[Sheet] = link("评分表")
    indicator: Mapped[Indicator] = link("指标")

    def __str__(self) -> str:
        return f"{self.indicator} {self.stage}"


class SelfScore(Row, SchoolOwned):
    """自评: the points a school gives itself where a person judges, and its own account. A second thought is a second row."""

    __tablename__ = "self_score"
    __table_args__ = (Index(None, "sheet_id", "indicator_id"),)
    RESOURCE = Resource.SELF

    sheet_id: Mapped[int] = field("评分表", ForeignKey("sheet.id"))
    indicator_id: Mapped[int] = field("指标", ForeignKey("indicator.id"))
    points: Mapped[Decimal | None] = field("自评分", Exact)
    words: Mapped[str | None] = field("自查说明", String(300))
    by: Mapped[str] = field("填报人", String(30))
    sheet: Mapped[Sheet] = link("评分表")
    indicator: Mapped[Indicator] = link("指标")

    def __str__(self) -> str:
        return str(self.indicator)


class SheetMove(Choice):
    SUBMITTED = "submitted", "待校长确认"
    CONFIRMED = "confirmed", "已提交自评"
    RETURNED = "returned", "德育股退回修改"
    DECLINED = "declined", "校长退回修改"


class SheetStep(Row, SchoolOwned):
    """A school's self-assessment handed in, confirmed or sent back: the newest says where it stands. Never changed."""

    __tablename__ = "sheet_step"
    RESOURCE = Resource.SELF
    RESOURCES = (
        "move",
        {
            SheetMove.SUBMITTED: Resource.SELF,
            SheetMove.CONFIRMED: Resource.CONFIRMATIONS,
            SheetMove.DECLINED: Resource.CONFIRMATIONS,
            SheetMove.RETURNED: Resource.SCORES,
        },
    )
    """Whose act it is: the secretary hands in, the headteacher confirms or declines, the bureau sends back."""

    sheet_id: Mapped[int] = field("评分表", ForeignKey("sheet.id"), index=True)
    move: Mapped[SheetMove] = field("状态", Coded(SheetMove))
    words: Mapped[str | None] = field("说明", String(200))
    by: Mapped[str] = field("办理人", String(30))
    card: Mapped[dict[str, Any] | None] = mapped_column(JSON, info={"label": "自评成绩"})
    sheet: Mapped[Sheet] = link("评分表")

    @property
    def is_open(self) -> bool:
        """Is it the school's turn again?"""
        return self.move in (SheetMove.RETURNED, SheetMove.DECLINED)

    def __str__(self) -> str:
        return str(self.move)


class Evidence(Kept, SchoolOwned):
    """佐证材料: what a school shows for an indicator that a person judges; the papers are its attachments."""

    __tablename__ = "evidence"
    RESOURCE = Resource.SELF

    sheet_id: Mapped[int] = field("评分表", ForeignKey("sheet.id"), index=True)
    indicator_id: Mapped[int] = field("指标", ForeignKey("indicator.id"))
    title: Mapped[str] = field("材料名称", String(80))
    place: Mapped[str | None] = field("存放处", String(80), hint="如：档案室 3 号柜；有电子件的另传附件")
    school: Mapped[School] = link("学校")
    sheet: Mapped[Sheet] = link("评分表")
    indicator: Mapped[Indicator] = link("指标")

    def __str__(self) -> str:
        return self.title


class Appeal(Kept, SchoolOwned):
    """申诉: during the publicity a school contests an item of its own. It stands until it is answered."""

    __tablename__ = "appeal"
    RESOURCE = Resource.SELF

    sheet_id: Mapped[int] = field("评分表", ForeignKey("sheet.id"), index=True)
    indicator_id: Mapped[int] = field("申诉指标", ForeignKey("indicator.id"))
    on: Mapped[dt.date] = field("提出日期", Date, default=dt.date.today)
    wanted: Mapped[Decimal | None] = field("认为应得", Exact)
    reason: Mapped[str] = field("申诉理由", LongText)
    due_on: Mapped[dt.date | None] = field("答复期限", Date)
    school: Mapped[School] = link("学校")
    sheet: Mapped[Sheet] = link("评分表")
    indicator: Mapped[Indicator] = link("申诉指标")
    answers: Mapped[list[AppealAnswer]] = link("答复", back_populates="appeal", order_by="AppealAnswer.id")

    def __str__(self) -> str:
        return f"{self.school} {self.indicator}"


class AppealAnswer(Row, SchoolOwned):
    """申诉答复: what the bureau found, with the points before and after. Never changed."""

    __tablename__ = "appeal_answer"
    RESOURCE = Resource.SCORES

    appeal_id: Mapped[int] = field("申诉", ForeignKey("appeal.id"), unique=True)
    changed: Mapped[bool] = field("改分", Boolean)
    was: Mapped[Decimal | None] = field("原得分", Exact)
    now: Mapped[Decimal | None] = field("复查得分", Exact)
    words: Mapped[str] = field("答复", LongText)
    by: Mapped[str] = field("答复人", String(30))
    appeal: Mapped[Appeal] = link("申诉", back_populates="answers")

    def __str__(self) -> str:
        return self.words


class AdjustmentKind(Choice):
    BONUS = "bonus", "加分"
    DISCIPLINE = "discipline", "扣分"
    VETO = "veto", "一票否决"


class VetoEffect(Choice):
    FAIL = "fail", "直接不合格"
    NO_HONOUR = "no_honour", "取消评优"


class Cause(Choice):
    """What the rubric names for bonus, discipline and veto; what each is worth stands in assessment/causes.py."""

    NATIONAL = "B1", "国家级表彰"
    PROVINCIAL = "B2", "省级表彰"
    MUNICIPAL = "B3", "市级表彰"
    COUNTY = "B4", "县级表彰"
    ADOPTED = "B5", "典型经验被上级采用"
    INNOVATION = "B6", "创新项目"
    FRAUD = "D1", "弄虚作假"
    LATE_TABLES = "D2", "不按时报送统计表"
    LEAK = "D3", "泄露儿童信息"
    V1 = "V1", "V1 因学校责任致留守儿童死亡或重伤"
    V2 = "V2", "V2 应报告未报告侵害案件"
    V3 = "V3", "V3 教职工性侵、虐待学生"
    V4 = "V4", "V4 数据严重造假"
    V5 = "V5", "V5 义务教育阶段辍学未采取措施"


class Adjustment(Kept, SchoolOwned):
    """加分、扣分、一票否决, each with its document."""

    __tablename__ = "adjustment"
    RESOURCE = Resource.SCORES

    round_id: Mapped[int] = field("轮次", ForeignKey("assessment_round.id"), index=True)
    kind: Mapped[AdjustmentKind] = field("类别", Coded(AdjustmentKind))
    cause: Mapped[Cause | None] = field("情形", Coded(Cause), hint="选了情形，分值和否决后果可不填，按规定的算")
    matter: Mapped[str] = field("事项", String(100), hint="同一事项就高不重复")
    points: Mapped[Decimal] = field("分值", Exact, default=Decimal(0), hint="填正数；选了情形的填 0 即按规定；一票否决填 0")
    effect: Mapped[VetoEffect | None] = field("否决后果", Coded(VetoEffect))
    document: Mapped[str] = field("依据文件", String(100))
    round: Mapped[Round] = link("轮次")
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return self.matter


class Inspection(Kept, SchoolOwned):
    """抽查: the office's visit to a school in a round (F20, F21). Of a drawn sample the sums come from its children."""

    __tablename__ = "inspection"
    RESOURCE = Resource.SCORES

    round_id: Mapped[int] = field("轮次", ForeignKey("assessment_round.id"), index=True)
    on: Mapped[dt.date] = field("抽查日期", Date, check=rules.not_in_future)
    lot: Mapped[str | None] = field("抽签号", String(20), hint="同一抽签号抽出同一批儿童，可当场重抽核对")
    children: Mapped[int] = field("抽查儿童数", Integer, default=0)
    fields_checked: Mapped[int] = field("核对项数", Integer, default=0)
    fields_wrong: Mapped[int] = field("不符项数", Integer, default=0)
    answers: Mapped[int] = field("有效问卷数", Integer, default=0)
    satisfied: Mapped[int] = field("满意数", Integer, default=0)
    inspectors: Mapped[str | None] = field("核查人", String(60), hint="两人以上")
    document: Mapped[str | None] = field("依据", String(100))
    round: Mapped[Round] = link("轮次")
    school: Mapped[School] = link("学校")
    sample: Mapped[list[Inspected]] = link("抽查儿童", back_populates="inspection", order_by="Inspected.id")

    def __str__(self) -> str:
        return f"{self.on}"


class Inspected(Kept, CareEvent):
    """A child of a drawn sample: fields compared on the spot, and what the child or the carer answered."""

    __tablename__ = "inspected"
    RESOURCE = Resource.SCORES
    ALSO = (_live("inspection_id", "child_id"),)

    inspection_id: Mapped[int] = field("抽查", ForeignKey("inspection.id"), index=True)
    child_name: Mapped[str] = field("儿童", String(40))
    class_name: Mapped[str | None] = field("班级", String(40))
    fields_checked: Mapped[int | None] = field("核对项数", Integer)
    fields_wrong: Mapped[int | None] = field("不符项数", Integer)
    wrong: Mapped[str | None] = field("不符栏目", String(200))
    satisfied: Mapped[bool | None] = field("满意", Boolean, hint="没有问到的留空")
    inspection: Mapped[Inspection] = link("抽查", back_populates="sample")

    def __str__(self) -> str:
        return self.child_name


# --- snapshots: what was counted on a day, kept to be compared ---


class Snapshot(Row, Shared):
    """快照: how many children a definition held on a day, as counted at a moment. The names lie with their schools."""

    __tablename__ = "snapshot"
    RESOURCE = Resource.RUBRIC

    title: Mapped[str] = field("名称", String(80))
    definition: Mapped[Definition] = field("口径", Coded(Definition))
    on: Mapped[dt.date] = field("统计截止日", Date)
    round_id: Mapped[int | None] = field("轮次", ForeignKey("assessment_round.id"), index=True)
    count: Mapped[int] = field("儿童数", Integer)
    by: Mapped[str] = field("统计人", String(30))

    def __str__(self) -> str:
        return self.title


class SnapshotPart(Row, SchoolOwned):
    """The children of one school in a snapshot: (child, name, class)."""

    __tablename__ = "snapshot_part"
    __table_args__ = (UniqueConstraint("snapshot_id", "school_id"),)
    RESOURCE = Resource.REGISTER

    snapshot_id: Mapped[int] = field("快照", ForeignKey("snapshot.id"), index=True)
    children: Mapped[list[Any]] = mapped_column(JSON, default=list, info={"label": "名单"})

    def __str__(self) -> str:
        return f"{len(self.children)}"


class Report(Row, SchoolOwned):
    """报表: a report as it was counted on a day, kept to be opened and exported again. Owned by the unit that made it."""

    __tablename__ = "report"
    RESOURCE = Resource.REGISTER

    kind: Mapped[str] = field("报表种类", String(40))
    title: Mapped[str] = field("名称", String(80))
    basis: Mapped[str] = field("口径", String(120))
    since: Mapped[dt.date] = field("统计起始日", Date)
    on: Mapped[dt.date] = field("统计截止日", Date)
    content: Mapped[str] = mapped_column(Sealed("report.content", None), deferred=True, info={"label": "内容"})
    failing: Mapped[int] = field("不平的等式", Integer, default=0)
    by: Mapped[str] = field("统计人", String(30))
    handed_in_at: Mapped[dt.datetime | None] = field("上报时间", Moment)
    handed_in_by: Mapped[str | None] = field("上报人", String(30))
    school: Mapped[School] = link("填报单位")

    def __str__(self) -> str:
        return self.title


class ExportRequest(Row, SchoolOwned):
    """导出申请: a list asked for with full numbers. The leader decides; it is taken once, within a week."""

    __tablename__ = "export_request"
    RESOURCE = Resource.FULL_EXPORTS

    title: Mapped[str] = field("内容", String(60))
    address: Mapped[str] = field("地址", String(600))
    said: Mapped[str] = field("条件", String(400))
    count: Mapped[int] = field("行数", Integer)
    purpose: Mapped[str] = field("用途", String(100))
    by: Mapped[str] = field("申请人", String(30))
    taken_at: Mapped[dt.datetime | None] = field("导出时间", Moment)
    digest: Mapped[str | None] = field("文件指纹", String(64))
    school: Mapped[School] = link("申请单位")

    def __str__(self) -> str:
        return self.title


class Match(Choice):
    """三方比对: how the three lists agree on a child."""

    SAME = "same", "三方一致"
    DIFFERENT = "different", "关键字段不一致"
    TWO = "two", "两方有、缺一方"
    CIVIL = "civil", "仅民政有"
    ROLL = "roll", "仅学籍有"
    OURS = "ours", "仅本系统"


class MatchReason(Choice):
    """原因: why a child does not stand in all lists alike."""

    TOO_YOUNG = "too_young", "未入园、未入学"
    ELSEWHERE = "elsewhere", "在外地就读"
    HOME = "home", "父母已返乡"
    ONE_PARENT = "one_parent", "单亲外出，另一方有监护能力"
    OVER_16 = "over_16", "已满 16 周岁"
    NOT_RURAL = "not_rural", "非农村户籍"
    UNKNOWN_PARENTS = "unknown_parents", "本系统父母去向未填全"
    NEW = "new", "新增，尚未报送"
    SLIP = "slip", "录入差错"
    NAMESAKE = "namesake", "同名，不是同一人"
    OTHER = "other", "其他"


class Comparison(Row, SchoolOwned):
    """三方比对: our list of a day against those of 民政 and 学籍, as found when the files were compared. The bureau's own."""

    __tablename__ = "comparison"
    RESOURCE = Resource.MATCHING

    on: Mapped[dt.date] = field("统计截止日", Date)
    civil_file: Mapped[str | None] = field("民政名单", String(200))
    roll_file: Mapped[str | None] = field("学籍名单", String(200))
    unread: Mapped[str | None] = mapped_column(Sealed("comparison.unread", None), info={"label": "未读入的行"})
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict, info={"label": "结果"})
    by: Mapped[str] = field("比对人", String(30))

    def __str__(self) -> str:
        return f"{self.on} 三方比对"


class ComparisonRow(Row, SchoolOwned):
    """One child of a comparison: in which lists it stands, how they differ, and why."""

    __tablename__ = "comparison_row"
    RESOURCE = Resource.MATCHING

    comparison_id: Mapped[int] = field("比对", ForeignKey("comparison.id"), index=True)
    match: Mapped[Match] = field("结果", Coded(Match))
    child_id: Mapped[int | None] = field("儿童", Integer)
    name: Mapped[str] = field("姓名", String(30))
    sex: Mapped[Sex | None] = field("性别", Coded(Sex))
    birth_date: Mapped[dt.date | None] = field("出生日期", Date)
    id_number: Mapped[str | None] = field("公民身份号码", Sealed("comparison_row.id_number"), group=Group.IDENTITY)
    ours: Mapped[bool] = field("本系统", Boolean, default=False)
    civil: Mapped[bool] = field("民政", Boolean, default=False)
    roll: Mapped[bool] = field("学籍", Boolean, default=False)
    place: Mapped[str | None] = field("学校或村组", String(200))
    differences: Mapped[str | None] = mapped_column(Sealed("comparison_row.differences", None), info={"label": "不一致之处"})
    explained: Mapped[str | None] = field("本系统登记情况", String(200), group=Group.FAMILY)
    reason: Mapped[MatchReason | None] = field("原因", Coded(MatchReason))
    confirmed: Mapped[bool] = field("原因已核实", Boolean, default=False)
    remark: Mapped[str | None] = field("备注", String(100))

    def __str__(self) -> str:
        return self.name


# --- accounts ---


class Role(Choice):
    ADMIN = "admin", "系统管理员"
    OFFICE = "office", "德育股"
    LEADER = "leader", "分管领导"
    SECRETARY = "secretary", "学校填报员"
    PRINCIPAL = "principal", "校长"
    COUNSELLOR = "counsellor", "心理教师"


class User(Row, Private):
    """账号. An account may hold several roles; a school account holds its school and, of a centre, its sites."""

    __tablename__ = "user_account"
    RESOURCE = Resource.ACCOUNTS

    username: Mapped[str] = field("账号", String(40), unique=True)
    name: Mapped[str] = field("姓名", String(30), check=rules.person_name)
    school_id: Mapped[int | None] = field("学校", ForeignKey("school.id"), hint="学校填报员、校长、心理教师必填")
    active: Mapped[bool] = field("启用", Boolean, default=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change: Mapped[bool] = field("须改密码", Boolean, default=True)
    password_expires_at: Mapped[dt.datetime | None] = field("初始密码有效至", Moment)
    last_login_at: Mapped[dt.datetime | None] = field("上次登录", Moment)
    opened_at: Mapped[dt.datetime] = mapped_column(Moment, default=utcnow, doc="made, or opened again by a reset")
    otp_secret: Mapped[str | None] = mapped_column(
        Sealed("user_account.otp_secret"), doc="of the one-time codes; None: none are asked"
    )
    otp_step: Mapped[int | None] = mapped_column(Integer, doc="the step whose code was used last: each counts once")
    locale: Mapped[str] = field("语言", String(12), default="zh_Hans_CN")
    school: Mapped[School | None] = link("学校")
    grants: Mapped[list[Grant]] = link("角色", back_populates="user", cascade="all, delete-orphan", lazy="selectin")

    def __str__(self) -> str:
        return self.name


class Grant(Row, Private, Part):
    """A role held by an account."""

    __tablename__ = "user_role"
    __table_args__ = (UniqueConstraint("user_id", "role"),)
    RESOURCE = Resource.ACCOUNTS

    user_id: Mapped[int] = field("账号", ForeignKey("user_account.id"))
    role: Mapped[Role] = field("角色", Coded(Role))
    user: Mapped[User] = link("账号", back_populates="grants")

    def __str__(self) -> str:
        return str(self.role)


class LoginSession(Base, Private):
    """A browser that is logged in: kept here, so that an account can be put out at once."""

    __tablename__ = "login_session"
    RESOURCE = Resource.ACCOUNTS

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    address: Mapped[str] = mapped_column(String(45), default="")
    started_at: Mapped[dt.datetime] = mapped_column(Moment, default=utcnow)
    seen_at: Mapped[dt.datetime] = mapped_column(Moment, default=utcnow)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    gave_way: Mapped[bool] = mapped_column(Boolean, default=False, doc="ended because the account logged in elsewhere")
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(Moment, doc="when the password was last given in this browser")


class LoginFailure(Base, Private):
    """A try at a login that was refused, or is under way; counted per account name and per address by all processes together."""

    __tablename__ = "login_failure"
    RESOURCE = Resource.ACCOUNTS

    id: Mapped[int] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(String(64), index=True, doc="hash of the name that was typed")
    address: Mapped[str] = mapped_column(String(45), index=True)
    at: Mapped[dt.datetime] = mapped_column(Moment, default=utcnow, index=True)
    forgiven: Mapped[bool] = mapped_column(Boolean, default=False, doc="the account was unlocked: told, and not counted any more")


# --- work in progress, kept on the server ---


class ImportState(Choice):
    WAITING = "waiting", "待确认"
    SAVED = "saved", "已写入"
    DROPPED = "dropped", "已放弃"


class ImportBatch(Row, SchoolOwned):
    """导入: an uploaded ledger between preview and save; the file itself lies sealed beside its preview."""

    __tablename__ = "import_batch"
    RESOURCE = Resource.REGISTER

    file_name: Mapped[str] = field("文件", String(200))
    start: Mapped[dt.date] = field("就读起始日", Date)
    state: Mapped[ImportState] = field("状态", Coded(ImportState), default=ImportState.WAITING)
    content: Mapped[str | None] = mapped_column(Sealed("import_batch.content", None), info={"label": "文件内容"})
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict, info={"label": "结果"})
    school: Mapped[School] = link("学校")

    def __str__(self) -> str:
        return self.file_name


class LedgerName(Row, SchoolOwned):
    """列名: what a school calls a column of its ledger; blank key: a column it leaves out."""

    __tablename__ = "ledger_name"
    __table_args__ = (UniqueConstraint("school_id", "words"),)
    RESOURCE = Resource.REGISTER

    words: Mapped[str] = field("列名", String(60))
    key: Mapped[str] = field("对应栏目", String(40), default="")

    def __str__(self) -> str:
        return self.words


class Draft(Base, Private):
    """草稿: a form that arrived after its session had expired; kept sealed for its own author, for a day."""

    __tablename__ = "draft"
    RESOURCE = Resource.ACCOUNTS

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    path: Mapped[str] = mapped_column(String(300))
    fields: Mapped[str] = mapped_column(Sealed("draft.fields", None))
    at: Mapped[dt.datetime] = mapped_column(Moment, default=utcnow)


class UsedForm(Base, Private):
    """一次性编号: a form that made a row, and where its author went: sent a second time it makes no second one."""

    __tablename__ = "used_form"
    RESOURCE = Resource.ACCOUNTS

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    location: Mapped[str] = mapped_column(String(300))
    at: Mapped[dt.datetime] = mapped_column(Moment, default=utcnow, index=True)


# --- audit: written by audit.py alone ---


class AuditEntry(Base, Private):
    """操作日志: who did what when, chained by HMAC. Append only."""

    __tablename__ = "audit_entry"
    RESOURCE = Resource.AUDIT

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info={"label": "序号"})
    at: Mapped[dt.datetime] = mapped_column(Moment, index=True, info={"label": "时间"})
    user_id: Mapped[int | None] = mapped_column(Integer, info={"label": "账号"})
    user_name: Mapped[str] = mapped_column(String(40), info={"label": "操作人"})
    roles: Mapped[str | None] = mapped_column(String(80), info={"label": "角色"})
    school_id: Mapped[int | None] = mapped_column(Integer, index=True, info={"label": "学校"})
    action: Mapped[str] = mapped_column(String(16), index=True, info={"label": "操作"})
    table_name: Mapped[str] = mapped_column(String(40), info={"label": "对象"})
    row_id: Mapped[str] = mapped_column(String(40), info={"label": "编号"})
    address: Mapped[str] = mapped_column(String(45), default="", info={"label": "地址"})
    request: Mapped[str | None] = mapped_column(String(8), info={"label": "请求编号"})
    digest: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))

    __table_args__ = (Index(None, "table_name", "row_id"), Index(None, "user_id", "at"))

    def __str__(self) -> str:
        return f"第 {self.id} 条"


class AuditValue(Base, Private):
    """What changed, apart from the chain: erasing it (retention, a parent's right) leaves the chain verifiable."""

    __tablename__ = "audit_value"
    RESOURCE = Resource.AUDIT

    entry_id: Mapped[int] = mapped_column(ForeignKey("audit_entry.id"), primary_key=True)
    salt: Mapped[str] = mapped_column(String(32))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class AuditKey(Base, Private):
    """What signed the chain up to an entry, before the field key was changed."""

    __tablename__ = "audit_key"
    RESOURCE = Resource.AUDIT

    until: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(Sealed("audit_key.key"))


class AuditHead(Base, Private):
    """The newest link of the chain: one row, locked last in every transaction that writes entries."""

    __tablename__ = "audit_head"
    RESOURCE = Resource.AUDIT

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Integer)
    mac: Mapped[str] = mapped_column(String(64))
