"""Carriers are asked about parcels by a plan: nobody twice, nobody too often, and the longest due first."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.due import due_carrier_polls
from events.jobs.carrier_queues import scheduler_of
from events.shop import Shop
from gateways.carrier.protocol import Capabilities, CarrierError, CarrierEvent, TrackedParcel
from models import CarrierCode, CarrierConnection, Shipment, TrackingEvent
from models import ShipmentStatus as S
from tests.factories.carrier import ScriptedCarrier, connect_carrier, create_carrier
from tests.factories.shipment import confirmed_order, pack, send
from tests.observe import count_statements

Tick = Callable[[timedelta], None]
YTO = CarrierCode("YTO")
KUAIDI100 = CarrierConnection.KUAIDI100
HOURS, MINUTES = timedelta(hours=1), timedelta(minutes=1)
A_DAY = timedelta(days=1)
QUERIES_A_DAY = 48
"""What kuaidi100 answers of one number."""


@dataclass
class AskedCarrier(ScriptedCarrier):
    """A carrier that notes when it is asked about which number."""

    clock: Callable[[], datetime] = datetime.now
    asked: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    fails: frozenset[str] = frozenset()

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        self.asked[tracked.tracking_number].append(self.clock())
        await asyncio.sleep(0)
        if tracked.tracking_number in self.fails:
            raise CarrierError("no answer")
        return [CarrierEvent(S.IN_TRANSIT, "0", "on its way", tracked.dispatched_at)]

    async def subscribe(self, tracked: TrackedParcel) -> None:
        pass

    @property
    def total(self) -> int:
        return sum(map(len, self.asked.values()))


async def send_parcels(shop: Shop, many: int, *, pushes: bool = False) -> AskedCarrier:
    """Parcels that have left by a carrier of kuaidi100 and are due."""
    async with shop.database.writes.begin() as session:
        await create_carrier(session, YTO, KUAIDI100, company_code="yuantong")
        for number in range(many):
            order = await confirmed_order(session, now=shop.clock())
            [shipment] = await pack(session, order, now=shop.clock())
            number_of = f"YT{number}"
            now = shop.clock()
            await send(session, shipment, carrier=YTO, tracking_number=number_of, poll_at=now, now=now)
    carrier = AskedCarrier(
        connection=KUAIDI100, capabilities=Capabilities(tracks=True, pushes=pushes), clock=shop.clock
    )
    connect_carrier(shop, carrier)
    return carrier


async def ask_for_a_day(shop: Shop, tick: Tick, step: timedelta, *, workers: int = 2) -> None:
    for _ in range(A_DAY // step):
        await asyncio.gather(*(scheduler_of(shop, YTO).run_once() for _ in range(workers)))
        tick(step)


async def test_over_a_day_two_workers_ask_about_each_parcel_once_an_hour(shop: Shop, tick: Tick) -> None:
    carrier = await send_parcels(shop, 30)

    await ask_for_a_day(shop, tick, 20 * MINUTES)

    assert {number: len(moments) for number, moments in carrier.asked.items()} == {
        f"YT{number}": 24 for number in range(30)
    }


async def test_however_short_the_interval_no_number_is_asked_about_48_times_a_day(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    carrier = await send_parcels(shop, 3)
    always = sa.update(Shipment).values(poll_at=Shipment.packed_at)
    for _ in range(A_DAY // (10 * MINUTES)):
        await asyncio.gather(*(scheduler_of(shop, YTO).run_once() for _ in range(2)))
        await session.execute(always)  # whoever wants to know now
        await session.commit()
        tick(10 * MINUTES)

    for moments in carrier.asked.values():
        assert len(moments) == 36 < QUERIES_A_DAY
        assert all(later - earlier >= 31 * MINUTES for earlier, later in pairwise(moments))


async def test_a_parcel_whose_carrier_reports_by_itself_is_asked_about_every_six_hours(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    carrier = await send_parcels(shop, 2, pushes=True)
    silent = sa.update(Shipment).where(Shipment.tracking_number == "YT1").values(last_event_at=None)

    for _ in range(24):
        await scheduler_of(shop, YTO).run_once()
        await session.execute(silent)
        await session.commit()
        tick(HOURS)

    assert (len(carrier.asked["YT0"]), len(carrier.asked["YT1"])) == (5, 24)


@pytest.mark.settings(carrier_polls_per_day=25)
async def test_no_carrier_is_asked_more_often_in_a_day_than_is_allowed_and_the_longest_due_come_first(
    shop: Shop, tick: Tick
) -> None:
    carrier = await send_parcels(shop, 20)
    tick(16 * HOURS)  # the clock of tests starts at 8: now a day begins

    for _ in range(24):
        await asyncio.gather(*(scheduler_of(shop, YTO).run_once() for _ in range(2)))
        tick(HOURS - MINUTES)
    first_day, times = carrier.total, {len(moments) for moments in carrier.asked.values()}
    tick(2 * HOURS)
    await scheduler_of(shop, YTO).run_once()

    assert first_day == 25
    assert times == {1, 2}
    assert carrier.total == 45


async def test_a_parcel_of_which_nothing_is_answered_holds_up_no_other(shop: Shop, tick: Tick) -> None:
    carrier = await send_parcels(shop, 3)
    carrier.fails = frozenset({"YT1"})

    await scheduler_of(shop, YTO).run_once()

    async with shop.database.reads() as session:
        stored = await session.scalars(
            sa.select(Shipment.tracking_number)
            .join(TrackingEvent, TrackingEvent.shipment_id == Shipment.id)
            .order_by(Shipment.id)
        )
        assert stored.all() == ["YT0", "YT2"]


async def test_many_parcels_are_claimed_and_stored_in_a_constant_number_of_statements(
    shop: Shop, tick: Tick
) -> None:
    await send_parcels(shop, 24)
    scheduler = scheduler_of(shop, YTO)
    await scheduler.run_once()
    counted = []
    for many in (2, 24):
        tick(HOURS)
        async with shop.database.writes.begin() as session:
            await session.execute(
                sa.update(Shipment).where(Shipment.id > many).values(poll_at=shop.clock() + A_DAY)
            )
            await session.execute(sa.update(Shipment).where(Shipment.id <= many).values(poll_at=shop.clock()))
        with count_statements(shop) as statements:
            await scheduler.run_once()
        counted.append(statements.total)

    assert counted[0] == counted[1]


async def test_due_parcels_are_found_by_an_index(shop: Shop) -> None:
    await send_parcels(shop, 1)
    if shop.database.dialect == "sqlite":
        explain, index = "EXPLAIN QUERY PLAN ", "USING COVERING INDEX ix_shipments_carrier_poll_at"
    else:
        explain, index = "EXPLAIN ", "Index Scan using ix_shipments_"
        await copy_parcels(shop, 3_000)
    statement = due_carrier_polls(YTO, shop.clock()).limit(100)
    compiled = statement.compile(shop.database.readers.sync_engine, compile_kwargs={"literal_binds": True})

    async with shop.database.reads() as session:
        plan = "\n".join(str(row) for row in await session.execute(sa.text(f"{explain}{compiled}")))

    assert index in plan, plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan
    assert "poll_at" in plan


async def copy_parcels(shop: Shop, many: int) -> None:
    """Further parcels of the same order, all of them due later."""
    columns = [column for column in Shipment.__table__.columns if column.name != "id"]
    n = sa.column("n", sa.Integer)
    changed: dict[str, Any] = {
        "number": sa.literal("C").concat(sa.cast(n, sa.Text)),
        "tracking_number": sa.literal("C").concat(sa.cast(n, sa.Text)),
        "poll_at": Shipment.poll_at + n * sa.literal(MINUTES, sa.Interval),
    }
    numbers = sa.func.generate_series(1, many).table_valued("n").render_derived()
    rows = sa.select(*(changed.get(column.name, column) for column in columns)).select_from(
        sa.join(Shipment, numbers, sa.true())
    )
    async with shop.database.writes.begin() as session:
        await session.execute(sa.insert(Shipment).from_select([each.name for each in columns], rows))
        await session.execute(sa.text("ANALYZE shipments"))
