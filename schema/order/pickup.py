"""How a delivery is collected."""

from datetime import datetime

import models
from resolvers import pickup as resolve
from resolvers.descriptions import describe_enum
from schema.rows import row_type
from schema.stock import Warehouse

PickupStatus = describe_enum(models.PickupStatus)


@row_type(resolve.DeliveryPickup)
class DeliveryPickup:
    """The collecting of a delivery at a warehouse or shop."""

    place: Warehouse
    """Where it is collected, with its hours."""
    status: models.PickupStatus
    """How far it is."""
    ready_at: datetime | None
    """Since when it waits there; null before."""
    due_at: datetime | None
    """Until when it must be collected; then the goods go back to stock and the money back to the customer."""
    collected_at: datetime | None
    """When it was handed over."""
    code: str | None
    """What the customer shows at the counter; null for everybody else, and while nothing waits."""
