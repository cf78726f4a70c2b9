"""Warehouses, categories, attributes and products."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import AttributeContent, CategoryContent, Content, WarehouseContent
from domain.catalog.attributes import ValueDraft, save_attribute
from domain.catalog.saving import import_products
from domain.catalog.tree import AttributeOfCategory, save_category
from events.shop import Shop
from models import Translations, Warehouse

ENGLISH = "en"


async def load_goods(shop: Shop, content: Content) -> None:
    async with shop.database.writes.begin() as session:
        session.add_all(
            warehouse(each, position) for position, each in enumerate(content.warehouses, start=1)
        )
        await session.flush()
        attributes = await load_attributes(session, content.attributes)
        await load_categories(session, content.categories, attributes)
        await import_products(session, content.products, now=shop.clock())


def warehouse(each: WarehouseContent, position: int) -> Warehouse:
    return Warehouse(
        code=each.code,
        name=each.name,
        country_code=each.country_code,
        province=each.province,
        city=each.city,
        district=each.district,
        line1=each.line1,
        latitude=each.latitude,
        longitude=each.longitude,
        position=position,
    )


async def load_attributes(
    session: AsyncSession, attributes: Sequence[AttributeContent]
) -> Mapping[str, Sequence[AttributeOfCategory]]:
    """The attributes that each category defines, by its slug."""
    defined = defaultdict(list)
    for each in attributes:
        row = await save_attribute(
            session,
            code=each.code,
            name=each.name,
            type=each.type,
            unit=each.unit,
            filterable=each.filterable,
            values=[ValueDraft(value.code, value.name, english(value.en)) for value in each.values],
            translations=english(each.en)
            | ({ENGLISH: {"name": each.en, "unit": each.unit_en}} if each.unit_en else {}),
        )
        defined[each.category].append(AttributeOfCategory(row.id, each.required))
    return defined


async def load_categories(
    session: AsyncSession,
    categories: Sequence[CategoryContent],
    attributes: Mapping[str, Sequence[AttributeOfCategory]],
) -> None:
    ids: dict[str, int] = {}
    for each in categories:
        row = await save_category(
            session,
            name=each.name,
            slug=each.slug,
            parent_id=ids[each.parent] if each.parent else None,
            position=each.position,
            translations=english(each.en),
            attributes=attributes.get(each.slug, ()),
        )
        ids[each.slug] = row.id


def english(name: str) -> Translations:
    return {ENGLISH: {"name": name}}
