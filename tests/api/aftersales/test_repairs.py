"""Repairs over the API: asked for, sent in, ended and sent back."""

import asyncio
from datetime import timedelta
from typing import Any

from events.shop import Shop
from models import Role
from tests.api.aftersales.documents import QUOTE, TicketCase, command, open_ticket
from tests.api.shipment.documents import DISPATCH, Tick
from tests.clients import Client, Clients
from tests.given import codes, refusals
from tests.observe import run_until_idle

SHOWN = """query($id: ID!) { ticket(id: $id) { status dueAt repair { outcome note } refund { amount }
  deliveriesBack { id sendsBack lines { id quantity packed } } replacements { id } parts { id status }
  timeline { name } } }"""
PACK = """mutation ($input: ShipmentPackInput!) {
  shipmentPack(input: $input) { shipments { id } userErrors { code } } }"""
FINISH, CHOOSE = command("ticketRepairFinish"), command("ticketReplacementChoose")


async def sent_in(case: TicketCase, clerk: Client, quantity: int = 1) -> str:
    """A repair of so many teapots that the warehouse has found damaged."""
    ticket = await open_ticket(case, quantity=quantity, type="REPAIR")
    await case.agent.do(command("ticketAgree"), id=ticket)
    way = {"carrier": "SIMULATED", "trackingNumber": "SIM-771"}
    await case.customer.do(command("ticketReturnShip"), id=ticket, **way)
    units = [case.came_back("DAMAGED", quantity, accepted=True)]
    received = await clerk.do(command("ticketReturnReceive"), id=ticket, units=units)
    assert (received["userErrors"], received["ticket"]["status"]) == ([], "REPAIRING")
    return ticket


def ended(case: TicketCase, quantity: int = 1, *, repaired: bool, note: str = "") -> dict[str, Any]:
    units = case.came_back("DAMAGED", quantity)
    return {"orderLineId": units["orderLineId"], "quantity": quantity, "repaired": repaired, "note": note}


