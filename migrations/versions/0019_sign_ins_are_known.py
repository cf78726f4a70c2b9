"""Sign-ins are known by a row of their own, which access tokens are checked with.

Sign-ins that are in use get their row. One that a former version of the shop begins meanwhile gets it with
its first refresh: until then its access token is refused, which makes a client refresh it.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LIVING = """
INSERT INTO sign_ins (account_id, family, address, user_agent, created_at, used_at, expires_at)
SELECT account_id, family, '', '', MIN(created_at), MAX(created_at), MAX(expires_at)
FROM sessions GROUP BY account_id, family HAVING COUNT(revoked_at) = 0
"""


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sign_ins_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("family", name=op.f("uq_sign_ins_family")),
    )
    op.create_index(op.f("ix_sign_ins_account_id"), "sign_ins", ["account_id"])
    op.execute(LIVING)


def downgrade() -> None:
    op.drop_table("sign_ins")
