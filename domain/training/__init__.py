"""Training of the staff: courses of articles with a quiz, certificates, and what takes one."""

from domain.training.attempts import (
    AnswerDraft,
    answer_question,
    begin_attempt,
    end_overdue_attempt,
    hand_in,
    release_tries,
    select_overdue_attempts,
)
from domain.training.certificates import (
    ask_for_renewal,
    end_overdue_certificate,
    needs_renewal,
    revoke_certificate,
    select_ended,
    select_renewals,
)
from domain.training.course import (
    discard_course_draft,
    publish_course,
    save_course,
    withdraw_course,
)
from domain.training.course_text import CourseDraft, CourseTerms, OptionDraft, QuestionDraft
from domain.training.notices import select_due_notices, tell_holder
from domain.training.requirements import (
    CertificateRequired,
    GuardedTask,
    NobodyCertified,
    RequirementDraft,
    holders_of,
    is_active,
    is_certified,
    remove_requirement,
    require_certificate,
    save_requirement,
)

__all__ = [
    "AnswerDraft",
    "CertificateRequired",
    "CourseDraft",
    "CourseTerms",
    "GuardedTask",
    "NobodyCertified",
    "OptionDraft",
    "QuestionDraft",
    "RequirementDraft",
    "answer_question",
    "ask_for_renewal",
    "begin_attempt",
    "discard_course_draft",
    "end_overdue_attempt",
    "end_overdue_certificate",
    "hand_in",
    "holders_of",
    "is_active",
    "is_certified",
    "needs_renewal",
    "publish_course",
    "release_tries",
    "remove_requirement",
    "require_certificate",
    "revoke_certificate",
    "save_course",
    "save_requirement",
    "select_due_notices",
    "select_ended",
    "select_overdue_attempts",
    "select_renewals",
    "tell_holder",
    "withdraw_course",
]