async def test_a_teapot_is_sent_in_repaired_and_sent_back(
    case: TicketCase, clients: Clients, shop: Shop, tick: Tick
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    quote = (await case.customer.get(QUOTE, input=case.claim(2, type="REPAIR")))["ticketQuote"]
    assert (quote["eligible"], quote["refund"]["amount"], quote["legs"]) == (True, "0.00", [])
    assert quote["deadline"] is not None
    ticket = await sent_in(case, clerk)
    courier = await clients.staff(Role.COURIER)
    by_courier = await courier.do(FINISH, id=ticket, units=[ended(case, repaired=True)])
    done = await clerk.do(FINISH, id=ticket, units=[ended(case, repaired=True, note="A new spout.")])
    assert (codes(by_courier), done["userErrors"]) == (["FORBIDDEN"], [])

    shown = (await case.customer.get(SHOWN, id=ticket))["ticket"]
    [delivery] = shown["deliveriesBack"]
    assert (shown["status"], delivery["sendsBack"], shown["repair"]) == (
        "RESHIPPING",
        True,
        {"outcome": "REPAIRED", "note": "A new spout."},
    )
    [line] = delivery["lines"]
    parcel = {"lines": [{"deliveryLineId": line["id"], "quantity": 1}]}
    [packed] = (await clerk.do(PACK, deliveryId=delivery["id"], parcels=[parcel]))["shipments"]
    await clerk.do(DISPATCH, id=packed["id"], carrier="SIMULATED")
    for _ in range(8):
        tick(timedelta(seconds=60))
        await run_until_idle(shop)

    after = (await case.customer.get(SHOWN, id=ticket))["ticket"]
    assert (after["status"], after["refund"]["amount"]) == ("COMPLETED", "0.00")
    assert [each["name"] for each in after["timeline"]][-2:] == ["ticket.repair_finished", "ticket.completed"]
    again = (await case.customer.get(QUOTE, input=case.claim(3, type="REPAIR")))["ticketQuote"]
    assert again["eligible"]


async def test_two_clerks_who_end_a_repair_at_once_send_it_back_once(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    clerks = [await clients.staff(Role.WAREHOUSE) for _ in range(2)]
    ticket = await sent_in(case, clerks[0], 3)
    units = [ended(case, 2, repaired=True), ended(case, repaired=False, note="The glass is broken.")]
    answers = await asyncio.gather(*(clerk.do(FINISH, id=ticket, units=units) for clerk in clerks))
    await run_until_idle(shop)

    assert sorted(map(codes, answers)) == [[], ["WRONG_STATE"]]
    shown = (await case.customer.get(SHOWN, id=ticket))["ticket"]
    assert [each["lines"][0]["quantity"] for each in shown["deliveriesBack"]] == [2]
    [part] = shown["parts"]
    assert part["status"] == "AWAITING_CHOICE"
    choices = await asyncio.gather(
        case.customer.do(CHOOSE, id=part["id"], choice="SAME_UNITS"),
        case.customer.do(CHOOSE, id=part["id"], choice="MONEY"),
    )
    await run_until_idle(shop)
    assert sorted(map(codes, choices)) == [[], ["WRONG_STATE"]]
    chosen = (await case.customer.get(SHOWN, id=part["id"]))["ticket"]
    sent_back = bool(chosen["deliveriesBack"])
    assert (chosen["status"], chosen["refund"]["amount"]) == (
        ("RESHIPPING", "0.00") if sent_back else ("COMPLETED", "99.00")
    )


async def test_what_customers_read_about_repaired_units_is_a_text_of_one_reason(
    case: TicketCase, clients: Clients
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    ticket = await sent_in(case, clerk, 3)
    notes = ["a" * 400, "b" * 400, "c" * 198]

    too_long = await clerk.do(
        FINISH, id=ticket, units=[ended(case, repaired=True, note=f"{note}d") for note in notes]
    )
    unchanged = (await case.customer.get(SHOWN, id=ticket))["ticket"]
    done = await clerk.do(FINISH, id=ticket, units=[ended(case, repaired=True, note=note) for note in notes])
    shown = (await case.customer.get(SHOWN, id=ticket))["ticket"]

    assert refusals(too_long) == [("INVALID", "units")]
    assert (unchanged["status"], unchanged["repair"]) == ("REPAIRING", None)
    assert done["userErrors"] == []
    assert shown["repair"]["note"] == " ".join(notes)


async def test_the_same_units_are_no_choice_of_an_exchange(case: TicketCase, clients: Clients) -> None:
    ticket = await sent_in(case, await clients.staff(Role.WAREHOUSE))
    stranger = await clients.customer()
    foreign = await stranger.do(CHOOSE, id=ticket, choice="SAME_UNITS")
    early = await case.customer.do(CHOOSE, id=ticket, choice="SAME_UNITS")
    by_customer = await case.customer.do(FINISH, id=ticket, units=[ended(case, repaired=True)])

    assert [codes(each) for each in (foreign, early, by_customer)] == [
        ["NOT_FOUND"],
        ["WRONG_STATE"],
        ["FORBIDDEN"],
    ]


async def test_no_rule_is_said_to_accept_what_was_sent_in_for_a_repair(case: TicketCase) -> None:
    ticket = await open_ticket(case, type="REPAIR")
    forecast = "query($id: ID!) { ticketRuleForecast(id: $id) { obstacle } }"
    asked = (await case.agent.get(forecast, id=ticket))["ticketRuleForecast"]
    await case.agent.do(command("ticketAgree"), id=ticket)
    way = {"carrier": "SIMULATED", "trackingNumber": "SIM-772"}
    await case.customer.do(command("ticketReturnShip"), id=ticket, **way)

    assert asked == {"obstacle": "NO_RULE"}
    assert (await case.agent.get(forecast, id=ticket))["ticketRuleForecast"] is None
