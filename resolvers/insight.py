from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from domain.errors import Invalid
from loaders.insight import ProductQuality, ProductSales, product_quality, product_sales
from loaders.page import PAGE_DEFAULT, PAGE_LIMIT
from resolvers.context import Info


async def product_report(
    info: Info,
    since: Annotated[datetime, strawberry.argument(name="from")],
    until: Annotated[datetime, strawberry.argument(name="to")],
    first: int = PAGE_DEFAULT,
) -> Sequence[ProductSales]:
    """What sold most, by units, in orders that were not cancelled; refunds are not taken off.

    since: orders placed at this moment or later
    until: orders placed before this moment
    first: how many products, at most 100
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise Invalid("A moment says its time zone, such as 2026-03-01T00:00:00Z.", field=("from",))
    if until <= since:
        raise Invalid("The report ends before it begins.", field=("to",))
    reads = info.context.shop.database.reads
    return await product_sales(reads, since=since, until=until, first=within_limit(first))


async def catalog_quality(info: Info, first: int = PAGE_DEFAULT) -> Sequence[ProductQuality]:
    """The least complete products, the worst first; archived ones do not count.

    first: how many, at most 100
    """
    return await product_quality(info.context.shop.database.reads, first=within_limit(first))


def within_limit(first: int) -> int:
    if not 1 <= first <= PAGE_LIMIT:
        raise Invalid(f"A report has 1 to {PAGE_LIMIT} entries.", field=("first",))
    return first
