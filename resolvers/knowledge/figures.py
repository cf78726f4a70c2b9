"""What the knowledge base brings, for whoever writes it."""

from collections.abc import Sequence
from datetime import date, timedelta

from domain.errors import Invalid
from loaders.article_figures import (
    FIGURES_LIMIT,
    ArticleConcern,
    ArticleFigures,
    ConcerningArticle,
    SearchFigures,
    load_article_figures,
    load_concerning_articles,
    load_unanswered_searches,
)
from loaders.question_topics import FoundTopic, load_question_topics
from resolvers.context import Info

__all__ = ["ArticleConcern", "ArticleFigures", "ConcerningArticle", "FoundTopic", "SearchFigures"]

DAYS_LIMIT = 3_650


async def article_figures(info: Info, days: int = 30, first: int = 50) -> Sequence[ArticleFigures]:
    """How often articles were suggested and read, and whether a ticket followed, the ones read most first.

    days: of so many days, today included
    first: how many, at most 100
    """
    since, limit = first_day(info, days), check_count(first)
    return await load_article_figures(info.context.shop.database.reads, since=since, first=limit)


async def unanswered_searches(info: Info, days: int = 30, first: int = 50) -> Sequence[SearchFigures]:
    """What at least three customers looked for and found no article, the most frequent first, without numbers
    and e-mail addresses. Each customer counts once a day. It is kept for 90 days.

    days: of so many days, today included
    first: how many, at most 100
    """
    since, limit = first_day(info, days), check_count(first)
    return await load_unanswered_searches(info.context.shop.database.reads, since=since, first=limit)


async def concerning_articles(info: Info, first: int = 50) -> Sequence[ConcerningArticle]:
    """Published articles that may be out of date, and why.

    first: how many, at most 100
    """
    reads, limit = info.context.shop.database.reads, check_count(first)
    return await load_concerning_articles(reads, now=info.context.now, first=limit)


async def question_topics(info: Info) -> Sequence[FoundTopic]:
    """What several customers have asked in the last 30 days and no article answers, most often asked first:
    each deserves an article. It is found anew every six hours.
    """
    return await load_question_topics(info.context.shop.database.reads)


def first_day(info: Info, days: int) -> date:
    if not 1 <= days <= DAYS_LIMIT:
        raise Invalid("Give 1 to {limit} days.", limit=DAYS_LIMIT, field=("days",))
    return info.context.shop.today - timedelta(days=days - 1)


def check_count(first: int) -> int:
    if not 1 <= first <= FIGURES_LIMIT:
        raise Invalid("Give 1 to {limit}.", limit=FIGURES_LIMIT, field=("first",))
    return first
