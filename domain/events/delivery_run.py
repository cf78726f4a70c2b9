"""Events of delivery runs."""

from domain.events.types import DeliveryRunEvent
from models import StopOutcome


class DeliveryRunPlanned(DeliveryRunEvent, name="delivery_run.planned"):
    pass


class DeliveryRunAssigned(DeliveryRunEvent, name="delivery_run.assigned"):
    """A draft, or a run that has not left, was given to a courier."""


class DeliveryRunReplanned(DeliveryRunEvent, name="delivery_run.replanned"):
    """What was left of it was planned anew."""

    moved: int
    """How many stops have another place than before."""
    late: int
    """How many of them cannot be reached in their window any more."""


class DeliveryRunStopAdded(DeliveryRunEvent, name="delivery_run.stop_added"):
    """A parcel has joined the run."""

    shipment_id: int


class DeliveryRunCancelled(DeliveryRunEvent, name="delivery_run.cancelled"):
    pass


class DeliveryRunStarted(DeliveryRunEvent, name="delivery_run.started"):
    pass


class DeliveryRunStopCompleted(DeliveryRunEvent, name="delivery_run.stop_completed"):
    outcome: StopOutcome
    left: int
    """How many stops are still to be made."""


class DeliveryRunStopSkipped(DeliveryRunEvent, name="delivery_run.stop_skipped"):
    shipment_id: int
    reason: str


class DeliveryRunCompleted(DeliveryRunEvent, name="delivery_run.completed"):
    pass


class DeliveryRunStalled(DeliveryRunEvent, name="delivery_run.stalled"):
    """It does not go on: its next stop is long due, or its courier may not drive any more."""


class CashHandedIn(DeliveryRunEvent, name="delivery_run.cash_handed_in"):
    hand_in_id: int


class CashDiffers(DeliveryRunEvent, name="delivery_run.cash_differs"):
    """Another amount was counted than was collected."""

    hand_in_id: int


class CashDifferenceAccepted(DeliveryRunEvent, name="delivery_run.cash_difference_accepted"):
    hand_in_id: int


class CashOverdue(DeliveryRunEvent, name="delivery_run.cash_overdue"):
    """A courier has not handed in the cash of a run in time."""


class DeliveryRunMoved(DeliveryRunEvent, name="delivery_run.moved"):
    """The courier was seen at another place."""
