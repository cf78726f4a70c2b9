"""Returns as their customers and the staff see them inspected."""

import asyncio
from typing import Any

from events.shop import Shop
from models import Role
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.clients import Clients
from tests.given import codes
from tests.observe import run_until_idle

SHOWN = """query($id: ID!) { ticket(id: $id) { status refusal lines { quantity } refund { amount }
  inspections { condition quantity accepted customersFault note current inspectedBy { name }
    orderLine { title } }
  deliveriesBack { sendsBack fee { amount } lines { quantity packed } } replacements { id }
  partOf { id } parts { id number status refusal refund { amount } } } }"""


async def shipped_back(case: TicketCase, quantity: int = 3) -> str:
    ticket = await open_ticket(case, quantity=quantity)
    await case.agent.do(command("ticketAgree"), id=ticket)
    way = {"carrier": "SIMULATED", "trackingNumber": "SIM-771"}
    await case.customer.do(command("ticketReturnShip"), id=ticket, **way)
    return ticket


async def test_a_customer_reads_what_was_kept_of_a_return_and_why_the_rest_comes_back(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    clerk, ticket = await clients.staff(Role.WAREHOUSE), await shipped_back(case)
    worn = case.came_back("DAMAGED", accepted=False, customersFault=True, note="The spout is worn off.")
    units = [case.came_back("AS_NEW", 2), worn]
    received = await clerk.do(command("ticketReturnReceive"), id=ticket, units=units)
    await run_until_idle(shop)

    assert received["userErrors"] == []
    found = (await case.customer.get(SHOWN, id=ticket))["ticket"]
    [part] = found.pop("parts")
    assert found == {
        "status": "COMPLETED",
        "refusal": None,
        "lines": [{"quantity": 2}],
        "refund": {"amount": "198.00"},
        "inspections": [inspected("AS_NEW", 2, accepted=True)],
        "deliveriesBack": [],
        "replacements": [],
        "partOf": None,
    }
    refused = (await case.customer.get(SHOWN, id=part["id"]))["ticket"]
    note = "The spout is worn off."
    assert refused == {
        "status": "RETURN_REFUSED",
        "refusal": note,
        "lines": [{"quantity": 1}],
        "refund": {"amount": "99.00"},
        "inspections": [inspected("DAMAGED", 1, customersFault=True, note=note)],
        "deliveriesBack": [
            {"sendsBack": True, "fee": {"amount": "0.00"}, "lines": [{"quantity": 1, "packed": 0}]}
        ],
        "replacements": [],
        "partOf": {"id": ticket},
        "parts": [],
    }
    [seen] = (await case.agent.get(SHOWN, id=part["id"]))["ticket"]["inspections"]
    assert clerk.account is not None
    assert seen["inspectedBy"] == {"name": clerk.account.name}


def inspected(condition: str, quantity: int, **more: Any) -> dict[str, Any]:
    """An inspection as its customer reads it."""
    return {
        "condition": condition,
        "quantity": quantity,
        "accepted": False,
        "customersFault": False,
        "note": "",
        "current": True,
        "inspectedBy": None,
        "orderLine": {"title": "Teapot"},
    } | more


async def test_two_clerks_who_inspect_a_return_at_once_book_it_once(
    case: TicketCase, clients: Clients
) -> None:
    ticket, units = await shipped_back(case, 1), [case.came_back("AS_NEW")]
    clerks = [await clients.staff(Role.WAREHOUSE) for _ in range(2)]
    receive = command("ticketReturnReceive")
    answers = await asyncio.gather(*(clerk.do(receive, id=ticket, units=units) for clerk in clerks))

    assert sorted(map(codes, answers)) == [[], ["WRONG_STATE"]]
    assert len((await case.agent.get(SHOWN, id=ticket))["ticket"]["inspections"]) == 1


async def test_a_line_of_another_order_is_no_unit_of_a_return(case: TicketCase, clients: Clients) -> None:
    clerk, ticket = await clients.staff(Role.WAREHOUSE), await shipped_back(case, 1)
    foreign = case.came_back("AS_NEW") | {"orderLineId": ticket}
    refused = await clerk.do(command("ticketReturnReceive"), id=ticket, units=[foreign])

    assert [(each["code"], each["field"]) for each in refused["userErrors"]] == [
        ("INVALID", ["units"]),
        ("NOT_FOUND", ["units", "0", "orderLineId"]),
    ]
