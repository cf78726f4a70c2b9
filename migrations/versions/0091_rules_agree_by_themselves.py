"""Rules by which the shop agrees by itself are kept in versions, with what they decide.

Revision ID: 0091
Revises: 0068
"""

import json

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0091"
down_revision = "0068"
branch_labels = None
depends_on = None

TYPES = ("REFUND_ONLY", "RETURN_REFUND", "EXCHANGE", "RESHIP")
REASONS = (
    "NO_REASON",
    "QUALITY_FAULT",
    "WRONG_ITEM",
    "MISSING_ITEM",
    "DAMAGED",
    "NOT_AS_DESCRIBED",
    "NOT_RECEIVED",
)
DAILY = {"CNY": 1_000_000, "USD": 140_000, "EUR": 130_000, "GBP": 110_000, "JPY": 200_000, "HKD": 1_100_000}


def upgrade() -> None:
    op.create_table(
        "agreement_rules",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("moment", sa.String(32), nullable=False),
        sa.Column("types", base.Json, nullable=False),
        sa.Column("reasons", base.Json, nullable=False),
        sa.Column("amounts", base.Json, nullable=False),
        sa.Column("daily_amounts", base.Json, nullable=False),
        sa.Column("daily_tickets", sa.Integer(), nullable=False),
        sa.Column("needs_picture", sa.Boolean(), nullable=False),
        sa.Column("orders_at_least", sa.Integer(), nullable=False),
        sa.Column("tickets_at_most", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("author_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_agreement_rules_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_rules")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_agreement_rules_code_version")),
    )
    zone = "" if op.get_context().dialect.name == "sqlite" else "+00"
    op.execute(
        "INSERT INTO agreement_rules (code, version, title, moment, types, reasons, amounts, daily_amounts,"
        " daily_tickets, needs_picture, orders_at_least, active, created_at)"
        " VALUES ('silence', 1, 'Nobody has answered in time', 'SILENCE',"
        f" '{json.dumps(TYPES)}', '{json.dumps(REASONS)}', '{{}}', '{json.dumps(DAILY)}',"
        f" 100, false, 0, true, '2000-01-01 00:00:00.000000{zone}')"
    )
    op.create_table(
        "rule_decisions",
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("rule_id", base.BigId, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("daily_amount", sa.BigInteger(), nullable=False),
        sa.Column("daily_tickets", sa.Integer(), nullable=False),
        sa.Column("decided_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_rule_decisions_ticket_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["agreement_rules.id"], name=op.f("fk_rule_decisions_rule_id")),
        sa.PrimaryKeyConstraint("ticket_id", "step", name=op.f("pk_rule_decisions")),
    )
    op.create_index("ix_rule_decisions_rule_id", "rule_decisions", ["rule_id"])
    op.create_index("ix_rule_decisions_code_day", "rule_decisions", ["code", "day"])
    op.add_column("tickets", sa.Column("overdue_since", base.UtcDateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("overdue_obstacle", sa.String(32), nullable=True))


def downgrade() -> None:
    op.drop_column("tickets", "overdue_obstacle")
    op.drop_column("tickets", "overdue_since")
    op.drop_table("rule_decisions")
    op.drop_table("agreement_rules")
