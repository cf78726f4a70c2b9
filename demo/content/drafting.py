"""From what a file says about a product to the draft that the shop takes in."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from demo.content.files import ProductRow, Scalar, VariantRow
from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from models.money import CurrencyCode, Money

PICTURES = 2


def draft(row: ProductRow, *, paths: Mapping[str, tuple[str, ...]]) -> ProductDraft:
    """`row` with its category as the names of `paths`; ValueError when the category is unknown."""
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
        attributes={code: _texts(value) for code, value in row.attributes.items()},
        pictures=_pictures(row),
        variants=tuple(_variant(row, variant) for variant in row.variants),
    )


def _pictures(row: ProductRow) -> tuple[PictureDraft, ...]:
    return tuple(
        PictureDraft(url=f"/media/demo/{row.slug}-{number}.svg", alt=row.title, position=number)
        for number in range(1, PICTURES + 1)
    )


def _variant(row: ProductRow, variant: VariantRow) -> VariantDraft:
    if len(variant.options) != len(row.options):
        raise ValueError(f"{variant.sku}: {len(variant.options)} values for {len(row.options)} options")
    return VariantDraft(
        options=tuple(zip(row.options, variant.options, strict=True)),
        sku=variant.sku,
        barcode=variant.barcode,
        prices=_prices(variant),
        weight_grams=variant.grams,
        weight_unit="g",
        stock=variant.stock,
    )


def _prices(variant: VariantRow) -> dict[CurrencyCode, PriceDraft]:
    was = variant.was or {}
    return {
        currency: PriceDraft(
            Money.of(amount, currency),
            Money.of(was[currency], currency) if currency in was else None,
        )
        for currency, amount in variant.price.items()
    }


def _texts(value: Scalar | tuple[Scalar, ...]) -> tuple[str, ...]:
    return tuple(_text(item) for item in (value if isinstance(value, tuple) else (value,)))


def _text(value: Scalar) -> str:
    match value:
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case str() | int() | Decimal():
            return str(value)
