import strawberry

from models import DeliveryRunStatus
from resolvers.descriptions import input_type


@input_type
class DeliveryRunFilter:
    """Which delivery runs; everything given must hold."""

    status: list[DeliveryRunStatus] | None = None
    """With one of these statuses."""
    warehouse_id: strawberry.ID | None = None
    """From this warehouse."""
    courier_id: strawberry.ID | None = None
    """Driven by this courier."""
    has_cash: bool | None = None
    """Whether its courier has cash of it in hand."""
