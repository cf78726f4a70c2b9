"""Searching among a million orders: `python -m bench orders [HOW MANY]` creates them and prints each plan.

It fails when a search reads a whole table, or sorts many more rows than a page has.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bench.arguments import read_arguments
from domain.analytics import load_units_sold
from loaders.order import OrderCriteria, OrderSort, select_orders
from loaders.page import Sort
from migrations.runner import upgrade
from models import FulfilmentStatus, OrderDisplayStatus, OrderPaymentStatus, OrderStatus
from models.database import Database
from tests.servers import run_postgres

ORDERS = 1_000_000
PAGE = 20
FAR_PAGE = 100
ROUNDS = 5
TABLES = {"orders", "order_lines", "deliveries"}

MINUTES_A_DAY = 24 * 60
STARTED_AT = datetime(2024, 1, 1, tzinfo=UTC)
CREATE_ORDERS = """
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
INSERT INTO orders (id, number, account_id, status, payment_status, fulfilment_status, currency,
  subtotal_amount, discount_amount, shipping_amount, total_amount, note, version, placed_at)
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


def searches(orders: int) -> Iterator[tuple[str, OrderCriteria, OrderSort]]:
    day = STARTED_AT + timedelta(minutes=orders // 2)
    newest = OrderSort.NEWEST
    yield "all, newest first", OrderCriteria(), newest
    yield "all, oldest first", OrderCriteria(), OrderSort.OLDEST
    yield "all, dearest first", OrderCriteria(), OrderSort.DEAREST
    yield "a customer's", OrderCriteria(account_ids=[orders // 20]), newest
    yield "by number", OrderCriteria(number=f"O{day:%y%m%d}{orders // 2 * 7919 % 100_000_000:08}"), newest
    yield "by the beginning of a number", OrderCriteria(number=f"O{day:%y%m%d}"), newest
    yield "by phone, 4 digits", OrderCriteria(phone="4321"), newest
    yield "by phone, 11 digits", OrderCriteria(phone=f"13{orders // 3 * 15485863 % 10**9:09}"), newest
    yield "by variant", OrderCriteria(variant_id=1234), newest
    yield "by product", OrderCriteria(product_ids=[617]), newest
    yield "by product, oldest first", OrderCriteria(product_ids=[617]), OrderSort.OLDEST
    yield "waiting to be paid", OrderCriteria(status=[OrderStatus.PENDING]), newest
    yield "refunded", OrderCriteria(payment_status=[OrderPaymentStatus.REFUNDED]), newest
    yield "being packed", OrderCriteria(fulfilment_status=[FulfilmentStatus.PACKING]), newest
    yield "on their way", OrderCriteria(display_status=[OrderDisplayStatus.ON_THE_WAY]), newest
    yield "of a month", OrderCriteria(placed_from=day, placed_before=day + timedelta(days=30)), newest
    cancelled = [OrderStatus.CANCELLED]
    yield (
        "cancelled of a month",
        OrderCriteria(status=cancelled, placed_from=day, placed_before=day + timedelta(days=30)),
        OrderSort.OLDEST,
    )


def select_page(statement: Select[Any], sort: Sort, after: tuple[Any, ...] | None) -> Select[Any]:
    """The statement that loaders/page.py makes for a page."""
    page = statement.add_columns(*(key.column for key in sort.keys)).limit(PAGE + 1)
    page = page.order_by(*(key.ordering for key in sort.keys))
    return page if after is None else page.where(sort.after(after))


async def explain(connection: AsyncConnection, statement: Select[Any]) -> dict[str, Any]:
    compiled = statement.compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    sql = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}".replace("%%", "%")
    plan = (await connection.exec_driver_sql(sql)).scalar_one()
    found: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]
    return found


def plan_nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from plan_nodes(below)


def find_faults(plan: dict[str, Any]) -> Iterator[str]:
    for node in plan_nodes(plan):
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in TABLES:
            yield f"reads the whole of {node['Relation Name']}"
        if node["Node Type"].endswith("Sort") and node["Plans"][0]["Actual Rows"] > SORTED_LIMIT:
            yield f"sorts {node['Plans'][0]['Actual Rows']} rows"
        if (thrown := node.get("Rows Removed by Filter", 0)) > SORTED_LIMIT:
            yield f"reads {thrown} rows in vain"


SORTED_LIMIT = 2_000
"""Rows that may be sorted or passed over: they cost less than a millisecond."""


def summary_of(plan: dict[str, Any]) -> str:
    parts = []
    for node in plan_nodes(plan):
        where = node.get("Index Name") or node.get("Relation Name")
        parts.append(f"{node['Node Type']}{f' {where}' if where else ''} ({node['Actual Rows']})")
    return " < ".join(parts)


async def measure_search(
    connection: AsyncConnection, name: str, criteria: OrderCriteria, sort_order: OrderSort
) -> list[str]:
    """Print times and plans of one search; returns its faults."""
    statement, sort = select_orders(criteria, sort_order)
    first = select_page(statement, sort, None)
    columns = len(sort.keys)
    far = list(await connection.execute(first.limit(1).offset(PAGE * FAR_PAGE)))
    pages = {"first page": first}
    if far:
        pages[f"page {FAR_PAGE}"] = select_page(statement, sort, tuple(far[0][-columns:]))
    wrong = []
    print(name)
    for page, page_statement in pages.items():
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await connection.execute(page_statement)
            times.append((time.perf_counter() - began) * 1000)
        found = await explain(connection, page_statement)
        plan, inside = found["Plan"], found["Execution Time"]
        blocks = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
        spent = f"{statistics.median(times):7.2f} ms, in the database {inside:7.2f} ms, {blocks:4} blocks"
        print(f"  {page:>10}: {spent}: {summary_of(plan)}")
        wrong += [f"{name}, {page}: {fault}" for fault in find_faults(plan)]
    return wrong


async def create_orders(url: str, orders: int) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        began = f"timestamptz '{STARTED_AT.isoformat()}'"
        for statement in CREATE_ORDERS.replace(":orders", str(orders)).replace(":began", began).split(";"):
            if statement.strip():
                await connection.exec_driver_sql(statement)
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("VACUUM ANALYZE"))
    await engine.dispose()


async def measure_searches(url: str, orders: int) -> list[str]:
    database = Database.open(url, pool_size=1)
    wrong: list[str] = []
    async with database.readers.connect() as connection:
        for name, criteria, sort_order in searches(orders):
            wrong += await measure_search(connection, name, criteria, sort_order)
    for days in (30, orders // MINUTES_A_DAY + 1):
        began = time.perf_counter()
        async with database.reads() as session:
            sold = await load_units_sold(
                session, since=STARTED_AT + timedelta(minutes=orders) - timedelta(days=days)
            )
        spent = time.perf_counter() - began
        units = sum(sold.values())
        print(f"best-selling products of {days} days: {spent:.2f} s beside the requests, {units} units")
    await database.close()
    return wrong


def main() -> int:
    orders = next(iter(read_arguments(__doc__).numbers), ORDERS)
    with run_postgres() as server:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.create_database(name))
        try:
            upgrade(url)
            began = time.perf_counter()
            asyncio.run(create_orders(url, orders))
            print(f"{orders} orders, created in {time.perf_counter() - began:.0f} s")
            wrong = asyncio.run(measure_searches(url, orders))
        finally:
            asyncio.run(server.drop_database(name))
    print("\n".join(wrong) or "Every search reads an index, and few rows more than it shows.")
    return 1 if wrong else 0
