"""Box types, waves, open parcels, and the numbers of parcels that were unpacked.

Revision ID: 0065
Revises: 0070
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0065"
down_revision = "0070"
branch_labels = None
depends_on = None


def key(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, base.BigId, nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, base.UtcDateTime(timezone=True), nullable=null)


def refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "box_types",
        key("id"),
        sa.Column("name", sa.String(), nullable=False),
        key("warehouse_id", null=True),
        sa.Column("length_mm", sa.Integer(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("max_weight_grams", sa.Integer(), nullable=False),
        sa.Column("own_weight_grams", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        moment("archived_at", null=True),
        sa.CheckConstraint(
            "length_mm > 0 AND width_mm > 0 AND height_mm > 0", name=op.f("ck_box_types_size")
        ),
        sa.CheckConstraint(
            "0 <= own_weight_grams AND own_weight_grams < max_weight_grams", name=op.f("ck_box_types_weight")
        ),
        refers("box_types", "warehouse_id", "warehouses"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_types")),
    )
    op.create_index("ix_box_types_warehouse_id", "box_types", ["warehouse_id"])
    op.create_table(
        "waves",
        key("id"),
        sa.Column("number", sa.String(), nullable=False),
        key("warehouse_id"),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("carrier", sa.String(32), nullable=True),
        moment("due_at", null=True),
        moment("opened_at"),
        key("opened_by_id", null=True),
        moment("ended_at", null=True),
        refers("waves", "warehouse_id", "warehouses"),
        refers("waves", "opened_by_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waves")),
        sa.UniqueConstraint("number", name=op.f("uq_waves_number")),
    )
    op.create_index("ix_waves_warehouse_id_id", "waves", ["warehouse_id", "id"])
    op.create_table(
        "wave_parts",
        key("id"),
        key("wave_id"),
        key("order_id"),
        key("delivery_id"),
        key("warehouse_id"),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=True),
        moment("ended_at", null=True),
        refers("wave_parts", "wave_id", "waves"),
        refers("wave_parts", "order_id", "orders"),
        refers("wave_parts", "delivery_id", "deliveries"),
        refers("wave_parts", "warehouse_id", "warehouses"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave_parts")),
    )
    op.create_index("ix_wave_parts_wave_id", "wave_parts", ["wave_id"])
    op.create_index("ix_wave_parts_order_id", "wave_parts", ["order_id"])
    is_picking = sa.text("status = 'PICKING'")
    op.create_index(
        "ix_wave_parts_one_wave",
        "wave_parts",
        ["delivery_id", "warehouse_id"],
        unique=True,
        postgresql_where=is_picking,
        sqlite_where=is_picking,
    )
    op.create_table(
        "wave_units",
        key("part_id"),
        key("delivery_line_id"),
        key("order_line_id"),
        key("variant_id"),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_wave_units_quantity")),
        refers("wave_units", "part_id", "wave_parts"),
        refers("wave_units", "order_line_id", "order_lines"),
        refers("wave_units", "variant_id", "variants"),
        sa.PrimaryKeyConstraint("part_id", "delivery_line_id", name=op.f("pk_wave_units")),
    )
    op.create_index("ix_wave_units_delivery_line_id", "wave_units", ["delivery_line_id"])
    op.create_table(
        "open_parcels",
        key("id"),
        key("order_id"),
        key("delivery_id"),
        key("warehouse_id"),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=True),
        key("shipment_id", null=True),
        moment("opened_at"),
        key("opened_by_id", null=True),
        moment("touched_at"),
        moment("ended_at", null=True),
        refers("open_parcels", "order_id", "orders"),
        refers("open_parcels", "delivery_id", "deliveries"),
        refers("open_parcels", "warehouse_id", "warehouses"),
        refers("open_parcels", "opened_by_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_parcels")),
    )
    op.create_index("ix_open_parcels_delivery_id", "open_parcels", ["delivery_id"])
    op.create_index("ix_open_parcels_order_id", "open_parcels", ["order_id"])
    op.create_index("ix_open_parcels_touched_at", "open_parcels", ["status", "touched_at"])
    op.create_table(
        "open_parcel_lines",
        key("open_parcel_id"),
        key("delivery_line_id"),
        key("order_line_id"),
        key("variant_id"),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_open_parcel_lines_quantity")),
        refers("open_parcel_lines", "open_parcel_id", "open_parcels"),
        refers("open_parcel_lines", "order_line_id", "order_lines"),
        refers("open_parcel_lines", "variant_id", "variants"),
        sa.PrimaryKeyConstraint("open_parcel_id", "delivery_line_id", name=op.f("pk_open_parcel_lines")),
    )
    op.create_index("ix_open_parcel_lines_delivery_line_id", "open_parcel_lines", ["delivery_line_id"])
    op.create_table(
        "unpacked_parcels",
        sa.Column("id", base.BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        key("order_id"),
        key("delivery_id"),
        moment("unpacked_at"),
        key("unpacked_by_id", null=True),
        refers("unpacked_parcels", "order_id", "orders"),
        refers("unpacked_parcels", "delivery_id", "deliveries"),
        refers("unpacked_parcels", "unpacked_by_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unpacked_parcels")),
        sa.UniqueConstraint("number", name=op.f("uq_unpacked_parcels_number")),
    )
    op.create_index("ix_unpacked_parcels_delivery_id", "unpacked_parcels", ["delivery_id"])
    op.add_column("shipments", key("box_type_id", null=True))
    op.add_column("waybills", key("unpacked_id", null=True))
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_waybills_unpacked_id",
            "waybills",
            ["unpacked_id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_waybills_unpacked_id", "waybills")
    op.drop_column("waybills", "unpacked_id")
    op.drop_column("shipments", "box_type_id")
    op.drop_table("unpacked_parcels")
    op.drop_table("open_parcel_lines")
    op.drop_table("open_parcels")
    op.drop_table("wave_units")
    op.drop_table("wave_parts")
    op.drop_table("waves")
    op.drop_table("box_types")
