"""Writing the tables of the search index: terms of products, their weights, and counts of all terms."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import IndexedTerm, ProductSearchText, ProductTerm, TermDeletion
from models.sql.batches import in_batches
from models.sql.upsert import upsert_into
from text import ALL_DOCUMENTS, CODE_PREFIX
from text.typo_tolerance import deletion_variants, tolerates_typo

Weights = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProductDocument:
    """One product: all its terms, separated by blanks, and the weights of those that rank it."""

    text: str
    weights: Weights


@dataclass(slots=True)
class IndexWriter:
    """Writes documents in batches; `close` writes what changed for the terms themselves."""

    session: AsyncSession
    counts: Counter[str] = field(default_factory=Counter)
    """Term -> how many more products have it now."""

    async def write(self, documents: Mapping[int, ProductDocument]) -> None:
        """Write the documents of products, by the id of the product."""
        before = await self._select_weights(documents)
        changed = {id: each for id, each in documents.items() if before.get(id) != each.weights}
        await self._write_texts(documents)
        await self._write_weights({id for id in changed if id in before}, changed)
        for id, document in changed.items():
            self._count_terms(document.weights, 1)
            self._count_terms(before.get(id, {}), -1)
            self.counts[ALL_DOCUMENTS] += id not in before

    async def close(self) -> None:
        changed = {term: count for term, count in sorted(self.counts.items()) if count}
        for batch in in_batches(changed):
            known = set(
                await self.session.scalars(select(IndexedTerm.term).where(IndexedTerm.term.in_(batch)))
            )
            await self._write_counts({term: changed[term] for term in batch})
            await self._write_deletions(term for term in batch if term not in known and tolerates_typo(term))
        await self._delete_unused_terms()
        self.counts.clear()

    async def _select_weights(self, product_ids: Iterable[int]) -> Mapping[int, Weights]:
        """The weights of products so far; those that were never indexed are left out."""
        ids = list(product_ids)
        indexed = await self.session.scalars(
            select(ProductSearchText.product_id).where(ProductSearchText.product_id.in_(ids))
        )
        found: dict[int, dict[str, int]] = {id: {} for id in indexed}
        rows = await self.session.execute(
            select(ProductTerm.product_id, ProductTerm.term, ProductTerm.weight).where(
                ProductTerm.product_id.in_(ids)
            )
        )
        for id, term, weight in rows:
            found.setdefault(id, {})[term] = weight
        return found

    def _count_terms(self, weights: Weights, step: int) -> None:
        for term in weights:
            if not term.startswith(CODE_PREFIX):
                self.counts[term] += step

    async def _write_texts(self, documents: Mapping[int, ProductDocument]) -> None:
        statement = upsert_into(self.session, ProductSearchText)
        await self.session.execute(
            statement.on_conflict_do_update(
                index_elements=[ProductSearchText.product_id],
                set_={"text": statement.excluded.text},
                where=ProductSearchText.text != statement.excluded.text,
            ),
            [{"product_id": id, "text": each.text} for id, each in documents.items()],
        )

    async def _write_weights(self, stale: Iterable[int], documents: Mapping[int, ProductDocument]) -> None:
        if ids := list(stale):
            await self.session.execute(delete(ProductTerm).where(ProductTerm.product_id.in_(ids)))
        rows = [
            {"term": term, "product_id": id, "weight": weight}
            for id, document in documents.items()
            for term, weight in sorted(document.weights.items())
        ]
        if rows:
            await self.session.execute(upsert_into(self.session, ProductTerm), rows)

    async def _write_counts(self, changed: Mapping[str, int]) -> None:
        statement = upsert_into(self.session, IndexedTerm)
        await self.session.execute(
            statement.on_conflict_do_update(
                index_elements=[IndexedTerm.term],
                set_={"product_count": IndexedTerm.product_count + statement.excluded.product_count},
            ),
            [{"term": term, "product_count": count} for term, count in changed.items()],
        )

    async def _write_deletions(self, terms: Iterable[str]) -> None:
        rows = [
            {"deletion": each, "term": term} for term in terms for each in sorted(deletion_variants(term))
        ]
        if rows:
            await self.session.execute(upsert_into(self.session, TermDeletion).on_conflict_do_nothing(), rows)

    async def _delete_unused_terms(self) -> None:
        lost = [term for term, count in self.counts.items() if count < 0 and term != ALL_DOCUMENTS]
        for batch in in_batches(sorted(lost)):
            unused = select(IndexedTerm.term).where(
                IndexedTerm.term.in_(batch), IndexedTerm.product_count <= 0
            )
            await self.session.execute(delete(TermDeletion).where(TermDeletion.term.in_(unused)))
            await self.session.execute(
                delete(IndexedTerm).where(IndexedTerm.term.in_(batch), IndexedTerm.product_count <= 0)
            )
