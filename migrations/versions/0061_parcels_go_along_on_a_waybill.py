"""Several parcels go on one waybill, print jobs have a kind, and carriers are asked to collect at a time.

Revision ID: 0061
Revises: 0080
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0061"
down_revision = "0080"
branch_labels = None
depends_on = None

COLUMNS = ("pickup_until", "pickup_from", "label_kind", "mother_id")


def upgrade() -> None:
    with op.batch_alter_table("waybills") as table:
        table.add_column(sa.Column("mother_id", base.BigId, nullable=True))
        table.add_column(sa.Column("label_kind", sa.String(), nullable=True))
        table.add_column(sa.Column("pickup_from", base.UtcDateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("pickup_until", base.UtcDateTime(timezone=True), nullable=True))
        table.create_foreign_key(
            op.f("fk_waybills_mother_id"), "waybills", ["mother_id"], ["id"], postgresql_not_valid=True
        )
    with op.get_context().autocommit_block():
        op.create_index(
            op.f("ix_waybills_mother_id"),
            "waybills",
            ["mother_id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        if op.get_context().dialect.name == "postgresql":
            op.execute("ALTER TABLE waybills VALIDATE CONSTRAINT fk_waybills_mother_id")


def downgrade() -> None:
    op.drop_index(op.f("ix_waybills_mother_id"), "waybills")
    with op.batch_alter_table("waybills") as table:
        table.drop_constraint(op.f("fk_waybills_mother_id"), type_="foreignkey")
        for name in COLUMNS:
            table.drop_column(name)
