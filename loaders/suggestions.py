"""The products, brands and categories that match what somebody is typing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from loaders.listing import ProductCriteria, ProductSort, select_products
from loaders.search import matching_products, plan_partial_match, plan_query
from models import Category, Product
from models.database import Reads
from text.query_plan import QueryPlan

BRAND_CATEGORIES_LIMIT = 200
"""Pairs of a brand and a category, the most frequent ones, from which both are suggested."""


@dataclass(frozen=True, slots=True)
class SuggestedMatches:
    """The plan of a query, and what matches it, the most frequent and best first."""

    plan: QueryPlan
    categories: Sequence[Category]
    brands: Sequence[str]
    products: Sequence[Product]


async def load_suggestions(
    reads: Reads, criteria: ProductCriteria, query: str, *, first: int, dialect: str
) -> SuggestedMatches | None:
    """The `first` best products, and the categories and brands of all that match; None for no words."""
    if not query:
        return None
    plan = await plan_query(reads, query, typing=True)
    if plan is None:
        return None
    matches = await _load_matches(reads, criteria, plan, first=first, dialect=dialect)
    if matches.products:
        return matches
    partial_plan = await plan_partial_match(reads, plan, criteria.statuses, dialect=dialect)
    if partial_plan is None:
        return matches
    return await _load_matches(reads, criteria, partial_plan, first=first, dialect=dialect)


async def _load_matches(
    reads: Reads, criteria: ProductCriteria, plan: QueryPlan, *, first: int, dialect: str
) -> SuggestedMatches:
    statement, sort = select_products(replace(criteria, plan=plan), ProductSort.RELEVANCE, dialect=dialect)
    best = statement.order_by(*(key.ordering for key in sort.keys)).limit(first)
    matches = matching_products(plan, dialect=dialect)
    count = func.count()
    brands_in_categories = (
        select(Product.brand, Category.path, count)
        .join(matches, matches.c.id == Product.id)
        .outerjoin(Category, Category.id == Product.category_id)
        .where(Product.status.in_(criteria.statuses))
        .group_by(Product.brand, Category.path)
        .order_by(count.desc(), Product.brand, Category.path)
        .limit(BRAND_CATEGORIES_LIMIT)
    )
    by_brand: Counter[str] = Counter()
    by_category: Counter[int] = Counter()
    async with reads() as session:
        products = (await session.scalars(best)).all()
        for brand, path, product_count in await session.execute(brands_in_categories):
            by_brand[brand] += product_count
            for step in (path or "").strip("/").split("/"):
                if step:
                    by_category[int(step)] += product_count
        statement = select(Category).where(Category.id.in_(by_category))
        categories = (await session.scalars(statement)).all() if by_category else ()
    return SuggestedMatches(
        plan,
        sorted(categories, key=lambda row: (-by_category[row.id], row.depth, row.id)),
        [brand for brand, _ in sorted(by_brand.items(), key=lambda each: (-each[1], each[0])) if brand],
        products,
    )
