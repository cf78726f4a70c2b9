"""The products, brands and categories that match what somebody is typing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice

from sqlalchemy import select

from gateways.search import SearchIndex, ValueCount
from loaders.listing import ProductCriteria, load_best_products
from loaders.search import plan_partial_match, plan_query, text_query
from loaders.search.fields import BRAND, CATEGORY, NAME_BOOSTS
from models import Category, Product, Translations
from models.database import Reads
from models.sql.dialects import columns_of, dialect_of
from models.sql.parameters import encode_values, is_among
from models.sql.prepared import PreparedSelect, build_entities, fetch_rows
from text.query_plan import NameMatcher, QueryPlan

COUNTED_LIMIT = 100
"""Brands and categories, the most frequent ones, out of which those with the words are suggested."""

CATEGORIES_LIMIT = 3
"""Categories among the suggestions."""

BRANDS_LIMIT = 2
"""Brands among the suggestions."""


@dataclass(frozen=True, slots=True)
class SuggestedMatches:
    """What matches a query, the most frequent and best first."""

    categories: Sequence[Category]
    brands: Sequence[str]
    products: Sequence[Product]


async def load_suggestions(
    index: SearchIndex,
    reads: Reads,
    criteria: ProductCriteria,
    query: str,
    *,
    synonyms: Sequence[Sequence[str]],
    first: int,
) -> SuggestedMatches | None:
    """The `first` best products, and the categories and brands of all that match; None for no words."""
    if not query:
        return None
    plan = await plan_query(index, query, typing=True, synonyms=synonyms)
    if plan is None:
        return None
    matches = await _load_matches(index, reads, replace(criteria, plan=plan), plan, first=first)
    if matches.products:
        return matches
    partial = await plan_partial_match(index, plan, criteria.visible)
    if partial is None:
        return matches
    return await _load_matches(index, reads, replace(criteria, plan=partial), partial, first=first)


async def _load_matches(
    index: SearchIndex, reads: Reads, criteria: ProductCriteria, plan: QueryPlan, *, first: int
) -> SuggestedMatches:
    products = await load_best_products(index, reads, criteria, limit=first)
    # a brand whose name matches is counted among the few products that have the words in such names
    named = replace(criteria.query, text=text_query(plan, NAME_BOOSTS))
    figures = await index.figures(
        named, (ValueCount(BRAND, COUNTED_LIMIT), ValueCount(CATEGORY, COUNTED_LIMIT))
    )
    brands, categories = figures.counts
    matcher = NameMatcher.of(plan)
    counts = {int(value.partition("/")[2]): count for value, count in categories}
    return SuggestedMatches(
        await _load_categories(reads, counts, matcher),
        list(islice((brand for brand, _ in brands if matcher.matches([brand])), BRANDS_LIMIT)),
        products,
    )


async def _load_categories(
    reads: Reads, counts: Mapping[int, int], matcher: NameMatcher
) -> Sequence[Category]:
    """Those whose names match, the most frequent ones; of the many others only the names are read."""
    if not counts:
        return []
    dialect = dialect_of(reads)
    names = await fetch_rows(reads, _names_statement(dialect), ids=encode_values(counts, dialect))
    by_count = sorted(names, key=lambda row: (-counts[row[0]], row[1], row[0]))
    matching = (id for id, _, *texts in by_count if matcher.matches(names_in_all_languages(*texts)))
    ids = list(islice(matching, CATEGORIES_LIMIT))
    if not ids:
        return []
    rows = await fetch_rows(reads, _categories_statement(dialect), ids=encode_values(ids, dialect))
    return sorted(build_entities(Category, rows), key=lambda category: ids.index(category.id))


@cache
def _names_statement(dialect: str) -> PreparedSelect:
    columns = select(Category.id, Category.depth, Category.name, Category.translations)
    return PreparedSelect(columns.where(is_among(Category.id, "ids", dialect)), dialect)


@cache
def _categories_statement(dialect: str) -> PreparedSelect:
    return PreparedSelect(select(*columns_of(Category)).where(is_among(Category.id, "ids", dialect)), dialect)


def names_in_all_languages(name: str, translations: Translations) -> Sequence[str]:
    return [name, *(texts.get("name", "") for texts in translations.values())]
