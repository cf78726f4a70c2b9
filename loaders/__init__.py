"""Every SELECT made for showing: aiodataloader classes, batched. One set lives as long as one request."""

from loaders.account import AccountLoaders
from loaders.aftersales import AftersalesLoaders
from loaders.cart import CartLoaders
from loaders.catalog import CatalogLoaders
from loaders.event import EventLoaders
from loaders.knowledge import KnowledgeLoaders
from loaders.offer import OfferLoaders
from loaders.order import OrderLoaders
from loaders.payment import PaymentLoaders
from loaders.prepared import Reads
from loaders.shipment import ShipmentLoaders
from loaders.shipping import ShippingLoaders
from loaders.stock import StockLoaders


class Loaders(
    AccountLoaders,
    AftersalesLoaders,
    KnowledgeLoaders,
    CartLoaders,
    CatalogLoaders,
    EventLoaders,
    OfferLoaders,
    ShipmentLoaders,
    OrderLoaders,
    PaymentLoaders,
    ShippingLoaders,
    StockLoaders,
):
    """All loaders of one request, each made when first asked for."""

    def __init__(self, reads: Reads) -> None:
        self.reads = reads
