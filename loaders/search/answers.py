"""Which articles answer a question: ranks by words and by meaning, fused, or that nothing fits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models import Article

CANDIDATES_LIMIT = 20
"""Articles that are ranked by words, and as many by meaning."""

RANK_OFFSET = 5
"""Reciprocal rank fusion: a rank counts 1 / (offset + rank)."""

MEANING_WEIGHT = 2.0
"""What a rank by meaning counts, where one by words counts 1."""

CONTEXT_WEIGHT = 0.5
"""What being about what was bought counts at most: it decides between articles that answer about as well."""

LEARNED_FROM = 30
"""Articles from which on scores are compared with what was learned; in a small index all words are rare."""

LEAST_SCORE = 3.5
"""The least score of the best article by words where there is no model; learned with `python -m bench kb`."""

LEAST_CERTAINTY = 0.914
"""The same where there is one: similarity, and shares of the score and of agreement."""

SCORE_SHARE, SCORE_LIMIT, AGREEMENT = 0.002, 15.0, 0.03
AGREEING_RANKS = 3
"""Agreement: the best article by words is among these by meaning."""


LEAST_SIMILARITY = 0.9
"""How near an article is at least that a search shows though it has none of the words."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Articles with their scores, the best first: by words, and by meaning where there is a model."""

    by_words: Sequence[tuple[int, float]]
    by_meaning: Sequence[tuple[int, float]] | None = None
    documents: int = 0
    """How many articles the index has."""
    by_context: Sequence[tuple[int, float]] = ()
    """Articles about what was bought and where it is: they come before others that answer as well."""
    asked: str = ""
    """The question as it was meant, without typing errors and pinyin."""

    @property
    def ids(self) -> list[int]:
        return list(dict.fromkeys(id for id, _ in (*self.by_words, *(self.by_meaning or ()))))


def fuse_candidates(
    candidates: Candidates, rows: Mapping[int, Article], reason: Candidates | None = None
) -> list[Article]:
    """The articles that answer, the best first, one of its translations each; none where nothing fits.

    `rows` are those that the reader may see. `reason` are those that answer why somebody claims: it counts as
    much as what they have written, which names the goods more often than what is wrong with them.
    """
    asked = [candidates] if reason is None else [candidates, reason]
    words = [collapse(each.by_words, rows) for each in asked]
    meaning = [collapse(each.by_meaning or (), rows) for each in asked]
    has_model = candidates.by_meaning is not None
    are_fitting = [fits(*each, has_model) for each in zip(words, meaning, strict=True)]
    if candidates.documents >= LEARNED_FROM and not any(are_fitting):
        return []
    sums: defaultdict[int, float] = defaultdict(float)
    for ranked, weight in (*((each, 1.0) for each in words), *((each, MEANING_WEIGHT) for each in meaning)):
        for rank, group in enumerate(ranked):
            sums[group] += weight / (RANK_OFFSET + rank)
    context = collapse(candidates.by_context, rows)
    most = max((score for _, score in context.values()), default=0.0)
    for group, (_, score) in context.items():
        if group in sums and most > 0:
            sums[group] += CONTEXT_WEIGHT / RANK_OFFSET * score / most
    # what was written says better than the reason which translation is meant, and words better than meaning
    best = {
        group: id for ranked in (*reversed(meaning), *reversed(words)) for group, (id, _) in ranked.items()
    }
    return [rows[best[group]] for group in sorted(sums, key=lambda group: (-sums[group], group))]


def collapse(
    ranked: Sequence[tuple[int, float]], rows: Mapping[int, Article]
) -> dict[int, tuple[int, float]]:
    """The best article of each group of translations, with its score, in their order."""
    groups: dict[int, tuple[int, float]] = {}
    for id, score in ranked:
        if row := rows.get(id):
            groups.setdefault(row.original_id or row.id, (id, score))
    return groups


def fits(
    words: Mapping[int, tuple[int, float]], meaning: Mapping[int, tuple[int, float]], has_model: bool
) -> bool:
    """Whether the best article is certain enough to be shown."""
    group, (_, score) = next(iter(words.items()), (0, (0, 0.0)))
    if not has_model or not meaning:
        return score >= LEAST_SCORE
    nearest = list(meaning)[:AGREEING_RANKS]
    similarity = meaning[nearest[0]][1]
    agreement = AGREEMENT if group in nearest else 0.0
    return similarity + SCORE_SHARE * min(score, SCORE_LIMIT) + agreement >= LEAST_CERTAINTY
