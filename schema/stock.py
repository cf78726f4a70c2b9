"""Stock: availability, warehouses, stock levels and their movements."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import stock as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.connection import Connection
from schema.limits.sizes import FEW, MANY, REPORT
from schema.mutation import ARCHIVED_THING, REMOVAL_OUTCOME, mutation
from schema.node import Node
from schema.rows import field, loaded, row_type

if TYPE_CHECKING:
    from schema.catalog import Variant
    from schema.order import Order

MovementKind = describe_enum(models.MovementKind)
AvailabilityLevel = describe_enum(resolve.AvailabilityLevel)
Weekday = describe_enum(resolve.Weekday)


@row_type(resolve.Availability)
class Availability:
    """How much of something can be bought at this moment."""

    in_stock: bool
    """Whether at least one unit can be bought."""
    quantity: int | None
    """How many units are available, once they are few; staff always read the number. Null where there is no
    limit."""
    level: resolve.AvailabilityLevel
    """How much is available, in a word."""
    ready: bool
    """Whether at least one unit can be sent at once; otherwise what is bought waits for stock to come."""
    backordered: int
    """How many units were bought and wait for stock to come."""


@row_type(models.Warehouse)
class Warehouse(Node):
    """A place where stock is kept and sent from."""

    code: str
    """The code by which product files name it."""
    name: str
    """The name people use."""
    country_code: str
    """The ISO 3166 code of its country."""
    province: str
    """Province, state or municipality."""
    city: str
    """City or prefecture."""
    district: str
    """District or county."""
    line1: str
    """Street and number."""
    latitude: float | None
    """Degrees north, where known."""
    longitude: float | None
    """Degrees east, where known."""
    coordinate_source: models.CoordinateSource | None
    """From whom the coordinates are known; null where there are none, or it was not kept yet."""
    position: int
    """Its position among the warehouses; 1 is the main one."""
    active: bool
    """Whether orders may take from it."""
    archived_at: datetime | None
    """When it was archived: it is not listed any more; null while it is in use."""
    allows_pickup: bool
    """Whether customers may collect orders there."""
    pickup_hours: list["OpeningHours"] = field(resolve.pickup_hours, size=FEW)
    pickup_instructions: str
    """What customers who collect should know; may be empty."""


@row_type(resolve.OpeningHours)
class OpeningHours:
    """A span of one day in which orders can be collected, in the shop's time zone."""

    weekday: resolve.Weekday
    """The day."""
    opens: str
    """When it opens, such as "09:00"."""
    closes: str
    """When it closes, such as "18:00"."""


@row_type(resolve.NearbyAvailability)
class NearbyAvailability:
    """Whether something can be bought, and from how far away it would come."""

    availability: Availability
    """What can be bought at this moment, from all warehouses together."""
    city: str | None
    """The city of the nearest warehouse that has it; null when it is sold out."""
    province: str | None
    """The province of that city."""
    distance_km: int | None
    """The distance to that warehouse along the great circle; null where the coordinates are not known."""
    warehouse: Warehouse | None
    """That warehouse; null for customers."""
    units: int | None
    """How many units are available there; null for customers, and where there is no limit."""


@row_type(models.StockLevel)
class StockLevel:
    """How much of a variant one warehouse has: always the sum of its movements."""

    variant: Annotated["Variant", strawberry.lazy("schema.catalog")] = loaded("variant", key="variant_id")
    """The variant."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """The warehouse."""
    on_hand: int
    """Units in the warehouse that can be sold."""
    reserved: int
    """How many of them are reserved for orders."""
    available: int
    """How many of them can still be bought."""
    damaged: int
    """Units in the warehouse that cannot be sold."""
    backordered: int
    """Units that were bought and wait for stock to come here."""
    bin_place: str
    """Where it lies there, such as "A-03-2"; empty where nobody has said it."""


@row_type(models.StockMovement)
class StockMovement:
    """One change of a stock level; never edited, never deleted."""

    kind: models.MovementKind
    """Why the level changed."""
    variant: Annotated["Variant", strawberry.lazy("schema.catalog")] = loaded("variant", key="variant_id")
    """The variant."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """The warehouse."""
    on_hand: int
    """How many more units can be sold; negative for fewer."""
    reserved: int
    """How many more units are reserved; negative for fewer."""
    damaged: int
    """How many more units are damaged; negative for fewer."""
    backordered: int
    """How many more units wait for stock; negative for fewer."""
    reason: str
    """The reason that was given; may be empty where an order is the reason."""
    order: Annotated["Order", strawberry.lazy("schema.order")] | None = loaded("order", key="order_id")
    """The order that caused it, if one did."""
    actor: Account | None = loaded("account", key="actor_id")
    """Who caused it; null where it followed automatically."""
    created_at: datetime
    """When it was recorded."""


@row_type(resolve.LowStock)
class LowStock:
    """A variant of which few units are available, and what to order of it."""

    variant: Annotated["Variant", strawberry.lazy("schema.catalog")]
    """The variant."""
    on_hand: int
    """Units that can be sold."""
    reserved: int
    """How many of them are reserved for orders."""
    available: int
    """How many of them can still be bought."""
    threshold: int
    """Down to how many available units it is low."""
    sold: int
    """Units ordered within `soldDays`, cancelled orders not counted."""
    days_left: int | None
    """Whole days until it is sold out at that rate; null when nobody bought it."""
    suggested: int
    """Units to order, so that `coverDays` can be sold at that rate and the threshold still be left."""


@strawberry.type
class StockQuery:
    warehouses: list[Warehouse] = field(resolve.warehouses, allow=Permission.LOGISTICS_VIEW, size=MANY)
    stock_movements: Connection[StockMovement] = field(resolve.stock_movements, allow=Permission.STOCK_WATCH)
    low_stock: Connection[LowStock] = field(resolve.low_stock, allow=Permission.STOCK_WATCH, price=REPORT)


@strawberry.type
class StockMutation:
    stock_adjust = mutation(resolve.stock_adjust, returns=StockLevel, allow=Permission.STOCK_EDIT)
    bin_places_set = mutation(
        resolve.bin_places_set, returns=list[StockLevel], allow=Permission.STOCK_EDIT, field_name="stock"
    )
    stock_threshold_set = mutation(
        resolve.stock_threshold_set,
        returns=Annotated["Variant", strawberry.lazy("schema.catalog")],
        allow=Permission.STOCK_WATCH,
        field_name="variant",
    )
    warehouse_save = mutation(resolve.warehouse_save, returns=Warehouse, allow=Permission.STOCK_EDIT)
    warehouse_remove = mutation(
        resolve.warehouse_remove,
        returns=Warehouse,
        allow=Permission.STOCK_EDIT,
        field_description=ARCHIVED_THING,
        further_fields=REMOVAL_OUTCOME,
    )
    warehouse_restore = mutation(resolve.warehouse_restore, returns=Warehouse, allow=Permission.STOCK_EDIT)
