"""Saving drafts as products: what differs is written, what is equal is left alone."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.lock import lock_catalogue
from domain.catalog.product.checks import (
    find_shared_skus,
    refuse_archived_warehouses,
    refuse_attributes,
    refuse_foreign_attributes,
    refuse_former_slugs,
    refuse_limits,
    refuse_skus,
)
from domain.catalog.product.drafts import ProductDraft
from domain.catalog.product.product_save import ProductSave, SaveOutcome
from domain.catalog.product.refusals import DraftRefusal, DraftRefused
from domain.catalog.product.rows import ProductRows, load_products_by_slug
from domain.catalog.product.variant_matching import match_variants
from domain.catalog.product.writing import (
    new_product,
    write_attributes,
    write_media,
    write_pictures,
    write_prices,
    write_product,
    write_variant,
)
from domain.catalog.slugs import current_slugs
from domain.catalog.taxonomy import (
    AttributeWithValues,
    Path,
    ValueColumns,
    ensure_attributes,
    ensure_categories,
    ensure_taxonomy_categories,
    reopen_category,
)
from domain.cause import Cause
from domain.events import ProductCreated, ProductUpdated
from domain.media import find_uploads_by_url
from domain.outbox import record
from domain.stock import LevelKey, ensure_warehouses, set_levels
from models import SOLD_STATUSES, Category, Media, Product, ProductStatus, Variant
from models.sql.batches import in_batches

DRAFT_BATCH = 200
"""Drafts saved at once."""


@dataclass(frozen=True, slots=True)
class SavedProduct:
    product: Product
    outcome: SaveOutcome
    publish_as: ProductStatus | None = None
    """The status it gets by `publish_saved`; None where it has that of its draft."""
    shared_skus: Sequence[str] = ()
    """Its SKUs that variants of other products have as well."""


@dataclass(frozen=True, slots=True)
class SaveRules:
    """What is different when files are imported."""

    shares_skus: bool = False
    """A SKU that another variant has is taken: other software allows it."""
    publishes_later: bool = False
    """What is not sold yet stays so, whatever its draft says, until `publish_saved`."""


OF_FORMS = SaveRules()
OF_FILES = SaveRules(shares_skus=True)
OF_BATCHES = SaveRules(shares_skus=True, publishes_later=True)


async def save_product(
    session: AsyncSession,
    draft: ProductDraft,
    *,
    variant_ids: Sequence[int | None] = (),
    cause: Cause,
) -> SavedProduct:
    """Create the product with the slug of the draft, or make it equal to the draft; may raise DraftRefused.

    variant_ids: the ids of the draft's variants, where they are known
    """
    saves = await _save_rows(session, [draft], variant_ids=variant_ids, now=cause.now)
    await _finish_saves(session, saves, cause=cause)
    return SavedProduct(saves[0].rows.product, saves[0].outcome)


async def save_products(
    session: AsyncSession,
    drafts: Iterable[ProductDraft],
    *,
    cause: Cause,
    rules: SaveRules = OF_FORMS,
    progress: Callable[[int], None] = lambda saved: None,
) -> list[SavedProduct]:
    """Save all drafts; DraftRefused lists what is wrong with any of them, and the caller rolls back then.

    progress: called with how many more are done
    """
    saves: list[ProductSave] = []
    refusals: list[DraftRefusal] = []
    for batch in in_batches(drafts, DRAFT_BATCH):
        try:
            saves += await _save_rows(session, batch, now=cause.now, rules=rules, only_check=bool(refusals))
        except DraftRefused as refused:
            refusals += refused.refusals
        progress(len(batch))
    if refusals:
        raise DraftRefused(refusals)
    await _finish_saves(session, saves, cause=cause)
    return [
        SavedProduct(save.rows.product, save.outcome, save.publish_as, save.shared_skus) for save in saves
    ]


async def check_drafts(session: AsyncSession, drafts: Sequence[ProductDraft]) -> None:
    """Raise DraftRefused for what saving these drafts would refuse; the caller rolls back."""
    await _save_rows(session, drafts, now=datetime.max.replace(tzinfo=UTC), only_check=True)


async def _save_rows(
    session: AsyncSession,
    drafts: Sequence[ProductDraft],
    *,
    variant_ids: Sequence[int | None] = (),
    now: datetime,
    rules: SaveRules = OF_FORMS,
    only_check: bool = False,
) -> list[ProductSave]:
    """Save all but stock, events and the search index."""
    await lock_catalogue(session)
    found = await load_products_by_slug(session, [draft.slug for draft in drafts])
    saves = [_start_save(draft, found.get(draft.slug), variant_ids, now=now, rules=rules) for draft in drafts]
    attributes = await ensure_attributes(session, {code for draft in drafts for code in draft.attributes})
    owners = await _select_sku_owners(session, saves)
    renamed = await current_slugs(session, Product, [draft.slug for draft in drafts])
    if refusals := [
        *refuse_limits(saves),
        *refuse_former_slugs(saves, renamed),
        *refuse_attributes(saves, attributes),
        *([] if rules.shares_skus else refuse_skus(saves, owners)),
        *[each async for each in refuse_archived_warehouses(session, saves)],
    ]:
        raise DraftRefused(refusals)
    for save, sku in find_shared_skus(saves, owners) if rules.shares_skus else ():
        save.shared_skus.append(sku)
    if not only_check:
        await _write_rows(session, saves, attributes, now=now)
    return saves


def _start_save(
    draft: ProductDraft,
    found: ProductRows | None,
    variant_ids: Sequence[int | None],
    *,
    now: datetime,
    rules: SaveRules,
) -> ProductSave:
    rows = found or ProductRows(new_product(draft, now=now))
    matches, unmatched = match_variants(draft.variants, rows.variants, variant_ids)
    later, status = None, rows.product.status
    if rules.publishes_later and draft.status in SOLD_STATUSES and status not in SOLD_STATUSES:
        draft, later = replace(draft, status=status), draft.status
    return ProductSave(draft, rows, found is None, matches, unmatched, publish_as=later)


async def _select_sku_owners(
    session: AsyncSession, saves: Sequence[ProductSave]
) -> Mapping[str, Sequence[Variant]]:
    """The variants that have the SKUs of the drafts now, by SKU."""
    skus = {each.draft.sku for save in saves for each in save.matches if each.draft.sku}
    owners: defaultdict[str, list[Variant]] = defaultdict(list)
    for batch in in_batches(sorted(skus)):
        for row in await session.scalars(select(Variant).where(Variant.sku.in_(batch))):
            owners[row.sku or ""].append(row)
    return owners


async def _write_rows(
    session: AsyncSession,
    saves: Sequence[ProductSave],
    attributes: Mapping[str, AttributeWithValues],
    *,
    now: datetime,
) -> None:
    """Write in three rounds with a flush between, as each needs the ids of the one before."""
    categories = await _find_categories(session, saves)
    if refusals := [each async for each in refuse_foreign_attributes(session, saves, categories, attributes)]:
        raise DraftRefused(refusals)
    uploads = await find_uploads_by_url(session, _picture_urls(saves))
    media: list[tuple[list[Media], dict[str, Media]]] = []
    for save, category in zip(saves, categories, strict=True):
        session.add(save.rows.product)
        category_id = category.id if category else None
        if category and category.archived_at is not None and save.rows.product.category_id != category_id:
            await reopen_category(session, category)
        save.changed |= write_product(save.rows.product, save.draft, category_id=category_id, now=now)
        if save.publish_as:
            save.rows.product.publish_as = save.publish_as
        pictures, by_url, changed = write_media(session, save.rows, save.draft, uploads, now=now)
        save.changed |= changed
        media.append((pictures, by_url))
    await session.flush()
    for save, (pictures, by_url) in zip(saves, media, strict=True):
        save.changed |= await write_pictures(session, save.rows, pictures)
        save.changed |= await write_attributes(session, save.rows, _parse_values(save.draft, attributes))
        save.changed |= _write_variants(session, save, by_url, now=now)
    await session.flush()
    for save in saves:
        for each in save.matches:
            if each.row is not None:
                known = save.rows.prices.get(each.row.id, {})
                save.changed |= await write_prices(session, each.row, known, each.draft.prices)
    await session.flush()


def _picture_urls(saves: Sequence[ProductSave]) -> Iterator[str]:
    for save in saves:
        yield from (picture.url for picture in save.draft.pictures)
        yield from (each.draft.picture_url for each in save.matches if each.draft.picture_url)


async def _find_categories(session: AsyncSession, saves: Sequence[ProductSave]) -> list[Category | None]:
    """The category of each product, made where it is missing; a draft without one has that of its type."""
    paths = [_category_path(save.draft) for save in saves]
    by_path = await ensure_categories(session, paths)
    ids = {
        save.draft.taxonomy_id for save in saves if save.draft.taxonomy_id and not save.draft.category_path
    }
    by_id = await ensure_taxonomy_categories(session, ids) if ids else {}
    return [
        by_path.get(path) or by_id.get(save.draft.taxonomy_id)
        for save, path in zip(saves, paths, strict=True)
    ]


def _category_path(draft: ProductDraft) -> Path:
    if draft.category_path or draft.taxonomy_id:
        return draft.category_path
    return (draft.product_type,) if draft.product_type else ()


def _parse_values(
    draft: ProductDraft, attributes: Mapping[str, AttributeWithValues]
) -> dict[tuple[int, int], ValueColumns]:
    """The values of a draft by the id of the attribute and the position."""
    return {
        (attributes[code].row.id, position): value
        for code, texts in draft.attributes.items()
        for position, value in enumerate(dict.fromkeys(map(attributes[code].parse, texts)), start=1)
    }


def _write_variants(
    session: AsyncSession, save: ProductSave, media: Mapping[str, Media], *, now: datetime
) -> bool:
    """Write the variants of the draft and archive the others of the product; whether anything changed."""
    changed = False
    for position, each in enumerate(save.matches, start=1):
        if each.row is None:
            each.row = Variant(product_id=save.rows.product.id)
            session.add(each.row)
        url = each.draft.picture_url
        media_id = media[url].id if url else None
        changed |= write_variant(each.row, each.draft, position=position, media_id=media_id)
    for row in save.unmatched:
        if row.archived_at is None:
            row.archived_at = now
            changed = True
    return changed


async def _finish_saves(session: AsyncSession, saves: Sequence[ProductSave], *, cause: Cause) -> None:
    """Set the stock of all drafts, and record the events.

    Stock comes last and all at once: its rows are locked in one order, and for a short time.
    """
    units = await _stock_of(session, saves)
    changed = await set_levels(session, units, reason="import", cause=cause)
    variants = {variant_id for variant_id, _ in changed}
    for save in saves:
        save.stock_changed = any(each.row and each.row.id in variants for each in save.matches)
        if save.outcome is not SaveOutcome.UNCHANGED:
            save.rows.product.updated_at = cause.now
            event_type = ProductCreated if save.new else ProductUpdated
            record(session, event_type(save.rows.product), cause)
    await session.flush()


async def _stock_of(session: AsyncSession, saves: Sequence[ProductSave]) -> dict[LevelKey, int]:
    """Units by stock level; the main warehouse is made first where a draft has any stock."""
    codes = dict.fromkeys(code for save in saves for each in save.matches for code in each.draft.stock)
    if not codes:
        return {}
    warehouses = await ensure_warehouses(session, ["", *codes])
    return {
        (each.row.id, warehouses[code].id): units
        for save in saves
        for each in save.matches
        if each.row is not None
        for code, units in each.draft.stock.items()
    }
