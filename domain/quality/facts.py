"""The catalogue as it is looked through: plain facts, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from models import AttributeType, CurrencyCode, Translations


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A picture, and the fingerprint of what it shows, where it has been looked at."""

    url: str
    fingerprint: int | None


@dataclass(slots=True)
class VariantFacts:
    """One thing that can be bought."""

    id: int
    name: str
    sku: str | None
    barcode: str | None
    weight_grams: int
    requires_shipping: bool
    options: Sequence[Mapping[str, str]]
    on_hand: int
    prices: dict[CurrencyCode, tuple[int, int | None]] = field(default_factory=dict)
    """Amount and compare-at amount."""

    @property
    def label(self) -> str:
        return self.sku or self.name or str(self.id)


@dataclass(slots=True)
class ProductFacts:
    """A product that is not archived, with everything somebody entered about it."""

    id: int
    slug: str
    title: str
    text: str
    brand: str
    product_type: str
    line: tuple[int, ...]
    """Ids of its category and those above it, the root first; empty without one."""
    translations: Translations
    pictures: list[PictureFacts] = field(default_factory=list)
    variants: list[VariantFacts] = field(default_factory=list)
    said: dict[int, list[float | str | None]] = field(default_factory=dict)
    """Attribute -> its values: numbers, texts, None for what is chosen from a list."""
    views: int = 0
    sold: dict[CurrencyCode, tuple[int, int]] = field(default_factory=dict)
    """Units and revenue of late."""

    def price(self, currency: CurrencyCode) -> int | None:
        """Of its cheapest variant."""
        return min(
            (each.prices[currency][0] for each in self.variants if currency in each.prices), default=None
        )


@dataclass(frozen=True, slots=True)
class AttributeFacts:
    """What an attribute is called and what it takes."""

    id: int
    code: str
    name: str
    type: AttributeType
    unit: str | None


@dataclass(frozen=True)
class Catalogue:
    """Everything there is to look at."""

    products: Sequence[ProductFacts]
    attributes: Mapping[int, AttributeFacts]
    required: Mapping[int, Sequence[int]]
    """Category -> attributes it requires itself."""
    categories: Mapping[int, str]
    """Names."""

    def required_of(self, product: ProductFacts) -> list[AttributeFacts]:
        """What its category and those above it ask for."""
        wanted = dict.fromkeys(each for above in product.line for each in self.required.get(above, ()))
        return [self.attributes[each] for each in wanted]

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages that a good part of the catalogue is translated into."""
        counted: dict[str, int] = {}
        for product in self.products:
            for language, texts in product.translations.items():
                counted[language] = counted.get(language, 0) + bool(texts.get("title"))
        return frozenset(
            language for language, times in counted.items() if times * LANGUAGE_SHARE >= len(self.products)
        )


LANGUAGE_SHARE = 10
"""One product in so many has to be translated into a language before all are asked to be."""
