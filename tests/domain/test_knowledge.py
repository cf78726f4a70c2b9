"""Articles of the knowledge base: added, changed, published, rated."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, DomainError, NotFound, Taken, Unauthenticated, WrongState
from domain.knowledge.article import (
    TRANSITIONS,
    account_reader,
    add_article,
    guest_reader,
    publish_article,
    rate_article,
    update_article,
    withdraw_article,
)
from domain.knowledge.article_text import BODY_LIMIT, BRACKETS_LIMIT, SLUG_LIMIT, ArticleText
from domain.state import move
from events.shop import Shop
from models import Article, ArticleRating, ArticleStatus, ArticleVersion
from tests.factories.account import create_account
from tests.factories.knowledge import NOW, create_article

ALLOWED = {
    (ArticleStatus.DRAFT, ArticleStatus.PUBLISHED),
    (ArticleStatus.PUBLISHED, ArticleStatus.DRAFT),
}


def article_text(**changes: object) -> ArticleText:
    given: dict[str, object] = {
        "slug": "returns",
        "language": "en",
        "category": "returns",
        "tags": ("refund",),
        "title": "Returns",
        "body": "Within seven days.",
    }
    return ArticleText(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("was", ArticleStatus)
@pytest.mark.parametrize("to", ArticleStatus)
def test_an_article_is_published_and_withdrawn(was: ArticleStatus, to: ArticleStatus) -> None:
    article = Article(status=was)

    if (was, to) in ALLOWED:
        move(article, to, TRANSITIONS)
        assert article.status is to
    else:
        with pytest.raises(WrongState):
            move(article, to, TRANSITIONS)


async def test_every_version_of_an_article_is_kept_with_its_author(shop: Shop, session: AsyncSession) -> None:
    author = await create_account(session)
    article = await add_article(session, article_text(), cause=Cause(NOW, author.id))
    await update_article(
        session, article.id, article_text(body="Within nine days."), version=1, cause=Cause(NOW, None)
    )

    kept = (await session.scalars(select(ArticleVersion).order_by(ArticleVersion.version))).all()
    assert [(row.version, row.body, row.author_id) for row in kept] == [
        (1, "Within seven days.", author.id),
        (2, "Within nine days.", None),
    ]
    assert (article.version, article.body) == (2, "Within nine days.")
    await session.commit()


async def test_an_article_somebody_else_has_changed_is_not_overwritten(
    shop: Shop, session: AsyncSession
) -> None:
    article = await create_article(session, body="As it was.")
    with pytest.raises(Conflict):
        await update_article(session, article.id, article_text(), version=0, cause=Cause(NOW, None))

    assert (article.version, article.body) == (1, "As it was.")
    await session.commit()


async def test_two_writers_at_once_do_not_overwrite_each_other(shop: Shop, session: AsyncSession) -> None:
    article = await create_article(session)
    await session.commit()

    async def rewrite(body: str) -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await update_article(
                    session, article.id, article_text(body=body), version=1, cause=Cause(NOW, None)
                )
        except Conflict:
            return False
        return True

    written = await asyncio.gather(*(rewrite(body) for body in "abcd"))

    async with shop.database.reads() as session:
        assert sum(written) == 1
        assert (await session.get_one(Article, article.id)).version == 2


async def test_a_slug_belongs_to_one_article(shop: Shop, session: AsyncSession) -> None:
    await create_article(session, slug="returns")
    await session.commit()
    with pytest.raises(Taken) as refusal:
        await add_article(session, article_text(slug="returns"), cause=Cause(NOW, None))
    await session.rollback()

    assert refusal.value.field == ("slug",)
    assert await session.scalar(select(func.count(Article.id))) == 1
    await session.commit()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Returns"),
        ("slug", ""),
        ("slug", "a" * (SLUG_LIMIT + 1)),
        ("language", "english please"),
        ("title", "  "),
        ("body", "x" * (BODY_LIMIT + 1)),
        ("body", "![" * (BRACKETS_LIMIT + 1)),
        ("category", ""),
        ("tags", ("",)),
    ],
)
async def test_an_invalid_article_is_refused_by_the_name_of_the_field(
    shop: Shop, session: AsyncSession, field: str, value: object
) -> None:
    with pytest.raises(DomainError) as refusal:
        await add_article(session, article_text(**{field: value}), cause=Cause(NOW, None))

    assert refusal.value.field == (field,)
    session.expunge_all()
    assert await session.scalar(select(func.count(Article.id))) == 0
    await session.commit()


async def test_the_latest_rating_of_a_reader_counts(shop: Shop, session: AsyncSession) -> None:
    article = await create_article(session)
    for helpful in (True, True, False):
        await rate_article(session, article.id, reader="account:1", helpful=helpful, cause=Cause(NOW))
    await rate_article(session, article.id, reader="account:2", helpful=True, cause=Cause(NOW))

    assert (article.helpful, article.unhelpful) == (1, 1)
    assert await session.scalar(select(func.count()).select_from(ArticleRating)) == 2
    await session.commit()


async def test_readers_who_rate_at_once_are_all_counted(shop: Shop, session: AsyncSession) -> None:
    article = await create_article(session)
    await session.commit()

    async def rate(number: int) -> None:
        async with shop.database.writes.begin() as session:
            reader = account_reader(number % 6)
            await rate_article(session, article.id, reader=reader, helpful=number % 2 == 0, cause=Cause(NOW))

    await asyncio.gather(*(rate(number) for number in range(12)))

    async with shop.database.reads() as session:
        found = await session.get_one(Article, article.id)
        assert (found.helpful, found.unhelpful) == (3, 3)


async def test_a_draft_is_not_rated(shop: Shop, session: AsyncSession) -> None:
    article = await create_article(session, published=False)
    with pytest.raises(NotFound):
        await rate_article(session, article.id, reader="account:1", helpful=True, cause=Cause(NOW))

    assert (article.helpful, article.unhelpful) == (0, 0)
    await session.commit()


@pytest.mark.parametrize("token_hash", [None, "made up"])
async def test_a_guest_without_a_cart_is_no_reader(shop: Shop, token_hash: str | None) -> None:
    async with shop.database.reads() as session:
        with pytest.raises(Unauthenticated):
            await guest_reader(session, token_hash)


async def test_a_withdrawn_article_can_be_published_again(shop: Shop, session: AsyncSession) -> None:
    article = await create_article(session)
    withdrawn = (await withdraw_article(session, article.id)).published_at
    await publish_article(session, article.id, cause=Cause(NOW))

    assert withdrawn is None
    assert (article.status, article.published_at) == (ArticleStatus.PUBLISHED, NOW)
    await session.commit()
