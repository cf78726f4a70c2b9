"""Replays the lives of orders of all kinds by a moved clock: `python -m bench replay [HOW MANY] [URL]`.

Orders are placed, paid, sent, claimed and given back over the API by a seeded generator, while the shop's own
timers and reactions run. It prints how each kind has ended, and fails when the books disagree at the end,
when an order has not ended, or when the shop refused a step. The database is an empty one of PostgreSQL or
SQLite; without a URL, an SQLite file in a temporary folder.
"""

import asyncio
import heapq
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import create_app
from bench.arguments import read_arguments
from bench.load import HIGH_COST_LIMITS, HIGH_RATES
from bench.replay_kinds import KINDS
from bench.replay_orders import Life, MovedClock, ReplayedShop
from bench.replay_refusals import StoryRefused
from domain.aftersales.policies import ClaimPolicyDraft, save_claim_policy
from domain.cause import Cause
from edge.gc_tuning import tune_garbage_collector
from events.jobs.carrier_queues import scheduler_of
from events.jobs.schedule import PARTNERS, SCHEDULE
from events.jobs.scheduler import Scheduler
from events.relay import Relay
from events.shipment.queues import list_called_carriers
from events.shop import Shop
from migrations.runner import upgrade
from models import (
    ClaimExclusion,
    CurrencyCode,
    Order,
    OrderStatus,
    Product,
    PromotionKind,
    PromotionScopeKind,
    Role,
    TicketReason,
    Warehouse,
)
from resolvers.ids import global_id
from settings import Settings
from tests.clients import Client, Clients
from tests.factories.account import create_account
from tests.factories.catalog import create_category, create_product, variant_of
from tests.factories.promotion import create_full_reduction, create_percent, create_promotion
from tests.given import id_of
from tests.observe import find_disagreements

ORDERS = 5_000
SEED = 20261111
STARTED_AT = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(hours=12)
"""The longest time that passes until the shop looks again at what is due."""
ORDERS_AN_HOUR = 15
LAST_DAYS = 60
"""Days after the last step of a story, in which all windows close and all timers act."""
AT_ONCE = 4
"""Orders whose next steps are taken at the same moment, as different people do."""
CUSTOMERS = 50
GOODS = 12
CNY = CurrencyCode.CNY
STOCK = {"MAIN": 1_000_000}
COUPON = "REPLAY"

REFUNDS = """{ refunds(status: PENDING, method: CASH_ON_DELIVERY, first: 100) { nodes { id reference } } }"""
CONFIRM = """mutation($input: RefundConfirmInput!) { refundConfirm(input: $input) {
  refund { status } userErrors { code message } } }"""

ENDED = {OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CLOSED}
"""COMPLETED is an end once all windows have closed, as they have at the end of a replay."""

SETTINGS = {
    "secret_key": "a secret for replays only, long enough",
    "run_worker": False,
    "default_language": "en",
    "access_token_lives": "366d",
    "guest_orders_per_hour": 1_000_000,
    "guest_carts_per_hour": 1_000_000,
    **{name.lower(): value for name, value in (HIGH_RATES | HIGH_COST_LIMITS).items()},
    "staff_cost_bucket": "1000000000",
    "staff_cost_refill": "1000000000",
}


@dataclass(slots=True)
class ReplayResult:
    """How a replay ended."""

    ends: Mapping[tuple[str, str], int]
    """Orders by kind and end."""
    unended: Sequence[str] = ()
    disagreements: Sequence[str] = ()
    refused: Sequence[str] = ()

    @property
    def is_clean(self) -> bool:
        return not (self.unended or self.disagreements or self.refused)


@dataclass(order=True, slots=True)
class NextStep:
    """When the story of an order goes on."""

    at: datetime
    index: int
    life: Life = field(compare=False)
    steps: AsyncIterator[timedelta] = field(compare=False)


