"""Turning the rows of product files into the drafts that the shop saves."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from demo.content.files import ProductRow, Scalar, VariantRow, read_option_translations
from domain.catalog.product import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from models.money import CurrencyCode, Money

PICTURES = 2


def draft_product(row: ProductRow, *, paths: Mapping[str, tuple[str, ...]]) -> ProductDraft:
    """Return the draft of a product; ValueError when `paths` has no such category."""
    if row.category not in paths:
        raise ValueError(f"{row.slug}: there is no category {row.category}")
    return ProductDraft(
        slug=row.slug,
        title=row.title,
        description=row.description,
        brand=row.brand,
        category_path=paths[row.category],
        tags=row.tags,
        status=row.status,
        translations={"en": {"title": row.en.title, "description": row.en.description}},
        attributes={code: _format_values(value) for code, value in row.attributes.items()},
        pictures=_draft_pictures(row),
        variants=tuple(_draft_variant(row, variant) for variant in row.variants),
    )


def _draft_pictures(row: ProductRow) -> tuple[PictureDraft, ...]:
    return tuple(
        PictureDraft(f"/media/demo/{row.slug}-{number}.svg", row.title, number, {"en": row.en.title})
        for number in range(1, PICTURES + 1)
    )


def _draft_variant(row: ProductRow, variant: VariantRow) -> VariantDraft:
    if len(variant.options) != len(row.options):
        raise ValueError(f"{variant.sku}: {len(variant.options)} values for {len(row.options)} options")
    return VariantDraft(
        options=tuple(zip(row.options, variant.options, strict=True)),
        option_translations={"en": _translate_options(row.options, variant.options)} if row.options else {},
        sku=variant.sku,
        barcode=variant.barcode,
        prices=_draft_prices(variant),
        weight_grams=variant.grams,
        weight_unit="g",
        stock=variant.stock,
        requires_shipping=variant.shipped,
        sells_when_out=variant.sells_when_out,
    )


def _translate_options(names: Sequence[str], values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """English names and values; those without one are found by the rules of the content."""
    english = read_option_translations()
    return tuple(
        (english.get(name, ""), english.get(value, "")) for name, value in zip(names, values, strict=True)
    )


def _draft_prices(variant: VariantRow) -> dict[CurrencyCode, PriceDraft]:
    compare_at = variant.was or {}
    return {
        currency: PriceDraft(
            Money.of(amount, currency),
            Money.of(compare_at[currency], currency) if currency in compare_at else None,
        )
        for currency, amount in variant.price.items()
    }


def _format_values(value: Scalar | tuple[Scalar, ...]) -> tuple[str, ...]:
    return tuple(_format_value(item) for item in (value if isinstance(value, tuple) else (value,)))


def _format_value(value: Scalar) -> str:
    match value:
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case str() | int() | Decimal():
            return str(value)
