"""Orders of which all was cancelled before anything was paid are not paid.

Revision ID: 0040
Revises: 0044
"""

from alembic import op

revision = "0040"
down_revision = "0044"
branch_labels = None
depends_on = None

STATEMENT = """
UPDATE orders SET payment_status = '{to}'
WHERE payment_status = '{now}' AND total_amount = 0 AND cancelled_amount > 0
AND NOT EXISTS (
    SELECT 1 FROM payments WHERE payments.order_id = orders.id AND payments.captured_amount > 0
)
"""


def upgrade() -> None:
    op.execute(STATEMENT.format(now="PAID", to="UNPAID"))


def downgrade() -> None:
    op.execute(STATEMENT.format(now="UNPAID", to="PAID"))
