"""when an account was opened, its one-time codes, sessions that gave way or confirmed, tries forgiven, by which role and request"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _columns() -> dict[str, list[sa.Column]]:
    """Table -> what it gets; fresh columns each time."""
    return {
        "user_account": [
            sa.Column("opened_at", sa.DateTime()),
            sa.Column("otp_secret", sa.String(length=200)),
            sa.Column("otp_step", sa.Integer()),
        ],
        "login_session": [
            sa.Column("confirmed_at", sa.DateTime()),
            sa.Column("gave_way", sa.Boolean(), server_default=sa.false(), nullable=False),
        ],
        "login_failure": [sa.Column("forgiven", sa.Boolean(), server_default=sa.false(), nullable=False)],
        "audit_entry": [sa.Column("roles", sa.String(length=80)), sa.Column("request", sa.String(length=8))],
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    account = sa.table("user_account", sa.column("opened_at"), sa.column("updated_at"))
    op.execute(account.update().values(opened_at=account.c.updated_at))  # nobody is shut out by the upgrade
    with op.batch_alter_table("user_account") as batch_op:
        batch_op.alter_column("opened_at", existing_type=sa.DateTime(), nullable=False)
    op.drop_index("ix_audit_entry_user_id", table_name="audit_entry")
    op.create_index("ix_audit_entry_user_id_at", "audit_entry", ["user_id", "at"])


def downgrade() -> None:
    """The chain of the log covers the two columns of audit_entry: entries made with them no longer verify without them."""
    op.drop_index("ix_audit_entry_user_id_at", table_name="audit_entry")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)  # not a copy of the table, which would lose the guards of the log
    op.create_index("ix_audit_entry_user_id", "audit_entry", ["user_id"])
