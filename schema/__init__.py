"""What clients see: the schema, its roots assembled by area."""

import strawberry
from strawberry.types.base import get_object_definition

from resolvers import node as resolve
from resolvers.guard import Permission
from schema.account import AccountMutation, AccountQuery
from schema.aftersales import AftersalesMutation, AftersalesQuery, AftersalesSubscription
from schema.agreement import AgreementMutation, AgreementQuery
from schema.analytics import AnalyticsQuery
from schema.carrier import CarrierMutation, CarrierQuery
from schema.carrier_rule import CarrierRuleMutation, CarrierRuleQuery
from schema.cart import CartMutation, CartQuery, CartSubscription
from schema.cash import CashMutation, CashQuery
from schema.catalog import CatalogMutation, CatalogQuery, CatalogSubscription
from schema.customer import CustomerQuery
from schema.delivery_run import DeliveryRunMutation, DeliveryRunQuery, DeliveryRunSubscription
from schema.dispute import DisputeQuery
from schema.knowledge import KnowledgeMutation, KnowledgeQuery
from schema.limits.sizes import LengthOf
from schema.node import Node
from schema.order import OrderMutation, OrderQuery, OrderSubscription
from schema.order.editing import OrderEditingMutation, OrderEditingQuery
from schema.packing import PackingMutation, PackingQuery
from schema.payment import PaymentMutation, PaymentQuery
from schema.pickup import PickupMutation
from schema.promotion import PromotionMutation, PromotionQuery
from schema.rows import field
from schema.shipment import ShipmentMutation, ShipmentQuery, ShipmentSubscription
from schema.shipping import ShippingMutation, ShippingQuery
from schema.shop import ShopSchema
from schema.statement import StatementMutation, StatementQuery
from schema.stock import StockMutation, StockQuery
from schema.store_credit import StoreCreditMutation, StoreCreditQuery
from schema.subscriptions import FeedSubscription, WorkQueueQuery
from schema.ticket_agent import TicketAgentMutation, TicketAgentQuery
from schema.ticket_report import TicketReportQuery
from schema.ticket_thread import TicketThreadMutation, TicketThreadQuery
from schema.tracking import TrackingMutation, TrackingQuery
from schema.training import TrainingMutation, TrainingQuery
from schema.urgent_term import UrgentTermMutation, UrgentTermQuery
from schema.vehicle import VehicleMutation, VehicleQuery


@strawberry.type(description="Everything that can be read.")
class Query(
    AccountQuery,
    KnowledgeQuery,
    CartQuery,
    CatalogQuery,
    PromotionQuery,
    StockQuery,
    ShippingQuery,
    OrderQuery,
    OrderEditingQuery,
    PaymentQuery,
    CashQuery,
    StoreCreditQuery,
    DisputeQuery,
    StatementQuery,
    CarrierQuery,
    CarrierRuleQuery,
    ShipmentQuery,
    TrackingQuery,
    PackingQuery,
    DeliveryRunQuery,
    VehicleQuery,
    AftersalesQuery,
    AgreementQuery,
    TicketAgentQuery,
    UrgentTermQuery,
    TicketThreadQuery,
    TrainingQuery,
    WorkQueueQuery,
    CustomerQuery,
    AnalyticsQuery,
    TicketReportQuery,
):
    node: Node | None = field(resolve.node, allow=Permission.PUBLIC)
    nodes: list[Node | None] = field(resolve.nodes, allow=Permission.PUBLIC, size=LengthOf("ids"))


@strawberry.type(description="Everything that can be done.")
class Mutation(
    AccountMutation,
    KnowledgeMutation,
    CartMutation,
    PromotionMutation,
    StockMutation,
    ShippingMutation,
    OrderMutation,
    PickupMutation,
    OrderEditingMutation,
    PaymentMutation,
    CashMutation,
    StoreCreditMutation,
    StatementMutation,
    CarrierMutation,
    CarrierRuleMutation,
    ShipmentMutation,
    TrackingMutation,
    PackingMutation,
    DeliveryRunMutation,
    VehicleMutation,
    AftersalesMutation,
    AgreementMutation,
    TicketAgentMutation,
    UrgentTermMutation,
    TicketThreadMutation,
    TrainingMutation,
    CatalogMutation,
):
    pass


@strawberry.type(description="Everything that can be watched.")
class Subscription(
    CatalogSubscription,
    CartSubscription,
    FeedSubscription,
    OrderSubscription,
    ShipmentSubscription,
    DeliveryRunSubscription,
    AftersalesSubscription,
):
    pass


def refuse_unguarded(*roots: type) -> None:
    """Raises TypeError for a field of a root that names no permission."""
    for root in roots:
        for declared in get_object_definition(root, strict=True).fields:
            if not declared.metadata.get("allow"):
                raise TypeError(f"{root.__name__}.{declared.python_name} names no permission")


refuse_unguarded(Query, Mutation, Subscription)
schema = ShopSchema(query=Query, mutation=Mutation, subscription=Subscription)
