"""Shipping zones, rates and options."""

import strawberry

import models
from resolvers import shipping as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.limits.sizes import SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type
from schema.scalars import Money

ShippingMethod = describe_enum(models.ShippingMethod)


@row_type(resolve.ShippingOption)
class ShippingOption:
    """A shipping method offered for a delivery, and its fee."""

    method: models.ShippingMethod
    """How fast it travels."""
    fee: Money
    """What sending it by this method costs."""


@row_type(resolve.ShippingRegion)
class ShippingRegion:
    """A country, or one province of it."""

    country_code: str | None
    """The ISO 3166 code of the country; null for everything that no zone names."""
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
    """The weight, in grams, that the first fee covers."""
    first: Money
    """The fee up to that weight."""
    further_grams: int
    """The step, in grams, in which further weight is counted."""
    further: Money
    """What each further step begun costs."""
    free_from: Money | None
    """Sending is free for goods of this price and more; null where it never is."""
    limit_grams: int | None
    """The heaviest delivery, in grams, that is sent so; null for any."""


@row_type(models.ShippingZone)
class ShippingZone(Node):
    """Regions to which sending costs the same."""

    name: str
    """What the staff calls it."""
    regions: list[ShippingRegion] = field(resolve.regions, size=SOME)
    rates: list[ShippingRate] = loaded("zone_rates", key="id", size=SOME)
    """What sending there costs; a method that is missing is not offered there."""
    version: int
    """One higher with each change; pass it back when you save."""


@strawberry.type
class ShippingQuery:
    shipping_zones: list[ShippingZone] = field(
        resolve.shipping_zones, allow=Permission.LOGISTICS_VIEW, size=SOME
    )


@strawberry.type
class ShippingMutation:
    shipping_zone_save = mutation(
        resolve.shipping_zone_save, returns=ShippingZone, allow=Permission.SHIPPING_EDIT
    )
    shipping_zone_remove = mutation(
        resolve.shipping_zone_remove,
        returns=list[ShippingZone],
        allow=Permission.SHIPPING_EDIT,
        field_name="shipping_zones",
        field_description="The zones that are left; null when the shop refused.",
    )
