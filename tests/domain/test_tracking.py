"""What carriers say about parcels, and what follows for the order."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from domain.errors import DomainError, WrongState
from domain.shipment import (
    FINAL,
    claim_poll,
    report_tracking_event,
)
from events.shop import Shop
from models import (
    Event,
    FulfilmentStatus,
    Shipment,
    ShipmentStatus,
    Subject,
    TrackingEvent,
)
from tests.factories.shipment import (
    NOW,
    RECEIPT_AFTER,
    confirmed_order,
    create_shipment,
    events_of,
    orders_news,
    pack,
    said,
    send,
    track,
)

HOUR = timedelta(hours=1)
S = ShipmentStatus
F = FulfilmentStatus


def where(shipment: Shipment) -> ShipmentStatus:
    return shipment.status


async def test_a_carriers_news_are_kept_once_however_often_they_come(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        shipment = await create_shipment(session)
        news = [said(S.PICKED_UP), said(S.IN_TRANSIT, after=HOUR)]

        first = await track(session, shipment, *news)
        again = await track(session, shipment, *news)
        more = await track(session, shipment, *news, news[0], said(S.OUT_FOR_DELIVERY, after=2 * HOUR))

        assert [event.status for event in first] == [S.PICKED_UP, S.IN_TRANSIT]
        assert again == []
        assert [event.status for event in more] == [S.OUT_FOR_DELIVERY]
        assert len((await session.scalars(select(TrackingEvent))).all()) == 3
        names = await events_of(session, Subject.SHIPMENT, shipment.id)
        assert names == ["shipment.packed", "shipment.dispatched", "shipment.tracked", "shipment.tracked"]
        told = await session.scalars(select(Event.payload).where(Event.name == "shipment.tracked"))
        assert [payload["statuses"] for payload in told] == [
            ["PICKED_UP", "IN_TRANSIT"],
            ["OUT_FOR_DELIVERY"],
        ]


async def test_a_parcel_is_where_its_latest_event_says_even_when_news_come_out_of_order(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        shipment = await create_shipment(session)

        await track(session, shipment, said(S.OUT_FOR_DELIVERY, after=3 * HOUR))
        await track(session, shipment, said(S.PICKED_UP, after=HOUR), said(S.IN_TRANSIT, after=2 * HOUR))
        assert where(shipment) is S.OUT_FOR_DELIVERY
        await track(session, shipment, said(S.DELIVERY_FAILED, after=4 * HOUR))
        assert where(shipment) is S.DELIVERY_FAILED
        assert shipment.last_event_at == NOW + 4 * HOUR
        await track(session, shipment, said(S.EXPIRED, after=5 * HOUR))
        await track(session, shipment, said(S.IN_TRANSIT, after=6 * HOUR))
        assert where(shipment) is S.IN_TRANSIT


@pytest.mark.parametrize("end", sorted(FINAL))
async def test_nothing_a_carrier_says_later_takes_a_parcel_back_from_its_end(
    shop: Shop, end: ShipmentStatus
) -> None:
    async with shop.database.writes.begin() as session:
        shipment = await send(
            session, (await pack(session, await confirmed_order(session)))[0], poll_at=NOW + HOUR
        )

        await track(session, shipment, said(end, after=2 * HOUR), said(S.IN_TRANSIT, after=3 * HOUR))
        assert (shipment.status, shipment.poll_at) == (end, None)
        news = await track(
            session,
            shipment,
            said(S.PICKED_UP),
            said(S.ON_HOLD, after=4 * HOUR),
            said(S.RETURNING, after=5 * HOUR),
        )

        assert shipment.status is end
        assert len(news) == 3
        assert shipment.delivered_at == (NOW + 2 * HOUR if end is S.DELIVERED else None)


async def test_an_order_has_arrived_when_its_last_parcel_has(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await confirmed_order(session)
        first, second = await pack(session, order, 1, 2)
        for shipment in (first, second):
            await send(session, shipment)

        await track(session, first, said(S.DELIVERED, after=HOUR), now=NOW + HOUR)
        assert (order.fulfilment_status, order.delivered_at) == (F.PARTIALLY_DELIVERED, None)
        assert order.receipt_due_at is None
        await track(session, second, said(S.DELIVERED, after=2 * HOUR), now=NOW + 5 * HOUR)

        assert order.fulfilment_status is F.DELIVERED
        assert order.delivered_at == NOW + 2 * HOUR
        assert order.receipt_due_at == NOW + 2 * HOUR + RECEIPT_AFTER
        assert (await orders_news(session, order))[-2:] == ["order.partially_delivered", "order.delivered"]
        assert await events_of(session, Subject.SHIPMENT, second.id) == [
            "shipment.packed",
            "shipment.dispatched",
            "shipment.tracked",
            "shipment.delivered",
        ]


async def test_an_order_all_of_which_comes_back_is_returned(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await confirmed_order(session)
        [shipment] = await pack(session, order)
        await send(session, shipment)

        await track(session, shipment, said(S.RETURNED))

        assert (order.fulfilment_status, order.delivered_at) == (F.RETURNED, None)


async def test_our_own_people_add_to_a_parcels_story(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        shipment = await create_shipment(session)
        fact = said(S.READY_FOR_PICKUP, after=HOUR, code="BY_HAND")

        await report_tracking_event(
            session, shipment.id, fact, now=NOW + HOUR, receipt_after=RECEIPT_AFTER, by=None
        )

        assert shipment.status is S.READY_FOR_PICKUP


@pytest.mark.parametrize(
    ("status", "after", "code"),
    [
        (S.PENDING, timedelta(0), "INVALID"),
        (S.DELIVERED, 2 * HOUR, "INVALID"),
        (S.DELIVERED, -HOUR, "INVALID"),
    ],
)
async def test_nobody_adds_what_cannot_have_happened(
    shop: Shop, status: ShipmentStatus, after: timedelta, code: str
) -> None:
    async with shop.database.writes.begin() as session:
        shipment = await create_shipment(session)

        with pytest.raises(DomainError) as refused:
            await report_tracking_event(
                session, shipment.id, said(status, after=after), now=NOW + HOUR, receipt_after=RECEIPT_AFTER
            )

        assert refused.value.code == code
        assert shipment.status is S.PENDING
        assert (await session.scalars(select(TrackingEvent))).all() == []


async def test_nothing_happens_to_a_parcel_on_the_packing_table(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        [shipment] = await pack(session, await confirmed_order(session))

        with pytest.raises(WrongState, match="This shipment has not left yet"):
            await report_tracking_event(
                session, shipment.id, said(S.DELIVERED), now=NOW, receipt_after=RECEIPT_AFTER
            )


async def test_a_carrier_is_asked_by_one_process_at_a_time(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        [shipment] = await pack(session, await confirmed_order(session))
        await send(session, shipment, poll_at=NOW)

    async def process() -> bool:
        async with shop.database.writes.begin() as session:
            return await claim_poll(session, shipment.id, now=NOW, next_at=NOW + HOUR)

    claimed = await asyncio.gather(*(process() for _ in range(4)))

    assert claimed.count(True) == 1
