"""The tree of categories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import strawberry

from domain.errors import Invalid
from loaders.catalog import load_categories, load_root_categories
from models import Attribute, Category, CategoryAttribute
from resolvers.catalog.product import apply_preferences
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import parse_id


@dataclass(frozen=True, slots=True)
class EffectiveAttribute:
    """An attribute that the products of a category have, from the category itself or from one above."""

    attribute: Attribute
    required: bool
    inherited: bool


async def category(
    info: Info, id: strawberry.ID | None = None, slug: str | None = None, language: str | None = None
) -> Category | None:
    """One category by its id or its slug.

    id: its global id
    slug: its part of the address
    language: the language of its texts, as a tag such as "zh-CN"; the viewer's own when left out
    """
    apply_preferences(info, language=language)
    if (id is None) == (slug is None):
        raise Invalid("Name a category by its id or by its slug.", field=("id",))
    return await look_up_category(info, slug if slug is not None else id or "", by_slug=slug is not None)


async def look_up_category(info: Info, name: str, *, by_slug: bool) -> Category | None:
    """The category with this slug or this global id."""
    if by_slug:
        return await info.context.load.slug_category.load(name)
    parsed = parse_id(name)
    return await find_category(info, parsed[1]) if parsed and parsed[0] == "Category" else None


async def find_category(info: Info, category_id: int) -> Category | None:
    return await info.context.load.category.load(category_id)


async def categories(
    info: Info, roots: bool = True, language: str | None = None, archived: bool = False
) -> Sequence[Category]:
    """The categories of the shop.

    roots: true for the roots only, with the others below them as children; false for all, the roots first
    language: the language of their texts, as a tag such as "zh-CN"; the viewer's own when left out
    archived: true for those that are archived, too; for the staff
    """
    apply_preferences(info, language=language)
    reads, load = info.context.shop.database.reads, load_root_categories if roots else load_categories
    return await load(reads, archived=archived and info.context.viewer.may(Permission.CATALOG_VIEW))


async def category_ancestors(categories: Sequence[Category], info: Info) -> Sequence[Sequence[Category]]:
    """The categories above it, the root first."""
    ids = list({each for category in categories for each in category.path_ids[:-1]})
    rows = dict(zip(ids, await info.context.load.category.load_many(ids), strict=True))
    return [[row for each in category.path_ids[:-1] if (row := rows[each])] for category in categories]


async def category_attributes(
    categories: Sequence[Category], info: Info
) -> Sequence[Sequence[EffectiveAttribute]]:
    """The attributes of its products: its own, and those it inherits from the categories above."""
    ids = list({each for category in categories for each in category.path_ids})
    own = dict(zip(ids, await info.context.load.category_attributes.load_many(ids), strict=True))
    attribute_ids = list({row.attribute_id for rows in own.values() for row in rows})
    loaded = await info.context.load.attribute.load_many(attribute_ids)
    attributes = dict(zip(attribute_ids, loaded, strict=True))
    return [
        merge_attributes(category, [row for each in category.path_ids for row in own[each]], attributes)
        for category in categories
    ]


def merge_attributes(
    category: Category, rows: Sequence[CategoryAttribute], attributes: Mapping[int, Attribute | None]
) -> list[EffectiveAttribute]:
    """Each attribute once; `rows` come from the root down, and the nearest to the category counts."""
    nearest = {row.attribute_id: row for row in rows}
    return [
        EffectiveAttribute(attribute, row.required, inherited=row.category_id != category.id)
        for attribute_id, row in nearest.items()
        if (attribute := attributes[attribute_id]) and attribute.archived_at is None
    ]
