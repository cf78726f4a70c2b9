"""Attempts at quizzes, certificates, and what takes one.

Revision ID: 0096
Revises: 0095
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0096"
down_revision = "0095"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quiz_attempts",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("course_id", base.BigId, nullable=False),
        sa.Column("course_version_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("started_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("handed_in_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("best_score", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_quiz_attempts_account_id")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_quiz_attempts_course_id")),
        sa.ForeignKeyConstraint(
            ["course_version_id"], ["course_versions.id"], name=op.f("fk_quiz_attempts_course_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_attempts")),
    )
    op.create_index(op.f("ix_quiz_attempts_account_id"), "quiz_attempts", ["account_id"], unique=False)
    op.create_index(
        "ix_quiz_attempts_course_id_account_id", "quiz_attempts", ["course_id", "account_id"], unique=False
    )
    op.create_index(
        op.f("ix_quiz_attempts_course_version_id"), "quiz_attempts", ["course_version_id"], unique=False
    )
    op.create_index(
        "ix_quiz_attempts_due_at",
        "quiz_attempts",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'OPEN'"),
        postgresql_where=sa.text("status = 'OPEN'"),
    )
    op.create_index(
        "ix_quiz_attempts_open",
        "quiz_attempts",
        ["account_id", "course_id"],
        unique=True,
        sqlite_where=sa.text("status = 'OPEN'"),
        postgresql_where=sa.text("status = 'OPEN'"),
    )
    op.create_table(
        "quiz_answers",
        sa.Column("attempt_id", base.BigId, nullable=False),
        sa.Column("question_id", base.BigId, nullable=False),
        sa.Column("answered_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("credit", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["quiz_attempts.id"], name=op.f("fk_quiz_answers_attempt_id")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["quiz_questions.id"], name=op.f("fk_quiz_answers_question_id")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "question_id", name=op.f("pk_quiz_answers")),
    )
    op.create_table(
        "quiz_choices",
        sa.Column("attempt_id", base.BigId, nullable=False),
        sa.Column("question_id", base.BigId, nullable=False),
        sa.Column("option_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["quiz_attempts.id"], name=op.f("fk_quiz_choices_attempt_id")
        ),
        sa.ForeignKeyConstraint(["option_id"], ["quiz_options.id"], name=op.f("fk_quiz_choices_option_id")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["quiz_questions.id"], name=op.f("fk_quiz_choices_question_id")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "question_id", "option_id", name=op.f("pk_quiz_choices")),
    )
    op.create_table(
        "quiz_releases",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("course_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("released_by_id", base.BigId, nullable=False),
        sa.Column("released_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_quiz_releases_account_id")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_quiz_releases_course_id")),
        sa.ForeignKeyConstraint(
            ["released_by_id"], ["accounts.id"], name=op.f("fk_quiz_releases_released_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_releases")),
    )
    op.create_index(
        "ix_quiz_releases_course_id_account_id", "quiz_releases", ["course_id", "account_id"], unique=False
    )
    op.create_table(
        "certificates",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("course_id", base.BigId, nullable=False),
        sa.Column("course_version_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("attempt_id", base.BigId, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("learned_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("issued_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("renew_by", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("changed_article_id", base.BigId, nullable=True),
        sa.Column("ended_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", base.BigId, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("notice_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_certificates_account_id")),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["quiz_attempts.id"], name=op.f("fk_certificates_attempt_id")
        ),
        sa.ForeignKeyConstraint(
            ["changed_article_id"], ["articles.id"], name=op.f("fk_certificates_changed_article_id")
        ),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_certificates_course_id")),
        sa.ForeignKeyConstraint(
            ["course_version_id"], ["course_versions.id"], name=op.f("fk_certificates_course_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"], ["accounts.id"], name=op.f("fk_certificates_revoked_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_certificates_attempt_id")),
    )
    op.create_index(op.f("ix_certificates_account_id"), "certificates", ["account_id"], unique=False)
    op.create_index(
        "ix_certificates_counting",
        "certificates",
        ["account_id", "course_id"],
        unique=True,
        sqlite_where=sa.text("status IN ('VALID', 'RENEWAL_DUE')"),
        postgresql_where=sa.text("status IN ('VALID', 'RENEWAL_DUE')"),
    )
    op.create_index("ix_certificates_course_id_status", "certificates", ["course_id", "status"], unique=False)
    op.create_index("ix_certificates_notice_at", "certificates", ["notice_at"], unique=False)
    op.create_table(
        "certificate_requirements",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("ticket_type", sa.String(32), nullable=True),
        sa.Column("currency", sa.String(32), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("course_id", base.BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(subject = 'TICKETS' AND ticket_type IS NOT NULL AND currency IS NULL AND amount IS NULL) OR (subject = 'REFUNDS' AND ticket_type IS NULL AND currency IS NOT NULL AND amount IS NOT NULL)",
            name=op.f("ck_certificate_requirements_subject"),
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_certificate_requirements_course_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_requirements")),
        sa.UniqueConstraint("key", name=op.f("uq_certificate_requirements_key")),
    )
    op.create_index(
        op.f("ix_certificate_requirements_course_id"), "certificate_requirements", ["course_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("certificate_requirements")
    op.drop_table("certificates")
    op.drop_table("quiz_releases")
    op.drop_table("quiz_choices")
    op.drop_table("quiz_answers")
    op.drop_table("quiz_attempts")
