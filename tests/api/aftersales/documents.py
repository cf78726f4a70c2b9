"""Documents and helpers for tickets, and a customer with a received order."""

from dataclasses import dataclass
from typing import Any

from events.jobs.carrier_queues import scheduler_of
from events.shop import Shop
from models import CarrierCode, Order, OrderLine, OrderStatus
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.aftersales import order_lines_of
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.observe import run_until_idle

QUOTE = """query($input: TicketQuoteInput!) { ticketQuote(input: $input) {
  eligible refusal { code message } deadline
  lines { line { title } quantity left refund { amount } }
  shipping { amount } refund { amount currencyCode } legs { payment { method } refund { amount } } } }"""
SEEN = """ticket { id number status version refund { amount } refusal messages { body internal fromStaff } }
  userErrors { code field message }"""
OPEN = f"mutation($input: TicketOpenInput!) {{ ticketOpen(input: $input) {{ {SEEN} }} }}"
TICKET = """query($id: ID, $number: String) { ticket(id: $id, number: $number) {
  id status number description customer { name } assignee { name } dueAt
  messages { body internal fromStaff author { name } } media { url } timeline { version name status }
  lines { quantity refund { amount } orderLine { title } } refunds { total { amount } status }
  order { number } replacements { lines { quantity } } suggestedArticles { title } } }"""


def command(name: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}"
    return f"mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {SEEN} }} }}"


@dataclass
class TicketCase:
    """A customer with a received order of three teapots, paid with play money."""

    customer: Client
    agent: Client
    order: Order
    line: OrderLine

    def claim(self, quantity: int = 1, **more: Any) -> dict[str, Any]:
        return {
            "orderId": global_id("Order", self.order.id),
            "type": "RETURN_REFUND",
            "reason": "QUALITY_FAULT",
            "lines": [{"orderLineId": global_id("OrderLine", self.line.id), "quantity": quantity}],
        } | more

    def came_back(self, condition: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
        """Units of the line as the warehouse has found them."""
        line = global_id("OrderLine", self.line.id)
        return {"orderLineId": line, "condition": condition, "quantity": quantity} | more

    def application(self, quantity: int = 1, **more: Any) -> dict[str, Any]:
        texts = {"description": "It leaks.", "idempotencyKey": f"key-{quantity}"}
        return self.claim(quantity, **(texts | more))


async def open_ticket(case: TicketCase, **more: Any) -> str:
    payload = await case.customer.do(OPEN, **case.application(**more))
    assert payload["userErrors"] == []
    found: str = payload["ticket"]["id"]
    return found


async def agreed(case: TicketCase, *, key: str = "key") -> str:
    """A ticket that the staff have agreed to."""
    ticket = await open_ticket(case, idempotencyKey=key)
    await case.agent.do(command("ticketAgree"), id=ticket)
    return ticket


async def second_case(clients: Clients, shop: Shop, agent: Client) -> TicketCase:
    """Another customer with an order of one teapot."""
    customer = await clients.customer()
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, title="Cup"))
        order = await create_order(
            session,
            account=customer.account,
            status=OrderStatus.COMPLETED,
            lines=[(variant, 1)],
            now=shop.clock(),
        )
        [line] = await order_lines_of(session, order)
    return TicketCase(customer, agent, order, line)


async def status_of(case: TicketCase, ticket_id: str) -> str:
    found: str = (await case.agent.get(TICKET, id=ticket_id))["ticket"]["status"]
    return found


async def read_ticket(document: str, client: Client, ticket_id: str) -> Any:
    """What a document shows of a ticket."""
    return (await client.get(document, id=ticket_id))["ticket"]


def event_names(ticket: Any) -> list[str]:
    """What stands in the timeline of a ticket."""
    return [each["name"].removeprefix("ticket.") for each in ticket["timeline"]]


async def ask_carrier(shop: Shop, code: CarrierCode) -> None:
    """Do whatever is due at a carrier, and what follows."""
    await scheduler_of(shop, code).run_once()
    await run_until_idle(shop)
