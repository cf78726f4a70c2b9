"""Certificates: asked to be renewed when what was learned changes, and ended in time."""

import asyncio
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.knowledge import ArticleText, add_article, publish_article, update_article
from domain.training import (
    publish_course,
    save_course,
    select_renewals,
)
from events.shop import Shop
from events.training import TRAINING
from models import (
    Article,
    Certificate,
    CertificateStatus,
    Notice,
    NoticeKind,
)
from tests.factories.knowledge import NOW, create_article
from tests.factories.training import (
    certify,
    course_draft,
    create_course,
    create_learner,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def run_timers(shop: Shop, certificate_id: int) -> None:
    """All timers of certificates, by two workers each."""
    for timer in TRAINING[1:]:
        await asyncio.gather(*(timer.act(shop, certificate_id) for _ in range(2)))


async def noticed(session: AsyncSession) -> list[NoticeKind]:
    return list(await session.scalars(select(Notice.kind).order_by(Notice.id)))


async def test_who_learned_an_article_that_changes_is_asked_again_once_and_the_certificate_counts_until_then(
    shop: Shop, session: AsyncSession
) -> None:
    now, learner = shop.clock(), await create_learner(session)
    article = await create_article(session, slug="returns", now=now - 2 * DAY)
    course = await create_course(session, article=article, now=now - 2 * DAY)
    certificate = await certify(session, course, learner, now=now - DAY)
    text = ArticleText("returns", "en", "returns", (), article.title, "Within thirty days.")
    changed = {"version": article.version, "cause": Cause(now - HOUR)}
    await update_article(session, article.id, text, minor=True, **changed)  # type: ignore[arg-type]
    assert (await session.scalars(select_renewals(now))).all() == []

    await publish_article_anew(session, article.id, Cause(now - HOUR))
    assert (await session.scalars(select_renewals(now))).all() == [certificate.id]
    await session.commit()
    await run_timers(shop, certificate.id)
    await run_timers(shop, certificate.id)

    certificate = await session.get_one(Certificate, certificate.id)
    assert (certificate.status, certificate.changed_article_id) == (CertificateStatus.RENEWAL_DUE, article.id)
    assert certificate.renew_by
    assert timedelta(0) <= certificate.renew_by - (now + 14 * DAY) < HOUR
    assert certificate.notice_at == certificate.renew_by - 3 * DAY
    assert await noticed(session) == [NoticeKind.CERTIFICATE_RENEWAL]

    renewed = await certify(session, course, learner, now=shop.clock())
    assert (certificate.status, renewed.status) == (CertificateStatus.RENEWED, CertificateStatus.VALID)
    assert (await session.scalars(select_renewals(now))).all() == []


async def publish_article_anew(session: AsyncSession, article_id: int, cause: Cause) -> None:
    """Publish a change of substance, written as a draft beside the text."""
    article = await session.get_one(Article, article_id)
    article.draft_version = article.version
    await publish_article(session, article_id, cause=cause)


async def test_a_translation_that_changes_is_learned_again_too(session: AsyncSession) -> None:
    article = await create_article(session, language="en")
    course = await create_course(session, article=article)
    certificate = await certify(session, course, await create_learner(session))
    text = ArticleText("zh", "zh-CN", "returns", (), "退货", "七天。", original_id=article.id)
    translation = await add_article(session, text, cause=Cause(NOW))
    await publish_article(session, translation.id, cause=Cause(NOW + DAY))

    assert (await session.scalars(select_renewals(NOW))).all() == [certificate.id]


async def test_a_version_of_a_course_can_ask_everybody_again(session: AsyncSession) -> None:
    article = await create_article(session)
    course = await create_course(session, article=article)
    certificate = await certify(session, course, await create_learner(session))
    for renew, expected in ((False, []), (True, [certificate.id])):
        await save_course(
            session, course.id, course_draft(article), version=course.version, cause=Cause(NOW + HOUR)
        )
        await publish_course(session, course.id, version=None, renew=renew, cause=Cause(NOW + DAY))

        assert (await session.scalars(select_renewals(NOW))).all() == expected


async def test_the_holder_of_a_certificate_that_expires_has_one_notice_before_and_one_after(
    shop: Shop, session: AsyncSession
) -> None:
    now, learner = shop.clock(), await create_learner(session)
    course = await create_course(session, now=now - 200 * DAY)
    soon = await certify(session, course, learner, now=now - 90 * DAY)
    await session.commit()
    for _ in range(2):
        await run_timers(shop, soon.id)
    assert await noticed(session) == [NoticeKind.CERTIFICATE_EXPIRES]

    over = await certify(session, course, await create_learner(session), now=now - 101 * DAY)
    await session.commit()
    for _ in range(2):
        await run_timers(shop, over.id)

    over = await session.get_one(Certificate, over.id)
    assert (over.status, over.ended_at) == (CertificateStatus.EXPIRED, over.expires_at)
    assert await noticed(session) == [NoticeKind.CERTIFICATE_EXPIRES, NoticeKind.CERTIFICATE_ENDED]
