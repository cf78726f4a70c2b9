"""Tracking events of parcels, and what follows for the order."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, WrongState
from domain.shipment import (
    FINAL,
    PollPlan,
    TrackingFact,
    claim_polls,
    correct_shipment,
    report_tracking_event,
)
from domain.shipment.history import EVENTS_OF_PARCEL_LIMIT
from domain.shipment.tracking import ParcelReport, add_reported_events
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    CarrierConnection,
    Event,
    FulfilmentStatus,
    Shipment,
    ShipmentStatus,
    Subject,
    TrackingEvent,
)
from tests.factories.carrier import create_carrier
from tests.factories.shipment import (
    NOW,
    RECEIPT_AFTER,
    confirmed_order,
    create_shipment,
    event_names,
    order_events,
    pack,
    send,
    track,
    tracking_fact,
)
from tests.given import current_status
from tests.observe import count_statements

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
S = ShipmentStatus
F = FulfilmentStatus


async def test_a_tracking_event_is_stored_once_however_often_it_is_reported(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await create_shipment(session)
    facts = [tracking_fact(S.PICKED_UP), tracking_fact(S.IN_TRANSIT, after=HOUR)]

    first = await track(session, shipment, *facts)
    again = await track(session, shipment, *facts)
    more = await track(session, shipment, *facts, facts[0], tracking_fact(S.OUT_FOR_DELIVERY, after=2 * HOUR))

    assert [event.status for event in first] == [S.PICKED_UP, S.IN_TRANSIT]
    assert again == []
    assert [event.status for event in more] == [S.OUT_FOR_DELIVERY]
    assert len((await session.scalars(select(TrackingEvent))).all()) == 3
    names = await event_names(session, Subject.SHIPMENT, shipment.id)
    assert names == ["shipment.packed", "shipment.dispatched", "shipment.tracked", "shipment.tracked"]
    payloads = await session.scalars(select(Event.payload).where(Event.name == "shipment.tracked"))
    assert [payload["statuses"] for payload in payloads] == [
        ["PICKED_UP", "IN_TRANSIT"],
        ["OUT_FOR_DELIVERY"],
    ]
    await session.commit()


async def test_the_latest_event_decides_the_status_whatever_order_events_are_reported_in(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await create_shipment(session)

    await track(session, shipment, tracking_fact(S.OUT_FOR_DELIVERY, after=3 * HOUR))
    await track(
        session,
        shipment,
        tracking_fact(S.PICKED_UP, after=HOUR),
        tracking_fact(S.IN_TRANSIT, after=2 * HOUR),
    )
    assert current_status(shipment) is S.OUT_FOR_DELIVERY
    await track(session, shipment, tracking_fact(S.DELIVERY_FAILED, after=4 * HOUR))
    assert current_status(shipment) is S.DELIVERY_FAILED
    assert shipment.last_event_at == NOW + 4 * HOUR
    await track(session, shipment, tracking_fact(S.EXPIRED, after=5 * HOUR))
    await track(session, shipment, tracking_fact(S.IN_TRANSIT, after=6 * HOUR))
    assert current_status(shipment) is S.IN_TRANSIT
    await session.commit()


@pytest.mark.parametrize("end", sorted(FINAL))
async def test_a_final_status_stays_whatever_is_reported_later(
    shop: Shop, session: AsyncSession, end: ShipmentStatus
) -> None:
    shipment = await send(
        session, (await pack(session, await confirmed_order(session)))[0], poll_at=NOW + HOUR
    )

    facts = tracking_fact(end, after=2 * HOUR), tracking_fact(S.IN_TRANSIT, after=3 * HOUR)
    await track(session, shipment, *facts, now=NOW + 3 * HOUR)
    assert (shipment.status, shipment.poll_at) == (end, None)
    new_events = await track(
        session,
        shipment,
        tracking_fact(S.PICKED_UP),
        tracking_fact(S.ON_HOLD, after=4 * HOUR),
        tracking_fact(S.RETURNING, after=5 * HOUR),
    )

    assert shipment.status is end
    assert len(new_events) == 3
    assert shipment.delivered_at == (NOW + 2 * HOUR if end is S.DELIVERED else None)
    await session.commit()


async def test_an_order_is_delivered_when_its_last_parcel_is(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session)
    first, second = await pack(session, order, 1, 2)
    for shipment in (first, second):
        await send(session, shipment)

    await track(session, first, tracking_fact(S.DELIVERED, after=HOUR), now=NOW + HOUR)
    assert (order.fulfilment_status, order.delivered_at) == (F.PARTIALLY_DELIVERED, None)
    assert order.receipt_due_at is None
    await track(session, second, tracking_fact(S.DELIVERED, after=2 * HOUR), now=NOW + 5 * HOUR)

    assert order.fulfilment_status is F.DELIVERED
    assert order.delivered_at == NOW + 2 * HOUR
    assert order.receipt_due_at == NOW + 2 * HOUR + RECEIPT_AFTER
    assert (await order_events(session, order))[-2:] == ["order.partially_delivered", "order.delivered"]
    assert await event_names(session, Subject.SHIPMENT, second.id) == [
        "shipment.packed",
        "shipment.dispatched",
        "shipment.tracked",
        "shipment.delivered",
    ]
    await session.commit()


async def test_an_order_whose_parcels_all_come_back_is_returned(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session)
    [shipment] = await pack(session, order)
    await send(session, shipment)

    await track(session, shipment, tracking_fact(S.RETURNED))

    assert (order.fulfilment_status, order.delivered_at) == (F.RETURNED, None)
    await session.commit()


async def test_the_staff_can_add_tracking_events(shop: Shop, session: AsyncSession) -> None:
    shipment = await create_shipment(session)
    fact = tracking_fact(S.READY_FOR_PICKUP, after=HOUR, code="BY_HAND")

    await report_tracking_event(
        session, shipment.id, fact, cause=Cause(NOW + HOUR, None), receipt_after=RECEIPT_AFTER
    )

    assert shipment.status is S.READY_FOR_PICKUP
    await session.commit()


@pytest.mark.parametrize(
    ("status", "after", "code"),
    [
        (S.PENDING, timedelta(0), "INVALID"),
        (S.DELIVERED, 2 * HOUR, "INVALID"),
        (S.DELIVERED, -HOUR, "INVALID"),
    ],
)
async def test_an_impossible_tracking_event_is_refused(
    shop: Shop, session: AsyncSession, status: ShipmentStatus, after: timedelta, code: str
) -> None:
    shipment = await create_shipment(session)

    with pytest.raises(DomainError) as refused:
        await report_tracking_event(
            session,
            shipment.id,
            tracking_fact(status, after=after),
            cause=Cause(NOW + HOUR),
            receipt_after=RECEIPT_AFTER,
        )

    assert refused.value.code == code
    assert shipment.status is S.PENDING
    assert (await session.scalars(select(TrackingEvent))).all() == []
    await session.commit()


async def test_a_parcel_that_has_not_left_takes_no_tracking_events(shop: Shop, session: AsyncSession) -> None:
    [shipment] = await pack(session, await confirmed_order(session))

    with pytest.raises(WrongState, match="This shipment has not left yet"):
        await report_tracking_event(
            session,
            shipment.id,
            tracking_fact(S.DELIVERED),
            cause=Cause(NOW),
            receipt_after=RECEIPT_AFTER,
        )
    await session.commit()


async def test_what_would_change_nothing_of_a_parcel_that_has_arrived_is_refused(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await create_shipment(session)
    await track(session, shipment, tracking_fact(S.DELIVERED))

    with pytest.raises(WrongState, match="This shipment is delivered: that stays"):
        await report_tracking_event(
            session,
            shipment.id,
            tracking_fact(S.RETURNED, after=HOUR),
            cause=Cause(NOW + HOUR),
            receipt_after=RECEIPT_AFTER,
        )

    assert shipment.status is S.DELIVERED
    assert (await session.scalars(select(TrackingEvent.status))).all() == [S.DELIVERED]
    await session.commit()


async def test_a_carrier_is_asked_by_one_process_at_a_time(shop: Shop, session: AsyncSession) -> None:
    [shipment] = await pack(session, await confirmed_order(session))
    await send(session, shipment, poll_at=NOW)
    await session.commit()

    async def process() -> list[int]:
        async with shop.database.writes.begin() as session:
            plan = PollPlan(SIMULATED_CARRIER, HOUR)
            return await claim_polls(session, [shipment.id], now=NOW, plan=plan)

    claimed = await asyncio.gather(*(process() for _ in range(4)))

    assert sorted(claimed) == [[], [], [], [shipment.id]]


async def test_a_parcel_has_not_arrived_before_it_is_reported_whatever_the_clock_of_its_carrier_says(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await create_shipment(session)

    await track(session, shipment, tracking_fact(S.DELIVERED, after=23 * HOUR), now=NOW + HOUR)

    assert (shipment.status, shipment.delivered_at) == (S.DELIVERED, NOW + HOUR)
    await session.commit()


async def test_what_a_carrier_says_again_about_the_time_before_a_correction_was_corrected(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await create_shipment(session)
    signed = tracking_fact(S.DELIVERED, after=2 * HOUR)
    await track(session, shipment, tracking_fact(S.IN_TRANSIT, after=HOUR), signed, now=NOW + 2 * HOUR)
    cause = Cause(NOW + 3 * HOUR)
    await correct_shipment(session, shipment.id, reason="Another house.", cause=cause)

    again = replace(signed, description="It was signed for.", by_carrier=True)
    await track(session, shipment, again, now=NOW + 4 * HOUR)
    assert current_status(shipment) is S.IN_TRANSIT
    assert shipment.delivered_at is None
    await track(session, shipment, tracking_fact(S.DELIVERED, after=5 * HOUR), now=NOW + 5 * HOUR)

    assert current_status(shipment) is S.DELIVERED
    arrived = await session.scalar(select(Shipment.delivered_at))
    assert arrived == NOW + 5 * HOUR
    await session.commit()


async def test_nobody_asks_about_a_parcel_that_left_by_hand_and_pushes_are_not_looked_for(
    shop: Shop, session: AsyncSession
) -> None:
    by_hand = await create_carrier(session, "HAND", CarrierConnection.MANUAL)
    pushing = await create_carrier(session, "YTO", CarrierConnection.KUAIDI100, position=4, company_code="x")
    parcels = await pack(session, await confirmed_order(session), 1, 1)
    await session.commit()

    statements = []
    for parcel, carrier in zip(parcels, (by_hand, pushing), strict=True):
        with count_statements(shop) as counted:
            sent = await send(session, parcel, carrier=carrier.code, tracking_number="N1")
        statements.append(sum("incoming_pushes" in text for text in counted.texts))
        sent.polled_at = NOW
    await session.flush()

    assert statements == [0, 1]
    assert [(each.rule, each.row) for each in await audit_books(session)] == [
        ("parcels under way are asked about", parcels[1].number)
    ]
    await session.commit()


async def test_a_parcel_has_so_many_events_and_further_ones_only_as_far_as_they_say_something_new(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await create_shipment(session)

    kept = await track(session, shipment, tracking_fact(S.PICKED_UP), *many_of_carrier(), now=NOW + DAY)
    report = ParcelReport(
        shipment,
        [
            replace(tracking_fact(S.IN_TRANSIT, after=DAY), description="Hub again", by_carrier=True),
            replace(tracking_fact(S.DELIVERED, after=DAY), by_carrier=True),
        ],
    )
    more = await add_reported_events(session, [report], cause=Cause(NOW + DAY), receipt_after=RECEIPT_AFTER)

    assert len(kept) == EVENTS_OF_PARCEL_LIMIT + 2
    assert [event.status for event in kept[:3]] == [S.PICKED_UP, S.IN_TRANSIT, S.IN_TRANSIT]
    assert kept[-1].description == f"Hub {EVENTS_OF_PARCEL_LIMIT + 9}"
    assert [event.status for event in more] == [S.DELIVERED]
    assert [fact.description for fact in report.surplus] == ["Hub again"]
    assert current_status(shipment) is S.DELIVERED
    await session.commit()


async def test_what_staff_and_couriers_report_of_a_parcel_with_too_many_events_is_stored(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await create_shipment(session)
    await track(session, shipment, *many_of_carrier(), now=NOW + DAY)

    for hours in (1, 2):
        fact = replace(tracking_fact(S.IN_TRANSIT, after=hours * HOUR), description=f"Seen {hours}.")
        await report_tracking_event(
            session, shipment.id, fact, cause=Cause(NOW + DAY), receipt_after=RECEIPT_AFTER
        )

    found = await session.scalars(select(TrackingEvent.description).order_by(TrackingEvent.id))
    assert found.all()[-2:] == ["Seen 1.", "Seen 2."]
    await session.commit()


async def test_early_reports_of_staff_take_no_room_from_the_newest_of_the_carrier(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await create_shipment(session)
    own = [replace(tracking_fact(S.IN_TRANSIT), description=f"Seen {number}.") for number in range(3)]

    kept = await track(session, shipment, *own, *many_of_carrier(), now=NOW + DAY)

    assert [event.description for event in kept[:4]] == ["Seen 0.", "Seen 1.", "Seen 2.", "Hub 10"]
    assert len(kept) == EVENTS_OF_PARCEL_LIMIT + 3
    await session.commit()


def many_of_carrier() -> list[TrackingFact]:
    """Ten events more than a parcel may have, one each minute."""
    minute = timedelta(minutes=1)
    return [
        replace(
            tracking_fact(S.IN_TRANSIT, after=number * minute), description=f"Hub {number}", by_carrier=True
        )
        for number in range(EVENTS_OF_PARCEL_LIMIT + 10)
    ]
