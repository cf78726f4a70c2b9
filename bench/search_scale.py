"""The search of a shop of many products on PostgreSQL: the judged ones and generated ones, whole requests.

A generated product has six words of 5,000, one more that 86 % of them have, a brand of 300, one of 1,000
leaves below eight roots, four filterable attributes and a price. They are copied into the tables, their
attributes only of the first 50,000: no request reads these rows. Documents are made of the same values
without reading the tables, and those of the first products are compared with what is read.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.search import (
    DEPTH,
    FIRST,
    QUERY,
    Judgements,
    QueryDuration,
    ndcg,
    open_clients,
    percentile,
    post_request,
    request_body,
    temporary_postgres,
    time_call,
)
from bench.search_rows import (
    COMMON_WORD,
    LEAVES,
    ROOTS,
    Generator,
    all_documents,
    generated_words,
)
from edge.gc_tuning import tune_garbage_collector
from events.shop import Shop
from loaders.search import read_position
from migrations.runner import upgrade
from models import CurrencyCode
from settings import Settings
from tests.clients import Clients

REQUESTS = 40

LIST = QUERY.replace("($query: String!)", "($filter: ProductFilter)").replace(
    "query: $query", "filter: $filter"
)
SUGGEST = "query ($query: String!) { totalCount: searchSuggestions(query: $query) { __typename text } }"


AIMS = {"leaf": 15.0, "root": 30.0, "any word": 80.0, "suggestions": 15.0}
"""Milliseconds of CPU at 1,000,000 products."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests of one kind, no two of which are the same where there are enough."""

    name: str
    bodies: Sequence[bytes]


def measure_sizes(
    sizes: Sequence[int], products: Sequence[Mapping[str, Any]], judgements: Judgements
) -> None:
    """Print quality, speed and memory at each size; the database grows from one to the next."""
    with temporary_postgres() as url:
        asyncio.run(measure_growing(url, sorted(sizes), products, judgements))


async def measure_growing(
    url: str, sizes: Sequence[int], products: Sequence[Mapping[str, Any]], judgements: Judgements
) -> None:
    await asyncio.to_thread(upgrade, url)
    generated = Generator(url, products)
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings.from_environment(
                env_file=None,
                database_url=url,
                var_dir=Path(folder),
                secret_key="a secret for the bench only, long enough",
                run_worker=False,
                log_level="ERROR",
                default_language="en",
                default_currency=CurrencyCode.USD,
            )
            async with open_clients(settings) as (shop, clients):
                # the shop follows its database: it would read what is being written, and build beside us
                async with shop.product_index.turn:
                    await generated.fill(size - len(products))
                    before = own_megabytes()
                    built = await build_index(shop, generated.made)
                await measure_size(shop, clients, size, built, judgements)
                print_memory(shop, before)


async def build_index(shop: Shop, made: int) -> QueryDuration:
    began, worked = time.perf_counter(), time.process_time()
    position = await read_position(shop.database.reads)
    await shop.products.build(all_documents(shop, made), position=position.write())
    return QueryDuration(time.perf_counter() - began, time.process_time() - worked)


async def measure_size(
    shop: Shop, clients: Clients, size: int, built: QueryDuration, judgements: Judgements
) -> None:
    """Print the quality and the speed of each kind of requests."""
    guest = clients.guest()
    scores = []
    for query, judged in judgements.items():
        nodes = (await guest.get(FIRST, query=query))["products"]["nodes"]
        scores.append(ndcg([node["slug"].removeprefix("p-") for node in nodes], judged))
    quality = statistics.mean(each for each in scores if each is not None)
    print(
        f"{size:,} products: nDCG@{DEPTH} {quality:.4f}; the index was built in {built.wall:.0f} s,"
        f" {built.cpu:.0f} s of CPU",
        flush=True,
    )
    tune_garbage_collector()
    for kind in kinds_of_requests(judgements):
        await post_request(clients.app, kind.bodies[0])
        first, again = [], []
        for body in kind.bodies:
            # what other requests have been answered is not what this one costs
            shop.products.answers.forget()  # type: ignore[attr-defined]
            first.append(await time_call(post_request(clients.app, body)))
            again.append(await time_call(post_request(clients.app, body)))
        print(f"  {kind.name}: CPU {describe(first)}; asked again {describe(again)}", end="")
        print(f"; aim {aim:.0f} ms" if (aim := AIMS.get(kind.name)) else "", flush=True)


def print_memory(shop: Shop, before: float) -> None:
    mapped = mapped_megabytes(shop.settings.deployment.var_dir)
    print(
        f"  memory: {mapped:.0f} MB of the index's files, shared by the processes of a machine,"
        f" and {own_megabytes() - before:.0f} MB of the process more than before it was built",
        flush=True,
    )


def kinds_of_requests(judgements: Judgements) -> Iterator[Kind]:
    leaves = [f"leaf-{at * 11 % LEAVES}" for at in range(REQUESTS)]
    roots = [f"root-{at % ROOTS}" for at in range(REQUESTS)]
    words = generated_words()
    for name, slugs in (("leaf", leaves), ("root", roots)):
        yield Kind(name, [request_body({"filter": {"category": slug}}, LIST) for slug in slugs])
    yield Kind("any word", [request_body({"query": COMMON_WORD}, QUERY)] * REQUESTS)
    common = [f"{COMMON_WORD} {word}" for word in words[:REQUESTS]]
    yield Kind("two words", [request_body({"query": query}, QUERY) for query in common])
    yield Kind("judged queries", [request_body({"query": query}, QUERY) for query in judgements])
    typed = [word[:length] for word in words[: REQUESTS // 2] for length in (3, 5)]
    yield Kind("suggestions", [request_body({"query": word}, SUGGEST) for word in [COMMON_WORD[:4], *typed]])


def describe(times: Sequence[QueryDuration]) -> str:
    cpu = [each.cpu for each in times]
    return f"p50 {statistics.median(cpu):.1f} p99 {percentile(cpu, 0.99):.1f} ms"


def own_megabytes() -> float:
    """Memory of this process that no file backs."""
    return memory_of("/proc/self/status", "RssAnon:")


def memory_of(file: str, name: str) -> float:
    lines = Path(file).read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def mapped_megabytes(folder: Path) -> float:
    """Memory that files of the folder take in this process."""
    found, is_own = 0, False
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        name, *rest = line.split(maxsplit=5)
        if "-" in name and not name.endswith(":"):
            is_own = str(folder) in line
        elif name == "Rss:" and is_own:
            found += int(rest[0])
    return found / 1024
