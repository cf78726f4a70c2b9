from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import BigInteger, literal_column, select, tuple_

from gateways.meaning import MeaningIndex
from gateways.search import Filter, IndexQuery, KeywordFilter, SearchIndex
from loaders.base import ByKey, Loader, ManyByKey, loader
from loaders.listing.page import rank_page
from loaders.page import Key, Page, PageRequest, Sort, build_page, read_bounds, write_cursors
from loaders.search import ARTICLE_BOOSTS, text_query
from loaders.search.answers import CANDIDATES_LIMIT, Candidates
from loaders.search.fields import AUDIENCE, CATEGORY, IS_LISTED, LANGUAGE, LISTED, STATUS, TAG
from loaders.search.questions import Synonyms, question_query
from models import Article, ArticleAudience, ArticleStatus, ArticleVersion, SynonymGroup
from models.database import Reads
from models.sql.dialects import dialect_of
from models.sql.parameters import contains_value
from models.sql.types import AnySelect
from text import QUERY_LIMIT
from text.query_plan import QueryPlan

NEWEST_ARTICLE = Sort("newest", (Key(Article.id, descending=True),))

SUGGESTIONS_LIMIT = 10
"""Articles suggested for one text."""

PLACE, ARTICLE_ID = literal_column("number", BigInteger), literal_column("id", BigInteger)
"""What cursors of a search hold: the place of an article by relevance, and its id."""


@dataclass(frozen=True, slots=True)
class ArticleCriteria:
    """Which articles a list has; everything given must hold."""

    status: ArticleStatus | None = ArticleStatus.PUBLISHED
    category: str | None = None
    tag: str | None = None
    language: str | None = None
    audience: ArticleAudience | None = ArticleAudience.PUBLIC
    archived: bool = False
    """Those that are archived, too."""

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The same as conditions of the index."""
        given = (
            (STATUS, self.status),
            (CATEGORY, self.category),
            (TAG, self.tag),
            (LANGUAGE, self.language),
            (AUDIENCE, self.audience),
            (LISTED, None if self.archived else IS_LISTED),
        )
        return tuple(KeywordFilter(name, (str(value),)) for name, value in given if value is not None)


PUBLISHED = ArticleCriteria()
"""What everybody finds."""


def select_articles(criteria: ArticleCriteria, *, dialect: str) -> AnySelect:
    """The articles of a list."""
    statement = select(Article)
    if not criteria.archived:
        statement = statement.where(Article.archived_at.is_(None))
    for column, value in (
        (Article.status, criteria.status),
        (Article.category, criteria.category),
        (Article.language, criteria.language),
        (Article.audience, criteria.audience),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if criteria.tag is not None:
        statement = statement.where(contains_value(Article.tags, criteria.tag, dialect))
    return statement


def search_sort(query_hash: int) -> Sort:
    """The order of a search by relevance, as its cursors name it."""
    return Sort("relevance", (Key(PLACE), Key(ARTICLE_ID)), query_hash)


async def load_found_articles(
    index: SearchIndex, reads: Reads, criteria: ArticleCriteria, plan: QueryPlan, request: PageRequest
) -> Page[Article]:
    """A page of a search: the index says which articles, the database what is shown. Raises WrongCursor."""
    sort, query = search_sort(plan.query_hash), IndexQuery(text_query(plan, ARTICLE_BOOSTS), criteria.filters)
    bounds: dict[str, tuple[int, int]] = {
        name: (place, article_id) for name, (place, article_id) in read_bounds(sort, request).items()
    }
    hits, has_more = await rank_page(index, query, request, bounds)
    shown = {row.id: row for row in await load_shown(reads, criteria, [hit.id for hit in hits])}
    # between the index and the database time passes: what is no longer shown is left out
    kept = [hit for hit in hits if hit.id in shown]
    return build_page(
        [shown[hit.id] for hit in kept],
        write_cursors(sort, [(int(hit.key), hit.id) for hit in kept]),
        request,
        has_more=has_more,
        count_all=partial(index.count, query),
    )


async def load_shown(
    reads: Reads, criteria: ArticleCriteria, article_ids: Sequence[int]
) -> Sequence[Article]:
    """Those of these articles that a list has."""
    if not article_ids:
        return ()
    async with reads() as session:
        statement = select_articles(criteria, dialect=dialect_of(session))
        return (await session.scalars(statement.where(Article.id.in_(article_ids)))).all()


async def find_candidates(
    index: SearchIndex,
    meaning: MeaningIndex | None,
    text: str,
    *,
    criteria: ArticleCriteria = PUBLISHED,
    synonyms: Synonyms = (),
) -> Candidates:
    """The articles of a list that may answer a text, by words and by meaning."""
    query = question_query(text, synonyms)
    if query is None:
        return Candidates(())
    hits = await index.rank(IndexQuery(query, criteria.filters), limit=CANDIDATES_LIMIT)
    return Candidates(
        [(hit.id, hit.key) for hit in hits],
        await meaning.nearest(text[:QUERY_LIMIT], limit=CANDIDATES_LIMIT) if meaning else None,
        await index.document_count(),
    )


async def load_sentences(reads: Reads, article_ids: Collection[int] | None) -> dict[int, list[str]]:
    """The titles and questions of these articles, or of all; of those only that can be found."""
    statement = select(Article).where(
        Article.status == ArticleStatus.PUBLISHED, Article.archived_at.is_(None)
    )
    if article_ids is not None:
        statement = statement.where(Article.id.in_(article_ids))
    async with reads() as session:
        rows = await session.scalars(statement.order_by(Article.id))
        return {row.id: [row.title, *row.questions] for row in rows}


async def load_synonyms(reads: Reads) -> list[list[str]]:
    """The groups of words that mean the same."""
    async with reads() as session:
        return list((await session.scalars(select(SynonymGroup.terms).order_by(SynonymGroup.id))).all())


async def list_synonym_groups(reads: Reads) -> Sequence[SynonymGroup]:
    async with reads() as session:
        return (await session.scalars(select(SynonymGroup).order_by(SynonymGroup.id))).all()


class ArticleById(ByKey[int, Article]):
    key = Article.id


class ArticleBySlug(ByKey[str, Article]):
    key = Article.slug


class VersionsByArticle(ManyByKey[int, ArticleVersion]):
    key = ArticleVersion.article_id
    order_by = ArticleVersion.version


class VersionByNumber(Loader[tuple[int, int], ArticleVersion | None]):
    """The version of an article with a number."""

    async def answer(self, keys: list[tuple[int, int]]) -> list[ArticleVersion | None]:
        async with self.reads() as session:
            statement = select(ArticleVersion).where(
                tuple_(ArticleVersion.article_id, ArticleVersion.version).in_(keys)
            )
            found = {(row.article_id, row.version): row for row in await session.scalars(statement)}
        return [found.get(key) for key in keys]


class TranslationsByArticle(ManyByKey[int, Article]):
    """The articles that translate one; those of the first one of a group."""

    key = Article.original_id
    order_by = Article.id


class KnowledgeLoaders:
    article_version = loader(VersionByNumber)
    article_translations = loader(TranslationsByArticle)
    article = loader(ArticleById)
    article_by_slug = loader(ArticleBySlug)
    article_versions = loader(VersionsByArticle)
