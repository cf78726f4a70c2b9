"""Finding orders among a million: `python -m bench orders [HOW MANY]` makes them, asks, and prints each plan.

It fails when a search reads a whole table, or sorts more than a page.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from domain.insight import units_sold
from loaders.order import OrderSort, OrdersWanted, orders_wanted
from loaders.page import Sort
from migrations.runner import upgrade
from models import FulfilmentStatus, OrderHeadline, OrderPaymentStatus, OrderStatus
from models.database import Database
from tests.servers import postgres

ORDERS = 1_000_000
PAGE = 20
FAR = 100
ROUNDS = 5
TABLES = {"orders", "order_lines", "deliveries"}

MINUTES_A_DAY = 24 * 60
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
MADE = """
INSERT INTO accounts (id, role, name, email, phone, password_hash, created_at)
SELECT n, 'CUSTOMER', 'Customer ' || n, 'c' || n || '@example.com', '+86139' || lpad(n::text, 8, '0'), '',
  :began
FROM generate_series(1::bigint, :orders / 10 + 1) n;
INSERT INTO products (id, slug, title, description, brand, product_type, status, tags, seo_title,
  seo_description, translations, columns, version, created_at, updated_at)
SELECT n, 'p' || n, 'Product ' || n, '', '', '', 'ACTIVE', '[]', '', '', '{}', '{}', 1, :began, :began
FROM generate_series(1::bigint, 2000) n;
INSERT INTO variants (id, product_id, position, sku, options, weight_grams, weight_unit, tracked,
  sells_when_out, requires_shipping, taxable, columns)
SELECT n, (n - 1) / 2 + 1, n % 2 + 1, 'SKU-' || n, '[]', 100, 'g', true, false, true, true, '{}'
FROM generate_series(1::bigint, 4000) n;
INSERT INTO orders (id, number, account_id, status, payment_status, fulfilment_status, currency, goods_amount,
  discount_amount, shipping_amount, total_amount, note, version, placed_at)
SELECT n, 'O' || to_char(placed, 'YYMMDD') || lpad((n * 7919 % 100000000)::text, 8, '0'), account, status,
  CASE status WHEN 'PENDING' THEN 'UNPAID' WHEN 'CANCELLED' THEN 'UNPAID' WHEN 'CLOSED' THEN 'REFUNDED'
    ELSE 'PAID' END,
  CASE WHEN status = 'COMPLETED' THEN 'DELIVERED' WHEN status <> 'CONFIRMED' THEN 'UNFULFILLED'
    ELSE (ARRAY['UNFULFILLED', 'PACKING', 'PARTIALLY_SHIPPED', 'SHIPPED', 'DELIVERED'])[n % 5 + 1] END,
  'CNY', total, 0, 0, total, '', 1, placed
FROM (
  SELECT n, :began + n * interval '1 minute' AS placed, (n * 7907) % (:orders / 10) + 1 AS account,
    1000 + (n * 104729) % 500000 AS total,
    CASE WHEN n > :orders * 0.999 THEN 'PENDING' WHEN n > :orders * 0.98 THEN 'CONFIRMED'
      WHEN n % 50 = 0 THEN 'CANCELLED' WHEN n % 97 = 0 THEN 'CLOSED' ELSE 'COMPLETED' END AS status
  FROM generate_series(1::bigint, :orders) n
) made;
INSERT INTO order_lines (id, order_id, position, product_id, variant_id, sku, title, options, weight_grams,
  currency, unit_amount, quantity, discount_amount, discounts)
SELECT n, (n - 1) / 2 + 1, n % 2 + 1, (variant - 1) / 2 + 1, variant, 'SKU-' || variant,
  'Product ' || (variant - 1) / 2 + 1, '[]', 100, 'CNY',
  500 + n % 2 * ((n - 1) / 2 + 1) * 104729 % 500000, 1, 0, '[]'
FROM (SELECT n, (n * 6151) % 4000 + 1 AS variant FROM generate_series(1::bigint, :orders * 2) n) made;
INSERT INTO deliveries (id, order_id, position, method, currency, fee_amount, discount_amount, discounts,
  recipient, phone, country_code, province, city, district, line1, line2, postal_code)
SELECT n, n, 1, 'STANDARD', 'CNY', 0, 0, '[]', 'R',
  '+8613' || lpad((n * 15485863 % 1000000000)::text, 9, '0'), 'CN', '', '', '', '', '', ''
