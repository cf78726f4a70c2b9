"""The index in OpenSearch, which all processes and machines of a shop share.

An alias names the index that is read. The position stands in a document of the index itself, so that an index
and its position are lost together, and is noted after the documents it stands for.
"""

import re
import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from itertools import chain

import structlog

from gateways.search.opensearch.answers import (
    Acknowledged,
    Aggregation,
    BulkAnswer,
    BulkItem,
    IndexNames,
    PositionAnswer,
    SearchAnswer,
    WrittenAnswer,
)
from gateways.search.opensearch.api import PASSING, Body, NewerThere, NotThere, SearchApi
from gateways.search.opensearch.lease import WriterLease
from gateways.search.opensearch.queries import (
    ID,
    POSITION,
    POSITION_ID,
    SIMILARITIES,
    WORDS,
    bulk_lines,
    close_expressions,
    count_json,
    escape_regex,
    index_json,
    query_json,
    words_json,
)
from gateways.search.protocol import (
    FieldRange,
    Hit,
    IndexDocument,
    IndexFigures,
    IndexLayout,
    IndexOrder,
    IndexQuery,
    SearchRefused,
    SearchUnavailable,
    ValueCount,
)

log = structlog.get_logger()

FORMAT = 1
"""Raised with every change of how documents are stored: indexes of another format are not read."""

VERSION = re.compile(r"([0-9]+)\.([0-9]+)-")

BULK_DOCUMENTS = 250
"""Documents of one request: half a megabyte for products, a few at most."""

BULK_TRIES = 3
"""How often documents are sent that the engine was too busy for."""

ALL_SHARDS = "allow_partial_search_results=false"
ONLY_SORT = f"{ALL_SHARDS}&filter_path=timed_out,_shards.failed,hits.hits.sort"
ONLY_TOTAL = f"{ALL_SHARDS}&filter_path=timed_out,_shards.failed,hits.total.value"
ONLY_COUNTS = f"{ALL_SHARDS}&filter_path=timed_out,_shards.failed,aggregations"

ONLY_OUTCOMES = "require_alias=true&filter_path=errors,items.*._id,items.*.status,items.*.error.type"


