"""How good estimates of arrivals are, on generated years with seasons: the last quarter is held out.

`python -m bench eta [PARCELS]` generates, for each of two years, so many parcels (40,000 where none are
named) between twelve provinces, by three carriers in two services. Lanes have their own times, weekends
and two seasons (a sale in November, a holiday in January) lengthen them, one carrier gets slower on some
lanes half-way through the year, and few lanes have many parcels. The statistics are those of the shop:
parcels are counted when they have arrived, in the order of time, and each estimate knows only what had
arrived before. Printed are, for the last quarter, how often a parcel arrived within the range (aim: 85 to
95 %) when it left, also in a season and between seasons, and at each event; and the mean error of the
estimate against that of the carrier's promise, a number of days by service and distance. Exits with 1
where an aim is missed.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil, exp
from random import Random

from bench.arguments import read_arguments
from domain.shipment.eta import Journey, ParcelLane, estimate_arrival, measure_journey
from domain.shipment.eta.durations import add_duration, forget_gradually
from domain.shipment.eta.estimate import Statistic
from domain.shipment.eta.lanes import JourneyStep
from geo import Point, distance_km, find_point
from models import ShipmentStatus

PARCELS = 40_000
SEED = 20_260_301
SEEDS = {"the year by which it was tuned": SEED, "a year that it had never seen": 20_270_301}
BEGINS = datetime(2025, 3, 1, tzinfo=UTC)
DAYS = 365
HELD_OUT = 0.75
LOWEST, HIGHEST = 0.85, 0.95
PLACES = (
    "浙江省",
    "广东省",
    "江苏省",
    "山东省",
    "四川省",
    "湖北省",
    "湖南省",
    "河南省",
    "陕西省",
    "辽宁省",
    "云南省",
    "新疆维吾尔自治区",
)
ORIGINS = PLACES[:3]
CARRIERS = (("SF", 0.75), ("YTO", 1.0), ("ZTO", 1.1))
SERVICES = (("express", 0.7), ("standard", 1.0))
SALE = (datetime(2025, 11, 8, tzinfo=UTC), datetime(2025, 11, 25, tzinfo=UTC), 1.6)
HOLIDAY = (datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 2, 12, tzinfo=UTC), 1.8)
SLOWER_FROM = datetime(2025, 9, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class GeneratedParcel:
    """A generated journey, when it ended, and what its carrier had promised."""

    journey: Journey
    delivered_at: datetime
    promised_at: datetime


@dataclass(slots=True)
class EstimateScore:
    """How estimates of one kind went."""

    within: int = 0
    estimates: int = 0
    error_hours: float = 0.0
    promise_error_hours: float = 0.0

    @property
    def coverage(self) -> float:
        return self.within / max(self.estimates, 1)

    @property
    def mean_error(self) -> float:
        return self.error_hours / max(self.estimates, 1)

    @property
    def mean_promise_error(self) -> float:
        return self.promise_error_hours / max(self.estimates, 1)


@dataclass(slots=True)
class KeptStatistics:
    """Those of the shop's table, in memory."""

    rows: dict[str, Statistic] = field(default_factory=dict)

    def count(self, parcel: GeneratedParcel) -> None:
        now = parcel.delivered_at
        for stage, hours in measure_journey(parcel.journey, now):
            for key in parcel.journey.lane.keys(stage):
                before = self.rows.get(key)
                counts = forget_gradually(before.counts, before.counted_at, now) if before else []
                self.rows[key] = Statistic(add_duration(counts, hours), now)


def main() -> int:
    """Print the scores; 1 where an aim is missed."""
    numbers = read_arguments(__doc__).numbers
    missed = 0
    for year, seed in SEEDS.items():
        scores = score_last_quarter(numbers[0] if numbers else PARCELS, seed)
        print(f"{year} (seed {seed})")
        for name, score in scores.items():
            print(
                f"  {name:<24} {score.estimates:>8} estimates, {score.coverage:6.1%} within the range, "
                f"mean error {score.mean_error:5.1f} h, of the promise {score.mean_promise_error:5.1f} h"
            )
        missed += sum(not reaches_aims(score) for score in scores.values())
    return 1 if missed else 0


def reaches_aims(score: EstimateScore) -> bool:
    return LOWEST <= score.coverage <= HIGHEST and score.mean_error < score.mean_promise_error


