"""The order and the pages of a product list."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache

from sqlalchemy import BigInteger, literal_column, select

from gateways.search import Hit, IndexOrder, IndexQuery, SearchIndex
from loaders.listing.filters import ProductCriteria
from loaders.listing.ranking import SIGNALS, WEIGHED_LIMIT, weigh_hits
from loaders.page import Key, Page, PageRequest, Sort, build_page, read_bounds, write_cursors
from loaders.search.fields import NEWEST, UNITS, cheapest_field
from models import Product
from models.database import Reads
from models.sql.dialects import columns_of, dialect_of
from models.sql.parameters import encode_values, is_among
from models.sql.prepared import PreparedSelect, build_entities, fetch_rows

RELEVANCE_LIMIT = 1_000
"""Rows that are ranked by relevance: nobody reads more of them."""

NUMBER, PRODUCT_ID = literal_column("number", BigInteger), literal_column("id", BigInteger)
"""What cursors hold: the number a product is ordered by, or its place by relevance, and its id."""


class ProductSort(StrEnum):
    """The order of a list of products."""

    RELEVANCE = "RELEVANCE"
    """The best 1,000 matches of the search, the best first; without a search the same as NEWEST."""
    NEWEST = "NEWEST"
    """The products published last first."""
    PRICE_ASC = "PRICE_ASC"
    """The lowest price first."""
    PRICE_DESC = "PRICE_DESC"
    """The highest price first."""
    BEST_SELLING = "BEST_SELLING"
    """The products sold most recently (in the last 30 days, unless the shop is set up otherwise) first."""


def index_order(criteria: ProductCriteria, sort: ProductSort) -> IndexOrder:
    match sort:
        case ProductSort.PRICE_ASC | ProductSort.PRICE_DESC:
            descending = sort is ProductSort.PRICE_DESC
            return IndexOrder(cheapest_field(criteria.currency, descending=descending), descending)
        case ProductSort.BEST_SELLING:
            return IndexOrder(UNITS, descending=True)
    return IndexOrder(NEWEST, descending=True)


def cursor_sort(criteria: ProductCriteria, sort: ProductSort) -> Sort:
    """The order of a list as its cursors name it."""
    by_price = sort in (ProductSort.PRICE_ASC, ProductSort.PRICE_DESC)
    name = f"{sort.value} {criteria.currency.value}" if by_price else sort.value
    keys = (Key(NUMBER), Key(PRODUCT_ID))
    return Sort(name, keys, criteria.plan.to_values() if criteria.plan else None)


async def load_product_page(
    index: SearchIndex, reads: Reads, criteria: ProductCriteria, sort: ProductSort, request: PageRequest
) -> Page[Product]:
    """A page of a list: the index says which products, the database what is shown. Raises WrongCursor."""
    order = cursor_sort(criteria, sort)
    bounds: dict[str, tuple[int, int]] = {
        name: (number, product_id) for name, (number, product_id) in read_bounds(order, request).items()
    }
    full_matches: frozenset[int] = frozenset()
    if criteria.plan and sort is ProductSort.RELEVANCE:
        ranked = await rank_in_turn(index, criteria.ranked_queries, limit=ranked_limit(request, bounds))
        full_matches = frozenset(hit.id for hit in ranked[0])
        hits, has_more = cut_page([hit for some in ranked for hit in some], request, bounds)
    else:
        hits, has_more = await _list_page(index, criteria, index_order(criteria, sort), request, bounds)
    products = await _load_products(reads, [hit.id for hit in hits])
    # between the index and the database time passes: what is no longer shown is left out
    shown = [hit for hit in hits if hit.id in products and products[hit.id].status in criteria.statuses]
    page = build_page(
        [products[hit.id] for hit in shown],
        write_cursors(order, [(int(hit.key), hit.id) for hit in shown]),
        request,
        has_more=has_more,
    )
    page.extra["full_matches"] = full_matches
    return page


async def load_best_products(
    index: SearchIndex, reads: Reads, criteria: ProductCriteria, *, limit: int
) -> Sequence[Product]:
    """The first of the list by relevance, without cursors."""
    ranked = await rank_in_turn(index, criteria.ranked_queries, limit=WEIGHED_LIMIT)
    ids = [hit.id for some in ranked for hit in some][:limit]
    products = await _load_products(reads, ids)
    return [products[id] for id in ids if id in products and products[id].status in criteria.statuses]


def ranked_limit(request: PageRequest, bounds: Mapping[str, tuple[int, int]]) -> int:
    """How many rows are ranked for a page: where it is one of the first, only those that are weighed."""
    place, _ = bounds.get("after", (-1, 0))
    is_first = "before" not in bounds and not request.is_backward and place + 1 + request.size < WEIGHED_LIMIT
    return WEIGHED_LIMIT if is_first else RELEVANCE_LIMIT


async def rank_in_turn(
    index: SearchIndex, queries: Sequence[IndexQuery], *, limit: int = RELEVANCE_LIMIT
) -> Sequence[Sequence[Hit]]:
    """What each query finds that none before it has found, `limit` in all."""
    found: list[Sequence[Hit]] = []
    known: set[int] = set()
    for query in queries:
        hits = weigh_hits(await index.rank(query, limit=limit, numbers=SIGNALS)) if len(known) < limit else ()
        new = [hit for hit in hits if hit.id not in known][: limit - len(known)]
        known.update(hit.id for hit in new)
        found.append(new)
    return found


def cut_page(
    ranked: Sequence[Hit], request: PageRequest, bounds: Mapping[str, tuple[int, int]]
) -> tuple[Sequence[Hit], bool]:
    """Hits with their places in the ranking; what has moved is looked for where it is now."""
    places = {hit.id: place for place, hit in enumerate(ranked)}
    ends = {name: places.get(row_id, place) for name, (place, row_id) in bounds.items()}
    start = max(ends["after"] + 1, 0) if "after" in ends else 0
    end = max(ends["before"], 0) if "before" in ends else len(ranked)
    numbered = [Hit(hit.id, place) for place, hit in enumerate(ranked)][start:end]
    shown = numbered[-request.size :] if request.is_backward else numbered[: request.size]
    return shown, len(numbered) > request.size


async def _list_page(
    index: SearchIndex,
    criteria: ProductCriteria,
    order: IndexOrder,
    request: PageRequest,
    bounds: dict[str, tuple[int, int]],
) -> tuple[Sequence[Hit], bool]:
    """Hits with the numbers they are ordered by."""
    if request.is_backward:
        order = order.reversed
    start, end = ("before", "after") if request.is_backward else ("after", "before")
    hits = await index.list_ordered(criteria.query, order, limit=request.size + 1, after=bounds.get(start))
    if end in bounds:
        hits = list(_up_to(hits, bounds[end], descending=order.descending))
    shown = hits[: request.size]
    return (shown[::-1] if request.is_backward else shown), len(hits) > request.size


def _up_to(hits: Iterable[Hit], bound: tuple[int, int], *, descending: bool) -> Iterable[Hit]:
    """The hits before a pair of number and id."""
    return (hit for hit in hits if ((hit.key, hit.id) > bound if descending else (hit.key, hit.id) < bound))


async def _load_products(reads: Reads, product_ids: Sequence[int]) -> dict[int, Product]:
    if not product_ids:
        return {}
    dialect = dialect_of(reads)
    rows = await fetch_rows(reads, _products_statement(dialect), ids=encode_values(product_ids, dialect))
    return {product.id: product for product in build_entities(Product, rows)}


@cache
def _products_statement(dialect: str) -> PreparedSelect:
    return PreparedSelect(select(*columns_of(Product)).where(is_among(Product.id, "ids", dialect)), dialect)


async def count_products(index: SearchIndex, criteria: ProductCriteria) -> int:
    return await index.count(criteria.query)
