"""Quality and speed of the search on both databases: 19,406 products, 75 queries, 2,033 judgements.

SEARCH_DATA names the folder with `products.jsonl.gz` and `judgements.csv` (querqy/chorus, Open Icecat).
It prints, for each database:

- nDCG@10 with gains 2^rating - 1; a product without a judgement counts as useless, the ideal list is made of
  all judged products. For 10 of the 75 queries nobody judged any product useful: nDCG is not defined for
  them, they count 0 in "all" and are left out of "judged". The aim (0.80) is measured on "judged".
- the same over random halves of the queries: how much it depends on single queries.
- milliseconds of the whole `products` query (20 products, totalCount, all facets) from request to answer as
  the ASGI application makes it, and of the loaders alone; every query in turn, in rounds.

Numbers as arguments (`python -m bench search 20000 100000 1000000`) are sizes of a shop on PostgreSQL that
has generated products beside the judged ones: see `bench.search_scale`.

Addresses of databases as arguments (`python -m bench search ADDRESS...`) are used instead of new ones: those
already loaded are not loaded again.

No boost is tuned to a query: those in loaders/search/fields.py are round numbers.
"""

import asyncio
import csv
import gzip
import json
import math
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import uvloop
from sqlalchemy import exists, make_url, select
from starlette.applications import Starlette
from starlette.types import Message

from app import create_app
from bench.arguments import read_arguments
from domain.catalog.product import PriceDraft, ProductDraft, VariantDraft, save_products
from domain.cause import Cause
from edge.gc_tuning import tune_garbage_collector
from edge.logs import configure_logging
from events.shop import Shop
from loaders.listing import ProductCriteria, ProductSort, count_products, load_facets, load_product_page
from loaders.page import FIRST_PAGE
from loaders.search import plan_query
from migrations.runner import upgrade
from models import Attribute, AttributeType, CurrencyCode, Money, Product
from models.sql.batches import in_batches
from settings import Settings
from tests.clients import Clients
from tests.process import ROOT
from tests.servers import run_postgres

FOLDER = Path(os.environ.get("SEARCH_DATA", ROOT.parent / "shared/data/search"))
DEPTH = 10
ROUNDS = 5
HALVES = 200
SEED = 1
BATCH = 1_000
KINDS = {"attr_t_": AttributeType.TEXT, "attr_n_": AttributeType.NUMBER, "attr_b_": AttributeType.BOOLEAN}
COMMON_SHARE = 0.01
"""The share of products that must have an attribute for it to be filterable."""

CHOICES_LIMIT = 100
"""Values of a filterable attribute, at most."""

TEXT_LIMIT = 2_000
QUERY = """query ($query: String!) { products(query: $query, first: 20) {
  totalCount
  nodes { id slug title brand priceRange { min { amount currencyCode } } }
  facets {
    categories { category { id name } count }
    brands { brand count }
    price { min { amount } max { amount } }
    attributes { attribute { code name } values { value label count selected } }
  } } }"""
FIRST = """query ($query: String!) { products(query: $query, first: 10) { nodes { slug } } }"""

Judgements = Mapping[str, Mapping[str, int]]
Ranking = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class SearchMeasurement:
    """The measurement of one database."""

    ranking: Ranking
    loading: float
    """Seconds until all products are in the database."""
    indexing: float
    """Seconds after that until all are found."""
    requests: Sequence["QueryDuration"]
    loaders: Sequence["QueryDuration"]


class QueryDuration(NamedTuple):
    """Milliseconds of one query, by the clock, and of this process's CPU alone."""

    wall: float
    cpu: float


def main() -> None:
    given = read_arguments(__doc__)
    if not (FOLDER / "products.jsonl.gz").exists():
        print(f"There is no products.jsonl.gz in {FOLDER}: set SEARCH_DATA to its folder.", file=sys.stderr)
        raise SystemExit(2)
    judgements = read_judgements(FOLDER)
    products = read_products(FOLDER)
    if given.numbers:
        from bench.search_scale import measure_sizes

        measure_sizes(given.numbers, products, judgements)
        return
    found: dict[str, SearchMeasurement] = {}
    for name, url in databases(given.urls):
        found[name] = uvloop.run(measure_search(url, products, judgements))  # as the serving process has it
        print_measurement(name, found[name], judgements, len(products))
    if len(found) < 2:
        return
    one, other, *_ = (each.ranking for each in found.values())
    same = sum(one[query] == other[query] for query in judgements)
    print(f"The first {DEPTH} are the same on both databases for {same} of {len(judgements)} queries.")


