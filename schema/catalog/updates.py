"""Subscriptions to products."""

from datetime import datetime

import strawberry

from resolvers import catalog as resolve
from resolvers.guard import Permission
from schema.catalog.product import Product
from schema.rows import batched, field, row_type, subscription


@row_type(resolve.ProductChange)
class ProductUpdate:
    """A product whose price, stock state or flash sale has changed."""

    product_id: strawberry.ID = field(resolve.updated_product_id)
    product: Product | None = batched(resolve.updated_products)
    occurred_at: datetime
    """When the change was seen."""


@strawberry.type
class CatalogSubscription:
    product_updates: ProductUpdate = subscription(resolve.product_updates, allow=Permission.PUBLIC)
