"""How soon the ticket report answers among a million tickets: `python -m bench tickets [HOW MANY]`.

Creates orders, parcels and tickets on PostgreSQL, counts their days as the shop does, changes some tickets,
and prints the milliseconds of each part of the report about all of them. It fails when the whole takes more
than a second. tests/test_bench_tickets.py compares a small run with counting everything one by one.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.arguments import read_arguments
from bench.orders import STARTED_AT, create_orders
from domain.aftersales.day_counts import find_countable_days, recount_days
from loaders.analytics import DateRange
from loaders.analytics.tickets import (
    CountedDays,
    find_percentile,
    load_backlog,
    load_counted_days,
    load_open_by_agent,
    load_refunds,
    split_weeks,
    sum_agents,
    sum_counts,
)
from migrations.runner import upgrade
from models import RefundDimension
from models.database import Database
from models.sql.batches import in_batches
from tests.servers import run_postgres

TICKETS = 1_000_000
ROUNDS = 5
SLOWEST_MS = 1_000.0
ZONE = ZoneInfo("Asia/Shanghai")
AGENTS, CHANGED = 40, 10
DAYS_AT_ONCE = 20
PERCENTS = (50, 90)

CREATE_TICKETS = """
INSERT INTO warehouses (id, code, name, country_code, province, city, district, line1, position)
SELECT n, 'W' || n, 'Warehouse ' || n, 'CN', '', '', '', '', n FROM generate_series(1, 4) n;
INSERT INTO accounts (id, role, name, email, phone, password_hash, created_at)
SELECT 900000000 + n, 'SUPPORT', 'Agent ' || n, 'a' || n || '@example.com', '+86138' || lpad(n::text, 8, '0'),
  '', :began
FROM generate_series(1, :agents) n;
INSERT INTO delivery_lines (id, delivery_id, order_line_id, warehouse_id, quantity, packed, reserved)
SELECT id, order_id, id, order_id % 4 + 1, 1, 1, true FROM order_lines;
INSERT INTO shipments (id, order_id, delivery_id, warehouse_id, number, carrier, status, weight_grams,
  version, packed_at, dispatched_at)
SELECT id, id, id, id % 4 + 1, 'S' || id, (ARRAY['sf', 'zto', 'yto', 'jd', 'ems'])[id % 5 + 1], 'DELIVERED',
  200, 1, placed_at, placed_at + interval '7 hours'
FROM orders;
INSERT INTO shipment_lines (shipment_id, delivery_line_id, order_line_id, quantity)
SELECT order_id, id, id, 1 FROM order_lines;
INSERT INTO tickets (id, number, order_id, account_id, assignee_id, type, reason, status, description,
  currency, refund_amount, version, opened_at, first_answered_at, resolved_at, closed_at, reopens)
SELECT n, 'A' || n, n, account_id, 900000001 + n % :agents,
  CASE WHEN n % 9 = 0 THEN 'RESHIP' ELSE 'RETURN_REFUND' END,
  (ARRAY['NO_REASON', 'QUALITY_FAULT', 'WRONG_ITEM', 'MISSING_ITEM', 'DAMAGED'])[n * 31 % 5 + 1], status, '',
  'CNY', CASE WHEN n % 9 = 0 THEN 0 ELSE 500 END, 3, opened,
  CASE WHEN status <> 'APPLIED'
    THEN opened + interval '1 second' * (60 + n * 7919 % (86400 * (n % 3 + 1))) END,
  CASE WHEN status IN ('COMPLETED', 'CANCELLED', 'REFUSED')
    THEN opened + interval '1 second' * (86400 * 3 + n * 104729 % 864000) END,
  CASE WHEN status IN ('COMPLETED', 'CANCELLED')
    THEN opened + interval '1 second' * (86400 * 3 + n * 104729 % 864000) END,
  CASE WHEN n % 13 = 0 THEN n % 2 + 1 ELSE 0 END
FROM (
  SELECT id AS n, account_id, placed_at + interval '1 day' * (3 + id % 5) AS opened,
    CASE WHEN id % 50 = 0 THEN (ARRAY['APPLIED', 'AWAITING_RETURN', 'RETURN_SHIPPED', 'ARBITRATION'])[
        id / 50 % 4 + 1]
      WHEN id % 17 = 0 THEN 'REFUSED' WHEN id % 19 = 0 THEN 'CANCELLED' ELSE 'COMPLETED' END AS status
  FROM orders
) made;
INSERT INTO ticket_lines (ticket_id, order_line_id, quantity, currency, refund_amount)
SELECT id, id * 2, 1, 'CNY', refund_amount FROM tickets;
INSERT INTO ticket_units (ticket_id, shipment_id, delivery_line_id, quantity)
SELECT id, id, id * 2, 1 FROM tickets;
INSERT INTO ticket_ratings (ticket_id, asked_at, open_until, rating, note, rated_at)
SELECT id, closed_at + interval '1 day', closed_at + interval '15 days',
  CASE WHEN id % 3 = 0 THEN id % 7 % 5 + 1 END, '', NULL
