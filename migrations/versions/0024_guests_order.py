"""Guests order without an account of their own: where they are reached.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

REACHABLE = "email IS NOT NULL OR phone IS NOT NULL OR erased_at IS NOT NULL"
GUESTS_TOO = "email IS NOT NULL OR phone IS NOT NULL OR role = 'GUEST_BUYER' OR erased_at IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "guest_accounts",
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("closed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "email IS NOT NULL OR phone IS NOT NULL OR closed_at IS NOT NULL",
            name=op.f("ck_guest_accounts_reachable"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_guest_accounts_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_guest_accounts")),
        sa.UniqueConstraint("key", name=op.f("uq_guest_accounts_key")),
    )
    op.create_index(op.f("ix_guest_accounts_email"), "guest_accounts", ["email"])
    op.create_index(op.f("ix_guest_accounts_phone"), "guest_accounts", ["phone"])
    replace_check(GUESTS_TOO)


def downgrade() -> None:
    replace_check(REACHABLE)
    op.drop_table("guest_accounts")


def replace_check(condition: str) -> None:
    """Replace the check; the next migration looks at the rows that are there, without this lock."""
    if op.get_context().dialect.name == "sqlite":
        with op.batch_alter_table("accounts", schema=None) as batch_op:
            batch_op.drop_constraint(op.f("ck_accounts_reachable"), type_="check")
            batch_op.create_check_constraint(op.f("ck_accounts_reachable"), condition)
    else:
        op.execute("ALTER TABLE accounts DROP CONSTRAINT ck_accounts_reachable")
        op.execute(f"ALTER TABLE accounts ADD CONSTRAINT ck_accounts_reachable CHECK ({condition}) NOT VALID")
