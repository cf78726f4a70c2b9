"""How customers say that goods are on their way back."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Shipment, TicketStatus
from tests.api.aftersales.documents import TicketCase, command, open_ticket
from tests.clients import Clients
from tests.factories.aftersales import create_ticket
from tests.factories.carrier import create_carrier
from tests.given import codes

SHOWN = """query($id: ID!) { ticket(id: $id) { status version dueAt returnCarrier returnTrackingNumber
  returnTrackingUrl } }"""


async def test_a_return_travels_with_a_carrier_of_the_shop_under_a_number_of_its_own(
    case: TicketCase, clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_carrier(session, "YTO", tracking_link="https://yto.test/{number}")
    other = await create_ticket(session, now=shop.clock(), status=TicketStatus.RETURN_SHIPPED)
    sent = (await session.scalars(select(Shipment).where(Shipment.order_id == case.order.id))).one()
    taken, outgoing = other.return_tracking_number, (sent.carrier, sent.tracking_number)
    await session.commit()
    ticket = await open_ticket(case)
    await case.agent.do(command("ticketAgree"), id=ticket)

    async def ship(carrier: str, number: str, **more: Any) -> Any:
        given = {"carrier": carrier, "trackingNumber": number} | more
        return await case.customer.do(command("ticketReturnShip"), id=ticket, **given)

    unknown = await ship("DHL", "JD0001")
    assert unknown["userErrors"][0]["message"] == (
        "This carrier is not known. Name one of: SIMULATED, YTO, OTHER."
    )
    listed = (await case.customer.get("{ returnCarriers { code name } }"))["returnCarriers"]
    assert [each["code"] for each in listed] == ["SIMULATED", "YTO"]
    assert codes(await ship("YTO", "no number!")) == ["INVALID"]
    assert codes(await ship("OTHER", "JD0001")) == ["INVALID"]
    assert codes(await ship("OTHER", str(taken), carrierName="sf express")) == ["TAKEN"]
    assert codes(await ship(*map(str, outgoing))) == ["TAKEN"]
    assert (await case.customer.get(SHOWN, id=ticket))["ticket"]["version"] == 2

    first = await ship("carrier yto", "yt 0012")
    due = (await case.customer.get(SHOWN, id=ticket))["ticket"]["dueAt"]
    again = await ship("YTO", "YT0012")
    corrected = await ship("YTO", "YT0013")
    shown = (await case.customer.get(SHOWN, id=ticket))["ticket"]

    assert [each["ticket"]["version"] for each in (first, again, corrected)] == [3, 3, 4]
    assert shown == {
        "status": "RETURN_SHIPPED",
        "version": 4,
        "dueAt": due,
        "returnCarrier": "Carrier YTO",
        "returnTrackingNumber": "YT0013",
        "returnTrackingUrl": "https://yto.test/YT0013",
    }
