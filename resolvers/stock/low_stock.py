"""Variants of which few units are available."""

from datetime import timedelta
from functools import partial

import strawberry

from domain.errors import Invalid, NotFound
from domain.stock import set_low_stock_threshold
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.stock import LowStock, select_low_stock
from models import Variant
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import parse_id, row_id
from resolvers.inputs.stock import LowStockFilter
from resolvers.paging import query_page

DAYS_LIMIT = 366


async def low_stock(
    info: Info,
    filter: LowStockFilter | None = None,
    sold_days: int = 28,
    cover_days: int = 28,
    page: PageRequest = FIRST_PAGE,
) -> Page[LowStock]:
    """Tracked variants on sale that are down to their threshold, those that run out first before the others.

    filter: which; all of them when left out
    sold_days: over how many days back sales are counted
    cover_days: how many days of sales the suggested order covers
    """
    for name, days in (("sold_days", sold_days), ("cover_days", cover_days)):
        if not 1 <= days <= DAYS_LIMIT:
            raise Invalid("From 1 to {limit} days.", limit=DAYS_LIMIT, field=(name,))
    filters = filter or LowStockFilter()
    warehouse_id = filters.warehouse_id
    statement, sort = select_low_stock(
        default_threshold=info.context.shop.settings.catalog.low_stock_at,
        days=sold_days,
        since=info.context.now - timedelta(days=sold_days),
        warehouse_id=row_id(warehouse_id, "Warehouse", field=("filter", "warehouse_id"))
        if warehouse_id
        else None,
        category_path=await category_path(info, filters.category),
    )
    build_row = partial(LowStock, sold_days, cover_days)
    return await query_page(info, statement, sort, page, shape=build_row)


async def category_path(info: Info, id_or_slug: str | None) -> str | None:
    """The path of a category; None without one. NotFound where there is no such category."""
    if id_or_slug is None:
        return None
    parsed = parse_id(id_or_slug)
    by_id = parsed[1] if parsed and parsed[0] == "Category" else None
    load = info.context.load
    category = await (load.category.load(by_id) if by_id else load.slug_category.load(id_or_slug))
    if category is None:
        raise NotFound("category", field=("filter", "category"))
    return category.path


async def stock_threshold_set(info: Info, variant_id: strawberry.ID, units: int | None = None) -> Variant:
    """Sets down to how many available units a variant is low.

    variant_id: the variant
    units: the number of units; the shop's own threshold when left out
    """
    variant = row_id(variant_id, "Variant", field=("variant_id",))
    async with info.context.transaction() as session:
        return await set_low_stock_threshold(session, variant_id=variant, units=units)


def low_stock_at(root: Variant, info: Info) -> int | None:
    """Its own threshold of low stock, if it has one; null for customers."""
    return root.low_stock_at if info.context.viewer.may(Permission.STOCK_VIEW) else None
