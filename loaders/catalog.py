"""Loaders of products, variants, prices, pictures, attributes and categories."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, Loader, ManyByKey, loader
from models import (
    SOLD_STATUSES,
    Attribute,
    AttributeValue,
    Category,
    CategoryAttribute,
    CategorySlug,
    Media,
    Price,
    PriceChange,
    Product,
    ProductAttribute,
    ProductMedia,
    ProductSlug,
    Variant,
)
from models.database import Reads
from models.sql.types import AnyAttribute, AnyModel

R = TypeVar("R")


class ProductById(ByKey[int, Product]):
    key = Product.id


class BySlug(Loader[str, R | None], Generic[R]):
    """By the present slug; where no row has it, by a former one."""

    kind: ClassVar[AnyModel]
    owner: ClassVar[AnyAttribute]
    """The column of the table of former slugs that names the row."""

    async def answer(self, keys: list[str]) -> list[R | None]:
        kind, owner = type(self).kind, type(self).owner
        async with self.reads() as session:
            rows = await session.scalars(select(kind).where(kind.slug.in_(keys)))
            found: dict[str, R] = {row.slug: row for row in rows}
            if missing := [key for key in keys if key not in found]:
                old = select(owner.class_.slug, kind).join(kind, kind.id == owner)
                rows_before = await session.execute(old.where(owner.class_.slug.in_(missing)))
                found |= {slug: row for slug, row in rows_before}  # noqa: C416 - rows are no pairs to mypy
        return [found.get(key) for key in keys]


class ProductBySlug(BySlug[Product]):
    kind = Product
    owner = ProductSlug.product_id


class VariantById(ByKey[int, Variant]):
    key = Variant.id


class VariantsByProduct(ManyByKey[int, Variant]):
    """Variants that are on sale."""

    key = Variant.product_id
    order_by = (Variant.position, Variant.id)
    primes = "variant"

    def statement(self) -> Select[Variant]:
        return select(Variant).where(Variant.archived_at.is_(None))


class PricesByVariant(ManyByKey[int, Price]):
    key = Price.variant_id
    order_by = Price.currency


class PriceChangesByVariant(ManyByKey[int, PriceChange]):
    """Scheduled, active and past price changes, the earliest first."""

    key = PriceChange.variant_id
    order_by = (PriceChange.starts_at, PriceChange.id)


class PriceChangeById(ByKey[int, PriceChange]):
    key = PriceChange.id


class MediaById(ByKey[int, Media]):
    key = Media.id


class MediaByProduct(Grouped[int, Sequence[Media]]):
    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[Media]]:
        rows = await session.execute(
            select(ProductMedia.product_id, Media)
            .join(Media, Media.id == ProductMedia.media_id)
            .where(ProductMedia.product_id.in_(keys))
            .order_by(ProductMedia.product_id, ProductMedia.position)
        )
        found: defaultdict[int, list[Media]] = defaultdict(list)
        for product_id, media in rows:
            found[product_id].append(media)
            self.loaders.prime("media", media.id, media)
        return found

    def default(self) -> Sequence[Media]:
        return []


class AttributesByProduct(ManyByKey[int, ProductAttribute]):
    """Sorted by the name of the attribute; several values of one in their order."""

    key = ProductAttribute.product_id
    order_by = (Attribute.name, Attribute.id, ProductAttribute.position)

    def statement(self) -> Select[ProductAttribute]:
        return select(ProductAttribute).join(Attribute, Attribute.id == ProductAttribute.attribute_id)


class AttributeById(ByKey[int, Attribute]):
    key = Attribute.id


class AttributeValueById(ByKey[int, AttributeValue]):
    key = AttributeValue.id


class ValuesByAttribute(ManyByKey[int, AttributeValue]):
    key = AttributeValue.attribute_id
    order_by = (AttributeValue.position, AttributeValue.id)
    primes = "attribute_value"


class CategoryById(ByKey[int, Category]):
    key = Category.id


class CategoryBySlug(BySlug[Category]):
    kind = Category
    owner = CategorySlug.category_id


class ChildrenByCategory(ManyByKey[int, Category]):
    """Without those that are archived."""

    key = Category.parent_id
    order_by = (Category.position, Category.id)
    primes = "category"

    def statement(self) -> Select[Category]:
        return select(Category).where(Category.archived_at.is_(None))


class AttributesByCategory(ManyByKey[int, CategoryAttribute]):
    """A category's own attributes, without those it inherits."""

    key = CategoryAttribute.category_id
    order_by = CategoryAttribute.attribute_id


class PublicMedia(Grouped[int, bool]):
    """Whether a picture is on a product that customers can see."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, bool]:
        on_product = (
            select(ProductMedia.media_id)
            .join(Product, Product.id == ProductMedia.product_id)
            .where(ProductMedia.media_id.in_(keys), Product.status.in_(SOLD_STATUSES))
        )
        on_variant = (
            select(Variant.media_id)
            .join(Product, Product.id == Variant.product_id)
            .where(Variant.media_id.in_(keys), Product.status.in_(SOLD_STATUSES))
        )
        return dict.fromkeys(await session.scalars(on_product.union(on_variant)), True)

    def default(self) -> bool:
        return False


CATEGORIES = select(Category).order_by(Category.depth, Category.position, Category.id)


async def load_categories(reads: Reads, *, archived: bool = False) -> Sequence[Category]:
    """All categories; those that are archived only where they are asked for."""
    statement = CATEGORIES if archived else CATEGORIES.where(Category.archived_at.is_(None))
    async with reads() as session:
        return (await session.scalars(statement)).all()


async def load_root_categories(reads: Reads, *, archived: bool = False) -> Sequence[Category]:
    statement = CATEGORIES if archived else CATEGORIES.where(Category.archived_at.is_(None))
    async with reads() as session:
        return (await session.scalars(statement.where(Category.parent_id.is_(None)))).all()


async def load_attributes(reads: Reads, *, archived: bool = False) -> Sequence[Attribute]:
    """All attributes; those that are archived only where they are asked for."""
    statement = select(Attribute).order_by(Attribute.code)
    async with reads() as session:
        return (
            await session.scalars(statement if archived else statement.where(Attribute.archived_at.is_(None)))
        ).all()


async def load_slugs(reads: Reads, product_ids: Collection[int]) -> dict[int, str]:
    """Product id -> slug."""
    async with reads() as session:
        rows = await session.execute(select(Product.id, Product.slug).where(Product.id.in_(product_ids)))
        return {row.id: row.slug for row in rows}


class CatalogLoaders:
    product = loader(ProductById)
    slug_product = loader(ProductBySlug)
    product_variants = loader(VariantsByProduct)
    product_media = loader(MediaByProduct)
    product_attributes = loader(AttributesByProduct)
    variant = loader(VariantById)
    variant_prices = loader(PricesByVariant)
    variant_price_changes = loader(PriceChangesByVariant)
    price_change = loader(PriceChangeById)
    media = loader(MediaById)
    public_media = loader(PublicMedia)
    attribute = loader(AttributeById)
    attribute_value = loader(AttributeValueById)
    attribute_values = loader(ValuesByAttribute)
    category = loader(CategoryById)
    slug_category = loader(CategoryBySlug)
    category_children = loader(ChildrenByCategory)
    category_attributes = loader(AttributesByCategory)
