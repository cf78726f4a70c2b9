"""Drafts written into rows. Each function says whether anything is different now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.attributes import Said
from domain.catalog.drafts import PriceDraft, ProductDraft, VariantDraft
from domain.catalog.stored import Stored
from domain.state import move, table
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

TRANSITIONS = table(
    ProductStatus.DRAFT,
    {
        ProductStatus.DRAFT: {ProductStatus.ACTIVE, ProductStatus.ARCHIVED},
        ProductStatus.ACTIVE: {ProductStatus.DRAFT, ProductStatus.ARCHIVED},
        ProductStatus.ARCHIVED: {ProductStatus.DRAFT, ProductStatus.ACTIVE},
    },
)


def put(row: Base, **values: object) -> bool:
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def set_status(product: Product, status: ProductStatus, *, now: datetime) -> None:
    move(product, status, TRANSITIONS)
    if status is ProductStatus.ACTIVE and product.published_at is None:
        product.published_at = now


def new_product(draft: ProductDraft, *, now: datetime) -> Product:
    return Product(slug=draft.slug, status=ProductStatus.DRAFT, version=0, created_at=now, updated_at=now)


def write_product(product: Product, draft: ProductDraft, *, category_id: int | None, now: datetime) -> bool:
    changed = put(
        product,
        title=draft.title,
        description=draft.description,
        brand=draft.brand,
        product_type=draft.product_type,
        category_id=category_id,
        tags=list(draft.tags),
        seo_title=draft.seo_title,
        seo_description=draft.seo_description,
        translations={language: dict(texts) for language, texts in draft.translations.items()},
        columns=dict(draft.columns),
    )
    if product.status is draft.status:
        return changed
    set_status(product, draft.status, now=now)
    return True


def choose_media(
    session: AsyncSession,
    stored: Stored,
    draft: ProductDraft,
    sent: Mapping[str, Media],
    *,
    now: datetime,
) -> tuple[list[Media], dict[str, Media], bool]:
    """The rows of the pictures, in order; of all addresses; and whether a text or an address is new.

    `sent` is what is known of pictures that have been uploaded, by their address.
    """
    free: defaultdict[str, list[Media]] = defaultdict(list)
    for media in reversed(stored.media.values()):
        free[media.url].append(media)
    changed = False
    pictures: list[Media] = []
    for picture in draft.pictures:
        media = (
            free[picture.url].pop() if free[picture.url] else _new_media(session, picture.url, sent, now=now)
        )
        changed |= put(media, alt=picture.alt)
        pictures.append(media)
    by_url = {media.url: media for media in reversed(pictures)}
    for variant in draft.variants:
        url = variant.picture_url
        if url and url not in by_url:
            by_url[url] = free[url].pop() if free[url] else _new_media(session, url, sent, now=now)
    return pictures, by_url, changed


def _new_media(session: AsyncSession, url: str, sent: Mapping[str, Media], *, now: datetime) -> Media:
    media = Media(url=url, alt="", created_at=now)
    if known := sent.get(url):
        media.content_type, media.size = known.content_type, known.size
        media.width, media.height = known.width, known.height
    session.add(media)
    return media


async def write_pictures(session: AsyncSession, stored: Stored, pictures: Sequence[Media]) -> bool:
    """The pictures must have their ids."""
    places = {place.position: place for place in stored.places}
    changed = False
    for position, media in enumerate(pictures, start=1):
        place = places.pop(position, None)
        if place is None:
            session.add(ProductMedia(product_id=stored.product.id, position=position, media_id=media.id))
        changed |= put(place, media_id=media.id) if place else True
    for place in places.values():
        await session.delete(place)
    return changed or bool(places)


async def write_attributes(
    session: AsyncSession, stored: Stored, said: Mapping[tuple[int, int], Said]
) -> bool:
    """`said` by id of the attribute and position."""
    rows = {(row.attribute_id, row.position): row for row in stored.attributes}
    changed = False
    for (attribute_id, position), value in said.items():
        row = rows.pop((attribute_id, position), None)
        if row is None:
            row = ProductAttribute(product_id=stored.product.id, attribute_id=attribute_id, position=position)
            session.add(row)
        changed |= put(
            row,
            value_id=value.value_id,
            number=value.number,
            boolean=value.boolean,
            text=value.text,
            date=value.date,
        )
    for row in rows.values():
        await session.delete(row)
    return changed or bool(rows)


def write_variant(variant: Variant, draft: VariantDraft, *, position: int, media_id: int | None) -> bool:
    """A variant that is written is not archived; one whose stock is told is counted."""
    return put(
        variant,
        position=position,
        sku=draft.sku,
        barcode=draft.barcode,
        options=[{"name": name, "value": value} for name, value in draft.options],
        weight_grams=draft.weight_grams,
        weight_unit=draft.weight_unit,
        tracked=draft.tracked or bool(draft.stock),
        sells_when_out=draft.sells_when_out,
        requires_shipping=draft.requires_shipping,
        taxable=draft.taxable,
        media_id=media_id,
        columns=dict(draft.columns),
        archived_at=None,
    )


async def write_prices(
    session: AsyncSession,
    variant: Variant,
    known: Mapping[CurrencyCode, Price],
    drafts: Mapping[CurrencyCode, PriceDraft],
) -> bool:
    changed = False
    for currency, draft in drafts.items():
        row = known.get(currency)
        if row is None:
            row = Price(variant_id=variant.id, currency=currency)
            session.add(row)
        compare_at = draft.compare_at.minor if draft.compare_at else None
        changed |= put(row, amount=draft.amount.minor, compare_at_amount=compare_at)
    gone = [row for currency, row in known.items() if currency not in drafts]
    for row in gone:
        await session.delete(row)
    return changed or bool(gone)
