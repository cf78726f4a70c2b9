"""Figures: what sells, and what the catalogue lacks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import Reads
from models import (
    Attribute,
    Category,
    CategoryAttribute,
    Price,
    Product,
    ProductAttribute,
    ProductMedia,
    ProductStatus,
    Variant,
)


class CatalogGap(StrEnum):
    """Something a complete product has."""

    PICTURE = "PICTURE"
    """A picture."""
    DESCRIPTION = "DESCRIPTION"
    """A description."""
    TRANSLATION = "TRANSLATION"
    """Its texts in a second language."""
    CATEGORY = "CATEGORY"
    """A place in the tree of categories."""
    PRICE = "PRICE"
    """A price for every variant, and at least one variant."""
    WEIGHT = "WEIGHT"
    """A weight for every variant that has to be sent."""
    REQUIRED_ATTRIBUTES = "REQUIRED_ATTRIBUTES"
    """All attributes its category asks for."""


@dataclass(frozen=True, slots=True)
class ProductQuality:
    """How complete a product is."""

    product: Product
    missing: Sequence[CatalogGap]
    missing_attributes: Sequence[Attribute]

    @property
    def score(self) -> int:
        return 100 * (len(CatalogGap) - len(self.missing)) // len(CatalogGap)


async def product_quality(reads: Reads, *, first: int) -> Sequence[ProductQuality]:
    """The least complete products that are not archived."""
    gaps = catalog_gaps()
    missing: ColumnElement[int] = sum(
        (case((lacking, 1), else_=0) for lacking in gaps.values()), start=literal(0, Integer)
    )
    statement: Select[*tuple[Any, ...]] = (
        select(Product)
        .add_columns(*(lacking.label(gap.value) for gap, lacking in gaps.items()))
        .where(Product.status != ProductStatus.ARCHIVED)
        .order_by(missing.desc(), Product.id)
        .limit(first)
    )
    async with reads() as session:
        rows = (await session.execute(statement)).all()
        attributes = await _missing_attributes(session, [row[0].id for row in rows])
    return [
        ProductQuality(
            product, [gap for gap, lacks in zip(gaps, lacking, strict=True) if lacks], attributes[product.id]
        )
        for product, *lacking in rows
    ]


def catalog_gaps() -> dict[CatalogGap, ColumnElement[bool]]:
    """For each, whether a product lacks it."""
    variants = select(literal(1)).where(Variant.product_id == Product.id, Variant.archived_at.is_(None))
    priced = select(literal(1)).where(Price.variant_id == Variant.id).correlate(Variant).exists()
    pictures = select(literal(1)).where(ProductMedia.product_id == Product.id)
    weightless = and_(Variant.requires_shipping.is_(True), Variant.weight_grams == 0)
    return {
        CatalogGap.PICTURE: not_(pictures.correlate(Product).exists()),
        CatalogGap.DESCRIPTION: Product.description == "",
        CatalogGap.TRANSLATION: cast(Product.translations, String) == "{}",
        CatalogGap.CATEGORY: Product.category_id.is_(None),
        CatalogGap.PRICE: or_(
            not_(variants.correlate(Product).exists()),
            variants.where(not_(priced)).correlate(Product).exists(),
        ),
        CatalogGap.WEIGHT: variants.where(weightless).correlate(Product).exists(),
        CatalogGap.REQUIRED_ATTRIBUTES: required_but_missing(Product).exists(),
    }


def required_but_missing(product: type[Product]) -> Select[int]:
    """Ids of attributes that a product's category, or one above it, asks for in vain."""
    own, above = aliased(Category), aliased(Category)
    said = (
        select(literal(1))
        .where(
            ProductAttribute.product_id == product.id,
            ProductAttribute.attribute_id == CategoryAttribute.attribute_id,
        )
        .correlate(product, CategoryAttribute)
    )
    return (
        select(CategoryAttribute.attribute_id)
        .join(above, above.id == CategoryAttribute.category_id)
        .join(own, func.substr(own.path, 1, func.length(above.path)) == above.path)
        .where(own.id == product.category_id, CategoryAttribute.required.is_(True), not_(said.exists()))
        .correlate(product)
    )


async def _missing_attributes(
    session: AsyncSession, product_ids: Sequence[int]
) -> Mapping[int, Sequence[Attribute]]:
    rows = await session.execute(
        select(Product.id, Attribute)
        .join(Attribute, Attribute.id.in_(required_but_missing(Product)))
        .where(Product.id.in_(product_ids))
        .order_by(Product.id, Attribute.code)
    )
    found: defaultdict[int, list[Attribute]] = defaultdict(list)
    for product_id, attribute in rows:
        found[product_id].append(attribute)
    return found
