"""How long customers and the shop have for each step of a ticket."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.aftersales.reasons import ClaimWindow
from models import TicketStatus


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long everybody has."""

    return_window: timedelta
    """To send something back without a reason, after receipt."""
    quality_window: timedelta
    """To report a fault, after receipt."""
    answer: timedelta
    """For the shop to answer a customer."""
    send_back: timedelta
    """For the customer to send goods back."""
    inspect: timedelta
    """For the shop to inspect what was sent back."""
    receipt: timedelta
    """For the customer to confirm the receipt of an order of which nothing else is sent any more."""

    def window_of(self, window: ClaimWindow) -> timedelta:
        return self.return_window if window is ClaimWindow.RETURN else self.quality_window

    def due_at(self, status: TicketStatus, now: datetime) -> datetime | None:
        """When a ticket that reaches `status` now is due; None where it waits for nobody."""
        match status:
            case TicketStatus.APPLIED:
                return now + self.answer
            case TicketStatus.AWAITING_RETURN:
                return now + self.send_back
            case TicketStatus.RETURN_SHIPPED:
                return now + self.inspect
        return None
