"""What sending costs, as clerks keep it."""

import strawberry

import models
from domain.shipping import Region
from domain.shipping import ShippingOption as Option
from resolvers import shipping as resolve
from resolvers.described import describe_enum
from resolvers.guard import STAFF, WAREHOUSE
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type
from schema.scalars import Money

ShippingMethod = describe_enum(models.ShippingMethod)


@row_type(Option)
class ShippingOption:
    """A way a delivery could travel, and what it would cost."""

    method: models.ShippingMethod
    """How fast it travels."""
    fee: Money
    """What sending it so would cost."""


@row_type(Region)
class ShippingRegion:
    """A country, or one province of it."""

    country_code: str | None
    """The ISO 3166 code of the country; null for all that no zone names."""
    province: str | None
    """One province of it; null for all of the country that no zone names."""


@row_type(models.ShippingRate)
class ShippingRate:
    """What sending one delivery to a zone costs by one method, in one currency."""

    method: models.ShippingMethod
    """How fast it travels."""
    currency: models.CurrencyCode = strawberry.field(
        name="currencyCode", description="The currency of the orders it is for."
    )
    first_grams: int
    """The weight the first fee pays for."""
    first: Money
    """What that costs."""
    further_grams: int
    """The step in which more weight is counted."""
    further: Money
    """What each step begun costs."""
    free_from: Money | None
    """Goods of this price and more travel for nothing; null where none do."""
    limit_grams: int | None
    """The heaviest delivery that travels so; null for any."""


@row_type(models.ShippingZone)
class ShippingZone(Node):
    """Regions it costs the same to send to."""

    name: str
    """What clerks call it."""
    regions: list[ShippingRegion] = field(resolve.regions)
    rates: list[ShippingRate] = loaded("zone_rates", key="id")
    """What sending there costs; a method that is missing is not offered there."""
    version: int
    """One higher with each change; give it back when you save."""


@strawberry.type
class ShippingQuery:
    shipping_zones: list[ShippingZone] = field(resolve.shipping_zones, allow=STAFF)


@strawberry.type
class ShippingMutation:
    shipping_zone_save = mutation(resolve.shipping_zone_save, returns=ShippingZone, allow=WAREHOUSE)
    shipping_zone_remove = mutation(
        resolve.shipping_zone_remove,
        returns=list[ShippingZone],
        allow=WAREHOUSE,
        thing="shipping_zones",
        says="The zones that are left; null when the shop refused.",
    )
