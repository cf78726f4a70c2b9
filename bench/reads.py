"""The cost of a page of 20 products, compared with the same page written by hand (bench/limit.py)."""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from bench.arguments import read_arguments
from bench.load import HIGH_COST_LIMITS, HIGH_RATES, Cost, LoadConnection, measure
from tests.process import ROOT, process_environment, run_cartwheel
from tests.servers import run_postgres
from tests.servers.server_folder import find_free_port

QUERY = """{ products(first: 20, sort: NEWEST) { nodes {
  id slug title category { name } media { url alt }
  variants { id sku price { amount currencyCode } availability { inStock } }
} } }"""
ROUNDS = 6
REQUESTS = 100
START_SECONDS = 30.0


@contextmanager
def run_server(port: int, env: dict[str, str], *command: str) -> Iterator[int]:
    """Run a server process until the block ends; gives its pid."""
    popen = subprocess.Popen(
        [sys.executable, "-m", *command], env=env | {"PORT": str(port)}, cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        yield popen.pid
    finally:
        popen.terminate()
        popen.wait()


def wait_until_ready(port: int, body: bytes) -> LoadConnection:
    """A connection to the server, once it accepts one; raises OSError after START_SECONDS."""
    began = time.monotonic()
    while True:
        try:
            return LoadConnection(port, body)
        except OSError:
            if time.monotonic() - began > START_SECONDS:
                raise
            time.sleep(0.1)


def main() -> None:
    read_arguments(__doc__)
    with run_postgres() as server, tempfile.TemporaryDirectory() as folder:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.create_database(name))
        try:
            run_rounds(url, Path(folder))
        finally:
            asyncio.run(server.drop_database(name))


def run_rounds(url: str, folder: Path) -> None:
    limits = HIGH_RATES | HIGH_COST_LIMITS
    env = process_environment(url, folder, DEFAULT_LANGUAGE="zh-CN", LOG_LEVEL="WARNING", **limits)
    run_cartwheel("demo", env=env).check_returncode()
    body = json.dumps({"query": QUERY}).encode()
    shop_port, limit_port = find_free_port(), find_free_port()
    with (
        run_server(shop_port, env, "cli", "serve") as shop_pid,
        run_server(limit_port, env, "bench.limit") as limit_pid,
    ):
        shop, limit = wait_until_ready(shop_port, body), wait_until_ready(limit_port, body)
        if json.loads(shop.ask())["data"] != json.loads(limit.ask())["data"]:
            raise RuntimeError("the shop and the hand-written page do not answer the same")
        rounds = [
            (
                measure(LoadConnection(shop_port, body), shop_pid, REQUESTS),
                measure(LoadConnection(limit_port, body), limit_pid, REQUESTS),
            )
            for _ in range(ROUNDS)
        ]
    print_costs([pair[0] for pair in rounds], [pair[1] for pair in rounds])


def print_costs(shop: list[Cost], limit: list[Cost]) -> None:
    print(f"20 products with everything, PostgreSQL, {ROUNDS} rounds of {REQUESTS} requests, medians")
    for name, costs in (("shop", shop), ("by hand", limit)):
        cpu, wall = (
            statistics.median(values) for values in zip(*((c.cpu, c.wall) for c in costs), strict=True)
        )
        print(f"{name:>8}: {cpu:8.0f} us CPU of the server, {wall:8.0f} us wall, a request")
    ratios = [ours.cpu / theirs.cpu for ours, theirs in zip(shop[1:], limit[1:], strict=True) if theirs.cpu]
    print(f"   ratio: {statistics.median(ratios):.1f} (CPU, shop / by hand, median of rounds)")
