from datetime import datetime

import strawberry

from domain.errors import Invalid
from domain.stock import BinPlace, OpeningHours, WarehouseDraft, Weekday
from models import MovementKind
from resolvers.descriptions import input_type
from resolvers.ids import row_id

PART_LIMIT = 200
"""Characters of each part of an address."""


@input_type
class OpeningHoursInput:
    """A span of one day in which a place is open."""

    weekday: Weekday
    """The day."""
    opens: str
    """When it opens, such as "09:00"."""
    closes: str
    """When it closes, later on the same day, such as "18:00"."""


@input_type
class WarehouseSaveInput:
    """What `warehouseSave` needs."""

    code: str
    """The code by which product files name it."""
    name: str
    """The name people use."""
    city: str
    """City or prefecture."""
    id: strawberry.ID | None = None
    """The warehouse to change; a new one is opened when left out."""
    country_code: str = "CN"
    """The ISO 3166 code of its country."""
    province: str = ""
    """Province, state or municipality."""
    district: str = ""
    """District or county."""
    line1: str = ""
    """Street and number."""
    latitude: float | None = None
    """Degrees north; those of its district, city or province, where they are known, when left out."""
    longitude: float | None = None
    """Degrees east, given together with the latitude."""
    position: int | None = None
    """Its position among the warehouses, 1 for the main one; when left out it stays or comes last."""
    active: bool = True
    """Whether orders may take from it; what they have reserved in it leaves it either way."""

    allows_pickup: bool = False
    """Whether customers may collect orders there; what is on its way to be collected stays so either way."""
    pickup_hours: list[OpeningHoursInput] = strawberry.field(
        default_factory=list, description="When orders can be collected, in the shop's time zone."
    )
    pickup_instructions: str = ""
    """What customers who collect should know, such as where the counter is, up to 500 characters."""

    def draft(self) -> WarehouseDraft:
        return WarehouseDraft(
            code=self.code,
            name=self.name,
            country_code=self.country_code,
            province=self.province,
            city=self.city,
            district=self.district,
            line1=self.line1,
            latitude=self.latitude,
            longitude=self.longitude,
            active=self.active,
            allows_pickup=self.allows_pickup,
            pickup_hours=[OpeningHours(each.weekday, each.opens, each.closes) for each in self.pickup_hours],
            pickup_instructions=self.pickup_instructions,
        )


@input_type
class ApproximateAddressInput:
    """Where something would go, as exactly as it is known."""

    country_code: str = "CN"
    """The ISO 3166 code of the country."""
    province: str
    """Province, state or municipality."""
    city: str = ""
    """City or prefecture."""
    district: str = ""
    """District or county."""

    def refuse_long(self) -> None:
        for name, text in vars(self).items():
            if len(text) > PART_LIMIT:
                raise Invalid("At most {limit} characters.", limit=PART_LIMIT, field=("address", name))


@input_type
class MovementFilter:
    """Which movements; all conditions that are given must hold."""

    variant_id: strawberry.ID | None = None
    """Of this variant."""
    warehouse_id: strawberry.ID | None = None
    """In this warehouse."""
    order_id: strawberry.ID | None = None
    """Caused by this order."""
    kinds: list[MovementKind] | None = None
    """Of one of these kinds."""
    moved_from: datetime | None = None
    """At this moment or later."""
    moved_before: datetime | None = None
    """Before this moment."""


@input_type
class LowStockFilter:
    """Which variants that are low; all conditions that are given must hold."""

    warehouse_id: strawberry.ID | None = None
    """Counted in this warehouse only; in all active ones together when left out."""
    category: str | None = None
    """In this category or anywhere below it: its id or its slug."""


@input_type
class BinPlaceInput:
    """Where a variant lies in a warehouse."""

    variant_id: strawberry.ID
    """The variant."""
    place: str
    """Its place, such as "A-03-2", up to 50 characters; empty where it has none any more."""

    def bin_place(self, path: tuple[str | int, ...]) -> BinPlace:
        return BinPlace(row_id(self.variant_id, "Variant", field=(*path, "variant_id")), self.place)
