"""A carrier collects what a customer sends back: booked once, followed, cancelled when nobody needs it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from events.shop import Shop
from gateways.carrier.protocol import (
    BookedWaybill,
    Capabilities,
    CarrierError,
    CarrierEvent,
    CarrierRefused,
    Label,
)
from models import CarrierCode, CarrierConnection, LabelFormat, ReturnCollection, Waybill
from models import ShipmentStatus as S
from tests.api.aftersales.documents import (
    TicketCase,
    agreed,
    ask_carrier,
    command,
    event_names,
    read_ticket,
    second_case,
)
from tests.clients import Client, Clients
from tests.factories.account import PASSWORD
from tests.factories.carrier import ScriptedCarrier, connect_carrier, create_carrier
from tests.given import codes
from tests.observe import assert_books_agree, read_all_rows, run_until_idle

Tick = Callable[[timedelta], None]
pytestmark = pytest.mark.settings(access_token_lives=timedelta(days=60))
YTO = CarrierCode("YTO")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOME = {
    "recipient": "林梅",
    "phone": "13800138000",
    "province": "浙江",
    "city": "杭州",
    "district": "西湖",
    "line1": "文三路 100 号",
}
NO_ADDRESS = {"recipient": "", "phone": "x", "city": "", "line1": ""}
SHOWN = """query($id: ID!) { ticket(id: $id) { status timeline { name }
  returnParcel { trackingNumber status estimatedAt }
  returnCollection { address { recipient city }
    waybill { carrier status number pickup { beginsAt } endedAt } } } }"""


@pytest.fixture
async def carrier(shop: Shop) -> ScriptedCarrier:
    async with shop.database.writes.begin() as session:
        await create_carrier(session, YTO, CarrierConnection.KUAIDI100, company_code="yuantong")
    can = Capabilities(books=True, cancels=True, tracks=True, picks_up=True)
    found = ScriptedCarrier(connection=CarrierConnection.KUAIDI100, capabilities=can, events=[])
    connect_carrier(shop, found)
    return found


@pytest.fixture
async def ticket(case: TicketCase) -> str:
    return await agreed(case)


async def book(client: Client, shop: Shop, ticket: str, *, days: int = 1, **more: Any) -> Any:
    begins = shop.clock() + days * DAY
    pickup = {"beginsAt": begins.isoformat(), "endsAt": (begins + 2 * HOUR).isoformat()}
    given = {"carrier": "YTO", "pickup": pickup} | more
    return await client.do(command("ticketCollectionBook"), id=ticket, **given)


async def cancel(client: Client, ticket: str) -> Any:
    return await client.do(command("ticketCollectionCancel"), id=ticket)


async def count_waybills(shop: Shop) -> int:
    async with shop.database.reads() as session:
        statement = select(func.count(Waybill.id)).where(Waybill.return_collection_id.is_not(None))
        return await session.scalar(statement) or 0


async def test_what_a_carrier_collects_is_followed_to_the_warehouse(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str, tick: Tick
) -> None:
    promised = shop.clock() + 4 * DAY
    carrier.answers = [BookedWaybill("YT0001", estimated_at=promised)]
    assert codes(await book(case.customer, shop, ticket)) == []
    booked = await read_ticket(SHOWN, case.customer, ticket)
    [asked] = carrier.bookings
    [parcel] = asked.parcels
    tick(DAY + HOUR)
    carrier.events = [CarrierEvent(S.PICKED_UP, "1", "已揽收", shop.clock())]
    await ask_carrier(shop, YTO)
    taken = await read_ticket(SHOWN, case.customer, ticket)
    late = await cancel(case.customer, ticket)
    tick(2 * HOUR)
    carrier.events.append(CarrierEvent(S.DELIVERED, "3", "已签收", shop.clock()))
    await ask_carrier(shop, YTO)
    arrived = await read_ticket(SHOWN, case.customer, ticket)

    assert asked.pickup is not None
    assert (parcel.sender.name, parcel.receiver.name, parcel.weight_grams > 1) == ("林梅", "Main", True)
    assert (booked["status"], booked["returnParcel"]) == (
        "AWAITING_RETURN",
        {"trackingNumber": "YT0001", "status": "PENDING", "estimatedAt": promised.isoformat()},
    )
    assert booked["returnCollection"]["waybill"] | {"pickup": None} == {
        "carrier": "YTO",
        "status": "BOOKED",
        "number": "YT0001",
        "pickup": None,
        "endedAt": None,
    }
    assert (taken["status"], codes(late)) == ("RETURN_SHIPPED", ["WRONG_STATE"])
    assert event_names(arrived) == [
        "opened",
        "agreed",
        "collection_booked",
        "return_shipped",
        "return_taken",
        "return_delivered",
    ]
    await assert_books_agree(shop)


async def test_staff_see_what_a_carrier_was_booked_for(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers = [BookedWaybill("YT0001", label=Label(LabelFormat.PDF, b"%PDF\x00\xff"))]
    assert codes(await book(case.customer, shop, ticket)) == []

    shown = await read_ticket(SHOWN, case.agent, ticket)

    assert shown["returnCollection"]["waybill"]["number"] == "YT0001"


async def test_three_who_book_at_once_book_once(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers = [BookedWaybill(f"YT000{each}") for each in range(3)]
    replies = await asyncio.gather(
        *(book(who, shop, ticket) for who in (case.customer, case.agent, case.customer))
    )
    again = await book(case.agent, shop, ticket)
    other = await book(case.agent, shop, ticket, days=2)

    assert [codes(each) for each in (*replies, again)] == [[], [], [], []]
    assert codes(other) == ["WRONG_STATE"]
    assert (len(carrier.bookings), await count_waybills(shop)) == (1, 1)
    await run_until_idle(shop)
    await assert_books_agree(shop)


async def test_a_carrier_that_does_not_answer_is_asked_what_became_of_it(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str, tick: Tick
) -> None:
    carrier.answers = [CarrierError("timed out")]
    assert codes(await book(case.customer, shop, ticket)) == ["PROVIDER_UNAVAILABLE"]
    assert (await read_ticket(SHOWN, case.customer, ticket))["returnParcel"] is None
    [asked] = carrier.bookings
    carrier.booked[asked.reference] = BookedWaybill("YT0001")
    tick(HOUR)
    await ask_carrier(shop, YTO)
    shown = await read_ticket(SHOWN, case.customer, ticket)

    assert (len(carrier.bookings), shown["returnParcel"]["trackingNumber"]) == (1, "YT0001")
    await assert_books_agree(shop)


async def test_after_a_refusal_the_customer_asks_anew_at_most_three_times_or_sends_it(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers = [CarrierRefused("区域不服务") for _ in range(3)]
    replies = [await book(case.customer, shop, ticket, days=days) for days in (1, 2, 3, 4)]
    assert [codes(each) for each in replies] == [["PROVIDER_REFUSED"]] * 3 + [["LIMIT_REACHED"]]
    assert replies[0]["userErrors"][0]["message"] == "Carrier YTO does not take this parcel: 区域不服务"
    given = {"carrier": "YTO", "trackingNumber": "YT0009"}
    assert codes(await case.customer.do(command("ticketReturnShip"), id=ticket, **given)) == []

    assert (await read_ticket(SHOWN, case.customer, ticket))["status"] == "RETURN_SHIPPED"
    await run_until_idle(shop)
    await assert_books_agree(shop)


async def test_what_is_cancelled_in_time_is_cancelled_at_the_carrier(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers = [BookedWaybill("YT0001"), BookedWaybill("YT0002"), BookedWaybill("YT0003")]
    await book(case.customer, shop, ticket)
    assert codes(await cancel(case.customer, ticket)) == []
    assert codes(await cancel(case.customer, ticket)) == ["WRONG_STATE"]
    await book(case.customer, shop, ticket)
    given = {"carrier": "YTO", "trackingNumber": "YT0009"}
    await case.customer.do(command("ticketReturnShip"), id=ticket, **given)
    await ask_carrier(shop, YTO)
    sent = await read_ticket(SHOWN, case.customer, ticket)

    assert sorted(carrier.cancelled) == ["YT0001", "YT0002"]
    assert sent["returnParcel"]["trackingNumber"] == "YT0009"
    assert sent["returnCollection"]["waybill"]["status"] == "CANCELLED"
    await assert_books_agree(shop)


async def test_what_a_carrier_does_not_cancel_is_followed_as_it_may_come(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str, tick: Tick
) -> None:
    carrier.answers, carrier.cancel_answer = [BookedWaybill("YT0001")], CarrierRefused("已派单")
    await book(case.customer, shop, ticket, days=6)
    assert codes(await cancel(case.customer, ticket)) == []
    await ask_carrier(shop, YTO)
    kept = await read_ticket(SHOWN, case.customer, ticket)
    tick(7 * DAY + HOUR)
    await run_until_idle(shop)
    waits = await read_ticket(SHOWN, case.customer, ticket)
    tick(6 * HOUR)
    carrier.events = [CarrierEvent(S.PICKED_UP, "1", "已揽收", shop.clock())]
    await ask_carrier(shop, YTO)
    taken = await read_ticket(SHOWN, case.customer, ticket)

    assert kept["returnCollection"]["waybill"]["status"] == "CANCEL_REFUSED"
    assert (kept["status"], kept["returnParcel"]["trackingNumber"]) == ("AWAITING_RETURN", "YT0001")
    assert waits["status"] == "AWAITING_RETURN"
    assert (taken["status"], taken["returnParcel"]["status"]) == ("RETURN_SHIPPED", "PICKED_UP")
    await assert_books_agree(shop)


async def test_what_a_carrier_never_says_it_has_cancelled_is_followed_too(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers, carrier.cancel_answer = [BookedWaybill("YT0001")], CarrierError("no answer")
    await book(case.customer, shop, ticket, days=6)
    await cancel(case.customer, ticket)
    async with shop.database.writes.begin() as session:
        await session.execute(update(Waybill).values(calls=60))  # it has not answered for a day
    await ask_carrier(shop, YTO)
    silent = await read_ticket(SHOWN, case.customer, ticket)

    assert silent["returnCollection"]["waybill"]["status"] == "CANCEL_REFUSED"
    assert (silent["status"], silent["returnParcel"]["trackingNumber"]) == ("AWAITING_RETURN", "YT0001")
    await assert_books_agree(shop)


async def test_another_address_at_the_same_time_is_not_what_was_booked(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers = [BookedWaybill("YT0001")]
    await book(case.customer, shop, ticket, address=HOME)
    assert codes(await book(case.customer, shop, ticket, address=HOME)) == []
    moved = await book(case.customer, shop, ticket, address=HOME | {"line1": "文一路2号"})

    assert codes(moved) == ["WRONG_STATE"]
    assert await count_waybills(shop) == 1
    await assert_books_agree(shop)


async def test_the_number_of_the_own_collection_cancels_nothing(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers = [BookedWaybill("YT0001")]
    await book(case.customer, shop, ticket)
    given = {"carrier": "YTO", "trackingNumber": "yt 0001"}
    assert codes(await case.customer.do(command("ticketReturnShip"), id=ticket, **given)) == []
    await ask_carrier(shop, YTO)
    sent = await read_ticket(SHOWN, case.customer, ticket)

    assert carrier.cancelled == []
    assert (sent["status"], sent["returnParcel"]["trackingNumber"]) == ("RETURN_SHIPPED", "YT0001")
    assert sent["returnCollection"]["waybill"]["status"] == "BOOKED"
    await assert_books_agree(shop)


async def test_the_number_of_somebody_elses_collection_is_taken(
    case: TicketCase, clients: Clients, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers = [BookedWaybill("YT0001")]
    await book(case.customer, shop, ticket)
    stranger = await second_case(clients, shop, case.agent)
    theirs = await agreed(stranger)
    given = {"carrier": "YTO", "trackingNumber": "YT0001"}

    assert codes(await stranger.customer.do(command("ticketReturnShip"), id=theirs, **given)) == ["TAKEN"]
    shown = await read_ticket(SHOWN, case.customer, ticket)
    assert shown["returnCollection"]["waybill"]["status"] == "BOOKED"
    assert (await read_ticket(SHOWN, stranger.customer, theirs))["status"] == "AWAITING_RETURN"
    await assert_books_agree(shop)


async def test_a_number_that_a_carrier_gives_to_two_customers_is_followed_for_neither(
    case: TicketCase, clients: Clients, shop: Shop, carrier: ScriptedCarrier, ticket: str, tick: Tick
) -> None:
    carrier.answers = [BookedWaybill("YT0001"), BookedWaybill("YT0001")]
    await book(case.customer, shop, ticket)
    other = await second_case(clients, shop, case.agent)
    theirs = await agreed(other)
    await book(other.customer, shop, theirs)
    tick(DAY + HOUR)
    carrier.events = [CarrierEvent(S.PICKED_UP, "1", "已揽收", shop.clock())]
    await ask_carrier(shop, YTO)

    contested = "query($id: ID!) { ticket(id: $id) { status returnParcel { trackingNumber contestedAt } } }"
    for id in (ticket, theirs):
        shown = await read_ticket(contested, case.agent, id)
        assert shown["status"] == "AWAITING_RETURN"
        assert shown["returnParcel"]["trackingNumber"] == "YT0001"
        assert shown["returnParcel"]["contestedAt"] is not None
    await assert_books_agree(shop)


async def test_a_ticket_that_is_cancelled_sends_no_carrier_to_its_customer(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    carrier.answers = [BookedWaybill("YT0001")]
    await book(case.customer, shop, ticket)
    await case.customer.do(command("ticketCancel"), id=ticket)
    await run_until_idle(shop)
    await ask_carrier(shop, YTO)

    assert carrier.cancelled == ["YT0001"]
    assert codes(await book(case.customer, shop, ticket)) == ["WRONG_STATE"]
    await assert_books_agree(shop)


async def test_the_time_to_send_goods_waits_for_the_carrier_that_is_to_come(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str, tick: Tick
) -> None:
    carrier.answers = [BookedWaybill("YT0001")]
    await book(case.customer, shop, ticket, days=6)
    tick(7 * DAY + 3 * HOUR)
    await ask_carrier(shop, YTO)
    waits = await read_ticket(SHOWN, case.customer, ticket)
    tick(7 * DAY)
    await ask_carrier(shop, YTO)
    over = await read_ticket(SHOWN, case.customer, ticket)

    assert (waits["status"], event_names(waits)[-1]) == ("AWAITING_RETURN", "return_overdue")
    assert (over["status"], carrier.cancelled) == ("CANCELLED", ["YT0001"])
    await assert_books_agree(shop)


async def test_only_carriers_that_collect_are_asked_for_the_own_goods_in_a_time_that_comes(
    case: TicketCase, clients: Clients, shop: Shop, carrier: ScriptedCarrier, ticket: str
) -> None:
    stranger = await clients.customer()
    async with shop.database.writes.begin() as session:
        await create_carrier(session, "SLOW")
    listed = (await case.customer.get("{ returnCarriers { code collects } }"))["returnCarriers"]
    assert {each["code"]: each["collects"] for each in listed} == {
        "SIMULATED": True,
        "YTO": True,
        "SLOW": False,
    }
    before = await read_all_rows(shop)
    replies = [
        await book(stranger, shop, ticket),
        await book(case.customer, shop, ticket, carrier="SLOW"),
        await book(case.customer, shop, ticket, carrier="NONE"),
        await book(case.customer, shop, ticket, days=-1),
        await book(case.customer, shop, ticket, days=30),
        await book(case.customer, shop, ticket, address=NO_ADDRESS),
    ]

    assert [codes(each) for each in replies[:5]] == [
        ["NOT_FOUND"],
        ["PROVIDER_REFUSED"],
        ["NOT_FOUND"],
        ["INVALID"],
        ["INVALID"],
    ]
    assert set(codes(replies[5])) == {"INVALID"}
    assert (carrier.bookings, await read_all_rows(shop)) == ([], before)


async def test_the_address_of_a_collection_is_erased_with_its_customer(
    case: TicketCase, shop: Shop, carrier: ScriptedCarrier, ticket: str, tick: Tick
) -> None:
    carrier.answers = [BookedWaybill("YT0001")]
    await book(case.customer, shop, ticket)
    await case.customer.do(command("ticketCancel"), id=ticket)
    await run_until_idle(shop)
    await ask_carrier(shop, YTO)
    erase = "mutation($input: AccountEraseInput!) { accountErase(input: $input) { userErrors { code } } }"
    await case.customer.do(erase, password=PASSWORD)
    tick(HOUR)
    await run_until_idle(shop)

    async with shop.database.reads() as session:
        [kept] = await session.scalars(select(ReturnCollection))
    assert (kept.recipient, kept.phone, kept.line1) == ("", "", "")
    await assert_books_agree(shop)
