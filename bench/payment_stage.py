"""A shop with real servers behind it and the servers of three payment providers, for a bench of payments."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import httpx

from bench.chaos_processes import FrontDoor, Victim, ending, postgres_processes, redis_processes
from bench.chaos_providers import OPENINGS, ChaosProvider
from bench.chaos_stories import BoughtVariant, ChaosWorld
from bench.load import HIGH_COST_LIMITS, HIGH_RATES
from bench.surge import ADDRESS, DELIVERIES, QUOTE
from events.shop import Shop
from models import CurrencyCode, Role
from resolvers.ids import global_id
from tests.factories.account import create_account
from tests.factories.catalog import create_product, variant_of
from tests.factories.token import sign_in_account
from tests.process import open_shop_of, process_environment, run_cartwheel
from tests.servers import run_private_postgres, run_private_redis

CUSTOMERS = 20
PRICES = (1_999, 9_900, 128_000)
PLENTY = 1_000_000


@dataclass(slots=True)
class PaymentStage:
    """Everything that runs."""

    env: dict[str, str]
    world: ChaosWorld
    victims: dict[str, Victim]
    shop: Shop
    """In this process, to read the books with."""
    faults: int = 0


@asynccontextmanager
async def open_stage(
    folder: Path, open_processes: Callable[[dict[str, str], FrontDoor], Sequence[Victim]], **changes: str
) -> AsyncIterator[PaymentStage]:
    """Run it all in a folder during the block; each server and process is its own.

    The processes of the shop have these changes of settings; they do not run yet when the block begins.
    """
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(run_private_postgres())
        redis = stack.enter_context(run_private_redis())
        door = FrontDoor()
        server = await door.open()
        stack.callback(server.close)
        client = await stack.enter_async_context(
            httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None))
        )
        url = await postgres.server.create_database(f"payments_{uuid4().hex}")
        env = process_environment(
            url, folder, REDIS_URL=redis.url, PUBLIC_URL=door.url, SANDBOX_PAYMENTS="true",
            LOG_LEVEL="WARNING", SLOW_OPERATION="60", ACCESS_TOKEN_LIVES="3600",
            REFUSED_WEBHOOKS_PER_MINUTE="1000000", **HIGH_RATES, **HIGH_COST_LIMITS, **changes,
        )  # fmt: skip
        providers: dict[str, ChaosProvider] = {}
        for opening in OPENINGS:
            provider, settings = await opening(folder, client, door.url)
            providers[provider.method] = provider
            env |= settings
        victims = [
            *open_processes(env, door),
            *(provider.process.victim() for provider in providers.values()),
        ]
        stack.enter_context(ending(victims))
        (await asyncio.to_thread(lambda: run_cartwheel("migrate", env=env))).check_returncode()
        shop = await stack.enter_async_context(open_shop_of(env))
        tokens, manager, variants = await furnish(shop)
        world = ChaosWorld(client, door.url, tokens, manager, variants, [], ADDRESS, providers)
        victims += [postgres_processes(postgres), redis_processes(redis)]
        yield PaymentStage(env, world, {victim.name: victim for victim in victims}, shop)


async def furnish(shop: Shop) -> tuple[list[str], str, list[str]]:
    """Tokens of customers and of a manager, and variants on sale."""
    now = datetime.now(UTC)
    async with shop.database.writes.begin() as session:
        products = [
            await create_product(session, prices={CurrencyCode.CNY: price}, stock={"MAIN": PLENTY}, now=now)
            for price in PRICES
        ]
        variants = [global_id("Variant", (await variant_of(session, each)).id) for each in products]
        customers = [await create_account(session, now=now) for _ in range(CUSTOMERS)]
        manager = await create_account(session, role=Role.MANAGER, now=now)
    tokens = [await sign_in_account(shop, each) for each in customers]
    return tokens, await sign_in_account(shop, manager), variants


async def quote_all(world: ChaosWorld) -> None:
    """Ask the running shop what an order of one of each variant costs."""
    world.goods = [await quote(world, variant) for variant in world.variants]


async def quote(world: ChaosWorld, variant: str) -> BoughtVariant:
    """A variant with what an order of one costs."""
    lines: Sequence[Mapping[str, object]] = [{"variantId": variant, "quantity": 1}]
    answer = await world.ask(
        world.tokens[0], QUOTE, input={"lines": lines, "deliveries": DELIVERIES, "currency": "CNY"}
    )
    price = answer["total"]["amount"]
    return BoughtVariant(variant, price, int(Decimal(price) * 100))
