"""Measures a flash sale: 5,000 buyers order 500 units of one variant in the same second, over HTTP.

One server process on PostgreSQL; the buyers are a process of its own on the same cores. Orders placed one by
one and orders placed in groups, in the same run; then as many buyers who all order another variant, so that
no row is locked by many. Each round ends with a check: exactly 500 orders, nothing oversold, `audit` clean.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from bench.arguments import read_arguments
from bench.crowd import CrowdRequest, CrowdResult, CrowdTask
from bench.load import HIGH_COST_LIMITS, HIGH_RATES, cpu_seconds
from gateways.tokens import AccessToken, write_token
from models import (
    Account,
    Base,
    Order,
    OrderLine,
    Price,
    Product,
    Role,
    SignIn,
    StockLevel,
    StockMovement,
    Variant,
)
from resolvers.ids import global_id
from tests.factories.account import create_account
from tests.factories.catalog import create_product, variant_of
from tests.process import ROOT, Process, process_environment, run_cartwheel, serve_shop
from tests.servers import run_postgres

BUYERS = 5_000
UNITS = 500
VARIANTS = 50_000
CONNECTIONS = (64, 256)
ONE_BY_ONE = {"PLACING_GROUP_LIMIT": "1"}
IN_GROUPS: Mapping[str, str] = {}
MODES = {"one by one": ONE_BY_ONE, "in groups": IN_GROUPS}
PLENTY = 100_000
WARMING = 300
"""Orders of something else before the rush: a shop does not open in the second in which the sale begins."""

NUMBERS = count(1)
HOURS = timedelta(hours=5)
"""How long the buyers stay signed in."""

PLACE = """mutation ($input: OrderPlaceInput!) {
  orderPlace(input: $input) { order { id number } userErrors { code message retryAfterSeconds } } }"""
QUOTE = """query ($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) { total { amount } } }"""
BROWSE = "{ products(first: 20) { nodes { id title priceRange { min { amount } } } } }"
ADD = """mutation ($input: CartLineAddInput!) {
  cartLineAdd(input: $input) { cart { id } userErrors { code } } }"""
ADDRESS = {
    "recipient": "林梅",
    "phone": "+8613800138000",
    "countryCode": "CN",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "line1": "文三路 100 号",
    "postalCode": "310012",
}
DELIVERIES = [{"address": {"postal": ADDRESS}, "method": "STANDARD"}]


@dataclass(frozen=True, slots=True)
class BenchStage:
    """A database with buyers and many variants."""

    url: str
    folder: Path
    tokens: Sequence[str]
    template: int
    """The variant that `variants` are copies of."""
    variants: Sequence[int]


@dataclass(frozen=True, slots=True)
class Round:
    """What was measured in one round."""

    result: CrowdResult
    orders: int
    server_cpu: float


def main() -> None:
    read_arguments(__doc__)
    with run_postgres() as server, tempfile.TemporaryDirectory() as folder:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.create_database(name))
        print(f"PostgreSQL: {server.origin}")
        try:
            asyncio.run(run(url, Path(folder)))
        finally:
            asyncio.run(server.drop_database(name))


async def run(url: str, folder: Path) -> None:
    stage = await build_stage(url, folder)
    for connections in CONNECTIONS:
        print(f"\n{BUYERS:,} buyers, {UNITS} units of one variant, {connections} connections")
        rates = {mode: await measure_rush(stage, mode, connections) for mode in MODES}
        print(f"  in groups {rates['in groups'] / rates['one by one']:.1f} times as many orders a second")
    print(f"\n{BUYERS:,} buyers of {VARIANTS:,} different variants, {CONNECTIONS[0]} connections")
    rates = {mode: await measure_spread(stage, mode, CONNECTIONS[0]) for mode in MODES}
    print(f"  in groups {rates['in groups'] / rates['one by one']:.1f} times as many orders a second")


async def measure_rush(stage: BenchStage, mode: str, connections: int) -> float:
    """All order the same variant; returns orders per second until the last unit was sold."""
    async with open_connection(stage.url) as database:
        [variant] = await copy_variants(database, stage.template, 1, units=UNITS)
    found = await measure_round(stage, mode, connections, [variant] * BUYERS)
    if found.orders != UNITS:
        raise SystemExit(f"{found.orders} orders for {UNITS} units")
    return print_round(mode, found)


async def measure_spread(stage: BenchStage, mode: str, connections: int) -> float:
    """All order another variant; returns orders per second."""
    offset = 0 if mode == "one by one" else BUYERS
    found = await measure_round(stage, mode, connections, stage.variants[offset : offset + BUYERS])
    if found.orders != BUYERS:
        raise SystemExit(f"{found.orders} orders of {BUYERS} buyers")
    return print_round(mode, found)


async def measure_round(stage: BenchStage, mode: str, connections: int, variants: Sequence[int]) -> Round:
    limits = {**HIGH_RATES, **HIGH_COST_LIMITS, **MODES[mode]}
    env = process_environment(stage.url, stage.folder, LOG_LEVEL="WARNING", **limits)
    log = stage.folder / f"server-{next(NUMBERS)}.log"
    async with serve_shop(env, log) as server:
        amount = await asyncio.to_thread(quote_total, server, stage.tokens[0], variants[0])
        requests = [
            CrowdRequest(token, order_body(variant, amount))
            for token, variant in zip(stage.tokens, variants, strict=True)
        ]
        warm = [
            CrowdRequest(token, order_body(stage.variants[-1], amount)) for token in stage.tokens[-WARMING:]
        ]
        await asyncio.to_thread(run_crowd, CrowdTask(server.port, connections, "orderPlace", warm, {}))
        before = await count_orders(stage.url)
        task = CrowdTask(server.port, connections, "orderPlace", requests, bystander_requests(stage))
        cpu = cpu_seconds(server.pid)
        result = await asyncio.to_thread(run_crowd, task)
        cpu = cpu_seconds(server.pid) - cpu
        orders = await count_orders(stage.url) - before
    await check_books(stage, set(variants))
    return Round(result, orders, cpu)


def print_round(mode: str, found: Round) -> float:
    result = found.result
    attempts = len(result.waits)
    rate = found.orders / result.ok_within
    codes = ", ".join(f"{code} {count:,}" for code, count in sorted(result.codes.items()))
    print(f"  {mode}: {codes}; BUSY {result.busy:,} times; {result.seconds:.1f} s in all")
    print(
        f"    {rate:,.0f} orders/s until the last was placed, {attempts / result.seconds:,.0f} attempts/s;"
        f" an attempt {format_percentiles(result.waits)};"
        f" a buyer, pauses included, {format_percentiles(result.ends)};"
        f" {found.server_cpu / attempts * 1000:.1f} ms CPU of the server an attempt"
    )
    print(
        "    meanwhile "
        + ", ".join(f"{name} {format_percentiles(t)}" for name, t in result.bystanders.items())
    )
    return rate


def format_percentiles(seconds: Sequence[float]) -> str:
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return "never"
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"p50 {p50 * 1000:,.0f} ms p99 {p99 * 1000:,.0f} ms"


def run_crowd(task: CrowdTask) -> CrowdResult:
    done = subprocess.run(
        [sys.executable, "-m", "bench.crowd"],
        input=json.dumps(asdict(task)), capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the crowd failed:\n{done.stderr[-3000:]}")
    return CrowdResult(**json.loads(done.stdout))


def order_body(variant: int, amount: str) -> str:
    """An order of one unit, with a key of its own."""
    given = {
        "lines": [{"variantId": global_id("Variant", variant), "quantity": 1}],
        "deliveries": DELIVERIES,
        "payments": [{"method": "SANDBOX", "amount": {"amount": amount, "currencyCode": "CNY"}}],
        "currency": "CNY",
        "idempotencyKey": uuid4().hex,
    }
    return json.dumps({"query": PLACE, "variables": {"input": given}})


def bystander_requests(stage: BenchStage) -> dict[str, CrowdRequest]:
    add = {"variantId": global_id("Variant", stage.variants[-1]), "quantity": 1}
    return {
        "browsing": CrowdRequest("", json.dumps({"query": BROWSE})),
        "filling a cart": CrowdRequest(
            stage.tokens[-1], json.dumps({"query": ADD, "variables": {"input": add}})
        ),
    }


def quote_total(server: Process, token: str, variant: int) -> str:
    """The total of an order of one unit, with shipping."""
    given = {
        "lines": [{"variantId": global_id("Variant", variant), "quantity": 1}],
        "deliveries": DELIVERIES,
        "currency": "CNY",
    }
    answer = httpx.post(
        f"{server.url}/graphql",
        json={"query": QUOTE, "variables": {"input": given}},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    ).json()
    if "errors" in answer:
        raise SystemExit(str(answer["errors"]))
    amount: str = answer["data"]["checkoutQuote"]["total"]["amount"]
    return amount


# --- the stage


def open_connection(url: str) -> Any:
    return create_async_engine(url, poolclass=sa.NullPool).begin()


async def build_stage(url: str, folder: Path) -> BenchStage:
    env = process_environment(url, folder)
    run_cartwheel("migrate", env=env).check_returncode()
    began = time.perf_counter()
    async with open_connection(url) as database, AsyncSession(bind=database) as session:
        product = await create_product(session, title="Hot", stock={"MAIN": PLENTY})
        template = (await variant_of(session, product)).id
        first = (await create_account(session, role=Role.CUSTOMER)).id
        await session.commit()
    async with open_connection(url) as database:
        others = await copy_rows(
            database, Account, first, BUYERS - 1, email=unique_text("email"), phone=sa.null()
        )
        buyers = [first, *others]
        await sign_in(database, buyers)
        made = await copy_variants(database, template, VARIANTS, units=PLENTY)
    async with create_async_engine(url, isolation_level="AUTOCOMMIT").connect() as database:
        await database.execute(sa.text("VACUUM ANALYZE"))
    print(f"{BUYERS:,} buyers and {VARIANTS:,} variants made in {time.perf_counter() - began:.0f} s")
    return BenchStage(url, folder, [token_of(each, env) for each in buyers], template, made)


async def sign_in(database: AsyncConnection, accounts: Sequence[int]) -> None:
    now = datetime.now(UTC)
    facts = {"address": "", "user_agent": "", "created_at": now, "used_at": now, "expires_at": now + HOURS}
    rows = [{"account_id": each, "family": family_of(each)} | facts for each in accounts]
    await database.execute(sa.insert(SignIn), rows)


def token_of(account_id: int, env: Mapping[str, str]) -> str:
    now = datetime.now(UTC)
    token = AccessToken(account_id, Role.CUSTOMER, family_of(account_id), now + HOURS)
    return write_token(env["SECRET_KEY"], token, now=now)


def family_of(account_id: int) -> str:
    """The family of the one sign-in of an account."""
    return f"bench-{account_id}"


async def copy_variants(database: AsyncConnection, template: int, many: int, *, units: int) -> Sequence[int]:
    """New variants, each of a product of its own, with price and stock like the template's."""
    product_id = await database.scalar(sa.select(Variant.product_id).where(Variant.id == template))
    products = await copy_rows(database, Product, product_id, many, slug=unique_text("slug"))
    variants = await copy_rows(
        database,
        Variant,
        template,
        many,
        sku=sa.null(),
        barcode=sa.null(),
        product_id=sa.literal(products[0]),
    )
    await database.execute(
        sa.update(Variant)
        .where(Variant.id.in_(sa.select(sa.func.unnest(sa.literal(variants, sa.ARRAY(sa.BigInteger))))))
        .values(product_id=products[0] + Variant.id - variants[0])
    )
    await copy_children(database, Price, template, variants)
    for counting in (StockLevel, StockMovement):
        await copy_children(database, counting, template, variants, on_hand=sa.literal(units))
    return variants


