"""How long customers and the shop have for each step of a ticket, and when a claim begins and ends."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from models import TicketStatus


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long everybody has."""

    zone: tzinfo
    """Where the days of the shop begin and end."""
    delivery_promise: timedelta
    """From the dispatch of a parcel of which the carrier has not said when it arrives."""
    not_received_after: timedelta
    """From the time a parcel was promised for, until it can be reported as not received."""
    answer: timedelta
    """For the shop to answer a customer."""
    send_back: timedelta
    """For the customer to send goods back."""
    inspect: timedelta
    """For the shop to inspect what was sent back."""
    see_return: timedelta
    """For a carrier to have what is sent back, from when its number was given."""
    inspect_arrived: timedelta
    """For the shop to inspect what has reached the warehouse."""
    receipt: timedelta
    """For the customer to confirm the receipt of an order of which nothing else is sent any more."""
    choose: timedelta
    """For the customer to choose what to get in place of a replacement."""
    wait_for_stock: timedelta
    """For a replacement that the customer waits for to be in stock."""
    pay_difference: timedelta
    """For the customer to pay what a replacement costs more."""
    repair: timedelta
    """For the shop to repair what was sent in."""
    close_question: timedelta
    """For the customer to write again after an answer, before their question is closed."""

    def due_at(self, status: TicketStatus, now: datetime) -> datetime | None:
        """When a ticket that reaches `status` now is due; None where it waits for nobody."""
        match status:
            case TicketStatus.APPLIED:
                return now + self.answer
            case TicketStatus.AWAITING_RETURN:
                return now + self.send_back
            case TicketStatus.RETURN_SHIPPED:
                return now + self.inspect
            case TicketStatus.AWAITING_CHOICE:
                return now + self.choose
            case TicketStatus.AWAITING_STOCK:
                return now + self.wait_for_stock
            case TicketStatus.AWAITING_PAYMENT:
                return now + self.pay_difference
            case TicketStatus.REPAIRING:
                return now + self.repair
            case TicketStatus.ANSWERED:
                return now + self.close_question
        return None


def last_moment(arrived_at: datetime, days: int, zone: tzinfo) -> datetime:
    """The end of the last of `days` days that are counted from the one after an arrival."""
    next_day = arrived_at.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(next_day, time(), zone).astimezone(arrived_at.tzinfo) - timedelta(microseconds=1)
