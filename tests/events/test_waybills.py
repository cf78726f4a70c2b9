"""A waybill is asked for once: what was not answered is asked after."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import Invalid, LimitReached
from domain.order import cancel_order
from domain.shipment import CarrierRefusal, CarrierUnavailable, dispatch_shipment, unpack_shipment
from domain.shipment.booking import WaybillRequest, open_waybill
from domain.shipment.waybills import (
    ANSWER_EXPECTED_WITHIN,
    ANSWERED_WITHIN,
    LONGEST_PAUSE,
    UNKNOWN_AFTER,
    BookedFacts,
    cancel_waybills_of_order,
    give_up,
    record_booked,
    record_cancelled,
)
from events.jobs.carrier_queues import CarrierQueues, scheduler_of
from events.shipment.booking import book_waybill
from events.shop import Shop
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierError,
    CarrierEvent,
    CarrierNotReached,
    CarrierRefused,
    Label,
    TrackedParcel,
)
from gateways.circuit import FAILURES_LIMIT
from gateways.measured import queue_of
from models import (
    SIMULATED_CARRIER,
    Carrier,
    CarrierChoice,
    CarrierCode,
    CarrierConnection,
    LabelFormat,
    OrderStatus,
    PaymentMethod,
    Shipment,
    Waybill,
    WaybillStatus,
)
from tests.factories.carrier import (
    ScriptedCarrier,
    connect_carrier,
    create_carrier,
    create_carrier_rule,
)
from tests.factories.order import create_order
from tests.factories.shipment import confirmed_order, pack, send
from tests.observe import run_until_idle

Tick = Callable[[timedelta], None]
W = WaybillStatus
SF = CarrierCode("SF")


async def packed(session: AsyncSession, shop: Shop, *units: int) -> list[Shipment]:
    """Parcels that wait to leave, and two carriers: the simulated one and SF."""
    await create_carrier(session, SF, CarrierConnection.SF_EXPRESS)
    shipments = await pack(
        session, await confirmed_order(session, now=shop.clock()), *units, now=shop.clock()
    )
    await session.commit()
    return shipments


async def carriers(shop: Shop, *codes: CarrierCode) -> Sequence[Carrier]:
    async with shop.database.reads() as session:
        found = {row.code: row for row in await session.scalars(select(Carrier))}
    return [found[code] for code in codes]


async def book(shop: Shop, shipment: Shipment, *codes: CarrierCode) -> Waybill:
    asked = await carriers(shop, *codes)
    return await book_waybill(
        shop, asked, WaybillRequest([shipment.id], CarrierChoice.TURN), cause=Cause(shop.clock())
    )


async def waybills(shop: Shop) -> list[tuple[str, str, str, str | None, str | None]]:
    """Carrier, choice, status, number and reason of all waybills, the first one first."""
    async with shop.database.reads() as session:
        return [
            (row.carrier, row.choice.value, row.status.value, row.number, row.reason)
            for row in await session.scalars(select(Waybill).order_by(Waybill.id))
        ]


async def test_a_booked_waybill_is_kept_with_its_label_and_used_when_the_parcel_leaves(
    shop: Shop, session: AsyncSession
) -> None:
    [shipment] = await packed(session, shop, 1)
    label = Label(LabelFormat.PDF, b"%PDF-1.7")
    carrier = ScriptedCarrier([BookedWaybill("N1", ["N2"], label)])
    connect_carrier(shop, carrier)

    first, again = (
        await book(shop, shipment, SIMULATED_CARRIER),
        await book(shop, shipment, SIMULATED_CARRIER),
    )
    async with shop.database.writes.begin() as write:
        sent = await dispatch_shipment(
            write, shipment.id, carrier=SIMULATED_CARRIER, tracking_number="N1", cause=Cause(shop.clock())
        )

    assert first.id == again.id
    assert len(carrier.bookings) == 1
    async with shop.database.reads() as read:
        kept = (await read.execute(select(Waybill.children, Waybill.label_format, Waybill.label))).one()
    assert tuple(kept) == (["N2"], LabelFormat.PDF, b"%PDF-1.7")
    assert sent.tracking_number == "N1"
    assert await waybills(shop) == [("SIMULATED", "TURN", "BOOKED", "N1", None)]


async def test_a_booking_whose_answer_did_not_come_is_asked_after_and_not_made_again(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    [shipment] = await packed(session, shop, 1)
    carrier = ScriptedCarrier()
    connect_carrier(shop, carrier)
    connect_carrier(shop, ScriptedCarrier([BookedWaybill("S1")], connection=CarrierConnection.SF_EXPRESS))

    with pytest.raises(CarrierUnavailable):
        await book(shop, shipment, SIMULATED_CARRIER, SF)
    assert await waybills(shop) == [("SIMULATED", "TURN", "REQUESTED", None, "no answer")]
    carrier.booked[carrier.bookings[0].reference] = BookedWaybill("N1")
    tick(timedelta(minutes=2))
    await run_until_idle(shop)

    assert await waybills(shop) == [("SIMULATED", "TURN", "BOOKED", "N1", None)]
    assert len(carrier.bookings) == 1
    assert (await book(shop, shipment, SIMULATED_CARRIER, SF)).number == "N1"
    assert len(carrier.bookings) == 1


async def test_a_process_that_dies_while_it_waits_leaves_a_waybill_that_is_asked_after(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    [shipment] = await packed(session, shop, 1)

    class Dying(ScriptedCarrier):
        async def book(self, booking: Booking) -> BookedWaybill:
            self.booked[booking.reference] = BookedWaybill("N1")
            raise asyncio.CancelledError

    dying = Dying()
    connect_carrier(shop, dying)
    with pytest.raises(asyncio.CancelledError):
        await book(shop, shipment, SIMULATED_CARRIER)
    await run_until_idle(shop)
    assert await waybills(shop) == [("SIMULATED", "TURN", "REQUESTED", None, None)]
    tick(timedelta(minutes=1))
    await run_until_idle(shop)

    assert await waybills(shop) == [("SIMULATED", "TURN", "BOOKED", "N1", None)]


async def test_a_booking_that_was_cut_off_is_asked_after_by_whoever_asks_next_and_not_made_again(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    [shipment] = await packed(session, shop, 1)

    class CutOff(ScriptedCarrier):
        async def book(self, booking: Booking) -> BookedWaybill:
            await super().book(booking)
            raise asyncio.CancelledError

    carrier = CutOff([BookedWaybill("N1"), BookedWaybill("N2")])
    connect_carrier(shop, carrier)
    with pytest.raises(asyncio.CancelledError):
        await book(shop, shipment, SIMULATED_CARRIER)
    tick(ANSWER_EXPECTED_WITHIN)

    booked = await book(shop, shipment, SIMULATED_CARRIER)

    assert (booked.number, booked.calls) == ("N1", 1)
    assert len(carrier.bookings) == 1


async def test_a_carrier_that_is_not_reached_after_a_booking_was_cut_off_is_not_passed_over(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    [shipment] = await packed(session, shop, 1)

    class CutOff(ScriptedCarrier):
        async def book(self, booking: Booking) -> BookedWaybill:
            self.bookings.append(booking)
            raise asyncio.CancelledError

        async def find_booking(self, booking: Booking) -> BookedWaybill | None:
            raise CarrierNotReached("no connection")

    carrier = CutOff()
    other = ScriptedCarrier([BookedWaybill("S1")], connection=CarrierConnection.SF_EXPRESS)
    connect_carrier(shop, carrier)
    connect_carrier(shop, other)
    with pytest.raises(asyncio.CancelledError):
        await book(shop, shipment, SIMULATED_CARRIER, SF)
    tick(ANSWER_EXPECTED_WITHIN)

    with pytest.raises(CarrierUnavailable):
        await book(shop, shipment, SIMULATED_CARRIER, SF)

    assert (len(carrier.bookings), other.bookings) == (1, [])
    assert await waybills(shop) == [("SIMULATED", "TURN", "REQUESTED", None, "no connection")]


async def test_a_booking_of_which_its_carrier_cannot_say_what_became_is_for_people_after_a_day(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    first, second = await packed(session, shop, 1, 1)

    class Forgetful(ScriptedCarrier):
        async def find_booking(self, booking: Booking) -> BookedWaybill | None:
            raise CarrierError("it cannot be asked")

    carrier = Forgetful(capabilities=Capabilities(books=True, cancels=True, many_parcels=True))
    other = ScriptedCarrier([BookedWaybill("S1")], connection=CarrierConnection.SF_EXPRESS)
    connect_carrier(shop, carrier)
    connect_carrier(shop, other)
    with pytest.raises(CarrierUnavailable):
        await book_together(shop, [first, second], SIMULATED_CARRIER)

    tick(ANSWERED_WITHIN - timedelta(minutes=1))
    await run_until_idle(shop)
    assert [status for _, _, status, *_ in await waybills(shop)] == ["REQUESTED", "REQUESTED"]
    tick(LONGEST_PAUSE)
    with pytest.raises(CarrierUnavailable):
        await book(shop, first, SIMULATED_CARRIER, SF)

    ended = ("SIMULATED", "STAFF", "CANCEL_REFUSED", None, "it cannot be asked")
    assert await waybills(shop) == [ended, ended]
    assert (len(carrier.bookings), other.bookings) == (1, [])


async def test_a_booking_of_which_its_carrier_refuses_to_say_what_became_is_never_left_to_the_next(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    asked_by_staff, asked_by_shop = await packed(session, shop, 1, 1)

    class Secretive(ScriptedCarrier):
        async def find_booking(self, booking: Booking) -> BookedWaybill | None:
            raise CarrierRefused("asked too late")

    carrier = Secretive()
    other = ScriptedCarrier([BookedWaybill("S1")], connection=CarrierConnection.SF_EXPRESS)
    connect_carrier(shop, carrier)
    connect_carrier(shop, other)
    for shipment in (asked_by_staff, asked_by_shop):
        with pytest.raises(CarrierUnavailable):
            await book(shop, shipment, SIMULATED_CARRIER, SF)

    tick(UNKNOWN_AFTER)
    with pytest.raises(CarrierUnavailable):
        await book(shop, asked_by_staff, SIMULATED_CARRIER, SF)
    await run_until_idle(shop)

    ended = ("SIMULATED", "TURN", "CANCEL_REFUSED", None, "asked too late")
    assert await waybills(shop) == [ended, ended]
    assert (len(carrier.bookings), other.bookings) == (2, [])


async def test_a_booking_that_the_carrier_never_had_ends_after_a_while(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    [shipment] = await packed(session, shop, 1)
    connect_carrier(shop, ScriptedCarrier())
    with pytest.raises(CarrierUnavailable):
        await book(shop, shipment, SIMULATED_CARRIER)

    tick(timedelta(minutes=1))
    await run_until_idle(shop)
    assert [status for _, _, status, *_ in await waybills(shop)] == ["REQUESTED"]
    tick(UNKNOWN_AFTER)
    await run_until_idle(shop)

    assert await waybills(shop) == [
        ("SIMULATED", "TURN", "REFUSED", None, "The carrier knows nothing of it.")
    ]


@pytest.mark.parametrize("failure", [CarrierRefused("too heavy"), CarrierNotReached("no connection")])
async def test_a_carrier_that_certainly_booked_nothing_leaves_the_parcel_to_the_next_and_both_say_why(
    shop: Shop, session: AsyncSession, failure: Exception
) -> None:
    [shipment] = await packed(session, shop, 1)
    connect_carrier(shop, ScriptedCarrier([failure]))
    connect_carrier(shop, ScriptedCarrier([BookedWaybill("S1")], connection=CarrierConnection.SF_EXPRESS))

    booked = await book(shop, shipment, SIMULATED_CARRIER, SF)

    assert booked.number == "S1"
    assert await waybills(shop) == [
        ("SIMULATED", "TURN", "REFUSED", None, str(failure)),
        ("SF", "NEXT", "BOOKED", "S1", None),
    ]


async def test_a_parcel_that_no_carrier_takes_stays_where_it_is(shop: Shop, session: AsyncSession) -> None:
    [shipment] = await packed(session, shop, 1)
    connect_carrier(shop, ScriptedCarrier([CarrierRefused("too heavy")]))

    with pytest.raises(CarrierRefusal, match="too heavy"):
        await book(shop, shipment, SIMULATED_CARRIER)

    assert (await session.get_one(Shipment, shipment.id, populate_existing=True)).dispatched_at is None
    await session.commit()


async def test_a_carrier_that_has_not_answered_for_some_time_is_passed_over(
    shop: Shop, session: AsyncSession
) -> None:
    [shipment] = await packed(session, shop, 1)
    connect_carrier(shop, ScriptedCarrier([BookedWaybill("N1")]))
    connect_carrier(shop, ScriptedCarrier([BookedWaybill("S1")], connection=CarrierConnection.SF_EXPRESS))
    breaker = shop.calls.breakers[queue_of(SIMULATED_CARRIER)]
    for _ in range(FAILURES_LIMIT):
        breaker.leave(answered=False)

    assert (await book(shop, shipment, SIMULATED_CARRIER, SF)).number == "S1"


async def test_choosing_another_carrier_cancels_what_the_first_one_has(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    [shipment] = await packed(session, shop, 1)
    first = ScriptedCarrier()
    connect_carrier(shop, first)
    connect_carrier(shop, ScriptedCarrier([BookedWaybill("S1")], connection=CarrierConnection.SF_EXPRESS))
    with pytest.raises(CarrierUnavailable):
        await book(shop, shipment, SIMULATED_CARRIER)
    first.booked[first.bookings[0].reference] = BookedWaybill("N1")

    await book(shop, shipment, SF)
    await run_until_idle(shop)

    assert first.cancelled == ["N1"]
    assert [(carrier, status) for carrier, _, status, *_ in await waybills(shop)] == [
        ("SIMULATED", "CANCELLED"),
        ("SF", "BOOKED"),
    ]


async def test_a_parcel_that_leaves_by_another_number_has_its_waybill_cancelled(
    shop: Shop, session: AsyncSession
) -> None:
    [shipment] = await packed(session, shop, 1)
    carrier = ScriptedCarrier([BookedWaybill("N1")], cancel_answer=CarrierRefused("collected"))
    connect_carrier(shop, carrier)
    await book(shop, shipment, SIMULATED_CARRIER)

    await send(session, shipment, carrier=SF, tracking_number="S9", now=shop.clock())
    await session.commit()
    await run_until_idle(shop)

    assert await waybills(shop) == [("SIMULATED", "TURN", "CANCEL_REFUSED", "N1", "collected")]


async def test_an_unpacked_parcel_and_a_cancelled_order_have_their_waybills_cancelled(
    shop: Shop, session: AsyncSession
) -> None:
    unpacked, kept = await packed(session, shop, 1, 1)
    carrier = ScriptedCarrier([BookedWaybill("N1"), BookedWaybill("N2")])
    connect_carrier(shop, carrier)
    await book(shop, unpacked, SIMULATED_CARRIER)
    await book(shop, kept, SIMULATED_CARRIER)

    async with shop.database.writes.begin() as write:
        await unpack_shipment(write, unpacked.id, cause=Cause(shop.clock()))
    await run_until_idle(shop)
    assert carrier.cancelled == ["N1"]
    async with shop.database.writes.begin() as write:
        await cancel_order(write, kept.order_id, reason="changed my mind", cause=Cause(shop.clock()))
    await run_until_idle(shop)

    assert carrier.cancelled == ["N1", "N2"]
    assert [status for _, _, status, *_ in await waybills(shop)] == ["CANCELLED", "CANCELLED"]


async def test_a_reference_is_never_used_for_a_second_waybill(shop: Shop, session: AsyncSession) -> None:
    [shipment] = await packed(session, shop, 1)
    carrier = ScriptedCarrier([BookedWaybill("N1"), BookedWaybill("N2")])
    connect_carrier(shop, carrier)
    connect_carrier(shop, ScriptedCarrier([BookedWaybill("S1")], connection=CarrierConnection.SF_EXPRESS))

    for code in (SIMULATED_CARRIER, SF, SIMULATED_CARRIER):
        await book(shop, shipment, code)
    await run_until_idle(shop)

    assert [each.reference for each in carrier.bookings] == [shipment.number, f"{shipment.number}-3"]
    assert carrier.cancelled == ["N1"]


async def test_a_carrier_that_hangs_delays_no_other_carrier(shop: Shop, session: AsyncSession) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    class Hanging(ScriptedCarrier):
        async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
            asked.set()
            await go.wait()
            return []

    first, second = await packed(session, shop, 1, 1)
    other = ScriptedCarrier(events=[], connection=CarrierConnection.SF_EXPRESS)
    connect_carrier(shop, Hanging())
    connect_carrier(shop, other)
    await send(session, first, poll_at=shop.clock(), now=shop.clock())
    await send(session, second, carrier=SF, poll_at=shop.clock(), now=shop.clock())
    await session.commit()

    waiting = asyncio.create_task(scheduler_of(shop, SIMULATED_CARRIER).run_once())
    await asked.wait()
    assert await scheduler_of(shop, SF).run_once() == 1

    assert not waiting.done()
    go.set()
    await waiting


async def test_a_carrier_that_is_added_while_the_shop_runs_gets_a_queue(
    shop: Shop, session: AsyncSession
) -> None:
    started: list[Coroutine[Any, Any, None]] = []
    queues = CarrierQueues(shop, started.append)

    await queues.start_new()
    assert queues.started == {SIMULATED_CARRIER}
    await create_carrier(session, SF, CarrierConnection.SF_EXPRESS)
    await create_carrier(session, "BY_HAND")
    await session.commit()
    await queues.start_new()
    await queues.start_new()

    assert queues.started == {SIMULATED_CARRIER, SF}
    assert len(started) == 2
    for job in started:
        job.close()


async def test_two_clerks_who_choose_at_once_leave_one_waybill(shop: Shop, session: AsyncSession) -> None:
    [shipment] = await packed(session, shop, 1)
    first = ScriptedCarrier([BookedWaybill("N1")] * 8)
    second = ScriptedCarrier([BookedWaybill("S1")] * 8, connection=CarrierConnection.SF_EXPRESS)
    connect_carrier(shop, first)
    connect_carrier(shop, second)

    turns = [SIMULATED_CARRIER, SF] * 4
    await asyncio.gather(*(book(shop, shipment, code) for code in turns), return_exceptions=True)
    await run_until_idle(shop)

    found = await waybills(shop)
    assert [status for _, _, status, *_ in found].count("BOOKED") == 1
    assert {status for _, _, status, *_ in found} <= {"BOOKED", "CANCELLED"}


async def test_a_parcel_is_not_asked_about_more_often_than_its_carrier_allows(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    asked: list[timedelta] = []
    began = shop.clock()

    class Counting(ScriptedCarrier):
        async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
            asked.append(shop.clock() - began)
            return []

    await create_carrier(session, "YTO", CarrierConnection.KUAIDI100, company_code="yuantong")
    [shipment] = await pack(session, await confirmed_order(session, now=shop.clock()), now=shop.clock())
    await send(session, shipment, carrier=CarrierCode("YTO"), poll_at=shop.clock(), now=shop.clock())
    await session.commit()
    connect_carrier(shop, Counting(connection=CarrierConnection.KUAIDI100))

    for _ in range(24 * 60 // 10):
        await scheduler_of(shop, CarrierCode("YTO")).run_once()
        async with shop.database.writes.begin() as write:
            (await write.get_one(Shipment, shipment.id)).poll_at = shop.clock()  # whoever wants to know now
        tick(timedelta(minutes=10))

    assert len(asked) == 36
    assert all(later - earlier >= timedelta(minutes=31) for earlier, later in pairwise(asked))


async def test_an_error_that_is_no_answer_counts_for_the_breaker_of_this_carrier_only(
    shop: Shop, session: AsyncSession
) -> None:
    shipments = await packed(session, shop, 1, 1)
    connect_carrier(shop, ScriptedCarrier([CarrierError("gone")]))

    with pytest.raises(CarrierUnavailable):
        await book(shop, shipments[0], SIMULATED_CARRIER)

    assert shop.calls.breakers[queue_of(SIMULATED_CARRIER)].failures == 1
    assert shop.calls.breakers[queue_of(SF)].failures == 0


async def book_together(shop: Shop, shipments: Sequence[Shipment], code: CarrierCode) -> Waybill:
    request = WaybillRequest([each.id for each in shipments], CarrierChoice.STAFF)
    return await book_waybill(shop, await carriers(shop, code), request, cause=Cause(shop.clock()))


def carrier_of_several(*answers: BookedWaybill | Exception) -> ScriptedCarrier:
    can = Capabilities(books=True, cancels=True, tracks=True, many_parcels=True)
    return ScriptedCarrier(list(answers), capabilities=can)


async def test_parcels_that_go_along_have_numbers_of_their_own_on_one_waybill(
    shop: Shop, session: AsyncSession
) -> None:
    first, second, third = await packed(session, shop, 1, 1, 1)
    carrier = carrier_of_several(BookedWaybill("M", ["M-1", "M-2"], Label(LabelFormat.PDF, b"%PDF")))
    connect_carrier(shop, carrier)

    mother = await book_together(shop, [second, first, third], SIMULATED_CARRIER)
    again = await book_together(shop, [second, first, third], SIMULATED_CARRIER)
    child = await book(shop, third, SIMULATED_CARRIER)

    assert (mother.number, again.id, child.number, child.mother_id) == ("M", mother.id, "M-2", mother.id)
    [booking] = carrier.bookings
    assert [each.number for each in booking.parcels] == [second.number, first.number, third.number]
    assert [(status, number) for _, _, status, number, _ in await waybills(shop)] == [
        ("BOOKED", "M"),
        ("BOOKED", "M-1"),
        ("BOOKED", "M-2"),
    ]


async def test_a_waybill_of_several_parcels_is_cancelled_with_all_of_them(
    shop: Shop, session: AsyncSession
) -> None:
    first, second = await packed(session, shop, 1, 1)
    carrier = carrier_of_several(BookedWaybill("M", ["M-1"]))
    connect_carrier(shop, carrier)
    await book_together(shop, [first, second], SIMULATED_CARRIER)

    async with shop.database.writes.begin() as write:
        await unpack_shipment(write, second.id, cause=Cause(shop.clock()))
    await run_until_idle(shop)

    assert carrier.cancelled == ["M"]
    assert [status for _, _, status, *_ in await waybills(shop)] == ["CANCELLED", "CANCELLED"]


async def test_a_waybill_on_which_a_parcel_has_left_is_not_cancelled_for_another_one(
    shop: Shop, session: AsyncSession
) -> None:
    first, second = await packed(session, shop, 1, 1)
    carrier = carrier_of_several(BookedWaybill("M", ["M-1"]))
    connect_carrier(shop, carrier)
    await book_together(shop, [first, second], SIMULATED_CARRIER)
    async with shop.database.writes.begin() as write:
        await dispatch_shipment(
            write, first.id, carrier=SIMULATED_CARRIER, tracking_number="M", cause=Cause(shop.clock())
        )

    async with shop.database.writes.begin() as write:
        await unpack_shipment(write, second.id, cause=Cause(shop.clock()))
    await run_until_idle(shop)

    assert carrier.cancelled == []
    assert [(status, reason) for _, _, status, _, reason in await waybills(shop)] == [
        ("BOOKED", None),
        ("CANCEL_REFUSED", "Other parcels have left on this waybill."),
    ]


async def test_what_goes_along_leaves_all_the_same_after_the_first_parcel_was_unpacked(
    shop: Shop, session: AsyncSession
) -> None:
    first, second, third = await packed(session, shop, 1, 1, 1)
    connect_carrier(shop, carrier_of_several(BookedWaybill("M", ["M-1", "M-2"])))
    await book_together(shop, [first, second, third], SIMULATED_CARRIER)

    async def leave(parcel: Shipment, number: str) -> None:
        async with shop.database.writes.begin() as write:
            await dispatch_shipment(
                write, parcel.id, carrier=SIMULATED_CARRIER, tracking_number=number, cause=Cause(shop.clock())
            )

    await leave(second, "M-1")
    async with shop.database.writes.begin() as write:
        await unpack_shipment(write, first.id, cause=Cause(shop.clock()))
    assert [status for _, _, status, *_ in await waybills(shop)] == ["CANCEL_REFUSED", "BOOKED", "BOOKED"]
    assert await audit_books(session) == []
    await session.commit()
    await leave(third, "M-2")

    assert await audit_books(session) == []
    await session.commit()


async def test_a_waybill_with_fewer_numbers_than_parcels_is_cancelled(
    shop: Shop, session: AsyncSession
) -> None:
    first, second = await packed(session, shop, 1, 1)
    carrier = carrier_of_several(BookedWaybill("M"))
    connect_carrier(shop, carrier)

    with pytest.raises(CarrierRefusal, match="Only 1 of 2 parcels have a number"):
        await book_together(shop, [first, second], SIMULATED_CARRIER)
    await run_until_idle(shop)

    assert carrier.cancelled == ["M"]
    assert [status for _, _, status, *_ in await waybills(shop)] == ["CANCELLED", "CANCELLED"]


async def test_several_parcels_are_asked_after_as_they_were_asked_for(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    first, second = await packed(session, shop, 1, 1)
    carrier = carrier_of_several()
    connect_carrier(shop, carrier)
    with pytest.raises(CarrierUnavailable):
        await book_together(shop, [first, second], SIMULATED_CARRIER)
    carrier.booked[first.number] = BookedWaybill("M", ["M-1"])

    tick(timedelta(minutes=2))
    await run_until_idle(shop)

    assert [(status, number) for _, _, status, number, _ in await waybills(shop)] == [
        ("BOOKED", "M"),
        ("BOOKED", "M-1"),
    ]


async def test_only_parcels_of_one_delivery_go_together_and_each_once(
    shop: Shop, session: AsyncSession
) -> None:
    [first] = await packed(session, shop, 1)
    [other] = await pack(session, await confirmed_order(session, now=shop.clock()), now=shop.clock())
    await session.commit()
    connect_carrier(shop, carrier_of_several())

    for together in ([first, first], [first, other]):
        with pytest.raises(Invalid) as refusal:
            await book_together(shop, together, SIMULATED_CARRIER)
        assert refusal.value.field == ("together",)
    with pytest.raises(LimitReached):
        await book_together(shop, [first] * 51, SIMULATED_CARRIER)
    connect_carrier(shop, ScriptedCarrier())

    assert await waybills(shop) == []


async def parcel_to_be_paid(session: AsyncSession, shop: Shop) -> Shipment:
    """A parcel whose customer pays at the door, and the simulated carrier, which takes cash."""
    cash = {PaymentMethod.CASH_ON_DELIVERY: None}
    order = await create_order(session, payments=cash, status=OrderStatus.CONFIRMED, now=shop.clock())
    [shipment] = await pack(session, order, now=shop.clock())
    await session.execute(update(Carrier).where(Carrier.code == SIMULATED_CARRIER).values(takes_cash=True))
    await session.commit()
    return shipment


async def test_a_booking_is_asked_after_with_the_cash_it_was_asked_for_with(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    shipment = await parcel_to_be_paid(session, shop)
    carrier = ScriptedCarrier()
    connect_carrier(shop, carrier)
    with pytest.raises(CarrierUnavailable):
        await book(shop, shipment, SIMULATED_CARRIER)
    async with shop.database.writes.begin() as write:
        await write.execute(update(Carrier).values(takes_cash=False))

    tick(timedelta(minutes=2))
    await run_until_idle(shop)
    async with shop.database.writes.begin() as write:
        await cancel_order(write, shipment.order_id, reason="changed my mind", cause=Cause(shop.clock()))
    await run_until_idle(shop)

    [booking] = carrier.bookings
    assert booking.cash is not None
    assert carrier.asked_after == [booking, booking]


async def test_clerks_who_ask_for_one_waybill_at_once_call_its_carrier_once(
    shop: Shop, session: AsyncSession
) -> None:
    [shipment] = await packed(session, shop, 1)

    class Slow(ScriptedCarrier):
        async def book(self, booking: Booking) -> BookedWaybill:
            booked = await super().book(booking)
            await asyncio.sleep(0.3)
            return booked

    carrier = Slow([BookedWaybill(f"N{number}") for number in range(1, 4)])
    connect_carrier(shop, carrier)

    booked = await asyncio.gather(*(book(shop, shipment, SIMULATED_CARRIER) for _ in range(3)))

    assert [each.number for each in booked] == ["N1"] * 3
    assert len(carrier.bookings) == 1


async def test_a_waybill_that_is_given_up_while_its_carrier_is_asked_is_cancelled_by_its_number(
    shop: Shop, session: AsyncSession
) -> None:
    [shipment] = await packed(session, shop, 1)

    class Unpacking(ScriptedCarrier):
        async def book(self, booking: Booking) -> BookedWaybill:
            async with shop.database.writes.begin() as write:
                await unpack_shipment(write, shipment.id, cause=Cause(shop.clock()))
            await run_until_idle(shop)
            return await super().book(booking)

    carrier = Unpacking([BookedWaybill("N1")])
    connect_carrier(shop, carrier)
    with pytest.raises(CarrierRefusal):
        await book(shop, shipment, SIMULATED_CARRIER)
    await run_until_idle(shop)

    assert carrier.cancelled == ["N1"]
    assert [status for _, _, status, *_ in await waybills(shop)] == ["CANCELLED"]


async def test_a_refused_choice_of_another_carrier_leaves_the_waybill_that_is_booked(
    shop: Shop, session: AsyncSession
) -> None:
    [shipment] = await packed(session, shop, 1)
    await create_carrier(session, "BY_HAND")
    await session.commit()
    carrier = ScriptedCarrier([BookedWaybill("N1")])
    connect_carrier(shop, carrier)
    refusal = CarrierRefused("too heavy")
    connect_carrier(shop, ScriptedCarrier([refusal], connection=CarrierConnection.SF_EXPRESS))
    await book(shop, shipment, SIMULATED_CARRIER)

    with pytest.raises(CarrierRefusal, match="books nothing"):
        await book(shop, shipment, CarrierCode("BY_HAND"))
    assert await waybills(shop) == [("SIMULATED", "TURN", "BOOKED", "N1", None)]
    with pytest.raises(CarrierRefusal, match="too heavy"):
        await book(shop, shipment, SF)
    await run_until_idle(shop)

    assert carrier.cancelled == []
    assert await waybills(shop) == [
        ("SIMULATED", "TURN", "BOOKED", "N1", None),
        ("SF", "TURN", "REFUSED", None, "too heavy"),
    ]


async def test_a_booking_that_nobody_has_answered_is_kept_until_another_carrier_has_booked(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    [shipment] = await packed(session, shop, 1)
    silent, other = ScriptedCarrier(), ScriptedCarrier(connection=CarrierConnection.SF_EXPRESS)
    connect_carrier(shop, silent)
    connect_carrier(shop, other)
    for code in (SIMULATED_CARRIER, SF):
        with pytest.raises(CarrierUnavailable):
            await book(shop, shipment, code)
    assert [status for _, _, status, *_ in await waybills(shop)] == ["REQUESTED", "REQUESTED"]
    silent.booked[silent.bookings[0].reference] = BookedWaybill("N1")
    tick(timedelta(minutes=1))
    await run_until_idle(shop)
    assert [status for _, _, status, *_ in await waybills(shop)] == ["BOOKED", "REQUESTED"]
    other.booked[other.bookings[0].reference] = BookedWaybill("S1")
    tick(timedelta(minutes=1))
    await run_until_idle(shop)

    assert silent.cancelled == ["N1"]
    assert [(status, number) for _, _, status, number, _ in await waybills(shop)] == [
        ("CANCELLED", "N1"),
        ("BOOKED", "S1"),
    ]


async def test_choosing_the_booked_carrier_again_withdraws_what_was_asked_of_another_one_meanwhile(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    [shipment] = await packed(session, shop, 1)
    carrier = ScriptedCarrier([BookedWaybill("N1")])
    silent = ScriptedCarrier(connection=CarrierConnection.SF_EXPRESS)
    connect_carrier(shop, carrier)
    connect_carrier(shop, silent)
    await book(shop, shipment, SIMULATED_CARRIER)
    with pytest.raises(CarrierUnavailable):
        await book(shop, shipment, SF)

    assert (await book(shop, shipment, SIMULATED_CARRIER)).number == "N1"
    silent.booked[silent.bookings[0].reference] = BookedWaybill("S1")
    tick(timedelta(minutes=2))
    await run_until_idle(shop)

    assert (carrier.cancelled, silent.cancelled) == ([], ["S1"])
    assert [(carrier, status) for carrier, _, status, *_ in await waybills(shop)] == [
        ("SIMULATED", "BOOKED"),
        ("SF", "CANCELLED"),
    ]


async def test_an_order_is_cancelled_while_the_carriers_of_its_parcels_answer(
    shop: Shop, session: AsyncSession
) -> None:
    parcels = await packed(session, shop, 1, 1, 1)
    answers = asyncio.Event()

    class SlowCarrier(ScriptedCarrier):
        async def book(self, booking: Booking) -> BookedWaybill:
            self.bookings.append(booking)
            await answers.wait()
            return BookedWaybill(f"N-{booking.reference}")

    carrier = SlowCarrier()
    connect_carrier(shop, carrier)

    async def cancel_all() -> None:
        while len(carrier.bookings) < len(parcels):
            await asyncio.sleep(0.01)
        answers.set()
        async with shop.database.writes.begin() as write:
            await cancel_waybills_of_order(write, parcels[0].order_id, now=shop.clock())

    booked = [book(shop, parcel, SIMULATED_CARRIER) for parcel in parcels]
    outcomes = await asyncio.gather(cancel_all(), *booked, return_exceptions=True)
    await run_until_idle(shop)

    assert [each for each in outcomes if isinstance(each, DBAPIError)] == []
    assert [status for _, _, status, *_ in await waybills(shop)] == ["CANCELLED"] * 3


async def test_what_was_booked_after_it_was_given_up_is_counted_and_taken_back_once(
    shop: Shop, session: AsyncSession
) -> None:
    [shipment] = await packed(session, shop, 1)
    shares = {"SIMULATED": 50, "SF": 50}
    rule = await create_carrier_rule(session, "Shares", *shares, shares=shares)
    rule.chosen = {"SIMULATED": 2}
    request = WaybillRequest([shipment.id], CarrierChoice.NEXT, rule=rule)
    waybill = await open_waybill(session, request, SIMULATED_CARRIER, cause=Cause(shop.clock()))
    await give_up(session, waybill, now=shop.clock())

    await record_booked(session, waybill.id, BookedFacts("N1"), now=shop.clock())
    assert rule.chosen == {"SIMULATED": 3}
    await record_cancelled(session, waybill.id, now=shop.clock())

    assert rule.chosen == {"SIMULATED": 2}
    await session.commit()
