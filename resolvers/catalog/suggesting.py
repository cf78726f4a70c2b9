"""What somebody may mean who is still typing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.errors import Invalid
from loaders.listing import Wanted
from loaders.suggesting import suggested
from models import Category, CurrencyCode, Product, Translations
from resolvers.catalog.browsing import likes
from resolvers.catalog.listing import searched
from resolvers.context import Info
from words.asking import spoken_of

SUGGESTIONS_LIMIT = 20
CATEGORIES = 3
"""Categories among the suggestions."""

BRANDS = 2
"""Brands among the suggestions."""


@dataclass(frozen=True, slots=True)
class SearchSuggestion:
    text: str
    product: Product | None = None
    category: Category | None = None
    brand: str | None = None


async def search_suggestions(
    info: Info,
    text: str,
    first: int = 8,
    language: str | None = None,
    currency: CurrencyCode | None = None,
) -> Sequence[SearchSuggestion]:
    """What somebody may mean who has typed this much: categories, brands, then products.

    text: what has been typed so far, at most 200 characters; one typo is forgiven, and
        Chinese is found by its pinyin, too
    first: how many, at most 20
    language: tell them in this language, as a tag such as "zh-CN", instead of the viewer's own
    currency: tell prices in this currency instead of the viewer's own
    """
    if not 1 <= first <= SUGGESTIONS_LIMIT:
        raise Invalid(f"There are 1 to {SUGGESTIONS_LIMIT} suggestions.", field=("first",))
    viewer = likes(info, language=language, currency=currency)
    asked = searched(text, field="text")
    database = info.context.shop.database
    found = await suggested(
        database.reads, Wanted(viewer.currency), asked, first=first, dialect=database.dialect
    )
    if found is None:
        return []
    categories = [
        SearchSuggestion(viewer.read(row.translations, "name", row.name), category=row)
        for row in found.categories
        if spoken_of(found.plan, names(row.name, row.translations))
    ]
    brands = [
        SearchSuggestion(brand, brand=brand) for brand in found.brands if spoken_of(found.plan, [brand])
    ]
    products = [
        SearchSuggestion(viewer.read(row.translations, "title", row.title), product=row)
        for row in found.products
    ]
    return [*categories[:CATEGORIES], *brands[:BRANDS], *products][:first]


def names(name: str, translations: Translations) -> Iterable[str]:
    """A name in all its languages."""
    return [name, *(texts.get("name", "") for texts in translations.values())]
