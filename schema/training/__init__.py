"""Training: courses, quizzes and certificates, and what takes one."""

import strawberry

from resolvers import training as resolve
from resolvers.guard import Permission
from schema.connection import Connection
from schema.limits.sizes import MANY, REPORT
from schema.mutation import mutation
from schema.rows import field
from schema.training.certificate import Certificate, CertificateRequirement, QuizAttempt
from schema.training.content import CourseContent
from schema.training.course import Course

__all__ = ["TrainingMutation", "TrainingQuery"]


@strawberry.type
class TrainingQuery:
    course: Course | None = field(resolve.course, allow=Permission.TRAINING_TAKE)
    courses: Connection[Course] = field(resolve.courses, allow=Permission.TRAINING_TAKE)
    course_content: CourseContent | None = field(resolve.course_content, allow=Permission.TRAINING_EDIT)
    course_results_csv: str = field(
        resolve.course_results_csv, allow=Permission.TRAINING_MANAGE, price=REPORT
    )
    quiz_attempts: Connection[QuizAttempt] = field(resolve.quiz_attempts, allow=Permission.TRAINING_TAKE)
    certificates: Connection[Certificate] = field(resolve.certificates, allow=Permission.TRAINING_TAKE)
    certificate_requirements: list[CertificateRequirement] = field(
        resolve.certificate_requirements, allow=Permission.TRAINING_TAKE, size=MANY
    )


@strawberry.type
class TrainingMutation:
    course_save = mutation(resolve.course_save, returns=Course, allow=Permission.TRAINING_EDIT)
    course_publish = mutation(resolve.course_publish, returns=Course, allow=Permission.TRAINING_EDIT)
    course_draft_discard = mutation(
        resolve.course_draft_discard, returns=Course, allow=Permission.TRAINING_EDIT
    )
    course_withdraw = mutation(resolve.course_withdraw, returns=Course, allow=Permission.TRAINING_MANAGE)
    quiz_start = mutation(resolve.quiz_start, returns=QuizAttempt, allow=Permission.TRAINING_TAKE)
    quiz_answer_save = mutation(resolve.quiz_answer_save, returns=QuizAttempt, allow=Permission.TRAINING_TAKE)
    quiz_submit = mutation(resolve.quiz_submit, returns=QuizAttempt, allow=Permission.TRAINING_TAKE)
    quiz_release = mutation(resolve.quiz_release, returns=Course, allow=Permission.TRAINING_MANAGE)
    certificate_revoke = mutation(
        resolve.certificate_revoke, returns=Certificate, allow=Permission.TRAINING_MANAGE
    )
    certificate_requirement_save = mutation(
        resolve.certificate_requirement_save, returns=CertificateRequirement, allow=Permission.TRAINING_MANAGE
    )
    certificate_requirement_remove = mutation(
        resolve.certificate_requirement_remove,
        returns=CertificateRequirement,
        allow=Permission.TRAINING_MANAGE,
    )
