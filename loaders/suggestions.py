"""The products, brands and categories that match what somebody is typing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from gateways.search import SearchIndex, ValueCount
from loaders.listing import ProductCriteria, ProductSort, load_product_page
from loaders.page import PageRequest
from loaders.search import plan_partial_match, plan_query
from loaders.search.fields import BRAND, CATEGORY
from models import Category, Product
from models.database import Reads
from text.query_plan import QueryPlan

COUNTED_LIMIT = 100
"""Brands and categories, the most frequent ones, out of which those with the words are suggested."""


@dataclass(frozen=True, slots=True)
class SuggestedMatches:
    """The plan of a query, and what matches it, the most frequent and best first."""

    plan: QueryPlan
    categories: Sequence[Category]
    brands: Sequence[str]
    products: Sequence[Product]


async def load_suggestions(
    index: SearchIndex, reads: Reads, criteria: ProductCriteria, query: str, *, first: int
) -> SuggestedMatches | None:
    """The `first` best products, and the categories and brands of all that match; None for no words."""
    if not query:
        return None
    plan = await plan_query(index, query, typing=True)
    if plan is None:
        return None
    matches = await _load_matches(index, reads, replace(criteria, plan=plan), plan, first=first)
    if matches.products:
        return matches
    partial = await plan_partial_match(index, plan, criteria.visible)
    if partial is None:
        return matches
    return await _load_matches(index, reads, replace(criteria, plan=partial), partial, first=first)


async def _load_matches(
    index: SearchIndex, reads: Reads, criteria: ProductCriteria, plan: QueryPlan, *, first: int
) -> SuggestedMatches:
    page = await load_product_page(index, reads, criteria, ProductSort.RELEVANCE, PageRequest(first=first))
    figures = await index.figures(
        criteria.query, (ValueCount(BRAND, COUNTED_LIMIT), ValueCount(CATEGORY, COUNTED_LIMIT))
    )
    brands, categories = figures.counts
    counts = {int(value.partition("/")[2]): count for value, count in categories}
    rows: Sequence[Category] = ()
    if counts:
        async with reads() as session:
            rows = (await session.scalars(select(Category).where(Category.id.in_(counts)))).all()
    return SuggestedMatches(
        plan,
        sorted(rows, key=lambda row: (-counts[row.id], row.depth, row.id)),
        [brand for brand, _ in brands],
        page.rows,
    )
