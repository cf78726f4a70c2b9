"""Store credit, gift cards, where refunds go, regions of cash on delivery, and cash that couriers hand in.

Revision ID: 0044
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0044"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cash_rules",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("country_code", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("min_amount", sa.BigInteger(), nullable=False),
        sa.Column("max_amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("0 <= min_amount AND 0 <= max_amount", name=op.f("ck_cash_rules_amounts")),
        sa.CheckConstraint("province = '' OR country_code != ''", name=op.f("ck_cash_rules_province")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cash_rules")),
        sa.UniqueConstraint(
            "country_code", "province", "currency", name=op.f("uq_cash_rules_country_code_province_currency")
        ),
    )
    op.create_table(
        "cash_hand_ins",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("delivery_run_id", base.BigId, nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("expected_amount", sa.BigInteger(), nullable=False),
        sa.Column("counted_amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("corrects_id", base.BigId, nullable=True),
        sa.Column("received_by", base.BigId, nullable=True),
        sa.Column("received_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("resolved_by", base.BigId, nullable=True),
        sa.Column("resolved_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.CheckConstraint("counted_amount >= 0", name=op.f("ck_cash_hand_ins_counted")),
        sa.ForeignKeyConstraint(
            ["delivery_run_id"], ["delivery_runs.id"], name=op.f("fk_cash_hand_ins_delivery_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["cash_hand_ins.id"], name=op.f("fk_cash_hand_ins_corrects_id")
        ),
        sa.ForeignKeyConstraint(["received_by"], ["accounts.id"], name=op.f("fk_cash_hand_ins_received_by")),
        sa.ForeignKeyConstraint(["resolved_by"], ["accounts.id"], name=op.f("fk_cash_hand_ins_resolved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cash_hand_ins")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_cash_hand_ins_corrects_id")),
    )
    op.create_index("ix_cash_hand_ins_delivery_run_id", "cash_hand_ins", ["delivery_run_id"])
    op.create_index("ix_cash_hand_ins_resolved_at", "cash_hand_ins", ["resolved_at"])
    op.create_table(
        "courier_cash_movements",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("delivery_run_id", base.BigId, nullable=False),
        sa.Column("posting_id", base.BigId, nullable=False),
        sa.Column("hand_in_id", base.BigId, nullable=True),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount != 0", name=op.f("ck_courier_cash_movements_not_zero")),
        sa.ForeignKeyConstraint(
            ["delivery_run_id"], ["delivery_runs.id"], name=op.f("fk_courier_cash_movements_delivery_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["posting_id"], ["postings.id"], name=op.f("fk_courier_cash_movements_posting_id")
        ),
        sa.ForeignKeyConstraint(
            ["hand_in_id"], ["cash_hand_ins.id"], name=op.f("fk_courier_cash_movements_hand_in_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_cash_movements")),
        sa.UniqueConstraint("posting_id", name=op.f("uq_courier_cash_movements_posting_id")),
    )
    for column in ("delivery_run_id", "hand_in_id"):
        op.create_index(op.f(f"ix_courier_cash_movements_{column}"), "courier_cash_movements", [column])
    op.create_table(
        "store_credits",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_store_credits_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_credits")),
        sa.UniqueConstraint("account_id", "currency", name=op.f("uq_store_credits_account_id_currency")),
    )
    op.create_table(
        "gift_cards",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("last_characters", sa.String(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("issued_by", base.BigId, nullable=True),
        sa.Column("issued_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("redeemed_by", base.BigId, nullable=True),
        sa.Column("redeemed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_by", base.BigId, nullable=True),
        sa.Column("ended_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_gift_cards_amount")),
        sa.CheckConstraint(
            "(status = 'REDEEMED') = (redeemed_at IS NOT NULL)", name=op.f("ck_gift_cards_redeemed")
        ),
        sa.ForeignKeyConstraint(["issued_by"], ["accounts.id"], name=op.f("fk_gift_cards_issued_by")),
        sa.ForeignKeyConstraint(["redeemed_by"], ["accounts.id"], name=op.f("fk_gift_cards_redeemed_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["accounts.id"], name=op.f("fk_gift_cards_ended_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_cards")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_gift_cards_code_hash")),
    )
    op.create_index(op.f("ix_gift_cards_redeemed_by"), "gift_cards", ["redeemed_by"])
    op.create_index("ix_gift_cards_status_expires_at", "gift_cards", ["status", "expires_at"])
    op.create_table(
        "store_credit_movements",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("store_credit_id", base.BigId, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("order_id", base.BigId, nullable=True),
        sa.Column("payment_id", base.BigId, nullable=True),
        sa.Column("refund_id", base.BigId, nullable=True),
        sa.Column("gift_card_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(amount > 0) = (kind IN ('REDEEMED', 'REFUNDED'))", name=op.f("ck_store_credit_movements_amount")
        ),
        sa.CheckConstraint("amount != 0", name=op.f("ck_store_credit_movements_not_zero")),
        sa.ForeignKeyConstraint(
            ["store_credit_id"], ["store_credits.id"], name=op.f("fk_store_credit_movements_store_credit_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_store_credit_movements_order_id")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_store_credit_movements_payment_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_store_credit_movements_refund_id")
        ),
        sa.ForeignKeyConstraint(
            ["gift_card_id"], ["gift_cards.id"], name=op.f("fk_store_credit_movements_gift_card_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_credit_movements")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_store_credit_movements_payment_id")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_store_credit_movements_refund_id")),
        sa.UniqueConstraint("gift_card_id", name=op.f("uq_store_credit_movements_gift_card_id")),
    )
    op.create_index(op.f("ix_store_credit_movements_order_id"), "store_credit_movements", ["order_id"])
    op.create_index(
        "ix_store_credit_movements_store_credit_id_id", "store_credit_movements", ["store_credit_id", "id"]
    )
    op.add_column("refunds", sa.Column("target", sa.String(32), nullable=False, server_default="ORIGINAL"))
    op.add_column(
        "tickets", sa.Column("refund_target", sa.String(32), nullable=False, server_default="ORIGINAL")
    )
    for table in ("postings", "ledger_entries"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column("order_id", existing_type=base.BigId, nullable=True)


def downgrade() -> None:
    op.execute(
        "DELETE FROM ledger_entries WHERE posting_id IN (SELECT id FROM postings WHERE order_id IS NULL)"
    )
    op.execute("DELETE FROM postings WHERE order_id IS NULL")
    for table in ("ledger_entries", "postings"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column("order_id", existing_type=base.BigId, nullable=False)
    op.drop_column("tickets", "refund_target")
    op.drop_column("refunds", "target")
    for table in ("store_credit_movements", "gift_cards", "store_credits"):
        op.drop_table(table)
    for table in ("courier_cash_movements", "cash_hand_ins", "cash_rules"):
        op.drop_table(table)