def score_last_quarter(parcels: int, seed: int = SEED) -> Mapping[str, EstimateScore]:
    """Go through a generated year in the order of time; scores by what was known."""
    scores: defaultdict[str, EstimateScore] = defaultdict(EstimateScore)
    statistics, under_way = KeptStatistics(), list[tuple[datetime, int, GeneratedParcel]]()
    held_out_from = BEGINS + timedelta(days=DAYS * HELD_OUT)
    for number, parcel in enumerate(generate_parcels(parcels, Random(seed))):
        left_at = parcel.journey.lane.dispatched_at
        while under_way and under_way[0][0] <= left_at:
            statistics.count(heapq.heappop(under_way)[2])
        if left_at >= held_out_from:
            score_parcel(parcel, statistics, scores)
        heapq.heappush(under_way, (parcel.delivered_at, number, parcel))
    return dict(sorted(scores.items()))


def score_parcel(
    parcel: GeneratedParcel, statistics: KeptStatistics, scores: defaultdict[str, EstimateScore]
) -> None:
    lane, steps = parcel.journey.lane, parcel.journey.steps
    in_season = any(begins <= lane.dispatched_at < ends for begins, ends, _ in (SALE, HOLIDAY))
    for known in range(len(steps)):
        now = steps[known - 1].at if known else lane.dispatched_at
        names = ["at any event"]
        if not known:
            names += ["when it leaves", "leaving in a season" if in_season else "leaving between seasons"]
        arrival = estimate_arrival(Journey(lane, steps[:known]), statistics.rows, now)
        for name in names:
            score = scores[name]
            score.estimates += 1
            score.within += arrival.earliest_at <= parcel.delivered_at <= arrival.latest_at
            score.error_hours += abs(arrival.expected_at - parcel.delivered_at) / HOUR
            score.promise_error_hours += abs(parcel.promised_at - parcel.delivered_at) / HOUR


def generate_parcels(count: int, random: Random) -> Iterator[GeneratedParcel]:
    """Parcels of a year, in the order in which they leave."""
    lanes = [
        (origin, end, exp(random.gauss(0.0, 0.25))) for origin in ORIGINS for end in PLACES if origin != end
    ]
    weights = [1.0 / (rank + 1) for rank in range(len(lanes))]
    random.shuffle(weights)
    for number in range(count):
        left_at = BEGINS + timedelta(days=DAYS * number / count)
        left_at = left_at.replace(hour=random.choice((8, 10, 12)), minute=random.randrange(60))
        [(origin, end, own)] = random.choices(lanes, weights)
        yield generate_parcel(origin, end, own, left_at, random)


def generate_parcel(origin: str, end: str, own: float, left_at: datetime, random: Random) -> GeneratedParcel:
    carrier, pace = random.choice(CARRIERS)
    service, hurry = random.choice(SERVICES)
    start_point, end_point = find_point(origin, "", ""), find_point(end, "", "")
    if start_point is None or end_point is None:
        raise ValueError(f"{origin} or {end} is not in the table of areas")
    km = distance_km(start_point, end_point)
    usual = (24.0 + km / 40.0) * pace * hurry
    hours = usual * own * exp(random.gauss(0.0, 0.22))
    if left_at.isoweekday() >= 5:
        hours += 14.0
    for begins, ends, factor in (SALE, HOLIDAY):
        if begins <= left_at < ends:
            hours *= factor
    if carrier == "YTO" and left_at >= SLOWER_FROM and end in PLACES[4:8]:
        hours *= 1.3
    if random.random() < 0.03:
        hours += random.expovariate(1 / 40.0)
    lane = ParcelLane(origin, end, carrier, service, left_at, start_point, end_point)
    delivered_at = left_at + hours * HOUR
    promised_at = left_at + timedelta(days=ceil(usual * 1.25 / 24))
    return GeneratedParcel(Journey(lane, generate_steps(lane, hours, random)), delivered_at, promised_at)


def generate_steps(lane: ParcelLane, hours: float, random: Random) -> Sequence[JourneyStep]:
    """Events on the way: picked up, some places between, out for delivery, and the door itself."""
    shares = sorted(random.uniform(0.15, 0.85) for _ in range(random.randint(1, 4)))
    moments = [(min(3.0, hours * 0.1), ShipmentStatus.PICKED_UP, 0.0)]
    moments += [(hours * share, ShipmentStatus.IN_TRANSIT, share) for share in shares]
    moments.append((hours - min(random.uniform(1.5, 8.0), hours * 0.1), ShipmentStatus.OUT_FOR_DELIVERY, 1.0))
    moments.append((hours, ShipmentStatus.DELIVERED, 1.0))
    return [
        JourneyStep(lane.dispatched_at + at * HOUR, status, point_between(lane, share))
        for at, status, share in moments
    ]


def point_between(lane: ParcelLane, share: float) -> Point | None:
    if lane.start is None or lane.end is None:
        return None
    return Point(
        lane.start.latitude + (lane.end.latitude - lane.start.latitude) * share,
        lane.start.longitude + (lane.end.longitude - lane.start.longitude) * share,
    )
