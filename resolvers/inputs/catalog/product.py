"""Inputs that describe a product and its variants."""

from collections.abc import Sequence

import strawberry

from domain.catalog.product import (
    PictureDraft,
    PriceDraft,
    ProductChanges,
    ProductDraft,
    VariantDraft,
    product_texts_of,
    translated_texts_of,
    variant_texts_of,
    with_product_texts,
    with_variant_texts,
)
from domain.errors import Invalid
from domain.language import canonical_tag
from models import CurrencyCode, ProductStatus, VariantSize
from resolvers.descriptions import input_type
from resolvers.inputs.money import MoneyInput
from resolvers.inputs.unique import FieldPath, require_unique


@input_type
class PictureTranslationInput:
    """What a picture shows, in another language."""

    language: str
    """The language, as a tag: "en", "zh-CN"."""
    alt: str
    """What it shows, for people who cannot see it."""


@input_type
class PictureInput:
    """A picture by its address."""

    url: str
    """Its address: the one an upload returned, or one elsewhere."""
    alt: str = ""
    """What it shows, for people who cannot see it."""
    translations: list[PictureTranslationInput] = strawberry.field(
        default_factory=list, description="What it shows, in other languages."
    )


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
class ProductAttributeInput:
    """The values of one attribute of a product."""

    code: str
    """The code of the attribute."""
    values: list[str]
    """Codes of values; for other types than ENUM one value as text, such as "true" or "12"."""


@input_type
class VariantOptionTranslationInput:
    """An option in another language."""

    language: str
    """The language, as a tag: "en", "zh-CN"."""
    name: str = ""
    """The name of the option; empty for none."""
    value: str = ""
    """The value this variant has; empty for none."""


@input_type
class VariantOptionInput:
    """An option that sets a variant apart from the other variants of its product."""

    name: str
    """The name of the option, such as "Size"."""
    value: str
    """The value this variant has."""
    translations: list[VariantOptionTranslationInput] = strawberry.field(
        default_factory=list, description="Both in other languages."
    )


@input_type
class PriceInput:
    """The price of a variant in one currency."""

    price: MoneyInput
    """The price of one unit."""
    compare_at: MoneyInput | None = None
    """The price of one unit before it was lowered, in the same currency."""


@input_type
class VariantSizeInput:
    """The dimensions of one unit in its package."""

    length_mm: int
    """Its longest side, in millimetres."""
    width_mm: int
    """Its second side, in millimetres."""
    height_mm: int
    """Its third side, in millimetres."""


@input_type
class VariantInput:
    """A variant of a product: one thing that can be put into a cart."""

    options: list[VariantOptionInput] = strawberry.field(default_factory=list)
    """The options that set it apart; none for the only variant of a product."""
    sku: str | None = None
    """The stock keeping unit: the shop's own code, used by one variant only."""
    barcode: str | None = None
    """The number under the barcode on the package."""
    prices: list[PriceInput] = strawberry.field(default_factory=list)
    """Its prices, one per currency."""
    weight_grams: int = 0
    """The weight of one unit, in grams."""
    size: VariantSizeInput | None = None
    """The dimensions of one unit in its package; parcels are proposed by them."""
    tracked: bool = True
    """Whether the shop counts its units."""
    sells_when_out: bool = False
    """Whether it can be bought when none is left."""
    requires_shipping: bool = True
    """Whether it has to be shipped."""
    taxable: bool = True
    """Whether tax is due on it."""
    picture_url: str | None = None
    """The address of its own picture."""

    def draft(self, field: FieldPath = ()) -> VariantDraft:
        draft = VariantDraft(
            options=tuple((option.name, option.value) for option in self.options),
            option_translations=option_translations(self.options, (*field, "options")),
            prices=price_drafts(self.prices, (*field, "prices")),
            weight_grams=self.weight_grams,
            size=VariantSize(**vars(self.size)) if self.size else None,
            tracked=self.tracked,
            sells_when_out=self.sells_when_out,
            requires_shipping=self.requires_shipping,
            taxable=self.taxable,
            picture_url=self.picture_url,
        )
        return with_variant_texts(draft, variant_texts_of(self))


@input_type
class ProductCreateInput:
    """What `productCreate` needs."""

    title: str
    """The title, in the shop's own language."""
    slug: str = ""
    """Its part of the address; made from the title when empty."""
    description: str = ""
    """The description as HTML; scripts and styles are removed."""
    brand: str = ""
    """The brand."""
    product_type: str = ""
    """The kind of product, in your own words; without `categoryId` the category of this name is used."""
    category_id: strawberry.ID | None = None
    """The category it belongs to."""
    tags: list[str] | None = None
    """Tags."""
    seo_title: str = ""
    """The title for search engines; empty for the title of the product."""
    seo_description: str = ""
    """The description for search engines."""
    translations: list[ProductTranslationInput] | None = None
    """Its texts in other languages."""
    attributes: list[ProductAttributeInput] | None = None
    """Its attributes."""
    pictures: list[PictureInput] | None = None
    """Its pictures, the main one first."""
    variants: list[VariantInput] | None = None
    """Its variants, in order."""

    def draft(self) -> ProductDraft:
        draft = ProductDraft(
            slug=self.slug,
            tags=tuple(self.tags or ()),
            status=ProductStatus.DRAFT,
            translations=translation_texts(self.translations or []),
            attributes=attribute_values(self.attributes or []),
            pictures=picture_drafts(self.pictures or []),
            variants=tuple(
                variant.draft(("variants", index)) for index, variant in enumerate(self.variants or [])
            ),
        )
        return with_product_texts(draft, product_texts_of(self))


