"""What others wait while one payment provider answers nothing: `python -m bench providers_stall [--turns N]`.

One process of the shop, with its worker, on PostgreSQL and Redis of its own, and the servers of three payment
providers. Customers of all methods come at an even pace, staff refund parts, unpaid orders end, and parcels
are followed at their carrier. In every second turn Alipay takes connections and answers nothing. For all that
is not Alipay's it prints p50 and p99 of both kinds of turns, and how much the turns of one kind differ among
themselves. It exits with 1 where a p99 is more than a fifth longer than without, or something never came.
"""

import asyncio
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sqlalchemy import select

from bench.arguments import create_parser
from bench.chaos_books import count_waiting_events
from bench.chaos_processes import FrontDoor, Victim, serving_process
from bench.chaos_stories import ChaosLife, GivenUp
from bench.payment_stage import PaymentStage, open_stage, quote_all
from models import (
    Event,
    Order,
    OrderStatus,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Refund,
    RefundStatus,
    Subject,
    TrackingEvent,
)
from tests.factories.shipment import confirmed_order, pack, send

TURNS = 8
PATIENCE_SECONDS = 3.0
"""After which somebody tries again."""
SEED = 20261129
STALLED = "ALIPAY"
LIMIT = 1.2

PAUSE_SECONDS = 0.2
"""Between customers: five a second."""
COMING = ("ALIPAY", "CARD", "SANDBOX", "ALIPAY", "WECHAT_PAY", "", "CARD")
"""The methods of one customer after the other; who has none never pays."""
PARCELS_A_SECOND = 1.0
SETTLE_SECONDS = 40

UNPAID = timedelta(seconds=6)
"""An order that nobody pays ends after that."""
STALL_SETTINGS = {
    "RELAY_PAUSE": "0.5",
    "TIMER_PAUSE": "0.5",
    "UNPAID_ORDER_CLOSES_AFTER": str(UNPAID.seconds),
    "REFUND_QUERY_EVERY": "1",
    "CARRIER_POLL_EVERY": "1",
    "SIMULATED_CARRIER_STEP": "3",
}

Samples = Mapping[str, Sequence[float]]
"""Seconds, by what was waited for."""


@dataclass(frozen=True, slots=True)
class StallPlan:
    """How long a run takes."""

    turns: int
    turn_seconds: float = 20.0
    rest_seconds: float = 8.0
    """After each turn, so that what waited for the provider does not burden the next one."""
    warm_seconds: float = 10.0
    """A turn before them, of which nothing is counted."""

    @property
    def seconds(self) -> float:
        return self.warm_seconds + self.turns * (self.turn_seconds + self.rest_seconds)


@dataclass(frozen=True, slots=True)
class StallTurn:
    """When a turn was, and whether the provider answered in it."""

    stalled: bool
    began: datetime
    ended: datetime


@dataclass(slots=True)
class StallResult:
    """What others waited in turns with and without an answering provider, turn by turn."""

    answering: list[Samples] = field(default_factory=list)
    stalled: list[Samples] = field(default_factory=list)
    held_up: int = 0
    """How many calls to the provider did not end well while it was stalled."""
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Timings:
    """What customers waited at the front door: when, for what, how long."""

    seconds: list[tuple[datetime, str, float]] = field(default_factory=list)

    @contextmanager
    def measure(self, what: str) -> Iterator[None]:
        came, began = datetime.now(UTC), time.perf_counter()
        yield
        self.seconds.append((came, what, time.perf_counter() - began))


