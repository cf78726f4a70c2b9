"""What is asked about the meaning of sentences."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol


class MeaningIndex(Protocol):
    """The sentences of articles by their meaning, in the memory of this process."""

    async def write(self, sentences: Mapping[int, Sequence[str]], deleted: Collection[int]) -> None:
        """Replace the sentences of articles, and drop those of others."""

    async def nearest(self, text: str, *, limit: int) -> Sequence[tuple[int, float]]:
        """Articles with the similarity of their nearest sentence, from -1 to 1, the nearest first."""
