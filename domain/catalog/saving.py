"""Drafts become products: what differs is written, what does not is left alone."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.attributes import Meaning, Said, ensure_attributes
from domain.catalog.drafts import ProductDraft
from domain.catalog.interchange import NAME_LIMIT
from domain.catalog.interchange.columns import Column, Family, member_name
from domain.catalog.lock import alone
from domain.catalog.pairing import Pair, pair
from domain.catalog.refusals import Refusal, Refused
from domain.catalog.rows import (
    choose_media,
    new_product,
    write_attributes,
    write_pictures,
    write_prices,
    write_product,
    write_variant,
)
from domain.catalog.slugs import heirs_of
from domain.catalog.stored import Stored, stored_by_slug
from domain.catalog.tree import DEPTH_LIMIT, Path, ensure_categories, ensure_taxonomy, homes_of
from domain.catalog.values import TOLD, WrongValue
from domain.catalog.wording import index_products
from domain.errors import ErrorCode
from domain.media import uploads
from domain.outbox import record
from domain.stock import CODE_LIMIT, Place, set_levels, warehouses
from models import AttributeType, Category, Media, Product, Variant

DRAFTS = 200
"""Drafts saved at once."""


SINGLE = frozenset({AttributeType.NUMBER, AttributeType.BOOLEAN, AttributeType.DATE})
"""Kinds of attributes of which a product has one value."""


class Outcome(StrEnum):
    """What saving a draft came to."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"


@dataclass(slots=True)
class Work:
    """One draft on its way into the rows of its product."""

    draft: ProductDraft
    stored: Stored
    new: bool
    pairs: Sequence[Pair]
    left_over: Sequence[Variant]
    said: dict[tuple[int, int], Said] = field(default_factory=dict)
    changed: bool = False
    counted: bool = False
    """Whether its stock changed."""

    @property
    def outcome(self) -> Outcome:
        if self.new:
            return Outcome.CREATED
        return Outcome.UPDATED if self.changed or self.counted else Outcome.UNCHANGED


@dataclass(frozen=True, slots=True)
class Saved:
    product: Product
    outcome: Outcome


async def save_product(
    session: AsyncSession,
    draft: ProductDraft,
    *,
    variant_ids: Sequence[int | None] = (),
    now: datetime,
    by: int | None = None,
) -> Saved:
    """Make the product of this slug what the draft says; Refused when it cannot be.

    variant_ids: which variants of the shop the draft's are, where that is known
    """
    works = await _save(session, [draft], variant_ids=variant_ids, now=now)
    await _conclude(session, works, now=now, by=by)
    return Saved(works[0].stored.product, works[0].outcome)


async def import_products(
    session: AsyncSession,
    drafts: Iterable[ProductDraft],
    *,
    now: datetime,
    by: int | None = None,
    progress: Callable[[int], None] = lambda saved: None,
) -> list[Saved]:
    """Save all drafts or, when Refused tells what is wrong with some, none: roll back then.

    `progress` hears how many more are done.
    """
    works: list[Work] = []
    refusals: list[Refusal] = []
    for batch in batches(drafts, DRAFTS):
        try:
            works += await _save(session, batch, now=now, only_check=bool(refusals))
        except Refused as refused:
            refusals += refused.refusals
        progress(len(batch))
    if refusals:
        raise Refused(refusals)
    await _conclude(session, works, now=now, by=by)
    return [Saved(work.stored.product, work.outcome) for work in works]


async def _save(
    session: AsyncSession,
    drafts: Sequence[ProductDraft],
    *,
    variant_ids: Sequence[int | None] = (),
    now: datetime,
    only_check: bool = False,
) -> list[Work]:
    """Everything but stock, events and words."""
    await alone(session)
    stored = await stored_by_slug(session, [draft.slug for draft in drafts])
    works = [_work(draft, stored.get(draft.slug), variant_ids, now=now) for draft in drafts]
    meanings = await ensure_attributes(session, {code for draft in drafts for code in draft.attributes})
    owners = await _owners(session, works)
    if refusals := [
        *_refuse_limits(works),
        *_refuse_old_slugs(works, await heirs_of(session, Product, [work.draft.slug for work in works])),
        *_refuse_attributes(works, meanings),
        *_refuse_skus(works, owners),
    ]:
        raise Refused(refusals)
    if not only_check:
        await _free_skus(session, works, owners)
        await _write(session, works, meanings, now=now)
    return works


def _work(
    draft: ProductDraft, stored: Stored | None, variant_ids: Sequence[int | None], *, now: datetime
) -> Work:
    known = stored or Stored(new_product(draft, now=now))
    pairs, left_over = pair(draft.variants, known.variants, variant_ids)
    return Work(draft, known, stored is None, pairs, left_over)


