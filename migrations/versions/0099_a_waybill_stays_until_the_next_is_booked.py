"""A parcel has one booked waybill; another one may be asked for meanwhile.

Revision ID: 0099
Revises: 0098
"""

import sqlalchemy as sa
from alembic import op

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None


def upgrade() -> None:
    replace_index("ix_waybills_one_live", "ix_waybills_one_booked", "status = 'BOOKED'")


def downgrade() -> None:
    replace_index("ix_waybills_one_booked", "ix_waybills_one_live", "status IN ('REQUESTED', 'BOOKED')")


def replace_index(old: str, new: str, condition: str) -> None:
    op.drop_index(old, table_name="waybills")
    op.create_index(
        new,
        "waybills",
        ["shipment_id"],
        unique=True,
        postgresql_where=sa.text(condition),
        sqlite_where=sa.text(condition),
    )
