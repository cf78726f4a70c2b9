"""Importing a product file while the shop sells: in short transactions, of which customers see the last one.

Every draft is checked first, in transactions that are rolled back. Then new products are saved as drafts,
some at a time, and one transaction publishes them all. An import that is killed has shown customers nothing
of them; the same file imported again goes on where it was.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from domain.catalog.csv import ImportResult, ParsedFile, import_file, save_batch
from domain.catalog.problems import PROBLEM_LIMIT, FileProblem
from domain.catalog.product import ProductDraft, SavedProduct, SaveOutcome, publish_saved
from domain.cause import Cause
from events.catalogue_statistics import refresh_statistics
from events.shop import Shop
from models import ProductStatus
from models.sql.batches import in_batches

BATCH_SIZE = 50
"""Products saved in one transaction: others who change something wait so long."""

WHOLE_SIZE = 200
"""Products of the shop that are changed in the last transaction, with what is published; more are changed in
batches before it."""

PAUSE_SECONDS = 0.11
"""Between two transactions on SQLite, whose other processes ask every 0.1 s whether they may write."""

STATISTICS_FROM = 1_000
"""Products changed from which the database counts its rows anew, so that its plans fit them."""


@dataclass
class BatchImport:
    """One file while it is imported."""

    shop: Shop
    parsed: ParsedFile
    cause: Cause
    progress: Callable[[int, int], None]
    done: int = 0
    outcomes: dict[str, SaveOutcome] = field(default_factory=dict)
    """What the check has found, by slug."""
    unpublished: dict[int, ProductStatus] = field(default_factory=dict)
    """Products that are published at the end, by their ids."""
    problems: list[FileProblem] = field(default_factory=list)
    notes: dict[FileProblem, None] = field(default_factory=dict)

    async def run(self, *, dry_run: bool) -> ImportResult:
        await self.check()
        if not self.problems and not dry_run:
            await self.save_new()
        if not self.problems and not dry_run:
            await self.finish()
        if self.problems:
            return self.describe(Counter())
        return self.describe(self.counts)

    async def check(self) -> None:
        """Find all problems, and what each draft would do, by saving it and rolling back."""
        for drafts in in_batches(self.parsed.products, BATCH_SIZE):
            async with self.shop.database.writes() as session:
                batch = await save_batch(session, self.parsed, drafts, cause=self.cause)
                for draft, saved in zip(drafts, batch.saved, strict=False):
                    self.outcomes[draft.slug] = self.outcome_of(saved)
                    if saved.publish_as and saved.outcome is not SaveOutcome.CREATED:
                        self.unpublished[saved.product.id] = saved.publish_as
                await session.rollback()
            self.problems += batch.problems[: PROBLEM_LIMIT - len(self.problems)]
            self.notes |= dict.fromkeys(batch.notes)
            await self.advance(len(drafts))

    def outcome_of(self, saved: SavedProduct) -> SaveOutcome:
        is_published = saved.publish_as and saved.outcome is SaveOutcome.UNCHANGED
        return SaveOutcome.UPDATED if is_published else saved.outcome

    async def save_new(self) -> None:
        """Save new products as drafts, and changed ones where they are too many for one transaction."""
        outcomes = {SaveOutcome.CREATED}
        if self.counts[SaveOutcome.UPDATED] > WHOLE_SIZE:
            outcomes.add(SaveOutcome.UPDATED)
        for drafts in in_batches(self.drafts_that(outcomes), BATCH_SIZE):
            async with self.shop.database.writes() as session:
                batch = await save_batch(session, self.parsed, drafts, cause=self.cause)
                if batch.problems:
                    await session.rollback()
                    self.problems += batch.problems
                    return
                self.note_unpublished(batch.saved)
                await session.commit()
            await self.advance(len(drafts))

    async def finish(self) -> None:
        """Change the products of the shop and publish the new ones, in one transaction."""
        async with self.shop.database.writes() as session:
            if self.counts[SaveOutcome.UPDATED] <= WHOLE_SIZE:
                changed = list(self.drafts_that({SaveOutcome.UPDATED}))
                batch = await save_batch(session, self.parsed, changed, cause=self.cause)
                if batch.problems:
                    await session.rollback()
                    self.problems += batch.problems
                    return
                self.note_unpublished(batch.saved)
            await publish_saved(session, self.unpublished, cause=self.cause)
            await session.commit()
        self.progress(self.total, self.total)
        if self.counts[SaveOutcome.UPDATED] + self.counts[SaveOutcome.CREATED] >= STATISTICS_FROM:
            await refresh_statistics(self.shop.database)

    def note_unpublished(self, saved: Sequence[SavedProduct]) -> None:
        self.unpublished |= {each.product.id: each.publish_as for each in saved if each.publish_as}

    def drafts_that(self, outcomes: Set[SaveOutcome]) -> Iterator[ProductDraft]:
        """The drafts of which the check has found one of these outcomes."""
        return (draft for draft in self.parsed.products if self.outcomes[draft.slug] in outcomes)

    @cached_property
    def counts(self) -> Counter[SaveOutcome]:
        """How many drafts the check has found to have each outcome; to be read after it."""
        return Counter(self.outcomes.values())

    @property
    def total(self) -> int:
        """Steps of progress: each draft is checked and saved."""
        return 2 * len(self.parsed.products)

    async def advance(self, drafts: int) -> None:
        self.done += drafts
        self.progress(self.done, self.total)
        if self.shop.database.dialect == "sqlite":
            await asyncio.sleep(PAUSE_SECONDS)

    def describe(self, counts: Counter[SaveOutcome]) -> ImportResult:
        return ImportResult(
            self.parsed.file,
            created=counts[SaveOutcome.CREATED],
            updated=counts[SaveOutcome.UPDATED],
            unchanged=counts[SaveOutcome.UNCHANGED],
            problems=tuple(self.problems),
            notes=(*self.parsed.notes, *(() if self.problems else self.notes)),
            note_counts=self.parsed.note_counts,
        )


async def import_products(
    shop: Shop,
    parsed: ParsedFile,
    *,
    cause: Cause,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportResult:
    """Import a file, whole or not at all; a short one in one transaction.

    `progress` is called with how many steps are done, and how many there are.
    """
    if parsed.problems or len(parsed.products) > BATCH_SIZE:
        if parsed.problems:
            return ImportResult(
                parsed.file, problems=parsed.problems, notes=parsed.notes, note_counts=parsed.note_counts
            )
        return await BatchImport(shop, parsed, cause, progress).run(dry_run=dry_run)
    async with shop.database.writes.begin() as session:
        result = await import_file(session, parsed, cause=cause, dry_run=dry_run)
    progress(len(parsed.products), len(parsed.products))
    return result
