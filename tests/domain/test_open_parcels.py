"""Scanning units into open parcels: nothing twice, nothing that was not ordered."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, Invalid, NotFound, WrongState
from domain.order import cancel_order
from domain.shipment import ParcelLine, ParcelToPack, pack_shipments, unpack_shipment
from domain.shipment.barcodes import clean_barcode, key_of_barcode
from domain.shipment.open_parcels import Scan, cancel_open_parcel, scan_into_parcel
from events.jobs.scheduler import Scheduler
from events.shipment import FORGOTTEN_PARCELS
from events.shop import Shop
from models import OpenParcel, OpenParcelLine, OpenParcelStatus, Order, OrderStatus, Shipment, WaveDropReason
from models.database import Database
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import CHENGDU, HANGZHOU, create_order, deliver_to
from tests.factories.packing import create_box_type, create_open_parcel
from tests.factories.shipment import NOW, confirmed_order, line_of, pack
from tests.observe import run_until_idle

EAN = "6901234567892"
CAUSE = Cause(NOW)


async def order_of(session: AsyncSession, *, barcode: str = EAN, quantity: int = 3) -> Order:
    """A paid order of some units of one thing with a barcode."""
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 10}))
    variant.barcode = barcode
    return await create_order(session, status=OrderStatus.CONFIRMED, lines=[(variant, quantity)])


async def scanned(session: AsyncSession, parcel: OpenParcel) -> list[int]:
    found = select(OpenParcelLine.quantity).where(OpenParcelLine.open_parcel_id == parcel.id)
    return list(await session.scalars(found.order_by(OpenParcelLine.delivery_line_id)))


async def close(
    session: AsyncSession, parcel: OpenParcel, number: str = "P-OPEN", box: int | None = None
) -> Shipment:
    contents = [ParcelToPack([], open_parcel_id=parcel.id, box_type_id=box)]
    [shipment] = await pack_shipments(session, parcel.delivery_id, contents, numbers=[number], cause=CAUSE)
    return shipment


async def test_what_was_scanned_is_packed(session: AsyncSession) -> None:
    order = await order_of(session)
    parcel = await create_open_parcel(session, order)
    for _ in range(2):
        await scan_into_parcel(session, parcel.id, Scan(EAN), cause=CAUSE)
    box = await create_box_type(session)

    shipment = await close(session, parcel, box=box.id)

    assert (await line_of(session, order)).packed == 2
    assert (shipment.weight_grams, shipment.box_type_id) == (1_100, box.id)
    assert shipment.size is not None
    assert shipment.size.length_mm == 300
    assert (parcel.status, parcel.shipment_id) == (OpenParcelStatus.PACKED, shipment.id)
    with pytest.raises(WrongState, match="This parcel is packed already"):
        await close(session, parcel, "P-AGAIN")
    with pytest.raises(WrongState):
        await scan_into_parcel(session, parcel.id, Scan(EAN), cause=CAUSE)
    await session.commit()


async def test_no_more_is_scanned_than_is_left(session: AsyncSession) -> None:
    order = await order_of(session)
    await pack(session, order, 1)
    parcel = await create_open_parcel(session, order)
    other = await create_open_parcel(session, order)
    await scan_into_parcel(session, other.id, Scan(EAN), cause=CAUSE)

    with pytest.raises(Conflict, match="Only 1 of Oolong tea left to pack"):
        await scan_into_parcel(session, parcel.id, Scan(EAN, 2), cause=CAUSE)
    await scan_into_parcel(session, parcel.id, Scan(EAN), cause=CAUSE)
    with pytest.raises(Conflict, match="Oolong tea is packed"):
        await scan_into_parcel(session, parcel.id, Scan(EAN), cause=CAUSE)

    assert (await scanned(session, parcel), await scanned(session, other)) == ([1], [1])
    await session.commit()


@pytest.mark.parametrize("take_out", [False, True])
async def test_a_code_of_several_goods_in_the_parcel_is_refused(
    session: AsyncSession, take_out: bool
) -> None:
    small, large = [await variant_of(session, await create_product(session, stock={"MAIN": 5})) for _ in "12"]
    small.sku = large.sku = "SHARED"
    large.barcode = EAN
    order = await create_order(session, status=OrderStatus.CONFIRMED, lines=[(small, 1), (large, 1)])
    parcel = await create_open_parcel(session, order)
    await scan_into_parcel(session, parcel.id, Scan(EAN), cause=CAUSE)

    with pytest.raises(
        Conflict, match="Several goods of this parcel have the code SHARED: pack them by hand"
    ):
        await scan_into_parcel(session, parcel.id, Scan("SHARED", take_out=take_out), cause=CAUSE)

    assert await scanned(session, parcel) == [1]
    await session.commit()


async def test_a_barcode_goes_before_the_sku_of_another_thing(session: AsyncSession) -> None:
    first, second = [
        await variant_of(session, await create_product(session, stock={"MAIN": 5})) for _ in "12"
    ]
    first.sku, second.barcode = EAN, EAN
    order = await create_order(session, status=OrderStatus.CONFIRMED, lines=[(first, 1), (second, 2)])
    parcel = await create_open_parcel(session, order)

    await scan_into_parcel(session, parcel.id, Scan(EAN, 2), cause=CAUSE)

    assert await scanned(session, parcel) == [2]
    await session.commit()


async def test_what_lies_in_an_open_parcel_is_not_packed_by_hand(session: AsyncSession) -> None:
    order = await order_of(session)
    line = await line_of(session, order)
    parcel = await create_open_parcel(session, order)
    await scan_into_parcel(session, parcel.id, Scan(EAN, 2), cause=CAUSE)

    with pytest.raises(Conflict, match="Only 1 of Oolong tea can be packed; 2 more were scanned into open"):
        await pack_shipments(
            session, line.delivery_id, [ParcelToPack([ParcelLine(line.id, 2)])], numbers=["P1"], cause=CAUSE
        )
    await session.rollback()


async def test_the_wrong_barcode_is_refused_by_name(session: AsyncSession) -> None:
    first = await order_of(session)
    other = await order_of(session, barcode="5901234123457")
    packed = await pack(session, await confirmed_order(session))
    unsold = await variant_of(session, await create_product(session))
    unsold.barcode = "4006381333931"
    parcel = await create_open_parcel(session, first)

    async def refusal(barcode: str) -> tuple[str, str]:
        with pytest.raises((Conflict, NotFound, Invalid)) as refused:
            await scan_into_parcel(session, parcel.id, Scan(barcode), cause=CAUSE)
        return refused.value.code.value, str(refused.value)

    waits = f"It does not belong into this parcel; order {other.number} waits for one."
    assert await refusal("5901234123457") == ("CONFLICT", waits)
    nothing = "Nothing with this barcode belongs into this parcel."
    assert await refusal("4006381333931") == ("CONFLICT", nothing)
    assert await refusal("12345670") == ("NOT_FOUND", "There is no such barcode.")
    number = packed[0].number
    assert await refusal(number) == ("CONFLICT", f"{number} is a parcel that is packed already.")
    assert (await refusal("6.90123E+12"))[0] == "INVALID"
    assert (await refusal("  "))[0] == "INVALID"
    assert (await refusal("9" * 65))[0] == "INVALID"
    assert await scanned(session, parcel) == []
    await session.commit()


async def test_what_goes_to_another_address_of_the_order_is_refused(session: AsyncSession) -> None:
    here = await variant_of(session, await create_product(session, stock={"MAIN": 10}))
    there = await variant_of(session, await create_product(session, stock={"MAIN": 10}))
    here.barcode, there.barcode = EAN, "5901234123457"
    order = await create_order(
        session,
        status=OrderStatus.CONFIRMED,
        lines=[(here, 1), (there, 1)],
        deliveries=[deliver_to(HANGZHOU, [(here, 1)]), deliver_to(CHENGDU, [(there, 1)])],
    )
    parcel = await create_open_parcel(session, order)

    with pytest.raises(Conflict, match="It belongs into another parcel of this order"):
        await scan_into_parcel(session, parcel.id, Scan("5901234123457"), cause=CAUSE)
    await session.commit()


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("036000291452", "0036000291452"),
        ("0036000291452", "36000291452"),
        ("6901234567892.0", EAN),
        ("'6901234567892", "690-1234 567892"),
        (EAN, "６９０１２３４５６７８９２"),
        ("tea-500", "TEA-500"),
    ],
)
async def test_all_spellings_of_a_barcode_are_one(session: AsyncSession, stored: str, read: str) -> None:
    parcel = await create_open_parcel(session, await order_of(session, barcode=stored))

    await scan_into_parcel(session, parcel.id, Scan(read), cause=CAUSE)

    assert key_of_barcode(clean_barcode(read, field=())) == key_of_barcode(stored)
    assert await scanned(session, parcel) == [1]
    await session.commit()


async def test_units_are_taken_out_again(session: AsyncSession) -> None:
    parcel = await create_open_parcel(session, await order_of(session))
    await scan_into_parcel(session, parcel.id, Scan(EAN, 3), cause=CAUSE)
    await scan_into_parcel(session, parcel.id, Scan(EAN, 2, take_out=True), cause=CAUSE)

    with pytest.raises(Conflict, match="Only 1 of Oolong tea in this parcel"):
        await scan_into_parcel(session, parcel.id, Scan(EAN, 2, take_out=True), cause=CAUSE)
    assert await scanned(session, parcel) == [1]
    await scan_into_parcel(session, parcel.id, Scan(EAN, take_out=True), cause=CAUSE)
    assert await scanned(session, parcel) == []
    with pytest.raises(Invalid, match="A parcel cannot be empty"):
        await close(session, parcel)
    await session.rollback()


async def test_two_scanners_never_scan_the_same_unit(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        order = await order_of(session, quantity=5)
        parcels = [await create_open_parcel(session, order) for _ in range(2)]

    async def scan(number: int) -> bool:
        try:
            async with crowd.writes.begin() as session:
                await scan_into_parcel(session, parcels[number % 2].id, Scan(EAN), cause=CAUSE)
        except Conflict:
            return False
        return True

    done = await asyncio.gather(*(scan(number) for number in range(16)))

    async with crowd.reads() as session:
        assert done.count(True) == 5
        assert await session.scalar(select(func.sum(OpenParcelLine.quantity))) == 5


async def test_a_parcel_is_closed_once_by_a_crowd(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        order = await order_of(session)
        parcel = await create_open_parcel(session, order)
        await scan_into_parcel(session, parcel.id, Scan(EAN, 3), cause=CAUSE)

    async def close_once(number: int) -> bool:
        try:
            async with crowd.writes.begin() as session:
                await close(session, parcel, f"P{number}")
        except (Conflict, WrongState):
            return False
        return True

    done = await asyncio.gather(*(close_once(number) for number in range(8)))

    async with crowd.reads() as session:
        assert done.count(True) == 1
        assert (await line_of(session, order)).packed == 3


async def test_an_open_parcel_ends_with_its_order(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session)
    parcel = await create_open_parcel(session, order)
    await scan_into_parcel(session, parcel.id, Scan(EAN), cause=Cause(shop.clock()))
    await cancel_order(session, order.id, reason="Changed my mind.", cause=Cause(NOW, order.account_id))
    await session.commit()

    await run_until_idle(shop)

    async with shop.database.writes.begin() as session:
        found = await session.get_one(OpenParcel, parcel.id)
        assert (found.status, found.reason) == (OpenParcelStatus.CANCELLED, WaveDropReason.ORDER_CANCELLED)
        with pytest.raises(WrongState):
            await scan_into_parcel(session, parcel.id, Scan(EAN), cause=CAUSE)


async def test_an_open_parcel_with_which_nobody_goes_on_is_given_up(
    shop: Shop, session: AsyncSession
) -> None:
    forgotten = await create_open_parcel(session, await order_of(session))
    used = await create_open_parcel(session, await order_of(session, barcode="5901234123457"))
    forgotten.touched_at = shop.clock() - timedelta(hours=2)
    used.touched_at = shop.clock() - timedelta(hours=1)
    await session.commit()

    await Scheduler(shop, [FORGOTTEN_PARCELS]).run_once()

    async with shop.database.reads() as session:
        statuses = [(await session.get_one(OpenParcel, each.id)).status for each in (forgotten, used)]
    assert statuses == [OpenParcelStatus.CANCELLED, OpenParcelStatus.OPEN]


async def test_a_parcel_that_is_given_up_frees_its_units(session: AsyncSession) -> None:
    order = await order_of(session)
    parcel = await create_open_parcel(session, order)
    await scan_into_parcel(session, parcel.id, Scan(EAN, 3), cause=CAUSE)

    await cancel_open_parcel(session, parcel.id, cause=CAUSE)
    await cancel_open_parcel(session, parcel.id, cause=CAUSE)

    [shipment] = await pack(session, order)
    assert (await line_of(session, order)).packed == 3
    await unpack_shipment(session, shipment.id, cause=CAUSE)
    again = await unpack_shipment(session, shipment.id, cause=CAUSE)
    assert (again.order_id, (await line_of(session, order)).packed) == (order.id, 0)
    await session.commit()


async def test_a_box_that_is_too_weak_is_refused(session: AsyncSession) -> None:
    order = await order_of(session)
    line = await line_of(session, order)
    weak = await create_box_type(session, max_weight_grams=1_000)
    parcels = [ParcelToPack([ParcelLine(line.id, 2)], box_type_id=weak.id)]

    with pytest.raises(Invalid, match="Box may weigh at most 1"):
        await pack_shipments(session, line.delivery_id, parcels, numbers=["P1"], cause=CAUSE)
    with pytest.raises(NotFound):
        await pack_shipments(
            session,
            line.delivery_id,
            [ParcelToPack([ParcelLine(line.id, 2)], box_type_id=10**9)],
            numbers=["P1"],
            cause=CAUSE,
        )
    assert (await line_of(session, order)).packed == 0
    await session.rollback()
