"""One replayed order: what its customer, staff, carriers and the payment provider do, over the API."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bench.replay_amounts import Fields, cents_of, divide, share_payments
from bench.replay_documents import EDIT_QUOTE, HOME, QUOTE, READ, STOPS, TICKET_LINES, WORK, returned
from bench.replay_refusals import StoryFailed, StoryRefused
from models import PaymentStatus, Role
from tests.clients import Client, Clients
from tests.factories.catalog import create_product, variant_of
from tests.given import id_of

COUPONS_USED = 0.3
"""The part of all orders for which a coupon is used."""

PATIENCE = 10
"""How often a client tries again what was refused as BUSY, each time when the shop says."""


class MovedClock:
    """The shop's clock, which the replay moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class ReplayedShop:
    """What all orders of a replay share."""

    clients: Clients
    clock: MovedClock
    customers: Sequence[Client]
    staff: Client
    goods: Sequence[str]
    """Ids of variants of which there is plenty."""
    scarce: str
    """The id of a variant that is sold beyond its stock."""
    service: str
    """The id of a variant that needs no shipping."""
    warehouse: str
    """From where everything is sent, and where orders are collected."""
    coupon: str
    """A code that everybody may use."""
    lasting: str
    """The id of a variant that can be returned without a reason for 30 days."""
    hygienic: str
    """The id of a variant that cannot be returned without a reason."""


