"""What articles bring: how often they are shown and read, and whether a ticket follows; what is not found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, cast, func, literal, or_, select
from sqlalchemy.orm import aliased

from models import Article, ArticleDay, ArticleRead, ArticleStatus, UnansweredSearch
from models.database import Reads

FIGURES_LIMIT = 100
"""Articles, and texts, in one answer."""

ASKERS_NEEDED = 3
"""How many have asked a text that is shown: what only one has typed may be about a person."""

UNTOUCHED_FOR = timedelta(days=365)
"""After which an article that nobody has changed or planned to look at may be out of date."""

UNHELPFUL_FROM = 5
"""Readers whom an article has not helped, from which on that is a concern where they are the most."""


@dataclass(frozen=True, slots=True)
class ArticleFigures:
    """What became of one article since a day."""

    article: Article
    shown: int
    reads: int
    order_reads: int
    deflected: int

    @property
    def tickets(self) -> int:
        """Readings after which a ticket was opened."""
        return self.order_reads - self.deflected

    @property
    def deflection(self) -> float | None:
        return self.deflected / self.order_reads if self.order_reads else None


@dataclass(frozen=True, slots=True)
class SearchFigures:
    """A text for which no article was found, and how many have asked it since a day."""

    query: str
    count: int


class ArticleConcern(StrEnum):
    """Why somebody should look at an article."""

    REVIEW_DUE = "REVIEW_DUE"
    """The moment has come at which somebody should look whether it is still true."""
    NO_OWNER = "NO_OWNER"
    """Nobody answers for it."""
    NO_REVIEW = "NO_REVIEW"
    """Nobody has said when to look at it again, and it was not changed for a year."""
    OLD_TRANSLATION = "OLD_TRANSLATION"
    """The article that it translates has changed in substance since."""
    UNHELPFUL = "UNHELPFUL"
    """It has not helped more readers than it has helped."""


@dataclass(frozen=True, slots=True)
class ConcerningArticle:
    """A published article that may be out of date, and why."""

    article: Article
    concerns: Sequence[ArticleConcern]


async def load_article_figures(reads: Reads, *, since: date, first: int) -> list[ArticleFigures]:
    """The articles of these days that were read most: counted readings, and those that wait for that."""
    names = ("shown", "reads", "order_reads", "deflected")
    counted = (
        select(
            ArticleDay.article_id,
            *(cast(func.sum(getattr(ArticleDay, name)), BigInteger).label(name) for name in names),
        )
        .where(ArticleDay.day >= since)
        .group_by(ArticleDay.article_id)
        .subquery()
    )
    waiting = (
        select(ArticleRead.article_id, func.count().label("reads"))
        .where(ArticleRead.day >= since)
        .group_by(ArticleRead.article_id)
        .subquery()
    )
    shown, read, order_reads, deflected = (func.coalesce(counted.c[name], 0) for name in names)
    total = (read + func.coalesce(waiting.c.reads, 0)).label("total")
    statement = (
        select(Article, shown, total, order_reads, deflected)
        .outerjoin(counted, counted.c.article_id == Article.id)
        .outerjoin(waiting, waiting.c.article_id == Article.id)
        .where(or_(counted.c.article_id.is_not(None), waiting.c.article_id.is_not(None)))
        .order_by(total.desc(), shown.desc(), Article.id)
        .limit(first)
    )
    async with reads() as session:
        return [ArticleFigures(*row) for row in await session.execute(statement)]


async def load_unanswered_searches(reads: Reads, *, since: date, first: int) -> list[SearchFigures]:
    """The texts of these days that found no article and several have asked, the most frequent first."""
    total = cast(func.sum(UnansweredSearch.count), BigInteger).label("total")
    statement = (
        select(UnansweredSearch.query, total)
        .where(UnansweredSearch.day >= since)
        .group_by(UnansweredSearch.query)
        .having(total >= ASKERS_NEEDED)
        .order_by(total.desc(), UnansweredSearch.query)
        .limit(first)
    )
    async with reads() as session:
        return [SearchFigures(*row) for row in await session.execute(statement)]


async def load_concerning_articles(reads: Reads, *, now: datetime, first: int) -> list[ConcerningArticle]:
    """Published articles that may be out of date, those that wait for a review longest first."""
    original = aliased(Article)
    untouched = Article.updated_at < now - UNTOUCHED_FOR
    conditions = {
        ArticleConcern.REVIEW_DUE: Article.review_at <= now,
        ArticleConcern.NO_OWNER: Article.owner_id.is_(None),
        ArticleConcern.NO_REVIEW: Article.review_at.is_(None) & untouched,
        ArticleConcern.OLD_TRANSLATION: original.substance_changed_at > Article.updated_at,
        ArticleConcern.UNHELPFUL: (Article.unhelpful >= UNHELPFUL_FROM)
        & (Article.unhelpful > Article.helpful),
    }
    columns = [func.coalesce(condition, literal(False)) for condition in conditions.values()]
    statement = (
        select(Article, *columns)
        .outerjoin(original, original.id == Article.original_id)
        .where(
            Article.status == ArticleStatus.PUBLISHED,
            Article.archived_at.is_(None),
            or_(*conditions.values()),
        )
        .order_by(func.coalesce(Article.review_at, Article.updated_at), Article.id)
        .limit(first)
    )
    async with reads() as session:
        return [
            ConcerningArticle(article, [each for each, holds in zip(conditions, found, strict=True) if holds])
            for article, *found in await session.execute(statement)
        ]
