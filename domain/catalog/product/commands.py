"""What staff do with products and variants."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.limits import VARIANT_LIMIT
from domain.catalog.lock import lock_catalogue
from domain.catalog.product.drafting import draft_of
from domain.catalog.product.drafts import PictureDraft, ProductDraft, VariantDraft
from domain.catalog.product.product_save import SaveOutcome
from domain.catalog.product.refusals import DraftRefused
from domain.catalog.product.rows import ProductRows, load_products_by_id
from domain.catalog.product.saving import check_drafts, save_product
from domain.catalog.product.text_fields import with_product_texts
from domain.catalog.product.validation import validate_product, validate_slug, validate_variant
from domain.catalog.product.writing import set_status
from domain.catalog.slugs import change_slug, release_former_slug, slug_of
from domain.catalog.taxonomy import attributes_by_code, path_of, refuse_archived_category
from domain.cause import Cause
from domain.errors import (
    Invalid,
    LimitReached,
    NotFound,
    RefusalCollector,
    Taken,
    WrongState,
    collect_refusals,
)
from domain.events import ProductArchived, ProductEvent, ProductPublished, ProductUpdated
from domain.outbox import record
from domain.versions import check_version
from models import Price, Product, ProductStatus, Variant
from text.messages import Message

IdentifiedDrafts = Sequence[tuple[int | None, VariantDraft]]
"""Drafts of variants with the ids of their rows; None for a new one."""


@dataclass(frozen=True, slots=True)
class ProductChanges:
    """What is to be different; None, and a text that is missing, leaves it as it is."""

    texts: Mapping[str, str] = field(default_factory=dict)
    """New texts by the name of the text field."""
    slug: str | None = None
    tags: tuple[str, ...] | None = None
    translations: Mapping[str, Mapping[str, str]] | None = None
    attributes: Mapping[str, tuple[str, ...]] | None = None
    pictures: tuple[PictureDraft, ...] | None = None

    def apply_to(self, draft: ProductDraft) -> ProductDraft:
        given = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "texts"}
        changes = {name: value for name, value in given.items() if value is not None}
        return replace(with_product_texts(draft, self.texts), **changes)


async def create_product(
    session: AsyncSession, draft: ProductDraft, *, category_id: int | None, cause: Cause
) -> Product:
    """Create a product.

    A slug that is given may be a former slug of another product, which it leads to no longer. A blank one is
    derived from the title; it is refused where it is the slug or a former slug of another product.
    """
    await lock_catalogue(session)
    with collect_refusals() as check:
        valid = validate_product(await _set_category(session, draft, category_id, check), check)
        with check:
            slug = validate_slug(draft.slug) if draft.slug else _derive_slug(valid.title)
            valid = replace(valid, slug=slug)
            await _refuse_taken_slug(session, slug)
        with check:
            await _refuse_unknown_attributes(session, valid)
        if check.found:
            with check:
                await check_drafts(session, [valid])
    if draft.slug:
        await release_former_slug(session, Product, valid.slug)
    return (await save_product(session, valid, cause=cause)).product


async def update_product(
    session: AsyncSession,
    product_id: int,
    changes: ProductChanges,
    *,
    category_id: int | None,
    version: int,
    cause: Cause,
) -> Product:
    """Change a product; Conflict when it is not at `version` any more. Its former slug leads to it still."""
    rows = await _lock_rows(session, product_id)
    check_version(rows.product, version)
    draft = await draft_of(session, rows)
    changed = changes.apply_to(draft)
    with collect_refusals() as check:
        valid = validate_product(await _set_category(session, changed, category_id, check), check)
        valid = replace(valid, slug=check.value(validate_slug, rows.product.slug, changed.slug))
        slug_changed = valid.slug != rows.product.slug
        if slug_changed:
            with check:
                await _refuse_taken_slug(session, valid.slug)
        with check:
            await _refuse_unknown_attributes(session, valid, known=draft.attributes)
    if slug_changed:
        await change_slug(session, rows.product, valid.slug)
    ids = [row.id for row in rows.on_sale]
    saved = await save_product(session, valid, variant_ids=ids, cause=cause)
    if slug_changed and saved.outcome is SaveOutcome.UNCHANGED:
        return _record_change(session, ProductUpdated(saved.product), cause)
    return saved.product


async def publish_product(
    session: AsyncSession,
    product_id: int,
    *,
    unlisted: bool = False,
    version: int | None = None,
    cause: Cause,
) -> Product:
    """Show a product to customers; WrongState when no variant on sale has a price.

    One that is `unlisted` is shown to those who have its link, and in no list.
    """
    product = await _lock_product(session, product_id, version)
    priced = (
        select(Price.amount)
        .join(Variant, Variant.id == Price.variant_id)
        .where(Variant.product_id == product_id, Variant.archived_at.is_(None))
    )
    if await session.scalar(priced.limit(1)) is None:
        raise WrongState("This product has nothing to sell yet: give a variant a price.")
    status = ProductStatus.UNLISTED if unlisted else ProductStatus.ACTIVE
    set_status(product, status, now=cause.now)
    return _record_change(session, ProductPublished(product), cause)


async def archive_product(
    session: AsyncSession, product_id: int, *, version: int | None = None, cause: Cause
) -> Product:
    """Stop selling a product; orders that have it stay as they are."""
    product = await _lock_product(session, product_id, version)
    set_status(product, ProductStatus.ARCHIVED, now=cause.now)
    return _record_change(session, ProductArchived(product), cause)


async def save_variant(
    session: AsyncSession,
    product_id: int,
    draft: VariantDraft,
    *,
    variant_id: int | None,
    version: int | None = None,
    cause: Cause,
) -> Variant:
    """Add a variant, or make one equal to the draft; an archived one is sold again.

    Conflict when its product is not at `version` any more.
    """
    rows = await _lock_rows(session, product_id, field="product_id")
    check_version(rows.product, version)
    product, others = await _other_variants(session, rows, variant_id)
    with collect_refusals() as check:
        valid = validate_variant(draft, ("variant",), check)
    _refuse_other_options(valid, [each for _, each in others])
    place = next((at for at, row in enumerate(rows.on_sale) if row.id == variant_id), len(others))
    drafts = [*others[:place], (variant_id, valid), *others[place:]]
    try:
        await _save_variants(session, product, drafts, cause=cause)
    except DraftRefused as refused:
        refusals = [replace(each, field=("variant", *each.field[2:])) for each in refused.refusals]
        raise DraftRefused(refusals) from None
    return await _find_saved_variant(session, product_id, variant_id)


async def archive_variant(
    session: AsyncSession,
    product_id: int,
    variant_id: int,
    *,
    version: int | None = None,
    cause: Cause,
) -> Variant:
    """Stop selling a variant; orders that have it stay as they are."""
    rows = await _lock_rows(session, product_id, field="product_id")
    check_version(rows.product, version)
    product, others = await _other_variants(session, rows, variant_id)
    await _save_variants(session, product, others, cause=cause)
    return await session.get_one(Variant, variant_id)


async def _other_variants(
    session: AsyncSession, rows: ProductRows, variant_id: int | None
) -> tuple[ProductDraft, IdentifiedDrafts]:
    """The product as it is stored, and its variants on sale without this one."""
    if variant_id is not None and all(row.id != variant_id for row in rows.variants):
        raise NotFound("variant", field=("id",))
    product = await draft_of(session, rows)
    ids = [row.id for row in rows.on_sale]
    drafts = zip(ids, product.variants, strict=True)
    return product, [(row_id, each) for row_id, each in drafts if row_id != variant_id]


async def _save_variants(
    session: AsyncSession, product: ProductDraft, drafts: IdentifiedDrafts, *, cause: Cause
) -> None:
    draft = replace(product, variants=tuple(each for _, each in drafts))
    await save_product(session, draft, variant_ids=[row_id for row_id, _ in drafts], cause=cause)


def _refuse_other_options(draft: VariantDraft, others: list[VariantDraft]) -> None:
    """Variants of a product have the same options with different values."""
    if len(others) >= VARIANT_LIMIT:
        raise LimitReached("A product has at most {limit} variants.", limit=VARIANT_LIMIT)
    if any(each.options == draft.options for each in others):
        raise Taken("Another variant has the same options already.", field=("variant", "options"))
    names = [name for name, _ in draft.options]
    if any([name for name, _ in each.options] != names for each in others):
        raise Invalid("All variants of a product have the same options.", field=("variant", "options"))


async def _find_saved_variant(session: AsyncSession, product_id: int, variant_id: int | None) -> Variant:
    if variant_id is not None:
        return await session.get_one(Variant, variant_id)
    newest = select(Variant).where(Variant.product_id == product_id).order_by(Variant.id.desc()).limit(1)
    return (await session.scalars(newest)).one()


def _derive_slug(title: str) -> str:
    """The slug of a title; "" of one that is missing."""
    slug = slug_of(title)
    if title and not slug:
        raise Invalid("The title has no letter to make a slug of: give one.", field=("slug",))
    return slug


async def _refuse_taken_slug(session: AsyncSession, slug: str) -> None:
    if await session.scalar(select(Product.id).where(Product.slug == slug)) is not None:
        raise Taken('Another product has the slug "{slug}" already.', slug=slug, field=("slug",))


async def _set_category(
    session: AsyncSession, draft: ProductDraft, category_id: int | None, check: RefusalCollector
) -> ProductDraft:
    if category_id is not None:
        with check:
            path = await path_of(session, category_id, field=("category_id",))
            if path != draft.category_path:
                await refuse_archived_category(session, category_id, field=("category_id",))
            return replace(draft, category_path=path)
    return draft


async def _refuse_unknown_attributes(
    session: AsyncSession, draft: ProductDraft, *, known: Collection[str] = ()
) -> None:
    """Staff choose from attributes that are offered, or that the product has; files may bring new ones."""
    found = await attributes_by_code(session, draft.attributes)
    with collect_refusals() as check:
        for code in draft.attributes:
            if code not in found or (found[code].row.archived_at is not None and code not in known):
                check.add(NotFound(Message('attribute "{code}"', code=code), field=("attributes",)))


async def _lock_rows(session: AsyncSession, product_id: int, *, field: str = "id") -> ProductRows:
    await lock_catalogue(session)
    found = await load_products_by_id(session, [product_id], lock=True)
    if product_id not in found:
        raise NotFound("product", field=(field,))
    return found[product_id]


async def _lock_product(session: AsyncSession, product_id: int, version: int | None) -> Product:
    product = await session.get(Product, product_id, with_for_update=True)
    if product is None:
        raise NotFound("product", field=("id",))
    check_version(product, version)
    return product


def _record_change(session: AsyncSession, event: ProductEvent, cause: Cause) -> Product:
    event.product.updated_at = cause.now
    record(session, event, cause)
    return event.product
