"""the ground on which data are kept, archive and erasure, numbers found by their last four digits, a log that is only added to"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from admin_app.models import last_four
from admin_app.orm import BlindIndex, BlindTail, Sealed
from admin_app.rules import Complaint

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

AT_ONCE = 2000
LOOKED_UP = [
    ("child", "id_number", "id_number_tail", BlindTail(), last_four),
    ("parent", "phone", "phone_key", BlindIndex(), str),
    ("carer", "phone", "phone_key", BlindIndex(), str),
]
"""Table, sealed column, the index of it, and how its value is made."""
CHILD = {
    "consent": sa.String(16),
    "informed_on": sa.Date(),
    "informed_version": sa.String(20),
    "archived_on": sa.Date(),
    "erased_on": sa.Date(),
}
NEVER = {"audit_entry": ("update", "delete"), "audit_value": ("update",)}
"""What an entry of the log never undergoes; the values beside it may be erased, which leaves the chain whole."""


def upgrade() -> None:
    op.create_table(
        "audit_key",
        sa.Column("until", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("until", name="pk_audit_key"),
    )
    for name, kind in CHILD.items():
        op.add_column("child", sa.Column(name, kind, nullable=True))
    for table, sealed, index, kind, make in LOOKED_UP:
        op.add_column(table, sa.Column(index, sa.String(64), nullable=True))
        _fill(table, sealed, index, kind, make)
        op.create_index(f"ix_{table}_{index}", table, [index])
    _guard_the_log()


def downgrade() -> None:
    _refuse_what_cannot_go_back()
    _leave_the_log()
    for table, _sealed, index, _kind, _make in LOOKED_UP:
        op.drop_index(f"ix_{table}_{index}", table_name=table)
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(index)
    with op.batch_alter_table("child") as batch_op:
        for name in CHILD:
            batch_op.drop_column(name)
    op.drop_table("audit_key")


def _refuse_what_cannot_go_back() -> None:
    """:raises Complaint: when the older schema could no longer verify the log, or would show an erased file as if it were one."""
    connection = op.get_bind()
    if connection.scalar(sa.text("select count(*) from audit_key")):
        raise Complaint("换过钥匙，以前的操作日志要用旧钥匙核对，而旧版本没有地方放：不能退回。")
    if connection.scalar(sa.text("select count(*) from child where erased_on is not null")):
        raise Complaint("有已经清除的档案，旧版本不认识：不能退回。")


def _fill(table, sealed, index, kind, make) -> None:
    """A batch at a time by id; needs the field key, as everything does that reads a number."""
    there = sa.table(table, sa.column("id"), sa.column(sealed, Sealed(f"{table}.{sealed}")), sa.column(index, kind))
    query = sa.select(there.c.id, there.c[sealed]).where(there.c[sealed].is_not(None)).order_by(there.c.id).limit(AT_ONCE)
    change = sa.update(there).where(there.c.id == sa.bindparam("row")).values({index: sa.bindparam("made")})
    connection, last = op.get_bind(), 0
    while rows := connection.execute(query.where(there.c.id > last)).all():
        connection.execute(change, [{"row": pk, "made": make(value)} for pk, value in rows])
        last = rows[-1].id


def _guard_the_log() -> None:
    """Whoever works on the database by hand is told, too."""
    words = "the log is only added to"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"create function log_is_only_added_to() returns trigger language plpgsql as "
            f"$$ begin raise exception '{words}' using errcode = 'insufficient_privilege'; end $$"
        )
    for table, commands in NEVER.items():
        for command in commands:
            if op.get_bind().dialect.name == "postgresql":
                body = "for each row execute function log_is_only_added_to()"
            else:
                body = f"begin select raise(abort, '{words}'); end"
            op.execute(f"create trigger {table}_no_{command} before {command} on {table} {body}")


def _leave_the_log() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for table, commands in NEVER.items():
        for command in commands:
            op.execute(f"drop trigger {table}_no_{command}" + (f" on {table}" if postgres else ""))
    if postgres:
        op.execute("drop function log_is_only_added_to()")
