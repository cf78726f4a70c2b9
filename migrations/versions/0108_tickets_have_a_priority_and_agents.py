"""Tickets have a priority, and the shop gives them to agents by skill and load.

Revision ID: 0108
Revises: 0074
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0108"
down_revision = "0074"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_tickets_attend_by": (["attend_by", "id"], "attend_by IS NOT NULL"),
    "ix_tickets_assignee_id": (["assignee_id"], "closed_at IS NULL OR attend_by IS NOT NULL"),
    "ix_tickets_unanswered": (["id"], "unanswered_since IS NOT NULL"),
    "ix_tickets_overdue": (["id"], "overdue_since IS NOT NULL"),
}
"""Name -> columns, and of which rows."""


def upgrade() -> None:
    op.add_column("tickets", sa.Column("attend_by", base.UtcDateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("value_hours", sa.Integer(), server_default="0", nullable=False))
    op.add_column("tickets", sa.Column("word_hours", sa.Integer(), server_default="0", nullable=False))
    op.add_column("tickets", sa.Column("urgent_terms", base.Json, server_default="[]", nullable=False))
    op.add_column("tickets", sa.Column("unanswered_since", base.UtcDateTime(timezone=True), nullable=True))
    op.create_table(
        "ticket_agents",
        sa.Column("account_id", base.BigId, autoincrement=False, nullable=False),
        sa.Column("open_limit", sa.Integer(), nullable=False),
        sa.Column("away_since", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("open_limit >= 0", name=op.f("ck_ticket_agents_open_limit")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_ticket_agents_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_ticket_agents")),
    )
    op.create_table(
        "ticket_skills",
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("ticket_type", sa.String(32), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ticket_agents.account_id"], name=op.f("fk_ticket_skills_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "ticket_type", "language", name=op.f("pk_ticket_skills")),
    )
    op.create_index("ix_ticket_skills_ticket_type", "ticket_skills", ["ticket_type", "language"])
    op.create_table(
        "ticket_releases",
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("released_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_releases_ticket_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_ticket_releases_account_id")),
        sa.PrimaryKeyConstraint("ticket_id", "account_id", name=op.f("pk_ticket_releases")),
    )
    op.create_index("ix_ticket_releases_account_id", "ticket_releases", ["account_id"])
    with op.get_context().autocommit_block():
        for name, (columns, rows) in INDEXES.items():
            op.create_index(
                name,
                "tickets",
                columns,
                postgresql_concurrently=True,
                if_not_exists=True,
                sqlite_where=sa.text(rows),
                postgresql_where=sa.text(rows),
            )


def downgrade() -> None:
    op.drop_table("ticket_releases")
    op.drop_table("ticket_skills")
    op.drop_table("ticket_agents")
    for name in INDEXES:
        op.drop_index(name, "tickets")
    for column in ("unanswered_since", "urgent_terms", "word_hours", "value_hours", "attend_by"):
        op.drop_column("tickets", column)
