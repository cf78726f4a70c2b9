"""What a search index is asked: a few kinds of conditions, orders and figures that every engine has."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol


class SearchUnavailable(Exception):
    """The index does not answer now; the same may succeed later. The message has no address and no query."""


class SearchRefused(SearchUnavailable):
    """The index answers, and does not do what it was asked."""


class UnreadableAnswer(SearchUnavailable):
    """What answers is no index."""


@dataclass(frozen=True, slots=True)
class IndexLayout:
    """The fields of the documents of an index. An index with another version is built anew."""

    name: str
    version: int
    texts: tuple[str, ...] = ()
    """Terms that documents are ranked by."""
    phrases: tuple[str, ...] = ()
    """The same, where terms can be looked for next to each other."""
    keywords: tuple[str, ...] = ()
    """Values that are compared as a whole, any number in a document."""
    counted: tuple[str, ...] = ()
    """The same, of which the most frequent can be asked for, too."""
    numbers: tuple[str, ...] = ()
    """Whole numbers that are compared and ordered by, any number in a document."""
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Keywords of which each document has exactly one of these values: leaving out the few documents with
    another value takes less than looking through the many that have it."""


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """What an index knows of one row; terms of a text are separated by blanks."""

    id: int
    texts: Mapping[str, str] = field(default_factory=dict)
    keywords: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Those that are counted, too."""
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    words: Sequence[str] = ()
    """Its terms, in whatever text they are."""
    typed: Sequence[str] = ()
    """Those that queries are completed and corrected with: of codes nearly every document has its own."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Terms next to each other, and what they count in each field; a single one may be unfinished."""

    terms: tuple[str, ...]
    boosts: Mapping[str, float]
    is_prefix: bool = False
    anywhere: bool = False
    """Whether all documents with the term match, whatever field it is in: these are found without fields."""


Clause = tuple[Alternative, ...]
"""A word of a query: any of its alternatives matches, the best one counts."""


@dataclass(frozen=True, slots=True)
class TextQuery:
    """The clauses of a search, all of which must match, or `minimum` of them."""

    clauses: tuple[Clause, ...]
    minimum: int | None = None
    code: "KeywordFilter | None" = None
    """What matches instead of all clauses, and ranks before everything else."""
    optional: tuple[Clause, ...] = ()
    """What only ranks what the clauses match."""


@dataclass(frozen=True, slots=True)
class KeywordFilter:
    """At least one of the values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """At least one number from `low` to `high`."""

    field: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class IdFilter:
    """Documents of these rows."""

    ids: tuple[int, ...]


Filter = KeywordFilter | NumberFilter | IdFilter


@dataclass(frozen=True, slots=True)
class IndexQuery:
    """Which documents are looked for: everything given must hold."""

    text: TextQuery | None = None
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexOrder:
    """Documents by one number, those with the same number by their ids in the same direction."""

    field: str
    descending: bool = False

    @property
    def reversed(self) -> "IndexOrder":
        return IndexOrder(self.field, not self.descending)


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found: its id, and its number in the order or its score."""

    id: int
    key: float
    numbers: tuple[int, ...] = ()
    """Those of the fields that were asked for; 0 where it has none."""


@dataclass(frozen=True, slots=True)
class ValueCount:
    """What to count: the most frequent values of a field, or of those that begin with `prefix`."""

    field: str
    limit: int
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class FieldRange:
    """The lowest and the highest number of a field."""

    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class IndexFigures:
    """What was counted, in the order it was asked for: values with their documents, most frequent first."""

    counts: Sequence[Sequence[tuple[str, int]]]
    ranges: Mapping[str, FieldRange]
    """Of the fields in which any document has a number."""


class SearchIndex(Protocol):
    """An index of one kind of rows. It can be lost at any time: it is built anew from the database.

    Each question and each write may raise SearchUnavailable where the index is another server.
    """

    layout: IndexLayout

    async def rank(self, query: IndexQuery, *, limit: int, numbers: Sequence[str] = ()) -> Sequence[Hit]:
        """The best documents first, of those with the same score the highest id; each with these numbers."""

    async def list_ordered(
        self, query: IndexQuery, order: IndexOrder, *, limit: int, after: tuple[int, int] | None = None
    ) -> Sequence[Hit]:
        """The first documents in an order, or those after a pair of number and id."""

    async def count(self, query: IndexQuery) -> int:
        """How many documents there are."""

    async def figures(
        self, query: IndexQuery, counts: Sequence[ValueCount], ranges: Sequence[str] = ()
    ) -> IndexFigures:
        """Counts of values and ranges of numbers over all documents found."""

    async def frequencies(self, words: Collection[str]) -> Mapping[str, int]:
        """How many documents have each of these words; those in no document are left out."""

    async def completions(self, prefix: str, *, limit: int) -> Sequence[tuple[str, int]]:
        """Longer typed words that begin so, with the number of their documents, the most frequent first."""

    async def corrections(
        self, word: str, *, limit: int, is_prefix: bool = False
    ) -> Sequence[tuple[str, int]]:
        """Typed words one typing error away, the most frequent first; `is_prefix`: those that begin so."""

    async def document_count(self) -> int:
        """How many documents the index has."""

    async def can_answer(self) -> bool:
        """Whether there is an index, though perhaps not the newest one."""

    async def position(self) -> str | None:
        """Up to where the changes of the database are in the index; None where it has to be built."""

    def writing(self) -> AbstractAsyncContextManager[bool]:
        """Whether the caller is the one who may write until the block ends; others go on reading."""

    async def write(
        self, documents: Sequence[IndexDocument], deleted: Collection[int], *, position: str
    ) -> None:
        """Replace documents and delete others, then note the position."""

    async def build(self, batches: AsyncIterator[Sequence[IndexDocument]], *, position: str) -> None:
        """Make a new index of these documents; until it is complete the one before answers."""

    async def close(self) -> None:
        """Close files and connections."""