@dataclass(slots=True)
class StallRun:
    """A run under way."""

    stage: PaymentStage
    seed: int
    timings: Timings = field(default_factory=Timings)
    lives: list[ChaosLife] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    held_up: int = 0

    async def run_turn(self, seconds: float, *, stalled: bool) -> StallTurn:
        provider = self.stage.world.providers[STALLED].process
        began, end = datetime.now(UTC), time.monotonic() + seconds
        with stalling(provider.find() if stalled else []):
            while time.monotonic() < end:
                index = len(self.lives)
                method = COMING[index % len(COMING)]
                life = ChaosLife(
                    self.stage.world, index, "pays", method or "SANDBOX", Random(f"{self.seed}-{index}"), 0.0
                )
                self.lives.append(life)
                self.tasks.append(asyncio.create_task(self.live(life, pays=bool(method))))
                await asyncio.sleep(PAUSE_SECONDS)
            ended = datetime.now(UTC)
        return StallTurn(stalled, began, ended)

    async def live(self, life: ChaosLife, *, pays: bool) -> None:
        """A customer orders and pays; then a part is refunded."""
        try:
            with self.timings.measure("order placed"):
                await life.place()
            if not pays:
                return
            if life.method == STALLED:
                await life.pay(await life.start())
            else:
                with self.timings.measure("payment started"):
                    started = await life.start()
                await life.pay(started)
            if await life.wait_for_confirmation():
                await life.refund_part("one")
        except (GivenUp, TimeoutError) as reason:
            self.held_up += life.method == STALLED
            life.given_up = str(reason) or type(reason).__name__


