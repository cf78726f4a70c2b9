"""Events of products. Amounts are minor units of `currency`."""

from domain.events.types import ProductEvent
from models import CurrencyCode


class ProductCreated(ProductEvent, name="product.created"):
    pass


class ProductUpdated(ProductEvent, name="product.updated"):
    pass


class ProductPublished(ProductEvent, name="product.published"):
    pass


class ProductArchived(ProductEvent, name="product.archived"):
    pass


class ProductPriceChanged(ProductEvent, name="product.price_changed"):
    variant_id: int
    currency: CurrencyCode
    amount: int | None
    before: int | None


class PriceScheduleEvent(ProductEvent, abstract=True):
    """Something was decided about a price to come."""

    price_change_id: int
    variant_id: int
    currency: CurrencyCode
    amount: int


class ProductPriceScheduled(PriceScheduleEvent, name="product.price_scheduled"):
    pass


class ProductPriceUnscheduled(PriceScheduleEvent, name="product.price_unscheduled"):
    pass
