"""WHAT CLIENTS SEE: the roots, assembled by area. Declarations only."""

from typing import Any

import strawberry

from resolvers import node as resolve
from resolvers.guard import ANYONE
from schema.account import AccountMutation, AccountQuery
from schema.aftersales import AftersalesMutation, AftersalesQuery, AftersalesSubscription
from schema.cart import CartMutation, CartQuery, CartSubscription
from schema.catalog import CatalogMutation, CatalogQuery
from schema.change import ChangeMutation
from schema.insight import InsightQuery
from schema.knowledge import KnowledgeMutation, KnowledgeQuery
from schema.news import NewsSubscription
from schema.node import Node
from schema.offer import OfferMutation, OfferQuery
from schema.order import OrderMutation, OrderQuery, OrderSubscription
from schema.payment import PaymentMutation, PaymentQuery
from schema.rows import field
from schema.run import RunMutation, RunQuery, RunSubscription
from schema.shipment import ShipmentMutation, ShipmentQuery, ShipmentSubscription
from schema.shipping import ShippingMutation, ShippingQuery
from schema.shop import ShopSchema
from schema.stock import StockMutation, StockQuery


@strawberry.type(description="Everything that can be read.")
class Query(
    AccountQuery,
    KnowledgeQuery,
    CartQuery,
    CatalogQuery,
    OfferQuery,
    StockQuery,
    ShippingQuery,
    OrderQuery,
    PaymentQuery,
    ShipmentQuery,
    RunQuery,
    AftersalesQuery,
    InsightQuery,
):
    node: Node | None = field(resolve.node, allow=ANYONE)
    nodes: list[Node | None] = field(resolve.nodes, allow=ANYONE)


@strawberry.type(description="Everything that can be done.")
class Mutation(
    AccountMutation,
    KnowledgeMutation,
    CartMutation,
    OfferMutation,
    StockMutation,
    ShippingMutation,
    OrderMutation,
    ChangeMutation,
    PaymentMutation,
    ShipmentMutation,
    RunMutation,
    AftersalesMutation,
    CatalogMutation,
):
    pass


@strawberry.type(description="Everything that can be watched.")
class Subscription(
    CartSubscription,
    NewsSubscription,
    OrderSubscription,
    ShipmentSubscription,
    RunSubscription,
    AftersalesSubscription,
):
    pass


def refuse_unguarded(*roots: Any) -> None:
    """TypeError for a field of a root that does not say whom it allows."""
    for root in roots:
        for declared in root.__strawberry_definition__.fields:
            if not declared.metadata.get("allow"):
                raise TypeError(f"{root.__name__}.{declared.python_name} does not say whom it allows")


refuse_unguarded(Query, Mutation, Subscription)
schema = ShopSchema(query=Query, mutation=Mutation, subscription=Subscription)
