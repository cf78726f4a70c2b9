"""Vehicles, couriers' shifts and skills, drafts of delivery runs, proofs of delivery, and courier positions.

Revision ID: 0073
Revises: 0081
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0073"
down_revision = "0081"
branch_labels = None
depends_on = None

MOMENT = base.UtcDateTime(timezone=True)
RUN_COLUMNS = (
    ("solver", sa.String(32)),
    ("distance_source", sa.String(32)),
    ("departs_at", MOMENT),
    ("returns_at", MOMENT),
    ("distance_metres", sa.Integer()),
    ("draft_until", MOMENT),
    ("replan_due_at", MOMENT),
)
STOP_COLUMNS = (
    ("distance_metres", sa.Integer()),
    ("window_from", MOMENT),
    ("window_until", MOMENT),
)
FILLED = ("service_seconds", "priority", "skills", "locked")
PARTIAL = {
    "uq_delivery_runs_vehicle_active": ("vehicle_id", "status = 'ACTIVE'"),
    "ix_delivery_runs_draft_until": ("draft_until", "status = 'DRAFT'"),
    "ix_delivery_runs_replan_due_at": ("replan_due_at", "replan_due_at IS NOT NULL"),
    "ix_delivery_runs_position_at": ("position_at", "position_at IS NOT NULL"),
}


def upgrade() -> None:
    op.create_table(
        "vehicles",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("capacity_grams", sa.Integer(), nullable=True),
        sa.Column("capacity_litres", sa.Integer(), nullable=True),
        sa.Column("capacity_parcels", sa.Integer(), nullable=True),
        sa.Column("speed_kmh", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("cost_per_km_amount", sa.BigInteger(), nullable=False),
        sa.Column("cost_per_hour_amount", sa.BigInteger(), nullable=False),
        sa.Column("shifts", base.Json, nullable=False),
        sa.Column("skills", base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("archived_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "capacity_grams IS NOT NULL OR capacity_litres IS NOT NULL OR capacity_parcels IS NOT NULL",
            name=op.f("ck_vehicles_capacity"),
        ),
        sa.CheckConstraint("speed_kmh > 0", name=op.f("ck_vehicles_speed")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_vehicles_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicles")),
    )
    op.create_index("ix_vehicles_warehouse_id", "vehicles", ["warehouse_id"])
    op.create_index("uq_vehicles_name", "vehicles", ["name"], unique=True)
    op.create_table(
        "courier_profiles",
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("skills", base.Json, nullable=False),
        sa.Column("shifts", base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_courier_profiles_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_courier_profiles")),
    )
    with op.batch_alter_table("delivery_runs") as batch_op:
        batch_op.alter_column("courier_id", existing_type=base.BigId, nullable=True)
        batch_op.add_column(sa.Column("vehicle_id", base.BigId, nullable=True))
        batch_op.create_foreign_key("fk_delivery_runs_vehicle_id", "vehicles", ["vehicle_id"], ["id"])
        batch_op.add_column(sa.Column("plan_note", sa.String(), nullable=False, server_default=""))
        for name, kind in RUN_COLUMNS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    op.create_index("ix_delivery_runs_vehicle_id_id", "delivery_runs", ["vehicle_id", "id"])
    for name, (indexed, condition) in PARTIAL.items():
        where = sa.text(condition)
        op.create_index(
            name,
            "delivery_runs",
            [indexed],
            unique=name.startswith("uq_"),
            sqlite_where=where,
            postgresql_where=where,
        )
    for stop_column, stop_kind in STOP_COLUMNS:
        op.add_column("delivery_run_stops", sa.Column(stop_column, stop_kind, nullable=True))
    for column in filled_columns():
        op.add_column("delivery_run_stops", column)
    op.create_table(
        "delivery_proofs",
        sa.Column("delivery_run_stop_id", base.BigId, nullable=False),
        sa.Column("signature_id", base.BigId, nullable=True),
        sa.Column("photo_id", base.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_run_stop_id"],
            ["delivery_run_stops.id"],
            name=op.f("fk_delivery_proofs_delivery_run_stop_id"),
        ),
        sa.ForeignKeyConstraint(["signature_id"], ["media.id"], name=op.f("fk_delivery_proofs_signature_id")),
        sa.ForeignKeyConstraint(["photo_id"], ["media.id"], name=op.f("fk_delivery_proofs_photo_id")),
        sa.PrimaryKeyConstraint("delivery_run_stop_id", name=op.f("pk_delivery_proofs")),
    )
    op.create_index("uq_delivery_proofs_signature_id", "delivery_proofs", ["signature_id"], unique=True)
    op.create_index("uq_delivery_proofs_photo_id", "delivery_proofs", ["photo_id"], unique=True)
    op.create_table(
        "courier_positions",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("delivery_run_id", base.BigId, nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_run_id"], ["delivery_runs.id"], name=op.f("fk_courier_positions_delivery_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_positions")),
    )
    op.create_index(
        "ix_courier_positions_delivery_run_id_at",
        "courier_positions",
        ["delivery_run_id", "at"],
        unique=True,
    )
    op.create_index("ix_courier_positions_at", "courier_positions", ["at"])


def downgrade() -> None:
    """A draft has no courier: it ends, and its parcels are free again."""
    op.drop_table("courier_positions")
    op.drop_table("delivery_proofs")
    drafts = "SELECT id FROM delivery_runs WHERE courier_id IS NULL"
    op.execute(f"DELETE FROM delivery_run_stops WHERE delivery_run_id IN ({drafts})")
    op.execute("DELETE FROM events WHERE subject = 'DELIVERY_RUN' AND subject_id IN (" + drafts + ")")
    op.execute("DELETE FROM delivery_runs WHERE courier_id IS NULL")
    for name in (*FILLED, *(name for name, _ in STOP_COLUMNS)):
        op.drop_column("delivery_run_stops", name)
    for name in (*PARTIAL, "ix_delivery_runs_vehicle_id_id"):
        op.drop_index(name, "delivery_runs")
    with op.batch_alter_table("delivery_runs") as batch_op:
        batch_op.drop_constraint("fk_delivery_runs_vehicle_id", type_="foreignkey")
        for name in ("vehicle_id", "plan_note", *(name for name, _ in RUN_COLUMNS)):
            batch_op.drop_column(name)
        batch_op.alter_column("courier_id", existing_type=base.BigId, nullable=False)
    op.drop_table("courier_profiles")
    op.drop_table("vehicles")


def filled_columns() -> list[sa.Column[Any]]:
    """Columns of stops that the database fills where the last release does not."""
    zero, empty, no = sa.text("0"), sa.text("'[]'"), sa.false()
    return [
        sa.Column("service_seconds", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("priority", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("skills", base.Json, nullable=False, server_default=empty),
        sa.Column("locked", sa.Boolean(), nullable=False, server_default=no),
    ]
