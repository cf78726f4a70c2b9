"""Late and silent parcels are tasks of the staff.

Revision ID: 0071
Revises: 0082
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0071"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shipment_tasks",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("shipment_id", base.BigId, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("due_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("opened_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resolved_by_id", base.BigId, nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_tasks_shipment_id")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["accounts.id"], name=op.f("fk_shipment_tasks_resolved_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_tasks")),
        sa.UniqueConstraint(
            "shipment_id", "kind", "due_at", name=op.f("uq_shipment_tasks_shipment_id_kind_due_at")
        ),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_shipment_tasks_open",
        "shipment_tasks",
        ["shipment_id", "kind"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def downgrade() -> None:
    op.drop_table("shipment_tasks")
