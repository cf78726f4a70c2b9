"""Carriers."""

from datetime import datetime

import strawberry

import models
from resolvers import carrier as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.connection import Connection
from schema.limits.sizes import FEW, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, row_type
from schema.scalars import Money
from schema.shipping import ShippingRegion

CarrierConnection = describe_enum(models.CarrierConnection)
UnhandledKind = describe_enum(models.UnhandledKind)


@row_type(resolve.CutOff)
class CarrierCutOff:
    """Until when a carrier takes parcels along on a day, in the shop's time zone."""

    weekday: resolve.Weekday
    """The day."""
    until: str
    """The last moment of it, such as "17:30"."""


@row_type(resolve.ShownCarrierRate)
class CarrierRate:
    """What carrying costs to some regions, and how long it takes."""

    regions: list[ShippingRegion] = field(resolve.rate_regions, size=SOME)
    first_grams: int
    """The weight, in grams, that the first price covers."""
    first: Money
    """The price up to that weight."""
    further_grams: int
    """The step, in grams, in which further weight is counted."""
    further: Money
    """What each further step begun costs."""
    hours: int | None
    """How long it takes from when the carrier has it; null where it promises nothing."""


@row_type(models.Carrier)
class Carrier(Node):
    """Who carries parcels, with the account and the service that are booked."""

    code: models.CarrierCode
    """By what parcels name it."""
    name: str
    """The name people use."""
    connection: models.CarrierConnection
    """How the shop reaches it."""
    account: str
    """The shop's customer number there; may be empty."""
    service: str
    """The service that is booked, in the words of the carrier; may be empty."""
    company_code: str
    """What the connection calls the carrier; may be empty."""
    tracking_link: str
    """Address of its page about a parcel, with {number} where the tracking number belongs; may be empty."""
    poll_seconds: int | None
    """How often it is asked where a parcel is; null for as often as is usual there."""
    cut_offs: list[CarrierCutOff] = field(resolve.cut_offs, size=FEW)
    rates: list[CarrierRate] = field(resolve.rates, size=SOME)
    takes_cash: bool
    """Whether it collects cash at the door."""
    position: int
    """Its turn where several could carry a parcel, the lowest first."""
    version: int
    """One higher with each change; pass it back when you save."""
    archived_at: datetime | None
    """When it was archived: it takes no more parcels; null while it does."""


@row_type(models.UnhandledReport)
class UnhandledReport(Node):
    """Something a carrier reported that the shop could not follow: kept as it came, and counted."""

    connection: models.CarrierConnection
    """By which connection it came."""
    kind: models.UnhandledKind
    """Why the shop could not follow it."""
    tracking_number: str
    """Of the parcel; empty for a code, which is counted over all parcels."""
    detail: str
    """What came."""
    times: int
    """How often it has come."""
    first_at: datetime
    """When it came first."""
    last_at: datetime
    """When it came last."""


@strawberry.type
class CarrierQuery:
    unhandled_reports: Connection[UnhandledReport] = field(
        resolve.unhandled_reports, allow=Permission.SHIPMENT_LIST
    )
    carriers: list[Carrier] = field(resolve.carriers, allow=Permission.LOGISTICS_VIEW, size=SOME)


@strawberry.type
class CarrierMutation:
    carrier_save = mutation(resolve.carrier_save, returns=Carrier, allow=Permission.SHIPPING_EDIT)
    carrier_archive = mutation(resolve.carrier_archive, returns=Carrier, allow=Permission.SHIPPING_EDIT)
    carrier_restore = mutation(resolve.carrier_restore, returns=Carrier, allow=Permission.SHIPPING_EDIT)
