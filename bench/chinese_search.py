"""240 Chinese queries over 300 titles of our own and the Chinese catalogue in SEARCH_DATA/../zh.

It prints nDCG@10 for each half of the queries: what is changed to find more is to be judged by the first half
("seen"), and the second ("held back") is to be looked at afterwards. A product of which all is true that the
query means counts 3, an accessory of the model that is asked for 1. Where nothing is meant, an answer without
full matches counts 1 and any other 0. The 40 of `chinese_further` were written down before any was asked, and
told apart. `python -m bench chinese_search 15` lists the 15 worst queries of the first half.
"""

import asyncio
import csv
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import uvloop

from bench.arguments import read_arguments
from bench.chinese_further import LITEMALL, OWN
from bench.chinese_titles import LITEMALL_QUERIES, ChineseQuery, Title, write_queries, write_titles
from bench.search import FOLDER, ndcg, open_clients
from domain.catalog.product import PriceDraft, ProductDraft, VariantDraft, save_products
from domain.cause import Cause
from events.shop import Shop
from migrations.runner import upgrade
from models import CurrencyCode, Money
from settings import Settings
from tests.clients import Client

CATALOGUE = FOLDER.parent / "zh/litemall_products.csv"
FIND = """query ($query: String!) { products(query: $query, first: 10) {
  edges { partialMatch node { slug } } } }"""

RIGHT = 0.9
"""The score from which on a query counts as answered right."""

Scores = Sequence[tuple[str, float]]

Judged = tuple[str, Mapping[str, int]]
"""A query with the ratings of the products that are good."""


def main() -> int:
    worst = next(iter(read_arguments(__doc__).numbers), 0)
    with tempfile.TemporaryDirectory() as folder:
        scores, further = uvloop.run(measure(Path(folder)))
    seen, held_back = scores[::2], scores[1::2]
    print(
        f"nDCG@10 of {len(scores)} Chinese queries: seen {statistics.mean(score for _, score in seen):.4f},"
        f" held back {statistics.mean(score for _, score in held_back):.4f};"
        f" of {len(further)} further ones {statistics.mean(score for _, score in further):.4f},"
        f" {sum(score > RIGHT for _, score in further)} of them right"
    )
    for text, score in sorted(seen, key=lambda each: each[1])[:worst]:
        print(f"  {score:.2f} {text}")
    return 0


async def measure(folder: Path) -> tuple[Scores, Scores]:
    """The scores of the 200 queries, and of the further ones."""
    url = f"sqlite+aiosqlite:///{folder}/shop.db"
    await asyncio.to_thread(upgrade, url)
    settings = Settings.from_environment(
        env_file=None,
        database_url=url,
        var_dir=folder,
        secret_key="a secret for the bench only, long enough",
        run_worker=False,
        log_level="ERROR",
        default_language="zh",
        default_currency=CurrencyCode.CNY,
    )
    titles = write_titles()
    others = read_catalogue(CATALOGUE)
    async with open_clients(settings) as (shop, clients):
        await load_titles(shop, {f"own-{at}": title.text for at, title in enumerate(titles)} | others)
        await shop.product_index.ready(newest=True)
        guest = clients.guest()
        judged = [judge(query, titles) for query in write_queries()]
        if others:
            judged += [judge_words(text, words, others) for text, words in LITEMALL_QUERIES]
        further = [judge_both(query, titles, others) for query in OWN]
        if others:
            further += [judge_words(text, words, others) for text, words in LITEMALL]
        return (
            [(text, await score_query(guest, text, ratings)) for text, ratings in judged],
            [(text, await score_query(guest, text, ratings)) for text, ratings in further],
        )


def judge(query: ChineseQuery, titles: Sequence[Title]) -> Judged:
    rated = {f"own-{at}": rate(query, title) for at, title in enumerate(titles)}
    return query.text, {slug: rating for slug, rating in rated.items() if rating}


def judge_both(query: ChineseQuery, titles: Sequence[Title], others: Mapping[str, str]) -> Judged:
    """By the titles of our own, and by the words that the titles of the other catalogue have."""
    text, ratings = judge(query, titles)
    words = {slug: 3 for slug, title in others.items() if all(word in title for word in query.expected)}
    return text, {**ratings, **words} if query.expected else ratings


def rate(query: ChineseQuery, title: Title) -> int:
    if not query.expected:
        return 0
    if query.expected <= title.facts or (
        query.expected & title.facts and query.expected <= title.facts | title.used_with
    ):
        return 3
    return 1 if query.expected <= title.used_with else 0


def judge_words(text: str, word: str, titles: Mapping[str, str]) -> Judged:
    return text, {slug: 3 for slug, title in titles.items() if word and word in title}


async def score_query(guest: Client, text: str, ratings: Mapping[str, int]) -> float:
    edges = (await guest.get(FIND, query=text))["products"]["edges"]
    if not ratings:
        return float(all(edge["partialMatch"] for edge in edges))
    return ndcg([edge["node"]["slug"] for edge in edges], ratings) or 0.0


def read_catalogue(path: Path) -> dict[str, str]:
    """The titles of the catalogue, by slugs; none where there is no such file."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8") as lines:
        return {f"lite-{row['Handle']}": row["Title"] for row in csv.DictReader(lines) if row["Title"]}


async def load_titles(shop: Shop, titles: Mapping[str, str]) -> None:
    price = PriceDraft(Money(1_000, CurrencyCode.CNY))
    drafts = [
        ProductDraft(
            slug=slug,
            title=title,
            variants=(VariantDraft(sku=slug.upper(), prices={CurrencyCode.CNY: price}, tracked=False),),
        )
        for slug, title in titles.items()
    ]
    async with shop.database.writes.begin() as session:
        await save_products(session, drafts, cause=Cause(shop.clock()))
