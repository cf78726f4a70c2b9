"""Watching products."""

from collections.abc import AsyncIterator, Collection, Hashable, Mapping, Sequence
from functools import partial

import strawberry

from domain.errors import Invalid
from events.subscriptions.product_watch import ProductChange
from models import Product, Variant
from resolvers.catalog.product import load_prices, visible_product
from resolvers.context import Info
from resolvers.ids import global_id, row_id
from resolvers.promotion import variant_flash_sales
from resolvers.stock import variant_availability

__all__ = ["ProductChange"]  # shown by the schema

WATCHED_PRODUCTS_LIMIT = 100
"""Products in one `productUpdates`: those of a page."""


async def product_updates(info: Info, ids: list[strawberry.ID]) -> AsyncIterator[ProductChange]:
    """The price, the stock state and the flash sale of products as they change, each product at most once a
    second. Those that cannot be seen are told first, with null.

    ids: the products, up to 100
    """
    if not 1 <= len(ids) <= WATCHED_PRODUCTS_LIMIT:
        raise Invalid("Name 1 to {limit} products.", limit=WATCHED_PRODUCTS_LIMIT, field=("ids",))
    product_ids = dict.fromkeys(row_id(id, "Product", field=("ids", index)) for index, id in enumerate(ids))
    look = partial(look_at_products, info)
    async for change in info.context.shop.product_watch.follow(product_ids, look, viewer=info.context.viewer):
        yield change


async def look_at_products(info: Info, product_ids: Collection[int]) -> Mapping[int, Hashable]:
    """What the viewer sees of each product they can see."""
    info.context.forget_loaded()
    found = await info.context.load.product.load_many(list(product_ids))
    products = [product for each in found if (product := visible_product(info, each))]
    variants = await info.context.load.product_variants.load_many([product.id for product in products])
    seen = iter(await look_at_variants([variant for some in variants for variant in some], info))
    return {
        product.id: tuple(next(seen) for _ in own) for product, own in zip(products, variants, strict=True)
    }


async def look_at_variants(variants: Sequence[Variant], info: Info) -> list[Hashable]:
    """Of each variant its price, its flash sale and how much of it can be bought, as the viewer sees them."""
    prices = await load_prices(variants, info, None)
    sales = await variant_flash_sales(variants, info)
    availabilities = await variant_availability(variants, info)
    return [
        (
            variant.id,
            price and (price.price, price.compare_at),
            sale and (sale.promotion.id, sale.price, sale.left, sale.ends_at),
            (availability.level, availability.quantity),
        )
        for variant, price, sale, availability in zip(variants, prices, sales, availabilities, strict=True)
    ]


async def updated_products(changes: Sequence[ProductChange], info: Info) -> list[Product | None]:
    """The product as it is now; null when it cannot be seen any more."""
    found = await info.context.load.product.load_many([change.product_id for change in changes])
    return [visible_product(info, product) for product in found]


def updated_product_id(root: ProductChange) -> strawberry.ID:
    """The id of the product, also where it cannot be seen."""
    return strawberry.ID(global_id("Product", root.product_id))
