"""Staff see what each carrier asks before one is chosen, and when it is to collect."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shipment.quotes import ask_quotes
from events.shop import Shop
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierError,
    CarrierQuote,
    PickupWindow,
)
from loaders.carrier import load_carriers
from models import CarrierConnection, Role, Waybill
from tests.api.shipment.test_carrier_rules import BOOK, parcels
from tests.clients import Clients
from tests.factories.carrier import ScriptedCarrier, connect_carrier, create_carrier
from tests.given import id_of

QUOTES = """
query ($id: ID!, $pickup: PickupInput) {
  shipmentQuotes(id: $id, pickup: $pickup) {
    carrier { code } service price { amount currencyCode } promisedAt error
  }
}
"""
EVERY_DAY_AT_SIX = dict.fromkeys(
    ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], 18 * 60
)
ANYWHERE = {
    "regions": ["*"],
    "currency": "CNY",
    "first_grams": 400,
    "first_amount": 8_00,
    "further_grams": 500,
    "further_amount": 1_50,
    "hours": 48,
}


def tomorrow(shop: Shop, *, hour: int) -> datetime:
    day = shop.clock().astimezone(shop.settings.locale.zone) + timedelta(days=1)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


async def test_each_carrier_is_asked_and_one_that_is_down_says_so_beside_the_others(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    near = ANYWHERE | {"regions": ["CN/浙江省"], "first_amount": 5_00}
    await create_carrier(session, "BIKE", rates=[ANYWHERE, near], cut_offs=EVERY_DAY_AT_SIX, service="door")
    await create_carrier(session, "SF", CarrierConnection.SF_EXPRESS)
    await create_carrier(session, "YTO", CarrierConnection.KUAIDI100, company_code="yuantong")
    await create_carrier(session, "BARE")
    [shipment] = await parcels(session)
    down = ScriptedCarrier(connection=CarrierConnection.SF_EXPRESS)
    down.quotes = CarrierError("HTTP 500")
    connect_carrier(shop, down)

    answer = await clerk.get(QUOTES, id=id_of(shipment))
    found = {each["carrier"]["code"]: each for each in answer["shipmentQuotes"]}

    bike = found["BIKE"]
    assert (bike["service"], bike["price"]) == ("door", {"amount": "6.50", "currencyCode": "CNY"})
    today = (
        shop.clock().astimezone(shop.settings.locale.zone).replace(hour=18, minute=0, second=0, microsecond=0)
    )
    leaves = today if today >= shop.clock() else today + timedelta(days=1)
    assert datetime.fromisoformat(bike["promisedAt"]) == (leaves + timedelta(hours=48)).astimezone(UTC)
    assert found["SIMULATED"]["price"]["amount"] == "12.00"
    assert found["SIMULATED"]["error"] is None
    assert [found[code]["error"] for code in ("SF", "YTO", "BARE")] == [
        "HTTP 500",
        "It is not connected.",
        "It has no rate for this place: enter its rates.",
    ]


async def test_a_carrier_that_takes_too_long_says_so_beside_the_others(
    shop: Shop, session: AsyncSession
) -> None:
    await create_carrier(session, "BIKE", rates=[ANYWHERE])
    [shipment] = await parcels(session)

    class Slow(ScriptedCarrier):
        async def quote(self, booking: Booking) -> list[CarrierQuote]:
            await asyncio.sleep(60)
            return []

    connect_carrier(shop, Slow())

    carriers = await load_carriers(shop.database.reads)
    answers = await ask_quotes(shop, carriers, [shipment.id], seconds=0.05)

    assert {each.carrier.code: each.error for each in answers} == {
        "SIMULATED": "It has not answered in time.",
        "OWN": "It has no rate for this place: enter its rates.",
        "BIKE": None,
    }


async def test_a_carrier_is_asked_to_collect_at_a_time_within_its_hours(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await create_carrier(session, "SF", CarrierConnection.SF_EXPRESS, cut_offs=EVERY_DAY_AT_SIX)
    [shipment] = await parcels(session)
    carrier = ScriptedCarrier(
        [BookedWaybill("SF1")],
        connection=CarrierConnection.SF_EXPRESS,
        capabilities=Capabilities(books=True, picks_up=True),
    )
    connect_carrier(shop, carrier)
    zone = shop.settings.locale.zone
    day = (shop.clock().astimezone(zone) + timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )

    async def refused(begins: datetime, ends: datetime) -> list[list[str]]:
        pickup = {"beginsAt": begins.isoformat(), "endsAt": ends.isoformat()}
        answer = await clerk.do(BOOK, id=id_of(shipment), carrier="SF", pickup=pickup)
        return [error["field"] for error in answer["userErrors"]]

    hour = timedelta(hours=1)
    ends_at = ["pickup", "endsAt"]
    assert await refused(shop.clock() - 3 * hour, shop.clock() - 2 * hour) == [ends_at]
    assert await refused(day + 12 * hour, day + 11 * hour) == [ends_at]
    assert await refused(day + 17 * hour, day + 19 * hour) == [ends_at]
    assert await refused(day + timedelta(days=20), day + timedelta(days=20, hours=1)) == [ends_at]
    assert await refused(day - hour, day + hour) == [ends_at]
    end_of_time = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert await refused(end_of_time - hour, end_of_time) == [ends_at]
    assert (await session.scalars(select(Waybill))).all() == []
    await session.commit()
    assert carrier.bookings == []
    assert await refused(day + 15 * hour, day + 17 * hour) == []
    [booking] = carrier.bookings
    assert booking.pickup == PickupWindow(day + 15 * hour, day + 17 * hour)
    [waybill] = (await session.scalars(select(Waybill))).all()
    assert (waybill.pickup_from, waybill.pickup_until) == (day + 15 * hour, day + 17 * hour)
    await session.commit()


async def test_a_carrier_collects_nothing_on_a_day_without_a_cut_off_and_others_not_at_a_time(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    zone = shop.settings.locale.zone
    day = (shop.clock().astimezone(zone) + timedelta(days=1)).replace(
        hour=9, minute=0, second=0, microsecond=0
    )
    names = list(EVERY_DAY_AT_SIX)
    other = {name: 18 * 60 for name in names if name != names[day.weekday()]}
    await create_carrier(session, "SF", CarrierConnection.SF_EXPRESS, cut_offs=other)
    [shipment] = await parcels(session)
    connect_carrier(shop, ScriptedCarrier(connection=CarrierConnection.SF_EXPRESS))
    pickup = {"beginsAt": day.isoformat(), "endsAt": (day + timedelta(hours=2)).isoformat()}

    closed = await clerk.do(BOOK, id=id_of(shipment), carrier="SF", pickup=pickup)
    cannot = ScriptedCarrier([BookedWaybill("N1")], capabilities=Capabilities(books=True))
    connect_carrier(shop, cannot)
    never = await clerk.do(BOOK, id=id_of(shipment), carrier="SIMULATED", pickup=pickup)
    nobody = await clerk.do(BOOK, id=id_of(shipment), pickup=pickup)

    assert [error["field"] for error in closed["userErrors"]] == [["pickup", "beginsAt"]]
    assert [(error["code"], error["field"]) for error in never["userErrors"]] == [
        ("PROVIDER_REFUSED", ["carrier"])
    ]
    assert "not asked to collect" in never["userErrors"][0]["message"]
    assert [error["code"] for error in nobody["userErrors"]] == ["WRONG_STATE"]
    assert cannot.bookings == []


async def test_parcels_of_a_delivery_are_booked_together_and_leave_by_their_own_numbers(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    first, second = await parcels(session, 2)
    carrier = ScriptedCarrier(
        [BookedWaybill("M", ["M-1"])], capabilities=Capabilities(books=True, many_parcels=True)
    )
    connect_carrier(shop, carrier)

    await clerk.do(BOOK, id=id_of(first), carrier="SIMULATED", together=[id_of(second)])
    sent = await clerk.do(
        "mutation ($input: ShipmentDispatchInput!) { shipmentDispatch(input: $input) {"
        " shipment { trackingNumber waybills { number motherNumber } } } }",
        id=id_of(second),
    )

    assert sent["shipment"] == {
        "trackingNumber": "M-1",
        "waybills": [{"number": "M-1", "motherNumber": "M"}],
    }
    assert len(carrier.bookings) == 1