@contextmanager
def stalling(pids: Sequence[int]) -> Iterator[None]:
    """The kernel takes connections for a stopped process, and nobody answers."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def send_parcels(stage: PaymentStage, seconds: float) -> None:
    """Parcels that leave one after the other in the seconds to come."""
    now = datetime.now(UTC)
    async with stage.shop.database.writes.begin() as session:
        for number in range(round(seconds * PARCELS_A_SECOND)):
            leaves_at = now + timedelta(seconds=number / PARCELS_A_SECOND)
            [parcel] = await pack(session, await confirmed_order(session, now=now), now=now)
            await send(session, parcel, poll_at=leaves_at, now=leaves_at)


async def wait_until_relayed(stage: PaymentStage) -> None:
    """Until the events of sending parcels burden nobody."""
    waiting = 1
    while waiting:
        await asyncio.sleep(1)
        async with stage.shop.database.reads() as session:
            waiting = await count_waiting_events(session)


async def read_waits(stage: PaymentStage, timings: Timings) -> list[tuple[datetime, str, float]]:
    """What was waited for, at the front door and behind it, by all but those who pay by the provider."""
    waits = list(timings.seconds)
    provider = PaymentMethod(STALLED)

    def add(since: datetime, what: str, until: datetime | None) -> None:
        if until is not None:
            waits.append((since, what, (until - since).total_seconds()))

    async with stage.shop.database.reads() as session:
        theirs = set(await session.scalars(select(Payment.order_id).where(Payment.method == provider)))
        for event in await session.scalars(select(Event).where(Event.name != "order.cancelled")):
            if event.subject is not Subject.ORDER or event.subject_id not in theirs:
                add(event.occurred_at, "events relayed", event.relayed_at)
        cancelled = select(Order.id, Order.placed_at, Event.occurred_at).join_from(
            Order, Event, (Event.subject == Subject.ORDER) & (Event.subject_id == Order.id)
        )
        for order_id, placed_at, ended_at in await session.execute(
            cancelled.where(Event.name == "order.cancelled")
        ):
            if order_id not in theirs:
                add(placed_at + UNPAID, "unpaid order ended", ended_at)
        for refund, order_id in await session.execute(
            select(Refund, Payment.order_id).join(Payment, Refund.payment_id == Payment.id)
        ):
            if order_id not in theirs:
                add(refund.created_at, "refund made", refund.settled_at)
        for tracked in await session.scalars(select(TrackingEvent)):
            add(tracked.occurred_at, "parcel followed", tracked.received_at)
    return waits


async def find_unsettled(stage: PaymentStage) -> list[str]:
    """Orders, attempts and refunds that have not ended."""
    async with stage.shop.database.reads() as session:
        orders = await session.scalars(select(Order.number).where(Order.status == OrderStatus.PENDING))
        wrong = [f"{number} still waits for its payment" for number in orders]
        refunds = await session.scalars(
            select(Refund.reference).where(Refund.status != RefundStatus.SUCCEEDED)
        )
        wrong += [f"{reference} is not refunded" for reference in refunds]
        captured = select(PaymentAttempt.reference).where(PaymentAttempt.captured_at.is_not(None))
        return wrong if (await session.scalars(captured)).first() else [*wrong, "nobody has paid"]


async def run_stall(plan: StallPlan, seed: int, folder: Path) -> StallResult:
    """Turns in which all answer and turns in which one does not, one after the other."""

    def open_processes(env: dict[str, str], door: FrontDoor) -> list[Victim]:
        return [serving_process("serve", env, folder, door)]

    result = StallResult()
    async with open_stage(folder, open_processes, **STALL_SETTINGS) as stage:
        await stage.victims["serve"].start()
        await quote_all(stage.world)
        stage.world.pause_seconds = PATIENCE_SECONDS
        await send_parcels(stage, plan.seconds)
        await wait_until_relayed(stage)
        run, done = StallRun(stage, seed), list[StallTurn]()
        await run.run_turn(plan.warm_seconds, stalled=False)
        for number in range(plan.turns):
            done.append(await run.run_turn(plan.turn_seconds, stalled=bool(number % 2)))
            await asyncio.sleep(plan.rest_seconds)
        await asyncio.gather(*run.tasks)
        wrong = ["not looked at"]
        for _ in range(SETTLE_SECONDS):
            if not (wrong := await find_unsettled(stage)):
                break
            await asyncio.sleep(1)
        waits = await read_waits(stage, run.timings)
        result.held_up = run.held_up
        result.wrong = wrong + [
            f"{life.number or life.index} gave up: {life.given_up}"
            for life in run.lives
            if life.given_up and life.method != STALLED
        ]
    for turn in done:
        samples: dict[str, list[float]] = defaultdict(list)
        for since, what, seconds in waits:
            if turn.began <= since <= turn.ended:
                samples[what].append(seconds)
        (result.stalled if turn.stalled else result.answering).append(samples)
    return result


# --- what is printed


def pool(turns: Sequence[Samples], what: str) -> list[float]:
    return sorted(seconds for turn in turns for seconds in turn.get(what, ()))


def find_percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else float("nan")


def find_ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """The second p99 by the first."""
    return find_percentile(second, 99) / find_percentile(first, 99)


def find_wrong_waits(result: StallResult) -> list[str]:
    wrong = []
    for what in {what: None for turn in result.answering for what in turn}:
        plain, stalled = pool(result.answering, what), pool(result.stalled, what)
        if not stalled:
            wrong.append(f"{what}: never while {STALLED} answers nothing")
        elif (ratio := find_ratio(plain, stalled)) > LIMIT:
            wrong.append(f"{what}: p99 is {ratio:.2f} times as long while {STALLED} answers nothing")
    return wrong


def print_waits(result: StallResult) -> None:
    print(f"{'milliseconds':<20} {'number':>13} {'p50':>15} {'p99':>15}  p99 stalled/answering (answering)")
    for what in sorted({what for turn in result.answering for what in turn}):
        plain, stalled = pool(result.answering, what), pool(result.stalled, what)
        halves = [pool(result.answering[part::2], what) for part in (0, 1)]
        columns = [
            f"{find_percentile(plain, percent) * 1e3:6,.0f} /{find_percentile(stalled, percent) * 1e3:6,.0f}"
            for percent in (50, 99)
        ]
        print(
            f"{what:<20} {len(plain):5} /{len(stalled):5}  {columns[0]:>14} {columns[1]:>15}  "
            f"{find_ratio(plain, stalled):.2f} ({find_ratio(*halves):.2f})"
        )
    print(f"{result.held_up} customers of {STALLED} gave up")


def main() -> int:
    parser = create_parser(__doc__)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--seed", type=int, default=SEED)
    given, _ = parser.parse_known_args()
    with TemporaryDirectory() as folder:
        result = asyncio.run(run_stall(StallPlan(given.turns), given.seed, Path(folder)))
    print_waits(result)
    wrong = result.wrong + find_wrong_waits(result)
    for line in wrong:
        print(f"wrong: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
