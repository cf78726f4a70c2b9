"""How good and how quick the search is on both databases: 19,406 products, 75 queries, 2,033 judgements.

SEARCH_DATA names the folder with `products.jsonl.gz` and `judgements.csv` (querqy/chorus, Open Icecat).
It says, for each database:

- nDCG@10 with gains 2^rating - 1; a product nobody has judged counts as useless, the ideal list is made of
  all judged products. For 10 of the 75 queries nobody judged any product useful: nDCG is not defined for
  them, they count 0 in "all" and are left out of "judged". The aim (0.76) is measured on "judged".
- the same over random halves of the queries: how much of it hangs on single queries.
- milliseconds of the whole `products` query (20 products, totalCount, all facets) from request to answer as
  the ASGI application makes it, and of the loaders alone; every query in turn, in rounds.

Addresses of databases as arguments (`python -m bench search ADDRESS...`) are used instead of new ones: those
already loaded are not loaded again.

No weight is tuned to a query: those in words/weighing.py and domain/catalog/wording.py are round numbers out
of a coarse grid of 36 (means 0.72 to 0.81, ours 0.79). Chosen on a random half of the queries and measured on
the other half, 200 times, the grid gave 0.797 on average, standard deviation 0.035 (2026-11-27).
"""

import asyncio
import csv
import gzip
import json
import math
import os
import random
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
from domain.batches import batches
from domain.catalog.drafts import PriceDraft, ProductDraft, VariantDraft
from domain.catalog.saving import import_products
from edge.garbage import settled
from edge.logs import configure
from events.shop import Shop
from loaders.listing import ProductSort, Wanted, count, facets, first_page
from loaders.search import understood
from migrations.runner import upgrade
from models import Attribute, AttributeType, CurrencyCode, Money, Product
from settings import Settings
from tests.front import Front
from tests.process import ROOT
from tests.servers import postgres

FOLDER = Path(os.environ.get("SEARCH_DATA", ROOT.parent / "shared/data/search"))
DEPTH = 10
ROUNDS = 5
HALVES = 200
SEED = 1
BATCH = 1_000
KINDS = {"attr_t_": AttributeType.TEXT, "attr_n_": AttributeType.NUMBER, "attr_b_": AttributeType.BOOLEAN}
COMMON = 0.01
"""The share of products that must have an attribute for customers to choose by it."""

CHOICES = 100
"""Values of an attribute that customers may choose by, at most."""

TEXT_LIMIT = 2_000
QUERY = """query ($search: String!) { products(search: $search, first: 20) {
  totalCount
  nodes { id slug title brand priceRange { min { amount currencyCode } } }
  facets {
    categories { category { id name } count }
    brands { brand count }
    price { min { amount } max { amount } }
    attributes { attribute { code name } values { value label count selected } }
  } } }"""
FIRST = """query ($search: String!) { products(search: $search, first: 10) { nodes { slug } } }"""

Judgements = Mapping[str, Mapping[str, int]]
Ranking = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one database came to."""

    ranking: Ranking
    loading: float
    asking: Sequence["Took"]
    loaders: Sequence["Took"]


class Took(NamedTuple):
    """Milliseconds of one query: by the clock, and of this process's CPU, which no neighbour makes longer."""

    wall: float
    cpu: float


def main() -> None:
    if not (FOLDER / "products.jsonl.gz").exists():
        print(f"There is no products.jsonl.gz in {FOLDER}: set SEARCH_DATA to its folder.", file=sys.stderr)
        raise SystemExit(2)
    judgements = read_judgements(FOLDER)
    products = read_products(FOLDER)
    found: dict[str, Measured] = {}
    for name, url in databases():
        found[name] = uvloop.run(measured(url, products, judgements))  # as the serving process has it
        tell(name, found[name], judgements, len(products))
    if len(found) < 2:
        return
    one, other, *_ = (each.ranking for each in found.values())
    same = sum(one[query] == other[query] for query in judgements)
    print(f"The first {DEPTH} are the same on both databases for {same} of {len(judgements)} queries.")


def databases() -> Iterator[tuple[str, str]]:
    """Those named by the arguments, else a new one each, migrated and thrown away afterwards."""
    if given := [each for each in sys.argv[1:] if "://" in each]:
        yield from ((make_url(url).get_backend_name(), url) for url in given)
        return
    with tempfile.TemporaryDirectory() as folder, in_postgres() as url:
        yield "SQLite", f"sqlite+aiosqlite:///{folder}/search.db"
        yield "PostgreSQL", url


@contextmanager
def in_postgres() -> Iterator[str]:
    name = f"bench_{uuid4().hex}"
    with postgres() as server:
        url = asyncio.run(server.new_database(name))
        try:
            yield url
        finally:
            asyncio.run(server.drop_database(name))


async def measured(url: str, products: Sequence[Mapping[str, Any]], judgements: Judgements) -> Measured:
    await asyncio.to_thread(upgrade, url)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            _env_file=None,
            database_url=url,
            var_dir=Path(folder),
            secret_key="a secret for the bench only, long enough",
            run_worker=False,
            log_level="ERROR",
            default_language="en",
            default_currency=CurrencyCode.USD,
        )
        async with opened(settings) as (shop, front):
            began = time.perf_counter()
            if not await loaded(shop):
                await load(shop, products)
            loading = time.perf_counter() - began
            guest = front.guest()
            ranking = {}
            for query in judgements:
                nodes = (await guest.get(FIRST, search=query))["products"]["nodes"]
                ranking[query] = [node["slug"].removeprefix("p-") for node in nodes]
                await guest.get(QUERY, search=query)
            settled()
            asked = [asking_for(query) for query in judgements]
            asking = [await timed(posted(front.app, body)) for _ in range(ROUNDS) for body in asked]
            loaders = [await timed(ask_loaders(shop, query)) for _ in range(ROUNDS) for query in judgements]
            return Measured(ranking, loading, asking, loaders)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Shop, Front]]:
    configure(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app), Front.open(app) as front:
        yield app.state.shop, front


