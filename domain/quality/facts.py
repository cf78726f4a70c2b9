"""The facts of the catalogue that are assessed, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from models import AttributeType, CurrencyCode, PictureFault, Translations


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A picture, and the fingerprint of what it shows, where that is known."""

    url: str
    fingerprint: int | None


@dataclass(frozen=True, slots=True)
class UnreachablePicture:
    """A picture that cannot be reached, in the field it stands in."""

    url: str
    fault: PictureFault
    field: str


@dataclass(slots=True)
class VariantFacts:
    """A variant that is on sale."""

    id: int
    name: str
    sku: str | None
    barcode: str | None
    weight_grams: int
    requires_shipping: bool
    options: Sequence[Mapping[str, str]]
    on_hand: int
    prices: dict[CurrencyCode, tuple[int, int | None]] = field(default_factory=dict)
    """Amount and compare-at amount, in minor units."""

    @property
    def label(self) -> str:
        """What names the variant in the field of an issue."""
        return self.sku or self.name or str(self.id)


@dataclass(slots=True)
class ProductFacts:
    """A product that is not archived."""

    id: int
    slug: str
    title: str
    text: str
    """The description without mark-up."""
    brand: str
    product_type: str
    category_ids: tuple[int, ...]
    """The ids of its category and those above it, the root first; empty without one."""
    translations: Translations
    pictures: list[PictureFacts] = field(default_factory=list)
    unreachable: list[UnreachablePicture] = field(default_factory=list)
    variants: list[VariantFacts] = field(default_factory=list)
    attribute_values: dict[int, list[float | str | None]] = field(default_factory=dict)
    """Attribute id -> its values: numbers, texts, None for ENUM values."""
    views: int = 0
    sold: dict[CurrencyCode, tuple[int, int]] = field(default_factory=dict)
    """Recent units sold and revenue, by currency."""

    def price(self, currency: CurrencyCode) -> int | None:
        """The price of its cheapest variant, in minor units."""
        return min(
            (each.prices[currency][0] for each in self.variants if currency in each.prices), default=None
        )


@dataclass(frozen=True, slots=True)
class AttributeFacts:
    """An attribute."""

    id: int
    code: str
    name: str
    type: AttributeType
    unit: str | None


@dataclass(frozen=True)
class CatalogueFacts:
    """The whole catalogue."""

    products: Sequence[ProductFacts]
    attributes: Mapping[int, AttributeFacts]
    required: Mapping[int, Sequence[int]]
    """Category id -> ids of the attributes it requires itself."""
    categories: Mapping[int, str]
    """Category id -> name."""

    def required_attributes(self, product: ProductFacts) -> list[AttributeFacts]:
        """The attributes that its category and those above it require."""
        ids = dict.fromkeys(each for above in product.category_ids for each in self.required.get(above, ()))
        return [self.attributes[each] for each in ids]

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages that at least a tenth of the catalogue is translated into."""
        counts: dict[str, int] = {}
        for product in self.products:
            for language, texts in product.translations.items():
                counts[language] = counts.get(language, 0) + bool(texts.get("title"))
        return frozenset(
            language for language, times in counts.items() if times * LANGUAGE_SHARE >= len(self.products)
        )


LANGUAGE_SHARE = 10
"""A translation is required of all products once one in so many has it."""
