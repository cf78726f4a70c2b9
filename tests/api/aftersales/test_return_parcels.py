"""What customers send back is followed like any other parcel, from its number to the warehouse."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from events.jobs.carrier_queues import scheduler_of
from events.shipment.folding import PushFolder
from events.shop import Shop
from gateways.carrier.protocol import Capabilities, CarrierEvent, TrackedParcel, TrackingPush
from models import (
    CarrierCode,
    CarrierConnection,
    Notice,
    NoticeKind,
    ReturnParcel,
    Role,
    Shipment,
)
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
from tests.factories.carrier import ScriptedCarrier, connect_carrier, create_carrier
from tests.given import codes
from tests.observe import assert_books_agree, count_statements, run_until_idle

Tick = Callable[[timedelta], None]
YTO = CarrierCode("YTO")
pytestmark = pytest.mark.settings(access_token_lives=timedelta(days=60))
KUAIDI100 = CarrierConnection.KUAIDI100
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARCEL = """status version dueAt overdueSince timeline { name status }
  returnParcel { carrier carrierName trackingNumber status givenAt takenAt deliveredAt contestedAt
    events { status message description location occurredAt } }"""
SHOWN = f"query($id: ID!) {{ ticket(id: $id) {{ {PARCEL} }} }}"


@dataclass
class FollowedCarrier(ScriptedCarrier):
    """A carrier of kuaidi100 that knows what happened to each number."""

    connection: CarrierConnection = KUAIDI100
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(tracks=True, pushes=True))
    history: dict[str, list[CarrierEvent]] = field(default_factory=dict)
    asked: list[TrackedParcel] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        self.asked.append(tracked)
        return self.history.get(tracked.tracking_number, [])

    async def subscribe(self, tracked: TrackedParcel) -> None:
        self.subscribed.append(tracked.tracking_number)


@pytest.fixture
async def carrier(shop: Shop) -> FollowedCarrier:
    async with shop.database.writes.begin() as session:
        await create_carrier(session, YTO, KUAIDI100, company_code="yuantong")
    found = FollowedCarrier()
    connect_carrier(shop, found)
    return found


async def ship(client: Client, ticket: str, number: str, carrier: str = "YTO") -> Any:
    return await client.do(command("ticketReturnShip"), id=ticket, carrier=carrier, trackingNumber=number)


def event(shop: Shop, status: S | None, text: str, ago: timedelta = timedelta()) -> CarrierEvent:
    return CarrierEvent(status, status.value if status else "", text, shop.clock() - ago, location="杭州市")


async def test_a_return_is_followed_from_its_number_to_the_warehouse(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    warehouse, ticket = await clients.staff(Role.WAREHOUSE), await agreed(case)
    await ship(case.customer, ticket, "yt 0001")
    await ask_carrier(shop, YTO)
    given = await read_ticket(SHOWN, case.customer, ticket)
    assert carrier.subscribed == ["YT0001"]
    [asked] = carrier.asked
    assert (asked.parcel.sender.name, asked.account.company_code) == ("林梅", "yuantong")
    assert given["returnParcel"] | {"givenAt": None} == {
        "carrier": "YTO",
        "carrierName": "Carrier YTO",
        "trackingNumber": "YT0001",
        "status": "PENDING",
        "givenAt": None,
        "takenAt": None,
        "deliveredAt": None,
        "contestedAt": None,
        "events": [],
    }

    tick(HOUR)
    picked_up = event(shop, S.PICKED_UP, "已揽收")
    carrier.history["YT0001"] = [picked_up]
    await ask_carrier(shop, YTO)
    tick(8 * HOUR)
    carrier.history["YT0001"] = [event(shop, S.IN_TRANSIT, "离开杭州"), picked_up, picked_up]
    await ask_carrier(shop, YTO)
    under_way = await read_ticket(SHOWN, case.customer, ticket)

    tick(8 * HOUR)
    delivered = event(shop, S.DELIVERED, "已签收")
    carrier.history["YT0001"].append(delivered)
    await ask_carrier(shop, YTO)
    arrived = await read_ticket(SHOWN, warehouse, ticket)

    assert [each["status"] for each in under_way["returnParcel"]["events"]] == ["PICKED_UP", "IN_TRANSIT"]
    assert under_way["returnParcel"]["takenAt"] == picked_up.occurred_at.isoformat()
    assert (arrived["status"], arrived["returnParcel"]["status"]) == ("RETURN_SHIPPED", "DELIVERED")
    assert event_names(arrived) == [
        "opened",
        "agreed",
        "return_shipped",
        "return_taken",
        "return_tracked",
        "return_delivered",
    ]
    async with shop.database.reads() as session:
        notices = select(Notice.facts).where(Notice.kind == NoticeKind.RETURN_ARRIVED)
        assert [set(facts) for facts in await session.scalars(notices)] == [{"number"}]
    asked_before = len(carrier.asked)
    tick(DAY)
    await ask_carrier(shop, YTO)
    assert len(carrier.asked) == asked_before
    await assert_books_agree(shop)


async def test_a_push_about_a_return_reaches_its_ticket_once(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    tick(HOUR)
    push = TrackingPush("YT0001", [event(shop, S.PICKED_UP, "已揽收")], company_code="yuantong")
    for _ in range(2):
        await shop.push_inbox.put(KUAIDI100, [push])
        await run_until_idle(shop)

    shown = await read_ticket(SHOWN, case.customer, ticket)

    assert [each["description"] for each in shown["returnParcel"]["events"]] == ["已揽收"]
    assert event_names(shown) == ["opened", "agreed", "return_shipped", "return_taken"]
    await assert_books_agree(shop)


async def test_a_return_that_no_carrier_has_had_is_told_to_its_customer_and_a_task(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    tick(5 * DAY - HOUR)
    await ask_carrier(shop, YTO)
    assert (await read_ticket(SHOWN, case.agent, ticket))["overdueSince"] is None
    tick(2 * HOUR)
    await ask_carrier(shop, YTO)
    late = await read_ticket(SHOWN, case.agent, ticket)

    carrier.history["YT0001"] = [event(shop, S.PICKED_UP, "已揽收")]
    tick(HOUR)
    await ask_carrier(shop, YTO)
    seen = await read_ticket(SHOWN, case.agent, ticket)

    assert (late["overdueSince"] is not None, seen["overdueSince"]) == (True, None)
    assert event_names(seen)[3:] == ["return_overdue", "return_taken"]
    async with shop.database.reads() as session:
        notices = select(Notice.kind).where(Notice.kind == NoticeKind.RETURN_UNSEEN)
        assert len((await session.scalars(notices)).all()) == 1
    await assert_books_agree(shop)


async def test_what_has_arrived_and_nobody_inspects_is_a_task_until_somebody_does(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    warehouse, ticket = await clients.staff(Role.WAREHOUSE), await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    tick(HOUR)
    carrier.history["YT0001"] = [event(shop, S.DELIVERED, "已签收")]
    await ask_carrier(shop, YTO)
    for _ in range(2):
        tick(3 * DAY)
        await ask_carrier(shop, YTO)
    waiting = await read_ticket(SHOWN, warehouse, ticket)
    await warehouse.do(command("ticketReturnReceive"), id=ticket, units=[case.came_back("AS_NEW")])
    await run_until_idle(shop)
    tick(3 * DAY)
    await ask_carrier(shop, YTO)
    inspected = await read_ticket(SHOWN, warehouse, ticket)

    assert event_names(waiting)[3:] == [
        "return_taken",
        "return_delivered",
        "return_overdue",
        "return_overdue",
    ]
    assert waiting["overdueSince"] is not None
    assert event_names(inspected).count("return_overdue") == 2
    await assert_books_agree(shop)


async def test_a_return_that_got_lost_is_a_task_and_no_rule_accepts_it(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    tick(HOUR)
    carrier.history["YT0001"] = [
        event(shop, S.PICKED_UP, "已揽收", HOUR / 2),
        event(shop, S.EXPIRED, "60天无变化"),
    ]
    await ask_carrier(shop, YTO)
    lost = await read_ticket(SHOWN, case.agent, ticket)
    tick(11 * DAY)
    await ask_carrier(shop, YTO)
    overdue = await read_ticket(SHOWN, case.agent, ticket)

    assert event_names(lost)[3:] == ["return_taken", "return_overdue"]
    assert (overdue["status"], event_names(overdue)[-1]) == ("RETURN_SHIPPED", "overdue")
    await assert_books_agree(shop)


async def test_a_corrected_number_is_followed_and_the_former_one_no_longer(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    await ask_carrier(shop, YTO)
    for attempt in range(2, 7):
        assert codes(await ship(case.customer, ticket, f"YT000{attempt}")) == []
    assert codes(await ship(case.customer, ticket, "YT0007")) == ["LIMIT_REACHED"]
    assert codes(await ship(case.customer, ticket, "YT0006")) == []
    assert codes(await ship(case.agent, ticket, "YT0008")) == []
    carrier.asked.clear()
    tick(2 * HOUR)
    await ask_carrier(shop, YTO)

    assert {each.tracking_number for each in carrier.asked} == {"YT0008"}
    assert (await read_ticket(SHOWN, case.customer, ticket))["returnParcel"]["trackingNumber"] == "YT0008"
    await assert_books_agree(shop)


async def test_nothing_is_asked_about_a_return_whose_ticket_has_ended(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    await ask_carrier(shop, YTO)
    await case.customer.do(command("ticketCancel"), id=ticket)
    await run_until_idle(shop)
    carrier.asked.clear()
    tick(2 * DAY)
    await ask_carrier(shop, YTO)

    assert carrier.asked == []
    assert event_names(await read_ticket(SHOWN, case.customer, ticket))[-1] == "cancelled"
    await assert_books_agree(shop)


async def test_a_number_that_two_customers_give_is_followed_for_neither_until_the_staff_decide(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    stranger = await second_case(clients, shop, case.agent)
    first, second = await agreed(stranger), await agreed(case)
    await ship(stranger.customer, first, "YT0001")
    carrier.history["YT0001"] = [event(shop, S.PICKED_UP, "已揽收")]
    await ask_carrier(shop, YTO)

    assert codes(await ship(case.customer, second, "YT0001")) == []
    carrier.asked.clear()
    tick(2 * HOUR)
    await shop.push_inbox.put(KUAIDI100, [TrackingPush("YT0001", [event(shop, S.DELIVERED, "已签收")])])
    await ask_carrier(shop, YTO)
    shown = [
        (await read_ticket(SHOWN, who, id))["returnParcel"]
        for who, id in ((stranger.customer, first), (case.customer, second))
    ]
    contested = [await read_ticket(SHOWN, case.agent, id) for id in (first, second)]
    assert (shown, carrier.asked) == ([None, None], [])
    assert [each["returnParcel"]["contestedAt"] is not None for each in contested] == [True, True]
    assert event_names(contested[1])[-1] == "return_overdue"

    await ship(case.agent, second, "YT0001")
    await ask_carrier(shop, YTO)
    mine, theirs = (
        await read_ticket(SHOWN, case.customer, second),
        await read_ticket(SHOWN, stranger.customer, first),
    )

    assert [each["status"] for each in mine["returnParcel"]["events"]] == ["PICKED_UP"]
    assert theirs["returnParcel"] is None
    assert codes(await ship(stranger.customer, first, "YT0002")) == []
    assert codes(await ship(stranger.customer, first, "YT0001")) == ["TAKEN"]
    assert (await read_ticket(SHOWN, case.customer, second))["returnParcel"] == mine["returnParcel"]
    await assert_books_agree(shop)


async def test_who_gives_a_number_that_is_somebody_elses_gets_no_money_by_silence(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    stranger = await second_case(clients, shop, case.agent)
    first, second = await agreed(stranger), await agreed(case)
    await ship(stranger.customer, first, "YT0001")
    await ship(case.customer, second, "YT0001")
    await ship(case.agent, second, "YT0001")
    tick(11 * DAY)
    await ask_carrier(shop, YTO)
    lost = await read_ticket(SHOWN, case.agent, first)

    assert (lost["status"], event_names(lost)[-1]) == ("RETURN_SHIPPED", "overdue")
    await assert_books_agree(shop)


async def test_a_number_under_which_somebody_elses_goods_have_come_is_followed_for_nobody_else(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    stranger, warehouse = await second_case(clients, shop, case.agent), await clients.staff(Role.WAREHOUSE)
    first, second = await agreed(stranger), await agreed(case)
    await ship(stranger.customer, first, "YT0001")
    tick(HOUR)
    carrier.history["YT0001"] = [event(shop, S.DELIVERED, "已签收")]
    await ask_carrier(shop, YTO)
    await warehouse.do(command("ticketReturnReceive"), id=first, units=[stranger.came_back("AS_NEW")])
    await run_until_idle(shop)

    assert codes(await ship(case.customer, second, "YT0001")) == []
    tick(11 * DAY)
    await ask_carrier(shop, YTO)
    given = await read_ticket(SHOWN, case.customer, second)
    assert (given["returnParcel"], given["status"]) == (None, "RETURN_SHIPPED")
    assert event_names(await read_ticket(SHOWN, case.agent, second))[-1] == "overdue"
    await assert_books_agree(shop)


async def test_a_number_under_which_the_own_goods_came_before_the_ticket_is_refused(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    first, warehouse = await agreed(case), await clients.staff(Role.WAREHOUSE)
    await ship(case.customer, first, "YT0001")
    tick(HOUR)
    carrier.history["YT0001"] = [event(shop, S.DELIVERED, "已签收")]
    await ask_carrier(shop, YTO)
    await warehouse.do(command("ticketReturnReceive"), id=first, units=[case.came_back("AS_NEW")])
    await run_until_idle(shop)
    tick(HOUR)
    second = await agreed(case, key="again")

    refused = await ship(case.customer, second, "YT0001")
    assert (codes(refused), refused["userErrors"][0]["field"]) == (["TAKEN"], ["trackingNumber"])
    shown = await read_ticket(SHOWN, case.customer, second)
    assert (shown["status"], shown["returnParcel"]) == ("AWAITING_RETURN", None)
    assert codes(await ship(case.customer, second, "YT0002")) == []
    await assert_books_agree(shop)


async def test_what_was_followed_is_not_accepted_by_silence_because_another_carrier_is_named(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    other = {"carrier": "OTHER", "carrierName": "Uncle Wang", "trackingNumber": "WANG1"}
    assert codes(await case.customer.do(command("ticketReturnShip"), id=ticket, **other)) == []
    tick(11 * DAY)
    await ask_carrier(shop, YTO)
    overdue = await read_ticket(SHOWN, case.agent, ticket)

    assert (overdue["status"], event_names(overdue)[-1]) == ("RETURN_SHIPPED", "overdue")
    await assert_books_agree(shop)


async def test_a_number_is_free_again_when_who_gave_it_wrongly_corrects_it(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier
) -> None:
    stranger = await second_case(clients, shop, case.agent)
    first, second = await agreed(stranger), await agreed(case)
    await ship(stranger.customer, first, "YT0001")
    await ship(case.customer, second, "YT0001")
    await ship(stranger.customer, first, "YT0002")
    await ask_carrier(shop, YTO)

    assert {each.tracking_number for each in carrier.asked} == {"YT0001", "YT0002"}
    assert (await read_ticket(SHOWN, case.customer, second))["returnParcel"]["trackingNumber"] == "YT0001"


async def test_the_number_of_a_parcel_that_the_shop_sends_later_is_never_followed_as_a_return(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    async with shop.database.writes.begin() as session:
        sent = (await session.scalars(select(Shipment).where(Shipment.order_id == case.order.id))).one()
        sent.carrier, sent.tracking_number = YTO, "YT0001"
    carrier.history["YT0001"] = [event(shop, S.OUT_FOR_DELIVERY, "正在派送")]
    tick(HOUR)
    await shop.push_inbox.put(KUAIDI100, [TrackingPush("YT0001", carrier.history["YT0001"])])
    await ask_carrier(shop, YTO)

    assert carrier.asked == []
    assert (await read_ticket(SHOWN, case.customer, ticket))["returnParcel"]["events"] == []


async def test_what_happened_before_the_ticket_is_not_shown_of_its_return(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    carrier.history["YT0001"] = [event(shop, S.DELIVERED, "已签收", 30 * DAY)]
    await ask_carrier(shop, YTO)

    parcel = (await read_ticket(SHOWN, case.customer, ticket))["returnParcel"]
    assert (parcel["status"], parcel["events"]) == ("PENDING", [])


async def test_the_goods_of_two_tickets_in_one_parcel_are_asked_about_once(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    tickets = [await agreed(case, key=f"key-{each}") for each in range(2)]
    for ticket in tickets:
        assert codes(await ship(case.customer, ticket, "YT0001")) == []
    carrier.history["YT0001"] = [event(shop, S.PICKED_UP, "已揽收")]
    await ask_carrier(shop, YTO)
    await case.customer.do(command("ticketCancel"), id=tickets[0])
    await run_until_idle(shop)
    tick(DAY)
    await ask_carrier(shop, YTO)

    assert [each.tracking_number for each in carrier.asked] == ["YT0001", "YT0001"]
    assert [event_names(await read_ticket(SHOWN, case.customer, each))[3] for each in tickets] == [
        "return_taken"
    ] * 2
    async with shop.database.reads() as session:
        assert [each.ended_at for each in await session.scalars(select(ReturnParcel))] == [None]
    await assert_books_agree(shop)


async def test_what_comes_back_is_read_in_a_constant_number_of_statements(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier
) -> None:
    document = f"{{ tickets {{ nodes {{ {PARCEL} }} }} }}"
    counts = []
    for number in range(3):
        ticket = await agreed(case, key=f"key-{number}")
        await ship(case.customer, ticket, f"YT000{number}")
        carrier.history[f"YT000{number}"] = [event(shop, S.PICKED_UP, "已揽收")]
        await ask_carrier(shop, YTO)
        await case.customer.get(document)
        with count_statements(shop) as statements:
            await case.customer.get(document)
        counts.append(statements.total)

    assert len(set(counts)) == 1


async def test_who_watches_a_ticket_sees_its_goods_come(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    warehouse, ticket = await clients.staff(Role.WAREHOUSE), await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    tick(HOUR)
    carrier.history["YT0001"] = [event(shop, S.DELIVERED, "已签收")]
    watched = """subscription($id: ID!) {
      ticketUpdates(id: $id, after: 3) { name ticket { returnParcel { status } } } }"""
    async with (
        case.customer.watch(watched, id=ticket) as updates,
        warehouse.watch("subscription { workQueue { name subject { id } } }") as work,
    ):
        await ask_carrier(shop, YTO)
        seen = [(await updates.next())["data"]["ticketUpdates"] for _ in range(2)]
        tasks = [(await work.next())["data"]["workQueue"]["name"]]

    assert [each["name"] for each in seen] == ["ticket.return_taken", "ticket.return_delivered"]
    assert seen[-1]["ticket"]["returnParcel"] == {"status": "DELIVERED"}
    assert "ticket.return_delivered" in tasks


async def test_two_workers_and_a_push_at_once_store_each_event_once(
    case: TicketCase, shop: Shop, carrier: FollowedCarrier, tick: Tick
) -> None:
    ticket = await agreed(case)
    await ship(case.customer, ticket, "YT0001")
    tick(HOUR)
    carrier.history["YT0001"] = [event(shop, S.PICKED_UP, "已揽收")]
    for _ in range(3):
        await shop.push_inbox.put(KUAIDI100, [TrackingPush("YT0001", carrier.history["YT0001"])])
    await asyncio.gather(
        *(scheduler_of(shop, YTO).run_once() for _ in range(2)),
        *(PushFolder(shop, asyncio.Event()).run_once() for _ in range(2)),
    )
    await run_until_idle(shop)
    shown = await read_ticket(SHOWN, case.customer, ticket)

    assert len(carrier.asked) == 1
    assert len(shown["returnParcel"]["events"]) == 1
    assert event_names(shown) == ["opened", "agreed", "return_shipped", "return_taken"]


async def test_of_two_customers_who_give_a_number_at_once_neither_is_followed(
    case: TicketCase, clients: Clients, shop: Shop, carrier: FollowedCarrier
) -> None:
    stranger = await second_case(clients, shop, case.agent)
    first, second = await agreed(stranger), await agreed(case)
    await asyncio.gather(ship(stranger.customer, first, "YT0001"), ship(case.customer, second, "YT0001"))
    await ask_carrier(shop, YTO)

    assert carrier.asked == []
    async with shop.database.reads() as session:
        parcels = (await session.scalars(select(ReturnParcel))).all()
    assert [each.contested_at is not None for each in parcels] == [True, True]
