"""What clerks do with a product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.attributes import meanings
from domain.catalog.drafts import PictureDraft, ProductDraft, VariantDraft
from domain.catalog.exporting import draft_of
from domain.catalog.interchange import VARIANT_LIMIT
from domain.catalog.limits import checked, checked_variant, named
from domain.catalog.lock import alone
from domain.catalog.refusals import Refused
from domain.catalog.rows import set_status
from domain.catalog.saving import Outcome, save_product
from domain.catalog.slugs import rename, slug_of, take_over
from domain.catalog.stored import Stored, stored_by_id
from domain.catalog.tree import path_of
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState
from domain.outbox import record
from domain.versions import expect
from models import Price, Product, ProductStatus, Variant

Known = Sequence[tuple[int | None, VariantDraft]]
"""Drafts of variants, with the id of the row each is about."""


@dataclass(frozen=True, slots=True)
class ProductChanges:
    """What is to be different; None leaves it as it is."""

    slug: str | None = None
    title: str | None = None
    description: str | None = None
    brand: str | None = None
    product_type: str | None = None
    tags: tuple[str, ...] | None = None
    seo_title: str | None = None
    seo_description: str | None = None
    translations: Mapping[str, Mapping[str, str]] | None = None
    attributes: Mapping[str, tuple[str, ...]] | None = None
    pictures: tuple[PictureDraft, ...] | None = None

    def applied(self, draft: ProductDraft) -> ProductDraft:
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(draft, **{name: value for name, value in told.items() if value is not None})


async def create_product(
    session: AsyncSession, draft: ProductDraft, *, category_id: int | None, now: datetime, by: int | None
) -> Product:
    """A new product; without a slug it gets one from its title, but none that leads to another product.

    One that is told may be the old slug of another, which is found there no longer.
    """
    await alone(session)
    addressed = draft if draft.slug else replace(draft, slug=_derived_slug(draft.title))
    wanted = checked(await _placed(session, addressed, category_id))
    await _refuse_taken(session, wanted.slug)
    await _refuse_unknown(session, wanted)
    if draft.slug:
        await take_over(session, Product, wanted.slug)
    return (await save_product(session, wanted, now=now, by=by)).product


async def update_product(
    session: AsyncSession,
    product_id: int,
    changes: ProductChanges,
    *,
    category_id: int | None,
    version: int,
    now: datetime,
    by: int | None,
) -> Product:
    """Change what is told; Conflict when the product is not at `version` any more.

    A slug it had before leads to it still.
    """
    stored = await _locked(session, product_id)
    expect(stored.product, version)
    draft = await draft_of(session, stored)
    wanted = checked(await _placed(session, changes.applied(draft), category_id))
    await _refuse_unknown(session, wanted)
    renamed = wanted.slug != stored.product.slug
    if renamed:
        await _refuse_taken(session, wanted.slug)
        await rename(session, stored.product, wanted.slug)
    ids = [row.id for row in stored.on_sale]
    saved = await save_product(session, wanted, variant_ids=ids, now=now, by=by)
    if renamed and saved.outcome is Outcome.UNCHANGED:
        return _recorded(session, "product.updated", saved.product, now=now, by=by)
    return saved.product


async def publish_product(
    session: AsyncSession, product_id: int, *, version: int | None = None, now: datetime, by: int | None
) -> Product:
    """Let customers see and buy it."""
    product = await _locked_row(session, product_id, version)
    priced = (
        select(Price.amount)
        .join(Variant, Variant.id == Price.variant_id)
        .where(Variant.product_id == product_id, Variant.archived_at.is_(None))
    )
    if await session.scalar(priced.limit(1)) is None:
        raise WrongState("This product has nothing to sell yet: give a variant a price.")
    set_status(product, ProductStatus.ACTIVE, now=now)
    return _recorded(session, "product.published", product, now=now, by=by)


async def archive_product(
    session: AsyncSession, product_id: int, *, version: int | None = None, now: datetime, by: int | None
) -> Product:
    """Sell it no more; orders that have it are not touched."""
    product = await _locked_row(session, product_id, version)
    set_status(product, ProductStatus.ARCHIVED, now=now)
    return _recorded(session, "product.archived", product, now=now, by=by)


async def save_variant(
    session: AsyncSession,
    product_id: int,
    draft: VariantDraft,
    *,
    variant_id: int | None,
    version: int | None = None,
    now: datetime,
    by: int | None,
) -> Variant:
    """Add a variant, or make one what it shall be; an archived one is sold again.

    Conflict when its product is not at `version` any more.
    """
    stored = await _locked(session, product_id, field="product_id")
    expect(stored.product, version)
    product, others = await _but_for(session, stored, variant_id)
    wanted = checked_variant(draft, ("variant",))
    _refuse_odd(wanted, [each for _, each in others])
    place = next((at for at, row in enumerate(stored.on_sale) if row.id == variant_id), len(others))
    both = [*others[:place], (variant_id, wanted), *others[place:]]
    try:
        await _save_variants(session, product, both, now=now, by=by)
    except Refused as refused:
        refused.field = ("variant", *refused.field[2:])
        raise
    return await _saved_variant(session, product_id, variant_id)


async def archive_variant(
    session: AsyncSession,
    product_id: int,
    variant_id: int,
    *,
    version: int | None = None,
    now: datetime,
    by: int | None,
) -> Variant:
    """Sell a variant no more; orders that have it are not touched."""
    stored = await _locked(session, product_id, field="product_id")
    expect(stored.product, version)
    product, others = await _but_for(session, stored, variant_id)
    await _save_variants(session, product, others, now=now, by=by)
    return await session.get_one(Variant, variant_id)


async def _but_for(
    session: AsyncSession, stored: Stored, variant_id: int | None
) -> tuple[ProductDraft, Known]:
    """The product as it is, and its variants on sale without this one."""
    if variant_id is not None and all(row.id != variant_id for row in stored.variants):
        raise NotFound("variant", field=("id",))
    product = await draft_of(session, stored)
    ids = [row.id for row in stored.on_sale]
    known = zip(ids, product.variants, strict=True)
    return product, [(row_id, each) for row_id, each in known if row_id != variant_id]


async def _save_variants(
    session: AsyncSession, product: ProductDraft, known: Known, *, now: datetime, by: int | None
) -> None:
    draft = replace(product, variants=tuple(each for _, each in known))
    await save_product(session, draft, variant_ids=[row_id for row_id, _ in known], now=now, by=by)


def _refuse_odd(wanted: VariantDraft, others: list[VariantDraft]) -> None:
    """Variants of a product have the same options, but not the same values of them."""
    if len(others) >= VARIANT_LIMIT:
        raise LimitReached(f"A product has at most {VARIANT_LIMIT:,} variants.")
    if any(each.options == wanted.options for each in others):
        raise Taken("Another variant has the same options already.", field=("variant", "options"))
    names = [name for name, _ in wanted.options]
    if any([name for name, _ in each.options] != names for each in others):
        raise Invalid("All variants of a product have the same options.", field=("variant", "options"))


async def _saved_variant(session: AsyncSession, product_id: int, variant_id: int | None) -> Variant:
    if variant_id is not None:
        return await session.get_one(Variant, variant_id)
    newest = select(Variant).where(Variant.product_id == product_id).order_by(Variant.id.desc()).limit(1)
    return (await session.scalars(newest)).one()


def _derived_slug(title: str) -> str:
    slug = slug_of(named(title, ("title",)))
    if not slug:
        raise Invalid("The title has no letter to make a slug of: give one.", field=("slug",))
    return slug


async def _refuse_taken(session: AsyncSession, slug: str) -> None:
    if await session.scalar(select(Product.id).where(Product.slug == slug)) is not None:
        raise Taken(f'Another product has the slug "{slug}" already.', field=("slug",))


async def _placed(session: AsyncSession, draft: ProductDraft, category_id: int | None) -> ProductDraft:
    if category_id is None:
        return draft
    return replace(draft, category_path=await path_of(session, category_id, field=("category_id",)))


async def _refuse_unknown(session: AsyncSession, draft: ProductDraft) -> None:
    """Files may bring attributes along; clerks choose from those the shop has."""
    known = await meanings(session, draft.attributes)
    for code in draft.attributes:
        if code not in known:
            raise NotFound(f'attribute "{code}"', field=("attributes",))


async def _locked(session: AsyncSession, product_id: int, *, field: str = "id") -> Stored:
    await alone(session)
    found = await stored_by_id(session, [product_id], lock=True)
    if product_id not in found:
        raise NotFound("product", field=(field,))
    return found[product_id]


async def _locked_row(session: AsyncSession, product_id: int, version: int | None) -> Product:
    product = await session.get(Product, product_id, with_for_update=True)
    if product is None:
        raise NotFound("product", field=("id",))
    expect(product, version)
    return product


def _recorded(
    session: AsyncSession, name: str, product: Product, *, now: datetime, by: int | None
) -> Product:
    product.updated_at = now
    record(session, name, product, now=now, by=by)
    return product
