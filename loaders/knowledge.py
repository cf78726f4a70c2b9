from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, select, type_coerce, union_all
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from loaders.search import hits
from models import Article, ArticleStatus, ArticleVersion, ArticleWords

NEWEST_ARTICLE = Sort("newest", (Key(Article.id, descending=True),))

SUGGESTIONS_LIMIT = 10
"""Articles suggested for one text."""


def articles_wanted(
    *,
    dialect: str,
    status: ArticleStatus | None,
    match: str = "",
    category: str | None = None,
    tag: str | None = None,
    language: str | None = None,
) -> tuple[Select[Any], Sort]:
    """The articles asked for, and their order: the best first where `match` looks for words."""
    statement, sort = select(Article), NEWEST_ARTICLE
    for column, value in (
        (Article.status, status),
        (Article.category, category),
        (Article.language, language),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if tag is not None:
        statement = statement.where(tagged(tag, dialect=dialect))
    if match:
        found = hits(ArticleWords, match, dialect=dialect)
        statement = statement.join(found, found.c.id == Article.id)
        sort = Sort("relevance", (Key(found.c.score, descending=True), *NEWEST_ARTICLE.keys))
    return statement, sort


def tagged(tag: str, *, dialect: str) -> ColumnElement[bool]:
    if dialect == "sqlite":
        each = func.json_each(Article.tags).table_valued("value")
        return exists(select(literal(1)).select_from(each).where(each.c.value == tag))
    return type_coerce(Article.tags, JSONB).contains([tag])


class ArticleById(ByKey[int, Article]):
    key = Article.id


class ArticleBySlug(ByKey[str, Article]):
    key = Article.slug


class VersionsByArticle(ManyByKey[int, ArticleVersion]):
    key = ArticleVersion.article_id
    order_by = ArticleVersion.version


class ArticlesByMatch(Grouped[str, Sequence[Article]]):
    """Published articles for what `words` made of a text, the best first; one statement for all."""

    max_batch_size = 50

    async def group(self, session: AsyncSession, keys: list[str]) -> Mapping[str, Sequence[Article]]:
        dialect = session.get_bind().dialect.name
        parts = [best(match, number, dialect=dialect) for number, match in enumerate(keys) if match]
        if not parts:
            return {}
        found = union_all(*parts).subquery("found")
        rows = await session.execute(
            select(found.c.asked, Article)
            .join(Article, Article.id == found.c.id)
            .order_by(found.c.asked, found.c.score.desc(), Article.id)
        )
        answers: dict[str, list[Article]] = {}
        for number, article in rows:
            answers.setdefault(keys[number], []).append(article)
        return answers

    def nothing(self) -> Sequence[Article]:
        return ()


def best(match: str, number: int, *, dialect: str) -> Select[Any]:
    """The best articles for one match, marked with its number; UNION wants a LIMIT wrapped."""
    found = hits(ArticleWords, match, dialect=dialect, name=f"hits_{number}")
    limited = (
        select(literal(number).label("asked"), found.c.id, found.c.score)
        .join(Article, Article.id == found.c.id)
        .where(Article.status == ArticleStatus.PUBLISHED)
        .order_by(found.c.score.desc(), found.c.id)
        .limit(SUGGESTIONS_LIMIT)
        .subquery(f"best_{number}")
    )
    return select(limited)


class KnowledgeLoaders:
    article = loader(ArticleById)
    article_by_slug = loader(ArticleBySlug)
    article_versions = loader(VersionsByArticle)
    article_suggestions = loader(ArticlesByMatch)
