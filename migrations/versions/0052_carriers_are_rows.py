"""Carriers are rows, waybills are asked for and recorded; tracking events may have no status.

Parcels keep their carrier: its code is what they name it by already.

Revision ID: 0052
Revises: 0049
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0052"
down_revision = "0049"
branch_labels = None
depends_on = None

FIRST_CARRIERS = (
    ("SIMULATED", "Simulated carrier", "SIMULATED", 1),
    ("OWN", "Own couriers", "OWN_COURIERS", 2),
)


def upgrade() -> None:
    op.create_table(
        "carriers",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("connection", sa.String(32), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("company_code", sa.String(), nullable=False),
        sa.Column("tracking_link", sa.String(), nullable=False),
        sa.Column("poll_seconds", sa.Integer(), nullable=True),
        sa.Column("cut_offs", base.Json, nullable=False),
        sa.Column("takes_cash", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("archived_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carriers")),
        sa.UniqueConstraint("code", name=op.f("uq_carriers_code")),
    )
    for statement in insert_first_carriers():
        op.execute(statement)
    op.create_table(
        "waybills",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("shipment_id", base.BigId, nullable=True),
        sa.Column("carrier", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("choice", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("children", base.Json, nullable=False),
        sa.Column("label_format", sa.String(32), nullable=True),
        sa.Column("label", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("estimated_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("requested_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("booked_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("call_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_waybills_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waybills")),
        sa.UniqueConstraint("reference", name=op.f("uq_waybills_reference")),
    )
    op.create_index("ix_waybills_shipment_id", "waybills", ["shipment_id"])
    op.create_index("ix_waybills_carrier_call_at", "waybills", ["carrier", "call_at"])
    is_live = sa.text("status IN ('REQUESTED', 'BOOKED')")
    op.create_index(
        "ix_waybills_one_live",
        "waybills",
        ["shipment_id"],
        unique=True,
        postgresql_where=is_live,
        sqlite_where=is_live,
    )
    op.add_column("shipments", sa.Column("polled_at", base.UtcDateTime(timezone=True), nullable=True))
    op.add_column("shipments", sa.Column("tracking_link", sa.String(), nullable=True))
    op.add_column("shipments", sa.Column("company_code", sa.String(), nullable=True))
    op.add_column("shipments", sa.Column("subscribed_at", base.UtcDateTime(timezone=True), nullable=True))
    op.add_column("tracking_events", sa.Column("text_hash", sa.String(64), nullable=True))
    with op.batch_alter_table("tracking_events") as batch_op:
        batch_op.drop_constraint("uq_tracking_events_shipment_id_occurred_at_code", type_="unique")
        batch_op.alter_column("status", existing_type=sa.String(32), nullable=True)
    op.create_table(
        "unhandled_reports",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("connection", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("tracking_number", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("detail_hash", sa.String(64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unhandled_reports")),
        sa.UniqueConstraint(
            "connection",
            "kind",
            "tracking_number",
            "detail_hash",
            name=op.f("uq_unhandled_reports_connection_kind_tracking_number_detail_hash"),
        ),
    )
    op.create_index("ix_unhandled_reports_last_at", "unhandled_reports", ["last_at"])


def downgrade() -> None:
    op.drop_table("unhandled_reports")
    with op.batch_alter_table("tracking_events") as batch_op:
        batch_op.alter_column("status", existing_type=sa.String(32), nullable=False)
        batch_op.create_unique_constraint(
            "uq_tracking_events_shipment_id_occurred_at_code", ["shipment_id", "occurred_at", "code"]
        )
    op.drop_column("tracking_events", "text_hash")
    op.drop_column("shipments", "subscribed_at")
    op.drop_column("shipments", "company_code")
    op.drop_column("shipments", "tracking_link")
    op.drop_column("shipments", "polled_at")
    op.drop_table("waybills")
    op.drop_table("carriers")


def insert_first_carriers() -> list[sa.TextClause]:
    """The statements that add the carriers every shop has."""
    no = "false"
    return [
        sa.text(
            "INSERT INTO carriers (code, name, connection, account, service, company_code, tracking_link,"
            f" cut_offs, takes_cash, position, version) VALUES ('{code}', '{name}', '{connection}', '', '', '',"
            f" '', '{{}}', {no}, {position}, 1)"
        )
        for code, name, connection, position in FIRST_CARRIERS
    ]


def first_carriers(connection: sa.Connection) -> None:
    """Add the carriers that every shop has; for databases that were made from the models, too."""
    for statement in insert_first_carriers():
        connection.execute(statement)
