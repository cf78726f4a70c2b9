"""The tables behind the search: words of products, their weights, and what is known of every word."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.upsert import insert
from models import KnownWord, ProductTerm, ProductWords, WordRemains
from words import CODE, EVERYTHING
from words.slips import forgivable, remains

Weights = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Worded:
    """One product: all its words for the full-text index, and those that rank it with their weights."""

    words: str
    weights: Weights


@dataclass(slots=True)
class Lexicon:
    """Writes products batch by batch; what changed for the words themselves is written once, by `close`."""

    session: AsyncSession
    counts: Counter[str] = field(default_factory=Counter)
    """Word -> how many products more have it now."""

    async def write(self, products: Mapping[int, Worded]) -> None:
        known = await self._known(products)
        changed = {number: row for number, row in products.items() if known.get(number) != row.weights}
        await self._write_words(products)
        await self._write_weights({number for number in changed if number in known}, changed)
        for number, row in changed.items():
            self._count(row.weights, 1)
            self._count(known.get(number, {}), -1)
            self.counts[EVERYTHING] += number not in known

    async def close(self) -> None:
        moved = {word: count for word, count in sorted(self.counts.items()) if count}
        for batch in batches(moved):
            known = set(await self.session.scalars(select(KnownWord.word).where(KnownWord.word.in_(batch))))
            await self._write_counts({word: moved[word] for word in batch})
            await self._write_remains(word for word in batch if word not in known and forgivable(word))
        await self._forget_unused()
        self.counts.clear()

    async def _known(self, product_ids: Iterable[int]) -> Mapping[int, Weights]:
        """What products weigh so far; those that were never read are left out."""
        ids = list(product_ids)
        read = await self.session.scalars(
            select(ProductWords.product_id).where(ProductWords.product_id.in_(ids))
        )
        found: dict[int, dict[str, int]] = {number: {} for number in read}
        rows = await self.session.execute(
            select(ProductTerm.product_id, ProductTerm.term, ProductTerm.weight).where(
                ProductTerm.product_id.in_(ids)
            )
        )
        for number, term, weight in rows:
            found.setdefault(number, {})[term] = weight
        return found

    def _count(self, weights: Weights, step: int) -> None:
        for word in weights:
            if not word.startswith(CODE):
                self.counts[word] += step

    async def _write_words(self, products: Mapping[int, Worded]) -> None:
        written = insert(self.session, ProductWords)
        await self.session.execute(
            written.on_conflict_do_update(
                index_elements=[ProductWords.product_id],
                set_={"words": written.excluded.words},
                where=ProductWords.words != written.excluded.words,
            ),
            [{"product_id": number, "words": row.words} for number, row in products.items()],
        )

    async def _write_weights(self, stale: Iterable[int], products: Mapping[int, Worded]) -> None:
        if ids := list(stale):
            await self.session.execute(delete(ProductTerm).where(ProductTerm.product_id.in_(ids)))
        rows = [
            {"term": term, "product_id": number, "weight": weight}
            for number, row in products.items()
            for term, weight in sorted(row.weights.items())
        ]
        if rows:
            await self.session.execute(insert(self.session, ProductTerm), rows)

    async def _write_counts(self, moved: Mapping[str, int]) -> None:
        written = insert(self.session, KnownWord)
        await self.session.execute(
            written.on_conflict_do_update(
                index_elements=[KnownWord.word],
                set_={"products": KnownWord.products + written.excluded.products},
            ),
            [{"word": word, "products": count} for word, count in moved.items()],
        )

    async def _write_remains(self, words: Iterable[str]) -> None:
        rows = [{"remains": each, "word": word} for word in words for each in sorted(remains(word))]
        if rows:
            await self.session.execute(insert(self.session, WordRemains).on_conflict_do_nothing(), rows)

    async def _forget_unused(self) -> None:
        lost = [word for word, count in self.counts.items() if count < 0 and word != EVERYTHING]
        for batch in batches(sorted(lost)):
            unused = select(KnownWord.word).where(KnownWord.word.in_(batch), KnownWord.products <= 0)
            await self.session.execute(delete(WordRemains).where(WordRemains.word.in_(unused)))
            await self.session.execute(
                delete(KnownWord).where(KnownWord.word.in_(batch), KnownWord.products <= 0)
            )
