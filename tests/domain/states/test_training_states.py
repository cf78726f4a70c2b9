"""What may happen to courses, attempts and certificates in each of their states."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.knowledge import publish_article
from domain.training import (
    AnswerDraft,
    answer_question,
    ask_for_renewal,
    discard_course_draft,
    end_overdue_attempt,
    end_overdue_certificate,
    hand_in,
    publish_course,
    revoke_certificate,
    withdraw_course,
)
from events.shop import Shop
from models import Account, Article, Certificate, Course, CourseArticle, QuizAttempt
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.knowledge import NOW
from tests.factories.training import RIGHT, begin, certify, create_course, create_learner, take, write_answers

COURSES, ATTEMPTS, CERTIFICATES = "Courses", "Attempts at a quiz", "Certificates"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def leave(session: AsyncSession, thing: object) -> None:
    """It stays as it is."""


async def publish(session: AsyncSession, course: Course) -> None:
    await publish_course(session, course.id, version=None, renew=False, cause=Cause(NOW))


async def discard(session: AsyncSession, course: Course) -> None:
    await discard_course_draft(session, course.id, cause=Cause(NOW))


async def withdraw(session: AsyncSession, course: Course) -> None:
    await withdraw_course(session, course.id, cause=Cause(NOW))


async def start(session: AsyncSession, course: Course) -> None:
    await begin(session, course, await create_learner(session))


COMMANDS_TO_COURSE: Mapping[str, Command] = {"DRAFT": leave, "PUBLISHED": publish, "WITHDRAWN": withdraw}
COURSE_COMMANDS: Mapping[str, Command] = {
    "its draft is published": publish,
    "its draft is dropped": discard,
    "it is withdrawn": withdraw,
    "one of the staff begins its quiz": start,
}


async def course_in_state(session: AsyncSession, state: str) -> Course:
    course = await create_course(session, published=False)
    await COMMANDS_TO_COURSE[state](session, course)
    return course


@pytest.mark.parametrize("state", documented_outcomes(COURSES))
async def test_what_may_happen_to_a_course(shop: Shop, state: str) -> None:
    await check_outcomes(shop, COURSES, state, course_in_state, COURSE_COMMANDS)


async def hand_in_right(session: AsyncSession, attempt: QuizAttempt, after: timedelta = HOUR / 3) -> None:
    answers = await write_answers(session, attempt, RIGHT)
    await hand_in(session, attempt.id, answers, cause=Cause(NOW + after, attempt.account_id))


async def hand_in_late(session: AsyncSession, attempt: QuizAttempt) -> None:
    await hand_in_right(session, attempt, HOUR)


async def hand_in_nothing(session: AsyncSession, attempt: QuizAttempt) -> None:
    await hand_in(session, attempt.id, [], cause=Cause(NOW, attempt.account_id))


async def end_attempt(session: AsyncSession, attempt: QuizAttempt) -> None:
    await end_overdue_attempt(session, attempt.id, now=attempt.due_at)


async def answer(session: AsyncSession, attempt: QuizAttempt) -> None:
    await answer_question(session, attempt.id, AnswerDraft(1, ["A"]), cause=Cause(NOW, attempt.account_id))


async def withdraw_its_course(session: AsyncSession, thing: QuizAttempt | Certificate) -> None:
    await withdraw_course(session, thing.course_id, cause=Cause(NOW))


COMMANDS_TO_ATTEMPT: Mapping[str, Command] = {
    "OPEN": leave,
    "PASSED": hand_in_right,
    "FAILED": hand_in_nothing,
    "CANCELLED": withdraw_its_course,
}


async def withdraw_if_published(session: AsyncSession, thing: QuizAttempt | Certificate) -> None:
    """Withdraw the course of something, unless it is withdrawn already."""
    course = await session.get_one(Course, thing.course_id)
    if course.withdrawn_at is None:
        await withdraw_its_course(session, thing)


ATTEMPT_COMMANDS: Mapping[str, Command] = {
    "it is handed in with right answers": hand_in_right,
    "it is handed in without answers": hand_in_nothing,
    "right answers are handed in after its time": hand_in_late,
    "its time is over": end_attempt,
    "a question is answered": answer,
    "its course is withdrawn": withdraw_if_published,
}


async def attempt_in_state(session: AsyncSession, state: str) -> QuizAttempt:
    attempt = await begin(session, await create_course(session), await create_learner(session))
    await COMMANDS_TO_ATTEMPT[state](session, attempt)
    await session.flush()
    await session.refresh(attempt)
    return attempt


@pytest.mark.parametrize("state", documented_outcomes(ATTEMPTS))
async def test_what_may_happen_to_an_attempt(shop: Shop, state: str) -> None:
    await check_outcomes(shop, ATTEMPTS, state, attempt_in_state, ATTEMPT_COMMANDS)


async def change_article(session: AsyncSession, certificate: Certificate, *, minor: bool = False) -> None:
    article_id = await session.scalar(
        select(CourseArticle.article_id).where(
            CourseArticle.course_version_id == certificate.course_version_id
        )
    )
    article = await session.get_one(Article, article_id)
    article.draft_version = article.version
    await publish_article(session, article.id, minor=minor, cause=Cause(NOW + DAY))
    await ask_for_renewal(session, certificate.id, cause=Cause(NOW + DAY))


async def change_slightly(session: AsyncSession, certificate: Certificate) -> None:
    await change_article(session, certificate, minor=True)


async def pass_again(session: AsyncSession, certificate: Certificate) -> None:
    course = await session.get_one(Course, certificate.course_id)
    if course.withdrawn_at is None:
        account = await session.get_one(Account, certificate.account_id)
        await take(session, course, account, now=NOW + 40 * DAY)


async def miss_renewal(session: AsyncSession, certificate: Certificate) -> None:
    await end_overdue_certificate(session, certificate.id, now=NOW + 20 * DAY)


async def expire(session: AsyncSession, certificate: Certificate) -> None:
    certificate.renew_by = None
    await end_overdue_certificate(session, certificate.id, now=NOW + 100 * DAY)


async def revoke(session: AsyncSession, certificate: Certificate) -> None:
    await revoke_certificate(session, certificate.id, reason="By mistake.", cause=Cause(NOW))


async def lapse(session: AsyncSession, certificate: Certificate) -> None:
    await change_article(session, certificate)
    await miss_renewal(session, certificate)


COMMANDS_TO_CERTIFICATE: Mapping[str, Command] = {
    "VALID": leave,
    "RENEWAL_DUE": change_article,
    "RENEWED": pass_again,
    "EXPIRED": expire,
    "LAPSED": lapse,
    "REVOKED": revoke,
}
CERTIFICATE_COMMANDS: Mapping[str, Command] = {
    "an article it rests on changes": change_article,
    "an article changes in a minor way": change_slightly,
    "its holder passes again": pass_again,
    "the deadline to pass again is over": miss_renewal,
    "its time is over": expire,
    "a manager revokes it": revoke,
    "its course is withdrawn": withdraw_if_published,
}


async def certificate_in_state(session: AsyncSession, state: str) -> Certificate:
    certificate = await certify(session, await create_course(session), await create_learner(session))
    await COMMANDS_TO_CERTIFICATE[state](session, certificate)
    await session.flush()
    await session.refresh(certificate)
    return certificate


@pytest.mark.parametrize("state", documented_outcomes(CERTIFICATES))
async def test_what_may_happen_to_a_certificate(shop: Shop, state: str) -> None:
    await check_outcomes(shop, CERTIFICATES, state, certificate_in_state, CERTIFICATE_COMMANDS)
