"""A question may be about no order.

Revision ID: 0111
Revises: 0075
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0111"
down_revision = "0075"
branch_labels = None
depends_on = None

NAME = "ck_tickets_order"
WITHOUT_ORDER = "(SELECT id FROM tickets WHERE order_id IS NULL)"
MESSAGES = f"(SELECT id FROM ticket_messages WHERE ticket_id IN {WITHOUT_ORDER})"


def upgrade() -> None:
    with op.batch_alter_table("tickets") as table:
        table.alter_column("order_id", existing_type=base.BigId, nullable=True)
        table.create_check_constraint(
            op.f(NAME), "order_id IS NOT NULL OR type = 'QUESTION'", postgresql_not_valid=True
        )
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.execute(f"ALTER TABLE tickets VALIDATE CONSTRAINT {NAME}")


def downgrade() -> None:
    # The release before knows no ticket without an order: these questions end with all that was written.
    for table in ("ticket_message_media", "ticket_mentions"):
        op.execute(f"DELETE FROM {table} WHERE message_id IN {MESSAGES}")
    for table in ("ticket_reads", "ticket_messages", "ticket_media", "ticket_releases", "ticket_ratings"):
        op.execute(f"DELETE FROM {table} WHERE ticket_id IN {WITHOUT_ORDER}")
    events = f"subject = 'TICKET' AND subject_id IN {WITHOUT_ORDER}"
    op.execute(f"DELETE FROM reactions_done WHERE event_id IN (SELECT id FROM events WHERE {events})")
    for table in ("events", "archived_events"):
        op.execute(f"DELETE FROM {table} WHERE {events}")
    op.execute("DELETE FROM tickets WHERE order_id IS NULL")
    check = sa.CheckConstraint("order_id IS NOT NULL OR type = 'QUESTION'", name=op.f(NAME))
    with op.batch_alter_table("tickets", table_args=(check,)) as tickets:
        tickets.drop_constraint(op.f(NAME), type_="check")
        tickets.alter_column("order_id", existing_type=base.BigId, nullable=False)
