"""台账 of one school to be edited offline and uploaded again: only cells that were changed are taken over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from .. import labels
from ..access import scope_in, shown
from ..models import BY_CLASS, CareQuality, Child, Ethnic, Grade, Kinship, Parent, Responsibility, School, Sex, Staff
from ..sheets.offline import Field, Sheet
from . import ledger, roundtrip
from .importing import register_says

CHOICES: dict[str, Any] = {"sex": Sex, "ethnic": Ethnic, "grade": Grade, "carer.relation": Kinship, "carer.quality": CareQuality}
WIDTHS = {"id_number": 20, "hukou_place": 20, "home_address": 24, "remark": 20, "father.place": 14, "mother.place": 14}
GUIDE = (
    "这份台账可以在没有网络时修改，改好后在“导入台账”里上传。",
    "只有改动过的单元格会写入；没有改动的单元格即使系统里后来变了也不会改回去。",
    "导出以后别人改过同一格的，上传时两个值并排列出，由您决定。",
    "空单元格不清除原值；证件号、电话是遮蔽的，要改就填完整的新号码，不改就不要动。",
    "新来的儿童加在后面的空行；复制一行来填新儿童也可以，姓名和证件号都改过就按新儿童处理。",
    "最后一列（隐藏）记着每行是谁，请不要改动；可以排序、筛选、删行、调整列的次序。",
)


def sheet(session: Session, school: School) -> Sheet:
    """Every child of a school, with the hidden mark of each row."""
    keys = ledger.OFFLINE_KEYS
    return Sheet("台账", [_field(key) for key in keys], _rows(session, school))


def _field(key: str) -> Field:
    title, width = ledger.TITLES[key], WIDTHS.get(key, 13 if key.endswith(".phone") else 10)
    if key in CHOICES:
        return Field(title, width, "choice", tuple(member.label for member in CHOICES[key]))
    if key == "boarding":
        return Field(title, 8, "choice", ("是", "否"))
    if key == "birth_date":
        return Field(title, 12, "date")
    return Field(title, width, "number") if key == "carer.age" else Field(title, width)


def _rows(session: Session, school: School) -> Iterator[list[Any]]:
    family = selectinload(Child.parents).selectinload(Parent.statuses), selectinload(Child.carers)
    children = session.scalars(select(Child).where(Child.school_id.in_([school.id])).options(*family).order_by(*BY_CLASS))
    serving = select(Responsibility.child_id, Staff.name).join(Staff, Staff.id == Responsibility.staff_id)
    teachers = dict(session.execute(serving.where(Responsibility.end.is_(None))).all())
    for child in children:
        says = register_says(child) | {"responsible": teachers.get(child.id)}
        cells = [_cell(session, child, key, says.get(key)) for key in ledger.OFFLINE_KEYS]
        yield [*cells, roundtrip.mark("child", child.id, says, ledger.OFFLINE_KEYS)]


def _cell(session: Session, child: Child, key: str, value: Any) -> Any:
    model, name = ledger.column_of(key)
    seen = value if model is None else shown(scope_in(session), model, name, value, child.school_id)
    return seen if key in ("birth_date", "carer.age") else labels.text(seen)
