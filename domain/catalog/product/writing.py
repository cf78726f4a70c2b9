"""Writing drafts into rows. Each function returns whether anything changed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product.drafts import PriceDraft, ProductDraft, VariantDraft
from domain.catalog.product.rows import ProductRows
from domain.catalog.product.text_fields import product_texts_of, variant_texts_of
from domain.catalog.taxonomy import ValueColumns
from domain.state import move, transition_table
from models import (
    Base,
    CurrencyCode,
    Media,
    Price,
    Product,
    ProductAttribute,
    ProductMedia,
    ProductStatus,
    Variant,
)
from models.base import JsonObject

TRANSITIONS = transition_table(
    ProductStatus.DRAFT,
    {status: {other for other in ProductStatus if other is not status} for status in ProductStatus},
)


def set_columns(row: Base, **values: object) -> bool:
    """Set the columns that have another value; whether there were any."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def set_status(product: Product, status: ProductStatus, *, now: datetime) -> None:
    move(product, status, TRANSITIONS)
    product.publish_as = None
    if status is ProductStatus.ACTIVE and product.published_at is None:
        product.published_at = now


def new_product(draft: ProductDraft, *, now: datetime) -> Product:
    return Product(slug=draft.slug, status=ProductStatus.DRAFT, version=0, created_at=now, updated_at=now)


def write_product(product: Product, draft: ProductDraft, *, category_id: int | None, now: datetime) -> bool:
    changed = set_columns(
        product,
        **product_texts_of(draft),
        category_id=category_id,
        tags=list(draft.tags),
        translations={language: dict(texts) for language, texts in draft.translations.items()},
        columns=dict(draft.columns),
    )
    if product.status is draft.status:
        return changed
    set_status(product, draft.status, now=now)
    return True


def write_media(
    session: AsyncSession,
    rows: ProductRows,
    draft: ProductDraft,
    uploads: Mapping[str, Media],
    *,
    now: datetime,
) -> tuple[list[Media], dict[str, Media], bool]:
    """The rows of the product's pictures in order, those of all addresses, and whether anything changed.

    Rows the product has are used again by their address. `uploads` are pictures that have been uploaded, by
    their address: a new row takes their size and kind.
    """
    free: defaultdict[str, list[Media]] = defaultdict(list)
    for media in reversed(rows.media.values()):
        free[media.url].append(media)
    changed = False
    pictures: list[Media] = []
    for picture in draft.pictures:
        url = picture.url
        media = free[url].pop() if free[url] else _add_media(session, url, uploads, now=now)
        translations = {language: {"alt": alt} for language, alt in picture.translations.items()}
        changed |= set_columns(media, alt=picture.alt, translations=translations)
        pictures.append(media)
    by_url = {media.url: media for media in reversed(pictures)}
    for variant in draft.variants:
        variant_url = variant.picture_url
        if variant_url and variant_url not in by_url:
            by_url[variant_url] = (
                free[variant_url].pop()
                if free[variant_url]
                else _add_media(session, variant_url, uploads, now=now)
            )
    return pictures, by_url, changed


def _add_media(session: AsyncSession, url: str, uploads: Mapping[str, Media], *, now: datetime) -> Media:
    media = Media(url=url, alt="", created_at=now)
    if upload := uploads.get(url):
        media.content_type, media.size = upload.content_type, upload.size
        media.width, media.height = upload.width, upload.height
    session.add(media)
    return media


async def write_pictures(session: AsyncSession, rows: ProductRows, pictures: Sequence[Media]) -> bool:
    """Set the pictures of a product in this order; they must have been flushed, so that they have ids."""
    by_position = {each.position: each for each in rows.product_media}
    changed = False
    for position, media in enumerate(pictures, start=1):
        row = by_position.pop(position, None)
        if row is None:
            session.add(ProductMedia(product_id=rows.product.id, position=position, media_id=media.id))
        changed |= set_columns(row, media_id=media.id) if row else True
    for row in by_position.values():
        await session.delete(row)
    return changed or bool(by_position)


async def write_attributes(
    session: AsyncSession, rows: ProductRows, values: Mapping[tuple[int, int], ValueColumns]
) -> bool:
    """Set the values of a product's attributes, by the id of the attribute and the position."""
    known = {(row.attribute_id, row.position): row for row in rows.attributes}
    changed = False
    for (attribute_id, position), value in values.items():
        row = known.pop((attribute_id, position), None)
        if row is None:
            row = ProductAttribute(product_id=rows.product.id, attribute_id=attribute_id, position=position)
            session.add(row)
        changed |= set_columns(
            row,
            value_id=value.value_id,
            number=value.number,
            boolean=value.boolean,
            text=value.text,
            date=value.date,
        )
    for row in known.values():
        await session.delete(row)
    return changed or bool(known)


def write_variant(variant: Variant, draft: VariantDraft, *, position: int, media_id: int | None) -> bool:
    """Set the columns of a variant and take it out of the archive; one with stock in the draft is tracked."""
    return set_columns(
        variant,
        **variant_texts_of(draft),
        position=position,
        options=option_columns(draft),
        weight_grams=draft.weight_grams,
        weight_unit=draft.weight_unit,
        length_mm=draft.size.length_mm if draft.size else None,
        width_mm=draft.size.width_mm if draft.size else None,
        height_mm=draft.size.height_mm if draft.size else None,
        tracked=draft.tracked or bool(draft.stock),
        sells_when_out=draft.sells_when_out,
        requires_shipping=draft.requires_shipping,
        taxable=draft.taxable,
        media_id=media_id,
        columns=dict(draft.columns),
        archived_at=None,
    )


def option_columns(draft: VariantDraft) -> list[JsonObject]:
    """The options of a variant as they are stored, each with its translations if it has any."""
    columns: list[JsonObject] = [{"name": name, "value": value} for name, value in draft.options]
    for language, pairs in sorted(draft.option_translations.items()):
        for column, (name, value) in zip(columns, pairs, strict=True):
            if texts := {key: text for key, text in (("name", name), ("value", value)) if text}:
                column.setdefault("translations", {})[language] = texts
    return columns


async def write_prices(
    session: AsyncSession,
    variant: Variant,
    known: Mapping[CurrencyCode, Price],
    drafts: Mapping[CurrencyCode, PriceDraft],
) -> bool:
    """Set the prices of a variant; those of currencies the drafts do not have are deleted."""
    changed = False
    for currency, draft in drafts.items():
        row = known.get(currency)
        if row is None:
            row = Price(variant_id=variant.id, currency=currency)
            session.add(row)
        compare_at = draft.compare_at.minor if draft.compare_at else None
        changed |= set_columns(row, amount=draft.amount.minor, compare_at_amount=compare_at)
    obsolete = [row for currency, row in known.items() if currency not in drafts]
    for row in obsolete:
        await session.delete(row)
    return changed or bool(obsolete)
