"""The index in a folder of this machine, or in the memory of the process: Tantivy.

Processes of one machine share the folder: the one that holds its lock writes, all read. A process that is
killed leaves the documents of its last commit; the position is noted after it, so that what came between is
written again.
"""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import tantivy

from gateways.search.embedded.answers import AnswerCache
from gateways.search.embedded.folder import locked_file
from gateways.search.embedded.queries import ID, TYPED, WORDS, QueryCompiler, build_schema, conjunction
from gateways.search.protocol import (
    FieldRange,
    Hit,
    IndexDocument,
    IndexFigures,
    IndexLayout,
    IndexOrder,
    IndexQuery,
    NumberFilter,
    ValueCount,
)
from text.typo_tolerance import one_edit_away

T = TypeVar("T")

FORMAT = 2
"""Raised with every change of how documents are stored: folders of another format are not read."""

WRITER_BYTES, BUILDER_BYTES = 15_000_000, 100_000_000
"""Memory of a writer until it writes a segment; 15 MB is the least that Tantivy takes."""

INLINE_LIMIT = 50_000
"""Documents up to which a query runs in the event loop: it takes less time than to change threads."""

COUNTED_EXACTLY = 100
"""Documents up to which the number of those with a word is exact: deleted ones are counted until a merge."""

KEPT_SECONDS = 86_400
"""How long the folder of another version is kept: processes of that version may still run."""

Query = tantivy.Query