def _refuse_limits(works: Sequence[Work]) -> Iterator[Refusal]:
    slugs: set[str] = set()
    for work in works:
        draft = work.draft
        if draft.slug in slugs:
            yield Refusal(draft, Column.HANDLE, f'"{draft.slug}" stands there twice', ("slug",))
        slugs.add(draft.slug)
        if len(draft.category_path) > DEPTH_LIMIT:
            yield Refusal(draft, Column.CATEGORY, f"categories stand at most {DEPTH_LIMIT} levels deep")
        for code in draft.attributes:
            if len(code) > NAME_LIMIT:
                name = member_name(Family.ATTRIBUTE, code)
                yield Refusal(draft, name, f"a code has at most {NAME_LIMIT} characters")
        for code in {code for variant in draft.variants for code in variant.stock}:
            if len(code) > CODE_LIMIT:
                name = member_name(Family.QUANTITY, code)
                yield Refusal(draft, name, f"the code of a warehouse has at most {CODE_LIMIT} characters")


def _refuse_old_slugs(works: Sequence[Work], heirs: Mapping[str, str]) -> Iterator[Refusal]:
    """A file older than a product's slug means that product, not a second one."""
    for work in works:
        if work.new and (heir := heirs.get(work.draft.slug)):
            reason = f'"{work.draft.slug}" leads to "{heir}" now'
            yield Refusal(work.draft, Column.HANDLE, reason, ("slug",), ErrorCode.TAKEN)


def _refuse_attributes(works: Sequence[Work], meanings: Mapping[str, Meaning]) -> Iterator[Refusal]:
    for work in works:
        for code, texts in work.draft.attributes.items():
            name = member_name(Family.ATTRIBUTE, code)
            if len(texts) > 1 and meanings[code].attribute.type in SINGLE:
                facts = meanings[code].facts
                reason = f"{facts.name} ({facts.code}) has one value, not {len(texts)}"
                yield Refusal(work.draft, name, reason, ("attributes",))
            for text in texts:
                try:
                    meanings[code].read(text)
                except WrongValue as wrong:
                    yield Refusal(work.draft, name, str(wrong).rstrip("."), ("attributes",))


async def _owners(session: AsyncSession, works: Sequence[Work]) -> dict[str, Variant]:
    """Who has the SKUs that are wanted."""
    skus = {each.draft.sku for work in works for each in work.pairs if each.draft.sku}
    owners: dict[str, Variant] = {}
    for batch in batches(sorted(skus)):
        for row in await session.scalars(select(Variant).where(Variant.sku.in_(batch))):
            owners[row.sku or ""] = row
    return owners


def _refuse_skus(works: Sequence[Work], owners: Mapping[str, Variant]) -> Iterator[Refusal]:
    """A SKU may be had by one variant only, unless its owner is archived or gives it up now."""
    leaving = {row.id for work in works for row in work.left_over}
    leaving |= {
        each.row.id for work in works for each in work.pairs if each.row and each.row.sku != each.draft.sku
    }
    wanted: set[str] = set()
    for work in works:
        for index, each in enumerate(work.pairs):
            sku = each.draft.sku
            if sku is None:
                continue
            owner = owners.get(sku)
            held = owner is not None and owner is not each.row and owner.archived_at is None
            if sku in wanted or (held and owner is not None and owner.id not in leaving):
                where = ("variants", index, "sku")
                reason = f'another variant has the SKU "{sku}" already'
                yield Refusal(work.draft, Column.SKU, reason, where, ErrorCode.TAKEN)
            wanted.add(sku)


async def _free_skus(session: AsyncSession, works: Sequence[Work], owners: Mapping[str, Variant]) -> None:
    """Rows give up what others are to have before those take it, for the database minds the order."""
    keep = {
        each.row.id for work in works for each in work.pairs if each.row and each.row.sku == each.draft.sku
    }
    for owner in owners.values():
        if owner.id not in keep:
            owner.sku = None
    await session.flush()


async def _write(
    session: AsyncSession, works: Sequence[Work], meanings: Mapping[str, Meaning], *, now: datetime
) -> None:
    """Three rounds, each with the ids of the one before."""
    categories = await _categories(session, works)
    if refusals := [each async for each in _refuse_strangers(session, works, categories, meanings)]:
        raise Refused(refusals)
    sent = await uploads(session, _addresses(works))
    media: list[tuple[list[Media], dict[str, Media]]] = []
    for work, category in zip(works, categories, strict=True):
        session.add(work.stored.product)
        category_id = category.id if category else None
        work.changed |= write_product(work.stored.product, work.draft, category_id=category_id, now=now)
        pictures, by_url, changed = choose_media(session, work.stored, work.draft, sent, now=now)
        work.changed |= changed
        media.append((pictures, by_url))
    await session.flush()
    for work, (pictures, by_url) in zip(works, media, strict=True):
        work.changed |= await write_pictures(session, work.stored, pictures)
        work.changed |= await write_attributes(session, work.stored, _said(work.draft, meanings))
        work.changed |= _write_variants(session, work, by_url, now=now)
    await session.flush()
    for work in works:
        for each in work.pairs:
            if each.row is not None:
                known = work.stored.prices.get(each.row.id, {})
                work.changed |= await write_prices(session, each.row, known, each.draft.prices)
    await session.flush()


