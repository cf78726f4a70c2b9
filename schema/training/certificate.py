"""Attempts at quizzes and certificates, as learners and managers see them."""

from datetime import datetime

import models
from resolvers import training as resolve
from resolvers.descriptions import describe_enum
from schema.account import Account
from schema.knowledge import Article
from schema.limits.sizes import FEW, SOME
from schema.node import Node
from schema.rows import batched, field, loaded, plain_list, row_type
from schema.scalars import Money
from schema.training.course import Course

QuestionKind = describe_enum(models.QuestionKind)
QuizAttemptStatus = describe_enum(models.QuizAttemptStatus)
CertificateStatus = describe_enum(models.CertificateStatus)
CertificateSubject = describe_enum(models.CertificateSubject)


@row_type(resolve.AskedOption)
class AskedOption:
    """An option of a question, in the order of this attempt."""

    key: str
    """What an answer names it by in this attempt: "A" to "H"."""
    text: str
    """What it says, in the viewer's language where there is a translation."""


@row_type(resolve.AskedQuestion)
class AskedQuestion:
    """A question of an attempt."""

    number: int
    """Its number in the quiz, from 1 on."""
    kind: models.QuestionKind
    """How it is answered."""
    situation: str | None
    """The case that is to be decided; null for other kinds."""
    prompt: str
    """What is asked."""
    points: int
    """What it counts in the quiz."""
    options: list[AskedOption] = plain_list(size=FEW)
    """Its options; the order is the same whenever this attempt is read."""
    choices: list[str] = plain_list(size=FEW)
    """The keys that are kept as its answer; empty while it is not answered."""


@row_type(resolve.AnswerReview)
class AnswerReview:
    """How the answer to one question was graded."""

    number: int
    """The number of the question."""
    credit_percent: int
    """How right it was: what is right less what is wrong, never below nothing, of all that is right. For an
    ordering, pairs of options are counted."""
    points: int
    """What the question counts in the quiz."""
    right_choices: list[str] = plain_list(size=FEW)
    """The keys of the right options; for an ordering all, in their order."""
    explanation: str
    """Why that is right."""


@row_type(models.QuizAttempt)
class QuizAttempt(Node):
    """An attempt at a quiz."""

    course: Course = loaded("course", key="course_id")
    """The course."""
    number: int = batched(resolve.number)
    account: Account = loaded("account", key="account_id")
    """Whose attempt it is."""
    status: models.QuizAttemptStatus
    """Where it stands."""
    started_at: datetime
    """When it was begun."""
    due_at: datetime
    """When it ends by itself, with the answers that are kept."""
    ended_at: datetime | None
    """When it ended; null while it is open."""
    handed_in_at: datetime | None
    """When it was handed in; null while it is open, and where it ended by itself."""
    score_percent: int | None = field(resolve.score_percent)
    questions: list[AskedQuestion] = batched(resolve.asked_questions, size=SOME)
    review: list[AnswerReview] | None = batched(resolve.review, size=SOME)


@row_type(models.Certificate)
class Certificate(Node):
    """Somebody has passed the quiz of a course."""

    course: Course = loaded("course", key="course_id")
    """The course."""
    account: Account = loaded("account", key="account_id")
    """Who has passed."""
    attempt: QuizAttempt = loaded("quiz_attempt", key="attempt_id")
    """The attempt that has passed."""
    status: models.CertificateStatus
    """Whether it counts."""
    issued_at: datetime
    """When the quiz was passed."""
    expires_at: datetime | None
    """When its time is over; null where it counts for good."""
    renew_by: datetime | None
    """By when its holder is to pass again, since what was learned has changed; null where nothing has."""
    changed_article: Article | None = batched(resolve.changed_article)
    ended_at: datetime | None
    """Since when it does not count any more; null while it does."""
    reason: str | None
    """Why it was revoked."""


@row_type(models.CertificateRequirement)
class CertificateRequirement(Node):
    """What takes the certificate of a course."""

    subject: models.CertificateSubject
    """What it is required for."""
    ticket_type: models.TicketType | None
    """The type of tickets; null for refunds."""
    refunds_above: Money | None
    """Refunds of more than this; null for tickets."""
    course: Course = loaded("course", key="course_id")
    """The course whose certificate it takes."""
    version: int
    """One higher with each change."""
    updated_at: datetime
    """When it was last changed."""
    holders: list[Account] = batched(resolve.holders, size=SOME)
