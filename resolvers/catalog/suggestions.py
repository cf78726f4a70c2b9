"""Suggestions for a search query that is still being typed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.errors import Invalid
from loaders.listing import ProductCriteria
from loaders.suggestions import load_suggestions
from models import Category, CurrencyCode, Product
from resolvers.catalog.listing import check_query, ready_index
from resolvers.catalog.product import apply_preferences
from resolvers.context import Info
from text import normalize_code

SUGGESTIONS_LIMIT = 20
SPARE = 3
"""Products that are looked at for each that is suggested: some have the same title."""


@dataclass(frozen=True, slots=True)
class SearchSuggestion:
    text: str
    product: Product | None = None
    category: Category | None = None
    brand: str | None = None


async def search_suggestions(
    info: Info,
    query: str,
    first: int = 8,
    language: str | None = None,
    currency: CurrencyCode | None = None,
) -> Sequence[SearchSuggestion]:
    """Suggestions for a query that is still being typed: categories, brands, then products.

    query: the text typed so far, at most 200 characters; one typo is tolerated, and
        Chinese is found by its pinyin, too
    first: how many, at most 20
    language: the language of their texts, as a tag such as "zh-CN"; the viewer's own when left out
    currency: the currency of their prices; the viewer's own when left out
    """
    if not 1 <= first <= SUGGESTIONS_LIMIT:
        raise Invalid("There are 1 to {limit} suggestions.", limit=SUGGESTIONS_LIMIT, field=("first",))
    viewer = apply_preferences(info, language=language, currency=currency)
    checked_query = check_query(query)
    matches = await load_suggestions(
        await ready_index(info),
        info.context.shop.database.reads,
        ProductCriteria(viewer.currency),
        checked_query,
        synonyms=await info.context.shop.synonyms.known() if checked_query else (),
        first=SPARE * first,
    )
    if matches is None:
        return []
    categories = [
        SearchSuggestion(viewer.translate(row.translations, "name", row.name), category=row)
        for row in matches.categories
    ]
    brands = [SearchSuggestion(brand, brand=brand) for brand in matches.brands]
    products = [
        SearchSuggestion(viewer.translate(row.translations, "title", row.title), product=row)
        for row in matches.products
    ]
    return list(first_by_text([*categories, *brands, *products]).values())[:first]


def first_by_text(suggestions: Iterable[SearchSuggestion]) -> dict[str, SearchSuggestion]:
    """The first suggestion of each text, whatever its case, blanks and signs."""
    found: dict[str, SearchSuggestion] = {}
    for each in suggestions:
        found.setdefault(normalize_code(each.text) or each.text, each)
    return found
