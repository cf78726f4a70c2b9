"""Messages of tickets have pictures, mentions and read marks, and agents have texts to answer with.

Revision ID: 0092
Revises: 0091
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0092"
down_revision = "0091"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_message_media",
        sa.Column("message_id", base.BigId, nullable=False),
        sa.Column("media_id", base.BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["ticket_messages.id"], name=op.f("fk_ticket_message_media_message_id")
        ),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_ticket_message_media_media_id")),
        sa.PrimaryKeyConstraint("message_id", "media_id", name=op.f("pk_ticket_message_media")),
    )
    op.create_index("ix_ticket_message_media_media_id", "ticket_message_media", ["media_id"])
    op.create_table(
        "ticket_mentions",
        sa.Column("message_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["ticket_messages.id"], name=op.f("fk_ticket_mentions_message_id")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_ticket_mentions_account_id")),
        sa.PrimaryKeyConstraint("message_id", "account_id", name=op.f("pk_ticket_mentions")),
    )
    op.create_index("ix_ticket_mentions_account_id", "ticket_mentions", ["account_id"])
    op.create_table(
        "ticket_reads",
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("message_id", base.BigId, nullable=False),
        sa.Column("read_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_reads_ticket_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_ticket_reads_account_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["ticket_messages.id"], name=op.f("fk_ticket_reads_message_id")
        ),
        sa.PrimaryKeyConstraint("ticket_id", "account_id", name=op.f("pk_ticket_reads")),
    )
    op.create_index("ix_ticket_reads_account_id", "ticket_reads", ["account_id"])
    op.create_table(
        "canned_answers",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("archived_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_answers")),
        sa.UniqueConstraint("code", "language", name=op.f("uq_canned_answers_code_language")),
    )


def downgrade() -> None:
    op.drop_table("canned_answers")
    op.drop_table("ticket_reads")
    op.drop_table("ticket_mentions")
    op.drop_table("ticket_message_media")
