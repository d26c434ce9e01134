"""个人信息: the rules for minors under fourteen, and the list of what is held, for everybody who is logged in."""

from __future__ import annotations

from itertools import groupby

from flask_admin import expose

from .. import labels
from ..models import Resource
from ..records import county, informing, inventory
from .base import ToolView


class PrivacyView(ToolView):
    resource = Resource.SCHOOLS
    in_menu = False  # reached from the foot of every page and from the table of rights

    def __init__(self) -> None:
        super().__init__("个人信息处理规则", "privacy", "管理")

    @expose("/")
    def index(self) -> str:
        """The rules, in the words of the notice that guardians sign."""
        return self.render(
            "privacy/rules.html",
            bureau=county.word(self.db_session, "bureau"),
            said=(*informing.notice(county.number(self.db_session, "retention_years")), *informing.RULES),
            version=informing.NOTICE,
        )

    @expose("/inventory/")
    def inventory(self) -> str:
        """Every column that holds something of a person: class, ground, readers, how long, how it lies in the database."""
        found = inventory.lines()
        return self.render(
            "privacy/inventory.html",
            tables=[(table, list(lines)) for table, lines in groupby(found, key=lambda line: line.table)],
            count=len(found),
            groups=labels.GROUPS,
            years=county.number(self.db_session, "retention_years"),
            days=county.number(self.db_session, "trash_days"),
        )
