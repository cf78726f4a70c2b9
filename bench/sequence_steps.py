"""How steps of an order's life are taken, and what they find to be about."""

from collections.abc import Coroutine, Sequence
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from bench.replay_amounts import Fields
from bench.replay_orders import Life
from bench.replay_refusals import StoryFailed, StoryRefused
from bench.sequence_stage import SequenceStage
from models import OrderStatus, TicketStatus
from resolvers.ids import global_id

ENDED = (OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CLOSED)
TICKET = "query($id: ID!) { ticket(id: $id) { status type lines { quantity } } }"


class OrderSteps(RuleBasedStateMachine):
    """One order. A step that the shop refuses is as good as any other: it changes nothing."""

    life: Life

    def __init__(self, stage: SequenceStage) -> None:
        super().__init__()
        self.stage = stage
        self.goods = stage.count_goods()
        self.attempts: list[str] = []

    def take(self, name: str, step: Coroutine[Any, Any, Any], *, moved: int = 0) -> None:
        """Take a step, which brings so many units into the warehouses; what is refused brings none.

        StoryFailed where the shop has not refused it but failed.
        """
        try:
            self.stage.run(step)
        except StoryFailed:
            raise
        except StoryRefused:
            self.stage.refused[name] += 1
            return
        self.stage.taken[name] += 1
        self.goods += moved

    def read(self) -> Any:
        return self.stage.run(self.life.read())

    def left_parcels(self, *statuses: str) -> list[Any]:
        """The parcels that have left the warehouse, in one of these statuses or in any."""
        left = [each for each in self.read()["shipments"] if each["dispatchedAt"]]
        return [each for each in left if not statuses or each["status"] in statuses]

    def choose_ticket(self, which: int, *statuses: TicketStatus) -> str | None:
        chosen = choose(self.find_tickets(*(statuses or TicketStatus)), which)
        return global_id("Ticket", chosen) if chosen else None

    def find_tickets(self, *statuses: TicketStatus) -> list[int]:
        """The ids of the tickets in one of these statuses."""
        return [id for status, id in self.stage.read_tickets(self.life.number) if status in statuses]

    def choose_good(self) -> str:
        """Any of the goods, by its global id."""
        return self.life.random.choice(list(self.stage.shop.goods))

    def units_of_ticket(self, ticket: str) -> int:
        return sum(line["quantity"] for line in self.read_ticket(ticket)["lines"])

    def goods_of_ticket(self, ticket: str) -> int:
        """Its units that are put into the stock when they come back: those of a repair are not the shop's."""
        return 0 if self.read_ticket(ticket)["type"] == "REPAIR" else self.units_of_ticket(ticket)

    async def end_repair(self, ticket_id: str, *, repaired: bool) -> None:
        """Say of all units of a repair whether they work again."""
        units = [
            {"orderLineId": line["orderLine"]["id"], "quantity": line["quantity"], "repaired": repaired}
            for line in await self.life.lines_of(ticket_id)
        ]
        await self.life.serve("ticketRepairFinish", id=ticket_id, units=units)

    def approve_refunds(self) -> None:
        """Somebody else approves what is above the limit, and what was paid in cash is transferred."""
        for payment in self.read()["payments"]:
            for refund in payment["refunds"]:
                if refund["status"] == "WAITING":
                    self.take(
                        "approve_refunds", self.life.do(self.stage.second, "refundApprove", id=refund["id"])
                    )
                elif refund["status"] == "PENDING" and payment["method"] == "CASH_ON_DELIVERY":
                    self.take(
                        "approve_refunds",
                        self.life.serve("refundConfirm", id=refund["id"], reference=refund["reference"]),
                    )

    def is_late(self, ticket: str) -> bool:
        """Whether no return of it waits to be inspected: then only what silence accepted is booked."""
        return bool(self.read_ticket(ticket)["status"] != "RETURN_SHIPPED")

    def read_ticket(self, ticket: str) -> Any:
        return self.stage.run(self.life.ask(self.stage.shop.staff, TICKET, id=ticket))["ticket"]

    @property
    def status(self) -> OrderStatus:
        return self.stage.read_status(self.life.number)

    def is_over(self) -> bool:
        return self.status in ENDED


def choose(found: Sequence[Any], which: int) -> Any:
    """One of these; None where there is none."""
    return found[which % len(found)] if found else None


def is_back(parcel: Fields) -> bool:
    """Whether a parcel brings back what a customer had returned: it is not of the stock."""
    return bool(parcel["delivery"]["sendsBack"])


def units_of(parcel: Fields) -> int:
    """The units of the stock in a parcel."""
    return 0 if is_back(parcel) else sum(int(line["quantity"]) for line in parcel["lines"])