FROM generate_series(1::bigint, :orders) n;
"""


def searches(orders: int) -> Iterator[tuple[str, OrdersWanted, OrderSort]]:
    day = BEGAN + timedelta(minutes=orders // 2)
    newest = OrderSort.NEWEST
    yield "all, newest first", OrdersWanted(), newest
    yield "all, oldest first", OrdersWanted(), OrderSort.OLDEST
    yield "all, dearest first", OrdersWanted(), OrderSort.DEAREST
    yield "a customer's", OrdersWanted(account_ids=[orders // 20]), newest
    yield "by number", OrdersWanted(number=f"O{day:%y%m%d}{orders // 2 * 7919 % 100_000_000:08}"), newest
    yield "by the beginning of a number", OrdersWanted(number=f"O{day:%y%m%d}"), newest
    yield "by phone, 4 digits", OrdersWanted(phone="4321"), newest
    yield "by phone, 11 digits", OrdersWanted(phone=f"13{orders // 3 * 15485863 % 10**9:09}"), newest
    yield "by variant", OrdersWanted(variant_id=1234), newest
    yield "by product", OrdersWanted(product_ids=[617]), newest
    yield "by product, oldest first", OrdersWanted(product_ids=[617]), OrderSort.OLDEST
    yield "waiting to be paid", OrdersWanted(status=[OrderStatus.PENDING]), newest
    yield "refunded", OrdersWanted(payment_status=[OrderPaymentStatus.REFUNDED]), newest
    yield "being packed", OrdersWanted(fulfilment_status=[FulfilmentStatus.PACKING]), newest
    yield "on their way", OrdersWanted(headline=[OrderHeadline.ON_THE_WAY]), newest
    yield "of a month", OrdersWanted(placed_from=day, placed_before=day + timedelta(days=30)), newest
    cancelled = [OrderStatus.CANCELLED]
    yield (
        "cancelled of a month",
        OrdersWanted(status=cancelled, placed_from=day, placed_before=day + timedelta(days=30)),
        OrderSort.OLDEST,
    )


def of_page(statement: Select[Any], sort: Sort, after: tuple[Any, ...] | None) -> Select[Any]:
    """What loaders/page.py asks for a page."""
    wanted = statement.add_columns(*(key.column for key in sort.keys)).limit(PAGE + 1)
    wanted = wanted.order_by(*(key.ordering for key in sort.keys))
    return wanted if after is None else wanted.where(sort.after(after))


async def explained(connection: AsyncConnection, statement: Select[Any]) -> dict[str, Any]:
    compiled = statement.compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    sql = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}".replace("%%", "%")
    plan = (await connection.exec_driver_sql(sql)).scalar_one()
    found: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def faults(plan: dict[str, Any]) -> Iterator[str]:
    for node in nodes(plan):
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in TABLES:
            yield f"reads the whole of {node['Relation Name']}"
        if node["Node Type"].endswith("Sort") and node["Plans"][0]["Actual Rows"] > SORTED_LIMIT:
            yield f"sorts {node['Plans'][0]['Actual Rows']} rows"
        if (thrown := node.get("Rows Removed by Filter", 0)) > SORTED_LIMIT:
            yield f"reads {thrown} rows in vain"


SORTED_LIMIT = 2_000
"""Rows sorted or passed over that still cost less than a millisecond: one day's orders, one phone's."""


def summary(plan: dict[str, Any]) -> str:
    parts = []
    for node in nodes(plan):
        where = node.get("Index Name") or node.get("Relation Name")
        parts.append(f"{node['Node Type']}{f' {where}' if where else ''} ({node['Actual Rows']})")
    return " < ".join(parts)


async def measured(
    connection: AsyncConnection, name: str, wanted: OrdersWanted, sorting: OrderSort
) -> list[str]:
    """Print one search; what is wrong with it."""
    statement, sort = orders_wanted(wanted, sorting)
    first = of_page(statement, sort, None)
    columns = len(sort.keys)
    far = list(await connection.execute(first.limit(1).offset(PAGE * FAR)))
    pages = {"first page": first}
    if far:
        pages[f"page {FAR}"] = of_page(statement, sort, tuple(far[0][-columns:]))
    wrong = []
    print(name)
    for page, asked in pages.items():
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await connection.execute(asked)
            times.append((time.perf_counter() - began) * 1000)
        found = await explained(connection, asked)
        plan, inside = found["Plan"], found["Execution Time"]
        blocks = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
        spent = f"{statistics.median(times):7.2f} ms, in the database {inside:7.2f} ms, {blocks:4} blocks"
        print(f"  {page:>10}: {spent}: {summary(plan)}")
        wrong += [f"{name}, {page}: {fault}" for fault in faults(plan)]
    return wrong


async def made(url: str, orders: int) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        began = f"timestamptz '{BEGAN.isoformat()}'"
        for statement in MADE.replace(":orders", str(orders)).replace(":began", began).split(";"):
            if statement.strip():
                await connection.exec_driver_sql(statement)
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("VACUUM ANALYZE"))
    await engine.dispose()


async def asked(url: str, orders: int) -> list[str]:
    database = Database.open(url, pool_size=1)
    wrong: list[str] = []
    async with database.readers.connect() as connection:
        for name, wanted, sorting in searches(orders):
            wrong += await measured(connection, name, wanted, sorting)
    for days in (30, orders // MINUTES_A_DAY + 1):
        began = time.perf_counter()
        async with database.reads() as session:
            sold = await units_sold(session, since=BEGAN + timedelta(minutes=orders) - timedelta(days=days))
        spent = time.perf_counter() - began
        units = sum(sold.values())
        print(f"what sells best, of {days} days: {spent:.2f} s beside the requests, {units} units")
    await database.close()
    return wrong


def main() -> int:
    orders = next((int(each) for each in sys.argv[1:] if each.isdigit()), ORDERS)
    with postgres() as server:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.new_database(name))
        try:
            upgrade(url)
            began = time.perf_counter()
            asyncio.run(made(url, orders))
            print(f"{orders} orders, made in {time.perf_counter() - began:.0f} s")
            wrong = asyncio.run(asked(url, orders))
        finally:
            asyncio.run(server.drop_database(name))
    print("\n".join(wrong) or "Every search reads an index, and little more of it than it shows.")
    return 1 if wrong else 0
