"""What is asked about the meaning of sentences."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateways.search import KeywordFilter

Nearest = Sequence[tuple[int, float]]
"""Articles with the similarity of their nearest sentence, from -1 to 1, the nearest first."""


@dataclass(frozen=True, slots=True)
class ArticleSentences:
    """The sentences of one article, and the values by which it is filtered."""

    texts: Sequence[str]
    keywords: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def match(self, filters: Sequence[KeywordFilter]) -> bool:
        """Whether the article has one of the values of each filter."""
        return all(not set(each.values).isdisjoint(self.keywords.get(each.field, ())) for each in filters)


class MeaningIndex(Protocol):
    """The sentences of articles by their meaning, in the memory of this process."""

    async def write(self, articles: Mapping[int, ArticleSentences], deleted: Collection[int]) -> None:
        """Replace the sentences of articles, and drop those of others."""

    async def nearest(
        self, texts: Sequence[str], *, limit: int, filters: Sequence[KeywordFilter] = ()
    ) -> Sequence[Nearest]:
        """For each text the nearest of the articles with these values."""

    async def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """What each text means, as numbers of length 1: their product says how near two are."""
