"""Couriers have the cash in hand that they have collected, until somebody counts it.

What was collected before on runs that have ended counts as handed in, and what was collected otherwise lies in the
till; what was collected on runs that are under way is in their couriers' hands.

Revision ID: 0048
Revises: 0047
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

HELD = sa.text("cash_held_since IS NOT NULL")

MOVE_COLLECTED = """
INSERT INTO courier_cash_movements (delivery_run_id, posting_id, currency, amount, created_at)
SELECT delivery_run_id, posting_id, currency, amount, created_at
FROM (
    SELECT p.id AS posting_id, e.currency, e.amount, p.created_at, (
        SELECT s.delivery_run_id
        FROM delivery_run_stops s
        JOIN shipments h ON h.id = s.shipment_id
        WHERE h.order_id = p.order_id AND h.cash_collected_at = p.created_at AND s.outcome = 'DELIVERED'
        ORDER BY s.id DESC
        LIMIT 1
    ) AS delivery_run_id
    FROM postings p
    JOIN ledger_entries e ON e.posting_id = p.id AND e.account = 'CASH'
    WHERE p.kind = 'CASH_COLLECTED'
) AS collected
WHERE delivery_run_id IS NOT NULL
"""
"""What a courier has collected; of several runs in one posting it is that of the last stop."""

HAND_IN = """
INSERT INTO cash_hand_ins
    (delivery_run_id, currency, expected_amount, counted_amount, received_at, resolved_at)
SELECT m.delivery_run_id, m.currency, SUM(m.amount), SUM(m.amount), MAX(m.created_at), MAX(m.created_at)
FROM courier_cash_movements m
JOIN delivery_runs r ON r.id = m.delivery_run_id
WHERE r.status = 'COMPLETED'
GROUP BY m.delivery_run_id, m.currency
"""

POST_HAND_INS = """
INSERT INTO postings (kind, key, created_at)
SELECT 'CASH_HANDED_IN', 'hand-in\\:' || CAST(id AS VARCHAR) || '\\:CASH_HANDED_IN', received_at
FROM cash_hand_ins
"""

ENTER_HAND_INS = """
INSERT INTO ledger_entries (posting_id, account, currency, amount)
SELECT p.id, '{account}', h.currency, {sign} h.counted_amount
FROM cash_hand_ins h
JOIN postings p ON p.key = 'hand-in\\:' || CAST(h.id AS VARCHAR) || '\\:CASH_HANDED_IN'
"""

MOVE_HAND_INS = """
INSERT INTO courier_cash_movements (delivery_run_id, posting_id, hand_in_id, currency, amount, created_at)
SELECT h.delivery_run_id, p.id, h.id, h.currency, -h.counted_amount, h.received_at
FROM cash_hand_ins h
JOIN postings p ON p.key = 'hand-in\\:' || CAST(h.id AS VARCHAR) || '\\:CASH_HANDED_IN'
"""

POST_TILL = """
INSERT INTO postings (order_id, payment_id, kind, key, created_at)
SELECT p.order_id, p.payment_id, 'CASH_HANDED_IN', 'till\\:' || p.key, p.created_at
FROM postings p
JOIN ledger_entries e ON e.posting_id = p.id AND e.account = 'CASH'
WHERE p.kind = 'CASH_COLLECTED'
    AND NOT EXISTS (SELECT 1 FROM courier_cash_movements m WHERE m.posting_id = p.id)
"""
"""What carriers handed over, and what was paid at a counter."""

ENTER_TILL = """
INSERT INTO ledger_entries (posting_id, order_id, account, currency, amount)
SELECT t.id, t.order_id, '{account}', e.currency, {sign} e.amount
FROM postings t
JOIN postings p ON t.key = 'till\\:' || p.key
JOIN ledger_entries e ON e.posting_id = p.id AND e.account = 'CASH'
WHERE t.kind = 'CASH_HANDED_IN' AND p.kind = 'CASH_COLLECTED'
"""

HOLD = """
UPDATE delivery_runs SET cash_held_since = (
    SELECT MIN(m.created_at) FROM courier_cash_movements m WHERE m.delivery_run_id = delivery_runs.id
)
WHERE status = 'ACTIVE'
"""


BACKFILL = (
    MOVE_COLLECTED,
    HAND_IN,
    POST_HAND_INS,
    ENTER_HAND_INS.format(account="TILL", sign="+"),
    ENTER_HAND_INS.format(account="CASH", sign="-"),
    MOVE_HAND_INS,
    POST_TILL,
    ENTER_TILL.format(account="TILL", sign="+"),
    ENTER_TILL.format(account="CASH", sign="-"),
    HOLD,
)


def upgrade() -> None:
    for column in ("cash_held_since", "cash_overdue_at"):
        op.add_column("delivery_runs", sa.Column(column, base.UtcDateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_delivery_runs_cash_held_since",
        "delivery_runs",
        ["cash_held_since"],
        sqlite_where=HELD,
        postgresql_where=HELD,
    )
    for statement in BACKFILL:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DELETE FROM courier_cash_movements")
    op.execute("DELETE FROM cash_hand_ins")
    own = "key LIKE 'hand-in:%' OR key LIKE 'till:%' OR key LIKE 'cash difference:%'"
    op.execute(f"DELETE FROM ledger_entries WHERE posting_id IN (SELECT id FROM postings WHERE {own})")
    op.execute(f"DELETE FROM postings WHERE {own}")
    op.drop_index("ix_delivery_runs_cash_held_since", "delivery_runs")
    op.drop_column("delivery_runs", "cash_overdue_at")
    op.drop_column("delivery_runs", "cash_held_since")
