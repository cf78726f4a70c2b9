"""When parcels arrive is estimated from finished parcels of their lane."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bench.eta import score_last_quarter
from domain.shipment.eta import Journey, ParcelLane, estimate_arrival, measure_journey, prior_for
from domain.shipment.eta.durations import STEPS, add_duration, blend, forget_gradually
from domain.shipment.eta.estimate import FEWEST_LATE_HOURS, Statistic
from domain.shipment.eta.lanes import POOLED, JourneyStep, Stage
from events.shop import Shop
from geo import Point
from models import LaneStatistic, Shipment, ShipmentStatus
from tests.conftest import STARTED_AT, Clock
from tests.factories.shipment import create_shipment, track, tracking_fact
from tests.observe import run_until_idle

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
S = ShipmentStatus
HANGZHOU, CHENGDU = Point(30.26, 120.13), Point(30.65, 104.08)
LANE = ParcelLane("CN/浙江省", "CN/四川省", "SF", "2", NOW, HANGZHOU, CHENGDU)


def counts_of(*hours: float) -> list[float]:
    counts: list[float] = []
    for each in hours:
        counts = add_duration(counts, each)
    return counts


def statistics_of(stage: Stage, hours: Sequence[float], *, at: datetime = NOW) -> dict[str, Statistic]:
    return {key: Statistic(counts_of(*hours), at) for key in LANE.keys(stage)}


def test_a_lane_of_which_nothing_is_known_is_estimated_by_its_distance() -> None:
    arrival = estimate_arrival(Journey(LANE, []), {}, NOW)

    assert (arrival.expected_at - NOW) / HOUR == pytest.approx(64, abs=4)
    assert arrival.earliest_at < arrival.expected_at < arrival.latest_at


def test_finished_parcels_of_the_lane_draw_the_estimate_to_them() -> None:
    arrival = estimate_arrival(Journey(LANE, []), statistics_of(Stage.DISPATCHED, [30.0] * 200), NOW)

    assert (arrival.expected_at - NOW) / HOUR == pytest.approx(30, abs=2)
    # a season may have begun, in which the first have yet to arrive
    assert 36 < (arrival.latest_at - NOW) / HOUR < 1.8 * 30


def test_what_was_long_ago_counts_less_than_what_was_lately() -> None:
    old = forget_gradually(counts_of(*[30.0] * 50), NOW - timedelta(days=60), NOW)

    assert sum(old) < 1
    assert sum(forget_gradually(counts_of(30.0), NOW, NOW)) == 1


def test_a_few_parcels_do_not_make_a_rule() -> None:
    prior = prior_for(64, 0.55)

    one, many = blend([counts_of(10.0)], prior), blend([counts_of(*[10.0] * 500)], prior)

    assert one.quantile(0.5) > 40
    assert many.quantile(0.5) == pytest.approx(10, abs=1)
    assert sum(one.shares) == pytest.approx(1)
    assert len(one.shares) == STEPS


def test_a_carrier_without_parcels_of_its_own_has_an_honest_range_whatever_others_have_taught() -> None:
    keys = LANE.keys(Stage.DISPATCHED)
    learned = Statistic(counts_of(*[0.3] * 500), NOW)

    pooled = estimate_arrival(Journey(LANE, []), dict.fromkeys(keys[:POOLED], learned), NOW)
    own = estimate_arrival(Journey(LANE, []), dict.fromkeys(keys, learned), NOW)

    assert pooled.latest_at - pooled.earliest_at > 48 * HOUR
    assert pooled.late_at > NOW + 48 * HOUR
    assert own.latest_at < NOW + HOUR
    assert own.late_at == NOW + FEWEST_LATE_HOURS * HOUR


def test_an_event_and_a_position_change_the_estimate() -> None:
    halfway = Point(30.5, 110.0)
    statistics = statistics_of(Stage.DISPATCHED, [60.0] * 300)
    statistics |= statistics_of(Stage.HALFWAY, [20.0] * 300) | statistics_of(
        Stage.OUT_FOR_DELIVERY, [3.0] * 300
    )
    moving = JourneyStep(NOW + 30 * HOUR, S.IN_TRANSIT, halfway)
    near = JourneyStep(NOW + 55 * HOUR, S.OUT_FOR_DELIVERY)

    seen = [
        (estimate_arrival(Journey(LANE, steps), statistics, steps[-1].at if steps else NOW).expected_at - NOW)
        / HOUR
        for steps in ([], [moving], [moving, near])
    ]

    assert seen == pytest.approx([60, 50, 58], abs=3)


def test_a_parcel_that_is_late_is_not_expected_in_the_past() -> None:
    statistics = statistics_of(Stage.DISPATCHED, [30.0] * 300)
    later = NOW + 90 * HOUR

    arrival = estimate_arrival(Journey(LANE, []), statistics, later)

    assert later < arrival.expected_at < arrival.latest_at
    assert arrival.late_at < NOW + 40 * HOUR


def test_a_finished_journey_is_measured_from_each_stage_and_between_its_events() -> None:
    steps = [
        JourneyStep(NOW + 2 * HOUR, S.PICKED_UP),
        JourneyStep(NOW + 20 * HOUR, S.OUT_FOR_DELIVERY),
        JourneyStep(NOW + 24 * HOUR, S.DELIVERED),
    ]

    measured = list(measure_journey(Journey(LANE, steps), NOW + 24 * HOUR))

    assert measured == [
        (Stage.DISPATCHED, 24),
        (Stage.PICKED_UP, 22),
        (Stage.OUT_FOR_DELIVERY, 4),
        (Stage.SILENCE, 2),
        (Stage.SILENCE, 18),
        (Stage.SILENCE, 4),
    ]


async def test_a_parcel_has_an_estimate_while_it_is_on_its_way(session: AsyncSession) -> None:
    shipment = await create_shipment(session)
    left = shipment.eta
    await track(session, shipment, tracking_fact(S.OUT_FOR_DELIVERY, after=2 * HOUR), now=NOW)
    near = shipment.eta
    await track(session, shipment, tracking_fact(S.DELIVERED, after=3 * HOUR), now=NOW + HOUR)

    assert left
    assert near
    assert near.latest_at < left.latest_at
    assert shipment.eta is None
    assert shipment.count_at == NOW + HOUR


async def test_each_parcel_that_has_arrived_is_counted_once(
    shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    shipment = await create_shipment(session)
    await track(session, shipment, tracking_fact(S.DELIVERED, after=3 * HOUR), now=NOW)
    await session.commit()
    clock.now = max(STARTED_AT, NOW)

    await run_until_idle(shop)
    await run_until_idle(shop)

    counts = await session.scalar(
        select(LaneStatistic.counts).where(LaneStatistic.key == f"{Stage.DISPATCHED}|SIMULATED")
    )
    assert counts
    assert sum(counts) == 1
    others = await session.scalars(
        select(LaneStatistic.key).where(LaneStatistic.key.not_like("%|SIMULATED%"))
    )
    assert others.all() == []
    waiting = select(func.count()).select_from(Shipment).where(Shipment.count_at.is_not(None))
    assert await session.scalar(waiting) == 0


def test_most_parcels_of_a_generated_year_arrive_within_their_range() -> None:
    scores = score_last_quarter(4_000)

    assert scores["when it leaves"].coverage > 0.75
    assert scores["when it leaves"].mean_error < scores["when it leaves"].mean_promise_error
