"""Importing a product file, whole or not at all."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.catalog.csv.columns import Column, ColumnFamily, family_column
from domain.catalog.csv.merge_missing import merge_missing
from domain.catalog.csv.reading import ParsedFile
from domain.catalog.problems import FileProblem, NoteCount, list_names, quote_value
from domain.catalog.product import (
    OF_BATCHES,
    OF_FILES,
    DraftPart,
    DraftRefusal,
    DraftRefused,
    ProductDraft,
    SavedProduct,
    SaveOutcome,
    save_products,
)
from domain.cause import Cause
from models import Attribute, Category, Warehouse
from text.messages import Message

CreatedKind = type[Category] | type[Attribute] | type[Warehouse]

CREATED_KINDS: Mapping[CreatedKind, tuple[InstrumentedAttribute[str], str, Message]] = {
    Category: (Category.name, Column.CATEGORY, Message("categories")),
    Attribute: (Attribute.code, ColumnFamily.ATTRIBUTE, Message("attributes")),
    Warehouse: (Warehouse.code, ColumnFamily.QUANTITY, Message("warehouses")),
}
"""What an import may create besides products: its name, the column that names it, and its plural."""

PART_COLUMNS: Mapping[DraftPart, str] = {
    DraftPart.SLUG: Column.HANDLE,
    DraftPart.CATEGORY: Column.CATEGORY,
    DraftPart.ATTRIBUTE: ColumnFamily.ATTRIBUTE,
    DraftPart.STOCK: ColumnFamily.QUANTITY,
    DraftPart.SKU: Column.SKU,
}


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many products a file created, updated and left unchanged; nothing is saved if it has problems."""

    file: str
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: Sequence[FileProblem] = ()
    notes: Sequence[FileProblem] = ()
    """What was taken otherwise than it is written, and what was created besides products.

    A category the shop did not have may be a typo.
    """
    note_counts: Sequence[NoteCount] = ()
    """How often the file has each kind of note."""


@dataclass(slots=True)
class SavedBatch:
    """What became of some drafts of a file."""

    saved: Sequence[SavedProduct] = ()
    problems: Sequence[FileProblem] = ()
    """Why none of them was saved."""
    notes: Sequence[FileProblem] = ()


async def save_batch(
    session: AsyncSession, parsed: ParsedFile, drafts: Sequence[ProductDraft], *, cause: Cause
) -> SavedBatch:
    """Save some drafts of a file; those that are not sold yet are not sold before `publish_saved`.

    The caller rolls back where there are problems, or where it only asks what would happen.
    """
    last_ids = await _select_last_ids(session)
    try:
        products = await merge_missing(session, drafts, parsed.columns)
        saved = await save_products(session, products, cause=cause, rules=OF_BATCHES)
    except DraftRefused as refused:
        return SavedBatch(problems=_list_problems(refused, parsed.file))
    created = [note async for note in _list_created(session, last_ids, parsed.file)]
    return SavedBatch(saved, notes=(*_list_shared_skus(products, saved, parsed.file), *created))


async def import_file(
    session: AsyncSession,
    parsed: ParsedFile,
    *,
    cause: Cause,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda saved: None,
) -> ImportResult:
    """Save the products of a file.

    A dry run finds every problem and changes nothing. `progress` is called with how many more are done.
    """
    file, notes = parsed.file, parsed.notes
    if parsed.problems:
        return ImportResult(file, problems=parsed.problems, notes=notes)
    last_ids = await _select_last_ids(session)
    attempt = await session.begin_nested()
    try:
        products = await merge_missing(session, parsed.products, parsed.columns)
        saved = await save_products(session, products, cause=cause, rules=OF_FILES, progress=progress)
    except DraftRefused as refused:
        await attempt.rollback()
        return ImportResult(file, problems=_list_problems(refused, file), notes=notes)
    shared = list(_list_shared_skus(products, saved, file))
    created = [note async for note in _list_created(session, last_ids, file)]
    await (attempt.rollback() if dry_run else attempt.commit())
    counts = Counter(each.outcome for each in saved)
    return ImportResult(
        file,
        created=counts[SaveOutcome.CREATED],
        updated=counts[SaveOutcome.UPDATED],
        unchanged=counts[SaveOutcome.UNCHANGED],
        notes=(*notes, *shared, *created),
        note_counts=parsed.note_counts,
    )


def _list_problems(refused: DraftRefused, file: str) -> tuple[FileProblem, ...]:
    return tuple(
        FileProblem(file, each.draft.line, column_of_refusal(each), each.reason) for each in refused.refusals
    )


def column_of_refusal(refusal: DraftRefusal) -> str:
    """The header of the column a refusal is about."""
    column = PART_COLUMNS[refusal.part]
    return family_column(column, refusal.key) if refusal.key else column


def _list_shared_skus(
    drafts: Sequence[ProductDraft], saved: Sequence[SavedProduct], file: str
) -> Iterator[FileProblem]:
    """A note on each SKU that products of the shop have which the file leaves as they are."""
    for draft, each in zip(drafts, saved, strict=True):
        for sku in each.shared_skus:
            reason = Message(
                "another product has the SKU {sku}, too: it does not name one variant", sku=quote_value(sku)
            )
            yield FileProblem(file, draft.line, Column.SKU, reason)


async def _select_last_ids(session: AsyncSession) -> dict[CreatedKind, int]:
    return {kind: await session.scalar(select(func.max(kind.id))) or 0 for kind in CREATED_KINDS}


async def _list_created(
    session: AsyncSession, last_ids: Mapping[CreatedKind, int], file: str
) -> AsyncIterator[FileProblem]:
    """Notes on what the import created besides products; none for a kind the shop had none of before."""
    for kind, (name, column, things) in CREATED_KINDS.items():
        if not last_ids[kind]:
            continue
        names = (await session.scalars(select(name).where(kind.id > last_ids[kind]).order_by(kind.id))).all()
        if names:
            yield FileProblem(
                file,
                1,
                column,
                Message("{things} the shop did not have: {names}", things=things, names=list_names(names)),
            )