def databases(given: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and URL of these databases, else of a new temporary one each."""
    if given:
        yield from ((make_url(url).get_backend_name(), url) for url in given)
        return
    with tempfile.TemporaryDirectory() as folder, temporary_postgres() as url:
        yield "SQLite", f"sqlite+aiosqlite:///{folder}/search.db"
        yield "PostgreSQL", url


@contextmanager
def temporary_postgres() -> Iterator[str]:
    name = f"bench_{uuid4().hex}"
    with run_postgres() as server:
        url = asyncio.run(server.create_database(name))
        try:
            yield url
        finally:
            asyncio.run(server.drop_database(name))


async def measure_search(
    url: str, products: Sequence[Mapping[str, Any]], judgements: Judgements
) -> SearchMeasurement:
    await asyncio.to_thread(upgrade, url)
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
            began = time.perf_counter()
            if not await has_products(shop):
                await load_products(shop, products)
            loading = time.perf_counter() - began
            began = time.perf_counter()
            await shop.product_index.ready(newest=True)
            indexing = time.perf_counter() - began
            guest = clients.guest()
            ranking = {}
            for query in judgements:
                nodes = (await guest.get(FIRST, query=query))["products"]["nodes"]
                ranking[query] = [node["slug"].removeprefix("p-") for node in nodes]
                await guest.get(QUERY, query=query)
            tune_garbage_collector()
            bodies = [request_body({"query": query}) for query in judgements]
            requests = [
                await time_call(post_request(clients.app, body)) for _ in range(ROUNDS) for body in bodies
            ]
            loaders = [
                await time_call(run_loaders(shop, query)) for _ in range(ROUNDS) for query in judgements
            ]
            return SearchMeasurement(ranking, loading, indexing, requests, loaders)


@asynccontextmanager
async def open_clients(settings: Settings) -> AsyncIterator[tuple[Shop, Clients]]:
    configure_logging(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        yield app.state.shop, clients


def request_body(variables: Mapping[str, object], document: str = QUERY) -> bytes:
    return json.dumps({"query": document, "variables": variables}).encode()


async def post_request(app: Starlette, body: bytes) -> None:
    """Posts a GraphQL request to the ASGI application, without the work of a client on the same clock."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/graphql", "raw_path": b"/graphql", "root_path": "", "query_string": b"",
        "headers": [(b"host", b"shop.test"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    answered = b""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()  # the client stays connected and sends nothing more
        return messages.pop()

    async def send(message: Message) -> None:
        nonlocal answered
        answered += message.get("body", b"")

    await app(scope, receive, send)
    if b'"errors"' in answered or b'"totalCount"' not in answered:
        raise SystemExit(f"the shop answers {answered[:300]!r}")


async def time_call(work: Any) -> QueryDuration:
    began, worked = time.perf_counter(), time.process_time()
    await work
    return QueryDuration((time.perf_counter() - began) * 1e3, (time.process_time() - worked) * 1e3)


async def run_loaders(shop: Shop, query: str) -> None:
    """Runs the loaders of the field `products` without GraphQL."""
    reads, index = shop.database.reads, await shop.product_index.ready()
    criteria = replace(ProductCriteria(CurrencyCode.USD), plan=await plan_query(index, query))
    await load_product_page(index, reads, criteria, ProductSort.RELEVANCE, FIRST_PAGE)
    await count_products(index, criteria)
    await load_facets(index, reads, criteria)


def print_measurement(
    name: str, measurement: SearchMeasurement, judgements: Judgements, products: int
) -> None:
    scores = {query: ndcg(measurement.ranking[query], judged) for query, judged in judgements.items()}
    defined = [score for score in scores.values() if score is not None]
    halves = sorted(half_means(defined))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(
        f"{name}: {products:,} products loaded in {measurement.loading:.0f} s,"
        f" found {measurement.indexing:.1f} s later; {resident_megabytes()} MB in memory; load average {load}"
    )
    print(
        f"  nDCG@{DEPTH} {statistics.mean(defined):.4f} over the {len(defined)} judged queries,"
        f" {sum(defined) / len(scores):.4f} over all {len(scores)};"
        f" {HALVES} random halves {halves[0]:.4f} to {halves[-1]:.4f}, median {statistics.median(halves):.4f}"
    )
    for what, times in (("through ASGI", measurement.requests), ("loaders only", measurement.loaders)):
        wall, cpu = [each.wall for each in times], [each.cpu for each in times]
        print(
            f"  {what}: p50 {statistics.median(wall):6.1f} ms, p99 {percentile(wall, 0.99):6.1f} ms"
            f" a query with facets; CPU p50 {statistics.median(cpu):6.1f} ms,"
            f" p99 {percentile(cpu, 0.99):6.1f} ms ({len(times)} queries)"
        )


def ndcg(ranking: Sequence[str], judged: Mapping[str, int]) -> float | None:
    """The nDCG@10 of a ranking; None where no judged product is useful."""
    ideal = discounted_gain(sorted(judged.values(), reverse=True))
    return discounted_gain(judged.get(each, 0) for each in ranking) / ideal if ideal else None


def discounted_gain(ratings: Iterable[int]) -> float:
    """https://en.wikipedia.org/wiki/Discounted_cumulative_gain"""
    return math.fsum(
        (2**rating - 1) / math.log2(place + 1)
        for place, rating in zip(range(1, DEPTH + 1), ratings, strict=False)
    )


def half_means(scores: Sequence[float]) -> list[float]:
    chance = random.Random(SEED)
    return [statistics.mean(chance.sample(scores, len(scores) // 2)) for _ in range(HALVES)]


def resident_megabytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def percentile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def read_judgements(folder: Path) -> Judgements:
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with (folder / "judgements.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            found[row["query"]][row["docid"]] = int(row["rating"])
    return found


def read_products(folder: Path) -> list[dict[str, Any]]:
    with gzip.open(folder / "products.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


async def has_products(shop: Shop) -> bool:
    async with shop.database.reads() as session:
        return bool(await session.scalar(select(exists().where(Product.id > 0))))


async def load_products(shop: Shop, products: Sequence[Mapping[str, Any]]) -> None:
    codes = build_attributes(products)
    async with shop.database.writes.begin() as session:
        session.add_all(codes.values())
    for batch in in_batches(products, BATCH):
        async with shop.database.writes.begin() as session:
            await save_products(
                session, [product_draft(each, codes) for each in batch], cause=Cause(shop.clock())
            )


def build_attributes(products: Sequence[Mapping[str, Any]]) -> dict[str, Attribute]:
    """An attribute per text, and per number or flag that many products have; filterable with few values."""
    holders: Counter[str] = Counter()
    values: defaultdict[str, set[str]] = defaultdict(set)
    for product in products:
        for key in product:
            if key.startswith("attr_"):
                holders[key] += 1
                values[key].add(str(product[key]))
    common = len(products) * COMMON_SHARE
    return {
        key: Attribute(
            code=key.removeprefix("attr_"),
            name=key[len("attr_t_") :].replace("_", " ").strip(),
            type=KINDS[key[: len("attr_t_")]],
            filterable=count >= common and len(values[key]) <= CHOICES_LIMIT,
            translations={},
        )
        for key, count in holders.items()
        if key.startswith("attr_t_") or count >= common
    }


def product_draft(product: Mapping[str, Any], codes: Mapping[str, Attribute]) -> ProductDraft:
    price = PriceDraft(Money(product["price"], CurrencyCode.USD))
    variant = VariantDraft(
        sku=f"ICE-{product['id']}", barcode=product["ean"][0], prices={CurrencyCode.USD: price}, tracked=False
    )
    return ProductDraft(
        slug=f"p-{product['id']}",
        title=product["title"],
        description=product.get("short_description", ""),
        brand=product["supplier"],
        product_type="",
        attributes={codes[key].code: (value_text(product[key]),) for key in product if key in codes},
        variants=(variant,),
    )


def value_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{Decimal(str(round(value, 6))):f}"
    text = "".join(each if each.isprintable() else " " for each in str(value))
    return text[:TEXT_LIMIT].strip() or "-"
