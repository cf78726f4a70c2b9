"""Loading warehouses, categories with their terms of claims, attributes and products."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import AttributeContent, CategoryContent, ClaimPolicyContent, Content, WarehouseContent
from domain.aftersales.policies import ClaimPolicyDraft, save_claim_policy
from domain.catalog.product import save_products
from domain.catalog.taxonomy import (
    AttributeDraft,
    CategoryAttributeDraft,
    CategoryDraft,
    ValueDraft,
    save_attribute,
    save_category,
)
from domain.cause import Cause
from events.shop import Shop
from models import CoordinateSource, Translations, Warehouse

ENGLISH = "en"


async def load_products(shop: Shop, content: Content) -> None:
    async with shop.database.writes.begin() as session:
        session.add_all(
            warehouse_of(warehouse, position)
            for position, warehouse in enumerate(content.warehouses, start=1)
        )
        await session.flush()
        attributes = await load_attributes(session, content.attributes)
        category_ids = await load_categories(session, content.categories, attributes)
        await load_claim_policies(session, content.claim_policies, category_ids, cause=Cause(shop.clock()))
        await save_products(session, content.products, cause=Cause(shop.clock()))


def warehouse_of(warehouse: WarehouseContent, position: int) -> Warehouse:
    return Warehouse(
        code=warehouse.code,
        name=warehouse.name,
        country_code=warehouse.country_code,
        province=warehouse.province,
        city=warehouse.city,
        district=warehouse.district,
        line1=warehouse.line1,
        latitude=warehouse.latitude,
        longitude=warehouse.longitude,
        coordinate_source=CoordinateSource.CLIENT,
        position=position,
        allows_pickup=warehouse.allows_pickup,
        pickup_hours=[asdict(hours) for hours in warehouse.pickup_hours],
        pickup_instructions=warehouse.pickup_instructions,
    )


async def load_attributes(
    session: AsyncSession, attributes: Sequence[AttributeContent]
) -> Mapping[str, Sequence[CategoryAttributeDraft]]:
    """Save the attributes; return those that each category defines, by its slug."""
    defined = defaultdict(list)
    for attribute in attributes:
        row = await save_attribute(
            session,
            AttributeDraft(
                code=attribute.code,
                name=attribute.name,
                type=attribute.type,
                unit=attribute.unit,
                filterable=attribute.filterable,
                values=[
                    ValueDraft(value.code, value.name, english_name(value.en)) for value in attribute.values
                ],
                translations=english_name(attribute.en)
                | ({ENGLISH: {"name": attribute.en, "unit": attribute.unit_en}} if attribute.unit_en else {}),
            ),
        )
        defined[attribute.category].append(CategoryAttributeDraft(row.id, attribute.required))
    return defined


async def load_categories(
    session: AsyncSession,
    categories: Sequence[CategoryContent],
    attributes: Mapping[str, Sequence[CategoryAttributeDraft]],
) -> Mapping[str, int]:
    """Save the categories; return their ids by slug."""
    ids: dict[str, int] = {}
    for category in categories:
        row = await save_category(
            session,
            CategoryDraft(
                name=category.name,
                slug=category.slug,
                parent_id=ids[category.parent] if category.parent else None,
                position=category.position,
                translations=english_name(category.en),
                attributes=attributes.get(category.slug, ()),
            ),
        )
        ids[category.slug] = row.id
    return ids


async def load_claim_policies(
    session: AsyncSession,
    policies: Sequence[ClaimPolicyContent],
    category_ids: Mapping[str, int],
    *,
    cause: Cause,
) -> None:
    for policy in policies:
        draft = ClaimPolicyDraft(
            policy.windows,
            policy.exclusion,
            refused_reasons=policy.refused_reasons,
            category_id=category_ids[policy.category],
        )
        await save_claim_policy(session, draft, version=None, cause=cause)


def english_name(name: str) -> Translations:
    return {ENGLISH: {"name": name}}
