"""The orders of the demo shop, in every state, and their tickets."""

from dataclasses import dataclass

from demo.content import Content, TicketContent
from models import TicketType

ScenarioLines = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class OrderScenario:
    """One order: its customer and lines, its payments, its age in days, and the steps after it was placed."""

    customer: int
    """Index into the content's customers, or into its guests."""
    lines: ScenarioLines
    days_ago: float
    steps: tuple[str, ...] = ()
    cash: bool = False
    """Whether everything is paid on delivery."""
    half_cash: bool = False
    """Whether half is paid in advance and half on delivery."""
    two_addresses: bool = False
    by_guest: bool = False
    ticket: TicketContent | None = None


DELIVERED = ("pay", "pack", "dispatch", "deliver")
PARTLY_SHIPPED = ("pay", "pack", "dispatch_first")
PARTLY_DELIVERED = ("pay", "pack", "dispatch", "deliver_first")
RECEIVED = (*DELIVERED, "confirm")

ORDER_SCENARIOS = (
    OrderScenario(0, (("TEA-LJ-050T", 1), ("TEA-TGY-126B", 2)), 0),
    OrderScenario(1, (("TEA-MF-100", 3),), 0, ("pay_first",), two_addresses=True),
    OrderScenario(0, (("TEA-DHP-080", 1),), 0.5, ("pay",)),
    OrderScenario(2, (("TEA-TGY-252T", 2),), 0.6, cash=True),
    OrderScenario(1, (("TEA-LJ-100T", 1), ("TEA-MF-250", 1)), 1, ("pay", "pack")),
    OrderScenario(2, (("TEA-TGY-504G", 1), ("TEA-MF-100", 1)), 1.2, PARTLY_SHIPPED, two_addresses=True),
    OrderScenario(3, (("TEA-DHP-250", 1),), 1.5, ("pay", "pack", "dispatch")),
    OrderScenario(0, (("TEA-BLC-050", 2),), 0.1, ("pay", "pack", "hand_to_carrier")),
    OrderScenario(3, (("TEA-TGY-126B", 4),), 3, PARTLY_DELIVERED, two_addresses=True),
    OrderScenario(0, (("TEA-MF-250", 2),), 4, DELIVERED, two_addresses=True),
    OrderScenario(1, (("TEA-LJ-200G", 1),), 5, DELIVERED, half_cash=True),
    OrderScenario(2, (("TEA-TGY-252T", 1), ("TEA-DHP-080", 1)), 20, RECEIVED),
    OrderScenario(3, (("TEA-MF-100", 1),), 6, ("cancel",)),
    OrderScenario(1, (("TEA-DHP-080", 2),), 7, ("pay", "cancel")),
    OrderScenario(2, (("TEA-LJ-050T", 1),), 12, (*RECEIVED, "refund")),
    OrderScenario(0, (("TEA-MF-100", 1),), 0.4, ("pay",), by_guest=True),
    OrderScenario(1, (("HOM-FLR-150", 1),), 0.7, ("pay",)),
    OrderScenario(3, (("TEA-TGY-126B", 3),), 0.8, ("edit",), cash=True),
    OrderScenario(2, (("TEA-MF-250", 1),), 2, ("pack", "dispatch", "bring_back"), cash=True),
)  # fmt: skip

CASH_SCENARIOS = (
    OrderScenario(3, (("TEA-TGY-126B", 2),), 0.2, ("pack", "bring_by_courier"), cash=True),
    OrderScenario(1, (("TEA-DHP-080", 1),), 0.3, ("pack", "bring_by_courier", "count_less"), cash=True),
)
"""Brought by the shop's own courier: one whose cash is in hand, one of which less was counted."""

ROUND_GUESTS = range(1, 8)
ROUND_SCENARIOS = tuple(
    OrderScenario(
        guest,
        (("TEA-MF-100", 1),),
        0.06,
        ("pay", "pack", "start_round") if guest == ROUND_GUESTS[-1] else ("pay", "pack"),
        by_guest=True,
    )
    for guest in ROUND_GUESTS
)
"""Parcels of guests in one city that a courier is bringing; it begins when the last one is packed."""

FAR_SCENARIOS = (OrderScenario(3, (("TEA-DHP-250", 1),), 2.5, ("pay", "pack", "send_far")),)
"""A parcel that is crossing the country."""

TICKET_ANSWERS = (
    ("open",),
    ("open", "agree"),
    ("open", "refuse"),
    ("open", "agree", "return"),
    ("open", "cancel_ticket"),
)
"""The steps of the tickets, taken in turn."""


QUESTION_ANSWERS = (("open",), ("open", "answer"))
"""The steps of the questions, taken in turn."""


def steps_of_ticket(ticket: TicketContent, position: int) -> tuple[str, ...]:
    answers = QUESTION_ANSWERS if ticket.type is TicketType.QUESTION else TICKET_ANSWERS
    return answers[position % len(answers)]


def list_scenarios(content: Content) -> tuple[OrderScenario, ...]:
    """Return the orders above, with a delivered one for each ticket of the content."""
    return (
        ORDER_SCENARIOS
        + tuple(
            OrderScenario(
                customer=position % len(content.customers),
                lines=((ticket.sku, 2),),
                days_ago=3 + position / 10,
                steps=(*DELIVERED, *steps_of_ticket(ticket, position)),
                ticket=ticket,
            )
            for position, ticket in enumerate(content.tickets)
        )
        + CASH_SCENARIOS
        + ROUND_SCENARIOS
        + FAR_SCENARIOS
    )
