"""What fits what somebody is typing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from loaders.listing import ProductSort, Wanted, listing
from loaders.prepared import Reads
from loaders.search import finds, nearest, understood
from models import Category, Product
from words.asking import Plan

PLACES_LIMIT = 200
"""Places (a brand in a category) among all that fits, from which brands and categories are suggested."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """What was understood, and the most frequent and best of what fits."""

    plan: Plan
    categories: Sequence[Category]
    brands: Sequence[str]
    products: Sequence[Product]


async def suggested(reads: Reads, wanted: Wanted, text: str, *, first: int, dialect: str) -> Suggested | None:
    """The products that fit best, and the categories and brands of all that fits, the most frequent first."""
    if not text:
        return None
    plan = await understood(reads, text, typing=True)
    if plan is None:
        return None
    fitting = await _fitting(reads, wanted, plan, first=first, dialect=dialect)
    if fitting.products:
        return fitting
    near = await nearest(reads, plan, wanted.statuses, dialect=dialect)
    return await _fitting(reads, wanted, near, first=first, dialect=dialect) if near else fitting


async def _fitting(reads: Reads, wanted: Wanted, plan: Plan, *, first: int, dialect: str) -> Suggested:
    statement, sort = listing(replace(wanted, plan=plan), ProductSort.RELEVANCE, dialect=dialect)
    best = statement.order_by(*(key.ordering for key in sort.keys)).limit(first)
    hits = finds(plan, dialect=dialect)
    count = func.count()
    places = (
        select(Product.brand, Category.path, count)
        .join(hits, hits.c.id == Product.id)
        .outerjoin(Category, Category.id == Product.category_id)
        .where(Product.status.in_(wanted.statuses))
        .group_by(Product.brand, Category.path)
        .order_by(count.desc(), Product.brand, Category.path)
        .limit(PLACES_LIMIT)
    )
    brands: Counter[str] = Counter()
    steps: Counter[int] = Counter()
    async with reads() as session:
        products = (await session.scalars(best)).all()
        for brand, path, products_there in await session.execute(places):
            brands[brand] += products_there
            for step in (path or "").strip("/").split("/"):
                if step:
                    steps[int(step)] += products_there
        rows = (await session.scalars(select(Category).where(Category.id.in_(steps)))).all() if steps else ()
    return Suggested(
        plan,
        sorted(rows, key=lambda row: (-steps[row.id], row.depth, row.id)),
        [brand for brand, _ in sorted(brands.items(), key=lambda each: (-each[1], each[0])) if brand],
        products,
    )
