from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import BigInteger, literal_column, select, tuple_

from gateways.meaning import ArticleSentences, MeaningIndex, Nearest
from gateways.search import Hit, IndexQuery, KeywordFilter, SearchIndex
from loaders.base import ByKey, Loader, ManyByKey, loader
from loaders.listing.page import RELEVANCE_LIMIT, cut_page
from loaders.page import Key, Page, PageRequest, Sort, build_page, known_count, read_bounds, write_cursors
from loaders.search import ARTICLE_BOOSTS, plan_partial_match, plan_query, text_query
from loaders.search.answers import CANDIDATES_LIMIT, LEAST_SIMILARITY, Candidates
from loaders.search.article_documents import sentences_of
from loaders.search.corrected_questions import correct_questions
from loaders.search.fields import AUDIENCE, CATEGORY, IS_LISTED, LANGUAGE, LISTED, STATUS, TAG
from loaders.search.questions import Synonyms, context_query, question_query
from models import Article, ArticleAudience, ArticleStatus, ArticleVersion, SynonymGroup
from models.database import Reads
from models.sql.dialects import dialect_of
from models.sql.parameters import contains_value
from models.sql.types import AnySelect
from text import QUERY_LIMIT
from text.query_plan import QueryPlan
from text.question import replace_synonyms

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
    def filters(self) -> tuple[KeywordFilter, ...]:
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


@dataclass(frozen=True, slots=True)
class ArticleSearch:
    """What articles are searched with: their words, words that mean the same, the meaning of sentences."""

    index: SearchIndex
    synonyms: Synonyms = ()
    meaning: MeaningIndex | None = None

    async def rank(self, query: str, plan: QueryPlan, filters: Sequence[KeywordFilter]) -> list[Hit]:
        """What a query finds, each article once: those with its words, those that say the same in other
        words, then those that mean nearly the same. Where none has all the words, those with most of them.
        """
        (asked,) = await correct_questions(self.index, [query])
        corrected = await plan_query(self.index, asked) if asked != query else None
        sayings = [await plan_query(self.index, text) for text in replace_synonyms(asked, self.synonyms)]
        found: dict[int, Hit] = {}
        for each in filter(None, (corrected, plan, *sayings)):
            await self.add_matches(found, each, filters)
        if not found:
            meant = corrected or plan
            partial = await plan_partial_match(self.index, meant, *filters, boosts=ARTICLE_BOOSTS)
            await self.add_matches(found, partial or meant, filters)
        if self.meaning:
            (near,) = await self.meaning.nearest([asked], limit=CANDIDATES_LIMIT, filters=filters)
            for id, similarity in near:
                if similarity >= LEAST_SIMILARITY:
                    found.setdefault(id, Hit(id, similarity))
        return list(found.values())[:RELEVANCE_LIMIT]

    async def add_matches(
        self, found: dict[int, Hit], plan: QueryPlan, filters: Sequence[KeywordFilter]
    ) -> None:
        query = IndexQuery(text_query(plan, ARTICLE_BOOSTS), tuple(filters))
        for hit in await self.index.rank(query, limit=RELEVANCE_LIMIT):
            found.setdefault(hit.id, hit)


async def load_found_articles(
    search: ArticleSearch,
    reads: Reads,
    criteria: ArticleCriteria,
    query: str,
    request: PageRequest,
) -> Page[Article]:
    """A page of a search: the index says which articles, the database what is shown. Raises WrongCursor."""
    plan = await plan_query(search.index, query)
    if plan is None:
        return Page((), (), has_next=False, has_previous=False)
    sort = search_sort(plan.query_hash)
    bounds: dict[str, tuple[int, int]] = {
        name: (place, article_id) for name, (place, article_id) in read_bounds(sort, request).items()
    }
    ranked = await search.rank(query, plan, criteria.filters)
    hits, has_more = cut_page(ranked, request, bounds)
    shown = {row.id: row for row in await load_shown(reads, criteria, [hit.id for hit in hits])}
    # between the index and the database time passes: what is no longer shown is left out
    kept = [hit for hit in hits if hit.id in shown]
    return build_page(
        [shown[hit.id] for hit in kept],
        write_cursors(sort, [(int(hit.key), hit.id) for hit in kept]),
        request,
        has_more=has_more,
        count_all=partial(known_count, len(ranked)),
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
    search: ArticleSearch,
    texts: Sequence[str],
    *,
    criteria: ArticleCriteria = PUBLISHED,
    context: Sequence[str] = (),
) -> list[Candidates]:
    """The articles of a list that may answer each text, by words and by meaning; `context` are texts about
    what somebody has bought and where it is.
    """
    known = context_query(context)
    about = (
        await search.index.rank(IndexQuery(known, criteria.filters), limit=CANDIDATES_LIMIT) if known else ()
    )
    by_context = [(hit.id, hit.key) for hit in about]
    cut = [text[:QUERY_LIMIT] for text in texts]
    meant = dict(zip(cut, await correct_questions(search.index, cut), strict=True))
    queries = {text: question_query(text, search.synonyms) for text in meant.values()}
    by_meaning: dict[str, Nearest] = {}
    asked = [text for text, query in queries.items() if query]
    if search.meaning and asked:
        near = await search.meaning.nearest(asked, limit=CANDIDATES_LIMIT, filters=criteria.filters)
        by_meaning = dict(zip(asked, near, strict=True))
    documents = await search.index.document_count()
    candidates: dict[str, Candidates] = {}
    for text, query in queries.items():
        by_words = IndexQuery(query, criteria.filters)
        hits = await search.index.rank(by_words, limit=CANDIDATES_LIMIT) if query else ()
        ranked = [(hit.id, hit.key) for hit in hits]
        candidates[text] = Candidates(ranked, by_meaning.get(text), documents, by_context, text)
    return [candidates[meant[text]] for text in cut]


async def load_sentences(reads: Reads, article_ids: Collection[int] | None) -> dict[int, ArticleSentences]:
    """The titles and questions of these articles, or of all; of those only that can be found."""
    statement = select(Article).where(
        Article.status == ArticleStatus.PUBLISHED, Article.archived_at.is_(None)
    )
    if article_ids is not None:
        statement = statement.where(Article.id.in_(article_ids))
    async with reads() as session:
        rows = await session.scalars(statement.order_by(Article.id))
        return {row.id: sentences_of(row) for row in rows}


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
