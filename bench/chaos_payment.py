"""Payments while everything is killed and stalled: `python -m bench chaos_payment [--payments N] [--seed S]`.

It starts PostgreSQL, Redis, four processes of the shop and the servers of three payment providers. Customers
pay 2,000 orders through the front door, some twice, some after they have cancelled, while processes are
killed and stalled and providers fail, at moments that the seed chooses. When all run again and all is
settled, each provider's own book must equal the shop's. It prints how long the slowest payment took to
settle, and exits with 1 when anything is wrong, naming each.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx

from bench.chaos_books import compare_books, count_waiting_events, read_sandbox_book, read_shop_orders
from bench.chaos_processes import (
    FrontDoor,
    Victim,
    alive_process,
    ending,
    postgres_processes,
    redis_processes,
    serving_process,
)
from bench.chaos_providers import OPENINGS, ChaosProvider
from bench.chaos_stories import KINDS, METHODS, BoughtVariant, ChaosLife, ChaosWorld, Story, live
from bench.load import HIGH_COST_LIMITS, HIGH_RATES
from bench.surge import ADDRESS, DELIVERIES, QUOTE
from events.shop import Shop
from models import CurrencyCode, PaymentMethod, Role
from resolvers.ids import global_id
from tests.factories.account import create_account
from tests.factories.catalog import create_product, variant_of
from tests.factories.token import sign_in_account
from tests.process import open_shop_of, process_environment, run_cartwheel
from tests.servers import run_private_postgres, run_private_redis

PAYMENTS = 2_000
SEED = 20261129
LIMIT_SECONDS = 600.0
"""For all of it."""
LAST_SECONDS = 440.0
"""After that nobody comes any more, so that all can settle in time."""
SETTLE_SECONDS = 120.0
"""How long at most all may take to settle after everything runs again."""
SECONDS_A_PAYMENT = 0.17
AT_ONCE = 24
CUSTOMERS = 20
PRICES = (1_999, 9_900, 128_000)
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


@dataclass(slots=True)
class ChaosStage:
    """Everything that runs."""

    env: dict[str, str]
    world: ChaosWorld
    victims: dict[str, Victim]
    shop: Shop
    """In this process, to read the books with."""
    faults: int = 0


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


async def run_acts(stage: ChaosStage, acts: Sequence[ChaosAct], seed: int) -> None:
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
    stage: ChaosStage, payments: int, span: float, seed: int, *, last: float
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


async def find_wrong(stage: ChaosStage, lives: Sequence[ChaosLife]) -> list[str]:
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


async def settle(stage: ChaosStage, lives: Sequence[ChaosLife], deadline: float) -> list[str]:
    """What is still wrong when nothing more happens, or after SETTLE_SECONDS."""
    end = min(time.monotonic() + SETTLE_SECONDS, deadline)
    wrong = ["it never began to settle"]
    while time.monotonic() < end:
        try:
            for provider in stage.world.providers.values():
                await provider.end_refunds()
            wrong = await find_wrong(stage, lives)
        except Exception as error:
            wrong = [f"the books cannot be read: {error!r}"]
        if not wrong:
            break
        await asyncio.sleep(1)
    return wrong


async def describe_run(stage: ChaosStage, lives: Sequence[ChaosLife], result: ChaosResult) -> None:
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


async def furnish(shop: Shop, env: Mapping[str, str]) -> tuple[list[str], str, list[str]]:
    """Tokens of customers and of a manager, and goods on sale."""
    now = datetime.now(UTC)
    async with shop.database.writes.begin() as session:
        products = [
            await create_product(
                session, prices={CurrencyCode.CNY: price}, stock={"MAIN": 1_000_000}, now=now
            )
            for price in PRICES
        ]
        variants = [global_id("Variant", (await variant_of(session, each)).id) for each in products]
        customers = [await create_account(session, now=now) for _ in range(CUSTOMERS)]
        manager = await create_account(session, role=Role.MANAGER, now=now)
    tokens = [await sign_in_account(shop, each) for each in customers]
    return tokens, await sign_in_account(shop, manager), variants


async def run_chaos(payments: int, seed: int, span: float, folder: Path) -> ChaosResult:
    """Run it all in a folder; each server and process is its own."""
    began = time.monotonic()
    result = ChaosResult()
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(run_private_postgres())
        redis = stack.enter_context(run_private_redis())
        door = FrontDoor()
        stack.push_async_callback(close_server, await door.open())
        client = await stack.enter_async_context(
            httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None))
        )
        providers: dict[str, ChaosProvider] = {}
        url = await postgres.server.create_database(f"chaos_{uuid4().hex}")
        env = process_environment(
            url, folder, REDIS_URL=redis.url, PUBLIC_URL=door.url, SANDBOX_PAYMENTS="true",
            LOG_LEVEL="WARNING", SLOW_OPERATION="60", ACCESS_TOKEN_LIVES="3600",
            REFUSED_WEBHOOKS_PER_MINUTE="1000000", **QUICK, **HIGH_RATES, **HIGH_COST_LIMITS,
        )  # fmt: skip
        for opening in OPENINGS:
            provider, settings = await opening(folder, client, door.url)
            providers[provider.method] = provider
            env |= settings
        victims = [
            *(serving_process(f"serve-{n}", env | {"RUN_WORKER": "false"}, folder, door) for n in (1, 2)),
            *(alive_process(f"worker-{n}", env, folder) for n in (1, 2)),
            *(provider.process.victim() for provider in providers.values()),
        ]
        stack.enter_context(ending(victims))
        (await asyncio.to_thread(lambda: run_cartwheel("migrate", env=env))).check_returncode()
        shop = await stack.enter_async_context(open_shop_of(env))
        tokens, manager, variants = await furnish(shop, env)
        world = ChaosWorld(client, door.url, tokens, manager, [], ADDRESS, providers)
        victims += [postgres_processes(postgres), redis_processes(redis)]
        stage = ChaosStage(env, world, {victim.name: victim for victim in victims}, shop)
        keepers = [asyncio.create_task(victim.keep_running()) for victim in victims]
        stack.callback(lambda: [keeper.cancel() for keeper in keepers] and None)
        world.goods = [await quote(world, variant) for variant in variants]
        print(f"everything runs after {time.monotonic() - began:.0f} s", flush=True)
        acts = plan_acts(seed, span, list(stage.victims), list(providers))
        lives, _ = await asyncio.gather(
            run_lives(stage, payments, span, seed, last=began + LAST_SECONDS), run_acts(stage, acts, seed)
        )
        print(f"the last customer has gone after {time.monotonic() - began:.0f} s", flush=True)
        for provider in providers.values():
            await provider.calm()
        result.wrong = await settle(stage, lives, began + LIMIT_SECONDS)
        await describe_run(stage, lives, result)
        audited = await asyncio.to_thread(lambda: run_cartwheel("audit", env=env))
        if audited.returncode:
            result.wrong.append(f"audit: {audited.stdout}{audited.stderr[-3000:]}")
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
    result.seconds = time.monotonic() - began
    return result


async def quote(world: ChaosWorld, variant: str) -> BoughtVariant:
    """A variant with what an order of one costs."""
    answer = await world.ask(
        world.tokens[0],
        QUOTE,
        input={
            "lines": [{"variantId": variant, "quantity": 1}],
            "deliveries": DELIVERIES,
            "currency": "CNY",
        },
    )
    price = answer["total"]["amount"]
    return BoughtVariant(variant, price, int(Decimal(price) * 100))


async def close_server(server: asyncio.Server) -> None:
    server.close()


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
    parser = argparse.ArgumentParser()
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
