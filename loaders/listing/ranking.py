"""What the words of a search do not say: what buyers want comes first, and what looks the same is spread."""

from collections import Counter
from collections.abc import Sequence

from gateways.search import Hit
from loaders.search.fields import INTEREST, LOOK

WEIGHED_LIMIT = 200
"""Rows of a ranking whose order depends on more than the words: nobody compares later ones."""

SIGNALS = (INTEREST, LOOK)
"""The numbers of a hit that `weigh_hits` reads."""

INTEREST_SHARE, INTEREST_LIMIT = 0.02, 10
"""What each level of interest adds to a score, and the levels that count: a fifth of the score at most."""

REPEATED_SHARE, REPEATED_LIMIT = 0.98, 5
"""What is left of the score of a product for each older one that looks the same, and how many of these count.

Older ones: a product that is added between two pages does not move those that are already there.
"""


def weigh_hits(hits: Sequence[Hit]) -> list[Hit]:
    """The hits of one search, the best first, the scores of the first WEIGHED_LIMIT weighed by SIGNALS."""
    seen: Counter[int] = Counter()
    weighed: list[Hit] = []
    for hit in sorted(hits[:WEIGHED_LIMIT], key=lambda hit: hit.id):
        interest, look = hit.numbers
        share = 1 + INTEREST_SHARE * min(interest, INTEREST_LIMIT)
        share *= REPEATED_SHARE ** min(seen[look], REPEATED_LIMIT)
        weighed.append(Hit(hit.id, hit.key * share, hit.numbers))
        seen[look] += 1
    return [*sorted(weighed, key=lambda hit: (-hit.key, -hit.id)), *hits[WEIGHED_LIMIT:]]
