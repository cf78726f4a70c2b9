"""Texts that are about the same, put together: without a database, a clock or chance."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, log
from operator import mul

from text.question import parse_question

Similarity = Callable[[int, int], float]
"""How near two texts are, by their places: 1 for the same."""


@dataclass(frozen=True, slots=True)
class WeighedText:
    """A text, and how often it was said."""

    text: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Cluster:
    """The places of texts about the same, the one that was said most first."""

    members: tuple[int, ...]
    size: int
    """How often any of them was said."""


def cluster_texts(
    texts: Sequence[WeighedText], similarity: Similarity, *, least: float, least_size: int
) -> list[Cluster]:
    """Clusters of a size at least, the largest first. What was said most leads; each other text joins the
    nearest leader that is near enough, or leads itself."""
    order = sorted(range(len(texts)), key=lambda place: (-texts[place].count, texts[place].text, place))
    groups: dict[int, list[int]] = {}
    for place in order:
        nearest = max(groups, key=lambda leader: (similarity(place, leader), -leader), default=None)
        if nearest is not None and similarity(place, nearest) >= least:
            groups[nearest].append(place)
        else:
            groups[place] = [place]
    clusters = [Cluster(tuple(some), sum(texts[each].count for each in some)) for some in groups.values()]
    large = [each for each in clusters if each.size >= least_size]
    return sorted(large, key=lambda each: (-each.size, texts[each.members[0]].text))


def compare_vectors(vectors: Sequence[Sequence[float]]) -> Similarity:
    """By numbers of length 1 that say what each text means."""

    def similarity(one: int, other: int) -> float:
        return float(sum(map(mul, vectors[one], vectors[other])))

    return similarity


def compare_words(texts: Sequence[str]) -> Similarity:
    """By the words that two texts share, the rare ones more than those that many have."""
    words = [{term.forms[-1] for term in parse_question(text)} for text in texts]
    frequency = Counter(word for some in words for word in some)
    rows = [unit_row({word: log(1 + len(texts) / frequency[word]) for word in some}) for some in words]

    def similarity(one: int, other: int) -> float:
        return sum(weight * rows[other].get(word, 0.0) for word, weight in rows[one].items())

    return similarity


def unit_row(row: Mapping[str, float]) -> dict[str, float]:
    length = hypot(*row.values()) or 1.0
    return {word: weight / length for word, weight in row.items()}