@dataclass(slots=True)
class OpenSearchIndex:
    layout: IndexLayout
    api: SearchApi
    lease: WriterLease = field(init=False)
    current: str | None = field(default=None, init=False)
    """The index that the alias named last."""

    def __post_init__(self) -> None:
        self.lease = WriterLease(self.api, self.alias)

    @property
    def family(self) -> str:
        """What the names of all indexes of these rows begin with, whatever their version."""
        return f"{self.api.prefix}-{self.layout.name}-"

    @property
    def alias(self) -> str:
        return f"{self.family}{FORMAT}.{self.layout.version}"

    # --- reading

    async def rank(self, query: IndexQuery, *, limit: int, numbers: Sequence[str] = ()) -> Sequence[Hit]:
        # ids are unique: what is sorted by after them changes nothing, and its values are in the answer
        sort: list[Body] = [{"_score": "desc"}, {ID: "desc"}, *({name: "desc"} for name in numbers)]
        found = await self.list_hits("rank", query, limit, sort)
        return [Hit(int(id), score, tuple(max(int(each), 0) for each in some)) for score, id, *some in found]

    async def list_ordered(
        self, query: IndexQuery, order: IndexOrder, *, limit: int, after: tuple[int, int] | None = None
    ) -> Sequence[Hit]:
        direction = "desc" if order.descending else "asc"
        by_id = order.field == ID
        sort: list[Body] = [{order.field: direction}, *([] if by_id else [{ID: direction}])]
        more: Body = {"search_after": list(after[1:] if by_id else after)} if after else {}
        found = await self.list_hits("list_ordered", query, limit, sort, more)
        return [Hit(int(values[-1]), int(values[0])) for values in found]

    async def list_hits(
        self, call: str, query: IndexQuery, limit: int, sort: Sequence[Body], more: Body | None = None
    ) -> Sequence[Sequence[float]]:
        """What each document was sorted by."""
        body = {
            "size": limit,
            "track_total_hits": False,
            "_source": False,
            "query": query_json(query),
            "sort": sort,
            **(more or {}),
        }
        answer = await self.search(call, ONLY_SORT, body)
        return [hit.sort for hit in answer.hits.hits]

    async def count(self, query: IndexQuery) -> int:
        body = {"size": 0, "track_total_hits": True, "query": query_json(query)}
        return (await self.search("count", ONLY_TOTAL, body)).hits.total.value

    async def figures(
        self, query: IndexQuery, counts: Sequence[ValueCount], ranges: Sequence[str] = ()
    ) -> IndexFigures:
        aggregations = {f"count{place}": count_json(each) for place, each in enumerate(counts)}
        for name in ranges:
            aggregations |= {f"{end}.{name}": {end: {"field": name}} for end in ("min", "max")}
        if not aggregations:
            return IndexFigures([], {})
        found = await self.aggregate("figures", aggregations, query_json(query))
        ends = {name: (found[f"min.{name}"].value, found[f"max.{name}"].value) for name in ranges}
        return IndexFigures(
            [values_of(found[f"count{place}"]) for place in range(len(counts))],
            {
                name: FieldRange(int(low), int(high))
                for name, (low, high) in ends.items()
                if low is not None and high is not None
            },
        )

    async def frequencies(self, words: Collection[str]) -> Mapping[str, int]:
        if not words:
            return {}
        asked = list(words)
        filters = {str(place): {"term": {WORDS: word}} for place, word in enumerate(asked)}
        found = await self.aggregate("frequencies", {"words": {"filters": {"filters": filters}}})
        buckets = found["words"].buckets
        counts = (
            {name: each.doc_count for name, each in buckets.items()} if isinstance(buckets, Mapping) else {}
        )
        return {word: counts[str(place)] for place, word in enumerate(asked) if counts.get(str(place))}

    async def completions(self, prefix: str, *, limit: int) -> Sequence[tuple[str, int]]:
        return await self.find_words("completions", [f"{escape_regex(prefix)}.+"], limit)

    async def corrections(
        self, word: str, *, limit: int, is_prefix: bool = False
    ) -> Sequence[tuple[str, int]]:
        expressions = close_expressions(word, is_prefix=is_prefix)
        found = await self.find_words("corrections", expressions, limit + 1)
        return [each for each in found if each[0] != word][:limit]

    async def find_words(
        self, call: str, expressions: Sequence[str], limit: int
    ) -> Sequence[tuple[str, int]]:
        answer = await self.search(call, ONLY_COUNTS, words_json(expressions, limit))
        found = {word: count for each in answer.aggregations.values() for word, count in values_of(each)}
        return sorted(found.items(), key=lambda counted: (-counted[1], counted[0]))[:limit]

    async def document_count(self) -> int:
        return await self.count(IndexQuery())

    async def aggregate(
        self, call: str, aggregations: Body, query: Body | None = None
    ) -> Mapping[str, Aggregation]:
        body = {"size": 0, "track_total_hits": False, "aggregations": aggregations}
        answer = await self.search(call, ONLY_COUNTS, body | ({"query": query} if query else {}))
        return answer.aggregations

    async def search(self, call: str, parameters: str, body: Body) -> SearchAnswer:
        with self.forgetting_lost():
            answer = await self.api.ask(SearchAnswer, call, f"/{self.alias}/_search?{parameters}", body)
        if answer.timed_out or answer.shards.failed:
            raise SearchUnavailable(f"{call}: only a part of the index answered")
        return answer

    def forgetting_lost(self) -> "LostIndex":
        return LostIndex(self)

    async def can_answer(self) -> bool:
        return self.current is not None or await self.position() is not None

    async def position(self) -> str | None:
        path = f"/{self.alias}/_doc/{POSITION_ID}"
        try:
            found = await self.api.ask(PositionAnswer, "position", path)
        except NotThere:
            self.current = None
            return None
        except SearchRefused:
            if len(await self.aliased_indexes()) <= 1:
                raise
            return None  # two were published at the same time: one is built that replaces both
        self.current = found.index
        return found.source.position

    # --- writing

    def writing(self) -> AbstractAsyncContextManager[bool]:
        return self.lease.hold()

    async def write(
        self, documents: Sequence[IndexDocument], deleted: Collection[int], *, position: str
    ) -> None:
        if self.current is None:
            raise SearchUnavailable("there is no index to write to")
        await self.write_documents(self.current, documents, sorted(deleted))
        await self.note_position(self.current, position)

    async def build(self, batches: AsyncIterator[Sequence[IndexDocument]], *, position: str) -> None:
        new = f"{self.alias}-{secrets.token_hex(4)}"
        await self.create(new)
        try:
            async for batch in batches:
                await self.send_documents(new, batch, [])
            await self.refresh(new)
            await self.note_position(new, position)
            await self.publish(new)
        except BaseException:
            with suppress(SearchUnavailable):
                await self.delete_index(new)
            raise
        self.current = new

    async def create(self, new: str) -> None:
        first, former = (
            index_json(self.layout, similarity=each, write_alias=write_alias(new)) for each in SIMILARITIES
        )
        try:
            await self.api.change(Acknowledged, "create", "PUT", f"/{new}", first)
        except SearchRefused:
            await self.api.change(Acknowledged, "create", "PUT", f"/{new}", former)

    async def publish(self, new: str) -> None:
        """Let the alias name the new index and no other, and delete those it stands for."""
        former = await self.aliased_indexes()
        actions: list[Body] = [
            {"remove": {"index": each, "alias": self.alias, "must_exist": True}} for each in former
        ]
        actions.append({"add": {"index": new, "alias": self.alias}})
        await self.lease.renew()
        await self.api.change(Acknowledged, "publish", "POST", "/_aliases", {"actions": actions})
        for each in await self.unused_indexes(new):
            with suppress(SearchUnavailable):
                await self.delete_index(each)

    async def aliased_indexes(self) -> Sequence[str]:
        with suppress(NotThere):
            return (await self.api.ask(IndexNames, "aliases", f"/_alias/{self.alias}")).names
        return []

    async def unused_indexes(self, new: str) -> Sequence[str]:
        """Those of this version but the new one, and of versions before the last, whose processes may run."""
        names = (await self.api.ask(IndexNames, "indexes", f"/{self.family}*/_alias")).names
        return [each for each in names if each != new and self.is_unused(each.removeprefix(self.family))]

    def is_unused(self, ending: str) -> bool:
        """Whether an index is not read any more, by the version that its name ends with."""
        found = VERSION.match(ending)
        if found is None:
            return False
        format, version = map(int, found.groups())
        if (format, version) == (FORMAT, self.layout.version):
            return True
        return format < FORMAT - 1 or (format == FORMAT and version < self.layout.version - 1)

    async def delete_index(self, name: str) -> None:
        await self.api.change(Acknowledged, "delete_index", "DELETE", f"/{name}")

    async def write_documents(
        self, index: str, documents: Sequence[IndexDocument], deleted: Sequence[int]
    ) -> None:
        """Replace and delete documents, and let searches see that."""
        await self.send_documents(index, documents, deleted)
        if documents or deleted:
            await self.refresh(index)

    async def send_documents(
        self, index: str, documents: Sequence[IndexDocument], deleted: Sequence[int]
    ) -> None:
        waiting = bulk_lines(documents, deleted, term=self.lease.term)
        for start in range(0, len(waiting), BULK_DOCUMENTS):
            await self.send_changes(index, waiting[start : start + BULK_DOCUMENTS])

    async def send_changes(self, index: str, changes: Sequence[tuple[Body, ...]]) -> None:
        """Send changes until each is taken, or refused for what it is: that is logged."""
        waiting = list(changes)
        path = f"/{write_alias(index)}/_bulk?{ONLY_OUTCOMES}"
        for _ in range(BULK_TRIES):
            answer = await self.api.send_lines(BulkAnswer, "bulk", path, chain.from_iterable(waiting))
            items = [next(iter(each.values())) for each in answer.items]
            if len(items) != len(waiting):
                raise SearchUnavailable("bulk: not every change is answered")
            self.check_items(items)
            waiting = [each for each, item in zip(waiting, items, strict=True) if is_to_be_sent_again(item)]
            if not waiting:
                return
        raise SearchUnavailable(f"bulk: {len(waiting)} documents were not taken")

    def check_items(self, items: Sequence[BulkItem]) -> None:
        for item in items:
            kind = item.error.type if item.error else ""
            if item.status == 404 and kind:  # the index; a document that is missing has no error
                raise NotThere(f"bulk: {kind}")
            if item.status == 409:
                raise NewerThere("bulk: a later writer was here")
            if 400 <= item.status < 500 and kind and not is_to_be_sent_again(item):
                log.error("search.document_refused", index=self.layout.name, id=item.id, error=kind)

    async def refresh(self, index: str) -> None:
        await self.api.change(Acknowledged, "refresh", "POST", f"/{index}/_refresh")

    async def note_position(self, index: str, position: str) -> None:
        version = f"version={self.lease.term}&version_type=external_gte&require_alias=true"
        path = f"/{write_alias(index)}/_doc/{POSITION_ID}?{version}"
        await self.api.change(WrittenAnswer, "note_position", "PUT", path, {POSITION: position})

    async def close(self) -> None:
        """The client is that of all partners, and closed with them."""


@dataclass(slots=True)
class LostIndex:
    """An index that the engine does not have any more is looked for anew."""

    index: OpenSearchIndex

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NotThere):
            self.index.current = None


def write_alias(index: str) -> str:
    """The name an index is written by: an index that was deleted is not made again by writing to it."""
    return f"{index}.writes"


def is_to_be_sent_again(item: BulkItem) -> bool:
    return item.status >= 500 or (item.status in PASSING and item.status != 409)


def values_of(found: Aggregation) -> list[tuple[str, int]]:
    buckets: Iterator[tuple[str, int]] = (
        (each.key, each.doc_count) for each in found.buckets if not isinstance(each, str)
    )
    return list(buckets)