@input_type
class ProductUpdateInput:
    """What `productUpdate` needs; a field that is left out or null stays as it is."""

    id: strawberry.ID
    """The product."""
    version: int
    """The version you have read; CONFLICT when somebody changed the product since."""
    slug: str | None = None
    """Its part of the address; the old one still leads to it."""
    title: str | None = None
    """The title, in the shop's own language."""
    description: str | None = None
    """The description as HTML; scripts and styles are removed."""
    brand: str | None = None
    """The brand."""
    product_type: str | None = None
    """The kind of product, in your own words."""
    category_id: strawberry.ID | None = None
    """The category it belongs to."""
    tags: list[str] | None = None
    """All its tags."""
    seo_title: str | None = None
    """The title for search engines."""
    seo_description: str | None = None
    """The description for search engines."""
    translations: list[ProductTranslationInput] | None = None
    """Its texts in other languages, all of them."""
    attributes: list[ProductAttributeInput] | None = None
    """All its attributes."""
    pictures: list[PictureInput] | None = None
    """All its pictures, the main one first."""

    def changes(self) -> ProductChanges:
        return ProductChanges(
            texts=product_texts_of(self),
            slug=self.slug,
            tags=None if self.tags is None else tuple(self.tags),
            translations=None if self.translations is None else translation_texts(self.translations),
            attributes=None if self.attributes is None else attribute_values(self.attributes),
            pictures=None if self.pictures is None else picture_drafts(self.pictures),
        )


def price_drafts(inputs: Sequence[PriceInput], field: FieldPath) -> dict[CurrencyCode, PriceDraft]:
    """Prices by currency. Raises Invalid for two prices in one currency or a compare-at price in another."""
    drafts: dict[CurrencyCode, PriceDraft] = {}
    for index, each in enumerate(inputs):
        draft = price_draft(each.price, each.compare_at, (*field, index))
        currency = draft.amount.currency
        if currency in drafts:
            raise Invalid(
                "There are two prices in {currency}.", currency=currency.value, field=(*field, index)
            )
        drafts[currency] = draft
    return drafts


def price_draft(price: MoneyInput, compare_at: MoneyInput | None, field: FieldPath = ()) -> PriceDraft:
    amount = price.money(field=(*field, "price"))
    before = compare_at.money(field=(*field, "compare_at")) if compare_at else None
    if before and before.currency is not amount.currency:
        raise Invalid("Both prices are in the same currency.", field=(*field, "compare_at"))
    return PriceDraft(amount, before)


def picture_drafts(inputs: Sequence[PictureInput]) -> tuple[PictureDraft, ...]:
    return tuple(
        PictureDraft(each.url, each.alt, place + 1, alt_translations(each, ("pictures", place)))
        for place, each in enumerate(inputs)
    )


def alt_translations(picture: PictureInput, field: FieldPath) -> dict[str, str]:
    """Language tag -> what the picture shows."""
    languages = [canonical_tag(each.language) for each in picture.translations]
    require_unique(languages, (*field, "translations"), "language")
    return {tag: each.alt for tag, each in zip(languages, picture.translations, strict=True)}


def option_translations(
    options: Sequence[VariantOptionInput], field: FieldPath
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Language tag -> names and values of all options, "" for one that is not translated."""
    by_option: list[dict[str, tuple[str, str]]] = []
    for index, option in enumerate(options):
        languages = [canonical_tag(each.language) for each in option.translations]
        require_unique(languages, (*field, index, "translations"), "language")
        pairs = [(each.name, each.value) for each in option.translations]
        by_option.append(dict(zip(languages, pairs, strict=True)))
    tags = dict.fromkeys(tag for each in by_option for tag in each)
    return {tag: tuple(each.get(tag, ("", "")) for each in by_option) for tag in tags}


def translation_texts(inputs: Sequence[ProductTranslationInput]) -> dict[str, dict[str, str]]:
    """Language tag -> name of a text field that is translated -> text."""
    require_unique([canonical_tag(each.language) for each in inputs], ("translations",), "language")
    return {canonical_tag(each.language): translated_texts_of(each) for each in inputs}


def attribute_values(inputs: Sequence[ProductAttributeInput]) -> dict[str, tuple[str, ...]]:
    """Attribute code -> its values as text."""
    require_unique([each.code for each in inputs], ("attributes",), "code")
    return {each.code: tuple(each.values) for each in inputs}
