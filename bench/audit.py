"""How long `cartwheel audit` takes among a million orders: `python -m bench audit [HOW MANY]`.

It prints the memory, too. The orders are those of bench/orders.py, with their books. It fails when the
correct books do not agree, or when the one row that is changed afterwards is not found.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.arguments import read_arguments
from bench.orders import ORDERS, STARTED_AT, create_orders
from migrations.runner import upgrade
from tests.process import ROOT, process_environment
from tests.servers import run_postgres

BOOKKEEPING = """
INSERT INTO warehouses (id, code, name, country_code, province, city, district, line1, position)
VALUES (1, 'MAIN', 'Main', 'CN', '', '', '', '', 1);
INSERT INTO events (name, subject, subject_id, version, payload, account_id, occurred_at, relayed_at,
  attempts)
SELECT 'order.placed', 'ORDER', id, 1, '{}', account_id, placed_at, placed_at, 1 FROM orders;
INSERT INTO payments (id, order_id, position, method, status, currency, amount, captured_amount,
  refunded_amount, reference)
SELECT id, id, 1, 'SANDBOX',
  CASE status WHEN 'PENDING' THEN 'PENDING' WHEN 'CANCELLED' THEN 'CLOSED' ELSE 'CAPTURED' END, 'CNY',
  total_amount, CASE WHEN status IN ('PENDING', 'CANCELLED') THEN 0 ELSE total_amount END,
  CASE WHEN status = 'CLOSED' THEN total_amount ELSE 0 END, number || '-1'
FROM orders;
INSERT INTO refunds (order_id, payment_id, status, currency, amount, reason, reference, attempts, created_at)
SELECT id, id, 'SUCCEEDED', 'CNY', total_amount, '', number || '-R1', 0, placed_at
FROM orders WHERE status = 'CLOSED';
INSERT INTO postings (order_id, payment_id, kind, key, created_at)
SELECT id, CASE WHEN kind IN ('CAPTURED', 'REFUNDED') THEN id END, kind, kind || ':' || number, placed_at
FROM orders JOIN (VALUES ('INVOICED'), ('CAPTURED'), ('CREDITED'), ('REFUNDED')) kinds (kind)
  ON kind = 'INVOICED' OR kind = 'CAPTURED' AND status NOT IN ('PENDING', 'CANCELLED')
  OR kind = 'CREDITED' AND status IN ('CANCELLED', 'CLOSED') OR kind = 'REFUNDED' AND status = 'CLOSED';
INSERT INTO ledger_entries (posting_id, order_id, account, currency, amount)
SELECT postings.id, order_id, account, 'CNY', sign * total_amount
FROM postings JOIN orders ON orders.id = order_id
JOIN (VALUES ('INVOICED', 'CUSTOMER', 1), ('INVOICED', 'SALES', -1), ('CAPTURED', 'PROVIDER', 1),
  ('CAPTURED', 'CUSTOMER', -1), ('CREDITED', 'SALES', 1), ('CREDITED', 'CUSTOMER', -1),
  ('REFUNDED', 'CUSTOMER', 1), ('REFUNDED', 'PROVIDER', -1)) sides (side, account, sign) ON side = kind;
INSERT INTO delivery_lines (id, delivery_id, order_line_id, warehouse_id, quantity, packed, reserved)
SELECT order_lines.id, order_id, order_lines.id, 1, 1,
  CASE WHEN status IN ('COMPLETED', 'CLOSED') THEN 1 ELSE 0 END, true
FROM order_lines JOIN orders ON orders.id = order_id;
INSERT INTO shipments (id, order_id, delivery_id, warehouse_id, number, status, weight_grams, version,
  packed_at, dispatched_at)
SELECT id, id, id, 1, 'S' || id, 'DELIVERED', 200, 1, placed_at, placed_at
FROM orders WHERE status IN ('COMPLETED', 'CLOSED');
INSERT INTO shipment_lines (shipment_id, delivery_line_id, order_line_id, quantity)
SELECT order_id, order_lines.id, order_lines.id, 1
FROM order_lines JOIN shipments USING (order_id);
INSERT INTO stock_movements (variant_id, warehouse_id, kind, on_hand, reserved, damaged, reason, order_id,
  created_at)
SELECT id, 1, 'RECEIVED', 1000000, 0, 0, '', NULL, :began FROM variants
UNION ALL
SELECT variant_id, 1, kind, on_hand, reserved, 0, '', order_id, placed_at
FROM order_lines JOIN orders ON orders.id = order_id
JOIN (VALUES ('RESERVED', 0, 1), ('RELEASED', 0, -1), ('SHIPPED', -1, -1)) acts (kind, on_hand, reserved)
  ON kind = 'RESERVED' OR kind = 'RELEASED' AND status = 'CANCELLED'
  OR kind = 'SHIPPED' AND status IN ('COMPLETED', 'CLOSED');
INSERT INTO stock_levels (variant_id, warehouse_id, on_hand, reserved, damaged)
SELECT variant_id, 1, sum(on_hand), sum(reserved), 0 FROM stock_movements GROUP BY variant_id
"""
TAMPERING = """
UPDATE orders SET payment_status = 'PARTIALLY_PAID' WHERE id = (SELECT max(id) FROM orders) RETURNING number
"""


async def keep_books(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in BOOKKEEPING.replace(":began", f"timestamptz '{STARTED_AT.isoformat()}'").split(";"):
            await connection.exec_driver_sql(statement)
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("VACUUM ANALYZE"))
    await engine.dispose()


async def tamper(url: str) -> str:
    """Set a wrong payment status on the newest order; returns its number."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        number: str = (await connection.exec_driver_sql(TAMPERING)).scalar_one()
    await engine.dispose()
    return number


def run_audit(url: str, folder: Path) -> tuple[int, str]:
    """Run the audit in a process; print its time and peak memory, return its exit code and output."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "audit"],
        env=process_environment(url, folder),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        output = running.stdout.read().strip()
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    print(f"audited in {seconds:.1f} s with {used.ru_maxrss / 1024:.0f} MB: {output}")
    return running.returncode, output


def main() -> int:
    orders = next(iter(read_arguments(__doc__).numbers), ORDERS)
    with run_postgres() as server, TemporaryDirectory() as folder:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.create_database(name))
        try:
            upgrade(url)
            began = time.perf_counter()
            asyncio.run(create_orders(url, orders))
            asyncio.run(keep_books(url))
            print(f"{orders} orders and their books, made in {time.perf_counter() - began:.0f} s")
            correct, _ = run_audit(url, Path(folder))
            number = asyncio.run(tamper(url))
            tampered, output = run_audit(url, Path(folder))
        finally:
            asyncio.run(server.drop_database(name))
    return 0 if (correct, tampered) == (0, 1) and number in output else 1