@dataclass(slots=True)
class EmbeddedIndex:
    layout: IndexLayout
    folder: Path | None = None
    """Where indexes are; None for one in memory."""
    schema: tantivy.Schema = field(init=False)
    queries: QueryCompiler = field(init=False)
    opened: tantivy.Index | None = field(default=None, init=False)
    known_position: str | None = field(default=None, init=False)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    answers: AnswerCache = field(default_factory=AnswerCache, init=False)

    def __post_init__(self) -> None:
        self.schema = build_schema(self.layout)
        self.queries = QueryCompiler(self.schema, self.layout.states)

    # --- reading

    async def rank(self, query: IndexQuery, *, limit: int, numbers: Sequence[str] = ()) -> Sequence[Hit]:
        def run(searcher: tantivy.Searcher) -> list[Hit]:
            found = searcher.search(self.queries.compile(query), limit, count=False).hits
            addresses = [address for _, address in found]
            columns = [searcher.fast_field_values(name, addresses) for name in (ID, *numbers)]
            rows = [tuple(int(each or 0) for each in row) for row in zip(*columns, strict=True)]
            hits = [Hit(row[0], score, row[1:]) for (score, _), row in zip(found, rows, strict=True)]
            return sorted(hits, key=lambda hit: (-hit.key, -hit.id))

        return await self.read(run, [])

    async def list_ordered(
        self, query: IndexQuery, order: IndexOrder, *, limit: int, after: tuple[int, int] | None = None
    ) -> Sequence[Hit]:
        def run(searcher: tantivy.Searcher) -> list[Hit]:
            found: list[Hit] = []
            if after is not None:
                number, id = after
                rest = IndexOrder(ID, order.descending)
                same = [
                    self.queries.beyond(rest, id),
                    self.queries.number_query(NumberFilter(order.field, number, number)),
                ]
                hits = self.list_by(searcher, self.queries.compile(query, *same), rest, limit)
                found = [Hit(hit.id, number) for hit in hits]
                query_after = self.queries.compile(query, self.queries.beyond(order, number))
            else:
                query_after = self.queries.compile(query)
            if len(found) < limit:
                found += self.list_by(searcher, query_after, order, limit - len(found))
            return found

        return await self.read(run, [])

    def list_by(
        self, searcher: tantivy.Searcher, query: tantivy.Query, order: IndexOrder, limit: int
    ) -> list[Hit]:
        """The first documents by one number. Tantivy orders by one field: of those with the last number,
        which may be more than there is room for, the right ones are looked for by their ids.
        """
        direction = tantivy.Order.Desc if order.descending else tantivy.Order.Asc
        found = searcher.search(query, limit, count=False, order_by_field=order.field, order=direction).hits
        ids = searcher.fast_field_values(ID, [address for _, address in found])
        hits = [Hit(int(id or 0), int(number)) for (number, _), id in zip(found, ids, strict=True)]
        if len(hits) == limit and order.field != ID:
            last = int(hits[-1].key)
            hits = [hit for hit in hits if hit.key != last]
            same = conjunction([query, self.queries.number_query(NumberFilter(order.field, last, last))])
            by_id = self.list_by(searcher, same, IndexOrder(ID, order.descending), limit - len(hits))
            hits += [Hit(hit.id, last) for hit in by_id]
        sign = -1 if order.descending else 1
        return sorted(hits, key=lambda hit: (sign * hit.key, sign * hit.id))

    async def count(self, query: IndexQuery) -> int:
        async def count() -> int:
            return await self.read(
                lambda searcher: count_of(searcher, self.queries.compile_unscored(query)), 0
            )

        return await self.answers.get(("count", query), count)

    async def figures(
        self, query: IndexQuery, counts: Sequence[ValueCount], ranges: Sequence[str] = ()
    ) -> IndexFigures:
        request: dict[str, object] = {name: {"stats": {"field": name}} for name in ranges}
        for place, each in enumerate(counts):
            terms: dict[str, object] = {"field": each.field, "size": each.limit, "order": {"_count": "desc"}}
            if each.prefix:
                terms["include"] = re.escape(each.prefix) + ".*"
            request[str(place)] = {"terms": terms}

        def run(searcher: tantivy.Searcher) -> IndexFigures:
            found = searcher.aggregate(self.queries.compile_unscored(query), request) if request else {}
            buckets = [found[str(place)]["buckets"] for place in range(len(counts))]
            return IndexFigures(
                [
                    sorted(((each["key"], each["doc_count"]) for each in some), key=most_first)
                    for some in buckets
                ],
                {
                    name: FieldRange(int(found[name]["min"]), int(found[name]["max"]))
                    for name in ranges
                    if found[name]["count"]
                },
            )

        async def count() -> IndexFigures:
            return await self.read(run, IndexFigures([()] * len(counts), {}))

        return await self.answers.get(("figures", query, counts, ranges), count)

    async def frequencies(self, words: Collection[str]) -> Mapping[str, int]:
        def run(searcher: tantivy.Searcher) -> dict[str, int]:
            found = {word: self.frequency_of(searcher, WORDS, word) for word in words}
            return {word: count for word, count in found.items() if count}

        return await self.read(run, {})

    async def completions(self, prefix: str, *, limit: int) -> Sequence[tuple[str, int]]:
        def run(searcher: tantivy.Searcher) -> list[tuple[str, int]]:
            longer = [
                word
                for word, _ in searcher.terms_with_prefix(TYPED, prefix, limit=2 * limit)
                if word != prefix
            ]
            found = [(word, self.frequency_of(searcher, TYPED, word)) for word in longer]
            return sorted((each for each in found if each[1]), key=most_first)[:limit]

        return await self.read(run, [])

    async def corrections(
        self, word: str, *, limit: int, is_prefix: bool = False
    ) -> Sequence[tuple[str, int]]:
        def run(searcher: tantivy.Searcher) -> list[tuple[str, int]]:
            close = one_edit_away(word)
            if is_prefix:
                close = {
                    longer
                    for each in {*close, word}
                    for longer, _ in searcher.terms_with_prefix(TYPED, each, limit=2 * limit)
                }
            found = {each: searcher.doc_freq(TYPED, each) for each in close}
            first = sorted(((each, count) for each, count in found.items() if count), key=most_first)
            counted = [(each, self.frequency_of(searcher, TYPED, each)) for each, _ in first[: 2 * limit]]
            return sorted((each for each in counted if each[1]), key=most_first)[:limit]

        return await self.read(run, [])

    async def document_count(self) -> int:
        return await self.read(lambda searcher: searcher.num_docs, 0)

    async def can_answer(self) -> bool:
        if self.opened is None:
            await self.position()
        return self.opened is not None

    async def read(self, run: Callable[[tantivy.Searcher], T], nothing: T) -> T:
        """The answer of a query; `nothing` as long as there is no index."""
        if not await self.can_answer() or self.opened is None:
            return nothing
        searcher = self.opened.searcher()
        if searcher.num_docs == 0:
            return nothing
        if searcher.num_docs <= INLINE_LIMIT:
            return run(searcher)
        return await asyncio.to_thread(run, searcher)

    def frequency_of(self, searcher: tantivy.Searcher, field: str, word: str) -> int:
        """How many documents have a word: of a rare one without those that were deleted."""
        frequency: int = searcher.doc_freq(field, word)
        if not 0 < frequency <= COUNTED_EXACTLY:
            return frequency
        return count_of(searcher, Query.term_query(self.schema, field, word))

    # --- writing

    @property
    def place(self) -> Path | None:
        """The folder of the index of this layout."""
        return self.folder and self.folder / f"{self.layout.name}-{FORMAT}.{self.layout.version}"

    async def position(self) -> str | None:
        place = self.place
        if place is None:
            return self.known_position
        try:
            position = (place / "position").read_text("utf-8")
            if self.opened is None:
                self.opened = tantivy.Index.open(str(place / "index"))
                self.answers.forget()
            elif position != self.known_position:
                self.opened.reload()
                self.answers.forget()
        except (OSError, ValueError):
            # deleted or damaged: what was read of it goes on answering until it is built anew
            return None
        self.known_position = position
        return position

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[bool]:
        if self.folder is None:
            async with self.lock:
                yield True
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked_file(self.folder / f"{self.layout.name}.lock") as is_locked:
            yield is_locked

    async def write(
        self, documents: Sequence[IndexDocument], deleted: Collection[int], *, position: str
    ) -> None:
        index = self.opened
        if index is None:
            raise FileNotFoundError(self.place)
        if documents or deleted:
            await asyncio.to_thread(self.write_documents, index, documents, deleted)
        self.note_position(position)
        index.reload()
        self.answers.forget()

    def write_documents(
        self, index: tantivy.Index, documents: Sequence[IndexDocument], deleted: Collection[int]
    ) -> None:
        with index.writer(WRITER_BYTES, 1) as writer:
            for id in {*deleted, *(each.id for each in documents)}:
                writer.delete_documents_by_term(ID, id)
            for each in documents:
                writer.add_document(self.document_of(each))

    async def build(self, batches: AsyncIterator[Sequence[IndexDocument]], *, position: str) -> None:
        place = self.place
        if place is None:
            index = tantivy.Index(self.schema)
            await self.fill(index, batches, WRITER_BYTES)
        else:
            new = place.with_name(f"{place.name}.new")
            await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)
            (new / "index").mkdir(parents=True)
            await self.fill(tantivy.Index(self.schema, path=str(new / "index")), batches, BUILDER_BYTES)
            (new / "position").write_text(position, "utf-8")
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
            new.rename(place)
            index = tantivy.Index.open(str(place / "index"))
            await asyncio.to_thread(self.remove_old_versions, place)
        index.reload()
        self.opened, self.known_position = index, position
        self.answers.forget()

    async def fill(
        self, index: tantivy.Index, batches: AsyncIterator[Sequence[IndexDocument]], memory: int
    ) -> None:
        writer = index.writer(memory, 1)
        async for batch in batches:
            for each in batch:
                writer.add_document(self.document_of(each))
        await asyncio.to_thread(finish_writer, writer)

    def note_position(self, position: str) -> None:
        if self.place is not None:
            file = self.place / "position.new"
            file.write_text(position, "utf-8")
            file.replace(self.place / "position")
        self.known_position = position

    def remove_old_versions(self, place: Path) -> None:
        for other in place.parent.glob(f"{self.layout.name}-*"):
            if other != place and time.time() - other.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(other, ignore_errors=True)

    def document_of(self, document: IndexDocument) -> tantivy.Document:
        values: dict[str, object] = {
            ID: document.id,
            WORDS: " ".join(document.words),
            TYPED: " ".join(document.typed),
        }
        values |= {name: text for name, text in document.texts.items() if text}
        values |= {name: list(some) for name, some in document.keywords.items() if some}
        values |= {name: list(some) for name, some in document.numbers.items() if some}
        return tantivy.Document.from_dict(values, self.schema)

    async def close(self) -> None:
        self.opened = None


def count_of(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    count: int = searcher.search(query, 1, count=True).count  # type: ignore[attr-defined]
    return count


def finish_writer(writer: tantivy.IndexWriter) -> None:
    writer.commit()
    writer.wait_merging_threads()


def most_first(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]
