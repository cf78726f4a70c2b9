"""What a page of 20 products costs, beside the same page written by hand (bench/limit.py), in one run."""

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

from bench.load import Asker, Cost, measure
from tests.process import ROOT, cartwheel, environment
from tests.servers import postgres
from tests.servers.den import free_port

QUERY = """{ products(first: 20, sort: NEWEST) { nodes {
  id slug title category { name } media { url alt }
  variants { id sku price { amount currencyCode } availability { inStock } }
} } }"""
ROUNDS = 6
REQUESTS = 100
START_SECONDS = 30.0


@contextmanager
def started(port: int, env: dict[str, str], *command: str) -> Iterator[int]:
    """A server process until the block ends; its pid."""
    popen = subprocess.Popen(
        [sys.executable, "-m", *command], env=env | {"PORT": str(port)}, cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        yield popen.pid
    finally:
        popen.terminate()
        popen.wait()


def ready(port: int, body: bytes) -> Asker:
    began = time.monotonic()
    while True:
        try:
            return Asker(port, body)
        except OSError:
            if time.monotonic() - began > START_SECONDS:
                raise
            time.sleep(0.1)


def main() -> None:
    with postgres() as server, tempfile.TemporaryDirectory() as folder:
        name = f"bench_{uuid4().hex}"
        url = asyncio.run(server.new_database(name))
        try:
            run(url, Path(folder))
        finally:
            asyncio.run(server.drop_database(name))


def run(url: str, folder: Path) -> None:
    env = environment(url, folder, DEFAULT_LANGUAGE="zh-CN", LOG_LEVEL="WARNING")
    cartwheel("demo", env=env).check_returncode()
    body = json.dumps({"query": QUERY}).encode()
    shop_port, limit_port = free_port(), free_port()
    with (
        started(shop_port, env, "cli", "serve") as shop_pid,
        started(limit_port, env, "bench.limit") as limit_pid,
    ):
        shop, limit = ready(shop_port, body), ready(limit_port, body)
        if json.loads(shop.ask()) != json.loads(limit.ask()):
            raise RuntimeError("the shop and the hand-written page do not answer the same")
        rounds = [
            (
                measure(Asker(shop_port, body), shop_pid, REQUESTS),
                measure(Asker(limit_port, body), limit_pid, REQUESTS),
            )
            for _ in range(ROUNDS)
        ]
    tell([pair[0] for pair in rounds], [pair[1] for pair in rounds])


def tell(shop: list[Cost], limit: list[Cost]) -> None:
    print(f"20 products with everything, PostgreSQL, {ROUNDS} rounds of {REQUESTS} requests, medians")
    for name, costs in (("shop", shop), ("by hand", limit)):
        cpu, wall = (
            statistics.median(values) for values in zip(*((c.cpu, c.wall) for c in costs), strict=True)
        )
        print(f"{name:>8}: {cpu:8.0f} us CPU of the server, {wall:8.0f} us wall, a request")
    ratios = [ours.cpu / theirs.cpu for ours, theirs in zip(shop[1:], limit[1:], strict=True) if theirs.cpu]
    print(f"   ratio: {statistics.median(ratios):.1f} (CPU, shop / by hand, median of rounds)")