async def replay(url: str, folder: Path, *, orders: int, seed: int = SEED) -> ReplayResult:
    """Replay orders in a migrated database without any."""
    clock = MovedClock(STARTED_AT)
    settings = Settings.from_environment(env_file=None, database_url=url, var_dir=str(folder), **SETTINGS)
    app = create_app(settings, clock=clock)
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        shop = clients.shop
        replayed = await furnish(clients, clock)
        lives = await tell_stories(replayed, orders, seed)
        await pass_days(replayed, LAST_DAYS)
        return await describe_ends(shop, lives)


async def furnish(clients: Clients, clock: MovedClock) -> ReplayedShop:
    """Customers, a manager, and goods on sale."""
    shop = clients.shop
    async with shop.database.writes.begin() as session:
        goods = [
            await create_product(session, prices={CNY: 1_999 + 1_030 * number}, stock=STOCK, now=clock())
            for number in range(GOODS)
        ]
        scarce = await create_product(session, stock={"MAIN": 5}, sells_when_out=True, now=clock())
        service = await create_product(session, stock=STOCK, requires_shipping=False, now=clock())
        lasting, hygienic = await create_goods_with_terms(session, clock)
        products = (*goods, scarce, service, lasting, hygienic)
        variants = [await variant_of(session, product) for product in products]
        warehouse = (await session.scalars(select(Warehouse).order_by(Warehouse.id))).first()
        assert warehouse is not None
        warehouse.allows_pickup = True
        await create_full_reduction(session, (20_000, 2_000), (50_000, 7_000))
        await create_promotion(session, PromotionKind.BUY_N_GET_M, buy=2, get=1, **of_products(goods[:4]))
        await create_percent(session, 10, code=COUPON)
        accounts = [await create_account(session, now=clock()) for _ in range(CUSTOMERS)]
    ids = [global_id("Variant", variant.id) for variant in variants]
    customers = [await clients.customer(account) for account in accounts]
    manager = await clients.staff(Role.MANAGER)
    return ReplayedShop(
        clients,
        clock,
        customers,
        manager,
        goods=ids[:GOODS],
        scarce=ids[-4],
        service=ids[-3],
        lasting=ids[-2],
        hygienic=ids[-1],
        warehouse=id_of(warehouse),
        coupon=COUPON,
    )


async def create_goods_with_terms(session: AsyncSession, clock: MovedClock) -> Sequence[Product]:
    """A good that may be returned for 30 days, and one that is not returned without a reason."""
    terms = [
        ClaimPolicyDraft({TicketReason.NO_REASON: 30}),
        ClaimPolicyDraft({}, exclusion=ClaimExclusion.OPENED_HYGIENE),
    ]
    products = []
    for draft in terms:
        category = await create_category(session)
        draft = replace(draft, category_id=category.id)
        await save_claim_policy(session, draft, version=None, cause=Cause(clock()))
        products.append(await create_product(session, category=category, stock=STOCK, now=clock()))
    return products


def of_products(products: Sequence[Product]) -> dict[str, object]:
    """The scope of a promotion of these products."""
    return {"scope": PromotionScopeKind.PRODUCTS, "scope_ids": [product.id for product in products]}


