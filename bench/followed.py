"""Seconds until each of two processes finds a change: `python -m bench followed [HOW OFTEN]`.

Two processes of one machine serve a shop on PostgreSQL, with Redis and without. A product is renamed in the
database, as any command would do it, and both are asked for its new title until they have it. It prints the
median and the longest time of the slower process, and fails where one takes longer than AIMS say.
"""

import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx
from sqlalchemy import update

from bench.arguments import read_arguments
from domain.catalog.product import ProductDraft, save_products
from domain.cause import Cause
from migrations.runner import upgrade
from models import Product
from models.database import Database
from tests.process import Process, open_shop_of, process_environment, serve_shop
from tests.servers import PostgresServer, run_postgres
from tests.servers.redis import run_private_redis

ROUNDS = 20
AIMS = {True: 1.0, False: 2.0}
"""Seconds until a change is found, with Redis and without."""

PAUSE_SECONDS = 0.02
TIMEOUT_SECONDS = 30.0
FIND = "query ($query: String!) { products(query: $query, first: 1) { nodes { title } } }"


async def wait_until_found(process: Process, title: str) -> None:
    body = {"query": FIND, "variables": {"query": title}}
    async with httpx.AsyncClient(base_url=process.url, timeout=TIMEOUT_SECONDS) as http:
        while title not in (await http.post("/graphql", json=body)).text:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)


async def rename_product(database: Database, title: str) -> None:
    async with database.writes.begin() as session:
        await session.execute(update(Product).values(title=title, translations={}))


async def measure_rounds(server: PostgresServer, rounds: int, **given: str) -> list[float]:
    url = await server.create_database(f"followed_{uuid4().hex}")
    times: list[float] = []
    with TemporaryDirectory() as folder:
        env, log = process_environment(url, Path(folder), **given), Path(folder, "serve.log")
        await asyncio.to_thread(upgrade, url)
        async with open_shop_of(env) as shop, shop.database.writes.begin() as session:
            await save_products(session, [ProductDraft(slug="p", title="Lamp")], cause=Cause(shop.clock()))
        database = Database.open(url, pool_size=1)
        async with serve_shop(env, log) as one, serve_shop(env, log) as other:
            for at in range(rounds + 1):
                title = f"Zimbelstern{chr(97 + at % 26)}{chr(97 + at // 26 % 26)}"
                await rename_product(database, title)
                begun = time.perf_counter()
                async with asyncio.timeout(TIMEOUT_SECONDS), asyncio.TaskGroup() as group:
                    for process in (one, other):
                        group.create_task(wait_until_found(process, title))
                times.append(time.perf_counter() - begun)
        await database.close()
    return times[1:]  # at the first one the index is being built


def main() -> int:
    rounds = next(iter(read_arguments(__doc__).numbers), ROUNDS)
    is_late = False
    with run_postgres() as server, run_private_redis() as redis:
        for has_redis, aim in AIMS.items():
            given = {"REDIS_URL": redis.url} if has_redis else {}
            times = asyncio.run(measure_rounds(server, rounds, **given))
            name, half, longest = "with" if has_redis else "without", statistics.median(times), max(times)
            print(
                f"{name} Redis: {len(times)} changes, half of them found by both processes within"
                f" {half:.2f} s, all within {longest:.2f} s; aim {aim} s",
                flush=True,
            )
            is_late |= longest > aim
    return int(is_late)