@dataclass(slots=True)
class Life:
    """One order from its placing to its end, with the choices of its own generator of random numbers."""

    shop: ReplayedShop
    index: int
    kind: str
    random: random.Random
    customer: Client = field(init=False)
    courier: Client | None = None
    """Who drives its parcels, if a courier of the shop does."""
    order_id: str = ""
    number: str = ""
    lost: set[str] = field(default_factory=set)
    """Parcels that never arrive."""
    refused: str = ""
    """The step at which its story was refused, with the reasons; "" for none."""

    def __post_init__(self) -> None:
        self.customer = self.random.choice(self.shop.customers)

    async def do(self, client: Client, mutation: str, answer: str = "__typename", **terms: Any) -> Any:
        """Execute a mutation and return its payload; StoryRefused with the codes of its refusals."""
        kind = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation($input: {kind}Input!) {{ {mutation}(input: $input) "
            f"{{ {answer} userErrors {{ code message field retryAfterSeconds }} }} }}"
        )
        payload = (await self.ask(client, document, input=terms))[mutation]
        for _ in range(PATIENCE):
            if not (seconds := seconds_to_wait(payload["userErrors"])):
                break
            await asyncio.sleep(seconds)
            payload = (await self.ask(client, document, input=terms))[mutation]
        if errors := payload["userErrors"]:
            reasons = "; ".join(
                f"{each['code']} {'.'.join(each['field'])} {each['message']}" for each in errors
            )
            raise StoryRefused(f"{mutation}: {reasons}")
        return payload

    async def ask(self, client: Client, document: str, **variables: Any) -> Any:
        """The data of an answer; StoryFailed where it has errors."""
        answer = await client.ask(document, **variables)
        if errors := answer.get("errors"):
            raise StoryFailed("; ".join(str(error["message"]) for error in errors))
        return answer["data"]

    async def buy(self, mutation: str, answer: str = "__typename", **terms: Any) -> Any:
        return await self.do(self.customer, mutation, answer, **terms)

    async def serve(self, mutation: str, answer: str = "__typename", **terms: Any) -> Any:
        return await self.do(self.shop.staff, mutation, answer, **terms)

    async def read(self) -> Any:
        """The order as the staff see it now."""
        return (await self.ask(self.shop.staff, READ, id=self.order_id))["order"]

    def choose_lines(self, *, lines: int = 0) -> list[dict[str, Any]]:
        """Lines of different goods, one to three units of each."""
        count = lines or self.random.randint(1, 3)
        return [
            {"variantId": variant, "quantity": self.random.randint(1, 3)}
            for variant in self.random.sample(list(self.shop.goods), count)
        ]

    async def place(
        self,
        lines: Sequence[Fields],
        *,
        deliveries: Sequence[Fields] | None = None,
        methods: Sequence[str] = ("SANDBOX",),
        credit: int = 0,
        guest: bool = False,
    ) -> None:
        """Place the order: up to `credit` cents of it are paid with store credit.

        The rest is shared by payments of these methods, with odd cents on the first.
        """
        codes = [self.shop.coupon] if self.random.random() < COUPONS_USED else []
        if deliveries is None:
            deliveries = [{"address": {"postal": self.random.choice([HOME, WORK])}}]
        basket: dict[str, Any] = {"lines": list(lines), "deliveries": list(deliveries), "couponCodes": codes}
        buyer = await self.fill_cart(lines) if guest else self.customer
        quote = (await self.ask(buyer, QUOTE, input=basket))["checkoutQuote"]
        if quote["problems"]:
            raise StoryRefused(f"checkoutQuote: {quote['problems']}")
        total = cents_of(quote["total"])
        credit = min(credit, total)
        payments = share_payments(["STORE_CREDIT"], credit) + share_payments(methods, total - credit)
        confirmed = [
            {"variantId": each["variant"]["id"], "exclusion": each["exclusion"]}
            for each in quote["lines"]
            if each["exclusion"]
        ]
        terms = basket | {
            "payments": payments,
            "idempotencyKey": f"replay-{self.index}",
            "confirmedExclusions": confirmed,
        }
        if guest:
            del terms["lines"]
            terms["contact"] = {"email": f"guest-{self.index}@example.com"}
        placed = await self.do(buyer, "orderPlace", "order { id number } secret", **terms)
        self.order_id, self.number = placed["order"]["id"], placed["order"]["number"]
        if guest:
            self.customer = self.shop.clients.guest(Authorization=f"Bearer {placed['secret']}")

    async def fill_cart(self, lines: Sequence[Fields]) -> Client:
        """A guest with a cart of these lines."""
        guest = self.shop.clients.guest()
        for line in lines:
            added = await self.do(guest, "cartLineAdd", "cart { token }", **line)
            guest.headers["X-Cart-Token"] = added["cart"]["token"] or guest.headers["X-Cart-Token"]
        return guest

    async def edit(self, changes: Fields) -> None:
        """Change the order at the total that is quoted; what it lacks becomes a payment of its own."""
        quoted = await self.ask(self.customer, EDIT_QUOTE, id=self.order_id, changes=changes)
        quote = quoted["orderEditQuote"]
        if quote["problems"]:
            raise StoryRefused(f"orderEditQuote: {quote['problems']}")
        terms = {"id": self.order_id, "changes": changes, "expectedTotal": quote["total"]}
        if quote["paymentNeeded"]:
            terms["paymentMethod"] = "SANDBOX"
        await self.buy("orderEdit", idempotencyKey=f"edit-{self.index}", **terms)

    async def pay(self, *, only: int | None = None, status: PaymentStatus = PaymentStatus.CAPTURED) -> None:
        """Pay on the pages of the provider what is to be paid in advance, or the first `only` payments."""
        sandbox = self.shop.clients.shop.sandbox
        assert sandbox is not None
        payments = [each for each in (await self.read())["payments"] if each["method"] == "SANDBOX"]
        for payment in payments[:only]:
            if payment["status"] in {"PENDING", "FAILED"}:
                started = await self.buy("paymentStart", "attempt { reference }", id=payment["id"])
                await sandbox.settle(started["attempt"]["reference"], status)

    async def pack(self, *, parcels: int = 1) -> None:
        """Pack what waits, in so many parcels for each delivery where it has enough units."""
        for delivery in (await self.read())["deliveries"]:
            waiting = [
                {"deliveryLineId": line["id"], "quantity": line["quantity"] - line["packed"]}
                for line in delivery["lines"]
                if line["quantity"] > line["packed"]
            ]
            if waiting and delivery["method"] in SENT_OR_COLLECTED:
                chosen = [{"lines": each} for each in divide(waiting, parcels)]
                await self.serve("shipmentPack", deliveryId=delivery["id"], parcels=chosen)

    async def dispatch(self, carrier: str = "OWN") -> None:
        for shipment in await self.packed_shipments():
            await self.serve(
                "shipmentDispatch",
                id=shipment["id"],
                carrier=carrier,
                trackingNumber=f"{carrier}{self.index}-{shipment['id'][-6:]}",
            )

    async def drive(self) -> str:
        """Plan and start a delivery run of a courier with its packed parcels; the id of the run."""
        courier = self.courier = await self.shop.clients.staff(Role.COURIER)
        planned = await self.serve(
            "deliveryRunPlan",
            "deliveryRun { id }",
            courierId=id_of(courier.account),
            warehouseId=self.shop.warehouse,
            shipmentIds=[each["id"] for each in await self.packed_shipments()],
            vehicle="VAN",
        )
        run_id: str = planned["deliveryRun"]["id"]
        await self.do(courier, "deliveryRunStart", id=run_id)
        return run_id

    async def complete_stops(self, run_id: str, outcome: str) -> None:
        courier = self.courier or self.shop.staff
        runs = (await self.ask(courier, STOPS))["deliveryRuns"]["nodes"]
        for stop in next(run["stops"] for run in runs if run["id"] == run_id):
            terms = {"id": stop["id"], "outcome": outcome, "note": "Rang.", "proof": "Signed."}
            await self.do(courier, "stopComplete", **terms)

    async def shipments(self, *statuses: str) -> list[Any]:
        """Its parcels in one of these statuses, without those that are lost."""
        found = (await self.read())["shipments"]
        return [each for each in found if each["status"] in statuses and each["id"] not in self.lost]

    async def packed_shipments(self) -> list[Any]:
        """Its parcels that have not left the warehouse."""
        return [each for each in await self.shipments("PENDING") if each["dispatchedAt"] is None]

    async def lose_parcels(self) -> None:
        """What is under way now never arrives."""
        self.lost.update(each["id"] for each in await self.shipments(*UNDER_WAY))

    async def track(self, status: str, *, only: int | None = None) -> None:
        """A tracking event for each parcel under way, or for the first `only`."""
        for shipment in (await self.shipments(*UNDER_WAY))[:only]:
            await self.add_event(shipment, status)

    async def add_event(self, shipment: Fields, status: str) -> None:
        happened = {"status": status, "description": "Scanned.", "location": "Hangzhou"}
        await self.serve("shipmentEventAdd", id=shipment["id"], **happened)

    async def deliver_all_but(self, first: int) -> None:
        for shipment in (await self.shipments(*UNDER_WAY))[first:]:
            await self.add_event(shipment, "DELIVERED")
        await self.collect()

    async def collect(self) -> None:
        """Collect the cash for the parcels that have arrived: the courier who drove them, else the staff."""
        order, collector = await self.read(), self.courier or self.shop.staff
        for shipment in order["shipments"]:
            due = shipment["cashDue"]
            if shipment["status"] == "DELIVERED" and due and not shipment["cashCollectedAt"]:
                cash = next(each for each in order["payments"] if is_open_cash(each))
                terms = {"id": cash["id"], "amount": due, "shipmentId": shipment["id"]}
                await self.do(collector, "cashCollect", **terms)

    async def inspect(self) -> None:
        """Look at the parcels that came back: a unit of each line may be damaged or missing."""
        for shipment in await self.shipments("RETURNED"):
            lines = []
            for line in shipment["lines"]:
                found = {"restocked": line["quantity"]}
                if self.random.random() < 0.4:
                    found = {"restocked": line["quantity"] - 1, self.random.choice(["damaged", "missing"]): 1}
                lines.append({"orderLineId": line["orderLine"]["id"], **found})
            await self.serve("shipmentInspect", id=shipment["id"], lines=lines)

    async def claim(self, type: str, reason: str, *, units: int | None = None, lines: int = 1) -> str:
        """Open a ticket about units of its first lines; the id."""
        chosen = [
            {"orderLineId": line["id"], "quantity": min(units or line["quantity"], line["quantity"])}
            for line in (await self.read())["lines"][:lines]
        ]
        return await self.open_ticket(type, reason, chosen)

    async def claim_newest_parcel(self, type: str, reason: str) -> str:
        """Open a ticket about the first unit of the parcel that came last; the id."""
        parcel = (await self.shipments("DELIVERED"))[-1]
        line = {"orderLineId": parcel["lines"][0]["orderLine"]["id"], "quantity": 1}
        return await self.open_ticket(type, reason, [line | {"shipmentId": parcel["id"]}])

    async def claim_parcel(self, type: str, reason: str, parcel: Fields) -> str:
        """Open a ticket about all that is in a parcel; the id."""
        lines = [
            {"orderLineId": line["orderLine"]["id"], "quantity": line["quantity"], "shipmentId": parcel["id"]}
            for line in parcel["lines"]
        ]
        return await self.open_ticket(type, reason, lines)

    async def open_ticket(self, type: str, reason: str, lines: Sequence[Fields]) -> str:
        opened = await self.buy(
            "ticketOpen",
            "ticket { id }",
            orderId=self.order_id,
            type=type,
            reason=reason,
            lines=list(lines),
            description="It is not as it should be.",
            idempotencyKey=f"{self.index}-{self.random.randrange(10**9)}",
            mediaIds=[],
        )
        ticket_id: str = opened["ticket"]["id"]
        return ticket_id

    async def add_good(self, units: int) -> str:
        """A good of which there are so many units; the id of its variant."""
        async with self.shop.clients.shop.database.writes.begin() as session:
            product = await create_product(session, stock={"MAIN": units}, now=self.shop.clock())
            return id_of(await variant_of(session, product))

    async def receive_goods(self, variant_id: str, units: int) -> None:
        await self.serve(
            "stockAdjust",
            variantId=variant_id,
            warehouseId=self.shop.warehouse,
            kind="RECEIVED",
            quantity=units,
            reason="A truck has come.",
        )

    async def send_back(self, ticket_id: str) -> None:
        await self.buy(
            "ticketReturnShip",
            id=ticket_id,
            carrier="SIMULATED",
            trackingNumber=f"SF{self.random.randrange(10**9):09}",
        )

    async def receive_back(self, ticket_id: str, *, accepted: bool = True, damaged: bool = False) -> None:
        condition = "AS_NEW" if accepted and not damaged else "DAMAGED"
        found = [(line, condition, line["quantity"]) for line in await self.lines_of(ticket_id)]
        units = [returned(*each, accepted=accepted) for each in found]
        await self.serve("ticketReturnReceive", id=ticket_id, units=units)

    async def receive_in_part(self, ticket_id: str, condition: str) -> None:
        """Accept one unit as new, and refuse the others as they are."""
        units, accepted = [], True
        for line in await self.lines_of(ticket_id):
            if accepted:
                units.append(returned(line, "AS_NEW", 1, accepted=True))
            if rest := line["quantity"] - int(accepted):
                units.append(returned(line, condition, rest, accepted=False))
            accepted = False
        await self.serve("ticketReturnReceive", id=ticket_id, units=units)

    async def lines_of(self, ticket_id: str) -> list[Fields]:
        found = await self.ask(self.shop.staff, TICKET_LINES, id=ticket_id)
        lines: list[Fields] = found["ticket"]["lines"]
        return lines

    def soon(self) -> timedelta:
        return timedelta(hours=self.random.randint(1, 20))


def seconds_to_wait(errors: Sequence[Fields]) -> float:
    """How long a client waits before it tries again; 0.0 where the shop did not refuse as BUSY."""
    return max((each["retryAfterSeconds"] or 0.0 for each in errors if each["code"] == "BUSY"), default=0.0)


SENT_OR_COLLECTED = ("STANDARD", "EXPRESS", "PICKUP")

UNDER_WAY = (
    "PENDING",
    "PICKED_UP",
    "IN_TRANSIT",
    "OUT_FOR_DELIVERY",
    "DELIVERY_FAILED",
    "ON_HOLD",
    "RETURNING",
)


def is_open_cash(payment: Fields) -> bool:
    """Whether cash is still to be collected by a payment; one that others replace is closed."""
    return (payment["method"], payment["status"]) == ("CASH_ON_DELIVERY", "PENDING")
