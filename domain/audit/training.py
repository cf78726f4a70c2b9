"""Certificates against attempts, attempts against answers, and what is over against the newest event."""

from datetime import timedelta

from sqlalchemy import (
    ColumnElement,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from domain.audit.comparison import is_long_past, select_rows
from domain.training.certificates import changed_articles
from domain.training.grading import FULL_CREDIT
from models import (
    COUNTING,
    Article,
    Certificate,
    CertificateStatus,
    Course,
    CourseStatus,
    CourseVersion,
    QuestionKind,
    QuizAnswer,
    QuizAttempt,
    QuizAttemptStatus,
    QuizChoice,
    QuizOption,
    QuizQuestion,
)
from models.sql.types import AnyColumn, AnySelect

ENDED_WITHIN = timedelta(days=1)
"""Much longer than a timer waits: also where the shop was not served for a night."""

GRADED = (QuizAttemptStatus.PASSED, QuizAttemptStatus.FAILED)


def name_of(row: type[Certificate] | type[QuizAttempt]) -> ColumnElement[str]:
    kind = "certificate " if row is Certificate else "attempt "
    return literal(kind) + cast(row.id, String)


def find_unearned_certificates() -> AnySelect:
    """Certificates whose attempt has not passed, or is of somebody else or another course."""
    same = and_(
        QuizAttempt.account_id == Certificate.account_id,
        QuizAttempt.course_id == Certificate.course_id,
        QuizAttempt.course_version_id == Certificate.course_version_id,
        QuizAttempt.started_at == Certificate.learned_at,
    )
    found = cast(QuizAttempt.status, String)
    return (
        select_rows(name_of(Certificate), expected=literal("its own passed attempt"), found=found)
        .join_from(Certificate, QuizAttempt, QuizAttempt.id == Certificate.attempt_id)
        .where(or_(QuizAttempt.status != QuizAttemptStatus.PASSED, ~same))
    )


def find_missing_certificates() -> AnySelect:
    """Attempts that have passed and brought no certificate."""
    return (
        select_rows(name_of(QuizAttempt), expected=literal("a certificate"), found=literal("none"))
        .outerjoin_from(QuizAttempt, Certificate, Certificate.attempt_id == QuizAttempt.id)
        .where(QuizAttempt.status == QuizAttemptStatus.PASSED, Certificate.id.is_(None))
    )


def find_wrong_credits() -> AnySelect:
    """Graded answers whose credit is not what their options give."""
    parts = sum_choices()
    credit = credit_expression(parts)
    return (
        select_rows(
            name_of(QuizAttempt) + literal(" question ") + cast(QuizQuestion.position, String),
            expected=cast(credit, String),
            found=cast(func.coalesce(QuizAnswer.credit, -1), String),
        )
        .select_from(QuizAnswer)
        .join(QuizAttempt, QuizAttempt.id == QuizAnswer.attempt_id)
        .join(QuizQuestion, QuizQuestion.id == QuizAnswer.question_id)
        .outerjoin(
            parts,
            and_(parts.c.attempt_id == QuizAnswer.attempt_id, parts.c.question_id == QuizAnswer.question_id),
        )
        .where(QuizAttempt.status.in_(GRADED), func.coalesce(QuizAnswer.credit, -1) != credit)
    )


def find_wrong_scores() -> AnySelect:
    """Graded attempts whose score, best score or outcome is not what credits, points and pass mark give."""
    score = select(QuizAnswer.attempt_id, func.sum(QuizAnswer.credit * QuizQuestion.points).label("total"))
    scores = (
        score.join(QuizQuestion, QuizQuestion.id == QuizAnswer.question_id)
        .group_by(QuizAnswer.attempt_id)
        .subquery()
    )
    best = select(
        QuizQuestion.course_version_id, (func.sum(QuizQuestion.points) * FULL_CREDIT).label("total")
    )
    bests = best.group_by(QuizQuestion.course_version_id).subquery()
    expected = func.coalesce(scores.c.total, 0)
    passes = expected * 100 >= CourseVersion.pass_percent * bests.c.total
    outcome = case(
        (passes, literal(QuizAttemptStatus.PASSED.value)), else_=literal(QuizAttemptStatus.FAILED.value)
    )
    given = cast(QuizAttempt.status, String)
    return (
        select_rows(
            name_of(QuizAttempt),
            expected=describe_score(expected, bests.c.total, outcome),
            found=describe_score(func.coalesce(QuizAttempt.score, -1), QuizAttempt.best_score, given),
        )
        .select_from(QuizAttempt)
        .join(CourseVersion, CourseVersion.id == QuizAttempt.course_version_id)
        .join(bests, bests.c.course_version_id == QuizAttempt.course_version_id)
        .outerjoin(scores, scores.c.attempt_id == QuizAttempt.id)
        .where(QuizAttempt.status.in_(GRADED))
        .where(
            or_(
                func.coalesce(QuizAttempt.score, -1) != expected,
                QuizAttempt.best_score != bests.c.total,
                given != outcome,
            )
        )
    )


def describe_score(score: AnyColumn, best: AnyColumn, outcome: AnyColumn) -> ColumnElement[str]:
    return cast(score, String) + literal(" of ") + cast(best, String) + literal(" ") + outcome


def sum_choices() -> Subquery:
    """Of each answer with choices: the right and the wrong ones, and the pairs in and out of order."""
    other, other_option = aliased(QuizChoice), aliased(QuizOption)
    pairs = (
        select(
            QuizChoice.attempt_id,
            QuizChoice.question_id,
            func.sum(case((QuizOption.position < other_option.position, 1), else_=-1)).label("ordered"),
        )
        .join(QuizOption, QuizOption.id == QuizChoice.option_id)
        .join(
            other,
            and_(
                other.attempt_id == QuizChoice.attempt_id,
                other.question_id == QuizChoice.question_id,
                other.position > QuizChoice.position,
            ),
        )
        .join(other_option, other_option.id == other.option_id)
        .group_by(QuizChoice.attempt_id, QuizChoice.question_id)
        .subquery()
    )
    return (
        select(
            QuizChoice.attempt_id,
            QuizChoice.question_id,
            func.count().label("chosen"),
            func.sum(case((QuizOption.is_correct, 1), else_=-1)).label("right"),
            func.coalesce(func.max(pairs.c.ordered), 0).label("ordered"),
        )
        .select_from(QuizChoice)
        .join(QuizOption, QuizOption.id == QuizChoice.option_id)
        .outerjoin(
            pairs,
            and_(
                pairs.c.attempt_id == QuizChoice.attempt_id,
                pairs.c.question_id == QuizChoice.question_id,
            ),
        )
        .group_by(QuizChoice.attempt_id, QuizChoice.question_id)
        .subquery()
    )


def credit_expression(parts: Subquery) -> ColumnElement[int]:
    """What domain.training.grading gives for an answer with these choices."""
    options = (
        select(func.count())
        .where(QuizOption.question_id == QuizQuestion.id)
        .correlate(QuizQuestion)
        .scalar_subquery()
    )
    right_options = (
        select(func.count())
        .where(QuizOption.question_id == QuizQuestion.id, QuizOption.is_correct)
        .correlate(QuizQuestion)
        .scalar_subquery()
    )
    is_ordering = QuizQuestion.kind == QuestionKind.ORDERING
    part = case((is_ordering, parts.c.ordered), else_=parts.c.right)
    whole = case((is_ordering, options * (options - 1) // 2), else_=right_options)
    is_complete = or_(~is_ordering, parts.c.chosen == options)
    return case((and_(is_complete, part > 0), part * FULL_CREDIT // whole), else_=0)


def find_counting_of_withdrawn_courses() -> AnySelect:
    """Certificates that count although their course was withdrawn."""
    found = cast(Certificate.status, String)
    return (
        select_rows(name_of(Certificate), expected=literal("REVOKED"), found=found)
        .join_from(Certificate, Course, Course.id == Certificate.course_id)
        .where(Certificate.status.in_(COUNTING), Course.status != CourseStatus.PUBLISHED)
    )


def find_overdue() -> AnySelect:
    """What is over and still open ENDED_WITHIN later, by the newest event: attempts and certificates."""
    overdue = [
        select_rows(name_of(row), expected=literal("ended"), found=cast(row.status, String)).where(
            row.status.in_(statuses), is_long_past(ends_at, ENDED_WITHIN)
        )
        for row, statuses, ends_at in (
            (QuizAttempt, (QuizAttemptStatus.OPEN,), QuizAttempt.due_at),
            (Certificate, COUNTING, Certificate.expires_at),
            (Certificate, COUNTING, Certificate.renew_by),
        )
    ]
    return select(union_all(*overdue).subquery())


def find_unasked_renewals() -> AnySelect:
    """Certificates whose holders were not asked again ENDED_WITHIN after what they learned changed."""
    changed_at = (
        changed_articles().with_only_columns(func.max(Article.substance_changed_at)).scalar_subquery()
    )
    return select_rows(
        name_of(Certificate), expected=literal("asked again"), found=literal(CertificateStatus.VALID.value)
    ).where(Certificate.status == CertificateStatus.VALID, is_long_past(changed_at, ENDED_WITHIN))
