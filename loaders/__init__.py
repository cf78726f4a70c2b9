"""Every SELECT whose rows are shown: batched loaders (aiodataloader), one set for each request."""

from loaders.account import AccountLoaders
from loaders.aftersales import AftersalesLoaders
from loaders.base import LoaderSet
from loaders.canned_answers import CannedAnswerLoaders
from loaders.carrier import CarrierLoaders
from loaders.carrier_call import CarrierCallLoaders
from loaders.cart import CartLoaders
from loaders.cash import CashLoaders
from loaders.catalog import CatalogLoaders
from loaders.customer import CustomerLoaders
from loaders.delivery_run import DeliveryRunLoaders
from loaders.delivery_run.vehicles import VehicleLoaders
from loaders.dispute import DisputeLoaders
from loaders.event import EventLoaders
from loaders.knowledge import KnowledgeLoaders
from loaders.order import OrderLoaders
from loaders.packing import PackingLoaders
from loaders.payment import PaymentLoaders
from loaders.promotion import PromotionLoaders
from loaders.provider_call import ProviderCallLoaders
from loaders.return_parcel import ReturnParcelLoaders
from loaders.shipment import ShipmentLoaders
from loaders.shipping import ShippingLoaders
from loaders.statement import StatementLoaders
from loaders.stock import StockLoaders
from loaders.store_credit import StoreCreditLoaders
from loaders.ticket_agent import TicketAgentLoaders
from loaders.training import TrainingLoaders


class Loaders(
    AccountLoaders,
    AftersalesLoaders,
    CannedAnswerLoaders,
    KnowledgeLoaders,
    CartLoaders,
    CatalogLoaders,
    CustomerLoaders,
    EventLoaders,
    PromotionLoaders,
    ShipmentLoaders,
    ReturnParcelLoaders,
    PackingLoaders,
    DeliveryRunLoaders,
    VehicleLoaders,
    OrderLoaders,
    PaymentLoaders,
    DisputeLoaders,
    ProviderCallLoaders,
    CarrierCallLoaders,
    StatementLoaders,
    CashLoaders,
    CarrierLoaders,
    ShippingLoaders,
    StockLoaders,
    StoreCreditLoaders,
    TicketAgentLoaders,
    TrainingLoaders,
    LoaderSet,
):
    """All loaders of one request, each created when it is first used."""
