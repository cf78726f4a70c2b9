"""Where goods are kept, and how many there are."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import stock as resolve
from resolvers.described import describe_enum
from resolvers.guard import CATALOGUE, STAFF, WAREHOUSE
from schema.account import Account
from schema.connection import Connection
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type

if TYPE_CHECKING:
    from schema.catalog import Variant
    from schema.order import Order

MovementKind = describe_enum(models.MovementKind)
AvailabilityLevel = describe_enum(resolve.AvailabilityLevel)


@row_type(resolve.Availability)
class Availability:
    """What can be bought at this moment."""

    in_stock: bool
    """Whether one can be bought at all."""
    quantity: int | None
    """How many are left, once they are few; staff always see the number. Null where there is no limit."""
    level: resolve.AvailabilityLevel
    """How much is left, in a word."""


@row_type(models.Warehouse)
class Warehouse(Node):
    """A place goods are kept and sent from."""

    code: str
    """What product files call it."""
    name: str
    """What people call it."""
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
    position: int
    """Its place among the others; 1 is the main one."""
    active: bool
    """Whether it gives goods to orders."""


@row_type(resolve.NearbyAvailability)
class NearbyAvailability:
    """Whether something can be bought, and how far it would have to travel."""

    availability: Availability
    """What can be bought at this moment, from all warehouses together."""
    city: str | None
    """The city of the nearest warehouse that has it; null when it is sold out."""
    province: str | None
    """The province of that city."""
    distance_km: int | None
    """How far that is along the great circle; null where the coordinates are not known."""
    warehouse: Warehouse | None
    """That warehouse; null for customers."""
    units: int | None
    """What can be bought of it there; null for customers, and where there is no limit."""


@row_type(models.StockLevel)
class StockLevel:
    """How much of a variant one warehouse has: always the sum of its movements."""

    variant: Annotated["Variant", strawberry.lazy("schema.catalog")] = loaded("variant", key="variant_id")
    """Of what."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where."""
    on_hand: int
    """Units in the warehouse that can be sold."""
    reserved: int
    """How many of them belong to orders already."""
    available: int
    """How many of them can still be bought."""
    damaged: int
    """Units that lie there but cannot be sold."""


@row_type(models.StockMovement)
class StockMovement:
    """One change of one level; never edited, never deleted."""

    kind: models.MovementKind
    """Why."""
    variant: Annotated["Variant", strawberry.lazy("schema.catalog")] = loaded("variant", key="variant_id")
    """Of what."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where."""
    on_hand: int
    """How many more can be sold; negative for fewer."""
    reserved: int
    """How many more belong to orders; negative for fewer."""
    damaged: int
    """How many more lie there damaged; negative for fewer."""
    reason: str
    """What whoever did it said; may be empty where an order is the reason."""
    order: Annotated["Order", strawberry.lazy("schema.order")] | None = loaded("order", key="order_id")
    """The order it belongs to, if there is one."""
    actor: Account | None = loaded("account", key="actor_id")
    """Who did it; null where the shop did it by itself."""
    created_at: datetime
    """When."""


@row_type(resolve.LowStockLine)
class LowStock:
    """A variant of which few are left, and what that means for a buyer."""

    variant: Annotated["Variant", strawberry.lazy("schema.catalog")]
    """Of what."""
    on_hand: int
    """Units that can be sold."""
    reserved: int
    """How many of them belong to orders already."""
    available: int
    """How many can still be bought."""
    threshold: int
    """From how many on it counts as low."""
    sold: int
    """Units ordered within `soldDays`, cancelled orders not counted."""
    days_left: int | None
    """Whole days until it is sold out at that speed; null when nobody bought it."""
    suggested: int
    """What to order, so that `coverDays` can be sold at that speed and the threshold is still there."""


@strawberry.type
class StockQuery:
    warehouses: list[Warehouse] = field(resolve.warehouses, allow=STAFF)
    stock_movements: Connection[StockMovement] = field(resolve.stock_movements, allow=WAREHOUSE | CATALOGUE)
    low_stock: Connection[LowStock] = field(
        resolve.low_stock_list, allow=WAREHOUSE | CATALOGUE, name="lowStock"
    )


@strawberry.type
class StockMutation:
    stock_adjust = mutation(resolve.stock_adjust, returns=StockLevel, allow=WAREHOUSE)
    stock_threshold_set = mutation(
        resolve.stock_threshold_set,
        returns=Annotated["Variant", strawberry.lazy("schema.catalog")],
        allow=WAREHOUSE | CATALOGUE,
        thing="variant",
    )
    warehouse_save = mutation(resolve.warehouse_save, returns=Warehouse, allow=WAREHOUSE)
