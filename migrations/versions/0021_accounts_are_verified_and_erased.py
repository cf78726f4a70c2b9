"""Accounts are verified by one-time codes, told by notices, protected by a second factor, and erased.

The table `sign_in_attempts` stays for former versions of the shop that still run; its counts are not needed
any more.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

REACHABLE = "email IS NOT NULL OR phone IS NOT NULL OR erased_at IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("login", "address", name=op.f("pk_sign_in_failures")),
    )
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_failures_tried_at"), ["tried_at"], unique=False)

    op.create_table(
        "recovery_codes",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("used_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_codes_code_hash")),
    )
    with op.batch_alter_table("recovery_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_codes_account_id"), ["account_id"], unique=False)

    op.create_table(
        "totp_secrets",
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("encrypted_secret", sa.String(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_step", base.BigId, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_totp_secrets_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_totp_secrets")),
    )
    op.create_table(
        "verifications",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("account_id", base.BigId, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_verifications_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verifications")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_verifications_token_hash")),
    )
    with op.batch_alter_table("verifications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verifications_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_verifications_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "device_tokens",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("sign_in_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_device_tokens_account_id")),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_ins.id"], name=op.f("fk_device_tokens_sign_in_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_tokens")),
        sa.UniqueConstraint("sign_in_id", name=op.f("uq_device_tokens_sign_in_id")),
        sa.UniqueConstraint("token", name=op.f("uq_device_tokens_token")),
    )
    with op.batch_alter_table("device_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_tokens_account_id"), ["account_id"], unique=False)

    op.create_table(
        "notices",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("account_id", base.BigId, nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("facts", base.Json, nullable=False),
        sa.Column("verification_id", base.BigId, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_notices_account_id")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verifications.id"], name=op.f("fk_notices_verification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("key", name=op.f("uq_notices_key")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_account_id"), ["account_id"], unique=False)
        batch_op.create_index("ix_notices_due_at", ["due_at"], unique=False)
        batch_op.create_index("ix_notices_recipient", ["recipient"], unique=False)
        batch_op.create_index(batch_op.f("ix_notices_verification_id"), ["verification_id"], unique=False)

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email_verified_at", base.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("phone_verified_at", base.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("erasure_due_at", base.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("erased_at", base.UtcDateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_accounts_erasure_due_at"), ["erasure_due_at"], unique=False)
        batch_op.drop_constraint(op.f("ck_accounts_reachable"), type_="check")
        batch_op.create_check_constraint(op.f("ck_accounts_reachable"), REACHABLE)
    op.execute("DELETE FROM sign_in_attempts")


def downgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_accounts_reachable"), type_="check")
        batch_op.drop_index(batch_op.f("ix_accounts_erasure_due_at"))
        for name in ("erased_at", "erasure_due_at", "phone_verified_at", "email_verified_at"):
            batch_op.drop_column(name)
        batch_op.create_check_constraint(
            op.f("ck_accounts_reachable"), "email IS NOT NULL OR phone IS NOT NULL"
        )
    for table in (
        "notices",
        "device_tokens",
        "verifications",
        "totp_secrets",
        "recovery_codes",
        "sign_in_failures",
    ):
        op.drop_table(table)