def unique_text(name: str) -> Any:
    """A different text for each copied row."""
    return sa.literal(f"{name}-{uuid4().hex}-").concat(sa.cast(sa.column("n"), sa.Text))


async def copy_rows(
    database: AsyncConnection, table: type[Base], template: Any, many: int, **changes: Any
) -> Sequence[int]:
    """Copies of a row with other values in some columns; their ids, which follow each other."""
    columns = [column for column in table.__table__.columns if column.name != "id"]
    values = [changes.get(column.name, column) for column in columns]
    numbers = sa.func.generate_series(1, many).table_valued("n").render_derived()
    rows = (
        sa.select(*values)
        .select_from(sa.join(table, numbers, sa.true()))
        .where(table.__table__.c.id == template)
        .order_by(sa.column("n"))
    )
    made = await database.execute(
        sa.insert(table)
        .from_select([column.name for column in columns], rows)
        .returning(table.__table__.c.id)
    )
    return sorted(made.scalars())


async def copy_children(
    database: AsyncConnection,
    table: type[Price] | type[StockLevel] | type[StockMovement],
    template: int,
    variants: Sequence[int],
    **changes: Any,
) -> None:
    """Copy the rows that belong to the template for each of its copies."""
    columns = [column for column in table.__table__.columns if column.name != "id"]
    ids = (
        sa.func.unnest(sa.literal(list(variants), sa.ARRAY(sa.BigInteger)))
        .table_valued("copy")
        .render_derived()
    )
    values = [(changes | {"variant_id": ids.c.copy}).get(column.name, column) for column in columns]
    rows = sa.select(*values).select_from(sa.join(table, ids, sa.true())).where(table.variant_id == template)
    await database.execute(sa.insert(table).from_select([column.name for column in columns], rows))


# --- the books


async def count_orders(url: str) -> int:
    async with open_connection(url) as database:
        return await database.scalar(sa.select(sa.func.count()).select_from(Order)) or 0


async def check_books(stage: BenchStage, variants: set[int]) -> None:
    """Exit with a message where reserved units are not those ordered, or the audit finds a disagreement."""
    async with open_connection(stage.url) as database:
        ordered = sa.select(sa.func.sum(OrderLine.quantity)).where(
            OrderLine.variant_id == StockLevel.variant_id
        )
        wrong = await database.scalar(
            sa.select(sa.func.count())
            .select_from(StockLevel)
            .where(StockLevel.variant_id.in_(variants))
            .where(
                sa.or_(
                    StockLevel.reserved > StockLevel.on_hand,
                    StockLevel.reserved != sa.func.coalesce(ordered.scalar_subquery(), 0),
                )
            )
        )
    if wrong:
        raise SystemExit(f"{wrong} levels do not agree with the orders")
    audited = await asyncio.to_thread(
        lambda: run_cartwheel("audit", env=process_environment(stage.url, stage.folder))
    )
    if audited.returncode:
        raise SystemExit(f"the books do not agree:\n{audited.stdout}{audited.stderr[-3000:]}")