def _addresses(works: Sequence[Work]) -> Iterator[str]:
    for work in works:
        yield from (picture.url for picture in work.draft.pictures)
        yield from (each.draft.picture_url for each in work.pairs if each.draft.picture_url)


async def _categories(session: AsyncSession, works: Sequence[Work]) -> list[Category | None]:
    """Where each product stands; one that names no place stands in the one called like its type."""
    paths = [_path(work.draft) for work in works]
    by_path = await ensure_categories(session, paths)
    ids = {
        work.draft.taxonomy_id for work in works if work.draft.taxonomy_id and not work.draft.category_path
    }
    by_id = await ensure_taxonomy(session, ids) if ids else {}
    return [
        by_path.get(path) or by_id.get(work.draft.taxonomy_id)
        for work, path in zip(works, paths, strict=True)
    ]


async def _refuse_strangers(
    session: AsyncSession,
    works: Sequence[Work],
    categories: Sequence[Category | None],
    meanings: Mapping[str, Meaning],
) -> AsyncIterator[Refusal]:
    """An attribute that categories have is for their products only; one that none has is for all.

    What a product has said in its category is not asked again: the category may have been moved since.
    """
    homes = await homes_of(session, {meaning.attribute.id for meaning in meanings.values()})
    for work, category in zip(works, categories, strict=True):
        line = set(category.line) if category else set()
        staying = work.stored.product.category_id == (category.id if category else None)
        said = {row.attribute_id for row in work.stored.attributes} if staying else set()
        for code in work.draft.attributes:
            attribute = meanings[code].attribute
            home = homes.get(attribute.id, {})
            if home and line.isdisjoint(home) and attribute.id not in said:
                place = f'products of "{category.name}"' if category else "products without a category"
                reason = f"{attribute.name} ({code}) is not for {place}; allowed: {_told(home.values())}"
                yield Refusal(work.draft, member_name(Family.ATTRIBUTE, code), reason, ("attributes",))


def _told(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - TOLD} more" if len(known) > TOLD else ""
    return f"{', '.join(known[:TOLD])}{more}"


def _path(draft: ProductDraft) -> Path:
    if draft.category_path or draft.taxonomy_id:
        return draft.category_path
    return (draft.product_type,) if draft.product_type else ()


def _said(draft: ProductDraft, meanings: Mapping[str, Meaning]) -> dict[tuple[int, int], Said]:
    return {
        (meanings[code].attribute.id, position): said
        for code, texts in draft.attributes.items()
        for position, said in enumerate(dict.fromkeys(map(meanings[code].read, texts)), start=1)
    }


def _write_variants(session: AsyncSession, work: Work, media: Mapping[str, Media], *, now: datetime) -> bool:
    changed = False
    for position, each in enumerate(work.pairs, start=1):
        if each.row is None:
            each.row = Variant(product_id=work.stored.product.id)
            session.add(each.row)
        url = each.draft.picture_url
        media_id = media[url].id if url else None
        changed |= write_variant(each.row, each.draft, position=position, media_id=media_id)
    for row in work.left_over:
        if row.archived_at is None:
            row.archived_at = now
            changed = True
    return changed


async def _conclude(session: AsyncSession, works: Sequence[Work], *, now: datetime, by: int | None) -> None:
    """Stock last and at once: its rows are locked in one order, and for a short time."""
    counts = await _counts(session, works)
    changed = await set_levels(session, counts, reason="import", now=now, by=by)
    variants = {variant_id for variant_id, _ in changed}
    for work in works:
        work.counted = any(each.row and each.row.id in variants for each in work.pairs)
        if work.outcome is not Outcome.UNCHANGED:
            work.stored.product.updated_at = now
            name = "product.created" if work.new else "product.updated"
            record(session, name, work.stored.product, now=now, by=by)
    await session.flush()
    await index_products(session, {work.stored.product.id for work in works if work.new or work.changed})


async def _counts(session: AsyncSession, works: Sequence[Work]) -> dict[Place, int]:
    """Units by place; where any are told, the shop has its main warehouse first."""
    codes = dict.fromkeys(code for work in works for each in work.pairs for code in each.draft.stock)
    if not codes:
        return {}
    known = await warehouses(session, ["", *codes])
    return {
        (each.row.id, known[code].id): units
        for work in works
        for each in work.pairs
        if each.row is not None
        for code, units in each.draft.stock.items()
    }
