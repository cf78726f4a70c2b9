"""Payments while everything is killed and stalled: `python -m bench chaos_payment [--payments N] [--seed S]`.

It starts PostgreSQL, Redis, four processes of the shop and the servers of three payment providers. Customers
pay 2,000 orders through the front door, some twice, some after they have cancelled, while processes are
killed and stalled and providers fail, at moments that the seed chooses. When all run again and all is
settled, each provider's own book must equal the shop's. It prints how long the slowest payment took to
settle, and exits with 1 when anything is wrong, naming each.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx
from sqlalchemy import update

from bench.arguments import create_parser
from bench.chaos_books import compare_books, count_waiting_events, read_sandbox_book, read_shop_orders
from bench.chaos_processes import (
    FrontDoor,
    Victim,
    alive_process,
    keeping_running,
    serving_process,
)
from bench.chaos_stories import KINDS, METHODS, ChaosLife, Story, live
from bench.payment_stage import PaymentStage, open_stage, quote_all
from events.shop import Shop
from models import PaymentMethod, Refund, RefundStatus
from tests.process import run_cartwheel

PAYMENTS = 2_000
SEED = 20261129
LIMIT_SECONDS = 600.0
"""For all of it."""
LAST_SECONDS = 440.0
"""After that nobody comes any more, so that all can settle in time."""
SETTLE_SECONDS = 120.0
"""How long at most all may take to settle after everything runs again."""
LOOKS_BEFORE_TIME_PASSES = 10
"""After so many looks at what has settled, what waits for long falls due."""
SECONDS_A_PAYMENT = 0.17
AT_ONCE = 24
CHAOS_ROUND_SECONDS = 15.0
"""In each round every process and server is hit once, and FAULTS times a provider errs."""
FAULTS = 5
STALL_SECONDS = (1.0, 5.0)
REST_SECONDS = (0.2, 2.0)

QUICK = {
    "RELAY_PAUSE": "0.5",
    "EVENT_LEASE": "3",
    "TIMER_PAUSE": "2",
    "PAYMENT_QUERY_EVERY": "3",
    "PAYMENT_ASKED_AFTER_END": "20",
    "REFUND_QUERY_EVERY": "1",
    "REFUND_RETRY_AFTER": "3",
    "UNPAID_ORDER_CLOSES_AFTER": "30",
}
"""Time passes quickly: what the shop does by the clock, it does within seconds."""


@dataclass(frozen=True, slots=True)
class ChaosAct:
    """What happens at a moment, in seconds from the beginning: `what` is kill, stall or err."""

    at: float
    victim: str
    what: str
    seconds: float


@dataclass(slots=True)
class ChaosResult:
    """How a run ended."""

    kinds: Mapping[str, int] = field(default_factory=dict)
    given_up: Mapping[str, int] = field(default_factory=dict)
    orders: Mapping[str, int] = field(default_factory=dict)
    captured: int = 0
    refunded: int = 0
    paid_twice: int = 0
    kills: Mapping[str, int] = field(default_factory=dict)
    stalls: Mapping[str, int] = field(default_factory=dict)
    faults: int = 0
    slowest_seconds: float = 0.0
    slowest: str = ""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def plan_acts(seed: int, span: float, victims: Sequence[str], methods: Sequence[str]) -> list[ChaosAct]:
    """What happens until `span` seconds have passed, the earliest first."""
    random, acts = Random(f"{seed}-chaos"), list[ChaosAct]()
    for number in range(max(1, round(span / CHAOS_ROUND_SECONDS))):
        begin, length = number * CHAOS_ROUND_SECONDS, min(span, CHAOS_ROUND_SECONDS)
        for victim in victims:
            what = random.choice(("kill", "stall"))
            seconds = random.uniform(*(REST_SECONDS if what == "kill" else STALL_SECONDS))
            acts.append(ChaosAct(begin + random.uniform(1, length), victim, what, seconds))
        for _ in range(FAULTS):
            acts.append(ChaosAct(begin + random.uniform(0, length), random.choice(methods), "err", 0))
    return sorted(acts, key=lambda act: act.at)


async def run_acts(stage: PaymentStage, acts: Sequence[ChaosAct], seed: int) -> None:
    random, began = Random(f"{seed}-faults"), time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for act in acts:
            await asyncio.sleep(max(0.0, began + act.at - time.monotonic()))
            if act.what == "err":
                stage.faults += 1
                with suppress(TimeoutError, httpx.HTTPError, ValueError):
                    await stage.world.providers[act.victim].plan_fault(random)
            elif act.what == "kill":
                stage.victims[act.victim].rest = act.seconds
                stage.victims[act.victim].kill()
            else:
                tasks.create_task(stage.victims[act.victim].stall(act.seconds))


def choose_stories(seed: int, payments: int) -> list[tuple[Story, str]]:
    """Stories and methods of payment in the order of their coming; each pair once before one comes twice."""
    random, pairs = Random(f"{seed}-lives"), list(product(KINDS, METHODS))
    weights = [KINDS[story] for story, _ in pairs]
    random.shuffle(order := list(pairs))
    more = random.choices(pairs, weights, k=max(0, payments - len(pairs)))
    return (order + more)[:payments]


async def run_lives(
    stage: PaymentStage, payments: int, span: float, seed: int, *, last: float
) -> list[ChaosLife]:
    """The customers come one after the other, nobody later than `last`; at most AT_ONCE are there at once."""
    turns, began = asyncio.Semaphore(AT_ONCE), time.monotonic()
    stories = choose_stories(seed, payments)
    lives = [
        ChaosLife(stage.world, index, story.__name__, method, Random(f"{seed}-{index}"))
        for index, (story, method) in enumerate(stories)
    ]

    async def come(life: ChaosLife) -> bool:
        await asyncio.sleep(max(0.0, began + life.index * span / payments - time.monotonic()))
        async with turns:
            if time.monotonic() > last:
                return False
            await live(life, stories[life.index][0])
            return True

    came = await asyncio.gather(*map(come, lives))
    return [life for life, has_come in zip(lives, came, strict=True) if has_come]


async def find_wrong(stage: PaymentStage, lives: Sequence[ChaosLife]) -> list[str]:
    """What is not settled, or not as the providers have it."""
    books = {PaymentMethod(method): await each.book() for method, each in stage.world.providers.items()}
    async with stage.shop.database.snapshot() as session:
        books[PaymentMethod.SANDBOX] = await read_sandbox_book(session)
        orders = await read_shop_orders(session)
        waiting = await count_waiting_events(session)
    parts = {life.number: life.parts for life in lives}
    wrong = compare_books(orders.values(), books, parts)
    wrong += [f"{life.number} is not there" for life in lives if life.number and life.number not in orders]
    return wrong + ([f"{waiting} events wait"] if waiting else [])


async def settle(stage: PaymentStage, lives: Sequence[ChaosLife], deadline: float) -> list[str]:
    """What is still wrong when nothing more happens, or after SETTLE_SECONDS."""
    end = min(time.monotonic() + SETTLE_SECONDS, deadline)
    wrong, looks = ["it never began to settle"], 0
    while time.monotonic() < end:
        looks += 1
        try:
            for provider in stage.world.providers.values():
                await provider.end_refunds()
            if looks % LOOKS_BEFORE_TIME_PASSES == 0:
                await bring_refunds_forward(stage.shop)
            wrong = await find_wrong(stage, lives)
        except Exception as error:
            wrong = [f"the books cannot be read: {error!r}"]
        if not wrong:
            break
        await asyncio.sleep(1)
    return wrong


async def bring_refunds_forward(shop: Shop) -> None:
    """Let time pass until all refunds on their way fall due: those that were tried in vain wait long."""
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        await session.execute(
            update(Refund)
            .where(Refund.status == RefundStatus.PENDING, Refund.query_at > now)
            .values(query_at=now)
        )
        await session.execute(
            update(Refund)
            .where(Refund.status == RefundStatus.FAILED, Refund.retry_at > now)
            .values(retry_at=now)
        )


async def describe_run(stage: PaymentStage, lives: Sequence[ChaosLife], result: ChaosResult) -> None:
    result.kinds = Counter(life.kind for life in lives)
    result.given_up = Counter(life.given_up.partition(":")[0][:60] for life in lives if life.given_up)
    result.kills = {name: victim.kills for name, victim in stage.victims.items()}
    result.stalls = {name: victim.stalls for name, victim in stage.victims.items()}
    result.faults = stage.faults
    async with stage.shop.database.reads() as session:
        orders = await read_shop_orders(session)
    result.orders = Counter(order.status.value for order in orders.values())
    result.captured = sum(1 for order in orders.values() for each in order.attempts if each.captured_at)
    result.refunded = sum(1 for order in orders.values() for each in order.refunds if each.settled_at)
    result.paid_twice = sum(
        1 for order in orders.values() if sum(1 for each in order.attempts if each.captured_at) > 1
    )
    for life in lives:
        settled_at = orders[life.number].settled_at if life.number in orders else None
        if life.acted_at is None or settled_at is None:
            continue
        seconds = (settled_at - life.acted_at).total_seconds()
        if seconds > result.slowest_seconds:
            result.slowest_seconds, result.slowest = seconds, f"{life.number}, {life.method} {life.kind}"


async def run_chaos(payments: int, seed: int, span: float, folder: Path) -> ChaosResult:
    """Run it all in a folder; each server and process is its own."""
    began = time.monotonic()
    result = ChaosResult()

    def open_processes(env: dict[str, str], door: FrontDoor) -> list[Victim]:
        serving = env | {"RUN_WORKER": "false"}
        return [
            *(serving_process(f"serve-{n}", serving, folder, door) for n in (1, 2)),
            *(alive_process(f"worker-{n}", env, folder) for n in (1, 2)),
        ]

    async with (
        open_stage(folder, open_processes, **QUICK) as stage,
        keeping_running(list(stage.victims.values())),
    ):
        await quote_all(stage.world)
        print(f"everything runs after {time.monotonic() - began:.0f} s", flush=True)
        acts = plan_acts(seed, span, list(stage.victims), list(stage.world.providers))
        lives, _ = await asyncio.gather(
            run_lives(stage, payments, span, seed, last=began + LAST_SECONDS), run_acts(stage, acts, seed)
        )
        print(f"the last customer has gone after {time.monotonic() - began:.0f} s", flush=True)
        for provider in stage.world.providers.values():
            await provider.calm()
        result.wrong = await settle(stage, lives, began + LIMIT_SECONDS)
        await describe_run(stage, lives, result)
        audited = await asyncio.to_thread(lambda: run_cartwheel("audit", env=stage.env))
        if audited.returncode:
            result.wrong.append(f"audit: {audited.stdout}{audited.stderr[-3000:]}")
    result.seconds = time.monotonic() - began
    return result


def print_result(result: ChaosResult) -> None:
    for title, counts in (
        ("stories", result.kinds),
        ("orders", result.orders),
        ("killed", result.kills),
        ("stalled", result.stalls),
        ("given up", result.given_up),
    ):
        print(f"{title}: " + ", ".join(f"{name} {many}" for name, many in sorted(counts.items())))
    print(
        f"{result.captured} attempts captured, {result.paid_twice} orders paid more than once, "
        f"{result.refunded} refunds; {sum(result.kills.values())} kills, "
        f"{sum(result.stalls.values())} stalls, {result.faults} faults of providers"
    )
    print(f"the slowest took {result.slowest_seconds:.1f} s to settle: {result.slowest}")
    for line in result.wrong:
        print(f"wrong: {line}")


def find_span(payments: int) -> float:
    """Over how many seconds the customers come."""
    return max(CHAOS_ROUND_SECONDS, payments * SECONDS_A_PAYMENT)


def main() -> int:
    parser = create_parser(__doc__)
    parser.add_argument("--payments", type=int, default=PAYMENTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, help="an empty one, where logs and books stay")
    given, _ = parser.parse_known_args()
    with TemporaryDirectory() as temporary:
        span, folder = find_span(given.payments), given.folder or Path(temporary)
        result = asyncio.run(run_chaos(given.payments, given.seed, span, folder))
    print_result(result)
    came = sum(result.kinds.values())
    if came < given.payments:
        print(f"only {came} of {given.payments} payments: this machine has no time for more")
    print(f"{came} payments with seed {given.seed} in {result.seconds:.0f} s")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
