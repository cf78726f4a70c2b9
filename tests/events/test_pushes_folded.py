"""Pushes of carriers are stored when they come and folded afterwards: many at once, each exactly once."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import groupby

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment.booking import WaybillRequest, open_waybill
from domain.shipment.incoming import ATTEMPTS_LIMIT, EARLY_KEPT, EARLY_PAUSE, LONGEST_PAUSE
from domain.shipment.waybills import BookedFacts, record_booked
from events.shipment.folding import BATCH_WHILE_TAKING, PushFolder
from events.shipment.pushes import PushInbox, TooManyPushes
from events.shop import Shop
from gateways.carrier.protocol import CarrierEvent, TrackingPush
from models import (
    CarrierCode,
    CarrierConnection,
    IncomingPush,
    Order,
    OrderStatus,
    Shipment,
    TrackingEvent,
    UnhandledReport,
)
from models import FulfilmentStatus as F
from models import ShipmentStatus as S
from tests.factories.carrier import create_carrier
from tests.factories.shipment import confirmed_order, pack, send
from tests.journey.device import wait_until
from tests.observe import assert_books_agree, count_statements, run_until_idle

Tick = Callable[[timedelta], None]
KUAIDI100 = CarrierConnection.KUAIDI100
YTO = CarrierCode("YTO")


async def send_parcels(shop: Shop, *numbers: str) -> list[Shipment]:
    """Parcels of an order each, on their way by a carrier of kuaidi100."""
    async with shop.database.writes.begin() as session:
        await create_carrier(session, YTO, KUAIDI100, company_code="yuantong")
        now = shop.clock()
        packed = [(await pack(session, await confirmed_order(session, now=now), now=now))[0] for _ in numbers]
        return [
            await send(session, shipment, carrier=YTO, tracking_number=number, now=now)
            for shipment, number in zip(packed, numbers, strict=True)
        ]


def step(shop: Shop, hours: int, status: S | None, code: str = "x") -> CarrierEvent:
    return CarrierEvent(status, code, f"step {hours}", shop.clock() + timedelta(hours=hours))


def push_of(shop: Shop, number: str, *statuses: S | None) -> TrackingPush:
    """A history with an event each hour."""
    events = [step(shop, hour, status) for hour, status in enumerate(statuses)]
    return TrackingPush(number, events, company_code="yuantong")


async def put(shop: Shop, *pushes: TrackingPush) -> None:
    await asyncio.gather(*(shop.push_inbox.put(KUAIDI100, [push]) for push in pushes))


def folder_of(shop: Shop) -> PushFolder:
    return PushFolder(shop, asyncio.Event())


async def waiting(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count(IncomingPush.id))) or 0


async def statuses_of(shop: Shop, shipments: Sequence[Shipment]) -> list[tuple[S, int]]:
    """The status and the number of events of each parcel."""
    async with shop.database.reads() as session:
        found = await session.execute(
            select(Shipment.status, func.count(TrackingEvent.id))
            .outerjoin(TrackingEvent, TrackingEvent.shipment_id == Shipment.id)
            .where(Shipment.id.in_([shipment.id for shipment in shipments]))
            .group_by(Shipment.id)
            .order_by(Shipment.id)
        )
        return [(status, count) for status, count in found]


@pytest.mark.usefixtures("audit_at_end")
async def test_pushes_that_come_together_are_folded_in_a_constant_number_of_statements(shop: Shop) -> None:
    counted = []
    for many in (2, 20):
        numbers = [f"{many}-{number}" for number in range(many)]
        shipments = await send_parcels(shop, *numbers) if many == 2 else await send_more(shop, *numbers)
        ends = [S.DELIVERED if index % 2 else S.IN_TRANSIT for index in range(many)]
        await put(shop, *(push_of(shop, number, S.PICKED_UP, None) for number in numbers))
        await folder_of(shop).run_once()
        pushes = [
            push_of(shop, number, S.PICKED_UP, S.IN_TRANSIT, end)
            for number, end in zip(numbers, ends, strict=True)
        ]
        unknown = [push_of(shop, f"unknown {number}", S.PICKED_UP) for number in numbers]
        with count_statements(shop) as stored:
            await put(shop, *pushes, *unknown)
        with count_statements(shop) as folded:
            assert await folder_of(shop).run_once() == 2 * many
        assert await statuses_of(shop, shipments) == [(end, 3) for end in ends]
        # what waits is counted now and then, and SQLite inserts rows one by one where their ids are asked for
        inserts = [text for text in stored.texts if text.startswith("INSERT")]
        counted.append((len(inserts), len([*groupby(folded.texts)])))

    assert counted[0] == counted[1]
    assert counted[0] == (1, 30)
    assert await waiting(shop) == 0


async def send_more(shop: Shop, *numbers: str) -> list[Shipment]:
    async with shop.database.writes.begin() as session:
        now = shop.clock()
        return [
            await send(
                session,
                (await pack(session, await confirmed_order(session, now=now), now=now))[0],
                carrier=YTO,
                tracking_number=number,
                now=now,
            )
            for number in numbers
        ]


async def test_a_process_that_takes_pushes_folds_fewer_of_them_at_once(shop: Shop) -> None:
    batches = []
    for takes in (True, False):
        await put(shop, *(push_of(shop, f"YT{number}", None) for number in range(BATCH_WHILE_TAKING + 1)))
        has_stored = asyncio.Event()
        if takes:
            has_stored.set()
        with count_statements(shop) as statements:
            folding = asyncio.create_task(PushFolder(shop, has_stored).run())
            await wait_until("all pushes are folded", lambda: nothing_waits(shop))
            folding.cancel()
            await asyncio.gather(folding, return_exceptions=True)
        batches.append(sum(text.startswith("DELETE FROM incoming_pushes") for text in statements.texts))

    assert batches == [2, 1]


async def nothing_waits(shop: Shop) -> bool:
    return await waiting(shop) == 0


@pytest.mark.usefixtures("audit_at_end")
async def test_what_is_pushed_twice_is_stored_once_and_the_order_follows(shop: Shop) -> None:
    [shipment] = await send_parcels(shop, "YT1")
    delivered = push_of(shop, "YT1", S.PICKED_UP, S.OUT_FOR_DELIVERY, S.DELIVERED)

    await put(shop, delivered, push_of(shop, "YT1", S.PICKED_UP), delivered)
    assert await folder_of(shop).run_once() == 3
    await put(shop, delivered)
    assert await folder_of(shop).run_once() == 1
    assert await folder_of(shop).run_once() == 0

    assert await statuses_of(shop, [shipment]) == [(S.DELIVERED, 3)]
    async with shop.database.reads() as session:
        order = await session.get_one(Order, shipment.order_id)
    assert (order.fulfilment_status, order.status) == (F.DELIVERED, OrderStatus.CONFIRMED)


@pytest.mark.usefixtures("audit_at_end")
async def test_processes_share_what_waits_and_fold_each_push_once(shop: Shop) -> None:
    numbers = [f"YT{number}" for number in range(40)]
    shipments = await send_parcels(shop, *numbers)
    for _ in range(6):
        await put(shop, *(push_of(shop, number, S.PICKED_UP, S.IN_TRANSIT) for number in numbers))

    async def fold_until_empty() -> int:
        folder, folded = folder_of(shop), 0
        while await waiting(shop):
            folded += await folder.run_once()
        return folded

    folded = await asyncio.gather(*(fold_until_empty() for _ in range(4)))

    assert sum(folded) == 240
    assert await statuses_of(shop, shipments) == [(S.IN_TRANSIT, 2)] * 40


async def test_a_push_that_cannot_be_folded_holds_nobody_up_and_ends_as_a_report(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    shipments = await send_parcels(shop, "YT1", "YT2")
    await put(shop, push_of(shop, "YT1", S.PICKED_UP), push_of(shop, "YT2", S.PICKED_UP))
    broken = update(IncomingPush).where(IncomingPush.tracking_number == "YT1")
    await session.execute(broken.values(content='{"events": 1}'))
    await session.commit()

    assert await folder_of(shop).run_once() == 1
    assert await statuses_of(shop, shipments) == [(S.PENDING, 0), (S.PICKED_UP, 1)]
    await put(shop, push_of(shop, "YT2", S.PICKED_UP, S.IN_TRANSIT))
    assert (await folder_of(shop).run_once(), await waiting(shop)) == (1, 1)
    for _ in range(ATTEMPTS_LIMIT - 1):
        tick(LONGEST_PAUSE)
        assert await folder_of(shop).run_once() == 0

    [report] = await session.scalars(select(UnhandledReport))
    assert (report.kind, report.tracking_number, report.times) == ("NOT_FOLDED", "YT1", 1)
    assert report.detail == 'UnreadableContent: {"events": 1}'
    assert await waiting(shop) == 0
    await session.commit()


async def test_a_push_that_failed_once_is_folded_later(shop: Shop, session: AsyncSession, tick: Tick) -> None:
    [shipment] = await send_parcels(shop, "YT1")
    await put(shop, push_of(shop, "YT1", S.PICKED_UP))
    content = await session.scalar(select(IncomingPush.content))
    await session.execute(update(IncomingPush).values(content="{"))
    await session.commit()
    assert await folder_of(shop).run_once() == 0
    await session.execute(update(IncomingPush).values(content=content))
    await session.commit()

    assert await folder_of(shop).run_once() == 0
    tick(timedelta(seconds=2))

    assert await folder_of(shop).run_once() == 1
    assert await statuses_of(shop, [shipment]) == [(S.PICKED_UP, 1)]


async def test_while_too_many_wait_further_ones_are_to_come_again(shop: Shop) -> None:
    shipments = await send_parcels(shop, "YT1")
    settings = shop.settings.carriers.model_copy(update={"waiting_pushes": 2})
    inbox = PushInbox(shop.database, shop.clock, settings)
    for _ in range(2):
        await inbox.put(KUAIDI100, [push_of(shop, "YT1", S.PICKED_UP)])

    with pytest.raises(TooManyPushes):
        await inbox.put(KUAIDI100, [push_of(shop, "YT1", S.PICKED_UP, S.IN_TRANSIT)])
    assert await waiting(shop) == 2
    await folder_of(shop).run_once()
    inbox.counted_at = float("-inf")
    await inbox.put(KUAIDI100, [push_of(shop, "YT1", S.PICKED_UP, S.IN_TRANSIT)])
    await folder_of(shop).run_once()

    assert await statuses_of(shop, shipments) == [(S.IN_TRANSIT, 2)]


async def test_numbers_and_texts_that_no_database_stores_are_stored_cleaned(
    shop: Shop, session: AsyncSession
) -> None:
    [shipment] = await send_parcels(shop, "YT1")
    odd = CarrierEvent(None, "9\x00", "a\x00b", shop.clock(), location="\x00")
    await put(shop, TrackingPush("YT\x001", [odd]), TrackingPush("Y" * 5_000, [odd]))

    assert await folder_of(shop).run_once() == 2

    [event] = await session.scalars(select(TrackingEvent))
    assert (event.shipment_id, event.code, event.description) == (shipment.id, "9", "ab")
    [code, unknown] = await session.scalars(select(UnhandledReport).order_by(UnhandledReport.kind))
    assert (code.detail, unknown.tracking_number) == ("9", "Y" * 200)
    await session.commit()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
async def test_a_parcel_that_somebody_else_is_changing_is_left_for_the_next_time(
    shop: Shop, session: AsyncSession
) -> None:
    shipments = await send_parcels(shop, "YT1", "YT2")
    await put(shop, *(push_of(shop, number, S.PICKED_UP) for number in ("YT1", "YT2")))

    await session.execute(select(Order.id).where(Order.id == shipments[0].order_id).with_for_update())
    assert await folder_of(shop).run_once() == 1
    assert await statuses_of(shop, shipments) == [(S.PENDING, 0), (S.PICKED_UP, 1)]
    await session.commit()

    assert await folder_of(shop).run_once() == 1
    assert await statuses_of(shop, shipments) == [(S.PICKED_UP, 1), (S.PICKED_UP, 1)]


async def test_what_is_pushed_is_relayed_with_everything_that_is_due(shop: Shop) -> None:
    [shipment] = await send_parcels(shop, "YT1")
    await put(shop, push_of(shop, "YT1", S.DELIVERED))

    await run_until_idle(shop)

    assert await statuses_of(shop, [shipment]) == [(S.DELIVERED, 1)]
    await assert_books_agree(shop)


async def book_parcel(shop: Shop, number: str) -> Shipment:
    """A parcel that waits to leave with the number of a waybill."""
    async with shop.database.writes.begin() as session:
        yto, now = await create_carrier(session, YTO, KUAIDI100, company_code="yuantong"), shop.clock()
        [shipment] = await pack(session, await confirmed_order(session, now=now), now=now)
        request = WaybillRequest([shipment.id])
        waybill = await open_waybill(session, request, yto.code, cause=Cause(now))
        await record_booked(session, waybill.id, BookedFacts(number), now=now)
        return shipment


@pytest.mark.usefixtures("audit_at_end")
async def test_what_is_pushed_of_a_booked_parcel_before_it_leaves_is_folded_when_it_leaves(
    shop: Shop, tick: Tick
) -> None:
    shipment = await book_parcel(shop, "YT1")
    await put(shop, push_of(shop, "YT1", S.PICKED_UP), push_of(shop, "YT2", S.PICKED_UP))

    assert await folder_of(shop).run_once() == 1
    tick(EARLY_PAUSE)
    assert (await folder_of(shop).run_once(), await waiting(shop)) == (0, 1)
    async with shop.database.writes.begin() as session:
        await send(session, shipment, carrier=YTO, tracking_number="YT1", now=shop.clock())
    assert await folder_of(shop).run_once() == 1

    assert (await statuses_of(shop, [shipment]), await waiting(shop)) == ([(S.PICKED_UP, 1)], 0)


async def test_a_push_of_a_booked_parcel_that_never_leaves_becomes_a_report(shop: Shop, tick: Tick) -> None:
    await book_parcel(shop, "YT1")
    await put(shop, push_of(shop, "YT1", S.PICKED_UP))

    assert await folder_of(shop).run_once() == 0
    tick(EARLY_KEPT)
    assert await folder_of(shop).run_once() == 1

    async with shop.database.reads() as session:
        [report] = await session.scalars(select(UnhandledReport))
    assert (report.kind, report.tracking_number) == ("UNKNOWN_PARCEL", "YT1")
