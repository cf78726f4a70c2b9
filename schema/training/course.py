"""Courses as the staff see them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import training as resolve
from resolvers.descriptions import describe_enum
from schema.knowledge import Article
from schema.limits.sizes import COUNT, SOME
from schema.node import Node
from schema.rows import batched, row_type, translated

if TYPE_CHECKING:
    from schema.training.certificate import Certificate

CourseStatus = describe_enum(models.CourseStatus)


@row_type(models.CourseVersion)
class CourseVersion:
    """A version of a course: what it teaches, and its terms."""

    number: int
    """The version of the course; the first is 1."""
    title: str = translated("title")
    """Its title, in the viewer's language where there is a translation."""
    description: str = translated("description")
    """What it is about, in the viewer's language where there is a translation."""
    pass_percent: int
    """How much of the quiz must be right, in percent."""
    tries: int
    """How many attempts may begin within `periodDays`."""
    period_days: int
    """For how many days an attempt counts among the tries."""
    minutes: int
    """How long an attempt may take."""
    valid_days: int | None
    """How long a certificate counts; null for good."""
    renew_days: int
    """How long whoever is asked again has time to pass."""
    published_at: datetime | None
    """Since when it is published; null for a draft."""
    articles: list[Article] = batched(resolve.articles, size=SOME)
    question_count: int = batched(resolve.question_count)


@row_type(resolve.CourseFigures)
class CourseFigures:
    """How the staff have fared with a course."""

    passed: int
    """Attempts that have passed."""
    failed: int
    """Attempts that have failed."""
    open: int
    """Attempts that are being answered."""
    certified: int
    """Of the staff: whose certificate counts."""
    renewal_due: int
    """Of those: who have been asked to pass again, and have not yet."""
    expired: int
    """Of the staff: whose certificate has expired or was not renewed, and who have no other one."""


@row_type(models.Course)
class Course(Node):
    """Articles to be learned, and the quiz about them."""

    title: str = translated("title")
    """Its title, in the viewer's language where there is a translation."""
    status: models.CourseStatus
    """Whether it can be taken."""
    version: int
    """One higher with each change; pass it to `courseSave`."""
    published: CourseVersion | None = batched(resolve.published)
    draft: CourseVersion | None = batched(resolve.draft)
    my_certificate: Annotated["Certificate", strawberry.lazy("schema.training.certificate")] | None = batched(
        resolve.my_certificate
    )
    next_attempt_at: datetime | None = batched(resolve.next_attempt_at)
    figures: CourseFigures | None = batched(resolve.figures, price=COUNT)
    created_at: datetime
    """When it was added."""
    updated_at: datetime
    """When it was last changed."""
    withdrawn_at: datetime | None
    """Since when it is not taken any more; null while it is, and for a draft."""
