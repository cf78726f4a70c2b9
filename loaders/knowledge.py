from collections.abc import Mapping, Sequence

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from loaders.search import ranked_matches
from models import Article, ArticleSearchText, ArticleStatus, ArticleVersion
from models.sql.dialects import dialect_of
from models.sql.parameters import contains_value
from models.sql.types import AnySelect

NEWEST_ARTICLE = Sort("newest", (Key(Article.id, descending=True),))

SUGGESTIONS_LIMIT = 10
"""Articles suggested for one text."""


def select_articles(
    *,
    dialect: str,
    status: ArticleStatus | None,
    match: str = "",
    category: str | None = None,
    tag: str | None = None,
    language: str | None = None,
    archived: bool = False,
) -> tuple[AnySelect, Sort]:
    """The articles that match, and their order: by relevance with a full-text query `match`, else by age."""
    statement, sort = select(Article), NEWEST_ARTICLE
    if not archived:
        statement = statement.where(Article.archived_at.is_(None))
    for column, value in (
        (Article.status, status),
        (Article.category, category),
        (Article.language, language),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if tag is not None:
        statement = statement.where(contains_value(Article.tags, tag, dialect))
    if match:
        found = ranked_matches(ArticleSearchText, match, dialect=dialect)
        statement = statement.join(found, found.c.id == Article.id)
        sort = Sort("relevance", (Key(found.c.score, descending=True), *NEWEST_ARTICLE.keys))
    return statement, sort


class ArticleById(ByKey[int, Article]):
    key = Article.id


class ArticleBySlug(ByKey[str, Article]):
    key = Article.slug


class VersionsByArticle(ManyByKey[int, ArticleVersion]):
    key = ArticleVersion.article_id
    order_by = ArticleVersion.version


class ArticlesByMatch(Grouped[str, Sequence[Article]]):
    """Published articles for a full-text query, the best first; one statement for all queries."""

    max_batch_size = 50

    async def group(self, session: AsyncSession, keys: list[str]) -> Mapping[str, Sequence[Article]]:
        dialect = dialect_of(session)
        parts = [best_matches(match, number, dialect=dialect) for number, match in enumerate(keys) if match]
        if not parts:
            return {}
        found = union_all(*parts).subquery("found")
        rows = await session.execute(
            select(found.c.query, Article)
            .join(Article, Article.id == found.c.id)
            .order_by(found.c.query, found.c.score.desc(), Article.id)
        )
        answers: dict[str, list[Article]] = {}
        for number, article in rows:
            answers.setdefault(keys[number], []).append(article)
        return answers

    def default(self) -> Sequence[Article]:
        return ()


def best_matches(match: str, number: int, *, dialect: str) -> AnySelect:
    """The best articles for one match, marked with its number; UNION wants a LIMIT wrapped."""
    found = ranked_matches(ArticleSearchText, match, dialect=dialect, name=f"hits_{number}")
    limited = (
        select(literal(number).label("query"), found.c.id, found.c.score)
        .join(Article, Article.id == found.c.id)
        .where(Article.status == ArticleStatus.PUBLISHED, Article.archived_at.is_(None))
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