async def tell_stories(shop: ReplayedShop, orders: int, seed: int) -> list[Life]:
    """Take the steps of all stories, each at its time, while the shop's own work is done.

    Each kind is there once before one is there twice.
    """
    each = list(KINDS)[:orders]
    stories = each + Random(seed).choices(list(KINDS), list(KINDS.values()), k=orders - len(each))
    lives = [
        Life(shop, index, story.__name__, Random(f"{seed}-{index}")) for index, story in enumerate(stories)
    ]
    steps = [
        NextStep(STARTED_AT + timedelta(hours=life.index // ORDERS_AN_HOUR), life.index, life, story(life))
        for life, story in zip(lives, stories, strict=True)
    ]
    heapq.heapify(steps)
    jobs = await Jobs.of(shop.clients.shop)
    while steps:
        shop.clock.now = max(shop.clock.now, min(steps[0].at, shop.clock.now + STEP))
        due: list[NextStep] = []
        while steps and steps[0].at <= shop.clock.now and len(due) < AT_ONCE:
            due.append(heapq.heappop(steps))
        for step in await asyncio.gather(*(take_step(each) for each in due)):
            if step is not None:
                heapq.heappush(steps, step)
        if not steps or steps[0].at > shop.clock.now:
            await jobs.run()
    return lives


async def take_step(step: NextStep) -> NextStep | None:
    """Go on with a story until it pauses; None when it has ended or was refused."""
    try:
        pause = await anext(step.steps)
    except StopAsyncIteration:
        return None
    except StoryRefused as refused:
        step.life.refused = str(refused)
        return None
    return NextStep(step.life.shop.clock() + pause, step.index, step.life, step.steps)


@dataclass(frozen=True, slots=True)
class Jobs:
    """The shop's own work: events and their reactions, and what falls due."""

    relay: Relay
    schedulers: Sequence[Scheduler]

    @classmethod
    async def of(cls, shop: Shop) -> "Jobs":
        schedulers = [Scheduler(shop, SCHEDULE, partner) for partner in (None, *PARTNERS)]
        schedulers += [scheduler_of(shop, code) for code in await list_called_carriers(shop)]
        jobs = cls(Relay(shop), schedulers)
        shop.on_commit.pop()  # the relay is run here, and not woken
        return jobs

    async def run(self) -> None:
        """Do all that is due by the shop's clock."""
        while await self.relay.run_once() + sum([await each.run_once() for each in self.schedulers]):
            pass


async def pass_days(shop: ReplayedShop, days: int) -> None:
    """Let days pass on which the staff do no more than to give back what was paid in cash."""
    jobs = await Jobs.of(shop.clients.shop)
    for _ in range(days):
        shop.clock.now += timedelta(days=1)
        await confirm_refunds(shop.staff)
        await jobs.run()


async def confirm_refunds(staff: Client) -> None:
    """Confirm all refunds that are made by hand."""
    for refund in (await staff.get(REFUNDS))["refunds"]["nodes"]:
        payload = await staff.do(CONFIRM, id=refund["id"], reference=f"TRANSFER-{refund['reference']}")
        if payload["userErrors"]:
            raise StoryRefused(f"refundConfirm: {payload['userErrors']}")


async def describe_ends(shop: Shop, lives: Sequence[Life]) -> ReplayResult:
    async with shop.database.reads() as session:
        rows = (await session.execute(select(Order.number, Order.status))).all()
    status = {str(number): found for number, found in rows}
    ends = Counter((life.kind, end_of(status, life)) for life in lives)
    unended = [
        f"{number}: {found.value}, {next((life.kind for life in lives if life.number == number), 'unknown')}"
        for number, found in status.items()
        if found not in ENDED
    ]
    refused = [f"{life.number or life.index}: {life.kind}: {life.refused}" for life in lives if life.refused]
    return ReplayResult(ends, unended, await find_disagreements(shop.database), refused)


def end_of(status: Mapping[str, OrderStatus], life: Life) -> str:
    return status[life.number].value if life.number else "never placed"


def print_result(result: ReplayResult) -> None:
    for (kind, end), count in sorted(result.ends.items()):
        print(f"{kind.replace('_', ' '):32} {end:12} {count:6}")
    for title, lines in (
        ("has not ended", result.unended),
        ("the books disagree", result.disagreements),
        ("the shop refused", result.refused),
    ):
        for line in lines:
            print(f"{title}: {line}")


def main() -> int:
    arguments = read_arguments(__doc__)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    tune_garbage_collector()  # which imports leave off, as in a server before it serves
    orders, given = next(iter(arguments.numbers), ORDERS), next(iter(arguments.urls), None)
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        url = given or f"sqlite+aiosqlite:///{folder}/replay.db"
        upgrade(url)
        result = asyncio.run(replay(url, Path(folder), orders=orders))
    print_result(result)
    print(f"{orders} orders in {time.perf_counter() - began:.0f} s")
    return 0 if result.is_clean else 1
