"""Calls to carriers are recorded.

Revision ID: 0088
Revises: 0066
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0088"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "carrier_calls",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("waybill_id", base.BigId, nullable=True),
        sa.Column("shipment_id", base.BigId, nullable=True),
        sa.Column("carrier", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("actor_id", base.BigId, nullable=True),
        sa.Column("called_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_called_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(waybill_id IS NULL) <> (shipment_id IS NULL)", name=op.f("ck_carrier_calls_about")
        ),
        sa.CheckConstraint("times > 0", name=op.f("ck_carrier_calls_times")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_carrier_calls_order_id")),
        sa.ForeignKeyConstraint(["waybill_id"], ["waybills.id"], name=op.f("fk_carrier_calls_waybill_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_carrier_calls_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_calls")),
    )
    op.create_index(op.f("ix_carrier_calls_order_id"), "carrier_calls", ["order_id"])
    op.create_index("ix_carrier_calls_waybill_id_kind", "carrier_calls", ["waybill_id", "kind"])
    op.create_index("ix_carrier_calls_shipment_id_kind", "carrier_calls", ["shipment_id", "kind"])
    op.create_index("ix_carrier_calls_last_called_at", "carrier_calls", ["last_called_at"])


def downgrade() -> None:
    op.drop_table("carrier_calls")
