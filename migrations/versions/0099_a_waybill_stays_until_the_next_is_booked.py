"""A parcel has one booked waybill, another one may be asked for meanwhile; one that ended may arrive still.

Revision ID: 0099
Revises: 0098
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None

SIGNED = "signed_after_end_at"
GIVE_UP_ALL_BUT_ONE = """
UPDATE waybills SET status = 'CANCELLING', call_at = requested_at
WHERE status = 'REQUESTED' AND EXISTS (
    SELECT 1 FROM waybills AS other
    WHERE other.shipment_id = waybills.shipment_id
    AND (other.status = 'BOOKED' OR other.status = 'REQUESTED' AND other.id > waybills.id)
)
"""


def upgrade() -> None:
    op.add_column("shipments", sa.Column(SIGNED, base.UtcDateTime(timezone=True)))
    with op.get_context().autocommit_block():
        create_index("ix_waybills_one_booked", "waybills", "shipment_id", "status = 'BOOKED'", unique=True)
        create_index(f"ix_shipments_{SIGNED}", "shipments", SIGNED, f"{SIGNED} IS NOT NULL")
    op.drop_index("ix_waybills_one_live", "waybills")


def downgrade() -> None:
    op.execute(GIVE_UP_ALL_BUT_ONE)
    is_live = "status IN ('REQUESTED', 'BOOKED')"
    with op.get_context().autocommit_block():
        create_index("ix_waybills_one_live", "waybills", "shipment_id", is_live, unique=True)
    op.drop_index("ix_waybills_one_booked", "waybills")
    op.drop_index(f"ix_shipments_{SIGNED}", "shipments")
    op.drop_column("shipments", SIGNED)


def create_index(name: str, table: str, column: str, condition: str, *, unique: bool = False) -> None:
    op.create_index(
        name,
        table,
        [column],
        unique=unique,
        postgresql_concurrently=True,
        if_not_exists=True,
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )
