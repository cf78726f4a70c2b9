from collections.abc import Sequence

import strawberry

from domain.catalog.drafts import PictureDraft, PriceDraft, VariantDraft
from domain.catalog.limits import LANGUAGE_LIMIT
from domain.errors import Invalid, LimitReached
from domain.language import canonical
from models import CurrencyCode, ProductStatus
from resolvers.described import input_type
from resolvers.inputs.money import MoneyInput

Field = tuple[str | int, ...]

CHOICES_LIMIT = 50
"""Brands, attributes, or values of one attribute in a filter."""


@input_type
class PriceRangeInput:
    """Prices from one amount to another, both included, in the viewer's currency."""

    min: MoneyInput | None = None
    """The least it may cost."""
    max: MoneyInput | None = None
    """The most it may cost."""


@input_type
class AttributeFilter:
    """Products with one of these values of an attribute."""

    code: str
    """The code of the attribute."""
    values: list[str]
    """Codes of values; for other types than ENUM the values as text, such as "true" or "12"."""


@input_type
class ProductFilter:
    """Which products; everything given must hold."""

    category: str | None = None
    """In this category or anywhere below it: its id or its slug."""
    brands: list[str] | None = None
    """Of one of these brands."""
    price: PriceRangeInput | None = None
    """With a variant in this range of prices."""
    attributes: list[AttributeFilter] | None = None
    """With all of these attributes."""
    in_stock: bool | None = None
    """True for what can be bought at this moment."""
    flash_sale: bool | None = None
    """True for what is in a flash sale at this moment, with something left of its share."""
    status: list[ProductStatus] | None = None
    """For staff: in one of these states; without it only ACTIVE. Customers see only ACTIVE ones."""


@input_type
class PictureInput:
    """A picture by its address."""

    url: str
    """Where it is: what an upload answered, or an address elsewhere."""
    alt: str = ""
    """What it shows, for those who cannot see it."""


@input_type
class ProductTranslationInput:
    """The texts of a product in another language."""

    language: str
    """The language, as a tag: "en", "zh-CN"."""
    title: str = ""
    """The title; empty for none."""
    description: str = ""
    """The description as HTML; empty for none."""


@input_type
class NameTranslationInput:
    """A name in another language."""

    language: str
    """The language, as a tag: "en", "zh-CN"."""
    name: str
    """The name."""
    unit: str | None = None
    """The unit, for an attribute that has one."""


@input_type
class ProductAttributeInput:
    """What a product says of one attribute."""

    code: str
    """The code of the attribute."""
    values: list[str]
    """Codes of values; for other types than ENUM one value as text, such as "true" or "12"."""


@input_type
class VariantOptionInput:
    """What sets a variant apart from its sisters."""

    name: str
    """What they differ in, such as "Size"."""
    value: str
    """What this one has."""


@input_type
class PriceInput:
    """What a variant costs in one currency."""

    price: MoneyInput
    """What one costs."""
    compare_at: MoneyInput | None = None
    """What one cost before the price was lowered, in the same currency."""


@input_type
class VariantInput:
    """What can be bought."""

    options: list[VariantOptionInput] = strawberry.field(default_factory=list)
    """What sets it apart; none for the only variant of a product."""
    sku: str | None = None
    """What the shop calls it; one variant only."""
    barcode: str | None = None
    """What stands on the package."""
    prices: list[PriceInput] = strawberry.field(default_factory=list)
    """What it costs, once per currency."""
    weight_grams: int = 0
    """What one weighs."""
    tracked: bool = True
    """Whether its units are counted."""
    sells_when_out: bool = False
    """Whether it can be bought when none is left."""
    requires_shipping: bool = True
    """Whether it is a thing that has to be sent."""
    taxable: bool = True
    """Whether tax is due on it."""
    picture_url: str | None = None
    """Its own picture."""

    def draft(self, field: Field = ()) -> VariantDraft:
        return VariantDraft(
            options=tuple((option.name, option.value) for option in self.options),
            sku=self.sku,
            barcode=self.barcode,
            prices=prices(self.prices, (*field, "prices")),
            weight_grams=self.weight_grams,
            tracked=self.tracked,
            sells_when_out=self.sells_when_out,
            requires_shipping=self.requires_shipping,
            taxable=self.taxable,
            picture_url=self.picture_url,
        )


@input_type
class CategoryAttributeInput:
    """An attribute that the products of a category have."""

    attribute_id: strawberry.ID
    """Which."""
    required: bool = False
    """Whether a product is incomplete without it."""


@input_type
class AttributeValueInput:
    """A value an ENUM attribute allows."""

    code: str
    """What filters and files call it."""
    name: str
    """What people call it."""
    translations: list[NameTranslationInput] = strawberry.field(default_factory=list)
    """Its name in other languages."""


def prices(given: list[PriceInput], field: Field) -> dict[CurrencyCode, PriceDraft]:
    found: dict[CurrencyCode, PriceDraft] = {}
    for index, each in enumerate(given):
        amount = each.price.money(field=(*field, index, "price"))
        before = each.compare_at.money(field=(*field, index, "compare_at")) if each.compare_at else None
        if amount.currency in found:
            raise Invalid(f"There are two prices in {amount.currency.value}.", field=(*field, index))
        if before and before.currency is not amount.currency:
            raise Invalid("Both prices are in the same currency.", field=(*field, index, "compare_at"))
        found[amount.currency] = PriceDraft(amount, before)
    return found


def drafted_pictures(given: list[PictureInput]) -> tuple[PictureDraft, ...]:
    return tuple(PictureDraft(each.url, each.alt, place) for place, each in enumerate(given, start=1))


def texts(given: list[ProductTranslationInput]) -> dict[str, dict[str, str]]:
    once([canonical(each.language) for each in given], ("translations",), "language")
    return {
        canonical(each.language): {"title": each.title, "description": each.description} for each in given
    }


def names(given: list[NameTranslationInput]) -> dict[str, dict[str, str]]:
    if len(given) > LANGUAGE_LIMIT:
        raise LimitReached(f"At most {LANGUAGE_LIMIT} languages.", field=("translations",))
    once([canonical(each.language) for each in given], ("translations",), "language")
    return {
        canonical(each.language): {"name": each.name} | ({"unit": each.unit} if each.unit else {})
        for each in given
    }


def said(given: list[ProductAttributeInput]) -> dict[str, tuple[str, ...]]:
    once([each.code for each in given], ("attributes",), "code")
    return {each.code: tuple(each.values) for each in given}


def once(given: Sequence[str], field: Field, name: str) -> None:
    """Of what is told twice one would be lost."""
    for index, each in enumerate(given):
        if each in given[:index]:
            raise Invalid(f'"{each}" is told twice.', field=(*field, index, name))
