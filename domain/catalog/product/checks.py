"""What a draft must not contradict in the shop: slugs, SKUs, attributes and their categories."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.limits import NAME_LIMIT
from domain.catalog.problems import list_names
from domain.catalog.product.product_save import ProductSave
from domain.catalog.product.refusals import DraftPart, DraftRefusal
from domain.catalog.product.variant_matching import VariantMatch
from domain.catalog.taxonomy import (
    AttributeWithValues,
    WrongValue,
    attribute_categories,
)
from domain.errors import ErrorCode
from domain.stock import CODE_LIMIT
from models import CATEGORY_DEPTH_LIMIT, AttributeType, Category, Variant, Warehouse
from text.messages import Message

SINGLE = frozenset({AttributeType.NUMBER, AttributeType.BOOLEAN, AttributeType.DATE})
"""Types of attributes of which a product has one value."""


def refuse_limits(saves: Sequence[ProductSave]) -> Iterator[DraftRefusal]:
    """Refusals of repeated slugs, deep categories and long codes."""
    slugs: set[str] = set()
    for save in saves:
        draft = save.draft
        if draft.slug in slugs:
            yield DraftRefusal(
                draft, DraftPart.SLUG, Message('"{slug}" stands there twice', slug=draft.slug), ("slug",)
            )
        slugs.add(draft.slug)
        if len(draft.category_path) > CATEGORY_DEPTH_LIMIT:
            yield DraftRefusal(
                draft,
                DraftPart.CATEGORY,
                Message("categories stand at most {limit} levels deep", limit=CATEGORY_DEPTH_LIMIT),
            )
        for code in draft.attributes:
            if len(code) > NAME_LIMIT:
                reason = Message("a code has at most {limit} characters", limit=NAME_LIMIT)
                yield DraftRefusal(draft, DraftPart.ATTRIBUTE, reason, key=code)
        for code in {code for variant in draft.variants for code in variant.stock}:
            if len(code) > CODE_LIMIT:
                reason = Message("the code of a warehouse has at most {limit} characters", limit=CODE_LIMIT)
                yield DraftRefusal(draft, DraftPart.STOCK, reason, key=code)


async def refuse_archived_warehouses(
    session: AsyncSession, saves: Sequence[ProductSave]
) -> AsyncIterator[DraftRefusal]:
    """Refusals of units in archived warehouses; those named stay as they are until the transaction ends."""
    named = {code for save in saves for code in codes_with_stock(save)}
    if not named:
        return
    rows = await session.scalars(
        select(Warehouse).where(Warehouse.code.in_(named)).order_by(Warehouse.id).with_for_update(read=True)
    )
    archived = {row.code for row in rows if row.archived_at is not None}
    for save in saves:
        for code in sorted(codes_with_stock(save) & archived):
            reason = Message("the warehouse {code} is archived; restore it first", code=code)
            yield DraftRefusal(save.draft, DraftPart.STOCK, reason, key=code, code=ErrorCode.WRONG_STATE)


def codes_with_stock(save: ProductSave) -> set[str]:
    """The warehouses in which a draft has units."""
    return {code for variant in save.draft.variants for code, units in variant.stock.items() if units}


def refuse_former_slugs(
    saves: Sequence[ProductSave], current_slugs: Mapping[str, str]
) -> Iterator[DraftRefusal]:
    """Refusals of new products whose slug another product had before.

    A file that is older than the change of the slug means that product, not a second one.
    """
    for save in saves:
        slug = save.draft.slug
        if save.new and (current := current_slugs.get(slug)):
            reason = Message('"{slug}" leads to "{current}" now', slug=slug, current=current)
            yield DraftRefusal(save.draft, DraftPart.SLUG, reason, ("slug",), code=ErrorCode.TAKEN)


def refuse_attributes(
    saves: Sequence[ProductSave], attributes: Mapping[str, AttributeWithValues]
) -> Iterator[DraftRefusal]:
    """Refusals of values their attributes do not allow, and of several values where one is allowed."""
    for save in saves:
        for code, texts in save.draft.attributes.items():
            for reason in _wrong_values(attributes[code], texts):
                yield DraftRefusal(save.draft, DraftPart.ATTRIBUTE, reason, ("attributes",), key=code)


def _wrong_values(attribute: AttributeWithValues, texts: Sequence[str]) -> Iterator[Message]:
    if len(texts) > 1 and attribute.row.type in SINGLE:
        yield Message(
            "{name} ({code}) has one value, not {count}",
            name=attribute.row.name,
            code=attribute.row.code,
            count=len(texts),
        )
    for text in texts:
        try:
            attribute.parse(text)
        except WrongValue as wrong:
            yield wrong.reason


def refuse_skus(
    saves: Sequence[ProductSave], owners: Mapping[str, Sequence[Variant]]
) -> Iterator[DraftRefusal]:
    """Refusals of SKUs that another variant has, unless it is archived or loses it in the same save.

    A variant that has its SKU already keeps it, also where an import has given it to several.
    """
    losing = losing_their_sku(saves)
    seen: set[str] = set()
    for save in saves:
        for index, match in enumerate(save.matches):
            sku = match.draft.sku
            if sku is None:
                continue
            keeps = match.row is not None and match.row.archived_at is None and match.row.sku == sku
            taken = any(owner.id not in losing for owner in other_owners(match, owners))
            if not keeps and (sku in seen or taken):
                reason = Message('another variant has the SKU "{sku}" already', sku=sku)
                field = ("variants", index, "sku")
                yield DraftRefusal(save.draft, DraftPart.SKU, reason, field, code=ErrorCode.TAKEN)
            seen.add(sku)


def find_shared_skus(
    saves: Sequence[ProductSave], owners: Mapping[str, Sequence[Variant]]
) -> Iterator[tuple[ProductSave, str]]:
    """SKUs of the drafts that other variants of the shop have and keep; each with the first draft."""
    matched = {each.row.id for save in saves for each in save.matches if each.row}
    apart = losing_their_sku(saves) | matched
    seen: set[str] = set()
    for save in saves:
        for match in save.matches:
            sku = match.draft.sku
            if sku and sku not in seen and any(each.id not in apart for each in other_owners(match, owners)):
                seen.add(sku)
                yield save, sku


def losing_their_sku(saves: Sequence[ProductSave]) -> set[int]:
    """The ids of variants that have another SKU, or none, after the save."""
    losing = {row.id for save in saves for row in save.unmatched}
    return losing | {
        each.row.id for save in saves for each in save.matches if each.row and each.row.sku != each.draft.sku
    }


def other_owners(match: VariantMatch, owners: Mapping[str, Sequence[Variant]]) -> list[Variant]:
    """Other variants on sale that have the SKU of a draft now."""
    found = owners.get(match.draft.sku or "", ())
    return [each for each in found if each is not match.row and each.archived_at is None]


async def refuse_foreign_attributes(
    session: AsyncSession,
    saves: Sequence[ProductSave],
    categories: Sequence[Category | None],
    attributes: Mapping[str, AttributeWithValues],
) -> AsyncIterator[DraftRefusal]:
    """Refusals of attributes that belong to categories the product is not in.

    An attribute of no category is for all products. One that the product has already is not refused as long
    as the product stays in its category: the category may have been moved since.
    """
    owners = await attribute_categories(session, {attribute.row.id for attribute in attributes.values()})
    for save, category in zip(saves, categories, strict=True):
        path_ids = set(category.path_ids) if category else set()
        stays = save.rows.product.category_id == (category.id if category else None)
        present = {row.attribute_id for row in save.rows.attributes} if stays else set()
        for code in save.draft.attributes:
            row = attributes[code].row
            allowed = owners.get(row.id, {})
            if allowed and path_ids.isdisjoint(allowed) and row.id not in present:
                place = (
                    Message('products of "{category}"', category=category.name)
                    if category
                    else Message("products without a category")
                )
                reason = Message(
                    "{name} ({code}) is not for {place}; allowed: {names}",
                    name=row.name,
                    code=code,
                    place=place,
                    names=list_names(sorted(allowed.values())),
                )
                yield DraftRefusal(save.draft, DraftPart.ATTRIBUTE, reason, ("attributes",), key=code)
