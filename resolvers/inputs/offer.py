from collections.abc import Sequence
from decimal import Decimal

import strawberry

from domain.errors import Invalid
from loaders.offer import OfferState
from models import CurrencyCode, Money, OfferKind, ScopeKind
from resolvers.described import input_type
from resolvers.ids import row_id

Field = tuple[str | int, ...]


@input_type
class OfferTextInput:
    """What an offer is called in another language."""

    language: str
    """The language, as a tag: "en"."""
    title: str
    """What customers read."""


@input_type
class OfferTierInput:
    """A step of a full reduction."""

    minimum: Decimal
    """What the goods must cost."""
    amount: Decimal
    """What is taken off then."""


@input_type
class FlashSaleInput:
    """What is sold how cheaply."""

    variant_id: strawberry.ID
    """What is sold."""
    price: Decimal
    """What one unit costs."""
    share: int
    """How many units there are at this price."""
    per_buyer: int | None = None
    """How many of them one customer may have; any number without it."""


@input_type
class OfferScopeInput:
    """What an offer is for: one of the four lists."""

    category_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="What is in these categories, or below them."
    )
    product_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="These products.")
    variant_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="These variants.")
    brands: list[str] = strawberry.field(default_factory=list, description="The goods of these brands.")

    def scope(self) -> tuple[ScopeKind, list[int]]:
        named = {
            ScopeKind.CATEGORIES: (self.category_ids, "Category", "category_ids"),
            ScopeKind.PRODUCTS: (self.product_ids, "Product", "product_ids"),
            ScopeKind.VARIANTS: (self.variant_ids, "Variant", "variant_ids"),
        }
        kinds = [kind for kind, (ids, _, _) in named.items() if ids]
        kinds += [ScopeKind.BRANDS] if self.brands else []
        if len(kinds) != 1:
            raise Invalid("Name categories, products, variants or brands.", field=("scope",))
        if kinds[0] is ScopeKind.BRANDS:
            return ScopeKind.BRANDS, []
        ids, type_name, field = named[kinds[0]]
        return kinds[0], [
            row_id(id, type_name, field=("scope", field, place)) for place, id in enumerate(ids)
        ]


@input_type
class OfferFilter:
    """Which offers; everything given must hold."""

    kind: OfferKind | None = None
    """Of this kind."""
    state: OfferState | None = None
    """In this state."""
    code: str | None = None
    """Whose code begins so."""


def by_language(texts: Sequence[OfferTextInput]) -> dict[str, dict[str, str]]:
    return {text.language: {"title": text.title} for text in texts}


def tiers_of(tiers: Sequence[OfferTierInput], currency: CurrencyCode) -> list[dict[str, int]]:
    return [
        {
            "minimum": minor(tier.minimum, currency, ("tiers", place, "minimum")),
            "amount": minor(tier.amount, currency, ("tiers", place, "amount")),
        }
        for place, tier in enumerate(tiers)
    ]


def minor(amount: Decimal, currency: CurrencyCode, field: Field) -> int:
    try:
        return Money.of(amount, currency).minor
    except (ValueError, ArithmeticError):
        raise Invalid(f"This is not an amount in {currency.value}.", field=field) from None
