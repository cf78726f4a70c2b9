"""Where goods are kept, and how many there are."""

from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import stock as resolve
from resolvers.described import describe_enum
from resolvers.guard import STAFF, WAREHOUSE
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type

if TYPE_CHECKING:
    from schema.catalog import Variant

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


@strawberry.type
class StockQuery:
    warehouses: list[Warehouse] = field(resolve.warehouses, allow=STAFF)


@strawberry.type
class StockMutation:
    stock_adjust = mutation(resolve.stock_adjust, returns=StockLevel, allow=WAREHOUSE)
