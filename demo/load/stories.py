"""What has happened in the demo shop: orders in every state, and what became of some of them."""

from dataclasses import dataclass

from demo.content import Content, TicketContent

Lines = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One order: who bought what, how it is paid, how long ago, and what happened then, in order."""

    customer: int
    """Index into the content's customers."""
    lines: Lines
    days_ago: float
    steps: tuple[str, ...] = ()
    cash: bool = False
    """Everything at the door."""
    half_cash: bool = False
    """Half in advance, half at the door."""
    two_addresses: bool = False
    ticket: TicketContent | None = None


DELIVERED = ("pay", "pack", "dispatch", "arrive")
PART_SENT = ("pay", "pack", "dispatch_first")
RECEIVED = (*DELIVERED, "confirm")

ORDERS = (
    Story(0, (("TEA-LJ-050T", 1), ("TEA-TGY-126B", 2)), 0),
    Story(1, (("TEA-MF-100", 3),), 0, ("pay_first",), two_addresses=True),
    Story(0, (("TEA-DHP-080", 1),), 0.5, ("pay",)),
    Story(2, (("TEA-TGY-252T", 2),), 0.6, cash=True),
    Story(1, (("TEA-LJ-100T", 1), ("TEA-MF-250", 1)), 1, ("pay", "pack")),
    Story(2, (("TEA-TGY-504G", 1), ("TEA-MF-100", 1)), 1.2, PART_SENT, two_addresses=True),
    Story(3, (("TEA-DHP-250", 1),), 1.5, ("pay", "pack", "dispatch")),
    Story(0, (("TEA-BLC-050", 2),), 0.1, ("pay", "pack", "hand_over")),
    Story(3, (("TEA-TGY-126B", 4),), 3, ("pay", "pack", "dispatch", "arrive_first"), two_addresses=True),
    Story(0, (("TEA-MF-250", 2),), 4, DELIVERED, two_addresses=True),
    Story(1, (("TEA-LJ-200G", 1),), 5, DELIVERED, half_cash=True),
    Story(2, (("TEA-TGY-252T", 1), ("TEA-DHP-080", 1)), 20, RECEIVED),
    Story(3, (("TEA-MF-100", 1),), 6, ("cancel",)),
    Story(1, (("TEA-DHP-080", 2),), 7, ("pay", "cancel")),
    Story(2, (("TEA-LJ-050T", 1),), 12, (*RECEIVED, "refund")),
)  # fmt: skip

ANSWERS = (
    ("open",),
    ("open", "agree"),
    ("open", "refuse"),
    ("open", "agree", "return"),
    ("open", "cancel_ticket"),
)
"""How far the tickets have come, in turn."""


def stories(content: Content) -> tuple[Story, ...]:
    """The orders above, and a delivered one for each ticket of the content."""
    return ORDERS + tuple(
        Story(
            customer=position % len(content.customers),
            lines=((ticket.sku, 2),),
            days_ago=3 + position / 10,
            steps=(*DELIVERED, *ANSWERS[position % len(ANSWERS)]),
            ticket=ticket,
        )
        for position, ticket in enumerate(content.tickets)
    )
