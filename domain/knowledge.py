"""The knowledge base: what it says, who reads it, whether it helped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Conflict, Invalid, NotFound, Taken, Unauthenticated
from domain.state import move, table
from domain.upsert import insert
from models import Article, ArticleRating, ArticleStatus, ArticleVersion, ArticleWords, Cart
from words import indexed

TRANSITIONS = table(
    ArticleStatus.DRAFT,
    {
        ArticleStatus.DRAFT: {ArticleStatus.PUBLISHED},
        ArticleStatus.PUBLISHED: {ArticleStatus.DRAFT},
    },
)

TITLE_LIMIT = 200
BODY_LIMIT = 100_000
CATEGORY_LIMIT = 100
TAGS_LIMIT = 20
TAG_LIMIT = 50
SLUG_LIMIT = 100

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")

TITLE_COUNTS = 3
"""A word of the title weighs as much as so many of the body."""


@dataclass(frozen=True, slots=True)
class Writing:
    """All that is written in an article."""

    slug: str
    language: str
    category: str
    tags: tuple[str, ...]
    title: str
    body: str


async def write_article(session: AsyncSession, writing: Writing, *, now: datetime, by: int | None) -> Article:
    """A new article, for the staff only until it is published."""
    article = Article(
        status=ArticleStatus.DRAFT, version=0, helpful=0, unhelpful=0, created_at=now, updated_at=now
    )
    session.add(article)
    await put(session, article, writing, now=now, by=by)
    return article


async def rewrite_article(
    session: AsyncSession, article_id: int, writing: Writing, *, version: int, now: datetime, by: int | None
) -> Article:
    """Change an article, unless somebody else has changed it since `version`."""
    article = await lock_article(session, article_id)
    if article.version != version:
        raise Conflict("Somebody else has changed this article meanwhile.", field=("version",))
    await put(session, article, writing, now=now, by=by)
    return article


async def publish_article(session: AsyncSession, article_id: int, *, now: datetime) -> Article:
    """Let everybody read an article."""
    article = await lock_article(session, article_id)
    move(article, ArticleStatus.PUBLISHED, TRANSITIONS)
    article.published_at = now
    return article


async def withdraw_article(session: AsyncSession, article_id: int) -> Article:
    """Keep an article from everybody but the staff."""
    article = await lock_article(session, article_id)
    move(article, ArticleStatus.DRAFT, TRANSITIONS)
    article.published_at = None
    return article


async def rate_article(
    session: AsyncSession, article_id: int, *, reader: str, helpful: bool, now: datetime
) -> Article:
    """Count a reader's word; a second one takes the place of the first. The lock keeps the counts right."""
    article = await lock_article(session, article_id)
    if article.status is not ArticleStatus.PUBLISHED:
        raise NotFound("article", field=("id",))
    rating = await session.get(ArticleRating, (article_id, reader))
    if rating is None:
        session.add(ArticleRating(article_id=article_id, reader=reader, helpful=helpful, created_at=now))
    else:
        count(article, helpful=rating.helpful, readers=-1)
        rating.helpful, rating.created_at = helpful, now
    count(article, helpful=helpful, readers=1)
    return article


async def guest_reader(session: AsyncSession, token_hash: str | None) -> str:
    """A guest is known by their cart; nobody becomes a thousand readers by making tokens up."""
    known = select(Cart.id).where(Cart.token_hash == token_hash)
    if token_hash is None or await session.scalar(known) is None:
        raise Unauthenticated
    return f"guest:{token_hash}"


def account_reader(account_id: int) -> str:
    return f"account:{account_id}"


async def lock_article(session: AsyncSession, article_id: int) -> Article:
    article = await session.get(Article, article_id, with_for_update=True, populate_existing=True)
    if article is None:
        raise NotFound("article", field=("id",))
    return article


async def put(
    session: AsyncSession, article: Article, writing: Writing, *, now: datetime, by: int | None
) -> None:
    """Write an article down, as its next version, and the words it is found by."""
    check(writing)
    article.slug, article.language = writing.slug, writing.language
    article.category, article.tags = writing.category.strip(), cleaned(writing.tags)
    article.title, article.body = writing.title.strip(), writing.body.strip()
    article.version, article.updated_at = article.version + 1, now
    try:
        await session.flush()
    except IntegrityError:
        raise Taken("Another article has this slug.", field=("slug",)) from None
    session.add(
        ArticleVersion(
            article_id=article.id,
            version=article.version,
            title=article.title,
            body=article.body,
            author_id=by,
            created_at=now,
        )
    )
    await session.flush()
    await index(session, article)


async def index(session: AsyncSession, article: Article) -> None:
    words = indexed([*[article.title] * TITLE_COUNTS, *article.tags, article.category, article.body])
    statement = insert(session, ArticleWords).values(article_id=article.id, words=words)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["article_id"], set_={"words": words})
    )


def check(writing: Writing) -> None:
    if not SLUG.fullmatch(writing.slug) or len(writing.slug) > SLUG_LIMIT:
        raise Invalid(
            f"A slug is made of small letters, digits and hyphens, at most {SLUG_LIMIT}.", field=("slug",)
        )
    if not LANGUAGE.fullmatch(writing.language):
        raise Invalid('A language is a tag such as "zh-CN".', field=("language",))
    for field, text, limit in (
        ("category", writing.category, CATEGORY_LIMIT),
        ("title", writing.title, TITLE_LIMIT),
        ("body", writing.body, BODY_LIMIT),
    ):
        if not 1 <= len(text.strip()) <= limit:
            raise Invalid(f"Write 1 to {limit:,} characters.", field=(field,))
    if len(writing.tags) > TAGS_LIMIT or any(not 1 <= len(tag.strip()) <= TAG_LIMIT for tag in writing.tags):
        raise Invalid(f"At most {TAGS_LIMIT} tags of 1 to {TAG_LIMIT} characters.", field=("tags",))


def cleaned(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in tags))


def count(article: Article, *, helpful: bool, readers: int) -> None:
    if helpful:
        article.helpful += readers
    else:
        article.unhelpful += readers
