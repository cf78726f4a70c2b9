"""Products as they are, with everything that belongs to them, in seven statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from models import CurrencyCode, Media, Price, Product, ProductAttribute, ProductMedia, Variant


@dataclass(slots=True)
class Stored:
    """One product and its rows; `variants` has the archived ones, too."""

    product: Product
    variants: list[Variant] = field(default_factory=list)
    prices: dict[int, dict[CurrencyCode, Price]] = field(default_factory=lambda: defaultdict(dict))
    places: list[ProductMedia] = field(default_factory=list)
    media: dict[int, Media] = field(default_factory=dict)
    attributes: list[ProductAttribute] = field(default_factory=list)

    @property
    def pictures(self) -> list[Media]:
        return [self.media[place.media_id] for place in self.places]

    @property
    def on_sale(self) -> list[Variant]:
        """The variants that are not archived."""
        return [variant for variant in self.variants if variant.archived_at is None]


async def stored_by_slug(session: AsyncSession, slugs: Collection[str]) -> dict[str, Stored]:
    """The products of these slugs, locked."""
    found = await _stored(session, Product.slug.in_(slugs), lock=True)
    return {each.product.slug: each for each in found.values()}


async def stored_by_id(
    session: AsyncSession, ids: Collection[int], *, lock: bool = False
) -> dict[int, Stored]:
    return await _stored(session, Product.id.in_(ids), lock=lock)


async def _stored(session: AsyncSession, which: ColumnElement[bool], *, lock: bool) -> dict[int, Stored]:
    wanted = select(Product).where(which).order_by(Product.id).execution_options(populate_existing=True)
    products = await session.scalars(wanted.with_for_update() if lock else wanted)
    found = {product.id: Stored(product) for product in products}
    ids = list(found)
    for variant in await _variants(session, ids):
        found[variant.product_id].variants.append(variant)
    for product_id, price in await _prices(session, ids):
        found[product_id].prices[price.variant_id][price.currency] = price
    for place in await _places(session, ids):
        found[place.product_id].places.append(place)
    for attribute in await _attributes(session, ids):
        found[attribute.product_id].attributes.append(attribute)
    media = await _media(session, found.values())
    for each in found.values():
        each.media = {media_id: media[media_id] for media_id in _media_ids(each)}
    return found


async def _variants(session: AsyncSession, ids: Sequence[int]) -> Sequence[Variant]:
    statement = select(Variant).where(Variant.product_id.in_(ids))
    return (await session.scalars(statement.order_by(Variant.product_id, Variant.position, Variant.id))).all()


async def _prices(session: AsyncSession, ids: Sequence[int]) -> Sequence[tuple[int, Price]]:
    rows = await session.execute(
        select(Variant.product_id, Price)
        .join(Variant, Variant.id == Price.variant_id)
        .where(Variant.product_id.in_(ids))
        .order_by(Price.variant_id, Price.currency)
    )
    return [(product_id, price) for product_id, price in rows]


async def _places(session: AsyncSession, ids: Sequence[int]) -> Sequence[ProductMedia]:
    statement = select(ProductMedia).where(ProductMedia.product_id.in_(ids))
    return (await session.scalars(statement.order_by(ProductMedia.product_id, ProductMedia.position))).all()


async def _attributes(session: AsyncSession, ids: Sequence[int]) -> Sequence[ProductAttribute]:
    columns = (ProductAttribute.product_id, ProductAttribute.attribute_id, ProductAttribute.position)
    statement = select(ProductAttribute).where(ProductAttribute.product_id.in_(ids))
    return (await session.scalars(statement.order_by(*columns))).all()


async def _media(session: AsyncSession, products: Collection[Stored]) -> dict[int, Media]:
    wanted = {media_id for each in products for media_id in _media_ids(each)}
    found: dict[int, Media] = {}
    for batch in batches(sorted(wanted)):
        found |= {row.id: row for row in await session.scalars(select(Media).where(Media.id.in_(batch)))}
    return found


def _media_ids(each: Stored) -> list[int]:
    shown = [place.media_id for place in each.places]
    return shown + [variant.media_id for variant in each.variants if variant.media_id is not None]
