from collections.abc import Sequence

from domain.errors import Invalid
from loaders.insight import ProductQuality, product_quality
from loaders.page import PAGE_DEFAULT, PAGE_LIMIT
from resolvers.context import Info


async def catalog_quality(info: Info, first: int = PAGE_DEFAULT) -> Sequence[ProductQuality]:
    """The least complete products, the worst first; archived ones do not count.

    first: how many, at most 100
    """
    return await product_quality(info.context.shop.database.reads, first=within_limit(first))


def within_limit(first: int) -> int:
    if not 1 <= first <= PAGE_LIMIT:
        raise Invalid(f"A report has 1 to {PAGE_LIMIT} entries.", field=("first",))
    return first