FROM tickets WHERE status = 'COMPLETED'
"""
CHANGE_TICKETS = """
UPDATE tickets SET recount_at = resolved_at, reopens = reopens + 1
WHERE id IN (SELECT (n * :tickets / (:changed + 1)) FROM generate_series(1, :changed) n)
"""


@dataclass(frozen=True, slots=True)
class Tickets:
    """A database with tickets, and the days in which they were opened."""

    url: str
    count: int

    @property
    def days(self) -> DateRange:
        last = STARTED_AT + timedelta(minutes=self.count, days=8)
        return DateRange(STARTED_AT.astimezone(ZONE).date(), last.astimezone(ZONE).date())


async def create_tickets(url: str, count: int) -> Tickets:
    await create_orders(url, count)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        began = f"timestamptz '{STARTED_AT.isoformat()}'"
        for statement in CREATE_TICKETS.replace(":agents", str(AGENTS)).replace(":began", began).split(";"):
            await connection.exec_driver_sql(statement)
    await engine.dispose()
    return Tickets(url, count)


async def count_all_days(database: Database, tickets: Tickets) -> int:
    """Count the days as the shop does, all but the last two, and change some tickets afterwards; how many
    days."""
    now = STARTED_AT + timedelta(minutes=tickets.count, days=8)
    async with database.writes.begin() as session:
        days = await find_countable_days(session, zone=ZONE, now=now, anew=True)
    for batch in in_batches(days, DAYS_AT_ONCE):
        async with database.writes.begin() as session:
            await recount_days(session, batch, zone=ZONE)
    async with database.writes.begin() as session:
        statement = CHANGE_TICKETS.replace(":tickets", str(tickets.count)).replace(":changed", str(CHANGED))
        await session.execute(text(statement))
    async with database.readers.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("VACUUM ANALYZE"))
    return len(days)


async def measure(name: str, part: Callable[[], Awaitable[Any]]) -> float:
    """The median of some rounds, in milliseconds, which is printed."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await part()
        times.append((time.perf_counter() - began) * 1000)
    print(f"  {name:>28}: {statistics.median(times):8.1f} ms  (slowest {max(times):.1f})")
    return statistics.median(times)


async def sum_up(counted: CountedDays, days: DateRange) -> None:
    """All percentiles of all weeks and of the whole, and the agents."""
    for part in (days, *split_weeks(days)):
        counts = sum_counts(counted.of(part))
        for percent in PERCENTS:
            find_percentile(counts.answer_times, percent)
            find_percentile(counts.resolution_times, percent)
    sum_agents(counted.of(days))


async def measure_report(database: Database, days: DateRange) -> float:
    """The milliseconds of all parts of a report together."""
    reads, now = database.reads, STARTED_AT + timedelta(days=len(days))
    counted = await load_counted_days(reads, days, ZONE)
    opened = sum_counts(counted.of(days)).opened
    print(f"{opened} tickets in {len(days)} days, {len(counted.changed)} of which are counted live:")
    parts: dict[str, Callable[[], Awaitable[Any]]] = {
        "days": partial(load_counted_days, reads, days, ZONE),
        "percentiles of all weeks": partial(sum_up, counted, days),
        "backlog": partial(load_backlog, reads, now),
        "open tickets of agents": partial(load_open_by_agent, reads),
        **{
            f"refunds by {by.value.lower()}": partial(load_refunds, reads, days, ZONE, counted, by)
            for by in RefundDimension
        },
    }
    return sum([await measure(name, part) for name, part in parts.items()])


async def run(url: str, count: int) -> bool:
    began = time.perf_counter()
    tickets = await create_tickets(url, count)
    print(f"{count} tickets, created in {time.perf_counter() - began:.0f} s")
    database = Database.open(url, pool_size=2)
    try:
        began = time.perf_counter()
        days = await count_all_days(database, tickets)
        print(f"{days} days, counted in {time.perf_counter() - began:.0f} s")
        year = DateRange(tickets.days.last - timedelta(days=364), tickets.days.last)
        spent = await measure_report(database, tickets.days)
        print(f"the whole report: {spent:.0f} ms")
        print(f"of a year: {await measure_report(database, year):.0f} ms")
    finally:
        await database.close()
    return spent <= SLOWEST_MS


def main() -> int:
    count = next(iter(read_arguments(__doc__).numbers), TICKETS)
    with run_postgres() as server:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.create_database(name))
        try:
            upgrade(url)
            good = asyncio.run(run(url, count))
        finally:
            asyncio.run(server.drop_database(name))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