def asking_for(query: str) -> bytes:
    return json.dumps({"query": QUERY, "variables": {"search": query}}).encode()


async def posted(app: Starlette, body: bytes) -> None:
    """What a server makes of a request for GraphQL, without a client's work on the same clock."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/graphql", "raw_path": b"/graphql", "root_path": "", "query_string": b"",
        "headers": [(b"host", b"shop.test"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    answered = b""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal answered
        answered += message.get("body", b"")

    await app(scope, receive, send)
    if b'"errors"' in answered or b'"totalCount"' not in answered:
        raise SystemExit(f"the shop answers {answered[:300]!r}")


async def timed(work: Any) -> Took:
    began, worked = time.perf_counter(), time.process_time()
    await work
    return Took((time.perf_counter() - began) * 1e3, (time.process_time() - worked) * 1e3)


async def ask_loaders(shop: Shop, query: str) -> None:
    """What the field does without GraphQL around it."""
    reads = shop.database.reads
    wanted = replace(Wanted(CurrencyCode.USD), plan=await understood(reads, query))
    await first_page(reads, wanted, ProductSort.RELEVANCE, first=20)
    await count(reads, wanted)
    await facets(reads, wanted)


def tell(name: str, found: Measured, judgements: Judgements, products: int) -> None:
    scores = {query: ndcg(found.ranking[query], judged) for query, judged in judgements.items()}
    defined = [score for score in scores.values() if score is not None]
    halves = sorted(half_means(defined))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{name}: {products:,} products loaded in {found.loading:.0f} s; load average {load}")
    print(
        f"  nDCG@{DEPTH} {statistics.mean(defined):.4f} over the {len(defined)} judged queries,"
        f" {sum(defined) / len(scores):.4f} over all {len(scores)};"
        f" {HALVES} random halves {halves[0]:.4f} to {halves[-1]:.4f}, median {statistics.median(halves):.4f}"
    )
    for what, times in (("through ASGI", found.asking), ("loaders only", found.loaders)):
        wall, cpu = [each.wall for each in times], [each.cpu for each in times]
        print(
            f"  {what}: p50 {statistics.median(wall):6.1f} ms, p99 {percentile(wall, 0.99):6.1f} ms"
            f" a query with facets; CPU p50 {statistics.median(cpu):6.1f} ms,"
            f" p99 {percentile(cpu, 0.99):6.1f} ms ({len(times)} queries)"
        )


def ndcg(ranking: Sequence[str], judged: Mapping[str, int]) -> float | None:
    """None where no judged product is useful."""
    ideal = gained(sorted(judged.values(), reverse=True))
    return gained(judged.get(each, 0) for each in ranking) / ideal if ideal else None


def gained(ratings: Iterable[int]) -> float:
    """https://en.wikipedia.org/wiki/Discounted_cumulative_gain"""
    return math.fsum(
        (2**rating - 1) / math.log2(place + 1)
        for place, rating in zip(range(1, DEPTH + 1), ratings, strict=False)
    )


def half_means(scores: Sequence[float]) -> list[float]:
    chance = random.Random(SEED)
    return [statistics.mean(chance.sample(scores, len(scores) // 2)) for _ in range(HALVES)]


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


async def loaded(shop: Shop) -> bool:
    async with shop.database.reads() as session:
        return bool(await session.scalar(select(exists().where(Product.id > 0))))


async def load(shop: Shop, products: Sequence[Mapping[str, Any]]) -> None:
    codes = attributes(products)
    async with shop.database.writes.begin() as session:
        session.add_all(codes.values())
    for batch in batches(products, BATCH):
        async with shop.database.writes.begin() as session:
            await import_products(session, [draft(each, codes) for each in batch], now=shop.clock())


def attributes(products: Sequence[Mapping[str, Any]]) -> dict[str, Attribute]:
    """Every text; numbers and flags that many products have. Customers choose by what has few values."""
    holders: Counter[str] = Counter()
    values: defaultdict[str, set[str]] = defaultdict(set)
    for product in products:
        for key in product:
            if key.startswith("attr_"):
                holders[key] += 1
                values[key].add(str(product[key]))
    common = len(products) * COMMON
    return {
        key: Attribute(
            code=key.removeprefix("attr_"),
            name=key[len("attr_t_") :].replace("_", " ").strip(),
            type=KINDS[key[: len("attr_t_")]],
            filterable=count >= common and len(values[key]) <= CHOICES,
            translations={},
        )
        for key, count in holders.items()
        if key.startswith("attr_t_") or count >= common
    }


def draft(product: Mapping[str, Any], codes: Mapping[str, Attribute]) -> ProductDraft:
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
        attributes={codes[key].code: (said(product[key]),) for key in product if key in codes},
        variants=(variant,),
    )


def said(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{Decimal(str(round(value, 6))):f}"
    text = "".join(each if each.isprintable() else " " for each in str(value))
    return text[:TEXT_LIMIT].strip() or "-"
