"""The filterable values of a product as one short text; those of many products are counted quickly."""

from collections import Counter
from collections.abc import Iterable

SEPARATOR = "\x1f"
"""Stands between two choices; no text of a product contains it."""

Choice = tuple[int, str]
"""The id of an attribute, and a value of a product as text."""


def join_choices(choices: Iterable[Choice]) -> str:
    return SEPARATOR.join(f"{attribute_id}:{value}" for attribute_id, value in choices)


def count_choices(texts: Iterable[str]) -> Counter[str]:
    """How often each choice occurs in the texts; a text may be those of many products joined."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text.split(SEPARATOR))
    counts.pop("", None)
    return counts


def most_frequent_choices(counts: Counter[str], limit: int) -> list[tuple[int, str, int]]:
    """At most `limit` triples (attribute id, value, count), most frequent first, ties in a fixed order."""
    least = sorted(counts.values(), reverse=True)[:limit][-1:]
    frequent = [(*parse_choice(choice), count) for choice, count in counts.items() if count >= least[0]]
    return sorted(frequent, key=_sort_key)[:limit]


def parse_choice(choice: str) -> Choice:
    attribute_id, _, value = choice.partition(":")
    return int(attribute_id), value


def _sort_key(choice: tuple[int, str, int]) -> tuple[int, int, int, str]:
    attribute_id, value, count = choice
    return (-count, attribute_id, int(value) if value.isdecimal() else 0, value)
